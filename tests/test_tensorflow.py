"""TensorFlow's checkpoints are read by their index, as TensorFlow writes it, and what is wrong with one is said."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from gpt2calc.checkpoints import leveldb, tensorflow
from gpt2calc.checkpoints.files import LocalFile, MemoryFile
from gpt2calc.errors import UnreadableInputError
from tests.loops import of_each
from tests.makers import tensorflow as make
from tests.makers.tensorflow import Tensor, field, varint

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.listing import TensorListing

REAL = Path(__file__).parent / "data" / "checkpoints" / "tensorflow"
DATA = "model.ckpt.data-00000-of-00001"
GPT2 = make.index(make.gpt2())
EDGES = (2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)
A = Tensor("a", (2, 3))


def listed(content: bytes, sizes: Mapping[str, int] | None = None) -> TensorListing:
    """Read an index in memory."""
    return tensorflow.read(MemoryFile("model.ckpt.index", content), sizes)


def problem(content: bytes, sizes: Mapping[str, int] | None = None) -> str:
    """Return what is wrong with an index that must be refused."""
    with pytest.raises(UnreadableInputError) as caught:
        listed(content, sizes)
    assert len(str(caught.value)) < 300
    return caught.value.problem


def real(name: str) -> TensorListing:
    """Read a checkpoint that TensorFlow wrote."""
    sizes = {path.name: path.stat().st_size for path in REAL.iterdir()}
    with LocalFile(str(REAL / f"{name}.ckpt.index")) as file:
        return tensorflow.read(file, sizes)


def test_a_checkpoint_of_tensorflow_is_read() -> None:
    """Names, shapes and places are those of OpenAI's model, and the places cover the data file."""
    listing = real("model")
    assert (listing.format, listing.fields, listing.faults, listing.notes) == ("tensorflow", {}, (), ())
    assert {(x.name, x.shape, x.dtype) for x in listing.tensors} == {(x.name, x.shape, "F32") for x in make.gpt2()}
    assert [x.name for x in listing.tensors] == sorted(x.name for x in listing.tensors)
    assert {x.file for x in listing.tensors} == {str(REAL / DATA)}
    places = sorted((x.offset, x.nbytes) for x in listing.tensors if x.offset is not None)
    assert [offset for offset, _ in places] == [sum(size for _, size in places[:n]) for n in range(len(places))]
    assert sum(size for _, size in places) == (REAL / DATA).stat().st_size
    assert [(os.path.basename(x.path), x.size) for x in listing.files] == [("model.ckpt.index", 919), (DATA, 7904)]


def test_the_config_beside_it_gives_its_number_of_parameters() -> None:
    """hparams.json, read as a config, counts what the checkpoint holds."""
    sizes = json.loads((REAL / "hparams.json").read_text(encoding="utf-8"))
    d = sizes["n_embd"]
    expected = sizes["n_layer"] * (12 * d * d + 13 * d) + d * (sizes["n_vocab"] + sizes["n_ctx"] + 2)
    assert sum(x.numel for x in real("model").tensors) == expected == 1976


def test_the_maker_writes_what_tensorflow_writes() -> None:
    """With the same values, the two indexes have the same bytes."""
    data = (REAL / DATA).read_bytes()
    tensors = [
        tensor._replace(content=data[offset : offset + tensor.nbytes]) for tensor, offset in make.placed(make.gpt2())
    ]
    assert make.index(tensors) == (REAL / "model.ckpt.index").read_bytes()


def test_every_dtype_of_tensorflow_is_read_as_what_it_is() -> None:
    """The names of the tensors say what TensorFlow calls their dtypes."""
    theirs = {
        "float64": "F64", "float32": "F32", "float16": "F16", "bfloat16": "BF16", "float8_e5m2": "F8_E5M2",
        "float8_e4m3fn": "F8_E4M3", "int64": "I64", "int32": "I32", "int16": "I16", "int8": "I8", "uint64": "U64",
        "uint32": "U32", "uint16": "U16", "uint8": "U8", "bool": "BOOL",
    }  # fmt: skip
    listing = real("kinds")
    found = {x.name: (x.dtype, x.shape) for x in listing.tensors}
    of = {name.removeprefix("of/"): kind for name, kind in found.items() if name.startswith("of/")}
    assert of == {name: (dtype, (2, 3)) for name, dtype in theirs.items()}
    assert sorted(theirs.values()) == sorted(tensorflow.DTYPES.values())
    assert found["scalar"] == ("F32", ())
    assert found["empty"] == ("F32", (0, 4))
    assert found["deep"] == ("F32", (1, 1, 1, 1, 1, 2))
    assert found["step"] == ("I64", ())
    assert found["ünï"] == ("F32", ())
    assert listing.notes == ("1 that hold text are left out, the first is a text",)
    assert "a text" not in found


def test_what_tensorflow_writes_and_is_not_read_is_refused() -> None:
    """A partitioned variable, and a dtype that no parameter of a GPT-2 has."""
    with pytest.raises(UnreadableInputError, match=r"expected whole tensors, got a slice of b'model/wte'$"):
        real("sliced")
    with pytest.raises(
        UnreadableInputError, match=r"expected a dtype of real numbers for c, got TensorFlow's number 8$"
    ):
        real("complex")


@pytest.mark.parametrize("most", [1, 2, 7, 16, 17, 1000])
def test_blocks_may_end_anywhere(most: int) -> None:
    """However many tensors a block has, the listing is the same."""
    assert listed(make.index(make.gpt2(), most=most)).tensors == listed(GPT2).tensors


@pytest.mark.parametrize(
    ("n_layer", "n_embd", "total"),
    [(12, 768, 124439808), (24, 1024, 354823168), (36, 1280, 774030080), (48, 1600, 1557611200)],
)
def test_the_full_size_models_are_read(tmp_path: Path, n_layer: int, n_embd: int, total: int) -> None:
    """A sparse replica has the parameters of the released model, and an index of under 40 bytes a tensor."""
    prefix = str(tmp_path / "model.ckpt")
    size = make.write(prefix, make.gpt2(n_layer=n_layer, n_embd=n_embd, n_positions=1024, vocab_size=50257))
    with LocalFile(prefix + ".index") as file:
        listing = tensorflow.read(file, {DATA: os.path.getsize(prefix + ".data-00000-of-00001")})
    assert sum(x.numel for x in listing.tensors) == total
    assert len(listing.tensors) == 4 + 12 * n_layer
    assert size < 40 * len(listing.tensors)
    shapes = {x.name: x.shape for x in listing.tensors}
    assert shapes["model/h0/attn/c_attn/w"] == (1, n_embd, 3 * n_embd)
    assert shapes[f"model/h{n_layer - 1}/mlp/c_proj/w"] == (1, 4 * n_embd, n_embd)


def test_several_data_files_are_named_by_number() -> None:
    """A tensor lies in the file that its entry names, and files that hold none are not asked for."""
    tensors = [Tensor("a", (2,)), Tensor("b", (3,), shard=2)]
    content = make.index(tensors, make.header(shards=3))
    first, last = "model.ckpt.data-00000-of-00003", "model.ckpt.data-00002-of-00003"
    listing = listed(content, {first: 8, last: 13})
    assert [(x.file, x.offset) for x in listing.tensors] == [(first, 0), (last, 0)]
    assert [(x.path, x.size) for x in listing.files[1:]] == [(first, 8), (last, 13)]
    assert listing.notes == (f"1 bytes after the last tensor of {last} belong to none",)


def test_without_sizes_a_note_says_what_was_not_checked() -> None:
    """The index alone may promise what is not there."""
    listing = listed(GPT2)
    assert [x.path for x in listing.files] == ["model.ckpt.index"]
    assert listing.notes == (
        "the sizes of the data files are not known, so that they may hold less than the index names",
    )


def test_a_data_file_must_be_there_and_large_enough() -> None:
    """Its size is compared with the last byte of the last tensor."""
    content = make.index([A, Tensor("b", (2,))])
    assert problem(content, {}) == f"expected {DATA} beside it, which is not there"
    assert problem(content, {DATA: 31}) == "expected 8 bytes of b from offset 24 on, got a file of 31 bytes"
    assert listed(content, {DATA: 32}).notes == ()
    with pytest.raises(UnreadableInputError) as caught:
        listed(content, {DATA: 31})
    assert caught.value.path == DATA


def pairs(*entries: tuple[bytes, bytes], first: bytes | None = None) -> bytes:
    """Return an index with any messages in it."""
    return make.table([(b"", make.header() if first is None else first), *entries])


def one(**changes: object) -> bytes:
    """Return an index of one tensor, changed."""
    return make.index([A._replace(**changes)])  # type: ignore[arg-type]  # the tests' own keywords


MESSAGE = make.entry(A, 0)
GOOD = make.block([(b"", make.header()), (b"a", MESSAGE)])
SHARING = [(b"", make.header()), (b"a", MESSAGE)]
FAULTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "expected a table of LevelDB, which ends with 57fb808b247547db, got another end"),
    "no table": (bytes(100), "expected a table of LevelDB"),
    "only a magic number": (GPT2[-8:], "expected a table of LevelDB"),
    "a changed byte": (b"\1" + GPT2[1:], "of the block at offset 0, got "),
    "a changed checksum": (GPT2[:-190] + bytes((GPT2[-190] ^ 1,)) + GPT2[-189:], "expected the checksum "),
    "Snappy": (
        make.framed([(b"b", make.stored(GOOD, 1))]),
        "got one at offset 0 compressed with Snappy, which TensorFlow does not write",
    ),
    "another compression": (make.framed([(b"b", make.stored(GOOD, 4))]), "got one at offset 0 of kind 4"),
    "no header": (make.table([(b"a", MESSAGE)]), "expected a header, whose key is empty"),
    "no entries at all": (make.table([]), "expected a header, whose key is empty"),
    "big-endian": (pairs(first=make.header(big_endian=True)), "expected values in little-endian order"),
    "a newer version": (pairs(first=make.header(least=2)), "got one for readers of version 2 or later"),
    "no data files": (pairs(first=make.header(shards=0)), "expected 1 to 99,999 data files, got 0"),
    "100,000 data files": (pairs(first=make.header(shards=100_000)), "expected 1 to 99,999 data files, got 100,000"),
    "keys out of order": (pairs((b"b", MESSAGE), (b"a", MESSAGE)), "expected sorted keys, got b'a' out of order"),
    "a key twice": (pairs((b"a", MESSAGE), (b"a", MESSAGE)), "expected sorted keys, got b'a' out of order"),
    "a key after its block's": (
        make.framed([(b"", make.stored(GOOD))]),
        "expected sorted keys, got b'a' out of order",
    ),
    "a block twice": (
        make.table([(b"", make.header())])[:-48] + make.framed([(b"", make.stored(GOOD))])[-48:],
        "expected ",
    ),
    "a key that is not UTF-8": (pairs((b"\xff", MESSAGE)), r"expected names in UTF-8, got b'\xff'"),
    "a key that is too long": (
        pairs((b"x" * 301, MESSAGE)),
        "expected names of at most 300 bytes, got one of 301",
    ),
    "slices": (pairs((b"a", MESSAGE + field(7, b""))), "expected whole tensors, got a in 1 slices"),
    "a slice": (pairs((b"\0a\0\1", MESSAGE)), "expected whole tensors, got a slice of b'a'"),
    "no dtype": (pairs((b"a", field(2, b""))), "expected a dtype of real numbers for a, got TensorFlow's number 0"),
    "a resource": (one(number=20), "expected a dtype of real numbers for a, got TensorFlow's number 20"),
    "a byte too few": (one(size=23), "expected 24 bytes for a, [2, 3] in F32, got 23"),
    "a byte too many": (one(size=25), "expected 24 bytes for a, [2, 3] in F32, got 25"),
    "a negative size": (one(size=-24), "got offset 0 and size -24 in file 0"),
    "a negative offset": (one(offset=-1), "got offset -1 and size 24 in file 0"),
    "a file that is not there": (one(shard=1), "expected a place in one of 1 data files for a, got offset 0"),
    "a negative file": (one(shard=-1), "and size 24 in file -1"),
    "an unknown dimension": (pairs((b"a", field(1, 1) + field(2, field(2, field(1, -1))))), "got [-1]"),
    "a dimension of -2^63": (
        pairs((b"a", field(1, 1) + field(2, field(2, field(1, 2**63))))),
        "expected known dimensions for a, got [-9223372036854775808]",
    ),
    "an unknown rank": (
        pairs((b"a", field(1, 1) + field(2, field(3, 1)))),
        "expected a known number of dimensions, at most 254, for a",
    ),
    "255 dimensions": (make.index([Tensor("a", (1,) * 255)]), "expected a known number of dimensions, at most 254"),
    "more elements than there are numbers": (
        make.index([Tensor("a", (2**63 - 1,) * 254, size=0)]),
        "expected fewer than 2^63 elements for a, got [9223372036854775807",
    ),
    "tensors over each other": (
        make.index([A, Tensor("b", (2,), offset=20)]),
        "expected tensors side by side, got b from 20 on in data file 0, where another ends at 24",
    ),
    "a message that is cut off": (pairs((b"a", MESSAGE[:-1])), "expected field 6 of a within its message, got 4 bytes"),
    "a message in a message that is cut off": (
        pairs((b"a", field(1, 1) + field(2, b"\x12\x05"))),
        "expected field 2 of a within its message, got 5 bytes",
    ),
    "a number that never ends": (
        pairs((b"a", b"\x08" + b"\xff" * 10)),
        "expected a number of at most 64 bits in a, got ffffffffffffffffffff",
    ),
    "a number that is cut off": (pairs((b"a", b"\x08")), "expected a number of at most 64 bits in a, got its end"),
    "a number for a message": (pairs((b"a", field(2, 1))), "expected wire type 2 for field 2 of a, got 0"),
    "a message for a number": (pairs((b"a", field(1, b""))), "expected wire type 0 for field 1 of a, got 2"),
    "a group": (pairs((b"a", varint(9 << 3 | 3))), "expected a field of a message in a, got number 9 of wire type 3"),
    "field 0": (pairs((b"a", field(0, 1))), "expected a field of a message in a, got number 0 of wire type 0"),
    "a key that shares too much": (
        make.framed([(b"b", make.stored(b"\0\0\6" + make.header() + b"\1\0\0" + GOOD[-8:]))]),
        "to share no more than there is, got 1 bytes",
    ),
    "nowhere to search from": (
        make.framed([(b"b", make.stored(make.block([(b"", make.header())], restarts=[])))]),
        "expected at least one place to search from in the block at offset 0, got 0",
    ),
    "searching from the middle of a key": (
        make.framed([(b"b", make.stored(make.block([(b"", make.header())], restarts=[0, 1])))]),
        "expected to search from the beginning of keys in the block at offset 0, got 1",
    ),
    "searching from a key that is not whole": (
        make.framed(
            [(b"b", make.stored(make.block([*SHARING, (b"ab", MESSAGE)], restarts=[len(make.block(SHARING)) - 8])))]
        ),
        "to share no more than there is, got 1 bytes",
    ),
}


@of_each("case", FAULTS)
def test_what_is_wrong_is_said(case: str) -> None:
    """Every fault is refused, by its own sentence."""
    content, expected = FAULTS[case]
    assert expected in problem(content)


def test_unknown_fields_are_stepped_over() -> None:
    """A later TensorFlow may say more, in fields of each wire type."""
    more = field(9, 1) + field(10, b"xyz") + make.fixed32(11, 1) + varint(12 << 3 | 1) + bytes(8)
    assert listed(pairs((b"a", more + MESSAGE), first=more + make.header())).tensors == listed(one()).tensors


def test_an_index_that_is_cut_off_or_changed_anywhere_is_refused() -> None:
    """Its end is its footer, and every other byte counts in a checksum."""
    content = make.seeds()[0]
    for size in range(len(content)):
        problem(content[:size])
        problem(content[size:][1:])
    for at in range(len(content) - 48):
        assert problem(content[:at] + bytes((content[at] ^ 0x10,)) + content[at + 1 :])


FOOTER = len(GPT2) - 48


@of_each("number", [0, *EDGES])
@of_each("which", range(4))
def test_a_footer_that_lies_is_refused(which: int, number: int) -> None:
    """It has the offset and size of two blocks; one less, one more, and numbers at the edges of fields."""
    numbers, at = [], 0
    for _ in range(4):
        found, at = leveldb.varint(GPT2[FOOTER:], at, "the footer")
        numbers.append(found)
    for lie in (number, numbers[which] - 1, numbers[which] + 1):
        changed = [*numbers[:which], lie, *numbers[which + 1 :]]
        footer = b"".join(map(varint, changed))
        if which < 2 and sum(changed[:2]) + 5 <= FOOTER:
            continue  # nothing reads the first of the two blocks, as long as it is there
        problem(GPT2[:FOOTER] + footer.ljust(40, b"\0") + GPT2[-8:])


@pytest.mark.parametrize("number", EDGES)
def test_dimensions_offsets_and_sizes_that_lie_are_refused(number: int) -> None:
    """Products are exact, and nothing wraps."""
    for changes in ({"size": number}, {"offset": number, "shard": 1}, {"shard": number}):
        problem(one(**changes))
    for shape in ((number,), (number, 2), (number, number), (number,) * 9):
        problem(make.index([Tensor("a", shape, size=24)]))
    if number < 2**63:
        assert problem(one(offset=number), {DATA: 24}).startswith("expected 24 bytes of a from offset")


def test_a_large_index_is_refused_before_it_is_read() -> None:
    """Every byte is summed in Python, so there is a bound, twenty times the index of GPT-2 XL."""
    bound = leveldb.MOST_TABLE_BYTES

    class Unread(MemoryFile):
        def read(self, offset: int, count: int) -> bytes:
            raise AssertionError(offset, count)

    with pytest.raises(UnreadableInputError, match=r"expected an index of at most 524,288 bytes, got 524,289"):
        tensorflow.read(Unread("model.ckpt.index", bytes(bound + 1)))
    assert problem(bytes(bound)).startswith("expected a table of LevelDB")


def test_keys_that_share_much_are_bounded_in_number() -> None:
    """Long keys that share their beginnings are short in a block, and long in memory."""
    shared = b"".join(varint(290) + varint(6) + varint(0) + b"%06d" % number for number in range(10_000))
    first = make.block([(b"", make.header()), (b"x" * 290, b"")])
    block = first[:-8] + shared + first[-8:]
    assert len(block) < leveldb.MOST_TABLE_BYTES
    with pytest.raises(leveldb.MalformedError, match="expected at most 10,000 keys, got more"):
        for _ in leveldb.entries(make.framed([(b"y", make.stored(block))])):
            pass


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_tensors(more: int) -> None:
    """The header is one of the pairs."""
    message = make.entry(Tensor("a", (0,)), 0)
    content = pairs(*((b"%06d" % number, message) for number in range(leveldb.MOST_ENTRIES - 1 + more)))
    if more < 1:
        assert len(listed(content).tensors) == 9_999 + more
    else:
        assert problem(content) == "expected at most 10,000 keys, got more"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_longest_name(more: int) -> None:
    """The bound is one of bytes, and what is shared counts."""
    size = leveldb.MOST_KEY_BYTES + more
    content = pairs((b"a" * 250, MESSAGE), (b"a" * 250 + b"b" * (size - 250), make.entry(A, 24)))
    if more < 1:
        assert [len(x.name) for x in listed(content).tensors] == [250, size]
    else:
        assert problem(content) == "expected names of at most 300 bytes, got one of 301"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_dimensions(more: int) -> None:
    """As many as TensorFlow has."""
    content = make.index([Tensor("a", (1,) * (254 + more))])
    if more < 1:
        assert listed(content).tensors[0].shape == (1,) * (254 + more)
    else:
        assert problem(content) == "expected a known number of dimensions, at most 254, for a, got another"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_elements(more: int) -> None:
    """A product of 2^63 elements is one too many, whatever the sizes that make it; a 0 makes it none."""
    shape = {-1: (2**63 - 1,), 0: (2**62, 2), 1: (3, 3074457345618258603)}[more]
    message = field(1, 4) + field(2, b"".join(field(2, field(1, x)) for x in shape))
    if more < 0:
        assert listed(pairs((b"a", message + field(5, 2**63 - 1)))).tensors[0].numel == 2**63 - 1
    else:
        assert problem(pairs((b"a", message))).startswith("expected fewer than 2^63 elements for a, got [")
    assert listed(make.index([Tensor("a", (*shape, 0))])).tensors[0].numel == 0


@pytest.mark.parametrize("count", [1, 2, 99_998, 99_999])
def test_the_most_data_files(count: int) -> None:
    """A tensor may lie in the last of as many as a name has digits for."""
    listing = listed(make.index([A._replace(shard=count - 1)], make.header(shards=count)))
    assert listing.tensors[0].file == f"model.ckpt.data-{count - 1:05d}-of-{count:05d}"


def test_an_index_for_readers_of_its_first_version_is_read() -> None:
    """A writer may say that this version is the oldest that reads it, and TensorFlow does not."""
    assert listed(pairs((b"a", MESSAGE), first=make.header(least=1))).tensors == listed(one()).tensors


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_data_file_of_one_byte_less_or_more(more: int) -> None:
    """Less is refused, more is noted."""
    if more < 0:
        assert problem(one(), {DATA: 23}) == "expected 24 bytes of a from offset 0 on, got a file of 23 bytes"
    else:
        assert len(listed(one(), {DATA: 24 + more}).notes) == more


@pytest.mark.parametrize("number", range(len(make.seeds())))
def test_the_seeds_of_the_fuzzer_are_read(number: int) -> None:
    """They are what the fuzzer starts from."""
    assert listed(make.seeds()[number]).format == "tensorflow"
