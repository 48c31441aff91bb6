"""Which format a file has, by its first bytes: a name says what its owner hoped for.

A new format is a reader of its own and a line here.
"""

from __future__ import annotations

import re
from importlib import import_module
from typing import TYPE_CHECKING

from gpt2calc.errors import UnreadableInputError, shown
from gpt2calc.listing import ZERO_SHARD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.checkpoints.files import ByteFile
    from gpt2calc.listing import TensorListing

SUPPORTED = "a checkpoint of safetensors, PyTorch, GGUF, TensorFlow or llm.c"

FIRST_READ_BYTES = 16 * 2**10
"""How many bytes are read at first. Sixteen tell the formats apart. A file of the hub keeps what was first read,
so that the reader of safetensors, which begins with as many, makes no second request."""

LLMC = range(20240326, 20240804)
"""What the files of llm.c begin with, its models' first: days."""

TABLE = bytes.fromhex("57fb808b247547db")
"""What an index of TensorFlow ends with, which is a table of LevelDB."""

PARTS = {
    re.compile(r".+\.distcp", re.DOTALL): "one file of a torch.distributed.checkpoint: name its folder",
    re.compile(r"(?:bf16_|fp16_)?zero_pp_rank_\d+_mp_rank_\d+_\w+_states\.pt", re.DOTALL): ZERO_SHARD,
}
"""The names of files that hold a part of a checkpoint that nothing shows the whole of, and what they are."""

METADATA = ".metadata"
"""The name of the file of torch.distributed.checkpoint that says what its folder holds."""

UNSUPPORTED = {
    b"lmgg": "a ggml file of before GGUF: llama.cpp's releases of 2023 convert it",
    b"fmgg": "a ggml file of before GGUF, ggmf: llama.cpp's releases of 2023 convert it",
    b"tjgg": "a ggml file of before GGUF, ggjt: llama.cpp's releases of 2023 convert it",
    b"algg": "an adapter in ggml's format of before GGUF, ggla",
    b"\x89hdf\r\n\x1a\n": "an HDF5 file, as keras writes",
    b"version https://": "a Git LFS pointer in the place of the file: git lfs pull fetches it",
    b"<!doctype html": "a web page",
    b"<html": "a web page",
    b"\x1f\x8b": "a file that is compressed with gzip",
}
"""How files begin, in small letters, that are often taken for a checkpoint, and what they are."""

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


READERS = {
    ".gguf": "gguf",
    ".safetensors": "safetensors",
    **dict.fromkeys((".bin", ".ckpt", ".pt", ".pth"), "torch_files"),
}
"""The file of this room that reads files of such names, and says what is wrong with one that does not begin so."""

BESIDE = ("distributed", "tensorflow")
"""Those that read files beside the one that is named."""


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
    first = file.read(0, min(FIRST_READ_BYTES, file.size))[:16]
    base = file.name.replace("\\", "/").rpartition("/")[2]
    if part := next((what for look, what in PARTS.items() if look.fullmatch(base)), None):
        raise UnreadableInputError(file.name, f"expected {SUPPORTED}, got {part}")
    reader = "distributed" if base == METADATA else _by_bytes(first)
    if reader is None:
        ends = file.read(max(file.size - 8, 0), min(file.size, 8))
        reader = "tensorflow" if file.name.endswith(".index") or ends == TABLE else None
    if reader is None:
        other = next((what for start, what in UNSUPPORTED.items() if first.lower().startswith(start)), None)
        ending = unsupported(file.name)
        got = other or (f"{ending}, which is not supported" if ending else None)
        reader = None if got else next((its for end, its in READERS.items() if file.name.endswith(end)), None)
        if reader is None:
            raise UnreadableInputError(file.name, f"expected {SUPPORTED}, got {got or _beginning(first)}")
    read_by = import_module(f"gpt2calc.checkpoints.{reader}").read  # a reader is loaded where its format is met
    found: TensorListing = read_by(file, sizes) if reader in BESIDE else read_by(file)
    return found


def unsupported(name: str) -> str | None:
    """Return what a file of such a name holds, where that is not supported."""
    return next((what for ending, what in UNSUPPORTED_NAMES.items() if name.lower().endswith(ending)), None)


def _by_bytes(first: bytes) -> str | None:
    """Return the file of this room that reads the format that the first bytes show.

    The order matters where they would show two: what makes a number of GGUF or llm.c end with `{` makes the length of a
    safetensors header one of gigabytes, and what makes such a length begin like a zip is followed by `{`.
    """
    shown = {
        "gguf": first.startswith((b"GGUF", b"FUGG")),
        "llmc": int.from_bytes(first[:4], "little") in LLMC and any(first[4:8]),
        "safetensors": first[8:9] == b"{",
        "torch_files": first.startswith((b"PK\3\4", b"\x80")),
    }
    return next((name for name, is_shown in shown.items() if is_shown), None)


def _beginning(first: bytes) -> str:
    return f"a file that begins with {shown(first[:8])}" if first else "an empty file"
