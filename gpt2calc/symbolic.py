"""The two derivations as sympy expressions, so that their equality is a proof and not a sample.

sympy is a guest: only this file loads it. Sizes are symbols; structure is symbols too, or the flags of a model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import sympy

from gpt2calc import formulas, tensor_table
from gpt2calc.dims import LETTERS, Dims
from gpt2calc.model import BIAS, WEIGHT

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


class Identity(NamedTuple):
    """One component's weights, or its biases, counted twice: by algebra and by listing tensors."""

    component: str
    role: str
    formula: sympy.Expr
    tensors: sympy.Expr

    @property
    def holds(self) -> bool:
        """Whether the two are the same polynomial, and so equal for all sizes."""
        return bool(sympy.expand(self.formula - self.tensors) == 0)


def dims(structure: Sequence[int] | None = None) -> Dims:
    """Return dims whose sizes are symbols, and whose flags are symbols as well unless a structure is given.

    >>> print(sympy.expand(formulas.table(dims())[0].weights))
    V*d
    """
    names = (*LETTERS.values(), *Dims._fields[len(LETTERS) :])
    symbols = sympy.symbols(names, integer=True, nonnegative=True)
    return Dims(*symbols) if structure is None else Dims(*symbols[: len(LETTERS)], *structure)


def identities(
    x: Dims,
    formula_table: Callable[[Dims], tuple[formulas.Formula, ...]] = formulas.table,
    tensors: Callable[[Dims], tuple[tensor_table.Row, ...]] = tensor_table.table,
) -> list[Identity]:
    """Pair what the formulas say with what the tensors add up to, for every component that either table knows.

    Args:
        x: dims of symbols.
        formula_table: the first derivation; another one shows that the proof can fail.
        tensors: the second derivation.

    Returns:
        Two identities for each component, weights first.

    >>> all(identity.holds for identity in identities(dims()))
    True
    """
    summed: dict[tuple[str, str], sympy.Expr] = {}
    for row in tensors(x):
        key = (row.component, row.role)
        summed[key] = summed.get(key, sympy.Integer(0)) + row.times * sympy.prod(row.shape)
    found = []
    for law in formula_table(x):
        for role, count in ((WEIGHT, law.weights), (BIAS, law.biases)):
            counted = sympy.sympify(law.times * count)
            found.append(Identity(law.component, role, counted, summed.pop((law.component, role), sympy.Integer(0))))
    found += [Identity(component, role, sympy.Integer(0), counted) for (component, role), counted in summed.items()]
    return found
