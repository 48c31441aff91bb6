"""The models of a sweep as columns: those of a piece of a grid, or those of some rows, in one manner."""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING, Any

import numpy as np

from gpt2calc.algebra import Expression
from gpt2calc.dims import LETTERED, LETTERS, Dims
from gpt2calc.sweeps.columns import COLUMNS, COUNT, SHARE, SIZE, SWITCH, WORD
from gpt2calc.sweeps.evaluation import (
    BLOCK_NUMBERS,
    LEAST_ROW_MODELS,
    MOST_TABLE_NUMBERS,
    Arrangement,
    Lattice,
    arranged,
)
from gpt2calc.sweeps.exact import quotient
from gpt2calc.sweeps.grids import bounds

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.sweeps.columns import Column
    from gpt2calc.sweeps.evaluation import Int64Array
    from gpt2calc.sweeps.grids import Piece

DTYPES = {SIZE: "int64", COUNT: "int64", SHARE: "float64", SWITCH: "bool", WORD: "U24"}
"""What an array of a column holds; the longest word is sequence_classification."""

BUFFER_NUMBERS = 256
"""numpy's buffer, made small: rows that are shorter than it are copied through it, at twice the time."""

HEADS = "h"
"""The letter of n_head, which no formula has."""

DENSE = 8
"""Where more than one row in so many is wanted, a column is computed for all and picked from."""


class Models:
    """Models in order, whose columns can be had for a range of them, or for single ones."""

    table: Mapping[str, Column]
    length: int
    block: int
    """How many models are best asked for at once."""
    why = ""
    """What is the matter with rows that are no models."""

    def valid(self, start: int, stop: int) -> Any:  # noqa: ARG002  # of any range
        """Return which rows of a range are models."""
        return True

    def range(self, name: str, start: int, stop: int) -> Any:
        """Return a column for a range of models."""
        raise NotImplementedError

    def at(self, name: str, indices: Int64Array) -> Any:
        """Return a column for single models, by their numbers."""
        raise NotImplementedError

    def picked(self, name: str, start: int, stop: int, chosen: Int64Array) -> Any:
        """Return a column for some rows of a range as an array, computed for all of it where most are wanted."""
        if len(chosen) * DENSE < stop - start:
            return self.at(name, chosen + start)
        values = self.range(name, start, stop)
        return values if len(chosen) == len(values) else values[chosen]


class Rows(Models):
    """Models of some rows, whose columns are computed for all of them at once."""

    def __init__(self, table: Mapping[str, Column], length: int) -> None:
        self.table, self.length, self.block = table, length, max(1, length)
        self._columns: dict[str, Any] = {}

    def made(self, column: Column) -> Any:
        """Compute a column that is no share."""
        raise NotImplementedError

    def column(self, name: str) -> Any:
        """Return a column of all rows."""
        if name not in self._columns:
            own = self.table[name]
            is_share = own.kind == SHARE
            self._columns[name] = quotient(self.column(own.part), self.column("total")) if is_share else self.made(own)
        return self._columns[name]

    def range(self, name: str, start: int, stop: int) -> Any:
        """Return a column for a range of models."""
        return self.column(name)[start:stop]

    def at(self, name: str, indices: Int64Array) -> Any:
        """Return a column for single models, by their numbers."""
        return self.column(name)[indices]

    def bounds(self, name: str) -> tuple[int, int]:
        """Return the least and the most of a count or a size."""
        values = self.column(name)
        return int(values.min()), int(values.max())


class PieceModels(Models):
    """The models of one piece of a grid of GPT-2s."""

    table = COLUMNS
    why = "in which n_head does not divide n_embd"

    def __init__(self, piece: Piece, *, row: int = LEAST_ROW_MODELS, table: int = MOST_TABLE_NUMBERS) -> None:
        self.piece, self.length = piece, piece.length
        self.names = {LETTERS.get(name, HEADS): name for name, _ in piece.sizes}
        self.lattice = Lattice({letter: dict(piece.sizes)[name] for letter, name in self.names.items()}, row, table)
        width = self.lattice.width
        self.block = BLOCK_NUMBERS if width > BLOCK_NUMBERS else BLOCK_NUMBERS // width * width
        self._arranged: dict[str, Arrangement | None] = {}

    def valid(self, start: int, stop: int) -> Any:
        """Return which rows of a range are models: those in which n_head divides n_embd."""
        if HEADS not in self.names:
            return True
        return self.range("n_embd", start, stop) % self.range("n_head", start, stop) == 0

    def _polynomial(self, column: Column) -> Expression:
        """Return a column as a polynomial of the sizes that run, each of which stands for what it is after padding."""
        if column.name == "n_head":
            return Expression.letter(HEADS)
        running = {name: getattr(LETTERED, name) for name in self.names.values() if name in LETTERS}
        if self.piece.fields.get("n_inner") is None and "n_inner" not in running and "n_embd" in running:
            running["n_inner"] = 4 * running["n_embd"]
        return Expression.of(_measured(column, self.piece.most()._replace(**running)))

    def _parts(self, name: str) -> Arrangement | None:
        """Return how a column is computed on a grid; None where it is no polynomial, as what is rounded up is not."""
        if name not in self._arranged:
            lattice, polynomial = self.lattice, self._polynomial(COLUMNS[name])
            lengths = {letter: lattice.lengths[letter] for letter in lattice.rows}
            found = arranged(polynomial.terms, lengths, lattice.width, lattice.most)
            self._arranged[name] = found if self._is_plain and not polynomial.divides else None
        return self._arranged[name]

    @property
    def _is_plain(self) -> bool:
        """Whether every size that runs is as a model has it: no vocabulary is padded, and no head sets labels."""
        running, fields = self.names.values(), self.piece.fields
        is_padded = "vocab_size" in running and (fields.get("pad_vocab_size_multiple") or 1) > 1
        return not is_padded and not ("num_labels" in running and fields.get("head") == "double_heads")

    def _word(self, column: Column) -> Any:
        return self.piece.fields.get("head", "lm") if column.kind == WORD else getattr(self.piece.most(), column.name)

    def range(self, name: str, start: int, stop: int) -> Any:
        """Return a column for a range of models."""
        out = np.empty(stop - start, dtype=DTYPES[COLUMNS[name].kind])
        self.into(name, start, out)
        return out

    def into(self, name: str, start: int, out: Any) -> None:
        """Write a column for as many models as there is room for."""
        column = COLUMNS[name]
        if column.kind in (SWITCH, WORD):
            out[...] = self._word(column)
        elif column.kind == SHARE:
            for place in range(0, len(out), self.block):
                block = out[place : place + self.block]
                first, last = start + place, start + place + len(block)
                block[...] = quotient(self.range(column.part, first, last), self.range("total", first, last))
        else:
            buffered = np.setbufsize(BUFFER_NUMBERS)
            try:
                self._fill(column, start, out)
            finally:
                np.setbufsize(buffered)

    def _fill(self, column: Column, start: int, out: Int64Array) -> None:
        parts, place = self._parts(column.name), 0
        for box in self.lattice.boxes(start, start + len(out)):
            shape = tuple(each.stop - each.start for each in box)
            target = out[place : (place := place + int(np.prod(shape)))].reshape(shape)
            if parts:
                self.lattice.fill(parts, box, target)
            else:
                target[...] = self._evaluated(column, self.lattice.sizes(box))

    def at(self, name: str, indices: Int64Array) -> Any:
        """Return a column for single models, by their numbers."""
        column = COLUMNS[name]
        if column.kind in (SWITCH, WORD):
            return np.full(indices.shape, self._word(column), dtype=DTYPES[column.kind])
        if column.kind == SHARE:
            return quotient(self.at(column.part, indices), self.at("total", indices))
        return np.broadcast_to(self._evaluated(column, self.lattice.at(indices)), indices.shape)

    def _evaluated(self, column: Column, sizes: dict[str, Int64Array]) -> Any:
        """Evaluate a column as its formula is written, on arrays alone, which wrap as int64 does."""
        if column.name == "n_head":
            return sizes[HEADS]
        dims = self.piece.dims({self.names[letter]: values for letter, values in sizes.items() if letter != HEADS})
        arrays = (np.asarray(value, dtype=np.int64).reshape(np.shape(value) or (1,)) for value in dims.sizes)
        return _measured(column, Dims(*chain[Any](arrays, dims.structure)))

    def bounds(self, name: str) -> tuple[int, int]:
        """Return what a count or a size cannot fall below, and the most that it reaches."""
        return bounds(self.piece, name)


def _measured(column: Column, dims: Dims) -> Any:
    return column.measure(dims) if column.measure else getattr(dims, column.name)


def joined(parts: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the columns of all parts, of which there is one or more, one after the other."""
    return parts[0] if len(parts) == 1 else {name: np.concatenate([part[name] for part in parts]) for name in parts[0]}


def empty(column: Column) -> Any:
    """Return a column without rows."""
    return np.empty(0, dtype=DTYPES[column.kind])
