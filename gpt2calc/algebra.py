"""What a formula becomes when its sizes are letters: an exact expression to read, compare, evaluate and compile.

Formulas add, multiply and take powers, and some ways of counting divide and round down. So integer coefficients before
letters, where a quotient is one more letter, hold all they can say, in one normal form: two formulas are the same when
their terms are. Every language is written from the terms. It must not know which formulas there are.
"""

from __future__ import annotations

from math import prod

from gpt2calc.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from typing import Any, TypeAlias

Terms: TypeAlias = "dict[tuple[str, ...], int]"
"""The coefficient of each product of letters: that of L·d² is at ("L", "d", "d"), that of a constant at ()."""

READING_ORDER = "LVTkdm"  # how the letters of a term are written, as in V·d and 2L·d·m; others come after them
PLACES = {letter: place for place, letter in enumerate(READING_ORDER)}
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")

FLOORED = "const floored = (a, b) => a / b - (a % b < 0n ? 1n : 0n);"
"""What `javascript` calls, Python's `//` by a positive number: JavaScript's own division goes towards zero."""


class Flag(str):
    """A letter that is 0 or 1, and so its own square."""

    __slots__ = ()


class Quotient(str):
    """A letter that is one expression divided by another, rounded down; its name is what Python calls it."""

    __slots__ = ("parts",)

    parts: tuple[Expression, Expression]


class Expression:
    """A polynomial with integer coefficients in letters, flags and quotients.

    >>> d, L = Expression.letter("d"), Expression.letter("L")
    >>> L * (12 * d**2 + 13 * d) - L * d
    12L·d² + 12L·d
    >>> -(-d // 128) * 128
    -128⌊(-d)/(128)⌋
    """

    __slots__ = ("terms",)

    def __init__(self, terms: Terms) -> None:
        """Keep the terms that are not 0, each under its letters in Python's order, and a flag once."""
        self.terms = {letters: coefficient for letters, coefficient in terms.items() if coefficient}

    @classmethod
    def letter(cls, name: str) -> Expression:
        """Return the expression that is one letter."""
        return cls({(name,): 1})

    @classmethod
    def of(cls, value: Expression | int) -> Expression:
        """Return an expression as it is, and an integer as a constant one.

        Raises:
            TypeError: it is neither, such as a float, which is not exact.
        """
        if not isinstance(value, (Expression, int)):
            raise TypeError(f"an expression has integer coefficients, got {value!r}")
        return value if isinstance(value, Expression) else cls({(): int(value)})

    def __add__(self, other: Expression | int) -> Expression:
        terms = dict(self.terms)
        for letters, coefficient in Expression.of(other).terms.items():
            terms[letters] = terms.get(letters, 0) + coefficient
        return Expression(terms)

    def __mul__(self, other: Expression | int) -> Expression:
        if isinstance(other, int):  # as half of all products are by
            return Expression({letters: coefficient * other for letters, coefficient in self.terms.items()})
        factor = Expression.of(other).terms
        terms: Terms = {}
        for ours, a in self.terms.items():
            for theirs, b in factor.items():
                letters = _product(ours, theirs)
                terms[letters] = terms.get(letters, 0) + a * b
        return Expression(terms)

    def __pow__(self, exponent: int) -> Expression:
        if exponent < 0:
            raise ValueError(f"a power of an expression is 0 or more, got {exponent}")
        return prod([self] * exponent, start=Expression.of(1))

    def __floordiv__(self, divisor: Expression | int) -> Expression:
        if isinstance(divisor, int) and divisor < 1:
            raise ValueError(f"an expression is divided by what is positive, got {divisor}")
        if divisor == 1:
            return self
        parts = self, Expression.of(divisor)
        if self.constant is not None and isinstance(divisor, int):
            return Expression.of(self.constant // divisor)
        quotient = Quotient("(({})//({}))".format(*map(Expression.plain, parts)))
        quotient.parts = parts
        return Expression.letter(quotient)

    def __neg__(self) -> Expression:
        return self * -1

    def __sub__(self, other: Expression | int) -> Expression:
        return self + -other

    def __rsub__(self, other: int) -> Expression:
        return -self + other

    __radd__ = __add__
    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Expression, int)) and self.terms == Expression.of(other).terms

    def __hash__(self) -> int:
        constant = self.constant  # which equals an integer, and so has its hash
        return hash(frozenset(self.terms.items()) if constant is None else constant)

    def __repr__(self) -> str:
        return self.text()

    @property
    def letters(self) -> set[str]:
        """Every letter, flag and quotient that is in it; what is in a quotient is not."""
        return {letter for letters in self.terms for letter in letters}

    @property
    def constant(self) -> int | None:
        """The integer that it is, None where it has letters."""
        return self.terms.get((), 0) if self.terms.keys() <= {()} else None

    @property
    def divides(self) -> bool:
        """Whether there is a quotient in it, so that it is no polynomial of its letters."""
        return any(isinstance(letter, Quotient) for letter in self.letters)

    def put(self, values: Mapping[str, Any]) -> Any:
        """Return what it comes to with ints, int64 arrays or expressions in place of letters; others stay.

        >>> d, m = Expression.letter("d"), Expression.letter("m")
        >>> (2 * d * m).put({"m": 4 * d}), (2 * d * m).put({"d": 768, "m": 3072})
        (8d², 4718592)
        """

        def factor(letter: str) -> Any:
            if isinstance(letter, Quotient):
                numerator, divisor = (part.put(values) for part in letter.parts)
                return numerator // divisor
            return values[letter] if letter in values else Expression.letter(letter)

        return sum(prod(map(factor, letters), start=coefficient) for letters, coefficient in self.terms.items())

    def ranked(self) -> list[tuple[tuple[str, ...], int]]:
        """Return the terms as they are read: highest degree first, each with its letters in reading order."""
        ranked = sorted((-len(letters), sorted(map(_place, letters)), n) for letters, n in self.terms.items())
        return [(tuple(letter for _, letter in placed), n) for _, placed, n in ranked]

    def _written(self, number: Callable[[int], str], power: Callable[[str, int], str], after: str, between: str) -> str:
        """Join the terms with the signs between them.

        Args:
            number: writes a coefficient.
            power: writes a letter that occurs so many times.
            after: what stands after a coefficient.
            between: what stands between letters.
        """
        text = ""
        for letters, coefficient in self.ranked() or [((), 0)]:
            factors = between.join(power(letter, letters.count(letter)) for letter in dict.fromkeys(letters))
            if not letters or abs(coefficient) != 1:
                factors = number(abs(coefficient)) + (after + factors if letters else "")
            text += (" - " if coefficient < 0 else " + ") + factors
        return text.removeprefix(" + ") if text[:3] != " - " else "-" + text[3:]

    def text(self, numbers: Mapping[str, int] | None = None) -> str:
        """Return the expression as people write it, with numbers in place of letters where given.

        >>> (12 * Expression.letter("d") ** 2).text({"d": 768})
        '12·768²'
        """

        def power(letter: str, exponent: int) -> str:
            name = f"{numbers[letter]:,}" if numbers and letter in numbers else _called(letter, write, "⌊({})/({})⌋")
            return name + (str(exponent).translate(SUPERSCRIPTS) if exponent > 1 else "")

        def write(part: Expression) -> str:
            return part.text(numbers)

        return self._written("{:,}".format, power, "·" if numbers else "", "·")

    def tex(self) -> str:
        r"""Return the expression as LaTeX mathematics, without the dollars.

        >>> (12 * Expression.letter("d") ** 2).tex()
        '12 d^{2}'
        """

        def power(letter: str, exponent: int) -> str:
            name = _called(letter, Expression.tex, r"\lfloor \frac{{{}}}{{{}}} \rfloor")
            return name + (f"^{{{exponent}}}" if exponent > 1 else "")

        return self._written(str, power, " ", " ")

    def latex(self) -> str:
        """Return the expression as LaTeX, in dollars."""
        return f"${self.tex()}$"

    def plain(self) -> str:
        """Return the expression in Python, in characters that every reader of CSV takes.

        >>> (12 * Expression.letter("d") ** 2).plain()
        '12*d*d'
        """
        return self._written(str, lambda letter, exponent: "*".join([letter] * exponent), "*", "*")

    def javascript(self) -> str:
        """Return the expression in JavaScript, of BigInts; a quotient calls `FLOORED`.

        >>> (-(-Expression.letter("V") // 128) * 128).javascript()
        '-128n*floored(-V, 128n)'
        """

        def power(letter: str, exponent: int) -> str:
            return "*".join([_called(letter, Expression.javascript, "floored({}, {})")] * exponent)

        return self._written("{}n".format, power, "*", "*")

    def nested(self) -> str:
        """Return the expression in Python with letters before brackets, which evaluates with the fewest products.

        >>> L, d = Expression.letter("L"), Expression.letter("d")
        >>> (12 * L * d**2 + 13 * L * d + 2 * d).nested()
        'd*(L*(12*d + 13) + 2)'
        """
        terms: dict[str, int] = {}
        for letters in self.terms:
            for letter in dict.fromkeys(letters):
                terms[letter] = terms.get(letter, 0) + 1
        first = max(terms, key=terms.__getitem__, default="")
        if not first or terms[first] == 1:
            return self.plain()
        inside, rest = Expression({}), Expression({})
        for letters, coefficient in self.terms.items():
            at = letters.index(first) if first in letters else None
            part = rest if at is None else inside
            part.terms[letters if at is None else letters[:at] + letters[at + 1 :]] = coefficient
        return f"{first}*({inside.nested()})" + (f" + {rest.nested()}" if rest.terms else "")

    def compiled(self, letters: Iterable[str]) -> Callable[..., Any]:
        """Return a function of these letters, in this order, that evaluates the expression, on ints or on arrays.

        >>> (12 * Expression.letter("d") ** 2).compiled("Ld")(12, 768)
        7077888
        """
        text = f"lambda {','.join(letters)}: {self.nested()}"  # integers, letters and arithmetic, by `nested` above
        function: Callable[..., Any] = eval(text, {"__builtins__": {}})  # noqa: S307  # see above
        return function


def _place(letter: str) -> tuple[int, str]:
    return PLACES.get(letter.partition("_")[0], len(PLACES)), letter  # L_moe stands where L does


def _product(ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    """Return the letters of the product of two terms."""
    flags = {letter for letter in ours if isinstance(letter, Flag)}
    return tuple(sorted((*ours, *(letter for letter in theirs if letter not in flags))))


def _called(letter: str, write: Callable[[Expression], str], quotient: str) -> str:
    """Return what a letter is called where a quotient of two expressions is written like this."""
    return quotient.format(*map(write, letter.parts)) if isinstance(letter, Quotient) else letter


class ClosedForm(NamedTuple):
    """A component's formula as it is shown: how often it occurs, times what it holds each time."""

    times: Expression
    weights: Expression
    biases: Expression

    @property
    def simplified(self) -> Expression:
        """The product multiplied out."""
        return self.times * (self.weights + self.biases)

    @property
    def each(self) -> ClosedForm:
        """The formula of one occurrence."""
        return self._replace(times=Expression.of(1))

    def _joined(self, write: Callable[[Expression], str], product: str) -> str:
        each = self.weights + self.biases
        if len(each.terms) < 2 or self.times in (0, 1):
            return write(self.simplified)
        return f"{write(self.times)}{product}({write(each)})"

    def text(self, numbers: Mapping[str, int] | None = None) -> str:
        """Return the formula as people write it, with numbers in place of letters where given.

        >>> d, L = Expression.letter("d"), Expression.letter("L")
        >>> c_attn = ClosedForm(L, 3 * d**2, 3 * d)
        >>> c_attn.text(), c_attn.text({"L": 12, "d": 768})
        ('L·(3d² + 3d)', '12·(3·768² + 3·768)')
        """
        return self._joined(lambda each: each.text(numbers), "·")

    def latex(self) -> str:
        """Return the formula as LaTeX, in dollars."""
        return f"${self._joined(Expression.tex, ' ')}$"

    def plain(self) -> str:
        """Return the formula in characters that every reader of CSV takes."""
        return self._joined(Expression.plain, "*")


class Shape(NamedTuple):
    """The shape of a tensor, in letters."""

    sizes: tuple[Expression, ...]

    def text(self) -> str:
        """Return the shape as torch prints one.

        >>> Shape((Expression.letter("d"), 3 * Expression.letter("d"))).text()
        '[d, 3d]'
        """
        return f"[{', '.join(size.text() for size in self.sizes)}]"

    def latex(self) -> str:
        """Return the shape as LaTeX, in dollars."""
        return f"$[{', '.join(size.tex() for size in self.sizes)}]$"

    def plain(self) -> str:
        """Return the shape in characters that every reader of CSV takes."""
        return f"[{', '.join(size.plain() for size in self.sizes)}]"
