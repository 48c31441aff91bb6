"""LFM2: short convolutions between two gates in some layers, and attention in the others, each with a gated MLP.

The MLP's width is two thirds of what a config says, up to the next multiple of a block, unless it says otherwise.
Liquid AI 2025, arXiv:2511.23404.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.decoder import BY_HEADS
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.runs import Layers
from gpt2calc.model import FIXED, LIST, Architecture, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = "transformers, modeling_lfm2.py: Lfm2"
CONV, MLP = "{layer}.conv", "{layer}.feed_forward"
NORMS = ("q_layernorm", "k_layernorm")
LAYERS = Layers(
    "model.layers",
    kinds=(
        (
            ("conv", "full_attn_idxs is not None and i not in full_attn_idxs if word is None else word == 'conv'"),
            ("full_attention", "True"),
        ),
    ),
    apart="full_attn_idxs or ()",
    lists=("layer_types",),
)
"""As their list says, or attention where a list of numbers says, or all attention."""


def components(model: Model) -> list[Component]:
    """Return the closed forms."""
    d, m, b = model.hidden_size, model.ffn_width, model.conv_bias
    conv = {"layers": "conv", "source": f"{SOURCE}ShortConv"}
    mlp, layer = (
        {"layers": "decoder", "source": f"{SOURCE}MLP"},
        {"layers": "decoder", "source": f"{SOURCE}DecoderLayer"},
    )
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{SOURCE}Model"),
        closed_forms.linear("conv.conv", "ssm", model.conv_L_cache, d, b, **conv),
        closed_forms.linear("conv.in_proj", "ssm", d, 3 * d, b, **conv),
        closed_forms.linear("conv.out_proj", "ssm", d, d, b, **conv),
        *closed_forms.attention(model, SOURCE, "full_attention", biases=(0, 0), out="out_proj", qk_norms=NORMS),
        *(closed_forms.linear(f"feed_forward.{name}", "mlp", d, m, **mlp) for name in ("w1", "w3")),
        closed_forms.linear("feed_forward.w2", "mlp", m, d, **mlp),
        closed_forms.norm("operator_norm", d, **layer),
        closed_forms.norm("ffn_norm", d, **layer),
        closed_forms.norm("embedding_norm", d, source=f"{SOURCE}Model"),
        *closed_forms.heads(model, SOURCE),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors; the last norm is called the embedding's."""
    width, inner, bias, own = model.hidden_size, model.ffn_width, model.conv_bias, {"layers": "conv"}
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *shapes.attention(model, "full_attention", biases=(0, None), out="out_proj", qk_norms=NORMS),
        *shapes.convolution(f"{CONV}.conv", "conv.conv", width, model.conv_L_cache, bias, **own),
        *shapes.linear(f"{CONV}.in_proj", "conv.in_proj", width + width + width, width, bias, **own),
        *shapes.linear(f"{CONV}.out_proj", "conv.out_proj", width, width, bias, **own),
        *shapes.linear(f"{MLP}.w1", "feed_forward.w1", inner, width, layers="decoder"),
        *shapes.linear(f"{MLP}.w3", "feed_forward.w3", inner, width, layers="decoder"),
        *shapes.linear(f"{MLP}.w2", "feed_forward.w2", width, inner, layers="decoder"),
        shapes.norm("{layer}.operator_norm", "operator_norm", width, layers="decoder"),
        shapes.norm("{layer}.ffn_norm", "ffn_norm", width, layers="decoder"),
        shapes.norm("model.embedding_norm", "embedding_norm", width),
        *shapes.heads(model),
    ]


# Source: transformers 5.23, configuration_lfm2.py; modeling_lfm2.py for head_dim and the width of the MLP.
SIZES = sizes(
    vocab_size=65536,
    hidden_size=2560,
    intermediate_size=size(12288, spellings=("block_ff_dim",), help="width of the MLP before it is adjusted"),
    block_auto_adjust_ff_dim=size(True, help="the MLP is two thirds as wide, in whole blocks"),
    block_multiple_of=size(256, help="width of a block of the MLP"),
    block_ffn_dim_multiplier=size(1.0, kind=FIXED, help="by what the width of the MLP is multiplied"),
    num_hidden_layers=32,
    layer_types=size(words=("conv", "full_attention")),
    full_attn_idxs=size(None, kind=LIST, help="layers of attention"),
    num_attention_heads=32,
    num_key_value_heads=8,
    head_dim=size(BY_HEADS),
    conv_L_cache=size(3, letter="w", help="width of the convolution"),
    conv_bias=size(False, help="biases of the convolution and around it"),
    tie_word_embeddings=size(True, spellings=("tie_embedding",)),
    ffn_width=law(
        "= block_multiple_of * ((2 * intermediate_size // 3 + block_multiple_of - 1) // block_multiple_of) "
        "if block_auto_adjust_ff_dim else intermediate_size",
        letter="u",
        help="width of the MLP",
    ),
    qk_norm=law(1),
)

ARCHITECTURES = {
    "lfm2": Architecture("lfm2", classes("Lfm2", classifies=False), "model", SIZES, LAYERS, components, tensors)
}
"""Each model type of this file."""
