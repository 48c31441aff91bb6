"""Walk the lattice for one model: every composition of steps within a budget of penalties, each with its exact number.

The search is generic: it knows that steps compose and that a value can be stored in so many bits, and no way of
counting by name. Of other architectures than GPT-2 the steps are those of `general_conventions`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from math import gcd
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.algebra import Expression
from gpt2calc.dims import LETTERS, Dims, letters
from gpt2calc.explanation import lattice
from gpt2calc.explanation.printed import KNOWN, WRITTEN
from gpt2calc.figures import BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from gpt2calc.explanation.additions import Addition
    from gpt2calc.explanation.lattice import Step
    from gpt2calc.model import Model


class Way(NamedTuple):
    """One composition of steps, and what it gives for a model.

    Args:
        value: the number of parameters, elements or bytes.
        penalty: the sum of the steps' penalties.
        steps: what is done besides counting the plain way, in order.
        order: its number among the model's compositions, in the order of the lattice.
        also: other compositions that give the same number, by name.
        tensors: how many tensors a file of it holds; 0 where it is no file.
    """

    value: int
    penalty: int
    steps: tuple[Step, ...]
    order: int = 0
    also: tuple[str, ...] = ()
    tensors: int = 0

    @property
    def name(self) -> str:
        """The steps by name."""
        names = (f"{' - ' if step.minus else ' + '}{step.name}" for step in self.steps)
        return "".join(names)[3:]


class Ways:
    """Everything that a model can be said to have, as parameters and as bytes, within a budget of penalties.

    >>> from gpt2calc.figures import COUNT
    >>> from gpt2calc.presets import load
    >>> ways = Ways(load("gpt2").dims, lattice.axes(()), 4)
    >>> [(way.value, way.name) for way in ways.between(COUNT, 137_000_000, 137_023_000)]
    [(137022720, 'stored_with_masks')]
    """

    def __init__(
        self,
        model: Dims | Model,
        axes: tuple[tuple[Step, ...], ...],
        budget: int,
        added: Iterable[Addition] = (),
    ) -> None:
        counted = _counted(model, axes, budget) if isinstance(model, Dims) else _counted_otherwise(model, budget)
        self._counted = list(counted)
        self._added = list(added)
        self._budget = budget
        self._sorted: dict[str, tuple[list[int], list[Way]]] = {}

    def _of(self, kind: str) -> tuple[list[int], list[Way]]:
        """Return the numbers of a kind, sorted, with their ways; they are made when they are first asked for."""
        if kind not in self._sorted:
            ways = _distinct(self._made(kind))
            self._sorted[kind] = ([way.value for way in ways], ways)
        return self._sorted[kind]

    def _made(self, kind: str) -> Iterator[Way]:
        if kind == BYTES:
            yield from _stored(self._counted, self._budget)
            return
        if kind != WRITTEN:
            yield from _elements(self._counted)
        for order, each in enumerate(self._added, len(self._counted)):
            if each.written == (kind == WRITTEN):
                yield Way(each.value, each.penalty, each.steps, order)

    def between(self, kind: str, least: int, most: int) -> list[Way]:
        """Return the ways whose number is between two bounds, both included, smallest first."""
        values, ways = self._of(kind)
        return ways[bisect_left(values, least) : bisect_right(values, most)]

    def most_tensors(self, kind: str) -> int:
        """Return how many tensors a file of one of the numbers of a kind holds at most."""
        return max((way.tensors for way in self._of(kind)[1]), default=0)

    def usual(self, kind: str, penalty: int) -> list[Way]:
        """Return the ways up to a penalty."""
        return [way for way in self._of(kind)[1] if way.penalty <= penalty]

    def size(self, kind: str) -> int:
        """Return how many different numbers there are."""
        return len(self._of(kind)[0])


class _Counted(NamedTuple):
    """A composition of steps without a dtype: its elements, those of one byte, and the tensors of a file of it."""

    steps: tuple[Step, ...]
    penalty: int
    elements: int
    one_byte: int
    tensors: int


_compiled: dict[tuple[Callable[[Dims], int], tuple[int, ...]], Callable[..., int]] = {}


def _evaluate(value: Callable[[Dims], int], dims: Dims) -> int:
    """Evaluate a part of a model through its expression, which is made once for each structure."""
    key = (value, dims.structure)
    if key not in _compiled:
        _compiled[key] = Expression.of(value(letters(dims.structure))).compiled(LETTERS.values())
    return _compiled[key](*dims.sizes)


def _variants(
    dims: Dims, axes: tuple[tuple[Step, ...], ...], budget: int
) -> Iterator[tuple[Dims, tuple[Step, ...], int]]:
    """Yield the model, and every other that is counted in its place, at most one step of each axis away."""
    if not axes:
        yield dims, (), 0
        return
    yield from _variants(dims, axes[1:], budget)
    for step in axes[0]:
        changed = step.change(dims) if step.change and step.penalty <= budget else dims
        # A step that changes nothing is none: to untie a model that is untied would give its plain count a penalty.
        if changed != dims:
            for found, steps, penalty in _variants(changed, axes[1:], budget - step.penalty):
                yield found, (step, *steps), penalty + step.penalty


def _counted(dims: Dims, axes: tuple[tuple[Step, ...], ...], budget: int) -> Iterator[_Counted]:
    for changed, steps, penalty in _variants(dims, axes, budget):
        for part in (lattice.PLAIN, *lattice.PARTS):
            if penalty + part.penalty <= budget:
                counts = (_evaluate(of, changed) if of else 0 for of in (part.value, part.one_byte, part.tensors))
                yield _Counted(steps if part is lattice.PLAIN else (*steps, part), penalty + part.penalty, *counts)


def _counted_otherwise(model: Model, budget: int) -> Iterator[_Counted]:
    """Yield the compositions for a model of another architecture: its head, and which of its parts are counted."""
    for changed, steps, penalty in _heads(model):
        for part in lattice.parts_of(changed):
            if penalty + part.penalty <= budget:
                elements = part.value(changed) if part.value else 0
                tensors = 0 if part.name else changed.size()
                yield _Counted(steps if not part.name else (*steps, part), penalty + part.penalty, elements, 0, tensors)


def _heads(model: Model) -> Iterator[tuple[Model, tuple[Step, ...], int]]:
    """Yield the model, and those that are its body alone, or have a head that is tied where its own is not."""
    yield model, (), 0
    for step in lattice.heads_of(model):
        if step.change:
            yield step.change(model), (step,), step.penalty


def _elements(counted: list[_Counted]) -> Iterator[Way]:
    for order, each in enumerate(counted):
        if each.elements and not each.one_byte:
            yield Way(each.elements, each.penalty, each.steps, order)


def _stored(counted: list[_Counted], budget: int) -> Iterator[Way]:
    for dtype, bits in lattice.DTYPES:
        common = gcd(bits, 8)
        for order, each in enumerate(counted):
            penalty = each.penalty + dtype.penalty
            if each.elements and penalty <= budget:
                # The negative is rounded down, so that bytes are rounded up, in integers of any size.
                stored = -(-(bits // common) * each.elements // (8 // common)) + each.one_byte
                yield Way(stored, penalty, (*each.steps, dtype), order, tensors=each.tensors)


def _distinct(ways: Iterator[Way]) -> list[Way]:
    """Return one way for each number above 0, the one of the fewest steps, sorted by number."""
    found: dict[int, list[Way]] = {}
    for way in ways:
        found.setdefault(way.value, []).append(way)
    chosen = []
    for _, alike in sorted(found.items()):
        if len(alike) == 1:
            chosen.append(alike[0])
            continue
        best = min(alike, key=lambda way: (way.penalty, len(way.steps)))  # of equals the first
        others = (way.name for way in alike if way is not best and way.penalty <= best.penalty + KNOWN)
        chosen.append(best._replace(also=tuple(dict.fromkeys(others))))
    return chosen
