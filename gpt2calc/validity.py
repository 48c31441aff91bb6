"""Whether fields are a GPT-2's, by the table of `fields`: one spelling comes out, or one sentence on what is wrong.

What is plain, of the types that JSON has, is judged here, without pydantic; `config.Config` judges anything, and in the
same words. The tests hold the two verdicts against each other.
"""

from __future__ import annotations

from gpt2calc import numbers
from gpt2calc.errors import ConfigError, closest, pair, shortened
from gpt2calc.fields import CANONICAL, CLASSES, DEFAULTS, FIELDS, LEAST, SIZE, SPELLINGS, SWITCH
from gpt2calc.numbers import TOO_LARGE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any


PLAIN = frozenset((int, bool, str, float, list, dict, type(None)))
"""The types of what JSON holds. Whatever is derived from one of them may be taken for it, and is not for the table."""


def canonical(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields in their canonical spelling, without those that no count depends on.

    Raises:
        ConfigError: a field is unknown, or two spellings of one field disagree.

    >>> canonical({"block_size": 1024, "vocab": 50257, "dropout": 0.1})
    {'n_positions': 1024, 'vocab_size': 50257}
    """
    if "model_type" in fields:
        from gpt2calc import documents  # which fields in canonical and other spellings do without

        documents.refuse_other_models(fields)
    found: dict[str, Any] = {}
    has_others = False
    for name, given in fields.items():
        field = CANONICAL.get(name)
        if field is None:
            _refuse_unknown(name, given, fields)
            has_others = True
            continue
        value = given if type(given) is int or type(given) is bool else _read(field, given)
        if field == "head":
            if value is None:
                value = FIELDS[field].null
            elif isinstance(value, str):
                value = CLASSES.get(value, value)
        if field in found and not _same(found[field], value):
            alike = [each for each in fields if CANONICAL.get(each) == field]
            first = alike[alike.index(name) - 1]
            what = f"{pair(first, fields[first])} and {pair(name, given)}"
            raise ConfigError(f"{what} disagree: both mean {field}; give one of them", field=field, got=given)
        found[field] = value
    if has_others:  # which may say what fields would
        from gpt2calc import documents

        documents.read_head(fields, found)
    return found


def check(fields: Mapping[str, Any]) -> bool:
    """Judge fields in their canonical spelling, as `Config` does, where they are plain.

    Returns:
        Whether they are plain, and so valid; of what is not, nothing is known.

    Raises:
        ConfigError: a value is not one of its field, a size is too large, or n_head does not divide n_embd.

    >>> from decimal import Decimal
    >>> check({"n_layer": 12, "n_inner": None}), check({"n_layer": Decimal(12)})
    (True, False)
    >>> check({"n_layer": -1})
    Traceback (most recent call last):
    gpt2calc.errors.ConfigError: n_layer must be a whole number, 0 or more, got -1
    """
    is_large = False
    for name, value in fields.items():
        if not FIELDS[name].takes(value):
            if not PLAIN.issuperset(map(type, fields.values())):
                return False
            wrong = [row.name for row in FIELDS.values() if row.name in fields and not row.takes(fields[row.name])]
            raise refusal(wrong, fields[wrong[0]])
        is_large = is_large or (type(value) is int and value >= TOO_LARGE)
    if is_large:
        refuse_large(fields)
    if fields.get("n_head"):
        refuse_heads(fields["n_head"], fields.get("n_embd", DEFAULTS["n_embd"]))
    return True


def at_a_glance(fields: Mapping[str, Any]) -> bool:
    """Judge fields that are nothing but sizes of the body in their canonical spelling, each of them an int.

    Returns:
        Whether they are, and so valid, as `canonical` and `check` find them; of all other fields nothing is known.

    Raises:
        ConfigError: n_head does not divide n_embd.

    >>> at_a_glance({"n_layer": 24, "n_embd": 1024})
    True
    >>> at_a_glance({"layers": 24}), at_a_glance({"n_layer": "24"})
    (False, False)
    """
    try:
        for name, value in fields.items():
            if type(value) is not int or not LEAST[name] <= value < TOO_LARGE:
                return False
    except KeyError:
        return False
    if "n_head" in fields:
        refuse_heads(fields["n_head"], fields.get("n_embd", DEFAULTS["n_embd"]))
    return True


def refusal(wrong: Iterable[str], got: object) -> ConfigError:
    """Return the error of fields that are wrong: what the first must be and what was got, and which the others are."""
    field, *others = dict.fromkeys(wrong)
    message = f"{field} must be {FIELDS[field].expected}, got {numbers.told(got)}"
    if others:
        message += f" (wrong as well: {', '.join(others)})"
    return ConfigError(message, field=field, got=got)


def refuse_large(fields: Mapping[str, Any]) -> None:
    """Raise where a size has more digits than are counted with."""
    for name in FIELDS:
        value = fields.get(name)
        if isinstance(value, int) and value >= TOO_LARGE:
            raise ConfigError(f"{name} must have at most {numbers.MOST_DIGITS} digits", field=name)


def refuse_heads(n_head: int | None, n_embd: int) -> None:
    """Raise where heads do not divide the width."""
    if not n_head or n_embd % n_head == 0:
        return
    below = n_embd - n_embd % n_head
    near = f"{below} or {below + n_head}" if below else f"{n_head}"
    raise ConfigError(
        f"n_head {n_head} must divide n_embd {n_embd}: give n_embd {near}, or another n_head, "
        "or leave n_head out, since no count depends on it",
        field="n_head",
        got=n_head,
    )


def _refuse_unknown(name: str, given: object, fields: Mapping[str, Any]) -> None:
    """Raise for a field that means nothing here, or is no GPT-2's; pass over one that changes no count."""
    from gpt2calc import unread
    from gpt2calc.spellings import NO_COUNT, NOT_READ

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


def _read(field: str, value: object) -> object:
    """Return a whole number of any type, and a truth value of numpy, as Python's own; anything else as it came."""
    if FIELDS[field].kind == SIZE:
        return numbers.whole(value)
    is_numpys = FIELDS[field].kind == SWITCH and type(value).__name__ in ("bool", "bool_")
    return value.item() if is_numpys and hasattr(value, "item") else value
