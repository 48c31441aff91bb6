"""Files with the types that llama.cpp gives the tensors of a GPT-2 raise no alarm: whole, in 16 bits, and quantized.

Source: ggml-org/llama.cpp, conversion/base.py, `prepare_tensors`; src/llama-quant.cpp, `llama_tensor_get_type`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

import gpt2calc
from tests.loops import of_each
from tests.makers import gguf as make

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    Rule = Callable[[str, tuple[int, ...], int], str]
    """The type of a tensor, by its name and shape and the number of blocks."""

FALLBACKS = {"Q2_K": "Q4_0", "Q3_K": "Q4_0", "Q4_K": "Q5_0", "Q5_K": "Q5_1", "Q6_K": "Q8_0"}
"""What a row is stored in that is no multiple of 256."""


def converted(dtype: str, wpe: str = "F32") -> Rule:
    """Return the rule of the converter; before July 2024 it gave `wpe` the type of the matrices."""

    def rule(name: str, shape: tuple[int, ...], _: int) -> str:
        if len(shape) == 1:
            return "F32"
        if name == "position_embd.weight":
            return wpe
        if dtype == "TQ1_0" and name in ("token_embd.weight", "output.weight"):
            return "F16"
        return dtype if shape[-1] % make.TYPES[dtype][1] == 0 else "F16"

    return rule


def quantized(usual: str, qkv: str, down: str, output: str, *, more: str = "", wpe: str = "F32") -> Rule:
    """Return the rule of llama-quantize for one of its mixtures; `more` is for the blocks that get more bits."""

    def rule(name: str, shape: tuple[int, ...], blocks: int) -> str:
        if len(shape) == 1:
            return "F32"
        if name == "position_embd.weight":
            return wpe
        block = int(name.split(".")[1]) if name.startswith("blk.") else 0
        rich = block < blocks // 8 or block >= 7 * blocks // 8 or (block - blocks // 8) % 3 == 2
        found = usual
        if name in ("token_embd.weight", "output.weight"):
            found = output
        elif "attn_qkv" in name or "ffn_down" in name:
            found = more if more and rich else qkv if "attn_qkv" in name else down
        if shape[-1] % make.TYPES[found][1]:
            found = FALLBACKS.get(found, "F16")
        return found if shape[-1] % make.TYPES[found][1] == 0 else "F16"

    return rule


RULES: dict[str, Rule] = {
    "F32": converted("F32"),
    "F16": converted("F16"),
    "F16 before July 2024": converted("F16", "F16"),
    "BF16": converted("BF16"),
    "Q8_0 by the converter": converted("Q8_0"),
    "TQ1_0 by the converter": converted("TQ1_0"),
    "Q4_0": quantized("Q4_0", "Q4_0", "Q4_0", "Q6_K"),
    "Q8_0": quantized("Q8_0", "Q8_0", "Q8_0", "Q8_0"),
    "Q2_K": quantized("Q2_K", "Q3_K", "Q3_K", "Q6_K"),
    "Q3_K_M": quantized("Q3_K", "Q5_K", "Q4_K", "Q6_K"),
    "Q4_K_M": quantized("Q4_K", "Q4_K", "Q4_K", "Q6_K", more="Q6_K"),
    "Q4_K_M of a file from before July 2024": quantized("Q4_K", "Q4_K", "Q4_K", "Q6_K", more="Q6_K", wpe="F16"),
    "Q5_K_M": quantized("Q5_K", "Q5_K", "Q5_K", "Q6_K", more="Q6_K"),
    "Q6_K": quantized("Q6_K", "Q6_K", "Q6_K", "Q6_K"),
}
SIZES = [(12, 256), (12, 768), (9, 64), (3, 48), (2, 8)]
"""Blocks and width: rows that are a multiple of 256, of 32 alone, in part, and of neither."""


def written(path: Path, rule: Rule, n_layer: int, n_embd: int, *, head: bool) -> tuple[str, dict[str, object]]:
    """Write a file with the types of a rule, and return its path and its config, tied unless there is a head."""
    sizes = {"n_layer": n_layer, "n_embd": n_embd, "n_positions": 16, "vocab_size": 99, "n_head": 1}
    whole = make.gpt2_tensors(n_layer=n_layer, n_embd=n_embd, n_positions=16, vocab_size=99, head=head)
    tensors = [tensor._replace(dtype=rule(str(tensor.name), tensor.shape, n_layer)) for tensor in whole]
    make.write(path / "model.gguf", make.gpt2_metadata(**sizes), tensors)
    return str(path / "model.gguf"), {**sizes}


@pytest.mark.parametrize(("n_layer", "n_embd"), SIZES)
@pytest.mark.parametrize(("head", "tied"), [(False, True), (True, True), (True, False)])
@of_each("rule", RULES)
def test_no_alarm_is_raised(tmp_path: Path, rule: str, n_layer: int, n_embd: int, *, head: bool, tied: bool) -> None:
    """Tied, tied with the head stored all the same as converters did until March 2025, and untied."""
    target, config = written(tmp_path, RULES[rule], n_layer, n_embd, head=head)
    found = gpt2calc.verify(target, {**config, "tie_word_embeddings": tied})
    assert found.faults == ()
    assert found.matches


@pytest.mark.parametrize("name", ["token_embd.weight", "blk.1.attn_qkv.weight", "blk.0.ffn_down.bias"])
def test_a_type_that_no_rule_gives_is_found(tmp_path: Path, name: str) -> None:
    """In a file of 16 bits, a block's matrix in float32 is named, and so is a vector in float16.

    What a model has once may be of any type: llama-quantize has an option for the type of token_embd.
    """
    usual = converted("F16")

    def rule(tensor: str, shape: tuple[int, ...], blocks: int) -> str:
        kind = usual(tensor, shape, blocks)
        return {"F16": "F32", "F32": "F16"}[kind] if tensor == name else kind

    target, config = written(tmp_path, rule, 2, 8, head=False)
    expected = [("dtype", name)] if name.startswith("blk.") else []
    assert [(fault.kind, fault.tensor) for fault in gpt2calc.verify(target, config).faults] == expected
