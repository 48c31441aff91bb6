"""Pickles of state_dicts, written opcode by opcode as Python's pickler writes them for `torch.save`."""

from __future__ import annotations

import struct
from math import prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

CLASSES = {
    "F64": ("Double", 8),
    "F32": ("Float", 4),
    "F16": ("Half", 2),
    "BF16": ("BFloat16", 2),
    "I64": ("Long", 8),
    "I32": ("Int", 4),
    "I16": ("Short", 2),
    "I8": ("Char", 1),
    "U8": ("Byte", 1),
    "BOOL": ("Bool", 1),
}
"""The storages of PyTorch by dtype, with the bytes of an element."""


class View(NamedTuple):
    """A tensor over a storage, which is called by its key and is as large as the tensor needs, or as is said."""

    dtype: str
    shape: tuple[int, ...]
    key: str
    stride: tuple[int, ...] | None = None
    offset: int = 0
    elements: int | None = None

    @property
    def numel(self) -> int:
        """How many elements the storage has."""
        return prod(self.shape) if self.elements is None else self.elements

    @property
    def nbytes(self) -> int:
        """How many bytes the storage has."""
        return self.numel * CLASSES[self.dtype][1]


class Ordered(dict[str, object]):
    """What is pickled as an OrderedDict."""


class Pickler:
    """Writes values as Python's pickler does in protocol 2, and tensors as torch has them written."""

    def __init__(self, *, legacy: bool = False) -> None:
        self.legacy = legacy
        self.views: dict[str, View] = {}
        self._parts = [b"\x80\x02"]
        self._known: dict[tuple[str, ...], int] = {}
        self._count = 0

    def dump(self, value: object) -> bytes:
        """Return the pickle of a value."""
        self._write(value)
        return b"".join((*self._parts, b"."))

    def _write(self, value: object) -> None:
        match value:
            case View():
                self._tensor(value)
            case bool() | None:
                self._parts.append({None: b"N", True: b"\x88", False: b"\x89"}[value])
            case int():
                self._parts.append(integer(value))
            case float():
                self._parts.append(struct.pack(">cd", b"G", value))
            case str():
                self._text(value)
            case dict():
                self._dict(value)
            case list():
                self._parts.append(b"]")
                self._put()
                self._batch(value, b"a", b"e")
            case _:
                message = f"no value that the maker writes: {value!r}"
                raise TypeError(message)

    def _put(self, *known: str) -> None:
        index, self._count = self._count, self._count + 1
        self._parts.append(struct.pack("<cB", b"q", index) if index < 256 else struct.pack("<cI", b"r", index))
        if known:
            self._known[known] = index

    def _is_known(self, *known: str) -> bool:
        index = self._known.get(known)
        if index is not None:
            self._parts.append(struct.pack("<cB", b"h", index) if index < 256 else struct.pack("<cI", b"j", index))
        return index is not None

    def _text(self, value: str, *, shared: bool = False) -> None:
        if not (shared and self._is_known(value)):
            found = value.encode()
            self._parts.append(struct.pack("<cI", b"X", len(found)) + found)
            self._put(*((value,) if shared else ()))

    def _name(self, module: str, name: str) -> None:
        if not self._is_known(module, name):
            self._parts.append(f"c{module}\n{name}\n".encode())
            self._put(module, name)

    def _sizes(self, sizes: tuple[int, ...]) -> None:
        """Write a tuple of numbers, of which the short ones have opcodes of their own."""
        numbers = b"".join(map(integer, sizes))
        if len(sizes) < 4:
            self._parts.append(numbers + (b")", b"\x85", b"\x86", b"\x87")[len(sizes)])
        else:
            self._parts.append(b"(" + numbers + b"t")
        if sizes:
            self._put()

    def _ordered(self) -> None:
        self._name("collections", "OrderedDict")
        self._parts.append(b")R")
        self._put()

    def _dict(self, value: Mapping[str, object]) -> None:
        if isinstance(value, Ordered):
            self._ordered()
        else:
            self._parts.append(b"}")
            self._put()
        self._batch([each for item in value.items() for each in item], b"s", b"u", 2)

    def _batch(self, values: Sequence[object], single: bytes, many: bytes, width: int = 1) -> None:
        """Write items in batches of a thousand, as Python does."""
        for at in range(0, len(values), 1000 * width):
            batch = values[at : at + 1000 * width]
            self._parts.append(b"" if len(batch) == width else b"(")
            for value in batch:
                self._write(value)
            self._parts.append(single if len(batch) == width else many)

    def _tensor(self, view: View) -> None:
        self.views.setdefault(view.key, view)
        self._name("torch._utils", "_rebuild_tensor_v2")
        self._parts.append(b"((")
        self._text("storage", shared=True)
        self._name("torch", f"{CLASSES[view.dtype][0]}Storage")
        self._text(view.key)
        self._text("cpu", shared=True)
        self._parts.append(integer(view.numel) + (b"Nt" if self.legacy else b"t"))
        self._put()
        self._parts.append(b"Q" + integer(view.offset))
        self._sizes(view.shape)
        self._sizes(row_major(view.shape) if view.stride is None else view.stride)
        self._parts.append(b"\x89")
        self._ordered()
        self._parts.append(b"t")
        self._put()
        self._parts.append(b"R")
        self._put()


def integer(value: int) -> bytes:
    """Return a number as protocol 2 writes it, in as few bytes as there are opcodes for."""
    if 0 <= value < 2**16:
        return struct.pack("<cB", b"K", value) if value < 256 else struct.pack("<cH", b"M", value)
    if -(2**31) <= value < 2**31:
        return struct.pack("<ci", b"J", value)
    width = value.bit_length() // 8 + 1
    return struct.pack("<cB", b"\x8a", width) + value.to_bytes(width, "little", signed=True)


def row_major(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the strides of a tensor without gaps; a size of 0 counts as 1."""
    return tuple(prod(max(size, 1) for size in shape[place + 1 :]) for place in range(len(shape)))
