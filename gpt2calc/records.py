"""`NamedTuple`, for the rows of the tables that a count loads: `typing`'s own for type checkers, and as fast to load.

`typing` and what it loads take as long as counting does, so nothing that a plain count loads imports it, except under
TYPE_CHECKING; `tests/test_imports.py` says so. What is loaded later uses `typing.NamedTuple`, which is the same.
"""

from __future__ import annotations

from collections import namedtuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import NamedTuple
else:

    class _Record(type):
        """What makes of a class its fields a named tuple of `collections`, which has all else that the class states."""

        def __new__(cls, name: str, _: tuple[type, ...], stated: dict[str, object]) -> type:
            fields = stated["__annotations__"]
            defaults = [stated[field] for field in fields if field in stated]
            made = namedtuple(  # noqa: PYI024  # which is what it is for
                name, fields, defaults=defaults, module=stated["__module__"]
            )
            for key, value in stated.items():
                if key not in fields:
                    setattr(made, key, value)
            return made

    NamedTuple = type.__new__(_Record, "NamedTuple", (), {})

__all__ = ["NamedTuple"]
