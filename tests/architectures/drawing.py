"""Small random configs of each model type: sizes that differ, every flag both ways, fields given, absent and null.

The gate draws the same ones each time, a person new ones; GPT2CALC_EXAMPLES is how many of each model type. With 20 or
more, the tests that are samples by default try all they can.
"""

from __future__ import annotations

import os
import random
from functools import partial
from typing import TYPE_CHECKING, Any

from gpt2calc import architectures
from gpt2calc.architectures import caches

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

EXAMPLES = int(os.environ.get("GPT2CALC_EXAMPLES", "4"))
MANY = 20
THOROUGH = EXAMPLES >= MANY
SEED = random.randrange(10**6) if "GPT2CALC_EXAMPLES" in os.environ else 0

PADDING = {"pad_token_id": 1}
"""A token of which the default is no token of so few."""

NEEDED: dict[str, dict[str, Any]] = {
    "dots1": {"n_routed_experts": 128, "n_shared_experts": 2},
    "hunyuan_v1_dense": {"head_dim": 128},
    "hunyuan_v1_moe": {"head_dim": 128},
    "ministral": {"head_dim": 128},
    "nemotron": {"num_key_value_heads": 8},
}
"""What a document must say beyond its model type, where transformers has no default that it builds."""

SHALLOW: dict[str, dict[str, Any]] = {
    "gpt_neo": {"num_hidden_layers": 3, "attention_types": [[["global"], 3]]},
    "gemma3n_text": {"num_hidden_layers": 3, "num_kv_shared_layers": 0},
    "nemotron_h": {"hybrid_override_pattern": "ME*-"},
}
"""What a document says of three layers, where that is more than how many."""

ABSENT = object()
"""What stands for a field that is left out."""


class Draw:
    """The n-th draw of a model type."""

    def __init__(self, model_type: str, n: int) -> None:
        self.random = random.Random(f"{SEED} {model_type} {n}")
        self.name, self.n, self.flags = f"{SEED} {model_type}", n, 0

    def flag(self, *values: Any) -> Any:
        """Return one of k values, or of true and false: of k draws each has another, in an order of their own."""
        choices = values or (False, True)
        block, place = divmod(self.n, len(choices))
        self.flags += 1
        return random.Random(f"{self.name} {self.flags} {block}").sample(choices, len(choices))[place]

    def size(self, least: int, most: int) -> int:
        """Return a whole number from least to most."""
        return self.random.randint(least, most)

    def some(self, count: int, *words: str) -> list[str]:
        """Return a list of so many words."""
        return [self.random.choice(words) for _ in range(count)]


def least(model_type: str) -> dict[str, Any]:
    """Return a document that says no more than it must."""
    return {"model_type": model_type, **NEEDED.get(model_type, {})}


def configs(model_type: str, examples: int = EXAMPLES) -> Iterator[dict[str, Any]]:
    """Yield configs of a model type: each class by turns, tied and not, and with as many labels as there are or not."""
    classes = list(architectures.of(model_type).classes)
    for n in range(examples):
        round_, place = divmod(n, len(classes))
        yield config(model_type, n, round_) | {"architectures": [classes[place]]}


def config(model_type: str, n: int = 0, round_: int = 0) -> dict[str, Any]:
    """Return the n-th config of a model type; what concerns its head by the number of a round."""
    draw = Draw(model_type, n)
    fields: dict[str, Any] = {"vocab_size": draw.size(50, 90), "num_hidden_layers": 0 if n == 3 else draw.size(1, 5)}
    fields |= {"tie_word_embeddings": (True, False, ABSENT)[round_ % 3]}
    fields |= {"num_labels": (draw.size(3, 9), ABSENT)[round_ % 2]}
    fields |= DRAWN[model_type](draw, fields)
    return {"model_type": model_type} | {name: value for name, value in fields.items() if value is not ABSENT}


def _attention(draw: Draw, key_value: tuple[Any, ...] = (), head: tuple[Any, ...] = (ABSENT,)) -> dict[str, Any]:
    """Return heads of queries in groups, a width that they divide, and a head that is as wide as that, or is not."""
    keys, head_dim = draw.size(1, 3), 2 * draw.size(2, 9)
    heads = keys * draw.size(1, 3)
    given = draw.flag(keys, *key_value)
    return {
        "hidden_size": heads * 2 * draw.size(4, 12),
        "num_attention_heads": heads,
        "num_key_value_heads": given if given is not ABSENT or keys == heads else keys,
        "head_dim": draw.flag(head_dim, *head),
        "intermediate_size": draw.size(11, 99),
    }


def _llama(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    heads = _attention(draw, (None, ABSENT), (None, ABSENT))
    return heads | {"attention_bias": draw.flag(False, True, ABSENT), "mlp_bias": draw.flag()}


def _mistral(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    return _attention(draw, head=(None, ABSENT)) | {"sliding_window": draw.flag(None, 8)}


def _qwen2(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    return _attention(draw, (None,)) | {"use_sliding_window": draw.flag()}


def _qwen3(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    return _attention(draw, (None,)) | {"attention_bias": draw.flag(False, True, ABSENT)}


def _experts(draw: Draw, *names: str, least: int = 1) -> dict[str, Any]:
    """Return a number of experts under one of its names."""
    return {draw.flag(*names): draw.size(least, 5), "num_experts_per_tok": 1}


def _mixtral(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    return _attention(draw, head=(None, ABSENT)) | _experts(draw, "num_local_experts", "num_experts")


def _sparse(draw: Draw, layers: int) -> dict[str, Any]:
    """Return which layers have experts: a period and exceptions, of which some are layers and some are not."""
    dense = [draw.size(-2, 8) for _ in range(draw.size(0, 3))]
    return {
        "decoder_sparse_step": draw.flag(1, 2, 3, layers + 2, ABSENT),
        "mlp_only_layers": draw.flag(dense, None, ABSENT),
        "moe_intermediate_size": draw.size(5, 30),
    }


def _qwen2_moe(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _sparse(draw, fields["num_hidden_layers"]) | _experts(draw, "num_experts", "num_experts", least=0)
    shared = {"shared_expert_intermediate_size": draw.size(31, 60), "qkv_bias": draw.flag(False, True, ABSENT)}
    return _attention(draw) | own | shared


def _qwen3_moe(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _sparse(draw, fields["num_hidden_layers"]) | _experts(draw, "num_experts", "num_local_experts", least=0)
    return _attention(draw) | own | {"attention_bias": draw.flag(False, True, ABSENT)}


def _latent(draw: Draw, *rank: Any) -> dict[str, Any]:
    """Return latent attention, whose queries can have no rank where that is among what is given."""
    heads = draw.size(1, 6)
    return PADDING | {
        "hidden_size": heads * draw.size(5, 15),
        "intermediate_size": draw.size(61, 99),
        "num_attention_heads": heads,
        "num_key_value_heads": heads,
        "q_lora_rank": draw.flag(*rank, draw.size(2, 20)),
        "kv_lora_rank": draw.size(21, 40),
        "qk_nope_head_dim": draw.size(2, 20),
        "qk_rope_head_dim": 2 * draw.size(1, 9),
        "v_head_dim": draw.size(2, 20),
        "attention_bias": draw.flag(False, True, ABSENT),
    }


def _latent_experts(draw: Draw, *names: str) -> dict[str, Any]:
    """Return experts in groups, under one of the names of how many they are."""
    return {
        "moe_intermediate_size": draw.size(5, 9),
        "n_shared_experts": draw.flag(0, 1, 2, 3, ABSENT),
        draw.flag(*names): 4 * draw.size(1, 2),
        "n_group": 2,
        "topk_group": 1,
        "num_experts_per_tok": 2,
    }


def _deepseek_v3(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _latent(draw, None) | _latent_experts(draw, "n_routed_experts", "num_local_experts")
    return own | {
        "hidden_size": draw.size(10, 60),
        "first_k_dense_replace": draw.flag(0, 1, 2, fields["num_hidden_layers"] + 1, ABSENT),
        "head_dim": draw.flag(ABSENT, 64),
        draw.flag("num_nextn_predict_layers", "num_mtp_layers"): draw.flag(0, 1, 2, ABSENT),
    }


def _kinds(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    """Return which layers have experts, and how many first ones have none where no list says so."""
    count = fields["num_hidden_layers"]
    return {
        "mlp_layer_types": draw.flag(draw.some(count, "dense", "sparse"), None, ABSENT),
        "first_k_dense_replace": draw.flag(0, 1, 2, count + 1, ABSENT),
    }


def _deepseek_v32(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    experts = _latent_experts(draw, "n_routed_experts", "num_local_experts")
    index = {
        "num_experts": draw.flag(4 * draw.size(1, 2), None, ABSENT),
        "index_n_heads": draw.size(1, 5),
        "index_head_dim": draw.size(19, 30),
    }
    return _latent(draw) | experts | _kinds(draw, fields) | index


def _glm_moe_dsa(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    return _deepseek_v32(draw, fields) | {
        "indexer_types": draw.flag(draw.some(fields["num_hidden_layers"], "full", "shared"), None, ABSENT),
        "index_topk_freq": draw.flag(0, 1, 2, 3, ABSENT),
        "index_skip_topk_offset": draw.flag(0, 1, 3, 7, ABSENT),
    }


def _glm4_moe_lite(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _latent(draw, None) | _latent_experts(draw, "n_routed_experts", "num_local_experts")
    own |= _kinds(draw, fields) | {"first_k_dense_replace": ABSENT}
    if not fields["num_hidden_layers"]:
        own |= {"mlp_layer_types": []}  # where transformers gives the first of no layers an MLP
    rotary = own.pop("qk_rope_head_dim")
    return own | {draw.flag("qk_rope_head_dim", "head_dim"): rotary}


def _axk1(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _latent(draw) | _latent_experts(draw, "n_routed_experts", "num_local_experts")
    return own | _kinds(draw, fields) | {"moe_layer_freq": draw.flag(1, 2, 3, ABSENT)}


def _minicpm3(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    own = _latent(draw, None) | _flags(draw, "mlp_bias")
    return own | {"v_head_dim": draw.flag(own["v_head_dim"], None, ABSENT)}


def _youtu(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    return _latent(draw, None)


def _mamba2(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    groups, expand, head_dim = draw.size(1, 3), draw.size(1, 3), draw.size(2, 9)
    heads = groups * expand * draw.size(1, 3)
    return {
        "hidden_size": heads * head_dim // expand,
        "num_heads": heads,
        "head_dim": head_dim,
        "expand": expand if expand != 2 else draw.flag(2, ABSENT),
        "n_groups": groups,
        "state_size": draw.size(2, 20),
        "conv_kernel": draw.flag(2, 3, 5, ABSENT),
        "use_bias": draw.flag(False, True, ABSENT),
        "use_conv_bias": draw.flag(False, True, ABSENT),
    }


def _granitemoehybrid(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _attention(draw, (None, ABSENT))
    layers, width = fields["num_hidden_layers"], own["hidden_size"]
    kinds = draw.some(layers, "mamba", "attention", "linear_attention", "full_attention")
    expand, heads = draw.flag(1, 2, 3), draw.flag(1, 2, own["num_attention_heads"])
    return own | {
        draw.flag("layer_types", "layers_block_type"): draw.flag(kinds, kinds, ABSENT),
        "num_local_experts": draw.size(0, 4),
        "num_experts_per_tok": 1,
        "shared_intermediate_size": draw.size(100, 130),
        "attention_bias": draw.flag(False, True, ABSENT),
        "mamba_expand": expand,
        "mamba_n_heads": heads,
        "mamba_d_head": draw.flag("auto", expand * width // heads, ABSENT),
        "mamba_n_groups": draw.flag(1, 2, 3, ABSENT),
        "mamba_d_state": draw.size(2, 20),
        "mamba_d_conv": draw.flag(2, 3, 5, ABSENT),
        "mamba_proj_bias": draw.flag(False, True, None, ABSENT),
        "mamba_conv_bias": draw.flag(False, True, None, ABSENT),
    }


def _jamba(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    attention, experts = draw.size(1, 4), draw.size(1, 3)
    return (
        _attention(draw)
        | _experts(draw, "num_experts", "num_local_experts", least=0)
        | {
            "attn_layer_period": attention,
            "attn_layer_offset": draw.size(0, attention - 1),
            "expert_layer_period": experts,
            "expert_layer_offset": draw.size(0, experts - 1),
            "mamba_expand": draw.flag(1, 2, 3, ABSENT),
            "mamba_d_state": draw.size(2, 20),
            "mamba_d_conv": draw.flag(2, 3, 5, ABSENT),
            "mamba_dt_rank": draw.flag("auto", draw.size(1, 12), ABSENT),
            "mamba_proj_bias": draw.flag(False, True, ABSENT),
            "mamba_conv_bias": draw.flag(False, True, ABSENT),
        }
    )


def _flags(draw: Draw, *names: str) -> dict[str, Any]:
    """Return flags that are true, false or absent."""
    return {name: draw.flag(False, True, ABSENT) for name in names}


def _without_head(draw: Draw, key_value: tuple[Any, ...] = ()) -> dict[str, Any]:
    """Return what attention has where no field says how wide a head is."""
    return {name: value for name, value in _attention(draw, key_value).items() if name != "head_dim"}


NULL, LEFT_OUT = (None, ABSENT), (ABSENT,)
DECODERS: dict[str, tuple[tuple[Any, ...], tuple[Any, ...], tuple[str, ...]]] = {
    "apertus": (NULL, LEFT_OUT, ("attention_bias",)),
    "arcee": (NULL, NULL, ("attention_bias", "mlp_bias")),
    "cohere": (NULL, LEFT_OUT, ("attention_bias",)),
    "cohere2": (NULL, LEFT_OUT, ("attention_bias",)),
    "ernie4_5": ((None,), NULL, ()),
    "exaone4": ((), LEFT_OUT, ()),
    "gemma": ((), LEFT_OUT, ("attention_bias",)),
    "gemma2": ((), LEFT_OUT, ("attention_bias",)),
    "gemma3_text": ((), LEFT_OUT, ("attention_bias",)),
    "glm": ((), LEFT_OUT, ("attention_bias",)),
    "glm4": ((), LEFT_OUT, ("attention_bias",)),
    "bitnet": ((None,), LEFT_OUT, ("attention_bias",)),
    "cwm": ((), LEFT_OUT, ("mlp_bias",)),
    "granite": (NULL, LEFT_OUT, ("attention_bias", "mlp_bias")),
    "granite_swa": ((None,), LEFT_OUT, ("attention_bias", "mlp_bias")),
    "hyperclovax": (NULL, NULL, ("attention_bias", "mlp_bias", "use_post_norm")),
    "iquestcoder": ((None,), NULL, ("attention_bias", "mlp_bias")),
    "jais2": (NULL, NULL, ("attention_bias", "mlp_bias")),
    "nanochat": (NULL, LEFT_OUT, ("attention_bias",)),
    "vaultgemma": ((), LEFT_OUT, ("attention_bias",)),
    "helium": ((), LEFT_OUT, ("attention_bias", "mlp_bias")),
    "hunyuan_v1_dense": (NULL, (), ("attention_bias",)),
    "ministral": ((), (), ()),
    "ministral3": ((), LEFT_OUT, ()),
    "nemotron": ((), NULL, ("attention_bias", "mlp_bias")),
    "olmo": (NULL, LEFT_OUT, ("attention_bias",)),
    "olmo2": (NULL, LEFT_OUT, ("attention_bias",)),
    "olmo3": (NULL, LEFT_OUT, ("attention_bias",)),
    "phi": (NULL, LEFT_OUT, ("qk_layernorm",)),
    "phi3": (NULL, LEFT_OUT, ()),
    "seed_oss": ((None,), NULL, ("attention_bias", "attention_out_bias", "mlp_bias")),
    "smollm3": ((None,), LEFT_OUT, ("attention_bias", "mlp_bias")),
    "starcoder2": ((), NULL, ("use_bias",)),
}
"""Of decoders, what the heads of keys and values, and the width of a head, can be but numbers; and their flags."""


def _decoder(model_type: str, draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    keys, head, flags = DECODERS[model_type]
    return PADDING | _attention(draw, keys, head) | _flags(draw, *flags)


def _diffllama(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    """Return twice as many heads of keys and values, since there must be two or more, and even."""
    heads = _attention(draw, head=NULL)
    twice = {name: 2 * heads[name] for name in ("hidden_size", "num_attention_heads", "num_key_value_heads")}
    alike = {"num_key_value_heads": draw.flag(None, ABSENT, 2)} if draw.flag() else {}
    return PADDING | heads | twice | alike | _flags(draw, "attention_bias")


def _cohere(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    return _decoder("cohere", draw, fields) | {"use_qk_norm": draw.flag(False, True, None, ABSENT)}


def _ernie4_5(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    return _decoder("ernie4_5", draw, fields) | {"use_bias": draw.flag(False, True, None, ABSENT)}


def _internlm3(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    names = draw.flag("attention_bias", "qkv_bias"), draw.flag("mlp_bias", "bias")
    return PADDING | _attention(draw, (None,), NULL) | dict.fromkeys(names, draw.flag(True, False, ABSENT))


def _stablelm(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    flags = _flags(draw, "use_qkv_bias", "qk_layernorm", "use_parallel_residual")
    return _without_head(draw) | flags | {"partial_rotary_factor": 0.5}


def _plain(draw: Draw, inner: str = "", width: tuple[str, ...] = (), heads: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a width that heads divide, under their names, and that of an MLP, where it has one."""
    count = 2 * draw.size(1, 4)
    found: dict[str, Any] = {
        draw.flag("hidden_size", *width): count * 2 * draw.size(1, 9),
        draw.flag("num_attention_heads", *heads): count,
    }
    return PADDING | found | ({inner: draw.size(11, 99)} if inner else {})


def _layers(draw: Draw, fields: dict[str, Any], *names: str) -> dict[str, Any]:
    """Return the number of layers, under another of its names."""
    return {"num_hidden_layers": ABSENT, draw.flag("num_hidden_layers", *names): fields["num_hidden_layers"]}


def _gpt_neox(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    return _plain(draw, "intermediate_size") | _flags(draw, "attention_bias")


def _gptj(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = {"n_inner": draw.flag(draw.size(11, 99), None, ABSENT), "rotary_dim": 2}
    return _plain(draw, "", ("n_embd",), ("n_head",)) | own | _layers(draw, fields, "n_layer")


def _codegen(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    heads = {"num_attention_heads": ABSENT, "n_head": 4, "hidden_size": ABSENT, "n_embd": 4 * 2 * draw.size(1, 9)}
    return _gptj(draw, fields) | heads


def _gpt_neo(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    count = fields["num_hidden_layers"]
    own = {
        "intermediate_size": draw.flag(draw.size(11, 99), None, ABSENT),
        "max_position_embeddings": draw.size(11, 99),
        "attention_types": [[["global"], count]],
    }
    return _plain(draw, "", (), ("num_heads",)) | own | _layers(draw, fields, "num_layers")


def _bloom(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    return _plain(draw, "", ("n_embed",), ("n_head",)) | _layers(draw, fields, "n_layer")


def _mpt(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    return _plain(draw, "", ("d_model",), ("n_heads",)) | _layers(draw, fields, "n_layers")


def _gpt_bigcode(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    inner = {"n_inner": draw.flag(draw.size(11, 99), None, ABSENT)}
    return _openai_gpt(draw, fields) | inner | _flags(draw, "multi_query")


def _openai_gpt(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    positions = {draw.flag("max_position_embeddings", "n_positions"): draw.size(11, 99)}
    return _plain(draw, "", ("n_embd",), ("n_head",)) | positions | _layers(draw, fields, "n_layer")


def _opt(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    flags = _flags(draw, "enable_bias", "layer_norm_elementwise_affine", "do_layer_norm_before")
    return (
        _plain(draw, "ffn_dim")
        | flags
        | {
            "max_position_embeddings": draw.size(11, 99),
            "word_embed_proj_dim": draw.flag(draw.size(11, 99), None, ABSENT),
            "_remove_final_layer_norm": draw.flag(),
        }
    )


def _biogpt(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    return _plain(draw, "intermediate_size") | {"max_position_embeddings": draw.size(11, 99)}


def _xglm(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    return _plain(draw, "ffn_dim", ("d_model",), ("attention_heads",)) | _layers(draw, fields, "num_layers")


def _falcon(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    either = (False, True, None, ABSENT)
    flags = {name: draw.flag(*either) for name in ("multi_query", "parallel_attn", "new_decoder_architecture", "bias")}
    return (
        _plain(draw, "", ("n_embed",))
        | flags
        | {
            "num_kv_heads": draw.flag(draw.size(1, 9), None, ABSENT),
            "ffn_hidden_size": draw.flag(draw.size(11, 99), None, ABSENT),
            "num_ln_in_parallel_attn": draw.flag(1, 2, None, ABSENT),
        }
    )


def _persimmon(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    return _plain(draw, "intermediate_size") | _flags(draw, "qk_layernorm")


def _everywhere(
    draw: Draw, _: dict[str, Any], keys: tuple[Any, ...], head: tuple[Any, ...], *names: str
) -> dict[str, Any]:
    """Return attention with experts in every layer, under one of the names of how many they are."""
    return PADDING | _attention(draw, keys, head) | _experts(draw, *names)


def _olmoe(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _everywhere(draw, fields, NULL, LEFT_OUT, "num_experts", "num_local_experts")
    return own | _flags(draw, "attention_bias")


def _phimoe(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _everywhere(draw, fields, (), LEFT_OUT, "num_local_experts")
    return own | _flags(draw, "attention_bias", "lm_head_bias")


def _granitemoe(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    return _everywhere(draw, fields, NULL, LEFT_OUT, "num_local_experts") | _flags(draw, "attention_bias")


def _granitemoeshared(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    return _granitemoe(draw, fields) | {"shared_intermediate_size": draw.flag(0, draw.size(31, 60), ABSENT)}


def _listed(
    draw: Draw, fields: dict[str, Any], shared: tuple[int, ...], *names: str, keys: tuple[Any, ...] = ()
) -> dict[str, Any]:
    """Return attention with experts in the layers of a list, or else after the first; and how many all tokens pass."""
    own = _everywhere(draw, fields, keys, LEFT_OUT, *names) | _kinds(draw, fields)
    return own | {"moe_intermediate_size": draw.size(5, 9), "num_shared_experts": draw.flag(*shared, ABSENT)}


def _exaone_moe(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    return _listed(draw, fields, (0, 1, 3), "num_experts")


def _hy_v3(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _listed(draw, fields, (1, 3), "num_experts", "num_local_experts")
    return own | {"first_k_dense_replace": ABSENT} | _flags(draw, "attention_bias", "mlp_bias")


def _mellum(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _listed(draw, fields, (), "num_experts", "num_local_experts") | _flags(draw, "attention_bias")
    own |= {"first_k_dense_replace": ABSENT, "num_shared_experts": ABSENT}
    return own | {draw.flag("num_nextn_predict_layers", "num_mtp_layers"): draw.flag(0, 1, None, ABSENT)}


def _solar_open(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _everywhere(draw, fields, (), LEFT_OUT, "n_routed_experts", "num_local_experts")
    sizes = {"moe_intermediate_size": draw.size(5, 9), "n_shared_experts": draw.flag(0, 1, 3, ABSENT)}
    return own | sizes | {"intermediate_size": ABSENT} | _flags(draw, "attention_bias")


def _aria_text(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _everywhere(draw, fields, NULL, NULL, "moe_num_experts") | _flags(draw, "attention_bias", "mlp_bias")
    return own | {"num_experts_per_tok": ABSENT, "moe_topk": 1, "moe_num_shared_experts": draw.flag(0, 1, 3, ABSENT)}


def _cohere2_moe(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _listed(draw, fields, (0, 1, 3), "num_experts", keys=NULL) | _flags(draw, "attention_bias")
    inner = {"prefix_dense_intermediate_size": draw.flag(draw.size(100, 130), None, ABSENT)}
    first = draw.flag(0, 1, ABSENT) if fields["num_hidden_layers"] else 0
    return own | inner | {"moe_intermediate_size": ABSENT, "first_k_dense_replace": first}


def _afmoe(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _listed(draw, fields, (0, 1, 3), "num_experts", keys=NULL) | _flags(draw, "attention_bias")
    dense = {"num_dense_layers": own["first_k_dense_replace"]}
    return own | dense | {"first_k_dense_replace": ABSENT, "mlp_layer_types": ABSENT}


def _recurrent_gemma(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = PADDING | _attention(draw, NULL, LEFT_OUT) | _flags(draw, "attention_bias")
    return own | {
        "num_hidden_layers": max(fields["num_hidden_layers"], 1),  # by which transformers divides
        "block_types": draw.flag(
            draw.some(draw.size(1, 3), "recurrent", "attention"), ["attention", "recurrent"], ABSENT
        ),
        "lru_width": draw.flag(draw.size(9, 40), None, ABSENT),
        "conv1d_width": draw.flag(2, 3, ABSENT),
    }


def _falcon_h1(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    own = PADDING | _attention(draw, (None,), LEFT_OUT) | _flags(draw, "attention_bias", "mlp_bias")
    heads, head = draw.size(1, 4), 2 * draw.size(1, 4)
    wide = draw.flag(heads * head, heads * head, None)
    if wide is None:
        heads = own["num_attention_heads"]
    head = draw.flag("auto", head if wide else 2 * own["hidden_size"] // heads, ABSENT)
    flags = {name: draw.flag(False, True, None, ABSENT) for name in ("mamba_proj_bias", "mamba_conv_bias")}
    flags |= {name: draw.flag(False, True, None, ABSENT) for name in ("mamba_rms_norm", "projectors_bias")}
    return (
        own
        | flags
        | {
            "mamba_d_ssm": wide,
            "mamba_expand": draw.flag(2, ABSENT) if wide is None else draw.flag(1, 3, ABSENT),
            "mamba_n_heads": heads,
            "mamba_d_head": head,
            "mamba_n_groups": draw.flag(1, 2, ABSENT),
            "mamba_d_state": draw.size(2, 20),
            "mamba_d_conv": draw.flag(2, 3, ABSENT),
        }
    )


def _that_can_share(draw: Draw, kinds: list[str]) -> int:
    """Return how many last layers take the keys and values of others, of which there must be some of each kind."""
    shared = draw.flag(0, 1, 2)
    return shared if shared <= len(kinds) and {*kinds[: len(kinds) - shared]} == {*kinds} else 0


def _gemma3n_text(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    count = fields["num_hidden_layers"]
    own = PADDING | _attention(draw, (), LEFT_OUT) | _flags(draw, "attention_bias")
    inner = draw.size(11, 99)
    kinds = draw.flag(draw.some(count, "sliding_attention", "full_attention"), ABSENT)
    real = [f"{'full' if i % 5 == 4 else 'sliding'}_attention" for i in range(count)] if kinds is ABSENT else kinds
    return own | {
        "intermediate_size": draw.flag(inner, [inner] * count) if count else inner,
        "layer_types": kinds,
        "num_kv_shared_layers": _that_can_share(draw, real),
        "vocab_size_per_layer_input": draw.size(30, 49),
        "hidden_size_per_layer_input": draw.size(2, 9),
        "altup_num_inputs": draw.flag(2, 3, ABSENT),
        "laurel_rank": draw.size(2, 9),
    }


def _gemma4_text(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    count, own = fields["num_hidden_layers"], _gemma3n_text(draw, fields)
    own |= {"intermediate_size": draw.size(11, 99), "altup_num_inputs": ABSENT, "laurel_rank": ABSENT}
    layers = {"layer_types": draw.flag(["full_attention"] * count, own["layer_types"])}
    kinds = ["sliding_attention"] * count if layers["layer_types"] is ABSENT else layers["layer_types"]
    layers |= {"num_kv_shared_layers": _that_can_share(draw, [*kinds[:-1], *["full_attention"] * (count > 0)])}
    return (
        own
        | layers
        | {
            "hidden_size_per_layer_input": draw.flag(0, draw.size(2, 9), ABSENT),
            "global_head_dim": draw.flag(2 * draw.size(2, 9), ABSENT),
            "num_global_key_value_heads": draw.flag(own["num_attention_heads"], None, ABSENT),
            "num_experts": draw.size(1, 4),
            "top_k_experts": 1,
            "moe_intermediate_size": draw.size(5, 9),
        }
        | _flags(draw, "attention_k_eq_v", "enable_moe_block", "use_double_wide_mlp")
    )


def _gpt_oss(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _everywhere(draw, fields, (), LEFT_OUT, "num_local_experts", "num_experts")
    return own | _flags(draw, "attention_bias")


def _minimax_m2(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    return _everywhere(draw, fields, (), LEFT_OUT, "num_local_experts", "num_experts")


def _hunyuan_v1_moe(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _everywhere(draw, fields, NULL, (), "num_experts", "num_local_experts")
    return own | _flags(draw, "attention_bias") | {"num_experts_per_tok": ABSENT, "moe_topk": 1}


def _first_dense(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    """Return experts in all but the first layers."""
    return {
        draw.flag("n_routed_experts", "num_local_experts"): draw.size(1, 5),
        "num_experts_per_tok": 1,
        "moe_intermediate_size": draw.size(5, 9),
        "n_shared_experts": draw.flag(1, 2, 3),
        "first_k_dense_replace": draw.flag(0, 1, 2, fields["num_hidden_layers"] + 1, ABSENT),
    }


def _glm4_moe(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = PADDING | _attention(draw, (), LEFT_OUT) | _first_dense(draw, fields)
    layers = {draw.flag("num_nextn_predict_layers", "num_mtp_layers"): draw.flag(0, 1, 2, ABSENT)}
    return own | layers | _flags(draw, "attention_bias", "use_qk_norm")


def _dots1(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    return PADDING | _attention(draw, (None,), LEFT_OUT) | _first_dense(draw, fields) | _flags(draw, "attention_bias")


def _deepseek_v2(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _deepseek_v3(draw, fields) | _flags(draw, "mlp_bias")
    own |= {"hidden_size": own["num_attention_heads"] * draw.size(5, 15), "num_local_experts": ABSENT}
    return own | {"n_routed_experts": ABSENT, draw.flag("n_routed_experts", "num_experts"): 4 * draw.size(1, 2)}


def _llama4_text(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    listed = sorted({draw.size(0, 6) for _ in range(draw.size(0, 4))})
    own = _everywhere(draw, fields, (), LEFT_OUT, "num_local_experts") | _flags(draw, "attention_bias")
    return own | {
        "intermediate_size_mlp": draw.size(100, 130),
        "moe_layers": draw.flag(listed, None, ABSENT, ABSENT),
        "interleave_moe_layer_step": draw.flag(1, 2, 3, ABSENT),
    }


def _ernie4_5_moe(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    count = fields["num_hidden_layers"]
    return (
        PADDING
        | _attention(draw, (), LEFT_OUT)
        | {
            draw.flag("moe_num_experts", "num_experts"): draw.size(1, 5),
            "moe_k": 1,
            "moe_intermediate_size": draw.size(5, 9),
            "moe_num_shared_experts": draw.flag(0, 1, 3, ABSENT),
            "moe_layer_start_index": draw.flag(0, 1, 2, count + 1, ABSENT),
            "moe_layer_end_index": draw.flag(-1, 0, 2, count + 1, ABSENT),
            "moe_layer_interval": draw.flag(1, 2, 3, ABSENT),
            "use_bias": draw.flag(False, True, None, ABSENT),
        }
    )


def _mamba(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    return PADDING | {
        "hidden_size": draw.size(10, 60),
        "expand": draw.flag(1, 2, 3, ABSENT),
        "intermediate_size": draw.flag(draw.size(11, 99), ABSENT, ABSENT),
        "state_size": draw.size(2, 20),
        "conv_kernel": draw.flag(2, 3, 5, ABSENT),
        "time_step_rank": draw.flag("auto", draw.size(1, 12), ABSENT),
        "use_bias": draw.flag(False, True, ABSENT),
        "use_conv_bias": draw.flag(False, True, ABSENT),
    }


def _bamba(draw: Draw, _: dict[str, Any]) -> dict[str, Any]:
    own = PADDING | _attention(draw, (None,), LEFT_OUT) | _flags(draw, "attention_bias", "mlp_bias")
    expand, heads = draw.flag(1, 2, 3), draw.flag(1, 2, own["num_attention_heads"])
    attention = sorted({draw.size(0, 6) for _ in range(draw.size(0, 4))})
    return own | {
        "attn_layer_indices": draw.flag(attention, attention, None, ABSENT),
        "mamba_expand": expand,
        "mamba_n_heads": heads,
        "mamba_d_head": draw.flag("auto", expand * own["hidden_size"] // heads, ABSENT),
        "mamba_n_groups": draw.flag(1, 2, 3, ABSENT),
        "mamba_d_state": draw.size(2, 20),
        "mamba_d_conv": draw.flag(2, 3, 5, ABSENT),
        "mamba_proj_bias": draw.flag(False, True, None, ABSENT),
        "mamba_conv_bias": draw.flag(False, True, None, ABSENT),
    }


def _delta_net(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    layers = fields["num_hidden_layers"]
    kinds = draw.some(layers, "linear_attention", "full_attention", "mamba", "attention")
    return _attention(draw, (), LEFT_OUT) | {
        "layer_types": draw.flag(kinds, None, ABSENT),
        "full_attention_interval": draw.flag(1, 2, 3, ABSENT),
        "linear_num_key_heads": draw.size(1, 5),
        "linear_num_value_heads": draw.size(1, 5),
        "linear_key_head_dim": draw.size(2, 9),
        "linear_value_head_dim": draw.size(2, 9),
        "linear_conv_kernel_dim": draw.flag(2, 3, 5, ABSENT),
        "attention_bias": draw.flag(False, True, ABSENT),
    }


def _qwen3_next(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    own = _delta_net(draw, fields) | _sparse(draw, fields["num_hidden_layers"])
    return own | _experts(draw, "num_experts", least=0) | {"shared_expert_intermediate_size": draw.size(31, 60)}


def _qwen3_5_moe_text(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    sizes = {"moe_intermediate_size": draw.size(5, 30), "shared_expert_intermediate_size": draw.size(31, 60)}
    return PADDING | _delta_net(draw, fields) | _experts(draw, "num_experts") | sizes


def _nemotron_h(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    layers = fields["num_hidden_layers"] + 1
    words = draw.some(layers, "mamba", "attention", "linear_attention", "full_attention", "moe", "mlp")
    kinds = {draw.flag("layers_block_type", "layer_types"): words}
    letters = {"hybrid_override_pattern": "".join(draw.some(layers, *"ME*-"))}
    given: dict[str, Any] = draw.flag(kinds, letters, {})
    own = PADDING | _attention(draw, (), LEFT_OUT) | _flags(draw, "use_bias", "mlp_bias") | given
    return own | {
        "num_hidden_layers": draw.flag(layers if given else ABSENT, ABSENT, None),
        "tie_word_embeddings": ABSENT,
        "mamba_num_heads": draw.size(1, 9),
        "mamba_head_dim": draw.size(2, 9),
        draw.flag("n_groups", "mamba_n_groups"): draw.size(1, 4),
        "ssm_state_size": draw.size(2, 20),
        draw.flag("conv_kernel", "mamba_d_conv"): draw.size(2, 6),
        draw.flag("use_conv_bias", "mamba_conv_bias"): draw.flag(),
        draw.flag("n_routed_experts", "num_local_experts"): draw.size(1, 5),
        "n_group": 1,
        "num_experts_per_tok": 1,
        "moe_intermediate_size": draw.size(5, 9),
        "moe_shared_expert_intermediate_size": draw.size(31, 60),
        "moe_latent_size": draw.flag(draw.size(3, 9), None, ABSENT),
        "num_nextn_predict_layers": draw.flag(0, 1, ABSENT),
    }


def _lfm2(draw: Draw, fields: dict[str, Any]) -> dict[str, Any]:
    layers = fields["num_hidden_layers"]
    own = PADDING | _attention(draw, (), LEFT_OUT)
    width = own.pop("intermediate_size")
    tied = fields["tie_word_embeddings"]
    return own | {
        draw.flag("intermediate_size", "block_ff_dim"): width,
        "block_auto_adjust_ff_dim": draw.flag(False, True, ABSENT),
        "block_multiple_of": draw.flag(1, 5, 16, ABSENT),
        "layer_types": draw.flag(draw.some(layers, "conv", "full_attention"), None, ABSENT),
        "full_attn_idxs": draw.flag(sorted({draw.size(0, 6) for _ in range(3)}), [], None, ABSENT),
        "conv_L_cache": draw.flag(2, 5, ABSENT),
        "conv_bias": draw.flag(),
        "tie_word_embeddings": ABSENT,
        draw.flag("tie_word_embeddings", "tie_embedding"): tied,
    }


DRAWN: dict[str, Callable[[Draw, dict[str, Any]], dict[str, Any]]] = {
    **{name: partial(_decoder, name) for name in DECODERS},
    "cohere": _cohere,
    "diffllama": _diffllama,
    "ernie4_5": _ernie4_5,
    "internlm3": _internlm3,
    "stablelm": _stablelm,
    "lfm2": _lfm2,
    "nemotron_h": _nemotron_h,
    "bamba": _bamba,
    "falcon_mamba": _mamba,
    "mamba": _mamba,
    "qwen3_next": _qwen3_next,
    "qwen3_5_text": _delta_net,
    "qwen3_5_moe_text": _qwen3_5_moe_text,
    "deepseek_v2": _deepseek_v2,
    "dots1": _dots1,
    "ernie4_5_moe": _ernie4_5_moe,
    "glm4_moe": _glm4_moe,
    "gpt_oss": _gpt_oss,
    "afmoe": _afmoe,
    "aria_text": _aria_text,
    "cohere2_moe": _cohere2_moe,
    "exaone_moe": _exaone_moe,
    "flex_olmo": _olmoe,
    "hy_v3": _hy_v3,
    "mellum": _mellum,
    "solar_open": _solar_open,
    "granitemoe": _granitemoe,
    **dict.fromkeys(("granitemoe_swa", "granitemoeshared"), _granitemoeshared),
    "hunyuan_v1_moe": _hunyuan_v1_moe,
    "llama4_text": _llama4_text,
    "minimax_m2": _minimax_m2,
    "olmoe": _olmoe,
    "phimoe": _phimoe,
    "biogpt": _biogpt,
    "bloom": _bloom,
    "codegen": _codegen,
    "falcon": _falcon,
    "gpt_bigcode": _gpt_bigcode,
    "gpt_neo": _gpt_neo,
    "gpt_neox": _gpt_neox,
    "gemma3n_text": _gemma3n_text,
    "gemma4_text": _gemma4_text,
    "falcon_h1": _falcon_h1,
    "gptj": _gptj,
    "recurrent_gemma": _recurrent_gemma,
    "mpt": _mpt,
    "openai-gpt": _openai_gpt,
    "opt": _opt,
    "persimmon": _persimmon,
    "xglm": _xglm,
    "axk1": _axk1,
    "deepseek_v3": _deepseek_v3,
    "deepseek_v32": _deepseek_v32,
    "glm4_moe_lite": _glm4_moe_lite,
    "glm_moe_dsa": _glm_moe_dsa,
    "minicpm3": _minicpm3,
    "youtu": _youtu,
    "granitemoehybrid": _granitemoehybrid,
    "jamba": _jamba,
    "kimi_k2": _deepseek_v3,
    "llama": _llama,
    "mamba2": _mamba2,
    "mistral": _mistral,
    "mixtral": _mixtral,
    "qwen2": _qwen2,
    "qwen2_moe": _qwen2_moe,
    "qwen3": _qwen3,
    "qwen3_moe": _qwen3_moe,
}
"""What each model type draws beyond the fields that all have."""


WINDOW_LENGTHS = (None, 3, 6, 40)


def windowed(model_type: str, document: dict[str, Any], n: int) -> dict[str, Any]:
    """Return a config with a window, of another length by turns, where the model type can have one."""
    windows = caches.WINDOWS.get(model_type, caches.Windows())
    if windows is caches.NO_WINDOW:
        return document
    window = WINDOW_LENGTHS[n % len(WINDOW_LENGTHS)] or windows.default
    said: dict[str, Any] = {} if window is None else {windows.field: window}
    if "use_sliding_window" in windows.fields:
        said |= {"use_sliding_window": bool(n % 2), "max_window_layers": 1}
    return {**document, **said}
