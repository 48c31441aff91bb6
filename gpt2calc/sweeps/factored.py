"""A polynomial on a grid, factored: each term on the sizes that it needs, few operations on the whole grid.

All of it is int64. A sum or a product that wraps on the way comes out right, as arithmetic modulo 2⁶⁴ has it, because
the count itself was shown to fit before anything is computed: see `grids.refuse_overflow`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from gpt2calc.sweeps.parts import Combinations, evaluated
from gpt2calc.sweeps.splitting import arranged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.algebra import Terms
    from gpt2calc.sweeps.parts import Int64Array
    from gpt2calc.sweeps.splitting import Arrangement

BLOCK_NUMBERS = 2**16
"""How many numbers are computed in one go where there are several operations: half a megabyte stays near a core."""

WINDOW_ROWS = 2**15
"""For how many rows at once the numbers of a row are computed."""

LEAST_STRETCH_NUMBERS = 2**13
"""Rows that follow on each other in a table are taken as they lie where they hold so many numbers, else one by one."""


class Window(NamedTuple):
    """What does not change along a row, for a range of rows."""

    start: int
    stop: int
    base: Int64Array
    factors: list[Int64Array]
    indices: list[Int64Array]
    stretches: list[int]
    """Where the rows begin that follow on each other in every table; empty where they are taken one by one."""


class Factored:
    """One polynomial of the sizes of a piece, for any block of rows."""

    def __init__(self, terms: Terms, rows: Combinations, along: Combinations, most: int) -> None:
        self.rows, self.along = rows, along
        self.arrangement: Arrangement = arranged(terms, along.lengths, rows.lengths, most)
        self._window: Window | None = None
        self._vectors: tuple[int, int, list[Int64Array]] | None = None
        self._tables: list[Int64Array] = []
        self._room = [np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)]

    @property
    def kept(self) -> int:
        """How many numbers the tables hold."""
        rows = (Combinations(self.rows.piece, letters).length for letters, _ in self.arrangement.all_tables)
        return sum(rows) * self.along.length

    def fill(self, row: int, begin: int, out: Int64Array) -> None:
        """Write the values of as many rows as `out` has, from `begin` along each."""
        done, end = 0, begin + out.shape[1]
        while done < len(out):
            window = self._at(row + done)
            first = row + done - window.start
            last = min(first + len(out) - done, window.stop - window.start)
            for here, there in self._stretches(window, first, last, out.shape[1]):
                offset = here - first + done
                self._combine(window, slice(here, there), slice(begin, end), out[offset : offset + there - here])
            done += last - first

    def _stretches(self, window: Window, first: int, last: int, width: int) -> Iterator[tuple[int, int]]:
        """Yield ranges of rows that are computed in one go."""
        most = (
            max(1, BLOCK_NUMBERS // width) if self.arrangement.operations > 1 or not window.stretches else last - first
        )
        # A stretch can have begun before the first row, and end behind the last.
        breaks = window.stretches[bisect_right(window.stretches, first) : bisect_left(window.stretches, last)]
        for here, there in zip([first, *breaks], [*breaks, last], strict=True):
            for start in range(here, there, most):
                yield start, min(start + most, there)

    def _combine(self, window: Window, rows: slice, along: slice, out: Int64Array) -> None:
        """Add up tables, what runs along a row, the numbers of a row, and products, the last sum into `out`."""
        vectors = self._along(along)
        plain, count = len(self.arrangement.tables), len(self.arrangement.products)
        products = list(zip(window.factors[:count], vectors[bool(self.arrangement.along) :], strict=True))
        scaled = [self._looked_up(number, window, rows, along) for number in range(plain, len(self._tables))]
        products += zip(window.factors[count:], scaled, strict=True)
        if len(products) == 1 and self.arrangement.operations == 1:
            np.multiply(products[0][0][rows, None], products[0][1], out=out)
            return
        addends = [self._looked_up(number, window, rows, along) for number in range(plain)]
        addends += vectors[:1] if self.arrangement.along else []
        addends += [window.base[rows, None]] if self.arrangement.base or not (addends or products) else []
        count = len(addends) + len(products)
        if count == 1:
            np.copyto(out, addends[0])
            return
        # Two arrays of scratch are enough: the sum so far is in one, and the product that is added next in the other.
        found = addends[0] if addends else self._multiplied(0, products.pop(0), rows, out.shape)
        others = chain(addends[1:], (self._multiplied(1, each, rows, out.shape) for each in products))
        for number, other in enumerate(others, 2):
            found = np.add(found, other, out=out if number == count else self._scratch(0, out.shape))

    def _multiplied(
        self, room: int, product: tuple[Int64Array, Int64Array], rows: slice, shape: tuple[int, ...]
    ) -> Int64Array:
        found: Int64Array = np.multiply(product[0][rows, None], product[1], out=self._scratch(room, shape))
        return found

    def _scratch(self, room: int, shape: tuple[int, ...]) -> Int64Array:
        """Return room for numbers on the way, the same again and again, so that it stays near the core."""
        size = shape[0] * shape[1]
        if self._room[room].size < size:
            self._room[room] = np.empty(size, dtype=np.int64)
        return self._room[room][:size].reshape(shape)

    def _looked_up(self, number: int, window: Window, rows: slice, along: slice) -> Int64Array:
        """Return rows of a table: as they lie, where they are the same or follow on each other."""
        table, index = self._tables[number], window.indices[number][rows]
        if not window.stretches:
            return table[index, along]
        # Within a stretch the first two tell of all: the index stays, or goes up by one. What stays is one row for all.
        if len(index) > 1 and index[0] == index[1]:
            return table[index[0], along]
        return table[index[0] : index[0] + len(index), along]

    def _at(self, row: int) -> Window:
        """Return the numbers of rows, for a range that holds this one."""
        window = self._window
        if window is None or not window.start <= row < window.stop:
            if not self._tables:
                self._tables = [self._made(letters, terms) for letters, terms in self.arrangement.all_tables]
            # Windows begin at multiples, so that whoever asks for rows in order computes each window once.
            start = row - row % WINDOW_ROWS
            stop = min(start + WINDOW_ROWS, self.rows.length)
            values, shape = self.rows.slice(start, stop), (stop - start,)
            factors = [evaluated(factor, values, shape) for factor, _ in self.arrangement.products]
            factors += [evaluated(factor, values, shape) for factor, _, _ in self.arrangement.scaled]
            places = np.arange(start, stop, dtype=np.int64)
            indices = [self.rows.index(places, letters) for letters, _ in self.arrangement.all_tables]
            base = evaluated(self.arrangement.base, values, shape)
            found = stretches(indices, stop - start)
            long_enough = (stop - start) * self.along.length >= LEAST_STRETCH_NUMBERS * len(found)
            window = Window(start, stop, base, factors, indices, found if long_enough else [])
            self._window = window
        return window

    def _made(self, letters: tuple[str, ...], terms: Terms) -> Int64Array:
        """Compute a table, which is a polynomial on a grid as well, and has no tables of its own."""
        rows = Combinations(self.rows.piece, letters)
        table = np.empty((rows.length, self.along.length), dtype=np.int64)
        Factored(terms, rows, self.along, 0).fill(0, 0, table)
        return table

    def _along(self, along: slice) -> list[Int64Array]:
        """Return what does not change from row to row: the part of its own, if there is one, then that of products."""
        polynomials = [each for each in (self.arrangement.along,) if each]
        polynomials += [vector for _, vector in self.arrangement.products]
        if not polynomials:
            return []
        if self._vectors is None or not self._vectors[0] <= along.start <= along.stop <= self._vectors[1]:
            # A short row is computed once and for all; of a long one only the range that is asked for is kept.
            whole = self.along.length <= 4 * BLOCK_NUMBERS
            start, stop = (0, self.along.length) if whole else (along.start, along.stop)
            values, shape = self.along.slice(start, stop), (stop - start,)
            self._vectors = (start, stop, [evaluated(each, values, shape) for each in polynomials])
        start, _, vectors = self._vectors
        return [vector[along.start - start : along.stop - start] for vector in vectors]


def stretches(indices: list[Int64Array], count: int) -> list[int]:
    """Return where stretches of rows begin in which every index stays, or goes up by one.

    >>> stretches([np.array([4, 4, 4, 5, 6, 0, 1])], 7)
    [0, 3, 5]
    """
    breaks = np.zeros(count, dtype=bool)
    breaks[0] = True
    for index in indices:
        steps = np.diff(index, prepend=index[0])
        odd = (steps < 0) | (steps > 1)
        # A step must be like the one before it, unless that was a jump: the first step of a stretch is free.
        odd[2:] |= (steps[2:] != steps[1:-1]) & ~odd[1:-1]
        breaks |= odd
    return np.flatnonzero(breaks).tolist()
