"""Histograms of values as a figure of matplotlib: weights upwards and biases downwards, a panel for each component."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING

from gpt2calc.algebra import SUPERSCRIPTS
from gpt2calc.plots.canvas import POINTS, Canvas, fill, first_that_fits, fitted, inches, measured, name_of, sizes
from gpt2calc.plots.chart import percent
from gpt2calc.plots.histograms import AXIS, BIASES, WEIGHTS, ZERO

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gpt2calc.plots.canvas import Sizes
    from gpt2calc.plots.chart import Mark
    from gpt2calc.plots.histograms import HistogramChart
    from gpt2calc.plots.style import Theme

LEAST_PANEL = 110
"""How wide a panel is at the least, in points."""

HIGH, LEAST_HIGH = 7, 4
"""How high a panel is, in sizes of text: as it is best, and at the least."""


def draw(chart: HistogramChart, theme: Theme, width: float, height: float | None) -> Figure:
    """Draw histograms."""
    size = sizes(width)
    panels: dict[str, list[tuple[int, Mark]]] = {}
    for place, mark in enumerate(chart.marks):
        panels.setdefault(mark.panel, []).append((place, mark))
    gap, room = 3 * size.gap, width * POINTS - 2 * size.margin
    across = min(max(int((room + gap) // (LEAST_PANEL + gap)), 1), len(panels))
    down = -(-len(panels) // across)
    wide = (room - gap * (across - 1)) / across
    zeros = any(mark.label == ZERO for mark in chart.marks)
    key, head, foot, axis = 1.3 * size.line, size.line * (1 + zeros), 1.5 * size.line, size.line
    fixed = size.top + key + size.margin + (head + foot) * down + axis
    least, best = (fixed + each * size.body * down for each in (LEAST_HIGH, HIGH))
    canvas = Canvas(theme, width, inches(best if height is None else least, height))
    canvas.title(chart.title)
    _key(canvas, size)
    high = (canvas.height - fixed) / down
    for number, (title, marks) in enumerate(panels.items()):
        x = size.margin + (number % across) * (wide + gap)
        y = size.top + key + (number // across) * (head + high + foot)
        canvas.text(x, y + size.body, fitted(title, wide, size.body, bold=True), bold=True)
        _zeros(canvas, marks, (x, y + size.line, wide))
        _panel(canvas, chart, marks, (x, y + head, wide, high))
        _bins(canvas, chart, (x, y + head + high, wide))
    bottom = canvas.height - size.margin
    canvas.text(canvas.width / 2, bottom, fitted(AXIS, room, size.body), align="center", colour=theme.faint)
    return canvas.figure


def raised(words: str) -> str:
    """Return a bin's label with its exponent raised.

    >>> raised("< 2^-14")
    '< 2⁻¹⁴'
    """
    base, power, exponent = words.partition("^")
    return base + exponent.translate(SUPERSCRIPTS).replace("-", "⁻") if power else words


def _key(canvas: Canvas, size: Sizes) -> None:
    """Say which colour goes up and which goes down, and what is counted."""
    y = size.top + 0.8 * size.body
    end = canvas.swatch(size.margin, y, WEIGHTS)
    canvas.text(end + 0.4 * size.body, y, "up", colour=canvas.theme.faint)
    end = canvas.swatch(end + measured("up", size.body) + 2 * size.gap, y, BIASES)
    end += 0.4 * size.body
    wordings = ("down, each component on scales of its own", "down, on scales of their own", "down")
    said = first_that_fits(wordings, canvas.width - size.margin - end, size.body)
    canvas.text(end, y, said, colour=canvas.theme.faint)


def _panel(
    canvas: Canvas, chart: HistogramChart, marks: list[tuple[int, Mark]], where: tuple[float, float, float, float]
) -> None:
    """Draw the bars of one component, the longest of each half as long as there is room."""
    x, y, wide, high = where
    axes = canvas.axes(x, y, wide, high)
    axes.set_xlim(0, len(chart.bins))
    axes.set_ylim(-1, 1)
    for role, sign in ((WEIGHTS, 1), (BIASES, -1)):
        own = [(place, mark) for place, mark in marks if mark.series.startswith(role)]
        several = list(dict.fromkeys(mark.series for _, mark in own))
        most = max((Fraction(mark.part, mark.whole) for _, mark in own if mark.whole), default=Fraction(0)) or 1
        for place, mark in own:
            start = chart.bins.index(mark.label) + 0.08 + 0.84 * several.index(mark.series) / len(several)
            up = sign * float(Fraction(mark.part, mark.whole or 1) / most)
            colour = canvas.theme.series[role]
            fill(axes, (start, 0), (0.84 / len(several), up), colour=colour, gid=name_of(place, mark))
    canvas.line((x, y + high / 2), (x + wide, y + high / 2), canvas.theme.faint)


def _zeros(canvas: Canvas, marks: list[tuple[int, Mark]], where: tuple[float, float, float]) -> None:
    """Write under a component's name which share of its weights, and of its biases, is exactly 0, where any is."""
    (x, y, wide), size = where, canvas.sizes
    held = [mark for _, mark in marks if mark.label == ZERO]
    if not any(mark.part for mark in held):
        return
    shares = [(mark.series, percent(mark.part, mark.whole or 1)) for mark in held]
    said = ", ".join(f"{share} of {series}" for series, share in shares)
    pointed = ", ".join(f"{'↑' if series.startswith(WEIGHTS) else '↓'} {share}" for series, share in shares)
    wordings = (f"zeros: {said}", f"zeros {pointed}")
    words = first_that_fits(wordings, wide, size.body) or fitted(wordings[-1], wide, size.body)
    canvas.text(x, y + size.body, words, colour=canvas.theme.faint)


def _bins(canvas: Canvas, chart: HistogramChart, where: tuple[float, float, float]) -> None:
    """Write what the bins are under them: those that are no power of two, and as many powers as there is room for.

    The bin of what is less than the powers drawn stands beside that of 0. Where both names do not fit, it has none, and
    then that of 0 has none; the largest power has its name always.
    """
    (_, y, _), size = where, canvas.sizes
    words = [raised(label) for label in chart.bins]
    powers = [n for n, label in enumerate(chart.bins) if label.startswith("2^")]
    others = [n for n in range(len(words)) if n not in powers]
    fewer = [n for n in others if not chart.bins[n].startswith("<")]
    fewest = [n for n in fewer if chart.bins[n] != ZERO]
    for named, least in ((others, 2), (fewer, 2), (fewest, 2), (fewer, 1), ([], 1)):
        for step in range(1, len(words) + 1):
            kept = powers[::-step]
            placed = _placed(canvas, sorted([*named, *kept]), words, where)
            if placed and (len(kept) >= least or len(powers) < least):
                for at, n in placed:
                    canvas.text(at, y + size.body, words[n], align="center", colour=canvas.theme.faint)
                return


def _placed(
    canvas: Canvas, chosen: list[int], words: list[str], where: tuple[float, float, float]
) -> list[tuple[float, int]]:
    """Return where the names of some bins stand, nothing where two of them would touch."""
    (x, _, wide), size = where, canvas.sizes
    halves = [measured(words[n], size.body) / 2 for n in chosen]
    middles = [x + wide * (n + 0.5) / len(words) for n in chosen]
    middles = [min(max(at, x + half), x + wide - half) for at, half in zip(middles, halves, strict=True)]
    ends = [(at - half, at + half) for at, half in zip(middles, halves, strict=True)]
    apart = all(before[1] + size.gap < after[0] for before, after in pairwise(ends))
    return list(zip(middles, chosen, strict=True)) if apart else []
