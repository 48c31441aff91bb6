"""Of what a checkpoint holds, the model's tensors are found: under the keys that training loops store them under."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

import pytest

from gpt2calc.checkpoints import state_dicts
from tests.loops import of_each


class Tensor:
    """What stands for a tensor here."""


T = Tensor()


def names(top: object) -> list[str]:
    """Return the names of the tensors that are found."""
    return [name for name, _ in found(top).tensors]


def found(top: object) -> state_dicts.StateDict:
    """Return what is found."""
    return state_dicts.find(top, lambda value: isinstance(value, Tensor))


CASES: dict[str, tuple[Any, list[str]]] = {
    "plain": ({"wte": T, "wpe": T}, ["wte", "wpe"]),
    "nested": ({"h": {"0": {"ln_1": T}, "1": T}}, ["h.0.ln_1", "h.1"]),
    "dots in keys": ({"h.0": {"ln_1.weight": T}}, ["h.0.ln_1.weight"]),
    "an empty key": ({"": T, "a": {"": T}}, ["", "a."]),
    "wrapped": ({"model": {"wte": T}, "loss": T}, ["wte"]),
    "wrapped twice": ({"state_dict": {"module": {"wte": T}}}, ["wte"]),
    "wrapped with another inside": ({"module": {"model": {"wte": T}, "ema": {"wte": T}}}, ["wte"]),
    "two wrappers": ({"state_dict": {"a": T}, "model": {"b": T}}, ["b"]),
    "a wrapper that is a tensor": ({"model": T, "wte": T}, ["model", "wte"]),
    "a wrapper without tensors": ({"model": {"lr": 1}, "wte": T}, ["wte"]),
    "a wrapper in a name": ({"model.wte": T, "model.wpe": T}, ["model.wte", "model.wpe"]),
    "a wrapper of one tensor": ({"weights": {"wte": T}}, ["wte"]),
    "others": ({"wte": T, "iter": 1, "names": ["a"], "more": [T], "set": {1}, "none": None}, ["wte"]),
    "keys that are no text": ({"wte": T, 1: T, None: {"a": T}, "x": {2: T}}, ["wte"]),
    "another mapping": (MappingProxyType({"wte": T}), ["wte"]),
    "a question mark": ({"?": T}, ["?"]),
}


@of_each("case", CASES)
def test_the_names_of_the_model_s_tensors(case: str) -> None:
    """In their order, with the keys on the way joined by dots, and without the keys that they are wrapped in."""
    top, expected = CASES[case]
    assert names(top) == expected


@pytest.mark.parametrize("wrapper", state_dicts.WRAPPERS)
def test_every_wrapper_is_taken_off(wrapper: str) -> None:
    """And is said where there are tensors beside it."""
    checkpoint = found({"ema": {"wte": T}, wrapper: {"wte": T, "wpe": T}, "loss": T})
    assert [name for name, _ in checkpoint.tensors] == ["wte", "wpe"]
    assert checkpoint.notes == (f"2 tensors outside of '{wrapper}', such as 'ema.wte', are not listed",)


def test_the_first_of_two_wrappers_wins() -> None:
    """In the order of the table, whatever the order in the file."""
    for first, second in zip(state_dicts.WRAPPERS, state_dicts.WRAPPERS[1:], strict=False):
        assert names({second: {"b": T}, first: {"a": T}}) == ["a"]


NOTES: dict[str, tuple[Any, tuple[str, ...]]] = {
    "nothing": ({"wte": T, "iter": 1}, ()),
    "wrapped and alone": ({"model": {"wte": T}, "iter": 1}, ()),
    "one": ({"model": {"wte": T}, "x": T}, ("1 tensor outside of 'model', such as 'x', is not listed",)),
    "within": (
        {"model": {"module": {"wte": T}, "x": T}},
        ("1 tensor outside of 'model.module', such as 'model.x', is not listed",),
    ),
    "numbers": (
        {"wte": T, 0: T, 1: {"a": T}},
        ("2 tensors in lists, or under keys that are no text, such as '?', are not listed",),
    ),
    "lists": (
        {"wte": T, "more": [T, (T, {"a": T})]},
        ("3 tensors in lists, or under keys that are no text, such as 'more.?', are not listed",),
    ),
    "too deep": (
        {"wte": T, "a": [[[[[[[[[[1]]]]]]]]]]},
        ("what lies in more than 8 dictionaries or lists was not looked at",),
    ),
    "an optimizer": (
        {"model": {"wte": T}, "optimizer": {"state": {0: {"exp_avg": T, "exp_avg_sq": T}}}},
        ("2 tensors outside of 'model', such as 'optimizer.state.?.exp_avg', are not listed",),
    ),
}


@pytest.mark.parametrize("case", NOTES)
def test_what_is_not_listed_is_said(case: str) -> None:
    """How many tensors, and one of them."""
    top, expected = NOTES[case]
    assert found(top).notes == expected


def test_a_long_name_in_a_note_is_shortened() -> None:
    """And printed as one line."""
    (note,) = found({"model": {"wte": T}, "o\n" + "x" * 290: T}).notes
    assert len(note) < 300
    assert "\n" not in note


FIELDS: dict[str, tuple[Any, dict[str, Any]]] = {
    "sizes and switches": ({"n_layer": 2, "bias": False, "x": None, "lr": 0.5}, {"n_layer": 2, "bias": False}),
    "what is no scalar": ({"n_layer": 2, "a": [1], "b": {"c": 1}, "d": T, 5: 6}, {"n_layer": 2}),
    "no mapping": ([1], {}),
}


@pytest.mark.parametrize("case", FIELDS)
def test_the_arguments_of_nanogpt_are_kept(case: str) -> None:
    """Sizes, switches and texts, which a config is made of."""
    given, expected = FIELDS[case]
    fields = found({"model": {"wte": T}, "model_args": given}).fields
    assert expected.items() <= fields.items()
    assert set(fields) - set(expected) <= {"x", "lr"}
    assert found({"wte": T}).fields == {}


def test_a_dictionary_that_occurs_twice_is_entered_once() -> None:
    """Even where it is in itself, and where the number of ways to it is endless."""
    top: dict[str, Any] = {"wte": T}
    inner = top
    for _ in range(100):
        inner = {"a": inner, "b": inner}
    top["again"] = inner
    top["self"] = top
    assert names(top) == ["wte"]


REFUSED: dict[str, tuple[Any, str]] = {
    "nothing": ({}, "expected tensors by name, got none"),
    "none": (None, "expected tensors by name, got an object of NoneType"),
    "a tensor": (T, "expected tensors by name, got a tensor"),
    "a list": ([T], "expected tensors by name, got an object of list"),
    "a class of another module": (MappingProxyType, "expected tensors by name, got an object of type"),
    "numbers as keys": ({0: T}, "expected tensors by name, got none"),
    "two of one name": ({"a": {"b": T}, "a.b": T}, "expected one tensor of each name, got two called 'a.b'"),
    "a long name": ({"a" * 200: {"b" * 100: T}}, "expected names of at most 300 characters, got one of 301"),
    "a long name of another": (
        {"model": {"wte": T}, "b" * 301: T},
        "expected names of at most 300 characters, got one of 301",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_has_no_tensors_by_name_is_said(case: str) -> None:
    """In a sentence without the file's name, which the reader adds."""
    top, expected = REFUSED[case]
    with pytest.raises(ValueError, match=r"^expected ") as caught:
        found(top)
    assert str(caught.value) == expected


def test_more_tensors_than_a_reader_takes_are_said() -> None:
    """Whatever a reader's bound is."""
    with pytest.raises(ValueError, match=r"^expected at most 2 tensors, got more$"):
        state_dicts.find({str(n): T for n in range(3)}, lambda value: isinstance(value, Tensor), most=2)


def test_what_is_long_and_no_tensor_is_left_alone() -> None:
    """A config may have any keys."""
    assert names({"wte": T, "x" * 10_000: 1, "y": {"z" * 10_000: "value"}}) == ["wte"]
