"""Latent attention: queries, and keys with values, come out of a vector of low rank each; then an MLP, or experts.

A family says in a `Latent` how it differs: whether there are experts, and beside them one that every token passes;
whether an indexer chooses what is attended to; which names its classes have.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import law, size, sizes
from gpt2calc.architectures.runs import Layers, after_dense
from gpt2calc.model import ABSENT, BIAS, BUFFER, LAW, Ahead, Architecture, Component, Merge, Size, Tensor, no_notes

if TYPE_CHECKING:
    from gpt2calc.model import LayersOf, Model, NotesOf

AT, MLP = "{layer}.self_attn", "{layer}.mlp"
all_dense = Layers("model.layers", kinds=((("dense", "True"),),))
"""An MLP in every layer."""


class Latent(NamedTuple):
    """How the layers of a family are built and named.

    Args:
        source: the beginning of transformers' class names, with their file.
        layers: which there are: with an MLP, with experts, with an indexer.
        dense: whether layers can have an MLP.
        sparse: whether they can have experts, and one that every token passes.
        indexed: whether they can have an indexer.
        number: the size that says how many experts there are.
        corrected: whether the router has a correction, which is a buffer.
        after: a norm after the experts, which files hold beside them; "" where there is none.
        embedding: the rest of the name of the class of the token embedding.
    """

    source: str
    layers: LayersOf = after_dense
    dense: bool = True
    sparse: bool = True
    indexed: bool = False
    number: str = "n_routed_experts"
    corrected: bool = True
    after: str = ""
    embedding: str = "Model"


def components(latent: Latent, model: Model) -> list[Component]:
    """Return the closed forms."""
    d, source, b = model.hidden_size, latent.source, model.mlp_bias
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, source + latent.embedding),
        *_attention(source, model),
        *(_indexer(f"{source}Indexer", model) if latent.indexed else ()),
        *closed_forms.gated_mlp(d, model.intermediate_size, f"{source}MLP", "dense", bias=b, times=int(latent.dense)),
        *(_experts(latent, model) if latent.sparse else ()),
        *closed_forms.two_norms(d, f"{source}DecoderLayer"),
        closed_forms.norm("norm", d, source=f"{source}Model"),
        *closed_forms.heads(model, source),
    ]


def _attention(source: str, model: Model) -> list[Component]:
    """Return attention of h heads whose queries have rank q, and whose keys and values have rank r.

    Law: queries d·q + q·h·(n + t) and a norm of q, or d·h·(n + t) without a rank; keys and values d·(r + t), a norm of
    r, r·h·(n + v); o_proj h·v·d; biases of what d goes into, and of o_proj.
    """
    d, h, q, r = model.hidden_size, model.num_attention_heads, model.q_lora_rank, model.kv_lora_rank
    n, t, v = model.qk_nope_head_dim, model.qk_rope_head_dim, model.v_head_dim
    low, bias = model.low_rank, model.attention_bias
    at = {"layers": "decoder", "source": f"{source}Attention"}
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


def _indexer(source: str, model: Model) -> list[Component]:
    """Return what chooses the tokens that are attended to: i heads of queries from rank q, j wide, and one of keys."""
    d, q, i, j = model.hidden_size, model.q_lora_rank, model.index_n_heads, model.index_head_dim
    at = {"layers": "indexed", "source": source}
    return [
        closed_forms.linear("self_attn.indexer.wq_b", "attention", q, i * j, **at),
        closed_forms.linear("self_attn.indexer.wk", "attention", d, j, **at),
        closed_forms.norm("self_attn.indexer.k_norm", j, 1, **at),
        closed_forms.linear("self_attn.indexer.weights_proj", "attention", d, i, **at),
    ]


def _experts(latent: Latent, model: Model) -> list[Component]:
    """Return a router, experts, and what every token passes, which is as wide as some experts together."""
    d, E, f, source = model.hidden_size, model.sizes[latent.number], model.moe_intermediate_size, latent.source
    return [
        closed_forms.router(d, E, f"{source}TopkRouter", "moe"),
        *closed_forms.experts(d, f, E, f"{source}Experts", "moe", used=model.num_experts_per_tok),
        *closed_forms.gated_mlp(
            d,
            model.n_shared_experts * f,
            f"{source}MLP",
            "moe",
            name="shared_experts",
            group="experts",
            bias=model.mlp_bias,
        ),
        *([closed_forms.norm(latent.after, d, layers="moe", source=f"{source}MoE")] if latent.after else []),
    ]


def tensors(latent: Latent, model: Model) -> list[Tensor]:
    """Return the tensors; the router stands after the experts."""
    width = model.hidden_size
    dense = {"bias": model.mlp_bias, "when": int(latent.dense)}
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *_attention_tensors(model),
        *(_indexer_tensors(model) if latent.indexed else ()),
        *shapes.gated_mlp(MLP, width, model.intermediate_size, "dense", **dense),
        *(_expert_tensors(latent, model) if latent.sparse else ()),
        *shapes.two_norms(width),
        shapes.norm("model.norm", "norm", width),
        *shapes.heads(model),
    ]


def _attention_tensors(model: Model) -> list[Tensor]:
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


def _indexer_tensors(model: Model) -> list[Tensor]:
    """Return the indexer, in the order of the module."""
    at, name, own = f"{AT}.indexer", "self_attn.indexer", {"layers": "indexed"}
    head, queries = model.index_head_dim, model.index_n_heads * model.index_head_dim
    return [
        *shapes.linear(f"{at}.wq_b", f"{name}.wq_b", queries, model.q_lora_rank, **own),
        *shapes.linear(f"{at}.wk", f"{name}.wk", head, model.hidden_size, **own),
        shapes.norm(f"{at}.k_norm", f"{name}.k_norm", head, **own),
        Tensor(f"{at}.k_norm.bias", f"{name}.k_norm", (head,), role=BIAS, **own),
        *shapes.linear(
            f"{at}.weights_proj", f"{name}.weights_proj", model.index_n_heads, model.hidden_size, plain=1, **own
        ),
    ]


def _expert_tensors(latent: Latent, model: Model) -> list[Tensor]:
    """Return experts, their router and what every token passes, in the order of the module."""
    width, count, inner = model.hidden_size, model.sizes[latent.number], model.moe_intermediate_size
    shared, own, correction = inner * model.n_shared_experts, latent.after, f"{MLP}.gate.e_score_correction_bias"
    return [
        *shapes.experts(MLP, width, inner, count, layers="moe"),
        *shapes.linear(f"{MLP}.gate", "router", count, width, layers="moe"),
        *([Tensor(correction, "router", (count,), "moe", role=BUFFER)] if latent.corrected else []),
        *shapes.gated_mlp(f"{MLP}.shared_experts", width, shared, "moe", name="shared_experts", bias=model.mlp_bias),
        *([shapes.norm(f"{{layer}}.{own}", own, width, layers="moe")] if own else []),
    ]


def ahead(source: str) -> Ahead:
    """Return the layers behind a model's own that predict further tokens: each has attention, experts, and copies.

    Source: deepseek-ai/DeepSeek-V3, README_WEIGHTS.md, and the header of its files, model.layers.61; zai-org/GLM-4.5.
    """
    return Ahead(
        frozenset({"decoder", "moe"}),
        lambda model: closed_forms.predicting(model.hidden_size, model.vocab_size, source),
        lambda model: shapes.predicting(model.hidden_size, model.vocab_size),
    )


def architecture(
    model_type: str, latent: Latent, named: dict[str, str], notes: NotesOf = no_notes, **stated: Any
) -> Architecture:
    """Return a model type of such layers; its sizes are DeepSeek-V3's where several share them, unless stated."""
    table: dict[str, Any] = {
        "kv_lora_rank": 512,
        "qk_nope_head_dim": 128,
        "qk_rope_head_dim": 64,
        "v_head_dim": 128,
        "attention_bias": False,
        "tie_word_embeddings": False,
        "low_rank": law("= int(q_lora_rank > 0)"),
        "mlp_bias": law(0),
    }
    given = stated | {name: value for name, value in table.items() if name not in stated}
    follow = {name: value for name, value in given.items() if isinstance(value, Size) and value.kind == LAW}
    own = sizes(**{name: value for name, value in given.items() if name not in follow}, **follow)
    rows = (latent.layers, partial(components, latent), partial(tensors, latent))
    merges: tuple[Merge, ...] = shapes.stacked(MLP, MLP) if latent.sparse else ()
    if own_norm := latent.after:
        merges += (Merge(f"{MLP}.{own_norm}.weight", (f"{{layer}}.{own_norm}.weight",)),)
    return Architecture(model_type, named, "model", own, *rows, merges, notes)


LOW = size(1536, null=0)
"""The rank of queries, which can be none; null says that there is none."""

ROUTED: dict[str, Any] = {
    "n_routed_experts": size(256, least=0),
    "num_experts": size("= n_routed_experts", null=ABSENT, letter="X"),
    "num_local_experts": size("= num_experts", letter="Y"),
}
"""How many experts there are, by three names of which the last that is given wins."""

INDEXED: dict[str, Any] = {
    "index_n_heads": size(64, letter="i", help="heads of the indexer"),
    "index_head_dim": size(128, letter="j", help="width of a head of the indexer"),
}
