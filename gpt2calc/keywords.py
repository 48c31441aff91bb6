"""`Fields`: the keywords of `count` and the others as types, so that editors complete them and checkers know a slip.

Nothing is read from here when a program runs. The tests hold the keywords against the table of `fields`.
"""

from __future__ import annotations

from typing import Any, Generic, SupportsIndex, TypedDict, TypeVar

Size = TypeVar("Size")
SizeOrNone = TypeVar("SizeOrNone")
Switch = TypeVar("Switch")
SwitchOrNone = TypeVar("SwitchOrNone")
Word = TypeVar("Word")
WordOrNone = TypeVar("WordOrNone")


class Keywords(TypedDict, Generic[Size, SizeOrNone, Switch, SwitchOrNone, Word, WordOrNone], total=False):
    """Every field in every spelling, of what a kind of field holds: one value, or several as in a sweep."""

    n_layer: Size
    num_hidden_layers: Size
    n_layers: Size
    num_layers: Size
    layers: Size
    depth: Size

    n_embd: Size
    hidden_size: Size
    d_model: Size
    n_embed: Size
    emb_dim: Size
    embed_dim: Size
    embedding_dim: Size
    hidden_dim: Size
    channels: Size

    n_head: SizeOrNone
    num_attention_heads: SizeOrNone
    n_heads: SizeOrNone
    num_heads: SizeOrNone
    heads: SizeOrNone

    n_positions: Size
    max_position_embeddings: Size
    n_ctx: Size
    block_size: Size
    context_length: Size
    context_size: Size
    max_seq_len: Size
    max_seq_length: Size
    max_sequence_length: Size
    sequence_len: Size
    seq_length: Size
    seq_len: Size

    vocab_size: Size
    vocab: Size
    n_vocab: Size
    vocabulary_size: Size
    d_vocab: Size

    n_inner: SizeOrNone
    d_ff: SizeOrNone
    d_mlp: SizeOrNone
    ffn_hidden_size: SizeOrNone
    ffn_dim: SizeOrNone
    intermediate_dim: SizeOrNone
    filter_size: SizeOrNone

    tie_word_embeddings: Switch
    tied: Switch
    tie_embeddings: Switch
    tie_weights: Switch
    share_embedding_weights: Switch

    add_cross_attention: Switch
    cross_attention: Switch

    bias: Switch

    qkv_bias: SwitchOrNone

    ln_f: Switch
    final_layer_norm: Switch

    pad_vocab_size_multiple: SizeOrNone
    pad_vocab: SizeOrNone
    pad_to_multiple_of: SizeOrNone
    padding_multiple: SizeOrNone
    make_vocab_size_divisible_by: SizeOrNone

    head: WordOrNone
    model_head: WordOrNone

    num_labels: Size
    n_labels: Size

    summary_type: Word

    summary_use_proj: Switch

    summary_proj_to_labels: Switch


class Fields(
    Keywords[SupportsIndex, "SupportsIndex | None", bool, "bool | None", str, "str | None"],
    total=False,
):
    """The fields of one model, in any spelling: `def mine(**fields: Unpack[gpt2calc.Fields])`.

    Sizes are whole numbers, numpy's too; a field that may be None is as if it were not given.
    """


class Ranges(Keywords[Any, Any, Any, Any, Any, Any], total=False):
    """Fields that may have several values: in lists, ranges, arrays, or in words as the command line takes them."""
