"""A treemap as a figure of matplotlib: every tensor a rectangle of exactly its share."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING

from matplotlib.patches import Rectangle

from gpt2calc.formulas import GROUPS
from gpt2calc.plots.areas import Box, boxes
from gpt2calc.plots.canvas import POINTS, Canvas, inches, lined_up, measured, name_of, sizes
from gpt2calc.plots.chart import full, percent
from gpt2calc.plots.style import readable_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gpt2calc.plots.areas import Node, Treemap
    from gpt2calc.plots.style import Theme

ASPECT = 0.55
"""How high the model is for its width."""

LEAST = 60
"""How high it is at the least, in points."""

LEADING = 1.25
"""From one line to the next, in sizes of type."""

SMALLEST = 5.5
"""The smallest type, in points; where there is no room for it, nothing is written."""


def draw(chart: Treemap, theme: Theme, width: float, height: float | None) -> Figure:
    """Draw a treemap."""
    size = sizes(width)
    across = width * POINTS - 2 * size.margin
    held = {name: sum(mark.part for mark in chart.marks if mark.series == name) for name in GROUPS}
    held = {name: part for name, part in held.items() if part}
    whole = chart.marks[0].whole
    said = {group: percent(part, whole) for group, part in held.items()}
    widths = [_key_width(group, words, size.body) for group, words in said.items()]
    lines = lined_up(widths, 2 * size.gap, across)
    top = size.top + len(lines) * size.line + 0.3 * size.body
    needed = top + size.margin + (ASPECT * across if height is None else LEAST)
    canvas = Canvas(theme, width, inches(needed, height))
    canvas.title(chart.title)
    groups = list(said)
    for number, line in enumerate(lines):
        x, y = size.margin, size.top + 0.8 * size.body + number * size.line
        for place in line:
            end = canvas.swatch(x, y, groups[place])
            canvas.text(end + 0.4 * size.body, y, said[groups[place]], colour=theme.faint)
            x += widths[place] + 2 * size.gap
    high = canvas.height - top - size.margin
    axes = canvas.axes(size.margin, top, across, high)
    axes.set_xlim(0, across)
    axes.set_ylim(high, 0)
    drawn = tuple(boxes(chart.nodes, Box(Fraction(0), Fraction(0), Fraction(across), Fraction(high))))
    leaves = [(leaf, box) for _, _, inner in drawn for leaf, box in inner]
    for (leaf, box), (place, mark) in zip(leaves, enumerate(chart.marks), strict=True):
        _rectangle(axes, box, fill=theme.series[leaf.group], edge=theme.paper, line=0.4, gid=name_of(place, mark))
    for block, own, _ in drawn:
        if block:
            _rectangle(axes, own, fill="none", edge=theme.paper, line=1.6)
    _labels(canvas, drawn, (size.margin, top))
    return canvas.figure


def _key_width(group: str, share: str, size: float) -> float:
    return 1.15 * size + measured(group, size) + 0.4 * size + measured(share, size)


def _rectangle(axes: Axes, box: Box, *, fill: str, edge: str, line: float, gid: str | None = None) -> None:
    shape = Rectangle((float(box.x), float(box.y)), float(box.width), float(box.height), facecolor=fill, edgecolor=edge)
    shape.set_linewidth(line)
    shape.set_gid(gid)
    axes.add_patch(shape)


def _labels(
    canvas: Canvas, drawn: Sequence[tuple[str, Box, Sequence[tuple[Node, Box]]]], corner: tuple[float, float]
) -> None:
    """Write what each rectangle is, in its upper left corner; a tensor is called the same in every block.

    The largest tensor of a block also bears the number of the block.
    """
    alike: dict[str, list[tuple[Node, Box, str]]] = {}
    for block, _, inner in drawn:
        for number, (leaf, box) in enumerate(inner):
            alike.setdefault(leaf.name, []).append((leaf, box, "" if number else block))
    for those in alike.values():
        wide = float(min(box.width for _, box, _ in those)) - 4
        high = float(min(box.height for _, box, _ in those)) - 4
        ways = [_wordings(leaf, block) for leaf, _, block in those]
        for size, way in product((canvas.sizes.body, SMALLEST), range(len(ways[0]))):
            lines = [each[way] for each in ways]
            if all(_fits(each, size, wide, high) for each in lines):
                for (leaf, box, block), each in zip(those, lines, strict=True):
                    at = (corner[0] + float(box.x), corner[1] + float(box.y))
                    _write(canvas, leaf, each, at, size=size, headed=bool(block))
                break


def _fits(lines: Sequence[str], size: float, wide: float, high: float) -> bool:
    return LEADING * size * len(lines) <= high and max(measured(each, size, bold=True) for each in lines) <= wide


def _wordings(leaf: Node, block: str) -> tuple[tuple[str, ...], ...]:
    """Return what can be written in a rectangle, the longest first, each as lines."""
    name, _, role = leaf.name.rpartition(".")
    number, head = full(leaf.size), (block,) if block else ()
    return (
        (*head, leaf.name, number),
        (*head, f"{name}.", role, number),
        (*head, name),
        (*head, name.rpartition(".")[2]),
        (block.removeprefix("block "),) if block else (name.rpartition(".")[2],),
    )


def _write(
    canvas: Canvas, leaf: Node, lines: Sequence[str], at: tuple[float, float], *, size: float, headed: bool
) -> None:
    colour = readable_on(canvas.theme.series[leaf.group])
    for number, words in enumerate(lines):
        y = at[1] + 2 + LEADING * size * number + size
        bold = headed and not number
        canvas.text(at[0] + 2.5, y, words, size=size, colour=colour, bold=bold, gid=f"in:{leaf.name}")
