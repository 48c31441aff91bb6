"""A polynomial on a grid of sizes: each term on the sizes that it needs, and few operations on the whole grid.

The last sizes run along a row, some hundred models or more, and the others number the rows, an axis each, so that numpy
broadcasts what does not need them. A sum or a product that wraps on the way comes out right, as arithmetic modulo 2⁶⁴
has it, because the count itself was shown to fit before anything is computed: see `grids.refuse_overflow`.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gpt2calc.ranges import length

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from numpy.typing import NDArray

    from gpt2calc.algebra import Terms
    from gpt2calc.sweeps.axes import Axis

    Int64Array = NDArray[np.int64]
    Box = tuple[slice, ...]

BLOCK_NUMBERS = 2**16
"""How many numbers are computed in one go: half a megabyte stays near a core."""

WINDOW_NUMBERS = 2**22
"""For how many numbers at once that is computed which not all of them need."""

LEAST_ROW_MODELS, MOST_ROW_MODELS = 2**9, 2**15
"""A row has at least so many models, where the sizes allow, and at most so many but for a single size that is long."""

MOST_TABLE_NUMBERS = 2**20
"""How many numbers the table of a polynomial keeps at most."""


class Arrangement(NamedTuple):
    """A sum of three kinds of parts: what needs no size along a row, a table that is kept, and products.

    The table is of the letters in `kept`, which number rows, and of a row. A product is of a polynomial of what numbers
    rows, and one of what runs along them.
    """

    base: Terms
    kept: frozenset[str] = frozenset()
    table: Terms = {}  # noqa: RUF012  # never changed
    products: tuple[tuple[Terms, Terms], ...] = ()

    @property
    def operations(self) -> int:
        """How many sums and products are made for each number of the grid."""
        return 2 * len(self.products) + bool(self.table) + bool(self.base) - 1


def arranged(terms: Terms, rows: Mapping[str, int], width: int, most: int) -> Arrangement:
    """Arrange a polynomial for a grid, so that few operations are on all of it.

    Args:
        terms: the polynomial.
        rows: the letters that number the rows, each with how many values it has.
        width: how many models a row has.
        most: how many numbers a table may hold.

    >>> total = {("L", "d", "d"): 12, ("V", "d"): 1, ("T", "d"): 1, ("d",): 2}
    >>> arranged(total, {"L": 100, "d": 100}, 10_000, 2**20).table
    {('V', 'd'): 1, ('T', 'd'): 1}
    """
    base = {term: n for term, n in terms.items() if rows.keys() >= set(term)}
    mixed = {term: n for term, n in terms.items() if term not in base}
    kept, table = frozenset[str](), dict[tuple[str, ...], int]()
    for term in sorted(mixed, key=lambda term: len(rows.keys() & term)):
        union = kept | (rows.keys() & term)
        # A table with every letter of the rows is as large as the grid itself, and saves nothing.
        if len(union) < len(rows) and prod(rows[letter] for letter in union) * width <= most:
            kept, table[term] = union, mixed[term]
    choices = []
    for held in ({}, table):
        by_row: dict[tuple[str, ...], Terms] = {}
        by_along: dict[tuple[str, ...], Terms] = {}
        for term in mixed.keys() - held.keys():
            outer = tuple(letter for letter in term if letter in rows)
            inner = tuple(letter for letter in term if letter not in rows)
            by_row.setdefault(outer, {})[inner] = by_along.setdefault(inner, {})[outer] = mixed[term]
        used = kept if held else frozenset()
        choices.append(Arrangement(base, used, held, tuple(({outer: 1}, own) for outer, own in by_row.items())))
        choices.append(Arrangement(base, used, held, tuple((own, {inner: 1}) for inner, own in by_along.items())))
    return min(choices, key=lambda each: each.operations)


class Lattice:
    """The combinations of the values of sizes, by letter, the last one running fastest."""

    def __init__(self, axes: Mapping[str, Axis], row: int = LEAST_ROW_MODELS, table: int = MOST_TABLE_NUMBERS) -> None:
        self.axes, self.most = axes, table
        self.lengths = {letter: length(axis) for letter, axis in axes.items()}
        self.length = prod(self.lengths.values())
        letters, counts = list(axes), list(self.lengths.values())
        split = max(0, len(letters) - 1)
        while split and prod(counts[split:]) < row and prod(counts[split - 1 :]) <= MOST_ROW_MODELS:
            split -= 1
        self.rows, self.along = letters[:split], letters[split:]
        self.width = prod(counts[split:])
        self._along: tuple[Any, dict[str, Int64Array]] = (None, {})
        self._tables: dict[int, Int64Array] = {}

    def at(self, indices: Int64Array, letters: list[str] | None = None) -> dict[str, Int64Array]:
        """Return the sizes of single combinations of some letters, or of all, by their numbers."""
        found: dict[str, Int64Array] = {}
        for letter in reversed(list(self.axes) if letters is None else letters):
            indices, digits = np.divmod(indices, self.lengths[letter])
            found[letter] = self._taken(letter, digits)
        return found

    def _taken(self, letter: str, places: Any) -> Int64Array:
        axis = self.axes[letter]
        if isinstance(axis, range):
            found: Int64Array = places * axis.step + axis.start
        else:
            found = np.array(axis, dtype=np.int64)[places]
        return found

    def boxes(self, start: int, stop: int) -> Iterator[Box]:
        """Yield the combinations of a range as boxes of an axis for each letter of the rows, and one along them."""
        most = WINDOW_NUMBERS if self.width <= 2 * BLOCK_NUMBERS else BLOCK_NUMBERS
        return _boxes((*(self.lengths[letter] for letter in self.rows), self.width), start, stop, most)

    def sizes(self, box: Box) -> dict[str, Int64Array]:
        """Return the sizes of a box as arrays that broadcast to its shape."""
        *outer, along = box
        found = {}
        for axis, (letter, places) in enumerate(zip(self.rows, outer, strict=True)):
            values = self._taken(letter, np.arange(places.start, places.stop, dtype=np.int64))
            found[letter] = values.reshape(-1, *(1,) * (len(self.rows) - axis))
        if self._along[0] != along:  # as long as whole rows are asked for, it stays
            self._along = along, self.at(np.arange(along.start, along.stop, dtype=np.int64), self.along)
        return found | self._along[1]

    def fill(self, parts: Arrangement, box: Box, out: Int64Array) -> None:
        """Write the values of an arranged polynomial in a box."""
        sizes, axes = self.sizes(box), out.ndim
        products = [tuple(evaluated(each, sizes, axes) for each in pair) for pair in parts.products]
        addends = [evaluated(parts.base, sizes, axes)] if parts.base or parts.operations < 0 else []
        if parts.table:
            own = zip(self.rows, box, strict=False)
            addends.append(self._table(parts)[(*(b if r in parts.kept else slice(None) for r, b in own), box[-1])])
        # Products are made block by block, so that they stay near a core.
        for block in _boxes(out.shape, 0, out.size, BLOCK_NUMBERS if products else out.size):
            target = out[block]
            cut = [_cut(each, block) for each in addends]
            found, *others = cut + [_cut(one, block) * _cut(other, block) for one, other in products]
            for number, other in enumerate(others, 1):
                found = np.add(found, other, out=target if number == len(others) else None)
            if found is not target:
                np.copyto(target, found)

    def _table(self, parts: Arrangement) -> Int64Array:
        if id(parts) not in self._tables:
            whole = slice(0, 1)
            box = (*(slice(0, self.lengths[r]) if r in parts.kept else whole for r in self.rows), slice(0, self.width))
            self._tables[id(parts)] = evaluated(parts.table, self.sizes(box), len(box))
        return self._tables[id(parts)]


def _boxes(lengths: tuple[int, ...], start: int, stop: int, most: int) -> Iterator[Box]:
    """Yield boxes of at most so many numbers that cover a range once, in order."""
    others = lengths[1:]
    inner = prod(others)
    while start < stop:
        place, begin = divmod(start, inner)
        if others and (begin or stop - start < inner or inner > most):
            end = min(inner, begin + stop - start)
            yield from ((slice(place, place + 1), *box) for box in _boxes(others, begin, end, most))
            start += end - begin
        else:
            count = min((stop - start) // inner, max(1, most // inner))
            yield (slice(place, place + count), *(slice(0, each) for each in others))
            start += count * inner


def _cut(values: Int64Array, box: Box) -> Int64Array:
    """Return what of values that broadcast is in a box."""
    return values[tuple(own if size > 1 else slice(None) for own, size in zip(box, values.shape, strict=True))]


def evaluated(terms: Terms, sizes: Mapping[str, Int64Array], axes: int = 1) -> Int64Array:
    """Evaluate a polynomial on arrays that broadcast, as int64 arithmetic has it."""
    found = np.zeros((1,) * axes, dtype=np.int64)
    for term, coefficient in terms.items():
        product = np.array([wrapped(coefficient)], dtype=np.int64)
        for letter in term:
            product = product * sizes[letter]
        found = found + product
    return found


def wrapped(number: int) -> int:
    """Return the int64 that a number is modulo 2⁶⁴: itself, unless it stands before a size that is 0.

    >>> wrapped(12), wrapped(2**63)
    (12, -9223372036854775808)
    """
    return (number + 2**63) % 2**64 - 2**63
