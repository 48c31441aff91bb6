"""The family of a checkpoint without a config: found among all that are counted, by names and shapes, or refused."""

from __future__ import annotations

import json
from math import prod
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.architectures import reading
from gpt2calc.errors import UnreadableInputError
from gpt2calc.listing import StoredTensor, TensorListing
from gpt2calc.verification.examination import MOST_WRONG
from gpt2calc.verification.families import recognise
from tests.architectures.drawing import THOROUGH
from tests.architectures.modules import MODEL_TYPES
from tests.architectures.test_faults import good
from tests.architectures.test_released import KNOWN
from tests.makers import safetensors
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from pathlib import Path

    from gpt2calc.model import Model
    from tests.conftest import Run

SMALL: dict[str, Any] = {
    "model_type": "mistral",
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "tie_word_embeddings": True,
}
RELEASED = (
    *(
        "meta-llama/Meta-Llama-3.1-8B",
        "Qwen/Qwen3-0.6B",
        "mlc:gemma2_9b",
        "EleutherAI/gpt-neox-20b",
        "tiiuae/falcon-40b",
    ),
    *(
        "openai/gpt-oss-20b",
        "ai21labs/Jamba-v0.1",
        "mistralai/Mamba-Codestral-7B",
        "microsoft/phi-4",
        "facebook/opt-6.7b",
    ),
)
"""Of each way of building a layer one: the others of `architectures.jsonl` were tried, and are found as well."""


def listing_of(model: Model) -> TensorListing:
    """Return what the file of a model holds."""
    tensors = (StoredTensor(each.name, each.shape, "BF16", 2 * prod(each.shape)) for each in model.listing())
    return TensorListing("model", "safetensors", tuple(tensors))


@pytest.mark.parametrize("row", [row for row in KNOWN if row["name"] in RELEASED], ids=lambda row: row["name"])
def test_a_released_model_is_found_by_its_tensors_alone(row: dict[str, Any]) -> None:
    """With its total, and its model type, or one that no tensor tells from it."""
    found = recognise(listing_of(reading.read(row["config"]).model))
    assert found is not None
    assert found.wrong == 0
    assert row["model_type"] in {found.document["model_type"], *found.alike}
    assert reading.read(found.document).model.total() == row["total"]


def test_what_is_found_is_the_model_or_is_refused() -> None:
    """Of a small random config of a model type; nine in ten are found, and no other is taken for found."""
    whole = 0
    tried = MODEL_TYPES if THOROUGH else MODEL_TYPES[:: 4 if IS_WIDE else 9]
    for model_type in tried:
        model = reading.read(good(model_type)[0]).model
        found = recognise(listing_of(model))
        assert found is not None, model_type
        if found.wrong <= MOST_WRONG:
            assert (found.wrong, reading.read(found.document).model.total()) == (0, model.total()), model_type
        whole += not found.wrong
    assert whole >= 0.9 * len(tried)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Give a file of a small Mistral, without a config."""
    tensors = [(each.name, "BF16", each.shape) for each in reading.read(SMALL).model.listing()]
    safetensors.write(tmp_path / "file.safetensors", tensors)
    return tmp_path / "file.safetensors"


def test_without_a_config_the_verdict_is_of_what_the_shapes_show(path: Path) -> None:
    """It names the types that fit as well, and what no shape shows is unknown, not what fits."""
    found = gpt2calc.verify(path)
    assert found.matches, found.verdict
    assert found.total == gpt2calc.count(SMALL).total
    assert found.verdict.endswith("as its own shapes imply; no config was given")
    assert (found.config["num_attention_heads"], found.config["head_dim"]) == (None, None)
    assert found.config["num_hidden_layers"] == 3
    assert any("mistral" in note and "no tensor tells them from llama" in note for note in found.notes)
    assert any(
        note.startswith("no shape shows num_attention_heads, num_key_value_heads, head_dim") for note in found.notes
    )


def test_a_single_fault_is_found_without_a_config(path: Path) -> None:
    """More than one may be another model, and is refused with the nearest."""
    tensors = [(each.name, "BF16", each.shape) for each in reading.read(SMALL).model.listing()]
    safetensors.write(path, tensors[1:3] + tensors[4:] + tensors[:1])
    assert [(fault.kind, fault.tensor) for fault in gpt2calc.verify(path).faults] == [("missing", tensors[3][0])]
    safetensors.write(path, [each for n, each in enumerate(tensors) if n % 4])
    with pytest.raises(UnreadableInputError, match=r"show no model that is counted: .* the nearest, .*; --config says"):
        gpt2calc.verify(path)


def test_infer_prints_a_config_of_the_same_model(path: Path, run: Run) -> None:
    """On standard output, and on standard error what is not known."""
    ran = run("infer", str(path))
    assert ran.code == 0, ran.stderr
    assert gpt2calc.count(json.loads(ran.stdout)).total == gpt2calc.count(SMALL).total
    assert "they are unknown" in ran.stderr
    assert gpt2calc.infer(path) == json.loads(ran.stdout)


def test_one_of_several_models_of_a_family_is_said_by_its_prefix(path: Path, run: Run) -> None:
    """As a policy and its reference; the rest is left aside."""
    tensors = [(each.name, "BF16", each.shape) for each in reading.read(SMALL).model.listing()]
    both = [(f"{place}.{name}", dtype, shape) for place in ("policy", "reference") for name, dtype, shape in tensors]
    safetensors.write(path, both)
    refused = run("verify", str(path))
    assert refused.code == 3
    assert "found under 2 prefixes, policy., reference.: --prefix says which is meant" in refused.stderr
    strange = run("verify", str(path), "--prefix", "polcy")
    assert strange.code == 3
    assert "stands under the prefix 'polcy': did you mean policy.?" in strange.stderr
    said = run("verify", str(path), "--prefix", "policy", "-q")
    assert said.code == 0, said.stderr
    assert said.stdout.endswith(f"llama found under policy., {len(tensors)} other tensors left aside\n")
    (path.parent / "config.json").write_text(json.dumps(SMALL), encoding="utf-8")
    assert run("verify", str(path), "--config", str(path.parent / "config.json"), "--prefix", "reference").code == 0


def test_one_shard_without_a_config_shows_no_whole_model(tmp_path: Path) -> None:
    """Whatever is in it; a file of one shard is the whole."""
    _, made = good("llama")
    safetensors.write(tmp_path / "model-00001-of-00004.safetensors", made)
    with pytest.raises(UnreadableInputError, match="it is one of 4 shards, whose shapes show no whole model"):
        gpt2calc.verify(tmp_path / "model-00001-of-00004.safetensors")
    safetensors.write(tmp_path / "model-00001-of-00001.safetensors", made)
    assert gpt2calc.verify(tmp_path / "model-00001-of-00001.safetensors").matches


def test_no_model_is_an_embedding_and_a_norm(tmp_path: Path) -> None:
    """Any of many has them, and a layer, which tells which."""
    tensors = [("model.embed_tokens.weight", "F32", (64, 32)), ("model.norm.weight", "F32", (32,))]
    safetensors.write(tmp_path / "x.safetensors", tensors)
    with pytest.raises(UnreadableInputError, match="its names fit no GPT-2"):
        gpt2calc.verify(tmp_path / "x.safetensors")


def test_a_gpt1_is_no_gpt2_without_an_embedding(tmp_path: Path) -> None:
    """The names in its blocks are the same."""
    model = reading.read({"model_type": "openai-gpt", "vocab_size": 133, "n_embd": 64, "n_layer": 4, "n_head": 4}).model
    safetensors.write(tmp_path / "x.safetensors", [(each.name, "F32", each.shape) for each in model.listing()])
    found = gpt2calc.verify(tmp_path / "x.safetensors")
    assert found.matches, found.verdict
    assert found.to_dict()["total"] == model.total()


def test_a_head_beside_what_was_found_is_told(tmp_path: Path) -> None:
    """No config says that it is the model's."""
    inside = [(f"model.language_{each.name}", "F32", each.shape) for each in reading.read(SMALL).model.listing()]
    safetensors.write(tmp_path / "x.safetensors", [*inside, ("lm_head.weight", "F32", (64, 32))])
    found = gpt2calc.verify(tmp_path / "x.safetensors")
    assert "lm_head.weight stands outside, and may be the model's own head: a config.json would say" in found.notes


def test_two_models_of_different_families_are_refused_until_one_is_meant(tmp_path: Path) -> None:
    """Whichever of them is a GPT-2, and whichever is the larger."""
    llama = [(f"draft.{each.name}", "F32", each.shape) for each in reading.read(SMALL).model.listing()]
    own = [(each.name, "F32", each.shape) for each in gpt2calc.tensors(n_layer=2, n_embd=16, vocab_size=50)]
    neox = good("gpt_neox")[1]
    for before, others in (("g.", own), ("h.", neox)):
        named = [(before + name, dtype, shape) for name, dtype, shape in others]
        safetensors.write(tmp_path / "x.safetensors", [*named, *llama])
        with pytest.raises(UnreadableInputError, match=r"a model of another family under .*: --prefix says which"):
            gpt2calc.verify(tmp_path / "x.safetensors")
        for prefix in (before, "draft."):
            assert gpt2calc.verify(tmp_path / "x.safetensors", prefix=prefix).matches


def test_a_language_model_among_more_of_something_else_is_found(tmp_path: Path) -> None:
    """As beside the vision half of a composite, whose tensors are more."""
    llama = [(f"language_model.{each.name}", "F32", each.shape) for each in reading.read(SMALL).model.listing()]
    vision = [(f"vision_tower.encoder.layers.{n}.layer_norm1.weight", "F32", (3,)) for n in range(3 * len(llama))]
    safetensors.write(tmp_path / "x.safetensors", [*llama, *vision])
    found = gpt2calc.verify(tmp_path / "x.safetensors")
    assert found.matches, found.verdict
    assert f"found under language_model., {len(vision)} other tensors left aside" in found.verdict


@pytest.mark.parametrize("named", [{"a": 1}, "LlavaForConditionalGeneration", [], [5], 5, None])
def test_odd_classes_of_a_composite_are_no_error_of_python(named: Any, tmp_path: Path) -> None:
    """Nobody reads them beside a text_config."""
    document = {"model_type": "llava", "architectures": named, "text_config": SMALL}
    (tmp_path / "config.json").write_text(json.dumps(document), encoding="utf-8")
    inside = [(f"language_model.{each.name}", "F32", each.shape) for each in reading.read(SMALL).model.listing()]
    safetensors.write(tmp_path / "model.safetensors", inside)
    assert gpt2calc.verify(tmp_path).matches


def test_a_family_is_not_looked_for_among_any_number_of_tensors() -> None:
    """The work is that of each tensor for every model type that is near."""
    tensors = tuple(StoredTensor(f"x{n}.y", (2,), "F32", 8) for n in range(50_001))
    with pytest.raises(UnreadableInputError, match="a family is looked for among 50,000 at most"):
        recognise(TensorListing("x", "safetensors", tensors))
