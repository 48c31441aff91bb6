"""What is drawn, as plain data: marks, each an exact part of an exact whole, and the chart that they make.

How it is drawn, as a figure of matplotlib or in a terminal, must not be known here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.errors import ConfigError
from gpt2calc.model import GROUPS
from gpt2calc.table import Percent, Table, rounded, short

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from gpt2calc.counts import ParameterCount

SCHEMA = "gpt2calc/plot/1"

MOST_MODELS = 100
"""How many models one chart draws at most."""

MOST_NUMBER_CHARACTERS = 20
"""A number of more characters than this, commas among them, is drawn in short."""

WITH, CHANGES = " with ", ", "
"""What stands in the name of a model between it and the fields that were put over its own, and between those."""


NUMBER_SIGNS = "0123456789,."


def without_middle(words: str, kept: int, dots: str = "…") -> str:
    """Return words of which so many characters are left at their ends, or fewer: a number is left out whole.

    >>> without_middle("314,639,360 × 36 = 11,327,016,960", 22)
    '314,639,360…'
    >>> without_middle("post_attention_layernorm", 10)
    'post_…rnorm'
    """
    last = len(words) - kept // 2
    head, tail = words[: kept - kept // 2], words[last:]
    if head and words[len(head)] in NUMBER_SIGNS:
        head = head.rstrip(NUMBER_SIGNS)
    if tail and words[last - 1] in NUMBER_SIGNS:
        tail = tail.lstrip(NUMBER_SIGNS)
    return head + dots + tail


class Mark(NamedTuple):
    """One thing that is drawn: a bar, a point, an area.

    Args:
        panel: the part of the chart that it is drawn in.
        label: what stands beside it: a model, a size, a tensor.
        series: what gives it its colour: a group of components, weights, biases.
        part: what it shows, an exact count.
        whole: what that is a share of.
    """

    panel: str
    label: str
    series: str
    part: int
    whole: int


class Crossing(NamedTuple):
    """The smallest size at which one group holds more than another that held as much or more before."""

    field: str
    at: int
    above: str
    below: str

    def text(self) -> str:
        """Return it as a sentence.

        >>> Crossing("n_layer", 6, "attention + mlp", "embedding").text()
        'attention + mlp overtakes embedding at n_layer 6'
        """
        return f"{self.above} overtakes {self.below} at {self.field} {self.at:,}"


class Chart:
    """What one picture shows.

    Args:
        kind: what the command line calls it, such as shares.
        title: what stands above it.
        marks: everything that is drawn, in the order that it is read.
        notes: what a reader should know, a sentence each.
    """

    crossings: tuple[Crossing, ...] = ()

    def __init__(self, kind: str, title: str, marks: tuple[Mark, ...], notes: tuple[str, ...] = ()) -> None:
        self.kind, self.title, self.marks, self.notes = kind, title, marks, notes

    @property
    def series(self) -> tuple[str, ...]:
        """Every series, in the order that it first occurs."""
        return tuple(dict.fromkeys(mark.series for mark in self.marks))

    def to_dict(self) -> dict[str, Any]:
        """Return what is drawn as JSON takes it, in the schema that docs/json.md describes."""
        return {
            "schema": SCHEMA,
            "kind": self.kind,
            "title": self.title,
            "marks": [mark._asdict() for mark in self.marks],
            "crossings": [crossing._asdict() for crossing in self.crossings],
            "notes": list(self.notes),
        }

    def table(self) -> Table:
        """Lay what is drawn out as one table, a row a mark."""
        rows = tuple((*mark[:4], Percent(mark.part, mark.whole)) for mark in self.marks)
        return Table(self.title, ("panel", "label", "series", "count", "share"), rows)

    def lines(self) -> tuple[str, ...]:
        """Return what a script wants: a line for each mark, with its count."""
        return tuple(" ".join(filter(None, (x.panel, x.label, x.series, str(x.part)))) for x in self.marks)


def labelled(counts: tuple[ParameterCount, ...]) -> tuple[tuple[str, ParameterCount], ...]:
    """Return counts with what each is called in a chart, no two alike.

    Raises:
        ConfigError: there is nothing to draw, or too much.
    """
    if not 0 < len(counts) <= MOST_MODELS:
        raise ConfigError(f"expected 1 to {MOST_MODELS} models to draw, got {len(counts)}", got=len(counts))
    seen: dict[str, int] = {}
    found = []
    shared = set(in_common(counts))
    for count in counts:
        model, _, changes = count.name.partition(WITH)
        own = ", ".join(change for change in changes.split(CHANGES) if change not in shared)
        name = f"{model}{WITH}{own}" if own else model or "model"
        seen[name] = seen.get(name, 0) + 1
        found.append((name if seen[name] == 1 else f"{name} ({seen[name]})", count))
    return tuple(found)


def in_common(counts: Sequence[ParameterCount]) -> tuple[str, ...]:
    """Return the changes that all of several models have in their names, which a title says once."""
    each = [count.name.partition(WITH)[2].split(CHANGES) for count in counts]
    if len(each) < 2:
        return ()
    return tuple(change for change in each[0] if change and all(change in own for own in each[1:]))


def titled(words: str, counts: Sequence[ParameterCount]) -> str:
    """Return a title with what all models have in common."""
    return CHANGES.join((words, *in_common(counts)))


def notes_of(counts: Iterable[ParameterCount]) -> tuple[str, ...]:
    """Return the notes of every count, each with the name of its model."""
    return tuple(dict.fromkeys(f"{count.name}: {note}" for count in counts for note in count.notes))


def percent(part: int, whole: int) -> str:
    """Return a share in as few digits as tell it from nothing and from all.

    >>> percent(28348416, 124439808), percent(38400, 124439808), percent(1, 124439808), percent(124439807, 124439808)
    ('22.8 %', '0.031 %', '< 0.001 %', '> 99.9 %')
    """
    if part in (0, whole):
        return f"{100 if part else 0} %"
    if 10**5 * part < whole:
        return "< 0.001 %"
    if 10**4 * (whole - part) < 5 * whole:
        return "> 99.9 %"
    digits = 1 if 100 * part >= whole else 2 if 1000 * part >= whole else 3
    return f"{rounded(100 * part, whole, digits)} %"


def tick(number: int) -> str:
    """Return a round number without the zeros after its point.

    >>> tick(10**10), tick(5 * 10**5), tick(1500)
    ('10B', '500K', '1.5K')
    """
    written = short(number)
    whole, _, rest = written.partition(".")
    digits = rest.rstrip("KMBT")
    return whole + f".{digits.rstrip('0')}".rstrip(".") + rest[len(digits) :] if rest and "·" not in rest else written


def full(number: int) -> str:
    """Return a number in full, as long as it can be read at a glance.

    >>> full(1557611200), full(10**18)
    ('1,557,611,200', '1.00·10^18')
    """
    written = f"{number:,}"
    return written if len(written) <= MOST_NUMBER_CHARACTERS else short(number)


def groups_of(chart: Chart) -> dict[str, int]:
    """Return what each group holds of the boxes, in the order in which groups are shown."""
    held = {name: sum(mark.part for mark in chart.marks if mark.series == name) for name in GROUPS}
    return {name: part for name, part in held.items() if part}
