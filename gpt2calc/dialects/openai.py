"""The names of OpenAI's TensorFlow: scopes between slashes, `w` and `b`, and `g` for the weight of a LayerNorm."""

from __future__ import annotations

from gpt2calc.dialects.base import Dialect, Piece
from gpt2calc.dialects.layouts import CONVOLUTION
from gpt2calc.model import BIAS, WEIGHT

_LINEAR = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")

OPENAI = Dialect(
    "openai",
    "OpenAI's original checkpoints, whose matrices are [1, in, out]",
    "openai/gpt-2, src/model.py",
    (
        Piece("model/wte", "wte", WEIGHT),
        Piece("model/wpe", "wpe", WEIGHT),
        *(Piece(f"model/h{{}}/{norm}/g", norm, WEIGHT) for norm in ("ln_1", "ln_2")),
        *(Piece(f"model/h{{}}/{norm}/b", norm, BIAS) for norm in ("ln_1", "ln_2")),
        *(Piece(f"model/h{{}}/{each.replace('.', '/')}/w", each, WEIGHT, CONVOLUTION) for each in _LINEAR),
        *(Piece(f"model/h{{}}/{each.replace('.', '/')}/b", each, BIAS) for each in _LINEAR),
        Piece("model/ln_f/g", "ln_f", WEIGHT),
        Piece("model/ln_f/b", "ln_f", BIAS),
    ),
    whose="under OpenAI's TensorFlow names",
)
