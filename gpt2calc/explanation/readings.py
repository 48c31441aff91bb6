"""Readings of figures: which number of which model was printed so, best first, and whether that is an explanation.

How readings are ranked, and when one is to be trusted, is decided here and nowhere else.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction
from functools import cached_property, lru_cache
from heapq import nsmallest
from itertools import chain
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.dims import Dims
from gpt2calc.explanation import additions, lattice, printed
from gpt2calc.explanation.chance import MOST_CHANCE, Chances, Met
from gpt2calc.explanation.printed import FITS, KNOWN, RARE, Printed, Scale
from gpt2calc.explanation.search import Way, Ways
from gpt2calc.figures import BYTES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from gpt2calc.explanation.additions import Addition
    from gpt2calc.explanation.lattice import Step
    from gpt2calc.model import Model
    from gpt2calc.presets import Preset

EXPLAINED, PERHAPS = "explained", "perhaps"
VERDICTS = (EXPLAINED, lattice.HYPOTHESIS, PERHAPS, lattice.WRONG)
"""What can be said of a reading: it explains the figure; it would, if a guess is right; it may be a coincidence; it is
how a formula that is not exact came to it."""

MODEL_BUDGET, PRESETS_BUDGET = 8, 6
"""The most that the penalties of a reading's steps may sum to: where the model is given, and over every preset."""

ACTIVE = "active"
"""What a published figure is of, where it is of what a token passes; the conventions of that begin with it."""

BESIDE = 10**5
"""A figure that fits nothing is beside a number from which less than its part of so many is missing."""

PUBLISHED = -1
"""The penalty of a reading as what just this figure was published for: the whole model, or what a token passes."""


NAMED = -2
"""The penalty of a reading as the whole model that is called by just this figure, as gpt2-xl is 1.5B."""


class Candidate(NamedTuple):
    """A model that a figure may be the size of.

    Args:
        names: what it is called; several models can have the same sizes and structure.
        counted: its dims; a model of another architecture.
        family: the family that it is of, where it is one that ships.
        published: the figures that were published for it, each with its source, and of what: all of it, or what a token
            passes.
        penalty: how unlikely it is to be the one that is meant.
        called: the figures that are names of it.
        document: the config of one that ships and is no GPT-2, which says what its files hold.
    """

    names: tuple[str, ...]
    counted: Dims | Model
    family: str = ""
    published: tuple[tuple[Printed, str, str], ...] = ()
    penalty: int = 0
    called: tuple[Printed, ...] = ()
    document: Mapping[str, Any] | None = None

    def is_called(self, figure: Printed, digits: int) -> bool:
        """Whether a figure, with such digits, is a name of it."""
        return any(_published(figure, other, digits) for other in self.called)

    def owns(self, figure: Printed) -> bool:
        """Whether a figure is a name of it, or was published for it, whether or not it has as many parameters."""
        said = any(not what and _published(figure, other, figure.digits) for other, _, what in self.published)
        return said or self.is_called(figure, figure.digits)


class Reading(NamedTuple):
    """One way in which a figure can have come from a model.

    Args:
        figure: the figure.
        model: the model.
        way: the steps of the count, and the exact number.
        scale: what a unit of the figure stands for.
        fit: how the number meets the printed digits: exact, rounded, cut off or rounded up.
        penalty: how far it is from the plain count of the model, printed as people mostly do.
        rivals: how many other numbers fit the figure with no larger penalty.
        chance: that a figure printed like this is met by a number as usual, or more so, where its digits mean nothing.
        source_of_figure: where the figure was published for this model.
        also: other models and conventions that give the same number, by name.
        beaten: whether another number fits the figure with a smaller penalty.
    """

    figure: Printed
    model: Candidate
    way: Way
    scale: Scale
    fit: str
    penalty: int
    rivals: int = 0
    chance: Fraction = Fraction(0)
    source_of_figure: str = ""
    also: tuple[str, ...] = ()
    beaten: bool = False

    @property
    def value(self) -> int:
        """The exact number, in parameters, elements or bytes."""
        return self.way.value

    @property
    def convention(self) -> str:
        """The steps by name, or the name of the plain count."""
        name = self.way.name or lattice.plain(self.model.counted).name
        return f"{name} / {self.scale.name}" if self.scale.name else name

    @property
    def in_short(self) -> str:
        """The convention and the model, in a few words."""
        return f"{self.convention} of {self.model.names[0]}"

    @property
    def sentence(self) -> str:
        """What is counted."""
        says = [step.sentence for step in self.steps]
        return "; ".join([*says, f"in units of {self.scale.name}"] if self.scale.name else says)

    @property
    def steps(self) -> tuple[Step, ...]:
        """The steps that say what is counted: the plain count where it is only stored in some dtype."""
        steps = self.way.steps
        stored = all(step in [dtype for dtype, _ in lattice.DTYPES] for step in steps)
        return (lattice.plain(self.model.counted), *steps) if stored else steps

    @property
    def documented(self) -> tuple[tuple[str, str, str], ...]:
        """Where the figure itself, if it was published, and each step are documented: its name, in words, and where."""
        figure = (self.figure.text, f"published for {self.model.names[0]}", self.source_of_figure)
        steps = ((step.name, step.sentence, step.source) for step in self.steps)
        return (figure, *steps) if self.source_of_figure else tuple(steps)

    @property
    def sources(self) -> tuple[str, ...]:
        """Where the convention, and the figure itself, are documented."""
        return tuple(dict.fromkeys(source for _, _, source in self.documented))

    @property
    def verdict(self) -> str:
        """What can be said of it; see `VERDICTS`."""
        if self.doubtful:
            return PERHAPS
        standings = {step.standing for step in self.way.steps}
        return next((each for each in (lattice.WRONG, lattice.HYPOTHESIS) if each in standings), EXPLAINED)

    @property
    def doubtful(self) -> bool:
        """Whether it may be a coincidence."""
        return self.beaten or self.chance > MOST_CHANCE

    @property
    def key(self) -> tuple[object, ...]:
        """What it has in common with readings of other figures by the same convention."""
        return _key(self.way, self.scale)


class Search:
    """The readings of figures over some models.

    Args:
        candidates: the models.
        axes: the changes that each can be counted with, as `lattice.axes` gives them.
        budget: the most that the penalties of a reading's steps may sum to.
    """

    def __init__(self, candidates: Sequence[Candidate], axes: tuple[tuple[Step, ...], ...], budget: int) -> None:
        self.candidates = candidates
        self._axes = axes
        self._budget = budget
        self._is_named = budget >= MODEL_BUDGET
        self._chances: dict[Printed, Chances] = {}

    @cached_property
    def ways(self) -> list[Ways]:
        """The ways of counting each candidate."""
        return [Ways(each.counted, self._axes, self._budget, self._added(each)) for each in self.candidates]

    def _added(self, model: Candidate) -> Iterable[Addition]:
        """Return what is looked at besides where models are named."""
        if not self._is_named:
            return ()
        if isinstance(model.counted, Dims):
            return additions.of(model.counted)
        files = () if model.document is None else additions.of_files(model.counted, model.document)
        return chain(files, additions.of_family(model.counted, model.names[0]))

    def size(self, figure: Printed) -> int:
        """Return how many numbers were looked at for a figure."""
        kinds = {scale.kind for scale in figure.scales}
        return sum(ways.size(kind) for ways in self.ways for kind in kinds)

    def readings(self, figure: Printed) -> list[Reading]:
        """Return every reading of a figure, best first.

        Law: the least penalty first; of equals the better fit, then the model that comes first, then the fewer steps.
        """
        found = [
            (reading, model_order)
            for model_order, (candidate, ways) in enumerate(zip(self.candidates, self.ways, strict=True))
            for scale in figure.scales
            for way in ways.between(scale.kind, *figure.bounds(scale, self._most_tensors(figure, ways)))
            if way.penalty + scale.penalty <= self._budget and (reading := _reading(figure, candidate, way, scale))
        ]

        def rank(pair: tuple[Reading, int]) -> tuple[int, ...]:
            reading, model_order = pair
            return reading.penalty, FITS[reading.fit], model_order, len(reading.way.steps), reading.way.order

        return [reading for reading, _ in sorted(found, key=rank)]

    def chances(self, figure: Printed) -> Chances:
        """Return which of the figures that are printed like this one have readings, and how usual these are.

        Law: a reading of such a figure has the penalty that `readings` gives it.
        """
        least, most = figure.alike
        alike = figure._replace(text="", digits=least)
        if alike not in self._chances:
            met = (each for scale in alike.scales for each in self._met(alike, scale, most))
            self._chances[alike] = Chances((least, most), met)
        return self._chances[alike]

    def _met(self, figure: Printed, scale: Scale, last: int) -> Iterator[Met]:
        """Yield which figures are met at a scale, of those with the digits of a figure to the last digits."""
        for candidate, ways in zip(self.candidates, self.ways, strict=True):
            least, _ = figure.bounds(scale, self._most_tensors(figure, ways))
            _, most = figure._replace(digits=last).bounds(scale)
            said = {
                (other.digits, what)
                for other, _, what in candidate.published
                if _published(figure, other, other.digits)
            }
            names = {other.digits for other in candidate.called if _published(figure, other, other.digits)}
            for way in ways.between(scale.kind, least, most):
                usual = way.penalty + scale.penalty
                if usual > self._budget:
                    continue
                key, what = _key(way, scale), _what(way, scale)
                called = () if what else names
                for fit, first, end in figure.printed_as(way.value, scale, way.tensors if figure.in_bytes else 0):
                    base = PUBLISHED - way.penalty if (first, what) in said else candidate.penalty
                    penalty = NAMED if first in called else base + usual + FITS[fit]
                    yield Met(first, end, penalty, way.value, key, usual, candidate.family)

    @staticmethod
    def _most_tensors(figure: Printed, ways: Ways) -> int:
        return ways.most_tensors(BYTES) if figure.in_bytes else 0

    def nearest(self, figure: Printed, number: int) -> list[Reading]:
        """Return the readings of usual conventions that come nearest to a figure that none of them meets."""
        scale = figure.scales[0]
        whole = -figure.distance(0, scale)

        def counted(budget: int) -> Iterator[tuple[Candidate, Way]]:
            for candidate, ways in zip(self.candidates, self.ways, strict=True):
                yield from ((candidate, way) for way in ways.usual(scale.kind, budget))

        def rank(each: tuple[Candidate, Way]) -> tuple[int, int]:
            return abs(each[1].value - whole), each[1].penalty

        found = nsmallest(number, counted(KNOWN), key=rank)
        if self._is_named:  # and what is beside it, however unusual it is
            first = min(counted(self._budget), key=rank)
            if abs(first[1].value - whole) * BESIDE < first[1].value:
                others = (each for each in counted(KNOWN) if each[1].value != first[1].value)
                found = [first, *nsmallest(number - 1, others, key=rank)]
        return [Reading(figure, candidate, way, scale, "", way.penalty) for candidate, way in found]


def _reading(figure: Printed, candidate: Candidate, way: Way, scale: Scale) -> Reading | None:
    """Return the reading of a figure as this number, if it can be printed so; a header belongs to a size in bytes."""
    fit = figure.fit(way.value, scale, way.tensors if figure.in_bytes else 0)
    if fit is None:
        return None
    wanted = _what(way, scale)
    said = next(
        (
            source
            for other, source, what in candidate.published
            if what == wanted and _published(figure, other, figure.digits)
        ),
        "",
    )
    base = PUBLISHED - way.penalty if said else candidate.penalty
    is_name = not wanted and candidate.is_called(figure, figure.digits)
    penalty = NAMED if is_name else base + way.penalty + scale.penalty + FITS[fit]
    return Reading(figure, candidate, way, scale, fit, penalty, source_of_figure=said)


def _what(way: Way, scale: Scale) -> str:
    """Return what a way counts, as a published figure is of it: all, what a token passes, or what nobody publishes."""
    if scale.name or len(way.steps) > 1:
        return "a composition"
    return "" if not way.steps else ACTIVE if way.steps[0].name.startswith(ACTIVE) else way.name


def _published(figure: Printed, other: Printed, digits: int) -> bool:
    """Return whether a figure that was published is this one, however it is written, where this one has the digits."""
    same = figure if digits == figure.digits else figure._replace(digits=digits)
    bounds = _plain_bounds(same)
    return bool(bounds) and bounds == _plain_bounds(other)


@lru_cache(maxsize=4096)
def _plain_bounds(figure: Printed) -> tuple[int, int] | None:
    """Return the bounds of a figure in what its unit stands for first; each model that ships is asked for them."""
    scales = figure.scales
    return figure.bounds(scales[0]) if scales else None


def _key(way: Way, scale: Scale) -> tuple[object, ...]:
    return (*(step.key or step.name for step in way.steps), scale.kind, bool(scale.name))


def distinct(readings: Iterable[Reading]) -> list[Reading]:
    """Return ranked readings without those of a number that a better one has, which is told of them and their number.

    Law: a number's rivals are the other numbers that fit the figure with no larger penalty.
    """
    first: dict[int, Reading] = {}
    also: dict[int, list[str]] = {}
    for reading in readings:
        if reading.value in first:
            also[reading.value].append(reading.in_short)
        else:
            first[reading.value], also[reading.value] = reading, list(reading.way.also)
    found = list(first.items())
    penalties = sorted(reading.penalty for _, reading in found)
    return [
        reading._replace(
            also=tuple(dict.fromkeys(also[key])),
            rivals=bisect_right(penalties, reading.penalty) - 1,
            beaten=reading.penalty > penalties[0],
        )
        for key, reading in found
    ]


def shipped(presets: Sequence[Preset]) -> list[Candidate]:
    """Return the models that ship as candidates; those of the same sizes and structure are one."""
    found: dict[Dims | Model, Candidate] = {}
    for preset in presets:
        texts = {"": preset.published, ACTIVE: preset.published_active}
        said = tuple(
            (figure, preset.source, what) for what, text in texts.items() for figure in printed.find(text or "")
        )
        counted = preset.counted
        called = tuple(figure for name in preset.aliases for figure in printed.find(name) if figure.text == name)
        document = None if isinstance(counted, Dims) else preset.fields
        known = found.setdefault(counted, Candidate((), counted, preset.name.partition("-")[0], document=document))
        names, published = (*known.names, preset.name), (*known.published, *said)
        found[counted] = known._replace(names=names, published=published, called=(*known.called, *called))
    return list(found.values())


def given(models: Sequence[tuple[str, Dims | Model]], known: Sequence[Candidate]) -> list[Candidate]:
    """Return given models as candidates, and after each the one that ships with its sizes, if it has another structure.

    Where only one structure ships with these sizes, they are known to be that model's: GPT-1's sizes, for one, whose
    model has no ln_f.

    Args:
        models: each with its name.
        known: the models that ship.
    """
    found = []
    for name, counted in models:
        same = next((each for each in known if each.counted == counted), None)
        own = same or Candidate((), counted)
        found.append(own._replace(names=(name,)))
        alike = [each for each in known if each.counted.sizes == counted.sizes]
        if len(alike) == 1 and alike[0].counted != counted:
            found.append(alike[0]._replace(penalty=KNOWN))
    return found


def together(readings: Sequence[Sequence[Reading]]) -> list[Reading]:
    """Return a reading of each of several figures by one convention, the best that explains all; nothing if none does.

    Law: the least sum of penalties wins; models of one family are preferred to models of several.
    """
    keyed = [_by_key(each) for each in readings]
    common = [key for key in keyed[0] if all(key in each for each in keyed)]
    options = [_best_of_one_family([each[key] for each in keyed]) for key in common]
    return min(options, key=lambda option: (option[0], sum(each.way.order for each in option[1])), default=(0, []))[1]


def _by_key(readings: Iterable[Reading]) -> dict[tuple[object, ...], list[Reading]]:
    found: dict[tuple[object, ...], list[Reading]] = {}
    for reading in readings:
        found.setdefault(reading.key, []).append(reading)
    return found


def _best_of_one_family(readings: Sequence[Sequence[Reading]]) -> tuple[int, list[Reading]]:
    """Return the best choice of a reading for each figure, and its penalty."""
    families = {reading.model.family for each in readings for reading in each}
    mixed = [each[0] for each in readings]
    options = [(RARE + sum(reading.penalty for reading in mixed), mixed)]
    for family in sorted(families):
        of_it = [next((reading for reading in each if reading.model.family == family), None) for each in readings]
        chosen = [reading for reading in of_it if reading]
        if len(chosen) == len(readings):
            options.append((sum(reading.penalty for reading in chosen), chosen))
    return min(options, key=lambda option: option[0])
