"""Rows of the second derivation that several architectures share: functions that return tensors, by name and shape.

They know no closed form. `closed_forms` has the other derivation, and neither imports the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.model import AHEAD, BIAS, Merge, Tensor

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpt2calc.model import Model, Number

EXPERT = ("gate_proj", "up_proj", "down_proj")
"""The tensors of an expert, as most files call them."""


def linear(
    template: str, component: str, outputs: Number, inputs: Number, bias: Number | None = None, **at: Any
) -> list[Tensor]:
    """Return `torch.nn.Linear`'s weight, [out, in], and its bias; None where there can be none.

    >>> linear("{layer}.mlp.gate", "router", 128, 2048)[0].shape
    (128, 2048)
    """
    weight = Tensor(f"{template}.weight", component, (outputs, inputs), **at)
    if bias is None:
        return [weight]
    present = at.get("when", 1) * bias
    return [weight, Tensor(f"{template}.bias", component, (outputs,), **{**at, "when": present, "role": BIAS})]


def conv1d(
    template: str, component: str, outputs: Number, inputs: Number, bias: Number | None = None, **at: Any
) -> list[Tensor]:
    """Return the weight of transformers' `Conv1D`, [in, out], and its bias."""
    weight, *biases = linear(template, component, outputs, inputs, bias, **at)
    return [weight._replace(shape=(inputs, outputs)), *biases]


def norm(template: str, component: str, width: Number, **at: Any) -> Tensor:
    """Return the weight of an RMSNorm."""
    return Tensor(f"{template}.weight", component, (width,), **at)


def embedding(template: str, component: str, rows: Number, width: Number) -> Tensor:
    """Return `torch.nn.Embedding`'s weight."""
    return Tensor(f"{template}.weight", component, (rows, width))


def layer_norm(template: str, component: str, width: Number, bias: Number | None, **at: Any) -> list[Tensor]:
    """Return the weight of a norm, and its bias; None where there can be none."""
    weight = norm(template, component, width, **at)
    if bias is None:
        return [weight]
    present = at.get("when", 1) * bias
    return [weight, Tensor(f"{template}.bias", component, (width,), **{**at, "when": present, "role": BIAS})]


def heads(model: Model, bias: Number | None = None, name: str = "lm_head") -> list[Tensor]:
    """Return what stands on a body; a tied output head is the token embedding, and no tensor of its own."""
    width = model.hidden_size
    untied = model.lm_head - model.lm_head * model.tie_word_embeddings
    own = Tensor(f"{name}.bias", "lm_head", (model.vocab_size,), when=model.lm_head * (bias or 0), role=BIAS)
    return [
        *linear(name, "lm_head", model.vocab_size, width, when=untied),
        *([own] if bias is not None else ()),
        *linear("score", "score", model.num_labels, width, when=model.score),
    ]


def attention(
    model: Model,
    layers: str = "decoder",
    at: str = "{layer}.self_attn",
    *,
    biases: tuple[Number, Number | None] | None = None,
    fused: str = "",
    out: str = "o_proj",
    out_first: bool = False,
    out_inputs: Number | None = None,
    qk_norms: tuple[str, str] = ("q_norm", "k_norm"),
    qk_width: str = "head",
    qk_dim: Number | None = None,
    biased: Number | None = None,
    gated: bool = False,
) -> list[Tensor]:
    """Return the projections and norms of grouped-query attention, in the order of the module."""
    width, head = model.hidden_size, model.head_dim
    query, value = head * model.num_attention_heads, head * model.num_key_value_heads
    parts = (
        {fused: query + value + value}
        if fused
        else {"q_proj": query + query if gated else query, "k_proj": value, "v_proj": value}
    )
    qkv_bias, out_bias = biases or (model.qkv_bias, model.attention_bias)
    own = [
        each
        for name, outputs in parts.items()
        for each in linear(f"{at}.{name}", f"self_attn.{name}", outputs, width, qkv_bias, layers=layers)
    ]
    inputs = query if out_inputs is None else out_inputs
    after = linear(f"{at}.{out}", f"self_attn.{out}", width, inputs, out_bias, layers=layers)
    norms = [
        each
        for name, heads in zip(qk_norms, (model.num_attention_heads, model.num_key_value_heads), strict=True)
        for each in _head_norms(
            f"{at}.{name}",
            f"self_attn.{name}",
            heads,
            width if qk_width == "model" and name == qk_norms[0] else head if qk_dim is None else qk_dim,
            qk_width,
            biased,
            model,
            layers,
            queries=name == qk_norms[0],
        )
    ]
    return [*(after + own if out_first else own + after), *norms]


def sinks(heads: Number) -> Tensor:
    """Return a weight of each head for no token."""
    return Tensor("{layer}.self_attn.sinks", "self_attn.sinks", (heads,), "decoder")


def _head_norms(  # noqa: PLR0917  # a row of a table
    template: str,
    component: str,
    heads: Number,
    head: Number,
    kind: str,
    biased: Number | None,
    model: Model,
    layers: str,
    *,
    queries: bool,
) -> list[Tensor]:
    """Return the norm of queries, or of keys."""
    at = {"layers": layers, "when": model.qk_norm}
    if kind == "apart":
        return [norm(f"{template}.norms.{{n}}", component, head, times=heads, **at)]
    if kind == "each":
        return [Tensor(f"{template}.weight", component, (heads, head), **at)]
    is_whole = kind == "whole" or (kind == "model" and not queries)
    return layer_norm(template, component, head * heads if is_whole else head, biased, **at)


def mlp(
    at: str,
    kind: str,
    width: Number,
    inner: Number,
    names: Sequence[str],
    *,
    bias: Number | None,
    layers: str,
) -> list[Tensor]:
    """Return the matrices of an MLP, of which those before the last are gates and what they gate."""
    into = {"gated": [inner, inner], "joined": [inner + inner], "plain": [inner]}[kind]
    sizes = [*((outputs, width) for outputs in into), (width, inner)]
    return [
        each
        for name, (outputs, inputs) in zip(names, sizes, strict=True)
        for each in linear(f"{at}.{name}", f"mlp.{name}", outputs, inputs, bias, layers=layers)
    ]


def gated_mlp(
    at: str, width: Number, inner: Number, layers: str, *, name: str = "mlp", bias: Any = None, **more: Any
) -> list[Tensor]:
    """Return gate_proj, up_proj and down_proj."""
    more = {"layers": layers, **more}
    return [
        *linear(f"{at}.gate_proj", f"{name}.gate_proj", inner, width, bias, **more),
        *linear(f"{at}.up_proj", f"{name}.up_proj", inner, width, bias, **more),
        *linear(f"{at}.down_proj", f"{name}.down_proj", width, inner, bias, **more),
    ]


def experts(
    at: str, width: Number, inner: Number, count: Number, *, layers: str, names: Sequence[str] = EXPERT
) -> list[Tensor]:
    """Return `count` experts, each of three tensors, which files call by `names`."""
    sizes = ((inner, width), (inner, width), (width, inner))
    return [
        Tensor(f"{at}.experts.{{n}}.{name}.weight", f"experts.{part}", shape, layers, count)
        for part, name, shape in zip(EXPERT, names, sizes, strict=True)
    ]


def stacked(live: str, stored: str, names: Sequence[str] = EXPERT) -> tuple[Merge, Merge]:
    """Return how a live module keeps experts in two tensors: gate_proj and up_proj in one, and down_proj."""
    gate, up, down = (f"{stored}.experts.{{n}}.{name}.weight" for name in names)
    return Merge(f"{live}.experts.gate_up_proj", (gate, up)), Merge(f"{live}.experts.down_proj", (down,))


def mamba(
    width: Number,
    channels: Number,
    sizes: tuple[Number, Number, Number],
    biases: tuple[Number, Number],
    *,
    name: str,
    **own: Any,
) -> list[Tensor]:
    """Return the mixer of Mamba, in its order: x and z come out of one projection, and dt, B and C of another."""
    at, (states, rank, kernel), (bias, conv_bias) = f"{{layer}}.{name}", sizes, biases
    return [
        Tensor(f"{at}.A_log", f"{name}.A_log", (channels, states), **own),
        Tensor(f"{at}.D", f"{name}.D", (channels,), **own),
        *convolution(f"{at}.conv1d", f"{name}.conv1d", channels, kernel, conv_bias, **own),
        *linear(f"{at}.in_proj", f"{name}.in_proj", channels + channels, width, bias, **own),
        *linear(f"{at}.x_proj", f"{name}.x_proj", rank + states + states, channels, **own),
        *linear(f"{at}.dt_proj", f"{name}.dt_proj", channels, rank, 1, **own),
        *linear(f"{at}.out_proj", f"{name}.out_proj", width, channels, bias, **own),
    ]


def mamba2(
    width: Number,
    heads: tuple[Number, Number],
    states: tuple[Number, Number],
    kernel: Number,
    biases: tuple[Number, Number],
    *,
    name: str,
    **own: Any,
) -> list[Tensor]:
    """Return the mixer of Mamba-2, in the order of the module: z, x, B, C and dt come out of one projection."""
    at, channels, states_all = f"{{layer}}.{name}", heads[0] * heads[1], states[0] * states[1]
    mixed = channels + states_all + states_all
    return [
        Tensor(f"{at}.dt_bias", f"{name}.dt_bias", (heads[0],), role=BIAS, **own),
        Tensor(f"{at}.A_log", f"{name}.A_log", (heads[0],), **own),
        Tensor(f"{at}.D", f"{name}.D", (heads[0],), **own),
        *convolution(f"{at}.conv1d", f"{name}.conv1d", mixed, kernel, biases[1], **own),
        *linear(f"{at}.in_proj", f"{name}.in_proj", channels + mixed + heads[0], width, biases[0], **own),
        norm(f"{at}.norm", f"{name}.norm", channels, **own),
        *linear(f"{at}.out_proj", f"{name}.out_proj", width, channels, biases[0], **own),
    ]


def convolution(
    template: str, component: str, channels: Number, kernel: Number, bias: Number, **at: Any
) -> list[Tensor]:
    """Return `torch.nn.Conv1d`'s weight, each channel of it on its own, and its bias."""
    return [
        Tensor(f"{template}.weight", component, (channels, 1, kernel), **at),
        Tensor(f"{template}.bias", component, (channels,), when=bias, role=BIAS, **at),
    ]


def two_norms(width: Number, layers: str = "decoder") -> list[Tensor]:
    """Return the norms before attention and before the MLP, which stand last in a layer's module."""
    return [
        norm("{layer}.input_layernorm", "input_layernorm", width, layers=layers),
        norm("{layer}.post_attention_layernorm", "post_attention_layernorm", width, layers=layers),
    ]


def predicting(width: Number, rows: Number) -> list[Tensor]:
    """Return what a layer that predicts a further token has beside a layer's own, as DeepSeek's and GLM's files do."""
    own = {"layers": AHEAD}
    return [
        Tensor("{layer}.embed_tokens.weight", f"{AHEAD}.embed_tokens", (rows, width), plain=1, **own),
        norm("{layer}.enorm", "enorm", width, **own),
        norm("{layer}.hnorm", "hnorm", width, **own),
        *linear("{layer}.eh_proj", "eh_proj", width, width + width, plain=1, **own),
        norm("{layer}.shared_head.norm", "shared_head.norm", width, **own),
        Tensor("{layer}.shared_head.head.weight", f"{AHEAD}.shared_head.head", (rows, width), plain=1, **own),
    ]
