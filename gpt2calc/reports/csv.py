"""Tables as CSV, for programs: whole numbers without commas, percentages without a sign, formulas in ASCII."""

from __future__ import annotations

import csv
import io
import re
from typing import TYPE_CHECKING

from gpt2calc.errors import printable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpt2calc.table import Cell, Table

FORMULA = re.compile(r"[=+@]|-(?!$|[\d,.]+$)")
"""How words begin that a spreadsheet would compute, such as =1+1.json; after an apostrophe they are words again."""


def write(tables: Sequence[Table]) -> str:
    """Return the tables as RFC 4180 has it but for the line ends, with an empty line between two of them."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\n")
    for place, table in enumerate(tables):
        if place:
            writer.writerow(())
        writer.writerow(map(_plain, table.headers))
        writer.writerows([_plain(cell) for cell in row] for row in table.rows if row is not None)
    return buffer.getvalue()


def _plain(cell: Cell) -> str:
    if isinstance(cell, str):
        words = printable(cell)
        return f"'{words}" if FORMULA.match(words) else words
    return str(cell) if isinstance(cell, int) else cell.plain()
