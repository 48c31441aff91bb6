"""The values of a checkpoint, read once in pieces: statistics for each component, weights and biases apart."""

from __future__ import annotations

import os
from itertools import groupby
from math import isfinite
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.checkpoints.layout import row_major
from gpt2calc.errors import ConfigError, UnreadableInputError, install
from gpt2calc.listing import FLOATS
from gpt2calc.model import BIAS, WEIGHT
from gpt2calc.table import Percent, Real, Table

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from io import FileIO

    from gpt2calc.listing import StoredTensor, TensorListing
    from gpt2calc.table import Cell
    from gpt2calc.verification.streaming import Narrow, Scratch, Summary, Wide

PIECE = 1 << 20
"""How many bytes are read at a time: as many as the processor's caches hold with what is made of them."""

AHEAD = 16
"""How many pieces the system is asked to have ready, so that the disk and the processor do not wait for each other."""

MOST_SHOWN_EXPONENTS = 16
"""How many powers of two a person is shown; JSON has all."""

NARROW = ("F16", "BF16", "F8_E4M3", "F8_E5M2")


class ComponentStatistics(NamedTuple):
    """The statistics of one component's weights or biases, in one dtype.

    The mean and the standard deviation of float64 near its bounds may not fit: they are left out then.
    """

    component: str
    role: str
    dtype: str
    summary: Summary

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it; what no finite number says, or float64 does not hold, is None."""
        x = self.summary
        known = {"mean": x.mean, "std": x.std, "min": x.least, "max": x.largest} if x.finite else {}
        known = {name: value for name, value in known.items() if isfinite(value)}
        return {
            "name": self.component,
            "role": self.role,
            "dtype": self.dtype,
            "count": x.count,
            **{name: known.get(name) for name in ("mean", "std", "min", "max")},
            "zeros": x.zeros,
            "nan": x.nans,
            "inf": x.positive_infinities,
            "negative_inf": x.negative_infinities,
            "histogram": [{"exponent": e, "count": x.exponents[e]} for e in sorted(x.exponents)],
        }


class ValueReport:
    """What the values of a checkpoint are like.

    Args:
        parts: by component, role and dtype.
        passed_over: why tensors were not read, by name.
    """

    def __init__(self, parts: tuple[ComponentStatistics, ...], passed_over: Mapping[str, str]) -> None:
        self.parts, self.passed_over = parts, dict(passed_over)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it."""
        return {
            "components": [part.to_dict() for part in self.parts],
            "passed_over": [{"tensor": name, "why": why} for name, why in self.passed_over.items()],
        }

    def tables(self) -> list[Table]:
        """Lay the statistics out, and how large the numbers are."""
        rows = tuple(map(_row, self.parts))
        headers = ("values", "role", "mean", "std", "min", "max", "zeros", "NaN", "Inf")
        tables = [Table("", headers, rows)] if rows else []
        sizes = self._sizes()
        if sizes:
            tables.append(Table("", ("size of a value", "weights", "share", "biases", "share"), sizes))
        if self.passed_over:
            tables.append(Table("", ("not read", "why"), tuple(self.passed_over.items())))
        return tables

    def _sizes(self) -> tuple[tuple[Cell, ...], ...]:
        """Return how many weights and biases lie between two powers of two, the largest first."""
        counts: dict[str, dict[int, int]] = {WEIGHT: {}, BIAS: {}}
        for part in self.parts:
            own = counts[part.role]
            for exponent, many in part.summary.exponents.items():
                own[exponent] = own.get(exponent, 0) + many
        weights, biases = counts[WEIGHT], counts[BIAS]
        whole = sum(weights.values()), sum(biases.values())
        exponents = sorted({*weights, *biases}, reverse=True)

        def row(what: str, those: list[int]) -> tuple[Cell, ...]:
            many = [sum(own.get(exponent, 0) for exponent in those) for own in (weights, biases)]
            return what, many[0], Percent(many[0], whole[0]), many[1], Percent(many[1], whole[1])

        shown, rest = exponents[:MOST_SHOWN_EXPONENTS], exponents[MOST_SHOWN_EXPONENTS:]
        rows = [row(f"2^{exponent} to 2^{exponent + 1}", [exponent]) for exponent in shown]
        return tuple([*rows, row(f"less than 2^{shown[-1]}, not 0", rest)] if rest else rows)


def _row(part: ComponentStatistics) -> tuple[Cell, ...]:
    x = part.summary
    known: tuple[Cell, ...] = ("", "", "", "")
    if x.finite:
        known = tuple(Real(value) if isfinite(value) else "" for value in (x.mean, x.std, x.least, x.largest))
    infinities = x.positive_infinities + x.negative_infinities
    return part.component, part.role, *known, Percent(x.zeros, x.count), x.nans, infinities


def report(
    listing: TensorListing,
    roles: Mapping[str, tuple[str, str]],
    progress: Callable[[int, int], None] | None = None,
) -> ValueReport:
    """Read the values of a checkpoint's parameters, each once, and return their statistics.

    Law: mean and standard deviation are over all finite numbers; counts are exact.

    Args:
        listing: what the checkpoint holds, in files on this machine.
        roles: component and role of each tensor that is read, by its name.
        progress: called with the bytes that were read and those that there are.

    Raises:
        ConfigError: numpy is missing, or there is no tensor whose numbers can be read.
        UnreadableInputError: the values are not there.
    """
    try:
        import numpy as np  # noqa: F401  # asked for here, before a file is opened
    except ImportError:
        raise ConfigError(f"statistics of values need numpy: {install('values')}") from None
    passed_over = {x.name: why for x in listing.tensors if x.name in roles and (why := _unreadable(x))}
    tensors = [tensor for tensor in listing.tensors if tensor.name in roles and tensor.name not in passed_over]
    if not tensors and passed_over:
        name, why = next(iter(passed_over.items()))
        raise ConfigError(f"there are no values to read: {name} {why}")
    tensors.sort(key=lambda tensor: (tensor.file or "", tensor.offset or 0))
    from gpt2calc.verification.streaming import Scratch  # needs numpy

    adders: dict[tuple[str, str, str], Wide | Narrow] = {}
    scratch = Scratch(PIECE)
    done, whole = 0, sum(tensor.nbytes for tensor in tensors)
    for tensor, piece in _pieces(tensors):
        key = (*roles[tensor.name], tensor.dtype)
        if key not in adders:
            adders[key] = _adder(tensor.dtype, scratch)
        adders[key].add(piece)
        done += len(piece)
        if progress:
            progress(done, whole)
    components = list(dict.fromkeys(component for component, _ in roles.values()))
    keys = sorted(adders, key=lambda key: (components.index(key[0]), key[1] == BIAS))
    return ValueReport(tuple(ComponentStatistics(*key, adders[key].summary) for key in keys), passed_over)


def _unreadable(tensor: StoredTensor) -> str | None:
    """Return why a tensor's numbers are not read."""
    if tensor.dtype not in FLOATS:
        return f"is {tensor.dtype}, whose values are not decoded"
    if tensor.stride is not None and not _side_by_side(tensor.shape, tensor.stride):
        return "is a view, whose elements do not lie side by side"
    if tensor.file is None or tensor.offset is None:
        return "lies in no file"
    return None


def _side_by_side(shape: tuple[int, ...], stride: tuple[int, ...]) -> bool:
    """Whether a tensor's elements are its storage's, each once and in any order, as those of a transposed one are."""
    axes = sorted(zip(stride, shape, strict=True), reverse=True)
    return row_major(tuple(size for _, size in axes), tuple(step for step, _ in axes))


def _adder(dtype: str, scratch: Scratch) -> Wide | Narrow:
    from gpt2calc.verification.streaming import Narrow, Wide  # needs numpy

    return Narrow(dtype) if dtype in NARROW else Wide(dtype, scratch)


def _pieces(tensors: Iterable[StoredTensor]) -> Iterator[tuple[StoredTensor, memoryview]]:
    """Yield the bytes of tensors piece by piece, in one buffer: they are good until the next are asked for."""
    buffer, ahead = memoryview(bytearray(PIECE)), AHEAD * PIECE
    for path, held in groupby(tensors, lambda tensor: tensor.file or ""):
        try:
            with open(path, "rb", buffering=0) as file:
                asked = 0
                for tensor, start, count in _places(held):
                    if start + count > asked and hasattr(os, "posix_fadvise"):
                        os.posix_fadvise(file.fileno(), start, 2 * ahead, os.POSIX_FADV_WILLNEED)
                        asked = start + ahead
                    _fill(file, start, buffer[:count])
                    yield tensor, buffer[:count]
        except OSError as error:
            raise UnreadableInputError(path, f"cannot be read: {error.strerror}") from None


def _places(tensors: Iterable[StoredTensor]) -> Iterator[tuple[StoredTensor, int, int]]:
    """Yield the pieces of tensors: the tensor, the offset in its file, and how many bytes."""
    for tensor in tensors:
        begin, end = tensor.offset or 0, (tensor.offset or 0) + tensor.nbytes
        for start in range(begin, end, PIECE):
            yield tensor, start, min(PIECE, end - start)


def _fill(file: FileIO, start: int, piece: memoryview) -> None:
    """Read the bytes of a file from `start` on."""
    file.seek(start)
    while piece:
        got = file.readinto(piece)
        if not got:
            raise UnreadableInputError(str(file.name), "it became shorter while it was read")
        piece = piece[got:]
