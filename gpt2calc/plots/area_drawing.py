"""A treemap as a figure of matplotlib: every tensor a rectangle of exactly its share."""

from __future__ import annotations

from fractions import Fraction
from itertools import count, product
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.plots.areas import Box, boxes
from gpt2calc.plots.canvas import POINTS, Canvas, fill, inches, keyed, measured, name_of, sizes
from gpt2calc.plots.chart import full, groups_of
from gpt2calc.plots.style import readable_on

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from gpt2calc.plots.areas import Node, Treemap
    from gpt2calc.plots.style import Theme

ASPECT = 0.55
"""How high the model is for its width."""

LEAST_HEIGHT_POINTS = 60
"""How high it is at the least, in points."""

LEADING = 1.25
"""From one line to the next, in sizes of type."""

LEAST_TYPE_POINTS = 5.5
"""The smallest type, in points; where there is no room for it, nothing is written."""


def draw(chart: Treemap, theme: Theme, width: float, height: float | None) -> Figure:
    """Draw a treemap."""
    size = sizes(width)
    across = width * POINTS - 2 * size.margin
    whole = chart.marks[0].whole
    key = keyed(groups_of(chart), whole, size, across)
    top = size.top + key.height + 0.3 * size.body
    needed = top + size.margin + (ASPECT * across if height is None else LEAST_HEIGHT_POINTS)
    canvas = Canvas(theme, width, inches(needed, height))
    canvas.title(chart.title)
    key.draw(canvas)
    high = canvas.height - top - size.margin
    axes = canvas.axes(size.margin, top, across, high)
    axes.set_xlim(0, across)
    axes.set_ylim(high, 0)
    drawn = tuple(boxes(chart.nodes, Box(Fraction(0), Fraction(0), Fraction(across), Fraction(high))))
    leaves = [(leaf, box) for _, _, inner in drawn for leaf, box in inner]
    for (leaf, box), (place, mark) in zip(leaves, enumerate(chart.marks), strict=True):
        _rectangle(axes, box, colour=theme.series[leaf.group], edge=(theme.paper, 0.4), gid=name_of(place, mark))
    for block, own, _ in drawn:
        if block:
            _rectangle(axes, own, colour="none", edge=(theme.paper, 1.6))
    _labels(canvas, drawn, (size.margin, top))
    return canvas.figure


def _rectangle(axes: Axes, box: Box, *, colour: str, edge: tuple[str, float], gid: str | None = None) -> None:
    corner, size = (float(box.x), float(box.y)), (float(box.width), float(box.height))
    fill(axes, corner, size, colour=colour, edge=edge, gid=gid)


class _Spot(NamedTuple):
    """A rectangle to write in: its number among the marks, what it is, and the name of the block that it bears."""

    place: int
    leaf: Node
    box: Box
    block: str


def _labels(
    canvas: Canvas, drawn: Sequence[tuple[str, Box, Sequence[tuple[Node, Box]]]], corner: tuple[float, float]
) -> None:
    """Write what each rectangle is, in its upper left corner: of blocks that are alike, in the first.

    The largest tensor of a block bears the number of the block, in all of them, where there is room in all.
    """
    places = count()
    first: dict[tuple[str, ...], list[_Spot]] = {}
    others: dict[tuple[str, ...], list[_Spot]] = {}
    for block, _, inner in drawn:
        alike = tuple(leaf.name for leaf, _ in inner)
        spots = [_Spot(next(places), leaf, box, "" if number else block) for number, (leaf, box) in enumerate(inner)]
        if block and alike in first:
            others.setdefault(alike, []).append(spots[0])
        else:
            first[alike] = spots
    named = {spot.leaf.name: spot.leaf.name.split(".")[-2] for spots in first.values() for spot in spots}
    for alike, spots in first.items():
        for spot in spots:
            alone = list(named.values()).count(named[spot.leaf.name]) == 1
            _write_alike(canvas, [spot], [_wordings(spot.leaf, spot.block, alone=alone)], corner)
        plain = others.get(alike, [])
        if plain:
            _write_alike(canvas, plain, [((spot.block.removeprefix("block "),),) for spot in plain], corner)


def _write_alike(
    canvas: Canvas,
    spots: Sequence[_Spot],
    ways: Sequence[tuple[tuple[str, ...], ...]],
    corner: tuple[float, float],
) -> None:
    """Write in rectangles the first of the ways that there is room for in all of them, in the larger type or less."""
    wide = float(min(spot.box.width for spot in spots)) - 4
    high = float(min(spot.box.height for spot in spots)) - 4
    named, bare = range(len(ways[0]) - 1), (len(ways[0]) - 1,)
    types = (canvas.sizes.body, 0.8 * canvas.sizes.body, LEAST_TYPE_POINTS)
    for size, way in (*product(types, named), *product(types, bare)):
        lines = [each[way] for each in ways]
        if all(_fits(each, size, wide, high, headed=bool(spots[0].block)) for each in lines):
            for spot, each in zip(spots, lines, strict=True):
                _write(canvas, spot, each, corner, size)
            return


def _fits(lines: Sequence[str], size: float, wide: float, high: float, *, headed: bool) -> bool:
    widths = (measured(words, size, bold=headed and not number) for number, words in enumerate(lines))
    return LEADING * size * len(lines) <= high and max(widths, default=0) <= wide


def _wordings(leaf: Node, block: str, *, alone: bool) -> tuple[tuple[str, ...], ...]:
    """Return what can be written in a rectangle, the longest first, each as lines.

    The last part of a name stands alone only where no other component ends so, as both c_proj of a GPT-2 do.
    """
    name, _, role = leaf.name.rpartition(".")
    room, dot, last = name.rpartition(".")
    number = full(leaf.size)
    whole: tuple[tuple[str, ...], ...] = ((leaf.name, number), (f"{name}.", role, number), (name,))
    whole += ((f"{room}{dot}", last),) if room else ()
    whole += ((last,),) if alone else ()
    if not block:
        return whole
    short = block.removeprefix("block ")
    return (*((block, *lines) for lines in whole), *((short, *lines) for lines in whole[2:]), (short,))


def _write(canvas: Canvas, spot: _Spot, lines: Sequence[str], corner: tuple[float, float], size: float) -> None:
    colour = readable_on(canvas.theme.series[spot.leaf.group])
    x, y = corner[0] + float(spot.box.x) + 2.5, corner[1] + float(spot.box.y) + 2 + size
    for number, words in enumerate(lines):
        bold, gid = bool(spot.block) and not number, f"in:{spot.place}:{number}"
        canvas.text(x, y + LEADING * size * number, words, size=size, colour=colour, bold=bold, gid=gid)
