"""Answers questions with whatever gpt2calc is first on the path: a process for the frozen side, and one for the tree.

    python -P worker.py ROOT QUESTIONS ANSWERS

ROOT is where gpt2calc must come from. A line of QUESTIONS is a JSON object with an `id`, what to `ask`, `words` for
positional arguments, and `fields` for keywords; so is a line of ANSWERS, with the `id` and the `answer`. Only
`import gpt2calc` and `python -m gpt2calc` are used, as documented, so that a side can still be asked when all inside of
it is redrawn. This file imports nothing else of the tests.
"""

from __future__ import annotations

import hashlib
import inspect
import json
import os
import subprocess
import sys
import tempfile
from typing import TYPE_CHECKING, Any

import gpt2calc

if TYPE_CHECKING:
    from collections.abc import Callable

MOST_BLOCKS = 200
"""Tensors are listed of models that have no more blocks."""


def attempt(call: Callable[[], Any]) -> Any:
    """Return what a call gives, or which error it raises: a message is an answer as well."""
    try:
        return call()
    except Exception as error:  # noqa: BLE001 - whatever is raised is compared with what the other side raises
        return {"raises": type(error).__name__, "says": str(error), "exit_code": getattr(error, "exit_code", None)}


def of_count(document: dict[str, Any]) -> dict[str, Any]:
    """Return a count as gpt2calc/count/1 had it, so that every number of both sides is compared.

    gpt2calc/count/2 has groups in a list, and four keys more, which nothing on the other side answers to.
    """
    groups = document["groups"]
    if isinstance(groups, list):
        document["groups"] = {group.pop("name"): group for group in groups}
        for added in ("model_type", "sizes", "letters", "layers"):
            del document[added]
    return document


def of_comparison(document: dict[str, Any]) -> dict[str, Any]:
    """Return a comparison of such counts."""
    return {**document, "models": [of_count(each) for each in document["models"]]}


def model(*words: Any, formula: str | None = None, **fields: Any) -> Any:
    """Ask all that there is to know of one model: its count, its tensors, a formula, its config."""
    count = gpt2calc.count(*words, **fields)
    found: dict[str, Any] = {"count": of_count(count.to_dict()), "shown": repr(count)}
    if found["count"]["config"].get("n_layer", MOST_BLOCKS + 1) <= MOST_BLOCKS:
        found["tensors"] = attempt(lambda: tensors(*words, **fields))
    if not words:
        found["config"] = attempt(lambda: gpt2calc.Config(**fields).to_dict())
    if formula is not None:
        found["formula"] = attempt(lambda: gpt2calc.formula(formula or None, *words, **fields).to_dict())
    return found


def tensors(*words: Any, **fields: Any) -> Any:
    """Return how many tensors a model has, their elements, and a hash of the listing."""
    listing = [[each.name, list(each.shape), each.component, each.role] for each in gpt2calc.tensors(*words, **fields)]
    sizes = sum(each.numel for each in gpt2calc.tensors(*words, **fields))
    return {
        "number": len(listing),
        "elements": sizes,
        "sha256": hashlib.sha256(json.dumps(listing).encode()).hexdigest(),
    }


def command(*words: str, stdin: str = "") -> Any:
    """Run the command line as a program of its own."""
    started = [sys.executable, "-P", "-m", "gpt2calc", *words]
    ran = subprocess.run(started, input=stdin.encode(), capture_output=True, check=False, timeout=300)
    out, err = (text.decode(errors="backslashreplace") for text in (ran.stdout, ran.stderr))
    return {"exit": ran.returncode, "stdout": out, "stderr": err}


def presets() -> Any:
    """Return the models that ship, with all that is said of each."""
    named = ("name", "fields", "aliases", "summary", "source", "published", "note")
    return [{name: getattr(each, name) for name in named} for each in gpt2calc.models()]


def conventions() -> Any:
    """Return every way of counting, but for the function that counts."""
    return [[each.name, each.unit, each.sentence, each.source] for each in gpt2calc.CONVENTIONS]


def public() -> Any:
    """Return the public names, and how those that are called are called."""
    found = {}
    for name in sorted(dir(gpt2calc)):
        given = getattr(gpt2calc, name)
        found[name] = f"{name}{inspect.signature(given)}" if inspect.isfunction(given) else type(given).__name__
    return found


def page() -> Any:
    """Return the data of the what-if page, a line for each row."""
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "page.html")
        gpt2calc.write_page(path)
        with open(path, encoding="utf-8") as file:
            text = file.read()
    return text.partition("const FACTS = {\n")[2].partition("\n};\n")[0]


ASKED: dict[str, Callable[..., Any]] = {
    "model": model,
    "compare": lambda *words, **fields: of_comparison(gpt2calc.compare(*words, **fields).to_dict()),
    "formula": lambda *words, **fields: gpt2calc.formula(*words, **fields).to_dict(),
    "presets": presets,
    "conventions": conventions,
    "public": public,
    "page": page,
    "claims": lambda *words: gpt2calc.check_claims(*words).to_dict(),
    "explain": lambda *words, **fields: gpt2calc.explain(*words, **fields).to_dict(),
    "design": lambda *words, **fields: gpt2calc.design(*words, **fields).to_dict(),
    "sweep": lambda *words, **fields: gpt2calc.sweep(*words, **fields).to_dict(),
    "verify": lambda *words, **fields: gpt2calc.verify(*words, **fields).to_dict(),
    "infer": lambda *words: gpt2calc.infer(*words).to_dict(),
    "command": command,
}
"""What can be asked, each with what asks it."""


def main(root: str, questions: str, answers: str) -> None:
    """Answer every question of a file, in order."""
    came_from = os.path.realpath(gpt2calc.__file__)
    if not came_from.startswith(os.path.realpath(root) + os.sep):
        sys.exit(f"gpt2calc came from {came_from}, expected it from {root}")
    with open(questions, encoding="utf-8") as asked, open(answers, "w", encoding="utf-8") as written:
        for line in asked:
            question = json.loads(line)
            ask, words, fields = ASKED[question["ask"]], question["words"], question["fields"]
            answer = attempt(lambda: ask(*words, **fields))  # noqa: B023 - it is called at once
            written.write(json.dumps({"id": question["id"], "answer": answer}, default=repr) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
