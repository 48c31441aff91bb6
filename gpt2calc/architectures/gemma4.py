"""Gemma 3n and 4: layers with an input of their own from a second token embedding; last ones without keys and values.

Gemma 4's full attention has heads of another width and number, its last layers can have an MLP twice as wide, and all
can have experts beside it; Gemma 3n has AltUp and LAuReL. Google DeepMind 2025 and 2026; Baykal et al. 2023,
arXiv:2301.13310; Menghani et al. 2024, arXiv:2411.07501.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import law, size, sizes
from gpt2calc.architectures.runs import UNDIVIDED, crossed, listed, repeating
from gpt2calc.errors import ConfigError
from gpt2calc.model import ABSENT, BUFFER, LAYER_EMBEDDING, LIST, SAME, Architecture, Component, Run, Stack, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

FOURTH, NANO = "transformers, modeling_gemma4.py: Gemma4", "transformers, modeling_gemma3n.py: Gemma3n"
AT, SLIDING, FULL = "{layer}.self_attn", frozenset({"sliding"}), frozenset({"full"})
WORDS = {"sliding_attention": SLIDING, "full_attention": FULL}
NORMS = ("input_layernorm", "post_attention_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm")
BESIDE = ("post_feedforward_layernorm_1", "post_feedforward_layernorm_2", "pre_feedforward_layernorm_2")


def _sharing(model: Model, kinds: tuple[Run, ...], last: str) -> tuple[Run, ...]:
    """Return layers that have keys and values of their own, and last ones that take those of others.

    Raises:
        ConfigError: a layer is of a kind of which none has keys and values.
    """
    count = model.num_hidden_layers
    own = max(count - model.num_kv_shared_layers, 0)
    before = crossed(kinds, (Run((frozenset(),), own),))
    if own < count and _found(before) != _found(kinds):
        raise ConfigError(
            f"num_kv_shared_layers {model.num_kv_shared_layers} of {count:,} layers leaves a kind of attention without "
            f"keys and values, or transformers builds no {model.architecture.model_type}",
            field="num_kv_shared_layers",
        )
    return crossed(kinds, (Run((frozenset({"own", "narrow"}),), own), Run((frozenset({last}),), count - own)))


def _found(runs: tuple[Run, ...]) -> frozenset[frozenset[str]]:
    return frozenset(tags for run in runs for tags in run.kinds())


def _layers(model: Model) -> tuple[Stack, ...]:
    """Return a Gemma 4's layers: of a list, or full attention every sixth time; the last is full, whatever is said."""
    count, kinds = model.num_hidden_layers, model.layer_types
    if kinds is None:
        runs = repeating(lambda i: SLIDING if (i + 1) % 6 and i + 1 < count else FULL, count, 6, [count - 1])
    else:
        runs = listed(WORDS, (*kinds[:-1], *(["full_attention"] if kinds else [])), count, "layer_types")
    if model.per_layer_config is not None:
        told = sorted(model.per_layer_config)
        full = sum(run.kinds()[FULL] for run in runs)
        if len(told) != full or told != [i for i, tags in enumerate(Stack("", runs).layers()) if tags == FULL]:
            problem = "per_layer_config must be of the layers of full attention, or sizes of others are not counted"
            raise ConfigError(problem, field="per_layer_config")
    if model.enable_moe_block and not (model.num_experts and model.moe_intermediate_size):
        problem = "enable_moe_block=true needs num_experts and moe_intermediate_size, or transformers builds no experts"
        raise ConfigError(problem, field="enable_moe_block")
    last = "wide" if model.use_double_wide_mlp else "narrow"
    decoder = (Run((frozenset({"decoder"}),), count),)
    return (Stack("model.layers", crossed(decoder, _sharing(model, runs, last))),)


def _nano_layers(model: Model) -> tuple[Stack, ...]:
    """Return a Gemma 3n's layers, whose kinds of attention are alike but for who has keys and values."""
    if not UNDIVIDED.holds(model.sizes):
        raise ConfigError(UNDIVIDED.text({**model.sizes, "model_type": "gemma3n_text"}), field=UNDIVIDED.field)
    count = model.num_hidden_layers
    if model.layer_types is None:
        kinds = repeating(lambda i: SLIDING if (i + 1) % 5 else FULL, count, 5)
    else:
        kinds = listed(WORDS, model.layer_types, count, "layer_types")
    _sharing(model, kinds, "narrow")
    own = max(count - model.num_kv_shared_layers, 0)
    return (Stack("model.layers", (Run((frozenset({"decoder", "own"}),), own), Run((LAST,), count - own))),)


LAST = frozenset({"decoder"})


def _attention(
    model: Model, source: str, name: str, tags: str, *, heads: tuple[Any, Any], values: Any = 1
) -> list[Component]:
    """Return attention of h heads of queries and k of keys, each e wide; values apart from keys where a flag says so.

    Law: q_proj d·h·e and a norm of e, o_proj h·e·d; in layers of their own k_proj and v_proj d·k·e and a norm of e.
    """
    d, h, b, (e, k) = model.hidden_size, model.num_attention_heads, model.attention_bias, heads
    at = {"source": f"{source}TextAttention"}
    every, own = {"layers": tags, **at}, {"layers": f"{tags} own", **at}
    return [
        closed_forms.linear(f"{name}.q_proj", "attention", d, h * e, b, **every),
        closed_forms.norm(f"{name}.q_norm", e, **every),
        closed_forms.norm(f"{name}.k_norm", e, **own),
        closed_forms.linear(f"{name}.k_proj", "attention", d, k * e, b, **own),
        closed_forms.linear(f"{name}.v_proj", "attention", d, k * e, b, times=values, **own),
        closed_forms.linear(f"{name}.o_proj", "attention", h * e, d, b, **every),
    ]


def _attention_tensors(
    model: Model, name: str, tags: str, *, heads: tuple[Any, Any], values: Any = 1
) -> dict[str, list[Tensor]]:
    """Return the tensors of attention, by the names of its modules."""
    head, keys = heads
    width, query, bias = model.hidden_size, head * model.num_attention_heads, model.attention_bias
    every, own = {"layers": tags}, {"layers": f"{tags} own"}
    value = {**own, "when": values}
    return {
        "q_proj": shapes.linear(f"{AT}.q_proj", f"{name}.q_proj", query, width, bias, **every),
        "q_norm": [shapes.norm(f"{AT}.q_norm", f"{name}.q_norm", head, **every)],
        "k_norm": [shapes.norm(f"{AT}.k_norm", f"{name}.k_norm", head, **own)],
        "k_proj": shapes.linear(f"{AT}.k_proj", f"{name}.k_proj", head * keys, width, bias, **own),
        "v_proj": shapes.linear(f"{AT}.v_proj", f"{name}.v_proj", head * keys, width, bias, **value),
        "o_proj": shapes.linear(f"{AT}.o_proj", f"{name}.o_proj", width, query, bias, **every),
    }


def _inputs(model: Model, source: str, times: Any) -> list[Component]:
    """Return what gives each of L layers an input p wide: a table of L·p a token, and projections from and to d."""
    d, p, total = model.hidden_size, model.hidden_size_per_layer_input, model.num_hidden_layers
    body, layer = {"times": times, "source": f"{source}TextModel"}, {"layers": "decoder", "times": times}
    layer |= {"source": f"{source}TextDecoderLayer"}
    table = {"times": times, "part": LAYER_EMBEDDING, "source": f"{source}TextScaledWordEmbedding"}
    return [
        Component("embed_tokens_per_layer", "embedding", model.vocab_size_per_layer_input * total * p, **table),
        closed_forms.linear("per_layer_model_projection", "embedding", d, total * p, **body),
        closed_forms.norm("per_layer_projection_norm", p, **body),
        closed_forms.linear("per_layer_input_gate", "embedding", d, p, **layer),
        closed_forms.linear("per_layer_projection", "embedding", p, d, **layer),
        closed_forms.norm("post_per_layer_input_norm", d, **layer),
    ]


def _input_tensors(model: Model, when: Any) -> tuple[list[Tensor], list[Tensor]]:
    """Return what of the layers' inputs stands in a layer, and what after the last norm."""
    width, own, at = model.hidden_size, model.hidden_size_per_layer_input, {"when": when}
    every, each = own * model.num_hidden_layers, {"layers": "decoder", "when": when}
    name, to_all = "embed_tokens_per_layer", "per_layer_model_projection"
    return [
        *shapes.linear("{layer}.per_layer_input_gate", "per_layer_input_gate", own, width, **each),
        *shapes.linear("{layer}.per_layer_projection", "per_layer_projection", width, own, **each),
        shapes.norm("{layer}.post_per_layer_input_norm", "post_per_layer_input_norm", width, **each),
    ], [
        Tensor(f"model.{name}.weight", name, (model.vocab_size_per_layer_input, every), **at),
        *shapes.linear(f"model.{to_all}", to_all, every, width, **at),
        shapes.norm("model.per_layer_projection_norm", "per_layer_projection_norm", own, **at),
    ]


def _components(model: Model) -> list[Component]:
    """Return the closed forms of a Gemma 4, with attention of two kinds and an MLP of two widths."""
    d, m, E, f = model.hidden_size, model.intermediate_size, model.num_experts, model.moe_intermediate_size
    beside = {"layers": "decoder", "times": model.enable_moe_block}
    layer, moe = {"layers": "decoder", "source": f"{FOURTH}TextDecoderLayer"}, {"source": f"{FOURTH}TextRouter"}
    own, other = 1 - model.attention_k_eq_v, (model.global_head_dim, model.global_key_value_heads)
    used = model.top_k_experts * model.enable_moe_block
    experts = {"layers": "decoder", "times": E * model.enable_moe_block, "used": used, "source": f"{FOURTH}TextExperts"}
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{FOURTH}TextScaledWordEmbedding"),
        *_attention(model, FOURTH, "self_attn", "sliding", heads=(model.head_dim, model.num_key_value_heads)),
        *_attention(model, FOURTH, "self_attn.full", "full", heads=other, values=own),
        *closed_forms.gated_mlp(d, m, f"{FOURTH}TextMLP", "narrow"),
        *closed_forms.gated_mlp(d, 2 * m, f"{FOURTH}TextMLP", "wide", name="mlp.wide"),
        *(closed_forms.norm(name, d, **layer) for name in NORMS),
        *_inputs(model, FOURTH, model.has_inputs),
        Component("router.scale", "router", d, **beside, **moe),
        Component("router.per_expert_scale", "router", E, **beside, **moe),
        closed_forms.linear("router", "router", d, E, **beside, **moe),
        closed_forms.linear("experts.gate_up_proj", "experts", d, 2 * f, **experts),
        closed_forms.linear("experts.down_proj", "experts", f, d, **experts),
        *(closed_forms.norm(name, d, **beside, source=f"{FOURTH}TextDecoderLayer") for name in BESIDE),
        closed_forms.norm("norm", d, source=f"{FOURTH}TextModel"),
        *closed_forms.heads(model, FOURTH),
    ]


def _tensors(model: Model) -> list[Tensor]:
    """Return the tensors of a Gemma 4, in the order of its module."""
    width, inner, count, f = model.hidden_size, model.intermediate_size, model.num_experts, model.moe_intermediate_size
    own, wide = 1 - model.attention_k_eq_v, (model.global_head_dim, model.global_key_value_heads)
    sliding = _attention_tensors(model, "self_attn", "sliding", heads=(model.head_dim, model.num_key_value_heads))
    full = _attention_tensors(model, "self_attn.full", "full", heads=wide, values=own)
    in_layers, after = _input_tensors(model, model.has_inputs)
    at = {"layers": "decoder", "when": model.enable_moe_block}
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *(each for kind in (sliding, full) for name in kind for each in kind[name]),
        *shapes.gated_mlp("{layer}.mlp", width, inner, "narrow"),
        *shapes.gated_mlp("{layer}.mlp", width, inner + inner, "wide", name="mlp.wide"),
        *(shapes.norm(f"{{layer}}.{name}", name, width, layers="decoder") for name in NORMS),
        Tensor("{layer}.layer_scalar", "input_layernorm", (1,), "decoder", role=BUFFER),
        *in_layers,
        Tensor("{layer}.router.scale", "router.scale", (width,), **at),
        Tensor("{layer}.router.per_expert_scale", "router.per_expert_scale", (count,), **at),
        *shapes.linear("{layer}.router.proj", "router", count, width, **at),
        Tensor("{layer}.experts.gate_up_proj", "experts.gate_up_proj", (count, f + f, width), **at),
        Tensor("{layer}.experts.down_proj", "experts.down_proj", (count, width, f), **at),
        *(shapes.norm(f"{{layer}}.{name}", name, width, **at) for name in BESIDE),
        shapes.norm("model.norm", "norm", width),
        *after,
        *shapes.heads(model),
    ]


def _nano_components(model: Model) -> list[Component]:
    """Return the closed forms of a Gemma 3n, of which A streams go through each layer, and a rank-r path beside it."""
    d, r, A = model.hidden_size, model.laurel_rank, model.altup_num_inputs
    altup, laurel, body = f"{NANO}TextAltUp", f"{NANO}TextLaurelBlock", f"{NANO}TextModel"
    layer = {"layers": "decoder", "source": f"{NANO}TextDecoderLayer"}
    streams = {"layers": "decoder", "source": altup}
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{NANO}TextScaledWordEmbedding"),
        *_attention(model, NANO, "self_attn", "decoder", heads=(model.head_dim, model.num_key_value_heads)),
        *closed_forms.gated_mlp(d, model.intermediate_size, f"{NANO}TextMLP", "decoder"),
        *(closed_forms.norm(name, d, **layer) for name in NORMS),
        Component("altup.correct_output_scale", "other", d, **streams),
        closed_forms.linear("altup.correction_coefs", "other", A, A, **streams),
        closed_forms.linear("altup.prediction_coefs", "other", A, A * A, **streams),
        closed_forms.linear("altup.modality_router", "other", d, A, **streams),
        closed_forms.norm("altup.router_norm", d, **streams),
        closed_forms.linear("laurel.linear_left", "other", d, r, layers="decoder", source=laurel),
        closed_forms.linear("laurel.linear_right", "other", r, d, layers="decoder", source=laurel),
        closed_forms.norm("laurel.post_laurel_norm", d, layers="decoder", source=laurel),
        *_inputs(model, NANO, 1),
        closed_forms.norm("norm", d, source=body),
        closed_forms.linear("altup_projections", "other", d, d, times=A - 1, source=body),
        closed_forms.linear("altup_unembed_projections", "other", d, d, times=A - 1, source=body),
        *closed_forms.heads(model, NANO),
    ]


def _nano_tensors(model: Model) -> list[Tensor]:
    """Return the tensors of a Gemma 3n, in the order of its module."""
    width, rank, streams, own = model.hidden_size, model.laurel_rank, model.altup_num_inputs, {"layers": "decoder"}
    parts = _attention_tensors(model, "self_attn", "decoder", heads=(model.head_dim, model.num_key_value_heads))
    order = ("q_proj", "q_norm", "k_proj", "v_proj", "k_norm", "o_proj")
    in_layers, after = _input_tensors(model, 1)
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *(each for name in order for each in parts[name]),
        *shapes.gated_mlp("{layer}.mlp", width, model.intermediate_size, "decoder"),
        *(shapes.norm(f"{{layer}}.{name}", name, width, **own) for name in NORMS),
        Tensor("{layer}.altup.correct_output_scale", "altup.correct_output_scale", (width,), **own),
        *shapes.linear("{layer}.altup.correction_coefs", "altup.correction_coefs", streams, streams, **own),
        *shapes.linear("{layer}.altup.prediction_coefs", "altup.prediction_coefs", streams**2, streams, **own),
        *shapes.linear("{layer}.altup.modality_router", "altup.modality_router", streams, width, **own),
        shapes.norm("{layer}.altup.router_norm", "altup.router_norm", width, **own),
        *shapes.linear("{layer}.laurel.linear_left", "laurel.linear_left", rank, width, **own),
        *shapes.linear("{layer}.laurel.linear_right", "laurel.linear_right", width, rank, **own),
        shapes.norm("{layer}.laurel.post_laurel_norm", "laurel.post_laurel_norm", width, **own),
        *in_layers,
        shapes.norm("model.norm", "norm", width),
        *after,
        *(
            Tensor(f"model.{name}.{{n}}.weight", name, (width, width), times=streams - 1)
            for name in ("altup_projections", "altup_unembed_projections")
        ),
        *shapes.heads(model),
    ]


INPUTS: dict[str, Any] = {
    "vocab_size_per_layer_input": size(262144, letter="W", help="tokens of the table of the layers' inputs"),
    "hidden_size_per_layer_input": size(256, letter="p", help="width of a layer's input"),
}
# Source: transformers 5.23, configuration_gemma4.py and configuration_gemma3n.py.
ARCHITECTURES: dict[str, Architecture] = {
    "gemma4_text": Architecture(
        "gemma4_text",
        {"Gemma4ForCausalLM": "lm", "Gemma4TextModel": "none"},
        "model",
        sizes(
            vocab_size=262144,
            hidden_size=2304,
            intermediate_size=9216,
            num_hidden_layers=30,
            layer_types=size(words=tuple(WORDS)),
            num_attention_heads=8,
            num_key_value_heads=4,
            head_dim=256,
            global_head_dim=size(512, letter="g", help="width of a head of full attention"),
            num_global_key_value_heads=size(
                "= num_key_value_heads", null=ABSENT, letter="K", least=0, help="its heads of keys"
            ),
            per_layer_config=size(None, kind=LIST, help="the layers of full attention"),
            **{
                **INPUTS,
                "hidden_size_per_layer_input": INPUTS["hidden_size_per_layer_input"]._replace(least=0),
            },
            num_kv_shared_layers=size(0, least=0, help="last layers that take the keys and values of others"),
            num_experts=size("= 0", null=ABSENT, least=0),
            top_k_experts=size("= 0", null=ABSENT, least=0, help="experts that a token passes, where there are some"),
            moe_intermediate_size=size("= 0", null=ABSENT, least=0),
            attention_bias=False,
            attention_k_eq_v=size(False, help="in full attention, keys are the values"),
            enable_moe_block=size(False, help="experts beside the MLP"),
            use_double_wide_mlp=size(False, help="an MLP twice as wide in layers without keys and values"),
            tie_word_embeddings=True,
            has_inputs=law("= int(hidden_size_per_layer_input > 0)"),
            global_key_value_heads=law(
                "= num_global_key_value_heads if attention_k_eq_v else num_key_value_heads", letter="x", help="they"
            ),
        ),
        _layers,
        _components,
        _tensors,
    ),
    "gemma3n_text": Architecture(
        "gemma3n_text",
        {"Gemma3nForCausalLM": "lm", "Gemma3nTextModel": "none"},
        "model",
        sizes(
            vocab_size=262400,
            hidden_size=2048,
            num_hidden_layers=35,
            intermediate_size=size(16384, words=(SAME,)),
            layer_types=size(words=tuple(WORDS)),
            num_attention_heads=8,
            num_key_value_heads=2,
            head_dim=256,
            **INPUTS,
            num_kv_shared_layers=size(15, least=0, help="last layers that take the keys and values of others"),
            altup_num_inputs=size(4, letter="A", help="streams of AltUp"),
            laurel_rank=size(64, letter="r", help="rank of LAuReL"),
            attention_bias=False,
            tie_word_embeddings=True,
        ),
        _nano_layers,
        _nano_components,
        _nano_tensors,
    ),
}
"""Each model type of this file."""
