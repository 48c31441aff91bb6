"""What a terminal shows: no line is wider than it, no number torn, the answer seen, and nothing said by colour alone.

The screens themselves are in `golden`, under names that begin with `screen`.
"""

from __future__ import annotations

import re
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc import presets
from gpt2calc.cli import options
from gpt2calc.palette import PAINTS
from gpt2calc.reports import text
from gpt2calc.table import BAD, GOOD, MARKS, Percent, Said, Table

if TYPE_CHECKING:
    from tests.conftest import Run

CHECKPOINT = Path(__file__).parent / "data" / "checkpoints" / "tensorflow"
WIDTHS = (60, 80, 120)

COMMANDS: dict[str, tuple[str, ...]] = {
    "count": ("count", "gpt2"),
    "count all": ("count", "gpt2", "--all"),
    "count with changes": ("count", "gpt2-xl", "--untied", "--add-cross-attention", "--no-bias"),
    "count experts": ("count", "DeepSeek-V3"),
    "count all of experts": ("count", "DeepSeek-V3", "--all"),
    "count a hybrid": ("count", "Jamba-v0.1"),
    "count the conventions": ("count", "gpt2", "--conventions"),
    "count a block": ("count", "Qwen3-0.6B", "--per-block"),
    "count files": ("count", "DeepSeek-V3", "--stored"),
    "count an adapter": ("count", "gpt2", "--lora-r", "8"),
    "count ranks": ("count", "gpt2-medium", "--tp", "2", "--pp", "2"),
    "compare": ("compare", "small", "medium", "large", "xl"),
    "compare two": ("compare", "gpt2", "Llama-3.1-8B"),
    "compare costs": ("compare", "gpt2", "gpt2-xl", "--cost", "--train", "--optimizer", "adamw"),
    "cost": ("cost", "gpt2"),
    "cost of training": ("cost", "gpt2-xl", "--batch", "8", "--train", "--optimizer", "adamw"),
    "cost of serving": ("cost", "gpt-oss-20b", "--batch", "4", "--seq", "32768"),
    "cost, every way": ("cost", "gpt2", "--conventions"),
    "fits": ("fits", "Llama-3.1-8B", "--memory", "24GB", "--context", "32768"),
    "fits not": ("fits", "Llama-2-70B", "--hardware", "h100-sxm", "--context", "4096"),
    "formula": ("formula",),
    "formula of one": ("formula", "attn.c_attn", "--model", "gpt2"),
    "tensors": ("tensors", "tiny-gpt2"),
    "tensors in files": ("tensors", "Qwen3-0.6B", "--stored"),
    "verify a config": ("verify", "model.ckpt"),
    "verify": ("verify", "model.ckpt", "--tying", "--values"),
    "verify not": ("verify", "model.ckpt", "--n-layer", "1", "--n-positions", "17"),
    "explain": ("explain", "137M"),
    "explain several": ("explain", "548 MB", "498 MB", "702517648 bytes", "gpt2"),
    "explain a cost": ("explain", "3.14e23", "gpt3-175B", "--tokens", "300B"),
    "explain nothing": ("explain", "124439809"),
    "claims": ("claims",),
    "design": ("design", "--params", "350M"),
    "design of a family": ("design", "--family", "llama", "--params", "8B", "--verbose"),
    "sweep": ("sweep", "--n-layer", "12:48:12", "--n-embd", "768:1600:32", "--where", "1e9 < total < 1.6e9"),
    "models": ("models",),
    "models, long": ("models", "--long"),
    "models by a word": ("models", "qwen"),
    "one model": ("models", "DeepSeek-R1"),
}
EXIT_CODES = {"verify not": 1, "fits not": 1, "explain": 1, "explain nothing": 1}


def plain(shown: str) -> str:
    """Return what is shown without its colours."""
    return re.sub(r"\033\[[\d;]*m", "", shown)


@pytest.mark.parametrize("words", COMMANDS.values(), ids=COMMANDS)
def test_no_line_is_wider_than_the_terminal_and_no_number_is_torn(
    words: tuple[str, ...], run: Run, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At 60, 80 and 120 columns."""
    monkeypatch.chdir(CHECKPOINT)
    for width in WIDTHS:
        ran = run(*words, columns=width)
        assert ran.code == EXIT_CODES.get(request.node.callspec.id, 0), ran.stderr
        lines = ran.stdout.splitlines()
        assert max(map(len, lines)) <= width
        for line, following in pairwise(lines):  # what stands at the end of a cell, and under its beginning
            torn = re.search(r"(?:^|  )(\S*\d[,.])$", line)
            assert not torn or not re.match(r"\d{3}(?!\d)", following[torn.start(1) :]), line


def test_a_count_fits_a_screen_with_the_total_first(run: Run) -> None:
    """24 lines with the prompt, 80 or 60 columns: what stays in sight after the command is all of it."""
    for width in (60, 80):
        lines = run("count", "gpt2", columns=width).stdout.splitlines()
        assert lines[0] == "gpt2: 124,439,808 parameters (124M), 497.76 MB in fp32"
        assert len(lines) <= 23
        assert {"wte", "mlp.c_proj", "embedding", "mlp", "total"} <= {line.split(" ")[0] for line in lines}
        assert " ".join(lines[-2:]).strip().startswith("also: untied 163,037,184; without embeddings 85,056,000;")
        assert lines[-1].endswith("with --all")


@pytest.mark.parametrize(
    "name", ["gpt2-xl", "Qwen3-0.6B", "DeepSeek-V3", "Jamba-v0.1", "gpt-oss-20b", "Mamba-Codestral-7B"]
)
def test_a_count_of_any_model_fits_a_screen_and_adds_up(name: str, run: Run) -> None:
    """Components that there is no room for are one row, so that every section adds up to the total, exactly."""
    ran = run("count", name, columns=80)
    assert len([*ran.stdout.splitlines(), *text.wrapped(ran.stderr.rstrip("\n"), 80)]) <= 24
    count = gpt2calc.count(name)
    _, table, _ = count.in_short(6)
    assert isinstance(table, Table)
    sections: list[list[int]] = [[]]
    for row in table.rows:
        if row is None:
            sections.append([])
        else:
            sections[-1].append(int(str(row[2])))
    assert [sum(section) for section in sections] == [count.total] * 3
    assert len(sections[0]) <= 6


def test_all_that_is_not_on_the_screen_is_behind_a_word(run: Run) -> None:
    """`--all` has every component, weights and biases, every convention and dtype; JSON is the same without it."""
    shown = run("count", "DeepSeek-V3", "--all").stdout
    count = gpt2calc.count("DeepSeek-V3")
    for name in (*(part.name for part in count.components), *count.groups, *count.letters, "weights", "biases", "int4"):
        assert re.search(rf"(?m)(^|\s){re.escape(name)}\s", shown), name
    for name, value in count.conventions.items():
        assert f"{value:,}" in shown, name
    for form in ("json", "csv", "markdown", "latex"):
        assert run("count", "gpt2", "--format", form).stdout == run("count", "gpt2", "--all", "--format", form).stdout


@pytest.mark.parametrize(
    ("words", "mark", "said"),
    [
        (("verify", "model.ckpt"), MARKS[GOOD], "model.ckpt.index matches: "),
        (("verify", "model.ckpt", "--n-layer", "3"), MARKS[BAD], "model.ckpt.index does not match: "),
    ],
    ids=["a match", "a mismatch"],
)
def test_verify_ends_with_its_verdict(
    words: tuple[str, ...], mark: str, said: str, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In words, which say it alone; and in green or red where there is colour."""
    monkeypatch.chdir(CHECKPOINT)
    last = run(*words).stdout.split("\n\n")[-1]
    verdict = run(*words, "-q").stdout
    assert " ".join(last.split()) == mark + " ".join(verdict.split())
    assert verdict.startswith(said)
    monkeypatch.setattr(options, "takes_colour", lambda: True)
    coloured = run(*words).stdout.split("\n\n")[-1]
    assert coloured.startswith("\033[32m" if mark == MARKS[GOOD] else "\033[31m")
    assert plain(coloured) == last


def test_a_difference_that_is_there_is_red(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of `verify` and of `compare`; one of 0 is as everything else."""
    monkeypatch.setattr(options, "takes_colour", lambda: True)
    monkeypatch.chdir(CHECKPOINT)
    red = re.findall(r"\033\[31m(-?[\d,]+)\033", run("verify", "model.ckpt", "--n-positions", "17").stdout)
    assert red == ["-8", "-8"]
    shown = run("compare", "gpt2", "gpt2-untied").stdout
    assert set(re.findall(r"\033\[31m(-?[\d,]+)\033", shown)) == {"38,597,376"}


def test_bars_have_the_colours_of_the_pictures(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The one palette: a component's bar has its group's colour, and without colour nothing else is shown."""
    without = run("count", "gpt2").stdout
    monkeypatch.setattr("gpt2calc.cli.count.takes_colour", lambda: True)
    shown = run("count", "gpt2").stdout
    assert plain(shown) == without
    for name, group in (("wte", "embedding"), ("attn.c_attn", "attention"), ("mlp.c_fc", "mlp"), ("mlp ", "mlp")):
        (line,) = (each for each in shown.splitlines() if each.startswith(name) and "█" in each)
        assert f"\033[38;5;{PAINTS[group]}m█" in line


COLOURS = {
    "a terminal": ({}, True, True),
    "a pipe": ({}, False, False),
    "a pipe that is forced": ({"FORCE_COLOR": "1"}, False, True),
    "NO_COLOR": ({"NO_COLOR": "1"}, True, False),
    "both, and NO_COLOR wins": ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, True, False),
    "forced not to": ({"FORCE_COLOR": "0"}, True, False),
    "a dumb terminal": ({"TERM": "dumb"}, True, False),
    "a dumb terminal that is forced": ({"TERM": "dumb", "FORCE_COLOR": "1"}, True, True),
}


@pytest.mark.parametrize(("variables", "terminal", "colour"), COLOURS.values(), ids=COLOURS)
def test_who_decides_on_colour(
    variables: dict[str, str], *, terminal: bool, colour: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NO_COLOR before FORCE_COLOR, that before the terminal, which is asked last."""
    for name in ("NO_COLOR", "FORCE_COLOR", "TERM"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("sys.stdout.isatty", lambda: terminal)
    assert options.takes_colour() is colour


def test_a_note_is_broken_at_words_in_a_terminal_alone(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """In a log, or for a program that reads it, it stays in one line."""
    monkeypatch.setenv("COLUMNS", "60")
    said = "n_head is left out: the model's does not divide n_embd 8,192, and no count depends on it"
    for terminal in (False, True):
        monkeypatch.setattr("sys.stderr.isatty", lambda terminal=terminal: terminal)
        options.say([said, said])
    in_a_log, *in_a_terminal = capsys.readouterr().err.splitlines()
    assert in_a_log == " ".join(in_a_terminal) == f"note: {said}"
    assert len(in_a_terminal) == 2
    assert max(map(len, in_a_terminal)) <= 60


CELLS = st.text(st.sampled_from("ab /_.,-0123456789·é\n"), max_size=60)


@given(rows=st.lists(st.tuples(CELLS, st.integers(-(10**12), 10**12), CELLS), max_size=4), width=st.integers(60, 130))
def test_whatever_stands_in_a_table_it_fits(rows: list[tuple[str, int, str]], width: int) -> None:
    """Words are broken at blanks, at joints, or anywhere, unless they are one number that is longer than a line."""
    table = Table("a title of some words", ("name", "count", "what"), tuple(rows))
    lines = text.write([table], width=width, ascii_only=False).splitlines()
    longest = max(
        (len(number) for row in rows for cell in row for number in re.findall(r"[\d.,]+", str(cell))), default=0
    )
    if longest <= 9:
        assert max(map(len, lines)) <= width


@given(words=st.text(st.sampled_from("ab /_.,-0123456789"), max_size=80), width=st.integers(9, 40))
def test_wrapping_loses_no_character_and_tears_no_number(words: str, width: int) -> None:
    """What is put together again is what was there, but for blanks; every number of it stands in one line."""
    lines = text.wrapped(words, width)
    assert re.sub(r"\s", "", "".join(lines)) == re.sub(r"\s", "", words)
    for number in re.findall(r"\d[\d,]*\d", words):
        assert any(number in line for line in lines)


def test_a_sentence_keeps_a_number_with_its_unit() -> None:
    """So that no line ends in 6.55, and none begins with GB."""
    shown = text.write([Said("a model with a name: 1,638,022,400 parameters, 6.55 GB in fp32")], width=52)
    assert shown == "a model with a name: 1,638,022,400 parameters,\n6.55 GB in fp32\n"


def test_in_ascii_a_mark_is_a_word() -> None:
    """A terminal that has no ticks is told ok or x."""
    assert text.write([Said("it matches", GOOD), Said("it does not match", BAD)], ascii_only=True) == (
        "ok it matches\n\nx it does not match\n"
    )


def test_a_bar_is_left_out_where_there_is_no_room() -> None:
    """And the formula where the numbers need its place; the numbers are all there."""
    table = Table("", ("component", "formula", "parameters", "share"), (("a" * 20, "12L·d²", 10**14, Percent(1, 2)),))
    assert "█" in text.write([table], width=80)
    assert "█" not in text.write([table], width=60)
    narrow = text.write([table._replace(rows=(("a" * 25, "12L·d²+12L·d+9d²", 10**14, Percent(1, 2)),))], width=60)
    assert "formula" not in narrow
    assert f"{10**14:,}" in narrow


class TestModels:
    """`models`: a line each, by a word, or one with all that is known of it."""

    def test_each_model_has_one_line(self, run: Run) -> None:
        """Its name, its number, and as much of its summary as there is room for."""
        lines = run("models", columns=80).stdout.splitlines()
        for preset in (*gpt2calc.models(), *presets.others()):
            (line,) = (each for each in lines if each.split(" ")[0] == preset.name)
            assert f"{int(gpt2calc.count(preset.name)):,}" in line

    def test_a_word_finds_models_by_name_alias_and_architecture(self, run: Run) -> None:
        """In any case; -q, JSON and CSV have those alone."""
        found = run("models", "QWEN", "-q").stdout.split()
        assert found == [name for name in presets.names(presets.OTHERS) if "Qwen" in name]
        assert "SmolLM-1.7B" in run("models", "llama", "-q").stdout.split()
        assert run("models", "smollm", "--format", "csv").stdout.count("SmolLM2-135M") == 2
        document = run("models", "smollm", "--json").stdout
        assert re.findall(r'"name": "(\S+)"', document) == ["SmolLM-1.7B", "SmolLM2-135M", "SmolLM2-360M"]

    def test_a_name_says_all_that_is_known(self, run: Run) -> None:
        """The number first, then sizes, what it was published as, aliases and source; by an alias too."""
        shown = run("models", "1.5B").stdout
        assert shown.startswith("gpt2-xl: 1,557,611,200 parameters (1.56B)")
        for words in ("n_layer 48", "1558M", "openai-community/gpt2-xl", presets.load("gpt2-xl").source):
            assert words in shown
        assert run("models", "1.5B", "-q").stdout == "gpt2-xl\n"

    def test_a_word_that_nothing_has_is_told_with_the_nearest(self, run: Run) -> None:
        """As in every command that takes a model."""
        ran = run("models", "gpt2-medum")
        assert (ran.code, ran.stderr) == (
            2,
            "gpt2calc models: no model is called 'gpt2-medum': did you mean gpt2-medium?\n",
        )


def test_a_figure_that_is_a_models_name_is_that_models(run: Run) -> None:
    """1.5B is what gpt2-xl is called, though two others were published as 1.5B and are nearer to it."""
    ran = run("explain", "1.5B")
    assert ran.stdout.startswith("1.5B is what gpt2-xl is called: 1,557,611,200, truncated (tied)\n")
    assert ran.code == 0
