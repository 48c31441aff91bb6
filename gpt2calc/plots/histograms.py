"""Histograms of the values of a checkpoint: how many weights and biases of each component lie between powers of two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.errors import ConfigError
from gpt2calc.model import WEIGHT
from gpt2calc.plots.chart import Chart, Mark

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.verification.report import Verification
    from gpt2calc.verification.values import ComponentStatistics

MOST_BINS = 24
"""How many powers of two are drawn, from the largest down; what is smaller than those is one bin."""

WEIGHTS, BIASES = "weights", "biases"
ZERO, NOT_FINITE = "0", "NaN or Inf"

AXIS = "size of the values, powers of two"
"""What the bins are of."""


class HistogramChart(Chart):
    """The sizes of values, a panel for each component.

    Args:
        name: what the checkpoint is called.
        parts: the statistics of each component's weights or biases.
        notes: what a reader should know, a sentence each.
    """

    def __init__(self, name: str, parts: tuple[ComponentStatistics, ...], notes: tuple[str, ...]) -> None:
        exponents = {exponent for part in parts for exponent in part.summary.exponents}
        largest = max(exponents, default=0)
        self.lowest = max(min(exponents, default=0), largest - MOST_BINS + 1)
        powers = [power(e) for e in range(self.lowest, largest + 1)]
        less = [f"< {power(self.lowest)}"] if min(exponents, default=0) < self.lowest else []
        special = [NOT_FINITE] if any(x.summary.count > x.summary.finite for x in parts) else []
        zeros = [ZERO] if any(x.summary.zeros for x in parts) else []
        self.bins = (*zeros, *less, *powers, *special)
        several = {(part.component, part.role) for part in parts if _twice(part, parts)}
        marks = []
        for part in parts:
            series = WEIGHTS if part.role == WEIGHT else BIASES
            label = f"{series} in {part.dtype}" if (part.component, part.role) in several else series
            held = self._binned(part)
            marks += [Mark(part.component, where, label, held.get(where, 0), part.summary.count) for where in self.bins]
        super().__init__("values", f"Size of the values in {name}", tuple(marks), notes)

    def _binned(self, part: ComponentStatistics) -> dict[str, int]:
        """Return how many values lie in each bin; all of them lie in one."""
        x = part.summary
        held = {ZERO: x.zeros, NOT_FINITE: x.count - x.finite}
        for exponent, count in x.exponents.items():
            where = power(exponent) if exponent >= self.lowest else f"< {power(self.lowest)}"
            held[where] = held.get(where, 0) + count
        return held


def power(exponent: int) -> str:
    """Return a power of two as a label.

    >>> power(-4)
    '2^-4'
    """
    return f"2^{exponent}"


def _twice(part: ComponentStatistics, parts: tuple[ComponentStatistics, ...]) -> bool:
    """Whether a component's weights or biases come in several dtypes, which have statistics of their own."""
    return sum((other.component, other.role) == (part.component, part.role) for other in parts) > 1


def of_values(verification: Verification | Any) -> HistogramChart:
    """Draw how large the values of a verified checkpoint are.

    Raises:
        ConfigError: the values were not read.
    """
    values: Any = getattr(verification, "values", None)
    if values is None or not hasattr(values, "parts"):
        raise ConfigError("expected what gpt2calc.verify(target, values=True) returns, whose values were read")
    if not values.parts:
        raise ConfigError(f"{verification.checked.target}: there are no values to draw")
    passed: Mapping[str, str] = values.passed_over
    more = tuple(f"{name} is not drawn: it {why}" for name, why in passed.items())
    verdict = () if verification.matches else (verification.verdict,)
    return HistogramChart(verification.checked.target, values.parts, (*verdict, *verification.notes, *more))
