"""Formulas over int64 arrays: the same numbers as Python's integers, or an error; never a wrapped one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import gpt2calc
from gpt2calc import arrays, conventions, formulas, tensor_table
from gpt2calc.dims import from_fields
from gpt2calc.errors import ConfigError, Int64OverflowError

LAYERS = np.array([0, 1, 12, 24, 48])
WIDTHS = np.array([2, 768, 1600])


@pytest.mark.parametrize("row", conventions.CONVENTIONS, ids=lambda row: row.name)
@pytest.mark.parametrize("switch", [{}, {"add_cross_attention": True, "tie_word_embeddings": False}, {"bias": False}])
def test_every_convention_on_a_mesh_is_what_it_is_one_by_one(
    row: conventions.Convention, switch: dict[str, Any]
) -> None:
    """An open mesh of depth and width gives, at each place, the count of that one model."""
    found = arrays.evaluate(row.value, n_layer=LAYERS[:, None], n_embd=WIDTHS, **switch)
    one_by_one = [
        [gpt2calc.count(n_layer=int(n_layer), n_embd=int(n_embd), **switch).conventions[row.name] for n_embd in WIDTHS]
        for n_layer in LAYERS
    ]
    assert found.dtype == np.int64
    assert found.tolist() == one_by_one


def test_the_formula_table_runs_on_arrays_unchanged() -> None:
    """Weights and biases of every component, from the same table that counts one model."""
    dims = from_fields({"n_layer": LAYERS, "n_embd": 768, "n_positions": 1024, "vocab_size": 50257})
    for place, n_layer in enumerate(LAYERS):
        one = from_fields({"n_layer": int(n_layer), "n_embd": 768, "n_positions": 1024, "vocab_size": 50257})
        for whole, single in zip(formulas.table(dims), formulas.table(one), strict=True):
            assert np.broadcast_to(whole.times * whole.weights, LAYERS.shape)[place] == single.times * single.weights
            assert np.broadcast_to(whole.times * whole.biases, LAYERS.shape)[place] == single.times * single.biases


def test_what_does_not_depend_on_a_size_still_has_its_shape() -> None:
    """A measure of one size is broadcast over the others."""
    found = arrays.evaluate(lambda x: tensor_table.numel(x, component="wpe"), n_layer=LAYERS)
    assert found.tolist() == [786_432] * 5


def test_an_empty_array_gives_an_empty_array() -> None:
    """No models, no counts, no error."""
    assert arrays.evaluate(n_layer=np.array([], dtype=np.int64)).shape == (0,)


@pytest.mark.parametrize("dtype", ["int8", "int16", "int32", "uint8", "uint32", "uint64", "float64", "bool", "object"])
def test_an_array_of_another_type_is_refused_by_name(dtype: str) -> None:
    """Narrow integers wrap, unsigned ones wrap elsewhere, floats round: each is refused, and named."""
    with pytest.raises(ConfigError, match=f"n_layer must be an int64 array, got {dtype}"):
        arrays.evaluate(n_layer=np.array([1, 1], dtype=dtype))


@pytest.mark.parametrize(
    ("name", "least"),
    [("n_layer", 0), ("n_inner", 0), ("num_labels", 0), ("n_embd", 1), ("vocab_size", 1), ("n_positions", 1)],
)
def test_a_size_that_is_too_small_is_refused(name: str, least: int) -> None:
    """The least value passes, and one less is named with what was expected."""
    assert arrays.evaluate(**{name: np.array([least])}).shape == (1,)
    with pytest.raises(ConfigError, match=f"{name} must be {least} or more, got {least - 1}"):
        arrays.evaluate(**{name: np.array([5, least - 1])})


def largest_vocabulary() -> int:
    """Return the largest vocabulary with which a model of width 1 without blocks fits in int64, 2⁶³ - 1 = V + T + 2."""
    return 2**63 - 1 - 3


def test_a_count_of_exactly_the_largest_int64_passes() -> None:
    """2⁶³ - 1 parameters are counted, and one more is an error that says so."""
    fields = {"n_layer": 0, "n_embd": 1, "n_positions": 1, "n_inner": 0}
    fits = arrays.evaluate(vocab_size=np.array([largest_vocabulary()]), **fields)
    assert fits.tolist() == [2**63 - 1]
    with pytest.raises(Int64OverflowError, match=r"9,223,372,036,854,775,808 does not fit in int64 \(.*vocab_size 9,2"):
        arrays.evaluate(vocab_size=np.array([1, largest_vocabulary() + 1]), **fields)


def test_a_convention_that_is_larger_than_the_total_is_held_to_its_own_size() -> None:
    """A total that fits does not let its bytes wrap."""
    vocab = np.array([largest_vocabulary()])
    fields = {"n_layer": 0, "n_embd": 1, "n_positions": 1, "n_inner": 0}
    assert arrays.evaluate(conventions.find("int8_bytes").value, vocab_size=vocab, **fields).tolist() == [2**63 - 1]
    assert arrays.evaluate(conventions.find("int4_bytes").value, vocab_size=vocab, **fields).tolist() == [2**62]
    with pytest.raises(Int64OverflowError, match="36,893,488,147,419,103,228 does not fit"):
        arrays.evaluate(conventions.find("fp32_bytes").value, vocab_size=vocab, **fields)


def test_large_sizes_that_do_not_meet_in_one_model_pass() -> None:
    """The largest depth and the largest width overflow together, but no single model has both."""
    deep_or_wide = {"n_layer": np.array([10**12, 1]), "n_embd": np.array([1, 10**6])}
    assert arrays.evaluate(**deep_or_wide).tolist() == [
        gpt2calc.count(n_layer=10**12, n_embd=1).total,
        gpt2calc.count(n_layer=1, n_embd=10**6).total,
    ]


def test_a_python_integer_beyond_int64_is_refused() -> None:
    """Beside arrays a size of Python's own must fit too, even where it is multiplied by 0."""
    with pytest.raises(Int64OverflowError, match="n_inner 9,223,372,036,854,775,808 does not fit in int64"):
        arrays.evaluate(n_layer=np.array([0]), n_inner=2**63)


def test_n_inner_follows_an_array_of_widths() -> None:
    """Without n_inner, each width has 4 times as wide an MLP; None is the same as not given."""
    expected = [gpt2calc.count(n_embd=int(width)).total for width in WIDTHS]
    assert arrays.evaluate(n_embd=WIDTHS).tolist() == expected
    assert arrays.evaluate(n_embd=WIDTHS, n_inner=None).tolist() == expected
