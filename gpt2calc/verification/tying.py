"""How a head is tied to the token embedding: by structure, by its bits, and by the correlation of its values.

The article correlated the two matrices. A correlation of 1 alone says less than equal bits, and one storage says more.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.checkpoints.files import LocalFile
from gpt2calc.errors import ConfigError
from gpt2calc.listing import BITS
from gpt2calc.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.listing import StoredTensor

TIED, TWICE, UNTIED, OPEN = "tied", "equal but stored twice", "untied", "not settled"

AT_ONCE = 4 << 20
"""How many bytes of each matrix are in memory at a time."""


class Tying(NamedTuple):
    """How a head is tied.

    Args:
        verdict: tied, equal but stored twice, untied, or not settled.
        reason: why, as the second half of a sentence.
        structure: what names and storage show.
        bits: what a comparison bit by bit shows; None where there was none.
        correlation: Pearson's coefficient over all elements; None where it was not asked for or is not defined.
    """

    verdict: str
    reason: str
    structure: str
    bits: str | None = None
    correlation: float | None = None

    @property
    def tied(self) -> bool | None:
        """Whether the head has wte's values; None where that is not settled."""
        return {TIED: True, TWICE: True, UNTIED: False}.get(self.verdict)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it."""
        return self._asdict()

    def tables(self) -> list[Table]:
        """Lay the three ways out."""
        rows = [("structure", self.structure)]
        rows += [("bits", self.bits)] if self.bits else []
        rows += [("correlation", repr(self.correlation))] if self.correlation is not None else []
        return [Table("", ("weight tying", self.verdict), tuple(rows))]


def examine(wte: StoredTensor, head: StoredTensor | None, *, bits: bool, correlation: bool) -> Tying:
    """Compare a head's matrix with the token embedding.

    Law: tied is to have no second matrix, or one storage for both names; equal but stored twice is to have the same
    bits at two places. A head that is stored as [d, V] is compared turned round, and of a padded vocabulary the rows
    that both have.

    Args:
        wte: the token embedding, [V, d].
        head: the head's matrix, [V, d] or [d, V]; None where none is stored.
        bits: whether both can be read, from files on this machine.
        correlation: whether to correlate all elements, which needs numpy.

    Raises:
        ConfigError: numpy is needed and missing.
        UnreadableInputError: the values cannot be read.
    """
    if head is None:
        return Tying(TIED, "no second matrix is stored", "no second matrix is stored")
    if head.place is not None and head.place == wte.place:
        return Tying(TIED, "both names are one storage", "both names are one storage")
    structure = f"a second matrix is stored, {head.name}"
    problem = _incomparable(wte, head) if bits else "their values were not read"
    if problem:
        return Tying(OPEN, problem, structure)
    difference = _first_difference(wte, head)
    verdict, found = (TWICE, "every bit is the same") if difference is None else (UNTIED, difference)
    return Tying(verdict, found, structure, found, _pearson(wte, head) if correlation else None)


def _incomparable(wte: StoredTensor, head: StoredTensor) -> str | None:
    """Return why two matrices cannot be compared bit by bit."""
    for tensor in (wte, head):
        if tensor.file is None or tensor.offset is None:
            return f"the values of {tensor.name} lie in no file"
        if tensor.dtype not in BITS or len(tensor.shape) != 2:
            return f"{tensor.name} is no matrix of numbers of their own, but {tensor.dtype} of {len(tensor.shape)} axes"
        if tensor.stride is not None:
            return f"{tensor.name} is a view, whose elements do not lie row by row"
    if wte.dtype != head.dtype:
        return f"{wte.name} is {wte.dtype} and {head.name} is {head.dtype}"
    if wte.shape[1] not in head.shape:
        return f"their shapes are {list(wte.shape)} and {list(head.shape)}"
    return None


def _is_turned(wte: StoredTensor, head: StoredTensor) -> bool:
    """Whether the head is stored as [d, V]; of two square matrices it is not."""
    return head.shape[1] != wte.shape[1]


def _first_difference(wte: StoredTensor, head: StoredTensor) -> str | None:
    """Return where the two matrices first differ; None where they do not."""
    size = BITS[wte.dtype] // 8
    row = 0
    for ours, theirs in _blocks(wte, head):
        if ours != theirs:
            place = next(n for n in range(0, len(ours), size) if ours[n : n + size] != theirs[n : n + size]) // size
            line, column = divmod(place, wte.shape[1])
            return f"they first differ in row {row + line:,}, column {column:,}"
        row += len(ours) // (wte.shape[1] * size)
    return None


def _blocks(wte: StoredTensor, head: StoredTensor) -> Iterator[tuple[bytes, bytes]]:
    """Yield the same rows of both matrices, as bytes, a few at a time."""
    turned = _is_turned(wte, head)
    width, size = wte.shape[1], BITS[wte.dtype] // 8
    whole = min(wte.shape[0], head.shape[1] if turned else head.shape[0])
    rows = max(1, AT_ONCE // max(1, width * size))
    with LocalFile(wte.file or "") as ours, LocalFile(head.file or "") as theirs:
        for start in range(0, whole if width else 0, rows):
            count = min(rows, whole - start)
            mine = ours.read((wte.offset or 0) + start * width * size, count * width * size)
            if turned:
                yield mine, _turned(theirs, head, start, count)
            else:
                yield mine, theirs.read((head.offset or 0) + start * width * size, count * width * size)


def _turned(file: LocalFile, head: StoredTensor, start: int, count: int) -> bytes:
    """Return the columns from `start` on of a matrix [d, V], as the rows that they are in wte."""
    size, (width, vocabulary) = BITS[head.dtype] // 8, head.shape
    block = bytearray(count * width * size)
    for line in range(width):
        part = file.read((head.offset or 0) + (line * vocabulary + start) * size, count * size)
        for byte in range(size):
            block[line * size + byte :: width * size] = part[byte::size]
    return bytes(block)


def _pearson(wte: StoredTensor, head: StoredTensor) -> float | None:
    """Return Pearson's coefficient over all elements that both have, in float64; None where one does not vary.

    Two passes, the first for the means, so that nothing cancels; each block's sums are added up exactly.
    """
    try:
        import numpy as np
    except ImportError:
        raise ConfigError("the correlation needs numpy: pip install 'gpt2calc[values]'") from None
    from math import fsum, isfinite, sqrt

    from gpt2calc.verification.decoding import as_float64

    dtype = wte.dtype

    def blocks() -> Iterator[tuple[Any, Any]]:
        for ours, theirs in _blocks(wte, head):
            yield as_float64(ours, dtype), as_float64(theirs, dtype)

    with np.errstate(all="ignore"):  # a NaN or an Inf leaves no coefficient, and no warning either
        sums = [(float(x.sum()), float(y.sum()), x.size) for x, y in blocks()]
        count = sum(size for _, _, size in sums)
        if not count or not all(isfinite(x) and isfinite(y) for x, y, _ in sums):
            return None
        mean_x, mean_y = (fsum(each[side] for each in sums) / count for side in (0, 1))
        moments = [_moments(np.dot, x - mean_x, y - mean_y) for x, y in blocks()]
    if not all(isfinite(moment) for each in moments for moment in each):
        return None
    xy, xx, yy = (fsum(each[place] for each in moments) for place in range(3))
    return xy / sqrt(xx * yy) if xx > 0 and yy > 0 else None


def _moments(dot: Any, x: Any, y: Any) -> tuple[float, float, float]:
    """Return the sums of x·y, x² and y²."""
    return float(dot(x, y)), float(dot(x, x)), float(dot(y, y))
