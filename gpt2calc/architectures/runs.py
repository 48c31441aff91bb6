"""Layers that repeat, as runs of a pattern: how many there are of which kind is a division, and no walk."""

from __future__ import annotations

from math import lcm
from typing import TYPE_CHECKING

from gpt2calc.errors import ConfigError
from gpt2calc.model import Run

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

LONGEST = 100_000
"""Patterns of a model have at most this many layers together."""


def repeating(
    tags: Callable[[int], frozenset[str]], layers: int, period: int, apart: Iterable[int] = ()
) -> tuple[Run, ...]:
    """Return the runs of layers that are alike every `period` layers, but for some.

    Args:
        tags: those of the i-th layer.
        layers: how many there are.
        period: after how many layers the tags come again.
        apart: the layers that stand out of the pattern; numbers of no layer are none of them.

    Raises:
        ConfigError: the patterns are too long.

    >>> every_other = lambda i: frozenset({"moe" if i % 2 else "dense"})
    >>> repeating(every_other, 10**12, 2)[0].kinds()[frozenset({"moe"})]
    500000000000
    """
    found: list[Run] = []
    steps = start = 0
    stops = (*sorted({i for i in apart if 0 <= i < layers}), layers)
    for stop in stops:
        length = min(period, stop - start) if layers else min(period, LONGEST)
        steps += length + 1
        if steps > LONGEST + 1:
            raise ConfigError(
                f"num_hidden_layers is {layers:,}, in a pattern of {period:,} layers with {len(stops) - 1:,} "
                f"exceptions: layers are counted by patterns of at most {LONGEST:,} in all",
                field="num_hidden_layers",
            )
        if length:
            found.append(Run(tuple(tags(i) for i in range(start, start + length)), stop - start))
        if stop < layers:
            found.append(Run((tags(stop),), 1))
        start = stop + 1
    return tuple(found)


def listed(tags: dict[str, frozenset[str]], kinds: Iterable[str], layers: int, field: str) -> tuple[Run, ...]:
    """Return the layers of a list that says the kind of each.

    Raises:
        ConfigError: it has not an entry for each layer.
    """
    pattern = tuple(tags[kind] for kind in kinds)
    if len(pattern) != layers:
        raise ConfigError(
            f"{field} is a list of {len(pattern):,} layers, and num_hidden_layers is {layers:,}: they must be as many",
            field=field,
        )
    return (Run(pattern or tuple(tags.values()), layers),)


def crossed(one: Sequence[Run], other: Sequence[Run]) -> tuple[Run, ...]:
    """Return layers with the tags that they have in one sequence of runs, and in another.

    Raises:
        ConfigError: the patterns are too long together.

    >>> halves = Run((frozenset({"a"}),), 3), Run((frozenset({"b"}),), 3)
    >>> [sorted(tags) for tags in crossed(halves, (Run((frozenset({"x"}), frozenset({"y"})), 6),))[1].pattern]
    [['b', 'y'], ['b', 'x']]
    """
    found: list[Run] = []
    rest, others = list(one), list(other)
    while rest and others:
        mine, theirs = rest.pop(0), others.pop(0)
        length = min(mine.length, theirs.length)
        period = min(lcm(len(mine.pattern), len(theirs.pattern)), length) or len(mine.pattern)
        if sum(len(run.pattern) for run in found) + period > LONGEST:
            raise ConfigError(
                f"layers are counted by patterns of at most {LONGEST:,} in all", field="num_hidden_layers"
            )
        both = (mine.pattern[i % len(mine.pattern)] | theirs.pattern[i % len(theirs.pattern)] for i in range(period))
        if length or not found:
            found.append(Run(tuple(both), length))
        rest[:0], others[:0] = _after(mine, length), _after(theirs, length)
    return tuple(run for run in found if run.length) or tuple(found[:1])


def _after(run: Run, length: int) -> list[Run]:
    """Return what of a run is left after some of its layers, if any is."""
    left, turn = run.length - length, length % len(run.pattern)
    return [Run((*run.pattern[turn:], *run.pattern[:turn]), left)] if left else []
