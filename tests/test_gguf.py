"""GGUF files are read as the library of llama.cpp writes and reads them, and what is wrong with one is said."""

from __future__ import annotations

import re
import struct
import tracemalloc
from typing import TYPE_CHECKING, Any

import gguf as library
import numpy as np
import pytest

from gpt2calc.checkpoints import folders, gguf
from gpt2calc.checkpoints.files import LocalFile, MemoryFile
from gpt2calc.checkpoints.ggml import FILE_TYPES, GGML_TYPES
from gpt2calc.errors import UnreadableInputError
from tests.loops import of_each
from tests.makers import gguf as make
from tests.makers.gguf import ARRAY, BOOL, FLOAT32, INT64, TEXT, UINT8, UINT32, UINT64, Tensor, Value

if TYPE_CHECKING:
    from pathlib import Path

    from gpt2calc.listing import TensorListing

GPT2 = make.written(make.gpt2_metadata(), make.gpt2_tensors())
ONE = Tensor("a", (2, 3))
EDGES = (2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**63 - 1, 2**63, 2**64 - 1)


def listed(content: bytes) -> TensorListing:
    """Read a file in memory."""
    return gguf.read(MemoryFile("model.gguf", content))


def problem(content: bytes) -> str:
    """Return what is wrong with a file that must be refused."""
    with pytest.raises(UnreadableInputError) as caught:
        listed(content)
    assert caught.value.path == "model.gguf"
    assert len(str(caught.value)) < 300
    return caught.value.problem


def library_writes(path: Path, tensors: list[tuple[str, Any, Any]], **options: Any) -> None:
    """Write a file with llama.cpp's own library."""
    writer = library.GGUFWriter(path, "gpt2", **options)
    for name, array, dtype in tensors:
        writer.add_tensor(name, array, raw_dtype=dtype)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


def facts_of_library(path: Path) -> list[tuple[str, tuple[int, ...], str, int, int]]:
    """Return what llama.cpp's own library reads."""
    return [
        (x.name, tuple(reversed(x.shape.tolist())), x.tensor_type.name, x.n_bytes, x.data_offset)
        for x in library.GGUFReader(path).tensors
    ]


def facts(listing: TensorListing) -> list[tuple[str, tuple[int, ...], str, int, int | None]]:
    """Return the same of a listing."""
    return [(x.name, x.shape, x.dtype, x.nbytes, x.offset) for x in listing.tensors]


LATER = {"Q2_0"}
"""The types that llama.cpp has and its library of version 0.19 does not."""


def test_the_types_are_those_of_llama_cpp() -> None:
    """Every type has the number, block and size that the library gives it, and there is no other."""
    theirs = {kind.value: (kind.name, *size) for kind, size in library.GGML_QUANT_SIZES.items()}
    assert {number: kind for number, kind in GGML_TYPES.items() if kind[0] not in LATER} == {
        number: kind for number, kind in theirs.items() if kind[0] not in LATER
    }
    assert GGML_TYPES.keys() >= theirs.keys()


def test_the_file_types_are_those_of_llama_cpp() -> None:
    """The names are the library's, without the words that say that some tensors are of other types."""
    theirs = {
        kind.value: kind.name.removeprefix("MOSTLY_").removeprefix("ALL_")
        for kind in library.LlamaFileType
        if kind.name != "GUESSED"
    }
    assert {number: name for number, name in FILE_TYPES.items() if number in theirs} == theirs
    assert set(FILE_TYPES.values()) - set(theirs.values()) <= LATER


def test_every_type_is_read_as_the_library_writes_it(tmp_path: Path) -> None:
    """Name, shape, type, size and place are the library's own, for each type that it can write."""
    path = tmp_path / "every.gguf"
    tensors = []
    for kind, (block, size) in library.GGML_QUANT_SIZES.items():
        # A row of two blocks: bytes, from which the library derives the number of elements.
        tensors.append((f"of.{kind.name}", np.zeros((3, 2 * size), np.uint8), kind))
        assert block * 2 % block == 0
    library_writes(path, tensors)
    with LocalFile(str(path)) as file:
        listing = gguf.read(file)
    assert facts(listing) == facts_of_library(path)
    assert len(listing.tensors) == len(library.GGML_QUANT_SIZES)
    assert listing.tensors[2].shape == (3, 64)


@pytest.mark.parametrize("shape", [(), (5,), (2, 3), (2, 3, 4), (2, 3, 4, 5), (0, 3), (1, 1, 1, 1)])
def test_shapes_are_those_of_pytorch(tmp_path: Path, shape: tuple[int, ...]) -> None:
    """The file keeps the dimensions in the other order."""
    path = tmp_path / "shape.gguf"
    library_writes(path, [("x", np.zeros(shape, np.float32), None)])
    assert listed(path.read_bytes()).tensors[0].shape == shape


@pytest.mark.parametrize("alignment", [1, 2, 8, 32, 64, 4096])
def test_alignment_is_what_the_file_says(tmp_path: Path, alignment: int) -> None:
    """The values begin where the library finds them."""
    path = tmp_path / "aligned.gguf"
    writer = library.GGUFWriter(path, "gpt2")
    writer.add_custom_alignment(alignment)
    for name in "abc":
        writer.add_tensor(name, np.zeros(3, np.int8))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert facts(listed(path.read_bytes())) == facts_of_library(path)


def test_a_gpt2_is_written_here_as_the_library_writes_it(tmp_path: Path) -> None:
    """The maker and the library give the same bytes, for the whole model with tokens and merges."""
    path = tmp_path / "gpt2.gguf"
    writer = library.GGUFWriter(path, "gpt2")
    writer.add_type("model")
    writer.add_block_count(2)
    writer.add_context_length(16)
    writer.add_embedding_length(8)
    writer.add_feed_forward_length(32)
    writer.add_head_count(2)
    writer.add_layer_norm_eps(1e-5)
    writer.add_file_type(0)
    writer.add_tokenizer_model("gpt2")
    writer.add_token_list([f"t{number}" for number in range(11)])
    writer.add_token_types([1] * 11)
    writer.add_token_merges(["t 0", "t 1"])
    for tensor in make.gpt2_tensors():
        writer.add_tensor(str(tensor.name), np.zeros(tensor.shape, np.float32))
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    assert path.read_bytes() == GPT2


def test_the_names_of_a_gpt2_are_those_of_the_library() -> None:
    """Each name of the maker is what the library maps the name of transformers to."""
    names = library.get_tensor_name_map(library.MODEL_ARCH.GPT2, 1)
    theirs = {
        "wte": "token_embd",
        "wpe": "position_embd",
        "h.0.ln_1": "blk.0.attn_norm",
        "h.0.attn.c_attn": "blk.0.attn_qkv",
        "h.0.attn.c_proj": "blk.0.attn_output",
        "h.0.ln_2": "blk.0.ffn_norm",
        "h.0.mlp.c_fc": "blk.0.ffn_up",
        "h.0.mlp.c_proj": "blk.0.ffn_down",
        "ln_f": "output_norm",
    }
    assert {name: names.get_name(f"transformer.{name}") for name in theirs} == theirs
    assert names.get_name("lm_head") == "output"
    made = {str(x.name).rpartition(".")[0] for x in make.gpt2_tensors(n_layer=1, head=True)}
    assert made == {*theirs.values(), "output"}


def test_the_config_of_a_gpt2_is_read() -> None:
    """Sizes are metadata of their own, the vocabulary is as large as the list of tokens."""
    listing = listed(GPT2)
    assert (listing.name, listing.format, listing.faults) == ("model.gguf", "gguf", ())
    assert listing.fields == {
        "n_layer": 2, "n_positions": 16, "n_embd": 8, "n_inner": 32, "n_head": 2, "vocab_size": 11,
    }  # fmt: skip
    assert listing.notes == ("general.file_type is 0, F32",)
    assert sum(x.numel for x in listing.tensors) == 2 * (12 * 8**2 + 13 * 8) + 8 * (11 + 16 + 2)
    assert [(x.path, x.size) for x in listing.files] == [("model.gguf", len(GPT2))]


@pytest.mark.parametrize(
    ("n_layer", "n_embd", "total", "dtype"),
    [
        (12, 768, 124439808, "F32"),
        (24, 1024, 354823168, "F16"),
        (36, 1280, 774030080, "Q8_0"),
        (48, 1600, 1557611200, "Q8_0"),
    ],
)
def test_the_full_size_models_are_read(tmp_path: Path, n_layer: int, n_embd: int, total: int, dtype: str) -> None:
    """A sparse replica has the parameters of the released model, in whatever type."""
    sizes = {"n_layer": n_layer, "n_embd": n_embd, "n_positions": 1024, "vocab_size": 50257}
    tensors = make.gpt2_tensors(n_layer=n_layer, n_embd=n_embd, n_positions=1024, vocab_size=50257, dtype=dtype)
    start = make.write(tmp_path / "model.gguf", make.gpt2_metadata(**sizes, n_head=n_embd // 64), tensors)
    with LocalFile(str(tmp_path / "model.gguf")) as file:
        listing = gguf.read(file)
    assert sum(x.numel for x in listing.tensors) == total
    assert len(listing.tensors) == 4 + 12 * n_layer
    assert {key: listing.fields[key] for key in sizes} == sizes
    assert listing.tensors[0].offset == start
    assert listing.notes == ("general.file_type is 0, F32",)


def test_a_vocabulary_that_is_given_wins_over_the_list_of_tokens() -> None:
    """A list of tokens may be shorter than the token embedding."""
    metadata = [*make.gpt2_metadata(), ("gpt2.vocab_size", Value(UINT64, 50257))]
    assert listed(make.written(metadata, [])).fields["vocab_size"] == 50257


def test_another_architecture_gives_no_config() -> None:
    """The tensors are listed, and a note says why there are no fields."""
    listing = listed(make.written([("general.architecture", Value(TEXT, "llama"))], [ONE]))
    assert listing.fields == {}
    assert listing.notes == ("general.architecture is 'llama', and not 'gpt2': no config is read from the metadata",)
    assert listed(make.written([], [ONE])).notes == (
        "general.architecture is not given, and not 'gpt2': no config is read from the metadata",
    )


@pytest.mark.parametrize(("number", "name"), [(7, "Q8_0"), (15, "Q4_K_M"), (4, "which is not known")])
def test_a_note_says_what_the_file_calls_its_mixture_of_types(number: int, name: str) -> None:
    """No type of a tensor shows that a file is a Q4_K_M."""
    assert listed(make.written(make.gpt2_metadata(file_type=number), [])).notes == (
        f"general.file_type is {number}, {name}",
    )


def test_quantized_tensors_have_elements_and_fewer_bytes() -> None:
    """A Q8_0 has 34 bytes for 32 elements."""
    content = make.written(make.gpt2_metadata(n_embd=64), make.gpt2_tensors(n_embd=64, dtype="Q8_0"))
    found = {x.name: (x.dtype, x.numel, x.nbytes) for x in listed(content).tensors}
    assert found["blk.0.attn_qkv.weight"] == ("Q8_0", 3 * 64 * 64, 3 * 64 * 64 // 32 * 34)
    assert found["blk.0.attn_qkv.bias"] == ("F32", 3 * 64, 3 * 64 * 4)


@of_each("kind", [*make.LAYOUTS, TEXT])
@of_each("many", [False, True])
def test_every_type_of_metadata_is_stepped_over(kind: int, many: bool) -> None:  # noqa: FBT001 - a case of the table
    """What comes after a value of any type, and after an array of any type, is found."""
    single = "text" if kind == TEXT else 1
    value = Value(ARRAY, [single] * 5, kind) if many else Value(kind, single)
    content = make.written([("before", value), *make.gpt2_metadata()], [ONE])
    assert listed(content).fields["n_layer"] == 2
    assert facts(listed(content))[0][:3] == ("a", (2, 3), "F32")


def test_version_2_is_read_as_version_3() -> None:
    """The two differ in nothing but the number, in little-endian order."""
    old = make.written(make.gpt2_metadata(), make.gpt2_tensors(), version=2)
    assert listed(old) == listed(GPT2)


@pytest.mark.parametrize("kind", [UINT8, INT64, UINT64])
def test_sizes_are_read_in_every_type_of_whole_number(kind: int) -> None:
    """The specification asks for uint64 and the converter writes uint32."""
    metadata = [("gpt2.block_count", Value(kind, 3)), ("general.architecture", Value(TEXT, "gpt2"))]
    assert listed(make.written(metadata, [])).fields == {"n_layer": 3}


def test_a_gap_between_tensors_is_nothing_wrong() -> None:
    """The specification asks for a multiple of the alignment, and for no order."""
    content = make.written([], [Tensor("a", (2,), offset=64), Tensor("b", (2,), offset=0)]) + bytes(32)
    assert [x.offset for x in listed(content).tensors] == [160, 96]


def test_bytes_after_the_last_tensor_are_noted() -> None:
    """Padding belongs to the last tensor, and what comes after it to none."""
    content = make.written(make.gpt2_metadata(), [ONE])
    assert len(listed(content).notes) == 1
    assert listed(content + b"x").notes[1:] == ("9 bytes after the last tensor belong to none",)


def test_the_header_is_fetched_in_pieces_and_the_weights_are_not() -> None:
    """Of a file with GPT-2's 50,257 tokens, a quarter more than its header is fetched, in five pieces."""
    tokens = [Value(TEXT, f"a token number {number}") for number in range(50257)]
    metadata = [
        ("tokenizer.ggml.tokens", Value(ARRAY, tokens, TEXT)),
        ("tokenizer.ggml.token_type", Value(ARRAY, [1] * 50257, make.INT32)),
        *make.gpt2_metadata()[:-3],
    ]
    tensors = make.gpt2_tensors(n_embd=768, vocab_size=50257)
    start = len(make.header(metadata, tensors))
    asked: list[tuple[int, int]] = []

    class Watched(MemoryFile):
        def read(self, offset: int, count: int) -> bytes:
            asked.append((offset, count))
            return super().read(offset, count)

    listing = gguf.read(Watched("model.gguf", make.written(metadata, tensors)))
    assert (len(listing.tensors), listing.fields["vocab_size"]) == (28, 50257)
    assert 1_500_000 < start < 1_700_000
    assert len(asked) == 5
    assert sum(count for _, count in asked) < start + (gguf.CHUNK + start // 4)


FAULTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "expected 4 bytes of a GGUF header from offset 0 on, got a file of 0 bytes"),
    "no GGUF": (b"PK\3\4" * 9, r"expected a GGUF file, which begins with 'GGUF', got b'PK\\x03\\x04'"),
    "a format before GGUF": (b"tjgg" * 9, "got a file in GGJT, the format before GGUF"),
    "version 1": (make.written([], [], version=1), "expected version 2 or 3 of GGUF, got version 1"),
    "version 4": (make.written([], [], version=4), "expected version 2 or 3 of GGUF, got version 4"),
    "version 0": (make.written([], [], version=0), "in big-endian order"),
    "big-endian": (b"GGUF" + struct.pack(">IQQ", 3, 0, 0), "expected a GGUF file in little-endian order"),
    "more keys than there are": (make.written([], [], key_count=1), "expected 13 bytes of 1 keys from offset 24 on"),
    "more tensors than there are": (
        make.written([], [ONE], tensor_count=2),
        "expected tensor 2 of 2, as the header counts them, got one without a name: there are fewer",
    ),
    "an empty key": (make.written([("", Value(UINT8, 1))], []), "expected a key, got an empty one"),
    "a key twice": (make.written([("k", Value(UINT8, 1))] * 2, []), "expected each key once, got k twice"),
    "a tensor twice": (make.written([], [ONE, ONE]), "expected each tensor once, got a twice"),
    "a key that is not UTF-8": (
        make.written([], [], key_count=1)[:24] + struct.pack("<Q", 1) + b"\xff" + bytes(9),
        r"expected a key in UTF-8, got b'\\xff'",
    ),
    "a name that is not UTF-8": (make.written([], [Tensor(b"\xff", (1,))]), "expected a tensor's name in UTF-8"),
    "a name that is too long": (
        make.written([], [Tensor("x" * 301, (1,))]),
        "expected a tensor's name of at most 300 bytes, got 301",
    ),
    "five dimensions": (
        make.written([], [Tensor("a", (1,) * 5)]),
        "expected at most 4 dimensions for tensor a, got 5",
    ),
    "a type that was removed": (
        make.written([], [ONE._replace(kind=4)]),
        "expected a type of ggml for tensor a, got 4",
    ),
    "a type of tomorrow": (make.written([], [ONE._replace(kind=99)]), "expected a type of ggml for tensor a, got 99"),
    "half a block": (
        make.written([], [Tensor("a", (2, 48), "Q8_0", bytes(102))]),
        "expected rows of a multiple of 32 elements for tensor a in Q8_0, got 48",
    ),
    "an offset that is not aligned": (
        make.written([], [ONE._replace(offset=8)]),
        "expected a multiple of 32 for the offset of tensor a, got 8",
    ),
    "an offset outside": (
        make.written([], [ONE._replace(offset=32)]),
        "expected 24 bytes of tensor a from offset 128 on",
    ),
    "tensors over each other": (
        make.written([], [Tensor("a", (16,)), Tensor("b", (2,), offset=32)]),
        "expected tensors side by side, got b from 128 on, before a ends at 160",
    ),
    "an alignment of 0": (
        make.written([("general.alignment", Value(UINT32, 0))], []),
        "expected a power of 2 for general.alignment, got 0",
    ),
    "an alignment of 24": (
        make.written([("general.alignment", Value(UINT32, 24))], []),
        "expected a power of 2 for general.alignment, got 24",
    ),
    "an alignment in words": (
        make.written([("general.alignment", Value(TEXT, "32"))], []),
        r"expected a uint32 \(type 4\) for general\.alignment, got type 8",
    ),
    "a flag for a number": (
        make.written([*make.gpt2_metadata(), ("split.count", Value(BOOL, 1))], []),
        "expected a whole number for split.count, got true",
    ),
    "a fraction for a number": (
        make.written([*make.gpt2_metadata(), ("gpt2.vocab_size", Value(FLOAT32, 0.5))], []),
        r"expected a whole number for gpt2\.vocab_size, got 0\.5",
    ),
    "an array for a number": (
        make.written([*make.gpt2_metadata(), ("gpt2.vocab_size", Value(ARRAY, [1, 2], UINT32))], []),
        r"expected a whole number for gpt2\.vocab_size, got an array of 2",
    ),
    "a type of metadata that is none": (
        make.written([("k", Value(UINT8, 1))], [])[:33] + struct.pack("<I", 13) + bytes(32),
        "expected a type of GGUF's metadata for the value of k, 0 to 12, got 13",
    ),
    "an array of a type that is none": (
        make.written([("k", Value(ARRAY, [], 13))], []),
        "expected a type of GGUF's metadata for the value of k, 0 to 12, got 13",
    ),
    "arrays too deep in each other": (
        make.written(
            [("k", Value(ARRAY, [Value(ARRAY, [Value(ARRAY, [Value(ARRAY, [], ARRAY)], ARRAY)], ARRAY)], ARRAY))], []
        ),
        "expected arrays within arrays at most 4 deep, got more in the value of k",
    ),
}


@of_each("case", FAULTS)
def test_what_is_wrong_is_said(case: str) -> None:
    """Every fault is refused, by its own sentence."""
    content, expected = FAULTS[case]
    assert re.search(expected, problem(content))


def test_arrays_within_arrays_are_stepped_over() -> None:
    """The specification allows them, and llama.cpp reads none."""
    deep = Value(ARRAY, [Value(ARRAY, [Value(ARRAY, [1, 2], UINT8), Value(ARRAY, ["x"], TEXT)], ARRAY)] * 2, ARRAY)
    assert listed(make.written([("deep", deep), *make.gpt2_metadata()], [ONE])).fields["n_layer"] == 2


def test_one_of_several_files_is_refused(tmp_path: Path) -> None:
    """The library splits a model in three, and each file says which it is."""
    tensors = [(name, np.zeros(8, np.float32), None) for name in "abc"]
    library_writes(tmp_path / "model.gguf", tensors, split_max_tensors=1)
    found = sorted(tmp_path.iterdir())
    assert [problem(path.read_bytes()) for path in found] == [
        f"expected a whole model, got file {which} of 3 that it was split into; "
        "gguf-split --merge makes one file of them"
        for which in (1, 2, 3)
    ]


def test_all_files_of_a_split_model_are_read_as_one(tmp_path: Path) -> None:
    """By the folder, by any of them, and not without one, nor with one in another's place."""
    tensors = [(name, np.zeros(8, np.float32), None) for name in "abc"]
    library_writes(tmp_path / "model.gguf", tensors, split_max_tensors=1)
    paths = sorted(tmp_path.iterdir())
    for target in (tmp_path, *paths):
        listing = folders.open_listing(str(target))
        assert [(tensor.name, tensor.file) for tensor in listing.tensors] == list(
            zip("abc", map(str, paths), strict=True)
        )
        assert [file.path for file in listing.files] == list(map(str, paths))
        assert listing.notes[-1] == "3 files were read as one, as gguf-split made them"
    second = paths[1].read_bytes()
    paths[1].write_bytes(paths[2].read_bytes())
    with pytest.raises(UnreadableInputError, match="expected file 2 of 3, as its name says, got file 3 of 3"):
        folders.open_listing(str(tmp_path))
    paths[1].write_bytes(second)
    paths[2].unlink()
    with pytest.raises(UnreadableInputError, match="00003-of-00003"):
        folders.open_listing(str(tmp_path))


def test_parts_of_a_split_model_that_contradict_each_other_are_refused(tmp_path: Path) -> None:
    """A tensor in two of them, and another number of tensors than the first says."""
    tensors = [(name, np.zeros(8, np.float32), None) for name in "abc"]
    library_writes(tmp_path / "model.gguf", tensors, split_max_tensors=1)
    first, second, _ = sorted(tmp_path.iterdir())
    content = second.read_bytes()
    second.write_bytes(content.replace(b"\1\0\0\0\0\0\0\0b", b"\1\0\0\0\0\0\0\0a"))
    with pytest.raises(UnreadableInputError, match="expected each tensor in one file, got a in two"):
        folders.open_listing(str(tmp_path))
    second.write_bytes(content)
    said = b"split.tensors.count\5\0\0\0\3"
    assert said in first.read_bytes()
    first.write_bytes(first.read_bytes().replace(said, said[:-1] + b"\4"))
    with pytest.raises(UnreadableInputError, match="expected 4 tensors in 3 files, as it says, got 3"):
        folders.open_listing(str(tmp_path))


def test_big_endian_files_of_the_library_are_refused(tmp_path: Path) -> None:
    """They are for machines that are hardly there any more."""
    path = tmp_path / "big.gguf"
    library_writes(path, [("a", np.zeros(2, np.float32), None)], endianess=library.GGUFEndian.BIG)
    assert problem(path.read_bytes()) == "expected a GGUF file in little-endian order, got one in big-endian order"


def test_a_file_that_is_cut_off_anywhere_is_refused() -> None:
    """No prefix is taken for the file, but for those that only miss the padding after the last value."""
    content = make.written(make.gpt2_metadata(n_layer=1, vocab_size=3), [*make.gpt2_tensors(n_layer=1), ONE])
    padding = 8
    for size in range(len(content) - padding):
        problem(content[:size])
    for size in range(len(content) - padding, len(content)):
        assert facts(listed(content[:size])) == facts(listed(content))


FIELDS = {"tensors": (8, 1), "keys": (16, 1), "a key": (24, 4), "an array": (44, 3), "a text": (52, 1)}
"""Where a count or a length stands in the file below, and what is true."""


LIES = [
    (field, number)
    for field, (_, true) in FIELDS.items()
    for number in (0, true - 1, true + 1, *EDGES)
    if (field, number) != ("tensors", 0)  # a file without tensors is one, with bytes after its header
]


@of_each("field, number", LIES)
def test_counts_that_lie_are_refused(field: str, number: int) -> None:
    """One less, one more, and each number near which a field wraps; nothing is allocated for what is not there."""
    content = make.written([("list", Value(ARRAY, ["x", "yz", ""], TEXT))], [ONE])
    place, true = FIELDS[field]
    assert struct.unpack_from("<Q", content, place) == (true,)
    changed = bytearray(content)
    struct.pack_into("<Q", changed, place, number)
    tracemalloc.start()
    try:
        problem(bytes(changed))
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("number", EDGES)
def test_dimensions_that_lie_are_refused(number: int) -> None:
    """Products are exact, whatever the size, and more than the file holds."""
    for dims in ((number,), (number, 2), (2, number), (number, number), (number,) * 4):
        assert "bytes of tensor a from offset" in problem(make.written([], [ONE._replace(dims=dims)]))


@pytest.mark.parametrize("number", [number // 32 * 32 for number in EDGES])
def test_offsets_that_lie_are_refused(number: int) -> None:
    """An offset does not wrap."""
    assert "bytes of tensor a from offset" in problem(make.written([], [ONE._replace(offset=number)]))


def array_of(kind: int, count: int, size: int) -> bytes:
    """Return a file whose one value is an array of zeros, each of so many bytes."""
    start = make.written([("k", Value(ARRAY, [], kind))], [])[:37]
    return start + struct.pack("<IQ", kind, count) + bytes(count * size)


MANY = gguf.MOST_ENTRIES + 1


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (make.written([], [], tensor_count=MANY) + bytes(24 * MANY), "at most 1,000,000 entries in its header"),
        (make.written([], [], key_count=MANY) + bytes(13 * MANY), "at most 1,000,000 entries in its header"),
        (array_of(ARRAY, MANY, 12), "at most 1,000,000 entries in its header, got 1,000,001 arrays in the value of k"),
        (array_of(TEXT, 10**7, 8), "at most 2,000,000 texts in its metadata, got more in the value of k"),
    ],
    ids=["tensors", "keys", "arrays", "texts"],
)
def test_a_million_of_anything_is_refused_before_it_is_read(content: bytes, expected: str) -> None:
    """There are bytes for all of them, and no loop begins."""
    tracemalloc.start()
    try:
        assert expected in problem(content)
        assert tracemalloc.get_traced_memory()[1] < 2**20
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_entries(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keys, tensors, and arrays in arrays are counted together."""
    monkeypatch.setattr(gguf, "MOST_ENTRIES", 1000)
    counts = (300, 400, 300 + more)
    metadata = [(f"k{number}", Value(UINT8, 1)) for number in range(counts[0] - 1)]
    metadata.append(("arrays", Value(ARRAY, [Value(ARRAY, [], UINT8)] * counts[1], ARRAY)))
    content = make.written(metadata, [Tensor(f"t{number}", (0,)) for number in range(counts[2])])
    if more < 1:
        assert len(listed(content).tensors) == counts[2]
    else:
        assert problem(content) == "expected at most 1,000 entries in its header, got 301 tensors"


@pytest.mark.parametrize("more", [-1, 0, 1])
@pytest.mark.parametrize("which", ["a tensor's name", "a key", "the value of general.architecture"])
def test_the_longest_text(which: str, more: int) -> None:
    """A name, a key and a wanted value have the same bound, which is one of bytes and not of letters."""
    size = gguf.MOST_TEXT_BYTES + more
    text = "é" * (size // 2) + "x" * (size % 2)
    content = {
        "a tensor's name": make.written([], [ONE._replace(name=text)]),
        "a key": make.written([(text, Value(UINT8, 1))], [ONE]),
        "the value of general.architecture": make.written([("general.architecture", Value(TEXT, text))], [ONE]),
    }[which]
    if more < 1:
        assert len(listed(content).tensors) == 1
    else:
        assert problem(content) == f"expected {which} of at most 300 bytes, got 301"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_texts(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of all arrays are counted together."""
    monkeypatch.setattr(gguf, "MOST_TEXTS", 100)
    arrays = [(name, Value(ARRAY, ["x"] * count, TEXT)) for name, count in (("a", 60), ("b", 40 + more))]
    content = make.written([*arrays, *make.gpt2_metadata()[2:-4]], [ONE])
    if more < 1:
        assert len(listed(content).tensors) == 1
    else:
        assert problem(content) == "expected at most 100 texts in its metadata, got more in the value of b"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_bytes_of_a_header(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is fetched is counted, a whole file where it is small."""
    content = GPT2.ljust(2**20 - 7)
    monkeypatch.setattr(gguf, "CHUNK", len(content))
    monkeypatch.setattr(gguf, "MOST_HEADER_BYTES", len(content) - more)
    if more < 1:
        assert len(listed(content).tensors) == 28
    else:
        assert "expected a header of at most" in problem(content)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_a_header_may_end_where_a_piece_of_it_does(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the size of what is fetched at once, the listing is the same."""
    start = len(make.header(make.gpt2_metadata(), make.gpt2_tensors()))
    for size in (1, 8, 24, start // 3, start, len(GPT2)):
        monkeypatch.setattr(gguf, "CHUNK", max(size + more, 0))
        assert facts(listed(GPT2)) == facts(gguf.read(MemoryFile("model.gguf", GPT2)))
        assert listed(GPT2).tensors[-1].name == "output_norm.bias"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_last_tensor_ends_where_the_file_does(more: int) -> None:
    """A byte less is refused, and a byte more belongs to none."""
    content = make.written([], [Tensor("a", (8,))])
    changed = content[:-1] if more < 0 else content + bytes(more)
    if more < 0:
        assert problem(changed) == "expected 32 bytes of tensor a from offset 64 on, got a file of 95 bytes"
    else:
        assert len(listed(changed).notes) == 1 + more


def test_a_header_that_never_ends_is_refused() -> None:
    """Long texts are stepped over; what has to be fetched for their lengths is bounded."""
    texts = struct.pack("<Q", 300_000) + bytes(300_000)
    assert (
        problem(array_of(TEXT, 0, 0)[:-8] + struct.pack("<Q", 300) + texts * 300)
        == "expected a header of at most 64 MiB, got a longer one"
    )


def test_names_are_printed_on_one_line() -> None:
    """A name of the file's cannot colour a terminal."""
    assert problem(make.written([], [Tensor("\x1b[31m\n", (1,), kind=99)])).startswith(
        r"expected a type of ggml for tensor \x1b[31m\n"
    )


@pytest.mark.parametrize("number", range(len(make.seeds())))
def test_the_seeds_of_the_fuzzer_are_read(number: int) -> None:
    """They are what the fuzzer starts from."""
    assert isinstance(listed(make.seeds()[number]).tensors, tuple)
