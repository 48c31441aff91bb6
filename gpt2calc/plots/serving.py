"""What serving holds, as pictures: memory over the context, curves of several models, and what each layer keeps."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.dims import Dims
from gpt2calc.errors import ConfigError
from gpt2calc.plots.bars import BYTES, BarChart, Panel
from gpt2calc.plots.chart import Chart, Crossing, Mark
from gpt2calc.table import rounded, sequences

if TYPE_CHECKING:
    from gpt2calc.costs.serving import Serving

CONTEXT = "context"

MOST_LAYERS = 200
"""How many layers are drawn at most, a bar each."""

STEPS = 32
"""At how many lengths a curve is told besides those at which it bends."""

COLOURS = ("attention", "mlp", "embedding", "cross_attention", "head", "ssm", "experts")
"""The groups whose colours the curves have, in turn; there are no more curves than these."""

KINDS = {"recurrence": "ssm", "convolution": "mlp", "sliding attention": "embedding", "latent attention": "head"}
"""The groups whose colours kinds of layers have; attention to everything has its own."""


class ContextChart(Chart):
    """What serving models holds, weights and cache and states, as the context grows.

    Args:
        curves: each model's name, and its bytes at lengths in order: straight from one to the next.
        limit: bytes of a memory, and what it is of; None for none.
        settings: the batch and the dtypes, in words.
        crossings: where a curve passes the memory.
        notes: what a reader should know, a sentence each.
    """

    def __init__(
        self,
        curves: dict[str, dict[int, int]],
        limit: tuple[int, str] | None,
        settings: str,
        crossings: tuple[Crossing, ...],
        notes: tuple[str, ...],
    ) -> None:
        self.curves, self.limit, self.crossings = curves, limit, crossings
        self.most = max(limit[0] if limit else 0, *(size for curve in curves.values() for size in curve.values()))
        whole = limit[0] if limit else self.most
        marks = (Mark("", f"{n}", name, size, whole) for name, curve in curves.items() for n, size in curve.items())
        lengths = next(iter(curves.values()))
        title = f"Memory from {min(lengths):,} to {max(lengths):,} tokens of context, {settings}"
        super().__init__("memory", title, tuple(marks), notes)
        self.colours = dict(zip(curves, COLOURS, strict=False))

    def bars(self, most: int) -> BarChart:
        """Return the same as bars, a panel a model, at so many lengths at most, for what draws no curves."""
        panels = []
        for name, curve in self.curves.items():
            lengths = list(curve)
            last = len(lengths) - 1
            chosen = dict.fromkeys(lengths[last * n // (most - 1)] for n in range(most)) if last >= most else lengths
            marks = tuple(Mark(name, f"{n:,}", name, curve[n], self.most) for n in chosen)
            panels.append((Panel(name, BYTES, CONTEXT), marks))
        return BarChart(self.kind, self.title, panels, notes=self.notes)


def of_context(
    servings: tuple[Serving, ...], first: int, last: int, limit: tuple[int, str] | None = None
) -> ContextChart:
    """Draw what serving models holds from a context to a longer one, beside a memory.

    Law: the bytes are linear in the tokens but where a window is full, so that these lengths and both ends are a curve.

    Args:
        servings: the models.
        first: the shortest context.
        last: the longest.
        limit: bytes of a memory, and what it is of.

    Raises:
        ConfigError: there are too many models, or the contexts are not two.
    """
    from gpt2calc.costs.fitting import largest  # which a chart of another kind does without

    if not 0 < len(servings) <= len(COLOURS):
        raise ConfigError(f"memory over the context draws 1 to {len(COLOURS)} models, got {len(servings)}")
    if not 0 <= first < last:
        raise ConfigError(f"the context must grow, from 0 or more, such as 0:131072, got {first:,} to {last:,}")
    curves: dict[str, dict[int, int]] = {}
    crossings = []
    for serving in servings:
        name = serving.name if serving.name not in curves else f"{serving.name} ({len(curves) + 1})"
        windows = {row.window for row in serving.rows if row.window is not None}
        bends = {n for window in windows for n in (window - 1, window) if first < n < last}
        even = (first + (last - first) * n // STEPS for n in range(STEPS + 1))
        weights = serving.weights
        curves[name] = {n: weights + serving.bytes_at(n) for n in sorted({*even, *bends})}
        if limit is not None:
            fitting = largest(lambda n, s=serving, w=weights: w + s.bytes_at(n) <= limit[0], first, last)  # type: ignore[misc]
            if fitting is not None and fitting < last:
                crossings.append(Crossing(CONTEXT, fitting + 1, name, limit[1]))
    notes = tuple(
        dict.fromkeys(f"{each.name}: {note}" for each in servings for note in (*each.notes, *_over(each, last)))
    )
    one = servings[0]
    same = all(each.kv_dtype == one.kv_dtype for each in servings)
    settings = f"{one.batch:,} sequence{'s' * (one.batch > 1)}" + (f", cache {one.kv_dtype}" if same else "")
    return ContextChart(curves, limit, settings, tuple(crossings), notes)


def _over(serving: Serving, last: int) -> tuple[str, ...]:
    """Return a note where contexts are longer than a model takes.

    Raises:
        ConfigError: it has learned its positions, and has none for them.
    """
    if serving.tokens is None or last <= serving.tokens:
        return ()
    said = f"{last:,} tokens are more than the {serving.tokens:,} that it takes"
    if isinstance(serving.model, Dims):
        raise ConfigError(f"{serving.name}: {said}", field="seq", got=last)
    return (said,)


class KeptChart(BarChart):
    """What each layer keeps, in bars whose colour is the kind of the layer."""

    @property
    def colours(self) -> dict[str, str]:
        """The group whose colour each series has."""
        return {name: KINDS.get(name.partition(" and ")[0], "attention") for name in self.series}


def of_kv(serving: Serving) -> KeptChart:
    """Draw what the layers of a model keep of a context: each kind of layer, and every layer in its place.

    Raises:
        ConfigError: there are too many layers, nothing is kept, or nobody says how many tokens there are.
    """
    if serving.tokens is None:
        problem = "the config does not say how long a sequence can be: say how many tokens it has, seq or --context"
        raise ConfigError(f"{serving.name}: {problem}", field="seq")
    layers = serving.by_layer(serving.tokens)
    if len(layers) > MOST_LAYERS:
        raise ConfigError(f"{serving.name} has {len(layers):,} layers, at most {MOST_LAYERS} are drawn")
    whole = sum(size for _, size in layers)
    if not whole:
        raise ConfigError(f"{serving.name} keeps nothing of {serving.tokens:,} tokens: there is nothing to draw")
    kinds: dict[str, int] = {}
    for row, size in layers:
        kinds[row.kind] = kinds.get(row.kind, 0) + size
    numbers = {kind: sum(row.kind == kind for row, _ in layers) for kind in kinds}
    by_kind, by_layer = "by kind of layer", "by layer"
    first = tuple(Mark(by_kind, f"{numbers[kind]} × {kind}", kind, size, whole) for kind, size in kinds.items())
    each = tuple(Mark(by_layer, f"{n} {row.kind}", row.kind, size, whole) for n, (row, size) in enumerate(layers))
    of = f"{sequences(serving.batch, serving.tokens or 0)}, {serving.kv_dtype}, {serving.convention}"
    panels = [(Panel(by_kind, BYTES, by_kind, shares=True), first), (Panel(by_layer, BYTES, by_layer), each)]
    return KeptChart("kv", f"{serving.name}, what its layers keep of {of}", panels, notes=serving.notes)


def in_gb(size: int) -> str:
    """Return bytes in GB of 10⁹, in three digits or so.

    >>> in_gb(16060522496), in_gb(141000000000), in_gb(1500000000), in_gb(0)
    ('16.1 GB', '141 GB', '1.50 GB', '0')
    """
    if not size:
        return "0"
    digits = 0 if size >= 10**11 else 1 if size >= 10**10 else 2
    return f"{rounded(size, 10**9, digits)} GB"
