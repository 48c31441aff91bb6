"""`Comparison`: several models side by side, in the tables that people draw when they compare sizes."""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, Any

from gpt2calc.model import GROUPS
from gpt2calc.table import Difference, Percent, Ratio, Table, sequences

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from gpt2calc.costs.report import Cost
    from gpt2calc.costs.serving import Serving
    from gpt2calc.counts import ParameterCount
    from gpt2calc.table import Cell

SCHEMA = "gpt2calc/compare/2"


class Comparison:
    """Counts of several models, side by side.

    >>> import gpt2calc
    >>> pair = gpt2calc.compare("small", "xl")
    >>> [count.total for count in pair]
    [124439808, 1557611200]
    """

    __slots__ = ("costs", "counts", "passes", "servings")

    def __init__(
        self,
        counts: tuple[ParameterCount, ...],
        costs: tuple[Cost, ...] = (),
        servings: tuple[Serving | None, ...] = (),
        *,
        passes: bool = False,
    ) -> None:
        self.counts = counts
        self.costs = costs
        self.servings = servings
        self.passes = passes  # whether FLOPs are asked for beside what servings keep

    def __iter__(self) -> Iterator[ParameterCount]:
        return iter(self.counts)

    def __len__(self) -> int:
        return len(self.counts)

    def __getitem__(self, place: int) -> ParameterCount:
        return self.counts[place]

    def __repr__(self) -> str:
        return f"<Comparison {', '.join(f'{count.name} {count.total:,}' for count in self.counts)}>"

    def to_dict(self) -> dict[str, Any]:
        """Return every count as JSON takes it, in the schema that docs/json.md describes."""
        found = {"schema": SCHEMA, "models": [count.to_dict() for count in self.counts]}
        if self.costs:
            found["costs"] = [cost.to_dict() for cost in self.costs]
        if self.servings:
            found["servings"] = [{} if each is None else self._served(each) for each in self.servings]
        return found

    @property
    def context(self) -> int | None:
        """Tokens at which the KV caches of all models are compared: those of the one that is the shortest; or None."""
        longest = [each.tokens for each in self.servings if each is not None and each.tokens is not None]
        return min(longest) if longest and len(longest) == len(self.servings) else None

    def _served(self, serving: Serving) -> dict[str, Any]:
        """Return what a model keeps of the tokens before, as JSON takes it."""
        settings = {"batch": serving.batch, "dtype": serving.dtype, "convention": serving.convention}
        kv: dict[str, Any] = {"bytes_per_token": serving.kv_bytes_per_token, "state_bytes": serving.state_bytes}
        if self.context is not None:
            kv |= {"tokens": self.context, "bytes": serving.bytes_at(self.context)}
        if not self.passes:
            return {"settings": settings, "kv": kv}
        flops: dict[str, Any] = {}
        if serving.products and serving.run is not None:
            settings |= {"seq": serving.run.tokens, "past": serving.run.past, "logits": serving.logits}
            flops = {"forward": serving.forward}
            flops |= {} if serving.training is None else {"training": serving.training}
        notes = list(serving.flops_notes)
        return {"settings": settings, **({"flops": flops} if flops else {}), "kv": kv, "notes": notes}

    @property
    def flops(self) -> tuple[int | None, ...]:
        """FLOPs of each model, where they were asked for: of a training step, or of a forward pass; None where none."""
        if self.costs:
            return tuple(cost.forward if cost.training is None else cost.training for cost in self.costs)
        servings = self.servings if self.passes else ()
        return tuple(each.training or each.forward if each is not None else None for each in servings)

    @property
    def notes(self) -> tuple[str, ...]:
        """What a reader should know of the models or of what they cost, a sentence each, with the model it is about."""
        told = [(each.name, each.notes) for each in self.costs or self.counts]
        told += [(each.name, each.flops_notes) for each in self.servings if self.passes and each is not None]
        return tuple(note if len(self.counts) == 1 else f"{name}: {note}" for name, notes in told for note in notes)

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        return html.write(self.tables())

    def tables(self) -> list[Table]:
        """Lay the comparison out: sizes, parameters, shares of the total, what holds between the groups, and costs."""
        groups = [name for name in GROUPS if any(name in c.groups and c.groups[name].total for c in self.counts)]
        sizes = {name: letter for count in self.counts for name, letter in count.model.letters().items()}
        sizes.pop("num_labels", None)

        def group(name: str) -> Callable[[ParameterCount], int]:
            return lambda count: count.groups[name].total if name in count.groups else 0

        def share(part: Callable[[ParameterCount], int], digits: int = 2) -> Callable[[ParameterCount], Cell]:
            return lambda count: Percent(part(count), count.total, digits)

        tables = [
            self._table("sizes", *((name, _size(name)) for name in sizes)),
            self._table(
                "parameters",
                *((name, group(name)) for name in groups),
                None,
                ("weights", attrgetter("weights")),
                ("biases", attrgetter("biases")),
                None,
                ("total", attrgetter("total")),
            ),
            self._table(
                "share of the total",
                *((name, share(group(name))) for name in groups),
                None,
                ("weights", share(attrgetter("weights"), 3)),
                ("biases", share(attrgetter("biases"), 3)),
            ),
            self._table(
                "between the parts",
                ("mlp / attention", lambda count: Ratio(group("mlp")(count), group("attention")(count))),
                ("layer_norm weights", lambda count: count.groups["layer_norm"].weights),
                ("layer_norm biases", lambda count: count.groups["layer_norm"].biases),
                ("parameters per block", lambda count: "" if count.per_block is None else count.per_block),
            ),
        ]
        if len(self.counts) == 2:
            tables[1] = _with_difference(tables[1])
        return [*tables, *self._costs(), *self._passed(), *self._kept()]

    def table(self) -> Table:
        """Lay everything out as one table, a row a measure, for a spreadsheet."""
        width = 1 + len(self.counts)
        parts = ((table.headers[0], row) for table in self.tables() for row in table.rows)
        rows = tuple((title, *row[:width]) for title, row in parts if row is not None)
        return Table("", ("section", "measure", *self._names()), rows)

    def _costs(self) -> list[Table]:
        """Lay what each model costs out, what was not asked for, or is not covered, left out; nothing without costs."""
        if not self.costs:
            return []
        first = self.costs[0].settings
        rows: tuple[tuple[str, Callable[[Cost], int | None]], ...] = (
            ("FLOPs of a forward pass", attrgetter("forward")),
            ("FLOPs of a training step", attrgetter("training")),
            ("bytes of a token in the KV cache", attrgetter("kv_bytes_per_token")),
            ("bytes of the KV cache", attrgetter("kv_bytes")),
            ("bytes of the weights", attrgetter("weights")),
            ("bytes of the gradients", attrgetter("gradients")),
            ("bytes of the optimizer's state", attrgetter("optimizer")),
            ("bytes of activations", attrgetter("activations")),
            ("bytes at the peak", attrgetter("peak")),
        )
        passed: tuple[tuple[Cell, ...], ...] = (
            ("sequences", *(cost.settings.batch for cost in self.costs)),
            ("tokens of each", *(cost.settings.seq for cost in self.costs)),
        )
        if first.past:
            passed += (("tokens before", *(cost.settings.past for cost in self.costs)),)
        said = ", ".join(filter(None, (first.dtype, first.optimizer)))
        cells = [(name, [value(cost) for cost in self.costs]) for name, value in rows]
        given: list[tuple[Cell, ...]] = [
            (name, *("" if value is None else value for value in values))
            for name, values in cells
            if any(value is not None for value in values)
        ]
        flops = [row for row in given if str(row[0]).startswith("FLOPs")]
        costs = Table("", (f"costs, {said}", *self._names()), (*passed, None, *flops, None, *given[len(flops) :]))
        return [_with_difference(costs) if len(self.costs) == 2 else costs]

    def _passed(self) -> list[Table]:
        """Lay the FLOPs of each model out, empty where they are not counted; nothing unless as much passes in all."""
        runs = {each.run for each in self.servings if each is not None and each.products}
        if not self.passes or len(runs) != 1 or (run := runs.pop()) is None:
            return []
        passes = [("forward pass", attrgetter("forward")), ("training step", attrgetter("training"))]
        rows = [(name, [None if each is None else value(each) for each in self.servings]) for name, value in passes]
        cells = [(name, *("" if value is None else value for value in values)) for name, values in rows if any(values)]
        behind = f" behind {run.past:,}" if run.past else ""
        title = f"FLOPs of {sequences(run.batch, run.tokens)}{behind}"
        table = Table("", (title, *self._names()), tuple(cells))
        return [_with_difference(table) if len(self.counts) == 2 else table]

    def _kept(self) -> list[Table]:
        """Lay what each model keeps of the tokens before out, in bytes; nothing of GPT-2s alone, unless asked."""
        if not self.servings:
            return []

        def row(label: str, value: Callable[[Serving], int | str]) -> tuple[Cell, ...]:
            return label, *("" if each is None else value(each) for each in self.servings)

        rows = [row("dtype", attrgetter("kv_dtype")), row("bytes of a token", attrgetter("kv_bytes_per_token"))]
        if any(each is not None and each.state_bytes for each in self.servings):
            rows.append(row("bytes of the states", attrgetter("state_bytes")))
        if (context := self.context) is not None:
            batch = max(each.batch for each in self.servings if each is not None)
            rows.append(row(f"bytes of {sequences(batch, context)}", lambda each: each.bytes_at(context)))
        kept = Table("", ("KV cache", *self._names()), tuple(rows))
        return [_with_difference(kept) if len(self.counts) == 2 else kept]

    def _names(self) -> tuple[str, ...]:
        return tuple(count.name for count in self.counts)

    def _table(self, title: str, *rows: tuple[str, Callable[[ParameterCount], Cell]] | None) -> Table:
        cells = (row and (row[0], *map(row[1], self.counts)) for row in rows)
        return Table("", (title, *self._names()), tuple(cells))


def _size(name: str) -> Callable[[ParameterCount], Cell]:
    """Return what gives a size of a model, nothing where its architecture has no such size."""

    def of(count: ParameterCount) -> Cell:
        value: Cell = count.model.sizes.get(name, "")
        return value

    return of


def _with_difference(table: Table) -> Table:
    """Add what the second of two models has more than the first, and how many times as much."""

    def row(cells: tuple[Cell, ...] | None) -> tuple[Cell, ...] | None:
        if cells is None:
            return None
        label, first, second = cells
        if not isinstance(first, int) or not isinstance(second, int):
            return label, first, second, "", ""  # what one of them costs may not be covered
        return label, first, second, Difference(second - first), Ratio(second, first, 3)

    return Table(table.title, (*table.headers, "difference", "ratio"), tuple(map(row, table.rows)))
