"""Writes llm.c's checkpoints, whole ones and sparse ones of any size. It knows no reader.

Source: karpathy/llm.c, train_gpt2.py, write_model.
"""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import os

MAGIC = 20240326


def header(
    *,
    n_layer: int = 2,
    n_embd: int = 8,
    n_positions: int = 16,
    vocab_size: int = 11,
    n_head: int = 2,
    padded: int = 128,
    version: int = 3,
    magic: int = MAGIC,
) -> bytes:
    """Return the 1024 bytes before the arrays; `padded` is the number of rows of the token embedding."""
    numbers = (magic, version, n_positions, vocab_size, n_layer, n_head, n_embd, padded)
    return struct.pack("<8i", *numbers).ljust(1024, b"\0")


def elements(*, n_layer: int = 2, n_embd: int = 8, n_positions: int = 16, padded: int = 128) -> int:
    """Return how many numbers follow the header."""
    d = n_embd
    return padded * d + n_positions * d + n_layer * (12 * d * d + 13 * d) + 2 * d


def content(
    *,
    n_layer: int = 2,
    n_embd: int = 8,
    n_positions: int = 16,
    vocab_size: int = 11,
    n_head: int = 2,
    padded: int = 128,
    version: int = 3,
) -> bytes:
    """Return a whole file, all of whose values are zero."""
    start = header(
        n_layer=n_layer,
        n_embd=n_embd,
        n_positions=n_positions,
        vocab_size=vocab_size,
        n_head=n_head,
        padded=0 if version == 1 else padded,
        version=version,
    )
    rows = vocab_size if version == 1 else padded
    many = elements(n_layer=n_layer, n_embd=n_embd, n_positions=n_positions, padded=rows)
    return start + bytes(many * (2 if version == 5 else 4))


def write(path: str | os.PathLike[str], start: bytes, size: int) -> None:
    """Write a sparse file: a header, and then zeros up to a size."""
    with open(path, "wb") as file:
        file.write(start)
        file.truncate(size)


def seeds() -> list[bytes]:
    """Return a small good file of each version."""
    return [content(n_layer=1, n_embd=2, n_positions=2, vocab_size=3, n_head=1, padded=4, version=n) for n in (1, 3, 5)]
