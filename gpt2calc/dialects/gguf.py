"""The names of GGUF, as llama.cpp's converter gives them to a GPT-2; its matrices are [out, in]."""

from __future__ import annotations

from gpt2calc.dialects.base import Dialect, Piece
from gpt2calc.dialects.layouts import LINEAR, SAME
from gpt2calc.model import BIAS, WEIGHT

_IN_BLOCKS = (
    ("attn_norm", "ln_1", SAME),
    ("attn_qkv", "attn.c_attn", LINEAR),
    ("attn_output", "attn.c_proj", LINEAR),
    ("ffn_norm", "ln_2", SAME),
    ("ffn_up", "mlp.c_fc", LINEAR),
    ("ffn_down", "mlp.c_proj", LINEAR),
)

GGUF = Dialect(
    "gguf",
    "llama.cpp's GGUF files; those made before March 2025 hold a tied head a second time",
    "ggml-org/llama.cpp, conversion/gpt2.py: GPT2Model; gguf-py, tensor_mapping.py",
    (
        Piece("token_embd.weight", "wte", WEIGHT),
        Piece("position_embd.weight", "wpe", WEIGHT),
        *(Piece(f"blk.{{}}.{name}.weight", component, WEIGHT, layout) for name, component, layout in _IN_BLOCKS),
        *(Piece(f"blk.{{}}.{name}.bias", component, BIAS) for name, component, _ in _IN_BLOCKS),
        Piece("output_norm.weight", "ln_f", WEIGHT),
        Piece("output_norm.bias", "ln_f", BIAS),
        Piece("output.weight", "lm_head", WEIGHT),
    ),
    head_is_copied=True,
    whose="under GGUF's names",
)
