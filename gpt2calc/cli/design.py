"""`gpt2calc design`: shapes for a budget of parameters or bytes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.cli.options import Offered, add_fields, add_hub, add_output, emit, model_of, named, whole
from gpt2calc.errors import ConfigError, shortened

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterable

EXAMPLES = """examples:
  gpt2calc design --params 350M
  gpt2calc design --family llama --params 8B
  gpt2calc design --params 1.3B --head-size 128 --aspect 40:130
  gpt2calc design --params 124439808 --n-layer 6:48 --embd-multiple 64
  gpt2calc design --fits 24GB --dtype bf16 --pad 128
  gpt2calc design --params 85M --convention kaplan --pareto
  gpt2calc design gpt2-untied --params 350M --inner-ratio 4,8/3 --inner-multiple 256
  gpt2calc design --params 350M --top 1 -q | gpt2calc count -

sizes: n_layer, n_embd, n_head, n_inner and padding take a number, a range 6:48, steps 12:96:12, or a list 768,1024;
a list that may be one number, as 64,128, is written with blanks: "64, 128\""""

OWN = (
    ("--head-size", "SIZES", "sizes of a head that n_embd may be a multiple of; 64 and 128 unless given"),
    ("--embd-multiple", "N", "n_embd is a multiple of N"),
    ("--aspect", "A:B", "n_embd / n_layer lies from A to B; 20:160 unless given"),
    (
        "--inner-ratio",
        "RATIOS",
        "n_inner / n_embd: a list 4,8/3, rounded up, or a range 2:6; the model's own unless given",
    ),
    ("--inner-multiple", "N", "n_inner is a multiple of N"),
    ("--pad", "SIZES", "round vocab_size up to a multiple of each; as --pad-vocab"),
)


ASKED = ("fits", "dtype", "convention", "family", "within", "nearest", "pareto")


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = "Find the shapes that have a number of parameters, or that fit a number of bytes, exactly."
    parser.usage = "gpt2calc design [MODEL | --family NAME] (--params N | --fits BYTES --dtype DTYPE) [options]"
    parser.add_argument(
        "model",
        metavar="MODEL",
        nargs="?",
        help="where all that is not searched comes from, named as for gpt2calc count; gpt2 when left out",
    )
    parser.add_argument("--params", metavar="N", help="the number to be near, such as 350M, 0.35B, 1e9 or 124,439,808")
    parser.add_argument(
        "--fits", metavar="BYTES", help="the largest shapes whose weights alone need no more, such as 24GB"
    )
    parser.add_argument(
        "--dtype",
        metavar="DTYPE",
        choices=Offered(named("designs.targets", "DTYPES")),
        help="how the bytes are stored: fp32, fp16, bf16, int8 or int4",
    )
    parser.add_argument(
        "--convention",
        metavar="NAME",
        choices=Offered(_conventions),
        help="how the number counts, as gpt2calc count --conventions lists; or total",
    )
    parser.add_argument(
        "--family",
        metavar="NAME",
        choices=Offered(named("architectures", "FILES")),
        help="a model type such as llama in place of MODEL: of its models that ship, the one nearest in size",
    )
    parser.add_argument(
        "--within",
        metavar="PERCENT",
        help="how far off the number a shape may be, to be ranked by its proportions; 2 unless given",
    )
    parser.add_argument("--nearest", action="store_true", help="rank by distance to the number alone")
    parser.add_argument("--top", metavar="K", help="how many shapes to print; 10 unless given")
    parser.add_argument(
        "--pareto", action="store_true", help="print every shape that none beats both in nearness and in proportions"
    )
    for option, metavar, said in OWN:
        parser.add_argument(option, metavar=metavar, help=said)
    parser.add_argument("--verbose", action="store_true", help="show what was searched, and how shapes are ranked")
    add_hub(parser)
    add_fields(parser, _read)
    add_output(parser, "a config.json for each shape, one a line")


def _conventions() -> Iterable[str]:
    from gpt2calc.conventions import NAMES
    from gpt2calc.designs.measures import TOTAL

    return (TOTAL, *NAMES)


def _read(parser: argparse.ArgumentParser, option: str | None, value: str) -> object:
    """Keep a field that is searched as it is typed, since it can be a range, and read any other as a number."""
    from gpt2calc.designs.designer import SEARCHED
    from gpt2calc.fields import CANONICAL

    field = CANONICAL[(option or "").lstrip("-").replace("-", "_")]
    return value if field in SEARCHED and value.lower() != "none" else whole(parser, option, value)


def run(arguments: argparse.Namespace) -> int:
    """Search, and print."""
    import json

    from gpt2calc import figures
    from gpt2calc.api.backwards import design

    model = arguments.model
    if model and figures.starts(model) and arguments.params is None and arguments.fits is None:
        raise ConfigError(f"a model comes first, and the number after --params: design --params {shortened(model)}")
    named = {option.lstrip("-").replace("-", "_") for option, _, _ in OWN}
    result = design(
        arguments.params,
        model_of(model),
        **{name: getattr(arguments, name) for name in (*sorted(named), *ASKED)},
        top=arguments.top,
        hub=arguments.hub,
        revision=arguments.revision,
        **arguments.fields,
    )
    return emit(
        arguments,
        result=result.to_dict,
        human=result.screen(verbose=arguments.verbose),
        tables=[result.flat_table()] if arguments.format == "csv" else result.tables(),
        quiet=(json.dumps(each.config) for each in result),
        notes=result.notes,
    )
