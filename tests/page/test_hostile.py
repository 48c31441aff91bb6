"""What would stop the page is bounded there as it is in Python, and gets the same verdict."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gpt2calc.verification import tying
from gpt2calc.webpage import document
from tests.makers import safetensors
from tests.page.test_files import NAME, Case, agree, case
from tests.test_hostile_numbers import BILLION, LAST
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

    from tests.browser import Watched


def ones(*names: str) -> list[Any]:
    """Return tensors of four numbers with these names."""
    return [(name, "F32", (4,)) for name in names]


def lns(*blocks: int, before: str = "") -> list[str]:
    """Return the names of a tensor in each of these blocks."""
    return [f"{before}h.{block}.ln_1.weight" for block in blocks]


def test_stated_numbers_and_long_names_get_pythons_verdict(
    loaded: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A block far above all others, a config of a billion blocks, more missing than a report keeps, strangers."""
    config = {**BILLION, "n_layer": 1000}
    wrapper = "model." * 40
    strange = [f"{wrapper}h.x{n}.ln_1.weight" for n in range(70)] + ["h.x.".ljust(130, "y")]
    cases = [
        case("a block far above", ones(*lns(LAST))),
        case("a billion blocks", ones(*lns(LAST)), BILLION),
        case("runs of blocks", ones(*lns(0, 1, 700, 702)), config),
        case("many runs of blocks", ones(*lns(500, 600, 700, 800, 900)), config),
        case("strangers under a wrapper", ones(*lns(*range(72), before=wrapper), *strange)),
        case("masks in every other block", ones("wte.weight", *(f"h.{n}.attn.bias" for n in range(0, 80, 2))), config),
        case("a name of 300", ones(*lns(0), "x" * 300)),
        case("a name of 301", ones(*lns(0), "x" * 301)),
        case("a name of 300 letters that take two places each", ones(*lns(0), "\N{ROLLED-UP NEWSPAPER}" * 300)),
        Case("wrappers of a megabyte", {NAME: safetensors.content(ones("model." * 160_000 + "wte.weight"))}),
    ]
    if IS_WIDE:  # these take seconds each
        missing = [*lns(*range(600)), "h.1.ln_1.weigth", "h.700.ln_1.weight"]
        cases = [
            case("more missing than are kept", ones(*lns(*range(600)))),
            case("more missing, and strangers", ones(*missing), config),
            case("as many strangers as fit", [(f"x{n}", "U8", (0,)) for n in range(13_000)]),
            *cases,
        ]
    answers = agree(loaded, cases, tmp_path, monkeypatch)
    assert "unreadable" in answers[-1]


def test_a_head_beyond_the_bound_is_left_open(window: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With a smaller bound here and there: the note is Python's, and says how to go on."""
    monkeypatch.setattr(tying, "MOST_UNASKED_BYTES", 2**20)
    (tmp_path / "page.html").write_text(document.build("1"), encoding="utf-8")
    window.open(path=tmp_path / "page.html")
    cases = [
        case(f"{rows:,} rows", [(name, "F32", (rows, 256)) for name in ("wte.weight", "lm_head.weight")])
        for rows in (1025, 1024)
    ]
    large, small = agree(window, cases, tmp_path, monkeypatch)
    assert "only gpt2calc verify --tying compares them: it is taken as untied" in " ".join(large["notes"])
    assert "both are all zeros, whose equal bits prove nothing" in " ".join(small["notes"])


PASTE = """(text) => {
  const area = document.getElementById("paste");
  area.value = text;
  area.dispatchEvent(new Event("input", { bubbles: true }));
  return area.value.length;
}"""
DROP = """(text) => {
  const data = new DataTransfer();
  data.setData("text", text);
  const event = new ClipboardEvent("paste", { clipboardData: data, bubbles: true, cancelable: true });
  return document.getElementById("paste").dispatchEvent(event);
}"""


def config_of(size: int) -> str:
    """Return a config.json with so many characters."""
    text = json.dumps({"model_type": "gpt2", "n_layer": 3, "x": ""})
    return text[:-2] + "a" * (size - len(text)) + text[-2:]


def test_a_paste_that_is_too_large_is_kept_out(restored: Watched) -> None:
    """It is said, and neither read nor laid out; one of a mebibyte is read."""
    most = 2**20
    assert restored.page.evaluate(PASTE, config_of(most)) == most
    assert "n_layer=3" in restored.text("#paste-said")
    said = "expected a config.json of at most 1,048,576 bytes, got 1,048,577"
    assert restored.page.evaluate(PASTE, config_of(most + 1)) == 0
    assert restored.text("#paste-said") == said
    restored.page.evaluate("sayOfConfig(null)")
    assert restored.page.evaluate(DROP, config_of(most + 1)) is False
    assert restored.text("#paste-said") == said
    assert restored.page.evaluate(DROP, config_of(most)) is True


def test_a_config_file_that_is_too_large_is_not_read(restored: Watched, tmp_path: Path) -> None:
    """Its size says it."""
    (tmp_path / "config.json").write_text(config_of(2**20 + 1))
    restored.page.set_input_files("#file", str(tmp_path / "config.json"))
    restored.until("document.getElementById('paste-said').textContent !== ''")
    assert restored.text("#paste-said") == "expected a config.json of at most 1,048,576 bytes, got 1,048,577"
