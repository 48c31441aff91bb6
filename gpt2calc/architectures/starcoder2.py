"""StarCoder2, Nemotron and Jais 2: grouped queries, an MLP without a gate, and biased norms.

Lozhkov et al. 2024, arXiv:2402.19173; Parmar et al. 2024, arXiv:2402.16819.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures.decoder import AS_HEADS, BY_HEADS, PLAIN, Block, architecture, llama_like, source
from gpt2calc.architectures.glossary import classes, law, size
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
    # Source: transformers 5.23, configuration_jais2.py.
    "jais2": architecture(
        "jais2",
        Block(source("jais2", "Jais2"), norm_bias=1, mlp=PLAIN, divided=True),
        classes("Jais2", classifies=False),
        vocab_size=150272,
        hidden_size=3328,
        intermediate_size=26624,
        num_attention_heads=26,
        num_key_value_heads=size(AS_HEADS, null=ABSENT),
        head_dim=size(BY_HEADS, null=ABSENT),
        attention_bias=True,
        mlp_bias=True,
    ),
}
"""Each model type of this file."""
