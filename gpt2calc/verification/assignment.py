"""A listing held against a model of any architecture but GPT-2: each stored tensor is one row's, or is told what it is.

Pure. The names are those of files that transformers writes, or of its live modules; what stands before all of them is
found, not listed. It must not know a closed form: `report` brings that in.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from itertools import accumulate, chain, islice
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.errors import UnreadableInputError, shortened
from gpt2calc.listing import Fault
from gpt2calc.model import BUFFER, OUTPUT_HEAD, TOKEN_EMBEDDING
from gpt2calc.verification import consistency, holdings
from gpt2calc.verification.consistency import MISSING, UNEXPECTED, written, wrong_shape

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gpt2calc.listing import StoredTensor, TensorListing
    from gpt2calc.model import Model, Tensor
    from gpt2calc.verification.holdings import Holding

MOST_FAULTS = 1000
"""How many faults are kept; the rest are counted."""

MOST_TRIED_PREFIXES, MOST_TRIED_NAMES = 64, 64
"""How many prefixes are tried, each by how many names of the model."""

NUMBER = re.compile(r"0|[1-9][0-9]{0,11}")
INVERSE_FREQUENCIES = re.compile(r".*rotary_emb\.inv_freq", re.DOTALL)
MASK = re.compile(r".*\.attn?(?:ention)?(?:\.attention)?\.(?:bias|masked_bias|causal_mask)", re.DOTALL)
FREQUENCIES, MASKS, PREDICTION, ASIDE = (
    "rotary frequencies",
    "causal masks",
    "layers that predict further tokens",
    "outside of the prefix",
)
"""What a tensor can be that is no parameter of the model."""


class Row(NamedTuple):
    """The row that a stored tensor is one of: its component and role, and its shape."""

    component: str
    role: str
    table_shape: tuple[int, ...]


class Extra(NamedTuple):
    """What a tensor is that holds no parameter of the model."""

    what: str


class Assignment(NamedTuple):
    """The tensors of a listing by what they are, as `sorting.Sorted` has them of a GPT-2.

    Args:
        listing: what was assigned.
        model: the model whose rows they are assigned to.
        prefix: what stands before the names of the model's own tensors.
        expected: the row of each of `own`, by the name that is stored.
        own: the stored tensors that the model has.
        absent: the tensors that the model has and the file has not.
        lacking: how many more of them are not listed.
        extras: what is known, and holds no parameter of the model.
        head_copy: the matrix of a head that is tied, and stored all the same.
        strangers: what does not belong there.
        is_live: whether the names are those of a live module of transformers.
    """

    listing: TensorListing
    model: Model
    prefix: str
    expected: Mapping[str, Row]
    own: Mapping[str, StoredTensor]
    absent: tuple[tuple[str, Row], ...]
    lacking: int
    extras: tuple[tuple[StoredTensor, Extra], ...]
    head_copy: StoredTensor | None
    strangers: tuple[StoredTensor, ...]
    is_live: bool

    def stored(self, component: str) -> StoredTensor | None:
        """Return the first stored tensor of a component; "wte" stands for the token embedding, whatever its name."""
        named = token_embedding(self.model) if component == "wte" else component
        return next((t for name, t in self.own.items() if self.expected[name].component == named), None)

    def padded_elements(self, _: str, __: tuple[int, ...]) -> int:
        """Return 0: no rows pad a vocabulary."""
        return 0

    @property
    def components(self) -> dict[str, int]:
        """The elements of each component's stored parameters."""
        counts: dict[str, int] = {}
        joined = _joined(self.model) if self.is_live else {}
        for name, tensor in self.own.items():
            row = self.expected[name]
            parts = joined.get((row.component, row.role), {})
            if sum(parts.values()) != tensor.numel:
                parts = {row.component: tensor.numel}
            for component, elements in parts.items() if row.role != BUFFER else ():
                counts[component] = counts.get(component, 0) + elements
        return counts

    @property
    def roles(self) -> dict[str, tuple[str, str]]:
        """Component and role of every tensor that holds parameters, by name."""
        return {name: (row.component, row.role) for name, row in self.expected.items() if row.role != BUFFER}

    @property
    def dtypes(self) -> dict[str, int]:
        """How many tensors of parameters have each dtype."""
        return dict(Counter(tensor.dtype for tensor in self.own.values()))

    @property
    def holdings(self) -> tuple[Holding, ...]:
        """What the stored elements and bytes are."""
        return tuple(holdings.of(self))

    def faults(self) -> tuple[tuple[Fault, ...], int]:
        """Return what is wrong, at most `MOST_FAULTS`, and how many more things are."""
        found = chain(
            (Fault(MISSING, name, "it is missing", written(row.table_shape), "nothing") for name, row in self.absent),
            (
                Fault(UNEXPECTED, t.name, "it is no tensor of this model", "nothing", written(t.shape))
                for t in self.strangers
            ),
            self._shapes(),
            consistency.dtypes(self),
            consistency.memories(self),
            self.listing.faults,
        )
        kept = tuple(islice(found, MOST_FAULTS))
        return kept, sum(1 for _ in found) + self.lacking

    def _shapes(self) -> Iterator[Fault]:
        for name, tensor in self.own.items():
            if tensor.shape != self.expected[name].table_shape:
                yield wrong_shape(tensor, self.expected[name].table_shape)
        wte = self.stored("wte")
        if self.head_copy is not None and wte is not None and self.head_copy.shape != wte.shape:
            yield wrong_shape(self.head_copy, wte.shape, ", as the token embedding it is tied to")


def token_embedding(model: Model) -> str:
    """Return the name of the component that embeds tokens."""
    return next(row.name for row in model.components() if row.part == TOKEN_EMBEDDING)


def assign(listing: TensorListing, model: Model, *, is_part: bool, more_layers: int = 0) -> Assignment:
    """Assign every tensor of a listing once.

    Law: a prefix is whatever stands before the token embedding's name, and so before all others. Where the config is
    of a part of what the file holds, other tensors are left aside, and else they do not belong there. The work is that
    of the file's own tensors, whatever sizes a config says.

    Args:
        listing: what a checkpoint, or a live module, holds.
        model: the model that its config says.
        is_part: whether the config names more than the model.
        more_layers: how many layers beyond the model's the config says that files may hold.

    Raises:
        UnreadableInputError: the model is found under several prefixes.
    """
    stored = {tensor.name: tensor for tensor in listing.tensors}
    names = _Names(model, is_live=_is_live(stored, model), is_part=is_part)
    prefix = names.find_prefix(listing.name, stored)
    rows: dict[str, Row] = {}
    found: set[str] = set()
    copy, extras, strangers = None, [], []
    head, tied = output_head(model), bool(model.lm_head and model.tie_word_embeddings)
    for name, tensor in stored.items():
        match = names.row_of(name)
        if match is not None:
            called, row = match
            rows[name] = Row(row.component, row.role, row.shape)
            found.add(called)
        elif tied and head in names.called(name):
            copy = tensor
        elif (what := _known(names, tensor, more_layers)) or (is_part and not name.startswith(prefix or "\0")):
            extras.append((tensor, Extra(what or ASIDE)))
        else:
            strangers.append(tensor)
    missing = ((names.stored_as(name), row) for name, row in names.listing() if name not in found)
    absent = tuple(islice(missing, MOST_FAULTS))
    lacking = model.size(live=names.is_live) - len(found) - len(absent)
    own = {name: stored[name] for name in rows}
    known = (absent, lacking, tuple(extras), copy, tuple(strangers))
    return Assignment(listing, model, prefix, rows, own, *known, names.is_live)


class _Names:
    """How the tensors of a model are called in one file: by the names of its table, behind a prefix.

    A name of the table begins with the architecture's body, `model.`, or is a head's. In a file the body may be called
    as a live module calls it, or stand without its name, as a base model alone does.
    """

    def __init__(self, model: Model, *, is_live: bool, is_part: bool) -> None:
        self.model, self.is_live, self.is_part = model, is_live, is_part
        self.own = f"{model.architecture.body}."
        self.prefix, self.body = "", self.own
        self.has_no_head = model.sizes.get("head", "lm") == "none"
        self.stacks = {stack.prefix: stack for stack in model.stacks}
        self.ends = {stack.prefix: list(accumulate(run.length for run in stack.runs)) for stack in model.stacks}
        self.rows: dict[str, list[Tensor]] = {}
        for row in model.tensors(live=is_live):
            self.rows.setdefault(row.template, []).append(row)

    def find_prefix(self, target: str, stored: Mapping[str, StoredTensor]) -> str:
        """Find what stands before all names: what is before the token embedding's, where most of the others are, too.

        Raises:
            UnreadableInputError: there are several that as many tensors speak for.
        """
        embedding = token_embedding(self.model)
        tail = next(t for t, rows in self.rows.items() if rows[0].component == embedding).removeprefix(self.own)
        before = [name.removesuffix(tail) for name in stored if name == tail or name.endswith(f".{tail}")]
        few = [name.removeprefix(self.own) for name, _ in islice(self.listing(), MOST_TRIED_NAMES)]
        # A copy of the embedding stands in layers that predict further tokens, and no other tensor does beside it.
        known = {each: sum(each + name in stored for name in few) for each in before[:MOST_TRIED_PREFIXES]}
        best = [each for each, number in known.items() if number == max(known.values())]
        if len(best) > 1:
            named = ", ".join(shortened(each) or "none" for each in best[:3])
            problem = f"{self.model.architecture.model_type} is found under {len(best)} prefixes, {named} among them"
            raise UnreadableInputError(target, f"{problem}: one model is verified at a time")
        if best:
            bodies = (self.own, f"{self.model.architecture.live_body or self.model.architecture.body}.")
            self.body = next((body for body in bodies if best[0].endswith(body)), "")
            self.prefix = best[0].removesuffix(self.body) if self.body else best[0]
        return self.prefix

    def called(self, name: str) -> tuple[str, ...]:
        """Return what a name of the file may be in the table: a tensor of the body, or of a head beside it."""
        found = []
        if name.startswith(self.prefix + self.body):
            found.append(self.own + name.removeprefix(self.prefix + self.body))
        if name.startswith(self.prefix):
            found.append(name.removeprefix(self.prefix))
        return (*found, name) if self.is_part else tuple(found)

    def row_of(self, name: str) -> tuple[str, Tensor] | None:
        """Return the row that a stored name is of, with the name that its tensor has in the table."""
        for called in self.called(name):
            if self.has_no_head and not called.startswith(self.own):
                continue
            for template, copy, layer in _templates(called, self.stacks):
                tags = self.tags(*layer) if layer else frozenset[str]()
                for row in self.rows.get(template, ()) if tags is not None else ():
                    if tags is not None and tags.issuperset(row.layers.split()) and (copy is None or copy < row.times):
                        return called, row
        return None

    def depth(self, stack: str) -> int:
        """Return how many layers stand under a prefix."""
        return self.ends[stack][-1] if self.ends[stack] else 0

    def tags(self, stack: str, i: int) -> frozenset[str] | None:
        """Return the tags of the i-th layer of a stack, None where there is none; no other layer is looked at."""
        ends = self.ends[stack]
        if i >= self.depth(stack):
            return None
        place = bisect_right(ends, i)
        pattern = self.stacks[stack].runs[place].pattern
        return pattern[(i - (ends[place - 1] if place else 0)) % len(pattern)]

    def listing(self) -> Iterator[tuple[str, Row]]:
        """Yield every tensor of the model by its name in the table."""
        renamed = f"{self.model.architecture.live_body}." if self.is_live and self.model.architecture.live_body else ""
        for each in self.model.listing(live=self.is_live):
            name = self.own + each.name if self.has_no_head else each.name
            if renamed and name.startswith(renamed):
                name = self.own + name.removeprefix(renamed)
            yield name, Row(each.component, each.role, each.shape)

    def stored_as(self, called: str) -> str:
        """Return the name that a tensor has in this file, by that in the table."""
        if not called.startswith(self.own):
            return self.prefix + called
        return self.prefix + self.body + called.removeprefix(self.own)


def _templates(called: str, stacks: Iterable[str]) -> Iterator[tuple[str, int | None, tuple[str, int] | None]]:
    """Yield what the template of a name can be, with the number of the copy, and the stack and number of the layer."""
    yield called, None, None
    if not called.startswith(tuple(f"{prefix}." for prefix in stacks)):
        yield from ((template, copy, None) for template, copy in _copies(called))
    for prefix in stacks:
        if not called.startswith(f"{prefix}."):
            continue
        number, _, tail = called.removeprefix(f"{prefix}.").partition(".")
        if not NUMBER.fullmatch(number):
            continue
        layer = prefix, int(number)
        yield f"{{layer}}.{tail}", None, layer
        yield from ((f"{{layer}}.{template}", copy, layer) for template, copy in _copies(tail))


def _copies(name: str) -> Iterator[tuple[str, int]]:
    """Yield what the template of a name of copies can be, with the number of the copy."""
    parts = name.split(".")
    for place, part in enumerate(parts):
        if NUMBER.fullmatch(part):
            yield ".".join((*parts[:place], "{n}", *parts[place + 1 :])), int(part)


def _known(names: _Names, tensor: StoredTensor, more_layers: int) -> str:
    """Return what a tensor is that is no row's, where it is known: files of today and of years ago hold such."""
    if INVERSE_FREQUENCIES.fullmatch(tensor.name):
        return FREQUENCIES
    # A causal mask of [1, 1, T, T], and the number that stands for minus infinity.
    is_square = len(tensor.shape) == 4 and tensor.shape[:2] == (1, 1) and tensor.shape[2] == tensor.shape[3]
    if MASK.fullmatch(tensor.name) and (is_square or tensor.shape in {(), (1,)}):
        return MASKS
    for called in names.called(tensor.name):
        for _, _, layer in _templates(called, names.stacks):
            if layer and 0 <= layer[1] - names.depth(layer[0]) < more_layers:
                return PREDICTION
    return ""


def output_head(model: Model) -> str:
    """Return the name of the output head's tensor, which has none of its own where it is tied."""
    head = next((row.name for row in model.components() if row.part == OUTPUT_HEAD), "")
    return next((row.template for row in model.architecture.tensors(model) if row.component == head), "")


def _joined(model: Model) -> dict[tuple[str, str], dict[str, int]]:
    """Return what each tensor is made of that a live module keeps in one, by its component and role there."""
    rows = model.tensors()
    found = {}
    for merge in model.architecture.merges:
        for tags in dict.fromkeys(row.layers for row in rows if row.template in merge.stored):
            parts = [row for row in rows if row.template in merge.stored and row.layers == tags]
            found[parts[0].component, parts[0].role] = {row.component: row.times * prod(row.shape) for row in parts}
    return found


def _is_live(stored: Mapping[str, StoredTensor], model: Model) -> bool:
    """Whether names are those of a live module of transformers, which keeps in one what files hold in several."""
    tails = tuple(merge.live.removeprefix("{layer}") for merge in model.architecture.merges)
    return bool(tails) and any(name.endswith(tails) for name in stored)
