"""A listing sorted by what its tensors are: the model's own, masks and the like, a tied head's copy, and strangers.

Pure. It must not know what is right and wrong: that is `matching` and `consistency`.
"""

from __future__ import annotations

from itertools import islice, pairwise
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gpt2calc.dialects.base import Extra, Piece

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from gpt2calc.dialects.base import Expected, Reading
    from gpt2calc.dialects.layouts import Shape
    from gpt2calc.dims import Dims
    from gpt2calc.listing import StoredTensor, TensorListing

MULTIPLE, MOST_PADDED = 128, 1024
"""A padded vocabulary has a multiple of 128 rows (llm.c, Megatron-LM), and fewer than this many too many."""

BEYOND = 16
"""How many more blocks that a file has nothing of are listed one by one than it has something of."""


class Assigned(Protocol):
    """The tensors of a listing by what they are, whatever the architecture: what is judged of all alike."""

    @property
    def listing(self) -> TensorListing:
        """What was assigned."""

    @property
    def own(self) -> Mapping[str, StoredTensor]:
        """The stored tensors that the model has, by name."""

    @property
    def expected(self) -> Mapping[str, Any]:
        """The row of each of them, with its component and its `table_shape`."""

    @property
    def extras(self) -> Sequence[tuple[StoredTensor, Any]]:
        """What is known beside the parameters, each with `what` it is."""

    @property
    def head_copy(self) -> StoredTensor | None:
        """The matrix of a head that is tied, and stored all the same."""

    @property
    def strangers(self) -> Sequence[StoredTensor]:
        """What does not belong there."""

    def stored(self, component: str, /) -> StoredTensor | None:
        """Return the first stored tensor of a component."""

    def padded_elements(self, component: str, shape: Shape, /) -> int:
        """Return how many elements of a matrix of the vocabulary only pad it."""


class Sorted(NamedTuple):
    """The tensors of a listing by what they are.

    Args:
        listing: what was sorted.
        reading: how its names are read.
        dims: the sizes and structure it was sorted by.
        seen: the blocks of the model that the file has something of.
        listed: these, and the first that it has nothing of, in order: as many, and `BEYOND` more.
        rows: what the model has, what every block has once.
        expected: of these rows the one that each of `own` is of, by name, in the order of the rows.
        own: the stored tensors that the model has, by name, each once, in the order of the file.
        extras: what dialects know beside the parameters, such as masks.
        head_copy: the matrix of a head that is tied, and stored all the same.
        strangers: what does not belong there.
    """

    listing: TensorListing
    reading: Reading
    dims: Dims
    seen: frozenset[int]
    listed: tuple[int, ...]
    rows: tuple[Expected, ...]
    expected: Mapping[str, Expected]
    own: Mapping[str, StoredTensor]
    extras: tuple[tuple[StoredTensor, Extra], ...]
    head_copy: StoredTensor | None
    strangers: tuple[StoredTensor, ...]

    def stored(self, component: str) -> StoredTensor | None:
        """Return the first stored tensor of a component."""
        return next((t for name, t in self.own.items() if self.expected[name].component == component), None)

    def missing(self) -> Iterator[tuple[str, Expected]]:
        """Yield what the model has and the file has not, by name; of the blocks, those that are listed."""
        for row in self.rows:
            for name in map(row.at, self.listed) if row.is_in_blocks else (row.template,):
                if name not in self.own:
                    yield name, row

    @property
    def lacking(self) -> int:
        """How many tensors are missing, as many as `missing` yields."""
        return sum(len(self.listed) if row.is_in_blocks else 1 for row in self.rows) - len(self.own)

    def unlisted(self) -> Iterator[tuple[int, int]]:
        """Yield the first and the last of the blocks that are not listed, run after run; the file has none of them."""
        if any(row.is_in_blocks for row in self.rows):
            for before, after in pairwise((-1, *self.listed, self.dims.n_layer)):
                if after - before > 1:
                    yield before + 1, after - 1

    def padded_rows(self, component: str, shape: Shape) -> int:
        """Return how many rows of a matrix of the vocabulary only pad it; 0 where it is not padded."""
        rows = self.dims.vocab_size
        if not self.reading.dialect.pads_vocabulary or component not in ("wte", "lm_head") or len(shape) != 2:
            return 0
        pads = shape[1] == self.dims.n_embd and not shape[0] % MULTIPLE and rows < shape[0] < rows + MOST_PADDED
        return shape[0] - rows if pads else 0

    def padded_elements(self, component: str, shape: Shape) -> int:
        """Return how many elements of a matrix of the vocabulary only pad it."""
        return self.padded_rows(component, shape) * self.dims.n_embd


def sort(listing: TensorListing, reading: Reading, dims: Dims, n_head: int) -> Sorted:
    """Sort the tensors of a listing by what they are in a model of these dims.

    Args:
        listing: what a checkpoint holds.
        reading: how its names are read.
        dims: sizes and flags as Python ints.
        n_head: attention heads, for the dialects that store by head.
    """
    rows = reading.expected(dims, n_head)
    place = {template: number for number, template in enumerate(rows)}
    tied = bool(dims.lm_head and dims.tie_word_embeddings)
    own: dict[str, StoredTensor] = {}
    order: list[tuple[int, int, str]] = []
    extras: list[tuple[StoredTensor, Extra]] = []
    strangers: list[StoredTensor] = []
    seen: set[int] = set()
    head_copy = None
    for tensor in listing.tensors:
        row, block = reading.find(tensor.name) or (None, None)
        is_in_model = block is None or block < dims.n_layer
        if block is not None and is_in_model:
            seen.add(block)
        if row and is_in_model and row.template in rows:
            if tensor.name not in own:
                order.append((place[row.template], block or 0, tensor.name))
            own.setdefault(tensor.name, tensor)
        elif isinstance(row, Extra):
            extras.append((tensor, row))
        elif isinstance(row, Piece) and tied and row.component == "lm_head":
            head_copy = tensor
        else:
            strangers.append(tensor)
    listed = tuple(sorted(seen.union(islice((n for n in range(dims.n_layer) if n not in seen), len(seen) + BEYOND))))
    kinds = tuple(rows.values())
    expected = {name: kinds[number] for number, _, name in sorted(order)}
    others = (tuple(extras), head_copy, tuple(strangers))
    return Sorted(listing, reading, dims, frozenset(seen), listed, kinds, expected, own, *others)
