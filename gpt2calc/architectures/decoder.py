"""Decoders of one kind of layer, attention and an MLP with norms, which differ from Llama's by names and by flags.

A family says how in a `Block`, and what its config says in sizes; it has its rows of both derivations from here. What
several families share of each derivation is in `closed_forms` and in `shapes`, of which neither imports the other.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.runs import UNDIVIDED, Layers
from gpt2calc.model import BUFFER, LAW, Architecture, Component, Size, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

BY_HEADS = "= hidden_size // num_attention_heads"
AS_HEADS = "= num_attention_heads"

GATED, JOINED, PLAIN = "gated", "joined", "plain"
"""An MLP with gate_proj, up_proj and down_proj; with gate and up in one matrix; and with no gate."""

MLP_NAMES = {
    GATED: ("gate_proj", "up_proj", "down_proj"),
    JOINED: ("gate_up_proj", "down_proj"),
    PLAIN: ("up_proj", "down_proj"),
}
HEAD, WHOLE, EACH, APART, AS_MODEL = "head", "whole", "each", "apart", "model"
"""A norm of queries or keys: one that all heads share, one of all heads' channels, one with a row for each head, one
for each head, and one of the channels that heads have where nobody says how wide they are."""


class Block(NamedTuple):
    """How the layers of a family are built and named, beyond what its config says.

    Args:
        source: the beginning of transformers' class names, with their file.
        body: the rest of the name of the class that holds the layers.
        embedding: the rest of the name of the class of the token embedding, where it has one of its own.
        norms: those of a layer, after attention and the MLP.
        unless: norms that are there only where the model's `second_norm` is.
        final: the norm after the layers, "" where it has no weight.
        sub_norms: whether there is a norm before the last matrix of attention, and of the MLP.
        norm_bias: whether norms have biases.
        mlp: GATED, JOINED or PLAIN.
        mlp_names: what its projections are called.
        sinks: whether each head has a weight for no token.
        learned: whether the activation has two parameters, and files hold two constants of it.
        qkv_bias: the size that says whether queries, keys and values have biases.
        out_bias: the size that says whether the matrix after attention has one, "" where it has none.
        fused: the name of one matrix for queries, keys and values.
        out: the name of the matrix after attention.
        gate: the name of a matrix after it, of as many outputs as queries have, "" where there is none.
        out_first: whether it stands before that of queries, keys and values.
        qk_norms: what the norms of queries and keys are called.
        qk_width: HEAD, WHOLE, EACH or APART.
        qk_dim: the size that says how wide a norm of HEAD is.
        square: whether the matrix after attention is as wide as the model, whatever the heads are.
        divided: whether transformers refuses a width that heads do not divide.
        head_bias: whether the output head has a bias.
    """

    source: str
    body: str = "Model"
    embedding: str = ""
    norms: tuple[str, ...] = ("input_layernorm", "post_attention_layernorm")
    unless: tuple[str, ...] = ()
    final: str = "norm"
    sub_norms: bool = False
    norm_bias: int = 0
    mlp: str = GATED
    mlp_names: tuple[str, ...] = ()
    sinks: bool = False
    learned: int = 0
    qkv_bias: str = "attention_bias"
    out_bias: str = "attention_bias"
    fused: str = ""
    out: str = "o_proj"
    gate: str = ""
    out_first: bool = False
    qk_norms: tuple[str, str] = ("q_norm", "k_norm")
    qk_width: str = HEAD
    qk_dim: str = "head_dim"
    square: bool = False
    divided: bool = False
    head_bias: int = 0


def components(block: Block, model: Model) -> list[Component]:
    """Return the closed forms."""
    source, d, m, b = block.source, model.hidden_size, model.intermediate_size, model.mlp_bias
    names = block.mlp_names or MLP_NAMES[block.mlp]
    layer = {"layers": "decoder", "source": f"{source}DecoderLayer"}
    second = {name: model.second_norm if name in block.unless else 1 for name in block.norms}
    return [
        closed_forms.embedding("embed_tokens", model.vocab_size, d, f"{source}{block.embedding or block.body}"),
        *closed_forms.attention(
            model,
            source,
            biases=biases(block, model, 0),
            fused=block.fused,
            out=block.out,
            out_inputs=d if block.square else None,
            qk_norms=block.qk_norms,
            qk_width=block.qk_width,
            qk_dim=model.sizes[block.qk_dim],
            norm_bias=block.norm_bias,
        ),
        *(closed_forms.sinks(model.num_attention_heads, source) for _ in range(block.sinks)),
        *(
            closed_forms.norm(name, width, layers="decoder", source=source + maker)
            for name, width, maker in (("self_attn.attn_sub_norm", d, "Attention"), ("mlp.ffn_sub_norm", m, "MLP"))
            if block.sub_norms
        ),
        *closed_forms.mlp(block.mlp, d, m, b, names, layers="decoder", source=f"{source}MLP"),
        Component("mlp.act_fn", "mlp", 2, layers="decoder", times=block.learned, source=XIELU),
        *(closed_forms.norm(name, d, block.norm_bias, times=times, **layer) for name, times in second.items()),
        *(closed_forms.norm(name, d, block.norm_bias, source=f"{source}{block.body}") for name in given(block.final)),
        *closed_forms.heads(
            model, source, block.head_bias, classifies=f"{block.body.removesuffix('Model')}{CLASSIFIES}"
        ),
    ]


CLASSIFIES = "ForSequenceClassification"
XIELU = "transformers, activations.py: XIELUActivation"


def biases(block: Block, model: Model, without: int | None) -> tuple[Any, Any]:
    """Return whether queries, keys and values have biases, and whether what comes after attention has one."""
    return model.sizes[block.qkv_bias], model.sizes[block.out_bias] if block.out_bias else without


def given(name: str) -> tuple[str, ...]:
    """Return a name, if there is one."""
    return (name,) if name else ()


def tensors(block: Block, model: Model) -> list[Tensor]:
    """Return the tensors, in the order of the module."""
    width, names, biased = model.hidden_size, block.mlp_names or MLP_NAMES[block.mlp], block.norm_bias or None
    mlp = shapes.mlp(
        "{layer}.mlp", block.mlp, width, model.intermediate_size, names, bias=model.mlp_bias, layers="decoder"
    )
    own = [(name, {"when": model.second_norm} if name in block.unless else {}) for name in block.norms]
    norms = (
        shapes.layer_norm(f"{{layer}}.{name}", name, width, biased, layers="decoder", **when) for name, when in own
    )
    return [
        shapes.embedding("model.embed_tokens", "embed_tokens", model.vocab_size, width),
        *(shapes.sinks(model.num_attention_heads) for _ in range(block.sinks)),
        *shapes.attention(
            model,
            biases=biases(block, model, None),
            fused=block.fused,
            out=block.out,
            out_first=block.out_first,
            out_inputs=width if block.square else None,
            qk_norms=block.qk_norms,
            qk_width=block.qk_width,
            qk_dim=model.sizes[block.qk_dim],
            biased=biased,
        ),
        *_sub_norm(block, "self_attn.attn_sub_norm", width),
        *mlp,
        *_sub_norm(block, "mlp.ffn_sub_norm", model.intermediate_size),
        *(each for name in ("alpha_p", "alpha_n") for each in _of_activation(block, name, (1,), "weight")),
        *(each for name in ("beta", "eps") for each in _of_activation(block, name, (), BUFFER)),
        *(each for norm in norms for each in norm),
        *(each for name in given(block.final) for each in shapes.layer_norm(f"model.{name}", name, width, biased)),
        *shapes.heads(model, bias=block.head_bias or None),
    ]


def _sub_norm(block: Block, name: str, width: int) -> list[Tensor]:
    """Return a norm before a last matrix, where there are such."""
    return [shapes.norm(f"{{layer}}.{name}", name, width, layers="decoder")] if block.sub_norms else []


def _of_activation(block: Block, name: str, shape: tuple[int, ...], role: str) -> list[Tensor]:
    """Return a tensor of an activation that has parameters."""
    return [
        Tensor(f"{{layer}}.mlp.act_fn.{name}", "mlp.act_fn", shape, "decoder", 1, when, role)
        for when in (block.learned,)
    ]


def architecture(model_type: str, block: Block, named: dict[str, str], **stated: Any) -> Architecture:
    """Return a model type of such layers.

    Args:
        model_type: as a config.json says it.
        block: how its layers are built.
        named: transformers' classes, each with its head.
        stated: its sizes, where they are not Mistral's: with heads in groups, and no biases.
    """
    table = {
        "vocab_size": 32000,
        "hidden_size": 4096,
        "intermediate_size": 14336,
        "num_hidden_layers": 32,
        "num_attention_heads": 32,
        "num_key_value_heads": 8,
        "head_dim": size(BY_HEADS),
        "tie_word_embeddings": False,
        "attention_bias": law(0),
        "mlp_bias": law(0),
        "qk_norm": law(0),
    }
    both = {name: value for name, value in {**table, **stated}.items() if value is not None}
    follow = {name: value for name, value in both.items() if isinstance(value, Size) and value.kind == LAW}
    own = sizes(**{name: value for name, value in both.items() if name not in follow}, **follow)
    layers = Layers("model.layers", musts=(UNDIVIDED,) if block.divided else ())
    rows = (layers, partial(components, block), partial(tensors, block))
    return Architecture(model_type, named, "model", own, *rows)


def source(file: str, prefix: str) -> str:
    """Return the beginning of what a family's components have as their source."""
    return f"transformers, modeling_{file}.py: {prefix}"


def llama_like(model_type: str, prefix: str, block: Block | None = None, **stated: Any) -> Architecture:
    """Return a model type whose file and classes are called as it is, with a head for sequences."""
    made = (block or Block(""))._replace(source=source(model_type, prefix))
    return architecture(model_type, made, classes(prefix), **stated)
