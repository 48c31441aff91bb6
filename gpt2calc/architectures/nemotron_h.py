"""Nemotron-H and Nemotron 3: one part a layer, as a pattern says: Mamba-2, attention, an MLP, or experts.

Experts have no gate, and can work in a latent width between two projections. Files call the body `backbone`, and a live
module `model`; the head is never tied. NVIDIA 2025, arXiv:2504.03624, and Nemotron 3, 2025.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.runs import UNBUILT, Layers, Notes
from gpt2calc.model import ABSENT, BUFFER, LIST, Architecture, Component, Merge, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = "transformers, modeling_nemotron_h.py: NemotronH"
AT = "{layer}.mixer"
WORDS = ("linear_attention", "full_attention", "mamba", "attention", "moe", "mlp")
LETTERS = ("M", "E", "*", "-")
PARTS = (
    ("mamba", "word in ('mamba', 'linear_attention', 'M')"),
    ("attention", "word in ('attention', 'full_attention', '*')"),
    ("moe", "word in ('moe', 'E')"),
    ("mlp", "True"),
)
LAYERS = Layers(
    "backbone.layers", kinds=(PARTS,), lists=("layers_block_type", "hybrid_override_pattern"), otherwise="ME*-"
)
"""As their list says, or else their pattern."""


def components(model: Model) -> list[Component]:
    """Return the closed forms."""
    d, m, s, lat = model.hidden_size, model.intermediate_size, model.moe_shared_expert_intermediate_size, model.latent
    E, f, b, w = model.n_routed_experts, model.moe_intermediate_size, model.mlp_bias, model.expert_width
    heads, states = (model.mamba_num_heads, model.mamba_head_dim), (model.n_groups, model.ssm_state_size)
    mixer = {"layers": "mamba", "source": f"{SOURCE}Mamba2Mixer", "name": "mixer"}
    mlp, shared = {"layers": "mlp", "source": f"{SOURCE}MLP"}, {"layers": "moe", "source": f"{SOURCE}MLP"}
    moe = {"layers": "moe", "source": f"{SOURCE}Experts", "times": E, "used": model.num_experts_per_tok}
    between = {"layers": "moe", "source": f"{SOURCE}MoE", "times": lat}
    return [
        closed_forms.embedding("embeddings", model.vocab_size, d, f"{SOURCE}Model"),
        closed_forms.norm("norm", d, layers="decoder", source=f"{SOURCE}Block"),
        *closed_forms.mamba2(d, heads, states, model.conv_kernel, (model.use_bias, model.use_conv_bias), **mixer),
        *closed_forms.attention(model, SOURCE, "attention", biases=(0, 0)),
        closed_forms.linear("mlp.up_proj", "mlp", d, m, b, **mlp),
        closed_forms.linear("mlp.down_proj", "mlp", m, d, b, **mlp),
        closed_forms.linear("experts.up_proj", "experts", w, f, **moe),
        closed_forms.linear("experts.down_proj", "experts", f, w, **moe),
        closed_forms.router(d, E, f"{SOURCE}TopkRouter", "moe"),
        closed_forms.linear("shared_experts.up_proj", "experts", d, s, b, **shared),
        closed_forms.linear("shared_experts.down_proj", "experts", s, d, b, **shared),
        closed_forms.linear("experts_in", "experts", d, model.moe_latent_size, b, **between),
        closed_forms.linear("experts_out", "experts", model.moe_latent_size, d, b, **between),
        closed_forms.norm("norm_f", d, source=f"{SOURCE}Model"),
        *closed_forms.heads(model, SOURCE),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors; each part of a layer is called its mixer."""
    width, count, bias, wide = model.hidden_size, model.n_routed_experts, model.mlp_bias, model.expert_width
    heads, states = (model.mamba_num_heads, model.mamba_head_dim), (model.n_groups, model.ssm_state_size)
    biases, inner, own = (model.use_bias, model.use_conv_bias), model.intermediate_size, model.moe_intermediate_size
    shared, rank, moe = model.moe_shared_expert_intermediate_size, model.moe_latent_size, {"layers": "moe"}
    low = {**moe, "when": model.latent}
    return [
        shapes.embedding("backbone.embeddings", "embeddings", model.vocab_size, width),
        shapes.norm("{layer}.norm", "norm", width, layers="decoder"),
        *shapes.mamba2(width, heads, states, model.conv_kernel, biases, name="mixer", layers="mamba"),
        *shapes.attention(model, "attention", AT, biases=(0, None)),
        *shapes.linear(f"{AT}.up_proj", "mlp.up_proj", inner, width, bias, layers="mlp"),
        *shapes.linear(f"{AT}.down_proj", "mlp.down_proj", width, inner, bias, layers="mlp"),
        Tensor(f"{AT}.experts.{{n}}.up_proj.weight", "experts.up_proj", (own, wide), "moe", count),
        Tensor(f"{AT}.experts.{{n}}.down_proj.weight", "experts.down_proj", (wide, own), "moe", count),
        *shapes.linear(f"{AT}.gate", "router", count, width, **moe),
        Tensor(f"{AT}.gate.e_score_correction_bias", "router", (count,), "moe", role=BUFFER),
        *shapes.linear(f"{AT}.shared_experts.up_proj", "shared_experts.up_proj", shared, width, bias, **moe),
        *shapes.linear(f"{AT}.shared_experts.down_proj", "shared_experts.down_proj", width, shared, bias, **moe),
        *shapes.linear(f"{AT}.fc1_latent_proj", "experts_in", rank, width, bias, **low),
        *shapes.linear(f"{AT}.fc2_latent_proj", "experts_out", width, rank, bias, **low),
        shapes.norm("backbone.norm_f", "norm_f", width),
        *shapes.heads(model),
    ]


MERGES = tuple(
    Merge(f"{AT}.experts.{name}", (f"{AT}.experts.{{n}}.{name}.weight",)) for name in ("up_proj", "down_proj")
)

# Source: transformers 5.23, configuration_nemotron_h.py. How many layers there are follows from what says their kinds.
SIZES = sizes(
    vocab_size=131072,
    hidden_size=4096,
    intermediate_size=21504,
    layers_block_type=size(None, kind=LIST, spellings=("layer_types",), words=WORDS, help="the kind of each layer"),
    hybrid_override_pattern=size(None, kind=LIST, words=LETTERS, help="the kind of each layer, by a letter"),
    num_hidden_layers=size("= len(layers_block_type or hybrid_override_pattern or 'ME*-')", null=ABSENT),
    num_attention_heads=32,
    num_key_value_heads=8,
    head_dim=128,
    mamba_num_heads=size(128, letter="H", help="heads of the state space"),
    mamba_head_dim=size(64, letter="P", help="width of a head of the state space"),
    n_groups=size(8, spellings=("mamba_n_groups",)),
    ssm_state_size=size(128, letter="N", help="states of a channel"),
    conv_kernel=size(4, spellings=("mamba_d_conv",)),
    use_bias=False,
    use_conv_bias=size(True, spellings=("mamba_conv_bias",)),
    mlp_bias=False,
    n_routed_experts=size(8, spellings=("num_local_experts",)),
    num_experts_per_tok=2,
    moe_intermediate_size=7688,
    moe_shared_expert_intermediate_size=size(7688, letter="s", help="width of the shared expert"),
    moe_latent_size=size(
        "= 0", null=ABSENT, letter="l", help="width that experts work in, where it is not the model's"
    ),
    num_nextn_predict_layers=size("= 0", null=ABSENT),
    latent=law("= int(moe_latent_size > 0)"),
    expert_width=law("= moe_latent_size or hidden_size", letter="g", help="width that experts work in"),
    qk_norm=law(0),
    tie_word_embeddings=law(0),
)

ARCHITECTURES = {
    "nemotron_h": Architecture(
        "nemotron_h",
        classes("NemotronH", classifies=False),
        "backbone",
        SIZES,
        LAYERS,
        components,
        tensors,
        MERGES,
        Notes((UNBUILT,)),
        live_body="model",
    )
}
"""Each model type of this file."""
