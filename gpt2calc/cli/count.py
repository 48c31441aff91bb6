"""`gpt2calc count`: one model, by component, and counted every way."""

from __future__ import annotations

from gpt2calc.cli.options import (
    Offered,
    add_common,
    add_stored,
    columns,
    emit,
    model_of,
    number,
    takes_colour,
    takes_unicode,
)
from gpt2calc.errors import ConfigError
from gpt2calc.table import Said

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from typing import Any

    from gpt2calc.counts import ParameterCount
    from gpt2calc.table import Table

SCREEN_LINES, OTHER_LINES, LEAST_COMPONENTS, MOST_ROW_LINES = 23, 8, 4, 3
"""The lines of a terminal without that of the prompt, how many of them hold neither a component nor a group, how many
components are shown in any case, and how many lines one takes at the most."""

EXAMPLES = """examples:
  gpt2calc count gpt2
  gpt2calc count gpt2 --all
  gpt2calc count gpt2-xl --json | jq .total
  gpt2calc count --n-layer 24 --n-embd 1024 --vocab 50304
  gpt2calc count path/to/config.json --per-block
  gpt2calc count gpt2 --conventions --format markdown
  gpt2calc count -q gpt2 --untied
  gpt2calc count DeepSeek-V3 --stored
  gpt2calc count gpt2 --lora-r 8 --lora-targets c_attn
  gpt2calc count gpt2-medium --tp 2 --pp 2
  gpt2calc count - < config.json"""


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = "Count the parameters of one model, exactly, by component and in every convention."
    parser.usage = "gpt2calc count [MODEL] [options]"
    parser.add_argument(
        "model",
        metavar="MODEL",
        nargs="?",
        help="a model that ships (see gpt2calc models), a config.json, a folder that holds one, a repository of the "
        "Hugging Face hub, or - for standard input; gpt2's sizes when left out",
    )
    parser.add_argument(
        "--all", action="store_true", help="show all: weights and biases apart, every convention, bytes in every dtype"
    )
    parser.add_argument("--per-block", action="store_true", help="count one block alone, of each kind")
    parser.add_argument("--conventions", action="store_true", help="show every convention with its source")
    add_stored(parser, "count what its files hold, as a page of the hub shows it")
    add_adapters(parser)
    add_parts(parser)
    add_common(parser, "the total alone")


def add_adapters(parser: argparse.ArgumentParser) -> None:
    """Add the options that ask for what an adapter trains, in the place of what the model holds."""
    group = parser.add_argument_group("an adapter beside the model, as PEFT counts it")
    group.add_argument("--lora-r", metavar="N", type=number(), help="LoRA of this rank: what it trains, of all")
    group.add_argument(
        "--lora-targets",
        metavar="NAMES",
        help="the modules that it adapts, such as c_attn,c_proj or q_proj, or all-linear; PEFT's own unless given",
    )
    group.add_argument(
        "--lora-bias",
        metavar="WHICH",
        choices=Offered(("none", "all", "lora_only")),
        help="the biases that are trained: none (default), all, or lora_only, those of the targets",
    )
    group.add_argument("--modules-to-save", metavar="NAMES", help="modules that are trained as they are, in a copy")
    group.add_argument("--dora", action="store_true", help="a magnitude for each target, as DoRA has it")
    group.add_argument(
        "--prompt-tokens", metavar="N", type=number(), help="prompt tuning with this many virtual tokens"
    )


def add_parts(parser: argparse.ArgumentParser) -> None:
    """Add the options that ask for a part of the model."""
    group = parser.add_argument_group("a part of the model")
    group.add_argument("--blocks", metavar="N", type=number(), help="the first N blocks alone")
    group.add_argument(
        "--tp", metavar="N", type=number(), help="each of N ranks of tensor parallelism, as Megatron splits"
    )
    group.add_argument("--pp", metavar="N", type=number(), help="each of N stages of a pipeline, as Megatron splits")


def run(arguments: argparse.Namespace) -> int:
    """Count, and print."""
    lora = {"targets": arguments.lora_targets, "lora_bias": arguments.lora_bias, "dora": arguments.dora or None}
    lora = {**lora, "modules_to_save": arguments.modules_to_save}
    lora = {word: value for word, value in lora.items() if value is not None}
    if lora or arguments.lora_r is not None or arguments.prompt_tokens is not None:
        return _adapter(arguments, lora)
    if any(each is not None for each in (arguments.blocks, arguments.tp, arguments.pp)):
        return _parts(arguments)
    from gpt2calc.api.counting import count

    if arguments.stored:
        return _stored(arguments)
    result = count(model_of(arguments.model), hub=arguments.hub, revision=arguments.revision, **arguments.fields)
    is_whole = not (arguments.per_block or arguments.conventions or arguments.all)
    if not arguments.quiet and (arguments.format == "json" or (arguments.format == "human" and is_whole)):
        screen = _screen(result) if arguments.format == "human" else ""  # and no table is laid out in vain
        return emit(arguments, result=result.to_dict, human=screen, tables=(), quiet=(), notes=result.notes)
    quiet = [kind.each for kind in result.layers] if arguments.per_block else [result.total]
    tables = result.block_tables() if arguments.per_block else [result.table()]
    human: list[Table | Said] = [*tables]
    if arguments.format == "csv":
        tables = [result.flat_table(per_block=arguments.per_block)]
    if arguments.conventions:
        tables = [result.conventions_table()]
        human = [result.conventions_in_short(sources=True), result.bytes_table()]
    elif arguments.per_block or arguments.all:
        if result.model.architecture.model_type != "gpt2":  # whose letters are well known
            human.append(result.letters_table())
        if arguments.all:
            human += [result.layers_table()] if len(result.layers) > 1 and not arguments.per_block else []
            human += [result.conventions_in_short(), result.bytes_table()]
            human = (
                human if arguments.per_block else [Said(result.headline), result.table()._replace(title=""), *human[1:]]
            )
    return emit(arguments, result=result.to_dict, human=human, tables=tables, quiet=quiet, notes=result.notes)


def _screen(result: ParameterCount) -> str:
    """Write the count in short, with as many components as a terminal of 24 lines has room for."""
    from gpt2calc.reports import text

    width, colour, ascii_only = columns(), takes_colour(), not takes_unicode()
    notes = sum(len(text.wrapped(f"note: {note}", width)) for note in result.notes)
    groups = sum(bool(group.total) for group in result.groups.values())
    most = max(LEAST_COMPONENTS, SCREEN_LINES - OTHER_LINES - notes - groups)
    while True:
        written = text.write(result.in_short(most), width=width, colour=colour, ascii_only=ascii_only)
        over = written.count("\n") + notes - SCREEN_LINES
        if over <= 0 or most <= LEAST_COMPONENTS:
            return written
        fewer = min(most, len(result.components)) - max(1, over // MOST_ROW_LINES)
        most = max(LEAST_COMPONENTS, fewer)


def _stored(arguments: argparse.Namespace) -> int:
    """Count what the files of a model hold, by part, and print."""
    from gpt2calc.cli.tensors import files_of
    from gpt2calc.sources import resolve

    _refuse_beside(arguments, "what files hold", "per_block", "conventions")
    source = resolve(model_of(arguments.model), arguments.fields, hub=arguments.hub, revision=arguments.revision)
    found = files_of(source)
    return emit(
        arguments,
        result=lambda: found.to_dict(source.name, source.notes, whole=False),
        human=[found.summary(source.name)],
        tables=[found.summary("")],
        quiet=[found.total.elements],
        notes=(*source.notes, *found.notes),
    )


def _adapter(arguments: argparse.Namespace, lora: dict[str, Any]) -> int:
    """Count what an adapter trains, and print."""
    from gpt2calc.api.counting import adapter

    _refuse_beside(arguments, "what an adapter trains", "per_block", "conventions", "blocks", "tp", "pp", "stored")
    if arguments.lora_r is None and arguments.prompt_tokens is None:
        raise ConfigError("--lora-r says the rank of LoRA, and is not given")
    size = {"r": arguments.lora_r, "prompt_tokens": arguments.prompt_tokens, **lora}
    found = adapter(
        model_of(arguments.model), **size, hub=arguments.hub, revision=arguments.revision, **arguments.fields
    )
    tables = [found.table()]
    return emit(arguments, result=found.to_dict, human=tables, tables=tables, quiet=[found.line], notes=found.notes)


def _parts(arguments: argparse.Namespace) -> int:
    """Count a part, and print; with -q what one of each part holds."""
    from gpt2calc.api.counting import parts

    _refuse_beside(arguments, "a part", "per_block", "conventions", "stored")
    size = {word: getattr(arguments, word) for word in ("blocks", "tp", "pp")}
    found = parts(model_of(arguments.model), **size, hub=arguments.hub, revision=arguments.revision, **arguments.fields)
    tables = [found.table()] if arguments.format == "csv" else found.tables()
    quiet = [part.parameters for part in found.parts]
    return emit(arguments, result=found.to_dict, human=tables, tables=tables, quiet=quiet, notes=found.notes)


def _refuse_beside(arguments: argparse.Namespace, what: str, *words: str) -> None:
    """Raise where something else is asked for in the same breath."""
    beside = next((word for word in words if getattr(arguments, word) not in (None, False)), None)
    if beside:
        raise ConfigError(f"--{beside.replace('_', '-')} is asked for beside {what}: ask for one of them")
