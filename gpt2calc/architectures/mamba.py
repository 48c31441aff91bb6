"""Mamba and Falcon Mamba: in every layer a norm and a state space, and neither attention nor an MLP.

Gu and Dao 2023, arXiv:2312.00752; Zuo et al. 2024, arXiv:2410.05355.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import classes, size, sizes
from gpt2calc.architectures.runs import Layers
from gpt2calc.model import Architecture, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = {
    "falcon_mamba": "transformers, modeling_falcon_mamba.py: FalconMamba",
    "mamba": "transformers, modeling_mamba.py: Mamba",
}
LAYERS = Layers("backbone.layers", "mamba")


def components(model: Model) -> list[Component]:
    """Return the closed forms."""
    source, d = SOURCE[model.architecture.model_type], model.hidden_size
    own = (model.state_size, model.time_step_rank, model.conv_kernel)
    biases = (model.use_bias, model.use_conv_bias)
    at = {"name": "mixer", "layers": "mamba", "source": f"{source}Mixer"}
    return [
        closed_forms.embedding("embeddings", model.vocab_size, d, f"{source}Model"),
        closed_forms.norm("norm", d, layers="mamba", source=f"{source}Block"),
        *closed_forms.mamba(d, model.intermediate_size, own, biases, **at),
        closed_forms.norm("norm_f", d, source=f"{source}Model"),
        *closed_forms.heads(model, source),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors."""
    width, biases = model.hidden_size, (model.use_bias, model.use_conv_bias)
    own = (model.state_size, model.time_step_rank, model.conv_kernel)
    return [
        shapes.embedding("backbone.embeddings", "embeddings", model.vocab_size, width),
        shapes.norm("{layer}.norm", "norm", width, layers="mamba"),
        *shapes.mamba(width, model.intermediate_size, own, biases, name="mixer", layers="mamba"),
        shapes.norm("backbone.norm_f", "norm_f", width),
        *shapes.heads(model),
    ]


# Source: transformers 5.23, configuration_mamba.py and configuration_falcon_mamba.py, which have the same defaults; a
# document's intermediate_size wins over what they compute.
SIZES = sizes(
    vocab_size=50280,
    hidden_size=768,
    expand=size(2, letter="x"),
    intermediate_size=size("= expand * hidden_size", letter="i", help="channels of the state space"),
    num_hidden_layers=32,
    state_size=16,
    conv_kernel=4,
    time_step_rank=size("= (hidden_size + 15) // 16", letter="R", words=("auto",), help="rank of the time steps"),
    use_bias=False,
    use_conv_bias=True,
    tie_word_embeddings=True,
)


def _row(model_type: str, prefix: str) -> Architecture:
    named = classes(prefix, classifies=False)
    return Architecture(model_type, named, "backbone", SIZES, LAYERS, components, tensors)


ARCHITECTURES = {"mamba": _row("mamba", "Mamba"), "falcon_mamba": _row("falcon_mamba", "FalconMamba")}
"""Each model type of this file."""
