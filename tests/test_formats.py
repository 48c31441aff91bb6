"""A checkpoint's format is recognised by its bytes, whatever it is called, and what is not supported is said."""

from __future__ import annotations

import gzip
import io

import pytest
import torch

from gpt2calc.checkpoints import formats
from gpt2calc.checkpoints.files import MemoryFile
from gpt2calc.errors import UnreadableInputError
from tests.loops import of_each
from tests.makers import gguf, llmc, safetensors, tensorflow
from tests.test_imports import loaded


def saved(*, legacy: bool) -> bytes:
    """Return a state_dict as torch saves it."""
    buffer = io.BytesIO()
    torch.save({"wte.weight": torch.zeros(3, 2)}, buffer, _use_new_zipfile_serialization=not legacy)
    return buffer.getvalue()


def problem(name: str, content: bytes) -> str:
    """Return what is wrong with a file that must be refused."""
    with pytest.raises(UnreadableInputError) as caught:
        formats.read(MemoryFile(name, content))
    assert caught.value.path == name
    assert str(caught.value).isprintable()
    return caught.value.problem


SUPPORTED: dict[str, tuple[bytes, str]] = {
    "safetensors": (safetensors.content([("wte.weight", "F32", (3, 2))]), "safetensors"),
    "safetensors without tensors": (safetensors.content([], None), "safetensors"),
    "torch zip": (saved(legacy=False), "torch zip"),
    "torch legacy": (saved(legacy=True), "torch legacy"),
    "gguf": (gguf.seeds()[0], "gguf"),
    "llm.c": (llmc.content(), "llm.c"),
    "llm.c of 123 positions, whose low byte is {": (llmc.content(n_positions=123), "llm.c"),
    "tensorflow": (tensorflow.index([tensorflow.Tensor("model/wte", (3, 2))]), "tensorflow"),
}


@of_each("case", SUPPORTED)
@of_each("name", ["x", "x.bin", "x.safetensors", "x.gguf", "x.pt", "x.h5", "x.index"])
def test_a_format_is_recognised_whatever_the_file_is_called(case: str, name: str) -> None:
    """Also where the name says another, or one that is not supported."""
    content, expected = SUPPORTED[case]
    assert formats.read(MemoryFile(name, content)).format == expected


@pytest.mark.parametrize("length", [0x80, 0x4B50, 0x8B1F])
def test_a_header_whose_length_begins_like_another_format_is_read(length: int) -> None:
    """The low bytes of the length are those of a pickle, of a zip and of gzip: what follows them tells."""
    content = safetensors.framed(safetensors.header([("x", "U8", (3,))]).ljust(length), bytes(3))
    assert content[0] in b"\x80PK\x1f"
    for name in ("x.safetensors", "x.bin", "x"):
        assert formats.read(MemoryFile(name, content)).format == "safetensors"


def test_a_file_of_123_tensors_is_gguf() -> None:
    """Their number stands where the `{` of a safetensors header would."""
    content = gguf.written([], [gguf.Tensor(f"t{n}", (1,), "F32") for n in range(123)])
    assert content[8:9] == b"{"
    assert len(formats.read(MemoryFile("x", content)).tensors) == 123


def test_every_number_of_llm_c_is_known_to_be_its() -> None:
    """Its reader then says what a file is that is no model."""
    for number in (20240327, 20240520, 20240801):
        assert f"({number})" in problem("x.bin", llmc.header(magic=number))


INSTEAD: dict[str, tuple[bytes, str]] = {
    "HDF5": (b"\x89HDF\r\n\x1a\n" + bytes(100), "an HDF5 file, as keras writes"),
    "a Git LFS pointer": (
        b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "a Git LFS pointer in the place of the file: git lfs pull fetches it",
    ),
    "a web page": (b"<!DOCTYPE html>\n<html>", "a web page"),
    "a web page in small letters": (b"<!doctype html><html>", "a web page"),
    "a web page without a doctype": (b"<html><head>", "a web page"),
    "gzip": (gzip.compress(bytes(100)), "a file that is compressed with gzip"),
}


@of_each("case", INSTEAD)
@of_each("name", ["x", "model.safetensors", "pytorch_model.bin", "tf_model.h5"])
def test_what_is_often_in_the_place_of_a_checkpoint_is_named(case: str, name: str) -> None:
    """Whatever it is called."""
    content, expected = INSTEAD[case]
    assert problem(name, content) == (
        f"expected a checkpoint of safetensors, PyTorch, GGUF, TensorFlow or llm.c, got {expected}"
    )


@pytest.mark.parametrize("ending", formats.UNSUPPORTED_NAMES)
def test_what_is_not_supported_is_named_by_its_name(ending: str) -> None:
    """Where the bytes are those of no format that is known."""
    for name in (f"model{ending}", f"MODEL{ending.upper()}"):
        expected = f"got {formats.UNSUPPORTED_NAMES[ending]}, which is not supported"
        assert problem(name, b"\x01\x02\x03\x04").endswith(expected)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("x.safetensors", "expected the 8 bytes with which a safetensors file begins, got a file of 4"),
        ("x.gguf", "expected"),
        ("x.bin", "expected"),
        ("x.pt", "expected"),
        ("x.ckpt", "expected"),
        ("x.index", "expected"),
        ("x", "got a file that begins with b'\\x01\\x02\\x03\\x04'"),
        ("x.json", "got a file that begins with b'\\x01\\x02\\x03\\x04'"),
    ],
)
def test_the_reader_that_a_name_asks_for_says_what_is_wrong(name: str, expected: str) -> None:
    """Where the bytes say nothing; where the name says nothing either, the bytes are shown."""
    assert expected in problem(name, b"\x01\x02\x03\x04")


@pytest.mark.parametrize("name", ["x", "x.safetensors", "x.gguf", "x.bin", "x.index", "x.h5"])
def test_a_file_cut_off_in_its_first_bytes_is_refused(name: str) -> None:
    """Of every format, and of nothing at all."""
    for content, _ in SUPPORTED.values():
        for size in range(min(17, len(content))):
            problem(name, content[:size])
    assert name != "x" or problem(name, b"").endswith("got an empty file")


def test_only_the_reader_that_is_needed_is_loaded() -> None:
    """Each costs time at start-up."""
    code = (
        "from gpt2calc.checkpoints import folders, formats\n"
        "from gpt2calc.checkpoints.files import MemoryFile\n"
        "formats.read(MemoryFile('x', bytes((2, 0, 0, 0, 0, 0, 0, 0)) + b'{}'))"
    )
    room = {name.rpartition(".")[2] for name in loaded(code) if name.startswith("gpt2calc.checkpoints.")}
    assert room == {"files", "folders", "formats", "safetensors", "strict_json"}
