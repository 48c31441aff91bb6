"""What is met in names whoever gave them: words of training tools within them, names of old releases, known companions.

A row each, with where it is read. It must not know a model, a shape or a dialect.
"""

from __future__ import annotations

import re
from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection

WORDS = ("_fsdp_wrapped_module", "_checkpoint_wrapped_module", "_orig_mod")
IN_BLOCK = re.compile(r"\.\d+\.")
INSIDE = re.compile(rf"(?<=\.)(?:{'|'.join(WORDS)})\.")
"""What FSDP, activation checkpointing and torch.compile put before the names of each module that they wrap.
pytorch/pytorch: torch/distributed/fsdp/_common_utils.py, torch/distributed/algorithms/_checkpoint/
checkpoint_wrapper.py and torch/_dynamo/eval_frame.py.
"""

MOST_WORDS = 8
"""How many of them a prefix is looked for after."""

RENAMED = {
    "lm_head.decoder.weight": "lm_head.weight",
    "multiple_choice_head.linear.weight": "multiple_choice_head.summary.weight",
    "multiple_choice_head.linear.bias": "multiple_choice_head.summary.bias",
}
"""Names of old releases, and what they were renamed to. huggingface/transformers, pytorch_pretrained_bert up to 0.6:
modeling_gpt2.py and modeling_openai.py, GPT2LMHead and GPT2MultipleChoiceHead."""

OLD_NAME = re.compile(rf"(?:.*\.)?({'|'.join(map(re.escape, RENAMED))})", re.DOTALL)

VALUE_HEAD, EXTRA_STATE, POSITIONS = "a value head", "states of Transformer Engine", "numbers of positions"
BESIDE = {
    VALUE_HEAD: re.compile(r"(?:.*\.)?v_head\..+", re.DOTALL),
    EXTRA_STATE: re.compile(r"(?:.*\.)?_extra_state", re.DOTALL),
    POSITIONS: re.compile(r"(?:.*\.)?position_ids", re.DOTALL),
}
EXAMPLES = {
    VALUE_HEAD: "v_head.summary.weight",
    EXTRA_STATE: "decoder.layers.0.mlp.linear_fc1._extra_state",
    POSITIONS: "position_ids",
}
"""Tensors that stand beside any model, and what they are. huggingface/trl, trl/models/modeling_value_head.py, and
CarperAI/trlx, trlx/models/modeling_ppo.py; NVIDIA/TransformerEngine, transformer_engine/pytorch/module/base.py;
huggingface/transformers up to 4.30, modeling_openai.py."""


MARKS = ("v_head.", "_extra_state", "position_ids")
"""What such a name has in it."""


def respelled(names: Collection[str]) -> dict[str, str]:
    """Return the names that are spelt otherwise today, without words of training tools within them, each with that.

    What half of the names or more begin with, before the number of any block, is a prefix, and stays; a name that would
    then be two tensors' stays as it is.

    >>> names = ["_orig_mod.wte.weight", "_orig_mod.h.0._orig_mod.ln_1.weight", "_orig_mod.lm_head.decoder.weight"]
    >>> respelled(names)["_orig_mod.lm_head.decoder.weight"]
    '_orig_mod.lm_head.weight'
    >>> respelled(names)["_orig_mod.h.0._orig_mod.ln_1.weight"]
    '_orig_mod.h.0.ln_1.weight'
    """
    if not any("._" in name or name.endswith(tuple(RENAMED)) for name in names):
        return {}
    median = sorted(names)[len(names) // 2]  # what half of the names begin with, this one does
    begins = [
        median[: word.end()]
        for word in islice(INSIDE.finditer(median), MOST_WORDS)
        if not IN_BLOCK.search(median, 0, word.start())
    ]
    begins = [each for each in begins if 2 * sum(name.startswith(each) for name in names) >= len(names)]
    taken, found = set(names), dict[str, str]()
    for name in names:
        new = name
        if "._" in name:
            kept = next((len(each) - 1 for each in reversed(begins) if name.startswith(each)), 0)
            first, *parts = name[kept:].split(".")
            new = ".".join((name[:kept] + first, *(each for each in parts[:-1] if each not in WORDS), *parts[-1:]))
        if new.endswith(tuple(RENAMED)) and (old := OLD_NAME.fullmatch(new)):
            new = new[: old.start(1)] + RENAMED[old[1]]
        if new not in taken:
            taken.add(new)
            found[name] = new
    return found


def beside(name: str) -> str:
    """Return what a tensor is that stands beside any model; "" where it is none that is known.

    >>> beside("v_head.summary.weight"), beside("transformer.wte.weight")
    ('a value head', '')
    """
    if not any(mark in name for mark in MARKS):  # as in nearly all names
        return ""
    return next((what for what, pattern in BESIDE.items() if pattern.fullmatch(name)), "")
