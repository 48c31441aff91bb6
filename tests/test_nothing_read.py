"""What a folder can hold without a checkpoint that can be read: nothing of it is said to match.

Each case is what people had: sources are public trackers, by name where there is one.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

import gpt2calc
from tests.goods import X, plain
from tests.makers import safetensors, tensorflow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

STATE = {name: torch.zeros(shape) for name, _, shape in plain("huggingface").tensors}
CONFIG = {**X.config(), "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}


def touched(*names: str) -> Callable[[Path], object]:
    """Return what makes empty files."""

    def make(folder: Path) -> None:
        for name in names:
            (folder / name).touch()

    return make


def below(path: str, content: bytes | None = None) -> Callable[[Path], object]:
    """Return what saves weights in a sub-folder, or other content."""

    def make(folder: Path) -> None:
        (folder / path).parent.mkdir(parents=True)
        torch.save({"module": STATE}, folder / path)
        if content is not None:
            (folder / path).write_bytes(content)

    return make


def distributed(folder: Path) -> None:
    """Save as torch.distributed.checkpoint does, and take away what says what the files hold."""
    from torch.distributed.checkpoint.state_dict_saver import save  # half a second, for one case

    with pytest.warns(UserWarning, match="single process"):
        save(dict(STATE), checkpoint_id=folder, no_dist=True)
    (folder / ".metadata").unlink()


def cut(folder: Path) -> None:
    """Write a file of which the last byte did not arrive."""
    (folder / "model.safetensors").write_bytes(safetensors.content(plain("huggingface").tensors)[:-1])


def shards_without_index(folder: Path) -> None:
    """Let transformers save shards, and take their index away."""
    config = GPT2Config(n_layer=1, n_embd=8, n_head=1, n_positions=8, vocab_size=32, bos_token_id=0, eos_token_id=0)
    GPT2LMHeadModel(config).save_pretrained(folder, max_shard_size="1KB")
    (folder / "model.safetensors.index.json").unlink()


def index_without_shards(folder: Path) -> None:
    """Write an index of files that are not there."""
    names = dict.fromkeys(STATE, "model-00001-of-00001.safetensors")
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": names}))


def values_without_index(folder: Path) -> None:
    """Write TensorFlow's data file alone."""
    tensorflow.write(str(folder / "model.ckpt"), tensorflow.gpt2(n_layer=1))
    (folder / "model.ckpt.index").unlink()


def pointer(name: str) -> Callable[[Path], object]:
    """Return what writes a pointer of Git LFS."""
    return lambda folder: (folder / name).write_text(
        "version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n"
    )


UNREAD: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing": (lambda folder: None, "naming config.json itself judges the config alone"),
    "a tokenizer": (touched("merges.txt", "vocab.json", "tokenizer.json"), "got config.json, merges.txt"),
    # microsoft/DialoGPT 40: the config is one model's, and the pickle is another's
    "a pickle by another name": (
        lambda folder: torch.save(STATE, folder / "medium_ft.pkl"),
        "if medium_ft.pkl holds the weights, name it",
    ),
    # CarperAI/trlx 365, 480, 545
    "DeepSpeed's folder, with an empty file": (
        below("pytorch_model/mp_rank_00_model_states.pt", b""),
        "pytorch_model/mp_rank_00_model_states.pt: expected a file of torch.save, a zip or its magic number, got no",
    ),
    "DeepSpeed's folder of two ranks": (
        lambda folder: [below(f"{x}/mp_rank_{x}_model_states.pt")(folder) for x in ("00", "01")],
        "expected one checkpoint, got 00/mp_rank_00_model_states.pt, 01/mp_rank_01_model_states.pt",
    ),
    "Trainer's folder": (below("checkpoint-500/pytorch_model.bin"), "there is checkpoint-500/pytorch_model.bin"),
    "two levels down": (below("a/b/model.bin"), "there is a/b/model.bin"),
    "torch.distributed.checkpoint without .metadata": (distributed, "its .metadata is not there"),
    "a download that was broken off": (touched("model.safetensors.incomplete"), "was broken off: fetch it again"),
    "a hidden download": (touched(".model.safetensors.aria2"), "was broken off: fetch it again"),
    "a file that was cut off": (cut, "bytes of tensors, as its header says"),
    "an empty file": (touched("model.safetensors"), "expected"),
    "a web page": (lambda folder: (folder / "pytorch_model.bin").write_text("<!doctype html>"), "a web page"),
    "a pointer": (pointer("model.safetensors"), "Git LFS"),
    "a pointer in a zip's place": (pointer("pytorch_model.bin"), "Git LFS"),
    "shards without their index": (shards_without_index, "without the index"),
    "an index without shards": (index_without_shards, "beside it"),
    "values without their index": (values_without_index, "without the index"),
    "an optimizer": (lambda folder: torch.save({"state": {}}, folder / "optimizer.pt"), "no weights were read"),
    "a trainer's arguments": (touched("training_args.bin", "trainer_state.json"), "no weights were read"),
    "keras' weights": (touched("tf_model.h5"), "which is not supported"),
    "flax's weights": (touched("flax_model.msgpack"), "which is not supported"),
    "several of one kind": (touched("a.gguf", "b.gguf"), "expected one checkpoint"),
    "an optimizer's shard": (
        lambda folder: torch.save({"optimizer_state_dict": {"x": torch.zeros(2)}}, folder / "zero_pp_rank_0.pt"),
        "its names fit no GPT-2",
    ),
    "no tensors": (lambda folder: safetensors.write(folder / "model.safetensors", []), "its names fit no GPT-2"),
    "a folder in its place": (lambda folder: (folder / "model.safetensors").mkdir(), "expected a file, got a folder"),
    "a pipe in its place": (lambda folder: os.mkfifo(folder / "model.safetensors"), "got a pipe"),
    "a link to nothing": (lambda folder: (folder / "model.bin").symlink_to("gone"), "No such file"),
}


@pytest.mark.parametrize("case", UNREAD)
def test_a_folder_without_a_checkpoint_is_never_said_to_match(case: str, tmp_path: Path, run: Run) -> None:
    """With a good config.json beside: exit 3, and one sentence that says what lies there and what to do."""
    make, said = UNREAD[case]
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    make(tmp_path)
    for words in ((), ("--evidence", "meta"), ("--config", "gpt2"), ("-q",)):
        ran = run("verify", str(tmp_path), *words)
        assert (ran.code, ran.stdout) == (3, "")
        assert ran.stderr.count("\n") == 1
        assert said in ran.stderr


def test_a_config_is_judged_where_it_is_what_was_named(tmp_path: Path, run: Run) -> None:
    """By its path, or as a model that ships; the verdict says that there are no weights in it."""
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    for name in (str(tmp_path / "config.json"), "gpt2"):
        ran = run("verify", name, "-q")
        assert ran.code == 0
        assert ran.stdout.startswith(f"{name} is a config alone, and matches the model that transformers builds: ")


def test_a_faulty_checkpoint_does_not_match_by_what_its_config_builds(tmp_path: Path, run: Run) -> None:
    """Evidence from the config is added to what was read of the file, and does not take its place."""
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    safetensors.write(tmp_path / "model.safetensors", plain("huggingface").tensors[1:])
    ran = run("verify", str(tmp_path), "--evidence", "meta")
    assert ran.code == 1
    assert "transformer.wte.weight" in ran.stdout


def test_a_config_is_held_against_no_other_config(run: Run) -> None:
    """It is not passed over, and does not take the place of what was named; nor is one that is not there."""
    for words in (("gpt2", "--config", "gpt2-xl"), ("gpt2", "--config", "nosuch.json")):
        ran = run("verify", *words)
        assert (ran.code, ran.stdout) == (2, "")
        assert "gpt2 is a config alone" in ran.stderr
    with pytest.raises(gpt2calc.ConfigError, match="config is a config alone"):
        gpt2calc.verify({"n_layer": 3, "n_embd": 64}, "gpt2")


def test_another_document_of_transformers_is_no_config(tmp_path: Path, run: Run) -> None:
    """A generation_config.json says nothing of a model."""
    path = tmp_path / "generation_config.json"
    path.write_text('{"transformers_version": "4.40.0", "do_sample": true, "bos_token_id": 50256}', encoding="utf-8")
    for command in ("verify", "count"):
        ran = run(command, str(path))
        assert (ran.code, ran.stdout) == (3, "")
        assert "got a document without any" in ran.stderr


def test_a_file_without_values_does_not_match(tmp_path: Path) -> None:
    """Tensors that were saved from the meta device have names and shapes, and nothing that could be loaded."""
    torch.save({name: value.to("meta") for name, value in STATE.items()}, tmp_path / "pytorch_model.bin")
    found = gpt2calc.verify(tmp_path, CONFIG)
    assert not found.matches
    assert {fault.message for fault in found.faults} == {
        "it was saved from the meta device, and its values are nowhere"
    }


def test_a_config_that_cannot_be_read_is_not_passed_over(tmp_path: Path, run: Run) -> None:
    """A link that leads nowhere, beside a good file."""
    safetensors.write(tmp_path / "model.safetensors", plain("huggingface").tensors)
    (tmp_path / "config.json").symlink_to("gone.json")
    ran = run("verify", str(tmp_path))
    assert (ran.code, ran.stdout) == (3, "")
    assert "config.json" in ran.stderr


def test_nano_gpts_words_do_not_turn_the_file_that_transformers_loads(tmp_path: Path) -> None:
    """model_args in a pytorch_model.bin beside transformers' config: its matrices lie as transformers keeps them."""
    (tmp_path / "config.json").write_text(json.dumps(CONFIG), encoding="utf-8")
    turned = {name: torch.zeros(shape) for name, _, shape in plain("nanogpt").tensors}
    torch.save({"model": turned, "model_args": {"n_layer": 2}}, tmp_path / "pytorch_model.bin")
    assert not gpt2calc.verify(tmp_path).matches
    os.rename(tmp_path / "pytorch_model.bin", tmp_path / "ckpt.pt")
    assert gpt2calc.verify(tmp_path / "ckpt.pt").matches
