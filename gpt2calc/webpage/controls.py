"""What the page asks for: a row for each field of a config, with how it is set.

Only how a field is shown stands here. What it is and what a value may be is in `fields`, and what it means in `dims`.
"""

from __future__ import annotations

from typing import NamedTuple

from gpt2calc import fields
from gpt2calc.fields import FIELDS

SIZE, SWITCH, CHOICE, NUMBER = "size", "switch", "choice", "number"


class Control(NamedTuple):
    """One field as the page shows it.

    Args:
        field: its canonical name.
        low, high: where its slider begins and ends, if it has one; a number that is typed may lie beyond.
        step: what a slider's numbers are multiples of; 0 where each number between can be had.
        absent: what an empty number field means where no law gives it; nothing where it may not be empty.
    """

    field: str
    low: int = 0
    high: int = 0
    step: int = 0
    absent: str = ""

    @property
    def kind(self) -> str:
        """A size with a slider, a number alone, a switch, or a choice among words."""
        kinds = {fields.SIZE: SIZE if self.high else NUMBER, fields.SWITCH: SWITCH, fields.WORD: CHOICE}
        return kinds[FIELDS[self.field].kind]

    @property
    def hint(self) -> str:
        """What it is, in a few words."""
        return FIELDS[self.field].said

    @property
    def empty(self) -> str:
        """What an empty number field means: the law of it, in letters, or what stands here."""
        row = FIELDS[self.field]
        law = " ".join(FIELDS[word].letter if word in FIELDS else word for word in row.law.split())
        return law.replace(" * ", "·") if row.kind == fields.SIZE and law else self.absent


CONTROLS = (
    Control("n_layer", 1, 128),
    Control("n_embd", 64, 16384, 64),
    Control("n_positions", 64, 131072, 64),
    Control("vocab_size", 256, 262144),
    Control("n_inner", 64, 65536, 64),
    Control("n_head", 1, 128, 0, "not given"),
    Control("tie_word_embeddings"),
    Control("bias"),
    Control("qkv_bias"),
    Control("add_cross_attention"),
    Control("ln_f"),
    Control("head"),
    Control("num_labels"),
    Control("summary_use_proj"),
    Control("summary_proj_to_labels"),
    Control("pad_vocab_size_multiple", absent="not padded"),
)
"""The controls in the order that they are shown; `summary_type` alone has none, since no count depends on it."""
