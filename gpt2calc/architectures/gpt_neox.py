"""GPT-NeoX and Pythia: queries, keys and values in one matrix, two norms, and an MLP without a gate; no positions.

Black et al. 2022, arXiv:2204.06745; Biderman et al. 2023, arXiv:2304.01373.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures.decoder import source
from gpt2calc.architectures.glossary import classes, law, size
from gpt2calc.architectures.plain import ATTENTION, MLP, Plain, architecture
from gpt2calc.model import Merge

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

NEOX = Plain(
    source("gpt_neox", "GPTNeoX"),
    body="gpt_neox",
    layer="layers",
    embedding="embed_in",
    order=("input_layernorm", "post_attention_layernorm", ATTENTION, MLP),
    attention="attention",
    projections=("query_key_value",),
    out="dense",
    mlp="mlp",
    up_down=("dense_h_to_4h", "dense_4h_to_h"),
    final="final_layer_norm",
    head="embed_out",
    makers=("Layer", "Attention", "MLP", "Model", "Model", "Model"),
)

ARCHITECTURES: dict[str, Architecture] = {
    # Source: transformers 5.23, configuration_gpt_neox.py.
    "gpt_neox": architecture(
        "gpt_neox",
        NEOX,
        classes("GPTNeoX"),
        (Merge("lm_head.weight", ("embed_out.weight",)),),
        vocab_size=50432,
        hidden_size=6144,
        intermediate_size=24576,
        num_hidden_layers=44,
        num_attention_heads=64,
        tie_word_embeddings=False,
        attention_bias=size(True),
        qkv_bias=law("= attention_bias"),
    )
}
"""Each model type of this file."""
