"""`gpt2calc example`: a small checkpoint to try things on, good or with one fault."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.cli.options import Offered, add_fields, add_model_type, model_of, named

if TYPE_CHECKING:
    import argparse

EXAMPLES = """examples:
  gpt2calc example path/to/new
  gpt2calc example path/to/faulty --fault shape
  gpt2calc example path/to/llama --model-type llama --num-hidden-layers 3"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = (
        "Write a small checkpoint, config.json and model.safetensors, to try gpt2calc verify on: good, or with a fault."
    )
    parser.usage = "gpt2calc example DIR [MODEL] [options]"
    parser.add_argument("folder", metavar="DIR", help="the folder to write, which is not there yet, or empty")
    parser.add_argument("model", metavar="MODEL", nargs="?", help="a small model, named as for gpt2calc count")
    parser.add_argument(
        "--fault",
        metavar="NAME",
        choices=Offered(named("examples", "FAULTS")),
        help="plant this: missing, extra, renamed, shape, transposed, dtype, layer, config or truncated",
    )
    add_model_type(parser)
    add_fields(parser)
    group = parser.add_argument_group("output")
    group.add_argument("-q", "--quiet", action="store_true", help="print the paths of the files alone")


def run(arguments: argparse.Namespace) -> int:
    """Write, and say what was written."""
    from shlex import quote

    from gpt2calc.api.checking import write_example
    from gpt2calc.errors import printable
    from gpt2calc.examples import FAULTS

    made = write_example(arguments.folder, model_of(arguments.model), fault=arguments.fault, **arguments.fields)
    if arguments.quiet:
        print(*map(printable, made.files), sep="\n")
        return 0
    folder = printable(made.folder)
    print(
        f"{folder}: a {made.name} of {made.total:,} parameters, {'with a fault' if made.fault else 'as it should be'}"
    )
    if made.fault:
        where = f": {made.tensor}" if made.tensor else ""
        print(f"{made.fault}: {FAULTS[made.fault].sentence}{where}")
    word = printable(quote(f"./{made.folder}" if made.folder.startswith("-") else made.folder))
    print(f"gpt2calc verify {word} {'finds it' if made.fault else 'shows it'}")
    return 0
