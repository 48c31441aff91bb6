"""Granite 4: a list says which layer is Mamba-2 and which is attention; each has an MLP, and experts if there are any.

Files call the experts' stacked matrices as Granite did before: `input_linear` and `output_linear`. IBM Granite 4.0,
2025; Dao and Gu 2024, arXiv:2405.21060.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.runs import WIDE_HEADS, Layers
from gpt2calc.model import ABSENT, Architecture, Component, Merge, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = "transformers, modeling_granitemoehybrid.py: GraniteMoeHybrid"
AT = "{layer}.block_sparse_moe"
WORDS = ("linear_attention", "full_attention", "mamba", "attention")
LAYERS = Layers(
    "model.layers",
    kinds=(
        (("attention", "word in ('attention', 'full_attention')"), ("mamba", "True")),
        (("moe", "num_local_experts"), ("", "True")),
    ),
    lists=("layer_types",),
    musts=(WIDE_HEADS,),
)
"""As their list says, or all of Mamba-2."""


def components(model: Model) -> list[Component]:
    """Return the closed forms; an expert's gate and up are one matrix, and so are those of the MLP."""
    d, f, s, E = model.hidden_size, model.intermediate_size, model.shared_intermediate_size, model.num_local_experts
    heads, states = (model.mamba_n_heads, model.mamba_d_head), (model.mamba_n_groups, model.mamba_d_state)
    biases = (model.mamba_proj_bias, model.mamba_conv_bias)
    moe = {"layers": "moe", "times": E, "used": model.num_experts_per_tok, "source": f"{SOURCE}Experts"}
    mlp = {"layers": "decoder", "source": f"{SOURCE}MLP"}
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{SOURCE}Model"),
        *closed_forms.two_norms(d, f"{SOURCE}DecoderLayer"),
        closed_forms.router(d, E, f"{SOURCE}TopKRouter", "moe"),
        closed_forms.linear("experts.gate_up_proj", "experts", d, 2 * f, **moe),
        closed_forms.linear("experts.down_proj", "experts", f, d, **moe),
        closed_forms.linear("shared_mlp.input_linear", "mlp", d, 2 * s, **mlp),
        closed_forms.linear("shared_mlp.output_linear", "mlp", s, d, **mlp),
        *closed_forms.mamba2(
            d, heads, states, model.mamba_d_conv, biases, source=f"{SOURCE}MambaLayer", name="mamba", layers="mamba"
        ),
        *closed_forms.attention(model, SOURCE, "attention"),
        closed_forms.norm("norm", d, source=f"{SOURCE}Model"),
        *closed_forms.heads(model, SOURCE),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors."""
    width, inner, count = model.hidden_size, model.intermediate_size, model.num_local_experts
    own, shared, mlp = model.shared_intermediate_size, "{layer}.shared_mlp", {"layers": "decoder"}
    heads, states = (model.mamba_n_heads, model.mamba_d_head), (model.mamba_n_groups, model.mamba_d_state)
    biases = (model.mamba_proj_bias, model.mamba_conv_bias)
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *shapes.two_norms(width),
        *shapes.linear(f"{AT}.router.layer", "router", count, width, layers="moe"),
        Tensor(f"{AT}.input_linear.weight", "experts.gate_up_proj", (count, inner + inner, width), "moe"),
        Tensor(f"{AT}.output_linear.weight", "experts.down_proj", (count, width, inner), "moe"),
        *shapes.linear(f"{shared}.input_linear", "shared_mlp.input_linear", own + own, width, **mlp),
        *shapes.linear(f"{shared}.output_linear", "shared_mlp.output_linear", width, own, **mlp),
        *shapes.mamba2(width, heads, states, model.mamba_d_conv, biases, name="mamba", layers="mamba"),
        *shapes.attention(model, "attention"),
        shapes.norm("model.norm", "norm", width),
        *shapes.heads(model),
    ]


MERGES = (
    Merge(f"{AT}.router.weight", (f"{AT}.router.layer.weight",)),
    Merge(f"{AT}.experts.gate_up_proj", (f"{AT}.input_linear.weight",)),
    Merge(f"{AT}.experts.down_proj", (f"{AT}.output_linear.weight",)),
)

# Source: transformers 5.23, configuration_granitemoehybrid.py; modeling_granitemoehybrid.py for head_dim.
SIZES = sizes(
    vocab_size=32000,
    hidden_size=4096,
    intermediate_size=size(11008, letter="f", help="width of an expert"),
    shared_intermediate_size=1024,
    num_hidden_layers=32,
    layer_types=size(spellings=("layers_block_type",), words=WORDS),
    num_attention_heads=32,
    num_key_value_heads=size("= num_attention_heads", null=ABSENT),
    head_dim=size("= hidden_size // num_attention_heads"),
    num_local_experts=size(8, least=0),
    num_experts_per_tok=2,
    mamba_expand=2,
    mamba_n_heads=128,
    mamba_d_head=size("= mamba_expand * hidden_size // mamba_n_heads", words=("auto",)),
    mamba_n_groups=1,
    mamba_d_state=256,
    mamba_d_conv=4,
    mamba_proj_bias=size(False, null=ABSENT),
    mamba_conv_bias=size(True, null=0),
    attention_bias=False,
    qkv_bias=law("= attention_bias"),
    qk_norm=law(0),
    tie_word_embeddings=False,
)

ARCHITECTURES = {
    "granitemoehybrid": Architecture(
        "granitemoehybrid",
        classes("GraniteMoeHybrid", classifies=False),
        "model",
        SIZES,
        LAYERS,
        components,
        tensors,
        MERGES,
    )
}
"""Each model type of this file."""
