"""Random figures, explained: how many are, and whether the chances that are printed are those there are.

`python -m tests.chances` draws 10,000 figures of each kind for each of `MODELS`, and prints what docs/explain.md
records; the tests draw fewer. The number of digits is drawn first, 3 to 12, and then the digits.
"""

from __future__ import annotations

import math
import random
import sys
from collections import Counter
from fractions import Fraction
from typing import TYPE_CHECKING, NamedTuple

import gpt2calc
from gpt2calc.explanation.readings import EXPLAINED

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpt2calc.explanation.report import Explained

MODELS = ("gpt2", "gpt2-xl", "tiny-gpt2")
FIGURES = 10_000
ENOUGH = 20
"""How many hits a bin has to expect for what is observed to say anything."""


def in_millions(number: int) -> str:
    """Print a number with its first three digits before the point, 124.439808M."""
    digits = str(number)
    return f"{digits[:3]}.{digits[3:]}M" if digits[3:] else f"{digits}M"


KINDS: dict[str, Callable[[int], str]] = {
    "counts": str,
    "parameters": lambda number: f"{number} parameters",
    "bytes": lambda number: f"{number} bytes",
    "millions": in_millions,
}
"""How a random number is printed."""


class Bin(NamedTuple):
    """Figures that are printed alike: how many of them a chance expects to be met, and how many are."""

    expected: Fraction
    observed: int

    @property
    def deviation(self) -> float:
        """By how many standard deviations of a binomial, or fewer, the two differ."""
        return float(self.observed - self.expected) / math.sqrt(self.expected)


class Drawn(NamedTuple):
    """What was found of random figures.

    Args:
        explained: how many were explained.
        bins: of figures that are printed alike, for each chance that a best reading had, those of that chance or less.
        expected: how many numbers were expected to fit by accident.
        fitting: how many did.
    """

    explained: int
    bins: list[Bin]
    expected: Fraction
    fitting: int


def draw(model: str, kind: str, figures: int, seed: int = 0) -> Drawn:
    """Draw figures, and have each explained for a model."""
    numbers = random.Random(f"{seed} {model} {kind}")
    alike: dict[tuple[int, int], list[Explained]] = {}
    for _ in range(figures):
        digits = numbers.randint(3, 12)
        text = KINDS[kind](numbers.randrange(10 ** (digits - 1), 10**digits))
        found = gpt2calc.explain(text, model).figures[0]
        alike.setdefault((len(str(found.figure.digits)), found.figure.decimals), []).append(found)
    every = [each for found in alike.values() for each in found]
    bins = []
    for same in alike.values():
        best = Counter(each.readings[0].chance for each in same if each.readings)
        for chance in best:
            met = sum(count for other, count in best.items() if other <= chance)
            bins.append(Bin(chance * len(same), met))
    return Drawn(
        sum(each.readings[0].verdict == EXPLAINED for each in every if each.readings),
        [each for each in bins if each.expected >= ENOUGH],
        sum((each.by_accident for each in every), Fraction(0)),
        sum(each.fitting for each in every),
    )


def main(figures: int) -> None:
    """Print a line for each model and kind of figure."""
    print(f"{'model':10} {'kind':10} {'explained':>10} {'bins':>5} {'furthest off':>13} {'fit':>8} {'expected':>9}")
    for model in MODELS:
        for kind in KINDS:
            drawn = draw(model, kind, figures)
            off = max((abs(each.deviation) for each in drawn.bins), default=0.0)
            share, expected = f"{drawn.explained / figures:.2%}", f"{float(drawn.expected):,.0f}"
            print(
                f"{model:10} {kind:10} {share:>10} {len(drawn.bins):5} {off:10.1f} sd {drawn.fitting:8,} {expected:>9}"
            )


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else FIGURES)
