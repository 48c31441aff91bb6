"""What a row of the fuzzer is, and the rows of the readers that have an oracle or need more than one file."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.checkpoints import shards as index_reader
from gpt2calc.checkpoints import strict_json as json_reader
from gpt2calc.checkpoints.files import MemoryFile
from gpt2calc.checkpoints.safetensors import read as read_safetensors
from gpt2calc.errors import UnreadableInputError
from gpt2calc.listing import StoredTensor, TensorListing
from tests.fuzz import documents
from tests.makers import safetensors as make_safetensors
from tests.makers import shards as make_shards

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    Mutation: TypeAlias = Callable[[bytes, random.Random], bytes]
    Facts: TypeAlias = frozenset[tuple[str, tuple[int, ...], str]]
    """The name, shape and dtype of each tensor."""


class Reader(NamedTuple):
    """A reader under test.

    Args:
        seeds: makes the good files that everything starts from; the reader must accept each.
        read: the reader: one file in memory to a listing.
        mutations: changes that know the format, beside those of `mutations.ANY`; each gets a file and a random
            generator and returns another file.
        oracle: an independent reader: bytes to the facts it finds, or None where it refuses them.
        stricter: the problems (regular expressions, searched for in `UnreadableInputError.problem`) for which the
            reader refuses on purpose what the oracle accepts.
    """

    seeds: Callable[[], Sequence[bytes]]
    read: Callable[[MemoryFile], TensorListing]
    mutations: tuple[Mutation, ...] = ()
    oracle: Callable[[bytes], Facts | None] | None = None
    stricter: tuple[str, ...] = ()


# safetensors, held against the format's own library


def safetensors() -> Reader:
    """Return the row of one file."""
    stricter = (
        "is given twice$",
        "^expected a header that begins with '{'",
        r"^expected dtype, shape and data_offsets for tensor .*, got (an array|\[)",
        "^expected a dtype .*, got an object$",
        "^expected at most 64 sizes ",
        "^expected names of at most 300 characters",
    )
    return Reader(make_safetensors.seeds, read_safetensors, (change_the_header,) * 8, by_the_library, stricter)


def change_the_header(content: bytes, chance: random.Random) -> bytes:
    """Change the JSON of a file's header, and give the length that it then has."""
    end = 8 + int.from_bytes(content[:8], "little")
    return make_safetensors.framed(documents.changed(content[8:end], chance), content[end:])


def by_the_library(content: bytes) -> Facts | None:
    """Return what safetensors' own library finds."""
    from safetensors import SafetensorError, deserialize

    try:
        found = deserialize(content)  # type: ignore[no-untyped-call]  # it is written in Rust
    except SafetensorError:
        return None
    return frozenset((name, tuple(tensor["shape"]), tensor["dtype"]) for name, tensor in found)


# Indexes, of shards that are good, held against what json and a few sets come to


def shards() -> Reader:
    """Return the row of an index, whose shards are always the same."""
    parts = make_shards.tiny()
    held = {shard: read_safetensors(MemoryFile(shard, make_safetensors.content(part))) for shard, part in parts.items()}

    def read(file: MemoryFile) -> TensorListing:
        index = index_reader.parse(file.name, file.content)
        if not held.keys() >= set(index.shards):
            raise UnreadableInputError(file.name, "expected shards that are there, got others")
        merged = index_reader.merge(index, held)
        faults = (
            StoredTensor(fault.tensor, (), fault.kind, 0) for fault in merged.faults if fault.kind != "total_size"
        )
        return merged._replace(tensors=(*merged.tensors, *faults))

    def oracle(content: bytes) -> Facts | None:
        document = _loaded(content)
        places = document.get("weight_map") if isinstance(document, dict) else None
        if not isinstance(document, dict) or not isinstance(places, dict) or not places:
            return None
        if not isinstance(document.get("metadata", {}), dict) or not all(x in list(held) for x in places.values()):
            return None
        there = {name: (shard, dtype, shape) for shard in places.values() for name, dtype, shape in parts[shard]}
        facts = {(name, shape, dtype) for name, (_, dtype, shape) in there.items()}
        facts |= {(name, (), "not_in_index") for name in there.keys() - places.keys()}
        wrong = (name for name, shard in places.items() if name not in there or there[name][0] != shard)
        return frozenset(facts | {(name, (), "not_in_shard") for name in wrong})

    stricter = (*STRICTER_JSON, "^expected names of at most 300 characters")
    return Reader(make_shards.seeds, read, (documents.changed,) * 8, oracle, stricter)


# JSON, held against the reader that pydantic has, which is written in Rust


STRICTER_JSON = (
    "is given twice$",
    "is too large a number$",
    "is no number of JSON$",
    "nested too deeply$",
    "got half of a surrogate pair$",
    "expected a document that is a JSON object",
    "Exceeds the limit",
)
"""What other readers of JSON take, and `strict_json` refuses."""


def strict_json() -> Reader:
    """Return the row of a JSON document, which a listing carries as the name of its one tensor."""
    return Reader(json_seeds, read_json, (documents.changed,) * 8, by_pydantic, STRICTER_JSON)


def json_seeds() -> list[bytes]:
    """Return a few documents: an index, a header, and every kind of value that JSON has."""
    every = (
        r'{"a": [1, -1, 0.5, 1e3, -0, true, false, null, "\u00e9\ud83d\ude00\n", "é", {}, []], "": {"b": {"c": []}}}'
    )
    header = make_safetensors.header(make_safetensors.released(1, 2, n_positions=2, vocab_size=3))
    return [b"{}", every.encode(), make_shards.seeds()[0], header]


def read_json(file: MemoryFile) -> TensorListing:
    """Read a document, and list it."""
    document = json_reader.parse(file.name, file.content, "a document", b"{")
    return TensorListing(file.name, "json", (StoredTensor(_canonical(document), (), "", 0),))


def by_pydantic(content: bytes) -> Facts | None:
    """Return what pydantic's reader makes of a document, or, where that is deeper than it reads, Python's."""
    from pydantic_core import from_json

    try:
        document = from_json(content, allow_inf_nan=False)
    except ValueError as error:
        document = _loaded(content) if "recursion limit" in str(error) else None
        if document is None:
            return None
    return frozenset({(_canonical(document), (), "")})


def _canonical(document: object) -> str:
    """Return a document as text that is the same for equal documents; a minus before a zero makes no other."""
    return json.dumps(document, sort_keys=True).replace("-0.0", "0")


def _loaded(content: bytes) -> Any:
    try:
        return json.loads(content.decode())
    except (ValueError, RecursionError):
        return None
