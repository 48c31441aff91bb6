"""A figure as people print it, 124M or ~22 % or < 0.1 %, and every way it can have come from an exact number.

The one reader of printed figures: claims, designs and explanations read by it. It must
not know what is measured: that is `quantities`.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import floor
from typing import NamedTuple

from gpt2calc.errors import MOST_SHOWN_CHARACTERS, ConfigError, shown
from gpt2calc.numbers import GROUPED, THOUSANDS

TRUE, ROUNDED, CUT_OFF, FALSE = "true", "true as rounded", "true as cut off", "false"
VERDICTS = (TRUE, ROUNDED, CUT_OFF, FALSE)

COUNT, BYTES, SHARE, RATIO, FLOPS = "count", "bytes", "share", "ratio", "FLOPs"
"""The kinds of quantities, which differ in the units that their figures take."""

KINDS = {
    COUNT: "a number of parameters",
    BYTES: "a number of bytes",
    SHARE: "a share of the total",
    RATIO: "a ratio",
}
SUCH_AS = {
    COUNT: "124M or 124,439,808",
    BYTES: "548 MB",
    SHARE: "22 %",
    RATIO: "2 or 1.99",
}

PREFIXES = tuple(enumerate(("", "k", "M", "G", "T", "P", "E", "Z")))
UNITS: dict[str, tuple[Fraction, tuple[str, ...]]] = {
    "": (Fraction(1), (COUNT, BYTES, SHARE, RATIO)),
    **{unit: (Fraction(10**zeros), (COUNT, BYTES)) for unit, zeros in THOUSANDS.items()},
    "bytes": (Fraction(1), (BYTES,)),
    **{unit: (Fraction(1000**n), (BYTES,)) for unit, n in (("kB", 1), ("KB", 1), ("MB", 2), ("GB", 3), ("TB", 4))},
    **{unit: (Fraction(1024**n), (BYTES,)) for unit, n in (("KiB", 1), ("MiB", 2), ("GiB", 3), ("TiB", 4))},
    **{f"{prefix}{unit}": (Fraction(1000**n), (FLOPS,)) for n, prefix in PREFIXES for unit in ("FLOP", "FLOPs")},
    "%": (Fraction(1, 100), (SHARE, RATIO)),
    **{unit: (Fraction(1), (RATIO,)) for unit in ("x", "×")},
}
"""Each unit with what it stands for, and the kinds of quantities that it is said of."""

FIGURE = (
    r"(?P<about>~|≈|about )? ?(?P<sign>[-−])?"
    rf"(?P<whole>{GROUPED}|[0-9]+)(?:\.(?P<decimals>[0-9]+))?(?:[eE]\+?(?P<power>[0-9]{{1,3}}))? ?"
    rf"(?P<unit>{'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})"
)
"""The pattern of a figure, whose digits are those of a number; a blank stands between two figures."""

POWER = r"(?<![A-Za-z0-9_.,])10 ?(?:\^|\*\*) ?(?=[0-9])"
TIMES = r"(?<=[0-9]) ?[·×*] ?10 ?(?:\^|\*\*) ?(?=[0-9])"
"""The patterns of 10^9 and of 1.5·10^9, which are 1e9 and 1.5e9."""

BOUND = re.compile(r"(<=|>=|<|>|≤|≥) ?(.+)")
RANGE = re.compile(r" to | ?– ?")


class Figure(NamedTuple):
    """One printed number: its value, and the step between it and the next that has as many digits."""

    value: Fraction
    step: Fraction
    decimals: int
    unit: str
    about: bool

    def readings(self, exact: Fraction) -> tuple[str, ...]:
        """Return every verdict by which this figure can stand for an exact number, none where it cannot.

        Law: a number is rounded to the nearest step, a half to the even neighbour or to the one further from zero, as
        people do both; it is cut off towards zero.

        >>> read("~22 %").low.readings(Fraction(2278, 10000)), read("~28 %").low.readings(Fraction(2840, 10000))
        (('true as cut off',), ('true as rounded', 'true as cut off'))
        """
        if exact == self.value:
            return (TRUE,)
        if self.value and (exact < 0) != (self.value < 0):
            return ()
        steps, printed = abs(exact) / self.step, abs(self.value) / self.step
        rounded = (round(steps), floor(steps + Fraction(1, 2)))
        found = ((ROUNDED, printed in rounded), (CUT_OFF, printed == floor(steps)))
        return tuple(verdict for verdict, agrees in found if agrees)


class Claimed(NamedTuple):
    """What is claimed of one model, as it is printed: a figure, or bounds, one of which can be missing.

    A figure is both bounds of itself.
    """

    text: str
    low: Figure | None
    high: Figure | None
    strict: bool = False

    @property
    def figures(self) -> tuple[Figure, ...]:
        """The figures that are printed."""
        return tuple(dict.fromkeys(figure for figure in (self.low, self.high) if figure))

    def readings(self, exact: Fraction) -> tuple[str, ...]:
        """Return every verdict by which an exact number fits, as `Figure.readings`.

        Law: bounds hold exactly, but one that is said to be approximate, ~100,000, is kept by a number that is
        printed so in as many digits.

        >>> read("10,000 to ~100,000").readings(Fraction(100352))
        ('true as rounded', 'true as cut off')
        """
        if self.low and self.low == self.high:
            return self.low.readings(exact)
        broken = self._broken(exact)
        if broken is None:
            return (TRUE,)
        return broken.readings(exact) if broken.about and not self.strict else ()

    def _broken(self, exact: Fraction) -> Figure | None:
        """Return the bound that an exact number does not keep."""
        if self.strict and any(exact == figure.value for figure in self.figures):
            return self.figures[0]
        if self.low and exact < self.low.value:
            return self.low
        return self.high if self.high and exact > self.high.value else None


def read(text: str) -> Claimed:
    """Read what is claimed: a figure, a bound or a range, as people print them.

    Law: the lower end of a range that has no unit has that of the upper one, as in 22 to 31 %.

    Args:
        text: such as "124M", "~22 %", "< 0.1 %" or "10,000 to ~100,000".

    Raises:
        ConfigError: it is none of these.

    >>> read("1.5B").low.value, read("≤ 5 %").high.value, read("22 to 31 %").low.value
    (Fraction(1500000000, 1), Fraction(1, 20), Fraction(11, 50))
    """
    words = " ".join(text.split())
    bound = BOUND.fullmatch(words)
    if bound:
        sign, figure = bound[1], _figure(bound[2], text)
        low, high = (figure, None) if sign in (">", ">=", "≥") else (None, figure)
        return Claimed(words, low, high, strict=sign in ("<", ">"))
    first, *rest = RANGE.split(words)
    if len(rest) > 1:
        raise _unreadable(text)
    high = _figure(rest[0] if rest else first, text)
    low = _figure(first, text, high.unit)
    if low.value > high.value:
        raise ConfigError(f"expected a range from the smaller to the larger, got {shown(text)}", got=text)
    return Claimed(words, low, high)


def in_words(verdict: str) -> str:
    """Return a verdict, or how a number meets a figure, as people are told it; a program keeps the word it knows.

    >>> in_words(CUT_OFF), in_words(ROUNDED)
    ('true as truncated', 'true as rounded')
    """
    return verdict.replace("cut off", "truncated")


def starts(text: str) -> bool:
    """Whether a text begins as a figure does, with a digit.

    >>> starts("350M"), starts("gpt2")
    (True, False)
    """
    return bool(re.match(r"[0-9]", text))


def in_digits(text: str) -> str:
    """Return a text with powers of ten as programs write them.

    >>> in_digits("10^9"), in_digits("3.14 × 10**23")
    ('1e9', '3.14e23')
    """
    return re.sub(POWER, "1e", re.sub(TIMES, "e", text))


def _figure(words: str, text: str, default: str = "") -> Figure:
    found = re.fullmatch(FIGURE, in_digits(words)) if len(words) <= MOST_SHOWN_CHARACTERS else None
    if not found:
        raise _unreadable(text)
    digits, decimals = re.sub("[,_]", "", found["whole"]), found["decimals"] or ""
    name = found["unit"] or default
    unit = UNITS[name][0] * 10 ** int(found["power"] or 0)
    value = unit * Fraction(int(digits + decimals), 10 ** len(decimals))
    step = unit / 10 ** len(decimals)
    if found["about"] and not decimals:
        step *= 10 ** vague_zeros(digits.lstrip("0"))
    return Figure(-value if found["sign"] else value, step, len(decimals), name, bool(found["about"]))


def vague_zeros(digits: str) -> int:
    """Return how many zeros at the end of an approximate whole number are no digits: those after the second digit.

    >>> vague_zeros("100000"), vague_zeros("355")
    (4, 0)
    """
    return max(0, min(len(digits) - len(digits.rstrip("0")), len(digits) - 2))


def _unreadable(text: str) -> ConfigError:
    return ConfigError(
        f"expected a figure such as 124M, ~22 %, < 0.1 % or 10,000 to ~100,000, got {shown(text)}", got=text
    )
