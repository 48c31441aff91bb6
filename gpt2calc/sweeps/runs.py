"""A sweep that is ready to run: what is asked, checked, and its columns chunk by chunk, or as a `Sweep` in memory.

Nothing of a grid is computed before everything that was asked for is known to be right, and every count to fit.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import partial
from itertools import chain, islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gpt2calc import numbers
from gpt2calc.errors import ConfigError, shown
from gpt2calc.sweeps import grids, running, tasks
from gpt2calc.sweeps.columns import SHARE, WORD, find, measured
from gpt2calc.sweeps.grids import Grid
from gpt2calc.sweeps.models import empty, joined
from gpt2calc.sweeps.ranking import Best
from gpt2calc.sweeps.report import Sweep
from gpt2calc.sweeps.tasks import Plan, Prepared

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gpt2calc.sweeps.tasks import Chunk, Source

    Columns = dict[str, Any]
    Progress = Callable[[int], None]

ALL = "all"
"""The word for every column that says anything of the models."""

MOST_SORTED = 2**25
"""How many rows can be sorted where not the first few are asked for: their keys take half a gigabyte."""

MOST_LARGEST = 64
"""How many rows are counted beforehand, to see that what is largest fits."""

SLICE, STEP = 2**16, 2**22
"""How many rows that were sorted are given out at once, and how many are computed between two looks at the progress."""


class Order(NamedTuple):
    """What rows are sorted by, and how many of the first are wanted."""

    key: str | None = None
    descending: bool = False
    top: int | None = None


class Run:
    """What is swept, which columns of it are wanted, of which rows and in what order."""

    def __init__(self, source: Grid | Source, notes: tuple[str, ...], where: str | None) -> None:
        self.source, self.notes, self.where = source, notes, where
        self.table = source.table
        self.name, self.length = source.name, source.length
        self.every = source.everything()
        self.ordered, self.columns = Order(), tuple[str, ...]()
        self.left_out, self.why = 0, ""

    def order(self, sort: str | None, top: int | None) -> None:
        """Read what rows are sorted by, COLUMN, COLUMN:asc or COLUMN:desc; the first few are of the largest total.

        Raises:
            ConfigError: the direction is neither, or the number of rows is too small.
            UnknownNameError: there is no such column.
        """
        top = None if top is None else numbers.read("top", top)
        if sort is None:
            self.ordered = Order() if top is None else Order("total", True, top)
            return
        if not isinstance(sort, str):
            raise ConfigError(f"sort takes a column such as total:desc, got {shown(sort)}", field="sort", got=sort)
        name, _, direction = sort.partition(":")
        if direction not in ("", "asc", "desc"):
            problem = f"a column is sorted asc or desc, got {shown(direction)} after {name}:"
            raise ConfigError(problem, field="sort", got=sort)
        column = find(name, self.table, self.source.spellings)
        if column.kind == WORD:
            raise ConfigError(f"{column.name} is a word, and rows are sorted by numbers", field="sort", got=sort)
        self.ordered = Order(column.name, direction == "desc", top)

    def select(self, columns: Iterable[str] | str | None) -> None:
        """Choose the columns, all of them, or for None those that fit a screen, and see that every count fits.

        Raises:
            UnknownNameError, ConfigError, Int64OverflowError: there is no such column, or a count would not fit.
        """
        if isinstance(columns, str):
            columns = self.every if columns.strip() == ALL else [word.strip() for word in columns.split(",")]
        if columns is None:
            columns = (*(self.source.swept or self.every[:2]), "total", *self._shares())
        if not isinstance(columns, Iterable):
            raise ConfigError(f"columns takes names of columns, got {shown(columns)}", field="columns", got=columns)
        self.columns = tuple(dict.fromkeys(find(name, self.table, self.source.spellings).name for name in columns))
        if not self.columns:
            raise ConfigError("columns are empty: name one, or leave them out")
        ready = Prepared(self.plan)
        if not isinstance(self.source, Grid):
            self._count_largest(self.source)
            return
        if "n_head" in ready.needed and not self.source.has_heads:
            raise ConfigError("there is no column n_head: give n_head, since no count depends on it")
        if self.ordered.key and self.ordered.top is None and not self.is_filtered:
            _refuse_many(self.length or 0)
        counts = dict.fromkeys(chain.from_iterable(map(measured, ready.needed)))
        for piece in ready.pieces:
            grids.refuse_overflow(piece, counts)
            if ready.condition:
                ready.condition.check(partial(grids.bounds, piece))

    def _count_largest(self, source: Source) -> None:
        """Count the largest rows of a grid, and the last, so that what does not fit is told before the others."""
        if self.length:
            for row in (*islice(source.largest(), MOST_LARGEST), self.length - 1):
                tasks.run(self.plan, row, row + 1)

    def _shares(self) -> tuple[str, ...]:
        """Return the shares of groups that come to a hundredth in one of the models."""
        shares = (self.table[name] for name in self.every if self.table[name].kind == SHARE)
        named = {column.name: self.table[column.part].measure for column in shares}
        named = {name: measure for name, measure in named.items() if name not in ("weights_share", "biases_share")}
        total, samples = self.table["total"].measure, self.source.samples()
        return tuple(
            name for name, part in named.items() if part and total and any(100 * part(x) >= total(x) for x in samples)
        )

    @property
    def is_filtered(self) -> bool:
        """Whether some rows may not be wanted, so that only looking at them all shows how many are."""
        return self.where is not None or not isinstance(self.source, Grid) or self.source.has_heads

    @property
    def plan(self) -> Plan:
        """What is sent to workers."""
        return Plan(self.source, self.columns, self.where, *self.ordered)

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes, and what was left out while it ran."""
        return (*self.notes, f"left out {self.left_out:,} of the rows, {self.why}") if self.left_out else self.notes

    def chunks(self, executor: Any = None, progress: Progress | None = None) -> Iterator[Columns]:
        """Yield the columns of the rows that are wanted, in order, some thousands of rows at a time, once at least."""
        plan, best = self.plan, Best(self.ordered.descending, self.ordered.top)
        none = {name: empty(self.table[name]) for name in self.columns}
        is_empty = True
        for chunk in self._results(plan, executor, progress):
            if plan.key is None:
                is_empty = False
                yield chunk.columns
            else:
                best.merge(chunk.rows, chunk.keys, chunk.columns)
                _refuse_many(best.count)
        if plan.key is not None and isinstance(self.source, Grid):
            rows, ready = best.taken()[0], Prepared(plan)
            for start in range(0, max(1, len(rows)), SLICE):
                yield ready.at(rows[start : start + SLICE])
        elif is_empty:
            yield best.taken()[2] or none

    def head(self, most: int, executor: Any = None, progress: Progress | None = None) -> tuple[Columns, int]:
        """Return the columns of the first rows, and how many rows there are in all; the others are only counted."""
        parts, count, seen = [], 0, 0
        if self.ordered.key is not None:
            for columns in self.chunks(executor, progress):
                parts.append({name: values[: max(0, most - count)] for name, values in columns.items()})
                count += len(next(iter(columns.values())))
            return joined(parts), count
        plan, is_all = self.plan, not self.is_filtered
        parts.append({name: empty(self.table[name]) for name in self.columns})
        for chunk in self._results(plan, executor, progress, step=most if is_all else None):
            parts.append({name: values[: most - count] for name, values in chunk.columns.items()})
            count, seen = count + len(chunk.rows), chunk.stop
            if count >= most and isinstance(self.source, Grid):
                break
        if is_all:
            return joined(parts[1:]), self.length or 0
        if not isinstance(self.source, Grid):
            return joined(parts[1:] or parts), count
        for chunk in self._results(plan._replace(columns=()), executor, progress, start=seen):
            count += len(chunk.rows)
        return joined(parts[1:] or parts), count

    def _results(
        self, plan: Plan, executor: Any, progress: Progress | None, *, start: int = 0, step: int | None = None
    ) -> Iterator[Chunk]:
        step = step or plan.rows_at_once
        is_late = start and self.length is not None
        ranges = running.ranges(start, self.length or 0, step) if is_late else self.source.ranges(step)
        try:
            for chunk in running.in_order(tasks.run, plan, ranges, executor):
                self.left_out, self.why = self.left_out + chunk.left_out, self.why or chunk.why
                if progress:
                    progress(chunk.stop - chunk.start)
                yield chunk
        finally:
            tasks.forget()

    def result(self, columns: Columns, count: int | None = None) -> Sweep:
        """Return columns with what was asked for beside them."""
        key, descending, top = self.ordered
        asked = {"where": self.where, "sort": key and f"{key}:{'desc' if descending else 'asc'}", "top": top}
        return Sweep(columns, model=self.name, request=asked, notes=self.remarks, count=count)

    def all(self, executor: Any = None, progress: Progress | None = None) -> Sweep:
        """Compute all of it, and return it in memory.

        Raises:
            ConfigError: it would not fit there.
        """
        if not self.is_filtered and self.ordered.key is None:
            return self.result(self._placed(executor, progress))
        parts, count, room = [], 0, memory()
        for part in self.chunks(executor, progress):
            parts.append(part)
            count += len(next(iter(part.values())))
            _refuse_large(count, self.columns, room // 2)
        return self.result(joined(parts))

    def _placed(self, executor: Any, progress: Progress | None) -> Columns:
        """Compute every row of a grid straight into its place."""
        length = self.length or 0
        _refuse_large(length, self.columns, memory())
        columns = {name: np.empty(length, dtype=empty(self.table[name]).dtype) for name in self.columns}
        if executor is not None:
            for chunk in self._results(self.plan, executor, progress):
                for name, values in chunk.columns.items():
                    columns[name][chunk.start : chunk.stop] = values
            return columns
        ready = Prepared(self.plan)
        for index, first in enumerate(ready.starts[:-1]):
            models = ready.piece(index)
            for position, end in running.ranges(0, models.length, STEP):
                for name, values in columns.items():
                    models.into(name, position, values[first + position : first + end])
                if progress:
                    progress(end - position)
        return columns


def _refuse_many(count: int) -> None:
    """Raise where more rows would be sorted than memory is kept for."""
    if count > MOST_SORTED:
        raise ConfigError(f"more than {MOST_SORTED:,} rows would have to be sorted: give top, or a narrower condition")


def _refuse_large(rows: int, columns: tuple[str, ...], room: int) -> None:
    if (size := 8 * rows * len(columns)) > room:
        raise ConfigError(
            f"{rows:,} rows of {len(columns)} columns take {size / 2**30:,.1f} GiB, and {room / 2**30:,.1f} GiB may be "
            "used here: name fewer columns, give where or top, or take the rows chunk by chunk"
        )


def memory() -> int:
    """Return how many bytes of memory this machine has, 16 GiB where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 2**34
