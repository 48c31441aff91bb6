"""A listing held against a model of any architecture but GPT-2: each stored tensor is one row's, or is told what it is.

Pure. The names are those of files that transformers writes, or of its live modules; what stands before all of them is
found, not listed. It must not know a closed form: `report` brings that in.
"""

from __future__ import annotations

import re
from collections import Counter
from itertools import chain, islice
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.errors import UnreadableInputError, shortened
from gpt2calc.listing import Fault
from gpt2calc.model import BUFFER, TOKEN_EMBEDDING
from gpt2calc.verification import consistency, holdings
from gpt2calc.verification.consistency import MISSING, UNEXPECTED, written, wrong_shape

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gpt2calc.listing import StoredTensor, TensorListing
    from gpt2calc.model import Listed, Model
    from gpt2calc.verification.holdings import Holding

MOST_FAULTS = 1000
"""How many faults are kept; the rest are counted."""

MOST_ABSENT_TENSORS = 1_000_000
"""How many more tensors than a file has are looked for by name: a config may say any number of experts."""

MORE_LAYERS = 16
"""How many more layers than a file has tensors are looked for by name."""

HEAD = "lm_head.weight"
INVERSE_FREQUENCIES = re.compile(r".*rotary_emb\.inv_freq", re.DOTALL)
FREQUENCIES, PREDICTION, ASIDE = "rotary frequencies", "layers that predict further tokens", "outside of the prefix"


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
    of a part of what the file holds, other tensors are left aside, and else they do not belong there.

    Args:
        listing: what a checkpoint, or a live module, holds.
        model: the model that its config says.
        is_part: whether the config names more than the model.
        more_layers: how many layers beyond the model's the config says that files may hold.

    Raises:
        UnreadableInputError: the model is found under several prefixes.
    """
    stored = {tensor.name: tensor for tensor in listing.tensors}
    prefix, body = _prefix(listing, stored, model)
    live = _is_live(stored, model)
    rows: dict[str, Row] = {}
    absent: list[tuple[str, Row]] = []
    # Of a model with more layers than the file has tensors, most are missing whatever they are called.
    listed = model.listing(live=live, most_layers=len(stored) + MORE_LAYERS)
    for each in islice(listed, len(stored) + MOST_ABSENT_TENSORS):
        name = _placed(each, model, prefix, body, stored)
        row = Row(each.component, each.role, each.shape)
        if name in stored:
            rows[name] = row
        else:
            absent.append((name, row))
    lacking = model.size(live=live) - len(rows) - min(len(absent), MOST_FAULTS)
    beyond = _beyond(model, prefix, body, more_layers)
    copy, extras, strangers = None, [], []
    tied = bool(model.lm_head and model.tie_word_embeddings)
    for name, tensor in stored.items():
        if name in rows:
            continue
        if tied and name in {prefix + HEAD, HEAD}:
            copy = tensor
        elif INVERSE_FREQUENCIES.fullmatch(name):
            extras.append((tensor, Extra(FREQUENCIES)))
        elif beyond and beyond.match(name):
            extras.append((tensor, Extra(PREDICTION)))
        elif is_part and not name.startswith(prefix or "\0"):
            extras.append((tensor, Extra(ASIDE)))
        else:
            strangers.append(tensor)
    own = {name: stored[name] for name in rows}
    known = (tuple(absent[:MOST_FAULTS]), lacking, tuple(extras), copy, tuple(strangers))
    return Assignment(listing, model, prefix, rows, own, *known, live)


def _prefix(listing: TensorListing, stored: Mapping[str, StoredTensor], model: Model) -> tuple[str, str]:
    """Return what stands before all names, and what the names of the body then begin with: nothing, or its own name."""
    body = f"{model.architecture.body}."
    embedding = token_embedding(model)
    row = next(each for each in model.tensors() if each.component == embedding)
    tail = row.template.removeprefix(body)
    found = [name.removesuffix(tail) for name in stored if name == tail or name.endswith(f".{tail}")]
    if len(found) > 1:
        named = ", ".join(map(shortened, found[:3]))
        problem = f"{model.architecture.model_type} is found under {len(found)} prefixes, {named} among them"
        raise UnreadableInputError(listing.name, f"{problem}: one model is verified at a time")
    if not found:
        return "", body
    return (found[0].removesuffix(body), body) if found[0].endswith(body) else (found[0], "")


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


def _placed(each: Listed, model: Model, prefix: str, body: str, stored: Mapping[str, StoredTensor]) -> str:
    """Return the name that a tensor of the model has in this file."""
    own = f"{model.architecture.body}."
    name = each.name.removeprefix(own)
    if name == each.name and model.sizes.get("head", "lm") != "none":  # of a head, which stands beside the body
        return name if prefix + name not in stored and name in stored else prefix + name
    return prefix + body + name


def _beyond(model: Model, prefix: str, body: str, more: int) -> re.Pattern[str] | None:
    """Return what the names of layers match that stand after the model's, in files alone."""
    if not more or not model.stacks:
        return None
    count = sum(run.length for run in model.stacks[0].runs)
    stack = model.stacks[0].prefix.removeprefix(f"{model.architecture.body}.")
    numbers = "|".join(str(count + i) for i in range(min(more, 100)))
    return re.compile(rf"{re.escape(prefix + body + stack)}\.(?:{numbers})\.")
