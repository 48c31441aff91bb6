"""The proof for every architecture: both derivations are the same polynomial, for all sizes, flags and layers."""

from __future__ import annotations

from typing import Any

import sympy

from gpt2calc.architectures import of, reading
from gpt2calc.model import BIAS, BUFFER, FLAG, WEIGHT, Model
from tests.architectures.drawing import configs
from tests.architectures.judges import differences, with_sizes
from tests.architectures.modules import EVERY_IN_ONE, WITH_GPT2_IN_ONE


def symbolic(model_type: str) -> Model:
    """Return a model of symbols: its sizes, its flags, and how many layers have which tags."""

    def count(tags: str) -> Any:
        return sympy.Symbol("_".join(("L", *sorted(tags.split())))) if tags else 1

    return with_sizes(of(model_type), sympy.Symbol, count)


def reduced(expression: Any, flags: list[Any]) -> Any:
    """Return an expression as a sum of products in which a flag, which is 0 or 1, is its own square."""
    if not flags:
        return sympy.expand(expression)
    terms = sympy.Poly(expression, *flags).terms()
    return sympy.expand(sum(rest * sympy.prod([f for f, n in zip(flags, powers) if n]) for powers, rest in terms))  # noqa: B905


@WITH_GPT2_IN_ONE
def test_both_derivations_are_the_same_polynomial(model_type: str) -> None:
    """With every size, flag and kind of layer a symbol, they differ by zero in each component and role."""
    model = symbolic(model_type)
    flags = [model.sizes[row.name] for row in model.architecture.sizes if row.kind == FLAG]
    rows = differences(model.components(), model.architecture.tensors(model), model.count)
    assert {row: rest for row, each in rows.items() if (rest := reduced(each, flags)) != 0} == {}


@WITH_GPT2_IN_ONE
def test_the_proof_covers_every_component_and_both_roles(model_type: str) -> None:
    """No component is without tensors, none is there twice, and what the proof leaves out is buffers alone."""
    model = symbolic(model_type)
    names = [row.name for row in model.components()]
    tensors = model.architecture.tensors(model)
    assert len(names) == len(set(names))
    assert {row.component for row in tensors} == set(names)
    assert {row.role for row in tensors} <= {WEIGHT, BIAS, BUFFER}


@EVERY_IN_ONE
def test_letters_come_to_the_total(model_type: str) -> None:
    """The total written in letters, with a letter for each kind of layer, is the total where numbers are put in."""
    for drawn in configs(model_type):
        model = reading.read(drawn).model
        letters = {letter: model.sizes[name] for name, letter in model.letters().items()} | model.layer_letters()
        lettered = model.lettered()
        assert lettered.total().put(letters) == lettered.numel().put(letters) == model.total(), drawn


@EVERY_IN_ONE
def test_no_two_sizes_have_one_letter(model_type: str) -> None:
    """A formula is read in one way."""
    for drawn in configs(model_type):
        model = reading.read(drawn).model
        letters = [*model.letters().values(), *model.layer_letters().keys() - {"L"}]
        assert len(letters) == len(set(letters))


@EVERY_IN_ONE
def test_a_model_is_read_from_its_own_document(model_type: str) -> None:
    """What a model says of itself is read as the same model."""
    for drawn in configs(model_type):
        model = reading.read(drawn).model
        assert reading.read(model.document()).model.sizes == model.sizes, drawn
