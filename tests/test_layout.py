"""Strides and sizes of elements are as PyTorch has them."""

from __future__ import annotations

from itertools import product

import pytest
import torch
from safetensors.torch import save

from gpt2calc.checkpoints import layout, safetensors
from gpt2calc.checkpoints.files import MemoryFile
from tests.loops import of_each

SHAPES = [shape for rank in range(4) for shape in product((0, 1, 2, 3), repeat=rank)]
QUANTIZED = {"qint32": 4, "qint8": 1, "quint8": 1}
"""PyTorch gives these no itemsize before 2.1."""


@of_each("name", layout.DTYPES)
def test_every_dtype_has_the_size_that_torch_gives_it(name: str) -> None:
    """In bytes."""
    assert layout.DTYPES[name][1] == QUANTIZED.get(name, getattr(torch, name).itemsize)


def test_every_dtype_of_torch_that_holds_numbers_is_known() -> None:
    """But for those of less than a byte, of which no parameter is."""
    dtypes = {str(value).removeprefix("torch.") for value in vars(torch).values() if isinstance(value, torch.dtype)}
    unknown = dtypes - layout.DTYPES.keys()
    assert all(name.startswith(("int", "uint", "bits", "quint")) for name in unknown), unknown
    assert not {"int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "uint64"} & unknown


@pytest.mark.parametrize("name", ["float32", "bfloat16", "float16", "bool", "uint8", "int64", "float8_e4m3fn"])
def test_dtypes_are_called_as_safetensors_calls_them(name: str) -> None:
    """What its library writes for a tensor of torch."""
    content = save({"x": torch.zeros(2).to(getattr(torch, name))})
    assert safetensors.read(MemoryFile("x", content)).tensors[0].dtype == layout.DTYPES[name][0]


def strided() -> list[torch.Tensor]:
    """Return tensors of many layouts: transposed, with steps, expanded, and with gaps."""
    base = torch.zeros(3, 4, 5)
    found = [torch.zeros(shape) for shape in SHAPES]
    found += [base.permute(order) for order in ((0, 2, 1), (1, 0, 2), (2, 1, 0))]
    found += [base[::2], base[:, ::3], base[..., 1:3], base[:, :1], base[1], base[:0], base[:, :, None]]
    found += [torch.zeros(3, 1).expand(3, 4), torch.zeros(1).expand(5), torch.zeros(()).expand(2, 2)]
    return [*found, torch.zeros(2, 3).t(), torch.zeros(1, 5).t()]


def test_row_major_is_what_torch_calls_contiguous() -> None:
    """For every layout."""
    for x in strided():
        assert layout.row_major(tuple(x.shape), x.stride()) == x.is_contiguous(), (x.shape, x.stride())


def test_a_span_is_what_a_storage_must_hold() -> None:
    """Torch makes a tensor of so many elements, and of one fewer it does not."""
    for x in strided():
        span = layout.span(tuple(x.shape), x.stride())
        torch.zeros(span).as_strided(x.shape, x.stride())
        if span:
            with pytest.raises(RuntimeError, match="out of bounds"):
                torch.zeros(span - 1).as_strided(x.shape, x.stride())


def test_what_is_stored_is_the_number_of_places_that_are_used() -> None:
    """Counted by writing into a storage of zeros."""
    for x in strided():
        storage = torch.zeros(layout.span(tuple(x.shape), x.stride()))
        storage.as_strided(x.shape, x.stride()).fill_(1)
        assert layout.stored(tuple(x.shape), x.stride()) == int(storage.sum()), (x.shape, x.stride())
