"""Sweeps of models of other architectures than GPT-2: every row is what counting that one config gives."""

from __future__ import annotations

import itertools
import json
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.errors import ConfigError, Int64OverflowError, UnknownNameError, UnreadableInputError
from tests.loops import of_each

if TYPE_CHECKING:
    from concurrent.futures import Future
    from pathlib import Path

    from tests.conftest import Run

GRIDS: dict[str, dict[str, Any]] = {
    "Qwen3-0.6B": {
        "num_hidden_layers": [12, 24],
        "hidden_size": range(512, 1025, 512),
        "attention_bias": [True, False],
    },
    "DeepSeek-V3": {"n_routed_experts": [64, 256], "first_k_dense_replace": [0, 3], "q_lora_rank": [512, 1536]},
    "mamba2": {"hidden_size": [64, 128], "num_hidden_layers": [1, 2], "num_heads": 2, "head_dim": 64},
}


@pytest.mark.parametrize("name", GRIDS)
def test_every_column_of_every_row_is_what_counting_that_model_gives(name: str) -> None:
    """Components, groups, conventions and shares, flags slowest and then sizes as they are given."""
    known: dict[str, Any] = {"model_type": name} if name.islower() else {}
    named: tuple[Any, ...] = () if known else (name,)
    fields = GRIDS[name]
    swept = gpt2calc.sweep(*named, columns="all", **known, **fields)
    several = {key: value for key, value in fields.items() if not isinstance(value, int)}
    order = sorted(several, key=lambda key: not isinstance(next(iter(several[key])), bool))
    rows = [dict(zip(order, row, strict=True)) for row in itertools.product(*(several[key] for key in order))]
    rows = [row for row in rows if name != "mamba2" or 2 * row["hidden_size"] == 128]
    assert swept.rows == len(rows)
    for place, row in enumerate(rows):
        count = gpt2calc.count(*named, **known, **{**fields, **row})
        found = {column: values[place].item() for column, values in swept.items()}
        assert {key: found[key] for key in row} == row
        assert (found["total"], found["weights"], found["biases"]) == (count.total, count.weights, count.biases)
        for convention, value in count.conventions.items():
            assert found.get(convention, found.get(f"{convention}_parameters")) == value
        for group, held in count.groups.items():
            if held.total:
                column = f"{group}_parameters" if f"{group}_parameters" in found else group
                assert (found[column], found[f"{group}_share"]) == (held.total, held.total / count.total)
        for part in count.components:
            column = part.name.replace(".", "_")
            assert found[column if column in found else f"{column}_parameters"] == part.total


def test_a_sweep_of_a_family_is_filtered_and_sorted_as_any_is() -> None:
    """Conditions take its fields in any spelling, GPT-2's for the same among them."""
    fields: dict[str, Any] = {"layers": "4:12:4", "hidden_size": "512,1024"}
    swept = gpt2calc.sweep("Qwen3-0.6B", where="n_layer > 4 and mlp_share > 0.1", sort="total:desc", **fields)
    assert swept["num_hidden_layers"].tolist() == [12, 8, 12, 8]
    assert swept["hidden_size"].tolist() == [1024, 1024, 512, 512]
    best = gpt2calc.sweep("Qwen3-0.6B", top=1, columns="total", **fields)
    assert best["total"].tolist() == [gpt2calc.count("Qwen3-0.6B", layers=12, hidden_size=1024).total]


def test_rows_that_are_no_models_are_left_out_with_the_reason() -> None:
    """What the family itself refuses, in its words."""
    fields: dict[str, Any] = {"model_type": "llama", "num_attention_heads": [31, 32, 64]}
    swept = gpt2calc.sweep(columns="num_attention_heads,total", **fields)
    assert swept["num_attention_heads"].tolist() == [32, 64]
    assert swept.notes[-1].startswith("left out 1 of the rows, which are no models: num_attention_heads 31 must divide")


def test_tasks_of_a_family_may_be_anybodys(monkeypatch: pytest.MonkeyPatch) -> None:
    """A range of rows can be sent to another process, and gives the same there."""
    import pickle

    from gpt2calc.sweeps import families

    class Elsewhere:
        def submit(self, *task: Any) -> Future[Any]:
            from concurrent.futures import Future

            run, *given = pickle.loads(pickle.dumps(task))
            future: Future[Any] = Future()
            future.set_result(pickle.loads(pickle.dumps(run(*given))))
            return future

    monkeypatch.setattr(families, "ROWS", 3)
    fields: dict[str, Any] = {"num_hidden_layers": range(1, 8), "columns": "num_hidden_layers,total"}
    one = gpt2calc.sweep("Qwen3-0.6B", **fields)
    assert gpt2calc.sweep("Qwen3-0.6B", executor=Elsewhere(), **fields)["total"].tolist() == one["total"].tolist()
    assert len(set(one["total"].tolist())) == 7


def test_a_file_of_a_family_is_counted_row_by_row(tmp_path: Path, run: Run) -> None:
    """What a row leaves out is the base model's; a row that is none is told by its number."""
    path = tmp_path / "configs.jsonl"
    rows: list[dict[str, Any]] = [
        {"num_hidden_layers": 12, "hidden_size": 512},
        {"hidden_size": 2048, "tie_word_embeddings": False},
    ]
    path.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")
    swept = gpt2calc.sweep("Qwen3-0.6B", file=path)
    assert swept["total"].tolist() == [gpt2calc.count("Qwen3-0.6B", **row).total for row in rows]
    assert run("sweep", "Qwen3-0.6B", "--file", str(path)).stdout.startswith(f"{path}, 2 models\n")
    path.write_text('{"num_hidden_layers": 12}\n{"num_hidden_layers": -1}\n', encoding="utf-8")
    with pytest.raises(
        UnreadableInputError, match="row 2: num_hidden_layers must be a whole number, 0 or more, got -1"
    ):
        gpt2calc.sweep("Qwen3-0.6B", file=path)
    path.write_text('{"n_experts_per_tok": 12}\n', encoding="utf-8")
    with pytest.raises(UnreadableInputError, match="column 'n_experts_per_tok' is no field of a config"):
        gpt2calc.sweep("Qwen3-0.6B", file=path)


@of_each(
    "fields, kind, said",
    [
        ({"hidden_size": [0, 64]}, ConfigError, "hidden_size must be a whole number, 1 or more, got 0"),
        ({"hidden_size": [64], "n_embd": [128]}, ConfigError, "hidden_size=[64] and n_embd=[128] disagree: both mean"),
        ({"num_hidden_layers": [1, 2], "n_layer": 3}, ConfigError, "disagree: both mean num_hidden_layers"),
        ({"n_layer": 3, "num_hidden_layers": "1,2"}, ConfigError, "disagree: both mean num_hidden_layers"),
        ({"num_hidden_layers": 2, "n_layer": 3}, ConfigError, "disagree: both mean num_hidden_layers"),
        ({"num_hidden_layers": [True, False]}, ConfigError, "must be a whole number, 0 or more, got false"),
        ({"attention_bias": [1, 0]}, ConfigError, "attention_bias must be true or false, got 0"),
        ({"hiden_size": 64}, ConfigError, "qwen3 has no field hiden_size: did you mean hidden_size?"),
        ({"attention_bias": "perhaps"}, ConfigError, "attention_bias takes true, false or true,false, got 'perhaps'"),
        ({"columns": "kaplan"}, UnknownNameError, "no column is called 'kaplan'"),
        ({"hidden_size": [10**9], "vocab_size": 10**10}, Int64OverflowError, "row 1: total is "),
    ],
)
def test_what_is_wrong_is_told_in_a_sentence(fields: dict[str, Any], kind: type[Exception], said: str) -> None:
    """As of a GPT-2, in the names of the family."""
    with pytest.raises(kind) as caught:
        gpt2calc.sweep("Qwen3-0.6B", **fields)
    assert said in str(caught.value)


def test_a_grid_of_too_many_rows_is_refused_before_one_is_counted(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sentence says how many there are, and how many there may be; up to these, nothing is said."""
    from gpt2calc.sweeps import families, sweeper

    ready = sweeper.ready("Qwen3-0.6B", {"num_hidden_layers": "1:1000", "hidden_size": range(1, 1001)})
    assert ready.length == 1_000_000
    monkeypatch.setattr(families.Family, "read", None)
    ran = run("sweep", "Qwen3-0.6B", "--num-hidden-layers", "1:1000000000000", "--hidden-size", "64, 128")
    said = "there are 2,000,000,000,000 rows, at most 1,000,000 of this architecture are counted"
    assert (ran.code, ran.stderr) == (2, f"gpt2calc sweep: {said}\n")


def test_a_last_row_that_does_not_fit_is_told_before_the_others_are_counted() -> None:
    """A grid mostly grows, and nobody waits for its end to hear that it is too large."""
    from gpt2calc.sweeps import sweeper

    with pytest.raises(Int64OverflowError, match="row 900,000: total is "):
        sweeper.ready("Qwen3-0.6B", {"num_hidden_layers": range(1, 900_001), "hidden_size": 10**9})


def test_a_largest_row_that_does_not_fit_is_told_wherever_it_stands() -> None:
    """Sizes may fall, and a switch may add what is too much."""
    from gpt2calc.sweeps import sweeper

    layers = range(900_000, 0, -1)
    with pytest.raises(Int64OverflowError, match=r"^row 1: total is [0-9,]+ and does not fit in int64$"):
        sweeper.ready("Qwen3-0.6B", {"num_hidden_layers": layers, "hidden_size": 10**9})
    sizes = {"num_hidden_layers": range(1, 200_001), "vocab_size": [5, 5 * 10**15]}
    with pytest.raises(Int64OverflowError, match=r"^row 400,000: total is "):
        sweeper.ready("Qwen3-0.6B", {"tie_word_embeddings": [False, True], **sizes})


@pytest.mark.parametrize(
    ("model", "own", "other"),
    [
        ("gpt2", "GPT2LMHeadModel", "BertModel"),
        ("gpt2", "GPT2LMHeadModel", "GPT2ForTokenClassification"),
        ("Qwen3-0.6B", "Qwen3ForCausalLM", "Qwen3ForSequenceClassification"),
    ],
)
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_row_of_another_class_is_refused(model: str, own: str, other: str, ending: str, tmp_path: Path) -> None:
    """Its head would be counted as the swept model's; where a column says the head, that is counted."""
    path = tmp_path / f"configs.{ending}"

    def write(*classes: str, head: str = "") -> None:
        rows = [
            {"num_hidden_layers": 12, "architectures": [name]} | ({"head": head} if head else {}) for name in classes
        ]
        lines = [json.dumps(row) for row in rows]
        if ending == "csv":
            named = ",head" if head else ""
            lines = [f"num_hidden_layers,architectures{named}"]
            lines += [f"12,['{name}']{f',{head}' * bool(head)}" for name in classes]
        path.write_text("\n".join((*lines, "")), encoding="utf-8")

    write(own, own)
    total = gpt2calc.count(model, num_hidden_layers=12).total
    assert gpt2calc.sweep(model, file=path)["total"].tolist() == [total] * 2
    write(own, other)
    with pytest.raises(UnreadableInputError) as caught:
        gpt2calc.sweep(model, file=path)
    assert f"row 2: its architectures are {'[' if ending == 'jsonl' else ''}" in str(caught.value)
    assert str(caught.value).endswith(f", and what is swept is a {own}; a column head says others")
    write(own, other, head="lm")
    assert gpt2calc.sweep(model, file=path)["total"].tolist() == [total] * 2


@pytest.mark.parametrize(("model", "own", "other"), [("gpt2", "gpt2", "llama"), ("Qwen3-0.6B", "qwen3", "gpt2")])
@pytest.mark.parametrize("ending", ["csv", "jsonl"])
def test_a_row_of_another_model_type_is_refused(model: str, own: str, other: str, ending: str, tmp_path: Path) -> None:
    """It would be counted by the laws of the model that is swept; one that says that model's, or none, is."""
    path = tmp_path / f"configs.{ending}"

    def write(*kinds: str | None) -> None:
        rows = [{"model_type": kind, "num_hidden_layers": 12} for kind in kinds]
        lines = [json.dumps(row) for row in rows]
        if ending == "csv":
            lines = ["model_type,num_hidden_layers", *(f"{row['model_type'] or ''},12" for row in rows)]
        path.write_text("\n".join((*lines, "")), encoding="utf-8")

    write(own, None)
    assert gpt2calc.sweep(model, file=path)["total"].tolist() == [gpt2calc.count(model, num_hidden_layers=12).total] * 2
    write(own, None, other)
    with pytest.raises(UnreadableInputError) as caught:
        gpt2calc.sweep(model, file=path)
    assert str(caught.value) == f"{path}: row 3: its model_type is '{other}', and what is swept is a {own}"


def test_a_person_sweeps_a_family(run: Run) -> None:
    """Its fields are options, flags with the values that they run through."""
    words = ("--num-hidden-layers", "12,24", "--hidden-size", "512:1024:512", "--attention-bias=true,false", "-q")
    ran = run("sweep", "Qwen3-0.6B", *words)
    qwen = gpt2calc.count("Qwen3-0.6B").model.document()
    counts = [
        gpt2calc.count({**qwen, "num_hidden_layers": layers, "hidden_size": width, "attention_bias": bias}).total
        for bias, layers, width in itertools.product((True, False), (12, 24), (512, 1024))
    ]
    assert (ran.stdout.split(), ran.stderr) == ([str(count) for count in counts], "")
    assert run("sweep", "--model-type", "llama", "--layers", "1,2").stdout.startswith("llama, 2 models\n")
