"""The yardstick of `gpt2calc count --n-layer 24`: a process that defines one pydantic model, fills it once and ends."""

from pydantic import BaseModel, Field


class Sizes(BaseModel):
    """The sizes of a GPT-2."""

    n_layer: int = Field(ge=1)
    n_embd: int = Field(ge=1)
    n_head: int = Field(ge=1)
    n_positions: int = Field(ge=1)
    vocab_size: int = Field(ge=1)
    n_inner: int = Field(ge=1)


Sizes(n_layer=24, n_embd=768, n_head=12, n_positions=1024, vocab_size=50257, n_inner=3072)
