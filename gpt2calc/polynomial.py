"""What a formula becomes when its sizes are letters: an exact polynomial that can be read, compared and compiled.

The formulas only add, multiply and take powers, so a polynomial with integer coefficients holds all they can say, in
one normal form: two formulas are the same when their terms are the same. It must not know which formulas there are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

ORDER = "LdTVmk"  # the order of a compiled function's arguments, that of `dims.LETTERS`
READING_ORDER = "LVTkdm"  # how the letters of a term are written, as in L·d² and V·d
SUPERSCRIPTS = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")


class Polynomial:
    """A polynomial with integer coefficients in letters.

    >>> d, L = Polynomial.letter("d"), Polynomial.letter("L")
    >>> L * (12 * d**2 + 13 * d) - L * d
    12L·d² + 12L·d
    """

    __slots__ = ("terms",)

    def __init__(self, terms: Mapping[str, int]) -> None:
        """Keep the terms that are not 0; a key is the term's letters in order, "Ldd" for L·d², "" for a constant."""
        self.terms = {letters: coefficient for letters, coefficient in terms.items() if coefficient}

    @classmethod
    def letter(cls, letter: str) -> Polynomial:
        """Return the polynomial that is one letter."""
        return cls({letter: 1})

    @classmethod
    def of(cls, value: Polynomial | int) -> Polynomial:
        """Return a polynomial as it is, and an integer as a constant one."""
        if not isinstance(value, (Polynomial, int)):
            raise TypeError(f"a polynomial has integer coefficients, got {value!r}")
        return value if isinstance(value, Polynomial) else cls({"": value})

    def __add__(self, other: Polynomial | int) -> Polynomial:
        terms = dict(self.terms)
        for letters, coefficient in Polynomial.of(other).terms.items():
            terms[letters] = terms.get(letters, 0) + coefficient
        return Polynomial(terms)

    def __mul__(self, other: Polynomial | int) -> Polynomial:
        terms: dict[str, int] = {}
        for ours, a in self.terms.items():
            for theirs, b in Polynomial.of(other).terms.items():
                letters = "".join(sorted(ours + theirs, key=READING_ORDER.index))
                terms[letters] = terms.get(letters, 0) + a * b
        return Polynomial(terms)

    def __pow__(self, exponent: int) -> Polynomial:
        if exponent < 0:
            raise ValueError(f"a power of a polynomial is 0 or more, got {exponent}")
        power = Polynomial.of(1)
        for _ in range(exponent):
            power = power * self
        return power

    def __sub__(self, other: Polynomial | int) -> Polynomial:
        return self + Polynomial.of(other) * -1

    def __rsub__(self, other: int) -> Polynomial:
        return self * -1 + other

    __radd__ = __add__
    __rmul__ = __mul__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, (Polynomial, int)) and self.terms == Polynomial.of(other).terms

    def __hash__(self) -> int:
        if set(self.terms) <= {""}:  # a constant equals an integer, and so has its hash
            return hash(self.terms.get("", 0))
        return hash(frozenset(self.terms.items()))

    def __repr__(self) -> str:
        return self.text()

    def _written(self, term: Callable[[str, int], str]) -> str:
        """Join the terms, highest degree first, with the signs between them."""
        if not self.terms:
            return "0"
        ranked = sorted(self.terms, key=lambda letters: (-len(letters), [READING_ORDER.index(x) for x in letters]))
        signed = [(" - " if self.terms[x] < 0 else " + ") + term(x, abs(self.terms[x])) for x in ranked]
        text = "".join(signed)
        return text.removeprefix(" + ") if text[:3] != " - " else "-" + text[3:]

    def text(self, numbers: Mapping[str, int] | None = None) -> str:
        """Return the polynomial as people write it, with numbers in place of letters where given.

        >>> (12 * Polynomial.letter("d") ** 2).text({"d": 768})
        '12·768²'
        """

        def term(letters: str, coefficient: int) -> str:
            factors = []
            for letter in dict.fromkeys(letters):
                power, name = letters.count(letter), f"{numbers[letter]:,}" if numbers else letter
                factors.append(name + (str(power).translate(SUPERSCRIPTS) if power > 1 else ""))
            number = "" if coefficient == 1 and factors else f"{coefficient:,}"
            between = "·" if numbers and number and factors else ""
            return number + between + "·".join(factors)

        return self._written(term)

    def tex(self) -> str:
        r"""Return the polynomial as LaTeX mathematics, without the dollars.

        >>> (12 * Polynomial.letter("d") ** 2).tex()
        '12 d^{2}'
        """

        def term(letters: str, coefficient: int) -> str:
            powers = [(letter, letters.count(letter)) for letter in dict.fromkeys(letters)]
            factors = [letter + (f"^{{{power}}}" if power > 1 else "") for letter, power in powers]
            return " ".join([str(coefficient)] * (coefficient != 1 or not factors) + factors)

        return self._written(term)

    def latex(self) -> str:
        """Return the polynomial as LaTeX, in dollars."""
        return f"${self.tex()}$"

    def plain(self) -> str:
        """Return the polynomial in characters that every reader of CSV takes."""
        return self.source()

    def source(self) -> str:
        """Return the polynomial as an expression of letters, integers, `*`, `+` and `-`.

        >>> (12 * Polynomial.letter("d") ** 2).source()
        '12*d*d'
        """
        return self._written(lambda letters, n: "*".join([str(n)] * (n != 1 or not letters) + list(letters)))

    def compiled(self) -> Callable[..., int]:
        """Return a function of all the sizes, in the order of `dims.LETTERS`, that evaluates the polynomial.

        >>> (12 * Polynomial.letter("d") ** 2).compiled()(12, 768, 1024, 50257, 3072, 2)
        7077888
        """
        text = f"lambda {','.join(ORDER)}: {self.source()}"  # integers and letters alone, by `source` above
        function: Callable[..., int] = eval(text, {"__builtins__": {}})  # noqa: S307  # see above
        return function


class ClosedForm(NamedTuple):
    """A component's formula as it is shown: how often it occurs, times what it holds each time."""

    times: Polynomial
    weights: Polynomial
    biases: Polynomial

    @property
    def simplified(self) -> Polynomial:
        """The product multiplied out."""
        return self.times * (self.weights + self.biases)

    @property
    def each(self) -> ClosedForm:
        """The formula of one occurrence."""
        return self._replace(times=Polynomial.of(1))

    def _joined(self, write: Callable[[Polynomial], str], product: str, opening: str, closing: str) -> str:
        each = self.weights + self.biases
        if len(each.terms) < 2 or self.times in (0, 1):
            return write(self.simplified)
        return f"{write(self.times)}{product}{opening}{write(each)}{closing}"

    def text(self, numbers: Mapping[str, int] | None = None) -> str:
        """Return the formula as people write it, with numbers in place of letters where given.

        >>> d, L = Polynomial.letter("d"), Polynomial.letter("L")
        >>> c_attn = ClosedForm(L, 3 * d**2, 3 * d)
        >>> c_attn.text(), c_attn.text({"L": 12, "d": 768})
        ('L·(3d² + 3d)', '12·(3·768² + 3·768)')
        """
        return self._joined(lambda polynomial: polynomial.text(numbers), "·", "(", ")")

    def latex(self) -> str:
        """Return the formula as LaTeX, in dollars."""
        return f"${self._joined(Polynomial.tex, ' ', '(', ')')}$"

    def plain(self) -> str:
        """Return the formula in characters that every reader of CSV takes."""
        return self._joined(Polynomial.source, "*", "(", ")")


class Shape(NamedTuple):
    """The shape of a tensor, in letters."""

    sizes: tuple[Polynomial, ...]

    def text(self) -> str:
        """Return the shape as torch prints one.

        >>> Shape((Polynomial.letter("d"), 3 * Polynomial.letter("d"))).text()
        '[d, 3d]'
        """
        return f"[{', '.join(size.text() for size in self.sizes)}]"

    def latex(self) -> str:
        """Return the shape as LaTeX, in dollars."""
        return f"$[{', '.join(size.tex() for size in self.sizes)}]$"

    def plain(self) -> str:
        """Return the shape in characters that every reader of CSV takes."""
        return f"[{', '.join(size.source() for size in self.sizes)}]"
