"""How a polynomial is computed on a grid of rows: what is a number a row, what runs along a row, and what is both.

A term with letters of both kinds is kept as a table, where few of the letters number the rows and the table is small,
as a table that is scaled by one letter of the rows, or is multiplied out on the whole grid. The arrangement with the
fewest operations on that grid wins. It must not know of arrays.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.algebra import Terms


class Arrangement(NamedTuple):
    """The sum of five kinds of parts, each of which is 0 where it is empty.

    `tables` has for each set of letters that number rows the terms that need no others of them, and `products` pairs of
    polynomials, one of a row and one along it. `scaled` has a polynomial of a row, and the table that it multiplies.
    """

    base: Terms
    along: Terms
    tables: dict[tuple[str, ...], Terms]
    products: tuple[tuple[Terms, Terms], ...]
    scaled: tuple[tuple[Terms, tuple[str, ...], Terms], ...] = ()

    @property
    def all_tables(self) -> tuple[tuple[tuple[str, ...], Terms], ...]:
        """Every table, with the letters that number its rows: first those that are added as they are."""
        return (*self.tables.items(), *((letters, terms) for _, letters, terms in self.scaled))

    @property
    def operations(self) -> int:
        """How many sums and products are made for each number of the grid, a copy counting as one."""
        products = len(self.products) + len(self.scaled)
        addends = len(self.tables) + products + bool(self.base) + bool(self.along)
        return products + max(addends - 1, 0 if products else 1)


def arranged(terms: Terms, along: Mapping[str, int], rows: Mapping[str, int], most: int) -> Arrangement:
    """Arrange a polynomial for a grid.

    Args:
        terms: the polynomial, in letters of both kinds.
        along: the letters that run along a row, each with how many values it has.
        rows: the letters that number the rows, each with how many values it has.
        most: how many numbers a table may hold.

    >>> grid = {("L", "d", "d"): 12, ("V", "d"): 1, ("T", "d"): 1, ("d",): 2}
    >>> arranged(grid, {"T": 100, "V": 100}, {"L": 100, "d": 100}, 2**20)
    ... # doctest: +NORMALIZE_WHITESPACE
    Arrangement(base={('L', 'd', 'd'): 12}, along={},
                tables={('d',): {('V', 'd'): 1, ('T', 'd'): 1, ('d',): 2}},
                products=(), scaled=())
    >>> flops = {("L", "T", "d", "d"): 24, ("L", "T", "T", "d"): 4, ("T", "V", "d"): 2}
    >>> arranged(flops, {"T": 100, "V": 100}, {"L": 100, "d": 100}, 2**20).scaled
    (({('L',): 1}, ('d',), {('T', 'd', 'd'): 24, ('T', 'T', 'd'): 4}),)
    """
    base = {term: n for term, n in terms.items() if not set(term) & set(along)}
    row = {term: n for term, n in terms.items() if set(term) & set(along) and not set(term) & set(rows)}
    mixed = {term: n for term, n in terms.items() if term not in base and term not in row}
    width = prod(along.values())
    # A table with every letter of the rows is as large as the grid itself, and saves nothing.
    large = {
        term
        for term in mixed
        if prod(rows[letter] for letter in set(term) & set(rows)) * width > most or set(rows) <= set(term)
    }
    tabled = _with_tables(base, row, mixed, large, rows)
    plain = Arrangement(base, row, {}, _products(mixed, along))
    tabled = tabled._replace(products=_products({term: n for term, n in mixed.items() if term in large}, along))
    return min(plain, tabled, *_scaled(tabled, mixed, large, rows, most // max(width, 1)), key=_cost)


def _cost(arrangement: Arrangement) -> int:
    return arrangement.operations


def _scaled(
    tabled: Arrangement, mixed: Terms, large: set[tuple[str, ...]], rows: Mapping[str, int], most: int
) -> list[Arrangement]:
    """Return the arrangements in which one letter of the rows multiplies a table of at most so many rows.

    It must be in every term that is in no table otherwise, once: L·(24·d²·T + 4·d·T²) of L·d²·T and L·d·T².
    """
    found = []
    for letter in rows:
        letters = tuple(other for other in rows if other != letter and any(other in term for term in large))
        if letters and all(term.count(letter) == 1 for term in large) and prod(map(rows.__getitem__, letters)) <= most:
            terms = {tuple(each for each in term if each != letter): n for term, n in mixed.items() if term in large}
            found.append(tabled._replace(products=(), scaled=(({(letter,): 1}, letters, terms),)))
    return found


def _with_tables(
    base: Terms, row: Terms, mixed: Terms, large: set[tuple[str, ...]], rows: Mapping[str, int]
) -> Arrangement:
    """Put the terms that fit into tables, and with them what is a number a row, or runs along it, where it fits."""
    tables: dict[tuple[str, ...], Terms] = {}
    # The terms with the most letters come first: those with fewer then find a table that has theirs.
    for term in sorted((term for term in mixed if term not in large), key=lambda term: -len(set(term) & set(rows))):
        letters = {letter for letter in term if letter in rows}
        key = next((key for key in tables if letters <= set(key)), tuple(x for x in rows if x in letters))
        tables.setdefault(key, {})[term] = mixed[term]
    left = dict(base)
    for key, table in tables.items():
        for term in [term for term in left if set(term) <= set(key)]:
            table[term] = left.pop(term)
    if tables:
        next(iter(tables.values())).update(row)
    return Arrangement(left, {} if tables else row, tables, ())


def _products(mixed: Terms, along: Mapping[str, int]) -> tuple[tuple[Terms, Terms], ...]:
    """Group terms into products by what they share, of a row or along it, whichever gives fewer."""
    by_row: dict[tuple[str, ...], Terms] = {}
    by_along: dict[tuple[str, ...], Terms] = {}
    for term, coefficient in mixed.items():
        outer = tuple(letter for letter in term if letter not in along)
        inner = tuple(letter for letter in term if letter in along)
        by_row.setdefault(outer, {})[inner] = coefficient
        by_along.setdefault(inner, {})[outer] = coefficient
    if len(by_row) <= len(by_along):
        return tuple(({outer: 1}, inner) for outer, inner in by_row.items())
    return tuple((outer, {inner: 1}) for inner, outer in by_along.items())
