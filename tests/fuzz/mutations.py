"""Random changes of a file's bytes. None knows a format: those that do stand with the makers."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import random

    from tests.fuzz.rows import Mutation

EDGES = tuple(
    sorted({0, 1, 2, 7, 8, 9, *(2**bits + d for bits in (7, 8, 15, 16, 31, 32, 53, 62, 63, 64) for d in (-1, 0, 1))})
)
"""Numbers next to which a field wraps, changes its sign or ends."""

NUMBER = re.compile(rb"\d+")


def flip_a_bit(content: bytes, chance: random.Random) -> bytes:
    """Change one bit."""
    at = chance.randrange(len(content))
    return _replaced(content, at, bytes((content[at] ^ (1 << chance.randrange(8)),)))


def set_a_byte(content: bytes, chance: random.Random) -> bytes:
    """Put another byte in the place of one."""
    return _replaced(content, chance.randrange(len(content)), chance.randbytes(1))


def truncate(content: bytes, chance: random.Random) -> bytes:
    """Cut off the end."""
    return content[: chance.randrange(len(content))]


def append(content: bytes, chance: random.Random) -> bytes:
    """Add bytes at the end."""
    return content + chance.randbytes(chance.randint(1, 9))


def insert(content: bytes, chance: random.Random) -> bytes:
    """Add bytes in the middle."""
    at = chance.randrange(len(content))
    return content[:at] + chance.randbytes(chance.randint(1, 9)) + content[at:]


def delete(content: bytes, chance: random.Random) -> bytes:
    """Take bytes out."""
    at = chance.randrange(len(content))
    return content[:at] + content[at + chance.randint(1, 9) :]


def repeat(content: bytes, chance: random.Random) -> bytes:
    """Write a part twice."""
    start, end = sorted((chance.randrange(len(content)), chance.randrange(len(content))))
    return content[:end] + content[start:]


def exchange(content: bytes, chance: random.Random) -> bytes:
    """Put a copy of one part over another."""
    count = chance.randint(1, 64)
    start, at = chance.randrange(len(content)), chance.randrange(len(content))
    return _replaced(content, at, content[start : start + count])[: len(content)]


def set_a_field(content: bytes, chance: random.Random) -> bytes:
    """Write an edge number over 1, 2, 4 or 8 bytes, in either order, often where such a field may start."""
    width = chance.choice((1, 2, 4, 4, 8, 8))
    at = chance.randrange(len(content))
    if chance.random() < 0.5:
        at = at // width * width
    number = chance.choice((chance.choice(EDGES), -chance.choice(EDGES), len(content) + chance.randint(-9, 9)))
    order = "little" if chance.random() < 0.8 else "big"
    return _replaced(content, at, (number % 2 ** (8 * width)).to_bytes(width, order))


def set_a_number(content: bytes, chance: random.Random) -> bytes:
    """Put an edge number in the place of one that is written in digits."""
    found = list(NUMBER.finditer(content))
    if not found:
        return set_a_byte(content, chance)
    match = chance.choice(found)
    old = int(match[0]) if len(match[0]) < 20 else 0
    number = chance.choice((chance.choice(EDGES), -chance.choice(EDGES), old + chance.choice((-1, 1)), 10**400))
    return content[: match.start()] + b"%d" % number + content[match.end() :]


ANY: tuple[Mutation, ...] = (
    flip_a_bit,
    set_a_byte,
    truncate,
    append,
    insert,
    delete,
    repeat,
    exchange,
    set_a_field,
    set_a_number,
)
"""What can be done to any file."""


def splice(first: bytes, second: bytes, chance: random.Random) -> bytes:
    """Return the start of one file and the end of another."""
    return first[: chance.randrange(len(first) + 1)] + second[chance.randrange(len(second) + 1) :]


def mutated(seeds: tuple[bytes, ...], mutations: tuple[Mutation, ...], chance: random.Random) -> bytes:
    """Return one of the seeds, changed once or a few times."""
    content = chance.choice(seeds)
    if chance.random() < 0.03:
        content = splice(content, chance.choice(seeds), chance)
    times = 1 if chance.random() < 0.6 else chance.randint(2, 6)
    for _ in range(times):
        if not content:
            break
        content = chance.choice(mutations)(content, chance)
    return content


def _replaced(content: bytes, at: int, part: bytes) -> bytes:
    return content[:at] + part + content[at + len(part) :]
