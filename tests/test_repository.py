"""The hook and the Action for repositories of models: each runs `verify` as its page says, and tells good from bad."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import yaml

import gpt2calc

if TYPE_CHECKING:
    from tests.conftest import Run

ROOT = Path(__file__).resolve().parent.parent
PAGE = (ROOT / "docs" / "repository.md").read_text(encoding="utf-8")
HOOKS: list[dict[str, Any]] = yaml.safe_load((ROOT / ".pre-commit-hooks.yaml").read_text(encoding="utf-8"))
ACTION: dict[str, Any] = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
SHOWN = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.DOTALL | re.MULTILINE)]
(HOOK,) = HOOKS
STEPS = {step.get("name", step.get("uses")): step for step in ACTION["runs"]["steps"]}


@pytest.mark.parametrize(("fault", "code"), [(None, 0), ("shape", 1), ("truncated", 3)])
def test_the_hook_passes_a_good_repository_and_stops_a_bad_one(
    fault: str | None, code: int, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It stands in the repository, as pre-commit runs it, and ends with anything but 0 where a commit is to stop."""
    gpt2calc.write_example(tmp_path / "model", fault=fault)
    monkeypatch.chdir(tmp_path / "model")
    program, *words = shlex.split(f"{HOOK['entry']} {shlex.join(HOOK['args'])}")
    assert program == "gpt2calc"
    assert run(*words).code == code
    assert HOOK["pass_filenames"] is False  # it looks at the folder, whichever file was changed


def test_the_hook_runs_where_a_checkpoint_or_its_config_changed() -> None:
    """And not for a page of text."""
    names = {name: bool(re.search(HOOK["files"], name)) for name in ("README.md", "tokenizer.json", "a/config.json")}
    assert names == {"README.md": False, "tokenizer.json": False, "a/config.json": True}
    for name in ("model.safetensors", "x/model-00001-of-00002.safetensors", "model.safetensors.index.json", "a.gguf"):
        assert re.search(HOOK["files"], name)


def test_the_page_shows_the_hook_and_the_action_as_they_are() -> None:
    """Ids, inputs, and what an input is unless it is given."""
    hook, argued, workflow = SHOWN
    assert [each["id"] for each in hook["repos"][0]["hooks"]] == [HOOK["id"]] == [each["id"] for each in argued]
    _, step = workflow["jobs"]["verify"]["steps"]
    assert step["uses"].startswith("gpt2calc/gpt2calc@v")
    assert set(step["with"]) <= set(ACTION["inputs"])
    assert set(re.findall(r"^\| `(\w+)` \|", PAGE.partition("A model card\n")[0], re.MULTILINE)) == set(
        ACTION["inputs"]
    )
    assert [name for name, row in ACTION["inputs"].items() if not row["description"]] == []


def scripted(step: dict[str, Any], folder: Path, **inputs: str) -> list[str]:
    """Run a step's script as the runner does, with a program in the place of gpt2calc; return the words it is given."""
    stub = folder / "gpt2calc"
    stub.write_text('#!/bin/sh\nprintf "%s\\n" "$@" > words\n', encoding="utf-8")
    stub.chmod(0o755)
    given = {name: row.get("default", "") for name, row in ACTION["inputs"].items()} | inputs
    filled = {
        name: re.sub(r"\$\{\{ inputs\.(\w+) \}\}", lambda m: given[m[1]], text) for name, text in step["env"].items()
    }
    surroundings = {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}", "GITHUB_STEP_SUMMARY": str(folder / "summary")}
    command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step["run"]]
    subprocess.run(command, check=True, cwd=folder, env={**surroundings, **filled}, timeout=60)
    return (folder / "words").read_text(encoding="utf-8").splitlines()


def test_the_action_verifies_what_its_inputs_say(tmp_path: Path, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder whose name is hostile is a folder, and options are words; the same words, run, judge an example."""
    assert scripted(STEPS["Verify"], tmp_path) == ["verify", "."]
    given = scripted(STEPS["Verify"], tmp_path, target="my $(model) *", options="--config gpt2 --tying")
    assert given == ["verify", "my $(model) *", "--config", "gpt2", "--tying"]
    gpt2calc.write_example(tmp_path / "good")
    gpt2calc.write_example(tmp_path / "bad", fault="missing")
    monkeypatch.chdir(tmp_path)
    codes = [run(*scripted(STEPS["Verify"], tmp_path, target=name)).code for name in ("good", "bad")]
    assert codes == [0, 1]


def test_the_action_writes_the_card_where_it_is_asked_to(tmp_path: Path) -> None:
    """Also where the verdict is bad, which is when somebody reads it."""
    step = STEPS["Write the card"]
    assert step["if"] == "${{ always() && inputs.card == 'true' }}"
    assert scripted(step, tmp_path, target="model") == ["card", "model"]


def test_no_input_of_the_action_is_part_of_a_script() -> None:
    """There it would be code."""
    assert [step["run"] for step in STEPS.values() if "${{" in step.get("run", "")] == []
    assert ACTION["runs"]["using"] == "composite"
    assert [name for name, step in STEPS.items() if "run" in step and step.get("shell") != "bash"] == []
