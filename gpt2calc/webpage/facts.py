"""The Python tables that are data, as one dictionary for the page: names, spellings, presets, dtypes, dialects, units.

Nothing is stated here: each value is taken from the table that is its home. What counts is in `families`, and in
`arithmetic`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc import (
    conventions,
    counts,
    documents,
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
from gpt2calc.architectures import ENCODER_DECODERS
from gpt2calc.checkpoints import safetensors, strict_json
from gpt2calc.dialects import DIALECTS
from gpt2calc.dialects.base import BLOCK, TASK_HEAD_COMPONENTS
from gpt2calc.dialects.layouts import LINEAR, SAME
from gpt2calc.dims import LETTERS
from gpt2calc.explanation import chance, lattice, printed, readings, report
from gpt2calc.fields import FIELDS
from gpt2calc.model import BIAS, GROUPS, WEIGHT
from gpt2calc.verification import assignment, examination, findings, inference, naming, packing, tying
from gpt2calc.webpage.controls import CONTROLS

if TYPE_CHECKING:
    from gpt2calc.dialects.base import Dialect
    from gpt2calc.explanation.lattice import Step
    from gpt2calc.presets import Preset
    from gpt2calc.webpage.controls import Control


COLUMNS = (
    *("name", "kind", "default", "spellings", "mapped", "in_transformers", "least", "null", "words", "expected"),
    "of_head",
)
"""What the page needs of the table of fields; how it shows them stands in `controls`."""

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
        "presets": [_preset(preset) for preset in shipped],
        "config": _config(),
        "explain": _explain(shipped),
        "safetensors": _safetensors(),
        "names": _names(),
    }


def _control(control: Control) -> dict[str, Any]:
    """Return a control with what the table says of its field."""
    return {name: getattr(control, name) for name in ("field", "kind", "hint", "low", "high", "step", "empty")}


def _preset(preset: Preset) -> dict[str, Any]:
    """Return a model that ships, without the fields that have their default."""
    own = {name: value for name, value in preset.fields.items() if value != FIELDS[name].default}
    found = {**preset._asdict(), "fields": own}
    return {key: found[key] for key in ("name", "fields", "aliases", "summary", "published", "maker") if found[key]}


def _config() -> dict[str, Any]:
    """Return what `documents` and `config` know of fields: their spellings, defaults and bounds."""
    return {
        "columns": COLUMNS,
        "rows": [[getattr(row, column) for column in COLUMNS] for row in FIELDS.values()],
        "documented": fields.DEFAULTS,
        "classes": fields.CLASSES,
        "not_read": spellings.NOT_READ,
        "no_count": sorted(spellings.NO_COUNT),
        "frameworks": spellings.FRAMEWORKS,
        "unread": _unread(),
        "projects": _projects(),
        "marks": spellings.MARKS_OF_TRANSFORMERS,
        "ours": documents.OURS,
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
        "otherwise": sorted(spellings.OTHERWISE),
        "floats": sorted(spellings.FOREIGN_FLOATS),
        "body_biases": sorted(spellings.BODY_BIASES),
        "plain_words": sorted(spellings.PLAIN_WORDS),
        "padded": projects.PADDED,
        "most_objects": projects.MOST_OBJECTS,
        "most_named": projects.MOST_NAMED,
        "encoder_decoders": ENCODER_DECODERS,
    }


def _unread() -> dict[str, Any]:
    """Return what `unread` knows of keys that nobody reads."""
    return {
        "activations": spellings.ACTIVATIONS,
        "learned": spellings.LEARNED_ACTIVATIONS,
        "foreign": unread.FOREIGN_PHRASES,
        "sizes": fields.SIZES,
        "suffix": unread.SUFFIX,
        "most_keys": unread.MOST_KEYS,
        "most_notes": unread.MOST_NOTES,
        "long": errors.LONG_NAME_LETTERS,
    }


def _explain(shipped: tuple[Preset, ...]) -> dict[str, Any]:
    """Return how printed figures are read, and the steps of the lattice; what they compute is in `arithmetic`."""
    return {
        "units": {
            unit: [int(value), *kinds] for unit, (value, kinds) in figures.UNITS.items() if value.denominator == 1
        },
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
        "rare": printed.RARE,
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


def _step(step: Step) -> list[Any]:
    """Return a step of the lattice: its name, penalty and standing, and its sentence where it is no convention's."""
    return [step.name, step.penalty, step.standing, "" if step.name in conventions.NAMES else step.sentence]


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
    return {
        "dialects": [_dialect(each) for each in DIALECTS if {piece.layout for piece in each.pieces} <= {SAME, LINEAR}],
        "others": [each.name for each in DIALECTS if {piece.layout for piece in each.pieces} - {SAME, LINEAR}],
        "block": BLOCK.pattern,
        "heads": sorted(TASK_HEAD_COMPONENTS),
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
        "multiple": assignment.MULTIPLE,
        "most_padded": assignment.MOST_PADDED,
    }


def _dialect(dialect: Dialect) -> dict[str, Any]:
    pieces = [[each.template, each.component, each.role, each.layout == LINEAR] for each in dialect.pieces]
    return {
        "name": dialect.name,
        "pieces": pieces,
        "extras": [list(each) for each in dialect.extras],
        "prefix": dialect.prefix,
        "whose": dialect.whose,
        "pads_vocabulary": dialect.pads_vocabulary,
        "head_is_copied": dialect.head_is_copied,
    }
