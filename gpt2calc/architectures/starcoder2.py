"""StarCoder2 and Nemotron: grouped queries, an MLP without a gate, and biased norms.

Lozhkov et al. 2024, arXiv:2402.19173; Parmar et al. 2024, arXiv:2402.16819.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures.decoder import BY_HEADS, PLAIN, Block, llama_like
from gpt2calc.architectures.glossary import law, size
from gpt2calc.model import ABSENT

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

ARCHITECTURES: dict[str, Architecture] = {
    # Source: transformers 5.23, configuration_starcoder2.py; modeling_starcoder2.py for head_dim.
    "starcoder2": llama_like(
        "starcoder2",
        "Starcoder2",
        Block("", norm_bias=1, mlp=PLAIN, mlp_names=("c_fc", "c_proj")),
        vocab_size=49152,
        hidden_size=3072,
        intermediate_size=12288,
        num_hidden_layers=30,
        num_attention_heads=24,
        num_key_value_heads=2,
        head_dim=size(BY_HEADS, null=ABSENT),
        tie_word_embeddings=True,
        use_bias=size(True, help="biases in attention and in the MLP"),
        attention_bias=law("= use_bias"),
        mlp_bias=law("= use_bias"),
    ),
    # Source: transformers 5.23, configuration_nemotron.py, which has no default for the heads of keys and values.
    "nemotron": llama_like(
        "nemotron",
        "Nemotron",
        Block("", norm_bias=1, mlp=PLAIN),
        vocab_size=256000,
        hidden_size=6144,
        intermediate_size=24576,
        num_attention_heads=48,
        num_key_value_heads=size(None),
        head_dim=size(BY_HEADS, null=ABSENT),
        attention_bias=False,
        mlp_bias=False,
    ),
}
"""Each model type of this file."""
