"""GPT-Neo: GPT-2's layers with keys, values and queries apart, and without biases; every other layer sees a window.

Black et al. 2021.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures.decoder import source
from gpt2calc.architectures.glossary import classes, law, size
from gpt2calc.architectures.plain import ATTENTION, FOUR_OR_GIVEN, MLP, Plain, architecture

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

NEO = Plain(
    source("gpt_neo", "GPTNeo"),
    body="transformer",
    layer="h",
    embedding="wte",
    positions="wpe",
    order=("ln_1", ATTENTION, "ln_2", MLP),
    attention="attn.attention",
    projections=("k_proj", "v_proj", "q_proj"),
    out="out_proj",
    mlp="mlp",
    up_down=("c_fc", "c_proj"),
    final="ln_f",
    makers=("Block", "SelfAttention", "MLP", "Model", "Model", "Model"),
)

ARCHITECTURES: dict[str, Architecture] = {
    # Source: transformers 5.23, configuration_gpt_neo.py.
    "gpt_neo": architecture(
        "gpt_neo",
        NEO,
        classes("GPTNeo"),
        vocab_size=50257,
        hidden_size=2048,
        intermediate_size=FOUR_OR_GIVEN,
        num_hidden_layers=size(24, spellings=("num_layers",)),
        num_attention_heads=size(16, spellings=("num_heads",)),
        max_position_embeddings=2048,
        tie_word_embeddings=True,
        qkv_bias=law(0),
        out_bias=law(1),
    )
}
"""Each model type of this file."""
