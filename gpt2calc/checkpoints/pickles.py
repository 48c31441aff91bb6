"""Pickles: from bytes to the values and containers that they build, by a machine that executes nothing.

What a pickle may call is a table that the caller gives, and a name that is not in it is refused when it is called. It
must not know what a tensor is: that is `torch_calls`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.checkpoints.machine import MOST_OPCODES, OPCODES_A_TENSOR, Machine, RefusedError, TruncatedError
from gpt2calc.checkpoints.opcodes import OPCODES, STOP
from gpt2calc.errors import UnreadableInputError
from gpt2calc.listing import BYTES_A_TENSOR

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gpt2calc.checkpoints.machine import Call, Other

MOST_PICKLE_BYTES = 16 << 20
"""How long a pickle may be, besides what it has for the files beside it. The one of gpt2-xl has 97,000 bytes."""


def most_bytes(beside: int) -> int:
    """Return how long a pickle may be that stands in a zip with so many files."""
    return MOST_PICKLE_BYTES + BYTES_A_TENSOR * beside


class TruncatedPickleError(UnreadableInputError):
    """The bytes end before the pickle does."""


def load(
    name: str,
    data: bytes,
    calls: Mapping[str, Call],
    persistent: Callable[[object], object],
    at: int = 0,
    *,
    beside: int = 0,
    other: Other | None = None,
) -> tuple[object, int]:
    r"""Return the value of a pickle, and the place behind it.

    The value is None, a bool, int, float, str, bytes, tuple, list (a set too), dict, `Global` or `Opaque`, or what a
    call or a persistent id gives. It may refer to a part of itself many times over, or to itself: whoever walks through
    it must expect that. A key of a dict that is neither text nor a `Record` is replaced by an object of its own: no
    tensor is called by it, and its hash would be its author's choice.

    Args:
        name: the file's name, for errors.
        data: bytes that hold the pickle, at most `most_bytes(beside)`.
        calls: what may be called, by module and name, each a function of the arguments' tuple.
        persistent: what gives the value that a persistent id stands for.
        at: where the pickle begins.
        beside: how many files there are that can hold a tensor's values, each of which allows for some opcodes more.
        other: what stands for an object of a class that is not among `calls`; None where there may be none.

    Raises:
        TruncatedPickleError: the bytes end before the pickle does.
        UnreadableInputError: it holds what protocols 2 to 5 do not write, calls what may not be called, or is too long.

    Source: Python's `pickletools`.

    >>> load("x", b"\x80\x02}X\x01\x00\x00\x00aK\x05s.", {}, repr)
    ({'a': 5}, 13)
    """
    if len(data) > most_bytes(beside):
        problem = f"expected a pickle of at most {most_bytes(beside):,} bytes, got {len(data):,}"
        raise UnreadableInputError(name, problem)
    try:
        return _run(Machine(data, calls, persistent, MOST_OPCODES + OPCODES_A_TENSOR * beside, other), at)
    except RefusedError as error:
        raise UnreadableInputError(name, str(error)) from None
    except TruncatedError:
        problem = f"expected a whole pickle, got one that is cut off after {len(data) - at:,} bytes"
        raise TruncatedPickleError(name, problem) from None


def _run(machine: Machine, at: int) -> tuple[object, int]:
    data, opcodes = machine.data, OPCODES
    if data[at] != 0x80 and at < machine.end:
        raise RefusedError(f"expected a pickle of protocol 2 to 5, got a first byte of {data[at]:#04x}")
    try:
        for _ in range(machine.most):
            opcode = data[at]
            if opcode == STOP:
                return _result(machine), at + 1
            at = opcodes[opcode](machine, at + 1)
    except IndexError:
        where = f"at byte {at:,} of the pickle"
        raise RefusedError(f"expected a value on the stack or in the memo {where}, got none") from None
    raise RefusedError(f"expected a pickle of at most {machine.most:,} opcodes, got a longer one")


def _result(machine: Machine) -> object:
    if len(machine.stack) != 1 or machine.marks:
        raise RefusedError("expected one value on the stack at the pickle's end, got more or fewer")
    return machine.stack[0]
