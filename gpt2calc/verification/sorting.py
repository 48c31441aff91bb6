"""A listing sorted by what its tensors are: the model's own, masks and the like, a tied head's copy, and strangers.

Pure. It must not know what is right and wrong: that is `matching` and `consistency`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.dialects.base import Extra, Piece

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.dialects.base import Expected, Reading
    from gpt2calc.dialects.layouts import Shape
    from gpt2calc.dims import Dims
    from gpt2calc.listing import StoredTensor, TensorListing

MULTIPLE, MOST_PADDED = 128, 1024
"""A padded vocabulary has a multiple of 128 rows (llm.c, Megatron-LM), and fewer than this many too many."""

BEYOND = 16
"""How many blocks beyond the last one in a file are expected one tensor after the other."""


class Sorted(NamedTuple):
    """The tensors of a listing by what they are.

    Args:
        listing: what was sorted.
        reading: how its names are read.
        dims: the sizes and structure it was sorted by.
        blocks: how many blocks `expected` lists.
        expected: what the model has, by name.
        own: the stored tensors that the model has, by name, each once.
        extras: what dialects know beside the parameters, such as masks.
        head_copy: the matrix of a head that is tied, and stored all the same.
        strangers: what does not belong there.
    """

    listing: TensorListing
    reading: Reading
    dims: Dims
    blocks: int
    expected: Mapping[str, Expected]
    own: Mapping[str, StoredTensor]
    extras: tuple[tuple[StoredTensor, Extra], ...]
    head_copy: StoredTensor | None
    strangers: tuple[StoredTensor, ...]

    def stored(self, component: str) -> StoredTensor | None:
        """Return the first stored tensor of a component."""
        return next((t for name, t in self.own.items() if self.expected[name].component == component), None)

    def padded_rows(self, component: str, shape: Shape) -> int:
        """Return how many rows of a matrix of the vocabulary only pad it; 0 where it is not padded."""
        rows = self.dims.vocab_size
        if not self.reading.dialect.pads_vocabulary or component not in ("wte", "lm_head") or len(shape) != 2:
            return 0
        pads = shape[1] == self.dims.n_embd and not shape[0] % MULTIPLE and rows < shape[0] < rows + MOST_PADDED
        return shape[0] - rows if pads else 0


def sort(listing: TensorListing, reading: Reading, x: Dims, n_head: int) -> Sorted:
    """Sort the tensors of a listing by what they are in a model of these dims.

    Args:
        listing: what a checkpoint holds.
        reading: how its names are read.
        x: dims of Python ints.
        n_head: attention heads, for the dialects that store by head.
    """
    rows = [(tensor, reading.find(tensor.name)) for tensor in listing.tensors]
    last = max((row[1] for _, row in rows if row and row[1] is not None), default=-1)
    by_block = any("{}" in piece.template for piece in reading.dialect.pieces)
    blocks = min(x.n_layer, last + 1 + BEYOND) if by_block else x.n_layer
    expected = {each.name: each for each in reading.expected(x, n_head, blocks)}
    tied = bool(x.lm_head and x.tie_word_embeddings)
    own: dict[str, StoredTensor] = {}
    extras: list[tuple[StoredTensor, Extra]] = []
    strangers: list[StoredTensor] = []
    head_copy = None
    for tensor, row in rows:
        if tensor.name in expected:
            own.setdefault(tensor.name, tensor)
        elif row and isinstance(row[0], Extra):
            extras.append((tensor, row[0]))
        elif row and tied and isinstance(row[0], Piece) and row[0].component == "lm_head":
            head_copy = tensor
        else:
            strangers.append(tensor)
    return Sorted(listing, reading, x, blocks, expected, own, tuple(extras), head_copy, tuple(strangers))
