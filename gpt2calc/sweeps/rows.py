"""GPT-2s in the rows of a file, each a config of its own, as columns; what a row leaves out is the base model's."""

from __future__ import annotations

import operator
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gpt2calc.dims import LETTERS, TASK_HEADS, Dims, from_fields
from gpt2calc.errors import ConfigError, Int64OverflowError, UnreadableInputError
from gpt2calc.fields import CANONICAL, CLASSES, FIELDS
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

    def largest(self) -> Iterator[int]:
        """Yield nothing: nobody knows beforehand."""
        yield from ()

    def ranges(self, step: int) -> Iterator[tuple[Any, ...]]:  # noqa: ARG002  # as the file comes
        """Yield batches of rows, each with its fields."""
        return readers.read(self.name, readers.of_gpt2(self.base.get("head", "lm")))

    def models(self, start: int, stop: int, fields: Mapping[str, Any], *, needed: tuple[str, ...]) -> RowModels:  # noqa: ARG002  # the fields are as many
        """Return the models of some rows, of which the columns that are needed fit in int64."""
        found = RowModels(self.name, start, fields, self.base)
        found.check(needed)
        return found


class RowModels(Rows):
    """The models of some rows, whose fields are put over those of the base model; flags are arrays as sizes are."""

    def __init__(self, path: str, start: int, fields: Mapping[str, Any], base: Mapping[str, Any]) -> None:
        super().__init__(COLUMNS, len(next(iter(fields.values()))))
        self.path, self.start, self.fields, self.base = path, start, fields, base
        sizes = {name: self._size(name) for name in (*LETTERS, "n_head") if name in fields}
        self.heads = sizes.pop("n_head", np.full(self.length, N_HEAD_NOT_GIVEN))
        widths = sizes.get("n_embd", np.int64(base["n_embd"]))
        if any(self._is_too_small(name) for name in (*sizes, "n_head")) or (widths % np.maximum(self.heads, 1)).any():
            self._refuse()
        # Rows of one structure are read together, and stand where they stood.
        names = tuple(name for name in fields if name not in LETTERS and name != "n_head")
        alike: dict[tuple[Any, ...], Any] = {} if names else {(): range(self.length)}
        for index, key in enumerate(zip(*(fields[name] for name in names), strict=True)):
            alike.setdefault(key, []).append(index)
        arrays = [np.zeros(self.length, dtype=np.int64) for _ in Dims._fields]
        for key, chosen in alike.items():
            where = np.array(chosen, dtype=np.int64)
            given = {name: value for name, value in zip(names, key, strict=True) if value is not None}
            try:
                judged = checked({**base, **given})
            except ConfigError:
                self._refuse()
            own = {name: values[where] for name, values in sizes.items()}
            if "n_inner" in own:
                own["n_inner"] = np.where(own["n_inner"] < 0, 4 * own.get("n_embd", base["n_embd"]), own["n_inner"])
            for array, values in zip(arrays, from_fields({**judged, **own}), strict=True):
                array[where] = values
        self.dims = Dims(*arrays)  # type: ignore[arg-type]  # arrays

    def _size(self, name: str) -> Any:
        """Return the values of a size, the base model's where a row leaves it out; -1 for an n_inner that follows."""
        given, own = self.fields[name], self.base.get(name)
        left_out = {"n_head": N_HEAD_NOT_GIVEN, "n_inner": -1, "num_labels": 2}.get(name) if own is None else own
        is_array = isinstance(given, np.ndarray)
        return given if is_array else np.array([left_out if each is None else each for each in given], dtype=np.int64)

    def _is_too_small(self, name: str) -> bool:
        given = (each for each in self.fields.get(name, ()) if each is not None)
        return bool(min(given, default=FIELDS[name].least) < FIELDS[name].least)

    def _refuse(self) -> None:
        """Raise what is wrong with the first row that is no config."""
        for index in range(self.length):
            try:
                checked({**self.base, **self._row(index)})
            except ConfigError as error:
                raise UnreadableInputError(self.path, f"row {self.start + index + 1:,}: {error}") from None

    def _row(self, index: int) -> dict[str, Any]:
        """Return the fields that a row gives."""
        given = ((name, values[index]) for name, values in self.fields.items())
        return {name: int(v) if isinstance(v, np.integer) else v for name, v in given if v is not None}

    def check(self, columns: tuple[str, ...]) -> None:
        """Raise where a count does not fit in int64, before any is computed.

        Law: floats show whether a count may come near 2⁶³; where one does, each row is counted in exact integers.

        Raises:
            Int64OverflowError: a row's count does not fit; the message gives its number.
        """
        counts = dict.fromkeys(("total", *(count for name in columns for count in measured(name))))
        measures = {name: measure for name in counts if (measure := COLUMNS[name].measure)}
        measures |= {name: operator.attrgetter(name) for name in LETTERS}
        arrays: Any = self.dims
        floats = Dims(*(np.asarray(values, dtype=np.float64) for values in arrays))  # type: ignore[arg-type]  # arrays
        for name, measure in measures.items():
            if not self.length or np.max(measure(floats)) < SURE * 2.0**63:
                continue
            for index in range(self.length):
                value = measure(Dims(*(int(values[index]) for values in arrays)))
                if value > INT64_MAX:
                    raise Int64OverflowError(
                        f"row {self.start + index + 1:,}: {name} is {value:,} and does not fit in int64"
                    )

    def made(self, column: Column) -> Any:
        """Compute a column that is no share."""
        if column.name == "n_head":
            return self.heads
        if column.kind == WORD:
            words = (word or self.base.get("head", "lm") for word in self.fields.get("head") or [None] * self.length)
            return np.array([CLASSES.get(word, word) for word in words])
        values = column.measure(self.dims) if column.measure else getattr(self.dims, column.name)
        return np.asarray(values).astype(empty(column).dtype)
