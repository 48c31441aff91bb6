"""Cases that cost less than to find and report them: one test tries them all, and names the one that fails."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable


def of_each(name: str, values: Iterable[Any]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what makes a test of one value a test of all; where one fails, a note says which, and the rest is tried.

    Args:
        name: the parameter of the test that the value is.
        values: at least one; fixtures are the same for all of them, so the test must leave them as they were.
    """
    every = tuple(values)
    assert every, f"there is no {name}"

    def looped(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def tried(*args: Any, **fixtures: Any) -> None:
            failed = []
            for value in every:
                try:
                    test(*args, **fixtures, **{name: value})
                except AssertionError as error:
                    error.add_note(f"where {name} is {value!r}")
                    failed.append(error)
            if len(failed) == 1:
                raise failed[0]
            if failed:
                raise ExceptionGroup(f"{len(failed)} of {len(every)}", failed)

        asked = inspect.signature(test)
        rest = [each for each in asked.parameters.values() if each.name != name]
        tried.__signature__ = asked.replace(parameters=rest)  # type: ignore[attr-defined]  # what pytest gives
        return tried

    return looped
