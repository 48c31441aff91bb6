"""What was measured before, with torch 2.13.0 and transformers 5.23.0: the laws give it to the last FLOP and byte."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import gpt2calc

DATA = Path(__file__).resolve().parent.parent / "data" / "cost_measured.jsonl"
CASES: list[dict[str, Any]] = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
EXACT = [case for case in CASES if case["quantity"] != "peak bytes"]
PEAKS = [case for case in CASES if case["quantity"] == "peak bytes"]


def called(case: dict[str, Any]) -> str:
    """Return how a case is called, as the id of a test."""
    return f"{case['id']} {case['quantity']}"


def asked(case: dict[str, Any]) -> Any:
    """Return the cost of a case, in the words of the interface."""
    config, given = dict(case["config"]), dict(case["settings"])
    config["activation_function"] = config.pop("activation", "gelu_new")
    head = given.get("head", True)
    config["head"] = head if isinstance(head, str) else "lm" if head else "none"
    words = {
        name: given[name] for name in ("batch", "seq", "past", "logits", "dtype", "prompt", "new") if name in given
    }
    words |= {name: given[name] for name in ("cache", "max_cache_len", "dropout") if name in given}
    if "attn" in given:
        words |= {"attention": given["attn"], "checkpoint": "torch" if given["checkpoint"] else "none"}
    if "optimizer" in given:
        words["optimizer"] = given["optimizer"].replace(" ", "_")
    if case["quantity"] in {"training FLOPs", "activation bytes", "peak bytes"}:
        words["train"] = True
    if given.get("recompute"):
        words |= {"checkpoint": "torch", "dropout": 0}
    return gpt2calc.cost(config, **words)


def test_every_case_is_there() -> None:
    """40 measurements, of which 4 are peaks."""
    assert (len(EXACT), len(PEAKS)) == (36, 4)
    assert all(case["source"] for case in CASES)


@pytest.mark.parametrize("case", EXACT, ids=called)
def test_what_was_measured_comes_out(case: dict[str, Any]) -> None:
    """By the keys of the document that the command prints."""
    room, name = {
        "forward FLOPs": ("flops", "forward"),
        "training FLOPs": ("flops", "training"),
        "KV bytes": ("kv", "bytes"),
        "activation bytes": ("memory", "activations"),
        "optimizer bytes": ("memory", "optimizer"),
    }[case["quantity"]]
    document = asked(case).to_dict()
    assert document[room][name] == case["value"]
    if "gradient_bytes" in case["settings"]:
        assert document["memory"]["gradients"] == case["settings"]["gradient_bytes"]


@pytest.mark.parametrize("case", PEAKS, ids=called)
def test_a_peak_is_within_a_fiftieth_of_the_allocators(case: dict[str, Any]) -> None:
    """What a step after the first holds above weights and state is at most 2 % off; the ratio is printed."""
    cost, measured = asked(case), case["value"]["second_step"]
    above = cost.peak - cost.weights - cost.optimizer
    print(f"{case['id']}: {above:,} / {measured:,} = {above / measured:.4f}")
    assert 0.98 <= above / measured <= 1.02
