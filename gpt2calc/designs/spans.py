"""What a size may be, as people write it: 64, 6:48, 12:96:12, 768,1024, and fractions such as 8/3.

Numbers and text alone: what is bounded by them is `bounds`.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from fractions import Fraction
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc import numbers, ranges
from gpt2calc.errors import ConfigError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    Sizes: TypeAlias = "int | str | range | Iterable[int]"
    Fractions: TypeAlias = "int | str | Fraction | Iterable[int | str | Fraction]"

MOST_DIGITS = 15
"""Sizes have at most this many digits, so that Python can tell how many there are in a range."""

MOST_LISTED_SIZES = 10_000
"""No list of sizes is longer."""


class Span(NamedTuple):
    """The sizes that are allowed: `values` in ascending order, each once, and the text that says so."""

    text: str
    values: Sequence[int]

    def between(self, low: int, high: int) -> Sequence[int]:
        """Return the sizes from `low` to `high`, both included.

        >>> read("n_layer", "12:96:12").between(20, 50)
        range(24, 60, 12)
        """
        return self.values[bisect_left(self.values, low) : bisect_right(self.values, high)]

    def has(self, size: int) -> bool:
        """Whether a size is allowed."""
        return bool(self.between(size, size))


class Fractional(NamedTuple):
    """The fractions that are allowed: those listed, or where `is_range` all from the first to the last."""

    text: str
    values: tuple[Fraction, ...]
    is_range: bool

    @property
    def least(self) -> Fraction:
        """The smallest."""
        return self.values[0]

    @property
    def most(self) -> Fraction:
        """The largest."""
        return self.values[-1]


def read(name: str, given: Sizes, least: int = 1) -> Span:
    """Read what sizes are allowed.

    Law: text says what `ranges.read` reads in it, in whatever order.

    Args:
        name: what the size is called.
        given: a number, a text, a `range` of Python, or numbers.
        least: the least that the size can be.

    Raises:
        ConfigError: it is none of these, holds no size, or one that is too small or too large.

    >>> read("n_embd", "768,1024").values, read("n_layer", "6:48").values, read("n_layer", range(6, 49)).text
    ((768, 1024), range(6, 49), '6:48')
    """
    if isinstance(given, str):
        given = ranges.read(name, given, MOST_LISTED_SIZES)
    values = (given if given.step > 0 else given[::-1]) if isinstance(given, range) else _numbers(name, given)
    if not values:
        raise ConfigError(f"{name} {shown(given)} holds no size: give the smaller first, as in 6:48", field=name)
    if values[0] < least or values[-1] >= 10**MOST_DIGITS:
        expected = f"{least} or more, and of at most {MOST_DIGITS} digits"
        raise ConfigError(f"{name} must be {expected}, got {shown(given)}", field=name, got=given)
    return Span(ranges.written(values), values)


def _numbers(name: str, given: int | Iterable[int]) -> Sequence[int]:
    """Return the sizes that a program gives."""
    one = numbers.whole(given)
    listed = [one] if type(one) is int else [numbers.whole(size) for size in _items(given)]
    sizes = [size for size in listed if type(size) is int]
    if len(sizes) < len(listed) or not 1 <= len(sizes) <= MOST_LISTED_SIZES:
        raise ConfigError(f"{name} takes whole numbers, got {numbers.told(given)}", field=name, got=given)
    return tuple(sorted(set(sizes)))


def _items(given: object) -> Iterable[object]:
    """Return what a list, an array or any other iterable of a program holds, up to one more than is taken."""
    if isinstance(given, (str, bytes)):
        return ()
    try:
        return islice(iter(given), MOST_LISTED_SIZES + 1)  # type: ignore[call-overload]  # whatever has no items raises
    except TypeError:
        return ()


def read_fractions(name: str, given: Fractions, *, positive: bool = False) -> Fractional:
    """Read what fractions are allowed, exactly: 4, 2.5, 8/3, a list 4,8/3 or a range 20:160.

    Raises:
        ConfigError: it is none of these, or a float, which is not exact.

    >>> read_fractions("inner_ratio", "4,8/3").values
    (Fraction(8, 3), Fraction(4, 1))
    """
    if isinstance(given, str):
        parts = ranges.parts(name, given)
    else:
        whole = [numbers.whole(each) for each in ([given] if isinstance(given, Fraction) else _items(given))]
        whole = whole or [numbers.whole(given)]
        parts = [[str(each) if isinstance(each, (str, int, Fraction)) and each is not True else "?"] for each in whole]
    is_range = len(parts[0]) > 1
    found = [numbers.fraction(piece) for part in parts for piece in part]
    values = tuple(value for value in found if value is not None and 0 <= value < 10**MOST_DIGITS)
    if len(values) < len(found) or (is_range and len(found) != 2) or (not is_range and len(found) > len(parts)):
        expected = f"{name} takes exact numbers such as 4, 2.5 or 8/3, a list 4,8/3 or a range 2:6"
        raise ConfigError(f"{expected}, got {shown(given)}", field=name, got=given)
    text = ":".join(map(str, parts[0])) if is_range else ",".join(part for (part,) in parts)
    if is_range and values[0] > values[1]:
        raise ConfigError(f"{name} {shown(given)} holds nothing: give the smaller first", field=name, got=given)
    if positive and not min(values):
        raise ConfigError(f"{name} must be more than 0, got {shown(given)}", field=name, got=given)
    return Fractional(text, values if is_range else tuple(sorted(set(values))), is_range)
