"""Sizes as people print them: what they are read as, and which whole numbers are printed so."""

from __future__ import annotations

import itertools
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, ROUND_HALF_UP, Decimal, localcontext

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt2calc.errors import ConfigError
from gpt2calc.explanation import printed
from gpt2calc.explanation.printed import CUT_OFF, EXACT, HEADER, ROUNDED, ROUNDED_UP, WITH_HEADER, Scale
from gpt2calc.figures import BYTES, COUNT
from tests.loops import of_each


@of_each(
    "text, digits, decimals, unit",
    [
        ("117M", 117, 0, "M"),
        ("137,022,720", 137022720, 0, ""),
        ("137_022_720", 137022720, 0, ""),
        ("1.5B", 15, 1, "B"),
        ("0.186B", 186, 3, "B"),
        ("~355 million", 355, 0, "million"),
        ("≈ 355M", 355, 0, "M"),
        ("about 100,000", 10, -4, ""),
        ("548 MB", 548, 0, "MB"),
        ("548MB", 548, 0, "MB"),
        ("474.70 MiB", 47470, 2, "MiB"),
        ("6.23GB", 623, 2, "GB"),
        ("number of parameters: 123.65M", 12365, 2, "M"),
        ("137022720 {F32}", 137022720, 0, ""),
        ("num_parameters: 124439808", 124439808, 0, ""),
        ("738M ProtGPT2", 738, 0, "M"),
        ("125M GPT-3 Small", 125, 0, "M"),
        ("117M (GPT-1)", 117, 0, "M"),
        ("124 million parameters", 124, 0, "million"),
        ("497759232 bytes", 497759232, 0, "bytes"),
        ("124,440,000", 12444, -4, ""),
        ("498,000,000 bytes", 498, -6, "bytes"),
        ("1557611200", 1557611200, 0, ""),
        ("20000", 20, -3, ""),
        ("500M", 500, 0, "M"),
    ],
)
def test_a_figure_is_read(text: str, digits: int, decimals: int, unit: str) -> None:
    """Digits, the place of the point, and the unit, whatever words stand around them."""
    (figure,) = printed.read(text)
    assert (figure.digits, figure.decimals, figure.unit) == (digits, decimals, unit)


@pytest.mark.parametrize(
    ("text", "figures"),
    [
        ("124M/355M/774M/1.5B", ["124M", "355M", "774M", "1.5B"]),
        ("548 MB / 498 MB / 703 MB", ["548 MB", "498 MB", "703 MB"]),
        ("84934656 (85M)", ["84934656", "85M"]),
        ('123.653376 / "number of parameters: 123.65M"', ["123.65M"]),
    ],
)
def test_several_figures_in_one_text_are_all_read(text: str, figures: list[str]) -> None:
    """In order, each by itself."""
    assert [figure.text for figure in printed.read(text)] == figures


@pytest.mark.parametrize("text", ["gpt2", "gpt2-xl", "Cerebras-GPT-111M", "GPT-3 Small", "llm.c-d12", "d_model", ""])
def test_a_name_holds_no_figure(text: str) -> None:
    """Digits that are a part of a word are no figure."""
    assert printed.find(text) == ()


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("many", "expected a figure such as 117M, 137,022,720, 0.186B or 548 MB, got 'many'"),
        ("", "expected a figure such as 117M, 137,022,720, 0.186B or 548 MB, got ''"),
        ("1.2.3", "expected a figure such as 117M, 137,022,720, 0.186B or 548 MB, got '1.2.3'"),
        ("-117M", "expected a number of parameters or bytes, got '-117M'"),
        ("22 %", "expected a number of parameters or bytes, got '22 %'"),
        ("3x", "expected a number of parameters or bytes, got '3x'"),
        ("0M", "expected a number of parameters or bytes above 0, got '0M'"),
        ("0", "expected a number of parameters or bytes above 0, got '0'"),
    ],
)
def test_what_is_no_size_is_refused_in_one_sentence(text: str, sentence: str) -> None:
    """It names what was given and what was expected."""
    with pytest.raises(ConfigError) as caught:
        printed.read(text)
    assert str(caught.value) == sentence


def test_a_text_that_is_too_long_is_refused_at_once() -> None:
    """No figure is looked for in a book."""
    with pytest.raises(ConfigError, match=r"^expected a figure such as .*, got '1 1 1"):
        printed.read("1 " * 10**6)


@of_each(
    "text, scales",
    [
        ("117M", [(COUNT, 10**6, ""), (COUNT, 2**20, "2^20"), (BYTES, 2**20, "2^20"), (BYTES, 10**6, "")]),
        ("1.5B", [(COUNT, 10**9, ""), (COUNT, 2**30, "2^30"), (BYTES, 2**30, "2^30"), (BYTES, 10**9, "")]),
        ("548 MB", [(BYTES, 10**6, ""), (BYTES, 2**20, "2^20")]),
        ("474.70 MiB", [(BYTES, 2**20, "")]),
        ("497759232 bytes", [(BYTES, 1, "")]),
        ("124439808", [(COUNT, 1, ""), (BYTES, 1, ""), (printed.WRITTEN, 1, "")]),
        ("1e9", [(COUNT, 10**9, ""), (BYTES, 10**9, "")]),
        ("124439808 parameters", [(COUNT, 1, ""), (printed.WRITTEN, 1, "")]),
        ("num_params: 124439808", [(COUNT, 1, ""), (printed.WRITTEN, 1, "")]),
        ("Total size=738.17M params", [(COUNT, 10**6, ""), (COUNT, 2**20, "2^20")]),
        ("10,000,000", [(COUNT, 1, ""), (BYTES, 1, "")]),
    ],
)
def test_a_unit_stands_for_what_people_mean_by_it(text: str, scales: list[tuple[str, int, str]]) -> None:
    """M can be millions or 2²⁰, of parameters or of bytes, unless the words say which; MiB is one thing."""
    assert [(scale.kind, scale.unit, scale.name) for scale in printed.read(text)[0].scales] == scales


@pytest.mark.parametrize("text", ["117", "123.653376"])
def test_a_small_number_without_a_unit_can_be_in_any(text: str) -> None:
    """People leave the M away."""
    assert (COUNT, 10**6) in {(scale.kind, scale.unit) for scale in printed.read(text)[0].scales}


ROUNDINGS = {
    ROUNDED: (ROUND_HALF_EVEN, ROUND_HALF_UP),
    CUT_OFF: (ROUND_FLOOR,),
    ROUNDED_UP: (ROUND_CEILING,),
}
"""Each fit with the rules of `decimal` that it is."""


@given(st.integers(1, 10**13), st.integers(0, 3), st.sampled_from(["", "K", "M", "B"]))
def test_a_fit_is_what_decimal_makes_of_the_number(value: int, decimals: int, unit: str) -> None:
    """Law: a number fits the figures that it becomes when it is rounded by the rule, by decimal's own arithmetic."""
    scale = Scale(COUNT, {"": 1, "K": 1000, "M": 10**6, "B": 10**9}[unit], 0)
    step = Decimal(1).scaleb(-decimals)
    with localcontext() as context:
        context.prec = 60
        exact = Decimal(value) / scale.unit
        for expected, rules in ROUNDINGS.items():
            for rule in rules:
                shown = exact.quantize(step, rounding=rule)
                if not shown or (rule == ROUND_CEILING and value < scale.unit):  # nothing is rounded up to a 1
                    continue
                (figure,) = printed.read(f"{shown}{unit}")
                fit = figure.fit(value, scale)
                alike = {each for each, same in ROUNDINGS.items() for r in same if exact.quantize(step, r) == shown}
                assert fit == EXACT if shown == exact else fit in alike
                assert expected in alike
                least, most = figure.bounds(scale)
                assert least <= value <= most


SCALES = st.builds(Scale, st.sampled_from([COUNT, BYTES]), st.sampled_from([1, 1000, 2**20]), st.just(0))


@given(
    st.integers(10, 10**6),
    st.integers(0, 2),
    SCALES.filter(lambda scale: scale.unit > 1),
    st.sampled_from([0, 28, 148]),
)
def test_nothing_outside_the_bounds_fits(digits: int, decimals: int, scale: Scale, tensors: int) -> None:
    """Law: the largest that fits and the next are told apart exactly, and below the least nothing fits."""
    figure = printed.Printed("", digits, decimals, "M")
    least, most = figure.bounds(scale, tensors)
    assert figure.fit(most + 1, scale, tensors) is None
    assert most < least or figure.fit(most, scale, tensors) is not None
    assert least == 1 or figure.fit(least - 1, scale, tensors) is None


@given(st.integers(1, 10**9), st.integers(-3, 2), SCALES, st.sampled_from([0, 28, 148]), st.integers(1, 400))
def test_a_number_is_printed_as_the_figures_that_it_fits(
    value: int, decimals: int, scale: Scale, tensors: int, away: int
) -> None:
    """Law: what enters the chance is what is accepted; the fits of a number overlap in no figure."""
    figure = printed.Printed("", 1, decimals, "M")
    spans = figure.printed_as(value, scale, tensors)
    ends = [end for _, first, last in spans for end in (first, last)]
    assert ends == sorted(ends)
    assert all(one[2] < other[1] for one, other in itertools.pairwise(spans))
    for digits in {*ends, ends[0] - away, ends[-1] + away} - set(range(-400, 1)):
        fit = figure._replace(digits=digits).fit(value, scale, tensors)
        assert fit == next((fit for fit, first, last in spans if first <= digits <= last), None)
        least, most = figure._replace(digits=digits).bounds(scale, tensors)
        assert fit is None or least <= value <= most


def test_nothing_is_rounded_up_to_a_one() -> None:
    """Every smaller number would be."""
    (figure,) = printed.read("1M")
    million = Scale(COUNT, 10**6, 0)
    assert [figure.fit(value, million) for value in (400_000, 499_999, 500_000, 1_000_000, 1_999_999)] == [
        *(None, None, ROUNDED, EXACT, CUT_OFF),
    ]


LEAST, MOST = (148 * each for each in HEADER)


@of_each(
    "text, value, fit",
    [
        ("548105171 bytes", 548105171, EXACT),
        ("548105171 bytes", 548090880, WITH_HEADER),
        ("548105171 bytes", 548105171 - LEAST, WITH_HEADER),
        ("548105171 bytes", 548105171 - LEAST + 1, None),
        ("548105171 bytes", 548105171 - MOST, WITH_HEADER),
        ("548105171 bytes", 548105171 - MOST - 1, None),
        ("703 MB", 702480384, WITH_HEADER),
        ("703 MB", 702500000, ROUNDED),
        ("703 MB", 702500000 - LEAST, WITH_HEADER),
        ("703 MB", 702500000 - MOST, WITH_HEADER),
        ("703 MB", 702500000 - MOST - 1, ROUNDED_UP),
    ],
)
def test_a_file_is_larger_than_its_tensors_by_a_header(text: str, value: int, fit: str | None) -> None:
    """Bytes fit with those of a header as well, as many as 148 tensors can have."""
    (figure,) = printed.read(text)
    assert figure.in_bytes
    assert figure.fit(value, figure.scales[0], 148) == fit


@pytest.mark.parametrize("text", ["548105171", "548.1M", "548105171 parameters", "0.5B"])
def test_what_is_not_said_to_be_bytes_has_no_header(text: str) -> None:
    """A header belongs to the size of a file."""
    assert not printed.read(text)[0].in_bytes
