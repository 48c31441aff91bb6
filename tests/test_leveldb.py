"""LevelDB's tables are read as they are written: numbers, checksums, blocks, and the order of keys."""

from __future__ import annotations

import random

import pytest

from gpt2calc.checkpoints import leveldb
from tests.loops import of_each
from tests.makers import tensorflow as make

WIDTHS = range(7, 64, 7)
EXAMPLES = {
    "zeros": (bytes(32), 0x8A9136AA),
    "ones": (b"\xff" * 32, 0x62A8AB43),
    "upward": (bytes(range(32)), 0x46DD794E),
    "downward": (bytes(range(31, -1, -1)), 0x113FDB5C),
    "the digits, as catalogues of checksums have it": (b"123456789", 0xE3069283),
    "nothing": (b"", 0),
}
"""The first four are those of RFC 3720, appendix B.4."""


@pytest.mark.parametrize("case", EXAMPLES)
def test_checksums_are_those_of_the_standard(case: str) -> None:
    """The reader's and the maker's are written apart, and agree."""
    content, expected = EXAMPLES[case]
    assert leveldb.crc32c(content, leveldb.crc32c_table()) == make.crc32c(content) == expected


@of_each("more", [-1, 0, 1])
@of_each("bits", WIDTHS)
def test_numbers_of_every_length_are_read(bits: int, more: int) -> None:
    """A number has a byte for each 7 bits, and ends where the next thing begins."""
    number = 2**bits + more
    content = make.varint(number)
    assert len(content) == bits // 7 + (more >= 0)
    assert leveldb.varint(b"x" + content + b"x", 1, "a test") == (number, 1 + len(content))


@pytest.mark.parametrize(
    ("content", "number"),
    [
        (b"\x80\x00", 0),  # a byte more than is needed, which Protocol Buffers takes
        (b"\xff" * 9 + b"\x01", 2**64 - 1),
        (b"\xff" * 9 + b"\x02", None),
        (b"\x80" * 9 + b"\x02", None),
        (b"\x80" * 9 + b"\x01", 2**63),
        (b"\x80" * 10, None),
        (b"\x80" * 10 + b"\x00", None),
        (b"\x80", None),
        (b"", None),
    ],
)
def test_numbers_have_64_bits(content: bytes, number: int | None) -> None:
    """Ten bytes at most, and no bit more; one that is cut off is none."""
    if number is None:
        with pytest.raises(leveldb.MalformedError, match="expected a number of at most 64 bits in a test, got "):
            leveldb.varint(content, 0, "a test")
    else:
        assert leveldb.varint(content, 0, "a test") == (number, len(content))


@of_each("seed", range(40))
def test_what_is_written_is_read(seed: int) -> None:
    """Any sorted pairs, in blocks of any length: keys that share much, little, or all but a byte, and empty values."""
    chance = random.Random(seed)
    keys = {b"", b"\xfe" * 3, *(bytes(chance.choices(b"ab/", k=chance.randint(0, 12))) for _ in range(60))}
    pairs = [(key, chance.randbytes(chance.choice((0, 1, 9, 200)))) for key in sorted(keys)]
    assert list(leveldb.entries(make.table(pairs, chance.choice((1, 2, 5, 16, 100))))) == pairs


@pytest.mark.parametrize("interval", [1, 2, 16, 1000])
def test_keys_may_be_whole_as_often_as_a_writer_likes(interval: int) -> None:
    """LevelDB writes every 16th key whole; the places of those stand at the block's end."""
    pairs = [(b"model/h%02d" % number, b"x") for number in range(40)]
    content = make.framed([(b"n", make.stored(make.block(pairs, interval)))])
    assert list(leveldb.entries(content)) == pairs


PART = make.stored(make.block([(b"", b"")]))
PLACES: dict[str, list[tuple[int, bytes]]] = {
    "the first again": [(0, b""), (0, b"")],
    "over the first by a byte": [(0, b""), (len(PART) - 1, b"")],
    "a byte after the place": [(0, b"\0")],
}
"""Where an index of blocks says that they begin, and what it says beside it."""


@pytest.mark.parametrize("case", PLACES)
def test_blocks_lie_one_after_the_other(case: str) -> None:
    """The index of blocks gives each place once, in order, and nothing else."""
    rows = [
        (b"%d" % number, make.varint(at) + make.varint(len(PART) - 5) + more)
        for number, (at, more) in enumerate(PLACES[case])
    ]
    with pytest.raises(leveldb.MalformedError, match="expected blocks one after the other, got one from offset"):
        list(leveldb.entries(make.ended(PART + PART, make.block(rows, 1))))


def test_a_table_of_nothing_is_one() -> None:
    """It has two blocks, that of the blocks among them, and no pairs."""
    assert list(leveldb.entries(make.table([]))) == []


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_shortest_table(more: int) -> None:
    """A footer alone names blocks that are not there; a byte less of it is no footer."""
    content = (bytes(40) + leveldb.MAGIC)[max(-more, 0) :].rjust(leveldb.FOOTER + more, b"\0")
    with pytest.raises(leveldb.MalformedError) as caught:
        list(leveldb.entries(content))
    said = "expected a block of 0 bytes" if more >= 0 else "expected a table of LevelDB"
    assert str(caught.value).startswith(said)


def test_a_pair_is_given_before_what_comes_after_it_is_read() -> None:
    """A caller may stop at the first pair; blocks are checked one at a time."""
    content = make.table([(b"a", b"1"), (b"b", b"2")], most=1)
    second = len(make.stored(make.block([(b"a", b"1")])))
    changed = content[:second] + b"\xff" + content[second + 1 :]
    found = leveldb.entries(changed)
    assert next(found) == (b"a", b"1")
    with pytest.raises(leveldb.MalformedError, match="it was changed"):
        next(found)
