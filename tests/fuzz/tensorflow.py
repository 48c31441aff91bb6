"""The row of TensorFlow's index: changes behind which every checksum is right, so that what they cover is reached."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.checkpoints import leveldb
from gpt2calc.checkpoints import tensorflow as reader
from tests.fuzz.mutations import ANY, set_a_byte
from tests.fuzz.rows import Reader
from tests.makers import tensorflow as make

if TYPE_CHECKING:
    import random

LAST = b"\xff" * 4
"""A key after every other, as long as no name begins so."""


def tensorflow() -> Reader:
    """Return the row of an index without its data files."""
    return Reader(make.seeds, reader.read, (change_a_pair,) * 30 + (change_a_block,) * 10)


def change_a_pair(content: bytes, chance: random.Random) -> bytes:
    """Change one key or value of a table, and write the table anew."""
    try:
        pairs = list(leveldb.entries(content))
    except leveldb.MalformedError:
        pairs = []
    if not pairs:
        return set_a_byte(content, chance)
    at = chance.randrange(len(pairs))
    key, value = pairs[at]
    if chance.random() < 0.2:
        key = _changed(key, chance)
    else:
        value = _changed(value, chance)
    pairs[at] = key, value
    return make.table(sorted(pairs), chance.choice((1, 3, 16, 1000))) if chance.random() < 0.8 else make.table(pairs)


def change_a_block(content: bytes, chance: random.Random) -> bytes:
    """Change the bytes of one block, or of the index of blocks, and give it the checksum that it then has."""
    try:
        block = make.block(leveldb.entries(content), chance.choice((1, 2, 16)))
    except leveldb.MalformedError:
        return set_a_byte(content, chance)
    if chance.random() < 0.7:
        return make.framed([(LAST, make.stored(_changed(block, chance)))])
    places = make.block([(LAST, make.varint(0) + make.varint(len(block)))], 1)
    return make.ended(make.stored(block), _changed(places, chance))


def _changed(content: bytes, chance: random.Random) -> bytes:
    """Change some bytes; where there are none, add some."""
    return chance.choice(ANY)(content, chance) if content else chance.randbytes(chance.randint(1, 9))
