"""Hold any program to the vectors beside this file: `python run.py FILE [--at NAME=PATH] -- COMMAND ...`.

The command is started once a case, with the config.json on its standard input, and prints JSON. `{tokens}` and
`{dtype}` in its words are what the case asks. What it prints is looked up by the paths of gpt2calc's own JSON, or by
those that `--at` gives. Standard library alone. The exit code is 0 where every answer is exact, 1 where one is not, and
2 where there is nothing to ask: no such file, no such command, words that make no sense.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

EXACT, WRONG, REFUSED = "exact", "wrong", "refused"
"""What comes of a case: every answer is the one expected; one is another; there is no answer."""

SECONDS = 600
"""How long a command may take for a case: what takes longer has refused."""


def stopped(problem: str) -> SystemExit:
    """Return what ends the program where there is nothing to ask."""
    print(f"run.py: {problem}", file=sys.stderr)
    return SystemExit(2)


def read(path: str) -> dict[str, Any]:
    """Return a file of vectors, by its path or by its name among those that stand beside this file."""
    found = Path(path) if path.endswith(".json") else Path(__file__).parent / f"{path}.json"
    try:
        document: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise stopped(f"{found} is no file of vectors: {error}") from None
    if not isinstance(document, dict) or not document.get("vectors"):
        raise stopped(f"{found} holds no vectors")
    return document


def at(answer: Any, path: str) -> Any:
    """Return what stands at a path of keys, with dots between them; None where nothing does."""
    for key in path.split("."):
        answer = answer.get(key) if isinstance(answer, dict) else None
    return answer


def told(found: Any) -> Any:
    """Return an answer as vectors have it: tensors by name, and of each what a vector says of it."""
    if isinstance(found, list) and all(isinstance(each, dict) and isinstance(each.get("name"), str) for each in found):
        return {each["name"]: each.get("shape") for each in found}
    return found


def same(found: Any, expected: Any) -> bool:
    """Whether an answer is the expected one; Python takes true for 1, and JSON does not."""
    return not isinstance(found, bool) and bool(found == expected)


def judged(
    vectors: Mapping[str, Any], ask: Callable[[Mapping[str, Any], Mapping[str, Any]], Any], paths: Mapping[str, str]
) -> Iterator[tuple[str, str, str]]:
    """Yield of each case whose it is, what comes of it, and the first answer that is not the expected one.

    Args:
        vectors: what `read` returned.
        ask: what gives a program's answer for a config and for what is asked; None, or an error, where it has none.
        paths: where each expected name stands in an answer.
    """
    for vector in vectors["vectors"]:
        for case in vector["cases"]:
            answer = ask(vector["config"], case["ask"])
            if answer is None:
                yield vector["name"], REFUSED, ""
                continue
            found = {name: told(at(answer, paths[name])) for name in case["expect"]}
            differing = (name for name, expected in case["expect"].items() if not same(found[name], expected))
            name = next(differing, None)
            difference = f"{name} is {short(found[name])}, expected {short(case['expect'][name])}" if name else ""
            yield vector["name"], WRONG if name else EXACT, difference


def short(value: Any) -> str:
    """Return a value in few words."""
    text = json.dumps(value)
    return text if len(text) < 40 else f"{text[:36]} ..."


def started(command: Sequence[str], config: Mapping[str, Any], asked: Mapping[str, Any], seconds: float) -> Any:
    """Return what a command prints for a config; None where it fails, prints no JSON, or takes too long."""
    # By name, and not as format strings, so that a word can hold JSON.
    words = [re.sub(r"\{(\w+)\}", lambda found: str(asked.get(found[1], found[0])), word) for word in command]
    given = json.dumps(config).encode()
    try:
        ended = subprocess.run(words, input=given, capture_output=True, timeout=seconds, check=False)
        return json.loads(ended.stdout) if ended.returncode == 0 else None
    except OSError as error:
        raise stopped(f"{words[0]} cannot be started: {error}") from None
    except (subprocess.TimeoutExpired, ValueError):  # of the bytes, too: no text, no JSON
        return None


def main() -> int:
    """Ask a command for every case of a file, and print what comes of it."""
    words = sys.argv[1:]
    place = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("file", metavar="FILE", help="counts, kv or stored, or the path of a file of vectors")
    parser.add_argument("--at", metavar="NAME=PATH", action="append", default=[], help="where an answer stands")
    parser.add_argument("--seconds", metavar="N", type=float, default=SECONDS, help=f"for a case; {SECONDS}")
    parser.usage = "run.py FILE [--at NAME=PATH ...] [--seconds N] -- COMMAND ..."
    arguments, command = parser.parse_args(words[:place]), words[place + 1 :]
    if not command:
        parser.error("a command is needed after --, such as: run.py counts -- gpt2calc count - --json")
    vectors = read(arguments.file)
    paths = {**vectors["paths"]}
    for each in arguments.at:
        name, _, path = each.partition("=")
        if name not in paths or not path:
            parser.error(f"--at takes a name and a path, such as {next(iter(paths))}=a.b, got {each}")
        paths[name] = path
    results = list(judged(vectors, lambda config, asked: started(command, config, asked, arguments.seconds), paths))
    for name, verdict, difference in results:
        if verdict != EXACT:
            print(f"{verdict}: {name}{': ' if difference else ''}{difference}")
    found = Counter(verdict for _, verdict, _ in results)
    print(", ".join(f"{found[verdict]} {verdict}" for verdict in (EXACT, WRONG, REFUSED)))
    return int(found[EXACT] != len(results))


if __name__ == "__main__":
    sys.exit(main())
