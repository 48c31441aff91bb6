"""What configs say that transformers did not write: sizes in other projects' keys, and beside or around all else.

Law: a document that gives depth and width is a config, whatever stands beside them; what may change a shape is read,
or refused by its name, and all that is left is told. It must not know the keys: those are `spellings`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from gpt2calc import numbers, unread
from gpt2calc.errors import ConfigError, pair, shortened, shown
from gpt2calc.fields import CANONICAL, DEFAULTS, FIELDS, SIZE
from gpt2calc.spellings import (
    HEAD_WIDTHS,
    INVERSE,
    MARKS_OF_TRANSFORMERS,
    NO_COUNT,
    NOT_READ,
    OTHERWISE,
    PARALLEL,
    PLAIN_WORDS,
    PROJECTS,
    SAYINGS,
    TRAINED_LENGTHS,
    Project,
)

MOST_OBJECTS = 2000
"""At most this many objects within a document are looked into; no known config has a twentieth of them."""

MOST_NAMED = 3
"""How many keys that nobody reads are named."""

ROWS = {key: row for row in PROJECTS for key in row.keys}
DEEP, WIDE = "n_layer", "n_embd"
PADDED = "padded_vocab_size"


class Found(NamedTuple):
    """The object of a document that gives the sizes: where it stands, and what it says in plain keys."""

    path: str
    document: Mapping[str, Any]


def within(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return the object of a document that is the model's, with what stands outside of it, and a note of where it is.

    Law: it is the document itself, unless that gives neither depth nor width and one object within it gives both, or
    says its model_type. A size that this one does not give is taken from elsewhere, where there is one such number.

    Raises:
        ConfigError: several objects give sizes, and they differ.

    >>> within({"train": {"lr": 1e-4}, "model": {"n_layer": 12, "d_model": 768}})
    ({'n_layer': 12, 'd_model': 768}, ('the sizes are those of model',))
    """
    own = _fields(document)
    if DEEP in own or WIDE in own or not document.keys().isdisjoint(MARKS_OF_TRANSFORMERS):
        return document, ()
    objects = list(_objects(document))
    models = [each for each in objects if _is_model(each.document)]
    if not models:
        return document, ()
    first, *rest = models
    if other := next((each for each in rest if _sizes(each.document) != _sizes(first.document)), None):
        what = f"{first.path} and {other.path} both hold sizes, and they differ"
        raise ConfigError(f"{what}: give the object of one of them alone")
    if not first.document.keys().isdisjoint(MARKS_OF_TRANSFORMERS):
        return first.document, (f"the model is that of {first.path}",)
    found, notes = dict(first.document), [f"the sizes are those of {first.path}"]
    given = _fields(found)
    outside = [Found("", document), *(each for each in objects if each.document is not first.document)]
    for size in (*DEFAULTS, "n_head", "n_inner"):
        said = {
            f"{each.path}.{key}".lstrip("."): each.document[key]
            for each in outside
            for key in _fields(each.document).get(size, ())
            if size not in given and (_is_size(each.document[key]) or isinstance(each.document[key], str))
        }
        if len(set(said.values())) > 1:
            raise ConfigError(f"{' and '.join(pair(*each) for each in list(said.items())[:2])}: which is {size}?")
        for at, value in list(said.items())[:1]:
            found[size] = value
            notes.append(f"{pair(at, value)} is read as {size}")
    return found, tuple(notes)


def plain(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return what a document that gives depth and width says of a GPT-2, in fields, and what else a reader should know.

    Any other document is returned as it is: it is what somebody typed, of which every key must be a field.

    Raises:
        ConfigError: two keys give a size two values, or a key says that this is no GPT-2.

    >>> plain({"layers_num": 12, "emb_size": 768, "lr": 1e-4})[0]
    {'n_layer': 12, 'n_embd': 768}
    """
    spelled = _spelled(document)
    by_field = _fields(spelled)
    if DEEP not in by_field or WIDE not in by_field:
        return document, ()
    notes: list[str] = []
    others = {key: value for key, value in spelled.items() if key not in CANONICAL and key not in ROWS}
    if not others and spelled.keys() == document.keys() and not (spelled.keys() & ROWS.keys()):
        return document, ()  # a plain document, every key of which is a field
    fields = {field: _one(field, keys, spelled, notes) for field, keys in by_field.items()}
    _read_vocabulary(spelled, fields, notes)
    passed = []
    for key, value in others.items():
        if key in HEAD_WIDTHS:
            _read_head_width(key, value, fields)
        elif key in INVERSE:
            _put(fields, "tie_word_embeddings", not value, key, value)
        elif key in NO_COUNT or key in NOT_READ:
            fields[key] = value  # which is judged where a plain document is
        elif not (key in PARALLEL or key == PADDED or unread.is_nothing(key, value)):
            _refuse(key, value, fields)
            passed += [shortened(key)] if key not in SAYINGS else []
    rows = {row.name: row for key in spelled if (row := ROWS.get(key))}
    notes[:0] = [_whose(row) for row in rows.values()]
    if "block_size" in spelled and "bias" not in fields:
        notes.append("bias is not given: biases are counted, as in GPT-2; nanoGPT's train.py builds none unless told")
    notes += [f"{size} is not given; gpt2's {DEFAULTS[size]} is counted" for size in DEFAULTS if size not in fields]
    read = {key for keys in by_field.values() for key in keys}
    words = [pair(key, spelled[key]) for key in spelled if key not in read and key not in others]
    notes += _passed_over("no size is written so", words)
    notes += _passed_over("no count depends on them", passed)
    return fields, tuple(notes)


def _passed_over(why: str, named: list[str]) -> list[str]:
    """Return the note on what nobody reads; none where there is no such thing."""
    more = f" and {len(named) - MOST_NAMED} more" if len(named) > MOST_NAMED else ""
    return [f"not read, as {why}: {', '.join(named[:MOST_NAMED])}{more}"] if named else []


def _spelled(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return a document with keys as they are spelled here: num-layers and --num-layers are num_layers."""
    found: dict[str, Any] = {}
    for key, value in document.items():
        name = str(key).lstrip("-").replace("-", "_")
        if name in found and found[name] != value:
            raise ConfigError(f"{shortened(str(key))} is given twice, as {shown(found[name])} and as {shown(value)}")
        found[name] = value
    return found


def _fields(document: Mapping[str, Any]) -> dict[str, list[str]]:
    """Return which keys of a document are spellings of which field."""
    found: dict[str, list[str]] = {}
    for key, value in document.items():
        name = str(key).lstrip("-").replace("-", "_")
        field = CANONICAL.get(name) or (ROWS[name].keys[name] if name in ROWS else None)
        if field and not (_is_word(value) and FIELDS[field].kind == SIZE):
            found.setdefault(field, []).append(key)
    return found


def _is_word(value: object) -> bool:
    """Whether a text is no size, as vocab: vocab.txt; 12x is one, which is mistyped."""
    is_text = isinstance(value, str) and numbers.typed(value) is None
    return is_text and not str(value).strip().lstrip("+-")[:1].isdecimal()


def _one(field: str, keys: list[str], document: Mapping[str, Any], notes: list[str]) -> Any:
    """Return the value that the keys of one field give, which is one, but that training can be on shorter sequences."""
    first, *rest = sorted(keys, key=lambda key: key in TRAINED_LENGTHS)
    for other in rest:
        if document[other] == document[first]:
            continue
        what = f"{pair(first, document[first])} and {pair(other, document[other])}"
        if other not in TRAINED_LENGTHS or first in TRAINED_LENGTHS:
            raise ConfigError(f"{what} disagree: both mean {field}; give one of them", field=field)
        notes.append(f"{pair(first, document[first])} is read, and {pair(other, document[other])} is not")
    return document[first]


def _read_vocabulary(document: Mapping[str, Any], fields: dict[str, Any], notes: list[str]) -> None:
    """Take a vocabulary that is padded already, and else pad it for every rank, as Megatron does."""
    padded, multiple = document.get(PADDED), fields.get("pad_vocab_size_multiple")
    if _is_size(padded):
        fields["vocab_size"] = padded
        fields.pop("pad_vocab_size_multiple", None)
        notes.append(f"{pair(PADDED, padded)} is what is counted")
        return
    ranks = next((document[key] for key in PARALLEL if _is_size(document.get(key))), 1)
    if isinstance(multiple, int) and ranks > 1:
        fields["pad_vocab_size_multiple"] = multiple * ranks
        notes.append(
            f"the vocabulary is rounded up to a multiple of {multiple} for each of {ranks} ranks, as Megatron's"
        )


def _read_head_width(key: str, value: Any, fields: dict[str, Any]) -> None:
    """Raise where heads are not as wide as GPT-2's, which divide the width; find their number where it is not given."""
    heads, width = fields.get("n_head"), fields[WIDE]
    if value is None:
        return
    is_told = _is_size(value) and _is_size(width) and value > 0
    if is_told and heads is None and width % value == 0:
        fields["n_head"] = width // value
    elif not is_told or heads is None or not _is_size(heads) or heads * value != width:
        said = f"{pair(key, value)}, n_head={shown(heads)}, n_embd={shown(width)}"
        raise ConfigError(f"{said}: GPT-2's heads are n_embd / n_head wide", field=key, got=value)


def _whose(row: Project) -> str:
    said = f"read as {row.name}'{'s' * (not row.name.endswith('s'))} keys"
    return f"{said}; {row.remark}" if row.remark else said


def _put(fields: dict[str, Any], field: str, new: Any, key: str, value: Any) -> None:
    if field in fields and fields[field] != new:
        raise ConfigError(
            f"{pair(key, value)} and {pair(field, fields[field])} disagree: give one of them", field=field
        )
    fields[field] = new


def _refuse(key: str, value: Any, fields: Mapping[str, Any]) -> None:
    """Raise where a key that nobody reads says that the model is no GPT-2, or holds or means a size."""
    unread.refuse_pruned(key, value)
    if problem := unread.gating(key, value):
        raise ConfigError(problem, field=key, got=value)
    said = str(value).lower() if isinstance(value, str) or (value is None and key == "normalization_type") else ""
    if key in SAYINGS and not isinstance(value, Mapping):
        is_other = said not in ({*PLAIN_WORDS} - {"none"}) and said not in SAYINGS[key]
    else:
        is_other = unread.is_foreign(key, value) or (key in OTHERWISE and bool(value))
    if is_other:
        raise ConfigError(f"{pair(key, value)} is not as in GPT-2, which alone is counted", field=key, got=value)
    meant = None if key in SAYINGS else unread.meant(key, value)
    if meant and not (meant in fields and fields[meant] == value):
        raise ConfigError(f"there is no field {shortened(key)}: did you mean {meant}?", field=key, got=value)
    if isinstance(value, Mapping):
        for each in _objects({key: value}):
            inside = _fields(each.document)
            at = next((name for size in (DEEP, WIDE) for name in inside.get(size, ())), None)
            if at is not None and _sizes(each.document) != {size: fields.get(size) for size in (DEEP, WIDE)}:
                problem = f"{each.path} holds sizes, {pair(str(at), each.document[at])} among them"
                raise ConfigError(f"{problem}: give the object {each.path} alone, or without it", field=key)


def _objects(document: Mapping[str, Any]) -> Iterator[Found]:
    """Yield the objects within a document, each with its path, the outer ones first; lists are entered too."""
    waiting: list[tuple[str, Any]] = [(str(key), value) for key, value in document.items()]
    entered: set[int] = set()
    while waiting and len(entered) < MOST_OBJECTS:
        path, held = waiting.pop(0)
        if not isinstance(held, (Mapping, list)) or id(held) in entered:
            continue
        entered.add(id(held))
        if isinstance(held, Mapping):
            yield Found(shortened(path), held)
            waiting += [(f"{path}.{key}", value) for key, value in held.items()]
        else:
            waiting += [(f"{path}[{place}]", value) for place, value in enumerate(held[:MOST_NAMED])]


def _is_model(document: Mapping[str, Any]) -> bool:
    return "model_type" in document or _sizes(document).keys() == {DEEP, WIDE}


def _sizes(document: Mapping[str, Any]) -> dict[str, Any]:
    found = _fields(document)
    return {size: document[found[size][0]] for size in (DEEP, WIDE) if size in found}


def _is_size(value: object) -> bool:
    return type(numbers.whole(value)) is int and not isinstance(value, str)
