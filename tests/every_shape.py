"""The second search: every shape is tried, one by one, and all are sorted. Slow, and too simple to be wrong.

It reads the same words as `gpt2calc.design`, by itself, and shares with it nothing but the conventions, which it
evaluates on whole models.
"""

from __future__ import annotations

from fractions import Fraction
from functools import lru_cache
from itertools import product
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import conventions, formulas, presets

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gpt2calc.designs.report import Designs
    from gpt2calc.dims import Dims

FAMILY = [
    presets.load(name).dims
    for name in (
        *("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"),
        *("gpt3-125M", "gpt3-350M", "gpt3-760M", "gpt3-1.3B", "gpt3-2.7B", "gpt3-6.7B", "gpt3-13B", "gpt3-175B"),
    )
]
"""The four sizes of GPT-2, and the eight of GPT-3 (arXiv:2005.14165, table 2.1)."""

NAMES = ("total", *conventions.NAMES)
TARGETS = ("params", "fits", "dtype", "convention")
SIZES = ("n_layer", "n_embd", "n_inner", "vocab_size")


class Shape(NamedTuple):
    """One shape as it is ranked: how far from the target, and by which factor from the family's proportions."""

    distance: int
    factor: Fraction
    n_layer: int
    n_embd: int
    n_inner: int
    vocab_size: int
    n_head: int
    value: int


def sizes(text: str) -> set[int]:
    """Return the sizes that a text says."""
    if ":" in text:
        low, high, *step = map(int, text.split(":"))
        return set(range(low, high + 1, *step))
    return set(map(int, text.split(",")))


def counted(name: str, dims: Dims) -> int:
    """Count a whole model."""
    return formulas.total(dims) if name == "total" else conventions.find(name).value(dims)


def convention(asked: Mapping[str, Any]) -> str:
    """Return the name of what is counted."""
    return f"{asked['dtype']}_bytes" if "dtype" in asked else str(asked.get("convention", "total"))


def by_ratio(one: Fraction | int, other: Fraction | int) -> Fraction:
    """Return how many times as large the larger of two numbers is."""
    return max(Fraction(one) / other, Fraction(other) / one)


def proportions(target: int, name: str) -> Fraction:
    """Return the family's n_embd / n_layer near a target."""
    near = sorted(FAMILY, key=lambda x: by_ratio(counted(name, x), target))[:3]
    return sorted(Fraction(x.n_embd, x.n_layer) for x in near)[1]


def inner_sizes(n_embd: int, asked: Mapping[str, Any]) -> Iterator[int]:
    """Yield every n_inner that goes with a width, by looking at each number."""
    multiple, allowed = int(asked.get("inner_multiple", 1)), sizes(asked["n_inner"]) if "n_inner" in asked else None
    ratio = asked.get("inner_ratio", "0:1000000" if allowed else "4")
    is_range = ":" in ratio
    ends = [Fraction(each) * n_embd for each in ratio.split(":" if is_range else ",")]
    for n_inner in range(5 * n_embd + 100):
        near = ends[0] <= n_inner <= ends[-1] if is_range else any(n_inner - multiple < x <= n_inner for x in ends)
        if near and n_inner % multiple == 0 and (allowed is None or n_inner in allowed):
            yield n_inner


def every(asked: Mapping[str, Any]) -> tuple[tuple[int, int, int, int, int], ...]:
    """Return every shape that keeps every constraint, as n_layer, n_embd, n_inner, vocab_size and n_head."""
    return _every(tuple(sorted((name, value) for name, value in asked.items() if name not in TARGETS)))


@lru_cache(maxsize=4)
def _every(constraints: tuple[tuple[str, Any], ...]) -> tuple[tuple[int, int, int, int, int], ...]:
    asked, found = dict(constraints), []
    low, high = map(Fraction, asked["aspect"].split(":"))
    vocabularies = {-(-asked["vocab_size"] // pad) * pad for pad in sizes(asked.get("pad", "1"))}
    allowed, layers = sizes(asked.get("n_head", "1:1000")), sizes(asked["n_layer"])
    for n_embd in sizes(asked["n_embd"]):
        heads = [n_embd // size for size in sorted(sizes(asked["head_size"])) if n_embd % size == 0]
        heads = [n_head for n_head in heads if n_head in allowed]
        if n_embd % int(asked.get("embd_multiple", 1)) or not heads:
            continue
        depths = [n_layer for n_layer in layers if low * n_layer <= n_embd <= high * n_layer]
        for n_inner, n_layer, vocab_size in product(inner_sizes(n_embd, asked) if depths else (), depths, vocabularies):
            found.append((n_layer, n_embd, n_inner, vocab_size, heads[0]))
    return tuple(found)


def ranked(asked: Mapping[str, Any], dims: Dims, within: Fraction | None = None) -> list[Shape]:
    """Return every shape that can be answered, all others' sizes as in `dims`, the one that is ranked first in front.

    By distance; or where a percentage is given, what is exact first, then what is so near by proportions.
    """
    target, found = _target(asked), _found(tuple(sorted(asked.items())), dims)
    if within is None:
        return list(found)

    def place(shape: Shape) -> tuple[Any, ...]:
        is_near = shape.distance * 100 <= target * within
        return shape.distance > 0, not is_near, shape.factor if is_near else 0, *shape

    return sorted(found, key=place)


def _target(asked: Mapping[str, Any]) -> int:
    target: int = asked["fits"] if "fits" in asked else asked["params"]
    return target


@lru_cache(maxsize=4)
def _found(words: tuple[tuple[str, Any], ...], dims: Dims) -> tuple[Shape, ...]:
    """Return every shape that can be answered, by distance: once, however often it is asked."""
    asked = dict(words)
    name, target = convention(asked), _target(asked)
    aspect, found = proportions(target, name), []
    for n_layer, n_embd, n_inner, vocab_size, n_head in every(asked):
        shape = dims._replace(n_layer=n_layer, n_embd=n_embd, n_inner=n_inner, vocab_size=vocab_size)
        value, factor = counted(name, shape), by_ratio(Fraction(n_embd, n_layer), aspect)
        if "fits" not in asked or value <= target:
            found.append(Shape(abs(value - target), factor, n_layer, n_embd, n_inner, vocab_size, n_head, value))
    return tuple(sorted(found))


def pareto(found: list[Shape]) -> list[Shape]:
    """Keep what no other is at least as near as in both, of equals the one that is ranked first."""
    nearest: dict[Fraction, Shape] = {}
    for shape in found:
        nearest.setdefault(shape.factor, shape)
    one_each = nearest.values()
    return sorted(x for x in one_each if not any(y.factor < x.factor and y.distance <= x.distance for y in one_each))


def answered(designs: Designs) -> list[Shape]:
    """Return what `gpt2calc.design` found as shapes of this search."""
    return [
        Shape(
            abs(each.difference),
            by_ratio(Fraction(each.n_embd, each.n_layer), designs.family.aspect),
            each.n_layer,
            each.n_embd,
            each.n_inner,
            each.vocab_size,
            each.n_head,
            each.value,
        )
        for each in designs
    ]
