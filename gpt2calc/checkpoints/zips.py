"""Zip archives as PyTorch writes them: from the end of the file to entries that are stored as they are.

It must not know what an entry holds. It is stricter than a zip may be, since a reader of zips that takes what can be
taken is a reader that two programs can be made to disagree on: nothing stands before the first entry or behind the
directory, no entry is compressed, encrypted or overlaps another, and no name leads out of a folder.

Where the bytes of an entry begin is said only in front of them, in its local header. On the hub each look there costs a
request. So where the directory leaves just one place that fits PyTorch's way of writing, that place is taken:
`data_offset` says how.

Source: APPNOTE.TXT, the .ZIP file format specification, 6.3.10, sections 4.3 to 4.5; PyTorch 2.13,
caffe2/serialize/inline_container.cc, and its copy of miniz.
"""

from __future__ import annotations

from struct import unpack, unpack_from
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.errors import UnreadableInputError, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpt2calc.checkpoints.files import ByteFile

END, LOCATOR, END_64, ENTRY, LOCAL = b"PK\5\6", b"PK\6\7", b"PK\6\6", b"PK\1\2", b"PK\3\4"
"""The signatures of the records."""

END_SIZE, LOCATOR_SIZE, END_64_SIZE, ENTRY_SIZE, LOCAL_SIZE = 22, 20, 56, 46, 30
"""How long the records are, without what varies."""

FULL_16, FULL_32 = 2**16 - 1, 2**32 - 1
"""What a field holds whose number is in a longer field elsewhere."""

ENCRYPTED, SIZES_FOLLOW = 1, 8
"""Bits of an entry's flags."""

MOST_ENTRIES, MOST_DIRECTORY_BYTES = 250_000, 32 << 20
"""Each storage is an entry. It is a quarter of what a header may list, since a pickle can make more of each."""

ALIGNMENT = 64
"""PyTorch pads an entry's local header so that its data begins at a multiple of this."""


class Entry(NamedTuple):
    """One file of an archive.

    Args:
        name: its path in the archive.
        header: where its local header begins.
        size: how many bytes its data has.
        crc: the checksum of its data.
        flags: the general purpose bits.
        method: how it is compressed; 0 is not at all.
        packed: how many bytes its data has as it is compressed.
        end: where the next entry's local header begins, or the directory.
    """

    name: str
    header: int
    size: int
    crc: int
    flags: int
    method: int
    packed: int
    end: int

    @property
    def gap(self) -> int:
        """How many bytes up to `end` are neither the fixed part of the header, nor the name, nor the data."""
        return self.end - self.header - LOCAL_SIZE - len(self.name.encode()) - self.packed


def tail(file: ByteFile) -> bytes:
    """Return what a zip archive ends with, at most 98 bytes."""
    count = min(file.size, END_64_SIZE + LOCATOR_SIZE + END_SIZE)
    return file.read(file.size - count, count)


def is_zip(end: bytes) -> bool:
    """Return whether a file that ends with these bytes ends as a zip archive does.

    >>> is_zip(b"PK" + bytes([5, 6]) + bytes(18))
    True
    """
    return end[-END_SIZE:][:4] == END


def directory(file: ByteFile, end: bytes) -> tuple[Entry, ...]:
    """Return the entries of an archive, in the order of its directory, which is read.

    Args:
        file: the archive.
        end: what it ends with, as `tail` gives it.

    Raises:
        UnreadableInputError: it is no archive, or one that PyTorch does not write.
    """
    count, size, offset = _end(file, end)
    content = file.read(offset, size)
    found, at = [], 0
    for _ in range(count):
        entry, at = _entry(file, content, at)
        found.append(entry)
    # What is left over would be more entries to a reader that goes by the size and not by the number.
    if at != size:
        raise UnreadableInputError(file.name, f"expected {count:,} entries in the zip's directory, got more")
    return _bounded(file, found, offset)


def require_stored(file: ByteFile, entries: Sequence[Entry]) -> None:
    """Raise where an entry is not stored as it is.

    Raises:
        UnreadableInputError: it is compressed, or encrypted, or has two sizes.
    """
    for entry in entries:
        if entry.method != 0 or entry.packed != entry.size or entry.flags & ENCRYPTED:
            how = "encrypted" if entry.flags & ENCRYPTED else "compressed"
            raise UnreadableInputError(
                file.name,
                f"expected a zip of files stored as they are, as PyTorch writes, got {shown(entry.name)} {how}",
            )


def contents(file: ByteFile, entries: Sequence[Entry]) -> list[bytes]:
    """Return the data of entries, by one read where they lie close together.

    Raises:
        UnreadableInputError: a local header says something else than the directory, or a checksum is wrong.
    """
    from zlib import crc32  # other formats do without

    start, end = min(entry.header for entry in entries), max(entry.end for entry in entries)
    # On the hub each read is a request: one is better than two as long as half of what it brings may be wanted.
    together = file.read(start, end - start) if end - start <= 2 * sum(map(_longest, entries)) else None
    found = []
    for entry in entries:
        begin = entry.header - start
        part = file.read(entry.header, _longest(entry)) if together is None else together[begin:]
        skip = _local_header(file, entry, part)
        data = part[skip : skip + entry.size]
        # PyTorch writes a checksum of 0 where it was told to compute none.
        if entry.crc and crc32(data) != entry.crc:
            raise UnreadableInputError(
                file.name, f"expected {shown(entry.name)} with the checksum {entry.crc:#010x}, got {crc32(data):#010x}"
            )
        found.append(data)
    return found


def data_offset(file: ByteFile, entry: Entry, *, near: bool) -> int:
    """Return where the data of an entry begins.

    Law: PyTorch pads the local header with the least number of bytes that lets the data begin at a multiple of 64, and
    writes the sizes behind the data, where there is any. Where these bytes are exactly those up to the next entry, this
    gives the place. Otherwise the local header is read, as it is in any case for a file that is near. So of a file that
    is far, the header of each entry that PyTorch wrote is left unread, and one that was made to deceive, by a header
    that is longer by what it lacks at its end, can shift the place by a few bytes: what it cannot change is a size.

    Args:
        file: the archive.
        entry: one that is stored as it is.
        near: whether a read costs little.

    Raises:
        UnreadableInputError: the local header says something else than the directory.
    """
    if not near:
        extra, behind = _pytorch_extra(entry)
        if extra + behind == entry.gap:
            return entry.header + LOCAL_SIZE + len(entry.name.encode()) + extra
    count = LOCAL_SIZE + len(entry.name.encode())
    return entry.header + _local_header(file, entry, file.read(entry.header, count))


def _pytorch_extra(entry: Entry) -> tuple[int, int]:
    """Return the length of the extra field that PyTorch writes in front of the data, and of what it writes behind."""
    long_size, far = entry.size >= FULL_32, entry.header >= FULL_32
    # The padding is an extra field, whose identifier and length take 4 bytes, behind that of ZIP64, where there is one:
    # 4 bytes, two sizes of 8, and an offset of 8. Behind the data are a signature, a checksum, and two sizes of 4 or 8.
    extra = 4 + (4 if long_size or far else 0) + (16 if long_size else 0) + (8 if far else 0)
    begin = entry.header + LOCAL_SIZE + len(entry.name.encode()) + extra
    behind = (24 if long_size or far else 16) if entry.flags & SIZES_FOLLOW else 0
    # -n % m is how far the next multiple of m is from n, and 0 where n is one.
    return extra + -begin % ALIGNMENT, behind


def _longest(entry: Entry) -> int:
    """Return how many bytes an entry can take with its local header, and no more than up to the next."""
    # The length of the extra field is known only once the header is read; its field has 16 bits.
    return min(entry.end - entry.header, LOCAL_SIZE + len(entry.name.encode()) + FULL_16 + entry.size)


def _local_header(file: ByteFile, entry: Entry, content: bytes) -> int:
    """Return how long the local header is, once it is checked against the directory.

    Its bytes are there, since `gap` is not negative.
    """
    name = entry.name.encode()
    signature, flags, method, crc, packed, size, name_size, extra = unpack_from("<4s2xHH4xIIIHH", content)
    # With the sizes behind the data, the header has zeros; with long sizes, it says that they are elsewhere.
    known = {0, FULL_32} if entry.flags & SIZES_FOLLOW else {FULL_32}
    if (
        signature != LOCAL
        or (flags, method, name_size) != (entry.flags, entry.method, len(name))
        or content[LOCAL_SIZE : LOCAL_SIZE + name_size] != name
        or (size not in known and size != entry.size)
        or (packed not in known and packed != entry.packed)
        or (crc not in known and crc != entry.crc)
        or extra > entry.gap
    ):
        raise UnreadableInputError(
            file.name,
            f"expected in front of {shown(entry.name)} what the zip's directory says of it, got something else",
        )
    return LOCAL_SIZE + len(name) + int(extra)


def _end(file: ByteFile, tail: bytes) -> tuple[int, int, int]:
    """Return the number of entries, the directory's size, and where it begins."""
    if not is_zip(tail):
        raise UnreadableInputError(file.name, "expected a zip archive that ends with its directory, got another end")
    disk, first, here, entries, size, offset, comment = unpack("<4H2IH", tail[4 - END_SIZE :])
    start = file.size - END_SIZE
    if tail[-END_SIZE - LOCATOR_SIZE :][:4] == LOCATOR:
        found = _end_64(file, tail)
        short = ((here, FULL_16), (entries, FULL_16), (size, FULL_32), (offset, FULL_32))
        long = (found[0], *found)
        # A short field is full or has the number itself: with another one, readers of either end would disagree.
        if any(got not in (full, wanted) for (got, full), wanted in zip(short, long, strict=True)):
            raise UnreadableInputError(file.name, "expected the two ends of the zip's directory to agree, got others")
        entries, size, offset = found
        start -= LOCATOR_SIZE + END_64_SIZE
    elif here != entries:
        raise UnreadableInputError(file.name, f"expected a zip of one part, got {here:,} of {entries:,} entries")
    # A comment could hold a second end of the directory, which another reader would find first.
    if disk or first or comment or offset + size != start:
        raise UnreadableInputError(
            file.name, f"expected the zip's directory to end at byte {start:,}, got one that ends at {offset + size:,}"
        )
    # Before the directory is read, since its size is what its author says.
    if entries > MOST_ENTRIES or size > MOST_DIRECTORY_BYTES or entries * ENTRY_SIZE > size:
        most = f"{MOST_ENTRIES:,} entries in a directory of at most {MOST_DIRECTORY_BYTES:,} bytes"
        raise UnreadableInputError(file.name, f"expected at most {most}, got {entries:,} in {size:,}")
    return entries, size, offset


def _end_64(file: ByteFile, tail: bytes) -> tuple[int, int, int]:
    """Return what the end of the directory says in longer fields."""
    disk, offset, disks = unpack_from("<IQI", tail, len(tail) - END_SIZE - LOCATOR_SIZE + 4)
    if disk or disks > 1 or len(tail) < END_64_SIZE + LOCATOR_SIZE + END_SIZE or offset != file.size - len(tail):
        raise UnreadableInputError(file.name, f"expected the long end of the zip's directory in front, got {offset:,}")
    signature, length, disk, first, here, entries, size, offset = unpack_from("<4sQ4xIIQQQQ", tail)
    if signature != END_64 or length != END_64_SIZE - 12 or disk or first or here != entries:
        raise UnreadableInputError(file.name, "expected the long end of the zip's directory, got something else")
    return entries, size, offset


def _entry(file: ByteFile, content: bytes, at: int) -> tuple[Entry, int]:
    """Return an entry of the directory, and the place behind it; `end` is not known yet."""
    if at + ENTRY_SIZE > len(content):
        raise UnreadableInputError(file.name, "expected more entries in the zip's directory, got its end")
    signature, flags, method, crc, packed, size, name_size, extra, comment, disk, header = unpack_from(
        "<4s4xHH4xIIIHHHH6xI", content, at
    )
    middle = at + ENTRY_SIZE + name_size
    end = middle + extra + comment
    if signature != ENTRY or end > len(content) or disk:
        raise UnreadableInputError(file.name, f"expected an entry at byte {at:,} of the zip's directory, got none")
    if FULL_32 in (packed, size, header):
        size, packed, header = _long_numbers(file, content[middle : middle + extra], (size, packed, header))
    name = _name(file, content[at + ENTRY_SIZE : middle])
    return Entry(name, header, size, crc, flags, method, packed, 0), end


def _long_numbers(file: ByteFile, extra: bytes, numbers: tuple[int, int, int]) -> tuple[int, int, int]:
    """Return the numbers with those that are full taken from the extra field for long ones."""
    at = 0
    while at + 4 <= len(extra):
        kind, count = unpack_from("<HH", extra, at)
        # It holds only the numbers whose short fields are full, in this order.
        if kind == 1 and at + 4 + count <= len(extra) and count >= 8 * numbers.count(FULL_32):
            longer = iter(unpack_from(f"<{numbers.count(FULL_32)}Q", extra, at + 4))
            first, second, third = (next(longer) if number == FULL_32 else number for number in numbers)
            return first, second, third
        at += 4 + count
    raise UnreadableInputError(file.name, "expected long sizes in the zip's directory, got none")


def _name(file: ByteFile, found: bytes) -> str:
    try:
        name = found.decode("utf-8")
    except UnicodeDecodeError:
        raise UnreadableInputError(file.name, f"expected names in UTF-8 in the zip, got {shown(found)}") from None
    # A backslash separates folders on Windows, and to C a name ends at a NUL.
    if not name or name[0] == "/" or "\\" in name or "\0" in name or ".." in name.split("/"):
        raise UnreadableInputError(file.name, f"expected names in the zip that stay in their folder, got {shown(name)}")
    return name


def _bounded(file: ByteFile, entries: list[Entry], end: int) -> tuple[Entry, ...]:
    """Return the entries, each with its end, once it is clear that they do not overlap."""
    found: dict[str, Entry] = {}
    # From the last to the first, since an entry ends where the next begins. Two at one offset have a gap below 0.
    for entry in sorted(entries, key=lambda entry: -entry.header):
        if entry.name in found:
            raise UnreadableInputError(file.name, f"expected one entry of each name, got two of {shown(entry.name)}")
        found[entry.name] = bounded = Entry(*entry[:-1], end)
        if bounded.gap < 0:
            raise UnreadableInputError(
                file.name, f"expected {shown(entry.name)} to end before byte {end:,}, got {entry.packed:,} bytes"
            )
        end = entry.header
    if end:
        problem = f"expected the first entry of the zip at its beginning, got it at {end:,}"
        raise UnreadableInputError(file.name, problem)
    return tuple(found[entry.name] for entry in entries)
