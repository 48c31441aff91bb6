"""DiffLlama: Llama's layers, where attention is the difference of two, which four vectors of a head's width weigh.

Ye et al. 2024, arXiv:2410.05258.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures.decoder import AS_HEADS, BY_HEADS, llama_like
from gpt2calc.architectures.glossary import size
from gpt2calc.architectures.runs import Layers, Said
from gpt2calc.model import ABSENT, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Architecture, Model

LAMBDAS = tuple(f"self_attn.{name}" for name in ("lambda_q1", "lambda_k1", "lambda_q2", "lambda_k2"))

HALVES = Said(
    "num_key_value_heads % 2 == 0",
    "num_key_value_heads {num_key_value_heads} must be even, since values are halved along them, "
    "or transformers builds no {model_type}",
    "num_key_value_heads",
)

LLAMA = llama_like(
    "diffllama",
    "DiffLlama",
    hidden_size=2048,
    intermediate_size=8192,
    num_hidden_layers=16,
    num_key_value_heads=size(AS_HEADS, null=ABSENT),
    head_dim=size(BY_HEADS, null=ABSENT),
    attention_bias=False,
)
"""What it has of Llama. Source: transformers 5.23, configuration_diffllama.py."""


def _components(model: Model) -> list[Component]:
    embedding, *rest = LLAMA.components(model)
    at = {"layers": "decoder", "source": "transformers, modeling_diffllama.py: DiffLlamaAttention"}
    return [embedding, *(Component(name, "attention", model.head_dim, **at) for name in LAMBDAS), *rest]


def _tensors(model: Model) -> list[Tensor]:
    embedding, *rest = LLAMA.tensors(model)
    own = (Tensor(f"{{layer}}.{name}", name, (model.head_dim,), "decoder") for name in LAMBDAS)
    return [embedding, *own, *rest]


ARCHITECTURES: dict[str, Architecture] = {
    "diffllama": LLAMA._replace(
        layers=Layers("model.layers", musts=(HALVES,)), components=_components, tensors=_tensors
    )
}
"""Each model type of this file."""
