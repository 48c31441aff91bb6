"""Checkpoints in several files: from an index, which says what shard each tensor is in, and the shards to one listing.

It must not know what format a shard has. Only `read` knows of folders: `parse` and `gather` serve the hub as well.
"""

from __future__ import annotations

import os
from threading import Lock
from typing import TYPE_CHECKING, NamedTuple, NoReturn

from gpt2calc.checkpoints import strict_json
from gpt2calc.checkpoints.files import LocalFile
from gpt2calc.checkpoints.strict_json import MOST_JSON_BYTES, SMALL_JSON_BYTES, brief
from gpt2calc.errors import UnreadableInputError, shortened, shown
from gpt2calc.listing import (
    BYTES_A_TENSOR,
    MOST_NAME_CHARACTERS,
    MOST_TENSORS,
    Fault,
    StoredFile,
    TensorListing,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gpt2calc.checkpoints.files import ByteFile
    from gpt2calc.listing import StoredTensor

MOST_SHARDS = 2_000
"""How many shards a checkpoint may have: a terabyte in files of half a gigabyte. On the hub each is two requests."""

BYTES_A_SHARD = 256 * 2**10
"""How many bytes may be read of a shard, all shards together, besides those for its tensors: readers begin with up to
128 KiB of a file."""


class Index(NamedTuple):
    """What an index says.

    Args:
        name: its path or address.
        size: its own size in bytes.
        weight_map: the shard of each tensor, by the tensor's name.
        total_size: how many bytes the tensors are said to take; None where it does not say.
        total_parameters: how many parameters the model is said to have; None where it does not say.
    """

    name: str
    size: int
    weight_map: Mapping[str, str]
    total_size: object = None
    total_parameters: object = None

    @property
    def shards(self) -> tuple[str, ...]:
        """The names of the shards, each once, sorted."""
        return tuple(sorted(set(self.weight_map.values())))

    @property
    def most_bytes(self) -> int:
        """How many bytes may be read of all shards together: each header is bounded, and many together are not."""
        return SMALL_JSON_BYTES + BYTES_A_SHARD * len(self.shards) + BYTES_A_TENSOR * len(self.weight_map)


def parse(name: str, content: bytes) -> Index:
    """Return what an index says, once all of it is checked.

    Law: a shard is a file in the index's own folder, under a plain name, and no index.

    Args:
        name: what errors name.
        content: the bytes of the index.

    Raises:
        UnreadableInputError: it is no index, or a shard's name is not plain.

    Source: transformers, utils/hub.py, `get_checkpoint_shard_files`.

    >>> parse("model.safetensors.index.json", b'{"weight_map": {"wte.weight": "a.safetensors"}}').shards
    ('a.safetensors',)
    """
    if len(content) > MOST_JSON_BYTES:
        _refuse(name, f"expected an index of at most {MOST_JSON_BYTES:,} bytes, got {len(content):,}")
    document = strict_json.parse(name, content, "an index", b":")
    weight_map, metadata = document.get("weight_map"), document.get("metadata", {})
    if not isinstance(weight_map, dict) or not weight_map:
        _refuse(
            name, f"expected an index with a weight_map of tensors and shards, got {brief(weight_map)} as weight_map"
        )
    if len(weight_map) > MOST_TENSORS:
        _refuse(name, f"expected at most {MOST_TENSORS:,} tensors, got {len(weight_map):,}")
    if not isinstance(metadata, dict):
        _refuse(name, f"expected metadata to be an object, got {brief(metadata)}")
    longest = max(map(len, weight_map))
    if longest > MOST_NAME_CHARACTERS:
        _refuse(name, f"expected names of at most {MOST_NAME_CHARACTERS:,} characters, got one of {longest:,}")
    for tensor, shard in weight_map.items():
        if not isinstance(shard, str):
            _refuse(name, f"expected the name of a shard for tensor {shown(tensor)}, got {brief(shard)}")
    index = Index(name, len(content), weight_map, metadata.get("total_size"), metadata.get("total_parameters"))
    if len(index.shards) > MOST_SHARDS:
        _refuse(name, f"expected at most {MOST_SHARDS:,} shards, got {len(index.shards):,}")
    for shard in index.shards:
        _check_plain(name, shard)
    return index


def merge(index: Index, listings: Mapping[str, TensorListing]) -> TensorListing:
    """Return what the shards hold together, and what is wrong between them and the index.

    Law: each tensor is in one shard, the one that the index names, and the index names each. A tensor that several
    shards hold is listed once, as it is in the shard that the index names. `total_size` is looked at where nothing else
    is wrong, since what is missing is missing from the sum as well.

    Args:
        index: the index.
        listings: what each of its shards holds, by the shard's name.
    """
    tensors = _in_place(index, listings)
    faults: tuple[Fault, ...] = ()
    found: dict[str, dict[str, StoredTensor]] = {}
    for shard in index.shards if tensors is None else ():
        for tensor in listings[shard].tensors:
            found.setdefault(tensor.name, {})[shard] = _apart(tensor, shard)
    if tensors is None:
        faults = tuple(_misplaced(index, found))
        tensors = tuple(
            # Where the index names a shard that does not hold it, which is a fault, the first that does stands in.
            holders.get(index.weight_map.get(name, ""), next(iter(holders.values())))
            for name, holders in found.items()
        )
    if not faults:
        faults = tuple(_wrong_sum(index, tensors))
    notes = dict.fromkeys(note for listing in listings.values() for note in listing.notes)
    return TensorListing(
        index.name,
        " and ".join(dict.fromkeys(listing.format for listing in listings.values())),
        tensors,
        (StoredFile(index.name, index.size), *(file for shard in index.shards for file in listings[shard].files)),
        {field: value for shard in index.shards for field, value in listings[shard].fields.items()},
        faults,
        (*notes, *_wrong_parameters(index, tensors)),
    )


def _in_place(index: Index, listings: Mapping[str, TensorListing]) -> tuple[StoredTensor, ...] | None:
    """Return all tensors where each is in the shard that the index names, and in no other; else None."""
    tensors: list[StoredTensor] = []
    for shard in index.shards:
        own = listings[shard].tensors
        if not all(index.weight_map.get(tensor.name) == shard for tensor in own):
            return None
        tensors += own if all(tensor.storage is None for tensor in own) else (_apart(tensor, shard) for tensor in own)
    is_each = len(tensors) == len(index.weight_map) == len({tensor.name for tensor in tensors})
    return tuple(tensors) if is_each else None


def gather(
    index: Index,
    listed: Callable[[str], TensorListing],
    *,
    at_once: int = 1,
    progress: Callable[[int, int], None] | None = None,
) -> TensorListing:
    """Read the shards, as long as they do not hold too many tensors, and merge them.

    Args:
        index: the index.
        listed: lists what the shard of a name holds.
        at_once: how many are read at the same time, once the first has been read alone.
        progress: is told how many have been read, and of how many.

    Raises:
        UnreadableInputError: a shard cannot be read, or they hold too many tensors.
    """
    listings: dict[str, TensorListing] = {}
    tensors = 0
    for shard, found in _read_in_turn(index.shards, listed, at_once):
        listings[shard] = found
        tensors += len(found.tensors)
        _check_count(index, tensors)
        if progress:
            progress(len(listings), len(index.shards))
    return merge(index, listings)


def _read_in_turn(
    shards: tuple[str, ...], listed: Callable[[str], TensorListing], at_once: int
) -> Iterator[tuple[str, TensorListing]]:
    """Yield what each shard holds, in their order; after an error no other is begun."""
    if at_once < 2 or len(shards) < 3:
        yield from ((shard, listed(shard)) for shard in shards)
    else:
        yield from _read_together(shards, listed, at_once)


def _read_together(
    shards: tuple[str, ...], listed: Callable[[str], TensorListing], at_once: int
) -> Iterator[tuple[str, TensorListing]]:
    """Yield what each shard holds, of which several are read at the same time."""
    from concurrent.futures import ThreadPoolExecutor  # files on disk do without

    yield shards[0], listed(shards[0])  # what is wrong with all of them is asked for once
    with ThreadPoolExecutor(at_once) as pool:
        futures = {shard: pool.submit(listed, shard) for shard in shards[1:]}
        try:
            yield from ((shard, future.result()) for shard, future in futures.items())
        finally:
            pool.shutdown(wait=False, cancel_futures=True)


def read(path: str, read_shard: Callable[[ByteFile], TensorListing]) -> TensorListing:
    """Return what the shards of an index on disk hold together.

    A shard may be a link that leads to the index's own folder, or, from a snapshot in huggingface_hub's cache, to where
    that cache keeps the content of files.

    Args:
        path: the index.
        read_shard: lists what a file holds. It takes no index, so that none can name another.

    Raises:
        UnreadableInputError: the index or a shard cannot be read, a shard is missing or lies elsewhere, or the headers
            are too long together.
    """
    with LocalFile(path) as file:
        if file.size > MOST_JSON_BYTES:
            _refuse(path, f"expected an index of at most {MOST_JSON_BYTES:,} bytes, got {file.size:,}")
        index = parse(path, file.read(0, file.size))
    locations, allowance = _locations(index, os.path.dirname(path)), Allowance(index)

    def listed(shard: str) -> TensorListing:
        location, identity = locations[shard]
        with _Shard(location, allowance) as opened:
            if opened.identity != identity:  # a link that was put there since it was looked at could lead anywhere
                _refuse(path, f"expected the shard {shown(shard)} as it was, got another file under its name")
            return read_shard(opened)

    return gather(index, listed)


class Allowance:
    """How many bytes may still be read of the shards of an index."""

    def __init__(self, index: Index) -> None:
        self._name = index.name
        self._most = self._left = index.most_bytes
        self._lock = Lock()

    def take(self, count: int) -> None:
        """Take off what is about to be read.

        Raises:
            UnreadableInputError: it is more than there is.
        """
        with self._lock:  # shards are read at the same time
            self._left -= count
            left = self._left
        if left < 0:
            _refuse(self._name, f"expected shards whose headers have at most {self._most:,} bytes together, got more")


class _Shard(LocalFile):
    """A shard on disk, of which no more is read than its index's shards may take together."""

    def __init__(self, path: str, allowance: Allowance) -> None:
        super().__init__(path)
        self._allowance = allowance

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset` on."""
        self._allowance.take(count)
        return super().read(offset, count)


def _refuse(name: str, problem: str) -> NoReturn:
    raise UnreadableInputError(name, problem)


def _check_plain(name: str, shard: str) -> None:
    """Raise where a shard's name leads out of the folder, on any system, or to an index."""
    # A colon stands behind a drive on Windows, or in front of a stream of a file.
    if shard in ("", ".", "..") or any(character in shard for character in "/\\:\0"):
        _refuse(name, f"expected shards in the index's own folder, got {shown(shard)}")
    if shard.lower().endswith(".json"):
        _refuse(name, f"expected shards that hold tensors, got {shown(shard)}")


def _check_count(index: Index, count: int) -> None:
    if count > MOST_TENSORS:
        _refuse(index.name, f"expected at most {MOST_TENSORS:,} tensors in all shards, got {count:,}")


def _locations(index: Index, folder: str) -> dict[str, tuple[str, tuple[int, int]]]:
    """Return the path of each shard, and which file that is, once it is known to be one of its own where it belongs."""
    locations: dict[str, tuple[str, tuple[int, int]]] = {}
    seen: dict[tuple[int, int], str] = {}
    for shard in index.shards:
        location = os.path.join(folder, shard)
        try:
            status = os.stat(location)
        except (OSError, ValueError) as error:  # ValueError: half a surrogate pair in the name
            problem = getattr(error, "strerror", None) or "it can be no file's name"
            _refuse(index.name, f"expected the shard {shown(shard)} beside it, got: {problem}")
        if not _belongs(os.path.realpath(folder or os.curdir), os.path.realpath(location)):
            _refuse(index.name, f"expected shards in the index's own folder, got a link that leads out: {shown(shard)}")
        identity = status.st_dev, status.st_ino
        locations[shard] = location, identity
        # By what the file is and not by its path: two links to one file would count its tensors twice.
        first = seen.setdefault(identity, shard)
        if first != shard:
            _refuse(index.name, f"expected a file for each shard, got one for {shown(first)} and {shown(shard)}")
    return locations


def _belongs(folder: str, target: str) -> bool:
    """Return whether a file lies in a folder, or where huggingface_hub's cache keeps the content of the folder's files.

    The files of a snapshot are links to `blobs` of the same repository, and those may be links to `blobs/xx` of the
    whole cache. Both paths have to be real ones, with no link left in them.

    Source: huggingface_hub 2.4, file_download.py and utils/_shared_blobs.py.
    """
    home = os.path.dirname(target)
    repository, snapshot, _ = folder.rpartition(f"{os.sep}snapshots{os.sep}")
    if not snapshot or not os.path.basename(repository).startswith("models--"):
        return home == folder
    shared = os.path.join(os.path.dirname(repository), "blobs")
    return home in (folder, os.path.join(repository, "blobs")) or os.path.dirname(home) == shared


def _apart(tensor: StoredTensor, shard: str) -> StoredTensor:
    """Return a tensor whose storage is told apart from those of other shards."""
    return tensor if tensor.storage is None else tensor._replace(storage=f"{shard}:{tensor.storage}")


def _misplaced(index: Index, found: Mapping[str, Mapping[str, StoredTensor]]) -> Iterator[Fault]:
    """Yield each tensor that is not in one shard, the one that the index names."""
    for name, holders in found.items():
        shards = ", ".join(map(shortened, holders))
        if len(holders) > 1:
            yield Fault(
                "duplicate", name, f"expected it in one shard, got {len(holders)}: {shards}", "one shard", shards
            )
        if name not in index.weight_map:
            yield Fault("not_in_index", name, f"it is in {shards}, and the index does not name it", "no tensor", shards)
    for name, shard in index.weight_map.items():
        holders = found.get(name, {})
        if shard not in holders:
            got = ", ".join(map(shortened, holders)) or "no shard"
            expected = shortened(shard)
            yield Fault("not_in_shard", name, f"the index says that it is in {expected}, got {got}", expected, got)


def _wrong_sum(index: Index, tensors: tuple[StoredTensor, ...]) -> Iterator[Fault]:
    """Yield that the index gives a sum of bytes that no version of transformers would have written."""
    total = index.total_size
    if total is None:
        return
    # In bits, so that what was written as a fraction of a byte stays exact.
    allowed = {_bits(counted, bool_bits) for counted in (tensors, _distinct(tensors)) for bool_bits in (8, 1)}
    if isinstance(total, (int, float)) and not isinstance(total, bool) and 8 * total in allowed:
        return
    got = f"{sum(tensor.nbytes for tensor in tensors):,}"
    expected = f"{total:,}" if isinstance(total, int) and abs(total) < 2**64 else brief(total)
    message = f"expected {expected} bytes, as the index says, got {got} bytes in the shards"
    yield Fault("total_size", "all tensors", message, expected, got)


def _distinct(tensors: tuple[StoredTensor, ...]) -> tuple[StoredTensor, ...]:
    """Return the tensors, those that are one and the same memory once: so most versions of transformers count them."""
    if all(tensor.storage is None for tensor in tensors):
        return tensors
    # Reversed, since of equal keys a dictionary keeps the last value: the first tensor stays.
    return tuple({tensor.memory or tensor.name: tensor for tensor in reversed(tensors)}.values())


def _bits(tensors: tuple[StoredTensor, ...], bool_bits: int) -> int:
    """Return what tensors take, in bits: older versions of transformers took a bool for one, and wrote fractions."""
    bools = [each for each in tensors if each.dtype == "BOOL"]
    rest = sum(each.nbytes for each in tensors) - sum(each.nbytes for each in bools)
    return 8 * rest + bool_bits * sum(each.numel for each in bools)


def _wrong_parameters(index: Index, tensors: tuple[StoredTensor, ...]) -> Iterator[str]:
    """Yield a note where the index gives another number of parameters than the shards hold elements."""
    total = index.total_parameters
    count = sum(tensor.numel for tensor in _distinct(tensors))
    if isinstance(total, int) and total != count:
        yield f"its index says {shown(total)} parameters, and its shards hold {count:,} elements"
