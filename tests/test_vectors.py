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
from tests.wide import IS_WIDE

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

LARGEST = "deepseek-ai/DeepSeek-R1"
"""By default it is not answered: the header of GLM-4.5-Air is large as well."""


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
    some = [each for each in document["vectors"] if IS_WIDE or each["name"] != LARGEST]
    assert len(document["vectors"]) - len(some) == (name == "stored" and not IS_WIDE)
    found = list(RUN.judged({**document, "vectors": some}, asking(COMMANDS[name]), document["paths"]))
    assert [each for each in found if each[1] != RUN.EXACT] == []
    assert len(found) == sum(len(each["cases"]) for each in some) >= 11


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


BROKEN = {
    "no JSON": ("print('nonsense')", "refused"),
    "bytes that are no text": ("import sys; sys.stdout.buffer.write(b'\xff\x00')", "refused"),
    "an error": ("raise SystemExit(3)", "refused"),
    "no end": ("import time; time.sleep(60)", "refused"),
    "another document": ("print([1, 2])", "wrong"),
    "no number": ("print('NaN')", "wrong"),
    "a truth": ("print('{\"total\": true}')", "wrong"),
    "names that are none": ('print(\'{"total": [{"name": [1], "shape": 1}]}\')', "wrong"),
    "tensors without a shape": ('print(\'{"total": [{"name": "a"}]}\')', "wrong"),
    "the number": ("print('{\"total\": 1}')", "exact"),
    "the number, as a float": ("print('{\"total\": 1.0}')", "exact"),
}
"""Programs, and what comes of each."""


@pytest.mark.parametrize("program", BROKEN)
def test_whatever_a_program_does_is_told_in_one_word(program: str) -> None:
    """It may print nonsense, or never end; the runner goes on."""
    code, verdict = BROKEN[program]
    document = {"vectors": [{"name": "m", "config": {}, "cases": [{"ask": {}, "expect": {"total": 1}}]}]}
    seconds = 0.2 if program == "no end" else 60

    def ask(config: Mapping[str, Any], asked: Mapping[str, Any]) -> Any:
        return RUN.started([sys.executable, "-S", "-c", code], config, asked, seconds)

    assert [each[1] for each in RUN.judged(document, ask, {"total": "total"})] == [verdict]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nothere", "--", "true"], "nothere.json is no file of vectors"),
        (["stored", "--", "/nothere/program"], "/nothere/program cannot be started"),
        (["counts", "--at", "total", "--", "true"], "--at takes a name and a path, such as total=a.b, got total"),
        (["counts", "--at", "foo=a", "--", "true"], "--at takes a name and a path, such as total=a.b, got foo=a"),
        (["counts"], "a command is needed after --"),
    ],
)
def test_what_cannot_be_asked_ends_with_a_sentence(
    words: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """And with exit code 2, which is neither a right answer nor a wrong one."""
    with mock.patch.object(sys, "argv", ["run.py", *words]), pytest.raises(SystemExit) as ended:
        RUN.main()
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_a_word_of_a_command_may_hold_braces() -> None:
    """What is asked is put where it is named, and nowhere else: a filter in JSON stays one."""
    code = "import sys; print('{\"total\": ' + sys.argv[1] + '}')"
    command = [sys.executable, "-S", "-c", code, '{"a": {tokens}}']
    assert RUN.started(command, {}, {"tokens": 5}, 60) == {"total": {"a": 5}}
