"""Pickles are run by a machine that executes nothing: what Python's own pickler writes is read, and code never runs."""

from __future__ import annotations

import copyreg
import os
import pickle
import pickletools
import struct
import subprocess
import sys
from contextlib import suppress
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from gpt2calc.checkpoints import pickles, torch_calls, torch_files
from gpt2calc.checkpoints.files import MemoryFile
from gpt2calc.checkpoints.machine import MOST_GLOBAL_BYTES, MOST_OPCODES, OPCODES_A_TENSOR, Global
from gpt2calc.checkpoints.opcodes import KNOWN, MOST_INTEGER_BYTES, STOP
from gpt2calc.errors import UnreadableInputError
from tests.conftest import environment
from tests.loops import of_each
from tests.makers import torch_files as make
from tests.makers.torch_pickles import Ordered, Pickler, View, integer
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path


def loaded(data: bytes) -> object:
    """Return the value of a pickle that calls nothing, and no more than it."""
    value, end = pickles.load("x.pkl", data, {}, lambda found: ("persistent", found))
    assert end == len(data)
    return value


def problem(data: bytes, **calls: Callable[[tuple[object, ...]], object]) -> str:
    """Return why a pickle is refused."""
    with pytest.raises(UnreadableInputError) as caught:
        pickles.load("x.pkl", data, calls, repr)
    assert caught.value.path == "x.pkl"
    assert len(str(caught.value)) < 300
    return caught.value.problem


def text(value: str) -> bytes:
    """Return the opcode for a text."""
    found = value.encode()
    return b"X" + struct.pack("<I", len(found)) + found


# What Python's pickler writes

VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2 ** (8 * MOST_INTEGER_BYTES - 1)), 2 ** (8 * MOST_INTEGER_BYTES - 1) - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(),
    lambda inner: (
        st.lists(inner) | st.lists(inner).map(tuple) | st.dictionaries(st.text(st.characters(max_codepoint=99)), inner)
    ),
    max_leaves=20,
)


@given(value=VALUES, protocol=st.sampled_from([3, 4, 5]))
def test_values_come_back_as_python_pickled_them(value: object, protocol: int) -> None:
    """Of every type that the machine has, in each protocol that has bytes; protocol 2 calls a function for those."""
    data = pickle.dumps(value, protocol)
    assert loaded(data) == value
    assert repr(loaded(data)) == repr(value)
    assert loaded(pickletools.optimize(data)) == value


@of_each("value", [0, 255, 256, 65535, 65536, 2**31 - 1, 2**31, -1, -(2**31), -(2**31) - 1, 2**2039 - 1])
@of_each("protocol", [2, 3, 4, 5])
def test_numbers_at_the_bounds_of_the_opcodes(value: int, protocol: int) -> None:
    """Each width, with and without a sign."""
    assert loaded(pickle.dumps(value, protocol)) == value


LARGE = {
    "a list of 2,500": list(range(2500)),
    "a dict of 2,500": {str(i): i for i in range(2500)},
    "a text of 300": "é" * 300,
    "a text of 70,000": "é" * 70_000,
    "bytes of 300": b"\xff" * 300,
    "bytes of 70,000": b"\xff" * 70_000,
    "the same text 300 times": [str(i) for i in range(300)] * 2,
    "tuples": [(), (1,), (1, 2), (1, 2, 3), (1, 2, 3, 4)],
}


@of_each("case", LARGE)
@of_each("protocol", [3, 4, 5])
def test_batches_frames_and_memos_of_every_size(case: str, protocol: int) -> None:
    """As Python writes them, with more than 256 numbers in the memo."""
    assert loaded(pickle.dumps(LARGE[case], protocol)) == LARGE[case]


def test_sets_and_byte_arrays_are_lists_and_bytes() -> None:
    """They have opcodes of their own, and no tensor is in them."""
    assert loaded(pickle.dumps({7}, 4)) == [7]
    assert loaded(pickle.dumps(frozenset({7}), 4)) == (7,)
    assert loaded(pickle.dumps(bytearray(b"ab"), 5)) == b"ab"


def test_python_2_texts_are_texts_or_bytes() -> None:
    """It had one type for both."""
    assert loaded(b"\x80\x02U\x02ab.") == "ab"
    assert loaded(b"\x80\x02T\x02\0\0\0\xff\xfe.") == b"\xff\xfe"


def test_a_key_that_is_no_text_is_replaced() -> None:
    """Its hash would be its author's choice."""
    found = loaded(pickle.dumps({1: "a", "b": 2, 2.5: "c", None: "d"}, 2))
    assert isinstance(found, dict)
    assert found["b"] == 2
    assert sorted(str(value) for value in found.values()) == ["2", "a", "c", "d"]
    assert [type(key) for key in found if key != "b"] == [object] * 3


def test_values_may_hold_themselves() -> None:
    """As Python's may; a state_dict in itself is entered once."""
    inner: list[Any] = []
    inner.append(inner)
    found = loaded(pickle.dumps(inner, 2))
    assert isinstance(found, list)
    assert found[0] is found
    pickled = Pickler().dump(View("U8", (1,), "0"))[2:-1]
    data = b"\x80\x02}r\xc8\0\0\0(" + text("wte") + pickled + text("self") + b"j\xc8\0\0\0u."
    content = make.around(data, ("data/0", 1))
    assert [tensor.name for tensor in torch_files.read(MemoryFile("x", content)).tensors] == ["wte"]


def test_what_stands_behind_a_pickle_is_left_alone() -> None:
    """A legacy file has five of them, one behind the other."""
    data = b"".join(pickle.dumps(value, 2) for value in (1, "b", [3]))
    found, at = [], 0
    while at < len(data):
        value, at = pickles.load("x", data, {}, repr, at)
        found.append(value)
    assert found == [1, "b", [3]]


def test_a_name_is_kept_and_not_imported() -> None:
    """Only calling it is refused."""
    found = loaded(b"\x80\x02cno.such.module\nthing\n.")
    assert isinstance(found, Global)
    assert found.name == "no.such.module.thing"


def test_what_may_be_called_is_called_with_the_arguments() -> None:
    """By whichever opcode gave the name, and by the two that call."""
    seen: list[object] = []
    for data in (b"cm\nf\nK\x07\x85R.", text("m") + text("f") + b"\x93K\x07\x85R.", b"cm\nf\nK\x07\x85\x81."):
        assert pickles.load("x", b"\x80\x04" + data, {"m.f": seen.append}, repr)[0] is None
    assert seen == [(7,)] * 3


# Opcodes

WRITTEN = {code.code.encode("latin-1") for code in pickletools.opcodes}
"""Every opcode of every protocol, as Python documents them."""

OLD = set("IFLSVdglpioP2")
"""Those that protocols 2 to 5 do not write: text of protocol 0, and what only old picklers wrote."""

OUTWARD = {b"\x82", b"\x83", b"\x84", b"\x97", b"\x98"}
"""Those that refer to what is outside of the pickle: extensions, which are registered names, and buffers."""


def test_every_opcode_of_protocols_2_to_5_is_known() -> None:
    """But for those that refer to what is outside; and the end is the machine's own."""
    assert {*KNOWN, bytes((STOP,))} == WRITTEN - {letter.encode() for letter in OLD} - OUTWARD
    assert len(KNOWN) == 49


@of_each("opcode", [code for code in range(256) if bytes((code,)) not in KNOWN and code != STOP])
def test_any_other_byte_is_refused(opcode: int) -> None:
    """Where an opcode is expected, and said with its place."""
    expected = f"expected opcodes of pickle protocols 2 to 5, got {opcode:#04x} at byte 3 of the pickle"
    assert problem(b"\x80\x02N" + bytes((opcode,)) + b"0" * 20) == expected


BEFORE = (b"", b"(", b"N", b"(N", b"NN", b"}N", b"]N", b"cos\nmkdir\n", b"K\x01(K\x02")
AFTER = (b"", b".", b"\0" * 8 + b".", b"\xff" * 9 + b".")


def test_no_opcode_fails_in_another_way_than_by_an_error() -> None:
    """Whatever lies on the stack, or does not, and whatever follows, or does not: each of 9,216 pickles."""
    loaded = 0
    for opcode, before, after in product(range(256), BEFORE, AFTER):
        with suppress(UnreadableInputError):
            pickles.load("x", b"\x80\x02" + before + bytes((opcode,)) + after, {}, repr)
            loaded += 1
    assert 0 < loaded < 1000


WRONG = {
    "nothing": (b"", "expected a whole pickle, got one that is cut off after 0 bytes"),
    "no end": (b"\x80\x02N", "expected a whole pickle, got one that is cut off after 3 bytes"),
    "no protocol": (b"N.", "expected a pickle of protocol 2 to 5, got a first byte of 0x4e"),
    "protocol 0": (pickle.dumps(1, 0), "expected a pickle of protocol 2 to 5, got a first byte of 0x49"),
    "protocol 1": (b"\x80\x01N.", "expected a pickle of protocol 2 to 5, got 1"),
    "protocol 6": (b"\x80\x06N.", "expected a pickle of protocol 2 to 5, got 6"),
    "two values": (b"\x80\x02NN.", "expected one value on the stack at the pickle's end, got more or fewer"),
    "no value": (b"\x80\x02.", "expected one value on the stack at the pickle's end, got more or fewer"),
    "an open mark": (b"\x80\x02(N.", "expected one value on the stack at the pickle's end, got more or fewer"),
    "a mark that is not there": (b"\x80\x02t.", "expected a value on the stack or in the memo at byte 2 of the pickle"),
    "a memo that is empty": (b"\x80\x02h\0.", "expected a value on the stack or in the memo at byte 2 of the pickle"),
    "a key without a value": (b"\x80\x02}(Nu.", "expected a value for each key, got a key without one"),
    "a key set in a list": (b"\x80\x02]NNs.", "expected keys to be set in dicts only, got a list"),
    "an item of a dict": (b"\x80\x02}Na.", "expected values to be added to lists and sets only, got a dict"),
    "an item of a tuple": (b"\x80\x02)Na.", "expected values to be added to lists and sets only, got a tuple"),
    "state of a list": (b"\x80\x02]}b.", "expected state for an OrderedDict only, got it for a list"),
    "state of a name": (b"\x80\x02cos\nenviron\n}b.", "expected state for an OrderedDict only, got it for os.environ"),
    "no UTF-8": (b"\x80\x02X\1\0\0\0\xff.", "expected text in UTF-8, got b'\\xff'"),
    "half of a pair": (pickle.dumps("\ud800", 2), "expected text in UTF-8, got b'\\xed\\xa0\\x80'"),
    "a name without UTF-8": (b"\x80\x02c\xff\nx\n.", "expected text in UTF-8, got b'\\xff'"),
    "a name of numbers": (b"\x80\x04K\1K\2\x93.", "expected names of at most 1,000 bytes, got an int and an int"),
    "a number called": (b"\x80\x02K\1)R.", "expected only calls that rebuild tensors, got an int"),
    "a list of arguments": (b"\x80\x02cm\nf\n]R.", "expected only calls that rebuild tensors, got m.f"),
    "an integer of -1 bytes": (b"\x80\x02\x8b\xff\xff\xff\xff.", "expected integers of 0 to 255 bytes, got one of -1"),
    "a frame that is longer": (b"\x80\x04\x95\3\0\0\0\0\0\0\0N.", "expected a whole pickle, got one that is cut off"),
    "a text of 2^64 - 1 bytes": (b"\x80\x04\x8d" + b"\xff" * 8 + b"a.", "expected a whole pickle, got one that is cut"),
    "bytes of 2^63 bytes": (b"\x80\x04\x8e" + bytes(7) + b"\x80a.", "expected a whole pickle, got one that is cut"),
    "a memo at 4 billion": (
        b"\x80\x02Nr\xff\xff\xff\xff.",
        "expected numbers below 500,000 in the memo, got 4,294,967",
    ),
    "a name in colours": (b"\x80\x02c\x1b[31m\nx\n)R.", r"expected only calls that rebuild tensors, got \x1b[31m.x"),
}


@of_each("case", WRONG)
def test_what_is_wrong_is_said(case: str) -> None:
    """Each by its own sentence."""
    data, expected = WRONG[case]
    assert expected in problem(data)


@pytest.mark.parametrize("value", [{"a": [1, (2.5, "é", b"x" * 300)] * 3}, "x" * 300])
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_pickle_that_is_cut_off_anywhere_is_said_to_be(value: object, protocol: int) -> None:
    """So that a legacy file is read further, and not refused."""
    data = pickle.dumps(value if protocol > 2 else ["x" * 300, 1, (2,), {"a": None}], protocol)
    loaded(data)
    for size in range(len(data)):
        with pytest.raises(pickles.TruncatedPickleError):
            pickles.load("x", data[:size], {}, repr)


# Bounds


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_opcodes(more: int) -> None:
    """The protocol is one, and the end is one."""
    data = b"\x80\x02N" + b"\x94" * (MOST_OPCODES - 3 + more) + b"."
    if more < 1:
        assert loaded(data) is None
    else:
        assert problem(data) == f"expected a pickle of at most {MOST_OPCODES:,} opcodes, got a longer one"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_each_file_beside_a_pickle_allows_for_more_opcodes(more: int) -> None:
    """As each storage is a file of its own, so that a model of many tensors is read as one of few."""
    count = MOST_OPCODES + 3 * OPCODES_A_TENSOR + more
    data = b"\x80\x02N" + b"\x94" * (count - 3) + b"."
    if more < 1:
        assert pickles.load("x", data, {}, repr, beside=3)[0] is None
    else:
        with pytest.raises(UnreadableInputError, match="expected a pickle of at most 500,144 opcodes"):
            pickles.load("x", data, {}, repr, beside=3)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_bytes(more: int) -> None:
    """All in one text."""
    data = (
        b"\x80\x02B"
        + struct.pack("<I", pickles.MOST_PICKLE_BYTES - 8 + more)
        + bytes(pickles.MOST_PICKLE_BYTES - 8 + more)
        + b"."
    )
    assert len(data) == pickles.MOST_PICKLE_BYTES + more
    if more < 1:
        assert loaded(data) == bytes(pickles.MOST_PICKLE_BYTES - 8 + more)
    else:
        assert problem(data) == "expected a pickle of at most 16,777,216 bytes, got 16,777,217"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_longest_integer(more: int) -> None:
    """PyTorch's magic number has ten bytes."""
    data = b"\x80\x02\x8b" + struct.pack("<i", 255 + more) + b"\x01" * (255 + more) + b"."
    if more < 1:
        assert loaded(data) == int.from_bytes(b"\x01" * (255 + more), "little")
    else:
        assert problem(data) == "expected integers of 0 to 255 bytes, got one of 256"


@of_each("more", [-1, 0, 1])
@of_each("place", ["module", "name"])
@of_each("opcode", ["GLOBAL", "STACK_GLOBAL"])
def test_the_longest_name(opcode: str, place: str, more: int) -> None:
    """As a line, or from the stack."""
    long, other = "a" * (MOST_GLOBAL_BYTES + more), "b"
    module, name = (long, other) if place == "module" else (other, long)
    line, stack = f"c{module}\n{name}\n".encode(), text(module) + text(name) + b"\x93"
    data = b"\x80\x04" + (line if opcode == "GLOBAL" else stack) + b"."
    if more < 1:
        assert getattr(loaded(data), "name", None) == f"{module}.{name}"
    else:
        assert "expected names of at most 1,000 bytes, got " in problem(data)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_highest_number_in_the_memo(more: int) -> None:
    """One number for each opcode is enough."""
    data = b"\x80\x02Nr" + struct.pack("<I", MOST_OPCODES - 1 + more) + b"."
    if more < 1:
        assert loaded(data) is None
    else:
        assert problem(data) == "expected numbers below 500,000 in the memo, got 500,000"


# Pickles that run code


def reduced(name: str, path: str) -> bytes:
    """Return the opcodes that call a function with a path."""
    module, _, name = name.rpartition(".")
    return f"c{module}\n{name}\n".encode() + text(path) + b"\x85R"


def evaluated(path: str) -> str:
    """Return an expression that makes a folder."""
    return f"__import__('os').mkdir({path!r})"


RUN: dict[str, Callable[[str], bytes]] = {
    "REDUCE": lambda path: reduced("os.mkdir", path),
    "REDUCE of what is not used": lambda path: b"}" + reduced("os.mkdir", path) + b"0",
    "REDUCE in a key": lambda path: b"}" + reduced("os.mkdir", path) + b"Ns",
    "REDUCE of a name in the memo": lambda path: b"cos\nmkdir\nq\0" + b"0h\0" + text(path) + b"\x85R",
    "STACK_GLOBAL": lambda path: text("os") + text("mkdir") + b"\x93" + text(path) + b"\x85R",
    "a name with a dot": lambda path: (
        b"\x80\x04" + text("os") + text("path.os.mkdir") + b"\x93" + text(path) + b"\x85R"
    ),
    "INST": lambda path: b"(" + text(path) + b"ios\nmkdir\n",
    "OBJ": lambda path: b"(cos\nmkdir\n" + text(path) + b"o",
    "EXT1": lambda path: b"\x82\xf0" + text(path) + b"\x85R",
    "EXT2": lambda path: b"\x83\xf0\0" + text(path) + b"\x85R",
    "EXT4": lambda path: b"\x84\xf0\0\0\0" + text(path) + b"\x85R",
    "eval": lambda path: reduced("builtins.eval", evaluated(path)),
    "exec": lambda path: reduced("builtins.exec", evaluated(path)),
    "Python 2's eval": lambda path: b"\x80\x02" + reduced("__builtin__.eval", evaluated(path)),
    "os.system": lambda path: reduced("os.system", f"mkdir '{path}'"),
    "posix.system": lambda path: reduced("posix.system", f"mkdir '{path}'"),
    "subprocess": lambda path: b"csubprocess\nrun\n](" + text("mkdir") + text(path) + b"e\x85R",
    "NEWOBJ": lambda path: b"cpathlib\nPosixPath\n" + text(path) + b"\x85\x81" + reduced("os.mkdir", path) + b"0",
    "BUILD": lambda path: b"cfunctools\npartial\ncos\nmkdir\n\x85\x81(cos\nmkdir\n" + text(path) + b"\x85}Ntb)R",
    "a rebuilding function that calls": lambda path: (
        b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nmkdir\nctorch\nTensor\n" + text(path) + b"\x85}tR"
    ),
    "a rebuilding function that unpickles": lambda path: (
        b"ctorch.storage\n_load_from_bytes\nB"
        + struct.pack("<I", len(make.legacy_seeds()[0]))
        + make.legacy_seeds()[0]
        + b"\x85R0"
        + reduced("os.mkdir", path)
    ),
}
"""Pickles that make a folder when they are unpickled, without their protocol and end."""


@pytest.fixture
def registered() -> Any:
    """Register a function as an extension, as EXT opcodes need."""
    copyreg.add_extension("os", "mkdir", 0xF0)
    yield
    copyreg.remove_extension("os", "mkdir", 0xF0)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("case", RUN)
def test_the_pickles_do_run_code_where_they_are_unpickled(case: str, tmp_path: Path) -> None:
    """By Python itself: so that the next test is able to fail."""
    path = str(tmp_path / "ran")
    with suppress(AttributeError):  # PyTorch's function calls what it is given, and fails behind that
        pickle.loads(b"\x80\x04" + RUN[case](path) + b".")
    assert os.path.isdir(path)


@pytest.mark.usefixtures("registered")
@pytest.mark.parametrize("where", ["zip", "legacy 0", "legacy 1", "legacy 2", "legacy 3", "legacy 4", "within", "id"])
@of_each("case", RUN)
def test_code_is_never_run(case: str, where: str, tmp_path: Path) -> None:
    """In a zip, in each of the five pickles of a legacy file, deep within a state_dict, and in a storage's id."""
    path = str(tmp_path / "ran")
    code = RUN[case](path)
    evil = b"\x80\x04" + code + b"."
    tensor = Pickler().dump(View("U8", (1,), "0"))[2:-1]
    if where == "zip":
        content = make.around(evil, ("data/0", 1))
    elif where == "within":
        inner = b"\x80\x02}" + text("a") + b"](" + tensor + b"}" + text("b") + code + b"ses."
        content = make.around(inner, ("data/0", 1))
    elif where == "id":
        content = make.around(b"\x80\x02(" + text("storage") + code + text("0") + text("cpu") + b"K\x01tQ.")
    else:
        number = int(where[-1])
        value, keys = Pickler(legacy=True).dump(Ordered({"x": View("U8", (1,), "0")})), Pickler().dump(["0"])
        parts = [make.HEAD[:14], make.HEAD[14:], Pickler().dump(make.SYSTEM), value, keys]
        parts[number] = evil if number else parts[0][:13] + code + b"."
        content = b"".join(parts) + b"\x01" + bytes(8)
    with pytest.raises(UnreadableInputError):
        torch_files.read(MemoryFile("x", content))
    assert not os.path.lexists(path)


def test_importing_is_no_part_of_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that is named is not imported, even where it is found."""
    (tmp_path / "planted_module.py").write_text("raise SystemExit('imported')\n")
    monkeypatch.syspath_prepend(tmp_path)
    assert "got planted_module.call" in problem(b"\x80\x02cplanted_module\ncall\n)R.")
    loaded(b"\x80\x02cplanted_module\ncall\n.")
    assert "planted_module" not in sys.modules


# Pickles that take time or memory

ARGUMENTS = (
    b"((" + text("storage") + b"ctorch\nByteStorage\n" + text("0") + text("cpu") + b"K\x01tQK\x00" + b"%b" + b"%b\x89Nt"
)


def sized(dimensions: int) -> bytes:
    """Return the arguments of a tensor of one element in so many dimensions, under the number 2 of the memo."""
    sizes = b"(" + b"K\x01" * dimensions + b"t"
    return ARGUMENTS.replace(b"%b%b", sizes + sizes) + b"q\x02"


TENSOR = b"ctorch._utils\n_rebuild_tensor_v2\nq\x01" + sized(1) + b"Rq\x030"
"""A tensor under the number 3, its arguments under 2, and what rebuilds it under 1."""


def tensors(count: int, value: bytes = b"h\x03") -> bytes:
    """Return a dictionary of so many tensors."""
    return b"}(" + b"".join(text(f"{i:x}") + value for i in range(count)) + b"u"


def within(keys: list[str], inner: bytes) -> bytes:
    """Return a value in dictionaries in each other."""
    return b"".join(b"}" + text(key) for key in keys) + inner + b"s" * len(keys)


MANY_OPCODES = MOST_OPCODES - 10_000
BOMBS: dict[str, Callable[[], bytes]] = {
    "long keys above many tensors": lambda: TENSOR + within(["k" * 40_000] * 7, tensors(150_000)),
    "long names of many tensors": lambda: TENSOR + within(["\U0001f600" * 290], tensors(150_000)),
    "more tensors than there may be": lambda: TENSOR + tensors(240_000),
    "tensors of 8 dimensions, rebuilt again and again": lambda: (
        TENSOR.replace(sized(1), sized(8)) + tensors(120_000, b"h\1h\2R")
    ),
    "tensors of 64 dimensions": lambda: TENSOR.replace(sized(1), sized(64)) + b"N",
    "calls that are dropped": lambda: TENSOR + b"h\1h\2R0" * 120_000 + b"N",
    "storages named again and again": lambda: (
        b"(" + text("storage") + b"ctorch\nByteStorage\n" + text("0") + text("cpu") + b"K\x01tq\1" + b"Q0h\1" * 160_000
    ),
    "storages, each another": lambda: b"".join(
        b"(" + text("storage") + b"ctorch\nByteStorage\n" + text(f"{i}") + text("cpu") + b"K\x01tQ0"
        for i in range(60_000)
    ),
    "lists": lambda: b"]" * MANY_OPCODES,
    "dictionaries": lambda: b"}" * MANY_OPCODES,
    "marks": lambda: b"(" * MANY_OPCODES,
    "tuples in tuples": lambda: b")" + b"\x85" * MANY_OPCODES,
    "lists in lists": lambda: b"]" * (MANY_OPCODES // 2) + b"a" * (MANY_OPCODES // 2 - 1),
    "dictionaries in dictionaries": lambda: (
        b"}" + (text("a") + b"}") * (MANY_OPCODES // 3) + b"s" * (MANY_OPCODES // 3)
    ),
    "keys that are no text": lambda: b"}(" + b"NN" * (MANY_OPCODES // 2) + b"u",
    "names": lambda: (b"c" + b"a" * 900 + b"\n" + b"b" * 900 + b"\n") * 9000,
    "names from the stack": lambda: text("a" * 1000) + b"q\1" + b"h\1h\1\x93" * (MANY_OPCODES // 3),
    "one long text": lambda: text("\U0001f600" * 4_000_000),
    "bytes": lambda: b"B" + struct.pack("<I", 16_000_000) + bytes(16_000_000),
    "long integers": lambda: (b"\x8a\xff" + b"\x7f" * 255) * 60_000,
    "floats": lambda: (b"G" + bytes(8)) * MANY_OPCODES,
    "a list that doubles": lambda: b"]q\0" + b"(h\0h\0e" * (MANY_OPCODES // 4),
    "a laugh in lists": lambda: b"]q\0" + b"".join(b"0](" + b"h%c" % i * 10 + b"eq%c" % (i + 1) for i in range(200)),
    "a laugh in dictionaries": lambda: (
        b"}q\0"
        + b"".join(
            b"0}(" + b"".join(text(str(n)) + b"h%c" % i for n in range(10)) + b"uq%c" % (i + 1) for i in range(200)
        )
    ),
    "a laugh in tuples": lambda: b")q\0" + b"".join(b"0h%ch%c\x86q%c" % (i, i, i + 1) for i in range(200)),
    "the memo's highest number": lambda: b"}r" + struct.pack("<I", MOST_OPCODES - 1),
    "everything in the memo": lambda: b"}" + b"\x94" * MANY_OPCODES,
    "an OrderedDict of the same items again and again": lambda: (
        b"ccollections\nOrderedDict\nq\1](NN\x86q\2" + b"h\2" * 999 + b"e\x85q\3" + b"h\1h\3R0" * 100_000
    ),
    "no end": lambda: b"N0" * 8_000_000,
}
"""Pickles that would take much of something, without their protocol and end."""

LIMITED = """
import os, resource, sys
from gpt2calc.checkpoints import torch_files
from gpt2calc.checkpoints.files import LocalFile
from gpt2calc.errors import UnreadableInputError

def limit(seconds=2):
    resource.setrlimit(resource.RLIMIT_AS, (200 << 20, 200 << 20))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
"""

READING = """
for path in sys.argv[1:]:
    print("@", os.path.basename(path), flush=True)
    child = os.fork()  # a process for each file, and for all of them one interpreter that starts
    if not child:
        limit()
        with LocalFile(path) as file:
            try:
                torch_files.read(file)
            except UnreadableInputError as error:
                print(error.problem, flush=True)
        os._exit(0)
    print(os.waitpid(child, 0)[1], flush=True)
"""


def refused(folder: Path) -> dict[str, bool]:
    """Say of each file of a folder whether it is refused in one line, by a process of little time and memory."""
    ran = subprocess.run(
        [sys.executable, "-c", LIMITED + READING, *map(str, folder.iterdir())],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
    )
    assert (ran.returncode, ran.stderr) == (0, "")
    answers = map(str.splitlines, ran.stdout.split("@ ")[1:])
    return {name: (len(said), said[0][:9], said[-1]) == (2, "expected ", "0") for name, *said in answers}


@pytest.mark.skipif(sys.platform == "darwin", reason="macOS does not hold a process to its address space")
def test_what_would_take_much_is_refused_in_little_time_and_memory(tmp_path: Path) -> None:
    """In a process of 200 MB, Python among them, and 2 seconds of a processor; every other one in a legacy file."""
    asked = dict(list(BOMBS.items())[:: 1 if IS_WIDE else 3])
    for number, (case, bomb) in enumerate(asked.items()):
        pickled = bomb()
        zipped = make.around(b"\x80\x02" + pickled + b".", ("data/0", 1))
        legacy = make.HEAD + Pickler().dump(make.SYSTEM) + b"\x80\x02" + pickled + b"." + Pickler().dump(["0"])
        (tmp_path / case).write_bytes(legacy + b"\x01" + bytes(8) if number % 2 else zipped)
    assert refused(tmp_path) == dict.fromkeys(asked, True)


def test_the_child_is_able_to_fail() -> None:
    """A process of 200 MB does not hold what is larger, and one of so many seconds ends."""
    for code in ("limit()\nbytearray(200 << 20)", "limit(1)\nwhile True: pass"):
        script = f"{LIMITED}\n{code}"
        ran = subprocess.run([sys.executable, "-c", script], check=False, capture_output=True, env=environment())
        assert ran.returncode != 0


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_items_of_ordered_dicts(more: int) -> None:
    """Counted over all calls, since each may have the same items."""
    count = torch_calls.MOST_ITEMS // 1000
    items = b"](NN\x86q\2" + b"h\2" * 999 + b"e\x85q\3"
    calls = b"".join(b"h\1h\3R0" for _ in range(count - 1))
    rest = b"h\1](" + b"h\2" * (1000 + more) + b"e\x85R0"
    data = b"\x80\x02}ccollections\nOrderedDict\nq\1" + items + b"0" + calls + rest + b"0."
    content = make.around(data)
    with pytest.raises(UnreadableInputError) as caught:
        torch_files.read(MemoryFile("x", content))
    expected = "expected at most 500,000 items that dictionaries" if more > 0 else "expected tensors by name, got none"
    assert caught.value.problem.startswith(expected)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_tensors(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """All names of one tensor, besides that one; fifty thousand, of which a thousand stand here."""
    monkeypatch.setattr(torch_files, "MOST_SHARING_TENSORS", 999)
    count = 1000 + more
    content = make.around(b"\x80\x02" + TENSOR + tensors(count) + b".", ("data/0", 1))
    if more < 1:
        assert len(torch_files.read(MemoryFile("x", content)).tensors) == count
    else:
        with pytest.raises(UnreadableInputError, match="expected at most 1,000 tensors, got more"):
            torch_files.read(MemoryFile("x", content))


# What may be called

CALLS: dict[str, tuple[bytes, str]] = {
    "an unknown function": (
        b"ctorch._utils\n_rebuild\n)R",
        "expected only calls that rebuild tensors, got torch._util",
    ),
    "no storage": (b"ctorch._utils\n_rebuild_tensor_v2\n(NK\0))tR", "expected a storage, an offset, a shape and"),
    "too few arguments": (b"ctorch._utils\n_rebuild_tensor_v2\n)R", "expected a storage, an offset, a shape and"),
    "a shape of texts": (b"%T(%SQK\0" + text("a") + b"\x85K\x01\x85\x89NtR", "expected sizes of 0 to 9,223,372,036,85"),
    "a shape that is true": (
        b"%T(%SQK\0\x88\x85K\x01\x85\x89NtR",
        "expected sizes of 0 to 9,223,372,036,854,775,807, ",
    ),
    "a shape that is a list": (b"%T(%SQK\0]K\x01\x85\x89NtR", "expected a tuple of at most 8 sizes, got a list"),
    "a parameter of nothing": (b"ctorch._utils\n_rebuild_parameter\nN\x85R", "expected a storage, an offset, a shape"),
    "a class of its own": (
        b"ctorch._tensor\n_rebuild_from_type_v2\n(ctorch._utils\n_rebuild_tensor_v2\ncmy\nTensor\n)}tR",
        "expected plain tensors, got one of the class my.Tensor",
    ),
    "a class of its own, otherwise": (
        b"ctorch._tensor\n_rebuild_from_type_v2\n)R",
        "expected a call that rebuilds a tensor, got one with other arguments",
    ),
    "a plain tensor by another function": (
        b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nmkdir\nctorch\nTensor\n)}tR",
        "expected only calls that rebuild tensors, got os.mkdir",
    ),
    "an object with keywords": (b"cos\nmkdir\n)}\x92", "got an object of os.mkdir, a class that would have to be"),
    "no dtype": (b"ctorch._utils\n_rebuild_tensor_v3\n(%SQK\0))\x89NNtR", "expected a storage, an offset, a shape and"),
    "no dtype on the meta device": (
        b"ctorch._utils\n_rebuild_meta_tensor_no_storage\n(K\1))\x89tR",
        "expected a storage, an offset, a shape and strides to rebuild a tensor from, got an int, a tuple, a",
    ),
    "an id of nothing": (b"NQ", "expected the id of a storage: its class, key, device and number of elements"),
    "an id of a text": (text("storage") + b"Q", "expected the id of a storage"),
    "an id of four": (
        b"(" + text("storage") + b"ctorch\nByteStorage\n" + text("0") + text("cpu") + b"tQ",
        "the id of a",
    ),
    "a storage of no class": (
        b"(" + text("storage") + b"cos\nmkdir\n" + text("0") + text("cpu") + b"K\1tQ",
        "os.mkdir",
    ),
    "a negative storage": (
        b"(" + text("storage") + b"ctorch\nByteStorage\n" + text("0") + text("cpu") + integer(-1) + b"tQ",
        "expected a number of elements for storage '0', got -1",
    ),
    "a storage of 2^63": (
        b"(" + text("storage") + b"ctorch\nByteStorage\n" + text("0") + text("cpu") + integer(2**63) + b"tQ",
        "expected a number of elements for storage '0', got 9223372036854775808",
    ),
    "a key of 101 characters": (
        b"(" + text("storage") + b"ctorch\nByteStorage\n" + text("k" * 101) + text("cpu") + b"K\1tQ",
        "expected the id of a storage",
    ),
    "an unknown dtype": (
        b"ctorch._utils\n_rebuild_tensor_v3\n(%SQK\0K\x01\x85K\x01\x85\x89Nctorch\nint3\ntR",
        "expected a dtype of PyTorch, got torch.int3",
    ),
    "a dtype of another module": (
        b"ctorch._utils\n_rebuild_tensor_v3\n(%SQK\0K\x01\x85K\x01\x85\x89Nctorch.x\nint8\ntR",
        "expected a dtype of PyTorch, got torch.x.int8",
    ),
    "items that are no pairs": (
        b"ccollections\nOrderedDict\n]Na\x85R",
        "pairs as the items of an OrderedDict, got None",
    ),
    "items that are no list": (b"ccollections\nOrderedDict\n}\x85R", "expected an OrderedDict of a list of items"),
    "a list of arguments": (b"ctorch\nSize\n]R", "expected only calls that rebuild tensors, got torch.Size"),
    "a size of two": (b"ctorch\nSize\n))\x86R", "expected a torch.Size of one tuple"),
}
"""Calls with other arguments than PyTorch gives. %T stands for what rebuilds a tensor, %S for the id of a storage."""


@of_each("case", CALLS)
def test_a_call_with_other_arguments_is_refused(case: str) -> None:
    """Each by its own sentence."""
    code, expected = CALLS[case]
    storage = b"(" + text("storage") + b"ctorch\nByteStorage\n" + text("0") + text("cpu") + b"K\x01t"
    code = code.replace(b"%T", b"ctorch._utils\n_rebuild_tensor_v2\n").replace(b"%S", storage)
    with pytest.raises(UnreadableInputError) as caught:
        torch_files.read(MemoryFile("x", make.around(b"\x80\x02" + code + b".", ("data/0", 1))))
    assert expected in caught.value.problem
