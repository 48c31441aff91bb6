"""Which elements of a memory a tensor uses: whether its own lie over each other, or over another tensor's.

A memory is a file, or a storage of torch that is in none. Every byte of it is one parameter's. Two views can reach over
the same range and still share nothing, as the queries, keys and values that are columns of one matrix. So what reaches
over the same range is compared run by run, where a run is elements that lie side by side.

Pure. It must not know what a tensor is for: that is `consistency`.
"""

from __future__ import annotations

from itertools import product
from math import prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gpt2calc.listing import StoredTensor

MOST_RUNS = 1 << 19
"""How many runs are compared in all. gpt2-xl's queries, keys and values as views of one matrix each are 230,400."""


class Shared(NamedTuple):
    """A tensor whose elements are also another's, or, where `other` is empty, lie over each other."""

    tensor: str
    other: str
    message: str


class _Reach(NamedTuple):
    """From which byte to which a tensor reaches in its memory, and its runs: their bytes, and axes of more of them."""

    begin: int
    end: int
    name: str
    run: int
    axes: tuple[tuple[int, int], ...]

    @property
    def runs(self) -> int:
        return prod(size for size, _ in self.axes)

    def starts(self) -> Iterator[int]:
        steps = (range(0, size * step, step) for size, step in self.axes)
        return (self.begin + sum(each) for each in product(*steps))


def shared(tensors: Iterable[StoredTensor]) -> Iterator[Shared]:
    """Yield every tensor that does not have its bytes for itself.

    Args:
        tensors: parameters, with their places; one that is nowhere, as on the meta device in a file, is passed over.
    """
    memories: dict[str, list[_Reach]] = {}
    for tensor in _not_apart(tensors):
        memory = "this machine" if tensor.address is not None else tensor.file or tensor.storage
        if memory is None or tensor.offset is None or not tensor.nbytes:
            continue
        reach = _reach(tensor)
        if reach is None:
            steps = list(tensor.stride or ())
            message = f"expected elements that lie apart, got {list(tensor.shape)} in steps of {steps}"
            yield Shared(tensor.name, "", message)
            continue
        memories.setdefault(memory, []).append(reach)
    left = MOST_RUNS
    for reaches in memories.values():
        for group in _reaching_together(sorted(reaches)):
            left -= sum(reach.runs for reach in group)
            yield from _over_each_other(group) if left >= 0 else _too_many(group)


def _not_apart(tensors: Iterable[StoredTensor]) -> Iterator[StoredTensor]:
    """Yield the tensors but those of files in which all lie one behind the other, as in nearly every file."""
    files: dict[str | None, list[StoredTensor]] = {}
    for tensor in tensors:
        files.setdefault(tensor.file, []).append(tensor)
    for file, inside in files.items():
        is_plain = file and all(each.address is None and each.stride is None for each in inside)
        if not (is_plain and _are_behind_each_other(inside)):
            yield from inside


def _are_behind_each_other(tensors: list[StoredTensor]) -> bool:
    """Whether no tensor of a file begins before the one before it ends."""
    end = 0
    for begin, size in sorted((tensor.offset or 0, tensor.nbytes) for tensor in tensors if tensor.nbytes):
        if begin < end:
            return False
        end = begin + size
    return True


def _reach(tensor: StoredTensor) -> _Reach | None:
    """Return where a tensor reaches; None where its strides lay its own elements over each other.

    Law: in the order of their strides, each axis steps over all that the ones before it reach.
    """
    begin = (tensor.offset or 0) if tensor.address is None else tensor.address
    if tensor.stride is None:
        return _Reach(begin, begin + tensor.nbytes, tensor.name, tensor.nbytes, ())
    axes = sorted((step, size) for step, size in zip(tensor.stride, tensor.shape, strict=True) if size > 1)
    width, reached, run = tensor.nbytes // tensor.numel, 1, 1
    apart: list[tuple[int, int]] = []
    for step, size in axes:
        if step < reached:
            return None
        if step == run and not apart:
            run *= size
        else:
            apart.append((size, step * width))
        reached += (size - 1) * step
    return _Reach(begin, begin + reached * width, tensor.name, run * width, tuple(apart))


def _reaching_together(reaches: list[_Reach]) -> Iterator[list[_Reach]]:
    """Yield the tensors of one memory, in the order of their places, in groups that reach over the same ranges."""
    group: list[_Reach] = []
    end = 0
    for reach in reaches:
        if group and reach.begin >= end:
            if len(group) > 1:
                yield group
            group, end = [], 0
        group.append(reach)
        end = max(end, reach.end)
    if len(group) > 1:
        yield group


def _over_each_other(group: list[_Reach]) -> Iterator[Shared]:
    """Yield each tensor of a group once, with the first that it shares a byte with."""
    runs = sorted((start, index, group[index].run) for index in range(len(group)) for start in group[index].starts())
    reported: set[int] = set()
    end, owner = 0, 0
    for start, index, length in runs:
        if start < end and index != owner and index not in reported:
            reported.add(index)
            one, other = group[index], group[owner]
            whole = one._replace(name="") == other._replace(name="")
            what = f"that of {other.name}" if whole else f"one in which {other.name} lies too"
            yield Shared(one.name, other.name, f"expected a memory of its own, got {what}")
        if start + length > end:
            end, owner = start + length, index


def _too_many(group: list[_Reach]) -> Iterator[Shared]:
    for one, other in zip(group[1:], group, strict=False):
        message = (
            f"expected a memory of its own, got {one.runs:,} parts between those of {other.name}, too many to compare"
        )
        yield Shared(one.name, other.name, message)
