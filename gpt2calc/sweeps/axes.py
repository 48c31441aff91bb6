"""The values that a field takes in a sweep: from what people hand over in Python to a range or a tuple.

It must not know what a value means to a model: that is `config`, which checks the values by their extremes.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from gpt2calc import numbers, ranges
from gpt2calc.errors import ConfigError, Int64OverflowError, closest, shortened, shown
from gpt2calc.fields import CANONICAL, CLASSES, FIELDS, SIZE
from gpt2calc.ranges import length

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import TypeAlias

    Axis: TypeAlias = "range | tuple[int, ...]"
    Values: TypeAlias = "range | tuple[Any, ...]"

INT64_MAX = 2**63 - 1
"""The largest number that an int64 holds."""

TRUTHS = {"true": True, "yes": True, "on": True, "1": True, "false": False, "no": False, "off": False, "0": False}


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


def from_python(name: str, value: Any, *, is_size: bool | None = None) -> Values | Any:
    """Return the values that a field is given in Python: of a list, a range or an array as they are, else the one.

    Law: text says what `ranges.read` reads in it. An array holds int64 and nothing else, as for `arrays.evaluate`; a
    whole number fits in one.

    Raises:
        ConfigError: an array of another type, or no values.
        Int64OverflowError: a number is larger than 2⁶³ - 1.

    >>> from_python("n_layer", [12, 24]), from_python("n_layer", "1:4"), from_python("n_layer", 12.0)
    ((12, 24), range(1, 5), 12)
    """
    if is_size is None:
        is_size = name in CANONICAL and FIELDS[CANONICAL[name]].kind == SIZE
    if is_size and isinstance(value, str) and value.strip().lower() != "none":
        value = ranges.read(name, value)
        value = value[0] if length(value) == 1 else value
    if hasattr(value, "to_numpy"):  # a column of pandas or polars
        value = value.to_numpy()
    if numbers.has_items(value):
        kind = str(value.dtype).rpartition(".")[2]
        if kind not in ("int64", "bool"):
            raise ConfigError(f"{name} must be an int64 array, got {kind}", field=name, got=value)
        value = value.ravel().tolist()
    read = numbers.whole if is_size else _scalar
    if isinstance(value, (str, bytes)) or not isinstance(value, Iterable) or getattr(value, "ndim", None) == 0:
        value = read(value)
        _refuse_large(name, (value,))
        return value
    values = value if isinstance(value, range) else tuple(map(read, value))
    if not length(values):
        raise ConfigError(f"{name} has no values", field=name, got=value)
    if not isinstance(values, range):
        _refuse_mixed(name, values)
    _refuse_large(name, (values[0], values[-1]) if isinstance(values, range) else values)
    return values


def _scalar(value: Any) -> Any:
    return value.item() if hasattr(value, "item") else value


def remarks(fields: Mapping[str, Any]) -> tuple[str, ...]:
    """Return notes that say how values were read that were not given as what they are.

    >>> remarks({"n_layer": "12:24", "vocab": "50k,64k", "n_embd": 768.0})
    ('vocab=50k,64k is read as 50000,64000', 'n_embd=768.0 is read as 768')
    """
    found = (
        ranges.remark(name, value, ranges.read(name, value))
        if isinstance(value, str) and not ranges.is_plain(value)
        else numbers.remark(name, value)
        for name, value in fields.items()
    )
    return tuple(filter(None, found))


def _refuse_mixed(name: str, values: tuple[Any, ...]) -> None:
    """Raise where values are of several types, or are no numbers, truths or words."""
    kinds = {type(value) for value in values}
    if len(kinds) != 1 or not kinds <= {int, bool, str}:
        odd = next(value for value in values if type(value) not in (int, bool, str) or len(kinds) > 1)
        got = ", ".join(sorted(kind.__name__ for kind in kinds))
        raise ConfigError(f"{name} takes values of one type, whole numbers for a size, got {got}", field=name, got=odd)


def _refuse_large(name: str, values: tuple[Any, ...]) -> None:
    largest = max((value for value in values if isinstance(value, int)), default=0)
    if largest > INT64_MAX:
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
