"""The columns that a sweep can have: a row for each size, switch, component, group, convention and share.

A column's name is a plain identifier, so that a condition can use it. It must not know how a column is computed for
many rows: that is `evaluation`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import conventions, formulas
from gpt2calc.costs import caches, flops, optimizers
from gpt2calc.costs.run import Run
from gpt2calc.dims import LETTERS, Dims, to_fields
from gpt2calc.errors import UnknownNameError, closest
from gpt2calc.fields import CANONICAL
from gpt2calc.presets import load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias

    Measure: TypeAlias = Callable[[Any], int]

SIZE, SWITCH, WORD, COUNT, SHARE = "size", "switch", "word", "count", "share"
"""What a column holds: int64, bool, text, int64, float64."""

SIZES = (*LETTERS, "n_head")
SWITCHES = tuple(name for name in to_fields(load("gpt2").dims) if name not in (*LETTERS, "head"))


class Column(NamedTuple):
    """One column: its name, what it holds, a sentence, and how a count is measured on dims."""

    name: str
    kind: str
    sentence: str
    measure: Measure | None = None
    part: str = ""
    """Of a share, the column that it is a share of the total of."""


def identifier(component: str) -> str:
    """Return the name of a component's column.

    >>> identifier("attn.c_attn")
    'attn_c_attn'
    """
    return component.replace(".", "_")


def _apart(name: str) -> str:
    """Return the name of a count's column, which is no field's in any spelling."""
    return f"{name}_parameters" if name in CANONICAL else name


def _of_component(index: int) -> Measure:
    def measure(dims: Dims) -> int:
        row = formulas.table(dims)[index]
        return row.times * (row.weights + row.biases)

    return measure


def _of_group(name: str) -> Measure:
    return lambda dims: sum(row.times * (row.weights + row.biases) for row in formulas.table(dims) if row.group == name)


def _biases(dims: Dims) -> int:
    return sum(row.times * row.biases for row in formulas.table(dims))


def forward_flops(dims: Dims) -> int:
    """Count a forward pass of one sequence of n_positions tokens, without an encoder; see `costs.flops.table`."""
    alone, tokens = dims._replace(add_cross_attention=0), dims.n_positions
    return flops.total(flops.table(alone, Run(1, tokens, 0, tokens)))


def kv_bytes(dims: Dims) -> int:
    """Count a cache of n_positions tokens of one sequence in float32."""
    return caches.bytes_per_token(dims, 4) * dims.n_positions


def kv_bytes_per_token(dims: Dims) -> int:
    """Count what a token of one sequence leaves in a cache in float32."""
    return caches.bytes_per_token(dims, 4)


def train_bytes(dims: Dims) -> int:
    """Count weights, gradients and AdamW's state in float32; activations depend on what passes."""
    return 8 * formulas.total(dims) + optimizers.state(dims, optimizers.BY_NAME["adamw"], 4)


COSTS: dict[str, tuple[str, Measure]] = {
    "flops": (
        "FLOPs of a forward pass of one sequence of n_positions tokens, without cross-attention; by name alone",
        forward_flops,
    ),
    "kv_bytes_per_token": ("bytes of a token in the KV cache, fp32; by name alone", kv_bytes_per_token),
    "kv_bytes": ("bytes of the KV cache of n_positions tokens of one sequence, fp32; by name alone", kv_bytes),
    "train_bytes": ("bytes of weights, gradients and AdamW's state, fp32; by name alone", train_bytes),
}
"""Columns of costs, which are there where they are named, and not in all: they are far larger than a count."""


def _columns() -> tuple[Column, ...]:
    rows = formulas.table(load("gpt2").dims)
    groups = {name: _apart(name) for name in formulas.GROUPS}
    shares = {
        **{column: f"the group {name}" for name, column in groups.items()},
        "weights": "weights",
        "biases": "biases",
    }
    named = {row.name: row for row in conventions.CONVENTIONS}
    weights = named.pop("weights")
    return (
        *(Column(name, SIZE, f"the field {name}") for name in SIZES),
        Column("head", WORD, "the field head"),
        *(Column(name, SWITCH, f"the field {name}") for name in SWITCHES),
        *(
            Column(_apart(identifier(row.component)), COUNT, f"parameters of {row.component}", _of_component(index))
            for index, row in enumerate(rows)
        ),
        *(Column(column, COUNT, f"parameters of the group {name}", _of_group(name)) for name, column in groups.items()),
        Column("weights", COUNT, weights.sentence, weights.value),
        Column("biases", COUNT, "biases, LayerNorm's among them", _biases),
        Column("total", COUNT, "every parameter", formulas.total),
        *(Column(_apart(row.name), COUNT, row.sentence, row.value) for row in named.values()),
        *(Column(name, COUNT, sentence, measure) for name, (sentence, measure) in COSTS.items()),
        *(
            Column(
                share_of(part),
                SHARE,
                f"the share of the total that {what} hold{'s' * what.startswith('the')}",
                part=part,
            )
            for part, what in shares.items()
        ),
    )


def share_of(part: str) -> str:
    """Return the name of the column with a part's share of the total.

    >>> share_of("mlp"), share_of("head_parameters")
    ('mlp_share', 'head_share')
    """
    return part.removesuffix("_parameters") + "_share"


COLUMNS: dict[str, Column] = {column.name: column for column in _columns()}
"""Every column that a sweep can have, by name, in the order in which files have them."""

EVERYWHERE = frozenset(("total", "biases", *map(_apart, conventions.NAMES)))
"""The counts that every model has."""

FIELDS = tuple(name for name, column in COLUMNS.items() if column.kind in (SIZE, SWITCH, WORD))
"""The columns that say which model a row is."""


COMMON = (
    *("n_layer", "n_embd", "n_head", "n_positions", "vocab_size", "n_inner", "total", "weights", "biases"),
    *("embedding", "attention", "mlp", "layer_norm", "mlp_share", "attn_c_attn", "kaplan", "fp16_bytes"),
    "kv_bytes",
)
"""Columns that a message names where no name is near: one of each kind, and those that are asked for most."""


def find(name: str, table: Mapping[str, Column] = COLUMNS, spellings: Mapping[str, str] = CANONICAL) -> Column:
    """Return a column by name, a component by its own name, attn.c_attn, as well, and a field in any spelling.

    Raises:
        UnknownNameError: there is none of this name; the message gives the nearest.

    >>> find("attn.c_attn").name, find("mlp_share").part
    ('attn_c_attn', 'mlp')
    """
    found = table.get(identifier(name)) or table.get(spellings.get(name, "")) if isinstance(name, str) else None
    if found is None:
        near = isinstance(name, str) and closest(name, tuple(table))
        common = tuple(each for each in COMMON if each in table) if table is not COLUMNS else COMMON
        raise UnknownNameError("column", name, tuple(table) if near else common)
    return found


def measured(name: str, table: Mapping[str, Column] = COLUMNS) -> tuple[str, ...]:
    """Return the counts that a column is computed from: itself, or the two of a share; none for a field.

    >>> measured("mlp_share"), measured("total"), measured("n_layer")
    (('mlp', 'total'), ('total',), ())
    """
    column = table[name]
    if column.kind == SHARE:
        return column.part, "total"
    return (name,) if column.kind == COUNT else ()


def is_held(column: Column, dims: Dims) -> bool:
    """Whether a model with all its sizes above 0 can have anything in a column that is a component, a group or a share.

    >>> gpt2 = load("gpt2").dims
    >>> is_held(COLUMNS["wte"], gpt2), is_held(COLUMNS["lm_head"], gpt2), is_held(COLUMNS["kaplan"], gpt2)
    (True, False, True)
    """
    measure = COLUMNS[column.part].measure if column.part else column.measure
    if measure is None or column.name in EVERYWHERE:
        return True
    if column.name in COSTS:
        return False
    return measure(dims._replace(**dict.fromkeys(LETTERS, 1))) > 0
