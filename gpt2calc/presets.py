"""The models that ship with gpt2calc: `configs/*.json`, one file a model, the one home of their numbers.

Those of other architectures than GPT-2 are in `configs/architectures`. `preset_index` says which file a name or an
alias is of, so that one file is opened and no folder is listed. The tests validate every file, so a preset reaches the
formulas without pydantic, in microseconds.
"""

from __future__ import annotations

import json
import os

from gpt2calc.dims import Dims, dims_of, from_fields
from gpt2calc.errors import UnknownNameError
from gpt2calc.fields import CLASSES, OURS
from gpt2calc.preset_index import INDEX
from gpt2calc.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gpt2calc.architectures import reading
    from gpt2calc.model import Model

OTHERS = "architectures"
"""The folder, within that of the presets, of those that are no GPT-2."""

GPT2 = "gpt2"

_HERE = os.path.dirname(os.path.abspath(__file__))


class Preset(NamedTuple):
    """One shipped model: its name, its fields in canonical spelling, where they come from, and for whom they are.

    `kernels` is what its config says of activation and dropout, which no count reads and a cost does; `on_page`,
    whether the what-if page ships it, too, which has 300 kB.
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
    on_page: bool

    @property
    def model_type(self) -> str:
        """The architecture, as a config.json says it."""
        return str(self.fields.get("model_type", GPT2))

    @property
    def counted(self) -> Dims | Model:
        """A GPT-2's dims, or a model of another architecture."""
        return from_fields(self.fields) if self.model_type == GPT2 else _read_other(self.fields).model

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
        return () if self.model_type == GPT2 else _read_other(self.fields).notes


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
    return tuple(name for name, (model_type, *_) in INDEX.items() if (model_type != GPT2) == bool(place))


_FOUND = {word.casefold(): name for name, (_, *aliases) in INDEX.items() for word in (name, *aliases)}
"""The name of the file of every name and alias, in the case that has none."""


def _read(name: str) -> Preset:
    place = "" if INDEX[name][0] == GPT2 else OTHERS
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
    maker = ours.get("maker", "huggingface")  # as `documents.maker` says of a document that has a model_type, as all do
    return Preset(name, fields, aliases, *told, maker, ours.get("kernels", {}), ours.get("page", True))


def find(name: str) -> Preset | None:
    """Return the preset of this name or alias, in any case, or None.

    >>> find("small").name, find("openai-community/gpt2-xl").name, find("qwen3-0.6b").name, find("gpt5")
    ('gpt2', 'gpt2-xl', 'Qwen3-0.6B', None)
    """
    found = _FOUND.get(name.casefold())
    return None if found is None else _read(found)


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


def holding(word: str) -> tuple[str, ...]:
    """Return the names of the models in whose name, alias or model type a word stands, in any case.

    Raises:
        UnknownNameError: it stands in none; the message gives the nearest.

    >>> holding("smollm"), len(holding("")) == len(INDEX)
    (('SmolLM-1.7B', 'SmolLM2-135M', 'SmolLM2-360M'), True)
    """
    sought = word.casefold()
    found = tuple(name for name, words in INDEX.items() if any(sought in each.casefold() for each in (name, *words)))
    if not found:
        raise UnknownNameError("model", word, spoken())
    return found


def spoken() -> tuple[str, ...]:
    """Return every name and alias of a model that ships."""
    return tuple(word for name, (_, *aliases) in INDEX.items() for word in (name, *aliases))


def others(model_type: str = "") -> tuple[Preset, ...]:
    """Return the presets of other architectures, in alphabetical order; of one of them where it is named.

    >>> [preset.name for preset in others()][:2], [preset.name for preset in others("gpt_oss")]
    (['aya-23-8B', 'CodeLlama-13B'], ['gpt-oss-120b', 'gpt-oss-20b'])
    """
    return tuple(map(_read, (name for name in names(OTHERS) if model_type in ("", INDEX[name][0]))))


def files() -> dict[str, tuple[str, ...]]:
    """Return what the index should say, by reading every file: of each its model type and its aliases.

    It is what `docs/generate.py` writes to `preset_index`, and what the tests hold that against.
    """
    found = {}
    for place in ("", OTHERS):
        for entry in os.listdir(os.path.join(folder(), place)):
            name, ending = os.path.splitext(entry)
            if ending == ".json":
                with open(os.path.join(folder(), place, entry), encoding="utf-8") as file:
                    document = json.load(file)
                found[name] = document["model_type"], *document[OURS]["aliases"]
    return {name: found[name] for name in sorted(found, key=str.casefold)}


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
