"""safetensors: from the JSON header of one file to its tensors. It must not know of shards: that is `shards`.

A file is 8 bytes that give the header's length, the header, and the tensors' bytes without gaps. What the format's own
library refuses is refused here. What it accepts is accepted, but for these:

- a key that is given twice: the format forbids it, and readers differ in which of the two they take;
- a header that does not begin with `{`: the format says that it must, so that it is nothing else as well;
- an array in the place of a tensor's object, or an object in the place of its dtype: no other reader takes them;
- a name of more than `MOST_NAME_CHARACTERS` characters;
- a shape of more than `MOST_DIMS` sizes: neither PyTorch nor numpy computes with such a tensor;
- more than `listing.MOST_TENSORS` tensors, and a header that is longer than its tensors make it, as `strict_json` says.

Source: huggingface/safetensors, README.md, "Format", and safetensors/src/tensor.rs; version 0.8.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from gpt2calc.checkpoints.strict_json import MOST_JSON_BYTES, brief, parse
from gpt2calc.errors import UnreadableInputError, shown
from gpt2calc.listing import BITS, MOST_NAME_CHARACTERS, MOST_TENSORS, StoredFile, StoredTensor, TensorListing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    from gpt2calc.checkpoints.files import ByteFile

    Place: TypeAlias = tuple[int, int, str, str, tuple[int, ...]]
    """Where a tensor's bytes begin and end, its name, dtype and shape."""

FIRST_READ = 16 * 2**10
"""How many bytes are asked for at first. gpt2's header has 14 kB, and so comes from the hub with one request. A longer
one takes a second request, for what is missing of the header and not a byte more."""

UINT64_MAX = 2**64 - 1
"""The format's whole numbers have 64 bits, and so has what they are multiplied to."""

MOST_DIMS = 64
"""How many sizes a shape may have: numpy's limit, and that of most of PyTorch's operations."""

MOST_JSON_DEPTH = 127
"""How deep the header's JSON may be nested: serde_json, which the format's own library reads with, has this limit."""

SIZES: dict[str, int] = {
    **BITS,
    "C64": 64,
    "F8_E8M0": 8,
    "F8_E4M3FNUZ": 8,
    "F8_E5M2FNUZ": 8,
    "F6_E2M3": 6,
    "F6_E3M2": 6,
    "F4": 4,
}
"""Every dtype of the format, with the bits that an element takes."""

KEYS = ("dtype", "shape", "data_offsets")


def read(file: ByteFile) -> TensorListing:
    """Return what the header of a safetensors file says, once all of it is checked.

    Law: the tensors' bytes fill the file from the end of the header on, in some order, without gap or overlap; each has
    as many as its shape and dtype need.

    Args:
        file: the file, of which the header is read, and `FIRST_READ` bytes where the header is shorter.

    Returns:
        The tensors in the order of their bytes.

    Raises:
        UnreadableInputError: it is no safetensors file, or something in its header is wrong.

    Source: huggingface/safetensors, safetensors/src/tensor.rs, `read_metadata` and `validate`.

    >>> from gpt2calc.checkpoints.files import MemoryFile
    >>> header = b'{"wte":{"dtype":"F16","shape":[3,2],"data_offsets":[0,12]}}'
    >>> read(MemoryFile("tiny.safetensors", bytes((len(header), *bytes(7))) + header + bytes(12))).tensors[0].numel
    6
    """
    header = _header(file)
    document = parse(file.name, header, "a header", b"{")
    metadata = _metadata(file, document.pop("__metadata__", None))
    if len(document) > MOST_TENSORS:
        _refuse(file, f"expected at most {MOST_TENSORS:,} tensors, got {len(document):,}")
    longest = max(map(len, document), default=0)
    if longest > MOST_NAME_CHARACTERS:
        _refuse(file, f"expected names of at most {MOST_NAME_CHARACTERS:,} characters, got one of {longest:,}")
    places = sorted(_place(file, name, entry) for name, entry in document.items())
    start = 8 + len(header)
    _check_cover(file, places, file.size - start)
    tensors = tuple(
        StoredTensor(name, shape, dtype, end - begin, file.name, start + begin)
        for begin, end, name, dtype, shape in places
    )
    files = (StoredFile(file.name, file.size),)
    return TensorListing(file.name, "safetensors", _with_other_names(tensors, metadata), files, notes=_notes(metadata))


def _refuse(file: ByteFile, problem: str) -> NoReturn:
    raise UnreadableInputError(file.name, problem)


def _header(file: ByteFile) -> bytes:
    """Return the bytes of the header, in one read where the first is enough, else in two."""
    first = file.read(0, min(file.size, FIRST_READ))
    if len(first) < 8:
        _refuse(file, f"expected the 8 bytes with which a safetensors file begins, got a file of {file.size:,}")
    length = int.from_bytes(first[:8], "little")
    if length > file.size - 8:
        _refuse(file, f"expected a header of {length:,} bytes, as its first 8 bytes say, got {file.size - 8:,} bytes")
    if length > MOST_JSON_BYTES:
        _refuse(file, f"expected a header of at most {MOST_JSON_BYTES:,} bytes, got {length:,}")
    missing = 8 + length - len(first)
    header = first[8 : 8 + length] if missing <= 0 else first[8:] + file.read(len(first), missing)
    if not header.startswith(b"{"):
        _refuse(file, f"expected a header that begins with '{{', got {shown(header[:1].decode('latin-1'))}")
    return header


def _metadata(file: ByteFile, metadata: object) -> dict[str, str]:
    """Return the free text that a header may carry."""
    if metadata is None:
        return {}
    if not isinstance(metadata, dict) or not all(isinstance(value, str) for value in metadata.values()):
        _refuse(file, "expected __metadata__ to be an object whose values are text, got another")
    return metadata


def _notes(metadata: Mapping[str, str]) -> tuple[str, ...]:
    """Say where the metadata names another framework than PyTorch."""
    framework = metadata.get("format", "pt")
    return () if framework == "pt" else (f"its metadata says that it was saved as {shown(framework)}, not as 'pt'",)


def _with_other_names(tensors: tuple[StoredTensor, ...], metadata: Mapping[str, str]) -> tuple[StoredTensor, ...]:
    """Add the names under which the metadata says that a tensor is to be found as well, on one storage with it.

    `save_model` stores what several names share under one of them, and notes for each other name which one that is.

    Source: safetensors, bindings/python/py_src/safetensors/torch.py, `save_model` and `load_model`.
    """
    stored = {tensor.name: tensor for tensor in tensors}
    others = {
        name: first
        for name, first in metadata.items()
        if first in stored and name not in stored and "." in name and len(name) <= MOST_NAME_CHARACTERS
    }
    shared = {first: stored[first]._replace(storage=f"{stored[first].file}:{first}") for first in others.values()}
    named = (shared[first]._replace(name=name) for name, first in others.items())
    return (*(shared.get(tensor.name, tensor) for tensor in tensors), *named)


def _place(file: ByteFile, name: str, entry: Any) -> Place:
    """Return where one tensor lies, once its own entry is checked."""
    try:
        dtype, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
    except (KeyError, TypeError):
        got = ", ".join(key for key in KEYS if key in entry) if isinstance(entry, dict) else brief(entry)
        _refuse(file, f"expected dtype, shape and data_offsets for tensor {shown(name)}, got {got or 'none of them'}")
    if not isinstance(dtype, str) or dtype not in SIZES:
        _refuse(file, f"expected a dtype that the format knows for tensor {shown(name)}, got {brief(dtype)}")
    if not _are_whole(shape):
        _refuse(file, f"expected a shape of whole numbers for tensor {shown(name)}, got {brief(shape)}")
    if not _are_whole(offsets) or len(offsets) != 2:
        _refuse(file, f"expected two whole numbers as data_offsets of tensor {shown(name)}, got {brief(offsets)}")
    if len(entry) > 3 and not all(_is_readable(value, MOST_JSON_DEPTH - 2) for value in entry.values()):
        _refuse(file, f"expected tensor {shown(name)} to have what the format's library can read, got more")
    if len(shape) > MOST_DIMS:
        _refuse(file, f"expected at most {MOST_DIMS} sizes in the shape of tensor {shown(name)}, got {len(shape):,}")
    numel = 1
    for n in shape:
        numel *= n
        if numel > UINT64_MAX:
            _refuse(file, f"expected at most {UINT64_MAX:,} elements in tensor {shown(name)}, got a larger shape")
    begin, end = offsets
    bits = SIZES[dtype]
    if numel * bits != 8 * (end - begin):
        needed = f"the bytes of {numel:,} elements of {bits} bits"
        _refuse(file, f"expected tensor {shown(name)} to have {needed}, got {end - begin:,} bytes")
    return begin, end, name, dtype, tuple(shape)


def _are_whole(value: object) -> bool:
    if not isinstance(value, list):
        return False
    for n in value:  # noqa: SIM110 - all(...) takes three times as long, and this is most of a header's time
        if type(n) is not int or not 0 <= n <= UINT64_MAX:
            return False
    return True


def _is_readable(value: object, left: int) -> bool:
    """Whether the format's library reads a value that it does not use: `left` levels deep, no number over a float's."""
    if isinstance(value, (dict, list)):
        inside = value.values() if isinstance(value, dict) else value
        return left > 0 and all(_is_readable(part, left - 1) for part in inside)
    return not isinstance(value, int) or abs(value) < 2**1024


def _check_cover(file: ByteFile, places: list[Place], count: int) -> None:
    """Raise where tensors, in the order of their bytes, do not fill all of the bytes after the header."""
    expected = 0
    for begin, end, name, _, _ in places:
        if begin != expected:
            gap = "a gap" if begin > expected else "an overlap"
            where = f"offset {expected:,} after the header"
            _refuse(file, f"expected the bytes of tensor {shown(name)} to begin at {where}, got {gap}: {begin:,}")
        expected = end
    if expected != count:
        _refuse(file, f"expected {expected:,} bytes of tensors, as its header says, got {count:,}")
