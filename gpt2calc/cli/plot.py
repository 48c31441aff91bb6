"""`gpt2calc plot`: pictures of where the parameters sit and of what a model costs, in a file or in the terminal."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from gpt2calc import ranges
from gpt2calc.cli.cost import ASKED, add_asked, fields_of, refuse_other
from gpt2calc.cli.options import (
    FORMATS,
    Offered,
    add_fields,
    add_hub,
    add_output,
    columns,
    emit,
    model_of,
    named,
    number,
    real,
    say,
    takes_colour,
    takes_unicode,
    whole,
)
from gpt2calc.errors import ConfigError, UnknownNameError, printable, shown
from gpt2calc.model import Model
from gpt2calc.output import refuse_input

if TYPE_CHECKING:
    import argparse

    from gpt2calc.counts import ParameterCount
    from gpt2calc.plots.chart import Chart

KINDS = {
    "shares": "the share of each group of components",
    "totals": "the parameters",
    "weights-biases": "weights and biases",
    "layernorm": "what LayerNorm holds",
    "growth": "what each group holds as one size grows, given as a range such as --n-layer 6:96",
    "treemap": "every tensor as an area",
    "architecture": "the model from tokens to logits, every component with its shapes, formula and count",
    "block": "one block, divided into groups, components, weights and biases",
    "iso": "depth and width of equal parameters, with the models that ship",
    "values": "how large the values of a checkpoint are",
    "flops": "where the FLOPs of a forward pass go, or of a training step with --train",
    "memory": "what training holds in memory, by part, or with --context what serving holds as the context grows",
    "kv": "what each layer keeps of the tokens before",
}
COSTS = ("flops", "memory")
SERVED = ("batch", "dtype")
"""What of a cost is asked of serving, too."""
OF_ONE = ("treemap", "block", "iso")
COUNTED = {
    "shares": ("plots.bars", "of_shares"),
    "totals": ("plots.bars", "of_totals"),
    "weights-biases": ("plots.bars", "of_weights_biases"),
    "layernorm": ("plots.bars", "of_layernorm"),
    "treemap": ("plots.areas", "Treemap"),
    "block": ("plots.blocks", "BlockChart"),
    "iso": ("plots.planes", "PlaneChart"),
}
"""What makes a chart of nothing but counts, which is loaded where it is asked for."""

PICTURES = ("png", "svg", "pdf")
MOST_DOTS = 10**8
"""How many dots a picture has at most."""

EXAMPLES = """examples:
  gpt2calc plot shares small medium large xl
  gpt2calc plot shares small medium large xl --grouped -o shares.svg
  gpt2calc plot growth gpt2 --n-layer 6:96 -o growth.png --theme dark
  gpt2calc plot treemap gpt2 -o treemap.pdf --width 6
  gpt2calc plot architecture gpt2 -o architecture.svg
  gpt2calc plot totals gpt2 --json
  gpt2calc plot flops gpt2 --train
  gpt2calc plot flops Mixtral-8x7B --seq 4096
  gpt2calc plot memory gpt2 --batch 8 --optimizer adamw -o memory.svg
  gpt2calc plot memory Llama-3.1-8B gemma-3-1b --context 0:131072 --memory 24GB
  gpt2calc plot kv gpt-oss-20b --context 131072

a picture that is asked for by --format png, svg or pdf, and without -o, goes to standard output"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = (
        "Draw where the parameters sit, or what a model costs, into a picture with -o, else as bars in the terminal."
    )
    parser.usage = "gpt2calc plot KIND [MODEL ...] [options]"
    kinds = "; ".join(f"{kind}, {what}" for kind, what in KINDS.items())
    parser.add_argument("kind", metavar="KIND", choices=Offered(KINDS), help=kinds)
    parser.add_argument(
        "models",
        metavar="MODEL",
        nargs="*",
        default=[],
        help="named as for gpt2calc count; several for shares, totals, weights-biases and layernorm; for values, a "
        "checkpoint as for gpt2calc verify",
    )
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write a picture to this file, whose name ends with .png, .svg or .pdf"
    )
    parser.add_argument("--grouped", action="store_true", help="draw shares as a bar each, and not as parts of one")
    parser.add_argument(
        "--scale",
        metavar="NAME",
        choices=Offered(named("plots.curves", "SCALES")),
        help="of growth, linear or log; log where the sizes span more than 16 times the first",
    )
    parser.add_argument(
        "--theme",
        metavar="NAME",
        choices=Offered(named("plots.style", "THEMES")),
        default="light",
        help="colours of the picture, light or dark",
    )
    parser.add_argument("--width", metavar="INCHES", type=real, default=8.0, help="width of the picture, 8 by default")
    parser.add_argument(
        "--height", metavar="INCHES", type=real, help="height of the picture; what it needs when left out"
    )
    parser.add_argument("--dpi", metavar="N", type=real, default=200.0, help="dots per inch of a PNG, 200 by default")
    add_asked(parser)
    group = parser.add_argument_group("what serving holds")
    group.add_argument(
        "--context", metavar="N", help="tokens of a sequence for kv, a range such as 0:131072 for memory"
    )
    group.add_argument("--kv-dtype", metavar="NAME", help="of the cache: fp32, bf16, fp16, fp8, int8 ...")
    group.add_argument("--memory", metavar="BYTES", help="a line across memory, such as 24GB or 24GiB")
    group.add_argument("--hardware", metavar="NAME", help="the memory of a machine instead, such as h100-sxm")
    group.add_argument("--devices", metavar="N", type=number(), help="how many of them; 1")
    add_hub(parser)
    add_fields(parser, _size_or_range)
    add_output(parser, "a line for each number that is drawn", PICTURES)


def _size_or_range(parser: argparse.ArgumentParser, option: str | None, value: str) -> object:
    """Return a size, or the sizes from the first to the last, both of them, of 6:96 or 6:96:2."""
    if ":" not in value:
        return whole(parser, option, value)
    try:
        found = ranges.read_one(str(option), value)
    except ConfigError as error:
        parser.error(str(error))
    if ranges.length(found) < 2 or found.step < 0:
        parser.error(f"{option} takes a range from the smaller to the larger size, such as 6:96, got {shown(value)}")
    return found


def run(arguments: argparse.Namespace) -> int:
    """Draw, and write or print."""
    form = _picture(arguments)
    refuse_input(arguments.output, *arguments.models)
    chart, code = _chart(arguments)
    if form:
        _write(arguments, chart, form)
    elif arguments.format == "human" and not arguments.quiet:
        from gpt2calc.plots import terminal

        say(chart.notes)
        sys.stdout.write(terminal.write(chart, width=columns(), colour=takes_colour(), ascii_only=not takes_unicode()))
    else:
        tables = [chart.table()]
        emit(arguments, result=chart.to_dict, human=[], tables=tables, quiet=chart.lines(), notes=chart.notes)
    return code


def _picture(arguments: argparse.Namespace) -> str | None:
    """Return the format of the picture that is asked for, None for what is printed; say what is wrong before counting.

    Raises:
        UnknownNameError: there is no such theme.
        ConfigError: the options contradict each other, or the picture would be too large.
    """
    from gpt2calc.plots import saving, style

    style.find(arguments.theme)
    if not 10 <= arguments.dpi <= 1200:
        raise ConfigError(f"--dpi takes 10 to 1200, got {arguments.dpi:g}")
    if arguments.output is None:
        if arguments.format in PICTURES and sys.stdout.isatty():
            raise ConfigError(f"{arguments.format} is nothing for a terminal: give -o FILE, or send it on")
        return arguments.format if arguments.format in PICTURES else None
    if arguments.format in FORMATS and arguments.format != "human":
        raise ConfigError(f"-o writes a picture, and --format {arguments.format} is printed: give one of them")
    return saving.format_of(arguments.output) if arguments.format == "human" else str(arguments.format)


def _chart(arguments: argparse.Namespace) -> tuple[Chart, int]:
    """Return the chart, and the exit code: 1 for the values of a checkpoint that is not what its config says."""
    kind, words = arguments.kind, arguments.models
    asked = _asked(arguments)
    models = [model_of(word) for word in words or [None]]
    fields = arguments.fields
    if kind == "growth":
        return _growth(arguments, models[0]), 0
    if any(isinstance(value, range) for value in fields.values()):
        raise ConfigError(f"a range of sizes goes with growth, not with {kind}")
    if kind == "values":
        return _values(arguments)
    if kind == "architecture":
        return _architecture(arguments, models[0]), 0
    if kind in COSTS or _is_served(arguments):
        return (_served if _is_served(arguments) else _costs)(arguments, models, asked), 0
    from gpt2calc.api.counting import count
    from gpt2calc.counts import ParameterCount

    how: dict[str, Any] = {"hub": arguments.hub, "revision": arguments.revision, **fields}
    counts = tuple(ParameterCount(each.counted, each.name, each.notes) for each in (count(m, **how) for m in models))
    return _counted(arguments, counts), 0


def _counted(arguments: argparse.Namespace, counts: tuple[ParameterCount, ...]) -> Chart:
    """Return a chart of nothing but counts."""
    kind = arguments.kind
    make: Any = named(*COUNTED[kind])()
    how = {"grouped": arguments.grouped} if kind == "shares" else {}
    chart: Chart = make(counts[0]) if kind in OF_ONE else make(counts, **how)
    return chart


def _growth(arguments: argparse.Namespace, model: Any) -> Chart:
    from gpt2calc.plots import curves
    from gpt2calc.sources import resolve

    source = resolve(model, {}, hub=arguments.hub, revision=arguments.revision)
    return curves.of_growth(source, arguments.fields, arguments.scale)


def _architecture(arguments: argparse.Namespace, model: Any) -> Chart:
    from gpt2calc.plots import flows
    from gpt2calc.sources import resolve

    return flows.of_source(resolve(model, arguments.fields, hub=arguments.hub, revision=arguments.revision))


def _asked(arguments: argparse.Namespace) -> dict[str, Any]:
    """Return the options that say what a cost is of.

    Raises:
        UnknownNameError: there is no such kind of plot.
        ConfigError: an option, or so many models, do not go with it.
    """
    kind, words = arguments.kind, arguments.models
    if kind not in KINDS:
        raise UnknownNameError("kind of plot", kind, tuple(KINDS))
    if arguments.grouped and kind != "shares":
        raise ConfigError(f"--grouped goes with shares, not with {kind}")
    if arguments.scale is not None and kind != "growth":
        raise ConfigError(f"--scale goes with growth, not with {kind}")
    if words.count("-") > 1:
        raise ConfigError("standard input, -, can be given once")
    is_served = _is_served(arguments)
    if (
        kind in ("growth", "architecture", *OF_ONE, "values", "kv", *COSTS)
        and len(words) > 1
        and (kind != "memory" or not is_served)
    ):
        raise ConfigError(f"{kind} draws one model, got {len(words)}")
    asked = {name: value for name in ASKED if (value := getattr(arguments, name)) is not None}
    named = [name for name in ("context", "kv_dtype", "memory", "hardware", "devices") if getattr(arguments, name)]
    if named and not is_served:
        raise ConfigError(
            f"--{named[0].replace('_', '-')} goes with kv, and with memory and --context, not with {kind}"
        )
    if is_served:
        if other := next((name for name in asked if name not in SERVED), None):
            raise ConfigError(
                f"--{other.replace('_', '-')} is of training: what serving holds takes --batch and --dtype"
            )
        return asked
    if kind not in COSTS and (asked or arguments.activation_function is not None):
        option = next(iter(asked), "activation_function").replace("_", "-")
        raise ConfigError(f"--{option} goes with {' and '.join(COSTS)}, not with {kind}")
    return asked


def _is_served(arguments: argparse.Namespace) -> bool:
    """Whether the picture is of what serving holds."""
    return arguments.kind == "kv" or (arguments.kind == "memory" and arguments.context is not None)


def _served(arguments: argparse.Namespace, models: list[Any], asked: dict[str, Any]) -> Chart:
    from gpt2calc.api.serving import serving
    from gpt2calc.costs import fitting
    from gpt2calc.plots import serving as pictures

    how: dict[str, Any] = {"hub": arguments.hub, "revision": arguments.revision, **arguments.fields}
    how |= {**asked, "kv_dtype": arguments.kv_dtype}
    said = arguments.context
    sizes = ranges.read_one("--context", "1" if said is None else said)
    if arguments.kind == "kv":
        if arguments.memory is not None or arguments.hardware is not None or arguments.devices is not None:
            raise ConfigError("--memory, --hardware and --devices go with memory, not with kv")
        if len(sizes) != 1 or sizes[0] < 0:
            raise ConfigError(f"--context takes one number of tokens with kv, 0 or more, got {shown(said)}")
        return pictures.of_kv(serving(models[0], **how, seq=None if said is None else sizes[0]))
    limit = None
    if arguments.memory is not None or arguments.hardware is not None:
        size, of, _ = fitting.room(arguments.memory, arguments.hardware, arguments.devices)
        limit = size, arguments.memory or of
    return pictures.of_context(tuple(serving(model, **how) for model in models), sizes[0], sizes[-1], limit)


def _costs(arguments: argparse.Namespace, models: list[Any], asked: dict[str, Any]) -> Chart:
    from gpt2calc.api.costing import cost
    from gpt2calc.plots import bars
    from gpt2calc.sources import resolve

    how: dict[str, Any] = {"hub": arguments.hub, "revision": arguments.revision}
    source = resolve(models[0], arguments.fields, **how)
    if arguments.kind == "memory":
        if isinstance(source.counted, Model):
            problem = "what training holds is known of GPT-2s alone; --context 0:32768 draws what serving holds"
            raise ConfigError(problem, field="context")
        return bars.of_memory(cost(models[0], **how, **{**asked, "train": True}, **fields_of(arguments)))
    if isinstance(source.counted, Model):
        from gpt2calc.api.serving import serving

        refuse_other(source, asked)
        return bars.of_flops(serving(source, **asked))
    return bars.of_flops(cost(models[0], **how, **asked, **fields_of(arguments)))


def _values(arguments: argparse.Namespace) -> tuple[Chart, int]:
    from gpt2calc.api.checking import verify
    from gpt2calc.plots import histograms

    if not arguments.models:
        raise ConfigError("values draws a checkpoint, and none is given")
    result = verify(
        arguments.models[0], values=True, hub=arguments.hub, revision=arguments.revision, **arguments.fields
    )
    return histograms.of_values(result), 0 if result.matches else 1


def _write(arguments: argparse.Namespace, chart: Chart, form: str) -> None:
    """Write the picture to its file, whose name is printed, or to standard output."""
    from gpt2calc import plots
    from gpt2calc.plots import saving

    figure = plots.draw(chart, arguments.theme, arguments.width, arguments.height)
    across, down = (float(size) * arguments.dpi for size in figure.get_size_inches())
    if form == "png" and across * down > MOST_DOTS:
        raise ConfigError(f"a PNG has {MOST_DOTS:,} dots at most, got {across:,.0f} by {down:,.0f}")
    content = saving.rendered(figure, form, arguments.dpi)
    if arguments.output is None:
        sys.stdout.flush()
        sys.stdout.buffer.write(content)
        return
    saving.write(content, arguments.output)
    if not arguments.quiet:
        say(chart.notes)
        print(printable(arguments.output))
