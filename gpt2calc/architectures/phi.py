"""Phi: one norm before attention and an MLP without a gate, biases everywhere; Phi-3 has neither, and joins matrices.

phi3 has queries, keys and values in one matrix, and gate and up in another. Li et al. 2023, arXiv:2309.05463; Abdin
et al. 2024, arXiv:2404.14219.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures.decoder import AS_HEADS, BY_HEADS, JOINED, PLAIN, Block, llama_like
from gpt2calc.architectures.glossary import law, size
from gpt2calc.model import ABSENT

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

ARCHITECTURES: dict[str, Architecture] = {
    # Source: transformers 5.23, configuration_phi.py; modeling_phi.py for head_dim.
    "phi": llama_like(
        "phi",
        "Phi",
        Block(
            "",
            norms=("input_layernorm",),
            final="final_layernorm",
            norm_bias=1,
            mlp=PLAIN,
            mlp_names=("fc1", "fc2"),
            out="dense",
            qk_norms=("q_layernorm", "k_layernorm"),
            qk_dim="norm_dim",
            head_bias=1,
        ),
        vocab_size=51200,
        hidden_size=2048,
        intermediate_size=8192,
        num_hidden_layers=24,
        num_key_value_heads=size(AS_HEADS, null=ABSENT),
        attention_bias=law(1),
        mlp_bias=law(1),
        qk_layernorm=size(False, help="norms of each head's queries and keys"),
        qk_norm=law("= qk_layernorm"),
        norm_dim=law(BY_HEADS, letter="y", help="channels of a norm of queries and keys"),
    ),
    # Source: transformers 5.23, configuration_phi3.py; modeling_phi3.py for head_dim.
    "phi3": llama_like(
        "phi3",
        "Phi3",
        Block("", mlp=JOINED, fused="qkv_proj", out_first=True),
        vocab_size=32064,
        hidden_size=3072,
        intermediate_size=8192,
        num_key_value_heads=size(AS_HEADS, null=ABSENT),
    ),
}
"""Each model type of this file."""
