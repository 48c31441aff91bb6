"""Decoders of GPT's kind: keys as wide as the model, or as one head, and an MLP without a gate, under many names.

A family says in a `Plain` what its parts are called and in which order a layer's module holds them; whether they have
biases is a size of each. What they share with others is in `closed_forms` and in `shapes`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.decoder import given
from gpt2calc.architectures.glossary import law, size, sizes
from gpt2calc.architectures.runs import UNDIVIDED, Layers
from gpt2calc.model import ABSENT, POSITION_EMBEDDING, Architecture, Component, Merge, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

NORMS, ATTENTION, MLP = "norms", "attention", "mlp"
FOUR_TIMES = "= 4 * hidden_size"


class Plain(NamedTuple):
    """What the parts of a family are called, and in which order they stand.

    Args:
        source: the beginning of transformers' class names, with their file.
        body: what stands before the names of all but the head.
        layer: what the list of layers is called.
        embedding: the token embedding.
        positions: the position embedding, "" where there is none.
        offset: how many positions it has beyond those that can be taken.
        embedding_norm: the norm after it, "" where there is none.
        order: a layer's parts: the names of norms, ATTENTION and MLP.
        attention: where attention stands in a layer.
        projections: one matrix for queries, keys and values, or three.
        out: the matrix after attention.
        mlp: where the MLP stands in a layer, "" for in the layer itself.
        up_down: its two matrices.
        final: the norm after the layers, "" where there is none.
        turned: whether matrices are [in, out], as `Conv1D` has them.
        head_bias: whether the output head has a bias.
        makers: the rests of the class names of a layer, attention, an MLP, the body, its token and its position
            embedding, the output head, and what classifies sequences.
        inner: the size that says how wide an MLP is.
        head: the output head, as files call it.
        divided: whether transformers refuses a width that heads do not divide.
    """

    source: str
    body: str
    layer: str
    embedding: str
    order: tuple[str, ...]
    attention: str
    projections: tuple[str, ...]
    out: str
    mlp: str
    up_down: tuple[str, str]
    final: str
    makers: tuple[str, ...] = (
        *("Block", "Attention", "MLP", "Model", "Model", "Model"),
        *("ForCausalLM", "ForSequenceClassification"),
    )
    positions: str = ""
    offset: int = 0
    embedding_norm: str = ""
    turned: bool = False
    head_bias: int = 0
    inner: str = "intermediate_size"
    head: str = "lm_head"
    divided: bool = True


def components(plain: Plain, model: Model) -> list[Component]:
    """Return the closed forms."""
    source, d, b = plain.source, model.hidden_size, model.norm_bias
    _, _, _, body, tokens, positions, *heads = plain.makers
    table = (model.max_position_embeddings + plain.offset) * d if plain.positions else 0
    return [
        closed_forms.embedding(plain.embedding, model.vocab_size, d, source + tokens),
        *(
            Component(name, "embedding", table, part=POSITION_EMBEDDING, source=source + positions)
            for name in given(plain.positions)
        ),
        *(closed_forms.norm(name, d, b, source=source + body) for name in given(plain.embedding_norm)),
        *layer_components(plain, model),
        *(closed_forms.norm(name, d, b, source=source + body) for name in given(plain.final)),
        *closed_forms.heads(model, source, plain.head_bias, *heads),
    ]


def layer_components(plain: Plain, model: Model) -> list[Component]:
    """Return the closed forms of a layer: attention of d·d + 2·d·j and d·d, for keys j wide; an MLP of d·m and m·d."""
    d, m, j = model.hidden_size, model.sizes[plain.inner], model.key_width
    block, attention, mlp, *_ = (plain.source + maker for maker in plain.makers)
    at, inside = {"layers": "decoder", "source": attention}, {"layers": "decoder", "source": mlp}
    widths = {3: dict(zip("kvq", (j, j, d), strict=True)), 1: {"": d + 2 * j}}[len(plain.projections)]
    up, down = (f"{plain.mlp}.{name}".lstrip(".") for name in plain.up_down)
    norms = [name for name in plain.order if name not in (ATTENTION, MLP)]
    return [
        *(closed_forms.norm(name, d, model.norm_bias, layers="decoder", source=block) for name in norms),
        *(
            closed_forms.linear(f"{plain.attention}.{name}", "attention", d, outputs, model.qkv_bias, **at)
            for name, outputs in zip(plain.projections, widths.values(), strict=True)
        ),
        closed_forms.linear(f"{plain.attention}.{plain.out}", "attention", d, d, model.out_bias, **at),
        closed_forms.linear(up, "mlp", d, m, model.mlp_bias, **inside),
        closed_forms.linear(down, "mlp", m, d, model.mlp_bias, **inside),
    ]


def tensors(plain: Plain, model: Model) -> list[Tensor]:
    """Return the tensors, in the order of the module."""
    width, biased, top = model.hidden_size, model.norm_bias, plain.body
    rows = model.max_position_embeddings + plain.offset if plain.positions else 0
    return [
        shapes.embedding(f"{top}.{plain.embedding}", plain.embedding, model.vocab_size, width),
        *(shapes.embedding(f"{top}.{name}", name, rows, width) for name in given(plain.positions)),
        *(
            each
            for name in given(plain.embedding_norm)
            for each in shapes.layer_norm(f"{top}.{name}", name, width, biased)
        ),
        *layer_tensors(plain, model),
        *(each for name in given(plain.final) for each in shapes.layer_norm(f"{top}.{name}", name, width, biased)),
        *shapes.heads(model, bias=plain.head_bias or None, name=plain.head),
    ]


def layer_tensors(plain: Plain, model: Model) -> list[Tensor]:
    """Return the tensors of a layer, in the order of the module."""
    width, keys, found = model.hidden_size, model.key_width, list[Tensor]()
    parts = [keys, keys, width] if len(plain.projections) > 1 else [width + keys + keys]
    linear = shapes.conv1d if plain.turned else shapes.linear
    every, inner = {"layers": "decoder"}, model.sizes[plain.inner]
    for part in plain.order:
        if part == ATTENTION:
            at = plain.attention
            for name, outputs in zip(plain.projections, parts, strict=True):
                found += linear(f"{{layer}}.{at}.{name}", f"{at}.{name}", outputs, width, model.qkv_bias, **every)
            out = f"{at}.{plain.out}"
            found += linear(f"{{layer}}.{out}", out, width, width, model.out_bias, **every)
        elif part == MLP:
            up, down = (f"{plain.mlp}.{name}".lstrip(".") for name in plain.up_down)
            found += linear(f"{{layer}}.{up}", up, inner, width, model.mlp_bias, **every)
            found += linear(f"{{layer}}.{down}", down, width, inner, model.mlp_bias, **every)
        else:
            found += shapes.layer_norm(f"{{layer}}.{part}", part, width, model.norm_bias, **every)
    return found


def architecture(
    model_type: str, plain: Plain, named: dict[str, str], merges: tuple[Merge, ...] = (), **stated: Any
) -> Architecture:
    """Return a model type of such layers.

    Args:
        model_type: as a config.json says it.
        plain: what its parts are called.
        named: transformers' classes, each with its head.
        merges: what a live module calls otherwise.
        stated: its sizes; biases are everywhere, and keys as wide as the model, unless they say otherwise.
    """
    layers = Layers(f"{plain.body}.{plain.layer}", musts=(UNDIVIDED,) if plain.divided else ())
    rows = (layers, partial(components, plain), partial(tensors, plain))
    return Architecture(model_type, named, plain.body, plain_sizes(**stated), *rows, merges)


def plain_sizes(**stated: Any) -> Any:
    """Return sizes, and those that follow from them: of biases, and how wide keys are."""
    follow = {
        "key_width": law("= hidden_size", letter="j", help="width of keys, and of values"),
        "qkv_bias": law(1),
        "out_bias": law("= qkv_bias"),
        "mlp_bias": law(1),
        "norm_bias": law(1),
    }
    return sizes(**stated, **{name: value for name, value in follow.items() if name not in stated})


FOUR_OR_GIVEN = size(FOUR_TIMES, null=ABSENT, letter="m", help="width of the MLP")
"""The width of an MLP that is four times the model's unless it is given."""
