"""What layers keep of the tokens before, against transformers' caches: modules that run on torch's meta device."""

from __future__ import annotations

from collections import Counter
from inspect import signature
from itertools import islice
from typing import TYPE_CHECKING, Any

import pytest
import torch
from transformers import DynamicCache

import gpt2calc
from gpt2calc.architectures import caches, reading
from gpt2calc.costs import holding
from tests.architectures.drawing import EXAMPLES, THOROUGH, configs, windowed
from tests.architectures.modules import MODEL_TYPES, built, quick
from tests.measuring import unmeasured
from tests.served import of_layer

if TYPE_CHECKING:
    from collections.abc import Mapping

WITHOUT_CACHE = {*caches.NO_CACHE, "biogpt"}
"""Of the last, whose module reads values, the law is that of opt."""
LENGTHS = (7, 2)
"""Tokens that pass: more than some windows hold, and fewer."""


@unmeasured
def kept_by_transformers(document: Mapping[str, Any], tokens: int) -> Counter[tuple[int, int, int]]:
    """Return how many layers keep so many elements of tokens, of convolutions and of recurrences."""
    with quick():
        module = built(document).eval()
        module.config._experts_implementation = "batched_mm"  # whose products need no values
        cache = DynamicCache(config=module.config)
        word = "cache_params" if "cache_params" in signature(module.forward).parameters else "past_key_values"
        with torch.no_grad():
            module(torch.zeros(1, tokens, dtype=torch.long, device="meta"), use_cache=True, **{word: cache})
    kept = [of_layer(layer) for layer in cache.layers]
    if document["model_type"] == "recurrent_gemma":  # whose states are its module's own
        blocks = [layer.temporal_block for layer in module.model.layers]
        kept = [(of[0], *of_block(block)) for of, block in zip(kept, blocks, strict=True)]
    return Counter(kept)


def of_block(block: Any) -> tuple[int, int]:
    """Return how many elements of a convolution and of a recurrence a block of a recurrent_gemma holds."""
    held = (getattr(block, "conv1d_state", None), getattr(getattr(block, "rg_lru", None), "recurrent_states", None))
    convolution, recurrence = (0 if each is None else each.numel() for each in held)
    return convolution, recurrence


def kept_by_law(document: Mapping[str, Any], tokens: int) -> Counter[tuple[int, int, int]]:
    """Return the same by the laws."""
    found: Counter[tuple[int, int, int]] = Counter()
    for row in caches.kept(reading.read(document).model, document):
        held = holding.WAYS[0].held(row, tokens)
        found[row.per_token * held, row.convolution, row.recurrence] += row.layers
    return found


@pytest.mark.parametrize("model_type", sorted({*MODEL_TYPES} - WITHOUT_CACHE), scope="session")
def test_a_cache_holds_what_the_laws_say(model_type: str) -> None:
    """Of small random configs with windows and without, as far as transformers runs them."""
    wanted = len(LENGTHS) * EXAMPLES if THOROUGH else 1
    ran = 0
    for n, drawn in islice(enumerate(configs(model_type, 2 * EXAMPLES)), 1, None):
        if model_type == "persimmon" and drawn["hidden_size"] == 2 * drawn["num_attention_heads"]:
            continue  # half of a head turns, and of one channel transformers makes two
        document = windowed(model_type, drawn, n)
        for tokens in LENGTHS[: wanted - ran]:
            try:
                found = kept_by_transformers(document, tokens)
            except (RuntimeError, ValueError, TypeError, AttributeError, NameError):  # it builds what it does not run
                continue
            assert kept_by_law(document, tokens) == found, document
            ran += 1
    assert ran, f"no small {model_type} runs"


RELEASED = {
    "Llama-3.1-8B": 131072,
    "gpt2-xl": 307200,
    "DeepSeek-V3": 70272,
    "Jamba-v0.1": 16384,
    "gpt-oss-20b": 49152,
    "Mixtral-8x7B": 131072,
    "Mamba-Codestral-7B": 0,
}
"""Bytes a token in bfloat16: 2 · layers · heads of keys · width of a head · 2, or 61 · (512 + 64) · 2."""


@pytest.mark.parametrize("name", RELEASED)
def test_what_a_token_of_a_released_model_leaves(name: str) -> None:
    """Growth alone, without states."""
    assert gpt2calc.serving(name, dtype="bf16").kv_bytes_per_token == RELEASED[name]


FALCON_40B = {
    "model_type": "falcon",
    "hidden_size": 8192,
    "num_attention_heads": 128,
    "num_kv_heads": 8,
    "num_hidden_layers": 60,
    "new_decoder_architecture": True,
}


def test_falcon_repeats_its_groups_before_it_keeps_them() -> None:
    """983,040 elements a token as transformers has them, 61,440 of the groups; both are told."""
    kept = gpt2calc.serving(FALCON_40B, dtype="bf16", seq=1)
    assert kept.conventions == {"transformers": 2 * 983_040, "grouped": 2 * 61_440}


def test_a_convention_that_changes_no_number_is_not_there() -> None:
    """The one key of a Falcon 7B is one group, and is kept as it is."""
    alone = {"model_type": "falcon", "num_hidden_layers": 2, "hidden_size": 128, "num_attention_heads": 2}
    alone |= {"multi_query": True, "new_decoder_architecture": False}
    assert set(gpt2calc.serving(alone, seq=5).conventions) == {"transformers"}


def test_a_layer_that_keeps_nothing_is_called_so() -> None:
    """Whatever it attends to: the last layers of a Gemma 3n read the keys of others."""
    kinds = {row.kind for row in gpt2calc.serving({"model_type": "gemma3n_text"}, seq=5).rows if not row.per_token}
    assert kinds == {"nothing kept"}


def test_a_full_window_holds_one_token_less_than_its_length() -> None:
    """As transformers drops what the next token no longer sees; the other ways are told beside it."""
    kept = gpt2calc.serving({"model_type": "gpt_oss", "num_hidden_layers": 2}, dtype="bf16", seq=1000)
    one = 2 * 8 * 64 * 2
    assert kept.conventions == {
        "transformers": one * (127 + 1000),
        "windowed": one * (128 + 1000),
        "full_pages": one * 2000,
        "growing": one * 1000,
    }


def test_a_latent_is_told_beside_its_expansion() -> None:
    """The latent and the one key with positions, against keys and values of 128 heads."""
    kept = gpt2calc.serving("DeepSeek-V3", dtype="bf16", seq=1)
    assert kept.conventions == {"transformers": 61 * 576 * 2, "expanded": 61 * 128 * (128 + 64 + 128) * 2}


def test_a_state_is_kept_in_float32_and_does_not_grow() -> None:
    """Of Jamba's 28 layers of Mamba: 4 inputs and 16 states of each of 8,192 channels."""
    kept = gpt2calc.serving("Jamba-v0.1", dtype="bf16", seq=5, batch=3)
    assert kept.state_bytes == 28 * 8192 * (4 * 2 + 16 * 4)
    assert kept.kv_bytes == 3 * (5 * 16384 + kept.state_bytes)
    less = gpt2calc.serving("Jamba-v0.1", dtype="bf16", seq=5, batch=3, convention="last_inputs")
    assert less.kv_bytes == 3 * (5 * 16384 + 28 * 8192 * (3 * 2 + 16 * 4))


def test_every_convolution_keeps_as_many_inputs_as_its_kernel_is_long() -> None:
    """So that one fewer is what the convention of the last inputs keeps: no law is without its kernel at the end."""
    kernels = {row.convolution.rpartition(" * ")[2] for rows in caches.MIXERS.values() for row in rows} - {"0"}
    assert kernels == {"conv_kernel", "mamba_d_conv", "linear_conv_kernel_dim", "conv_L_cache", "(conv1d_width - 1)"}


REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "a model without a cache": ({"model_type": "openai-gpt"}, "keeps no keys and values of a GPT-1"),
    "a window of text": ({"model_type": "mistral", "sliding_window": "4k"}, "must be a whole number, 1 or more, or nu"),
    "a list that is too short": (
        {"model_type": "gemma2", "layer_types": ["full_attention"]},
        "layer_types must be a list of 26 words, got 1",
    ),
    "a kind that is not known": (
        {"model_type": "olmo2", "layer_types": ["dilated_attention"] * 32},
        "what a layer of 'dilated_attention' keeps is not known",
    ),
    "a window without a length": ({"model_type": "gemma2", "sliding_window": None}, "does not say how large"),
    "tokens that see later ones": (
        {"model_type": "gemma3_text", "use_bidirectional_attention": True},
        "use_bidirectional_attention is not covered",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_is_not_known_of_a_cache_is_refused(case: str) -> None:
    """In a sentence that names it."""
    document, sentence = REFUSED[case]
    with pytest.raises(gpt2calc.ConfigError, match=sentence):
        gpt2calc.serving(document)


def test_a_count_does_not_say_what_attends_to_a_window() -> None:
    """So it is not asked, where its config is."""
    counted = gpt2calc.count("gpt-oss-20b")
    with pytest.raises(gpt2calc.ConfigError, match="give the model or its config"):
        gpt2calc.serving(counted)


def test_every_model_type_of_the_tables_is_one_that_is_counted() -> None:
    """No row is of a type that nobody asks for."""
    assert {*caches.MIXERS, *caches.WINDOWS, *caches.NO_CACHE} <= set(MODEL_TYPES)


def test_a_window_of_one_token_keeps_all() -> None:
    """As transformers slices the last none, which are all; a Qwen without its windows is refused none."""
    kept = gpt2calc.serving({"model_type": "mistral", "sliding_window": 1, "num_hidden_layers": 1}, seq=9, dtype="bf16")
    assert kept.kv_bytes == 9 * 2 * 8 * 128 * 2
    for said in ({"max_window_layers": 0}, {"layer_types": ["full_attention"] * 2, "max_window_layers": 0}):
        document = {"model_type": "qwen3", "num_hidden_layers": 2, **said}
        assert gpt2calc.serving(document, seq=9, dtype="bf16").rows[0].window is None
