"""Tables as LaTeX, for a paper: a `tabular` each, with the rules of the booktabs package."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.table import Lines, is_numeric, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpt2calc.table import Cell, Table

ESCAPED = str.maketrans(
    {character: "\\" + character for character in "&%$#_{}"}
    | {"\\": r"\textbackslash{}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}"}
    | {"·": r"$\cdot$", "²": "$^2$", "³": "$^3$", "\n": " "}
)


def write(tables: Sequence[Table]) -> str:
    """Return the tables as `tabular` environments; the document needs the package booktabs."""
    return "\n\n".join(map(_written, tables)) + "\n"


def _written(table: Table) -> str:
    body = [row for row in table.rows if row is not None]
    columns = "".join("r" if is_numeric([row[place] for row in body]) else "l" for place in range(len(table.headers)))
    lines = [f"% {text(table.title)}"] if table.title else []
    lines += [f"\\begin{{tabular}}{{{columns}}}", r"\toprule", _line(table.headers), r"\midrule"]
    lines += [r"\midrule" if row is None else _line(row) for row in table.rows]
    lines += [r"\bottomrule", r"\end{tabular}"]
    return "\n".join(lines)


def _line(cells: Sequence[Cell]) -> str:
    return " & ".join(map(_cell, cells)) + r" \\"


def _cell(cell: Cell) -> str:
    if isinstance(cell, (str, Lines)):
        return text(cell).translate(ESCAPED)
    return f"{cell:,}".replace(",", "{,}") if isinstance(cell, int) else cell.latex()
