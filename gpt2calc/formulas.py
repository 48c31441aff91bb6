"""The closed forms of a GPT-2 for its dims: a row for each component, with how often it occurs in the whole model.

The rows are those of `architectures.gpt2`; dims of int64 arrays count many models at once. It must not know a tensor's
name or shape: that is `tensor_table`, the second derivation, and `tests/test_identity.py` proves that the two agree.
"""

from __future__ import annotations

from gpt2calc.architectures import gpt2
from gpt2calc.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from gpt2calc.dims import Dims

GROUPS = ("embedding", "attention", "cross_attention", "mlp", "layer_norm", "head")
"""The groups that every component belongs to one of, in the order they are shown."""


class Formula(NamedTuple):
    """One component: it occurs `times` times, with `weights` weights and `biases` biases each time."""

    component: str
    group: str
    times: int
    weights: int
    biases: int
    source: str


def table(dims: Dims) -> tuple[Formula, ...]:
    """Return the closed form of every component, absent ones with `times` 0.

    Law: parameters of a component = times · (weights + biases), with V = vocab_size, T = n_positions, d = n_embd,
    L = n_layer, m = n_inner, k = num_labels.

    Args:
        dims: sizes and flags as Python ints, numpy int64 arrays, sympy symbols or letters.

    Returns:
        The rows in the order of the forward pass; weights and biases in parameters, for one occurrence.

    Source: the file or paper named in each row.

    >>> from gpt2calc.presets import load
    >>> c_attn = table(load("gpt2").dims)[3]
    >>> c_attn.component, c_attn.times * (c_attn.weights + c_attn.biases)
    ('attn.c_attn', 21261312)
    """
    return tuple(
        Formula(
            row.name,
            row.group,
            dims.n_layer * row.times if row.layers else row.times,
            row.weights,
            row.biases,
            row.source,
        )
        for row in gpt2.components(dims)
    )


def total(dims: Dims) -> int:
    """Return the number of parameters of the whole model: the sum of the table.

    >>> from gpt2calc.presets import load
    >>> total(load("gpt2-xl").dims)
    1557611200
    """
    blocks = dims.n_layer
    return sum(
        (blocks * row.times if row.layers else row.times) * (row.weights + row.biases) for row in gpt2.components(dims)
    )
