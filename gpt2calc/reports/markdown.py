"""Tables as GitHub-flavoured Markdown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from gpt2calc.table import in_ascii, is_numeric, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpt2calc.table import Cell, Table

SPECIAL = re.compile(r"[\\`*\[\]<>|]|(?<!\w)_|_(?!\w)")
"""What Markdown would read as markup; an underscore within a word is none."""


def write(tables: Sequence[Table], *, ascii_only: bool = False) -> str:
    """Return the tables as Markdown, each under its title in bold; totals stand in bold as well."""
    return "\n\n".join(_written(table, ascii_only=ascii_only) for table in tables) + "\n"


def _written(table: Table, *, ascii_only: bool) -> str:
    def shown(cell: Cell) -> str:
        return escaped(in_ascii(text(cell)) if ascii_only else text(cell))

    body = [row for row in table.rows if row is not None]
    right = [is_numeric([row[place] for row in body]) for place in range(len(table.headers))]
    lines = [f"**{shown(table.title)}**", ""] if table.title else []
    lines.append(_line([shown(header) for header in table.headers]))
    lines.append(_line(["---:" if number else "---" for number in right]))
    for row in body:
        cells = [shown(cell) for cell in row]
        lines.append(_line([f"**{cell}**" if cell and row[0] == "total" else cell for cell in cells]))
    return "\n".join(lines)


def escaped(words: str) -> str:
    """Return words in one line, of which Markdown reads none as markup."""
    return SPECIAL.sub(r"\\\g<0>", words).replace("\n", " ")


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def as_code(words: str) -> str:
    """Return words as code, between more backticks than stand together in them.

    >>> as_code("gpt2calc verify 'a`b'")
    "``gpt2calc verify 'a`b'``"
    """
    fence = "`" * (1 + max(map(len, re.findall("`+", words)), default=0))
    return f"{fence}{words}{fence}"
