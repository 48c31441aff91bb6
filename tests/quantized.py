"""What quantized files hold, and what can be wrong with them: single faults, planted in headers of any size."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import sources, stored
from gpt2calc.listing import BITS, StoredFile, StoredTensor, TensorListing
from gpt2calc.model import Model
from gpt2calc.verification.examination import examine
from gpt2calc.verification.targets import LOCAL, ResolvedTarget

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gpt2calc.listing import Fault
    from gpt2calc.verification.examination import Subject

    Held = tuple[str, str, tuple[int, ...]]

FP8 = {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]}
PLAIN = ["model.layers.*.self_attn", "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"]
MXFP4 = {"quant_method": "mxfp4", "modules_to_not_convert": PLAIN}

R1: dict[str, Any] = {"model_type": "deepseek_v3", "num_nextn_predict_layers": 1, "quantization_config": FP8}
GPT_OSS_20B: dict[str, Any] = {
    "model_type": "gpt_oss",
    "num_hidden_layers": 24,
    "num_local_experts": 32,
    "quantization_config": MXFP4,
}
GPT_OSS_120B: dict[str, Any] = {**GPT_OSS_20B, "num_hidden_layers": 36, "num_local_experts": 128}
GLM_AIR: dict[str, Any] = {
    "model_type": "glm4_moe",
    "vocab_size": 151552,
    "hidden_size": 4096,
    "intermediate_size": 10944,
    "moe_intermediate_size": 1408,
    "num_hidden_layers": 46,
    "num_attention_heads": 96,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "n_routed_experts": 128,
    "n_shared_experts": 1,
    "first_k_dense_replace": 1,
    "attention_bias": True,
    "use_qk_norm": False,
    "num_nextn_predict_layers": 1,
}
SMALL: dict[str, dict[str, Any]] = {
    "deepseek_v3, fp8": {
        **R1,
        "vocab_size": 96,
        "hidden_size": 160,
        "intermediate_size": 144,
        "moe_intermediate_size": 136,
        "num_hidden_layers": 5,
        "num_attention_heads": 4,
        "n_routed_experts": 4,
        "q_lora_rank": 24,
        "kv_lora_rank": 40,
        "qk_rope_head_dim": 8,
        "qk_nope_head_dim": 12,
        "v_head_dim": 16,
        "first_k_dense_replace": 2,
    },
    "gpt_oss, mxfp4": {
        **GPT_OSS_20B,
        "vocab_size": 96,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 4,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "num_local_experts": 4,
    },
    "glm4_moe, plain": {
        **GLM_AIR,
        "vocab_size": 96,
        "hidden_size": 48,
        "intermediate_size": 40,
        "moe_intermediate_size": 24,
        "num_hidden_layers": 5,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 16,
        "n_routed_experts": 4,
        "first_k_dense_replace": 2,
    },
}
"""Models of the sort, each with three layers of a kind, so that of a dtype in one of them there are two others."""

TURNED = re.compile(r"\d+")

KINDS: dict[str, Callable[[Held], list[Held]]] = {
    "missing": lambda held: [],
    "added": lambda held: [held, (f"{held[0]}_more", *held[1:])],
    "renamed": lambda held: [(f"{held[0][:-1]}_", *held[1:])],
    "longer": lambda held: [(*held[:2], (*held[2][:-1], held[2][-1] + 1))],
    "transposed": lambda held: [(*held[:2], held[2][::-1])],
    "of whole numbers": lambda held: [(held[0], "I32", held[2])],
    "of half the bits": lambda held: [
        (held[0], {"BF16": "F8_E4M3", "F32": "F8_E4M3", "F8_E4M3": "BF16", "U8": "BF16"}[held[1]], held[2])
    ],
}
"""What stands in the place of a tensor with a fault."""


class Planted(NamedTuple):
    """A header with a fault, and the only thing that a report names."""

    what: str
    tensors: list[Held]
    named: str


def held(document: dict[str, Any]) -> list[Held]:
    """Return what the files of a config hold."""
    source = sources.resolve(document, {})
    assert isinstance(source.counted, Model)
    return [(each.name, each.dtype, each.shape) for each in stored.of(source.counted, document).listing()]


def listing(tensors: list[Held]) -> TensorListing:
    """Return tensors as a header lists them, one behind the other."""
    found, offset = [], 8
    for name, dtype, shape in tensors:
        size = BITS[dtype] // 8
        for axis in shape:
            size *= axis
        found.append(StoredTensor(name, shape, dtype, size, "model.safetensors", offset))
        offset += size
    return TensorListing("header", "safetensors", tuple(found), (StoredFile("model.safetensors", offset),))


def examined(document: dict[str, Any], tensors: list[Held]) -> Subject:
    """Hold a header against a config."""
    source = sources.resolve(document, {})
    return examine(ResolvedTarget("header", LOCAL, listing(tensors), source, "config.json"), {})


def faults(document: dict[str, Any], tensors: list[Held]) -> tuple[Fault, ...]:
    """Return what is wrong with a header."""
    return examined(document, tensors).faults


def planted(tensors: list[Held], *, quantized: bool = True, every: bool = False) -> Iterator[Planted]:
    """Yield each kind of fault in a tensor of each template, the last of them, or in every one; and what is whole.

    In a file that is not quantized what stands once may have any dtype. Of layers that predict further tokens all are
    left out elsewhere.
    """
    places = {TURNED.sub("#", name): place for place, (name, _, _) in enumerate(tensors)}
    for place in range(len(tensors)) if every else places.values():
        one = tensors[place]
        for kind, change in KINDS.items():
            instead = change(one)
            if instead == [one] or (kind == "of half the bits" and not quantized):  # a vector that is turned
                continue
            named = next((each[0] for each in instead if each[0] != one[0]), one[0])
            changed = [*tensors[:place], *instead, *tensors[place + 1 :]]
            yield Planted(f"{kind}: {one[0]}", changed, named)
    wholes = dict.fromkeys(
        match[0][:-1]
        for name, _, _ in tensors
        for match in re.finditer(r"^.*?\.layers\.\d+\.|^.*\.experts\.\d+\.", name)
    )
    last = {TURNED.sub("#", whole): whole for whole in wholes}
    ahead = {name.removesuffix(".enorm.weight") for name, _, _ in tensors if name.endswith(".enorm.weight")}
    for whole in [each for each in (wholes if every else last.values()) if each not in ahead]:
        yield Planted(f"none of {whole}", [each for each in tensors if not each[0].startswith(f"{whole}.")], whole)
