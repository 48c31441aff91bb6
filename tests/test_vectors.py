"""docs/vectors: that they are what was measured, that we answer each of them, and that their runner can say no."""

from __future__ import annotations

import io
import json
import sys
from contextlib import redirect_stdout
from importlib.util import module_from_spec, spec_from_file_location
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

from gpt2calc import cli
from tests import vectors

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SPEC = spec_from_file_location("run", vectors.FOLDER / "run.py")
assert SPEC is not None
assert SPEC.loader is not None
RUN = module_from_spec(SPEC)
SPEC.loader.exec_module(RUN)

COMMANDS = {
    "counts": ("count", "-", "--json"),
    "kv": ("cost", "-", "--prompt", "{tokens}", "--dtype", "{dtype}", "--json"),
    "stored": ("tensors", "-", "--stored", "--json"),
}
"""The commands of the README, without the name of the program."""


def asking(words: tuple[str, ...]) -> Callable[[Mapping[str, Any], Mapping[str, Any]], Any]:
    """Return what asks the command line in this process, as the runner asks a program."""

    def ask(config: Mapping[str, Any], asked: Mapping[str, Any]) -> Any:
        given = io.TextIOWrapper(io.BytesIO(json.dumps(config).encode()), encoding="utf-8")
        with redirect_stdout(io.StringIO()) as out, mock.patch.object(sys, "stdin", given):
            code = cli.main([word.format(**asked) for word in words])
        return json.loads(out.getvalue()) if code == 0 else None

    return ask


@pytest.mark.parametrize("name", COMMANDS)
def test_we_answer_every_vector(name: str) -> None:
    """Exactly, by the commands that the README gives; the large headers by the sums that they print first."""
    document = RUN.read(name)
    found = list(RUN.judged(document, asking(COMMANDS[name]), document["paths"]))
    assert [each for each in found if each[1] != RUN.EXACT] == []
    assert len(found) == sum(len(each["cases"]) for each in document["vectors"]) >= 12


@pytest.mark.parametrize("name", ["counts", "kv"])
def test_the_files_are_what_was_measured(name: str) -> None:
    """As `python -m tests.vectors` writes them from the recorded data, byte for byte."""
    assert (vectors.FOLDER / f"{name}.json").read_text(encoding="utf-8") == vectors.text(vectors.FILES[name]())


def test_headers_are_those_that_transformers_writes() -> None:
    """Of small models, written again."""
    told = {each["name"]: each["cases"][0]["expect"] for each in RUN.read("stored")["vectors"]}
    for name, config in vectors.SMALL.items():
        assert told[name] == {"tensors": vectors.header(config)}
    assert len(told) == len(vectors.SMALL) + len(vectors.PUBLISHED)


def test_the_readme_gives_the_commands() -> None:
    """Each as it is run here, and the files stay small."""
    readme = (vectors.FOLDER / "README.md").read_text(encoding="utf-8")
    for name, words in COMMANDS.items():
        assert f"python docs/vectors/run.py {name} -- gpt2calc {' '.join(words)}\n" in readme
    assert sum(path.stat().st_size for path in vectors.FOLDER.glob("*")) < 200_000


def test_the_runner_tells_a_wrong_answer_from_none() -> None:
    """And from one that stands elsewhere."""
    document = {"vectors": [{"name": "m", "config": {}, "cases": [{"ask": {}, "expect": {"total": 3}}]}]}
    paths = {"total": "model.total"}
    for answer, verdict in (({"model": {"total": 3}}, "exact"), ({"model": {"total": 4}}, "wrong"), (None, "refused")):
        ((_, found, _),) = RUN.judged(document, lambda config, asked, answer=answer: answer, paths)
        assert found == verdict
    assert RUN.told([{"name": "a", "shape": [2], "dtype": "F32"}]) == {"a": [2]}
