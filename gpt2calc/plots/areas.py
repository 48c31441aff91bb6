"""Areas: a model as a tree of blocks and tensors, and each of them as a rectangle of exactly its share."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.model import BUFFER, SCALE
from gpt2calc.plots.chart import Chart, Mark, full, labelled

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gpt2calc.counts import ParameterCount
    from gpt2calc.model import Tensor

MOST_BLOCKS = 128
"""Of a model of more blocks, all blocks are drawn as one."""


class Node(NamedTuple):
    """A part of a model: a tensor, or all blocks of one kind, with the tensors of one of them.

    Args:
        name: what it is called.
        group: the group of components that a tensor belongs to.
        size: the parameters in all of it.
        parts: the tensors of one block, the largest first.
        numbers: which blocks there are, where each is drawn.
    """

    name: str
    group: str
    size: int
    parts: tuple[Node, ...] = ()
    numbers: tuple[int, ...] = ()

    @property
    def times(self) -> int:
        """How many blocks are drawn."""
        return len(self.numbers) or 1

    def blocks(self) -> tuple[str, ...]:
        """Return what each block is called."""
        return tuple(f"block {number}" for number in self.numbers) or (self.name,)


class Box(NamedTuple):
    """A rectangle: its lower left corner, its width and its height."""

    x: Fraction
    y: Fraction
    width: Fraction
    height: Fraction


class Treemap(Chart):
    """A model as areas: every tensor in its block, and every block in the model, the largest first.

    Args:
        count: the model.
    """

    def __init__(self, count: ParameterCount) -> None:
        ((name, count),) = labelled((count,))
        self.nodes = _tree(count)
        leaves = (
            (block if node.parts else "", leaf)
            for node in self.nodes
            for block in node.blocks()
            for leaf in node.parts or (node,)
        )
        marks = (Mark(block, leaf.name, leaf.group, leaf.size, count.total) for block, leaf in leaves)
        super().__init__("treemap", f"{name}: {full(count.total)} parameters", tuple(marks), count.notes)


def _tree(count: ParameterCount) -> tuple[Node, ...]:
    """Return the parts of a model, the largest first; those of equal size stay in the order of the model."""
    model = count.model
    groups = {row.name: row.group for row in model.components()}
    rows = [row for row in model.tensors() if row.role not in (BUFFER, SCALE)]
    kinds = [kind for kind in model.kinds() if model.number(kind)]
    together = sum(map(model.number, kinds)) > MOST_BLOCKS
    order = [] if together else [tags for stack in model.stacks for tags in stack.layers()]

    def nodes(held: list[Tensor], times: int) -> list[Node]:
        sizes: dict[tuple[str, str], int] = {}
        for row in held:
            name = f"{row.component}.{row.role}", groups[row.component]
            sizes[name] = sizes.get(name, 0) + times * row.times * prod(row.shape)
        return [Node(*name, size) for name, size in sizes.items() if size]

    found = nodes([row for row in rows if not row.layers], 1)
    for kind in kinds:
        number, own = model.number(kind), [row for row in rows if row.layers and set(row.layers.split()) <= kind]
        parts = tuple(sorted(nodes(own, number if together else 1), key=lambda node: -node.size))
        numbers = () if together else tuple(place for place, tags in enumerate(order) if tags == kind)
        said = " ".join(sorted(kind - frozenset.intersection(*kinds)))
        size = (1 if together else number) * sum(part.size for part in parts)
        found += [Node(f"{number:,} {said} blocks".replace("  ", " "), "", size, parts, numbers)] if parts else []
    return tuple(sorted(found, key=lambda node: -node.size))


def squarified(sizes: Sequence[int], box: Box) -> Iterator[Box]:
    """Divide a box among sizes, from the largest to the smallest, into rectangles that are as square as can be.

    Law: the area of each is its size over the sum of all, times the area of the box, exactly.

    Args:
        sizes: whole numbers above 0, none larger than the one before it.
        box: what is divided.

    Yields:
        A box for each size, in order.

    Source: Bruls, Huizing, van Wijk 2000, Squarified Treemaps.

    >>> [str(x.width) for x in squarified([6, 3, 1], Box(*map(Fraction, (0, 0, 10, 5))))]
    ['6', '4', '4']
    """
    left, place = sum(sizes), 0
    while place < len(sizes):
        upright = box.width >= box.height
        side = box.height if upright else box.width
        scale = box.width * box.height / left
        end, row = place + 1, sizes[place]
        while end < len(sizes) and not _worse(sizes[place], sizes[end - 1], row, sizes[end], side * side / scale):
            row += sizes[end]
            end += 1
        deep = row * scale / side
        along = Fraction(0)
        for size in sizes[place:end]:
            wide = side * size / row
            yield Box(box.x, box.y + along, deep, wide) if upright else Box(box.x + along, box.y, wide, deep)
            along += wide
        box = (
            Box(box.x + deep, box.y, box.width - deep, box.height)
            if upright
            else Box(box.x, box.y + deep, box.width, box.height - deep)
        )
        left, place = left - row, end


def _worse(largest: int, smallest: int, row: int, more: int, side: Fraction) -> bool:
    """Whether one more size in a row makes the least square of its rectangles less square."""
    return _stretch(largest, more, row + more, side) > _stretch(largest, smallest, row, side)


def _stretch(largest: int, smallest: int, row: int, side: Fraction) -> Fraction:
    """Return how many times as long as wide the least square rectangle of a row is; `side` is squared and scaled."""
    return max(side * largest / row**2, row**2 / (side * smallest))


def gridded(count: int, box: Box) -> Iterator[Box]:
    """Divide a box among so many of equal size, row by row, into rectangles that are nearly square.

    Law: all rows have as many boxes where those are less than twice as long as wide, and else no row has more than one
    box more than another; all boxes have the same area, exactly.

    >>> [f"{x.x},{x.y} {x.width}x{x.height}" for x in gridded(3, Box(*map(Fraction, (0, 0, 4, 3))))]
    ['0,0 4x1', '0,1 2x2', '2,1 2x2']
    """

    def stretch(rows: int) -> Fraction:
        wide, high = box.width * rows / count, box.height / rows
        return max(wide / high, high / wide)

    even = [rows for rows in range(1, count + 1) if not count % rows and stretch(rows) < 2]
    rows = min(even or range(1, count + 1), key=stretch)
    y = box.y
    for row in range(rows):
        held = (row + 1) * count // rows - row * count // rows
        wide, high = box.width / held, box.height * held / count
        yield from (Box(box.x + wide * place, y, wide, high) for place in range(held))
        y += high


def boxes(nodes: Sequence[Node], box: Box) -> Iterator[tuple[str, Box, tuple[tuple[Node, Box], ...]]]:
    """Yield every block, and every tensor that is in none, with its box, and its tensors with theirs.

    The tensors of every block lie alike.
    """
    for node, own in zip(nodes, squarified([node.size for node in nodes], box), strict=True):
        if not node.parts:
            yield "", own, ((node, own),)
            continue
        blocks = tuple(gridded(node.times, own))
        inner = tuple(squarified([part.size for part in node.parts], blocks[0]))
        for name, block in zip(node.blocks(), blocks, strict=True):
            moved = (_moved(each, blocks[0], block) for each in inner)
            yield name, block, tuple(zip(node.parts, moved, strict=True))


def _moved(box: Box, old: Box, new: Box) -> Box:
    """Return a box that lies in the new one as it lay in the old one."""
    across, down = new.width / old.width, new.height / old.height
    corner = new.x + (box.x - old.x) * across, new.y + (box.y - old.y) * down
    return Box(*corner, box.width * across, box.height * down)
