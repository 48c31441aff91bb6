"""What a model keeps of the tokens before, in the views that show it beside other numbers."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
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
    refused = run("compare", "Llama-3.1-8B", "gpt2", "--cost", "--train")
    assert (refused.code, refused.stdout) == (2, "")
    assert "train is covered where all models are GPT-2s" in refused.stderr
    unknown = gpt2calc.compare("Llama-3.1-8B", {"model_type": "openai-gpt"})
    assert (unknown.context, unknown.to_dict()["servings"][1]) == (None, {})
    assert gpt2calc.compare("gpt2", "gpt2-xl").servings == ()


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
