"""What a GPT-2 is made of: a row for each tensor, with its name, shape, component and role.

Everything that is known about tensors as transformers stores them stands here: names as `named_parameters()` gives
them, shapes as `Conv1D` keeps them, [in, out]. It must not know a closed form: that is `formulas`, the first
derivation, and `tests/test_identity.py` proves that the two agree.
"""

from __future__ import annotations

from itertools import groupby
from math import prod
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.dims import Dims

WEIGHT, BIAS = "weight", "bias"


class Tensor(NamedTuple):
    """One tensor of a model."""

    name: str
    shape: tuple[int, ...]
    component: str
    role: str

    @property
    def numel(self) -> int:
        """The number of elements, as `torch.Tensor.numel()` gives it."""
        return prod(self.shape)


class Row(NamedTuple):
    """One row of the table: a tensor's name template, how often it occurs (0 where it is absent), and its shape."""

    template: str
    component: str
    role: str
    times: int
    shape: tuple[int, ...]

    @property
    def in_block(self) -> bool:
        """Whether the tensor stands in a block, so that its name holds the block's number."""
        return "{}" in self.template


def table(x: Dims) -> tuple[Row, ...]:
    """Return every tensor that a GPT-2 can have, in the order of `named_parameters()`.

    Args:
        x: dims of Python ints, numpy int64 arrays, sympy symbols or polynomials.

    Returns:
        The rows; a template holds `{}` where the number of the block goes. A `GPT2Model`, which has no head, drops the
        `transformer.` before the names of its body.

    Source: transformers 5.23, modeling_gpt2.py and pytorch_utils.py (Conv1D).

    >>> from gpt2calc.presets import load
    >>> table(load("gpt2").dims)[4]
    Row(template='transformer.h.{}.attn.c_attn.weight', component='attn.c_attn', role='weight', times=12, shape=(768, 2304))
    """
    width, layers, inner = x.n_embd, x.n_layer, x.n_inner
    norm_bias = linear_bias = layers * x.bias
    qkv_bias = layers * x.qkv_bias
    crossed = x.add_cross_attention
    own_head = x.lm_head - x.lm_head * x.tie_word_embeddings
    choice = x.multiple_choice_head
    choices = width + x.summary_proj_to_labels * (x.num_labels - width)
    return (
        Row("transformer.wte.weight", "wte", WEIGHT, 1, (x.vocab_size, width)),
        Row("transformer.wpe.weight", "wpe", WEIGHT, 1, (x.n_positions, width)),
        Row("transformer.h.{}.ln_1.weight", "ln_1", WEIGHT, layers, (width,)),
        Row("transformer.h.{}.ln_1.bias", "ln_1", BIAS, norm_bias, (width,)),
        Row("transformer.h.{}.attn.c_attn.weight", "attn.c_attn", WEIGHT, layers, (width, width + 2 * width)),
        Row("transformer.h.{}.attn.c_attn.bias", "attn.c_attn", BIAS, qkv_bias, (width + 2 * width,)),
        Row("transformer.h.{}.attn.c_proj.weight", "attn.c_proj", WEIGHT, layers, (width, width)),
        Row("transformer.h.{}.attn.c_proj.bias", "attn.c_proj", BIAS, linear_bias, (width,)),
        Row("transformer.h.{}.ln_2.weight", "ln_2", WEIGHT, layers, (width,)),
        Row("transformer.h.{}.ln_2.bias", "ln_2", BIAS, norm_bias, (width,)),
        Row("transformer.h.{}.crossattention.c_attn.weight", "crossattention.c_attn", WEIGHT, layers * crossed, (width, 2 * width)),
        Row("transformer.h.{}.crossattention.c_attn.bias", "crossattention.c_attn", BIAS, qkv_bias * crossed, (2 * width,)),
        Row("transformer.h.{}.crossattention.q_attn.weight", "crossattention.q_attn", WEIGHT, layers * crossed, (width, width)),
        Row("transformer.h.{}.crossattention.q_attn.bias", "crossattention.q_attn", BIAS, qkv_bias * crossed, (width,)),
        Row("transformer.h.{}.crossattention.c_proj.weight", "crossattention.c_proj", WEIGHT, layers * crossed, (width, width)),
        Row("transformer.h.{}.crossattention.c_proj.bias", "crossattention.c_proj", BIAS, linear_bias * crossed, (width,)),
        Row("transformer.h.{}.ln_cross_attn.weight", "ln_cross_attn", WEIGHT, layers * crossed, (width,)),
        Row("transformer.h.{}.ln_cross_attn.bias", "ln_cross_attn", BIAS, norm_bias * crossed, (width,)),
        Row("transformer.h.{}.mlp.c_fc.weight", "mlp.c_fc", WEIGHT, layers, (width, inner)),
        Row("transformer.h.{}.mlp.c_fc.bias", "mlp.c_fc", BIAS, linear_bias, (inner,)),
        Row("transformer.h.{}.mlp.c_proj.weight", "mlp.c_proj", WEIGHT, layers, (inner, width)),
        Row("transformer.h.{}.mlp.c_proj.bias", "mlp.c_proj", BIAS, linear_bias, (width,)),
        Row("transformer.ln_f.weight", "ln_f", WEIGHT, 1, (width,)),
        Row("transformer.ln_f.bias", "ln_f", BIAS, x.bias, (width,)),
        Row("lm_head.weight", "lm_head", WEIGHT, own_head, (x.vocab_size, width)),
        Row("multiple_choice_head.summary.weight", "multiple_choice_head.summary", WEIGHT, choice, (choices, width)),
        Row("multiple_choice_head.summary.bias", "multiple_choice_head.summary", BIAS, choice, (choices,)),
        Row("score.weight", "score", WEIGHT, x.score, (x.num_labels, width)),
        Row("classifier.weight", "classifier", WEIGHT, x.classifier, (x.num_labels, width)),
        Row("classifier.bias", "classifier", BIAS, x.classifier, (x.num_labels,)),
        Row("qa_outputs.weight", "qa_outputs", WEIGHT, x.qa_outputs, (2, width)),
        Row("qa_outputs.bias", "qa_outputs", BIAS, x.qa_outputs, (2,)),
    )


def numel(x: Dims, *, component: str | None = None, role: str | None = None, rank: int | None = None, in_block: bool = False) -> int:
    """Return the sum of `numel()` over the tensors that fit all that is asked.

    Args:
        x: dims, as for `table`.
        component: only this component's tensors.
        role: only `"weight"` or only `"bias"`.
        rank: only tensors with this many dimensions.
        in_block: only tensors that stand in a block.

    Returns:
        The number of elements, by listing shapes; no closed form is used.

    >>> from gpt2calc.presets import load
    >>> numel(load("gpt2").dims, rank=2, in_block=True)
    84934656
    """
    return sum(
        row.times * prod(row.shape)
        for row in table(x)
        if component in (None, row.component)
        and role in (None, row.role)
        and rank in (None, len(row.shape))
        and (row.in_block or not in_block)
    )


def size(x: Dims) -> int:
    """Return how many tensors the model has, without listing them.

    >>> from gpt2calc.presets import load
    >>> size(load("gpt2").dims)
    148
    """
    return sum(row.times for row in table(x))


def listing(x: Dims) -> Iterator[Tensor]:
    """Yield every tensor of a model, named, shaped and ordered as `named_parameters()` gives them.

    Args:
        x: dims of Python ints.

    Yields:
        The tensors; a tied `lm_head.weight` is not among them, since it is `wte.weight`.

    >>> from gpt2calc.presets import load
    >>> next(listing(load("gpt2").dims))
    Tensor(name='transformer.wte.weight', shape=(50257, 768), component='wte', role='weight')
    """
    bare = not (x.lm_head or x.score or x.classifier or x.qa_outputs)
    present = [row for row in table(x) if row.times]
    for in_block, rows in groupby(present, key=lambda row: row.in_block):
        repeated = tuple(rows)
        for block in range(x.n_layer) if in_block else (0,):
            for row in repeated:
                name = row.template.format(block)
                yield Tensor(name.removeprefix("transformer.") if bare else name, row.shape, row.component, row.role)
