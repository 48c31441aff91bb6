"""Good sharded checkpoints: an index and its safetensors shards, in memory or in a folder."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

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


def tiny() -> dict[str, list[Tensor]]:
    """Return a GPT-2 of one block in three shards."""
    return split(safetensors.released(1, 2, n_positions=2, vocab_size=3), 3)


def seeds() -> list[bytes]:
    """Return indexes of one model: as 4.x wrote them, as 5.x does, and with the least that an index needs."""
    parts = tiny()
    least = {"weight_map": {name: shard for shard, part in parts.items() for name, _, _ in part}}
    return [index(parts), index(parts, total_parameters=62), json.dumps(least).encode()]
