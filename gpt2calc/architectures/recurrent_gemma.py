"""RecurrentGemma: gated linear recurrences in two layers of three, and attention in the third, each with a gated MLP.

The width in the config is that of both halves of the MLP. De et al. 2024, arXiv:2402.19427; Botev et al. 2024,
arXiv:2404.07839.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.decoder import AS_HEADS, BY_HEADS
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.runs import Layers, Said
from gpt2calc.model import ABSENT, BIAS, LIST, Architecture, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = "transformers, modeling_recurrent_gemma.py: RecurrentGemma"
AT = "{layer}.temporal_block"
WORDS = ("recurrent", "attention")


LAYERS = Layers(
    "model.layers",
    kinds=((("recurrent", "block_types[i % len(block_types)] == 'recurrent'"), ("attention", "True")),),
    period="len(block_types)",
    musts=(Said("len(block_types)", "block_types must name a kind of layer, got []", "block_types"),),
)
"""Layers whose kinds come again in the order of a list."""


def components(model: Model) -> list[Component]:
    """Return the closed forms."""
    d, layer = model.hidden_size, {"layers": "decoder", "source": f"{SOURCE}DecoderLayer"}
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{SOURCE}Model"),
        closed_forms.norm("temporal_pre_norm", d, **layer),
        *_recurrence(model),
        *closed_forms.attention(model, SOURCE, "attention", biases=(model.attention_bias, 1)),
        closed_forms.norm("channel_pre_norm", d, **layer),
        *closed_forms.gated_mlp(d, model.inner_size, f"{SOURCE}Mlp", "decoder", bias=1),
        closed_forms.norm("final_norm", d, source=f"{SOURCE}Model"),
        *closed_forms.heads(model, SOURCE),
    ]


def _recurrence(model: Model) -> list[Component]:
    """Return a recurrence of u channels, in h blocks of b: two gates of each block, and a convolution w wide.

    Law: linear_y and linear_x d·u, linear_out u·d, conv_1d u·w, two gates h·b·b each, all with biases; and u.
    """
    d, u, h, b = model.hidden_size, model.lru_width, model.num_attention_heads, model.block_width
    at, gate = {"layers": "recurrent", "source": f"{SOURCE}RecurrentBlock"}, {"layers": "recurrent"}
    gate |= {"source": f"{SOURCE}Rglru"}
    return [
        closed_forms.linear("recurrent.linear_y", "ssm", d, u, 1, **at),
        closed_forms.linear("recurrent.linear_x", "ssm", d, u, 1, **at),
        closed_forms.linear("recurrent.linear_out", "ssm", u, d, 1, **at),
        closed_forms.linear("recurrent.conv_1d", "ssm", model.conv1d_width, u, 1, **at),
        Component("rg_lru.recurrent_param", "ssm", u, **gate),
        Component("rg_lru.input_gate", "ssm", h * b * b, h * b, **gate),
        Component("rg_lru.recurrent_gate", "ssm", h * b * b, h * b, **gate),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors."""
    width, every = model.hidden_size, {"layers": "decoder"}
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        shapes.norm("{layer}.temporal_pre_norm", "temporal_pre_norm", width, **every),
        *_recurrence_tensors(model),
        *shapes.attention(model, "attention", AT, biases=(model.attention_bias, 1)),
        shapes.norm("{layer}.channel_pre_norm", "channel_pre_norm", width, **every),
        *shapes.gated_mlp("{layer}.mlp_block", width, model.inner_size, "decoder", bias=1),
        shapes.norm("model.final_norm", "final_norm", width),
        *shapes.heads(model),
    ]


def _recurrence_tensors(model: Model) -> list[Tensor]:
    """Return a recurrence, in the order of its module."""
    width, inner, heads, block = model.hidden_size, model.lru_width, model.num_attention_heads, model.block_width
    at, own = f"{AT}.rg_lru", {"layers": "recurrent"}
    return [
        *shapes.linear(f"{AT}.linear_y", "recurrent.linear_y", inner, width, 1, **own),
        *shapes.linear(f"{AT}.linear_x", "recurrent.linear_x", inner, width, 1, **own),
        *shapes.linear(f"{AT}.linear_out", "recurrent.linear_out", width, inner, 1, **own),
        *shapes.convolution(f"{AT}.conv_1d", "recurrent.conv_1d", inner, model.conv1d_width, 1, **own),
        Tensor(f"{at}.recurrent_param", "rg_lru.recurrent_param", (inner,), **own),
        Tensor(f"{at}.input_gate_weight", "rg_lru.input_gate", (heads, block, block), **own),
        Tensor(f"{at}.input_gate_bias", "rg_lru.input_gate", (heads, block), role=BIAS, **own),
        Tensor(f"{at}.recurrent_gate_weight", "rg_lru.recurrent_gate", (heads, block, block), **own),
        Tensor(f"{at}.recurrent_gate_bias", "rg_lru.recurrent_gate", (heads, block), role=BIAS, **own),
    ]


# Source: transformers 5.23, configuration_recurrent_gemma.py.
SIZES = sizes(
    vocab_size=256000,
    hidden_size=2560,
    intermediate_size=size(7680, letter="M", help="width of both halves of the MLP"),
    num_hidden_layers=26,
    block_types=size(("recurrent", "recurrent", "attention"), kind=LIST, words=WORDS, help="kinds that come again"),
    num_attention_heads=10,
    num_key_value_heads=size(AS_HEADS, null=ABSENT),
    head_dim=size(BY_HEADS),
    lru_width=size("= hidden_size", null=ABSENT, letter="u", help="width of the recurrence"),
    conv1d_width=size(4, letter="w", help="width of the convolution"),
    attention_bias=False,
    tie_word_embeddings=True,
    inner_size=law("= intermediate_size // 2", letter="m", help="width of the MLP"),
    block_width=law("= lru_width // num_attention_heads", letter="b", help="width of a block of the recurrence"),
    qk_norm=law(0),
)

ARCHITECTURES = {
    "recurrent_gemma": Architecture(
        "recurrent_gemma", classes("RecurrentGemma", classifies=False), "model", SIZES, LAYERS, components, tensors
    )
}
"""Each model type of this file."""
