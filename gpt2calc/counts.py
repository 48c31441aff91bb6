"""`ParameterCount`: what a model holds, by component, group, weight and bias; everything is derived from its dims."""

from __future__ import annotations

from operator import itemgetter
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import conventions, formulas
from gpt2calc.algebra import ClosedForm, Expression
from gpt2calc.dims import LETTERS, Dims, letters, symbols, to_fields
from gpt2calc.errors import ConfigError, Named, UnknownNameError, shown
from gpt2calc.table import Percent, Scaled, Table

if TYPE_CHECKING:
    from collections.abc import Callable
    from fractions import Fraction

    from gpt2calc.table import Cell

SCHEMA = "gpt2calc/count/1"
CONVENTION_HEADERS = ("convention", "count", "unit", "what is counted", "source")


class Component(NamedTuple):
    """The parameters of one component in the whole model."""

    name: str
    group: str
    times: int
    weights: int
    biases: int
    formula: ClosedForm
    source: str

    @property
    def total(self) -> int:
        """Weights and biases together, over every occurrence."""
        return self.weights + self.biases

    @property
    def each(self) -> int:
        """Weights and biases of one occurrence, of one block where the component is in blocks; 0 where it is absent."""
        return self.total // self.times if self.times else 0


class Group(NamedTuple):
    """The parameters of one group of components in the whole model."""

    name: str
    weights: int
    biases: int

    @property
    def total(self) -> int:
        """Weights and biases together."""
        return self.weights + self.biases


_compiled: dict[tuple[int, ...], Callable[..., int]] = {}


def _compile(structure: tuple[int, ...]) -> Callable[..., int]:
    total = Expression.of(formulas.total(letters(structure)))
    function = _compiled[structure] = total.compiled(LETTERS.values())
    return function


class ParameterCount:
    """The exact parameter count of one model.

    Law: total = Σ over components of times · (weights + biases), see `formulas.table`.

    Args:
        dims: the sizes and structure of the model.
        name: what the user called it.
        notes: what a reader should know about how it was read, a sentence each.

    >>> import gpt2calc
    >>> count = gpt2calc.count("gpt2")
    >>> count.total, count.biases, count["attn.c_attn"].total, count.groups["mlp"].total
    (124439808, 102144, 21261312, 56669184)
    """

    __slots__ = ("dims", "name", "notes")

    def __init__(self, dims: Dims, name: str = "", notes: tuple[str, ...] = ()) -> None:
        self.dims = dims
        self.name = name
        self.notes = notes

    @property
    def total(self) -> int:
        """All parameters of the model, in parameters."""
        sizes, structure = self.dims[:6], self.dims[6:]
        return (_compiled.get(structure) or _compile(structure))(*sizes)

    @property
    def components(self) -> tuple[Component, ...]:
        """The components that the model has, in the order of the forward pass."""
        rows = zip(formulas.table(self.dims), formulas.table(symbols(self.dims)), strict=True)
        return tuple(
            Component(
                row.component,
                row.group,
                row.times,
                row.times * row.weights,
                row.times * row.biases,
                ClosedForm(*map(Expression.of, law[2:5])),
                row.source,
            )
            for row, law in rows
            if Expression.of(law.times).terms
        )

    def __getitem__(self, name: str) -> Component:
        """Return one component by name, one that the model does not have as holding nothing."""
        found = {component.name: component for component in self.components}
        if name in found:
            return found[name]
        absent = {row.component: row for row in formulas.table(self.dims)}
        if name not in absent:
            raise UnknownNameError("component", name, tuple(absent))
        zero = Expression({})
        return Component(name, absent[name].group, 0, 0, 0, ClosedForm(zero, zero, zero), absent[name].source)

    @property
    def groups(self) -> dict[str, Group]:
        """Embedding, attention, cross_attention, mlp, layer_norm and head, with 0 for what the model does not have.

        LayerNorm before cross-attention is counted in cross_attention, as a part of what `add_cross_attention` adds.
        """
        sums = {name: [0, 0] for name in formulas.GROUPS}
        for row in formulas.table(self.dims):
            pair = sums[row.group]
            pair[0] = pair[0] + row.times * row.weights
            pair[1] = pair[1] + row.times * row.biases
        return Named("group", {name: Group(name, *pair) for name, pair in sums.items()})

    @property
    def weights(self) -> int:
        """All parameters that are no bias, LayerNorm's weights among them."""
        return sum(group.weights for group in self.groups.values())

    @property
    def biases(self) -> int:
        """All biases, LayerNorm's among them."""
        return sum(group.biases for group in self.groups.values())

    @property
    def per_block(self) -> int:
        """The parameters of one block, 7,087,872 in gpt2; of the first, where there are none."""
        one, none = self.dims._replace(n_layer=1), self.dims._replace(n_layer=0)
        return formulas.total(one) - formulas.total(none)

    @property
    def conventions(self) -> dict[str, int]:
        """The value of every named convention; see `conventions.CONVENTIONS` for what each counts."""
        return Named("convention", conventions.evaluate(self.dims))

    def share(self, name: str) -> Fraction:
        """Return the exact share of the total that a group or a component holds.

        >>> import gpt2calc
        >>> round(100 * float(gpt2calc.count("gpt2").share("attention")), 2)
        22.78
        """
        from fractions import Fraction  # loads decimal, which a count does not need

        groups = self.groups
        return Fraction(groups[name].total if name in groups else self[name].total, self.total)

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it, in the schema that docs/json.md describes."""
        total = self.total

        def held(part: Component | Group) -> dict[str, Any]:
            share = part.total / total  # the quotient of two exact integers, correctly rounded
            return {"weights": part.weights, "biases": part.biases, "total": part.total, "share": share}

        return {
            "schema": SCHEMA,
            "model": self.name,
            "total": total,
            "weights": self.weights,
            "biases": self.biases,
            "per_block": self.per_block,
            "config": to_fields(self.dims),
            "groups": {group.name: held(group) for group in self.groups.values()},
            "components": [
                {"name": part.name, "group": part.group, "times": part.times, "formula": part.formula.text()}
                | held(part)
                for part in self.components
            ],
            "conventions": self.conventions,
            "notes": list(self.notes),
        }

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ParameterCount) and self.dims == other.dims

    def __hash__(self) -> int:
        return hash(self.dims)

    def __int__(self) -> int:
        return self.total

    def __format__(self, form: str) -> str:
        """Return the total in a format, as in f"{count:,}"."""
        try:
            return format(self.total, form) if form else str(self)
        except ValueError:
            raise ConfigError(
                f"a count is written in a format for whole numbers such as ',', got {shown(form)}"
            ) from None

    def __repr__(self) -> str:
        parts = " + ".join(f"{group.name} {group.total:,}" for group in self.groups.values() if group.total)
        return f"<ParameterCount {self.name}: {self.total:,} = {parts}>"

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        return html.write([self.table()])

    def table(self, *, per_block: bool = False) -> Table:
        """Lay the components, the groups and the total out as one table, of the model or of one of its blocks."""
        shown, name = self.components, self.name
        if per_block:
            one = ParameterCount(self.dims._replace(n_layer=1)).components
            shown = tuple(part._replace(formula=part.formula.each) for part in one if part.formula.times != 1)
            name = f"{self.name}, one block of {self.dims.n_layer:,}"
        whole = sum(part.total for part in shown)

        def row(name: str, formula: ClosedForm | str, parts: tuple[Component, ...]) -> tuple[Cell, ...]:
            weights, biases = sum(part.weights for part in parts), sum(part.biases for part in parts)
            return name, formula, weights, biases, weights + biases, Percent(weights + biases, whole)

        groups = {name: tuple(part for part in shown if part.group == name) for name in formulas.GROUPS}
        rows = (
            *(row(part.name, part.formula, (part,)) for part in shown),
            None,
            *(row(name, "", parts) for name, parts in groups.items() if parts),
            None,
            row("total", "", shown),
        )
        return Table(name, ("component", "formula", "weights", "biases", "parameters", "share"), rows)

    def flat_table(self, *, per_block: bool = False) -> Table:
        """Lay the same rows out for a spreadsheet, where a first column tells components, groups and total apart."""
        title, headers, rows = self.table(per_block=per_block)
        kinds = iter(("component", "group", "total"))
        kind, flat = next(kinds), []
        for row in rows:
            if row is None:
                kind = next(kinds)
            else:
                flat.append((kind, *row))
        return Table(title, ("kind", "name", *headers[1:]), tuple(flat))

    def conventions_table(self) -> Table:
        """Lay every convention out as one table: its name, value and unit, what it counts, and where it is found."""
        rows = tuple(
            (row.name, row.value(self.dims), row.unit, row.sentence, row.source) for row in conventions.CONVENTIONS
        )
        return Table(f"{self.name}, counted every way", CONVENTION_HEADERS, rows)

    def conventions_in_short(self, *, sources: bool = False) -> Table:
        """Lay the conventions out for a terminal, without those in bytes, which `bytes_table` has."""
        rows = (row for row in self.conventions_table().rows if row and row[2] != conventions.BYTES)
        columns = itemgetter(0, 1, 3, 4) if sources else itemgetter(0, 1, 3)
        return Table(
            f"{self.name}, counted every way" if sources else "counted every way",
            columns(CONVENTION_HEADERS),
            tuple(map(columns, rows)),
        )

    def bytes_table(self) -> Table:
        """Lay the sizes in bytes out, in MB of 10⁶ and MiB of 2²⁰ bytes."""
        stored = (row for row in conventions.CONVENTIONS if row.unit == conventions.BYTES)
        values = ((row.name.removesuffix("_bytes"), row.value(self.dims)) for row in stored)
        rows = tuple((name, value, Scaled(value, 10**6, "MB"), Scaled(value, 2**20, "MiB")) for name, value in values)
        return Table("stored, each parameter once", ("dtype", "bytes", "MB", "MiB"), rows)
