"""The closed forms: a row for each component of a GPT-2, with how often it occurs, its weights and its biases.

Everything that is counted by algebra is counted here. A row only adds, multiplies and takes integer powers; structure
enters as a factor that is 0 or 1. It must not know a tensor's name or shape: that is `tensor_table`, the second
derivation, and `tests/test_identity.py` proves that the two agree.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from gpt2calc.dims import Dims

GROUPS = ("embedding", "attention", "cross_attention", "mlp", "layer_norm", "head")
"""The groups that every component belongs to one of, in the order they are shown."""

GPT2 = "transformers, modeling_gpt2.py: "
PRE_NORM = "Radford et al. 2019, section 2.3; " + GPT2


class Formula(NamedTuple):
    """One component: it occurs `times` times, with `weights` weights and `biases` biases each time."""

    component: str
    group: str
    times: int
    weights: int
    biases: int
    source: str


def table(dims: Dims) -> tuple[Formula, ...]:
    """Return the closed form of every component, absent ones with `times` 0.

    Law: parameters of a component = times · (weights + biases), with V = vocab_size, T = n_positions, d = n_embd,
    L = n_layer, m = n_inner, k = num_labels.

    Args:
        dims: sizes and flags as Python ints, numpy int64 arrays, sympy symbols or letters.

    Returns:
        The rows in the order of the forward pass; weights and biases in parameters, for one occurrence.

    Source: the file or paper named in each row.

    >>> from gpt2calc.presets import load
    >>> c_attn = table(load("gpt2").dims)[3]
    >>> c_attn.component, c_attn.times * (c_attn.weights + c_attn.biases)
    ('attn.c_attn', 21261312)
    """
    L, d, T, V, m, k = dims.sizes
    b, qkv_b = dims.bias, dims.qkv_bias
    cross = dims.add_cross_attention * L
    untied = dims.lm_head * (1 - dims.tie_word_embeddings)
    projected = dims.multiple_choice_head * dims.summary_use_proj
    s = dims.summary_proj_to_labels * k + (1 - dims.summary_proj_to_labels) * d  # outputs of the summary projection
    return (
        Formula("wte", "embedding", 1, V * d, 0, GPT2 + "GPT2Model"),
        Formula("wpe", "embedding", 1, T * d, 0, GPT2 + "GPT2Model"),
        Formula("ln_1", "layer_norm", L, d, b * d, PRE_NORM + "GPT2Block"),
        Formula("attn.c_attn", "attention", L, 3 * d**2, 3 * qkv_b * d, GPT2 + "GPT2Attention"),
        Formula("attn.c_proj", "attention", L, d**2, b * d, GPT2 + "GPT2Attention"),
        Formula("ln_cross_attn", "cross_attention", cross, d, b * d, GPT2 + "GPT2Block"),
        Formula("crossattention.c_attn", "cross_attention", cross, 2 * d**2, 2 * qkv_b * d, GPT2 + "GPT2Attention"),
        Formula("crossattention.q_attn", "cross_attention", cross, d**2, qkv_b * d, GPT2 + "GPT2Attention"),
        Formula("crossattention.c_proj", "cross_attention", cross, d**2, b * d, GPT2 + "GPT2Attention"),
        Formula("ln_2", "layer_norm", L, d, b * d, PRE_NORM + "GPT2Block"),
        Formula("mlp.c_fc", "mlp", L, d * m, b * m, GPT2 + "GPT2MLP"),
        Formula("mlp.c_proj", "mlp", L, m * d, b * d, GPT2 + "GPT2MLP"),
        Formula("ln_f", "layer_norm", dims.ln_f, d, b * d, PRE_NORM + "GPT2Model"),
        Formula("lm_head", "head", untied, V * d, 0, GPT2 + "GPT2LMHeadModel"),
        Formula("multiple_choice_head.summary", "head", projected, d * s, s, GPT2 + "GPT2SequenceSummary"),
        Formula("score", "head", dims.score, d * k, 0, GPT2 + "GPT2ForSequenceClassification"),
        Formula("classifier", "head", dims.classifier, d * k, k, GPT2 + "GPT2ForTokenClassification"),
        Formula("qa_outputs", "head", dims.qa_outputs, 2 * d, 2, GPT2 + "GPT2ForQuestionAnswering"),
    )


def total(dims: Dims) -> int:
    """Return the number of parameters of the whole model: the sum of the table.

    >>> from gpt2calc.presets import load
    >>> total(load("gpt2-xl").dims)
    1557611200
    """
    return sum(row.times * (row.weights + row.biases) for row in table(dims))
