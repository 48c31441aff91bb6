"""The matrix products of a GPT-2: a row for each component, with how often which matrix meets how many vectors.

FLOPs are those of matrix products alone, 2·a·k·c for [a, k]·[k, c], as torch's FlopCounterMode counts them; additions
of biases, norms, activations and softmax are none. Rows only multiply and add. It must not know a parameter: that the
products with matrices are those of the tensors is proved in tests/costs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gpt2calc.costs.run import Run
    from gpt2calc.dims import Dims


class Product(NamedTuple):
    """A product of matrices, [rows, inner] · [inner, columns], that occurs `times` times in a forward pass.

    Args:
        component: the component that does it, with `.QK^T` or `.A·V` where no parameter takes part.
        group: the group of that component.
        times: how often, over all blocks and sequences; 0 where the model does not have it.
        rows: tokens, for a product with a weight.
        inner: what is summed over.
        columns: outputs of each row.
        gradients: of how many of its two factors backward needs the gradient: 2, or 1 where one is an input.
        in_block: whether it stands in a block, and so is done again where blocks are checkpointed.
        has_weight: whether one factor is a parameter.
    """

    component: str
    group: str
    times: int
    rows: int
    inner: int
    columns: int
    gradients: int = 2
    in_block: int = 1
    has_weight: bool = True

    @property
    def forward(self) -> int:
        """FLOPs of the forward pass: two for each number that meets another, a multiplication and an addition."""
        return 2 * self.times * self.rows * self.inner * self.columns

    @property
    def backward(self) -> int:
        """FLOPs of the backward pass: as many as forward for each factor whose gradient is needed."""
        return self.gradients * self.forward


def table(dims: Dims, run: Run) -> tuple[Product, ...]:
    """Return every product that a GPT-2 can do, in the order of the forward pass, absent ones with `times` 0.

    Law: a linear layer with a matrix [i, o] that n tokens pass does 2·n·i·o FLOPs; queries meet keys, and scores
    values, in 2·B·S·K·d each, K = S + past, all of them: no kernel here skips what a causal mask hides. The embeddings
    are gathered, which is no product. lm_head is a product whether it is tied or not.

    Args:
        dims: sizes and flags as Python ints, numpy int64 arrays, symbols or letters.
        run: what passes, the same way.

    Returns:
        The rows; FLOPs are for the whole batch.

    Source: transformers 5.23, modeling_gpt2.py; counted by torch's FlopCounterMode in tests/costs.

    >>> from gpt2calc.presets import load
    >>> from gpt2calc.costs.run import Run
    >>> total(table(load("gpt2").dims, Run(1, 1024, 0, 1024)))
    291648307200
    """
    L, d, m, V, k = dims.n_layer, dims.n_embd, dims.n_inner, dims.vocab_size, dims.num_labels
    B, S, K, E = run.batch, run.tokens, run.keys, run.source
    cross, n = L * dims.add_cross_attention, B * S
    s = dims.summary_proj_to_labels * k + (1 - dims.summary_proj_to_labels) * d  # as `architectures.gpt2` has it
    summarised = dims.multiple_choice_head * dims.summary_use_proj

    def head(name: str, there: int, rows: int, columns: int) -> Product:
        return Product(name, "head", there, rows, d, columns, in_block=0)

    return (
        Product("attn.c_attn", "attention", L, n, d, 3 * d),
        # d is h heads of d/h each: the heads' own products are as many together, however many there are.
        Product("attn.QK^T", "attention", L * B, S, d, K, has_weight=False),
        Product("attn.A·V", "attention", L * B, S, K, d, has_weight=False),
        Product("attn.c_proj", "attention", L, n, d, d),
        # The encoder's output is an input, and needs no gradient.
        Product("crossattention.c_attn", "cross_attention", cross, B * E, d, 2 * d, gradients=1),
        Product("crossattention.q_attn", "cross_attention", cross, n, d, d),
        Product("crossattention.QK^T", "cross_attention", cross * B, S, d, E, has_weight=False),
        Product("crossattention.A·V", "cross_attention", cross * B, S, E, d, has_weight=False),
        Product("crossattention.c_proj", "cross_attention", cross, n, d, d),
        Product("mlp.c_fc", "mlp", L, n, d, m),
        Product("mlp.c_proj", "mlp", L, n, m, d),
        head("lm_head", dims.lm_head, B * run.logits, V),
        head("multiple_choice_head.summary", summarised, B, s),  # one vector a sequence
        head("score", dims.score, n, k),  # it reads every token, and picks one of a sequence
        head("classifier", dims.classifier, n, k),
        head("qa_outputs", dims.qa_outputs, n, 2),
    )


def total(products: Iterable[Product]) -> int:
    """Return the FLOPs of the forward pass."""
    return sum(row.forward for row in products)


def training(products: Iterable[Product], dims: Dims, run: Run, *, recomputes: int = 0, stops_early: int = 0) -> int:
    """Return the FLOPs of a training step: forward, backward, and what checkpointing does again.

    Law: forward + backward + the blocks' forward where they are checkpointed; torch's own checkpoint stops where the
    last tensor that backward needs is there, which without dropout is before the block's last product, mlp.c_proj.
    With dropout behind it, whose noise is kept, it is not: then nothing is spared.

    Args:
        products: the table.
        dims: as for the table.
        run: as for the table.
        recomputes: 1 where blocks are checkpointed.
        stops_early: 1 where the checkpoint is torch's and not reentrant, and there is no dropout.

    Source: torch, utils/checkpoint.py (early stop); counted by FlopCounterMode in tests/costs.

    >>> from gpt2calc.presets import load
    >>> from gpt2calc.costs.run import Run
    >>> dims, run = load("gpt2-medium").dims, Run(1, 128, 0, 128)
    >>> training(table(dims, run), dims, run, recomputes=1, stops_early=1)
    329434005504
    """
    rows = tuple(products)
    again = recomputes * sum(row.in_block * row.forward for row in rows)
    last = 2 * dims.n_layer * run.batch * run.tokens * dims.n_inner * dims.n_embd
    return sum(row.forward + row.backward for row in rows) + again - recomputes * stops_early * last


def causal_total(dims: Dims, run: Run) -> int:
    """Return the FLOPs of the forward pass where a token meets only those it may attend to.

    Law: S·(S + 1)/2 + S·past pairs in place of S·K; each pair is 2·d in QK^T and 2·d in A·V. No kernel was measured
    that does exactly this.

    >>> from gpt2calc.presets import load
    >>> from gpt2calc.costs.run import Run
    >>> causal_total(load("gpt2").dims, Run(1, 1024, 0, 1024))
    272339828736
    """
    hidden = dims.n_layer * run.batch * run.tokens * (run.tokens - 1)  # pairs after the diagonal, twice
    return total(table(dims, run)) - 2 * hidden * dims.n_embd
