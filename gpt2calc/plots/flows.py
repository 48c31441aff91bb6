"""The flow of a model from tokens to logits, as data: boxes that are components, and where each of them lies.

A layout is made of rectangles, lines, circles and texts, with numbers for places, so that a figure of matplotlib and a
page can draw the same one. It must not know how wide type is: who draws shortens what does not fit.
"""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.algebra import ClosedForm, Expression
from gpt2calc.architectures import GPT2, caches
from gpt2calc.counts import ParameterCount
from gpt2calc.errors import ConfigError
from gpt2calc.model import (
    BUFFER,
    GROUPS,
    LAYER_EMBEDDING,
    OUTPUT_HEAD,
    POSITION_EMBEDDING,
    SCALE,
    TOKEN_EMBEDDING,
)
from gpt2calc.plots.chart import Chart, Mark, full, labelled, notes_of, percent
from gpt2calc.table import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gpt2calc.model import Component, Model, Tensor
    from gpt2calc.sources import Source

START, ADD, THROUGH, ASIDE = "start", "add", "through", "aside"
"""How a stage stands to the residual stream: it begins it, adds to it, is passed by it, or is not known to be in it."""

BEFORE_MIXER = (
    *("ln_1", "input_layernorm", "attention_layernorm", "self_attn_layer_norm", "norm", "operator_norm"),
    *("temporal_pre_norm", "norm_1", "ln_attn"),
)
AFTER_MIXER = ("post_self_attn_layernorm", "post_norm1")
BEFORE_MLP = (
    *("ln_2", "post_attention_layernorm", "pre_ff_layernorm", "feedforward_layernorm", "final_layer_norm"),
    *("pre_mlp_layernorm", "pre_feedforward_layernorm", "ffn_norm", "channel_pre_norm", "norm_2", "ln_mlp"),
)
AFTER_MLP = ("post_feedforward_layernorm", "post_mlp_layernorm", "post_norm2")
"""Where the norms of a block stand, by name, in the classes of transformers that have them."""

SECOND = ("pre_mlp_layernorm", "pre_feedforward_layernorm", "post_feedforward_layernorm")
"""Beside one of these, `post_attention_layernorm` stands after attention, and without it before the MLP."""

MIXING = ("self_attn", "attn", "attention", "mamba", "mixer", "linear_attn")
"""The modules whose inner norms stand where tokens meet."""

BESIDE_EXPERTS = ("post_feedforward_layernorm_1", "pre_feedforward_layernorm_2", "post_feedforward_layernorm_2")
"""The norms of Gemma 4 after an MLP that all tokens pass, and around the experts beside it."""

FOLLOWS = ("per_layer_input_gate", "per_layer_projection", "post_per_layer_input_norm")
"""What a block of Gemma adds after its MLP: a layer's own input, gated, projected and normed."""

PREDICTS = ("altup.router_norm", "altup.modality_router", "altup.prediction_coefs")
CORRECTS, SCALED = "altup.correction_coefs", "altup.correct_output_scale"
"""AltUp of Gemma 3n: several streams are predicted before a block, and corrected after its MLP."""

EMBEDDING_NORMS = ("word_embeddings_layernorm",)
"""What stands between the embeddings and the first block."""

AFTER_BLOCKS = ("altup_unembed_projections", "project_out")
"""What stands between the last block and the output head, and is no norm."""

LATE = (
    *("conv1d", "x_proj", "dt_layernorm", "b_layernorm", "c_layernorm", "dt_proj", "dt_bias", "A_log", "D"),
    *("q_norm", "k_norm", "norm", "attn_sub_norm", "ffn_sub_norm", "act_fn"),
    *("o_proj", "out_proj", "c_proj", "dense", "linear_out", "down_proj"),
)
"""What stands late in attention, a state space or an MLP, by the last word of its name; all else stands before."""

ROOMS = {"rg_lru": "recurrent"}
"""What stands within another part of the block than its name says."""

ORDER = {"router": 1, "experts": 2}
"""A token meets the router before its experts, and either after an MLP that all tokens pass."""

MOST_LISTED = 4096
"""Of a model of more blocks, it is not said which of them are of which kind."""


class Part(NamedTuple):
    """One component, in all the blocks that are drawn as one.

    Args:
        name: what it is called.
        group: the group of components that it belongs to.
        shape: the shapes of its tensors in one block.
        formula: its closed form, over all those blocks.
        parameters: what that comes to.
        note: what a reader should know of it.
    """

    name: str
    group: str
    shape: str
    formula: str
    parameters: int
    note: str = ""


class Stage(NamedTuple):
    """Components that lie under each other, and how they stand to the residual stream; `label` is written above."""

    how: str
    parts: tuple[Part, ...]
    label: str = ""


class Section(NamedTuple):
    """Stages that are drawn together: what stands before all blocks, one kind of blocks, and what stands after them.

    Args:
        title: what it is called; empty outside of blocks.
        times: how many blocks there are of the kind.
        each: what one of them holds.
        stages: what it is made of.
        side: whether its stages take the same stream, and what they give is added at the end.
    """

    title: str
    times: int
    each: int
    stages: tuple[Stage, ...]
    side: bool = False


class FlowChart(Chart):
    """A model as a flow, from tokens to logits: each component a box with its shapes, its formula and its count.

    Args:
        count: the model.
        document: its config.json, which says what each block attends to; None where it is not known.
    """

    def __init__(self, count: ParameterCount, document: Mapping[str, Any] | None = None) -> None:
        ((name, count),) = labelled((count,))
        model = count.model
        reader = _Reader(model, document)
        self.sections = reader.sections()
        self.tied = reader.tied()
        self.ends = reader.ends()
        self.in_turn = reader.in_turn
        self.letters = _letters(model, reader.letters, self.sections)
        marks = (
            Mark(section.title, part.name, part.group, part.parameters, count.total)
            for section in self.sections
            for stage in section.stages
            for part in stage.parts
        )
        title = f"{name}: {full(count.total)} parameters ({short(count.total)})"
        super().__init__("architecture", title, tuple(marks), (*notes_of((count,)), *dict.fromkeys(reader.notes)))
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


class _Reader:
    """What a model's rows say of its flow."""

    def __init__(self, model: Model, document: Mapping[str, Any] | None) -> None:
        self.model, self.lettered = model, model.lettered()
        self.document, self.windows = document, _windows(model, document)
        self.rows = list(zip(model.components(), self.lettered.components(), strict=True))
        self.tensors: list[Tensor] = [row for row in model.tensors() if row.role not in (BUFFER, SCALE)]
        self.kinds = model.kinds()
        self.notes: list[str] = []
        self.letters: dict[str, int] = {}
        self.in_turn = _alternate(model)

    def tied(self) -> str:
        """Return the name of the embedding that is the output head too, nothing where none is."""
        heads = [row for row, _ in self.rows if row.part == OUTPUT_HEAD]
        asked = self.model.sizes.get("lm_head", 0)
        tokens = next((row.name for row, _ in self.rows if row.part == TOKEN_EMBEDDING), "")
        return tokens if asked and heads and not any(row.times for row in heads) else ""

    def ends(self) -> tuple[str, str]:
        """Return what goes in and what comes out."""
        heads = [row.name for row, _ in self.rows if row.group == "head" and row.times]
        is_lm = bool(self.model.sizes.get("lm_head", 0))
        return "tokens", "logits" if is_lm else "scores" if heads else "hidden states"

    def sections(self) -> tuple[Section, ...]:
        """Return what stands before the blocks, each kind of blocks, and what stands after them."""
        outside = [(row, self._part(row, law, frozenset())) for row, law in self.rows if not row.layers and row.times]
        before: list[Stage] = []
        after: list[Stage] = []
        for row, part in outside:
            if row.part == TOKEN_EMBEDDING:
                before.append(Stage(START, (part,)))
            elif row.name == "project_in":  # positions are as wide as the blocks
                before.insert(1, Stage(THROUGH, (part,)))
            elif row.name in AFTER_BLOCKS:
                after.append(Stage(THROUGH, (part,)))
            elif row.part == POSITION_EMBEDDING:
                before.append(Stage(ADD, (part,)))
            elif row.name in EMBEDDING_NORMS:
                before.append(Stage(THROUGH, (part,)))
            elif row.part == LAYER_EMBEDDING or row.group in ("embedding", "other") or "per_layer" in row.name:
                before.append(Stage(ASIDE, (part,)))
            else:
                after.append(Stage(THROUGH, (part,)))
        blocks = tuple(map(self._block, self.kinds))
        after.sort(key=lambda stage: _place_after(stage.parts[0]))
        return (Section("", 1, 0, tuple(before)), *blocks, Section("", 1, 0, tuple(after)))

    def _part(self, row: Component, law: Component, kind: frozenset[str], named: str = "") -> Part:
        """Return a component as a box, over all blocks of a kind."""
        number = self.model.number(kind) if kind else 1
        times = Expression.letter(named) if kind else Expression.of(1)
        form = ClosedForm(*map(Expression.of, (times * law.times, law.weights, law.biases)))
        shapes = [x for x in self.tensors if x.component == row.name and (not kind or set(x.layers.split()) <= kind)]
        note = f"a token passes {row.used:,} of {row.times:,} experts" if row.used else ""
        total = number * row.times * (row.weights + row.biases)
        return Part(row.name, row.group, _shape(shapes), form.text(), int(total), note)

    def _block(self, kind: frozenset[str]) -> Section:
        """Return one kind of blocks: norms by their names, then attention or what mixes tokens else, then the MLP."""
        model, common = self.model, frozenset.intersection(*self.kinds)
        own = " ".join(sorted(kind - common))
        letter = "_".join(("L", *sorted(kind - common)))
        number = model.number(kind)
        self.letters[letter] = number
        rows = [pair for pair in self.rows if pair[0].layers and set(pair[0].layers.split()) <= kind and pair[0].times]
        each = int(sum(row.times * (row.weights + row.biases) for row, _ in rows))
        parts = [(row, self._part(row, law, kind, letter)) for row, law in rows]
        around = {part.name: part for row, part in parts if row.name in (*PREDICTS, CORRECTS, SCALED, *FOLLOWS)}
        norms = {part.name: part for row, part in parts if row.group == "layer_norm" and "." not in row.name}
        norms = {name: part for name, part in norms.items() if name not in around}
        rest = [(row, part) for row, part in parts if part.name not in norms and part.name not in around]
        cross = tuple(part for row, part in rest if row.group == "cross_attention")
        mixers = _in_order(part for row, part in rest if _mixes(row))
        mlps = _in_order(part for row, part in rest if part not in mixers and part not in cross)
        title = f"{own.replace('_', ' ')} block × {number:,}".lstrip() + self._where(kind)
        stages, side = self._stages(norms, mixers, mlps)
        if cross:
            stages.insert(1, Stage(ADD, cross))
        predicts, corrects, follows = (
            tuple(around[name] for name in names if name in around)
            for names in (PREDICTS, (CORRECTS,), (SCALED, *FOLLOWS))
        )
        if predicts:
            stages = [
                Stage(THROUGH, predicts, "AltUp predicts all streams; its router serves after the MLP again"),
                *stages,
                Stage(THROUGH, corrects, "AltUp corrects them"),
            ]
        if follows:
            stages.append(Stage(ADD, follows, "the layer's own input"))
        return Section(title, number, each, tuple(stages), side)

    def _stages(
        self, norms: dict[str, Part], mixers: tuple[Part, ...], mlps: tuple[Part, ...]
    ) -> tuple[list[Stage], bool]:
        """Return the stages of a block, and whether they stand side by side, each with norms of its own."""
        sizes, kind = self.model.sizes, self.model.architecture.model_type
        is_after = any(name in norms for name in SECOND)
        held: dict[tuple[str, ...], list[Part]] = {AFTER_MIXER: [], BEFORE_MLP: [], AFTER_MLP: [], BEFORE_MIXER: []}
        unknown = []
        beside = {name: part for name, part in norms.items() if name in BESIDE_EXPERTS}
        for name, part in norms.items():
            if name in beside:
                continue
            place = next((names for names in held if name in names), None)
            place = AFTER_MIXER if is_after and name == "post_attention_layernorm" else place
            if place is None:
                unknown.append(part)
            else:
                held[place].append(part)
        if unknown:
            names = ", ".join(part.name for part in unknown)
            self.notes.append(f"where {names} stands in a block is not known here: it is drawn before the MLP")
        first, last = (*held[BEFORE_MIXER],), (*unknown, *held[BEFORE_MLP])
        mixing = (*mixers, *held[AFTER_MIXER])
        label = next((part.note for part in mlps if part.note), "")
        if beside:
            label = "; ".join(filter(None, ("an MLP and the experts side by side", label)))
            mlps = _beside(mlps, beside)
        feeding = (*mlps, *held[AFTER_MLP])
        if kind == "openai-gpt" or not sizes.get("do_layer_norm_before", 1):
            found = [Stage(ADD, mixing), Stage(THROUGH, first), Stage(ADD, feeding, label), Stage(THROUGH, last)]
            return [stage for stage in found if stage.parts], False
        if not (mixers and mlps):
            return [Stage(ADD, (*first, *mixing, *last, *feeding), label)], False
        if len(norms) == 1 and first:
            together = "; ".join(filter(None, ("attention and the MLP side by side, from one norm", label)))
            return [Stage(ADD, (*first, *mixing, *feeding), together)], False
        mixed = {part.group for part in mixers} >= {"attention", "ssm"}
        neox = kind == "gpt_neox" and (self.document or {}).get(
            "use_parallel_residual", True
        )  # in its sizes in no other
        side = bool(sizes.get("use_parallel_residual", neox) or sizes.get("parallel_attn", 0))
        laurel = "LAuReL beside attention" if any(part.name.startswith("laurel.") for part in mixers) else ""
        return [
            Stage(
                ADD,
                (*first, *mixing),
                "attention and the state space side by side"
                if mixed
                else "; ".join(filter(None, (laurel, self.windows))),
            ),
            Stage(ADD, (*last, *feeding), label),
        ], side

    def _where(self, kind: frozenset[str]) -> str:
        """Return which blocks are of a kind, where there are several kinds and it can be said in a few numbers."""
        tags = [own for stack in self.model.stacks for own in _few(stack.layers())]
        if len(self.kinds) < 2 or len(tags) > MOST_LISTED:
            return ""
        found = [number for number, own in enumerate(tags) if own == kind]
        if not found:
            return ""
        if found == list(range(found[0], found[-1] + 1)):
            return f": {found[0]} to {found[-1]}" if len(found) > 1 else f": {found[0]}"
        if len(found) <= 4:
            return f": {', '.join(map(str, found))}"
        step = found[1] - found[0]
        even = found == list(range(found[0], found[-1] + 1, step))
        return f": {found[0]}, {found[1]}, {found[2]} … {found[-1]}" if even else f" of {len(tags):,}"


def _windows(model: Model, document: Mapping[str, Any] | None) -> str:
    """Return how many blocks attend to a window, of a model whose blocks are alike in all else; empty for none."""
    if document is None or model.architecture.model_type == GPT2 or len(model.kinds()) > 1:
        return ""
    try:
        kept = caches.kept(model, document)
    except ConfigError:  # of a type, or with words, of which it is not known
        return ""
    said = [
        f"{row.layers:,} attend to {'chunks' if row.is_chunk else 'a window'} of {row.window:,} tokens"
        if row.window
        else f"{row.layers:,} to all"
        for row in kept
    ]
    return ", ".join(said) if any(row.window for row in kept) else ""


def _few(layers: Iterator[frozenset[str]]) -> Iterator[frozenset[str]]:
    for number, tags in enumerate(layers):
        if number > MOST_LISTED:
            return
        yield tags


def _alternate(model: Model) -> bool:
    """Whether blocks of some kind come again after those of another."""
    runs = [run for stack in model.stacks for run in stack.runs if run.length]
    if any(len(set(run.pattern[: run.length])) > 1 for run in runs):
        return True
    order = [run.pattern[0] for run in runs]
    changes = [own for place, own in enumerate(order) if not place or own != order[place - 1]]
    return len(changes) > len(set(changes))


def _mixes(row: Component) -> bool:
    """Whether a component of a block stands where tokens meet: attention, or a state space, with its inner norms."""
    if row.group in ("attention", "ssm"):
        return True
    room = row.name.partition(".")[0]
    return room == "laurel" or (row.group == "layer_norm" and room in MIXING)


def _in_order(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Return what stands in attention, a state space or an MLP in the order of a token's way through it."""
    found = list(parts)
    rooms = list(dict.fromkeys(map(_room, found)))

    def place(part: Part) -> tuple[int, int, int]:
        last = part.name.rpartition(".")[2]
        late = LATE.index(last) + 1 if last in LATE else 0
        return ORDER.get(part.group, 0), rooms.index(_room(part)), late

    return tuple(sorted(found, key=place))


def _room(part: Part) -> str:
    room = part.name.partition(".")[0]
    return ROOMS.get(room, room)


def _beside(mlps: Sequence[Part], norms: Mapping[str, Part]) -> tuple[Part, ...]:
    """Return an MLP and the experts beside it, each with its norms, the router before what it chooses from."""
    after, before, last = (tuple(norms[name] for name in (name,) if name in norms) for name in BESIDE_EXPERTS)
    dense, routers, experts = ([part for part in mlps if ORDER.get(part.group, 0) == n] for n in range(3))
    return (*dense, *after, *routers, *before, *experts, *last)


def _place_after(part: Part) -> int:
    """Return where something stands between the last block and what comes out."""
    if part.name in AFTER_BLOCKS:
        return 2 * AFTER_BLOCKS.index(part.name)
    return 1 if part.group == "layer_norm" else 3


def _shape(tensors: Sequence[Tensor]) -> str:
    """Return the shapes of a component's tensors in one block.

    >>> from gpt2calc.model import Tensor
    >>> _shape([Tensor("w", "c_attn", (768, 2304)), Tensor("b", "c_attn", (2304,))])
    '768 × 2304 + 2304'
    """
    found = []
    for tensor in tensors:
        words = " × ".join(map(str, tensor.shape)) or "1"
        found.append(words if tensor.times == 1 else f"{tensor.times} × ({words})")
    return " + ".join(found)


def _letters(model: Model, blocks: dict[str, int], sections: Sequence[Section]) -> dict[str, int]:
    """Return the letters in which the formulas of the boxes are written, each with the model's number."""
    known = {letter: model.sizes[name] for name, letter in model.letters().items()} | blocks
    words = " ".join(part.formula for section in sections for stage in section.stages for part in stage.parts)
    for sign in "·+-()⌊⌋/²³⁴⁵⁶⁷⁸⁹0123456789":
        words = words.replace(sign, " ")
    used = set(words.split())
    return {letter: number for letter, number in known.items() if letter in used}


# ---------------------------------------------------------------- where everything lies


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


def groups_of(chart: Chart) -> dict[str, int]:
    """Return what each group holds of the boxes, in the order in which groups are shown."""
    held = {name: sum(mark.part for mark in chart.marks if mark.series == name) for name in GROUPS}
    return {name: part for name, part in held.items() if part}
