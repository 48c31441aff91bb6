"""Zips are read as PyTorch writes them: each entry where zipfile finds it, and none that could be read in two ways."""

from __future__ import annotations

import io
import struct
import sys
import zipfile
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt2calc.checkpoints import torch_files, zips
from gpt2calc.checkpoints.files import LocalFile, MemoryFile
from gpt2calc.errors import UnreadableInputError
from tests.makers import torch_files as make
from tests.makers.torch_pickles import Ordered, Pickler, View
from tests.test_pickles import BOMBS as PICKLES
from tests.test_pickles import refused

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gpt2calc.checkpoints.zips import Entry

STATE = Ordered({"wte": View("F32", (3, 2), "0")})
GOOD = make.archive(make.records(STATE)).content()
FILES = [name for name, _ in make.records(STATE)]


END = -22
LONG_END = -98
SIZES = struct.unpack_from("<QQQQ", GOOD, len(GOOD) + LONG_END + 24)
COUNT, SIZE, START = SIZES[0], SIZES[2], SIZES[3]


def entries(content: bytes) -> tuple[Entry, ...]:
    """Return what the directory says."""
    file = MemoryFile("x.pt", content)
    return zips.directory(file, zips.tail(file))


def problem(content: bytes) -> str:
    """Return why a file that torch.save could have written, and did not, is refused."""
    with pytest.raises(UnreadableInputError) as caught:
        torch_files.read(MemoryFile("x.pt", content))
    assert caught.value.path == "x.pt"
    assert len(str(caught.value)) < 300
    return caught.value.problem


def begin(content: bytes, header: int) -> int:
    """Return where the data behind a local header begins, as the header says."""
    name, extra = struct.unpack_from("<HH", content, header + 26)
    return int(header + 30 + name + extra)


def entry_at(name: str, content: bytes = GOOD) -> int:
    """Return where an entry stands in the directory."""
    start = content.index(b"PK\1\2")
    return content.index(f"archive/{name}".encode(), start) - 46


def local_at(name: str, content: bytes = GOOD) -> int:
    """Return where the local header of an entry stands."""
    return content.index(f"archive/{name}".encode()) - 30


# Good ones


@given(
    st.lists(
        st.tuples(st.text("abc/é", min_size=1, max_size=99), st.integers(0, 300)), max_size=9, unique_by=lambda x: x[0]
    )
)
def test_entries_lie_where_zipfile_finds_them(records: list[tuple[str, int]]) -> None:
    """With their sizes and checksums; and where the data begins is seen without a look at the header."""
    records = [(name, size) for name, size in records if "//" not in name]
    content = make.archive(records).content()
    with zipfile.ZipFile(io.BytesIO(content)) as file:
        expected = [(each.filename, each.header_offset, each.file_size, each.CRC) for each in file.infolist()]
        assert file.testzip() is None
    found = entries(content)
    assert [(each.name, each.header, each.size, each.crc) for each in found] == expected
    for entry in found:
        for near in (True, False):
            far = Unread("x", content)
            assert zips.data_offset(far, entry, near=near) == begin(content, entry.header)
            assert far.reads == near


class Unread(MemoryFile):
    """A file that counts how often it is read."""

    def __init__(self, name: str, content: bytes) -> None:
        super().__init__(name, content)
        self.reads = 0

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset` on."""
        self.reads += 1
        return super().read(offset, count)


class Unreadable:
    """A far file that must not be read, since the directory says enough."""

    def __init__(self, file: LocalFile) -> None:
        self.name, self.size = file.name, file.size

    def read(self, offset: int, count: int) -> bytes:
        """Fail."""
        raise AssertionError(offset, count)


LARGE = 2**32 - 1
PLACES = {
    "a size of 2^32 - 3": [LARGE - 2, 5],
    "a size of 2^32 - 2": [LARGE - 1, 5],
    "a size of 2^32 - 1": [LARGE, 5],
    "a size of 2^32": [LARGE + 1, 5],
    "a size of 2^32, then nothing": [LARGE + 1, 0],
    "small ones beyond 4 GiB": [LARGE - 100, 7, 0, 300],
    "large ones beyond 4 GiB": [2**33, 2**32 + 7, 0],
}


@pytest.mark.parametrize("case", PLACES)
def test_sizes_and_places_beyond_four_gigabytes(case: str, tmp_path: Path) -> None:
    """They stand in longer fields, from the number on that says so; files with holes, laid out as torch does."""
    sparse = make.archive([(f"data/{n}", size) for n, size in enumerate(PLACES[case])], checksums=False)
    path = tmp_path / "large.pt"
    sparse.write(path)
    with LocalFile(str(path)) as file, zipfile.ZipFile(path) as expected:
        found = zips.directory(file, zips.tail(file))
        assert [(each.name, each.header, each.size) for each in found] == [
            (each.filename, each.header_offset, each.file_size) for each in expected.infolist()
        ]
        zips.require_stored(file, found)
        for entry in found:
            offsets = {zips.data_offset(each, entry, near=each is file) for each in (file, Unreadable(file))}
            assert offsets == {begin(file.read(entry.header, 30).rjust(30), 0) + entry.header}
            assert min(offsets) % 64 == 0


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_header_where_four_bytes_end(more: int, tmp_path: Path) -> None:
    """An entry that begins a byte before its place needs a longer field, there, and a byte behind."""
    first = make.archive([("a", 1000)], checksums=False)
    behind = first.parts[-1][0] - 1000
    sparse = make.archive([("a", LARGE - behind + more), ("b", 3)], checksums=False)
    sparse.write(tmp_path / "x")
    with LocalFile(str(tmp_path / "x")) as file:
        found = zips.directory(file, zips.tail(file))
        assert found[1].header == LARGE + more
        for entry in found:
            far = zips.data_offset(Unreadable(file), entry, near=False)
            assert far == zips.data_offset(file, entry, near=True)


def test_zips_of_zipfile_are_read_where_nothing_is_compressed() -> None:
    """With one short end, no padding, and nothing behind the data."""
    content = make.by_zipfile(STATE)
    found = torch_files.read(MemoryFile("x.pt", content))
    assert [tensor.name for tensor in found.tensors] == ["wte"]
    assert found.tensors[0].offset == begin(
        content, next(each.header for each in entries(content) if each.name.endswith("data/0"))
    )


def test_a_zip_ends_with_its_directory() -> None:
    """That tells it from a legacy file."""
    assert zips.is_zip(zips.tail(MemoryFile("x", GOOD)))
    assert not zips.is_zip(zips.tail(MemoryFile("x", GOOD[:-1])))
    assert not zips.is_zip(zips.tail(MemoryFile("x", b"")))
    with pytest.raises(UnreadableInputError, match="expected a zip archive that ends with its directory"):
        zips.directory(MemoryFile("x", b""), b"")


def with_extra(extra: bytes, size: int = LARGE, header: int | None = None) -> bytes:
    """Return the good file with a field more in the entry of a storage, and other numbers in front of it."""
    at, start, end = entry_at("data/0"), START, START + SIZE
    entry = bytearray(GOOD[at : at + 46 + len("archive/data/0")])
    struct.pack_into("<II", entry, 20, size, size)
    struct.pack_into("<H", entry, 30, len(extra))
    if header is not None:
        struct.pack_into("<I", entry, 42, header)
    directory = GOOD[start:at] + entry + extra + GOOD[at + len(entry) : end]
    return GOOD[:start] + directory + make._ends(COUNT, len(directory), start)


OTHER = struct.pack("<HH", 0x5455, 5) + b"times"
LONG = {
    "both sizes": (struct.pack("<HHQQ", 1, 16, 24, 24), None),
    "behind another field": (OTHER + struct.pack("<HHQQ", 1, 16, 24, 24), None),
    "in front of another field": (struct.pack("<HHQQ", 1, 16, 24, 24) + OTHER, None),
    "more than is asked for": (struct.pack("<HHQQQ", 1, 24, 24, 24, 7), None),
    "sizes and the place": (struct.pack("<HHQQQ", 1, 24, 24, 24, local_at("data/0")), LARGE),
}


@pytest.mark.parametrize("case", LONG)
def test_long_numbers_stand_in_a_field_of_their_own(case: str) -> None:
    """Where the short ones are full; and zipfile reads them alike."""
    extra, header = LONG[case]
    content = with_extra(extra, header=header)
    assert [(each.size, each.packed, each.header) for each in entries(content)] == [
        (each.file_size, each.compress_size, each.header_offset)
        for each in zipfile.ZipFile(io.BytesIO(content)).infolist()
    ]
    assert torch_files.read(MemoryFile("x", content)).tensors == torch_files.read(MemoryFile("x", GOOD)).tensors


NO_LONG = {
    "none": b"",
    "another": OTHER,
    "one number": struct.pack("<HHQ", 1, 8, 24),
    "half a number": struct.pack("<HHQI", 1, 12, 24, 24),
    "one that is cut off": struct.pack("<HHQ", 1, 16, 24),
    "one that is longer than it is": struct.pack("<HHQQ", 1, 17, 24, 24),
    "behind one that lies": struct.pack("<HH", 2, 99) + struct.pack("<HHQQ", 1, 16, 24, 24),
    "three bytes": b"\1\0\x10",
}


@pytest.mark.parametrize("case", NO_LONG)
def test_a_long_number_that_is_not_there_is_said(case: str) -> None:
    """Nothing else is taken for it."""
    assert problem(with_extra(NO_LONG[case])) == "expected long sizes in the zip's directory, got none"


def test_long_sizes_that_lie_are_refused() -> None:
    """As short ones are."""
    for sizes, expected in (((2**63, 2**63), "to end before byte"), ((24, 23), "stored as they are"), ((23, 23), "24")):
        assert expected in problem(with_extra(struct.pack("<HHQQ", 1, 16, *sizes)))


# Changed ones


def replaced(at: int, layout: str, *numbers: int | bytes) -> bytes:
    """Return the good file with other numbers at a place; from its end where that is negative."""
    part = struct.pack(layout, *numbers)
    at %= len(GOOD)
    return GOOD[:at] + part + GOOD[at + len(part) :]


def rebuilt(*records: tuple[str, bytes | int], root: str = "archive") -> bytes:
    """Return a zip with more files."""
    return make.archive([*make.records(STATE), *records], root).content()


def compressed(method: int, only: str = "") -> bytes:
    """Return the good file, compressed by zipfile, all of it or one entry."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        for name, data in make.records(STATE):
            how = method if only in name else zipfile.ZIP_STORED
            file.writestr(f"archive/{name}", bytes(data) if isinstance(data, int) else data, compress_type=how)
    return memory.getvalue()


def bomb() -> bytes:
    """Return a zip whose pickle is 100 MB of zeros, in 100 kB."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("archive/data.pkl", bytes(100 << 20))
    return memory.getvalue()


def overlapping() -> bytes:
    """Return a zip of a thousand entries that are all the same bytes, as a bomb that needs no nesting."""
    local = make.archive([("data.pkl", Pickler().dump(STATE))]).content()
    size = struct.unpack_from("<Q", local, len(local) - 22 - 20 - 56 + 40)[0]
    start = len(local) - 98 - size
    entry = local[start : start + size]
    entries = b"".join(entry.replace(b"data.pkl", b"%08d" % number) for number in range(1000))
    return local[:start] + entries + make._ends(1000, len(entries), start)


ENDS = "expected the two ends of the zip's directory to agree, got others"
OTHER_END = "expected the long end of the zip's directory, got something else"

CHANGED: dict[str, tuple[Callable[[], bytes], str]] = {
    # The ends
    "a comment": (lambda: replaced(END + 20, "<H", 1) + b"c", "expected a zip that ends with its directory, got one"),
    "a comment that is not there": (lambda: replaced(END + 20, "<H", 1), "expected the zip's directory to end at byte"),
    "another disk": (lambda: replaced(END + 4, "<H", 1), "expected the zip's directory to end at byte"),
    "a first disk": (lambda: replaced(END + 6, "<H", 1), "expected the zip's directory to end at byte"),
    "an entry fewer here": (lambda: replaced(END + 8, "<H", COUNT - 1), ENDS),
    "an entry more": (lambda: replaced(END + 10, "<H", COUNT + 1), ENDS),
    "a smaller directory": (lambda: replaced(END + 12, "<I", SIZE - 1), ENDS),
    "a directory elsewhere": (lambda: replaced(END + 16, "<I", START + 1), ENDS),
    "the long end elsewhere": (lambda: replaced(-42 + 8, "<Q", 0), "expected the long end of the zip's directory in"),
    "the long end on another disk": (
        lambda: replaced(-42 + 4, "<I", 1),
        "expected the long end of the zip's directory",
    ),
    "two disks": (lambda: replaced(-42 + 16, "<I", 2), "expected the long end of the zip's directory in front, got"),
    "no long end": (lambda: replaced(LONG_END, "<4s", b"PK\6\5"), OTHER_END),
    "a longer long end": (lambda: replaced(LONG_END + 4, "<Q", 45), OTHER_END),
    "a long end of a disk": (lambda: replaced(LONG_END + 16, "<I", 1), OTHER_END),
    "a long end of two counts": (lambda: replaced(LONG_END + 24, "<Q", COUNT - 1), OTHER_END),
    "a long count of 2^64 - 1": (lambda: replaced(LONG_END + 24, "<QQ", 2**64 - 1, 2**64 - 1), ENDS),
    "a long size of 2^64 - 1": (lambda: replaced(LONG_END + 40, "<Q", 2**64 - 1), ENDS),
    "a long place of 2^64 - 1": (lambda: replaced(LONG_END + 48, "<Q", 2**64 - 1), ENDS),
    "bytes in front of the zip": (
        lambda: b"#!/bin/sh\n" + GOOD,
        "expected the long end of the zip's directory in front",
    ),
    "bytes behind the directory": (
        lambda: GOOD[:LONG_END] + b"x" + GOOD[LONG_END:],
        "expected the long end of the zip",
    ),
    "bytes behind the zip": (lambda: GOOD + b"x", "expected a zip that ends with its directory, got one that is cut"),
    "an entry fewer": (
        lambda: with_ends(COUNT - 1, SIZE, START),
        "expected 6 entries in the zip's directory, got more",
    ),
    "an entry more, in all": (
        lambda: with_ends(COUNT + 1, SIZE, START),
        "expected more entries in the zip's directory",
    ),
    "a directory that begins later": (
        lambda: with_ends(COUNT, SIZE - 1, START + 1),
        "expected an entry at byte 0 of the",
    ),
    "a directory that begins earlier": (
        lambda: with_ends(COUNT, SIZE + 1, START - 1),
        "expected an entry at byte 0 of",
    ),
    "more entries than bytes": (
        lambda: with_ends(SIZE // 46 + 1, SIZE, START),
        "expected at most 250,000 entries in a",
    ),
    "an entry fewer on this disk": (
        lambda: make.by_zipfile(STATE)[:-14] + struct.pack("<H", COUNT - 1) + make.by_zipfile(STATE)[-12:],
        "expected a zip of one part, got 6 of 7 entries",
    ),
    # The directory
    "another signature": (
        lambda: replaced(entry_at("data.pkl"), "<4s", b"PK\1\3"),
        "expected an entry at byte 0 of the",
    ),
    "an entry on another disk": (
        lambda: replaced(entry_at("data.pkl") + 34, "<H", 1),
        "expected an entry at byte 0 of",
    ),
    "an extra field beyond the end": (
        lambda: replaced(entry_at("version") + 30, "<H", 2**16 - 1),
        "expected an entry at",
    ),
    "a comment of the last entry": (lambda: replaced(entry_at(FILES[-1]) + 32, "<H", 1), "expected an entry at byte"),
    "a longer name": (lambda: replaced(entry_at(FILES[-1]) + 28, "<H", 2**16 - 1), "expected an entry at byte"),
    "long sizes that are not there": (
        lambda: replaced(entry_at("data/0") + 20, "<II", LARGE, LARGE),
        "expected long sizes in the zip's directory, got none",
    ),
    "a size that lies": (lambda: replaced(entry_at("data/0") + 24, "<I", 23), "expected a zip of files stored as they"),
    "both sizes lie": (
        lambda: replaced(entry_at("data/0") + 20, "<II", 23, 23),
        "expected 24 bytes in 'archive/data/0'",
    ),
    "sizes up to the next entry": (
        lambda: replaced(entry_at("data/0") + 20, "<II", 2**20, 2**20),
        "expected 'archive/data/0' to end before byte",
    ),
    "a header within another entry": (
        lambda: replaced(entry_at("data/0") + 42, "<I", local_at("data/0") - 80),
        "expected 'archive/byteorder' to end before byte",
    ),
    "a header where another entry has nothing but padding left": (
        lambda: replaced(entry_at("data/0") + 42, "<I", local_at("data/0") - 79),
        "expected in front of 'archive/byteorder' what the zip's directory says of it",
    ),
    "a header that is another's": (
        lambda: replaced(entry_at("data/0") + 42, "<I", local_at("byteorder")),
        "to end before byte",
    ),
    "a header behind the directory": (lambda: replaced(entry_at("data/0") + 42, "<I", 2**30), "to end before byte"),
    "a first entry that begins later": (
        lambda: replaced(entry_at("data.pkl") + 42, "<I", 1),
        "expected the first entry of the zip at its beginning, got it at 1",
    ),
    "an encrypted entry": (lambda: replaced(entry_at("data/0") + 8, "<H", 2**11 | 9), "'archive/data/0' encrypted"),
    "an entry that is said to be compressed": (
        lambda: replaced(entry_at("data/0") + 10, "<H", 8),
        "expected a zip of files stored as they are, as PyTorch writes, got 'archive/data/0' compressed",
    ),
    "a checksum that is wrong": (
        lambda: replaced(entry_at("data.pkl") + 16, "<I", 1),
        "expected 'archive/data.pkl' with the checksum 0x00000001, got",
    ),
    # The local headers
    "another local signature": (lambda: replaced(local_at("data.pkl"), "<4s", b"PK\3\5"), "says of it, got something"),
    "another local name": (
        lambda: replaced(local_at("data.pkl") + 30, "<4s", b"abcd"),
        "expected in front of 'archive/",
    ),
    "another local method": (lambda: replaced(local_at("data.pkl") + 8, "<H", 8), "expected in front of 'archive/data"),
    "other local flags": (
        lambda: replaced(local_at("data.pkl") + 6, "<H", 9),
        "expected in front of 'archive/data.pkl'",
    ),
    "another local checksum": (lambda: replaced(local_at("data.pkl") + 14, "<I", 7), "expected in front of 'archive/"),
    "another local size": (lambda: replaced(local_at("data.pkl") + 22, "<I", 7), "expected in front of 'archive/data"),
    "another packed size": (lambda: replaced(local_at("data.pkl") + 18, "<I", 7), "expected in front of 'archive/data"),
    "a longer local name": (
        lambda: replaced(local_at("data.pkl") + 26, "<H", 17),
        "expected in front of 'archive/data",
    ),
    "an extra field beyond the data": (
        lambda: replaced(local_at("data/0") + 28, "<H", 2**16 - 1),
        "expected in front of",
    ),
    "a header of a storage": (
        lambda: replaced(local_at("data/0"), "<4s", b"PK\3\5"),
        "expected in front of 'archive/d",
    ),
    # Files
    "all compressed": (lambda: compressed(zipfile.ZIP_DEFLATED), "got 'archive/data.pkl' compressed"),
    "compressed by bzip2": (lambda: compressed(zipfile.ZIP_BZIP2), "got 'archive/data.pkl' compressed"),
    "compressed by lzma": (lambda: compressed(zipfile.ZIP_LZMA), "got 'archive/data.pkl' compressed"),
    "one that nobody reads compressed": (lambda: compressed(zipfile.ZIP_DEFLATED, "version"), "version' compressed"),
    "a bomb": (bomb, "got 'archive/data.pkl' compressed"),
    "a thousand entries of the same bytes": (overlapping, "to end before byte"),
    "a pickle twice": (
        lambda: rebuilt(("data.pkl", b"\x80\x02N.")),
        "one entry of each name, got two of 'archive/data.p",
    ),
    "a storage twice": (
        lambda: rebuilt(("data/0", 24)),
        "expected one entry of each name, got two of 'archive/data/0'",
    ),
    "a way up": (
        lambda: rebuilt(("../../etc/passwd", b"x")),
        "names in the zip that stay in their folder, got 'archive/../",
    ),
    "a way up in between": (
        lambda: rebuilt(("data/../x", b"x")),
        "expected names in the zip that stay in their folder",
    ),
    "a way up from the root": (lambda: rebuilt(root=".."), "stay in their folder, got '../data.pkl'"),
    "an absolute name": (lambda: rebuilt(root=""), "stay in their folder, got '/data.pkl'"),
    "a drive": (lambda: rebuilt(("..\\x", b"x")), "expected names in the zip that stay in their folder, got"),
    "a NUL": (lambda: rebuilt(("a\0b", b"x")), "expected names in the zip that stay in their folder, got"),
    "no UTF-8": (
        lambda: GOOD.replace(b"archive/version", b"archive/v\xffrsion"),
        "names in UTF-8 in the zip, got b'arch",
    ),
    "a pickle that is too long": (
        lambda: make.archive([("data.pkl", (16 << 20) + 1537)]).content(),
        "expected 'archive/data.pkl' of at most 16,778,752 bytes, got 16,778,753",
    ),
}
"""Changes of a good file, and what is said of each."""


def with_ends(count: int, size: int, start: int) -> bytes:
    """Return the good file with two ends that agree on something else."""
    return GOOD[:LONG_END] + make._ends(count, size, start)


@pytest.mark.parametrize("case", CHANGED)
def test_what_is_wrong_is_said(case: str) -> None:
    """Each change is refused, by its own sentence."""
    change, expected = CHANGED[case]
    assert expected in problem(change())


def test_the_good_file_is_good() -> None:
    """So that it is the change that is refused; and every byte of the directory and of the pickle's header counts."""
    assert len(torch_files.read(MemoryFile("x.pt", GOOD)).tensors) == 1
    assert with_ends(COUNT, SIZE, START) == GOOD


def test_no_change_of_a_single_byte_ends_in_another_way_than_by_a_listing_or_an_error() -> None:
    """Every byte of the file set to others: what is listed then is the same tensor, or one that the pickle now says."""
    for at in range(len(GOOD)):
        for byte in (0, 0xFF, GOOD[at] ^ 1, GOOD[at] ^ 0x80):
            content = GOOD[:at] + bytes((byte,)) + GOOD[at + 1 :]
            try:
                found = torch_files.read(MemoryFile("x.pt", content))
            except UnreadableInputError:
                continue
            assert [(each.name, each.shape, each.nbytes) for each in found.tensors] == [("wte", (3, 2), 24)]


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_entries(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A quarter of a million, of which a thousand stand here."""
    monkeypatch.setattr(zips, "MOST_ENTRIES", 1000)
    count = zips.MOST_ENTRIES + more
    content = make.archive([(f"{n:x}", b"") for n in range(count)], "r").content()
    if more < 1:
        assert len(entries(content)) == count
    else:
        assert problem(content).startswith("expected at most 1,000 entries in a directory of at most 33,554,432 bytes")


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_largest_directory(more: int) -> None:
    """Made large by a comment of its one entry, and by names."""
    names = [f"{n:x}".zfill(60_000) for n in range(558)]
    rest = zips.MOST_DIRECTORY_BYTES + more - sum(46 + 2 + len(name) for name in names) - 48
    content = make.archive([(name, b"") for name in (*names, "z" * rest)], "r").content()
    if more < 1:
        assert len(entries(content)) == 559
    else:
        assert "got 559 in 33,554,433" in problem(content)


BOMBS: dict[str, Callable[[], bytes]] = {
    "a bomb": bomb,
    "a thousand entries of the same bytes": overlapping,
    "fifty thousand entries": lambda: many(b"N", 10),
    "as many, in a large directory": lambda: many(b"N", 280),
    "as many, around a pickle that takes long": lambda: many(
        PICKLES["tensors of 8 dimensions, rebuilt again and again"](), 10
    ),
}


def many(pickle: bytes, length: int) -> bytes:
    """Return a zip with a pickle and fifty thousand entries, with names of a length."""
    names = (f"{n:x}".zfill(length) for n in range(49_998))
    records = [("data.pkl", b"\x80\x02" + pickle + b"."), ("data/0", b"\0"), *((name, b"") for name in names)]
    return make.archive(records, "r").content()


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not hold a process to its address space")
def test_what_would_take_much_is_refused_in_little_time_and_memory(tmp_path: Path) -> None:
    """In a process of 200 MB, Python among them, and 2 seconds of a processor."""
    for case, bomb in BOMBS.items():
        (tmp_path / case).write_bytes(bomb())
    assert refused(tmp_path) == dict.fromkeys(BOMBS, True)


def test_entries_in_another_order_than_their_data_are_in_the_directory_s_order() -> None:
    """The directory may list them as it likes."""
    start, size = START, SIZE
    first = entry_at(FILES[1]) - start
    directory = GOOD[start : start + size]
    content = GOOD[:start] + directory[first:] + directory[:first] + GOOD[start + size :]
    assert [each.name for each in entries(content)] == [f"archive/{name}" for name in (*FILES[1:], FILES[0])]
    assert [tensor.name for tensor in torch_files.read(MemoryFile("x.pt", content)).tensors] == ["wte"]
