"""OLMo: Llama's layers with norms that have no weights; OLMo 2 and 3 norm after attention and after the MLP instead.

OLMo 2 and 3 norm all channels of the queries, and of the keys; NanoChat's norms have no weights, and its MLP no gate.
Groeneveld et al. 2024, arXiv:2402.00838; OLMo Team 2025, arXiv:2501.00656; Karpathy 2025.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures.decoder import AS_HEADS, PLAIN, WHOLE, Block, architecture, llama_like, source
from gpt2calc.architectures.glossary import classes, law, size
from gpt2calc.model import ABSENT

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

AFTER = ("post_attention_layernorm", "post_feedforward_layernorm")
# Source: transformers 5.23, configuration_olmo.py, configuration_olmo2.py and configuration_olmo3.py.
FIRST: dict[str, Any] = {
    "vocab_size": 50304,
    "intermediate_size": 11008,
    "num_key_value_heads": size(AS_HEADS, null=ABSENT),
    "attention_bias": False,
}
NORMED = Block("", norms=AFTER, qk_width=WHOLE)

ARCHITECTURES: dict[str, Architecture] = {
    "olmo": llama_like("olmo", "Olmo", Block("", norms=(), final=""), **FIRST),
    "olmo2": llama_like("olmo2", "Olmo2", NORMED, **FIRST, qk_norm=law(1)),
    "olmo3": llama_like("olmo3", "Olmo3", NORMED, **FIRST, qk_norm=law(1)),
    # Source: transformers 5.23, configuration_nanochat.py; modeling_nanochat.py for head_dim.
    "nanochat": architecture(
        "nanochat",
        Block(source("nanochat", "NanoChat"), norms=(), final="", mlp=PLAIN, mlp_names=("fc1", "fc2")),
        classes("NanoChat", classifies=False),
        vocab_size=50304,
        hidden_size=768,
        intermediate_size=8192,
        num_hidden_layers=12,
        num_attention_heads=6,
        num_key_value_heads=size(AS_HEADS, null=ABSENT),
        attention_bias=False,
    ),
}
"""Each model type of this file."""
