"""What the commands share: how a model is named and changed with flags, and how an answer is printed."""

from __future__ import annotations

import argparse
import os
import re
import sys
from importlib import import_module

from gpt2calc import numbers
from gpt2calc.errors import UnreadableInputError, closest, printable
from gpt2calc.fields import FIELDS, SIZE, SWITCH, WORD
from gpt2calc.table import in_ascii

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from typing import Any, NoReturn

    from gpt2calc.sources import LeftOut, Model
    from gpt2calc.table import Said, Table

FORMATS = ("human", "json", "csv", "markdown", "latex")


class Parser(argparse.ArgumentParser):
    """An argument parser that says what is wrong in one sentence, and shows one spelling of an option in its help."""

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings, formatter_class=_Help, allow_abbrev=False)

    def error(self, message: str) -> NoReturn:
        """Print the sentence and exit with code 2."""
        plain = re.sub(r"^argument (-[\w-]+)[^:]*:", r"\1:", message).replace(
            "expected one argument", "a value is missing"
        )
        plain = plain.replace("ignored explicit argument", "takes no value, got")
        self.exit(2, f"{self.prog}: {printable(plain)} (see {self.prog} --help)\n")

    def options(self) -> dict[str, str]:
        """Return every option, each with the spelling that the help shows."""
        return {option: action.option_strings[0] for action in self._actions for option in action.option_strings}

    def _print_message(self, message: str, file: Any = None) -> None:
        """Print help or an error, and let what goes wrong with that be known."""
        stream = file or sys.stderr
        if message and stream:
            stream.write(message)

    def parse_args(self, args: Any = None, namespace: Any = None) -> Any:
        """Parse, and name the nearest option for one that is unknown."""
        for word in args or ():
            if word == "--":
                break
            # argparse drops it, as if it ended the options; only such a word is worth compiling a pattern
            if word[-2:] == "--" and re.fullmatch(r"--[^=]+=--|-\w=?--", word):
                self.error(f"argument {word[:-2].rstrip('=')}: expected one argument")
        words, others = self._apart(list(args or ()))
        found, unknown = self.parse_known_args(words, namespace)
        if others:
            found.fields = {**found.fields, **others}
        if unknown:
            known = self.options()
            options = [word for word in unknown if word.startswith("-")]
            if not options:
                self.error(f"did not expect {' '.join(unknown)}")
            word = options[0].partition("=")[0]
            if self.get_default("fields") is not None:
                from gpt2calc import architectures

                fields = (f"--{name.replace('_', '-')}" for name in architectures.sizes())
                known = {option: option for option in fields} | known
            if word in self.options():  # behind `--`, where no word is an option
                self.error(f"did not expect {word} after --, behind which no word is an option")
            near = closest(word, tuple(known))
            self.error(f"there is no option {word}" + (f": did you mean {known[near]}?" if near else ""))
        return found

    def _apart(self, words: list[str]) -> tuple[list[str], dict[str, Any]]:
        """Take options apart that are fields of other architectures, which are loaded where there may be one."""
        known, left = self.options(), list[str]()
        fields: dict[str, Any] = {}
        if self.get_default("fields") is None or all(
            not w.startswith("--") or w.partition("=")[0] in known for w in words
        ):
            return words, {}
        from gpt2calc import architectures
        from gpt2calc.model import FLAG, LIST

        sizes = architectures.sizes()
        rest = iter(words)
        for word in rest:
            option, equals, value = word.partition("=")
            name = option.removeprefix("--").replace("-", "_")
            row = sizes.get(name) or sizes.get(name.removeprefix("no_"))
            several = self.get_default("several") and row is not None and row.kind in (SIZE, FLAG)
            if row is not None and row.kind == FLAG and equals and not several:
                self.error(f"argument {option}: takes no value, got {value!r}")
            if word == "--" or not option.startswith("--") or option in known or row is None:
                left += [word, *rest] if word == "--" else [word]
            elif row.kind == FLAG:
                fields[row.name] = value or name == row.name
            else:
                value = value if equals else next(rest, "")
                if not value or value.startswith("--"):
                    self.error(f"argument {option}: expected one argument")
                read = _entries if row.kind == LIST else _value
                fields[name] = value if several else read(self, option, value)
        return left, fields


def _value(parser: Parser, option: str, value: str) -> object:
    """Return a number where it is one, and else a word."""
    return value if numbers.typed(value) is None and value != "none" else whole(parser, option, value)


def _entries(parser: Parser, option: str, value: str) -> object:
    """Return the entries of a list, an entry a layer or the numbers of layers; None for `none`."""
    return None if value == "none" else [_value(parser, option, each) for each in value.split(",")]


class Offered:
    """Words that completion offers for an argument, where the command itself judges what is typed, in its own words."""

    def __init__(self, words: Iterable[str] | Callable[[], Iterable[str]]) -> None:
        self.words = words  # or what gives them, so that only completion loads the room that knows them

    def __iter__(self) -> Iterator[str]:
        return iter(self.words() if callable(self.words) else self.words)

    def __contains__(self, word: object) -> bool:
        return True


def named(room: str, name: str) -> Callable[[], Any]:
    """Return what gives a table, or what else has a name in a room, which is loaded when it is asked for."""
    return lambda: getattr(import_module(f"gpt2calc.{room}"), name)


class _Help(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        super().__init__(prog, max_help_position=34, width=min(columns(), 120) - 2)

    def _format_action_invocation(self, action: argparse.Action) -> str:
        if not isinstance(action, _Field):
            return super()._format_action_invocation(action)
        return action.option_strings[0] if action.nargs == 0 else f"{action.option_strings[0]} {action.metavar}"

    def _get_help_string(self, action: argparse.Action) -> str:
        return (action.help or "").replace("%", "%%")


class _Field(argparse.Action):
    """Keep a field under the spelling that was used, so that two that disagree can be told."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        spelling = (option_string or "").lstrip("-").replace("-", "_")
        if self.nargs == 0:
            values = not spelling.startswith(("no_", "un"))
            spelling = spelling.removeprefix("no_").replace("untied", "tied")
        elif self.metavar == "N":
            values = self.const(parser, option_string, values)
        namespace.fields = {**namespace.fields, spelling: values}


class _Format(argparse.Action):
    """Keep the format, of which there is one."""

    def __call__(
        self,
        parser: argparse.ArgumentParser,
        namespace: argparse.Namespace,
        values: Any,
        option_string: str | None = None,
    ) -> None:
        form = values or self.const
        before = getattr(namespace, "asked_format", form)
        if form != before:
            parser.error(f"{option_string}: an answer has one format, got {before} and {form}")
        namespace.asked_format = namespace.format = form


def whole(parser: argparse.ArgumentParser, option: str | None, value: str) -> object:
    """Return a whole number and None for `none`; text as it is where a note will say how it is read, as 50k."""
    number = numbers.whole(value)
    if isinstance(number, str):
        parser.error(f"{option} takes a whole number, got {numbers.told(value)}")
    return value if numbers.remark("", value) else number


def number(least: int = 1) -> Callable[[str], int]:
    """Return what reads an option that is one whole number and no field of a model."""

    def read(value: str) -> int:
        found = numbers.whole(value)
        if not isinstance(found, int) or found < least:
            raise argparse.ArgumentTypeError(f"takes a whole number, {least} or more, got {numbers.told(value)}")
        return found

    return read


def real(value: str) -> float:
    """Read an option that is a number and need not be whole, such as a width in inches."""
    found = numbers.typed(value)
    if found is None or not -numbers.SAFE < found.value < numbers.SAFE:
        raise argparse.ArgumentTypeError(f"takes a number, got {numbers.told(value)}")
    return float(found.value)


def add_fields(parser: argparse.ArgumentParser, read: Callable[..., object] = whole) -> None:
    """Add an option for each field of a config, under all its spellings; `read` makes a number of what is typed."""
    group = parser.add_argument_group("fields of the config, which win over the model's own")
    parser.set_defaults(fields={})
    for row in FIELDS.values():
        spellings = [spelling.replace("_", "-") for spelling in (row.name, *row.spellings)]
        options = [f"--{spelling}" for spelling in spellings]
        also = f" (also {', '.join(options[1:4])}{' ...' if len(options) > 4 else ''})" if len(options) > 1 else ""
        said = row.said
        if row.law:
            said += f"; {row.law} unless given, or if none" if row.kind == SIZE else f"; as {row.law} unless given"
        settings: dict[str, Any] = {"dest": "fields", "action": _Field, "default": argparse.SUPPRESS}
        if row.kind == SWITCH:
            opposite = [f"--no-{spelling}" for spelling in spellings]
            opposite += ["--untied"] * (row.name == "tie_word_embeddings")
            group.add_argument(*options, *opposite, nargs=0, help=f"{said}; {opposite[-1]} for not", **settings)
        elif row.kind == WORD:
            said = f"{said}: {', '.join(row.words)}"
            group.add_argument(*options, metavar="NAME", choices=Offered(row.words), help=said + also, **settings)
        else:
            group.add_argument(*options, metavar="N", const=read, help=said + also, **settings)


def add_model_type(parser: argparse.ArgumentParser) -> None:
    """Add the option that says of which architecture a model is that no config describes."""
    from gpt2calc.architectures import FILES

    group = parser.add_argument_group("the architecture")
    group.add_argument(
        "--model-type",
        metavar="NAME",
        dest="fields",
        action=_Field,
        default=argparse.SUPPRESS,
        choices=Offered(sorted(FILES)),
        help=f"one of the {len(FILES)} that are counted, such as llama or qwen3: where no model is named, the one that "
        "transformers builds by default, which fields of its config.json change, as --num-key-value-heads 8",
    )


def add_hub(parser: argparse.ArgumentParser) -> None:
    """Add the options that say that a model is a repository of the Hugging Face hub, and at which revision."""
    group = parser.add_argument_group("the Hugging Face hub")
    group.add_argument(
        "--hub", action="store_true", help="MODEL is a repository of the hub, whatever else has its name"
    )
    group.add_argument(
        "--revision", metavar="REV", help="the repository's branch, tag or commit; MODEL is then one, as with --hub"
    )


def add_stored(parser: argparse.ArgumentParser, what: str) -> None:
    """Add the option that asks for what files hold, in place of what transformers builds."""
    parser.add_argument(
        "--stored",
        action="store_true",
        help=f"{what}, from the config alone: quantized as it says, with scales, buffers, and layers that predict "
        "further tokens",
    )


def add_output(parser: argparse.ArgumentParser, quiet: str, pictures: Sequence[str] = ()) -> None:
    """Add the options that say how the answer is given; `quiet` says what -q leaves of it, pictures are formats too."""
    group = parser.add_argument_group("output")
    formats = (*FORMATS, *pictures)
    said = f"human (default), {', '.join(formats[1:-1])} or {formats[-1]}"
    group.add_argument("--format", choices=formats, default="human", action=_Format, help=said)
    group.add_argument("--json", nargs=0, const="json", dest="format", action=_Format, help="the same as --format json")
    group.add_argument("-q", "--quiet", action="store_true", help=f"print {quiet}, and no notes")


def add_common(parser: argparse.ArgumentParser, quiet: str) -> None:
    """Add what most commands of a model end with: where it is from, its architecture, its fields, and the output."""
    add_hub(parser)
    add_model_type(parser)
    add_fields(parser)
    add_output(parser, quiet)


def progress_bar(**settings: Any) -> Any:
    """Return a bar of tqdm on standard error; None where that is no terminal, or tqdm is not installed."""
    if sys.stderr is None or not sys.stderr.isatty():
        return None
    try:
        from tqdm import tqdm
    except ImportError:
        return None
    return tqdm(**settings, leave=False)


def hyphenated(words: Sequence[str]) -> list[str]:
    """Return the words with `--n_layer` written `--n-layer`; what follows an equals sign stays."""
    found = []
    for word in words:
        option, equals, value = word.partition("=")
        found.append((option.replace("_", "-") if option.startswith("--") else option) + equals + value)
    return found


def model_of(word: str | None) -> Model | LeftOut:
    """Return a model's name as it is, `LEFT_OUT` where there is none, and for `-` the model on standard input."""
    from gpt2calc.sources import LEFT_OUT

    return LEFT_OUT if word is None else named_model(word)


def named_model(word: str) -> Model:
    """Return the name of a model that has one as it is, and for `-` the model on standard input."""
    if word != "-":
        return word
    if sys.stdin is None:
        raise UnreadableInputError("standard input", "it is closed")
    from gpt2calc.sources import MOST_CONFIG_BYTES, from_bytes

    return from_bytes(sys.stdin.buffer.read(MOST_CONFIG_BYTES + 1), "standard input")


def emit(
    arguments: argparse.Namespace,
    *,
    result: Callable[[], dict[str, Any]],
    human: Sequence[Table | Said] | str,
    tables: Sequence[Table],
    quiet: Iterable[object],
    notes: Iterable[str] = (),
) -> int:
    """Print an answer in the format that is asked for: data on standard output, notes on standard error.

    What is for people can be written already, by whoever had to see whether there is room.
    """
    ascii_only = not takes_unicode()
    if arguments.quiet:
        written = "".join(f"{printable(str(line))}\n" for line in quiet)
        sys.stdout.write(in_ascii(written) if ascii_only else written)
        return 0
    say(notes)
    report = import_module(f"gpt2calc.reports.{'text' if arguments.format == 'human' else arguments.format}")
    if isinstance(human, str) and arguments.format == "human":
        written = human
    elif arguments.format == "human":
        written = report.write(human, width=columns(), colour=takes_colour(), ascii_only=ascii_only)
    elif arguments.format == "json":
        written = report.write(result(), ascii_only=ascii_only)
    elif arguments.format == "markdown":
        written = report.write(tables, ascii_only=ascii_only)
    else:
        written = report.write(tables[:1] if arguments.format == "csv" else tables)  # a file of CSV is one table
        written = in_ascii(written) if ascii_only else written
    sys.stdout.write(written)
    return 0


def say(notes: Iterable[str]) -> None:
    """Print notes on standard error, each once: broken at words in a terminal, else in one line each."""
    lines = [f"note: {printable(note)}" for note in dict.fromkeys(notes)]
    if lines and sys.stderr.isatty():
        from gpt2calc.reports import text

        lines = [line for note in lines for line in text.wrapped(note, columns())]
    for line in lines:
        print(line, file=sys.stderr)


def takes_unicode() -> bool:
    """Whether standard output takes more than ASCII."""
    return (sys.stdout.encoding or "ascii").lower().replace("-", "").startswith("utf")


def takes_colour() -> bool:
    """Whether standard output is a terminal that shows colour, or FORCE_COLOR says so; NO_COLOR says not, and wins."""
    if os.environ.get("NO_COLOR"):
        return False
    forced = os.environ.get("FORCE_COLOR", "")
    if forced:
        return forced not in ("0", "false")
    return sys.stdout.isatty() and os.environ.get("TERM") != "dumb"


def columns() -> int:
    """Return the width to write for: what COLUMNS says, that of the terminal, or 100 where there is none.

    argparse would ask shutil, which loads every compression library that Python has.
    """
    said = os.environ.get("COLUMNS", "")
    if said.isdecimal() and int(said):
        return max(int(said), 40)
    try:
        return max(os.get_terminal_size(sys.stdout.fileno()).columns, 40)
    except (OSError, ValueError):
        return 100
