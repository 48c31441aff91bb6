"""Bars: shares, totals, weights and biases, and LayerNorm, of several models side by side."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.formulas import GROUPS
from gpt2calc.plots.chart import Chart, Mark, full, labelled, notes_of, percent, short

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gpt2calc.counts import ParameterCount

SHARE, COUNT = "share", "count"
"""What a bar's length stands for: its part of the whole, or its part."""

LEVELS = 3
"""How many ways a number can be written in, the longest first."""

WEIGHTS, BIASES, TOTAL = "weights", "biases", "total"


class Panel(NamedTuple):
    """One block of bars.

    Args:
        title: what stands above it.
        measure: share or count.
        scale: panels with the same scale can be compared by eye.
        shares: whether a count has its share beside it.
    """

    title: str
    measure: str
    scale: str
    shares: bool = False


class BarChart(Chart):
    """Bars in panels, or stacked into one bar for each model.

    Args:
        kind: what the command line calls it.
        title: what stands above it.
        panels: the blocks of bars, with their bars.
        stacked: whether the bars of one label lie end to end.
        notes: what a reader should know, a sentence each.
    """

    def __init__(
        self,
        kind: str,
        title: str,
        panels: Iterable[tuple[Panel, tuple[Mark, ...]]],
        *,
        stacked: bool = False,
        notes: tuple[str, ...] = (),
    ) -> None:
        self.panels = tuple(panels)
        self.stacked = stacked
        super().__init__(kind, title, tuple(mark for _, marks in self.panels for mark in marks), notes)

    def rows(self) -> tuple[tuple[str, tuple[Mark, ...]], ...]:
        """Return the marks of each label of a stacked chart."""
        return tuple((label, tuple(marks)) for label, marks in groupby(self.marks, lambda mark: mark.label))

    def longest(self, panel: Panel) -> tuple[int, int]:
        """Return what fills a panel's whole width: the largest part and its whole, over all panels of its scale."""
        found = [length(each, mark) for each, marks in self.panels if each.scale == panel.scale for mark in marks]
        part, whole = found[0]
        for other, its in found:
            part, whole = (other, its) if other * whole > part * its else (part, whole)
        return (part, whole) if part else (1, 1)


def length(panel: Panel, mark: Mark) -> tuple[int, int]:
    """Return how long a mark's bar is, as a fraction."""
    return (mark.part, mark.whole) if panel.measure == SHARE else (mark.part, 1)


def wordings(panel: Panel, mark: Mark) -> tuple[str, ...]:
    """Return what can stand beside a mark's bar, the longest first.

    >>> wordings(Panel("biases", COUNT, "biases", shares=True), Mark("biases", "gpt2", "biases", 102144, 124439808))
    ('102,144 (0.082 %)', '102,144', '102 K')
    """
    if panel.measure == SHARE:
        return (percent(mark.part, mark.whole),)
    number = full(mark.part)
    share = [f"{number} ({percent(mark.part, mark.whole)})"] if panel.shares else []
    return tuple(dict.fromkeys((*share, number, short(mark.part))))


def worded(panel: Panel, mark: Mark, level: int) -> str:
    """Return what stands beside a mark's bar, the shorter the higher the level."""
    said = wordings(panel, mark)
    return said[min(level, len(said) - 1)]


def of_shares(counts: tuple[ParameterCount, ...], *, grouped: bool = False) -> BarChart:
    """Draw which share of each model every group of components holds, those alone that some model has."""
    named = labelled(counts)
    present = [name for name in GROUPS if any(count.groups[name].total for count in counts)]

    def marks(panel: str, name: str, count: ParameterCount) -> tuple[Mark, ...]:
        groups, total = count.groups, count.total
        shown = ((group, group if panel else name) for group in present)
        return tuple(Mark(panel, label, group, groups[group].total, total) for group, label in shown)

    title, notes = "Share of the parameters", notes_of(counts)
    if grouped:
        panels = ((Panel(name, SHARE, SHARE), marks(name, name, count)) for name, count in named)
        return BarChart("shares", title, panels, notes=notes)
    stack = tuple(mark for name, count in named for mark in marks("", name, count))
    return BarChart("shares", title, [(Panel("", SHARE, SHARE), stack)], stacked=True, notes=notes)


def of_totals(counts: tuple[ParameterCount, ...]) -> BarChart:
    """Draw how many parameters each model has."""
    marks = tuple(Mark("", name, TOTAL, count.total, count.total) for name, count in labelled(counts))
    return BarChart("totals", "Parameters", [(Panel("", COUNT, COUNT), marks)], notes=notes_of(counts))


def of_weights_biases(counts: tuple[ParameterCount, ...]) -> BarChart:
    """Draw the weights and the biases of each model, each on a scale of its own."""
    named = labelled(counts)
    weights = tuple(Mark(WEIGHTS, name, WEIGHTS, count.weights, count.total) for name, count in named)
    biases = tuple(Mark(BIASES, name, BIASES, count.biases, count.total) for name, count in named)
    panels = [
        (Panel(WEIGHTS, COUNT, WEIGHTS, shares=True), weights),
        (Panel(BIASES, COUNT, BIASES, shares=True), biases),
    ]
    return BarChart("weights-biases", "Weights and biases", panels, notes=notes_of(counts))


def of_layernorm(counts: tuple[ParameterCount, ...]) -> BarChart:
    """Draw the weights and the biases of LayerNorm on one scale, and LayerNorm's share of each model."""
    named = [(name, count.total, count.groups["layer_norm"]) for name, count in labelled(counts)]
    weights = tuple(Mark(WEIGHTS, name, WEIGHTS, group.weights, total) for name, total, group in named)
    biases = tuple(Mark(BIASES, name, BIASES, group.biases, total) for name, total, group in named)
    share = "share of the total"
    shares = tuple(Mark(share, name, "layer_norm", group.total, total) for name, total, group in named)
    panels = [
        (Panel(WEIGHTS, COUNT, COUNT), weights),
        (Panel(BIASES, COUNT, COUNT), biases),
        (Panel(share, SHARE, SHARE), shares),
    ]
    return BarChart("layernorm", "Parameters of LayerNorm", panels, notes=notes_of(counts))
