"""What the tests of plots share: the models they draw, every kind of picture of them, and an SVG read back."""

from __future__ import annotations

import re
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from xml.etree import ElementTree as ET

import gpt2calc
from gpt2calc import plots
from gpt2calc.plots import areas, bars, blocks, curves, flows, histograms, planes, serving

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gpt2calc.counts import ParameterCount
    from gpt2calc.plots.chart import Chart

CHECKPOINT = str(Path(__file__).parent / "data" / "checkpoints" / "tensorflow" / "model.ckpt.index")
FOUR = ("small", "medium", "large", "xl")
LONG = "somebody/a-model-with-a-very-long-name-that-goes-on-and-on-until-nobody-reads-it-any-more"


def named(name: str, **fields: Any) -> ParameterCount:
    """Return a count that is called otherwise."""
    count = gpt2calc.count(**fields)
    return type(count)(count.dims, name)


def ten() -> tuple[str, ...]:
    """Return the names of ten models."""
    return tuple(model.name for model in gpt2calc.models()[:10])


MODELS: dict[str, tuple[Any, ...]] = {
    "tiny": ("tiny-gpt2",),
    "one": ("gpt2",),
    "four": FOUR,
    "175B": ("gpt3-175B",),
    "from tiny to 175B": ("tiny-gpt2", "gpt3-175B"),
    "ten": ten(),
    "long names": (named(LONG), named(LONG), named("$x_1$ & <b>"), named("名前 💥")),
    "everything": (named("everything", head="double_heads", tied=False, add_cross_attention=True), "nanogpt-no-bias"),
    "no blocks": (named("no blocks", n_layer=0),),
    "300 digits": (named("300 digits", n_layer=10**300, n_embd=10**20),),
}
"""Models that are drawn together, each with what is special about them."""


def verified() -> Any:
    """Return a checkpoint whose values were read."""
    return gpt2calc.verify(CHECKPOINT, values=True)


verified_once = cache(verified)


def counted(models: tuple[Any, ...]) -> tuple[ParameterCount, ...]:
    """Return the counts of models."""
    return tuple(map(gpt2calc.count, models))


CHARTS: dict[str, Callable[[tuple[Any, ...]], Chart]] = {
    "shares": lambda models: bars.of_shares(counted(models)),
    "grouped": lambda models: bars.of_shares(counted(models), grouped=True),
    "totals": lambda models: bars.of_totals(counted(models)),
    "weights-biases": lambda models: bars.of_weights_biases(counted(models)),
    "layernorm": lambda models: bars.of_layernorm(counted(models)),
    "growth in n_layer": lambda models: curves.of_growth(models[0], {"n_layer": range(6, 97)}),
    "growth in n_embd": lambda models: curves.of_growth(models[0], {"n_embd": range(1, 20001)}, scale="linear"),
    "treemap": lambda models: areas.Treemap(*counted(models[:1])),
    "architecture": lambda models: flows.FlowChart(gpt2calc.count(models[0])),
    "block": lambda models: blocks.BlockChart(*counted(models[:1])),
    "iso": lambda models: planes.PlaneChart(*counted(models[:1])),
    "values": lambda _: histograms.of_values(verified_once()),
    "flops": lambda models: bars.of_flops(gpt2calc.cost(models[0], checkpoint="torch", dropout=0)),
    "memory": lambda models: bars.of_memory(gpt2calc.cost(models[0], train=True, optimizer="adamw")),
    "context": lambda models: serving.of_context(
        tuple(map(gpt2calc.serving, models[:7])), 0, 1024, (10**9, "a gigabyte")
    ),
    "kv": lambda models: serving.of_kv(gpt2calc.serving(models[0])),
}
"""Every kind of chart, made of models that are drawn together."""

PICTURES = [
    (kind, name)
    for kind in CHARTS
    for name in MODELS
    if (kind != "values" or name == "one")
    and (kind not in ("context", "kv") or name in ("one", "four", "175B"))
    and (kind not in ("flops", "memory", "iso") or name in ("one", "tiny", "175B"))
    and (kind != "block" or name in ("one", "175B", "everything"))
    and (not kind.startswith(("growth", "treemap", "architecture")) or name not in ("four", "ten", "from tiny to 175B"))
]
"""Every picture that differs from the others: only bars draw more than the first model, and values draw none.

Costs are of models whose heads are known."""


def pictures(*kinds: str) -> list[tuple[str, str]]:
    """Return the pictures of some kinds."""
    return [(kind, name) for kind, name in PICTURES if kind in kinds]


class Shape(NamedTuple):
    """A path of an SVG: the id of what it draws, its corners, and the exact count that the id says."""

    gid: str
    corners: tuple[tuple[Fraction, Fraction], ...]
    part: int
    whole: int

    @property
    def box(self) -> tuple[Fraction, Fraction, Fraction, Fraction]:
        """Where it begins and ends: left, top, right, bottom."""
        across, down = zip(*self.corners, strict=True)
        return min(across), min(down), max(across), max(down)

    @property
    def size(self) -> tuple[Fraction, Fraction]:
        """Its width and height."""
        left, top, right, bottom = self.box
        return right - left, bottom - top


ROUNDED = Fraction(1, 10**6)
"""A coordinate of an SVG has six decimals, and so the distance of two of them is off by a millionth of a point."""


def svg(chart: Chart, **how: Any) -> bytes:
    """Return a chart as the bytes of an SVG."""
    from gpt2calc.plots import saving

    return saving.rendered(plots.draw(chart, **how), "svg")


@cache
def drawn(kind: str, name: str) -> tuple[Chart, bytes]:
    """Return a picture, as a chart and as the bytes of an SVG: drawn once, whatever is read back from it."""
    chart = CHARTS[kind](MODELS[name])
    return chart, svg(chart)


def elements(content: bytes) -> Iterator[ET.Element]:
    """Yield every element of an SVG."""
    yield from ET.fromstring(content).iter()


def ids(content: bytes) -> list[str]:
    """Return every id of an SVG."""
    return [element.attrib["id"] for element in elements(content) if "id" in element.attrib]


def shapes(content: bytes, prefix: str = "mark:") -> list[Shape]:
    """Read the shapes back whose ids begin so, in order."""
    found = []
    for element in elements(content):
        gid = element.attrib.get("id", "")
        if gid.startswith(prefix):
            (path,) = (part for part in element.iter() if part.tag.endswith("path"))
            numbers = [Fraction(number) for number in re.findall(r"-?[\d.]+(?:e-?\d+)?", path.attrib["d"])]
            said = re.search(r":(\d+)/(\d+)$", gid)
            part, whole = map(int, said.groups()) if said else (0, 1)
            found.append(Shape(gid, tuple(zip(numbers[::2], numbers[1::2], strict=True)), part, whole))
    return found
