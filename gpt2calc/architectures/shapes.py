"""Rows of the second derivation that several architectures share: functions that return tensors, by name and shape.

They know no closed form. `closed_forms` has the other derivation, and neither imports the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.model import BIAS, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model, Number


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


def norm(template: str, component: str, width: Number, **at: Any) -> Tensor:
    """Return the weight of an RMSNorm."""
    return Tensor(f"{template}.weight", component, (width,), **at)


def embedding(template: str, component: str, rows: Number, width: Number) -> Tensor:
    """Return `torch.nn.Embedding`'s weight."""
    return Tensor(f"{template}.weight", component, (rows, width))


def heads(model: Model) -> list[Tensor]:
    """Return what stands on a body; a tied output head is the token embedding, and no tensor of its own."""
    width = model.hidden_size
    untied = model.lm_head - model.lm_head * model.tie_word_embeddings
    return [
        *linear("lm_head", "lm_head", model.vocab_size, width, when=untied),
        *linear("score", "score", model.num_labels, width, when=model.score),
    ]


def attention(model: Model, layers: str = "decoder", at: str = "{layer}.self_attn") -> list[Tensor]:
    """Return the projections and norms of grouped-query attention, in the order of the module."""
    width, head = model.hidden_size, model.head_dim
    query, value = head * model.num_attention_heads, head * model.num_key_value_heads
    qkv, out = model.qkv_bias, model.attention_bias
    return [
        *linear(f"{at}.q_proj", "self_attn.q_proj", query, width, qkv, layers=layers),
        *linear(f"{at}.k_proj", "self_attn.k_proj", value, width, qkv, layers=layers),
        *linear(f"{at}.v_proj", "self_attn.v_proj", value, width, qkv, layers=layers),
        *linear(f"{at}.o_proj", "self_attn.o_proj", width, query, out, layers=layers),
        norm(f"{at}.q_norm", "self_attn.q_norm", head, layers=layers, when=model.qk_norm),
        norm(f"{at}.k_norm", "self_attn.k_norm", head, layers=layers, when=model.qk_norm),
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


def two_norms(width: Number, layers: str = "decoder") -> list[Tensor]:
    """Return the norms before attention and before the MLP, which stand last in a layer's module."""
    return [
        norm("{layer}.input_layernorm", "input_layernorm", width, layers=layers),
        norm("{layer}.post_attention_layernorm", "post_attention_layernorm", width, layers=layers),
    ]
