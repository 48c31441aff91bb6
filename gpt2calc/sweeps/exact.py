"""Arithmetic of int64 and float64 arrays that agrees with Python's own numbers where numpy would round.

numpy turns an int64 beside a float64 into a float64, which has 53 bits; Python compares the two exactly, and rounds the
quotient of two integers once. Here arrays do as Python does. Values that are the same for all models stay Python's.
"""

from __future__ import annotations

import math
import operator
from typing import TYPE_CHECKING, Any

import numpy as np

from gpt2calc.sweeps.axes import INT64_MAX

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

EXACT = 2**53
"""Integers up to this are float64 numbers as they are."""

COMPARED: dict[str, Callable[[Any, Any], Any]] = {
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
}
MIRRORED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}


def quotient(part: Any, whole: Any) -> Any:
    """Return part / whole as float64, each the number nearest to the exact quotient, as Python's own `/` gives it.

    >>> quotient(np.array([1, 2**63 - 1]), np.array([3, 2**62 + 1])).tolist() == [1 / 3, (2**63 - 1) / (2**62 + 1)]
    True
    """
    if not isinstance(part, np.ndarray) and not isinstance(whole, np.ndarray):
        return part / whole
    parts, wholes = np.broadcast_arrays(np.asarray(part), np.asarray(whole))
    found: NDArray[np.float64] = np.true_divide(parts, wholes)
    if np.issubdtype(parts.dtype, np.floating) or np.issubdtype(wholes.dtype, np.floating):
        return found
    if max(_largest(part), _largest(whole)) > EXACT:
        for index in np.flatnonzero((np.abs(parts) > EXACT) | (np.abs(wholes) > EXACT)):
            found.flat[index] = int(parts.flat[index]) / int(wholes.flat[index])
    return found


def _largest(values: Any) -> int:
    array = np.asarray(values)
    return max(-int(array.min()), int(array.max())) if array.size else 0


def compare(sign: str, left: Any, right: Any) -> Any:
    """Compare numbers as Python does, exactly also where one is an integer and the other is not.

    >>> compare("<", np.array([2**53, 2**53 + 1]), float(2**53 + 1)).tolist(), compare("==", 2**53 + 1, float(2**53))
    ([False, False], False)
    """
    kinds = _kind(left), _kind(right)
    if kinds in (("scalar", "i"), ("scalar", "f"), ("f", "i")):
        return compare(MIRRORED[sign], right, left)
    if kinds == ("i", "f"):
        return _with_numbers(sign, left, right)
    if kinds == ("i", "scalar"):
        return _with_number(sign, left, right)
    return COMPARED[sign](left, right)


def _kind(values: Any) -> str:
    return values.dtype.kind if isinstance(values, np.ndarray) else "scalar"


def _with_number(sign: str, left: NDArray[np.int64], right: float) -> Any:
    """Compare integers with one number, by the integer that lies on the same side of them."""
    if not -INT64_MAX - 1 <= right <= INT64_MAX:  # all integers are on one side of it, and so is 0
        return np.full(left.shape, COMPARED[sign](0, right))
    # n < 2.5 says n < 3, and n <= 2.5 says n <= 2: so no integer becomes a float.
    whole = math.ceil(right) if sign in ("<", ">=") else math.floor(right)
    if sign in ("==", "!=") and whole != right:
        return np.full(left.shape, sign == "!=")
    return COMPARED[sign](left, whole) if whole <= INT64_MAX else np.full(left.shape, COMPARED[sign](0, whole))


def _with_numbers(sign: str, left: NDArray[np.int64], right: NDArray[np.float64]) -> Any:
    """Compare integers with numbers, one by one."""
    if _largest(left) <= EXACT:
        return COMPARED[sign](left, right)
    nearest = np.ceil(right) if sign in ("<", ">=") else np.floor(right)
    above, below = nearest >= 2.0**63, nearest < -(2.0**63)
    inside = ~(above | below | np.isnan(right))
    if sign in ("==", "!="):
        inside &= nearest == right
    found = COMPARED[sign](left, np.where(inside, nearest, 0).astype(np.int64))
    # Where no int64 stands for the number, 0 is compared in its place: with an infinity, or with nan, which equals
    # nothing.
    outside = COMPARED[sign](
        0, np.where(above, np.inf, np.where(below, -np.inf, np.where(nearest == right, 0.5, np.nan)))
    )
    return np.where(inside, found, outside)
