"""Writes GGUF files byte by byte, good ones and ones with a fault planted. It knows no reader."""

from __future__ import annotations

import struct
from math import prod
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    import os
    from collections.abc import Sequence

    Metadata: TypeAlias = Sequence[tuple[str, "Value"]]

UINT8, INT8, UINT16, INT16, UINT32, INT32, FLOAT32, BOOL, TEXT, ARRAY, UINT64, INT64, FLOAT64 = range(13)
LAYOUTS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}

TYPES = {
    "F32": (0, 1, 4),
    "F16": (1, 1, 2),
    "BF16": (30, 1, 2),
    "F64": (28, 1, 8),
    "I32": (26, 1, 4),
    "Q4_0": (2, 32, 18),
    "Q5_0": (6, 32, 22),
    "Q5_1": (7, 32, 24),
    "Q8_0": (8, 32, 34),
    "Q2_K": (10, 256, 84),
    "Q3_K": (11, 256, 110),
    "Q4_K": (12, 256, 144),
    "Q5_K": (13, 256, 176),
    "Q6_K": (14, 256, 210),
    "TQ1_0": (34, 256, 54),
}
"""The types that are written here: the number, the elements of a block, the bytes of a block."""


class Value(NamedTuple):
    """A value of the metadata: a number, a text, or an array, whose value is a list of values of the type `of`."""

    kind: int
    value: object
    of: int = UINT8


class Tensor(NamedTuple):
    """A tensor to write, with its shape as PyTorch gives it.

    `content` is its bytes, zeros where it is None. `dims`, `kind`, `offset` and `rank` stand in the header in the place
    of the true ones, where they are given.
    """

    name: str | bytes
    shape: tuple[int, ...]
    dtype: str = "F32"
    content: bytes | None = None
    dims: tuple[int, ...] | None = None
    kind: int | None = None
    offset: int | None = None
    rank: int | None = None

    @property
    def nbytes(self) -> int:
        """How many bytes its values take."""
        _, elements, size = TYPES[self.dtype]
        return prod(self.shape) // elements * size


def packed(value: Value) -> bytes:
    """Return a value as it stands in the metadata, without its type."""
    if value.kind == TEXT:
        content = value.value if isinstance(value.value, bytes) else str(value.value).encode()
        return struct.pack("<Q", len(content)) + content
    if value.kind == ARRAY:
        assert isinstance(value.value, (list, tuple))
        elements = [x if isinstance(x, Value) else Value(value.of, x) for x in value.value]
        return struct.pack("<IQ", value.of, len(elements)) + b"".join(map(packed, elements))
    return struct.pack("<" + LAYOUTS[value.kind], value.value)


def header(
    metadata: Metadata,
    tensors: Sequence[Tensor],
    *,
    version: int = 3,
    alignment: int = 32,
    tensor_count: int | None = None,
    key_count: int | None = None,
) -> bytes:
    """Return all that stands before the values, the padding included."""
    content = b"GGUF" + struct.pack(
        "<IQQ",
        version,
        len(tensors) if tensor_count is None else tensor_count,
        len(metadata) if key_count is None else key_count,
    )
    content += b"".join(
        packed(Value(TEXT, key)) + struct.pack("<I", value.kind) + packed(value) for key, value in metadata
    )
    place = 0
    rows = []
    for tensor in tensors:
        number, _, _ = TYPES[tensor.dtype]
        dims = tensor.shape[::-1] if tensor.dims is None else tensor.dims
        rows += [
            packed(Value(TEXT, tensor.name)),
            struct.pack("<I", len(dims) if tensor.rank is None else tensor.rank),
            struct.pack(f"<{len(dims)}Q", *dims),
            struct.pack("<I", number if tensor.kind is None else tensor.kind),
            struct.pack("<Q", place if tensor.offset is None else tensor.offset),
        ]
        place += aligned(tensor.nbytes, alignment)
    content += b"".join(rows)
    return content.ljust(aligned(len(content), alignment), b"\0")


def size(tensors: Sequence[Tensor], start: int, alignment: int = 32) -> int:
    """Return the size of a whole file whose values begin at `start`."""
    return start + sum(aligned(tensor.nbytes, alignment) for tensor in tensors)


def write(path: str | os.PathLike[str], metadata: Metadata, tensors: Sequence[Tensor]) -> int:
    """Write a sparse file of any size, and return the bytes of its header."""
    start = header(metadata, tensors)
    with open(path, "wb") as file:
        file.write(start)
        file.truncate(size(tensors, len(start)))
    return len(start)


def written(
    metadata: Metadata,
    tensors: Sequence[Tensor],
    *,
    version: int = 3,
    alignment: int = 32,
    tensor_count: int | None = None,
    key_count: int | None = None,
) -> bytes:
    """Return a whole file."""
    parts = [
        header(metadata, tensors, version=version, alignment=alignment, tensor_count=tensor_count, key_count=key_count)
    ]
    for tensor in tensors:
        content = bytes(tensor.nbytes) if tensor.content is None else tensor.content
        parts.append(content.ljust(aligned(len(content), alignment), b"\0"))
    return b"".join(parts)


def gpt2_metadata(
    *,
    n_layer: int = 2,
    n_embd: int = 8,
    n_positions: int = 16,
    vocab_size: int = 11,
    n_head: int = 2,
    file_type: int = 0,
) -> list[tuple[str, Value]]:
    """Return the metadata that llama.cpp's converter gives a GPT-2, in its order, tokens and merges among it."""
    tokens = [f"t{number}" for number in range(vocab_size)]
    return [
        ("general.architecture", Value(TEXT, "gpt2")),
        ("general.type", Value(TEXT, "model")),
        ("gpt2.block_count", Value(UINT32, n_layer)),
        ("gpt2.context_length", Value(UINT32, n_positions)),
        ("gpt2.embedding_length", Value(UINT32, n_embd)),
        ("gpt2.feed_forward_length", Value(UINT32, 4 * n_embd)),
        ("gpt2.attention.head_count", Value(UINT32, n_head)),
        ("gpt2.attention.layer_norm_epsilon", Value(FLOAT32, 1e-5)),
        ("general.file_type", Value(UINT32, file_type)),
        ("tokenizer.ggml.model", Value(TEXT, "gpt2")),
        ("tokenizer.ggml.tokens", Value(ARRAY, tokens, TEXT)),
        ("tokenizer.ggml.token_type", Value(ARRAY, [1] * vocab_size, INT32)),
        ("tokenizer.ggml.merges", Value(ARRAY, ["t 0", "t 1"], TEXT)),
    ]


def gpt2_tensors(
    *,
    n_layer: int = 2,
    n_embd: int = 8,
    n_positions: int = 16,
    vocab_size: int = 11,
    n_inner: int | None = None,
    dtype: str = "F32",
    position_dtype: str = "F32",
    head: bool = False,
) -> list[Tensor]:
    """Return the tensors that llama.cpp's converter writes of a GPT-2, in its order.

    Args:
        n_layer: number of blocks.
        n_embd: width.
        n_positions: rows of the position embedding.
        vocab_size: rows of the token embedding.
        n_inner: width of the MLP; None is 4 · n_embd.
        dtype: of the matrices; all else is F32.
        position_dtype: of the position embedding, which converters have kept in F32 since 2024.
        head: whether the token embedding is there once more as output.weight, as converters wrote it until 2025.
    """
    d, m = n_embd, 4 * n_embd if n_inner is None else n_inner
    tensors = [Tensor("token_embd.weight", (vocab_size, d), dtype)]
    if head:
        tensors.append(Tensor("output.weight", (vocab_size, d), dtype))
    tensors.append(Tensor("position_embd.weight", (n_positions, d), position_dtype))
    for block in range(n_layer):
        for name, shape in (
            ("attn_norm", (d,)),
            ("attn_qkv", (3 * d, d)),
            ("attn_output", (d, d)),
            ("ffn_norm", (d,)),
            ("ffn_up", (m, d)),
            ("ffn_down", (d, m)),
        ):
            matrix = dtype if len(shape) == 2 else "F32"
            tensors.append(Tensor(f"blk.{block}.{name}.weight", shape, matrix))
            tensors.append(Tensor(f"blk.{block}.{name}.bias", shape[:1]))
    return [*tensors, Tensor("output_norm.weight", (d,)), Tensor("output_norm.bias", (d,))]


def seeds() -> list[bytes]:
    """Return a few small good files: of both versions, quantized, with arrays in arrays, and with other alignments."""
    nested = Value(ARRAY, [Value(ARRAY, [1, 2], UINT8), Value(ARRAY, ["a"], TEXT)], ARRAY)
    every = [(f"k{kind}", Value(kind, 1)) for kind in LAYOUTS]
    small = [Tensor("a", (2, 3)), Tensor("b", (), "F16"), Tensor("c", (2, 2, 32), "Q8_0"), Tensor("d", (0, 4), "I32")]
    return [
        written(gpt2_metadata(n_layer=1, n_embd=4, vocab_size=3), gpt2_tensors(n_layer=1, n_embd=4, vocab_size=3)),
        written([*every, ("nested", nested)], small, version=2),
        written(
            [("general.alignment", Value(UINT32, 8)), ("general.architecture", Value(TEXT, "llama"))],
            small,
            alignment=8,
        ),
        written([], []),
    ]


def aligned(offset: int, alignment: int) -> int:
    """Return the first multiple of the alignment from an offset on."""
    return -(-offset // alignment) * alignment
