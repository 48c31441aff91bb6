"""`Derivation`: what it shows in a notebook, and for heads that exclude each other."""

from __future__ import annotations

import gpt2calc

HEADS = ["V·d", "k·d + k", "k·d", "k·d + k", "2d + 2"]


def test_a_notebook_gets_mathematics() -> None:
    """The formula in LaTeX, in dollars."""
    assert gpt2calc.formula("attn.c_attn")._repr_latex_() == "$3 L d^{2} + 3 L d$"


def test_heads_that_exclude_each_other_stand_beside_each_other() -> None:
    """Without a model the group of heads has a formula for each, in every form that it is shown in."""
    heads = gpt2calc.formula("head")
    assert [form.text() for form in heads.alternatives] == HEADS
    assert repr(heads) == f"<Derivation head = {' or '.join(HEADS)}>"
    assert heads._repr_latex_() == "$V d$, $k d + k$, $k d$, $k d + k$, $2 d + 2$"
    assert heads.to_dict()["simplified"] is None


def test_the_head_of_a_model_has_one_formula() -> None:
    """With a model there is one head, and its sum is what the model has."""
    head = gpt2calc.formula("head", "gpt2", head="token_classification", num_labels=3)
    assert [form.text() for form in head.alternatives] == ["k·d + k"]
    assert head.total == 3 * 768 + 3
