"""The home on the web: the checker of links finds what is dead, and workflows and templates are what they should be."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

import gpt2calc

ROOT = Path(__file__).resolve().parent.parent
WORKFLOWS = {path.stem: yaml.safe_load(path.read_text("utf-8")) for path in (ROOT / ".github/workflows").glob("*.yml")}
TEMPLATES = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("*.yml"))


def loaded() -> Any:
    """Return docs/links.py as a module; docs is a folder and no package."""
    spec = importlib.util.spec_from_file_location("links", ROOT / "docs" / "links.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


links = loaded()

GOOD = {
    "index.html": '<a href="verify/#a-heading">1</a> <img srcset="a.svg 2x" src="a%2Esvg">',
    "verify/index.html": '<h2 id="a-heading"></h2> <a href=".."> <a href="#a-heading"> <a href="../a.svg">',
    "away.html": '<a href="https://a.org/x">',
    "own.html": '<link rel="canonical" href="https://a.org/own.html">',
    "404.html": '<a href="/anywhere">1</a>',
    "a.svg": "",
}


def written(folder: Path, pages: dict[str, str]) -> Path:
    """Write a site."""
    for name, content in pages.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
    return folder


def test_a_site_whose_links_lead_somewhere_passes(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Files, folders, parts of pages, pictures in sets; other sites are not asked."""
    assert links.main([str(written(tmp_path, GOOD))]) == 0
    assert capsys.readouterr().out == "5 pages, 0 dead links\n"


@pytest.mark.parametrize(
    ("dead", "said"),
    [
        ('<a href="verify/#another">', "verify/#another names no part of that page"),
        ('<a href="verfy/">', "verfy/ is not there"),
        ('<img src="b.svg">', "b.svg is not there"),
        ('<source srcset="b.svg 2x">', "b.svg is not there"),
        ('<a href="#nothing">', "#nothing names no part of that page"),
        ('<script src="https://a.org/x.js">', "https://a.org/x.js would be fetched from another site"),
        ('<link rel="stylesheet" href="//a.org/x">', "//a.org/x would be fetched from another site"),
    ],
)
def test_a_dead_link_is_named_with_its_page(
    dead: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """And the exit code is 1."""
    assert links.main([str(written(tmp_path, {**GOOD, "page.html": dead}))]) == 1
    assert capsys.readouterr().out.splitlines()[0] == f"page.html: {said}"


def test_a_site_without_pages_does_not_pass(tmp_path: Path) -> None:
    """Nothing was built."""
    assert links.main([str(tmp_path)]) == 1


# The workflows


def scripts(workflow: dict[str, Any]) -> list[str]:
    """Return what a workflow runs."""
    return [step["run"] for job in workflow["jobs"].values() for step in job["steps"] if "run" in step]


def test_there_is_a_workflow_for_the_gate_the_site_and_a_release() -> None:
    """Each runs what CONTRIBUTING.md gives to people: the gate, or a target of the Makefile."""
    assert set(WORKFLOWS) == {"gate", "release", "site"}
    assert scripts(WORKFLOWS["gate"]) == [".ci/run"]
    assert scripts(WORKFLOWS["site"]) == ["make site"]
    assert ".ci/run" in scripts(WORKFLOWS["release"])


@pytest.mark.parametrize("name", WORKFLOWS)
def test_a_workflow_may_read_and_its_last_job_alone_may_publish(name: str) -> None:
    """No secret is kept: whoever publishes is known by the workflow's own identity."""
    assert WORKFLOWS[name]["permissions"] == {"contents": "read"}
    may = {job: held["permissions"] for job, held in WORKFLOWS[name]["jobs"].items() if "permissions" in held}
    assert set(may) == (set() if name == "gate" else {"publish"})
    assert "secrets." not in (ROOT / ".github" / "workflows" / f"{name}.yml").read_text(encoding="utf-8")
    if may:
        assert may["publish"]["id-token"] == "write"
        assert WORKFLOWS[name]["jobs"]["publish"]["needs"] == "build"


@pytest.mark.parametrize(("tag", "passes"), [("v{}", True), ("v9.9.9", False), ("{}", False)])
def test_a_release_is_of_the_version_that_its_tag_names(tag: str, passes: bool, tmp_path: Path) -> None:  # noqa: FBT001  # a case
    """And CHANGELOG.md has a date for it."""
    (script,) = (each for each in scripts(WORKFLOWS["release"]) if "GITHUB_REF_NAME" in each)
    version = f'"""The version."""\n\n__version__ = "{gpt2calc.__version__}"\n'
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    written(tmp_path, {"gpt2calc/version.py": version, "CHANGELOG.md": changes})
    command = ["bash", "-eo", "pipefail", "-c", script]
    name = tag.format(gpt2calc.__version__)
    ran = subprocess.run(command, check=False, cwd=tmp_path, env={"GITHUB_REF_NAME": name, "PATH": "/usr/bin:/bin"})
    assert (ran.returncode == 0) == passes


# The templates


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_a_template_asks_for_something(path: Path) -> None:
    """Each has a name, a sentence, and questions with ids of their own; the forms are those that GitHub knows."""
    read = yaml.safe_load(path.read_text(encoding="utf-8"))
    if path.stem == "config":
        links = [
            each["url"].removeprefix("https://github.com/gpt2calc/gpt2calc/blob/main/")
            for each in read["contact_links"]
        ]
        assert links == ["SECURITY.md"]
        return
    assert set(read) == {"name", "description", "labels", "body"}
    ids = [field["id"] for field in read["body"]]
    assert len(set(ids)) == len(ids) >= 2
    assert {field["type"] for field in read["body"]} <= {"input", "textarea", "dropdown", "checkboxes"}
    assert all(field["attributes"]["label"] for field in read["body"])


def test_there_are_templates_and_a_pull_request_has_one() -> None:
    """Three kinds of issue, and what a pull request is to say, whose commands exist."""
    assert len(TEMPLATES) == 4
    page = (ROOT / ".github" / "PULL_REQUEST_TEMPLATE.md").read_text(encoding="utf-8")
    assert set(re.findall(r"`make (\w+)`", page)) == {"docs", "lint", "test"}
