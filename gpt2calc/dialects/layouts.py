"""How a stored tensor lays out a tensor of the table: as it is, turned round, split in three, by head, or stacked.

A layout goes both ways between two shapes: that of the tensor table, [in, out] as transformers' `Conv1D` keeps it, and
that of the file. It must not know a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable

Shape: TypeAlias = "tuple[int, ...]"


class Layout(NamedTuple):
    """One layout.

    Args:
        name: what a report calls it.
        stored: from the table's shape, n_head and n_layer to the shape in a file; None where there can be none.
        table: from the shape in a file back to the table's; None where no tensor of the table has it.
        first_axis: what the first axis of the shape in a file counts, where it counts n_head or n_layer.
    """

    name: str
    stored: Callable[[Shape, int, int], Shape | None]
    table: Callable[[Shape], Shape | None]
    first_axis: str = ""


def _heads(shape: Shape, n_head: int) -> Shape | None:
    """Split the width of the queries, which is the last axis of a third, by head: [d, d] is [h, d, d/h]."""
    third = shape[-1] // 3
    if not n_head or third % n_head:
        return None
    return (n_head, *shape[:-1], third // n_head)


SAME = Layout("as in transformers", lambda shape, _h, _n: shape, lambda shape: shape)

LINEAR = Layout(
    "[out, in], as torch.nn.Linear keeps it",
    lambda shape, _h, _n: shape[::-1],
    lambda shape: shape[::-1],
)

CONVOLUTION = Layout(
    "[1, in, out], as a convolution of width 1",
    lambda shape, _h, _n: (1, *shape) if len(shape) == 2 else shape,
    lambda shape: shape[1:] if len(shape) == 3 and shape[0] == 1 else shape if len(shape) == 1 else None,
)

THIRD = Layout(
    "queries, keys or values alone, [out, in]",
    lambda shape, _h, _n: (shape[-1] // 3, *shape[:-1]),
    lambda shape: (*shape[1:], 3 * shape[0]) if shape else None,
)

HEADS_IN = Layout(
    "queries, keys or values alone, by head",
    lambda shape, n_head, _n: _heads(shape, n_head),
    lambda shape: (*shape[1:-1], 3 * shape[0] * shape[-1]) if len(shape) in (2, 3) else None,
    "n_head",
)

HEADS_OUT = Layout(
    "by head",
    lambda shape, n_head, _n: (n_head, shape[0] // n_head, shape[1]) if n_head and not shape[0] % n_head else None,
    lambda shape: (shape[0] * shape[1], shape[2]) if len(shape) == 3 else None,
    "n_head",
)

STACKED = Layout(
    "[out, in] of every block in one",
    lambda shape, _h, n_layer: (n_layer, *shape[::-1]),
    lambda shape: shape[:0:-1] if shape else None,
    "n_layer",
)
