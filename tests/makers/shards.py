"""Good sharded checkpoints: an index and its safetensors shards, in memory or in a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gpt2calc.model import Model
from gpt2calc.sources import resolve
from tests.makers import safetensors

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path
    from typing import TypeAlias

    Tensor: TypeAlias = safetensors.Tensor

INDEX = "model.safetensors.index.json"


def split(tensors: Sequence[Tensor], count: int) -> dict[str, list[Tensor]]:
    """Return which shard holds what: runs of tensors, under the names that transformers gives shards."""
    size = -(-len(tensors) // count)
    return {
        f"model-{number + 1:05d}-of-{count:05d}.safetensors": list(tensors[number * size : (number + 1) * size])
        for number in range(count)
    }


def index(parts: Mapping[str, Sequence[Tensor]], **metadata: object) -> bytes:
    """Return an index as transformers writes it; `metadata` over what it would say."""
    tensors = [tensor for part in parts.values() for tensor in part]
    said = {"total_size": sum(safetensors.nbytes(dtype, shape) for _, dtype, shape in tensors), **metadata}
    document = {"metadata": said, "weight_map": {name: shard for shard, part in parts.items() for name, _, _ in part}}
    return (json.dumps(document, indent=2, sort_keys=True) + "\n").encode()


def write(folder: Path, parts: Mapping[str, Sequence[Tensor]], content: bytes | None = None) -> str:
    """Write the shards and an index, a good one unless another is given; return the path of the index."""
    folder.mkdir(parents=True, exist_ok=True)
    for shard, tensors in parts.items():
        safetensors.write(folder / shard, tensors)
    (folder / INDEX).write_bytes(index(parts) if content is None else content)
    return str(folder / INDEX)


def published(name: str) -> tuple[dict[str, Any], list[Tensor]]:
    """Return the config of a mixture of experts that ships, and what its published files hold, in bfloat16.

    Those of DeepSeek-R1 hold a layer more, which predicts a further token, and quantized matrices: beside each there is
    the scale of every 128 by 128 elements.

    Source: deepseek-ai/DeepSeek-R1, model.safetensors.index.json, of 91,991 tensors.
    """
    source = resolve(name, {})
    assert isinstance(source.counted, Model)
    document = dict(source.given or {})
    shapes = {each.name: each.shape for each in source.counted.listing()}
    if name != "DeepSeek-R1":
        document.pop("quantization_config", None)
        return document, [(name, "BF16", shape) for name, shape in shapes.items()]
    last = f"model.layers.{document['num_hidden_layers']}"
    before, d = f"model.layers.{document['num_hidden_layers'] - 1}", document["hidden_size"]
    shapes |= {
        last + name.removeprefix(before): shape for name, shape in shapes.items() if name.startswith(f"{before}.")
    }
    vocabulary = (document["vocab_size"], d)
    shapes |= {f"{last}.{name}": vocabulary for name in ("embed_tokens.weight", "shared_head.head.weight")}
    shapes |= {f"{last}.{name}.weight": (d,) for name in ("enorm", "hnorm", "shared_head.norm")}
    shapes[f"{last}.eh_proj.weight"] = (d, 2 * d)
    tensors: list[Tensor] = []
    for each, shape in shapes.items():
        if "_proj" in each and "eh_proj" not in each:
            scales = tuple(-(-size // 128) for size in shape)
            tensors += [(each, "F8_E4M3", shape), (f"{each}_scale_inv", "F32", scales)]
        else:
            tensors.append((each, "F32" if each.endswith("correction_bias") else "BF16", shape))
    document["quantization_config"] = {"quant_method": "fp8", "fmt": "e4m3", "weight_block_size": [128, 128]}
    return document, tensors


def tiny() -> dict[str, list[Tensor]]:
    """Return a GPT-2 of one block in three shards."""
    return split(safetensors.released(1, 2, n_positions=2, vocab_size=3), 3)


def seeds() -> list[bytes]:
    """Return indexes of one model: as 4.x wrote them, as 5.x does, and with the least that an index needs."""
    parts = tiny()
    least = {"weight_map": {name: shard for shard, part in parts.items() for name, _, _ in part}}
    return [index(parts), index(parts, total_parameters=62), json.dumps(least).encode()]
