"""What is read without pydantic is what `Config` would have read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc import documents
from gpt2calc.dims import from_fields
from gpt2calc.spellings import SPELLINGS
from tests.property.strategies import SETTINGS, switched_configs

VALUES = st.one_of(
    st.integers(-2, 9),
    st.sampled_from([10**18 - 1, 10**18, 10**1001]),
    st.none(),
    st.booleans(),
    st.floats(allow_nan=False),
    st.sampled_from(["lm", "none", "GPT2Model", "mean", "", "12", "score", [], {}]),
)


class TestPlainFields:
    """Law: fields that are plain are valid, and their dims are those of `Config`."""

    @SETTINGS
    @given(st.dictionaries(st.sampled_from([*SPELLINGS, "layers", "dropout"]), VALUES, max_size=6))
    def test_any_fields(self, fields: dict[str, Any]) -> None:
        """Whatever is typed: what is plain, Config takes, and reads in the same way."""
        if documents.are_plain(fields):
            expected = gpt2calc.Config(**fields).dims
            assert from_fields({**documents.DEFAULTS, **fields}) == expected

    @SETTINGS
    @given(switched_configs())
    def test_valid_fields_in_canonical_spelling_are_plain(self, fields: dict[str, Any]) -> None:
        """The short way is really taken: all that a config.json commonly says is plain."""
        usual = {name: value for name, value in fields.items() if name not in ("qkv_bias", "pad_vocab_size_multiple")}
        ours = {**usual, "head": gpt2calc.Config(head=fields.get("head", "lm")).head}
        assert documents.are_plain({name: value for name, value in ours.items() if name in SPELLINGS})


@pytest.mark.parametrize(
    "fields",
    [
        {"n_layer": "12"},
        {"n_layer": True},
        {"n_layer": 12.0},
        {"n_head": 5},
        {"n_embd": 0},
        {"bias": 1},
        {"head": None},
    ],
    ids=str,
)
def test_what_is_doubtful_is_not_plain(fields: dict[str, Any]) -> None:
    """Each of these is Config's to judge."""
    assert not documents.are_plain(fields)
