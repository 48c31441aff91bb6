"""Cells: every rounded figure is rounded half to even from exact integers, however large, and never from a float."""

from __future__ import annotations

from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt2calc.algebra import ClosedForm, Expression, Shape
from gpt2calc.table import Percent, Ratio, Scaled, is_number, rounded, text
from tests.loops import of_each

WHOLE = st.integers(-(10**40), 10**40)
NOT_ZERO = WHOLE.filter(bool)
DIGITS = st.integers(0, 12)


def halfway() -> st.SearchStrategy[tuple[int, int, int]]:
    """Draw quotients that lie exactly between two figures, where the rule of rounding decides."""
    return st.tuples(st.integers(-(10**20), 10**20), st.integers(0, 6), st.integers(1, 10**6)).map(
        lambda drawn: ((2 * drawn[0] + 1) * drawn[2], 2 * 10 ** drawn[1] * drawn[2], drawn[1])
    )


def as_fraction(written: str) -> Fraction:
    """Return the number that a figure says."""
    return Fraction(written.replace(",", ""))


@given(numerator=WHOLE, denominator=NOT_ZERO, digits=DIGITS)
def test_a_quotient_is_rounded_half_to_even(numerator: int, denominator: int, digits: int) -> None:
    """As Python rounds a Fraction, which is exact."""
    assert as_fraction(rounded(numerator, denominator, digits)) == round(Fraction(numerator, denominator), digits)


@given(drawn=halfway())
def test_a_quotient_exactly_between_two_figures_goes_to_the_even_one(drawn: tuple[int, int, int]) -> None:
    """Where a float would go either way, the last digit is even."""
    numerator, denominator, digits = drawn
    written = rounded(numerator, denominator, digits)
    assert as_fraction(written) == round(Fraction(numerator, denominator), digits)
    assert int(written[-1]) % 2 == 0


@given(numerator=WHOLE, denominator=NOT_ZERO, digits=DIGITS)
def test_decimal_rounds_to_the_same_characters(numerator: int, denominator: int, digits: int) -> None:
    """Python's decimal, with room enough to be exact, writes the same, commas and all; minus zero is zero."""
    with localcontext() as context:
        context.prec = 200
        exact = Decimal(numerator) / Decimal(denominator)
        quantized = exact.quantize(Decimal(1).scaleb(-digits), rounding=ROUND_HALF_EVEN)
        expected = f"{quantized or abs(quantized):,f}"
    between = (Fraction(numerator, denominator) * 10**digits * 2).denominator == 1
    if not between:  # a quotient that decimal had to cut could only differ there
        assert rounded(numerator, denominator, digits) == expected


@of_each(
    "numerator, denominator, digits, written",
    [
        pytest.param(1, 2, 0, "0", id="a half goes down to 0"),
        pytest.param(3, 2, 0, "2", id="one and a half goes up to 2"),
        pytest.param(5, 2, 0, "2", id="two and a half goes down to 2"),
        pytest.param(-1, 2, 0, "0", id="minus a half is 0 and not minus 0"),
        pytest.param(-3, 2, 0, "-2", id="minus one and a half"),
        pytest.param(1, 8, 2, "0.12", id="0.125"),
        pytest.param(3, 8, 2, "0.38", id="0.375"),
        pytest.param(2675, 1000, 2, "2.68", id="2.675, which a float rounds down"),
        pytest.param(1005, 1000, 2, "1.00", id="1.005"),
        pytest.param(999_999, 1_000_000, 2, "1.00", id="carried over"),
        pytest.param(1, 3, 4, "0.3333", id="a third"),
        pytest.param(2, 3, 4, "0.6667", id="two thirds"),
        pytest.param(-1, 1000, 2, "0.00", id="too small to show has no sign"),
        pytest.param(0, 5, 2, "0.00", id="nothing"),
        pytest.param(5, -5, 1, "-1.0", id="a negative denominator"),
        pytest.param(-5, -5, 1, "1.0", id="two negatives"),
        pytest.param(1_234_567_890, 1000, 2, "1,234,567.89", id="commas"),
        pytest.param(7, 0, 2, "-", id="nothing to divide by"),
        pytest.param(0, 0, 2, "-", id="nothing by nothing"),
    ],
)
def test_a_quotient_is_written_in_decimals(numerator: int, denominator: int, digits: int, written: str) -> None:
    """With as many digits as are asked for, and commas between thousands."""
    assert rounded(numerator, denominator, digits) == written


def test_numbers_of_900_digits_are_rounded_exactly() -> None:
    """Where a float overflows, the figure is right to the last digit."""
    n = 10**900
    assert rounded(n + 1, 2 * n + 2, 4) == "0.5000"
    assert rounded(n, 3, 2) == f"{n // 3:,}.33"
    assert Percent(n // 8, n).text() == "12.50 %"
    assert Percent(1, n).text() == "0.00 %"
    assert Ratio(2 * n + 1, n).text() == "2.0000"
    assert Scaled(n, 10**6, "MB").text() == f"{10**894:,}.00 MB"
    assert Scaled(n, 10**6, "MB").plain() == f"{10**894}.000000"


@given(part=st.integers(0, 10**30), whole=st.integers(1, 10**30), digits=st.integers(0, 6))
def test_a_percentage_is_a_hundred_times_the_share(part: int, whole: int, digits: int) -> None:
    """The same figure with a sign, with LaTeX's sign, and, with six digits, bare."""
    percent = Percent(part, whole, digits)
    figure = rounded(100 * part, whole, digits)
    assert (percent.text(), percent.latex()) == (f"{figure} %", rf"{figure}\,\%")
    assert Fraction(percent.plain()) == round(Fraction(100 * part, whole), 6)


def test_the_shares_of_the_four_models_are_what_is_true_of_them() -> None:
    """Attention holds 22.78, 28.40, 30.50 and 31.58 % of the released models."""
    held = ((28348416, 124439808), (100761600, 354823168), (236113920, 774030080), (491827200, 1557611200))
    assert [Percent(*pair).text() for pair in held] == ["22.78 %", "28.40 %", "30.50 %", "31.58 %"]


def test_a_ratio_is_written_with_four_digits_or_as_many_as_are_asked_for() -> None:
    """Just under two, in every released model."""
    assert Ratio(56669184, 28348416).text() == "1.9990"
    assert Ratio(983424000, 491827200, 6).text() == Ratio(983424000, 491827200).plain() == "1.999532"
    assert Ratio(3_000_000, 1).latex() == "3,000,000.0000"
    assert Ratio(1, 0).text() == "-"


def test_a_number_of_bytes_is_written_in_its_unit() -> None:
    """MB of 10⁶ and MiB of 2²⁰ bytes."""
    assert Scaled(497_759_232, 10**6, "MB").text() == "497.76 MB"
    assert Scaled(497_759_232, 2**20, "MiB").text() == "474.70 MiB"
    assert Scaled(497_759_232, 2**20, "MiB").plain() == "474.700195"


@of_each(
    "cell, number",
    [
        (0, True),
        (10**900, True),
        (Percent(1, 2), True),
        (Ratio(1, 2), True),
        (Scaled(1, 1, "MB"), True),
        ("12", False),
        ("", False),
        (Expression.of(12), False),
        (ClosedForm(Expression.of(1), Expression.of(2), Expression.of(3)), False),
        (Shape((Expression.letter("d"),)), False),
    ],
)
def test_numbers_are_told_from_words(cell: object, *, number: bool) -> None:
    """Numbers stand to the right, words and formulas to the left."""
    assert is_number(cell) == number  # type: ignore[arg-type]


def test_a_cell_is_shown_as_a_person_reads_it() -> None:
    """Whole numbers with commas, words as they are, everything else as it writes itself."""
    assert text(124_439_808) == "124,439,808"
    assert text(-1000) == "-1,000"
    assert text("a word") == "a word"
    assert text(Percent(1, 3)) == "33.33 %"
    assert text(Expression.letter("d") ** 2) == "d²"
