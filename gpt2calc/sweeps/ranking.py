"""`Best`: the first rows of an order, of rows that come in pieces; memory grows with how many are wanted, not with all.

It must not know what a key is, beyond that it is a number that is not below 0.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

    Int64Array = NDArray[np.int64]

MOST_CANDIDATE_ROWS = 2**16
"""When so many candidates for the first rows have come together, those that are behind are let go."""


class Best:
    """Rows with the keys that order them, of which the first `top` are kept; equal keys keep the order of the rows."""

    def __init__(self, descending: bool, top: int | None) -> None:  # noqa: FBT001  # one of two facts of an order
        self.descending, self.top = descending, top
        self.parts: list[tuple[Int64Array, Any, Mapping[str, Any]]] = []
        self.count = 0
        self.bar: Any = None

    def offer(self, rows: Int64Array, keys: Any, columns: Mapping[str, Any]) -> None:
        """Take rows, which come after all that were offered before, with columns that go with them."""
        numbers = keys.astype(np.int64) if keys.dtype == bool else keys
        self.merge(rows, -numbers if self.descending else numbers, columns)  # no key is below 0, so none wraps

    def merge(self, rows: Int64Array, ranked: Any, columns: Mapping[str, Any]) -> None:
        """Take what other rows came to, which come after all that were offered before."""
        if self.bar is not None:
            better = ranked < self.bar
            rows, ranked, columns = rows[better], ranked[better], {k: v[better] for k, v in columns.items()}
        self.parts.append((rows, ranked, columns))
        self.count += len(rows)
        if self.top is not None and self.count > self.top + MOST_CANDIDATE_ROWS:
            self.taken()

    def taken(self) -> tuple[Int64Array, Any, dict[str, Any]]:
        """Return the rows in order, what ranks them, the least first, and their columns."""
        if not self.parts:
            return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64), {}
        rows, ranked = (np.concatenate([part[place] for part in self.parts]) for place in (0, 1))
        near = np.arange(len(rows))
        if self.top is not None and self.top < len(rows):
            near = np.flatnonzero(ranked <= np.partition(ranked, self.top - 1)[self.top - 1])
        first = near[np.lexsort((rows[near], ranked[near]))][: self.top]
        columns = {k: np.concatenate([part[2][k] for part in self.parts])[first] for k in self.parts[0][2]}
        self.parts, self.count = [(rows[first], ranked[first], columns)], len(first)
        if self.count == self.top:
            self.bar = ranked[first[-1]]
        return self.parts[0][0], self.parts[0][1], columns
