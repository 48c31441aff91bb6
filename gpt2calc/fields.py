"""The fields of a config: everything that is known of a field stands here, a row each, and nowhere else.

What is drawn from it: the options and their help, completion, the docs, the rules of the page, and what is checked
without pydantic. `config.Config` states the same as types, and the tests hold the two against each other. It must not
know what a formula makes of a field, nor which keys of a config are no fields: those are `dims` and `spellings`.
"""

from __future__ import annotations

from gpt2calc.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SIZE, SWITCH, WORD = "size", "switch", "word"
"""What a field holds: a whole number, true or false, or one of its words."""

REFUSED, ABSENT = "refused", "absent"
"""What None is: an error, or the same as no value; it can be one of the field's words, too."""

OURS = "gpt2calc"
"""The key under which the file of a model that ships keeps what is no field: its aliases, its source."""


class Field(NamedTuple):
    """One field of a config.

    Args:
        name: its canonical name, which is transformers' where transformers has such a field.
        kind: SIZE, SWITCH or WORD.
        default: its value where none is given; None where a law gives one, or where there is none.
        help: what it is, in a few words.
        letter: what stands for it where a formula is written.
        spellings: the other names that it answers to.
        mapped: that one of them which transformers sets after the native name, and which so wins over it.
        in_transformers: whether transformers has a field of this name, or builds what it says.
        least: the least that a size can be.
        law: what is counted where no value is given, of other fields.
        null: what None is.
        words: what a word can be.
        classes: transformers' classes for these words, which are taken as well.
        of_head: whether it says something of a task head, and not of the body.
    """

    name: str
    kind: str
    default: int | bool | str | None
    help: str
    letter: str = ""
    spellings: tuple[str, ...] = ()
    mapped: str = ""
    in_transformers: bool = True
    least: int = 1
    law: str = ""
    null: str = REFUSED
    words: tuple[str, ...] = ()
    classes: tuple[str, ...] = ()
    of_head: bool = False

    @property
    def read_by_transformers(self) -> tuple[str, ...]:
        """The spellings that transformers reads, the one that wins first."""
        return (self.mapped, self.name) if self.mapped else (self.name,)

    @property
    def said(self) -> str:
        """What it is, with its letter."""
        return f"{self.letter}, {self.help}" if self.letter else self.help

    @property
    def expected(self) -> str:
        """What a value must be, as an error says it."""
        if self.kind == SIZE:
            return f"a whole number, {self.least} or more"
        return "true or false" if self.kind == SWITCH else f"one of {', '.join(self.words)}"

    def takes(self, value: object) -> bool:
        """Whether a value of Python's own types is one of this field; a class of transformers is a word by then.

        >>> FIELDS["n_layer"].takes(0), FIELDS["n_embd"].takes(0), FIELDS["n_embd"].takes(True)
        (True, False, False)
        """
        if type(value) is int:
            return self.kind == SIZE and value >= self.least
        if value is None:
            return self.null == ABSENT
        return type(value) is bool if self.kind == SWITCH else type(value) is str and value in self.words


_TABLE = (
    # Spellings: transformers' attribute_map; OpenAI's hparams.json; Cerebras, Megatron-LM, Raschka, nanochat,
    # keras-hub, llm.c. Defaults and what a mapped name does: transformers 5.23, configuration_gpt2.py.
    Field(
        "n_layer",
        SIZE,
        12,
        "blocks",
        letter="L",
        spellings=("num_hidden_layers", "n_layers", "num_layers", "layers", "depth"),
        mapped="num_hidden_layers",
        least=0,
    ),
    Field(
        "n_embd",
        SIZE,
        768,
        "width",
        letter="d",
        spellings=(
            *("hidden_size", "d_model", "n_embed", "emb_dim", "embed_dim", "embedding_dim", "hidden_dim", "channels"),
        ),
        mapped="hidden_size",
    ),
    Field(
        "n_head",
        SIZE,
        None,
        "attention heads; changes no count",
        spellings=("num_attention_heads", "n_heads", "num_heads", "heads"),
        mapped="num_attention_heads",
        null=ABSENT,
    ),
    Field(
        "n_positions",
        SIZE,
        1024,
        "longest sequence in tokens",
        letter="T",
        spellings=(
            *("max_position_embeddings", "n_ctx", "block_size", "context_length", "context_size", "max_seq_len"),
            *("max_seq_length", "max_sequence_length", "sequence_len", "seq_length", "seq_len"),
        ),
        mapped="max_position_embeddings",
    ),
    Field(
        "vocab_size",
        SIZE,
        50257,
        "tokens",
        letter="V",
        spellings=("vocab", "n_vocab", "vocabulary_size", "d_vocab"),
    ),
    Field(
        "n_inner",
        SIZE,
        None,
        "width of the MLP",
        letter="m",
        spellings=("d_ff", "d_mlp", "ffn_hidden_size", "ffn_dim", "intermediate_dim", "filter_size"),
        least=0,
        law="4 * n_embd",
        null=ABSENT,
    ),
    Field(
        "tie_word_embeddings",
        SWITCH,
        True,
        "lm_head shares the matrix of wte",
        spellings=("tied", "tie_embeddings", "tie_weights", "share_embedding_weights"),
    ),
    Field(
        "add_cross_attention",
        SWITCH,
        False,
        "each block attends to an encoder as well",
        spellings=("cross_attention",),
    ),
    Field(
        "bias",
        SWITCH,
        True,
        "nanoGPT's switch: biases in linear layers and LayerNorm",
        in_transformers=False,
    ),
    Field(
        "qkv_bias",
        SWITCH,
        None,
        "Raschka's switch: biases of queries, keys and values",
        in_transformers=False,
        law="bias",
        null=ABSENT,
    ),
    Field(
        "ln_f",
        SWITCH,
        True,
        "a LayerNorm after the last block, which GPT-1 does not have",
        spellings=("final_layer_norm",),
        in_transformers=False,
    ),
    Field(
        "pad_vocab_size_multiple",
        SIZE,
        None,
        "round vocab_size up to a multiple of this",
        spellings=("pad_vocab", "pad_to_multiple_of", "padding_multiple", "make_vocab_size_divisible_by"),
        in_transformers=False,
        null=ABSENT,
    ),
    Field(
        "head",
        WORD,
        "lm",
        "what stands on the body",
        spellings=("model_head",),
        null="none",
        words=(
            *("none", "lm", "double_heads", "sequence_classification", "token_classification", "question_answering"),
        ),
        classes=(
            *("GPT2Model", "GPT2LMHeadModel", "GPT2DoubleHeadsModel", "GPT2ForSequenceClassification"),
            *("GPT2ForTokenClassification", "GPT2ForQuestionAnswering"),
        ),
    ),
    Field(
        "num_labels",
        SIZE,
        2,
        "labels of a classification head",
        letter="k",
        spellings=("n_labels",),
        least=0,
        of_head=True,
    ),
    Field(
        "summary_type",
        WORD,
        "cls_index",
        "how double_heads sums a sequence up, which changes no count",
        words=("cls_index", "last", "first", "mean"),
        of_head=True,
    ),
    Field("summary_use_proj", SWITCH, True, "double_heads projects the summary", of_head=True),
    Field(
        "summary_proj_to_labels",
        SWITCH,
        True,
        "double_heads projects the summary to one label, else to n_embd",
        of_head=True,
    ),
)

FIELDS: dict[str, Field] = {row.name: row for row in _TABLE}
"""Every field under its canonical name, in the order in which they are listed and told."""

SPELLINGS: dict[str, tuple[str, ...]] = {row.name: row.spellings for row in _TABLE}
"""Each field in its canonical spelling, with the other spellings it answers to."""

CANONICAL: dict[str, str] = {spelling: row.name for row in _TABLE for spelling in (row.name, *row.spellings)}
"""Each spelling with the field it means."""

CLASSES: dict[str, str] = {name: word for row in _TABLE for name, word in zip(row.classes, row.words, strict=False)}
"""The model classes of transformers' GPT-2, each with its head."""

SWITCHES = frozenset(row.name for row in _TABLE if row.kind == SWITCH)
WORDS = frozenset(row.name for row in _TABLE if row.kind == WORD)
"""The fields that are no numbers."""

SIZES = tuple(row.name for row in _TABLE if row.letter and not row.of_head)
"""The sizes of the body."""

DEFAULTS: dict[str, int] = {name: default for name in SIZES if isinstance(default := FIELDS[name].default, int)}
"""The sizes that every model has, with what is counted where one is not given; no law gives them."""

LEAST: dict[str, int] = {name: FIELDS[name].least for name in (*DEFAULTS, "n_head")}
"""The least of each of them, and of n_head: of most models no other field is given."""


def called(model: str, changes: Mapping[str, object]) -> str:
    """Return what a model is called once fields were put over its own.

    >>> called("gpt2", {"n_layer": 24, "bias": False})
    'gpt2 with n_layer=24, bias=False'
    """
    return f"{model} with {', '.join([f'{field}={value}' for field, value in changes.items()])}" if changes else model
