"""Folders of torch.distributed.checkpoint, as torch itself writes them, and as somebody could who means harm."""

from __future__ import annotations

import os
import pickle
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch.distributed.checkpoint.filesystem import _StorageInfo
from torch.distributed.checkpoint.metadata import (
    BytesStorageMetadata,
    ChunkStorageMetadata,
    Metadata,
    MetadataIndex,
    TensorProperties,
    TensorStorageMetadata,
)
from torch.distributed.checkpoint.state_dict_saver import save
from transformers import GPT2Config, GPT2LMHeadModel

import gpt2calc
from gpt2calc.checkpoints import folders
from gpt2calc.errors import UnreadableInputError
from tests.test_opaque_objects import Made

if TYPE_CHECKING:
    from pathlib import Path

    from gpt2calc.listing import TensorListing

pytestmark = pytest.mark.filterwarnings("ignore")  # torch warns that there is one process

CONFIG = {"n_layer": 2, "n_embd": 48, "n_head": 2, "n_positions": 32, "vocab_size": 97}


def test_what_torch_saves_is_verified(tmp_path: Path) -> None:
    """A model and its optimizer, by one process: the model's tensors alone are its own, and the rest is told."""
    sizes: dict[str, Any] = {**CONFIG, "bos_token_id": 0, "eos_token_id": 0}
    model = GPT2LMHeadModel(GPT2Config(**sizes))
    optimizer = torch.optim.AdamW(model.parameters())
    model(torch.zeros(1, 3, dtype=torch.long)).logits.sum().backward()
    optimizer.step()
    save({"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": 3}, checkpoint_id=tmp_path)
    for target in (tmp_path, tmp_path / ".metadata"):
        listing = folders.open_listing(str(target))
        stored = {tensor.name: (tensor.shape, tensor.dtype) for tensor in listing.tensors}
        assert stored == {name: (tuple(each.shape), "F32") for name, each in model.state_dict().items()}
    found = gpt2calc.verify(tmp_path, CONFIG)
    assert found.matches, found.verdict
    assert found.checked.format == "torch distributed"
    assert any("84 tensors outside of 'model', such as 'optimizer.state.0.step'" in note for note in found.notes)
    assert gpt2calc.verify(tmp_path, {**CONFIG, "n_layer": 3}).matches is False
    with pytest.raises(
        gpt2calc.UnreadableInputError, match=r"one file of a torch.distributed.checkpoint: name its fold"
    ):
        gpt2calc.verify(tmp_path / "__0_0.distcp")


def metadata(**changed: Any) -> Metadata:
    """Return what a folder of two ranks says of a matrix [4, 3] in two parts, and of a step."""
    parts = [ChunkStorageMetadata(torch.Size([2 * n, 0]), torch.Size([2, 3])) for n in range(2)]
    matrix = TensorStorageMetadata(TensorProperties(dtype=torch.bfloat16), torch.Size([4, 3]), parts)
    fields: dict[str, Any] = {
        "state_dict_metadata": {"wte.weight": matrix, "step": BytesStorageMetadata()},
        "storage_data": {
            MetadataIndex("wte.weight", [2 * n, 0], n): _StorageInfo(f"__{n}_0.distcp", 0, 40) for n in range(2)
        },
    }
    return Metadata(**{**fields, **changed})


def written(folder: Path, found: object) -> Path:
    """Write a folder with a `.metadata`, and two files of 40 bytes."""
    for n in range(2):
        (folder / f"__{n}_0.distcp").write_bytes(bytes(40))
    (folder / ".metadata").write_bytes(pickle.dumps(found, protocol=4))
    return folder


def opened(folder: Path) -> TensorListing:
    """Return what a folder holds."""
    return folders.open_listing(str(folder))


def test_a_tensor_in_parts_is_one(tmp_path: Path) -> None:
    """Its shape is the whole one, and its file that of its first part."""
    (tensor,) = opened(written(tmp_path, metadata())).tensors
    first = os.path.join(str(tmp_path), "__0_0.distcp")
    assert tensor[:5] == ("wte.weight", (4, 3), "BF16", 24, first)
    assert tensor.offset is None


def changed(**fields: Any) -> Metadata:
    """Return a `.metadata` whose matrix has other fields."""
    found = metadata()
    for name, value in fields.items():
        setattr(found.state_dict_metadata["wte.weight"], name, value)
    return found


def of(begins: list[int], lengths: list[int]) -> ChunkStorageMetadata:
    """Return a part of a tensor."""
    return ChunkStorageMetadata(torch.Size(begins), torch.Size(lengths))


INFO = MetadataIndex("wte.weight", [0, 0], 0)
WRONG: dict[str, tuple[object, str]] = {
    "another object": ({"a": 1}, "expected an object of Metadata with its fields, got a dict"),
    "no names": (metadata(state_dict_metadata={}), "expected tensors by name, got none"),
    "a part that is missing": (
        changed(chunks=[of([0, 0], [2, 3])]),
        "expected parts of 12 elements for 'wte.weight', got 6",
    ),
    "a part twice": (changed(chunks=[of([0, 0], [2, 3])] * 3), "expected a place for each part of a tensor, got fewer"),
    "a part that reaches out": (changed(chunks=[of([3, 0], [2, 3])]), "got one that reaches out of it"),
    "a part of another rank": (
        changed(chunks=[of([0], [12])]),
        "expected parts of 2 sizes for 'wte.weight', got others",
    ),
    "no dtype": (changed(properties=None), "expected a dtype of PyTorch for 'wte.weight', got None"),
    "a size that is negative": (changed(size=torch.Size([2, 3]) and (-1, 3)), "expected sizes of 0 to"),
    "nine axes": (changed(size=(1,) * 9), "expected a tuple of at most 8 sizes"),
    "a file that is not there": (
        metadata(storage_data={INFO: _StorageInfo("../../etc/passwd", 0, 40)}),
        "expected the file '../../etc/passwd' beside it, got none of that name",
    ),
    "a file that is too short": (
        metadata(storage_data={INFO: _StorageInfo("__0_0.distcp", 30, 40)}),
        "expected '__0_0.distcp' to have 70 bytes, got a file of 40",
    ),
    "a place that is none": (metadata(storage_data={INFO: 3}), "expected an object of _StorageInfo with its fields"),
    "a call": (Made(os.system, "exit 1"), "expected only calls that rebuild tensors, got posix.system"),
    "a call within": (changed(size=Made(eval, "1")), "expected only calls that rebuild tensors, got builtins.eval"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_with_it_is_said(case: str, tmp_path: Path) -> None:
    """In a sentence, and nothing is called."""
    found, expected = WRONG[case]
    with pytest.raises(UnreadableInputError) as caught:
        opened(written(tmp_path, found))
    assert expected in caught.value.problem


def test_one_list_of_parts_for_many_tensors_costs_no_more_than_its_places(tmp_path: Path) -> None:
    """It is refused before it is walked through again and again."""
    found = metadata()
    matrix = found.state_dict_metadata["wte.weight"]
    assert isinstance(matrix, TensorStorageMetadata)
    matrix.chunks *= 2000
    for n in range(2000):
        found.state_dict_metadata[f"h.{n}.weight"] = matrix
    with pytest.raises(UnreadableInputError, match="expected a place for each part of a tensor, got fewer"):
        opened(written(tmp_path, found))


def test_values_without_what_says_what_they_are_are_said(tmp_path: Path) -> None:
    """Where `.metadata` is missing."""
    (written(tmp_path, metadata()) / ".metadata").unlink()
    with pytest.raises(UnreadableInputError, match=r"its \.metadata is not there, which says what the files hold"):
        opened(tmp_path)


# The folders of DeepSpeed and Megatron-LM

STATE = {"module": {"wte.weight": torch.zeros(3, 2)}, "ds_version": "0.14"}


def saved(path: Path, state: object = None) -> None:
    """Let torch save a file in a folder of its own."""
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(STATE if state is None else state, path)


READ = {
    "DeepSpeed's folder": ("global_step7/mp_rank_00_model_states.pt",),
    "DeepSpeed's folder with ZeRO's states of the optimizer": (
        "global_step7/mp_rank_00_model_states.pt",
        "global_step7/zero_pp_rank_0_mp_rank_00_optim_states.pt",
        "global_step7/bf16_zero_pp_rank_1_mp_rank_00_optim_states.pt",
    ),
    "the folder of a step": ("mp_rank_00_model_states.pt", "zero_pp_rank_0_mp_rank_00_optim_states.pt"),
    "Lightning's folder": ("checkpoint/mp_rank_00_model_states.pt",),
    "Megatron-LM's folder": ("iter_0000100/mp_rank_00/model_optim_rng.pt",),
    "Megatron-LM's step": ("mp_rank_00/model_optim_rng.pt",),
    "what NVIDIA released": ("release/mp_rank_00/model_optim_rng.pt",),
}


@pytest.mark.parametrize("case", READ)
def test_the_one_file_of_a_training_framework_is_read(case: str, tmp_path: Path) -> None:
    """Where a person names the folder above it, which may hold a config.json; a note says which file it was."""
    for name in READ[case]:
        saved(tmp_path / name)
    (tmp_path / "config.json").write_text("{}")
    listing = opened(tmp_path)
    assert [tensor.name for tensor in listing.tensors] == ["wte.weight"]
    first = READ[case][0]
    assert listing.notes == ((f"{first} was read",) if "/" in first else ())


@pytest.mark.parametrize(("file", "said"), [("latest", "global_step20"), ("latest_checkpointed_iteration.txt", "20\n")])
def test_the_step_that_is_said_to_be_the_last_is_read(file: str, said: str, tmp_path: Path) -> None:
    """Where there are several; without a word of it none is chosen."""
    paths = {"latest": "global_step{}/mp_rank_00_model_states.pt"}
    path = paths.get(file, "iter_{:07}/mp_rank_00/model_optim_rng.pt")
    for step in (10, 20):
        saved(tmp_path / path.format(step), {"module": {"wte.weight": torch.zeros(step, 2)}})
    with pytest.raises(UnreadableInputError, match=r"expected one checkpoint, got .*: name the one that is meant"):
        opened(tmp_path)
    (tmp_path / file).write_text(said)
    assert opened(tmp_path).tensors[0].shape == (20, 2)
    (tmp_path / file).write_bytes(b"\xff" * 1000)
    with pytest.raises(UnreadableInputError, match="name the one that is meant"):
        opened(tmp_path)


def test_a_last_step_that_is_not_there_is_no_other_step(tmp_path: Path) -> None:
    """One that is there is not read in its place, and both are named."""
    saved(tmp_path / "global_step5/mp_rank_00_model_states.pt", {"module": {"wte.weight": torch.zeros(5, 2)}})
    (tmp_path / "latest").write_text("global_step6")
    expected = (
        r"the last step, which a file there calls 'global_step6', got global_step5/mp_rank_00_model_states.pt: name"
    )
    with pytest.raises(UnreadableInputError, match=expected):
        opened(tmp_path)


SPLIT = {
    "ZeRO-3": (
        (
            "global_step7/zero_pp_rank_0_mp_rank_00_model_states.pt",
            "global_step7/zero_pp_rank_1_mp_rank_00_model_states.pt",
        ),
        "whose parameters ZeRO has split over 2 ranks: python zero_to_fp32.py, which lies beside them or a fol",
    ),
    "the optimizer's alone": (
        ("zero_pp_rank_0_mp_rank_00_optim_states.pt",),
        "the states of an optimizer that ZeRO has split over 1 rank: with the model's own file beside them, python",
    ),
    "DeepSpeed's tensor parallelism": (
        ("global_step7/mp_rank_00_model_states.pt", "global_step7/mp_rank_01_model_states.pt"),
        "which DeepSpeed has split over 2 ranks of model parallelism: DeepSpeed's ds_to_universal.py merges them",
    ),
    "Megatron-LM's": (
        ("iter_0000100/mp_rank_00_000/model_optim_rng.pt", "iter_0000100/mp_rank_00_001/model_optim_rng.pt"),
        "which Megatron-LM has split over 2 ranks of model parallelism: its tools/checkpoint/convert.py merges them",
    ),
}


@pytest.mark.parametrize("case", SPLIT)
def test_what_is_split_over_ranks_is_said_with_what_merges_it(case: str, tmp_path: Path) -> None:
    """No rank is taken for the whole."""
    names, expected = SPLIT[case]
    for name in names:
        saved(tmp_path / name)
    with pytest.raises(UnreadableInputError) as caught:
        opened(tmp_path)
    assert "expected a whole model, got " in caught.value.problem
    assert expected in caught.value.problem


def test_a_shard_of_zero_that_is_named_itself_is_said_to_be_one(tmp_path: Path) -> None:
    """Whatever it holds."""
    saved(tmp_path / "zero_pp_rank_0_mp_rank_00_optim_states.pt")
    with pytest.raises(UnreadableInputError, match=r"got a shard of DeepSpeed's ZeRO: zero_to_fp32.py"):
        opened(tmp_path / "zero_pp_rank_0_mp_rank_00_optim_states.pt")


SHARDS: dict[str, dict[str, Any]] = {
    "an optimizer's states": {
        "optimizer_state_dict": {"zero_stage": 2, "base_optimizer_state": {"state": {0: {"exp_avg": torch.zeros(6)}}}}
    },
    "an optimizer's states by name": {
        "optimizer_state_dict": {"zero_stage": 1, "base_optimizer_state": {"exp_avg": torch.zeros(6)}}
    },
    "parameters": {
        "module": {"wte.weight": torch.zeros(0)},
        "param_shapes": [{"wte.weight": torch.Size([3, 2])}],
        "optimizer": None,
    },
}


@pytest.mark.parametrize("case", SHARDS)
def test_a_shard_of_zero_is_known_by_what_it_holds(case: str, tmp_path: Path) -> None:
    """Under another name."""
    saved(tmp_path / "model.pt", SHARDS[case])
    with pytest.raises(UnreadableInputError, match=r"expected a model, got a shard of DeepSpeed's ZeRO: zero_to_fp32"):
        opened(tmp_path)


def test_a_model_beside_an_optimizer_of_zero_is_read(tmp_path: Path) -> None:
    """As stages 1 and 2 save it, whose parameters are whole."""
    whole = {"module": {"wte.weight": torch.zeros(3, 2)}, "param_shapes": [{"wte.weight": torch.Size([3, 2])}]}
    saved(tmp_path / "model.pt", whole)
    assert opened(tmp_path).tensors[0].shape == (3, 2)


def test_another_checkpoint_in_a_sub_folder_is_named_and_not_read(tmp_path: Path) -> None:
    """What no framework puts there is for its owner to say."""
    saved(tmp_path / "old" / "model.pt")
    with pytest.raises(UnreadableInputError, match=r"there is old/model.pt in its sub-folders: verify that one"):
        opened(tmp_path)
