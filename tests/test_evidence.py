"""Evidence: header, meta and weights say the same of one checkpoint, and each is able to say something else."""

from __future__ import annotations

import json
import os
import sys
from typing import TYPE_CHECKING, Any

import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    GPT2Config,
    GPT2DoubleHeadsModel,
    GPT2ForQuestionAnswering,
    GPT2ForSequenceClassification,
    GPT2ForTokenClassification,
    GPT2LMHeadModel,
    GPT2Model,
)

import gpt2calc
from gpt2calc.errors import install
from gpt2calc.verification.report import EVIDENCE
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

SMALL: dict[str, Any] = {"n_layer": 2, "n_embd": 48, "n_head": 3, "n_positions": 20, "vocab_size": 31}
VARIANTS: dict[str, tuple[Any, dict[str, Any]]] = {
    "tied": (GPT2LMHeadModel, {}),
    "untied": (GPT2LMHeadModel, {"tie_word_embeddings": False}),
    "n_inner": (GPT2LMHeadModel, {"n_inner": 50}),
    "cross-attention": (GPT2LMHeadModel, {"add_cross_attention": True}),
    "no head": (GPT2Model, {}),
    "two heads": (GPT2DoubleHeadsModel, {"num_labels": 1}),
    "sequence": (GPT2ForSequenceClassification, {"num_labels": 3}),
    "tokens": (GPT2ForTokenClassification, {"num_labels": 5}),
    "questions": (GPT2ForQuestionAnswering, {}),
}


def made(variant: str) -> Any:
    """Build a small model of transformers."""
    kind, fields = VARIANTS[variant]
    torch.manual_seed(0)
    return kind(GPT2Config(**SMALL, **fields))


def numel(model: torch.nn.Module) -> int:
    """Count as the article does."""
    return sum(parameter.numel() for parameter in model.parameters())


def safetensors(model: Any, folder: Path) -> None:
    """As transformers saves today."""
    model.save_pretrained(folder)


def sharded(model: Any, folder: Path) -> None:
    """In several files, with an index."""
    model.save_pretrained(folder, max_shard_size="40KB")
    assert len(list(folder.glob("*.safetensors"))) > 1


def zipped(model: Any, folder: Path) -> None:
    """As transformers 4 saved, in a zip file."""
    model.config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin")


def legacy(model: Any, folder: Path) -> None:
    """As PyTorch before 1.6 saved."""
    model.config.save_pretrained(folder)
    torch.save(model.state_dict(), folder / "pytorch_model.bin", _use_new_zipfile_serialization=False)


SAVED: dict[str, Callable[[Any, Path], None]] = {
    "safetensors": safetensors,
    "sharded": sharded,
    "zip": zipped,
    "legacy": legacy,
}


@pytest.mark.parametrize("how", SAVED)
@pytest.mark.parametrize("variant", VARIANTS)
def test_the_three_kinds_of_evidence_agree_on_what_transformers_saved(tmp_path: Path, variant: str, how: str) -> None:
    """Formula = tensor table = header = meta = numel() of the loaded model, in every component."""
    model = made(variant)
    model.config.architectures = [type(model).__name__]
    SAVED[how](model, tmp_path)
    found = gpt2calc.verify(tmp_path, evidence="all")
    assert (found.faults, found.matches) == ((), True)
    assert [each.evidence for each in found.observations] == list(EVIDENCE)
    assert {each.parameters for each in found.observations} == {found.total, numel(model)}
    for name, count in found.expected.items():
        assert [each.components.get(name, 0) for each in found.observations] == [count] * 3


def test_the_exercise_of_the_article_end_to_end(tmp_path: Path) -> None:
    """gpt2 at its real size with random weights, saved, verified, loaded back, and summed over parameters()."""
    with torch.device("meta"):
        model = GPT2LMHeadModel(GPT2Config())
    model = model if IS_WIDE else model.bfloat16()  # half a gigabyte takes twice as long to write
    model = model.to_empty(device="cpu")
    for parameter in model.parameters():
        torch.nn.init.normal_(parameter, std=0.02)
    model.tie_weights()
    model.save_pretrained(tmp_path)
    del model
    found = gpt2calc.verify(tmp_path, evidence="all", tying=True)
    assert found.matches
    assert [each.parameters for each in found.observations] == [124_439_808] * 3
    loaded = AutoModelForCausalLM.from_pretrained(tmp_path)
    assert numel(loaded) == found.total == gpt2calc.count("gpt2").total
    assert found.tying.tied is True


@pytest.mark.parametrize("name", ["gpt2", "gpt2-xl", "distilgpt2", "gpt2-untied"])
def test_a_model_that_ships_is_held_against_what_transformers_builds(name: str) -> None:
    """A config alone gives meta evidence."""
    found = gpt2calc.verify(name)
    assert found.matches
    assert [each.evidence for each in found.observations] == ["meta"]
    assert found.observations[0].parameters == gpt2calc.count(name).total


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_live_model_is_held_against_its_own_config(variant: str) -> None:
    """Its parameters are summed; its own config says what they should be."""
    model = made(variant)
    found = gpt2calc.verify(model)
    assert (found.faults, found.matches) == ((), True)
    assert found.observations[0].evidence == "weights"
    assert found.observations[0].parameters == numel(model) == found.total


def test_a_live_model_on_the_meta_device_gives_meta_evidence() -> None:
    """It has no weights that anything could be proved by."""
    with torch.device("meta"):
        model = GPT2LMHeadModel(GPT2Config())
    found = gpt2calc.verify(model)
    assert found.matches
    assert [each.evidence for each in found.observations] == ["meta"]


def test_a_live_model_of_another_size_does_not_match() -> None:
    """The config that is given wins over the model's own."""
    found = gpt2calc.verify(made("tied"), SMALL, n_layer=3)
    assert not found.matches
    assert {fault.tensor.split(".")[2] for fault in found.faults} == {"2"}


def test_a_state_dict_is_verified_as_it_is() -> None:
    """With the tied head, one storage under two names, counted once."""
    model = made("tied")
    found = gpt2calc.verify(model.state_dict(), SMALL)
    assert (found.faults, found.matches) == ((), True)
    state = model.state_dict()
    del state["transformer.h.1.ln_1.bias"]
    assert [fault.tensor for fault in gpt2calc.verify(state, SMALL).faults] == ["transformer.h.1.ln_1.bias"]


def test_a_layer_that_is_used_twice_is_found() -> None:
    """Two names, one memory: parameters() has it once, and the formula twice."""
    model = made("tied")
    model.transformer.h[1].mlp = model.transformer.h[0].mlp
    found = gpt2calc.verify(model)
    assert not found.matches
    assert {fault.kind for fault in found.faults} == {"shared"}
    assert found.observations[0].parameters < found.total


def test_weights_that_are_cut_off_are_no_evidence(tmp_path: Path) -> None:
    """The file cannot be read, whatever its header says."""
    safetensors(made("tied"), tmp_path)
    path = tmp_path / "model.safetensors"
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 1)
    with pytest.raises(gpt2calc.UnreadableInputError):
        gpt2calc.verify(tmp_path, evidence="weights")


def test_a_pickle_that_would_run_code_is_not_loaded_for_weights_either(tmp_path: Path) -> None:
    """weights_only=True, and the header reader refuses it before."""
    mark = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.mkdir, (str(mark),)

    torch.save({"wte.weight": Bomb()}, tmp_path / "pytorch_model.bin")
    for evidence in ("header", "weights", "all"):
        with pytest.raises(gpt2calc.UnreadableInputError, match="mkdir"):
            gpt2calc.verify(tmp_path, SMALL, evidence=evidence)
    assert not mark.exists()


@pytest.mark.parametrize(
    ("target", "evidence", "message"),
    [
        ("gpt2", "header", "gpt2 is a config alone, which gives meta evidence, got header"),
        ("gpt2", "weights", "gpt2 is a config alone, which gives meta evidence, got weights"),
        ("gpt2", "proof", "evidence is one of header, meta, weights and all, got 'proof'"),
    ],
)
def test_evidence_that_cannot_be_had_is_refused(target: str, evidence: str, message: str) -> None:
    """The sentence says what can be had."""
    with pytest.raises(gpt2calc.ConfigError) as caught:
        gpt2calc.verify(target, evidence=evidence)
    assert str(caught.value) == message


def test_a_structure_that_transformers_does_not_have_has_no_meta_evidence(tmp_path: Path) -> None:
    """GPT-2 without biases is no model of transformers: all says why there is no meta evidence, and gives the rest."""
    state = {name: tensor for name, tensor in made("tied").state_dict().items() if not name.endswith("bias")}
    torch.save(state, tmp_path / "pytorch_model.bin")
    (tmp_path / "config.json").write_text(json.dumps({**SMALL, "bias": False}), encoding="utf-8")
    found = gpt2calc.verify(tmp_path, evidence="all")
    assert found.matches
    assert [each.evidence for each in found.observations] == ["header", "weights"]
    assert any(note.startswith("there is no meta evidence: ") for note in found.notes)


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_without_torch_or_transformers_the_sentence_says_how_to_get_them(
    tmp_path: Path, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They are an extra: a config alone cannot be verified, and of a file the header is left."""
    safetensors(made("tied"), tmp_path)
    monkeypatch.setitem(sys.modules, missing, None)
    sentence = f"meta and weights evidence need torch and transformers: {install('weights')}"
    with pytest.raises(gpt2calc.ConfigError) as caught:
        gpt2calc.verify("gpt2")
    assert str(caught.value) == (
        "gpt2 is a config alone, with no weights to read; holding it against the model that transformers builds needs "
        f"torch and transformers: {install('weights')}"
    )
    found = gpt2calc.verify(tmp_path, evidence="all")
    assert [each.evidence for each in found.observations] == ["header"]
    assert found.matches
    assert [note for note in found.notes if sentence in note]


def test_dtypes_are_kept_in_memory_and_change_no_count(tmp_path: Path) -> None:
    """A file of bfloat16 is loaded as bfloat16."""
    made("tied").to(torch.bfloat16).save_pretrained(tmp_path)
    found = gpt2calc.verify(tmp_path, evidence="all")
    assert found.matches
    assert found.checked.dtypes == {"BF16": 28}


def test_nano_gpts_checkpoint_is_read_whole(tmp_path: Path) -> None:
    """model_args is its config, the optimizer's state is not counted, and compiled names are seen through."""
    weights = {
        f"_orig_mod.{name}": tensor.t() if name.endswith(("c_attn.weight", "c_proj.weight", "c_fc.weight")) else tensor
        for name, tensor in made("tied").state_dict().items()
    }
    weights = {name: tensor.contiguous() for name, tensor in weights.items()}
    weights["_orig_mod.lm_head.weight"] = weights["_orig_mod.transformer.wte.weight"]
    args = {"n_layer": 2, "n_head": 3, "n_embd": 48, "block_size": 20, "bias": True, "vocab_size": 31, "dropout": 0.0}
    optimizer = {"state": {0: {"step": torch.tensor(1.0), "exp_avg": torch.zeros(31, 48)}}, "param_groups": [{"lr": 1}]}
    checkpoint = {"model": weights, "optimizer": optimizer, "model_args": args, "iter_num": 5, "best_val_loss": 1.5}
    torch.save(checkpoint, tmp_path / "ckpt.pt")
    found = gpt2calc.verify(tmp_path / "ckpt.pt", evidence="all")
    assert (found.faults, found.matches) == ((), True)
    assert (found.checked.dialect, found.checked.prefix) == ("nanogpt", "_orig_mod.transformer.")
    assert found.to_dict()["config"]["n_head"] == 3
    assert found.total == gpt2calc.count(SMALL).total
