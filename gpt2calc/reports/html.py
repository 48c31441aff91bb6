"""Tables as HTML, for notebooks."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from gpt2calc.table import is_number, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpt2calc.table import Cell, Table


def write(tables: Sequence[Table]) -> str:
    """Return the tables as HTML, every name escaped, in the notebook's own style."""
    return "\n".join(map(_written, tables))


def _written(table: Table) -> str:
    caption = f"<caption>{escape(table.title)}</caption>" if table.title else ""
    head = "".join(f"<th>{escape(header)}</th>" for header in table.headers)
    rows = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in table.rows if row is not None)
    return f"<table>{caption}<thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _cell(cell: Cell) -> str:
    side = "right" if is_number(cell) else "left"
    return f'<td style="text-align: {side}">{escape(text(cell))}</td>'
