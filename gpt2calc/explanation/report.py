"""`Explanation`: figures with their readings, best first, and the tables that show them."""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from functools import cache, lru_cache
from math import floor
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import numbers, presets
from gpt2calc.architectures import gpt2
from gpt2calc.dims import Dims
from gpt2calc.errors import ConfigError, shortened
from gpt2calc.explanation import lattice, printed, readings
from gpt2calc.explanation.chance import together as chances_of_all
from gpt2calc.explanation.costs import Asked, CostReading, is_asked, nearest
from gpt2calc.explanation.costs import readings as cost_readings
from gpt2calc.explanation.printed import EXACT
from gpt2calc.explanation.readings import EXPLAINED, MODEL_BUDGET, NAMED, PERHAPS, PRESETS_BUDGET, Search
from gpt2calc.figures import BYTES, in_words
from gpt2calc.table import Percent, Table, rounded

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from gpt2calc.explanation.chance import Met
    from gpt2calc.explanation.lattice import Step
    from gpt2calc.explanation.printed import Printed
    from gpt2calc.explanation.readings import Reading
    from gpt2calc.model import Model
    from gpt2calc.sources import Source
    from gpt2calc.table import Cell

SCHEMA = "gpt2calc/explain/1"
MOST_READINGS = 12
"""How many readings of a figure are kept; rivals are counted over all."""

NEAREST_READINGS = 3

NOTHING_ASKED = Asked()


class Explained(NamedTuple):
    """One figure and what it can have come from.

    Args:
        figure: the figure.
        readings: the best readings, best first; none where nothing fits.
        nearest: where nothing fits, the usual counts that are nearest.
        fitting: how many numbers fit.
        searched: how many were looked at.
        by_accident: how many of them are expected to fit a figure that is printed like this, its digits being any.
        costs: what it can be of the models' costs, where that is asked.
        near_costs: the costs that are nearest, where it is none.
        owner: where it has no reading that is more than a coincidence, whose it is, in words.
    """

    figure: Printed
    readings: tuple[Reading, ...]
    nearest: tuple[Reading, ...]
    fitting: int
    searched: int
    by_accident: Fraction
    costs: tuple[CostReading, ...] = ()
    near_costs: tuple[CostReading, ...] = ()
    owner: str = ""

    @property
    def value(self) -> int | None:
        """The exact number that explains it best; None where nothing fits."""
        if self.costs:
            return self.costs[0].value
        if self.owner:
            return None
        return self.readings[0].value if self.readings else None

    @property
    def is_known(self) -> bool:
        """Whether it has a reading, of a count or of a cost, that is more than a coincidence."""
        is_count = bool(self.readings) and self.readings[0].verdict != PERHAPS
        return is_count or any(not each.doubtful for each in self.costs)


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
        ranks = range(most)
        return tuple(each.readings[rank] for rank in ranks for each in self.figures if rank < len(each.readings))

    @property
    def fits(self) -> bool:
        """Whether every figure has a reading."""
        return all(each.readings or each.costs for each in self.figures)

    @property
    def costs(self) -> tuple[CostReading, ...]:
        """What the figures can be of the models' costs, figure by figure, the plainest first."""
        return tuple(reading for each in self.figures for reading in each.costs)

    @property
    def explained(self) -> bool:
        """Whether every figure has a reading that is more than a coincidence."""
        return all(each.is_known for each in self.figures)

    def __iter__(self) -> Iterator[Reading]:
        return iter(self.readings)

    def __len__(self) -> int:
        return len(self.readings)

    def __getitem__(self, index: int) -> Reading:
        return self.readings[index]

    def __repr__(self) -> str:
        return f"<Explanation {'; '.join(map(in_short, self.figures))}>"

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        return html.write(self.tables())

    def to_dict(self, top: int = MOST_READINGS) -> dict[str, Any]:
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
                    "by_accident": float(each.by_accident),
                    "nearest": [_near_as_dict(each.figure, reading) for reading in each.nearest],
                }
                for each in kept.figures
            ],
            "readings": list(map(_as_dict, kept.readings)),
            **({"costs": list(map(_cost_as_dict, kept.costs))} if kept.costs else {}),
            "notes": list(self.notes),
        }

    def first(self, top: int) -> Explanation:
        """Return the same with fewer readings of each figure."""
        kept = tuple(each._replace(readings=each.readings[:top], costs=each.costs[:top]) for each in self.figures)
        return Explanation(kept, self.models, self.notes, common=self.common)

    def tables(self) -> list[Table]:
        """Lay it out: for each figure the answer and its readings, or what is nearest, and then what they rest on."""
        tables = list(map(_table_of, self.figures))
        counted = [each for each in self.figures if not _is_cost(each)]
        costs = [one for each in self.figures if _is_cost(each) for one in (*each.costs, *each.near_costs)]
        if costs:
            sources = dict.fromkeys((each.name, each.source) for each in costs)
            tables.append(Table("where it is found", ("convention", "source"), tuple(sources)))
        if counted:
            shown = [*self.readings, *(reading for each in counted for reading in each.nearest)]
            rows = dict.fromkeys(row for reading in shown for row in reading.documented)
            tables.append(Table("what is counted", ("convention", "in words", "source"), tuple(rows)))
            tables.append(self._trust(counted))
        return tables

    @staticmethod
    def _trust(counted: Sequence[Explained]) -> Table:
        """Say how many numbers fit each figure, and how many would by accident."""
        rows = tuple((each.figure.text, each.searched, each.fitting, _expected(each.by_accident)) for each in counted)
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
    if explained.costs:
        return explained.costs[0].in_short
    if explained.owner or not explained.readings:
        return f"{figure} {explained.owner or f'fits none of the {explained.searched:,} numbers that were looked at'}"
    best = explained.readings[0]
    number = f"{best.value:,}" + (f", {in_words(best.fit)}" if best.fit != EXACT else "")
    if best.verdict == lattice.WRONG:
        total = f"{_total(best.model.counted):,}"
        return f"{figure} is what a formula gives that is not exact: {best.in_short}, which has {total}"
    return f"{figure} {_said(best, number)}"


def _said(best: Reading, number: str) -> str:
    """Return what a figure is, or would or may be, by its best reading."""
    if best.verdict == lattice.HYPOTHESIS:
        return f"would be {number}: {best.in_short}, a hypothesis"
    if best.verdict == PERHAPS:
        return f"may be {number}: {best.in_short}, or a coincidence"
    if best.penalty == NAMED:
        return f"is what {best.model.names[0]} is called: {number} ({best.convention})"
    return f"is {number}: {best.in_short}"


def _total(counted: Dims | Model) -> int:
    return int(gpt2.model_of(counted).total())


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
        "chance": float(reading.chance),
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
        (each.value, in_words(each.fit), each.rivals, _one_in(each.chance), each.model.names[0], each.convention)
        for each in explained.readings
    )
    return Table(in_short(explained), ("exactly", "fits", "rivals", "by chance", "model", "convention"), rows)


def _table_of(explained: Explained) -> Table:
    """Lay one figure out: what it can be of the models' costs, where that is asked, or of their counts."""
    if _is_cost(explained):
        return _costs_table(explained)
    return _readings_table(explained) if explained.readings else _nearest_table(explained)


def _is_cost(explained: Explained) -> bool:
    """Whether a figure is shown as a cost: one was looked for, and no count is a better answer."""
    is_count = bool(explained.readings) and explained.readings[0].verdict != PERHAPS
    return bool(explained.costs) or (bool(explained.near_costs) and not is_count)


def _costs_table(explained: Explained) -> Table:
    """Lay what a figure can be of a model's costs out, or the costs that are nearest where it is none."""
    if explained.costs:
        rows = tuple((e.value, in_words(e.fit), _one_in(e.chance), e.name, e.sentence) for e in explained.costs)
        return Table(in_short(explained), ("exactly", "fits", "by chance", "convention", "in words"), rows)
    near = tuple((e.value, e.unit, e.fit, e.name, e.sentence) for e in explained.near_costs)
    title = f"{explained.figure.text} is no cost that was looked at"
    return Table(title, ("exactly", "unit", "off by", "convention", "in words"), near)


def _cost_as_dict(reading: CostReading) -> dict[str, Any]:
    return {
        **{name: value for name, value in reading._asdict().items() if name not in ("chance", "beaten", "chosen")},
        "verdict": PERHAPS if reading.doubtful else EXPLAINED,
        "chance": float(reading.chance),
    }


def _one_in(chance: Fraction) -> str:
    """Write a chance as people say it, in round numbers.

    >>> _one_in(Fraction(3, 1000)), _one_in(Fraction(1, 3217)), _one_in(Fraction(2, 3)), _one_in(Fraction(1))
    ('1 in 333', '1 in 3,200', '7 in 10', 'certain')
    """
    if not chance:
        return "none"
    if chance > Fraction(1, 2):
        tenths = round(10 * chance)
        return f"{tenths} in 10" if tenths < 10 else "certain"
    times = floor(1 / chance)
    unit = 10 ** max(len(str(times)) - 2, 0) if times >= 1000 else 1
    return f"1 in {times // unit * unit:,}"


def _expected(number: Fraction) -> str:
    """Write how many are expected: with one decimal, or as a chance where that would show little of it.

    >>> _expected(Fraction(25, 2)), _expected(Fraction(1, 3000)), _expected(Fraction(0))
    ('12.5', '1 in 3,000', '0')
    """
    if not number:
        return "0"
    return _one_in(number) if 10 * number < 1 else rounded(number.numerator, number.denominator, 1)


def _nearest_table(explained: Explained) -> Table:
    figure = explained.figure
    differences = [figure.distance(each.value, each.scale) for each in explained.nearest]
    rows = tuple(
        (each.value, difference, Percent(difference, each.value - difference), each.model.names[0], each.convention)
        for each, difference in zip(explained.nearest, differences, strict=True)
    )
    return Table(in_short(explained), ("nearest", "difference", "of it", "model", "convention"), rows)


def explain(figures: Sequence[Printed], models: Sequence[Source], asked: Asked = NOTHING_ASKED) -> Explanation:
    """Find the readings of figures over models, or over all that ship where none is given."""
    search = _search(tuple((model.name, model.counted) for model in models)) if models else _everywhere()
    ranked = [[] if figure.in_flops else search.readings(figure) for figure in figures]
    common = readings.together(ranked) if len(figures) > 1 else []
    if common:
        ranked = [[first, *each] for first, each in zip(common, ranked, strict=True)]
    explained = tuple(_explained(search, figure, each) for figure, each in zip(figures, ranked, strict=True))
    if common:
        explained = tuple(_in_common(search, explained))
    explained = tuple(_with_costs(_owned(each, models), models, asked) for each in explained)
    notes = tuple(dict.fromkeys(note for model in models for note in model.notes))
    return Explanation(explained, tuple(model.name for model in models), notes, common=bool(common))


def _owned(explained: Explained, models: Sequence[Source]) -> Explained:
    """Return a figure that may be a coincidence with the model whose it is: it is called so, or was published so.

    Law: one that is called so comes before others, and then the one that is listed first; none of the given models.
    """
    figure = explained.figure
    if explained.is_known or figure.in_flops or figure.in_bytes:
        return explained
    given = {model.counted for model in models}
    owners = [each for each in _everywhere().candidates if each.owns(figure)]
    owners.sort(key=lambda each: not each.is_called(figure, figure.digits))
    if not owners or not given.isdisjoint(each.counted for each in owners):
        return explained
    wrong = f"is wrong for {' and '.join(model.name for model in models)}: it " if models else ""
    said = f"{wrong}is what {owners[0].names[0]} is called, which has {_total(owners[0].counted):,}"
    return explained._replace(owner=said)


def _with_costs(explained: Explained, models: Sequence[Source], asked: Asked) -> Explained:
    """Return a figure with what it can be of the models' costs, where that is asked.

    Raises:
        ConfigError: it is of FLOPs, and no model is named; or what a model keeps is not known.
    """
    figure = explained.figure
    if figure.in_flops and not models:
        raise ConfigError(f"{figure.text} is a cost, of one model: name it, as in explain {figure.text!r} gpt2")
    others = [model for model in models if not isinstance(model.counted, Dims)]
    if not models or not (is_asked(figure, asked) or (others and figure.in_bytes)):
        return explained
    ours = [model for model in models if is_asked(figure, asked) and isinstance(model.counted, Dims)]
    found = (*cost_readings(figure, ours, asked), *cost_readings(figure, others, asked))
    near = () if found else nearest(figure, (*ours, *others), asked, NEAREST_READINGS)
    if near and explained.nearest and not is_asked(figure, asked):  # bytes, which may be of either: the nearer is told
        count = explained.nearest[0]
        off = abs(figure.distance(count.value, count.scale))
        near = () if off <= abs(int(near[0].fit.replace(",", ""))) else near
    return explained._replace(costs=found, near_costs=near)


@cache
def _everywhere() -> Search:
    """Return the search over every model that ships; it is made once, which takes longer than all that it is asked."""
    return Search(_shipped(are_all=True), _axes(), PRESETS_BUDGET)


@cache
def _shipped(*, are_all: bool) -> list[readings.Candidate]:
    """Return the models that ship as candidates: the GPT-2s, or all; each search of a model looks among them."""
    return readings.shipped((*presets.models(), *(presets.others() if are_all else ())))


@cache
def _axes() -> tuple[tuple[Step, ...], ...]:
    """Return the changes that any model can be counted with."""
    return lattice.axes(presets.models())


@lru_cache(maxsize=8)
def _search(models: tuple[tuple[str, Dims | Model], ...]) -> Search:
    """Return the search over models, each given by its name and what it is made of."""
    are_all = not all(isinstance(counted, Dims) for _, counted in models)
    known = _shipped(are_all=are_all)
    return Search(readings.given(models, known), _axes(), MODEL_BUDGET)


def _explained(search: Search, figure: Printed, ranked: Sequence[Reading]) -> Explained:
    chances = search.chances(figure)
    found = readings.distinct(ranked)
    kept = tuple(each._replace(chance=chances.of(each.penalty)) for each in found[:MOST_READINGS])
    nearest = () if found else tuple(search.nearest(figure, NEAREST_READINGS))
    return Explained(figure, kept, nearest, len(found), search.size(figure), chances.expected)


def _in_common(search: Search, explained: Sequence[Explained]) -> Iterator[Explained]:
    """Yield figures of which one convention gives the first readings, with the chance that it explains so many.

    Law: where a figure is explained by itself, its convention and family are known, and what is left to chance is that
    they give the others too; where none is, it is that any convention as usual gives them all.
    """
    firsts = [each.readings[0] for each in explained]
    doubtful = [search.chances(each.figure) for each, first in zip(explained, firsts, strict=True) if first.doubtful]
    key, families = firsts[0].key, {first.model.family for first in firsts}
    usual = sum(first.penalty for first in firsts) // len(firsts) + 1  # a published one has a penalty 1 smaller
    any_is_known = len(doubtful) < len(explained)

    def wanted(met: Met) -> bool:
        if any_is_known:
            return met.key == key and (met.family in families or len(families) > 1)
        return met.usual <= usual

    chance = chances_of_all(doubtful, wanted) if doubtful else Fraction(0)
    for each, first in zip(explained, firsts, strict=True):
        judged = first._replace(chance=chance, beaten=False) if first.doubtful else first
        yield each._replace(readings=(judged, *each.readings[1:]))


def read(given: object) -> tuple[Printed, ...]:
    """Return the figures that texts and numbers hold: of one, or of several in a list.

    Raises:
        ConfigError: there is none, one is no figure, or they are more than `printed.MOST_FIGURES`.

    >>> [figure.text for figure in read(["117M", 1.5e9])]
    ['117M', '1500000000']
    """
    one = given if isinstance(given, str) else numbers.whole(given)
    listed = [one] if isinstance(one, (str, bytes, int)) or not isinstance(one, Iterable) else list(one)
    if one is None or not listed:
        raise ConfigError(f"a figure is needed, such as '117M', got {shortened(str(given))}", got=given)
    texts = [each if isinstance(each, str) else numbers.whole(each) for each in listed]
    for text in texts:
        if not isinstance(text, (str, int)) or isinstance(text, bool):
            raise ConfigError(f"expected a figure such as {printed.EXAMPLES}, got {numbers.told(text)}", got=text)
    found = tuple(figure for text in texts for figure in printed.read(str(text)))
    if len(found) > printed.MOST_FIGURES:
        raise printed.too_many(len(found))
    return found
