"""What a shape is measured by: a convention as a function of n_layer, n_embd and n_inner, all other sizes fixed.

The convention itself is evaluated once, on letters, and what comes out is compiled. So there is no second copy of a
formula here, and a convention that is added to the table can be searched by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc import conventions, formulas, general_conventions
from gpt2calc.algebra import Expression
from gpt2calc.dims import LETTERED, LETTERS
from gpt2calc.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpt2calc.conventions import Convention
    from gpt2calc.dims import Dims

    Measure = Callable[[int, int, int], int]

TOTAL = "total"
EVERY_PARAMETER = (TOTAL, conventions.PARAMETERS, "every parameter of the model", "")


def find(name: str) -> Convention:
    """Return a convention of GPT-2's by name; `total` is the model as it is, tied or not.

    Raises:
        UnknownNameError: there is none of this name.
    """
    if name == TOTAL:
        return conventions.Convention(*EVERY_PARAMETER, formulas.total)
    if name not in conventions.NAMES:
        raise UnknownNameError("convention", name, (TOTAL, *conventions.NAMES))
    return conventions.find(name)


def find_general(name: str) -> Convention:
    """Return a convention of any architecture's by name.

    Raises:
        UnknownNameError: there is none of this name.
    """
    rows = {row.name: row for row in general_conventions.OF_MODELS}
    if name == TOTAL:
        return general_conventions.Convention(*EVERY_PARAMETER, general_conventions.Way())
    if name not in rows:
        raise UnknownNameError("convention", name, (TOTAL, *rows))
    return rows[name]


def of(convention: Convention, dims: Dims) -> Measure:
    """Return a convention as a function of n_layer, n_embd and n_inner.

    Args:
        convention: a row of the table.
        dims: where all other sizes and the structure come from.

    >>> from gpt2calc.presets import load
    >>> of(find("fp16_bytes"), load("gpt2").dims)(48, 1600, 6400)
    3115222400
    """
    running = {name: getattr(LETTERED, name) for name in ("n_layer", "n_embd", "n_inner")}
    return Expression.of(convention.value(dims._replace(**running))).compiled(map(LETTERS.__getitem__, running))
