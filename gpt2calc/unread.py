"""What a config holds that no count reads: what is passed over, what has a note, and what is refused.

A key that may change a shape is not passed over in silence. It must not know which keys there are: that is `spellings`.
"""

from __future__ import annotations

import re
from numbers import Integral
from typing import TYPE_CHECKING, Any

from gpt2calc.errors import ConfigError, mistyped, pair, shortened
from gpt2calc.fields import CANONICAL, SIZES, SWITCHES, WORDS
from gpt2calc.spellings import (
    ACTIVATIONS,
    BODY_BIASES,
    FOREIGN,
    FOREIGN_FLOATS,
    LEARNED_ACTIVATIONS,
    NO_COUNT,
    NOT_READ,
    PLAIN_WORDS,
)

if TYPE_CHECKING:
    from collections.abc import Mapping

MOST_KEYS = 500
"""A config has at most this many keys that mean nothing here; the longest that is known has 60 of all kinds."""

MOST_NOTES, MOST_NAMED = 8, 3
"""How many keys of other architectures have a note of their own, and how many of all others are named in theirs."""

SUFFIX = r"_(dims?|size|width|count|num)$"
"""What people add to the name of a size."""

LONG_SIZES = tuple(name.replace("_", " ") for name, field in CANONICAL.items() if field in SIZES and "_" in name)
"""Spellings of sizes that have several words: a key that has these among its own, text_hidden_size, is a size too."""

FOREIGN_PHRASES = tuple(phrase.replace("_", " ") for phrase in sorted(FOREIGN))


def notes(document: Mapping[str, Any], fields: Mapping[str, Any]) -> tuple[list[str], list[str]]:
    """Look at all that a document of transformers holds and nobody reads.

    Law: a size or a structure of another architecture has a note of its own, and all that is left share one.

    Args:
        document: the document.
        fields: what was read of it, in canonical spelling.

    Returns:
        The notes that stand before all others, and those that stand behind.

    Raises:
        ConfigError: a key is a mistyped field or holds sizes within it, or heads are taken out of blocks.

    >>> notes({"num_experts": 8, "do_sample": True, "mood": "good"}, {})[0]
    ['num_experts=8 is not read by GPT-2: the count is of a GPT-2 without it']
    """
    if len(document.keys() - CANONICAL.keys() - NO_COUNT) > MOST_KEYS:
        raise ConfigError(f"expected a config, got an object with more than {MOST_KEYS} keys that no GPT-2 has")
    foreign: list[str] = []
    others: list[str] = []
    for name, value in document.items():
        refuse_pruned(name, value)
        if note := _note(name, value, fields):
            foreign.append(note)
        elif not (name in CANONICAL or name in NO_COUNT or name in NOT_READ or is_nothing(name, value)):
            near = meant(name, value)
            if near and not (near in fields and fields[near] == value):
                raise ConfigError(f"there is no field {shortened(name)}: did you mean {near}?", field=name, got=value)
            refuse_nested(name, value, fields)
            others.append(shortened(name))
    if len(foreign) > MOST_NOTES:
        foreign[MOST_NOTES:] = [f"{len(foreign) - MOST_NOTES} more fields of other architectures are not read by GPT-2"]
    more = f" and {len(others) - MOST_NAMED} more" if len(others) > MOST_NAMED else ""
    named = ", ".join(others[:MOST_NAMED])
    return foreign, [f"not read, as transformers' GPT-2 reads none of them: {named}{more}"] if others else []


def _note(name: str, value: object, fields: Mapping[str, Any]) -> str | None:
    """Return the note on a key that is a size or a structure of another architecture; None for any other."""
    if problem := gating(name, value):
        return f"{problem}; the count is of those"
    if name in CANONICAL or name in NO_COUNT:
        return None
    if near := NOT_READ.get(name):
        return None if value == fields.get(near) else f"{pair(name, value)} is not read by GPT-2; {near} is what counts"
    if is_nothing(name, value) or not (is_foreign(name, value) or (_is_whole(value) and _holds_a_size(name))):
        return None
    return f"{pair(name, value)} is not read by GPT-2: the count is of a GPT-2 without it"


def is_foreign(name: str, value: object = None) -> bool:
    """Whether a key, with such a value, is a size or a structure of an architecture that GPT-2 is not.

    >>> is_foreign("n_routed_experts"), is_foreign("kv_cache_dtype"), is_foreign("router_jitter", 0.01)
    (True, False, False)
    """
    words = _words(name)
    if " cache " in words or (isinstance(value, float) and not any(f" {word} " in words for word in FOREIGN_FLOATS)):
        return False
    return any(f" {phrase} " in words for phrase in FOREIGN_PHRASES)


def is_nothing(name: str, value: object) -> bool:
    """Whether a key is foreign, and its value says that there is no such thing, or that all is as in GPT-2.

    >>> is_nothing("num_experts", 1), is_nothing("position_embedding_type", "alibi"), is_nothing("mlp_bias", False)
    (True, False, False)
    """
    if not is_foreign(name):
        return False
    if name.lower() in BODY_BIASES:
        return value is not False
    if isinstance(value, str):
        return value.lower() in PLAIN_WORDS
    return not value or (_is_whole(value) and value == 1 and "expert" in name.lower())


def gating(name: str, value: object) -> str | None:
    """Return the sentence on an activation that has matrices or parameters of its own; None for any other.

    >>> gating("activation_function", "gelu_new")
    """
    if name not in ACTIVATIONS or not isinstance(value, str):
        return None
    if "glu" in value.lower() or "gated" in value.lower() or value in LEARNED_ACTIVATIONS:
        return f"{pair(name, value)} gives an MLP other parameters than those of c_fc and c_proj, which GPT-2's has"
    return None


def refuse_pruned(name: str, value: object) -> None:
    """Raise where heads are taken out of blocks, so that blocks differ."""
    if name == "pruned_heads" and value:
        problem = "heads are taken out of blocks, and only blocks that are alike are counted"
        raise ConfigError(f"{pair(name, value)}: {problem}", field=name, got=value)


def refuse_nested(name: str, value: object, fields: Mapping[str, Any]) -> None:
    """Raise where sizes that the document does not give, or gives otherwise, lie within a key of it.

    Args:
        name: the key.
        value: what it holds.
        fields: what the document itself gives.
    """
    waiting, entered = [(shortened(name), value)], set()
    while waiting:
        path, held = waiting.pop()
        if not isinstance(held, (dict, list)) or id(held) in entered:
            continue
        entered.add(id(held))
        for key, inner in held.items() if isinstance(held, dict) else (("", each) for each in held):
            field = CANONICAL.get(key)
            if field in SIZES and _is_whole(inner) and not (field in fields and fields[field] == inner):
                problem = f"{path} holds sizes, {pair(key, inner)} among them: give the object {path} alone"
                raise ConfigError(f"{problem}, or its sizes outside of it", field=name, got=value)
            if isinstance(inner, (dict, list)):
                waiting.append((shortened(f"{path}.{key}") if key != "" else path, inner))


def meant(name: str, value: object) -> str | None:
    """Return the field that a mistyped key means, where the value is of its kind."""
    near = mistyped(name, tuple(CANONICAL)) or mistyped(re.sub(SUFFIX, "", name), tuple(CANONICAL))
    if near is None:
        return None
    field = CANONICAL[near]
    if field in SWITCHES:
        return field if isinstance(value, bool) else None
    return field if field not in WORDS and _is_whole(value) else None


def _holds_a_size(name: str) -> bool:
    """Whether a key has a size's name of several words among others: text_hidden_size, padded_vocab_size."""
    words = _words(name)
    return any(f" {size} " in words and words.strip() != size for size in LONG_SIZES) and not meant(name, 1)


def _words(name: str) -> str:
    return f" {re.sub('[^a-z0-9]+', ' ', name.lower()).strip()} "


def _is_whole(value: object) -> bool:
    is_float = isinstance(value, float) and value.is_integer()
    return is_float or (isinstance(value, Integral) and not isinstance(value, bool))
