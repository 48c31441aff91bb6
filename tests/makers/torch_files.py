"""Good files of `torch.save`, written byte by byte as PyTorch 2.13 writes them: zip, legacy, and sparse of any size.

A file that holds what torch would have saved is the same file, but for the id that torch gives each of its zips.
"""

from __future__ import annotations

import io
import struct
import zipfile
from functools import cache
from typing import TYPE_CHECKING, NamedTuple
from zlib import crc32

from tests.makers import safetensors
from tests.makers.torch_pickles import CLASSES, Ordered, Pickler, View

if TYPE_CHECKING:
    import os
    from collections.abc import Iterable, Sequence
    from typing import TypeAlias

    from tests.makers.safetensors import Tensor

    Record: TypeAlias = "tuple[str, bytes | int]"
    """A file of a zip: its name and its content, or how many zeros it has."""

HEAD = b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.\x80\x02M\xe9\x03."
"""The first two pickles of a legacy file: the magic number, and the version."""

SYSTEM = {
    "protocol_version": 1001,
    "little_endian": True,
    "type_sizes": {"short": 2, "int": 4, "long": 4},
}
"""The third."""

LONG = 2**32 - 1
"""The size, or the place, from which on a zip keeps it in a longer field."""

SIZES_FOLLOW, UTF_8 = 8, 2**11
"""Bits of a zip's flags."""

FORMAT = [(".format_version", b"1"), (".storage_alignment", b"64"), ("byteorder", b"little")]
ID = b"1" * 40


class Sparse(NamedTuple):
    """Bytes at their places in a file, which has zeros elsewhere."""

    parts: tuple[tuple[int, bytes], ...]
    size: int

    def content(self) -> bytes:
        """Return the whole file."""
        content = bytearray(self.size)
        for at, part in self.parts:
            content[at : at + len(part)] = part
        return bytes(content)

    def write(self, path: str | os.PathLike[str]) -> int:
        """Write the file with holes, so that its zeros take no room, and return its size in bytes."""
        with open(path, "wb") as file:
            for at, part in self.parts:
                file.seek(at)
                file.write(part)
            file.truncate(self.size)
        return self.size


def views(tensors: Iterable[Tensor]) -> Ordered:
    """Return a state_dict in which each tensor has a storage of its own."""
    return Ordered((name, View(dtype, shape, str(key))) for key, (name, dtype, shape) in enumerate(tensors))


# Zip archives


def archive(records: Sequence[Record], root: str = "archive", *, checksums: bool = True) -> Sparse:
    """Lay out a zip as torch does: data at multiples of 64, its checksum and sizes behind it, two ends."""
    parts: list[tuple[int, bytes]] = []
    entries, end = [], 0
    for name, data in records:
        start, path = end, f"{root}/{name}".encode()
        size = data if isinstance(data, int) else len(data)
        crc = (zeros_crc(data) if isinstance(data, int) else crc32(data)) if checksums else 0
        header = _local(path, start, size)
        begin = start + len(header)
        follows = struct.pack("<4sIQQ" if size >= LONG or start >= LONG else "<4sIII", b"PK\7\x08", crc, size, size)
        parts += [(start, header), (begin + size, follows if size else b"")]
        if not isinstance(data, int):
            parts.append((begin, data))
        end = begin + size + (len(follows) if size else 0)
        entries.append(_entry(path, start, size, crc))
    directory = b"".join(entries)
    tail = directory + _ends(len(records), len(directory), end)
    return Sparse((*parts, (end, tail)), end + len(tail))


def _local(path: bytes, start: int, size: int) -> bytes:
    """Return the header in front of the data, padded so that the data begins at a multiple of 64."""
    longer = _longer(start, size)
    if size >= LONG:  # here torch says only once how long the data is
        longer = longer[:12] + bytes(8) + longer[20:]
    begin = start + 30 + len(path) + len(longer) + 4
    padding = -begin % 64
    extra = longer + struct.pack("<2sH", b"FB", padding) + b"Z" * padding
    flags = UTF_8 | (SIZES_FOLLOW if size else 0)
    return struct.pack("<4sHHHIIIIHH", b"PK\3\4", 0, flags, 0, 0, 0, 0, 0, len(path), len(extra)) + path + extra


def _longer(start: int, size: int) -> bytes:
    """Return the field with what does not fit in four bytes."""
    numbers = ((size, size) if size >= LONG else ()) + ((start,) if start >= LONG else ())
    return struct.pack(f"<HH{len(numbers)}Q", 1, 8 * len(numbers), *numbers) if numbers else b""


def _entry(path: bytes, start: int, size: int, crc: int) -> bytes:
    """Return the entry of the directory."""
    longer, short, at = _longer(start, size), min(size, LONG), min(start, LONG)
    flags = UTF_8 | (SIZES_FOLLOW if size else 0)
    numbers = (0, 0, flags, 0, 0, crc, short, short, len(path), len(longer), 0, 0, 0, 0, at)
    return struct.pack("<4sHHHHIIIIHHHHHII", b"PK\1\2", *numbers) + path + longer


def _ends(count: int, size: int, start: int) -> bytes:
    """Return the long end of the directory, what says where that is, and the short one."""
    long = struct.pack("<4sQHHIIQQQQ", b"PK\6\6", 44, 0x31E, 45, 0, 0, count, count, size, start)
    locator = struct.pack("<4sIQI", b"PK\6\7", 0, start + size, 1)
    few = min(count, 2**16 - 1)
    return long + locator + struct.pack("<4sHHHHIIH", b"PK\5\6", 0, 0, few, few, size, min(start, LONG), 0)


@cache
def zeros_crc(count: int) -> int:
    """Return the checksum of so many zeros."""
    chunk, crc = bytes(1 << 20), 0
    for _ in range(count >> 20):
        crc = crc32(chunk, crc)
    return crc32(bytes(count & (1 << 20) - 1), crc)


def records(value: object, name: bytes = ID) -> list[Record]:
    """Return the files of a zip that holds a value, whose storages are all zeros."""
    pickler = Pickler()
    pickle = pickler.dump(value)
    storages: list[Record] = [(f"data/{key}", view.nbytes) for key, view in pickler.views.items()]
    return [("data.pkl", pickle), *FORMAT, *storages, ("version", b"3\n"), (".data/serialization_id", name)]


def around(pickle: bytes, *more: Record, byteorder: bytes | None = b"little") -> bytes:
    """Return a zip with any bytes as its pickle, good or not."""
    order = [] if byteorder is None else [("byteorder", byteorder)]
    return archive([("data.pkl", pickle), *order, *more, ("version", b"3\n")]).content()


def by_zipfile(value: object) -> bytes:
    """Return a zip as Python's own module writes it, which pads nothing and has one end."""
    memory = io.BytesIO()
    with zipfile.ZipFile(memory, "w") as file:
        for name, data in records(value):
            file.writestr(f"archive/{name}", bytes(data) if isinstance(data, int) else data)
    return memory.getvalue()


# Whole files


def content(tensors: Iterable[Tensor], root: str = "archive") -> bytes:
    """Return a whole zip, all of whose values are zero."""
    return archive(records(views(tensors)), root).content()


def write(path: str | os.PathLike[str], tensors: Iterable[Tensor], root: str = "archive") -> int:
    """Write a zip that is sparse where the values are, and return its size in bytes."""
    return archive(records(views(tensors)), root).write(path)


def legacy(value: object) -> Sparse:
    """Lay out a legacy file: pickles, and behind them each storage behind its number of elements."""
    pickler = Pickler(legacy=True)
    head = HEAD + Pickler().dump(SYSTEM) + pickler.dump(value)
    keys = sorted(pickler.views)
    head += Pickler().dump(list(keys))
    parts, end = [(0, head)], len(head)
    for key in keys:
        view = pickler.views[key]
        parts.append((end, view.numel.to_bytes(8, "little")))
        end += 8 + view.nbytes
    return Sparse(tuple(parts), end)


def write_legacy(path: str | os.PathLike[str], tensors: Iterable[Tensor]) -> int:
    """Write a legacy file that is sparse where the values are, and return its size in bytes."""
    return legacy(views(tensors)).write(path)


def nanogpt() -> dict[str, object]:
    """Return what nanoGPT saves: a tied head, the optimizer's state, the arguments, and how training went."""
    wte = View("F32", (3, 2), "0")
    model = Ordered({"transformer.wte.weight": wte, "transformer.ln_f.weight": View("F32", (2,), "1")})
    model["lm_head.weight"] = wte
    state = {"exp_avg": View("F32", (3, 2), "2"), "step": View("F32", (), "3")}
    return {
        "model": model,
        "optimizer": {"state": {"0": state}, "param_groups": [{"lr": 6e-4, "weight_decay": 0.1}]},
        "model_args": {"n_layer": 0, "n_head": 1, "n_embd": 2, "block_size": 1, "bias": False, "vocab_size": 3},
        "iter_num": 2000,
        "best_val_loss": 2.5,
        "config": {"dataset": "openwebtext", "compile": True, "eval_iters": 200},
    }


def mixed() -> Ordered:
    """Return what the format allows: all dtypes, views with gaps and at offsets, expanded, empty and scalar ones."""
    found = Ordered((dtype, View(dtype, (2, 3), dtype)) for dtype in CLASSES)
    found["transposed"] = View("F32", (3, 2), "F32", stride=(1, 3))
    found["row"] = View("F32", (3,), "F32", offset=3, elements=6)
    found["expanded"] = View("I8", (5, 3), "few", stride=(0, 1), elements=3)
    found["é \n"] = View("F64", (), "scalar")
    found["empty"] = View("BF16", (0, 4), "none")
    return found


def seeds() -> list[bytes]:
    """Return small zips."""
    small = views(safetensors.released(1, 2, n_positions=2, vocab_size=3)[:4])
    return [archive(records(value)).content() for value in (nanogpt(), mixed(), small)] + [by_zipfile(nanogpt())]


def legacy_seeds() -> list[bytes]:
    """Return small legacy files."""
    return [legacy(value).content() for value in (nanogpt(), mixed(), Ordered({"wte": View("F32", (3, 2), "9")}))]


def pickle_seeds() -> list[bytes]:
    """Return pickles as they are in a zip."""
    return [Pickler().dump(value) for value in (nanogpt(), mixed(), Ordered({"wte": View("F32", (3, 2), "0")}))]
