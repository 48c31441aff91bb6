"""How a head is tied to the token embedding: by structure, by its bits, and by the correlation of its values.

The article correlated the two matrices. A correlation of 1 alone says less than equal bits, and one storage says more.
"""

from __future__ import annotations

from math import isqrt
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.checkpoints.files import LocalFile
from gpt2calc.errors import ConfigError, install
from gpt2calc.listing import BITS, FLOATS
from gpt2calc.table import Table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Literal

    from gpt2calc.listing import StoredTensor

TIED, TWICE, UNTIED, OPEN = "tied", "equal but stored twice", "untied", "not settled"

ZEROS = "both are all zeros, whose equal bits prove nothing"
"""What is found of a sparse file, or of one that was never filled."""

MOST_UNASKED_BYTES = 512 << 20
"""How many bytes each of two matrices may have to be compared without being asked; gpt2-xl's in float32 has 307 MiB."""

AT_ONCE = 4 << 20
"""How many bytes of each matrix are in memory at a time, however long its rows are."""

CODES: dict[int, Literal["B", "H", "I", "Q"]] = {8: "B", 16: "H", 32: "I", 64: "Q"}
"""What `memoryview` calls integers of so many bits: an element is moved as one of them, and not decoded."""

FEW_ROWS = 64
"""Fewer rows than these are turned one by one, and not column by column."""


class Block(NamedTuple):
    """A part of a matrix: the first of its rows and how many, and the same of its columns."""

    row: int
    rows: int
    column: int
    columns: int


class Tying(NamedTuple):
    """How a head is tied.

    Args:
        verdict: tied, equal but stored twice, untied, or not settled.
        reason: why, as the second half of a sentence.
        structure: what names and storage show.
        bits: what a comparison bit by bit shows; None where there was none.
        correlation: Pearson's coefficient over all elements; None where it was not asked for, is not defined, or
            float64 does not hold the squares that it is made of.
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


def examine(wte: StoredTensor, head: StoredTensor | None, *, bits: bool, asked: bool) -> Tying:
    """Compare a head's matrix with the token embedding.

    Law: tied is to have no second matrix, or one storage for both names; equal but stored twice is to have the same
    bits at two places, and not zeros alone, which a file has that was never filled. A head that is stored as [d, V] is
    compared turned round, and of a padded vocabulary the rows that both have.

    Args:
        wte: the token embedding, [V, d].
        head: the head's matrix, [V, d] or [d, V]; None where none is stored.
        bits: whether both can be read, from files on this machine.
        asked: whether that is what a person asked for: then all elements are correlated too, which needs numpy, and
            matrices are compared however large they are.

    Raises:
        ConfigError: numpy is needed and missing.
        UnreadableInputError: the values cannot be read.
    """
    if head is None:
        return Tying(TIED, "no second matrix is stored", "no second matrix is stored")
    if head.memory is not None and head.memory == wte.memory:
        return Tying(TIED, "both names are one storage", "both names are one storage")
    structure = f"a second matrix is stored, {head.name}"
    problem = _incomparable(wte, head) if bits else "their values were not read"
    if not problem and not asked and max(wte.nbytes, head.nbytes) > MOST_UNASKED_BYTES:
        problem = (
            f"they are larger than {MOST_UNASKED_BYTES >> 20} MiB, so that only gpt2calc verify --tying compares them"
        )
    if problem:
        return Tying(OPEN, problem, structure)
    difference, are_zeros = _compared(wte, head)
    verdict, found = (TWICE, _the_same(wte, head)) if difference is None else (UNTIED, difference)
    if difference is None and are_zeros:
        verdict, found = OPEN, ZEROS
    correlated = _pearson(wte, head) if asked and wte.dtype in FLOATS else None
    return Tying(verdict, found, structure, found, correlated)


def _incomparable(wte: StoredTensor, head: StoredTensor) -> str | None:
    """Return why two matrices cannot be compared bit by bit."""
    for tensor in (wte, head):
        if tensor.file is None or tensor.offset is None:
            return f"the values of {tensor.name} lie in {'parts' if tensor.file else 'no file'}"
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


def _rows(wte: StoredTensor, head: StoredTensor) -> tuple[int, int]:
    """Return how many rows the two matrices have, were both stored as [V, d]."""
    return wte.shape[0], head.shape[1] if _is_turned(wte, head) else head.shape[0]


def _the_same(wte: StoredTensor, head: StoredTensor) -> str:
    """Say what is equal: of a padded vocabulary not everything was compared."""
    ours, theirs = _rows(wte, head)
    if ours == theirs:
        return "every bit is the same"
    return f"every bit is the same in the {min(ours, theirs):,} rows that both have, of {max(ours, theirs):,}"


def _compared(wte: StoredTensor, head: StoredTensor) -> tuple[str | None, bool]:
    """Return where the two matrices first differ, row by row, None where they do not, and whether wte is all zeros."""
    size, first, are_zeros = BITS[wte.dtype] // 8, None, wte.numel > 0
    for block, ours, theirs in _blocks(wte, head):
        are_zeros = are_zeros and not ours.strip(b"\0")
        if first and block.row > first[0]:
            break  # what comes now lies below
        if ours != theirs:
            element = _differing(ours, theirs, size)
            here = block.row + element // block.columns, block.column + element % block.columns
            first = min(first, here) if first else here
    return "they first differ in row {:,}, column {:,}".format(*first) if first else None, are_zeros


def _differing(ours: bytes, theirs: bytes, size: int) -> int:
    """Return the first element in which bytes differ that do."""
    low, high = 0, len(ours) // size
    while high - low > 1:
        middle = (low + high) // 2
        if ours[low * size : middle * size] == theirs[low * size : middle * size]:
            low = middle
        else:
            high = middle
    return low


def _blocks(wte: StoredTensor, head: StoredTensor) -> Iterator[tuple[Block, bytes, bytes]]:
    """Yield block after block of both matrices, from the top, as bytes row by row.

    They have whole rows where those are short. Where a head is turned and long both ways they are two by one at most,
    so that neither matrix is read in parts of a few bytes.
    """
    (ours, theirs), width, most = _rows(wte, head), wte.shape[1], AT_ONCE * 8 // BITS[wte.dtype] or 1
    turned = _is_turned(wte, head)
    columns = min(width, max(2 * isqrt(most), most // max(1, theirs)) if turned else most)
    rows, read = max(1, most // max(1, columns)), _turned if turned else _straight
    with LocalFile(wte.file or "") as own, LocalFile(head.file or "") as other:
        for row in range(0, min(ours, theirs) if width else 0, rows):
            for column in range(0, width, columns):
                block = Block(row, min(rows, ours - row, theirs - row), column, min(columns, width - column))
                yield block, _straight(own, wte, block), read(other, head, block)


def _straight(file: LocalFile, tensor: StoredTensor, block: Block) -> bytes:
    """Return a block of a matrix as it is stored, row by row."""
    size, width, begin = BITS[tensor.dtype] // 8, tensor.shape[1], tensor.offset or 0
    if block.columns == width:
        return file.read(begin + block.row * width * size, block.rows * width * size)
    first = begin + (block.row * width + block.column) * size
    return b"".join(file.read(first + row * width * size, block.columns * size) for row in range(block.rows))


def _turned(file: LocalFile, tensor: StoredTensor, block: Block) -> bytes:
    """Return a block of a matrix [V, d] that is stored as [d, V], row by row of the former."""
    row, rows, column, columns = block
    if columns * tensor.shape[1] * BITS[tensor.dtype] <= AT_ONCE * 8:
        read, step = Block(column, columns, 0, tensor.shape[1]), tensor.shape[1]  # one part, where it is a small one
    else:
        read, row, step = Block(column, columns, row, rows), 0, rows
    code, content = CODES[BITS[tensor.dtype]], bytearray(rows * columns * BITS[tensor.dtype] // 8)
    lines, found = memoryview(_straight(file, tensor, read)).cast(code), memoryview(content).cast(code)
    if rows >= FEW_ROWS:
        for line in range(columns):
            found[line::columns] = lines[line * step + row : line * step + row + rows]
    else:
        for line in range(rows):
            found[line * columns : (line + 1) * columns] = lines[row + line :: step]
    return bytes(content)


def _pearson(wte: StoredTensor, head: StoredTensor) -> float | None:
    """Return Pearson's coefficient over all elements that both have, in float64; None where one does not vary.

    Two passes, the first for the means, so that nothing cancels; each block's sums are added up exactly.
    """
    try:
        import numpy as np
    except ImportError:
        raise ConfigError(f"the correlation needs numpy: {install('values')}") from None
    from math import fsum, isfinite, sqrt

    from gpt2calc.verification.decoding import as_float64

    dtype = wte.dtype

    def blocks() -> Iterator[tuple[Any, Any]]:
        for _, ours, theirs in _blocks(wte, head):
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
    xy, xx, yy = (fsum(each[index] for each in moments) for index in range(3))
    if not (xx > 0 and yy > 0):
        return None
    return max(-1.0, min(1.0, xy / sqrt(xx) / sqrt(yy)))  # the root of each: the product may not fit


def _moments(dot: Any, x: Any, y: Any) -> tuple[float, float, float]:
    """Return the sums of x·y, x² and y²."""
    return float(dot(x, y)), float(dot(x, x)), float(dot(y, y))
