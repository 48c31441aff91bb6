"""Bars: shares, totals, weights and biases, and LayerNorm, of several models side by side; and what one model costs."""

from __future__ import annotations

from itertools import groupby
from math import log10
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.errors import ConfigError
from gpt2calc.model import GROUPS
from gpt2calc.plots.chart import Chart, Mark, full, labelled, notes_of, percent, titled
from gpt2calc.table import rounded, sequences, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gpt2calc.costs.report import Cost
    from gpt2calc.costs.serving import Serving
    from gpt2calc.counts import ParameterCount

SHARE, COUNT, BYTES, POWERS = "share", "count", "bytes", "powers"
"""What a bar's length stands for: its part of the whole, or its part, which may be bytes; dots lie by powers of ten."""

DOTTED = 100
"""Totals of which the largest is more than so many times the smallest are dots: bars of them would not be seen."""

LEVELS = 3
"""How many ways a number can be written in, the longest first."""

WEIGHTS, BIASES, TOTAL = "weights", "biases", "total"


class Panel(NamedTuple):
    """One block of bars.

    Args:
        title: what stands above it.
        measure: share, count or bytes.
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


def powers_of(marks: Sequence[Mark]) -> tuple[int, int]:
    """Return the powers of ten between which dots lie.

    >>> powers_of([Mark("", "a", "total", 102714, 102714), Mark("", "b", "total", 10**9, 10**9)])
    (5, 9)
    """
    parts = [mark.part for mark in marks]
    low, high = len(str(min(parts))) - 1, len(str(max(parts)))
    return low, high - (10 ** (high - 1) == max(parts))


def along(number: int, powers: tuple[int, int]) -> float:
    """Return how far a number lies between two powers of ten, from 0 to 1."""
    low, high = powers
    return (log10(number) - low) / (high - low)


def wordings(panel: Panel, mark: Mark) -> tuple[str, ...]:
    """Return what can stand beside a mark's bar, the longest first.

    >>> wordings(Panel("biases", COUNT, "biases", shares=True), Mark("biases", "gpt2", "biases", 102144, 124439808))
    ('102,144 (0.082 %)', '102,144', '102K')
    """
    if panel.measure == SHARE:
        return (percent(mark.part, mark.whole),)
    number = full(mark.part)
    share = [f"{number} ({percent(mark.part, mark.whole)})"] if panel.shares else []
    brief = _gib(mark.part) if panel.measure == BYTES else short(mark.part)
    return tuple(dict.fromkeys((*share, number, brief)))


def _gib(size: int) -> str:
    """Return bytes in GiB, or in the smaller unit of which there is one at least.

    >>> _gib(14946287188), _gib(73728), _gib(4)
    ('13.9 GiB', '72.0 KiB', '4 bytes')
    """
    power = next((power for power in (3, 2, 1) if size >= 1024**power), 0)
    return f"{rounded(size, 1024**power, 1)} {'.KMG'[power]}iB" if power else f"{size} bytes"


def worded(panel: Panel, mark: Mark, level: int) -> str:
    """Return what stands beside a mark's bar, the shorter the higher the level."""
    said = wordings(panel, mark)
    return said[min(level, len(said) - 1)]


def of_shares(counts: tuple[ParameterCount, ...], *, grouped: bool = False) -> BarChart:
    """Draw which share of each model every group of components holds, those alone that some model has."""
    named = labelled(counts)
    present = [name for name in GROUPS if any(_held(count, name) for count in counts)]

    def marks(panel: str, name: str, count: ParameterCount) -> tuple[Mark, ...]:
        shown = ((group, group if panel else name) for group in present)
        return tuple(Mark(panel, label, group, _held(count, group), count.total) for group, label in shown)

    title, notes = titled("Share of the parameters", counts), notes_of(counts)
    if grouped:
        panels = ((Panel(name, SHARE, SHARE), marks(name, name, count)) for name, count in named)
        return BarChart("shares", title, panels, notes=notes)
    stack = tuple(mark for name, count in named for mark in marks("", name, count))
    return BarChart("shares", title, [(Panel("", SHARE, SHARE), stack)], stacked=True, notes=notes)


def _held(count: ParameterCount, group: str) -> int:
    """Return what a model holds of a group, 0 where its architecture has none of it."""
    groups = count.groups
    return groups[group].total if group in groups else 0


def of_totals(counts: tuple[ParameterCount, ...]) -> BarChart:
    """Draw how many parameters each model has."""
    marks = tuple(Mark("", name, TOTAL, count.total, count.total) for name, count in labelled(counts))
    totals = [mark.part for mark in marks]
    dotted = max(totals) > DOTTED * min(totals) > 0
    title = titled("Parameters, on a scale of logarithms" if dotted else "Parameters", counts)
    measure = POWERS if dotted else COUNT
    return BarChart("totals", title, [(Panel("", measure, measure), marks)], notes=notes_of(counts))


def of_weights_biases(counts: tuple[ParameterCount, ...]) -> BarChart:
    """Draw the weights and the biases of each model, each on a scale of its own."""
    named = labelled(counts)
    weights = tuple(Mark(WEIGHTS, name, WEIGHTS, count.weights, count.total) for name, count in named)
    biases = tuple(Mark(BIASES, name, BIASES, count.biases, count.total) for name, count in named)
    panels = [
        (Panel(WEIGHTS, COUNT, WEIGHTS, shares=True), weights),
        (Panel(BIASES, COUNT, BIASES, shares=True), biases),
    ]
    return BarChart("weights-biases", titled("Weights and biases", counts), panels, notes=notes_of(counts))


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
    return BarChart("layernorm", titled("Parameters of LayerNorm", counts), panels, notes=notes_of(counts))


def of_flops(cost: Cost | Serving) -> BarChart:
    """Draw where the FLOPs of a forward pass go, or of a training step where training was asked for.

    What checkpoints do again is of no component, and has a bar of its own. All bars of a panel are all FLOPs.

    Raises:
        ConfigError: there are no products, or they are not counted.
    """
    passing = cost.run
    if cost.forward is None or passing is None:
        raise ConfigError(f"{cost.name}: {cost.flops_notes[0]}", field="model")
    whole = cost.forward if cost.training is None else cost.training
    rows = [(x.component, x.group, x.forward + x.backward * (cost.training is not None)) for x in cost.products]
    if again := whole - sum(part for _, _, part in rows):
        rows.append(("again, checkpointed", "again", again))
    groups: dict[str, int] = {}
    for _, group, part in rows:
        groups[group] = groups.get(group, 0) + part
    by_group, by_component = "by group", "by component"
    panels = [
        (by_group, tuple(Mark(by_group, group, group, part, whole) for group, part in groups.items())),
        (by_component, tuple(Mark(by_component, name, group, part, whole) for name, group, part in rows)),
    ]
    if not rows:
        raise ConfigError(f"{cost.name} has no matrix products: there is nothing to draw")
    past = f" after {passing.past:,}" if passing.past else ""
    what = "forward pass" if cost.training is None else "training step"
    title = f"{cost.name}, FLOPs of a {what} of {sequences(passing.batch, passing.tokens)}{past}"
    drawn = ((Panel(name, COUNT, name, shares=True), marks) for name, marks in panels)
    return BarChart("flops", title, drawn, notes=(*cost.notes, *cost.flops_notes))


def of_memory(cost: Cost) -> BarChart:
    """Draw what training holds: weights, gradients, optimizer, activations and the peak, and what autograd keeps.

    Parts are not all there at one moment, so that the peak is not their sum, and is a bar beside them.
    """
    asked = cost.settings
    found = {"weights": cost.weights, "gradients": cost.gradients, "optimizer": cost.optimizer}
    parts = {name: size for name, size in (*found.items(), ("activations", cost.activations)) if size is not None}
    whole = sum(parts.values())
    by_part, by_component = "parts, and the peak", "activations, by component"
    marks = [Mark(by_part, name, name, size, whole) for name, size in parts.items()]
    if cost.peak is not None:
        marks.append(Mark(by_part, "peak", "peak", cost.peak, cost.peak))
    panels = [(Panel(by_part, BYTES, by_part), tuple(marks))]
    kept: dict[str, int] = {}
    for row in cost.kept:
        kept[row.component] = kept.get(row.component, 0) + row.bytes
    if kept:
        rows = tuple(Mark(by_component, name, _group(name), kept[name], sum(kept.values())) for name in kept)
        panels.append((Panel(by_component, BYTES, by_component, shares=True), rows))
    title = f"{cost.name}, bytes of training on {sequences(asked.batch, asked.seq)}, {asked.dtype}"
    return BarChart("memory", title, panels, notes=cost.notes)


def _group(component: str) -> str:
    """Return the group of a component that keeps something; what a checkpoint keeps of a block is of none."""
    room = component.partition(".")[0].partition("_")[0]
    named = {"attn": "attention", "mlp": "mlp", "ln": "layer_norm", "h": "activations"}
    return named.get(room, "embedding" if component in ("wte", "wpe", "drop") else "head")
