"""Polynomials are a commutative ring, agree with sympy, and what they are written as means what they are."""

from __future__ import annotations

import re
from math import prod
from typing import TYPE_CHECKING, Any

import pytest
import sympy
from hypothesis import given
from hypothesis import strategies as st

from gpt2calc.dims import LETTERS
from gpt2calc.polynomial import ORDER, READING_ORDER, SUPERSCRIPTS, ClosedForm, Polynomial, Shape

if TYPE_CHECKING:
    from collections.abc import Mapping

L, d, T, V, m, k = map(Polynomial.letter, "LdTVmk")
SYMBOLS: dict[str, Any] = {letter: sympy.Symbol(letter, positive=True, integer=True) for letter in ORDER}
DIGITS = {superscript: digit for digit, superscript in zip("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹", strict=True)}


def polynomials(terms: int = 5, degree: int = 4) -> st.SearchStrategy[Polynomial]:
    """Draw polynomials in all letters, with coefficients of any size and sign."""
    letters = st.lists(st.sampled_from(READING_ORDER), max_size=degree)
    monomial = letters.map(lambda drawn: "".join(sorted(drawn, key=READING_ORDER.index)))
    return st.dictionaries(monomial, st.integers(-(10**30), 10**30), max_size=terms).map(Polynomial)


def sizes() -> st.SearchStrategy[dict[str, int]]:
    """Draw a number for each letter, astronomically large ones among them."""
    return st.fixed_dictionaries({letter: st.integers(0, 10**25) for letter in ORDER})


def as_sympy(polynomial: Polynomial) -> Any:
    """Return the same expression in sympy, from the terms alone."""
    return sum(
        coefficient * sympy.prod([SYMBOLS[letter] for letter in letters])
        for letters, coefficient in polynomial.terms.items()
    )


def value(polynomial: Polynomial, numbers: Mapping[str, int]) -> int:
    """Evaluate a polynomial from its terms alone."""
    total = 0
    for letters, coefficient in polynomial.terms.items():
        total += coefficient * prod(numbers[letter] for letter in letters)
    return total


def test_the_letters_are_those_of_dims() -> None:
    """Compiled functions take the sizes in the order of dims, and no letter is without a place in a term."""
    assert list(ORDER) == list(LETTERS.values())
    assert sorted(ORDER) == sorted(READING_ORDER)


class TestRing:
    """Addition and multiplication obey the laws of a commutative ring with 1, Python's integers being in it."""

    @given(p=polynomials(), q=polynomials(), r=polynomials())
    def test_addition_and_multiplication_are_commutative_and_associative(
        self, p: Polynomial, q: Polynomial, r: Polynomial
    ) -> None:
        """Law: p + q = q + p, (p + q) + r = p + (q + r), and the same of products."""
        assert p + q == q + p
        assert (p + q) + r == p + (q + r)
        assert p * q == q * p
        assert (p * q) * r == p * (q * r)

    @given(p=polynomials(), q=polynomials(), r=polynomials())
    def test_multiplication_distributes_over_addition(self, p: Polynomial, q: Polynomial, r: Polynomial) -> None:
        """Law: p·(q + r) = p·q + p·r."""
        assert p * (q + r) == p * q + p * r

    @given(p=polynomials())
    def test_zero_one_and_the_inverse_are_what_they_are(self, p: Polynomial) -> None:
        """Law: p + 0 = p, p·1 = p, p·0 = 0 and p - p = 0."""
        assert p + 0 == 0 + p == p * 1 == 1 * p == p
        assert p * 0 == 0 * p == 0
        assert p - p == 0
        assert (p - p).terms == {}

    @given(p=polynomials(), q=polynomials())
    def test_subtraction_undoes_addition(self, p: Polynomial, q: Polynomial) -> None:
        """(p + q) - q = p, and p - q = -(q - p)."""
        assert (p + q) - q == p
        assert p - q == (q - p) * -1

    @given(p=polynomials(), n=st.integers(-(10**30), 10**30))
    def test_an_integer_stands_for_the_constant(self, p: Polynomial, n: int) -> None:
        """On either side, an integer does what the constant polynomial does."""
        constant = Polynomial.of(n)
        assert p + n == n + p == p + constant
        assert p * n == n * p == p * constant
        assert p - n == p - constant
        assert n - p == constant - p
        assert constant == n

    @given(p=polynomials(terms=3, degree=2), n=st.integers(0, 4))
    def test_a_power_is_a_repeated_product(self, p: Polynomial, n: int) -> None:
        """Law: p⁰ = 1 and pⁿ⁺¹ = pⁿ·p."""
        assert p**0 == 1
        assert p ** (n + 1) == p**n * p

    @given(p=polynomials(), q=polynomials())
    def test_equal_polynomials_have_equal_hashes_and_no_term_is_zero(self, p: Polynomial, q: Polynomial) -> None:
        """The terms are a normal form: the same polynomial, however it was reached, has the same terms."""
        again = (p + q) - q
        assert (again, hash(again)) == (p, hash(p))
        assert all((p * q).terms.values())
        assert all(list(letters) == sorted(letters, key=READING_ORDER.index) for letters in (p * q).terms)


@pytest.mark.parametrize("number", [0, 1, -7, 10**30])
def test_a_constant_has_the_hash_of_the_integer_that_it_equals(number: int) -> None:
    """Python asks of equal objects that their hashes are equal."""
    assert Polynomial.of(number) == number
    assert hash(Polynomial.of(number)) == hash(number)


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
    assert d != other


class TestSympy:
    """Another library, which knows nothing of this project, says the same."""

    @given(p=polynomials(terms=4, degree=3), q=polynomials(terms=4, degree=3))
    def test_sums_and_products_are_sympys(self, p: Polynomial, q: Polynomial) -> None:
        """Multiplied out by sympy, sums, differences and products have the same terms."""
        for ours, theirs in ((p + q, as_sympy(p) + as_sympy(q)), (p - q, as_sympy(p) - as_sympy(q))):
            assert as_sympy(ours) == sympy.expand(theirs)
        assert as_sympy(p * q) == sympy.expand(as_sympy(p) * as_sympy(q))

    @given(p=polynomials(terms=3, degree=2), n=st.integers(0, 3))
    def test_powers_are_sympys(self, p: Polynomial, n: int) -> None:
        """Powers as well."""
        assert as_sympy(p**n) == sympy.expand(as_sympy(p) ** n)

    @given(p=polynomials())
    def test_what_is_written_means_what_it_is(self, p: Polynomial) -> None:
        """The source, the text and the LaTeX of a polynomial are read back by sympy as the polynomial."""
        text = re.sub(r"[⁰¹²³⁴-⁹]+", lambda found: "**" + "".join(map(DIGITS.__getitem__, found[0])), p.text())
        text = re.sub(r"(?<=\d)(?=[A-Za-z])", "*", text.replace(",", "").replace("·", "*"))
        tex = re.sub(r"(?<=[\w}]) (?=[A-Za-z])", "*", p.tex()).replace("^{", "**").replace("}", "")
        for written in (p.source(), text, tex):
            assert sympy.sympify(written, locals=SYMBOLS) - as_sympy(p) == 0


class TestNumbers:
    """Evaluated, a polynomial is the integer that its terms say."""

    @given(p=polynomials(), numbers=sizes())
    def test_a_compiled_polynomial_is_its_evaluation(self, p: Polynomial, numbers: dict[str, int]) -> None:
        """compiled() takes all sizes in the order of dims and is exact on integers of any size."""
        assert p.compiled()(*(numbers[letter] for letter in ORDER)) == value(p, numbers)

    @given(p=polynomials(), q=polynomials(), numbers=sizes())
    def test_evaluation_goes_through_sums_and_products(
        self, p: Polynomial, q: Polynomial, numbers: dict[str, int]
    ) -> None:
        """Evaluating is a homomorphism."""
        assert value(p + q, numbers) == value(p, numbers) + value(q, numbers)
        assert value(p * q, numbers) == value(p, numbers) * value(q, numbers)

    @given(p=polynomials(), numbers=sizes())
    def test_a_text_with_numbers_put_in_is_the_number(self, p: Polynomial, numbers: dict[str, int]) -> None:
        """What a person would type into a calculator gives the polynomial's value."""
        text = p.text(numbers).replace(",", "").replace("·", "*")
        text = re.sub(r"[⁰¹²³⁴-⁹]+", lambda found: "**" + "".join(map(DIGITS.__getitem__, found[0])), text)
        assert eval(text, {"__builtins__": {}}) == value(p, numbers)  # digits and signs alone

    @given(p=polynomials(), numbers=sizes())
    def test_the_source_is_a_python_expression(self, p: Polynomial, numbers: dict[str, int]) -> None:
        """Python itself reads it, and finds nothing in it but integers, letters, *, + and -."""
        assert re.fullmatch(r"[0-9LVTkdm*+\- ]+", p.source())
        assert eval(p.source(), {"__builtins__": {}}, dict(numbers)) == value(p, numbers)


GPT2 = L * (12 * d**2 + 13 * d) + d * (V + T + 2)

WRITTEN: dict[str, tuple[Polynomial, str, str, str]] = {
    "zero": (Polynomial({}), "0", "0", "0"),
    "one": (Polynomial.of(1), "1", "1", "1"),
    "minus one": (Polynomial.of(-1), "-1", "-1", "-1"),
    "a thousand": (Polynomial.of(1000), "1,000", "1000", "1000"),
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
"""Polynomials with their text, their LaTeX and their source."""


@pytest.mark.parametrize(("polynomial", "text", "tex", "source"), WRITTEN.values(), ids=WRITTEN)
def test_a_polynomial_is_written_as_people_write_it(polynomial: Polynomial, text: str, tex: str, source: str) -> None:
    """Highest degree first, no coefficient 1, no sign before the first term unless it is negative."""
    assert polynomial.text() == repr(polynomial) == text
    assert (polynomial.tex(), polynomial.latex()) == (tex, f"${tex}$")
    assert polynomial.source() == polynomial.plain() == source


@pytest.mark.parametrize(
    ("polynomial", "numbers", "text"),
    [
        (12 * d**2, {"d": 768}, "12·768²"),
        (d, {"d": 50257}, "50,257"),
        (2 * d + 2, {"d": 768}, "2·768 + 2"),
        (L * d, {"L": 12, "d": 768}, "12·768"),
        (d - 1, {"d": 5}, "5 - 1"),
        (Polynomial({}), {}, "0"),
        (Polynomial.of(7), {"d": 768}, "7"),
    ],
    ids=str,
)
def test_numbers_are_put_in_place_of_letters(polynomial: Polynomial, numbers: dict[str, int], text: str) -> None:
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
    "once": (ClosedForm(Polynomial.of(1), d * k, k), "k·d + k", "$k d + k$", "k*d + k", "k·d + k"),
    "never": (ClosedForm(Polynomial.of(0), d * k, k), "0", "$0$", "0", "0"),
    "no biases": (ClosedForm(Polynomial.of(1), V * d, Polynomial.of(0)), "V·d", "$V d$", "V*d", "V·d"),
    "twice": (ClosedForm(Polynomial.of(2), d, Polynomial.of(1)), "2·(d + 1)", "$2 (d + 1)$", "2*(d + 1)", "2d + 2"),
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
    times: Polynomial, weights: Polynomial, biases: Polynomial, numbers: dict[str, int]
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
        ((Polynomial.of(2), d), "[2, d]", "$[2, d]$", "[2, d]"),
        ((), "[]", "$[]$", "[]"),
    ],
    ids=str,
)
def test_a_shape_is_written_as_torch_prints_one(
    sizes_: tuple[Polynomial, ...], text: str, latex: str, plain: str
) -> None:
    """In brackets, with commas."""
    shape = Shape(sizes_)
    assert (shape.text(), shape.latex(), shape.plain()) == (text, latex, plain)
