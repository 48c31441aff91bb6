"""Writes the index of a TensorFlow checkpoint byte by byte, as TensorFlow does. It knows no reader.

From the bottom up: messages of Protocol Buffers, blocks of pairs, a table of blocks, an index of tensors. Each step
takes any bytes from the one before, so that a fault can be planted in each.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

DTYPES = {"F32": (1, 4), "F64": (2, 8), "I32": (3, 4), "STRING": (7, 1), "I64": (9, 8), "BF16": (14, 2), "F16": (19, 2)}
"""The dtypes that are written here: TensorFlow's number, and the bytes of an element."""

MAGIC = 0xDB4775248B80FB57
FOOTER = 48


class Tensor(NamedTuple):
    """A tensor to write.

    `content` is its bytes, zeros where it is None. `number`, `size`, `offset` and `shard` stand in the index in the
    place of the true ones, where they are given.
    """

    name: str | bytes
    shape: tuple[int, ...]
    dtype: str = "F32"
    content: bytes | None = None
    number: int | None = None
    size: int | None = None
    offset: int | None = None
    shard: int = 0

    @property
    def nbytes(self) -> int:
        """How many bytes its values take."""
        return len(self.content) if self.content is not None else prod(self.shape) * DTYPES[self.dtype][1]


def varint(number: int) -> bytes:
    """Return a number with 7 bits a byte; a negative one has ten bytes."""
    number %= 2**64
    parts = bytearray()
    while number >= 0x80:
        parts.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes((*parts, number))


def field(number: int, value: int | bytes) -> bytes:
    """Return one field of a message: a number, or what has its size before it."""
    if isinstance(value, int):
        return varint(number << 3) + varint(value)
    return varint(number << 3 | 2) + varint(len(value)) + value


def fixed32(number: int, value: int) -> bytes:
    """Return one field of a message that has four bytes."""
    return varint(number << 3 | 5) + value.to_bytes(4, "little")


def header(*, shards: int = 1, big_endian: bool = False, least: int = 0) -> bytes:
    """Return the message that the empty key holds: zeros are left out."""
    version = field(1, 1) + (field(2, least) if least else b"")
    return field(1, shards) + (field(2, 1) if big_endian else b"") + field(3, version)


def entry(tensor: Tensor, offset: int) -> bytes:
    """Return the message of a tensor: zeros are left out; the checksum of values that are not given is 0."""
    dims = b"".join(field(2, field(1, size) if size else b"") for size in tensor.shape)
    places = {
        3: tensor.shard,
        4: offset if tensor.offset is None else tensor.offset,
        5: tensor.nbytes if tensor.size is None else tensor.size,
    }
    number = DTYPES[tensor.dtype][0] if tensor.number is None else tensor.number
    checksum = 0 if tensor.content is None else masked(crc32c(tensor.content))
    return (
        field(1, number)
        + field(2, dims)
        + b"".join(field(which, value) for which, value in places.items() if value)
        + fixed32(6, checksum)
    )


def _remainder(byte: int) -> int:
    for _ in range(8):
        byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
    return byte


REMAINDERS = [_remainder(byte) for byte in range(256)]


def crc32c(content: bytes) -> int:
    """Return the checksum of bytes."""
    crc = 0xFFFFFFFF
    for byte in content:
        crc = crc >> 8 ^ REMAINDERS[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


def masked(crc: int) -> int:
    """Return a checksum as it is stored."""
    return ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32


def block(pairs: Iterable[tuple[bytes, bytes]], interval: int = 16, restarts: Sequence[int] | None = None) -> bytes:
    """Return a block: each key without what it shares with the one before, but for every so many."""
    content, last = bytearray(), b""
    found = [0]
    for number, (key, value) in enumerate(pairs):
        shared = 0
        if number % interval:
            shared = next(
                (at for at, pair in enumerate(zip(last, key, strict=False)) if pair[0] != pair[1]),
                min(len(last), len(key)),
            )
        elif number:
            found.append(len(content))
        content += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        last = key
    for place in (*(found if restarts is None else restarts), len(found if restarts is None else restarts)):
        content += place.to_bytes(4, "little")
    return bytes(content)


def stored(content: bytes, kind: int = 0) -> bytes:
    """Return a block with its kind and its checksum behind it."""
    whole = content + bytes((kind,))
    return whole + masked(crc32c(whole)).to_bytes(4, "little")


def framed(blocks: Sequence[tuple[bytes, bytes]]) -> bytes:
    """Return a table of stored blocks, each given with the key that separates it from the next."""
    content, places = b"", []
    for separator, part in blocks:
        places.append((separator, varint(len(content)) + varint(len(part) - 5)))
        content += part
    return ended(content, block(places, 1))


def ended(content: bytes, places: bytes) -> bytes:
    """Return a table of stored blocks, given as one, and the block that says where they are."""
    parts = stored(block([])), stored(places)
    metaindex = varint(len(content)) + varint(len(parts[0]) - 5)
    index = varint(len(content) + len(parts[0])) + varint(len(parts[1]) - 5)
    return content + b"".join(parts) + (metaindex + index).ljust(40, b"\0") + MAGIC.to_bytes(8, "little")


def table(pairs: Sequence[tuple[bytes, bytes]], most: int = 10_000) -> bytes:
    """Return a table, with so many pairs to a block at most; TensorFlow begins a new one after 256 KiB."""
    parts = [pairs[start : start + most] for start in range(0, len(pairs), most)]
    blocks = []
    for number, part in enumerate(parts):
        after = parts[number + 1][0][0] if number + 1 < len(parts) else None
        blocks.append((separator(part[-1][0], after), stored(block(part))))
    return framed(blocks)


def separator(last: bytes, after: bytes | None) -> bytes:
    """Return a short key that comes after one block's last key, or is it, and before the next block's first."""
    for at, byte in enumerate(last):
        if after is None and byte < 0xFF:
            return last[:at] + bytes((byte + 1,))
        if after is not None and byte != after[at]:
            return last[:at] + bytes((byte + 1,)) if byte + 1 < after[at] else last
    return last


def placed(tensors: Iterable[Tensor]) -> list[tuple[Tensor, int]]:
    """Return the tensors in the order of their names, each with its offset in its data file."""
    ends: dict[int, int] = {}
    found = []
    for tensor in sorted(tensors, key=name_of):
        offset = ends.get(tensor.shard, 0)
        found.append((tensor, offset))
        ends[tensor.shard] = offset + tensor.nbytes
    return found


def name_of(tensor: Tensor) -> bytes:
    """Return the key of a tensor."""
    return tensor.name if isinstance(tensor.name, bytes) else tensor.name.encode()


def index(tensors: Iterable[Tensor], first: bytes | None = None, most: int = 10_000) -> bytes:
    """Return the index of a checkpoint; `first` is the message of the empty key, in the place of a good one."""
    entries = [(name_of(tensor), entry(tensor, offset)) for tensor, offset in placed(tensors)]
    return table([(b"", header() if first is None else first), *entries], most)


def write(prefix: str, tensors: Sequence[Tensor]) -> int:
    """Write index and data file, the latter sparse where no content is given; return the size of the index."""
    content = index(tensors)
    with open(prefix + ".index", "wb") as file:
        file.write(content)
    with open(prefix + ".data-00000-of-00001", "wb") as file:
        for tensor, offset in placed(tensors):
            file.seek(offset)
            file.write(tensor.content or b"")
            file.truncate(offset + tensor.nbytes)
    return len(content)


def gpt2(*, n_layer: int = 2, n_embd: int = 8, n_positions: int = 16, vocab_size: int = 11) -> list[Tensor]:
    """Return the tensors of a GPT-2 by OpenAI's names; matrices are convolutions of width 1.

    Source: openai/gpt-2, src/model.py.
    """
    d = n_embd
    tensors = [Tensor("model/wpe", (n_positions, d)), Tensor("model/wte", (vocab_size, d))]
    for n in range(n_layer):
        for name in ("ln_1", "ln_2"):
            tensors += [Tensor(f"model/h{n}/{name}/{part}", (d,)) for part in "gb"]
        for name, rows, columns in (
            ("attn/c_attn", d, 3 * d),
            ("attn/c_proj", d, d),
            ("mlp/c_fc", d, 4 * d),
            ("mlp/c_proj", 4 * d, d),
        ):
            tensors += [
                Tensor(f"model/h{n}/{name}/w", (1, rows, columns)),
                Tensor(f"model/h{n}/{name}/b", (columns,)),
            ]
    return [*tensors, Tensor("model/ln_f/g", (d,)), Tensor("model/ln_f/b", (d,))]


def seeds() -> list[bytes]:
    """Return small good indexes: of a model, in several blocks, over two data files, with texts, and of nothing."""
    some = [
        Tensor("a", ()),
        Tensor("a/b", (0, 3), "F64"),
        Tensor("step", (), "I64"),
        Tensor("text", (2,), "STRING", b"\1\1xxxxab"),
        Tensor("w", (2, 3), "BF16", shard=1),
    ]
    return [
        index(gpt2(n_layer=1)),
        index(gpt2(n_layer=1), most=5),
        index(some, header(shards=2), most=2),
        index([]),
    ]
