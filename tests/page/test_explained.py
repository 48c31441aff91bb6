"""A figure that is typed on the page is explained as `gpt2calc explain` explains it: the same readings, best first.

Every ninth of the figures by default, every third with GPT2CALC_WIDE, all where GPT2CALC_EXAMPLES is set.
"""

from __future__ import annotations

import os
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc import presets
from gpt2calc.errors import ConfigError
from gpt2calc.explanation import lattice, printed, readings, report
from gpt2calc.explanation.report import in_short
from gpt2calc.explanation.search import Ways
from gpt2calc.figures import in_words
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from tests.browser import Watched

EXPLAIN = """([texts]) => texts.map((text) => {
  try {
    const { answer, rows } = ANSWERS.explain(text, []);
    return { answer, rows: rows.map(({ value, ...row }) => ({ ...row, value: String(value) })) };
  } catch (error) {
    if (!(error instanceof Sentence)) throw error;
    return { problem: error.message };
  }
})"""

FIGURES = [
    *("117M", "124M", "137M", "163M", "345M", "762M", "774M", "1.5B", "1542M", "1.56B", "350M", "175B", "85M", "82M"),
    *("548 MB", "498 MB", "0.5 GB", "3.2 GB", "522.7 MiB", "6.43GB", "249 MB", "62 MB"),
    *("124,439,808", "137,022,720", "124439808", "124_439_808", "1557611200 parameters", "0.186B", "123.65M", "1.5e9"),
    *("~345 million", "about 1.5 billion", "~120,000", "117", "1.5", "124M/355M", "GPT-2 has 117M parameters", "2.7B"),
    *("777.777M", "3", "0.1K", "12345678901", "10^9"),
    *("12345", "20000", "50000", "5kB", "10kB", "20kB", "1e3", "1000", "0.39M", "703 MB", "351 MB", "124,440,000"),
    *("124439809", "number of parameters: 124439809", "137M params", "548105171 bytes", "548105171", "4200 bytes"),
    *("124,441,344", "124,440,577", "124,441,346", "163M", "640 parameters", "1.5B parameters", "1,558,000,000"),
    *("x", "", "-5M", "22 %", "2x", "0", "0M", "GPT-3", "<b>", "9" * 301, "1e99"),
]
NONE = FIGURES[FIGURES.index("x") :]
"""Texts of which most are no figure."""


@pytest.fixture(autouse=True)
def of_gpt2s(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let Python look at the GPT-2s that ship alone, as the page does."""
    monkeypatch.setattr(report, "_everywhere", search)


@cache
def search() -> readings.Search:
    """Return the search over them."""
    ours = presets.models()
    return readings.Search(readings.shipped(ours), lattice.axes(ours), readings.PRESETS_BUDGET)


def python(text: str) -> dict[str, Any]:
    """Return what Python says of the first figure of a text."""
    try:
        explained = report.explain(printed.read(text)[:1], []).figures[0]
    except ConfigError as error:
        return {"problem": str(error)}

    def row(each: readings.Reading) -> dict[str, Any]:
        is_met = bool(explained.readings)
        return {
            "value": str(each.value),
            "model": each.model.names[0],
            "convention": each.convention,
            "sentence": each.sentence,
            "fit": in_words(each.fit) if is_met else "not",
            "rivals": str(each.rivals) if is_met else "",
        }

    return {"answer": in_short(explained), "rows": list(map(row, explained.readings or explained.nearest))}


def test_figures_are_explained_as_python_explains_them(loaded: Watched) -> None:
    """Number, model, convention, fit, rivals and the answer in one sentence; and sentences for what is no figure."""
    few = FIGURES[::3] if IS_WIDE else [*FIGURES[: -len(NONE) : 9], *NONE[::3]]
    asked = FIGURES if "GPT2CALC_EXAMPLES" in os.environ else few
    found = loaded.page.evaluate(EXPLAIN, [asked])
    for text, answer in zip(asked, found, strict=True):
        assert answer == python(text), text
    assert 3 <= sum("problem" in answer for answer in found) < len(asked) / 2


@pytest.mark.parametrize("name", ["gpt2", "gpt1", "vit-gpt2-decoder", "nanogpt-no-bias"])
def test_every_way_of_counting_is_that_of_the_lattice(name: str, loaded: Watched) -> None:
    """All compositions of steps, as parameters and as bytes, with their penalties."""
    script = """(name) => { const { axes, budget } = gpt2calc.explaining;
      const ways = new gpt2calc.Ways(dimsOf(findPreset(name).all), axes, budget);
      return ["count", "bytes"].map((kind) => ways.between(kind, 0n, 10n ** 30n).map((way) =>
        [String(way.value), Number(way.penalty), way.name])); }"""
    found = loaded.page.evaluate(script, name)
    ways = Ways(gpt2calc.count(name).dims, lattice.axes(presets.models()), 6)
    for kind, answer in zip(("count", "bytes"), found, strict=True):
        wanted = [[str(way.value), way.penalty, way.name] for way in ways.between(kind, 0, 10**30)]
        assert sorted(answer) == sorted(wanted)
        assert len(wanted) > 100
