"""Arithmetic of int64 and float64 arrays that agrees with Python's own numbers where numpy would round.

numpy turns an int64 beside a float64 into a float64, which has 53 bits; Python compares the two exactly, and rounds the
quotient of two integers once. So where an integer is beyond 53 bits, Python's own numbers are asked, one by one.
"""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

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


def quotient(part: Any, whole: Any) -> Any:
    """Return part / whole as float64, each the number nearest to the exact quotient, as Python's own `/` gives it.

    >>> quotient(np.array([1, 2**63 - 1]), np.array([3, 2**62 + 1])).tolist() == [1 / 3, (2**63 - 1) / (2**62 + 1)]
    True
    """
    if _is_beyond(part) or _is_beyond(whole):
        return np.true_divide(np.asarray(part, dtype=object), np.asarray(whole, dtype=object)).astype(np.float64)
    return np.true_divide(part, whole)


def compare(sign: str, left: Any, right: Any) -> Any:
    """Compare numbers as Python does, exactly also where one is an integer and the other is not.

    >>> compare("<", np.array([2**53, 2**53 + 1]), float(2**53 + 1)).tolist(), compare("==", 2**53 + 1, float(2**53))
    ([False, False], False)
    """
    are_arrays = isinstance(left, np.ndarray) or isinstance(right, np.ndarray)
    if are_arrays and (_is_beyond(left) or _is_beyond(right)):
        left, right = (np.asarray(each, dtype=object) for each in (left, right))
    return COMPARED[sign](left, right)


def _is_beyond(values: Any) -> bool:
    """Whether there is an integer that no float64 may stand for."""
    array = np.asarray(values)
    return array.dtype.kind not in "fb" and array.size > 0 and max(-int(array.min()), int(array.max())) > EXACT
