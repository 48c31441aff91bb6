"""The page is for everyone and leaks to no one: axe-core, the keyboard, a narrow window, the policy, foreign names."""

from __future__ import annotations

import json
import os
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.webpage import document
from tests.goods import GOODS
from tests.makers import safetensors, shards

if TYPE_CHECKING:
    from playwright.sync_api import FilePayload, Page

    from tests.browser import Watched

WIDTHS = {1280: 900, 390: 844}
WINDOWS = [(1280, "light"), (390, "dark")]
"""A wide window by day, and a narrow one by night; with GPT2CALC_EXAMPLES also the other way round."""
if "GPT2CALC_EXAMPLES" in os.environ:
    WINDOWS += [(1280, "dark"), (390, "light")]
STATES = {
    "gpt2": "",
    "a tiny model": "#model=tiny-gpt2&explain=124M",
    "175B beside gpt2": "#model=gpt3-175B&vs=gpt2&explain=175B",
    "numbers of 40 digits": f"#vocab_size={10**39 + 7}&n_layer={10**30}",
    "numbers of 1,000 digits": f"#vocab_size={'7' * 1000}",
    "nonsense": "#n_layer=x&head=double_heads&add_cross_attention=true",
    "another architecture": "#model=Jamba-v0.1&vs=gpt2",
    "with many notes": "#model=model_type:qwen3_next",
}
DROP = """([name, bytes]) => {
  const data = new DataTransfer();
  data.items.add(new File([Uint8Array.from(bytes)], name));
  for (const type of ["dragover", "drop"])
    document.body.dispatchEvent(new DragEvent(type, {dataTransfer: data, bubbles: true, cancelable: true}));
}"""
EVIL = "<script>alert(1)</script><img src=x onerror=alert(2)>"


@pytest.fixture(params=WINDOWS, ids="{0[0]} {0[1]}".format)
def either(request: pytest.FixtureRequest, window: Watched) -> Watched:
    """Make the window wide, and narrow, for a test of what is seen; all others have one as wide as it is at first."""
    width, theme = request.param
    window.look(width, WIDTHS[width], theme, is_still=theme == "dark")
    return window


def axe() -> str:
    """Return the source of axe-core."""
    spec = find_spec("axe_playwright_python")
    if spec is None or spec.origin is None:
        pytest.skip("axe-playwright-python, which brings axe-core, is not installed")
    return (Path(spec.origin).parent / "axe.min.js").read_text(encoding="utf-8")


def faults(page: Page, within: str = "html") -> list[str]:
    """Return what axe-core finds within an element that is serious or critical."""
    page.evaluate(axe())
    found = page.evaluate("(within) => axe.run(within, {resultTypes: ['violations']})", within)
    serious = [each for each in found["violations"] if each["impact"] in ("serious", "critical")]
    return [f"{each['id']}: {node['html'][:120]}" for each in serious for node in each["nodes"]]


def payload(name: str, content: bytes) -> FilePayload:
    """Return a file as Playwright takes it."""
    return {"name": name, "mimeType": "", "buffer": content}


def give(page: Page, tensors: list[Any], name: str = "model.safetensors") -> None:
    """Choose a file on the page, and wait for the verdict."""
    page.set_input_files("#file", [payload(name, safetensors.content(tensors))])
    page.wait_for_selector("#verified .verdict")


def test_axe_finds_no_serious_fault(either: Watched) -> None:
    """With all that the page can show: two configs, a head, figures, a sentence for nonsense, a verdict that is bad."""
    page = either.open("#model=gpt3-175B&vs=gpt2&vs.head=double_heads&explain=175B&n_layrs=1")
    page.click("#which button >> nth=1")
    page.evaluate("byId('more').open = true")
    page.fill("#n_embd", "x")
    page.fill("#paste", "{")
    good = next(good for good in GOODS if good.name == "huggingface")
    give(page, good.tensors[2:])
    assert page.is_visible("#summary_use_proj")
    assert page.is_visible("#notice")
    assert faults(page) == []


def test_axe_finds_no_serious_fault_in_another_architecture(either: Watched) -> None:
    """With the controls of its field table, its notes, the groups of experts, and a sentence."""
    page = either.open("#model=model_type:deepseek_v3&head=none")
    page.fill("#hidden_size", "x")
    assert page.is_visible("#hidden_size-problem")
    assert page.is_visible("#notes p")
    assert faults(page) == []


def test_nothing_is_cut_off_at_the_side(either: Watched) -> None:
    """However large the numbers are."""
    either.open()
    cut = "document.documentElement.scrollWidth > innerWidth"
    assert [name for name, address in STATES.items() if either.go(address).evaluate(cut)] == []


def test_nothing_is_cut_off_at_320_pixels(restored: Watched) -> None:
    """As in a window of 1,280 that is made four times as large (WCAG 2.2, 1.4.10)."""
    restored.look(320, 640)
    assert restored.page.evaluate("document.documentElement.scrollWidth") == 320
    assert restored.page.is_visible("#stripe .bar")


def test_axe_can_fail(opened: Watched) -> None:
    """A test of the test: a field without a name is found."""
    opened.page.evaluate("document.querySelector('main').append(document.createElement('input'))")
    assert any(fault.startswith("label: ") for fault in faults(opened.page, "main > input"))


def test_the_theme_follows_the_system_and_the_button(either: Watched) -> None:
    """Which says what it does; the address keeps it where it is not the system's."""
    page = either.open()
    first = page.get_attribute("html", "data-theme")
    assert first == page.evaluate("matchMedia('(prefers-color-scheme: dark)').matches ? 'dark' : 'light'")
    page.click("#theme")
    assert {first, page.get_attribute("html", "data-theme")} == {"light", "dark"}
    assert page.text_content("#theme") == str(first).title()
    page.evaluate("rest()")
    other = "light" if first == "dark" else "dark"
    assert page.url.endswith(f"#model=gpt2&theme={other}")
    page.reload()
    either.started()
    assert page.get_attribute("html", "data-theme") == other
    page.click("#theme")
    page.evaluate("rest()")
    assert page.url.endswith("#model=gpt2")


def test_everything_can_be_reached_and_used_by_keys(either: Watched) -> None:
    """From the first key on: every control takes the focus in the order of the page, is seen to have it, and acts."""
    page = either.open()
    page.evaluate("byId('more').open = true")
    script = """() => {
      const element = document.activeElement, style = getComputedStyle(element);
      return [element.id || element.name || element.textContent || element.getAttribute("aria-label"),
        style.outlineStyle !== "none" && parseFloat(style.outlineWidth) > 0];
    }"""
    seen: dict[str, bool] = {}
    for _ in range(90):
        page.keyboard.press("Tab")
        name, visible = page.evaluate(script)
        if name in seen or page.evaluate("document.activeElement === document.body"):
            break
        seen[name] = visible
    assert all(seen.values()), seen
    wanted = ["Skip to the total", "theme", "Compare with a second", "preset", "n_layer", "n_embd", "bias", "head"]
    places = [
        list(seen).index(name) for name in [*wanted, "figure", "paste", "file", "against", "form", "shared", "copy"]
    ]
    assert places == sorted(places)
    page.focus("#n_layer")
    page.keyboard.press("ArrowLeft")
    page.keyboard.type("9")
    assert page.input_value("#n_layer").replace(",", "") in ("192", "129", "912")


def tab_to(page: Page, name: str) -> None:
    """Press Tab until an element has the focus."""
    for _ in range(100):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == name:
            return
    pytest.fail(f"no Tab reaches {name}")


def is_in_view(page: Page, selector: str) -> bool:
    """Whether an element is seen whole, without scrolling."""
    script = """(selector) => {
      const {top, bottom, height} = document.querySelector(selector).getBoundingClientRect();
      return height > 0 && top >= 0 && bottom <= innerHeight;
    }"""
    return bool(page.evaluate(script, selector))


def test_a_config_is_pasted_and_its_total_read_by_keys_alone(either: Watched) -> None:
    """The total stands under what was pasted, and in the band under the total, of which the link leads back."""
    page = either.open()
    tab_to(page, "paste")
    page.keyboard.insert_text('{"model_type": "llama", "num_hidden_layers": 2, "hidden_size": 4096}')
    said = f"{gpt2calc.count({'model_type': 'llama', 'num_hidden_layers': 2}).total:,} parameters"
    assert said in either.text("#paste-said")
    assert said in either.text("#band")
    assert is_in_view(page, "#paste-said p")


def test_a_faulty_file_is_dropped_and_its_verdict_seen(either: Watched) -> None:
    """From the top of the page, without scrolling; from its end it is scrolled to; a link tells why."""
    good = next(good for good in GOODS if good.name == "huggingface")
    page = either.open()
    for place in ("0", "document.body.scrollHeight"):
        either.go()
        page.evaluate(f"scrollTo(0, {place})")
        page.evaluate(DROP, ["faulty.safetensors", list(safetensors.content(good.tensors[2:]))])
        page.wait_for_selector("#verified .verdict.bad")
        assert either.text("#band").startswith("✗ faulty.safetensors does not match: ")
        assert is_in_view(page, "#band") or is_in_view(page, "#verified .verdict")
    page.evaluate("scrollTo(0, 0)")
    page.focus("#band a")
    page.keyboard.press("Enter")
    assert is_in_view(page, "#verified .verdict")
    assert page.evaluate("location.hash.includes('files')") is False
    page.click("#band button")
    assert page.is_hidden("#band")


def test_what_changed_is_said_once_it_rests(opened: Watched) -> None:
    """By a live region of its own: a slider that moves does not talk all the time."""
    moved = """() => {
      byId("n_layer").value = "13";
      byId("n_layer").dispatchEvent(new Event("input"));
      return [byId("number").textContent, byId("live").textContent];
    }"""
    assert opened.page.evaluate(moved) == ["131,527,680", ""]
    opened.until("byId('live').textContent !== ''")
    assert opened.text("#live") == "gpt2 with n_layer=13: 131,527,680 parameters"


# Nothing leaves, and nothing foreign runs


SCRIPTS = (
    "const s = document.createElement('script'); s.textContent = 'window.ran = 1'; document.body.append(s)",
    "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.ran = 1\">')",
    "const a = document.createElement('div'); a.setAttribute('style', 'color: red'); document.body.append(a)",
    "fetch('https://example.org/').catch(() => 0)",
    "new Image().src = 'https://example.org/pixel.png'",
    "const f = document.createElement('iframe'); f.src = 'https://example.org/'; document.body.append(f)",
    "const s = document.createElement('style'); s.textContent = 'body { color: red }'; document.body.append(s)",
    "const f = document.createElement('form'); f.action = 'https://a.org/'; document.body.append(f); f.submit()",
    "const b = document.createElement('base'); b.href = 'https://example.org/'; document.head.append(b)",
)


def test_the_policy_holds(watched: Watched) -> None:
    """What is injected into the page does not run, is not shown, and fetches nothing: each of these is refused."""
    page = watched.open()
    for script in SCRIPTS:
        page.evaluate(f"() => {{ violations.length = 0; {script} }}")
        watched.until("violations.length > 0")
        assert page.evaluate("window.ran") is None, script
        assert watched.asked == [], script


def test_a_page_that_breaks_its_policy_is_noticed(watched: Watched, built: str, tmp_path: Path) -> None:
    """A test of the test: one byte more in the script, and it does not run, and the console says so."""
    broken = tmp_path / "broken.html"
    broken.write_text(built.replace("</script>", "\n</script>"), encoding="utf-8")
    page = watched.open(path=broken)
    assert page.text_content("#number") == ""
    assert any("Content Security Policy" in said for said in watched.said)


@pytest.mark.parametrize("missing", ["DecompressionStream", "Map.groupBy"])
def test_a_browser_that_is_too_old_gets_a_sentence(missing: str, window: Watched) -> None:
    """And nothing half drawn, and no error."""
    with window.before(f"delete globalThis.{missing}"):
        window.open()
    assert window.text("#notice") == (
        "This page needs a browser of 2024 or later: Chrome or Edge 122, Firefox 127, Safari 17.4"
    )
    assert window.page.is_visible("#notice")
    assert window.text("#number") == ""


def test_names_from_files_are_text(restored: Watched) -> None:
    """A tensor, a file, a model and a config that are called like markup are shown as they are."""
    good = next(good for good in GOODS if good.name == "huggingface")
    give(restored.page, [*good.tensors, (EVIL, "F32", (1,))], f"{EVIL.replace('/', '')}.safetensors")
    assert EVIL[:50] in restored.text("#verified")
    restored.page.fill("#paste", json.dumps({EVIL: 1}))
    assert EVIL[:50] in restored.text("#paste-said")
    restored.page.fill("#figure", "<b onclick=alert()>")
    restored.until("byId('figure-said').textContent.includes(', got \\'<b onclick=alert()>')")
    assert restored.page.query_selector("img, main script") is None


def test_a_model_with_quotes_is_text(window: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In the list of models, in the title, in the address and in what is copied."""
    from gpt2calc import presets

    name = f"""it's "{EVIL}" & `more`"""
    evil = presets.load("gpt2")._replace(name=name, aliases=(), summary=EVIL)
    monkeypatch.setattr(presets, "models", lambda: (evil,))
    file = tmp_path / "evil.html"
    file.write_text(document.build("1"), encoding="utf-8")
    page = window.open(path=file)
    page.fill("#n_layer", "13")
    page.evaluate("rest()")
    assert window.text("#title") == f"{name} with n_layer=13"
    assert window.text("#summary") == EVIL
    page.reload()
    window.started()
    assert window.text("#title") == f"{name} with n_layer=13"
    assert page.query_selector("img, main script") is None


# Files, as a person gives them


def test_a_file_is_dropped_and_counted(restored: Watched) -> None:
    """Its verdict and its tables appear, and one button puts its config into the controls."""
    good = next(good for good in GOODS if good.name == "huggingface with U8 masks")
    give(restored.page, good.tensors)
    assert restored.text("#verified .verdict").startswith("✓ model.safetensors matches: ")
    restored.page.click("text=Count this model above")
    assert restored.page.input_value("#n_layer") == "2"
    assert restored.text("#number").replace(",", "") in restored.text("#verified .verdict").replace(",", "")


def test_a_file_is_held_against_the_config_above(restored: Watched) -> None:
    """Where that is asked for, or where a config.json comes along."""
    good = next(good for good in GOODS if good.name == "huggingface")
    restored.page.check("#against")
    give(restored.page, good.tensors)
    assert "does not match" in restored.text("#verified .verdict")
    restored.page.uncheck("#against")
    files = {
        "config.json": json.dumps({**good.config, "n_layer": 3}).encode(),
        "x.safetensors": safetensors.content(good.tensors),
    }
    restored.page.set_input_files("#file", [payload(name, content) for name, content in files.items()])
    restored.until("byId('verified').textContent.includes('x.safetensors')")
    assert "does not match" in restored.text("#verified .verdict")
    assert restored.page.input_value("#n_layer") == "3"
    assert "transformer.h.2." in restored.text("#verified")


def test_faults_of_many_blocks_stand_in_one_line(restored: Watched) -> None:
    """As on the command line."""
    tensors = [each for each in safetensors.released(12, 8, n_positions=4, vocab_size=9) if "ln_2.bias" not in each[0]]
    give(restored.page, [*tensors, ("h.11.ln_2.bias", "F32", (8,))])
    assert "h.{0..10}.ln_2.bias" in restored.text("#verified")


def test_a_drop_anywhere_is_taken(restored: Watched) -> None:
    """And the browser does not open the file in the place of the page."""
    good = next(good for good in GOODS if good.name == "huggingface")
    restored.page.evaluate(DROP, ["dropped.safetensors", list(safetensors.content(good.tensors))])
    restored.page.wait_for_selector("#verified .verdict.good")
    assert "dropped.safetensors matches" in restored.text("#verified .verdict")


@pytest.mark.parametrize(("name", "said"), [("broken.safetensors", "cannot be read: "), ("x.bin", "cannot be read: ")])
def test_a_file_that_is_none_gets_a_sentence(name: str, said: str, restored: Watched) -> None:
    """And no trace of an error."""
    restored.page.set_input_files("#file", [payload(name, b"PK\3\4 something else")])
    restored.page.wait_for_selector("#verified .verdict")
    assert said in restored.text("#verified .verdict")
    assert name in restored.text("#verified .verdict")


def test_an_index_comes_with_its_shards(restored: Watched, tmp_path: Path) -> None:
    """Chosen together, from disk."""
    index = shards.write(tmp_path, shards.tiny())
    restored.page.set_input_files("#file", [index, *map(str, tmp_path.glob("*.safetensors"))])
    restored.page.wait_for_selector("#verified .verdict.good")
    assert "model.safetensors.index.json matches" in restored.text("#verified .verdict")


def test_a_file_of_6_gb_is_read_by_its_header(opened: Watched, tmp_path: Path) -> None:
    """gpt2-xl as it was released, sparse on disk: at once, and none of its weights."""
    file = tmp_path / "model.safetensors"
    assert safetensors.write(file, safetensors.released(48, 1600)) > 6 * 10**9
    read = """() => {
      window.bytesRead = 0;
      const slice = Blob.prototype.slice;
      Blob.prototype.slice = function (from, to) { window.bytesRead += to - from; return slice.call(this, from, to); };
    }"""
    opened.page.evaluate(read)
    opened.page.set_input_files("#file", str(file))
    opened.page.wait_for_selector("#verified .verdict.good")
    assert "1,557,611,200 parameters in 580 tensors" in opened.text("#verified .verdict")
    assert opened.page.evaluate("bytesRead") < 100_000


# Pictures for the docs


@pytest.mark.parametrize("width", WIDTHS)
def test_the_pictures_in_the_docs_are_of_this_page(width: int, window: Watched, tmp_path: Path) -> None:
    """GPT2CALC_PICTURES=docs python -m pytest tests/page/test_access.py -k pictures takes them anew."""
    folder = Path(os.environ.get("GPT2CALC_PICTURES", tmp_path))
    window.look(width, WIDTHS[width])
    page = window.open("#model=gpt2&n_layer=24&n_embd=1024&n_head=16")
    page.evaluate("document.activeElement.blur()")
    picture = page.screenshot(path=folder / f"page-{width}.png")
    assert picture.startswith(b"\x89PNG")
    assert 10_000 < len(picture) < 300_000
