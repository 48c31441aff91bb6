"""torch.distributed.checkpoint: a folder whose `.metadata`, a pickle of dataclasses, says what its files hold.

The dataclasses are known, and nothing of them is imported: an object is its class's name and its state. The values are
not read: each part of a tensor is a file of torch.save within a `.distcp` file.

Source: PyTorch 2.13, torch/distributed/checkpoint/metadata.py and filesystem.py.
"""

from __future__ import annotations

import os
from math import prod
from typing import TYPE_CHECKING, Any, cast

from gpt2calc.checkpoints import state_dicts
from gpt2calc.checkpoints.layout import DTYPES
from gpt2calc.checkpoints.machine import Global, Record, RefusedError, kind
from gpt2calc.checkpoints.pickles import load, most_bytes
from gpt2calc.checkpoints.state_dicts import MOST_CONTAINER_DEPTH
from gpt2calc.checkpoints.torch_calls import INT64_MAX, Rebuilding, sizes_of
from gpt2calc.errors import UnreadableInputError, shortened, shown
from gpt2calc.listing import StoredFile, StoredTensor, TensorListing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.checkpoints.files import ByteFile

PART = ".distcp"
"""The end of the names of the files that hold the values."""

MODULES = (
    *("torch.distributed.checkpoint.metadata", "torch.distributed.checkpoint.filesystem"),
    *("torch.distributed._shard.checkpoint.metadata", "torch.distributed._shard.checkpoint.filesystem"),
    *("torch.distributed._shard.sharded_tensor.metadata", "torch.distributed._shard.metadata"),
)
CLASSES = (
    *("Metadata", "TensorStorageMetadata", "BytesStorageMetadata", "ChunkStorageMetadata", "TensorProperties"),
    *("MetadataIndex", "_StorageInfo", "StorageMeta"),
)
"""The dataclasses of a `.metadata`, and where PyTorch has had them since 1.12."""

BYTES_A_PART = 512
"""A part of a tensor takes more than so many bytes of a `.distcp` file, so that these bound how many there can be."""

MOST_PARTS = 250_000
"""How many parts, of all tensors together, the bound on a pickle's length goes up to."""


class Tensor:
    """A tensor that a `.metadata` speaks of, with the file of its first part."""

    __slots__ = ("dtype", "file", "shape")

    def __init__(self, shape: tuple[int, ...], dtype: str, file: str | None) -> None:
        self.shape, self.dtype, self.file = shape, dtype, file


def read(file: ByteFile, sizes: Mapping[str, int] | None = None) -> TensorListing:
    """Return what a folder of torch.distributed.checkpoint holds, by its `.metadata`.

    Law: the parts of a tensor lie within it and have as many elements as it has, and the files of all parts are there.

    Args:
        file: the `.metadata`.
        sizes: the sizes of the files beside it, by their names.

    Raises:
        UnreadableInputError: it is another file, a file of values is missing or too short, or what it says contradicts
            itself.
    """
    beside = {name: size for name, size in (sizes or {}).items() if name.endswith(PART)}
    parts = min(sum(beside.values()) // BYTES_A_PART, MOST_PARTS)
    if file.size > most_bytes(parts):
        problem = f"expected a .metadata of at most {most_bytes(parts):,} bytes, got {file.size:,}"
        raise UnreadableInputError(file.name, problem)
    rebuilding = Rebuilding()
    records = {f"{module}.{name}": Record.made(name) for module in MODULES for name in CLASSES}
    content = file.read(0, file.size)
    top, _ = load(
        file.name,
        content,
        {**rebuilding.calls, **records},
        rebuilding.persistent,
        beside=parts,
        other=rebuilding.other,
    )
    try:
        tensors, fields, notes = _tensors(top, beside)
    except (RefusedError, ValueError) as error:
        raise UnreadableInputError(file.name, str(error)) from None
    folder = os.path.dirname(file.name)
    listed = tuple(_stored(name, tensor, folder) for name, tensor in tensors)
    files = (StoredFile(file.name, file.size), *(StoredFile(os.path.join(folder, n), s) for n, s in beside.items()))
    return TensorListing(file.name, "torch distributed", listed, files, fields, (), notes)


def _tensors(
    top: object, beside: Mapping[str, int]
) -> tuple[list[tuple[str, Tensor]], Mapping[str, object], tuple[str, ...]]:
    """Return the tensors of the model, what the checkpoint says of its config, and what one should know."""
    held = _state(top, "Metadata", "state_dict_metadata")
    if type(held) is not dict:
        raise RefusedError(f"expected a dict as state_dict_metadata, got {kind(held)}")
    storage = _state(top, "Metadata", "storage_data")
    places, left = _places(storage, beside), len(storage) if type(storage) is dict else 0
    paths = _state(top, "Metadata", "planner_data")
    nested: dict[object, object] = {}
    for name, found in held.items():
        if type(name) is str and type(found) is Record and found.of == "TensorStorageMetadata":
            # Names come back as the keys on the way to them, so that an optimizer's tensors are told from a model's.
            path = paths.get(name) if type(paths) is dict else None
            keys = path if type(path) is tuple and 0 < len(path) <= MOST_CONTAINER_DEPTH else (name,)
            chunks = _state(found, found.of, "chunks")
            left -= len(chunks) if type(chunks) is list else 0
            if left < 0:  # one list can be that of many tensors
                raise RefusedError("expected a place for each part of a tensor, got fewer")
            inner = nested
            for key in keys[:-1]:
                deeper = inner.setdefault(key if type(key) is str else object(), {})
                if type(deeper) is not dict:
                    raise RefusedError(f"expected a path of keys to {shown(shortened(name))}, got one to a tensor")
                inner = deeper
            last = keys[-1]
            inner[last if type(last) is str else object()] = _tensor(name, found, places)
    found_all = state_dicts.find(nested, lambda value: type(value) is Tensor)
    return list(cast("tuple[tuple[str, Tensor], ...]", found_all.tensors)), found_all.fields, found_all.notes


def _tensor(name: str, record: Record, places: Mapping[str, str]) -> Tensor:
    """Return a tensor, once its parts are known to be all of it."""
    shape = sizes_of(_state(record, record.of, "size"))
    properties = _state(record, record.of, "properties")
    state = properties.state if type(properties) is Record else None
    dtype = state[0] if type(state) is tuple and state else state.get("dtype") if type(state) is dict else None
    if type(dtype) is not Global or dtype.parts[0] != "torch" or dtype.parts[1] not in DTYPES:
        raise RefusedError(f"expected a dtype of PyTorch for {shown(shortened(name))}, got {kind(dtype)}")
    numel = prod(shape)
    if numel > INT64_MAX:
        raise RefusedError(f"expected at most {INT64_MAX} elements in {shown(shortened(name))}, got more")
    chunks = _state(record, record.of, "chunks")
    held = 0
    for chunk in chunks if type(chunks) is list else ():
        begins, lengths = (sizes_of(_state(chunk, "ChunkStorageMetadata", each)) for each in ("offsets", "sizes"))
        if len(begins) != len(shape) or len(lengths) != len(shape):
            raise RefusedError(f"expected parts of {len(shape)} sizes for {shown(shortened(name))}, got others")
        if any(begin + length > size for begin, length, size in zip(begins, lengths, shape, strict=True)):
            raise RefusedError(f"expected parts within {shown(shortened(name))}, got one that reaches out of it")
        held += prod(lengths)
    if held != numel:
        raise RefusedError(f"expected parts of {numel:,} elements for {shown(shortened(name))}, got {held:,}")
    return Tensor(shape, dtype.parts[1], places.get(name))


def _places(storage: object, beside: Mapping[str, int]) -> dict[str, str]:
    """Return the file of each tensor's first part, once all files are known to be there, and long enough."""
    found: dict[str, str] = {}
    for index, info in storage.items() if type(storage) is dict else ():
        name, path = _state(index, "MetadataIndex", "fqn"), _state(info, "_StorageInfo", "relative_path")
        begin, length = (_state(info, "_StorageInfo", each) for each in ("offset", "length"))
        if type(path) is not str or type(begin) is not int or type(length) is not int or min(begin, length) < 0:
            raise RefusedError("expected a file, an offset and a length for each part, got others")
        if path not in beside:
            raise RefusedError(f"expected the file {shown(shortened(path))} beside it, got none of that name")
        if begin + length > beside[path]:
            end, size = shown(begin + length), beside[path]
            raise RefusedError(f"expected {shown(path)} to have {end} bytes, got a file of {size:,}")
        if type(name) is str:
            found.setdefault(name, path)
    return found


def _state(record: object, of: str, key: str) -> Any:
    """Return a field of an object of a dataclass."""
    if type(record) is not Record or record.of != of or type(record.state) is not dict:
        got = f"an object of {record.of}" if type(record) is Record else kind(record)
        raise RefusedError(f"expected an object of {of} with its fields, got {got}")
    return record.state.get(key)


def _stored(name: str, tensor: Tensor, folder: str) -> StoredTensor:
    dtype, width = DTYPES[tensor.dtype]
    file = os.path.join(folder, tensor.file) if tensor.file else None
    return StoredTensor(name, tensor.shape, dtype, prod(tensor.shape) * width, file)
