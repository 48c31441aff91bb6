"""The values that a field takes in a sweep: from what people type, or hand over in Python, to a range or a tuple.

It must not know what a value means to a model: that is `config`, which checks the values by their extremes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gpt2calc.errors import ConfigError, Int64OverflowError, closest, shortened, shown
from gpt2calc.fields import CLASSES

if TYPE_CHECKING:
    from typing import TypeAlias

    Axis: TypeAlias = "range | tuple[int, ...]"
    Values: TypeAlias = "range | tuple[Any, ...]"

LARGEST = 2**63 - 1
"""The largest number that an int64 holds."""

MOST_LISTED = 10**7
"""How many values can be listed one by one; a single start:stop:step is kept as it is, however long."""

TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


def read_sizes(name: str, text: str) -> Axis | None:
    """Read the values of a size: `12`, `768,1024,1280`, `12:96:12`, or a mix of these.

    Law: start:stop:step is start, start + step, … as long as it does not pass stop, so stop is among them where a step
    hits it. The step is 1 unless given, and can be negative.

    Args:
        name: what the user calls the field, for messages.
        text: what was typed; a comma stands between values, never within a number.

    Returns:
        A range where the text is one, otherwise a tuple; None for `none`, as n_inner takes it.

    Raises:
        ConfigError: the text is none of these, or lists too many values.

    >>> read_sizes("n_layer", "12:48:12"), read_sizes("n_embd", "768,1024,1280:1600:320")
    (range(12, 49, 12), (768, 1024, 1280, 1600))
    """
    if text.strip().lower() == "none":
        return None
    parts = [_read_part(name, part.strip(), text) for part in text.split(",")]
    if len(parts) == 1:
        return parts[0]
    if sum(map(length, parts)) > MOST_LISTED:
        raise ConfigError(f"{name} lists more than {MOST_LISTED:,} values; one start:stop:step can be longer", got=text)
    return tuple(value for part in parts for value in part)


def length(axis: Values) -> int:
    """Return how many values there are, also of a range for which `len` is too small.

    >>> length(range(0, 10**20, 10))
    10000000000000000000
    """
    if isinstance(axis, range):
        return max(0, (axis.stop - axis.start + axis.step - (1 if axis.step > 0 else -1)) // axis.step)
    return len(axis)


def _read_part(name: str, part: str, text: str) -> range:
    words = part.split(":")
    try:
        start, stop, step = (*map(int, words), *((int(words[0]), 1)[len(words) - 1 :] if len(words) < 3 else ()))
    except ValueError:
        raise ConfigError(
            f"{name} takes whole numbers, as 12, 768,1024 or 12:96:12, got {shown(text)}", field=name, got=text
        ) from None
    if step == 0:
        raise ConfigError(f"{name} has a step of 0 in {shown(part)}", field=name, got=text)
    if (stop - start) * step < 0:
        advice = f": a step of {-step} goes there" if len(words) == 3 else f": {part}:-1 counts down"
        raise ConfigError(f"{name} does not get from {start} to {stop} in {shown(part)}{advice}", field=name, got=text)
    return range(start, stop + (1 if step > 0 else -1), step)


def read_truths(name: str, text: str) -> tuple[bool, ...]:
    """Read the values of a switch: true, false, or both.

    >>> read_truths("tied", "true,false")
    (True, False)
    """
    words = [word.strip().lower() for word in text.split(",")]
    if not set(words) <= set(TRUTHS):
        raise ConfigError(f"{name} takes true, false or true,false, got {shown(text)}", field=name, got=text)
    return tuple(dict.fromkeys(TRUTHS[word] for word in words))


def read_words(text: str) -> tuple[str, ...]:
    """Read the values of a field that takes names.

    >>> read_words("lm, GPT2Model")
    ('lm', 'none')
    """
    return tuple(dict.fromkeys(CLASSES.get(word.strip(), word.strip()) for word in text.split(",")))


def from_python(name: str, value: Any) -> Values | Any:
    """Return the values that a field is given in Python: of a list, a range or an array as they are, else the one.

    Law: an array holds int64 and nothing else, as for `arrays.evaluate`; a whole number fits in one.

    Raises:
        ConfigError: an array of another type, or no values.
        Int64OverflowError: a number is larger than 2⁶³ - 1.

    >>> from_python("n_layer", [12, 24]), from_python("n_layer", 12), from_python("head", "lm")
    ((12, 24), 12, 'lm')
    """
    if getattr(value, "ndim", 0):
        if str(value.dtype) not in ("int64", "bool"):
            raise ConfigError(f"{name} must be an int64 array, got {value.dtype}", field=name, got=value)
        value = value.ravel().tolist()
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable):
        _refuse_large(name, (value,))
        return value
    values = value if isinstance(value, range) else tuple(one.item() if hasattr(one, "item") else one for one in value)
    if not length(values):
        raise ConfigError(f"{name} has no values", field=name, got=value)
    if not isinstance(values, range):
        _refuse_mixed(name, values)
    _refuse_large(name, (values[0], values[-1]) if isinstance(values, range) else values)
    return values


def _refuse_mixed(name: str, values: tuple[Any, ...]) -> None:
    """Raise where values are of several types, or are no numbers, truths or words."""
    kinds = {type(value) for value in values}
    if len(kinds) != 1 or not kinds <= {int, bool, str}:
        odd = next(value for value in values if type(value) not in (int, bool, str) or len(kinds) > 1)
        got = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ConfigError(f"{name} takes values of one type, whole numbers for a size, got {got}", field=name, got=odd)


def _refuse_large(name: str, values: tuple[Any, ...]) -> None:
    largest = max((value for value in values if isinstance(value, int)), default=0)
    if largest > LARGEST:
        number = shown(largest) if largest > 10**60 else f"{largest:,}"
        raise Int64OverflowError(f"{name} {number} does not fit in int64: count this model with Python's integers")


def nearest(name: str, known: Iterable[str]) -> str:
    """Return advice for a name that is unknown, as it ends a message.

    >>> nearest("totl", ("total", "mlp"))
    ': did you mean total?'
    """
    names = tuple(known)
    near = closest(name, names)
    return f": did you mean {near}?" if near else f": known are {shortened(', '.join(names))}"
