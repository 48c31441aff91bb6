"""GLM-4: biases of queries, keys and values alone, gate and up in one matrix; later models norm after both parts, too.

Team GLM 2024, arXiv:2406.12793.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures.decoder import JOINED, Block, llama_like

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

# Source: transformers 5.23, configuration_glm.py and configuration_glm4.py.
SIZES: dict[str, Any] = {
    "vocab_size": 151552,
    "intermediate_size": 13696,
    "num_hidden_layers": 40,
    "num_key_value_heads": 2,
    "head_dim": 128,
    "attention_bias": True,
}
FOUR = ("input_layernorm", "post_attention_layernorm", "post_self_attn_layernorm", "post_mlp_layernorm")

ARCHITECTURES: dict[str, Architecture] = {
    "glm": llama_like("glm", "Glm", Block("", mlp=JOINED, out_bias=""), **SIZES),
    "glm4": llama_like("glm4", "Glm4", Block("", mlp=JOINED, out_bias="", norms=FOUR), **SIZES),
}
"""Each model type of this file."""
