"""One block as a figure of matplotlib: columns that divide what is left of them, with every part named at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.palette import readable_on
from gpt2calc.plots.blocks import LEVELS
from gpt2calc.plots.canvas import (
    POINTS,
    Canvas,
    fill,
    first_that_fits,
    fitted,
    inches,
    measured,
    name_of,
    sizes,
    spread,
)
from gpt2calc.plots.chart import full, percent

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from gpt2calc.palette import Theme
    from gpt2calc.plots.blocks import Block, BlockChart

HIGH, LEAST_HIGH = 30, 1.35
"""How high a block is at the least, and what each of its parts takes beside it, in sizes of text."""

LEVEL_WORDINGS = tuple(zip(LEVELS, ("group", "part", "tensor"), strict=True))
"""What stands above each column, and where that is too long, in short."""

LEAST_COLUMNS = 0.26
"""How much of the width the columns take at the least."""

LEADER = 1.6
"""How far a name stands from its part, in sizes of text."""


def draw(chart: BlockChart, theme: Theme, width: float, height: float | None) -> Figure:
    """Draw one block of each kind."""
    size = sizes(width)
    several = len(chart.blocks) > 1
    head = size.line * (1.2 + several)
    needs = [LEAST_HIGH * size.body * len(block.levels[-1]) for block in chart.blocks]
    best = [max(need, HIGH * size.body / (1 + 0.5 * several)) for need in needs]
    fixed = size.top + size.margin + (head + 0.6 * size.line) * len(chart.blocks)
    canvas = Canvas(theme, width, inches(fixed + sum(best if height is None else needs), height))
    is_short = measured(chart.title, size.title, bold=True) > width * POINTS - 2 * size.margin
    canvas.title(chart.title.partition(": ")[0] if is_short else chart.title)
    stretch = (canvas.height - fixed) / sum(best)
    highs = [max(need, high * stretch) for need, high in zip(needs, best, strict=True)]
    over = sum(highs) - (canvas.height - fixed)
    highs = [
        high - over * (high - need) / max(sum(highs) - sum(needs), 1e-9)
        for need, high in zip(needs, highs, strict=True)
    ]
    y, place = size.top, 0
    for block, high in zip(chart.blocks, highs, strict=True):
        if several:
            canvas.text(
                size.margin,
                y + size.body,
                fitted(block.title, width * POINTS - 2 * size.margin, size.body, bold=True),
                bold=True,
            )
        _block(canvas, chart, block, place, (y + head, high))
        place += len(block.levels[-1])
        y += head + high + 0.6 * size.line
    return canvas.figure


def _block(canvas: Canvas, chart: BlockChart, block: Block, place: int, where: tuple[float, float]) -> None:
    """Draw one block in its height: a column for each level, and the name and count of each part of the last."""
    (y, high), size, theme = where, canvas.sizes, canvas.theme
    leaves = block.levels[-1]
    said = [(leaf.name, f"{full(leaf.size)}", percent(leaf.size, block.size)) for leaf in leaves]
    share, number = (max(measured(words[n], size.body) for words in said) for n in (2, 1))
    room = canvas.width - 2 * size.margin
    longest = max(measured(words[0], size.body) for words in said)
    left = room - number - (LEADER * size.body + size.gap)
    names = min(longest, max(0.3 * room, left - LEAST_COLUMNS * room))
    is_wide = left - names - share - size.gap > 0.3 * room
    labels = names + number + size.gap + (share + size.gap) * is_wide
    wide = (room - labels - LEADER * size.body) / len(LEVELS)
    axes = canvas.axes(size.margin, y, wide * len(LEVELS), high)
    axes.set_xlim(0, wide * len(LEVELS))
    axes.set_ylim(high, 0)
    for column, parts in enumerate(block.levels):
        level = first_that_fits(LEVEL_WORDINGS[column], wide - 4, size.body)
        canvas.text(size.margin + column * wide, y - 0.4 * size.body, level, colour=theme.faint)
        for number_of, part in enumerate(parts):
            top, tall = (float(n * high / block.size) for n in (part.start, part.size))
            is_leaf = column == len(LEVELS) - 1
            gid = name_of(place + number_of, chart.marks[place + number_of]) if is_leaf else None
            edge = (theme.paper, min(0.8, 0.3 * tall))
            fill(axes, (column * wide, top), (wide, tall), colour=theme.series[part.group], edge=edge, gid=gid)
            if tall >= 1.25 * size.body and not is_leaf:
                wordings = (f"{part.name}  {full(part.size)}", part.name, part.name.rpartition(".")[2])
                words = first_that_fits(wordings, wide - size.body, size.body)
                colour = readable_on(theme.series[part.group])
                canvas.middle(size.margin + column * wide + 0.5 * size.body, y + top + tall / 2, words, colour=colour)
    ends = [y + float((leaf.start + leaf.size / 2) * high / block.size) for leaf in leaves]
    places = spread(ends, 1.25 * size.body, y + 0.6 * size.body, y + high - 0.6 * size.body)
    right = size.margin + wide * len(LEVELS)
    for leaf, own, end, at in zip(leaves, said, ends, places, strict=True):
        x = right + LEADER * size.body
        canvas.line((right + 1, end), (x - 3, at), theme.series[leaf.group], 1)
        names_of_it = (own[0], own[0].removesuffix(".weight"))
        canvas.middle(x, at, first_that_fits(names_of_it, names, size.body) or fitted(names_of_it[1], names, size.body))
        edge_of = canvas.width - size.margin
        canvas.middle(edge_of - (share + size.gap) * is_wide, at, own[1], align="right")
        if is_wide:
            canvas.middle(edge_of, at, own[2], align="right", colour=theme.faint)
