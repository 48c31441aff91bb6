"""`PieceArrays`: the counts of all models of one structure, for any range of them, or for single ones."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from gpt2calc.algebra import Expression
from gpt2calc.dims import LETTERED, LETTERS
from gpt2calc.ranges import length
from gpt2calc.sweeps.columns import COLUMNS
from gpt2calc.sweeps.factored import BLOCK_NUMBERS, Factored
from gpt2calc.sweeps.parts import N_HEAD_LETTER, Combinations, evaluated

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpt2calc.dims import Dims
    from gpt2calc.sweeps.grids import Piece
    from gpt2calc.sweeps.parts import Int64Array

LEAST_ROW_MODELS, MOST_ROW_MODELS = 2**9, 2**17
"""A row has at least so many models, where the sizes allow, and at most so many but for a single size that is long."""

MOST_TABLE_NUMBERS, MOST_TABLES_NUMBERS = 2**20, 2**23
"""How many numbers one table keeps at most, and all tables of a piece."""

BUFFER_NUMBERS = 256
"""numpy's buffer, made small: rows that are shorter than it are copied through it, at twice the time."""


class PieceArrays:
    """The counts of one piece: its last sizes run along a row, some hundred models or more, others number the rows."""

    def __init__(self, piece: Piece, *, row: int = LEAST_ROW_MODELS, table: int = MOST_TABLE_NUMBERS) -> None:
        self.piece, self._table, self._room = piece, table, MOST_TABLES_NUMBERS
        self.letters = {LETTERS.get(name, N_HEAD_LETTER): name for name, _ in piece.sizes}
        letters, lengths = tuple(self.letters), [length(axis) for _, axis in piece.sizes]
        split = max(0, len(lengths) - 1)
        while split and (along := prod(lengths[split:])) < row and along * lengths[split - 1] <= MOST_ROW_MODELS:
            split -= 1
        self.rows, self.along = Combinations(piece, letters[:split]), Combinations(piece, letters[split:])
        self._polynomials: dict[str, Expression | None] = {}
        self._factored: dict[str, Factored | None] = {}

    @property
    def length(self) -> int:
        """How many models there are."""
        return self.rows.length * self.along.length

    @property
    def block(self) -> int:
        """How many models to ask for at once, so that they stay near a core: whole rows, where these are short."""
        width = self.along.length
        return BLOCK_NUMBERS if width > BLOCK_NUMBERS else BLOCK_NUMBERS // width * width

    def fill(self, name: str, start: int, out: Int64Array) -> None:
        """Write the values of a size or a count for the models from `start` on, as many as `out` has room for."""
        buffered = np.setbufsize(BUFFER_NUMBERS)
        try:
            self._fill_blocks(name, start, out)
        finally:
            np.setbufsize(buffered)

    def _fill_blocks(self, name: str, start: int, out: Int64Array) -> None:
        position, stop, width = start, start + len(out), self.along.length
        while position < stop:
            row, begin = divmod(position, width)
            whole = not begin and stop - position >= width and width <= 4 * BLOCK_NUMBERS
            rows = (stop - position) // width if whole else 1
            end = width if whole else min(width, begin + stop - position, begin + BLOCK_NUMBERS)
            target = out[position - start : position - start + rows * (end - begin)].reshape(rows, end - begin)
            self._fill(name, row, begin, target)
            position += target.size

    def _fill(self, name: str, row: int, begin: int, out: Int64Array) -> None:
        factored = self._of(name)
        if factored is not None:
            factored.fill(row, begin, out)
            return
        most = max(1, BLOCK_NUMBERS // out.shape[1])
        for first in range(0, len(out), most):
            block = out[first : first + most]
            rows = {k: v[:, None] for k, v in self.rows.slice(row + first, row + first + len(block)).items()}
            block[...] = self._measured(name, {**rows, **self.along.slice(begin, begin + out.shape[1])}, block.shape)

    def at(self, name: str, indices: Int64Array) -> Int64Array:
        """Return the values of a size or a count for single models, by their numbers."""
        rows, along = np.divmod(indices, self.along.length)
        return self._measured(name, {**self.rows.at(rows), **self.along.at(along)}, indices.shape)

    def _measured(self, name: str, values: dict[str, Int64Array], shape: tuple[int, ...]) -> Int64Array:
        """Evaluate a column on arrays of sizes that broadcast to a shape, as its formula is written."""
        polynomial = self.polynomial(name)
        if polynomial is not None:
            return evaluated(polynomial.terms, values, shape)
        sizes = {self.letters[letter]: array for letter, array in values.items() if letter != N_HEAD_LETTER}
        dims = self.piece.dims(sizes)
        return np.broadcast_to(np.asarray(_measure(name)(dims), dtype=np.int64), shape)

    def _of(self, name: str) -> Factored | None:
        """Return how a column is computed, None where it is no polynomial; a column after another shares the room."""
        if name not in self._factored:
            polynomial, most = self.polynomial(name), min(self._table, self._room)
            found = None if polynomial is None else Factored(polynomial.terms, self.rows, self.along, most)
            self._room -= found.kept if found else 0
            self._factored[name] = found
        return self._factored[name]

    def polynomial(self, name: str) -> Expression | None:
        """Return a column as a polynomial of the sizes that run, None where it is none, as what is rounded up is."""
        if name not in self._polynomials:
            self._polynomials[name] = _polynomial(name, self.piece)
        return self._polynomials[name]


def _polynomial(name: str, piece: Piece) -> Expression | None:
    if name == "n_head":
        return Expression.letter(N_HEAD_LETTER)
    found = Expression.of(_measure(name)(in_letters(piece)))
    return None if found.divides else found


def in_letters(piece: Piece) -> Dims:
    """Return dims whose running sizes are letters; each stands for what the size is after any padding."""
    running = {name: getattr(LETTERED, name) for name, _ in piece.sizes if name in LETTERS}
    if piece.fields.get("n_inner") is None and "n_inner" not in running and "n_embd" in running:
        running["n_inner"] = 4 * running["n_embd"]
    return piece.most()._replace(**running)


def _measure(name: str) -> Callable[[Dims], Any]:
    measure = COLUMNS[name].measure
    return measure or (lambda dims: getattr(dims, name))
