"""Ways of counting the FLOPs of training a model of any architecture, by name, as `ways` has those of a GPT-2."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.architectures import caches
from gpt2calc.costs import products
from gpt2calc.errors import Named
from gpt2calc.general_conventions import Way as Parameters
from gpt2calc.model import OUTPUT_HEAD, POSITION_EMBEDDING, TOKEN_EMBEDDING

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gpt2calc.costs.run import Run
    from gpt2calc.model import Model


class Asked(NamedTuple):
    """What a way is told: a model, the config that it was read from, and what passes."""

    model: Model
    document: Mapping[str, Any]
    run: Run


class Way(NamedTuple):
    """One way of counting.

    Args:
        name: how it is asked for.
        sentence: what it counts.
        source: where it is found.
        value: FLOPs of a step; None where the model makes no sense of it, or does not say what it needs.
    """

    name: str
    sentence: str
    source: str
    value: Callable[[Asked], int | None]


def exact(asked: Asked) -> int:
    """Return forward and backward of every product."""
    return products.training(products.table(*asked))


def causal(asked: Asked) -> int:
    """Return the same, of the pairs of tokens alone that masks leave: windows, chunks and what came before."""
    return products.training(products.table(*asked, counted=products.CAUSAL))


ACTIVE = Parameters(active=1)
MATRICES = Parameters(without=(TOKEN_EMBEDDING, POSITION_EMBEDDING, OUTPUT_HEAD), active=1)


def _six(parameters: Parameters, attention: int = 0) -> Callable[[Asked], int | None]:
    """Return 6·N for each token, and so many FLOPs for each pair of tokens and multiplication of attention."""

    def value(asked: Asked) -> int | None:
        model, run = asked.model, asked.run
        if parameters.active and model.architecture.model_type in products.CHOSEN:  # a number for each layer
            return None
        kept = caches.alike(model, asked.document) if attention else ()
        pair = sum(row.layers * (row.scores + row.context) for row in kept)
        return run.batch * run.tokens * (6 * parameters(model) + attention * run.tokens * pair)

    return value


def of_all(asked: Asked) -> int | None:
    """Return 6·N of every parameter, where not every token passes all of them."""
    model = asked.model
    chooses = any(row.used not in (None, row.times) and model.count(row.layers) for row in model.components())
    return SIX_ALL(asked) if chooses else None


SIX_ALL = _six(Parameters())

WAYS = (
    Way(
        "exact",
        "every matrix product, forward and twice that backward; all pairs of tokens",
        "torch, utils/flop_counter.py: FlopCounterMode",
        exact,
    ),
    Way(
        "causal",
        "the same, with those pairs alone that causal masks, windows and chunks leave",
        "no kernel measured",
        causal,
    ),
    Way(
        "six_n",
        "6·N for each token, N what one token passes: all parameters, of experts those chosen",
        "Brown et al. 2020, table D.1",
        _six(ACTIVE),
    ),
    Way(
        "six_n_without_embeddings",
        "6·N, N the same without the embeddings and the output head",
        "Kaplan et al. 2020, section 2.1",
        _six(MATRICES),
    ),
    Way(
        "six_n_all",
        "6·N, N every parameter, those of experts not chosen among them",
        "none: what a dense model's 6·N gives of a mixture",
        of_all,
    ),
    Way(
        "palm",
        "6·N + 12·H·Q·T a layer for each token, N what one token passes: windows are none",
        "Chowdhery et al. 2022, appendix B",
        _six(ACTIVE, 6),
    ),
)
"""The table of ways."""

BY_NAME = Named("convention", {way.name: way for way in WAYS})
