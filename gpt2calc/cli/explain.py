"""`gpt2calc explain`: what a printed figure counts."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gpt2calc.cli.options import add_fields, add_hub, add_output, emit, named_model, number

if TYPE_CHECKING:
    import argparse

EXAMPLES = """examples:
  gpt2calc explain 137M gpt2
  gpt2calc explain 117M 345M 762M 1542M
  gpt2calc explain 548 MB gpt2
  gpt2calc explain "number of parameters: 123.65M" --n-layer 12
  gpt2calc explain 3.14e23 gpt3-175B --tokens 300B
  gpt2calc explain "9.46 GiB" gpt2 --batch 8 --seq 1024
  gpt2calc explain 163,037,184 path/to/config.json --json

exit codes: 1 where a figure fits nothing or may be a coincidence, and as for every command"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = (
        "Find what a printed figure counts: the exact number, the model, the convention, and how far to trust it."
    )
    parser.usage = "gpt2calc explain FIGURE [FIGURE ...] [MODEL ...] [options]"
    parser.add_argument(
        "words",
        metavar="FIGURE",
        nargs="+",
        help="a size as people write it, such as 117M, 137,022,720, 0.186B or 548 MB; or a MODEL, as for gpt2calc "
        "count, that it may be the size of: every model that ships when left out",
    )
    parser.add_argument(
        "--top", metavar="N", type=number(), default=5, help="show N readings of each figure; 5 when left out"
    )
    group = parser.add_argument_group("where a figure is a cost of MODEL, FLOPs or bytes")
    group.add_argument("--batch", metavar="B", type=number(), help="sequences of a step")
    group.add_argument("--seq", metavar="S", type=number(), help="tokens of each; n_positions")
    group.add_argument("--tokens", metavar="N", type=number(), help="of how many tokens of training, such as 300B")
    add_hub(parser)
    add_fields(parser)
    add_output(parser, "the exact number that explains each figure best")


def run(arguments: argparse.Namespace) -> int:
    """Explain, and print."""
    import shlex

    from gpt2calc.api.backwards import explain
    from gpt2calc.errors import ConfigError
    from gpt2calc.explanation import printed
    from gpt2calc.figures import starts

    figures, models = _sorted(arguments.words)
    if not figures:
        for word in filter(starts, models):  # 117X, which is meant for one
            printed.read(word)
        raise ConfigError(
            f"a figure is needed, such as 117M: gpt2calc explain {shlex.join(['117M', *arguments.words])}"
        )
    if models.count("-") > 1:
        raise ConfigError("standard input, -, can be given once")
    named = map(named_model, models)
    run = {name: getattr(arguments, name) for name in ("batch", "seq", "tokens")}
    answer = explain(figures, *named, **run, hub=arguments.hub, revision=arguments.revision, **arguments.fields)
    result = answer.first(arguments.top)
    emit(
        arguments,
        result=lambda: answer.to_dict(arguments.top),
        human=result.tables(),
        tables=[result.table()] if arguments.format == "csv" else result.tables(),
        quiet=[each.value for each in result.figures if each.value is not None],
        notes=result.notes,
    )
    return int(not answer.explained)


def _sorted(words: list[str]) -> tuple[list[str], list[str]]:
    """Return the words that hold figures and those that name models, a unit that stands alone put to its number."""
    from gpt2calc.explanation import printed
    from gpt2calc.figures import UNITS

    figures: list[str] = []
    models: list[str] = []
    for word in words:
        if not any(map(str.isalnum, word)) and word != "-":  # the stroke or the plus between two figures
            continue
        is_unit = word in UNITS and figures and printed.find(figures[-1])[-1:]
        if figures and ((is_unit and not is_unit[0].unit) or printed.PARAMETERS.fullmatch(word)):
            figures[-1] += f" {word}"
        elif printed.FIGURE.fullmatch(word) or (printed.find(word) and not _is_model(word)):
            figures.append(word)  # 1.5B too, which is also what some call a model
        else:
            models.append(word)
    return figures, models


def _is_model(word: str) -> bool:
    from gpt2calc import presets

    return os.path.exists(word) or presets.find(word) is not None
