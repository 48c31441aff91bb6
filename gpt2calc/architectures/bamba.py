"""Bamba: layers of Mamba-2, and of attention where a list says so, each with a gated MLP.

IBM, Princeton, CMU and UIUC 2024, Bamba-9B; Dao and Gu 2024, arXiv:2405.21060.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.decoder import AS_HEADS, BY_HEADS
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.runs import WIDE_HEADS, Layers
from gpt2calc.model import ABSENT, LIST, Architecture, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = "transformers, modeling_bamba.py: Bamba"
MLP = "{layer}.feed_forward"
LAYERS = Layers(
    "model.layers",
    kinds=((("attention", "attn_layer_indices and i in attn_layer_indices"), ("mamba", "True")),),
    apart="attn_layer_indices or ()",
    musts=(WIDE_HEADS,),
)
"""Mamba-2, but for those of a list."""


def components(model: Model) -> list[Component]:
    """Return the closed forms."""
    d, layer = model.hidden_size, {"layers": "decoder", "source": f"{SOURCE}DecoderLayer"}
    heads, states = (model.mamba_n_heads, model.mamba_d_head), (model.mamba_n_groups, model.mamba_d_state)
    biases = (model.mamba_proj_bias, model.mamba_conv_bias)
    at = {"name": "mamba", "layers": "mamba", "source": f"{SOURCE}Mixer"}
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{SOURCE}Model"),
        *closed_forms.gated_mlp(d, model.intermediate_size, f"{SOURCE}MLP", "decoder", bias=model.mlp_bias),
        closed_forms.norm("input_layernorm", d, **layer),
        closed_forms.norm("pre_ff_layernorm", d, **layer),
        *closed_forms.mamba2(d, heads, states, model.mamba_d_conv, biases, **at),
        *closed_forms.attention(model, SOURCE, "attention"),
        closed_forms.norm("final_layernorm", d, source=f"{SOURCE}Model"),
        *closed_forms.heads(model, SOURCE),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors."""
    width, biases = model.hidden_size, (model.mamba_proj_bias, model.mamba_conv_bias)
    heads, states = (model.mamba_n_heads, model.mamba_d_head), (model.mamba_n_groups, model.mamba_d_state)
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *shapes.gated_mlp(MLP, width, model.intermediate_size, "decoder", bias=model.mlp_bias),
        shapes.norm("{layer}.input_layernorm", "input_layernorm", width, layers="decoder"),
        shapes.norm("{layer}.pre_ff_layernorm", "pre_ff_layernorm", width, layers="decoder"),
        *shapes.mamba2(width, heads, states, model.mamba_d_conv, biases, name="mamba", layers="mamba"),
        *shapes.attention(model, "attention"),
        shapes.norm("model.final_layernorm", "final_layernorm", width),
        *shapes.heads(model),
    ]


# Source: transformers 5.23, configuration_bamba.py; modeling_bamba.py for head_dim.
SIZES = sizes(
    vocab_size=128000,
    hidden_size=4096,
    intermediate_size=14336,
    num_hidden_layers=32,
    attn_layer_indices=size(None, kind=LIST, help="layers of attention"),
    num_attention_heads=32,
    num_key_value_heads=size(8, null=AS_HEADS),
    head_dim=size(BY_HEADS),
    mamba_expand=2,
    mamba_n_heads=128,
    mamba_d_head=size("= mamba_expand * hidden_size // mamba_n_heads", words=("auto",)),
    mamba_n_groups=1,
    mamba_d_state=256,
    mamba_d_conv=4,
    mamba_proj_bias=size(False, null=ABSENT),
    mamba_conv_bias=size(True, null=0),
    attention_bias=False,
    mlp_bias=False,
    qkv_bias=law("= attention_bias"),
    qk_norm=law(0),
    tie_word_embeddings=False,
)

ARCHITECTURES = {
    "bamba": Architecture("bamba", classes("Bamba", classifies=False), "model", SIZES, LAYERS, components, tensors)
}
"""Each model type of this file."""
