"""A sweep that is ready to run: what is asked of a grid or of a file, checked, and its columns chunk by chunk.

Nothing is computed before everything that was asked for is known to be right, and every count to fit.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gpt2calc.dims import HEADS, from_fields
from gpt2calc.errors import ConfigError, shown
from gpt2calc.formulas import total
from gpt2calc.sweeps import conditions, grids, rows, running, tasks
from gpt2calc.sweeps.axes import from_python
from gpt2calc.sweeps.columns import COLUMNS, FIELDS, SHARE, SIZES, SWITCHES, WORD, find, is_held
from gpt2calc.sweeps.models import joined
from gpt2calc.sweeps.ranking import MANY, Best
from gpt2calc.sweeps.tasks import Chunk, Plan, Prepared, wanted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gpt2calc.dims import Dims
    from gpt2calc.sources import Model
    from gpt2calc.sweeps.columns import Column
    from gpt2calc.sweeps.parts import Int64Array

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
    if top is not None and (isinstance(top, bool) or not isinstance(top, int) or top < 1):
        raise ConfigError(f"top must be a whole number, 1 or more, got {shown(top)}", field="top", got=top)
    if sort is None:
        return Order() if top is None else Order("total", True, top)
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
        """Choose the columns: by name, all, or for None those that fit a screen."""
        if isinstance(columns, str):
            columns = self.every if columns.strip() == ALL else [word.strip() for word in columns.split(",")]
        if columns is None:
            columns = (*(self.fields or ("n_layer", "n_embd")), "total", *self.shares)
        self.columns = tuple(dict.fromkeys(find(name).name for name in columns))
        if not self.columns:
            raise ConfigError("columns are empty: name one, or leave them out")

    def chunks(self, executor: Any = None, progress: Progress | None = None) -> Iterator[Columns]:
        """Yield the columns of the rows that are wanted, in order, some thousands of rows at a time."""
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
    return tuple(name for name in found if any(_reaches(COLUMNS[COLUMNS[name].part], x) for x in models))


def _reaches(part: Column, x: Dims) -> bool:
    return part.measure is not None and 100 * part.measure(x) >= total(x)


class GridRun(Run):
    """A sweep over a grid."""

    def __init__(self, model: Model | None, fields: Mapping[str, Any], where: str | None, ordered: Order) -> None:
        super().__init__(where, ordered)
        self.grid, self.notes = grids.read(model, fields)
        self.name, self.length = self.grid.name, self.grid.length
        self.fields = self.grid.swept
        self.every = grids.everything(self.grid)
        models = [x for piece in grids.pieces(self.grid) for x in (piece.least(), piece.most())]
        self.shares = shares(self.every, models)

    def select(self, columns: Iterable[str] | str | None) -> None:
        """Choose the columns, and see that every count that is needed fits."""
        super().select(columns)
        has_heads = any(name == "n_head" for name, _ in self.grid.sizes)
        named = (*self.columns, *(self.condition.columns if self.condition else ()), self.ordered.key)
        if "n_head" in named and not has_heads:
            raise ConfigError("there is no column n_head: give n_head, since no count depends on it")
        Prepared(self.plan).check()

    @property
    def plan(self) -> Plan:
        """What is sent to workers."""
        return Plan(self.grid, self.columns, self.where, *self.ordered)

    def chunks(self, executor: Any = None, progress: Progress | None = None) -> Iterator[Columns]:
        """Yield the columns of the rows that are wanted, in order, some thousands of rows at a time."""
        plan = self.plan
        best = Best(plan.descending, plan.top)
        for chunk in self._results(plan, 0, executor, progress):
            if plan.key is None:
                yield chunk.columns
            else:
                best.merge(chunk.rows, chunk.keys)
                _refuse_many(best.count)
        if plan.key is not None:
            ranked, _, _ = best.taken()
            ready = Prepared(plan)
            for start in range(0, max(1, len(ranked)), SLICE):
                yield ready.at(ranked[start : start + SLICE])

    def head(self, most: int, executor: Any = None, progress: Progress | None = None) -> tuple[Columns, int]:
        """Return the columns of the first rows, and how many rows there are in all; the others are only counted."""
        if self.ordered.key:
            parts = list(self.chunks(executor, progress))
            whole = joined(parts, self.columns)
            count = len(next(iter(whole.values())))
            return {name: values[:most] for name, values in whole.items()}, count
        is_known = not self.where and not any(name == "n_head" for name, _ in self.grid.sizes)
        plan, parts, count, seen = self.plan, [], 0, 0
        for chunk in self._results(plan, 0, None, progress, step=max(most, MANY)):
            parts.append({name: values[: most - count] for name, values in chunk.columns.items()})
            count, seen = count + len(chunk.rows), chunk.stop
            if count >= most:
                break
        if is_known:
            count = self.length or 0
        else:
            for chunk in self._results(plan._replace(columns=()), seen, executor, progress):
                count += len(chunk.rows)
        return joined(parts, self.columns), count

    def _results(
        self, plan: Plan, start: int, executor: Any, progress: Progress | None, step: int | None = None
    ) -> Iterator[Chunk]:
        length = self.length or 0
        ranges = running.ranges(start, length, step or plan.rows_at_once)
        for chunk in running.in_order(tasks.run, plan, ranges, executor):
            self.left_out += chunk.left_out
            if progress:
                progress(chunk.stop - chunk.start)
            yield chunk


def _refuse_many(count: int) -> None:
    if count > MOST_SORTED:
        raise ConfigError(f"more than {MOST_SORTED:,} rows would have to be sorted: give top, or a narrower condition")


class FilePlan(NamedTuple):
    """What is wanted of the rows of a file."""

    path: str
    base: tuple[tuple[str, Any], ...]
    columns: tuple[str, ...]
    where: str | None
    key: str | None
    descending: bool
    top: int | None


class FileRun(Run):
    """A sweep over the rows of a file."""

    def __init__(
        self, path: str, model: Model | None, fields: Mapping[str, Any], where: str | None, ordered: Order
    ) -> None:
        super().__init__(where, ordered)
        from gpt2calc.sweeps import readers  # loads pyarrow, which a grid does without

        self.path, self.length = path, None
        for name, values in fields.items():
            if isinstance(from_python(name, values), (tuple, range)):
                raise ConfigError(f"{name} has one value beside a file: several values are a grid, without a file")
        (_, self.base), self.notes = grids.base_fields(model, fields)
        self.name = path
        given = readers.columns_of(path)
        self.fields = tuple(name for name in FIELDS if name in given)
        models = self._structures(given)
        self.every = self._everything(given, models)
        self.shares = shares(self.every, models)

    def _structures(self, given: tuple[str, ...]) -> list[Dims]:
        """Return a model of every structure that a file can have which gives these fields."""
        values: dict[str, tuple[Any, ...]] = {name: (True, False) for name in given if name in SWITCHES}
        values |= {"head": tuple(HEADS)} if "head" in given else {}
        combinations = product(*values.values())
        return [from_fields({**self.base, **dict(zip(values, each, strict=True))}) for each in combinations]

    @staticmethod
    def _everything(given: tuple[str, ...], models: list[Dims]) -> tuple[str, ...]:
        """Return the columns that say anything of models of a file that gives these fields."""
        kept = {*SIZES[:5], *given, *(["num_labels"] if any(x.score or x.classifier for x in models) else [])}
        held = (name for name, column in COLUMNS.items() if any(is_held(column, x) for x in models))
        return tuple(name for name in held if name not in FIELDS or name in kept)

    @property
    def plan(self) -> FilePlan:
        """What is sent to workers, with the rows."""
        return FilePlan(self.path, tuple(self.base.items()), self.columns, self.where, *self.ordered)

    def chunks(self, executor: Any = None, progress: Progress | None = None) -> Iterator[Columns]:
        """Yield the columns of the rows that are wanted, in order, some thousands of rows at a time."""
        plan, kept, count = self.plan, [], 0
        for chunk in running.in_order(run_rows, plan, self._ranges(), executor):
            if progress:
                progress(chunk.stop - chunk.start)
            if plan.key is None:
                yield chunk.columns
                continue
            kept.append(chunk)
            count += len(chunk.rows)
            if plan.top is not None and count > plan.top + MANY:
                kept = [_best(kept, plan)]
                count = len(kept[0].rows)
            _refuse_many(count)
        if plan.key is not None:
            yield _best(kept, plan).columns if kept else joined([], plan.columns)

    def head(self, most: int, executor: Any = None, progress: Progress | None = None) -> tuple[Columns, int]:
        """Return the columns of the first rows, and how many rows there are in all."""
        parts, count = [], 0
        for columns in self.chunks(executor, progress):
            parts.append({name: values[: max(0, most - count)] for name, values in columns.items()})
            count += len(next(iter(columns.values())))
        return joined(parts, self.columns), count

    def _ranges(self) -> Iterator[tuple[int, int, Columns]]:
        from gpt2calc.sweeps import readers  # see above

        for each in readers.read(self.path):
            yield each.start, each.stop, each.fields


def run_rows(plan: FilePlan, start: int, stop: int, fields: Columns) -> Chunk:
    """Run one task: count some rows of a file, and return what is wanted of them."""
    models = rows.RowModels(plan.path, start, fields, dict(plan.base))
    condition = None if plan.where is None else conditions.read(plan.where)
    models.check((*plan.columns, *(condition.columns if condition else ()), *filter(None, [plan.key])))
    if condition:
        condition.check(models.bounds)
    found, _ = wanted(models, 0, models.length, condition, has_heads=False)
    keys = None
    if plan.key:
        best = Best(plan.descending, plan.top)
        best.offer(found, models.at(plan.key, found))
        found, _, keys = best.taken()
    columns = {name: models.at(name, found) for name in plan.columns}
    return Chunk(start, stop, found + start, columns, keys, 0)


def _best(chunks: list[Chunk], plan: FilePlan) -> Chunk:
    """Return the first rows of several results, in order, as one."""
    numbers = np.concatenate([chunk.rows for chunk in chunks])
    keys = np.concatenate([chunk.keys for chunk in chunks])
    first: Int64Array = np.lexsort((numbers, keys))[: plan.top]
    columns = joined([chunk.columns for chunk in chunks], plan.columns)
    picked = {name: values[first] for name, values in columns.items()}
    return chunks[0]._replace(rows=numbers[first], keys=keys[first], columns=picked)
