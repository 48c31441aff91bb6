"""`Config`: a GPT-2's fields as one typed, frozen object. The only file that imports pydantic.

Types, defaults and bounds are written out, for people's editors; the tests hold them against the table of `fields`.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gpt2calc.dims import Dims, from_fields
from gpt2calc.fields import CLASSES
from gpt2calc.validity import canonical, refusal, refuse_heads, refuse_large

if TYPE_CHECKING:
    from typing import Unpack

    from gpt2calc.keywords import Fields

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

    def __init__(self, /, **fields: Unpack[Fields]) -> None:
        try:
            super().__init__(**canonical(fields))
        except ValidationError as error:
            found = error.errors(include_url=False)
            raise refusal((str(each["loc"][0]) for each in found), found[0]["input"]) from None
        refuse_large(self.__dict__)
        refuse_heads(self.n_head, self.n_embd)

    @property
    def given(self) -> dict[str, Any]:
        """The fields that were given, in canonical spelling."""
        return self.model_dump(exclude_unset=True)

    @cached_property
    def dims(self) -> Dims:
        """What the formulas read."""
        return from_fields(self.__dict__)

    @property
    def counted(self) -> Dims:
        """The same, by the name that it has of whatever was read; without it, pydantic would be asked at length."""
        return self.dims

    def replace(self, **fields: Unpack[Fields]) -> Config:
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
