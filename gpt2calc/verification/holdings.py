"""What the stored elements and bytes of a checkpoint are: parameters, masks, a head stored twice, padding, the rest.

Pure. It is why a page of the hub shows 137,022,720 for gpt2.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.stored import PARTS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gpt2calc.listing import StoredTensor
    from gpt2calc.verification.assignment import Assignment

PARAMETERS, HEAD_COPY, PADDING, STRANGERS, ASIDE, REST = (
    "parameters",
    "the tied head, a second time",
    "padded rows of the vocabulary",
    "unexpected tensors",
    "other tensors, left aside",
    "headers, and all that is no tensor",
)
"""What bytes can be, beside what a dialect calls its extras."""


class Holding(NamedTuple):
    """What a part of a checkpoint is."""

    what: str
    tensors: int
    elements: int
    bytes: int


def of(found: Assignment) -> Iterator[Holding]:
    """Yield what the stored elements and bytes are; memory that two tensors share is counted in bytes once."""
    taken: set[object] = set()
    padding, padded_bytes = _padding(found)
    parts, expected = found.parts, found.expected
    groups: dict[str, list[StoredTensor]] = {"": []}
    for name, tensor in found.own.items():
        groups.setdefault(parts.get(name, ""), []).append(tensor)
    stored = _bytes(groups[""], taken)
    elements = sum(tensor.numel * expected[tensor.name].packed for tensor in groups[""])
    yield Holding(PARAMETERS, len(groups[""]), elements - padding, stored - padded_bytes)
    for what in (part for part in PARTS if part in groups):
        packed = sum(tensor.numel * expected[tensor.name].packed for tensor in groups[what])
        yield Holding(what, len(groups[what]), packed, _bytes(groups[what], taken))
    if padding:
        yield Holding(PADDING, 0, padding, padded_bytes)
    if found.head_copy is not None:
        yield _part(HEAD_COPY, [found.head_copy], taken)
    for what in dict.fromkeys(extra.what for _, extra in found.extras):
        yield _part(what, [tensor for tensor, extra in found.extras if extra.what == what], taken)
    for what in dict.fromkeys(what for _, what in found.listing.beside):
        yield _part(what, [tensor for tensor, each in found.listing.beside if each == what], taken)
    if found.strangers:
        yield _part(STRANGERS, found.strangers, taken)
    if found.listing.aside:
        yield _part(ASIDE, found.listing.aside, taken)
    if found.listing.files:
        yield Holding(REST, 0, 0, max(rest(found), 0))  # where it is less, `findings.memories` says so


def part(found: Assignment, *, known: bool) -> str:
    """Say which blocks and what else of a model a checkpoint holds as a whole, where it lacks all of the rest.

    It is empty where no block is missing, nor all that stands outside of blocks, and where something is there in part.

    Args:
        found: what each tensor is.
        known: whether it is known how many blocks the whole has.
    """
    if not found.lacking:
        return ""
    present, absent = _places(found)
    blocks = {place for place in present if isinstance(place, int)}
    others = [place for place in present if isinstance(place, str)]
    lacks_blocks = any(isinstance(place, int) for place in absent)
    if not blocks or not absent or present & absent or found.strangers or (others and not lacks_blocks):
        return ""
    runs: list[list[int]] = []
    for block in sorted(blocks):
        if runs and block == runs[-1][1] + 1:
            runs[-1][1] = block
        else:
            runs.append([block, block])
    written = ", ".join(f"{first} to {last}" if first < last else str(first) for first, last in runs)
    depth = max(layers.depth for layers in found.layers.values())
    beside = f", {', '.join(sorted(others))}" if others else ""
    of = f" of {depth:,}" if known else ""
    return f"block{'s' if len(blocks) > 1 else ''} {written}{of}{beside}"


def _places(found: Assignment) -> tuple[set[int | str], set[int | str]]:
    """Return where something is and where something lacks: blocks by number, and components that stand outside.

    However many copies a row has by its config, it is looked at once a block.
    """
    held = Counter((id(row), _block(found, name)) for name, row in found.expected.items())
    present, absent = set[int | str](), set[int | str]()
    for row in found.rows:
        for block in found.layers_of(row):
            place = block if row.is_in_blocks else row.component
            copies = held[id(row), block]
            present.update([place] if copies else [])
            absent.update([place] if copies < row.times else [])
    return present, absent


def _block(found: Assignment, name: str) -> int:
    """Return the block that a name stands in; 0 for what stands outside, as `Assignment.layers_of` counts it."""
    said = found.reading.find(name)
    return (said.block if said else None) or 0


def rest(found: Assignment) -> int:
    """Return how many bytes of the files are no tensor's; below 0 where tensors take more than there are."""
    sizes = {file.path: file.size for file in found.listing.files}
    beside = [tensor for tensor, _ in found.listing.beside]
    return sum(sizes.values()) - _bytes(
        (each for each in (*found.listing.tensors, *found.listing.aside, *beside) if each.file in sizes), set()
    )


def _part(what: str, tensors: Iterable[StoredTensor], taken: set[object]) -> Holding:
    tensors = tuple(tensors)
    return Holding(what, len(tensors), sum(tensor.numel for tensor in tensors), _bytes(tensors, taken))


def _padding(found: Assignment) -> tuple[int, int]:
    """Return how many elements only pad the vocabulary, and the bytes that they take."""
    elements = size = 0
    if not found.reading.dialect.pads_vocabulary:
        return 0, 0
    for name, tensor in found.own.items():
        padded = found.padded_elements(name)
        elements += padded
        size += padded * tensor.nbytes // tensor.numel if padded else 0
    return elements, size


def _bytes(tensors: Iterable[StoredTensor], taken: set[object]) -> int:
    """Sum bytes, those of one place once; `taken` keeps the places that were counted."""
    total = 0
    for tensor in tensors:
        if tensor.storage is None:
            total += tensor.nbytes
        elif tensor.memory not in taken:
            total += tensor.nbytes
            taken.add(tensor.memory)
    return total
