"""`gpt2calc verify`: whether a checkpoint holds what its config says, and which tensor is why not."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from gpt2calc.cli.options import add_fields, add_hub, add_output, emit, model_of, progress_bar

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable

EXAMPLES = """examples:
  gpt2calc verify gpt2
  gpt2calc verify path/to/checkpoint
  gpt2calc verify path/to/checkpoint/model.safetensors --config gpt2
  gpt2calc verify path/to/checkpoint --n-layer 12 --json
  gpt2calc verify path/to/checkpoint --tying --values"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = (
        "Show that a checkpoint holds exactly what its config says, tensor by tensor, or name what is why not."
    )
    parser.usage = "gpt2calc verify TARGET [options]"
    parser.add_argument(
        "target",
        metavar="TARGET",
        help="a model folder; a file of safetensors, PyTorch, GGUF, TensorFlow or llm.c, or the index of a sharded "
        "one; a repository on the hub; or a config, named as for gpt2calc count",
    )
    parser.add_argument(
        "--config",
        metavar="MODEL",
        help="hold the target against this config, named as for gpt2calc count, and not against the one beside it",
    )
    parser.add_argument(
        "--evidence",
        metavar="KIND",
        choices=("header", "meta", "weights", "all"),
        help="header, without reading weights (default); meta, the model that transformers builds; weights, the "
        "checkpoint loaded; or all",
    )
    parser.add_argument("--tying", action="store_true", help="compare wte and lm_head, bit by bit and by correlation")
    parser.add_argument("--values", action="store_true", help="read the values, for their statistics")
    add_prefix(parser)
    add_hub(parser)
    add_fields(parser)
    add_output(parser, "the verdict alone")


def add_prefix(parser: argparse.ArgumentParser) -> None:
    """Add the option that says where in a checkpoint the model stands."""
    parser.add_argument(
        "--prefix",
        metavar="NAME",
        help="what stands before the model's names, such as decoder; tensors elsewhere are left aside (default: found)",
    )


def run(arguments: argparse.Namespace) -> int:
    """Verify, print, and return 0 for a match and 1 for none."""
    from gpt2calc.api.checking import verify

    result = verify(
        model_of(arguments.target),
        model_of(arguments.config),
        evidence=arguments.evidence,
        tying=arguments.tying,
        values=arguments.values,
        prefix=arguments.prefix,
        hub=arguments.hub,
        revision=arguments.revision,
        progress=_bar() if arguments.values and not arguments.quiet else None,
        headers=None if arguments.quiet else _shards(),
        **arguments.fields,
    )
    emit(
        arguments,
        result=result.to_dict,
        human=result.screen(),
        tables=[result.table()] if arguments.format == "csv" else result.tables(),
        quiet=[result.verdict],
        notes=result.notes,
    )
    return 0 if result.matches else 1


def _bar() -> Callable[[int, int], None] | None:
    """Return what draws a progress bar on standard error, where that is a terminal and tqdm is installed."""
    bar = progress_bar(unit="B", unit_scale=True)
    if bar is None:
        return None

    def show(done: int, whole: int) -> None:
        bar.total = whole
        bar.update(done - bar.n)
        if done >= whole:
            bar.close()

    return show


def _shards() -> Callable[[int, int], None] | None:
    """Return what tells on standard error, where that is a terminal, of how many shards the headers have come."""
    stream = sys.stderr
    if stream is None or not stream.isatty():
        return None

    def show(done: int, whole: int) -> None:
        end = "\r\033[K" if done == whole else ""
        stream.write(f"\rheaders of {done:,} of {whole:,} shards{end}")
        stream.flush()

    return show
