"""`gpt2calc verify` and `infer` as people run them: exit codes, what a script gets, and nonsense."""

from __future__ import annotations

import json
import os
import sys
from math import prod
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest

import gpt2calc
from gpt2calc.cli import verify as command
from tests.goods import X, plain
from tests.makers import safetensors

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Program, Run


@pytest.fixture
def good(tmp_path: Path) -> str:
    """Give the folder of a good checkpoint with its config."""
    safetensors.write(tmp_path / "model.safetensors", plain("bare").tensors)
    (tmp_path / "config.json").write_text(json.dumps(X.config()), encoding="utf-8")
    return str(tmp_path)


def test_a_match_ends_with_0_and_a_mismatch_with_1(good: str, run: Run) -> None:
    """With -q the verdict stands alone, on standard output in both cases."""
    matching = run("verify", good, "-q")
    assert matching == (0, f"{good} matches: 4,204 parameters in 28 tensors, as the config says\n", "")
    ran = run("verify", good, "--n-positions", "21", "-q")
    assert (ran.code, ran.stderr) == (1, "")
    said = "it has n_positions 20 and not 21, by wpe.weight (4,204 parameters, expected 4,216)"
    assert ran.stdout == f"{good} does not match: {said}\n"


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        ((), 2, "TARGET"),
        (("missing/file.safetensors",), 3, "no such file"),
        (("GOOD", "--evidence", "proof"), 2, "'proof'"),
        (("GOOD", "--config", "gpt9"), 2, "'gpt9'"),
        (("GOOD", "--config", "missing/config.json"), 3, "missing/config.json"),
        (("GOOD", "--n-layer", "two"), 2, "'two'"),
        (("GOOD", "--n-layer", "-1"), 2, "n_layer"),
        (("GOOD", "GOOD"), 2, "did not expect"),
        (("gpt2", "--values"), 2, "values are read from a file on this machine"),
        (("gpt2", "--evidence", "weights"), 2, "gives meta evidence, got weights"),
        (("a\0b",), 2, "a\\x00b"),
        (("",), 2, "''"),
    ],
)
def test_nonsense_is_one_sentence(words: tuple[str, ...], code: int, said: str, good: str, run: Run) -> None:
    """It names the thing, and nothing is printed as an answer."""
    ran = run("verify", *(good if word == "GOOD" else word for word in words))
    assert (ran.code, ran.stdout) == (code, "")
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("gpt2calc verify: ")


def test_files_that_are_no_checkpoint_end_with_3(tmp_path: Path, run: Run) -> None:
    """A text, an empty file, a folder without one, a pointer of Git LFS, keras' file, a file that was cut off."""
    cases = {
        "notes.txt": b"hello",
        "empty.safetensors": b"",
        "pointer.safetensors": b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n",
        "tf_model.h5": b"\x89HDF\r\n\x1a\n" + bytes(100),
        "flax_model.msgpack": b"\x81" + bytes(100),
        "cut.safetensors": safetensors.content(plain("bare").tensors)[:-1],
    }
    for name, content in cases.items():
        (tmp_path / name).write_bytes(content)
        ran = run("verify", str(tmp_path / name))
        assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (3, "", 1), name
        assert name in ran.stderr
    (tmp_path / "nothing").mkdir()
    assert run("verify", str(tmp_path / "nothing")).code == 3


@pytest.mark.parametrize("name", ["tf_model.h5", "flax_model.msgpack"])
def test_formats_that_are_not_supported_are_said_to_be(tmp_path: Path, name: str, run: Run) -> None:
    """The sentence says what is."""
    (tmp_path / name).write_bytes(b"\x89HDF\r\n\x1a\n")
    for target in (tmp_path, tmp_path / name):
        ran = run("verify", str(target))
        assert ran.code == 3
        assert "safetensors, PyTorch, GGUF, TensorFlow or llm.c" in ran.stderr


def test_a_config_is_taken_by_name_path_and_standard_input(good: str, run: Run) -> None:
    """As for count."""
    config = json.dumps(X.config()).encode()
    assert run("verify", f"{good}/model.safetensors", "--config", f"{good}/config.json", "-q").code == 0
    assert run("verify", f"{good}/model.safetensors", "--config", "-", "-q", stdin=config).code == 0
    assert run("verify", f"{good}/model.safetensors", "--config", "gpt2", "-q").code == 1


def test_infer_prints_a_config_that_counts_the_same(good: str, tmp_path: Path, run: Run) -> None:
    """What it prints is a config.json; that n_head is a guess is said beside it."""
    (tmp_path / "config.json").unlink()
    ran = run("infer", good)
    assert ran.code == 0
    assert "no shape shows n_head: it is unknown, and 1 is a guess" in ran.stderr
    document = json.loads(ran.stdout)
    assert gpt2calc.count(document).total == 4204
    assert (document["n_layer"], document["n_head"], document["n_inner"]) == (2, 1, 44)
    assert run("infer", good, "-q").stderr == ""


def test_infer_reads_no_config_beside_the_file(good: str, tmp_path: Path, run: Run) -> None:
    """One that is wrong changes nothing."""
    (tmp_path / "config.json").write_text('{"n_layer": 99}', encoding="utf-8")
    assert json.loads(run("infer", good).stdout)["n_layer"] == 2


def test_there_is_nothing_to_infer_from_a_config(run: Run) -> None:
    """A model that ships is one."""
    ran = run("infer", "gpt2")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == "gpt2calc infer: gpt2 is a config alone, and there is nothing to infer it from\n"


def test_a_model_that_ships_is_said_to_win_over_its_repository(run: Run) -> None:
    """Who types the repository's name is told how to mean it."""
    note = "openai-community/gpt2 is a model that ships; --hub means the repository of that name"
    ran = run("verify", "openai-community/gpt2")
    assert ran.code == 0
    assert note in ran.stderr
    assert note in run("infer", "openai-community/gpt2").stderr
    assert "--hub" not in run("verify", "gpt2").stderr


def test_values_draw_a_bar_on_a_terminal_alone(good: str, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A pipe gets none, a terminal gets one, and without tqdm it does without."""
    assert run("verify", good, "--values").stderr == ""
    terminal = mock.Mock(isatty=lambda: True)
    monkeypatch.setattr(sys, "stderr", terminal)
    bar = command._bar()
    assert bar is not None
    bar(5, 10)
    bar(10, 10)
    assert terminal.write.called
    monkeypatch.setitem(sys.modules, "tqdm", None)
    assert command._bar() is None


def test_the_whole_answer_goes_through_a_pipe(good: str, program: Program) -> None:
    """As a program of its own: JSON on standard output, and the exit code of a mismatch."""
    ran = program("verify", good, "--n-layer", "3", "--json")
    document: Any = json.loads(ran.stdout)
    assert (ran.returncode, document["matches"]) == (1, False)
    assert {fault["tensor"].split(".")[1] for fault in document["faults"]} == {"2"}


def test_a_file_that_may_not_be_read_is_said_to_be(good: str, run: Run) -> None:
    """The system's own word stands in the sentence."""
    path = os.path.join(good, "model.safetensors")
    real = os.open

    def refused(name: str, *more: int) -> int:
        if name == path:
            raise PermissionError(13, "Permission denied")
        return real(name, *more)

    with mock.patch("os.open", refused):
        ran = run("verify", path, "--config", "gpt2")
    assert (ran.code, ran.stderr) == (3, f"gpt2calc verify: {path}: cannot be read: Permission denied\n")


@pytest.mark.parametrize(
    ("kept", "said"),
    [
        (("h.0.",), "it holds block 0 of 2 and nothing else"),
        (("h.1.", "ln_f."), "it holds block 1 of 2, ln_f and nothing else"),
        (("h.0.", "wte", "wpe"), "it holds block 0 of 2, wpe, wte and nothing else"),
    ],
)
def test_some_blocks_of_a_model_are_told_as_that(kept: tuple[str, ...], said: str, tmp_path: Path, run: Run) -> None:
    """A stage of a pipeline, or a file of some blocks, is a part and no list of what is missing; it does not match."""
    tensors = [each for each in plain("bare").tensors if each[0].startswith(kept)]
    safetensors.write(tmp_path / "model.safetensors", tensors)
    (tmp_path / "config.json").write_text(json.dumps(X.config()), encoding="utf-8")
    ran = run("verify", str(tmp_path), "-q")
    elements = sum(prod(shape) for _, _, shape in tensors)
    assert ran.code == 1
    assert f"does not match the whole model: {said} ({elements:,} parameters, expected 4,204)" in ran.stdout
    tensors = [each for each in tensors if not each[0].endswith("ln_1.bias")]
    safetensors.write(tmp_path / "model.safetensors", tensors)
    assert "things are wrong" in run("verify", str(tmp_path), "-q").stdout
