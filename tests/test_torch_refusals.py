"""What is no state_dict of torch.save, or lies about itself, is refused: by a sentence that says what is wrong."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest
import torch
from torch import nn

from gpt2calc.checkpoints import state_dicts, zips
from gpt2calc.listing import MOST_NAME_CHARACTERS
from tests.loops import of_each
from tests.makers import torch_files as make
from tests.makers.torch_pickles import Ordered, Pickler, View
from tests.test_torch_files import WAYS, listed, problem, saved

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run


class Planted:
    """An object of a class of one's own."""


OTHERS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a whole model": (lambda: saved(nn.Linear(2, 2)), "an object of torch.nn.modules.linear.Linear, a class that"),
    "a whole model, legacy": (
        lambda: saved(nn.Linear(2, 2), "legacy"),
        "expected a state_dict, got a whole model of the class torch.nn.modules.linear.Linear",
    ),
    "an object": (
        lambda: saved({"x": Planted()}),
        "got none; 1 object was not built, and nothing in it is listed: tests.test_torch_refusals.Planted",
    ),
    "a tensor": (lambda: saved(torch.zeros(2)), "expected tensors by name, got a tensor"),
    "a list": (lambda: saved([torch.zeros(2)]), "expected tensors by name, got an object of list"),
    "nothing": (lambda: saved({}), "expected tensors by name, got none"),
    "numbers": (lambda: saved({"n_layer": 2}), "expected tensors by name, got none"),
    "numbers as keys": (lambda: saved({0: torch.zeros(2)}), "expected tensors by name, got none"),
    "a sparse tensor": (lambda: saved({"x": torch.eye(2).to_sparse()}), "got torch._utils._rebuild_sparse_tensor"),
    "numpy": (
        lambda: saved({"x": torch.zeros(2).numpy()}),
        "got none; 2 objects were not built, and nothing in them is",
    ),
    "TorchScript": (
        lambda: make.archive([("data.pkl", b"\x80\x02N."), ("constants.pkl", b"\x80\x02).")]).content(),
        "expected a state_dict, got a TorchScript archive, which is not supported",
    ),
    "another zip": (
        lambda: make.archive([("a.txt", b"a")]).content(),
        "expected a zip with a data.pkl, as torch.save writes, got files such as 'archive/a.txt'",
    ),
    "an empty zip": (lambda: make.archive([]).content(), "expected a zip with a data.pkl, as torch.save"),
    "an empty file": (lambda: b"", "expected a file of torch.save, a zip or its magic number, got no bytes"),
    "text": (lambda: b"hello, world", "got the first bytes 68 65 6c 6c 6f 2c 20 77"),
    "a pickle": (lambda: b"\x80\x04}.", "its magic number, got the first bytes 80 04 7d 2e"),
    "a tar": (lambda: bytes(257) + b"ustar" + bytes(250), "got a tar archive, as PyTorch 0.1 wrote them"),
    "big-endian values": (
        lambda: make.around(Pickler().dump(make.mixed()), byteorder=b"big"),
        "expected values in little-endian order, got b'big'",
    ),
    "an order that is longer": (
        lambda: make.around(Pickler().dump(make.mixed()), byteorder=b"little\n"),
        "expected 'archive/byteorder' of at most 6 bytes, got 7",
    ),
    "big-endian values, legacy": (
        lambda: make.legacy(make.mixed()).content().replace(b"little_endianq\x02\x88", b"little_endianq\x02\x89"),
        "expected values in little-endian order, got others",
    ),
    "a storage in the third pickle": (
        lambda: make.HEAD + Pickler().dump(View("U8", (1,), "0")),
        "expected storages in the fourth pickle only, got one in another",
    ),
    "another protocol": (
        lambda: make.legacy(make.mixed()).content().replace(b"M\xe9\x03.", b"M\xea\x03."),
        "expected PyTorch's protocol 1001, got 1002",
    ),
}
"""Files that are no state_dict, and what is said of them."""


@of_each("case", OTHERS)
def test_what_is_no_state_dict_is_said(case: str) -> None:
    """Each by its own sentence."""
    make_it, expected = OTHERS[case]
    assert expected in problem(make_it())


@pytest.mark.parametrize("case", OTHERS)
def test_the_command_cannot_read_it(case: str, run: Run, tmp_path: Path) -> None:
    """It ends with 3, and with one line that names the file."""
    path = tmp_path / "pytorch_model.bin"
    path.write_bytes(OTHERS[case][0]())
    ran = run("verify", str(path))
    assert (ran.code, ran.stdout) == (3, "")
    assert ran.stderr.count("\n") == 1
    assert "pytorch_model.bin: expected " in ran.stderr


def test_a_file_of_the_hub_s_pointer_is_no_checkpoint() -> None:
    """A Git LFS pointer has the name and not the bytes."""
    assert "got the first bytes 76 65 72 73" in problem(b"version https://git-lfs.github.com/spec/v1\n")


@pytest.mark.parametrize("number", range(len(make.seeds())))
def test_a_zip_that_is_cut_off_anywhere_is_refused(number: int) -> None:
    """No prefix is taken for the file, and nothing longer."""
    content = make.seeds()[number]
    listed(content)
    for size in range(len(content)):
        problem(content[:size])
    problem(content + b"\0")


@pytest.mark.parametrize("number", range(len(make.legacy_seeds())))
def test_a_legacy_file_that_is_cut_off_anywhere_is_refused(number: int) -> None:
    """As a zip."""
    content = make.legacy_seeds()[number]
    listed(content)
    for size in range(len(content)):
        problem(content[:size])
    problem(content + b"\0")


STATE = Ordered({"wte": View("F32", (3, 2), "0")})
SIZES = {
    "a storage that is not there": (make.around(Pickler().dump(STATE)), "'archive/data/0' for 6 elements of float32"),
    "a byte too few": (make.around(Pickler().dump(STATE), ("data/0", 23)), "expected 24 bytes in 'archive/data/0'"),
    "a byte too many": (make.around(Pickler().dump(STATE), ("data/0", 25)), "of float32, got 25"),
    "a byte behind the pickle": (make.around(Pickler().dump(STATE) + b".", ("data/0", 24)), "data.pkl to end at byte"),
}


@pytest.mark.parametrize("case", SIZES)
def test_a_storage_has_the_bytes_of_its_elements(case: str) -> None:
    """Not one more, and not one fewer."""
    content, expected = SIZES[case]
    assert expected in problem(content)
    listed(make.around(Pickler().dump(STATE), ("data/0", 24)))


VIEWS = {
    "all of it": (View("F32", (3, 2), "0", (2, 1), 0, 6), True),
    "one element more": (View("F32", (7,), "0", (1,), 0, 6), False),
    "to the end": (View("F32", (2,), "0", (1,), 4, 6), True),
    "one beyond the end": (View("F32", (2,), "0", (1,), 5, 6), False),
    "bytes to the end": (View("U8", (2,), "0", (1,), 4, 6), True),
    "one byte beyond the end": (View("U8", (2,), "0", (1,), 5, 6), False),
    "a stride to the end": (View("F32", (2,), "0", (5,), 0, 6), True),
    "a stride beyond the end": (View("F32", (2,), "0", (6,), 0, 6), False),
    "a negative offset": (View("F32", (2,), "0", (1,), -1, 6), False),
    "a negative stride": (View("F32", (2,), "0", (-1,), 3, 6), False),
    "a negative size": (View("F32", (-2, -3), "0", (3, 1), 0, 6), False),
    "none of it": (View("F32", (0,), "0", (1,), 6, 6), True),
    "none of it, from anywhere": (View("F32", (0,), "0", (1,), 2**40, 6), True),
    "expanded far": (View("F32", (2**40, 6), "0", (0, 1), 0, 6), True),
    "expanded too far": (View("F32", (2**62, 6), "0", (0, 1), 0, 6), False),
    "fewer strides than sizes": (View("F32", (3, 2), "0", (1,), 0, 6), False),
    "a stride of 2^63": (View("F32", (1, 2), "0", (2**63, 1), 0, 6), False),
    "a size of 2^63": (View("F32", (2**63, 0), "0", (1, 1), 0, 6), False),
    "8 sizes": (View("F32", (1,) * 8, "0", None, 0, 6), True),
    "9 sizes": (View("F32", (1,) * 9, "0", None, 0, 6), False),
}


@of_each("case", VIEWS)
@of_each("how", WAYS)
def test_a_tensor_lies_within_its_storage(case: str, how: str) -> None:
    """Up to its last element, and not one further; and torch takes whatever is taken here."""
    view, good = VIEWS[case]
    value = Ordered({"x": view})
    content = (make.legacy(value) if how == "legacy" else make.archive(make.records(value))).content()
    if good:
        found = listed(content).tensors[0]
        loaded = torch.load(io.BytesIO(content), weights_only=True)["x"]
        assert (found.shape, found.nbytes <= 24) == (tuple(loaded.shape), True)
    else:
        assert "expected" in problem(content)


def test_the_views_of_old_legacy_files_are_parts_of_storages() -> None:
    """PyTorch before 0.4 wrote them; no PyTorch does now, and torch.load still reads them."""
    content = make.legacy(Ordered({"x": View("F32", (3,), "k", elements=6)})).content()
    at = content.index(b"K\x06Nt")
    viewed = content[:at] + b"K\x06(X\x01\x00\x00\x00vK\x02K\x03tt" + content[at + 4 :]
    plain, view = listed(content).tensors[0], listed(viewed).tensors[0]
    assert plain.offset is not None
    shift = len(viewed) - len(content)
    assert (view.shape, view.offset, view.nbytes) == ((3,), plain.offset + shift + 2 * 4, 12)
    assert torch.load(io.BytesIO(viewed), weights_only=True)["x"].shape == (3,)
    for start, numel in ((4, 3), (7, 0)):
        problem(viewed.replace(b"vK\x02K\x03t", b"vK%cK%ct" % (start, numel)))


KEYS: dict[str, tuple[object, str]] = {
    "a key that is another": (["8"], "expected each storage once, got '8'"),
    "a key that is a number": ([9], "expected a list of the keys of 1 storages, got another"),
    "no key": ([], "expected a list of the keys of 1 storages, got another"),
    "two keys": (["9", "8"], "expected a list of the keys of 1 storages, got another"),
    "no list": ("9", "expected a list of the keys of 1 storages, got another"),
}


@pytest.mark.parametrize("case", KEYS)
def test_the_keys_of_a_legacy_file_are_those_of_its_storages(case: str) -> None:
    """Each once, in the order in which their bytes stand."""
    keys, expected = KEYS[case]
    good = Pickler().dump(["9"])
    content = make.legacy_seeds()[2]
    assert content.count(good) == 1
    assert expected in problem(content.replace(good, Pickler().dump(keys)))


def test_the_number_of_elements_in_front_of_a_storage_is_held_against_the_pickle() -> None:
    """It is written twice."""
    content = make.legacy_seeds()[2]
    head, values = content[:-32], content[-32:]
    expected = "expected 6 elements in front of storage '9', got 7"
    assert problem(head + values.replace(b"\x06", b"\x07")) == expected


def test_a_storage_twice_in_the_keys_is_refused() -> None:
    """Each storage stands in the file once."""
    content = make.legacy(Ordered({"a": View("U8", (1,), "1"), "b": View("U8", (1,), "2")})).content()
    assert listed(content).tensors[1].offset == len(content) - 1
    keys = Pickler().dump(["1", "2"])
    assert "each storage once, got '1'" in problem(content.replace(keys, Pickler().dump(["1", "1"])))


def test_a_storage_is_the_same_wherever_it_is_named() -> None:
    """Else one key would stand for two memories."""
    value = Ordered({"a": View("F32", (6,), "0"), "b": View("F32", (5,), "0")})
    content = make.around(Pickler().dump(value), ("data/0", 24))
    assert "expected storage '0' to be 6 elements of float32 wherever it is named, got 5 of" in problem(content)


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_longest_name(more: int) -> None:
    """All keys on the way to a tensor count, and the dots between them."""
    inner = "n" * (MOST_NAME_CHARACTERS - 3 + more)
    content = make.archive(make.records({"ab": {inner: View("U8", (1,), "0")}})).content()
    if more < 1:
        assert listed(content).tensors[0].name == f"ab.{inner}"
    else:
        assert problem(content) == "expected names of at most 300 characters, got one of 301"


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_the_deepest_dictionary(more: int) -> None:
    """Tensors that lie deeper are not looked for."""
    value: object = View("U8", (1,), "0")
    for _ in range(state_dicts.MOST_CONTAINER_DEPTH + 1 + more):
        value = {"d": value}
    content = make.archive(make.records(value)).content()
    if more < 1:
        assert listed(content).tensors[0].name.count(".") == state_dicts.MOST_CONTAINER_DEPTH + more
    else:
        assert problem(content) == "expected tensors by name, got none"


def test_two_tensors_of_one_name_are_refused() -> None:
    """A dot in a key can make the names of two keys the same."""
    value = {"a": {"b": View("U8", (1,), "0")}, "a.b": View("U8", (1,), "1")}
    content = make.archive(make.records(value)).content()
    assert problem(content) == "expected one tensor of each name, got two called 'a.b'"


def test_the_end_of_a_zip_tells_it_from_a_legacy_file() -> None:
    """So a zip that was cut off is said to be one."""
    content = make.seeds()[0]
    assert zips.is_zip(content)
    assert problem(content[:-1]) == "expected a zip that ends with its directory, got one that is cut off"
