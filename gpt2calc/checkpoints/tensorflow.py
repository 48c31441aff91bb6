"""TensorFlow's checkpoint, as OpenAI published GPT-2: an index of tensors, and data files with nothing but values.

The index is a table (`leveldb`) from a tensor's name to a message of Protocol Buffers, which says what the tensor is
and where it lies. Both are read by hand, and the data files are not read at all.

Source: TensorFlow, core/util/tensor_bundle/tensor_bundle.cc, core/protobuf/tensor_bundle.proto and
core/framework/types.proto and tensor_shape.proto.
"""

from __future__ import annotations

import os.path
import re
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.checkpoints.leveldb import MOST_TABLE_BYTES, MalformedError, entries, varint
from gpt2calc.errors import UnreadableInputError, shortened, shown
from gpt2calc.listing import BITS, StoredFile, StoredTensor, TensorListing

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gpt2calc.checkpoints.files import ByteFile

DTYPES = {
    1: "F32", 2: "F64", 3: "I32", 4: "U8", 5: "I16", 6: "I8", 9: "I64", 10: "BOOL", 14: "BF16", 17: "U16", 19: "F16",
    22: "U32", 23: "U64", 24: "F8_E5M2", 25: "F8_E4M3",
}  # fmt: skip
"""TensorFlow's number of a dtype: what it is called here. Source: types.proto."""
STRING = 7

VARINT, BYTES, FIXED = 0, 2, {1: 8, 5: 4}
"""The wire types of Protocol Buffers: a number, what has its size before it, and what has a size of its own."""
HEADER = {1: VARINT, 2: VARINT, 3: BYTES}
"""BundleHeaderProto: num_shards, endianness, version."""
VERSION = {1: VARINT, 2: VARINT}
"""VersionDef: producer, min_consumer."""
ENTRY = {1: VARINT, 2: BYTES, 3: VARINT, 4: VARINT, 5: VARINT, 6: 5, 7: BYTES}
"""BundleEntryProto: dtype, shape, shard_id, offset, size, crc32c, slices."""
SHAPE, DIM = {2: BYTES, 3: VARINT}, {1: VARINT, 2: BYTES}
"""TensorShapeProto: dim, unknown_rank; and its Dim: size, name."""

STEPS = re.compile(r"(?:.*/)?(?:global_step|beta[12]_power(?:_\d+)?|loss_scale|good_steps)", re.DOTALL)
"""The single numbers that training keeps beside the model."""

MOST_NAME_PARTS = 16
"""How many parts of a name are looked at for another tensor's. OpenAI's names have at most five."""

MOST_DIMS, MOST_SHARDS = 254, 99_999
"""TensorFlow has no tensor of more dimensions; the name of a data file has five digits for its number."""


class Message(NamedTuple):
    """What was read of a message: its numbers by field, and its texts and messages by field."""

    numbers: dict[int, int]
    parts: dict[int, list[bytes]]

    def number(self, field: int) -> int:
        """Return a number, signed; 0 where it is left out."""
        value = self.numbers.get(field, 0)
        return value - 2**64 if value >= 2**63 else value

    def inner(self, field: int) -> bytes:
        """Return a message within the message; where it is given in parts, they are one."""
        return b"".join(self.parts.get(field, []))


class Entry(NamedTuple):
    """What the index says of one tensor; `dtype` is TensorFlow's number."""

    name: str
    dtype: int
    shape: tuple[int, ...]
    shard: int
    offset: int
    size: int


def read(file: ByteFile, sizes: Mapping[str, int] | None = None) -> TensorListing:
    """Return what a TensorFlow checkpoint holds, by its index.

    Law: a tensor of n elements has n · (bytes of its dtype) bytes, at its offset in its data file.

    Args:
        file: the index, `model.ckpt.index`.
        sizes: the sizes in bytes of the files beside it, by their base names; None where they are not known.

    Returns:
        The tensors in the order of the index, which is that of their names. Texts are left out, with a note.

    Raises:
        UnreadableInputError: the index is malformed, too large, contradicts itself or the sizes, or names what is not
            supported: tensors in slices, values in big-endian order, dtypes that are no numbers.

    Source: TensorFlow, tensor_bundle.cc, BundleReader.
    """
    if file.size > MOST_TABLE_BYTES:
        raise UnreadableInputError(
            file.name,
            f"expected an index of at most {MOST_TABLE_BYTES:,} bytes, got {file.size:,}; the values lie beside it",
        )
    try:
        shards, found = _index(entries(file.read(0, file.size)))
        _refuse_overlaps(found)
    except MalformedError as error:
        raise UnreadableInputError(file.name, str(error)) from None
    prefix = file.name.removesuffix(".index")
    places = {x.shard: f"{prefix}.data-{x.shard:05d}-of-{shards:05d}" for x in sorted(found, key=lambda x: x.shard)}
    files, notes = _data_files(file, places, found, sizes)
    training = _of_training(found)
    stored = tuple(
        StoredTensor(x.name, x.shape, DTYPES[x.dtype], x.size, places[x.shard], x.offset)
        for x in found
        if x.dtype != STRING and x.name not in training
    )
    if training:
        first = shortened(min(training))
        notes.append(f"{len(training):,} of an optimizer and of training's steps, such as {first}, are not listed")
    texts = [x.name for x in found if x.dtype == STRING]
    if texts:
        notes.append(f"{len(texts):,} that hold text are left out, the first is {shortened(texts[0])}")
    files = [StoredFile(file.name, file.size), *files]
    return TensorListing(file.name, "tensorflow", stored, tuple(files), notes=tuple(notes))


def _index(pairs: Iterable[tuple[bytes, bytes]]) -> tuple[int, list[Entry]]:
    """Return the number of data files and what the index says of each tensor."""
    shards, found = 0, []
    for key, value in pairs:
        if not key:
            shards = _shards(value)
        elif not shards:
            break
        else:
            found.append(_entry(key, value, shards))
    if not shards:
        raise MalformedError("expected a header, whose key is empty, as the first of a checkpoint's index, got none")
    return shards, found


def _shards(value: bytes) -> int:
    """Return the number of data files that the header gives."""
    header = _message(value, HEADER, "the header")
    shards, least = header.number(1), _message(header.inner(3), VERSION, "the version").number(2)
    if header.number(2):
        raise MalformedError("expected values in little-endian order, got a checkpoint in big-endian order")
    if least > 1:
        raise MalformedError(f"expected version 1 of the index, got one for readers of version {least:,} or later")
    if not 0 < shards <= MOST_SHARDS:
        raise MalformedError(f"expected 1 to {MOST_SHARDS:,} data files, got {shards:,}")
    return shards


def _entry(key: bytes, value: bytes, shards: int) -> Entry:
    """Return what the index says of one tensor, if it can be."""
    if key[:1] == b"\0":  # the key of a slice: 0, the variable's name, 0, and which slice it is
        raise MalformedError(f"expected whole tensors, got a slice of {shown(key[1:].partition(bytes(1))[0])}")
    try:
        name = key.decode("utf-8")
    except UnicodeDecodeError:
        raise MalformedError(f"expected names in UTF-8, got {shown(key)}") from None
    what = shortened(name)
    entry = _message(value, ENTRY, what)
    if 7 in entry.parts:
        raise MalformedError(f"expected whole tensors, got {what} in {len(entry.parts[7]):,} slices")
    found = Entry(
        name, entry.number(1), _shape(entry.inner(2), what), entry.number(3), entry.number(4), entry.number(5)
    )
    if not 0 <= found.shard < shards or found.offset < 0 or found.size < 0:
        raise MalformedError(
            f"expected a place in one of {shards:,} data files for {what}, "
            f"got offset {found.offset:,} and size {found.size:,} in file {found.shard:,}"
        )
    _check_size(found, what)
    return found


def _check_size(entry: Entry, what: str) -> None:
    """Raise where a tensor has more or fewer bytes than its shape and dtype make; those of a text are not known."""
    if entry.dtype == STRING:
        return
    if entry.dtype not in DTYPES:
        raise MalformedError(f"expected a dtype of real numbers for {what}, got TensorFlow's number {entry.dtype:,}")
    dtype, elements = DTYPES[entry.dtype], prod(entry.shape)
    if elements >= 2**63:
        raise MalformedError(f"expected fewer than 2^63 elements for {what}, got {shown(list(entry.shape))}")
    expected = elements * BITS[dtype] // 8
    if entry.size != expected:
        raise MalformedError(
            f"expected {expected:,} bytes for {what}, {shown(list(entry.shape))} in {dtype}, got {entry.size:,}"
        )


def _shape(content: bytes, what: str) -> tuple[int, ...]:
    """Return the dimensions of a TensorShapeProto, all of which must be known."""
    shape = _message(content, SHAPE, what)
    dims = shape.parts.get(2, [])
    if shape.number(3) or len(dims) > MOST_DIMS:
        raise MalformedError(f"expected a known number of dimensions, at most {MOST_DIMS}, for {what}, got another")
    found = tuple(_message(dim, DIM, what).number(1) for dim in dims)
    if any(size < 0 for size in found):
        raise MalformedError(f"expected known dimensions for {what}, got {shown(list(found))}")
    return found


def _message(content: bytes, wires: Mapping[int, int], what: str) -> Message:
    """Read the fields of a message of Protocol Buffers.

    Fields that are not in `wires` are stepped over, as Protocol Buffers asks of a reader that is older than the writer.
    """
    found = Message({}, {})
    at = 0
    while at < len(content):
        tag, at = varint(content, at, what)
        field, wire = tag >> 3, tag & 7
        if not field or wire not in (VARINT, BYTES, *FIXED):
            raise MalformedError(f"expected a field of a message in {what}, got number {field:,} of wire type {wire}")
        if wires.get(field, wire) != wire:
            raise MalformedError(f"expected wire type {wires[field]} for field {field:,} of {what}, got {wire}")
        if wire == VARINT:
            found.numbers[field], at = varint(content, at, what)
            continue
        size, at = varint(content, at, what) if wire == BYTES else (FIXED[wire], at)
        if at + size > len(content):
            raise MalformedError(f"expected field {field:,} of {what} within its message, got {size:,} bytes")
        if wire == BYTES:
            found.parts.setdefault(field, []).append(content[at : at + size])
        at += size
    return found


def _of_training(found: Sequence[Entry]) -> set[str]:
    """Return the names of what only training needs: an optimizer's slots, its powers of beta, and the step.

    An optimizer calls its slot of a variable by the variable's own name and its own below it, `model/wte/Adam_1`. So
    what lies below another tensor is one.

    Source: TensorFlow, python/training/slot_creator.py; python/training/training_util.py; python/training/adam.py.
    """
    names = {x.name for x in found}
    return {x.name for x in found if _below_another(x.name, names) or (not x.shape and STEPS.fullmatch(x.name))}


def _below_another(name: str, names: set[str]) -> bool:
    parts = name.split("/")
    return any("/".join(parts[:depth]) in names for depth in range(1, min(len(parts), MOST_NAME_PARTS)))


def _refuse_overlaps(found: Sequence[Entry]) -> None:
    """Raise where two tensors have a byte of a data file in common."""
    end: dict[int, int] = {}
    for shard, offset, size, name in sorted((x.shard, x.offset, x.size, x.name) for x in found):
        if offset < end.get(shard, 0):
            raise MalformedError(
                f"expected tensors side by side, got {shortened(name)} from {offset:,} on in data file {shard:,}, "
                f"where another ends at {end[shard]:,}"
            )
        end[shard] = offset + size


def _data_files(
    file: ByteFile, places: Mapping[int, str], found: Sequence[Entry], sizes: Mapping[str, int] | None
) -> tuple[list[StoredFile], list[str]]:
    """Return the data files with their sizes, and notes on them; each must have what the index says."""
    if sizes is None:
        return [], ["the sizes of the data files are not known, so that they may hold less than the index names"]
    files, notes = [], []
    last = {x.shard: x for x in sorted(found, key=lambda x: x.offset + x.size)}
    for shard, path in places.items():
        base = os.path.basename(path)
        if base not in sizes:
            raise UnreadableInputError(file.name, f"expected {shortened(base)} beside it, which is not there")
        tensor, size = last[shard], sizes[base]
        extra = size - tensor.offset - tensor.size
        if extra < 0:
            raise UnreadableInputError(
                path,
                f"expected {tensor.size:,} bytes of {shortened(tensor.name)} from offset {tensor.offset:,} on, "
                f"got a file of {size:,} bytes",
            )
        if extra:
            notes.append(f"{extra:,} bytes after the last tensor of {shortened(base)} belong to none")
        files.append(StoredFile(path, size))
    return files, notes
