"""The command line: data on standard output, words on standard error, documented exit codes, and no traceback."""

from __future__ import annotations

import csv
import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
from importlib import import_module
from itertools import product
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc import presets
from gpt2calc.api import counting
from gpt2calc.cli import COMMANDS, EXIT_CODES, build_parser, main
from gpt2calc.cli.options import FORMATS, Parser
from gpt2calc.errors import install
from gpt2calc.fields import SPELLINGS, SWITCHES
from tests.conftest import environment
from tests.loops import of_each
from tests.test_config import TWO_VALUES

if TYPE_CHECKING:
    import argparse

    from tests.conftest import Program, Run

DATA = Path(__file__).parent / "data"
CONFIG = DATA / "config_transformers4.json"
CHECKPOINT = str(DATA / "checkpoints" / "tensorflow" / "model.ckpt.index")
DOCUMENT = CONFIG.read_bytes()
PLAIN = {
    "count": ("count", "gpt2"),
    "compare": ("compare", "small", "xl"),
    "cost": ("cost", "gpt2", "--train"),
    "fits": ("fits", "gpt2", "--memory", "24GB"),
    "measure": ("measure", "tiny-gpt2", "--seq", "4"),
    "formula": ("formula", "attn.c_attn", "--model", "gpt2"),
    "tensors": ("tensors", "tiny-gpt2"),
    "verify": ("verify", CHECKPOINT),
    "infer": ("infer", CHECKPOINT),
    "example": ("example", "new"),
    "card": ("card", "gpt2"),
    "claims": ("claims",),
    "explain": ("explain", "137M", "gpt2"),
    "design": ("design", "--params", "350M"),
    "sweep": ("sweep", "--n-layer", "12,24", "--n-embd", "768,1024", "--columns", "n_layer,n_embd,total,mlp_share"),
    "plot": ("plot", "shares", "small", "xl"),
    "page": ("page", "-o", "-"),
    "models": ("models",),
}
"""A plain run of each command."""

IN_FORMATS = tuple(command for command in COMMANDS if command not in ("infer", "example", "card", "page"))
"""The commands whose answer comes in several formats; the others write a config.json, files, Markdown, HTML."""

WITH_FIELDS = ("count", "compare", "design", "formula", "tensors", "verify")
ESCAPE = "\x1b"


def spoken(value: object) -> str | None:
    """Return the id of a case that is a run's words: the words, paths by their last part."""
    return " ".join(Path(word).name for word in value) or "nothing" if isinstance(value, tuple) else None


def parsers() -> dict[str, argparse.ArgumentParser]:
    """Return the parser of each command."""
    tree = build_parser(with_commands=True)
    return next(dict(action.choices) for action in tree._actions if isinstance(action.choices, dict))


def test_the_cases_below_cover_every_command() -> None:
    """No command is left out, and each has a plain run."""
    assert set(PLAIN) == set(COMMANDS) == set(parsers())


# ---------------------------------------------------------------- formats


@pytest.mark.parametrize(("command", "form"), list(product(IN_FORMATS, FORMATS)))
def test_every_command_answers_in_every_format(command: str, form: str, run: Run) -> None:
    """The answer is whole lines on standard output, without colour, and the exit code is 0."""
    ran = run(*PLAIN[command], "--format", form)
    assert (ran.code, ran.stdout[-1], ran.stdout.count(ESCAPE)) == (0, "\n", 0)
    assert not ran.stdout.endswith("\n\n")
    assert all(line.startswith("note: ") for line in ran.stderr.splitlines())


@pytest.mark.parametrize("command", IN_FORMATS)
def test_json_is_an_object_that_names_its_schema(command: str, run: Run) -> None:
    """--json is --format json, and its first key is the schema with a version."""
    ran = run(*PLAIN[command], "--json")
    answer = json.loads(ran.stdout)
    assert next(iter(answer)) == "schema"
    assert re.fullmatch(rf"gpt2calc/{command}/\d", answer["schema"])
    assert run(*PLAIN[command], "--format", "json").stdout == ran.stdout


@pytest.mark.parametrize(
    ("words", "total"),
    [
        (("count", "gpt2-xl"), 1_557_611_200),
        (("count", "gpt2-xl", "--per-block"), 1_557_611_200),
        (("count", "gpt2-xl", "--conventions"), 1_557_611_200),
        (("tensors", "gpt2-xl"), 1_557_611_200),
        (("formula", "total", "--model", "gpt2-xl"), 1_557_611_200),
        (("formula", "attn.c_attn", "--model", "gpt2"), 21_261_312),
    ],
    ids=spoken,
)
def test_json_has_the_total_on_top(words: tuple[str, ...], total: int, run: Run) -> None:
    """`jq .total` gives the exact integer."""
    assert json.loads(run(*words, "--json").stdout)["total"] == total


def test_json_of_a_comparison_holds_what_each_count_gives_alone(run: Run) -> None:
    """Each model of a comparison is the JSON of its own count."""
    both = json.loads(run("compare", "small", "xl", "--json").stdout)["models"]
    assert both == [json.loads(run("count", name, "--json").stdout) for name in ("small", "xl")]


def test_json_is_what_python_gives(run: Run) -> None:
    """The command line and to_dict say the same."""
    assert json.loads(run("count", "gpt2", "--json").stdout) == gpt2calc.count("gpt2").to_dict()
    assert json.loads(run("compare", "small", "xl", "--json").stdout) == gpt2calc.compare("small", "xl").to_dict()
    assert json.loads(run("formula", "mlp", "--json").stdout) == gpt2calc.formula("mlp").to_dict()


def test_json_keeps_integers_of_any_size_exact(run: Run) -> None:
    """A count of 2,000 digits comes out to the last one."""
    n = 10**999 + 7
    ran = run("count", "--n-layer", "1", "--n-embd", str(n), "--json")
    assert json.loads(ran.stdout)["total"] == 12 * n**2 + 13 * n + n * (50257 + 1024 + 2)


@pytest.mark.parametrize("command", IN_FORMATS)
def test_csv_is_one_table_of_equal_rows(command: str, run: Run) -> None:
    """A header, at least one row, as many cells in each, in characters that every program reads."""
    rows = list(csv.reader(io.StringIO(run(*PLAIN[command], "--format", "csv").stdout)))
    assert len(rows) > 1
    assert {len(row) for row in rows} == {len(rows[0])}
    assert all(re.fullmatch(r"[a-z_ ]+|Gi?B|gpt2.*", cell) for cell in rows[0])


def test_csv_has_integers_without_commas(run: Run) -> None:
    """A spreadsheet reads the numbers as numbers."""
    rows = list(csv.DictReader(io.StringIO(run("count", "gpt2", "--format", "csv").stdout)))
    assert {row["name"]: int(row["parameters"]) for row in rows}["total"] == 124_439_808


@pytest.mark.parametrize("words", [("count", "gpt2"), ("count", "gpt2", "--conventions"), ("models",)], ids=spoken)
def test_markdown_and_latex_are_tables_of_their_kind(words: tuple[str, ...], run: Run) -> None:
    """A Markdown table has its line of dashes, a LaTeX table its tabular."""
    assert re.search(r"^\| (---:? \| )+---:? \|$", run(*words, "--format", "markdown").stdout, re.MULTILINE)
    assert r"\begin{tabular}" in run(*words, "--format", "latex").stdout


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (("count", "gpt2"), ["124439808"]),
        (("count", "gpt2", "--per-block"), ["7087872"]),
        (("compare", "small", "xl"), ["124439808", "1557611200"]),
        (("formula", "attn.c_attn"), ["3L·d² + 3L·d"]),
        (("formula", "attn.c_attn", "--model", "gpt2"), ["3L·d² + 3L·d"]),
        (("count", "gpt2", "--untied"), ["163037184"]),
        (("count",), ["124439808"]),
    ],
    ids=spoken,
)
def test_quiet_leaves_the_bare_answer(words: tuple[str, ...], lines: list[str], run: Run) -> None:
    """-q and --quiet print what a script wants, a line each, and nothing else."""
    for quiet in ("-q", "--quiet"):
        assert run(*words, quiet) == (0, "".join(f"{line}\n" for line in lines), "")


def test_quiet_lists_names(run: Run) -> None:
    """Of tensors and of models, the names remain."""
    assert run("models", "-q").stdout.split() == [preset.name for preset in (*gpt2calc.models(), *presets.others())]
    assert run("tensors", "tiny-gpt2", "-q").stdout.split() == [each.name for each in gpt2calc.tensors("tiny-gpt2")]


def test_quiet_prints_no_notes(run: Run) -> None:
    """Nothing on standard error either."""
    noted = b'{"model_type": "gpt2", "n_layer": 1}'
    assert run("count", "-", stdin=noted).stderr != ""
    assert run("count", "-", "-q", stdin=noted).stderr == ""


# ---------------------------------------------------------------- fields


def name_of(run: Run, *words: str) -> str:
    """Return the name of the model that a count comes to, which says what was changed."""
    ran = run("count", *words, "--json")
    assert ran.code == 0, ran.stderr
    name: str = json.loads(ran.stdout)["model"]
    return name


SPOKEN = [(field, spelling) for field, others in SPELLINGS.items() for spelling in (field, *others)]


@pytest.mark.parametrize(("field", "spelling"), [pair for pair in SPOKEN if pair[0] not in SWITCHES])
def test_every_spelling_of_a_field_is_an_option(field: str, spelling: str, run: Run) -> None:
    """With a hyphen and with an underscore, with a space and with an equals sign, the value reaches its field."""
    value = TWO_VALUES[field][0]
    for option in (f"--{spelling}", f"--{spelling.replace('_', '-')}"):
        assert name_of(run, option, str(value)) == f"gpt2 with {field}={value}"
        assert name_of(run, f"{option}={value}") == f"gpt2 with {field}={value}"


@pytest.mark.parametrize(("field", "spelling"), [pair for pair in SPOKEN if pair[0] in SWITCHES])
def test_every_spelling_of_a_switch_is_an_option_and_has_its_opposite(field: str, spelling: str, run: Run) -> None:
    """--x switches on and --no-x off, with hyphens and underscores."""
    for option in (spelling, spelling.replace("_", "-")):
        assert name_of(run, f"--{option}") == f"gpt2 with {field}=True"
        assert name_of(run, f"--no-{option}") == f"gpt2 with {field}=False"


def test_untied_is_the_opposite_of_tied(run: Run) -> None:
    """The word that people say is an option."""
    assert name_of(run, "--untied") == "gpt2 with tie_word_embeddings=False"
    assert run("count", "--untied", "-q").stdout == "163037184\n"


@pytest.mark.parametrize("command", WITH_FIELDS)
def test_every_command_that_takes_a_model_takes_fields(command: str, run: Run) -> None:
    """A field changes what each of them answers."""
    plain, changed = run(*PLAIN[command], "--json"), run(*PLAIN[command], "--n-embd", "1536", "--json")
    assert (plain.code, changed.code) == (0, int(command == "verify"))
    assert plain.stdout != changed.stdout


def test_fields_win_over_the_models_own(run: Run) -> None:
    """A preset, a file and standard input are changed alike."""
    expected = f"{gpt2calc.count('gpt2', n_layer=3).total}\n"
    for words in (("gpt2",), (str(CONFIG),), (str(CONFIG.parent / ".." / "data" / CONFIG.name),), ("-",), ()):
        assert run("count", *words, "--n-layer", "3", "-q", stdin=DOCUMENT).stdout == expected


def test_fields_over_the_default_model_need_no_note_for_its_heads(run: Run) -> None:
    """Who describes a model by flags alone has given no n_head, and is not told that one was dropped."""
    assert run("count", "--n-layer", "24", "--n-embd", "1024").stderr == ""


@pytest.mark.parametrize("value", ["50,257", "50_257", "50257", "1,000,000", "0050257"])
def test_a_size_may_be_typed_as_it_is_printed(value: str, run: Run) -> None:
    """Commas and underscores between thousands are read."""
    number = int(value.replace(",", "").replace("_", ""))
    assert name_of(run, "--vocab-size", value) == f"gpt2 with vocab_size={number}"


@of_each("value", ["1,2", "1,5", ",5", "5,", "1,,000", "12,34", "1,0000", "1.5", "1e-3x", "0x10", "twelve", ""])
def test_a_size_typed_otherwise_is_refused(value: str, run: Run) -> None:
    """A comma that stands between no thousands is no size: "1,5" layers are not fifteen."""
    ran = run("count", "--n-layer", value, "-q")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == f"gpt2calc count: --n-layer takes a whole number, got {value!r} (see gpt2calc count --help)\n"


def test_two_options_that_disagree_are_refused_and_both_are_shown(run: Run) -> None:
    """The spellings that were typed stand in the message."""
    ran = run("count", "--n-layer", "12", "--num-layers", "24")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr == (
        "gpt2calc count: n_layer=12 and num_layers=24 disagree: both mean n_layer; give one of them\n"
    )


def test_a_negative_size_is_refused_as_a_value_and_not_as_an_option(run: Run) -> None:
    """-5 after an option is its value."""
    assert run("count", "--n-layer", "-5").stderr == (
        "gpt2calc count: n_layer must be a whole number, 0 or more, got -5\n"
    )


# ---------------------------------------------------------------- input


@pytest.mark.parametrize(
    "words",
    [
        ("count", "-", "-q"),
        ("count", "-q", "-"),
        ("compare", "-", "-q"),
        ("compare", "gpt2", "-", "-q"),
        ("tensors", "-", "-q"),
        ("formula", "total", "--model", "-", "-q"),
    ],
    ids=spoken,
)
def test_a_hyphen_is_standard_input(words: tuple[str, ...], run: Run) -> None:
    """A config.json on standard input stands for its model wherever a model is named."""
    by_name = tuple("gpt2" if word == "-" else word for word in words)
    assert run(*words, stdin=DOCUMENT) == run(*by_name)


def test_standard_input_is_called_so(run: Run) -> None:
    """In titles and errors, the input has a name that a person understands."""
    assert json.loads(run("count", "-", "--json", stdin=DOCUMENT).stdout)["model"] == "standard input"
    assert run("count", "-").stderr == (
        "gpt2calc count: standard input: not JSON: Expecting value at line 1, column 1\n"
    )


def test_notes_go_to_standard_error_and_into_json(run: Run) -> None:
    """A person sees what was assumed, a pipe does not, and a program finds it in the JSON."""
    noted = DOCUMENT.replace(b'"n_ctx": 1024', b'"n_ctx": 512')
    told = "n_positions=1024 is read, as transformers does, and n_ctx=512 is not"
    for form in FORMATS:
        ran = run("count", "-", "--format", form, stdin=noted)
        assert (ran.code, ran.stderr) == (0, f"note: {told}\n")
        assert (told in ran.stdout) == (form == "json")
    assert json.loads(run("count", "-", "--json", stdin=noted).stdout)["notes"] == [told]
    plain = run("count", "-", stdin=DOCUMENT).stdout
    assert run("count", "-", stdin=noted).stdout == plain


def test_notes_of_a_comparison_say_whose_they_are(run: Run) -> None:
    """Each note begins with the name of its model, and none is told twice."""
    ran = run("compare", "gpt2", "-", stdin=b'{"model_type": "gpt2", "n_layer": 1, "n_embd": 8, "vocab_size": 9}')
    assert ran.stderr == ("note: standard input: n_positions is not given; transformers' default 1024 is counted\n")


# ---------------------------------------------------------------- output


def printed(
    words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, encoding: str = "utf-8", columns: str = "100"
) -> str:
    """Run a command in this process with a standard output of this encoding and width."""
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding, newline="\n")
    monkeypatch.setattr(sys, "stdout", out)
    monkeypatch.setenv("COLUMNS", columns)
    assert main(words) == 0
    out.flush()
    return out.buffer.getvalue().decode(encoding)


UNICODE = {
    **{command: PLAIN[command] for command in IN_FORMATS},
    "count, every way": ("count", "gpt2", "--conventions"),
    "a block": ("count", "gpt2", "--per-block"),
    "quiet formula": ("formula", "total", "-q"),
}


@pytest.mark.parametrize("form", FORMATS)
@pytest.mark.parametrize("words", UNICODE.values(), ids=UNICODE)
def test_an_output_without_unicode_gets_the_whole_answer(
    words: tuple[str, ...], form: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where standard output takes no Unicode, everything is printed, nothing as a question mark; JSON says the same."""
    whole = printed((*words, "--format", form), monkeypatch)
    for encoding in ("ascii", "latin-1") if words == UNICODE["count"] else ("ascii",):
        shown = printed((*words, "--format", form), monkeypatch, encoding)
        assert len(shown) >= len(whole)
        assert shown.count("?") == whole.count("?")
        assert form == "json" or (shown.count("\\x"), shown.count("\\u")) == (0, 0)
        if form == "json" and not {"-q"} & set(words):
            assert json.loads(shown) == json.loads(whole)


@pytest.mark.parametrize("form", ["human", "json", "markdown"])
@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"PYTHONIOENCODING": "ascii"}, id="PYTHONIOENCODING"),
        pytest.param({"LC_ALL": "C", "PYTHONCOERCECLOCALE": "0", "PYTHONUTF8": "0"}, id="the C locale"),
    ],
)
def test_surroundings_without_unicode_get_the_whole_answer(
    form: str, changed: dict[str, str], program: Program
) -> None:
    """A program on a machine without UTF-8 prints ASCII and ends well."""
    ran = program("count", "gpt2", "--format", form, env=environment(**changed))
    assert (ran.returncode, ran.stderr) == (0, b"")
    assert ran.stdout.isascii()
    assert b"124" in ran.stdout


@pytest.mark.parametrize(
    "words",
    [("count", "gpt2"), ("count", "gpt2", "--conventions"), ("formula",), ("formula", "total")],
    ids=spoken,
)
def test_an_asterisk_in_ascii_is_no_markup_in_markdown(words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> None:
    """A dot that becomes an asterisk is escaped, or half a formula would stand in italics; two asterisks are bold."""
    shown = printed((*words, "--format", "markdown"), monkeypatch, "ascii")
    assert "*" in shown
    assert [line for line in shown.splitlines() if re.search(r"(?<![\\*])\*(?!\*)", line)] == []


def test_a_formula_in_ascii_can_be_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """Dots become asterisks, squares become ^2, rules become hyphens."""
    shown = printed(("count", "gpt2"), monkeypatch, "ascii")
    assert "L*(3d^2 + 3d)" in shown
    assert "\n-----" in shown


@pytest.mark.parametrize("form", FORMATS)
def test_a_file_whose_name_is_no_text_is_counted(form: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names on disk are bytes; one that is no UTF-8 is counted, and shown in every format."""
    named = os.fsencode(tmp_path) + b"/\xff"
    os.mkdir(named)
    with open(named + b"/config.json", "wb") as file:
        file.write(DOCUMENT)
    assert "124" in printed(("count", os.fsdecode(named), "--format", form), monkeypatch)


def test_a_file_whose_name_holds_a_colour_is_shown_without_it(run: Run, tmp_path: Path) -> None:
    """What a stranger called a file neither colours a terminal nor breaks a table."""
    path = tmp_path / f"a{ESCAPE}[31m\nb.json"
    path.write_bytes(DOCUMENT)
    for form in FORMATS:
        ran = run("count", str(path), "--format", form)
        assert ran.code == 0
        assert ESCAPE not in ran.stdout
        assert "\nb.json" not in ran.stdout


@pytest.mark.parametrize("columns", [80, 100, 140])
@pytest.mark.parametrize(
    "words",
    [
        ("count", "gpt2"),
        ("count", "gpt2", "--conventions"),
        ("count", "gpt2", "--per-block"),
        ("compare", "small", "medium", "large", "xl"),
        ("models",),
        ("formula",),
        ("formula", "attn.c_attn", "--model", "gpt2"),
        ("tensors", "tiny-gpt2"),
    ],
    ids=spoken,
)
def test_a_table_fits_its_terminal(words: tuple[str, ...], columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """From 80 columns on, words are wrapped to the width; a line is longer by one unbroken word at most."""
    lines = printed(words, monkeypatch, columns=str(columns)).splitlines()
    assert [
        line for line in lines if len(line) > columns and len(line.rpartition(" ")[0].rstrip()) > columns - 16
    ] == []


@pytest.mark.parametrize("columns", ["", "0", "-5", "many", "1", "9" * 30, "²"])
def test_a_width_that_makes_no_sense_is_no_error(columns: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever COLUMNS says, the answer is printed."""
    with monkeypatch.context() as inside:  # pytest reads COLUMNS as well, before it is put back
        shown = printed(("count", "gpt2"), inside, columns=columns)
    assert "124,439,808" in shown


def on_a_terminal(words: tuple[str, ...], **changed: str) -> bytes:
    """Run a command with a terminal as its standard output, and return what the terminal got."""
    import pty

    ours, theirs = pty.openpty()
    surroundings = {"TERM": "xterm", "COLUMNS": "100", **changed}
    child = subprocess.Popen(
        [sys.executable, "-m", "gpt2calc", *words],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        env=environment(**surroundings),
    )
    os.close(theirs)
    got = bytearray()
    try:
        while chunk := os.read(ours, 65536):
            got += chunk
    except OSError:  # Linux says so when the other side has closed
        pass
    os.close(ours)
    with child:
        assert child.communicate(timeout=60)[1] == b""
    assert child.returncode == 0
    return bytes(got).replace(b"\r\n", b"\n")


def test_a_terminal_gets_colour_and_the_same_words_as_a_pipe(program: Program) -> None:
    """Without its escapes, what a terminal gets is what a pipe gets, and a pipe gets no escapes."""
    shown = on_a_terminal(("count", "gpt2"))
    piped = program("count", "gpt2", env=environment(COLUMNS="100", TERM="xterm")).stdout
    assert b"\x1b[1m" in shown
    assert re.sub(rb"\x1b\[[\d;]*m", b"", shown) == piped
    assert shown.count(b"\x1b[0m") * 2 == shown.count(b"\x1b[")


@pytest.mark.parametrize(
    ("changed", "coloured"),
    [({"NO_COLOR": "1"}, False), ({"NO_COLOR": "0"}, False), ({"NO_COLOR": ""}, True), ({"TERM": "dumb"}, False)],
    ids=str,
)
def test_colour_can_be_switched_off(changed: dict[str, str], *, coloured: bool) -> None:
    """NO_COLOR with any value, as no-color.org has it, and a dumb terminal mean no escapes; when empty it is unset."""
    assert (b"\x1b" in on_a_terminal(("count", "gpt2"), **changed)) == coloured


def test_a_reader_that_has_seen_enough_is_no_error(program: Program) -> None:
    """`gpt2calc tensors … | head -1` ends with 0 and without a word."""
    del program
    words = [sys.executable, "-m", "gpt2calc", "tensors", "--n-layer", "3000"]
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as child:
        assert child.stdout
        assert child.stderr
        assert child.stdout.readline().strip() == b"gpt2 with n_layer=3000"
        child.stdout.close()
        assert all(line.startswith(b"note: ") for line in child.stderr.read().splitlines())
        assert child.wait(60) == 0


@pytest.mark.parametrize(
    "words",
    [("count", "gpt2"), ("count", "gpt2", "-q"), ("count", "--help"), ("--help",), ("--version",), ("models",), ()],
    ids=spoken,
)
def test_a_reader_that_was_never_there_is_no_error(words: tuple[str, ...], program: Program) -> None:
    """A pipe whose other end is closed from the start ends with 0 and without a word, however little is printed."""
    ours, theirs = os.pipe()
    os.close(ours)
    ran = program(*words, stdout=theirs)
    os.close(theirs)
    assert (ran.returncode, ran.stderr) == (0, b"")


FULL = pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")


@FULL
@pytest.mark.parametrize("unbuffered", [{}, {"PYTHONUNBUFFERED": "1"}], ids=["buffered", "unbuffered"])
@pytest.mark.parametrize(
    "words",
    [
        *(pytest.param(PLAIN[name], id=name) for name in ("count", "verify")),
        pytest.param(("count", "gpt2", "-q"), id="a single line"),
        pytest.param(("count", "--help"), id="help of a command"),
        pytest.param(("--help",), id="help"),
        pytest.param((), id="help for nothing"),
        pytest.param(("--version",), id="version"),
        pytest.param(("--print-completion", "bash"), id="completion"),
    ],
)
def test_a_full_disk_is_told_in_a_sentence(
    words: tuple[str, ...], unbuffered: dict[str, str], program: Program
) -> None:
    """Output that cannot be written ends with 3, whether it fails at once or at the end."""
    with open("/dev/full", "wb") as full:
        ran = program(*words, stdout=full, env=environment(**unbuffered))
    said = [line for line in ran.stderr.decode().splitlines() if not line.startswith("note: ")]
    assert (ran.returncode, said) == (3, ["gpt2calc: the output cannot be written: No space left on device"])


@pytest.mark.parametrize(
    ("redirected", "words", "code"),
    [
        pytest.param(">&-", "count gpt2", 3, id="no standard output"),
        pytest.param(">&-", "count gpt2 --json", 3, id="no standard output for JSON"),
        pytest.param("<&-", "count -", 3, id="no standard input"),
        pytest.param("2>&-", "count gpt2 -q", 0, id="no standard error and nothing to say"),
        pytest.param("2>&-", "count gpt3x", 2, id="no standard error for a mistake"),
        pytest.param("2>&-", "count gpt2 --nonsense", 2, id="no standard error for an unknown option"),
    ],
)
def test_a_stream_that_is_closed_ends_in_no_traceback(redirected: str, words: str, code: int) -> None:
    """A shell can close any of the three; the exit code still says what happened."""
    shell = shutil.which("sh")
    assert shell
    line = f'"$0" -m gpt2calc {words} {redirected}'
    ran = subprocess.run([shell, "-c", line, sys.executable], check=False, capture_output=True, env=environment())
    assert (ran.returncode, b"Traceback" in ran.stderr) == (code, False)
    assert len(ran.stderr.splitlines()) <= 1


def test_an_interrupt_ends_with_130_and_without_a_word(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C is no error of the program."""

    def interrupted(*_: Any, **__: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(counting, "count", interrupted)
    assert run("count", "gpt2") == (130, "", "")


def test_an_interrupt_from_outside_ends_with_130() -> None:
    """The signal itself, while the program waits for its reader; a shell that works in the background ignores it."""
    heard = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from gpt2calc.__main__ import run; raise SystemExit(run())"
    )
    words = [sys.executable, "-c", heard, "tensors", "--n-layer", "3000"]
    with subprocess.Popen(
        words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment()
    ) as child:
        assert child.stdout
        assert child.stderr
        child.stdout.readline()
        child.send_signal(signal.SIGINT)
        child.stdout.read()
        assert b"Traceback" not in child.stderr.read()
        assert child.wait(60) == 130


# ---------------------------------------------------------------- help


@pytest.mark.parametrize("words", [("--help",), ("-h",), ()], ids=spoken)
def test_help_lists_commands_examples_and_exit_codes(words: tuple[str, ...], run: Run) -> None:
    """Without words, or asked for help, the whole is shown on standard output."""
    ran = run(*words)
    assert (ran.code, ran.stderr) == (0, "")
    for name, summary in COMMANDS.items():
        assert re.search(rf"^  {name} +{re.escape(summary)}$", ran.stdout, re.MULTILINE)
    assert EXIT_CODES in ran.stdout
    assert "examples:\n  gpt2calc count gpt2\n" in ran.stdout
    assert "--version" in ran.stdout


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_documents_every_option_and_has_examples(command: str, run: Run) -> None:
    """Every argument has a name and a sentence, and there is at least one example of the command itself."""
    for asked in ("--help", "-h"):
        ran = run(command, asked)
        assert (ran.code, ran.stderr) == (0, "")
    flat = " ".join(ran.stdout.split())
    for action in parsers()[command]._actions:
        assert action.help, action
        assert " ".join(action.help.split())[:30] in flat
        assert (
            action.option_strings == [] or action.option_strings[-1] in ran.stdout or action.option_strings[0] in flat
        )
    assert f"examples:\n  gpt2calc {command}" in ran.stdout
    assert ran.stdout.startswith(f"usage: gpt2calc {command} ")


@pytest.mark.parametrize("command", WITH_FIELDS)
def test_help_of_a_command_names_every_field(command: str, run: Run) -> None:
    """Each field has its line, under its own spelling."""
    shown = run(command, "--help").stdout
    for field in SPELLINGS:
        assert re.search(rf"^  --{field.replace('_', '-')}( [A-Z]+)? {{2,}}\S", shown, re.MULTILINE), field


def examples() -> list[str]:
    """Return every example of every help."""
    texts = [build_parser().epilog, *(parser.epilog for parser in parsers().values())]
    lines = [line.strip() for text in texts if text for line in text.splitlines()]
    return sorted({line for line in lines if line.startswith("gpt2calc ")})


def test_there_are_examples_to_run() -> None:
    """Every command has at least two."""
    assert all(sum(line.startswith(f"gpt2calc {command}") for line in examples()) >= 2 for command in COMMANDS)


def test_every_example_of_every_help_runs(run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the commands are lines of docs/cli.md, each of which `test_docs` runs; those of the whole run here."""
    shown = (Path(__file__).parent.parent / "docs" / "cli.md").read_text(encoding="utf-8")
    others = set(examples()) - {line.removeprefix("$ ") for line in shown.splitlines() if line.startswith("$ ")}
    epilog = build_parser().epilog
    assert epilog
    assert others <= {line.strip() for line in epilog.splitlines()}
    (tmp_path / "path" / "to").mkdir(parents=True)
    (tmp_path / "path" / "to" / "config.json").write_bytes(DOCUMENT)
    monkeypatch.chdir(tmp_path)
    for line in others:
        ran = run(*line.split()[1:])
        assert (ran.code, ran.stderr) == (0, ""), line
        assert ran.stdout


def test_version_is_the_packages(run: Run) -> None:
    """One number, in one place."""
    assert run("--version") == (0, f"gpt2calc {gpt2calc.__version__}\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "tcsh"])
def test_completion_is_printed_for_each_shell(shell: str, run: Run) -> None:
    """The script knows every command and their options."""
    ran = run("--print-completion", shell)
    assert (ran.code, ran.stderr) == (0, "")
    for word in (*COMMANDS, "--n-layer", "--format"):
        assert word.removeprefix("--") in ran.stdout


def test_the_completion_for_bash_is_bash(run: Run) -> None:
    """The shell itself reads the script."""
    bash = shutil.which("bash")
    assert bash, "these tests need bash"
    script = run("--print-completion", "bash").stdout
    subprocess.run([bash, "-n"], input=script.encode(), check=True, capture_output=True)


def test_completion_without_shtab_says_how_to_get_it(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    """The package that writes the script is a guest, and its absence is told in a sentence."""
    monkeypatch.setitem(sys.modules, "shtab", None)
    assert run("--print-completion", "bash") == (
        2,
        "",
        f"gpt2calc: completion needs the package shtab: {install('completion')}\n",
    )


def test_heads_that_exclude_each_other_are_not_added_up(run: Run) -> None:
    """No model has a score, a classifier and a summary at once, so no formula holds k·d three times."""
    for words in (("formula", "head"), ("formula", "head", "-q"), ("formula", "head", "--json")):
        ran = run(*words)
        assert ran.code == 0
        assert "3k·d" not in ran.stdout


# ---------------------------------------------------------------- mistakes


MISTAKES: dict[tuple[str, ...], str] = {
    ("cont", "gpt2"): "gpt2calc: no command is called 'cont': did you mean count?",
    ("comapre",): "gpt2calc: no command is called 'comapre': did you mean compare?",
    ("model",): "gpt2calc: no command is called 'model': did you mean models?",
    ("formulas",): "gpt2calc: no command is called 'formulas': did you mean formula?",
    ("COUNT", "gpt2"): "gpt2calc: no command is called 'COUNT': did you mean count?",
    ("frobnicate",): (f"gpt2calc: no command is called 'frobnicate': known are {', '.join(COMMANDS)}"),
    ("gpt2",): "gpt2calc: 'gpt2' is a model and no command: did you mean gpt2calc count gpt2?",
    ("count", "gpt2", "--n-layerz", "3"): "gpt2calc count: there is no option --n-layerz: did you mean --n-layer?",
    ("count", "gpt2", "--jsn"): "gpt2calc count: there is no option --jsn: did you mean --json?",
    ("count", "gpt2", "--convention"): ("gpt2calc count: there is no option --convention: did you mean --conventions?"),
    ("models", "--n-layer", "3"): "gpt2calc models: there is no option --n-layer",
    ("verify", "--", "-x", "-q"): "gpt2calc verify: did not expect -q after --, behind which no word is an option",
    ("count", "gpt2", "xl"): "gpt2calc count: did not expect xl",
    ("compare",): "gpt2calc compare: the following arguments are required: MODEL",
    ("count", "--n-layer"): "gpt2calc count: --n-layer: a value is missing",
}
"""Mistakes in the words themselves, each with its answer, after which the help is named."""


@of_each("words, said", MISTAKES.items())
def test_a_mistake_is_answered_with_what_was_meant(words: tuple[str, ...], said: str, run: Run) -> None:
    """The nearest command or option stands in the message, and where to read more."""
    program_name = said.partition(":")[0]
    assert run(*words) == (2, "", f"{said} (see {program_name} --help)\n")


def test_where_many_names_are_known_the_command_is_given_that_lists_so_many(run: Run) -> None:
    """Models and their other names, which the short list does not have."""
    listed = json.loads(run("models", "--long", "--json").stdout)
    names = {name for each in listed["models"] + listed["others"] for name in (each["name"], *each["aliases"])}
    said = f"gpt2calc models --long lists the {len(names)} names that are known\n"
    assert run("count", "zzzzzzzzzz").stderr.endswith(said)


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        (("count", "gpt2-xll"), "gpt2-xl"),
        (("tensors", "distilgpt"), "distilgpt2"),
        (("compare", "small", "mediun"), "medium"),
        (("formula", "attn"), "attn.c_attn"),
        (("formula", "c_attn"), "attn.c_attn"),
        (("formula", "layernorm"), "layer_norm"),
        (("formula", "mlp.cfc"), "mlp.c_fc"),
        (("formula", "mlp", "--model", "gpt2-xll"), "gpt2-xl"),
    ],
    ids=spoken,
)
def test_a_name_that_is_nearly_right_is_answered_with_the_right_one(
    words: tuple[str, ...], meant: str, run: Run
) -> None:
    """The nearest model, component or group stands in the message."""
    ran = run(*words)
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.endswith(f"did you mean {meant}?\n")


def test_a_config_without_a_command_is_answered_with_the_command(run: Run, tmp_path: Path) -> None:
    """Who gives a file alone is told how to count it."""
    path = tmp_path / "config.json"
    path.write_bytes(DOCUMENT)
    ran = run(str(path))
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.endswith(f"did you mean gpt2calc count {path}? (see gpt2calc --help)\n")


def test_an_unknown_format_is_answered_with_those_there_are(run: Run) -> None:
    """The option, what was given, and every format."""
    ran = run("count", "gpt2", "--format", "xml")
    assert (ran.code, ran.stdout) == (2, "")
    assert ran.stderr.startswith("gpt2calc count: --format: invalid choice: 'xml'")
    assert all(form in ran.stderr for form in FORMATS)


def test_an_option_before_the_command_is_answered_with_the_right_order(run: Run) -> None:
    """`gpt2calc --json count gpt2` is answered with where --json goes, and not with another option."""
    for words in (("--json", "count", "gpt2"), ("--n-layer", "24"), ("-q", "count", "gpt2")):
        ran = run(*words)
        assert (ran.code, ran.stdout) == (2, "")
        assert "command" in ran.stderr
        assert "--version" not in ran.stderr


NONSENSE: dict[str, tuple[str, ...]] = {
    "an empty command": ("",),
    "a space": (" ",),
    "a hyphen": ("-",),
    "two hyphens": ("--",),
    "three hyphens": ("---",),
    "an option alone": ("-x",),
    "a long option alone": ("--frobnicate",),
    "an equals sign": ("=",),
    "a command after hyphens": ("--", "count"),
    "a null": ("count", "a\0b"),
    "a null in a command": ("a\0b",),
    "a line end": ("count", "a\nb"),
    "a line end in a command": ("a\nb",),
    "a line end in a path": ("count", "a\n/b.json"),
    "a colour": ("count", "\x1b[31mred"),
    "a colour in an option": ("count", "--\x1b[31mred"),
    "a line end in an option": ("count", "--a\nb"),
    "a surrogate": ("count", "\udcff"),
    "a surrogate in a path": ("count", "\udcff/x.json"),
    "an emoji": ("count", "💥"),
    "a very long name": ("count", "x" * 100_000),
    "a very long path": ("count", "x/" * 50_000),
    "a very long option": ("count", "--" + "x" * 100_000),
    "an empty model": ("count", ""),
    "a folder without a config": ("count", "/"),
    "an empty device": ("count", "/dev/null"),
    "an endless device": ("count", "/dev/zero"),
    "no such file": ("count", "no/such/config.json"),
    "two models": ("count", "gpt2", "xl"),
    "a model and standard input that is no JSON": ("compare", "gpt2", "-"),
    "standard input that is no JSON": ("count", "-"),
    "standard input for a formula that is no JSON": ("formula", "total", "--model", "-"),
    "standard input for tensors that is no JSON": ("tensors", "-"),
    "a field without a value": ("count", "--n-layer"),
    "a field with an empty value": ("count", "--n-layer", ""),
    "a field with an empty value after its equals sign": ("count", "--n-layer="),
    "a word for a number": ("count", "--n-layer", "many"),
    "not a number": ("count", "--n-layer", "nan"),
    "a fraction": ("count", "--n-layer", "1.5"),
    "a negative exponent": ("count", "--n-layer", "1e-3"),
    "no width": ("count", "--n-embd", "0"),
    "a negative width": ("count", "--n-embd", "-768"),
    "no vocabulary": ("count", "--vocab", "0"),
    "negative layers": ("count", "--n-layer=-1"),
    "padding to a multiple of nothing": ("count", "--pad-vocab", "0"),
    "heads that do not divide": ("count", "--n-head", "7"),
    "no heads": ("count", "--n-head", "0"),
    "1,001 digits": ("count", "--n-layer", "9" * 1001),
    "5,000 digits": ("count", "--n-layer", "9" * 5000),
    "minus 5,000 digits": ("count", "--n-layer", "-" + "9" * 5000),
    "a head that does not exist": ("count", "--head", "lmm"),
    "a summary that does not exist": ("count", "--summary-type", "attn"),
    "a switch with a value": ("count", "--bias=yes"),
    "a switch with a value as a word": ("count", "--bias", "gpt2", "no"),
    "contradictory fields": ("count", "--n-layer", "1", "--layers", "2"),
    "contradictory switches": ("count", "--tied", "--no-tie-weights"),
    "a format that does not exist": ("count", "gpt2", "--format", "yaml"),
    "a format without a name": ("count", "gpt2", "--format"),
    "--json with a value": ("count", "gpt2", "--json=yes"),
    "an abbreviated option": ("count", "gpt2", "--conv"),
    "--per-block of a comparison": ("compare", "gpt2", "--per-block"),
    "nothing to compare": ("compare",),
    "standard input twice": ("compare", "-", "-"),
    "one model of three unknown": ("compare", "gpt2", "gpt2-xll", "xl"),
    "a component that does not exist": ("formula", "frob"),
    "an empty component": ("formula", ""),
    "a component of a model that does not exist": ("formula", "mlp", "--model", "gpt7"),
    "two components": ("formula", "mlp", "attention"),
    "two models for models": ("models", "gpt2", "xl"),
    "more tensors than are listed": ("tensors", "--n-layer", "9999999999"),
    "a completion for no shell": ("--print-completion",),
    "a completion for an unknown shell": ("--print-completion", "fish"),
}
"""What nobody means, each with what is special about it."""


@of_each("words", NONSENSE.values(), ids=NONSENSE)
def test_nonsense_is_answered_in_one_line(words: tuple[str, ...], run: Run) -> None:
    """Exit code 2 or 3, nothing on standard output, and one printable sentence that begins with the program's name."""
    ran = run(*words, stdin=b"\x00 this is no JSON")
    assert ran.code in (2, 3)
    assert ran.stdout == ""
    (line,) = ran.stderr.split("\n")[:-1]
    assert line.startswith(("gpt2calc: ", *(f"gpt2calc {command}: " for command in COMMANDS)))
    assert line.isprintable()


def test_there_is_enough_nonsense() -> None:
    """Sixty cases at least, none twice."""
    assert len(set(NONSENSE.values())) == len(NONSENSE) >= 60


UNREADABLE = [
    ("nothing", b""),
    ("a null", b"\x00"),
    ("an array", b"[]"),
    ("UTF-16", '{"n_layer": 1}'.encode("utf-16")),
    ("cut off", b'{"n_layer": 1'),
    ("two values", b'{"n_layer": 1, "n_layer": 2}'),
    ("a BERT", b'{"model_type": "bert"}'),
    ("an unknown field", b'{"n_layrs": 1}'),
    ("an unknown field with a line end", b'{"n\\nlayrs\\u001b[31m": 1}'),
    ("a string for a size", b'{"n_layer": "1"}'),
    ("true for a size", b'{"n_layer": true}'),
    ("nested too deeply", b"[" * 100_000),
    ("5,000 digits", b'{"n_layer": ' + b"9" * 5000 + b"}"),
    ("minus 5,000 digits", b'{"n_layer": -' + b"9" * 5000 + b"}"),
    ("contradiction", b'{"n_layer": 1, "depth": 2}'),
    ("heads that do not divide", b'{"n_embd": 10, "n_head": 3}'),
    ("too long", b" " * (16 * 2**20 + 1)),
]


@of_each("content", [content for _, content in UNREADABLE], ids=[name for name, _ in UNREADABLE])
def test_an_unreadable_input_ends_with_3_in_one_line(content: bytes, run: Run) -> None:
    """What comes from a file or a pipe is input, whatever is wrong in it, and the message names where it came from."""
    ran = run("count", "-", stdin=content)
    assert (ran.code, ran.stdout) == (3, "")
    (line,) = ran.stderr.split("\n")[:-1]
    assert line.startswith("gpt2calc count: standard input: ")
    assert line.isprintable()
    assert len(line) < 600


@pytest.mark.parametrize(
    ("words", "code"),
    [
        (("count", "gpt2"), 0),
        (("count", "--help"), 0),
        (("--version",), 0),
        ((), 0),
        (("count", "gpt9"), 2),
        (("count", "--n-layer", "x"), 2),
        (("count", "--n-layer", "-1"), 2),
        (("count", "--frob"), 2),
        (("frob",), 2),
        (("count", "no/such/file.json"), 3),
        (("count", "/"), 3),
        (("count", "-"), 3),
    ],
    ids=spoken,
)
def test_exit_codes_of_the_program_are_those_that_help_documents(
    words: tuple[str, ...], code: int, program: Program
) -> None:
    """The process itself ends with the code, and with a traceback never."""
    ran = program(*words)
    assert ran.returncode == code
    assert re.search(rf"^  {code}  \S", EXIT_CODES, re.MULTILINE)
    assert b"Traceback" not in ran.stderr
    assert (ran.stdout == b"") == (code != 0)
    assert (ran.stderr == b"") == (code == 0)


def test_none_takes_an_optional_field_back(run: Run) -> None:
    """A model that gives n_inner gets an MLP of 4·n_embd again; a field that must be there refuses none."""
    assert run("count", "Cerebras-GPT-111M", "--n-embd", "1536", "--n-inner", "none", "-q").stdout == (
        run("count", "Cerebras-GPT-111M", "--n-embd", "1536", "--n-inner", "6144", "-q").stdout
    )
    assert run("count", "--n-layer", "none") == (
        2,
        "",
        "gpt2calc count: n_layer must be a whole number, 0 or more, got null\n",
    )


# ---------------------------------------------------------------- values that are none


@pytest.mark.parametrize("command", COMMANDS)
def test_two_dashes_are_no_value_of_any_option(command: str, run: Run) -> None:
    """The parser of Python drops them, and gives what then happens: a traceback, or an empty list for a word."""
    parser = Parser(prog=f"gpt2calc {command}")
    import_module(f"gpt2calc.cli.{command}").configure(parser)
    for option in parser.options():
        for word in {f"{option}=--", f"{option}--" if option[1] != "-" else f"{option}=--"}:
            ran = run(command, word)
            assert (ran.code, ran.stdout) == (2, ""), word
            assert ran.stderr.startswith(f"gpt2calc {command}: {option}: a value is missing ("), ran.stderr


def test_an_answer_has_one_format(run: Run) -> None:
    """Two that differ contradict each other, as fields do; one that is said twice does not."""
    for words in (("--json", "--format", "csv"), ("--format=csv", "--json"), ("--format=latex", "--format=markdown")):
        ran = run("count", "gpt2", *words)
        assert (ran.code, ran.stdout) == (2, "")
        assert "an answer has one format, got " in ran.stderr
    assert json.loads(run("count", "gpt2", "--json", "--format", "json").stdout)["total"] == 124439808
