"""`gpt2calc compare`: several models side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.cli.options import add_fields, add_hub, add_model_type, add_output, emit, model_of

if TYPE_CHECKING:
    import argparse

EXAMPLES = """examples:
  gpt2calc compare small medium large xl
  gpt2calc compare gpt2 gpt2-untied raschka-gpt2-small
  gpt2calc compare small xl --vocab 50304 --format markdown
  gpt2calc compare old/config.json new/config.json --format csv"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = "Put several models side by side: sizes, parameters, shares, and what holds between the parts."
    parser.usage = "gpt2calc compare MODEL [MODEL ...] [options]"
    parser.epilog = EXAMPLES
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="+",
        help="a model that ships, a config.json, a folder that holds one, a repository of the Hugging Face hub, or -",
    )
    add_hub(parser)
    add_model_type(parser)
    add_fields(parser)
    add_output(parser, "the totals alone, a line each")


def run(arguments: argparse.Namespace) -> int:
    """Count each, and print them side by side."""
    from gpt2calc.api.counting import compare
    from gpt2calc.errors import ConfigError

    if arguments.models.count("-") > 1:
        raise ConfigError("standard input, -, can be given once")
    models = map(model_of, arguments.models)
    result = compare(*models, hub=arguments.hub, revision=arguments.revision, **arguments.fields)
    notes = [note if len(result) == 1 else f"{count.name}: {note}" for count in result for note in count.notes]
    totals = [count.total for count in result]
    one = arguments.format == "csv"
    tables = [result.table()] if one else result.tables()
    return emit(arguments, result=result.to_dict, human=tables, tables=tables, quiet=totals, notes=notes)
