"""What a cost does not know is refused by name or left out with a note, and nothing that is asked is dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.errors import ConfigError, UnknownNameError

if TYPE_CHECKING:
    from tests.conftest import Run

SMALL: dict[str, Any] = {"n_layer": 2, "n_embd": 16, "n_head": 4, "vocab_size": 50, "n_positions": 64}

OTHER: Any = {"activation_function": "gelu_fast"}

REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a cache beside cross-attention": (
        {"add_cross_attention": True, "source": 10, "seq": 1, "past": 5},
        "a cache beside cross-attention is not covered",
    ),
    "a prompt beside cross-attention": (
        {"add_cross_attention": True, "source": 10, "prompt": 5, "new": 1},
        "a cache beside cross-attention is not covered",
    ),
    "stage 1 of ZeRO": ({"zero_stage": 1}, "a model on several devices is not covered"),
    "true for a number of devices": ({"tensor_parallel": True}, "a model on several devices is not covered"),
    "text for a flag": ({"train": "no"}, "train must be true or false, got 'no'"),
    "a peak below 1": ({"throughput": 1, "peak": 0.5}, "peak must be a whole number, 1 or more, got 0.5"),
    "an endless peak": ({"throughput": 1, "peak": float("inf")}, "peak must be a number above 0, got inf"),
    "half a device": ({"throughput": 1, "peak": 1e12, "devices": 0.5}, "devices must be a whole number"),
    "a convention without its heads": ({"n_head": None, "convention": "chinchilla"}, "chinchilla depends on n_head"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_known_is_refused(case: str) -> None:
    """In a sentence that names it."""
    words, sentence = REFUSED[case]
    with pytest.raises(ConfigError, match=sentence):
        gpt2calc.cost(**{**SMALL, **words})


@pytest.mark.parametrize("word", ["machine", "convention"])
def test_a_name_that_is_no_text_is_unknown(word: str) -> None:
    """And no error of Python."""
    with pytest.raises(UnknownNameError):
        gpt2calc.cost(**SMALL, **{word: []})  # type: ignore[arg-type]  # what is refused


def test_one_devices_words_are_taken() -> None:
    """One device is what is given."""
    plain = gpt2calc.cost(**SMALL).to_dict()
    assert gpt2calc.cost(**SMALL, tensor_parallel=1, pipeline_parallel=1, zero_stage=0).to_dict() == plain


def test_another_activation_leaves_activations_out_and_nothing_else() -> None:
    """Its FLOPs are those of any."""
    found = gpt2calc.cost(**SMALL, **OTHER, train=True, optimizer="adamw")
    assert found.training == gpt2calc.cost(**SMALL, train=True).training
    assert found.activations is None
    assert found.peak is None
    assert {"gradients", "optimizer"} <= found.to_dict()["memory"].keys()
    assert any("gelu_fast" in note for note in found.notes)


def test_the_peak_of_no_blocks_is_left_out() -> None:
    """Its moments are others than those that were measured."""
    found = gpt2calc.cost(**{**SMALL, "n_layer": 0}, train=True)
    assert found.peak is None
    assert found.activations
    assert "peak is not covered: a model without blocks was not measured" in found.notes


def test_a_floor_skips_what_a_causal_mask_hides() -> None:
    """A kernel may, and then it would be below a floor of all pairs."""
    found = gpt2calc.cost(**SMALL, machine="h100-sxm")
    assert found.floors["compute"] * 989 * 10**12 < found.forward


@pytest.mark.parametrize(
    ("words", "printed"),
    [
        (("--convention", "six_n", "--tokens", "300B"), "314287666790400000000000"),
        (("--convention", "six_n"), "2145537138622464"),
    ],
)
def test_quiet_prints_what_was_asked(words: tuple[str, ...], printed: str, run: Run) -> None:
    """By the convention, of the tokens."""
    assert run("cost", "gpt3-175B", *words, "-q").stdout == f"{printed}\n"


def test_quiet_prints_every_convention_where_all_are_asked_for(run: Run) -> None:
    """A line each."""
    assert len(run("cost", "gpt2", "--conventions", "-q").stdout.split()) == len(gpt2calc.cost("gpt2").conventions)


def test_a_spreadsheet_holds_tokens_shares_and_floors(run: Run) -> None:
    """And not the FLOPs of a step alone."""
    shown = run("cost", "gpt2", "--format", "csv", "--tokens", "3B", "--throughput", "150000", "--machine", "h200")
    assert "FLOPs of all tokens,six_n," in shown.stdout
    assert "percent of the peak,six_n," in shown.stdout
    assert "seconds at least,compute," in run("cost", "gpt2", "--format", "csv", "--machine", "h200").stdout


HUGE: dict[str, tuple[dict[str, Any], str]] = {
    "blocks": ({"n_layer": 10**8}, "of at most 1,000 blocks is built to be measured, got 100,000,000"),
    "a vocabulary": ({"vocab_size": 10**20}, "torch has no model of"),
    "a batch without values": ({"batch": 10**15}, "torch cannot run"),
    "a step": ({"batch": 10**9, "train": True}, "and at most 16 GiB are measured"),
    "new tokens": ({"prompt": 5, "new": 10**5, "n_positions": 10**6}, "at most 10,000 new tokens are generated"),
    "a cache": ({"prompt": 10**6, "new": 1, "batch": 10**3, "n_positions": 10**7}, "and at most 16 GiB are measured"),
}


@pytest.mark.parametrize("case", HUGE)
def test_what_no_machine_holds_is_not_measured(case: str) -> None:
    """It is refused by what the laws say of it, before anything is built."""
    words, sentence = HUGE[case]
    with pytest.raises(ConfigError, match=sentence):
        gpt2calc.measure(**{**SMALL, **words})
