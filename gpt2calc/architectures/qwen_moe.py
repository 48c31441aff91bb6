"""Qwen's mixtures of experts: which layers have experts is a period with exceptions, and the others have an MLP.

qwen2_moe has biases of queries, keys and values, and an expert that every token passes, with a gate of its own;
qwen3_moe has norms of each head's queries and keys instead. Yang et al. 2024, arXiv:2407.10671; 2025, arXiv:2505.09388.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.runs import Layers
from gpt2calc.model import Architecture, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = {
    "qwen2_moe": "transformers, modeling_qwen2_moe.py: Qwen2Moe",
    "qwen3_moe": "transformers, modeling_qwen3_moe.py: Qwen3Moe",
}
AT = "{layer}.mlp"
EXPERTS = (
    ("moe", "num_experts and i not in mlp_only_layers and (i + 1) % decoder_sparse_step == 0"),
    ("dense", "True"),
)
"""Every n-th layer has experts, but for some."""

LAYERS = Layers("model.layers", kinds=(EXPERTS,), period="decoder_sparse_step", apart="mlp_only_layers")


def components(model: Model) -> list[Component]:
    """Return the closed forms."""
    source, d, E = SOURCE[model.architecture.model_type], model.hidden_size, model.num_experts
    shared = {"layers": "moe", "times": model.shared_expert}
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{source}Model"),
        *closed_forms.attention(model, source),
        *closed_forms.gated_mlp(d, model.intermediate_size, layers="dense", source=f"{source}MLP"),
        closed_forms.router(d, E, f"{source}TopKRouter", "moe"),
        *closed_forms.experts(
            d, model.moe_intermediate_size, E, f"{source}Experts", "moe", used=model.num_experts_per_tok
        ),
        *closed_forms.gated_mlp(
            d,
            model.shared_expert_intermediate_size,
            f"{source}MLP",
            name="shared_expert",
            group="experts",
            **shared,
        ),
        closed_forms.linear("shared_expert_gate", "router", d, 1, source=f"{source}SparseMoeBlock", **shared),
        *closed_forms.two_norms(d, f"{source}DecoderLayer"),
        closed_forms.norm("norm", d, source=f"{source}Model"),
        *closed_forms.heads(model, source),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors; the router of qwen3_moe stands after the experts."""
    width, count, inner = model.hidden_size, model.num_experts, model.shared_expert_intermediate_size
    gate = shapes.linear(f"{AT}.gate", "router", count, width, layers="moe")
    own = shapes.experts(AT, width, model.moe_intermediate_size, count, layers="moe")
    shared = {"layers": "moe", "when": model.shared_expert}
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *shapes.attention(model),
        *shapes.gated_mlp(AT, width, model.intermediate_size, "dense"),
        *((*own, *gate) if model.architecture.model_type == "qwen3_moe" else (*gate, *own)),
        *shapes.gated_mlp(f"{AT}.shared_expert", width, inner, name="shared_expert", **shared),
        *shapes.linear(f"{AT}.shared_expert_gate", "shared_expert_gate", 1, width, **shared),
        *shapes.two_norms(width),
        shapes.norm("model.norm", "norm", width),
        *shapes.heads(model),
    ]


def _row(model_type: str, prefix: str, **stated: Any) -> Architecture:
    """Return one model type; source: transformers 5.23, configuration_*.py, and modeling_*.py for head_dim."""
    table = {
        "vocab_size": 151936,
        "hidden_size": 2048,
        "intermediate_size": 5632,
        "num_hidden_layers": 24,
        "num_attention_heads": 16,
        "num_key_value_heads": 16,
        "head_dim": size("= hidden_size // num_attention_heads"),
        "decoder_sparse_step": 1,
        "mlp_only_layers": size(()),
        "tie_word_embeddings": False,
    }
    own = sizes(**{**table, **stated})
    return Architecture(model_type, classes(prefix), "model", own, LAYERS, components, tensors, shapes.stacked(AT, AT))


ARCHITECTURES = {
    "qwen2_moe": _row(
        "qwen2_moe",
        "Qwen2Moe",
        num_experts=size(60, least=0),
        num_experts_per_tok=4,
        moe_intermediate_size=1408,
        shared_expert=law(1),
        shared_expert_intermediate_size=5632,
        attention_bias=law(0),
        qkv_bias=True,
        qk_norm=law(0),
    ),
    "qwen3_moe": _row(
        "qwen3_moe",
        "Qwen3Moe",
        intermediate_size=6144,
        num_attention_heads=32,
        num_key_value_heads=4,
        num_experts=size(128, least=0, spellings=("num_local_experts",)),
        num_experts_per_tok=8,
        moe_intermediate_size=768,
        shared_expert=law(0),
        shared_expert_intermediate_size=law(0),
        attention_bias=False,
        qkv_bias=law("= attention_bias"),
        qk_norm=law(1),
    ),
}
"""Each model type of this file."""
