"""`gpt2calc infer`: the config that a checkpoint shows, as a config.json."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gpt2calc.cli.options import add_hub, say
from gpt2calc.cli.verify import add_prefix

if TYPE_CHECKING:
    import argparse

EXAMPLES = """examples:
  gpt2calc infer path/to/checkpoint/model.safetensors
  gpt2calc infer path/to/checkpoint -q > config.json"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = (
        "Infer the config of a checkpoint from the shapes of its tensors, and print it as a config.json."
    )
    parser.usage = "gpt2calc infer TARGET [options]"
    parser.add_argument("target", metavar="TARGET", help="a checkpoint, named as for gpt2calc verify")
    add_prefix(parser)
    add_hub(parser)
    group = parser.add_argument_group("output")
    group.add_argument(
        "-q",
        "--quiet",
        action="store_true",
        help="print what the checkpoint shows alone, without guesses, and no notes",
    )


def run(arguments: argparse.Namespace) -> int:
    """Infer, and print."""
    from gpt2calc.reports import json
    from gpt2calc.verification.verifier import infer_config

    found = infer_config(arguments.target, prefix=arguments.prefix, hub=arguments.hub, revision=arguments.revision)
    if not arguments.quiet:
        say(found.notes)
    # Without the note that says so, a guess would be taken for a fact.
    sys.stdout.write(json.write(found.shown if arguments.quiet else found.document))
    return 0
