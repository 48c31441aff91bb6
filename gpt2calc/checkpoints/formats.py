"""Which format a file has, by its first bytes: a name says what its owner hoped for.

A new format is a reader of its own and a line here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.errors import UnreadableInputError, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gpt2calc.checkpoints.files import ByteFile
    from gpt2calc.listing import TensorListing

SUPPORTED = "a checkpoint of safetensors, PyTorch, GGUF, TensorFlow or llm.c"

FIRST = 16
"""How many bytes tell the formats apart."""

LLMC = range(20240326, 20240804)
"""What the files of llm.c begin with, its models' first: days."""

UNSUPPORTED = {
    b"\x89HDF\r\n\x1a\n": "an HDF5 file, as keras writes",
    b"version https://": "a Git LFS pointer in the place of the file: git lfs pull fetches it",
    b"<!DOCTYPE html": "a web page",
    b"\x1f\x8b": "a file that is compressed with gzip",
}
"""How files begin that are often taken for a checkpoint, and what they are."""

UNSUPPORTED_NAMES = {
    ".h5": "HDF5, as keras writes",
    ".keras": "keras' own format",
    ".msgpack": "msgpack, as flax writes",
    ".onnx": "ONNX",
    ".ot": "the format of rust-bert",
    ".tflite": "TensorFlow Lite",
    ".npz": "numpy's archives",
}
"""What files with these names hold, which is not supported."""


def read(file: ByteFile, sizes: Mapping[str, int] | None = None) -> TensorListing:
    """Return what a file holds, by the reader of its format.

    Args:
        file: the file.
        sizes: the sizes of the files beside it, by their base names, for a format that has its values there.

    Raises:
        UnreadableInputError: it is no checkpoint, is of a format that is not supported, or is malformed.

    >>> from gpt2calc.checkpoints.files import MemoryFile
    >>> read(MemoryFile("model.safetensors", bytes((2, 0, 0, 0, 0, 0, 0, 0)) + b"{}")).format
    'safetensors'
    """
    if file.name.endswith(".index"):
        from gpt2calc.checkpoints import tensorflow  # a reader is loaded where its format is met

        return tensorflow.read(file, sizes)
    first = file.read(0, min(FIRST, file.size))
    for start, what in UNSUPPORTED.items():
        if first.startswith(start):
            raise UnreadableInputError(file.name, f"expected {SUPPORTED}, got {what}")
    ending = unsupported(file.name)
    reader = _reader(first, file.name) if not ending else None
    if reader is None:
        got = f"{ending}, which is not supported" if ending else _beginning(first)
        raise UnreadableInputError(file.name, f"expected {SUPPORTED}, got {got}")
    return reader(file)


def unsupported(name: str) -> str | None:
    """Return what a file of such a name holds, where that is not supported."""
    return next((what for ending, what in UNSUPPORTED_NAMES.items() if name.lower().endswith(ending)), None)


def _reader(first: bytes, name: str) -> Callable[[ByteFile], TensorListing] | None:
    """Return the reader of a format; where the bytes say nothing, what the name says is tried."""
    if first.startswith((b"GGUF", b"FUGG")) or name.endswith(".gguf"):
        from gpt2calc.checkpoints import gguf  # a reader is loaded where its format is met

        return gguf.read
    if int.from_bytes(first[:4], "little") in LLMC and name.endswith(".bin"):
        from gpt2calc.checkpoints import llmc  # as above

        return llmc.read
    if first[8:9] == b"{" or name.endswith(".safetensors"):
        from gpt2calc.checkpoints import safetensors  # as above

        return safetensors.read
    if first.startswith((b"PK", b"\x80")) or name.endswith((".bin", ".pt", ".pth")):
        from gpt2calc.checkpoints import torch_files  # as above

        return torch_files.read
    return None


def _beginning(first: bytes) -> str:
    return f"a file that begins with {shown(first[:8])}" if first else "an empty file"
