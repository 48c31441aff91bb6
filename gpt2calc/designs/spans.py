"""What a size may be, as people write it: 64, 6:48, 12:96:12, 768,1024, and fractions such as 8/3.

Numbers and text alone: what is bounded by them is `bounds`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.errors import ConfigError, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    Sizes: TypeAlias = "int | str | range | Iterable[int]"
    Fractions: TypeAlias = "int | str | Fraction | Iterable[int | str | Fraction]"

MOST_DIGITS = 15
"""Sizes have at most this many digits, so that Python can tell how many there are in a range."""

WHOLE = re.compile(r"[0-9]{1,100}")
FRACTION = re.compile(r"[0-9]{1,15}(?:\.[0-9]{1,15}|/[0-9]{1,15})?")
MOST_LISTED = 10_000
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

    Law: a:b is a, a + 1 … b, both included; a:b:s goes in steps of s; a,b,c are these sizes.

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
        values: Sequence[int] = _typed(name, given)
    elif isinstance(given, range):
        values = given if given.step > 0 else given[::-1]
    else:
        values = _numbers(name, given)
    if not values:
        raise ConfigError(f"{name} {shown(given)} holds no size: give the smaller first, as in 6:48", field=name)
    if values[0] < least or values[-1] >= 10**MOST_DIGITS:
        expected = f"{least} or more, and of at most {MOST_DIGITS} digits"
        raise ConfigError(f"{name} must be {expected}, got {shown(given)}", field=name, got=given)
    return Span(_written(values), values)


def _typed(name: str, text: str) -> Sequence[int]:
    """Return the sizes that a text says."""
    parts = text.replace("_", "").split(":")
    numbers = parts[0].split(",") if len(parts) == 1 else parts
    if len(parts) > 3 or not all(WHOLE.fullmatch(number.strip()) for number in numbers):
        problem = f"{name} takes a size, a range such as 6:48, with a step 12:96:12, or a list 12,24"
        raise ConfigError(f"{problem}, got {shown(text)}", field=name, got=text)
    sizes = [int(number) for number in numbers]
    if len(parts) == 1:
        return tuple(sorted(set(sizes)))
    step = sizes[2] if len(parts) == 3 else 1
    if not step:
        raise ConfigError(f"{name} {shown(text)} has a step of 0: give 1 or more", field=name, got=text)
    return range(sizes[0], sizes[1] + 1, step)


def _numbers(name: str, given: int | Iterable[int]) -> Sequence[int]:
    """Return the sizes that a program gives."""
    listed = [given] if isinstance(given, int) else list(given) if hasattr(given, "__iter__") else []
    whole = all(isinstance(size, int) and not isinstance(size, bool) for size in listed)
    if not whole or not 1 <= len(listed) <= MOST_LISTED:
        raise ConfigError(f"{name} takes whole numbers, got {shown(given)}", field=name, got=given)
    return tuple(sorted(set(listed)))


def _written(values: Sequence[int]) -> str:
    """Return sizes as people type them."""
    if isinstance(values, range) and len(values) > 1:
        step = "" if values.step == 1 else f":{values.step}"
        return f"{values[0]}:{values[-1]}{step}"
    return ",".join(map(str, values))


def read_fractions(name: str, given: Fractions, *, positive: bool = False) -> Fractional:
    """Read what fractions are allowed, exactly: 4, 2.5, 8/3, a list 4,8/3 or a range 20:160.

    Raises:
        ConfigError: it is none of these, or a float, which is not exact.

    >>> read_fractions("inner_ratio", "4,8/3").values
    (Fraction(8, 3), Fraction(4, 1))
    """
    listed = [given] if isinstance(given, (str, int, Fraction)) else list(given) if hasattr(given, "__iter__") else []
    text = ",".join(str(part) if isinstance(part, (str, int, Fraction)) else "?" for part in listed).replace(" ", "")
    is_range = ":" in text
    parts = text.split(":" if is_range else ",")
    readable = all(map(FRACTION.fullmatch, parts)) and not any(re.search(r"/0+$", part) for part in parts)
    if not readable or (is_range and len(parts) != 2):
        expected = f"{name} takes exact numbers such as 4, 2.5 or 8/3, a list 4,8/3 or a range 2:6"
        raise ConfigError(f"{expected}, got {shown(given)}", field=name, got=given)
    values = tuple(map(Fraction, parts))
    if is_range and values[0] > values[1]:
        raise ConfigError(f"{name} {shown(given)} holds nothing: give the smaller first", field=name, got=given)
    if positive and not min(values):
        raise ConfigError(f"{name} must be more than 0, got {shown(given)}", field=name, got=given)
    return Fractional(text, values if is_range else tuple(sorted(set(values))), is_range)
