"""The keywords of calls as types: every spelling is one, of what its field holds, and a slip is an error of types.

mypy checks this file too, and refuses a `type: ignore` that nothing needs: each one here says that a checker sees the
mistake that the call refuses.
"""

from __future__ import annotations

import typing

import pytest

import gpt2calc
from gpt2calc import keywords
from gpt2calc.fields import CANONICAL, FIELDS, REFUSED, SIZE, SWITCH, WORD

KINDS = {SIZE: "Size", SWITCH: "Switch", WORD: "Word"}


def test_every_spelling_is_a_keyword_of_its_kind() -> None:
    """Neither more nor fewer than the table has, and None where the table takes it."""
    said = {name: kind.__name__ for name, kind in typing.get_type_hints(keywords.Keywords).items()}
    rows = {spelling: FIELDS[field] for spelling, field in CANONICAL.items()}
    assert said == {name: KINDS[row.kind] + "OrNone" * (row.null != REFUSED) for name, row in rows.items()}
    assert list(said) == list(rows)


def test_a_mistyped_field_is_an_error_of_types() -> None:
    """In every call that takes fields, and in a config."""
    with pytest.raises(gpt2calc.ConfigError):
        gpt2calc.count(n_layrs=3)  # type: ignore[call-arg]
    with pytest.raises(gpt2calc.ConfigError):
        gpt2calc.compare("gpt2", n_layrs=3)  # type: ignore[call-arg]
    with pytest.raises(gpt2calc.ConfigError):
        gpt2calc.sweep(n_layrs=[3, 4])  # type: ignore[call-arg]
    with pytest.raises(gpt2calc.ConfigError):
        gpt2calc.Config(n_layrs=3)  # type: ignore[call-arg]


def test_a_value_of_another_kind_is_an_error_of_types() -> None:
    """A size is no text, and a switch no number."""
    with pytest.raises(gpt2calc.ConfigError):
        gpt2calc.count(n_layer="twelve")  # type: ignore[arg-type]
    with pytest.raises(gpt2calc.ConfigError):
        gpt2calc.count(n_embd=None)  # type: ignore[arg-type]
    with pytest.raises(gpt2calc.ConfigError):
        gpt2calc.count(tied=1)  # type: ignore[arg-type]


def test_what_people_write_has_its_type() -> None:
    """Any spelling, several values where they run, and fields handed on by a function of one's own."""

    def mine(**fields: typing.Unpack[gpt2calc.Fields]) -> int:
        return gpt2calc.count("gpt2", **fields).total

    assert mine(layers=24, d_model=1024, heads=None, n_inner=None, tied=True, head="lm") == 354_823_168
    assert gpt2calc.sweep(layers=range(12, 25, 12), n_embd=[768], tied=[True, False])["total"].shape == (4,)
