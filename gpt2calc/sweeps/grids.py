"""`Grid`: every combination of the values that fields take, as pieces that share their formulas.

A piece is the part of a grid in which the structure stays: its switches have one value, its sizes run. It must not know
of arrays: everything here is done on the extremes of each size, in Python's own integers.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.dims import LETTERS, Dims, from_fields
from gpt2calc.errors import ConfigError, Int64OverflowError
from gpt2calc.fields import CANONICAL, DEFAULTS
from gpt2calc.ranges import length
from gpt2calc.sources import checked, resolve
from gpt2calc.sweeps.axes import INT64_MAX, from_python, remarks
from gpt2calc.sweeps.columns import COLUMNS, FIELDS, SIZES, is_held
from gpt2calc.sweeps.running import ranges
from gpt2calc.validity import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gpt2calc.sources import LeftOut, Model
    from gpt2calc.sweeps.axes import Axis, Values
    from gpt2calc.sweeps.columns import Column

MOST_PIECES = 4096
"""How many combinations the switches of one grid can have; sizes are what a grid is long in."""


class Piece(NamedTuple):
    """Models of one structure: fields that have one value, and sizes that run, the last one fastest."""

    fields: dict[str, Any]
    sizes: tuple[tuple[str, Axis], ...]

    @property
    def length(self) -> int:
        """How many models there are."""
        return prod(length(axis) for _, axis in self.sizes)

    def dims(self, sizes: Mapping[str, Any]) -> Dims:
        """Return the dims of models whose running sizes are these, which can be arrays or letters."""
        return from_fields({**self.fields, **sizes})

    def least(self) -> Dims:
        """Return dims that no model is smaller than, in any size."""
        return self.dims({name: extremes(axis)[0] for name, axis in self.sizes})

    def most(self) -> Dims:
        """Return the largest model, which is one of the grid."""
        return self.dims({name: extremes(axis)[1] for name, axis in self.sizes})


class Grid(NamedTuple):
    """All combinations of values, row by row: switches run slowest, then sizes, the last one given fastest."""

    name: str
    fixed: tuple[tuple[str, Any], ...]
    sizes: tuple[tuple[str, Axis], ...]
    switches: tuple[tuple[str, tuple[Any, ...]], ...]

    @property
    def table(self) -> Mapping[str, Column]:
        """The columns that there can be."""
        return COLUMNS

    @property
    def spellings(self) -> Mapping[str, str]:
        """The name of each field, by any of its spellings."""
        return CANONICAL

    @property
    def length(self) -> int:
        """How many rows there are."""
        return sum(piece.length for piece in pieces(self))

    @property
    def has_heads(self) -> bool:
        """Whether rows have a number of heads, which must divide their width."""
        return any(name == "n_head" for name, _ in self.sizes)

    @property
    def swept(self) -> tuple[str, ...]:
        """The fields that were given several values, in the order in which they run."""
        return tuple(name for name, values in (*self.switches, *self.sizes) if length(values) > 1)

    def samples(self) -> list[Dims]:
        """Return models of which one has what any has: the least and the largest of each piece."""
        return [dims for piece in pieces(self) for dims in (piece.least(), piece.most())]

    def everything(self) -> tuple[str, ...]:
        """Return the columns that say anything: sizes, switches that run, what a model can hold, conventions."""
        return everything({*self.swept, *(["n_head"] if self.has_heads else [])}, self.samples())

    def ranges(self, step: int) -> Iterator[tuple[int, int]]:
        """Yield ranges of so many rows, the last one shorter, that cover all rows once."""
        return ranges(0, self.length, step)


@lru_cache(maxsize=4)
def pieces(grid: Grid) -> tuple[Piece, ...]:
    """Return the pieces of a grid, in the order of its rows."""
    names = [name for name, _ in grid.switches]
    fixed = dict(grid.fixed)
    combinations = product(*(values for _, values in grid.switches))
    return tuple(Piece({**fixed, **dict(zip(names, each, strict=True))}, grid.sizes) for each in combinations)


def extremes(axis: Axis) -> tuple[int, int]:
    """Return the smallest and the largest value.

    >>> extremes(range(96, 11, -12))
    (12, 96)
    """
    ends = (axis[0], axis[-1]) if isinstance(axis, range) else (min(axis), max(axis))
    return min(ends), max(ends)


def read(model: Model | LeftOut, fields: Mapping[str, Any]) -> tuple[Grid, tuple[str, ...]]:
    """Read a grid: a base model, and for each field one value or several, in any spelling.

    Law: what is not given is the base model's; n_inner is 4·n_embd of each row unless it is given or the base model's
    own; n_head is a column only where it is given.

    Returns:
        The grid, and notes, a sentence each.

    Raises:
        ConfigError: a field is unknown, a value out of range, or there are too many combinations of switches.
        UnknownNameError, UnreadableInputError: as `sources.resolve`.

    >>> read("gpt2", {"layers": [12, 24], "n_embd": 768})[0].swept
    ('n_layer',)
    """
    given = canonical({name: from_python(name, value) for name, value in fields.items()})
    order = tuple(given)
    heads = given.pop("n_head", None)
    several = {name: values for name, values in given.items() if isinstance(values, (tuple, range))}
    name, fixed, notes = base_fields(model, {name: value for name, value in given.items() if name not in several})
    _check(fixed, several)
    if "n_embd" in several and fixed.get("n_inner") is not None and "n_inner" not in several:
        notes = (*notes, f"n_inner stays {fixed['n_inner']:,} while n_embd runs")
    sizes = {field: values for field, values in several.items() if field in LETTERS}
    if heads is not None:
        sizes["n_head"] = _heads(heads)
    switches = tuple((field, tuple(values)) for field, values in several.items() if field not in LETTERS)
    if (combinations := prod(len(values) for _, values in switches)) > MOST_PIECES:
        raise ConfigError(f"switches have {combinations:,} combinations of values, at most {MOST_PIECES:,} are taken")
    running = tuple((field, sizes[field]) for field in order if field in sizes)
    return Grid(name, tuple(fixed.items()), running, switches), (*notes, *remarks(fields))


def base_fields(model: Model | LeftOut, fields: Mapping[str, Any]) -> tuple[str, dict[str, Any], tuple[str, ...]]:
    """Return the name and the fields of the model that rows are put over, and its notes; n_head stays out."""
    source = resolve(model, fields)
    given, name, dims = source.given, source.name, source.dims
    if given is None:  # bare dims: a field put over them, the same one, gives the fields that they come from
        given = resolve(model, {**fields, "n_layer": dims.n_layer}).given or {}
    found = {field: value for field, value in {**DEFAULTS, **given}.items() if field != "n_head"}
    return name, canonical(found), source.notes


def _check(fixed: Mapping[str, Any], several: Mapping[str, Values]) -> None:
    """Judge every value of a switch, and the extremes of a size."""
    for field, values in several.items():
        for value in _judged(values):
            checked({**fixed, field: value})


def _heads(values: Any) -> Axis:
    axis: Axis = values if isinstance(values, (range, tuple)) else (values,)
    for value in _judged(axis):
        checked({"n_embd": value if isinstance(value, int) and value > 0 else 1, "n_head": value})
    return axis


def _judged(values: Values) -> tuple[Any, ...]:
    """Return the values that show whether all can be taken: of whole numbers the smallest and the largest."""
    return extremes(values) if type(values[0]) is int else tuple(values)


def refuse_overflow(piece: Piece, columns: Iterable[str]) -> None:
    """Raise where a column would not hold the largest model of a piece; nothing has been computed then.

    Law: no count falls when a size grows, so the largest model, in exact integers, bounds all others.

    Raises:
        Int64OverflowError: a count, or a size, is larger than 2⁶³ - 1.
    """
    dims = piece.most()
    for name in dict.fromkeys((*LETTERS, "total", *columns)):
        measure = COLUMNS[name].measure
        value = getattr(dims, name) if name in LETTERS else measure(dims) if measure else 0
        if value > INT64_MAX:
            sizes = ", ".join(f"{field} {size:,}" for field, size in zip(LETTERS, dims.sizes, strict=True))
            raise Int64OverflowError(
                f"{name} is {value:,} in the largest model ({sizes}) and does not fit in int64: "
                "count that model alone, or sweep less"
            )


def bounds(piece: Piece, name: str) -> tuple[int, int]:
    """Return what a count or a size cannot fall below, and the most that it reaches.

    >>> grid, _ = read("gpt2", {"n_layer": range(0, 13)})
    >>> bounds(pieces(grid)[0], "total")
    (39385344, 124439808)
    """
    low, high = piece.least(), piece.most()
    if name == "n_head":
        return extremes(dict(piece.sizes)["n_head"])
    measure = COLUMNS[name].measure
    return (measure(low), measure(high)) if measure else (getattr(low, name), getattr(high, name))


def everything(running: set[str], models: list[Dims]) -> tuple[str, ...]:
    """Return the columns that say anything of models of which these fields tell them apart, in order."""
    labelled = any(dims.score or dims.classifier or dims.multiple_choice_head for dims in models)
    shown = {*SIZES[:5], *running, *(["num_labels"] if labelled else [])}
    filled = (name for name, column in COLUMNS.items() if any(is_held(column, dims) for dims in models))
    return tuple(name for name in filled if name in shown or name not in FIELDS)
