"""`FileRun`: a sweep over the configs of a file, which is read here and counted batch by batch. Needs pyarrow.

The number of a row is all that a worker knows of the file; the fields of its rows come with the task.
"""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gpt2calc.dims import TASK_HEADS, from_fields
from gpt2calc.errors import ConfigError
from gpt2calc.sweeps import conditions, grids, readers, rows, running
from gpt2calc.sweeps.axes import from_python
from gpt2calc.sweeps.columns import COLUMNS, FIELDS, SIZES, SWITCHES, is_held
from gpt2calc.sweeps.models import joined
from gpt2calc.sweeps.ranking import MOST_CANDIDATE_ROWS, Best
from gpt2calc.sweeps.runs import Run, refuse_many, shares
from gpt2calc.sweeps.tasks import Chunk, named, wanted

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gpt2calc.dims import Dims
    from gpt2calc.sources import LeftOut, Model
    from gpt2calc.sweeps.parts import Int64Array
    from gpt2calc.sweeps.runs import Columns, Order, Progress


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
        self, path: str, model: Model | LeftOut, fields: Mapping[str, Any], where: str | None, ordered: Order
    ) -> None:
        super().__init__(where, ordered)
        self.path, self.length = path, None
        for name, values in fields.items():
            if isinstance(from_python(name, values), (tuple, range)):
                raise ConfigError(f"{name} has one value beside a file: several values are a grid, without a file")
        _, self.base, self.notes = grids.base_fields(model, fields)
        self.name = path
        given = readers.columns_of(path)
        self.fields = tuple(name for name in FIELDS if name in given)
        models = self._structures(given)
        self.every = self._everything(given, models)
        self.shares = shares(self.every, models)

    def _structures(self, given: tuple[str, ...]) -> list[Dims]:
        """Return a model of every structure that a file can have which gives these fields."""
        values: dict[str, tuple[Any, ...]] = {name: (True, False) for name in given if name in SWITCHES}
        values |= {"head": tuple(TASK_HEADS)} if "head" in given else {}
        combinations = product(*values.values())
        return [from_fields({**self.base, **dict(zip(values, each, strict=True))}) for each in combinations]

    @staticmethod
    def _everything(given: tuple[str, ...], models: list[Dims]) -> tuple[str, ...]:
        """Return the columns that say anything of models of a file that gives these fields."""
        kept = {*SIZES[:5], *given, *(["num_labels"] if any(dims.score or dims.classifier for dims in models) else [])}
        filled = (name for name, column in COLUMNS.items() if any(is_held(column, dims) for dims in models))
        return tuple(name for name in filled if name not in FIELDS or name in kept)

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
            if plan.top is not None and count > plan.top + MOST_CANDIDATE_ROWS:
                kept = [_best(kept, plan)]
                count = len(kept[0].rows)
            refuse_many(count)
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
        for each in readers.read(self.path):
            yield each.start, each.stop, each.fields


def run_rows(plan: FilePlan, start: int, stop: int, fields: Columns) -> Chunk:
    """Run one task: count some rows of a file, and return what is wanted of them."""
    models = rows.RowModels(plan.path, start, fields, dict(plan.base))
    condition = None if plan.where is None else conditions.read(plan.where)
    models.check(named(plan, condition))
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
