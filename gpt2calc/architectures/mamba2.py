"""Mamba-2: in every layer a norm and a state space, and neither attention nor an MLP.

Dao and Gu 2024, arXiv:2405.21060.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import classes, size, sizes
from gpt2calc.architectures.runs import Layers, Said
from gpt2calc.model import Architecture, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = "transformers, modeling_mamba2.py: Mamba2"
LAYERS = Layers(
    "backbone.layers",
    "mamba",
    musts=(
        Said(
            "expand * hidden_size == num_heads * head_dim",
            "hidden_size {hidden_size} · expand {expand} = {expand * hidden_size} must be "
            "num_heads {num_heads} · head_dim {head_dim} = {num_heads * head_dim}",
            "hidden_size",
        ),
    ),
)
"""All alike; the heads are as wide together as the expanded width."""


def components(model: Model) -> list[Component]:
    """Return the closed forms."""
    d, heads, states = model.hidden_size, (model.num_heads, model.head_dim), (model.n_groups, model.state_size)
    biases = (model.use_bias, model.use_conv_bias)
    return [
        closed_forms.embedding("embeddings", model.vocab_size, d, f"{SOURCE}Model"),
        closed_forms.norm("norm", d, layers="mamba", source=f"{SOURCE}Block"),
        *closed_forms.mamba2(
            d, heads, states, model.conv_kernel, biases, source=f"{SOURCE}Mixer", name="mixer", layers="mamba"
        ),
        closed_forms.norm("norm_f", d, source=f"{SOURCE}Model"),
        *closed_forms.heads(model, SOURCE),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors."""
    width, heads, states = model.hidden_size, (model.num_heads, model.head_dim), (model.n_groups, model.state_size)
    biases = (model.use_bias, model.use_conv_bias)
    return [
        shapes.embedding("backbone.embeddings", "embeddings", model.vocab_size, width),
        shapes.norm("{layer}.norm", "norm", width, layers="mamba"),
        *shapes.mamba2(width, heads, states, model.conv_kernel, biases, name="mixer", layers="mamba"),
        shapes.norm("backbone.norm_f", "norm_f", width),
        *shapes.heads(model),
    ]


# Source: transformers 5.23, configuration_mamba2.py.
SIZES = sizes(
    vocab_size=32768,
    hidden_size=4096,
    num_hidden_layers=64,
    num_heads=128,
    head_dim=size(64, letter="P", help="width of a head of the state space"),
    state_size=128,
    n_groups=8,
    conv_kernel=4,
    expand=2,
    use_bias=False,
    use_conv_bias=True,
    tie_word_embeddings=False,
)

ARCHITECTURES = {
    "mamba2": Architecture(
        "mamba2", classes("Mamba2", classifies=False), "backbone", SIZES, LAYERS, components, tensors
    )
}
"""Each model type of this file."""
