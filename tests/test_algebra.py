"""Expressions are a commutative ring, agree with sympy, and what they are written as means what they are."""

from __future__ import annotations

import random
import re
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from gpt2calc import conventions, formulas
from gpt2calc.algebra import READING_ORDER, SUPERSCRIPTS, ClosedForm, Expression, Flag, Shape
from gpt2calc.dims import LETTERED, LETTERS, Dims
from tests.loops import of_each

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ORDER = "LdTVmk"
L, d, T, V, m, k = map(Expression.letter, ORDER)
bias, ln_f = (Expression.letter(Flag(name)) for name in ("bias", "ln_f"))
SYMBOLS: dict[str, Any] = {letter: sympy.Symbol(letter, positive=True, integer=True) for letter in ORDER}
DIGITS = {superscript: digit for digit, superscript in zip("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)}


def polynomials(terms: int = 5, degree: int = 4) -> st.SearchStrategy[Expression]:
    """Draw polynomials in all letters, with coefficients of any size and sign."""
    monomial = st.lists(st.sampled_from(ORDER), max_size=degree).map(lambda drawn: tuple(sorted(drawn)))
    return st.dictionaries(monomial, st.integers(-(10**30), 10**30), max_size=terms).map(Expression)


def sizes() -> st.SearchStrategy[dict[str, int]]:
    """Draw a number for each letter, astronomically large ones among them."""
    return st.fixed_dictionaries({letter: st.integers(0, 10**25) for letter in ORDER})


def as_sympy(polynomial: Expression) -> Any:
    """Return the same expression in sympy, from the terms alone."""
    return sum(
        coefficient * sympy.prod([SYMBOLS[letter] for letter in letters])
        for letters, coefficient in polynomial.terms.items()
    )


def value(polynomial: Expression, numbers: Mapping[str, int]) -> int:
    """Evaluate a polynomial from its terms alone."""
    return sum(n * prod(numbers[letter] for letter in letters) for letters, n in polynomial.terms.items())


def as_python(text: str) -> str:
    """Return JavaScript of BigInts as Python: numbers without their n, and the one function that differs."""
    return re.sub(r"\b(\d+)n\b", r"\1", text).replace("floored", "(lambda a, b: a // b)")


def test_every_letter_of_dims_has_a_place_in_a_term() -> None:
    """None is written behind those of another."""
    assert sorted(READING_ORDER) == sorted(LETTERS.values()) == sorted(ORDER)


class TestRing:
    """Addition and multiplication obey the laws of a commutative ring with 1, Python's integers being in it."""

    @given(p=polynomials(), q=polynomials(), r=polynomials())
    def test_addition_and_multiplication_are_commutative_and_associative(
        self, p: Expression, q: Expression, r: Expression
    ) -> None:
        """Law: p + q = q + p, (p + q) + r = p + (q + r), and the same of products."""
        assert p + q == q + p
        assert (p + q) + r == p + (q + r)
        assert p * q == q * p
        assert (p * q) * r == p * (q * r)

    @given(p=polynomials(), q=polynomials(), r=polynomials())
    def test_multiplication_distributes_over_addition(self, p: Expression, q: Expression, r: Expression) -> None:
        """Law: p·(q + r) = p·q + p·r."""
        assert p * (q + r) == p * q + p * r

    @given(p=polynomials())
    def test_zero_one_and_the_inverse_are_what_they_are(self, p: Expression) -> None:
        """Law: p + 0 = p, p·1 = p, p·0 = 0 and p - p = 0."""
        assert p + 0 == 0 + p == p * 1 == 1 * p == p
        assert p * 0 == 0 * p == 0
        assert p - p == 0
        assert (p - p).terms == {}

    @given(p=polynomials(), q=polynomials())
    def test_subtraction_undoes_addition(self, p: Expression, q: Expression) -> None:
        """(p + q) - q = p, and p - q = -(q - p)."""
        assert (p + q) - q == p
        assert p - q == (q - p) * -1

    @given(p=polynomials(), n=st.integers(-(10**30), 10**30))
    def test_an_integer_stands_for_the_constant(self, p: Expression, n: int) -> None:
        """On either side, an integer does what the constant polynomial does."""
        constant = Expression.of(n)
        assert p + n == n + p == p + constant
        assert p * n == n * p == p * constant
        assert p - n == p - constant
        assert n - p == constant - p
        assert constant == n

    @given(p=polynomials(terms=3, degree=2), n=st.integers(0, 4))
    def test_a_power_is_a_repeated_product(self, p: Expression, n: int) -> None:
        """Law: p⁰ = 1 and pⁿ⁺¹ = pⁿ·p."""
        assert p**0 == 1
        assert p ** (n + 1) == p**n * p

    @given(p=polynomials(), q=polynomials())
    def test_equal_polynomials_have_equal_hashes_and_no_term_is_zero(self, p: Expression, q: Expression) -> None:
        """The terms are a normal form: the same polynomial, however it was reached, has the same terms."""
        again = (p + q) - q
        assert (again, hash(again)) == (p, hash(p))
        assert all((p * q).terms.values())
        assert all(list(letters) == sorted(letters) for letters in (p * q).terms)


@pytest.mark.parametrize("number", [0, 1, -7, 10**30])
def test_a_constant_has_the_hash_of_the_integer_that_it_equals(number: int) -> None:
    """Python asks of equal objects that their hashes are equal."""
    assert Expression.of(number) == number
    assert hash(Expression.of(number)) == hash(number)


@pytest.mark.parametrize("exponent", [-1, -3, 0.5, 2.0, "2", None], ids=repr)
def test_a_power_that_is_no_whole_number_is_refused(exponent: Any) -> None:
    """d⁻¹ is no polynomial, and is not silently 1."""
    with pytest.raises((ValueError, TypeError)):
        _ = d**exponent


@pytest.mark.parametrize("other", [1.5, 0.5, "2", None, [1]], ids=repr)
def test_what_is_neither_polynomial_nor_integer_is_refused(other: Any) -> None:
    """No float slips into an exact formula, and no word."""
    with pytest.raises(TypeError):
        _ = d + other
    with pytest.raises(TypeError):
        _ = d * other
    with pytest.raises(TypeError):
        _ = d // other
    assert d != other


class TestSympy:
    """Another library, which knows nothing of this project, says the same."""

    @given(p=polynomials(terms=4, degree=3), q=polynomials(terms=4, degree=3))
    def test_sums_and_products_are_sympys(self, p: Expression, q: Expression) -> None:
        """Multiplied out by sympy, sums, differences and products have the same terms."""
        for ours, theirs in ((p + q, as_sympy(p) + as_sympy(q)), (p - q, as_sympy(p) - as_sympy(q))):
            assert as_sympy(ours) == sympy.expand(theirs)
        assert as_sympy(p * q) == sympy.expand(as_sympy(p) * as_sympy(q))

    @given(p=polynomials(terms=3, degree=2), n=st.integers(0, 3))
    def test_powers_are_sympys(self, p: Expression, n: int) -> None:
        """Powers as well."""
        assert as_sympy(p**n) == sympy.expand(as_sympy(p) ** n)

    @given(p=polynomials())
    def test_what_is_written_means_what_it_is(self, p: Expression) -> None:
        """The Python, the text and the LaTeX of a polynomial are read back by sympy as the polynomial."""
        text = re.sub(r"[⁰¹²³⁴-⁹]+", lambda found: "**" + "".join(map(DIGITS.__getitem__, found[0])), p.text())
        text = re.sub(r"(?<=\d)(?=[A-Za-z])", "*", text.replace(",", "").replace("·", "*"))
        tex = re.sub(r"(?<=[\w}]) (?=[A-Za-z])", "*", p.tex()).replace("^{", "**").replace("}", "")
        for written in (p.plain(), text, tex):
            assert sympy.sympify(written, locals=SYMBOLS) - as_sympy(p) == 0


class TestNumbers:
    """Evaluated, a polynomial is the integer that its terms say."""

    @given(p=polynomials(), numbers=sizes())
    def test_a_compiled_polynomial_is_its_evaluation(self, p: Expression, numbers: dict[str, int]) -> None:
        """It takes the letters in the order that is asked for, and is exact on integers of any size."""
        for order in (ORDER, READING_ORDER):
            assert p.compiled(order)(*(numbers[letter] for letter in order)) == value(p, numbers)

    @given(p=polynomials(), q=polynomials(), numbers=sizes())
    def test_evaluation_goes_through_sums_and_products(
        self, p: Expression, q: Expression, numbers: dict[str, int]
    ) -> None:
        """Evaluating is a homomorphism."""
        assert value(p + q, numbers) == value(p, numbers) + value(q, numbers)
        assert value(p * q, numbers) == value(p, numbers) * value(q, numbers)

    @given(p=polynomials(), numbers=sizes())
    def test_a_text_with_numbers_put_in_is_the_number(self, p: Expression, numbers: dict[str, int]) -> None:
        """What a person would type into a calculator gives the polynomial's value."""
        text = p.text(numbers).replace(",", "").replace("·", "*")
        text = re.sub(r"[⁰¹²³⁴-⁹]+", lambda found: "**" + "".join(map(DIGITS.__getitem__, found[0])), text)
        assert eval(text, {"__builtins__": {}}) == value(p, numbers)  # digits and signs alone

    @given(p=polynomials(), numbers=sizes())
    def test_what_is_written_for_python_and_javascript_is_read_by_python(
        self, p: Expression, numbers: dict[str, int]
    ) -> None:
        """It finds nothing but integers, letters, *, + and -."""
        assert re.fullmatch(r"[0-9LVTkdm*+\- ]+", p.plain())
        for text in (p.plain(), as_python(p.javascript())):
            assert eval(text, {"__builtins__": {}}, dict(numbers)) == value(p, numbers)
        assert as_python(p.javascript()) == p.plain()

    @given(p=polynomials(), q=polynomials(terms=3, degree=2), numbers=sizes())
    def test_an_expression_in_place_of_a_letter_is_its_number(
        self, p: Expression, q: Expression, numbers: dict[str, int]
    ) -> None:
        """Law: p with q for m, evaluated, is p evaluated with the value of q for m; what is not named stays."""
        assert p.put(numbers) == value(p, numbers)
        assert p.put({"m": q}) == p.put({letter: Expression.letter(letter) for letter in ORDER} | {"m": q})
        assert value(Expression.of(p.put({"m": q})), numbers) == value(p, numbers | {"m": value(q, numbers)})

    def test_letters_can_be_arrays(self) -> None:
        """A compiled expression, and one in which arrays are put, are int64 where the arrays are."""
        widths, depths = np.array([768, 1600]), np.array([12, 48])
        formula = 12 * L * d**2 - (V * d) // 2
        expected = [12 * 12 * 768**2 - 50257 * 768 // 2, 12 * 48 * 1600**2 - 50257 * 1600 // 2]
        numbers = {"L": depths, "d": widths, "V": 50257}
        for found in (formula.compiled("LdV")(*numbers.values()), formula.put(numbers)):
            assert (found.dtype, found.tolist()) == (np.dtype("int64"), expected)


class TestFlags:
    """A flag is 0 or 1, and so its own square."""

    def test_a_square_is_the_flag(self) -> None:
        """bias² = bias, (1 - bias)² = 1 - bias, and bias·(1 - bias) = 0; a letter is squared."""
        assert bias**2 == bias
        assert (1 - bias) ** 2 == 1 - bias
        assert bias * (1 - bias) == 0
        assert d * bias * d == d**2 * bias

    def test_flags_come_after_letters_in_a_term(self) -> None:
        """In the order of their names."""
        assert (ln_f * bias * d * L).plain() == "L*d*bias*ln_f"


class TestQuotients:
    """What is divided is rounded down and counts as one more letter."""

    @given(p=polynomials(), q=polynomials(terms=2), divisor=st.integers(1, 10**12), numbers=sizes())
    def test_every_way_of_evaluating_a_quotient_is_pythons_division(
        self, p: Expression, q: Expression, divisor: int, numbers: dict[str, int]
    ) -> None:
        """Law: -(-p // n)·n + q is the same compiled, put in, in Python and in JavaScript, to any size and sign."""
        rounded = -(-p // divisor) * divisor + q
        expected = -(-value(p, numbers) // divisor) * divisor + value(q, numbers)
        ordered = [numbers[letter] for letter in ORDER]
        assert rounded.compiled(ORDER)(*ordered) == rounded.put(numbers) == expected
        for text in (rounded.plain(), as_python(rounded.javascript())):
            assert eval(text, dict(numbers)) == expected

    def test_equal_quotients_are_one_letter(self) -> None:
        """However the numerator was reached; and a quotient in a quotient is one as well."""
        assert (L * d + L) // 8 == L * (d + 1) // 8
        assert (L // 2 + 1) // 3 * 2 - (1 + L // 2) // 3 == (L // 2 + 1) // 3
        assert hash(d // 8) == hash(d // 8)
        assert d // 8 != d // 4
        assert (d // 8).put({"d": 8 * L + 1}) == (8 * L + 1) // 8

    def test_what_divides_nothing_leaves_a_polynomial(self) -> None:
        """By 1, and of numbers alone."""
        assert d // 1 == d
        assert Expression.of(-7) // 2 == -4
        assert 0 * d // 8 == 0
        assert not (d // 1).divides
        assert (d + d // 8).divides
        assert not ((d + 8) // 8 - (8 + d) // 8).divides

    def test_a_quotient_is_written_with_its_numerator_in_brackets(self) -> None:
        """In every language."""
        rounded = -(-V - 1) // 128 * 128 * d
        assert rounded.text() == "128d·⌊(V + 1)/(128)⌋"
        assert rounded.text({"V": 50257, "d": 768}) == "128·768·⌊(50,257 + 1)/(128)⌋"
        assert rounded.tex() == r"128 d \lfloor \frac{V + 1}{128} \rfloor"
        assert rounded.plain() == "128*d*((V + 1)//(128))"
        assert rounded.javascript() == "128n*d*floored(V + 1n, 128n)"
        assert (d // (L + 1)).plain() == "((d)//(L + 1))"

    @pytest.mark.parametrize("divisor", [0, -8])
    def test_what_is_not_positive_divides_nothing(self, divisor: int) -> None:
        """JavaScript would round otherwise."""
        with pytest.raises(ValueError, match=f"divided by what is positive, got {divisor}"):
            d // divisor


def drawn() -> Iterator[Dims]:
    """Draw dims of all structures."""
    draw = random.Random(3)
    for _ in range(60):
        sizes = [draw.randint(0, 10**9) for _ in LETTERS]
        yield Dims(*sizes, *(draw.randint(0, 1) for _ in LETTERED.structure))


def named(dims: Dims) -> dict[str, int]:
    """Return sizes under their letters and flags under their names."""
    return dict(zip(map(str, LETTERED), dims, strict=True))


def test_formulas_and_conventions_in_letters_and_flags_come_to_what_they_come_to_in_numbers() -> None:
    """Every cell of the table of formulas and every convention, in models of all structures, as JavaScript too."""
    cells = [Expression.of(cell) for row in formulas.table(LETTERED) for cell in row[2:5]]
    counts = [Expression.of(row.value(LETTERED)) for row in conventions.CONVENTIONS]
    scripts = [as_python(count.javascript()) for count in counts]
    for dims in drawn():
        assert [cell.put(named(dims)) for cell in cells] == [cell for row in formulas.table(dims) for cell in row[2:5]]
        expected = [row.value(dims) for row in conventions.CONVENTIONS]
        assert [count.put(named(dims)) for count in counts] == expected
        assert [eval(script, named(dims)) for script in scripts] == expected


GPT2 = L * (12 * d**2 + 13 * d) + d * (V + T + 2)

WRITTEN: dict[str, tuple[Expression, str, str, str]] = {
    "zero": (Expression({}), "0", "0", "0"),
    "one": (Expression.of(1), "1", "1", "1"),
    "minus one": (Expression.of(-1), "-1", "-1", "-1"),
    "a thousand": (Expression.of(1000), "1,000", "1000", "1000"),
    "a letter": (d, "d", "d", "d"),
    "minus a letter": (d * -1, "-d", "-d", "-d"),
    "a square": (d**2, "d²", "d^{2}", "d*d"),
    "the twelfth power": (d**12, "d¹²", "d^{12}", "*".join("d" * 12)),
    "two letters": (V * d, "V·d", "V d", "V*d"),
    "a coefficient": (2 * L * d, "2L·d", "2 L d", "2*L*d"),
    "a constant at the end": (2 * d + 2, "2d + 2", "2 d + 2", "2*d + 2"),
    "a difference": (L - d, "L - d", "L - d", "L - d"),
    "a negative term first": (d - L * d, "-L·d + d", "-L d + d", "-L*d + d"),
    "highest degree first": (1 + d + d**2, "d² + d + 1", "d^{2} + d + 1", "d*d + d + 1"),
    "all letters": (L * d * T * V * m * k, "L·V·T·k·d·m", "L V T k d m", "L*V*T*k*d*m"),
    "gpt2": (
        GPT2,
        "12L·d² + 13L·d + V·d + T·d + 2d",
        "12 L d^{2} + 13 L d + V d + T d + 2 d",
        "12*L*d*d + 13*L*d + V*d + T*d + 2*d",
    ),
}
"""Polynomials with their text, their LaTeX and their Python."""


@of_each("polynomial, text, tex, plain", WRITTEN.values(), ids=WRITTEN)
def test_a_polynomial_is_written_as_people_write_it(polynomial: Expression, text: str, tex: str, plain: str) -> None:
    """Highest degree first, no coefficient 1, no sign before the first term unless it is negative."""
    assert polynomial.text() == repr(polynomial) == text
    assert (polynomial.tex(), polynomial.latex()) == (tex, f"${tex}$")
    assert polynomial.plain() == plain
    assert polynomial.javascript() == re.sub(r"(\d+)", r"\1n", plain)


@pytest.mark.parametrize(
    ("polynomial", "numbers", "text"),
    [
        (12 * d**2, {"d": 768}, "12·768²"),
        (d, {"d": 50257}, "50,257"),
        (2 * d + 2, {"d": 768}, "2·768 + 2"),
        (L * d, {"L": 12, "d": 768}, "12·768"),
        (d - 1, {"d": 5}, "5 - 1"),
        (Expression({}), {}, "0"),
        (Expression.of(7), {"d": 768}, "7"),
    ],
    ids=str,
)
def test_numbers_are_put_in_place_of_letters(polynomial: Expression, numbers: dict[str, int], text: str) -> None:
    """A dot stands between a coefficient and a number, where none stands before a letter."""
    assert polynomial.text(numbers) == text


def test_superscripts_cover_every_digit() -> None:
    """An exponent of any number of digits is raised."""
    assert "0123456789".translate(SUPERSCRIPTS) == "⁰¹²³⁴⁵⁶⁷⁸⁹"


FORMS: dict[str, tuple[ClosedForm, str, str, str, str]] = {
    "a product": (
        ClosedForm(L, 3 * d**2, 3 * d),
        "L·(3d² + 3d)",
        "$L (3 d^{2} + 3 d)$",
        "L*(3*d*d + 3*d)",
        "3L·d² + 3L·d",
    ),
    "one term": (ClosedForm(L, d, d), "2L·d", "$2 L d$", "2*L*d", "2L·d"),
    "once": (ClosedForm(Expression.of(1), d * k, k), "k·d + k", "$k d + k$", "k*d + k", "k·d + k"),
    "never": (ClosedForm(Expression.of(0), d * k, k), "0", "$0$", "0", "0"),
    "no biases": (ClosedForm(Expression.of(1), V * d, Expression.of(0)), "V·d", "$V d$", "V*d", "V·d"),
    "twice": (ClosedForm(Expression.of(2), d, Expression.of(1)), "2·(d + 1)", "$2 (d + 1)$", "2*(d + 1)", "2d + 2"),
}
"""Closed forms with their text, LaTeX, plain text, and the text of the product multiplied out."""


@pytest.mark.parametrize(("form", "text", "latex", "plain", "simplified"), FORMS.values(), ids=FORMS)
def test_a_closed_form_is_written_as_times_what_it_holds_each_time(
    form: ClosedForm, text: str, latex: str, plain: str, simplified: str
) -> None:
    """A product keeps its brackets; where there is but one term or one occurrence there are none."""
    assert (form.text(), form.latex(), form.plain()) == (text, latex, plain)
    assert form.simplified.text() == simplified


@given(times=polynomials(2, 1), weights=polynomials(2, 2), biases=polynomials(2, 1), numbers=sizes())
def test_every_way_of_writing_a_closed_form_is_the_same_number(
    times: Expression, weights: Expression, biases: Expression, numbers: dict[str, int]
) -> None:
    """Plain and simplified evaluate to times · (weights + biases), also where there are several times."""
    form = ClosedForm(times, weights, biases)
    expected = value(times, numbers) * (value(weights, numbers) + value(biases, numbers))
    assert value(form.simplified, numbers) == expected
    if len(times.terms) < 2:
        assert eval(form.plain(), {"__builtins__": {}}, dict(numbers)) == expected


def test_the_form_of_one_occurrence_leaves_out_how_often() -> None:
    """In one block, c_attn is 3d² + 3d."""
    assert ClosedForm(L, 3 * d**2, 3 * d).each.text() == "3d² + 3d"


def test_a_closed_form_takes_numbers() -> None:
    """12 blocks of width 768."""
    assert ClosedForm(L, 3 * d**2, 3 * d).text({"L": 12, "d": 768}) == "12·(3·768² + 3·768)"


@pytest.mark.parametrize(
    ("sizes_", "text", "latex", "plain"),
    [
        ((d, 3 * d), "[d, 3d]", "$[d, 3 d]$", "[d, 3*d]"),
        ((d,), "[d]", "$[d]$", "[d]"),
        ((Expression.of(2), d), "[2, d]", "$[2, d]$", "[2, d]"),
        ((), "[]", "$[]$", "[]"),
    ],
    ids=str,
)
def test_a_shape_is_written_as_torch_prints_one(
    sizes_: tuple[Expression, ...], text: str, latex: str, plain: str
) -> None:
    """In brackets, with commas."""
    shape = Shape(sizes_)
    assert (shape.text(), shape.latex(), shape.plain()) == (text, latex, plain)
