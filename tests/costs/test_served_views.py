"""What a model keeps of the tokens before, in the views that show it beside other numbers."""

from __future__ import annotations

import json
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.plots import bars
from gpt2calc.plots import serving as pictures

if TYPE_CHECKING:
    from tests.conftest import Run


def test_a_comparison_of_other_families_shows_their_caches() -> None:
    """A token's bytes, the states', and the bytes at the longest context that all of them take."""
    pair = gpt2calc.compare("gpt-oss-20b", "Jamba-v0.1")
    kept = pair.tables()[-1]
    assert kept.headers[:3] == ("KV cache", "gpt-oss-20b", "Jamba-v0.1")
    assert {row[0]: row[1:3] for row in kept.rows if row} == {
        "dtype": ("bf16", "bf16"),
        "bytes of a token": (49_152, 16_384),
        "bytes of the states": (0, 28 * 8192 * (4 * 2 + 16 * 4)),
        "bytes of 1 × 131,072 tokens": (12 * 2048 * (127 + 131_072), 131_072 * 16_384 + 28 * 8192 * (4 * 2 + 16 * 4)),
    }
    told = pair.to_dict()["servings"]
    assert told[0]["kv"] == {
        "bytes_per_token": 49_152,
        "state_bytes": 0,
        "tokens": 131_072,
        "bytes": 12 * 2048 * (127 + 131_072),
    }


def test_a_comparison_is_of_the_tokens_that_are_asked_for(run: Run) -> None:
    """With the words of a serving; a word of GPT-2 alone is refused by its name, and an unknown cache is left empty."""
    found = run("compare", "Llama-3.1-8B", "gpt2", "--cost", "--seq", "512", "--batch", "3")
    words = found.stdout[found.stdout.index("bytes of 3 × 512 tokens") :].split()
    assert words[6:8] == [f"{3 * 512 * 131_072:,}", f"{3 * 512 * 36_864:,}"]
    refused = run("compare", "Llama-3.1-8B", "gpt2", "--cost", "--optimizer", "adamw")
    assert (refused.code, refused.stdout) == (2, "")
    assert "optimizer is covered where all models are GPT-2s" in refused.stderr
    unknown = gpt2calc.compare("Llama-3.1-8B", {"model_type": "openai-gpt"})
    assert (unknown.context, unknown.to_dict()["servings"][1]) == (None, {})
    assert gpt2calc.compare("gpt2", "gpt2-xl").servings == ()


def test_a_comparison_shows_the_flops_of_any_families_where_it_is_asked_for_costs(run: Run) -> None:
    """Of as many tokens as the model takes that takes the fewest; why one has none is a note, and no number."""
    trio = gpt2calc.compare("gpt2", "Jamba-v0.1", "Qwen3-0.6B", cost={"train": True})
    gpt2 = gpt2calc.cost("gpt2", train=True)
    qwen = gpt2calc.serving("Qwen3-0.6B", seq=1024, train=True)
    assert trio.flops == (gpt2.training, None, qwen.training)
    table = trio.tables()[-2]
    assert table.headers[0] == "FLOPs of 1 × 1,024 tokens"
    assert table.rows == (
        ("forward pass", gpt2.forward, "", qwen.forward),
        ("training step", gpt2.training, "", qwen.training),
    )
    first, second, _ = trio.to_dict()["servings"]
    assert first["flops"] == {"forward": gpt2.forward, "training": gpt2.training}
    assert "flops" not in second
    assert "28 layers of this jamba are recurrent" in second["notes"][0]
    words = ("compare", "Jamba-v0.1", "Qwen3-0.6B", "--cost", "--seq", "64")
    assert "note: Jamba-v0.1: FLOPs are not counted: 28 layers" in run(*words).stderr
    alone = run("compare", "gpt2", "Qwen3-0.6B", "--cost", "--seq", "1", "--past", "63", "--logits", "last", "-q")
    each = [gpt2calc.cost("gpt2", seq=1, past=63).forward, gpt2calc.serving("Qwen3-0.6B", seq=1, past=63).forward]
    assert alone.stdout.split() == [str(forward) for forward in each]
    refused = run(*words, "-q")
    assert (refused.code, refused.stdout) == (2, "")
    assert "Jamba-v0.1 has no FLOPs to compare" in refused.stderr
    assert "FLOPs" not in run("compare", "gpt2", "Qwen3-0.6B").stdout


def test_a_serving_of_a_gpt2_has_the_flops_of_its_cost() -> None:
    """A row for each product; their ways of counting are the cost's alone, and so is an encoder."""
    kept, cost = gpt2calc.serving("gpt2-xl", seq=1024, train=True), gpt2calc.cost("gpt2-xl", train=True)
    rows = [(row.component, row.forward, row.backward) for row in kept.products]
    assert rows == [(row.component, row.forward, row.backward) for row in cost.products]
    assert kept.to_dict()["flops"]["training"] == cost.training
    assert "FLOPs of 1 × 1,024 tokens" in kept.tables()[0].title
    with pytest.raises(gpt2calc.ConfigError, match="gpt2 is a GPT-2, of which `cost` has FLOPs of training by conv"):
        gpt2calc.serving("gpt2", convention="six_n")
    crossed = gpt2calc.serving("gpt2", add_cross_attention=True, seq=9)
    assert (crossed.forward, crossed.flops_notes[0][:51]) == (
        None,
        "FLOPs are not counted: cross-attention reads an enc",
    )


def test_a_sweep_has_flops_as_a_column(run: Run) -> None:
    """By name alone, of as many tokens as a model takes; a scan is refused by its name."""
    swept = gpt2calc.sweep("Qwen3-0.6B", columns=("flops",), num_hidden_layers="1,28")
    each = [gpt2calc.serving("Qwen3-0.6B", num_hidden_layers=n).forward for n in (1, 28)]
    assert swept["flops"].tolist() == each
    assert "flops" not in run("sweep", "Qwen3-0.6B", "--num-hidden-layers", "1,2", "--columns", "all").stdout
    refused = run("sweep", "Jamba-v0.1", "--num-hidden-layers", "8,16", "--columns", "flops")
    assert (refused.code, refused.stdout) == (2, "")
    assert "layers of this jamba are recurrent, and a scan is no product of matrices" in refused.stderr


def test_the_flops_of_any_family_are_drawn(run: Run) -> None:
    """By the rows of its cost, of a pass and of a step; what is not counted is refused, and so is what is GPT-2's."""
    kept = gpt2calc.serving("Mixtral-8x7B", seq=64, past=3, logits="last")
    chart = bars.of_flops(kept)
    (_, groups), (_, rows) = chart.panels
    assert [(mark.label, mark.part) for mark in rows] == [(row.component, row.forward) for row in kept.products]
    assert sum(mark.part for mark in groups) == kept.forward
    assert chart.title == "Mixtral-8x7B, FLOPs of a forward pass of 1 × 64 tokens after 3"
    drawn = json.loads(run("plot", "flops", "Qwen3-0.6B", "--train", "--seq", "8", "--json").stdout)
    parts = [mark["part"] for mark in drawn["marks"] if mark["panel"] == "by component"]
    assert sum(parts) == gpt2calc.serving("Qwen3-0.6B", seq=8, train=True).training
    for words, sentence in (
        (("Jamba-v0.1",), "Jamba-v0.1: FLOPs are not counted: 28 layers of this jamba"),
        (("gpt-j-6b",), "gpt-j-6b: FLOPs are not counted: how many tokens pass is not said: give seq"),
        (("Qwen3-0.6B", "--optimizer", "adamw"), "Qwen3-0.6B is a qwen3: optimizer is covered for GPT-2 alone"),
    ):
        refused = run("plot", "flops", *words)
        assert (refused.code, refused.stdout) == (2, "")
        assert sentence in refused.stderr


def test_a_sweep_has_the_cache_as_columns(run: Run) -> None:
    """Of any family by name, in bfloat16, of as many tokens as a model takes; of GPT-2 in float32, as before."""
    heads: dict[str, Any] = {"num_key_value_heads": "1,2,4,8"}
    names = ("num_key_value_heads", "kv_bytes_per_token", "kv_bytes")
    swept = gpt2calc.sweep("Qwen3-0.6B", columns=names, **heads)
    found = list(zip(*(swept[name].tolist() for name in swept), strict=True))
    assert found == [(n, 28 * 2 * 128 * n * 2, 40960 * 28 * 2 * 128 * n * 2) for n in (1, 2, 4, 8)]
    plain = run("sweep", "gpt2", "--n-layer", "1,2", "--columns", "kv_bytes_per_token,kv_bytes", "-q")
    assert plain.code == 0
    assert "kv_bytes" not in run("sweep", "Qwen3-0.6B", "--num-key-value-heads", "1,2", "--columns", "all").stdout
    windows = run("sweep", "gpt-oss-20b", "--num-hidden-layers", "1,2", "--columns", "kv_bytes", "--format", "csv")
    assert windows.stdout.split() == ["kv_bytes", str(2048 * 127), str(2048 * (127 + 131_072))]
    refused = run("sweep", "gpt-j-6b", "--n-layer", "2,3", "--columns", "kv_bytes")
    assert (refused.code, refused.stdout) == (2, "")
    assert "does not say how long a sequence can be" in refused.stderr


def test_memory_over_the_context_bends_where_a_window_is_full() -> None:
    """Between the lengths that are told it is straight, and the first that no longer fits is named."""
    serving = gpt2calc.serving("gemma-3-1b", dtype="bf16")
    chart = pictures.of_context((serving,), 0, 2000, (serving.weights + serving.bytes_at(1500), "the memory"))
    (curve,) = chart.curves.values()
    assert {511, 512} <= set(curve)
    for (first, at_first), (last, at_last) in pairwise(curve.items()):
        for n in range(first, last + 1):
            assert (serving.weights + serving.bytes_at(n) - at_first) * (last - first) == (at_last - at_first) * (
                n - first
            )
    assert [each.at for each in chart.crossings] == [1501]
    assert [(mark.label, mark.part) for mark in chart.marks] == [(f"{n}", size) for n, size in curve.items()]


def test_every_layer_is_drawn_in_its_place() -> None:
    """Of a hybrid: states where it has Mamba, keys and values in every eighth layer; both panels come to all bytes."""
    serving = gpt2calc.serving("Jamba-v0.1", dtype="bf16", seq=1000, batch=2)
    chart = pictures.of_kv(serving)
    (_, kinds), (_, layers) = chart.panels
    assert [n for n, mark in enumerate(layers) if mark.series == "attention"] == [4, 12, 20, 28]
    assert {mark.part for mark in layers} == {2 * 8192 * (4 * 2 + 16 * 4), 2 * 1000 * 4096}
    assert sum(mark.part for mark in kinds) == sum(mark.part for mark in layers) == serving.kv_bytes
    assert [kept.kind for kept, _ in gpt2calc.serving("gpt2", seq=9).by_layer(9)] == ["attention"] * 12


@pytest.mark.parametrize(
    ("words", "sentence"),
    [
        (["memory", "Llama-3.1-8B", "--context", "0:100", "--train"], "--train is of training"),
        (["memory", "gpt2", "--memory", "1GB"], "--memory goes with kv, and with memory and --context"),
        (["kv", "Llama-3.1-8B", "--context", "0:9"], "--context takes one number of tokens with kv"),
        (
            ["kv", "Llama-3.1-8B", "--context", "-1"],
            "takes one number of tokens with kv, 0 or more, got '-1'",
        ),
        (["kv", "Llama-3.1-8B", "--memory", "1GB"], "go with memory, not with kv"),
        (["memory", "Llama-3.1-8B", "--context", "9"], "the context must grow"),
        (["memory", "gpt2", "--context", "0:2048"], "2,048 tokens are more than the 1,024 that it takes"),
        (["memory", *["gpt2"] * 8, "--context", "0:9"], "draws 1 to 7 models, got 8"),
        (["kv", "gpt-j-6b"], "does not say how long a sequence can be"),
    ],
)
def test_what_is_no_picture_of_serving_is_refused(words: list[str], sentence: str, run: Run) -> None:
    """In a sentence, with exit code 2."""
    found = run("plot", *words)
    assert (found.code, found.stdout) == (2, "")
    assert sentence in found.stderr


def test_a_terminal_shows_both(run: Run) -> None:
    """As bars, with the length from which a model no longer fits."""
    found = run("plot", "memory", "Qwen3-0.6B", "--context", "0:40960", "--dtype", "bf16", "--memory", "2GB")
    fitting = (2 * 10**9 - 596_049_920 * 2) // 114_688
    assert f"Qwen3-0.6B no longer fits into 2GB from {fitting + 1:,} tokens on" in found.stdout
    assert "12 × sliding attention" in run("plot", "kv", "gpt-oss-20b").stdout


@pytest.mark.parametrize(
    ("figure", "model", "value", "convention"),
    [
        ("70,272 bytes", "DeepSeek-V3", 70_272, "transformers"),
        ("128 KiB per token", "Llama-3.1-8B", 131_072, "transformers"),
        ("49,152 bytes", "gpt-oss-20b", 49_152, "transformers"),
        ("16 GiB", "Llama-3.1-8B", 131_072 * 131_072, "transformers"),
        ("152.5 GiB", "DeepSeek-V3", 32_768 * 61 * 128 * 320 * 2, "expanded"),
    ],
)
def test_a_published_figure_of_a_cache_is_explained(figure: str, model: str, value: int, convention: str) -> None:
    """Where it is met exactly: by its convention, and by how many tokens it is of."""
    found = gpt2calc.explain(figure, model)
    assert found.explained
    assert (found.costs[0].value, found.costs[0].name, found.costs[0].fit) == (value, convention, "exact")


def test_a_figure_that_a_cache_rounds_to_is_not_its(run: Run) -> None:
    """Unless the tokens are said; and the size of a file is explained as before."""
    assert not gpt2calc.explain("2.3 GB", "DeepSeek-V3").costs
    said = gpt2calc.explain("2.303 GB", "DeepSeek-V3", seq=32_768)
    assert (said.explained, said.costs[0].value) == (True, 2_302_672_896)
    assert run("explain", "16.06 GB", "Llama-3.1-8B", "-q").stdout == "16060522496\n"
    assert gpt2calc.explain("3.8e25 FLOPs", "Llama-3.1-405B", tokens=15_600_000_000_000).costs[0].name == "six_n"
