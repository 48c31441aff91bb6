"""GPT-2s in the rows of a file, each a config of its own, as columns; what a row leaves out is the base model's."""

from __future__ import annotations

import operator
from itertools import chain, product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gpt2calc.dims import LETTERS, TASK_HEADS, Dims, from_fields
from gpt2calc.errors import ConfigError, Int64OverflowError, UnreadableInputError
from gpt2calc.fields import CANONICAL, CLASSES
from gpt2calc.sources import checked
from gpt2calc.sweeps import grids, readers
from gpt2calc.sweeps.axes import INT64_MAX
from gpt2calc.sweeps.columns import COLUMNS, SWITCHES, WORD, measured
from gpt2calc.sweeps.models import Rows, empty

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gpt2calc.sweeps.columns import Column

N_HEAD_NOT_GIVEN = 0
"""What stands for n_head where a row gives none."""

SURE = 1 - 2**-20
"""What of 2⁶³ a count computed in floats may reach and be sure to fit."""


class ConfigFile(NamedTuple):
    """What is swept: the rows of a file over a base model, both in canonical fields."""

    name: str
    base: dict[str, Any]
    swept: tuple[str, ...]

    @property
    def length(self) -> int | None:
        """How many rows there are: nobody knows beforehand."""
        return None

    @property
    def table(self) -> Mapping[str, Column]:
        """The columns that there can be."""
        return COLUMNS

    @property
    def spellings(self) -> Mapping[str, str]:
        """The name of each field, by any of its spellings."""
        return CANONICAL

    def samples(self) -> list[Dims]:
        """Return a model of every structure that a file can have which gives these fields."""
        values: dict[str, tuple[Any, ...]] = {name: (True, False) for name in self.swept if name in SWITCHES}
        values |= {"head": tuple(TASK_HEADS)} if "head" in self.swept else {}
        return [
            from_fields({**self.base, **dict(zip(values, each, strict=True))}) for each in product(*values.values())
        ]

    def everything(self) -> tuple[str, ...]:
        """Return the columns that say anything."""
        return grids.everything(set(self.swept), self.samples())

    def ranges(self, step: int) -> Iterator[tuple[Any, ...]]:  # noqa: ARG002  # as the file comes
        """Yield batches of rows, each with its fields."""
        return readers.read(self.name, readers.GPT2)

    def models(self, start: int, stop: int, rows: list[dict[str, Any]], *, needed: tuple[str, ...]) -> RowModels:  # noqa: ARG002  # the rows are as many
        """Return the models of some rows, of which the columns that are needed fit in int64."""
        found = RowModels(self, start, rows)
        found.check(needed)
        return found


class RowModels(Rows):
    """The models of some rows, whose fields are put over those of the base model; flags are arrays as sizes are."""

    def __init__(self, file: ConfigFile, start: int, rows: list[dict[str, Any]]) -> None:
        super().__init__(COLUMNS, len(rows))
        self.path, self.start, self.given = file.name, start, []
        for number, row in enumerate(rows, start + 1):
            try:
                self.given.append(checked({**file.base, **row}))
            except ConfigError as error:
                raise UnreadableInputError(self.path, f"row {number:,}: {error}") from None
        self.rows = [from_fields(fields) for fields in self.given]

    def check(self, columns: tuple[str, ...]) -> None:
        """Raise where a count does not fit in int64, before any is computed.

        Law: floats show whether a count may come near 2⁶³; where one does, each row is counted in exact integers.

        Raises:
            Int64OverflowError: a row's count does not fit; the message gives its number.
        """
        counts = dict.fromkeys(("total", *(count for name in columns for count in measured(name))))
        measures = {name: measure for name in counts if (measure := COLUMNS[name].measure)}
        measures |= {name: operator.attrgetter(name) for name in LETTERS}
        floats = self._arrays(np.float64)
        for name, measure in measures.items():
            if np.max(measure(floats)) < SURE * 2.0**63:
                continue
            for number, dims in enumerate(self.rows, self.start + 1):
                if (value := measure(dims)) > INT64_MAX:
                    raise Int64OverflowError(f"row {number:,}: {name} is {value:,} and does not fit in int64")
        self.dims = self._arrays(np.int64)

    def _arrays(self, dtype: Any) -> Any:
        numbers = np.fromiter(chain.from_iterable(self.rows), dtype, self.length * len(Dims._fields))
        return Dims(*numbers.reshape(self.length, -1).T)

    def made(self, column: Column) -> Any:
        """Compute a column that is no share."""
        if column.name == "n_head":
            return np.array([fields.get("n_head") or N_HEAD_NOT_GIVEN for fields in self.given])
        if column.kind == WORD:
            words = (fields.get("head", "lm") for fields in self.given)
            return np.array([CLASSES.get(word, word) for word in words])
        values = column.measure(self.dims) if column.measure else getattr(self.dims, column.name)
        return np.asarray(values).astype(empty(column).dtype)
