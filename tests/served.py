"""The command `python -m tests.served`: what transformers' caches hold of published models, each in its full size.

A module of a published config runs on torch's `meta` device, where nothing is computed, over 16 and over 32 tokens, and
over more than any window holds; what its cache then holds is counted. A line of `tests/data/served.jsonl` is one model.
What is named is measured again, and all else stays as it is.
"""

from __future__ import annotations

import argparse
import json
from inspect import signature
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
import transformers
from transformers import DynamicCache

from gpt2calc import presets
from tests.architectures.modules import built, quick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.presets import Preset

PATH = Path(__file__).parent / "data" / "served.jsonl"

LENGTHS = (16, 32, 10_000)
"""Tokens that pass: two short lengths, whose difference is what a token adds, and more than any window here holds."""

SHORT = ("gpt2", "jamba", "mamba2")
"""Model types without a window: the first has no position for so many tokens, the others go through them one by one."""

NAMES = (
    *(
        "gpt2-xl",
        "Llama-3.1-8B",
        "Mistral-7B",
        "Mixtral-8x7B",
        "Qwen3-0.6B",
        "Qwen3-30B-A3B",
        "gemma-2-9b",
        "gemma-3-1b",
    ),
    *("gemma-4-31B", "gpt-oss-20b", "DeepSeek-V3", "DeepSeek-V3.2", "Jamba-v0.1", "Mamba-Codestral-7B", "falcon-40b"),
    *("Nemotron-3-Nano-30B-A3B", "Qwen3.5-35B-A3B", "Llama-4-Scout", "pythia-6.9b", "starcoder2-7b"),
)
"""The published models, of twenty model types."""


def of_cache(module: Any, tokens: int) -> tuple[int, int, int]:
    """Return how many elements of tokens, of convolutions and of recurrences a cache holds of so many tokens."""
    cache = DynamicCache(config=module.config)
    word = "cache_params" if "cache_params" in signature(module.forward).parameters else "past_key_values"
    with torch.no_grad():
        module(torch.zeros(1, tokens, dtype=torch.long, device="meta"), use_cache=True, **{word: cache})
    each = [of_layer(layer) for layer in cache.layers]
    return tuple(map(sum, zip(*each, strict=True)))  # type: ignore[return-value]


def of_layer(layer: Any) -> tuple[int, int, int]:
    """Return how many elements of tokens, of convolutions and of recurrences one layer of a cache holds."""
    tensors = {name: value for name, value in vars(layer).items() if torch.is_tensor(value) and value.ndim > 1}
    states = {"conv_states": 0, "recurrent_states": 0}
    for name in states:
        held = getattr(layer, name, None) or ()
        values = held.values() if isinstance(held, dict) else held
        states[name] = sum(prod(each.shape) for each in values if torch.is_tensor(each))
    return sum(prod(each.shape) for each in tensors.values()), states["conv_states"], states["recurrent_states"]


def document(preset: Preset) -> dict[str, Any]:
    """Return the config of a model that ships, as a config.json says it."""
    fields = {name: value for name, value in preset.fields.items() if name != "head"}
    return fields if preset.model_type != presets.GPT2 else {"model_type": presets.GPT2, **fields}


def measured(name: str) -> dict[str, Any]:
    """Return what the cache of one published model holds, by the module that transformers builds of it."""
    preset = presets.load(name)
    config = document(preset)
    with quick():
        module = built(config).eval()
        module.config._experts_implementation = "batched_mm"  # whose products need no values
        lengths = LENGTHS[:2] if preset.model_type in SHORT else LENGTHS
        held = [of_cache(module, tokens) for tokens in lengths]
    states = {each[1:] for each in held}
    if len(states) != 1:
        raise SystemExit(f"{name}: the states differ with the number of tokens: {states}")
    convolution, recurrence = states.pop()
    torch_version = torch.__version__.partition("+")[0]
    return {
        "name": name,
        "source": preset.source,
        "config": config,
        "tokens": list(lengths),
        "elements": [each[0] for each in held],
        "convolution": convolution,
        "recurrence": recurrence,
        "measured": f"transformers {transformers.__version__}, torch {torch_version}, meta device",
    }


def rows() -> list[dict[str, Any]]:
    """Return what was measured."""
    return [json.loads(line) for line in PATH.read_text(encoding="utf-8").splitlines()]


def main() -> None:
    """Measure what is named, or everything."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("names", metavar="NAME", nargs="*", choices=[[], *NAMES], help="everything when left out")
    named = parser.parse_args().names
    before: Mapping[str, Any] = {row["name"]: row for row in rows()} if PATH.exists() else {}
    found = [before[name] if named and name not in named else measured(name) for name in NAMES]
    PATH.write_text("".join(json.dumps(row) + "\n" for row in found), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
