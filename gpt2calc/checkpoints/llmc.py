"""llm.c's checkpoint: 256 numbers, then 16 arrays, each with one kind of tensor of all blocks.

It knows the order of the arrays, and leaves what they mean to the dialects.

Source: karpathy/llm.c, train_gpt2.py, write_model; train_gpt2.cu, gpt2_build_from_checkpoint.
"""

from __future__ import annotations

from math import prod
from struct import unpack
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.errors import UnreadableInputError
from gpt2calc.listing import BITS, StoredFile, StoredTensor, TensorListing

if TYPE_CHECKING:
    from gpt2calc.checkpoints.files import ByteFile

HEADER = 256 * 4
MAGIC = 20240326

OTHERS = {
    20240327: "what a step computes, to debug with",
    20240328: "a tokenizer",
    20240520: "tokens to train on",
    20240522: "questions to evaluate with",
    20240527: "the state of the optimizer",
    20240801: "tokens of Llama 3 to train on",
    20240803: "a Llama 3",
}
"""The other files of llm.c, by the number that they begin with, and what they hold."""

VERSIONS = {1: "F32", 3: "F32", 5: "BF16"}
"""The versions that are read. Version 1 has no padding; version 2, soon given up, had the LayerNorms at the end."""
FIRST = 1


class Sizes(NamedTuple):
    """The numbers of a header, by llm.c's names: positions, vocabulary, layers, heads, channels, padded vocabulary."""

    maxT: int  # noqa: N815 - llm.c's name
    V: int
    L: int
    NH: int
    C: int
    Vp: int


def read(file: ByteFile) -> TensorListing:
    """Return what a checkpoint of llm.c holds, by its header.

    Law: the file has 1024 bytes of header and L(12C² + 13C) + C(Vp + maxT + 2) elements, and nothing else.

    Args:
        file: a whole file, of which 1024 bytes are read.

    Returns:
        The 16 arrays by llm.c's names, those of the blocks with a first dimension of L, and the config as fields.

    Raises:
        UnreadableInputError: it is another file of llm.c's, of a version that is not read, or is not as large as its
            header makes it.

    Source: karpathy/llm.c, train_gpt2.py, write_tensors.
    """
    version, sizes = _header(file)
    dtype = VERSIONS[version]
    tensors, end = [], HEADER
    for name, shape in _arrays(sizes):
        nbytes = prod(shape) * BITS[dtype] // 8
        tensors.append(StoredTensor(name, shape, dtype, nbytes, file.name, end))
        end += nbytes
    if file.size != end:
        raise UnreadableInputError(
            file.name, f"expected {end:,} bytes by its header, {_shown(sizes)}, got {file.size:,} bytes"
        )
    fields = {"n_positions": sizes.maxT, "vocab_size": sizes.V, "n_layer": sizes.L, "n_head": sizes.NH}
    padding = f"wte has {sizes.Vp:,} rows: the vocabulary of {sizes.V:,} is padded with {sizes.Vp - sizes.V:,}"
    return TensorListing(
        file.name,
        "llm.c",
        tuple(tensors),
        (StoredFile(file.name, file.size),),
        {**fields, "n_embd": sizes.C},
        notes=(padding,) if sizes.Vp > sizes.V else (),
    )


def _header(file: ByteFile) -> tuple[int, Sizes]:
    """Return the version and the sizes, if they can be those of a model."""
    if file.size < HEADER:
        raise UnreadableInputError(file.name, f"expected a header of {HEADER:,} bytes, got {file.size:,}")
    magic, version, *numbers = unpack("<8i", file.read(0, 32))
    if magic != MAGIC:
        got = OTHERS.get(magic)
        raise UnreadableInputError(
            file.name,
            f"expected a model of llm.c, which begins with {MAGIC}, got {f'{got} ({magic})' if got else magic}",
        )
    if version not in VERSIONS:
        raise UnreadableInputError(
            file.name,
            f"expected version 1, 3 or 5 of llm.c's checkpoint, got {version}; train_gpt2.py of today writes 3 and 5",
        )
    sizes = Sizes(*numbers)
    if version == FIRST:
        sizes = sizes._replace(Vp=sizes.V)
    if min(sizes) < 1 or sizes.Vp < sizes.V or sizes.C % sizes.NH:
        raise UnreadableInputError(
            file.name, f"expected sizes from 1 up, Vp no less than V, and C a multiple of NH, got {_shown(sizes)}"
        )
    return version, sizes


def _arrays(x: Sizes) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the arrays in the order of the file, with their shapes."""
    L, C = x.L, x.C
    return (
        ("wte", (x.Vp, C)),
        ("wpe", (x.maxT, C)),
        ("ln1w", (L, C)),
        ("ln1b", (L, C)),
        ("qkvw", (L, 3 * C, C)),
        ("qkvb", (L, 3 * C)),
        ("attprojw", (L, C, C)),
        ("attprojb", (L, C)),
        ("ln2w", (L, C)),
        ("ln2b", (L, C)),
        ("fcw", (L, 4 * C, C)),
        ("fcb", (L, 4 * C)),
        ("fcprojw", (L, C, 4 * C)),
        ("fcprojb", (L, C)),
        ("lnfw", (C,)),
        ("lnfb", (C,)),
    )


def _shown(sizes: Sizes) -> str:
    return ", ".join(f"{name}={value}" for name, value in sizes._asdict().items())
