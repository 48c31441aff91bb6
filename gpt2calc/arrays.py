"""Formulas over numpy int64 arrays, for counting many models at once; nothing wraps silently.

The formulas run on arrays unchanged. What arrays need besides is here: integers narrower than int64 are refused, and so
are sizes whose result would not fit, before anything is multiplied. numpy is a guest: only this file loads it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from gpt2calc import formulas
from gpt2calc.dims import LETTERS, Dims, from_fields
from gpt2calc.errors import ConfigError, Int64OverflowError
from gpt2calc.fields import DEFAULTS, FIELDS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from numpy.typing import NDArray

    Int64Array = NDArray[np.int64]

INT64_MAX = 2**63 - 1


def evaluate(measure: Callable[[Dims], int] = formulas.total, /, **fields: Any) -> Int64Array:
    """Evaluate a formula or a convention on arrays of sizes, exactly.

    Law: no count falls when a size grows, so its value at the largest of each size, in exact integers, bounds all
    others; where that corner does not fit in int64, each model is evaluated in exact integers.

    Args:
        measure: a function of dims, such as `formulas.total` or the value of a convention, that does not fall when a
            size grows.
        fields: sizes as int64 arrays that broadcast against each other, or as ints; the other fields of a config as
            they are there. What is not given is gpt2's.

    Returns:
        An int64 array of the shape that the sizes broadcast to.

    Raises:
        ConfigError: a size is an array of anything but int64, or holds a number that is too small.
        Int64OverflowError: the result for some model is larger than 2⁶³ - 1.

    >>> import numpy as np
    >>> evaluate(n_layer=np.array([12, 24]), n_embd=np.array([768, 1024]))
    array([124439808, 354823168])
    """
    given = {**DEFAULTS, **{name: value for name, value in fields.items() if value is not None}}
    sizes = {name: _int64(name, value) for name, value in given.items() if name in LETTERS}
    switches = {name: value for name, value in given.items() if name not in LETTERS}
    shape = np.broadcast_shapes(*(array.shape for array in sizes.values()))

    def exactly(numbers: Iterable[Any]) -> int:
        """Return the largest number that comes up for one model, in Python's own integers."""
        dims = from_fields({**dict(zip(sizes, map(int, numbers), strict=True)), **switches})
        return max(measure(dims), formulas.total(dims))

    if 0 not in shape and exactly(array.max() for array in sizes.values()) > INT64_MAX:
        for numbers in zip(*(array.flat for array in np.broadcast_arrays(*sizes.values())), strict=True):
            _refuse(sizes, numbers, exactly(numbers))
    return np.broadcast_to(np.asarray(measure(from_fields({**sizes, **switches})), dtype=np.int64), shape)


def _refuse(sizes: Iterable[str], numbers: Iterable[Any], count: int) -> None:
    if count > INT64_MAX:
        told = ", ".join(f"{name} {number:,}" for name, number in zip(sizes, numbers, strict=True))
        raise Int64OverflowError(f"{count:,} does not fit in int64 ({told}): count this model with Python's integers")


def _int64(name: str, value: Any) -> Int64Array:
    if isinstance(value, int) and not isinstance(value, bool):
        if value > INT64_MAX:
            raise Int64OverflowError(f"{name} {value:,} does not fit in int64: count this model with Python's integers")
        value = np.int64(value)
    array: Int64Array = np.asarray(value)
    if array.dtype != np.int64:
        raise ConfigError(f"{name} must be an int64 array, got {array.dtype}", field=name, got=value)
    least = FIELDS[name].least
    if array.size and array.min() < least:
        raise ConfigError(f"{name} must be {least} or more, got {array.min()}", field=name, got=value)
    return array
