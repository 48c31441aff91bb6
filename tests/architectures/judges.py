"""What finds an error in a row of an architecture: the other derivation, a module of transformers, or its column.

A judge takes a model and returns what is wrong with it. `test_judges` plants errors, and asks for the judge of each.
"""

from __future__ import annotations

import random
from math import prod
from typing import TYPE_CHECKING, Any

from gpt2calc.architectures import of
from gpt2calc.model import (
    BIAS,
    BUFFER,
    FLAG,
    LAW,
    LAYER_EMBEDDING,
    OUTPUT_HEAD,
    POSITION_EMBEDDING,
    SIZE,
    TOKEN_EMBEDDING,
    WEIGHT,
    Model,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from gpt2calc.model import Architecture, Component, Tensor
    from tests.architectures.modules import Built

GROUPS = {
    "experts.": "experts",
    "experts_": "experts",
    "shared_expert.": "experts",
    "shared_mlp.": "mlp",
    "shared_experts.": "experts",
    "shared_expert_gate": "router",
    "router": "router",
    "attention.": "attention",
    "attn.": "attention",
    "self_attention.": "attention",
    "self_attn.": "attention",
    "conv.": "ssm",
    "feed_forward.": "mlp",
    "linear_attn.": "ssm",
    "mamba.": "ssm",
    "mixer.": "ssm",
    "mlp.": "mlp",
    "ffn.": "mlp",
    "fc": "mlp",
    "embed": "embedding",
    "per_layer_": "embedding",
    "altup": "other",
    "laurel.": "other",
    "rg_lru.": "ssm",
    "recurrent.": "ssm",
    "positions_embed": "embedding",
    "project_": "embedding",
    "tokens_embed": "embedding",
    "word_embeddings": "embedding",
    "wpe": "embedding",
    "wte": "embedding",
    "lm_head": "head",
    "score": "head",
}
"""The group of a component by how its name begins, unless it is a norm."""

PARTS = {
    **dict.fromkeys(
        ("embed_in", "embed_tokens", "embeddings", "tokens_embed", "word_embeddings", "wte"), TOKEN_EMBEDDING
    ),
    **dict.fromkeys(("embed_positions", "positions_embed", "wpe"), POSITION_EMBEDDING),
    "embed_tokens_per_layer": LAYER_EMBEDDING,
    "lm_head": OUTPUT_HEAD,
}


def differences(components: Iterable[Component], tensors: Iterable[Tensor], count: Callable[[str], Any]) -> Any:
    """Return by component and role what its closed form is more than its tensors; a buffer has no closed form."""
    found: dict[tuple[str, str], Any] = {}
    for row in components:
        for role, each in ((WEIGHT, row.weights), (BIAS, row.biases)):
            found[row.name, role] = found.get((row.name, role), 0) + count(row.layers) * row.times * each
    for tensor in tensors:
        if tensor.role != BUFFER:
            key = tensor.component, tensor.role
            elements = count(tensor.layers) * tensor.when * tensor.times * prod(tensor.shape)
            found[key] = found.get(key, 0) - elements
    return found


def with_sizes(architecture: Architecture, put: Callable[[str], Any], count: Callable[[str], Any]) -> Model:
    """Return a model whose sizes, flags and layers are what two functions say; what follows from others is its own."""
    sizes = {row.name: put(row.name) if row.kind in (SIZE, FLAG, LAW) else row.default for row in architecture.sizes}
    return Model(architecture, sizes, count)


def at_a_point(model_type: str, n: int) -> Model:
    """Return a model with a random number for each symbol of the proof, flags among them.

    Two polynomials that differ there differ; so that what is found at a point, the proof finds.
    """
    draw = random.Random(f"{model_type} {n}")
    layers: dict[str, int] = {"": 1}

    def count(tags: str) -> int:
        return layers.setdefault(" ".join(sorted(tags.split())), draw.randint(2, 10**6))

    return with_sizes(of(model_type), lambda _: draw.randint(2, 10**6), count)


def wrong_by_identity(model: Model) -> list[str]:
    """Return the components of which the two derivations differ."""
    rows = differences(model.components(), model.architecture.tensors(model), model.count)
    return [f"{component} {role}" for (component, role), rest in rows.items() if rest]


def wrong_by_module(model: Model, module: Built) -> list[str]:
    """Return the tensors that are listed otherwise than a module has them, or in another order."""
    rows = list(model.listing(live=True))
    listed = [(row.name, row.shape) for row in rows if row.role != BUFFER]
    built = module.parameters
    wrong = {name for name, _ in set(listed) ^ set(built)} if listed != built else set()
    wrong |= {name for name, _ in {(row.name, row.shape) for row in rows if row.role == BUFFER} ^ module.buffers}
    if len(rows) != model.size(live=True):
        wrong.add("how many there are")
    return sorted(wrong) or ([] if listed == built else ["order"])


def wrong_by_column(model: Model, module: Built) -> list[str]:
    """Return the components whose group, part or source is not what its name and the module say."""
    present = {row.name: row for row in model.components() if row.times and model.count(row.layers)}
    made: dict[str, set[str]] = {}
    for tensor in model.listing(live=True):
        if tensor.role != BUFFER:
            made.setdefault(_module(tensor.component), set()).add(module.makers.get(tensor.name, ""))
    wrong = [name for name, row in present.items() if not _sources(row) & made.get(_module(name), set())]
    wrong += [name for name, row in present.items() if row.group != _group(name)]
    wrong += [name for name, row in present.items() if row.part != PARTS.get(name, "")]
    owners = {row.template.rpartition(".")[0]: row.component for row in model.tensors() if row.role != BUFFER}
    strays = (row for row in model.tensors() if row.role == BUFFER)
    return wrong + [row.template for row in strays if _owner(row, owners) != row.component]


def _owner(row: Tensor, owners: dict[str, str]) -> str | None:
    """Return the component of what a buffer stands in; a router's correction is the router's, wherever it stands."""
    is_correction = "correction" in row.template or row.template.endswith("expert_bias")
    if row.template == "{layer}.layer_scalar":
        return "input_layernorm"
    return "router" if is_correction else owners.get(row.template.rpartition(".")[0])


def _sources(row: Component) -> set[str]:
    """Return a component's source as often as it names a class."""
    file, _, classes = row.source.partition(": ")
    return {f"{file}: {name}" for name in classes.split(", ")}


def _module(component: str) -> str:
    """Return a component, but experts as one, since a module keeps them in fewer tensors than files."""
    return "experts" if component.startswith("experts.") else component


def _group(component: str) -> str:
    if "norm" in component or component.startswith("ln_"):
        return "layer_norm"
    return next(group for beginning, group in GROUPS.items() if component.startswith(beginning))
