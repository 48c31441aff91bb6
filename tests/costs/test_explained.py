"""Figures of costs, explained: which number of which model was printed so."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

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
