"""`gpt2calc plot`: what it draws, where it writes it, and one sentence for whatever goes wrong."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc import plots
from gpt2calc.cli import plot
from gpt2calc.errors import UnreadableInputError, install
from gpt2calc.plots import saving
from tests.conftest import environment
from tests.loops import of_each
from tests.plots import CHECKPOINT, FOUR

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run

STARTS = {"png": b"\x89PNG\r\n\x1a\n", "svg": b"<?xml", "pdf": b"%PDF-"}
KINDS = {
    "shares": FOUR,
    "totals": FOUR,
    "weights-biases": FOUR,
    "layernorm": FOUR,
    "growth": ("gpt2", "--n-layer", "6:96"),
    "treemap": ("gpt2",),
    "architecture": ("Jamba-v0.1",),
    "block": ("gpt2",),
    "iso": ("gpt2",),
    "values": (CHECKPOINT,),
    "flops": ("gpt2", "--train"),
    "memory": ("gpt2", "--seq", "64"),
    "kv": ("gpt2", "--context", "64"),
}


def test_the_cases_below_cover_every_kind() -> None:
    """No kind is left out."""
    assert set(KINDS) == set(plot.KINDS)
    assert plot.PICTURES == saving.FORMATS


@pytest.mark.parametrize(
    ("kind", "words", "form"),
    [
        (kind, words, form)
        for kind, words in KINDS.items()
        for form in saving.FORMATS
        if kind == "shares" or form == "svg"
    ],
)
def test_every_kind_is_written_and_one_in_every_format(
    kind: str, words: tuple[str, ...], form: str, run: Run, tmp_path: Path
) -> None:
    """The file begins as its format does, and its name is printed."""
    path = tmp_path / f"picture.{form}"
    ran = run("plot", kind, *words, "-o", str(path), "--dpi", "50")
    assert (ran.code, ran.stdout) == (0, f"{path}\n")
    assert path.read_bytes().startswith(STARTS[form])
    assert os.listdir(tmp_path) == [path.name]


def test_the_command_draws_what_python_draws(run: Run, tmp_path: Path) -> None:
    """The same bytes, with the same options."""
    ours, theirs = tmp_path / "ours.svg", tmp_path / "theirs.svg"
    plots.save(plots.shares(*FOUR, grouped=True, theme="dark", width=6, height=5), ours)
    size = ("--width", "6", "--height", "5")
    assert run("plot", "shares", *FOUR, "--grouped", "--theme", "dark", *size, "-o", str(theirs)).code == 0
    assert ours.read_bytes() == theirs.read_bytes()


def test_the_format_can_be_said_apart_from_the_name(run: Run, tmp_path: Path) -> None:
    """--format wins over the ending; without a file a picture goes to standard output."""
    path = tmp_path / "picture"
    assert run("plot", "totals", "gpt2", "--format", "svg", "-o", str(path)).code == 0
    assert path.read_bytes().startswith(STARTS["svg"])
    assert run("plot", "totals", "gpt2", "--format", "svg").stdout.encode() == path.read_bytes()


def test_quiet_writes_the_picture_without_a_word(run: Run, tmp_path: Path) -> None:
    """And without a file, -q leaves a line for each number."""
    assert run("plot", "totals", "gpt2", "-q", "-o", str(tmp_path / "x.svg")) == (0, "", "")
    assert run("plot", "shares", "gpt2", "-q").stdout.splitlines() == [
        *("gpt2 embedding 39383808", "gpt2 attention 28348416", "gpt2 mlp 56669184", "gpt2 layer_norm 38400")
    ]


def test_a_model_that_is_not_named_is_gpt2(run: Run) -> None:
    """As for `gpt2calc count`, with fields over it."""
    assert json.loads(run("plot", "totals", "--json").stdout)["marks"][0]["part"] == 124_439_808
    changed = json.loads(run("plot", "totals", "--n-layer", "24", "--json").stdout)["marks"][0]
    assert changed["part"] == gpt2calc.count(n_layer=24).total


def test_a_config_on_standard_input_is_drawn(run: Run) -> None:
    """A hyphen stands for it, as everywhere."""
    config = b'{"model_type": "gpt2", "n_layer": 3, "n_positions": 1024, "n_embd": 768, "vocab_size": 50257}'
    ran = run("plot", "totals", "-", "--json", stdin=config)
    assert json.loads(ran.stdout)["marks"][0]["part"] == gpt2calc.count(n_layer=3).total


@pytest.mark.parametrize(
    ("written", "sizes"),
    [
        ("6:96", range(6, 97)),
        ("6:97:10", range(6, 98, 10)),
        ("1,000:1,200:100", range(1000, 1201, 100)),
        ("1_000:3_000:1000", range(1000, 3001, 1000)),
        ("0:1", range(2)),
    ],
)
def test_a_range_has_both_its_ends(written: str, sizes: range, run: Run) -> None:
    """From the first size to the last, step by step."""
    marks = json.loads(run("plot", "growth", "--n-layer", written, "--json").stdout)["marks"]
    assert list(dict.fromkeys(int(mark["label"]) for mark in marks)) == list(sizes)


def test_crossings_are_in_the_json(run: Run) -> None:
    """Each with the size, and who is above from there on."""
    assert json.loads(run("plot", "growth", "gpt2", "--n-layer", "1:10", "--json").stdout)["crossings"] == [
        {"field": "n_layer", "at": 6, "above": "attention + mlp", "below": "embedding"},
        {"field": "n_layer", "at": 9, "above": "mlp", "below": "embedding"},
    ]


def test_a_checkpoint_that_does_not_match_is_drawn_and_ends_with_1(run: Run, tmp_path: Path) -> None:
    """As for `gpt2calc verify`, and the verdict is told."""
    path = tmp_path / "values.svg"
    ran = run("plot", "values", CHECKPOINT, "--n-layer", "1", "-o", str(path))
    assert (ran.code, path.exists()) == (1, True)
    assert "does not match" in ran.stderr


def test_notes_go_to_standard_error(run: Run, tmp_path: Path) -> None:
    """Beside a chart in the terminal and beside a picture, and into JSON."""
    noted = b'{"model_type": "gpt2", "n_layer": 1, "n_embd": 8, "vocab_size": 9}'
    told = "standard input: n_positions is not given; transformers' default 1024 is counted"
    for more in ((), ("-o", str(tmp_path / "x.svg"))):
        assert run("plot", "shares", "-", *more, stdin=noted).stderr == f"note: {told}\n"
    assert json.loads(run("plot", "shares", "-", "--json", stdin=noted).stdout)["notes"] == [told]


# ---------------------------------------------------------------- mistakes

MISTAKES: dict[tuple[str, ...], str] = {
    ("sharez", "gpt2"): "no kind of plot is called 'sharez': did you mean shares?",
    ("pie", "gpt2"): "no kind of plot is called 'pie': known are shares, totals, weights-biases, layernorm, growth, "
    "treemap, architecture, block, iso, values, flops, memory, kv",
    ("gpt2",): "no kind of plot is called 'gpt2': known are shares, totals, weights-biases, layernorm, growth, "
    "treemap, architecture, block, iso, values, flops, memory, kv",
    ("shares", "gpt2-xll"): "no model is called 'gpt2-xll' and there is no such file: did you mean gpt2-xl?",
    ("shares", "-", "-"): "standard input, -, can be given once",
    ("shares", "gpt2", "--theme", "drak"): "no theme is called 'drak': did you mean dark?",
    ("shares", "gpt2", "-o", "x.bmp"): "x.bmp: expected a name that ends with .png, .svg or .pdf",
    ("shares", "gpt2", "-o", "x"): "x: expected a name that ends with .png, .svg or .pdf",
    ("shares", "gpt2", "-o", ""): ": expected a name that ends with .png, .svg or .pdf",
    ("shares", "gpt2", "-o", "a\0b.svg"): "a\\x00b.svg: expected a name that ends with .png, .svg or .pdf",
    ("shares", "gpt2", "-o", "x.svg", "--json"): "-o writes a picture, and --format json is printed: give one of them",
    ("shares", "gpt2", "-o", "x.svg", "--width", "1"): "width must be 3 to 40 inches, got 1",
    ("shares", "gpt2", "-o", "x.svg", "--width", "1e3"): "width must be 3 to 40 inches, got 1000",
    ("shares", *FOUR, "-o", "x.svg", "--height", "1"): "this picture needs a height of 1.59 inches or more, got 1",
    ("shares", "gpt2", "-o", "x.png", "--dpi", "0"): "--dpi takes 10 to 1200, got 0",
    ("shares", "gpt2", "-o", "x.png", "--dpi", "1200", "--width", "40", "--height", "40"): (
        "a PNG has 100,000,000 dots at most, got 48,000 by 48,000"
    ),
    ("shares", "gpt2", "--n-layer", "6:96"): "a range of sizes goes with growth, not with shares",
    ("totals", "gpt2", "--grouped"): "--grouped goes with shares, not with totals",
    ("growth", "gpt2"): "one size grows at a time, and is given as a range such as n_layer 6:96; got none",
    ("growth", "gpt2", "--n-layer", "1:3", "--n-embd", "1:3"): (
        "one size grows at a time, and is given as a range such as n_layer 6:96; got 2 of them: n_layer, n_embd"
    ),
    ("growth", "gpt2", "xl", "--n-layer", "6:96"): "growth draws one model, got 2",
    ("flops", "gpt2", "xl"): "flops draws one model, got 2",
    ("memory", "gpt2", "--n-layer", "6:96"): "a range of sizes goes with growth, not with memory",
    ("shares", "gpt2", "--max-cache-len", "3"): "--max-cache-len goes with flops and memory, not with shares",
    ("totals", "gpt2", "--activation-function", "relu"): (
        "--activation-function goes with flops and memory, not with totals"
    ),
    ("flops", "gpt2", "--seq", "1025"): "seq 1,025 is more than n_positions 1,024 of the model",
    ("memory", "Llama-3.1-8B"): (
        "what training holds is known of GPT-2s alone; --context 0:32768 draws what serving holds"
    ),
    ("growth", "gpt2", "--n-head", "1:3"): (
        "what can grow is n_layer, n_embd, n_positions, vocab_size, n_inner, num_labels, got 'n_head'"
    ),
    ("treemap", "gpt2", "xl"): "treemap draws one model, got 2",
    ("values",): "values draws a checkpoint, and none is given",
    ("totals", *["gpt2"] * 101): "expected 1 to 100 models to draw, got 101",
}


@pytest.mark.parametrize(("words", "said"), MISTAKES.items(), ids=[" ".join(words)[:60] for words in MISTAKES])
def test_a_mistake_is_told_in_one_sentence(
    words: tuple[str, ...], said: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit code 2, nothing printed, nothing written."""
    monkeypatch.chdir(tmp_path)
    assert run("plot", *words) == (2, "", f"gpt2calc plot: {said}\n")
    assert os.listdir(tmp_path) == []


@of_each(
    "value, said",
    [
        ("5:2", "--n-layer does not get from 5 to 2 in '5:2': 5:2:-1 counts down"),
        ("5:2:-1", "--n-layer takes a range from the smaller to the larger size, such as 6:96, got '5:2:-1'"),
        ("5:5", "--n-layer takes a range from the smaller to the larger size, such as 6:96, got '5:5'"),
        ("1:9:0", "--n-layer has a step of 0 in '1:9:0'"),
        ("1:9:9", "--n-layer takes a range from the smaller to the larger size, such as 6:96, got '1:9:9'"),
        ("1:4,9", "--n-layer takes whole numbers, as 12, 768,1024 or 12:96:12, got '1:4,9'"),
        (":", "--n-layer takes whole numbers, as 12, 768,1024 or 12:96:12, got ':'"),
        ("1:2:3:4", "--n-layer takes whole numbers, as 12, 768,1024 or 12:96:12, got '1:2:3:4'"),
        ("1:²", "--n-layer takes whole numbers, as 12, 768,1024 or 12:96:12, got '1:²'"),
        ("1.5", "--n-layer takes a whole number, got '1.5'"),
    ],
)
def test_a_range_that_is_none_is_told_in_one_sentence(value: str, said: str, run: Run) -> None:
    """What was given, and what goes."""
    ran = run("plot", "growth", "gpt2", f"--n-layer={value}")
    assert ran == (2, "", f"gpt2calc plot: {said} (see gpt2calc plot --help)\n")


def test_without_a_kind_the_missing_word_is_told(run: Run) -> None:
    """A model can be left out, a kind cannot."""
    said = "gpt2calc plot: the following arguments are required: KIND (see gpt2calc plot --help)\n"
    assert run("plot") == (2, "", said)
    assert run("plot", "totals").code == 0


def test_without_matplotlib_a_picture_is_no_traceback_and_the_terminal_is_drawn(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The sentence names the extra; the terminal, and JSON, need none."""
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    said = f"gpt2calc plot: pictures need matplotlib: {install('plot')}\n"
    assert run("plot", "shares", "gpt2", "-o", str(tmp_path / "x.svg")) == (2, "", said)
    assert run("plot", "shares", "gpt2", "--format", "png") == (2, "", said)
    for more in ((), ("--json",), ("-q",), ("--format", "csv")):
        assert run("plot", "shares", "gpt2", *more).code == 0
    assert os.listdir(tmp_path) == []


# ---------------------------------------------------------------- writing


def refused(run: Run, path: str) -> str:
    """Return what is said of an output that cannot be written; it is one sentence, and ends with 3."""
    ran = run("plot", "totals", "gpt2", "-o", path)
    assert (ran.code, ran.stdout) == (3, "")
    (line,) = ran.stderr.splitlines()
    return line


def test_an_output_that_cannot_be_written_ends_with_3(run: Run, tmp_path: Path) -> None:
    """A folder, a folder that is not there, and a file taken for one, each by its name."""
    (tmp_path / "folder.svg").mkdir()
    (tmp_path / "file").write_bytes(b"")
    reasons = {
        "folder.svg": "Is a directory",
        "missing/x.svg": "No such file or directory",
        "file/x.svg": "Not a directory",
    }
    for name, reason in reasons.items():
        path = tmp_path / name
        assert refused(run, str(path)).startswith(f"gpt2calc plot: {path}: cannot be written ({reason}): {path} ")
    long = refused(run, str(tmp_path / ("x" * 300 + ".svg")))
    assert long.partition("svg: ")[2].startswith("cannot be written (File name too long): ")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
def test_a_full_disk_is_told_in_a_sentence(run: Run, tmp_path: Path) -> None:
    """A device is written to as it is, and is not replaced by a file."""
    (tmp_path / "full.svg").symlink_to("/dev/full")
    (tmp_path / "null.svg").symlink_to("/dev/null")
    assert "full.svg: cannot be written (No space left on device): " in refused(run, str(tmp_path / "full.svg"))
    assert run("plot", "totals", "gpt2", "-o", str(tmp_path / "null.svg")).code == 0
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)


@pytest.mark.parametrize("error", [KeyboardInterrupt, OSError(28, "No space left on device"), MemoryError])
def test_a_write_that_fails_leaves_the_old_file_and_no_half_one(
    error: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever goes wrong, at the last moment even, the old picture is whole and nothing lies beside it."""
    path = tmp_path / "x.svg"
    path.write_bytes(b"old")

    def failing(*_: Any) -> None:
        raise error

    monkeypatch.setattr(os, "replace", failing)
    with pytest.raises(error if isinstance(error, type) else UnreadableInputError):
        saving.write(b"new", str(path))
    assert (os.listdir(tmp_path), path.read_bytes()) == (["x.svg"], b"old")


def test_a_picture_replaces_an_older_one_and_keeps_a_link(run: Run, tmp_path: Path) -> None:
    """What a link points to is written anew, and the link stays; the file is as readable as any other."""
    path, link = tmp_path / "x.svg", tmp_path / "link.svg"
    path.write_bytes(b"old")
    link.symlink_to(path)
    assert run("plot", "totals", "gpt2", "-o", str(link)).code == 0
    assert link.is_symlink()
    assert path.read_bytes().startswith(STARTS["svg"])
    other = tmp_path / "other"
    other.write_bytes(b"")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


# ---------------------------------------------------------------- start-up


@pytest.mark.parametrize(
    "words",
    [("count", "gpt2"), ("plot", "shares", "gpt2"), ("plot", "treemap", "gpt2"), ("plot", "totals", "gpt2", "--json")],
    ids=" ".join,
)
def test_matplotlib_is_loaded_for_pictures_alone(words: tuple[str, ...]) -> None:
    """Neither `count` nor `plot` in the terminal waits for it; and `count` loads nothing of this room."""
    code = f"import sys; from gpt2calc.cli import main; main({list(words)!r}); print(*sys.modules, file=sys.stderr)"
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment())
    found = set(ran.stderr.split())
    assert not {"matplotlib", "numpy"} & found
    assert any(name.startswith("gpt2calc.plots") for name in found) == (words[0] == "plot")


def test_a_picture_loads_matplotlib_and_no_pyplot(tmp_path: Path) -> None:
    """A test of the test above; and no global state is touched."""
    code = (
        "import sys; from gpt2calc.cli import main; import gpt2calc.plots; gpt2calc.plots.shares('gpt2'); "
        f"main(['plot', 'totals', 'gpt2', '-o', {str(tmp_path / 'x.png')!r}]); print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True, env=environment())
    assert {"matplotlib"} <= set(ran.stdout.split())
    assert not re.search(r"matplotlib\.pyplot", ran.stdout)
