"""The models that people know, each built at its real size, on torch's `meta` device, and compared with its count."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers

import gpt2calc
from tests.from_scratch import GPT

if TYPE_CHECKING:
    from gpt2calc.presets import Preset

RELEASED = {
    "gpt2": ({"n_layer": 12, "n_embd": 768, "n_head": 12}, 124_439_808),
    "gpt2-medium": ({"n_layer": 24, "n_embd": 1024, "n_head": 16}, 354_823_168),
    "gpt2-large": ({"n_layer": 36, "n_embd": 1280, "n_head": 20}, 774_030_080),
    "gpt2-xl": ({"n_layer": 48, "n_embd": 1600, "n_head": 25}, 1_557_611_200),
}

NOT_IN_TRANSFORMERS = {"bias", "qkv_bias", "ln_f", "pad_vocab_size_multiple"}
PRESETS = gpt2calc.models()
SWITCHED = [preset for preset in PRESETS if NOT_IN_TRANSFORMERS & preset.fields.keys()]
PLAIN = [preset for preset in PRESETS if preset not in SWITCHED]

CLASSES = {"none": "GPT2Model", "lm": "GPT2LMHeadModel"}

HEADS: dict[str, tuple[str, dict[str, Any], int]] = {
    "no head": ("GPT2Model", {}, 0),
    "a tied head": ("GPT2LMHeadModel", {}, 0),
    "an untied head, V·d": ("GPT2LMHeadModel", {"tie_word_embeddings": False}, 38_597_376),
    "cross-attention, L·(4d² + 6d)": ("GPT2LMHeadModel", {"add_cross_attention": True}, 28_366_848),
    "two heads, d + 1": ("GPT2DoubleHeadsModel", {}, 769),
    "two heads, d + 1 whatever the labels": ("GPT2DoubleHeadsModel", {"num_labels": 5}, 769),
    "two heads without projection": ("GPT2DoubleHeadsModel", {"summary_use_proj": False}, 0),
    "two heads, projected to the width, d² + d": ("GPT2DoubleHeadsModel", {"summary_proj_to_labels": False}, 590_592),
    "two heads, untied, V·d + d + 1": ("GPT2DoubleHeadsModel", {"tie_word_embeddings": False}, 38_598_145),
    "sequences in two classes, 2d": ("GPT2ForSequenceClassification", {}, 1_536),
    "sequences in five classes, 5d": ("GPT2ForSequenceClassification", {"num_labels": 5}, 3_840),
    "sequences in no class": ("GPT2ForSequenceClassification", {"num_labels": 0}, 0),
    "tokens in two classes, 2(d + 1)": ("GPT2ForTokenClassification", {}, 1_538),
    "tokens in nine classes, 9(d + 1)": ("GPT2ForTokenClassification", {"num_labels": 9}, 6_921),
    "answers, 2(d + 1)": ("GPT2ForQuestionAnswering", {}, 1_538),
    "answers, 2(d + 1) whatever the labels": ("GPT2ForQuestionAnswering", {"num_labels": 9}, 1_538),
}
"""What each head adds to the 124,439,808 parameters of a body of gpt2's size."""


def built(class_name: str, fields: dict[str, Any]) -> Any:
    """Return transformers' model; tensors on `meta` take no memory, so that even 175B parameters fit."""
    config = transformers.GPT2Config(**fields, bos_token_id=None, eos_token_id=None)
    with torch.device("meta"):
        model = getattr(transformers, class_name)(config)
    model.tie_weights()  # transformers 5.0 does not do so on `meta` itself, as later versions do
    return model


def shapes(model: torch.nn.Module) -> list[tuple[str, tuple[int, ...]]]:
    """Return the name and the shape of every parameter, each stored matrix once."""
    return [(name, tuple(parameter.shape)) for name, parameter in model.named_parameters()]


@pytest.mark.parametrize(("name", "sizes", "exact"), [(name, *row) for name, row in RELEASED.items()], ids=RELEASED)
def test_a_released_size_is(name: str, sizes: dict[str, Any], exact: int) -> None:
    """Built, counted by name, and counted by size, a released model has the number written here."""
    model = built("GPT2LMHeadModel", sizes)
    assert sum(parameter.numel() for parameter in model.parameters()) == exact
    assert gpt2calc.count(name).total == gpt2calc.count(**sizes).total == exact
    assert [(tensor.name, tensor.shape) for tensor in gpt2calc.tensors(name)] == shapes(model)


def test_there_are_presets_of_both_kinds() -> None:
    """Neither of the two tests below runs on nothing."""
    assert len(PLAIN) >= len(RELEASED)
    assert SWITCHED


@pytest.mark.parametrize("preset", PLAIN, ids=lambda preset: preset.name)
def test_a_preset_has_the_tensors_that_transformers_builds(preset: Preset) -> None:
    """Every tensor of every shipped model agrees by name, by shape and in order, and so does the total."""
    fields = dict(preset.fields)
    model = built(CLASSES[fields.pop("head")], fields)
    assert [(tensor.name, tensor.shape) for tensor in gpt2calc.tensors(preset.name)] == shapes(model)
    assert gpt2calc.count(preset.name).total == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize("preset", SWITCHED, ids=lambda preset: preset.name)
def test_a_preset_that_transformers_cannot_build_has_the_tensors_built_from_scratch(preset: Preset) -> None:
    """The same, against torch's linear layers, which keep [out, in], and against names without `transformer.`."""
    with torch.device("meta"):
        model = GPT(**preset.fields)
    listed = {
        tensor.name.removeprefix("transformer."): tensor.shape[::-1] if ".h." in tensor.name else tensor.shape
        for tensor in gpt2calc.tensors(preset.name)
    }
    assert listed == dict(shapes(model))
    assert gpt2calc.count(preset.name).total == sum(parameter.numel() for parameter in model.parameters())


@pytest.mark.parametrize(("class_name", "fields", "added"), HEADS.values(), ids=HEADS)
def test_what_a_head_adds_to_gpt2(class_name: str, fields: dict[str, Any], added: int) -> None:
    """The model as built, the count, and the sum written here are one number."""
    model = built(class_name, fields)
    assert sum(parameter.numel() for parameter in model.parameters()) == 124_439_808 + added
    assert gpt2calc.count(head=class_name, **fields).total == 124_439_808 + added
    assert [(tensor.name, tensor.shape) for tensor in gpt2calc.tensors(head=class_name, **fields)] == shapes(model)


def test_a_tied_state_dict_sums_to_the_untied_count() -> None:
    """state_dict() lists the shared matrix twice, parameters() once: 163,037,184 and 124,439,808 for one model."""
    model = built("GPT2LMHeadModel", {})
    assert sum(values.numel() for values in model.state_dict().values()) == 163_037_184
    assert gpt2calc.count("gpt2").conventions["untied"] == 163_037_184


def test_without_its_embeddings_gpt2_has_what_transformers_says() -> None:
    """num_parameters(exclude_embeddings=True) leaves wte and wpe out, 85,056,000 remain."""
    assert built("GPT2LMHeadModel", {}).num_parameters(exclude_embeddings=True) == 85_056_000
    assert gpt2calc.count("gpt2").conventions["without_embeddings"] == 85_056_000


def test_gpt1_has_what_transformers_builds() -> None:
    """OpenAIGPTLMHeadModel has other names, and for the same shapes the same count: 116,534,784."""
    with torch.device("meta"):
        model = transformers.OpenAIGPTLMHeadModel(transformers.OpenAIGPTConfig())
    theirs = sorted(tuple(parameter.shape) for parameter in model.parameters())
    assert sorted(tensor.shape for tensor in gpt2calc.tensors("gpt1")) == theirs
    assert sum(parameter.numel() for parameter in model.parameters()) == gpt2calc.count("gpt1").total == 116_534_784
