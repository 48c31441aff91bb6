"""The flow of a model from tokens to logits, as a chart: boxes that are components, and where each of them lies.

A layout is made of rectangles, lines, circles and texts, with numbers for places, so that a figure of matplotlib and a
page can draw the same one. It must not know how wide type is: who draws shortens what does not fit.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.counts import ParameterCount
from gpt2calc.plots.chart import Chart, Mark, full, labelled, notes_of, percent
from gpt2calc.plots.stages import ADD, START, THROUGH, Flow
from gpt2calc.table import short

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gpt2calc.plots.stages import Part, Section, Stage
    from gpt2calc.sources import Source


class FlowChart(Chart):
    """A model as a flow, from tokens to logits: each component a box with its shapes, its formula and its count.

    Args:
        count: the model.
        document: its config.json, which says what each block attends to; None where it is not known.
    """

    def __init__(self, count: ParameterCount, document: Mapping[str, Any] | None = None) -> None:
        ((name, count),) = labelled((count,))
        flow = Flow(count.model, document)
        self.sections, self.letters, self.in_turn = flow.sections, flow.letters, flow.in_turn
        self.tied, self.ends = flow.tied, flow.ends
        marks = (
            Mark(section.title, part.name, part.group, part.parameters, count.total)
            for section in self.sections
            for stage in section.stages
            for part in stage.parts
        )
        title = f"{name}: {full(count.total)} parameters ({short(count.total)})"
        super().__init__("architecture", title, tuple(marks), (*notes_of((count,)), *dict.fromkeys(flow.notes)))
        self.name, self.total = name, count.total

    def to_dict(self) -> dict[str, Any]:
        """Return what is drawn as JSON takes it: marks, what each box says, and a layout with the place of each."""
        sections = [
            {
                "title": section.title,
                "times": section.times,
                "each": section.each,
                "side": section.side,
                "stages": [
                    {"how": stage.how, "label": stage.label, "parts": [part._asdict() for part in stage.parts]}
                    for stage in section.stages
                ],
            }
            for section in self.sections
        ]
        own = {"sections": sections, "tied": self.tied, "ends": list(self.ends), "letters": self.letters}
        return super().to_dict() | {"flow": own | {"layout": laid_out(self).to_dict()}}


def of_source(source: Source) -> FlowChart:
    """Draw a model as a flow, with what its config says beside its sizes."""
    document = source.of_files if source.given else None
    return FlowChart(ParameterCount(source.counted, source.name, source.notes), document)


class Rect(NamedTuple):
    """A rectangle: a box with the number of its mark, a tied head without one, a frame, or the measure of the scale."""

    kind: str
    x: float
    y: float
    width: float
    height: float
    series: str = ""
    mark: int = -1


class Line(NamedTuple):
    """A line through points, with an arrow at its end or none: flow, tie or apart."""

    kind: str
    points: tuple[tuple[float, float], ...]
    arrow: bool = False


class Sum(NamedTuple):
    """Where something is added to the residual stream: the middle of a circle with a plus."""

    x: float
    y: float


class Words(NamedTuple):
    """A text: its anchor, the middle of its height, how wide it can be, and how it stands out."""

    x: float
    y: float
    room: float
    words: str
    align: str = "left"
    style: str = "plain"
    series: str = ""
    mark: int = -1


class Layout:
    """Everything that is drawn of a flow, in points from the upper left corner."""

    def __init__(self, width: float) -> None:
        self.width, self.height, self.per_point = width, 0.0, 0.0
        self.rects: list[Rect] = []
        self.lines: list[Line] = []
        self.sums: list[Sum] = []
        self.words: list[Words] = []

    def to_dict(self) -> dict[str, Any]:
        """Return it as JSON takes it, in thousandths of a point."""
        found: dict[str, Any] = _rounded(vars(self))
        for line in found["lines"]:
            line["points"] = [{"x": x, "y": y} for x, y in line["points"]]
        return found


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: each if key == "per_point" else _rounded(each) for key, each in value.items()}
    if isinstance(value, (Rect, Line, Sum, Words)):
        return _rounded(value._asdict())
    if isinstance(value, (list, tuple)):
        return [_rounded(each) for each in value]
    return round(value, 3) if isinstance(value, float) else value


PAGE_POINTS, LEAST_MODEL_POINTS, MOST_MODEL_POINTS = 600.0, 160.0, 330.0
"""How high all boxes are together, by the measure of thin ones, and all parameters, where nobody gives a height."""


class Measures(NamedTuple):
    """How a flow is laid out: type, margins, and whether there is room for formulas beside the shapes.

    Args:
        width: of the picture, in points.
        body: the size of type.
        margin: around everything.
        top: where the flow begins, under title and key.
        model: how high all parameters together are, in points.
        crowded: whether something has no room in one line, though the picture is not narrow.
    """

    width: float
    body: float
    margin: float
    top: float
    model: float
    crowded: bool = False

    @property
    def narrow(self) -> bool:
        """Whether name and shape, and formula and count, stand under each other."""
        return self.crowded or self.width < 396

    @property
    def least(self) -> float:
        """How high a box is at the least."""
        return (3.0 if self.narrow else 1.9) * self.body


PLAIN = Measures(576, 9, 13, 0, 0)


def laid_out(chart: FlowChart, measures: Measures = PLAIN) -> Layout:
    """Lay a flow out.

    Law: a box is as high as its parameters, over all blocks that it stands for, are of the model's, times the points
    that the model has; one that would be less high than its text is as high as that.

    Args:
        chart: the flow.
        measures: the sizes of what is drawn; without a height of the model, it has what a page has left.
    """
    if not measures.model:
        left = PAGE_POINTS - measures.least * len(chart.marks)
        measures = measures._replace(model=min(max(left, LEAST_MODEL_POINTS), MOST_MODEL_POINTS))
    return _Layer(chart, measures).layout


class _Layer:
    """Lays sections under each other; the residual stream is a line on their left."""

    def __init__(self, chart: FlowChart, measures: Measures) -> None:
        self.chart, self.sizes = chart, measures
        self.layout = Layout(measures.width)
        body = measures.body
        self.tie = measures.margin + 0.5 * body
        self.stream = measures.margin + (1.6 if measures.narrow else 2.4) * body
        self.lane = self.stream + (1.1 if measures.narrow else 1.8) * body
        self.left = self.stream + (2.4 if measures.narrow else 4.4) * body
        self.right = measures.width - measures.margin - (0.3 if measures.narrow else 1) * body
        self.box = (0.5 if measures.narrow else 0.47) * (self.right - self.left)
        self.place, self.y, self.joined = 0, measures.top, measures.top
        self._draw()

    def _draw(self) -> None:
        body, chart = self.sizes.body, self.chart
        first, last = chart.ends
        middle = self.left + self.box / 2
        self._say(middle, self.y + 0.5 * body, self.box, first, align="center", style="bold")
        self._line("flow", [(middle, self.y + 1.2 * body), (middle, self.y + 2.4 * body)], arrow=True)
        self.y += 2.4 * body
        self.starts = 0.0
        *blocks, after = chart.sections[1:]
        for stage in chart.sections[0].stages:
            self._stage(stage)
        if chart.in_turn:
            self.y += 0.4 * body
            number = sum(section.times for section in blocks)
            said = f"{number:,} blocks of {len(blocks)} kinds, in turn"
            self._say(self.left, self.y + 0.7 * body, self.right - self.left, said, style="bold")
            self.y += 1.6 * body
        for section in blocks:
            self._frame(section)
            if self.chart.in_turn:
                self._line("apart", [(self.stream, self.joined), (self.stream, self.y)])
                self.joined = self.y
        heads = [stage for stage in after.stages if stage.parts[0].group == "head"]
        for stage in after.stages:
            if stage not in heads:
                self._stage(stage)
        self._heads(heads, last)
        self._foot()

    def _frame(self, section: Section) -> None:
        """Draw one kind of blocks in its frame, with how many there are and what they hold."""
        body, top = self.sizes.body, self.y
        self.y += 0.7 * body
        room, held = self.right - self.left, section.times * section.each
        said = f"{full(section.each)} × {section.times:,} = {full(held)}"
        if self.sizes.narrow:
            self._say(self.left, self.y + 0.5 * body, room, section.title, style="bold")
            self.y += 1.4 * body
            self._say(self.left, self.y + 0.5 * body, room, said)
        else:
            self._say(self.left, self.y + 0.5 * body, 0.46 * room, section.title, style="bold")
            self._say(self.right, self.y + 0.5 * body, 0.53 * room, said, align="right", style="bold")
        self.y += 1.7 * body
        if section.side:
            self._side(section.stages)
        else:
            for stage in section.stages:
                self._stage(stage)
        self.y += 0.2 * body
        edge = self.stream - 1.1 * body
        rect = Rect("frame", edge, top, self.sizes.width - self.sizes.margin - edge, self.y - top)
        self.layout.rects.insert(0, rect)
        self._down(self.y)
        self.y += 0.9 * body
        if not self.chart.in_turn:
            self._down(self.y)

    def _stage(self, stage: Stage) -> None:
        """Draw one stage, and how it stands to the stream."""
        tops = self._boxes(stage)
        (into, first), (out, last) = tops[0], tops[-1]
        start = into + min(first, 2 * self.sizes.least) * (0.5 if len(tops) > 1 else 0.3)
        end = out + last - min(last, 2 * self.sizes.least) * (0.5 if len(tops) > 1 else 0.3)
        if stage.how == START:
            level = into + first / 2
            self._line("flow", [(self.left, level), (self.stream, level)])
            self.joined, self.starts = level, level
        elif stage.how == ADD and stage.parts[0].group == "embedding":
            self._added(out + last / 2)
        elif stage.how == ADD:
            self._line("flow", [(self.stream, start), (self.left, start)], arrow=True)
            self._added(end)
        elif stage.how == THROUGH:
            self._down(start)
            self._line("flow", [(self.stream, start), (self.left, start)], arrow=True)
            self._line("flow", [(self.left, end), (self.stream, end)])
            self.joined = end
        self.y += 0.8 * self.sizes.body

    def _side(self, stages: Sequence[Stage]) -> None:
        """Draw stages that take the same stream: what the first gives goes down a lane, and is added with the last."""
        ends = []
        for stage in stages:
            tops = self._boxes(stage)
            start = tops[0][0] + min(tops[0][1], 2 * self.sizes.least) / 2
            self._line("flow", [(self.stream, start), (self.left, start)], arrow=True)
            ends.append(tops[-1][0] + tops[-1][1] - min(tops[-1][1], 2 * self.sizes.least) / 2)
            self.y += 0.8 * self.sizes.body
        for end in ends[:-1]:
            self._line("flow", [(self.left, end), (self.lane, end), (self.lane, ends[-1])])
        self._added(ends[-1])

    def _boxes(self, stage: Stage) -> list[tuple[float, float]]:
        """Draw the boxes of a stage under each other; return where each begins, and how high it is."""
        body = self.sizes.body
        if stage.label:
            self._say(self.left, self.y + 0.5 * body, self.right - self.left, stage.label, style="faint")
            self.y += 1.4 * body
        found = []
        for part in stage.parts:
            high = max(self.sizes.least, self._scaled(part.parameters))
            self.layout.rects.append(Rect("box", self.left, self.y, self.box, high, part.group, self.place))
            self._written(part, high)
            found.append((self.y, high))
            self.y += high + 0.17 * body
            self.place += 1
        return found

    def _scaled(self, count: int) -> float:
        return self.sizes.model * float(Fraction(count, max(self.chart.total, 1)))

    def _written(self, part: Part, high: float) -> None:
        """Write a box's name and shape in it, and its formula and count beside it."""
        body, middle = self.sizes.body, self.y + high / 2
        pad, side = 0.6 * body, self.left + self.box + 0.9 * body
        inside, beside = self.box - 2 * pad, self.right - side
        own = {"style": "in", "series": part.group, "mark": self.place}
        share = percent(part.parameters, self.chart.total)
        number = full(part.parameters)
        if self.sizes.narrow:
            self._say(self.left + pad, middle - 0.65 * body, inside, part.name, **own)
            self._say(self.left + pad, middle + 0.65 * body, inside, part.shape, **own)
            self._say(side, middle - 0.65 * body, beside, part.formula, style="faint")
            self._say(side, middle + 0.65 * body, beside, number)
            return
        tall = high >= 3.2 * body
        if tall:
            self._say(self.left + pad, middle - 0.65 * body, inside, part.name, **own)
            self._say(self.left + pad, middle + 0.65 * body, inside, part.shape, **own)
        else:
            room = min(_wide(part.shape, body), 0.6 * inside)
            self._say(self.left + pad, middle, inside - room - 0.6 * body, part.name, **own)
            self._say(self.left + self.box - pad, middle, room, part.shape, align="right", **own)
        count = _wide(number, body)
        self._say(side, middle, beside - count - 0.5 * body, part.formula, style="faint")
        self._say(self.right, middle - 0.65 * body * tall, count, number, align="right")
        if tall:
            self._say(self.right, middle + 0.65 * body, 6 * body, share, align="right", style="faint")

    def _heads(self, heads: Sequence[Stage], last: str) -> None:
        """Draw the output head, one's own or the embedding again, and what comes out."""
        body, middle = self.sizes.body, self.left + self.box / 2
        if self.chart.tied:
            high = self.sizes.least
            level = self.y + high / 2
            self.layout.rects.append(Rect("tied", self.left, self.y, self.box, high, "embedding"))
            said = f"lm_head is {self.chart.tied}"
            self._say(self.left + 0.6 * body, level, self.box - 1.2 * body, said)
            side = self.left + self.box + 0.9 * body
            self._say(side, level, self.right - side, "tied: counted once", style="faint")
            self._tie(level)
            self._enter(level)
            self.y += high + 0.17 * body
        elif heads:
            top, high = [self._boxes(stage) for stage in heads][0][0]  # noqa: RUF015  # all are drawn
            self._enter(top + min(high, 2 * self.sizes.least) / 2)
        if not (self.chart.tied or heads):
            self._down(self.y + 1.4 * body)
            self._line("flow", [(self.stream, self.y + 1.4 * body), (middle, self.y + 1.4 * body)])
            self.y += 1.4 * body
        self._line("flow", [(middle, self.y), (middle, self.y + 1.3 * body)], arrow=True)
        self._say(middle, self.y + 2.1 * body, self.box, last, align="center", style="bold")
        self.y += 3.4 * body

    def _enter(self, level: float) -> None:
        self._down(level)
        self._line("flow", [(self.stream, level), (self.left, level)], arrow=True)

    def _tie(self, level: float) -> None:
        """Draw the dashed line from the embedding to the head that it is."""
        top = self.starts - 0.5 * self.sizes.body
        down = level + 0.5 * self.sizes.body
        self._line("tie", [(self.left, top), (self.tie, top), (self.tie, down), (self.left, down)])

    def _foot(self) -> None:
        """Say what the letters are, and what the heights."""
        body, room = self.sizes.body, self.sizes.width - 2 * self.sizes.margin
        signs = max(int(room / (0.6 * body)), 20)
        lines = [""]
        for letter, number in self.chart.letters.items():
            said = f"{letter} = {full(number)}"
            if lines[-1] and len(lines[-1]) + len(said) + 3 > signs:
                lines.append("")
            lines[-1] += f"{'   ' if lines[-1] else ''}{said}"
        for line in filter(None, lines):
            self._say(self.sizes.margin, self.y + 0.5 * body, room, line, style="faint")
            self.y += 1.4 * body
        whole = max(self.chart.total, 1)
        per_point = Fraction(whole) / Fraction(self.sizes.model)
        self.layout.per_point = float(per_point) if whole < 10**300 else 0.0
        amount = _round(per_point * 2 * Fraction(body))
        high = self._scaled(amount)
        said = f"a box is as high as this for {full(amount)} parameters over all its blocks, and one line at the least"
        said = f"as high as this: {full(amount)} parameters" if self.sizes.narrow else said
        self.y += 0.3 * body
        self.layout.rects.append(Rect("measure", self.sizes.margin, self.y, 0.7 * body, high))
        self._say(self.sizes.margin + 1.6 * body, self.y + high / 2, room - 1.6 * body, said, style="faint")
        self.y += high
        self.layout.height = self.y + self.sizes.margin

    def _added(self, level: float) -> None:
        """Draw a sum on the stream, and an arrow to it from the box at its height."""
        radius = 0.5 * self.sizes.body
        self._down(level - radius)
        self._line("flow", [(self.left, level), (self.stream + radius, level)], arrow=True)
        self.layout.sums.append(Sum(self.stream, level))
        self.joined = level + radius

    def _down(self, level: float) -> None:
        """Draw the stream down to a height, from where it was."""
        if level > self.joined:
            self._line("flow", [(self.stream, self.joined), (self.stream, level)])
            self.joined = level

    def _line(self, kind: str, points: list[tuple[float, float]], *, arrow: bool = False) -> None:
        self.layout.lines.append(Line(kind, tuple(points), arrow))

    def _say(self, x: float, y: float, room: float, words: str, **how: Any) -> None:
        if words:
            self.layout.words.append(Words(x, y, room, words, **how))


def _wide(words: str, body: float) -> float:
    """Return how wide words of digits and signs are at the most, in points, whatever the type."""
    return (0.69 * len(words) + 0.3) * body


def _round(number: Fraction) -> int:
    """Return the nearest of 1, 2 and 5 times a power of ten above a number, 1 at the least.

    >>> _round(Fraction(7)), _round(Fraction(1234)), _round(Fraction(1, 3))
    (10, 2000, 1)
    """
    power = 10 ** (len(str(int(number))) - 1)
    found: int = next(step * power for step in (1, 2, 5, 10) if step * power >= number)
    return found
