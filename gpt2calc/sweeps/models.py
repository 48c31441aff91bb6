"""The models of a sweep as columns: those of a piece of a grid, or those of some rows of a file, in one manner.

A column that is the same for all models is one value of Python's; any other is an array.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from gpt2calc.sweeps.columns import COLUMNS, COUNT, SHARE, SIZE, SWITCH, WORD
from gpt2calc.sweeps.evaluation import PieceArrays
from gpt2calc.sweeps.exact import EXACT, quotient
from gpt2calc.sweeps.grids import bounds

if TYPE_CHECKING:
    from gpt2calc.sweeps.grids import Piece
    from gpt2calc.sweeps.parts import Int64Array

DTYPES = {SIZE: "int64", COUNT: "int64", SHARE: "float64", SWITCH: "bool", WORD: "U24"}
"""What an array of a column holds; the longest word is sequence_classification."""


class Models(Protocol):
    """Models in order, whose columns can be had for a range of them, or for single ones."""

    @property
    def length(self) -> int:
        """How many models there are."""

    @property
    def block(self) -> int:
        """How many models are best asked for at once."""

    def range(self, name: str, start: int, stop: int) -> Any:
        """Return a column for a range of models; the array is used again by the next call."""

    def at(self, name: str, indices: Int64Array) -> Any:
        """Return a column for single models, by their numbers."""

    def bounds(self, name: str) -> tuple[int, int]:
        """Return what a count or a size cannot fall below, and the most that it reaches."""


class PieceModels:
    """The models of one piece of a grid."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.arrays = PieceArrays(piece)
        self.length = piece.length
        self.block = self.arrays.block
        self._is_float64 = bounds(piece, "total")[1] <= EXACT
        self._room: dict[str, Any] = {}
        self._constants: dict[str, Any] = {}

    def constant(self, name: str) -> Any:
        """Return what a column is for all models, None where it runs."""
        if name not in self._constants:
            self._constants[name] = self._constant(name)
        return self._constants[name]

    def _constant(self, name: str) -> Any:
        kind = COLUMNS[name].kind
        if kind == SHARE:
            part, total = self.constant(COLUMNS[name].part), self.constant("total")
            return None if part is None or total is None else quotient(part, total)
        if kind in (SIZE, COUNT):
            polynomial = self.arrays.polynomial(name)
            return None if polynomial is None else polynomial.constant
        if name == "head":
            return self.piece.fields.get("head", "lm")
        return bool(getattr(self.piece.most(), name))

    def range(self, name: str, start: int, stop: int) -> Any:
        """Return a column for a range of models; the array is used again by the next call."""
        constant = self.constant(name)
        if constant is not None:
            return constant
        if name not in self._room or len(self._room[name]) < stop - start:
            self._room[name] = np.empty(stop - start, dtype=DTYPES[COLUMNS[name].kind])
        out = self._room[name][: stop - start]
        self.into(name, start, out)
        return out

    def into(self, name: str, start: int, out: Any) -> None:
        """Write a column for as many models as there is room for."""
        column, constant = COLUMNS[name], self.constant(name)
        if constant is not None:
            out[...] = constant
        elif column.kind != SHARE:
            self.arrays.fill(name, start, out)
        else:
            for position in range(0, len(out), self.block):
                block = out[position : position + self.block]
                stop = start + position + len(block)
                part, total = (self.range(each, start + position, stop) for each in (column.part, "total"))
                if self._is_float64:
                    np.true_divide(part, total, out=block)
                else:
                    block[...] = quotient(part, total)

    def at(self, name: str, indices: Int64Array) -> Any:
        """Return a column for single models, by their numbers."""
        constant = self.constant(name)
        if constant is not None:
            return constant
        if COLUMNS[name].kind == SHARE:
            return quotient(self.at(COLUMNS[name].part, indices), self.at("total", indices))
        return self.arrays.at(name, indices)

    def bounds(self, name: str) -> tuple[int, int]:
        """Return what a count or a size cannot fall below, and the most that it reaches."""
        return bounds(self.piece, name)


def spread(value: Any, length: int) -> Any:
    """Return a column as an array, one value of it repeated.

    >>> spread(12, 3).tolist(), spread("lm", 2).tolist()
    ([12, 12, 12], ['lm', 'lm'])
    """
    return value if isinstance(value, np.ndarray) else np.full(length, value)


def joined(parts: list[dict[str, Any]], names: tuple[str, ...]) -> dict[str, Any]:
    """Return the columns of all parts, one after the other."""
    if len(parts) == 1:
        return parts[0]
    return {name: np.concatenate([part[name] for part in parts]) if parts else empty(name) for name in names}


def empty(name: str) -> Any:
    """Return a column without rows."""
    return np.empty(0, dtype=DTYPES[COLUMNS[name].kind])
