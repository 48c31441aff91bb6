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


OF_FILES = ("quantization_config", "torch_dtype")
"""What a config says of files alone, and no count of parameters reads."""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = "List the models that ship with gpt2calc, with their totals and sources."
    parser.usage = "gpt2calc models [options]"
    add_output(parser, "the names alone, a line each")


def run(arguments: argparse.Namespace) -> int:
    """List, and print."""
    from gpt2calc import presets
    from gpt2calc.counts import ParameterCount
    from gpt2calc.table import Table

    found = [(preset, ParameterCount(preset.dims).total) for preset in presets.models()]
    others = [(preset, ParameterCount(preset.counted).total) for preset in presets.others()]
    headers = ("model", "parameters", "published", "what it is")
    short = Table(
        f"{len(found)} models",
        headers,
        tuple((preset.name, total, preset.published or "-", _described(preset)) for preset, total in found),
    )
    of_others = Table(
        f"{len(others)} models of other architectures",
        headers,
        tuple((p.name, total, p.published or "-", _described(p, p.model_type)) for p, total in others),
    )
    whole = Table(
        "",
        ("model", "parameters", "published", "n_layer", "n_embd", "n_positions", "vocab_size", "what it is", "source"),
        tuple((p.name, total, p.published or "", *p.dims[:4], p.summary, p.source) for p, total in found),
    )

    def result() -> dict[str, Any]:
        listed = [{**preset._asdict(), "aliases": list(preset.aliases), "total": total} for preset, total in found]
        more = [{**preset._asdict(), "aliases": list(preset.aliases), "total": total} for preset, total in others]
        for each in (*listed, *more):
            del each["maker"], each["kernels"], each["on_page"]  # what `verify`, and what `cost`, alone ask for
        for each in more:
            fields = each["fields"].items()
            each["fields"] = {name: value for name, value in fields if name not in OF_FILES and value is not None}
        for each in listed:
            del each["published_active"]  # a token passes all of a GPT-2
        return {"schema": "gpt2calc/models/1", "models": listed, "others": more}

    names = [preset.name for preset, _ in (*found, *others)]
    return emit(arguments, result=result, human=[short, of_others], tables=[whole, of_others], quiet=names)


def _described(preset: Preset, model_type: str = "") -> Lines:
    from gpt2calc.table import Lines

    also = f"also {', '.join(preset.aliases)}" if preset.aliases else ""
    summary = f"{model_type}: {preset.summary}" if model_type else preset.summary
    return Lines(tuple(filter(None, (summary, also, preset.source))))
