"""Conventions: each by name, against published numbers and against what it says it counts."""

from __future__ import annotations

import pytest

import gpt2calc
from gpt2calc import conventions
from gpt2calc.errors import UnknownNameError
from tests.loops import of_each

PUBLISHED = [
    # model, convention, exact value, where the number is published
    ("gpt2", "tied", 124_439_808, "keras-team/keras-hub, gpt2_presets.py"),
    ("gpt2-medium", "tied", 354_823_168, "keras-team/keras-hub, gpt2_presets.py"),
    ("gpt2-large", "tied", 774_030_080, "keras-team/keras-hub, gpt2_presets.py"),
    ("gpt2-xl", "tied", 1_557_611_200, "keras-team/keras-hub, gpt2_presets.py"),
    ("gpt2", "untied", 163_037_184, "transformers, sum over state_dict() of a tied model"),
    ("raschka-gpt2-small", "untied", 163_009_536, "rasbt/LLMs-from-scratch, ch04 exercise solutions"),
    ("raschka-gpt2-small", "tied", 124_412_160, "rasbt/LLMs-from-scratch, ch04 exercise solutions"),
    ("gpt2", "without_wpe", 123_653_376, "karpathy/nanoGPT, scaling_laws.ipynb"),
    ("gpt2", "kaplan", 84_934_656, "TransformerLens, model_properties_table.jsonl"),
    ("gpt2-medium", "kaplan", 301_989_888, "TransformerLens, model_properties_table.jsonl"),
    ("gpt2", "without_biases", 124_337_664, "karpathy/nanoGPT, transformer_sizing.ipynb"),
    ("gpt2", "stored_with_masks", 137_022_720, "safetensors/safetensors, issue 44"),
    ("gpt2", "padded_vocabulary", 124_475_904, "karpathy/llm.c, train_gpt2.cu"),
    ("gpt2", "narayanan", 124_438_272, "arXiv:2104.04473; PaddlePaddle model_size()"),
    ("gpt2", "cookbook", 124_393_728, "EleutherAI/cookbook, calc_transformer_params.py"),
    ("gpt2", "fp32_bytes", 497_759_232, "openai-community/gpt2, tf_model.h5; ggml-org/ggml, 474.70 MiB"),
    ("gpt3-175B", "tied", 174_604_259_328, "arXiv:2005.14165, table 2.1, as 175B"),
    ("gpt2", "vectors", 121_344, "karpathy/nanoGPT prints it for its non-decayed tensors"),
    ("nanogpt", "matrices", 124_354_560, "karpathy/nanoGPT prints it for its decayed tensors"),
]


@of_each("model, name, value, source", PUBLISHED)
def test_a_published_number_is_met_exactly(model: str, name: str, value: int, source: str) -> None:
    """The number that others publish, by the convention that they use."""
    assert gpt2calc.count(model).conventions[name] == value, source


UNTIED_CROSSED = {"tied": False, "add_cross_attention": True, "n_layer": 2, "n_embd": 8, "n_positions": 5, "vocab": 11}
EXPECTED = {
    # L=2, d=8, T=5, V=11, m=32; each block: 12d²+13d = 872 and 4d²+6d = 304 of cross-attention
    "tied": 2 * (872 + 304) + 8 * (5 + 11 + 2),
    "untied": 2 * (872 + 304) + 8 * (5 + 11 + 2) + 8 * 11,
    "without_wpe": 2 * (872 + 304) + 8 * (11 + 2) + 8 * 11,
    "without_embeddings": 2 * (872 + 304) + 8 * 2 + 8 * 11,
    "kaplan": 2 * 16 * 64,
    "weights": 2 * (16 * 64 + 3 * 8) + 8 * (5 + 11 + 1) + 8 * 11,
    "without_biases": 2 * (16 * 64 + 3 * 8) + 8 * (5 + 11 + 1) + 8 * 11,
    "matrices": 2 * 16 * 64 + 8 * (5 + 11) + 8 * 11,
    "vectors": 2 * (13 * 8 + 6 * 8) + 2 * 8,
    "padded_vocabulary": 2 * (872 + 304) + 8 * (5 + 128 + 2) + 8 * 128,
    "narayanan": 2 * 872 + 8 * (5 + 11),
    "cookbook": 2 * (12 * 64 + 8 * 8) + 2 * 8 + 8 * (5 + 11),
    "stored_with_masks": 2 * (872 + 304) + 8 * (5 + 11 + 2) + 8 * 11 + 2 * 2 * 25,
    "fp32_bytes": 4 * (2 * (872 + 304) + 8 * (5 + 11 + 2) + 8 * 11),
    "fp16_bytes": 2 * (2 * (872 + 304) + 8 * (5 + 11 + 2) + 8 * 11),
    "bf16_bytes": 2 * (2 * (872 + 304) + 8 * (5 + 11 + 2) + 8 * 11),
    "int8_bytes": 2 * (872 + 304) + 8 * (5 + 11 + 2) + 8 * 11,
    "int4_bytes": (2 * (872 + 304) + 8 * (5 + 11 + 2) + 8 * 11) // 2,
}


def test_every_convention_on_an_untied_model_with_cross_attention() -> None:
    """Each convention written out by hand for one small model, in the order of the table."""
    found = gpt2calc.count(UNTIED_CROSSED).conventions
    assert found == EXPECTED
    assert list(found) == list(conventions.NAMES)


def test_half_a_byte_that_is_left_takes_a_whole_one() -> None:
    """A model with an odd number of parameters needs a byte for the last one in int4."""
    count = gpt2calc.count(n_layer=0, n_embd=1, n_positions=1, vocab_size=2)
    assert count.total == 5
    assert count.conventions["int4_bytes"] == 3


def test_a_vocabulary_that_is_a_multiple_stays() -> None:
    """Padding 256 tokens to a multiple of 128 changes nothing; padding 257 adds 127 rows."""
    even, odd = (gpt2calc.count(n_embd=1, vocab_size=size) for size in (256, 257))
    assert even.conventions["padded_vocabulary"] == even.total
    assert odd.conventions["padded_vocabulary"] == odd.total + 127


def test_task_heads_keep_their_biases_without_biases() -> None:
    """bias=False is a switch of the body; a token classifier keeps its k biases."""
    count = gpt2calc.count(head="token_classification", num_labels=7)
    assert count.conventions["without_biases"] == count.total - count.biases + 7


def test_narayanan_is_2d_too_low_and_cookbook_5Ld() -> None:  # noqa: N802  # the law's letters
    """What the sentences of the two published closed forms say, for all four sizes."""
    for count in gpt2calc.compare("small", "medium", "large", "xl"):
        values = count.conventions
        assert values["tied"] - values["narayanan"] == 2 * count.dims.n_embd
        assert values["tied"] - values["cookbook"] == 5 * count.dims.n_layer * count.dims.n_embd


def test_each_convention_has_a_name_a_unit_a_sentence_and_a_source() -> None:
    """No row of the table is empty, no name stands twice, and none is a bare "non-embedding"."""
    assert len(set(conventions.NAMES)) == len(conventions.CONVENTIONS)
    for row in conventions.CONVENTIONS:
        assert row.unit in {"parameters", "elements", "bytes"}
        assert row.sentence
        assert row.source
        assert "non" not in row.name
    units = [row.unit for row in conventions.CONVENTIONS]
    assert units == ["parameters"] * 12 + ["elements"] + ["bytes"] * 5


def test_a_convention_is_found_by_name_and_an_unknown_one_is_refused() -> None:
    """`find` gives the row; the error names the nearest."""
    assert [conventions.find(name).name for name in conventions.NAMES] == list(conventions.NAMES)
    with pytest.raises(UnknownNameError, match="no convention is called 'kaplen': did you mean kaplan"):
        conventions.find("kaplen")
