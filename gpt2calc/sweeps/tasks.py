"""A sweep as tasks: a plan, and ranges of its rows, each of which gives the same answer wherever it is run.

A task first finds the rows that are wanted, by the columns that the condition names, and then computes the others for
these. A sorted grid takes only numbers and keys of rows from a task: any row of it can be computed again.
"""

from __future__ import annotations

import threading
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import numpy as np

from gpt2calc.sweeps import conditions
from gpt2calc.sweeps.grids import Grid, pieces
from gpt2calc.sweeps.models import PieceModels, Rows, empty, joined
from gpt2calc.sweeps.ranking import Best

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gpt2calc.sweeps.columns import Column
    from gpt2calc.sweeps.evaluation import Int64Array
    from gpt2calc.sweeps.models import Models

ROWS, BYTES = 2**22, 2**25
"""A task has at most so many rows, and at most so many bytes of columns to give back."""


class Source(Protocol):
    """What is swept beside a grid of GPT-2s: rows of which each is a model by itself."""

    @property
    def name(self) -> str:
        """What is printed above it."""

    @property
    def length(self) -> int | None:
        """How many rows there are, where that is known beforehand."""

    @property
    def swept(self) -> tuple[str, ...]:
        """The fields that tell rows apart."""

    @property
    def table(self) -> Mapping[str, Column]:
        """The columns that there can be."""

    @property
    def spellings(self) -> Mapping[str, str]:
        """The name of each field, by any of its spellings."""

    def samples(self) -> list[Any]:
        """Return models of which one has what any has."""

    def everything(self) -> tuple[str, ...]:
        """Return the columns that say anything."""

    def largest(self) -> Iterator[int]:
        """Yield the rows that are likely to be the largest, where that is known beforehand."""

    def ranges(self, step: int) -> Iterator[tuple[Any, ...]]:
        """Yield ranges of rows, with what a task needs to know of each."""

    def models(self, start: int, stop: int, *given: Any, needed: tuple[str, ...]) -> Rows:
        """Return the models of a range, of which the columns that are needed fit in int64."""


class Plan(NamedTuple):
    """What is wanted of a source: columns of the rows for which a condition holds, or the keys that order them."""

    source: Grid | Source
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
    """Rows that are no models."""
    why: str
    """What is the matter with these."""


class Prepared:
    """A plan with what is computed once, for one thread; of a grid, only the piece that was used last is kept."""

    def __init__(self, plan: Plan) -> None:
        self.plan, self.source, self.table = plan, plan.source, plan.source.table
        self.condition = (
            conditions.read(plan.where, self.table, plan.source.spellings) if plan.where is not None else None
        )
        self.pieces = pieces(self.source) if isinstance(self.source, Grid) else ()
        self.starts = [0, *accumulate(piece.length for piece in self.pieces)]
        self._last: tuple[int, PieceModels] | None = None

    @property
    def needed(self) -> tuple[str, ...]:
        """Every column that has a part in the sweep: those wanted, those of the condition, and the key."""
        plan, condition = self.plan, self.condition
        return (*plan.columns, *(condition.columns if condition else ()), *([plan.key] if plan.key else []))

    def piece(self, index: int) -> PieceModels:
        """Return the models of a piece."""
        if self._last is None or self._last[0] != index:
            self._last = index, PieceModels(self.pieces[index])
        return self._last[1]

    def parts(self, start: int, stop: int, *given: Any) -> Iterator[tuple[Models, int, int, int]]:
        """Yield the models that a range of rows lies in, each with its first row and the range within it."""
        if not isinstance(self.source, Grid):
            models = self.source.models(start, stop, *given, needed=self.needed)
            if self.condition and models.length:
                self.condition.check(models.bounds)
            yield models, start, 0, models.length
        for index, (begin, end) in enumerate(pairwise(self.starts)):
            first, last = max(start, begin), min(stop, end)
            if first < last:
                yield self.piece(index), begin, first - begin, last - begin

    def at(self, rows: Int64Array) -> dict[str, Any]:
        """Return the columns of single rows of a grid, in the order in which they are given."""
        owner = np.searchsorted(self.starts, rows, side="right") - 1
        found = {name: np.empty(len(rows), dtype=empty(self.table[name]).dtype) for name in self.plan.columns}
        for index in np.unique(owner).tolist():
            chosen = owner == index
            for name, values in found.items():
                values[chosen] = self.piece(index).at(name, rows[chosen] - self.starts[index])
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


def run(plan: Plan, start: int, stop: int, *given: Any) -> Chunk:
    """Run one task: look at the rows of a range, and return what is wanted of them."""
    ready = prepared(plan)
    best, left_out, why = Best(plan.descending, plan.top), 0, ""
    is_again = plan.key and isinstance(plan.source, Grid)
    parts = [(np.empty(0, dtype=np.int64), {name: empty(ready.table[name]) for name in plan.columns})]
    for models, offset, first, last in ready.parts(start, stop, *given):
        is_filtered = ready.condition or plan.key or models.valid(first, first) is not True
        step = models.block if is_filtered else max(1, last - first)
        for begin in range(first, last, step):
            end = min(begin + step, last)
            holds = np.broadcast_to(np.asarray(models.valid(begin, end)), (end - begin,))
            if missed := end - begin - int(np.count_nonzero(holds)):
                left_out, why = left_out + missed, why or models.why
            if ready.condition:
                values = {name: models.range(name, begin, end) for name in ready.condition.columns}
                holds = ready.condition.holds(values, (end - begin,)) & holds
            chosen = np.flatnonzero(holds)
            columns = {} if is_again else {n: models.picked(n, begin, end, chosen) for n in plan.columns}
            if plan.key:
                best.offer(chosen + (offset + begin), models.picked(plan.key, begin, end, chosen), columns)
            elif len(chosen):
                parts.append((chosen + (offset + begin), columns))
    if plan.key:
        rows, keys, columns = best.taken()
        return Chunk(start, stop, rows, columns, keys, left_out, why)
    parts = parts[1:] or parts
    whole = joined([columns for _, columns in parts])
    return Chunk(start, stop, np.concatenate([rows for rows, _ in parts]), whole, None, left_out, why)
