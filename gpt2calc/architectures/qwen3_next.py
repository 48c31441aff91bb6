"""Qwen3-Next: a gated delta net in most layers and gated attention in every n-th, with Qwen's experts after either.

Queries come with a gate as wide as they are. Qwen Team 2025; Yang et al. 2024, arXiv:2412.06464.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.qwen_moe import EXPERTS
from gpt2calc.architectures.runs import Layers
from gpt2calc.model import BIAS, Architecture, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = "transformers, modeling_qwen3_next.py: Qwen3Next"
AT, NET = "{layer}.mlp", "{layer}.linear_attn"
WORDS = ("linear_attention", "full_attention", "mamba", "attention")  # the last two, as they were called before
ATTENTION = (
    (
        "full_attention",
        "(i + 1) % full_attention_interval == 0 if word is None else word in ('full_attention', 'attention')",
    ),
    ("linear_attention", "True"),
)
LAYERS = Layers(
    "model.layers",
    kinds=(ATTENTION, EXPERTS),
    period="lcm(full_attention_interval, decoder_sparse_step)",
    apart="mlp_only_layers",
    lists=("layer_types",),
)
"""A list, or a period, says which is attention; a period with exceptions, which has experts."""


def components(model: Model) -> list[Component]:
    """Return the closed forms."""
    d, E, s = model.hidden_size, model.num_experts, model.shared_expert_intermediate_size
    moe = {"layers": "moe", "source": f"{SOURCE}SparseMoeBlock"}
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{SOURCE}Model"),
        *_delta_net(model),
        *closed_forms.attention(model, SOURCE, "full_attention", gates=1),
        *closed_forms.gated_mlp(d, model.intermediate_size, f"{SOURCE}MLP", "dense"),
        closed_forms.router(d, E, f"{SOURCE}TopKRouter", "moe"),
        *closed_forms.experts(
            d, model.moe_intermediate_size, E, f"{SOURCE}Experts", "moe", used=model.num_experts_per_tok
        ),
        *closed_forms.gated_mlp(d, s, f"{SOURCE}MLP", "moe", name="shared_expert", group="experts"),
        closed_forms.linear("shared_expert_gate", "router", d, 1, **moe),
        *closed_forms.two_norms(d, f"{SOURCE}DecoderLayer"),
        closed_forms.norm("norm", d, source=f"{SOURCE}Model"),
        *closed_forms.heads(model, SOURCE),
    ]


def _delta_net(model: Model) -> list[Component]:
    """Return a gated delta net of K heads of keys a wide, and H heads of values b wide.

    Law: queries, keys, values and gates d·(2·K·a + 2·H·b), two numbers a head of values d·2H, a convolution
    w·(2·K·a + H·b), A_log and dt_bias H each, a norm of b, out_proj H·b·d.
    """
    d, H, b, w = (
        model.hidden_size,
        model.linear_num_value_heads,
        model.linear_value_head_dim,
        model.linear_conv_kernel_dim,
    )
    keys = model.linear_num_key_heads * model.linear_key_head_dim
    at = {"layers": "linear_attention", "source": f"{SOURCE}GatedDeltaNet"}
    return [
        Component("linear_attn.dt_bias", "ssm", 0, H, **at),
        Component("linear_attn.A_log", "ssm", H, **at),
        Component("linear_attn.conv1d", "ssm", w * (2 * keys + H * b), **at),
        closed_forms.linear("linear_attn.in_proj_qkvz", "ssm", d, 2 * keys + 2 * H * b, **at),
        closed_forms.linear("linear_attn.in_proj_ba", "ssm", d, 2 * H, **at),
        closed_forms.norm("linear_attn.norm", b, **at),
        closed_forms.linear("linear_attn.out_proj", "ssm", H * b, d, **at),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors."""
    width, count, inner = model.hidden_size, model.num_experts, model.moe_intermediate_size
    own = model.shared_expert_intermediate_size
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *_delta_net_tensors(model),
        *shapes.attention(model, "full_attention", gated=True),
        *shapes.gated_mlp(AT, width, model.intermediate_size, "dense"),
        *shapes.linear(f"{AT}.gate", "router", count, width, layers="moe"),
        *shapes.experts(AT, width, inner, count, layers="moe"),
        *shapes.gated_mlp(f"{AT}.shared_expert", width, own, "moe", name="shared_expert"),
        *shapes.linear(f"{AT}.shared_expert_gate", "shared_expert_gate", 1, width, layers="moe"),
        *shapes.two_norms(width),
        shapes.norm("model.norm", "norm", width),
        *shapes.heads(model),
    ]


def _delta_net_tensors(model: Model) -> list[Tensor]:
    """Return a gated delta net, in the order of its module."""
    width, heads, own = model.hidden_size, model.linear_num_value_heads, {"layers": "linear_attention"}
    keys, values = model.linear_key_head_dim * model.linear_num_key_heads, model.linear_value_head_dim * heads
    mixed, name = keys + keys + values, "linear_attn"
    return [
        Tensor(f"{NET}.dt_bias", f"{name}.dt_bias", (heads,), role=BIAS, **own),
        Tensor(f"{NET}.A_log", f"{name}.A_log", (heads,), **own),
        Tensor(f"{NET}.conv1d.weight", f"{name}.conv1d", (mixed, 1, model.linear_conv_kernel_dim), **own),
        *shapes.linear(f"{NET}.in_proj_qkvz", f"{name}.in_proj_qkvz", mixed + values, width, **own),
        *shapes.linear(f"{NET}.in_proj_ba", f"{name}.in_proj_ba", heads + heads, width, **own),
        shapes.norm(f"{NET}.norm", f"{name}.norm", model.linear_value_head_dim, **own),
        *shapes.linear(f"{NET}.out_proj", f"{name}.out_proj", width, values, **own),
    ]


# Source: transformers 5.23, configuration_qwen3_next.py.
SIZES = sizes(
    vocab_size=151936,
    hidden_size=2048,
    intermediate_size=5632,
    num_hidden_layers=48,
    layer_types=size(words=WORDS),
    full_attention_interval=size(4, help="every n-th layer is attention"),
    num_attention_heads=16,
    num_key_value_heads=2,
    head_dim=256,
    linear_num_key_heads=size(16, letter="K", help="heads of keys of the delta net"),
    linear_num_value_heads=size(32, letter="H", help="heads of values of the delta net"),
    linear_key_head_dim=size(128, letter="a", help="width of a head of keys of the delta net"),
    linear_value_head_dim=size(128, letter="b", help="width of a head of values of the delta net"),
    linear_conv_kernel_dim=size(4, letter="w", help="width of the convolution"),
    num_experts=size(512, least=0),
    num_experts_per_tok=10,
    moe_intermediate_size=512,
    shared_expert_intermediate_size=512,
    decoder_sparse_step=1,
    mlp_only_layers=size(()),
    attention_bias=False,
    qkv_bias=law("= attention_bias"),
    qk_norm=law(1),
    tie_word_embeddings=False,
)

MERGES = shapes.stacked(AT, AT)
ARCHITECTURES = {
    "qwen3_next": Architecture("qwen3_next", classes("Qwen3Next"), "model", SIZES, LAYERS, components, tensors, MERGES)
}
"""Each model type of this file."""
