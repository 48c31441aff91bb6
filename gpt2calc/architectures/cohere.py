"""Cohere's Command R: attention and a gated MLP side by side, after one norm; norms of each head by a flag.

Cohere and Cohere Labs, Command R, 2024; Command A, 2025, arXiv:2504.00698.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures.decoder import AS_HEADS, EACH, Block, architecture, source
from gpt2calc.architectures.glossary import classes, law, size
from gpt2calc.model import ABSENT

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

# Source: transformers 5.23, configuration_cohere.py and configuration_cohere2.py; modeling_cohere.py for head_dim.
SIZES: dict[str, Any] = {
    "vocab_size": 256000,
    "hidden_size": 8192,
    "intermediate_size": 22528,
    "num_hidden_layers": 40,
    "num_attention_heads": 64,
    "num_key_value_heads": size(AS_HEADS, null=ABSENT),
    "tie_word_embeddings": True,
    "attention_bias": False,
}


def _row(model_type: str, prefix: str, **stated: Any) -> Architecture:
    block = Block(source(model_type, prefix), norms=("input_layernorm",), qk_width=EACH)
    return architecture(model_type, block, classes(prefix, classifies=False), **SIZES, **stated)


ARCHITECTURES: dict[str, Architecture] = {
    "cohere": _row(
        "cohere",
        "Cohere",
        use_qk_norm=size(False, null=ABSENT, help="norms of queries and keys"),
        qk_norm=law("= use_qk_norm"),
    ),
    "cohere2": _row("cohere2", "Cohere2"),
}
"""Each model type of this file."""
