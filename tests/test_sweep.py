"""Sweeps in Python: what a grid is, which columns there are, and that libraries take them without copying."""

from __future__ import annotations

import pickle
import sys
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import gpt2calc
from gpt2calc.errors import ConfigError, Int64OverflowError, UnknownNameError
from gpt2calc.sources import LEFT_OUT
from gpt2calc.sweeps import grids, runs, sweeper, tasks
from gpt2calc.sweeps.columns import COLUMNS
from gpt2calc.sweeps.report import MOST_IN_JSON, Sweep, share
from tests.loops import of_each

if TYPE_CHECKING:
    from pathlib import Path

SMALL: dict[str, Any] = {"n_layer": [12, 24, 48], "n_embd": [768, 1600]}


def test_a_sweep_is_a_mapping_of_arrays() -> None:
    """Columns by name, in order; counts are int64, shares float64, switches bool."""
    swept = gpt2calc.sweep(columns="n_layer,tied,head,total,mlp_share", tied=[True, False], **SMALL)
    assert list(swept) == ["n_layer", "tie_word_embeddings", "head", "total", "mlp_share"]
    assert [swept[name].dtype.kind for name in swept] == ["i", "b", "U", "i", "f"]
    assert (len(swept), swept.rows, swept["total"].dtype) == (5, 12, np.int64)
    assert repr(swept) == "<Sweep gpt2: 12 rows of n_layer, tie_word_embeddings, head, total, mlp_share>"
    assert swept["total"][5] == gpt2calc.count("gpt2-xl").total


def test_rows_run_as_fields_are_given() -> None:
    """Switches are slowest, wherever they stand; then sizes, the last one given fastest."""
    one = gpt2calc.sweep(columns="n_layer,n_embd,tied", n_embd=[8, 16], tied=[True, False], layers=[1, 2])
    assert one["n_embd"].tolist() == [8, 8, 16, 16] * 2
    assert one["n_layer"].tolist() == [1, 2] * 4
    assert one["tie_word_embeddings"].tolist() == [True] * 4 + [False] * 4


@pytest.mark.parametrize(
    ("model", "fields", "total"),
    [
        (LEFT_OUT, {"n_layer": [12]}, 124439808),
        ("gpt2-medium", {"n_embd": [1024]}, 354823168),
        ("gpt2-untied", {"n_layer": [12]}, 163037184),
        ({"n_layer": 24, "n_embd": 1024}, {"vocab": [50257]}, 354823168),
        (gpt2calc.Config(n_layer=48, n_embd=1600), {"n_layer": [48]}, 1557611200),
        (gpt2calc.count("gpt2-xl"), {"n_layer": [48]}, 1557611200),
        (gpt2calc.count("gpt2-xl").dims, {"n_embd": [1600]}, 1557611200),
        ("gpt2", {}, 124439808),
    ],
    ids=["nothing", "preset", "untied", "mapping", "config", "count", "dims", "no field"],
)
def test_what_is_not_swept_is_the_base_models(model: Any, fields: dict[str, Any], total: int) -> None:
    """A base model is named as for `count`."""
    assert gpt2calc.sweep(model, **fields)["total"].tolist() == [total]


def test_n_inner_follows_the_width_unless_it_is_somebodys_own() -> None:
    """Four times each row's width; what a model or the user gives stays, and a note says so."""
    assert gpt2calc.sweep(columns="n_inner", n_embd=[8, 16])["n_inner"].tolist() == [32, 64]
    kept = gpt2calc.sweep({"n_layer": 12, "n_inner": 100}, columns="n_inner", n_embd=[8, 16])
    assert kept["n_inner"].tolist() == [100, 100]
    assert kept.notes == ("n_inner stays 100 while n_embd runs",)
    both = gpt2calc.sweep(columns="n_embd,n_inner", n_embd=[8, 16], n_inner=[0, 7])
    assert both["n_inner"].tolist() == [0, 7, 0, 7]
    follows = gpt2calc.sweep(columns="n_inner", n_embd=[8, 16], n_inner=None)
    assert follows["n_inner"].tolist() == [32, 64]


def test_padding_rounds_each_vocabulary() -> None:
    """The column shows the rows that wte has."""
    swept = gpt2calc.sweep(columns="vocab_size,total", vocab_size=[50257, 50304], pad_vocab=[1, 128])
    assert swept["vocab_size"].tolist() == [50257, 50304, 50304, 50304]
    assert swept["total"][2] == gpt2calc.count(vocab_size=50304).total


def test_labels_that_a_head_sets_do_not_run() -> None:
    """GPT2DoubleHeadsModel has one label, whatever is given; the first column is what the model has."""
    swept = gpt2calc.sweep(columns="num_labels,total", num_labels=[0, 7], head="double_heads")
    assert swept["num_labels"].tolist() == [1, 1]
    assert swept["total"].tolist() == [gpt2calc.count(head="double_heads").total] * 2


def test_rows_that_are_no_models_are_left_out_and_counted() -> None:
    """n_head changes no count, but it must divide n_embd; a note says how many rows it does not."""
    swept = gpt2calc.sweep(n_embd=[768, 1000], n_head=[12, 16], columns="n_embd,n_head")
    assert (swept["n_embd"].tolist(), swept["n_head"].tolist()) == ([768, 768], [12, 16])
    assert swept.notes == ("left out 2 of the rows, in which n_head does not divide n_embd",)
    assert gpt2calc.sweep(n_embd=[768, 1000], n_head=12).rows == 1
    assert gpt2calc.sweep("gpt2", n_embd=[768, 1000]).rows == 2  # gpt2's own n_head is nobody's wish


def test_the_columns_unless_named_fit_a_screen() -> None:
    """What runs, the total, and the shares of the groups that come to a hundredth anywhere."""
    assert list(gpt2calc.sweep(n_layer=[12, 24])) == [
        "n_layer",
        "total",
        "embedding_share",
        "attention_share",
        "mlp_share",
    ]
    assert "head_share" in gpt2calc.sweep(n_layer=[12, 24], tied=False)


def test_all_columns_are_those_that_say_anything() -> None:
    """No component that no row has, no switch that does not run; everything that can be is computed."""
    plain = list(gpt2calc.sweep(columns="all", **SMALL))
    assert {"n_layer", "n_positions", "attn_c_attn", "mlp", "total", "kaplan", "int4_bytes", "mlp_share"} <= set(plain)
    assert {"n_head", "lm_head", "qa_outputs", "tie_word_embeddings", "head", "cross_attention_share"} & set(
        plain
    ) == set()
    rich: dict[str, Any] = {
        "head": ["lm", "question_answering"],
        "tied": [True, False],
        "cross_attention": [True, False],
        "n_head": 2,
    }
    added = set(gpt2calc.sweep(columns="all", n_embd=8, **rich)) - set(plain)
    assert {"n_head", "lm_head", "qa_outputs", "tie_word_embeddings", "head", "cross_attention_share"} <= added
    assert list(gpt2calc.sweep(columns="all", head="double_heads"))[5] == "num_labels"


@of_each(
    "asked, kind, message",
    [
        ({"n_layer": []}, ConfigError, "n_layer has no values"),
        (
            {"n_layer": [1, 2.5]},
            ConfigError,
            "n_layer takes values of one type, whole numbers for a size, got float, int",
        ),
        ({"n_layer": [-1, 5]}, ConfigError, "n_layer must be a whole number, 0 or more, got -1"),
        ({"n_layer": ["x"]}, ConfigError, "n_layer must be a whole number, 0 or more, got 'x'"),
        ({"n_layer": [True, False]}, ConfigError, "n_layer must be a whole number, 0 or more, got true"),
        ({"tied": [1, 0]}, ConfigError, "tie_word_embeddings must be true or false, got 0"),
        ({"head": ["lm", "x"]}, ConfigError, "head must be one of none, lm"),
        ({"n_head": [0]}, ConfigError, "n_head must be a whole number, 1 or more, got 0"),
        ({"n_layrs": [1]}, ConfigError, "there is no field n_layrs: did you mean n_layer"),
        ({"n_layer": [1], "layers": [2]}, ConfigError, "disagree: both mean n_layer"),
        ({"columns": "totl"}, UnknownNameError, "no column is called 'totl': did you mean total?"),
        ({"columns": "xyzzy"}, UnknownNameError, "no column is called 'xyzzy': known are n_layer"),
        ({"columns": []}, ConfigError, "columns are empty"),
        ({"columns": "n_head"}, ConfigError, "there is no column n_head: give n_head"),
        ({"where": "n_head > 1"}, ConfigError, "there is no column n_head: give n_head"),
        ({"sort": "total:down"}, ConfigError, "a column is sorted asc or desc, got 'down'"),
        ({"sort": "head"}, ConfigError, "head is a word"),
        ({"top": 0}, ConfigError, "top must be a whole number, 1 or more, got 0"),
        ({"top": True}, ConfigError, "top must be a whole number, 1 or more, got true"),
        ({"n_layer": 2**63}, Int64OverflowError, "n_layer 9,223,372,036,854,775,808 does not fit in int64"),
        ({"n_layer": [10**70]}, Int64OverflowError, "n_layer 1000000000"),
        ({"n_layer": range(10**5), "n_embd": range(1, 10**5), "columns": "all"}, ConfigError, "GiB may be used here"),
        ({"pad_vocab": list(range(1, 5000))}, ConfigError, "4,999 combinations of values, at most 4,096"),
        ({"sort": "total", "n_layer": range(10**4), "n_embd": range(1, 10**4)}, ConfigError, "would have to be sorted"),
    ],
)
def test_a_mistake_is_told_in_a_sentence(asked: dict[str, Any], kind: type[Exception], message: str) -> None:
    """What was wrong, and what was expected; nothing is computed."""
    with pytest.raises(kind) as caught:
        gpt2calc.sweep(**asked)
    assert message in str(caught.value)


def test_every_model_fits_where_the_largest_does_and_memory_is_not_needed_for_few() -> None:
    """A grid of 10¹² rows can be asked for its first rows, as long as nothing of its size is made."""
    run = sweeper.ready(LEFT_OUT, {"n_layer": range(10**4), "n_embd": range(1, 10**4), "vocab_size": range(1, 10**4)})
    columns, count = run.head(3)
    assert count == 10**4 * (10**4 - 1) ** 2
    assert columns["total"].tolist() == [1026 + v for v in (1, 2, 3)]


# ---------------------------------------------------------------- other libraries


def address(array: Any) -> int:
    """Return where an array's numbers are."""
    return int(array.__array_interface__["data"][0])


def test_pandas_takes_the_columns_without_copying() -> None:
    """A frame made of the mapping shares its memory, where pandas is asked not to copy."""
    swept = gpt2calc.sweep(**SMALL)
    frame = pd.DataFrame(dict(swept), copy=False)
    assert list(frame.columns) == list(swept)
    assert all(np.shares_memory(frame[name].to_numpy(), swept[name]) for name in swept)


def test_arrow_takes_the_columns_without_copying() -> None:
    """As a table, and by the protocol that any library can ask."""
    swept = gpt2calc.sweep(**SMALL)
    for table in (swept.to_arrow(), pa.table(swept)):
        assert table.schema.field("total").type == pa.int64()
        for name in swept:
            assert table[name].chunk(0).buffers()[1].address == address(swept[name])
            assert table[name].to_pylist() == swept[name].tolist()


def test_polars_takes_the_columns_without_copying() -> None:
    """By Arrow's protocol."""
    swept = gpt2calc.sweep(**SMALL)
    frame = pl.DataFrame(swept)
    assert frame.columns == list(swept)
    for name in swept:
        assert np.shares_memory(frame[name].to_numpy(), swept[name])
    assert frame.equals(pl.DataFrame(dict(swept)))


def test_words_and_switches_are_taken_as_well() -> None:
    """As text and as truth values."""
    swept = gpt2calc.sweep(columns="head,tied,total", head=["lm", "none"])
    assert swept.to_arrow().to_pydict() == {
        "head": ["lm", "none"],
        "tie_word_embeddings": [True, True],
        "total": [124439808] * 2,
    }


# ---------------------------------------------------------------- results


def test_a_share_in_a_table_is_rounded_from_integers() -> None:
    """The same digits as in a comparison, also where a share lies half between two."""
    swept = gpt2calc.sweep("gpt2", n_layer=[12, 24])
    text = [cell.text() for cell in swept.tables()[0].rows[0][2:]]  # type: ignore[index,union-attr]  # no rules here
    assert text == ["31.65 %", "22.78 %", "45.54 %"]
    for part, whole in ((1, 800), (3, 800), (1, 32), (7, 2**52)):
        assert share(part / whole, whole)[:2] == (part, whole)
    assert gpt2calc.sweep(columns="mlp_share").tables()[0].rows[0][0].text() == "45.54 %"  # type: ignore[index,union-attr]  # see above


def test_to_dict_holds_every_row_and_what_was_asked() -> None:
    """As JSON takes it: numbers of Python's own."""
    found = gpt2calc.sweep(n_layer=[12, 24], where="n_layer > 12", top=3, columns="n_layer,total").to_dict()
    assert found == {
        "schema": "gpt2calc/sweep/1",
        "model": "gpt2",
        "where": "n_layer > 12",
        "sort": "total:desc",
        "top": 3,
        "models": [{"n_layer": 24, "total": 209494272}],
        "notes": [],
    }
    assert type(found["models"][0]["total"]) is int


def test_json_is_for_what_a_document_can_hold() -> None:
    """One row more is too many."""
    fits = gpt2calc.sweep(columns="total", vocab_size=range(1, MOST_IN_JSON + 2))
    with pytest.raises(ConfigError, match="JSON holds at most 100,000 models, and there are 100,001: write jsonl"):
        fits.to_dict()


def test_a_sweep_without_rows_is_a_sweep() -> None:
    """Nothing passes the condition, and every way of looking at it says so."""
    swept = gpt2calc.sweep(where="total < 0", columns="n_layer,total,mlp_share", **SMALL)
    assert (swept.rows, swept["total"].dtype, swept["mlp_share"].dtype) == (0, np.int64, np.float64)
    assert swept.to_dict()["models"] == []
    assert swept.tables()[0].rows == ()
    assert swept.to_arrow().num_rows == 0
    assert gpt2calc.sweep(where="total < 0", sort="total", **SMALL).rows == 0


def test_a_notebook_shows_the_first_rows() -> None:
    """As HTML, with a title that says how many there are."""
    shown = gpt2calc.sweep(n_layer=range(100))._repr_html_()
    assert "<caption>gpt2, 100 models, the first 20</caption>" in shown
    assert shown.count("<tr>") == 21


def test_a_sweep_can_be_sent_to_another_process() -> None:
    """And so can what makes one."""
    swept = gpt2calc.sweep(**SMALL)
    back = pickle.loads(pickle.dumps(swept))
    assert isinstance(back, Sweep)
    assert {name: back[name].tolist() for name in back} == {name: swept[name].tolist() for name in swept}
    plan = tasks.Plan(grids.read(LEFT_OUT, SMALL)[0], ("total",), "total > 1")
    assert pickle.loads(pickle.dumps(plan)) == plan


def test_a_stream_is_the_sweep_in_pieces(monkeypatch: pytest.MonkeyPatch) -> None:
    """Chunk by chunk, each with all columns, in order, and memory bounded by the chunk."""
    monkeypatch.setattr(tasks, "BYTES", 2**19)
    monkeypatch.setattr(runs, "SLICE", 2**12)
    fields: dict[str, Any] = {"n_layer": range(25), "n_embd": range(1, 31), "vocab_size": range(1, 31)}
    several: list[dict[str, Any]] = [{}, {"where": "n_layer % 7 == 3"}, {"sort": "vocab_size:desc"}]
    for asked in several:
        chunks = list(sweeper.stream(columns="all", **asked, **fields))
        whole = gpt2calc.sweep(columns="all", **asked, **fields)
        assert len(chunks) > 1
        for name in whole:
            assert np.array_equal(np.concatenate([chunk[name] for chunk in chunks]), whole[name])


def test_a_stream_says_what_is_wrong_before_it_begins() -> None:
    """At the call, and not at the first chunk."""
    with pytest.raises(ConfigError):
        sweeper.stream(where="totl < 3")


def test_the_order_of_sorted_rows_is_bounded_by_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """So many rows can be sorted, and one more cannot; the first few of any number can."""
    monkeypatch.setattr(runs, "MOST_SORTED", 100)
    assert gpt2calc.sweep(n_layer=range(100), sort="total").rows == 100
    with pytest.raises(
        ConfigError, match="more than 100 rows would have to be sorted: give top, or a narrower condition"
    ):
        gpt2calc.sweep(n_layer=range(101), sort="total")
    assert gpt2calc.sweep(n_layer=range(101), sort="total", top=7).rows == 7
    assert gpt2calc.sweep(n_layer=range(101), sort="total", where="n_layer > 50").rows == 50


# ---------------------------------------------------------------- what is missing


@pytest.mark.parametrize("package", ["numpy", "pyarrow"])
def test_a_missing_package_is_told_in_a_sentence(package: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The extra that brings it is named; any other import error stays what it is."""
    for name in [name for name in sys.modules if name.startswith("gpt2calc.sweeps")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(ConfigError, match=rf"^this sweep needs {package}: .* -m pip install numpy pyarrow tqdm$"):
        gpt2calc.sweep(file=tmp_path / "configs.csv") if package == "pyarrow" else gpt2calc.sweep(n_layer=[1, 2])


def test_every_column_has_a_sentence() -> None:
    """Which the docs show."""
    assert all(column.sentence and column.sentence[-1] != "." for column in COLUMNS.values())
