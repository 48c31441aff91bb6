"""OLMo: Llama's layers with norms that have no weights; OLMo 2 and 3 norm after attention and after the MLP instead.

They norm all channels of the queries, and of the keys, too. Groeneveld et al. 2024, arXiv:2402.00838; OLMo Team 2025,
arXiv:2501.00656.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures.decoder import AS_HEADS, WHOLE, Block, llama_like
from gpt2calc.architectures.glossary import law, size
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
}
"""Each model type of this file."""
