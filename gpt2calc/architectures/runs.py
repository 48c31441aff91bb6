"""Which layers a model has, as data: laws say which kind each is of, and runs of a pattern how many there are of it.

What sizes must be so that they go together, and what is noted of a model, are laws with a sentence each.
"""

from __future__ import annotations

import re
from functools import partial
from itertools import pairwise
from math import lcm

from gpt2calc.errors import ConfigError
from gpt2calc.model import LIST, Run, Stack, evaluated
from gpt2calc.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from typing import Any

    from gpt2calc.model import Model

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


class Said(NamedTuple):
    """A sentence about a model, in which what stands in braces is a law; and the law by which it is said, or is not."""

    law: str
    sentence: str
    field: str = ""

    def holds(self, values: Mapping[str, Any]) -> bool:
        """Return whether the law does."""
        return bool(evaluated(self.law, values))

    def text(self, values: Mapping[str, Any]) -> str:
        """Return the sentence with numbers in place of laws.

        >>> Said("", "{a} is not {2 * b}").text({"a": 3, "b": 1})
        '3 is not 2'
        """
        return re.sub(r"\{(.*?)\}", lambda law: str(evaluated(law[1], values)), self.sentence)


class Notes(NamedTuple):
    """What a reader should know of a model: each sentence whose law holds."""

    rows: tuple[Said, ...]

    def __call__(self, model: Model) -> tuple[str, ...]:
        """Return the sentences."""
        values = _values(model)
        return tuple(row.text(values) for row in self.rows if row.holds(values))


class Layers(NamedTuple):
    """Which layers a model has, all under one prefix.

    Laws know the sizes; those of `kinds` know also `i`, the number of a layer, `part`, the number of the part that it
    is in, and `word`, what a list says of it, or None.

    Args:
        prefix: what stands before their numbers.
        every: the tag of all.
        kinds: tags of which each layer has one, the first whose law holds; as many such rows as there are questions.
        period: a law: after how many layers the kinds come again, within a part.
        apart: a law: numbers of layers that stand out of that.
        ends: laws: where parts end before the last layer does, each behind the one before.
        lists: sizes that say a word of each layer; the first that is given is read.
        otherwise: what the last of them is where it is empty or absent.
        musts: what has to hold of the sizes; the sentence says that it does not.
        number: the size that says how many layers there are.
    """

    prefix: str
    every: str = "decoder"
    kinds: tuple[tuple[tuple[str, str], ...], ...] = ()
    period: str = "1"
    apart: str = "()"
    ends: tuple[str, ...] = ()
    lists: tuple[str, ...] = ()
    otherwise: str = ""
    musts: tuple[Said, ...] = ()
    number: str = "num_hidden_layers"

    def __call__(self, model: Model) -> tuple[Stack, ...]:
        """Return the layers.

        Raises:
            ConfigError: the sizes do not go together, or the patterns are too long.
        """
        values = _values(model)
        for must in self.musts:
            if not must.holds(values):
                raise ConfigError(must.text(values), field=must.field, got=values.get(must.field))
        return (Stack(self.prefix, self._runs(values, values[self.number])),)

    def _runs(self, values: Mapping[str, Any], count: int) -> tuple[Run, ...]:
        if not self.kinds:
            return (Run((frozenset({self.every}),), count),)

        def tags(start: int, part: int, i: int, word: str | None = None) -> frozenset[str]:
            here = {**values, "i": start + i, "part": part, "word": word}
            own = (next(tag for tag, law in rows if evaluated(law, here)) for rows in self.kinds)
            return frozenset((self.every, *filter(None, own)))

        field, words = self._listed(values)
        if words is not None:
            if len(words) != count:
                is_list = f"{field} is a list of {len(words):,} layers, and {self.number} is {count:,}"
                raise ConfigError(f"{is_list}: they must be as many", field=field)
            return (Run(tuple(tags(0, 0, i, word) for i, word in enumerate(words)) or (tags(0, 0, 0),), count),)
        period, apart = evaluated(self.period, values), evaluated(self.apart, values)
        stops = [0, *(evaluated(law, values) for law in self.ends), count]
        for place in range(1, len(stops)):
            stops[place] = max(stops[place - 1], min(stops[place], count))
        found: list[Run] = []
        for part, (start, stop) in enumerate(pairwise(stops)):
            found += repeating(partial(tags, start, part), stop - start, period, apart)
        return tuple(found)

    def _listed(self, values: Mapping[str, Any]) -> tuple[str, Any]:
        """Return which list says the kind of each layer, and what it says; None where none does."""
        if not self.lists:
            return "", None
        field = next((name for name in self.lists if values[name] is not None), self.lists[-1])
        is_last = field == self.lists[-1]
        return field, (values[field] or self.otherwise or values[field]) if is_last else values[field]


def _values(model: Model) -> dict[str, Any]:
    """Return what laws know of a model; a list of numbers of layers as a set of them."""
    listed = {row.name for row in model.architecture.sizes if row.kind == LIST and not row.words}
    sizes = model.sizes.items()
    found = {name: frozenset(value) if name in listed and value is not None else value for name, value in sizes}
    return {**found, "model_type": model.architecture.model_type}


after_dense = Layers(
    "model.layers", kinds=((("dense", "part == 0"), ("moe", "True")),), ends=("first_k_dense_replace",)
)
"""The first layers with an MLP, and the rest with experts."""

by_types = after_dense._replace(
    kinds=((("dense", "part == 0 if word is None else word == 'dense'"), ("moe", "True")),), lists=("mlp_layer_types",)
)
"""As a list says, or else the first layers with an MLP, and the rest with experts."""

UNDIVIDED = Said(
    "hidden_size % num_attention_heads == 0",
    "num_attention_heads {num_attention_heads} must divide hidden_size {hidden_size}, "
    "or transformers builds no {model_type}",
    "num_attention_heads",
)
"""What transformers asks of many types before it builds them."""

WIDE_HEADS = Said(
    "mamba_n_heads * mamba_d_head == mamba_expand * hidden_size",
    "mamba_expand {mamba_expand} · hidden_size {hidden_size} = {mamba_expand * hidden_size} must be "
    "mamba_n_heads {mamba_n_heads} · mamba_d_head {mamba_d_head} = {mamba_n_heads * mamba_d_head}",
    "mamba_n_heads",
)
"""The heads of a state space are as wide together as the expanded width."""

UNBUILT = Said(
    "num_nextn_predict_layers",
    "num_nextn_predict_layers {num_nextn_predict_layers}: layers that files may hold beyond the {num_hidden_layers} "
    "counted, and that transformers does not build",
)
"""What is not counted: the layers that predict tokens after the next."""


def listed(tags: dict[str, frozenset[str]], kinds: Sequence[str], layers: int, field: str) -> tuple[Run, ...]:
    """Return the layers of a list that says the kind of each.

    Raises:
        ConfigError: it has not an entry for each layer.
    """
    if len(kinds) != layers:
        is_list = f"{field} is a list of {len(kinds):,} layers, and num_hidden_layers is {layers:,}"
        raise ConfigError(f"{is_list}: they must be as many", field=field)
    return (Run(tuple(tags[kind] for kind in kinds) or tuple(tags.values()), layers),)


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
