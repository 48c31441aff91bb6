"""The names of the GPT model in Raschka's book, which has a layer each for queries, keys and values."""

from __future__ import annotations

from gpt2calc.dialects.base import Dialect, Extra, Piece
from gpt2calc.dialects.huggingface import MASK
from gpt2calc.dialects.layouts import LINEAR, THIRD
from gpt2calc.model import BIAS, WEIGHT

_BLOCK = "trf_blocks.{}."
_LINEAR = (("att.out_proj", "attn.c_proj"), ("ff.layers.0", "mlp.c_fc"), ("ff.layers.2", "mlp.c_proj"))

RASCHKA = Dialect(
    "raschka",
    "the GPTModel of Raschka's book on building one from scratch",
    "rasbt/LLMs-from-scratch, ch04/01_main-chapter-code/gpt.py",
    (
        Piece("tok_emb.weight", "wte", WEIGHT),
        Piece("pos_emb.weight", "wpe", WEIGHT),
        *(Piece(f"{_BLOCK}att.W_{part}.weight", "attn.c_attn", WEIGHT, THIRD) for part in ("query", "key", "value")),
        *(Piece(f"{_BLOCK}att.W_{part}.bias", "attn.c_attn", BIAS, THIRD) for part in ("query", "key", "value")),
        *(Piece(f"{_BLOCK}{name}.weight", component, WEIGHT, LINEAR) for name, component in _LINEAR),
        *(Piece(f"{_BLOCK}{name}.bias", component, BIAS) for name, component in _LINEAR),
        Piece(_BLOCK + "norm1.scale", "ln_1", WEIGHT),
        Piece(_BLOCK + "norm1.shift", "ln_1", BIAS),
        Piece(_BLOCK + "norm2.scale", "ln_2", WEIGHT),
        Piece(_BLOCK + "norm2.shift", "ln_2", BIAS),
        Piece("final_norm.scale", "ln_f", WEIGHT),
        Piece("final_norm.shift", "ln_f", BIAS),
        Piece("out_head.weight", "lm_head", WEIGHT),
    ),
    (Extra(_BLOCK + "att.mask", MASK, ("n", "n")),),
    whose="under the names of Raschka's book",
)
