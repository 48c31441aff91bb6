"""Qwen3-Next and Qwen3.5: a gated delta net in most layers, gated attention in every n-th; experts or an MLP after it.

Queries come with a gate as wide as they are. Qwen3.5 has an MLP in every layer or experts in every layer, and keeps
what goes into the net in four matrices instead of two. Qwen Team 2025, 2026; Yang et al. 2024, arXiv:2412.06464.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.qwen_moe import EXPERTS
from gpt2calc.architectures.runs import Layers
from gpt2calc.model import BIAS, Ahead, Architecture, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

AT, NET = "{layer}.mlp", "{layer}.linear_attn"
WORDS = ("linear_attention", "full_attention", "mamba", "attention")  # the last two, as they were called before


class Hybrid(NamedTuple):
    """How the model types differ.

    Args:
        source: the beginning of transformers' class names, with their file.
        body: the rest of the name of the class that holds the layers.
        dense: whether layers can have an MLP.
        sparse: whether they can have experts.
        together: whether queries, keys, values and gates of the net come out of one matrix, and its numbers of another.
    """

    source: str
    body: str = "TextModel"
    dense: bool = False
    sparse: bool = False
    together: bool = False

    @property
    def layers(self) -> Layers:
        """Which layers there are: a period with exceptions says which have experts, where others have an MLP."""
        if self.dense and self.sparse:
            period = "lcm(full_attention_interval, decoder_sparse_step)"
            return BY_LIST._replace(kinds=(ATTENTION, EXPERTS), period=period, apart="mlp_only_layers")
        return BY_LIST._replace(kinds=(ATTENTION, (("moe" if self.sparse else "dense", "True"),)))


ATTENTION = (
    (
        "full_attention",
        "(i + 1) % full_attention_interval == 0 if word is None else word in ('full_attention', 'attention')",
    ),
    ("linear_attention", "True"),
)
BY_LIST = Layers("model.layers", period="full_attention_interval", lists=("layer_types",))
"""A list, or a period, says which is attention."""


def components(hybrid: Hybrid, model: Model) -> list[Component]:
    """Return the closed forms."""
    d, source = model.hidden_size, hybrid.source
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{source}{hybrid.body}"),
        *_delta_net(hybrid, model),
        *closed_forms.attention(model, source, "full_attention", gates=1),
        *(closed_forms.gated_mlp(d, model.intermediate_size, f"{source}MLP", "dense") if hybrid.dense else ()),
        *(_mixture(model, source) if hybrid.sparse else ()),
        *closed_forms.two_norms(d, f"{source}DecoderLayer"),
        closed_forms.norm("norm", d, source=f"{source}{hybrid.body}"),
        *closed_forms.heads(model, source, classifies=f"{hybrid.body.removesuffix('Model')}ForSequenceClassification"),
    ]


def _mixture(model: Model, source: str) -> list[Component]:
    """Return a router, experts, and an expert that every token passes, with a gate of its own."""
    d, E, s = model.hidden_size, model.num_experts, model.shared_expert_intermediate_size
    return [
        closed_forms.router(d, E, f"{source}TopKRouter", "moe"),
        *closed_forms.experts(
            d, model.moe_intermediate_size, E, f"{source}Experts", "moe", used=model.num_experts_per_tok
        ),
        *closed_forms.gated_mlp(d, s, f"{source}MLP", "moe", name="shared_expert", group="experts"),
        closed_forms.linear("shared_expert_gate", "router", d, 1, layers="moe", source=f"{source}SparseMoeBlock"),
    ]


def _delta_net(hybrid: Hybrid, model: Model) -> list[Component]:
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
    at = {"layers": "linear_attention", "source": f"{hybrid.source}GatedDeltaNet"}
    parts = {"qkv": 2 * keys + H * b, "z": H * b, "b": H, "a": H}
    inputs = {"qkvz": 2 * keys + 2 * H * b, "ba": 2 * H} if hybrid.together else parts
    return [
        Component("linear_attn.dt_bias", "ssm", 0, H, **at),
        Component("linear_attn.A_log", "ssm", H, **at),
        Component("linear_attn.conv1d", "ssm", w * (2 * keys + H * b), **at),
        *(closed_forms.linear(f"linear_attn.in_proj_{name}", "ssm", d, n, **at) for name, n in inputs.items()),
        closed_forms.norm("linear_attn.norm", b, **at),
        closed_forms.linear("linear_attn.out_proj", "ssm", H * b, d, **at),
    ]


def tensors(hybrid: Hybrid, model: Model) -> list[Tensor]:
    """Return the tensors."""
    width = model.hidden_size
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *_delta_net_tensors(hybrid, model),
        *shapes.attention(model, "full_attention", gated=True),
        *(shapes.gated_mlp(AT, width, model.intermediate_size, "dense") if hybrid.dense else ()),
        *(_mixture_tensors(model) if hybrid.sparse else ()),
        *shapes.two_norms(width),
        shapes.norm("model.norm", "norm", width),
        *shapes.heads(model),
    ]


def _mixture_tensors(model: Model) -> list[Tensor]:
    """Return a router, experts and the shared one, in the order of their module."""
    width, count, own = model.hidden_size, model.num_experts, model.shared_expert_intermediate_size
    return [
        *shapes.linear(f"{AT}.gate", "router", count, width, layers="moe"),
        *shapes.experts(AT, width, model.moe_intermediate_size, count, layers="moe"),
        *shapes.gated_mlp(f"{AT}.shared_expert", width, own, "moe", name="shared_expert"),
        *shapes.linear(f"{AT}.shared_expert_gate", "shared_expert_gate", 1, width, layers="moe"),
    ]


def _delta_net_tensors(hybrid: Hybrid, model: Model) -> list[Tensor]:
    """Return a gated delta net, in the order of its module: what goes in stands last where it is apart."""
    width, heads, own = model.hidden_size, model.linear_num_value_heads, {"layers": "linear_attention"}
    keys, values = model.linear_key_head_dim * model.linear_num_key_heads, model.linear_value_head_dim * heads
    mixed, name = keys + keys + values, "linear_attn"
    apart = {"qkv": mixed, "z": values, "b": heads, "a": heads}
    into = [
        each
        for part, outputs in ({"qkvz": mixed + values, "ba": heads + heads} if hybrid.together else apart).items()
        for each in shapes.linear(f"{NET}.in_proj_{part}", f"{name}.in_proj_{part}", outputs, width, **own)
    ]
    out = [
        shapes.norm(f"{NET}.norm", f"{name}.norm", model.linear_value_head_dim, **own),
        *shapes.linear(f"{NET}.out_proj", f"{name}.out_proj", width, values, **own),
    ]
    return [
        Tensor(f"{NET}.dt_bias", f"{name}.dt_bias", (heads,), role=BIAS, **own),
        Tensor(f"{NET}.A_log", f"{name}.A_log", (heads,), **own),
        Tensor(f"{NET}.conv1d.weight", f"{name}.conv1d", (mixed, 1, model.linear_conv_kernel_dim), **own),
        *([*into, *out] if hybrid.together else [*out, *into]),
    ]


def _ahead(hybrid: Hybrid) -> Ahead:
    """Return the layer of full attention that predicts a further token, and what stands before and after it.

    Law: 2·d·d for what joins the token's embedding and what came before, and three norms of d.
    Source: Qwen/Qwen3-Next-80B-A3B-Instruct, model.safetensors.index.json: mtp.fc, mtp.norm, mtp.pre_fc_norm_*.
    """
    norms, source = ("mtp.norm", "mtp.pre_fc_norm_embedding", "mtp.pre_fc_norm_hidden"), "Qwen/Qwen3-Next-80B-A3B"
    return Ahead(
        frozenset({"decoder", "full_attention", "moe" if hybrid.sparse else "dense"}),
        lambda model: [
            Component("mtp.fc", "other", 2 * model.hidden_size * model.hidden_size, source=source),
            *(closed_forms.norm(name, model.hidden_size, source=source) for name in norms),
        ],
        lambda model: [
            *shapes.linear("mtp.fc", "mtp.fc", model.hidden_size, model.hidden_size + model.hidden_size, plain=1),
            *(shapes.norm(name, name, model.hidden_size) for name in norms),
        ],
        number="",
        prefix="mtp.layers",
    )


def _row(model_type: str, hybrid: Hybrid, named: dict[str, str], **stated: Any) -> Architecture:
    """Return one model type; source: transformers 5.23, configuration_*.py."""
    table: dict[str, Any] = {
        "layer_types": size(words=WORDS),
        "full_attention_interval": size(4, help="every n-th layer is attention"),
        "num_attention_heads": 16,
        "num_key_value_heads": 2,
        "head_dim": 256,
        "linear_num_key_heads": size(16, letter="K", help="heads of keys of the delta net"),
        "linear_num_value_heads": size(32, letter="H", help="heads of values of the delta net"),
        "linear_key_head_dim": size(128, letter="a", help="width of a head of keys of the delta net"),
        "linear_value_head_dim": size(128, letter="b", help="width of a head of values of the delta net"),
        "linear_conv_kernel_dim": size(4, letter="w", help="width of the convolution"),
    }
    rest = {
        "attention_bias": False,
        "qkv_bias": law("= attention_bias"),
        "qk_norm": law(1),
        "tie_word_embeddings": False,
    }
    rows = (hybrid.layers, partial(components, hybrid), partial(tensors, hybrid))
    merges = shapes.stacked(AT, AT) if hybrid.sparse else ()
    own = sizes(**{**stated, **table, **rest, **stated})
    return Architecture(model_type, named, "model", own, *rows, merges, ahead=_ahead(hybrid))


NEXT = Hybrid("transformers, modeling_qwen3_next.py: Qwen3Next", "Model", dense=True, sparse=True, together=True)
DENSE = Hybrid("transformers, modeling_qwen3_5.py: Qwen3_5", dense=True)
SPARSE = Hybrid("transformers, modeling_qwen3_5_moe.py: Qwen3_5Moe", sparse=True)

ARCHITECTURES = {
    "qwen3_next": _row(
        "qwen3_next",
        NEXT,
        classes("Qwen3Next"),
        vocab_size=151936,
        hidden_size=2048,
        intermediate_size=5632,
        num_hidden_layers=48,
        num_experts=size(512, least=0),
        num_experts_per_tok=10,
        moe_intermediate_size=512,
        shared_expert_intermediate_size=512,
        decoder_sparse_step=1,
        mlp_only_layers=size(()),
    ),
    "qwen3_5_text": _row(
        "qwen3_5_text",
        DENSE,
        {
            "Qwen3_5ForCausalLM": "lm",
            "Qwen3_5TextModel": "none",
            "Qwen3_5TextForSequenceClassification": "sequence_classification",
        },
        vocab_size=248320,
        hidden_size=4096,
        intermediate_size=12288,
        num_hidden_layers=32,
        num_key_value_heads=4,
    ),
    "qwen3_5_moe_text": _row(
        "qwen3_5_moe_text",
        SPARSE,
        {"Qwen3_5MoeForCausalLM": "lm", "Qwen3_5MoeTextModel": "none"},
        vocab_size=248320,
        hidden_size=2048,
        num_hidden_layers=40,
        num_experts=256,
        num_experts_per_tok=8,
        moe_intermediate_size=512,
        shared_expert_intermediate_size=512,
    ),
}
"""Each model type of this file."""
