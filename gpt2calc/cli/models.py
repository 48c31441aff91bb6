"""`gpt2calc models`: the models that ship."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.cli.options import add_output, emit

if TYPE_CHECKING:
    import argparse

    from gpt2calc.presets import Preset
    from gpt2calc.table import Lines

EXAMPLES = """examples:
  gpt2calc models
  gpt2calc models --json
  gpt2calc models -q"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = "List the models that ship with gpt2calc, with their totals and sources."
    parser.usage = "gpt2calc models [options]"
    parser.epilog = EXAMPLES
    add_output(parser, "the names alone, a line each")


def run(arguments: argparse.Namespace) -> int:
    """List, and print."""
    from gpt2calc.api.counting import models
    from gpt2calc.counts import ParameterCount
    from gpt2calc.table import Table

    found = [(preset, ParameterCount(preset.dims).total) for preset in models()]
    short = Table(
        f"{len(found)} models",
        ("model", "parameters", "published", "what it is"),
        tuple((preset.name, total, preset.published or "-", _described(preset)) for preset, total in found),
    )
    whole = Table(
        "",
        ("model", "parameters", "published", "n_layer", "n_embd", "n_positions", "vocab_size", "what it is", "source"),
        tuple((p.name, total, p.published or "", *p.dims[:4], p.summary, p.source) for p, total in found),
    )

    def result() -> dict[str, Any]:
        listed = [{**preset._asdict(), "aliases": list(preset.aliases), "total": total} for preset, total in found]
        for each in listed:
            del each["maker"]  # what `verify` alone asks for
        return {"schema": "gpt2calc/models/1", "models": listed}

    names = [preset.name for preset, _ in found]
    return emit(arguments, result=result, human=[short], tables=[whole], quiet=names)


def _described(preset: Preset) -> Lines:
    from gpt2calc.table import Lines

    also = f"also {', '.join(preset.aliases)}" if preset.aliases else ""
    return Lines(tuple(filter(None, (preset.summary, also, preset.source))))
