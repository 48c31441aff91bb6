"""One block of a model, divided into groups, these into components, and these into weights and biases."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.errors import ConfigError
from gpt2calc.model import BIAS, BUFFER, GROUPS, SCALE
from gpt2calc.plots.chart import Chart, Mark, full, labelled
from gpt2calc.table import short

if TYPE_CHECKING:
    from gpt2calc.counts import ParameterCount

LEVELS = ("group", "component", "weight or bias")


class Slice(NamedTuple):
    """A part of a block at one level: its name, its group, what it holds, and what stands before it in the block."""

    name: str
    group: str
    size: int
    start: int


class Block(NamedTuple):
    """One block of a kind: what it is called, what it holds, and its parts at each level, in one order."""

    title: str
    size: int
    levels: tuple[tuple[Slice, ...], ...]


class BlockChart(Chart):
    """One block of each kind that a model has.

    Args:
        count: the model.
    """

    def __init__(self, count: ParameterCount) -> None:
        ((name, count),) = labelled((count,))
        self.blocks = _blocks(count)
        if not self.blocks:
            raise ConfigError(f"{name} has no blocks that hold parameters: there is nothing to draw")
        marks = (
            Mark(block.title if len(self.blocks) > 1 else "", leaf.name, leaf.group, leaf.size, block.size)
            for block in self.blocks
            for leaf in block.levels[-1]
        )
        (first, *more) = self.blocks
        held = "" if more else f": {full(first.size)} parameters ({short(first.size)})"
        super().__init__("block", f"one block of {name}{held}", tuple(marks), count.notes)


def _blocks(count: ParameterCount) -> tuple[Block, ...]:
    """Return one block of each kind: groups in their order, and in each the components, as the model has them."""
    model = count.model
    kinds = model.kinds()
    rows = [row for row in model.components() if row.layers and row.times]
    tensors = [row for row in model.architecture.tensors(model) if row.layers and row.role not in (BUFFER, SCALE)]
    found = []
    for kind in kinds:
        groups: list[Slice] = []
        components: list[Slice] = []
        leaves: list[Slice] = []
        done = 0
        own = [row for row in rows if set(row.layers.split()) <= kind]
        for group in GROUPS:
            before = done
            for row in (row for row in own if row.group == group):
                held = {False: 0, True: 0}
                for x in tensors:
                    if x.component == row.name and set(x.layers.split()) <= kind:
                        held[x.role == BIAS] += x.times * x.when * prod(x.shape)
                components.append(Slice(row.name, group, sum(held.values()), done))
                for is_bias, size in held.items():
                    if size:
                        leaves.append(Slice(f"{row.name}.{'bias' if is_bias else 'weight'}", group, size, done))
                        done += size
            if done > before:
                groups.append(Slice(group, group, done - before, before))
        said = " ".join(sorted(kind - frozenset.intersection(*kinds))).replace("_", " ")
        title = f"{said} block, {model.number(kind):,} of them: {full(done)} parameters".lstrip()
        if done:
            found.append(Block(title, done, (tuple(groups), tuple(components), tuple(leaves))))
    return tuple(found)
