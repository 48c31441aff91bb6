"""StableLM: Llama's layers with biased norms, of which one is left out where attention and the MLP stand side by side.

Bellagente et al. 2024, arXiv:2402.17834.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures.decoder import APART, BY_HEADS, Block, llama_like
from gpt2calc.architectures.glossary import law, size

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

ARCHITECTURES: dict[str, Architecture] = {
    # Source: transformers 5.23, configuration_stablelm.py.
    "stablelm": llama_like(
        "stablelm",
        "StableLm",
        Block(
            "",
            unless=("post_attention_layernorm",),
            norm_bias=1,
            qkv_bias="use_qkv_bias",
            out_bias="",
            qk_norms=("q_layernorm", "k_layernorm"),
            qk_width=APART,
            divided=True,
        ),
        vocab_size=50304,
        hidden_size=2560,
        intermediate_size=6912,
        num_key_value_heads=32,
        head_dim=law(BY_HEADS),
        attention_bias=None,
        use_qkv_bias=size(False, help="biases of queries, keys and values"),
        qk_layernorm=size(False, help="norms of each head's queries and keys"),
        qk_norm=law("= qk_layernorm"),
        use_parallel_residual=size(False, help="attention and the MLP stand side by side"),
        second_norm=law("= 1 - use_parallel_residual"),
    ),
}
"""Each model type of this file."""
