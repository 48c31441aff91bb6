"""A loop of cases is one test, which tries them all and says which fail."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Any

import pytest

from tests.loops import of_each

if TYPE_CHECKING:
    from collections.abc import Callable


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
    """Whatever ended them."""

    @of_each("number", (1, 2, 4, 0))
    def is_odd(number: int) -> None:
        assert 1 / number
        assert number % 2

    with pytest.raises(ExceptionGroup, match="3 of 4") as caught:
        is_odd()
    assert [(type(error), error.__notes__) for error in caught.value.exceptions] == [
        (AssertionError, ["where number is 2"]),
        (AssertionError, ["where number is 4"]),
        (ZeroDivisionError, ["where number is 0"]),
    ]


def test_an_error_that_does_not_come_is_named() -> None:
    """It is no Exception for pytest, and fails one case as it would fail a test."""

    @of_each("number", (0, 1))
    def is_no_divisor(number: int) -> None:
        with pytest.raises(ZeroDivisionError):
            assert 1 / number

    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE") as caught:
        is_no_divisor()
    assert caught.value.__notes__ == ["where number is 1"]


def test_several_parameters_are_given_together() -> None:
    """As pytest gives them; each is named, what is long is cut, and what Python does not print is no other error."""

    @of_each("number, said", [(1, "1"), (10**5000, "x" * 1000)])
    def is_one(number: int, said: str) -> None:
        assert said == "1", number > 1

    with pytest.raises(AssertionError) as caught:
        is_one()
    (note,) = caught.value.__notes__
    assert note.startswith("where number is of type int and said is 'xxx")
    assert len(note) < 400


@pytest.mark.parametrize(
    ("values", "ids"),
    [
        ((lambda: 1, lambda: 2), ("one", "two")),
        ((pytest.param(lambda: 1, id="one"), pytest.param(lambda: 2, id="two")), None),
    ],
)
def test_a_value_that_says_little_has_a_name(values: tuple[Any, ...], ids: tuple[str, ...] | None) -> None:
    """In either way in which pytest gives it one."""

    @of_each("call", values, ids)
    def is_one(call: Callable[[], int]) -> None:
        assert call() == 1

    with pytest.raises(AssertionError) as caught:
        is_one()
    assert caught.value.__notes__ == ["where two"]


def test_a_loop_of_nothing_is_an_error() -> None:
    """It would never fail."""
    with pytest.raises(AssertionError, match="there is no number"):
        of_each("number", ())
