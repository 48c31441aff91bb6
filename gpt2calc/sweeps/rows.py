"""`RowModels`: the models of some rows of a file, each a config of its own, as columns.

Rows of one structure are counted together. What a row leaves out is the base model's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpt2calc.dims import LETTERS, Dims, from_fields
from gpt2calc.errors import ConfigError, Int64OverflowError, UnreadableInputError
from gpt2calc.fields import CLASSES, FIELDS
from gpt2calc.sources import checked
from gpt2calc.sweeps.axes import INT64_MAX
from gpt2calc.sweeps.columns import COLUMNS, COUNT, SHARE, SIZE, measured
from gpt2calc.sweeps.exact import quotient
from gpt2calc.sweeps.models import empty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from numpy.typing import NDArray

    Int64Array = NDArray[np.int64]

N_HEAD_NOT_GIVEN = 0
"""What stands for n_head where a row gives none."""


class RowModels:
    """The models of some rows, whose fields are put over those of the base model."""

    def __init__(self, path: str, start: int, fields: Mapping[str, Any], base: Mapping[str, Any]) -> None:
        self.path, self.start = path, start
        self.fields, self.base = dict(fields), dict(base)
        self.length = self.block = len(next(iter(fields.values())))
        self.sizes = {name: self._size(name) for name in (*LETTERS, "n_head") if name in fields}
        self._check()
        self.groups = self._groups()
        self._columns: dict[str, Any] = {}

    def _size(self, name: str) -> Int64Array:
        """Return the values of a size, the base model's where a row leaves it out; -1 for an n_inner that follows."""
        given = self.fields[name]
        if isinstance(given, np.ndarray):
            return given
        default = {"n_head": N_HEAD_NOT_GIVEN, "n_inner": -1, "num_labels": 2}.get(name)
        missing = self.base.get(name) if self.base.get(name) is not None else default
        return np.array([missing if value is None else value for value in given], dtype=np.int64)

    def _check(self) -> None:
        """Find the first row that can be no model, and say why."""
        odd = np.zeros(self.length, dtype=bool)
        for name, values in self.sizes.items():
            given = values if isinstance(self.fields[name], np.ndarray) else _given(self.fields[name], values)
            odd |= given < FIELDS[name].least
        heads = self.sizes.get("n_head")
        if heads is not None:
            widths = self.sizes.get("n_embd", np.int64(self.base["n_embd"]))
            odd |= (heads > 0) & (widths % np.maximum(heads, 1) != 0)
        for name in self._structural():
            for value in {each for each in self.fields[name] if each is not None and not isinstance(each, bool)}:
                if not self._is_taken({name: value}):
                    odd |= np.array([each == value for each in self.fields[name]])
        if odd.any():
            self._refuse(int(odd.argmax()))

    def _is_taken(self, fields: Mapping[str, Any]) -> bool:
        try:
            checked({**self.base, **fields})
        except ConfigError:
            return False
        return True

    def row(self, index: int) -> dict[str, Any]:
        """Return the fields that a row gives."""
        given = {name: values[index] for name, values in self.fields.items()}
        return {
            name: getattr(value, "item", lambda value=value: value)()
            for name, value in given.items()
            if value is not None
        }

    def _refuse(self, index: int) -> None:
        """Raise what is wrong with a row."""
        try:
            checked({**self.base, **self.row(index)})
        except ConfigError as error:
            raise UnreadableInputError(self.path, f"row {self.start + index + 1:,}: {error}") from None

    def _structural(self) -> tuple[str, ...]:
        return tuple(name for name in self.fields if name not in self.sizes)

    def _groups(self) -> list[tuple[Int64Array, Dims]]:
        """Return the rows of each structure, with dims whose sizes are arrays where rows give them."""
        names = self._structural()
        indices: dict[tuple[Any, ...], Any] = {} if names else {(): range(self.length)}
        for index, key in enumerate(zip(*(self.fields[name] for name in names), strict=True)):
            indices.setdefault(key, []).append(index)
        found = []
        for key, chosen in indices.items():
            where = np.array(chosen, dtype=np.int64)
            given = {name: value for name, value in zip(names, key, strict=True) if value is not None}
            found.append((where, self._dims({**self.base, **given}, where)))
        return found

    def _dims(self, fields: dict[str, Any], where: Int64Array) -> Dims:
        sizes: dict[str, Any] = {name: values[where] for name, values in self.sizes.items() if name in LETTERS}
        head = fields.get("head", "lm")
        dims = from_fields({**fields, **sizes, "head": CLASSES.get(head, head)})
        follows = sizes.get("n_inner")
        if follows is not None:
            dims = dims._replace(n_inner=np.where(follows < 0, 4 * np.asarray(dims.n_embd), follows))  # type: ignore[arg-type]  # an array
        return dims

    def check(self, columns: Iterable[str]) -> None:
        """Raise where a count does not fit in int64; nothing has been computed then.

        Law: the largest of each size of the rows of one structure bounds them all; where that does not fit, each row is
        counted in exact integers.

        Raises:
            Int64OverflowError: a row's count does not fit; the message gives its number.
        """
        counts = dict.fromkeys(("total", *(count for name in columns for count in measured(name))))
        for where, dims in self.groups:
            if _largest(_most(dims), counts)[0] <= INT64_MAX:
                continue
            for index, row in enumerate(where):
                most, name = _largest(_only(dims, index), counts)
                if most > INT64_MAX:
                    raise Int64OverflowError(
                        f"row {self.start + row + 1:,}: {name} is {most:,} and does not fit in int64"
                    )

    def range(self, name: str, start: int, stop: int) -> Any:
        """Return a column for a range of rows."""
        return self._whole(name)[start:stop]

    def at(self, name: str, indices: Int64Array) -> Any:
        """Return a column for single rows, by their numbers."""
        return self._whole(name)[indices]

    def bounds(self, name: str) -> tuple[int, int]:
        """Return the least and the most of a count or a size."""
        values = self._whole(name)
        return int(values.min()), int(values.max())

    def _whole(self, name: str) -> Any:
        if name not in self._columns:
            column = COLUMNS[name]
            if column.kind == SHARE:
                self._columns[name] = quotient(self._whole(column.part), self._whole("total"))
            elif name == "n_head":
                self._columns[name] = self.sizes.get("n_head", np.full(self.length, N_HEAD_NOT_GIVEN))
            elif column.kind in (SIZE, COUNT):
                self._columns[name] = self._scattered(
                    column.measure or (lambda dims: getattr(dims, name)), empty(name).dtype
                )
            elif name == "head":
                given = self.fields.get("head") or [None] * self.length
                words = [word or self.base.get("head", "lm") for word in given]
                self._columns[name] = np.array([CLASSES.get(word, word) for word in words])
            else:
                self._columns[name] = self._scattered(lambda dims: getattr(dims, name), "bool")
        return self._columns[name]

    def _scattered(self, measure: Callable[[Dims], Any], dtype: Any) -> Any:
        found = np.empty(self.length, dtype=dtype)
        for where, dims in self.groups:
            found[where] = measure(dims)
        return found


def _given(values: list[Any], filled: Int64Array) -> Int64Array:
    """Return values with what was left out as something that no check minds."""
    return np.where(np.array([value is None for value in values]), INT64_MAX, filled)


def _most(dims: Dims) -> Dims:
    return Dims(*(int(np.max(value)) if np.size(value) else 0 for value in dims))


def _only(dims: Dims, index: int) -> Dims:
    return Dims(*(int(np.asarray(value).flat[index if np.ndim(value) else 0]) for value in dims))


def _largest(dims: Dims, counts: Iterable[str]) -> tuple[int, str]:
    """Return the largest number that is computed of one model, in Python's own integers, and what it is."""
    sizes = [(getattr(dims, name), name) for name in LETTERS]
    return max([*sizes, *((measure(dims), name) for name in counts if (measure := COLUMNS[name].measure))])
