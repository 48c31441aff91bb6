"""Random models, as keyword fields in the spellings that people use.

Sizes are small where a model is to be built, and astronomically large where only numbers are to be exact. How many
examples a property is tried on stands in the environment variable GPT2CALC_EXAMPLES.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from gpt2calc.fields import SPELLINGS

if TYPE_CHECKING:
    from collections.abc import Mapping

EXAMPLES = int(os.environ.get("GPT2CALC_EXAMPLES", "100"))


def tried(percent: int) -> settings:
    """Return the settings of a property of which an example costs much: so many where others try a hundred."""
    return settings(
        max_examples=max(1, EXAMPLES * percent // 100),
        deadline=None,  # The first model that is built waits for torch.
        suppress_health_check=[HealthCheck.too_slow],  # A drawn model has up to twenty fields.
        database=None,  # A run depends on nothing that an earlier run left behind.
    )


SETTINGS = tried(100)

CLASSES = {
    "none": "GPT2Model",
    "lm": "GPT2LMHeadModel",
    "double_heads": "GPT2DoubleHeadsModel",
    "sequence_classification": "GPT2ForSequenceClassification",
    "token_classification": "GPT2ForTokenClassification",
    "question_answering": "GPT2ForQuestionAnswering",
}
"""What gpt2calc calls a head, and the class of transformers that has it."""

READ_BY_TRANSFORMERS = {
    "n_layer": ("num_hidden_layers",),
    "n_embd": ("hidden_size",),
    "n_head": ("num_attention_heads",),
    "n_positions": ("max_position_embeddings",),
}
"""The other spellings that GPT2Config takes (transformers 5.23, GPT2Config.attribute_map)."""

STRUCTURE: dict[str, st.SearchStrategy[Any]] = {
    "tie_word_embeddings": st.booleans(),
    "add_cross_attention": st.booleans(),
    "n_inner": st.none() | st.just(0) | st.integers(1, 50),
    "num_labels": st.integers(0, 5),
    "summary_type": st.sampled_from(["cls_index", "last", "first", "mean"]),
    "summary_use_proj": st.booleans(),
    "summary_proj_to_labels": st.booleans(),
}
"""What GPT2Config says of a model's structure, its head apart; each field may be left out, for its default."""

LEFT_OUT = "left out"
HEADS = st.sampled_from([LEFT_OUT, *CLASSES.keys(), *CLASSES.values()])
"""Every head under both of its names, each as often as any other; seldom none is given, for the default."""

IDLE: dict[str, st.SearchStrategy[Any]] = {
    "activation_function": st.sampled_from(["gelu_new", "relu"]),
    "attn_pdrop": st.sampled_from([0.0, 0.1]),
    "layer_norm_epsilon": st.sampled_from([1e-5, 1e-12]),
    "reorder_and_upcast_attn": st.booleans(),
    "scale_attn_by_inverse_layer_idx": st.booleans(),
    "scale_attn_weights": st.booleans(),
}
"""Fields of GPT2Config that must change no count."""

SWITCHES: dict[str, st.SearchStrategy[Any]] = {
    "bias": st.booleans(),
    "qkv_bias": st.none() | st.booleans(),
    "ln_f": st.booleans(),
    "pad_vocab_size_multiple": st.none() | st.integers(1, 70),
}
"""Fields that transformers does not have: nanoGPT's, Raschka's, Megatron-LM's."""


@st.composite
def canonical_fields(draw: st.DrawFn, more: Mapping[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    """Draw a small model in GPT-2's own spelling, with any of its structure and of `more` given or left out."""
    n_head, head_size = draw(st.integers(1, 4)), draw(st.integers(1, 8))
    sizes = {"n_layer": st.integers(0, 3), "n_positions": st.integers(1, 40), "vocab_size": st.integers(1, 60)}
    drawn = draw(st.fixed_dictionaries({**sizes, "head": HEADS}, optional={**STRUCTURE, **more}))
    if drawn["head"] == LEFT_OUT:
        del drawn["head"]
    return {"n_head": n_head, "n_embd": n_head * head_size, **drawn}


@st.composite
def respelled(draw: st.DrawFn, fields: Mapping[str, Any], spellings: Mapping[str, tuple[str, ...]]) -> dict[str, Any]:
    """Draw the same fields in other words and another order."""
    order = draw(st.permutations(sorted(fields)))
    return {draw(st.sampled_from([name, *spellings.get(name, ())])): fields[name] for name in order}


def configs() -> st.SearchStrategy[dict[str, Any]]:
    """Draw a small model in words that transformers and gpt2calc both read, all but `head`, which is a class there."""
    return canonical_fields(IDLE).flatmap(lambda fields: respelled(fields, READ_BY_TRANSFORMERS))


@st.composite
def two_worded_documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a config.json that gives sizes in one spelling or two, mostly with different values."""
    first = {"n_layer": st.integers(0, 3), "n_embd": st.integers(1, 32), "n_positions": st.integers(1, 40)}
    second = {READ_BY_TRANSFORMERS[name][0]: size for name, size in first.items()}
    sizes = draw(st.fixed_dictionaries(first, optional={**second, "n_ctx": st.integers(1, 40)}))
    same = {"model_type": "gpt2", "vocab_size": 7, "n_head": 1, "bos_token_id": None, "eos_token_id": None}
    return dict(draw(st.permutations([*same.items(), *sizes.items()])))


def switched_configs() -> st.SearchStrategy[dict[str, Any]]:
    """Draw a small model with every switch that gpt2calc knows, in GPT-2's own spelling."""
    return canonical_fields(SWITCHES)


def in_any_spelling(fields: Mapping[str, Any]) -> st.SearchStrategy[dict[str, Any]]:
    """Draw the same fields in any words that gpt2calc reads."""
    return respelled(fields, SPELLINGS)


def large_sizes() -> st.SearchStrategy[dict[str, int]]:
    """Draw sizes up to 10⁶⁰, many of them close to 10⁵⁰, where a float has lost 34 digits."""
    size = st.integers(1, 10**60) | st.integers(10**50 - 1000, 10**50 + 1000)
    return st.fixed_dictionaries({"n_layer": size, "n_embd": size, "n_positions": size, "vocab_size": size})
