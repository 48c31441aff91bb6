"""What a person names is opened in one place: nothing is waited for without end, and the system's reason is given."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gpt2calc import inputs
from gpt2calc.checkpoints import shards
from gpt2calc.checkpoints.files import LocalFile
from gpt2calc.errors import UnreadableInputError
from tests.conftest import environment

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

CONFIG = b'{"model_type": "gpt2", "n_layer": 24, "n_embd": 1024}'
NOBODY = "is a pipe that nobody writes to"


@pytest.fixture(autouse=True)
def _(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Work in a folder, and do not wait long for the other end of a pipe."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(inputs, "PATIENCE", 50)
    monkeypatch.setattr("gpt2calc.output.PATIENCE", 0.05)


@pytest.mark.usefixtures("_a_page_at_once")
@pytest.mark.parametrize(
    ("words", "name", "problem"),
    [
        (("count",), "pipe", NOBODY),
        (("count",), "pipe.json", NOBODY),
        (("compare", "gpt2"), "pipe.json", NOBODY),
        (("tensors",), "pipe", NOBODY),
        (("formula", "total", "--model"), "pipe", NOBODY),
        (("explain", "117M"), "pipe", NOBODY),
        (("design", "--params", "1e8"), "pipe", NOBODY),
        (("plot", "shares"), "pipe", NOBODY),
        (("verify",), "ckpt.pt", NOBODY),
        (("verify",), "model.safetensors", NOBODY),
        (("infer",), "model.gguf", NOBODY),
        (("claims", "--file"), "claims.toml", NOBODY),
        (("sweep",), "pipe", NOBODY),
        (("sweep", "--file"), "configs.csv", "expected a file, got a pipe"),
        (("sweep", "--file"), "configs.jsonl", "expected a file, got a pipe"),
        (("sweep", "--file"), "configs.parquet", "expected a file, got a pipe"),
        (("sweep", "--file"), "configs.arrow", "expected a file, got a pipe"),
        (("sweep", "-o"), "out.csv", "cannot be written (it is a pipe that nobody reads)"),
        (("page", "-o"), "out.html", "cannot be written (it is a pipe that nobody reads)"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_pipe_without_another_end_is_said_to_be_that(
    words: tuple[str, ...], name: str, problem: str, run: Run
) -> None:
    """In one sentence, with exit code 3, and soon."""
    os.mkfifo(name)
    ran = run(*words, name)
    assert (ran.code, ran.stdout, len(ran.stderr.splitlines())) == (3, "", 1)
    assert ran.stderr.startswith(f"gpt2calc {words[0]}: {name}: {problem}")


@pytest.mark.parametrize("command", ["count", "verify"])
def test_a_pipe_in_a_folder_is_not_waited_for(command: str, run: Run) -> None:
    """An archive can carry one, and nobody named it; who writes to it is not heard."""
    os.mkdir("folder")
    os.mkfifo("folder/config.json")
    writer = os.open("folder/config.json", os.O_RDWR)  # both ends, so that nothing waits here
    os.write(writer, CONFIG)
    ran = run(command, "folder")
    os.close(writer)
    assert (ran.code, ran.stdout, len(ran.stderr.splitlines())) == (3, "", 1)


@pytest.mark.parametrize(
    "line",
    [
        '"$0" -m gpt2calc count -q <(cat config.json)',
        '"$0" -m gpt2calc count -q <(sleep 0.5; cat config.json)',
        '"$0" -m gpt2calc count -q /dev/stdin < config.json',
        'cat config.json | "$0" -m gpt2calc count -q /dev/stdin',
        'cat config.json | "$0" -m gpt2calc count -q -',
        'mkfifo named; (sleep 0.5; cat config.json > named) & "$0" -m gpt2calc count -q named; wait',
        'mkfifo named; cat config.json > named & "$0" -m gpt2calc count -q named; wait',
    ],
)
def test_a_pipe_that_somebody_writes_to_is_read(line: str) -> None:
    """Now, soon, or when the shell has started the other end."""
    with open("config.json", "wb") as file:
        file.write(CONFIG)
    shell = shutil.which("bash")
    assert shell
    ran = subprocess.run(
        [shell, "-c", line, sys.executable], check=False, capture_output=True, env=environment(), timeout=120
    )
    assert (ran.stdout.split(), ran.stderr) == ([b"354823168"], b"")


def test_a_pipe_that_somebody_reads_is_written_to() -> None:
    """Also where the reader comes a little later."""
    shell = shutil.which("bash")
    assert shell
    line = (
        'mkfifo a.csv; (sleep 0.5; cat a.csv) & "$0" -m gpt2calc sweep -q --n-layer 1 --columns n_layer -o a.csv; wait'
    )
    ran = subprocess.run(
        [shell, "-c", line, sys.executable], check=False, capture_output=True, env=environment(), timeout=120
    )
    assert (ran.stdout, ran.stderr) == (b"n_layer\n1\n", b"")


def test_what_was_read_to_see_that_there_is_a_writer_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the moment at which the bytes come."""
    monkeypatch.setattr(inputs, "PATIENCE", 0)
    for _ in range(20):
        near, far = os.pipe()
        os.write(far, b"abcdef")
        os.close(far)
        assert inputs.read(f"/dev/fd/{near}", 4) == b"abcd"
        os.close(near)


@pytest.mark.parametrize("command", [("count",), ("verify",), ("infer",), ("claims", "--file"), ("sweep", "--file")])
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("loop.csv", "Too many levels of symbolic links"),
        (f"{'x' * 300}.csv", "File name too long"),
        ("nul\0.csv", "embedded null byte"),
    ],
    ids=["a loop", "too long", "a NUL byte"],
)
def test_a_path_that_cannot_be_opened_is_told_by_the_systems_reason(
    command: tuple[str, ...], name: str, reason: str, run: Run
) -> None:
    """And not as something that is not there."""
    os.symlink("loop.csv", "loop.csv")
    ran = run(*command, name)
    assert (ran.code, ran.stdout, len(ran.stderr.splitlines())) == (3, "", 1)
    assert ran.stderr.endswith(f"cannot be read: {reason}\n")


@pytest.mark.parametrize("name", ["locked/config.json", "locked"])
def test_a_path_without_permission_is_said_to_be_that(name: str, monkeypatch: pytest.MonkeyPatch, run: Run) -> None:
    """Root may read everything, so the system's answer is given in its place."""
    real = os.stat

    def refused(path: object, *more: object, **others: object) -> os.stat_result:
        if isinstance(path, str) and path.startswith("locked"):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *more, **others)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", refused)
    assert run("count", name) == (3, "", f"gpt2calc count: {name}: cannot be read: Permission denied\n")


def test_a_link_that_leads_nowhere_is_said_to_be_that(run: Run) -> None:
    """With where it leads."""
    os.symlink("gone.json", "small")
    assert run("count", "small") == (3, "", "gpt2calc count: small: is a link to 'gone.json', which is not there\n")


def test_a_shard_that_is_swapped_after_it_was_looked_at_is_not_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A link that is put in its place could lead anywhere."""
    for name in ("model-00001-of-00001.safetensors", "elsewhere.safetensors"):
        (tmp_path / name).write_bytes(bytes((2, 0, 0, 0, 0, 0, 0, 0)) + b"{}")
    index = tmp_path / "model.safetensors.index.json"
    index.write_text('{"metadata": {}, "weight_map": {"wte.weight": "model-00001-of-00001.safetensors"}}', "utf-8")
    looked = shards._locations

    def swapped(*given: object) -> object:
        found = looked(*given)  # type: ignore[arg-type]
        os.remove("model-00001-of-00001.safetensors")
        os.symlink("elsewhere.safetensors", "model-00001-of-00001.safetensors")
        return found

    monkeypatch.setattr(shards, "_locations", swapped)
    with pytest.raises(UnreadableInputError, match="as it was, got another file under its name"):
        shards.read(str(index), lambda file: pytest.fail(str(LocalFile)))


@pytest.mark.parametrize("output", ["a.csv", "./a.csv", "soft.csv", "hard.csv", os.path.join("..", "{here}", "a.csv")])
def test_a_sweep_does_not_write_over_what_it_reads(output: str, tmp_path: Path, run: Run) -> None:
    """By no name that it has."""
    with open("a.csv", "w", encoding="ascii") as file:
        file.write("n_layer\n12\n")
    os.symlink("a.csv", "soft.csv")
    os.link("a.csv", "hard.csv")
    ran = run("sweep", "--file", "a.csv", "-o", output.format(here=tmp_path.name))
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.endswith("is read, and would be written over: name another file\n")
    assert (tmp_path / "a.csv").read_bytes() == b"n_layer\n12\n"


def test_neither_does_a_picture(tmp_path: Path, run: Run) -> None:
    """A config can have any name."""
    (tmp_path / "a.svg").write_bytes(CONFIG)
    assert run("plot", "shares", "a.svg", "-o", "a.svg").code == 2
    assert (tmp_path / "a.svg").read_bytes() == CONFIG
    (tmp_path / "b.csv").write_bytes(CONFIG)
    assert run("sweep", "b.csv", "-o", "b.csv").code == 2
