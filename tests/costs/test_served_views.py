"""What a model keeps of the tokens before, in the views that show it beside other numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gpt2calc

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
