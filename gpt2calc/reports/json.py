"""A result's dictionary as JSON; docs/json.md describes the schemas."""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

OTHERS = re.compile(r"[^\n -~]")


LONG = 10_000
"""Lists of more entries have each in one line, by the encoder that is written in C: with indents, it is Python's."""


def write(result: dict[str, Any], *, ascii_only: bool = False) -> str:
    """Return the dictionary as JSON that a person can read as well, integers in full; ASCII alone if asked.

    What JSON itself would let through, and a terminal not show as it is, is escaped too.
    """
    long = {name: value for name, value in result.items() if isinstance(value, list) and len(value) > LONG}
    written = json.dumps({**result, **dict.fromkeys(long, ())}, indent=2, ensure_ascii=ascii_only)
    encode = json.JSONEncoder(ensure_ascii=ascii_only).encode
    for name, value in long.items():
        key = f"\n  {encode(name)}: ["
        before, _, after = written.partition(f"{key}]")
        entries = ",\n    ".join(map(encode, value))
        written = f"{before}{key}\n    {entries}\n  ]{after}"
    return OTHERS.sub(_escaped, written) + "\n"


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else json.dumps(character)[1:-1]
