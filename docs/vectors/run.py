"""Hold any program to the vectors beside this file: `python run.py FILE [--at NAME=PATH] -- COMMAND ...`.

The command is started once a case, with the config.json on its standard input, and prints JSON. `{tokens}` and
`{dtype}` in its words are what the case asks. What it prints is looked up by the paths of gpt2calc's own JSON, or by
those that `--at` gives. Standard library alone. The exit code is 0 where every answer is exact, and 1 where one is not.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

EXACT, WRONG, REFUSED = "exact", "wrong", "refused"
"""What comes of a case: every answer is the one expected; one is another; there is no answer."""


def read(path: str) -> dict[str, Any]:
    """Return a file of vectors, by its path or by its name among those that stand beside this file."""
    found = Path(path) if path.endswith(".json") else Path(__file__).parent / f"{path}.json"
    document: dict[str, Any] = json.loads(found.read_text(encoding="utf-8"))
    return document


def at(answer: Any, path: str) -> Any:
    """Return what stands at a path of keys, with dots between them; None where nothing does."""
    for key in path.split("."):
        answer = answer.get(key) if isinstance(answer, dict) else None
    return answer


def told(found: Any) -> Any:
    """Return an answer as vectors have it: tensors by name, and of each what a vector says of it."""
    if isinstance(found, list) and all(isinstance(each, dict) and "name" in each for each in found):
        return {each["name"]: each["shape"] for each in found}
    return found


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
            differing = (name for name, expected in case["expect"].items() if found[name] != expected)
            name = next(differing, None)
            difference = f"{name} is {short(found[name])}, expected {short(case['expect'][name])}" if name else ""
            yield vector["name"], WRONG if name else EXACT, difference


def short(value: Any) -> str:
    """Return a value in few words."""
    text = json.dumps(value)
    return text if len(text) < 40 else f"{text[:36]} ..."


def started(command: Sequence[str], config: Mapping[str, Any], asked: Mapping[str, Any]) -> Any:
    """Return what a command prints for a config; None where it ends with an error, or prints no JSON."""
    words = [word.format(**asked) if "{" in word else word for word in command]
    ended = subprocess.run(words, input=json.dumps(config), capture_output=True, text=True, check=False)
    try:
        return json.loads(ended.stdout) if ended.returncode == 0 else None
    except ValueError:
        return None


def main() -> int:
    """Ask a command for every case of a file, and print what comes of it."""
    words = sys.argv[1:]
    place = words.index("--") if "--" in words else len(words)
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("file", metavar="FILE", help="counts, kv or stored, or the path of a file of vectors")
    parser.add_argument("--at", metavar="NAME=PATH", action="append", default=[], help="where an answer stands")
    arguments, command = parser.parse_args(words[:place]), words[place + 1 :]
    if not command:
        parser.error("a command is needed after --, such as: run.py counts -- gpt2calc count - --json")
    vectors = read(arguments.file)
    paths = {**vectors["paths"], **dict(each.split("=", 1) for each in arguments.at)}
    results = list(judged(vectors, lambda config, asked: started(command, config, asked), paths))
    for name, verdict, difference in results:
        if verdict != EXACT:
            print(f"{verdict}: {name}{': ' if difference else ''}{difference}")
    found = Counter(verdict for _, verdict, _ in results)
    print(", ".join(f"{found[verdict]} {verdict}" for verdict in (EXACT, WRONG, REFUSED)))
    return int(found[EXACT] != len(results))


if __name__ == "__main__":
    sys.exit(main())
