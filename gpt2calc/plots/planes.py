"""Shapes of equal parameters: in the plane of depth and width, a curve for each total, and a dot for each model."""

from __future__ import annotations

from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc import formulas, presets
from gpt2calc.errors import ConfigError
from gpt2calc.plots.chart import Chart, Mark, full, labelled, tick
from gpt2calc.table import short

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.counts import ParameterCount
    from gpt2calc.dims import Dims

WIDTHS = (256, 16384)
DEPTHS = (4, 128)
"""The plane: n_embd and n_layer from the least to the most, which both grow to its edges where a model needs it."""

MULTIPLE = 64
"""Widths are multiples of this, as a head of all GPT-2s is wide."""

STEPS = (1, 2, 5)
"""Curves are of so many times a power of ten."""

FIRST = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")
"""The models whose dots have names before all others."""


class Curve(NamedTuple):
    """All shapes of one total: the depth at each width, which is no whole number but where a model can be built.

    Args:
        total: the parameters.
        name: what the curve is called.
        points: widths with their exact depths, rising with depth.
        own: whether it is the total of the model that was asked for.
    """

    total: int
    name: str
    points: tuple[tuple[int, Fraction], ...]
    own: bool = False


class Dot(NamedTuple):
    """A model in the plane."""

    name: str
    width: int
    depth: int
    total: int
    own: bool = False


class PlaneChart(Chart):
    """Depth and width, with curves of equal parameters for a model's vocabulary, positions and structure.

    Args:
        count: a GPT-2.
    """

    def __init__(self, count: ParameterCount) -> None:
        ((name, count),) = labelled((count,))
        dims = count.dims
        if not (dims.n_embd and dims.n_layer):
            raise ConfigError(f"{name} has no depth or no width: there is no curve through it")
        self.widths = min(WIDTHS[0], dims.n_embd), max(WIDTHS[1], dims.n_embd)
        self.depths = min(DEPTHS[0], dims.n_layer), max(DEPTHS[1], dims.n_layer)
        if dims.n_inner != 4 * dims.n_embd:
            raise ConfigError(
                f"{name} has n_inner {dims.n_inner:,}, and only models whose n_inner is 4 · n_embd have such curves"
            )
        self.curves = tuple(self._curves(dims, count.total))
        self.dots = tuple(self._dots(name, dims, count.total))
        marks = [Mark("models", dot.name, "total", dot.total, dot.total) for dot in self.dots]
        for curve in self.curves:
            marks += [self._shape(dims, curve, *point) for point in curve.points if self.is_told(curve, *point)]
        title = f"Depth and width of equal parameters, {name} with {full(count.total)}"
        own = "the vocabulary, the positions and the structure"
        note = f"curves have {own} of {name}: a dot whose own differ lies beside the curve of its total"
        super().__init__("iso", title, tuple(marks), (*count.notes, note))

    def is_told(self, curve: Curve, width: int, depth: Fraction) -> bool:
        """Whether the shape of a curve at a width is among the marks: at powers of two, and at all of the model's."""
        low, high = self.depths
        return low <= depth <= high and (curve.own or width & (width - 1) == 0)

    def _shape(self, dims: Dims, curve: Curve, width: int, depth: Fraction) -> Mark:
        """Return the model of whole depth that is nearest below a curve at a width."""
        whole = int(depth)
        exact = formulas.total(_shaped(dims, whole, width))
        return Mark(curve.name, f"n_embd {width}, n_layer {whole}", "total", exact, curve.total)

    def _curves(self, dims: Dims, own: int) -> Iterator[Curve]:
        """Yield a curve for each round total that crosses the plane, and for the model's own."""
        low, high = (
            formulas.total(_shaped(dims, depth, width)) for depth, width in zip(self.depths, self.widths, strict=True)
        )
        power, totals = 10 ** (len(str(low)) - 1), []
        while power <= high:
            totals += [step * power for step in STEPS if low < step * power < high]
            power *= 10
        for total in totals:
            if points := self._points(dims, total):
                yield Curve(total, tick(total), points)
        yield Curve(own, f"{short(own)}, as asked", self._points(dims, own), own=True)

    def _points(self, dims: Dims, total: int) -> tuple[tuple[int, Fraction], ...]:
        """Return the depth at each width, within the plane and one point beyond.

        Law: a total is A(d) + L·B(d), of which A and B are found by counting a model without blocks and one of one.
        """
        found = []
        width = MULTIPLE * -(-self.widths[0] // MULTIPLE)
        widths = []
        while width < self.widths[1]:
            widths.append(width)
            width += MULTIPLE << max((width // 1024).bit_length() - 1, 0)  # finer where curves bend, and at 2^n
        for width in (*widths, self.widths[1]):
            without, one = (formulas.total(_shaped(dims, depth, width)) for depth in (0, 1))
            depth = Fraction(total - without, one - without)
            if depth < self.depths[0]:
                found += [(width, depth)] if depth > 0 else []
                break
            if depth > self.depths[1]:
                found = []
            found.append((width, depth))
        return tuple(found)

    def _dots(self, name: str, dims: Dims, total: int) -> Iterator[Dot]:
        """Yield the model that was asked for, and every GPT-2 that ships with a shape of its own in the plane."""
        yield Dot(name, dims.n_embd, dims.n_layer, total, own=True)
        seen = {(dims.n_embd, dims.n_layer)}
        shipped = sorted(presets.models(), key=lambda model: model.name not in FIRST)
        for each in shipped:
            width, depth = each.dims.n_embd, each.dims.n_layer
            is_in = self.widths[0] <= width <= self.widths[1] and self.depths[0] <= depth <= self.depths[1]
            if is_in and (width, depth) not in seen:
                seen.add((width, depth))
                yield Dot(each.name, width, depth, formulas.total(each.dims))


def _shaped(dims: Dims, depth: int, width: int) -> Dims:
    """Return a model of another depth and width, whose MLP is four times as wide."""
    return dims._replace(n_layer=depth, n_embd=width, n_inner=4 * width)
