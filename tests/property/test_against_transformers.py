"""transformers builds a model, on torch's `meta` device, where tensors have a shape and no memory; gpt2calc counts it.

`GPT2CALC_EXAMPLES=20000 python -m pytest tests/property/test_against_transformers.py` tries each law on 20,000 models.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from typing import TYPE_CHECKING, Any

import torch
import transformers
from hypothesis import given
from transformers.models.gpt2.modeling_gpt2 import GPT2Attention

import gpt2calc
from tests.measuring import unmeasured
from tests.property.strategies import CLASSES, configs, tried, two_worded_documents

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from torch import Tensor


def on_meta(class_name: str, config: transformers.GPT2Config) -> Any:
    """Return transformers' model of this config, without memory for its numbers."""
    with torch.device("meta"):
        model = getattr(transformers, class_name)(config)
    model.tie_weights()  # transformers 5.0 does not do so on `meta` itself, as later versions do
    return model


@unmeasured
def built(fields: Mapping[str, Any], **changes: Any) -> Any:
    """Return the model that transformers makes of the same words; what follows its head is left to transformers."""
    words = {**fields, **changes}
    head = words.pop("head", "lm")
    # The default end-of-text token, 50256, lies outside these vocabularies, and transformers would warn of each.
    return on_meta(CLASSES.get(head, head), transformers.GPT2Config(**words, bos_token_id=None, eos_token_id=None))


def numel(tensors: Iterable[Tensor]) -> int:
    """Return how many numbers the tensors hold together."""
    return sum(tensor.numel() for tensor in tensors)


def component_of(name: str) -> str:
    """Return the module that a tensor belongs to, without the block it stands in."""
    return re.sub(r"^(transformer\.)?(h\.\d+\.)?", "", name).rpartition(".")[0]


def group_of(component: str) -> str:
    """Return the group of a component, by how its name begins."""
    beginnings = {
        "w": "embedding",
        "attn.": "attention",
        "crossattention.": "cross_attention",
        "ln_cross_attn": "cross_attention",
        "mlp.": "mlp",
        "ln_": "layer_norm",
    }
    return next((group for beginning, group in beginnings.items() if component.startswith(beginning)), "head")


class TestTotal:
    """Law: total = sum(p.numel() for p in model.parameters())."""

    @tried(50)  # a model of transformers is built
    @given(configs())
    def test_the_total_is_what_transformers_allocates(self, fields: dict[str, Any]) -> None:
        """Whatever the sizes, the structure and the head, no parameter is missed and none is counted twice."""
        assert gpt2calc.count(**fields).total == numel(built(fields).parameters())


class TestTensors:
    """Law: tensors(model) = [(name, shape) for each of model.named_parameters()], in this order."""

    @tried(50)  # a model of transformers is built
    @given(configs())
    def test_the_listing_is_that_of_transformers(self, fields: dict[str, Any]) -> None:
        """Every tensor has the name, the shape and the place that transformers gives it."""
        listed = [(tensor.name, tensor.shape) for tensor in gpt2calc.tensors(**fields)]
        assert listed == [(name, tuple(parameter.shape)) for name, parameter in built(fields).named_parameters()]


class TestComponents:
    """Law: weights, biases and occurrences of a component are those of the modules that bear its name."""

    @tried(50)  # a model of transformers is built
    @given(configs())
    def test_every_component_holds_what_its_modules_hold(self, fields: dict[str, Any]) -> None:
        """Weights, biases, occurrences and groups are those of the modules, told apart by their names alone."""
        roles: dict[str, Counter[str]] = {"weight": Counter(), "bias": Counter()}
        modules: dict[str, set[str]] = {}
        groups: Counter[str] = Counter()
        for name, parameter in built(fields).named_parameters():
            component, (module, _, role) = component_of(name), name.rpartition(".")
            roles[role][component] += parameter.numel()
            modules.setdefault(component, set()).add(module)
            groups[group_of(component)] += parameter.numel()

        count = gpt2calc.count(**fields)
        counted = {part.name: (part.times, part.weights, part.biases) for part in count.components if part.times}
        assert counted == {
            name: (len(found), roles["weight"][name], roles["bias"][name]) for name, found in modules.items()
        }
        assert {name: group.total for name, group in count.groups.items() if group.total} == dict(+groups)


class TestConfigJson:
    """Law: the config.json that transformers writes for a model gives the same count as the words it was made of."""

    @tried(50)  # a model of transformers is built
    @given(configs())
    def test_a_config_json_of_transformers_is_the_same_model(self, fields: dict[str, Any]) -> None:
        """Written in full or without the defaults, a config.json is read as the model that wrote it."""
        model = built(fields)
        model.config.architectures = [type(model).__name__]  # as save_pretrained does
        whole, short = (json.loads(model.config.to_json_string(use_diff=shortened)) for shortened in (False, True))
        assert gpt2calc.count(whole) == gpt2calc.count(short) == gpt2calc.count(**fields)
        assert gpt2calc.count(whole).total == numel(model.parameters())

    @tried(50)  # a model of transformers is built
    @given(two_worded_documents())
    def test_where_two_spellings_disagree_transformers_decides(self, document: dict[str, Any]) -> None:
        """Of two spellings the one counts that transformers reads, in whatever order they stand in the file."""
        model = on_meta("GPT2LMHeadModel", transformers.GPT2Config.from_dict(document))
        assert gpt2calc.count(document).total == numel(model.parameters())


class TestConventions:
    """Law: each convention is what its source computes on a live model."""

    @tried(50)  # a model of transformers is built
    @given(configs())
    def test_conventions_leave_out_what_their_sources_leave_out(self, fields: dict[str, Any]) -> None:
        """Tensors are chosen here as the sources choose them: by name, by dimension, or by asking transformers."""
        model = built(fields)
        named = list(model.named_parameters())
        body = list(model.base_model.named_parameters())
        everything = numel(model.parameters())
        masks = sum(isinstance(module, GPT2Attention) for module in model.modules())
        expected = {
            "without_wpe": everything - model.base_model.wpe.weight.numel(),
            "without_embeddings": model.num_parameters(exclude_embeddings=True),
            "kaplan": numel(p for name, p in body if name.startswith("h.") and p.dim() == 2),
            "weights": numel(p for name, p in named if name.endswith(".weight")),
            "without_biases": everything - numel(p for name, p in body if name.endswith(".bias")),
            "matrices": numel(p for _, p in named if p.dim() >= 2),
            "vectors": numel(p for _, p in named if p.dim() < 2),
            "stored_with_masks": everything + masks * model.config.n_positions**2,
            "fp32_bytes": model.get_memory_footprint(return_buffers=False),
            "bf16_bytes": model.to(torch.bfloat16).get_memory_footprint(return_buffers=False),
        }
        count = gpt2calc.count(**fields)
        assert {name: count.conventions[name] for name in expected} == expected
        assert count.biases == numel(p for name, p in named if name.endswith(".bias"))

    @tried(50)  # a model of transformers is built
    @given(configs())
    def test_a_tied_state_dict_sums_to_the_untied_count(self, fields: dict[str, Any]) -> None:
        """parameters() lists the shared matrix once, state_dict() twice."""
        model = built(fields, tie_word_embeddings=True)
        conventions = gpt2calc.count(**fields).conventions
        assert conventions["tied"] == numel(model.parameters())
        assert conventions["untied"] == numel(model.state_dict().values())

    @tried(50)  # a model of transformers is built
    @given(configs())
    def test_a_padded_vocabulary_is_a_resized_one(self, fields: dict[str, Any]) -> None:
        """The embeddings are resized by transformers to a multiple of 128, and with them an lm_head of its own."""
        model = built(fields)
        with torch.device("meta"):
            model.resize_token_embeddings(pad_to_multiple_of=128, mean_resizing=False)
        assert gpt2calc.count(**fields).conventions["padded_vocabulary"] == numel(model.parameters())
