"""Decoders that are Llama's but for names, defaults and norms: InternLM3, IQuest-Coder, CWM, HyperCLOVA X, BitNet.

hyperclovax norms after attention and the MLP, too, by a flag, and bitnet before the last matrix of each; granite_swa
has a weight of each head for no token. Shanghai AI Laboratory 2025; IQuest Lab 2025; Meta FAIR 2025, arXiv:2510.02387;
NAVER Cloud 2025, arXiv:2506.22403; Ma et al. 2025, arXiv:2504.12285.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures.decoder import AS_HEADS, BY_HEADS, Block, architecture, source
from gpt2calc.architectures.glossary import classes, law, size
from gpt2calc.architectures.runs import UNDIVIDED, Layers, Said
from gpt2calc.model import ABSENT

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

DIVIDED = Block(source("llama", "Llama"), divided=True)
GROUPED = size(AS_HEADS, null=ABSENT)
BIASES: dict[str, Any] = {"attention_bias": False, "mlp_bias": False}


ONE_BIAS = Said(
    "attention_bias == mlp_bias",
    "attention_bias (qkv_bias) and mlp_bias (bias) must be the same, or transformers builds no internlm3",
    "attention_bias",
)

# Source: transformers 5.23, configuration_*.py; modeling_llama.py of the first two; modeling_*.py for head_dim.
_ROWS = (
    architecture(
        "internlm3",
        DIVIDED,
        {"InternLM3ForCausalLM": "lm"} | classes("Llama", classifies=False),
        vocab_size=128512,
        intermediate_size=10240,
        num_hidden_layers=48,
        num_key_value_heads=size(2, null=AS_HEADS),
        head_dim=size(128, null=BY_HEADS),
        attention_bias=size(False, spellings=("qkv_bias",)),
        mlp_bias=size(False, spellings=("bias",)),
    )._replace(layers=Layers("model.layers", musts=(UNDIVIDED, ONE_BIAS))),
    architecture(
        "iquestcoder",
        DIVIDED,
        {"IQuestCoderForCausalLM": "lm"} | classes("Llama", classifies=False),
        vocab_size=76800,
        hidden_size=5120,
        intermediate_size=27648,
        num_hidden_layers=80,
        num_attention_heads=40,
        num_key_value_heads=size(8, null=AS_HEADS),
        head_dim=size(128, null=BY_HEADS),
        **BIASES,
    ),
    architecture(
        "cwm",
        Block(source("cwm", "Cwm"), divided=True),
        classes("Cwm", classifies=False),
        vocab_size=128256,
        hidden_size=6144,
        intermediate_size=21504,
        num_hidden_layers=64,
        num_attention_heads=48,
        num_key_value_heads=8,
        head_dim=128,
        mlp_bias=False,
    ),
    architecture(
        "hyperclovax",
        Block(
            source("hyperclovax", "HyperCLOVAX"),
            norms=("input_layernorm", "post_attention_layernorm", "post_norm1", "post_norm2"),
            unless=("post_norm1", "post_norm2"),
            divided=True,
        ),
        classes("HyperCLOVAX", classifies=False),
        intermediate_size=11008,
        num_key_value_heads=GROUPED,
        head_dim=size(BY_HEADS, null=ABSENT),
        **BIASES,
        use_post_norm=size(True, help="norms after attention and the MLP, too"),
        second_norm=law("= use_post_norm"),
    ),
    architecture(  # which has no default for the width of a head
        "ministral",
        Block(source("ministral", "Ministral")),
        classes("Ministral"),
        num_key_value_heads=8,
        head_dim=size(None),
    ),
    architecture(
        "bitnet",
        Block(source("bitnet", "BitNet"), sub_norms=True),
        classes("BitNet", classifies=False),
        vocab_size=128256,
        hidden_size=2560,
        intermediate_size=6912,
        num_hidden_layers=30,
        num_attention_heads=20,
        num_key_value_heads=size(5, null=AS_HEADS),
        attention_bias=False,
    ),
    architecture(
        "granite_swa",
        Block(source("granite_swa", "GraniteSWA"), sinks=True),
        classes("GraniteSWA", classifies=False),
        vocab_size=100352,
        hidden_size=2560,
        intermediate_size=8192,
        num_hidden_layers=24,
        num_attention_heads=20,
        num_key_value_heads=size(4, null=AS_HEADS),
        tie_word_embeddings=True,
        **BIASES,
    ),
)

ARCHITECTURES: dict[str, Architecture] = {row.model_type: row for row in _ROWS}
"""Each model type of this file."""
