"""The formula table: what stands in a row. That its counts are right is proved in test_identity and tests/property."""

from __future__ import annotations

import pytest

from gpt2calc import formulas
from gpt2calc.architectures import gpt2
from gpt2calc.model import OUTPUT_HEAD, POSITION_EMBEDDING, TOKEN_EMBEDDING
from gpt2calc.presets import load
from tests.loops import of_each

ROWS = formulas.table(load("gpt2").dims)


@of_each("row", ROWS)
def test_a_source_names_a_class_that_builds_the_component(row: formulas.Formula) -> None:
    """Each source ends in a class of transformers' modeling_gpt2.py; LayerNorms name the paper too."""
    from transformers.models.gpt2 import modeling_gpt2  # takes seconds, and only this test asks it

    first, _, name = row.source.rpartition("transformers, modeling_gpt2.py: ")
    assert hasattr(modeling_gpt2, name)
    assert first == ("Radford et al. 2019, section 2.3; " if row.group == "layer_norm" else "")


def test_every_group_has_a_component_and_every_component_a_group() -> None:
    """The groups that are shown are those that the rows name."""
    assert {row.group for row in ROWS} == set(formulas.GROUPS)


def test_no_component_stands_twice() -> None:
    """One row a component."""
    assert len({row.component for row in ROWS}) == len(ROWS) == 18


def test_what_a_component_is_to_who_does_not_know_its_name() -> None:
    """The embeddings and the head that can share a matrix with one; of task heads none is the output head."""
    parts = {row.name: row.part for row in gpt2.components(load("gpt2").dims) if row.part}
    assert parts == {"wte": TOKEN_EMBEDDING, "wpe": POSITION_EMBEDDING, "lm_head": OUTPUT_HEAD}


@pytest.mark.parametrize(
    ("model", "total"),
    [("gpt2", 124_439_808), ("gpt2-medium", 354_823_168), ("gpt2-large", 774_030_080), ("gpt2-xl", 1_557_611_200)],
)
def test_the_totals_of_the_four_released_sizes(model: str, total: int) -> None:
    """The sum of the table, for the models that OpenAI released."""
    assert formulas.total(load(model).dims) == total
