"""Chance is never called an explanation: random figures, and public ones that mean something else."""

from __future__ import annotations

from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.explanation import printed, report
from gpt2calc.explanation.chance import MOST_CHANCE, Chances, Met, together
from gpt2calc.explanation.readings import EXPLAINED, PERHAPS
from tests import chances
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from tests.conftest import Run

FIGURES = {"counts": 800, "bytes": 300} if IS_WIDE else {"counts": 600, "bytes": 100}
"""How many random figures of each kind are drawn here; `python -m tests.chances` draws 10,000, for more models."""


@pytest.mark.parametrize("kind", FIGURES)
def test_of_random_figures_at_most_one_in_a_hundred_is_explained(kind: str) -> None:
    """And so many have a chance as small as one that is printed as that chance says."""
    drawn = chances.draw("gpt2", kind, FIGURES[kind])
    assert drawn.explained <= FIGURES[kind] / 100
    assert all(abs(each.deviation) < 4 for each in drawn.bins)
    assert drawn.bins or kind == "bytes"  # of which too few are met by accident


@pytest.mark.parametrize(
    ("model", "unit"), [("gpt2", "M"), ("gpt2", "MB"), ("gpt2", ""), ("tiny-gpt2", "K"), ("tiny-gpt2", "kB")]
)
def test_the_chance_is_the_share_of_all_figures_that_are_met(model: str, unit: str) -> None:
    """Of all figures of two digits, n times the chance have a reading of that chance or less, for every chance."""
    found = [gpt2calc.explain(f"{n}{unit}", model).figures[0] for n in range(10, 100)]
    best = Counter(each.readings[0].chance for each in found if each.readings)
    for chance in best:
        assert sum(count for other, count in best.items() if other <= chance) == chance * len(found)
    (expected,) = {each.by_accident for each in found}
    assert sum(each.fitting for each in found) == expected * len(found)
    explained = sum(first.verdict == EXPLAINED for each in found for first in each.readings[:1])
    assert explained <= MOST_CHANCE * len(found)


def test_the_chances_of_a_file_hold_its_headers() -> None:
    """The bytes of a header are counted as what is met: 148 tensors, one number, 319 · 148 + 1 figures and its own."""
    (figure,) = printed.read("123456789 bytes")
    (scale,) = figure.scales
    spans = figure.printed_as(124_439_808, scale, 148)
    met = [Met(first, last, 0, 124_439_808, (), 0, "") for _, first, last in spans]
    assert Chances(figure.alike, met).of(0) == Fraction(319 * 148 + 2, 9 * 10**8)


def test_one_convention_for_several_figures_is_met_by_the_product_of_its_chances() -> None:
    """And of several conventions by one or the other."""
    one = Chances((1, 9), [Met(1, 1, 0, 1, ("a",), 0, ""), Met(2, 3, 0, 2, ("b",), 0, "")])
    assert together([one, one], lambda _: True) == Fraction(1, 81) + Fraction(4, 81)
    assert together([one, one], lambda met: met.key == ("a",)) == Fraction(1, 81)


def test_a_convention_that_one_figure_shows_does_not_explain_what_any_model_would_meet() -> None:
    """124,439,808 is the plain count of gpt2; that 8M is the plain count of something says little."""
    first, second = gpt2calc.explain(["124,439,808", "8M"]).readings[:2]
    assert (first.verdict, second.verdict) == (EXPLAINED, PERHAPS)
    assert second.convention == "tied"


@pytest.mark.parametrize("figure", ["12345", "20000", "50000", "5kB", "10kB", "20kB", "1e3", "1000", "30001", "7kB"])
@pytest.mark.parametrize("model", ["gpt2", "tiny-gpt2", ""])
def test_a_small_figure_is_not_explained_by_the_size_of_a_header(figure: str, model: str, run: Run) -> None:
    """Exit code 1, and no word of an explanation."""
    ran = run("explain", figure, *([model] if model else []))
    assert ran.code == 1
    assert "fits none of the" in ran.stdout.splitlines()[0] or "or a coincidence" in ran.stdout.splitlines()[0]


NOTHING = [
    ("number of parameters: 124439809", "gpt2", "one more than tied"),
    ("774,030,081", "gpt2-large", "one more than tied"),
    ("548105171", "gpt2", "the size of model.safetensors, where no word says bytes"),
    ("162201636", "nanogpt-no-bias", "modded-nanogpt, issue 26: 36 scalars more than untied matrices without wpe"),
]
"""Public figures that no way of counting gives, each with what it is."""


@pytest.mark.parametrize(("text", "model", "about"), NOTHING)
def test_what_no_way_of_counting_gives_fits_nothing(text: str, model: str, about: str, run: Run) -> None:
    """An integer that is written out is exact, and a number of parameters has no header."""
    ran = run("explain", text, model)
    assert (ran.code, "fits none of the" in ran.stdout.splitlines()[0]) == (1, True), about


@pytest.mark.parametrize(
    ("text", "model", "about"),
    [
        ("0.39M", "gpt2-medium", "microsoft/LoRA, issue 172: 393,216, LoRA of rank 4 on queries and values"),
    ],
)
def test_what_is_met_by_accident_is_said_to_be_a_coincidence(text: str, model: str, about: str, run: Run) -> None:
    """Exit code 1, and no header."""
    ran = run("explain", text, model)
    assert ran.code == 1, about
    assert ran.stdout.splitlines()[0].endswith("or a coincidence")
    assert "with a header" not in ran.stdout


@pytest.mark.parametrize(
    ("figure", "value", "fit"),
    [
        ("548,105,171 bytes", 548_090_880, "with a header"),  # model.safetensors
        ("548118077 bytes", 548_090_880, "with a header"),  # pytorch_model.bin
        ("497764120 bytes", 497_759_232, "with a header"),  # flax_model.msgpack
        ("702517648 bytes", 702_480_384, "with a header"),  # rust_model.ot
        ("497759232 bytes", 497_759_232, "exact"),  # model.ckpt.data-00000-of-00001
        ("497,759,232", 497_759_232, "exact"),
        ("124,440,000", 124_439_808, "rounded"),
        ("1,558,000,000", 1_557_611_200, "rounded"),
        ("124,439,000", 124_439_808, "cut off"),
    ],
)
def test_a_file_has_a_header_and_three_zeros_may_be_rounded(figure: str, value: int, fit: str) -> None:
    """The published files of openai-community/gpt2, and integers as they are written out."""
    model = "gpt2-xl" if value > 10**9 else "gpt2"
    best = gpt2calc.explain(figure, model)[0]
    assert (best.value, best.fit, best.verdict) == (value, fit, EXPLAINED)


@pytest.mark.parametrize("model", ["gpt2", ""])
@pytest.mark.parametrize(
    ("text", "convention"),
    [
        ("Number of trainable parameters = 124441344", "head=sequence_classification, num_labels=2"),
        ("124,440,577", "head=double_heads"),
        ("124,441,346", "head=question_answering"),
        ("124,440,576", "head=sequence_classification, num_labels=1"),
        ("124,442,112", "head=sequence_classification, num_labels=3"),
        ("124,446,729", "head=token_classification, num_labels=9"),
    ],
)
def test_what_a_head_adds_is_looked_at(text: str, convention: str, model: str) -> None:
    """PEFT's and Trainer's print-outs for classifiers come first, and are no other model's by accident."""
    best = gpt2calc.explain(text, *([model] if model else []))[0]
    assert (best.convention, best.verdict, best.model.names[0]) == (convention, EXPLAINED, "gpt2")
    fields: dict[str, Any] = dict(part.split("=") for part in convention.split(", "))
    fields["num_labels"] = int(fields.get("num_labels", 1))
    assert gpt2calc.count("gpt2", **fields).total == best.value


def test_words_that_say_parameters_can_stand_alone(run: Run) -> None:
    """On a command line they are another word."""
    ran = run("explain", "124,439,808", "parameters", "gpt2")
    assert (ran.code, ran.stdout.splitlines()[0]) == (0, "124,439,808 is 124,439,808: tied of gpt2")


def test_an_explanation_says_by_what_chance(run: Run) -> None:
    """In the table one in so many; in JSON and from Python the share itself."""
    answer = gpt2calc.explain("137M", "gpt2")
    assert answer.explained
    assert answer[0].chance == Fraction(7, 900)
    assert answer.to_dict()["readings"][0]["chance"] == 7 / 900
    assert "1 in 128" in run("explain", "137M", "gpt2").stdout
    assert not gpt2calc.explain(["137M", "150M"], "gpt2").explained


def test_the_models_are_searched_once() -> None:
    """The same model, asked again, is not walked again."""
    gpt2calc.explain("137M", "gpt2")
    before = report._search.cache_info().misses
    gpt2calc.explain("163M", "gpt2")
    assert report._search.cache_info().misses == before
