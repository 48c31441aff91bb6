"""What a config.json says of a model of any architecture but GPT-2: which it is, and its sizes, as transformers reads.

A document is dispatched on `model_type`, and then on the class in `architectures`. What it leaves out has transformers'
default, a field that changes shapes and is not known is refused by name, and a composite is its language model alone.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import architectures, numbers
from gpt2calc.architectures import composites, probed
from gpt2calc.errors import ConfigError, closest, pair, shortened, shown
from gpt2calc.fields import CANONICAL
from gpt2calc.model import ABSENT, FIXED, FLAG, LAW, LIST, REFUSED, SAME, SIZE, WORD, Model, evaluated
from gpt2calc.spellings import ACTIVATIONS, LEARNED_ACTIVATIONS, NO_COUNT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.model import Architecture, Size

VERSION = "5.23"
"""The version of transformers whose defaults are counted, and whose modules the tests compare with."""

GPT2 = "gpt2"
PER_LAYER = "per_layer_config"
GLOBAL = {"head_dim": "global_head_dim", "num_key_value_heads": "num_global_key_value_heads"}
TEXT_CONFIG = "text_config"
TIE = "tie_word_embeddings"


class Read(NamedTuple):
    """A model that a document gives: what a reader should know, and whether it is a part of what the document is of."""

    model: Model
    notes: tuple[str, ...]
    is_part: bool = False


def read(document: Mapping[str, Any], changes: Mapping[str, Any] | None = None) -> Read:
    """Read a document, with other values for some of its fields.

    Args:
        document: a parsed config.json.
        changes: fields that win over the document's, in transformers' spelling or in one of GPT-2's for the same.

    Raises:
        ConfigError: the architecture or a class is not known, a value is none of its field, or sizes do not go
            together.

    >>> read({"model_type": "mistral"}).model.total()
    7241732096
    """
    if isinstance(document.get(TEXT_CONFIG), Mapping):
        return _read_part(document, changes or {})
    document = {name: numbers.Quoted(value) if isinstance(value, str) else value for name, value in document.items()}
    architecture, notes = _architecture(document)
    if PER_LAYER in (row.name for row in architecture.sizes):
        document = _with_full_layers(document)
    _refuse_own_parameters(document, {row.name for row in architecture.sizes})
    fields = _changed(architecture, {**document, **_head(architecture, document)}, changes or {})
    values = _values(architecture, fields, notes)
    model = Model(architecture, values)
    refuse_unknown_layers(model)
    notes += architecture.notes(model)
    notes += _unread(architecture, document)
    return Read(model, tuple(notes))


def rewritten(document: Mapping[str, Any], model: Model) -> dict[str, Any]:
    """Return a document with the sizes of a model in place of its own, and all else as it is.

    >>> rewritten({"model_type": "llama", "rms_norm_eps": 1e-5}, read({"model_type": "mistral"}).model)["rms_norm_eps"]
    1e-05
    """
    if isinstance(text := document.get(TEXT_CONFIG), Mapping):
        tied = {TIE: bool(model.sizes[TIE])} if TIE in model.sizes else {}
        return {**document, **tied, TEXT_CONFIG: rewritten(text, model)}
    spelled = {name for row in model.architecture.sizes for name in (row.name, *row.spellings)}
    return {name: value for name, value in document.items() if name not in spelled} | model.document()


def _refuse_own_parameters(document: Mapping[str, Any], known: set[str]) -> None:
    """Raise where activations have parameters that are not known, or layers sizes of their own."""
    for name in ACTIVATIONS:
        if name in known:
            continue
        value = document.get(name)
        if isinstance(value, str) and value in LEARNED_ACTIVATIONS:
            raise ConfigError(f"{pair(name, value)} has parameters, which are not counted", field=name, got=value)
    if PER_LAYER not in known and (value := document.get(PER_LAYER)):
        raise ConfigError(
            f"{PER_LAYER} gives layers sizes of their own, which are not counted", field=PER_LAYER, got=value
        )


def _with_full_layers(document: dict[str, Any]) -> dict[str, Any]:
    """Return a document where per_layer_config, as transformers writes it, is sizes of full attention and its layers.

    Raises:
        ConfigError: layers have sizes of their own in another way.
    """
    given = document.get(PER_LAYER)
    if not isinstance(given, Mapping):
        return document
    own = list(given.values())
    alike = all(isinstance(each, Mapping) and each == own[0] and each.keys() <= GLOBAL.keys() for each in own)
    heads = "num_key_value_heads" in own[0] if alike and own else False
    layers = [numbers.whole(name) for name in given]
    are_layers = all(isinstance(layer, int) and layer >= 0 for layer in layers)
    if not alike or not are_layers or (heads and not document.get("attention_k_eq_v")):
        problem = f"{PER_LAYER} must be the same width and number of heads for the layers of full attention"
        raise ConfigError(f"{problem}, or they are not counted", field=PER_LAYER, got=given)
    found = {name: value for name, value in document.items() if name not in GLOBAL.values()}
    found |= {GLOBAL[name]: value for each in own[:1] for name, value in each.items()}
    return found | {PER_LAYER: layers}


def refuse_unknown_layers(model: Model) -> None:
    """Raise where a layer is of a kind that no component is in."""
    known = {tag for row in model.components() for tag in row.layers.split()}
    if strange := sorted(frozenset().union(*model.kinds()) - known):
        model_type = model.architecture.model_type
        raise ConfigError(f"{model_type} has no layers of the kind {', '.join(map(shortened, strange))}")


def _read_part(document: Mapping[str, Any], changes: Mapping[str, Any]) -> Read:
    """Read the language model of a composite, and say what is left out of it."""
    text = document[TEXT_CONFIG]
    if text.get("model_type") in (None, GPT2):
        kind = "none" if text.get("model_type") is None else "gpt2"
        raise ConfigError(f"text_config must say its model_type, one that is counted as a part; it says {kind}")
    found = read(text, changes)
    others = [name for name, value in document.items() if name != TEXT_CONFIG and name.endswith("_config") and value]
    said = f"the language model in text_config is counted alone, as {text['model_type']}'s causal language model"
    notes = [said]
    if others := [name for name in others if name not in ("quantization_config", "generation_config")]:
        notes.append(f"left out: {', '.join(others)}, and what joins them to the language model")
    if TIE in found.model.sizes and TIE not in changes:
        found = _tied_as_built(document, found, changes, notes)
    return Read(found.model, (*notes, *found.notes), is_part=True)


def _tied_as_built(document: Mapping[str, Any], found: Read, changes: Mapping[str, Any], notes: list[str]) -> Read:
    """Return a composite's language model with its head tied or not, as transformers builds the composite.

    Raises:
        ConfigError: the composite's config and text_config disagree, and no rule of its class is known.
    """
    outside, inside = document.get(TIE), bool(found.model.sizes[TIE])
    if not isinstance(outside, (bool, type(None))):
        raise ConfigError(f"{TIE} must be true or false, got {shown(outside)}", field=TIE, got=outside)
    model_type = document.get("model_type")
    tied = composites.is_tied(model_type, outside, inside)
    if tied is None:
        what = f"{pair(TIE, outside)} stands outside of text_config, and {str(inside).lower()} holds within"
        kind = f"a {shortened(model_type)}" if isinstance(model_type, str) else "a composite of no model_type"
        raise ConfigError(f"{what}; which of them {kind} follows is not known: give {TIE}", field=TIE, got=outside)
    if tied == inside:
        return found
    said = "" if outside is not None else ", where nothing outside of text_config says otherwise"
    notes.append(f"its head is {'tied' if tied else 'not tied'}, as transformers {VERSION} builds a {model_type}{said}")
    return read({**document[TEXT_CONFIG], TIE: tied}, changes)


def _architecture(document: Mapping[str, Any]) -> tuple[Architecture, list[str]]:
    model_type = document.get("model_type")
    if model_type is None:
        name = next(name for name in _classes(document) if architectures.of_class(name))
        found = architectures.of_class(name)
        return architectures.of(found), [f"model_type is not given, and {name} is {found}'s"]
    if not isinstance(model_type, str):
        raise ConfigError(f"model_type must be text, got {shown(model_type)}", field="model_type", got=model_type)
    if model_type not in architectures.FILES:
        advice = _advice(model_type)
        decoder = document.get("decoder")
        if isinstance(decoder, Mapping) and decoder.get("model_type") in architectures.FILES:
            advice = f"its decoder is a {decoder['model_type']}, which is: give the decoder's object alone"
        problem = f"model_type {shown(model_type)} is not counted"
        raise ConfigError(f"{problem}: {advice}", field="model_type", got=model_type)
    return architectures.of(model_type), []


def _advice(model_type: str) -> str:
    """Return what to do about a model type that is not counted: which is nearest, or where all are listed."""
    from gpt2calc.architectures.uncounted import NEAREST

    near = NEAREST.get(model_type)
    if near == f"{model_type}_text":
        return f"its language model is, as {near}, where text_config says so"
    if near:
        return f"the nearest that is counted is {near}"
    if near is None and (near := closest(model_type, tuple(architectures.FILES))):
        return f"did you mean {near}?"
    return f"docs/architectures.md lists the {len(architectures.FILES)} that are"


def _classes(document: Mapping[str, Any]) -> list[str]:
    """Return the names in `architectures`."""
    found = document.get("architectures") or []
    if not isinstance(found, list) or not all(isinstance(name, str) for name in found):
        raise ConfigError(f"architectures must be a list of class names, got {shown(found)}", field="architectures")
    return found


def _head(architecture: Architecture, document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the class in `architectures` and `id2label` say of the head."""
    found: dict[str, Any] = {}
    labels = document.get("id2label")
    if "num_labels" not in document and isinstance(labels, Mapping):
        found["num_labels"] = len(labels)
    names = _classes(document)
    for name in names:
        if name not in architecture.classes:
            known = ", ".join(architecture.classes)
            problem = f"{shortened(name)} is no class of {architecture.model_type} that is counted"
            raise ConfigError(f"architectures: {problem}: known are {known}", field="architectures", got=names)
    return found | ({"head": architecture.classes[names[0]]} if names else {})


def _changed(architecture: Architecture, fields: dict[str, Any], changes: Mapping[str, Any]) -> dict[str, Any]:
    """Put other values over a document's, of fields that the architecture has; two for one are refused."""
    spelled = {name: row.name for row in architecture.sizes if row.kind != LAW for name in (row.name, *row.spellings)}
    alike = {CANONICAL[name]: row for name, row in reversed(spelled.items()) if name in CANONICAL}
    put: dict[str, str] = {}
    before: dict[str, Any] = {}
    for name, value in changes.items():
        own = spelled.get(name) or alike.get(CANONICAL.get(name, ""))
        if own is None and (name in NO_COUNT or name in probed.fields(architecture.model_type)):
            fields[name] = value
            continue
        if own is None:
            near = closest(name, tuple(spelled))
            advice = (
                f"did you mean {spelled[near]}?" if near else f"it has {', '.join(dict.fromkeys(spelled.values()))}"
            )
            raise ConfigError(f"{architecture.model_type} has no field {shortened(name)}: {advice}", field=name)
        for spelling, of in spelled.items():
            if of == own:
                fields.pop(spelling, None)
        new = architecture.classes.get(value, value) if own == "head" and isinstance(value, str) else value
        if (first := put.setdefault(own, name)) != name and numbers.whole(before[own]) != numbers.whole(new):
            what = f"{pair(first, changes[first])} and {pair(name, value)}"
            raise ConfigError(f"{what} disagree: both mean {own}; give one of them", field=own, got=value)
        fields[own] = before[own] = new
    return fields


def _values(architecture: Architecture, fields: Mapping[str, Any], notes: list[str]) -> dict[str, Any]:
    """Return a number for each size, in the order of the table, by which laws see what stands above them."""
    values: dict[str, Any] = {}
    defaults: list[str] = []
    for row in architecture.sizes:
        given = [name for name in (row.name, *row.spellings) if name in fields] if row.kind != LAW else []
        for name in given[1:]:
            if fields[name] != fields[given[0]]:
                what = f"{pair(given[0], fields[given[0]])} and {pair(name, fields[name])}"
                raise ConfigError(f"{what} disagree: both mean {row.name}", field=row.name, got=fields[name])
        value = _same(row, fields[given[0]], values) if given else None
        says_nothing = row.kind == SIZE and isinstance(value, str) and value in row.words
        if given and value is not None and not says_nothing:
            notes.extend(filter(None, [numbers.remark(given[0], value)] if row.kind == SIZE else []))
            values[row.name] = checked(architecture, row._replace(name=given[0]), value)
            continue
        if given and value is None and row.null == REFUSED and row.kind not in (LIST, FIXED):
            raise ConfigError(f"{given[0]} must be {expected(row)}, got null", field=given[0])
        default = row.null if given and value is None and row.null not in (ABSENT, REFUSED) else row.default
        is_law = isinstance(default, str) and default.startswith("= ")
        if default is None and row.kind not in (LIST, FIXED):
            raise ConfigError(f"{row.name} is not given, and {architecture.model_type} has no default", field=row.name)
        values[row.name] = evaluated(default[2:], values) if is_law else default
        if row.kind in (SIZE, FLAG) and not given and not is_law and row.name != "num_labels":
            defaults.append(f"{row.name} {str(values[row.name]).lower()}")
        if row.kind == FLAG:
            values[row.name] = int(values[row.name])
    if defaults:
        notes.append(f"not given, and counted as transformers {VERSION}'s default: {', '.join(defaults)}")
    return values


def _same(row: Size, value: Any, values: Mapping[str, Any]) -> Any:
    """Return a value, and of a list with the same for each layer the one that it says, where a size can be so given."""
    if SAME not in row.words or not isinstance(value, list):
        return value
    layers = values["num_hidden_layers"]
    if len(value) != layers or any(each != value[0] for each in value):
        problem = f"{row.name} must be a whole number, or a list with the same for each of {layers:,} layers"
        raise ConfigError(problem, field=row.name, got=value)
    return value[0] if value else row.default


def expected(row: Size) -> str:
    """Return what a value must be, as an error says it."""
    if row.kind == SIZE:
        return ", or ".join((f"a whole number, {row.least} or more", *row.words))
    if row.kind == LIST:
        return f"a list of {', '.join(row.words)}" if row.words else "a list of numbers of layers"
    return "true or false" if row.kind == FLAG else f"one of {', '.join(row.words)}"


def checked(architecture: Architecture, row: Size, value: Any) -> Any:
    """Return a value in numbers, if it is one of its field."""
    number = numbers.whole(value) if row.kind == SIZE else None
    if row.kind == FIXED and value != row.default:
        model_type, default = architecture.model_type, shown(row.default)
        problem = f"{pair(row.name, value)} changes shapes, and {model_type} is counted for {default} alone"
        raise ConfigError(problem, field=row.name, got=value)
    if row.kind == SIZE and type(number) is int and number >= numbers.TOO_LARGE:
        raise ConfigError(f"{row.name} must have at most {numbers.MOST_DIGITS} digits", field=row.name)
    if row.name == "head":
        row = row._replace(words=tuple(architecture.classes.values()))
    if row.kind == LIST and isinstance(value, str) and all(len(word) == 1 for word in row.words) and row.words:
        value = list(value)  # a letter a layer
    fits = {
        SIZE: type(number) is int and number >= row.least,
        FLAG: isinstance(value, bool),
        LIST: isinstance(value, list) and all(_is_entry(row, entry) for entry in value),
        WORD: value in row.words,
        FIXED: True,
    }
    if not fits[row.kind]:
        is_list = row.kind == LIST and isinstance(value, list)
        strange = next(entry for entry in value if not _is_entry(row, entry)) if is_list else value
        got = f"{numbers.told(strange)}{' in it' if is_list else ''}"
        raise ConfigError(f"{row.name} must be {expected(row)}, got {got}", field=row.name, got=value)
    if row.kind == LIST:
        return tuple(value)
    return number if row.kind == SIZE else int(value) if row.kind == FLAG else value


def _is_entry(row: Size, entry: Any) -> bool:
    return entry in row.words if row.words else type(entry) is int


def _unread(architecture: Architecture, document: Mapping[str, Any]) -> Iterator[str]:
    """Yield a note for each key that changes no count because nobody reads it."""
    if document.get("auto_map"):
        yield f"auto_map names code of its own, which is not read: counted is transformers' {architecture.model_type}"
    known = {name for row in architecture.sizes for name in (row.name, *row.spellings)}
    known |= probed.fields(architecture.model_type) | NO_COUNT | {"architectures", "model_type", "id2label", "label2id"}
    for name in document:
        if name in known or name.startswith("_"):
            continue
        near = closest(name, tuple(row.name for row in architecture.sizes if row.kind != LAW))
        advice = f"; did you mean {near}?" if near else ""
        yield f"transformers' {architecture.model_type} does not read {pair(name, document[name])}{advice}"
