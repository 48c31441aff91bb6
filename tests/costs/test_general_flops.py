"""FLOPs of other architectures than GPT-2 as `cost` and `serving` give them: by component, by convention, by roof."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.architectures.caches import Kept
from gpt2calc.costs import general_ways, machines

if TYPE_CHECKING:
    from tests.conftest import Run

QWEN: dict[str, Any] = {"batch": 2, "seq": 4096, "dtype": "bf16"}
MATRICES = 28 * (1024 * 2048 * 2 + 2 * 1024 * 1024 + 3 * 1024 * 3072) + 151936 * 1024
"""Of Qwen3-0.6B: queries and what follows attention, keys and values, an MLP; and the head, which is tied."""


def test_a_pass_and_a_step_by_hand() -> None:
    """Two FLOPs for each element of a matrix and token, attention of 16 heads of 128; training is three times that."""
    kept = gpt2calc.serving("Qwen3-0.6B", **QWEN, train=True)
    by_hand = 2 * 2 * 4096 * MATRICES + 2 * 2 * 28 * 2 * 4096 * 4096 * 16 * 128
    assert (kept.forward, kept.training) == (by_hand, 3 * by_hand)
    assert sum(row.forward for row in kept.products) == by_hand


def test_the_last_token_alone_has_logits_where_that_is_asked() -> None:
    """As generate() has it."""
    all_of_them, last = (gpt2calc.serving("Qwen3-0.6B", **QWEN, logits=word).forward for word in ("all", "last"))
    assert all_of_them is not None
    assert last == all_of_them - 2 * 2 * 4095 * 151936 * 1024


def test_a_convention_counts_what_one_token_passes() -> None:
    """Of Mixtral's 46.7 billion parameters 12.9 are active; that of all is told beside it."""
    counted = gpt2calc.count("Mixtral-8x7B")
    found = gpt2calc.serving("Mixtral-8x7B", seq=4096).flops_conventions
    assert found["six_n"] == 6 * 4096 * counted.conventions["active"]
    assert found["six_n_without_embeddings"] == 6 * 4096 * counted.conventions["active_without_embeddings_and_head"]
    assert found["six_n_all"] == 6 * 4096 * counted.total
    assert found["palm"] == found["six_n"] + 12 * 32 * 4096 * 4096 * 4096
    assert "six_n_all" not in gpt2calc.serving("Qwen3-0.6B", seq=4096).flops_conventions


@pytest.mark.parametrize("kind", ["sliding", "chunked"])
@pytest.mark.parametrize("window", [None, 1, 3, 8])
def test_a_mask_leaves_the_pairs_that_are_counted_one_by_one(window: int | None, kind: str) -> None:
    """Behind a cache and without one, windows and chunks."""
    is_chunk = kind == "chunked"
    row = Kept(kind, 1, 2, window, True, 0, 0, {}, is_chunk=is_chunk)
    for past in (0, 1, 5, 9):
        for tokens in (1, 2, 7):
            seen = 0
            for here in range(past, past + tokens):
                first = 0 if window is None else here - here % window if is_chunk else max(0, here - window + 1)
                seen += here - first + 1
            assert row.seen(past, tokens) == seen


@pytest.mark.parametrize("config", [*({"model_type": name} for name in ("gemma3_text", "llama4_text")), "gpt-oss-20b"])
def test_what_must_be_done_is_less_than_what_masks_leave_and_that_than_all(config: Any) -> None:
    """So a floor is one, whatever a program leaves out."""
    kept = gpt2calc.serving(config, seq=20000, dtype="bf16", machine="h200")
    found = kept.flops_conventions
    assert kept.floors["compute"] * machines.roofs("h200").flops <= found["causal"] / 3 < found["exact"] / 3


def test_a_floor_by_hand() -> None:
    """A token of Qwen3-0.6B behind 4,095: the bandwidth binds, over which weights and cache come once."""
    kept = gpt2calc.serving("Qwen3-0.6B", seq=1, past=4095, dtype="bf16", machine="h100-sxm")
    read = 2 * gpt2calc.count("Qwen3-0.6B").total + 4095 * 114688
    assert kept.floors["memory"] * 3_350_000_000_000 == read
    assert kept.floors["compute"] * 989_000_000_000_000 == kept.forward
    assert kept.to_dict()["floor"]["binds"] == "memory"


@pytest.mark.parametrize("name", ["Jamba-v0.1", "Mamba-Codestral-7B"])
def test_where_layers_scan_the_key_is_absent_and_a_note_says_why(run: Run, name: str) -> None:
    """The rest is there, and nothing has failed."""
    ran = run("cost", name, "--seq", "64", "--train", "--json")
    found = json.loads(ran.stdout)
    assert ran.code == 0
    assert "flops" not in found
    assert "are recurrent, and a scan is no product of matrices" in found["notes"][-1]
    assert found["kv"]["bytes"] > 0


def test_a_command_shows_flops_beside_what_is_kept(run: Run) -> None:
    """In tables, in JSON, in CSV and as one number."""
    words = ("cost", "Qwen3-0.6B", "--seq", "4096", "--batch", "2")
    kept = gpt2calc.serving("Qwen3-0.6B", **QWEN, train=True)
    found = json.loads(run(*words, "--train", "--json").stdout)["flops"]
    assert (found["forward"], found["training"]) == (kept.forward, kept.training)
    assert sum(row["forward"] + row["backward"] for row in found["components"]) == kept.training
    assert found["conventions"] == kept.flops_conventions
    assert f"{kept.forward:,}" in run(*words).stdout
    assert f"forward FLOPs,total,{kept.forward}" in run(*words, "--format", "csv").stdout
    assert run(*words, "--train", "-q").stdout == f"{kept.training}\n"


def test_all_tokens_of_training_by_one_convention(run: Run) -> None:
    """Six times the active parameters for each of 300 billion tokens, whatever passes at once."""
    ran = run("cost", "Mixtral-8x7B", "--tokens", "300B", "--convention", "six_n", "--seq", "4096", "-q")
    assert ran.stdout == f"{6 * 300 * 10**9 * gpt2calc.count('Mixtral-8x7B').conventions['active']}\n"


REFUSED: dict[str, tuple[tuple[str, ...], str]] = {
    "a cache in training": (("--train", "--past", "3", "--seq", "4"), "training has no cache"),
    "some logits in training": (("--train", "--logits", "last"), "training reads all logits"),
    "an unknown convention": (("--convention", "six_m"), "no convention"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_contradicts_itself_is_refused(run: Run, case: str) -> None:
    """In one sentence."""
    words, said = REFUSED[case]
    ran = run("cost", "Qwen3-0.6B", *words)
    assert (ran.code, ran.stdout) == (2, "")
    assert said in ran.stderr


def test_tokens_that_are_no_whole_number_of_steps_are_refused(run: Run) -> None:
    """Since a window leaves a token at the beginning fewer than one behind it."""
    ran = run("cost", "gpt-oss-20b", "--seq", "1000", "--tokens", "7", "--convention", "causal")
    assert (ran.code, ran.stdout) == (2, "")
    assert "7 tokens are no whole number of steps of 1,000: give a multiple of that" in ran.stderr


def test_packed_weights_have_no_floor(run: Run) -> None:
    """Since what a machine can do is known in bfloat16."""
    ran = run("cost", "gpt-oss-20b", "--machine", "h200")
    assert (ran.code, ran.stdout) == (2, "")
    assert "packed as mxfp4" in ran.stderr


def test_every_convention_is_in_the_schema_and_makes_a_number() -> None:
    """Of a mixture, of which all of them make sense."""
    assert [*gpt2calc.serving("Mixtral-8x7B", seq=8).flops_conventions] == [*general_ways.BY_NAME]
