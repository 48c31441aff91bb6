"""GPT-J and CodeGen: attention and the MLP side by side after one norm, and an output head with a bias.

GPT-J has keys, values and queries apart, CodeGen in one matrix; neither has biases in attention. Wang and Komatsuzaki
2021; Nijkamp et al. 2022, arXiv:2203.13474.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures.decoder import source
from gpt2calc.architectures.glossary import classes, law, size
from gpt2calc.architectures.plain import ATTENTION, FOUR_OR_GIVEN, MLP, Plain, architecture

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

GPTJ = Plain(
    source("gptj", "GPTJ"),
    body="transformer",
    layer="h",
    embedding="wte",
    order=("ln_1", ATTENTION, MLP),
    attention="attn",
    projections=("k_proj", "v_proj", "q_proj"),
    out="out_proj",
    mlp="mlp",
    up_down=("fc_in", "fc_out"),
    final="ln_f",
    head_bias=1,
    inner="n_inner",
)
CODEGEN = GPTJ._replace(source=source("codegen", "CodeGen"), projections=("qkv_proj",))

# Source: transformers 5.23, configuration_gptj.py and configuration_codegen.py, which have the same defaults.
SIZES: dict[str, Any] = {
    "vocab_size": 50400,
    "hidden_size": size(4096, spellings=("n_embd",)),
    "n_inner": FOUR_OR_GIVEN,
    "num_hidden_layers": size(28, spellings=("n_layer",)),
    "num_attention_heads": size(16, spellings=("n_head",)),
    "tie_word_embeddings": False,
    "qkv_bias": law(0),
}

ARCHITECTURES: dict[str, Architecture] = {
    "gptj": architecture("gptj", GPTJ, classes("GPTJ"), **SIZES),
    "codegen": architecture("codegen", CODEGEN, classes("CodeGen", classifies=False), **SIZES),
}
"""Each model type of this file."""
