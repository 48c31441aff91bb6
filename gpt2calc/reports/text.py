"""Tables and sentences for a person at a terminal, in the columns that it has."""

from __future__ import annotations

import re

from gpt2calc.errors import printable
from gpt2calc.records import NamedTuple
from gpt2calc.table import (
    BAD,
    GOOD,
    HINT,
    MARKS,
    Brief,
    Difference,
    Lines,
    Percent,
    Said,
    draws_shares,
    in_ascii,
    is_number,
    is_numeric,
    text,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpt2calc.table import Cell, Table

GAP = "  "
COMFORTABLE_COLUMN, NARROWEST_COLUMN = 16, 9
"""A column of words keeps so many characters as long as anything else can give way, and at last so many."""

SENTENCE, SENTENCE_COLUMN = 40, 20
"""Names are not broken for a column with words longer than the one, if it would not keep the other for them."""

NUMBER = r"[0-9][0-9.,]*"

OPTIONAL = ("formula", "in MB", "in GB", "rivals", "per block", "percent", "what it is")
"""The headers of columns that are left out where a table has no room for them, the first first."""

BAR, SHORTEST_BAR = 24, 8
"""How wide 100 % is drawn at most, and at least; where there is less room, nothing is drawn."""

PLAIN, BOLD, DIM, RED, GREEN = "", "\033[1m", "\033[2m", "\033[31m", "\033[32m"
END = "\033[0m"
TONES = {GOOD: GREEN, BAD: RED, HINT: DIM}

BREAK = r"(?<=[/_.:+=,·@-])(?!(?<=[0-9][.,])[0-9])(?<!^.)"
"""Where a word that is too long may be broken: after such a character, and never within a number. It is
compiled, as the other two are, where something has no room: most tables have."""

UNIT, NO_BREAK = r"(?<=[0-9]) (?=(?:[kKMGTP]i?B|bytes|%)(?![A-Za-z]))", "\u00a0"
"""The blank between a number and its unit, at which no line ends."""


def write(parts: Sequence[Table | Said], *, width: int = 100, colour: bool = False, ascii_only: bool = False) -> str:
    """Return tables and sentences under each other: numbers to the right, words wrapped, a last column of shares drawn.

    Law: from 60 columns on no line is wider than the terminal, unless a number alone is; a number is never torn.

    Args:
        parts: what to write.
        width: columns of the terminal.
        colour: whether to use the terminal's colours.
        ascii_only: whether to write `*` for the dot and `^2` for the square.
    """
    written = []
    for part in parts:
        if isinstance(part, Said):
            written.append(_sentence(part, width, colour=colour, ascii_only=ascii_only))
            continue
        tables = _fitting(_in_ascii(part) if ascii_only else part, width)
        written += [_Writer(x, width, colour=colour, ascii_only=ascii_only).written() for x in tables]
    return "\n\n".join(written) + "\n"


def _sentence(said: Said, width: int, *, colour: bool, ascii_only: bool) -> str:
    """Return a sentence, wrapped at words; a verdict has its mark before it."""
    words = MARKS.get(said.tone, "") + printable(said.words)
    lines = wrapped(in_ascii(words) if ascii_only else words, width)
    style = TONES.get(said.tone, BOLD)
    return "\n".join(f"{style}{line}{END}" for line in lines) if colour else "\n".join(lines)


def _in_ascii(table: Table) -> Table:
    """Return a table whose words are ASCII already, which can be longer than what they are for: ^2 for a square."""

    def written(cell: Cell) -> Cell:
        if isinstance(cell, str):
            return type(cell)(in_ascii(cell))
        if isinstance(cell, Lines):
            return Lines(tuple(map(in_ascii, cell.lines)))
        return cell if is_number(cell) else in_ascii(text(cell))

    return table._replace(rows=tuple(row and tuple(map(written, row)) for row in table.rows))


class _Column(NamedTuple):
    """How wide a column is at its widest, whether it holds numbers, and its words."""

    longest: int
    right: bool
    words: tuple[str, ...]

    def least(self, least: int) -> int:
        """Return how narrow it can be, where words may be so narrow; sentences, and numbers in words, need more."""
        if self.right or self.longest <= least:
            return self.longest
        is_sentence = self.longest > SENTENCE and least < COMFORTABLE_COLUMN
        number = max((len(number) for each in self.words for number in re.findall(NUMBER, each)), default=0)
        return min(self.longest, max(SENTENCE_COLUMN if is_sentence else least, number))


def _columns(table: Table) -> list[_Column]:
    """Return the columns of a table."""
    body = [row for row in table.rows if row is not None]
    found = []
    for header, *column in zip(table.headers, *body, strict=True):
        words = tuple(map(text, (header, *column)))
        longest = max(max(map(len, each.split("\n"))) if "\n" in each else len(each) for each in words)
        found.append(_Column(longest, is_numeric(column), words))
    return found


def _narrowed(columns: Sequence[_Column], least: int, *, names: bool) -> list[int]:
    """Return how narrow the columns can be, the first of them too where names may be broken."""
    return [each.least(least) if place or names else each.longest for place, each in enumerate(columns)]


def _line(sizes: Sequence[int]) -> int:
    """Return how wide a line of columns is."""
    return sum(sizes) + len(GAP) * (len(sizes) - 1)


def _fitting(table: Table, width: int) -> list[Table]:
    """Return a table as one or several that fit.

    First without what it can do without, then with narrow words, and then split: the further columns under the others,
    after the first column again.
    """
    if _line([each.longest for each in _columns(table)]) <= width:
        return [table]
    shorter = table
    for header in ("", *(each for each in OPTIONAL if each in table.headers)):
        shorter = _without(shorter, header) if header else table
        if _line(_narrowed(_columns(shorter), COMFORTABLE_COLUMN, names=False)) <= width:
            return [shorter]
    body = [row for row in table.rows if row is not None]
    only_numbers = all(is_number(cell) for row in body for cell in row[1:])
    narrowest = _narrowed(_columns(shorter), NARROWEST_COLUMN, names=True)
    if len(narrowest) < 3 or (not only_numbers and _line(narrowest) <= width):
        return [shorter]
    if narrowest[0] + len(GAP) + max(narrowest[1:]) > width:  # a number has no room whatever is done
        return [table]
    table = _without(table, OPTIONAL[0])
    columns = _columns(table)
    sizes = _narrowed(columns, COMFORTABLE_COLUMN, names=False)
    if sizes[0] + len(GAP) + max(sizes[1:]) > width:
        sizes = _narrowed(columns, NARROWEST_COLUMN, names=True)
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
        title="",
    )
    return [first, *_fitting(rest, width)]


def _without(table: Table, header: str) -> Table:
    """Return a table without the column of a header, if it has one, and another beside the first."""
    if header not in table.headers or len(table.headers) < 3:
        return table
    at = table.headers.index(header)
    return table._replace(
        headers=(*table.headers[:at], *table.headers[at + 1 :]),
        rows=tuple(row and (*row[:at], *row[at + 1 :]) for row in table.rows),
    )


class _Writer:
    """One table, laid out in columns of characters."""

    def __init__(self, table: Table, width: int, *, colour: bool, ascii_only: bool) -> None:
        self.title, self.width = table.title, width
        self.colour = colour
        self.ascii_only = ascii_only
        headers, rows = table.headers, table.rows
        columns = _columns(table)
        if draws_shares(table):
            longest_bar = min(BAR, width - _line([each.longest for each in columns]) - len(GAP))
            if longest_bar >= SHORTEST_BAR:
                headers = (*headers, "")
                rows = tuple(row and (*row, _bar(row[-1], longest_bar)) for row in rows)
                columns = _columns(table._replace(headers=headers, rows=rows))
        self.headers, self.rows = headers, rows
        self.right = [each.right for each in columns]
        self.widths = _fitted(columns, width)

    def written(self) -> str:
        lines = (
            [self._styled(line, BOLD) for line in wrapped(self._shown(self.title), self.width)] if self.title else []
        )
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
        broken = [
            [self._cut(cell, size)] if isinstance(cell, Brief) else wrapped(self._shown(cell), size)
            for cell, size in zip(cells, self.widths, strict=True)
        ]
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
        if place == len(cells) - 1 and isinstance(share, Percent) and share.series:
            from gpt2calc.palette import PAINTS  # which what has no colour does without

            return f"\033[38;5;{PAINTS[share.series]}m"
        return PLAIN

    def _shown(self, cell: Cell) -> str:
        return in_ascii(text(cell)) if self.ascii_only else text(cell)

    def _cut(self, cell: Cell, width: int) -> str:
        words, dots = self._shown(cell), "..." if self.ascii_only else "…"
        return words if len(words) <= width else words[: width - len(dots)].rstrip() + dots

    def _styled(self, line: str, style: str) -> str:
        return f"{style}{line}{END}" if self.colour and style else line


def _bar(cell: Cell, width: int) -> str:
    """Draw a percentage in eighths of a character, rounded down, so that what is there but tiny shows as nothing."""
    if not isinstance(cell, Percent) or not cell.whole:
        return ""
    full, eighths = divmod(8 * width * cell.part // cell.whole, 8)
    return "█" * full + " ▏▎▍▌▋▊▉"[eighths].strip()


def _fitted(columns: Sequence[_Column], width: int) -> list[int]:
    """Narrow the columns of words until the line fits: the widest first, the names at last, and no name in vain."""
    widths = [each.longest for each in columns]
    if _line(widths) <= width:
        return widths
    for least, names in ((COMFORTABLE_COLUMN, False), (COMFORTABLE_COLUMN, True), (NARROWEST_COLUMN, True)):
        sizes = _narrowed(columns, least, names=names)
        if names and _line(_narrowed(columns, NARROWEST_COLUMN, names=True)) > width:
            break
        while _line(widths) > width:
            wide = [place for place, size in enumerate(sizes) if widths[place] > size]
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
    if len(words) <= width and "\n" not in words:
        return [words]
    lines = []
    for paragraph in (words if len(words) <= width else re.sub(UNIT, NO_BREAK, words)).split("\n"):
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
    """Return a word in pieces that fit: broken at strokes, else at joints, else anywhere but in a number."""
    if len(word) <= width:
        return [word]
    parts = [
        part for path in re.split(r"(?<=/)", word) for part in ([path] if len(path) <= width else re.split(BREAK, path))
    ]
    if any(len(part) > width for part in parts):
        parts = re.findall(rf"{NUMBER}|[^0-9]", word)
    pieces = [""]
    for part in parts:
        if len(pieces[-1]) + len(part) > width and pieces[-1]:
            pieces.append("")
        pieces[-1] += part
    return pieces
