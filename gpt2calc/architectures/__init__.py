"""Architectures: one file a family, with a row for each model type that differs from the others by flags.

A file is loaded when one of its model types is asked for, and no other is.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

FILES: dict[str, str] = {
    "gpt2": "gpt2",
    "llama": "llama",
    "mistral": "llama",
    "qwen2": "llama",
    "qwen3": "llama",
}
"""Each model type that is counted, with the file that knows it. A new one is a file and a row here."""


def of(model_type: str) -> Architecture:
    """Return the architecture of a model type that is one of `FILES`.

    >>> of("mistral").classes["MistralForCausalLM"]
    'lm'
    """
    found: Architecture = import_module(f"gpt2calc.architectures.{FILES[model_type]}").ARCHITECTURES[model_type]
    return found
