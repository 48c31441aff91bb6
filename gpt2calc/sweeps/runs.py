"""A sweep that is ready to run: what is asked of a grid or of a file, checked, and its columns chunk by chunk.

Nothing is computed before everything that was asked for is known to be right, and every count to fit.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import numbers
from gpt2calc.errors import ConfigError, shown
from gpt2calc.formulas import total
from gpt2calc.sweeps import conditions, grids, running, tasks
from gpt2calc.sweeps.columns import COLUMNS, SHARE, WORD, find
from gpt2calc.sweeps.models import joined
from gpt2calc.sweeps.ranking import Best
from gpt2calc.sweeps.tasks import Plan, Prepared, named

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gpt2calc.dims import Dims
    from gpt2calc.sources import LeftOut, Model
    from gpt2calc.sweeps.columns import Column
    from gpt2calc.sweeps.parts import Int64Array
    from gpt2calc.sweeps.tasks import Chunk

    Columns = dict[str, Any]
    Progress = Callable[[int], None]

ALL = "all"
"""The word for every column that says anything of the models."""

MOST_SORTED = 2**25
"""How many rows can be sorted where not the first few are asked for: their keys take half a gigabyte."""

SLICE = 2**16
"""How many rows that were sorted are given out at once."""


class Order(NamedTuple):
    """What rows are sorted by, and how many of the first are wanted."""

    key: str | None = None
    descending: bool = False
    top: int | None = None


def order(sort: str | None, top: int | None) -> Order:
    """Read what rows are sorted by, COLUMN, COLUMN:asc or COLUMN:desc; the first few are those of the largest total.

    Raises:
        ConfigError: the direction is neither, or the number of rows is too small.
        UnknownNameError: there is no such column.

    >>> order("n_layer", None), order(None, 10)
    (Order(key='n_layer', descending=False, top=None), Order(key='total', descending=True, top=10))
    """
    top = None if top is None else numbers.read("top", top)
    if sort is None:
        return Order() if top is None else Order("total", True, top)
    if not isinstance(sort, str):
        raise ConfigError(f"sort takes a column such as total:desc, got {shown(sort)}", field="sort", got=sort)
    name, _, direction = sort.partition(":")
    if direction not in ("", "asc", "desc"):
        raise ConfigError(
            f"a column is sorted asc or desc, got {shown(direction)} after {name}:", field="sort", got=sort
        )
    column = find(name)
    if column.kind == WORD:
        raise ConfigError(f"{column.name} is a word, and rows are sorted by numbers", field="sort", got=sort)
    return Order(column.name, direction == "desc", top)


class Run:
    """What a grid and a file have in common: the columns, the order, and how many rows were left out."""

    name: str
    notes: tuple[str, ...]
    length: int | None
    """How many rows there are to look at, None where that shows only at the end."""
    fields: tuple[str, ...]
    """The columns that tell the models apart."""
    every: tuple[str, ...]
    """All columns that say anything."""
    shares: tuple[str, ...]
    """The shares of groups that come to a hundredth anywhere."""

    def __init__(self, where: str | None, ordered: Order) -> None:
        self.where, self.ordered = where, ordered
        self.condition = None if where is None else conditions.read(where)
        self.columns: tuple[str, ...] = ()
        self.left_out = 0

    def select(self, columns: Iterable[str] | str | None) -> None:
        """Choose the columns: by name, all, or for None those that fit a screen.

        Raises:
            UnknownNameError, ConfigError: there is no such column, or none at all.
        """
        if isinstance(columns, str):
            columns = self.every if columns.strip() == ALL else [word.strip() for word in columns.split(",")]
        if columns is None:
            columns = (*(self.fields or ("n_layer", "n_embd")), "total", *self.shares)
        if not isinstance(columns, Iterable):
            raise ConfigError(f"columns takes names of columns, got {shown(columns)}", field="columns", got=columns)
        self.columns = tuple(dict.fromkeys(find(name).name for name in columns))
        if not self.columns:
            raise ConfigError("columns are empty: name one, or leave them out")

    def chunks(self, executor: Any = None, progress: Progress | None = None) -> Iterator[Columns]:
        """Yield the columns of the rows that are wanted, in order, some thousands of rows at a time."""
        raise NotImplementedError

    def head(self, most: int, executor: Any = None, progress: Progress | None = None) -> tuple[Columns, int]:
        """Return the columns of the first rows, and how many rows there are in all; the others are only counted."""
        raise NotImplementedError

    @property
    def remarks(self) -> tuple[str, ...]:
        """The notes, and what was left out while it ran."""
        if not self.left_out:
            return self.notes
        return (*self.notes, f"left out {self.left_out:,} of the rows, in which n_head does not divide n_embd")


def shares(every: Iterable[str], models: Iterable[Dims]) -> tuple[str, ...]:
    """Return the shares of groups that come to a hundredth in one of these models.

    >>> from gpt2calc.presets import load
    >>> shares(("mlp_share", "layer_norm_share", "weights_share"), [load("gpt2").dims])
    ('mlp_share',)
    """
    found = (name for name in every if COLUMNS[name].kind == SHARE and name not in ("weights_share", "biases_share"))
    return tuple(name for name in found if any(_reaches(COLUMNS[COLUMNS[name].part], dims) for dims in models))


def _reaches(part: Column, dims: Dims) -> bool:
    return part.measure is not None and 100 * part.measure(dims) >= total(dims)


class GridRun(Run):
    """A sweep over a grid."""

    def __init__(self, model: Model | LeftOut, fields: Mapping[str, Any], where: str | None, ordered: Order) -> None:
        super().__init__(where, ordered)
        self.grid, self.notes = grids.read(model, fields)
        self.name, self.length = self.grid.name, self.grid.length
        self.fields = self.grid.swept
        self.every = grids.everything(self.grid)
        models = [dims for piece in grids.pieces(self.grid) for dims in (piece.least(), piece.most())]
        self.shares = shares(self.every, models)

    def select(self, columns: Iterable[str] | str | None) -> None:
        """Choose the columns, and see that every count that is needed fits.

        Raises:
            UnknownNameError, ConfigError, Int64OverflowError: as `Run.select` and `Prepared.check`.
        """
        super().select(columns)
        if "n_head" in named(self.plan, self.condition) and not self.grid.has_heads:
            raise ConfigError("there is no column n_head: give n_head, since no count depends on it")
        if self.ordered.key and self.ordered.top is None and not self.is_filtered:
            refuse_many(self.length or 0)
        Prepared(self.plan).check()

    @property
    def is_filtered(self) -> bool:
        """Whether some rows may not be wanted, so that only looking at them all shows how many are."""
        return self.where is not None or self.grid.has_heads

    @property
    def plan(self) -> Plan:
        """What is sent to workers."""
        return Plan(self.grid, self.columns, self.where, *self.ordered)

    def chunks(self, executor: Any = None, progress: Progress | None = None) -> Iterator[Columns]:
        """Yield the columns of the rows that are wanted, in order, some thousands of rows at a time."""
        plan = self.plan
        if plan.key is None:
            for chunk in self._results(plan, executor, progress):
                yield chunk.columns
            return
        rows, ready = self._ranked(executor, progress), Prepared(plan)
        for start in range(0, max(1, len(rows)), SLICE):
            yield ready.at(rows[start : start + SLICE])

    def _ranked(self, executor: Any, progress: Progress | None) -> Int64Array:
        """Return the numbers of the rows that are wanted, in order."""
        plan = self.plan
        best = Best(plan.descending, plan.top)
        for chunk in self._results(plan, executor, progress):
            best.merge(chunk.rows, chunk.keys)
            refuse_many(best.count)
        return best.taken()[0]

    def head(self, most: int, executor: Any = None, progress: Progress | None = None) -> tuple[Columns, int]:
        """Return the columns of the first rows, and how many rows there are in all; the others are only counted."""
        plan = self.plan
        if plan.key is not None:
            rows = self._ranked(executor, progress)
            return Prepared(plan).at(rows[:most]), len(rows)
        parts, count, seen = [], 0, 0
        step = None if self.is_filtered else most
        for chunk in self._results(plan, executor, progress, step=step):
            parts.append({name: values[: most - count] for name, values in chunk.columns.items()})
            count, seen = count + len(chunk.rows), chunk.stop
            if count >= most:
                break
        if not self.is_filtered:
            return joined(parts, self.columns), self.length or 0
        for chunk in self._results(plan._replace(columns=()), executor, progress, start=seen):
            count += len(chunk.rows)
        return joined(parts, self.columns), count

    def _results(
        self, plan: Plan, executor: Any, progress: Progress | None, *, start: int = 0, step: int | None = None
    ) -> Iterator[Chunk]:
        ranges = running.ranges(start, self.length or 0, step or plan.rows_at_once)
        try:
            for chunk in running.in_order(tasks.run, plan, ranges, executor):
                self.left_out += chunk.left_out
                if progress:
                    progress(chunk.stop - chunk.start)
                yield chunk
        finally:
            tasks.forget()


def refuse_many(count: int) -> None:
    """Raise where more rows would be sorted than memory is kept for.

    Raises:
        ConfigError: there are more.
    """
    if count > MOST_SORTED:
        raise ConfigError(f"more than {MOST_SORTED:,} rows would have to be sorted: give top, or a narrower condition")
