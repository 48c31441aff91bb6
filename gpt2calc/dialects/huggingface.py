"""The names of Hugging Face's transformers: those of the tensor table itself, with or without the name of the body."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc import tensor_table
from gpt2calc.dialects.base import LAYER, Dialect, Extra, Piece
from gpt2calc.dims import Dims
from gpt2calc.model import OUTPUT_HEAD, TOKEN_EMBEDDING, merged

if TYPE_CHECKING:
    from gpt2calc.model import Model, Tensor

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


def names_of(model: Model) -> tuple[Dialect, ...]:
    """Return the names that files of transformers have for a model of any architecture, and those of a live module.

    A live module keeps in one tensor what files hold in several, such as the experts of a layer.
    """
    files, merges = model.architecture.tensors(model), model.architecture.merges
    found = (_named(model, files, is_live=False),)
    return (*found, _named(model, merged(files, merges), is_live=True)) if merges else found


def _named(model: Model, rows: list[Tensor], *, is_live: bool) -> Dialect:
    architecture, body = model.architecture, f"{model.architecture.body}."
    pieces: dict[tuple[str, str], Piece] = {}
    for row in rows:
        for stack in [each.prefix for each in model.stacks] if row.layers else [""]:
            name = row.template.replace("{layer}", f"{stack}.{LAYER}")
            own = (name.removeprefix(body), row.component, row.role)
            piece = pieces.setdefault((name, stack), Piece(*own, stack=stack, outside=not name.startswith(body)))
            pieces[name, stack] = piece._replace(rows=(*piece.rows, row))
    parts = {row.part: row.name for row in model.components()}
    return Dialect(
        "huggingface",
        f"{'live modules' if is_live else 'files'} of transformers",
        f"transformers, modeling_{architecture.model_type}.py",
        tuple(pieces.values()),
        prefix=body,
        other_prefix=f"{architecture.live_body}." if architecture.live_body else "",
        embedding=parts[TOKEN_EMBEDDING],
        head=parts.get(OUTPUT_HEAD, ""),
        is_live=is_live,
    )
