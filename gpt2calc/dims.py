"""What a formula may read of a model: its sizes, and its structure as flags that are 0 or 1.

Nothing else reaches `formulas` and `tensor_table`: no names, no optional values, no text. Whatever multiplies and
adds can stand in for a size: Python ints, numpy int64 arrays, sympy symbols, the letters of `algebra.Expression`.
"""

from __future__ import annotations

from gpt2calc.algebra import Expression, Flag
from gpt2calc.errors import ConfigError
from gpt2calc.fields import DEFAULTS, FIELDS
from gpt2calc.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    from gpt2calc.model import Model


class Dims(NamedTuple):
    """The sizes and the structure of one GPT-2-shaped model; see `from_fields` for how people's words become it."""

    n_layer: int
    n_embd: int
    n_positions: int
    vocab_size: int  # rows of wte, padding included
    n_inner: int
    num_labels: int

    tie_word_embeddings: int
    add_cross_attention: int
    bias: int  # of the linear layers (c_attn apart) and of every LayerNorm in the body
    qkv_bias: int  # of the projections to queries, keys and values
    ln_f: int  # the LayerNorm after the last block, which GPT-1 does not have
    lm_head: int
    multiple_choice_head: int
    summary_use_proj: int
    summary_proj_to_labels: int
    score: int
    classifier: int
    qa_outputs: int

    @property
    def sizes(self) -> tuple[int, ...]:
        """The sizes alone, in the order of `LETTERS`."""
        return self[:6]

    @property
    def structure(self) -> tuple[int, ...]:
        """The flags alone: two models with the same structure share their formulas."""
        return self[6:]


LETTERS = {name: FIELDS[name].letter for name in Dims._fields[:6]}
"""The letter that stands for each size where a formula is written."""

LETTERED = Dims(*(Expression.letter(LETTERS.get(name) or Flag(name)) for name in Dims._fields))  # type: ignore[arg-type]  # letters stand in for numbers
"""Every size as its letter and every flag as its name, from which each formula that is shown or compiled is made."""


def letters(structure: tuple[int, ...]) -> Dims:
    """Return dims of this structure whose sizes are letters.

    >>> letters(EVERYTHING.structure).n_inner
    m
    """
    return Dims(*LETTERED.sizes, *structure)


EVERYTHING = letters((1,) * len(LETTERED.structure))._replace(tie_word_embeddings=0)
"""Every component that a GPT-2 can have, with letters for the sizes; no one model has them all."""


def symbols(dims: Dims) -> Dims:
    """Return dims of the same structure whose sizes are letters; m is written 4d where it is that.

    >>> symbols(from_fields({"n_layer": 12, "n_embd": 768, "n_positions": 1024, "vocab_size": 50257})).n_inner
    4d
    """
    named = letters(dims.structure)
    return named._replace(n_inner=4 * named.n_embd) if dims.n_inner == 4 * dims.n_embd else named


TASK_HEADS: dict[str, tuple[str, ...]] = {
    "none": (),
    "lm": ("lm_head",),
    "double_heads": ("lm_head", "multiple_choice_head"),
    "sequence_classification": ("score",),
    "token_classification": ("classifier",),
    "question_answering": ("qa_outputs",),
}
"""The model heads of transformers' GPT-2 (modeling_gpt2.py), each with the modules it puts on the body."""


MODULES = ("lm_head", "multiple_choice_head", "score", "classifier", "qa_outputs")
"""The modules that heads are made of, each a flag of `Dims`."""

_MODULES_OF = {head: tuple(int(module in modules) for module in MODULES) for head, modules in TASK_HEADS.items()}


def from_fields(fields: Mapping[str, Any]) -> Dims:
    """Turn valid fields, in their canonical spelling, into dims; `config.Config` is what makes fields valid.

    Law: n_inner is 4·n_embd unless given; qkv_bias follows bias unless given; vocab_size is rounded up to a multiple
    of pad_vocab_size_multiple; GPT2DoubleHeadsModel sets num_labels to 1.

    Args:
        fields: n_layer, n_embd, n_positions and vocab_size, and any other field of `config.Config`.

    Returns:
        The dims; every flag is the integer 0 or 1.

    Source: transformers 5.23, modeling_gpt2.py (GPT2Block, GPT2SequenceSummary, GPT2DoubleHeadsModel).

    >>> from_fields({"n_layer": 12, "n_embd": 768, "n_positions": 1024, "vocab_size": 50257}).n_inner
    3072
    """
    get = fields.get
    n_inner, qkv_bias = get("n_inner"), get("qkv_bias")
    bias, head = int(get("bias", True)), get("head", "lm")
    lm_head, multiple_choice_head, score, classifier, qa_outputs = _MODULES_OF[head]
    multiple = get("pad_vocab_size_multiple") or 1
    n_layer, n_embd, n_positions, vocab_size, usual, labels = sizes_of(fields)
    return Dims(
        n_layer,
        n_embd,
        n_positions,
        -(-vocab_size // multiple) * multiple,
        usual if n_inner is None else n_inner,
        1 if head == "double_heads" else get("num_labels", labels),
        int(get("tie_word_embeddings", True)),
        int(get("add_cross_attention", False)),
        bias,
        bias if qkv_bias is None else int(qkv_bias),
        int(get("ln_f", True)),
        lm_head,
        multiple_choice_head,
        int(get("summary_use_proj", True)),
        int(get("summary_proj_to_labels", True)),
        score,
        classifier,
        qa_outputs,
    )


def sizes_of(fields: Mapping[str, Any]) -> tuple[int, ...]:
    """Return the sizes of a model of which no others are given than those of `fields.LEAST`, in the order of `LETTERS`.

    >>> sizes_of({"n_layer": 24})
    (24, 768, 1024, 50257, 3072, 2)
    """
    get = fields.get
    d = get("n_embd", _WIDTH)
    return get("n_layer", _LAYERS), d, get("n_positions", _POSITIONS), get("vocab_size", _TOKENS), 4 * d, _LABELS


_LABELS = 2
_LAYERS, _WIDTH, _POSITIONS, _TOKENS = map(DEFAULTS.__getitem__, ("n_layer", "n_embd", "n_positions", "vocab_size"))
UNSAID = from_fields(DEFAULTS).structure
"""The structure of a model of which nothing but sizes is given."""


def to_fields(dims: Dims) -> dict[str, Any]:
    """Return the fields that give these dims, in their canonical spelling: the inverse of `from_fields`.

    >>> fields = to_fields(from_fields({"n_layer": 12, "n_embd": 768, "n_positions": 1024, "vocab_size": 50257}))
    >>> fields["head"], fields["n_inner"]
    ('lm', 3072)
    """
    switches = [name for name in Dims._fields if name not in (*LETTERS, *MODULES)]
    sizes = dict(zip(LETTERS, dims.sizes, strict=True))
    return {**sizes, "head": head_of(dims), **{switch: bool(getattr(dims, switch)) for switch in switches}}


def head_of(dims: Dims) -> str:
    """Return which of transformers' heads stands on the body; "" where none of them has these modules."""
    own = tuple(getattr(dims, module) for module in MODULES)
    return next((name for name, modules in _MODULES_OF.items() if modules == own), "")


def config_of(counted: Dims | Model) -> dict[str, Any]:
    """Return the config that gives a model: a GPT-2's fields, or the config.json of another architecture."""
    return to_fields(counted) if isinstance(counted, Dims) else counted.document()


def dims_of(counted: Dims | Model, name: str) -> Dims:
    """Return dims, which only a GPT-2 has.

    Raises:
        ConfigError: the model is of another architecture.
    """
    if isinstance(counted, Dims):
        return counted
    model_type = counted.architecture.model_type
    raise ConfigError(f"{name} is a {model_type}, and this question is for GPT-2-shaped models alone so far")
