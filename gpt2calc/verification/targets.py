"""From what a person wants verified to a listing, and to the config that it is held against.

An existing path wins over a model that ships, and that over a repository on the hub, as everywhere. It must not know
what is right and wrong.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import notations, sources
from gpt2calc.dims import Dims, to_fields
from gpt2calc.errors import ConfigError, UnreadableInputError, printable
from gpt2calc.fields import SIZES
from gpt2calc.validity import canonical

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    from gpt2calc.listing import TensorListing
    from gpt2calc.sources import LeftOut, Model, Source

    Target: TypeAlias = "str | os.PathLike[str] | Mapping[str, Any] | object"

ADAPTER_CONFIG = "adapter_config.json"
"""What PEFT calls the config of an adapter."""

LOCAL, REMOTE, LIVE, CONFIG = "file", "hub", "live", "config"
"""Where what is verified lies: on this machine, on the hub, in memory, or nowhere, since it is a config alone."""


class ResolvedTarget(NamedTuple):
    """What a target came to.

    Args:
        name: what the user called it.
        where: `LOCAL`, `REMOTE`, `LIVE` or `CONFIG`.
        listing: what it holds; None for a config alone.
        source: the config that was given or found beside it; None where there is none.
        origin: where that config comes from.
        model: the live model, where it is one.
        folder: the folder on this machine that it lies in, where transformers could load it from there.
        adapter: PEFT's config of an adapter beside it, where there is one.
        on_meta: whether the live model's parameters are on torch's meta device, and so hold no values.
    """

    name: str
    where: str
    listing: TensorListing | None
    source: Source | None
    origin: str
    model: object = None
    folder: str | None = None
    on_meta: bool = False
    adapter: Mapping[str, Any] | None = None


def find(
    target: Target,
    config: Model | LeftOut,
    fields: Mapping[str, Any],
    *,
    hub: bool = False,
    revision: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> ResolvedTarget:
    """Find what is named, list what it holds, and find its config.

    Args:
        target: a checkpoint's file or folder, a config, a model that ships, a repository, a module or a state_dict.
        config: what it is held against, named as for `count`; the config beside it or in it where it is left out.
        fields: fields that win over those of the config.
        hub: whether the target is a repository on the hub, whatever else has this name.
        revision: the revision of that repository.
        progress: is told how many of its shards have been read, and of how many.

    Raises:
        UnknownNameError, ConfigError, UnreadableInputError, NetworkError: there is none, or it cannot be read.
    """
    if not isinstance(target, (str, os.PathLike)):
        found = _in_memory(target)
    elif hub or revision is not None:
        found = _on_hub(os.fspath(target), revision, progress)
    elif os.path.lexists(target) or os.path.isfile(f"{os.fspath(target)}.index"):  # the prefix of a TensorFlow file
        found = _on_disk(os.fspath(target))
    elif sources.is_repository(os.fspath(target)):
        found = _on_hub(os.fspath(target), None, progress)
    else:
        source = sources.resolve(os.fspath(target), fields)
        _refuse_two(source.name, config)
        if "/" in os.fspath(target):  # it has the name of its repository
            note = f"{printable(os.fspath(target))} is a model that ships; --hub means the repository of that name"
            source = source._replace(notes=(*source.notes, note))
        return ResolvedTarget(source.name, CONFIG, None, source, source.name)
    if config is not sources.LEFT_OUT:
        if found.listing is None:
            _refuse_two(found.name, config)
        source = sources.resolve(config, fields)
        if source.quantization is None and found.source is not None:  # how a file is packed, its own config says
            source = source._replace(quantization=found.source.quantization)
        return found._replace(source=source, origin=source.name)
    if found.source is not None and fields:
        source = sources.resolve(found.source, fields)
        return found._replace(source=source, origin=source.name)
    return found


def _refuse_two(name: str, config: object) -> None:
    """Raise where a config alone is to be held against another config: `compare` shows what differs."""
    if config is not sources.LEFT_OUT:
        problem = f"{name} is a config alone, and a config is what a checkpoint is held against"
        raise ConfigError(f"{problem}: gpt2calc compare shows two side by side")


def _in_memory(target: object) -> ResolvedTarget:
    """Read a module or a state_dict; a config, or what else is no checkpoint, is a config alone."""
    from gpt2calc.checkpoints import live

    if live.is_model(target):
        listing = live.read(target)
        fields = live.config_of(target)
        source = sources.from_document(fields, "its own config") if fields else None
        return ResolvedTarget(
            listing.name, LIVE, listing, source, "its own config", target, on_meta=live.on_meta(target)
        )
    if target is None or (isinstance(target, Mapping) and not target):
        raise ConfigError(f"expected a checkpoint, a model or a config, got {target}", got=target)
    source = sources.resolve(target, {})  # type: ignore[arg-type]  # resolve refuses what is no model, in a sentence
    return ResolvedTarget(source.name, CONFIG, None, source, source.name)


def _on_disk(path: str) -> ResolvedTarget:
    from gpt2calc.checkpoints import folders

    companion = folders.companion_config(path)
    source = sources.from_bytes(sources.read_companion(companion), companion) if companion else None
    if not os.path.isdir(path) and _is_config(path):
        source = sources.resolve(path, {})
        return ResolvedTarget(source.name, CONFIG, None, source, source.name)
    listing = folders.open_listing(path)
    folder = path if os.path.isdir(path) else None
    if folder is None and source is not None and (other := _otherwise(listing, source)):
        note = f"{companion}, which lies beside it, says {other}: it is held against what it says of itself"
        return ResolvedTarget(listing.name, LOCAL, listing._replace(notes=(*listing.notes, note)), None, "")
    beside = _adapter_config(path)
    return ResolvedTarget(listing.name, LOCAL, listing, source, companion or "", folder=folder, adapter=beside)


def _adapter_config(path: str) -> Mapping[str, Any] | None:
    """Return the config of an adapter in a folder, or beside a file; None where there is none.

    Raises:
        UnreadableInputError: it is no JSON, or no object.
    """
    place = os.path.join(path if os.path.isdir(path) else os.path.dirname(path), ADAPTER_CONFIG)
    if not os.path.isfile(place):
        return None
    try:
        return notations.in_json(sources.read_companion(place).decode("utf-8-sig"))
    except (ConfigError, UnicodeDecodeError) as error:
        raise UnreadableInputError(place, str(error)) from None


def _otherwise(listing: TensorListing, source: Source) -> str:
    """Return the first size that a config says otherwise than a file that describes itself; "" where there is none."""
    if not isinstance(source.counted, Dims):
        return ""
    config = to_fields(source.dims)
    said = canonical(listing.fields)
    differing = (name for name in SIZES if type(said.get(name)) is int and said[name] != config[name])
    return next((f"{name} {config[name]:,} where the file says {said[name]:,}" for name in differing), "")


def _is_config(path: str) -> bool:
    """Whether a path is that of a config.json, or a pipe through which one comes."""
    from gpt2calc.checkpoints import folders

    is_json = path.endswith(".json") and not folders.is_index(path)
    return is_json or (os.path.exists(path) and not os.path.isfile(path))


def _on_hub(name: str, revision: str | None, progress: Callable[[int, int], None] | None) -> ResolvedTarget:
    from gpt2calc.checkpoints import hub

    repository = hub.open_repo(name, revision)
    content = repository.config()
    origin = f"{name}/config.json" if content is not None else ""
    source = None if content is None else sources.from_bytes(content, origin)
    listing = repository.listing(progress)
    listing = listing._replace(name=printable(name), notes=(repository.note, *listing.notes))
    return ResolvedTarget(listing.name, REMOTE, listing, source, origin)


def merged(own: Mapping[str, Any], inferred: Mapping[str, Any], fields: Mapping[str, Any], name: str) -> Source:
    """Put what a file itself says of its config, and then given fields, over what its shapes show.

    Raises:
        UnreadableInputError: what the file says is not a GPT-2's config.
    """
    try:
        source = sources.from_document({**inferred, **canonical(own)}, name)
    except ConfigError as error:
        raise UnreadableInputError(name, f"what it says of its own config cannot be: {error}") from None
    return sources.resolve(source, fields) if fields else source
