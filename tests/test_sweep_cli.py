"""`gpt2calc sweep`: what a person types and sees."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest
import tqdm
from pyarrow import ipc, parquet

import gpt2calc
from gpt2calc.cli import main
from tests.conftest import environment
from tests.loops import of_each

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

GRID = ("sweep", "--n-layer", "12:48:12", "--n-embd", "768,1600")


def test_a_table_shows_what_runs_the_total_and_the_shares(run: Run) -> None:
    """With a title that says how many models there are."""
    ran = run(*GRID)
    lines = ran.stdout.splitlines()
    assert (ran.code, ran.stderr, lines[0]) == (0, "", "gpt2, 8 models")
    assert lines[2].split() == ["n_layer", "n_embd", "total", "embedding", "%", "attention", "%", "mlp", "%"]
    assert lines[-1].split() == ["48", "1,600", "1,557,611,200", "5.27", "%", "31.58", "%", "63.14", "%"]


def test_a_long_table_shows_its_first_rows_and_says_so(run: Run) -> None:
    """Twenty unless told otherwise; how many there are stands in the title and in a note."""
    ran = run("sweep", "--n-layer", "1:100", "--where", "n_layer > 10")
    assert ran.stdout.startswith("gpt2, 90 models, the first 20\n")
    assert len(ran.stdout.splitlines()) == 23
    assert ran.stderr == "note: 20 of 90 rows are shown; --rows shows more, -o FILE writes all\n"
    assert len(run("sweep", "--n-layer", "1:100", "--rows", "50").stdout.splitlines()) == 53
    assert run("sweep", "--n-layer", "1:100", "--rows", "100").stderr == ""
    assert run("sweep", "--n-layer", "1:1000000000000", "--rows", "1").stdout.startswith(
        "gpt2, 1,000,000,000,000 models"
    )


def test_a_narrow_terminal_gets_fewer_shares_and_no_second_table(run: Run) -> None:
    """What tells the models apart stays beside their totals; columns that are named are all shown."""
    words = ("sweep", "--n-layer", "12,24", "--n-embd", "768", "--vocab", "50257,50304")
    for width, shares in ((100, 3), (60, 2), (50, 1), (40, 0)):
        shown = run(*words, columns=width).stdout.splitlines()
        assert (len(shown), shown[2].count("%")) == (7, shares)
        assert max(map(len, shown)) <= width
    named = run(*words, "--columns", "n_layer,total,mlp_share,attention_share", columns=40)
    assert named.stdout.count("%") > 8


@pytest.mark.parametrize(
    ("words", "rows"),
    [
        (("--untied", "--n-layer", "1,2"), ["False", "False"]),
        (("--tied", "true,false", "--n-layer", "1"), ["True", "False"]),
        (("--tied", "--n-layer", "1"), ["True"]),
        (("--no-tied", "--n-layer", "1"), ["False"]),
        (("--tie_word_embeddings=no,yes", "--n-layer", "1"), ["False", "True"]),
        (("--tied", "false"), ["False"]),
    ],
    ids=" ".join,
)
def test_switches_take_values_too(words: tuple[str, ...], rows: list[str], run: Run) -> None:
    """Bare, as in every command, or with true, false, or both."""
    ran = run("sweep", *words, "--columns", "tied,total", "--json")
    assert [str(row["tie_word_embeddings"]) for row in json.loads(ran.stdout)["models"]] == rows


def test_every_spelling_is_an_option(run: Run) -> None:
    """And two that disagree are told."""
    plain = run("sweep", "--n-layer", "12,24", "--n-embd", "768:1024:256", "-q").stdout
    assert run("sweep", "--layers", "12,24", "--d-model", "768:1024:256", "-q").stdout == plain
    assert run("sweep", "--n_layer=12,24", "--hidden_size", "768,1024", "-q").stdout == plain
    ran = run("sweep", "--n-layer", "12,24", "--layers", "12:36:12")
    assert ran.code == 2
    assert "disagree: both mean n_layer" in ran.stderr


def test_csv_is_every_column_for_a_program(run: Run) -> None:
    """Numbers without commas, shares as fractions, all rows."""
    rows = list(csv.DictReader(io.StringIO(run(*GRID, "--format", "csv").stdout)))
    assert len(rows) == 8
    assert rows[7]["total"] == rows[7]["tied_parameters"] == "1557611200"
    assert float(rows[0]["mlp_share"]) == 56669184 / 124439808
    assert rows[0]["attn_c_attn"] == "21261312"


def test_binary_formats_can_be_piped(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    """Parquet and Arrow on standard output, where that is no terminal."""
    for form, read in (("parquet", parquet.read_table), ("arrow", lambda file: ipc.open_file(file).read_all())):
        assert main([*GRID, "--format", form]) == 0
        sys.stdout.flush()
        out, err = capfdbinary.readouterr()
        assert err == b""
        assert read(pa.BufferReader(out))["total"].to_pylist()[-1] == 1557611200


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    """`head` closes the pipe, and the sweep ends."""
    words = [sys.executable, "-m", "gpt2calc", "sweep", "--n-layer", "1:1000", "--n-embd", "64:64000:64"]
    some = ["--where", "n_embd % 3200 == 64"]  # more than a pipe holds, and soon begun
    for form in ("csv", "jsonl"):
        with subprocess.Popen(
            [*words, *some, "--format", form], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
        ) as child:
            assert child.stdout
            assert child.stderr
            child.stdout.readline()
            child.stdout.close()
            assert (child.stderr.read(), child.wait(60)) == (b"", 0)


def test_jobs_change_nothing_that_is_seen(run: Run, tmp_path: Path) -> None:
    """Two processes give what one does, as a table and as a file."""
    words = (
        "sweep",
        "--n-layer",
        "1:60",
        "--n-embd",
        "8:800:8",
        "--where",
        "total > 5e7",
        "--sort",
        "total",
        "--rows",
        "5",
    )
    one, two = run(*words), run(*words, "--jobs", "2")
    assert one == two
    for jobs in ("1", "2"):
        assert run(*words, "--jobs", jobs, "-o", str(tmp_path / f"{jobs}.csv")).code == 0
    assert (tmp_path / "1.csv").read_bytes() == (tmp_path / "2.csv").read_bytes()


def test_a_file_of_configs_is_counted(run: Run, tmp_path: Path) -> None:
    """Its own fields are shown, and the rest is the base model's."""
    path = tmp_path / "configs.csv"
    path.write_text("layers,d_model\n12,768\n48,1600\n", encoding="utf-8")
    ran = run("sweep", "--file", str(path), "--sort", "total:desc")
    assert ran.stdout.splitlines()[0] == f"{path}, 2 models"
    assert [line.split()[2] for line in ran.stdout.splitlines()[3:]] == ["1,557,611,200", "124,439,808"]
    path.write_text("layers,d_model\n12,768\nmany,1600\n", encoding="utf-8")
    ran = run("sweep", "--file", str(path))
    assert (
        ran.code,
        ran.stderr.endswith("row 2: n_layer must be a whole number that fits in int64, got 'many'\n"),
    ) == (3, True)


@of_each(
    "words, code, message",
    [
        (("--n-layer", "foo"), 2, "n_layer takes whole numbers, as 12, 768,1024 or 12:96:12, got 'foo'"),
        (("--tied", "maybe"), 2, "tied takes true, false or true,false, got 'maybe'"),
        (("--no-bias", "gpt2"), 2, "no_bias takes true, false or true,false, got 'gpt2'"),
        (("--head", "lm,xx"), 2, "head must be one of none, lm"),
        (("--where", "total >"), 2, "'total >' is no condition: invalid syntax, at character 7"),
        (("--where", ""), 2, "a condition is empty: total < 400e6 is one"),
        (("--columns", "totl"), 2, "no column is called 'totl': did you mean total?"),
        (("--columns", ""), 2, "no column is called '': known are n_layer"),
        (("--top", "0"), 2, "--top must be a whole number, 1 or more, got '0'"),
        (("--rows", "x"), 2, "--rows must be a whole number, 1 or more, got 'x'"),
        (("--jobs", "-1"), 2, "--jobs must be a whole number, 1 or more, got '-1'"),
        (("-o", "out.xlsx"), 2, "expected a file that ends in one of .csv, .jsonl, .ndjson, .parquet"),
        (("-o", "out.csv", "--json"), 2, "expected a file that ends in one of .csv"),
        (("--file", "nowhere.csv"), 3, "nowhere.csv: cannot be read: No such file or directory"),
        (("--file", "nowhere.csv", "--n-layer", "1,2"), 2, "n_layer has one value beside a file"),
        (("gpt2x",), 2, "no model is called 'gpt2x' and there is no such file: did you mean gpt2?"),
        (("--n-layer", "1:1000000000000", "--n-embd", "1:1000000000"), 2, "does not fit in int64"),
        (("--sorted", "total"), 2, "there is no option --sorted: did you mean --sort?"),
    ],
)
def test_a_mistake_is_one_line(words: tuple[str, ...], code: int, message: str, run: Run) -> None:
    """With what was typed and what was expected."""
    ran = run("sweep", *words)
    assert (ran.code, ran.stdout, len(ran.stderr.splitlines())) == (code, "", 1)
    assert message in ran.stderr


class Terminal(io.StringIO):
    """A terminal."""

    def isatty(self) -> bool:
        """Say so."""
        return True


def test_a_progress_bar_is_for_terminals_alone(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where standard error is a file, nothing is drawn on it; on a terminal, what the sweep has done."""
    drawn: list[tuple[int, int]] = []

    class Bar(tqdm.tqdm):  # type: ignore[misc]  # its types are not installed
        def update(self, n: int) -> None:
            drawn.append((self.total, n))
            super().update(n)

    monkeypatch.setattr(tqdm, "tqdm", Bar)
    ran = run(*GRID)
    assert (ran.code, ran.stderr, drawn) == (0, "", [])
    monkeypatch.setattr(sys, "stderr", Terminal())
    assert main(GRID) == 0
    assert drawn == [(8, 8)]


def test_the_totals_alone_are_for_a_shell(run: Run) -> None:
    """A line each, and no note."""
    ran = run(*GRID, "-q", "--n-head", "5,12")
    counts = [gpt2calc.count(n_layer=n, n_embd=d).total for n in (12, 24, 36, 48) for d in (768, 1600)]
    assert (ran.stdout.split(), ran.stderr) == ([str(count) for count in counts], "")


NINES = {count: "9" * count for count in (300, 309, 400, 4000, 4299)}


@of_each(
    "condition, said",
    [
        (f"total*{NINES[300]} > 1", "this can come to a number of more than 40 digits, which does not fit in int64"),
        (f"total*{NINES[4299]} > 1", "this number is too large"),
        (f"total < {NINES[4000]}", "this number is too large"),
        (f"mlp_share*{NINES[309]} > 1", "this number is too large"),
        (f"{NINES[400]} / total > 1", "this number is too large"),
        (f"mlp_share < {NINES[400]}", "this number is too large"),
        ("total<1e9) or (total>0", "its parentheses do not match"),
        ("total) > (1", "its parentheses do not match"),
        ("(total > 1", "'(' was never closed"),
        ("total > 1)", "unmatched ')'"),
    ],
)
def test_a_condition_that_cannot_be_is_one_short_line(condition: str, said: str, run: Run) -> None:
    """Whatever the numbers in it: no traceback, and nobody reads a number of four thousand digits."""
    ran = run("sweep", "--n-layer", "1:4", "--where", condition)
    assert (ran.code, ran.stdout, len(ran.stderr.splitlines())) == (2, "", 1)
    assert said in ran.stderr
    assert len(ran.stderr) < 250


@pytest.mark.parametrize("condition", ["mlp_share*1e308*10*1e308 > 1", "mlp_share/1e-308/1e-308 > 1", "total/0.5 > 1"])
def test_a_float_that_leaves_its_range_is_infinite_and_no_warning(condition: str, run: Run) -> None:
    """The rows are those that Python's own numbers give; a warning would be an error here."""
    assert run("sweep", "--n-layer", "1:2", "--where", condition, "-q") == (0, "46473216\n53561088\n", "")
