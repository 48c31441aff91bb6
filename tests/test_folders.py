"""The checkpoint of a folder is the one that transformers takes, and what else lies there is said."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

import pytest
import torch
from safetensors.torch import save_file
from transformers import GPT2Config, GPT2LMHeadModel

from gpt2calc.checkpoints import folders
from gpt2calc.errors import UnreadableInputError
from tests.loops import of_each
from tests.makers import gguf, llmc, safetensors, shards, tensorflow

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TINY = safetensors.released(1, 2, n_positions=2, vocab_size=3)


def problem(path: str | Path) -> str:
    """Return what is wrong with a path that must be refused, in one short and printable line."""
    with pytest.raises(UnreadableInputError) as caught:
        folders.open_listing(str(path))
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500
    return caught.value.problem


def chosen(*names: str) -> folders.Chosen:
    """Choose between files."""
    return folders.choose("there", names)


def refused(*names: str) -> str:
    """Return why none of the files is chosen."""
    with pytest.raises(UnreadableInputError) as caught:
        chosen(*names)
    assert caught.value.path == "there"
    return caught.value.problem


# Which file is chosen

ORDER = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
    "gpt2.safetensors.index.json",
    "gpt2.bin.index.json",
    "gpt2.safetensors",
    "ckpt.pt",
    "gpt2.pth",
    "gpt2.gguf",
    "model.ckpt.index",
)
"""A file of each rank, the first first."""


@of_each("at", range(len(ORDER)))
def test_the_first_rank_is_chosen(at: int) -> None:
    """Whatever comes after it, in whatever order they are given; the others are said not to be read."""
    found = chosen(*reversed(ORDER[at:]), "config.json", "README.md")
    assert found == folders.Chosen(ORDER[at], ORDER[at + 1 :])
    assert bool(found.note) == (at + 1 < len(ORDER))


def test_transformers_loads_the_file_that_is_chosen(tmp_path: Path) -> None:
    """Four checkpoints with other values in one folder; the one that it loads is taken away, until none is left."""
    config = GPT2Config(n_layer=1, n_embd=2, n_head=1, n_positions=2, vocab_size=3, bos_token_id=0, eos_token_id=0)
    state = {name: value for name, value in GPT2LMHeadModel(config).state_dict().items() if name != "lm_head.weight"}
    config.save_pretrained(tmp_path)
    for mark, name in enumerate(ORDER[:4]):
        state["transformer.ln_f.bias"].fill_(mark)
        file = name.removesuffix(".index.json")
        if file != name:
            (tmp_path / name).write_text(json.dumps({"metadata": {}, "weight_map": dict.fromkeys(state, f"a.{file}")}))
            file = f"a.{file}"
        if file.endswith(".bin"):
            torch.save(state, tmp_path / file)
        else:
            save_file(state, tmp_path / file, {"format": "pt"})
    for mark, name in enumerate(ORDER[:4]):
        found = folders.open_listing(str(tmp_path))
        assert name in {os.path.basename(file.path) for file in found.files}
        loaded = GPT2LMHeadModel.from_pretrained(tmp_path)
        assert loaded.transformer.ln_f.bias.tolist() == [mark, mark]
        (tmp_path / name).unlink()


GPT2 = (
    *(".gitattributes", "64-8bits.tflite", "64-fp16.tflite", "64.tflite", "README.md", "config.json"),
    *("flax_model.msgpack", "generation_config.json", "merges.txt", "model.safetensors", "pytorch_model.bin"),
    *("rust_model.ot", "tf_model.h5", "tokenizer.json", "tokenizer_config.json", "vocab.json"),
)
"""What openai-community/gpt2 has on the hub."""

CHOICES: dict[str, tuple[tuple[str, ...], str, tuple[str, ...]]] = {
    "the released gpt2": (
        GPT2,
        "model.safetensors",
        (
            *("pytorch_model.bin", "64-8bits.tflite", "64-fp16.tflite", "64.tflite"),
            *("flax_model.msgpack", "rust_model.ot", "tf_model.h5"),
        ),
    ),
    "OpenAI's own": (
        (
            *("checkpoint", "encoder.json", "hparams.json", "model.ckpt.data-00000-of-00001"),
            *("model.ckpt.index", "model.ckpt.meta", "vocab.bpe"),
        ),
        "model.ckpt.index",
        (),
    ),
    "nanoGPT's": (("ckpt.pt",), "ckpt.pt", ()),
    "Lightning's": (("last.ckpt", "hparams.yaml"), "last.ckpt", ()),
    "llm.c's": (("gpt2_124M.bin",), "gpt2_124M.bin", ()),
    "shards": (
        ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "model.safetensors.index.json"),
        "model.safetensors.index.json",
        (),
    ),
    "shards with other numbers": (("model-1.safetensors", "model-2.safetensors", ORDER[1]), ORDER[1], ()),
    "shards of both kinds": (
        (
            *("model-00001-of-00001.safetensors", "model.safetensors.index.json"),
            *("pytorch_model-00001-of-00001.bin", "pytorch_model.bin.index.json"),
        ),
        "model.safetensors.index.json",
        ("pytorch_model.bin.index.json",),
    ),
    "one file and an index": (
        ("model.safetensors", "model.safetensors.index.json", "model-00001-of-00001.safetensors"),
        "model.safetensors",
        ("model.safetensors.index.json",),
    ),
    "a training run": (
        (
            *("model.safetensors", "optimizer.pt", "scheduler.pt", "scaler.pt", "rng_state.pth", "rng_state_0.pth"),
            *("training_args.bin", "trainer_state.json"),
        ),
        "model.safetensors",
        (),
    ),
    "a training run with an old file": (("pytorch_model.bin", "optimizer.pt"), "pytorch_model.bin", ()),
    "another adapter": (
        ("model.safetensors", "adapter_model.safetensors"),
        "model.safetensors",
        ("adapter_model.safetensors",),
    ),
    "hidden files": (("._model.safetensors", ".model.safetensors", "ckpt.pt"), "ckpt.pt", ()),
}


@of_each("case", CHOICES)
def test_what_is_published_is_chosen_from(case: str) -> None:
    """The checkpoint, and the others that hold one; no optimizer, and no shard for itself."""
    names, name, others = CHOICES[case]
    assert chosen(*names) == folders.Chosen(name, others)


SUPPORTED = "expected a checkpoint of safetensors, PyTorch, GGUF, TensorFlow or llm.c, "
NOT_CHOSEN: dict[str, tuple[tuple[str, ...], str]] = {
    "nothing": ((), SUPPORTED + "got no files"),
    "a config": (("config.json",), SUPPORTED + "got config.json"),
    "many files": (tuple("abcdef"), SUPPORTED + "got a, b, c, d and 2 more"),
    "keras": (("config.json", "tf_model.h5"), SUPPORTED + "got tf_model.h5, which is not supported"),
    "flax": (("flax_model.msgpack",), SUPPORTED + "got flax_model.msgpack, which is not supported"),
    "keras' own": (("model.keras",), SUPPORTED + "got model.keras, which is not supported"),
    "two models": (
        ("a.gguf", "b.gguf"),
        "expected one checkpoint, got a.gguf, b.gguf: name the one that is meant",
    ),
    "five models": (
        tuple(f"{x}.pt" for x in "abcde"),
        "expected one checkpoint, got a.pt, b.pt, c.pt, d.pt and 1 more: name the one that is meant",
    ),
    "two endings of one rank": (
        ("a.pth", "b.bin"),
        "expected one checkpoint, got a.pth, b.bin: name the one that is meant",
    ),
    "shards without their index": (
        ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors", "tf_model.h5"),
        f"{SUPPORTED}got model-00001-of-00002.safetensors, model-00002-of-00002.safetensors without the index",
    ),
    "values without their index": (
        ("model.ckpt.data-00000-of-00001",),
        SUPPORTED + "got model.ckpt.data-00000-of-00001 without the index",
    ),
    "an optimizer": (("optimizer.pt",), SUPPORTED + "got optimizer.pt"),
    "a name that would break a line": (("a\n\x1b[31m.gguf", "b.gguf"), r"got a\n\x1b[31m.gguf, b.gguf: "),
}


@of_each("case", NOT_CHOSEN)
def test_what_cannot_be_chosen_from_is_said(case: str) -> None:
    """None is a checkpoint, or several are: what is there is named, and nothing is guessed."""
    names, expected = NOT_CHOSEN[case]
    assert expected in refused(*names)


def test_a_note_says_what_was_read_and_what_was_not() -> None:
    """By name, and no more than a few."""
    assert chosen(*GPT2).note == (
        "model.safetensors was read, and not pytorch_model.bin, 64-8bits.tflite, 64-fp16.tflite, 64.tflite and 3 more"
    )
    assert chosen("ckpt.pt").note == ""


# What is read


def as_safetensors(folder: Path) -> str:
    """Write one file."""
    safetensors.write(folder / "model.safetensors", TINY)
    return "model.safetensors"


def as_shards(folder: Path) -> str:
    """Write an index and its shards."""
    return os.path.basename(shards.write(folder, shards.tiny()))


def as_zip(folder: Path) -> str:
    """Let torch save nanoGPT's file."""
    torch.save({"model": {"wte.weight": torch.zeros(3, 2)}}, folder / "ckpt.pt")
    return "ckpt.pt"


def as_gguf(folder: Path) -> str:
    """Write a file of GGUF."""
    (folder / "gpt2.gguf").write_bytes(gguf.seeds()[0])
    return "gpt2.gguf"


def as_llmc(folder: Path) -> str:
    """Write a file of llm.c."""
    (folder / "gpt2_124M.bin").write_bytes(llmc.content())
    return "gpt2_124M.bin"


def as_tensorflow(folder: Path) -> str:
    """Write what OpenAI released."""
    tensorflow.write(str(folder / "model.ckpt"), tensorflow.gpt2(n_layer=1))
    (folder / "checkpoint").write_text('model_checkpoint_path: "model.ckpt"\n')
    return "model.ckpt.index"


FORMATS = {
    "safetensors": as_safetensors,
    "shards": as_shards,
    "torch zip": as_zip,
    "gguf": as_gguf,
    "llm.c": as_llmc,
    "tensorflow": as_tensorflow,
}
every_format = pytest.mark.parametrize("name", FORMATS)


@every_format
def test_a_folder_holds_what_its_file_holds(name: str, tmp_path: Path) -> None:
    """The same tensors and files, under the folder's name."""
    file = FORMATS[name](tmp_path)
    listing = folders.open_listing(str(tmp_path / file))
    assert listing.tensors
    assert listing.format == name.replace("shards", "safetensors")
    assert folders.open_listing(str(tmp_path)) == listing._replace(name=str(tmp_path))


@every_format
def test_the_folder_one_stands_in_is_read(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And a file in it by its bare name."""
    file = FORMATS[name](tmp_path)
    monkeypatch.chdir(tmp_path)
    found, expected = folders.open_listing("."), folders.open_listing(file)
    assert [x[:4] for x in found.tensors] == [x[:4] for x in expected.tensors]
    assert [x.path for x in found.files] == [os.path.join(".", x.path) for x in expected.files]


def test_what_else_is_in_a_folder_is_noted(tmp_path: Path) -> None:
    """After what the reader itself noted."""
    safetensors.write(tmp_path / "model.safetensors", TINY, {"format": "tf"})
    as_gguf(tmp_path)
    (tmp_path / "tf_model.h5").touch()
    assert folders.open_listing(str(tmp_path)).notes == (
        "its metadata says that it was saved as 'tf', not as 'pt'",
        "model.safetensors was read, and not gpt2.gguf, tf_model.h5",
    )


@pytest.mark.parametrize("ending", ["", ".index", ".data-00000-of-00001"])
def test_a_tensorflow_checkpoint_has_three_names(ending: str, tmp_path: Path) -> None:
    """Its prefix, its index, and its values."""
    as_tensorflow(tmp_path)
    listing = folders.open_listing(str(tmp_path / f"model.ckpt{ending}"))
    assert (listing.format, listing.name) == ("tensorflow", str(tmp_path / "model.ckpt.index"))
    assert [os.path.basename(file.path) for file in listing.files] == [
        "model.ckpt.index",
        "model.ckpt.data-00000-of-00001",
    ]
    assert folders.is_prefix(str(tmp_path / "model.ckpt")) is True
    assert folders.is_prefix(str(tmp_path / "model.ckpt.index")) is False


def test_the_sizes_of_the_values_are_held_against_the_index(tmp_path: Path) -> None:
    """A byte less, and they cannot be all."""
    as_tensorflow(tmp_path)
    data = tmp_path / "model.ckpt.data-00000-of-00001"
    folders.open_listing(str(tmp_path))
    os.truncate(data, data.stat().st_size - 1)
    assert "expected" in problem(tmp_path)


def test_a_folder_that_may_not_be_listed_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file in it can be opened all the same, and then the sizes of the values are not known."""
    as_tensorflow(tmp_path)

    def scandir(path: str) -> object:
        raise PermissionError(13, "Permission denied", path)

    monkeypatch.setattr(os, "scandir", scandir)
    assert problem(tmp_path / "model.ckpt.index") == "cannot be read: Permission denied"


LOOKED_FOR = "they are looked for in files like model.safetensors, *.bin, *.pt, *.ckpt, *.gguf, *.index"
MISSING: dict[str, tuple[Callable[[Path], object], str]] = {
    "nothing.safetensors": (lambda path: None, "cannot be read: No such file or directory"),
    "nothing.index": (lambda path: None, "cannot be read: No such file or directory"),
    "nowhere/x.index": (lambda path: None, "cannot be read: No such file or directory"),
    "x.data-00000-of-00001": (lambda path: path.touch(), "cannot be read: No such file or directory"),
    "nothing.index.json": (lambda path: None, "cannot be read: No such file or directory"),
    "model.safetensors": (
        lambda path: path.mkdir(),
        f"{SUPPORTED}got no files: no weights were read; {LOOKED_FOR}",
    ),
    "a pipe.safetensors": (os.mkfifo, "expected a file, got a pipe"),
    "a link": (lambda path: path.symlink_to("nowhere"), "cannot be read: No such file or directory"),
    "a circle": (lambda path: path.symlink_to(path), "cannot be read: Too many levels of symbolic links"),
    "a circle.index": (lambda path: path.symlink_to(path), "cannot be read: Too many levels of symbolic links"),
}


@pytest.mark.parametrize("name", MISSING)
def test_what_is_no_file_is_refused(name: str, tmp_path: Path) -> None:
    """In one line, and at once: nothing waits for the other end of a pipe."""
    make, expected = MISSING[name]
    make(tmp_path / name)
    assert problem(tmp_path / name) == expected


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path: Path) -> None:
    """The name is chosen, and what it is is said."""
    (tmp_path / "model.safetensors").mkdir()
    assert problem(tmp_path) == "expected a file, got a folder"


# The config beside it, and whether there is a checkpoint at all


@pytest.mark.parametrize("config", ["config.json", "hparams.json"])
def test_the_config_beside_a_checkpoint_is_found(config: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """That of transformers or of OpenAI, for a folder, a file, a prefix, and where one stands."""
    as_tensorflow(tmp_path)
    there = str(tmp_path / config)
    assert folders.companion_config(str(tmp_path)) is None
    (tmp_path / config).write_text("{}")
    for path in ("", "model.ckpt.index", "model.ckpt", "model.ckpt.data-00000-of-00001"):
        assert folders.companion_config(str(tmp_path / path)) == there
    monkeypatch.chdir(tmp_path)
    assert folders.companion_config("model.ckpt") == config
    assert folders.companion_config(".") == os.path.join(".", config)


def test_config_json_wins_over_hparams_json(tmp_path: Path) -> None:
    """And a folder of that name is no config."""
    (tmp_path / "hparams.json").write_text("{}")
    (tmp_path / "config.json").mkdir()
    assert folders.companion_config(str(tmp_path)) == str(tmp_path / "hparams.json")
    (tmp_path / "config.json").rmdir()
    (tmp_path / "config.json").write_text("{}")
    assert folders.companion_config(str(tmp_path)) == str(tmp_path / "config.json")


def test_a_folder_that_is_not_there_cannot_be_looked_into(tmp_path: Path) -> None:
    """In one line."""
    with pytest.raises(UnreadableInputError, match=r"cannot be read: No such file or directory$"):
        folders.open_listing(str(tmp_path / "nowhere") + os.sep)
