"""What sizes are called, their letters, their kinds and what they are; an architecture states their defaults."""

from __future__ import annotations

from typing import Any

from gpt2calc.model import FIXED, FLAG, LAW, LIST, REFUSED, WORD, Size

PASSED = "experts that a token passes"
"""What shapes nothing; 0 and null say nothing of it, so that nothing is counted as active."""

_ROWS = (
    Size("vocab_size", letter="V", help="tokens"),
    Size("hidden_size", letter="d", help="width"),
    Size("intermediate_size", letter="m", help="width of the MLP"),
    Size("num_hidden_layers", letter="L", least=0, help="layers"),
    Size("num_attention_heads", letter="h", help="heads of queries"),
    Size("num_key_value_heads", letter="k", help="heads of keys and values"),
    Size("head_dim", letter="e", help="width of a head"),
    Size("max_position_embeddings", letter="T", help="positions"),
    Size("tie_word_embeddings", FLAG, help="the output head is the token embedding"),
    Size("attention_bias", FLAG, help="biases in attention"),
    Size("mlp_bias", FLAG, help="biases in the MLP"),
    Size("qkv_bias", FLAG, help="biases of queries, keys and values"),
    Size("qk_norm", FLAG, help="a norm of each head's queries and keys"),
    Size("num_experts", letter="E", help="experts of a layer"),
    Size("num_local_experts", letter="E", help="experts of a layer"),
    Size("n_routed_experts", letter="E", help="experts of a layer"),
    Size("num_experts_per_tok", null=0, least=0, help=PASSED),
    Size("moe_intermediate_size", letter="f", help="width of an expert"),
    Size("n_shared_experts", letter="S", least=0, help="experts that every token passes, in one MLP"),
    Size("num_shared_experts", letter="S", least=0, help="experts that every token passes, in one MLP"),
    Size("shared_expert_intermediate_size", letter="s", help="width of the shared expert"),
    Size("shared_intermediate_size", letter="s", help="width of the shared MLP"),
    Size("first_k_dense_replace", least=0, help="first layers without experts"),
    Size("decoder_sparse_step", help="every n-th layer has experts"),
    Size("mlp_only_layers", LIST, help="layers without experts"),
    Size("layer_types", LIST, help="the kind of each layer"),
    Size("mlp_layer_types", LIST, words=("dense", "sparse"), help="whether each layer has an MLP or experts"),
    Size("expert_layer_period", help="every n-th layer has experts"),
    Size("expert_layer_offset", least=0, help="the first layer with experts"),
    Size("attn_layer_period", help="every n-th layer is attention"),
    Size("attn_layer_offset", least=0, help="the first layer of attention"),
    Size("num_nextn_predict_layers", least=0, help="layers that predict tokens after the next, which are not counted"),
    Size("moe_layer_end_index", least=-1, help="the last layer that can have experts, -1 for the last of all"),
    Size("moe_layer_freq", FIXED, help="every n-th layer has experts"),
    Size("q_lora_rank", letter="q", help="rank of the queries"),
    Size("kv_lora_rank", letter="r", help="rank of the keys and values"),
    Size("qk_nope_head_dim", letter="n", help="width of a head's keys without positions"),
    Size("qk_rope_head_dim", letter="t", help="width of a head's keys with positions"),
    Size("v_head_dim", letter="v", help="width of a head's values"),
    Size("low_rank", LAW, help="whether queries have a rank"),
    Size("num_heads", letter="H", help="heads of the state space"),
    Size("mamba_n_heads", letter="H", help="heads of the state space"),
    Size("mamba_d_head", letter="P", help="width of a head of the state space"),
    Size("state_size", letter="N", help="states of a channel"),
    Size("mamba_d_state", letter="N", help="states of a channel"),
    Size("n_groups", letter="G", help="groups of the state space"),
    Size("mamba_n_groups", letter="G", help="groups of the state space"),
    Size("conv_kernel", letter="w", help="width of the convolution"),
    Size("mamba_d_conv", letter="w", help="width of the convolution"),
    Size("expand", help="channels of the state space by width"),
    Size("mamba_expand", help="channels of the state space by width"),
    Size("mamba_dt_rank", letter="R", help="rank of the time steps"),
    Size("use_bias", FLAG, help="biases of the state space's projections"),
    Size("mamba_proj_bias", FLAG, help="biases of the state space's projections"),
    Size("use_conv_bias", FLAG, help="a bias of the convolution"),
    Size("mamba_conv_bias", FLAG, help="a bias of the convolution"),
    Size("num_labels", letter="c", least=0, help="labels of a classification head"),
    Size("head", WORD, help="what stands on the body"),
    Size("lm_head", LAW, help="whether there is a language modeling head"),
    Size("score", LAW, help="whether there is a head that classifies sequences"),
)

GLOSSARY: dict[str, Size] = {row.name: row for row in _ROWS}
"""Each name that several architectures share."""

HEADS = ("lm", "none", "sequence_classification")
"""What can stand on a body, and is counted."""


def sizes(**defaults: Any) -> tuple[Size, ...]:
    """Return the sizes of an architecture, in this order, and those of its head after them.

    Args:
        defaults: a value, a law after "= ", or a `Size` of which what it states wins over the glossary.

    >>> sizes(hidden_size=4096, num_attention_heads=32, head_dim="= hidden_size // num_attention_heads")[0].letter
    'd'
    """
    heads = {
        "head": Size("head", WORD, "lm", words=HEADS),
        "num_labels": size(2),
        "lm_head": Size("lm_head", LAW, "= int(head == 'lm')"),
        "score": Size("score", LAW, "= int(head == 'sequence_classification')"),
    }
    return tuple(_row(name, default) for name, default in {**defaults, **heads}.items())


def size(default: Any = None, **stated: Any) -> Size:
    """Return what an architecture states of a size beyond its default; its name is put in by `sizes`."""
    return Size(**{"name": "", "default": default, "kind": "", "letter": "", "least": -1, "help": "", **stated})


def law(text: str | int, **stated: Any) -> Size:
    """Return a number that no document gives: a constant of the architecture, or what follows from other sizes."""
    return size(text, kind=LAW, **stated)


def _row(name: str, default: Any) -> Size:
    given = default if isinstance(default, Size) else size(default)
    shared = GLOSSARY.get(name, Size(name))
    kind = given.kind or (FLAG if isinstance(given.default, bool) else shared.kind)
    return given._replace(
        name=name,
        kind=kind,
        letter=given.letter or shared.letter,
        null=shared.null if given.null == REFUSED else given.null,
        words=given.words or shared.words,
        least=shared.least if given.least < 0 else given.least,
        help=given.help or shared.help,
    )


def classes(prefix: str, *, classifies: bool = True) -> dict[str, str]:
    """Return transformers' classes that are counted of a model type, each with its head.

    >>> classes("Llama")["LlamaModel"]
    'none'
    """
    found = {f"{prefix}ForCausalLM": "lm", f"{prefix}Model": "none"}
    return found | ({f"{prefix}ForSequenceClassification": "sequence_classification"} if classifies else {})
