"""The Python tables that are data, as one dictionary for the page: names, spellings, presets, dtypes, dialects, units.

Nothing is stated here: each value is taken from the table that is its home. What counts is in `families`, and in
`arithmetic`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc import (
    conventions,
    counts,
    errors,
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
from gpt2calc.dialects import DIALECTS, respellings
from gpt2calc.dialects.base import BLOCK, TASK_HEAD_COMPONENTS
from gpt2calc.dialects.layouts import LINEAR, SAME
from gpt2calc.dims import LETTERS, TASK_HEADS
from gpt2calc.explanation import chance, lattice, printed, readings, report
from gpt2calc.fields import FIELDS
from gpt2calc.model import BIAS, FLAG, GROUPS, SIZE, WEIGHT, WORD
from gpt2calc.verification import assignment, examination, findings, inference, naming, packing, tying
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

USUAL_MAKER = "huggingface"
"""Whose most of the GPT-2s that ship are."""

MOST_SHARDS, MOST_TENSORS = 128, 10_000
"""How many of them the page looks at, and at small headers alone, so that it never freezes. The command line takes a
hundred times as many tensors."""


def collect(shipped: tuple[Preset, ...]) -> dict[str, Any]:
    """Return everything that the page knows and does not compute, as JSON takes it.

    Args:
        shipped: the GPT-2s that ship.
    """
    return {
        "schema": counts.SCHEMA,
        "letters": LETTERS,
        "reading_order": READING_ORDER,
        "groups": GROUPS,
        "conventions": [list(row[:4]) for row in conventions.CONVENTIONS],
        "controls": [_control(control) for control in CONTROLS],
        "usual_maker": USUAL_MAKER,
        "presets": [_preset(preset) for preset in shipped],
        "config": _config(),
        "explain": _explain(shipped),
        "safetensors": _safetensors(),
        "names": _names(),
    }


def _control(control: Control) -> dict[str, Any]:
    """Return a control with what the table says of its field."""
    return {name: getattr(control, name) for name in ("field", "kind", "hint", "low", "high", "step", "empty")}


def _preset(preset: Preset) -> list[Any]:
    """Return a model that ships as a row, without the fields that have their default, and the usual maker."""
    own = {name: value for name, value in preset.fields.items() if value != FIELDS[name].default}
    makers = [] if preset.maker == USUAL_MAKER else [preset.maker]
    return [preset.name, own, preset.aliases, preset.summary, preset.published, *makers]


def _config() -> dict[str, Any]:
    """Return what `documents` and `config` know of fields: their spellings, defaults and bounds."""
    return {
        "columns": ("kind", *COLUMNS),
        "rows": [[KINDS[row.kind], *(getattr(row, column) for column in COLUMNS)] for row in FIELDS.values()],
        "documented": fields.DEFAULTS,
        "classes": fields.CLASSES,
        "no_count": sorted(spellings.NO_COUNT),
        "unread": _unread(),
        "projects": _projects(),
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
        "suffix": unread.SUFFIX,
        "long_name": errors.LONG_NAME_LETTERS,
        "otherwise": sorted(spellings.OTHERWISE),
        "floats": sorted(spellings.FOREIGN_FLOATS),
        "body_biases": sorted(spellings.BODY_BIASES),
        "plain_words": sorted(spellings.PLAIN_WORDS),
        "padded": projects.PADDED,
        "most_objects": projects.MOST_OBJECTS,
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


def _explain(shipped: tuple[Preset, ...]) -> dict[str, Any]:
    """Return how printed figures are read, and the steps of the lattice; what they compute is in `arithmetic`."""
    return {
        "scales": {unit: list(map(list, _scales(unit))) for unit, row in figures.UNITS.items() if _is_size(row)},
        "pattern": printed.FIGURE.pattern.replace("(?P<", "(?<"),
        "between": printed.BETWEEN.pattern,
        "rank": printed.RANK.pattern,
        "before": printed.BEFORE.pattern,
        "after": printed.AFTER.pattern,
        "listed": printed.LISTED.pattern,
        "told": printed.TOLD.pattern,
        "power": figures.POWER,
        "times": figures.TIMES,
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
        "plain": _step(lattice.PLAIN),
        "axes": [list(map(_step, axis)) for axis in lattice.axes(shipped)],
        "parts": list(map(_step, lattice.PARTS)),
        "dtypes": [[*_step(step), bits] for step, bits in lattice.DTYPES],
    }


def _is_size(row: tuple[Any, tuple[str, ...]]) -> bool:
    """Return whether a unit is one of parameters or of bytes."""
    value, kinds = row
    return value.denominator == 1 and not {figures.COUNT, figures.BYTES}.isdisjoint(kinds)


def _scales(unit: str) -> tuple[printed.Scale, ...]:
    """Return what a unit may stand for; none stands for its number."""
    scales = printed.Printed("", printed.WORTH_A_UNIT, 0, unit).scales
    return tuple(scale for scale in scales if scale.kind in (figures.COUNT, figures.BYTES))


def _step(step: Step) -> list[Any]:
    """Return a step of the lattice: its name, its penalty, its standing and its sentence."""
    return [step.name, step.penalty, step.standing, step.sentence]


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


def _names() -> dict[str, Any]:
    """Return how names are read: the dialects that store a matrix as it is or turned round, and nothing else."""
    read = [each for each in DIALECTS if {piece.layout for piece in each.pieces} <= {SAME, LINEAR}]
    rows = list(dict.fromkeys((piece.component, piece.role) for each in read for piece in each.pieces))
    return {
        "rows": rows,
        "dialects": [_dialect(each, rows) for each in read],
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


def _dialect(dialect: Dialect, rows: list[tuple[str, str]]) -> dict[str, Any]:
    """Return a dialect, its pieces as text: each a template, the place of what it is, and ' if it is turned."""
    pieces = (
        f"{each.template} {rows.index((each.component, each.role))}{chr(39) * (each.layout == LINEAR)}"
        for each in dialect.pieces
    )
    found = {
        "name": dialect.name,
        "pieces": " ".join(pieces),
        "extras": [list(each) for each in dialect.extras],
        "prefix": dialect.prefix,
        "whose": dialect.whose,
        "pads_vocabulary": dialect.pads_vocabulary,
        "head_is_copied": dialect.head_is_copied,
    }
    return {name: value for name, value in found.items() if value}
