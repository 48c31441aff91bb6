"""Shapes of equal parameters as a figure of matplotlib: curves with their totals at the edge, and dots with names."""

from __future__ import annotations

from itertools import pairwise
from math import log2
from typing import TYPE_CHECKING

from matplotlib.lines import Line2D
from matplotlib.patches import Circle, Rectangle

from gpt2calc.plots.canvas import Canvas, inches, measured, name_of, sizes

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gpt2calc.palette import Theme
    from gpt2calc.plots.planes import Curve, PlaneChart

HIGH, LEAST_HIGH = 40, 16
"""How high the plane is, in sizes of text: as it is best, and at the least."""


def draw(chart: PlaneChart, theme: Theme, width: float, height: float | None) -> Figure:
    """Draw the plane."""
    size = sizes(width)
    fixed = size.top + 3.7 * size.line + size.margin
    needed = fixed + size.body * (HIGH if height is None else LEAST_HIGH)
    canvas = Canvas(theme, width, inches(needed, height))
    is_long = measured(chart.title, size.title, bold=True) > canvas.width - 2 * size.margin
    canvas.title(chart.title.rpartition(", ")[2] if is_long else chart.title)
    left = size.margin + measured("128", size.body) + size.gap
    right = canvas.width - size.margin - measured("500M", size.body) - size.gap
    top = size.top + 1.3 * size.line
    across, high = right - left, canvas.height - fixed
    _Plane(canvas, chart, (left, top, across, high)).draw()
    return canvas.figure


class _Plane:
    """What is drawn in the plane, and which places are taken by words."""

    def __init__(self, canvas: Canvas, chart: PlaneChart, where: tuple[float, float, float, float]) -> None:
        self.canvas, self.chart, self.where = canvas, chart, where
        self.taken: list[tuple[float, float, float, float]] = []

    def at(self, width: float, depth: float) -> tuple[float, float]:
        """Return where a shape lies, in points."""
        (left, top, across, high), chart = self.where, self.chart
        x = log2(width / chart.widths[0]) / log2(chart.widths[1] / chart.widths[0])
        y = log2(depth / chart.depths[0]) / log2(chart.depths[1] / chart.depths[0])
        return left + across * x, top + high * (1 - y)

    def draw(self) -> None:
        """Draw axes, curves and dots; names last, where there is room."""
        canvas, chart, (left, top, across, high) = self.canvas, self.chart, self.where
        size, theme = canvas.sizes, canvas.theme
        self.axes = canvas.axes(0, 0, canvas.width, canvas.height)
        self.axes.set_xlim(0, canvas.width)
        self.axes.set_ylim(canvas.height, 0)
        canvas.text(size.margin, top - 1.1 * size.body, "n_layer", colour=theme.faint)
        canvas.text(
            left + across / 2,
            top + high + 2.2 * size.line,
            "n_embd, both on logarithms",
            align="center",
            colour=theme.faint,
        )
        for power in range((chart.depths[0] - 1).bit_length(), chart.depths[1].bit_length()):
            _, y = self.at(chart.widths[0], 2**power)
            self._rule((left, left + across), (y, y))
            canvas.middle(left - size.gap, y, f"{2**power}", align="right", colour=theme.faint)
        end = 0.0
        for power in range((chart.widths[0] - 1).bit_length(), chart.widths[1].bit_length()):
            x, _ = self.at(2**power, chart.depths[0])
            words = f"{2**power:,}"
            half = measured(words, size.body) / 2
            self._rule((x, x), (top, top + high))
            if x - half > end:
                canvas.text(x, top + high + size.line, words, align="center", colour=theme.faint)
                end = x + half + size.gap
        for curve in chart.curves:
            self._curve(curve)
        for place, dot in enumerate(chart.dots):
            x, y = self.at(dot.width, dot.depth)
            radius = (0.5 if dot.own else 0.3) * size.body
            colour = theme.series["mlp"] if dot.own else theme.series["total"]
            shape = Circle((x, y), radius, facecolor=colour, edgecolor=theme.paper, linewidth=0.6, zorder=4)
            shape.set_gid(name_of(place, chart.marks[place]))
            self.axes.add_artist(shape)
            self.taken.append((x - radius, y - radius, x + radius, y + radius))
        for dot in chart.dots:
            self._name(dot.name, *self.at(dot.width, dot.depth), bold=dot.own)

    def _rule(self, across: tuple[float, float], down: tuple[float, float]) -> None:
        self.axes.add_artist(Line2D(across, down, color=self.canvas.theme.rule, linewidth=0.6, zorder=0.5))

    def _curve(self, curve: Curve) -> None:
        """Draw a curve to the edges of the plane, and write its total where it leaves it."""
        canvas, (left, top, across, high) = self.canvas, self.where
        points = [self.at(width, float(depth)) for width, depth in curve.points]
        inside = self._clipped(points)
        if len(inside) < 2:
            return
        theme = canvas.theme
        colour = theme.series["mlp"] if curve.own else theme.faint
        xs, ys = zip(*inside, strict=True)
        self.axes.plot(xs, ys, color=colour, linewidth=1.8 if curve.own else 0.9, zorder=3, gid=f"curve:{curve.total}")
        if curve.own:
            return
        x, y = inside[-1]
        size = canvas.sizes
        wide = measured(curve.name, size.body)
        if y < top + high - 1:  # it leaves at the right
            box = (left + across + size.gap, y - 0.6 * size.body, left + across + size.gap + wide, y + 0.6 * size.body)
            spot = (box[0], y)
        else:
            box = (x + 0.3 * size.body, y - 1.4 * size.body, x + 0.3 * size.body + wide, y - 0.2 * size.body)
            spot = (box[0], y - 0.8 * size.body)
        if self._is_free(box):
            canvas.middle(*spot, curve.name, colour=theme.faint)
            self.taken.append(box)

    def _clipped(self, points: list[tuple[float, float]]) -> list[tuple[float, float]]:
        """Return the points of a falling curve within the plane, and where it crosses its upper and lower edge."""
        _, top, _, high = self.where
        found = []
        for (x, y), (next_x, next_y) in pairwise(points):
            if top <= y <= top + high:
                found.append((x, y))
            for edge in (top, top + high):
                found += [(x + (next_x - x) * (edge - y) / (next_y - y), edge)] if y < edge < next_y else []
        if points and top <= points[-1][1] <= top + high:
            found.append(points[-1])
        return found

    def _name(self, words: str, x: float, y: float, *, bold: bool) -> None:
        """Write a name beside its dot, on the side that has room; nowhere, where none has."""
        canvas, size = self.canvas, self.canvas.sizes
        wide, half = measured(words, size.body, bold=bold), 0.6 * size.body
        away = 0.8 * size.body
        left, top, across, high = self.where
        for dx, dy in (
            (away, 0.0),
            (-away - wide, 0.0),
            (away, -half),
            (away, half),
            (-wide / 2, -1.6 * half),
            (-wide / 2, 1.6 * half),
        ):
            box = (x + dx, y + dy - half, x + dx + wide, y + dy + half)
            if box[0] < left or box[2] > left + across or box[1] < top or box[3] > top + high or not self._is_free(box):
                continue
            ground = Rectangle(box[:2], wide, 2 * half, facecolor=canvas.theme.paper, linewidth=0, zorder=3.5)
            self.axes.add_artist(ground)
            canvas.middle(box[0], y + dy, words, bold=bold)
            self.taken.append(box)
            return

    def _is_free(self, box: tuple[float, float, float, float]) -> bool:
        return not any(
            box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3] for other in self.taken
        )
