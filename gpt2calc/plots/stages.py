"""What a model is made of from tokens to logits: components in stages, by how each stands to the residual stream.

Rows say which components there are; names say where in a block they stand. It knows nothing of places on a sheet: that
is `flows`.
"""

from __future__ import annotations

from itertools import groupby, islice
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.algebra import ClosedForm, Expression
from gpt2calc.architectures import GPT2, caches
from gpt2calc.errors import ConfigError
from gpt2calc.model import (
    BUFFER,
    LAYER_EMBEDDING,
    OUTPUT_HEAD,
    POSITION_EMBEDDING,
    SCALE,
    TOKEN_EMBEDDING,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from gpt2calc.model import Component, Model, Tensor

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


class Flow:
    """What a model's rows say of its way from tokens to logits.

    Args:
        model: the model.
        document: its config.json, which says what each block attends to; None where it is not known.

    Attributes:
        sections: what stands before the blocks, each kind of blocks, and what stands after them.
        letters: the letters of the formulas in it, each with the model's number.
        in_turn: whether blocks of some kind come again after those of another.
        notes: what a reader should know, a sentence each.
    """

    def __init__(self, model: Model, document: Mapping[str, Any] | None) -> None:
        self.model, self.lettered = model, model.lettered()
        self.document, self.windows = document, _windows(model, document)
        self.rows = list(zip(model.components(), self.lettered.components(), strict=True))
        self.tensors: list[Tensor] = [row for row in model.tensors() if row.role not in (BUFFER, SCALE)]
        self.kinds = model.kinds()
        self.notes: list[str] = []
        self.blocks: dict[str, int] = {}
        self.in_turn = _alternate(model)
        self.sections = self._sections()
        self.letters = _letters(model, self.blocks, self.sections)

    @property
    def tied(self) -> str:
        """The name of the embedding that is the output head too, nothing where none is."""
        heads = [row for row, _ in self.rows if row.part == OUTPUT_HEAD]
        asked = self.model.sizes.get("lm_head", 0)
        tokens = next((row.name for row, _ in self.rows if row.part == TOKEN_EMBEDDING), "")
        return tokens if asked and heads and not any(row.times for row in heads) else ""

    @property
    def ends(self) -> tuple[str, str]:
        """What goes in and what comes out."""
        heads = [row.name for row, _ in self.rows if row.group == "head" and row.times]
        is_lm = bool(self.model.sizes.get("lm_head", 0))
        return "tokens", "logits" if is_lm else "scores" if heads else "hidden states"

    def _sections(self) -> tuple[Section, ...]:
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
        self.blocks[letter] = number
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
        tags = [own for stack in self.model.stacks for own in islice(stack.layers(), MOST_LISTED + 1)]
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


def _alternate(model: Model) -> bool:
    """Whether blocks of some kind come again after those of another."""
    runs = [run for stack in model.stacks for run in stack.runs if run.length]
    if any(len(set(run.pattern[: run.length])) > 1 for run in runs):
        return True
    changes = [own for own, _ in groupby(run.pattern[0] for run in runs)]
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
