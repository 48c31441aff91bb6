"""The docs: what is generated is what the code says, examples run, links lead somewhere, and nothing is left out.

The pages are found beside this folder, so that these tests hold in a clone and beside an installed wheel alike.
"""

from __future__ import annotations

import doctest
import importlib.util
import json
import re
import shutil
import tomllib
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

import gpt2calc
from gpt2calc import cli, conventions, dims, errors, figures, formulas, spellings
from gpt2calc.claims import files
from gpt2calc.cli import options
from gpt2calc.fields import SPELLINGS
from gpt2calc.webpage import document
from tests.loops import of_each

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
IS_CLONE = (ROOT / "gpt2calc").is_dir()

PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md"))]
PROSE = [
    *PAGES,
    *(page for name in ("CHANGELOG.md", "CONTRIBUTING.md", "SECURITY.md") if (page := ROOT / name).exists()),
]

FENCE = re.compile(r"^```(?P<language>\w*)\n(?P<body>.*?)^```$", re.DOTALL | re.MULTILINE)
LINK = re.compile(r"\[[^\]]*\]\((?P<target>[^)\s]+)\)")
HOME = "https://github.com/gpt2calc/gpt2calc/blob/main/"
"""Before what a page of the site names in the repository, and the site does not have."""

CONFIG = re.compile(r"[\w/]*\bconfig\.json\b")

HUB_CONFIG = {
    "activation_function": "gelu_new",
    "architectures": ["GPT2LMHeadModel"],
    "attn_pdrop": 0.1,
    "bos_token_id": 50256,
    "eos_token_id": 50256,
    "layer_norm_epsilon": 1e-05,
    "model_type": "gpt2",
    "n_ctx": 1024,
    "n_embd": 768,
    "n_head": 12,
    "n_layer": 12,
    "n_positions": 1024,
    "summary_type": "cls_index",
    "task_specific_params": {"text-generation": {"do_sample": True, "max_length": 50}},
    "vocab_size": 50257,
}
"""A config.json such as the hub has for gpt2, which stands wherever the docs name a config.json."""


def loaded() -> Any:
    """Return docs/generate.py as a module; docs is a folder and no package."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


generate = loaded()


def text(page: Path) -> str:
    """Return what a page says."""
    return page.read_text(encoding="utf-8")


def name_of(page: Path) -> str:
    """Return how a page is called, as the id of a test."""
    return page.relative_to(ROOT).as_posix()


# What is generated


@pytest.mark.parametrize(
    "page", [*PAGES, DOCS / "vectors" / "README.md", generate.NOTEBOOK, generate.SITE], ids=name_of
)
def test_no_page_drifts(page: Path) -> None:
    """A page says what the code says: drawing its blocks anew, and running the notebook, changes nothing."""
    assert not generate.drift(page)


def test_every_block_that_can_be_generated_is_used() -> None:
    """Nothing is drawn for no page."""
    used = set(chain.from_iterable((match["name"] for match in generate.BLOCK.finditer(text(page))) for page in PAGES))
    assert set(generate.BLOCKS) - used == set()


@pytest.fixture
def copied(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a copy of some pages to the generator, and its folder to the test."""
    shutil.copytree(DOCS, tmp_path / "docs")
    for name in ("README.md", "pyproject.toml"):
        shutil.copy(ROOT / name, tmp_path)
    monkeypatch.setattr(generate, "ROOT", tmp_path)
    some = [page for page in generate.pages() if page.stem in ("architecture", "config", "glossary", "json", "README")]
    monkeypatch.setattr(generate, "pages", lambda: some)  # all would be drawn three times
    return tmp_path


DRIFT = {
    "README.md": ("124,439,808", "124,439,809"),  # a wrong digit
    "docs/config.md": ("`n_layers`, ", ""),  # a spelling that is gone
    "docs/json.md": ("| `per_block` |", "| `per_blocks` |"),  # a key of the JSON
    "docs/architecture.md": ("cli", "api"),  # a floor
}


def test_planted_drift_is_found_shown_and_repaired(copied: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check exits with 1 and shows each difference; without it pages are written anew, and --check exits with 0."""
    whole = {name: text(copied / name) for name in DRIFT}
    for name, (said, planted) in DRIFT.items():
        block = next(match for match in generate.BLOCK.finditer(whole[name]) if said in match["body"])
        drifted = block[0].replace(said, planted, 1)
        (copied / name).write_text(whole[name].replace(block[0], drifted), encoding="utf-8")
    assert generate.main(["--check"]) == 1
    shown = capsys.readouterr()
    (names,) = re.findall("drifted: (.*);", shown.err)
    assert set(names.split(", ")) == set(DRIFT)
    for name, (_, planted) in DRIFT.items():
        difference = shown.out.partition(f"--- {name} (committed)")[2].partition("\n--- ")[0]
        assert any(line.startswith("-") and planted in line for line in difference.splitlines()), name
    assert generate.main([]) == 0
    assert {name: text(copied / name) for name in DRIFT} == whole
    assert generate.main(["--check"]) == 0
    assert capsys.readouterr().out == ""


@pytest.mark.parametrize(
    ("page", "message"),
    [
        ("<!-- generated: figures -->\n", "1 blocks begin and 0 end"),
        ("<!-- generated: figure -->\n<!-- end generated -->", "nothing is generated by the name 'figure'"),
        ("<!-- generated: $ rm -r . -->\n<!-- end generated -->", "not a line that calls gpt2calc: rm -r ."),
    ],
)
def test_a_wrong_marker_is_an_error(page: str, message: str) -> None:
    """A block without an end, an unknown name, or another command is not passed over."""
    with pytest.raises(ValueError, match=re.escape(message)):
        generate.drawn(page)


def test_a_session_shows_each_line_with_its_answer_and_a_head_of_it_alone() -> None:
    """What one line writes the next one reads; of `| head -1` the first line is left, of any other pipe nothing."""
    lines = generate.session(
        "gpt2calc example new -q && gpt2calc verify new -q && gpt2calc models -q | head -1"
    ).splitlines()
    assert lines[0] == "```console"
    assert lines[1:4] == ["$ gpt2calc example new -q", "new/model.safetensors", "new/config.json"]
    assert lines[4:6] == [
        "$ gpt2calc verify new -q",
        "new matches: 71,712 parameters in 28 tensors, as the config says",
    ]
    assert lines[6:] == ["$ gpt2calc models -q | head -1", gpt2calc.models()[0].name, "```"]


@pytest.mark.parametrize(
    ("published", "total", "expected"),
    [
        ("1558M", 1557611200, "yes"),
        ("1.5B", 1529628800, "yes"),
        ("1.5B", 1557611200, "no"),
        ("10.65M", 10745088, "no"),
        ("0.09M", 85728, "yes"),
        ("117M", 124439808, "no"),
        (None, 102714, "-"),
    ],
)
def test_a_published_figure_is_compared_in_its_own_digits(published: str | None, total: int, expected: str) -> None:
    """A figure is equal when the exact total, rounded to as many digits, reads the same."""
    assert generate.agrees(published, total) == expected


def test_a_terminal_changes_nothing_that_is_generated(monkeypatch: pytest.MonkeyPatch) -> None:
    """Width and colour of the terminal do not reach the pages."""
    monkeypatch.setenv("COLUMNS", "60")
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.delenv("NO_COLOR", raising=False)
    assert generate.drift(ROOT / "README.md") == ""
    assert generate.drift(DOCS / "cli.md") == ""


# Every example runs


class Snippet(NamedTuple):
    """A block of code in a page."""

    page: Path
    line: int
    language: str
    body: str


def snippets(page: Path) -> list[Snippet]:
    """Return the blocks of a page, each with its language."""
    whole = text(page)
    return [
        Snippet(page, whole.count("\n", 0, match.start()) + 1, match["language"], match["body"])
        for match in FENCE.finditer(whole)
    ]


def steps(snippet: Snippet) -> Iterator[tuple[str, str]]:
    """Yield the lines of a console block that are typed, each with what is shown beneath it."""
    for part in re.split(r"^\$ ", snippet.body, flags=re.MULTILINE)[1:]:
        line, _, shown = part.partition("\n")
        yield line, shown


RUN_ELSEWHERE = ("api", "exercises")
"""Pages whose examples run as the package's own doctests, and as the notebook's cells where the page is drawn."""

WITH_FENCES = [
    page for page in PAGES if page.stem not in RUN_ELSEWHERE if "```python" in text(page) or "```console" in text(page)
]


@pytest.fixture
def _page_at_hand(page: Path, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the examples of a page of the docs that write the what-if page write the one that was built once."""
    if "gpt2calc page" in text(page):
        built = {gpt2calc.__version__: request.getfixturevalue("built")}
        monkeypatch.setattr(document, "build", built.__getitem__)


@pytest.fixture
def _beside_configs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Stand in a folder that has a config.json wherever the docs name one, checkpoints, claims.toml, configs.csv."""
    for name in {name for page in PAGES for snippet in snippets(page) for name in CONFIG.findall(snippet.body)}:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(HUB_CONFIG), encoding="utf-8")
    for name in ("path/to/gpt2", "path/to/checkpoint"):
        generate.write_released(tmp_path / name, "gpt2")
    (claims,) = (snippet.body for snippet in snippets(DOCS / "claims.md") if snippet.language == "toml")
    (tmp_path / "claims.toml").write_text(claims, encoding="utf-8")
    (tmp_path / "configs.csv").write_text("n_layer,n_embd\n24,1024\n12,768\n", encoding="utf-8")
    monkeypatch.chdir(tmp_path)


@of_each("page", PAGES)
def test_every_fence_is_found_and_has_a_language(page: Path) -> None:
    """No block is passed over because of how its fence is written."""
    fences = re.findall(r"^\s*```.*$", text(page), flags=re.MULTILINE)
    assert len(fences) == 2 * len(snippets(page))
    assert {snippet.language for snippet in snippets(page)} <= {
        "python",
        "console",
        "sh",
        "json",
        "text",
        "toml",
        "yaml",
    }


def test_there_are_examples_in_the_pages_that_need_them() -> None:
    """The pages whose examples are run below hold some: the search for them is not broken."""
    names = {name_of(page) for page in WITH_FENCES}
    assert names >= {"README.md", *(f"docs/{name}.md" for name in ("cli", "python", "config", "formulas", "json"))}
    for page in WITH_FENCES:
        assert [snippet for snippet in snippets(page) if snippet.language in ("python", "console")]
    assert sum(len(list(steps(each))) for page in PAGES for each in snippets(page) if each.language == "console") > 30


@pytest.mark.usefixtures("_beside_configs", "_page_at_hand")
@pytest.mark.parametrize("page", WITH_FENCES, ids=name_of)
def test_every_python_example_does_what_it_shows(page: Path) -> None:
    """Blocks with >>> are doctests, others run as they are; a page's blocks follow on each other."""
    runner = doctest.DocTestRunner(verbose=False)
    names: dict[str, Any] = {}
    report: list[str] = []
    for snippet in snippets(page):
        if snippet.language != "python":
            continue
        if ">>>" not in snippet.body:
            exec(compile(snippet.body, name_of(page), "exec"), names)
            continue
        parsed = doctest.DocTestParser().get_doctest(snippet.body, names, name_of(page), str(page), snippet.line)
        assert parsed.examples
        runner.run(parsed, out=report.append, clear_globs=False)
        names = parsed.globs
    assert not runner.summarize(verbose=False).failed, "".join(report)


@pytest.mark.usefixtures("_beside_configs", "_page_at_hand")
@pytest.mark.parametrize("page", WITH_FENCES, ids=name_of)
def test_every_line_for_the_console_prints_what_is_shown(page: Path) -> None:
    """What is shown is what comes out, character by character; a line that shows nothing ends with code 0."""
    code = 0
    for snippet in snippets(page):
        for line, shown in steps(snippet) if snippet.language == "console" else ():
            if line == "echo $?":
                assert shown == f"{code}\n"
                continue
            code, printed = generate.shell(line)
            if shown:
                assert printed.rstrip() == shown.rstrip(), line
            else:
                assert (line, code) == (line, 0), printed
                assert printed


def test_the_readme_shows_twelve_lines_of_an_answer_at_most() -> None:
    """Three answers, so that the page that leads on is in sight."""
    blocks = [snippet.body for snippet in snippets(ROOT / "README.md") if snippet.language == "console"]
    assert len(blocks) == 3
    shown = [len(printed.splitlines()) for each in snippets(ROOT / "README.md") for _, printed in steps(each)]
    assert all(1 <= lines <= 12 for lines in shown)
    for figure in ("117M", "124M", "137M", "163M", "671B", "685B"):
        assert f"| {figure} | " in text(ROOT / "README.md")


def test_the_readme_gives_two_commands() -> None:
    """`make demo` and `make test` stand on lines of their own, for a reader and for the gate."""
    lines = text(ROOT / "README.md").splitlines()
    assert lines.count("make demo") == lines.count("make test") == 1


def test_the_notebook_is_run_and_what_fails_in_it_is_an_error() -> None:
    """A cell prints, comes to a value, sees what came before it, and is not passed over where it is wrong."""
    names: dict[str, Any] = {}
    (printed,) = generate._outputs("total = 12\nprint(total)", names, 1)
    assert (printed["output_type"], printed["text"]) == ("stream", ["12\n"])
    (value,) = generate._outputs("total + 1", names, 2)
    assert (value["execution_count"], value["data"]) == (2, {"text/plain": ["13"]})
    assert list(generate._outputs("other = 3", names, 3)) == []
    with pytest.raises(AssertionError):
        list(generate._outputs("assert total == 13", names, 4))


def test_the_notebook_comes_to_the_published_numbers() -> None:
    """All four totals, the untied one, and the matrix between them, both as tensors and by formula."""
    outputs = [output for cell in generate.notebook()["cells"] for output in cell.get("outputs", ())]
    printed = "".join(line for output in outputs for line in output.get("text", ()))
    for number in (124_439_808, 354_823_168, 774_030_080, 1_557_611_200, 163_037_184, 38_597_376):
        assert f"{number:,}" in printed
    assert {output["data"]["text/plain"][0] for output in outputs if "data" in output} >= {"True"}
    assert not any("False" in line for output in outputs for line in output.get("data", {}).get("text/plain", ()))


# Every link leads somewhere


def without_code(page: Path) -> str:
    """Return a page without its code, in which a bracket is no link."""
    return re.sub(r"`[^`\n]*`", "", FENCE.sub("", text(page)))


def links(page: Path) -> list[str]:
    """Return the targets of a page's links."""
    return [match["target"] for match in LINK.finditer(without_code(page))]


def anchors(page: Path) -> set[str]:
    """Return the anchors that GitHub makes of a page's headings."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", text(page)), flags=re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-") for heading in headings}


@of_each("page", PROSE)
def test_every_relative_link_leads_somewhere(page: Path) -> None:
    """A link's file exists, and a heading that it names is in that file, one on the repository's site too."""
    for written in links(page):
        link = written if (at_home := written.removeprefix(HOME)) == written else f"{ROOT}/{at_home}"
        if re.match(r"https?://", link):
            continue
        name, _, anchor = link.partition("#")
        target = (page.parent / name).resolve() if name else page
        if not IS_CLONE and not target.exists() and DOCS not in target.parents:
            continue  # a wheel is tested without the files that only a clone has
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


def test_every_page_can_be_reached_from_the_index() -> None:
    """Whoever starts at docs/index.md finds every page and every schema."""
    reached: set[Path] = set()
    waiting = [DOCS / "index.md"]
    while waiting:
        page = waiting.pop()
        if page in reached or not page.exists():
            continue
        reached.add(page)
        if page.suffix == ".md":
            waiting += [(page.parent / link.partition("#")[0]).resolve() for link in links(page) if "//" not in link]
    assert {*DOCS.glob("*.md"), *(DOCS / "schema").glob("*.json")} - reached == set()


def test_every_page_stands_under_one_question_and_leads_back_to_it() -> None:
    """On top of each page is the way to the index and to its question; the order of the site is that of the index."""
    groups = generate.groups()
    listed = [name for pages in groups.values() for _, name in pages]
    every = (page.relative_to(DOCS).as_posix() for page in DOCS.rglob("*.md"))
    assert sorted(listed) == sorted(name for name in every if name != "index.md")
    assert list(groups)[:2] == ["I read a number", "I have a checkpoint"]
    for question, pages in groups.items():
        for _, name in pages:
            head = text(DOCS / name).partition("<!-- end generated -->")[0]
            index = "../" * name.count("/") + "index.md"
            assert f"[gpt2calc]({index}) › [{question}]({index}#" in head
    config = tomllib.loads(text(generate.SITE))["project"]
    (start, *rest) = config["nav"]
    assert start == {"Start": "index.md"}
    assert [next(iter(page.values())) for row in rest for page in next(iter(row.values()))] == listed
    assert config["theme"]["font"] is False  # none is fetched


def test_a_page_that_the_index_does_not_list_is_an_error() -> None:
    """It would have no way back, and no place in the site."""
    with pytest.raises(ValueError, match=r"docs/index\.md lists no new\.md"):
        generate.drawn("<!-- generated: way back -->\n<!-- end generated -->", "new.md")


@of_each("page", PROSE)
def test_no_page_names_a_folder_of_somebodys_machine(page: Path) -> None:
    """A path in the docs is relative, or starts at the reader's own home."""
    assert not re.search(r"(?<![\w.~:/])/(home|root|tmp|work|Users|opt)/", text(page))


# Nothing is left out


@of_each("command", cli.COMMANDS)
def test_every_command_is_documented(command: str) -> None:
    """A command has a heading, its own options and examples in cli.md, and a place in the README or the index."""
    page = text(DOCS / "cli.md")
    assert f"\n### {command}\n" in page
    assert f"$ gpt2calc {command}" in page
    parser = generate.parser_of(command)
    spelled = chain.from_iterable(action.option_strings for action in parser._actions if action.dest != "help")
    assert [option for option in spelled if f"`{option}" not in page] == []


@of_each("convention", conventions.CONVENTIONS)
def test_every_convention_is_documented(convention: conventions.Convention) -> None:
    """A convention stands in conventions.md with its sentence and its source."""
    page = text(DOCS / "conventions.md")
    assert f"`{convention.name}`" in page
    assert convention.sentence in page
    assert convention.source in page


@of_each("word", [*files.FILE_KEYS, *files.CLAIM_KEYS, *figures.VERDICTS, *formulas.GROUPS])
def test_every_word_of_a_file_of_claims_is_documented(word: str) -> None:
    """A key, a verdict and a group stand in claims.md."""
    assert re.search(rf"`\[*{word}(\.NAME)?\]*`", text(DOCS / "claims.md"))


@of_each("field", SPELLINGS)
def test_every_field_is_documented(field: str) -> None:
    """A field stands in config.md with each of its spellings."""
    page = text(DOCS / "config.md")
    assert [name for name in (field, *SPELLINGS[field]) if f"`{name}`" not in page] == []


@of_each("field", sorted(spellings.NO_COUNT | set(spellings.NOT_READ)))
def test_every_field_that_changes_no_count_is_documented(field: str) -> None:
    """A field that is taken or noted and changes no count is named in config.md."""
    assert f"`{field}`" in text(DOCS / "config.md")


@of_each("component", [row.component for row in formulas.table(gpt2calc.count("gpt2").dims)])
def test_every_component_is_documented(component: str) -> None:
    """A component stands in formulas.md."""
    assert f"| `{component}` |" in text(DOCS / "formulas.md")


def test_every_exit_code_is_documented() -> None:
    """The exit code of every error stands in cli.md, and so does 0."""
    kinds = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, Exception)]
    codes = {0, 1, *(getattr(kind, "exit_code", 0) for kind in kinds)}  # 1 is a verdict, and of no error
    assert codes == {0, 1, 2, 3, 4}
    assert [code for code in codes if f"| {code} | " not in text(DOCS / "cli.md")] == []


@of_each("name", [name for name in gpt2calc.__all__ if name != "__version__"])
def test_every_public_name_is_documented(name: str) -> None:
    """What `import gpt2calc` gives stands in python.md, beyond the list of names."""
    page = text(DOCS / "python.md")
    assert re.search(rf"\b{name}\b", page.replace(repr(dir(gpt2calc)), ""))


@of_each("preset", gpt2calc.models())
def test_every_model_is_documented(preset: Any) -> None:
    """A model stands in models.md with its other names and its source."""
    page = text(DOCS / "models.md")
    assert [name for name in (preset.name, *preset.aliases) if f"`{name}`" not in page] == []
    assert preset.source in page


@pytest.mark.parametrize("format_name", options.FORMATS)
def test_every_format_is_documented(format_name: str) -> None:
    """A format has a line in cli.md."""
    assert f"\n- `{format_name}` " in text(DOCS / "cli.md")


@pytest.mark.parametrize("head", dims.TASK_HEADS)
def test_every_head_is_documented(head: str) -> None:
    """A head stands in config.md with its class."""
    assert f"| `{head}` | `GPT2" in text(DOCS / "config.md")


# The version


def test_the_changelog_has_an_entry_for_this_version() -> None:
    """The newest version in CHANGELOG.md is the package's own, and says something."""
    newest = re.search(
        r"^## (\S+) - \d{4}-\d\d-\d\d\n(.*?)(?=^## |\Z)", text(ROOT / "CHANGELOG.md"), re.MULTILINE | re.DOTALL
    )
    assert newest
    assert newest[1] == gpt2calc.__version__
    assert "\n- " in newest[2]


def test_the_citation_is_of_this_version() -> None:
    """CITATION.cff gives the package's version, and the date that the changelog gives for it."""
    citation = dict(re.findall(r"^([\w-]+): (.+)$", text(ROOT / "CITATION.cff"), re.MULTILINE))
    assert citation["version"] == gpt2calc.__version__
    assert f"## {citation['version']} - {citation['date-released']}\n" in text(ROOT / "CHANGELOG.md")
    assert citation["cff-version"] == "1.2.0"
    assert {"message", "title", "license"} <= set(citation)
