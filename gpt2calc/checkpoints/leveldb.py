"""LevelDB's table, in which TensorFlow keeps the index of a checkpoint: bytes to sorted pairs of key and value.

It knows nothing of tensors, and no file. A table is blocks of pairs, each with a checksum, then a block that says where
they are, then a footer. In a block a key is kept as what it shares with the key before, and the rest.

Source: LevelDB, doc/table_format.md; TensorFlow, core/lib/io/format.cc, block.cc and table_builder.cc.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.listing import MOST_NAME_CHARACTERS

if TYPE_CHECKING:
    from collections.abc import Iterator

MAGIC = bytes.fromhex("57fb808b247547db")
FOOTER = 48
TRAILER = 5
"""What follows a block: a byte that says how it is compressed, and a checksum of four."""

MOST_TABLE_BYTES = 512 << 10
"""How many bytes a table may have. The index of GPT-2 XL has 21 thousand, and every byte is summed in Python."""
MOST_ENTRIES = 10_000
"""How many pairs a table may have. That index has 581, and with the slots of an optimizer three times as many."""
MOST_KEY_BYTES = MOST_NAME_CHARACTERS
"""How many bytes a key may have. Keys share beginnings, so that a short block can hold many long ones."""


class MalformedError(Exception):
    """What is wrong with a table, or with a message in it: expected one thing, got another."""


def entries(content: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Give the pairs of a table in the order of their keys.

    Args:
        content: the whole table.

    Raises:
        MalformedError: it is cut off, a checksum is wrong, a block is compressed, a key does not come after the one
            before, or something lies outside of its place.
    """
    if content[-8:] != MAGIC or len(content) < FOOTER:
        raise MalformedError("expected a table of LevelDB, which ends with 57fb808b247547db, got another end")
    end = len(content) - FOOTER
    footer = content[end:]
    metaindex, at = _handle(footer, 0, "the footer")
    index, _ = _handle(footer, at, "the footer")
    table, free, last = crc32c_table(), 0, b""
    # Nothing of it is wanted, but a table that is damaged there is damaged.
    _checked(content, end, metaindex, table)
    count = 0
    for separator, value in _block(_checked(content, end, index, table), "the index of blocks"):
        handle, at = _handle(value, 0, "the index of blocks")
        if at != len(value) or handle[0] < free:
            raise MalformedError(f"expected blocks one after the other, got one from offset {handle[0]:,} on")
        free = sum(handle) + TRAILER
        for key, found in _block(_checked(content, end, handle, table), f"the block at offset {handle[0]:,}"):
            count += 1
            if count > MOST_ENTRIES:
                raise MalformedError(f"expected at most {MOST_ENTRIES:,} keys, got more")
            if not (count == 1 or last < key) or key > separator:
                raise MalformedError(f"expected sorted keys, got {key[:40]!r} out of order")
            yield key, found
            last = key
        last = max(last, separator)


def varint(content: bytes, at: int, what: str) -> tuple[int, int]:
    """Return the number of 7 bits a byte that stands somewhere, and where it ends.

    >>> varint(bytes([0xAC, 0x02]), 0, "an example")
    (300, 2)
    """
    if at < len(content) and content[at] < 0x80:  # as nearly all are
        return content[at], at + 1
    number = 0
    # Ten bytes of 7 bits hold 64; without a bound a number could be as long as the file.
    for shift, byte in enumerate(content[at : at + 10]):
        number |= (byte & 0x7F) << 7 * shift
        if byte < 0x80 and number < 2**64:
            return number, at + shift + 1
    raise MalformedError(
        f"expected a number of at most 64 bits in {what}, got {content[at : at + 10].hex() or 'its end'}"
    )


def crc32c_table() -> list[int]:
    """Return what `crc32c` needs for each byte."""
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            # The polynomial is mirrored, since a byte's lowest bit comes first.
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return table


def crc32c(content: bytes, table: list[int]) -> int:
    """Return the checksum of bytes by Castagnoli's polynomial.

    Source: RFC 3720, appendix B.4, whose first example this is.

    >>> hex(crc32c(bytes(32), crc32c_table()))
    '0x8a9136aa'
    """
    crc = 0xFFFFFFFF
    for byte in content:
        crc = table[(crc ^ byte) & 0xFF] ^ (crc >> 8)
    return crc ^ 0xFFFFFFFF


def _handle(content: bytes, at: int, what: str) -> tuple[tuple[int, int], int]:
    """Return the offset and size of a block, and where they end."""
    offset, at = varint(content, at, what)
    size, at = varint(content, at, what)
    return (offset, size), at


def _checked(content: bytes, end: int, handle: tuple[int, int], table: list[int]) -> bytes:
    """Return the block at a place, if it is there, is not compressed and has the checksum that follows it."""
    offset, size = handle
    if offset + size + TRAILER > end:
        raise MalformedError(
            f"expected a block of {size:,} bytes from offset {offset:,} on, got {end:,} bytes of blocks"
        )
    kind = content[offset + size]
    if kind:
        compressed = "compressed with Snappy, which TensorFlow does not write" if kind == 1 else f"of kind {kind}"
        raise MalformedError(f"expected blocks that are not compressed, got one at offset {offset:,} {compressed}")
    masked = int.from_bytes(content[offset + size + 1 : offset + size + TRAILER], "little")
    rotated = (masked - 0xA282EAD8) & 0xFFFFFFFF
    expected = (rotated >> 17 | rotated << 15) & 0xFFFFFFFF
    found = crc32c(content[offset : offset + size + 1], table)
    if found != expected:
        raise MalformedError(
            f"expected the checksum {expected:08x} of the block at offset {offset:,}, got {found:08x}: it was changed"
        )
    return content[offset : offset + size]


def _block(block: bytes, what: str) -> Iterator[tuple[bytes, bytes]]:
    """Give the pairs of one block, and check that the keys to search from are there and whole."""
    count = int.from_bytes(block[-4:], "little")
    end = len(block) - 4 * (count + 1)
    if len(block) < 4 or not count or end < 0:
        raise MalformedError(
            f"expected at least one place to search from in {what}, got {count:,} in {len(block):,} bytes"
        )
    restarts = {int.from_bytes(block[at : at + 4], "little") for at in range(end, len(block) - 4, 4)}
    at, key = 0, b""
    while at < end:
        whole = at in restarts
        restarts.discard(at)
        shared, at = varint(block, at, what)
        rest, at = varint(block, at, what)
        size, at = varint(block, at, what)
        if shared > len(key) or (whole and shared):
            raise MalformedError(f"expected a key in {what} to share no more than there is, got {shared:,} bytes")
        if shared + rest > MOST_KEY_BYTES:
            raise MalformedError(f"expected names of at most {MOST_KEY_BYTES:,} bytes, got one of {shared + rest:,}")
        if at + rest + size > end:
            raise MalformedError(f"expected a key and a value within {what}, got {rest:,} and {size:,} bytes")
        key = key[:shared] + block[at : at + rest]
        yield key, block[at + rest : at + rest + size]
        at += rest + size
    if restarts - {0}:
        raise MalformedError(f"expected to search from the beginning of keys in {what}, got {min(restarts):,}")
