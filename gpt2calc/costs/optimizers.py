"""What optimizers of torch keep between steps: a row each, with what it keeps for each kind of tensor.

State has the dtype of the parameter, so that pure bfloat16 weights have bfloat16 moments.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gpt2calc import tensor_table

if TYPE_CHECKING:
    from gpt2calc.dims import Dims

STEP_BYTES = 4
"""A step counter is a float32 tensor of its own, one for each parameter tensor."""


class Optimizer(NamedTuple):
    """One optimizer.

    Args:
        name: how it is asked for.
        matrix: how many copies of a matrix it keeps.
        vector: how many copies of a vector.
        lines: whether it keeps a number for each row and one for each column of a matrix.
        steps: whether it counts steps, for each tensor.
        source: the class of torch.optim, with what it is given.
    """

    name: str
    matrix: int
    vector: int
    lines: int
    steps: int
    source: str


OPTIMIZERS = (
    Optimizer("adamw", 2, 2, 0, 1, "torch.optim.AdamW(foreach=False)"),
    Optimizer("adamw_fused", 2, 2, 0, 1, "torch.optim.AdamW(fused=True)"),
    Optimizer("adamw_amsgrad", 3, 3, 0, 1, "torch.optim.AdamW(amsgrad=True)"),
    Optimizer("sgd", 0, 0, 0, 0, "torch.optim.SGD"),
    Optimizer("sgd_momentum", 1, 1, 0, 0, "torch.optim.SGD(momentum=0.9)"),
    Optimizer("adagrad", 1, 1, 0, 1, "torch.optim.Adagrad"),
    Optimizer("rmsprop", 1, 1, 0, 1, "torch.optim.RMSprop"),
    Optimizer("adafactor", 0, 1, 1, 1, "torch.optim.Adafactor"),
    Optimizer("muon", 1, 0, 0, 0, "torch.optim.Muon, over the matrices alone, wte and wpe among them"),
)
"""The optimizers that were measured; those in 8 bits were not."""

BY_NAME = {row.name: row for row in OPTIMIZERS}


def state(dims: Dims, optimizer: Optimizer, element: int) -> int:
    """Return the bytes of the state after the first step, each storage once.

    Law: b · (copies · elements + rows and columns of matrices) + 4 · tensors where steps are counted.

    Args:
        dims: sizes and flags as Python ints.
        optimizer: its row.
        element: b, bytes of a parameter.

    Source: torch 2.13, torch/optim; measured in tests/costs.

    >>> from gpt2calc.presets import load
    >>> state(load("gpt2").dims, BY_NAME["adamw"], 4), 2 * 4 * 124439808 + 4 * 148
    (995519056, 995519056)
    """
    matrices = tensor_table.numel(dims, rank=2)
    vectors = tensor_table.numel(dims, rank=1)
    lines = sum(row.times * sum(row.shape) for row in tensor_table.table(dims) if len(row.shape) == 2)
    elements = optimizer.matrix * matrices + optimizer.vector * vectors + optimizer.lines * lines
    return element * elements + optimizer.steps * STEP_BYTES * tensor_table.size(dims)
