"""Charts in a terminal: as wide as it is, in Unicode or ASCII, in colour or not, and without anything to install."""

from __future__ import annotations

import io
import re
import sys
from fractions import Fraction
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc.cli import main
from gpt2calc.plots import areas, bars, style, terminal
from gpt2calc.plots.chart import Mark, full
from tests import plots
from tests.plots import CHARTS, FOUR, MODELS, PICTURES

COLOUR = re.compile("\x1b" + r"\[[\d;]*m")
every_chart = pytest.mark.parametrize("make", CHARTS.values(), ids=CHARTS)


@pytest.mark.parametrize(("kind", "name"), PICTURES)
def test_a_chart_fits_its_terminal(kind: str, name: str) -> None:
    """No line is longer than the terminal is wide."""
    chart = CHARTS[kind](MODELS[name])
    for width, ascii_only in product((40, 80, 200), (False, True)):
        shown = terminal.write(chart, width=width, ascii_only=ascii_only)
        assert (width, [line for line in shown.splitlines() if len(line) > width]) == (width, [])
        assert not any(line != line.rstrip() and not line.strip() for line in shown.splitlines())
        assert shown.endswith("\n")
        assert "\x1b" not in shown


@every_chart
def test_ascii_has_as_many_lines_and_nothing_but_ascii(make: Any) -> None:
    """The same chart, line for line and column for column; of what is shortened, each leaves out its own middle."""
    chart = make(FOUR)
    plain, shown = (terminal.write(chart, width=80, ascii_only=ascii_only) for ascii_only in (True, False))
    assert plain.isascii()
    lines = [pair for pair in zip(plain.splitlines(), shown.splitlines(), strict=True) if "…" not in pair[1]]
    assert [len(ours) for ours, _ in lines] == [len(theirs) for _, theirs in lines]


@every_chart
def test_colour_adds_nothing_but_colour(make: Any) -> None:
    """Without its escapes a coloured chart is the plain one, and every colour is ended."""
    chart = make(FOUR)
    coloured = terminal.write(chart, width=80, colour=True)
    assert COLOUR.sub("", coloured) == terminal.write(chart, width=80)
    assert coloured.count("\x1b[0m") * 2 == coloured.count("\x1b[")
    assert coloured != terminal.write(chart, width=80)


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=6), st.integers(1, 200))
def test_the_ends_of_stacked_bars_are_within_half_a_column(parts: list[int], width: int) -> None:
    """Each share ends at the column nearest to its exact end, and all of them at the last."""
    whole = sum(parts)
    if not whole:
        return
    series = list(style.FILLS)[: len(parts)]
    marks = [Mark("", "x", name, part, whole) for name, part in zip(series, parts, strict=True)]
    drawn = terminal._ends_to_end(terminal._Pen(80, colour=False, ascii_only=True), marks, width)
    assert len(drawn) == width
    done = 0
    for mark in marks:
        done += mark.part
        fills = "".join(style.FILLS[name][1] for name in series[: series.index(mark.series) + 1])
        end = sum(drawn.count(fill) for fill in fills)
        assert abs(Fraction(done * width, whole) - end) <= Fraction(1, 2)


@given(st.integers(0, 10**12), st.integers(1, 10**12), st.integers(1, 200))
def test_a_bar_is_as_long_as_its_part_in_eighths(part: int, whole: int, width: int) -> None:
    """Rounded down to an eighth of a column, but for what would vanish, which is the thinnest there is."""
    part = min(part, whole)
    drawn = terminal._Pen(80, colour=False, ascii_only=False).bar(part, whole, width)
    assert len(drawn) == width
    eighths = 8 * drawn.count("█") + sum(max(terminal.EIGHTHS.index(each), 0) for each in drawn if each != "█")
    exact = 8 * width * part // whole
    assert eighths == (1 if part and not exact else exact)


def test_every_number_of_a_comparison_is_printed() -> None:
    """Totals in full, and shares in two decimals that are those of `gpt2calc compare`."""
    shown = terminal.write(CHARTS["shares"](FOUR), width=100)
    for count in gpt2calc.compare(*FOUR):
        assert f"{count.total:,}" in shown
    compared = gpt2calc.compare(*FOUR).tables()[2]
    for row in compared.rows[:4]:
        assert row
        for cell in row[1:]:
            assert isinstance(cell, tuple)
            assert cell.text() in shown


def test_bars_of_totals_are_drawn_with_their_numbers() -> None:
    """The longest fills the room, and each number stands at the end of its line."""
    lines = terminal.write(CHARTS["totals"](FOUR), width=80).splitlines()[2:]
    assert [line.split()[-1] for line in lines] == [f"{count.total:,}" for count in gpt2calc.compare(*FOUR)]
    lengths = [line.count("█") for line in lines]
    assert lengths == sorted(lengths)
    assert len(lines[-1]) == 80


def test_the_tree_of_a_model_adds_up() -> None:
    """Every group, and under it its tensors, each with its share over all blocks."""
    chart = areas.Treemap(gpt2calc.count("gpt2"))
    shown = terminal.write(chart, width=80)
    assert [line.split()[0] for line in shown.splitlines()[2:] if line[0] != " "] == [
        *("mlp", "embedding", "attention", "layer_norm")
    ]
    assert shown.count("\n  ") == len({mark.label for mark in chart.marks})


def test_names_are_shortened_in_the_middle() -> None:
    """A long name leaves room for the bars."""
    line = terminal.write(bars.of_totals(plots.counted(MODELS["long names"])), width=60).splitlines()[2]
    assert line.startswith("somebod")
    assert "…" in line
    assert line.endswith(full(gpt2calc.count("gpt2").total))
    assert terminal._Pen(80, colour=False, ascii_only=True).fitted("abcdefghij", 7) == "ab...ij"


class Screen(io.TextIOWrapper):
    """A standard output of an encoding, that is a terminal or not."""

    def __init__(self, encoding: str, *, terminal: bool) -> None:
        super().__init__(io.BytesIO(), encoding=encoding, newline="\n")
        self._terminal = terminal

    def isatty(self) -> bool:
        """Whether it is a terminal."""
        return self._terminal


def printed(
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    *,
    encoding: str = "utf-8",
    columns: str = "80",
    terminal: bool = False,
    **changed: str,
) -> str:
    """Run a command with a standard output of this encoding and width."""
    out = Screen(encoding, terminal=terminal)
    monkeypatch.setattr(sys, "stdout", out)
    for name, value in {"COLUMNS": columns, "NO_COLOR": "", "TERM": "xterm", **changed}.items():
        monkeypatch.setenv(name, value)
    assert main(words) == 0
    out.flush()
    shown: bytes = out.buffer.getvalue()  # type: ignore[attr-defined]  # the buffer is a BytesIO
    return shown.decode(encoding)


@pytest.mark.parametrize("columns", ["40", "80", "200"])
def test_columns_say_how_wide_a_chart_is(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bars take all the room that names and numbers leave."""
    shown = printed(("plot", "totals", *FOUR), monkeypatch, columns=columns)
    assert max(map(len, shown.splitlines())) == int(columns)


def test_a_pipe_without_unicode_gets_ascii(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where standard output takes no Unicode, the same chart comes in ASCII."""
    shown = printed(("plot", "growth", "gpt2", "--n-layer", "6:96"), monkeypatch, encoding="ascii")
    assert "#" in shown
    assert shown.isascii()
    assert "\\u" not in shown


def test_a_terminal_gets_colour_and_a_pipe_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """And NO_COLOR, or a dumb terminal, switches it off."""
    words = ("plot", "shares", "small", "xl")
    assert "\x1b[38;5;" in printed(words, monkeypatch, terminal=True)
    assert "\x1b" not in printed(words, monkeypatch)
    assert "\x1b" not in printed(words, monkeypatch, terminal=True, NO_COLOR="1")
    assert "\x1b" not in printed(words, monkeypatch, terminal=True, TERM="dumb")


def test_a_picture_is_not_printed_to_a_terminal(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Its bytes would only disturb it; a pipe gets them."""
    monkeypatch.setattr(sys, "stdout", Screen("utf-8", terminal=True))
    assert main(("plot", "totals", "gpt2", "--format", "png")) == 2
    said = "gpt2calc plot: png is nothing for a terminal: give -o FILE, or send it on\n"
    assert capsys.readouterr().err == said
