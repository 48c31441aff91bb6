"""`Sweep`: counts of many models, as columns, with the table that shows the first of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from gpt2calc.errors import ConfigError, UnknownNameError
from gpt2calc.table import Percent, Table, text

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.table import Cell

SCHEMA = "gpt2calc/sweep/1"

GAP = 2
"""How many characters a terminal has between two columns."""

SHOWN = 20
"""How many rows a table shows unless more are asked for."""

MOST_IN_JSON = 100_000
"""How many models one JSON document holds at most."""


class Sweep(dict[str, Any]):
    """Counts of many models: a mapping from the name of each column to a numpy array, int64 for counts.

    >>> import gpt2calc
    >>> small = gpt2calc.sweep("gpt2", n_layer=[12, 24], n_embd=[768, 1024])
    >>> small["total"].tolist()
    [124439808, 203668480, 209494272, 354823168]
    """

    __slots__ = ("count", "model", "notes", "request")

    def __init__(
        self,
        columns: dict[str, Any],
        *,
        model: str,
        request: Mapping[str, Any],
        notes: tuple[str, ...] = (),
        count: int | None = None,
    ) -> None:
        super().__init__(columns)  # a dict, since pandas takes any other mapping for a list of its keys
        self.model, self.request, self.notes = model, dict(request), notes
        self.count = self.rows if count is None else count

    def __missing__(self, name: str) -> NoReturn:
        raise UnknownNameError("column", name, tuple(self))

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep what is said of the columns in another process."""
        return _restored, (dict(self), self.model, self.request, self.notes, self.count)

    def __repr__(self) -> str:
        return f"<Sweep {self.model}: {self.rows:,} rows of {', '.join(self)}>"

    @property
    def rows(self) -> int:
        """How many rows the columns have; `len` is the number of columns, as a mapping has it."""
        return len(next(iter(self.values()), ()))

    def to_dict(self) -> dict[str, Any]:
        """Return every model as JSON takes it, in the schema that docs/json.md describes.

        Raises:
            ConfigError: there are more models than one document holds.
        """
        if self.rows > MOST_IN_JSON:
            raise ConfigError(f"JSON holds at most {MOST_IN_JSON:,} models, and there are {self.rows:,}: write jsonl")
        lists = [values.tolist() for values in self.values()]
        models = [dict(zip(self, row, strict=True)) for row in zip(*lists, strict=True)]
        return {"schema": SCHEMA, "model": self.model, **self.request, "models": models, "notes": list(self.notes)}

    def to_pandas(self) -> Any:
        """Return the columns as a `pandas.DataFrame`, a row a model, without copying numbers; needs pandas."""
        try:
            import pandas as pd
        except ImportError:
            raise ConfigError("a DataFrame needs pandas: python -m pip install pandas") from None
        return pd.DataFrame(dict(self), copy=False)

    def to_arrow(self) -> Any:
        """Return the columns as a `pyarrow.Table`, numbers without copying them; needs pyarrow."""
        import pyarrow as pa  # a guest

        from gpt2calc.sweeps import writers

        return pa.Table.from_batches([writers.to_batch(dict(self))])

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Hand the columns to any library that speaks Arrow, numbers without copying them; needs pyarrow."""
        return self.to_arrow().__arrow_c_stream__(requested_schema)

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        return html.write(self.tables())

    def tables(self, most: int = SHOWN, width: int | None = None) -> list[Table]:
        """Lay the first rows out as one table, and say in its title how many there are.

        Args:
            most: how many rows.
            width: the characters of a line, beyond which shares are left out, the last ones first; None for any.
        """
        number = min(most, self.rows)
        what = f"{self.count:,} models" if self.count != 1 else "1 model"
        title = f"{self.model}, {what}" + (f", the first {number:,}" if number < self.count else "")
        totals = self["total"][:number].tolist() if "total" in self else [None] * number
        lists = [
            [_cell(value, total) for value, total in zip(values[:number].tolist(), totals, strict=True)]
            for values in self.values()
        ]
        headers = tuple(name.removesuffix("_share") + " %" * name.endswith("_share") for name in self)
        widths = [max(map(len, (head, *map(text, cells)))) + GAP for head, cells in zip(headers, lists, strict=True)]
        while width is not None and sum(widths) - GAP > width and headers[len(widths) - 1].endswith(" %"):
            widths.pop()
        count = len(widths)
        return [Table(title, headers[:count], tuple(zip(*lists[:count], strict=True)))]


def _restored(
    columns: dict[str, Any], model: str, request: dict[str, Any], notes: tuple[str, ...], count: int
) -> Sweep:
    return Sweep(columns, model=model, request=request, notes=notes, count=count)


def _cell(value: Any, total: int | None) -> Cell:
    if isinstance(value, bool):
        return str(value).lower()
    cell: Cell = share(value, total) if isinstance(value, float) else value
    return cell


def share(value: float, total: int | None) -> Percent:
    """Return a share as a cell, from the exact integers that it is the quotient of where the total is known.

    A float64 tells the part of a total below 2⁵³ to the unit, so the percentage is rounded once, from integers.

    >>> share(56669184 / 124439808, 124439808)
    Percent(part=56669184, whole=124439808, digits=2, series='')
    """
    numerator, denominator = value.as_integer_ratio()
    if total is None:
        return Percent(numerator, denominator)
    return Percent((2 * numerator * total + denominator) // (2 * denominator), total)
