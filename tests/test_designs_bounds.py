"""The bounds of a search: what can be typed, and what is refused in one sentence."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc.designs import measures, spans, targets
from gpt2calc.designs.bounds import MOST_WIDTHS, Bounds
from gpt2calc.designs.search import Space
from tests.loops import of_each
from tests.property.strategies import SETTINGS

if TYPE_CHECKING:
    from tests.conftest import Run


# ---------------------------------------------------------------- what can be typed


@of_each(
    "given, values",
    [
        ("12", [12]),
        ("6:9", [6, 7, 8, 9]),
        ("12:48:12", [12, 24, 36, 48]),
        ("12:47:12", [12, 24, 36]),
        ("24,12,24", [12, 24]),
        (" 12, 24", [12, 24]),
        ("1_000", [1000]),
        ("7:7", [7]),
        (12, [12]),
        ([24, 12], [12, 24]),
        (range(48, 11, -12), [12, 24, 36, 48]),
    ],
)
def test_sizes_are_read(given: Any, values: list[int]) -> None:
    """A size, a range with both ends, one with a step, a list in any order, and what Python has for these."""
    assert list(spans.read("n_layer", given).values) == values


@pytest.mark.parametrize(
    ("given", "values"),
    [
        ("4", (Fraction(4),)),
        ("4,8/3", (Fraction(8, 3), Fraction(4))),
        ("2.5:3", (Fraction(5, 2), Fraction(3))),
        (4, (Fraction(4),)),
        (Fraction(8, 3), (Fraction(8, 3),)),
        (["8/3", 4], (Fraction(8, 3), Fraction(4))),
    ],
    ids=str,
)
def test_fractions_are_read_exactly(given: Any, values: tuple[Fraction, ...]) -> None:
    """Whole numbers, decimals, quotients, lists and ranges."""
    assert spans.read_fractions("inner_ratio", given).values == values


@SETTINGS
@given(values=st.lists(st.integers(0, 10**15 - 1), min_size=1, max_size=8), low=st.integers(0), high=st.integers(0))
def test_what_lies_between_is_found(values: list[int], low: int, high: int) -> None:
    """Of a list, and of the range from its least to its most, `between` returns those within, in order."""
    listed = spans.read("n_layer", values, least=0)
    assert list(listed.between(low, high)) == sorted(size for size in set(values) if low <= size <= high)
    spread = spans.read("n_layer", range(min(values), max(values) + 1), least=0)
    within = spread.between(low, high)
    assert (len(within) > 0) == (max(low, min(values)) <= min(high, max(values)))
    assert spans.read("n_layer", spread.text, least=0).values == spread.values or min(values) == max(values)


@SETTINGS
@given(low=st.integers(0, 60), many=st.integers(1, 40), step=st.integers(1, 30), multiple=st.integers(1, 40))
def test_the_multiples_in_a_range_are_a_range(low: int, many: int, step: int, multiple: int) -> None:
    """However long it is, none is looked at: their first and their step follow from those of the range."""
    sizes = range(low, low + many * step, step)
    bounds = Bounds(n_inner=spans.Span("", sizes), inner_multiple=multiple)
    assert list(bounds.inners(1)) == [size for size in sizes if size % multiple == 0]


def test_enormous_ranges_are_searched_and_counted() -> None:
    """A range that nobody could go through, in steps and multiples, bounds a search like any other."""
    wide: dict[str, Any] = {"n_inner": "0:999999999999999:7", "inner_multiple": 64, "n_embd": "64:4096"}
    designs = gpt2calc.design("10^20", n_layer="1:99", aspect="1/2:1000", nearest=True, **wide)
    assert designs.shapes > 10**15
    assert all(each.dims.n_inner % 448 == 0 for each in designs)
    assert abs(designs[0].difference) < 10**6
    deep = gpt2calc.design("10^20", n_layer="1:999999999999999", aspect="1/1000000000000:1000", n_embd="64:4096")
    assert deep[0].dims.n_layer > 10**9


# ---------------------------------------------------------------- one sentence each

REFUSED = {
    "nothing": ([], "give params, such as 350M, or fits, such as 24GB with a dtype"),
    "both": (["--params", "3M", "--fits", "4GB"], "params=3M and fits=4GB are two targets: give one of them"),
    "letters": (["--params", "abc"], "params takes a figure such as 350M, 0.35B, 1e9 or 124,439,808, got 'abc'"),
    "zero": (["--params", "0"], "params must be 1 or more, got '0'"),
    "negative": (["--params", "-5"], "params must be 1 or more, got '-5'"),
    "no whole number": (["--params", "1.5"], "params takes a figure such as"),
    "a bound": (["--params", "< 5M"], "params takes a figure such as"),
    "a range": (["--params", "1M to 5M"], "params takes a figure such as"),
    "a share": (["--params", "22 %"], "params takes a figure such as"),
    "bytes": (["--params", "350MB"], "params takes a figure such as"),
    "too large a power": (["--params", "1e1000"], "params takes a figure such as"),
    "too fine a power": (["--params", "1.55e1"], "params takes a figure such as"),
    "many digits": (["--params", "9" * 5000], "params takes a figure such as"),
    "no dtype": (["--fits", "24GB"], "fits is in bytes: say of which dtype, fp32, fp16, bf16, int8, int4"),
    "a wrong dtype": (
        ["--fits", "24GB", "--dtype", "bf17"],
        "no dtype is called 'bf17': known are fp32, fp16, bf16, int8, int4",
    ),
    "no bytes": (["--fits", "5 %", "--dtype", "bf16"], "fits takes a figure such as 24GB or 474.70 MiB, got '5 %'"),
    "too little": (
        ["--fits", "1kB", "--dtype", "bf16"],
        "nothing within the bounds fits 1kB: the smallest shape has 6,664,192 bytes",
    ),
    "a dtype for params": (["--params", "3M", "--dtype", "bf16"], "dtype goes with fits: give a convention such as"),
    "a convention for fits": (
        ["--fits", "3GB", "--dtype", "bf16", "--convention", "kaplan"],
        "convention goes with params: what fits is counted in bytes of a dtype",
    ),
    "a wrong convention": (
        ["--params", "3M", "--convention", "kaplen"],
        "no convention is called 'kaplen': did you mean kaplan?",
    ),
    "a number for a model": (["350M"], "a model comes first, and the number after --params: design --params 350M"),
    "no model": (["gpt5", "--params", "3M"], "no model is called 'gpt5'"),
    "a range upside down": (
        ["--params", "3M", "--n-layer", "3:1"],
        "n_layer does not get from 3 to 1 in '3:1': 3:1:-1 counts down",
    ),
    "no size": (
        ["--params", "3M", "--layers", "abc"],
        "n_layer takes whole numbers, as 12, 768,1024 or 12:96:12, got 'abc'",
    ),
    "an empty size": (
        ["--params", "3M", "--n-embd", ""],
        "n_embd takes whole numbers, as 12, 768,1024 or 12:96:12, got ''",
    ),
    "too many colons": (["--params", "3M", "--n-embd", "1:2:3:4"], "n_embd takes whole numbers, as 12, 768,1024"),
    "a step of zero": (["--params", "3M", "--n-embd", "1:9:0"], "n_embd has a step of 0 in '1:9:0'"),
    "no depth": (["--params", "3M", "--n-layer", "0:4"], "n_layer must be 1 or more, and of at most 15 digits, got"),
    "a huge depth": (["--params", "3M", "--n-layer", "9" * 20], "n_layer must be 1 or more, and of at most 15 digits"),
    "two spellings": (
        ["--params", "3M", "--layers", "12", "--n-layer", "13"],
        "layers=12 and n_layer=13 disagree: both mean n_layer; give one of them",
    ),
    "two paddings": (
        ["--params", "3M", "--pad", "64", "--pad-vocab", "128"],
        "pad_vocab=128 and pad=64 disagree: both mean pad_vocab_size_multiple; give one of them",
    ),
    "a list for one number": (
        ["--params", "3M", "--embd-multiple", "64, 128"],
        "embd_multiple must be a whole number from 1 to 999,999,999,999,999, got '64, 128'",
    ),
    "no multiple": (["--params", "3M", "--inner-multiple", "0"], "inner_multiple must be a whole number from 1 to"),
    "no head": (["--params", "3M", "--head-size", "0"], "head_size must be 1 or more"),
    "no aspect": (["--params", "3M", "--aspect", "0:20"], "aspect must be more than 0, got '0:20'"),
    "an aspect upside down": (
        ["--params", "3M", "--aspect", "160:20"],
        "aspect '160:20' holds nothing: give the smaller first",
    ),
    "a list of aspects": (["--params", "3M", "--aspect", "64,65"], "aspect takes a range such as 20:160, got '64,65'"),
    "a quotient by zero": (["--params", "3M", "--inner-ratio", "8/0"], "inner_ratio takes exact numbers such as"),
    "a negative ratio": (["--params", "3M", "--inner-ratio", "-1"], "inner_ratio takes exact numbers such as"),
    "none to show": (["--params", "3M", "--top", "0"], "top must be a whole number from 1 to 10,000, got '0'"),
    "letters to show": (["--params", "3M", "--top", "x"], "top must be a whole number from 1 to 10,000, got 'x'"),
    "a part of the front": (
        ["--params", "3M", "--top", "3", "--pareto"],
        "pareto gives the whole front: leave top out",
    ),
    "too wide a range": (
        ["--params", "3M", "--n-layer", "1:1000000000"],
        "n_embd can be one of 2,500,000,000 widths, and at most 200,000 are tried: narrow n_embd or n_layer, or raise",
    ),
    "many paddings": (["--params", "3M", "--pad", "1:1000000000"], "pad takes at most 100 sizes, got '1:1000000000'"),
    "many sizes of a head": (["--params", "3M", "--head-size", "1:101"], "head_size takes at most 100 sizes, got"),
    "a fixed field in words": (["--params", "3M", "--vocab", "1:5"], "--vocab takes a whole number, got '1:5'"),
    "a wrong field": (["--params", "3M", "--n-positions", "0"], "n_positions must be a whole number, 1 or more, got 0"),
}


@of_each("case", REFUSED)
def test_nonsense_is_refused_in_one_sentence(case: str, run: Run) -> None:
    """Exit code 2, nothing on standard output, and one line that names what was typed."""
    words, message = REFUSED[case]
    ran = run("design", *words)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith(f"gpt2calc design: {message}")
    assert ran.stderr.count("\n") == 1
    assert len(ran.stderr) < 250


@of_each(
    "asked",
    [
        {"params": 3.5},
        {"params": True},
        {"params": ["350M"]},
        {"params": "350M", "n_layer": 12.5},
        {"params": "350M", "n_layer": True},
        {"params": "350M", "n_layer": []},
        {"params": "350M", "n_layer": {"low": 1}},
        {"params": "350M", "inner_ratio": 8 / 3},
        {"params": "350M", "inner_ratio": []},
        {"params": "350M", "aspect": None, "embd_multiple": [64]},
        {"params": "350M", "aspect": (20, 40, 60)},
        {"params": "350M", "top": 2.5},
        {"params": "350M", "top": True},
        {"params": "350M", "n_layers_": 12},
    ],
)
def test_what_a_program_gives_is_refused_alike(asked: dict[str, Any]) -> None:
    """A float is not exact, and a truth value is no number."""
    with pytest.raises(gpt2calc.ConfigError):
        gpt2calc.design(**asked)


def test_a_search_that_would_not_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where too many lines are as near as the answer, the sentence says what to narrow."""
    monkeypatch.setattr("gpt2calc.designs.search.MOST_LINES", 100)
    with pytest.raises(gpt2calc.ConfigError, match=r"^more than 100 lines of shapes are about as near as this: narrow"):
        gpt2calc.design("350M", inner_ratio="1:8")


def test_what_nothing_bounds_is_said() -> None:
    """The search itself refuses widths without an end, and counts those that it would have to try."""
    with pytest.raises(gpt2calc.ConfigError, match=r"^nothing bounds n_embd"):
        Bounds(head_size=(64,)).widths()
    assert len(Bounds(n_embd=spans.read("n_embd", f"1:{MOST_WIDTHS}")).widths()) == MOST_WIDTHS


def test_space_counts_its_shapes() -> None:
    """How many shapes there are is how many are tried one by one."""
    dims = gpt2calc.count("gpt2").dims
    bounds = Bounds(
        n_layer=spans.read("n_layer", "1:4"),
        n_embd=spans.read("n_embd", "64:256:64"),
        inner_ratio=spans.read_fractions("inner_ratio", "1:2"),
        inner_multiple=64,
    )
    target = targets.read("1M", None)
    family = gpt2calc.design("1M").family
    counted = {size: measures.of(target.convention, dims._replace(vocab_size=size)) for size in (50257, 50304)}
    space = Space(bounds, {size: lambda _, of=of: of for size, of in counted.items()}, target, family)  # type: ignore[misc]
    assert space.shapes == 2 * 4 * (2 + 3 + 4 + 5)
    assert len(space.nearest(1000)) == space.shapes
