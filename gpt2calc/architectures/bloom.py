"""BLOOM and MPT: distances between tokens in place of positions, and queries, keys and values in one matrix.

BLOOM norms the embedding, too; MPT has no biases. BigScience Workshop 2022, arXiv:2211.05100; MosaicML 2023.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures.decoder import source
from gpt2calc.architectures.glossary import classes, law, size
from gpt2calc.architectures.plain import ATTENTION, FOUR_TIMES, MLP, Plain, architecture

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

BLOOM = Plain(
    source("bloom", "Bloom"),
    body="transformer",
    layer="h",
    embedding="word_embeddings",
    embedding_norm="word_embeddings_layernorm",
    order=("input_layernorm", ATTENTION, "post_attention_layernorm", MLP),
    attention="self_attention",
    projections=("query_key_value",),
    out="dense",
    mlp="mlp",
    up_down=("dense_h_to_4h", "dense_4h_to_h"),
    final="ln_f",
)
MPT = Plain(
    source("mpt", "Mpt"),
    body="transformer",
    layer="blocks",
    embedding="wte",
    order=("norm_1", ATTENTION, "norm_2", MLP),
    attention="attn",
    projections=("Wqkv",),
    out="out_proj",
    mlp="ffn",
    up_down=("up_proj", "down_proj"),
    final="norm_f",
    divided=False,
)

ARCHITECTURES: dict[str, Architecture] = {
    # Source: transformers 5.23, configuration_bloom.py.
    "bloom": architecture(
        "bloom",
        BLOOM,
        classes("Bloom"),
        vocab_size=250880,
        hidden_size=size(64, spellings=("n_embed",)),
        intermediate_size=law(FOUR_TIMES),
        num_hidden_layers=size(2, spellings=("n_layer",)),
        num_attention_heads=size(8, spellings=("n_head",)),
        tie_word_embeddings=True,
    ),
    # Source: transformers 5.23, configuration_mpt.py, and modeling_mpt.py, which does not read expansion_ratio.
    "mpt": architecture(
        "mpt",
        MPT,
        classes("Mpt"),
        vocab_size=50368,
        hidden_size=size(2048, spellings=("d_model",)),
        intermediate_size=law(FOUR_TIMES),
        num_hidden_layers=size(24, spellings=("n_layers",)),
        tie_word_embeddings=True,
        qkv_bias=law(0),
        mlp_bias=law(0),
        norm_bias=law(0),
    ),
}
"""Each model type of this file."""
