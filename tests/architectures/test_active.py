"""What one token passes: against a counter of FLOPs in modules that run, and against what makers publish."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

import gpt2calc
from gpt2calc.architectures import of, reading
from gpt2calc.architectures.glossary import GLOSSARY
from tests.architectures.drawing import config
from tests.architectures.modules import MODEL_TYPES, built, quick

if TYPE_CHECKING:
    from gpt2calc.model import Model

PUBLISHED = Path(__file__).parent.parent / "data" / "architectures.jsonl"
PASSED = GLOSSARY["num_experts_per_tok"].help
CONVENTIONS = ("active", "active_without_embeddings", "active_without_embeddings_and_head")

NO_SUCH_COUNT = {
    "hunyuan_v1_moe": "moe_topk can be another number in each layer",
    "phimoe": "its router takes two, whatever the config says",
    "llama4_text": "its module computes every expert, and weighs those that are not chosen with 0",
}
"""The model types of which no module shows how many experts a token passes."""


LAYERS = (
    "mlp_layer_types",
    "moe_layer_freq",
    "indexer_types",
    "moe_layers",
    "decoder_sparse_step",
    "moe_layer_start_index",
    "moe_layer_end_index",
    "moe_layer_interval",
)
"""What says which layers have experts, and is left out."""


def _document(model_type: str) -> dict[str, Any]:
    """Return a small config with layers of eight experts."""
    for n in range(12):
        document = {**config(model_type, n), "num_hidden_layers": 4}
        for name in ("num_experts", "num_local_experts", "n_routed_experts", "moe_num_experts"):
            document |= {name: 8} if name in document else {}
        for name in ("layer_types", "mlp_only_layers", "layers_block_type", "hybrid_override_pattern", *LAYERS):
            document.pop(name, None)
        document |= {"num_hidden_layers": None} if model_type == "nemotron_h" else {}
        document |= {"num_hidden_layers": 2, "first_k_dense_replace": 1} if "first_k_dense_replace" in document else {}
        if any(row.used is not None and row.times for row in reading.read(document).model.components()):
            return document
    raise AssertionError(f"no layer of a small {model_type} has experts")


def _flops_of_one_token(document: dict[str, Any]) -> int:
    """Return the FLOPs of every part that chooses among experts, for one token."""
    with quick():
        module = built({**document, "experts_implementation": "eager"}, device="cpu").eval()
    for tensor in (*module.parameters(), *module.buffers()):
        torch.nn.init.normal_(tensor.data) if tensor.is_floating_point() else None
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        for part in module.modules():
            if "experts" in dict(part.named_children()):
                part(torch.randn(1, 1, module.config.hidden_size))
    return int(counter.get_total_flops())


def _weights_that_are_used(model: Model) -> int:
    rows = (row for row in model.components() if row.used is not None)
    return sum(int(model.count(row.layers) * row.used * row.weights) for row in rows)


MIXTURES = {name: row.name for name in MODEL_TYPES for row in of(name).sizes if row.help == PASSED}
"""The model types whose configs say how many experts a token passes, each with the field that does."""


@pytest.mark.parametrize("model_type", sorted(MIXTURES.keys() - NO_SUCH_COUNT.keys()))
def test_an_expert_more_costs_two_flops_a_weight(model_type: str) -> None:
    """Of one token, so that each expert that it passes is computed once."""
    document = _document(model_type)
    two, four = ({**document, MIXTURES[model_type]: number} for number in (2, 4))
    counted = (_weights_that_are_used(reading.read(each).model) for each in (two, four))
    flops = _flops_of_one_token(two), _flops_of_one_token(four)
    fewer, more = counted
    assert flops[1] - flops[0] == 2 * (more - fewer) > 0


FIGURES = {
    "moonshotai/Kimi-K2-Instruct": ("32.861", "31.687", "30.513"),
    "deepseek-ai/DeepSeek-V2-Lite": ("2.661", "2.451", "2.242"),
    "mistralai/Mixtral-8x22B-v0.1": ("39.152", "38.955", "38.759"),
    "Qwen/Qwen3-30B-A3B-FP8": ("3.353", "3.042", "2.731"),
    "openai/gpt-oss-20b": ("4.187", "3.608", "3.029"),
    "zai-org/GLM-4.5-Air": ("13.424", "12.803", "12.183"),
    "allenai/OLMoE-1B-7B": ("1.282", "1.179", None),
    "microsoft/Phi-3.5-MoE": ("6.641", "6.510", None),
    "ai21labs/Jamba-v0.1": ("12.110", "11.842", None),
}
"""Billions under each convention, computed by another program from the same configs; model cards print 32B, 2.4B, 39B,
3.3B, 3.6B, 12B, 1.3B, 6.6B and 12B."""


@pytest.mark.parametrize("name", FIGURES)
def test_published_mixtures_have_their_active_parameters(name: str) -> None:
    """To a million parameters, which is as far as the other program printed."""
    rows = map(json.loads, PUBLISHED.read_text(encoding="utf-8").splitlines())
    found = gpt2calc.count(next(row["config"] for row in rows if row["name"] == name)).conventions
    printed = [f"{found[each] / 1e9:.3f}" for each in CONVENTIONS]
    assert all(figure in (None, shown) for figure, shown in zip(FIGURES[name], printed, strict=True)), printed


def test_a_model_without_experts_has_no_active_parameters() -> None:
    """All of it is active: the convention makes no sense, and is not there."""
    assert not set(CONVENTIONS) & set(gpt2calc.count("Llama-3.1-8B").conventions)
    assert not set(CONVENTIONS) & set(gpt2calc.count({"model_type": "qwen3_moe", "num_experts": 0}).conventions)


def test_what_no_config_says_is_not_counted() -> None:
    """DeepSeek-V2's num_experts_per_tok has no default."""
    assert not set(CONVENTIONS) & set(gpt2calc.count({"model_type": "deepseek_v2"}).conventions)
    assert set(CONVENTIONS) < set(gpt2calc.count({"model_type": "deepseek_v2", "num_experts_per_tok": 6}).conventions)


def test_more_experts_than_there_are_make_no_convention() -> None:
    """A small model of transformers keeps the top 8 of the default, and counts all the same."""
    count = gpt2calc.count({"model_type": "deepseek_v3", "n_routed_experts": 4})
    assert count["experts.up_proj"].times == 4 * 58
    assert not set(CONVENTIONS) & set(count.conventions)


@pytest.mark.parametrize("model_type", ["gemma3n_text", "gemma4_text"])
def test_effective_parameters_leave_the_layers_own_embedding_out(model_type: str) -> None:
    """A row of p numbers a layer for each token of that vocabulary; no other model has such a count."""
    counted = gpt2calc.count({"model_type": model_type})
    sizes = counted.model.sizes
    own = sizes["vocab_size_per_layer_input"] * sizes["num_hidden_layers"] * sizes["hidden_size_per_layer_input"]
    assert counted.conventions["effective"] == counted.total - own
    assert "effective" not in gpt2calc.count("gemma-2-9b").conventions
    without = gpt2calc.count({"model_type": "gemma4_text", "hidden_size_per_layer_input": 0})
    assert "effective" not in without.conventions
