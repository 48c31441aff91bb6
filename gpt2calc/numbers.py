"""Whole numbers, as people type them and as programs hold them: `50257`, `50,257`, `50k`, `1e3`, `np.int64(12)`.

The one reader of a number: the command line, Python and the page read by the pattern and the laws that stand here. It
must not know what is counted; a number of which one does not know whether it is a list is `ranges`', and what people
print of a number that they rounded `figures`'.
"""

from __future__ import annotations

import operator
import re

from gpt2calc.errors import ConfigError, pair, shown
from gpt2calc.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from fractions import Fraction

MOST_DIGITS = 1000
"""Numbers have at most this many digits, so that every count stays below the 4,300 that Python prints by default."""

TOO_LARGE: int = 10**MOST_DIGITS
"""The least number that has more digits; a text that says a larger one is read as this, and refused as this."""

SAFE = 2**53
"""From here on a float is no single whole number: 2^53 and 2^53 + 1 are the same float."""

THOUSANDS = {
    unit: 3 * n
    for n, units in enumerate(
        (("K", "k", "thousand"), ("M", "m", "million"), ("B", "b", "billion"), ("T", "t", "trillion")), 1
    )
    for unit in units
}
"""Each unit of a number, with how many zeros it stands for."""

GROUPED = r"[1-9][0-9]{0,2}(?:(?:,[0-9]{3})+|(?:_[0-9]{3})+)"
"""Digit groups: one to three digits, then groups of three, and one separator for all; the first digit is no 0."""

SPACED = GROUPED[:-1] + "|(?: [0-9]{3})+)"
UNIT = "|".join(sorted(THOUSANDS, key=len, reverse=True))
NUMBER = (
    rf"(?P<sign>[-+−])?(?:(?P<whole>{SPACED}|[0-9]+)(?:\.(?P<decimals>[0-9]+))?(?:[eE](?P<power>[-+]?[0-9]{{1,4}}))?"
    rf" ?(?P<unit>{UNIT})?|(?P<base>[0-9]{{1,9}})(?:\^|\*\*)(?P<exponent>[0-9]{{1,4}}))"
)
"""The pattern of a number as people type it, in the digits 0 to 9."""


class Typed(NamedTuple):
    """A number that was typed: what it is, exactly, and whether it was typed so, in digits, grouped or not."""

    value: int | Fraction
    is_plain: bool

    @property
    def whole(self) -> int | None:
        """The number where it is whole."""
        return self.value.numerator if self.value.denominator == 1 else None


def typed(text: str) -> Typed | None:
    """Read a number as people type it; None where it is none.

    Law: digit groups are groups of three after the first, with one of `,`, `_` and a blank between all. k, M, B and T,
    or thousand, million, billion and trillion, are powers of a thousand; 1e3 is 1 and three zeros; ^ and ** are powers.
    Decimal digits of any script are digits. A number of more than `MOST_DIGITS` digits is read as `TOO_LARGE`.

    >>> [typed(text).whole for text in ("50,257", "50_257", "50 257", "+12", "1.5B", "1e3", "12.0", "2**20")]
    [50257, 50257, 50257, 12, 1500000000, 1000, 12, 1048576]
    >>> typed("1.2345k").value, typed("50,25"), typed("2k").is_plain
    (Fraction(2469, 2), None, False)
    """
    if text.isascii() and text.isdecimal() and len(text) <= MOST_DIGITS:  # most are, and need no pattern
        return Typed(int(text), is_plain=True)
    words = " ".join(text.split())
    digits = words if words.isascii() else "".join(str(int(x)) if x.isdecimal() else x for x in words)
    found = re.fullmatch(NUMBER, digits)
    if not found:
        return None
    value = _value(found)
    is_plain = digits == words and not any(found[part] for part in ("decimals", "power", "unit", "base"))
    return value if value is None else Typed(-value if found["sign"] in ("-", "−") else value, is_plain)


def _value(found: re.Match[str]) -> int | Fraction | None:
    """Return what a number without its sign is; None where it has too many digits behind the point."""
    if found["base"]:
        power: int = int(found["base"]) ** int(found["exponent"])
        return min(TOO_LARGE, power)
    whole, decimals = re.sub("[,_ ]", "", found["whole"]).lstrip("0"), found["decimals"] or ""
    shift = int(found["power"] or 0) + THOUSANDS.get(found["unit"] or "", 0)
    if whole and len(whole) + shift > MOST_DIGITS:
        return TOO_LARGE
    if len(whole + decimals) > 2 * MOST_DIGITS:
        return None
    digits, zeros = int(whole + decimals or "0"), shift - len(decimals)
    if zeros >= 0:
        exact: int = digits * 10**zeros
        return min(TOO_LARGE, exact)
    from fractions import Fraction  # which loads more than all of a plain count

    return Fraction(digits, 10**-zeros)


class Quoted(str):
    """Text of a document, where a number has no quotes: "768" in a config.json is text, whatever it says."""

    __slots__ = ()


def whole(value: object) -> object:
    """Return a whole number of any type as Python's int, and what is none as it came.

    Law: a number is taken where it is exactly one whole number: ints of numpy and torch, 12.0, Decimal(12),
    Fraction(12), and text as `typed` reads it; `none` is None. A truth value is no number, an array of one dimension or
    more is none, and a float of 2^53 and above is not one number.

    >>> whole(12.0), whole("12k"), whole("none"), whole(True), whole(12.5), whole(1e23)
    (12, 12000, None, True, 12.5, 1e+23)
    """
    if type(value) is int or value is None or isinstance(value, (bool, Quoted)):
        return value
    if isinstance(value, str):
        found = typed(value)
        number = found.whole if found else None
        return number if number is not None else None if value.strip().lower() == "none" else value
    return _of_program(_held(value))


def has_items(value: object) -> bool:
    """Whether a value of a program is an array of one dimension or more.

    >>> has_items(12), has_items("12")
    (False, False)
    """
    return bool(getattr(value, "ndim", False))


def _held(value: object) -> object:
    """Return the one number or truth that a scalar of numpy or torch holds; anything else as it came."""
    if not hasattr(value, "item") or not hasattr(value, "dtype") or has_items(value):
        return value
    try:
        scalar: object = value.item()
    except (RuntimeError, TypeError, ValueError):  # a tensor on meta holds none
        return value
    return scalar


def _of_program(value: object) -> object:
    """Return an exact whole number among floats, decimals, fractions and what stands for an index as an int."""
    from decimal import Decimal  # as above
    from fractions import Fraction

    if isinstance(value, bool) or has_items(value):
        return value
    if isinstance(value, float):
        return int(value) if value.is_integer() and abs(value) < SAFE else value
    if isinstance(value, Decimal):
        is_whole = value.is_finite() and value.adjusted() < MOST_DIGITS and value == value.to_integral_value()
        return int(value) if is_whole else value
    if isinstance(value, Fraction):
        return value.numerator if value.denominator == 1 else value
    try:
        return operator.index(value)  # type: ignore[arg-type]  # whatever has none raises
    except (TypeError, RuntimeError):  # as above
        return value


def told(value: object) -> str:
    """Return what was given as a message shows it, and what it is where it is a number and no whole one.

    >>> told("1.2345k"), told("x"), told(1.5), told(1e23)
    ("'1.2345k', which is 1234.5", "'x'", '1.5', '1e+23, and from 2^53 on a float is no single number: give an int')
    """
    if isinstance(value, float) and abs(value) >= SAFE and value.is_integer():
        return f"{shown(value)}, and from 2^53 on a float is no single number: give an int"
    if not isinstance(value, str) or isinstance(value, Quoted):
        return shown(value)
    found = typed(value)
    if found is None or found.whole is not None:
        return shown(value)
    decimal = float(found.value)
    is_other = 0.001 <= abs(decimal) < SAFE and value.strip() != str(decimal)
    return shown(value) + (f", which is {decimal}" if is_other else "")


def remark(name: str, given: object) -> str | None:
    """Return a note that says how a number was read, None where it was given as what it is.

    >>> remark("vocab", "50k"), remark("n_layer", 12.0), remark("vocab", "50,257"), remark("n_layer", 12)
    ('vocab=50k is read as 50,000', 'n_layer=12.0 is read as 12', None, None)
    """
    if isinstance(given, str):
        found = typed(given)
        if found is None or found.is_plain:
            return None
    elif isinstance(given, bool) or hasattr(given, "__index__"):
        return None
    value = whole(given)
    return f"{pair(name, given)} is read as {value:,}" if type(value) is int and value < TOO_LARGE else None


def read(name: str, given: object, least: int = 1, most: int | None = None) -> int:
    """Read one whole number that is no field of a model: how many rows, sequences, tokens, devices.

    Raises:
        ConfigError: it is none, or too small or too large.

    >>> read("top", "1k"), read("top", 3.0)
    (1000, 3)
    """
    value = whole(given)
    if type(value) is int and least <= value <= (TOO_LARGE - 1 if most is None else most):
        return value
    expected = f"{least} or more" if most is None else f"from {least} to {most:,}"
    comma = "," if most is None else ""
    raise ConfigError(f"{name} must be a whole number{comma} {expected}, got {told(given)}", field=name, got=given)


def fraction(text: str) -> Fraction | None:
    """Read a number that need not be whole, exactly, as 2.5, 8/3 or 1.5k; None where it is none.

    >>> fraction("8/3"), fraction("2.5"), fraction("1/0")
    (Fraction(8, 3), Fraction(5, 2), None)
    """
    from fractions import Fraction  # as above

    above, below = (typed(part) for part in (text.split("/") if text.count("/") == 1 else (text, "1")))
    return Fraction(above.value) / Fraction(below.value) if above and below and below.value else None
