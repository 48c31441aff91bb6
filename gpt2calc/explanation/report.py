"""`Explanation`: figures with their readings, best first, and the tables that show them."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.explanation import lattice, printed, readings
from gpt2calc.explanation.printed import EXACT
from gpt2calc.explanation.readings import DEEP, EXPLAINED, SHALLOW, Search
from gpt2calc.figures import BYTES
from gpt2calc.formulas import total
from gpt2calc.presets import models as ship
from gpt2calc.table import Percent, Table, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gpt2calc.explanation.printed import Printed
    from gpt2calc.explanation.readings import Reading
    from gpt2calc.sources import Source
    from gpt2calc.table import Cell

SCHEMA = "gpt2calc/explain/1"
KEPT = 12
"""How many readings of a figure are kept; rivals are counted over all."""

NEAREST = 3


class Explained(NamedTuple):
    """One figure and what it can have come from.

    Args:
        figure: the figure.
        readings: the best readings, best first; none where nothing fits.
        nearest: where nothing fits, the usual counts that are nearest.
        fitting: how many numbers fit.
        searched: how many were looked at.
    """

    figure: Printed
    readings: tuple[Reading, ...]
    nearest: tuple[Reading, ...]
    fitting: int
    searched: int

    @property
    def by_accident(self) -> int:
        """How many numbers as usual as the best fit by accident, in thousandths; 0 where nothing fits."""
        return self.readings[0].coincidences if self.readings else 0


class Explanation:
    """Printed figures, each with its readings.

    Iterating gives every reading, the best of each figure first.

    Args:
        figures: the figures with their readings.
        models: the names of the models that were looked at; none for all that ship.
        common: whether the first readings are by one convention that explains every figure.
        notes: what a reader should know about how a model was read, a sentence each.

    >>> import gpt2calc
    >>> best = gpt2calc.explain("137M", "gpt2")[0]
    >>> best.value, best.convention, best.fit, best.verdict
    (137022720, 'stored_with_masks', 'rounded', 'explained')
    """

    __slots__ = ("common", "figures", "models", "notes")

    def __init__(
        self, figures: tuple[Explained, ...], models: tuple[str, ...], notes: tuple[str, ...] = (), *, common: bool
    ) -> None:
        self.figures = figures
        self.models = models
        self.notes = notes
        self.common = common

    @property
    def readings(self) -> tuple[Reading, ...]:
        """The readings of all figures, best first: the first of each figure, then the second of each."""
        most = max((len(each.readings) for each in self.figures), default=0)
        places = range(most)
        return tuple(each.readings[place] for place in places for each in self.figures if place < len(each.readings))

    @property
    def fits(self) -> bool:
        """Whether every figure has a reading."""
        return all(each.readings for each in self.figures)

    def __iter__(self) -> Iterator[Reading]:
        return iter(self.readings)

    def __len__(self) -> int:
        return len(self.readings)

    def __getitem__(self, place: int) -> Reading:
        return self.readings[place]

    def __repr__(self) -> str:
        return f"<Explanation {'; '.join(map(in_short, self.figures))}>"

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        return html.write(self.tables())

    def to_dict(self, top: int = KEPT) -> dict[str, Any]:
        """Return everything as JSON takes it, in the schema that docs/json.md describes.

        Args:
            top: how many readings of each figure are given.
        """
        kept = self.first(top)
        return {
            "schema": SCHEMA,
            "models": list(self.models),
            "one_convention": self.common,
            "figures": [
                {
                    "figure": each.figure.text,
                    "answer": in_short(each),
                    "searched": each.searched,
                    "fitting": each.fitting,
                    "by_accident": each.by_accident / 1000,
                    "nearest": [_near_as_dict(each.figure, reading) for reading in each.nearest],
                }
                for each in kept.figures
            ],
            "readings": list(map(_as_dict, kept.readings)),
            "notes": list(self.notes),
        }

    def first(self, top: int) -> Explanation:
        """Return the same with fewer readings of each figure."""
        kept = tuple(each._replace(readings=each.readings[:top]) for each in self.figures)
        return Explanation(kept, self.models, self.notes, common=self.common)

    def tables(self) -> list[Table]:
        """Lay it out: for each figure the answer and its readings, or what is nearest, and then what they rest on."""
        tables = [_readings_table(each) if each.readings else _nearest_table(each) for each in self.figures]
        shown = [*self.readings, *(reading for each in self.figures for reading in each.nearest)]
        rows = dict.fromkeys(row for reading in shown for row in reading.documented)
        return [*tables, Table("what is counted", ("convention", "in words", "source"), tuple(rows)), self._trust()]

    def _trust(self) -> Table:
        """Say how many numbers fit each figure, and how many would by accident."""
        rows = tuple(
            (each.figure.text, each.searched, each.fitting, rounded(each.by_accident, 1000, 1)) for each in self.figures
        )
        return Table("how many numbers fit", ("figure", "looked at", "that fit", "expected by accident"), rows)

    def table(self) -> Table:
        """Lay everything out as one table for a spreadsheet, a row a reading."""
        headers = ("figure", "exactly", "fits", "model", "convention", "verdict", "rivals", "what is counted", "source")
        rows = tuple(
            (
                *(each.figure.text, each.value, each.fit, each.model.names[0], each.convention, each.verdict),
                *(each.rivals, each.sentence, ", ".join(each.sources)),
            )
            for each in self.readings
        )
        return Table("", headers, rows)


def in_short(explained: Explained) -> str:
    """Return the answer in one sentence, without a full stop.

    >>> import gpt2calc
    >>> in_short(gpt2calc.explain("163M", "gpt2").figures[0])
    '163M is 163,037,184, rounded: untied of gpt2'
    """
    figure = explained.figure.text
    if not explained.readings:
        return f"{figure} fits none of the {explained.searched:,} numbers that were looked at"
    best = explained.readings[0]
    number = f"{best.value:,}" + (f", {best.fit}" if best.fit != EXACT else "")
    if best.verdict == lattice.WRONG:
        return f"{figure} is what a formula gives that is not exact: {best.told}, which has {total(best.model.dims):,}"
    if best.verdict == lattice.HYPOTHESIS:
        return f"{figure} would be {number}: {best.told}, a hypothesis"
    if best.verdict == EXPLAINED:
        return f"{figure} is {number}: {best.told}"
    return f"{figure} may be {number}: {best.told}, or a coincidence"


def _as_dict(reading: Reading) -> dict[str, Any]:
    return {
        "figure": reading.figure.text,
        "value": reading.value,
        "unit": "bytes" if reading.scale.kind == BYTES else "parameters",
        "fit": reading.fit,
        "model": reading.model.names[0],
        "models": list(reading.model.names),
        "convention": reading.convention,
        "what_is_counted": reading.sentence,
        "sources": list(reading.sources),
        "verdict": reading.verdict,
        "departures": len(reading.way.steps) + bool(reading.scale.name),
        "rivals": reading.rivals,
        "also": list(reading.also),
    }


def _near_as_dict(figure: Printed, reading: Reading) -> dict[str, Any]:
    return {
        "value": reading.value,
        "model": reading.model.names[0],
        "convention": reading.convention,
        "difference": figure.distance(reading.value, reading.scale),
    }


def _readings_table(explained: Explained) -> Table:
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (each.value, each.fit, each.rivals, each.model.names[0], each.convention) for each in explained.readings
    )
    return Table(in_short(explained), ("exactly", "fits", "rivals", "model", "convention"), rows)


def _nearest_table(explained: Explained) -> Table:
    figure = explained.figure
    differences = [figure.distance(each.value, each.scale) for each in explained.nearest]
    rows = tuple(
        (each.value, difference, Percent(difference, each.value - difference), each.model.names[0], each.convention)
        for each, difference in zip(explained.nearest, differences, strict=True)
    )
    return Table(in_short(explained), ("nearest", "difference", "of it", "model", "convention"), rows)


def explain(figures: Sequence[Printed], models: Sequence[Source]) -> Explanation:
    """Find the readings of figures over models, or over all that ship where none is given."""
    search = _search(models) if models else _everywhere()
    ranked = [search.readings(figure) for figure in figures]
    common = readings.together(ranked) if len(figures) > 1 else []
    if common:
        ranked = [[first, *each] for first, each in zip(common, ranked, strict=True)]
    explained = tuple(_explained(search, figure, each) for figure, each in zip(figures, ranked, strict=True))
    if common:
        explained = tuple(map(_in_common, explained))
    notes = tuple(dict.fromkeys(note for model in models for note in model.notes))
    return Explanation(explained, tuple(model.name for model in models), notes, common=bool(common))


@cache
def _everywhere() -> Search:
    """Return the search over every model that ships; it is made once, which takes longer than all that it is asked."""
    presets = ship()
    return Search(readings.shipped(presets), lattice.axes(presets), SHALLOW)


def _search(models: Sequence[Source]) -> Search:
    presets = ship()
    return Search(readings.given(models, presets), lattice.axes(presets), DEEP)


def _explained(search: Search, figure: Printed, ranked: Sequence[Reading]) -> Explained:
    found = readings.distinct(ranked)
    kept = tuple(map(search.judged, found[:KEPT]))
    nearest = () if found else tuple(search.nearest(figure, NEAREST))
    return Explained(figure, kept, nearest, len(found), search.size(figure))


def _in_common(explained: Explained) -> Explained:
    """Return a figure whose first reading explains the others as well, so that it is no coincidence."""
    first, *others = explained.readings
    return explained._replace(readings=(first._replace(coincidences=0, beaten=False), *others))


def read(texts: Sequence[str | int]) -> tuple[Printed, ...]:
    """Return the figures that texts hold.

    Raises:
        ConfigError: a text holds none, or they are more than `printed.MOST`.
    """
    found = tuple(figure for text in texts for figure in printed.read(str(text)))
    if len(found) > printed.MOST:
        raise printed.too_many(len(found))
    return found
