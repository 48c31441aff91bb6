"""Figures from logs, issues and cards of other projects: explained by the count that they are of, or called wrong.

`tests/data/figures_of_others.jsonl` holds what is asked, where the figure stands in public, and the answer.
"""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.explanation import additions
from gpt2calc.explanation.chance import MOST_CHANCE
from gpt2calc.presets import load

if TYPE_CHECKING:
    from tests.conftest import Run

FILE = Path(__file__).parent / "data" / "figures_of_others.jsonl"
CASES = [json.loads(line) for line in FILE.read_text(encoding="utf-8").splitlines()]


@pytest.mark.parametrize("case", CASES, ids=lambda case: str(case["id"]))
def test_a_figure_of_others_is_explained(case: dict[str, Any], run: Run) -> None:
    """The first sentence says what it is, and the exit code whether that is more than a coincidence."""
    ran = run("explain", *case["words"])
    assert case["answer"] in " ".join(ran.stdout.partition("\n\n")[0].splitlines())
    assert ran.code == case["code"]
    if case["values"] is not None:
        assert run("explain", "-q", *case["words"]).stdout.split() == list(map(str, case["values"]))


def test_where_nothing_fits_the_nearest_of_all_ways_is_first() -> None:
    """36 scalars more than a composition of three steps, which is no usual one."""
    nearest = gpt2calc.explain("162201636", "nanogpt-no-bias").figures[0].nearest
    assert (nearest[0].value, nearest[0].convention) == (162_201_600, "untied + without_wpe + matrices")


def test_what_is_added_does_not_make_figures_of_few_digits_explained() -> None:
    """Of the 900 figures of three digits in millions, no more are explained than chance allows."""
    met = [digits for digits in range(100, 1000, 9) if gpt2calc.explain(f"{digits}M", "gpt2").explained]
    assert Fraction(len(met), 100) <= 2 * MOST_CHANCE


@pytest.mark.parametrize("figure", ["163,049,043", "102483969", "294,913", "124,734,721", "274041857"])
def test_a_whole_number_beside_one_fits_nothing(figure: str) -> None:
    """A sum of parts is exact."""
    assert not gpt2calc.explain(figure, "gpt2").fits


def test_ranks_hold_the_model_between_them() -> None:
    """All stages of one tensor rank are the model without parallelism, with what each stage holds of its own."""
    dims = load("gpt2-medium").dims
    held = [additions.rank_of(dims, 1, 4, stage) for stage in ("first", "middle", "middle", "last")]
    wte = 50304 * dims.n_embd
    assert sum(filter(None, held)) == gpt2calc.count("gpt2-medium", vocab_size=50304).total + wte
    assert additions.rank_of(dims, 5, 1, "only") is None
    assert additions.rank_of(dims, 1, 16, "first") is None


@pytest.mark.parametrize("targets", additions.TARGETS)
def test_lora_adds_what_its_two_matrices_hold(targets: str) -> None:
    """For each matrix of d_in by d_out, r · (d_in + d_out), block by block."""
    shapes = {t.name: t.shape for t in gpt2calc.tensors("gpt2-medium") if t.name.startswith("transformer.h.")}
    d = load("gpt2-medium").dims.n_embd
    parts = {"q": (d, d), "v": (d, d)} | {
        name.removeprefix("transformer.h.0.").removesuffix(".weight"): shape
        for name, shape in shapes.items()
        if name.startswith("transformer.h.0.") and len(shape) == 2
    }
    names = additions.TARGETS[targets]
    assert additions.lora(load("gpt2-medium").dims, 8, names) == 24 * sum(8 * sum(parts[name]) for name in names)
