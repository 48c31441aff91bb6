"""`Config`: the border where what people type is checked. The only file that imports pydantic.

Whatever the spelling, one frozen object comes out, in GPT-2's own spelling, or one sentence that says what is wrong.
"""

from __future__ import annotations

import operator
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal, get_args

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gpt2calc import unread
from gpt2calc.dims import HEADS, Dims, from_fields
from gpt2calc.documents import read_head, refuse_other_models
from gpt2calc.errors import ConfigError, closest, pair, shortened, shown
from gpt2calc.spellings import (
    CANONICAL,
    CLASSES,
    NO_COUNT,
    NOT_READ,
    SPELLINGS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

DIGITS = 1000
"""Sizes have at most this many digits, so that every count stays below the 4,300 that Python prints by default."""

TOO_LARGE = 10**DIGITS

Size = Annotated[int, Field(ge=1)]
Number = Annotated[int, Field(ge=0)]
Head = Literal["none", "lm", "double_heads", "sequence_classification", "token_classification", "question_answering"]
SummaryType = Literal["cls_index", "last", "first", "mean"]


class Config(BaseModel):
    """One GPT-2-shaped model, as people describe it. Every field has transformers' default, and any spelling is taken.

    Args:
        n_layer: L, the number of blocks.
        n_embd: d, the width.
        n_head: attention heads; no count depends on it, but it must divide n_embd when given.
        n_positions: T, the longest sequence, in tokens.
        vocab_size: V, the number of tokens.
        n_inner: m, the width of the MLP; 4·n_embd unless given.
        tie_word_embeddings: whether lm_head shares the matrix of wte.
        add_cross_attention: whether each block attends to an encoder as well.
        bias: nanoGPT's switch: whether linear layers and LayerNorm have biases.
        qkv_bias: Raschka's switch: whether queries, keys and values have biases; as `bias` unless given.
        ln_f: whether a LayerNorm stands after the last block; GPT-1 has none.
        pad_vocab_size_multiple: round vocab_size up to a multiple of this.
        head: what stands on the body: none, lm, double_heads, sequence_classification, token_classification or
            question_answering; a class name of transformers is taken too.
        num_labels: k, the labels of a classification head.
        summary_type, summary_use_proj, summary_proj_to_labels: the second head of double_heads.

    Raises:
        ConfigError: a field is unknown or out of range, or two spellings disagree.

    Source: transformers 5.23, configuration_gpt2.py; karpathy/nanoGPT, model.py; rasbt/LLMs-from-scratch, ch04.

    >>> Config(n_layer=48, hidden_size=1600, block_size=1024, vocab=50257).dims.n_inner
    6400
    """

    name: ClassVar[str] = "config"
    notes: ClassVar[tuple[str, ...]] = ()
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    n_layer: Number = 12
    n_embd: Size = 768
    n_head: Size | None = None
    n_positions: Size = 1024
    vocab_size: Size = 50257
    n_inner: Number | None = None
    tie_word_embeddings: bool = True
    add_cross_attention: bool = False
    bias: bool = True
    qkv_bias: bool | None = None
    ln_f: bool = True
    pad_vocab_size_multiple: Size | None = None
    head: Head = "lm"
    num_labels: Number = 2
    summary_type: SummaryType = "cls_index"
    summary_use_proj: bool = True
    summary_proj_to_labels: bool = True

    def __init__(self, /, **fields: Any) -> None:
        try:
            super().__init__(**canonical(fields))
        except ValidationError as error:
            raise _explained(error) from None
        for name, value in self.__dict__.items():
            if isinstance(value, int) and value >= TOO_LARGE:
                raise ConfigError(f"{name} must have at most {DIGITS} digits", field=name)
        if self.n_head and self.n_embd % self.n_head:
            raise ConfigError(_does_not_divide(self.n_head, self.n_embd), field="n_head", got=self.n_head)

    @property
    def given(self) -> dict[str, Any]:
        """The fields that were given, in canonical spelling."""
        return self.model_dump(exclude_unset=True)

    @cached_property
    def dims(self) -> Dims:
        """What the formulas read."""
        return from_fields(self.__dict__)

    def replace(self, **fields: Any) -> Config:
        """Return the same model with other fields, in any spelling, checked anew.

        >>> Config(n_layer=24).replace(d_model=1024).dims.n_inner
        4096
        """
        return Config(**self.given | canonical(fields))

    def to_dict(self) -> dict[str, Any]:
        """Return a Hugging Face-style config, in one spelling, without the fields that have their default.

        >>> Config(layers=24, head="GPT2Model").to_dict()["architectures"]
        ['GPT2Model']
        """
        sizes = ("vocab_size", "n_positions", "n_embd", "n_layer", "n_head", "n_inner")
        given = self.model_dump(exclude_defaults=True, exclude=set(sizes) | {"head"})
        architecture = next(name for name, head in CLASSES.items() if head == self.head)
        kept = {name: getattr(self, name) for name in sizes if name != "n_head" or self.n_head}
        return {"model_type": "gpt2", "architectures": [architecture], **kept, **given}


def canonical(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields in their canonical spelling, without those that no count depends on.

    Raises:
        ConfigError: a field is unknown, or two spellings of one field disagree.

    >>> canonical({"block_size": 1024, "vocab": 50257, "dropout": 0.1})
    {'n_positions': 1024, 'vocab_size': 50257}
    """
    refuse_other_models(fields)
    found: dict[str, Any] = {}
    spelled: dict[str, str] = {}
    for name, given in fields.items():
        field = CANONICAL.get(name)
        if field is None:
            _refuse_unknown(name, given, fields)
            continue
        value = _whole(given)
        if field == "head":
            value = CLASSES.get(value, value) if isinstance(value, str) else "none" if value is None else value
        if field in found and not _same(found[field], value):
            first = spelled[field]
            what = f"{pair(first, fields[first])} and {pair(name, given)}"
            raise ConfigError(f"{what} disagree: both mean {field}; give one of them", field=field, got=given)
        found[field] = value
        spelled[field] = name
    read_head(fields, found)
    return found


def _refuse_unknown(name: str, given: object, fields: Mapping[str, Any]) -> None:
    """Raise for a field that means nothing here, or is no GPT-2's; pass over one that changes no count."""
    unread.refuse_pruned(name, given)
    if problem := unread.gating(name, given):
        raise ConfigError(problem, field=name, got=given)
    meant = NOT_READ.get(name)
    if name in NO_COUNT or (meant and meant in map(CANONICAL.get, fields)):
        return
    if meant:
        raise ConfigError(f"GPT-2 does not read {name}: give {pair(meant, given)}", field=name, got=given)
    unread.refuse_nested(name, given, {})
    near = None if unread.is_foreign(name) else closest(name, tuple(CANONICAL))
    advice = f"did you mean {CANONICAL[near]}?" if near else f"known fields are {', '.join(SPELLINGS)}"
    raise ConfigError(f"there is no field {shortened(name)}: {advice}", field=name, got=given)


def _same(one: object, other: object) -> bool:
    try:
        return bool(one == other)
    except ValueError:  # arrays, which are no sizes of one model
        return False


def _whole(value: object) -> object:
    """Return an integer or a truth value of numpy as Python's; anything else as it came."""
    if type(value).__name__ in ("bool", "bool_") and hasattr(value, "item"):
        return value.item()
    if isinstance(value, (int, float, str)) or not hasattr(value, "__index__"):
        return value
    try:
        return operator.index(value)
    except TypeError:  # an array of many numbers has __index__ too
        return value


def _expected(field: str) -> str:
    """Say what a field takes, read off its own annotation."""
    info = Config.model_fields[field]
    summaries = ", ".join(get_args(SummaryType))
    words = {bool: "true or false", Head: "one of " + ", ".join(HEADS), SummaryType: f"one of {summaries}"}
    for annotation in (info.annotation, *get_args(info.annotation)):
        if annotation in words:
            return words[annotation]
    least = 0 if field in ("n_layer", "n_inner", "num_labels") else 1
    return f"a whole number, {least} or more"


def _explained(error: ValidationError) -> ConfigError:
    """Turn pydantic's report into one sentence about the first field that is wrong, and name the others."""
    first, *others = error.errors(include_url=False)
    field, got = str(first["loc"][0]), first["input"]
    message = f"{field} must be {_expected(field)}, got {shown(got)}"
    if others:
        message += f" (wrong as well: {', '.join(dict.fromkeys(str(other['loc'][0]) for other in others))})"
    return ConfigError(message, field=field, got=got)


def _does_not_divide(n_head: int, n_embd: int) -> str:
    below = n_embd - n_embd % n_head
    near = f"{below} or {below + n_head}" if below else f"{n_head}"
    return (
        f"n_head {n_head} must divide n_embd {n_embd}: give n_embd {near}, or another n_head, "
        "or leave n_head out, since no count depends on it"
    )
