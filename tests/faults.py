"""Every fault that a single tensor, or a single field of the config, can have: planted in a good checkpoint.

Each comes with the names of which a report must give one. Whether a fault shows is decided here and not by gpt2calc: a
square matrix that is transposed is the same file.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from typing import TypeAlias

    Tensor: TypeAlias = tuple[str, str, tuple[int, ...]]
    """A name, a dtype and a shape."""

OTHER_DTYPE = {"F32": "F16", "F16": "F32", "BF16": "F32", "U8": "F32", "BOOL": "F32"}


class Planted(NamedTuple):
    """A checkpoint with one fault.

    Args:
        kind: what was done.
        tensor: to which tensor.
        tensors: what the checkpoint then holds.
        named: of these names, a report must give one.
    """

    kind: str
    tensor: str
    tensors: list[Tensor]
    named: tuple[str, ...]

    @property
    def id(self) -> str:
        """What a failing test calls it."""
        return f"{self.kind} {self.tensor}"


def single(tensors: Sequence[Tensor]) -> Iterator[Planted]:
    """Yield every fault of a single tensor that its name, shape or dtype shows."""
    for place, (name, dtype, shape) in enumerate(tensors):

        def put(kind: str, *new: Tensor, place: int = place, name: str = name) -> Planted:
            changed = [*tensors[:place], *new, *tensors[place + 1 :]]
            return Planted(kind, name, changed, (name, *(each[0] for each in new)))

        yield put("dropped")
        yield put("renamed", (_renamed(name), dtype, shape))
        yield put("added", (name, dtype, shape), (name + "2", dtype, shape))
        if not may_differ(name):
            yield put("other dtype", (name, OTHER_DTYPE[dtype], shape))
        yield put("integers", (name, "I32", shape))
        for axis, size in enumerate(shape):
            for change in (-1, 1):
                other = (*shape[:axis], size + change, *shape[axis + 1 :])
                yield put(f"axis {axis} {change:+}", (name, dtype, other))
        if shape != shape[::-1]:
            yield put("transposed", (name, dtype, shape[::-1]))
        if len(shape) == 2:
            yield put("flattened", (name, dtype, (shape[0] * shape[1],)))
        yield put("one axis more", (name, dtype, (*shape, 1)))


def may_differ(name: str) -> bool:
    """Whether a tensor may have a dtype of its own: it is in no block, so that nothing else is the same component.

    Training in 16 bits keeps LayerNorm, wte or a head in 32. Until 0.3.1 each of these was a fault.
    """
    return not re.search(r"(?:^|[./])h?\d+[./]", name)


def of_other_dtypes(tensors: Sequence[Tensor]) -> Iterator[list[Tensor]]:
    """Yield a checkpoint for each tensor that may have a dtype of its own, with another one than the rest."""
    for place, (name, dtype, shape) in enumerate(tensors):
        if may_differ(name):
            yield [*tensors[:place], (name, OTHER_DTYPE[dtype], shape), *tensors[place + 1 :]]


def _renamed(name: str) -> str:
    """Return a name with two letters changed over, or one doubled where they are the same."""
    head, tail = name[:-2], name[-2:]
    return head + (tail[::-1] if tail[0] != tail[1] else tail + tail[0])


def configs(config: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield configs in each of which one field differs, and changes what a file of the first one must hold."""
    for field in ("n_layer", "n_positions", "vocab_size", "n_inner"):
        for change in (-1, 1):
            yield f"{field} {change:+}", {**config, field: config[field] + change}
    for factor in (2, 3):
        yield f"n_embd times {factor}", {**config, "n_embd": config["n_embd"] * factor}
    yield "n_layer 10^9", {**config, "n_layer": 10**9}
    yield "no n_inner", {name: value for name, value in config.items() if name != "n_inner"}
    yield "cross-attention", {**config, "add_cross_attention": not config.get("add_cross_attention", False)}
    yield "bias", {**config, "bias": not config.get("bias", True)}
    yield "qkv_bias", {**config, "qkv_bias": not config.get("qkv_bias", True)}
    for head in ("GPT2ForSequenceClassification", "GPT2ForTokenClassification", "GPT2ForQuestionAnswering"):
        yield head, {**config, "architectures": [head]}
