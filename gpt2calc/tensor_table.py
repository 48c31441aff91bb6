"""What a GPT-2 of certain dims is made of: a row for each tensor, with its name, shape, component and role.

The rows are those of `architectures.gpt2`: names as `named_parameters()` gives them, shapes as `Conv1D` keeps them,
[in, out]. It must not know a closed form: that is `formulas`, the first derivation, and `tests/test_identity.py` proves
that the two agree.
"""

from __future__ import annotations

from math import prod

from gpt2calc.architectures import gpt2
from gpt2calc.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gpt2calc.dims import Dims

BODY, BLOCK = "transformer.", "transformer.h.{}."
"""What stands before a component's name, in the body, and in a block of it; in a head it is nothing."""


class Tensor(NamedTuple):
    """One tensor of a model."""

    name: str
    shape: tuple[int, ...]
    component: str
    role: str

    @property
    def numel(self) -> int:
        """The number of elements, as `torch.Tensor.numel()` gives it."""
        return prod(self.shape)


class Row(NamedTuple):
    """One row of the table: what its name begins with, how often it occurs (0 where it is absent), and its shape."""

    prefix: str
    component: str
    role: str
    times: int
    shape: tuple[int, ...]

    @property
    def template(self) -> str:
        """The tensor's name, with `{}` where the number of the block goes."""
        return f"{self.prefix}{self.component}.{self.role}"

    @property
    def in_block(self) -> bool:
        """Whether the tensor stands in a block, so that its name holds the block's number."""
        return self.prefix == BLOCK


def table(dims: Dims) -> tuple[Row, ...]:
    """Return every tensor that a GPT-2 can have, in the order of `named_parameters()`.

    Args:
        dims: sizes and flags as Python ints, numpy int64 arrays, sympy symbols or letters.

    Returns:
        The rows. A `GPT2Model`, which has no head, drops the `transformer.` before the names of its body.

    Source: transformers 5.23, modeling_gpt2.py and pytorch_utils.py (Conv1D).

    >>> from gpt2calc.presets import load
    >>> row = table(load("gpt2").dims)[4]
    >>> row.template, row.times, row.shape
    ('transformer.h.{}.attn.c_attn.weight', 12, (768, 2304))
    """
    return tuple(
        Row(
            BLOCK if row.layers else row.template.removesuffix(f"{row.component}.{row.role}"),
            row.component,
            row.role,
            dims.n_layer * row.when if row.layers else row.when,
            row.shape,
        )
        for row in gpt2.tensors(dims)
    )


def numel(
    dims: Dims,
    *,
    component: str | None = None,
    role: str | None = None,
    rank: int | None = None,
    in_block: bool = False,
) -> int:
    """Return the sum of `numel()` over the tensors that fit all that is asked.

    Args:
        dims: as for `table`.
        component: only this component's tensors.
        role: only `"weight"` or only `"bias"`.
        rank: only tensors with this many dimensions.
        in_block: only tensors that stand in a block.

    Returns:
        The number of elements, by listing shapes; no closed form is used.

    >>> from gpt2calc.presets import load
    >>> numel(load("gpt2").dims, rank=2, in_block=True)
    84934656
    """
    blocks = dims.n_layer
    return sum(
        (blocks * row.when if row.layers else row.when) * prod(row.shape)
        for row in gpt2.tensors(dims)
        if component in (None, row.component)
        and role in (None, row.role)
        and rank in (None, len(row.shape))
        and (row.layers or not in_block)
    )


def size(dims: Dims) -> int:
    """Return how many tensors the model has, without listing them.

    >>> from gpt2calc.presets import load
    >>> size(load("gpt2").dims)
    148
    """
    return sum(row.times for row in table(dims))
