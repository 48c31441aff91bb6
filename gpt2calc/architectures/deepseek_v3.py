"""DeepSeek-V2, V3 and R1, and Kimi K2: latent attention, first layers with an MLP, then experts and a shared one.

Queries, and keys with values, come out of a vector of low rank each. The router's correction is a buffer: files hold
it, and it is no parameter; V2 has none. DeepSeek-AI 2024, arXiv:2405.04434, arXiv:2412.19437.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.mixture import after_dense
from gpt2calc.architectures.runs import UNDIVIDED, Notes, Said
from gpt2calc.model import ABSENT, BUFFER, Architecture, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model, Size

V2, V3 = ("transformers, modeling_deepseek_v2.py: DeepseekV2", "transformers, modeling_deepseek_v3.py: DeepseekV3")
AT, MLP = "{layer}.self_attn", "{layer}.mlp"


def _source(model: Model) -> str:
    return V2 if model.architecture.model_type == "deepseek_v2" else V3


def components(model: Model) -> list[Component]:
    """Return the closed forms."""
    d, E, source, b = model.hidden_size, model.n_routed_experts, _source(model), model.mlp_bias
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{source}Model"),
        *_latent_attention(model),
        *closed_forms.gated_mlp(d, model.intermediate_size, f"{source}MLP", "dense", bias=b),
        closed_forms.router(d, E, f"{source}TopkRouter", "moe"),
        *closed_forms.experts(
            d, model.moe_intermediate_size, E, f"{source}Experts", "moe", used=model.num_experts_per_tok
        ),
        *closed_forms.gated_mlp(
            d,
            model.n_shared_experts * model.moe_intermediate_size,
            f"{source}MLP",
            "moe",
            name="shared_experts",
            group="experts",
            bias=b,
        ),
        *closed_forms.two_norms(d, f"{source}DecoderLayer"),
        closed_forms.norm("norm", d, source=f"{source}Model"),
        *closed_forms.heads(model, source),
    ]


def _latent_attention(model: Model) -> list[Component]:
    """Return attention of h heads whose queries have rank q, and whose keys and values have rank r.

    Law: queries d·q + q·h·(n + t) and a norm of q, or d·h·(n + t) without a rank; keys and values d·(r + t), a norm of
    r, r·h·(n + v); o_proj h·v·d; biases of what d goes into, and of o_proj.
    """
    d, h, q, r = model.hidden_size, model.num_attention_heads, model.q_lora_rank, model.kv_lora_rank
    n, t, v = model.qk_nope_head_dim, model.qk_rope_head_dim, model.v_head_dim
    low, bias = model.low_rank, model.attention_bias
    at = {"layers": "decoder", "source": f"{_source(model)}Attention"}
    return [
        closed_forms.linear("self_attn.q_proj", "attention", d, h * (n + t), times=1 - low, **at),
        closed_forms.linear("self_attn.q_a_proj", "attention", d, q, bias, times=low, **at),
        closed_forms.norm("self_attn.q_a_layernorm", q, times=low, **at),
        closed_forms.linear("self_attn.q_b_proj", "attention", q, h * (n + t), times=low, **at),
        closed_forms.linear("self_attn.kv_a_proj_with_mqa", "attention", d, r + t, bias, **at),
        closed_forms.norm("self_attn.kv_a_layernorm", r, **at),
        closed_forms.linear("self_attn.kv_b_proj", "attention", r, h * (n + v), **at),
        closed_forms.linear("self_attn.o_proj", "attention", h * v, d, bias, **at),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors; the router stands after the experts."""
    width, count, inner = model.hidden_size, model.n_routed_experts, model.moe_intermediate_size
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *_latent_tensors(model),
        *shapes.gated_mlp(MLP, width, model.intermediate_size, "dense", bias=model.mlp_bias),
        *shapes.experts(MLP, width, inner, count, layers="moe"),
        *shapes.linear(f"{MLP}.gate", "router", count, width, layers="moe"),
        Tensor(f"{MLP}.gate.e_score_correction_bias", "router", (count,), "moe", when=model.corrected, role=BUFFER),
        *shapes.gated_mlp(
            f"{MLP}.shared_experts",
            width,
            inner * model.n_shared_experts,
            "moe",
            name="shared_experts",
            bias=model.mlp_bias,
        ),
        *shapes.two_norms(width),
        shapes.norm("model.norm", "norm", width),
        *shapes.heads(model),
    ]


def _latent_tensors(model: Model) -> list[Tensor]:
    """Return the projections and norms of latent attention, in the order of the module."""
    width, heads, bias = model.hidden_size, model.num_attention_heads, model.attention_bias
    rank, latent, rotary = model.q_lora_rank, model.kv_lora_rank, model.qk_rope_head_dim
    query = heads * (model.qk_nope_head_dim + rotary)
    key_value = heads * (model.qk_nope_head_dim + model.v_head_dim)
    every = {"layers": "decoder"}
    low, plain = {**every, "when": model.low_rank}, {**every, "when": 1 - model.low_rank}
    return [
        *shapes.linear(f"{AT}.q_proj", "self_attn.q_proj", query, width, **plain),
        *shapes.linear(f"{AT}.q_a_proj", "self_attn.q_a_proj", rank, width, bias, **low),
        shapes.norm(f"{AT}.q_a_layernorm", "self_attn.q_a_layernorm", rank, **low),
        *shapes.linear(f"{AT}.q_b_proj", "self_attn.q_b_proj", query, rank, **low),
        *shapes.linear(
            f"{AT}.kv_a_proj_with_mqa", "self_attn.kv_a_proj_with_mqa", latent + rotary, width, bias, **every
        ),
        shapes.norm(f"{AT}.kv_a_layernorm", "self_attn.kv_a_layernorm", latent, **every),
        *shapes.linear(f"{AT}.kv_b_proj", "self_attn.kv_b_proj", key_value, latent, **every),
        *shapes.linear(f"{AT}.o_proj", "self_attn.o_proj", width, heads * model.v_head_dim, bias, **every),
    ]


UNBUILT = Said(
    "num_nextn_predict_layers",
    "num_nextn_predict_layers {num_nextn_predict_layers}: layers that files may hold beyond the {num_hidden_layers} "
    "counted, and that transformers does not build",
)
ALIAS = Said("True", "kimi_k2 is counted as deepseek_v3, which it is under another name")
"""What is not counted: the layers that predict tokens after the next; and whose name another is."""


# Source: transformers 5.23, configuration_deepseek_v2.py and configuration_deepseek_v3.py. head_dim turns positions; it
# is no shape. A document that does not say how many layers predict tokens after the next has none to tell of.
SECOND = sizes(
    vocab_size=102400,
    hidden_size=4096,
    intermediate_size=11008,
    moe_intermediate_size=1407,
    num_hidden_layers=32,
    num_attention_heads=32,
    n_shared_experts=2,
    n_routed_experts=size(64, spellings=("num_experts",)),
    num_experts_per_tok=size("= 0", null=ABSENT),
    first_k_dense_replace=0,
    q_lora_rank=size(1536, null=0),
    low_rank=law("= int(q_lora_rank > 0)"),
    kv_lora_rank=512,
    qk_nope_head_dim=128,
    qk_rope_head_dim=64,
    v_head_dim=128,
    attention_bias=False,
    mlp_bias=False,
    corrected=law(0),
    tie_word_embeddings=False,
    moe_layer_freq=1,
)
SIZES = sizes(
    vocab_size=129280,
    hidden_size=7168,
    intermediate_size=18432,
    moe_intermediate_size=2048,
    num_hidden_layers=61,
    num_attention_heads=128,
    n_shared_experts=1,
    n_routed_experts=size(256, spellings=("num_local_experts",)),
    num_experts_per_tok=8,
    first_k_dense_replace=3,
    q_lora_rank=size(1536, null=0),
    low_rank=law("= int(q_lora_rank > 0)"),
    kv_lora_rank=512,
    qk_nope_head_dim=128,
    qk_rope_head_dim=64,
    v_head_dim=128,
    attention_bias=False,
    mlp_bias=law(0),
    corrected=law(1),
    tie_word_embeddings=False,
    num_nextn_predict_layers=size("= 0", null=ABSENT, spellings=("num_mtp_layers",)),
    moe_layer_freq=1,
)


def _row(model_type: str, own: tuple[Size, ...], prefix: str, *notes: Said) -> Architecture:
    merges, layers = shapes.stacked(MLP, MLP), after_dense._replace(musts=(UNDIVIDED,) if own is SECOND else ())
    return Architecture(model_type, classes(prefix), "model", own, layers, components, tensors, merges, Notes(notes))


ARCHITECTURES = {
    "deepseek_v2": _row("deepseek_v2", SECOND, "DeepseekV2"),
    "deepseek_v3": _row("deepseek_v3", SIZES, "DeepseekV3", UNBUILT),
    "kimi_k2": _row("kimi_k2", SIZES, "DeepseekV3", ALIAS, UNBUILT),
}
"""Each model type of this file."""
