"""Sweeps are exact: every column of every row is what counting that one model gives, or nothing is computed at all."""

from __future__ import annotations

import itertools
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc import arrays, conventions, formulas
from gpt2calc.errors import ConfigError, Int64OverflowError
from gpt2calc.fields import CANONICAL
from gpt2calc.sources import LEFT_OUT
from gpt2calc.sweeps import conditions, exact, grids, tasks
from gpt2calc.sweeps.columns import COLUMNS, COSTS, COUNT, SHARE, identifier
from gpt2calc.sweeps.models import PieceModels
from gpt2calc.sweeps.ranking import Best
from tests.loops import of_each
from tests.property.strategies import SETTINGS, tried
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from gpt2calc.dims import Dims

SIZES: dict[str, st.SearchStrategy[int]] = {
    "n_layer": st.integers(0, 40),
    "n_embd": st.integers(1, 60),
    "n_positions": st.integers(1, 60),
    "vocab_size": st.integers(1, 400),
    "n_inner": st.integers(0, 100),
    "num_labels": st.integers(0, 5),
}
SWITCHES: dict[str, list[Any]] = {
    "tie_word_embeddings": [True, False],
    "add_cross_attention": [True, False],
    "bias": [True, False],
    "qkv_bias": [True, False],
    "ln_f": [True, False],
    "summary_proj_to_labels": [True, False],
    "pad_vocab_size_multiple": [1, 8, 128],
    "head": ["lm", "none", "double_heads", "token_classification", "question_answering"],
}


@st.composite
def grid_fields(draw: st.DrawFn, most: int = 60) -> dict[str, Any]:
    """Draw fields of a small grid, in any order, each with one value or a few."""
    names = draw(st.permutations([*SIZES, *SWITCHES]).map(lambda order: order[: draw(st.integers(1, 6))]))
    found: dict[str, Any] = {}
    length = 1
    for name in names:
        count = draw(st.integers(1, max(1, min(6, most // length))))
        values = st.sampled_from(SWITCHES[name]) if name in SWITCHES else SIZES[name]
        chosen = draw(st.lists(values, min_size=count, max_size=count, unique=name in SWITCHES and count <= 2))
        found[name] = chosen if len(chosen) > 1 else chosen[0]
        length *= len(chosen)
    return found


def combinations(fields: dict[str, Any]) -> list[dict[str, Any]]:
    """Return each row's fields in the order of the rows: switches slowest, then sizes, as they are given."""
    several = {name: value for name, value in fields.items() if isinstance(value, list)}
    order = [name for name in several if name in SWITCHES] + [name for name in several if name in SIZES]
    rows = itertools.product(*(several[name] for name in order))
    return [{**fields, **dict(zip(order, row, strict=True))} for row in rows]


def counted(dims: Dims) -> dict[str, int]:
    """Return every count of one model, as `count` gives it, under the names of the columns."""
    count = gpt2calc.count(dims)
    parts = {component.name: component.total for component in count.components}
    known = {identifier(row.component): parts.get(row.component, 0) for row in formulas.table(dims)}
    known |= {group: held.total for group, held in count.groups.items()}
    alone = gpt2calc.cost(dims._replace(add_cross_attention=0), cache="dynamic")
    trained = gpt2calc.cost(dims, optimizer="adamw", source=1 if dims.add_cross_attention else None)
    held = trained.weights + (trained.gradients or 0) + (trained.optimizer or 0)
    known |= {
        "flops": alone.forward,
        "kv_bytes": alone.kv_bytes or 0,
        "kv_bytes_per_token": alone.kv_bytes_per_token,
        "train_bytes": held,
    }
    known |= {**count.conventions, "weights": count.weights, "biases": count.biases, "total": count.total}
    return {f"{name}_parameters" if name in CANONICAL else name: value for name, value in known.items()}


@tried(25 if IS_WIDE else 15)
@given(fields=grid_fields(most=40))
def test_every_column_of_every_row_is_what_counting_that_model_gives(fields: dict[str, Any]) -> None:
    """Row for row and column for column, as exact integers; shares are the quotients that Python rounds once."""
    swept = gpt2calc.sweep(columns=[name for name in COLUMNS if name not in ("n_head", "head")], **fields)
    models = [gpt2calc.count(**row).dims for row in combinations(fields)]
    counts = [counted(dims) for dims in models]
    for name, values in swept.items():
        column = COLUMNS[name]
        if column.kind == SHARE:
            assert values.tolist() == [count[column.part] / count["total"] for count in counts], name
        elif column.kind == COUNT:
            assert values.tolist() == [count[name] for count in counts], name
        else:
            assert values.tolist() == [getattr(dims, name) for dims in models], name


FACTORED = ("total", "matrices", "padded_vocabulary", "int4_bytes", "stored_with_masks", "n_inner", *COSTS)


@tried(50 if IS_WIDE else 25)
@given(
    fields=grid_fields(),
    row=st.sampled_from([1, 2, 7, 40, 4096]),
    table=st.sampled_from([0, 30, 2**20]),
    data=st.data(),
)
def test_the_factored_evaluation_is_the_plain_one(
    fields: dict[str, Any], row: int, table: int, data: st.DataObject
) -> None:
    """However the sizes are split into rows and what runs along them, and in whatever chunks the answer is written."""
    grid, _ = grids.read(LEFT_OUT, fields)
    for piece in grids.pieces(grid):
        split = PieceModels(piece, row=row, table=table)
        sizes = [name for name, _ in piece.sizes]
        models = [
            piece.dims(dict(zip(sizes, row, strict=True))) for row in itertools.product(*(a for _, a in piece.sizes))
        ]
        some_names = st.lists(st.sampled_from(FACTORED), min_size=3, max_size=3, unique=True)
        for name in FACTORED if IS_WIDE else data.draw(some_names):
            out = np.empty(len(models), dtype=np.int64)
            place = 0
            while place < len(models):
                step = data.draw(st.integers(1, len(models)))
                split.into(name, place, out[place : place + step])
                place += step
            measure = COLUMNS[name].measure or (lambda dims: dims.n_inner)
            assert out.tolist() == [measure(dims) for dims in models]
            some = np.array(sorted(data.draw(st.sets(st.integers(0, len(models) - 1), max_size=4))), dtype=np.int64)
            assert split.at(name, some).tolist() == [measure(models[place]) for place in some]


@pytest.mark.parametrize(
    "fields",
    [
        {"n_layer": range(1, 20), "n_embd": range(8, 800, 8), "n_positions": range(1, 10), "vocab_size": range(1, 20)},
        {"vocab_size": range(1, 50), "n_positions": [1, 2], "n_embd": range(8, 800, 8), "n_layer": range(40)},
        {"n_inner": range(0, 1000, 7), "n_embd": range(8, 800, 8), "n_layer": range(40)},
        {"n_layer": range(9), "n_embd": range(8, 80, 8), "n_positions": range(1, 11), "vocab_size": range(1, 400)},
        {"n_layer": range(40), "vocab_size": range(1, 20_001)},
        {"vocab_size": range(1, 300_001)},
        {"n_embd": range(1, 300_001), "n_layer": [1, 2]},
    ],
    ids=[
        "four sizes",
        "a short one within",
        "a product of three",
        "a scaled table",
        "a long one last",
        "one alone",
        "a long one first",
    ],
)
def test_grids_of_many_blocks_are_what_plain_arrays_give(fields: dict[str, Any]) -> None:
    """Some hundred thousand rows at once, in rows, tables and blocks of every kind, against one broadcast formula."""
    meshed = np.meshgrid(*(np.array(values, dtype=np.int64) for values in fields.values()), indexing="ij")
    given = {field: values.ravel() for field, values in zip(fields, meshed, strict=True)}
    plain: dict[str, Any] = {}
    for name in ("total", "mlp", "padded_vocabulary", "flops"):
        measure = COLUMNS[name].measure
        assert measure
        plain[name] = arrays.evaluate(measure, **given)
    plain["mlp_share"] = plain["mlp"] / plain["total"]
    for name, values in plain.items():
        swept = gpt2calc.sweep(columns=[name], **fields)[name]
        assert np.array_equal(swept, values), name
        chunk = tasks.run(tasks.Plan(grids.read(LEFT_OUT, fields)[0], (name,)), 1234, 70_001)
        assert np.array_equal(chunk.columns[name], swept[1234:70_001]), name


# ---------------------------------------------------------------- overflow

ONE: dict[str, Any] = {"n_layer": 0, "n_embd": 1, "n_positions": 1, "n_inner": 0}
FITS = 2**63 - 1 - 3
"""The vocabulary with which a model of width 1 without blocks has exactly 2⁶³ - 1 parameters."""


def test_the_largest_int64_is_counted_and_one_more_is_refused() -> None:
    """At the boundary itself; the model is named, and nothing has been computed."""
    assert gpt2calc.sweep(vocab_size=[1, FITS], columns="total", **ONE)["total"].tolist() == [4, 2**63 - 1]
    with pytest.raises(
        Int64OverflowError, match=r"^total is 9,223,372,036,854,775,808 in the largest model \(n_layer 0, n_embd 1"
    ):
        gpt2calc.sweep(vocab_size=[1, FITS + 1], columns="total", **ONE)


def test_a_column_that_is_larger_than_the_total_is_held_to_its_own_size() -> None:
    """A total that fits does not let its bytes wrap, also where only the condition or the order needs them."""
    largest: dict[str, Any] = {"vocab_size": [1, FITS], **ONE}
    assert gpt2calc.sweep(columns="int4_bytes,int8_bytes", **largest)["int8_bytes"].tolist() == [4, 2**63 - 1]
    for name, value in {"columns": "fp32_bytes", "where": "fp32_bytes > 1", "sort": "fp32_bytes"}.items():
        asked: dict[str, Any] = {name: value}
        with pytest.raises(Int64OverflowError, match=r"^fp32_bytes is 36,893,488,147,419,103,228 in the largest model"):
            gpt2calc.sweep(**asked, **largest)


def test_the_largest_model_need_not_be_wanted_to_be_refused() -> None:
    """The corner of the grid is looked at, whatever the condition says of it, in every piece."""
    with pytest.raises(Int64OverflowError, match=r"n_layer 1,000,000,000, n_embd 1,000,000,000"):
        gpt2calc.sweep(n_layer=[1, 10**9], n_embd=[1, 10**9], where="total < 5", columns="total")
    with pytest.raises(Int64OverflowError, match=r"^total is"):
        gpt2calc.sweep(tied=[True, False], vocab_size=FITS - 1, columns="total", **ONE)


def test_a_size_that_does_not_fit_is_refused_even_where_it_is_multiplied_by_0() -> None:
    """A width whose MLP is wider than int64 is a column that would wrap."""
    with pytest.raises(Int64OverflowError, match=r"^n_inner is 12,000,000,000,000,000,000 in the largest model"):
        gpt2calc.sweep(n_layer=[0], n_embd=[3 * 10**18], n_positions=1, vocab_size=1, columns="n_inner")


def test_products_that_wrap_before_a_size_of_0_come_out_right() -> None:
    """d² of such a width is beyond int64, but no block has it, and the count is exact."""
    swept = gpt2calc.sweep(
        n_layer=[0], n_embd=[10**12, 10**12 + 1], columns="total,mlp", n_positions=1, vocab_size=[1, 2]
    )
    widths = (10**12, 10**12, 10**12 + 1, 10**12 + 1)
    assert swept["total"].tolist() == [d * (v + 1 + 2) for d, v in zip(widths, (1, 2, 1, 2), strict=True)]


@pytest.mark.parametrize("dtype", ["int32", "uint64", "float64", "object"])
def test_an_array_of_another_type_is_refused(dtype: str) -> None:
    """As for `arrays.evaluate`, since narrow integers wrap and floats round."""
    with pytest.raises(ConfigError, match=f"^n_layer must be an int64 array, got {dtype}$"):
        gpt2calc.sweep(n_layer=np.array([1, 2], dtype=dtype))


@pytest.mark.parametrize("vocabulary", [2**52 - 10, 2**53 - 10, 2**60 + 1])
def test_shares_are_rounded_once_also_beyond_53_bits(vocabulary: int) -> None:
    """A share is the float64 nearest to the exact quotient, which dividing two float64 numbers does not give."""
    fields: dict[str, Any] = {"n_embd": 3, "n_positions": 7}
    columns = "total,embedding,mlp,biases,embedding_share,mlp_share,biases_share"
    swept = gpt2calc.sweep(n_layer=range(1, 40), vocab_size=[vocabulary, vocabulary + 1], columns=columns, **fields)
    for name in ("embedding_share", "mlp_share", "biases_share"):
        part = COLUMNS[name].part
        exactly = [a / b for a, b in zip(swept[part].tolist(), swept["total"].tolist(), strict=True)]
        assert swept[name].tolist() == exactly


# ---------------------------------------------------------------- conditions

ATOMS = st.sampled_from(["total", "mlp", "n_layer", "n_embd", "biases", "mlp_share", "embedding_share"])
NUMBERS = st.sampled_from(["0", "1", "7", "12", "1e3", "25.5", "0.5", "1e-3", "2e6", "123456.5", "50257"])


@st.composite
def numbers(draw: st.DrawFn, depth: int = 2) -> str:
    """Draw an expression that is a number."""
    if depth == 0 or draw(st.booleans()):
        return draw(ATOMS | NUMBERS)
    sign = draw(st.sampled_from(["+", "-", "*", "/", "//", "%"]))
    left = draw(numbers(depth - 1))
    right = (
        draw(st.sampled_from(["total", "n_embd", "7", "2.5", "3"]))
        if sign in ("/", "//", "%")
        else draw(numbers(depth - 1))
    )
    return f"({left} {sign} {right})" if draw(st.booleans()) else f"(-({left}) {sign} {right})"


@st.composite
def conditions_(draw: st.DrawFn, depth: int = 2) -> str:
    """Draw a condition."""
    if depth == 0 or draw(st.booleans()):
        signs = [draw(st.sampled_from(["<", "<=", ">", ">=", "==", "!="])) for _ in range(draw(st.integers(1, 2)))]
        parts = [draw(numbers()) for _ in range(len(signs) + 1)]
        return parts[0] + "".join(f" {sign} {part}" for sign, part in zip(signs, parts[1:], strict=True))
    one, other = draw(conditions_(depth - 1)), draw(conditions_(depth - 1))
    return draw(
        st.sampled_from([f"({one}) and ({other})", f"({one}) or ({other})", f"not ({one})", f"({one}) & ({other})"])
    )


THREE_OF_EACH: dict[str, Any] = {"n_layer": [1, 7, 12], "n_embd": [1, 25, 768], "vocab_size": [1, 50257, 2**40]}


@cache
def every_row() -> list[dict[str, Any]]:
    """Return all columns of the grid on which conditions are tried, a row a model."""
    everything = gpt2calc.sweep(columns="all", **THREE_OF_EACH)
    return [{name: values[place].item() for name, values in everything.items()} for place in range(everything.rows)]


@SETTINGS
@given(text=conditions_())
def test_a_condition_means_what_python_says_of_exact_numbers(text: str) -> None:
    """Each row for which the condition holds, and no other, is one for which Python's own evaluation says so."""
    try:
        found = gpt2calc.sweep(columns="total,n_layer,n_embd", where=text, **THREE_OF_EACH)
    except ConfigError as error:
        assert "does not fit in int64" in str(error)  # noqa: PT017  # nothing else can be wrong with what is drawn
        return
    wanted = [row for row in every_row() if eval(text, {"__builtins__": {}}, row)]
    for name, values in found.items():
        assert values.tolist() == [row[name] for row in wanted]


INTEGERS = st.integers(-(2**63), 2**63 - 1) | st.integers(2**53 - 3, 2**53 + 3) | st.integers(-9, 9)
FLOATS = st.floats(allow_nan=False) | INTEGERS.map(float) | st.sampled_from([2.0**63, -(2.0**63), 2.0**53 + 2, 0.5])


@SETTINGS
@given(
    left=st.lists(INTEGERS, min_size=1, max_size=3),
    right=FLOATS,
    other=INTEGERS,
    sign=st.sampled_from(list(exact.COMPARED)),
)
def test_integers_are_compared_exactly(left: list[int], right: float, other: int, sign: str) -> None:
    """With floats and integers, on either side, one or many, near 2⁵³ and 2⁶³."""
    array, compare = np.array(left), exact.COMPARED[sign]
    many = np.full(len(left), right)
    assert exact.compare(sign, array, right).tolist() == [compare(x, right) for x in left]
    assert exact.compare(sign, right, array).tolist() == [compare(right, x) for x in left]
    assert exact.compare(sign, array, many).tolist() == [compare(x, right) for x in left]
    assert exact.compare(sign, many, array).tolist() == [compare(right, x) for x in left]
    assert exact.compare(sign, array, other).tolist() == [compare(x, other) for x in left]
    assert exact.compare(sign, array, 2 * other).tolist() == [compare(x, 2 * other) for x in left]
    if other:
        assert exact.quotient(array, np.full(len(left), other)).tolist() == [x / other for x in left]


def test_a_wrong_comparison_beyond_53_bits_would_be_found() -> None:
    """A test of the test: numpy itself calls 2⁵³ + 1 and 2⁵³ equal."""
    assert (np.array([2**53 + 1]) == np.array([2.0**53])).tolist() == [True]
    assert exact.compare("==", np.array([2**53 + 1]), np.array([2.0**53])).tolist() == [False]


WRONG = {
    "total": "at character 1: expected a condition such as total < 400e6, got a whole number",
    "totl < 3": "at character 1: no column is called 'totl': did you mean total?",
    "n_layer > 1 and mlp_shar > 0.5": "at character 17: no column is called 'mlp_shar': did you mean mlp_share?",
    "total < 5 & n_layer > 3": "at character 9: expected a condition, got a whole number; comparisons beside & need",
    "total < ": "is no condition: invalid syntax, at character 8",
    "total = 3": "; == compares, at character 1",
    "(total < 3": "is no condition: '(' was never closed, at character 1",
    "": "a condition is empty: total < 400e6 is one",
    "n_layer == 'a'": "at character 12: a whole number and a word cannot be compared by ==",
    "head > 'lm'": "at character 8: a word and a word cannot be compared by >",
    "n_layer in (1, 2)": "at character 12: this is none of and, or, not, & and |, comparisons, + - * / // %",
    "__import__('os').system('true')": "at character 1: this is none of",
    "total.__class__ == 1": "at character 1: no column is called 'total.__class__'",
    "[x for x in (1,)] == 1": "at character 1: this is none of",
    "(lambda: 1)() == 1": "at character 1: this is none of",
    "total ** 2 > 1": "at character 1: this is none of",
    "total < 1e999": "at character 9: this number is too large",
    "total / mlp_share > 1": "at character 9: the divisor can be 0: divide by a count or a number",
    "total % 0 > 1": "at character 9: the divisor can be 0 in this sweep",
    "total / (n_layer - 12) > 1": "at character 10: the divisor can be 0 in this sweep",
    "total * total * total > 1": "at character 1: this can come to ",
    "1e19 - total > 1": "at character 1: this can come to 9,999,999,999,875,560,192, which does not fit in int64",
    "-" * 3000 + "1 > 2": "is no condition: it ",
    "total" + " + 1" * 200 + " > 1": "is no condition: it has more than 100 parts within parts",
    "x" * 20_000: "a condition has at most 10,000 characters, got 20,000",
}


@of_each("text", WRONG)
def test_a_wrong_condition_is_told_in_a_sentence_with_the_place(text: str) -> None:
    """What is wrong, where, and the nearest column; nothing is ever run."""
    with pytest.raises(ConfigError) as caught:
        gpt2calc.sweep(n_layer=[12, 24], where=text)
    assert WRONG[text] in str(caught.value)
    assert "\n" not in str(caught.value)


@of_each(
    "text, layers",
    [
        ("layers > 12", [24]),
        ("attn.c_attn > 21261312", [24]),
        ("head == 'lm' and tied", [12, 24]),
        ("not tie_word_embeddings", []),
        ("bias == true and n_layer == 12", [12]),
        ("total > 124439808\nand n_layer < 100", [24]),
        ("total < 1e30 and total > -1e30", [12, 24]),
        ("~(n_layer == 12) | (n_layer == 12)", [12, 24]),
        ("12 <= n_layer < 24", [12]),
        ("+n_layer == 12", [12]),
    ],
)
def test_a_condition_takes_every_spelling_and_words(text: str, layers: list[int]) -> None:
    """Fields in any spelling, components by their own names, true and false, words, and line breaks."""
    assert gpt2calc.sweep(n_layer=[12, 24], where=text)["n_layer"].tolist() == layers


def test_a_condition_names_its_columns_once() -> None:
    """Each column is computed once, whatever the condition looks like."""
    assert conditions.read("1 < total < 5 or total == 7 and mlp > total").columns == ("total", "mlp")


# ---------------------------------------------------------------- order


@tried(50)
@given(
    keys=st.lists(st.integers(0, 6) | st.integers(0, 10**9), max_size=400),
    top=st.integers(1, 30) | st.none(),
    descending=st.booleans(),
    step=st.integers(1, 150),
)
def test_the_first_rows_are_those_of_sorting_them_all(
    keys: list[int],
    top: int | None,
    descending: bool,  # noqa: FBT001  # drawn
    step: int,
) -> None:
    """In any pieces, with equal keys in the order of the rows."""
    best = Best(descending, top)
    for start in range(0, len(keys), step):
        part = np.array(keys[start : start + step], dtype=np.int64)
        best.offer(np.arange(start, start + len(part)), part, {"key": part})
    ranked = sorted(range(len(keys)), key=lambda row: (-keys[row] if descending else keys[row], row))
    rows, _, columns = best.taken()
    assert rows.tolist() == ranked[:top]
    assert keys == [] or columns["key"].tolist() == [keys[row] for row in ranked[:top]]


MANY_EQUAL: dict[str, Any] = {
    "n_layer": range(30),
    "tied": [True, False],
    "n_head": [1, 2, 3],
    "n_embd": [6, 12, 16],
}


@cache
def unsorted() -> gpt2calc.Sweep:
    """Return all rows of the grid in which many keys are equal."""
    return gpt2calc.sweep(columns="all", **MANY_EQUAL)


@pytest.mark.parametrize(
    "sort", [None, "total", "total:desc", "mlp_share:desc", "n_head", "tied_parameters:asc", "tied:desc"]
)
@pytest.mark.parametrize("top", [None, 1, 7, 10**6])
def test_top_is_the_beginning_of_the_sorted_sweep(sort: str | None, top: int | None) -> None:
    """Among rows with many equal keys, in several pieces, with rows that are left out."""
    swept, rows = gpt2calc.sweep(columns="all", sort=sort, top=top, **MANY_EQUAL), unsorted()
    if sort or top:
        name, _, direction = (sort or "total:desc").partition(":")
        keys = rows[{"tied": "tie_word_embeddings"}.get(name, name)].tolist()
        order = sorted(range(rows.rows), key=lambda row: (-keys[row] if direction == "desc" else keys[row], row))[:top]
    else:
        order = list(range(rows.rows))
    assert {name: values.tolist() for name, values in swept.items()} == {
        name: values[order].tolist() for name, values in rows.items()
    }
    assert swept.notes == ("left out 60 of the rows, in which n_head does not divide n_embd",)


def test_conventions_and_components_are_all_columns() -> None:
    """A new row in a table is a column by itself, under a name that no field has in any spelling."""
    names = set(COLUMNS)
    assert {name if name not in CANONICAL else f"{name}_parameters" for name in conventions.NAMES} <= names
    assert all(name.isidentifier() for name in names)
    counts = {name for name, column in COLUMNS.items() if column.kind in (COUNT, SHARE)}
    assert counts & set(CANONICAL) == set()
