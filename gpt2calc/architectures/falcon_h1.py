"""Falcon-H1: Mamba-2 and attention side by side in every layer, with a gated MLP after them.

The state space is as wide as a size of its own says, and its norm is there by a flag. TII 2025, arXiv:2507.22448.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.decoder import AS_HEADS, BY_HEADS
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.runs import Layers, Said
from gpt2calc.model import ABSENT, Architecture, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = "transformers, modeling_falcon_h1.py: FalconH1"
NORM, OUT = "mamba.norm", "mamba.out_proj"


LAYERS = Layers(
    "model.layers",
    musts=(
        Said(
            "mamba_n_heads * mamba_d_head == mamba_d_ssm",
            "mamba_d_ssm {mamba_d_ssm} must be mamba_n_heads {mamba_n_heads} · mamba_d_head {mamba_d_head} = "
            "{mamba_n_heads * mamba_d_head}",
            "mamba_n_heads",
        ),
    ),
)
"""All alike; the heads of the state space are as wide together as it is."""


def components(model: Model) -> list[Component]:
    """Return the closed forms; the projection out of the state space has biases by a flag of its own."""
    d, layer = model.hidden_size, {"layers": "decoder", "source": f"{SOURCE}DecoderLayer"}
    heads, states = (model.mamba_n_heads, model.mamba_d_head), (model.mamba_n_groups, model.mamba_d_state)
    biases, at = (model.mamba_proj_bias, model.mamba_conv_bias), {"layers": "decoder", "source": f"{SOURCE}Mixer"}
    out = closed_forms.linear(OUT, "ssm", heads[0] * heads[1], d, model.projectors_bias, **at)
    mixer = closed_forms.mamba2(d, heads, states, model.mamba_d_conv, biases, name="mamba", **at)
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{SOURCE}Model"),
        *closed_forms.gated_mlp(d, model.intermediate_size, f"{SOURCE}MLP", "decoder", bias=model.mlp_bias),
        *(row._replace(times=model.mamba_rms_norm) if row.name == NORM else row for row in mixer if row.name != OUT),
        out,
        *closed_forms.attention(model, SOURCE),
        closed_forms.norm("input_layernorm", d, **layer),
        closed_forms.norm("pre_ff_layernorm", d, **layer),
        closed_forms.norm("final_layernorm", d, source=f"{SOURCE}Model"),
        *closed_forms.heads(model, SOURCE),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors."""
    width, every = model.hidden_size, {"layers": "decoder"}
    heads, states = (model.mamba_n_heads, model.mamba_d_head), (model.mamba_n_groups, model.mamba_d_state)
    biases, wide = (model.mamba_proj_bias, model.mamba_conv_bias), model.mamba_n_heads * model.mamba_d_head
    mixer = shapes.mamba2(width, heads, states, model.mamba_d_conv, biases, name="mamba", **every)
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *shapes.gated_mlp("{layer}.feed_forward", width, model.intermediate_size, "decoder", bias=model.mlp_bias),
        *(
            row._replace(when=model.mamba_rms_norm) if row.component == NORM else row
            for row in mixer
            if row.component != OUT
        ),
        *shapes.linear(f"{{layer}}.{OUT}", OUT, width, wide, model.projectors_bias, **every),
        *shapes.attention(model),
        shapes.norm("{layer}.input_layernorm", "input_layernorm", width, **every),
        shapes.norm("{layer}.pre_ff_layernorm", "pre_ff_layernorm", width, **every),
        shapes.norm("model.final_layernorm", "final_layernorm", width),
        *shapes.heads(model),
    ]


# Source: transformers 5.23, configuration_falcon_h1.py; modeling_falcon_h1.py for head_dim.
SIZES = sizes(
    vocab_size=128000,
    hidden_size=4096,
    intermediate_size=14336,
    num_hidden_layers=32,
    num_attention_heads=32,
    num_key_value_heads=size(8, null=AS_HEADS),
    head_dim=size(BY_HEADS),
    mamba_expand=2,
    mamba_d_ssm=size(1024, null="= mamba_expand * hidden_size", letter="u", help="width of the state space"),
    mamba_n_heads=128,
    mamba_d_head=size("= mamba_d_ssm // mamba_n_heads", words=("auto",)),
    mamba_n_groups=1,
    mamba_d_state=256,
    mamba_d_conv=4,
    mamba_proj_bias=size(False, null=ABSENT),
    mamba_conv_bias=size(True, null=0),
    mamba_rms_norm=size(False, null=ABSENT, help="a norm of the state space"),
    projectors_bias=size(False, null=ABSENT, help="biases of the projection out of the state space"),
    attention_bias=False,
    mlp_bias=False,
    qkv_bias=law("= attention_bias"),
    qk_norm=law(0),
    tie_word_embeddings=False,
)

ARCHITECTURES = {
    "falcon_h1": Architecture(
        "falcon_h1", classes("FalconH1", classifies=False), "model", SIZES, LAYERS, components, tensors
    )
}
"""Each model type of this file."""
