"""`ParameterCount`: what a model holds, by component, group, weight and bias; everything is derived from its dims."""

from __future__ import annotations

from itertools import islice
from operator import itemgetter

from gpt2calc import general_conventions
from gpt2calc.algebra import ClosedForm, Expression
from gpt2calc.dims import LETTERS, UNSAID, Dims, config_of, dims_of, letters, sizes_of
from gpt2calc.errors import ConfigError, Named, shown
from gpt2calc.fields import called
from gpt2calc.model import GROUPS
from gpt2calc.records import NamedTuple
from gpt2calc.table import HINT, Percent, Said, Scaled, Table, in_bytes, short, text

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from fractions import Fraction
    from typing import Any

    from gpt2calc.general_conventions import Convention
    from gpt2calc.model import Model
    from gpt2calc.table import Cell

SCHEMA = "gpt2calc/count/2"
OTHER_TOTALS = ("active", "untied", "without_embeddings", "tied")
"""The conventions that a count in short tells beside its total, two of those that differ from it."""

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


class Layers(NamedTuple):
    """The layers of a model that have the same components: their tags, how many there are, and what one holds."""

    tags: tuple[str, ...]
    number: int
    each: int

    @property
    def total(self) -> int:
        """What all of them hold."""
        return self.number * self.each


class Group(NamedTuple):
    """The parameters of one group of components in the whole model."""

    name: str
    weights: int
    biases: int

    @property
    def total(self) -> int:
        """Weights and biases together."""
        return self.weights + self.biases


class Totals(dict[tuple[int, ...], "Callable[..., int]"]):
    """The total of a GPT-2 as a function of its sizes, for each structure that was asked for.

    Whoever asks once, as a command does, gets the sum of the table; who asks again, as a loop does, what is compiled.
    """

    def __init__(self) -> None:
        self.asked = set[tuple[int, ...]]()

    def __missing__(self, structure: tuple[int, ...]) -> Callable[..., int]:
        """Return the function for one structure, the second time compiled."""
        from gpt2calc import formulas  # and with it GPT-2, which is not loaded where another architecture is counted

        if structure not in self.asked:
            self.asked.add(structure)
            return lambda *sizes: formulas.total(Dims(*sizes, *structure))
        total = Expression.of(formulas.total(letters(structure)))
        function = self[structure] = total.compiled(LETTERS.values())
        return function


_totals = Totals()


class ParameterCount:
    """The exact parameter count of one model.

    Law: total = Σ over components of times · (weights + biases), see the files of `architectures`.

    Args:
        dims: the sizes and structure of a GPT-2, or a model of any architecture; None for what `name` says.
        name: what the user called it, or the fields that they put over gpt2's, which are all sizes where dims is None.
        notes: what a reader should know about how it was read, a sentence each.

    >>> import gpt2calc
    >>> count = gpt2calc.count("gpt2")
    >>> count.total, count.biases, count["attn.c_attn"].total, count.groups["mlp"].total
    (124439808, 102144, 21261312, 56669184)
    """

    __slots__ = ("_components", "_counted", "_model", "_named", "notes")

    def __init__(
        self, dims: Dims | Model | None, name: str | Mapping[str, object] = "", notes: tuple[str, ...] = ()
    ) -> None:
        self._counted = dims
        self._named = name
        self.notes = notes

    @property
    def name(self) -> str:
        """What the user called it; made when it is asked for where they gave gpt2 other fields, and no name."""
        return self._named if isinstance(self._named, str) else called("gpt2", self._named)

    @property
    def counted(self) -> Dims | Model:
        """What is counted; made when it is asked for where sizes are all that was given, which a total does without."""
        return Dims(*self._sizes(), *UNSAID) if self._counted is None else self._counted

    def _sizes(self) -> tuple[int, ...]:
        return sizes_of({} if isinstance(self._named, str) else self._named)

    @property
    def dims(self) -> Dims:
        """What the formulas of a GPT-2 read.

        Raises:
            ConfigError: the model is of another architecture, which has other sizes.
        """
        return dims_of(self.counted, self.name)

    @property
    def model(self) -> Model:
        """The model, whose sizes and rows have the names of its architecture."""
        if not isinstance(self.counted, Dims):
            return self.counted
        known: Model | None = getattr(self, "_model", None)  # made when it is first asked for, as most properties ask
        if known is not None:
            return known
        from gpt2calc.architectures import gpt2

        self._model = found = gpt2.model(self.counted)
        return found

    @property
    def total(self) -> int:
        """All parameters of the model, in parameters."""
        counted = self._counted
        if counted is None:
            return _totals[UNSAID](*self._sizes())
        return _totals[counted[6:]](*counted[:6]) if isinstance(counted, Dims) else int(counted.total())

    @property
    def components(self) -> tuple[Component, ...]:
        """The components that the model has, in the order of the forward pass."""
        known: tuple[Component, ...] | None = getattr(self, "_components", None)  # as above
        if known is not None:
            return known
        model = self.model
        lettered = model.lettered()
        found = []
        for row, law in zip(model.components(), lettered.components(), strict=True):
            times = model.count(row.layers) * row.times
            form = ClosedForm(*map(Expression.of, (lettered.count(law.layers) * law.times, law.weights, law.biases)))
            if form.times.terms:
                counted = times * row.weights, times * row.biases
                found.append(Component(row.name, row.group, times, *counted, form, row.source))
        self._components = tuple(found)
        return self._components

    def __getitem__(self, name: str) -> Component:
        """Return one component by name, one that the model does not have as holding nothing."""
        found = {component.name: component for component in self.components}
        if name in found:
            return found[name]
        absent = Named("component", {row.name: row for row in self.model.components()})[name]
        zero = Expression({})
        return Component(name, absent.group, 0, 0, 0, ClosedForm(zero, zero, zero), absent.source)

    @property
    def groups(self) -> dict[str, Group]:
        """The groups that the architecture has, embedding and attention first, with 0 for what the model does not have.

        LayerNorm before cross-attention is counted in cross_attention, as a part of what `add_cross_attention` adds.
        """
        model = self.model
        rows = model.components()
        sums = {name: [0, 0] for name in GROUPS if any(row.group == name for row in rows)}
        for row in rows:
            pair, times = sums[row.group], model.count(row.layers) * row.times
            pair[0] = pair[0] + times * row.weights
            pair[1] = pair[1] + times * row.biases
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
    def layers(self) -> tuple[Layers, ...]:
        """The layers by kind, in the order in which they come; what one would hold, where there are none.

        >>> import gpt2calc
        >>> [(each.tags, each.number, each.each) for each in gpt2calc.count("DeepSeek-V3").layers]
        [(('decoder', 'dense'), 3, 583483392), (('decoder', 'moe'), 58, 11507286016)]
        """
        model = self.model
        rows = [row for row in model.components() if row.layers]
        found = []
        for tags in model.kinds():
            own = (row for row in rows if set(row.layers.split()) <= tags)
            each = int(sum(row.times * (row.weights + row.biases) for row in own))
            found.append(Layers(tuple(sorted(tags)), model.number(tags), each))
        return tuple(found)

    @property
    def per_block(self) -> int | None:
        """The parameters of one block, 7,087,872 in gpt2; of the first, where there are none; None if not all alike."""
        kinds = self.layers
        return kinds[0].each if len(kinds) == 1 else None

    @property
    def conventions(self) -> dict[str, int]:
        """The value of every named convention; see docs/conventions.md for what each counts."""
        return Named("convention", {row.name: row.value(self.counted) for row in self._conventions()})

    def _conventions(self) -> tuple[Convention, ...]:
        if not isinstance(self.counted, Dims):
            return general_conventions.of(self.counted)
        from gpt2calc import conventions

        return conventions.CONVENTIONS

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

        model = self.model
        return {
            "schema": SCHEMA,
            "model": self.name,
            "model_type": model.architecture.model_type,
            "total": total,
            "weights": self.weights,
            "biases": self.biases,
            "per_block": self.per_block,
            "layers": [
                {"tags": list(kind.tags), "number": kind.number, "each": kind.each, "total": kind.total}
                for kind in self.layers
            ],
            "config": config_of(self.counted),
            "sizes": {name: value for name, value in model.sizes.items() if isinstance(value, int)},
            "groups": [{"name": group.name} | held(group) for group in self.groups.values()],
            "components": [
                {"name": part.name, "group": part.group, "times": part.times, "formula": part.formula.text()}
                | held(part)
                for part in self.components
            ],
            "letters": self.letters,
            "conventions": self.conventions,
            "notes": list(self.notes),
        }

    @property
    def letters(self) -> dict[str, int]:
        """The letters in which the formulas of the components are written, each with the model's number."""
        model = self.model
        sizes = {letter: model.sizes[name] for name, letter in model.letters().items()}
        known = {**sizes, **model.layer_letters()}
        used = {letter for part in self.components for letter in part.formula.simplified.letters}
        return {letter: number for letter, number in known.items() if letter in used}

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ParameterCount) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> object:
        counted = self.counted
        return counted if isinstance(counted, Dims) else (counted.architecture.model_type, *counted.sizes.items())

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

        parts: list[Table | Said] = [Said(self.headline), self.table()._replace(title="")]
        parts += [Said(f"note: {note}", HINT) for note in self.notes]
        letters = () if isinstance(self.counted, Dims) else (self.letters_table(),)
        return html.write(parts, folded=(*letters, self.conventions_in_short(), self.bytes_table()))

    def table(self, *, per_block: bool = False) -> Table:
        """Lay the components, the groups and the total out as one table, of the model or of one of its blocks."""
        if not per_block:
            return self._table(self.name, self.components)
        kinds = self.layers
        if len(kinds) > 1:
            raise ConfigError(f"{self.name} has layers of {len(kinds)} kinds, and so no one block to count")
        return self._table(*self._block(kinds[0]))

    def block_tables(self) -> list[Table]:
        """Lay one block of each kind out, in the order in which the kinds come."""
        return [self._table(*self._block(kind)) for kind in self.layers]

    def layers_table(self) -> Table:
        """Lay the kinds of layers out, each with how many there are, and what one and all of them hold."""
        rows = tuple((self._called(kind), kind.number, kind.each, kind.total) for kind in self.layers)
        return Table("layers", ("kind", "layers", "parameters of one", "of all"), rows)

    def _called(self, kind: Layers) -> str:
        """Return the tags that tell a kind from the others; all of them where there is one kind."""
        common = frozenset.intersection(*(frozenset(each.tags) for each in self.layers))
        return ", ".join(tag for tag in kind.tags if tag not in common) or ", ".join(kind.tags)

    @property
    def headline(self) -> str:
        """The answer in one line: the total, as people say it, and what it takes in fp32.

        >>> import gpt2calc
        >>> gpt2calc.count("gpt2").headline
        'gpt2: 124,439,808 parameters (124M), 497.76 MB in fp32'
        """
        total = self.total
        said = f" ({short(total)})" if total >= 1000 else ""
        stored = next(row.value(self.counted) for row in self._conventions() if row.name == "fp32_bytes")
        return f"{self.name}: {total:,} parameters{said}, {text(in_bytes(stored))} in fp32"

    def in_short(self, most: int) -> list[Table | Said]:
        """Lay the answer out for one screen: the total first, components, groups, and what else there is to see.

        Law: the components add up to the total, those that there is no room for as one row of others, the smallest.

        Args:
            most: how many rows of components there is room for.
        """
        total, parts = self.total, self.components
        largest = sorted(range(len(parts)), key=lambda place: -parts[place].total)
        kept = largest if len(parts) <= most else largest[: most - 1]
        others = [part for place, part in enumerate(parts) if place not in kept]

        def row(name: str, form: ClosedForm | str, size: int, group: str = "") -> tuple[Cell, ...]:
            return name, form, size, Percent(size, total, series=group)

        rows: list[tuple[Cell, ...] | None] = [
            row(parts[place].name, parts[place].formula, parts[place].total, parts[place].group)
            for place in sorted(kept)
        ]
        rows += [row(f"{len(others)} others", "", sum(part.total for part in others))] if others else []
        groups = [row(group.name, "", group.total, group.name) for group in self.groups.values() if group.total]
        table = Table(
            "", ("component", "formula", "parameters", "share"), (*rows, None, *groups, None, row("total", "", total))
        )

        ways = {row.name: row for row in self._conventions() if row.unit != general_conventions.BYTES}
        counts = ((name, ways[name].value(self.counted)) for name in OTHER_TOTALS if name in ways)
        told = list(islice((each for each in counts if each[1] != total), 2))
        left = len(ways) - len(told) - 1
        also = [f"{name.replace('_', ' ')} {counted:,}" for name, counted in told]
        more = [f"{left} more", *([f"all {len(parts)} components"] if others else [])]
        more += [] if isinstance(self.counted, Dims) else ["the letters"]  # those of a GPT-2 are well known
        listed = " and ".join([", ".join(more[:-1]), more[-1]] if len(more) > 1 else more)
        return [Said(self.headline), table, Said(f"also: {'; '.join([*also, listed])} with --all", HINT)]

    @staticmethod
    def _table(name: str, shown: tuple[Component, ...]) -> Table:
        whole = sum(part.total for part in shown)

        def row(
            name: str, formula: ClosedForm | str, parts: tuple[Component, ...], group: str = ""
        ) -> tuple[Cell, ...]:
            weights, biases = sum(part.weights for part in parts), sum(part.biases for part in parts)
            return name, formula, weights, biases, weights + biases, Percent(weights + biases, whole, series=group)

        groups = {name: tuple(part for part in shown if part.group == name) for name in GROUPS}
        rows = (
            *(row(part.name, part.formula, (part,), part.group) for part in shown),
            None,
            *(row(name, "", parts, name) for name, parts in groups.items() if parts),
            None,
            row("total", "", shown),
        )
        return Table(name, ("component", "formula", "weights", "biases", "parameters", "share"), rows)

    def _block(self, kind: Layers) -> tuple[str, tuple[Component, ...]]:
        """Return what to call one block of a kind, and what it holds."""
        model = self.model
        found = []
        for row, law in zip(model.components(), model.lettered().components(), strict=True):
            form = ClosedForm(*map(Expression.of, (law.times, law.weights, law.biases))).each
            if row.layers and row.times and set(row.layers.split()) <= set(kind.tags):
                counted = row.times * row.weights, row.times * row.biases
                form = form if row.times == 1 else form._replace(times=Expression.of(law.times))
                found.append(Component(row.name, row.group, row.times, *counted, form, row.source))
        which = f" with {self._called(kind)}" if len(self.layers) > 1 else ""
        return f"{self.name}, one block of {kind.number:,}{which}", tuple(found)

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
        rows = tuple(map(self._evaluated, self._conventions()))
        return Table(f"{self.name}, counted every way", CONVENTION_HEADERS, rows)

    def _evaluated(self, row: Convention) -> tuple[Cell, ...]:
        return row.name, row.value(self.counted), row.unit, row.sentence, row.source

    def letters_table(self) -> Table:
        """Lay the letters of the formulas out, each with what it stands for and the model's number."""
        names = {letter: name for name, letter in self.model.letters().items()}

        def called(letter: str) -> str:
            """Return the name of a size, or which layers are counted, as L_moe says."""
            kind = letter.partition("_")[2].replace("_", " ")
            return names.get(letter) or (f"layers with {kind}" if kind else "layers")

        rows = tuple((letter, called(letter), number) for letter, number in self.letters.items())
        return Table("where", ("letter", "size", "number"), rows)

    def conventions_in_short(self, *, sources: bool = False) -> Table:
        """Lay the conventions out for a terminal, without those in bytes, which `bytes_table` has."""
        rows = (self._evaluated(row) for row in self._conventions() if row.unit != general_conventions.BYTES)
        columns = itemgetter(0, 1, 3, 4) if sources else itemgetter(0, 1, 3)
        return Table(
            f"{self.name}, counted every way" if sources else "counted every way",
            columns(CONVENTION_HEADERS),
            tuple(map(columns, rows)),
        )

    def bytes_table(self) -> Table:
        """Lay the sizes in bytes out, in MB of 10⁶ and MiB of 2²⁰ bytes."""
        stored = (row for row in self._conventions() if row.unit == general_conventions.BYTES)
        values = ((row.name.removesuffix("_bytes"), row.value(self.counted)) for row in stored)
        rows = tuple((name, value, Scaled(value, 10**6, "MB"), Scaled(value, 2**20, "MiB")) for name, value in values)
        return Table("stored, each parameter once", ("dtype", "bytes", "MB", "MiB"), rows)
