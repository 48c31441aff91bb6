"""A figure as somebody prints a size, 117M or 0.186B or 548 MB, and what a whole number must be to be printed so.

Everything that is known about reading such a figure stands here. It must not know what is counted: that is `lattice`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gpt2calc.errors import ConfigError, shown
from gpt2calc.figures import BYTES, COUNT, UNITS, vague_zeros

EXACT, ROUNDED, CUT_OFF, ROUNDED_UP, WITH_HEADER = "exact", "rounded", "cut off", "rounded up", "with a header"
FITS = {EXACT: 0, ROUNDED: 0, CUT_OFF: 1, WITH_HEADER: 1, ROUNDED_UP: 2}
"""Every way in which printed digits come from a number, and how far it is from what people mostly do."""

LONGEST_HEADER = 2**16
"""How many bytes of a file may be no tensor's: the names and shapes of gpt2-xl take 58 kB."""

KNOWN, RARE, SELDOM = 2, 4, 6
"""The weights of a departure from the plain way: one that occurs often in public, and others that do less."""

WORTH_A_UNIT = 10**4
"""A whole number without a unit that is smaller than this is likely to be in thousands, millions or billions."""

MOST = 20
LONGEST = 300
EXAMPLES = "117M, 137,022,720, 0.186B or 548 MB"

FIGURE = re.compile(
    r"(?<![\w.,/-])(?P<about>~|≈|about )? ?(?P<sign>[-−])?"
    r"(?P<whole>[0-9]{1,3}(?:[,_][0-9]{3})+|[0-9]+)(?:\.(?P<decimals>[0-9]+))?(?:[eE]\+?(?P<power>[0-9]{1,2}))? ?"
    rf"(?P<unit>{'|'.join(sorted(map(re.escape, UNITS), key=len, reverse=True))})(?!\w|[.,][0-9])"
)
BETWEEN = re.compile(r"(?<=[0-9A-Za-z])\s*/\s*(?=[0-9~≈])")
"""The stroke between two figures, as in 124M/355M."""


class Scale(NamedTuple):
    """What a unit of a figure may stand for, how unusual that is, and what it is called where it is no power of ten."""

    kind: str
    unit: int
    weight: int
    name: str = ""


class Printed(NamedTuple):
    """A figure as it is printed.

    Args:
        text: the figure, without the words around it.
        digits: its digits as a whole number.
        decimals: how many of them stand behind the point; less than 0 where the last ones before it say nothing.
        unit: the unit, as it is spelled.
        power: the power of ten that the number is multiplied by, as in 1.5e9.
    """

    text: str
    digits: int
    decimals: int
    unit: str
    power: int = 0

    @property
    def scales(self) -> tuple[Scale, ...]:
        """What a unit of the figure may stand for.

        Law: M is 10⁶ parameters; less often 2²⁰ parameters, or 2²⁰ or 10⁶ bytes. MB is 10⁶ bytes, less often 2²⁰. A
        small number without a unit can be in any.

        >>> [(scale.kind, scale.unit, scale.weight) for scale in read("548 MB")[0].scales]
        [('bytes', 1000000, 0), ('bytes', 1048576, 2)]
        """
        if not self.unit and not self.power and (self.decimals > 0 or self.digits < WORTH_A_UNIT):
            named = [scale for unit in ("M", "B", "K") for scale in self._replace(unit=unit).scales]
            return (*named, *(self._bare() if self.decimals <= 0 else ()))
        unit, kinds = UNITS[self.unit]
        by, ten = int(unit), 10**self.power
        thousands = (len(str(by)) - 1) // 3 if by in (1000, 10**6, 10**9, 10**12) else 0
        binary, name = 1024**thousands, f"2^{10 * thousands}"
        if COUNT not in kinds:
            twos = (Scale(BYTES, binary * ten, KNOWN, name),) if thousands else ()
            return (Scale(BYTES, by * ten, 0), *twos)
        if not thousands:
            return self._bare()
        return (
            Scale(COUNT, by * ten, 0),
            Scale(COUNT, binary * ten, KNOWN, name),
            Scale(BYTES, binary * ten, KNOWN, name),
            Scale(BYTES, by * ten, RARE),
        )

    def _bare(self) -> tuple[Scale, ...]:
        return Scale(COUNT, 10**self.power, 0), Scale(BYTES, 10**self.power, KNOWN)

    def bounds(self, scale: Scale) -> tuple[int, int]:
        """Return the least and the largest whole number that can be printed so, at a scale.

        >>> read("117M")[0].bounds(Scale(COUNT, 10**6, 0))
        (116000001, 117999999)
        """
        shift, unit = self._at(scale)
        least, most = (self.digits - 1) * unit // shift + 1, ((self.digits + 1) * unit - 1) // shift
        return (max(least - LONGEST_HEADER, 1) if scale.kind == BYTES else least), most

    def around(self, scale: Scale) -> tuple[int, int]:
        """Return half and twice the number that the figure says, at a scale."""
        shift, unit = self._at(scale)
        return self.digits * unit // (2 * shift), 2 * self.digits * unit // shift

    def fit(self, value: int, scale: Scale) -> str | None:
        """Return how a whole number comes to be printed as this figure, None where it does not.

        Law: a number is rounded to the nearest figure of as many digits, half to the even one or to the larger; it is
        cut off downwards, and rounded up. Bytes are rounded with those of a header as well.

        >>> million = Scale(COUNT, 10**6, 0)
        >>> figure = read("124M")[0]
        >>> [figure.fit(n, million) for n in (124000000, 124439808, 124900000, 123400000, 125000000)]
        ['exact', 'rounded', 'cut off', 'rounded up', None]
        """
        shift, unit = self._at(scale)
        above = value * shift - self.digits * unit  # the distance from the figure, in units of its last digit
        if above == 0:
            return EXACT
        if 2 * abs(above) < unit or 2 * above == -unit or (2 * above == unit and self.digits % 2 == 0):
            return ROUNDED
        if 0 < above < unit:
            return CUT_OFF
        if scale.kind == BYTES and -2 * above - unit <= 2 * LONGEST_HEADER * shift and above < 0:
            return WITH_HEADER
        return ROUNDED_UP if -unit < above < 0 and self.digits > 1 else None  # up to a 1, anything would be

    def distance(self, value: int, scale: Scale) -> int:
        """Return how much larger a whole number is than the figure, which is cut off to a whole one for it."""
        shift, unit = self._at(scale)
        return value - self.digits * unit // shift

    def _at(self, scale: Scale) -> tuple[int, int]:
        """Return what a number, and what the figure's digits, are multiplied by to be compared as whole numbers."""
        return 10 ** max(self.decimals, 0), scale.unit * 10 ** max(-self.decimals, 0)


def find(text: str) -> tuple[Printed, ...]:
    """Return every figure in a text, in order; whatever words stand around them are passed over.

    Raises:
        ConfigError: a figure is negative, or is a percentage or a ratio.

    >>> [figure.text for figure in find("number of parameters: 123.65M")]
    ['123.65M']
    >>> [figure.text for figure in find("124M/355M")], find("GPT-3 Small")
    (['124M', '355M'], ())
    """
    words = " ".join(BETWEEN.sub(" ", text[: LONGEST + 1]).split())
    return tuple(_printed(found, text) for found in FIGURE.finditer(words))


def read(text: str) -> tuple[Printed, ...]:
    """Return every figure in a text that is expected to hold one.

    Raises:
        ConfigError: the text holds no figure, or none that can be a size.

    >>> read("~355 million")[0].digits
    355
    """
    found = find(text) if len(text) <= LONGEST else ()
    if not found:
        raise ConfigError(f"expected a figure such as {EXAMPLES}, got {shown(text)}", got=text)
    return found


def _printed(found: re.Match[str], text: str) -> Printed:
    unit, kinds = found["unit"], UNITS[found["unit"]][1]
    if found["sign"] or (COUNT not in kinds and BYTES not in kinds):
        raise ConfigError(f"expected a number of parameters or bytes, got {shown(found[0].strip())}", got=text)
    whole, decimals = re.sub("[,_]", "", found["whole"]), found["decimals"] or ""
    vague = vague_zeros(whole.lstrip("0")) if found["about"] and not decimals else 0
    digits = int(whole + decimals) // 10**vague
    if not digits:
        raise ConfigError(f"expected a number of parameters or bytes above 0, got {shown(text)}", got=text)
    return Printed(found[0].strip(), digits, len(decimals) or -vague, unit, int(found["power"] or 0))


def too_many(number: int) -> ConfigError:
    """Return the error that says that there are more figures than are explained at once."""
    return ConfigError(f"expected at most {MOST} figures at once, got {number}")
