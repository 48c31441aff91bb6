"""PyTorch's files, `pytorch_model.bin`, `.pt`, `.pth`, nanoGPT's `ckpt.pt`: from a zip or a legacy file to a listing.

What a pickle is, is in `pickles`, what it may call in `torch_calls`, which of it is the model in `state_dicts`. Here is
where the values lie: in a zip each storage is an entry, and before PyTorch 1.6 the storages stood behind the pickles.

Of a file on the hub only these bytes are read. Of a zip: the end, the directory, and from data.pkl on what is in front
of the first storage: three reads. Of a legacy file: the end, which tells it from a zip, and the pickles.

Source: PyTorch 2.13, torch/serialization.py, `_save`, `_load`, `_legacy_save` and `_legacy_load`.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple, NoReturn, cast

from gpt2calc.checkpoints import state_dicts, zips
from gpt2calc.checkpoints.files import LocalFile, MemoryFile
from gpt2calc.checkpoints.layout import DTYPES, row_major, stored
from gpt2calc.checkpoints.machine import Opaque, RefusedError, refused
from gpt2calc.checkpoints.pickles import MOST_PICKLE_BYTES, TruncatedPickleError, load, most_bytes
from gpt2calc.checkpoints.torch_calls import Rebuilding, Tensor
from gpt2calc.errors import UnreadableInputError, shown
from gpt2calc.listing import ZERO_SHARD, StoredFile, StoredTensor, TensorListing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.checkpoints.files import ByteFile
    from gpt2calc.checkpoints.zips import Entry

MAGIC = 0x1950A86A20F9469CFC6C
"""The first pickle of a legacy file; the second is the version of its protocol."""

PROTOCOL_VERSION = 1001

FIRST_READ_BYTES = 128 << 10
"""How many bytes of a legacy file are read at first. The pickles of gpt2-xl have 100,000."""

MOST_SHARING_TENSORS = 50_000
"""How many tensors there may be more than storages, or in all of a legacy file: such a one is a name, and no more."""

WITHOUT_CHECKSUMS = "the zip has no checksums: it was saved with torch.serialization.set_crc32_options(False)"


def read(file: ByteFile) -> TensorListing:
    """Return what a file that `torch.save` wrote holds, and execute nothing of it.

    A tensor's `offset` is where its first element lies, and its `nbytes` is what the elements take that it uses, each
    counted once: an expanded tensor uses fewer than it has. Tensors on one storage, as a tied head, have the same
    `storage`. One that was saved from the meta device has no place, and 0 bytes.

    Args:
        file: the file, of which the pickles are read and no values.

    Raises:
        UnreadableInputError: it is no such file, is damaged, holds a whole model and not its tensors, or asks for
            anything to be called but what rebuilds tensors.

    Source: PyTorch 2.13, torch/serialization.py.
    """
    tail = zips.tail(file)
    return _zip(file, tail) if zips.is_zip(tail) else _legacy(file)


def _is_near(file: ByteFile) -> bool:
    """Return whether a read costs little, so that also what only confirms what is known is read."""
    return isinstance(file, LocalFile | MemoryFile)


def _zip(file: ByteFile, tail: bytes) -> TensorListing:
    entries = {entry.name: entry for entry in zips.directory(file, tail)}
    root = next(iter(entries), "").partition("/")[0]
    if f"{root}/constants.pkl" in entries:
        raise UnreadableInputError(
            file.name, "expected a state_dict, got a TorchScript archive, which is not supported"
        )
    zips.require_stored(file, tuple(entries.values()))
    content = _pickle(file, root, entries)
    rebuilding = Rebuilding()
    top, end = load(
        file.name, content, rebuilding.calls, rebuilding.persistent, beside=len(entries), other=rebuilding.other
    )
    if end != len(content):
        raise UnreadableInputError(file.name, f"expected data.pkl to end at byte {end:,}, got {len(content):,} bytes")
    _check_sizes(file, root, entries, rebuilding)
    found = _found(file, top, rebuilding, MOST_SHARING_TENSORS + len(rebuilding.storages))
    begins = {
        key: zips.data_offset(file, entries[f"{root}/data/{key}"], near=_is_near(file))
        for key in dict.fromkeys(tensor.storage.key for _, tensor in found.tensors if tensor.storage)
    }
    notes = () if entries[f"{root}/data.pkl"].crc else (WITHOUT_CHECKSUMS,)
    return _listing(file, "torch zip", found, begins, notes)


def _pickle(file: ByteFile, root: str, entries: Mapping[str, Entry]) -> bytes:
    """Return the content of data.pkl, once it is clear that the values are little-endian."""
    pickle, order = entries.get(f"{root}/data.pkl"), entries.get(f"{root}/byteorder")
    if pickle is None:
        got = f"such as {shown(next(iter(entries)))}" if entries else "none"
        raise UnreadableInputError(file.name, f"expected a zip with a data.pkl, as torch.save writes, got files {got}")
    for entry, most in ((pickle, most_bytes(len(entries))), (order, len("little"))):
        if entry is not None and entry.size > most:
            raise UnreadableInputError(
                file.name, f"expected {shown(entry.name)} of at most {most:,} bytes, got {entry.size:,}"
            )
    content, *orders = zips.contents(file, [entry for entry in (pickle, order) if entry is not None])
    if orders not in ([], [b"little"]):
        raise UnreadableInputError(file.name, f"expected values in little-endian order, got {shown(orders[0])}")
    return content


def _check_sizes(file: ByteFile, root: str, entries: Mapping[str, Entry], rebuilding: Rebuilding) -> None:
    for key, storage in rebuilding.storages.items():
        name = f"{root}/data/{key}"
        size = entries[name].size if name in entries else None
        if size != storage.nbytes:
            got = "no such file" if size is None else f"{size:,}"
            what = (
                f"{shown(storage.nbytes)} bytes in {shown(name)} for {shown(storage.numel)} elements of {storage.dtype}"
            )
            raise UnreadableInputError(file.name, f"expected {what}, got {got}")


def _legacy(file: ByteFile) -> TensorListing:
    head = file.read(0, min(file.size, FIRST_READ_BYTES))
    _check_head(file, head)
    while True:
        try:
            top, keys, at, rebuilding = _pickles(file, head)
            break
        except TruncatedPickleError:
            longer = min(file.size, MOST_PICKLE_BYTES if _is_near(file) else 8 * len(head), MOST_PICKLE_BYTES)
            if len(head) == longer:
                raise
            head += file.read(len(head), longer - len(head))
    begins = _legacy_places(file, rebuilding, keys, at)
    return _listing(file, "torch legacy", _found(file, top, rebuilding, MOST_SHARING_TENSORS), begins, ())


def _check_head(file: ByteFile, head: bytes) -> None:
    """Raise where a file does not begin with the magic number, and say what it is instead where that shows."""
    if MAGIC.to_bytes(10, "little") in head[:32]:
        return
    if head.startswith(zips.LOCAL):
        raise UnreadableInputError(file.name, "expected a zip that ends with its directory, got one that is cut off")
    if head[257:262] == b"ustar":
        raise UnreadableInputError(file.name, "expected a zip or pickles, got a tar archive, as PyTorch 0.1 wrote them")
    got = f"the first bytes {head[:8].hex(' ')}" if head else "no bytes"
    raise UnreadableInputError(file.name, f"expected a file of torch.save, a zip or its magic number, got {got}")


def _pickles(file: ByteFile, head: bytes) -> tuple[object, object, int, Rebuilding]:
    """Return the object, the keys of the storages in their order, and the place behind the pickles."""
    magic, at = load(file.name, head, {}, _no_storage)
    version, at = load(file.name, head, {}, _no_storage, at)
    if magic != MAGIC or version != PROTOCOL_VERSION:
        got = shown(version) if type(version) is int else "something else"
        raise UnreadableInputError(file.name, f"expected PyTorch's protocol {PROTOCOL_VERSION}, got {got}")
    system, at = load(file.name, head, {}, _no_storage, at)
    if type(system) is not dict or system.get("little_endian") is not True:
        raise UnreadableInputError(file.name, "expected values in little-endian order, got others")
    rebuilding = Rebuilding()
    top, at = load(file.name, head, rebuilding.calls, rebuilding.persistent, at, other=rebuilding.other)
    keys, at = load(file.name, head, {}, _no_storage, at)
    return top, keys, at, rebuilding


def _no_storage(_: object) -> NoReturn:
    raise RefusedError("expected storages in the fourth pickle only, got one in another")


def _legacy_places(file: ByteFile, rebuilding: Rebuilding, keys: object, at: int) -> dict[str, int]:
    """Return where the bytes of each storage begin: behind eight that repeat its number of elements."""
    storages = rebuilding.storages
    if type(keys) is not list or len(keys) != len(storages) or any(type(key) is not str for key in keys):
        raise UnreadableInputError(file.name, f"expected a list of the keys of {len(storages):,} storages, got another")
    begins: dict[str, int] = {}
    for key in keys:
        if key not in storages or key in begins:
            raise UnreadableInputError(file.name, f"expected each storage once, got {shown(key)}")
        begins[key] = at + 8
        at += 8 + storages[key].nbytes
    if at != file.size:
        raise UnreadableInputError(file.name, f"expected a file of {shown(at)} bytes, by its header, got {file.size:,}")
    if _is_near(file):
        for key, begin in begins.items():
            numel = int.from_bytes(file.read(begin - 8, 8), "little")
            if numel != storages[key].numel:
                what = f"{storages[key].numel:,} elements in front of storage {shown(key)}"
                raise UnreadableInputError(file.name, f"expected {what}, got {numel:,}")
    return begins


class StateDict(NamedTuple):
    """The tensors of the model, and what else the file says."""

    tensors: tuple[tuple[str, Tensor], ...]
    fields: Mapping[str, object]
    notes: tuple[str, ...]


def _found(file: ByteFile, top: object, rebuilding: Rebuilding, most: int) -> StateDict:
    if type(top) is Opaque:  # most often a whole model
        raise UnreadableInputError(file.name, str(refused(top.of, is_new=True)))
    try:
        found = state_dicts.find(top, lambda value: type(value) is Tensor, most)
    except ValueError as error:
        if state_dicts.is_zero_shard(top, None, _numel):
            raise UnreadableInputError(file.name, f"expected a model, got {ZERO_SHARD}") from None
        beside = f"; {rebuilding.note}" if rebuilding.note else ""
        raise UnreadableInputError(file.name, f"{error}{beside}") from None
    if state_dicts.is_zero_shard(top, found, _numel):
        raise UnreadableInputError(file.name, f"expected a model, got {ZERO_SHARD}")
    notes = (*found.notes, *filter(None, (rebuilding.note,)))
    return StateDict(cast("tuple[tuple[str, Tensor], ...]", found.tensors), found.fields, notes)


def _numel(tensor: object) -> int:
    return prod(tensor.shape) if isinstance(tensor, Tensor) else 0


def _listing(
    file: ByteFile, form: str, found: StateDict, begins: Mapping[str, int], notes: tuple[str, ...]
) -> TensorListing:
    tensors = tuple(_stored(file, name, tensor, begins) for name, tensor in found.tensors)
    on_meta = sum(tensor.offset is None for tensor in tensors)
    if on_meta:
        notes = (*notes, f"{on_meta:,} of {len(tensors):,} tensors were saved from the meta device, without values")
    files = (StoredFile(file.name, file.size),)
    return TensorListing(file.name, form, tensors, files, found.fields, (), (*found.notes, *notes))


def _stored(file: ByteFile, name: str, tensor: Tensor, begins: Mapping[str, int]) -> StoredTensor:
    dtype, width = DTYPES[tensor.dtype]
    stride = None if row_major(tensor.shape, tensor.stride) else tensor.stride
    if tensor.storage is None:
        return StoredTensor(name, tensor.shape, dtype, 0, stride=stride)
    key = tensor.storage.key
    nbytes = stored(tensor.shape, tensor.stride) * width
    offset = begins[key] + tensor.start
    return StoredTensor(name, tensor.shape, dtype, nbytes, file.name, offset, f"{file.name}:{key}", stride)
