"""What the page says that running a model holds and computes is what `gpt2calc cost` says."""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc import sources
from gpt2calc.costs import flops
from gpt2calc.costs.run import Run
from gpt2calc.costs.serving import Serving
from gpt2calc.dims import Dims, from_fields
from gpt2calc.errors import ConfigError
from gpt2calc.sources import Source
from gpt2calc.webpage.asked import usual_tokens
from tests.architectures import drawing
from tests.page.reading import rested, shown
from tests.page.test_counts import READ, handed, states
from tests.page.test_families import TYPES

if TYPE_CHECKING:
    from tests.browser import Watched

EXAMPLES = int(os.environ.get("GPT2CALC_EXAMPLES", "4"))
HELD = """
const whole = (value) => (/^\\d+$/.test(value) ? BigInt(value) : value);
const heldOf = (source, asked) =>
  heldBy(source, new gpt2calc.py.dict(Object.entries(asked).map(([name, value]) => [name, whole(value)])));
const told = (held) => [
  [held.kv_bytes_per_token, held.state_bytes, held.kv_bytes, held.weights, held.forward].map((n) => n && String(n)),
  held.rows.map((row) => [row.kind, String(row.layers), String(row.window)]),
  held.products.map((row) => [row.component, row.group, String(row.forward)]),
  [...held.notes, ...held.flops_notes],
];
"""

SAID = """
const said = (source, asked) => {
  try {
    return told(heldOf(source, asked));
  } catch (error) { if (!(error instanceof Sentence)) throw error; return error.message; }
};
"""

OF_DOCUMENTS = f"(cases) => {{ {HELD} {SAID} return cases.map(([text, asked]) => said(readConfig(text), asked)); }}"

OF_GPT2S = f"""([states, asked]) => {{ {READ} {HELD} {SAID}
  return states.map((state) => said(configOf(PRESETS[0], fieldsOf(state)).source, asked));
}}"""

OF_SHIPPED = f"""(asked) => {{ {HELD} {SAID}
  return PRESETS.filter((preset) => !preset.is_plain).map((preset) => {{
    const {{ source }} = ofPreset(preset);
    return [preset.name, said(source, {{...asked, seq: String(gpt2calc.usualTokens(source))}})];
  }});
}}"""


def told(held: Serving) -> list[Any]:
    """Return what Python says that a model holds and computes, as the page is asked for it."""
    numbers = (held.kv_bytes_per_token, held.state_bytes, held.kv_bytes, held.weights, held.forward)
    return [
        [n and str(n) for n in numbers],
        [[row.kind, str(row.layers), str(row.window).replace("None", "null")] for row in held.rows],
        [[row.component, row.group, str(row.forward)] for row in held.products],
        [*held.notes, *held.flops_notes],
    ]


def python(source: Source, asked: dict[str, str]) -> list[Any] | str:
    """Return the same of a model, or why Python does not say it."""
    words = {name: int(value) if value.isdecimal() else value for name, value in asked.items()}
    try:
        return told(Serving(source.counted, source.of_files, words, source.name))
    except ConfigError as error:
        return str(error)


@pytest.mark.parametrize("first", range(0, EXAMPLES, 100))
def test_what_random_models_hold_and_compute_is_what_python_says(first: int, loaded: Watched) -> None:
    """Of every model type: caches, with windows and without, states, weights and FLOPs; or why it is not said."""
    draw = random.Random(first)
    cases = []
    for model_type in TYPES:
        for n in range(first, min(first + 100, EXAMPLES)):
            asked = {"seq": str(draw.choice((1, 3, 50, 100_000))), "batch": str(draw.randint(1, 9))}
            asked |= {"dtype": draw.choice(("bf16", "fp32")), "kv_dtype": draw.choice(("bf16", "fp32", "fp8", "int4"))}
            asked |= draw.choice(({}, {"past": "11", "logits": "last"}))
            cases.append((drawing.windowed(model_type, drawing.config(model_type, n, 1), n), asked))
    found = loaded.page.evaluate(OF_DOCUMENTS, [[json.dumps(document), asked] for document, asked in cases])
    wanted = [python(sources.from_document(document, "config.json"), asked) for document, asked in cases]
    for case, answer, expected in zip(cases, found, wanted, strict=True):
        assert answer == expected, case
    assert sum(isinstance(each, list) for each in wanted) > 0.6 * len(cases)


def test_models_that_ship_hold_and_compute_what_python_says(loaded: Watched) -> None:
    """With the windows that their configs have, under their names, of as many tokens as they take."""
    asked = {"batch": "2", "dtype": "bf16", "kv_dtype": "q8_0"}
    for name, answer in loaded.page.evaluate(OF_SHIPPED, asked):
        source = sources.resolve(name, {})
        longest = {} if isinstance(source.counted, Dims) or usual_tokens(source) != 4096 else {"seq": "4096"}
        assert answer == python(source, asked | longest), name


def test_flops_of_random_gpt2s_are_those_of_python(loaded: Watched) -> None:
    """Each product of a forward pass, in order; none where cross-attention reads so many tokens of an encoder."""
    drawn = [{**state, "n_positions": state["n_positions"] + 81} for state in states(30, seed=8)]
    asked = {"batch": "3", "seq": "70", "past": "11", "logits": "last", "dtype": "bf16"}
    found = loaded.page.evaluate(OF_GPT2S, [[handed(fields) for fields in drawn], asked])
    for fields, answer in zip(drawn, found, strict=True):
        dims = from_fields(fields)
        assert answer == python(Source("gpt2", dims, (), {}), asked)
        table = [row for row in flops.table(dims, Run(3, 70, 11, 1)) if row.times and not dims.add_cross_attention]
        assert not dims.ln_f or answer[2] == [[row.component, row.group, str(row.forward)] for row in table]


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
    restored.open("#cost.seq=2000")
    assert restored.text("#cost-said") == "gpt2: 2,000 tokens are more than n_positions 1,024 of the model takes"
    restored.open("#cost.batch=8")
    rows = shown(restored, "flops")
    assert sum(int(row[1].replace(",", "")) for row in rows) == gpt2calc.cost("gpt2", batch=8).forward
