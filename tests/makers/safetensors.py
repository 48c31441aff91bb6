"""Good safetensors files, written byte by byte: whole ones, and sparse ones of any size with a real header."""

from __future__ import annotations

import json
import os
from contextlib import suppress
from math import prod
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import TypeAlias

    Tensor: TypeAlias = tuple[str, str, tuple[int, ...]]
    """A name, a dtype and a shape."""

BITS = {
    "F64": 64,
    "I64": 64,
    "C64": 64,
    "F32": 32,
    "I32": 32,
    "F16": 16,
    "BF16": 16,
    "U8": 8,
    "BOOL": 8,
    "F8_E4M3": 8,
    "F8_E8M0": 8,
    "F4": 4,
}

PT = {"format": "pt"}
"""The metadata that transformers gives its files."""


def framed(header: bytes, data: bytes = b"") -> bytes:
    """Return a file with any bytes as its header, good or not."""
    return len(header).to_bytes(8, "little") + header + data


def header(tensors: Iterable[Tensor], metadata: Mapping[str, str] | None = PT, *, padded: bool = False) -> bytes:
    """Return a header in which the tensors lie in the order they are given in.

    `padded` fills it with spaces up to a multiple of 8 bytes, as the library does since 0.3.
    """
    document: dict[str, object] = {} if metadata is None else {"__metadata__": dict(metadata)}
    end = 0
    for name, dtype, shape in tensors:
        begin, end = end, end + nbytes(dtype, shape)
        document[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [begin, end]}
    text = json.dumps(document, separators=(",", ":"), ensure_ascii=False).encode()
    return text + b" " * (-len(text) % 8) if padded else text


def nbytes(dtype: str, shape: tuple[int, ...]) -> int:
    """Return the bytes that a tensor takes."""
    return prod(shape) * BITS[dtype] // 8


def content(tensors: Iterable[Tensor], metadata: Mapping[str, str] | None = PT, *, padded: bool = False) -> bytes:
    """Return a whole file, all of whose values are zero."""
    tensors = tuple(tensors)
    data = bytes(sum(nbytes(dtype, shape) for _, dtype, shape in tensors))
    return framed(header(tensors, metadata, padded=padded), data)


def write(
    path: str | os.PathLike[str],
    tensors: Iterable[Tensor],
    metadata: Mapping[str, str] | None = PT,
    *,
    padded: bool = False,
) -> int:
    """Write a file that is sparse after its header, so that it takes no room, and return its size in bytes."""
    tensors = tuple(tensors)
    start = framed(header(tensors, metadata, padded=padded))
    size = len(start) + sum(nbytes(dtype, shape) for _, dtype, shape in tensors)
    with suppress(FileNotFoundError):
        os.remove(path)  # one that is made shorter, and written to again, waits for the disk
    with open(path, "wb") as file:
        file.write(start)
        file.truncate(size)
    return size


def released(n_layer: int, n_embd: int, *, n_positions: int = 1024, vocab_size: int = 50257) -> list[Tensor]:
    """Return what the released files of GPT-2 hold: names without a prefix, and a float32 mask in each block.

    They are sorted by name, as today's library writes them. The file of gpt2 is older and has them in no order.

    Source: openai-community/gpt2, model.safetensors.
    """
    d = n_embd
    block = {
        "attn.bias": (1, 1, n_positions, n_positions),
        "attn.c_attn.bias": (3 * d,),
        "attn.c_attn.weight": (d, 3 * d),
        "attn.c_proj.bias": (d,),
        "attn.c_proj.weight": (d, d),
        "ln_1.bias": (d,),
        "ln_1.weight": (d,),
        "ln_2.bias": (d,),
        "ln_2.weight": (d,),
        "mlp.c_fc.bias": (4 * d,),
        "mlp.c_fc.weight": (d, 4 * d),
        "mlp.c_proj.bias": (d,),
        "mlp.c_proj.weight": (4 * d, d),
    }
    shapes: dict[str, tuple[int, ...]] = {
        "ln_f.bias": (d,),
        "ln_f.weight": (d,),
        "wpe.weight": (n_positions, d),
        "wte.weight": (vocab_size, d),
        **{f"h.{i}.{name}": shape for i in range(n_layer) for name, shape in block.items()},
    }
    return [(name, "F32", shapes[name]) for name in sorted(shapes)]


def seeds() -> list[bytes]:
    """Return small files with what the format allows: no tensors, padding, scalars, 0-wide tensors, odd names."""
    mixed: list[Tensor] = [
        ("wte.weight", "F32", (3, 2)),
        ("mask", "BOOL", (1, 1, 2, 2)),
        ("scalar", "F16", ()),
        ("empty", "BF16", (0, 4)),
        ("half", "F4", (2, 3)),
        ("é \n", "F64", (1,)),
    ]
    return [
        content([], None),
        content(mixed),
        content(reversed(mixed), {"format": "tf", "made-by": "test"}, padded=True),
        content(released(1, 2, n_positions=2, vocab_size=3)),
    ]
