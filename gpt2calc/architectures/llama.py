"""Llama and what is shaped like it but for flags: grouped queries, a gated MLP, two norms a layer, no positions.

llama and granite have biases by two flags, mistral and ministral3 none, qwen2 and seed_oss of queries, keys and values,
qwen3 and hunyuan_v1_dense norms of each head's queries and keys, exaone4 those and its norms after what they norm;
arcee and apertus have no gate. Touvron et al. 2023, arXiv:2302.13971; Jiang et al. 2023, arXiv:2310.06825.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures.decoder import AS_HEADS, BY_HEADS, PLAIN, Block, architecture, llama_like, source
from gpt2calc.architectures.glossary import classes, law, size
from gpt2calc.model import ABSENT, FIXED

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

GROUPED = size(AS_HEADS, null=ABSENT)
QWEN: dict[str, Any] = {
    "vocab_size": 151936,
    "intermediate_size": 22016,
    "num_key_value_heads": size(32, null=AS_HEADS),
}
BIASES: dict[str, Any] = {"attention_bias": False, "mlp_bias": False}
AFTER = ("post_attention_layernorm", "post_feedforward_layernorm")

# Source: transformers 5.23, configuration_*.py and, for head_dim, modeling_*.py.
_ROWS = (
    llama_like(
        "llama",
        "Llama",
        Block("", divided=True),
        intermediate_size=11008,
        num_key_value_heads=GROUPED,
        head_dim=size(BY_HEADS, null=ABSENT),
        **BIASES,
    ),
    llama_like("mistral", "Mistral", head_dim=size(BY_HEADS, null=ABSENT)),
    llama_like("ministral3", "Ministral3", vocab_size=131072, num_hidden_layers=34, head_dim=128),
    llama_like("qwen2", "Qwen2", Block("", qkv_bias="qkv_bias"), **QWEN, qkv_bias=law(1)),
    llama_like("qwen3", "Qwen3", **QWEN, head_dim=128, attention_bias=False, qk_norm=law(1)),
    architecture(
        "granite",
        Block(source("granite", "Granite")),
        classes("Granite", classifies=False),
        intermediate_size=11008,
        num_key_value_heads=GROUPED,
        **BIASES,
    ),
    llama_like(
        "helium",
        "Helium",
        Block("", square=True, out_bias=""),
        vocab_size=48000,
        hidden_size=2560,
        intermediate_size=7040,
        num_hidden_layers=24,
        num_attention_heads=20,
        num_key_value_heads=20,
        head_dim=128,
        **BIASES,
    ),
    llama_like(
        "smollm3",
        "SmolLM3",
        vocab_size=128256,
        hidden_size=2048,
        intermediate_size=11008,
        num_hidden_layers=36,
        num_attention_heads=16,
        num_key_value_heads=size(4, null=AS_HEADS),
        tie_word_embeddings=True,
        **BIASES,
    ),
    llama_like(
        "seed_oss",
        "SeedOss",
        Block("", out_bias="attention_out_bias"),
        vocab_size=155136,
        intermediate_size=27648,
        num_hidden_layers=64,
        num_attention_heads=80,
        num_key_value_heads=size(8, null=AS_HEADS),
        head_dim=size(128, null=BY_HEADS),
        attention_bias=size(True, help="biases of queries, keys and values"),
        attention_out_bias=size(False, help="biases after attention"),
        mlp_bias=False,
    ),
    architecture(
        "ernie4_5",
        Block(source("ernie4_5", "Ernie4_5")),
        classes("Ernie4_5", classifies=False),
        vocab_size=103424,
        hidden_size=1024,
        intermediate_size=3072,
        num_hidden_layers=18,
        num_attention_heads=16,
        num_key_value_heads=size(2, null=AS_HEADS),
        head_dim=size(128, null=BY_HEADS),
        tie_word_embeddings=True,
        use_bias=size(False, null=ABSENT, help="biases in attention and in the MLP"),
        attention_bias=law("= use_bias"),
        mlp_bias=law("= use_bias"),
    ),
    llama_like(
        "hunyuan_v1_dense",
        "HunYuanDenseV1",
        Block("", qk_norms=("query_layernorm", "key_layernorm")),
        vocab_size=290943,
        intermediate_size=11008,
        num_key_value_heads=GROUPED,
        head_dim=size(None),
        attention_bias=False,
        qk_norm=law(1),
    ),
    llama_like(
        "exaone4",
        "Exaone4",
        Block("", norms=AFTER),
        vocab_size=102400,
        intermediate_size=16384,
        num_key_value_heads=32,
        qk_norm=law(1),
    ),
    llama_like(
        "arcee",
        "Arcee",
        Block("", mlp=PLAIN, divided=True),
        hidden_size=2560,
        intermediate_size=18432,
        num_key_value_heads=GROUPED,
        head_dim=size(BY_HEADS, null=ABSENT),
        **BIASES,
    ),
    architecture(
        "apertus",
        Block(
            source("apertus", "Apertus"),
            norms=("attention_layernorm", "feedforward_layernorm"),
            mlp=PLAIN,
            learned=1,
        ),
        classes("Apertus", classifies=False),
        vocab_size=131072,
        num_key_value_heads=GROUPED,
        attention_bias=False,
        hidden_act=size("xielu", kind=FIXED, help="the activation, which has two parameters"),
        qk_norm=law(1),
    ),
)

ARCHITECTURES: dict[str, Architecture] = {row.model_type: row for row in _ROWS}
"""Each model type of this file."""
