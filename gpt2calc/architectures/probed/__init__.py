"""Which fields transformers' config classes have, and which of them change shapes: written by `tests.probe`.

A file a model type. Nothing here is read to count; it shows which keys of a document are known to change nothing.
"""

from __future__ import annotations

import json
import os
from functools import cache


@cache
def fields(model_type: str) -> frozenset[str]:
    """Return every field that the config class of a model type has.

    >>> "rms_norm_eps" in fields("llama")
    True
    """
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), f"{model_type}.json")
    with open(path, encoding="utf-8") as file:
        found = json.load(file)
    return frozenset((*found["shapes"], *found["no_shapes"], *found["not_varied"]))
