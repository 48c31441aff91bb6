"""The page finds the shapes that `gpt2calc design` finds, in its order, and holds a total while the depth moves."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import gpt2calc
from tests.page.reading import rested, shown, total
from tests.page.test_access import tab_to
from tests.page.test_counts import READ, handed, states

if TYPE_CHECKING:
    from tests.browser import Watched

SHAPES = (
    "(cases) => {"
    + READ
    + """
  return cases.map(([state, text]) => shapesNear(dimsOf(fieldsOf(state)), aimOf(text)).map(
    (shape) => ["n_layer", "n_embd", "n_inner", "n_head", "value"].map((name) => String(shape[name]))));
}"""
)

HELD = (
    "(cases) => {"
    + READ
    + """
  return cases.map(([state, total]) => {
    const {n_layer, n_embd, n_inner, n_head} = heldAt(fieldsOf(state), BigInt(total));
    return [n_layer, n_embd, n_inner, n_head].map(String);
  });
}"""
)


def drawn(number: int, seed: int) -> list[dict[str, Any]]:
    """Draw GPT-2s with layers and of sizes that people have."""
    found = [state for state in states(10 * number, seed) if state["vocab_size"] < 10**6 and state["n_embd"] < 60_000]
    inner = {"n_inner": None, "n_positions": 1024}
    return [{**state, **(inner if n % 2 else {"n_positions": 64})} for n, state in enumerate(found[:number])]


def asked(text: str, fields: dict[str, Any]) -> Any:
    """Return what Python finds for a text that the page takes."""
    size, _, dtype = text.partition(" in ")
    base = {**fields, "n_head": None}
    if dtype or size.endswith(("GB", "MiB")):
        return gpt2calc.design(fits=size, dtype=dtype or "bf16", model=base)
    return gpt2calc.design(size, model=base)


def test_shapes_are_those_that_design_finds(loaded: Watched) -> None:
    """Each with its sizes and its count, in the same order: near a number, and within bytes."""
    texts = ["350M", "1.3B", "24 GB", "600 MiB", "5 GB in int4", "175B", "124,439,808", "10k"]
    default = {name: row.default for name, row in gpt2calc.fields.FIELDS.items()}
    bases = [default] * len(texts) + drawn(len(texts), 5)
    cases = list(zip(bases, texts * 2, strict=True))
    found = loaded.page.evaluate(SHAPES, [[handed(fields), text] for fields, text in cases])
    for (fields, text), shapes in zip(cases, found, strict=True):
        names = ("n_layer", "n_embd", "n_inner", "n_head", "value")
        try:
            wanted = [[str(getattr(each, name)) for name in names] for each in asked(text, fields)]
        except gpt2calc.ConfigError:  # nothing within the bounds fits
            wanted = []
        assert shapes == wanted, (text, fields)
    assert sum(len(shapes) == 10 for shapes in found) > len(found) / 2


def test_what_is_held_is_held_by_the_nearest_width(loaded: Watched) -> None:
    """That which `design` finds for a depth, however flat or deep the model then is."""
    draw = random.Random(3)
    cases = [
        ({**state, "n_layer": draw.randint(1, 60), "n_inner": None}, draw.randint(10**6, 10**11))
        for state in drawn(6, 6)
    ]
    found = loaded.page.evaluate(HELD, [[handed(fields), str(goal)] for fields, goal in cases])
    for (fields, goal), shape in zip(cases, found, strict=True):
        base = {**fields, "n_head": None}
        depth = {"n_layer": fields["n_layer"], "aspect": "1/1000:3000"}
        (best,) = gpt2calc.design(goal, model=base, nearest=True, top=1, **depth)
        assert shape == [str(fields["n_layer"]), str(best.n_embd), "null", str(best.n_head)]


def test_the_third_shape_of_350_million_is_taken_by_keys_alone(opened: Watched) -> None:
    """And the address keeps what was aimed for."""
    page = opened.page
    tab_to(page, "aim")
    page.keyboard.insert_text("350M")
    for _ in range(5):  # past the switch and the table's frame
        page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    third = gpt2calc.design(params="350M")[2]
    assert total(opened) == third.value
    assert (page.input_value("#n_layer"), page.input_value("#n_head")) == (str(third.n_layer), str(third.n_head))
    assert len(shown(opened, "shapes")) == 10
    assert rested(opened) == f"model=gpt2&n_layer={third.n_layer}&n_embd={third.n_embd}&n_head={third.n_head}&aim=350M"
    assert page.evaluate("document.activeElement.closest('#shapes') !== null")


def test_a_total_is_held_while_the_depth_moves(restored: Watched) -> None:
    """What is between is shown; without the lock the width stays."""
    restored.page.check("#hold")
    restored.page.fill("#n_layer", "24")
    width = int(restored.page.input_value("#n_embd").replace(",", ""))
    assert total(restored) == gpt2calc.count("gpt2", n_layer=24, n_embd=width, n_head=None).total
    off = total(restored) - 124_439_808
    assert abs(off) < 124_439_808 // 10
    assert restored.text("#aim-said") == f"held are 124,439,808: {off:+,}".replace("-", "−")
    assert rested(restored).endswith("&hold=124439808")
    restored.page.uncheck("#hold")
    restored.page.fill("#n_layer", "12")
    assert int(restored.page.input_value("#n_embd").replace(",", "")) == width


def test_what_cannot_be_aimed_for_gets_a_sentence(loaded: Watched) -> None:
    """Nonsense, what no GPT-2 fits in, and another family, which the command line searches."""
    for address, said in {
        "#aim=many": "expected a figure such as",
        "#aim=3 kB": "no GPT-2 with this vocabulary fits 3 kB",
        "#model=Llama-3.1-8B&aim=8B": "gpt2calc design --family llama finds these",
    }.items():
        loaded.go(address)
        assert said in loaded.text("#aim-said")
        assert loaded.page.is_hidden("#shapes")
