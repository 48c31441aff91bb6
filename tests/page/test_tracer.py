"""What is traced in Python comes out as JavaScript and as terms that say the same."""

from __future__ import annotations

import random
import re
from math import prod
from typing import TYPE_CHECKING, Any

import pytest

from gpt2calc import conventions, formulas, tensor_table
from gpt2calc.dims import LETTERS, Dims
from gpt2calc.webpage import arithmetic
from gpt2calc.webpage.tracer import Terms, Traced, javascript, terms, traced_dims

if TYPE_CHECKING:
    from collections.abc import Iterator

L, d, bias = map(Traced.named, ("L", "d", "bias"))


@pytest.mark.parametrize(
    ("traced", "written"),
    [
        (L + d, "L + d"),
        (L - d, "L + -1n * d"),
        (1 - bias, "-1n * bias + 1n"),
        (L * (d + 1), "L * (d + 1n)"),
        ((L + d) * 2, "(L + d) * 2n"),
        (d**2, "d ** 2n"),
        ((L + d) ** 2, "(L + d) ** 2n"),
        ((d**2) ** 3, "(d ** 2n) ** 3n"),
        (-d, "-1n * d"),
        (-(-d // 128) * 128, "-1n * floored(-1n * d, 128n) * 128n"),
        (d // L, "floored(d, L)"),
        (0 * d, "0n"),
        (d * 0 + L, "L"),
        (1 * d + 0, "d"),
        (d // 1, "d"),
        ((L, 2, (d,)), "[L, 2n, [d]]"),
        (True, "1n"),
    ],
)
def test_an_expression_is_written_as_javascript(traced: Any, written: str) -> None:
    """With brackets where they are needed, and without what changes nothing."""
    assert javascript(traced) == written


def test_what_is_no_integer_is_not_written() -> None:
    """A float in a formula, or a division by a number that is not positive, is an error and no page."""
    with pytest.raises(TypeError, match=r"no integer: 0\.5"):
        javascript(0.5 * 1)
    with pytest.raises(TypeError, match="no integer: 'x'"):
        terms("x")
    with pytest.raises(ValueError, match="divided by positive ones, got 0"):
        d // 0
    with pytest.raises(TypeError, match="// leaves no polynomial"):
        terms(d // 2)


def drawn() -> Iterator[Dims]:
    """Draw dims of all structures."""
    draw = random.Random(3)
    for _ in range(60):
        sizes = [draw.randint(0, 10**9) for _ in LETTERS]
        yield Dims(*sizes, *(draw.randint(0, 1) for _ in Dims._fields[len(LETTERS) :]))


def evaluated(found: Terms, x: Dims) -> int:
    """Return what terms come to."""
    named = dict(zip(LETTERS.values(), x.sizes, strict=True)) | x._asdict()
    return sum(n * prod(named[name] for name in (*letters, *flags)) for (letters, flags), n in found.items())


def test_terms_come_to_what_the_formulas_come_to() -> None:
    """Every cell of the table of formulas, multiplied out, in models of all structures."""
    traced = [terms(cell) for row in formulas.table(traced_dims()) for cell in row[2:5]]
    for x in drawn():
        assert [evaluated(cell, x) for cell in traced] == [cell for row in formulas.table(x) for cell in row[2:5]]


def as_python(text: str) -> str:
    """Return JavaScript of BigInts as Python: numbers without their n, and the one function that differs."""
    return re.sub(r"\b(\d+)n\b", r"\1", text).replace("floored", "(lambda a, b: a // b)")


def test_javascript_says_what_the_conventions_say() -> None:
    """Read as Python, each comes to the same number."""
    for x in drawn():
        names = dict(zip(LETTERS.values(), x.sizes, strict=True)) | x._asdict()
        for row in conventions.CONVENTIONS:
            text = as_python(javascript(row.value(traced_dims())))
            assert eval(text, {}, names) == row.value(x), row.name


def test_every_row_of_the_tensor_table_is_printed() -> None:
    """Once, with its own name."""
    printed = arithmetic.write()
    for row in tensor_table.table(traced_dims()):
        assert printed.count(f'template: "{row.template}"') == 1
