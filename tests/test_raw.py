"""A name that a stranger chose reaches no terminal raw: not of a file, a folder, a tensor or a model, in no format."""

from __future__ import annotations

import csv
import io
import json
import os
import struct
from typing import TYPE_CHECKING

import pytest

from gpt2calc.reports import csv as csv_report
from gpt2calc.reports import json as json_report
from gpt2calc.table import Table

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

EVIL = "a\x1b[31m\u202e\n\x9b0m\x7f"
SHOWN = "a\\x1b[31m\\u202e\\n\\x9b0m\\x7f"
FORMATS = ("-q", "--format=human", "--format=markdown", "--format=latex", "--format=csv", "--format=json")
CONFIG = '{"model_type": "gpt2", "n_layer": 1, "n_embd": 4, "n_head": 1, "n_positions": 4, "vocab_size": 7}'


@pytest.fixture(autouse=True)
def _(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Lay out files and a folder with names that would colour, turn around and break lines."""
    monkeypatch.chdir(tmp_path)
    header = json.dumps({f"wte.weight{EVIL}": {"dtype": "F32", "shape": [1, 1], "data_offsets": [0, 4]}}).encode()
    good = json.dumps({"wte.weight": {"dtype": "F32", "shape": [7, 4], "data_offsets": [0, 112]}}).encode()
    os.mkdir(f"{EVIL}.folder")
    for folder in ("", f"{EVIL}.folder/"):
        with open(f"{folder}{EVIL}.json", "w", encoding="utf-8") as file:
            file.write(CONFIG)
        with open(f"{folder}{EVIL}.safetensors", "wb") as binary:
            binary.write(struct.pack("<Q", len(good)) + good + bytes(112))
        with open(f"{folder}config.json", "w", encoding="utf-8") as file:
            file.write(CONFIG)
    with open(f"{EVIL}.bad.safetensors", "wb") as binary:
        binary.write(struct.pack("<Q", len(header)) + header + bytes(4))
    with open(f"{EVIL}.csv", "w", encoding="utf-8") as file:
        file.write("n_layer\n1\n")


def clean(text: str) -> bool:
    """Whether all of it is printable but the ends of lines."""
    return all(line.isprintable() for line in text.split("\n"))


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize(
    "words",
    [
        ("count", f"{EVIL}.json"),
        ("count", f"{EVIL}.folder"),
        ("compare", f"{EVIL}.json", "gpt2"),
        ("tensors", f"{EVIL}.json"),
        ("formula", "total", "--model", f"{EVIL}.json"),
        ("verify", f"{EVIL}.safetensors"),
        ("verify", f"{EVIL}.folder"),
        ("verify", f"{EVIL}.bad.safetensors"),
        ("verify", f"{EVIL}.safetensors", "--config", f"{EVIL}.json", "--values", "--tying"),
        ("plot", "shares", f"{EVIL}.json"),
        ("plot", "growth", f"{EVIL}.json", "--n-layer", "1:3"),
        ("explain", "124439808", f"{EVIL}.json"),
        ("design", f"{EVIL}.json", "--params", "1e6"),
        ("sweep", "--file", f"{EVIL}.csv"),
        ("sweep", f"{EVIL}.json", "--n-layer", "1,2"),
    ],
    ids=lambda words: " ".join(words[:2]).replace(EVIL, "EVIL"),
)
def test_no_command_prints_a_name_raw(words: tuple[str, ...], form: str, run: Run) -> None:
    """Neither on standard output nor on standard error."""
    ran = run(*words, form)
    assert ran.stdout + ran.stderr
    assert clean(ran.stdout), ascii(ran.stdout)
    assert clean(ran.stderr), ascii(ran.stderr)


@pytest.mark.usefixtures("_a_page_at_once")
@pytest.mark.parametrize(
    "words",
    [
        ("count", EVIL),
        (f"{EVIL}",),
        ("count", "gpt2", f"--{EVIL}"),
        ("count", f"{EVIL}/{EVIL}"),
        ("count", f"{EVIL}.csv"),
        ("verify", f"{EVIL}.csv"),
        ("infer", f"{EVIL}.bad.safetensors"),
        ("claims", "--file", f"{EVIL}.csv"),
        ("sweep", "--where", EVIL),
        ("sweep", "-o", f"{EVIL}.xlsx"),
        ("sweep", "--n-layer", "1", "-o", f"{EVIL}.new.csv"),
        ("plot", "shares", "gpt2", "-o", f"{EVIL}.svg"),
        ("page", "-o", f"{EVIL}.html"),
        ("explain", EVIL),
        ("plot", EVIL),
    ],
    ids=lambda words: " ".join(words).replace(EVIL, "EVIL"),
)
def test_no_error_and_no_note_prints_a_name_raw(words: tuple[str, ...], run: Run) -> None:
    """Whatever is wrong with it, and where it was written to."""
    ran = run(*words)
    assert clean(ran.stdout + ran.stderr), ascii(ran.stdout + ran.stderr)
    assert "\\x1b" in ran.stdout + ran.stderr


def test_the_name_is_still_known_by_its_escapes(run: Run) -> None:
    """What is shown is the whole name."""
    assert f"{SHOWN}.json" in run("count", f"{EVIL}.json").stdout
    assert f"{SHOWN}.folder" in run("verify", f"{EVIL}.folder").stdout + run("verify", f"{EVIL}.folder").stderr


def test_json_means_the_name_as_it_is() -> None:
    """Its escapes are JSON's own: who reads it has the same text."""
    text = json_report.write({"model": EVIL + "é·💥"})
    assert (clean(text), json.loads(text)) == (True, {"model": EVIL + "é·💥"})
    assert "é·💥" in text


@pytest.mark.parametrize("name", ["=1+1.json", "+1", "@SUM(A1)", "-1+1", "=cmd|' /C calc'!A0"])
def test_no_spreadsheet_computes_a_name(name: str, run: Run) -> None:
    """An apostrophe before it makes it words, in a header and in a cell."""
    written = csv_report.write([Table("", (name, "total"), ((name, 7),))])
    assert list(csv.reader(io.StringIO(written))) == [[f"'{name}", "total"], [f"'{name}", "7"]]
    with open("=1+1.json", "w", encoding="utf-8") as file:
        file.write(CONFIG)
    assert "'=1+1.json" in run("compare", "=1+1.json", "gpt2", "--format", "csv").stdout.splitlines()[0].split(",")


def test_what_is_no_formula_stays_as_it_is() -> None:
    """A dash for nothing, and numbers."""
    written = csv_report.write([Table("", ("a", "b"), (("-", "-12"), ("-1,234.5", "n=1")))])
    assert written == 'a,b\n-,-12\n"-1,234.5",n=1\n'
