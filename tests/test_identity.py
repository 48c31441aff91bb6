"""The proof: closed forms and tensor table are the same polynomial, for every component, structure and size."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING

import pytest
import sympy

from gpt2calc import formulas, tensor_table
from gpt2calc.dims import LETTERS, Dims
from gpt2calc.model import BIAS, WEIGHT
from gpt2calc.symbolic import dims, identities
from tests.loops import of_each

if TYPE_CHECKING:
    from collections.abc import Callable

FLAGS = Dims._fields[len(LETTERS) :]
COMPONENTS = [row.component for row in formulas.table(dims())]


def test_formulas_and_tensors_agree_for_all_sizes_and_all_structures_at_once() -> None:
    """With every size and every flag a symbol, the difference of the two derivations is the zero polynomial."""
    failed = [(each.component, each.role) for each in identities(dims()) if not each.holds]
    assert failed == []


def test_the_proof_covers_every_component_and_both_roles() -> None:
    """No component and no role is left out of the proof, and none is proved twice."""
    covered = [(each.component, each.role) for each in identities(dims())]
    assert covered == list(product(COMPONENTS, (WEIGHT, BIAS)))
    assert {row.component for row in tensor_table.table(dims())} == set(COMPONENTS)


@of_each("flag", FLAGS)
@of_each("value", [0, 1])
def test_formulas_and_tensors_agree_with_one_switch_set(flag: str, value: int) -> None:
    """The proof holds as well where a switch is the number 0 or 1, as the calculator uses it."""
    structured = dims()._replace(**{flag: value})
    assert all(each.holds for each in identities(structured))


@of_each("flag", FLAGS)
def test_every_switch_changes_a_formula(flag: str) -> None:
    """No switch is idle: the total as a polynomial depends on each of them."""
    total = sum(each.formula for each in identities(dims()))
    assert sympy.Symbol(flag, integer=True, nonnegative=True) in sympy.expand(total).free_symbols


@pytest.mark.parametrize("letter", LETTERS.values())
def test_every_size_changes_the_total(letter: str) -> None:
    """No size is idle: the total as a polynomial depends on each of them."""
    total = sum(each.formula for each in identities(dims()))
    assert sympy.Symbol(letter, integer=True, nonnegative=True) in sympy.expand(total).free_symbols


def test_the_famous_closed_form_is_what_gpt2_has() -> None:
    """A tied GPT-2 with n_inner = 4·n_embd has L·(12d² + 13d) + d·(V + T + 2) parameters."""
    L, d, T, V, _, k = dims().sizes
    gpt2 = Dims(
        L,
        d,
        T,
        V,
        4 * d,
        k,
        *(int(flag in ("tie_word_embeddings", "bias", "qkv_bias", "ln_f", "lm_head")) for flag in FLAGS),
    )
    assert sympy.expand(formulas.total(gpt2) - (L * (12 * d**2 + 13 * d) + d * (V + T + 2))) == 0


def planted_in_formulas(component: str, field: str) -> Callable[[Dims], tuple[formulas.Formula, ...]]:
    """Return the formula table with one parameter too many in one cell."""

    def table(dims: Dims) -> tuple[formulas.Formula, ...]:
        rows = formulas.table(dims)
        return tuple(
            row._replace(**{field: getattr(row, field) + 1}) if row.component == component else row for row in rows
        )

    return table


def planted_in_tensors(template: str, change: str) -> Callable[[Dims], tuple[tensor_table.Row, ...]]:
    """Return the tensor table with one tensor dropped, one row longer, or given to another component."""

    def wrong(row: tensor_table.Row) -> tensor_table.Row:
        match change:
            case "dropped":
                return row._replace(times=0)
            case "longer":
                return row._replace(shape=(row.shape[0] + 1, *row.shape[1:]))
            case "misplaced":
                return row._replace(component="ln_1" if row.component == "ln_f" else "ln_f")
        return row._replace(role="bias" if row.role == "weight" else "weight")

    def table(dims: Dims) -> tuple[tensor_table.Row, ...]:
        return tuple(wrong(row) if row.template == template else row for row in tensor_table.table(dims))

    return table


@of_each("field", ["weights", "biases"])
@of_each("component", COMPONENTS)
def test_the_proof_fails_on_an_error_planted_in_a_formula(component: str, field: str) -> None:
    """A single parameter too many in one formula breaks the proof, for that component and role alone."""
    broken = [
        each for each in identities(dims(), formula_table=planted_in_formulas(component, field)) if not each.holds
    ]
    role = {"weights": "weight", "biases": "bias"}[field]
    assert [(each.component, each.role) for each in broken] == [(component, role)]


@pytest.mark.parametrize("change", ["dropped", "longer", "misplaced", "mislabelled"])
@of_each("template", [row.template for row in tensor_table.table(dims())])
def test_the_proof_fails_on_an_error_planted_in_a_tensor(template: str, change: str) -> None:
    """A tensor that is dropped, longer, misplaced or mislabelled breaks the proof, and the component is named."""
    component = next(row.component for row in tensor_table.table(dims()) if row.template == template)
    broken = {
        each.component for each in identities(dims(), tensors=planted_in_tensors(template, change)) if not each.holds
    }
    assert component in broken


def test_a_tensor_of_an_unknown_component_breaks_the_proof() -> None:
    """A tensor row that no formula covers is found, although no formula asks for it."""

    def table(dims: Dims) -> tuple[tensor_table.Row, ...]:
        return (*tensor_table.table(dims), tensor_table.Row("", "extra", "weight", 1, (dims.n_embd,)))

    assert [each.component for each in identities(dims(), tensors=table) if not each.holds] == ["extra"]
