"""A sweep as tasks: a plan, and ranges of its rows, each of which gives the same answer wherever it is run.

A task first finds the rows that are wanted, by the columns that the condition names, and then computes the others for
these. A sweep that is sorted takes only numbers and keys of rows from a task.
"""

from __future__ import annotations

import threading
from functools import partial
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from gpt2calc.sweeps import conditions, grids
from gpt2calc.sweeps.columns import measured
from gpt2calc.sweeps.models import PieceModels, empty, joined, spread
from gpt2calc.sweeps.ranking import Best

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.sweeps.conditions import Condition
    from gpt2calc.sweeps.grids import Grid
    from gpt2calc.sweeps.models import Models
    from gpt2calc.sweeps.parts import Int64Array

DENSE = 8
"""Where more than one row in so many is wanted, a column is computed for all and picked from."""

ROWS, BYTES = 2**22, 2**25
"""A task has at most so many rows, and at most so many bytes of columns to give back."""


class Plan(NamedTuple):
    """What is wanted of a grid: columns of the rows for which a condition holds, or the keys that order them."""

    grid: Grid
    columns: tuple[str, ...]
    where: str | None = None
    key: str | None = None
    descending: bool = False
    top: int | None = None

    @property
    def rows_at_once(self) -> int:
        """How many rows a task has."""
        return ROWS if self.key else max(2**10, min(ROWS, BYTES // (8 * max(1, len(self.columns)))))


class Chunk(NamedTuple):
    """What a task gives: which rows it looked at, the numbers of those that are wanted, and their columns or keys."""

    start: int
    stop: int
    rows: Int64Array
    columns: dict[str, Any]
    keys: Any
    left_out: int
    """Rows that are no models, since n_head does not divide n_embd."""


class Prepared:
    """A plan with what is computed once, for one thread, since it holds room for numbers that is used again.

    Only the piece that was used last is kept, so that many pieces take no more room than one.
    """

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self.condition = None if plan.where is None else conditions.read(plan.where)
        self.pieces = grids.pieces(plan.grid)
        self.starts = [0, *accumulate(piece.length for piece in self.pieces)]
        self._last: tuple[int, PieceModels] | None = None

    def models(self, index: int) -> PieceModels:
        """Return the models of a piece."""
        if self._last is None or self._last[0] != index:
            self._last = index, PieceModels(self.pieces[index])
        return self._last[1]

    def check(self) -> None:
        """Raise where any count that is needed does not fit in int64, or the condition could leave it.

        Raises:
            Int64OverflowError, ConfigError: as `grids.refuse_overflow` and `Condition.check`.
        """
        counts = dict.fromkeys(count for name in named(self.plan, self.condition) for count in measured(name))
        for piece in self.pieces:
            grids.refuse_overflow(piece, counts)
            if self.condition:
                self.condition.check(partial(grids.bounds, piece))

    def parts(self, start: int, stop: int) -> Iterator[tuple[PieceModels, int, int, int]]:
        """Yield the pieces that a range of rows lies in, each with its first row and the range within it."""
        for index, (begin, end) in enumerate(pairwise(self.starts)):
            first, last = max(start, begin), min(stop, end)
            if first < last:
                yield self.models(index), begin, first - begin, last - begin

    def at(self, rows: Int64Array) -> dict[str, Any]:
        """Return the columns of single rows, in the order in which they are given."""
        owner = np.searchsorted(self.starts, rows, side="right") - 1
        found = {name: np.empty(len(rows), dtype=empty(name).dtype) for name in self.plan.columns}
        for index in np.unique(owner).tolist():
            chosen = owner == index
            for name, values in found.items():
                values[chosen] = self.models(index).at(name, rows[chosen] - self.starts[index])
        return found


_prepared = threading.local()


def prepared(plan: Plan) -> Prepared:
    """Return the prepared plan of this thread, the same for every task of one sweep."""
    found: Prepared | None = getattr(_prepared, "last", None)
    if found is None or found.plan != plan:
        found = _prepared.last = Prepared(plan)
    return found


def forget() -> None:
    """Let go of what this thread has kept for the sweep that it worked on."""
    _prepared.last = None


class Asked(Protocol):
    """What names columns: a plan."""

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that are wanted."""

    @property
    def key(self) -> str | None:
        """The column that orders the rows."""


def named(plan: Asked, condition: Condition | None) -> tuple[str, ...]:
    """Return every column that has a part in a sweep: those wanted, those of the condition, and the key."""
    return (*plan.columns, *(condition.columns if condition else ()), *([plan.key] if plan.key else []))


def run(plan: Plan, start: int, stop: int) -> Chunk:
    """Run one task: look at the rows of a range, and return what is wanted of them."""
    ready = prepared(plan)
    best = Best(plan.descending, plan.top)
    rows, columns, left_out, has_heads = [], [], 0, plan.grid.has_heads
    for models, offset, first, last in ready.parts(start, stop):
        if not ready.condition and not has_heads and not plan.key:
            rows.append(np.arange(offset + first, offset + last, dtype=np.int64))
            columns.append({name: _whole(models, name, first, last) for name in plan.columns})
            continue
        for begin in range(first, last, models.block):
            end = min(begin + models.block, last)
            found, missed = wanted(models, begin, end, ready.condition, has_heads=has_heads)
            left_out += missed
            if plan.key:
                best.offer(found + (offset + begin), _picked(models, plan.key, begin, end, found))
            elif len(found):
                rows.append(found + (offset + begin))
                columns.append({name: _picked(models, name, begin, end, found) for name in plan.columns})
    if plan.key:
        return Chunk(start, stop, *best.taken(), left_out)
    whole = np.concatenate(rows) if rows else np.empty(0, dtype=np.int64)
    return Chunk(start, stop, whole, joined(columns, plan.columns), None, left_out)


def wanted(
    models: Models, start: int, stop: int, condition: Condition | None, *, has_heads: bool
) -> tuple[Int64Array, int]:
    """Return which rows of a range are wanted, counted from its start, and how many are no models."""
    length, missed = stop - start, 0
    holds = np.ones(length, dtype=bool)
    if has_heads:
        divides = models.range("n_embd", start, stop) % models.range("n_head", start, stop) == 0
        holds = np.broadcast_to(np.asarray(divides), (length,))
        missed = length - int(np.count_nonzero(holds))
    if condition:
        values = {name: models.range(name, start, stop) for name in condition.columns}
        holds = condition.holds(values, (length,)) & holds if missed else condition.holds(values, (length,))
    return np.flatnonzero(holds), missed


def _whole(models: PieceModels, name: str, start: int, stop: int) -> Any:
    constant = models.constant(name)
    if constant is not None:
        return spread(constant, stop - start)
    out = np.empty(stop - start, dtype=empty(name).dtype)
    models.into(name, start, out)
    return out


def _picked(models: Models, name: str, start: int, stop: int, found: Int64Array) -> Any:
    """Return a column for some rows of a range, computed for all of it where most are wanted."""
    if len(found) * DENSE < stop - start:
        return spread(models.at(name, found + start), len(found))
    values = models.range(name, start, stop)
    if not isinstance(values, np.ndarray):
        return spread(values, len(found))
    return values.copy() if len(found) == len(values) else values[found]
