"""`gpt2calc cost` and `measure` as people run them: what is asked for, what is absent, and nonsense in one sentence."""

from __future__ import annotations

import csv
import io
import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.reports import text

if TYPE_CHECKING:
    from tests.conftest import Run

BARE = {"n_layer": 2, "n_embd": 8, "n_positions": 16, "vocab_size": 11}
"""A config that says nothing of heads and kernels."""


def document(run: Run, *words: str, stdin: bytes = b"") -> Any:
    """Return the JSON that a command prints."""
    ran = run("cost", *words, "--json", stdin=stdin)
    assert ran.code == 0, ran.stderr
    return json.loads(ran.stdout)


def test_what_is_not_asked_for_is_absent(run: Run) -> None:
    """Alone it gives forward FLOPs, what a token leaves in the cache, and the weights."""
    found = document(run, "gpt2")
    assert found["schema"] == "gpt2calc/cost/1"
    assert found["flops"].keys() == {"forward", "components"}
    assert found["kv"] == {"bytes_per_token": 73728}
    assert found["memory"] == {"weights": 497759232}


@pytest.mark.parametrize(
    ("words", "room", "names"),
    [
        (("--train",), "flops", {"forward", "training", "components", "conventions"}),
        (("--train", "--optimizer", "adamw"), "memory", {"weights", "gradients", "optimizer", "activations", "peak"}),
        (("--train",), "memory", {"weights", "gradients", "activations", "peak"}),
        (("--optimizer", "sgd"), "memory", {"weights", "gradients", "optimizer"}),
        (("--prompt", "5"), "kv", {"bytes_per_token", "bytes", "tokens"}),
        (("--cache", "dynamic"), "kv", {"bytes_per_token", "bytes", "tokens"}),
    ],
)
def test_what_is_asked_for_is_there(words: tuple[str, ...], room: str, names: set[str], run: Run) -> None:
    """And nothing else; an optimizer that keeps nothing has 0 bytes."""
    found = document(run, "gpt2", "--seq", "8", *words)
    assert found[room].keys() - {"kept", "moments"} == names


def test_rows_add_up_to_the_totals(run: Run) -> None:
    """Components to forward FLOPs, tensors to activations, and the highest moment to the peak."""
    found = document(
        run, "gpt2", "--batch", "2", "--seq", "64", "--train", "--optimizer", "adamw", "--checkpoint", "torch"
    )
    flops, memory = found["flops"], found["memory"]
    assert sum(row["forward"] for row in flops["components"]) == flops["forward"]
    assert all(row["backward"] == 2 * row["forward"] for row in flops["components"])
    assert sum(row["bytes"] for row in memory["kept"]) == memory["activations"]
    highest = max(moment["bytes"] for moment in memory["moments"])
    assert memory["weights"] + memory["optimizer"] + highest == memory["peak"]


def test_the_command_says_what_python_says(run: Run) -> None:
    """With the same words."""
    words = ("--batch", "3", "--seq", "7", "--train", "--optimizer", "adafactor", "--dtype", "autocast")
    cost = gpt2calc.cost("gpt2", batch=3, seq=7, train=True, optimizer="adafactor", dtype="autocast")
    assert document(run, "gpt2", *words) == cost.to_dict()


def test_a_config_comes_from_standard_input_with_its_kernels(run: Run) -> None:
    """Dropout and activation are the config's; where it says nothing, transformers' in a config of transformers."""
    said = {**BARE, "n_head": 2, "activation_function": "relu", "resid_pdrop": 0.0}
    plain = document(run, "-", "--train", stdin=json.dumps(said).encode())["settings"]
    assert (plain["activation_function"], plain["attn_pdrop"], plain["resid_pdrop"]) == ("relu", 0, 0)
    marked = document(run, "-", "--train", stdin=json.dumps({**said, "model_type": "gpt2"}).encode())["settings"]
    assert (marked["activation_function"], marked["attn_pdrop"], marked["resid_pdrop"]) == ("relu", 0.1, 0)
    given = document(run, "-", "--train", "--dropout", "0.2", stdin=json.dumps(said).encode())["settings"]
    assert {given[name] for name in ("attn_pdrop", "resid_pdrop", "embd_pdrop")} == {0.2}


def test_flops_and_cache_need_no_heads(run: Run) -> None:
    """What depends on n_head is refused without it, and only that."""
    stdin = json.dumps(BARE).encode()
    assert document(run, "-", "--optimizer", "adamw", "--prompt", "3", stdin=stdin)["kv"]["bytes"] == 3 * 128
    ran = run("cost", "-", "--train", stdin=stdin)
    assert (ran.code, ran.stdout) == (2, "")
    assert "n_head" in ran.stderr


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--seq", "1025"), "seq 1,025 is more than n_positions 1,024"),
        (("--seq", "1000", "--past", "25"), "after past 25"),
        (("--seq", "0"), "1 or more"),
        (("--batch", "-1"), "1 or more"),
        (("--batch", "2.5"), "whole number"),
        (("--optimizer", "adamv"), "did you mean adamw?"),
        (("--dtype", "int8"), "known are fp32"),
        (("--attention", "flash"), "eager, sdpa"),
        (("--train", "--checkpoint", "full"), "none, torch, reentrant"),
        (("--logits", "first"), "all, last"),
        (("--cache", "sliding"), "dynamic, static"),
        (("--cache", "static"), "give max_cache_len"),
        (("--max-cache-len", "4", "--prompt", "5"), "no room for 5"),
        (("--max-cache-len", "4", "--cache", "dynamic"), "static"),
        (("--new", "4"), "give prompt"),
        (("--prompt", "1000", "--new", "26"), "n_positions 1,024"),
        (("--train", "--past", "3", "--seq", "4"), "training has no cache"),
        (("--train", "--logits", "last"), "reads all logits"),
        (("--dropout", "1"), "below 1"),
        (("--dropout", "-0.1"), "from 0 on"),
        (("--source", "4"), "cross-attention"),
        (("--add-cross-attention",), "give source"),
        (("--tensor-parallel", "2"), "several devices"),
        (("--pipeline-parallel", "8"), "several devices"),
        (("--zero-stage", "3"), "several devices"),
        (("--convention", "6N"), "no convention"),
        (("--throughput", "1000"), "give peak"),
        (("--peak", "312e12"), "give throughput"),
        (("--throughput", "1000", "--machine", "a101"), "no machine"),
        (("--tokens", "0"), "1 or more"),
        (("--model-type", "llama"), "llama"),
    ],
    ids=" ".join,
)
def test_nonsense_is_one_sentence(words: tuple[str, ...], said: str, run: Run) -> None:
    """It names the thing, and nothing is printed as an answer."""
    ran = run("cost", "gpt2", *words)
    assert (ran.code, ran.stdout) == (2, "")
    assert said in ran.stderr
    assert ran.stderr.count("\n") == 1
    assert ran.stderr.startswith("gpt2calc cost: ")


@pytest.mark.parametrize("word", ["--optimizer=adamw", "--attention=sdpa", "--throughput=1000"])
def test_what_is_known_of_a_gpt2_alone_is_refused_of_others(run: Run, word: str) -> None:
    """By the name of the model type, and of what was asked."""
    ran = run("cost", "Llama-3.1-8B", word)
    assert (ran.code, ran.stdout) == (2, "")
    name = word.removeprefix("--").partition("=")[0]
    assert ran.stderr == f"gpt2calc cost: Llama-3.1-8B is a llama: {name} is covered for GPT-2 alone\n"


def test_another_architecture_shows_what_it_keeps(run: Run) -> None:
    """In tables, in JSON, in CSV and as one number."""
    words = ("cost", "Llama-3.1-8B", "--seq", "10", "--batch", "2")
    assert run(*words, "-q").stdout == f"{2 * 10 * 131072}\n"
    assert json.loads(run(*words, "--json").stdout)["kv"]["bytes"] == 2 * 10 * 131072
    assert f"convention,transformers,{2 * 10 * 131072}" in run(*words, "--format", "csv").stdout
    assert "attention" in run(*words).stdout


@pytest.mark.parametrize(("kv_dtype", "token"), [("fp8", 12 * 2 * 768), ("q8_0", 12 * 2 * 768 // 32 * 34)])
def test_a_dtype_of_the_cache_is_its_own(run: Run, kv_dtype: str, token: int) -> None:
    """Of a GPT-2 as of any other model, in `cost` as in `fits`; what a block does not divide is refused."""
    found = document(run, "gpt2", "--kv-dtype", kv_dtype, "--prompt", "5", "--new", "9")
    assert found["kv"] == {"bytes_per_token": token, "tokens": 13, "bytes": 13 * token}
    assert (found["settings"]["dtype"], found["settings"]["kv_dtype"]) == ("fp32", kv_dtype)
    assert (
        gpt2calc.fits("gpt2", memory="1GB", kv_dtype=kv_dtype, seq=13).to_dict()["needed"]["kv_and_states"]
        == 13 * token
    )
    refused = run("cost", "tiny-gpt2", "--kv-dtype", "q8_0")
    assert (refused.code, refused.stdout) == (2, "")
    assert "q8_0 packs 32 elements at a time, and a token leaves 4 in a layer" in refused.stderr


def test_every_way_of_counting_another_architecture_is_shown_with_its_source(run: Run) -> None:
    """What is kept and what is computed; without a number of tokens the ways alone, and no number is made up."""
    shown = run("cost", "gpt-oss-20b", "--seq", "1000", "--conventions", "--format", "markdown").stdout
    assert "Chowdhery et al. 2022, appendix B" in shown
    assert "vLLM without its hybrid allocator" in shown
    quiet = run("cost", "gpt-oss-20b", "--seq", "1000", "--conventions", "-q").stdout.split()
    serving = gpt2calc.serving("gpt-oss-20b", seq=1000)
    assert list(map(int, quiet)) == [*serving.flops_conventions.values(), *filter(None, serving.conventions.values())]
    endless = run("cost", "Mamba-Codestral-7B", "--conventions")
    assert (endless.code, "last_inputs" in endless.stdout, "273,678,336" in endless.stdout) == (0, True, False)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("Jamba-v0.1", "--convention", "six_n"), "28 layers of this jamba are recurrent"),
        (("Jamba-v0.1", "--train"), "28 layers of this jamba are recurrent"),
        (("Jamba-v0.1", "--tokens", "300B"), "28 layers of this jamba are recurrent"),
        (("Mamba-Codestral-7B",), "the config does not say how long a sequence can be"),
    ],
    ids=["a convention", "training", "tokens", "no length"],
)
def test_one_number_is_that_which_is_asked_for_or_none(run: Run, words: tuple[str, ...], said: str) -> None:
    """A script that asks for FLOPs must not read bytes in their place."""
    refused = run("cost", *words, "-q")
    assert (refused.code, refused.stdout) == (2, "")
    assert said in refused.stderr
    assert run("cost", *words).code == 0


def test_a_convention_that_there_is_not_is_told_beside_those_that_there_are(run: Run) -> None:
    """Of a cache and of FLOPs; and one that is of other models alone beside those of this one."""
    unknown = run("cost", "Qwen3-0.6B", "--convention", "zzz")
    assert unknown.code == 2
    assert "transformers, windowed" in unknown.stderr
    assert "six_n" in unknown.stderr
    other = run("cost", "gpt-oss-20b", "--convention", "expanded")
    assert "keeps: known are transformers, windowed, full_pages, growing" in other.stderr


def test_one_token_is_no_tokens(run: Run) -> None:
    """In every title that says how many pass, or are kept."""
    for words in (
        ("cost", "gpt2", "--seq", "1"),
        ("cost", "Llama-3.1-8B", "--seq", "1"),
        ("fits", "gpt2", "--memory", "1GB", "--context", "1"),
        ("plot", "flops", "gpt2", "--seq", "1"),
        ("plot", "kv", "gpt-oss-20b", "--context", "1"),
    ):
        shown = run(*words).stdout
        assert "1 × 1 token" in shown
        assert "1 tokens" not in shown


def test_few_bytes_are_no_0_gb(run: Run) -> None:
    """They are told in the largest unit of which there is one; a program reads the column's own."""
    shown = run("cost", "Llama-3.1-8B", "--seq", "10").stdout
    assert "131,072  131.07 kB  128.00 KiB" in shown
    assert "0.00" not in run("fits", "tiny-gpt2", "--memory", "1MB").stdout
    assert "16384,0.000016,0.000015" in run("fits", "tiny-gpt2", "--memory", "1MB", "--format", "csv").stdout


def test_a_comparison_has_what_each_model_costs(run: Run) -> None:
    """By the words of cost, in JSON whole and in a table a row a figure; what was not asked for has none."""
    words = ("--batch", "2", "--seq", "64", "--train", "--optimizer", "sgd")
    ran = run("compare", "gpt2", "gpt2-medium", "--cost", *words, "--json")
    found = json.loads(ran.stdout)["costs"]
    assert found == [document(run, name, *words) for name in ("gpt2", "gpt2-medium")]
    asked: dict[str, Any] = {"batch": 2, "seq": 64, "train": True, "optimizer": "sgd"}
    assert gpt2calc.compare("gpt2", "gpt2-medium", cost=asked).to_dict()["costs"] == found
    printed = run("compare", "gpt2", "gpt2-medium", "--cost", *words, "--format", "csv").stdout
    rows = [row for row in csv.reader(io.StringIO(printed)) if row[0] == "costs, fp32, sgd"]
    values = {name: (int(first), int(second)) for _, name, first, second in rows}
    for name, room, key in (
        ("FLOPs of a training step", "flops", "training"),
        ("bytes of activations", "memory", "activations"),
        ("bytes at the peak", "memory", "peak"),
        ("bytes of the optimizer's state", "memory", "optimizer"),
    ):
        assert values[name] == tuple(each[room][key] for each in found)
    assert "bytes of the KV cache" not in values
    quiet = run("compare", "gpt2", "gpt2-medium", "--cost", *words, "-q")
    assert quiet == (0, "".join(f"{each['flops']['training']}\n" for each in found), "")
    assert "costs" not in gpt2calc.compare("gpt2", "gpt2-xl").to_dict()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("gpt2", "Llama-3.1-8B", "--cost", "--optimizer", "sgd"), "optimizer is covered where all models are GPT-2s"),
        (("gpt2", "gpt2-xl", "--cost", "--seq", "1025"), "gpt2: seq 1,025 is more than n_positions 1,024"),
        (("gpt2", "gpt2-xl", "--train"), "--train is of a cost: give --cost as well"),
        (("gpt2", "gpt2-xl", "--max-cache-len", "4"), "--max-cache-len is of a cost"),
        (("gpt2", "gpt2-xl", "--activation-function", "relu"), "--activation-function is of a cost"),
    ],
    ids=" ".join,
)
def test_a_comparison_of_costs_that_there_is_not_is_one_sentence(words: tuple[str, ...], said: str, run: Run) -> None:
    """It names the model, or the option."""
    ran = run("compare", *words)
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert said in ran.stderr


def test_a_word_that_a_comparison_of_costs_does_not_take_is_named() -> None:
    """A throughput is of one model."""
    with pytest.raises(gpt2calc.UnknownNameError, match="no word of a cost is called 'throughput'"):
        gpt2calc.compare("gpt2", cost={"throughput": 5})


@pytest.mark.parametrize("dtype", ["bf16", "fp16", "autocast"])
def test_a_peak_that_is_not_covered_is_absent_and_said(dtype: str, run: Run) -> None:
    """In another dtype than float32; activations are there."""
    ran = run("cost", "gpt2", "--seq", "8", "--train", "--dtype", dtype)
    assert "peak is not covered" in ran.stderr
    memory = document(run, "gpt2", "--seq", "8", "--train", "--dtype", dtype)["memory"]
    assert "activations" in memory
    assert "peak" not in memory


def test_heads_that_are_not_covered_have_their_flops(run: Run) -> None:
    """Of a classifier the FLOPs of training are there, what it keeps is not, and a note says so."""
    words = ("gpt2", "--head", "sequence_classification", "--seq", "8", "--train", "--optimizer", "adamw")
    assert "not covered" in run("cost", *words).stderr
    found = document(run, *words)
    assert found["flops"]["training"] == 3 * found["flops"]["forward"]
    assert found["memory"].keys() == {"weights", "gradients", "optimizer"}


def test_every_format_is_written(run: Run) -> None:
    """Tables for people, and one for a spreadsheet."""
    for form in ("human", "csv", "markdown", "latex"):
        ran = run("cost", "gpt2", "--seq", "8", "--train", "--optimizer", "adamw", "--format", form)
        assert ran.code == 0
        assert "497" in ran.stdout
    assert run("cost", "gpt2", "-q") == (0, "291648307200\n", "")
    assert run("cost", "gpt2", "-q", "--train").stdout == "874944921600\n"


def test_every_line_fits_80_columns() -> None:
    """Of the tables that people read."""
    cost = gpt2calc.cost("gpt2-xl", batch=8, train=True, optimizer="adamw", tokens=300 * 10**9)
    assert max(map(len, text.write(cost.tables(), width=80).splitlines())) <= 80


def test_tokens_are_those_of_the_paper(run: Run) -> None:
    """6·N·D of GPT-3 with the exact N; the paper's own N is rounded."""
    found = document(run, "gpt3-175B", "--convention", "six_n", "--tokens", "300B")
    assert found["flops"]["tokens"] == {"six_n": 6 * 300 * 10**9 * gpt2calc.count("gpt3-175B").total}


def test_a_utilization_is_of_what_is_given() -> None:
    """Tokens a second times FLOPs a token over devices times peak, exactly."""
    cost = gpt2calc.cost("gpt2", throughput=1000, devices=2, peak=10**15)
    found = {each["name"]: each for each in cost.to_dict()["utilization"]["shares"]}
    assert found["exact"]["percent"] == round(100 * 874944921600 * 1000 / 1024 / 2e15, 6)
    assert (found["exact"]["kind"], found["full_recompute"]["kind"]) == ("MFU", "HFU")


def test_measuring_ends_with_0_where_all_is_as_computed(run: Run) -> None:
    """And says how many figures are."""
    ran = run("measure", "tiny-gpt2", "--seq", "4", "--n-head", "2", "--train", "--optimizer", "adamw", "-q")
    assert ran == (
        0,
        "tiny-gpt2 with n_head=2 matches: 11 of 11 figures are what was measured, to the last FLOP and byte\n",
        "",
    )


def test_measuring_ends_with_1_where_a_law_is_wrong(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """A planted error is named."""
    monkeypatch.setattr("gpt2calc.costs.caches.held", lambda prompt, new: prompt + new)
    ran = run("measure", "tiny-gpt2", "--seq", "4", "--prompt", "3", "-q")
    assert (ran.code, ran.stdout) == (1, "tiny-gpt2 does not match: KV cache bytes\n")


def test_a_time_is_a_floor_by_the_roof_that_binds() -> None:
    """A decode reads weights and cache, a prefill computes, and neither is given without a machine."""
    decode = gpt2calc.cost("gpt2-xl", seq=1, past=1023, logits="last", dtype="bf16", machine="h100-sxm")
    read = decode.weights - 2 * 1024 * 1600 + 1023 * decode.kv_bytes_per_token  # wpe is gathered
    assert decode.floors == {"compute": Fraction(decode.forward, 989 * 10**12), "memory": Fraction(read, 335 * 10**10)}
    assert decode.to_dict()["floor"]["binds"] == "memory"
    prefill = gpt2calc.cost("gpt2-xl", batch=8, dtype="bf16", machine="h100-sxm")
    assert prefill.to_dict()["floor"]["binds"] == "compute"
    assert "floor" not in gpt2calc.cost("gpt2").to_dict()
