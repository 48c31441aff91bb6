"""Tables and sentences as HTML, for notebooks.

Law: the words have the notebook's own colour, in the light and in the dark, and so have rules. Only bars and the border
of a verdict are coloured, by paints that are seen on black and on white; the words beside them say the same.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gpt2calc.errors import printable
from gpt2calc.palette import PAINTS, VERDICTS, painted
from gpt2calc.table import HINT, MARKS, Percent, Said, draws_shares, is_numeric, rounded, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpt2calc.table import Cell, Table

BAR = 100
"""How many pixels wide 100 % is drawn."""

RULE = ' style="border-top: 1px solid"'
"""A rule above a part of a table, in the colour of its words."""


def write(parts: Sequence[Table | Said], folded: Sequence[Table] = ()) -> str:
    """Return tables and sentences under each other, every name escaped, and tables that open when they are clicked."""
    written = [_said(part) if isinstance(part, Said) else _written(part) for part in parts]
    for table in folded:
        summary = f"<summary>{escape(printable(table.title))}</summary>"
        written.append(f"<details>{summary}{_written(table._replace(title=''))}</details>")
    return "\n".join(written)


def _said(said: Said) -> str:
    """Return a sentence: a verdict with its mark, behind a border in its colour."""
    words = escape(MARKS.get(said.tone, "") + printable(said.words))
    if said.tone in VERDICTS:
        border = f"border-left: 4px solid {painted(VERDICTS[said.tone])}; padding-left: 8px"
        return f'<p style="{border}"><b>{words}</b></p>'
    return f"<p><small>{words}</small></p>" if said.tone == HINT else f"<p><b>{words}</b></p>"


def _written(table: Table) -> str:
    """Return a table: a part for each that rules divide, the total at the foot, and numbers under their headers."""
    bars, last = draws_shares(table), len(table.headers) - 1
    columns = zip(*(row for row in table.rows if row is not None), strict=True) if any(table.rows) else ()
    sides = ["right" if is_numeric(column) else "left" for column in columns] or ["left"] * len(table.headers)

    def line(tag: str, cells: Sequence[Cell]) -> str:
        is_total = tag == "td" and bool(cells) and cells[0] == "total"
        written = []
        for place, (cell, side) in enumerate(zip(cells, sides, strict=True)):
            words = escape(text(cell))
            words = f"<b>{words}</b>" if is_total else words
            bar = _bar(cell) if bars and place == last else ""
            style = f"text-align: {side}" + ("; white-space: nowrap" if bar else "")
            written.append(f'<{tag} style="{style}">{words}{bar}</{tag}>')
        return f"<tr>{''.join(written)}</tr>"

    parts: list[list[tuple[Cell, ...]]] = [[]]
    for row in table.rows:
        if row is None:
            parts.append([])
        else:
            parts[-1].append(row)
    caption = f"<caption>{escape(printable(table.title))}</caption>" if table.title else ""
    body = []
    for place, rows in enumerate(parts):
        is_foot = place > 0 and place == len(parts) - 1 and [row[:1] for row in rows] == [("total",)]
        tag, rule = "tfoot" if is_foot else "tbody", RULE if place else ""
        body.append(f"<{tag}{rule}>{''.join(line('td', row) for row in rows)}</{tag}>")
    return f"<table>{caption}<thead>{line('th', table.headers)}</thead>{''.join(body)}</table>"


def _bar(cell: Cell) -> str:
    """Return the bar of a share in the colour of its group, or the words' own; as much room where there is none."""
    inner = ""
    if isinstance(cell, Percent) and 0 < cell.part <= cell.whole:
        colour = painted(PAINTS[cell.series]) if cell.series in PAINTS else "currentColor"
        width = rounded(BAR * cell.part, cell.whole, 2)
        inner = f'<span style="display: inline-block; width: {width}px; height: 0.7em; background: {colour}"></span>'
    room = f"display: inline-block; width: {BAR}px; margin-left: 8px; text-align: left"
    return f'<span style="{room}">{inner}</span>'
