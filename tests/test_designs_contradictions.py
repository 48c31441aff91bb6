"""Contradictions: where constraints leave no shape, those that clash are named, and each of them is needed for it."""

from __future__ import annotations

import re
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc.designs import contradictions, spans
from gpt2calc.designs.bounds import Bounds
from tests.loops import of_each
from tests.property.strategies import tried

if TYPE_CHECKING:
    from tests.conftest import Run

CLASHES: dict[str, tuple[dict[str, Any], str]] = {
    "n_embd and its multiple": (
        {"n_embd": "1:100", "embd_multiple": 128},
        "n_embd 1:100 and embd_multiple 128: n_embd would be a multiple of 128",
    ),
    "n_embd and the heads' size": (
        {"n_embd": "100:120", "head_size": 96},
        "n_embd 100:120 and head_size 96: n_embd would be a multiple of 96",
    ),
    "n_embd and the default": (
        {"n_embd": 48},
        "n_embd 48 and head_size 64, 128 (the default): n_embd would be a multiple of 64",
    ),
    "n_embd and n_head": ({"n_embd": 64, "n_head": 7}, "n_embd 64 and n_head 7: n_head divides n_embd"),
    "n_inner and its multiple": (
        {"n_inner": "100:200", "inner_multiple": 256},
        "n_inner 100:200 and inner_multiple 256: n_inner is a multiple of it",
    ),
    "n_embd, its multiple and the heads' size": (
        {"n_embd": "64:128", "embd_multiple": 64, "head_size": 96},
        "n_embd 64:128, embd_multiple 64 and head_size 96: n_embd would be a multiple of 192",
    ),
    "depth, width and aspect": (
        {"n_layer": 40, "n_embd": "64:128", "aspect": "20:160"},
        "n_layer 40, n_embd 64:128 and aspect 20:160: n_embd / n_layer would be 1.60 to 3.20",
    ),
    "depth, width and the default aspect": (
        {"n_layer": 10, "n_embd": 64},
        "n_layer 10, n_embd 64 and aspect 20:160 (the default): n_embd / n_layer would be 6.40",
    ),
    "width, n_inner and ratio": (
        {"n_embd": 1024, "n_inner": 4000, "inner_ratio": 4},
        "n_embd 1024, n_inner 4000 and inner_ratio 4: n_inner is inner_ratio times n_embd",
    ),
    "width, ratio and multiple": (
        {"n_embd": 1024, "inner_ratio": "2:2.1", "inner_multiple": 1000},
        "n_embd 1024, inner_ratio 2:2.1 and inner_multiple 1000: n_inner is inner_ratio times n_embd",
    ),
    "width, heads and their size": (
        {"n_embd": 512, "n_head": 4, "head_size": 64},
        "n_embd 512, head_size 64 and n_head 4: n_embd is n_head times head_size",
    ),
    "a list of depths, a list of widths and aspect": (
        {"n_layer": "12,48", "n_embd": "1536,1600", "aspect": "34:60"},
        "n_layer 12,48, n_embd 1536,1600 and aspect 34:60: n_embd / n_layer would be 32.00 to 133.33",
    ),
    "depth, aspect, multiple": (
        {"n_layer": 1, "aspect": "20:30", "embd_multiple": 64},
        "n_layer 1, embd_multiple 64 and aspect 20:30: n_embd would be a multiple of 64",
    ),
}


@of_each("case", CLASHES)
def test_a_contradiction_names_the_constraints_that_clash(case: str) -> None:
    """Those and no others, as they were given, defaults said to be defaults."""
    asked, told = CLASHES[case]
    with pytest.raises(gpt2calc.ConfigError, match=f"^no shape has {re.escape(told)}$"):
        gpt2calc.design("350M", **asked)


def test_a_contradiction_ends_with_code_2(run: Run) -> None:
    """As any other mistake in what was asked."""
    ran = run("design", "--params", "350M", "--n-embd", "1:100", "--embd-multiple", "128")
    assert (ran.code, ran.stdout) == (2, "")


@st.composite
def constraints(draw: st.DrawFn) -> Bounds:
    """Draw constraints of each kind, or none of a kind, which often clash."""

    def sizes(least: int, most: int) -> st.SearchStrategy[str]:
        pair = st.tuples(st.integers(least, most), st.integers(least, most)).map(sorted)
        return pair.map(lambda ends: f"{ends[0]}:{ends[1]}") | st.integers(least, most).map(str)

    def maybe(name: str, text: str | None, least: int = 1) -> spans.Span | None:
        return None if text is None else spans.read(name, text, least)

    def span(name: str, least: int, most: int) -> spans.Span | None:
        return maybe(name, draw(st.none() | sizes(least, most)), least)

    multiple = st.none() | st.integers(1, 12)
    aspect = draw(st.none() | st.sampled_from(["1:3", "2:2", "1/2:1", "5:8"]))
    ratio = draw(st.none() | st.sampled_from(["4", "8/3,1", "1:2", "3/2:8/5", "0"]))
    return Bounds(
        n_layer=span("n_layer", 1, 12),
        n_embd=spans.read("n_embd", draw(sizes(1, 40))),
        embd_multiple=draw(multiple),
        head_size=draw(st.none() | st.sampled_from([(3,), (4, 6), (7,), (16,)])),
        n_head=span("n_head", 1, 8),
        aspect=None if aspect is None else spans.read_fractions("aspect", aspect),
        n_inner=span("n_inner", 0, 60),
        inner_ratio=None if ratio is None else spans.read_fractions("inner_ratio", ratio),
        inner_multiple=draw(multiple),
    )


def kept(bounds: Bounds) -> bool:
    """Whether some shape keeps all constraints, by trying every one up to sizes that none here needs to exceed."""
    depths = range(1, 700) if bounds.aspect else [1]
    for n_embd in range(1, 300 if bounds.n_embd is None else 41):
        if bounds.n_embd and not bounds.n_embd.has(n_embd):
            continue
        if n_embd % (bounds.embd_multiple or 1):
            continue
        sizes = [size for size in bounds.head_size or range(1, n_embd + 1) if n_embd % size == 0]
        if not any(bounds.n_head is None or bounds.n_head.has(n_embd // size) for size in sizes):
            continue
        if any(
            bounds.aspect is None or bounds.aspect.least * n_layer <= n_embd <= bounds.aspect.most * n_layer
            for n_layer in (bounds.n_layer.values if bounds.n_layer else depths)
        ) and any(_inner_is_kept(bounds, n_embd, n_inner) for n_inner in range(5 * n_embd + 100)):
            return True
    return False


def _inner_is_kept(bounds: Bounds, n_embd: int, n_inner: int) -> bool:
    ratio, multiple = bounds.inner_ratio, bounds.inner_multiple or 1
    if n_inner % multiple or (bounds.n_inner and not bounds.n_inner.has(n_inner)):
        return False
    if ratio is None:
        return True
    if ratio.is_range:
        return ratio.least * n_embd <= n_inner <= ratio.most * n_embd
    return any(n_inner - multiple < each * n_embd <= n_inner for each in ratio.values)


def only(bounds: Bounds, names: tuple[str, ...]) -> Bounds:
    """Return these constraints alone."""
    return bounds._replace(**{name: None for name in Bounds._fields if name not in names})


@tried(25)
@given(bounds=constraints())
def test_what_is_said_to_clash_does_and_each_of_it_is_needed(bounds: Bounds) -> None:
    """By trying every shape: the named constraints leave none, any of them taken away some, no smaller set none."""
    assert bool(bounds.widths()) == kept(bounds)
    if bounds.widths():
        return
    names = contradictions.clash(bounds)
    assert not kept(only(bounds, names))
    assert all(kept(only(bounds, subset)) for subset in combinations(names, len(names) - 1))
