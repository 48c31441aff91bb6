"""`Best`: the first rows of an order, of rows that come in pieces; memory grows with how many are wanted, not with all.

It must not know what a key is, beyond that it is a number that is not below 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Int64Array = NDArray[np.int64]

GROUP = 64
"""How many keys are looked at as one, to let most of them go before any are sorted."""

MOST_CANDIDATE_ROWS = 2**16
"""When so many candidates for the first rows have come together, those that are behind are let go."""


class Best:
    """Rows with the keys that order them, of which the first `top` are kept; equal keys keep the order of the rows."""

    def __init__(self, descending: bool, top: int | None) -> None:  # noqa: FBT001  # one of two facts of an order
        self.descending, self.top = descending, top
        self.rows: list[Int64Array] = []
        self.keys: list[Any] = []
        self.count = 0
        self.bar: Any = None

    def offer(self, rows: Int64Array, keys: Any) -> None:
        """Take rows, which come after all that were offered before."""
        ranked = _ranked(keys, descending=self.descending)
        if self.bar is not None:
            better = np.flatnonzero(ranked < self.bar)
            rows, ranked = rows[better], ranked[better]
        if self.top is not None and len(rows) >= GROUP * self.top:
            near = np.flatnonzero(ranked <= _limit(ranked, self.top))
            rows, ranked = rows[near], ranked[near]
        if len(rows):
            self.merge(rows, ranked)

    def taken(self) -> tuple[Int64Array, dict[str, Any], Any]:
        """Return the rows in order, no columns, and what ranks them: the least comes first."""
        if not self.rows:
            return np.empty(0, dtype=np.int64), {}, np.empty(0, dtype=np.int64)
        self._settle()
        return self.rows[0], {}, self.keys[0]

    def merge(self, rows: Int64Array, ranked: Any) -> None:
        """Take what other rows came to, which come after all that were offered before."""
        self.rows.append(rows)
        self.keys.append(ranked)
        self.count += len(rows)
        if self.top is not None and self.count > self.top + MOST_CANDIDATE_ROWS:
            self._settle()

    def _settle(self) -> None:
        rows, ranked = np.concatenate(self.rows), np.concatenate(self.keys)
        if self.top is not None and 0 < self.top < len(rows):
            near = ranked <= np.partition(ranked, self.top - 1)[self.top - 1]
            rows, ranked = rows[near], ranked[near]
        order = np.lexsort((rows, ranked))[: self.top]
        self.rows, self.keys, self.count = [rows[order]], [ranked[order]], len(order)
        if self.top is not None and self.count == self.top:
            self.bar = ranked[order[-1]] if self.top else None


def _ranked(keys: Any, *, descending: bool) -> Any:
    """Return new numbers of which the least belongs to the key that comes first; no key is below 0, so none wraps."""
    numbers = keys.astype(np.int64) if keys.dtype == bool else keys
    return -numbers if descending else numbers.copy()


def _limit(ranked: Any, top: int) -> Any:
    """Return a number that the first few do not pass: as many groups have a least one that does not, each another.

    >>> int(_limit(np.arange(1000), 2))
    64
    """
    least = ranked[: len(ranked) // GROUP * GROUP].reshape(-1, GROUP).min(axis=1)
    return np.partition(least, top - 1)[top - 1]
