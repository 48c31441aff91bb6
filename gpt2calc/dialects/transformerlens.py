"""The names of TransformerLens, which keeps attention by head, and an unembedding [d, V] with a bias."""

from __future__ import annotations

from gpt2calc.dialects.base import Dialect, Extra, Piece
from gpt2calc.dialects.huggingface import MASK, MASK_VALUE
from gpt2calc.dialects.layouts import HEADS_IN, HEADS_OUT, LINEAR
from gpt2calc.model import BIAS, WEIGHT

TRANSFORMERLENS = Dialect(
    "transformerlens",
    "HookedTransformer of TransformerLens, without folding",
    "TransformerLensOrg/TransformerLens, pretrained/weight_conversions/gpt2.py",
    (
        Piece("embed.W_E", "wte", WEIGHT),
        Piece("pos_embed.W_pos", "wpe", WEIGHT),
        Piece("blocks.{}.ln1.w", "ln_1", WEIGHT),
        Piece("blocks.{}.ln1.b", "ln_1", BIAS),
        *(Piece(f"blocks.{{}}.attn.W_{part}", "attn.c_attn", WEIGHT, HEADS_IN) for part in "QKV"),
        *(Piece(f"blocks.{{}}.attn.b_{part}", "attn.c_attn", BIAS, HEADS_IN) for part in "QKV"),
        Piece("blocks.{}.attn.W_O", "attn.c_proj", WEIGHT, HEADS_OUT),
        Piece("blocks.{}.attn.b_O", "attn.c_proj", BIAS),
        Piece("blocks.{}.ln2.w", "ln_2", WEIGHT),
        Piece("blocks.{}.ln2.b", "ln_2", BIAS),
        Piece("blocks.{}.mlp.W_in", "mlp.c_fc", WEIGHT),
        Piece("blocks.{}.mlp.b_in", "mlp.c_fc", BIAS),
        Piece("blocks.{}.mlp.W_out", "mlp.c_proj", WEIGHT),
        Piece("blocks.{}.mlp.b_out", "mlp.c_proj", BIAS),
        Piece("ln_final.w", "ln_f", WEIGHT),
        Piece("ln_final.b", "ln_f", BIAS),
        Piece("unembed.W_U", "lm_head", WEIGHT, LINEAR),
    ),
    (
        Extra("blocks.{}.attn.mask", MASK, ("n", "n")),
        Extra("blocks.{}.attn.IGNORE", MASK_VALUE, ()),
        Extra("unembed.b_U", "bias of the head, which GPT-2 does not have", ("V",)),
    ),
    head_is_copied=True,
    whose="under TransformerLens' names",
)
