"""The models that ship with gpt2calc: `configs/*.json`, one file a model, the one home of their numbers.

Those of other architectures than GPT-2 are in `configs/architectures`. The tests validate every file, so a preset
reaches the formulas without pydantic, in microseconds.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.dims import Dims, dims_of, from_fields
from gpt2calc.documents import OURS, maker
from gpt2calc.errors import UnknownNameError
from gpt2calc.fields import CLASSES

if TYPE_CHECKING:
    from gpt2calc.architectures import reading
    from gpt2calc.model import Model

OTHERS = "architectures"
"""The folder, within that of the presets, of those that are no GPT-2."""

_HERE = os.path.dirname(os.path.abspath(__file__))


class Preset(NamedTuple):
    """One shipped model: its name, its fields in canonical spelling, where they come from, and for whom they are.

    `kernels` is what its config says of activation and dropout, which no count reads and a cost does.
    """

    name: str
    fields: dict[str, Any]
    aliases: tuple[str, ...]
    summary: str
    source: str
    published: str | None
    published_active: str | None
    note: str | None
    maker: str
    kernels: dict[str, Any]

    @property
    def model_type(self) -> str:
        """The architecture, as a config.json says it."""
        return str(self.fields.get("model_type", "gpt2"))

    @property
    def counted(self) -> Dims | Model:
        """A GPT-2's dims, or a model of another architecture."""
        return from_fields(self.fields) if self.model_type == "gpt2" else _read_other(self.fields).model

    @property
    def dims(self) -> Dims:
        """What the formulas of a GPT-2 read.

        Raises:
            ConfigError: the model is of another architecture.
        """
        return dims_of(self.counted, self.name)

    @property
    def given(self) -> dict[str, Any]:
        """What other fields are put over."""
        return self.fields

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of a model of another architecture; a GPT-2 is read as it is."""
        return () if self.model_type == "gpt2" else _read_other(self.fields).notes


def _read_other(document: dict[str, Any]) -> reading.Read:
    from gpt2calc.architectures import reading  # which a GPT-2 does without

    return reading.read(document)


def folder() -> str:
    """Return the folder of the presets: inside the package when installed, beside it in a clone."""
    inside = os.path.join(_HERE, "configs")
    return inside if os.path.isdir(inside) else os.path.join(os.path.dirname(_HERE), "configs")


def names(place: str = "") -> tuple[str, ...]:
    """Return the names of all presets of GPT-2's, in alphabetical order whatever the case.

    Args:
        place: OTHERS for those of other architectures.

    >>> "gpt2" in names(), "Mistral-7B" in names(OTHERS)
    (True, True)
    """
    stems = (entry.removesuffix(".json") for entry in os.listdir(os.path.join(folder(), place)) if "." in entry)
    return tuple(sorted(stems, key=str.casefold))


def _read(name: str, place: str = "") -> Preset:
    with open(os.path.join(folder(), place, name + ".json"), encoding="utf-8") as file:
        document = json.load(file)
    ours = document[OURS]
    if place:
        fields = {key: value for key, value in document.items() if key != OURS}
    else:
        fields = {key: value for key, value in document.items() if key not in (OURS, "model_type", "architectures")}
        fields["head"] = CLASSES[document["architectures"][0]]
    aliases = tuple(ours["aliases"])
    told = ours["summary"], ours["source"], ours["published"], ours.get("published_active"), ours.get("note")
    return Preset(name, fields, aliases, *told, maker(document), ours.get("kernels", {}))


def find(name: str) -> Preset | None:
    """Return the preset of this name or alias, in any case, or None.

    >>> find("small").name, find("openai-community/gpt2-xl").name, find("qwen3-0.6b").name, find("gpt5")
    ('gpt2', 'gpt2-xl', 'Qwen3-0.6B', None)
    """
    for place in ("", OTHERS):
        known = names(place)
        if name in known:
            return _read(name, place)
    wanted = name.casefold()
    for preset in (*map(_read, names()), *others()):
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
        raise UnknownNameError("model", name, spoken())
    return preset


def spoken() -> tuple[str, ...]:
    """Return every name and alias of a model that ships."""
    return tuple(word for each in (*models(), *others()) for word in (each.name, *each.aliases))


def others() -> tuple[Preset, ...]:
    """Return the presets of other architectures, in alphabetical order.

    >>> [preset.name for preset in others()][:2]
    ['CodeLlama-34B', 'DeepSeek-V3']
    """
    return tuple(_read(name, OTHERS) for name in names(OTHERS))


def models() -> tuple[Preset, ...]:
    """Return the presets of a GPT-2's shape: its own sizes first, then by family, from the smallest to the largest.

    >>> [preset.name for preset in models()][:2], len(models()) == len(names())
    (['gpt2', 'gpt2-medium'], True)
    """
    from gpt2calc import formulas

    def place(preset: Preset) -> tuple[bool, str, int, str]:
        released = any(alias.startswith("openai-community/gpt2") for alias in preset.aliases)
        family = preset.name.partition("-")[0].casefold()
        return not released, family, formulas.total(preset.dims), preset.name

    return tuple(sorted(map(_read, names()), key=place))
