"""GGUF, the format of llama.cpp: metadata, then a table of tensors, then their values.

It knows what the bytes say, and of names only those of the metadata that give sizes. The header is read forward and in
pieces, so that of a file on the hub little more than the header is fetched. Texts that nobody asked for are stepped
over, arrays of numbers by arithmetic, and every count is checked against the bytes that are left and against a bound
before a loop begins.

Source: ggml, docs/gguf.md; llama.cpp, ggml/src/gguf.cpp.
"""

from __future__ import annotations

from collections import Counter
from math import prod
from struct import calcsize, unpack, unpack_from
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.checkpoints.ggml import FILE_TYPES, GGML_TYPES
from gpt2calc.errors import UnreadableInputError, shortened, shown
from gpt2calc.listing import MOST_NAME_CHARACTERS, MOST_TENSORS, StoredFile, StoredTensor, TensorListing

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gpt2calc.checkpoints.files import ByteFile

FIELDS = {
    "gpt2.block_count": "n_layer",
    "gpt2.context_length": "n_positions",
    "gpt2.embedding_length": "n_embd",
    "gpt2.feed_forward_length": "n_inner",
    "gpt2.attention.head_count": "n_head",
    "gpt2.vocab_size": "vocab_size",
}
"""The metadata of a GPT-2 that a config has, and what a config calls it."""

ARCHITECTURE, ALIGNMENT, FILE_TYPE = "general.architecture", "general.alignment", "general.file_type"
TOKENS, SPLIT, SPLITS = "tokenizer.ggml.tokens", "split.no", "split.count"
SPLIT_TENSORS = "split.tensors.count"
WANTED = {ARCHITECTURE, ALIGNMENT, FILE_TYPE, TOKENS, SPLIT, SPLITS, SPLIT_TENSORS, *FIELDS}

NUMBERS = {0: "B", 1: "b", 2: "H", 3: "h", 4: "I", 5: "i", 6: "f", 7: "?", 10: "Q", 11: "q", 12: "d"}
"""The types of metadata that are one number, as `struct` calls them."""
UINT32, TEXT, ARRAY = 4, 8, 9

MOST_ENTRIES = MOST_TENSORS
"""How many keys, tensors, and arrays within arrays are read together."""
MOST_TEXTS = 2_000_000
"""How many texts are stepped over in arrays; the largest released tokenizers have some 800,000 tokens and merges."""
MOST_HEADER_BYTES = 64 << 20
MOST_TEXT_BYTES = MOST_NAME_CHARACTERS
"""How many bytes a name, a key and a text that is wanted may have; the specification bounds names at 64, keys later."""
MOST_ARRAY_DEPTH = 4
"""How many arrays may lie in each other; llama.cpp reads no array within an array."""
CHUNK = 256 << 10

BEFORE = {b"lmgg": "GGML", b"fmgg": "GGMF", b"tjgg": "GGJT"}
"""The formats that GGUF took the place of, by their first bytes."""


class Array(NamedTuple):
    """What is kept of an array in the metadata."""

    length: int


class Cursor:
    """A place in a header that only moves forward; bytes are fetched a chunk at a time, the later the larger."""

    def __init__(self, file: ByteFile, most: int | None = None) -> None:
        self.file, self.most = file, MOST_HEADER_BYTES if most is None else most
        self.at = 0
        self._window = b""
        self._start = 0
        self._fetched = 0
        self._entries = 0
        self._texts = 0

    def take(self, count: int, what: str) -> bytes:
        """Return the next bytes."""
        self.check(count, what)
        if self.at + count > self._start + len(self._window):
            self._fetch(count)
        begin = self.at - self._start
        self.at += count
        return self._window[begin : begin + count]

    def unpack(self, layout: str, what: str) -> tuple[Any, ...]:
        """Return the next numbers, little-endian and without gaps."""
        return unpack("<" + layout, self.take(calcsize("<" + layout), what))

    def text(self, what: str) -> str:
        """Return the next text."""
        (count,) = self.unpack("Q", what)
        if count > MOST_TEXT_BYTES:
            raise self.error(f"expected {what} of at most {MOST_TEXT_BYTES:,} bytes, got {count:,}")
        found = self.take(count, what)
        try:
            return found.decode("utf-8")
        except UnicodeDecodeError:
            raise self.error(f"expected {what} in UTF-8, got {shown(found)}") from None

    def label(self, what: str) -> str:
        """Return the next text, which must not be empty."""
        found = self.text(what)
        if not found:
            raise self.error(f"expected {what}, got an empty one")
        return found

    def skip(self, count: int, what: str) -> None:
        """Step over bytes without looking at them."""
        self.check(count, what)
        self.at += count

    def skip_texts(self, count: int, what: str) -> None:
        """Step over texts, each with its length before it."""
        self.check(8 * count, what)
        self._texts += count
        if self._texts > MOST_TEXTS:
            raise self.error(f"expected at most {MOST_TEXTS:,} texts in its metadata, got more in {what}")
        while count:
            if self.at + 8 > self._start + len(self._window):
                self._fetch(8)
            window, at = self._window, self.at - self._start
            last = len(window) - 8
            while count and at <= last:
                at += 8 + unpack_from("<Q", window, at)[0]
                count -= 1
            self.at = self._start + at
            self.check(8 if count else 0, what)

    def count(self, entries: int, least: int, what: str) -> None:
        """Raise unless so many entries, each of at least so many bytes, can be there, and are few enough to read."""
        self.check(entries * least, what)
        self._entries += entries
        if self._entries > MOST_ENTRIES:
            raise self.error(f"expected at most {MOST_ENTRIES:,} entries in its header, got {what}")

    @property
    def fetched(self) -> int:
        """How many bytes were read of the file."""
        return self._fetched

    def check(self, count: int, what: str) -> None:
        """Raise unless the file has so many bytes more."""
        if self.at + count > self.file.size:
            raise self.error(
                f"expected {count:,} bytes of {what} from offset {self.at:,} on, got a file of {self.file.size:,} bytes"
            )

    def error(self, problem: str) -> UnreadableInputError:
        """Return the error that says what is wrong with the file."""
        return UnreadableInputError(self.file.name, problem)

    def _fetch(self, count: int) -> None:
        # A quarter of what was read is at most wasted at the end, and a header of 1.7 MB takes five requests.
        size = min(max(count, CHUNK + self._fetched // 4), self.file.size - self.at)
        self._fetched += size
        if self._fetched > self.most:
            raise self.error(f"expected a header of at most {MOST_HEADER_BYTES >> 20} MiB, got a longer one")
        self._window, self._start = self.file.read(self.at, size), self.at


def read(file: ByteFile) -> TensorListing:
    """Return what a GGUF file holds, by its header.

    Law: a tensor has elements / (elements of a block) · (bytes of a block) bytes. Shapes are given as PyTorch gives
    them, the dimension that runs fastest last.

    Args:
        file: a whole file, of which the header is read.

    Returns:
        Its tensors in the order of the header, and as fields what the metadata says of a GPT-2's config.

    Raises:
        UnreadableInputError: it is no GGUF of version 2 or 3 in little-endian order, is cut off, is one of several
            files, or its header contradicts itself.

    Source: ggml, docs/gguf.md.
    """
    cursor = Cursor(file)
    tensors, keys = _counts(cursor)
    metadata = _metadata(cursor, keys)
    _refuse_split(cursor, metadata)
    return _listing(cursor, tensors, metadata)


def read_parts(files: Sequence[ByteFile]) -> TensorListing:
    """Return what the files hold together that gguf-split made of one.

    Law: each says how many there are and which it is; each tensor is in one; the first says what the model is.

    Args:
        files: all of them, in their order.

    Raises:
        UnreadableInputError: one cannot be read, is not the one that its name says, or the others' tensors are in it.
    """
    listings, left, total = [], MOST_HEADER_BYTES, None
    for which, file in enumerate(files):
        cursor = Cursor(file, left + CHUNK)
        tensors, keys = _counts(cursor)
        metadata = _metadata(cursor, keys)
        said = (_number(cursor, metadata, SPLIT, 0), _number(cursor, metadata, SPLITS, 1))
        if said != (which, len(files)):
            got = f"file {said[0] + 1:,} of {said[1]:,}"
            raise cursor.error(f"expected file {which + 1:,} of {len(files):,}, as its name says, got {got}")
        total = _number(cursor, metadata, SPLIT_TENSORS, tensors) if total is None else total
        listings.append(_listing(cursor, tensors, metadata))
        left -= max(cursor.fetched - CHUNK, 0)
    every = [tensor for listing in listings for tensor in listing.tensors]
    twice = next((name for name, times in Counter(tensor.name for tensor in every).items() if times > 1), None)
    if twice is not None:
        raise UnreadableInputError(files[0].name, f"expected each tensor in one file, got {shortened(twice)} in two")
    if len(files) > 1 and len(every) != total:
        problem = f"expected {total:,} tensors in {len(files):,} files, as it says, got {len(every):,}"
        raise UnreadableInputError(files[0].name, problem)
    notes = (*listings[0].notes, *(note for each in listings[1:] for note in each.notes if ARCHITECTURE not in note))
    stored = tuple(file for listing in listings for file in listing.files)
    first = listings[0]._replace(tensors=tuple(every), files=stored, notes=tuple(dict.fromkeys(notes)))
    return first._replace(notes=(*first.notes, f"{len(files):,} files were read as one, as gguf-split made them"))


def _listing(cursor: Cursor, tensors: int, metadata: Mapping[str, Any]) -> TensorListing:
    """Read the table of tensors."""
    file = cursor.file
    alignment = _alignment(cursor, metadata)
    cursor.count(tensors, 24, f"{tensors:,} tensors")
    rows = [_tensor(cursor, alignment, f"tensor {n:,} of {tensors:,}") for n in range(1, tensors + 1)]
    start = _aligned(cursor.at, alignment)
    stored = tuple(_placed(cursor, row, start) for row in rows)
    end = _refuse_overlaps(cursor, stored, start)
    fields, notes = _fields(cursor, metadata)
    if file.size > _aligned(end, alignment):
        notes.append(f"{file.size - end:,} bytes after the last tensor belong to none")
    return TensorListing(file.name, "gguf", stored, (StoredFile(file.name, file.size),), fields, notes=tuple(notes))


def _counts(cursor: Cursor) -> tuple[int, int]:
    """Return the numbers of tensors and of keys that the file says it has."""
    magic = cursor.take(4, "a GGUF header")
    if magic != b"GGUF":
        old = BEFORE.get(magic)
        got = f"a file in {old}, the format before GGUF" if old else shown(magic)
        raise cursor.error(f"expected a GGUF file, which begins with 'GGUF', got {got}")
    (version,) = cursor.unpack("I", "a GGUF header")
    if version & 0xFFFF == 0:
        raise cursor.error("expected a GGUF file in little-endian order, got one in big-endian order")
    if version not in {2, 3}:
        raise cursor.error(f"expected version 2 or 3 of GGUF, got version {version:,}")
    tensors, keys = cursor.unpack("QQ", "a GGUF header")
    return tensors, keys


def _metadata(cursor: Cursor, keys: int) -> dict[str, Any]:
    """Return those values of the metadata that are wanted, by key."""
    cursor.count(keys, 13, f"{keys:,} keys")
    seen: set[str] = set()
    metadata: dict[str, Any] = {}
    for _ in range(keys):
        key = cursor.label("a key")
        if key in seen:
            raise cursor.error(f"expected each key once, got {shortened(key)} twice")
        seen.add(key)
        (kind,) = cursor.unpack("I", "a value's type")
        what = f"the value of {shortened(key)}"
        if key == ALIGNMENT and kind != UINT32:
            raise cursor.error(f"expected a uint32 (type {UINT32}) for {ALIGNMENT}, got type {kind:,}")
        if key in WANTED and kind == TEXT:
            metadata[key] = cursor.text(what)
        elif key in WANTED and kind in NUMBERS:
            (metadata[key],) = cursor.unpack(NUMBERS[kind], what)
        elif kind == ARRAY:
            array = _skip_array(cursor, what, 1)
            if key in WANTED:
                metadata[key] = array
        else:
            _skip(cursor, kind, 1, what)
    return metadata


def _skip(cursor: Cursor, kind: int, count: int, what: str) -> None:
    """Step over values of a type that is not an array."""
    if kind == TEXT:
        cursor.skip_texts(count, what)
    elif kind in NUMBERS:
        cursor.skip(count * calcsize("<" + NUMBERS[kind]), what)
    else:
        raise cursor.error(f"expected a type of GGUF's metadata for {what}, 0 to 12, got {kind:,}")


def _skip_array(cursor: Cursor, what: str, depth: int) -> Array:
    """Step over an array, and over the arrays in it, and return how many elements it has."""
    kind, count = cursor.unpack("IQ", what)
    if kind != ARRAY:
        _skip(cursor, kind, count, what)
        return Array(count)
    if depth == MOST_ARRAY_DEPTH:
        raise cursor.error(f"expected arrays within arrays at most {MOST_ARRAY_DEPTH} deep, got more in {what}")
    cursor.count(count, 12, f"{count:,} arrays in {what}")
    for _ in range(count):
        _skip_array(cursor, what, depth + 1)
    return Array(count)


def _refuse_split(cursor: Cursor, metadata: Mapping[str, Any]) -> None:
    count = _number(cursor, metadata, SPLITS, 1)
    if count > 1:
        which = _number(cursor, metadata, SPLIT, 0) + 1
        raise cursor.error(
            f"expected a whole model, got file {which:,} of {count:,} that it was split into; "
            "gguf-split --merge makes one file of them"
        )


def _alignment(cursor: Cursor, metadata: Mapping[str, Any]) -> int:
    """Return what every tensor's offset is a multiple of; llama.cpp takes powers of 2 alone."""
    alignment: int = metadata.get(ALIGNMENT, 32)
    if alignment < 1 or alignment & (alignment - 1):
        raise cursor.error(f"expected a power of 2 for {ALIGNMENT}, got {alignment:,}")
    return alignment


def _number(cursor: Cursor, metadata: Mapping[str, Any], key: str, default: int) -> int:
    value = metadata.get(key, default)
    if isinstance(value, bool) or not isinstance(value, int):
        got = f"an array of {value.length:,}" if isinstance(value, Array) else shown(value)
        raise cursor.error(f"expected a whole number for {key}, got {got}")
    return value


def _tensor(cursor: Cursor, alignment: int, which: str) -> StoredTensor:
    """Read one row of the table of tensors; its offset counts from where the values begin."""
    name = cursor.text("a tensor's name")
    if not name:
        raise cursor.error(f"expected {which}, as the header counts them, got one without a name: there are fewer")
    tensor = f"tensor {shortened(name)}"
    (rank,) = cursor.unpack("I", f"{tensor} in the header")
    if rank > 4:
        raise cursor.error(f"expected at most 4 dimensions for {tensor}, got {rank:,}")
    *dims, kind, offset = cursor.unpack(f"{rank}QIQ", f"{tensor} in the header")
    if kind not in GGML_TYPES:
        raise cursor.error(f"expected a type of ggml for {tensor}, got {kind:,}")
    dtype, elements, size = GGML_TYPES[kind]
    row = dims[0] if dims else 1  # the dimension that runs fastest stands first
    if row % elements:
        raise cursor.error(f"expected rows of a multiple of {elements} elements for {tensor} in {dtype}, got {row:,}")
    if offset % alignment:
        raise cursor.error(f"expected a multiple of {alignment:,} for the offset of {tensor}, got {offset:,}")
    return StoredTensor(name, tuple(reversed(dims)), dtype, prod(dims) // elements * size, cursor.file.name, offset)


def _placed(cursor: Cursor, tensor: StoredTensor, start: int) -> StoredTensor:
    """Return a tensor with its place in the file, which must have all of it."""
    offset = start + (tensor.offset or 0)
    if offset + tensor.nbytes > cursor.file.size:
        raise cursor.error(
            f"expected {tensor.nbytes:,} bytes of tensor {shortened(tensor.name)} from offset {offset:,} on, "
            f"got a file of {cursor.file.size:,} bytes"
        )
    return tensor._replace(offset=offset)


def _refuse_overlaps(cursor: Cursor, stored: tuple[StoredTensor, ...], start: int) -> int:
    """Return where the last tensor ends, if no two have the same name or a byte in common."""
    names: set[str] = set()
    for tensor in stored:
        if tensor.name in names:
            raise cursor.error(f"expected each tensor once, got {shortened(tensor.name)} twice")
        names.add(tensor.name)
    end, before = start, ""
    for offset, nbytes, name in sorted((x.offset or 0, x.nbytes, x.name) for x in stored):
        if offset < end:
            raise cursor.error(
                f"expected tensors side by side, got {shortened(name)} from {offset:,} on, "
                f"before {shortened(before)} ends at {end:,}"
            )
        end, before = offset + nbytes, name
    return end


def _fields(cursor: Cursor, metadata: Mapping[str, Any]) -> tuple[dict[str, int], list[str]]:
    """Return the fields of a config that the metadata gives, and what else a reader should know of it."""
    notes = []
    if FILE_TYPE in metadata:
        number = _number(cursor, metadata, FILE_TYPE, 0)
        notes.append(f"{FILE_TYPE} is {number:,}, {FILE_TYPES.get(number, 'which is not known')}")
    architecture = metadata.get(ARCHITECTURE)
    if architecture != "gpt2":
        got = shown(architecture) if isinstance(architecture, str) else "not given"
        return {}, [*notes, f"{ARCHITECTURE} is {got}, and not 'gpt2': no config is read from the metadata"]
    fields = {field: _number(cursor, metadata, key, 0) for key, field in FIELDS.items() if key in metadata}
    tokens = metadata.get(TOKENS)
    if "vocab_size" not in fields and isinstance(tokens, Array):
        fields["vocab_size"] = tokens.length
    return fields, notes


def _aligned(offset: int, alignment: int) -> int:
    return -(-offset // alignment) * alignment
