"""A test of the tests: a field that is read otherwise than transformers reads it is found by comparing with modules."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from gpt2calc import architectures
from gpt2calc.architectures import probed, reading
from gpt2calc.errors import ConfigError
from gpt2calc.model import ABSENT, FIXED, FLAG, LAW, REFUSED, SIZE, Architecture, Size
from tests.architectures.drawing import MANY, SHALLOW, configs, least
from tests.architectures.modules import EVERY, facts

if TYPE_CHECKING:
    from collections.abc import Iterator

    import pytest

NO_SHAPES = {"num_nextn_predict_layers"}
"""Fields that are read for what they say of files and of other code: no module of transformers changes with them."""
NOTHING = {
    "gemma4_text": {"num_experts", "moe_intermediate_size"},  # which must be given where they are of any model
    "nemotron_h": {"num_hidden_layers"},
    "qwen3_moe": {"shared_expert_intermediate_size"},
}
"""Sizes of what a model type never has, or that others leave one value."""

FORCED = {"mamba_d_head"}
"""Fields of which the others leave one value, so that it is no matter whether it is read: any other is refused."""

FEW: dict[str, tuple[dict[str, Any], ...]] = {
    **dict.fromkeys(("deepseek_v2", "dots1"), ({"num_hidden_layers": 2, "first_k_dense_replace": 1},)),
    **dict.fromkeys(
        ("deepseek_v32", "glm_moe_dsa"), ({"num_hidden_layers": 2, "first_k_dense_replace": 1, "num_experts": 4},)
    ),
    "jamba": ({"num_hidden_layers": 13},),
    "mellum": ({"num_hidden_layers": 2, "mlp_layer_types": ["dense", "sparse"]},),
    "falcon": (
        {"num_hidden_layers": 1, "new_decoder_architecture": True, "num_kv_heads": 8},
        {"num_hidden_layers": 1, "multi_query": False, "parallel_attn": False},
    ),
    "lfm2": ({"num_hidden_layers": 2, "full_attn_idxs": [0], "block_auto_adjust_ff_dim": False},),
    "llama4_text": ({"num_hidden_layers": 2, "interleave_moe_layer_step": 2},),
    "granitemoehybrid": ({"num_hidden_layers": 2, "layer_types": ["mamba", "attention"]},),
    "bamba": ({"num_hidden_layers": 2, "attn_layer_indices": [0], "attention_bias": True},),
    "qwen3_next": ({"num_hidden_layers": 4, "mlp_only_layers": [0]},),
    "qwen2_moe": ({"num_hidden_layers": 2, "mlp_only_layers": [0]},),
    "qwen3_moe": ({"num_hidden_layers": 2, "mlp_only_layers": [0]},),
}
"""Documents that say little more than their model type, and whose layers are of every kind."""


def misread(row: Size) -> Iterator[Size]:
    """Yield a field that is not read, or with an error in one of its columns."""
    if row.kind == LAW:
        yield row._replace(default=row.default + 1 if isinstance(row.default, int) else f"{row.default} + 1")
        return
    if row.kind == FIXED:  # what it refuses is judged with the probe
        return
    default = row.default
    yield row._replace(kind=LAW, default=default if default is not None else 7)
    if row.kind in (SIZE, FLAG) and default is not None:
        yield row._replace(default=not default if row.kind == FLAG else f"= 3 + {str(default).removeprefix('= ')}")
    if row.null != REFUSED:
        yield row._replace(null=REFUSED)
    if row.null not in (REFUSED, ABSENT):
        yield row._replace(null=ABSENT)
    yield from (row._replace(spellings=tuple({*row.spellings} - {each})) for each in row.spellings)
    yield from (row._replace(words=tuple({*row.words} - {each})) for each in row.words if row.name != "head")


def with_size(architecture: Architecture, index: int, row: Size) -> Architecture:
    """Return an architecture with another row in one place of its sizes."""
    return architecture._replace(sizes=(*architecture.sizes[:index], row, *architecture.sizes[index + 1 :]))


def no_shapes(model_type: str) -> list[str]:
    """Return the fields that the probe found to change no shape: such a size is read for what it refuses."""
    path = os.path.join(os.path.dirname(probed.__file__), f"{model_type}.json")
    with open(path, encoding="utf-8") as file:
        found: list[str] = json.load(file)["no_shapes"]
    return found


@EVERY
def test_a_field_that_is_read_otherwise_is_found(model_type: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each in 20 random configs, in the one that says nothing, and in few that say little.

    What is right of them `test_against_transformers` says, which builds as many of the 20 as it is asked for.
    """
    right = architectures.of(model_type)
    few = [least(model_type) | each for each in FEW.get(model_type, ())]
    shallow = least(model_type) | SHALLOW.get(model_type, {"num_hidden_layers": 3})
    flags = [
        {**shallow, row.name: not row.default} for row in right.sizes if row.kind == FLAG
    ]  # as the probe flips them
    flags = [document for document in flags if not refused(document)]  # which may be bound to others
    documents = [least(model_type), *few, *flags, *configs(model_type, MANY)]
    expected = [counted(document) for document in documents]
    for document in few:
        module = facts(document)
        assert counted(document)[0] == module.total
        assert counted(document)[1] == len(module.parameters) + len(module.buffers)
    missed = []
    idle = NO_SHAPES | NOTHING.get(model_type, set())
    idle |= set(no_shapes(model_type))
    idle |= set() if "sequence_classification" in right.classes.values() else {"num_labels"}
    for index, row in enumerate(right.sizes):
        for wrong in misread(row) if row.name not in idle else ():
            if wrong.kind == LAW and row.name in FORCED:
                continue
            planted = with_size(right, index, wrong)
            monkeypatch.setattr(architectures, "of", lambda _, planted=planted: planted)
            missed += [] if any(map(differs, documents, expected)) else [wrong]
    assert missed == []


def refused(document: dict[str, Any]) -> bool:
    """Whether a document is refused."""
    try:
        reading.read(document)
    except ConfigError:
        return True
    return False


def counted(document: dict[str, Any]) -> tuple[Any, ...]:
    """Return what is compared of what a document is read as."""
    model = reading.read(document).model
    return model.total(), model.size(live=True), model.numel(rank=1), model.numel(role="buffer")


def differs(document: dict[str, Any], expected: tuple[Any, ...]) -> bool:
    """Whether a document is refused, or counted otherwise than it should be."""
    try:
        return counted(document) != expected
    except (ConfigError, NameError, TypeError):  # a law that names a size of another kind cannot be evaluated
        return True
