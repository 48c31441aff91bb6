"""KV caches and states of twenty published models, against what transformers held of them in their full size."""

from __future__ import annotations

from typing import Any

import pytest

import gpt2calc
from gpt2calc import presets
from gpt2calc.architectures import caches
from tests import served

MEASURED = {row["name"]: row for row in served.rows()}
FIGURES = {
    "Llama-3.1-8B": 131_072,
    "gpt2-xl": 307_200,
    "DeepSeek-V3": 70_272,
    "Jamba-v0.1": 16_384,
    "gpt-oss-20b": 49_152,
}
"""What a token leaves in bfloat16, as published."""


@pytest.mark.parametrize("name", served.NAMES)
def test_a_published_model_keeps_what_was_measured(name: str) -> None:
    """Of 16 tokens, of 32, and of more than its windows hold: every element, states among them, to the byte."""
    row = MEASURED[name]
    for tokens, elements in zip(row["tokens"], row["elements"], strict=True):
        kept = gpt2calc.serving(row["config"], seq=tokens, dtype="bf16")
        assert kept.kv_bytes == 2 * elements + 2 * row["convolution"] + 4 * row["recurrence"]
        assert kept.state_bytes == 2 * row["convolution"] + 4 * row["recurrence"]
    first, second, *_ = row["elements"]
    assert kept.kv_bytes_per_token * 16 == 2 * (second - first)
    if name in FIGURES:
        assert kept.kv_bytes_per_token == FIGURES[name]


def test_twenty_models_of_fifteen_families_were_measured() -> None:
    """As many as are named, each with its source; and a model that ships keeps what its measured config keeps."""
    assert list(MEASURED) == list(served.NAMES)
    assert len({row["config"]["model_type"] for row in MEASURED.values()}) >= 15
    assert len(MEASURED) >= 20
    for name, row in MEASURED.items():
        assert row["source"].startswith("https://")
        assert row["config"] == served.document(presets.load(name)), (
            f"measure {name} anew: python -m tests.served {name}"
        )


@pytest.mark.parametrize("name", ["Mamba-Codestral-7B", "gemma-3-1b", "Qwen3-0.6B"])
def test_what_was_measured_is_measured_again(name: str) -> None:
    """By the command that wrote it, of three that are quickly built."""
    told: dict[str, Any] = {key: value for key, value in served.measured(name).items() if key != "measured"}
    assert told == {key: value for key, value in MEASURED[name].items() if key != "measured"}


def test_a_model_that_ships_says_how_large_its_windows_are() -> None:
    """Where transformers would take another length for it, and so keep another cache."""
    for preset in presets.others():
        windows = caches.WINDOWS.get(preset.model_type, caches.Windows())
        if windows.default is not None and "use_sliding_window" not in windows.fields:
            assert windows.field in preset.fields, preset.name


def test_pictures_alone_see_later_tokens_of_a_gemma_4() -> None:
    """So its words are kept as everyone's are; where all tokens see later ones, nothing is known."""
    said = {"model_type": "gemma4_text", "use_bidirectional_attention": "vision"}
    assert gpt2calc.serving(said, seq=1).kv_bytes_per_token
    with pytest.raises(gpt2calc.ConfigError, match="use_bidirectional_attention is not covered"):
        gpt2calc.serving({**said, "use_bidirectional_attention": "all"}, seq=1)
