"""Memory over the context as a figure of matplotlib: a curve a model, and a line across for a memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.ticker import MaxNLocator

from gpt2calc.plots.canvas import Canvas, inches, measured, sizes, spread
from gpt2calc.plots.serving import in_gb

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gpt2calc.plots.serving import ContextChart
    from gpt2calc.plots.style import Theme

HIGH, LEAST_HIGH = 24, 13
"""How high the panel is, in sizes of text: as it is best, and at the least."""

LEADER = 2.2
"""How far a label stands from the end of its curve, in sizes of text."""


def draw(chart: ContextChart, theme: Theme, width: float, height: float | None) -> Figure:
    """Draw memory over the context."""
    size = sizes(width)
    head, foot = size.line * (1 + len(chart.crossings)), 2.4 * size.line + size.margin
    least, best = (size.top + head + foot + each * size.body for each in (LEAST_HIGH, HIGH))
    canvas = Canvas(theme, width, inches(best if height is None else least, height))
    canvas.title(chart.title)
    for n, crossing in enumerate(chart.crossings):
        words = f"{crossing.above} no longer fits into {crossing.below} from {crossing.at:,} tokens on"
        canvas.text(size.margin, size.top + (n + 0.7) * size.line, words, gid=f"crossing:{n}")
    _panel(canvas, chart, size.top + head, canvas.height - size.top - head - foot)
    return canvas.figure


def _panel(canvas: Canvas, chart: ContextChart, y: float, high: float) -> None:
    """Draw the curves of all models on one scale from 0, with what each ends at beside it."""
    size, theme = canvas.sizes, canvas.theme
    most = chart.most * 1.04
    steps = [int(step * 10**9) for step in MaxNLocator(5, steps=[1, 2, 5, 10]).tick_values(0, most / 10**9)]
    ticks = [(step / most, in_gb(step)) for step in steps if 0 <= step <= most]
    ends = {name: list(curve.values())[-1] for name, curve in chart.curves.items()}
    said = {name: f"{name} {in_gb(end)}" for name, end in ends.items()}
    if chart.limit is not None:
        ends[""], said[""] = chart.limit[0], chart.limit[1]
    left = size.margin + max(measured(words, size.body) for _, words in ticks) + size.gap
    right = canvas.width - size.margin - max(measured(words, size.body) for words in said.values()) - LEADER * size.body
    for tick, words in ticks:
        canvas.line((left, y + high * (1 - tick)), (right, y + high * (1 - tick)), theme.rule)
        canvas.middle(left - size.gap, y + high * (1 - tick), words, align="right", colour=theme.faint)
    lengths = next(iter(chart.curves.values()))
    first, last = min(lengths), max(lengths)
    _lengths(canvas, (left, right, y + high), first, last)
    axes = canvas.axes(left, y, right - left, high)
    axes.set_xlim(first, last)
    axes.set_ylim(0, 1)
    for name, curve in chart.curves.items():
        across, up = list(curve), [size_ / most for size_ in curve.values()]
        axes.plot(across, up, color=theme.ink, linewidth=2.6, clip_on=False, solid_capstyle="round")
        colour, gid = theme.series[chart.colours[name]], "_".join(f"curve:{name}".split())
        axes.plot(across, up, color=colour, linewidth=1.8, clip_on=False, gid=gid)
    if chart.limit is not None:
        height = chart.limit[0] / most
        axes.plot([first, last], [height, height], color=theme.ink, linewidth=1.1, linestyle=(0, (4, 2)), gid="limit")
    ordered = sorted((y + high * (1 - end / most), name) for name, end in ends.items())
    places = spread([end for end, _ in ordered], 1.3 * size.body, y, y + high)
    for (end, name), place in zip(ordered, places, strict=True):
        x = right + LEADER * size.body
        colour = theme.series[chart.colours[name]] if name else theme.ink
        canvas.line((right + 2, end), (x - 3, place), colour, 1)
        canvas.middle(x, place, said[name], gid="_".join(f"label:{name or 'limit'}".split()))


def _lengths(canvas: Canvas, where: tuple[float, float, float], first: int, last: int) -> None:
    """Write lengths under the panel, as many as there is room for, in powers of two where they are long."""
    (left, right, y), size = where, canvas.sizes
    room = max(int((right - left) / (measured(f"{last:,}", size.body) + 3 * size.gap)), 1)
    step = 1
    while (last - first) / step > min(room, 8):
        step *= 2
    for length in range(-(-first // step) * step, last + 1, step):
        at = left + (right - left) * (length - first) / (last - first)
        canvas.text(at, y + size.line, f"{length:,}", align="center", colour=canvas.theme.faint)
    words = "tokens of context"
    canvas.text((left + right) / 2, y + 2 * size.line, words, align="center", colour=canvas.theme.faint)
