"""Good files that the field's tools write, by these tools themselves where they are installed: none raises an alarm.

What a project writes whose library is not at hand is written by its rules, with the source beside it.
"""

from __future__ import annotations

import copy
from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
import torch
from safetensors.torch import save_file, save_model
from transformers import GPT2Config, GPT2DoubleHeadsModel, GPT2ForSequenceClassification, GPT2LMHeadModel, GPT2Model

import gpt2calc
from tests.makers import tensorflow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

SIZES: dict[str, Any] = {"n_layer": 3, "n_embd": 8, "n_head": 2, "n_positions": 16, "vocab_size": 32}
TOKENS: dict[str, Any] = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 0}


def made(kind: Any = GPT2LMHeadModel, **fields: Any) -> Any:
    """Return a small model."""
    return kind(GPT2Config(**SIZES, **TOKENS, **fields))


def saved(kind: Any = GPT2LMHeadModel, /, *, how: Callable[[Any], Any] = lambda x: x, **settings: Any) -> Any:
    """Return what lets transformers save a model, after something was done to it."""
    return lambda folder: how(made(kind)).save_pretrained(folder, **settings)


def in_halves(*kept: str, model: Any = GPT2LMHeadModel) -> Callable[[Path], None]:
    """Return what saves a model of bfloat16, of which the modules of these names stay in float32."""

    def make(folder: Path) -> None:
        half = made(model).bfloat16()
        for name, part in half.named_modules():
            if name.rpartition(".")[2] in kept:
                part.float()
        half.tie_weights()
        half.save_pretrained(folder)

    return make


def by_save_model(kind: Any) -> Callable[[Path], None]:
    """Return what saves by the format's own call for tied weights, which keeps one name of each."""

    def make(folder: Path) -> None:
        model = made(kind)
        save_model(model, str(folder / "model.safetensors"))
        model.config.architectures = [kind.__name__]
        model.config.save_pretrained(folder)

    return make


def by_torch(change: Callable[[dict[str, Any]], Any], **settings: Any) -> Callable[[Path], None]:
    """Return what saves a state_dict, or what a training loop makes of it."""

    def make(folder: Path) -> None:
        model = made()
        model.config.save_pretrained(folder)
        torch.save(change(dict(model.state_dict())), folder / "pytorch_model.bin", **settings)

    return make


def one_storage(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return the tensors side by side in one storage, as sharded training flattens them."""
    names = [name for name in state if name != "lm_head.weight"]
    flat, at = torch.cat([state[name].reshape(-1) for name in names]), 0
    found = {}
    for name in names:
        found[name] = flat[at : at + state[name].numel()].view(state[name].shape)
        at += state[name].numel()
    return found


def columns(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return each block's attention and MLP as columns of one matrix, which share no number."""
    for block in range(SIZES["n_layer"]):
        first, second = (f"transformer.h.{block}.{part}.weight" for part in ("attn.c_attn", "mlp.c_fc"))
        both = torch.cat([state[first], state[second]], 1)
        state[first], state[second] = both[:, : state[first].shape[1]], both[:, state[first].shape[1] :]
    return state


def transposed(state: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Return matrices as views of their transposes, as a converter makes them that does not copy."""
    return {name: value.t().contiguous().t() if value.dim() == 2 else value for name, value in state.items()}


def resized(model: Any) -> Any:
    """Return a model with more tokens."""
    model.resize_token_embeddings(41)
    return model


def untied(folder: Path) -> None:
    """Save a model with a head of its own, which is in float32."""
    model = made(tie_word_embeddings=False).half()
    model.lm_head.float()
    model.save_pretrained(folder)


def tf_training(folder: Path) -> None:
    """Write what a Saver of TensorFlow 1 writes of a model, Adam's slots, its powers of beta, and the step.

    Source: tensorflow/python/training/slot_creator.py, adam.py, training_util.py.
    """
    own = tensorflow.gpt2(**{name: size for name, size in SIZES.items() if name != "n_head"})
    slots = [each._replace(name=f"{each.name!s}/{slot}") for each in own for slot in ("Adam", "Adam_1")]
    numbers = [tensorflow.Tensor(name, (), "F32") for name in ("beta1_power", "beta2_power")]
    numbers.append(tensorflow.Tensor("global_step", (), "I64"))
    tensorflow.write(str(folder / "model.ckpt"), sorted([*own, *slots, *numbers], key=lambda each: str(each.name)))


GOOD: dict[str, Callable[[Path], object]] = {
    "transformers": saved(),
    "transformers, shards": saved(max_shard_size="1KB"),
    "transformers, a variant": saved(variant="fp16", how=lambda model: model.half()),
    "transformers, shards of a variant": saved(variant="fp16", max_shard_size="1KB"),
    "transformers, float64": saved(how=lambda model: model.double()),
    "transformers, two heads": saved(GPT2DoubleHeadsModel),
    "transformers, no head": saved(GPT2Model),
    "transformers, more tokens": saved(how=resized),
    "half, LayerNorm in float32": in_halves("ln_1", "ln_2", "ln_f"),
    "half, wte in float32": in_halves("wte"),
    "half, wpe and LayerNorm in float32": in_halves("wpe", "ln_1", "ln_2", "ln_f"),
    "half, one matrix of each block in float32": in_halves("c_proj"),
    "half, a reward head in float32": in_halves("score", model=GPT2ForSequenceClassification),
    "half, an untied head in float32": untied,
    "safetensors' save_model": by_save_model(GPT2LMHeadModel),
    "safetensors' save_model, two heads": by_save_model(GPT2DoubleHeadsModel),
    "torch": by_torch(lambda state: state),
    "torch, legacy": by_torch(lambda state: state, _use_new_zipfile_serialization=False),
    "torch, without checksums or protocol 2": by_torch(lambda state: state, pickle_protocol=4),
    "torch, data parallel": by_torch(lambda state: {f"module.{name}": value for name, value in state.items()}),
    "torch, compiled": by_torch(lambda state: {f"_orig_mod.{name}": value for name, value in state.items()}),
    "torch, parameters": by_torch(lambda state: {name: torch.nn.Parameter(value) for name, value in state.items()}),
    "torch, one storage": by_torch(one_storage),
    "torch, columns of one matrix": by_torch(columns),
    "torch, transposed views": by_torch(transposed),
    "torch, a training loop": by_torch(
        lambda state: {"model": state, "optimizer": {"state": {0: {"exp_avg": torch.zeros(3)}}}, "step": 7}
    ),
    "torch, lists beside": by_torch(lambda state: {"model": state, "rng": [torch.zeros(2), (torch.zeros(1),)]}),
    "TensorFlow, a training run": tf_training,
}


@pytest.mark.parametrize("case", GOOD)
def test_a_good_file_raises_no_alarm(case: str, tmp_path: Path, run: Run) -> None:
    """Against the config beside it, where the tool writes one, and by its own shapes."""
    GOOD[case](tmp_path)
    ran = run("verify", str(tmp_path), "-q")
    assert (ran.code, ran.stderr) == (0, ""), ran
    assert f"{tmp_path} matches: " in ran.stdout
    found = gpt2calc.verify(tmp_path)
    assert all(part.bytes >= 0 for part in found.checked.holdings)


def test_dtypes_that_differ_by_component_are_noted(tmp_path: Path) -> None:
    """A match says so, since a loader may cast them."""
    GOOD["half, wpe and LayerNorm in float32"](tmp_path)
    assert gpt2calc.verify(tmp_path).notes == ("F32 in wpe, ln_1, ln_2, ln_f, where most tensors are BF16",)


def test_what_training_keeps_beside_the_model_is_told(tmp_path: Path) -> None:
    """The slots of an optimizer, and steps, are counted and set aside."""
    tf_training(tmp_path)
    said = "83 of an optimizer and of training's steps, such as beta1_power, are not listed"
    assert gpt2calc.verify(tmp_path).notes[0] == said


def test_a_name_in_the_metadata_does_not_take_the_place_of_a_tensor(tmp_path: Path) -> None:
    """One matrix for two parameters that the model does not share is no model of its config."""
    state = {name: value.clone() for name, value in made().state_dict().items() if name != "lm_head.weight"}
    del state["transformer.h.1.ln_2.weight"]
    metadata = {"format": "pt", "transformer.h.1.ln_2.weight": "transformer.h.1.ln_1.weight"}
    save_file(state, tmp_path / "model.safetensors", metadata)
    found = gpt2calc.verify(tmp_path, SIZES)
    assert [(fault.kind, fault.tensor) for fault in found.faults] == [("shared", "transformer.h.1.ln_2.weight")]


def test_what_save_model_leaves_out_is_loaded_from_the_tensor_that_it_keeps(tmp_path: Path) -> None:
    """Evidence from the weights says the same as from the header, for the folder and for the file."""
    by_save_model(GPT2LMHeadModel)(tmp_path)
    for target in (tmp_path, tmp_path / "model.safetensors"):
        found = gpt2calc.verify(target, evidence="all")
        assert (found.faults, found.matches) == ((), True)
        assert [each.evidence for each in found.observations] == ["header", "meta", "weights"]


# Every byte is one parameter's

SHARING: dict[str, tuple[Callable[[dict[str, Any]], object], str]] = {
    "one number apart": (
        lambda state: state.update(_apart(state)),
        "expected a memory of its own, got one in which",
    ),
    "one and the same": (
        lambda state: state.update({"transformer.h.0.ln_2.bias": state["transformer.h.0.ln_1.bias"]}),
        "expected a memory of its own, got that of",
    ),
    "over itself": (
        lambda state: state.update(
            {"transformer.h.0.attn.c_attn.weight": torch.as_strided(torch.zeros(31), (8, 24), (1, 1))}
        ),
        "expected elements that lie apart, got [8, 24] in steps of [1, 1]",
    ),
    "a column of another's": (
        lambda state: state.update({"transformer.h.2.ln_1.bias": state["transformer.h.1.attn.c_proj.weight"][:, 3]}),
        "expected a memory of its own, got one in which",
    ),
    "expanded": (
        lambda state: state.update({"transformer.h.0.ln_2.bias": torch.zeros(1).expand(8)}),
        "expected an element for each place, got fewer that are repeated",
    ),
}


def _apart(state: dict[str, Any]) -> dict[str, Any]:
    flat = torch.zeros(sum(value.numel() for value in state.values()))
    return {name: flat[i : i + value.numel()].view(value.shape) for i, (name, value) in enumerate(state.items())}


@pytest.mark.parametrize("case", SHARING)
def test_parameters_that_lie_over_each_other_are_a_fault(case: str, tmp_path: Path) -> None:
    """In a file and in a live state_dict: what torch loads has fewer numbers than the model."""
    change, said = SHARING[case]
    state = {name: copy.deepcopy(value) for name, value in made().state_dict().items() if name != "lm_head.weight"}
    change(state)
    torch.save(state, tmp_path / "pytorch_model.bin")
    for target in (tmp_path, state):
        found = gpt2calc.verify(target, SIZES)
        assert not found.matches
        assert any(fault.kind == "shared" and said in fault.message for fault in found.faults)


DTYPES = ("complex64", "float8_e8m0fnu", "float8_e4m3fnuz", "int8", "bool")


@pytest.mark.parametrize("name", DTYPES)
def test_a_dtype_that_no_parameter_has_is_a_fault(name: str, tmp_path: Path) -> None:
    """Also where all tensors have it."""
    dtype = getattr(torch, name)
    state = {key: torch.zeros(value.shape).to(dtype) for key, value in made().state_dict().items()}
    del state["lm_head.weight"]
    torch.save(state, tmp_path / "pytorch_model.bin")
    found = gpt2calc.verify(tmp_path, SIZES)
    assert {fault.kind for fault in found.faults} == {"dtype"}
    assert len(found.faults) == len(state)


def test_two_storages_over_one_memory_are_seen_through() -> None:
    """What numpy or a buffer lends to torch has a storage for each tensor, and one memory."""
    lent = np.zeros(40, np.float32)
    state = {name: value.clone() for name, value in made().state_dict().items() if name != "lm_head.weight"}
    assert gpt2calc.verify(state, SIZES).matches
    state["transformer.h.0.ln_1.weight"] = torch.from_numpy(lent[:8])
    state["transformer.h.1.ln_1.weight"] = torch.from_numpy(lent[8:16])
    assert gpt2calc.verify(state, SIZES).matches
    state["transformer.h.1.ln_1.weight"] = torch.from_numpy(lent[7:15])
    found = gpt2calc.verify(state, SIZES)
    assert [(fault.kind, fault.tensor) for fault in found.faults] == [("shared", "transformer.h.1.ln_1.weight")]


class Called:
    """What a pickle calls in the place of a tensor."""

    def __init__(self, function: Callable[..., Any], *arguments: Any) -> None:
        self.call = function, arguments

    def __reduce__(self) -> Any:
        return self.call


OTHER = {"data": torch.zeros(3)}


def of_a_type(value: Any) -> Called:
    """Return a tensor that carries attributes, one of which takes its place."""
    function, arguments = value.__reduce_ex__(2)[:2]
    return Called(torch._tensor._rebuild_from_type_v2, function, torch.Tensor, arguments, OTHER)


def of_a_parameter(value: Any) -> Called:
    """Return a parameter that does."""
    return Called(torch._utils._rebuild_parameter_with_state, value, False, OrderedDict(), OTHER)


def of_a_device(value: Any) -> Called:
    """Return a tensor that gets another dtype where it is moved to."""
    return Called(torch._utils._rebuild_device_tensor_from_cpu_tensor, value, torch.int8, "cpu", False)


REBUILT = {"attributes": of_a_type, "attributes of a parameter": of_a_parameter, "another dtype": of_a_device}


@pytest.mark.parametrize("case", REBUILT)
def test_what_torch_would_make_of_a_tensor_is_not_passed_over(case: str, tmp_path: Path) -> None:
    """A call that gives a tensor another shape or dtype than its storage has is refused, and torch makes it."""
    name = "transformer.h.0.attn.c_attn.weight"
    state = dict(made().state_dict())
    stored = state[name]
    torch.save({**state, name: REBUILT[case](stored)}, tmp_path / "pytorch_model.bin")
    loaded = torch.load(tmp_path / "pytorch_model.bin", weights_only=True)[name]
    assert (loaded.shape, loaded.dtype) != (stored.shape, stored.dtype)
    with pytest.raises(gpt2calc.UnreadableInputError, match="expected"):
        gpt2calc.verify(tmp_path)
