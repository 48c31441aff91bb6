"""`gpt2calc card`: the lines of a model card that say how large a model is."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gpt2calc.cli.options import add_fields, add_hub, model_of, say, takes_unicode
from gpt2calc.table import in_ascii

if TYPE_CHECKING:
    import argparse

EXAMPLES = """examples:
  gpt2calc card gpt2
  gpt2calc card path/to/checkpoint --yaml
  gpt2calc card path/to/config.json -q > size.md"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = (
        "Print the lines for a model card, as Markdown: exact counts, bytes, KV cache and context; of a checkpoint, "
        "what its files hold, and the verdict."
    )
    parser.usage = "gpt2calc card [MODEL] [options]"
    said = "a config, named as for gpt2calc count, or a checkpoint, which is verified; gpt2's sizes when left out"
    parser.add_argument("model", metavar="MODEL", nargs="?", help=said)
    parser.add_argument("--yaml", action="store_true", help="begin with the metadata that the hub reads, as YAML")
    add_hub(parser)
    add_fields(parser)
    group = parser.add_argument_group("output")
    group.add_argument("-q", "--quiet", action="store_true", help="print no notes")


def run(arguments: argparse.Namespace) -> int:
    """Print the card, and return 1 where a checkpoint is not what its config says."""
    from gpt2calc.api.checking import card

    found = card(model_of(arguments.model), hub=arguments.hub, revision=arguments.revision, **arguments.fields)
    if not arguments.quiet:
        say(found.notes)
    written = f"{found.metadata}\n\n" * arguments.yaml + f"{found.markdown}\n"
    sys.stdout.write(written if takes_unicode() else in_ascii(written))
    return 1 if found.verification is not None and not found.verification else 0
