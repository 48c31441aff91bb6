"""What is typed into a field of the page is read as the command line and Python read it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING

import gpt2calc
from gpt2calc import numbers
from tests.page.reading import agrees

if TYPE_CHECKING:
    from tests.browser import Watched

CASES = json.loads((Path(__file__).parent.parent / "data" / "numbers.json").read_text(encoding="utf-8"))
TEXTS = [*CASES["plain"], *CASES["shown"], *CASES["refused"]]
LONG = ["9" * 1000, "9" * 1001, "9" * 5000, "1e1000", "1e999", "9^9999", "1e-9999", "0." + "0" * 2100 + "1"]

READ = """(texts) => texts.map((text) => {
  const found = gpt2calc.typed(text)?.whole ?? null;
  return found === null ? null : String(found);
})"""
TYPED = """(texts) => texts.map((text) => {
  try { return String(gpt2calc.readField("gpt2", "n_layer", text)); }
  catch (error) { if (!(error instanceof Sentence)) throw error; return error.message; }
})"""


def test_every_number_is_read_alike(loaded: Watched) -> None:
    """Over the table of spellings, and over numbers that are too long."""
    texts = [*TEXTS, *LONG]
    ours = [found.whole if found else None for found in map(numbers.typed, texts)]
    theirs = loaded.page.evaluate(READ, texts)
    assert dict(zip(texts, theirs, strict=True)) == {
        text: None if value is None else str(value) for text, value in zip(texts, ours, strict=True)
    }


def test_every_sentence_is_the_same(loaded: Watched) -> None:
    """Of what is no size, as Python says it, but for what it comes to; an empty field is none, as `none` is."""
    texts = [text for text in (*TEXTS, *LONG) if text.strip()]
    ours = []
    for text in texts:
        try:
            ours.append(str(gpt2calc.Config(n_layer=text).n_layer))
        except gpt2calc.ConfigError as error:
            ours.append(str(error).partition(", which is ")[0])
    assert loaded.page.evaluate(TYPED, texts) == ours


def test_the_field_shows_the_reading(restored: Watched) -> None:
    """When it is left, and the address keeps it."""
    restored.page.fill("#vocab_size", "50k")
    restored.page.press("#vocab_size", "Tab")
    restored.until("byId('vocab_size').value === '50,000'")
    agrees(restored, "gpt2", vocab_size=50000)
    restored.go("#vocab_size=50k&n_layer=１２")
    agrees(restored, "gpt2", vocab_size=50000, n_layer=12)


def test_digits_of_every_script_are_read_alike(loaded: Watched) -> None:
    """Whichever both know."""
    digits = [chr(code) for code in range(0x80, 0x20000) if chr(code).isdecimal()]
    known = loaded.page.evaluate("(texts) => texts.filter((text) => /^\\p{Nd}$/u.test(text))", digits)
    assert len(known) > 300
    assert loaded.page.evaluate(READ, known) == [str(int(text)) for text in known]
