"""Random changes of a JSON document, among them to what is JSON only nearly, or only to some readers."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from tests.fuzz.mutations import EDGES

if TYPE_CHECKING:
    import random


class Pairs(list[tuple[str, Any]]):
    """An object, as its pairs, so that a key can be there twice."""


class Raw(str):
    """Text that is written as it is."""

    __slots__ = ()


VALUES: tuple[Raw, ...] = tuple(
    Raw(text)
    for text in (
        *(str(sign * number) for number in EDGES for sign in (1, -1)),
        *("null", "true", "false", "0.5", "1.0", "1e0", "1e400", "-1e400", "-0", "9" * 400),
        *("NaN", "Infinity", "01", "+1", "-", "1.", "0x10", "'x'", "", "[", "}", '"'),
        *map(json.dumps, ("", "F32", "BF16", "U8", "F4", "F6_E2M3", "C64", "f32", "../x", "é", "\0", "a/b")),
        *(r'"\ud800"', r'"\ude00\ud83d"', r'"\ud83d\ude00"', r'"\u00"', r'"\x"', '"\t"', '"\x7f"', '"é"'),
        *("{}", "[]", "[0]", "[0,0]", "[1,0]", "[18446744073709551615,2,0]", '["F32"]', '{"F32":null}', '{"a":"b"}'),
        *("[" * depth + "]" * depth for depth in (100, 124, 125, 126, 127, 128, 2000)),
        *('{"a":' * depth + "1" + "}" * depth for depth in (124, 125, 126, 127, 2000)),
    )
)
"""What a value is replaced by, as it is written."""

KEYS = ("", "a", "dtype", "shape", "data_offsets", "__metadata__", "metadata", "weight_map", "total_size", "é\n")
"""What a key is replaced by."""


def changed(text: bytes, chance: random.Random) -> bytes:
    """Return a document with one value, key or entry changed; what is no JSON, or too deep to be written, as it is."""
    try:
        document = json.loads(text, object_pairs_hook=Pairs)
        return _changed(document, chance).encode("utf-8", "surrogatepass")
    except (ValueError, RecursionError):
        return text


def _changed(document: Any, chance: random.Random) -> str:
    places = list(_containers(document))
    if not places:
        return chance.choice(VALUES)
    place = chance.choice(places)
    if place:
        _change(place, chance.choice(places), chance)
    else:
        place.append(("a", chance.choice(VALUES)) if isinstance(place, Pairs) else chance.choice(VALUES))
    return _written(document, chance.choice(("", "", "", " ", "\n", "\t\r")))


def _change(place: list[Any], other: list[Any], chance: random.Random) -> None:
    """Change one entry of an object or an array that has any."""
    at = chance.randrange(len(place))
    key, value = place[at] if isinstance(place, Pairs) else ("", place[at])
    how = chance.choice(("delete", "repeat", "count", "copy", "rename", "replace", "replace"))
    if how == "delete":
        del place[at]
        return
    if how == "repeat":
        place.insert(chance.randrange(len(place) + 1), place[at])
        return
    if how == "count" and isinstance(value, int):
        value += chance.choice((-8, -1, 1, 8, value))
    elif how == "copy" and other:
        entry = chance.choice(other)
        value = Raw(_written(entry[1] if isinstance(entry, tuple) else entry))
    elif how == "rename":
        key = chance.choice(KEYS)
    else:
        value = chance.choice(VALUES)
    place[at] = (key, value) if isinstance(place, Pairs) else value


def _containers(value: Any) -> list[list[Any]]:
    """Return every object and array in a value."""
    if not isinstance(value, list):
        return []
    inside = [part for _, part in value] if isinstance(value, Pairs) else value
    return [value, *(found for part in inside for found in _containers(part))]


def _written(value: Any, space: str = "") -> str:
    """Return a value as JSON."""
    if isinstance(value, Raw):
        return value
    if isinstance(value, Pairs):
        parts = (f"{json.dumps(key)}:{space}{_written(part, space)}" for key, part in value)
        return f"{{{space}" + f",{space}".join(parts) + "}"
    if isinstance(value, list):
        return "[" + f",{space}".join(_written(part, space) for part in value) + f"{space}]"
    return json.dumps(value)
