"""From what a person names to dims: a preset, a config.json, a folder, a repository, a mapping, a config, or fields."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from enum import Enum

from gpt2calc import numbers
from gpt2calc.dims import Dims, dims_of, from_fields, to_fields
from gpt2calc.errors import (
    ConfigError,
    NetworkError,
    UnknownNameError,
    UnreadableInputError,
    closest,
    printable,
    shown,
)
from gpt2calc.fields import CANONICAL, DEFAULTS, FIELDS, SIZE, called
from gpt2calc.model import Model as OtherModel
from gpt2calc.records import NamedTuple
from gpt2calc.validity import canonical, check

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final, Protocol, TypeAlias

    from gpt2calc.checkpoints.hub import Repository

    class Counted(Protocol):
        """What knows its dims: a `Config`, a `ParameterCount`, a `Source`."""

        @property
        def dims(self) -> Dims:
            """What the formulas read."""

        @property
        def name(self) -> str:
            """What the user called it."""

        @property
        def notes(self) -> tuple[str, ...]:
            """What a reader should know about how it was read."""

    class Described(Protocol):
        """A config of transformers."""

        def to_dict(self) -> dict[str, Any]:
            """Return its document."""

    Model: TypeAlias = "str | os.PathLike[str] | Mapping[str, Any] | Dims | Counted | Described"

MOST_CONFIG_BYTES = 16 * 2**20
"""No config is longer than this many bytes; the largest known has 40 kB."""

REPOSITORY = r"[\w-][\w.-]*/[\w-][\w.-]*"
"""What the names of the hub look like: an owner's and a model's."""

FILES = (
    *(".bin", ".ckpt", ".gguf", ".h5", ".index", ".json", ".msgpack", ".pt", ".pth", ".py", ".safetensors", ".toml"),
    *(".yaml", ".yml"),
)
"""Endings of files: a name with one that does not exist was mistyped, and the hub is not asked for it."""


NOWHERE = "there is no such file or folder, and no model that ships has this name"
"""What is said of a path, or of what may be a repository, that is nothing on this machine."""


class LeftOut(Enum):
    """What stands for a model, a config or a file that was left out: None is a variable that was never set."""

    LEFT_OUT = "left out"

    def __repr__(self) -> str:
        return "<left out>"


LEFT_OUT: Final = LeftOut.LEFT_OUT


class Source(NamedTuple):
    """What a name came to, a GPT-2's dims or a model of another architecture, and what given fields are put over.

    `maker` says whose config it is, as `documents.maker` does; `said`, what it says of kernels, which no count reads;
    `is_part`, whether it is one of the models of what was named, such as a decoder;
    `quantization`, how a checkpoint beside it is quantised.
    """

    name: str
    counted: Dims | OtherModel
    notes: tuple[str, ...] = ()
    given: Mapping[str, Any] | None = None
    maker: str = ""
    said: Mapping[str, Any] | None = None
    quantization: Mapping[str, Any] | None = None
    is_part: bool = False

    @property
    def of_files(self) -> Mapping[str, Any]:
        """What the config says of how files hold the model: dtype, how it is quantized, and all else that is known."""
        if not isinstance(self.counted, Dims):
            return self.given or {}
        said = {"dtype": (self.said or {}).get("dtype"), "quantization_config": self.quantization}
        return {name: value for name, value in said.items() if value}

    @property
    def dims(self) -> Dims:
        """What the formulas of a GPT-2 read.

        Raises:
            ConfigError: the model is of another architecture.
        """
        return dims_of(self.counted, self.name)


GPT2 = Source("gpt2", from_fields(DEFAULTS), (), {})
"""What is meant where no model is named: transformers' defaults, without heads, so that any width goes with it."""


def resolve(
    model: Model | LeftOut, fields: Mapping[str, Any], *, hub: bool = False, revision: str | None = None
) -> Source:
    """Find what is named and put the given fields over it.

    Law: an existing path wins over a preset, and a preset over a repository of the hub; given fields win over the
    model's own; without a model, what is not given has transformers' default, which is gpt2's.

    Args:
        model: a preset's name or alias, a path to a config.json or to a folder that holds one, a repository, a mapping,
            a config, one of transformers too, dims, or a count; `LEFT_OUT` for gpt2's sizes.
        fields: fields in any spelling.
        hub: whether the model is a repository, whatever else has its name.
        revision: the repository's branch, tag or commit; with one, the model is a repository.

    Raises:
        UnknownNameError: no preset and no file has this name.
        UnreadableInputError: a file cannot be read, or does not describe a GPT-2.
        ConfigError: the given fields are wrong, or do not go with the model's.
        NetworkError: the hub did not give the repository's config.json.

    >>> resolve("small", {"block_size": 2048}).dims.n_positions
    2048
    """
    if hub or revision is not None:
        found = from_hub(model, revision)
    elif model is LEFT_OUT and fields.get("model_type") not in (None, "gpt2"):
        return _of_type(dict(fields))
    elif model is LEFT_OUT:
        found = GPT2
    elif isinstance(model, (str, os.PathLike)):
        found = _named(os.fspath(model))
    else:
        found = _in_memory(model)
    return _changed(found, fields) if fields else found


def _of_type(fields: dict[str, Any]) -> Source:
    """Return the model that transformers builds of a model type by default, with fields in place of its own."""
    from gpt2calc.architectures import reading

    document = {"model_type": (model_type := fields.pop("model_type"))}
    found = reading.read(document, fields)  # at once, since some types have no default that is built
    own = ", ".join(f"{field}={value}" for field, value in fields.items())
    name = f"{model_type} with {own}" if own else str(model_type)
    return Source(printable(name), found.model, found.notes, reading.rewritten(document, found.model), "huggingface")


def _in_memory(model: object) -> Source:
    """Return what an object of Python is a config of."""
    if isinstance(model, Source):
        return model
    if isinstance(model, Dims):
        return Source("dims", model)
    if isinstance(model, Mapping):
        return from_document(model, "config")
    known: Any = model
    if isinstance(counted := getattr(model, "counted", None), OtherModel):  # a count of another architecture
        return Source(known.name, counted, known.notes, counted.document())
    if hasattr(model, "dims"):
        own, maker, said = getattr(model, "given", None), getattr(model, "maker", ""), getattr(model, "kernels", None)
        return Source(known.name, known.dims, known.notes, own, maker, said)
    if (document := _document_of(model)) is not None:
        return from_document(document, type(model).__name__)
    got = "None" if model is None else shown(model)
    raise ConfigError(f"expected a model's name, a path, a mapping or a Config, got {got}", got=model)


def _document_of(model: object) -> Mapping[str, Any] | None:
    """Return the config of transformers that a model is, or that a live one carries; None where there is none."""
    if not isinstance(model, type) and hasattr(model, "to_dict") and hasattr(model, "model_type"):
        document: Mapping[str, Any] = model.to_dict()
        return document
    from gpt2calc.checkpoints import live

    return live.config_of(model) if live.is_model(model) else None


def from_document(document: Mapping[str, Any], name: str) -> Source:
    """Read a mapping as a config.json is read.

    Raises:
        ConfigError: the document describes no model that is counted.
    """
    from gpt2calc import architectures, documents, projects  # which what ships, and what is typed, does without

    document, where = projects.within(document)
    document, part = architectures.as_built(document)
    where += part
    if architectures.is_of_others(document):
        from gpt2calc.architectures import reading  # which a GPT-2 does without

        found = reading.read(document)
        whose = f"{name}, its language model" if found.is_part else name
        said = documents.quantization(document)
        notes = (*where, *found.notes)
        return Source(printable(whose), found.model, notes, document, "huggingface", quantization=said)
    fields, notes = documents.read(document)
    given = checked(fields)
    dims, maker, said = from_fields({**DEFAULTS, **given}), documents.maker(document), documents.kernels(document)
    quantization, is_part = documents.quantization(document), bool(part)
    return Source(printable(name), dims, (*where, *notes), given, maker, said, quantization, is_part)


def checked(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields in their canonical spelling, all of them valid.

    Raises:
        ConfigError: a field is unknown or out of range, or two spellings disagree.

    >>> checked({"layers": 24, "dropout": 0.1})
    {'n_layer': 24}
    """
    return _judged(canonical(fields))


def _judged(given: dict[str, Any]) -> dict[str, Any]:
    """Return fields that are in their canonical spelling, if they are valid."""
    if check(given):
        return given
    from gpt2calc.config import Config  # loads pydantic, which what is plain does without

    return Config(**given).given


def from_text(text: str, name: str) -> Source:
    """Read the text of a config.json.

    Raises:
        UnreadableInputError: the text does not describe a GPT-2.
    """
    from gpt2calc import notations  # loads ast, which what is no file does without

    try:
        return from_document(notations.read(text, name), name)
    except ConfigError as error:
        raise UnreadableInputError(name, str(error)) from None


def from_bytes(content: bytes, name: str) -> Source:
    """Read the bytes of a config.json, of which at most `MOST_CONFIG_BYTES` + 1 were read.

    Raises:
        UnreadableInputError: they are too many, not UTF-8, or do not describe a GPT-2.
    """
    if len(content) > MOST_CONFIG_BYTES:
        raise UnreadableInputError(name, f"expected a config.json of at most {MOST_CONFIG_BYTES:,} bytes, got more")
    try:
        return from_text(content.decode("utf-8-sig"), name)
    except UnicodeDecodeError as error:
        problem = f"expected a config.json in UTF-8, got other bytes at offset {error.start}"
        raise UnreadableInputError(name, problem) from None


def is_repository(name: str) -> bool:
    """Return whether a name is taken for a repository of the hub: it looks like one, and is nothing nearer.

    >>> is_repository("openai-community/gpt2-german"), is_repository("openai-community/gpt2"), is_repository("a/b.json")
    (True, False, False)
    """
    from gpt2calc import presets

    looks = re.fullmatch(REPOSITORY, name, re.ASCII) and not name.endswith(FILES)
    return bool(looks) and not os.path.lexists(name) and presets.find(name) is None


def from_hub(model: object, revision: str | None = None) -> Source:
    """Read the config.json of a repository of the hub, and nothing else of it.

    Raises:
        ConfigError: huggingface_hub is missing, or this is no repository's name.
        NetworkError: the hub did not give the config.json.
        UnreadableInputError: there is none, or it does not describe a GPT-2.
    """
    if not isinstance(model, (str, os.PathLike)):
        got = "none" if model is LEFT_OUT else "None" if model is None else shown(getattr(model, "name", model))
        raise ConfigError(f"expected the name of a repository of the hub, got {got}", got=model)
    name = os.fspath(model)
    return _from_repository(*open_repository(name, revision), name if revision is None else f"{name}@{revision}")


def open_repository(
    name: str, revision: str | None = None, *, perhaps: bool = False
) -> tuple[Repository, bytes | None]:
    """Open a repository of the hub and read its config.json, which shows whether the hub has it.

    Args:
        name: the repository.
        revision: its branch, tag or commit.
        perhaps: whether the name is only likely to be a repository's, so that an error says what else was looked for.

    Returns:
        The repository, and the content of its config.json, None where there is none.

    Raises:
        ConfigError: huggingface_hub is missing, or this is no repository's name.
        NetworkError: the hub did not give the config.json.
    """
    from gpt2calc import presets
    from gpt2calc.checkpoints import hub  # what is on this machine does without

    near = closest(name, tuple(word for word in presets.spoken() if "/" in word)) if perhaps else None
    advice = f": did you mean {near}?" if near else ""
    if perhaps and not hub.is_installed():
        raise ConfigError(f"{name}: {NOWHERE}; reading it from the hub {hub.MISSING}{advice}")
    try:
        repository = hub.open_repo(name, revision)
        return repository, repository.config()
    except NetworkError as error:
        if not perhaps:
            raise
        raise NetworkError(name, f"{NOWHERE}; on the hub: {error.problem}{advice}") from None


def _from_repository(repository: Repository, content: bytes | None, called: str) -> Source:
    if content is None:
        raise UnreadableInputError(repository.name, "expected a repository with a config.json, and there is none in it")
    source = from_bytes(content, f"{repository.name}/config.json")
    return source._replace(name=called, notes=(repository.note, *source.notes))


def _changed(source: Source, fields: Mapping[str, Any]) -> Source:
    """Put fields over a model's own, and say so in its name and, where it is not plain, in a note."""
    if isinstance(source.counted, OtherModel):
        return _changed_other(source, source.counted, fields)
    own = {} if source is GPT2 else checked(_given(source.dims) if source.given is None else source.given)
    changes, notes = canonical(fields), list(source.notes)
    n_head, n_inner, width = own.get("n_head"), own.get("n_inner"), own.get("n_embd", DEFAULTS["n_embd"])
    n_embd = changes.get("n_embd", width)
    if n_head and "n_head" not in changes and isinstance(n_embd, int) and n_embd % n_head:
        own["n_head"] = None
        notes.append(f"n_head is left out: the model's does not divide n_embd {n_embd}, and no count depends on it")
    if n_inner is not None and n_embd != width and "n_inner" not in changes:
        notes.append(f"n_inner stays {n_inner}, as the model gives it, while n_embd changes")
    sizes = ((field, value) for field, value in fields.items() if field in CANONICAL and _is_size(field))
    notes += filter(None, (numbers.remark(field, value) for field, value in sizes))
    given = _judged({**own, **changes})
    said = dict(source.said or {})
    if not fields.keys() <= CANONICAL.keys():  # what is no field can say how a model is run
        from gpt2calc import documents

        said |= documents.kernels(fields)
    return Source(
        called(source.name, changes),
        from_fields({**DEFAULTS, **given}),
        tuple(notes),
        given,
        source.maker,
        said,
        source.quantization,
    )


def _is_size(spelling: str) -> bool:
    return FIELDS[CANONICAL[spelling]].kind == SIZE


def _changed_other(source: Source, counted: OtherModel, fields: Mapping[str, Any]) -> Source:
    """Put fields over those of a model of another architecture, whose document is read anew."""
    changes = dict(fields)
    model_type = counted.architecture.model_type
    if (named := changes.pop("model_type", model_type)) != model_type:
        raise ConfigError(f"{source.name} is a {model_type}, and no {shown(named)}", field="model_type", got=named)
    from gpt2calc.architectures import reading

    document = source.given or {}
    found = reading.read(document, changes)
    name, rewritten = printable(called(source.name, changes)), reading.rewritten(document, found.model)
    return Source(name, found.model, found.notes, rewritten, source.maker, quantization=source.quantization)


def _given(dims: Dims) -> dict[str, Any]:
    """Return the fields of bare dims, without those that follow from others and so should follow a change of them."""
    fields = to_fields(dims)
    if dims.n_inner == 4 * dims.n_embd:
        del fields["n_inner"]
    if dims.qkv_bias == dims.bias:
        del fields["qkv_bias"]
    return fields


def _named(name: str) -> Source:
    from gpt2calc import inputs, presets  # which fields alone do without

    found, path = inputs.status(name), name
    if found is not None and stat.S_ISDIR(found.st_mode):
        path = os.path.join(name, "config.json")
        found = inputs.status(path)
        if found is not None and stat.S_ISDIR(found.st_mode):
            found = None
    if found is not None:  # a pipe will do, as a shell's <(...) gives, though not one that an archive carried
        source = from_bytes(read_bytes(path) if path == name else read_companion(path), path)
        is_path = name.endswith(FILES) or name.startswith((".", os.sep))  # no model that ships is called so
        if is_path or presets.find(name) is None:
            return source
        note = f"{printable(name)} is read from here, {printable(path)}, and is not the model that ships by that name"
        return source._replace(notes=(note, *source.notes))
    preset = presets.find(name)
    if preset is not None:
        return Source(preset.name, preset.counted, preset.notes, preset.fields, preset.maker, preset.kernels)
    if os.path.isdir(name):
        raise UnreadableInputError(name, "expected a folder with a config.json, and there is none in it")
    if is_repository(name):
        return _from_repository(*open_repository(name, perhaps=True), name)
    if os.sep in name or name.endswith(".json"):
        near = None if name.startswith((".", os.sep)) or name.endswith(".json") else closest(name, presets.spoken())
        advice = f": did you mean {near}?" if near else ""
        raise UnreadableInputError(name, f"{NOWHERE}{advice}")
    raise UnknownNameError("model", name, presets.spoken(), " and there is no such file")


def read_bytes(path: str) -> bytes:
    """Return the content of a file, up to one byte more than a config may have.

    Raises:
        UnreadableInputError: it cannot be opened or read.
    """
    from gpt2calc import inputs

    return inputs.read(path, MOST_CONFIG_BYTES + 1)


def read_companion(path: str) -> bytes:
    """Return the content of a config that stands in a folder, or beside a file, which is what was named.

    Raises:
        UnreadableInputError: it cannot be opened or read, or is no file.
    """
    from gpt2calc import inputs

    return inputs.read_file(path, MOST_CONFIG_BYTES + 1)
