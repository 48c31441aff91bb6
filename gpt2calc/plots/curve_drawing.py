"""Growth as a figure of matplotlib: what each group holds, and its share, with the crossings marked."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, log10
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.ticker import MaxNLocator

from gpt2calc.formulas import GROUPS
from gpt2calc.plots.bars import TOTAL
from gpt2calc.plots.canvas import Canvas, inches, measured, sizes, spread
from gpt2calc.plots.chart import percent, tick
from gpt2calc.plots.curves import BLOCKS, LOG
from gpt2calc.table import short

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gpt2calc.plots.chart import Crossing
    from gpt2calc.plots.curves import GrowthChart
    from gpt2calc.plots.style import Theme

BESIDE = 6.5
"""A picture of so many inches has both panels side by side."""

HIGH, LEAST_HIGH = 20, 13
"""How high a panel is, in sizes of text: as it is best, and at the least."""

MOST_CROSSINGS = 6
"""How many crossings are marked at most; all are in the data."""

MOST_POWERS = 6
"""How many powers of ten have a line at most."""

LEADER = 1.3
"""How far a label stands from the end of its curve, in sizes of text."""


class _Curve(NamedTuple):
    """One curve: its name, its height from 0 to 1 at each point, exact on a linear scale, and what is at its end."""

    name: str
    heights: tuple[Fraction | float, ...]
    said: str


class _Panel(NamedTuple):
    """What one panel shows: its title, its curves, and what is written beside its lines across."""

    title: str
    curves: tuple[_Curve, ...]
    ticks: tuple[tuple[float, str], ...]


def draw(chart: GrowthChart, theme: Theme, width: float, height: float | None) -> Figure:
    """Draw growth."""
    size, side = sizes(width), width >= BESIDE
    shown = chart.crossings[:MOST_CROSSINGS]
    panels = (_amounts(chart), _shares(chart))
    head, foot = size.line * (1.3 + len(shown)), 2 * size.line
    fixed = size.top + size.margin + (head + foot if side else 2 * foot + head + 2.6 * size.line)
    least, best = (fixed + each * size.body * (1 if side else 2) for each in (LEAST_HIGH, HIGH))
    canvas = Canvas(theme, width, inches(best if height is None else least, height))
    canvas.title(chart.title)
    high = (canvas.height - fixed) / (1 if side else 2)
    gap = 3 * size.gap
    wide = (canvas.width - 2 * size.margin - gap * side) / (2 if side else 1)
    first = size.top + 1.3 * size.line
    tall = high + (head - 1.3 * size.line) * side
    _draw_panel(canvas, chart, panels[0], (size.margin, first, wide, tall), ())
    under = first + high + foot + 1.3 * size.line + head
    where = (size.margin + wide + gap, size.top + head) if side else (size.margin, under)
    _draw_panel(canvas, chart, panels[1], (*where, wide, high), shown)
    return canvas.figure


def _amounts(chart: GrowthChart) -> _Panel:
    """Return the panel of parameters: each group, and the total."""
    most = max(point.total for point in chart.points)
    held = {name: [point.groups[name] for point in chart.points] for name in chart.present}
    held[TOTAL] = [point.total for point in chart.points]
    if chart.scale == LOG:
        return _powers(held)
    curves = (_Curve(name, tuple(Fraction(x, most) for x in those), short(those[-1])) for name, those in held.items())
    unit = Fraction(1000) ** ((len(str(most)) - 1) // 3)
    steps = [Fraction(step) * unit for step in MaxNLocator(4, steps=[1, 2, 5, 10]).tick_values(0, float(most / unit))]
    ticks = tuple((float(step / most), tick(int(step))) for step in steps if 0 <= step <= most)
    return _Panel("parameters", tuple(curves), ticks)


def _powers(held: dict[str, list[int]]) -> _Panel:
    """Return the panel of parameters on a scale of logarithms, whose lines are powers of ten."""
    numbers = [number for those in held.values() for number in those if number]
    low, high = log10(min(numbers)), log10(max(numbers))
    span = high - low or 1.0
    curves = (
        _Curve(name, tuple((log10(x) - low) / span if x else 0.0 for x in those), short(those[-1]))
        for name, those in held.items()
    )
    powers = range(ceil(low), int(high) + 1)
    step = -(-len(powers) // MOST_POWERS) or 1
    ticks = tuple(((power - low) / span, tick(10**power)) for power in powers[::step])
    return _Panel("parameters", tuple(curves), ticks)


def _across(chart: GrowthChart, size: int) -> float:
    """Return how far along a panel a size lies, from 0 to 1."""
    first, last = chart.points[0].size, chart.points[-1].size
    if chart.scale == LOG:
        return log10(size / first) / log10(last / first)
    return (size - first) / (last - first)


def _shares(chart: GrowthChart) -> _Panel:
    """Return the panel of shares: each group, and what the blocks hold, which crosses the embeddings."""
    held = {name: [point.groups[name] for point in chart.points] for name in chart.present}
    if {"attention", "mlp"} <= set(chart.present):
        held[BLOCKS] = [sum(pair) for pair in zip(held["attention"], held["mlp"], strict=True)]
    totals = [point.total for point in chart.points]
    last = totals[-1]
    curves = (
        _Curve(name, tuple(map(Fraction, those, totals)), percent(those[-1], last)) for name, those in held.items()
    )
    return _Panel("share of the total", tuple(curves), tuple((n / 4, f"{25 * n} %") for n in range(5)))


def _draw_panel(
    canvas: Canvas,
    chart: GrowthChart,
    panel: _Panel,
    where: tuple[float, float, float, float],
    crossings: Sequence[Crossing],
) -> None:
    x, y, wide, high = where
    size, theme = canvas.sizes, canvas.theme
    left = x + max(measured(words, size.body) for _, words in panel.ticks) + size.gap
    labels = max(measured(f"{curve.name} {curve.said}", size.body) for curve in panel.curves)
    right = x + wide - labels - LEADER * size.body
    canvas.text(x, y - (len(crossings) + 0.7) * size.line, panel.title, bold=True)
    for level, words in panel.ticks:
        canvas.line((left, y + high * (1 - level)), (right, y + high * (1 - level)), theme.rule)
        canvas.middle(left - size.gap, y + high * (1 - level), words, align="right", colour=theme.faint)
    _sizes_below(canvas, chart, (left, right, y + high))
    axes = canvas.axes(left, y, right - left, high)
    first, last = chart.points[0].size, chart.points[-1].size
    axes.set_xlim(*((0, 1) if chart.scale == LOG else (first, last)))
    axes.set_ylim(0, 1)
    for curve in panel.curves:
        _draw_curve(axes, chart, curve, theme, _id("curve", panel.title, curve.name))
    _labels(canvas, panel, (right, y, high))
    for number, crossing in enumerate(crossings):
        _mark(canvas, chart, crossing, (left, right, y, high), y - (len(crossings) - number - 0.3) * size.line)


def _id(*words: str) -> str:
    """Return an id, in which no space may be."""
    return ":".join(words).replace(" ", "_")


def _draw_curve(axes: Axes, chart: GrowthChart, curve: _Curve, theme: Theme, gid: str) -> None:
    """Draw a curve; a group's in its colour, on a wider one that sets it off from paper and other curves."""
    up = list(map(float, curve.heights))
    across: list[float] = [_across(chart, x.size) if chart.scale == LOG else x.size for x in chart.points]
    if curve.name in GROUPS:
        axes.plot(across, up, color=theme.ink, linewidth=2.6, clip_on=False, solid_capstyle="round")
        axes.plot(across, up, color=theme.series[curve.name], linewidth=1.8, clip_on=False, gid=gid)
    else:
        dashes = (0, (4, 2)) if curve.name == BLOCKS else "solid"
        axes.plot(across, up, color=theme.ink, linewidth=1.1, linestyle=dashes, clip_on=False, gid=gid)


def _labels(canvas: Canvas, panel: _Panel, where: tuple[float, float, float]) -> None:
    """Write what each curve is, and where it ends, beside its end."""
    (right, y, high), size = where, canvas.sizes
    ends = sorted((y + high * (1 - float(curve.heights[-1])), n) for n, curve in enumerate(panel.curves))
    places = spread([end for end, _ in ends], 1.3 * size.body, y, y + high)
    for (end, number), place in zip(ends, places, strict=True):
        curve, x = panel.curves[number], right + LEADER * size.body
        colour = canvas.theme.series[curve.name] if curve.name in GROUPS else canvas.theme.ink
        canvas.line((right + 2, end), (x - 3, place), colour, 1)
        canvas.middle(x, place, f"{curve.name} {curve.said}", gid=_id("label", panel.title, curve.name))


def _sizes_below(canvas: Canvas, chart: GrowthChart, where: tuple[float, float, float]) -> None:
    """Write sizes under a panel, as many as there is room for, and what grows."""
    (left, right, y), size = where, canvas.sizes
    first, last = chart.points[0].size, chart.points[-1].size
    room = max(int((right - left) / (measured(f"{last:,}", size.body) + 3 * size.gap)), 1)
    steps = MaxNLocator(min(room, 6), steps=[1, 2, 5, 10], integer=True).tick_values(first, last)
    if chart.scale == LOG:
        powers = range((first - 1).bit_length(), last.bit_length())
        steps = [2**power for power in powers[:: max(-(-len(powers) // min(room + 1, 8)), 1)]]
    end = left - 3 * size.gap
    for step in steps:
        words = f"{int(step):,}"
        half = measured(words, size.body) / 2
        if not first <= step <= last:
            continue
        at = left + (right - left) * _across(chart, int(step))
        if at - half >= end:
            canvas.text(at, y + size.line, words, align="center", colour=canvas.theme.faint)
            end = at + half + size.gap
    said = f"{chart.field}, log" if chart.scale == LOG else chart.field
    canvas.text((left + right) / 2, y + 1.9 * size.line, said, align="center", colour=canvas.theme.faint)


def _mark(
    canvas: Canvas, chart: GrowthChart, crossing: Crossing, where: tuple[float, float, float, float], baseline: float
) -> None:
    """Mark a crossing: a line down to the size, and what happens there above it, on a line of its own."""
    (left, right, y, high), size = where, canvas.sizes
    at = left + (right - left) * _across(chart, crossing.at)
    words = f"{crossing.at:,}: {crossing.above} overtakes {crossing.below}"
    long = measured(words, size.body)
    start = min(max(at + 3, left), canvas.width - size.margin - long)
    top = baseline - 0.7 * size.body if at < start else baseline + 0.3 * size.body  # not through its own words
    canvas.line((at, top), (at, y + high), canvas.theme.faint, 0.7)
    canvas.text(start, baseline, words, gid=_id("crossing", words))
