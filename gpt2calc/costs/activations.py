"""What autograd keeps of a forward pass until backward reads it: a row for each tensor, with the kernel that keeps it.

Measured as the unique storages that torch.autograd.graph.saved_tensors_hooks sees, parameters apart, on torch's CPU
kernels; a GPU's keep smaller masks. Rows only multiply and add. It must not know how people ask: that is `settings`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gpt2calc.costs.kernels import Kernels
    from gpt2calc.costs.run import Run
    from gpt2calc.dims import Dims


class Kept(NamedTuple):
    """One tensor that is kept, in all blocks together.

    Args:
        component: where it is kept.
        what: which tensor it is.
        times: in how many blocks; 0 where it is not kept.
        each: its bytes in one.
        kernel: what keeps it.
    """

    component: str
    what: str
    times: int
    each: int
    kernel: str

    @property
    def bytes(self) -> int:
        """Its bytes in the whole model."""
        return self.times * self.each


def block(dims: Dims, n_head: int, run: Run, kernels: Kernels) -> tuple[Kept, ...]:
    """Return what one block keeps, `times` 0 or 1; see `table`."""
    d, m, h, (B, S) = dims.n_embd, dims.n_inner, n_head, run[:2]
    r, x, eager = kernels.r, kernels.x, kernels.eager
    n, scores, dropped, cast = B * S, B * h * S * S, kernels.attention_dropout, kernels.autocast
    fused, math = (1 - eager) * (1 - dropped), (1 - eager) * dropped
    # The math path works in float32: q, k and v are upcast there. In float32 itself, where one sequence or one head
    # needs no copy, values stay a view of all of c_attn's output, beside copies of queries and keys that are scaled.
    is_view = int(B == 1 or h == 1) * int(x == 4)
    noise = kernels.residual_dropout
    addmm, layer_norm = "addmm", "layer_norm"
    # Scores are in x bytes; under autocast softmax is in float32, and what it gives is cast for the product.
    softmax = x + 4 * cast
    return (
        Kept("ln_1", "input", 1, r * n * d, layer_norm),
        Kept("ln_1", "mean, rstd", 1, 2 * r * n, layer_norm),
        Kept("attn.c_attn", "input", 1, x * n * d, addmm),
        Kept("attn.c_attn", "bf16 copy of the weight", cast, 2 * 3 * d * d, "autocast"),
        Kept("attn", "queries, keys, values", 1 - math, 3 * x * n * d, "bmm"),
        Kept("attn", "softmax", eager, softmax * scores, "softmax"),
        Kept("attn", "dropout's noise, dropped scores", eager * dropped, (2 * x - 2 * cast) * scores, "dropout"),
        Kept("attn", "logsumexp", fused, 4 * B * h * S, "flash attention"),
        Kept("attn", "queries, keys, values in fp32", math, 12 * n * d + is_view * 8 * n * d, "attention's math path"),
        Kept("attn", "softmax, noise, dropped scores in fp32", math, 12 * scores, "attention's math path"),
        Kept("attn.c_proj", "input", 1, x * n * d, addmm),
        Kept("attn.c_proj", "bf16 copy of the weight", cast, 2 * d * d, "autocast"),
        Kept("attn.resid_dropout", "noise", noise, x * n * d, "dropout"),
        Kept("ln_2", "input", 1, r * n * d, layer_norm),
        Kept("ln_2", "mean, rstd", 1, 2 * r * n, layer_norm),
        Kept("mlp.c_fc", "input", 1, x * n * d, addmm),
        Kept("mlp.c_fc", "bf16 copy of the weight", cast, 2 * d * m, "autocast"),
        Kept("mlp.act", "inputs and steps", 1, kernels.kept * x * n * m, "activation"),
        Kept("mlp.c_proj", "input", 1, x * n * m, addmm),
        Kept("mlp.c_proj", "bf16 copy of the weight", cast, 2 * m * d, "autocast"),
        Kept("mlp.dropout", "noise", noise, x * n * d, "dropout"),
    )


def table(dims: Dims, n_head: int, run: Run, kernels: Kernels) -> tuple[Kept, ...]:
    """Return every tensor that is kept at the end of the forward pass with labels, absent ones with `times` 0.

    Law: with n = B·S tokens, a product keeps its input, a LayerNorm its input and two numbers a token, a dropout its
    noise in the dtype of what it drops, attention its scores or the fused kernel's logsumexp. A checkpointed block
    keeps its input alone. The loss keeps log-probabilities in float32, in any dtype, and the logits themselves are not
    kept.

    Args:
        dims: the sizes and flags of a model with lm_head or without a head.
        n_head: h, attention heads.
        run: what passes; nothing has passed before.
        kernels: what runs.

    Returns:
        The rows in the order of the forward pass, in bytes.

    Source: torch 2.13 and transformers 5.23 on CPU; measured in tests/costs.

    >>> from gpt2calc.costs.kernels import Kernels
    >>> from gpt2calc.costs.run import Run
    >>> from gpt2calc.presets import load
    >>> total(table(load("gpt2").dims, 12, Run(2, 128, 0, 128), Kernels(4, 4, 4, 4, eager=0)))
    317480964
    """
    L, d, V, (B, S) = dims.n_layer, dims.n_embd, dims.vocab_size, run[:2]
    r, x, n, head, checked = kernels.r, kernels.x, B * S, dims.lm_head, kernels.checkpoint
    labels = 8 * n if B > 1 else 8 * (S + 1)  # of one sequence they are a view of the padded ones
    in_blocks = (row._replace(times=L * (1 - checked) * row.times) for row in block(dims, n_head, run, kernels))
    return (
        Kept("wte", "ids", 1, 8 * n, "embedding"),
        Kept("wpe", "positions", 1, 8 * S, "embedding"),
        Kept("drop", "noise", kernels.embedding_dropout, r * n * d, "dropout"),
        *in_blocks,
        Kept("h", "input of the block", L * checked, r * n * d, "checkpoint"),
        Kept("h", "mask", checked * kernels.eager * int(L > 0), r * B * S * S, "checkpoint"),
        Kept("ln_f", "input", dims.ln_f, r * n * d, "layer_norm"),
        Kept("ln_f", "mean, rstd", dims.ln_f, 2 * r * n, "layer_norm"),
        Kept("lm_head", "input", head, x * n * d, "mm"),
        Kept("lm_head", "bf16 copy of the weight", head * kernels.autocast, 2 * V * d, "autocast"),
        Kept("logits", "log-probabilities in fp32", head, 4 * n * V, "cross entropy"),
        Kept("loss", "labels, and how many count", head, labels + 4, "cross entropy"),
    )


def total(rows: Iterable[Kept]) -> int:
    """Return the bytes of all rows."""
    return sum(row.bytes for row in rows)
