"""What the page says that running a model holds and computes is what `gpt2calc cost` says."""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.costs import flops
from gpt2calc.costs.run import Run
from gpt2calc.dims import from_fields
from gpt2calc.errors import ConfigError
from tests.architectures import drawing
from tests.page.reading import rested, shown
from tests.page.test_counts import READ, handed, states
from tests.page.test_families import TYPES

if TYPE_CHECKING:
    from tests.browser import Watched

EXAMPLES = int(os.environ.get("GPT2CALC_EXAMPLES", "4"))
HELD = """(cases) => cases.map(([text, seq, batch, dtype, kv]) => {
  try {
    const config = readDocument(parseConfig(text));
    const {token, states, cache, weights} = heldBy(config, {seq: BigInt(seq), batch: BigInt(batch), dtype, kv});
    return [token, states, cache, weights].map(String);
  } catch (error) { if (!(error instanceof Sentence)) throw error; return error.message; }
})"""

FLOPS = (
    "([states, run]) => {"
    + READ
    + """
  return states.map((state) => productsOf(dimsOf(fieldsOf(state)), fieldsOf(run)).map(
    ({name, group, flops}) => [name, group, String(flops)]));
}"""
)


def python(document: dict[str, Any], seq: int, batch: int, dtype: str, kv: str) -> list[str] | str:
    """Return what Python says that a model holds, or why it does not say."""
    try:
        found = gpt2calc.serving(document, seq=seq, batch=batch, dtype=dtype, kv_dtype=kv)
        return list(map(str, (found.kv_bytes_per_token, found.state_bytes, found.kv_bytes, found.weights)))
    except ConfigError as error:
        return str(error)


@pytest.mark.parametrize("first", range(0, EXAMPLES, 100))
def test_what_random_models_hold_is_what_python_says(first: int, loaded: Watched) -> None:
    """Of every model type: caches, with windows and without, states and weights; or why it is not said."""
    draw = random.Random(first)
    documents = [
        drawing.windowed(model_type, drawing.config(model_type, n, 1), n)
        for model_type in TYPES
        for n in range(first, min(first + 100, EXAMPLES))
    ]
    kinds = ("bf16", "fp32", "fp8", "int4")
    cases = [
        (
            document,
            draw.choice((1, 3, 50, 100_000)),
            draw.randint(1, 9),
            draw.choice(("bf16", "fp32")),
            draw.choice(kinds),
        )
        for document in documents
    ]
    found = loaded.page.evaluate(HELD, [[json.dumps(document), *asked] for document, *asked in cases])
    exact = 0
    for case, answer in zip(cases, found, strict=True):
        wanted = python(*case)
        exact += isinstance(wanted, list)
        assert isinstance(answer, str) == isinstance(wanted, str), (case, answer, wanted)
        if isinstance(wanted, list):
            assert answer == wanted, case
    assert exact > 0.6 * len(cases)


def test_models_that_ship_hold_what_python_says(loaded: Watched) -> None:
    """With the windows that their configs have, under their names."""
    script = """() => PRESETS.filter((preset) => !preset.is_plain && preset.type !== "gpt2").map((preset) => {
      const held = heldBy(ofPreset(preset), {seq: 32768n, batch: 2n, dtype: "bf16", kv: "q8_0"});
      return [preset.name, String(held.token), String(held.cache)];
    })"""
    for name, token, cache in loaded.page.evaluate(script):
        wanted = gpt2calc.serving(name, seq=32768, batch=2, dtype="bf16", kv_dtype="q8_0")
        assert (token, cache) == (str(wanted.kv_bytes_per_token), str(wanted.kv_bytes)), name


def test_flops_of_random_gpt2s_are_those_of_python(loaded: Watched) -> None:
    """Each product of a forward pass, in order."""
    drawn = states(30, seed=8)
    run = {"batch": 3, "tokens": 70, "past": 11, "logits": 1, "source": 5}
    found = loaded.page.evaluate(FLOPS, [[handed(fields) for fields in drawn], handed(run)])
    for fields, rows in zip(drawn, found, strict=True):
        table = flops.table(from_fields(fields), Run(**run))
        assert rows == [[row.component, row.group, str(row.forward)] for row in table]


def test_what_it_costs_follows_what_is_asked(restored: Watched) -> None:
    """By part, with what fits; the address keeps what is asked and what a pasted config says of its windows."""
    page = restored.page
    gemma = {"model_type": "gemma3_text", "num_hidden_layers": 6, "sliding_window": 100}
    page.fill("#paste", json.dumps(gemma))
    page.fill("#cost-seq", "32k")
    page.fill("#cost-memory", "4 GB")
    wanted = gpt2calc.serving(gemma, seq=32000, dtype="bf16")
    costed = [row[1].split("\n")[0] for row in shown(restored, "costed")]
    numbers = (wanted.kv_bytes_per_token, wanted.state_bytes, wanted.weights, wanted.kv_bytes)
    assert costed == [f"{n:,}" for n in numbers]
    assert [row[3] for row in shown(restored, "keeping")] == ["100", ""]
    left = 4 * 10**9 - wanted.weights - (wanted.kv_bytes or 0)
    assert f"fits in 4 GB, and leaves {left:,} bytes" in restored.text("#cost-said")
    address = rested(restored)
    restored.open(f"#{address}")
    assert [row[1].split("\n")[0] for row in shown(restored, "costed")] == costed
    assert rested(restored) == address
    restored.go("#cost.seq=2000")
    assert restored.text("#cost-said") == "2,000 tokens are more than n_positions 1,024 of the model takes"
    restored.go("#cost.batch=8")
    rows = shown(restored, "flops")
    assert sum(int(row[1].replace(",", "")) for row in rows) == gpt2calc.cost("gpt2", batch=8).forward
