"""The names of the sixteen arrays in an llm.c file, each of which holds all blocks."""

from __future__ import annotations

from gpt2calc.dialects.base import Dialect, Piece
from gpt2calc.dialects.layouts import STACKED
from gpt2calc.model import BIAS, WEIGHT

_IN_BLOCKS = (
    *(("ln1", "ln_1"), ("qkv", "attn.c_attn"), ("attproj", "attn.c_proj")),
    *(("ln2", "ln_2"), ("fc", "mlp.c_fc"), ("fcproj", "mlp.c_proj")),
)

LLMC = Dialect(
    "llm.c",
    "llm.c's binary files, whose vocabulary is padded",
    "karpathy/llm.c, train_gpt2.c: ParameterTensors",
    (
        Piece("wte", "wte", WEIGHT),
        Piece("wpe", "wpe", WEIGHT),
        *(Piece(f"{name}w", component, WEIGHT, STACKED) for name, component in _IN_BLOCKS),
        *(Piece(f"{name}b", component, BIAS, STACKED) for name, component in _IN_BLOCKS),
        Piece("lnfw", "ln_f", WEIGHT),
        Piece("lnfb", "ln_f", BIAS),
    ),
    pads_vocabulary=True,
    whose="under llm.c's names",
)
