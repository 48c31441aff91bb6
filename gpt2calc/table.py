"""How a result is laid out before a report writes it: rows of cells under headers.

A result lays itself out once, as tables; `reports` turns any table into any format. A cell is text, a whole number, or
something that knows how to write itself. Percentages and ratios are rounded from exact integers, never from a float.
"""

from __future__ import annotations

from gpt2calc.errors import printable
from gpt2calc.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Protocol, TypeAlias

    class Written(Protocol):
        """A cell that writes itself: for a terminal, for LaTeX, and as plain characters for CSV."""

        def text(self) -> str:
            """Return it as a person reads it."""

        def latex(self) -> str:
            """Return it as LaTeX source."""

        def plain(self) -> str:
            """Return it as a program reads it."""


ASCII = str.maketrans(
    dict(zip("·×⁰¹²³⁴⁵⁶⁷⁸⁹─█▏▎▍▌▋▊▉", ["*", "x", *(f"^{n}" for n in range(10)), *"-#", *"   ####"], strict=True))
    | {"✓": "ok", "✗": "x"}
)

GOOD, BAD, HINT = "good", "bad", "hint"
"""What a sentence is, which says how a terminal shows it: a good or a bad verdict, or what else there is to see."""

MARKS = {GOOD: "✓ ", BAD: "✗ "}
"""What stands before a verdict, whose words say the same."""

THOUSANDS = ("", "K", "M", "B", "T")
BYTES = ("bytes", "kB", "MB", "GB", "TB", "PB")
BINARY_BYTES = ("bytes", "KiB", "MiB", "GiB", "TiB", "PiB")

Cell: TypeAlias = "str | int | Written"


class Table(NamedTuple):
    """A titled table. A row of None is a rule between the rows above and below it."""

    title: str
    headers: tuple[str, ...]
    rows: tuple[tuple[Cell, ...] | None, ...]


class Said(NamedTuple):
    """A sentence for a terminal, before, between or after tables, and what it is; a heading unless it says more."""

    words: str
    tone: str = ""


class Brief(str):
    """Words of which a terminal shows as many as a line has room for."""

    __slots__ = ()


class Difference(int):
    """A number that should be 0, and is shown so that it is seen where it is not."""


def text(cell: Cell) -> str:
    r"""Return a cell as a person reads it: whole numbers with commas between thousands, words in one printable line.

    Words can be the name of a file, and must neither colour a terminal nor break a table.

    >>> print(text(124439808), text("a\nb"))
    124,439,808 a\nb
    """
    return printable(cell) if isinstance(cell, str) else f"{cell:,}" if isinstance(cell, int) else cell.text()


def in_ascii(written: str) -> str:
    """Return a text in which a formula has `*` and `^2`, for where nothing but ASCII is taken.

    >>> in_ascii("12L·d²")
    '12L*d^2'
    """
    return written.translate(ASCII)


def rounded(numerator: int, denominator: int, digits: int) -> str:
    """Write a quotient in decimals, rounded half to even from the exact integers.

    >>> rounded(28348416, 124439808, 4)
    '0.2278'
    """
    if denominator == 0:
        return "-"
    quotient, rest = divmod(abs(numerator) * 10**digits, abs(denominator))
    quotient += 2 * rest > abs(denominator) or (2 * rest == abs(denominator) and quotient % 2)
    sign = "-" if quotient and (numerator < 0) != (denominator < 0) else ""
    whole, decimals = divmod(quotient, 10**digits)
    return f"{sign}{whole:,}" + (f".{decimals:0{digits}}" if digits else "")


def short(number: int) -> str:
    """Return a number in three digits or so, as people say it; as a power of ten where no letter is known for it.

    >>> short(124439808), short(1557611200), short(999999999), short(2), short(10**18)
    ('124M', '1.56B', '1.00B', '2', '1.00·10^18')
    """
    if number < 1000:
        return str(number)
    digits = len(str(number))
    power = (digits - 1) // 3
    if power < len(THOUSANDS):
        said = rounded(number, 1000**power, 2 - (digits - 1) % 3)
        if said != "1,000":
            return said + THOUSANDS[power]
        if power + 1 < len(THOUSANDS):
            return f"1.00{THOUSANDS[power + 1]}"
    return f"{rounded(number, 10 ** (digits - 1), 2)}·10^{digits - 1}"


def sequences(batch: int, tokens: int) -> str:
    """Return how many sequences there are of how many tokens, as titles say it.

    >>> sequences(8, 1024), sequences(1, 1)
    ('8 × 1,024 tokens', '1 × 1 token')
    """
    return f"{batch:,} × {tokens:,} token{'s' * (tokens != 1)}"


class Percent(NamedTuple):
    """A share of a whole, and of which series it is, such as a group, which gives its bar a colour."""

    part: int
    whole: int
    digits: int = 2
    series: str = ""

    def text(self) -> str:
        """Return it with a percent sign.

        >>> Percent(28348416, 124439808).text()
        '22.78 %'
        """
        return f"{rounded(100 * self.part, self.whole, self.digits)} %"

    def latex(self) -> str:
        r"""Return it with LaTeX's percent sign."""
        return f"{rounded(100 * self.part, self.whole, self.digits)}\\,\\%"

    def plain(self) -> str:
        """Return the percentage as a bare decimal number, with more digits than a person reads."""
        return rounded(100 * self.part, self.whole, 6).replace(",", "")


class Ratio(NamedTuple):
    """One count over another."""

    part: int
    whole: int
    digits: int = 4

    def text(self) -> str:
        """Return the quotient.

        >>> Ratio(56669184, 28348416).text()
        '1.9990'
        """
        return rounded(self.part, self.whole, self.digits)

    def latex(self) -> str:
        """Return the same for LaTeX."""
        return self.text()

    def plain(self) -> str:
        """Return the quotient with more digits than a person reads."""
        return rounded(self.part, self.whole, 6).replace(",", "")


class Scaled(NamedTuple):
    """A number of bytes in a larger unit, such as 10⁶ for MB; a person reads fewer than one in a smaller one."""

    value: int
    unit: int
    name: str

    def text(self) -> str:
        """Return the number with its unit, or with the largest of which there is one.

        >>> Scaled(497759232, 10**6, "MB").text(), Scaled(73728, 2**30, "GiB").text(), Scaled(32, 10**9, "GB").text()
        ('497.76 MB', '72.00 KiB', '32 bytes')
        """
        step, names = (1024, BINARY_BYTES) if self.name in BINARY_BYTES[1:] else (1000, BYTES)
        unit, power = self.unit, names.index(self.name)
        while power and self.value and abs(self.value) < unit:
            unit, power = unit // step, power - 1
        return f"{rounded(self.value, unit, 2 if power else 0)} {names[power]}"

    def latex(self) -> str:
        """Return the same for LaTeX, with a thin space."""
        return self.text().replace(" ", "\\,")

    def plain(self) -> str:
        """Return the number without its unit."""
        return rounded(self.value, self.unit, 6).replace(",", "")


def in_bytes(number: int) -> Scaled | str:
    """Return a number of bytes in the largest unit of which there is one.

    >>> in_bytes(497759232).text(), in_bytes(6230444800).text(), in_bytes(12)
    ('497.76 MB', '6.23 GB', '12 bytes')
    """
    power = (len(str(number)) - 1) // 3
    return Scaled(number, 1000**power, BYTES[power]) if 0 < power < len(BYTES) else f"{short(number)} bytes"


class Real(NamedTuple):
    """A number that was measured and not counted, such as a mean."""

    value: float

    def text(self) -> str:
        """Return it with six digits.

        >>> Real(1 / 3).text()
        '0.333333'
        """
        return f"{self.value:.6g}"

    def latex(self) -> str:
        """Return the same for LaTeX."""
        return self.text()

    def plain(self) -> str:
        """Return it with all its digits."""
        return repr(self.value)


class Lines(NamedTuple):
    """Sentences under each other."""

    lines: tuple[str, ...]

    def text(self) -> str:
        """Return them, a line each.

        >>> Lines(("first", "second")).text().split()
        ['first', 'second']
        """
        return "\n".join(map(printable, self.lines))

    def latex(self) -> str:
        """Return the same, which LaTeX does not see yet."""
        return self.text()

    def plain(self) -> str:
        """Return the same."""
        return self.text()


def table_of_bytes(title: str, parts: Sequence[tuple[str, int | None] | None]) -> Table:
    """Lay bytes out in GB of 10⁹ and GiB of 2³⁰, with a rule for each None; what has no size is left out.

    >>> table_of_bytes("memory", [("weights", 2**30), ("cache", None)]).rows[0][2].text()
    '1.07 GB'
    """
    rows: list[tuple[Cell, ...] | None] = []
    for part in parts:
        if part is None:
            rows.append(None)
        elif (size := part[1]) is not None:
            rows.append((part[0], size, Scaled(size, 10**9, "GB"), Scaled(size, 2**30, "GiB")))
    return Table(title, ("part", "bytes", "GB", "GiB"), tuple(rows))


def is_number(cell: Cell) -> bool:
    """Whether a cell holds a number, which a column aligns to the right."""
    return isinstance(cell, (int, Percent, Ratio, Real, Scaled))


def is_numeric(column: Sequence[Cell]) -> bool:
    """Whether a column holds numbers, blanks among them, and so is aligned to the right."""
    return any(map(is_number, column)) and all(cell == "" or is_number(cell) for cell in column)


def draws_shares(table: Table) -> bool:
    """Whether a table has bars beside its shares: where the last column, and no other, is made of percentages."""
    body = [row for row in table.rows if row is not None]
    shares = [all(isinstance(row[place], Percent) for row in body) for place in range(len(table.headers))]
    return bool(body) and shares[-1] and not any(shares[:-1])
