"""The page counts a GPT-2 as Python does: random models, every component, convention and formula.

GPT2CALC_EXAMPLES is how many; 100 when left out.
"""

from __future__ import annotations

import json
import os
import random
from typing import TYPE_CHECKING, Any

import gpt2calc
from gpt2calc import formulas
from gpt2calc.algebra import Expression
from gpt2calc.counts import ParameterCount
from gpt2calc.dims import LETTERS, TASK_HEADS, from_fields, symbols
from gpt2calc.fields import FIELDS

if TYPE_CHECKING:
    from tests.browser import Watched

EXAMPLES = int(os.environ.get("GPT2CALC_EXAMPLES", "100"))
DEFAULTS = {row.name: row.default for row in FIELDS.values()}
SWITCHES = [name for name, value in DEFAULTS.items() if isinstance(value, bool)]

READ = """
const fieldsOf = (text) => Object.fromEntries(Object.entries(text).map(([name, value]) =>
  [name, typeof value === "string" && /^\\d+$/.test(value) ? BigInt(value) : value]));
"""
"""Fields as Python hands them over: numbers of any size as text."""

COUNT = (
    "(states) => {"
    + READ
    + """
  return states.map((state) => {
    const config = configOf(PRESETS[0], fieldsOf(state));
    const count = countOf(config);
    const [letters, numbers] = [formOf(count.components).text(), formOf(count.components).text(count.letters)];
    const components = count.components.map((part) => [part.name, part.times, part.weights, part.biases,
      part.formula.text(), part.formula.text(count.letters)]);
    const {weights, biases, total, groups, conventions} = count;
    return json({components, groups: groups.map((group) => [group.name, group.weights, group.biases, group.total]),
      weights, biases, total, conventions, letters, numbers, block: count.layers[0].each,
      dims: config.source.counted._asdict()});
  });
}"""
)


def states(count: int, seed: int = 20) -> list[dict[str, Any]]:
    """Draw models: small ones, usual ones, and some of which a size is beyond what a float or 64 bits hold."""
    draw = random.Random(seed)
    most = (9, 300, 60_000, 2**53, 10**30)

    def size(least: int) -> int:
        return draw.randint(least, draw.choice(most))

    found = []
    for _ in range(count):
        fields: dict[str, Any] = {name: size(1) for name in ("n_embd", "n_positions", "vocab_size")}
        fields |= {"n_layer": size(0), "n_inner": draw.choice((None, 0, size(0), 4 * fields["n_embd"]))}
        fields |= {name: draw.random() < 0.5 for name in SWITCHES} | {"head": draw.choice(tuple(TASK_HEADS))}
        fields |= {"qkv_bias": draw.choice((None, True, False)), "num_labels": size(0)}
        fields |= {"pad_vocab_size_multiple": draw.choice((None, 1, 128, size(1)))}
        found.append({**DEFAULTS, **fields})
    return found


def handed(fields: dict[str, Any]) -> dict[str, Any]:
    """Return fields as the page takes them: whole numbers as text, so that none is rounded on the way."""
    return {name: str(value) if type(value) is int else value for name, value in fields.items()}


def expected(fields: dict[str, Any]) -> dict[str, Any]:
    """Return all that Python says of a model."""
    count = ParameterCount(from_fields(fields))
    sizes = {letter: getattr(count.dims, name) for name, letter in LETTERS.items()}
    total = Expression.of(formulas.total(symbols(count.dims)))
    parts = count.components
    return {
        "components": [
            [part.name, part.times, part.weights, part.biases, part.formula.text(), part.formula.text(sizes)]
            for part in parts
        ],
        "groups": [[group.name, group.weights, group.biases, group.total] for group in count.groups.values()],
        "weights": count.weights,
        "biases": count.biases,
        "total": count.total,
        "conventions": count.conventions,
        "letters": total.text(),
        "numbers": total.text(sizes),
        "block": count.per_block,
        "dims": count.dims._asdict(),
    }


def test_random_gpt2s_are_counted_as_python_counts_them(loaded: Watched) -> None:
    """Every component, group, convention and formula is the same, digit for digit, also above 2^53 and 2^64."""
    drawn = states(EXAMPLES)
    found = loaded.page.evaluate(COUNT, [handed(fields) for fields in drawn])
    beyond = 0
    for fields, text in zip(drawn, found, strict=True):
        wanted = expected(fields)
        assert json.loads(text) == wanted, fields
        beyond += wanted["total"] > 2**64
    assert 0.2 < beyond / EXAMPLES < 0.9


def test_every_model_that_ships_is_in_the_page_with_its_count(loaded: Watched) -> None:
    """By its name and by each of its aliases."""
    names = [word for model in gpt2calc.models() for word in (model.name, *model.aliases)]
    script = "(names) => names.map((name) => String(ofPreset(findPreset(name)).count.total))"
    totals = loaded.page.evaluate(script, names)
    assert totals == [str(gpt2calc.count(name).total) for name in names]


def test_shares_are_the_floats_that_python_prints(loaded: Watched) -> None:
    """The quotient of two integers of any size is rounded once, to the nearest float."""
    draw = random.Random(7)
    pairs = [(part, part + draw.randint(0, 10**e)) for e in range(1, 60) for part in [draw.randint(1, 10**e)]]
    pairs += [(0, 5), (5, 5), (1, 3), (1, 10**40), (2**53 + 1, 2**54 + 1)]
    script = "(pairs) => pairs.map(([part, whole]) => share(BigInt(part), BigInt(whole)))"
    found = loaded.page.evaluate(script, [[str(part), str(whole)] for part, whole in pairs])
    assert found == [part / whole for part, whole in pairs]
