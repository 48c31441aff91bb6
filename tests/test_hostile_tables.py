"""Files of GGUF, TensorFlow and llm.c made to do harm end in one line, in a process that has 200 MB and little time."""

from __future__ import annotations

import os
import struct
import sys
from typing import TYPE_CHECKING

import pytest

from gpt2calc.checkpoints import gguf, leveldb
from tests.makers import gguf as make_gguf
from tests.makers import llmc as make_llmc
from tests.makers import tensorflow as make_tensorflow
from tests.makers.gguf import ARRAY, TEXT, UINT8, UINT64, Tensor, Value
from tests.test_hostile import limited, wrong
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.test_hostile import Case

ODD = "\N{ROLLED-UP NEWSPAPER}"
"""A letter for which Python keeps four bytes of every letter of its text."""


MANY = 20_000 if IS_WIDE else 5_000
"""Tensors, or keys: a million may be there, and take as much for each."""


def gguf_of(count: int, name: Callable[[int], str]) -> bytes:
    """Return a file with so many empty tensors."""
    return make_gguf.written([], [Tensor(name(number), (0,)) for number in range(count)])


def gguf_array(kind: int, count: int, content: bytes) -> bytes:
    """Return a file whose one value is an array, of as many elements as it says, or not."""
    start = make_gguf.written([("k", Value(ARRAY, [], kind))], [])[:37]
    return start + struct.pack("<IQ", kind, count) + content


def nested(depth: int) -> bytes:
    """Return arrays in arrays, one in each."""
    return struct.pack("<IQ", ARRAY, 1) * depth + struct.pack("<IQ", UINT8, 0)


def long_names() -> bytes:
    """Return a file with many names, each as long as it may be."""
    return gguf_of(MANY, lambda number: f"{ODD}{number}".ljust(gguf.MOST_TEXT_BYTES - 3, "x"))


def long_keys() -> bytes:
    """Return a file with many keys, each as long as it may be."""
    keys = (f"{ODD}{number}".ljust(gguf.MOST_TEXT_BYTES - 3, "x") for number in range(MANY))
    return make_gguf.written([(key, Value(UINT8, 1)) for key in keys], [])


MESSAGE = make_tensorflow.entry(make_tensorflow.Tensor("a", (0,)), 0)


def index_of(count: int, message: bytes = MESSAGE) -> bytes:
    """Return an index with so many tensors, or as many as fit."""
    count = min(count, (leveldb.MOST_TABLE_BYTES - 1000) // (len(message) + 12))
    return make_tensorflow.table(
        [(b"", make_tensorflow.header()), *((b"%06d" % number, message) for number in range(count))]
    )


def shape_of(sizes: list[int]) -> bytes:
    """Return the message of a tensor with a shape."""
    dims = b"".join(make_tensorflow.field(2, make_tensorflow.field(1, size) if size else b"") for size in sizes)
    return make_tensorflow.field(1, 1) + make_tensorflow.field(2, dims)


def shared_keys(count: int) -> bytes:
    """Return an index of long keys, each of which says that it shares nearly all of the one before."""
    sizes = b"".join(map(make_tensorflow.varint, (290, 6, len(MESSAGE))))
    rest = b"".join(b"%b%06d%b" % (sizes, number, MESSAGE) for number in range(count))
    first = make_tensorflow.block([(b"", make_tensorflow.header()), (b"/" * 290, MESSAGE)])
    return make_tensorflow.framed([(b"\xff", make_tensorflow.stored(first[:-8] + rest + first[-8:]))])


def block_in_itself() -> bytes:
    """Return an index whose index of blocks says that it is itself the one block."""
    header = make_tensorflow.stored(make_tensorflow.block([(b"", make_tensorflow.header())]))
    metaindex = len(make_tensorflow.stored(make_tensorflow.block([])))
    at = make_tensorflow.varint(len(header) + metaindex)
    size = len(make_tensorflow.block([(b"\xff", at + b"\0")], 1))
    return make_tensorflow.ended(header, make_tensorflow.block([(b"\xff", at + bytes((size,)))], 1))


def one_block_often(count: int) -> bytes:
    """Return an index that names one block again and again."""
    block = make_tensorflow.block([(b"", make_tensorflow.header())])
    place = make_tensorflow.varint(0) + make_tensorflow.varint(len(block))
    places = [(b"%06d" % number, place) for number in range(count)]
    return make_tensorflow.ended(make_tensorflow.stored(block), make_tensorflow.block(places, 1))


def restarts(count: int) -> bytes:
    """Return an index with so many places to search from, all at the first key."""
    block = make_tensorflow.block([(b"", make_tensorflow.header())], restarts=[0] * count)
    return make_tensorflow.framed([(b"\xff", make_tensorflow.stored(block))])


def lying_restarts(count: int) -> bytes:
    """Return an index that says that it has so many places to search from."""
    block = make_tensorflow.block([(b"", make_tensorflow.header())])[:-4] + struct.pack("<I", count)
    return make_tensorflow.framed([(b"\xff", make_tensorflow.stored(block))])


STRANGE = "its names fit no GPT-2"
HOSTILE: dict[str, Case] = {
    "over a million tensors": (
        "x.gguf",
        lambda: make_gguf.written([], [], tensor_count=10**6 + 1) + bytes(24 * 10**6 + 24),
        "at most 1,000,000 entries in its header, got 1,000,001 tensors",
    ),
    "many tensors": ("x.gguf", lambda: gguf_of(MANY, str), STRANGE),
    "names as long as they may be": ("x.gguf", long_names, STRANGE),
    "keys as long as they may be": ("x.gguf", long_keys, STRANGE),
    "a number of tensors of 2^64 - 1": (
        "x.gguf",
        lambda: make_gguf.written([], [], tensor_count=2**64 - 1),
        "of 18,446,744,073,709,551,615 tensors",
    ),
    "as many texts as there may be": (
        "x.gguf",
        lambda: gguf_array(TEXT, gguf.MOST_TEXTS, bytes(8 * gguf.MOST_TEXTS) + bytes(32)),
        STRANGE,
    ),
    "ten million texts": ("x.gguf", lambda: gguf_array(TEXT, 10**7, bytes(8 * 10**7)), "at most 2,000,000 texts"),
    "a text of 2^64 - 1 bytes": ("x.gguf", lambda: gguf_array(TEXT, 1, bytes([255] * 8)), "of the value of k"),
    "2^63 numbers": ("x.gguf", lambda: gguf_array(UINT64, 2**63, b""), "expected 73,786,976,294,838,206,464 bytes"),
    "a million arrays in an array": (
        "x.gguf",
        lambda: gguf_array(ARRAY, 10**6 + 1, bytes(12 * 10**6 + 12)),
        "1,000,001 arrays in the value of k",
    ),
    "a million arrays, each in the one before": ("x.gguf", lambda: gguf_array(ARRAY, 1, nested(10**6)), "4 deep"),
    "sizes of 2^64 - 1": (
        "x.gguf",
        lambda: make_gguf.written([], [Tensor("a", (1,), dims=(2**64 - 1,) * 4)]),
        "of tensor a from offset",
    ),
    "an alignment of 2^31": (
        "x.gguf",
        lambda: make_gguf.written([("general.alignment", Value(make_gguf.UINT32, 2**31))], [Tensor("a", (1,))]),
        "expected 4 bytes of tensor a from offset 2,147,483,648 on",
    ),
    "an index of a million tensors": (
        "x.index",
        lambda: make_tensorflow.framed([(b"\xff", b"".join(b"\0\6\0%06d" % number for number in range(10**6)))]),
        "expected an index of at most 524,288 bytes",
    ),
    "as many tensors in an index as there may be": ("x.index", lambda: index_of(leveldb.MOST_ENTRIES - 1), STRANGE),
    "tensors with as many sizes as there may be": ("x.index", lambda: index_of(10**6, shape_of([0] * 254)), STRANGE),
    "sizes whose product has 4,700 digits": (
        "x.index",
        lambda: index_of(10**6, shape_of([2**62] * 253 + [0])),
        STRANGE,
    ),
    "no size too large to say": (
        "x.index",
        lambda: index_of(10**6, shape_of([2**62] * 254)),
        "expected fewer than 2^63 elements for 000000",
    ),
    "as long keys that share as there may be": (
        "x.index",
        lambda: shared_keys(leveldb.MOST_ENTRIES - 2),
        STRANGE,
    ),
    "more keys that share": ("x.index", lambda: shared_keys(leveldb.MOST_ENTRIES * 2), "at most 10,000 keys"),
    "a block in itself": ("x.index", block_in_itself, "expected "),
    "one block often": ("x.index", lambda: one_block_often(20_000), "expected blocks one after the other"),
    "as many restarts as fit": ("x.index", lambda: restarts(leveldb.MOST_TABLE_BYTES // 4 - 100), STRANGE),
    "2^32 - 1 restarts": ("x.index", lambda: lying_restarts(2**32 - 1), "to search from in the block at offset 0"),
    "as many bytes as fit, in no block": (
        "x.index",
        lambda: bytes(leveldb.MOST_TABLE_BYTES - 8) + leveldb.MAGIC,
        "expected the checksum",
    ),
    "sizes of 2^31 - 1": (
        "x.bin",
        lambda: make_llmc.header(
            n_layer=2**31 - 1,
            n_embd=2**31 - 1,
            n_positions=2**31 - 1,
            vocab_size=2**31 - 1,
            n_head=1,
            padded=2**31 - 1,
        ),
        "bytes by its header, maxT=2147483647",
    ),
}


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits to set")
def test_a_hostile_file_ends_in_one_line(tmp_path: Path) -> None:
    """Exit code 3, within 200 MB and a few seconds of processor time; every file in a process of its own."""
    assert wrong(tmp_path, HOSTILE, "x.data-00000-of-00001") == {}


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits to set")
def test_blocks_of_a_gpt2_without_end_are_judged_within_limits(tmp_path: Path) -> None:
    """Many tensors, all by the names of a GPT-2, each in another block: a mismatch, in short."""
    path = tmp_path / "x.gguf"
    path.write_bytes(gguf_of(MANY, "blk.{}.attn_norm.weight".format))
    (ran,) = limited([path])
    assert ran.code == 1, ran.stderr[-500:]
    assert len(ran.stdout) < 5000
    assert os.path.getsize(path) > 25 * MANY
