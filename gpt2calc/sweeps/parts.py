"""Sizes as arrays: the combinations of some of a piece's sizes, numbered as they run, and polynomials of them."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from gpt2calc.dims import LETTERS
from gpt2calc.ranges import length

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    from gpt2calc.algebra import Terms
    from gpt2calc.sweeps.grids import Piece

    Int64Array = NDArray[np.int64]

N_HEAD_LETTER = "h"
"""The letter of n_head, which no formula has."""


class Combinations:
    """The combinations of some of the sizes of a piece, numbered with the last size running fastest."""

    def __init__(self, piece: Piece, letters: Iterable[str]) -> None:
        self.piece = piece
        axes = {LETTERS.get(name, N_HEAD_LETTER): (name, axis) for name, axis in piece.sizes}
        self.axes = {letter: axes[letter] for letter in letters}
        self.lengths = {letter: length(axis) for letter, (_, axis) in self.axes.items()}
        self.length = prod(self.lengths.values())
        self._arrays: dict[str, Int64Array] = {}
        self._window: tuple[int, int] | None = None
        self._values: dict[str, Int64Array] = {}

    def slice(self, start: int, stop: int) -> dict[str, Int64Array]:
        """Return the sizes of the combinations in a range, a letter each."""
        if (start, stop) != self._window:
            self._window, self._values = (start, stop), self.at(np.arange(start, stop, dtype=np.int64))
        return self._values

    def at(self, indices: Int64Array) -> dict[str, Int64Array]:
        """Return the sizes of single combinations, by their numbers."""
        return {letter: self._taken(letter, digits) for letter, digits in self._digits(indices).items()}

    def index(self, indices: Int64Array, letters: Iterable[str]) -> Int64Array:
        """Return the numbers that combinations have when only some of the sizes are told apart."""
        index = np.zeros(len(indices), dtype=np.int64)
        digits = self._digits(indices)
        for letter in letters:
            index = index * self.lengths[letter] + digits[letter]
        return index

    def _digits(self, indices: Int64Array) -> dict[str, Int64Array]:
        """Return which value of each size the combinations have, as the digits of a number."""
        found: dict[str, Int64Array] = {}
        for letter, count in reversed(self.lengths.items()):
            indices, found[letter] = (
                np.divmod(indices, count) if len(found) + 1 < len(self.lengths) else (indices, indices)
            )
        return dict(reversed(found.items()))

    def _taken(self, letter: str, indices: Int64Array) -> Int64Array:
        """Return values of one size, as the model has them: padded, for one."""
        name, axis = self.axes[letter]
        if isinstance(axis, range):
            values = indices * axis.step + axis.start
        else:
            if letter not in self._arrays:
                self._arrays[letter] = np.array(axis, dtype=np.int64)
            values = self._arrays[letter][indices]
        if letter == N_HEAD_LETTER:
            return values
        return np.broadcast_to(np.asarray(getattr(self.piece.dims({name: values}), name), dtype=np.int64), values.shape)


def evaluated(terms: Terms, values: dict[str, Int64Array], shape: tuple[int, ...]) -> Int64Array:
    """Evaluate a polynomial on arrays that broadcast to a shape, as int64 arithmetic has it."""
    found = np.zeros(shape, dtype=np.int64)
    for term, coefficient in terms.items():
        product = np.full((1,) * len(shape), wrapped(coefficient), dtype=np.int64)
        for letter in term:
            product = product * values[letter]
        found += product
    return found


def wrapped(number: int) -> int:
    """Return the int64 that a number is modulo 2⁶⁴: itself, unless it stands before a size that is 0.

    >>> wrapped(12), wrapped(2**63)
    (12, -9223372036854775808)
    """
    return (number + 2**63) % 2**64 - 2**63
