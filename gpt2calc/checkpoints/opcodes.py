"""The opcodes of pickle protocols 2 to 5, a row each: what it does to the stack and the memo of a `Machine`.

An opcode gets the place of its argument and returns the place of the next opcode. It raises an IndexError where it
takes what is not there, which `pickles` turns into an error. It must not know a name that may be called.

Source: Python's `pickletools`, which documents every opcode.
"""

from __future__ import annotations

from struct import Struct, calcsize
from typing import TYPE_CHECKING

from gpt2calc.checkpoints.machine import (
    MOST_GLOBAL_BYTES,
    Global,
    Opaque,
    Record,
    RefusedError,
    TruncatedError,
    kind,
    refused,
    text,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from gpt2calc.checkpoints.machine import Machine

    Opcode: TypeAlias = Callable[[Machine, int], int]

MOST_INTEGER_BYTES = 255
"""PyTorch's magic number has ten."""

KEYS = (str, Record)
"""The types of the keys that a dict keeps; one of another type is no tensor's name."""

UINT32 = Struct("<I").unpack_from


def _unknown(machine: Machine, at: int) -> int:
    # What follows the end is padding, zeros, which are no opcode: nothing is wrong but that more is missing.
    if at > machine.end:
        raise TruncatedError
    got = machine.data[at - 1]
    raise RefusedError(f"expected opcodes of pickle protocols 2 to 5, got {got:#04x} at byte {at - 1:,} of the pickle")


def _protocol(machine: Machine, at: int) -> int:
    machine.take(at, 1)
    if not 2 <= machine.data[at] <= 5:
        raise RefusedError(f"expected a pickle of protocol 2 to 5, got {machine.data[at]}")
    return at + 1


def _frame(machine: Machine, at: int) -> int:
    """Step over the length of a frame, which is of use to those who read from a stream."""
    # It is looked for whole, so that a reader who has only a part of the file learns at once that it needs more.
    machine.take(at + 8, int.from_bytes(machine.data[at : at + 8], "little"))
    return at + 8


def _constant(value: object) -> Opcode:
    def push(machine: Machine, at: int) -> int:
        machine.stack.append(value)
        return at

    return push


def _list(machine: Machine, at: int) -> int:
    machine.stack.append([])
    return at


def _dict(machine: Machine, at: int) -> int:
    machine.stack.append({})
    return at


def _byte(machine: Machine, at: int) -> int:
    machine.stack.append(machine.data[at])
    return at + 1


def _number(layout: str) -> Opcode:
    """A number of fixed width, as `struct` calls it."""
    unpack, width = Struct(layout).unpack_from, calcsize(layout)

    def push(machine: Machine, at: int) -> int:
        machine.stack += unpack(machine.data, at)
        return at + width

    return push


def _long(layout: str) -> Opcode:
    """An integer of any length, which comes first."""
    unpack, width = Struct(layout).unpack_from, calcsize(layout)

    def push(machine: Machine, at: int) -> int:
        count: int = unpack(machine.data, at)[0]
        if not 0 <= count <= MOST_INTEGER_BYTES:
            raise RefusedError(f"expected integers of 0 to {MOST_INTEGER_BYTES} bytes, got one of {count:,}")
        at += width
        machine.stack.append(int.from_bytes(machine.take(at, count), "little", signed=True))
        return at + count

    return push


def _counted(layout: str, convert: Callable[[bytes], object]) -> Opcode:
    """Bytes, or text of them: their number comes first."""
    unpack, width = Struct(layout).unpack_from, calcsize(layout)

    def push(machine: Machine, at: int) -> int:
        count: int = unpack(machine.data, at)[0]
        at += width
        machine.stack.append(convert(machine.take(at, count)))
        return at + count

    return push


def _text_or_bytes(found: bytes) -> object:
    """Python 2 has one type for both."""
    try:
        return found.decode("utf-8")
    except UnicodeDecodeError:
        return found


def _mark(machine: Machine, at: int) -> int:
    machine.marks.append(machine.stack)
    machine.stack = []
    return at


def _pop(machine: Machine, at: int) -> int:
    # What lies above the last mark is a list of its own: where that is empty, the mark is popped, as in Python.
    if machine.stack:
        machine.stack.pop()
    else:
        machine.pop_mark()
    return at


def _pop_mark(machine: Machine, at: int) -> int:
    machine.pop_mark()
    return at


def _get(machine: Machine, at: int) -> int:
    machine.stack.append(machine.memo[machine.data[at]])
    return at + 1


def _long_get(machine: Machine, at: int) -> int:
    (index,) = UINT32(machine.data, at)
    machine.stack.append(machine.memo[index])
    return at + 4


def _put(machine: Machine, at: int) -> int:
    machine.remember(machine.data[at])
    return at + 1


def _long_put(machine: Machine, at: int) -> int:
    (index,) = UINT32(machine.data, at)
    machine.remember(index)
    return at + 4


def _memoize(machine: Machine, at: int) -> int:
    machine.memo.append(machine.stack[-1])
    return at


def _tuple(machine: Machine, at: int) -> int:
    found = tuple(machine.pop_mark())
    machine.stack.append(found)
    return at


def _tuple_of_one(machine: Machine, at: int) -> int:
    machine.stack.append((machine.stack.pop(),))
    return at


def _tuple_of_two(machine: Machine, at: int) -> int:
    second, first = machine.stack.pop(), machine.stack.pop()
    machine.stack.append((first, second))
    return at


def _tuple_of_three(machine: Machine, at: int) -> int:
    third, second, first = machine.stack.pop(), machine.stack.pop(), machine.stack.pop()
    machine.stack.append((first, second, third))
    return at


def _append(machine: Machine, at: int) -> int:
    _extend(machine, [machine.stack.pop()])
    return at


def _appends(machine: Machine, at: int) -> int:
    _extend(machine, machine.pop_mark())
    return at


def _extend(machine: Machine, values: list[object]) -> None:
    target = machine.stack[-1]
    if type(target) is Opaque:
        return
    if type(target) is not list:
        raise RefusedError(f"expected values to be added to lists and sets only, got {kind(target)}")
    target.extend(values)


def _setitem(machine: Machine, at: int) -> int:
    value, key = machine.stack.pop(), machine.stack.pop()
    _set(machine, [key, value])
    return at


def _setitems(machine: Machine, at: int) -> int:
    _set(machine, machine.pop_mark())
    return at


def _set(machine: Machine, items: list[object]) -> None:
    target = machine.stack[-1]
    if type(target) is Opaque:
        return
    if type(target) is not dict:
        raise RefusedError(f"expected keys to be set in dicts only, got {kind(target)}")
    if len(items) % 2:
        raise RefusedError("expected a value for each key, got a key without one")
    for i in range(0, len(items), 2):
        # Only text is hashed, and what hashes by identity: numbers hash to what their author chooses.
        key = items[i]
        target[key if type(key) in KEYS else object()] = items[i + 1]


def _global(machine: Machine, at: int) -> int:
    module, at = machine.line(at)
    name, at = machine.line(at)
    machine.stack.append(Global(module, name))
    return at


def _stack_global(machine: Machine, at: int) -> int:
    name, module = machine.stack.pop(), machine.stack.pop()
    if type(name) is not str or type(module) is not str or max(len(name), len(module)) > MOST_GLOBAL_BYTES:
        raise RefusedError(
            f"expected names of at most {MOST_GLOBAL_BYTES:,} bytes, got {kind(module)} and {kind(name)}"
        )
    machine.stack.append(Global(module, name))
    return at


def _reduce(machine: Machine, at: int) -> int:
    arguments, function = machine.stack.pop(), machine.stack.pop()
    machine.call(function, arguments)
    return at


def _new(machine: Machine, at: int) -> int:
    """Make an object of a class, as REDUCE calls a function; a whole model is one."""
    arguments, of = machine.stack.pop(), machine.stack.pop()
    machine.call(of, arguments, is_new=True)
    return at


def _new_with_keywords(machine: Machine, at: int) -> int:
    """Make an object of a class that takes keywords, which none does that is known."""
    _, _, of = machine.stack.pop(), machine.stack.pop(), machine.stack.pop()
    if type(of) is not Global or of.name in machine.calls:
        raise refused(of, is_new=True)
    machine.call(of, (), is_new=True)
    return at


def _build(machine: Machine, at: int) -> int:
    """Take the state of a record; that of an OrderedDict, such as `_metadata`, says nothing of a tensor."""
    state = machine.stack.pop()
    target = machine.stack[-1]
    if type(target) is Record:
        target.state = state
    elif type(target) not in (dict, Opaque):
        raise RefusedError(f"expected state for an OrderedDict only, got it for {kind(target)}")
    return at


def _persistent(machine: Machine, at: int) -> int:
    machine.stack.append(machine.persistent(machine.stack.pop()))
    return at


KNOWN: dict[bytes, Opcode] = {
    b"\x80": _protocol,
    b"\x95": _frame,
    b"N": _constant(None),
    b"\x88": _constant(True),
    b"\x89": _constant(False),
    b"K": _byte,
    b"M": _number("<H"),
    b"J": _number("<i"),
    b"\x8a": _long("<B"),
    b"\x8b": _long("<i"),
    b"G": _number(">d"),
    b"\x8c": _counted("<B", text),
    b"X": _counted("<I", text),
    b"\x8d": _counted("<Q", text),
    b"C": _counted("<B", bytes),
    b"B": _counted("<I", bytes),
    b"\x8e": _counted("<Q", bytes),
    b"\x96": _counted("<Q", bytes),
    b"U": _counted("<B", _text_or_bytes),
    b"T": _counted("<I", _text_or_bytes),
    b"(": _mark,
    b"0": _pop,
    b"1": _pop_mark,
    b"h": _get,
    b"j": _long_get,
    b"q": _put,
    b"r": _long_put,
    b"\x94": _memoize,
    b")": _constant(()),
    b"\x85": _tuple_of_one,
    b"\x86": _tuple_of_two,
    b"\x87": _tuple_of_three,
    b"t": _tuple,
    b"\x91": _tuple,  # a frozenset
    b"]": _list,
    b"\x8f": _list,  # a set
    b"a": _append,
    b"e": _appends,
    b"\x90": _appends,  # to a set
    b"}": _dict,
    b"s": _setitem,
    b"u": _setitems,
    b"c": _global,
    b"\x93": _stack_global,
    b"R": _reduce,
    b"\x81": _new,
    b"\x92": _new_with_keywords,
    b"b": _build,
    b"Q": _persistent,
}
"""The opcodes that are run. Not among them: text of protocol 0, which nobody writes since, extensions, and buffers."""

STOP = ord(".")

OPCODES: tuple[Opcode, ...] = tuple(KNOWN.get(bytes((opcode,)), _unknown) for opcode in range(256))
"""Each of the 256 bytes with what it does."""
