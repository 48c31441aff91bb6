"""The command line: words, flags and exit codes. A file a command; only the one that is called is loaded."""

from __future__ import annotations

import os
import sys
from importlib import import_module

from gpt2calc.signals import WORDS, Told

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from gpt2calc.cli.options import Parser

COMMANDS = {
    "count": "count the parameters of one model, by component and in every convention",
    "compare": "put several models side by side",
    "cost": "compute FLOPs, KV cache and memory of a model, to the last FLOP and byte",
    "fits": "say whether a model fits into a memory, and what one change would make it fit",
    "measure": "hold what cost computes against torch: count, train and generate with a real model",
    "formula": "show closed forms, derived from the shapes of the tensors",
    "tensors": "list every tensor of a model",
    "verify": "show that a checkpoint holds what its config says, or name the tensor that is why not",
    "infer": "print the config that a checkpoint's shapes show",
    "example": "write a small checkpoint to try verify on, good or with a fault",
    "card": "print the lines for a model card, from a config or a checkpoint",
    "claims": "recompute what was published about parameters, and judge it",
    "explain": "find what a printed figure counts, such as 117M or 548 MB",
    "design": "find the shapes that have a number of parameters, or that fit a number of bytes",
    "sweep": "count many models at once: a grid of sizes, or a file of configs",
    "plot": "draw where the parameters sit or what a model costs, as a picture or in the terminal",
    "page": "write the what-if page, one file of HTML that counts in the browser",
    "models": "list the models that ship with gpt2calc",
}

EXIT_CODES = """exit codes:
  0  ok
  1  does not match
  2  usage: an unknown command, option, model or field, or fields that contradict each other
  3  input that cannot be read, or output that cannot be written
  4  network"""

EXAMPLES = """examples:
  gpt2calc count gpt2
  gpt2calc count --n-layer 24 --n-embd 1024
  gpt2calc count path/to/config.json --json
  gpt2calc compare small medium large xl
  gpt2calc formula attn.c_attn --model gpt2"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; the entry point of `gpt2calc`."""
    words = list(sys.argv[1:] if argv is None else argv)
    if sys.stdout is None:
        print("gpt2calc: the output cannot be written: standard output is closed", file=sys.stderr)
        return 3
    if hasattr(sys.stdout, "reconfigure"):  # a name that the terminal cannot show is escaped, and no error
        sys.stdout.reconfigure(errors="backslashreplace")
    try:
        code = _run(words)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader, `head` for one, has seen enough
        _drop_output()
        return 0
    except OSError as error:  # files are read where they are opened; what is left is standard output
        print(f"gpt2calc: the output cannot be written: {error.strerror}", file=sys.stderr)
        _drop_output()
        return 3
    except KeyboardInterrupt:
        return 130
    return code


def _drop_output() -> None:
    """Let what is still to be written go nowhere, so that Python does not try again at its end."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(words: list[str]) -> int:
    try:
        return _command(words)
    except SystemExit as ended:  # argparse, after it has printed help, the version or a mistake
        return ended.code if isinstance(ended.code, int) else 0


def _command(words: list[str]) -> int:
    from gpt2calc.errors import Gpt2calcError

    if not words or words[0] not in COMMANDS:
        return _without_command(words)
    name = words[0]
    from gpt2calc.cli.options import Parser, hyphenated

    parser = Parser(prog=f"gpt2calc {name}")
    command = configured(parser, name)
    arguments = parser.parse_args(hyphenated(words[1:]))
    try:
        code: int = command.run(arguments)
    except Gpt2calcError as error:
        print(f"gpt2calc {name}: {error}", file=sys.stderr)
        return error.exit_code
    except Told as told:
        if told.left:
            print(f"gpt2calc {name}: {WORDS[told.code]}: {told.left}", file=sys.stderr)
        return told.code
    return code


def _without_command(words: list[str]) -> int:
    """Answer what is not a command: help, the version, completion, or a mistake."""
    parser = build_parser()
    if not words:
        parser.print_help()
        return 0
    if words[0].startswith("-"):
        option = words[0].partition("=")[0]
        if option not in parser.options():
            parser.error(f"a command comes first, and {option} after it: gpt2calc count {option}, for one")
        arguments = parser.parse_args(words)
        if arguments.print_completion:
            from gpt2calc.cli import completion

            return completion.write(build_parser(with_commands=True), arguments.print_completion)
        parser.error("a command is needed: " + ", ".join(COMMANDS))
    from gpt2calc import presets
    from gpt2calc.errors import UnknownNameError

    if os.path.exists(words[0]) or presets.find(words[0]):
        parser.error(f"{words[0]!r} is a model and no command: did you mean gpt2calc count {words[0]}?")
    return parser.error(str(UnknownNameError("command", words[0], tuple(COMMANDS))))


def build_parser(*, with_commands: bool = False) -> Parser:
    """Return the parser of the bare command; with commands, the whole tree, which only completion and the docs need."""
    from gpt2calc.cli.options import Parser

    listed = "\n".join(f"  {name:9}{summary}" for name, summary in COMMANDS.items())
    parser = Parser(
        prog="gpt2calc",
        usage="gpt2calc COMMAND [MODEL ...] [options]",
        description="How many parameters a language model has, exactly, and where they sit.",
        epilog=f"commands:\n{listed}\n\n{EXAMPLES}\n\n{EXIT_CODES}\n\n`gpt2calc COMMAND --help` says more.",
    )
    from gpt2calc.version import __version__

    parser.add_argument("--version", action="version", version=f"gpt2calc {__version__}", help="print the version")
    parser.add_argument(
        "--print-completion",
        metavar="SHELL",
        choices=("bash", "zsh", "tcsh"),
        help="print a completion script for bash, zsh or tcsh",
    )
    if with_commands:
        tree = parser.add_subparsers(metavar="COMMAND", parser_class=Parser)
        for name, summary in COMMANDS.items():
            configured(tree.add_parser(name, help=summary), name)
    return parser


def configured(parser: Parser, name: str) -> Any:
    """Say what a command takes, with its examples below; return its file."""
    command = import_module(f"gpt2calc.cli.{name}")
    command.configure(parser)
    parser.epilog = command.EXAMPLES
    return command
