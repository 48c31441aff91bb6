"""GPT-2 with transformers' heads, cross-attention, and nanoGPT's and Raschka's switches; GPT-1 is one without ln_f.

What a document says of it is read by `documents` and judged by `validity`, by more spellings than transformers', and
comes here as `dims.Dims`, whose names the sizes have. Radford et al. 2019.
"""

from __future__ import annotations

from gpt2calc.architectures.runs import Layers
from gpt2calc.dims import head_of
from gpt2calc.model import (
    BIAS,
    FLAG,
    OUTPUT_HEAD,
    POSITION_EMBEDDING,
    SIZE,
    TOKEN_EMBEDDING,
    WEIGHT,
    Architecture,
    Component,
    Model,
    Size,
    Tensor,
)

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gpt2calc.model import Number

GPT2 = "transformers, modeling_gpt2.py: "
PRE_NORM = "Radford et al. 2019, section 2.3; " + GPT2
BLOCK = "block"
"""The tag of every layer."""

BODY = "transformer"
LAYERS = Layers(f"{BODY}.h", BLOCK, number="n_layer")
CLASSES = {
    "GPT2Model": "none",
    "GPT2LMHeadModel": "lm",
    "GPT2DoubleHeadsModel": "double_heads",
    "GPT2ForSequenceClassification": "sequence_classification",
    "GPT2ForTokenClassification": "token_classification",
    "GPT2ForQuestionAnswering": "question_answering",
}
LETTERS = {"n_layer": "L", "n_embd": "d", "n_positions": "T", "vocab_size": "V", "n_inner": "m", "num_labels": "k"}
FLAGS = (
    *("tie_word_embeddings", "add_cross_attention", "bias", "qkv_bias", "ln_f", "lm_head", "multiple_choice_head"),
    *("summary_use_proj", "summary_proj_to_labels", "score", "classifier", "qa_outputs"),
)
SIZES = (
    *(Size(name, SIZE, "= 4 * n_embd" if name == "n_inner" else None, letter) for name, letter in LETTERS.items()),
    *(Size(name, FLAG) for name in FLAGS),
)


def components(x: Any) -> list[Component]:
    """Return the closed form of every component that a GPT-2 can have, in the order of the forward pass.

    Law: with V = vocab_size, T = n_positions, d = n_embd, m = n_inner, k = num_labels; structure enters as a factor
    that is 0 or 1.

    Args:
        x: a model, or whatever else has its sizes as attributes: `Dims` of ints, int64 arrays, symbols or letters.
    """
    V, T, d, m, k = x.vocab_size, x.n_positions, x.n_embd, x.n_inner, x.num_labels
    b, qkv_b, cross = x.bias, x.qkv_bias, x.add_cross_attention
    s = x.summary_proj_to_labels * k + (1 - x.summary_proj_to_labels) * d  # outputs of the summary projection
    untied = x.lm_head * (1 - x.tie_word_embeddings)
    projected = x.multiple_choice_head * x.summary_use_proj

    def block(  # noqa: PLR0917  # a row of a table
        name: str, group: str, weights: Number, biases: Number, made: str, times: Number = 1
    ) -> Component:
        return Component(name, group, weights, biases, BLOCK, times, source=made)

    def head(name: str, weights: Number, biases: Number, times: Number, made: str) -> Component:
        part = OUTPUT_HEAD if name == "lm_head" else ""
        return Component(name, "head", weights, biases, times=times, part=part, source=GPT2 + made)

    attention, mlp, norm = GPT2 + "GPT2Attention", GPT2 + "GPT2MLP", PRE_NORM + "GPT2Block"
    crossed = "cross_attention"
    return [
        Component("wte", "embedding", V * d, part=TOKEN_EMBEDDING, source=GPT2 + "GPT2Model"),
        Component("wpe", "embedding", T * d, part=POSITION_EMBEDDING, source=GPT2 + "GPT2Model"),
        block("ln_1", "layer_norm", d, b * d, norm),
        block("attn.c_attn", "attention", 3 * d**2, 3 * qkv_b * d, attention),
        block("attn.c_proj", "attention", d**2, b * d, attention),
        block("ln_cross_attn", crossed, d, b * d, GPT2 + "GPT2Block", cross),
        block("crossattention.c_attn", crossed, 2 * d**2, 2 * qkv_b * d, attention, cross),
        block("crossattention.q_attn", crossed, d**2, qkv_b * d, attention, cross),
        block("crossattention.c_proj", crossed, d**2, b * d, attention, cross),
        block("ln_2", "layer_norm", d, b * d, norm),
        block("mlp.c_fc", "mlp", d * m, b * m, mlp),
        block("mlp.c_proj", "mlp", m * d, b * d, mlp),
        Component("ln_f", "layer_norm", d, b * d, times=x.ln_f, source=PRE_NORM + "GPT2Model"),
        head("lm_head", V * d, 0, untied, "GPT2LMHeadModel"),
        head("multiple_choice_head.summary", d * s, s, projected, "GPT2SequenceSummary"),
        head("score", d * k, 0, x.score, "GPT2ForSequenceClassification"),
        head("classifier", d * k, k, x.classifier, "GPT2ForTokenClassification"),
        head("qa_outputs", 2 * d, 2, x.qa_outputs, "GPT2ForQuestionAnswering"),
    ]


def tensors(x: Any) -> list[Tensor]:
    """Return every tensor that a GPT-2 can have, as `named_parameters()` orders and `Conv1D` shapes them: [in, out].

    Args:
        x: as for `components`, no closed form of which is used here.

    Source: transformers 5.23, modeling_gpt2.py and pytorch_utils.py (Conv1D).
    """
    width, inner, labels = x.n_embd, x.n_inner, x.num_labels
    crossed = x.add_cross_attention
    own_head = x.lm_head - x.lm_head * x.tie_word_embeddings
    choice = x.summary_use_proj * x.multiple_choice_head
    choices = width + x.summary_proj_to_labels * (labels - width)

    def body(name: str, shape: tuple[Number, ...], when: Number = 1, role: str = WEIGHT) -> Tensor:
        return Tensor(f"{BODY}.{name}.{role}", name, shape, when=when, role=role)

    def block(name: str, shape: tuple[Number, ...], bias: Number, when: Number = 1) -> list[Tensor]:
        weight = Tensor(f"{{layer}}.{name}.{WEIGHT}", name, shape, BLOCK, when=when)
        return [weight, Tensor(f"{{layer}}.{name}.{BIAS}", name, shape[-1:], BLOCK, when=bias * when, role=BIAS)]

    def head(name: str, shape: tuple[Number, ...], when: Number, role: str = WEIGHT) -> Tensor:
        return Tensor(f"{name}.{role}", name, shape, when=when, role=role)

    summary = "multiple_choice_head.summary"
    return [
        body("wte", (x.vocab_size, width)),
        body("wpe", (x.n_positions, width)),
        *block("ln_1", (width,), x.bias),
        *block("attn.c_attn", (width, width + 2 * width), x.qkv_bias),
        *block("attn.c_proj", (width, width), x.bias),
        *block("ln_2", (width,), x.bias),
        *block("crossattention.c_attn", (width, 2 * width), x.qkv_bias, crossed),
        *block("crossattention.q_attn", (width, width), x.qkv_bias, crossed),
        *block("crossattention.c_proj", (width, width), x.bias, crossed),
        *block("ln_cross_attn", (width,), x.bias, crossed),
        *block("mlp.c_fc", (width, inner), x.bias),
        *block("mlp.c_proj", (inner, width), x.bias),
        body("ln_f", (width,), x.ln_f),
        body("ln_f", (width,), x.bias * x.ln_f, BIAS),
        head("lm_head", (x.vocab_size, width), own_head),
        head(summary, (choices, width), choice),
        head(summary, (choices,), choice, BIAS),
        head("score", (labels, width), x.score),
        head("classifier", (labels, width), x.classifier),
        head("classifier", (labels,), x.classifier, BIAS),
        head("qa_outputs", (2, width), x.qa_outputs),
        head("qa_outputs", (2,), x.qa_outputs, BIAS),
    ]


def model(dims: Any) -> Model:
    """Return the model of these dims.

    >>> from gpt2calc.presets import load
    >>> model(load("gpt2").dims).total()
    124439808
    """
    return Model(ARCHITECTURE, {**dims._asdict(), "head": head_of(dims) or "lm"})


def model_of(counted: Any) -> Model:
    """Return a model of any architecture as it is, and that of a GPT-2's dims."""
    return counted if isinstance(counted, Model) else model(counted)


ARCHITECTURE = Architecture("gpt2", CLASSES, BODY, SIZES, LAYERS, components, tensors)
ARCHITECTURES: Mapping[str, Architecture] = {"gpt2": ARCHITECTURE}
"""Each model type of this file."""
