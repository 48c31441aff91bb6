"""The loop of architectures.py and serving.py: every tool that is installed is asked of the same config.json documents.

A tool that is not installed, or does not start, says so in one line; however else one ends, it gives no number.
"""

from __future__ import annotations

import argparse
import json
import warnings
from contextlib import redirect_stderr, redirect_stdout
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from io import StringIO
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

EXACT, REFUSED, WRONG = "exact", "refused", "wrong"

SMALL = {"model_type": "llama", "hidden_size": 8, "num_attention_heads": 2, "num_hidden_layers": 1, "vocab_size": 9}
"""What a tool is asked first, to see that it starts."""


class Tool(NamedTuple):
    """A program by the call that gives its number of a document, and of what else is asked; the first is gpt2calc."""

    package: str
    ask: Callable[..., float]


def is_json(doc: str | None) -> bool:
    """Read the command line: whether every answer is printed, as JSON; `doc` says what the program does."""
    parser = argparse.ArgumentParser(description=str(doc).splitlines()[0])
    parser.add_argument("--json", action="store_true", help="print every answer")
    return bool(parser.parse_args().json)


def written(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document with all its fields, as transformers writes it; as it is where there is no transformers."""
    try:
        mapping = import_module("transformers").CONFIG_MAPPING
    except ImportError:
        return document
    fields = {name: value for name, value in document.items() if name not in ("model_type", "architectures")}
    whole = mapping[document["model_type"]](**fields).to_dict()
    return {**json.loads(json.dumps(whole, default=str)), **document}


def answers(
    tools: Mapping[str, Tool],
    cases: Mapping[str, tuple[tuple[Any, ...], Any]],
    judged: Callable[[float, Any], str],
) -> dict[str, dict[str, tuple[str, float | None]]]:
    """Return what each tool makes of each case, and its number where it has one.

    Args:
        tools: by name.
        cases: by name, each with what is asked, a document first, and with what is true of it.
        judged: what a number is, beside what is true.
    """
    found = {}
    for name, tool in tools.items():
        try:
            called = f"{name} {version(tool.package)}"
        except PackageNotFoundError:
            print(f"{name} is not installed")
            continue
        try:
            _number(tool, (SMALL, *next(iter(cases.values()))[0][1:]))
        except ImportError as error:
            print(f"{name} does not start: {error}")
            continue
        found[called] = {case: _answer(tool, asked, truth, judged) for case, (asked, truth) in cases.items()}
    return found


def _answer(
    tool: Tool, asked: tuple[Any, ...], truth: Any, judged: Callable[[float, Any], str]
) -> tuple[str, float | None]:
    try:
        number = _number(tool, asked)
    except ImportError:
        return REFUSED, None
    return (REFUSED, None) if number is None else (judged(number, truth), number)


def _number(tool: Tool, asked: tuple[Any, ...]) -> float | None:
    """Return what a tool says, and nothing of what it prints; None however else it ends.

    Raises:
        ImportError: something that it needs is not there.
    """
    try:
        with redirect_stderr(StringIO()), redirect_stdout(StringIO()), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return tool.ask(*json.loads(json.dumps(asked)))
    except ImportError:
        raise
    except (Exception, SystemExit):  # noqa: BLE001  # however it ends, it gives no number
        return None
