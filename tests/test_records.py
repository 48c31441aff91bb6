"""`records.NamedTuple` is what `typing.NamedTuple` is."""

from __future__ import annotations

import pickle
from typing import NamedTuple, get_type_hints

from gpt2calc import records


class Ours(records.NamedTuple):
    """Where it is."""

    x: int
    y: int = 2

    @property
    def both(self) -> int:
        """The sum."""
        return self.x + self.y

    def __call__(self, times: int) -> int:
        """Return a product."""
        return times * self.both


class Theirs(NamedTuple):
    """Where it is."""

    x: int
    y: int = 2


def test_it_has_all_that_typings_own_has() -> None:
    """Fields, defaults, types, words and names."""
    for name in ("_fields", "_field_defaults", "__doc__", "__module__", "__bases__", "__match_args__"):
        assert getattr(Ours, name) == getattr(Theirs, name), name
    assert get_type_hints(Ours) == get_type_hints(Theirs) == {"x": int, "y": int}
    assert Ours.__qualname__ == "Ours"
    assert repr(Ours(1)) == "Ours(x=1, y=2)"
    assert tuple(Ours(1)) == tuple(Theirs(1)) == Ours(1) == (1, 2)
    assert Ours(1)._replace(y=5)._asdict() == {"x": 1, "y": 5}


def test_it_keeps_what_the_class_states() -> None:
    """Properties, methods, and its place, by which a pickle finds it."""
    assert (Ours(1).both, Ours(1)(3)) == (3, 9)
    assert pickle.loads(pickle.dumps(Ours(1, 4))) == Ours(1, 4)
