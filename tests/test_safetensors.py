"""safetensors files are read by their header alone, and refused wherever the format's own library refuses them."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save, save_file

from gpt2calc.checkpoints import safetensors, strict_json
from gpt2calc.checkpoints.files import LocalFile, MemoryFile
from gpt2calc.errors import UnreadableInputError
from gpt2calc.listing import BYTES_A_TENSOR
from tests.fuzz import READERS
from tests.fuzz.mutations import ANY, mutated
from tests.makers import safetensors as make

if TYPE_CHECKING:
    from pathlib import Path

    from gpt2calc.listing import TensorListing


def listed(content: bytes) -> TensorListing:
    """Read a file in memory."""
    return safetensors.read(MemoryFile("x.safetensors", content))


def problem(content: bytes) -> str:
    """Return what is wrong with a file that must be refused, in one short and printable line."""
    with pytest.raises(UnreadableInputError) as caught:
        listed(content)
    assert caught.value.path == "x.safetensors"
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 300
    return caught.value.problem


def library(path: Path) -> frozenset[tuple[str, tuple[int, ...], str]] | None:
    """Return what the format's own library finds in a file, None where it refuses it."""
    try:
        with safe_open(str(path), framework="numpy") as file:
            slices = {name: file.get_slice(name) for name in file.keys()}  # noqa: SIM118 - it is no dictionary
            return frozenset((name, tuple(x.get_shape()), x.get_dtype()) for name, x in slices.items())
    except SafetensorError:
        return None


def tensor(**changed: Any) -> dict[str, Any]:
    """Return the entry of two bytes, with other values for some of its keys."""
    return {"dtype": "U8", "shape": [2], "data_offsets": [0, 2], **changed}


def unused(text: str) -> bytes:
    """Return a file with one tensor, which has a key that no reader uses, with a value as it is written here."""
    return framed(json.dumps({"a": tensor(x=0)}).replace('"x": 0', f'"x": {text}'))


def framed(document: object, data: bytes = b"\0\0") -> bytes:
    """Return a file whose header is a document, or text as it is."""
    return make.framed((document if isinstance(document, str) else json.dumps(document)).encode(), data)


# What is read


def test_every_tensor_lies_where_the_library_writes_it() -> None:
    """The bytes of each tensor in the listing are the values that were saved."""
    tensors = {
        "wte.weight": torch.arange(12, dtype=torch.float32).reshape(4, 3),
        "half": torch.arange(6, dtype=torch.bfloat16).reshape(2, 3),
        "mask": torch.tril(torch.ones(1, 1, 3, 3, dtype=torch.bool)),
        "scalar": torch.tensor(-1e4, dtype=torch.float16),
        "none": torch.zeros(0, 5, dtype=torch.int64),
    }
    content = save(tensors, {"format": "pt"})
    listing = listed(content)
    assert (listing.name, listing.format, listing.faults, listing.notes) == ("x.safetensors", "safetensors", (), ())
    assert [(x.path, x.size) for x in listing.files] == [("x.safetensors", len(content))]
    assert {x.name for x in listing.tensors} == set(tensors)
    for found in listing.tensors:
        value = tensors[found.name]
        assert (found.shape, found.numel, found.file) == (tuple(value.shape), value.numel(), "x.safetensors")
        assert (found.storage, found.stride) == (None, None)
        assert found.offset is not None
        stored = content[found.offset : found.offset + found.nbytes]
        assert stored == value.contiguous().view(-1).view(torch.uint8).numpy().tobytes()


def test_tensors_come_in_the_order_of_their_bytes() -> None:
    """However the header orders them."""
    document = {"b": tensor(data_offsets=[2, 4]), "a": tensor(data_offsets=[4, 6]), "c": tensor()}
    assert [x.name for x in listed(framed(document, bytes(6))).tensors] == ["c", "b", "a"]


@pytest.mark.parametrize("dtype", safetensors.SIZES)
def test_every_dtype_of_the_format_has_its_size(dtype: str, tmp_path: Path) -> None:
    """Eight elements take as many bytes as one has bits, for the library too; one byte more or less is refused."""
    bits = safetensors.SIZES[dtype]
    for size in (bits - 1, bits, bits + 1):
        content = framed({"x": tensor(dtype=dtype, shape=[2, 4], data_offsets=[0, size])}, bytes(size))
        (tmp_path / "x").write_bytes(content)
        if size == bits:
            assert listed(content).tensors[0][1:4] == ((2, 4), dtype, bits)
            assert library(tmp_path / "x") == frozenset({("x", (2, 4), dtype)})
        else:
            assert f"to have the bytes of 8 elements of {bits} bits, got {size}" in problem(content)
            assert library(tmp_path / "x") is None


@pytest.mark.parametrize(
    ("n_layer", "n_embd", "stored"),
    [(12, 768, 137_022_720), (24, 1024, 379_988_992), (36, 1280, 811_778_816), (48, 1600, 1_607_942_848)],
)
def test_the_released_files_are_read_by_their_header(n_layer: int, n_embd: int, stored: int, tmp_path: Path) -> None:
    """The parameters and one mask a block, as the hub sums them; the header is read, and no byte of the weights."""
    size = make.write(tmp_path / "model.safetensors", make.released(n_layer, n_embd))
    with LocalFile(str(tmp_path / "model.safetensors")) as file:
        counted = Counted(file)
        listing = safetensors.read(counted)
        header = 8 + int.from_bytes(file.read(0, 8), "little")
    assert sum(x.numel for x in listing.tensors) == stored
    assert sum(x.nbytes for x in listing.tensors) == 4 * stored == size - header
    assert sum(count for _, count in counted.asked) == max(header, safetensors.FIRST_READ)


def test_a_file_of_the_library_is_read_as_the_library_reads_it(tmp_path: Path) -> None:
    """Names, shapes and dtypes are those that safe_open gives."""
    save_file({"a": torch.zeros(2, 3), "b.c": torch.zeros(4, dtype=torch.uint8)}, tmp_path / "x")
    found = listed((tmp_path / "x").read_bytes())
    assert library(tmp_path / "x") == frozenset((x.name, x.shape, x.dtype) for x in found.tensors)


def test_another_framework_is_noted() -> None:
    """What transformers takes the metadata for."""
    assert listed(make.content([], {"format": "tf"})).notes == (
        "its metadata says that it was saved as 'tf', not as 'pt'",
    )
    assert listed(make.content([], {"format": "pt", "by": "me"})).notes == ()
    assert listed(make.content([], {"by": "me"})).notes == ()
    assert listed(framed({"__metadata__": None}, b"")).notes == ()


# How much is read


class Counted:
    """A file that keeps what it was asked for."""

    def __init__(self, file: LocalFile | MemoryFile) -> None:
        self.name, self.size, self.asked = file.name, file.size, list[tuple[int, int]]()
        self._file = file

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset` on."""
        self.asked.append((offset, count))
        return self._file.read(offset, count)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_what_the_first_read_leaves_is_read_and_not_a_byte_more(more: int) -> None:
    """One read where the header ends a byte before the first read does, or with it; else two."""
    first = safetensors.FIRST_READ
    content = make.framed(make.header([("x", "U8", (50_000,))]).ljust(first - 8 + more), bytes(50_000))
    file = Counted(MemoryFile("x", content))
    assert safetensors.read(file).tensors[0].offset == first + more
    assert file.asked == ([(0, first)] if more < 1 else [(0, first), (first, 1)])


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_file_as_long_as_the_first_read_is_read_once(more: int) -> None:
    """And nothing is asked for that is not there."""
    count = safetensors.FIRST_READ + more - 208
    file = Counted(MemoryFile("x", make.framed(make.header([("x", "U8", (count,))]).ljust(200), bytes(count))))
    assert file.size == safetensors.FIRST_READ + more
    safetensors.read(file)
    assert file.asked == [(0, min(file.size, safetensors.FIRST_READ))]


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_longest_header(more: int) -> None:
    """As many bytes as a small document may have, and as its tensors may take; and one more is too many."""
    header = make.header([("wte", "F32", (3, 2))], None)
    most = strict_json.SMALL_JSON_BYTES + 2 * BYTES_A_TENSOR  # the header's own bracket counts as one
    file = MemoryFile("x", make.framed(header.ljust(most + more), bytes(24)))
    if more < 1:
        assert len(safetensors.read(file).tensors) == 1
    else:
        expected = rf"a header of at most {most:,} bytes for as many tensors as it names, got {most + 1:,}$"
        with pytest.raises(UnreadableInputError, match=expected):
            safetensors.read(file)


def test_a_header_longer_than_any_is_not_read(tmp_path: Path) -> None:
    """By what the file says, which has as many bytes, in a hole."""
    path = tmp_path / "x"
    with path.open("wb") as hole:
        hole.write((10**8 + 1).to_bytes(8, "little") + b"{}")
        hole.truncate(10**8 + 100)
    with LocalFile(str(path)) as opened:
        file = Counted(opened)
        with pytest.raises(UnreadableInputError, match="a header of at most 100,000,000 bytes, got 100,000,001"):
            safetensors.read(file)
    assert file.asked == [(0, safetensors.FIRST_READ)]


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_tensors(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million, of which ten stand here."""
    monkeypatch.setattr(safetensors, "MOST_TENSORS", 10)
    file = MemoryFile("x", make.content([(f"{n}", "F32", (1,)) for n in range(10 + more)]))
    if more < 1:
        assert len(safetensors.read(file).tensors) == 10 + more
    else:
        with pytest.raises(UnreadableInputError, match="expected at most 10 tensors, got 11"):
            safetensors.read(file)


def test_the_header_of_a_large_mixture_of_experts_is_read(tmp_path: Path) -> None:
    """Thousands of matrices, each with a scale, in one file of two megabytes of header."""
    names = [f"model.layers.{n // 512}.mlp.experts.{n % 512}.gate_proj.weight" for n in range(7_000)]
    tensors: list[make.Tensor] = []
    for name in names:
        tensors += [(name, "F8_E4M3", (2048, 7168)), (f"{name}_scale_inv", "F32", (16, 56))]
    make.write(tmp_path / "x", tensors)
    with LocalFile(str(tmp_path / "x")) as file:
        found = safetensors.read(file)
    assert len(make.header(tensors)) > strict_json.SMALL_JSON_BYTES
    assert [(each.name, each.dtype, each.shape) for each in found.tensors] == tensors


# What is refused

LENGTHS = {0: "begins with '{'", 1: "header in JSON", 2**32: "4,294,967,296", 2**63: "9,223", 2**64 - 1: "18,446,"}


@pytest.mark.parametrize("length", LENGTHS)
def test_a_length_that_lies_is_refused(length: int) -> None:
    """Too short ends in the middle of the JSON, too long beyond the file: neither is believed."""
    assert LENGTHS[length] in problem(length.to_bytes(8, "little") + make.content([("x", "U8", (2,))])[8:])


@pytest.mark.parametrize("change", [-9, -1, 1, 2, 9])
def test_a_length_that_is_off_is_refused(change: int) -> None:
    """One less, one more: the header no longer ends where it says, or the values no longer fill the rest."""
    content = make.content([("x", "U8", (2,))])
    length = int.from_bytes(content[:8], "little") + change
    problem(length.to_bytes(8, "little") + content[8:])


@pytest.mark.parametrize("number", range(len(make.seeds())))
def test_a_file_that_is_cut_off_anywhere_is_refused(number: int) -> None:
    """No prefix is taken for the file, and nothing longer."""
    content = make.seeds()[number]
    listed(content)
    for size in range(len(content)):
        problem(content[:size])
    problem(content + b"\0")


PLACE = "to begin at offset {} after the header, got {}"
FAULTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "expected the 8 bytes with which a safetensors file begins, got a file of 0"),
    "seven bytes": (bytes(7), "got a file of 7"),
    "no header": (bytes(8), "expected a header that begins with '{', got ''"),
    "a space first": (framed(" {}", b""), "expected a header that begins with '{', got ' '"),
    "an array": (framed("[]", b""), "expected a header that begins with '{', got '['"),
    "a byte order mark": (framed("\ufeff{}", b""), "expected a header that begins with '{', got 'ï'"),
    "no JSON": (framed("{'a'}"), "expected a header in JSON, got something else at its character 1: "),
    "half of the JSON": (framed('{"a":'), "expected a header in JSON, got something else at its character 5: "),
    "two documents": (framed("{}{}"), "expected a header in JSON, got something else at its character 2: Extra data"),
    "no UTF-8": (make.framed(b'{"\xff":1}'), "expected a header in UTF-8, got other bytes at its offset 2"),
    "an overlong character": (make.framed(b'{"\xc0\x80":1}'), "expected a header in UTF-8, got other bytes"),
    "half of a pair": (framed('{"\\ud800":1}'), "expected a header in Unicode, got half of a surrogate pair"),
    "a key twice": (framed('{"a":1,"b":1,"a":1}'), "that all read alike, got another: 'a' is given twice"),
    "a key of an entry twice": (framed('{"a":{"dtype":"U8","dtype":"I8"}}'), "'dtype' is given twice"),
    "a key escaped the second time": (framed('{"a":1,"\\u0061":1}'), "'a' is given twice"),
    "metadata of numbers": (framed({"__metadata__": {"a": 1}}), "expected __metadata__ to be an object whose values"),
    "metadata that is text": (framed({"__metadata__": "pt"}), "expected __metadata__ to be an object whose values"),
    "nesting": (framed('{"a":' + "[" * 100_000), "expected a header of a few levels, got JSON that is nested too"),
    "an entry that is a number": (framed({"a": 1}), "expected dtype, shape and data_offsets for tensor 'a', got 1"),
    "an entry that is null": (framed({"a": None}), "for tensor 'a', got null"),
    "an empty entry": (framed({"a": {}}), "for tensor 'a', got none of them"),
    "an entry that is an array": (framed({"a": ["U8", [2], [0, 2]]}), "for tensor 'a', got an array of others"),
    "no dtype": (framed({"a": {"shape": [2], "data_offsets": [0, 2]}}), "for tensor 'a', got shape, data_offsets"),
    "another dtype": (framed({"a": tensor(dtype="u8")}), "a dtype that the format knows for tensor 'a', got 'u8'"),
    "no dtype but a number": (framed({"a": tensor(dtype=8)}), "for tensor 'a', got 8"),
    "a dtype that is an object": (framed({"a": tensor(dtype={"U8": None})}), "for tensor 'a', got an object"),
    "a negative size": (framed({"a": tensor(shape=[-2])}), "a shape of whole numbers for tensor 'a', got [-2]"),
    "two negative sizes": (framed({"a": tensor(shape=[-1, -2])}), "a shape of whole numbers"),
    "a size of minus zero": (framed('{"a":{"dtype":"U8","shape":[-0],"data_offsets":[0,0]}}', b""), "got [-0.0]"),
    "a size that is a float": (
        framed({"a": tensor(shape=[2.0])}),
        "a shape of whole numbers for tensor 'a', got [2.0]",
    ),
    "a size that is true": (framed({"a": tensor(shape=[2, True])}), "a shape of whole numbers"),
    "a size that is text": (framed({"a": tensor(shape=["2"])}), "a shape of whole numbers"),
    "a size of 65 bits": (framed({"a": tensor(shape=[0, 2**64])}), "a shape of whole numbers"),
    "a shape that is a number": (framed({"a": tensor(shape=2)}), "a shape of whole numbers for tensor 'a', got 2"),
    "more elements than 64 bits count": (framed({"a": tensor(shape=[2**32, 2**32])}), "got a larger shape"),
    "more elements than 64 bits count, then none": (framed({"a": tensor(shape=[2**63, 2, 0])}), "got a larger shape"),
    "one offset": (framed({"a": tensor(data_offsets=[0])}), "two whole numbers as data_offsets of tensor 'a', got [0]"),
    "three offsets": (framed({"a": tensor(data_offsets=[0, 2, 2])}), "two whole numbers as data_offsets"),
    "a negative offset": (framed({"a": tensor(data_offsets=[-2, 0])}), "two whole numbers as data_offsets"),
    "offsets that are floats": (framed({"a": tensor(data_offsets=[0.0, 2.0])}), "two whole numbers as data_offsets"),
    "offsets the other way round": (
        framed({"a": tensor(data_offsets=[2, 0])}),
        "of 2 elements of 8 bits, got -2 bytes",
    ),
    "a byte too few for the shape": (framed({"a": tensor(data_offsets=[0, 1])}), "of 2 elements of 8 bits, got 1"),
    "a byte too many for the shape": (framed({"a": tensor(data_offsets=[0, 3])}, bytes(3)), "got 3 bytes"),
    "half a byte": (framed({"a": tensor(dtype="F4", shape=[3])}), "the bytes of 3 elements of 4 bits, got 2 bytes"),
    "a gap before": (framed({"a": tensor(data_offsets=[1, 3])}, bytes(3)), PLACE.format(0, "a gap: 1")),
    "a gap between": (
        framed({"a": tensor(), "b": tensor(data_offsets=[3, 5])}, bytes(5)),
        PLACE.format(2, "a gap: 3"),
    ),
    "an overlap": (
        framed({"a": tensor(), "b": tensor(data_offsets=[1, 3])}, bytes(3)),
        PLACE.format(2, "an overlap: 1"),
    ),
    "the same bytes twice": (framed({"a": tensor(), "b": tensor()}), PLACE.format(2, "an overlap: 0")),
    "an end beyond the file": (
        framed({"a": tensor()}, b"\0"),
        "expected 2 bytes of tensors, as its header says, got 1",
    ),
    "bytes that are no tensor's": (framed({"a": tensor()}, bytes(3)), "expected 2 bytes of tensors, as its header"),
    "offsets far beyond the file": (
        framed({"a": tensor(data_offsets=[2**64 - 3, 2**64 - 1])}),
        PLACE.format(0, "a gap: 18,446,744,073,709,551,613"),
    ),
    "not a number": (framed({"a": tensor(x=float("nan"))}), "NaN is no number of JSON"),
    "a number over a float's": (unused("1e400"), "'1e400' is too large a number"),
    "a whole number over a float's": (unused("9" * 400), "to have what the format's library can read, got more"),
    "a number of 5,000 digits": (unused("9" * 5000), "that all read alike, got another: Exceeds the limit"),
    "a name with a line break": (framed({"a\n\x1b[31m": 1}), r"for tensor 'a\n\x1b[31m', got 1"),
    "a name of half a megabyte": (framed({"a" * 2**19: 1}), "names of at most 300 characters, got one of 524,288"),
}
"""Files that are wrong in one thing, and what is said of it. A header that became longer than it says is cut off."""


@pytest.mark.parametrize("case", FAULTS)
def test_what_is_wrong_is_said(case: str, tmp_path: Path) -> None:
    """Every fault is refused, by its own sentence, and by the library too, but for what only this reader refuses."""
    content, expected = FAULTS[case]
    assert expected in problem(content)
    (tmp_path / "x").write_bytes(content)
    stricter = {"a space first", "a key twice", "a key of an entry twice", "a key escaped the second time"}
    stricter |= {"an entry that is an array", "a dtype that is an object"}
    if case not in stricter:
        assert library(tmp_path / "x") is None


@pytest.mark.parametrize("depth", [123, 124, 125, 126])
@pytest.mark.parametrize("value", ["[]", "{}", "0"])
def test_what_no_reader_uses_is_taken_as_deep_as_the_library_takes_it(depth: int, value: str, tmp_path: Path) -> None:
    """An entry may have more keys, and their values may be nested, up to serde_json's limit."""
    content = unused("[" * depth + value + "]" * depth)
    (tmp_path / "x").write_bytes(content)
    if library(tmp_path / "x") is None:
        assert "what the format's library can read" in problem(content)
    else:
        assert listed(content).tensors[0].numel == 2


def test_the_library_s_limit_of_nesting_lies_within_what_is_tried(tmp_path: Path) -> None:
    """So the test above tries both sides of it."""
    answers = set()
    for depth in (123, 124, 125, 126):
        (tmp_path / "x").write_bytes(unused("[" * depth + "]" * depth))
        answers.add(library(tmp_path / "x") is None)
    assert answers == {False, True}


@pytest.mark.parametrize(
    "shape", [[2**64 - 1, 0], [0, 2**64 - 1], [2**32, 2**32 - 1, 0], [2**32 - 1, 2**32 + 1, 0], [2**32, 2**32, 0], []]
)
def test_sizes_are_multiplied_in_64_bits_as_the_library_does(shape: list[int], tmp_path: Path) -> None:
    """The largest product that fits is taken, and the next is not, even where a zero follows."""
    end = 0 if shape else 1
    content = framed({"a": tensor(shape=shape, data_offsets=[0, end])}, bytes(end))
    (tmp_path / "x").write_bytes(content)
    if library(tmp_path / "x") is None:
        assert "got a larger shape" in problem(content)
        assert shape == [2**32, 2**32, 0]
    else:
        assert listed(content).tensors[0].shape == tuple(shape)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_longest_shape(more: int, tmp_path: Path) -> None:
    """As many sizes as numpy has, and no more, though the library reads them."""
    count = safetensors.MOST_DIMS + more
    content = framed({"a": tensor(shape=[1] * (count - 1) + [2])})
    (tmp_path / "x").write_bytes(content)
    assert library(tmp_path / "x") == frozenset({("a", (1,) * (count - 1) + (2,), "U8")})
    if more < 1:
        assert listed(content).tensors[0].numel == 2
    else:
        assert problem(content) == "expected at most 64 sizes in the shape of tensor 'a', got 65"


def test_the_library_on_disk_agrees_on_a_thousand_files_that_are_nearly_good(tmp_path: Path) -> None:
    """Accepted and refused alike by `safe_open`, and with the same names, shapes and dtypes where accepted."""
    row, chance, accepted = READERS["safetensors"](), random.Random(11), 0
    seeds = tuple(row.seeds())
    for _ in range(1000):
        content = mutated(seeds, (*ANY, *row.mutations), chance)
        (tmp_path / "x").write_bytes(content)
        expected = library(tmp_path / "x") if content else None  # an empty file cannot be mapped
        try:
            found = frozenset((x.name, x.shape, x.dtype) for x in listed(content).tensors)
        except UnreadableInputError as error:
            on_purpose = any(re.search(reason, error.problem) for reason in row.stricter)
            assert expected is None or on_purpose, content.hex()
        else:
            assert found == expected, content.hex()
            accepted += 1
    assert 30 < accepted < 700
