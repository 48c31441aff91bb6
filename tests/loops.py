"""Cases that cost less than to find and report them: one test tries them all, and names the one that fails."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.mark import ParameterSet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

MOST_CHARACTERS = 300
"""Of a value that is named: some are whole files."""


def of_each(
    names: str, values: Iterable[Any], ids: Iterable[str] | None = None
) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return what makes a test of one value a test of all; where one fails, a note says which, and the rest is tried.

    Args:
        names: the parameter of the test that the value is; of several, with commas between them, each value has one.
        values: at least one, or what `pytest.param` makes of one and its name; fixtures are the same for all of them,
            so the test must leave them as they were.
        ids: what each value is called, where it does not say so itself.
    """
    parameters = tuple(name.strip() for name in names.split(","))
    alone = len(parameters) == 1
    given = [each if isinstance(each, ParameterSet) else pytest.param(*([each] if alone else each)) for each in values]
    every = [dict(zip(parameters, each.values, strict=True)) for each in given]
    called = [each.id for each in given] if ids is None else [*ids]
    assert every, f"there is no {names}"

    def looped(test: Callable[..., None]) -> Callable[..., None]:
        @functools.wraps(test)
        def tried(*args: Any, **fixtures: Any) -> None:
            failed: list[BaseException] = []
            for case, name in zip(every, called, strict=True):
                try:
                    test(*args, **fixtures, **case)
                except (Exception, pytest.fail.Exception) as error:  # noqa: BLE001 - whatever ends a test of its own
                    error.add_note(f"where {name or _shown(case)}")
                    failed.append(error)
            if len(failed) == 1:
                raise failed[0]
            if failed:
                raise BaseExceptionGroup(f"{len(failed)} of {len(every)}", failed)

        asked = inspect.signature(test)
        rest = [each for each in asked.parameters.values() if each.name not in parameters]
        tried.__signature__ = asked.replace(parameters=rest)  # type: ignore[attr-defined]  # what pytest gives
        return tried

    return looped


def _shown(case: Mapping[str, object]) -> str:
    return " and ".join(f"{name} is {_cut(value)}" for name, value in case.items())


def _cut(value: object) -> str:
    try:
        text = repr(value)
    except ValueError:  # Python prints no number of 5,000 digits
        return f"of type {type(value).__name__}"
    return text if len(text) <= MOST_CHARACTERS else f"{text[:MOST_CHARACTERS]}…"
