"""Pictures of where the parameters sit and of what a model costs, as figures of matplotlib and as bars in a terminal.

Each function returns a `matplotlib.figure.Figure`, which a notebook shows and `save` writes. matplotlib is a guest: it
is loaded by the first picture.

>>> import gpt2calc.plots
>>> figure = gpt2calc.plots.shares("small", "medium", "large", "xl", theme="dark", width=6)
>>> bars = figure.axes[0].patches
>>> bars[2].get_gid()
'mark:2:gpt2:mlp:56669184/124439808'
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.sources import LEFT_OUT

if TYPE_CHECKING:
    import os

    from matplotlib.figure import Figure

    from gpt2calc.costs.report import Cost
    from gpt2calc.costs.serving import Serving
    from gpt2calc.plots.chart import Chart
    from gpt2calc.sources import LeftOut, Model
    from gpt2calc.verification.report import Verification

__all__ = [
    "architecture",
    "block",
    "context",
    "flops",
    "growth",
    "iso",
    "kv",
    "layernorm",
    "memory",
    "save",
    "shares",
    "totals",
    "treemap",
    "values",
    "weights_biases",
]

WIDTH = 8.0
"""How wide a picture is, in inches, unless something else is asked for."""

NOTEBOOK_DPI = 110
"""How fine a picture is that a notebook shows."""


def shares(
    *counts: Model, grouped: bool = False, theme: str = "light", width: float = WIDTH, height: float | None = None
) -> Figure:
    """Draw which share of each model every group of components holds.

    Args:
        counts: counts, or what `gpt2calc.count` takes.
        grouped: whether each share has a bar of its own, and not a part of its model's.
        theme: light or dark.
        width: in inches.
        height: in inches; None for what the picture needs.

    Raises:
        ConfigError: matplotlib is missing, or the picture does not fit in the size.
        UnknownNameError, UnreadableInputError, NetworkError: as `gpt2calc.count`.
    """
    from gpt2calc.plots import bars

    return draw(bars.of_shares(_counted(counts), grouped=grouped), theme, width, height)


def totals(*counts: Model, theme: str = "light", width: float = WIDTH, height: float | None = None) -> Figure:
    """Draw how many parameters each model has; arguments and errors as for `shares`."""
    from gpt2calc.plots import bars

    return draw(bars.of_totals(_counted(counts)), theme, width, height)


def weights_biases(*counts: Model, theme: str = "light", width: float = WIDTH, height: float | None = None) -> Figure:
    """Draw the weights and biases of each model, both on scales of their own; arguments and errors as for `shares`."""
    from gpt2calc.plots import bars

    return draw(bars.of_weights_biases(_counted(counts)), theme, width, height)


def layernorm(*counts: Model, theme: str = "light", width: float = WIDTH, height: float | None = None) -> Figure:
    """Draw what LayerNorm holds in each model, and its share; arguments and errors as for `shares`."""
    from gpt2calc.plots import bars

    return draw(bars.of_layernorm(_counted(counts)), theme, width, height)


def growth(
    model: Model | LeftOut = LEFT_OUT,
    /,
    *,
    theme: str = "light",
    width: float = WIDTH,
    height: float | None = None,
    scale: str | None = None,
    **fields: Any,
) -> Figure:
    """Draw what every group holds as one size grows, and mark the exact sizes at which groups change places.

    Args:
        model: as for `gpt2calc.count`.
        theme: light or dark.
        width: in inches.
        height: in inches; None for what the picture needs.
        scale: linear or log; None for log where the sizes span more than 16 times the first.
        fields: fields of a config, in any spelling, one of them a `range` of sizes, as in `n_layer=range(6, 97)`.

    Raises:
        ConfigError: matplotlib is missing, not one size is a range, or the picture does not fit in the size.
        UnknownNameError, UnreadableInputError, NetworkError: as `gpt2calc.count`.
    """
    from gpt2calc.plots import curves

    return draw(curves.of_growth(model, fields, scale), theme, width, height)


def treemap(count: Model, *, theme: str = "light", width: float = WIDTH, height: float | None = None) -> Figure:
    """Draw every tensor of a model as an area, in its block; arguments and errors as for `shares`."""
    from gpt2calc.plots import areas

    return draw(areas.Treemap(*_counted((count,))), theme, width, height)


def architecture(count: Model, *, theme: str = "light", width: float = WIDTH, height: float | None = None) -> Figure:
    """Draw a model from tokens to logits, each component with its shapes, formula and count; as for `shares`."""
    from gpt2calc.plots import flows
    from gpt2calc.sources import resolve

    return draw(flows.of_source(resolve(count, {})), theme, width, height)


def block(count: Model, *, theme: str = "light", width: float = WIDTH, height: float | None = None) -> Figure:
    """Draw one block of a model, divided into groups, components, weights and biases; as for `shares`."""
    from gpt2calc.plots import blocks

    return draw(blocks.BlockChart(*_counted((count,))), theme, width, height)


def iso(count: Model, *, theme: str = "light", width: float = WIDTH, height: float | None = None) -> Figure:
    """Draw which depths and widths have equal parameters, with the models that ship; of a GPT-2, as for `shares`."""
    from gpt2calc.plots import planes

    return draw(planes.PlaneChart(*_counted((count,))), theme, width, height)


def values(
    verification: Verification, *, theme: str = "light", width: float = WIDTH, height: float | None = None
) -> Figure:
    """Draw how large the weights and biases of each component of a checkpoint are.

    Args:
        verification: what `gpt2calc.verify(target, values=True)` returned.
        theme: light or dark.
        width: in inches.
        height: in inches; None for what the picture needs.

    Raises:
        ConfigError: matplotlib is missing, the values were not read, or the picture does not fit in the size.
    """
    from gpt2calc.plots import histograms

    return draw(histograms.of_values(verification), theme, width, height)


def flops(cost: Cost | Serving, *, theme: str = "light", width: float = WIDTH, height: float | None = None) -> Figure:
    """Draw where a model's FLOPs go, by group and by component.

    Args:
        cost: what `gpt2calc.cost` or `gpt2calc.serving` returned; of a training step where it was asked for training,
            else of a forward pass.
        theme: light or dark.
        width: in inches.
        height: in inches; None for what the picture needs.

    Raises:
        ConfigError: matplotlib is missing, no product is counted, or the picture does not fit in the size.
    """
    from gpt2calc.plots import bars

    return draw(bars.of_flops(cost), theme, width, height)


def memory(cost: Cost, *, theme: str = "light", width: float = WIDTH, height: float | None = None) -> Figure:
    """Draw what training a model holds in memory, by part, and its activations by component.

    Args:
        cost: what `gpt2calc.cost(..., train=True)` returned.
        theme: light or dark.
        width: in inches.
        height: in inches; None for what the picture needs.

    Raises:
        ConfigError: matplotlib is missing, or the picture does not fit in the size.
    """
    from gpt2calc.plots import bars

    return draw(bars.of_memory(cost), theme, width, height)


def context(
    *servings: Serving,
    last: int,
    first: int = 0,
    memory: int | str | None = None,
    theme: str = "light",
    width: float = WIDTH,
    height: float | None = None,
) -> Figure:
    """Draw what serving models holds as the context grows: weights, cache and states, with a kink at each full window.

    Args:
        servings: what `gpt2calc.serving` returned, of one model each.
        last: the longest context, in tokens.
        first: the shortest.
        memory: bytes, or such as "24GB", for a line across.
        theme: light or dark.
        width: in inches.
        height: in inches; None for what the picture needs.

    Raises:
        ConfigError: matplotlib is missing, memory is no number of bytes, the contexts do not grow, there are too many
            models, or the picture does not fit in the size.
    """
    from gpt2calc.costs import fitting
    from gpt2calc.plots import serving as pictures

    size = None if memory is None else fitting.bytes_of("memory", memory)
    limit = None if size is None else (size, memory if isinstance(memory, str) else f"{size:,} bytes")
    return draw(pictures.of_context(servings, first, last, limit), theme, width, height)


def kv(serving: Serving, *, theme: str = "light", width: float = WIDTH, height: float | None = None) -> Figure:
    """Draw what each layer of a model keeps of the tokens before, in the colour of its kind.

    Args:
        serving: what `gpt2calc.serving` returned.
        theme: light or dark.
        width: in inches.
        height: in inches; None for what the picture needs.

    Raises:
        ConfigError: matplotlib is missing, nobody says how many tokens there are, there are too many layers, or the
            picture does not fit in the size.
    """
    from gpt2calc.plots import serving as pictures

    return draw(pictures.of_kv(serving), theme, width, height)


def save(figure: Figure, path: str | os.PathLike[str], *, dpi: float = 200) -> None:
    """Write a figure as PNG, SVG or PDF, by the ending of the name: the same bytes each time, and never half a file.

    Args:
        figure: what a function of this module returned.
        path: the file.
        dpi: dots per inch, of a PNG.

    Raises:
        ConfigError: the name ends otherwise.
        UnreadableInputError: the file cannot be written.
    """
    from os import fspath

    from gpt2calc.plots import saving

    path = fspath(path)
    form = saving.format_of(path)
    saving.write(saving.rendered(figure, form, dpi), path)


def draw(chart: Chart, theme: str = "light", width: float = WIDTH, height: float | None = None) -> Figure:
    """Draw a chart; the functions above make one each.

    Raises:
        ConfigError: matplotlib is missing, or the chart does not fit in the size.
        UnknownNameError: there is no such theme.
    """
    from importlib import import_module

    from gpt2calc.errors import ConfigError, install
    from gpt2calc.plots import style

    colours = style.find(theme)
    try:
        import_module("matplotlib")
    except ImportError:
        raise ConfigError(f"pictures need matplotlib: {install('plot')}") from None
    from gpt2calc.plots import drawing, saving

    figure = drawing.draw(chart, colours, width, height)
    # A notebook shows a figure of matplotlib only after %matplotlib inline, and what can draw itself at once.
    figure._repr_png_ = lambda: saving.rendered(figure, "png", NOTEBOOK_DPI)  # type: ignore[attr-defined]
    return figure


def _counted(models: tuple[Model, ...]) -> tuple[Any, ...]:
    from gpt2calc.counts import ParameterCount
    from gpt2calc.sources import resolve

    sources = (resolve(model, {}) for model in models)
    return tuple(ParameterCount(source.counted, source.name, source.notes) for source in sources)
