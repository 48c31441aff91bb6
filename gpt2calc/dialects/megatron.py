"""The names of a GPT model of Megatron Core, on one device; rows that pad its vocabulary are tokens."""

from __future__ import annotations

from gpt2calc.dialects.base import Dialect, Piece
from gpt2calc.dialects.layouts import LINEAR, SAME
from gpt2calc.model import BIAS, WEIGHT

_IN_BLOCKS = (
    ("input_layernorm", "ln_1", SAME),
    ("self_attention.linear_qkv", "attn.c_attn", LINEAR),
    ("self_attention.linear_proj", "attn.c_proj", LINEAR),
    ("pre_mlp_layernorm", "ln_2", SAME),
    ("mlp.linear_fc1", "mlp.c_fc", LINEAR),
    ("mlp.linear_fc2", "mlp.c_proj", LINEAR),
)

MEGATRON = Dialect(
    "megatron",
    "Megatron Core's GPTModel on one device, with local layers",
    "NVIDIA/Megatron-LM, megatron/core/models/gpt/gpt_model.py",
    (
        Piece("embedding.word_embeddings.weight", "wte", WEIGHT),
        Piece("embedding.position_embeddings.weight", "wpe", WEIGHT),
        *(Piece(f"decoder.layers.{{}}.{name}.weight", part, WEIGHT, layout) for name, part, layout in _IN_BLOCKS),
        *(Piece(f"decoder.layers.{{}}.{name}.bias", part, BIAS) for name, part, _ in _IN_BLOCKS),
        Piece("decoder.final_layernorm.weight", "ln_f", WEIGHT),
        Piece("decoder.final_layernorm.bias", "ln_f", BIAS),
        Piece("output_layer.weight", "lm_head", WEIGHT),
    ),
    whose="under Megatron Core's names",
)
