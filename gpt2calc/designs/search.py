"""The search: every shape within bounds, ranked by how near it is to a target, in exact integers.

A box is all shapes of one width and one vocabulary. No count falls when a size grows, so that a box's smallest and
largest shape say how near any shape in it can be, and along a line of one size the nearest is found by bisection. Boxes
that can hold nothing better than what is found are left out, which changes no answer; the tests compare with trying
every shape.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from heapq import heapify, heappop, heappush
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
    from fractions import Fraction

    from gpt2calc.designs.bounds import Bounds
    from gpt2calc.designs.family import Family
    from gpt2calc.designs.measures import Measure
    from gpt2calc.designs.targets import SizeTarget

MOST_LINES = 1_000_000
"""How many lines are bisected before a search is given up, after some seconds."""


class RankedShape(NamedTuple):
    """One shape, in the order that shapes are ranked by."""

    distance: int
    factor: Fraction
    n_layer: int
    n_embd: int
    n_inner: int
    vocab_size: int
    value: int


class Box(NamedTuple):
    """All shapes of one width and one vocabulary: every depth with every inner width."""

    n_embd: int
    vocab_size: int
    layers: Sequence[int]
    inners: Sequence[int]
    measure: Measure

    @property
    def least(self) -> int:
        """The count of its smallest shape."""
        return self.measure(self.layers[0], self.n_embd, self.inners[0])

    @property
    def most(self) -> int:
        """The count of its largest shape."""
        return self.measure(self.layers[-1], self.n_embd, self.inners[-1])


class Space:
    """The shapes within bounds, as boxes.

    Args:
        bounds: what a shape may be.
        measures: for each vocabulary that a shape may have, what gives the measure of a width, None where no model has
            that width.
        target: what is asked for.
        family: the proportions that shapes are ranked by.
    """

    def __init__(
        self,
        bounds: Bounds,
        measures: Mapping[int, Callable[[int], Measure | None]],
        target: SizeTarget,
        family: Family,
    ) -> None:
        self.target = target
        self.family = family
        self.boxes = [
            Box(n_embd, size, layers, inners, measure)
            for n_embd, (layers, inners) in bounds.widths().items()
            for size, of_width in measures.items()
            if (measure := of_width(n_embd)) is not None
        ]
        self._ends = [(box.least, box.most) for box in self.boxes]
        self._tried = 0

    @property
    def shapes(self) -> int:
        """How many shapes there are."""
        return sum(len(box.layers) * len(box.inners) for box in self.boxes)

    def smallest(self) -> int:
        """Return the smallest count within the bounds."""
        return min(least for least, _ in self._ends)

    def largest(self) -> int:
        """Return the largest count within the bounds."""
        return max(most for _, most in self._ends)

    def nearest(self, top: int) -> list[RankedShape]:
        """Return the `top` shapes that are ranked first, all where there are fewer.

        Law: by distance to the target, then by closeness to the family's proportions, then the shallower, narrower one.
        """
        kept: list[RankedShape] = []
        for bound, box in self._ranked():
            if len(kept) == top and bound > kept[-1].distance:
                break
            for line in _lines(box):
                nearer = list(self._shapes(line, top, kept[-1].distance if len(kept) == top else None))
                if nearer:
                    kept = sorted([*kept, *nearer])[:top]
        return kept

    def usual(self, top: int, band: int) -> list[RankedShape]:
        """Return the `top` shapes that a practitioner would take first, all where there are fewer.

        Law: those that are exactly the target come first; then those that are no farther from it than `band`, the
        nearest to the family's proportions in front; then all others by distance. What is still equal is ranked by
        distance, and then as `nearest` ranks it.
        """
        found = self._by_proportions(top, 0)
        if band and len(found) < top:
            found += self._by_proportions(top, band)
        if len(dict.fromkeys(found)) < top:
            found += self.nearest(top)
        return list(dict.fromkeys(found))[:top]

    def _by_proportions(self, top: int, band: int) -> list[RankedShape]:
        """Return the `top` shapes within a band around the target, those of the family's proportions first."""
        low, high = self.target.value - band, self.target.value + (0 if self.target.fits else band)
        # 1. Of each box the depths at which some shape is within the band, and the one of them that is ranked first.
        heap: list[tuple[Fraction, int, int, int]] = []
        sides: list[tuple[Box, Sequence[int]]] = []
        for box, (least, most) in zip(self.boxes, self._ends, strict=True):
            if least > high or most < low:
                continue
            layers, inners, measure, n_embd = box.layers, box.inners, box.measure, box.n_embd
            first = bisect_left(layers, low, key=lambda n: measure(n, n_embd, inners[-1]))
            end = bisect_right(layers, high, lo=first, key=lambda n: measure(n, n_embd, inners[0]))
            if first < end:
                down, up = self._outwards(n_embd, layers[first:end])
                for side in (down, up):
                    if side:
                        heap.append((self.family.factor(side[0], n_embd), len(sides), 0, side[0]))
                        sides.append((box, side))
        # 2. Depth by depth, in the order of proportions, until no other can be among the first.
        heapify(heap)
        kept: list[tuple[Fraction, RankedShape]] = []
        while heap and not (len(kept) >= top and heap[0][0] > kept[top - 1][0]):
            factor, place, taken, n_layer = heappop(heap)
            box, side = sides[place]
            kept += ((factor, shape) for shape in self._shapes(_line_of_inners(box, n_layer), top, band))
            kept.sort(key=lambda pair: (pair[0], pair[1]))
            del kept[top:]
            if taken + 1 < len(side):
                following = side[taken + 1]
                heappush(heap, (self.family.factor(following, box.n_embd), place, taken + 1, following))
        return [shape for _, shape in kept]

    def _outwards(self, n_embd: int, layers: Sequence[int]) -> tuple[Sequence[int], Sequence[int]]:
        """Return depths on either side of the family's for a width, each side from the family's outwards."""
        aspect = self.family.aspect
        place = bisect_right(layers, n_embd * aspect.denominator // aspect.numerator)
        return layers[:place][::-1], layers[place:]

    def front(self) -> list[RankedShape]:
        """Return the Pareto front: the shapes to which none is at least as near in both the target and the family.

        Of shapes that are equally near in both, the one ranked first is taken.
        """
        front: list[RankedShape] = []
        for bound, box in self._ranked():
            best = min(self._factor(box, n_layer) for n_layer in _around(box, self.family))
            near = bound, best  # a box that may hold an equal of what is found is looked at: it may rank before it
            if any(each[:2] != near and each.distance <= bound and each.factor <= best for each in front):
                continue
            for n_layer in box.layers:
                front += self._shapes(_line_of_inners(box, n_layer), 1, None)
            front = _undominated(sorted(front))
        return front

    def _ranked(self) -> list[tuple[int, Box]]:
        """Return the boxes that hold something that fits, each with how near it can be, the nearest first."""
        goal, ranked = self.target.value, []
        for box, (least, most) in zip(self.boxes, self._ends, strict=True):
            if not (self.target.fits and least > goal):
                ranked.append((max(0, least - goal, goal - most), box))
        ranked.sort(key=lambda pair: pair[0])
        return ranked

    def _factor(self, box: Box, n_layer: int) -> Fraction:
        return self.family.factor(n_layer, box.n_embd)

    def _shapes(self, line: Line, top: int, farthest: int | None) -> Iterator[RankedShape]:
        """Yield the shapes of a line that can be among the `top` nearest, none farther than `farthest`."""
        self._tried += 1
        if self._tried > MOST_LINES:
            raise ConfigError(
                f"more than {MOST_LINES:,} lines of shapes are about as near as this: narrow n_inner, n_layer or n_embd"
            )
        box = line.box
        for size, value, distance in _walk(line, self.target, top, farthest):
            n_layer, n_inner = line.shape(size)
            factor = self._factor(box, n_layer)
            yield RankedShape(distance, factor, n_layer, box.n_embd, n_inner, box.vocab_size, value)


class Line(NamedTuple):
    """Shapes that differ in one size: its values, the count of each, and the n_layer and n_inner that it stands for."""

    box: Box
    sizes: Sequence[int]
    count: Callable[[int], int]
    shape: Callable[[int], tuple[int, int]]


def _lines(box: Box) -> Iterator[Line]:
    """Yield the lines of a box along the size that has more values, so that there are few of them."""
    if len(box.layers) >= len(box.inners):
        return (_line_of_layers(box, n_inner) for n_inner in box.inners)
    return (_line_of_inners(box, n_layer) for n_layer in box.layers)


def _line_of_layers(box: Box, n_inner: int) -> Line:
    measure, n_embd = box.measure, box.n_embd
    return Line(box, box.layers, lambda n_layer: measure(n_layer, n_embd, n_inner), lambda n_layer: (n_layer, n_inner))


def _line_of_inners(box: Box, n_layer: int) -> Line:
    measure, n_embd = box.measure, box.n_embd
    return Line(box, box.inners, lambda n_inner: measure(n_layer, n_embd, n_inner), lambda n_inner: (n_layer, n_inner))


def _walk(line: Line, target: SizeTarget, top: int, farthest: int | None) -> Iterator[tuple[int, int, int]]:
    """Yield sizes with their counts and distances, from the target outwards on either side.

    On each side the walk ends after `top` sizes, and goes on where the next is as near as the last: of those, what is
    ranked first is decided by more than the distance.
    """
    sizes, count = line.sizes, line.count
    if target.fits:
        start = bisect_right(sizes, target.value, key=count)
        sides: Iterable[range] = (range(start - 1, -1, -1),)
    else:
        start = bisect_left(sizes, target.value, key=count)
        sides = (range(start - 1, -1, -1), range(start, len(sizes)))
    for side in sides:
        last = -1
        for taken, place in enumerate(side):
            value = count(sizes[place])
            distance = abs(value - target.value)
            if (farthest is not None and distance > farthest) or (taken >= top and distance > last):
                break
            last = distance
            yield sizes[place], value, distance


def _around(box: Box, family: Family) -> Sequence[int]:
    """Return the depths of a box on either side of the family's for its width: the nearest in proportion is there."""
    ideal = box.n_embd * family.aspect.denominator // family.aspect.numerator
    place = bisect_right(box.layers, ideal)
    return box.layers[max(0, place - 1) : place + 1]


def _undominated(ranked: Iterable[RankedShape]) -> list[RankedShape]:
    """Keep of ranked shapes those that are nearer to the family than all before them."""
    kept: list[RankedShape] = []
    for each in ranked:
        if not kept or each.factor < kept[-1].factor:
            kept.append(each)
    return kept
