"""A listing held against the tensor table: which tensor is missing, unexpected, of another shape or dtype.

Pure: no file is opened and no framework is asked. It must not know a closed form: that is `formulas`, and
`verification` brings the two together.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc import tensor_table
from gpt2calc.listing import Fault
from gpt2calc.verification import consistency, holdings
from gpt2calc.verification.consistency import MISSING, SHAPE, UNEXPECTED, blocks_of, written, wrong_shape
from gpt2calc.verification.sorting import sort

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gpt2calc.dialects.base import Reading
    from gpt2calc.dialects.layouts import Shape
    from gpt2calc.dims import Dims
    from gpt2calc.listing import StoredTensor, TensorListing
    from gpt2calc.verification.holdings import Holding
    from gpt2calc.verification.sorting import Sorted

MOST_FAULTS = 1000
"""How many faults are kept; the rest are counted."""

MOST_COMPARED_NAMES = 60
"""How many names an unexpected one is compared with, and how many are, for a suggestion."""

MOST_COMPARED_CHARACTERS = 120
"""How many characters an unexpected name that is compared may have, without the wrapper of all names."""

MOST_RUNS = 3
"""How many runs of blocks that are missing a fault gives."""


class Match(NamedTuple):
    """What a listing came to beside the tensor table.

    Args:
        components: the elements of each component's tensors, as they are stored.
        faults: what is wrong, at most `MOST_FAULTS`; none in a listing that matches.
        more: how many faults were left out.
        holdings: what the stored elements and bytes are.
        dtypes: how many tensors of parameters have each dtype.
        wte: the stored matrix of the token embedding.
        head: the stored matrix of the head, whether or not the config ties it.
        roles: component and role of every tensor that holds parameters, by name, in the order of the dialect.
    """

    components: Mapping[str, int]
    faults: tuple[Fault, ...]
    more: int
    holdings: tuple[Holding, ...]
    dtypes: Mapping[str, int]
    wte: StoredTensor | None
    head: StoredTensor | None
    roles: Mapping[str, tuple[str, str]]


def match(listing: TensorListing, reading: Reading, dims: Dims, n_head: int) -> Match:
    """Hold a listing against the tensors that a model of these dims has.

    Args:
        listing: what a checkpoint holds.
        reading: how its names are read.
        dims: sizes and flags as Python ints.
        n_head: attention heads, for the dialects that store by head.
    """
    found = sort(listing, reading, dims, n_head)
    faults = chain(
        _missing(found),
        _strangers(found),
        _shapes(found),
        consistency.dtypes(found),
        consistency.memories(found),
        consistency.masks(found),
        consistency.head_copy(found),
        listing.faults,
    )
    return Match(
        holdings.components(found),
        tuple(islice(faults, MOST_FAULTS)),
        sum(1 for _ in faults) + max(0, found.lacking - MOST_FAULTS),
        tuple(holdings.of(found)),
        Counter(tensor.dtype for tensor in found.own.values()),
        found.stored("wte"),
        found.head_copy or found.stored("lm_head"),
        {name: (each.component, each.role) for name, each in found.expected.items() if name in found.own},
    )


def _missing(found: Sorted) -> Iterator[Fault]:
    for name, each in islice(found.missing(), MOST_FAULTS):
        yield Fault(MISSING, name, "it is missing", written(each.shape or each.table_shape), "nothing")
    named = {(piece.component, piece.role) for piece in found.reading.dialect.pieces}
    for row in tensor_table.table(found.dims):
        if row.times and (row.component, row.role) not in named:
            message = f"it is missing, and the dialect {found.reading.dialect.name} has no name for it"
            yield Fault(MISSING, row.template.replace("{}", "N"), message, written(row.shape), "nothing")
    runs = [f"{first:,} to {last:,}" if first < last else f"{first:,}" for first, last in found.unlisted()]
    if runs:
        more = f" and {len(runs) - MOST_RUNS:,} runs more" if len(runs) > MOST_RUNS else ""
        name = f"blocks {', '.join(runs[:MOST_RUNS])}{more}"
        expected, got = f"{found.dims.n_layer:,} blocks", f"{len(found.seen):,}"
        yield Fault(MISSING, name, "they are missing as well", expected, got)


def _strangers(found: Sorted) -> Iterator[Fault]:
    """Yield what does not belong there, with the missing tensor that it may have been meant to be."""
    missing = list(islice(found.missing(), MOST_FAULTS))
    alike: dict[Shape | None, list[str]] = {}
    for name, each in missing:
        alike.setdefault(each.shape, []).append(name)
    for index, tensor in enumerate(found.strangers):
        row = found.reading.find(tensor.name)
        message = "it is no tensor of this model"
        if row and row[1] is not None and row[1] >= found.dims.n_layer:
            message = blocks_of(found.dims)
        elif missing and index < MOST_COMPARED_NAMES:
            names = alike.get(tensor.shape) or [name for name, _ in missing]
            near = _nearest(tensor.name, names[:MOST_COMPARED_NAMES], found.reading.wrapper)
            message += f": is it {near}, which is missing?" if near else ""
        yield Fault(UNEXPECTED, tensor.name, message, "nothing", written(tensor.shape))


def _nearest(name: str, names: list[str], wrapper: str) -> str | None:
    """Return the name that is most like another; the wrapper of all is left out, since it only takes time."""
    bare = name.removeprefix(wrapper)
    if len(bare) > MOST_COMPARED_CHARACTERS:
        return None
    from difflib import get_close_matches  # 5 ms at start-up, and only a fault needs it

    found = get_close_matches(bare, [each.removeprefix(wrapper) for each in names], 1, 0.5)
    return wrapper + found[0] if found else None


def _shapes(found: Sorted) -> Iterator[Fault]:
    for name, each in found.expected.items():
        tensor = found.own.get(name)
        if tensor is None:
            continue
        if each.shape is None:
            message = "no shape fits, since n_head does not divide n_embd"
            yield Fault(SHAPE, name, message, written(each.table_shape), written(tensor.shape))
        elif tensor.shape != each.shape and not found.padded_rows(each.component, tensor.shape):
            yield wrong_shape(tensor, each.shape)
