"""The names of Hugging Face's transformers: those of the tensor table itself, with or without `transformer.`."""

from __future__ import annotations

from gpt2calc import tensor_table
from gpt2calc.dialects.base import Dialect, Extra, Piece
from gpt2calc.dims import Dims

MASK, MASK_VALUE = "causal masks", "values of masked attention"

ROWS = tensor_table.table(Dims(*(1,) * len(Dims._fields)))
PIECES = tuple(Piece(row.template.removeprefix(tensor_table.BODY), row.component, row.role) for row in ROWS)

EXTRAS = (
    Extra("h.{}.attn.bias", MASK, (1, 1, "n", "n")),
    Extra("h.{}.attn.masked_bias", MASK_VALUE, ()),
    Extra("h.{}.crossattention.bias", MASK, (1, 1, "n", "n")),
    Extra("h.{}.crossattention.masked_bias", MASK_VALUE, ()),
)

HUGGINGFACE = Dialect(
    "huggingface",
    "transformers' GPT-2, and the files that OpenAI's sizes were released in",
    "transformers, modeling_gpt2.py; masks: versions up to 4.29",
    PIECES,
    EXTRAS,
    prefix=tensor_table.BODY,
)
