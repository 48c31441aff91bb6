"""What a config.json says: from a document to the fields of a config, by the rules of whoever reads it.

A document that bears a mark of transformers is read as transformers reads it, and notes say what is not. Any other that
gives depth and width is another project's, as `projects` reads it, and else it is what somebody typed, and `config`
refuses what it does not know.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from gpt2calc import numbers, projects, unread
from gpt2calc.errors import ConfigError, pair, shortened, shown
from gpt2calc.fields import CANONICAL, CLASSES, DEFAULTS, FIELDS, OURS, SIZE, SPELLINGS
from gpt2calc.spellings import FRAMEWORKS, MARKS_OF_TRANSFORMERS

KERNELS = {
    "activation_function": ("activation", "hidden_act"),
    "attn_pdrop": ("attn_dropout", "dropout", "drop_rate"),
    "embd_pdrop": ("embd_dropout", "embed_dropout", "dropout", "drop_rate"),
    "resid_pdrop": ("resid_dropout", "res_dropout", "dropout", "drop_rate"),
    "reorder_and_upcast_attn": (),
}
"""What a config says of kernels, by the names that transformers reads, with those of other projects."""


def read(document: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return the fields that a document gives, and a note for each thing a reader should know.

    Law: in a document of transformers, the spelling that transformers reads wins where there are several.

    Args:
        document: a parsed config.json, or any mapping of fields.

    Returns:
        Fields for `config.Config`, and notes, a sentence each.

    Raises:
        ConfigError: the document is empty, of another model type or class, or has a key that should be another.

    Source: transformers 5.23, configuration_gpt2.py and configuration_utils.py.

    >>> fields, notes = read({"model_type": "gpt2", **DEFAULTS, "n_ctx": 512})
    >>> fields["n_positions"], notes
    (1024, ('n_positions=1024 is read, as transformers does, and n_ctx=512 is not',))
    """
    if not document:
        raise ConfigError('expected a config with a field at least, such as {"n_layer": 12}, got an empty one')
    for name in document:
        if not isinstance(name, str):
            raise ConfigError(f"a field's name must be text, got {shown(name)}", got=name)
    refuse_other_models(document)
    if OURS in document:
        document = {name: value for name, value in document.items() if name != OURS}
    if not _is_marked(document):
        sized = any(CANONICAL.get(name) in DEFAULTS for name in document)
        document, said = projects.plain(document)
        found, remarks = _in_numbers(document)
        return found, (*said, *remarks) if sized or said else (
            f"no size is given; gpt2's are counted: {_written(DEFAULTS)}",
            *remarks,
        )
    fields: dict[str, Any] = {}
    notes: list[str] = []
    for field in SPELLINGS:
        _read_field(field, document, fields, notes)
    read_head(document, fields)
    if not fields and document.get("model_type") is None:
        raise ConfigError(
            "expected a config with a size, a model_type or a class of GPT-2's, got a document without any"
        )
    first, last = unread.notes(document, fields)
    missing = [field for field in DEFAULTS if field not in fields]
    notes += [f"{field} is not given; transformers' default {DEFAULTS[field]} is counted" for field in missing]
    found, remarks = _in_numbers(fields)
    return found, (*first, *notes, *last, *remarks)


def _in_numbers(fields: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[str, ...]]:
    """Return fields with what is a whole number as one, and notes for those that were written otherwise, as 768.0."""
    read, remarks = dict(fields), []
    for name, value in fields.items():
        if type(value) is int or name not in CANONICAL or FIELDS[CANONICAL[name]].kind != SIZE:
            continue
        if isinstance(value, str):
            read[name] = numbers.Quoted(value)
        else:
            read[name] = numbers.whole(value)
            remarks.append(numbers.remark(name, value))
    return read, tuple(filter(None, remarks))


def _written(fields: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value}" for name, value in fields.items())


def maker(document: Mapping[str, Any]) -> str:
    """Return whose model a document describes, where that shows: it is whoever would have to load a checkpoint of it.

    A document with a mark of transformers is transformers', whatever else it says.

    Returns:
        The name of the dialect that the maker's files have; "" where it does not show.

    >>> maker({"model_type": "gpt2", "bias": False}), maker({"n_layer": 12})
    ('huggingface', '')
    """
    ours = document.get(OURS)
    if isinstance(ours, Mapping) and isinstance(ours.get("maker"), str):
        return str(ours["maker"])
    return "huggingface" if _is_marked(document) else ""


def quantization(document: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return what a document says of how a checkpoint is quantised, as transformers and MLX say it; None for nothing.

    What is no object is told under its own key: `verify` refuses it, and no count depends on it.

    >>> quantization({"quantization": {"bits": 4, "group_size": 64}})
    {'bits': 4, 'group_size': 64, 'quant_method': 'mlx'}
    >>> quantization({"quantization_config": []})
    {'quantization_config': []}
    """
    inner = document.get("text_config")
    for part in (document, inner if isinstance(inner, Mapping) else {}):
        said = part.get("quantization_config")
        if said is not None and not isinstance(said, Mapping):
            return {"quantization_config": said}
        if said:
            return said
        if isinstance(said := part.get("quantization"), Mapping) and said:
            return {**said, "quant_method": "mlx"}
        if isinstance(said := part.get("compression_config"), Mapping) and said:
            return {"quant_method": "compressed-tensors", **said}
    return None


def kernels(document: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a document says of how a model is run, which no count depends on and a cost does.

    Law: in a document of transformers, the names that transformers reads; in any other, those of other projects too.

    >>> kernels({"n_layer": 12, "dropout": 0.0, "activation": "relu"})
    {'activation_function': 'relu', 'attn_pdrop': 0.0, 'embd_pdrop': 0.0, 'resid_pdrop': 0.0}
    """
    found: dict[str, Any] = {}
    for name, others in KERNELS.items():
        for spelling in (name,) if _is_marked(document) else (name, *others):
            if document.get(spelling) is not None:
                found[name] = document[spelling]
                break
    if dtype := document.get("dtype") or document.get("torch_dtype"):
        found["dtype"] = dtype  # in which files hold it
    return found


def _is_marked(document: Mapping[str, Any]) -> bool:
    """Whether a document shows that transformers wrote it, or is meant to read it."""
    return not document.keys().isdisjoint(MARKS_OF_TRANSFORMERS)


def _read_field(field: str, document: Mapping[str, Any], fields: dict[str, Any], notes: list[str]) -> None:
    """Take one field in the spelling that wins, and note what is passed over."""
    theirs = FIELDS[field].read_by_transformers
    present = [name for name in dict.fromkeys((*theirs, field, *SPELLINGS[field])) if name in document]
    if not present:
        return
    first, *rest = present
    value = fields[field] = document[first]
    notes.extend(
        f"{pair(first, value)} is read, as transformers does, and {pair(name, document[name])} is not"
        for name in rest
        if document[name] != value
    )
    if first not in theirs or not FIELDS[field].in_transformers:
        notes.append(f"transformers itself would not read {pair(first, value)}; it is counted as given")


def refuse_other_models(document: Mapping[str, Any]) -> None:
    """Raise where a document says that it is of another model type."""
    model_type = document.get("model_type")
    if model_type in (None, "gpt2"):
        return
    decoder = document.get("decoder")
    inner = isinstance(decoder, dict) and decoder.get("model_type") == "gpt2"
    advice = "; its decoder is a gpt2: give the decoder's object alone" if inner else ""
    raise ConfigError(f"model_type is {shown(model_type)}, expected 'gpt2'{advice}", field="model_type", got=model_type)


def read_head(document: Mapping[str, Any], fields: dict[str, Any]) -> None:
    """Take the head from `architectures` and num_labels from `id2label`, where they are not given outright.

    Raises:
        ConfigError: no class in `architectures` is one of transformers' GPT-2, whose shapes alone are known.
    """
    labels = document.get("id2label")
    if "num_labels" not in document and isinstance(labels, dict):
        fields["num_labels"] = len(labels)
    architectures = document.get("architectures") or []
    if "head" in fields or not architectures:
        return
    if not isinstance(architectures, list) or not all(isinstance(name, str) for name in architectures):
        got = shown(architectures)
        raise ConfigError(f"architectures must be a list of class names, got {got}", field="architectures", got=got)
    for name in architectures:
        for framework in ("", *FRAMEWORKS):
            if name.startswith(framework) and name.removeprefix(framework) in CLASSES:
                fields["head"] = CLASSES[name.removeprefix(framework)]
                return
    problem = f"{shortened(architectures[0])} is no class of transformers' GPT-2, and may have other shapes"
    known = ", ".join(CLASSES)
    raise ConfigError(f"architectures: {problem}: known are {known}", field="architectures", got=architectures)
