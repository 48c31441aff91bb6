"""Parts of a model: its first blocks, and ranks as Megatron splits a GPT-2, against torch modules built by hand."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
import torch

import gpt2calc
from tests.loops import of_each

if TYPE_CHECKING:
    from tests.conftest import Run

SMALL: dict[str, Any] = {"n_layer": 4, "n_embd": 16, "n_head": 4, "vocab_size": 300, "n_positions": 20}


def rank(dims: Any, tp: int, pp: int, stage: int) -> torch.nn.Module:
    """Return the module of one rank, of torch's own layers, as Megatron's GPTModel has them on that stage."""
    d, m = dims.n_embd, dims.n_inner
    padded = dims.vocab_size
    while padded % (128 * tp):
        padded += 1
    module = torch.nn.Module()
    if stage == 0:
        module.word_embeddings = torch.nn.Embedding(padded // tp, d)
        module.position_embeddings = torch.nn.Embedding(dims.n_positions, d)
    module.layers = torch.nn.ModuleList()
    for _ in range(dims.n_layer // pp):
        layer = torch.nn.Module()
        layer.input_layernorm, layer.pre_mlp_layernorm = torch.nn.LayerNorm(d), torch.nn.LayerNorm(d)
        layer.linear_qkv, layer.linear_proj = torch.nn.Linear(d, 3 * d // tp), torch.nn.Linear(d // tp, d)
        layer.linear_fc1, layer.linear_fc2 = torch.nn.Linear(d, m // tp), torch.nn.Linear(m // tp, d)
        module.layers.append(layer)
    if stage == pp - 1:
        module.final_layernorm = torch.nn.LayerNorm(d)
        if pp > 1 or not dims.tie_word_embeddings:
            module.output_layer = torch.nn.Linear(d, padded // tp, bias=False)
    return module


@of_each("tied", [True, False])
@of_each("tp, pp", [(1, 1), (2, 1), (4, 1), (1, 2), (1, 4), (2, 2), (4, 4)])
def test_a_rank_has_the_parameters_of_its_module(tp: int, pp: int, tied: bool) -> None:  # noqa: FBT001
    """Of each stage, and all of them come to the whole and to what is said to be there more than once."""
    found = gpt2calc.parts(**SMALL, tied=tied, tp=tp, pp=pp)
    dims = gpt2calc.count(**SMALL, tied=tied).dims
    with torch.device("meta"):
        built = [sum(p.numel() for p in rank(dims, tp, pp, stage).parameters()) for stage in range(pp)]
    assert [part.parameters for part in found.parts] == built
    assert found.sum == tp * sum(built) == found.total + sum(found.more.values())
    assert found.total == gpt2calc.count(**SMALL, tied=tied).total


def test_the_ranks_of_a_log_are_found() -> None:
    """A log of Megatron-LM prints 102483968 and 101437440 for 345M, tensor parallel 2 and pipeline parallel 2."""
    assert [part.parameters for part in gpt2calc.parts("gpt2-medium", tp=2, pp=2).parts] == [102483968, 101437440]


@pytest.mark.parametrize(
    ("model", "words", "total"),
    [
        ("gpt2", {"blocks": 4}, 28_351_488),
        ("gpt2-medium", {"blocks": 2}, 25_192_448),  # 25.19M in microsoft/LoRA #148
        ({"n_layer": 96}, {"blocks": 16}, 113_405_952),  # 113M in pytorch/PiPPy PR 682
        ({"model_type": "llama"}, {"blocks": 1}, 202_383_360),
    ],
)
def test_blocks_are_as_many_times_one(model: Any, words: Any, total: int) -> None:
    """Figures that people give of a part of a model."""
    found = gpt2calc.parts(model, **words)
    assert (found.sum, found.more) == (total, {})
    assert total == words["blocks"] * (gpt2calc.count(model).per_block or 0)


@of_each(
    "model, words, said",
    [
        ("gpt2-xl", {"tp": 2}, "--tp 2 does not divide the n_head 25 of gpt2-xl"),
        ("gpt2", {"pp": 5}, "--pp 5 does not divide the n_layer 12 of gpt2"),
        ({"n_embd": 96, "n_head": 4, "n_inner": 6}, {"tp": 4}, "--tp 4 does not divide the n_inner 6"),
        ({"n_layer": 12}, {"tp": 2}, "n_head is not given"),
        ("vit-gpt2-decoder", {"tp": 2}, "has add_cross_attention, which Megatron's GPT does not have"),
        ({"model_type": "llama"}, {"tp": 2}, "is a llama"),
        ("gpt2", {"blocks": 13}, "gpt2 has 12 blocks, got 13"),
        ("gpt2", {"blocks": 0}, "blocks is a whole number, 1 or more, got 0"),
        ("gpt2", {"blocks": 1, "tp": 2}, "give one of them"),
        ("gpt2", {}, "give one of them"),
        ("gpt2", {"tp": 10**7}, "1 to 10,000 ranks"),
        ({"n_layer": 1_000_000}, {"pp": 500_000}, "1 to 10,000 ranks, got tp 1 times pp 500,000"),
    ],
)
def test_what_does_not_divide_is_refused_by_name(model: Any, words: Any, said: str) -> None:
    """It names the size that is split, and the model."""
    with pytest.raises(gpt2calc.ConfigError) as refused:
        gpt2calc.parts(model, **words)
    assert said in str(refused.value)


def test_the_command_prints_parts(run: Run) -> None:
    """With -q what one of each stage holds; in JSON what is there more than once is named, and adds up."""
    assert run("count", "gpt2-medium", "--tp", "2", "--pp", "2", "-q") == (0, "102483968\n101437440\n", "")
    said = json.loads(run("count", "gpt2-medium", "--tp", "2", "--pp", "2", "--json").stdout)
    assert said["sum"] == said["total"] + sum(row["parameters"] for row in said["more"]) == 407_842_816
    for part in said["parts"]:
        assert part["parameters"] == sum(each["parameters"] for each in part["held"])
    assert run("count", "gpt2", "--blocks", "4", "-q").stdout == "28351488\n"
    ran = run("count", "gpt2-xl", "--tp", "2")
    assert (ran.code, ran.stdout) == (2, "")
    assert run("count", "gpt2", "--blocks", "4", "--conventions").code == 2
    assert run("count", "gpt2", "--blocks", "4", "--lora-r", "4").code == 2
