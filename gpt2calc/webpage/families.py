"""The models that the page ships, as JSON takes them: those of every architecture, and each type by its defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc import architectures
from gpt2calc.architectures import reading
from gpt2calc.counts import ParameterCount
from gpt2calc.model import FIXED, FLAG, LIST, SIZE, Model
from gpt2calc.table import short
from gpt2calc.webpage.asked import BESIDE

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gpt2calc.dims import Dims
    from gpt2calc.general_conventions import Convention
    from gpt2calc.presets import Preset


def convention(row: Convention) -> list[str]:
    """Return a convention as the page shows it: its name, its unit, what is counted, and by whom."""
    name, unit, sentence, source = row[:4]
    return [name, unit, f"in bytes: {sentence}" if unit == "bytes" else sentence, source]


def kept(others: Iterable[Preset]) -> list[Preset]:
    """Return the models that the page ships; all others are a config.json away."""
    return [each for each in others if each.on_page]


def preset(shipped: Preset) -> dict[str, Any]:
    """Return a model that ships, with the fields that its architecture has.

    Every plain default of a number and a flag is among them: a model that ships gives each of them.
    """
    document, architecture = shipped.fields, architectures.of(shipped.model_type)
    (named,) = document["architectures"]
    given = {**document, "head": architecture.classes[named]} if architecture.classes[named] != "lm" else document
    fields = {}
    for row in architecture.sizes:
        usual = row.default if row.kind in (SIZE, FLAG) else ""
        if row.name in given and given[row.name] != usual:
            fields[row.name] = given[row.name]
        elif isinstance(usual, (int, float)) and row.name != "num_labels":
            fields[row.name] = usual
    about = {"name": shipped.name, "type": shipped.model_type, "aliases": shipped.aliases, "summary": shipped.summary}
    beside = {name: document[name] for name in BESIDE if name in document}
    own: dict[str, Any] = {"beside": beside} if beside else {}
    return {**about, "size": size(shipped.counted), "all": fields, **own}


def plain() -> Iterator[dict[str, Any]]:
    """Yield each architecture with transformers' defaults: what a model type alone says, unless a size has none."""
    for name in sorted(set(architectures.FILES) - {"gpt2"}):
        architecture = architectures.of(name)
        is_needy = any(row.default is None and row.kind not in (LIST, FIXED) for row in architecture.sizes)
        about = {"name": name, "type": name, "summary": f"{name} with transformers' defaults", "all": {}}
        own = "" if is_needy else size(reading.read({"model_type": name}).model)
        yield {**about, "is_plain": True, "is_needy": is_needy, "size": own}


def size(model: Dims | Model) -> str:
    """Return how large a model is, for the list in which it is chosen."""
    return short(ParameterCount(model).total)
