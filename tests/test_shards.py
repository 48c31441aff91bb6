"""Shards are read by their index, which names files in its own folder and nothing else, and is held against them."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

import gpt2calc
from gpt2calc.checkpoints import formats, shards, strict_json
from gpt2calc.checkpoints.files import MemoryFile
from gpt2calc.errors import UnreadableInputError
from gpt2calc.listing import BYTES_A_TENSOR, Fault, StoredFile, StoredTensor, TensorListing
from tests.loops import of_each
from tests.makers import safetensors
from tests.makers import shards as make

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from pathlib import Path

    Tensor = safetensors.Tensor

PARTS = make.tiny()
FIRST, SECOND, THIRD = PARTS
TOTAL = sum(safetensors.nbytes(dtype, shape) for part in PARTS.values() for _, dtype, shape in part)


def listed(path: str) -> TensorListing:
    """Read an index on disk with its shards."""
    return shards.read(path, formats.read)


def problem(path: str) -> str:
    """Return what is wrong with an index that must be refused, in one short and printable line."""
    with pytest.raises(UnreadableInputError) as caught:
        listed(path)
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 400
    return caught.value.problem


def merged(parts: Mapping[str, Sequence[Tensor]], content: bytes) -> TensorListing:
    """Hold an index against shards in memory."""
    index = shards.parse("index", content)
    held = {name: safetensors_listing(name, part) for name, part in parts.items()}
    return shards.merge(index, held)


def safetensors_listing(name: str, part: Sequence[Tensor]) -> TensorListing:
    """Return what one shard holds."""
    return formats.read(MemoryFile(name, safetensors.content(part)))


def refused(content: bytes | str) -> str:
    """Return what is wrong with the content of an index."""
    with pytest.raises(UnreadableInputError) as caught:
        shards.parse("index", content if isinstance(content, bytes) else content.encode())
    assert caught.value.path == "index"
    return caught.value.problem


# Good ones


def test_a_model_that_transformers_sharded_has_nothing_wrong(tmp_path: Path) -> None:
    """Every tensor is listed, where it lies, and in the order of the shards."""
    model = GPT2LMHeadModel(GPT2Config(n_layer=3, n_embd=16, n_head=2, n_positions=8, vocab_size=20))
    model.save_pretrained(tmp_path, max_shard_size="10KB")
    listing = listed(str(tmp_path / make.INDEX))
    state = {name: value for name, value in model.state_dict().items() if name != "lm_head.weight"}
    assert {x.name: x.shape for x in listing.tensors} == {name: tuple(value.shape) for name, value in state.items()}
    assert len(listing.files) > 3
    assert (listing.format, listing.faults, listing.notes) == ("safetensors", (), ())
    for tensor in listing.tensors:
        assert tensor.file is not None
        with open(tensor.file, "rb") as file:
            file.seek(tensor.offset or 0)
            assert file.read(tensor.nbytes) == state[tensor.name].detach().contiguous().numpy().tobytes()


def test_shards_of_torch_are_read_as_well(tmp_path: Path) -> None:
    """Storages are told apart between files, since each file numbers its own."""
    places = {}
    for shard, names in {"a.bin": ("x", "y"), "b.bin": ("z",)}.items():
        shared = torch.arange(4.0)
        torch.save(dict.fromkeys(names, shared), tmp_path / shard)
        places.update(dict.fromkeys(names, shard))
    (tmp_path / "pytorch_model.bin.index.json").write_text(json.dumps({"weight_map": places}))
    listing = listed(str(tmp_path / "pytorch_model.bin.index.json"))
    storages = {x.name: x.storage for x in listing.tensors}
    assert listing.faults == ()
    assert storages["x"] == storages["y"] != storages["z"]


@pytest.mark.parametrize("number", range(len(make.seeds())))
def test_every_way_of_writing_an_index_is_read(number: int, tmp_path: Path) -> None:
    """As 4.x wrote it, as 5.x does, and with a weight_map alone."""
    path = make.write(tmp_path, PARTS, make.seeds()[number])
    listing = listed(path)
    assert (listing.name, listing.format, listing.faults) == (path, "safetensors", ())
    assert [x.name for x in listing.tensors] == [name for part in PARTS.values() for name, _, _ in part]
    assert listing.files[0] == StoredFile(path, os.path.getsize(path))
    assert [os.path.basename(file.path) for file in listing.files[1:]] == [FIRST, SECOND, THIRD]


def test_an_index_in_the_folder_one_stands_in_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its folder has no name then."""
    make.write(tmp_path, PARTS)
    monkeypatch.chdir(tmp_path)
    assert [file.path for file in listed(make.INDEX).files] == [make.INDEX, FIRST, SECOND, THIRD]


def test_a_released_model_in_shards_has_all_its_elements(tmp_path: Path) -> None:
    """gpt2-xl in seven files: parameters and masks."""
    path = make.write(tmp_path, make.split(safetensors.released(48, 1600), 7))
    assert sum(x.numel for x in listed(path).tensors) == 1_607_942_848


# What is wrong between an index and its shards


def without(parts: Mapping[str, Sequence[Tensor]], shard: str, tensor: Tensor) -> Mapping[str, Sequence[Tensor]]:
    """Return the shards, of which one lacks a tensor."""
    return {**parts, shard: [each for each in parts[shard] if each != tensor]}


TENSOR = PARTS[FIRST][1]
NAME = TENSOR[0]
LESS = without(PARTS, FIRST, TENSOR)
BETWEEN: dict[str, tuple[Mapping[str, Sequence[Tensor]], bytes, list[Fault]]] = {
    "in no shard": (
        LESS,
        make.index(PARTS),
        [Fault("not_in_shard", NAME, f"the index says that it is in {FIRST}, got no shard", FIRST, "no shard")],
    ),
    "in another shard": (
        {**LESS, THIRD: [*PARTS[THIRD], TENSOR]},
        make.index(PARTS),
        [Fault("not_in_shard", NAME, f"the index says that it is in {FIRST}, got {THIRD}", FIRST, THIRD)],
    ),
    "in two shards": (
        {**PARTS, THIRD: [*PARTS[THIRD], TENSOR]},
        make.index(PARTS),
        [
            Fault(
                "duplicate",
                NAME,
                f"expected it in one shard, got 2: {FIRST}, {THIRD}",
                "one shard",
                f"{FIRST}, {THIRD}",
            )
        ],
    ),
    "not in the index": (
        PARTS,
        make.index(LESS),
        [
            Fault(
                "not_in_index", NAME, f"it is in {FIRST}, and the index does not name it", "no tensor", FIRST
            )
        ],
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", BETWEEN)
def test_a_tensor_that_is_not_where_the_index_says_is_a_fault(case: str) -> None:
    """One fault, with the tensor's name; a wrong sum, which follows from it, is not said as well."""
    parts, index, faults = BETWEEN[case]
    assert list(merged(parts, index).faults) == faults


def test_a_tensor_of_two_shards_is_listed_once_as_the_index_says() -> None:
    """With the shape that it has there, whichever shard comes first."""
    other: Tensor = (NAME, "F16", (1,))
    listing = merged({**PARTS, THIRD: [*PARTS[THIRD], other]}, make.index(PARTS))
    assert [(x.file, x.dtype, x.shape) for x in listing.tensors if x.name == NAME] == [(FIRST, *TENSOR[1:])]
    moved = make.index({**LESS, THIRD: [*PARTS[THIRD], other]})
    listing = merged({**PARTS, THIRD: [*PARTS[THIRD], other]}, moved)
    assert [(x.file, x.dtype, x.shape) for x in listing.tensors if x.name == NAME] == [(THIRD, *other[1:])]
    assert [fault.kind for fault in listing.faults] == ["duplicate"]


MASKED = {"a": [("mask", "BOOL", (3, 3)), ("x", "F32", (2,))]}
SUMS: list[tuple[Any, bool]] = [
    (17, True),
    (17.0, True),
    (9.125, True),  # transformers took a bool for an eighth of a byte until 4.42, and then wrote a float
    (9, False),
    (16, False),
    (18, False),
    (0, False),
    (-17, False),
    (17.5, False),
    (1e300, False),
    (10**400, False),
    ("17", False),
    (True, False),
    ([17], False),
]


@of_each("said, right", SUMS)
def test_the_sum_of_bytes_is_held_against_the_shards(said: object, right: bool) -> None:  # noqa: FBT001 - a case
    """However versions of transformers wrote it, and not a byte more or less."""
    faults = merged(MASKED, make.index(MASKED, total_size=said)).faults
    assert [fault.kind for fault in faults] == ([] if right else ["total_size"])
    assert all(fault.got == "17" and fault.message.isprintable() and len(fault.message) < 200 for fault in faults)


def test_a_memory_that_two_tensors_share_counts_once_or_twice() -> None:
    """Versions of transformers differ in it."""
    index = {"weight_map": {"a": "s", "b": "s"}}
    tensors = tuple(StoredTensor(name, (2,), "F32", 8, "s", 0, "0") for name in "ab")
    held = {"s": TensorListing("s", "torch zip", tensors)}
    for total, right in ((8, True), (16, True), (12, False), (24, False)):
        content = json.dumps({**index, "metadata": {"total_size": total}}).encode()
        assert (total, not shards.merge(shards.parse("index", content), held).faults) == (total, right)


def test_another_number_of_parameters_is_noted() -> None:
    """It is no fault: versions of transformers differ in what they count."""
    count = sum(x.numel for x in merged(PARTS, make.index(PARTS)).tensors)
    assert merged(PARTS, make.index(PARTS, total_parameters=count)).notes == ()
    assert merged(PARTS, make.index(PARTS, total_parameters=count + 1)).notes == (
        f"its index says {count + 1} parameters, and its shards hold {count:,} elements",
    )


# Indexes that are refused

TWO = '{"weight_map": {"x": "a", "y": "b"}}'
MALFORMED: dict[str, tuple[str, str]] = {
    "nothing": ("", "expected an index in JSON"),
    "an array": ("[]", "that is a JSON object, got []"),
    "no weight_map": ('{"metadata": {}}', "with a weight_map of tensors and shards, got null as weight_map"),
    "an empty weight_map": ('{"weight_map": {}}', "got an object as weight_map"),
    "a weight_map that is an array": ('{"weight_map": ["a"]}', "got ['a'] as weight_map"),
    "a shard that is a number": ('{"weight_map": {"x": 1}}', "the name of a shard for tensor 'x', got 1"),
    "a shard that is null": ('{"weight_map": {"x": null}}', "the name of a shard for tensor 'x', got null"),
    "a shard that is an object": ('{"weight_map": {"x": {"a": 1}}}', "for tensor 'x', got an object"),
    "metadata that is text": ('{"metadata": "pt", "weight_map": {"x": "a"}}', "metadata to be an object, got 'pt'"),
    "a tensor twice": ('{"weight_map": {"x": "a", "x": "b"}}', "'x' is given twice"),
    "a weight_map twice": (f'{TWO[:-1]}, "weight_map": {{"x": "a"}}}}', "'weight_map' is given twice"),
    "nesting": ('{"weight_map": ' + "[" * 10**5, "nested too deeply"),
}


@of_each("case", MALFORMED)
def test_what_is_no_index_is_refused(case: str) -> None:
    """By a sentence that says what it is."""
    content, expected = MALFORMED[case]
    assert expected in refused(content)


OUTSIDE = (
    "../a.safetensors",
    "/etc/passwd",
    "..",
    ".",
    "",
    "a/b.safetensors",
    "./a.safetensors",
    "..\\a.safetensors",
    "\\\\host\\share\\a",
    "C:a.safetensors",
    "file:a",
    "http://host/a.safetensors",
    "a\0.safetensors",
)


@pytest.mark.parametrize("shard", OUTSIDE)
def test_a_name_that_leads_out_of_the_folder_is_refused(shard: str, tmp_path: Path) -> None:
    """On any system, and before any file is looked for: among them are names of files that are there."""
    content = json.dumps({"weight_map": {"x": "a.safetensors", "y": shard}})
    assert refused(content).startswith("expected shards in the index's own folder, got '")
    (tmp_path / "in").mkdir()
    for folder in (tmp_path, tmp_path / "in"):
        safetensors.write(folder / "a.safetensors", [("x", "U8", (1,))])
    (tmp_path / "in" / make.INDEX).write_text(content)
    assert problem(str(tmp_path / "in" / make.INDEX)).startswith("expected shards in the index's own folder, got '")


@pytest.mark.parametrize("shard", [make.INDEX, "other.index.json", "config.json", "A.JSON"])
def test_an_index_of_indexes_is_refused(shard: str) -> None:
    """So that there is no circle to run in."""
    assert refused(json.dumps({"weight_map": {"x": shard}})) == f"expected shards that hold tensors, got '{shard}'"


def test_an_index_under_another_name_is_no_shard(tmp_path: Path) -> None:
    """A circle that does not show in names: a file is read as a checkpoint, which an index is not."""
    path = make.write(tmp_path, PARTS)
    (tmp_path / SECOND).write_text(json.dumps({"weight_map": {"x": SECOND}}))
    assert problem(path).startswith("expected ")


def link(there: str) -> Callable[[Path, Path], None]:
    """Return what puts a link in the place of a shard."""
    return lambda shard, outside: shard.symlink_to(there.format(outside=outside, shard=shard.name))


WRONG: dict[str, tuple[Callable[[Path, Path], None], str]] = {
    "it is not there": (lambda shard, _: None, f"expected the shard '{SECOND}' beside it, got: No such file or dir"),
    "a link leads out": (link("{outside}/good.safetensors"), f"got a link that leads out: '{SECOND}'"),
    "a link leads out and back": (link("../elsewhere/good.safetensors"), f"got a link that leads out: '{SECOND}'"),
    "a link leads nowhere": (link("nowhere"), f"expected the shard '{SECOND}' beside it, got: No such file"),
    "a link leads to itself": (link("{shard}"), f"expected the shard '{SECOND}' beside it, got: "),
    "a link leads to another shard": (link(FIRST), f"a file for each shard, got one for '{FIRST}' and '{SECOND}'"),
    "it is another shard": (
        lambda shard, _: os.link(shard.parent / FIRST, shard),
        f"a file for each shard, got one for '{FIRST}' and '{SECOND}'",
    ),
    "it is a folder": (lambda shard, _: shard.mkdir(), "expected a file, got a folder"),
    "it is a pipe": (lambda shard, _: os.mkfifo(shard), "expected a file, got a pipe"),
    "it is empty": (lambda shard, _: shard.touch(), "expected the 8 bytes with which a safetensors file begins"),
    "a link leads to a device": (link("/dev/zero"), f"got a link that leads out: '{SECOND}'"),
}


@pytest.mark.parametrize("case", WRONG)
def test_a_shard_that_is_no_file_of_its_own_is_refused(case: str, tmp_path: Path) -> None:
    """Missing, elsewhere, one and the same, or of another kind: none is opened that is not in the folder."""
    outside = tmp_path / "elsewhere"
    outside.mkdir()
    safetensors.write(outside / "good.safetensors", PARTS[SECOND])
    path = make.write(tmp_path / "model", PARTS)
    (tmp_path / "model" / SECOND).unlink()
    spoil, expected = WRONG[case]
    spoil(tmp_path / "model" / SECOND, outside)
    assert expected in problem(path)


def test_links_within_the_folder_are_followed(tmp_path: Path) -> None:
    """A folder may be a link itself, and a shard one to another file in it."""
    path = make.write(tmp_path / "model", PARTS)
    (tmp_path / "model" / SECOND).rename(tmp_path / "model" / "content")
    (tmp_path / "model" / SECOND).symlink_to("content")
    (tmp_path / "link").symlink_to("model")
    assert listed(path).faults == listed(str(tmp_path / "link" / make.INDEX)).faults == ()


@pytest.mark.parametrize(
    ("blob", "read"),
    [
        ("models--me--it/blobs/{}", True),
        ("blobs/xx/{}", True),
        ("models--me--other/blobs/{}", False),
        ("models--me--it/{}", False),
        ("models--me--it/blobs/xx/{}", False),
        ("blobs/{}", False),
        ("{}", False),
    ],
)
def test_the_cache_of_huggingface_hub_is_followed_to_its_blobs(blob: str, read: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    """A snapshot is links to the blobs of the repository, or of the whole cache, and to nothing else."""
    snapshot = tmp_path / "models--me--it" / "snapshots" / "0123"
    path = make.write(snapshot, PARTS)
    for number, shard in enumerate(PARTS):
        target = tmp_path / blob.format(number)
        target.parent.mkdir(parents=True, exist_ok=True)
        (snapshot / shard).rename(target)
        (snapshot / shard).symlink_to(os.path.relpath(target, snapshot))
    if read:
        assert listed(path).faults == ()
    else:
        assert "got a link that leads out" in problem(path)


def test_a_folder_that_only_looks_like_the_cache_is_not_followed(tmp_path: Path) -> None:
    """The repository's folder must have a name as the cache gives it."""
    path = make.write(tmp_path / "mine" / "snapshots" / "0123", PARTS)
    (tmp_path / "mine" / "blobs").mkdir()
    shard = tmp_path / "mine" / "snapshots" / "0123" / SECOND
    shard.rename(tmp_path / "mine" / "blobs" / "0")
    shard.symlink_to("../../blobs/0")
    assert "got a link that leads out" in problem(path)


def test_a_name_with_half_a_pair_is_refused_where_it_is_read() -> None:
    """It can be no file's name."""
    assert "half of a surrogate pair" in refused(r'{"weight_map": {"x": "\ud800"}}')


def test_a_mixture_of_experts_is_verified_by_as_many_headers_as_it_has(tmp_path: Path) -> None:
    """Qwen3-30B-A3B in 191 shards: of 18,867 tensors the one is named that is turned round."""
    document, tensors = make.published("Qwen3-30B-A3B")
    (tmp_path / "config.json").write_text(json.dumps(document))
    name, dtype, shape = tensors[5000]
    tensors[5000] = name, dtype, shape[::-1]
    make.write(tmp_path, make.split(tensors, 191))
    (found,) = gpt2calc.verify(tmp_path).observations
    assert (found.parameters, [fault.tensor for fault in found.faults]) == (30_532_122_624, [name])


def test_the_index_of_the_largest_mixture_is_read() -> None:
    """That of DeepSeek-R1, which is quantized."""
    parts = make.split(make.published("DeepSeek-R1")[1], 163)
    found = shards.parse("index", make.index(parts))
    assert (len(found.weight_map), found.shards) == (91_991, tuple(parts))


# Bounds


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_longest_index(more: int, tmp_path: Path) -> None:
    """As many bytes as a document may have, and no more; a longer file is not even read."""
    content = make.index(PARTS)
    most = strict_json.SMALL_JSON_BYTES + BYTES_A_TENSOR * content.count(b":")
    path = make.write(tmp_path, PARTS, content.ljust(most + more))
    if more < 1:
        assert listed(path).faults == ()
        return
    expected = f"expected an index of at most {most:,} bytes for as many tensors as it names, got {most + 1:,}"
    assert problem(path) == refused(content.ljust(most + more)) == expected


def test_an_index_longer_than_any_is_not_even_read(tmp_path: Path) -> None:
    """By its size alone, which may be a hole's."""
    with (tmp_path / make.INDEX).open("wb") as file:
        file.truncate(strict_json.MOST_JSON_BYTES + 1)
    expected = "expected an index of at most 100,000,000 bytes, got 100,000,001"
    assert problem(str(tmp_path / make.INDEX)) == expected


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_shards(more: int) -> None:
    """An index names some two hundred at most."""
    content = json.dumps({"weight_map": {str(n): str(n) for n in range(shards.MOST_SHARDS + more)}})
    if more < 1:
        assert len(shards.parse("index", content.encode()).shards) == shards.MOST_SHARDS + more
    else:
        assert refused(content) == "expected at most 2,000 shards, got 2,001"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_tensors_of_an_index(more: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million, of which a thousand stand here."""
    monkeypatch.setattr(shards, "MOST_TENSORS", 1000)
    content = json.dumps({"weight_map": {f"{n:x}": "a" for n in range(1000 + more)}})
    if more < 1:
        assert len(shards.parse("index", content.encode()).weight_map) == 1000 + more
    else:
        assert refused(content) == "expected at most 1,000 tensors, got 1,001"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_tensors_of_all_shards(more: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted shard by shard, so that no more are kept than one shard too many."""
    count = sum(map(len, PARTS.values()))
    monkeypatch.setattr(shards, "MOST_TENSORS", count - more)
    index = b'{"weight_map": {"x": "%s", "y": "%s", "z": "%s"}}' % tuple(x.encode() for x in PARTS)
    path = make.write(tmp_path, PARTS, index)
    if more < 1:
        assert len(listed(path).tensors) == count
    else:
        assert problem(path) == f"expected at most {count - 1} tensors in all shards, got {count}"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_most_bytes_that_are_read_of_all_shards(more: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each header is within its bound, and all together are not: the reading stops before the byte too many."""
    path = make.write(tmp_path, PARTS)
    sizes = [os.path.getsize(tmp_path / shard) for shard in PARTS]
    once = sum(sizes)  # files this small are read whole to be recognised, and again by their reader
    monkeypatch.setattr(shards.Index, "most_bytes", 2 * once - more)
    if more < 1:
        assert listed(path).faults == ()
    else:
        assert problem(path) == f"expected shards whose headers have at most {2 * once - 1:,} bytes together, got more"


def test_long_headers_are_not_read_for_as_many_shards_as_there_are(tmp_path: Path) -> None:
    """Nine shards, each with the longest header that is good for itself, are not read after some 3 MiB."""
    names = [f"{number}.safetensors" for number in range(9)]
    for name in names:
        (tmp_path / name).write_bytes(safetensors.framed(b"{}".ljust(strict_json.SMALL_JSON_BYTES)))
    (tmp_path / make.INDEX).write_text(json.dumps({"weight_map": {name: name for name in names}}))
    assert problem(str(tmp_path / make.INDEX)) == (
        "expected shards whose headers have at most 3,421,696 bytes together, got more"
    )
