"""The names of GGUF, as llama.cpp's converter gives them to models of other architectures than GPT-2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.dialects.base import COPY, LAYER, Dialect, Extra, Piece
from gpt2calc.model import OUTPUT_HEAD, TOKEN_EMBEDDING

if TYPE_CHECKING:
    from gpt2calc.model import Model

SUMMARY, WHOSE = "llama.cpp's GGUF files", "under GGUF's names"

OF_TYPES = (
    *("arcee", "ernie4_5", "gemma", "granite", "llama", "mistral", "mixtral", "nemotron", "olmo", "olmoe", "qwen2"),
    *("qwen3", "qwen3_moe", "smollm3"),
)
"""The model types whose names are known here. gguf-py's map, `gguf.TensorNameMap`, says the same in the tests."""

EXTRAS = (Extra("rope_freqs.weight", "rotary frequencies", ("n",)),)
"""What a Llama 3.1's file holds beside its parameters."""

MODULES = {
    "model.embed_tokens": "token_embd",
    "model.norm": "output_norm",
    "lm_head": "output",
    "{layer}.input_layernorm": "attn_norm",
    "{layer}.post_attention_layernorm": "ffn_norm",
    **{f"{{layer}}.self_attn.{part}_proj": f"attn_{part}" for part in "qkv"},
    "{layer}.self_attn.o_proj": "attn_output",
    **{f"{{layer}}.self_attn.{part}_norm": f"attn_{part}_norm" for part in "qk"},
    **{f"{{layer}}.mlp.{part}_proj": f"ffn_{part}" for part in ("gate", "up", "down")},
    **{f"{{layer}}.mlp.experts.{{n}}.{part}_proj": f"ffn_{part}_exps" for part in ("gate", "up", "down")},
    "{layer}.mlp.gate": "ffn_gate_inp",
    "{layer}.block_sparse_moe.gate": "ffn_gate_inp",
    "{layer}.block_sparse_moe.experts.{n}.w1": "ffn_gate_exps",
    "{layer}.block_sparse_moe.experts.{n}.w3": "ffn_up_exps",
    "{layer}.block_sparse_moe.experts.{n}.w2": "ffn_down_exps",
}
"""What a module of transformers is called; all experts of a layer are one tensor."""


def names_of(model: Model) -> Dialect | None:
    """Return the names that a GGUF has for a model; None where they are not known."""
    if model.architecture.model_type not in OF_TYPES:
        return None
    pieces = []
    for row in model.architecture.tensors(model):
        module, _, role = row.template.rpartition(".")
        if module not in MODULES:
            if row.when and row.times:  # such as what classifies sequences
                return None
            continue
        stack = model.stacks[0].prefix if row.layers else ""
        name = f"{f'blk.{LAYER}.' if row.layers else ''}{MODULES[module]}.{role}"
        held = row._replace(shape=(row.times, *row.shape), times=1) if COPY in module else row
        pieces.append(Piece(name, row.component, row.role, rows=(held,), stack=stack))
    parts = {row.part: row.name for row in model.components()}
    source = "gguf-py, tensor_mapping.py; ggml-org/llama.cpp, convert_hf_to_gguf.py"
    embedding, head = parts[TOKEN_EMBEDDING], parts.get(OUTPUT_HEAD, "")
    parameters = tuple(pieces)
    return Dialect("gguf", SUMMARY, source, parameters, EXTRAS, embedding=embedding, head=head, whose=WHOSE)
