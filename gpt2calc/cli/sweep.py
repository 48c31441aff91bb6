"""`gpt2calc sweep`: many models at once, a grid or a file of them, as columns."""

from __future__ import annotations

import os
import sys
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

from gpt2calc import numbers
from gpt2calc.cli.options import (
    Offered,
    add_fields,
    add_model_type,
    add_output,
    columns,
    emit,
    model_of,
    progress_bar,
    say,
)
from gpt2calc.errors import ConfigError
from gpt2calc.output import OutputFile, refuse_input
from gpt2calc.signals import unfinished

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterable, Iterator

    from gpt2calc.sweeps.runs import Run

EXAMPLES = """examples:
  gpt2calc sweep --n-layer 12:96:12 --n-embd 768,1024,1280
  gpt2calc sweep gpt2-xl --vocab 50257,50304 --untied
  gpt2calc sweep --layers 6:48 --d-model 512:2048:64 --where "total<400e6 and mlp_share>0.5" --top 10
  gpt2calc sweep --n-layer 1:100 --n-embd 64:6400:64 --where "340e6<total<360e6" --sort n_layer:desc
  gpt2calc sweep --n-layer 12,24 --tied true,false --columns n_layer,tied,total,fp16_bytes --format csv
  gpt2calc sweep --file configs.csv --sort total --json
  gpt2calc sweep Qwen3-0.6B --num-hidden-layers 12,24 --hidden-size 512:2048:512

values: 12, 768,1024,1280, 12:96:12 (start:stop:step, stop is one of them where a step hits it), or a mix; true,false;
a list that may be one number, as 50,257, is written with blanks: "50, 257\""""

FILES = ("jsonl", "parquet", "arrow")
ENDINGS = {
    ".csv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
}


def configure(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.description = (
        "Count many models at once: every combination of the values that fields take, or a file of them."
    )
    parser.usage = "gpt2calc sweep [MODEL] [--FIELD VALUES ...] [options]"
    parser.add_argument(
        "model",
        metavar="MODEL",
        nargs="?",
        help="what is not swept is this model's, named as for gpt2calc count; gpt2's",
    )
    parser.add_argument(
        "--file", metavar="FILE", help="count the configs of a file, one a row: CSV, JSONL, Parquet or Arrow"
    )
    parser.add_argument(
        "--where", metavar="CONDITION", help="keep the rows for which this holds: total < 400e6 and n_layer > 12"
    )
    parser.add_argument(
        "--columns",
        metavar="NAMES",
        choices=Offered(lambda: ("all", *_names())),
        help="print these columns, with commas between them, or all",
    )
    parser.add_argument(
        "--sort",
        metavar="COLUMN",
        choices=Offered(_names),
        help="sort by a column; COLUMN:desc for the largest first",
    )
    parser.add_argument("--top", metavar="K", help="keep the first K rows, by total:desc unless sorted otherwise")
    parser.add_argument("--rows", metavar="N", default="20", help="show at most N rows of a table; 20 unless given")
    parser.add_argument("--jobs", metavar="N", default="1", help="share the work between N processes")
    parser.add_argument(
        "-o", "--output", metavar="FILE", help="write a file, complete or not at all: .csv, .jsonl, .parquet or .arrow"
    )
    add_fields(parser, lambda _, __, value: value)
    for action in parser._actions:  # noqa: SLF001  # argparse has no public way to look at its own options
        if action.dest == "fields" and action.nargs == 0:
            action.nargs, action.metavar, action.choices = "?", "true,false", Offered(("true", "false"))
    add_model_type(parser)
    parser.set_defaults(several=True)  # of a field, also of one of another architecture
    add_output(parser, "the totals alone, a line each", FILES)


def _names() -> Iterable[str]:
    from gpt2calc.sweeps.columns import COLUMNS

    return COLUMNS


def run(arguments: argparse.Namespace) -> int:
    """Count them all, and print or write them."""
    from gpt2calc.sweeps.sweeper import missing, ready
    from gpt2calc.sweeps.workers import workers

    form = _format(arguments)
    refuse_input(arguments.output, arguments.file, arguments.model)
    run = ready(
        model_of(arguments.model),
        _fields(arguments.fields),
        where=arguments.where,
        columns=_columns(arguments, form),
        sort=arguments.sort,
        top=arguments.top and numbers.read("--top", arguments.top),
        file=arguments.file,
    )
    answer = _write if arguments.output else _print
    with (
        unfinished(),
        workers(numbers.read("--jobs", arguments.jobs)) as executor,
        _bar(run, quiet=arguments.quiet) as progress,
    ):
        try:
            return answer(arguments, run, form, executor, progress)
        except ImportError as error:  # files are written by pyarrow
            raise missing(error) from None


def _format(arguments: argparse.Namespace) -> str:
    """Return the format: what is asked for, or how the file's name ends."""
    form: str = arguments.format
    if not arguments.output:
        if form in ("parquet", "arrow") and sys.stdout.isatty():
            raise ConfigError(f"{form} is not for a terminal: give -o FILE")
        return form
    ending = os.path.splitext(arguments.output)[1].lower()
    found = ENDINGS.get(ending) if form == "human" else form
    if found not in ENDINGS.values():
        raise ConfigError(f"expected a file that ends in one of {', '.join(ENDINGS)}, got {arguments.output}")
    return str(found)


def _columns(arguments: argparse.Namespace, form: str) -> str | None:
    """Return the columns: those that are named, those that fit a screen, or all in a file."""
    named: str | None = arguments.columns
    if named is None and arguments.quiet and not arguments.output:
        return "total"
    return "all" if named is None and form in ENDINGS.values() else named


def _fields(typed: dict[str, Any]) -> dict[str, Any]:
    """Read the values of switches and of words, as they were typed; `gpt2calc.sweep` reads those of sizes."""
    from gpt2calc.fields import CANONICAL, SWITCHES, WORDS
    from gpt2calc.sweeps.axes import read_truths, read_words

    found: dict[str, Any] = {}
    for option, value in typed.items():
        name = option.removeprefix("no_").replace("untied", "tied")
        if CANONICAL.get(name) in SWITCHES:
            found[name] = option == name if value is None else read_truths(option, value)
        else:
            found[name] = read_words(value) if CANONICAL.get(name) in WORDS else value
        if isinstance(found[name], tuple) and len(found[name]) == 1:
            found[name] = found[name][0]
    return found


@contextmanager
def _bar(run: Run, *, quiet: bool) -> Iterator[Callable[[int], None] | None]:
    """Give what draws a progress bar on standard error, where that is a terminal and tqdm is installed."""
    bar = None if quiet else progress_bar(total=run.length, unit=" models", unit_scale=True, delay=0.5)
    with nullcontext() if bar is None else bar:
        yield None if bar is None else bar.update


def _print(
    arguments: argparse.Namespace,
    run: Run,
    form: str,
    executor: Any,
    progress: Callable[[int], None] | None,
) -> int:
    """Print the first rows as a table, or every row for a program."""
    if form in ENDINGS.values() and not arguments.quiet:
        from gpt2calc.sweeps import writers

        writers.write(sys.stdout.buffer, form, run.chunks(executor, progress))
        say(run.remarks)
        return 0
    most = numbers.read("--rows", arguments.rows)
    whole = arguments.quiet or form == "json"
    result = run.all(executor, progress) if whole else run.result(*run.head(most, executor, progress))
    tables = result.tables(most)
    human = tables if arguments.columns else result.tables(most, columns())
    notes = list(result.notes)
    if not whole and result.rows < result.count:
        notes.append(f"{result.rows:,} of {result.count:,} rows are shown; --rows shows more, -o FILE writes all")
    return emit(arguments, result=result.to_dict, human=human, tables=tables, quiet=_totals(result), notes=notes)


def _totals(result: Any) -> Iterator[int]:
    yield from result["total"].tolist() if "total" in result else ()


def _write(
    arguments: argparse.Namespace,
    run: Run,
    form: str,
    executor: Any,
    progress: Callable[[int], None] | None,
) -> int:
    """Write a file, complete or not at all."""
    from gpt2calc.sweeps import writers

    target = OutputFile(arguments.output)
    with target as file:
        count = writers.write(file, form, run.chunks(executor, progress))
    if not arguments.quiet:
        say(run.remarks)
        rows = "1 row" if count == 1 else f"{count:,} rows"
        print(f"note: wrote {rows} of {len(run.columns)} columns to {target.shown}", file=sys.stderr)
    return 0
