"""What a shape is measured by: a convention as a function of n_layer, n_embd and n_inner, all other sizes fixed.

The convention itself is evaluated once, on letters, and what comes out is compiled. So there is no second copy of a
formula here, and a convention that is added to the table can be searched by.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc import conventions, formulas
from gpt2calc.errors import UnknownNameError
from gpt2calc.polynomial import Polynomial

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpt2calc.conventions import Convention
    from gpt2calc.dims import Dims

    Measure = Callable[[int, int, int], int]

TOTAL = "total"


class Expression:
    """A polynomial, or source text made of polynomials where a convention divides and rounds, as bytes do.

    >>> L = Expression(Polynomial.letter("L"))
    >>> (-(-(4 * L + 2 * L) // 8)).source
    '-((-6*L)//8)'
    """

    __slots__ = ("value",)

    def __init__(self, value: Polynomial | str) -> None:
        self.value = value

    @property
    def source(self) -> str:
        """The expression in Python."""
        return self.value if isinstance(self.value, str) else self.value.source()

    def _joined(self, other: Expression | int, sign: str) -> Expression:
        theirs = other.value if isinstance(other, Expression) else Polynomial.of(other)
        if isinstance(self.value, Polynomial) and isinstance(theirs, Polynomial):
            return Expression(self.value + theirs if sign == "+" else self.value * theirs)
        text = theirs if isinstance(theirs, str) else theirs.source()
        return Expression(f"({self.source}){sign}({text})")

    def __add__(self, other: Expression | int) -> Expression:
        return self._joined(other, "+")

    def __mul__(self, other: Expression | int) -> Expression:
        return self._joined(other, "*")

    __radd__ = __add__
    __rmul__ = __mul__

    def __neg__(self) -> Expression:
        return self * -1 if isinstance(self.value, Polynomial) else Expression(f"-({self.value})")

    def __sub__(self, other: Expression | int) -> Expression:
        return self + -other

    def __rsub__(self, other: int) -> Expression:
        return -self + other

    def __pow__(self, exponent: int) -> Expression:
        power: Expression = Expression(Polynomial.of(1))
        for _ in range(exponent):
            power = power * self
        return power

    def __floordiv__(self, divisor: int) -> Expression:
        return Expression(f"({self.source})//{divisor}") if divisor != 1 else self


def find(name: str) -> Convention:
    """Return a convention by name; `total` is the model as it is, tied or not.

    Raises:
        UnknownNameError: there is none of this name.
    """
    if name == TOTAL:
        return conventions.Convention(TOTAL, conventions.PARAMETERS, "every parameter of the model", "", formulas.total)
    if name not in conventions.NAMES:
        raise UnknownNameError("convention", name, (TOTAL, *conventions.NAMES))
    return conventions.find(name)


def of(convention: Convention, x: Dims) -> Measure:
    """Return a convention as a function of n_layer, n_embd and n_inner.

    Args:
        convention: a row of the table.
        x: where all other sizes and the structure come from.

    >>> from gpt2calc.presets import load
    >>> of(find("fp16_bytes"), load("gpt2").dims)(48, 1600, 6400)
    3115222400
    """
    letters = {"n_layer": "L", "n_embd": "d", "n_inner": "m"}
    sizes = {size: Expression(Polynomial.letter(letter)) for size, letter in letters.items()}
    value: object = convention.value(x._replace(**sizes))  # type: ignore[arg-type]  # letters stand in for sizes
    source = value.source if isinstance(value, Expression) else str(value)
    # Integers, letters and arithmetic alone, all of it written by `Expression` above.
    function: Measure = eval(f"lambda L, d, m: {source}", {"__builtins__": {}})  # noqa: S307  # see above
    return function
