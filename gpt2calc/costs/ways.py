"""Every way people count the FLOPs of training, by name: a row for each, with a sentence and where it is found.

A way gives whole FLOPs for a run of B sequences of S tokens, and so for a token, and for as many as a model is trained
on. It must not know a machine: what a machine can do is the convention of whoever prints a utilization, in `machines`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gpt2calc import conventions
from gpt2calc.costs import flops
from gpt2calc.errors import Named
from gpt2calc.table import Ratio, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any, TypeAlias

    from gpt2calc.costs.run import Run
    from gpt2calc.dims import Dims
    from gpt2calc.table import Cell

    Counting: TypeAlias = Any
    """A way of this table, or of `general_ways`."""


class Way(NamedTuple):
    """One way of counting the FLOPs of a training step.

    Args:
        name: how it is asked for.
        sentence: what it counts.
        source: where it is found.
        value: FLOPs of a step, of dims, attention heads and a run.
        is_hardware: whether recomputation counts, as in HFU; MFU leaves it out.
        needs_heads: whether the number of attention heads changes it.
    """

    name: str
    sentence: str
    source: str
    value: Callable[[Dims, int, Run], int]
    is_hardware: bool = False
    needs_heads: bool = False


def exact(dims: Dims, _: int, run: Run) -> int:
    """Return forward and backward of every matrix product."""
    return flops.training(flops.table(dims, run), dims, run)


def causal(dims: Dims, _: int, run: Run) -> int:
    """Return the same where a token meets only those that it may attend to; see `flops.causal_total`."""
    return exact(dims, 0, run) - 3 * (flops.total(flops.table(dims, run)) - flops.causal_total(dims, run))


def _six(parameters: Callable[[Dims], int], attention: int = 0) -> Callable[[Dims, int, Run], int]:
    """Return 6·N, and so many L·d·S for attention, for each token."""

    def value(dims: Dims, _: int, run: Run) -> int:
        L, d, S = dims.n_layer, dims.n_embd, run.tokens
        return run.batch * S * (6 * parameters(dims) + attention * L * d * S)

    return value


def narayanan(dims: Dims, _: int, run: Run) -> int:
    """Evaluate 96·B·S·L·d²·(1 + S/(6·d) + V/(16·L·d)), multiplied out."""
    L, d, V, (B, S) = dims.n_layer, dims.n_embd, dims.vocab_size, run[:2]
    return 96 * B * S * L * d**2 + 16 * B * S**2 * L * d + 6 * B * S * d * V


def korthikanti_mfu(dims: Dims, _: int, run: Run) -> int:
    """Evaluate 72·B·L·S·d²·(1 + S/(6·d) + V/(12·d·L)), multiplied out."""
    L, d, V, (B, S) = dims.n_layer, dims.n_embd, dims.vocab_size, run[:2]
    return 72 * B * L * S * d**2 + 12 * B * L * S**2 * d + 6 * B * S * d * V


def korthikanti_hfu(dims: Dims, n_head: int, run: Run) -> int:
    """Evaluate the same with S/(3·d) in place of S/(6·d)."""
    again = 12 * run.batch * dims.n_layer * run.tokens**2 * dims.n_embd
    return korthikanti_mfu(dims, n_head, run) + again


def chinchilla(dims: Dims, n_head: int, run: Run) -> int:
    """Add the blocks' products and 3·h·S² for softmax, forward and backward, without embedding and logits."""
    blocks = sum(row.in_block * row.forward for row in flops.table(dims, run))
    return 3 * (blocks + 3 * n_head * dims.n_layer * run.batch * run.tokens**2)


def checkpointed(*, stops_early: int) -> Callable[[Dims, int, Run], int]:
    """Return a step whose blocks are done again, to their end or to their last tensor that is kept."""

    def value(dims: Dims, _: int, run: Run) -> int:
        return flops.training(flops.table(dims, run), dims, run, recomputes=1, stops_early=stops_early)

    return value


def flash(dims: Dims, _: int, run: Run) -> int:
    """Add QK^T once more in backward, as a fused kernel does that keeps no scores."""
    rows = flops.table(dims, run)
    return exact(dims, 0, run) + sum(row.forward for row in rows if row.component == "attn.QK^T")


WAYS = (
    Way(
        "exact",
        "every matrix product, forward and twice that backward; all S·S pairs of tokens",
        "torch, utils/flop_counter.py: FlopCounterMode",
        exact,
    ),
    Way("causal", "the same, with the S·(S + 1)/2 pairs alone that a causal mask leaves", "no kernel measured", causal),
    Way(
        "six_n",
        "6·N for each token, N every parameter once; no attention",
        "Brown et al. 2020, table D.1",
        _six(conventions.tied),
    ),
    Way(
        "six_n_without_wpe",
        "6·N, N without the position embedding",
        "karpathy/nanoGPT, model.py: get_num_params",
        _six(conventions.without_wpe),
    ),
    Way(
        "six_n_kaplan",
        "6·N, N the matrices of the blocks alone",
        "Kaplan et al. 2020, section 2.1",
        _six(conventions.kaplan),
    ),
    Way(
        "six_n_padded",
        "6·N, N with the vocabulary rounded up to a multiple of 128",
        "karpathy/llm.c, run logs",
        _six(conventions.padded_vocabulary),
    ),
    Way(
        "palm",
        "6·N + 12·L·d·S for each token, N every parameter once",
        "Chowdhery et al. 2022, appendix B; mosaicml/llm-foundry",
        _six(conventions.tied, 12),
    ),
    Way(
        "nanogpt",
        "6·N + 12·L·d·S, N without the position embedding",
        "karpathy/nanoGPT, model.py: estimate_mfu",
        _six(conventions.without_wpe, 12),
    ),
    Way(
        "llmc",
        "6·N + 6·L·d·S, N with the padded vocabulary: half the pairs",
        "karpathy/llm.c, train_gpt2.cu: gpt2_estimate_mfu",
        _six(conventions.padded_vocabulary, 6),
    ),
    Way(
        "narayanan",
        "96·B·S·L·d²·(1 + S/6d + V/16Ld): the blocks forward once more; MLP 4d wide",
        "Narayanan et al. 2021, arXiv:2104.04473, eq. 3",
        narayanan,
        is_hardware=True,
    ),
    Way(
        "korthikanti",
        "72·B·L·S·d²·(1 + S/6d + V/12dL): exact where the MLP is 4d wide",
        "Korthikanti et al. 2022, arXiv:2205.05198, eq. 7",
        korthikanti_mfu,
    ),
    Way(
        "korthikanti_hfu",
        "the same with S/3d: attention's products three times more, where recomputing is once",
        "Korthikanti et al. 2022, eq. 8",
        korthikanti_hfu,
        is_hardware=True,
    ),
    Way(
        "chinchilla",
        "the blocks' products and softmax, no embedding, no logits: a hypothesis that gives table A4",
        "Hoffmann et al. 2022, arXiv:2203.15556, table A4, by search",
        chinchilla,
        needs_heads=True,
    ),
    Way(
        "torch_checkpoint",
        "exact, and the blocks forward again up to mlp.c_proj: torch's checkpoint, no dropout",
        "torch, utils/checkpoint.py, use_reentrant=False",
        checkpointed(stops_early=1),
        is_hardware=True,
    ),
    Way(
        "full_recompute",
        "exact, and all of the blocks forward again: reentrant, or with dropout",
        "torch, utils/checkpoint.py, use_reentrant=True",
        checkpointed(stops_early=0),
        is_hardware=True,
    ),
    Way(
        "flash",
        "exact, and QK^T again in backward, as a fused kernel has it",
        "Dao et al. 2022, arXiv:2205.14135; torch's CPU kernel, measured",
        flash,
        is_hardware=True,
    ),
)
"""The table of ways, those that count what the model needs and those that count what a machine does."""

BY_NAME = Named("convention", {way.name: way for way in WAYS})

TITLE = "a training step, counted every way"


def table(
    title: str,
    steps: Sequence[tuple[Counting, int]],
    exact: int,
    columns: Mapping[str, Callable[[Counting, int], Cell]],
    *,
    sources: bool = False,
) -> Table:
    """Lay the FLOPs of a training step out, a row for each way of counting, beside the exact number.

    Args:
        title: what stands above it.
        steps: the ways, each with what it counts.
        exact: the exact number.
        columns: what else is computed of a step, under its header; where there are none, words have room.
        sources: whether words and sources are shown in any case.
    """
    says = sources or not columns
    rows = tuple(
        (
            *(way.name, step, Ratio(step, exact), *(number(way, step) for number in columns.values())),
            *((way.sentence,) if says else ()),
            *((way.source,) if sources else ()),
        )
        for way, step in steps
    )
    last = (*(("what is counted",) if says else ()), *(("source",) if sources else ()))
    return Table(title, ("convention", "FLOPs a step", "/ exact", *columns, *last), rows)
