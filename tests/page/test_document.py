"""The file itself: its size, its policy, what it holds, the committed copy, and the command that writes it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import zlib
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc import conventions, formulas, presets
from gpt2calc.architectures import gpt2
from gpt2calc.fields import SPELLINGS
from gpt2calc.model import Component
from gpt2calc.webpage import controls, document, facts
from gpt2calc.webpage.forms import UntranslatableError
from gpt2calc.webpage.translation import Script

if TYPE_CHECKING:
    from tests.browser import Watched
    from tests.conftest import Run

DOCS = Path(__file__).resolve().parent.parent.parent / "docs"
SCRIPTS = ("loader", *document.RUNTIME, *document.CORE, *document.SEEN)
STYLE, SCRIPT = (re.compile(rf"<{tag}>(.*?)</{tag}>", re.DOTALL) for tag in ("style", "script"))


def test_the_committed_page_is_the_one_that_is_built(built: str) -> None:
    """A table that changed in Python changes the page: python docs/generate.py writes it anew."""
    committed = (DOCS / "gpt2calc.html").read_text(encoding="utf-8")
    is_same = document.readable(committed) == document.readable(built)
    assert is_same  # pytest would compare the two by characters for minutes


def test_the_scripts_are_packed_and_come_back(built: str) -> None:
    """The same bytes each time, and what they are of can be read: the tables as JSON, and Python's functions."""
    assert document.build(gpt2calc.__version__) == built
    scripts = unpacked(built)
    tables = facts.collect(presets.models(), presets.others())
    assert all(f"{json.dumps(name)}: {document._json(found)}" in scripts["core"] for name, found in tables.items())
    assert '"gpt2-xl"' not in built


def unpacked(page: str) -> dict[str, str]:
    """Return the scripts of a page: what computes, and what is seen."""
    (packed,) = document.PACKED.findall(page)
    scripts: dict[str, str] = json.loads(zlib.decompress(base64.b85decode(packed)))
    return scripts


def test_the_page_is_small(built: str) -> None:
    """Under 300 kB, with the tables of every architecture."""
    assert len(built.encode()) < 300_000


def test_the_page_asks_for_nothing(built: str) -> None:
    """No address stands in it but the project's, behind a link and for previews, and the name of SVG in the icon."""
    addresses = set(re.findall(r"(?:https?:)?//[\w.-]+\.[a-z]+[^\s\"'`<)]*", SCRIPT.sub("", built)))
    preview = "https://gpt2calc.github.io/gpt2calc/page-1280.png"
    assert addresses == {"https://github.com/gpt2calc/gpt2calc", "http://www.w3.org/2000/svg", preview}
    scripts = built + "".join(unpacked(built).values())
    assert not re.search(r"\b(fetch|XMLHttpRequest|WebSocket|sendBeacon|EventSource|import)\s*\(", scripts)
    assert not re.search(r"<(link|img|iframe|object|embed|form|base)\b(?![^>]*rel=\"icon\")", built)


def test_the_policy_allows_this_style_and_this_script_alone(built: str) -> None:
    """Each by the hash of what stands between its tags, and nothing by 'unsafe-inline'."""
    (policy,) = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', built)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    scripts = unpacked(built)
    contents = {
        "style-src": STYLE.findall(built),
        "script-src": [*SCRIPT.findall(built), scripts["core"] + scripts["page"]],
    }
    for name, parts in contents.items():
        digests = (base64.b64encode(hashlib.sha256(part.encode()).digest()).decode() for part in parts)
        assert rules.pop(name) == " ".join(f"'sha256-{digest}'" for digest in digests)
    plain = {"default-src": "'none'", "img-src": "data:", "base-uri": "'none'", "form-action": "'none'"}
    assert rules == plain | {"worker-src": "blob:"}


def test_no_markup_is_made_of_text() -> None:
    """Foreign text becomes text: nothing in the scripts parses markup, or runs text."""
    for name in SCRIPTS:
        text = Path(document.ASSETS, f"{name}.js").read_text(encoding="utf-8")
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function", text)
        assert not re.search(r"setAttribute\(.(style|on)", text)


def test_each_preset_is_opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """To build the page, which asks for all of them in several places."""
    read, opened = presets._read, list[str]()

    def counted(name: str) -> presets.Preset:
        opened.append(name)
        return read(name)

    monkeypatch.setattr(presets, "_read", counted)
    document.build("1")
    assert sorted(opened) == sorted((*presets.names(), *presets.names(presets.OTHERS)))


def test_every_asset_is_in_the_page(built: str) -> None:
    """No file of the folder is left out."""
    names = {path.name for path in Path(document.ASSETS).iterdir()}
    assert names == {"page.html", "page.css", *(f"{name}.js" for name in SCRIPTS)}
    assert not re.search(r"\{(packed|loader|style)\}", built)


def test_no_name_ends_the_script(monkeypatch: pytest.MonkeyPatch) -> None:
    """A preset that is called `</script>` is packed as any other."""
    evil = gpt2calc.models()[0]._replace(name='</script><script>alert("1")</script>', summary="\u2028 <!-- ' \" `")
    monkeypatch.setattr("gpt2calc.presets.models", lambda: (evil,))
    page = document.build("1")
    assert page.count("</script>") == 2
    assert "<!--" not in page
    assert "\u2028" not in page


def test_a_new_row_in_python_is_a_new_row_in_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    """A component and a convention that are added to their tables are translated with the others."""

    def planted(x: Any) -> list[Component]:
        return [*gpt2.components(x), Component("new", "mlp", 7 * x.n_embd**3, x.bias, "block")]

    way = conventions.Convention("halves", "parameters", "half", "here", formulas.total)
    assert '"halves"' not in unpacked(document.build("1"))["core"]
    monkeypatch.setattr(gpt2, "ARCHITECTURES", {"gpt2": gpt2.ARCHITECTURE._replace(components=planted)})
    monkeypatch.setattr(conventions, "CONVENTIONS", (*conventions.CONVENTIONS, way))
    core = unpacked(document.build("1"))["core"]
    assert '"new", "mlp", py.mul(7n, py.pow(a.n_embd, 3n)), a.bias, "block")' in core
    assert '"halves"' in core


def test_every_field_has_a_control() -> None:
    """But for the one that no count depends on and that has no meaning for a size."""
    fields = [control.field for control in controls.CONTROLS]
    assert len(fields) == len(set(fields))
    assert set(SPELLINGS) - set(fields) == {"summary_type"}
    for control in controls.CONTROLS:
        assert (control.kind == controls.SIZE) == bool(control.low < control.high)


def test_the_command_writes_the_page(run: Run, tmp_path: Path, built: str) -> None:
    """To a file that is named, and says how large it is; with -q it says nothing."""
    file = tmp_path / "page.html"
    assert run("page", "-o", str(file)).stdout == f"{file}: {len(built.encode()):,} bytes\n"
    assert file.read_text(encoding="utf-8") == built
    assert run("page", "-o", str(file), "-q") == (0, "", "")


@pytest.fixture
def at_hand(monkeypatch: pytest.MonkeyPatch, built: str) -> str:
    """Let the command write the page that is built already, where it is asked what it does with it."""
    monkeypatch.setattr(document, "build", lambda version: built if version == gpt2calc.__version__ else "")
    return built


def test_the_command_writes_to_standard_output(run: Run, at_hand: str) -> None:
    """For a pipe."""
    assert run("page", "-o", "-") == (0, at_hand, "")


def test_without_a_name_the_page_lies_in_the_folder(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, at_hand: str
) -> None:
    """As gpt2calc.html."""
    monkeypatch.chdir(tmp_path)
    assert run("page").stdout.startswith("gpt2calc.html: ")
    assert (tmp_path / "gpt2calc.html").read_text(encoding="utf-8") == at_hand


@pytest.mark.usefixtures("at_hand")
def test_a_page_that_cannot_be_written_is_an_error(run: Run, tmp_path: Path) -> None:
    """One sentence with the file's name, and code 3."""
    file = tmp_path / "missing" / "page.html"
    ran = run("page", "-o", str(file))
    assert (ran.code, ran.stdout) == (3, "")
    assert (
        ran.stderr == f"gpt2calc page: {file}: cannot be written (No such file or directory): {file} was not written\n"
    )


@pytest.mark.usefixtures("at_hand")
@pytest.mark.parametrize("opens", [True, False])
def test_the_page_is_opened_where_there_is_a_browser(
    opens: bool,  # noqa: FBT001 - a case
    run: Run,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """By its address on disk; where there is no browser, the address is said."""
    asked: list[str] = []

    def opened(address: str) -> bool:
        asked.append(address)
        return opens

    monkeypatch.setattr("webbrowser.open", opened)
    ran = run("page", "-o", str(tmp_path / "a.html"), "--open")
    assert (ran.code, asked) == (0, [f"file://{tmp_path}/a.html"])
    assert ran.stderr == ("" if opens else f"note: no browser was found to open file://{tmp_path}/a.html\n")


def test_the_runtime_has_all_that_is_asked_of_it(loaded: Watched, built: str) -> None:
    """What the translated functions call of Python's library is there, and what nobody calls is not."""
    scripts = unpacked(built)
    there = set(loaded.page.evaluate("Object.keys(py)"))
    asked = Counter(re.findall(r"\bpy\.(\w+)", "".join(scripts.values())))
    made = {"AttributeError", "IndexError", "RecursionError", "signatures"}  # by a loop, or when all is written
    assert asked.keys() - there <= made
    assert {name for name in there - made if asked[name] < 2 and not name.startswith("re_")} == set()


def test_what_has_no_javascript_is_refused_by_name() -> None:
    """A form of Python that is not translated is an error of the build, which says where it stands."""

    def waits() -> int:
        async def nothing() -> int:
            return 1

        return len([nothing])

    with pytest.raises(UntranslatableError, match="no JavaScript for async def nothing"):
        Script(()).name(waits)
