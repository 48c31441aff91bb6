"""Charts for a terminal: bars of blocks, in the width that there is. Needs nothing but text."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.errors import printable
from gpt2calc.plots.areas import Treemap
from gpt2calc.plots.bars import LEVELS, POWERS, BarChart, along, length, powers_of, worded
from gpt2calc.plots.blocks import BlockChart
from gpt2calc.plots.chart import full, percent, tick, without_middle
from gpt2calc.plots.curves import GrowthChart, thinned
from gpt2calc.plots.flows import FlowChart
from gpt2calc.plots.histograms import AXIS, ZERO, HistogramChart
from gpt2calc.plots.planes import PlaneChart
from gpt2calc.plots.serving import ContextChart
from gpt2calc.plots.stages import ADD, START
from gpt2calc.plots.style import FILLS, PAINTS
from gpt2calc.reports import text
from gpt2calc.table import Percent, Table, in_ascii, short

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from gpt2calc.plots.chart import Chart, Mark
    from gpt2calc.plots.stages import Part
    from gpt2calc.table import Cell

GAP = "  "
EIGHTHS = " ▏▎▍▌▋▊▉"
HEIGHTS = (" ▁▂▃▄▅▆▇█", " .:-=+*#@")
"""How high a bin is drawn, with Unicode and in ASCII."""

MOST_ROWS = 16
"""How many sizes of a growth are drawn."""

NAME_FRACTION = 3
"""A name takes at most one part in so many of the width."""


def write(chart: Chart, *, width: int = 100, colour: bool = False, ascii_only: bool = False) -> str:
    """Return a chart as lines of text, none longer than the width where that is 40 or more.

    Args:
        chart: what is drawn.
        width: columns of the terminal.
        colour: whether to colour bars and titles.
        ascii_only: whether to draw in ASCII.
    """
    pen = _Pen(width, colour=colour, ascii_only=ascii_only)
    for kind, drawn in DRAWN:
        if isinstance(chart, kind):
            body = drawn(pen, chart)
            return "\n".join([pen.bold(pen.fitted(chart.title, width)), "", *body]) + "\n"
    raise TypeError(chart)


class _Pen:
    """What draws: how wide, in colour or not, in Unicode or in ASCII."""

    def __init__(self, width: int, *, colour: bool, ascii_only: bool) -> None:
        self.width, self.colour, self.ascii_only = width, colour, ascii_only

    def bold(self, words: str) -> str:
        return f"\033[1m{words}\033[0m" if self.colour and words else words

    def whole(self, words: str) -> str:
        """Return words as they are written, however long."""
        return in_ascii(printable(words)) if self.ascii_only else printable(words)

    def fitted(self, words: str, width: int) -> str:
        """Return words in at most so many columns, the middle left out where they are longer, and no number torn."""
        words = self.whole(words)
        if len(words) <= width:
            return words
        dots = "..." if self.ascii_only else "…"
        kept = max(width - len(dots), 0)
        return without_middle(words, kept, dots[:width])

    def bar(self, part: int, whole: int, width: int) -> str:
        """Return a bar of so much of the width, in eighths of a column, and in all of its columns."""
        eighths = 8 * width * part // whole
        full, rest = divmod(eighths, 8)
        if self.ascii_only:
            return ("#" * full + ("|" if rest >= 4 or (part and not full) else "")).ljust(width)
        partly = EIGHTHS[rest] if rest else "▏" if part and not full else ""
        return ("█" * full + partly).ljust(width)

    def dot(self, place: float, width: int) -> str:
        """Return a dot at a place from 0 to 1 of so many columns, at the end of a line."""
        line, dot = ("-", "o") if self.ascii_only else ("─", "●")
        return (line * round(place * (width - 1)) + dot).ljust(width)

    def filled(self, series: str, columns: int) -> str:
        """Return so many columns of the fill of a group, in its colour."""
        fill = FILLS[series][self.ascii_only] * columns
        return f"\033[38;5;{PAINTS[series]}m{fill}\033[0m" if self.colour and fill else fill

    def names(self, labels: Iterable[str]) -> int:
        """Return how wide a column of labels is."""
        return min(max(map(len, labels)), self.width // NAME_FRACTION)

    def rule(self, words: str) -> list[str]:
        return [self.bold(self.fitted(words, self.width))] if words else []


def _key(pen: _Pen, series: Sequence[str]) -> list[str]:
    """Return the lines that say which fill is which group."""
    lines: list[list[str]] = [[]]
    for name in series:
        if sum(len(each) + 4 for each in [*lines[-1], name]) - len(GAP) > pen.width:
            lines.append([])
        lines[-1].append(name)
    return [GAP.join(f"{pen.filled(name, 1)} {name}" for name in line) for line in lines]


def _ends_to_end(pen: _Pen, marks: Sequence[Mark], width: int) -> str:
    """Return the bars of shares end to end: each ends in the column that its exact end lies in."""
    done, drawn, sum_so_far = 0, "", 0
    for mark in marks:
        sum_so_far += mark.part
        end = (2 * width * sum_so_far + mark.whole) // (2 * mark.whole)
        drawn += pen.filled(mark.series, end - done)
        done = end
    return drawn + " " * (width - done)


def _stacked(pen: _Pen, chart: BarChart) -> list[str]:
    name = pen.names(label for label, _ in chart.rows())
    rows = [(pen.fitted(label, name), marks) for label, marks in chart.rows()]
    lines = _ends(pen, [(label, marks, full(marks[0].whole)) for label, marks in rows])
    shares: list[tuple[Cell, ...]] = [(label, *(Percent(x.part, x.whole) for x in marks)) for label, marks in rows]
    table = Table("", ("share", *chart.series), tuple(shares))
    numbers = text.write([table], width=pen.width, colour=pen.colour, ascii_only=pen.ascii_only)
    return [*_key(pen, chart.series), "", *lines, "", *numbers.rstrip("\n").split("\n")]


def _ends(pen: _Pen, rows: Sequence[tuple[str, Sequence[Mark], str]]) -> list[str]:
    """Return stacked bars, each with its name before it and a number after it."""
    name, number = pen.names(label for label, _, _ in rows), max(len(said) for _, _, said in rows)
    wide = max(pen.width - name - number - 2 * len(GAP), 1)
    return [
        f"{pen.fitted(label, name).ljust(name)}{GAP}{_ends_to_end(pen, marks, wide)}{GAP}{said.rjust(number)}"
        for label, marks, said in rows
    ]


def _bars(pen: _Pen, chart: BarChart) -> list[str]:
    return _stacked(pen, chart) if chart.stacked else _panels(pen, chart)


def _panels(pen: _Pen, chart: BarChart) -> list[str]:
    lines: list[str] = []
    name = pen.names(mark.label for mark in chart.marks)
    for panel, marks in chart.panels:
        ways = [[worded(panel, mark, level) for mark in marks] for level in range(LEVELS)]
        words = next((way for way in ways if name + max(map(len, way)) < pen.width * 2 // 3), ways[-1])
        number = max(map(len, words))
        wide = max(pen.width - name - number - 2 * len(GAP), 1)
        part, whole = chart.longest(panel)
        lines += ["", *pen.rule(panel.title)] if lines else pen.rule(panel.title)
        dotted = panel.measure == POWERS
        powers = powers_of(marks) if dotted else (0, 1)
        for mark, word in zip(marks, words, strict=True):
            its, of = length(panel, mark)
            bar = pen.dot(along(mark.part, powers), wide) if dotted else pen.bar(its * whole, of * part, wide)
            lines.append(f"{pen.fitted(mark.label, name).ljust(name)}{GAP}{bar}{GAP}{word.rjust(number)}")
        if dotted:
            low, high = (tick(10**power) for power in powers)
            lines.append(" " * (name + len(GAP)) + low + high.rjust(max(wide - len(low), 0)))
    return lines


def _growth(pen: _Pen, chart: GrowthChart) -> list[str]:
    rows = []
    for point in thinned(chart.points, MOST_ROWS):
        marks = [mark for mark in chart.marks if mark.label == str(point.size)]
        rows.append((f"{point.size:,}", marks, full(point.total)))
    lines = [line for crossing in chart.crossings for line in _wrapped(crossing.text(), pen.width)]
    head = f"{chart.field}, the share of each group, and the total"
    drawn = _ends(pen, rows)
    return [*_key(pen, chart.present), "", *_wrapped(head, pen.width), *drawn, *([""] if lines else []), *lines]


def _contexts(pen: _Pen, chart: ContextChart) -> list[str]:
    lines = _panels(pen, chart.bars(MOST_ROWS))
    said = [f"{each.above} no longer fits into {each.below} from {each.at:,} tokens on" for each in chart.crossings]
    return [*lines, *([""] if said else []), *(line for words in said for line in _wrapped(words, pen.width))]


def _wrapped(words: str, width: int) -> list[str]:
    from textwrap import wrap  # a chart that has no sentences does without

    return wrap(words, width)


def _block(pen: _Pen, chart: BlockChart) -> list[str]:
    """Return a tree for one block of each kind."""
    panels: dict[str, list[Mark]] = {}
    for mark in chart.marks:
        panels.setdefault(mark.panel, []).append(mark)
    lines: list[str] = []
    for title, marks in panels.items():
        lines += [*([""] if lines else []), *pen.rule(title), *_tree(pen, marks)]
    return lines


def _plane(pen: _Pen, chart: PlaneChart) -> list[str]:
    """Return the depth at each width, a column for each total, and the models with what they are."""
    widths = sorted({width for curve in chart.curves for width, depth in curve.points if width & (width - 1) == 0})
    low, high = chart.depths
    columns = [["n_embd", *(f"{width:,}" for width in widths)]]
    for curve in chart.curves:
        depths = {width: str(int(x)) for width, x in curve.points if low <= x <= high}
        columns.append([short(curve.total) if curve.own else tick(curve.total), *(depths.get(x, "") for x in widths)])
    first, *rest = columns
    rest.insert(0, rest.pop())  # the model's own total first
    wide = [max(map(len, column)) for column in rest]
    lines = _wrapped("n_layer that has so many parameters, or just less", pen.width)
    while rest:
        kept = 1
        while kept < len(rest) and max(map(len, first)) + sum(2 + each for each in wide[: kept + 1]) <= pen.width:
            kept += 1
        shown = [first, *rest[:kept]]
        room = [max(map(len, first)), *wide[:kept]]
        rows = zip(*shown, strict=True)
        lines += ["", *(GAP.join(x.rjust(n) for x, n in zip(row, room, strict=True)).rstrip() for row in rows)]
        rest, wide = rest[kept:], wide[kept:]
    dots = sorted(chart.dots, key=lambda dot: dot.total)
    sizes = [f"{dot.depth} {'x' if pen.ascii_only else '×'} {dot.width:,}" for dot in dots]
    long, number = max(map(len, sizes)), max(len(full(dot.total)) for dot in dots)
    name = max(min(max(len(dot.name) for dot in dots), pen.width - long - number - 2 * len(GAP)), 6)
    lines += ["", *pen.rule("models, depth × width")]
    for dot, size in zip(dots, sizes, strict=True):
        lines.append(
            GAP.join((pen.fitted(dot.name, name).ljust(name), size.rjust(long), full(dot.total).rjust(number)))
        )
    return lines


def _tree(pen: _Pen, marks: Sequence[Mark]) -> list[str]:
    """Return every group, and under it its tensors over all blocks, the largest first."""
    groups: dict[str, dict[str, int]] = {}
    for mark in marks:
        own = groups.setdefault(mark.series, {})
        own[mark.label] = own.get(mark.label, 0) + mark.part
    rows: list[tuple[str, int]] = []
    for group, held in sorted(groups.items(), key=lambda pair: -sum(pair[1].values())):
        rows.append((group, sum(held.values())))
        rows += [(f"  {name}", size) for name, size in sorted(held.items(), key=lambda pair: -pair[1])]
    whole = marks[0].whole
    name = min(max(len(label) for label, _ in rows), pen.width // 2)
    shares = [percent(size, whole) for _, size in rows]
    number = max(map(len, shares))
    wide = max(pen.width - name - number - 2 * len(GAP), 1)
    lines = []
    for (label, size), share in zip(rows, shares, strict=True):
        line = f"{pen.fitted(label, name).ljust(name)}{GAP}{pen.bar(size, whole, wide)}{GAP}{share.rjust(number)}"
        lines.append(line if label.startswith(" ") else pen.bold(line))
    return lines


def _flow(pen: _Pen, chart: FlowChart) -> list[str]:
    """Return a line for each box, on the residual stream to its left: where it is read, and where it is added to.

    Where the terminal is narrow, shapes are left out first, and then formulas.
    """
    first, last = chart.ends
    read, added, stream = ("+", "@", "|") if pen.ascii_only else ("├", "⊕", "│")
    parts = [
        part._replace(name=pen.whole(part.name), shape=pen.whole(part.shape), formula=pen.whole(part.formula))
        for section in chart.sections
        for stage in section.stages
        for part in stage.parts
    ]
    columns = [[part.name for part in parts], [part.shape for part in parts], [part.formula for part in parts]]
    wide = [max(map(len, column), default=0) for column in columns]
    number = max((len(full(part.parameters)) for part in parts), default=0)
    kept = next(
        (
            kept
            for kept in ((0, 1, 2), (0, 2), (0,))
            if 2 + 8 + number + sum(wide[n] + 2 for n in kept) + 2 <= pen.width
        ),
        (0,),
    )
    wide[0] = min(wide[0], max(pen.width - number - 10, 8))
    bar = max(min(pen.width - 2 - number - sum(wide[n] + 2 for n in kept) - 2, 24), 1)
    most = max((part.parameters for part in parts), default=0) or 1

    def row(sign: str, part: Part) -> str:
        long = max(bar * part.parameters // most, 1 if part.parameters else 0)
        drawn = pen.filled(part.group, long) + " " * (bar - long)
        words = [(part.name, part.shape, part.formula)[n] for n in kept]
        cells = [pen.fitted(word, wide[n]).ljust(wide[n]) for n, word in zip(kept, words, strict=True)]
        return GAP.join([f"{sign} {drawn}", *cells, full(part.parameters).rjust(number)])

    lines = [*_key(pen, chart.series), "", first, stream]
    for place, section in enumerate(chart.sections):
        if section.title:
            held = f"{full(section.each)} × {section.times:,} = {full(section.each * section.times)}"
            said = f"{section.title}{GAP}{held}"
            lines += [stream, f"{stream} {pen.bold(pen.fitted(said, pen.width - 2))}"]
        elif place:
            lines.append(stream)
        for stage in section.stages:
            if stage.label:
                lines.append(f"{stream} {pen.fitted(stage.label, pen.width - 2)}")
            signs = [stream for _ in stage.parts]
            signs[0] = read
            signs[-1] = added if stage.how == ADD else signs[-1] if stage.how == START else read
            lines += [row(sign, part) for sign, part in zip(signs, stage.parts, strict=True)]
    if chart.tied:
        lines.append(f"{read} {pen.fitted(f'lm_head is {chart.tied}, counted once', pen.width - 2)}")
    letters = GAP.join(f"{letter} = {full(size)}" for letter, size in chart.letters.items())
    drawn = f"{read} takes the stream, {added} adds to it; bars are of parameters, over all blocks"
    return [*lines, stream, last, "", *_wrapped(pen.whole(letters), pen.width), *_wrapped(drawn, pen.width)]


def _sparks(pen: _Pen, chart: HistogramChart) -> list[str]:
    """Return a line for each component's weights or biases, a column for each bin."""
    parts: dict[tuple[str, str], list[Mark]] = {}
    for mark in chart.marks:
        parts.setdefault((mark.panel, mark.series), []).append(mark)
    heights = HEIGHTS[pen.ascii_only]
    bins = len(chart.bins)
    name = max(min(max(len(f"{panel} {series}") for panel, series in parts), pen.width - bins - len(GAP)), 8)
    lines = []
    for (panel, series), marks in parts.items():
        most = max(mark.part for mark in marks) or 1
        drawn = "".join(heights[-(-8 * mark.part // most)] for mark in marks)
        label = f"{panel} {series}" if len(f"{panel} {series}") <= name else f"{panel} {series[0]}"
        zeros = next((mark for mark in marks if mark.label == ZERO and mark.part), None)
        said = f"zeros {percent(zeros.part, zeros.whole)}" if zeros else ""
        line = f"{pen.fitted(label, name).ljust(name)}{GAP}{drawn.ljust(bins)}{GAP}{said}".rstrip()
        lines.append(line if len(line) <= pen.width else f"{pen.fitted(label, name).ljust(name)}{GAP}{drawn}".rstrip())
    return [*lines, "", *_wrapped(f"{AXIS}; a column a bin, from left to right: {_said(chart.bins)}", pen.width)]


def _said(bins: Sequence[str]) -> str:
    """Return the bins in words: the powers of two from the first to the last, and what is none of them by name."""
    powers = [label for label in bins if label.startswith("2^")]
    said = [label for label in bins if label not in powers[1:]]
    return ", ".join(f"{powers[0]} to {powers[-1]}" if label in powers[:1] else label for label in said)


DRAWN: tuple[tuple[type[Chart], Callable[..., list[str]]], ...] = (
    (BarChart, _bars),
    (GrowthChart, _growth),
    (ContextChart, _contexts),
    (Treemap, lambda pen, chart: _tree(pen, chart.marks)),
    (BlockChart, _block),
    (PlaneChart, _plane),
    (FlowChart, _flow),
    (HistogramChart, _sparks),
)
"""What draws each kind of chart."""
