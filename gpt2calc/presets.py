"""The models that ship with gpt2calc: `configs/*.json`, one file a model, the one home of their numbers.

The tests validate every file, so a preset reaches the formulas without pydantic, in microseconds.
"""

from __future__ import annotations

import json
import os
from typing import Any, NamedTuple

from gpt2calc import formulas
from gpt2calc.dims import Dims, from_fields
from gpt2calc.documents import OURS, maker
from gpt2calc.errors import UnknownNameError
from gpt2calc.fields import CLASSES

_HERE = os.path.dirname(os.path.abspath(__file__))


class Preset(NamedTuple):
    """One shipped model: its name, its fields in canonical spelling, where they come from, and for whom they are."""

    name: str
    fields: dict[str, Any]
    aliases: tuple[str, ...]
    summary: str
    source: str
    published: str | None
    note: str | None
    maker: str

    @property
    def dims(self) -> Dims:
        """What the formulas read."""
        return from_fields(self.fields)

    @property
    def given(self) -> dict[str, Any]:
        """What other fields are put over."""
        return self.fields

    @property
    def notes(self) -> tuple[str, ...]:
        """Nothing: a preset is read as it is."""
        return ()


def folder() -> str:
    """Return the folder of the presets: inside the package when installed, beside it in a clone."""
    inside = os.path.join(_HERE, "configs")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(_HERE), "configs")


def names() -> tuple[str, ...]:
    """Return the names of all presets, in alphabetical order whatever the case.

    >>> "gpt2" in names()
    True
    """
    stems = (entry.removesuffix(".json") for entry in os.listdir(folder()) if entry.endswith(".json"))
    return tuple(sorted(stems, key=str.casefold))


def _read(name: str) -> Preset:
    with open(os.path.join(folder(), name + ".json"), encoding="utf-8") as file:
        document = json.load(file)
    ours = document[OURS]
    fields = {key: value for key, value in document.items() if key not in (OURS, "model_type", "architectures")}
    fields["head"] = CLASSES[document["architectures"][0]]
    aliases = tuple(ours["aliases"])
    told = ours["summary"], ours["source"], ours["published"], ours.get("note")
    return Preset(name, fields, aliases, *told, maker(document))


def find(name: str) -> Preset | None:
    """Return the preset of this name or alias, in any case, or None.

    >>> find("small").name, find("openai-community/gpt2-xl").name, find("gpt5")
    ('gpt2', 'gpt2-xl', None)
    """
    known = names()
    if name in known:
        return _read(name)
    wanted = name.casefold()
    for preset in map(_read, known):
        if wanted in map(str.casefold, (preset.name, *preset.aliases)):
            return preset
    return None


def load(name: str) -> Preset:
    """Return the preset of this name or alias.

    Raises:
        UnknownNameError: there is none; the message gives the nearest.

    >>> load("gpt2-medium").dims.n_layer
    24
    """
    preset = find(name)
    if preset is None:
        raise UnknownNameError("model", name, tuple(word for each in models() for word in (each.name, *each.aliases)))
    return preset


def models() -> tuple[Preset, ...]:
    """Return every preset: GPT-2's own sizes first, then family by family, each from the smallest to the largest.

    >>> [preset.name for preset in models()][:2], len(models()) == len(names())
    (['gpt2', 'gpt2-medium'], True)
    """

    def place(preset: Preset) -> tuple[bool, str, int, str]:
        released = any(alias.startswith("openai-community/gpt2") for alias in preset.aliases)
        family = preset.name.partition("-")[0].casefold()
        return not released, family, formulas.total(preset.dims), preset.name

    return tuple(sorted(map(_read, names()), key=place))
