"""OPT, BioGPT and XGLM: fairseq's decoders, with keys, values and queries apart and learned positions from 2 on.

OPT projects into its width and out of it where tokens are not as wide; XGLM computes its positions. Zhang et al. 2022,
arXiv:2205.01068; Luo et al. 2022, arXiv:2210.10341; Lin et al. 2021, arXiv:2112.10668.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures import closed_forms, shapes
from gpt2calc.architectures.decoder import source
from gpt2calc.architectures.glossary import classes, law, size
from gpt2calc.architectures.plain import (
    ATTENTION,
    MLP,
    Plain,
    architecture,
    layer_components,
    layer_tensors,
    plain_sizes,
)
from gpt2calc.architectures.runs import UNDIVIDED, Layers
from gpt2calc.model import ABSENT, FIXED, OUTPUT_HEAD, POSITION_EMBEDDING, Architecture, Component, Tensor

if TYPE_CHECKING:
    from gpt2calc.model import Model

BIOGPT = Plain(
    source("biogpt", "BioGpt"),
    body="biogpt",
    layer="layers",
    embedding="embed_tokens",
    positions="embed_positions",
    offset=2,
    order=(ATTENTION, "self_attn_layer_norm", MLP, "final_layer_norm"),
    attention="self_attn",
    projections=("k_proj", "v_proj", "q_proj"),
    out="out_proj",
    mlp="",
    up_down=("fc1", "fc2"),
    final="layer_norm",
    head="output_projection",
    makers=(
        *("DecoderLayer", "Attention", "DecoderLayer", "Model"),
        *("ScaledWordEmbedding", "LearnedPositionalEmbedding"),
    ),
)
XGLM = BIOGPT._replace(source=source("xglm", "XGLM"), body="model", positions="", inner="ffn_dim", head="lm_head")
LAYERS = Layers("model.decoder.layers", musts=(UNDIVIDED,))
OPT = BIOGPT._replace(source=source("opt", "OPT"), body="model.decoder", inner="ffn_dim", head="lm_head")


def components(model: Model) -> list[Component]:
    """Return the closed forms of an OPT, whose tokens are w wide."""
    V, d, w, T, c = (
        model.vocab_size,
        model.hidden_size,
        model.word_embed_proj_dim,
        model.max_position_embeddings,
        model.num_labels,
    )
    own, body = model.lm_head * (1 - model.tie_word_embeddings), f"{OPT.source}Decoder"
    between = {"times": model.projected, "source": body}
    norms = [
        row._replace(times=model.norm_weight) if row.group == "layer_norm" else row
        for row in layer_components(OPT, model)
    ]
    positions = f"{OPT.source}LearnedPositionalEmbedding"
    head = {"part": OUTPUT_HEAD, "source": f"{OPT.source}ForCausalLM"}
    return [
        closed_forms.embedding("embed_tokens", V, w, body),
        Component("embed_positions", "embedding", (T + 2) * d, part=POSITION_EMBEDDING, source=positions),
        closed_forms.linear("project_out", "embedding", d, w, **between),
        closed_forms.linear("project_in", "embedding", w, d, **between),
        closed_forms.norm("norm", d, 1, times=model.norm_weight * model.last_norm, source=body),
        *norms,
        Component("lm_head", "head", V * w, times=own, **head),
        Component("score", "head", w * c, times=model.score, source=f"{OPT.source}ForSequenceClassification"),
    ]


def tensors(model: Model) -> list[Tensor]:
    """Return the tensors of an OPT; what stands around the layers stands before them."""
    width, tokens, top, affine = model.hidden_size, model.word_embed_proj_dim, OPT.body, model.norm_weight
    untied = model.lm_head - model.lm_head * model.tie_word_embeddings
    last, projected = model.last_norm, model.projected
    norms = {"self_attn_layer_norm", "final_layer_norm"}
    weighted = [
        row._replace(when=row.when * affine) if row.component in norms else row for row in layer_tensors(OPT, model)
    ]
    return [
        shapes.embedding(f"{top}.embed_tokens", "embed_tokens", model.vocab_size, tokens),
        shapes.embedding(f"{top}.embed_positions", "embed_positions", 2 + model.max_position_embeddings, width),
        *shapes.linear(f"{top}.project_out", "project_out", tokens, width, when=projected),
        *shapes.linear(f"{top}.project_in", "project_in", width, tokens, when=projected),
        *shapes.layer_norm(f"{top}.final_layer_norm", "norm", width, 1, when=affine * last),
        *weighted,
        *shapes.linear("lm_head", "lm_head", model.vocab_size, tokens, when=untied),
        *shapes.linear("score", "score", model.num_labels, tokens, when=model.score),
    ]


# Source: transformers 5.23, configuration_opt.py.
SIZES = plain_sizes(
    vocab_size=50272,
    hidden_size=768,
    ffn_dim=size(3072, letter="m", help="width of the MLP"),
    num_hidden_layers=12,
    num_attention_heads=12,
    max_position_embeddings=2048,
    word_embed_proj_dim=size("= hidden_size", null=ABSENT, letter="w", help="width of a token"),
    enable_bias=size(True, help="biases in attention and in the MLP"),
    layer_norm_elementwise_affine=size(True, help="weights and biases of the norms"),
    do_layer_norm_before=size(True, help="norms before attention and the MLP"),
    _remove_final_layer_norm=size(False, help="no norm after the layers"),
    tie_word_embeddings=True,
    projected=law("= int(word_embed_proj_dim != hidden_size)"),
    last_norm=law("= int(do_layer_norm_before and not _remove_final_layer_norm)"),
    norm_weight=law("= layer_norm_elementwise_affine"),
    qkv_bias=law("= enable_bias"),
    mlp_bias=law("= enable_bias"),
)

ARCHITECTURES: dict[str, Architecture] = {
    "opt": Architecture("opt", classes("OPT"), "model", SIZES, LAYERS, components, tensors),
    # Source: transformers 5.23, configuration_biogpt.py.
    "biogpt": architecture(
        "biogpt",
        BIOGPT,
        classes("BioGpt"),
        vocab_size=42384,
        hidden_size=1024,
        intermediate_size=4096,
        num_hidden_layers=24,
        num_attention_heads=16,
        max_position_embeddings=1024,
        tie_word_embeddings=True,
    ),
    # Source: transformers 5.23, configuration_xglm.py.
    "xglm": architecture(
        "xglm",
        XGLM,
        classes("XGLM", classifies=False),
        vocab_size=256008,
        hidden_size=size(1024, spellings=("d_model",)),
        ffn_dim=size(4096, letter="m", help="width of the MLP"),
        num_hidden_layers=size(24, spellings=("num_layers",)),
        num_attention_heads=size(16, spellings=("attention_heads",)),
        tie_word_embeddings=True,
        add_cross_attention=size(False, kind=FIXED, help="attention to an encoder"),
    ),
}
"""Each model type of this file."""
