"""What the page asks about a config: its fields as people type them, and what a document gives.

Each function is translated, so that it runs in the page as it does here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc import architectures, numbers
from gpt2calc.architectures import GPT2, caches, reading
from gpt2calc.costs import holding, products
from gpt2calc.counts import ParameterCount
from gpt2calc.dims import Dims, from_fields
from gpt2calc.errors import ConfigError, shortened
from gpt2calc.fields import ABSENT, DEFAULTS, FIELDS, SIZE, SWITCH
from gpt2calc.model import FIXED, FLAG, LAW, LIST, REFUSED
from gpt2calc.plots import stages
from gpt2calc.sources import Source
from gpt2calc.validity import check

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.fields import Field
    from gpt2calc.model import Size


def source_of(model_type: str, given: Mapping[str, Any], name: str, maker: str) -> Source:
    """Return the model of a type that fields give, as `sources` reads it.

    Args:
        model_type: GPT2, of which fields in their canonical spelling are given; or another, of which a document is.
        given: the fields, or the document.
        name: what it is called.
        maker: whose config it is.
    """
    if model_type == GPT2:
        return Source(name, from_fields({**DEFAULTS, **given}), (), given, maker)
    found = reading.read(given)
    return Source(name, found.model, found.notes, given, "huggingface")


def rows(model_type: str) -> tuple[Field | Size, ...]:
    """Return the fields of a model type, those that a document can give."""
    if model_type == GPT2:
        return tuple(FIELDS.values())
    return tuple(row for row in architectures.of(model_type).sizes if row.kind not in (LAW, FIXED))


def row_of(model_type: str, name: str) -> Field | Size | None:
    """Return a field by its name, or by another spelling of it; None where there is none."""
    return next((row for row in rows(model_type) if name == row.name or name in row.spellings), None)


def read_field(model_type: str, name: str, text: str) -> Any:
    """Read a field as people type it.

    Raises:
        ConfigError: there is no such field, or it takes no such value.

    >>> read_field("gpt2", "n_layer", "1.2k"), read_field("llama", "num_key_value_heads", "none")
    (1200, None)
    """
    row = row_of(model_type, name)
    if row is None:
        raise ConfigError(f"there is no field {shortened(name)}")
    if text in ("", "none") and row.null == ABSENT:
        return None
    value: Any = text
    if row.kind == SIZE:
        value = _typed(text)
    elif row.kind in (SWITCH, FLAG) and text in ("true", "false"):
        value = text == "true"
    elif row.kind == LIST and text:
        value = [each if row.words else _typed(each) for each in text.replace(",", " ").split()]
    if model_type != GPT2:
        if text in ("", "none") and row.null != REFUSED:
            return None
        known: Any = row  # a `Size`, of any other type than GPT-2
        found = reading.checked(architectures.of(model_type), known, value)
        return value if row.kind == FLAG else found
    check({row.name: value})
    return value


def _typed(text: str) -> int | str:
    found = numbers.typed(text)
    number = found.whole if found else None
    return text if number is None else number


def given(source: Source) -> dict[str, Any]:
    """Return the fields that a config gives, under their canonical names; of a GPT-2 all that there are."""
    said = source.given or {}
    if isinstance(source.counted, Dims):
        return {row.name: said.get(row.name, row.default) for row in FIELDS.values()}
    model = source.counted
    document = architectures.text_of(said)
    found = {}
    for row in rows(model.architecture.model_type):
        spelled = [name for name in (row.name, *row.spellings) if name in document]
        size = model.sizes[row.name]
        if spelled:
            is_null = document[spelled[0]] is None
            found[row.name] = None if is_null else bool(size) if row.kind == FLAG else size
    if model.sizes.get("head", "lm") != "lm":
        found["head"] = model.sizes["head"]
    if reading.TIE in model.sizes and document is not said:
        found[reading.TIE] = bool(model.sizes[reading.TIE])
    return found


def beside(source: Source) -> dict[str, Any]:
    """Return what a config says of what layers keep and compute, and that no count depends on."""
    said = source.given or {}
    document = architectures.text_of(said)
    return {name: document[name] for name in BESIDE if name in document}


def usual_tokens(source: Source) -> int:
    """Return how many tokens a sequence has where nobody says it: as many as the config says, or else a page full."""
    if isinstance(source.counted, Dims):
        return source.counted.n_positions
    return holding.longest_of(source.of_files)[1] or 4096


def flow(source: Source) -> tuple[tuple[stages.Section, ...], str, str]:
    """Return a model as stages from tokens on, which embedding is the output head too, and what comes out."""
    model, document = ParameterCount(source.counted).model, source.of_files if source.given else None
    read = stages.Flow(model, document)
    return read.sections, read.tied, read.ends[1]


BESIDE = tuple(
    sorted(
        {
            "layer_types",
            "attention_types",
            "use_bidirectional_attention",
            "use_parallel_residual",
            *holding.LENGTHS,
        }.union(
            *({row.field, *row.fields} for row in (caches.Windows(), *caches.WINDOWS.values())),
            *products.CHOSEN.values(),
        )
    )
)
"""The fields of configs that say how long a sequence can be, what attends to a window and what passes, and no more."""
