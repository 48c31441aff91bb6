"""What the page knows and does not compute, as JSON takes it: models, conventions, how fields are shown, units.

Nothing is stated here: each value is taken from the table that is its home. What the page computes is in `engine`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc import conventions, general_conventions
from gpt2calc.checkpoints import strict_json
from gpt2calc.designs import bases, designer, family
from gpt2calc.explanation import printed
from gpt2calc.fields import FIELDS
from gpt2calc.model import GROUPS
from gpt2calc.webpage import families
from gpt2calc.webpage.controls import CONTROLS

if TYPE_CHECKING:
    from gpt2calc.presets import Preset
    from gpt2calc.webpage.controls import Control


def collect(shipped: tuple[Preset, ...], others: tuple[Preset, ...]) -> dict[str, Any]:
    """Return all that the page knows and does not compute.

    Args:
        shipped: the GPT-2s that ship.
        others: the models of other architectures that ship.
    """
    models = [*map(_preset, shipped), *map(families.preset, families.kept(others)), *families.plain()]
    return {
        "groups": GROUPS,
        "conventions": list(map(families.convention, conventions.CONVENTIONS)),
        "general": list(map(families.convention, general_conventions.OF_MODELS)),
        "controls": [_control(control, shipped) for control in CONTROLS],
        "presets": models,
        "largest": strict_json.SMALL_JSON_BYTES,
        "examples": printed.EXAMPLES,
        "design": _design(),
    }


def _design() -> dict[str, Any]:
    """Return what bounds a search for shapes of a GPT-2 unless somebody says otherwise, and what ranks them."""
    bounds = {name: designer.DEFAULTS[name].split(":") for name in ("n_layer", "aspect")}
    return {
        "layers": list(map(int, bounds["n_layer"])),
        "aspect": list(map(int, bounds["aspect"])),
        "step": min(bases.HEAD_SIZES),
        "percent": int(designer.WITHIN),
        "most": designer.USUAL_SHAPES,
        "members": family.MEMBERS,
    }


def _control(control: Control, shipped: tuple[Preset, ...]) -> dict[str, Any]:
    """Return a control with what the table says of its field, and the sizes that the GPT-2s that ship have."""
    named = {name: getattr(control, name) for name in ("field", "kind", "hint", "low", "high", "step", "empty")}
    sizes = {preset.fields[control.field] for preset in shipped} - {None} if control.high else set()
    return {**named, "shipped": sorted(size for size in sizes if control.low <= size <= control.high)}


def _preset(preset: Preset) -> dict[str, Any]:
    """Return a GPT-2 that ships, with all its fields."""
    about = {name: getattr(preset, name) for name in ("name", "aliases", "summary", "published", "maker")}
    return {
        **about,
        "type": "gpt2",
        "size": families.size(preset.counted),
        "all": {name: preset.fields.get(name, row.default) for name, row in FIELDS.items()},
    }
