"""How much a training step in float32 holds at its highest moments, above weights and optimizer state: a row for each.

Each moment is what is alive just before something is freed, read off a walk over torch's own operations. From block to
block a step grows or shrinks evenly, so that the last and the first stand for all. The largest moment is the peak.
tests/costs holds it against torch's allocator. In other dtypes torch's CPU kernels need scratch that no walk sees.
"""

from __future__ import annotations

from itertools import pairwise
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc import tensor_table
from gpt2calc.costs import activations

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.costs.kernels import Kernels
    from gpt2calc.costs.run import Run
    from gpt2calc.dims import Dims

RNG_BYTES = 5056
"""The state of torch's CPU generator, which a checkpoint keeps for each block."""

STEP_TENSORS = {
    "adamw": 2,
    "adamw_fused": 0,
    "adamw_amsgrad": 2,
    "sgd": 0,
    "sgd_momentum": 0,
    "adagrad": 1,
    "rmsprop": 1,
}
"""How many tensors like the one at hand a step of an optimizer needs for a while; of the others no law is known."""


class Moment(NamedTuple):
    """What is alive at one moment, in bytes, above the weights and the optimizer's state."""

    name: str
    bytes: int


def moments(dims: Dims, n_head: int, run: Run, kernels: Kernels, optimizer: str | None = None) -> tuple[Moment, ...]:
    """Return the moments of one training step in float32, in the order in which they come.

    Law: alive is what autograd keeps and has not freed, the gradients so far, and what the kernel at work holds.

    Args:
        dims: the sizes and flags of a model with lm_head or without a head.
        n_head: h, attention heads.
        run: what passes; nothing has passed before.
        kernels: what runs, in float32.
        optimizer: whose step follows; None where none does.

    Source: torch 2.13 and transformers 5.23 on CPU, walked operation by operation; measured in tests/costs.

    >>> from gpt2calc.costs.kernels import Kernels
    >>> from gpt2calc.costs.run import Run
    >>> from gpt2calc.presets import load
    >>> rows = moments(load("gpt2").dims, 12, Run(2, 128, 0, 128), Kernels(4, 4, 4, 4, eager=0), "sgd")
    >>> max(rows, key=lambda moment: moment.bytes).name
    'sum of the gradients of wte'
    """
    d, V, L, (B, S) = dims.n_embd, dims.vocab_size, dims.n_layer, run[:2]
    n = B * S
    hidden, checked, reentrant = 4 * n * d, kernels.checkpoint, kernels.reentrant
    table = activations.table(dims, n_head, run, kernels)
    alive = activations.total(table) + checked * L * RNG_BYTES
    parts = _parts(dims, n_head, run, kernels)
    block = sum(parts.values())
    gradients = 4 * (tensor_table.numel(dims, in_block=True) // L) if L else 0
    mask = kernels.eager * 4 * B * S * S

    # Forward. After the last block its sum, what attention and the MLP add, both embeddings and the mask are there.
    tail = sum(row.bytes for row in table if row.component in {"ln_f", "lm_head", "logits", "loss"})
    found = [Moment("forward, last block", alive - tail + 4 * hidden + 4 * S * d + (1 - checked) * mask)]

    # From the loss to the gradient of the last block's output. The loss has two gradients like the log-probabilities.
    if dims.lm_head:
        found.append(Moment("loss", alive + 8 * n * V))
        alive -= 4 * n * V + (8 * n if B > 1 else 8 * (S + 1)) + 4
        found.append(Moment("backward of lm_head", alive + 4 * n * V + 4 * V * d + hidden))
        alive += 4 * V * d - hidden
    alive += hidden + dims.ln_f * (4 * d * (1 + dims.bias) - hidden - 8 * n)

    # The blocks, the last one first. A checkpointed block has its input alone until it is done again.
    held = hidden + (1 - reentrant) * RNG_BYTES if checked else block
    for name, done in (("last", 0), ("first", L - 1)) if L else ():
        before = alive - done * (held - gradients)
        if checked:
            attention = parts["ln_1"] + parts["attn.c_attn"] + parts["attn"] - hidden
            found.append(Moment(f"attention again, {name} block", before + attention + 5 * hidden + RNG_BYTES))
            before += block - hidden + reentrant * hidden
            # With dropout it ends behind it; without, torch's own stops before mlp.c_proj.
            ends = 2 if kernels.residual_dropout else 1 + reentrant
            found.append(Moment(f"forward again, {name} block", before + ends * hidden + RNG_BYTES))
        of_block = _block(dims, n_head, run, kernels, before)
        found += [Moment(f"{what}, {name} block", size) for what, size in of_block]
    alive -= L * (held - gradients)

    # The embeddings. A tied matrix has its gradient from lm_head by now, and the two are added into a third. A
    # reentrant checkpoint still has the gradient of its input, where no dropout stands before it.
    alive += 4 * dims.n_positions * d - kernels.embedding_dropout * hidden - checked * mask
    found.append(Moment("backward of wte", alive + 4 * V * d))
    if dims.lm_head * dims.tie_word_embeddings:
        freed = max(1 - reentrant, kernels.embedding_dropout) * hidden
        found.append(Moment("sum of the gradients of wte", alive - freed + 8 * V * d))

    if optimizer is not None:
        elements = tensor_table.numel(dims) + _temporary(dims, STEP_TENSORS[optimizer])
        generators = reentrant * L * RNG_BYTES  # as long as the loss is there
        found.append(Moment("optimizer step", 4 * elements + 8 * n + generators))
    return tuple(found)


def _block(dims: Dims, n_head: int, run: Run, kernels: Kernels, alive: int) -> Iterator[tuple[str, int]]:
    """Yield the moments of one block's backward, where `alive` is what is there when it begins."""
    d, m, b, (B, S) = dims.n_embd, dims.n_inner, dims.bias, run[:2]
    hidden, inner, scores = 4 * B * S * d, 4 * B * S * m, 4 * B * n_head * S * S
    kept = _parts(dims, n_head, run, kernels)
    noise = kernels.residual_dropout * hidden

    # The MLP. gelu_new goes backward with two tensors more than it has kept, one kernel with one more; relu's output is
    # the input of c_proj, and is there until then.
    extra = {4: 2, 1: 1, 0: 2}[kernels.kept]
    yield "backward of mlp.c_proj", alive + inner + 4 * d * m
    alive += 4 * (d * m + b * d) - noise
    yield "backward of the activation", alive + extra * inner
    alive -= kept["mlp.act"]
    yield "backward of mlp.c_fc", alive + hidden + 4 * d * m
    alive += 4 * (d * m + b * m) - inner
    yield "backward of ln_2", alive + hidden
    alive += 4 * d * (1 + b) - kept["ln_2"] - hidden
    alive += kernels.reentrant * hidden  # the gradient that a reentrant checkpoint was called with

    # Attention: c_proj, then scores or the fused kernel, then c_attn.
    yield "backward of attn.c_proj", alive + hidden + 4 * d * d
    alive += 4 * (d * d + b * d) - noise
    if kernels.eager:
        yield "backward of A·V", alive + hidden + scores
        # Values of one sequence, or of one head, are a view of all that c_attn gave, and are freed with it.
        freed = 0 if B == 1 or n_head == 1 else hidden
        yield "backward of softmax", alive - freed + scores + (1 - kernels.attention_dropout) * scores
    elif kernels.attention_dropout:
        yield "backward of A·V", alive + hidden + scores
    else:
        yield "backward of attention", alive + 4 * hidden + _scratch(S)
    alive -= kept["attn"] + hidden
    yield "gradients of queries, keys, values", alive + 6 * hidden
    yield "backward of attn.c_attn", alive + 4 * hidden + 12 * d * d


def _parts(dims: Dims, n_head: int, run: Run, kernels: Kernels) -> dict[str, int]:
    """Return what a block keeps, by component."""
    found: dict[str, int] = {}
    for row in activations.block(dims, n_head, run, kernels):
        found[row.component] = found.get(row.component, 0) + row.bytes
    return found


def _scratch(S: int) -> int:
    """Return what torch's flash attention on CPU needs in backward for one thread: two tiles of scores, and a line.

    Source: torch, aten/src/ATen/native/cpu/FlashAttentionKernel.cpp.
    """
    rows, columns = min(S, 256 if S >= 768 else 64 if S >= 192 else 32), min(S, 512)
    return 8 * rows * columns + 4 * rows


def _temporary(dims: Dims, tensors: int) -> int:
    """Return the elements that a step holds for a while: a tensor's quotient is there until the next one's is."""
    sizes = [0] + [prod(row.shape) for row in tensor_table.table(dims) if row.times]
    return max(previous + tensors * size for previous, size in pairwise(sizes)) if tensors else 0
