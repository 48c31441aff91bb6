"""A result's dictionary as JSON; docs/json.md describes the schemas."""

from __future__ import annotations

import json
import re
from typing import Any

OTHERS = re.compile(r"[^\n -~]")


def write(result: dict[str, Any], *, ascii_only: bool = False) -> str:
    """Return the dictionary as JSON that a person can read as well, integers in full; ASCII alone if asked.

    What JSON itself would let through, and a terminal not show as it is, is escaped too.
    """
    return OTHERS.sub(_escaped, json.dumps(result, indent=2, ensure_ascii=ascii_only)) + "\n"


def _escaped(found: re.Match[str]) -> str:
    character = found[0]
    return character if character.isprintable() else json.dumps(character)[1:-1]
