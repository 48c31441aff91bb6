"""Tables and sentences for a person at a terminal, in the columns that it has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gpt2calc.errors import printable
from gpt2calc.table import BAD, GOOD, HINT, MARKS, Difference, Percent, Said, in_ascii, is_number, is_numeric, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gpt2calc.table import Cell, Table

GAP = "  "
COMFORTABLE_COLUMN, NARROWEST_COLUMN = 16, 9
"""A column of words keeps so many characters as long as anything else can give way, and at last so many."""

OPTIONAL = ("formula", "in MB", "in GB", "rivals")
"""The headers of columns that are left out where a table has no room for them, the first first."""

BAR, SHORTEST_BAR = 24, 8
"""How wide 100 % is drawn at most, and at least; where there is less room, nothing is drawn."""

PLAIN, BOLD, DIM, RED, GREEN = "", "\033[1m", "\033[2m", "\033[31m", "\033[32m"
END = "\033[0m"
TONES = {GOOD: GREEN, BAD: RED, HINT: DIM}

BREAK = re.compile(r"(?<=[/_.:+=,·@-])(?!(?<=[0-9][.,])[0-9])(?<!^.)")
"""Where a word that is too long may be broken: after such a character, and never within a number."""

UNIT, NO_BREAK = re.compile(r"(?<=[0-9]) (?=(?:[kKMGTP]i?B|bytes|%)(?![A-Za-z]))"), "\u00a0"
"""The blank between a number and its unit, at which no line ends."""


def write(
    parts: Sequence[Table | Said],
    *,
    width: int = 100,
    colour: bool = False,
    ascii_only: bool = False,
    paints: Mapping[str, int] | None = None,
) -> str:
    """Return tables and sentences under each other: numbers to the right, words wrapped, a last column of shares drawn.

    Law: from 60 columns on no line is wider than the terminal, unless a number alone is; a number is never torn.

    Args:
        parts: what to write.
        width: columns of the terminal.
        colour: whether to use the terminal's colours.
        ascii_only: whether to write `*` for the dot and `^2` for the square.
        paints: the colour of each series, among the 256 of a terminal.
    """
    written = []
    for part in parts:
        if isinstance(part, Said):
            written.append(_sentence(part, width, colour=colour, ascii_only=ascii_only))
            continue
        tables = _fitting(part, width)
        written += [_Writer(x, width, colour=colour, ascii_only=ascii_only, paints=paints or {}).written() for x in tables]
    return "\n\n".join(written) + "\n"


def _sentence(said: Said, width: int, *, colour: bool, ascii_only: bool) -> str:
    """Return a sentence, wrapped at words; a verdict has its mark before it."""
    words = MARKS.get(said.tone, "") + printable(said.words)
    lines = wrapped(in_ascii(words) if ascii_only else words, width)
    style = TONES.get(said.tone, BOLD)
    return "\n".join(f"{style}{line}{END}" for line in lines) if colour else "\n".join(lines)


def _longest(table: Table) -> list[int]:
    """Return how wide each column is at its widest."""
    body = [row for row in table.rows if row is not None]
    columns = zip(table.headers, *body, strict=True)
    return [max(len(line) for cell in column for line in text(cell).split("\n")) for column in columns]


def _least(table: Table, least: int, *, names: bool) -> list[int]:
    """Return how narrow each column can be, if one of words keeps so many characters; the names first if asked."""
    body = [row for row in table.rows if row is not None]
    right = [is_numeric([row[place] for row in body]) for place in range(len(table.headers))]
    kept = enumerate(zip(_longest(table), right, strict=True))
    return [wide if number or not (place or names) else min(wide, least) for place, (wide, number) in kept]


def _fitting(table: Table, width: int) -> list[Table]:
    """Return a table as one or several that fit.

    First without what it can do without, then with narrow words, and then split: the further columns under the others,
    after the first column again.
    """

    def fits(least: int, *, names: bool) -> bool:
        sizes = _least(table, least, names=names)
        return sum(sizes) + len(GAP) * (len(sizes) - 1) <= width

    if fits(COMFORTABLE_COLUMN, names=False):
        return [table]
    for header in OPTIONAL:
        if header in table.headers and len(table.headers) > 2:
            at = table.headers.index(header)
            table = table._replace(
                headers=(*table.headers[:at], *table.headers[at + 1 :]),
                rows=tuple(row and (*row[:at], *row[at + 1 :]) for row in table.rows),
            )
            if fits(COMFORTABLE_COLUMN, names=False):
                return [table]
    body = [row for row in table.rows if row is not None]
    only_numbers = all(is_number(cell) for row in body for cell in row[1:])
    if len(table.headers) < 3 or (not only_numbers and fits(NARROWEST_COLUMN, names=True)):
        return [table]
    sizes = _least(table, COMFORTABLE_COLUMN, names=not only_numbers)
    kept, used = 1, sizes[0]
    while kept == 1 or (kept < len(sizes) and used + len(GAP) + sizes[kept] <= width):
        used += len(GAP) + sizes[kept]
        kept += 1
    if kept == len(sizes):
        return [table]
    first = table._replace(headers=table.headers[:kept], rows=tuple(row and row[:kept] for row in table.rows))
    rest = table._replace(
        headers=(table.headers[0], *table.headers[kept:]),
        rows=tuple(row and (row[0], *row[kept:]) for row in table.rows),
        title="" if only_numbers else table.title,
    )
    return [first, *_fitting(rest, width)]


class _Writer:
    """One table, laid out in columns of characters."""

    def __init__(
        self, table: Table, width: int, *, colour: bool, ascii_only: bool, paints: Mapping[str, int]
    ) -> None:
        self.title, self.width = table.title, width
        self.colour = colour
        self.ascii_only = ascii_only
        self.paints = paints
        headers, rows = table.headers, table.rows
        body = [row for row in rows if row is not None]
        if _draws_shares(table, body):
            longest_bar = min(BAR, width - sum(_longest(table)) - len(GAP) * len(headers))
            if longest_bar >= SHORTEST_BAR:
                headers = (*headers, "")
                rows = tuple(row and (*row, _bar(row[-1], longest_bar)) for row in rows)
        self.headers, self.rows = headers, rows
        columns = [[row[place] for row in self.rows if row is not None] for place in range(len(self.headers))]
        self.right = [is_numeric(column) for column in columns]
        self.widths = _fitted(_longest(table._replace(headers=headers, rows=rows)), self.right, width)

    def written(self) -> str:
        lines = [self._styled(line, BOLD) for line in wrapped(self._shown(self.title), self.width)] if self.title else []
        lines += [""] * bool(lines)
        lines += self._lines(self.headers, DIM)
        for row in self.rows:
            if row is None:
                rule = "─" * (sum(self.widths) + len(GAP) * (len(self.widths) - 1))
                lines.append(self._styled(self._shown(rule), DIM))
            else:
                lines += self._lines(row, BOLD if row[0] == "total" else PLAIN)
        return "\n".join(lines)

    def _lines(self, cells: Sequence[Cell], style: str) -> list[str]:
        """Write one row, which takes as many lines as its longest cell."""
        sized = zip(map(self._shown, cells), self.widths, strict=True)
        broken = [wrapped(cell, size) for cell, size in sized]
        paints = [self._paint(cells, place) if self.colour else PLAIN for place in range(len(cells))]
        lines = []
        for number in range(max(map(len, broken))):
            parts = (cell[number] if number < len(cell) else "" for cell in broken)
            aligned = []
            for part, wide, right, paint in zip(parts, self.widths, self.right, paints, strict=True):
                room = " " * (wide - len(part))
                painted = f"{paint}{part}{END}{style}" if paint and part else part
                aligned.append(room + painted if right else painted + room)
            lines.append(self._styled(GAP.join(aligned).rstrip(), style))
        return lines

    def _paint(self, cells: Sequence[Cell], place: int) -> str:
        """Return the colour of a cell that has one: a difference that is there, or the bar of a share of a series."""
        cell = cells[place]
        if isinstance(cell, Difference):
            return RED if cell else PLAIN
        share = cells[place - 1] if place else ""
        if place == len(cells) - 1 and isinstance(share, Percent) and share.series in self.paints:
            return f"\033[38;5;{self.paints[share.series]}m"
        return PLAIN

    def _shown(self, cell: Cell) -> str:
        return in_ascii(text(cell)) if self.ascii_only else text(cell)

    def _styled(self, line: str, style: str) -> str:
        return f"{style}{line}{END}" if self.colour and style else line


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
    """Narrow the columns of words until the line fits: the widest first, the names at last."""
    widths = list(longest)
    room = width - len(GAP) * (len(widths) - 1)
    for least, first in ((COMFORTABLE_COLUMN, 1), (COMFORTABLE_COLUMN, 0), (NARROWEST_COLUMN, 0)):
        words = [place for place, number in enumerate(right) if not number and place >= first]
        while sum(widths) > room:
            wide = [place for place in words if widths[place] > least]
            if not wide:
                break
            widths[max(wide, key=widths.__getitem__)] -= 1
    return widths


def wrapped(words: str, width: int) -> list[str]:
    """Break a text into lines at its words, and a word that is longer than a line within itself; no number is torn.

    >>> wrapped("expected 13/6,192) in transformer.wte.weight", 12)
    ['expected', '13/6,192) in', 'transformer.', 'wte.weight']
    >>> wrapped("tied, which is 6.55 GB", 18)
    ['tied, which is', '6.55 GB']
    """
    lines = []
    for paragraph in UNIT.sub(NO_BREAK, words).split("\n"):
        if len(paragraph) <= width:
            lines.append(paragraph)
            continue
        line = ""
        for word in paragraph.split(" "):
            if line and len(line) + 1 + len(word) <= width:
                line += f" {word}"
                continue
            if line:
                lines.append(line)
            *whole, line = _pieces(word, width)
            lines += whole
        lines.append(line)
    return [line.replace(NO_BREAK, " ") for line in lines]


def _pieces(word: str, width: int) -> list[str]:
    """Return a word in pieces that fit: broken where it has joints, and anywhere if it has none, but in a number."""
    if len(word) <= width:
        return [word]
    pieces = [""]
    for joint in BREAK.split(word):
        for part in [joint] if len(joint) <= width else re.findall(r"[0-9][0-9.,]*|[^0-9]", joint):
            if len(pieces[-1]) + len(part) > width and pieces[-1]:
                pieces.append("")
            pieces[-1] += part
    return pieces
