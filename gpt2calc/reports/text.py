"""Tables for a person at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.table import is_number, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpt2calc.table import Table

GAP = "  "
LEAST = 16
"""A column of words is never made narrower than this."""

ASCII = str.maketrans({"·": "*", "²": "^2", "³": "^3", "⁰": "^0", "¹": "^1", "⁴": "^4", "─": "-"})


def write(tables: Sequence[Table], *, width: int = 100, colour: bool = False, ascii_only: bool = False) -> str:
    """Return the tables under each other, numbers aligned to the right, words wrapped to the width.

    Args:
        tables: what to write.
        width: columns of the terminal; numbers are never cut, so a line of many numbers can be longer.
        colour: whether to use the terminal's bold and dim.
        ascii_only: whether to write `*` for the dot and `^2` for the square.
    """
    written = "\n\n".join(_written(table, width, colour=colour) for table in tables) + "\n"
    return written.translate(ASCII) if ascii_only else written


def _written(table: Table, width: int, *, colour: bool) -> str:
    body = [row for row in table.rows if row is not None]
    columns = list(zip(*body, strict=True)) if body else [() for _ in table.headers]
    right = [bool(column) and all(map(is_number, column)) for column in columns]
    cells = zip(table.headers, columns, strict=True)
    longest = [max(len(text(cell)) for cell in (header, *column)) for header, column in cells]
    widths = _fitted(longest, right, width - len(GAP) * (len(longest) - 1))
    bold, dim = (("\033[1m", "\033[0m"), ("\033[2m", "\033[0m")) if colour else (("", ""), ("", ""))

    def lines(cells: Sequence[str], style: tuple[str, str]) -> list[str]:
        last = len(cells) - 1
        sized = enumerate(zip(cells, widths, strict=True))
        wrapped = [_wrapped(cell, size, whole_words=place == last) for place, (cell, size) in sized]
        height = max(map(len, wrapped))
        found = []
        for line in range(height):
            parts = [cell[line] if line < len(cell) else "" for cell in wrapped]
            aligned = (p.rjust(n) if r else p.ljust(n) for p, n, r in zip(parts, widths, right, strict=True))
            found.append(style[0] + GAP.join(aligned).rstrip() + style[1])
        return found

    written = [bold[0] + table.title + bold[1], ""] if table.title else []
    written += lines(table.headers, dim)
    for row in table.rows:
        if row is None:
            written.append(dim[0] + "─" * (sum(widths) + len(GAP) * (len(widths) - 1)) + dim[1])
        else:
            written += lines([text(cell) for cell in row], bold if row[0] == "total" else ("", ""))
    return "\n".join(written)


def _fitted(longest: list[int], right: list[bool], width: int) -> list[int]:
    """Narrow the columns of words, the widest first, until the line fits or they are at their least."""
    widths = list(longest)
    while sum(widths) > width:
        words = [place for place, number in enumerate(right) if not number and place and widths[place] > LEAST]
        if not words:
            break
        widest = max(words, key=widths.__getitem__)
        widths[widest] -= 1
    return widths


def _wrapped(cell: str, width: int, *, whole_words: bool) -> list[str]:
    """Break a cell into lines; in the last column a word that is too long, such as an address, stays whole."""
    if len(cell) <= width and "\n" not in cell:
        return [cell]
    from textwrap import wrap  # only long sentences need it

    parts = (wrap(part, width, break_on_hyphens=False, break_long_words=not whole_words) for part in cell.split("\n"))
    return [line for lines in parts for line in lines]
