"""What torch.save writes is listed as torch.load reads it: names, shapes, dtypes, strides, offsets and storages."""

from __future__ import annotations

import io
import random
import zipfile
from collections import Counter, OrderedDict, defaultdict
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from gpt2calc.checkpoints import torch_files
from gpt2calc.checkpoints.files import LocalFile, MemoryFile
from gpt2calc.checkpoints.layout import DTYPES
from gpt2calc.checkpoints.torch_calls import STORAGES
from gpt2calc.errors import UnreadableInputError
from tests.makers import safetensors
from tests.makers import torch_files as make
from tests.makers.torch_pickles import Ordered, View

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from gpt2calc.listing import TensorListing

SMALL: dict[str, Any] = {"n_layer": 2, "n_embd": 4, "n_head": 2, "n_positions": 6, "vocab_size": 11}
WAYS = {"zip": True, "legacy": False}


def listed(content: bytes, name: str = "ckpt.pt") -> TensorListing:
    """Read a file in memory."""
    return torch_files.read(MemoryFile(name, content))


def problem(content: bytes) -> str:
    """Return what is wrong with a file that must be refused."""
    with pytest.raises(UnreadableInputError) as caught:
        listed(content)
    assert caught.value.path == "ckpt.pt"
    assert len(str(caught.value)) < 400
    return caught.value.problem


def saved(value: object, how: str = "zip", protocol: int = 2) -> bytes:
    """Return what torch writes."""
    memory = io.BytesIO()
    torch.save(value, memory, pickle_protocol=protocol, _use_new_zipfile_serialization=WAYS[how])
    return memory.getvalue()


# What torch.load finds


def model(**fields: Any) -> GPT2LMHeadModel:
    """Return a small model of transformers."""
    torch.manual_seed(0)
    return GPT2LMHeadModel(GPT2Config(**SMALL, **fields))


def nanogpt() -> dict[str, Any]:
    """Return what nanoGPT's train.py saves, with a real optimizer that has made a step."""
    net = model()
    optimizer = torch.optim.AdamW(net.parameters())
    net(torch.tensor([[1, 2]])).logits.sum().backward()
    optimizer.step()
    return {
        "model": net.state_dict(),
        "optimizer": optimizer.state_dict(),
        "model_args": {**SMALL, "block_size": 6, "bias": True, "dropout": 0.0},
        "iter_num": 7,
        "best_val_loss": torch.tensor(2.5),
        "config": {"out_dir": "out", "learning_rate": 6e-4, "compile": True, "always": None},
    }


def every_dtype(*, classes: bool) -> dict[str, torch.Tensor]:
    """Return a tensor of each dtype that has a class of storages, or of each that has none and is newer."""
    names = [name for name in DTYPES if name[0] != "q" and (name in OF_CLASSES) is classes]
    dtypes = {name: getattr(torch, name) for name in names}
    return {name: torch.zeros(3, 2 * dtype.itemsize, dtype=torch.uint8).view(dtype) for name, dtype in dtypes.items()}


def views() -> dict[str, torch.Tensor]:
    """Return tensors that share storages, and use them in part."""
    base = torch.arange(24.0).reshape(4, 6)
    return {
        "base": base,
        "transposed": base.t(),
        "row": base[2],
        "column": base[:, 3],
        "every second": base[::2, 1::2],
        "expanded": torch.zeros(3).expand(5, 3),
        "scalar expanded": torch.zeros(()).expand(2, 2),
        "one element": base[3, 5],
        "empty": base[4:],
        "no storage at all": torch.empty(0),
        "0-wide": torch.empty(3, 0, 2),
        "a row and a column": torch.zeros(1, 7).t(),
        "overlapping": torch.zeros(9).as_strided((3, 3), (2, 1)),
    }


def attributed() -> dict[str, Any]:
    """Return tensors of which torch says more than their values: parameters, buffers, attributes, gradients, bits."""
    marked, gradient = nn.Parameter(torch.zeros(2)), torch.zeros(2, requires_grad=True)
    marked.note = "kept"  # type: ignore[attr-defined]  # a parameter takes any attribute
    return {
        "parameter": nn.Parameter(torch.zeros(3)),
        "frozen": nn.Parameter(torch.zeros(3), requires_grad=False),
        "buffer": nn.Buffer(torch.zeros(4)),
        "attribute": marked,
        "gradient": gradient,
        "conjugated": torch.zeros(2, dtype=torch.complex64).conj(),
        "negative": torch.zeros(2, dtype=torch.complex64).conj().imag,
    }


UNRESTRICTED = "values of other kinds"
NEWER = "newer dtypes"
"""These torch cannot save in the legacy format."""

OF_CLASSES = set(STORAGES.values())


class Begun:
    """A Counter that begins with some tensors when it is called, and is then given others."""

    def __reduce_ex__(self, _: object) -> tuple[Any, ...]:
        begins = {"h.2.ln_1.weight": torch.zeros(4), "wte.weight": torch.zeros(1)}
        return Counter, (begins,), None, None, iter(model().state_dict().items())


GOOD: dict[str, Callable[[], Any]] = {
    "a tied model": lambda: model().state_dict(),
    "an untied model": lambda: model(tie_word_embeddings=False).state_dict(),
    "a model with cross-attention": lambda: model(add_cross_attention=True).state_dict(),
    "a model in bfloat16": lambda: model().bfloat16().state_dict(),
    "nanoGPT's checkpoint": nanogpt,
    "every dtype": lambda: every_dtype(classes=True),
    NEWER: lambda: every_dtype(classes=False),
    "views": views,
    "attributes": attributed,
    "a plain dict": lambda: {"wte.weight": torch.zeros(2, 2)},
    "a Counter of tensors": lambda: Counter({"wte.weight": torch.zeros(2)}),
    "a Counter that begins with tensors": Begun,
    "an empty name": lambda: {"": torch.zeros(2)},
    "two thousand tensors": lambda: OrderedDict((f"x.{i}", torch.zeros(1)) for i in range(2000)),
    "one tensor under many names": lambda: dict.fromkeys(map(str, range(300)), torch.zeros(1)),
    "Lightning's wrapping": lambda: {"state_dict": {"model.wte.weight": torch.zeros(2)}, "epoch": 3, "loops": {}},
    "module of a module": lambda: {"model": {"module": {"wte.weight": torch.zeros(2)}}, "lr": torch.zeros(1)},
    UNRESTRICTED: lambda: {
        "wte": torch.zeros(2),
        "set": {1, 2},
        "bytes": b"\x80abc",
        "numbers": [1, -1, 2**40, -(2**70), 1.5, 1j, None, True],
        "size": torch.Size([1, 2]),
        "dtype": torch.float16,
        "counted": Counter("abc"),
        "defaults": defaultdict(list, {"inner": torch.zeros(2)}),
        "device": torch.device("cpu"),
        7: {"inner": torch.zeros(1)},
    },
}


def by_torch(content: bytes, wanted: set[str], *, restricted: bool) -> dict[str, tuple[object, ...]]:
    """Return the facts of each tensor that has one of the names, as torch.load gives them: a storage is its address.

    Restricted to weights, torch reads protocol 2 alone, and few kinds of other values. Files made here run no code.
    """
    found: dict[str, tuple[object, ...]] = {}

    def walk(value: object, keys: tuple[str, ...]) -> None:
        if isinstance(value, torch.Tensor):
            name = ".".join(keys)
            if name in wanted:
                dtype = str(value.dtype).removeprefix("torch.")
                found[name] = (tuple(value.shape), dtype, tuple(value.stride()), value.untyped_storage()._cdata)
        elif isinstance(value, dict):
            for key, inner in value.items():
                if isinstance(key, str):
                    walk(inner, (*keys, key))

    loaded = torch.load(io.BytesIO(content), weights_only=restricted)
    wrapped = loaded.get("model", loaded.get("state_dict", loaded))
    walk(wrapped.get("module", wrapped), ())
    kept.append(loaded)
    return found


kept: list[object] = []
"""What was loaded, so that no storage takes the address of another."""


CASES = [(case, how) for case in GOOD for how in WAYS if (case, how) != (NEWER, "legacy")]
FIRST = next(iter(GOOD))


@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental:UserWarning")  # no arithmetic is done
@pytest.mark.parametrize(
    ("case", "how", "protocol"),
    [(case, how, protocol) for case, how in CASES for protocol in ((2, 3, 4, 5) if case == FIRST else (2, 5))],
)
def test_what_torch_saved_is_listed_as_torch_loads_it(case: str, how: str, protocol: int) -> None:
    """The same tensors, each with its shape, dtype and strides; two share a storage here where they do there."""
    content = saved(GOOD[case](), how, protocol)
    found = listed(content)
    names = {tensor.name for tensor in found.tensors}
    expected = by_torch(content, names, restricted=protocol == 2 and case != UNRESTRICTED)
    assert len(names) == len(found.tensors) == len(expected) > 0
    for tensor in found.tensors:
        shape, dtype, stride, _ = expected[tensor.name]
        assert (tensor.shape, tensor.dtype) == (shape, DTYPES[str(dtype)][0])
        dense = torch.empty_strided(tensor.shape, stride, device="meta").is_contiguous()  # type: ignore[arg-type]  # a tuple
        assert tensor.stride == (None if dense else stride)
    some = found.tensors[:60]
    here = [[a.storage == b.storage for a in some] for b in some]
    there = [[expected[a.name][3] == expected[b.name][3] for a in some] for b in some]
    assert here == there


@pytest.mark.filterwarnings("ignore:ComplexHalf support is experimental:UserWarning")  # no arithmetic is done
@pytest.mark.parametrize(("case", "how"), CASES)
def test_the_values_lie_where_the_listing_says(case: str, how: str) -> None:
    """The bytes at its offset are those of the tensor that torch loads, element by element along its strides."""
    content = saved(filled(GOOD[case]()), how)
    found = {tensor.name: tensor for tensor in listed(content).tensors}
    loaded = torch.load(io.BytesIO(content), weights_only=case != UNRESTRICTED)
    wrapped = loaded.get("model", loaded.get("state_dict", loaded))
    for name, value in wrapped.get("module", wrapped).items():
        if name not in found or not value.numel() or value.is_conj() or value.is_neg():
            continue
        tensor, width = found[name], value.element_size()
        assert tensor.offset is not None
        last = tensor.offset + width * sum((n - 1) * step for n, step in zip(value.shape, value.stride(), strict=True))
        for at, index in ((tensor.offset, 0), (last, -1)):
            element = (
                value.detach()
                .reshape(-1)[index : value.numel() if index else 1]
                .clone(memory_format=torch.contiguous_format)
            )
            assert content[at : at + width] == element.view(torch.uint8).numpy().tobytes()


def filled(value: Any) -> Any:
    """Put other bytes into each storage, so that no place can be taken for another."""
    chance = random.Random(4)
    stack = [value]
    while stack:
        each = stack.pop()
        if isinstance(each, dict):
            stack += each.values()
        elif isinstance(each, torch.Tensor) and each.numel() and not each.requires_grad:
            storage = torch.empty(0, dtype=torch.uint8).set_(each.untyped_storage())
            storage.copy_(torch.tensor(list(chance.randbytes(len(storage))), dtype=torch.uint8) & 1)
    return value


@pytest.mark.parametrize("how", WAYS)
def test_a_tied_head_is_one_storage(how: str) -> None:
    """And an untied one is another."""
    for tied in (True, False):
        found = listed(saved(model(tie_word_embeddings=tied).state_dict(), how))
        tensors = {tensor.name: tensor for tensor in found.tensors}
        wte, head = tensors["transformer.wte.weight"], tensors["lm_head.weight"]
        assert (wte.memory == head.memory) is (wte.storage == head.storage) is tied


@pytest.mark.parametrize("how", WAYS)
def test_the_optimizer_of_nanogpt_is_told_apart(how: str) -> None:
    """Its tensors are said to be there, and are not listed; the arguments of the model are kept."""
    found = listed(saved(nanogpt(), how))
    assert {tensor.name for tensor in found.tensors} == set(model().state_dict())
    parameters = len(list(model().parameters()))
    count = 3 * parameters + 1  # two moments and a step for each, and best_val_loss
    note = f"{count} tensors outside of 'model', such as 'optimizer.state.?.step', are not listed"
    assert found.notes == (note,)
    assert found.fields == {**SMALL, "block_size": 6, "bias": True, "dropout": 0.0}


@pytest.mark.parametrize("how", WAYS)
def test_bytes_are_those_that_a_tensor_uses(how: str) -> None:
    """An expanded one uses fewer than it has elements, a view no more than its part."""
    sizes = {tensor.name: tensor.nbytes for tensor in listed(saved(views(), how)).tensors}
    expected = {"base": 96, "transposed": 96, "row": 24, "column": 16, "every second": 24, "expanded": 12}
    expected |= {"scalar expanded": 4, "one element": 4, "empty": 0, "no storage at all": 0, "0-wide": 0}
    assert expected.items() <= sizes.items()


def test_tensors_of_the_meta_device_have_no_place() -> None:
    """They are saved without values, and that is said."""
    found = listed(saved({"wte": torch.zeros(2, 3, device="meta"), "wpe": torch.zeros(1)}))
    assert [(t.name, t.shape, t.nbytes, t.offset, t.storage) for t in found.tensors[:1]] == [
        ("wte", (2, 3), 0, None, None)
    ]
    assert found.notes == ("1 of 2 tensors were saved from the meta device, without values",)


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")  # PyTorch is going to drop them
def test_quantized_tensors_are_listed_with_their_dtype() -> None:
    """So that who holds them against a config says what is wrong with them."""
    quantized = torch.quantize_per_tensor(torch.zeros(2, 3), 0.1, 0, torch.qint8)
    assert [(t.dtype, t.shape, t.nbytes) for t in listed(saved({"wte": quantized})).tensors] == [("QINT8", (2, 3), 6)]


def test_a_zip_without_checksums_is_read_and_said_to_be_one() -> None:
    """It can be told to compute none."""
    torch.serialization.set_crc32_options(False)
    try:
        found = listed(saved({"wte": torch.zeros(2)}))
    finally:
        torch.serialization.set_crc32_options(True)
    assert [tensor.name for tensor in found.tensors] == ["wte"]
    assert found.notes == (torch_files.WITHOUT_CHECKSUMS,)


def test_a_file_on_disk_is_named_in_its_listing(tmp_path: Path) -> None:
    """With its size."""
    path = tmp_path / "pytorch_model.bin"
    torch.save({"wte": torch.zeros(2)}, path)
    with LocalFile(str(path)) as file:
        found = torch_files.read(file)
    assert [(each.path, each.size) for each in found.files] == [(str(path), path.stat().st_size)]
    assert (found.name, found.format, found.tensors[0].file) == (str(path), "torch zip", str(path))


# The makers' own files


def test_the_maker_writes_what_torch_writes() -> None:
    """The same bytes, zip and legacy, of all shapes and of plain dtypes; only an id in the zip is torch's own."""
    tensors = [
        *safetensors.released(2, 6, n_positions=4, vocab_size=300),
        ("m", "BOOL", (1, 1, 2, 2)),
        ("e", "F16", (0, 3)),
        ("s", "F64", ()),
    ]
    dtypes = {names[0]: getattr(torch, dtype) for dtype, names in DTYPES.items()}
    state = OrderedDict((name, torch.zeros(shape, dtype=dtypes[dtype])) for name, dtype, shape in tensors)
    content = saved(state)
    name = zipfile.ZipFile(io.BytesIO(content)).read("archive/.data/serialization_id")
    assert make.archive(make.records(make.views(tensors), name)).content() == content
    keys = [str(tensor.untyped_storage()._cdata) for tensor in state.values()]
    value = Ordered((name, View(dtype, shape, key)) for key, (name, dtype, shape) in zip(keys, tensors, strict=True))
    assert make.legacy(value).content() == saved(state, "legacy")


@pytest.mark.parametrize("form", ["torch zip", "torch legacy"])
def test_the_replica_of_gpt2_xl_is_read_without_its_values(form: str, tmp_path: Path) -> None:
    """6.4 GB with holes: what is read is little, and the same whatever the size."""
    path = tmp_path / "pytorch_model.bin"
    tensors = safetensors.released(48, 1600)
    size = (make.write if form == "torch zip" else make.write_legacy)(path, tensors)
    assert size == path.stat().st_size > 6_400_000_000
    with LocalFile(str(path)) as file:
        found = torch_files.read(file)
    assert found.format == form
    assert [(t.name, t.dtype, t.shape) for t in found.tensors] == tensors
    assert sum(tensor.nbytes for tensor in found.tensors) == sum(safetensors.nbytes(*each[1:]) for each in tensors)
    loaded = torch.load(path, mmap=True, weights_only=True) if form == "torch zip" else {}
    assert [(name, tuple(tensor.shape)) for name, tensor in loaded.items()] == [
        (name, shape) for name, _, shape in tensors[: len(loaded)]
    ]
    if form == "torch zip":
        offsets = {name: tensor.untyped_storage().data_ptr() for name, tensor in loaded.items()}
        first = found.tensors[0]
        assert first.offset is not None
        assert all(t.offset - first.offset == offsets[t.name] - offsets[first.name] for t in found.tensors if t.offset)


class Far:
    """A file of the hub, as this reader sees it: what is read is kept."""

    def __init__(self, content: bytes) -> None:
        self.name, self.size, self.asked = "far.bin", len(content), list[tuple[int, int]]()
        self._content = content

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset` on."""
        self.asked.append((offset, count))
        return self._content[offset : offset + count]


@pytest.mark.parametrize("case", GOOD)
def test_of_a_far_zip_three_places_are_read(case: str) -> None:
    """The end, the directory, and the pickle; and the listing is the same as of a near one."""
    content = saved(GOOD[case]())
    far = Far(content)
    found = torch_files.read(far)
    near = listed(content, "far.bin")
    assert found == near
    assert len(far.asked) == 3


def test_of_a_far_zip_that_others_wrote_headers_are_read_too() -> None:
    """Where the directory leaves it open where the data begins."""
    content = make.by_zipfile(make.nanogpt())
    far = Far(content)
    assert torch_files.read(far) == listed(content, "far.bin")
    assert len(far.asked) == 3 + 2


@pytest.mark.parametrize("more", [-1, 0, 1])
def test_of_a_far_legacy_file_its_beginning_is_read(more: int) -> None:
    """Once where the pickles end within the first read, and else more of it; the values are never read."""
    rest = len(make.legacy(Ordered({"": View("F32", (50_000,), "1")})).parts[0][1])
    names = Ordered({"x": View("F32", (50_000,), "1"), "padding": ""})
    without = len(make.legacy(names).parts[0][1])
    assert rest < without
    names["padding"] = "p" * (torch_files.FIRST_READ_BYTES + more - without)
    content = make.legacy(names).content()
    far = Far(content)
    assert torch_files.read(far) == listed(content, "far.bin")
    heads = [count for offset, count in far.asked if offset == 0]
    assert heads == [torch_files.FIRST_READ_BYTES]
    assert len(far.asked) == (2 if more < 1 else 3)
