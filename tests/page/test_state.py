"""The address keeps the state and brings it back, and what is copied says the same elsewhere."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.cli import main
from gpt2calc.explanation import report
from tests.page.reading import agrees, rested, shown, total
from tests.page.test_explained import search

if TYPE_CHECKING:
    from tests.browser import Watched

ADDRESSES: dict[str, tuple[str, dict[str, Any]]] = {
    "": ("gpt2", {}),
    "#model=small": ("gpt2", {}),
    "#model=OPENAI-COMMUNITY/gpt2-XL": ("gpt2-xl", {}),
    "#n_layer=24&n_embd=1024": ("gpt2", {"n_layer": 24, "n_embd": 1024}),
    "#hidden_size=1024&block_size=10": ("gpt2", {"n_embd": 1024, "n_positions": 10}),
    "#model=gpt2-medium&bias=false&n_inner=none": ("gpt2-medium", {"bias": False, "n_inner": None}),
    "#model=raschka-gpt2-small&qkv_bias=none": ("raschka-gpt2-small", {"qkv_bias": None}),
    "#head=question_answering": ("gpt2", {"head": "question_answering"}),
    "#pad_vocab_size_multiple=64&vocab_size=50,257": ("gpt2", {"pad_vocab_size_multiple": 64, "vocab_size": 50257}),
}


@pytest.mark.parametrize("address", ADDRESSES)
def test_the_address_brings_the_state_back(address: str, window: Watched) -> None:
    """Models by any name, fields in any spelling; and what the page makes of it brings back the same."""
    model, fields = ADDRESSES[address]
    window.open(address)
    agrees(window, model, **fields)
    kept = f"#{rested(window)}"
    window.open(kept)
    agrees(window, model, **fields)
    assert f"#{rested(window)}" == kept
    assert window.page.is_hidden("#notice")


def test_back_and_forward_walk_through_the_states(restored: Watched) -> None:
    """As through pages."""
    restored.page.fill("#n_layer", "13")
    rested(restored)
    restored.page.fill("#n_layer", "14")
    rested(restored)
    restored.page.go_back()
    restored.until("byId('n_layer').value === '13'")
    agrees(restored, "gpt2", n_layer=13)
    restored.page.go_back()
    restored.until("byId('n_layer').value === '12'")
    agrees(restored, "gpt2")
    restored.page.go_forward()
    restored.until("byId('n_layer').value === '13'")
    agrees(restored, "gpt2", n_layer=13)


def test_an_address_that_is_typed_is_read(restored: Watched) -> None:
    """Without loading the page anew."""
    restored.page.evaluate("location.hash = '#model=gpt2-large'")
    restored.until("byId('title').textContent === 'gpt2-large'")
    agrees(restored, "gpt2-large")


def test_nonsense_in_the_address_gets_a_sentence(loaded: Watched) -> None:
    """What can be read is counted all the same, and markup stays text."""
    loaded.go("#model=%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E&n_layer=%3Cb%3E&n_embd=1024&n_layrs=3&head=x")
    said = loaded.text("#notice")
    assert "no model is called '<img src=x onerror=alert(1)>'; gpt2 is shown" in said
    assert "n_layer must be a whole number, 0 or more, got '<b>'" in said
    assert "there is no field n_layrs" in said
    assert "head must be one of none, lm" in said
    agrees(loaded, "gpt2", n_embd=1024)
    assert loaded.page.query_selector("img, b:not(.top b):not(.verdict b)") is None


# Explain a number

SAID = "!isDue && !byId('figure-said').textContent.startsWith('looking')"


def test_a_number_is_explained(restored: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    """137M is gpt2's file with its masks, and the address keeps the question."""
    monkeypatch.setattr(report, "_everywhere", search)
    restored.page.fill("#figure", "137M")
    restored.until("!byId('explained').parentElement.hidden")
    assert restored.text("#figure-said").startswith("137M may be 137,022,720, rounded: stored_with_masks of gpt2, or")
    rows = shown(restored, "explained")
    assert rows[0][0].startswith("gpt2, stored_with_masks\n")
    best = gpt2calc.explain("137M")[0]
    assert rows[0][1:] == [f"{best.value:,}", best.fit, str(best.rivals)]
    assert rested(restored) == "model=gpt2&explain=137M"
    restored.go("#explain=548%20MB")
    restored.until(SAID)
    assert "548,090,880, rounded: stored_with_masks + fp32_bytes of gpt2" in restored.text("#figure-said")


def test_a_number_that_nothing_gives_gets_the_nearest(loaded: Watched) -> None:
    """And nonsense a sentence."""
    loaded.go("#explain=777.77777M")
    loaded.until(SAID)
    assert "fits none of the" in loaded.text("#figure-said")
    assert len(shown(loaded, "explained")) == 3
    loaded.go("#explain=many")
    loaded.until(SAID)
    assert "expected a figure such as 117M" in loaded.text("#figure-said")
    assert loaded.page.is_hidden("#explained")


def test_the_config_that_is_shown_is_explained_too(loaded: Watched) -> None:
    """Before the models that ship."""
    loaded.go("#n_layer=13&explain=131,527,680")
    loaded.until(SAID)
    assert loaded.text("#figure-said") == "131,527,680 is 131,527,680: tied of gpt2 with n_layer=13."
    loaded.page.fill("#n_layer", "14")
    assert "gpt2 with n_layer=13" not in loaded.text("#figure-said")


# Copies

STATES = [
    "#model=gpt2-xl&n_layer=3",
    "#bias=false&qkv_bias=true&head=double_heads&n_inner=7",
    "#n_head=7&tied=false",
]
STATES += ["#model=raschka-gpt2-small&qkv_bias=none", "#pad_vocab=128&num_labels=4&head=token_classification"]


def copied(opened: Watched, form: str) -> str:
    """Return the text that is offered in a form."""
    opened.page.check(f"#forms input[value='{form}']")
    return opened.page.input_value("#shared")


@pytest.mark.parametrize("state", STATES)
def test_what_is_copied_says_the_same_elsewhere(
    state: str, loaded: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    """As JSON of `gpt2calc count`, as Markdown of it, as Python, as a line for the shell, as a config.json."""
    loaded.go(state)
    wanted = total(loaded)
    python = copied(loaded, "Python")
    exec(python, {})
    assert capsys.readouterr().out == f"{wanted}\n"
    line = copied(loaded, "command line").split()
    assert main([*line[1:], "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    ours = json.loads(copied(loaded, "JSON"))
    assert {**document, "model": "", "notes": []} == {**ours, "model": "", "notes": []}
    assert main([*line[1:], "--format", "markdown"]) == 0
    title = re.compile(r"^\*\*.*\*\*$", re.MULTILINE)
    assert (
        title.sub("", copied(loaded, "Markdown"), count=1) == title.sub("", capsys.readouterr().out, count=1).rstrip()
    )
    assert gpt2calc.count(json.loads(copied(loaded, "config.json"))).total == wanted
    loaded.go("#" + copied(loaded, "link").partition("#")[2])
    assert total(loaded) == wanted


def test_the_button_copies(opened: Watched) -> None:
    """To the clipboard, and says so; without permission the text is selected."""
    opened.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened.page.check("#forms input[value='Python']")
    opened.page.click("#copy")
    opened.until("byId('copied').textContent === 'copied'")
    assert opened.page.evaluate("navigator.clipboard.readText()") == opened.page.input_value("#shared")
    opened.page.evaluate("() => { navigator.clipboard.writeText = () => Promise.reject(new Error('no')); }")
    opened.page.click("#copy")
    opened.until("byId('copied').textContent.startsWith('selected')")
    opened.context.clear_permissions()
