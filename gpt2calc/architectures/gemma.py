"""Gemma: Llama's layers with heads of a width of their own; Gemma 2 and 3 norm before and after attention and the MLP.

Gemma 3 norms each head's queries and keys, too; VaultGemma norms before alone. Gemma Team 2024, arXiv:2403.08295,
arXiv:2408.00118; 2025, arXiv:2503.19786; VaultGemma Team 2025, arXiv:2510.15001.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures.decoder import Block, architecture, llama_like, source
from gpt2calc.architectures.glossary import classes, law

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

SCALED = "TextScaledWordEmbedding"
FOUR = (
    "input_layernorm",
    "post_attention_layernorm",
    "pre_feedforward_layernorm",
    "post_feedforward_layernorm",
)
# Source: transformers 5.23, configuration_gemma2.py and configuration_gemma3.py.
SECOND: dict[str, Any] = {
    "hidden_size": 2304,
    "intermediate_size": 9216,
    "num_hidden_layers": 26,
    "num_attention_heads": 8,
    "num_key_value_heads": 4,
    "head_dim": 256,
    "attention_bias": False,
    "tie_word_embeddings": True,
}
THIRD = {
    "Gemma3ForCausalLM": "lm",
    "Gemma3TextModel": "none",
    "Gemma3TextForSequenceClassification": "sequence_classification",
}

ARCHITECTURES: dict[str, Architecture] = {
    "gemma": llama_like(
        "gemma",
        "Gemma",
        Block("", embedding=SCALED),
        vocab_size=256000,
        hidden_size=3072,
        intermediate_size=24576,
        num_hidden_layers=28,
        num_attention_heads=16,
        num_key_value_heads=16,
        head_dim=256,
        attention_bias=False,
        tie_word_embeddings=True,
    ),
    "gemma2": llama_like(
        "gemma2", "Gemma2", Block("", embedding=SCALED, norms=FOUR, divided=True), vocab_size=256000, **SECOND
    ),
    "gemma3_text": architecture(
        "gemma3_text",
        Block(source("gemma3", "Gemma3"), body="TextModel", embedding=SCALED, norms=FOUR, divided=True),
        THIRD,
        vocab_size=262208,
        qk_norm=law(1),
        **SECOND,
    ),
    # Source: transformers 5.23, configuration_vaultgemma.py.
    "vaultgemma": architecture(
        "vaultgemma",
        Block(
            source("vaultgemma", "VaultGemma"),
            embedding=SCALED,
            norms=("input_layernorm", "pre_feedforward_layernorm"),
            divided=True,
        ),
        classes("VaultGemma", classifies=False),
        vocab_size=256000,
        **SECOND,
    ),
}
"""Each model type of this file."""
