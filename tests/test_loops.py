"""A loop of cases is one test, which tries them all and says which fail."""

from __future__ import annotations

import inspect

import pytest

from tests.loops import of_each


def test_all_are_tried_and_the_one_that_fails_is_named() -> None:
    """With what the assertion says, and the fixtures that the test asked for beside the value."""
    tried: list[int] = []

    @of_each("number", (1, 2, 3))
    def is_odd(number: int, tried: list[int]) -> None:
        tried.append(number)
        assert number % 2, "it is even"

    assert list(inspect.signature(is_odd).parameters) == ["tried"]
    with pytest.raises(AssertionError, match="it is even") as caught:
        is_odd(tried=tried)
    assert (tried, caught.value.__notes__) == ([1, 2, 3], ["where number is 2"])


def test_several_that_fail_are_all_named() -> None:
    """And an error that is no assertion ends the loop as it would end a test."""

    @of_each("number", (1, 2, 4))
    def is_odd(number: int) -> None:
        assert number % 2

    with pytest.raises(ExceptionGroup, match="2 of 3") as caught:
        is_odd()
    assert [error.__notes__ for error in caught.value.exceptions] == [["where number is 2"], ["where number is 4"]]


def test_a_loop_of_nothing_is_an_error() -> None:
    """It would never fail."""
    with pytest.raises(AssertionError, match="there is no number"):
        of_each("number", ())
