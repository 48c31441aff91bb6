"""What a claim comes to in each model: the exact value, and whether what is claimed is that.

Verdicts are found here and nowhere else. It must not know how a claim is written down or shown.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.claims.files import EACH, GROWS, SAME
from gpt2calc.errors import ConfigError
from gpt2calc.figures import CUT_OFF, FALSE, ROUNDED, TRUE
from gpt2calc.table import text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from fractions import Fraction

    from gpt2calc.claims.files import Claim
    from gpt2calc.claims.quantities import Quantity, Value
    from gpt2calc.dims import Dims
    from gpt2calc.table import Cell


class Judgement(NamedTuple):
    """One claim in one model: what is claimed there, in a few words, what is exact, and the verdict.

    `decimals` is how many decimals were printed.
    """

    model: str
    claimed: str
    value: Value
    verdict: str
    decimals: int = 0

    @property
    def exact(self) -> Cell:
        """The exact value as a table shows it, in more decimals than were claimed."""
        return self.value.cell(self.decimals)


class JudgedClaim(NamedTuple):
    """One claim with its judgement in each model."""

    claim: Claim
    judgements: tuple[Judgement, ...]

    @property
    def holds(self) -> bool:
        """Whether it is false in no model."""
        return all(each.verdict != FALSE for each in self.judgements)

    @property
    def measured(self) -> str:
        """What is measured, and the quantity that it is claimed to equal."""
        other = self.claim.equals
        return f"{self.claim.quantity.text} = {other.text}" if other else self.claim.quantity.text


def judge(claim: Claim, models: Mapping[str, Dims]) -> JudgedClaim:
    """Recompute one claim in its models.

    Raises:
        ConfigError: what is asked for divides by 0 in one of them.
    """
    values = _measured(claim.quantity, claim, models)
    if claim.claimed:
        found = _figures(claim, values)
    elif claim.equals:
        found = _equality(claim, values, _measured(claim.equals, claim, models))
    elif claim.over_models:
        holds = _goes(claim.over_models, [value.exact for value in values])
        found = [
            _found(name, claim.over_models, value, holds=holds)
            for name, value in zip(claim.models, values, strict=True)
        ]
    else:
        found = [
            _found(name, claim.over_blocks, value, holds=_depends(claim.over_blocks, claim.quantity, models[name]))
            for name, value in zip(claim.models, values, strict=True)
        ]
    return JudgedClaim(claim, tuple(found))


def _measured(quantity: Quantity, claim: Claim, models: Mapping[str, Dims]) -> list[Value]:
    found = []
    for name in claim.models:
        try:
            found.append(quantity.of(models[name]))
        except ConfigError as error:
            raise ConfigError(f"{name}: {error}") from None
    return found


def _found(model: str, claimed: str, value: Value, *, holds: bool) -> Judgement:
    return Judgement(model, claimed, value, TRUE if holds else FALSE)


def _figures(claim: Claim, values: Sequence[Value]) -> list[Judgement]:
    """Judge the printed figures of a claim.

    Law: where a figure is both the rounded and the cut off number, as 28 is of 28.4, it is said to be made as the
    others of its claim are: rounded if all can be, else cut off if all can be, else rounded.
    """
    claimed = [claim.claimed[name] for name in claim.models]
    readings = [each.readings(value.exact) for each, value in zip(claimed, values, strict=True)]
    inexact = [found for found in readings if found and found != (TRUE,)]
    common = next((rule for rule in (ROUNDED, CUT_OFF) if all(rule in found for found in inexact)), ROUNDED)
    verdicts = [common if common in found else found[0] if found else FALSE for found in readings]
    return [
        Judgement(name, each.text, value, verdict, max(figure.decimals for figure in each.figures))
        for name, each, value, verdict in zip(claim.models, claimed, values, verdicts, strict=True)
    ]


def _equality(claim: Claim, values: Sequence[Value], others: Sequence[Value]) -> list[Judgement]:
    """Judge whether two quantities are the same number."""
    return [
        _found(name, f"equals {text(other.cell())}", value, holds=value.exact == other.exact)
        for name, value, other in zip(claim.models, values, others, strict=True)
    ]


def _goes(how: str, values: Sequence[Fraction]) -> bool:
    """Whether numbers stay the same, or grow or fall at each step, from the first model to the last."""
    steps = list(pairwise(values))
    if how == SAME:
        return all(before == after for before, after in steps)
    return all(before < after if how == GROWS else before > after for before, after in steps)


def _depends(how: str, quantity: Quantity, dims: Dims) -> bool:
    """Whether a quantity is n_layer times what one block has, or does not depend on n_layer, all else as in the model.

    Law: a count is a + b·L, a quotient one such over another. So what holds for one, two and three blocks holds for
    any number: the difference of the two sides is a polynomial in L of degree 2 at most, and would have three roots.
    A count in bytes that are rounded up is no such polynomial; the model's own n_layer is tried as well.
    """
    one = quantity.of(dims._replace(n_layer=1)).exact
    layers = {2, 3, dims.n_layer}
    return all(quantity.of(dims._replace(n_layer=n)).exact == (n * one if how == EACH else one) for n in layers)
