"""A size that writes down what is done to it, and prints that as JavaScript of exact integers, or as terms.

So a formula that is written once, in Python, also runs in a browser. It must not know which formulas there are.
"""

from __future__ import annotations

from typing import TypeAlias, cast

from gpt2calc.dims import LETTERS, Dims
from gpt2calc.polynomial import READING_ORDER

FLOOR = "const floored = (a, b) => a / b - (a % b < 0n ? 1n : 0n);"
"""Python's `//` by a positive number: JavaScript's own division of integers goes towards zero."""

Terms: TypeAlias = "dict[tuple[str, tuple[str, ...]], int]"
"""The coefficient of each term, by its letters and its flags."""

_SIGNS = {"+": 1, "*": 2, "**": 3}
"""How tightly the operators bind, which JavaScript and Python agree on."""


class Traced:
    """An integer that is not known yet: a name, or an operation on others.

    >>> L, d = Traced.named("L"), Traced.named("d")
    >>> (12 * L * d**2 - d).javascript()
    '12n * L * d ** 2n + -1n * d'
    """

    __slots__ = ("operation", "parts")

    def __init__(self, operation: str, *parts: Traced | int | str) -> None:
        self.operation, self.parts = operation, parts

    @classmethod
    def named(cls, name: str) -> Traced:
        """Return the integer of this name."""
        return cls("name", name)

    def __add__(self, other: Traced | int) -> Traced:
        return self if _is(other, 0) else Traced("+", self, other)

    def __radd__(self, other: int) -> Traced:
        return self if other == 0 else Traced("+", other, self)

    def __sub__(self, other: Traced | int) -> Traced:
        return self + -other

    def __rsub__(self, other: int) -> Traced:
        return -self + other

    def __neg__(self) -> Traced:
        return Traced("*", -1, self)

    def __mul__(self, other: Traced | int) -> Traced | int:
        if _is(other, 0):
            return 0
        return self if _is(other, 1) else Traced("*", self, other)

    def __rmul__(self, other: int) -> Traced | int:
        if other in (0, 1):
            return self if other else 0
        return Traced("*", other, self)

    def __pow__(self, exponent: int) -> Traced:
        return Traced("**", self, exponent)

    def __floordiv__(self, other: Traced | int) -> Traced:
        if isinstance(other, int) and other < 1:
            raise ValueError(f"a traced integer is divided by positive ones, got {other}")
        return self if _is(other, 1) else Traced("//", self, other)

    def javascript(self) -> str:
        """Return the expression in JavaScript, of BigInts."""
        if self.operation == "name":
            return str(self.parts[0])
        if self.operation == "//":
            return f"floored({', '.join(map(javascript, self.parts))})"
        left, right = self.parts
        sign = self.operation
        return f"{_inside(left, sign)} {sign} {_inside(right, sign)}"

    def terms(self) -> Terms:
        """Return the expression multiplied out, where it only adds, multiplies and takes powers."""
        if self.operation == "name":
            name = str(self.parts[0])
            return {(name, ()) if len(name) == 1 else ("", (name,)): 1}
        left, right = (terms(part) for part in self.parts)
        if self.operation == "+":
            return _added(left, right)
        if self.operation == "*":
            return _multiplied(left, right)
        if self.operation == "**":
            powers: Terms = {("", ()): 1}
            for _ in range(cast("int", self.parts[1])):
                powers = _multiplied(powers, left)
            return powers
        raise TypeError(f"{self.operation} leaves no polynomial")


def traced_dims() -> Dims:
    """Return dims whose sizes are called by their letters, and flags by their names."""
    names = (LETTERS.get(name, name) for name in Dims._fields)
    return Dims(*map(Traced.named, names))  # type: ignore[arg-type]  # they stand in for sizes and flags


def javascript(value: object) -> str:
    """Return an expression, a whole number, a text or a tuple of them as JavaScript."""
    if isinstance(value, Traced):
        return value.javascript()
    if isinstance(value, (tuple, list)):
        return f"[{', '.join(map(javascript, value))}]"
    if isinstance(value, int):
        return f"{int(value)}n"
    raise TypeError(f"no integer: {value!r}")


def terms(value: object) -> Terms:
    """Return an expression or a whole number multiplied out.

    Law: a flag is 0 or 1, so that it is its own square.
    """
    if isinstance(value, Traced):
        return value.terms()
    if not isinstance(value, int):
        raise TypeError(f"no integer: {value!r}")
    return {("", ()): value} if value else {}


def _is(value: object, number: int) -> bool:
    return isinstance(value, int) and value == number


def _inside(part: Traced | int | str, sign: str) -> str:
    """Return a part of an expression, in brackets where it binds less than the operator."""
    inner = part.operation if isinstance(part, Traced) else ""
    binds = _SIGNS.get(inner, 4) >= _SIGNS[sign] + (sign == "**")
    return javascript(part) if binds else f"({javascript(part)})"


def _added(one: Terms, other: Terms) -> Terms:
    keys = dict.fromkeys((*one, *other))
    sums = {key: one.get(key, 0) + other.get(key, 0) for key in keys}
    return {key: n for key, n in sums.items() if n}


def _multiplied(one: Terms, other: Terms) -> Terms:
    product: Terms = {}
    for (ours, our_flags), a in one.items():
        for (theirs, their_flags), b in other.items():
            letters = "".join(sorted(ours + theirs, key=READING_ORDER.index))
            key = letters, tuple(sorted({*our_flags, *their_flags}))
            product[key] = product.get(key, 0) + a * b
    return {key: n for key, n in product.items() if n}
