"""The gallery: every picture is what the command above it draws, and every picture is shown.

After a change that is meant, `GPT2CALC_UPDATE_GOLDEN=1 python -m pytest tests/test_plot_gallery.py` writes them anew.
What is compared is what can be seen, since another version of matplotlib may write the same picture in other bytes.
"""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests import plots

if TYPE_CHECKING:
    from tests.conftest import Run

DOCS = Path(__file__).resolve().parent.parent / "docs"
PAGE = (DOCS / "gallery.md").read_text(encoding="utf-8")
UPDATE = os.environ.get("GPT2CALC_UPDATE_GOLDEN") == "1"
COMMANDS = re.findall(r"^\$ gpt2calc (plot .+) -o ([\w-]+)\.svg$", PAGE, re.MULTILINE)
CHECKPOINT = Path(plots.CHECKPOINT)


def seen(content: bytes) -> list[tuple[str, ...]]:
    """Return what can be seen of an SVG: every path with its colours, every text with its place, in order."""
    found: list[tuple[str, ...]] = []
    for element in plots.elements(content):
        tag, given = element.tag.rpartition("}")[2], element.attrib
        if tag == "path":
            found.append((given.get("d", ""), given.get("style", "")))
        elif tag == "text":
            found.append((element.text or "", given.get("x", ""), given.get("y", "")))
    return found


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("command", COMMANDS, ids=[name for _, name in COMMANDS])
def test_a_picture_of_the_gallery_is_what_its_command_draws(
    command: tuple[str, str], theme: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Path by path and text by text."""
    words, name = command
    monkeypatch.chdir(CHECKPOINT.parent)
    drawn, committed = tmp_path / "drawn.svg", DOCS / "gallery" / f"{name}-{theme}.svg"
    line = shlex.split(words.replace("path/to/checkpoint", CHECKPOINT.stem))
    ran = run(*line, "--theme", theme, "-o", str(drawn))
    assert ran.code == 0
    assert all(line.startswith("note: ") for line in ran.stderr.splitlines())
    if UPDATE:
        committed.write_bytes(drawn.read_bytes())
    assert seen(drawn.read_bytes()) == seen(committed.read_bytes())


def test_every_kind_of_plot_is_in_the_gallery() -> None:
    """Each has a command, and shares and architecture a second one."""
    assert [name for _, name in COMMANDS] == [
        *(
            "shares",
            "grouped",
            "totals",
            "weights-biases",
            "layernorm",
            "growth",
            "treemap",
            "architecture",
            "deepseek",
            "block",
            "iso",
            "values",
            "flops",
            "memory",
            "context",
            "kv",
        )
    ]


def test_every_picture_is_shown_for_both_themes_and_none_is_left_behind() -> None:
    """The page shows what is in the folder, each with a text for those who do not see it."""
    shown = re.findall(r'(?:srcset|src)="gallery/([\w-]+\.svg)"', PAGE)
    assert sorted(shown) == sorted(path.name for path in (DOCS / "gallery").iterdir())
    assert len(re.findall(r'<img alt="[^"]{20,}" src=', PAGE)) == len(COMMANDS)


def test_the_pictures_are_small() -> None:
    """A clone grows by less than a megabyte by them, most of it text that git packs."""
    assert sum(path.stat().st_size for path in (DOCS / "gallery").iterdir()) < 1_000_000


def test_a_changed_picture_would_be_found() -> None:
    """A test of the test: another colour, another length or another word is another picture."""
    content = (DOCS / "gallery" / "shares-light.svg").read_bytes()
    for old, new in ((b"#c55440", b"#c55441"), (b">gpt2-medium<", b">gpt2-media<"), (b"L 576 ", b"L 575 ")):
        assert old in content
        assert seen(content.replace(old, new, 1)) != seen(content)
