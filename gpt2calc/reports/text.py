"""Tables for a person at a terminal."""

from __future__ import annotations

from gpt2calc.table import Percent, in_ascii, is_number, is_numeric, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpt2calc.table import Cell, Table

GAP = "  "
LEAST_COLUMN_CHARACTERS = 16
"""A column of words is never made narrower than this."""

BAR, SHORTEST_BAR = 24, 8
"""How wide 100 % is drawn at most, and at least; where there is less room, nothing is drawn."""

PLAIN, BOLD, DIM = "", "\033[1m", "\033[2m"


def write(tables: Sequence[Table], *, width: int = 100, colour: bool = False, ascii_only: bool = False) -> str:
    """Return the tables under each other: numbers aligned to the right, words wrapped, a last column of shares drawn.

    Args:
        tables: what to write.
        width: columns of the terminal; numbers are never cut, so a line of many numbers can be longer.
        colour: whether to use the terminal's bold and dim.
        ascii_only: whether to write `*` for the dot and `^2` for the square.
    """
    parts = (part for table in tables for part in _split(table, width))
    return "\n\n".join(_Writer(part, width, colour=colour, ascii_only=ascii_only).written() for part in parts) + "\n"


def _split(table: Table, width: int) -> list[Table]:
    """Put the columns of a table that is all numbers, and too wide, under each other, with its first column again."""
    body = [row for row in table.rows if row is not None]
    count = len(table.headers)
    if count < 3 or not all(is_number(cell) for row in body for cell in row[1:]):
        return [table]
    widths = [max(len(text(cell)) for cell in column) for column in zip(table.headers, *body, strict=True)]
    if sum(widths) + len(GAP) * (count - 1) <= width:
        return [table]
    kept, used = 1, widths[0]
    while kept == 1 or used + len(GAP) + widths[kept] <= width:
        used += len(GAP) + widths[kept]
        kept += 1
    first = table._replace(headers=table.headers[:kept], rows=tuple(row and row[:kept] for row in table.rows))
    rest = table._replace(
        headers=(table.headers[0], *table.headers[kept:]),
        rows=tuple(row and (row[0], *row[kept:]) for row in table.rows),
    )
    return [first, *_split(rest, width)]


class _Writer:
    """One table, laid out in columns of characters."""

    def __init__(self, table: Table, width: int, *, colour: bool, ascii_only: bool) -> None:
        self.title = table.title
        self.colour = colour
        self.ascii_only = ascii_only
        body = [row for row in table.rows if row is not None]
        self.headers = tuple(map(self._shown, table.headers))
        self.rows = [row if row is None else tuple(map(self._shown, row)) for row in table.rows]
        self.right = [is_numeric([row[place] for row in body]) for place in range(len(self.headers))]
        longest = self._longest()
        if _draws_shares(table, body):
            longest_bar = min(BAR, width - sum(longest) - len(GAP) * len(longest))
            if longest_bar >= SHORTEST_BAR:
                bars = (self._shown(_bar(row[-1], longest_bar)) for row in body)
                self.headers = (*self.headers, "")
                self.rows = [row if row is None else (*row, next(bars)) for row in self.rows]
                self.right.append(False)
                longest = self._longest()
        self.widths = _fitted(longest, self.right, width - len(GAP) * (len(longest) - 1))

    def written(self) -> str:
        lines = [self._styled(self._shown(self.title), BOLD), ""] if self.title else []
        lines += self._lines(self.headers, DIM)
        for row in self.rows:
            if row is None:
                rule = "─" * (sum(self.widths) + len(GAP) * (len(self.widths) - 1))
                lines.append(self._styled(self._shown(rule), DIM))
            else:
                lines += self._lines(row, BOLD if row[0] == "total" else PLAIN)
        return "\n".join(lines)

    def _longest(self) -> list[int]:
        rows = (row for row in self.rows if row is not None)
        return [max(map(len, column)) for column in zip(self.headers, *rows, strict=True)]

    def _lines(self, cells: Sequence[str], style: str) -> list[str]:
        """Write one row, which takes as many lines as its longest cell."""
        last = len(cells) - 1
        sized = enumerate(zip(cells, self.widths, strict=True))
        wrapped = [_wrapped(cell, size, whole_words=place == last) for place, (cell, size) in sized]
        lines = []
        for number in range(max(map(len, wrapped))):
            parts = (cell[number] if number < len(cell) else "" for cell in wrapped)
            aligned = (p.rjust(n) if r else p.ljust(n) for p, n, r in zip(parts, self.widths, self.right, strict=True))
            lines.append(self._styled(GAP.join(aligned).rstrip(), style))
        return lines

    def _shown(self, cell: Cell) -> str:
        return in_ascii(text(cell)) if self.ascii_only else text(cell)

    def _styled(self, line: str, style: str) -> str:
        return f"{style}{line}\033[0m" if self.colour and style else line


def _draws_shares(table: Table, body: Sequence[tuple[Cell, ...]]) -> bool:
    """Whether the last column, and no other, is made of percentages."""
    shares = [all(isinstance(row[place], Percent) for row in body) for place in range(len(table.headers))]
    return bool(body) and shares[-1] and not any(shares[:-1])


def _bar(cell: Cell, width: int) -> str:
    """Draw a percentage in eighths of a character, rounded down, so that what is there but tiny shows as nothing."""
    if not isinstance(cell, Percent) or not cell.whole:
        return ""
    full, eighths = divmod(8 * width * cell.part // cell.whole, 8)
    return "█" * full + " ▏▎▍▌▋▊▉"[eighths].strip()


def _fitted(longest: list[int], right: list[bool], width: int) -> list[int]:
    """Narrow the columns of words, the widest first, until the line fits or they are at their least."""
    widths = list(longest)
    while sum(widths) > width:
        words = [
            place
            for place, number in enumerate(right)
            if not number and place and widths[place] > LEAST_COLUMN_CHARACTERS
        ]
        if not words:
            break
        widest = max(words, key=widths.__getitem__)
        widths[widest] -= 1
    return widths


def _wrapped(cell: str, width: int, *, whole_words: bool) -> list[str]:
    """Break a cell into lines; in the last column a word that is too long, such as an address, stays whole.

    It breaks where textwrap does, which takes as long to load as a count takes.

    >>> _wrapped("tensors of two dimensions", 12, whole_words=True)
    ['tensors of', 'two', 'dimensions']
    """
    if len(cell) <= width and "\n" not in cell:
        return [cell]
    lines: list[str] = []
    for part in cell.split("\n"):
        line = ""
        for word in part.split(" "):
            longer = f"{line} {word}" if line else word
            if line and len(longer) > width and (whole_words or len(word) <= width):
                lines.append(line)
                longer = word
            while len(longer) > width and not whole_words:
                lines.append(longer[:width])
                longer = longer[width:].lstrip(" ")
            line = longer
        lines += [line] if line else []
    return lines
