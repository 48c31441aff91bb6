"""The names of nanoGPT, minGPT and llm.c's Python: transformers' names, with the matrices of `torch.nn.Linear`."""

from __future__ import annotations

from gpt2calc import tensor_table
from gpt2calc.dialects.base import Dialect, Extra
from gpt2calc.dialects.huggingface import MASK, PIECES
from gpt2calc.dialects.layouts import LINEAR, SAME

LINEARS = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
KEPT = (*LINEARS, "wte", "wpe", "ln_1", "ln_2", "ln_f", "lm_head")

NANOGPT = Dialect(
    "nanogpt",
    "nanoGPT, minGPT and llm.c's Python, whose matrices are [out, in]",
    "karpathy/nanoGPT, model.py; karpathy/minGPT, mingpt/model.py; karpathy/llm.c, train_gpt2.py",
    tuple(
        piece._replace(layout=LINEAR if piece.component in LINEARS else SAME)
        for piece in PIECES
        if piece.component in KEPT
    ),
    (Extra("h.{}.attn.bias", MASK, (1, 1, "n", "n")),),
    prefix=tensor_table.BODY,
    whose="under nanoGPT's names, whose matrices are [out, in]",
)
