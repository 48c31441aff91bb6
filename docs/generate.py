"""Draw what the docs say from the tables of gpt2calc: every block between two markers in README.md and docs/*.md.

`python docs/generate.py` writes the blocks anew. `--check` writes nothing, prints what drifted, and exits with 1 if
anything did. What is drawn depends on neither the terminal nor the version of Python: help is drawn from the options
themselves, since argparse words it differently from one version to the next.
"""

from __future__ import annotations

import argparse
import ast
import difflib
import inspect
import io
import json
import os
import re
import shlex
import shutil
import sys
import tomllib
from contextlib import chdir, redirect_stdout
from functools import cache, partial
from importlib.util import find_spec
from itertools import takewhile
from math import prod
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

import gpt2calc
from gpt2calc import (
    architectures,
    cli,
    conventions,
    examples,
    formulas,
    general_conventions,
    presets,
    spellings,
    stored,
)
from gpt2calc.algebra import Expression
from gpt2calc.architectures import reading
from gpt2calc.checkpoints import folders, formats
from gpt2calc.checkpoints.files import MemoryFile
from gpt2calc.cli import options
from gpt2calc.costs import cache_types, general_ways, holding, machines, products
from gpt2calc.costs import ways as cost_ways
from gpt2calc.costs.run import Run
from gpt2calc.derivation import ONLY_WHEN
from gpt2calc.dialects import DIALECTS, respellings
from gpt2calc.dims import EVERYTHING, LETTERS, TASK_HEADS
from gpt2calc.errors import UnreadableInputError
from gpt2calc.explanation import lattice, printed, readings
from gpt2calc.fields import CLASSES, FIELDS, REFUSED
from gpt2calc.figures import CUT_OFF, FALSE, ROUNDED, TRUE, VERDICTS, in_words
from gpt2calc.model import WEIGHT
from gpt2calc.reports import markdown
from gpt2calc.sources import resolve
from gpt2calc.sweeps import columns
from gpt2calc.table import rounded
from gpt2calc.verification import findings
from gpt2calc.verification.packing import PACKINGS
from gpt2calc.webpage import document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence

    from gpt2calc.dims import Dims

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"<!-- generated: (?P<name>.+?) -->\n(?P<body>.*?)<!-- end generated -->", re.DOTALL)
SIZES = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")

FIGURES = ("tied", "stored_with_masks", "untied")
"""The conventions behind the figures that are most often given for gpt2."""

REPOSITORIES = ("github.com", "huggingface.co")
"""Sites whose addresses begin with an owner and a repository."""

UNITS = {"M": 10**6, "B": 10**9}

ROOMS = ("checkpoints", "claims", "costs", "designs", "explanation", "plots", "sweeps", "verification", "webpage")
"""Rooms whose files stand on floors of their own."""

COUNTED = ("adapter", "parts")
"""Documents that `count` prints beside its own."""

UNVERSIONED = ("infer", "example", "card", "page")
"""Commands that print no JSON of ours: a config.json, Markdown, HTML, and what was written."""


# Running the command line


class Ran(NamedTuple):
    """What a line that a reader may type came to: the exit code, and what a terminal shows."""

    code: int
    shown: str


def run(words: Sequence[str], stdin: str = "") -> Ran:
    """Run the command line in this process, as if into a file: 100 columns, no colour, Unicode."""
    screen = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n", write_through=True)
    given = io.TextIOWrapper(io.BytesIO(stdin.encode()), encoding="utf-8")
    with (
        mock.patch.dict(os.environ, {"COLUMNS": "100", "NO_COLOR": "1"}),
        mock.patch.multiple(sys, stdin=given, stdout=screen, stderr=screen),
    ):
        try:
            code = cli.main(words)
        except SystemExit as end:  # argparse ends this way
            code = int(end.code or 0)
    return Ran(code, screen.buffer.getvalue().decode())


def shell(line: str) -> Ran:
    """Run a line of the docs that calls gpt2calc: `gpt2calc ...`, after `echo ... |`, with `< file`, before `| ...`.

    Of what follows, `| head -12` is done, so that a page can show the beginning of an answer.

    Raises:
        ValueError: the line calls something else.
    """
    words, stdin = shlex.split(line), ""
    if words[0] == "echo" and words[2] == "|":
        stdin, words = words[1] + "\n", words[3:]
    most = -int(words[-1]) if words[-3:-1] == ["|", "head"] else None
    words = list(takewhile(lambda word: word not in ("|", ">"), words))
    if "<" in words:
        place = words.index("<")
        stdin = Path(words[place + 1]).read_text(encoding="utf-8")
        del words[place : place + 2]
    if words[0] != "gpt2calc":
        raise ValueError(f"not a line that calls gpt2calc: {line}")
    ran = run(words[1:], stdin)
    return ran._replace(shown="".join(ran.shown.splitlines(keepends=True)[:most]))


def session(lines: str) -> str:
    """Return lines, with `&&` between them, and what each prints, as a block for a console.

    `path/to/gpt2` is what the hub has of gpt2.
    """
    with TemporaryDirectory() as folder, chdir(folder):
        write_released(Path("path/to/gpt2"), "gpt2")
        shown = [f"$ {line}\n{shell(line).shown.rstrip()}" for line in lines.split(" && ")]
        return "\n".join(["```console", *shown, "```"])


def write_released(folder: Path, name: str) -> None:
    """Write what the hub has of a released size: config.json, and a file with float32 masks whose values are a hole."""
    dims = gpt2calc.count(name).dims
    shapes = {tensor.name.removeprefix("transformer."): tensor.shape for tensor in gpt2calc.tensors(name)}
    shapes |= {f"h.{block}.attn.bias": (1, 1, dims.n_positions, dims.n_positions) for block in range(dims.n_layer)}
    header, end = {}, 0
    for tensor, shape in sorted(shapes.items()):
        begin, end = end, end + 4 * prod(shape)
        header[tensor] = {"dtype": "F32", "shape": shape, "data_offsets": (begin, end)}
    content = json.dumps(header).encode()
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / "model.safetensors").open("wb") as file:
        file.write(len(content).to_bytes(8, "little") + content)
        file.truncate(8 + len(content) + end)
    sizes = {
        "n_layer": dims.n_layer,
        "n_embd": dims.n_embd,
        "n_head": dims.n_embd // 64,
        "n_positions": dims.n_positions,
    }
    config = {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2", **sizes, "vocab_size": dims.vocab_size}
    (folder / "config.json").write_text(json.dumps(config, indent=2), encoding="utf-8")


# Writing Markdown


def table(headers: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[int] = ()) -> str:
    """Return a table; `right` names the columns of numbers. A cell is Markdown, so that only `|` is escaped."""
    rules = ["---:" if place in right else "---" for place in range(len(headers))]
    lines = [headers, rules, *([cell.replace("|", "\\|") for cell in row] for row in rows)]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)


def code(*words: str) -> str:
    """Return words as code, with commas between them."""
    return ", ".join(f"`{word}`" for word in words)


def linked(source: str) -> str:
    """Return a source as a link, called after its repository or site, where it is one; as it is where it is not."""
    if not source.startswith("https://"):
        return source
    host, owner, repository = source.split("/")[2:5]
    return f"[{f'{owner}/{repository}' if host in REPOSITORIES else host}]({source})"


# The conventions and the models


def figure(value: int) -> str:
    """Return a count as people say it, in millions: 124M."""
    return rounded(value, 10**6, 0) + "M"


def figures() -> str:
    """Draw figures that are said to be the size of one model, each with the way of counting that gives it."""
    dims = gpt2calc.count("gpt2").dims
    of_gpt2 = [(counted(lattice.GPT1, dims), lattice.GPT1.sentence, "`gpt1_vocabulary`, a hypothesis")]
    for name in FIGURES:
        row = conventions.find(name)
        of_gpt2.append((row.value(dims), row.sentence, f"`{name}`"))
    rows = [(figure(value), "gpt2", f"{value:,}", sentence, name) for value, sentence, name in sorted(of_gpt2)]
    source = resolve("DeepSeek-V3", {})
    model = gpt2calc.count("DeepSeek-V3").model
    files = stored.of(model, source.of_files).total.elements
    for value, sentence, name in (
        (model.total(), "every parameter of the model that transformers builds", "`untied`"),
        (
            files,
            "elements of its files: scales, and a layer that predicts a further token, are stored beside it",
            "`--stored`",
        ),
    ):
        rows.append((rounded(int(value), 10**9, 0) + "B", "DeepSeek-V3", f"{value:,}", sentence, name))
    return table(("figure", "of", "exactly", "what is counted", "by name"), rows, right=(0, 2))


def counted(step: lattice.Step, dims: Dims) -> int:
    """Return what one step away from the plain count comes to."""
    return step.value(dims) if step.value else formulas.total(step.change(dims)) if step.change else 0


def ways() -> str:
    """Draw every way of counting, common and rare, for the released sizes, from the smallest number of gpt2 up."""
    steps = [lattice.Step(row.name, 0, row.sentence, row.source, value=row.value) for row in conventions.CONVENTIONS]
    more = (*lattice.PARTS, *(step for axis in lattice.axes(()) for step in axis))
    sizes = [gpt2calc.count(name).dims for name in SIZES]
    idle = ("body", "without_cross_attention")  # steps that change nothing of a GPT-2
    seldom = {f"head={head}, num_labels={n}" for head in TASK_HEADS for n in range(lattice.MOST_LABELS + 1)}
    seldom -= {f"head={head}, num_labels={lattice.USUAL_LABELS}" for head in TASK_HEADS}
    left_out = {*conventions.NAMES, *idle, *seldom}
    steps += [step for step in more if step.name not in left_out and not step.one_byte]
    rows = {step.name: (step, [counted(step, dims) for dims in sizes]) for step in steps}
    ordered = sorted(rows.values(), key=lambda row: row[1][0])
    written = (
        (shown(step.name, values[0]), f"`{step.name}`", *(f"{value:,}" for value in values), step.sentence)
        for step, values in ordered
        if values[0]
    )
    return table(("gpt2", "convention", *SIZES, "what is counted"), written, right=(0, 2, 3, 4, 5))


def shown(name: str, value: int) -> str:
    """Return a count as people say it: 548 MB where it is of bytes, 124M in millions, 102K in thousands."""
    if name.endswith("_bytes"):
        return rounded(value, 10**6, 0) + " MB"
    return figure(value) if value >= 10**6 else rounded(value, 1000, 0) + "K"


def convention_sentences() -> str:
    """Draw every convention with its unit, sentence and source."""
    rows = ((f"`{row.name}`", row.unit, row.sentence, row.source) for row in conventions.CONVENTIONS)
    return table(("convention", "unit", "what is counted", "source"), rows)


def convention_numbers() -> str:
    """Draw the four released sizes under every convention."""
    counts = [gpt2calc.count(name).conventions for name in SIZES]
    rows = ((f"`{name}`", *(f"{count[name]:,}" for count in counts)) for name in conventions.NAMES)
    return table(("convention", *SIZES), rows, right=range(1, 5))


def agrees(published: str | None, total: int) -> str:
    """Say whether a published figure is the exact total, rounded to the digits that are printed."""
    if published is None:
        return "-"
    number, unit = published[:-1], published[-1]
    exact = rounded(total, UNITS[unit], len(number.partition(".")[2])).replace(",", "")
    return "yes" if exact == number else "no"


def models() -> str:
    """Draw every model that ships."""
    rows = []
    for preset in gpt2calc.models():
        total = gpt2calc.count(preset.dims).total
        note = preset.summary + (f". {preset.note}" if preset.note else "")
        published = preset.published or "-"
        rows.append((f"`{preset.name}`", f"{total:,}", published, agrees(preset.published, total), note))
    return table(("model", "parameters", "published", "equal", "what it is"), rows, right=(1, 2))


def model_names() -> str:
    """Draw the other names and the source of every model that ships."""
    rows = ((f"`{preset.name}`", code(*preset.aliases), linked(preset.source)) for preset in gpt2calc.models())
    return table(("model", "also called", "source of the sizes"), rows)


# The config


def fields() -> str:
    """Draw every field of a config, with its default and its spellings."""
    rows = []
    for row in FIELDS.values():
        default = row.law or json.dumps(row.default)
        takes = row.expected + ("" if row.null == REFUSED else ", or null")
        rows.append((f"`{row.name}`", row.said, takes, code(default), code(*row.spellings)))
    return table(("field", "what it is", "what it takes", "default", "other spellings"), rows)


def no_count() -> str:
    """Draw the fields that are taken and change no count, by who wrote them."""
    rows = [(source, code(*sorted(names))) for source, names in spellings.OF_TRANSFORMERS.items()]
    return table(
        ("from", "fields"), [*rows, ("nanoGPT, Raschka, torchrl and others", code(*sorted(spellings.OF_OTHERS)))]
    )


def foreign() -> str:
    """Draw the words by which a key shows that it is of another architecture."""
    return code(*sorted(spellings.FOREIGN)) + "."


def classes() -> str:
    """Draw the heads with the class of transformers that has each."""
    rows = ((f"`{head}`", f"`{name}`") for name, head in CLASSES.items())
    return table(("head", "class of transformers"), rows)


def projects() -> str:
    """Draw the keys by which the configs of other projects are told, with the field that each is."""
    rows = [
        (row.name, ", ".join(f"`{key}` is `{field}`" for key, field in row.keys.items()), row.source)
        for row in spellings.PROJECTS
    ]
    return table(("project", "keys", "source"), rows)


# Verdicts

OF_FIGURES = {
    readings.EXPLAINED: ("137M *is* 137,022,720", "at most 1 in 40 figures like it would be met by accident"),
    lattice.HYPOTHESIS: ("117M *would be* 116,929,536", "the same, but one step is a guess at what somebody did"),
    readings.PERHAPS: ("150M *may be* 157,535,232, or a coincidence", "more would be met, or a plainer number fits"),
    lattice.WRONG: ("124393728 *is what a formula gives that is not exact*", "the formula does not count the model"),
}
OF_FITS = {
    printed.EXACT: "the number is the figure",
    printed.ROUNDED: "to the nearest of as many digits, a half either way",
    printed.CUT_OFF: "the digits behind are left away; `cut off` to programs",
    printed.ROUNDED_UP: "to the next of as many digits",
    printed.WITH_HEADER: "a file's size: the tensors, and 1 to 320 bytes for each of them",
}
OF_CLAIMS = {
    TRUE: "the figure is the exact number, or the bound holds",
    ROUNDED: "the exact number, rounded to as many digits, is the figure",
    CUT_OFF: "the exact number, truncated to as many digits, is the figure; `true as cut off` to programs",
    FALSE: "neither: the exact number stands beside it",
}
OF_TENSORS = {
    findings.MISSING: "the model has a tensor that the file does not hold",
    findings.UNEXPECTED: "the file holds a tensor that the model does not have",
    findings.SHAPE: "a tensor is there, and its shape is another",
    findings.DTYPE: "a tensor holds no numbers that a parameter can be",
    findings.SHARED: "two tensors lie in the same memory, and are no head and its embedding",
}


def of_figures() -> str:
    """Draw what `explain` says of a figure, with when, and the exit code."""
    if OF_FIGURES.keys() != set(readings.VERDICTS):
        raise ValueError(f"verdicts are {readings.VERDICTS}")
    rows = [(f"`{word}`", *said, str(int(word == readings.PERHAPS))) for word, said in OF_FIGURES.items()]
    rows += [
        ("", "345M *is wrong for* gpt2-xl: it is what gpt2-medium is called", "no reading, but another's name", "1"),
        ("", "124439809 *fits none*", "no number that was looked at is printed so", "1"),
    ]
    return table(("in JSON", "what is said", "when", "exit code"), rows)


def of_fits() -> str:
    """Draw how digits come from a number."""
    if OF_FITS.keys() != printed.FITS.keys():
        raise ValueError(f"fits are {tuple(printed.FITS)}")
    rows = ((in_words(fit), said) for fit, said in OF_FITS.items())
    return table(("fits", "how the exact number comes to the printed digits"), rows)


def of_claims() -> str:
    """Draw what `claims` says of a claim."""
    if tuple(OF_CLAIMS) != VERDICTS:
        raise ValueError(f"verdicts are {VERDICTS}")
    return table(("verdict", "when"), ((in_words(verdict), said) for verdict, said in OF_CLAIMS.items()))


def of_tensors() -> str:
    """Draw what can be wrong with a tensor."""
    return table(("kind", "what is wrong"), ((f"`{kind}`", said) for kind, said in OF_TENSORS.items()))


# Checkpoints


def dialects() -> str:
    """Draw every naming dialect, with the name that it has for c_attn in the first block."""
    rows: dict[str, tuple[str, str, list[str], str]] = {}
    for dialect in DIALECTS:
        pieces = [piece for piece in dialect.pieces if (piece.component, piece.role) == ("attn.c_attn", WEIGHT)]
        names = [dialect.prefix + piece.template.replace("{}", "0") for piece in pieces]
        own = rows.setdefault(dialect.name, (f"`{dialect.name}`", dialect.summary, [], dialect.source))
        own[2].extend([code(*names)] if code(*names) not in own[2] else [])
    drawn = ((name, summary, " or ".join(names), source) for name, summary, names, source in rows.values())
    return table(("dialect", "whose names", "c_attn's weights in the first block", "read in"), drawn)


def respelt() -> str:
    """Draw the names of old releases, and what stands beside any model."""
    rows = [(f"`{old}`", f"read as `{new}`") for old, new in respellings.RENAMED.items()]
    rows += [(f"`{word}.` within a name", "left out") for word in respellings.WORDS]
    rows += [(f"`{shown}`", f"told as {what}") for what, shown in respellings.EXAMPLES.items()]
    return table(("name", "what is made of it"), rows)


FOLDERS: tuple[tuple[str, ...], ...] = (
    ("config.json",),
    ("model-00001-of-00002.safetensors", "model-00002-of-00002.safetensors"),
    ("__0_0.distcp",),
    ("model.safetensors.incomplete",),
    ("medium_ft.pkl",),
    ("a.gguf", "b.gguf"),
    ("checkpoint-500/pytorch_model.bin",),
    ("global_step10/mp_rank_00_model_states.pt", "global_step20/mp_rank_00_model_states.pt"),
    ("mp_rank_00_model_states.pt", "mp_rank_01_model_states.pt"),
    ("zero_pp_rank_0_mp_rank_00_model_states.pt", "zero_pp_rank_1_mp_rank_00_model_states.pt"),
    ("iter_0000100/mp_rank_00/model_optim_rng.pt", "iter_0000100/mp_rank_01/model_optim_rng.pt"),
)
"""What a folder can hold in the place of a checkpoint that is read."""


def refusals() -> str:
    """Draw what people have and what is said of it, by reading files that begin so, or are called so."""
    files = [("model.bin", start, f"a file that begins with `{start!r}`") for start in formats.UNSUPPORTED]
    files += [(f"model{end}", b"?", f"`model{end}`") for end in formats.UNSUPPORTED_NAMES]
    files += [(name, b"?", f"`{name}`") for name in ("__0_0.distcp", "zero_pp_rank_0_mp_rank_00_optim_states.pt")]
    rows = []
    for name, start, what in files:
        rows.append((what, said(partial(formats.read, MemoryFile(name, start + bytes(32))))))
    for names in FOLDERS:
        top = dict.fromkeys(name.partition("/")[0] for name in names)
        inside = [name for name in names if "/" in name]
        choose = partial(folders.choose, "folder", tuple(top), partial(tuple, inside))
        rows.append((f"a folder with {code(*names)}", said(choose)))
    return table(("what is there", "what is said of it"), rows)


def said(read: Callable[[], object]) -> str:
    """Return what is said of a file that must be refused."""
    try:
        read()
    except UnreadableInputError as error:
        return error.problem.removeprefix(f"expected {formats.SUPPORTED}, got ")
    raise AssertionError("it is read")


def faults() -> str:
    """Draw the faults that an example can have, with what `verify` answers to each."""
    rows = []
    with TemporaryDirectory() as folder, chdir(folder):
        for name, fault in examples.FAULTS.items():
            gpt2calc.write_example("new", fault=name)
            answer = run(["verify", "-q", "new"]).shown.strip().removeprefix("gpt2calc verify: ")
            rows.append((f"`{name}`", fault.sentence, answer))
            shutil.rmtree("new")
    return table(("fault", "what is wrong then", "what `gpt2calc verify` says"), rows)


def masks() -> str:
    """Draw what the released files hold, in elements."""
    rows = []
    for name in SIZES:
        dims = gpt2calc.count(name).dims
        total, stored = gpt2calc.count(name).total, conventions.find("stored_with_masks").value(dims)
        rows.append((f"`{name}`", f"{total:,}", f"{stored - total:,}", f"{stored:,}"))
    return table(("model", "parameters", "elements of masks", "what the hub shows"), rows, right=(1, 2, 3))


# The formulas


def letters() -> str:
    """Draw the letters of the formulas."""
    rows = ((f"`{letter}`", f"`{field}`", FIELDS[field].help) for field, letter in LETTERS.items())
    return table(("letter", "field", "what it is"), rows)


def components() -> str:
    """Draw the closed form of every component that a GPT-2 can have."""
    simplified = {part["name"]: part["simplified"] for part in gpt2calc.formula().to_dict()["components"]}
    rows = []
    for row in formulas.table(EVERYTHING):
        times, weights, biases = (f"`{Expression.of(cell)}`" for cell in row[2:5])
        when = ONLY_WHEN.get(row.component, "always")
        rows.append((f"`{row.component}`", row.group, times, weights, biases, f"`{simplified[row.component]}`", when))
    headers = ("component", "group", "times", "weights of each", "biases of each", "in all", "present when")
    return table(headers, rows)


def formula_sources() -> str:
    """Draw where each formula is read."""
    rows = formulas.table(gpt2calc.count("gpt2").dims)
    by_source: dict[str, list[str]] = {}
    for row in rows:
        by_source.setdefault(row.source, []).append(row.component)
    return table(("source", "components"), ((source, code(*names)) for source, names in by_source.items()))


# The command line


def exit_codes() -> str:
    """Draw the exit codes."""
    lines = (line.split(maxsplit=1) for line in cli.EXIT_CODES.splitlines()[1:])
    return table(("exit code", "meaning"), lines)


def parser_of(name: str) -> argparse.ArgumentParser:
    """Return the parser of one command."""
    parser = options.Parser(prog=f"gpt2calc {name}")
    cli.configured(parser, name)
    return parser


def grouped(parser: argparse.ArgumentParser) -> dict[str, list[argparse.Action]]:
    """Return a parser's arguments by the title that they stand under; argparse offers no public way to ask."""
    groups = parser._action_groups  # noqa: SLF001  # see above
    return {str(group.title): group._group_actions for group in groups if group._group_actions}  # noqa: SLF001  # see above


def argument(action: argparse.Action) -> str:
    """Return an option with what it takes."""
    listed = () if isinstance(action.choices, options.Offered) else action.choices  # the help names what is offered
    shown = "{" + ",".join(map(str, listed)) + "}" if listed else str(action.metavar or "")
    return f"{action.option_strings[0]} {shown}".rstrip()


def option_table(actions: Iterable[argparse.Action]) -> str:
    """Draw arguments, each with what it does, the other options that do the same, and those that do the opposite."""
    rows = []
    for action in actions:
        opposite = [option for option in action.option_strings if option.startswith(("--no-", "--un"))]
        same = [option for option in action.option_strings[1:] if option not in opposite]
        said = re.sub(r" \(also .*|; --\S+ for not$", "", action.help or "")
        rows.append((f"`{argument(action)}`", said, code(*same), code(*opposite)))
    used = 4 if any(row[3] for row in rows) else 3 if any(row[2] for row in rows) else 2
    headers = ("option", "what it does", "other spellings", "the opposite")
    return table(headers[:used], (row[:used] for row in rows))


def commands() -> str:
    """Draw every command: how it is called, what it takes, and examples."""
    return "\n\n".join(map(command, cli.COMMANDS))


def command(name: str) -> str:
    """Draw one command; the options that several share stand in tables of their own."""
    parser = parser_of(name)
    groups = grouped(parser)
    positionals = groups.get("positional arguments", [])
    own = [action for action in groups["options"] if action.dest != "help"]
    own += [action for title in OWN for action in groups.get(title, ())]
    parts = [f"### {name}", str(parser.description), f"Usage: `{parser.usage}`"]
    quiet = [action for action in groups["output"] if action.dest == "quiet"]
    parts += [f"- `{action.metavar}`: {action.help}." for action in positionals]
    parts += [f"- {code(argument(action), *action.option_strings[1:])}: {action.help}." for action in (*own, *quiet)]
    shared = [f"[{title}](#{title.replace(' ', '-')})" for title in SHARED if heading(title, groups)]
    parts.append(f"It takes the {' and the '.join(shared)}.")
    examples, *rest = str(parser.epilog).split("\n\n")
    lines = [f"$ {line.strip()}" for line in examples.splitlines()[1:]]
    parts.append("\n".join(["```console", *lines, "```"]))
    parts += [text[0].upper() + text[1:] + "." for text in rest]
    return "\n\n".join(parts).replace(".\n\n- `", ".\n- `")


OWN = (
    "an adapter beside the model, as PEFT counts it",
    "a part of the model",
    "where a figure is a cost of MODEL, FLOPs or bytes",
    "what passes",
    "training",
    "the KV cache",
    "how the cache is stored",
    "the memory",
    "what it holds",
    "counting",
    "several devices, which are refused",
)
"""Groups of options that one command has, or two."""

SHARED = {"fields of a config": "fields of the config", "output options": "output"}
"""How the docs call the groups of options that several commands share, and how the help's titles begin."""


def heading(title: str, groups: Mapping[str, list[argparse.Action]]) -> list[argparse.Action]:
    """Return the arguments of a shared group, none where a command does not have it."""
    return next((actions for name, actions in groups.items() if name.startswith(SHARED[title])), [])


def command_list() -> str:
    """Draw the commands, a line each."""
    rows = ((f"[`gpt2calc {name}`](#{name})", summary) for name, summary in cli.COMMANDS.items())
    return table(("command", "what it does"), rows)


def shared_options(title: str) -> str:
    """Draw a group of options that several commands share; what -q leaves of an answer, each says for itself."""
    return option_table(action for action in heading(title, grouped(parser_of("count"))) if action.dest != "quiet")


def bare_options() -> str:
    """Draw the options of the bare command."""
    parser = cli.build_parser()
    return option_table(action for action in grouped(parser)["options"] if action.dest != "help")


# Architectures


def architecture_types() -> str:
    """Draw every model type that is counted, the classes, and what transformers' default sizes come to."""
    rows = []
    for model_type in architectures.FILES:
        known = architectures.of(model_type)
        try:
            total = f"{gpt2calc.count({'model_type': model_type}).total:,}"
        except gpt2calc.ConfigError as error:
            total = f"none: {error.field} is needed"
        rows.append((f"`{model_type}`", code(*known.classes), total))
    return table(("model type", "classes of transformers that are counted", "parameters by default"), rows)


def architecture_models() -> str:
    """Draw the models of other architectures that ship."""
    rows = []
    for preset in presets.others():
        total = f"{gpt2calc.count(preset.name).total:,}"
        rows.append((f"`{preset.name}`", f"`{preset.model_type}`", total, preset.published or "-", preset.source))
    return table(("model", "model type", "parameters", "published", "source"), rows)


def cost_conventions() -> str:
    """Draw every way in which the FLOPs of a training step are counted, with what it is of the exact number."""
    xl, large = (gpt2calc.cost(name, seq=1024).conventions for name in ("gpt2", "gpt2-xl"))
    rows = []
    for way in cost_ways.WAYS:
        shares = (rounded(found[way.name], found["exact"], 4) for found in (xl, large))
        kind = "HFU" if way.is_hardware else "MFU"
        rows.append((f"`{way.name}`", kind, way.sentence, *shares, way.source))
    headers = ("convention", "of", "FLOPs of a training step", "gpt2 / exact", "gpt2-xl / exact", "source")
    return table(headers, rows, right=(3, 4))


def cache_conventions() -> str:
    """Return every way of counting what is kept of tokens."""
    rows = ["| convention | what is counted | source |", "| --- | --- | --- |"]
    rows += [f"| `{way.name}` | {way.sentence} | {way.source} |" for way in holding.WAYS]
    return "\n".join(rows)


def flops_conventions() -> str:
    """Draw every way of counting the FLOPs of training another architecture, with what it is of the exact number."""
    names = ("Qwen3-0.6B", "Mixtral-8x7B")
    found = [gpt2calc.serving(name, seq=4096).flops_conventions for name in names]
    rows = []
    for way in general_ways.WAYS:
        shares = (rounded(each[way.name], each["exact"], 4) if way.name in each else "-" for each in found)
        rows.append((f"`{way.name}`", way.sentence, *shares, way.source))
    headers = ("convention", "FLOPs of a training step", *(f"{name} / exact" for name in names), "source")
    return table(headers, rows, right=(2, 3))


def scanning_types() -> str:
    """Name the model types of which a config that says no more than it must has layers that scan."""
    found = []
    for model_type in sorted(architectures.FILES.keys() - {architectures.GPT2}):
        document = {"model_type": model_type}
        try:
            products.table(reading.read(document).model, document, Run(1, 1, 0, 1))
        except gpt2calc.ConfigError as error:
            found += [f"`{model_type}`"] if "a scan is no product" in str(error) else []
    return ", ".join(found) + "."


def machine_memories() -> str:
    """Return every machine whose memory is known."""
    rows = ["| `--hardware` | memory | source |", "| --- | --- | --- |"]
    known = (each for each in machines.MACHINES if each.memory)
    rows += [
        f"| `{each.name}` | {each.memory // 10**9} GB, {each.memory:,} bytes | {machines.MEMORY} |" for each in known
    ]
    return "\n".join(rows)


def cost_machines() -> str:
    """Draw the machines whose peak is known by name."""
    rows = (
        (
            *(f"`{each.name}`", f"{each.flops:,}", f"{each.sparse:,}" if each.sparse else ""),
            "; ".join(filter(None, (each.source, each.sparse_source and f"with sparsity: {each.sparse_source}"))),
        )
        for each in machines.MACHINES
    )
    return table(("machine", "dense bf16 FLOP/s", "with sparsity", "source"), rows, right=(1, 2))


def cache_dtypes() -> str:
    """Draw everything that a cache can be stored in."""
    rows = (
        (
            f"`{each.name}`",
            f"{each.size} / {each.block}" if each.block > 1 else f"{each.size}",
            each.sentence,
            each.source,
        )
        for each in cache_types.TYPES
    )
    return table(("`--kv-dtype`", "bytes an element", "what it is", "source"), rows, right=(1,))


def architecture_conventions() -> str:
    """Draw every way in which any model is counted."""
    rows = ((f"`{row.name}`", row.sentence, row.source) for row in general_conventions.OF_MODELS)
    return table(("convention", "what is counted", "source"), rows)


MANY = 10
"""Model types of which only how many is said."""


def architecture_sizes() -> str:
    """Draw every size that has a letter, with the model types that have it."""
    users: dict[tuple[str, str, str], list[str]] = {}
    for model_type in architectures.FILES:
        for row in architectures.of(model_type).sizes:
            if row.letter and model_type != "gpt2":
                users.setdefault((row.letter, row.name, row.help), []).append(model_type)
    listed = {
        key: ", ".join(types) if len(types) < MANY else f"{len(types)} model types" for key, types in users.items()
    }
    rows = ((letter, f"`{name}`", said, listed[letter, name, said]) for letter, name, said in users)
    return table(("letter", "size", "what it is", "in"), rows)


# Sweeps


def blindness() -> str:
    """Draw the faults that were planted, with what we say of each and what transformers' loading report does."""
    lines = (ROOT / "tests" / "data" / "blindness.jsonl").read_text(encoding="utf-8").splitlines()
    found = [json.loads(line) for line in lines]
    silent = sum(not row["theirs"] for row in found)
    rows = [(row["family"], row["what"], row["ours"], row["theirs"] or "silent") for row in found]
    said = f"Of {len(found)} faults transformers is silent about {silent}, and `gpt2calc verify` names each."
    return f"{table(('family', 'fault', 'gpt2calc verify', 'transformers'), rows)}\n\n{said}"


def sweep_columns() -> str:
    """Draw every column that a sweep can have; the fields are drawn elsewhere."""
    kinds = {columns.COUNT: "int64", columns.SHARE: "float64"}
    found = (column for column in columns.COLUMNS.values() if column.kind in kinds)
    rows = ((f"`{column.name}`", kinds[column.kind], column.sentence) for column in found)
    return table(("column", "holds", "what it is"), rows)


# Quantised files


def packings() -> str:
    """Draw how each tool packs a matrix, and what lies beside it."""
    rows = []
    for each in PACKINGS:
        beside = ", ".join(f"`{end}` {what}" for end, what in each.beside.items())
        laws = (each.unpack.__doc__ or "").strip().removeprefix("Law: ").partition("\n")[0]
        rows.append((each.scheme, f"`{each.packed}` {', '.join(sorted(each.dtypes))}", beside, laws.rstrip(".")))
    return table(("tool", "packed", "beside it", "shapes"), rows)


# The JSON


def schema(name: str) -> str:
    """Draw a JSON Schema file as a table of its keys."""
    (path,) = (ROOT / "docs" / "schema").glob(f"{name}-*.json")
    document = json.loads(path.read_text(encoding="utf-8"))
    rows = list(keys(document, document, ""))
    required = f"{document['description']} The schema is [schema/{path.name}](schema/{path.name})."
    return f"{required}\n\n{table(('key', 'type', 'meaning'), rows)}"


def keys(part: Mapping[str, Any], document: Mapping[str, Any], prefix: str) -> Iterable[tuple[str, str, str]]:
    """Yield a row for each key of an object; keys that all hold the same share one row."""
    properties: dict[str, Any] = part.get("properties", {})
    alike = len(properties) > 1 and len({json.dumps(value) for value in properties.values()}) == 1
    if alike:
        properties = {"NAME": next(iter(properties.values())) | {"names": list(properties)}}
    for key, value in properties.items():
        held = resolved(value, document)
        said = held.get("description", "")
        if "names" in value:
            said = ": ".join(filter(None, ("one key for each of " + code(*value["names"]), said)))
        yield f"`{prefix}{key}`", kind(held), said
        for other in held.get("oneOf", ()):
            yield f"`{prefix}{key}`", kind(other), other["description"]
            yield from keys(other, document, f"{prefix}{key}.")
        inner = resolved(held["items"], document) if "items" in held else held
        yield from keys(inner, document, f"{prefix}{key}{'[]' if 'items' in held else ''}.")

    others = part.get("additionalProperties", False)
    if others:
        yield f"`{prefix}NAME`", kind(others), others["description"]


def resolved(part: Mapping[str, Any], document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Follow a reference inside the document; one to another document is drawn under that one."""
    reference = str(part.get("$ref", ""))
    if not reference.startswith("#/$defs/"):
        return part
    found: Mapping[str, Any] = document["$defs"][reference.removeprefix("#/$defs/")]
    return found


def kind(part: Mapping[str, Any]) -> str:
    """Name the type of a value."""
    if "const" in part:
        return f"`{json.dumps(part['const'])}`"
    if "enum" in part:
        return "one of " + code(*part["enum"])
    if "$ref" in part or "items" in part:
        return "array of " + {"string": "strings", "integer": "integers"}.get(part["items"].get("type"), "objects")
    types = part.get("type", "object")
    return types if isinstance(types, str) else " or ".join(types)


# The house


def layers(room: str = "gpt2calc") -> list[list[str]]:
    """Return the floors of a room as the contract in pyproject.toml holds them, the lowest first."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        contracts = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    found: list[str] = next(each["layers"] for each in contracts if each.get("containers") == [room])
    return [layer.split(" | ") for layer in reversed(found)]


def floors() -> str:
    """Draw the floors as a picture, the highest first."""
    lines = [f"{floor}   {'   '.join(names)}" for floor, names in enumerate(layers())]
    return "\n".join(["```text", *reversed(lines), "```"])


def modules() -> str:
    """Draw every module with the first sentence of its docstring, from the lowest floor to the highest."""
    rows = ((str(floor), f"`{name}`", docstring(name)) for floor, names in enumerate(layers()) for name in names)
    return table(("floor", "module", "what it is"), rows)


def room(name: str) -> str:
    """Draw the modules of a room with floors of its own, from the lowest to the highest."""
    floors = enumerate(layers(f"gpt2calc.{name}"))
    rows = ((str(floor), f"`{each}`", docstring(f"{name}.{each}")) for floor, names in floors for each in names)
    return table(("floor", "module", "what it is"), rows)


@cache
def docstring(module: str) -> str:
    """Return the first line of a module's docstring, without importing what it imports."""
    spec = find_spec(f"gpt2calc.{module}")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(module)
    text = ast.get_docstring(ast.parse(Path(spec.origin).read_text(encoding="utf-8")))
    return (text or "").partition("\n")[0]


# The notebook

NOTEBOOK = ROOT / "docs" / "exercises.ipynb"


@cache
def notebook() -> dict[str, Any]:
    """Return the notebook with its cells run, in this process and in order; two pages show it, and it is run once.

    Raises:
        SyntaxError, AssertionError, and whatever else a cell raises.
    """
    document: dict[str, Any] = json.loads(NOTEBOOK.read_text(encoding="utf-8"))
    names: dict[str, Any] = {}
    cells = [cell for cell in document["cells"] if cell["cell_type"] == "code"]
    for number, cell in enumerate(cells, 1):
        cell |= {"execution_count": number, "outputs": list(_outputs("".join(cell["source"]), names, number))}
    return document


def _outputs(source: str, names: dict[str, Any], number: int) -> Iterable[dict[str, Any]]:
    """Run a cell as a notebook does: yield what it prints, and what its last expression comes to."""
    body = ast.parse(source).body
    last = body.pop() if isinstance(body[-1], ast.Expr) else None
    value = None
    with redirect_stdout(io.StringIO()) as printed:
        exec(compile(ast.Module(body, []), NOTEBOOK.name, "exec", dont_inherit=True), names)  # noqa: S102  # our own text
        if isinstance(last, ast.Expr):
            value = eval(compile(ast.Expression(last.value), NOTEBOOK.name, "eval", dont_inherit=True), names)  # noqa: S307  # our own text
    if printed.getvalue():
        lines = printed.getvalue().splitlines(keepends=True)
        yield {"name": "stdout", "output_type": "stream", "text": lines}
    if value is not None:
        data = {"text/plain": [repr(value)]}
        if hasattr(value, "_repr_html_"):
            data["text/html"] = value._repr_html_().splitlines(keepends=True)
            data["text/markdown"] = markdown.write(value.tables()).splitlines(keepends=True)
        yield {"data": data, "execution_count": number, "metadata": {}, "output_type": "execute_result"}


def notebook_page() -> str:
    """Draw the notebook as a page: its text, its cells, and what they came to."""
    parts = []
    for cell in notebook()["cells"]:
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source.partition("\n\n")[2] if source.startswith("# ") else source)  # the page has the title
            continue
        parts.append(f"```python\n{source}\n```")
        for output in cell["outputs"]:
            data = output.get("data", {})
            text = "".join(output.get("text") or data.get("text/markdown") or data["text/plain"]).rstrip("\n")
            parts.append(text if "text/markdown" in data else f"```text\n{text}\n```")
    return "\n\n".join(parts)


# The API

SECTIONS = ("Args", "Returns", "Raises")
ENTRY = re.compile(r"(?P<names>\*{0,2}\w+(?:, \w+)*): (?P<said>.*)", re.DOTALL)


def api() -> str:
    """Draw every public name from its docstring: calls first, then what they return, then errors."""
    found = {name: getattr(gpt2calc, name) for name in gpt2calc.__all__}
    kinds = {
        "Calls": [name for name, each in found.items() if inspect.isfunction(each)],
        "Results, and what goes in": [name for name, each in found.items() if inspect.isclass(each)],
        "Errors": [name for name, each in found.items() if inspect.isclass(each) and issubclass(each, Exception)],
    }
    kinds["Results, and what goes in"] = [
        name for name in kinds["Results, and what goes in"] if name not in kinds["Errors"]
    ]
    parts = []
    for title, names in kinds.items():
        parts += [f"## {title}", *(_documented(name, found[name]) for name in names)]
    return "\n\n".join(parts)


def _documented(name: str, each: Any) -> str:
    """Draw one name: how it is called, what its docstring says, and of a class what it has."""
    parts = [f"### {name}"]
    if inspect.isfunction(each):
        parts.append(f"`gpt2calc.{name}({_parameters(each)})`")
    parts += _paragraphs(inspect.cleandoc(each.__doc__ or ""))
    if inspect.isclass(each) and not issubclass(each, Exception):
        everything = {own: thing for kind in each.__mro__ for own, thing in vars(kind).items() if _is_ours(kind)}
        has = {own: thing for own, thing in sorted(everything.items()) if own[0] != "_" and inspect.getdoc(thing)}
        rows = [
            (f"`{own}{'' if isinstance(thing, property) else '()'}`", str(inspect.getdoc(thing)).partition("\n")[0])
            for own, thing in has.items()
            if isinstance(thing, property | classmethod) or inspect.isfunction(thing)
        ]
        parts += [table(("it has", "which is"), rows)] if rows else []
    return "\n\n".join(parts)


def _is_ours(kind: type) -> bool:
    """Whether a class that another rests on is the package's, and what it has is so documented."""
    return kind.__module__.startswith("gpt2calc.")


def _parameters(call: Callable[..., object]) -> str:
    """Return the parameters of a call, without types, which an editor shows; what may be left out has `...`."""
    words: list[str] = []
    stars: dict[object, str] = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    before = None
    for each in inspect.signature(call).parameters.values():
        if before == inspect.Parameter.POSITIONAL_ONLY != each.kind:
            words.append("/")
        if each.kind == inspect.Parameter.KEYWORD_ONLY != before and before != inspect.Parameter.VAR_POSITIONAL:
            words.append("*")
        plain = isinstance(each.default, str | int | tuple | None)
        default = "" if each.default is inspect.Parameter.empty else f"={each.default!r}" if plain else "=..."
        words.append(stars.get(each.kind, "") + each.name + default)
        before = each.kind
    return ", ".join([*words, *(["/"] if before == inspect.Parameter.POSITIONAL_ONLY else [])])


def _paragraphs(text: str) -> Iterable[str]:
    """Turn a docstring into Markdown: arguments and errors as lists, examples as code."""
    for part in re.split(r"\n\s*\n", text):
        title, _, rest = part.partition(":\n")
        if part.lstrip().startswith(">>>"):
            yield f"```python\n{part}\n\n```"
        elif title in SECTIONS:
            rest = inspect.cleandoc(rest)
            entries = [" ".join(each.split()) for each in re.split(r"\n(?=\S)", rest)]
            found = [ENTRY.fullmatch(each) for each in entries]
            if title == "Returns" or not all(found):
                yield f"**{title}**: {' '.join(rest.split())}"
            else:
                listed = (f"- {code(*each['names'].split(', '))}: {each['said']}" for each in found if each)
                yield "\n".join([f"**{title}**", "", *listed])
        else:
            yield " ".join(part.split())


# The site

SITE = ROOT / "zensical.toml"
WAY_BACK = "way back"
"""The block on top of each page, of which each has its own."""


def groups() -> dict[str, list[tuple[str, str]]]:
    """Return what docs/index.md lists under each question: titles and files. It is the one home of the order."""
    found = {}
    for part in re.split(r"^## ", (ROOT / "docs" / "index.md").read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]:
        question, _, rest = part.partition("\n")
        found[question] = re.findall(r"^\| \[([^\]]+)\]\(([\w./-]+)\) \|", rest, re.MULTILINE)
    return found


def way_back(page: str) -> str:
    """Return the line that leads from a page to the index, and to the question that it answers."""
    question = next((question for question, listed in groups().items() if page in [name for _, name in listed]), None)
    if question is None:
        raise ValueError(f"docs/index.md lists no {page}")
    index, anchor = "../" * page.count("/") + "index.md", question.lower().replace(" ", "-")
    return f"[gpt2calc]({index}) › [{question}]({index}#{anchor})"


def site() -> str:
    """Return the site's config, with the pages in the order of docs/index.md."""
    rows = ['  { "Start" = "index.md" },']
    for question, listed in groups().items():
        pages = ", ".join(f"{{ {json.dumps(title)} = {json.dumps(name)} }}" for title, name in listed)
        rows.append(f"  {{ {json.dumps(question)} = [{pages}] }},")
    drawn = "\n".join(["nav = [", *rows, "]\n"])
    text, found = re.subn(
        r"^nav = \[\n(.*?\n)?\]\n", lambda _: drawn, SITE.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    if found != 1:
        raise ValueError(f"{SITE.name} has {found} places for nav")
    return text


# The pages

BLOCKS: dict[str, Callable[[], str]] = {
    "api": api,
    "architectures": architecture_types,
    "bare options": bare_options,
    "blindness": blindness,
    "classes": classes,
    "command list": command_list,
    "commands": commands,
    "cost conventions": cost_conventions,
    "cost machines": cost_machines,
    "conventions of caches": cache_conventions,
    "dtypes of caches": cache_dtypes,
    "conventions of FLOPs": flops_conventions,
    "model types that scan": scanning_types,
    "machines with a memory": machine_memories,
    "components": components,
    "convention numbers": convention_numbers,
    "convention sentences": convention_sentences,
    "dialects": dialects,
    "refusals": refusals,
    "respelt": respelt,
    "exit codes": exit_codes,
    "faults": faults,
    "fields": fields,
    "figures": figures,
    "general conventions": architecture_conventions,
    "floors": floors,
    "formula sources": formula_sources,
    "letters": letters,
    "masks": masks,
    "model names": model_names,
    "models": models,
    "notebook": notebook_page,
    "modules": modules,
    "no count": no_count,
    "projects": projects,
    "other models": architecture_models,
    "packings": packings,
    "foreign": foreign,
    "sizes": architecture_sizes,
    "sweep columns": sweep_columns,
    "verdicts of claims": of_claims,
    "verdicts of figures": of_figures,
    "verdicts of fits": of_fits,
    "verdicts of tensors": of_tensors,
    "ways": ways,
    **{f"options: {title}": partial(shared_options, title) for title in SHARED},
    **{f"room: {name}": partial(room, name) for name in ROOMS},
    **{f"schema: {name}": partial(schema, name) for name in (*cli.COMMANDS, *COUNTED) if name not in UNVERSIONED},
    "schema: stored": partial(schema, "stored"),
}
"""What can stand between two markers, by the name in the first of them; `$ ...` is a line for a console."""


INDEX = ROOT / "gpt2calc" / "preset_index.py"
MOST_ROW_WIDTH = 80
"""Of the names of a preset; longer ones stand a line each."""


def pages() -> list[Path]:
    """Return the pages that may hold generated blocks, and all else that is generated."""
    return [
        INDEX,
        SITE,
        ROOT / "README.md",
        *sorted((ROOT / "docs").rglob("*.md")),
        NOTEBOOK,
        ROOT / "docs" / "gpt2calc.html",
    ]


def preset_index() -> str:
    """Return the module that says which file a preset's name is of."""
    rows = "".join(f"    {json.dumps(name)}: {_row(words)},\n" for name, words in presets.files().items())
    before, _, rest = INDEX.read_text(encoding="utf-8").partition("INDEX: ")
    return f"{before}INDEX: dict[str, tuple[str, ...]] = {{\n{rows}}}\n" + rest[rest.index('"""') :]


def _row(words: Sequence[str]) -> str:
    """Return a tuple as ruff formats it."""
    texts = [json.dumps(word) for word in words]
    line = f"({', '.join(texts)}{',' * (len(texts) == 1)})"
    lines = "".join(f"        {text},\n" for text in texts)
    return line if len(line) < MOST_ROW_WIDTH else f"(\n{lines}    )"


def drawn(text: str, page: str = "") -> str:
    """Return a page with every block drawn anew; `page` is where it stands in docs/.

    Raises:
        ValueError: a marker has no end, or nothing is known by its name.
    """
    opened, closed = text.count("<!-- generated: "), text.count("<!-- end generated -->")
    if opened != closed or opened != len(BLOCK.findall(text)):
        raise ValueError(f"{opened} blocks begin and {closed} end")

    def block(match: re.Match[str]) -> str:
        name = match["name"]
        if not name.startswith("$ ") and name not in (*BLOCKS, WAY_BACK):
            raise ValueError(f"nothing is generated by the name {name!r}; known are {', '.join(BLOCKS)}")
        body = session(name[2:]) if name.startswith("$ ") else way_back(page) if name == WAY_BACK else BLOCKS[name]()
        return f"<!-- generated: {name} -->\n\n{body}\n\n<!-- end generated -->"

    return BLOCK.sub(block, text)


def anew(page: Path) -> str:
    """Return what a page should say now."""
    if page.suffix == ".html":
        return document.build(gpt2calc.__version__)
    if page == INDEX:
        return preset_index()
    if page == SITE:
        return site()
    if page.suffix == ".ipynb":
        return json.dumps(notebook(), indent=1, ensure_ascii=False) + "\n"
    in_docs = page.relative_to(ROOT / "docs").as_posix() if ROOT / "docs" in page.parents else ""
    return drawn(page.read_text(encoding="utf-8"), in_docs)


def drift(page: Path, fresh: str | None = None) -> str:
    """Return what would change in a page, as a unified diff; nothing where it is as it should be.

    Args:
        page: where it stands.
        fresh: what it should say, where that is drawn already.
    """
    fresh = anew(page) if fresh is None else fresh
    text, drawn_anew = (document.readable(each) for each in (page.read_text(encoding="utf-8"), fresh))
    name = page.relative_to(ROOT).as_posix()
    lines = difflib.unified_diff(
        text.splitlines(keepends=True), drawn_anew.splitlines(keepends=True), f"{name} (committed)", f"{name} (drawn)"
    )
    return "".join(lines)


def main(words: Sequence[str] | None = None) -> int:
    """Write every page anew, or say what would change."""
    parser = argparse.ArgumentParser(description=str(__doc__).partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; print what drifted and exit with 1")
    check = parser.parse_args(words).check
    fresh = {page: anew(page) for page in pages()}
    drifted = {page: difference for page in fresh if (difference := drift(page, fresh[page]))}
    for page, difference in drifted.items():
        if check:
            sys.stdout.write(difference)
        else:
            page.write_text(fresh[page], encoding="utf-8")
    if check and drifted:
        names = ", ".join(page.relative_to(ROOT).as_posix() for page in drifted)
        print(f"drifted: {names}; run python docs/generate.py", file=sys.stderr)
    return int(check and bool(drifted))


if __name__ == "__main__":
    raise SystemExit(main())
