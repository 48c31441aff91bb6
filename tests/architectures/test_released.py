"""Released models, from `tests/data/architectures.jsonl`: exact where the model type is known, else refused by name.

A row has the name, the published config, and what transformers builds of it: the parameters, whether the head is tied,
the elements of buffers that files hold, the tensors of the live module; and where the config is from.
"""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from gpt2calc import architectures
from gpt2calc.architectures import FILES, reading
from gpt2calc.errors import ConfigError
from gpt2calc.model import BUFFER

PATH = os.path.join(os.path.dirname(__file__), os.pardir, "data", "architectures.jsonl")
with open(PATH, encoding="utf-8") as lines:
    ROWS: list[dict[str, Any]] = [json.loads(line) for line in lines]
KNOWN = [row for row in ROWS if row["model_type"] in FILES and row["model_type"] != "gpt2"]
OTHERS = [row for row in ROWS if row["model_type"] not in FILES]

MISTRAL = {"model_type": "mistral", "intermediate_size": 14336, "num_key_value_heads": 8, "vocab_size": 32000}
GOLDEN = {
    "meta-llama/Meta-Llama-3.1-8B": 8_030_261_248,
    "Qwen/Qwen3-30B-A3B-FP8": 30_532_122_624,
    "mistralai/Mamba-Codestral-7B": 7_285_403_648,
}
"""Totals that are known from elsewhere, too."""


def named(row: dict[str, Any]) -> str:
    """Return a row's name, as a test's."""
    return str(row["name"])


def test_there_are_rows_of_both_kinds() -> None:
    """The file is whole: 66 rows, of which one is GPT-2's own."""
    assert len(ROWS) == 66
    assert len({row["name"] for row in ROWS}) == 66
    assert len(KNOWN) + len(OTHERS) == 65
    assert GOLDEN.items() <= {row["name"]: row["total"] for row in KNOWN}.items()


@pytest.mark.parametrize("row", KNOWN, ids=named)
def test_a_released_model_is_counted_exactly(row: dict[str, Any]) -> None:
    """Total by both derivations, tying, buffers, and the tensors of the live module."""
    model = reading.read(row["config"]).model
    assert model.total() == model.numel() == row["total"]
    assert bool(model.tie_word_embeddings) == row["tied"]
    assert model.numel(role=BUFFER) == row["buffers"]
    listed = [tensor for tensor in model.listing(live=True) if tensor.role != BUFFER]
    assert len(listed) == row["n_tensors"]
    assert sum(tensor.numel for tensor in listed) == row["total"]


@pytest.mark.parametrize("row", OTHERS, ids=named)
def test_a_model_type_without_a_file_is_refused_by_name(row: dict[str, Any]) -> None:
    """One sentence that names it, and never a count."""
    assert architectures.is_of_others(row["config"])
    with pytest.raises(ConfigError) as raised:
        reading.read(row["config"])
    assert f"model_type '{row['model_type']}' is not counted" in str(raised.value)
    assert raised.value.field == "model_type"


def test_a_base_model_is_counted_without_its_head() -> None:
    """Mistral-7B is 7,241,732,096 parameters with its head, and 7,110,660,096 without it."""
    for name, total in (("MistralForCausalLM", 7_241_732_096), ("MistralModel", 7_110_660_096)):
        assert reading.read(MISTRAL | {"architectures": [name]}).model.total() == total


def test_deepseek_r1_is_what_its_files_hold_beside_its_prediction_layer() -> None:
    """671,026,404,352 parameters, 58 layers' corrections of 256 elements, and a note of the layer that is left out."""
    found = reading.read({"model_type": "deepseek_v3", "num_nextn_predict_layers": 1})
    assert (found.model.total(), found.model.numel(role=BUFFER)) == (671_026_404_352, 58 * 256)
    assert any("num_nextn_predict_layers 1" in note for note in found.notes)
