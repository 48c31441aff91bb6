"""Quantities and how they are judged: what can be measured is what is counted elsewhere, and structure is no guess."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc import conventions, formulas
from gpt2calc.claims import files, judgement, quantities
from gpt2calc.dims import Dims
from gpt2calc.errors import ConfigError, UnknownNameError
from gpt2calc.figures import BYTES, COUNT, RATIO, SHARE, VERDICTS
from tests.loops import of_each

if TYPE_CHECKING:
    from collections.abc import Sequence

TRUE, ROUNDED, CUT_OFF, FALSE = VERDICTS
GPT2 = gpt2calc.count("gpt2")
UNUSUAL = gpt2calc.count(
    n_layer=3, n_embd=12, n_head=3, add_cross_attention=True, tied=False, head="double_heads", n_inner=5
)


def measured(text: str, count: gpt2calc.ParameterCount = GPT2) -> Fraction:
    """Return what a quantity is in one model."""
    return quantities.read(text).of(count.dims).exact


def judged(text: str, models: Sequence[str] = ("small", "medium", "large", "xl"), **said: str) -> list[str]:
    """Return the verdicts on one claim."""
    claim = "\n".join(f'{key} = "{value}"' for key, value in {"id": "a", "says": "b", "quantity": text, **said}.items())
    file = files.from_bytes(f"models = {list(models)}\n[[claim]]\n{claim}".encode(), "claims.toml")
    return [each.verdict for each in judgement.judge(file.claims[0], file.models).judgements]


# What can be measured


@pytest.mark.parametrize("count", [GPT2, UNUSUAL], ids=["gpt2", "unusual"])
def test_every_name_is_counted_as_a_count_has_it(count: gpt2calc.ParameterCount) -> None:
    """The total, weights and biases, groups and components, whole and by role."""
    assert measured("total", count) == count.total
    for role in ("weights", "biases"):
        assert measured(role, count) == measured(f"{role} of total", count) == getattr(count, role)
    counted = [(group.name, group.weights, group.biases) for group in count.groups.values()]
    counted += [(component.name, component.weights, component.biases) for component in count.components]
    for name, weights, biases in counted:
        assert measured(name, count) == weights + biases
        assert measured(f"weights of {name}", count) == weights
        assert measured(f"biases of {name}", count) == biases
    assert set(quantities.NAMES) == {
        "total",
        "weights",
        "biases",
        *formulas.GROUPS,
        *(row.component for row in formulas.table(GPT2.dims)),
    }


@of_each("name", conventions.NAMES)
def test_every_convention_is_counted_and_knows_its_unit(name: str) -> None:
    """Bytes are bytes, all else are numbers of parameters or elements."""
    found = quantities.read(f"convention.{name}")
    assert found.of(GPT2.dims).exact == GPT2.conventions[name]
    assert found.kind == (BYTES if name.endswith("_bytes") else COUNT)


@of_each(
    "text, exact, kind",
    [
        ("total - wte - wpe", 85056000, COUNT),
        ("wte + wpe", 39383808, COUNT),
        ("total - total", 0, COUNT),
        ("wpe - wte", -37810944, COUNT),
        ("share of mlp", Fraction(56669184, 124439808), SHARE),
        ("share of attention + mlp", Fraction(85017600, 124439808), SHARE),
        ("share of biases of mlp", Fraction(46080, 124439808), SHARE),
        ("mlp / attention", Fraction(6149, 3076), RATIO),
        ("mlp + wte / attention - wpe", Fraction(56669184 + 38597376, 28348416 - 786432), RATIO),
        ("convention.fp32_bytes / convention.fp16_bytes", 2, RATIO),
        ("convention.fp32_bytes - convention.int8_bytes", 3 * 124439808, BYTES),
        ("named attn", 28348416, COUNT),
        ("named c_proj", 12 * (768**2 + 768 + 4 * 768**2 + 768), COUNT),
        ("named wte|wpe|ln_f", 39383808 + 1536, COUNT),
        ("named wte|wte", 38597376, COUNT),
        ("named nothing", 0, COUNT),
        ("  total\t-  wte ", 85842432, COUNT),
    ],
)
def test_sums_shares_and_quotients_are_exact(text: str, exact: Fraction, kind: str) -> None:
    """In gpt2, as fractions."""
    found = quantities.read(text)
    assert (found.of(GPT2.dims).exact, found.kind) == (exact, kind)


def test_a_word_in_a_name_finds_cross_attention_as_well() -> None:
    """A test by names finds what has the word, wanted or not: ln_cross_attn is a LayerNorm."""
    attention = UNUSUAL.groups["attention"].total + UNUSUAL.groups["cross_attention"].total
    assert measured("named attn|attention", UNUSUAL) == attention
    assert measured("named ln", UNUSUAL) == measured("layer_norm + ln_cross_attn", UNUSUAL)
    assert measured("named attn", UNUSUAL) == attention - measured("crossattention.c_proj", UNUSUAL)


@of_each(
    "text, message",
    [
        ("", "no quantity is called ''"),
        ("attn", "no quantity is called 'attn'"),
        ("layernorm", "no quantity is called 'layernorm': did you mean layer_norm?"),
        ("tied", "no quantity is called 'tied' (convention.tied is)"),
        ("convention.tie", "no convention is called 'tie': did you mean tied?"),
        ("share of", "no quantity is called 'share of'"),
        ("share of share of mlp", "expected weights of or biases of a group or component, got 'share of mlp'"),
        ("share of mlp / attention", "expected a share or a quotient, got both in 'share of mlp / attention'"),
        ("mlp / attention / wte", "no quantity is called 'attention / wte'"),
        ("norms of mlp", "expected weights of or biases of a group or component, got 'norms of mlp'"),
        ("weights of biases", "expected weights of or biases of a group or component, got 'weights of biases'"),
        ("biases of weights of mlp", "expected weights of or biases of a group or component"),
        ("weights of convention.tied", "no quantity is called 'convention.tied'"),
        ("total + convention.fp32_bytes", "expected parameters alone or bytes alone, got both in 'total + "),
        ("share of convention.fp32_bytes", "expected parameters alone or bytes alone"),
        ("named", "no quantity is called 'named'"),
        ("named a||b", "no quantity is called 'named a||b'"),
        ("named a|", "no quantity is called 'named a|'"),
        ("total * 2", "no quantity is called 'total * 2'"),
        ("-total", "no quantity is called '-total': did you mean total?"),
        ("total -", "no quantity is called 'total -': did you mean total?"),
        ("__import__('os')", "no quantity is called"),
        (" + ".join(["total"] * 9), "expected a sum of at most 8 parts, got 9"),
    ],
)
def test_what_is_no_quantity_is_refused(text: str, message: str) -> None:
    """In one sentence, with the nearest name where there is one."""
    with pytest.raises((ConfigError, UnknownNameError)) as error:
        quantities.read(text)
    assert str(error.value).startswith(message)


def test_a_sum_has_as_many_parts_as_are_allowed() -> None:
    """Eight are, and nine above are not."""
    assert measured(" + ".join(["total"] * 8)) == 8 * GPT2.total


def test_a_quotient_by_0_is_refused_where_it_is_measured() -> None:
    """A tied head has nothing to divide by; an untied one has."""
    with pytest.raises(ConfigError, match=r"^expected a quotient, and mlp / head divides by 0$"):
        measured("mlp / head")
    untied = gpt2calc.count("gpt2", tied=False)
    assert measured("mlp / head", untied) == Fraction(56669184, 38597376)


# How it is judged


@pytest.mark.parametrize(
    ("claimed", "verdicts"),
    [
        pytest.param(("22 %", "28 %", "30 %", "31 %"), [CUT_OFF] * 4, id="28 can be both, the others are cut off"),
        pytest.param(("23 %", "28 %", "31 %", "32 %"), [ROUNDED] * 4, id="28 can be both, the others are rounded"),
        pytest.param(("22 %", "28 %", "31 %", "32 %"), [CUT_OFF, ROUNDED, ROUNDED, ROUNDED], id="mixed"),
        pytest.param(("21 %", "28 %", "30 %", "31 %"), [FALSE, CUT_OFF, CUT_OFF, CUT_OFF], id="a false one is no rule"),
        pytest.param(
            ("21 %", "28 %", "29 %", "33 %"), [FALSE, ROUNDED, FALSE, FALSE], id="rounded where both would do"
        ),
    ],
)
def test_figures_of_one_claim_are_made_by_one_rule_where_they_can_be(
    claimed: tuple[str, ...], verdicts: list[str]
) -> None:
    """A figure that is both the rounded and the cut off number is taken for what its neighbours are."""
    found = figures("share of attention", dict(zip(["small", "medium", "large", "xl"], claimed, strict=True)))
    assert [each.verdict for each in found] == verdicts


def test_an_exact_figure_does_not_say_how_its_neighbours_were_made() -> None:
    """774 can be both, 354 is cut off, and the smallest size is given in full."""
    found = figures("total", {"small": "124,439,808", "medium": "354M", "large": "774M"})
    assert [each.verdict for each in found] == [TRUE, CUT_OFF, CUT_OFF]


def test_a_ratio_is_shown_in_two_decimals_more_than_were_claimed() -> None:
    """And in four at least."""
    shown = [
        each.exact.text()  # type: ignore[union-attr]  # a ratio is no text and no whole number
        for figure in ("2", "1.99", "1.999")
        for each in figures("mlp / attention", {"small": figure})
    ]
    assert shown == ["1.9990", "1.9990", "1.99902"]


def figures(quantity: str, claimed: dict[str, str]) -> tuple[judgement.Judgement, ...]:
    """Return the judgements on the figures of one claim."""
    by_model = ", ".join(f'{model} = "{figure}"' for model, figure in claimed.items())
    text = f'[[claim]]\nid = "a"\nsays = "b"\nquantity = "{quantity}"\nclaimed = {{ {by_model} }}'
    file = files.from_bytes(text.encode(), "claims.toml")
    return judgement.judge(file.claims[0], file.models).judgements


@of_each(
    "quantity, models, how, verdict",
    [
        ("total", ("small", "xl"), "grows", TRUE),
        ("total", ("xl", "small"), "grows", FALSE),
        ("total", ("xl", "small"), "falls", TRUE),
        ("total", ("small", "gpt2"), "grows", FALSE),
        ("total", ("small", "gpt2"), "falls", FALSE),
        ("total", ("small", "gpt2"), "same", TRUE),
        ("total", ("small", "gpt2", "xl"), "same", FALSE),
        ("total", ("small", "xl", "large"), "grows", FALSE),
        ("share of embedding", ("small", "medium", "large", "xl"), "falls", TRUE),
        ("mlp / attention", ("small", "medium", "large", "xl"), "same", FALSE),
    ],
)
def test_how_a_quantity_goes_from_model_to_model(
    quantity: str, models: tuple[str, ...], how: str, verdict: str
) -> None:
    """In the order in which the models are given, and at every step."""
    assert judged(quantity, models, over_models=how) == [verdict] * len(models)


@of_each(
    "quantity, each, once",
    [
        ("mlp", TRUE, FALSE),
        ("convention.kaplan", TRUE, FALSE),
        ("total", FALSE, FALSE),
        ("layer_norm", FALSE, FALSE),
        ("layer_norm - ln_f", TRUE, FALSE),
        ("embedding", FALSE, TRUE),
        ("head", TRUE, TRUE),
        ("share of mlp", FALSE, FALSE),
        ("mlp / attention", FALSE, TRUE),
        ("mlp / embedding", TRUE, FALSE),
    ],
)
def test_how_a_quantity_depends_on_the_number_of_blocks(quantity: str, each: str, once: str) -> None:
    """In proportion, not at all, or neither; nothing, as the head of a tied model, is both."""
    assert judged(quantity, ("small", "xl"), over_blocks="in each block") == [each] * 2
    assert judged(quantity, ("small", "xl"), over_blocks="once") == [once] * 2


def test_a_claim_of_equality_is_judged_in_each_model() -> None:
    """Exactly: a ratio that is almost 2 is not."""
    assert judged("convention.untied - wte", equals="convention.tied") == [TRUE] * 4
    assert judged("mlp", equals="attention + attention") == [FALSE] * 4


class Planted(quantities.Quantity):
    """A quantity that is no polynomial of degree 1: it follows n_layer for a while, and then does not."""

    def of(self, dims: Dims) -> quantities.Value:
        """Return L plus a product that is 0 for the numbers of blocks below the planted one."""
        return quantities.Value(dims.n_layer + prod(dims.n_layer - n for n in range(1, int(self.text))), 1, COUNT)


@pytest.mark.parametrize("first", [2, 3, 4])
def test_more_than_two_numbers_of_blocks_are_tried(first: int) -> None:
    """What is in proportion for one, two or three blocks, and not from then on, is found in a model of five."""
    planted = Planted(str(first), COUNT, (), ())
    five = GPT2.dims._replace(n_layer=5)
    assert [planted.of(five._replace(n_layer=n)).part for n in range(1, first)] == list(range(1, first))
    assert not judgement._depends(files.EACH, planted, five)


names = st.sampled_from([*quantities.NAMES, *(f"convention.{name}" for name in conventions.NAMES[:-5])])
sums = st.lists(names, min_size=1, max_size=3).map(" + ".join)
sizes = st.integers(1, 50)
flags = st.integers(0, 1)


@given(
    st.one_of(sums, sums.map("share of {}".format), st.tuples(sums, sums).map(" / ".join)),
    st.builds(Dims, *[sizes] * 6, *[flags] * (len(Dims._fields) - 6)),
)
def test_what_holds_for_three_numbers_of_blocks_holds_for_all(quantity: str, dims: Dims) -> None:
    """Law: a count is a + b·L and a quotient one such over another, so three values of L tell all."""
    found = quantities.read(quantity)
    many = [dims._replace(n_layer=n) for n in range(1, 12)]
    if any(not sum(part.of(each) for part in found.under) for each in many if found.under):
        return  # it divides by 0, which is refused elsewhere
    values = [found.of(each).exact for each in many]
    in_each = all(value == n * values[0] for n, value in enumerate(values, 1))
    assert judgement._depends(files.EACH, found, dims) == in_each
    assert judgement._depends(files.ONCE, found, dims) == (len(set(values)) == 1)
