"""A result's dictionary as JSON; docs/json.md describes the schemas."""

from __future__ import annotations

import json
from typing import Any


def write(result: dict[str, Any]) -> str:
    """Return the dictionary as JSON that a person can read as well, integers in full."""
    return json.dumps(result, indent=2, ensure_ascii=False) + "\n"
