"""From a chart to a figure of matplotlib: each kind of chart has a file that draws it."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from gpt2calc.errors import ConfigError
from gpt2calc.plots import (
    area_drawing,
    bar_drawing,
    block_drawing,
    context_drawing,
    curve_drawing,
    flow_drawing,
    histogram_drawing,
    plane_drawing,
)
from gpt2calc.plots.areas import Treemap
from gpt2calc.plots.bars import BarChart
from gpt2calc.plots.blocks import BlockChart
from gpt2calc.plots.canvas import HEIGHTS, WIDTHS, style
from gpt2calc.plots.curves import GrowthChart
from gpt2calc.plots.flows import FlowChart
from gpt2calc.plots.histograms import HistogramChart
from gpt2calc.plots.planes import PlaneChart
from gpt2calc.plots.serving import ContextChart, KeptChart

if TYPE_CHECKING:
    from collections.abc import Callable

    from matplotlib.figure import Figure

    from gpt2calc.plots.chart import Chart
    from gpt2calc.plots.style import Theme


DRAWN: tuple[tuple[type[Chart], Callable[..., Figure]], ...] = (
    (ContextChart, context_drawing.draw),
    (BarChart, bar_drawing.draw),
    (GrowthChart, curve_drawing.draw),
    (Treemap, area_drawing.draw),
    (FlowChart, flow_drawing.draw),
    (BlockChart, block_drawing.draw),
    (PlaneChart, plane_drawing.draw),
    (HistogramChart, histogram_drawing.draw),
)
"""What draws each kind of chart."""


def draw(chart: Chart, theme: Theme, width: float, height: float | None) -> Figure:
    """Draw a chart.

    Args:
        chart: what is drawn.
        theme: in which colours.
        width: in inches.
        height: in inches; None for what it needs.

    Raises:
        ConfigError: it does not fit in the size.
    """
    _check("width", width, WIDTHS)
    if height is not None:
        _check("height", height, HEIGHTS)
    if isinstance(chart, KeptChart):  # whose series are kinds of layers, in the colours of groups
        own = {name: theme.series[group] for name, group in chart.colours.items()}
        theme = theme._replace(series={**theme.series, **own})
    for kind, drawn in DRAWN:
        if isinstance(chart, kind):
            with style():
                return drawn(chart, theme, width, height)
    raise TypeError(chart)


def _check(name: str, value: float, bounds: tuple[float, float]) -> None:
    least, most = bounds
    if not isfinite(value) or not least <= value <= most:
        raise ConfigError(f"{name} must be {least:g} to {most:g} inches, got {value:g}", field=name, got=value)
