"""Parts of a model: its first blocks alone, and what each rank of tensor and pipeline parallelism holds.

Law: Megatron pads the vocabulary to a multiple of 128·tp. Embedding and head split by rows, c_attn and c_fc by outputs
with their biases; c_proj splits by inputs, and its bias is whole on every rank, as LayerNorm and the position embedding
are. A stage of a pipeline has n_layer / pp blocks; the embeddings are on the first, ln_f on the last, and with them a
copy of a tied head, where the last is not the first.

Source: NVIDIA/Megatron-LM, megatron/core/tensor_parallel/layers.py (VocabParallelEmbedding, ColumnParallelLinear,
RowParallelLinear), megatron/core/models/gpt/gpt_model.py and common/language_module/language_module.py;
megatron/training/tokenizer/tokenizer.py (`_vocab_size_with_padding`).
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import formulas
from gpt2calc.errors import ConfigError
from gpt2calc.table import Table

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.dims import Dims
    from gpt2calc.model import Model
    from gpt2calc.table import Cell

SCHEMA = "gpt2calc/parts/1"

DIVISIBLE_BY = 128
"""Megatron's `make_vocab_size_divisible_by`, unless somebody gives another."""

MOST_RANKS = 10_000
"""How many ranks there can be; those of one stage are alike, and shown once."""


class Held(NamedTuple):
    """Tensors that one part holds: of which component, their shape as `torch.nn.Linear` keeps it, and how many."""

    what: str
    shape: tuple[int, ...]
    times: int = 1

    @property
    def parameters(self) -> int:
        """What all of them hold."""
        return self.times * prod(self.shape)


class Part(NamedTuple):
    """One part of a model: its name, how many ranks hold as much, and what it holds."""

    name: str
    ranks: int
    held: tuple[Held, ...]

    @property
    def parameters(self) -> int:
        """What one such rank holds."""
        return sum(each.parameters for each in self.held)


class Parts:
    """Parts of a model, what they hold together, and why that is more than the whole.

    Args:
        name: what the user called the model.
        asked: the words that were asked for, each with its number.
        total: the parameters of the whole model.
        parts: the parts, in order.
        more: what the parts hold more than once, or in addition; empty where they are not the whole.
        notes: what a reader should know.

    >>> import gpt2calc
    >>> found = gpt2calc.parts("gpt2-medium", tp=2, pp=2)
    >>> [part.parameters for part in found.parts], found.sum - sum(found.more.values()) == found.total
    ([102483968, 101437440], True)
    """

    __slots__ = ("asked", "more", "name", "notes", "parts", "total")

    def __init__(  # noqa: PLR0917  # what it is made of
        self,
        name: str,
        asked: Mapping[str, int],
        total: int,
        parts: tuple[Part, ...],
        more: Mapping[str, int],
        notes: tuple[str, ...] = (),
    ) -> None:
        self.name, self.asked, self.total = name, asked, total
        self.parts, self.more, self.notes = parts, more, notes

    @property
    def sum(self) -> int:
        """What all parts hold together, those of every rank."""
        return sum(part.ranks * part.parameters for part in self.parts)

    def __repr__(self) -> str:
        return f"<Parts of {self.name}: {', '.join(f'{part.parameters:,}' for part in self.parts)}>"

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        return html.write(self.tables())

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it, in the schema that docs/json.md describes."""
        return {
            "schema": SCHEMA,
            "model": self.name,
            "asked": dict(self.asked),
            "total": self.total,
            "parts": [
                {
                    "name": part.name,
                    "parameters": part.parameters,
                    "ranks": part.ranks,
                    "held": [
                        {"what": x.what, "shape": list(x.shape), "times": x.times, "parameters": x.parameters}
                        for x in part.held
                    ],
                }
                for part in self.parts
            ],
            "sum": self.sum,
            "more": [{"what": what, "parameters": count} for what, count in self.more.items()],
            "notes": list(self.notes),
        }

    def tables(self) -> list[Table]:
        """Lay each part out, and the sum over all beside the whole."""
        return [*(self._part(part) for part in _alike(self.parts)), *([self._sum()] if self.more else [])]

    def table(self) -> Table:
        """Lay everything that is held out as one table, for a spreadsheet."""
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (part.name, part.ranks, each.what, _written(each.shape), each.times, each.parameters)
            for part in self.parts
            for each in part.held
        )
        return Table(self.name, ("part", "ranks", "holds", "shape", "times", "parameters"), rows)

    def _part(self, part: Part) -> Table:
        rows: tuple[tuple[Cell, ...], ...] = tuple(
            (each.what, _written(each.shape), each.times, each.parameters) for each in part.held
        )
        total: tuple[Cell, ...] = ("total", "", "", part.parameters)
        return Table(f"{self.name}, {part.name}", ("holds", "shape", "times", "parameters"), (*rows, None, total))

    def _sum(self) -> Table:
        rows: list[tuple[Cell, ...]] = [("the model", self.total)]
        rows += [(what, count) for what, count in self.more.items() if count]
        ranks = sum(part.ranks for part in self.parts)
        return Table("", (f"all {ranks:,} ranks", "parameters"), (*rows, None, ("total", self.sum)))


def first_blocks(model: Model, name: str, blocks: int, notes: tuple[str, ...] = ()) -> Parts:
    """Return what the first blocks of a model hold, and nothing else.

    Raises:
        ConfigError: the model does not have as many.
    """
    layers = [tags for stack in model.stacks for run in stack.runs for tags in run.pattern[: run.length]]
    depth = sum(run.length for stack in model.stacks for run in stack.runs)
    if not 1 <= blocks <= depth:
        raise ConfigError(f"{name} has {depth:,} blocks, got {blocks:,}", field="blocks", got=blocks)
    if len(set(layers)) > 1:
        raise ConfigError(f"the blocks of {name} are not all alike: --per-block shows one of each kind")
    rows = [row for row in model.architecture.tensors(model) if row.when and row.times and row.layers]
    named = (row.template.removeprefix("{layer}.") for row in rows)
    held = tuple(Held(each, row.shape, blocks * row.times) for each, row in zip(named, rows, strict=True))
    part = Part(f"{blocks:,} of {depth:,} blocks", 1, held)
    return Parts(name, {"blocks": blocks}, int(model.total()), (part,), {}, notes)


def ranks(  # noqa: PLR0917  # a model, and how it is split
    dims: Dims, name: str, n_head: int | None, tp: int, pp: int, notes: tuple[str, ...] = ()
) -> Parts:
    """Return what each rank of tensor times pipeline parallelism holds, as Megatron splits a GPT-2.

    Args:
        dims: the model.
        name: what the user called it.
        n_head: its heads, which are split over the ranks; None where they are not known.
        tp: ranks of tensor parallelism.
        pp: stages of the pipeline.
        notes: what a reader should know.

    Raises:
        ConfigError: what is split does not divide, or Megatron's GPT has no such part.
    """
    d, m = dims.n_embd, dims.n_inner
    _refuse(dims, name, n_head, tp, pp)
    padded = -(-dims.vocab_size // (DIVISIBLE_BY * tp)) * DIVISIBLE_BY * tp
    blocks, rows = dims.n_layer // pp, padded // tp
    qkv, bias = dims.qkv_bias, dims.bias
    block = (
        Held("ln_1, ln_2", (d,), blocks * 2 * (1 + bias)),
        Held("attn.c_attn, its outputs split", (3 * d // tp, d), blocks),
        Held("attn.c_attn's bias, split", (3 * d // tp,), blocks * qkv),
        Held("attn.c_proj, its inputs split", (d, d // tp), blocks),
        Held("mlp.c_fc, its outputs split", (m // tp, d), blocks),
        Held("mlp.c_fc's bias, split", (m // tp,), blocks * bias),
        Held("mlp.c_proj, its inputs split", (d, m // tp), blocks),
        Held("both c_proj's biases, whole", (d,), blocks * 2 * bias),
    )
    embedding = (Held("wte, its rows split", (rows, d)), Held("wpe, whole", (dims.n_positions, d)))
    tied = dims.lm_head * dims.tie_word_embeddings
    copied, own = tied * (pp > 1), dims.lm_head * (1 - dims.tie_word_embeddings)
    last = (
        Held("ln_f", (d,), dims.ln_f * (1 + bias)),
        Held("the tied head, a copy of wte", (rows, d), copied),
        Held("lm_head, its rows split", (rows, d), own),
    )
    parts = []
    for stage in range(pp):
        held = (*embedding * (stage == 0), *block, *last * (stage == pp - 1))
        where = f"stage {stage} of {pp}, blocks {stage * blocks} to {(stage + 1) * blocks - 1}"
        each = f"each of {tp} ranks" if tp > 1 else "one rank"
        parts.append(Part(f"{where}: {each}", tp, tuple(x for x in held if x.times)))
    matrices = 1 + copied + own
    whole = [x for part in parts for x in part.held if x.what in {"wpe, whole", "ln_f", "ln_1, ln_2", block[-1].what}]
    more = {
        "rows that pad the vocabulary": (padded - dims.vocab_size) * d * matrices,
        "the tied head, a second time": dims.vocab_size * d * copied,
        "what every rank of a stage has whole, again": (tp - 1) * sum(x.parameters for x in whole),
    }
    return Parts(name, {"tp": tp, "pp": pp}, formulas.total(dims), tuple(parts), more, notes)


def _refuse(dims: Dims, name: str, n_head: int | None, tp: int, pp: int) -> None:
    """Raise where something does not divide, or Megatron's GPT has no such part."""
    others = ("add_cross_attention", "multiple_choice_head", "score", "classifier", "qa_outputs")
    if odd := next((each for each in others if getattr(dims, each)), None):
        raise ConfigError(f"{name} has {odd}, which Megatron's GPT does not have")
    if tp * pp > MOST_RANKS or tp < 1 or pp < 1:
        raise ConfigError(f"there are 1 to {MOST_RANKS:,} ranks, got tp {tp:,} times pp {pp:,}")
    if tp > 1 and n_head is None:
        raise ConfigError("tensor parallelism splits the heads, and n_head is not given", field="n_head")
    sizes = [("n_head", n_head or tp, tp, "--tp"), ("n_embd", dims.n_embd, tp, "--tp")]
    sizes += [("n_inner", dims.n_inner, tp, "--tp"), ("n_layer", dims.n_layer, pp, "--pp")]
    for field, size, over, word in sizes:
        if size % over:
            raise ConfigError(f"{word} {over:,} does not divide the {field} {size:,} of {name}", field=field, got=size)


def _alike(parts: tuple[Part, ...]) -> list[Part]:
    """Return the parts with those between the first and the last, which hold the same, as one."""
    if len(parts) < 4:
        return list(parts)
    between = parts[1]._replace(name=f"stages 1 to {len(parts) - 2} of {len(parts)}, each rank")
    return [parts[0], between, parts[-1]]


def _written(shape: tuple[int, ...]) -> str:
    return f"[{', '.join(f'{size:,}' for size in shape)}]"
