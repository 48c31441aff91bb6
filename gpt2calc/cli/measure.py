"""`gpt2calc measure`: whether torch and transformers find what `gpt2calc cost` says."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.cli.cost import ASKED, add_asked, add_model, fields_of
from gpt2calc.cli.options import add_fields, add_hub, add_output, emit, model_of

if TYPE_CHECKING:
    import argparse

EXAMPLES = """examples:
  gpt2calc measure gpt2 --seq 64
  gpt2calc measure tiny-gpt2 --seq 64 --train --optimizer adamw --attention sdpa
  gpt2calc measure tiny-gpt2 --prompt 5 --new 9 --dtype bf16
  gpt2calc measure config.json --json"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = (
        "Build a GPT-2-shaped model with transformers and measure what `gpt2calc cost` computes: FLOPs, cache, saved "
        "tensors, optimizer state and the peak. What has values is really run: choose --batch and --seq for it."
    )
    parser.usage = "gpt2calc measure [MODEL] [options]"
    add_model(parser)
    add_asked(parser)
    add_hub(parser)
    add_fields(parser)
    add_output(parser, "the verdict alone")


def run(arguments: argparse.Namespace) -> int:
    """Measure, print, and return 0 where all holds and 1 where it does not."""
    import warnings

    from gpt2calc.api.costing import measure

    asked = {name: getattr(arguments, name) for name in ASKED}
    with warnings.catch_warnings(action="ignore"):  # torch's, on fake tensors and checkpoints
        model = model_of(arguments.model)
        result = measure(model, hub=arguments.hub, revision=arguments.revision, **asked, **fields_of(arguments))
    tables = [result.table()]
    emit(arguments, result=result.to_dict, human=tables, tables=tables, quiet=[result.verdict], notes=result.notes)
    return 0 if result.matches else 1
