"""Which constraints clash where no shape keeps all: each pair is tried, then three at a time, and so on.

A clash is the smallest set of constraints that no shape keeps, so that each of them is needed for it.
"""

from __future__ import annotations

from itertools import chain, combinations, islice
from typing import TYPE_CHECKING

from gpt2calc.errors import ConfigError, shortened
from gpt2calc.table import rounded

if TYPE_CHECKING:
    from collections.abc import Collection

    from gpt2calc.designs.bounds import Bounds

MOST_TRIED_WIDTHS = 20_000
"""How many widths are looked at before a set of constraints passes for one that some shape keeps."""


def clash(bounds: Bounds) -> tuple[str, ...]:
    """Return the names of the constraints which clash: a smallest set of them that no shape keeps."""
    present = [name for name, value in bounds._asdict().items() if value is not None]
    sets = chain.from_iterable(combinations(present, size) for size in range(1, len(present) + 1))
    return next((names for names in sets if _empty(bounds, names)), tuple(present))


def explain(bounds: Bounds, given: Collection[str]) -> ConfigError:
    """Return the error that names the constraints which clash.

    Args:
        bounds: constraints that no shape keeps.
        given: the names of those that the user gave; the others are said to be defaults.
    """
    names = clash(bounds)
    told = [f"{name} {shortened(bounds.text(name))}" + ("" if name in given else " (the default)") for name in names]
    words = f"{', '.join(told[:-1])} and {told[-1]}" if len(told) > 1 else told[0]
    reason = _reason(bounds, names)
    return ConfigError(f"no shape has {words}" + (f": {reason}" if reason else ""), field=names[0])


def _empty(bounds: Bounds, names: tuple[str, ...]) -> bool:
    """Whether no shape keeps the constraints of these names, all others taken away."""
    alone = bounds._replace(**{name: None for name in bounds._fields if name not in names})
    low, high = alone.limits()
    if high is None:  # widths of any size are left, among them a multiple of whatever is needed
        return not alone._replace(inner_ratio=None).inners(low)
    tried = 0
    for n_embd in islice(alone.candidates(), MOST_TRIED_WIDTHS):
        tried += 1
        if alone.sides(n_embd):
            return False
    return tried < MOST_TRIED_WIDTHS


def _reason(bounds: Bounds, clashing: Collection[str]) -> str:
    """Say in numbers why some constraints clash, where that is easily said."""
    names = set(clashing)
    if names == {"n_layer", "n_embd", "aspect"} and bounds.n_layer and bounds.n_embd:
        depths, widths = bounds.n_layer.values, bounds.n_embd.values
        low, high = rounded(widths[0], depths[-1], 2), rounded(widths[-1], depths[0], 2)
        return f"n_embd / n_layer would be {low}" + (f" to {high}" if low != high else "")
    if "n_head" in names:
        return "n_embd is n_head times head_size" if "head_size" in names else "n_head divides n_embd"
    if names & {"n_inner", "inner_ratio", "inner_multiple"}:
        return "n_inner is inner_ratio times n_embd" if "inner_ratio" in names else "n_inner is a multiple of it"
    if names & {"head_size", "embd_multiple"}:
        alone = bounds._replace(**{name: None for name in bounds._fields if name not in names})
        return f"n_embd would be a multiple of {' or '.join(f'{step:,}' for step in alone.steps())}"
    return ""
