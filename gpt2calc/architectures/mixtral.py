"""Mixtral: Mistral's attention, and in every layer experts in the place of the MLP.

Files keep each expert's three matrices under `block_sparse_moe`; a live module stacks them, and calls its place `mlp`.
Jiang et al. 2024, arXiv:2401.04088.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.runs import Layers
from gpt2calc.model import ABSENT, Architecture, Component, Merge, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = "transformers, modeling_mixtral.py: Mixtral"
STORED, LIVE = "{layer}.block_sparse_moe", "{layer}.mlp"
NAMES = ("w1", "w3", "w2")
LAYERS = Layers("model.layers")


def components(model: Model) -> list[Component]:
    """Return the closed forms."""
    d, E = model.hidden_size, model.num_local_experts
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{SOURCE}Model"),
        *closed_forms.attention(model, SOURCE),
        closed_forms.router(d, E, f"{SOURCE}TopKRouter", "decoder"),
        *closed_forms.experts(
            d, model.intermediate_size, E, f"{SOURCE}Experts", "decoder", used=model.num_experts_per_tok
        ),
        *closed_forms.two_norms(d, f"{SOURCE}DecoderLayer"),
        closed_forms.norm("norm", d, source=f"{SOURCE}Model"),
        *closed_forms.heads(model, SOURCE),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors."""
    width, count = model.hidden_size, model.num_local_experts
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *shapes.attention(model),
        *shapes.linear(f"{STORED}.gate", "router", count, width, layers="decoder"),
        *shapes.experts(STORED, width, model.intermediate_size, count, layers="decoder", names=NAMES),
        *shapes.two_norms(width),
        shapes.norm("model.norm", "norm", width),
        *shapes.heads(model),
    ]


MERGES = (Merge(f"{LIVE}.gate.weight", (f"{STORED}.gate.weight",)), *shapes.stacked(LIVE, STORED, NAMES))

# Source: transformers 5.23, configuration_mixtral.py; modeling_mixtral.py for head_dim.
SIZES = sizes(
    vocab_size=32000,
    hidden_size=4096,
    intermediate_size=14336,
    num_hidden_layers=32,
    num_attention_heads=32,
    num_key_value_heads=8,
    head_dim=size("= hidden_size // num_attention_heads", null=ABSENT),
    num_local_experts=size(8, spellings=("num_experts",)),
    num_experts_per_tok=2,
    tie_word_embeddings=False,
    attention_bias=law(0),
    qkv_bias=law(0),
    qk_norm=law(0),
)

ARCHITECTURES = {
    "mixtral": Architecture("mixtral", classes("Mixtral"), "model", SIZES, LAYERS, components, tensors, MERGES)
}
"""Each model type of this file."""
