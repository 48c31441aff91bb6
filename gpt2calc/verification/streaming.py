"""Statistics of numbers that come in pieces: moments, extremes, and how many of each size. Needs numpy.

Counts are exact integers. It must not know where numbers come from.
"""

from __future__ import annotations

from math import frexp, inf, sqrt
from typing import TYPE_CHECKING, Any

from gpt2calc.verification.decoding import EIGHT_BITS, as_float64, eight_bits

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy import float64
    from numpy.typing import NDArray

EXPONENTS = {"F32": ("<u4", 23, 0xFF), "F64": ("<u8", 52, 0x7FF)}
"""Where the exponent of a wide float lies: its bits as an integer, the bits of the mantissa, and the largest exponent,
which NaN and Inf have.
"""

ROW = 2048
"""How many numbers are multiplied and added up at a time."""

CANCELS = 1e-6
"""Where the squares about the mean are a smaller part of the squares than this, they are summed about the mean anew."""


class Summary:
    """What is known of the numbers that were added so far.

    `exponents` has how many numbers there are from 2^e up to 2^(e + 1), in absolute value; `mean` and `std` are of the
    finite numbers, the latter over all of them and not an estimate from a sample.
    """

    def __init__(self) -> None:
        self.count = self.zeros = self.nans = self.positive_infinities = self.negative_infinities = 0
        self.finite = 0
        self.mean = self.squares = 0.0
        self.least, self.largest = inf, -inf
        self.exponents: dict[int, int] = {}

    @property
    def std(self) -> float:
        """The standard deviation of the finite numbers."""
        return sqrt(self.squares / self.finite) if self.finite else 0.0

    def tally(self, exponents: Mapping[int, int]) -> None:
        """Count numbers by their exponents."""
        for exponent, count in exponents.items():
            self.exponents[exponent] = self.exponents.get(exponent, 0) + count

    def merge(self, count: int, mean: float, squares: float, least: float, largest: float) -> None:
        """Take in so many more finite numbers, with their mean, their squares about it, and their extremes.

        Source: Chan, Golub, LeVeque 1979, Updating Formulae and a Pairwise Algorithm for Computing Sample Variances.
        """
        if not count:
            return
        whole, apart = self.finite + count, mean - self.mean
        self.squares += squares + apart * apart * (self.finite / whole) * count
        self.mean += apart * (count / whole)
        self.finite = whole
        self.least, self.largest = min(self.least, least), max(self.largest, largest)


class Scratch:
    """Memory for what is made of a piece: all that are used in turn can share one.

    Args:
        most: how many bytes a piece has at most.
    """

    def __init__(self, most: int) -> None:
        import numpy as np  # the guest of the files that read values

        self.double, self.ones = np.empty(most // 4, np.float64), np.ones((ROW, 1), np.float64)
        self.bits, self.eight = np.empty(most // 8, np.uint64), np.empty(most // 4, np.uint8)


class Wide:
    """Takes in numbers of 32 or 64 bits, a piece at a time.

    Args:
        dtype: F32 or F64.
        scratch: for pieces as large as they come.
    """

    def __init__(self, dtype: str, scratch: Scratch) -> None:
        import numpy as np  # as above

        self._np, self._summary, self._scratch = np, Summary(), scratch
        self._kind, self._shift, self._special = EXPONENTS[dtype]
        self._pairs, self._singles = np.zeros(1 << 16, np.int64), np.zeros(self._special + 1, np.int64)

    def add(self, content: memoryview) -> None:
        """Take in the bytes of whole numbers."""
        bits = self._np.frombuffer(content, self._kind)
        numbers = bits.view(bits.dtype.str.replace("u", "f"))
        if not numbers.size:
            return
        smallest, special = self._count_exponents(bits)
        self._summary.count += numbers.size
        if special:
            self._count_special(numbers, special)
            numbers = numbers[self._np.isfinite(numbers)]
        if numbers.size:
            self._add_up(numbers)
        if smallest:
            self._count_smallest(numbers)

    @property
    def summary(self) -> Summary:
        """What is known of the numbers that were added so far."""
        square = self._pairs.reshape(256, 256)
        counts = self._singles + (square.sum(0) + square.sum(1) if self._special == 255 else 0)
        bias = self._special // 2
        self._summary.tally({e - bias: int(counts[e]) for e in range(1, self._special) if counts[e]})
        self._pairs[:], self._singles[:] = 0, 0
        return self._summary

    def _count_exponents(self, bits: Any) -> tuple[int, int]:
        """Count numbers by their stored exponents; return how many of them have the smallest and the largest.

        Two exponents of 8 bits are counted as one number of 16, since what takes time is a number and not its size.
        """
        np, size = self._np, bits.size
        shifted = np.right_shift(bits, self._shift, out=self._scratch.bits.view(bits.dtype)[:size])
        if self._special > 255:
            counts = np.bincount((shifted & self._special).astype(np.uint16), minlength=self._special + 1)
            self._singles += counts
            return int(counts[0]), int(counts[-1])
        exponents = self._scratch.eight[:size]
        np.copyto(exponents, shifted, casting="unsafe")  # the sign is the ninth bit, and falls off
        even = size // 2 * 2
        pairs = np.bincount(exponents[:even].view(np.uint16), minlength=1 << 16)
        singles = np.bincount(exponents[even:], minlength=256)
        self._pairs += pairs
        self._singles += singles
        square = pairs.reshape(256, 256)
        smallest, special = (int(square[e].sum() + square[:, e].sum() + singles[e]) for e in (0, 255))
        return smallest, special

    def _count_special(self, numbers: Any, special: int) -> None:
        np, found = self._np, self._summary
        nans, positive = int(np.count_nonzero(np.isnan(numbers))), int(np.count_nonzero(numbers == inf))
        found.nans += nans
        found.positive_infinities += positive
        found.negative_infinities += special - nans - positive

    def _count_smallest(self, numbers: Any) -> None:
        """Count zeros, and numbers so small that their mantissas say their exponents."""
        np = self._np
        small = numbers[np.abs(numbers) < 2.0 ** (1 - self._special // 2)].astype(np.float64)
        zeros = small.size - int(np.count_nonzero(small))
        self._summary.zeros += zeros
        if zeros < small.size:
            self._summary.tally(_exponents(small[small != 0], np.ones(small.size - zeros, np.int64)))

    def _add_up(self, numbers: Any) -> None:
        """Take in finite numbers. Sums are dot products, which take a fraction of the time of numpy's sums."""
        np, size = self._np, numbers.size
        double = self._scratch.double[:size]
        double[:] = numbers
        with np.errstate(over="ignore", invalid="ignore"):  # the squares of the largest float64 do not fit
            mean = self._dot(double) / size
            whole = self._dot(double, double)
            squares = whole - mean * mean * size
            if squares <= CANCELS * whole:
                double -= mean
                squares = self._dot(double, double)
        self._summary.merge(size, mean, max(squares, 0.0), float(numbers.min()), float(numbers.max()))

    def _dot(self, x: Any, y: Any = None) -> float:
        """Return the dot product with y, or with ones, which is the sum.

        It is made row by row: one of more than some thousand numbers is given to several threads, which wait for each
        other longer than the product takes.
        """
        np, whole, ones = self._np, x.size // ROW * ROW, self._scratch.ones
        rows = np.matmul(x[:whole].reshape(-1, 1, ROW), ones if y is None else y[:whole].reshape(-1, ROW, 1))
        rest = x[whole:]
        return float(rows.sum()) + float(np.dot(rest, ones[: rest.size, 0] if y is None else y[whole:]))


class Narrow:
    """Takes in numbers of 16 or 8 bits by counting how often each pattern of bits occurs: nothing is rounded."""

    def __init__(self, dtype: str) -> None:
        import numpy as np  # as above

        self._np, self._dtype = np, dtype
        self._counts = np.zeros(1 << (8 if dtype in EIGHT_BITS else 16), np.int64)

    def add(self, content: memoryview) -> None:
        """Take in the bytes of whole numbers."""
        np = self._np
        if self._dtype not in EIGHT_BITS:
            self._counts += np.bincount(np.frombuffer(content, "<u2"), minlength=1 << 16)
            return
        patterns = np.frombuffer(content, np.uint8)
        even = patterns.size // 2 * 2
        pairs = np.bincount(patterns[:even].view(np.uint16), minlength=1 << 16).reshape(256, 256)
        self._counts += pairs.sum(0) + pairs.sum(1) + np.bincount(patterns[even:], minlength=256)

    @property
    def summary(self) -> Summary:
        """What is known of the numbers that were added so far."""
        np, counts, found = self._np, self._counts, Summary()
        numbers = _patterns(self._dtype)
        found.count = int(counts.sum())
        found.nans = int(counts[np.isnan(numbers)].sum())
        found.positive_infinities, found.negative_infinities = (int(counts[numbers == x].sum()) for x in (inf, -inf))
        found.zeros = int(counts[numbers == 0].sum())
        held = np.isfinite(numbers) & (counts > 0)
        values, times = numbers[held], counts[held]
        if values.size:
            whole = int(times.sum())
            mean = float(np.dot(values, times / whole))
            squares = float(np.dot(np.square(values - mean), times.astype(np.float64)))
            found.merge(whole, mean, squares, float(values.min()), float(values.max()))
            found.tally(_exponents(values[values != 0], times[values != 0]))
        return found


def _patterns(dtype: str) -> NDArray[float64]:
    """Return the number that each pattern of bits is."""
    import numpy as np  # as above

    if dtype in EIGHT_BITS:
        found: NDArray[float64] = eight_bits(dtype)
        return found
    return as_float64(np.arange(1 << 16, dtype="<u2").tobytes(), dtype)


def _exponents(values: Any, times: Any) -> dict[int, int]:
    """Count finite numbers that are not 0 by the power of two that they reach."""
    found: dict[int, int] = {}
    for value, many in zip(values.tolist(), times.tolist(), strict=True):
        exponent = frexp(value)[1] - 1
        found[exponent] = found.get(exponent, 0) + many
    return found
