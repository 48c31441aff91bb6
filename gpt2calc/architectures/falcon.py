"""Falcon: queries, keys and values in one matrix, with one head of keys, some, or all; and one norm or two.

Almazrouei et al. 2023, arXiv:2311.16867.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.glossary import classes, law, size, sizes
from gpt2calc.architectures.runs import UNDIVIDED, Layers
from gpt2calc.model import ABSENT, Architecture, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

SOURCE = "transformers, modeling_falcon.py: Falcon"
AT, MLP = "{layer}.self_attention", "{layer}.mlp"
LAYERS = Layers("transformer.h", musts=(UNDIVIDED,))


def components(model: Model) -> list[Component]:
    """Return the closed forms."""
    d, m, j, b = model.hidden_size, model.ffn_hidden_size, model.key_width, model.bias
    at, mlp = {"layers": "decoder", "source": f"{SOURCE}Attention"}, {"layers": "decoder", "source": f"{SOURCE}MLP"}
    apart = {"layers": "decoder", "times": model.parallel_attn * model.two_norms, "source": f"{SOURCE}DecoderLayer"}
    one = 1 - model.parallel_attn * model.two_norms
    return [
        closed_forms.embedding("word_embeddings", model.vocab_size, d, f"{SOURCE}Model"),
        closed_forms.linear("self_attention.query_key_value", "attention", d, d + 2 * j, b, **at),
        closed_forms.linear("self_attention.dense", "attention", d, d, b, **at),
        closed_forms.linear("mlp.dense_h_to_4h", "mlp", d, m, b, **mlp),
        closed_forms.linear("mlp.dense_4h_to_h", "mlp", m, d, b, **mlp),
        closed_forms.norm("post_attention_layernorm", d, 1, **{**apart, "times": 1 - model.parallel_attn}),
        closed_forms.norm("input_layernorm", d, 1, **{**apart, "times": one}),
        closed_forms.norm("ln_attn", d, 1, **apart),
        closed_forms.norm("ln_mlp", d, 1, **apart),
        closed_forms.norm("ln_f", d, 1, source=f"{SOURCE}Model"),
        *closed_forms.heads(model, SOURCE),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors; two norms side by side have names of their own."""
    width, inner, keys, bias = model.hidden_size, model.ffn_hidden_size, model.key_width, model.bias
    every, serial = {"layers": "decoder"}, 1 - model.parallel_attn
    beside = model.parallel_attn * model.two_norms
    norms = {
        "post_attention_layernorm": serial,
        "input_layernorm": serial + model.parallel_attn - beside,
        "ln_attn": beside,
        "ln_mlp": beside,
    }
    qkv = width + keys + keys
    return [
        shapes.embedding("transformer.word_embeddings", "word_embeddings", model.vocab_size, width),
        *shapes.linear(f"{AT}.query_key_value", "self_attention.query_key_value", qkv, width, bias, **every),
        *shapes.linear(f"{AT}.dense", "self_attention.dense", width, width, bias, **every),
        *shapes.linear(f"{MLP}.dense_h_to_4h", "mlp.dense_h_to_4h", inner, width, bias, **every),
        *shapes.linear(f"{MLP}.dense_4h_to_h", "mlp.dense_4h_to_h", width, inner, bias, **every),
        *(
            each
            for name, when in norms.items()
            for each in shapes.layer_norm(f"{{layer}}.{name}", name, width, 1, when=when, **every)
        ),
        *shapes.layer_norm("transformer.ln_f", "ln_f", width, 1),
        *shapes.heads(model),
    ]


# Source: transformers 5.23, configuration_falcon.py, and modeling_falcon.py for the norms and the heads of keys.
SIZES = sizes(
    vocab_size=65024,
    hidden_size=size(4544, spellings=("n_embed",)),
    num_hidden_layers=32,
    num_attention_heads=71,
    num_kv_heads=size("= num_attention_heads", null=ABSENT, least=0, help="heads of keys and values"),
    ffn_hidden_size=size("= 4 * hidden_size", null=ABSENT, letter="m", help="width of the MLP"),
    multi_query=size(True, null=0, help="one head of keys and values"),
    new_decoder_architecture=size(False, null=ABSENT, help="as many heads of keys and values as num_kv_heads says"),
    parallel_attn=size(True, null=0, help="attention and the MLP stand side by side"),
    num_ln_in_parallel_attn=size(
        "= 2 if new_decoder_architecture else 1", null=ABSENT, help="norms before attention and the MLP side by side"
    ),
    bias=size(False, null=ABSENT, help="biases in attention and in the MLP"),
    tie_word_embeddings=True,
    key_width=law(
        "= hidden_size // num_attention_heads * num_kv_heads if new_decoder_architecture else "
        "hidden_size // num_attention_heads if multi_query else hidden_size",
        letter="j",
        help="width of keys, and of values",
    ),
    two_norms=law("= int(num_ln_in_parallel_attn == 2)"),
)

ARCHITECTURES = {"falcon": Architecture("falcon", classes("Falcon"), "transformer", SIZES, LAYERS, components, tensors)}
"""Each model type of this file."""
