"""GPT-1 and StarCoder, beside GPT-2: the one norms after attention and after the MLP, the other has one head of keys.

Matrices of openai-gpt are [in, out], as GPT-2's are, and those of gpt_bigcode [out, in]. Radford et al. 2018; Li et al.
2023, arXiv:2305.06161.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures.decoder import source
from gpt2calc.architectures.glossary import classes, law, size
from gpt2calc.architectures.plain import ATTENTION, FOUR_OR_GIVEN, FOUR_TIMES, MLP, Plain, architecture
from gpt2calc.model import FIXED

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

BIGCODE = Plain(
    source("gpt_bigcode", "GPTBigCode"),
    body="transformer",
    layer="h",
    embedding="wte",
    positions="wpe",
    order=("ln_1", ATTENTION, "ln_2", MLP),
    attention="attn",
    projections=("c_attn",),
    out="c_proj",
    mlp="mlp",
    up_down=("c_fc", "c_proj"),
    final="ln_f",
    inner="n_inner",
)
GPT1 = BIGCODE._replace(
    source="transformers, modeling_openai.py: ",
    embedding="tokens_embed",
    positions="positions_embed",
    order=(ATTENTION, "ln_1", MLP, "ln_2"),
    final="",
    turned=True,
    inner="intermediate_size",
    makers=(
        *("Block", "Attention", "MLP", "OpenAIGPTModel", "OpenAIGPTModel", "OpenAIGPTModel"),
        *("OpenAIGPTLMHeadModel", "OpenAIGPTForSequenceClassification"),
    ),
)


def _sizes(vocab: int, positions: int) -> dict[str, Any]:
    return {
        "vocab_size": vocab,
        "hidden_size": size(768, spellings=("n_embd",)),
        "num_hidden_layers": size(12, spellings=("n_layer",)),
        "num_attention_heads": size(12, spellings=("n_head",)),
        "max_position_embeddings": size(positions, spellings=("n_positions",)),
        "tie_word_embeddings": True,
    }


ARCHITECTURES: dict[str, Architecture] = {
    # Source: transformers 5.23, configuration_gpt_bigcode.py.
    "gpt_bigcode": architecture(
        "gpt_bigcode",
        BIGCODE,
        classes("GPTBigCode"),
        **_sizes(50257, 1024),
        n_inner=FOUR_OR_GIVEN,
        multi_query=size(True, help="one head of keys and values"),
        add_cross_attention=size(False, kind=FIXED, help="attention to an encoder"),
        key_width=law(
            "= hidden_size // num_attention_heads if multi_query else hidden_size",
            letter="j",
            help="width of keys, and of values",
        ),
    ),
    # Source: transformers 5.23, configuration_openai.py.
    "openai-gpt": architecture(
        "openai-gpt",
        GPT1,
        {
            "OpenAIGPTLMHeadModel": "lm",
            "OpenAIGPTModel": "none",
            "OpenAIGPTForSequenceClassification": "sequence_classification",
        },
        **_sizes(40478, 512),
        intermediate_size=law(FOUR_TIMES),
    ),
}
"""Each model type of this file."""
