"""Jamba: every n-th layer is attention and the others are Mamba, with three norms more; every other layer has experts.

Lieber et al. 2024, arXiv:2403.19887; Gu and Dao 2023, arXiv:2312.00752.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.runs import Layers, Said
from gpt2calc.model import Architecture, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = "transformers, modeling_jamba.py: Jamba"
AT, MLP = "{layer}.mamba", "{layer}.feed_forward"
LAYERS = Layers(
    "model.layers",
    kinds=(
        (("attention", "i % attn_layer_period == attn_layer_offset"), ("mamba", "True")),
        (("moe", "num_experts > 1 and i % expert_layer_period == expert_layer_offset"), ("dense", "True")),
    ),
    period="lcm(attn_layer_period, expert_layer_period)",
    musts=tuple(
        Said(
            f"{kind}_layer_offset < {kind}_layer_period",
            f"{kind}_layer_offset {{{kind}_layer_offset}} must be less than "
            f"{kind}_layer_period {{{kind}_layer_period}}",
            f"{kind}_layer_offset",
        )
        for kind in ("attn", "expert")
    ),
)
"""Attention and experts each come again after a period, from an offset on."""


def components(model: Model) -> list[Component]:
    """Return the closed forms."""
    d, m, E = model.hidden_size, model.intermediate_size, model.num_experts
    layer = {"layers": "decoder", "source": f"{SOURCE}AttentionDecoderLayer, JambaMambaDecoderLayer"}
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{SOURCE}Model"),
        *closed_forms.attention(model, SOURCE, "attention"),
        *_mamba(model),
        *closed_forms.gated_mlp(d, m, f"{SOURCE}MLP", "dense"),
        closed_forms.router(d, E, f"{SOURCE}TopKRouter", "moe"),
        *closed_forms.experts(d, m, E, f"{SOURCE}Experts", "moe", used=model.num_experts_per_tok),
        closed_forms.norm("input_layernorm", d, **layer),
        closed_forms.norm("pre_ff_layernorm", d, **layer),
        closed_forms.norm("final_layernorm", d, source=f"{SOURCE}Model"),
        *closed_forms.heads(model, SOURCE),
    ]


def _mamba(model: Model) -> list[Component]:
    """Return the mixer of Mamba, and three norms of its own: of the time steps' rank R, and of N states twice."""
    d, N, R, w = model.hidden_size, model.mamba_d_state, model.mamba_dt_rank, model.mamba_d_conv
    biases = (model.mamba_proj_bias, model.mamba_conv_bias)
    at = {"layers": "mamba", "source": f"{SOURCE}MambaMixer"}
    return [
        *closed_forms.mamba(d, model.mamba_expand * d, (N, R, w), biases, name="mamba", **at),
        closed_forms.norm("mamba.dt_layernorm", R, **at),
        closed_forms.norm("mamba.b_layernorm", N, **at),
        closed_forms.norm("mamba.c_layernorm", N, **at),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors."""
    width, inner, count = model.hidden_size, model.intermediate_size, model.num_experts
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *shapes.attention(model, "attention"),
        *_mamba_tensors(model),
        *shapes.gated_mlp(MLP, width, inner, "dense"),
        *shapes.linear(f"{MLP}.router", "router", count, width, layers="moe"),
        *shapes.experts(MLP, width, inner, count, layers="moe"),
        shapes.norm("{layer}.input_layernorm", "input_layernorm", width, layers="decoder"),
        shapes.norm("{layer}.pre_ff_layernorm", "pre_ff_layernorm", width, layers="decoder"),
        shapes.norm("model.final_layernorm", "final_layernorm", width),
        *shapes.heads(model),
    ]


def _mamba_tensors(model: Model) -> list[Tensor]:
    """Return the mixer of Mamba, and its norms."""
    width, states, rank, kernel = model.hidden_size, model.mamba_d_state, model.mamba_dt_rank, model.mamba_d_conv
    channels, own = width * model.mamba_expand, {"layers": "mamba"}
    biases = (model.mamba_proj_bias, model.mamba_conv_bias)
    return [
        *shapes.mamba(width, channels, (states, rank, kernel), biases, name="mamba", **own),
        shapes.norm(f"{AT}.dt_layernorm", "mamba.dt_layernorm", rank, **own),
        shapes.norm(f"{AT}.b_layernorm", "mamba.b_layernorm", states, **own),
        shapes.norm(f"{AT}.c_layernorm", "mamba.c_layernorm", states, **own),
    ]


# Source: transformers 5.23, configuration_jamba.py; modeling_jamba.py for head_dim.
SIZES = sizes(
    vocab_size=65536,
    hidden_size=4096,
    intermediate_size=14336,
    num_hidden_layers=32,
    num_attention_heads=32,
    num_key_value_heads=8,
    head_dim=size("= hidden_size // num_attention_heads"),
    num_experts=size(16, least=0, spellings=("num_local_experts",)),
    num_experts_per_tok=2,
    expert_layer_period=2,
    expert_layer_offset=1,
    attn_layer_period=8,
    attn_layer_offset=4,
    mamba_expand=size(2, letter="x"),
    mamba_d_state=16,
    mamba_d_conv=4,
    mamba_dt_rank=size("= (hidden_size + 15) // 16", words=("auto",)),
    mamba_proj_bias=False,
    mamba_conv_bias=True,
    attention_bias=law(0),
    qkv_bias=law(0),
    qk_norm=law(0),
    tie_word_embeddings=False,
)

MERGES = shapes.stacked(MLP, MLP)
ARCHITECTURES = {"jamba": Architecture("jamba", classes("Jamba"), "model", SIZES, LAYERS, components, tensors, MERGES)}
"""Each model type of this file."""
