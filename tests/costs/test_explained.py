"""Figures of costs, explained: which number of which model was printed so."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc

if TYPE_CHECKING:
    from tests.conftest import Run


@pytest.mark.parametrize(
    ("figure", "model", "words", "name", "value"),
    [
        ("3.14e23", "gpt3-175B", {}, "six_n", 6 * 300 * 10**9 * 174604259328),
        ("3.14e23", "gpt3-175B", {"tokens": 300 * 10**9}, "six_n", 6 * 300 * 10**9 * 174604259328),
        ("874944921600", "gpt2", {"seq": 1024}, "exact", 874944921600),
        ("875062886400", "gpt2", {"seq": 1024, "bias": False}, "nanogpt", 875062886400),
        ("9.46 GiB", "gpt2", {"batch": 8, "seq": 1024}, "activations", 10159366148),
        ("317480964 bytes", "gpt2", {"batch": 2, "seq": 128}, "activations", 317480964),
        ("36 KiB", "gpt2", {"batch": 1, "seq": 1}, "kv", 36864),
    ],
)
def test_a_figure_is_the_plainest_cost_that_is_printed_so(
    figure: str, model: str, words: dict[str, int], name: str, value: int
) -> None:
    """With the convention, or the part of memory, and its exact number."""
    found = gpt2calc.explain(figure, model, **words)  # type: ignore[arg-type]
    assert (found.costs[0].name, found.costs[0].value) == (name, value)
    assert found.explained


def test_a_figure_that_is_no_cost_has_the_nearest(run: Run) -> None:
    """With exit code 1, and what it is off by."""
    ran = run("explain", "9.43GiB", "gpt2", "--batch", "8", "--seq", "1024")
    assert ran.code == 1
    assert "no cost that was looked at" in ran.stdout
    assert "activations" in ran.stdout


def test_a_count_is_explained_as_before(run: Run) -> None:
    """Where nothing of a run is said, nothing is said of costs."""
    ran = run("explain", "137M", "gpt2", "--json")
    assert "costs" not in json.loads(ran.stdout)


@pytest.mark.parametrize(
    ("figure", "model", "said"), [("5 GiB", "gpt2", {"batch": 8}), ("12 GB", "gpt2-xl", {"batch": 4, "seq": 512})]
)
def test_what_any_figure_would_be_is_no_explanation(figure: str, model: str, said: Any) -> None:
    """A digit or two fit one of the many choices of kernels, whatever they are: the chance is counted, and said."""
    found = gpt2calc.explain(figure, model, **said)
    assert found.costs
    assert not found.explained
    assert found.costs[0].chance > Fraction(1, 40)
    assert "or a coincidence" in found.to_dict()["figures"][0]["answer"]
    assert {each["verdict"] for each in found.to_dict()["costs"]} == {"perhaps"}


@pytest.mark.parametrize(("figure", "alike"), [(9, range(1, 10)), (12, range(10, 100))])
def test_the_chance_is_that_of_figures_printed_alike(figure: int, alike: range) -> None:
    """Counted one by one: which of all figures of as many digits a cost as plain as the first is printed as."""
    first = gpt2calc.explain(f"{figure} GB", "gpt2-xl", batch=4, seq=512).costs[0]
    found = [gpt2calc.explain(f"{digits} GB", "gpt2-xl", batch=4, seq=512).costs for digits in alike]
    met = sum(any(each.penalty <= first.penalty for each in costs) for costs in found)
    assert first.chance == Fraction(met, len(alike))


def test_a_unit_of_flops_is_read(run: Run) -> None:
    """And is of one model."""
    assert run("explain", "291.65 GFLOPs", "gpt2", "-q").stdout == "291648307200\n"
    assert gpt2calc.explain("875 GFLOPs", "gpt2").costs[0].name == "exact"
    refused = run("explain", "875 GFLOPs")
    assert (refused.code, refused.stdout) == (2, "")
    assert "875 GFLOPs is a cost, of one model: name it" in refused.stderr


def test_a_count_is_still_one_where_a_run_is_said(run: Run) -> None:
    """124M is no FLOPs of a step, and is gpt2."""
    assert run("explain", "124M", "gpt2", "--seq", "1024", "-q").stdout == "124439808\n"


@pytest.mark.parametrize(
    ("figure", "model", "value"),
    [
        ("70 KB", "DeepSeek-V3", 70_272),
        ("70.3 KB", "DeepSeek-V3", 70_272),
        ("128 KB", "Llama-3.1-8B", 131_072),
        ("16.5 MB", "Jamba-v0.1", 16_515_072),
    ],
)
def test_what_has_no_context_may_be_rounded(figure: str, model: str, value: int) -> None:
    """A token's bytes and a state's are one number a model, and no context is chosen to fit the figure."""
    found = gpt2calc.explain(figure, model)
    assert (found.explained, found.costs[0].value) == (True, value)
    assert "chosen" not in found.to_dict()["costs"][0]


@pytest.mark.parametrize("model", ["DeepSeek-V3", "Jamba-v0.1"])
@pytest.mark.parametrize("unit", ["KB", "GiB"])
def test_few_figures_of_a_unit_are_a_cost_for_their_digits_alone(model: str, unit: str) -> None:
    """Of all figures of two digits at most one in forty is explained by each of a few readings, and no other is."""
    told = [gpt2calc.explain(f"{digits} {unit}", model) for digits in range(10, 100)]
    known = [each for each in told if any(not reading.doubtful for reading in each.costs)]
    assert len(known) <= 90 // 40
    assert all(each.costs[0].chance <= Fraction(1, 40) for each in known)


@pytest.mark.parametrize("figure", ["73 KB", "2.22 TFLOPs"])
def test_a_figure_that_nothing_meets_is_shown_beside_what_is_nearest(figure: str) -> None:
    """Costs beside a cost: a token's bytes, or FLOPs, and no number of parameters."""
    (table, *_) = gpt2calc.explain(figure, "DeepSeek-V3").tables()
    assert table.title == f"{figure} is no cost that was looked at"
    assert "unit" in table.headers
    assert {row[1] for row in table.rows if row} == {"FLOPs" if "FLOP" in figure else "bytes"}


@pytest.mark.parametrize("name", ["batch", "seq", "tokens"])
@pytest.mark.parametrize("value", ["x", 0, -1, 1.5, True])
def test_what_is_asked_about_is_a_whole_number(name: str, value: Any) -> None:
    """Or one sentence says that it is none."""
    with pytest.raises(gpt2calc.ConfigError, match=f"^{name} must be a whole number, 1 or more, got"):
        gpt2calc.explain("4.3 GB", "gpt2", **{name: value})


def test_what_is_asked_about_is_read_as_people_write_it() -> None:
    """4k are 4,000 tokens, and 300B are GPT-3's."""
    assert gpt2calc.explain("3.14e23", "gpt3-175B", tokens="300B").costs[0].name == "six_n"
    assert gpt2calc.explain("524.288 MB", "Llama-3.1-8B", seq="4k").costs[0].value == 4000 * 131_072
