"""The chance that a figure is met by accident: how many of the figures that are printed like it are met by a number.

Law: a figure that means nothing has any digits of as many places, each alike. So the chance of a reading is the number
of such figures that have a reading as usual or more so, by the part of them all; every rounding, every header and every
number that is looked at is in it. Nothing is estimated. It must not know what is counted: that is `lattice`.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cached_property
from math import prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

MOST_CHANCE = Fraction(1, 40)
"""A figure is explained where at most so many of those that are printed like it would be, for their digits alone."""


class Met(NamedTuple):
    """Figures that a number is printed as, from the one of the first digits to that of the last.

    Args:
        first: the least digits.
        last: the largest.
        penalty: how unusual the reading is.
        value: the number.
        key: the convention of the reading.
        usual: how unusual the convention is, whatever the model and however the number meets the figure.
        family: the family of the model.
    """

    first: int
    last: int
    penalty: int
    value: int
    key: tuple[object, ...]
    usual: int
    family: str


class Chances:
    """What is met of all figures that are printed alike.

    Args:
        alike: the least and the largest digits of such a figure.
        met: which of them are met by the numbers that are looked at.
    """

    def __init__(self, alike: tuple[int, int], met: Iterable[Met]) -> None:
        first, last = alike
        self._figures = last - first + 1
        self._met = sorted(
            # Only what lies among the figures that are alike counts; `_figures` needs it by the first digits.
            each
            if first <= each.first and each.last <= last
            else each._replace(first=max(each.first, first), last=min(each.last, last))
            for each in met
            if each.first <= last and each.last >= first
        )
        self._known: dict[int, Fraction] = {}

    def of(self, penalty: int) -> Fraction:
        """Return the chance that any of the numbers meets such a figure by a reading of this penalty or less.

        >>> Chances((10, 99), [Met(12, 13, 0, 1, (), 0, ""), Met(13, 14, 2, 2, (), 0, "")]).of(2)
        Fraction(1, 30)
        """
        if penalty not in self._known:
            self._known[penalty] = self._part(each for each in self._met if each.penalty <= penalty)
        return self._known[penalty]

    @cached_property
    def expected(self) -> Fraction:
        """How many numbers are expected to meet such a figure by accident, a number that does so twice once.

        >>> Chances((10, 99), [Met(12, 13, 0, 1, (), 0, ""), Met(13, 14, 2, 2, (), 0, "")]).expected
        Fraction(2, 45)
        """
        found: dict[int, list[Met]] = {}
        for each in self._met:
            found.setdefault(each.value, []).append(each)
        # Expectations add up, whether or not two numbers meet the same figures.
        return Fraction(sum(map(_figures, found.values())), self._figures)

    def by_convention(self, wanted: Callable[[Met], bool]) -> dict[tuple[object, ...], Fraction]:
        """Return the chance that a convention meets such a figure, for each that is wanted."""
        found: dict[tuple[object, ...], list[Met]] = {}
        for each in filter(wanted, self._met):
            found.setdefault(each.key, []).append(each)
        return {key: self._part(met) for key, met in found.items()}

    def _part(self, met: Iterable[Met]) -> Fraction:
        """Return which part of all figures these are, each counted once."""
        return Fraction(_figures(met), self._figures)


def _figures(met: Iterable[Met]) -> int:
    """Return how many figures are met, each counted once, by what is sorted by its first digits."""
    figures, end = 0, -1
    for each in met:
        # All up to `end` was counted with those before: only what lies beyond it is new.
        if each.last > end:
            figures += each.last - max(each.first, end + 1) + 1
            end = each.last
    return figures


def together(chances: Sequence[Chances], wanted: Callable[[Met], bool]) -> Fraction:
    """Return the chance, or a little more, that one of the wanted conventions meets as many figures, all of them.

    Law: that of a convention is the product of its chances; those of several conventions add up at most.
    """
    first, *others = (each.by_convention(wanted) for each in chances)
    # Digits that mean nothing are independent from figure to figure, so that their chances multiply.
    products = (part * prod(other.get(key, 0) for other in others) for key, part in first.items())
    # The sum counts twice where two conventions meet all figures at once: it is a bound, and may be over 1.
    return min(sum(products, Fraction(0)), Fraction(1))
