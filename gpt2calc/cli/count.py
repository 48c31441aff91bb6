"""`gpt2calc count`: one model, by component, and counted every way."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.cli.options import add_fields, add_hub, add_model_type, add_output, emit, model_of
from gpt2calc.cli.tensors import add_stored

if TYPE_CHECKING:
    import argparse

EXAMPLES = """examples:
  gpt2calc count gpt2
  gpt2calc count gpt2-xl --json | jq .total
  gpt2calc count --n-layer 24 --n-embd 1024 --vocab 50304
  gpt2calc count path/to/config.json --per-block
  gpt2calc count gpt2 --conventions --format markdown
  gpt2calc count -q gpt2 --untied
  gpt2calc count DeepSeek-V3 --stored
  gpt2calc count - < config.json"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = "Count the parameters of one model, exactly, by component and in every convention."
    parser.usage = "gpt2calc count [MODEL] [options]"
    parser.epilog = EXAMPLES
    parser.add_argument(
        "model",
        metavar="MODEL",
        nargs="?",
        help="a model that ships (see gpt2calc models), a config.json, a folder that holds one, a repository of the "
        "Hugging Face hub, or - for standard input; gpt2's sizes when left out",
    )
    parser.add_argument("--per-block", action="store_true", help="count one block alone, of each kind")
    parser.add_argument("--conventions", action="store_true", help="show every convention with its source")
    add_stored(parser, "count what its files hold, as a page of the hub shows it")
    add_hub(parser)
    add_model_type(parser)
    add_fields(parser)
    add_output(parser, "the total alone")


def run(arguments: argparse.Namespace) -> int:
    """Count, and print."""
    from gpt2calc.api.counting import count

    if arguments.stored:
        return _stored(arguments)
    result = count(model_of(arguments.model), hub=arguments.hub, revision=arguments.revision, **arguments.fields)
    quiet = [kind.each for kind in result.layers] if arguments.per_block else [result.total]
    human = tables = result.block_tables() if arguments.per_block else [result.table()]
    if arguments.format == "csv":
        tables = [result.flat_table(per_block=arguments.per_block)]
    if arguments.conventions:
        tables = [result.conventions_table()]
        human = [result.conventions_in_short(sources=True), result.bytes_table()]
    elif not arguments.per_block:
        human = [*tables, result.conventions_in_short(), result.bytes_table()]
    if not arguments.conventions and result.model.architecture.model_type != "gpt2":  # whose letters are well known
        kinds = [result.layers_table()] if len(result.layers) > 1 and not arguments.per_block else []
        human = [human[0], result.letters_table(), *kinds, *human[1:]]
    return emit(arguments, result=result.to_dict, human=human, tables=tables, quiet=quiet, notes=result.notes)


def _stored(arguments: argparse.Namespace) -> int:
    """Count what the files of a model hold, by part, and print."""
    from gpt2calc import stored
    from gpt2calc.architectures import gpt2
    from gpt2calc.dims import Dims
    from gpt2calc.sources import resolve

    source = resolve(model_of(arguments.model), arguments.fields, hub=arguments.hub, revision=arguments.revision)
    found = stored.of(
        gpt2.model(source.counted) if isinstance(source.counted, Dims) else source.counted, source.given or {}
    )
    return emit(
        arguments,
        result=lambda: found.to_dict(source.name, source.notes, whole=False),
        human=[found.summary(source.name)],
        tables=[found.summary("")],
        quiet=[found.total.elements],
        notes=(*source.notes, *found.notes),
    )
