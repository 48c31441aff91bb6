"""One block in its parts, and the plane of depth and width: both exact, in the chart and read back from the picture."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest

import gpt2calc
from gpt2calc.errors import ConfigError
from gpt2calc.plots import blocks, planes, terminal
from tests import plots


@pytest.mark.parametrize("name", ["gpt2", "DeepSeek-V3", "Jamba-v0.1", "pythia-12b"])
def test_a_block_is_its_weights_and_biases(name: str) -> None:
    """At every level the parts of a block are the block, without a gap, and as many blocks as the model has kinds."""
    count = gpt2calc.count(name)
    chart = blocks.BlockChart(count)
    assert [block.size for block in chart.blocks] == [kind.each for kind in count.layers]
    for block in chart.blocks:
        for level in block.levels:
            done = 0
            for part in level:
                assert part.start == done
                done += part.size
            assert done == block.size


def test_the_last_column_of_a_block_is_to_scale() -> None:
    """Each weight and bias is as high as its share, read back from the SVG."""
    chart = blocks.BlockChart(gpt2calc.count("gpt2"))
    found = plots.shapes(plots.svg(chart))
    high = sum(shape.size[1] for shape in found)
    assert len(found) == len(chart.marks) == 12
    for shape in found:
        assert abs(shape.size[1] - high * Fraction(shape.part, shape.whole)) < Fraction(1, 10**4)


def test_a_model_without_blocks_has_no_block_to_draw() -> None:
    """One sentence; one of no layers still says what a layer would hold."""
    assert blocks.BlockChart(gpt2calc.count("gpt2", n_layer=0)).blocks[0].size == 7_087_872


def test_a_curve_goes_through_the_shapes_of_its_total() -> None:
    """gpt2's own curve passes 12 blocks at 768, exactly; each curve falls, and counting at its depths gives it."""
    chart = planes.PlaneChart(gpt2calc.count("gpt2"))
    (own,) = [curve for curve in chart.curves if curve.own]
    assert dict(own.points)[768] == 12
    for curve in chart.curves:
        depths = [depth for _, depth in curve.points]
        assert depths == sorted(depths, reverse=True)
        for width, depth in curve.points[:: max(len(curve.points) // 3, 1)]:
            low, high = (gpt2calc.count("gpt2", n_embd=width, n_layer=int(depth) + n).total for n in (0, 1))
            assert low <= curve.total < high
            assert low + (high - low) * (depth - int(depth)) == curve.total


def test_the_dots_are_the_models_that_ship() -> None:
    """Each with its own shape and total, the model that was asked for first; no two in one place."""
    chart = planes.PlaneChart(gpt2calc.count("gpt2-xl"))
    assert chart.dots[0].name == "gpt2-xl"
    assert {"gpt2", "gpt2-medium", "gpt2-large", "gpt3-175B"} <= {dot.name for dot in chart.dots}
    assert len({(dot.width, dot.depth) for dot in chart.dots}) == len(chart.dots)
    for dot in chart.dots:
        assert gpt2calc.count(dot.name).total == dot.total


@pytest.mark.parametrize(
    ("fields", "said"),
    [({"n_layer": 0}, r"has no depth or no width"), ({"n_inner": 1000}, r"n_inner 1,000, and only models whose")],
)
def test_a_plane_that_cannot_be_is_told(fields: dict[str, Any], said: str) -> None:
    """Without depth there is no curve, and an MLP of a fixed width does not grow with the model."""
    with pytest.raises(ConfigError, match=said):
        planes.PlaneChart(gpt2calc.count("gpt2", **fields))
    with pytest.raises(ConfigError):
        planes.PlaneChart(gpt2calc.count("Llama-3.1-8B"))


def test_a_terminal_shows_the_depths_of_equal_parameters() -> None:
    """The model's own total is the first column, and its depth at its width is among the rows where that is a power."""
    shown = terminal.write(planes.PlaneChart(gpt2calc.count("gpt2-medium")), width=100).splitlines()
    (row,) = [line for line in shown if line.startswith(" 1,024")]
    assert row.split()[1] == "24"
