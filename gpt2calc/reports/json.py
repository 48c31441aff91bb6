"""A result's dictionary as JSON; docs/json.md describes the schemas."""

from __future__ import annotations

import json
from typing import Any


def write(result: dict[str, Any], *, ascii_only: bool = False) -> str:
    """Return the dictionary as JSON that a person can read as well, integers in full; ASCII alone if asked."""
    return json.dumps(result, indent=2, ensure_ascii=ascii_only) + "\n"
