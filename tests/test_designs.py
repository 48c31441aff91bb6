"""Designs: what is found is what trying every shape finds, in the same order, and no answer breaks a constraint."""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import gpt2calc
from gpt2calc import conventions, formulas, presets
from tests.property.strategies import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.designs.report import Designs
    from gpt2calc.dims import Dims

FAMILY = (
    *("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"),
    *("gpt3-125M", "gpt3-350M", "gpt3-760M", "gpt3-1.3B", "gpt3-2.7B", "gpt3-6.7B", "gpt3-13B", "gpt3-175B"),
)
"""The eight sizes of GPT-3 (arXiv:2005.14165, table 2.1) and the four of GPT-2."""

MEMBERS = [presets.load(name).dims for name in FAMILY]
NAMES = ("total", *conventions.NAMES)
EXAMPLES = settings(SETTINGS, max_examples=2 * SETTINGS.max_examples)


# A second search, by trying every shape. It shares with the first the conventions alone, evaluated on whole models.


def sizes(text: str | None, default: range) -> set[int]:
    """Return the sizes that a text says."""
    if text is None:
        return set(default)
    if ":" in text:
        low, high, *step = map(int, text.split(":"))
        return set(range(low, high + 1, *step))
    return set(map(int, text.split(",")))


def counted(name: str, x: Dims) -> int:
    """Count a whole model."""
    return formulas.total(x) if name == "total" else conventions.find(name).value(x)


def by_ratio(one: Fraction | int, other: Fraction | int) -> Fraction:
    """Return how many times as large the larger of two numbers is."""
    return max(Fraction(one) / other, Fraction(other) / one)


def proportions(target: int, name: str) -> Fraction:
    """Return the family's n_embd / n_layer near a target."""
    members = sorted(MEMBERS, key=lambda x: by_ratio(counted(name, x), target))
    return sorted(Fraction(x.n_embd, x.n_layer) for x in members[:3])[1]


def inner_sizes(n_embd: int, asked: dict[str, Any], limit: int) -> Iterator[int]:
    """Yield every n_inner that goes with a width, by looking at each number."""
    multiple, ratio = int(asked.get("inner_multiple", 1)), asked.get("inner_ratio", "4")
    is_range, allowed = ":" in ratio, sizes(asked["n_inner"], range(0)) if "n_inner" in asked else None
    ends = [Fraction(each) * n_embd for each in ratio.split(":" if is_range else ",")]
    for n_inner in range(limit):
        if n_inner % multiple or (allowed is not None and n_inner not in allowed):
            continue
        within = ends[0] <= n_inner <= ends[-1]
        if "inner_ratio" not in asked and allowed is not None:
            yield n_inner
        elif within if is_range else any(n_inner - multiple < end <= n_inner for end in ends):
            yield n_inner


def every_shape(asked: dict[str, Any]) -> Iterator[tuple[int, int, int, int, int]]:
    """Yield every shape that keeps every constraint, as n_layer, n_embd, n_inner, vocab_size and n_head."""
    low, high = map(Fraction, asked.get("aspect", "20:160").split(":"))
    heads = sorted(sizes(asked.get("head_size", "64,128"), range(0)))
    layers = sizes(asked.get("n_layer"), range(1, 1001))
    vocabularies = {-(-asked["vocab_size"] // pad) * pad for pad in sizes(asked.get("pad", "1"), range(0))}
    allowed = sizes(asked.get("n_head"), range(1, 10_000))
    for n_embd in sizes(asked.get("n_embd"), range(1, int(max(layers) * high) + 1)):
        fitting = [n_embd // head for head in heads if n_embd % head == 0 and n_embd // head in allowed]
        if n_embd % int(asked.get("embd_multiple", 1)) or not fitting:
            continue
        depths = [n_layer for n_layer in layers if low * n_layer <= n_embd <= high * n_layer]
        for n_inner in inner_sizes(n_embd, asked, 5 * n_embd + 100) if depths else ():
            for n_layer, vocab_size in product(depths, vocabularies):
                yield n_layer, n_embd, n_inner, vocab_size, fitting[0]


def ranked(asked: dict[str, Any], x: Dims) -> list[tuple[Any, ...]]:
    """Return every shape that fits, with its distance, its count and its heads, as it is to be ranked."""
    name = f"{asked['dtype']}_bytes" if "fits" in asked else asked.get("convention", "total")
    target = asked.get("fits", asked.get("params"))
    aspect = proportions(target, name)
    found = []
    for n_layer, n_embd, n_inner, vocab_size, n_head in every_shape(asked):
        dims = x._replace(n_layer=n_layer, n_embd=n_embd, n_inner=n_inner, vocab_size=vocab_size)
        value = counted(name, dims)
        if "fits" not in asked or value <= target:
            factor = by_ratio(Fraction(n_embd, n_layer), aspect)
            found.append((abs(value - target), factor, n_layer, n_embd, n_inner, vocab_size, value, n_head))
    return sorted(found)


def pareto(found: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Keep what no other is at least as near as in both, of equals the one that is ranked first."""
    nearest: dict[Fraction, tuple[Any, ...]] = {}
    for row in found:
        nearest.setdefault(row[1], row)
    rows = nearest.values()
    return sorted(row for row in rows if not any(one[1] < row[1] and one[0] <= row[0] for one in rows))


def answered(designs: Designs) -> list[tuple[int, ...]]:
    """Return what was found in the order of a brute-force row, without the factor."""
    return [
        (abs(each.difference), *(getattr(each.dims, name) for name in ("n_layer", "n_embd", "n_inner", "vocab_size")))
        + (each.value, each.n_head)
        for each in designs
    ]


def without_factor(rows: list[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """Drop the factor from rows of the brute force."""
    return [(row[0], *row[2:]) for row in rows]


# Random questions


def texts(least: int, most: int) -> st.SearchStrategy[str]:
    """Draw a range, a range with a step, or a list, wide ones more often than narrow ones."""
    size, near, far = st.integers(least, most), st.integers(least, least + most // 4), st.integers(most // 2, most)
    wide = st.tuples(near, far)
    return (
        wide.map(lambda ends: f"{ends[0]}:{ends[1]}")
        | st.tuples(wide, st.integers(1, 5)).map(lambda drawn: f"{drawn[0][0]}:{drawn[0][1]}:{drawn[1]}")
        | st.lists(size, min_size=1, max_size=6).map(lambda listed: ",".join(map(str, listed)))
    )


def fractions(least: int, most: int) -> st.SearchStrategy[str]:
    """Draw a range of fractions."""
    number = st.fractions(least, most, max_denominator=6)
    return st.tuples(number, number).map(lambda ends: f"{min(ends)}:{max(ends)}")


RATIOS = st.lists(st.sampled_from(["0", "1", "2", "8/3", "7/2", "4"]), min_size=1, max_size=3).map(",".join)
SMALL = {
    "n_layer": texts(1, 8),
    "n_embd": texts(1, 24),
    "vocab_size": st.integers(1, 50),
    "head_size": st.sampled_from(["1", "2", "1,4", "3,4", "5"]),
}
OPTIONAL: dict[str, st.SearchStrategy[Any]] = {
    "aspect": fractions(1, 12),
    "embd_multiple": st.integers(1, 8),
    "n_head": texts(1, 12),
    "inner_ratio": RATIOS | fractions(0, 5),
    "inner_multiple": st.integers(1, 20),
    "n_inner": texts(0, 60),
    "pad": st.sampled_from(["8", "1,8,64", "2:5"]),
}
STRUCTURE: dict[str, st.SearchStrategy[Any]] = {
    "n_positions": st.integers(1, 40),
    "tie_word_embeddings": st.booleans(),
    "bias": st.booleans(),
    "add_cross_attention": st.booleans(),
    "head": st.sampled_from(["none", "lm", "double_heads", "token_classification"]),
}
CONVENTIONS = st.just("total") | st.sampled_from(NAMES)
DTYPES = st.sampled_from(["fp32", "bf16", "int8", "int4"])


@st.composite
def questions(draw: st.DrawFn) -> tuple[dict[str, Any], dict[str, Any]]:
    """Draw constraints, what is asked, near what some shape has or anything, and the structure of the model."""
    more = draw(st.lists(st.sampled_from(sorted(OPTIONAL)), max_size=3, unique=True))
    chosen = {**SMALL, **{name: OPTIONAL[name] for name in more}}
    asked = {"aspect": "1:30", **draw(st.fixed_dictionaries(chosen))}
    structure = draw(st.fixed_dictionaries({}, optional=STRUCTURE))
    in_bytes = draw(st.sampled_from([False, False, True]))
    asked |= {"dtype": draw(DTYPES)} if in_bytes else {"convention": draw(CONVENTIONS)}
    target = draw(st.integers(1, 10**6))
    shapes = list(every_shape(asked))
    if shapes and draw(st.sampled_from([True, True, True, False])):
        n_layer, n_embd, n_inner, vocab_size, _ = shapes[target % len(shapes)]
        x = gpt2calc.count(**structure, vocab_size=vocab_size, n_layer=n_layer, n_embd=n_embd, n_inner=n_inner).dims
        value = counted(f"{asked['dtype']}_bytes" if in_bytes else asked["convention"], x)
        target = max(1, value + draw(st.integers(-50, 50)))
    return {**asked, "fits" if in_bytes else "params": target}, structure


@EXAMPLES
@given(question=questions(), top=st.integers(1, 30), on_front=st.booleans())
def test_the_answer_is_that_of_trying_every_shape(
    question: tuple[dict[str, Any], dict[str, Any]], top: int, on_front: bool
) -> None:
    """Whatever is asked, the shapes, their order, their counts and heads, and how many there are, agree."""
    asked, structure = question
    base = gpt2calc.count(**structure, vocab_size=asked["vocab_size"]).dims
    expected, shapes = ranked(asked, base), len(list(every_shape(asked)))
    try:
        designs = gpt2calc.design(**asked, **structure, **({"pareto": True} if on_front else {"top": top}))
    except gpt2calc.ConfigError as error:
        assert not expected, error
        assert ("no shape has" in str(error)) == (shapes == 0)
        return
    assert designs.shapes == shapes
    assert answered(designs) == without_factor(pareto(expected) if on_front else expected[:top])
