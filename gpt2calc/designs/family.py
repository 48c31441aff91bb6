"""The family's proportions: n_embd / n_layer of its models that ship, near a size.

Law: the median of the three members whose count is nearest to the target, by ratio; of fewer than three members the
nearest alone. It follows what was published, in a GPT-2 from 64 at 125M over 42.67 at 350M to 128 from 6.7B on, and
needs no fit. The members of another family are the presets of its model type.
"""

from __future__ import annotations

from fractions import Fraction
from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import presets

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpt2calc.conventions import Convention
    from gpt2calc.dims import Dims
    from gpt2calc.model import Model

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


class Member(NamedTuple):
    """A model of a family: what is counted of it, and its proportions."""

    name: str
    counted: Dims | Model
    aspect: Fraction


@cache
def gpts() -> tuple[Member, ...]:
    """Return the sizes of GPT-2 and GPT-3."""
    known = ((name, presets.load(name).dims) for name in MEMBERS)
    return tuple(Member(name, dims, Fraction(dims.n_embd, dims.n_layer)) for name, dims in known)


@cache
def others(model_type: str) -> tuple[Member, ...]:
    """Return the models that ship of a model type that is not GPT-2's.

    >>> [member.name for member in others("gpt_oss")]
    ['gpt-oss-120b', 'gpt-oss-20b']
    """
    known: list[tuple[str, Any]] = [(each.name, each.counted) for each in presets.others(model_type)]
    return tuple(Member(name, model, Fraction(model.hidden_size, model.num_hidden_layers)) for name, model in known)


def ranked(target: int, convention: Convention, members: Sequence[Member]) -> list[Member]:
    """Return members by how near they are to a target in size, by ratio, the nearest first."""

    def distance(member: Member) -> Fraction:
        quotient = Fraction(convention.value(member.counted), target)
        return max(quotient, 1 / quotient) if quotient else Fraction(target)

    return sorted(members, key=distance)


def near(target: int, convention: Convention, members: Sequence[Member]) -> Family:
    """Return the family's proportions near a target.

    Args:
        target: a count, 1 or more.
        convention: how the target is counted, and so how the members are.
        members: those of the family, at least one.

    >>> from gpt2calc.designs import measures
    >>> family = near(350_000_000, measures.find("total"), gpts())
    >>> family.aspect, [name for name, _ in family.members]
    (Fraction(128, 3), ['gpt2-medium', 'gpt3-350M', 'gpt3-760M'])
    """
    nearest = ranked(target, convention, members)[: NEAREST if len(members) >= NEAREST else 1]
    aspects = sorted(member.aspect for member in nearest)
    return Family(aspects[len(aspects) // 2], tuple((member.name, member.aspect) for member in nearest))
