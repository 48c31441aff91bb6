"""A figure as somebody prints a size, 117M or 0.186B or 548 MB, and what a whole number must be to be printed so.

Everything that is known about reading such a figure stands here. It must not know what is counted: that is `lattice`.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from gpt2calc import figures
from gpt2calc.errors import ConfigError, shown
from gpt2calc.figures import BYTES, COUNT, FLOPS, UNITS, vague_zeros

EXACT, ROUNDED, CUT_OFF, ROUNDED_UP, WITH_HEADER = "exact", "rounded", "cut off", "rounded up", "with a header"
FITS = {EXACT: 0, ROUNDED: 0, CUT_OFF: 1, WITH_HEADER: 1, ROUNDED_UP: 2}
"""Every way in which printed digits come from a number, and how far it is from what people mostly do."""

HEADER = (1, 320)
"""The least and the most bytes of a file that are no tensor's, for each tensor in it: its name, its shape, its place.

Measured with GPT-2's names, at 2 to 48 blocks: safetensors 87 to 101, torch.save 138 to 157 before version 1.6 and 302
to 306 since. Of gpt2's published files rust_model.ot has 231, flax_model.msgpack 33, and llm.c's 1,024 bytes are 7.
"""

WRITTEN = "written out"
"""The kind of what only a whole number that is written out can mean, such as a sum of several parts."""

KNOWN, RARE, SELDOM = 2, 4, 6
"""The penalties of a departure from the plain way: one that occurs often in public, and others that do less."""

WORTH_A_UNIT = 10**4
"""A whole number without a unit that is smaller than this is likely to be in thousands, millions or billions."""

VAGUE_ZEROS = 3
"""A whole number that is written out and ends in so many zeros may be rounded; one that ends in fewer is exact."""

MOST_FIGURES = 20
MOST_TEXT_CHARACTERS = 300
EXAMPLES = "117M, 137,022,720, 0.186B or 548 MB"

FIGURE = re.compile(rf"(?<![\w.,/-]){figures.FIGURE}(?!\w|[.,][0-9])")
"""A figure that stands in a text, with nothing around it that would make it another."""

BETWEEN = re.compile(r"(?<=[0-9A-Za-z])\s*/\s*(?=[0-9~≈])")
"""The stroke between two figures, as in 124M/355M."""
PARAMETERS = re.compile(r"(?<![A-Za-z])param(?:eter)?s?(?![A-Za-z])", re.IGNORECASE)
"""A word that says that what is counted is parameters, and no bytes: number of parameters, num_params."""


BEFORE = re.compile(
    r"(?<![A-Za-z])param(?:eter)?s?(?: count| number| size)?(?: is| are| of| total)?[\s:=(|~≈]*$", re.IGNORECASE
)
AFTER = re.compile(r"[\s)]*(?:[A-Za-z-]+ ){0,2}param(?:eter)?s?(?![A-Za-z])", re.IGNORECASE)
"""What stands before, and behind, a figure that the word parameters is said of: params: 294,912, 50M parameters."""

LISTED = re.compile(r"[\s,;/|~≈]*(?:and|or)?[\s~≈]*")
"""What stands between two figures that one word is said of."""

TOLD = re.compile(r"[:=(] ?$")
"""What stands before a figure that is something else's, of which the word before it says what."""

RANK = re.compile(r" on \(tensor, pipeline\) model parallel rank \([0-9]+, [0-9]+\)")
"""What stands within Megatron's log line, with numbers that are no figures."""


class Scale(NamedTuple):
    """What a unit of a figure may stand for, how unusual that is, and what it is called where it is no power of ten."""

    kind: str
    unit: int
    penalty: int
    name: str = ""


class Printed(NamedTuple):
    """A figure as it is printed.

    Args:
        text: the figure, without the words around it.
        digits: its digits as a whole number.
        decimals: how many of them stand behind the point; less than 0 where the last ones before it say nothing.
        unit: the unit, as it is spelled.
        power: the power of ten that the number is multiplied by, as in 1.5e9.
        says: COUNT where the words around it say that it is of parameters.
    """

    text: str
    digits: int
    decimals: int
    unit: str
    power: int = 0
    says: str = ""

    @property
    def in_bytes(self) -> bool:
        """Whether its unit says that it is in bytes, so that it may be the size of a file, header and all."""
        kinds = UNITS[self.unit][1]
        return BYTES in kinds and COUNT not in kinds

    @property
    def in_flops(self) -> bool:
        """Whether its unit says that it is of FLOPs, and so of a cost."""
        return FLOPS in UNITS[self.unit][1]

    @property
    def alike(self) -> tuple[int, int]:
        """The least and the largest digits of a figure that is printed like this one: as many, the first no 0.

        >>> read("124M")[0].alike
        (100, 999)
        """
        places = len(str(self.digits))
        return 10 ** (places - 1), 10**places - 1

    @property
    def scales(self) -> tuple[Scale, ...]:
        """What a unit of the figure may stand for.

        Law: M is 10⁶ parameters; less often 2²⁰ parameters, or 2²⁰ or 10⁶ bytes. MB is 10⁶ bytes, less often 2²⁰. A
        small number without a unit can be in any.

        >>> [(scale.kind, scale.unit, scale.penalty) for scale in read("548 MB")[0].scales]
        [('bytes', 1000000, 0), ('bytes', 1048576, 2)]
        """
        return tuple(scale for scale in self._scales() if self.in_bytes or not self.says or scale.kind != BYTES)

    def _scales(self) -> tuple[Scale, ...]:
        whole = self.digits * 10 ** max(-self.decimals, 0)
        if not self.unit and not self.power and (self.decimals > 0 or whole < WORTH_A_UNIT):
            named = [scale for unit in ("M", "B", "K") for scale in self._replace(unit=unit).scales]
            return (*named, *(self._bare() if self.decimals <= 0 else ()))
        unit, kinds = UNITS[self.unit]
        by, ten = int(unit), 10**self.power
        thousands = (len(str(by)) - 1) // 3 if by in (1000, 10**6, 10**9, 10**12) else 0
        binary, name = 1024**thousands, f"2^{10 * thousands}"
        if FLOPS in kinds:
            return (Scale(COUNT, by * ten, 0),)
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
        plain = Scale(COUNT, 10**self.power, 0), Scale(BYTES, 10**self.power, KNOWN)
        is_written = not self.unit and not self.power and not self.decimals
        return (*plain, Scale(WRITTEN, 1, 0)) if is_written else plain

    def bounds(self, scale: Scale, tensors: int = 0) -> tuple[int, int]:
        """Return the least and the largest whole number that can be printed so, at a scale, as a file of tensors too.

        >>> read("117M")[0].bounds(Scale(COUNT, 10**6, 0))
        (116000001, 117999999)
        """
        shift, unit = self._at(scale)
        # Rounded, cut off or rounded up: in each case it lies less than one unit of the last digit away.
        least, most = (self.digits - 1) * unit // shift + 1, ((self.digits + 1) * unit - 1) // shift
        return max(least - HEADER[1] * tensors, 1), most

    def fit(self, value: int, scale: Scale, tensors: int = 0) -> str | None:
        """Return how a whole number comes to be printed as this figure, None where it does not.

        Law: a number is rounded to the nearest figure of as many digits, half to the even one or to the larger; it is
        cut off downwards, and rounded up. A file of so many tensors is rounded with the bytes of its header, `HEADER`.

        >>> million = Scale(COUNT, 10**6, 0)
        >>> figure = read("124M")[0]
        >>> [figure.fit(n, million) for n in (124000000, 124439808, 124900000, 123400000, 125000000)]
        ['exact', 'rounded', 'cut off', 'rounded up', None]
        """
        fits = self.printed_as(value, scale, tensors)
        return next((fit for fit, first, last in fits if first <= self.digits <= last), None)

    def printed_as(self, value: int, scale: Scale, tensors: int = 0) -> tuple[tuple[str, int, int], ...]:
        """Return the digits that a whole number can have where it is printed like this figure: from, to, by each fit.

        >>> read("124M")[0].printed_as(124439808, Scale(COUNT, 10**6, 0))
        (('rounded', 124, 124), ('rounded up', 125, 125))
        """
        shift, unit = self._at(scale)
        digits, rest = divmod(value * shift, unit)
        found = [(EXACT if not rest else ROUNDED, digits, digits)]
        if 2 * rest > unit or (2 * rest == unit and digits % 2):
            found = [(CUT_OFF, digits, digits), (ROUNDED, digits + 1, digits + 1)]
        elif 2 * rest == unit:
            found.append((ROUNDED, digits + 1, digits + 1))
        nearest = found[-1][2]  # beyond it the number is too small, but for what a file holds besides
        least, most = ((2 * (value + each * tensors) * shift + unit) // (2 * unit) for each in HEADER)
        if most > nearest:
            found.append((WITH_HEADER, max(least, nearest + 1), most))
        elif rest and nearest == digits and digits:  # up to a 1, anything would be
            found.append((ROUNDED_UP, digits + 1, digits + 1))
        return tuple(found)

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
    words = figures.in_digits(" ".join(BETWEEN.sub(" ", RANK.sub("", text[: MOST_TEXT_CHARACTERS + 1])).split()))
    says = COUNT if PARAMETERS.search(words) else ""
    return tuple(_printed(found, text, says) for found in _meant(list(FIGURE.finditer(words)), words))


def _meant(found: list[re.Match[str]], words: str) -> list[re.Match[str]]:
    """Return the figures beside the word parameters, where there are such: in a log line the others are of all else.

    >>> [figure.text for figure in find("num decayed parameter tensors: 50, with 124,354,560 parameters")]
    ['124,354,560']
    """
    ends = [0, *(each.end() for each in found)]
    starts = [*(each.start() for each in found), len(words)]
    beside = [
        each
        for place, each in enumerate(found)
        if BEFORE.search(words[ends[place] : each.start()]) or AFTER.match(words[each.end() : starts[place + 1]])
    ]
    # 124M/355M parameters is two of them: no word stands between, nor one and a colon before.
    for places in (range(len(found) - 1), range(len(found) - 1, 0, -1)):
        for place in places:
            step = places.step
            one, other = found[place], found[place + step]
            between = words[min(one.end(), other.end()) : max(one.start(), other.start())]
            is_told = TOLD.search(words[: other.start()])
            if one in beside and other not in beside and LISTED.fullmatch(between) and not is_told:
                beside.append(other)
    return [each for each in found if each in beside] or found


def read(text: str) -> tuple[Printed, ...]:
    """Return every figure in a text that is expected to hold one.

    Raises:
        ConfigError: the text holds no figure, or none that can be a size.

    >>> read("~355 million")[0].digits
    355
    """
    found = find(text) if len(text) <= MOST_TEXT_CHARACTERS else ()
    if not found:
        raise ConfigError(f"expected a figure such as {EXAMPLES}, got {shown(text)}", got=text)
    return found


def _printed(found: re.Match[str], text: str, says: str) -> Printed:
    unit, kinds = found["unit"], UNITS[found["unit"]][1]
    if found["sign"] or not {COUNT, BYTES, FLOPS} & set(kinds):
        raise ConfigError(f"expected a number of parameters or bytes, got {shown(found[0].strip())}", got=text)
    whole, decimals, power = re.sub("[,_]", "", found["whole"]), found["decimals"] or "", int(found["power"] or 0)
    written_out = unit in ("", "bytes") and not power and whole.endswith("0" * VAGUE_ZEROS)
    vague = vague_zeros(whole.lstrip("0")) if (found["about"] or written_out) and not decimals else 0
    digits = int(whole + decimals) // 10**vague
    if not digits:
        raise ConfigError(f"expected a number of parameters or bytes above 0, got {shown(text)}", got=text)
    return Printed(found[0].strip(), digits, len(decimals) or -vague, unit, power, says)


def too_many(number: int) -> ConfigError:
    """Return the error that says that there are more figures than are explained at once."""
    return ConfigError(f"expected at most {MOST_FIGURES} figures at once, got {number}")
