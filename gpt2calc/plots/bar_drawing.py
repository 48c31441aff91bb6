"""Bars as figures of matplotlib: stacked, or in panels."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from matplotlib.patches import Circle

from gpt2calc.plots.bars import LEVELS, POWERS, TOTAL, BarChart, along, length, powers_of, worded
from gpt2calc.plots.canvas import (
    POINTS,
    Canvas,
    fill,
    first_that_fits,
    fitted,
    inches,
    lined_up,
    measured,
    name_of,
    sizes,
    swatch_width,
)
from gpt2calc.plots.chart import full, percent, tick
from gpt2calc.plots.style import readable_on
from gpt2calc.table import short

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gpt2calc.plots.bars import Panel
    from gpt2calc.plots.canvas import Sizes
    from gpt2calc.plots.chart import Mark
    from gpt2calc.plots.style import Theme

ROW, LEAST_ROW = 2.6, 1.5
"""From one bar to the next, in sizes of text: as it is best, and at the least."""

THICK, THICKEST = 0.72, 40
"""How much of its row a bar fills, and how thick it is at most, in points."""

NAMES = 0.3
"""The part of the width that names take at most."""

BARS = 0.42
"""The part of the width that bars take at the least; columns of numbers that leave them less are left out."""

ROOMY = 0.5
"""The part of the width that bars take at the least beside totals in full; where those leave less, they are short."""

LEAST_PANEL = 9
"""How wide the bars of a panel are at the least, in sizes of text."""


def draw(chart: BarChart, theme: Theme, width: float, height: float | None) -> Figure:
    """Draw bars."""
    return _stacked(chart, theme, width, height) if chart.stacked else _panels(chart, theme, width, height)


def _bar(axes: Axes, row: float, ends: tuple[Fraction, Fraction], *, thick: float, colour: str, gid: str) -> None:
    start, end = map(float, ends)
    fill(axes, (start, row - thick / 2), (end - start, thick), colour=colour, gid=gid)


class _Plan(NamedTuple):
    """Where the parts of a stacked chart lie: from where to where the bars go, and the columns after them."""

    left: float
    right: float
    columns: tuple[tuple[str, float], ...]
    """The series, or total, and the right edge of its column."""
    number: Callable[[int], str]
    """How totals are written."""


def _planned(chart: BarChart, size: Sizes, width: float) -> _Plan:
    """Give a column to the total, and to each series whose shares fit into less than half of its bars."""
    rows, gap = chart.rows(), 2 * size.gap
    left = size.margin + min(max(measured(label, size.body) for label, _ in rows), NAMES * width) + gap
    edge, columns = width - size.margin, []
    room = width - size.margin - left

    def wide_of(said: Callable[[int], str]) -> float:
        return max(measured(words, size.body) for words in (TOTAL, *(said(marks[0].whole) for _, marks in rows))) + gap

    number = full if room - wide_of(full) >= ROOMY * width else short
    if room - wide_of(number) >= BARS * width:
        columns.append((TOTAL, edge))
        edge -= wide_of(number)
    for place in reversed(range(len(chart.series))):
        marks = [row[place] for _, row in rows]
        fits = sum(bool(_inside(mark, edge - left, size)) for mark in marks)
        wide = max(swatch_width(chart.series[place], size.body), *(measured(_share(x), size.body) for x in marks))
        if 2 * fits < len(marks) and edge - wide - gap - left >= BARS * width:
            columns.append((chart.series[place], edge))
            edge -= wide + gap
    return _Plan(left, edge, tuple(columns), number)


def _share(mark: Mark) -> str:
    return percent(mark.part, mark.whole)


def _inside(mark: Mark, room: float, size: Sizes) -> str:
    """Return what can be written in a segment of a bar of so many points."""
    words = _share(mark)
    return first_that_fits((words, words.replace(" %", "%")), room * (mark.part / mark.whole) - 2, size.body)


def _heads(chart: BarChart, plan: _Plan, size: Sizes) -> list[list[tuple[str, float]]]:
    """Return the names of the series that are in the bars, in lines, each above its first bar where they all can be."""
    inside = [name for name in chart.series if name not in dict(plan.columns)]
    widths = [swatch_width(name, size.body) for name in inside]
    gap = 2 * size.gap
    if sum(widths) + gap * (len(widths) - 1) > plan.right - plan.left:
        lines = lined_up(widths, gap, plan.right - size.margin)
        return [
            [(inside[n], size.margin + sum(widths[m] + gap for m in line if m < n)) for n in line] for line in lines
        ]
    _, marks = chart.rows()[0]
    places, start, end = [], Fraction(0), plan.left
    for mark in marks:
        if mark.series in inside:
            end = max(end, plan.left + float(start) * (plan.right - plan.left))
            places.append(end)
            end += widths[len(places) - 1] + gap
        start += Fraction(mark.part, mark.whole)
    limit = plan.right
    for n in reversed(range(len(places))):
        places[n] = min(places[n], limit - widths[n])
        limit = places[n] - gap
    return [list(zip(inside, places, strict=True))]


def _stacked(chart: BarChart, theme: Theme, width: float, height: float | None) -> Figure:
    size, rows = sizes(width), chart.rows()
    plan = _planned(chart, size, width * POINTS)
    heads = _heads(chart, plan, size)
    top = size.top + len(heads) * size.line
    least, best = (top + size.margin + each * size.body * len(rows) for each in (LEAST_ROW, ROW))
    canvas = Canvas(theme, width, inches(best if height is None else least, height))
    canvas.title(chart.title)
    _draw_heads(canvas, plan, heads)
    row = (canvas.height - size.margin - top) / len(rows)
    axes = canvas.axes(plan.left, top, plan.right - plan.left, row * len(rows))
    axes.set_xlim(0, 1)
    axes.set_ylim(len(rows), 0)
    numbered = enumerate(chart.marks)
    for number, (label, marks) in enumerate(rows):
        middle = top + row * (number + 0.5)
        name = fitted(label, plan.left - size.margin - 2 * size.gap, size.body)
        canvas.middle(plan.left - 2 * size.gap, middle, name, align="right")
        _stack(canvas, axes, plan, [next(numbered) for _ in marks], (number + 0.5, middle, row))
        for series, edge in plan.columns:
            share = next((_share(mark) for mark in marks if mark.series == series), "")
            canvas.middle(edge, middle, share or plan.number(marks[0].whole), align="right")
    return canvas.figure


def _draw_heads(canvas: Canvas, plan: _Plan, heads: Sequence[Sequence[tuple[str, float]]]) -> None:
    """Write what each colour is, above the bars, and what each column is, on the last line of that."""
    size = canvas.sizes
    baseline = size.top + 0.8 * size.body
    for number, line in enumerate(heads):
        for name, x in line:
            canvas.swatch(x, baseline + number * size.line, name)
    baseline += (len(heads) - 1) * size.line
    for name, edge in plan.columns:
        if name == TOTAL:
            canvas.text(edge, baseline, name, align="right", colour=canvas.theme.faint)
        else:
            canvas.swatch(edge - swatch_width(name, size.body), baseline, name)


def _stack(
    canvas: Canvas, axes: Axes, plan: _Plan, marks: Sequence[tuple[int, Mark]], where: tuple[float, float, float]
) -> None:
    """Draw one model's numbered marks end to end, in a row of the axes whose middle and height are given in points."""
    row, middle, high = where
    wide = plan.right - plan.left
    start = Fraction(0)
    for place, mark in marks:
        end = start + Fraction(mark.part, mark.whole)
        colour, gid = canvas.theme.series[mark.series], name_of(place, mark)
        _bar(axes, row, (start, end), thick=min(THICK * high, THICKEST) / high, colour=colour, gid=gid)
        if mark.series not in dict(plan.columns):
            x, words = plan.left + float(start + end) / 2 * wide, _inside(mark, wide, canvas.sizes)
            canvas.middle(x, middle, words, align="center", colour=readable_on(colour), gid=f"in:{gid}")
        start = end


class _Grid(NamedTuple):
    """How panels lie: how many side by side, where the bars of each begin and end, and how high one is."""

    across: int
    names: float
    panel: float
    words: dict[Mark, str]
    numbers: dict[str, float]
    """How much room the numbers after the bars of each scale take."""
    longest: dict[str, Fraction]
    """What fills the bars of each scale."""


def _grid(chart: BarChart, size: Sizes, width: float) -> _Grid:
    """Put as many panels side by side as there is room for, with numbers as long as there is room for.

    Names stand before the first alone, so that panels of other names go below each other.
    """
    gap, many = 2.5 * size.gap, len(chart.panels)
    names = min(max(measured(mark.label, size.body) for mark in chart.marks), NAMES * width) + size.gap
    room = width - 2 * size.margin - names
    for level in range(LEVELS):
        words = {mark: worded(panel, mark, level) for panel, marks in chart.panels for mark in marks}
        numbers = _numbers(chart, words, size)
        across = int((room + gap) // (LEAST_PANEL * size.body + max(numbers.values()) + gap))
        if across:
            break
    alike = len({tuple(mark.label for mark in marks) for _, marks in chart.panels}) == 1
    across = max(1, min(across, many)) if alike else 1
    across = -(-many // -(-many // across))  # as many in each line as in the others
    longest = {panel.scale: Fraction(*chart.longest(panel)) for panel, _ in chart.panels}
    return _Grid(across, names, (room - gap * (across - 1)) / across, words, numbers, longest)


def _numbers(chart: BarChart, words: dict[Mark, str], size: Sizes) -> dict[str, float]:
    """Return how much room the numbers of each scale take: bars on one scale end alike."""
    found: dict[str, float] = {}
    for panel, marks in chart.panels:
        wide = max(measured(words[mark], size.body) for mark in marks) + size.gap
        found[panel.scale] = max(wide, found.get(panel.scale, 0))
    return found


def _panels(chart: BarChart, theme: Theme, width: float, height: float | None) -> Figure:
    size = sizes(width)
    grid = _grid(chart, size, width * POINTS)
    lines = [chart.panels[n : n + grid.across] for n in range(0, len(chart.panels), grid.across)]
    headed = any(panel.title for panel, _ in chart.panels)
    head = size.line if headed else 0
    between = size.line * (len(lines) - 1)
    foot = size.line * any(panel.measure == POWERS for panel, _ in chart.panels)
    count = sum(max(len(marks) for _, marks in line) for line in lines)
    fixed = size.top + size.margin + head * len(lines) + between + foot
    least, best = (fixed + each * size.body * count for each in (LEAST_ROW, 2.2))
    canvas = Canvas(theme, width, inches(best if height is None else least, height))
    canvas.title(chart.title)
    row = (canvas.height - fixed) / count
    y, place = size.top, 0
    for line in lines:
        for column, (panel, marks) in enumerate(line):
            x = size.margin + grid.names + column * (grid.panel + 2.5 * size.gap)
            _panel(canvas, grid, panel, list(enumerate(marks, place)), (x, y + head, row), names=column == 0)
            place += len(marks)
        y += head + row * max(len(marks) for _, marks in line) + size.line
    return canvas.figure


def _dots(
    canvas: Canvas,
    axes: Axes,
    grid: _Grid,
    marks: Sequence[tuple[int, Mark]],
    where: tuple[float, float, float, float],
) -> None:
    """Draw marks as dots between powers of ten, whose lines have their numbers below."""
    (x, y, bars, row), size = where, canvas.sizes
    powers = powers_of([mark for _, mark in marks])
    low, high = powers
    step = -(-(high - low) // max(int(bars // (4 * size.body)), 1))
    for power in range(low, high + 1, step):
        at = bars * (power - low) / (high - low)
        fill(axes, (at - 0.3, 0), (0.6, row * len(marks)), colour=canvas.theme.rule)
        under = y + row * len(marks) + size.body
        canvas.text(x + at, under, tick(10**power), align="center", colour=canvas.theme.faint)
    for number, (place, mark) in enumerate(marks):
        middle = row * (number + 0.5)
        at = bars * along(mark.part, powers)
        radius = min(0.25 * row, 0.5 * size.body)
        fill(axes, (0, middle - 0.6), (at, 1.2), colour=canvas.theme.rule)
        dot = Circle((at, middle), radius, facecolor=canvas.theme.series[mark.series], linewidth=0, clip_on=False)
        dot.set_gid(name_of(place, mark))
        axes.add_artist(dot)
        canvas.middle(
            x + bars + size.gap + grid.numbers[POWERS] - size.gap, y + middle, grid.words[mark], align="right"
        )
        canvas.middle(x - size.gap, y + middle, fitted(mark.label, grid.names - size.gap, size.body), align="right")


def _panel(
    canvas: Canvas,
    grid: _Grid,
    panel: Panel,
    marks: Sequence[tuple[int, Mark]],
    where: tuple[float, float, float],
    *,
    names: bool,
) -> None:
    """Draw one panel's numbered marks at a place, in rows of a height."""
    (x, y, row), size = where, canvas.sizes
    canvas.text(x, y - 0.5 * size.body, fitted(panel.title, grid.panel, size.body, bold=True), bold=True)
    bars = grid.panel - grid.numbers[panel.scale]
    axes = canvas.axes(x, y, bars, row * len(marks))
    if panel.measure == POWERS:
        axes.set_xlim(0, bars)
        axes.set_ylim(row * len(marks), 0)
        _dots(canvas, axes, grid, marks, (x, y, bars, row))
        return
    axes.set_xlim(0, 1)
    axes.set_ylim(len(marks), 0)
    thick = min(THICK * row, THICKEST) / row
    canvas.line((x, y), (x, y + row * len(marks)), canvas.theme.rule)
    for number, (place, mark) in enumerate(marks):
        middle = y + row * (number + 0.5)
        end = Fraction(*length(panel, mark)) / grid.longest[panel.scale]
        colour, gid = canvas.theme.series[mark.series], name_of(place, mark)
        _bar(axes, number + 0.5, (Fraction(0), end), thick=thick, colour=colour, gid=gid)
        canvas.middle(x + float(end) * bars + size.gap / 2, middle, grid.words[mark])
        if names:
            canvas.middle(x - size.gap, middle, fitted(mark.label, grid.names - size.gap, size.body), align="right")
