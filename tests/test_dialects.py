"""Dialects: every name of each project is known, means the right tensor, and together they are the whole model."""

from __future__ import annotations

from math import prod

import pytest
import torch
import transformers
from hypothesis import given
from hypothesis import strategies as st

from gpt2calc import tensor_table
from gpt2calc.architectures import gpt2
from gpt2calc.dialects import DIALECTS
from gpt2calc.dialects.base import Dialect, Extra, Piece, Reading, readings, templated
from gpt2calc.dims import Dims, from_fields
from tests.from_scratch import GPT
from tests.loops import of_each
from tests.makers.dialects import MAKERS, UNTIED, WITHOUT, Sizes, huggingface, nanogpt

every_dialect = of_each("dialect", DIALECTS)
every_maker = pytest.mark.parametrize("maker", MAKERS)

SMALL = st.integers(1, 5)
SIZES = st.builds(
    lambda heads, size, rest: Sizes(rest[0], heads * size, heads, *rest[1:]), SMALL, SMALL, st.tuples(*[SMALL] * 4)
)


def dims(x: Sizes, maker: str) -> Dims:
    """Return the dims of a maker's sizes."""
    return from_fields({**x.config(), "tie_word_embeddings": maker not in UNTIED, **WITHOUT.get(maker, {})})


def reading_of(names: list[str]) -> Reading:
    """Return the reading that knows the most names."""
    return readings(names, DIALECTS)[0][1]


def test_there_are_dialects_and_each_has_its_own_name() -> None:
    """The tests below try some."""
    own = [(dialect.name, dialect.pieces) for dialect in DIALECTS]
    assert len(own) == len(set(own)) == len(MAKERS) - 2  # two makers put other prefixes before transformers' names
    assert {dialect for dialect, _ in MAKERS.values()} == {name for name, _ in own}


@every_maker
@given(SIZES)
def test_every_name_and_shape_is_as_the_project_has_it(maker: str, x: Sizes) -> None:
    """For any sizes, what a dialect expects is what the project's own code would make, name by name."""
    dialect, make = MAKERS[maker]
    made = make(x)
    known = [reading for _, reading in readings(made, DIALECTS) if reading.dialect.name == dialect]
    rows = known[0].expected(gpt2.model(dims(x, maker)), x.n_head)
    expected = {row.at(block): row.shape for row in rows for block in range(x.n_layer if row.is_in_blocks else 1)}
    assert expected == made


@every_dialect
@given(SIZES, st.booleans(), st.booleans())
def test_the_pieces_of_a_tensor_hold_all_of_it(dialect: Dialect, sizes: Sizes, bias: bool, tied: bool) -> None:  # noqa: FBT001  # hypothesis draws them
    """Law: for every component and role, the pieces' elements add up to those of the tensor table."""
    x = from_fields({**sizes.config(), "bias": bias, "tie_word_embeddings": tied})
    held: dict[tuple[str, str], int] = {}
    for row in Reading(dialect).expected(gpt2.model(x), sizes.n_head):
        assert row.shape is not None
        elements = prod(row.shape) * (sizes.n_layer if row.is_in_blocks else 1)
        held[row.component, row.role] = held.get((row.component, row.role), 0) + elements
    named = {piece.component for piece in dialect.pieces}
    lacking = dialect.folded | ({"ln_f", "lm_head"} if dialect.name == "gpt-1" else {"lm_head"}) - named
    rows = [row for row in tensor_table.table(x) if row.times and row.component not in lacking]
    assert held == {(row.component, row.role): row.times * prod(row.shape) for row in rows}


@every_dialect
def test_a_layout_goes_both_ways(dialect: Dialect) -> None:
    """What is laid out for a file is found again as the table has it."""
    x = from_fields({"n_layer": 2, "n_embd": 12, "n_positions": 20, "vocab_size": 31, "n_inner": 44, "num_labels": 5})
    rows = {(row.component, row.role): row.shape for row in tensor_table.table(x)}
    for piece in dialect.pieces:
        shape = rows[piece.component, piece.role]
        stored = piece.layout.stored(shape, 3, 2)
        assert stored is not None
        assert piece.layout.table(stored) == shape


@every_dialect
def test_no_two_rows_of_a_dialect_have_one_name(dialect: Dialect) -> None:
    """A name means one thing."""
    rows: list[Piece | Extra] = [*dialect.pieces, *dialect.extras]
    assert len({row.template for row in rows}) == len(rows)


@every_dialect
def test_a_dialect_says_who_uses_it_and_where_that_is_read(dialect: Dialect) -> None:
    """A summary and a source, each a sentence's worth."""
    assert len(dialect.summary) > 20
    assert "/" in dialect.source or "transformers" in dialect.source


@pytest.mark.parametrize("n_embd", [12, 16])
def test_a_head_count_that_does_not_divide_has_no_shape(n_embd: int) -> None:
    """TransformerLens could not store it, and no shape is made up."""
    lens = next(dialect for dialect in DIALECTS if dialect.name == "transformerlens")
    x = from_fields({"n_layer": 1, "n_embd": n_embd, "n_positions": 3, "vocab_size": 5})
    shapes = {row.at(0): row.shape for row in Reading(lens).expected(gpt2.model(x), 5)}
    assert shapes["blocks.0.attn.W_Q"] is None
    assert shapes["blocks.0.attn.W_O"] is None
    assert shapes["blocks.0.attn.b_O"] == (n_embd,)


# The makers are right


def test_the_maker_of_transformers_names_agrees_with_transformers() -> None:
    """The oracle itself: the model that transformers builds has these names and shapes."""
    x = Sizes()
    with torch.device("meta"):
        model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**x.config()))
    assert {name: tuple(p.shape) for name, p in model.named_parameters()} == huggingface(x)


def test_the_maker_of_nanogpts_names_agrees_with_a_model_of_linear_layers() -> None:
    """A GPT of torch's own layers, which keep [out, in], has these shapes."""
    x = Sizes()
    model = GPT(**x.config())
    assert {f"transformer.{name}": tuple(p.shape) for name, p in model.named_parameters()} == nanogpt(x)


# Reading names


@every_maker
def test_every_project_is_recognised_by_its_names(maker: str) -> None:
    """All names are known, and by no other dialect but one that shares them all."""
    dialect, make = MAKERS[maker]
    names = list(make(Sizes()))
    ranked = [(known, reading.dialect.name) for known, reading in readings(names, DIALECTS)]
    assert (len(names), dialect) in ranked
    alike = {"huggingface", "nanogpt"} if dialect in ("huggingface", "nanogpt") else {dialect}
    alike |= {"transformerlens"} if dialect == "transformerlens-folded" else set()  # it lacks some of the same names
    assert {name for known, name in ranked if known == len(names)} == alike


@of_each("wrapper", ["module.", "_orig_mod.", "model.", "module._orig_mod.", "_orig_mod.module.model."])
@every_maker
def test_wrappers_before_names_are_seen_through(maker: str, wrapper: str) -> None:
    """What wraps a model puts a word before every name, in any order and number."""
    _, make = MAKERS[maker]
    names = [wrapper + name for name in make(Sizes())]
    known, reading = readings(names, DIALECTS)[0]
    assert known == len(names)
    assert reading.wrapper.startswith(wrapper)


@of_each(
    "name, expected",
    [
        ("h.0.ln_1.weight", ("h.{}.ln_1.weight", 0)),
        ("transformer.h.11.attn.c_attn.bias", ("transformer.h.{}.attn.c_attn.bias", 11)),
        ("model/h10/attn/c_attn/w", ("model/h{}/attn/c_attn/w", 10)),
        ("trf_blocks.3.ff.layers.2.weight", ("trf_blocks.{}.ff.layers.2.weight", 3)),
        ("h.00.ln_1.weight", ("h.00.ln_1.weight", None)),
        ("h.-1.ln_1.weight", ("h.-1.ln_1.weight", None)),
        ("h.1e3.ln_1.weight", ("h.1e3.ln_1.weight", None)),
        ("h.٣.ln_1.weight", ("h.٣.ln_1.weight", None)),
        ("h.1234567890.ln_1.weight", ("h.1234567890.ln_1.weight", None)),
        ("", ("", None)),
    ],
)
def test_the_number_of_a_block_is_read_as_it_is_written(name: str, expected: tuple[str, int | None]) -> None:
    """Digits between dots or slashes, without leading zeros; all else is a part of the name."""
    assert templated(name) == expected


def test_a_name_with_braces_is_not_taken_for_a_template() -> None:
    """A hostile name cannot stand for every block."""
    reading = reading_of(list(huggingface(Sizes())))
    assert reading.find("transformer.h.{}.ln_1.weight") is None
    assert reading.find("transformer.h.0.ln_1.weight") is not None


def test_a_name_with_another_prefix_than_the_others_is_not_known() -> None:
    """Whoever loads the file would not find it."""
    reading = reading_of(list(huggingface(Sizes())))
    assert reading.find("h.0.ln_1.weight") is None
    assert reading.find("module.transformer.h.0.ln_1.weight") is None
    assert reading.find("transformer.lm_head.weight") is None
    assert reading.find("lm_head.weight") is not None


def test_a_mask_is_no_bias() -> None:
    """attn.bias is a mask, c_attn.bias is a parameter, though one name ends like the other."""
    reading = reading_of(list(huggingface(Sizes())))
    mask, bias = reading.find("transformer.h.0.attn.bias"), reading.find("transformer.h.0.attn.c_attn.bias")
    assert mask
    assert isinstance(mask[0], Extra)
    assert bias
    assert isinstance(bias[0], Piece)


@pytest.mark.parametrize("name", ["model/wte", "modules.wte"])
def test_what_stands_before_a_name_is_no_part_of_it(name: str) -> None:
    """OpenAI's names begin with `model/`, which wraps nothing; of what llm.c calls wte, it stands before."""
    found = {reading.dialect.name: reading.wrapper for known, reading in readings([name], DIALECTS) if known}
    assert found == {"model/wte": {"openai": "", "llm.c": "model/"}, "modules.wte": {"llm.c": "modules."}}[name]
