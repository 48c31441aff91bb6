"""The family's proportions: n_embd / n_layer of the GPT-2 and GPT-3 models that ship, near a size.

Law: the median of the three members whose count is nearest to the target, by ratio. It follows what was published,
from 64 at 125M over 42.67 at 350M to 128 from 6.7B on, and needs no fit.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc import presets

if TYPE_CHECKING:
    from gpt2calc.conventions import Convention
    from gpt2calc.dims import Dims

MEMBERS = (
    *("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"),
    *("gpt3-125M", "gpt3-350M", "gpt3-760M", "gpt3-1.3B", "gpt3-2.7B", "gpt3-6.7B", "gpt3-13B", "gpt3-175B"),
)
NEAREST = 3


class Family(NamedTuple):
    """The proportions that shapes are held against: the aspect, and the members that it is the median of."""

    aspect: Fraction
    members: tuple[tuple[str, Fraction], ...]

    def factor(self, n_layer: int, n_embd: int) -> Fraction:
        """Return how many times as wide, or as narrow, as the family a shape is; 1 or more.

        >>> Family(Fraction(64), ()).factor(12, 384), Family(Fraction(64), ()).factor(12, 1536)
        (Fraction(2, 1), Fraction(2, 1))
        """
        quotient = Fraction(n_embd, n_layer) / self.aspect
        return max(quotient, 1 / quotient)


@cache
def _members() -> tuple[tuple[str, Dims], ...]:
    return tuple((name, presets.load(name).dims) for name in MEMBERS)


def near(target: int, convention: Convention) -> Family:
    """Return the family's proportions near a target.

    Args:
        target: a count, 1 or more.
        convention: how the target is counted, and so how the members are.

    >>> from gpt2calc.designs import measures
    >>> family = near(350_000_000, measures.find("total"))
    >>> family.aspect, [name for name, _ in family.members]
    (Fraction(128, 3), ['gpt2-medium', 'gpt3-350M', 'gpt3-760M'])
    """
    found = []
    for place, (name, dims) in enumerate(_members()):
        quotient = Fraction(convention.value(dims), target)
        found.append((max(quotient, 1 / quotient), place, name, Fraction(dims.n_embd, dims.n_layer)))
    members = tuple((name, aspect) for _, _, name, aspect in sorted(found)[:NEAREST])
    return Family(sorted(aspect for _, aspect in members)[NEAREST // 2], members)
