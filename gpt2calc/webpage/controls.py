"""What the page asks for: a row for each field of a config, with how it is set and a hint in a few words.

Only how a field is shown stands here. What a value may be is `config`'s, and what it means `dims`'.
"""

from __future__ import annotations

from typing import NamedTuple

SIZE, SWITCH, CHOICE, NUMBER = "size", "switch", "choice", "number"


class Control(NamedTuple):
    """One field as the page shows it.

    Args:
        field: its canonical name.
        kind: a size with a slider, a number alone, a switch, or a choice among words.
        hint: what it is, in a few words.
        low, high: where its slider begins and ends; a number that is typed may lie beyond.
        step: what a slider's numbers are multiples of; 0 where each number between can be had.
        empty: what an empty number field means; nothing where it may not be empty.
    """

    field: str
    kind: str
    hint: str
    low: int = 0
    high: int = 0
    step: int = 0
    empty: str = ""


CONTROLS = (
    Control("n_layer", SIZE, "L, blocks", 1, 128),
    Control("n_embd", SIZE, "d, width", 64, 16384, 64),
    Control("n_positions", SIZE, "T, longest sequence in tokens", 64, 131072, 64),
    Control("vocab_size", SIZE, "V, tokens", 256, 262144),
    Control("n_inner", SIZE, "m, width of the MLP", 64, 65536, 64, "4·d"),
    Control("n_head", SIZE, "attention heads; changes no count", 1, 128, 0, "not given"),
    Control("tie_word_embeddings", SWITCH, "lm_head shares the matrix of wte"),
    Control("bias", SWITCH, "linear layers and LayerNorm have biases"),
    Control("qkv_bias", SWITCH, "queries, keys and values have biases"),
    Control("add_cross_attention", SWITCH, "each block attends to an encoder as well"),
    Control("ln_f", SWITCH, "a last LayerNorm stands on the body"),
    Control("head", CHOICE, "what stands on the body"),
    Control("num_labels", NUMBER, "k, labels of a classification head"),
    Control("summary_use_proj", SWITCH, "double_heads projects the summary"),
    Control("summary_proj_to_labels", SWITCH, "to one label, else to n_embd"),
    Control("pad_vocab_size_multiple", NUMBER, "round vocab_size up to a multiple of this", empty="not padded"),
)
"""The controls in the order that they are shown; `summary_type` alone has none, since no count depends on it."""
