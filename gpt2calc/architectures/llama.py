"""Llama and what is shaped like it but for flags: grouped queries, a gated MLP, two norms a layer, no positions.

A row each: llama (biases by two flags), mistral (none), qwen2 (of queries, keys and values), qwen3 (norms of each
head's queries and keys). Touvron et al. 2023, arXiv:2302.13971; Jiang et al. 2023, arXiv:2310.06825.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.errors import ConfigError
from gpt2calc.model import ABSENT, Architecture, Component, Run, Stack, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = {
    "llama": "transformers, modeling_llama.py: Llama",
    "mistral": "transformers, modeling_mistral.py: Mistral",
    "qwen2": "transformers, modeling_qwen2.py: Qwen2",
    "qwen3": "transformers, modeling_qwen3.py: Qwen3",
}
BY_HEADS = "= hidden_size // num_attention_heads"
AS_HEADS = "= num_attention_heads"


def layers(model: Model) -> tuple[Stack, ...]:
    """Return as many layers as there are, all alike; llama's width is what its heads divide."""
    if model.architecture.model_type == "llama" and model.hidden_size % model.num_attention_heads:
        raise ConfigError(
            f"num_attention_heads {model.num_attention_heads} must divide hidden_size {model.hidden_size}, "
            "or transformers builds no llama",
            field="num_attention_heads",
        )
    return (Stack("model.layers", (Run((frozenset({"decoder"}),), model.num_hidden_layers),)),)


def components(model: Model) -> list[Component]:
    """Return the closed forms."""
    source, d = SOURCE[model.architecture.model_type], model.hidden_size
    mlp = closed_forms.gated_mlp(d, model.intermediate_size, f"{source}MLP", "decoder", bias=model.mlp_bias)
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{source}Model"),
        *closed_forms.attention(model, source),
        *mlp,
        *closed_forms.two_norms(d, f"{source}DecoderLayer"),
        closed_forms.norm("norm", d, source=f"{source}Model"),
        *closed_forms.heads(model, source),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors."""
    width = model.hidden_size
    mlp = shapes.gated_mlp("{layer}.mlp", width, model.intermediate_size, "decoder", bias=model.mlp_bias)
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *shapes.attention(model),
        *mlp,
        *shapes.two_norms(width),
        shapes.norm("model.norm", "norm", width),
        *shapes.heads(model),
    ]


def _row(model_type: str, prefix: str, **stated: Any) -> Architecture:
    """Return one model type; source: transformers 5.23, configuration_*.py and, for head_dim, modeling_*.py."""
    table = {
        "vocab_size": 32000,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": size(BY_HEADS, null=ABSENT),
        "tie_word_embeddings": False,
        "attention_bias": law(0),
        "qkv_bias": law("= attention_bias"),
        "mlp_bias": law(0),
        "qk_norm": law(0),
    }
    own = sizes(**{**table, **stated})
    return Architecture(model_type, classes(prefix), "model", own, layers, components, tensors)


QWEN: dict[str, Any] = {
    "vocab_size": 151936,
    "intermediate_size": 22016,
    "num_key_value_heads": size(32, null=AS_HEADS),
}

ARCHITECTURES = {
    "llama": _row(
        "llama",
        "Llama",
        intermediate_size=11008,
        num_key_value_heads=size(AS_HEADS, null=ABSENT),
        attention_bias=False,
        mlp_bias=False,
    ),
    "mistral": _row("mistral", "Mistral"),
    "qwen2": _row("qwen2", "Qwen2", **QWEN, head_dim=size(BY_HEADS), qkv_bias=law(1)),
    "qwen3": _row("qwen3", "Qwen3", **QWEN, head_dim=128, attention_bias=False, qk_norm=law(1)),
}
"""Each model type of this file."""
