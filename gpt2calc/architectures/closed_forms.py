"""Rows of the first derivation that several architectures share: functions that return components, by algebra.

They know no tensor. `shapes` has the other derivation, and neither imports the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.model import AHEAD, OUTPUT_HEAD, TOKEN_EMBEDDING, Component

if TYPE_CHECKING:
    from gpt2calc.model import Model, Number


def linear(name: str, group: str, inputs: Number, outputs: Number, bias: Number = 0, **more: Any) -> Component:
    """Return a matrix of inputs × outputs, and a bias for each output where there is one.

    >>> linear("o_proj", "attention", 4096, 4096).weights
    16777216
    """
    return Component(name, group, inputs * outputs, bias * outputs, **more)


def norm(name: str, width: Number, bias: Number = 0, **more: Any) -> Component:
    """Return a norm with a weight, and a bias where there is one, for each of `width` channels."""
    return Component(name, "layer_norm", width, bias * width, **more)


def embedding(name: str, rows: Number, width: Number, source: str, part: str = TOKEN_EMBEDDING) -> Component:
    """Return a table with a row for each token, or for each position."""
    return Component(name, "embedding", rows * width, part=part, source=source)


def heads(
    model: Model,
    source: str,
    bias: Number = 0,
    causal: str = "ForCausalLM",
    classifies: str = "ForSequenceClassification",
) -> list[Component]:
    """Return what stands on a body: an output head unless it is the token embedding, or what classifies sequences.

    A bias of the output head is its own, whether the head is or not.
    Source: transformers 5.23, modeling_layers.py (GenericForSequenceClassification).
    """
    V, d, c, own = model.vocab_size, model.hidden_size, model.num_labels, 1 - model.tie_word_embeddings
    at = {"part": OUTPUT_HEAD, "source": f"{source}{causal}"}
    return [
        Component("lm_head", "head", V * d * own, bias * V, times=model.lm_head, **at)
        if bias
        else Component("lm_head", "head", V * d, times=model.lm_head * own, **at),
        Component("score", "head", d * c, times=model.score, source=f"{source}{classifies}"),
    ]


def attention(
    model: Model,
    source: str,
    layers: str = "decoder",
    *,
    biases: tuple[Number, Number | None] | None = None,
    fused: str = "",
    out: str = "o_proj",
    out_inputs: Number | None = None,
    qk_norms: tuple[str, str] = ("q_norm", "k_norm"),
    qk_width: str = "head",
    qk_dim: Number | None = None,
    norm_bias: Number = 0,
    gates: int = 0,
) -> list[Component]:
    """Return grouped-query attention: h heads of queries and k of keys and values, each e wide, with qk norms.

    Law: q_proj d·h·e, and as much again for gates, k_proj and v_proj d·k·e each, or one matrix of all; o_proj h·e·d;
    biases of as many outputs; two norms where queries and keys are normed: of e channels, of h·e and k·e, or of e for
    each of h and of k heads.
    """
    d, h, k, e = model.hidden_size, model.num_attention_heads, model.num_key_value_heads, model.head_dim
    at = {"layers": layers, "source": f"{source}Attention"}
    bias, out_bias = biases or (model.qkv_bias, model.attention_bias)
    norm_bias = 0 if qk_width == "apart" else norm_bias
    y = e if qk_dim is None else qk_dim
    normed = {"head": (y, y, 1, 1), "apart": (e, e, h, k), "model": (d, y * k, 1, 1)}.get(
        qk_width, (h * e, k * e, 1, 1)
    )
    if fused:
        projections = [linear(f"self_attn.{fused}", "attention", d, (h + 2 * k) * e, bias, **at)]
    else:
        outputs = {"q_proj": (1 + gates) * h * e, "k_proj": k * e, "v_proj": k * e}
        projections = [linear(f"self_attn.{name}", "attention", d, n, bias, **at) for name, n in outputs.items()]
    inputs = h * e if out_inputs is None else out_inputs
    return [
        *projections,
        linear(f"self_attn.{out}", "attention", inputs, d, out_bias, **at),
        norm(f"self_attn.{qk_norms[0]}", normed[0], norm_bias, times=model.qk_norm * normed[2], **at),
        norm(f"self_attn.{qk_norms[1]}", normed[1], norm_bias, times=model.qk_norm * normed[3], **at),
    ]


def sinks(h: Number, source: str) -> Component:
    """Return a weight of each head for no token."""
    return Component("self_attn.sinks", "attention", h, layers="decoder", source=f"{source}Attention")


def mlp(kind: str, d: Number, m: Number, bias: Number, names: tuple[str, ...], **at: Any) -> list[Component]:
    """Return an MLP of width m: d·m and m·d, and d·m more for a gate, which can be in one matrix with the first."""
    gates = {"gated": (m, m), "joined": (2 * m,), "plain": (m,)}[kind]
    *into, out = (f"mlp.{name}" for name in names)
    rows = [linear(name, "mlp", d, outputs, bias, **at) for name, outputs in zip(into, gates, strict=True)]
    return [*rows, linear(out, "mlp", m, d, bias, **at)]


def gated_mlp(
    d: Number,
    m: Number,
    source: str,
    layers: str,
    *,
    name: str = "mlp",
    group: str = "mlp",
    bias: Number = 0,
    **at: Any,
) -> list[Component]:
    """Return an MLP whose inner width is gated: gate_proj and up_proj of d × m, down_proj of m × d."""
    at = {"layers": layers, "source": source, **at}
    return [
        linear(f"{name}.gate_proj", group, d, m, bias, **at),
        linear(f"{name}.up_proj", group, d, m, bias, **at),
        linear(f"{name}.down_proj", group, m, d, bias, **at),
    ]


def experts(d: Number, f: Number, count: Number, source: str, layers: str, *, used: Number | None) -> list[Component]:
    """Return `count` gated MLPs without biases, of which a router chooses those that are used: 3·d·f each."""
    at = {"layers": layers, "times": count, "used": used, "source": source}
    return [
        Component("experts.gate_proj", "experts", d * f, **at),
        Component("experts.up_proj", "experts", d * f, **at),
        Component("experts.down_proj", "experts", f * d, **at),
    ]


def router(d: Number, count: Number, source: str, layers: str) -> Component:
    """Return the matrix that chooses among `count` experts."""
    return linear("router", "router", d, count, layers=layers, source=source)


def mamba(
    d: Number,
    i: Number,
    sizes: tuple[Number, Number, Number],
    biases: tuple[Number, Number],
    *,
    name: str,
    **at: Any,
) -> list[Component]:
    """Return the mixer of Mamba for i channels of N states, time steps of rank R, and a convolution w wide.

    Law: A_log i·N, D i, a convolution i·w, in_proj d·2i, x_proj i·(R + 2N), dt_proj R·i and a bias, out_proj i·d;
    biases of in_proj and out_proj, and of the convolution. Gu and Dao 2023, arXiv:2312.00752.
    `sizes` is (N, R, w), and `biases` whether the projections have them, and whether the convolution.
    """
    N, R, w = sizes
    return [
        Component(f"{name}.A_log", "ssm", i * N, **at),
        Component(f"{name}.D", "ssm", i, **at),
        Component(f"{name}.conv1d", "ssm", i * w, biases[1] * i, **at),
        linear(f"{name}.in_proj", "ssm", d, 2 * i, biases[0], **at),
        linear(f"{name}.x_proj", "ssm", i, R + 2 * N, **at),
        linear(f"{name}.dt_proj", "ssm", R, i, 1, **at),
        linear(f"{name}.out_proj", "ssm", i, d, biases[0], **at),
    ]


def mamba2(
    d: Number,
    heads: tuple[Number, Number],
    states: tuple[Number, Number],
    w: Number,
    biases: tuple[Number, Number],
    *,
    name: str,
    **at: Any,
) -> list[Component]:
    """Return the mixer of Mamba-2 for H heads of P channels, and G groups of N states.

    Law: in_proj d·(2·H·P + 2·G·N + H), a convolution w·(H·P + 2·G·N), A_log, D and dt_bias H each, a norm of H·P,
    out_proj H·P·d; biases of the projections' outputs, and of the convolution's channels. Dao and Gu 2024,
    arXiv:2405.21060, figure 6.
    `heads` is (H, P), `states` (G, N), and `biases` whether the projections have them, and whether the convolution.
    """
    (H, P), (G, N) = heads, states
    inner, conv = H * P, H * P + 2 * G * N
    return [
        Component(f"{name}.dt_bias", "ssm", 0, H, **at),
        Component(f"{name}.A_log", "ssm", H, **at),
        Component(f"{name}.D", "ssm", H, **at),
        Component(f"{name}.conv1d", "ssm", w * conv, biases[1] * conv, **at),
        linear(f"{name}.in_proj", "ssm", d, inner + conv + H, biases[0], **at),
        norm(f"{name}.norm", inner, **at),
        linear(f"{name}.out_proj", "ssm", inner, d, biases[0], **at),
    ]


def two_norms(d: Number, source: str, layers: str = "decoder") -> list[Component]:
    """Return the norms before attention and before the MLP."""
    at = {"layers": layers, "source": source}
    return [norm("input_layernorm", d, **at), norm("post_attention_layernorm", d, **at)]


def predicting(d: Number, V: Number, source: str) -> list[Component]:
    """Return what a layer that predicts a further token has beside a layer's own: norms, a projection, copies.

    Law: 2·d·d for what joins the token's embedding and what came before, 3·d for norms, V·d for each copy.
    """
    at: dict[str, Any] = {"layers": AHEAD, "source": source}
    copies = {"embed_tokens": TOKEN_EMBEDDING, "shared_head.head": OUTPUT_HEAD}
    return [
        Component("eh_proj", "other", 2 * d * d, **at),
        *(Component(name, "layer_norm", d, **at) for name in ("enorm", "hnorm", "shared_head.norm")),
        *(Component(f"{AHEAD}.{name}", "other", V * d, part=part, **at) for name, part in copies.items()),
    ]
