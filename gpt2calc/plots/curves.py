"""Growth: what every group holds as one size of a model grows, and the exact sizes at which groups change places."""

from __future__ import annotations

from fractions import Fraction
from functools import partial
from itertools import combinations
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.counts import ParameterCount
from gpt2calc.dims import LETTERS
from gpt2calc.errors import ConfigError, UnknownNameError, shown
from gpt2calc.fields import CANONICAL
from gpt2calc.formulas import GROUPS
from gpt2calc.plots.chart import Chart, Crossing, Mark
from gpt2calc.sources import resolve

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gpt2calc.sources import LeftOut, Model

MOST_SIZES = 200
"""How many sizes are drawn at most; of a longer range, as many at even distances."""

MOST_CURVE_SIZE = 10**12
"""The largest size that is drawn; past it a curve shows nothing but its highest power."""

LINEAR, LOG = "linear", "log"
SCALES = (LINEAR, LOG)
SPAN = 16
"""Sizes of which the last is more than so many times the first lie on a scale of logarithms, unless asked otherwise."""

BLOCKS = "attention + mlp"
"""What is compared with the embeddings as one."""


class Point(NamedTuple):
    """What a model of one size holds."""

    size: int
    groups: dict[str, int]
    total: int


class GrowthChart(Chart):
    """What every group holds as one size grows.

    Args:
        model: the model that grows.
        field: the size that grows, in its canonical spelling.
        points: the model at each size that is drawn.
        crossings: where groups change places.
        notes: what a reader should know, a sentence each.
        scale: linear or log, of sizes and parameters; shares are linear.
    """

    def __init__(  # noqa: PLR0917  # what it is made of
        self,
        model: str,
        field: str,
        points: tuple[Point, ...],
        crossings: tuple[Crossing, ...],
        notes: tuple[str, ...],
        scale: str = LINEAR,
    ) -> None:
        first, last = points[0].size, points[-1].size
        present = [name for name in GROUPS if any(point.groups[name] for point in points)]
        marks = (Mark(field, f"{x.size}", name, x.groups[name], x.total) for x in points for name in present)
        super().__init__("growth", f"{model}, {field} from {first:,} to {last:,}", tuple(marks), notes)
        self.scale = scale
        self.field, self.points, self.present, self.crossings = field, points, present, crossings


def of_growth(model: Model | LeftOut, fields: Mapping[str, Any], scale: str | None = None) -> GrowthChart:
    """Count a model at every size of a range, and find where its groups change places.

    Args:
        model: as for `gpt2calc.count`.
        fields: fields of a config, in any spelling; one of them a `range` of sizes.
        scale: linear or log; None for log where the sizes span more than 16 times the first.

    Raises:
        ConfigError: not one size is a range, or a model of such a size cannot be.
        UnknownNameError: there is no such scale.
    """
    if scale not in (None, *SCALES):
        raise UnknownNameError("scale", str(scale), SCALES)
    spelling, field, sizes = _growing(fields)
    others = {name: value for name, value in fields.items() if name != spelling}
    source = resolve(model, others)
    held: dict[int, Point] = {}

    def at(size: int) -> Point:
        if size not in held:
            count = ParameterCount(resolve(source, {spelling: size}).dims)
            held[size] = Point(size, {name: group.total for name, group in count.groups.items()}, count.total)
        return held[size]

    notes = resolve(source, {spelling: sizes[-1]}).notes
    last = len(sizes) - 1
    scale = scale or (LOG if sizes[-1] > SPAN * sizes[0] > 0 else LINEAR)
    if scale == LOG and sizes[0] < 1:
        raise ConfigError(f"a scale of logarithms begins at 1, and {spelling} begins at {sizes[0]}", field=field)
    drawn = sizes if last < MOST_SIZES else _thinned(sizes, scale)
    if len(drawn) < len(sizes):
        notes = (*notes, f"{len(drawn)} of the {len(sizes):,} sizes are drawn; crossings are looked for at all of them")
    points = tuple(map(at, drawn))
    return GrowthChart(source.name, field, points, tuple(crossings(at, field, sizes[0], sizes[-1])), notes, scale)


def _thinned(sizes: range, scale: str) -> list[int]:
    """Return as many sizes as are drawn, at even distances on a scale, the first and the last among them."""
    steps = [Fraction(n, MOST_SIZES - 1) for n in range(MOST_SIZES)]
    if scale == LINEAR:
        return [sizes[int((len(sizes) - 1) * step)] for step in steps]
    ratio = sizes[-1] / sizes[0]
    wanted = (round(sizes[0] * ratio ** float(step)) for step in steps)
    places = (min(max((want - sizes[0]) // sizes.step, 0), len(sizes) - 1) for want in wanted)
    return sorted({*(sizes[place] for place in places), sizes[-1]})


def _growing(fields: Mapping[str, Any]) -> tuple[str, str, range]:
    """Return the field that is a range: how it was spelled, what it is, and its sizes."""
    ranges = {name: value for name, value in fields.items() if isinstance(value, range)}
    if len(ranges) != 1:
        got = f"{len(ranges)} of them: {', '.join(ranges)}" if ranges else "none"
        raise ConfigError(f"one size grows at a time, and is given as a range such as n_layer 6:96; got {got}")
    ((spelling, sizes),) = ranges.items()
    field = CANONICAL.get(spelling, spelling)
    if field not in LETTERS:
        raise ConfigError(f"what can grow is {', '.join(LETTERS)}, got {shown(spelling)}", field=field)
    if len(sizes) < 2 or sizes.step < 1:
        raise ConfigError(
            f"{spelling} must be a range of two sizes or more, from the smaller to the larger", field=field
        )
    if sizes[-1] > MOST_CURVE_SIZE:
        raise ConfigError(
            f"{spelling} must be a range up to {MOST_CURVE_SIZE:,} at most, got one to {shown(sizes[-1])}", field=field
        )
    return spelling, field, sizes


def crossings(at: Callable[[int], Point], field: str, first: int, last: int) -> list[Crossing]:
    """Return where groups change places, in order: each at the smallest size from which one holds more than the other.

    Law: what a group holds is a polynomial in one size, at most a square. So the difference of two groups falls and
    rises at most once, and on either side of where it turns, halving finds the size exactly.
    """
    present = [name for name in GROUPS if at(last).groups[name] or at(first).groups[name]]
    pairs: list[tuple[tuple[str, ...], tuple[str, ...]]]
    pairs = [((one,), (other,)) for one, other in combinations(present, 2)]
    pairs.append((tuple(name for name in ("attention", "mlp") if name in present), ("embedding",)))
    found = []
    for pair in pairs:
        for above, below in (pair, pair[::-1]):
            difference = partial(_difference, at, above, below)
            turn = _turn(difference, first, last) if field == "n_embd" else last
            sizes = (_first_above(difference, *part) for part in ((first, turn), (turn, last)))
            names = " + ".join(above), " + ".join(below)
            found += [Crossing(field, size, *names) for size in sizes if size is not None]
    return sorted(dict.fromkeys(found), key=lambda crossing: crossing.at)


def _difference(at: Callable[[int], Point], ours: tuple[str, ...], theirs: tuple[str, ...], size: int) -> int:
    """Return how much more some groups hold together than others, at a size."""
    groups = at(size).groups
    return sum(groups[name] for name in ours) - sum(groups[name] for name in theirs)


def _turn(difference: Callable[[int], int], first: int, last: int) -> int:
    """Return the size at which a square turns: up to it the difference only falls or only rises, and after it too."""
    if last - first < 2:
        return last
    start, then, after = (difference(first + n) for n in range(3))
    bend = after - 2 * then + start
    if not bend:
        return last
    return min(max(first - (then - start) // bend, first), last)


def _first_above(difference: Callable[[int], int], begin: int, end: int) -> int | None:
    """Return the smallest size at which a difference is above 0 that is not so at the beginning, by halving."""
    if difference(begin) > 0 or difference(end) <= 0:
        return None
    while end - begin > 1:
        middle = (begin + end) // 2
        begin, end = (begin, middle) if difference(middle) > 0 else (middle, end)
    return end


def thinned(points: tuple[Point, ...], most: int) -> Iterator[Point]:
    """Yield so many of the points at most, at even distances, the first and the last among them."""
    last = len(points) - 1
    most = min(most, len(points))
    yield from (points[last * n // (most - 1)] for n in range(most))
