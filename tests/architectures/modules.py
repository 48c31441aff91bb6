"""Modules of transformers, built on torch's `meta` device, where tensors have a shape and no memory.

All tests of a model type run one after the other, whichever file they stand in, so that what is built is built once.
"""

from __future__ import annotations

import json
import logging
import re
import warnings
from contextlib import ExitStack, contextmanager
from functools import lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

import pytest
import torch
import transformers
from safetensors import safe_open

from gpt2calc.architectures import FILES
from tests.loops import of_each
from tests.measuring import unmeasured
from tests.wide import FEW_TYPES, IS_WIDE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

MODEL_TYPES = tuple(sorted(FILES.keys() - {"gpt2"}))
"""Every model type but GPT-2, whose oracle has tests of its own."""

EVERY = pytest.mark.parametrize("model_type", MODEL_TYPES, scope="session")
WITH_GPT2 = pytest.mark.parametrize("model_type", [*MODEL_TYPES, "gpt2"], scope="session")
"""Marks of a test that is of each model type."""

BY_TURNS = FEW_TYPES
"""Some of all model types: those in which is tried what costs much and is the same for each."""

EVERY_IN_ONE = of_each("model_type", MODEL_TYPES if IS_WIDE else FEW_TYPES)
WITH_GPT2_IN_ONE = of_each("model_type", [*(MODEL_TYPES if IS_WIDE else FEW_TYPES), "gpt2"])
"""Of a test that builds nothing, and costs less than to find and report it so often."""

OTHER_NAMES = {"kimi_k2": "deepseek_v3"}
"""What transformers calls a model type that it does not know."""


OTHER_CLASSES = {"IQuestCoderForCausalLM": "LlamaForCausalLM", "InternLM3ForCausalLM": "LlamaForCausalLM"}
"""What transformers builds of a class that it does not have, by what the model type is."""


class Built(NamedTuple):
    """What a module is made of: parameters in order, buffers that files hold, what made each parameter, and layers.

    `layers` has the linear ones and the embeddings, with their inputs and outputs, and whether it embeds.
    """

    parameters: list[tuple[str, tuple[int, ...]]]
    buffers: set[tuple[str, tuple[int, ...]]]
    makers: dict[str, str]
    layers: dict[str, tuple[int, int, bool]]

    @property
    def total(self) -> int:
        """The number of parameters."""
        return sum(torch.Size(shape).numel() for _, shape in self.parameters)


@contextmanager
def quick() -> Iterator[None]:
    """Build without a word about odd values, and without what takes time and no tensor: numbers, how to generate."""
    verbosity = transformers.logging.get_verbosity()
    with ExitStack() as stack:
        stack.callback(transformers.logging.set_verbosity, verbosity)
        stack.enter_context(warnings.catch_warnings())
        for each in (torch.nn.Linear, torch.nn.Embedding, torch.nn.Conv1d):
            stack.enter_context(mock.patch.object(each, "reset_parameters"))
        stack.enter_context(mock.patch.object(transformers.PreTrainedModel, "can_generate", return_value=False))
        stack.enter_context(mock.patch.object(transformers.PreTrainedConfig, "__repr__", return_value=""))
        warnings.simplefilter("ignore")
        transformers.logging.set_verbosity(logging.CRITICAL)
        yield


def facts(config: Mapping[str, Any]) -> Built:
    """Return what the module of a config is made of; it is built once."""
    return _facts(json.dumps(config))


@lru_cache(maxsize=64)
@unmeasured
def _facts(text: str) -> Built:
    with quick():
        module = built(json.loads(text))
    return Built(parameters(module), buffers(module), makers(module), layers(module))


@unmeasured
def defaults(model_type: str) -> Any:
    """Return the config that transformers takes where a document says nothing."""
    return transformers.CONFIG_MAPPING[OTHER_NAMES.get(model_type, model_type)]()


@unmeasured
def built(config: Mapping[str, Any], device: str = "meta") -> Any:
    """Return the module of a config, of the class in its `architectures`, or the causal language model."""
    words = {name: value for name, value in config.items() if name not in ("model_type", "architectures")}
    model_type = OTHER_NAMES.get(config["model_type"], config["model_type"])
    made = transformers.CONFIG_MAPPING[model_type](**words)
    with torch.device(device):
        if "architectures" not in config:
            auto: Any = transformers.AutoModelForCausalLM
            module = auto.from_config(made)
        else:
            named = config["architectures"][0]
            module = getattr(transformers, OTHER_CLASSES.get(named, named))(made)
    module.tie_weights()
    return module


def parameters(module: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Return the name and shape of every parameter, in the order of the module."""
    return [(name, tuple(tensor.shape)) for name, tensor in module.named_parameters()]


@unmeasured
def written(config: Mapping[str, Any], folder: Path, shard: str = "1GB") -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every tensor that transformers writes of a small model to an empty folder."""
    built(config, device="cpu").save_pretrained(folder, max_shard_size=shard)
    found: dict[str, tuple[int, ...]] = {}
    for path in folder.glob("*.safetensors"):
        with safe_open(path, "pt") as file:
            found |= {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118
    return found


def buffers(module: Any) -> set[tuple[str, tuple[int, ...]]]:
    """Return the name and shape of every buffer that files hold."""
    saved = module.state_dict()
    return {(name, tuple(tensor.shape)) for name, tensor in module.named_buffers() if name in saved}


def layers(module: Any) -> dict[str, tuple[int, int, bool]]:
    """Return what PEFT's LoRA takes as a layer: inputs and outputs of each, and whether it embeds tokens."""
    found = {}
    for name, each in module.named_modules():
        if isinstance(each, torch.nn.Linear):
            found[name] = (each.in_features, each.out_features, False)
        elif isinstance(each, transformers.pytorch_utils.Conv1D):
            found[name] = (each.nx, each.nf, False)
        elif isinstance(each, torch.nn.Embedding):
            found[name] = (each.num_embeddings, each.embedding_dim, True)
    return found


def makers(module: Any) -> dict[str, str]:
    """Return for each parameter the class of transformers that makes it, as a source says it: no norm's own class."""
    found = {}
    for name, _ in module.named_parameters():
        parts = name.split(".")
        owners = [module.get_submodule(".".join(parts[:i])) for i in reversed(range(len(parts)))]
        classes = [type(owner) for owner in owners if type(owner).__module__.startswith("transformers")]
        made = next(each for each in classes if not re.search("Norm|Linear$|^Conv1D$", each.__name__))
        found[name] = f"transformers, {made.__module__.rpartition('.')[2]}.py: {made.__name__}"
    return found
