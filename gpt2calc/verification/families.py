"""From a listing to the model type it shows, among all that are counted, and to its config: names first, then shapes.

Nothing here knows a family: an architecture's own rows, with letters for its sizes, say what each axis shows, and what
no axis shows is tried. What fits as well as what was taken is said, and never taken for a fact. GPT-2, which has names
of other projects as well, is `inference`'s.
"""

from __future__ import annotations

from collections import Counter
from functools import cache
from itertools import chain, product
from math import gcd, prod
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import architectures
from gpt2calc.algebra import Expression
from gpt2calc.architectures import reading as configs
from gpt2calc.dialects.base import Piece, readings
from gpt2calc.dialects.huggingface import names_of
from gpt2calc.errors import ConfigError, UnreadableInputError
from gpt2calc.model import FLAG, LAW, LIST, REFUSED, SIZE, WORD, Model, evaluated, merged
from gpt2calc.preset_index import INDEX
from gpt2calc.verification import naming
from gpt2calc.verification.assignment import BEYOND, Layers, is_of_old_files

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.dialects.base import Dialect, Reading
    from gpt2calc.listing import TensorListing
    from gpt2calc.model import Architecture, Size, Tensor

    _Terms = tuple[tuple[tuple[str, ...], int], ...]
    _Equation = tuple[_Terms, int]

WIDTHS = (128, 64, 96, 80, 256, 112, 192, 72, 160, 48, 32, 16, 8, 4, 2, 1)
"""Widths of heads that models have, the most frequent first: what is tried where shapes show products of two sizes."""

HEADS = (64, 32, 16, 12, 8, 4, 2, 1)
"""What a size may be that is in no shape and that others are multiples of: the largest that is one is taken."""

SMALL = (*range(17), 24, 32, 64)
"""What a size may be that no shape shows, such as a period of layers: what is tried."""

MOST_TRIED = 256
"""Up to what number all are tried of which the sizes that are products of it are multiples."""

MOST_GUESSES = 24
"""How many of these are tried."""

MOST_TENSORS = 50_000
"""How many tensors a checkpoint without a config has at most whose family is looked for: each is read as the names of
every model type that is near. DeepSeek-V3 with fp8 scales has more, and a config."""

MOST_GROUPS = 5000
"""How many tensors that differ in more than the number of an expert a model has; what has more is not searched."""

FEWER = 2
"""A model type is looked at where it knows at most so many names fewer than the best one: a fault is not more."""

MOST_SEARCHED = 3
"""Of how many model types everything is tried, where none fits as a whole by what shapes and names show."""

ROUNDS = 3
"""How often all switches are tried, since one can show another."""


class Recognised(NamedTuple):
    """What a listing shows of its family.

    Args:
        document: a config.json.
        alike: other model types that fit as well.
        unknown: the sizes that no shape shows, with what they were taken as.
        fits: how many of its tensors have their names and shapes under that document.
        size: how many it has.
        strange: how many tensors of the file are no tensors of it, what files of years ago hold apart.
    """

    document: dict[str, Any]
    alike: tuple[str, ...]
    unknown: Mapping[str, Any]
    fits: int
    size: int
    strange: int

    @property
    def wrong(self) -> int:
        """How many things are wrong with the file if it is this model."""
        return self.size - self.fits + self.strange


class _Group(NamedTuple):
    """Tensors of a file that differ in the number of the copy alone: the template of their rows, layer and shape."""

    template: str
    stack: str
    layer: int | None
    shape: tuple[int, ...]


class _Seen:
    """What a file holds, as the names of one model type are read."""

    def __init__(self, listing: TensorListing, reading: Reading) -> None:
        self.listing, self.reading, self.is_live = listing, reading, reading.dialect.is_live
        self.groups: Counter[_Group] = Counter()
        self.tensors = len(listing.tensors)
        for tensor in listing.tensors:
            found = reading.find(tensor.name)
            if found and isinstance(found.row, Piece):
                self.groups[_Group(found.row.rows[0].template, found.row.stack, found.block, tensor.shape)] += 1
            elif is_of_old_files(tensor):
                self.tensors -= 1
        counts = Counter(group.layer for group in self.groups if group.layer is not None)
        fullest = max(counts.values(), default=0)
        full = sorted(layer for layer, n in counts.items() if 4 * n >= fullest)
        self.depth = max((layer + 1 for rank, layer in enumerate(full, 1) if layer < 2 * rank + BEYOND), default=0)

    def rows(self, model: Model, *, absent: bool = False) -> list[Tensor]:
        """Return the rows of a model's tensors under these names."""
        if not absent:
            return model.tensors(live=self.is_live)
        rows = model.architecture.tensors(model)
        return merged(rows, model.architecture.merges) if self.is_live else rows

    def scores(self, model: Model) -> dict[int | None, int]:
        """Return for each layer, and for what is in none, twice what fits, less what the model has there."""
        present: dict[str, list[tuple[frozenset[str], Tensor]]] = {}
        for row in self.rows(model):
            present.setdefault(row.template, []).append((frozenset(row.layers.split()), row))
        tags: dict[tuple[str, int | None], frozenset[str]] = {("", None): frozenset()}
        for stack in model.stacks:
            layers = Layers(model, stack.prefix)
            tags |= {(stack.prefix, n): layers.tags(n) or frozenset() for n in range(min(self.depth, layers.depth))}
        found: Counter[int | None] = Counter()
        for (template, stack_of, layer, shape), copies in self.groups.items():
            own = tags.get((stack_of, layer))
            fitting = (row for wanted, row in present.get(template, ()) if own is not None and wanted <= own)
            found[layer] += next((2 * min(copies, row.times) for row in fitting if row.shape == shape), 0)
        every = [each for rows in present.values() for each in rows]
        held = {own: sum(row.times for wanted, row in every if wanted and wanted <= own) for own in set(tags.values())}
        for (_, layer), own in tags.items():
            found[layer] -= held[own]
        size = sum(model.count(row.layers) * row.times for _, row in every)
        found[None] -= size - sum(held[own] for own in tags.values())
        return found


def recognise(listing: TensorListing, prefix: str | None = None) -> Recognised | None:
    """Recognise the family of a listing, and infer its config; None where no model type has such names.

    Raises:
        UnreadableInputError: a model stands under several prefixes, or none under the one that is said; or one of
            another family stands beside it.
    """
    found = _searches(listing, prefix)
    if not found:
        return None
    shipped = [model_type for model_type, *_ in INDEX.values()]
    for step in (_Search.switches, _Search.everything):
        found.sort(key=lambda each: (-each.score, -shipped.count(each.architecture.model_type)))
        for search in found[:MOST_SEARCHED] if not found[0].is_whole else ():
            step(search)
    for search in found:
        search.flags()
    found.sort(key=lambda each: (-each.score, -shipped.count(each.architecture.model_type)))
    top = found[0]
    if prefix is None:
        refuse_another(top.seen.listing, top.architecture.model_type, top.seen.reading)
    alike = [search.architecture.model_type for search in found[1:] if search.score == top.score]
    size = top.model.size(live=top.seen.is_live)
    fits = (top.score + size) // 2
    return Recognised(top.model.document(), tuple(alike), top.unknown(), fits, size, top.seen.tensors - fits)


def _searches(listing: TensorListing, prefix: str | None) -> list[_Search]:
    """Return a search for each model type that is near; none where a file has more kinds of tensors than any model."""
    _refuse_many(listing)
    found, elsewhere = list[_Search](), None
    names = [tensor.name for tensor in listing.tensors]
    for model_type in _near([name for name in names if name.startswith(prefix or "")] or names):
        architecture = architectures.of(model_type)
        try:
            read = naming.find(listing, _names(model_type), "a language model", prefix=prefix)
        except UnreadableInputError as error:
            if prefix is None:
                raise
            read, elsewhere = None, elsewhere or error  # another type may stand there
        if read is not None:
            seen = _Seen(naming.parted(listing, read.alike[0], read.others), read.alike[0])
            if len(seen.groups) > MOST_GROUPS:
                return []
            if seen.depth:  # an embedding and a norm are no model's alone
                found.append(_Search(architecture, seen))
    if not found and elsewhere is not None:
        raise elsewhere
    return found


def _refuse_many(listing: TensorListing) -> None:
    """Raise where a checkpoint has more tensors than its family is looked for among."""
    if len(listing.tensors) > MOST_TENSORS:
        problem = f"{len(listing.tensors):,} tensors, of which no config says what they are"
        raise UnreadableInputError(listing.name, f"{problem}: a family is looked for among {MOST_TENSORS:,} at most")


def refuse_another(listing: TensorListing, what: str, reading: Reading) -> None:
    """Raise where a model of another family is among what was left aside of one that was found.

    Raises:
        UnreadableInputError: nobody says which of the two is meant.
    """
    aside = listing._replace(tensors=listing.aside, aside=())
    _refuse_many(aside)
    for model_type in _near([tensor.name for tensor in aside.tensors]) if aside.tensors else ():
        read = naming.find(aside, _names(model_type), "a language model")
        if read is not None and _Seen(naming.parted(aside, read.alike[0]), read.alike[0]).depth:
            first, second = (each.wrapper or "none" for each in (reading, read.alike[0]))
            problem = f"{what} is found under {first}, and a model of another family under {second}"
            raise UnreadableInputError(listing.name, f"{problem}: --prefix says which is meant")


def _near(names: list[str]) -> list[str]:
    """Return the model types that know the most of some names; GPT-2 is none of them."""
    dialects: dict[Dialect, str] = {}
    for model_type in architectures.FILES:
        if model_type != architectures.GPT2:
            dialects |= dict.fromkeys(_names(model_type), model_type)
    ranked = readings(names, dialects)
    most = ranked[0][0]
    near = [dialects[each.dialect] for known, each in ranked if known >= most - FEWER]
    return list(dict.fromkeys(near)) if most else []


@cache
def _names(model_type: str) -> tuple[Dialect, ...]:
    """Return the names of a model type, which no size changes: all types' are asked for of each checkpoint."""
    return names_of(_model(architectures.of(model_type), {}))


def _model(architecture: Architecture, document: Mapping[str, Any]) -> Model:
    """Return a model of a document, in which what must be said and is not is 1."""
    needed = {row.name: 1 for row in architecture.sizes if row.kind == SIZE and row.default is None}
    return configs.read({"model_type": architecture.model_type, **needed, **document}).model


class _Search:
    """The search for the document of one model type under which the most tensors fit: sizes solved, the rest tried."""

    def __init__(self, architecture: Architecture, seen: _Seen) -> None:
        self.architecture, self.seen = architecture, seen
        self.sizes = [row for row in architecture.sizes if row.kind != LAW]
        self.letters = {row.letter: row for row in self.sizes if row.kind == SIZE and row.letter}
        self.document: dict[str, Any] = {}
        self.known: set[str] = set()
        self.open: set[str] = set()
        self.score = -(10**18)
        depth = next((row.name for row in self.sizes if row.letter == "L"), "num_hidden_layers")
        first = {depth: seen.depth}
        _ = self._try(first) or self._try(self._lists() | first)
        self._solve()

    @property
    def is_whole(self) -> bool:
        """Whether all tensors fit, and none is missing."""
        return self.score == self.seen.tensors

    def flags(self) -> None:
        """Try each flag and each head, as long as anything does not fit."""
        for row in self.sizes:
            for value in (True, False) if row.kind == FLAG else row.words if row.kind == WORD else ():
                self._try({row.name: value})

    def switches(self) -> None:
        """Try what names show: flags, heads, ranks that are none, and the kinds of layers."""
        for row in self.sizes:
            self._try_all(row)

    def everything(self) -> None:
        """Try what no shape shows as well, field by field and in pairs, as long as that lets more tensors fit."""
        for _ in range(ROUNDS):
            before = self.score
            for row in self.sizes:
                for value in SMALL if row.kind == SIZE and row.letter not in self.known else ():
                    self._try({row.name: value})
            self._try_pairs()
            self._solve()
            self.switches()
            if self.is_whole or self.score == before:
                break

    @property
    def model(self) -> Model:
        """The model of the document."""
        return _model(self.architecture, self.document)

    def _scored(self, changes: Mapping[str, Any]) -> tuple[int, dict[int | None, int]] | None:
        try:
            model = _model(self.architecture, {**self.document, **changes})
        except ConfigError:
            return None
        sizes = ((model.sizes[row.name], row) for row in self.sizes if row.kind == SIZE and row.null == REFUSED)
        if any(isinstance(size, int) and size < row.least for size, row in sizes):  # a law came to nothing
            return None
        scores = self.seen.scores(model)
        return sum(scores.values()), scores

    def _try(self, changes: Mapping[str, Any]) -> bool:
        """Take changes of the document that let more tensors fit; say whether they give a model."""
        if self.is_whole:
            return True
        found = self._scored(changes)
        if found is not None and found[0] > self.score:
            self.document |= changes
            self.score = found[0]
        return found is not None

    def _lists(self) -> dict[str, Any]:
        return {row.name: [row.words[0]] * self.seen.depth for row in self.sizes if row.kind == LIST and row.words}

    def _try_all(self, row: Size) -> None:
        """Try what a field that no shape shows can be: alone, and with the sizes solved anew; of a list, by layer."""
        if self.is_whole:
            return
        if row.kind == LIST:
            self._try_layers(row)
        values: tuple[Any, ...] = ()
        if row.kind == FLAG:
            values = (True, False)
        elif row.kind == WORD:
            values = row.words
        elif row.kind == SIZE and row.null != REFUSED:
            values = (None,)
        for value in values:
            before = self.score
            self._try({row.name: value})
            if self.score == before:
                self._solve({row.name: value})

    def _try_pairs(self) -> None:
        """Try how often a kind of layer comes together with where it begins."""
        by_stem: dict[str, list[str]] = {}
        for row in self.sizes:
            if row.kind == SIZE and not row.letter:
                by_stem.setdefault(row.name.rpartition("_")[0], []).append(row.name)
        for names in by_stem.values():
            for first, second in product(SMALL, SMALL) if len(names) == 2 and not self.is_whole else ():
                self._try(dict(zip(names, (first, second), strict=True)))

    def _try_layers(self, row: Size) -> None:
        depth = self.seen.depth
        whole = [[word] * depth for word in row.words] if row.words else [[], list(range(depth))]
        ways = [(way, found[1]) for way in whole if (found := self._scored({row.name: way}))]
        if len(ways) < 2:
            return
        best = [max(range(len(ways)), key=lambda n: ways[n][1].get(layer, 0)) for layer in range(depth)]
        if row.words:
            self._try({row.name: [ways[n][0][0] for n in best]})
        else:
            self._try({row.name: [layer for layer, n in enumerate(best) if n]})

    def _solve(self, changes: Mapping[str, Any] | None = None) -> None:
        """Solve the sizes from the shapes: each axis is an equation in letters, and the majority wins.

        Where only products are left, one letter is guessed. That all guesses fit as well shows that no shape says it.
        """
        changes = changes or {}
        try:
            model = _model(self.architecture, {**self.document, **changes})
        except ConfigError:
            return
        equations = self._equations(model)
        known = _solved(equations, {"L": self.seen.depth})
        letter, tried = _guesses(equations, known, self.letters, model)
        best = self.score
        is_read = self._try({**changes, **self._named(known)})
        for value in () if is_read else HEADS:  # what no shape shows may have to divide what one does
            others = {row.name: value for each, row in self.letters.items() if each not in known}
            if self._try({**changes, **others, **self._named(known)}):
                break
        fits, opened = [self.score > best], set[str]()
        for value in tried:
            guessed = _solved(equations, {**known, letter: value})
            named = {**changes, **self._named(guessed)}
            found = self._scored(named)
            is_other = {**self.document, **named} != self.document
            if found is not None and found[0] == self.score and is_other and any(fits):
                opened = guessed.keys() - known.keys()
            elif found is not None and found[0] > self.score:
                self._try(named)
                fits, opened = [True], set()
            if opened and self.is_whole:
                break
        if self.score > best:
            self.known, self.open = set(known), opened

    def _named(self, known: Mapping[str, int]) -> dict[str, int]:
        return {self.letters[letter].name: size for letter, size in known.items() if letter in self.letters and size}

    def _equations(self, model: Model) -> Counter[_Equation]:
        """Return what each axis, and each number of copies, says of the letters, and how many tensors say so."""
        lettered = Model(self.architecture, _lettered(model), lambda _: 1)
        found: Counter[_Equation] = Counter()
        rows: dict[str, list[Tensor]] = {}
        try:
            for row in self.seen.rows(lettered, absent=True):
                rows.setdefault(row.template, []).append(row)
        except TypeError:
            return found
        for (template, _, _, shape), copies in self.seen.groups.items():
            alike = rows.get(template, [])
            if len(alike) != 1 or len(alike[0].shape) != len(shape):
                continue
            pairs = [*zip(alike[0].shape, shape, strict=True)]
            pairs += [(alike[0].times, copies)] if "{n}" in template else []
            for axis, size in pairs:
                found[tuple(sorted(Expression.of(axis).terms.items())), size] += 1
        return found

    def unknown(self) -> dict[str, Any]:
        """Return the sizes that no shape shows: those that were guessed, and those that can as well be others."""
        found: dict[str, Any] = {}
        for row in self.sizes:
            value = self.model.sizes[row.name]
            if row.kind != SIZE or not isinstance(value, int) or row.name == "num_labels":
                continue
            others = (self._scored({row.name: each}) for each in (2 * value, value // 2) if each and each != value)
            if row.letter in self.open or any(each and each[0] == self.score for each in others):
                found[row.name] = value
        return found


def _lettered(model: Model) -> dict[str, Any]:
    """Return the sizes of a model with letters for those that a config says, and laws of letters for others."""
    values: dict[str, Any] = dict(model.sizes)
    for row in model.architecture.sizes:
        if row.kind == SIZE and row.letter:
            values[row.name] = Expression.letter(row.letter)
        elif row.kind == LAW and row.letter and isinstance(row.default, str):
            try:
                values[row.name] = evaluated(row.default.removeprefix("= "), values)
            except (TypeError, ValueError):  # it compares, or takes one of two
                values[row.name] = Expression.letter(row.letter)
    return values


def _solved(equations: Mapping[_Equation, int], known: Mapping[str, int]) -> dict[str, int]:
    """Return the letters that equations show, given some: those of one unknown letter, and those that become so."""
    found = dict(known)
    while True:
        votes: dict[str, Counter[int]] = {}
        for (terms, size), weight in equations.items():
            rest = _reduced(terms, found)
            unknown = [letters for letters in rest if letters]
            value = size - rest.get((), 0)
            if len(unknown) == 1 and len(unknown[0]) == 1 and value % rest[unknown[0]] == 0:
                votes.setdefault(unknown[0][0], Counter())[value // rest[unknown[0]]] += weight
        if not votes:
            return found
        letter, cast = max(votes.items(), key=lambda each: each[1].most_common(1)[0][1])
        found[letter] = cast.most_common(1)[0][0]


def _reduced(terms: _Terms, known: Mapping[str, int]) -> dict[tuple[str, ...], int]:
    """Return a sum of products of letters in those that are not known; what comes to 0 is left out."""
    found: Counter[tuple[str, ...]] = Counter()
    for letters, factor in terms:
        found[tuple(letter for letter in letters if letter not in known)] += factor * prod(
            known[letter] for letter in letters if letter in known
        )
    return {letters: factor for letters, factor in found.items() if factor}


def _guesses(
    equations: Mapping[_Equation, int], known: Mapping[str, int], letters: Mapping[str, Size], model: Model
) -> tuple[str, tuple[int, ...]]:
    """Return the letter that the most equations of several unknown ones have, and what it may be."""
    shares: dict[str, list[int]] = {}
    for terms, size in equations:
        rest = _reduced(terms, known)
        constant = rest.pop((), 0)
        there = set(chain.from_iterable(rest))
        for letter in (each for each in letters if each in there):  # in one order, so that one guess is made
            shares.setdefault(letter, []).append(size - constant if all(letter in each for each in rest) else 0)
    if not shares:
        return "", ()
    letter = max(shares, key=lambda each: len(set(shares[each])))
    whole, default = gcd(*shares[letter]), model.sizes[letters[letter].name]
    first = (default, *WIDTHS) if isinstance(default, int) and default > 0 else WIDTHS
    divisors = [n for n in range(1, min(whole, MOST_TRIED) + 1) if whole % n == 0]
    return letter, tuple(dict.fromkeys(n for n in (*first, *divisors) if whole % n == 0))[:MOST_GUESSES]
