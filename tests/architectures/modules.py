"""Modules of transformers, built on torch's `meta` device, where tensors have a shape and no memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
import transformers
from safetensors import safe_open

from gpt2calc.architectures import FILES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

MODEL_TYPES = tuple(sorted(FILES.keys() - {"gpt2"}))
"""Every model type but GPT-2, whose oracle has tests of its own."""

OTHER_NAMES = {"kimi_k2": "deepseek_v3"}
"""What transformers calls a model type that it does not know."""


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
            module = getattr(transformers, config["architectures"][0])(made)
    module.tie_weights()
    return module


def parameters(module: Any) -> list[tuple[str, tuple[int, ...]]]:
    """Return the name and shape of every parameter, in the order of the module."""
    return [(name, tuple(tensor.shape)) for name, tensor in module.named_parameters()]


def written(config: Mapping[str, Any], folder: Path) -> dict[str, tuple[int, ...]]:
    """Return the name and shape of every tensor that transformers writes of a small model to an empty folder."""
    built(config, device="cpu").save_pretrained(folder)
    with safe_open(folder / "model.safetensors", "pt") as file:
        return {name: tuple(file.get_slice(name).get_shape()) for name in file.keys()}  # noqa: SIM118


def buffers(module: Any) -> set[tuple[str, tuple[int, ...]]]:
    """Return the name and shape of every buffer that files hold."""
    saved = module.state_dict()
    return {(name, tuple(tensor.shape)) for name, tensor in module.named_buffers() if name in saved}


def makers(module: Any) -> dict[str, str]:
    """Return for each parameter the class of transformers that makes it, as a source says it: no norm's own class."""
    found = {}
    for name, _ in module.named_parameters():
        parts = name.split(".")
        owners = [module.get_submodule(".".join(parts[:i])) for i in reversed(range(len(parts)))]
        classes = [type(owner) for owner in owners if type(owner).__module__.startswith("transformers")]
        made = next(each for each in classes if "RMSNorm" not in each.__name__)
        found[name] = f"transformers, {made.__module__.rpartition('.')[2]}.py: {made.__name__}"
    return found
