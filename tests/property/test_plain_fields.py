"""The table of fields and `Config` give one verdict, and say it in the same words."""

from __future__ import annotations

import pickle
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc import sources, validity
from gpt2calc.counts import ParameterCount
from gpt2calc.dims import TASK_HEADS, Dims, from_fields
from gpt2calc.errors import ConfigError, shown
from gpt2calc.fields import ABSENT, CANONICAL, DEFAULTS, FIELDS, LEAST, SIZE, SWITCH, WORD, Field
from tests.property.strategies import SETTINGS, switched_configs

NAMES = [*CANONICAL, "dropout", "n_layrs", "intermediate_size"]
VALUES = st.one_of(
    st.integers(-2, 9),
    st.sampled_from([10**18, 10**1000 - 1, 10**1000, -(10**5000)]),
    st.none(),
    st.booleans(),
    st.floats(),
    st.sampled_from(["lm", "none", "GPT2Model", "mean", "", "12", "1.5k", "x", "score", [], {}]),
)


def verdict(judge: Any, fields: dict[str, Any]) -> Any:
    """Return the dims that a judge takes fields for, or the facts of its error."""
    try:
        return judge(fields)
    except ConfigError as error:
        return str(error), error.field, shown(error.got)


def by_table(fields: dict[str, Any]) -> Dims:
    """Judge fields by the table alone."""
    given = validity.canonical(fields)
    assert validity.check(given)
    return from_fields({**DEFAULTS, **given})


class TestPlainFields:
    """Law: the table takes the plain fields that `Config` takes, for the same dims, and refuses in its words."""

    @SETTINGS
    @given(st.dictionaries(st.sampled_from(NAMES), VALUES, max_size=6))
    @example({"n_embd": 8, "n_head": 3})
    @example({"n_head": 5})
    @example({"vocab_size": 10**1000, "n_positions": 10**1000})
    @example({"bias": 1, "n_layer": True, "head": ["lm"]})
    def test_any_fields(self, fields: dict[str, Any]) -> None:
        """Whatever is typed: one verdict, word for word."""
        assert verdict(by_table, fields) == verdict(lambda each: gpt2calc.Config(**each).dims, fields)

    @SETTINGS
    @given(switched_configs())
    def test_valid_fields(self, fields: dict[str, Any]) -> None:
        """All that describes a model is taken by both."""
        assert by_table(fields) == gpt2calc.Config(**fields).dims
        assert sources.checked(fields) == gpt2calc.Config(**fields).given


def kept(found: Any) -> tuple[Any, ...]:
    """Return all that a count keeps of what was found."""
    return found.counted, found.name, found.notes


class TestAtAGlance:
    """Law: what is judged at a glance is counted, called and refused as it is by every other way."""

    @SETTINGS
    @given(st.dictionaries(st.sampled_from([*LEAST, *LEAST, *NAMES]), VALUES, max_size=5))
    @example({})
    @example({"n_embd": 8, "n_head": 3})
    @example({"n_head": 5})
    @example({"n_layer": True})
    @example({"n_positions": 10**1000})
    @example({"n_layer": 0, "n_embd": 8, "n_head": 4, "n_positions": 1, "vocab_size": 10**999})
    def test_any_fields(self, fields: dict[str, Any]) -> None:
        """`count` says what `resolve` finds, word for word."""
        at_length = verdict(lambda each: kept(sources.resolve(sources.LEFT_OUT, each)), fields)
        assert verdict(lambda each: kept(gpt2calc.count(**each)), fields) == at_length

    @pytest.mark.parametrize("name", LEAST)
    def test_a_glance_takes_each_size_from_its_least_on(self, name: str) -> None:
        """And leaves the next one below, an int of another class, and what is none to those who know more."""
        least = LEAST[name]
        assert validity.at_a_glance({name: least})
        assert ParameterCount(None, {name: least}).counted == from_fields({**DEFAULTS, name: least})
        for other in (least - 1, 10**1000, Deep(least), float(least), bool(least), str(least), None):
            assert not validity.at_a_glance({name: other})

    def test_a_count_keeps_its_name_when_it_is_copied(self) -> None:
        """The name is made of the fields when it is asked for, and they travel with it."""
        count = pickle.loads(pickle.dumps(gpt2calc.count(n_layer=24, n_embd=1024)))
        assert (count.name, count.total) == ("gpt2 with n_layer=24, n_embd=1024", 354823168)


class Deep(int):
    """A whole number of a class of its own."""


def test_what_only_looks_plain_is_left_to_config() -> None:
    """A class that is derived from one of JSON's may be anything, and pydantic knows what it takes."""
    assert not validity.check({"n_layer": Deep(24), "bias": 1})
    assert type(sources.checked({"n_layer": Deep(24)})["n_layer"]) is int


@pytest.mark.parametrize("row", FIELDS.values(), ids=lambda row: row.name)
def test_a_row_of_the_table_says_what_config_says(row: Field) -> None:
    """Default, kind, least, words and None are the same in the table and in the type, as pydantic describes it."""
    said = gpt2calc.Config.model_json_schema()["properties"][row.name]
    kind, *null = said.get("anyOf", [said])
    held = {SIZE: {"type": "integer", "minimum": row.least}, SWITCH: {"type": "boolean"}}
    assert said["default"] == row.default
    assert {key: kind[key] for key in kind.keys() & {"type", "minimum", "enum"}} == held.get(
        row.kind, {"type": "string", "enum": list(row.words)}
    )
    assert null == [{"type": "null"}] * (row.null == ABSENT)


def test_config_has_the_fields_of_the_table_in_its_order() -> None:
    """No field is in one of them alone, and errors name several in the same order."""
    assert list(gpt2calc.Config.model_fields) == list(FIELDS)


def test_the_words_of_a_head_are_those_that_dims_know() -> None:
    """What can be asked for is what can be counted."""
    assert FIELDS["head"].words == tuple(TASK_HEADS)
    assert len(FIELDS["head"].words) == len(FIELDS["head"].classes)
    assert {row.null for row in FIELDS.values() if row.kind == WORD} <= {*TASK_HEADS, "refused"}


@pytest.mark.parametrize("row", [row for row in FIELDS.values() if row.law], ids=lambda row: row.name)
@pytest.mark.parametrize("fields", [{**DEFAULTS, "bias": True}, {**DEFAULTS, "n_embd": 1600, "bias": False}], ids=str)
def test_a_law_says_what_is_counted_where_nothing_is_given(row: Field, fields: dict[str, Any]) -> None:
    """The words of the help and the docs are what the dims do."""
    assert getattr(from_fields(fields), row.name) == eval(row.law, fields.copy())
