"""The Python tables that are data, for the page: names, spellings, presets, dtypes, dialects, units, architectures.

Nothing is stated here: each value is taken from the table that is its home. What counts a GPT-2 is in `arithmetic`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc import (
    conventions,
    counts,
    fields,
    figures,
    listing,
    numbers,
    projects,
    spellings,
    unread,
)
from gpt2calc.algebra import READING_ORDER
from gpt2calc.checkpoints import safetensors, strict_json
from gpt2calc.designs import bases, designer, family
from gpt2calc.dialects import DIALECTS, respellings
from gpt2calc.dialects.base import BLOCK, TASK_HEAD_COMPONENTS
from gpt2calc.dialects.layouts import LINEAR, SAME
from gpt2calc.dims import LETTERS, TASK_HEADS
from gpt2calc.explanation import chance, lattice, printed, readings, report
from gpt2calc.fields import FIELDS
from gpt2calc.model import (
    BIAS,
    FLAG,
    GROUPS,
    LAYER_EMBEDDING,
    OUTPUT_HEAD,
    POSITION_EMBEDDING,
    SIZE,
    TOKEN_EMBEDDING,
    WEIGHT,
    WORD,
)
from gpt2calc.plots import stages
from gpt2calc.verification import assignment, examination, findings, inference, naming, packing, tying
from gpt2calc.webpage import families
from gpt2calc.webpage.controls import CONTROLS

if TYPE_CHECKING:
    from gpt2calc.dialects.base import Dialect
    from gpt2calc.explanation.lattice import Step
    from gpt2calc.presets import Preset
    from gpt2calc.webpage.controls import Control


COLUMNS = ("name", "default", "spellings", "mapped", "in_transformers", "least", "null", "words", "expected", "of_head")
"""What the page needs of the table of fields; how it shows them stands in `controls`."""

KINDS = {fields.SIZE: SIZE, fields.SWITCH: FLAG, fields.WORD: WORD}
"""What the kinds of a GPT-2's fields are called where architectures have tables of sizes."""

MOST_SHARDS, MOST_TENSORS = 128, 10_000
"""How many of them the page looks at, and at small headers alone, so that it never freezes. The command line takes a
hundred times as many tensors."""


def collect(shipped: tuple[Preset, ...]) -> dict[str, Any]:
    """Return what the first drawing needs, of the first GPT-2 that ships, as JSON takes it.

    Args:
        shipped: the GPT-2s that ship.
    """
    return {
        "schema": counts.SCHEMA,
        "letters": LETTERS,
        "reading_order": READING_ORDER,
        "groups": GROUPS,
        "conventions": list(map(families.convention, conventions.CONVENTIONS)),
        "controls": [_control(control, shipped) for control in CONTROLS],
        "presets": list(map(_preset, shipped[:1])),
        "config": _config(),
        "explain": _explain(),
        "safetensors": _safetensors(),
        "names": _names(),
        "families": {**families.collect(("gpt2",)), "common": []},  # of a GPT-2, `config` says what is read
    }


def rest(shipped: tuple[Preset, ...], others: tuple[Preset, ...]) -> dict[str, Any]:
    """Return all else that the page knows and does not compute: what is added to the tables of `collect`.

    Args:
        shipped: the GPT-2s that ship.
        others: the models of other architectures that ship.
    """
    return {
        "config": {"no_count": sorted(spellings.NO_COUNT), "projects": _projects()},
        "explain": {
            "axes": [list(map(_step, axis)) for axis in lattice.axes(shipped)],
            "parts": list(map(_step, (lattice.PLAIN, *lattice.PARTS))),  # the plain count first, which is no step
        },
        "names": _dialects(),
        "presets": [
            *map(_preset, shipped[1:]),
            *map(families.preset, families.kept(others)),
            *families.plain(),
        ],
        "families": {**families.collect(), **families.beside()},
        "design": _design(),
        "flow": _flow(),
    }


def _flow() -> dict[str, Any]:
    """Return by which names and parts a component has its place between tokens and logits."""
    return {
        "token": TOKEN_EMBEDDING,
        "position": POSITION_EMBEDDING,
        "layer": LAYER_EMBEDDING,
        "head": OUTPUT_HEAD,
        "embedding_norms": stages.EMBEDDING_NORMS,
        "before_mixer": stages.BEFORE_MIXER,
        "after_mixer": stages.AFTER_MIXER,
        "before_mlp": stages.BEFORE_MLP,
        "after_mlp": stages.AFTER_MLP,
        "second": stages.SECOND,
        "rooms": stages.MIXING,
        "late": stages.LATE,
        "rooms_of": stages.ROOMS,
        "order": stages.ORDER,
        "after_blocks": stages.AFTER_BLOCKS,
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


def _config() -> dict[str, Any]:
    """Return what `documents` and `config` know of fields: their spellings, defaults and bounds."""
    return {
        "rows": [
            {"kind": KINDS[row.kind], **{name: getattr(row, name) for name in COLUMNS}} for row in FIELDS.values()
        ],
        "documented": fields.DEFAULTS,
        "classes": fields.CLASSES,
        "unread": _unread(),
        "marks": spellings.MARKS_OF_TRANSFORMERS,
        "ours": fields.OURS,
        "digits": numbers.MOST_DIGITS,
        "number": numbers.NUMBER.replace("(?P<", "(?<"),
        "thousands": numbers.THOUSANDS,
        "largest": strict_json.SMALL_JSON_BYTES,
    }


def _projects() -> dict[str, Any]:
    """Return what `projects` knows of other people's configs."""
    return {
        "rows": [[row.name, row.keys, row.remark] for row in spellings.PROJECTS],
        "inverse": spellings.INVERSE,
        "parallel": spellings.PARALLEL,
        "trained": spellings.TRAINED_LENGTHS,
        "head_widths": spellings.HEAD_WIDTHS,
        "sayings": spellings.SAYINGS,
        "foreign": unread.FOREIGN_PHRASES,
        "otherwise": sorted(spellings.OTHERWISE),
        "floats": sorted(spellings.FOREIGN_FLOATS),
        "body_biases": sorted(spellings.BODY_BIASES),
        "plain_words": sorted(spellings.PLAIN_WORDS),
        "padded": projects.PADDED,
        "most_named": projects.MOST_NAMED,
    }


def _unread() -> dict[str, Any]:
    """Return what `unread` knows of keys that nobody reads."""
    return {
        "not_read": spellings.NOT_READ,
        "activations": spellings.ACTIVATIONS,
        "learned": spellings.LEARNED_ACTIVATIONS,
        "most_keys": unread.MOST_KEYS,
        "most_notes": unread.MOST_NOTES,
    }


def _explain() -> dict[str, Any]:
    """Return how printed figures are read and weighed, and the dtypes that bytes are counted in."""
    return {
        "scales": {unit: list(map(list, _scales(unit))) for unit, row in figures.UNITS.items() if _is_size(row)},
        "pattern": printed.FIGURE.pattern.replace("(?P<", "(?<"),
        "spelled": (
            (printed.RANK.pattern, ""),
            (printed.BETWEEN.pattern, " "),
            (r"^\s+|\s+$", ""),
            (r"\s+", " "),
            (figures.TIMES, "e"),
            (figures.POWER, "1e"),
        ),
        "before": printed.BEFORE.pattern,
        "after": printed.AFTER.pattern,
        "listed": printed.LISTED.pattern,
        "told": printed.TOLD.pattern,
        "longest": printed.MOST_TEXT_CHARACTERS,
        "parameters": printed.PARAMETERS.pattern,
        "header": printed.HEADER,
        "vague_zeros": printed.VAGUE_ZEROS,
        "worth_a_unit": printed.WORTH_A_UNIT,
        "examples": printed.EXAMPLES,
        "fits": printed.FITS,
        "known": printed.KNOWN,
        "most_penalty": readings.PRESETS_BUDGET,
        "published": readings.PUBLISHED,
        "named": readings.NAMED,
        "most_chance": chance.MOST_CHANCE.as_integer_ratio(),
        "most_readings": report.MOST_READINGS,
        "nearest": report.NEAREST_READINGS,
        "dtypes": [{**_step(step), "bits": bits} for step, bits in lattice.DTYPES],
    }


def _is_size(row: tuple[Any, tuple[str, ...]]) -> bool:
    """Return whether a unit is one of parameters or of bytes."""
    value, kinds = row
    return value.denominator == 1 and not {figures.COUNT, figures.BYTES}.isdisjoint(kinds)


def _scales(unit: str) -> tuple[printed.Scale, ...]:
    """Return what a unit may stand for; none stands for its number."""
    scales = printed.Printed("", printed.WORTH_A_UNIT, 0, unit).scales
    return tuple(scale for scale in scales if scale.kind in (figures.COUNT, figures.BYTES))


def _step(step: Step) -> dict[str, Any]:
    """Return a step of the lattice, but for what it computes."""
    return {name: getattr(step, name) for name in ("name", "penalty", "standing", "sentence")}


def _safetensors() -> dict[str, Any]:
    return {
        "bits": safetensors.SIZES,
        "plain": list(listing.BITS),
        "floats": sorted(listing.FLOATS),
        "keys": safetensors.KEYS,
        "most_dims": safetensors.MOST_DIMS,
        "deepest": safetensors.MOST_JSON_DEPTH,
        "largest": strict_json.SMALL_JSON_BYTES,
        "longest_name": listing.MOST_NAME_CHARACTERS,
        "most_shards": MOST_SHARDS,
        "most_tensors": MOST_TENSORS,
    }


def _dialects() -> dict[str, Any]:
    """Return the dialects that store a matrix as it is or turned round, and nothing else."""
    read = [each for each in DIALECTS if {piece.layout for piece in each.pieces} <= {SAME, LINEAR}]
    return {"dialects": list(map(_dialect, read))}


def _names() -> dict[str, Any]:
    """Return how names are read, and how what they name is judged."""
    return {
        "others": [each.name for each in DIALECTS if {piece.layout for piece in each.pieces} - {SAME, LINEAR}],
        "block": BLOCK.pattern,
        "heads": sorted(TASK_HEAD_COMPONENTS),
        "shown_heads": {
            modules[0]: head for head, modules in TASK_HEADS.items() if modules and "lm_head" not in modules
        },
        "axes": {f"{component}.{role}": axes for (component, role), axes in inference.AXES.items()},
        "may_be_0": inference.MAY_BE_0,
        "laid_out": {dialect.name: said for dialect, said in examination.LAID_OUT.items()},
        "shown_by_shapes": examination.SHOWN_BY_SHAPES,
        "fits": naming.FITS,
        "part": naming.PART,
        "most_named": naming.MOST_NAMED,
        "bias": BIAS,
        "weight": WEIGHT,
        "most_faults": findings.MOST_FAULTS,
        "most_runs": findings.MOST_RUNS,
        "most_unasked": tying.MOST_UNASKED_BYTES,
        "beyond": assignment.BEYOND,
        "packed": (*packing.MARKS, ".lora_A", ".lora_embedding_A", "prompt_embeddings"),
        "inside": respellings.INSIDE.pattern,
        "most_words": respellings.MOST_WORDS,
        "beside": f"^(?:{'|'.join(each.pattern for each in respellings.BESIDE.values())})$",
        "renamed": list(respellings.RENAMED.items()),
        "multiple": assignment.MULTIPLE,
        "most_padded": assignment.MOST_PADDED,
    }


def _dialect(dialect: Dialect) -> dict[str, Any]:
    """Return a dialect: what its pieces are, and whether a matrix is turned; and what else a file may hold."""
    pieces = [(each.template, each.component, each.role, each.layout == LINEAR) for each in dialect.pieces]
    kept = ("name", "prefix", "whose", "pads_vocabulary", "head_is_copied")
    return {
        **{name: getattr(dialect, name) for name in kept},
        "pieces": [dict(zip(("template", "component", "role", "turned"), each, strict=True)) for each in pieces],
        "extras": [dict(zip(("template", "what", "form"), each, strict=True)) for each in dialect.extras],
    }
