"""A third counter: a GPT-2 in plain Python, on numbers that count their own multiplications and additions."""

from __future__ import annotations

import random
from collections import Counter
from typing import TYPE_CHECKING, ClassVar

import pytest

from gpt2calc.costs import flops
from gpt2calc.costs.run import Run
from gpt2calc.dims import from_fields

if TYPE_CHECKING:
    from collections.abc import Mapping

Matrix = list[list["Number"]]


class Number:
    """A number that counts what is done with it, under the name of the component that is at work."""

    counts: ClassVar[Counter[tuple[str, str]]] = Counter()
    component = ""

    def __init__(self, value: float) -> None:
        self.value = value

    def __add__(self, other: Number) -> Number:
        Number.counts[Number.component, "+"] += 1
        return Number(self.value + other.value)

    def __mul__(self, other: Number) -> Number:
        Number.counts[Number.component, "·"] += 1
        return Number(self.value * other.value)


def made(rows: int, columns: int) -> Matrix:
    """Return a matrix of numbers."""
    return [[Number(random.uniform(-1, 1)) for _ in range(columns)] for _ in range(rows)]


def product(component: str, a: Matrix, b: Matrix) -> Matrix:
    """Multiply two matrices by the rule, a dot product for each row and column."""
    Number.component = component
    columns = list(zip(*b, strict=True))
    out = []
    for row in a:
        line = []
        for column in columns:
            found = row[0] * column[0]
            for x, y in zip(row[1:], column[1:], strict=True):
                found = found + x * y
            line.append(found)
        out.append(line)
    return out


def passed(sizes: Mapping[str, int]) -> None:
    """Run every product of a forward pass of one sequence, head by head, as the model does."""
    L, d, h, m, V, S = (sizes[letter] for letter in "LdhmVS")
    x, e = made(S, d), d // h
    for _ in range(L):
        qkv = product("attn.c_attn", x, made(d, 3 * d))
        heads: list[Matrix] = []
        for head in range(h):
            q, k, v = ([row[part * d + head * e :][:e] for row in qkv] for part in range(3))
            scores = product("attn.QK^T", q, [list(row) for row in zip(*k, strict=True)])
            heads.append(product("attn.A·V", scores, v))
        joined = [[number for head in heads for number in head[row]] for row in range(S)]
        x = product("attn.c_proj", joined, made(d, d))
        x = product("mlp.c_proj", product("mlp.c_fc", x, made(d, m)), made(m, d))
    product("lm_head", x, made(d, V))


@pytest.mark.parametrize("seed", range(4))
def test_half_of_the_flops_of_a_component_are_its_multiplications(seed: int) -> None:
    """And the other half its additions, less one for each output: the one that a bias or an accumulator takes."""
    draw = random.Random(seed)
    h = draw.choice([1, 2, 3])
    L, d, m, V, S = draw.randint(1, 2), h * draw.choice([2, 4]), draw.choice([5, 16]), draw.choice([7, 13]), 4
    Number.counts.clear()
    passed({"L": L, "d": d, "h": h, "m": m, "V": V, "S": S})
    dims = from_fields({"n_layer": L, "n_embd": d, "n_positions": S, "vocab_size": V, "n_inner": m})
    for row in flops.table(dims, Run(1, S, 0, S)):
        if row.times:
            outputs = row.times * row.rows * row.columns * (h if row.component == "attn.QK^T" else 1)
            assert 2 * Number.counts[row.component, "·"] == row.forward
            assert Number.counts[row.component, "+"] == row.forward // 2 - outputs
