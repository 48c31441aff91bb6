"""Figures as people print them: what they are read as, and by which rule an exact number gives them."""

from __future__ import annotations

from decimal import ROUND_DOWN, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from gpt2calc.errors import ConfigError
from gpt2calc.figures import CUT_OFF, ROUNDED, TRUE, UNITS, Figure, read
from tests.loops import of_each


def one(text: str) -> Figure:
    """Return the one figure that a text holds."""
    claimed = read(text)
    assert claimed.low
    assert claimed.low == claimed.high
    return claimed.low


@of_each(
    "text, value, step",
    [
        ("0", 0, 1),
        ("124,439,808", 124439808, 1),
        ("124439808", 124439808, 1),
        ("124M", 124 * 10**6, 10**6),
        ("~355M", 355 * 10**6, 10**6),
        ("~ 355 M", 355 * 10**6, 10**6),
        ("≈355M", 355 * 10**6, 10**6),
        ("about 355 million", 355 * 10**6, 10**6),
        ("1.5B", 1500 * 10**6, 10**8),
        ("1.50 billion", 1500 * 10**6, 10**7),
        ("0.117B", 117 * 10**6, 10**6),
        ("100K", 10**5, 1000),
        ("175T", 175 * 10**12, 10**12),
        ("22 %", Fraction(22, 100), Fraction(1, 100)),
        ("22%", Fraction(22, 100), Fraction(1, 100)),
        ("~99.9 %", Fraction(999, 1000), Fraction(1, 1000)),
        ("1.99", Fraction(199, 100), Fraction(1, 100)),
        ("2x", 2, 1),
        ("2×", 2, 1),
        ("548 MB", 548 * 10**6, 10**6),
        ("0.5 GiB", 2**29, Fraction(2**30, 10)),
        ("523 MiB", 523 * 2**20, 2**20),
        ("-7", -7, 1),
        ("−7", -7, 1),
        pytest.param("100,000", 10**5, 1, id="a whole number is exact"),
        pytest.param("~100,000", 10**5, 10**4, id="an approximate one has two digits"),
        pytest.param("~123,000", 123000, 1000, id="or as many as are not zero"),
        pytest.param("~120,000", 120000, 10**4, id="two of three"),
        pytest.param("~7", 7, 1, id="one digit"),
        pytest.param("~20", 20, 1, id="two digits, one of them zero"),
        pytest.param("~0", 0, 1, id="nothing"),
        pytest.param("  124M\n", 124 * 10**6, 10**6, id="white space around it"),
    ],
)
def test_a_figure_is_read_with_the_step_to_the_next(text: str, value: Fraction, step: Fraction) -> None:
    """The step is one unit of the last printed digit."""
    figure = one(text)
    assert (figure.value, figure.step) == (value, step)


@of_each("unit", UNITS)
def test_every_unit_is_read_with_and_without_a_space(unit: str) -> None:
    """Each stands for what the table says, and is said of something."""
    size, kinds = UNITS[unit]
    assert one(f"3{unit}").value == one(f"3 {unit}".strip()).value == 3 * size
    assert kinds


@of_each(
    "text, low, high, strict",
    [
        ("< 0.1 %", None, Fraction(1, 1000), True),
        ("<0.1 %", None, Fraction(1, 1000), True),
        ("> 1B", 10**9, None, True),
        ("<= 5 %", None, Fraction(1, 20), False),
        ("≤ 5 %", None, Fraction(1, 20), False),
        (">= 2", 2, None, False),
        ("≥ 2", 2, None, False),
        ("10,000 to ~100,000", 10**4, 10**5, False),
        ("22–31 %", Fraction(22, 100), Fraction(31, 100), False),
        ("22 % to 31 %", Fraction(22, 100), Fraction(31, 100), False),
        ("500M to 1.5B", 5 * 10**8, 15 * 10**8, False),
        ("10 to 100K", 10**4, 10**5, False),
        ("5 to 5", 5, 5, False),
    ],
)
def test_bounds_and_ranges_are_read(text: str, low: Fraction | None, high: Fraction | None, strict: bool) -> None:  # noqa: FBT001  # a column of the table above
    """A lower end without a unit has that of the upper one."""
    claimed = read(text)
    found = [figure.value if figure else None for figure in (claimed.low, claimed.high)]
    assert (*found, claimed.strict) == (low, high, strict)


@of_each(
    "text",
    [
        "",
        "many",
        "124 apples",
        "1,24M",
        "1,2345",
        "1.",
        ".5",
        "1e-9",
        "0x10",
        "1_0",
        "++1",
        "~~1",
        "< ",
        "< < 1",
        "< 1 to 2",
        "1 to 2 to 3",
        "1 to",
        "to 1",
        "124m2",
        "１２",  # digits of another width are no figure
        "inf",
        "nan",
        "1" * 61,
        "1" * 10**6,
    ],
)
def test_what_is_no_figure_is_refused_with_examples(text: str) -> None:
    """In one sentence of bounded length that shows what was got."""
    with pytest.raises(
        ConfigError, match=r"^expected a figure such as 124M, ~22 %, < 0.1 % or 10,000 to ~100,000, got '"
    ) as error:
        read(text)
    assert len(str(error.value)) < 200
    assert error.value.got == text


def test_a_range_that_runs_backwards_is_refused() -> None:
    """Also where the unit of its upper end makes it so."""
    with pytest.raises(ConfigError, match=r"^expected a range from the smaller to the larger, got '10 to 5'$"):
        read("10 to 5")
    with pytest.raises(ConfigError, match="from the smaller to the larger"):
        read("10,000 to 100K")


@of_each(
    "text, exact, readings",
    [
        pytest.param("124,439,808", 124439808, (TRUE,), id="exact"),
        pytest.param("124,439,807", 124439808, (), id="one too few"),
        pytest.param("124M", 124439808, (ROUNDED, CUT_OFF), id="both"),
        pytest.param("117M", 124439808, (), id="neither"),
        pytest.param("1.6B", 1557611200, (ROUNDED,), id="rounded up"),
        pytest.param("1.5B", 1557611200, (CUT_OFF,), id="cut off"),
        pytest.param("1.56B", 1557611200, (ROUNDED,), id="rounded in three digits"),
        pytest.param("1558M", 1557611200, (ROUNDED,), id="rounded in four digits"),
        pytest.param("1557M", 1557611200, (CUT_OFF,), id="cut off in four digits"),
        pytest.param("2", Fraction(5, 2), (ROUNDED, CUT_OFF), id="a half to the even neighbour"),
        pytest.param("3", Fraction(5, 2), (ROUNDED,), id="a half up"),
        pytest.param("4", Fraction(7, 2), (ROUNDED,), id="a half up to the even neighbour"),
        pytest.param("3", Fraction(7, 2), (CUT_OFF,), id="a half that is cut off"),
        pytest.param("0", Fraction(1, 3), (ROUNDED, CUT_OFF), id="nothing of a third"),
        pytest.param("1", Fraction(2, 3), (ROUNDED,), id="one of two thirds"),
        pytest.param("-2", Fraction(-5, 2), (ROUNDED, CUT_OFF), id="a negative half, towards zero"),
        pytest.param("-3", Fraction(-5, 2), (ROUNDED,), id="a negative half, away from zero"),
        pytest.param("2", Fraction(-2), (), id="the other sign"),
        pytest.param("~100,000", 100352, (ROUNDED, CUT_OFF), id="two digits of an approximate number"),
        pytest.param("~100,000", 104999, (ROUNDED, CUT_OFF), id="the last that rounds to them"),
        pytest.param("~100,000", 105001, (CUT_OFF,), id="the first that does not"),
        pytest.param("~100,000", 110000, (), id="the first that has others"),
        pytest.param("100,000", 100352, (), id="a number that is said to be exact"),
        pytest.param("< 0.1 %", Fraction(1, 1001), (TRUE,), id="below"),
        pytest.param("< 0.1 %", Fraction(1, 1000), (), id="at a bound that is not to be reached"),
        pytest.param("≤ 0.1 %", Fraction(1, 1000), (TRUE,), id="at a bound that may be reached"),
        pytest.param("≤ 0.1 %", Fraction(1, 999), (), id="just above it"),
        pytest.param("> 2", 2, (), id="at a lower bound that is not to be reached"),
        pytest.param("≥ 2", 2, (TRUE,), id="at a lower bound"),
        pytest.param("≥ 2", Fraction(1999, 1000), (), id="just below it"),
        pytest.param("≥ ~2", Fraction(1999, 1000), (ROUNDED,), id="which is approximate"),
        pytest.param("> ~2", Fraction(1999, 1000), (), id="and is to be exceeded"),
        pytest.param("10,000 to ~100,000", 9999, (), id="just below a range"),
        pytest.param("10,000 to ~100,000", 10000, (TRUE,), id="its lower end"),
        pytest.param("10,000 to ~100,000", 100000, (TRUE,), id="its upper end"),
        pytest.param("10,000 to ~100,000", 100352, (ROUNDED, CUT_OFF), id="above an approximate end"),
        pytest.param("10,000 to ~100,000", 186880, (), id="far above it"),
        pytest.param("10,000 to 100,000", 100352, (), id="above an exact end"),
    ],
)
def test_a_figure_says_by_which_rules_it_can_have_been_made(
    text: str, exact: Fraction, readings: tuple[str, ...]
) -> None:
    """Exact, rounded, cut off, or none of them."""
    assert read(text).readings(Fraction(exact)) == readings


exacts = st.fractions(min_value=-(10**13), max_value=10**13, max_denominator=10**6)


@given(exacts, st.integers(0, 6), st.sampled_from(["", "M", "B", "%", "KiB"]))
@example(Fraction(5, 2), 0, "")
@example(Fraction(1557611200), 1, "B")
def test_whatever_decimal_prints_is_read_as_rounded_and_as_cut_off(exact: Fraction, digits: int, unit: str) -> None:
    """Law: what the standard library's decimals make of an exact number, by a rule, is read as made by that rule."""
    for rule, verdict in ((ROUND_HALF_UP, ROUNDED), (ROUND_HALF_EVEN, ROUNDED), (ROUND_DOWN, CUT_OFF)):
        figure = one(printed(exact, digits, unit, rule))
        if figure.value == exact:
            assert figure.readings(exact) == (TRUE,)
        else:
            assert verdict in figure.readings(exact)


@given(exacts, st.integers(0, 6), st.sampled_from(["", "M", "%"]), st.integers(-2, 2))
def test_nothing_but_what_decimal_prints_is_read_so(exact: Fraction, digits: int, unit: str, steps: int) -> None:
    """Law: a figure some steps away has a rule among its readings only where the decimals by that rule are the same."""
    down = one(printed(exact, digits, unit, ROUND_DOWN))
    value = down.value + steps * down.step
    assume(value != exact)
    moved = down._replace(value=value)
    rounded = {one(printed(exact, digits, unit, rule)).value for rule in (ROUND_HALF_UP, ROUND_HALF_EVEN)}
    assert (ROUNDED in moved.readings(exact)) == (value in rounded)
    assert (CUT_OFF in moved.readings(exact)) == (value == down.value)


def printed(exact: Fraction, digits: int, unit: str, rule: str) -> str:
    """Print a number by a rule of the standard library's decimals, which has enough digits to be exact about halves."""
    steps = exact / UNITS[unit][0] * 10**digits
    with localcontext() as context:
        context.prec = 60
        quotient, rest = divmod(abs(steps.numerator), steps.denominator)
        # A tenth above or below a half stands for every fraction there, so that the decimal is exact.
        half = Fraction(rest, steps.denominator) - Fraction(1, 2)
        tenths = 0 if not rest else 5 if not half else 9 if half > 0 else 1
        whole = (Decimal(quotient) + Decimal(tenths) / 10).quantize(Decimal(1), rounding=rule)
        sign = "-" if exact < 0 else ""
        return f"{sign}{whole.scaleb(-digits):.{digits}f} {unit}".rstrip()
