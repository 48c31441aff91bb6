"""`gpt2calc compare`: several models side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.cli.cost import ASKED, add_asked, fields_of
from gpt2calc.cli.options import add_common, emit, named_model

if TYPE_CHECKING:
    import argparse

EXAMPLES = """examples:
  gpt2calc compare small medium large xl
  gpt2calc compare gpt2 gpt2-untied raschka-gpt2-small
  gpt2calc compare small xl --vocab 50304 --format markdown
  gpt2calc compare old/config.json new/config.json --format csv
  gpt2calc compare gpt2 gpt2-xl --cost --train --optimizer adamw
  gpt2calc compare Llama-3.1-8B Mixtral-8x7B --cost --seq 4096"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = "Put several models side by side: sizes, parameters, shares, and what holds between the parts."
    parser.usage = "gpt2calc compare MODEL [MODEL ...] [options]"
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="+",
        help="a model that ships, a config.json, a folder that holds one, a repository of the Hugging Face hub, or -",
    )
    parser.add_argument(
        "--cost",
        action="store_true",
        help="put what each costs beside it, of what the options of gpt2calc cost below say",
    )
    add_asked(parser)
    add_common(parser, "the totals alone, a line each; with --cost the FLOPs, of a training step with --train")


def run(arguments: argparse.Namespace) -> int:
    """Count each, and print them side by side."""
    from gpt2calc.api.counting import compare
    from gpt2calc.errors import ConfigError

    if arguments.models.count("-") > 1:
        raise ConfigError("standard input, -, can be given once")
    models = map(named_model, arguments.models)
    asked = {name: value for name in ASKED if (value := getattr(arguments, name)) is not None}
    fields = fields_of(arguments)
    if not arguments.cost and (asked or fields != arguments.fields):
        option = next(iter(asked), "activation_function").replace("_", "-")
        raise ConfigError(f"--{option} is of a cost: give --cost as well")
    words = asked if arguments.cost else None
    result = compare(*models, cost=words, hub=arguments.hub, revision=arguments.revision, **fields)
    flops = result.flops
    if arguments.quiet and None in flops:
        name = result[flops.index(None)].name
        raise ConfigError(f"{name} has no FLOPs to compare: without --quiet a note says why", field="cost")
    one = arguments.format == "csv"
    tables = [result.table()] if one else result.tables()
    return emit(
        arguments,
        result=result.to_dict,
        human=tables,
        tables=tables,
        quiet=flops or [count.total for count in result],
        notes=result.notes,
    )
