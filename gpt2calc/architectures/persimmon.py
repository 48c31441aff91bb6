"""Persimmon: queries, keys and values in one matrix, norms of each head's queries and keys, an MLP without a gate.

Elsen et al. 2023, Adept.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures.decoder import AS_HEADS, BY_HEADS, PLAIN, Block, llama_like
from gpt2calc.architectures.glossary import law, size

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

ARCHITECTURES: dict[str, Architecture] = {
    # Source: transformers 5.23, configuration_persimmon.py.
    "persimmon": llama_like(
        "persimmon",
        "Persimmon",
        Block(
            "",
            final="final_layernorm",
            norm_bias=1,
            mlp=PLAIN,
            mlp_names=("dense_h_to_4h", "dense_4h_to_h"),
            fused="query_key_value",
            out="dense",
            qk_norms=("q_layernorm", "k_layernorm"),
            divided=True,
        ),
        vocab_size=262144,
        intermediate_size=16384,
        num_hidden_layers=36,
        num_attention_heads=64,
        num_key_value_heads=law(AS_HEADS),
        head_dim=law(BY_HEADS),
        attention_bias=law(1),
        mlp_bias=law(1),
        qk_layernorm=size(True, help="norms of each head's queries and keys"),
        qk_norm=law("= qk_layernorm"),
    ),
}
"""Each model type of this file."""
