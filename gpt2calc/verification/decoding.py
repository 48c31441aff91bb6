"""From the bytes of a tensor to float64, in every dtype that the parameters of a GPT-2 come in. Needs numpy."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy import float64
    from numpy.typing import NDArray

NATIVE = {"F64": "<f8", "F32": "<f4", "F16": "<f2"}
"""The dtypes that numpy has itself, little-endian as in every checkpoint."""

EIGHT_BITS = {"F8_E4M3": (4, 3), "F8_E5M2": (5, 2)}
"""The bits of exponent and mantissa. E4M3 is that of PyTorch and ONNX, which has no Inf.

Source: arXiv 2209.05433, FP8 Formats for Deep Learning; PyTorch, Float8_e4m3fn.h and Float8_e5m2.h.
"""


def as_float64(content: bytes, dtype: str) -> NDArray[float64]:
    """Return numbers as float64, which holds each of them exactly.

    Args:
        content: the bytes of whole numbers.
        dtype: one of `listing.FLOATS`.

    >>> as_float64(bytes((0x80, 0x3F, 0x00, 0xC0)), "BF16").tolist()
    [1.0, -2.0]
    """
    import numpy as np  # the guest of this file, of tying and of values

    with np.errstate(invalid="ignore"):  # a NaN may be one that signals, and stays a NaN
        if dtype in NATIVE:
            return np.frombuffer(content, NATIVE[dtype]).astype(np.float64)
        if dtype == "BF16":
            return (np.frombuffer(content, "<u2").astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    found: NDArray[float64] = eight_bits(dtype)[np.frombuffer(content, np.uint8)]
    return found


@cache
def eight_bits(dtype: str) -> Any:
    """Return the 256 numbers of a dtype of eight bits, in the order of their bits."""
    import numpy as np  # as above

    exponents, mantissas = EIGHT_BITS[dtype]
    bias, least = 2 ** (exponents - 1) - 1, 2.0**-mantissas
    numbers = []
    for bits in range(256):
        exponent, mantissa = bits >> mantissas & (2**exponents - 1), bits & (2**mantissas - 1)
        size = (1 + mantissa * least) * 2.0 ** (exponent - bias) if exponent else mantissa * least * 2.0 ** (1 - bias)
        if dtype == "F8_E4M3":
            size = float("nan") if bits & 127 == 127 else size
        elif exponent == 2**exponents - 1:
            size = float("nan") if mantissa else float("inf")
        numbers.append(-size if bits >> 7 else size)
    return np.array(numbers)
