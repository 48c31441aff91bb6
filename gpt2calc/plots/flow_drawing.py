"""A flow as a figure of matplotlib: the rectangles, lines, sums and texts of its layout."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from matplotlib.lines import Line2D
from matplotlib.patches import Circle, FancyBboxPatch, Polygon

from gpt2calc.palette import readable_on
from gpt2calc.plots.canvas import HEIGHTS, POINTS, Canvas, fill, fitted, inches, keyed, measured, name_of, sizes
from gpt2calc.plots.chart import groups_of
from gpt2calc.plots.flows import Measures, laid_out
from gpt2calc.table import short

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gpt2calc.palette import Theme
    from gpt2calc.plots.flows import FlowChart, Layout, Line, Rect, Words

LEAST_MODEL_POINTS = 60.0
"""How high all parameters are together at the least."""


def draw(chart: FlowChart, theme: Theme, width: float, height: float | None) -> Figure:
    """Draw a flow."""
    size = sizes(width)
    key = keyed(groups_of(chart), chart.total, size, width * POINTS - 2 * size.margin)
    top = size.top + key.height + 0.6 * size.body

    measures = Measures(width * POINTS, size.body, size.margin, top, 0 if height is None else LEAST_MODEL_POINTS)
    in_lines, crowded = (laid_out(chart, measures._replace(crowded=each)) for each in (False, True))
    has_room = crowded.height <= POINTS * (HEIGHTS[1] if height is None else height)
    measures = measures._replace(crowded=has_room and _overflows(in_lines, size.body))

    def layout(model: float) -> Layout:
        return laid_out(chart, measures._replace(model=model))

    found = layout(measures.model)
    canvas = Canvas(theme, width, inches(found.height, height))
    if height is not None:
        low, high = LEAST_MODEL_POINTS, height * POINTS + LEAST_MODEL_POINTS
        for _ in range(30):  # the layout grows with the model, and not by a law, since thin boxes do not
            middle = (low + high) / 2
            low, high = (middle, high) if layout(middle).height <= canvas.height else (low, middle)
        found = layout(low)
    room = canvas.width - 2 * size.margin
    is_short = measured(chart.title, size.title, bold=True) > room
    canvas.title(f"{chart.name}: {short(chart.total)} parameters" if is_short else chart.title)
    key.draw(canvas)
    axes = canvas.axes(0, 0, canvas.width, canvas.height)
    axes.set_xlim(0, canvas.width)
    axes.set_ylim(canvas.height, 0)
    for rect in found.rects:
        _rect(axes, chart, rect, theme, size.body)
    for line in found.lines:
        _line(axes, line, theme, size.body)
    for each in found.sums:
        _sum(axes, each.x, each.y, 0.5 * size.body, theme)
    for number, words in enumerate(found.words):
        _words(canvas, words, number)
    return canvas.figure


def _overflows(layout: Layout, body: float) -> bool:
    """Whether some text is wider than its room."""
    return any(measured(each.words, body, bold=each.style == "bold") > each.room for each in layout.words)


def _rect(axes: Axes, chart: FlowChart, rect: Rect, theme: Theme, body: float) -> None:
    corner, size = (rect.x, rect.y), (rect.width, rect.height)
    if rect.kind == "box":
        fill(axes, corner, size, colour=theme.series[rect.series], gid=name_of(rect.mark, chart.marks[rect.mark]))
    elif rect.kind == "measure":
        fill(axes, corner, size, colour=theme.faint)
    else:
        look = {"frame": (theme.rule, "solid", 0.9), "tied": (theme.series["embedding"], (0, (3, 2)), 1.1)}
        colour, dashes, width = look[rect.kind]
        shape = FancyBboxPatch(
            corner, *size, boxstyle=f"round,pad=0,rounding_size={0.5 * body if rect.kind == 'frame' else 0.1}"
        )
        shape.set(facecolor="none", edgecolor=colour, linestyle=dashes, linewidth=width)
        axes.add_artist(shape)


def _line(axes: Axes, line: Line, theme: Theme, body: float) -> None:
    across, down = zip(*line.points, strict=True)
    colour = theme.series["embedding"] if line.kind == "tie" else theme.faint
    dashes: Any = {"flow": "solid", "tie": (0, (3, 2)), "apart": (0, (1, 1.5))}[line.kind]
    axes.add_artist(Line2D(across, down, color=colour, linestyle=dashes, linewidth=1.1, solid_capstyle="butt"))
    if line.arrow:
        (x, y), (back_x, back_y) = line.points[-1], line.points[-2]
        long = 0.7 * body
        along_x, along_y = (long if x > back_x else -long if x < back_x else 0), (long if y > back_y else 0)
        side_x, side_y = 0.4 * along_y, 0.4 * along_x
        corners = [(x, y), (x - along_x + side_x, y - along_y + side_y), (x - along_x - side_x, y - along_y - side_y)]
        axes.add_artist(Polygon(corners, closed=True, facecolor=colour, linewidth=0))


def _sum(axes: Axes, x: float, y: float, radius: float, theme: Theme) -> None:
    shape = Circle((x, y), radius, facecolor=theme.paper, edgecolor=theme.faint, linewidth=1.1)
    axes.add_artist(shape)
    for across, down in (
        ((x - 0.55 * radius, x + 0.55 * radius), (y, y)),
        ((x, x), (y - 0.55 * radius, y + 0.55 * radius)),
    ):
        axes.add_artist(Line2D(across, down, color=theme.faint, linewidth=1.1))


def _words(canvas: Canvas, words: Words, number: int) -> None:
    theme = canvas.theme
    bold = words.style == "bold"
    colour = readable_on(theme.series[words.series]) if words.style == "in" else None
    colour = theme.faint if words.style == "faint" else colour
    said = fitted(words.words, words.room, canvas.sizes.body, bold=bold)
    gid = f"in:{words.mark}:{number}" if words.style == "in" else None
    canvas.middle(words.x, words.y, said, align=words.align, bold=bold, colour=colour, gid=gid)
