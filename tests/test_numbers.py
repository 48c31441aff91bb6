"""One grammar of numbers and one of ranges: what is read, what is refused, and that every border reads alike."""

from __future__ import annotations

import json
import math
import re
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest
import torch

import gpt2calc
from gpt2calc import figures, numbers, ranges
from gpt2calc.designs import targets
from gpt2calc.errors import ConfigError, UnknownNameError, UnreadableInputError
from gpt2calc.explanation import printed
from tests.loops import of_each

if TYPE_CHECKING:
    from tests.conftest import Run

CASES = json.loads((Path(__file__).parent / "data" / "numbers.json").read_text(encoding="utf-8"))
READ = {**CASES["plain"], **CASES["shown"]}


# As people type them


@of_each("text", READ)
def test_a_number_is_read_as_it_is_typed(text: str) -> None:
    """Exactly; what is not one by the rules is none."""
    found = numbers.typed(text)
    assert (found and found.whole) == (int(READ[text]) if READ[text] else None)
    assert not found or found.is_plain == (text in CASES["plain"])


@of_each("text", CASES["refused"])
def test_what_is_no_whole_number_is_none(text: Any) -> None:
    """Whatever looks like one."""
    found = numbers.typed(text)
    assert found is None or found.whole is None
    assert numbers.whole(text) == text
    with pytest.raises(ConfigError, match=r"^n_layer must be a whole number, 0 or more, got "):
        gpt2calc.count(n_layer=text)


def test_a_number_that_is_not_whole_is_told(run: Run) -> None:
    """With what it would be."""
    said = "--n-layer takes a whole number, got '1.2345k', which is 1234.5"
    assert run("count", "--n-layer", "1.2345k").stderr == f"gpt2calc count: {said} (see gpt2calc count --help)\n"
    assert numbers.told("1e-3") == "'1e-3', which is 0.001"
    assert numbers.told("1.5") == "'1.5'"


@pytest.mark.parametrize("text", ["nan", "inf", "x", "1e400", "0x10"])
def test_a_number_that_need_not_be_whole_is_read_by_the_same_grammar(text: str, run: Run) -> None:
    """The width of a picture, in inches."""
    said = f"--width: takes a number, got '{text}' (see gpt2calc plot --help)"
    assert run("plot", "shares", "--width", text).stderr == f"gpt2calc plot: {said}\n"


@pytest.mark.parametrize("text", ["9" * 1001, "9" * 5000, "1e1000", "1e9999", "9^9999", "-" + "9" * 5000])
def test_a_number_of_too_many_digits_is_a_number(text: Any) -> None:
    """What is refused is its length."""
    found = numbers.typed(text)
    assert found
    assert abs(found.value) == 10**1000
    problem = "must be a whole number, 0 or more, got -1000" if text[0] == "-" else "must have at most 1000 digits"
    with pytest.raises(ConfigError, match=f"^n_layer {problem}"):
        gpt2calc.count(n_layer=text)


def test_the_reading_is_shown_where_it_is_not_what_was_typed(run: Run) -> None:
    """By every command, and in the notes of Python; never with -q."""
    assert run("count", "--vocab", "50k").stderr == "note: vocab=50k is read as 50,000\n"
    assert run("count", "--vocab", "50k", "-q").stderr == ""
    assert run("count", "--vocab", "50,257").stderr == ""
    assert "note: vocab=50k is read as 50,000\n" in run("design", "--params", "3M", "--vocab", "50k").stderr
    assert run("sweep", "--vocab", "50k,64k").stderr == "note: vocab=50k,64k is read as 50000,64000\n"
    assert gpt2calc.count("gpt2", n_layer=WHOLE["float"]).notes == ("n_layer=12.0 is read as 12",)
    assert gpt2calc.sweep(n_layer="1e1:12").notes == ("n_layer=1e1:12 is read as 10:12",)


# As programs hold them

WHOLE: dict[str, Any] = {
    "int": 12,
    "text": "12",
    "float": 12.0,
    "Decimal": Decimal("12.0"),
    "Fraction": Fraction(24, 2),
    "np.int64": np.int64(12),
    "np.uint8": np.uint8(12),
    "np.float32": np.float32(12),
    "an array without dimensions": np.array(12),
    "a tensor without dimensions": torch.tensor(12),
    "a float tensor": torch.tensor(12.0),
}
NOT_WHOLE = {
    "a truth": True,
    "numpy's truth": np.bool_(1),
    "torch's truth": torch.tensor(data=True),
    "12.5": 12.5,
    "not a number": math.nan,
    "infinity": math.inf,
    "a float without an end": 1e23,
    "a decimal that would fill the memory": Decimal("1e999999999"),
    "no decimal": Decimal("nan"),
    "a fraction": Fraction(1, 3),
    "a complex number": 12j,
    "bytes": b"12",
    "a type": torch.bfloat16,
    "a tensor on meta": torch.tensor(12, device="meta"),
    "a mapping": {"n": 12},
    "a function": len,
}


@pytest.mark.parametrize("kind", WHOLE)
def test_an_exact_whole_number_of_any_type_is_taken_at_every_border(kind: str) -> None:
    """As the int it is."""
    twelve = WHOLE[kind]
    wanted = gpt2calc.count("gpt2").total
    assert gpt2calc.Config(n_layer=twelve) == gpt2calc.Config(n_layer=12)
    assert gpt2calc.count(n_layer=twelve).total == gpt2calc.count("gpt2", layers=twelve).total == wanted
    assert gpt2calc.compare("gpt2", n_layer=twelve)[0].total == wanted
    assert gpt2calc.sweep(n_layer=twelve)["total"].tolist() == [wanted]
    assert gpt2calc.sweep(n_layer=[twelve, twelve])["total"].tolist() == [wanted] * 2
    assert gpt2calc.explain(124439808, n_layer=twelve)[0].value == wanted
    assert gpt2calc.design("124M", n_layer=twelve, n_embd=768, top=1)[0].total == wanted
    assert len(gpt2calc.design("124M", n_layer=[1, 2, twelve], head_size=64, top=twelve)) == 12


@of_each("kind", NOT_WHOLE)
def test_what_is_no_whole_number_is_refused_at_every_border(kind: str) -> None:
    """In a sentence that names the field."""
    value: Any = NOT_WHOLE[kind]
    for ask in (
        lambda: gpt2calc.Config(n_layer=value),
        lambda: gpt2calc.count(n_layer=value),
        lambda: gpt2calc.count({"n_layer": value}),
        lambda: gpt2calc.compare("gpt2", n_layer=value),
        lambda: gpt2calc.sweep(n_layer=value),
        lambda: gpt2calc.sweep(n_layer=[value]),
        lambda: gpt2calc.design("124M", n_layer=value),
        lambda: gpt2calc.design("124M", n_layer=[value, 2]),
        lambda: gpt2calc.explain("124M", n_layer=value),
    ):
        with pytest.raises(gpt2calc.Gpt2calcError, match="n_layer"):
            ask()
    for ask in (lambda: gpt2calc.design(value), lambda: gpt2calc.design("124M", top=value)):
        with pytest.raises(gpt2calc.Gpt2calcError, match=r"^(params|top) "):
            ask()


def test_a_document_says_numbers_without_quotes(tmp_path: Path) -> None:
    """Text in a config.json is refused, and 768.0 is 768, with a note."""
    for document in ({"n_layer": "12"}, {"model_type": "gpt2", "n_layer": "12"}):
        with pytest.raises(ConfigError, match=r"^n_layer must be a whole number, 0 or more, got '12'$"):
            gpt2calc.count(document)
    path = tmp_path / "config.json"
    path.write_text('{"model_type": "gpt2", "n_layer": 12, "n_embd": 768.0, "vocab_size": 1e3, "n_positions": 8}')
    found = gpt2calc.count(path)
    assert (found.dims.n_embd, found.dims.vocab_size) == (768, 1000)
    assert found.notes == ("n_embd=768.0 is read as 768", "vocab_size=1000.0 is read as 1,000")
    assert gpt2calc.count(path, n_layer=1).dims.n_embd == 768
    path.write_text('{"n_layer": 1e400}')
    with pytest.raises(UnreadableInputError, match=r"n_layer must be a whole number, 0 or more, got inf$"):
        gpt2calc.count(path)


def test_figures_are_taken_as_numbers_of_any_type() -> None:
    """And what is none gets a sentence."""
    numbers_of_gpt2: list[Any] = [
        *(124439808, 124439808.0, np.int64(124439808), torch.tensor(124439808)),
        *(["124439808"], np.array([124439808])),
    ]
    for given in numbers_of_gpt2:
        assert gpt2calc.explain(given, "gpt2")[0].value == 124439808
    assert gpt2calc.explain(1.5e9).figures[0].figure.text == "1500000000"
    none: list[Any] = [1.5, True, math.nan, len, [None], [[1]], b"117M"]
    for value in none:
        with pytest.raises(ConfigError, match=r"^expected a figure such as 117M"):
            gpt2calc.explain(value)
    empty: list[Any] = [(), "", {}, None, "none"]
    for value in empty:
        with pytest.raises(ConfigError, match="figure"):
            gpt2calc.explain(value)
    for target in (3.5e8, np.float64(3.5e8), Decimal(350_000_000), "3.5e8", "10^6"):
        assert gpt2calc.design(target, n_layer=24, top=1)[0].total  # type: ignore[arg-type]


def test_a_word_that_is_meant_for_a_figure_is_no_model(run: Run) -> None:
    """117X has no unit that there is."""
    said = "expected a figure such as 117M, 137,022,720, 0.186B or 548 MB, got '117X'"
    assert run("explain", "117X").stderr == f"gpt2calc explain: {said}\n"


@pytest.mark.parametrize("text", ["3.14e23", "3.14 × 10^23", "3.14*10**23", "3.14·10^23"])
def test_a_figure_in_powers_of_ten_is_one_figure(text: str) -> None:
    """In claims, in designs and where it is explained; 355 billion of them has a unit besides."""
    assert figures.read(text).low == figures.read("3.14e23").low
    (figure,) = printed.find(f"about {text} parameters")
    assert (figure.digits, figure.decimals, figure.power) == (314, 2, 23)
    assert targets.read(text, None).value == 314 * 10**21


# Everything else that is given to Python's functions


def test_every_error_of_a_wrong_type_is_a_sentence() -> None:
    """No TypeError, AttributeError or KeyError comes out, whatever is handed in."""
    column = pd.Series([12, 24])
    assert gpt2calc.sweep(n_layer=column)["n_layer"].tolist() == [12, 24]
    assert gpt2calc.sweep(n_layer=torch.tensor([12, 24]))["n_layer"].tolist() == [12, 24]
    wrong: list[Any] = [
        lambda: gpt2calc.sweep(n_layer=column.astype(float)),
        lambda: gpt2calc.sweep(where=lambda x: x),  # type: ignore[arg-type]
        lambda: gpt2calc.sweep(columns=5),  # type: ignore[arg-type]
        lambda: gpt2calc.sweep(columns=[5]),  # type: ignore[list-item]
        lambda: gpt2calc.sweep(sort=5),  # type: ignore[arg-type]
        lambda: gpt2calc.sweep(top="x"),  # type: ignore[arg-type]
        lambda: gpt2calc.sweep(top=True),
        lambda: gpt2calc.design(fits="24GB", dtype=torch.bfloat16),  # type: ignore[arg-type]
        lambda: gpt2calc.design("350M", convention=5),  # type: ignore[arg-type]
        lambda: gpt2calc.formula(5),  # type: ignore[arg-type]
        lambda: gpt2calc.count("gpt2").conventions["untieed"],
        lambda: gpt2calc.count("gpt2").groups["mpl"],
        lambda: gpt2calc.count("gpt2")["wpee"],
        lambda: gpt2calc.sweep()["totl"],
        lambda: f"{gpt2calc.count('gpt2'):x y}",
    ]
    for ask in wrong:
        with pytest.raises(gpt2calc.Gpt2calcError):
            ask()
    with pytest.raises(UnknownNameError, match="no convention is called 'untieed': did you mean untied"):
        gpt2calc.count("gpt2").conventions["untieed"]


def test_a_count_is_written_as_its_total() -> None:
    """In an f-string with a format."""
    assert f"{gpt2calc.count('gpt2'):,}" == "124,439,808"
    assert f"{gpt2calc.count('gpt2')}".startswith("<ParameterCount gpt2")


# Ranges


@of_each(
    "text, values",
    [
        ("12", [12]),
        ("12:96:12", list(range(12, 97, 12))),
        ("12:95:12", list(range(12, 85, 12))),
        ("1:4,8,16", [1, 2, 3, 4, 8, 16]),
        ("5:1:-2", [5, 3, 1]),
        ("5:5", [5]),
        (" 768 , 1_024 ", [768, 1024]),
        ("768,1024,1280", [768, 1024, 1280]),
        ("12,24:48:12", [12, 24, 36, 48]),
        ("50, 257", [50, 257]),
        ("50_257", [50257]),
        ("50_257,50_304", [50257, 50304]),
        ("64, 128", [64, 128]),
        ("1k:2k:500", [1000, 1500, 2000]),
        ("1e3,2**11", [1000, 2048]),
        ("2 million", [2_000_000]),
        ("0,12", [0, 12]),
        ("3,3", [3, 3]),
    ],
)
def test_values_are_read_as_people_write_them(text: str, values: list[int]) -> None:
    """The stop is one of them where a step hits it."""
    assert list(ranges.read("n_layer", text)) == values


@pytest.mark.parametrize(
    ("text", "one", "several", "spelled"),
    [
        ("50,257", "50257", "50 and 257", "50, 257"),
        ("1,024", "1024", "1 and 24", "1, 24"),
        ("12,345,678", "12345678", "12, 345 and 678", "12, 345, 678"),
        ("100,200", "100200", "100 and 200", "100, 200"),
        ("100 200", "100200", "100 and 200", "100, 200"),
        ("1:4,128", "1:4128", "1:4 and 128", "1:4, 128"),
        ("1,024:2,048", "1024:2048", "1, 24:2 and 48", "1, 24:2, 48"),
        ("50,257, 50,304", "50257, 50304", "50, 257, 50 and 304", "50, 257, 50, 304"),
    ],
)
def test_what_may_be_a_number_or_a_list_is_refused_with_both(text: str, one: str, several: str, spelled: str) -> None:
    """Each of which is then read as what it is."""
    said = f"vocab '{text}' may be {one} or a list of {several}: give {one}, or '{spelled}' with a blank"
    for ask in (
        lambda: ranges.read("vocab", text),
        lambda: gpt2calc.sweep(vocab=text),
        lambda: gpt2calc.design("1M", pad=text, n_layer=text),
    ):
        with pytest.raises(ConfigError) as caught:
            ask()
        assert str(caught.value).partition(" ")[2] == said.partition(" ")[2]
    assert ranges.read("vocab", one)
    if "24:2" not in spelled:  # which counts down
        assert ranges.length(ranges.read("vocab", spelled)) > 1


@of_each(
    "text, message",
    [
        ("", "n_layer takes whole numbers, as 12, 768,1024 or 12:96:12, got ''"),
        ("12:", "got '12:'"),
        ("1:2:3:4", "got '1:2:3:4'"),
        ("12,,24", "got '12,,24'"),
        ("50, ", "got '50, '"),
        ("1.5", "got '1.5'"),
        ("1.2345k,2k", "got '1.2345k', which is 1234.5"),
        ("1,024,2048", "n_layer '1,024,2048' has a part that begins with 0: is 024 the end of a number, or 24?"),
        ("1:9:0", "n_layer has a step of 0 in '1:9:0'"),
        ("9:1", "n_layer does not get from 9 to 1 in '9:1': 9:1:-1 counts down"),
        ("1:9:-2", "n_layer does not get from 1 to 9 in '1:9:-2': a step of 2 goes there"),
        ("1:100000000,7", "n_layer lists more than 10,000,000 values; one start:stop:step can be longer"),
        ("9" * 5000 + ":1", "n_layer does not get from 1000"),
    ],
)
def test_wrong_values_are_told_in_a_sentence(text: str, message: str) -> None:
    """With what was typed, in a message that is no longer for it."""
    with pytest.raises(ConfigError) as caught:
        ranges.read("n_layer", text)
    assert message in str(caught.value)
    assert len(str(caught.value)) < 500


def test_a_range_can_be_longer_than_len_can_say() -> None:
    """Only its length is computed, never the range itself."""
    assert ranges.length(ranges.read("n_layer", f"1:{10**20}")) == 10**20


@pytest.mark.parametrize("text", ["12,24:48:12", "6:8", "12", "24:12:-6"])
def test_a_range_is_read_alike_everywhere(text: str, run: Run) -> None:
    """By sweep and design, in the command line and in Python."""
    sizes = list(ranges.read("n_layer", text))
    swept = run("sweep", "--n-layer", text, "--columns", "n_layer", "--format", "csv").stdout.split()[1:]
    assert list(map(int, swept)) == gpt2calc.sweep(n_layer=text)["n_layer"].tolist() == sizes
    designed = run("design", "--params", "124M", f"--n-layer={text}", "--json").stdout
    found = {each["config"]["n_layer"] for each in json.loads(designed)["designs"]}
    assert found == {each.dims.n_layer for each in gpt2calc.design("124M", n_layer=text)}
    assert found <= set(sizes)


def test_what_is_written_is_read_again() -> None:
    """Also where it could be taken for a number."""
    for values in (range(6, 49), range(6, 49, 6), (64, 128), (768, 1024), (12,)):
        assert list(ranges.read("x", ranges.written(values))) == list(values)


def test_one_number_has_digit_groups_and_a_list_is_none(run: Run) -> None:
    """`count --vocab 50,257` is one, and what sweep silently took apart is refused."""
    assert run("count", "--vocab", "50,257", "-q").stdout == "124439808\n"
    for words in (("--vocab", "50,257"), ("--n-embd", "1,024")):
        ran = run("sweep", *words)
        assert (ran.code, ran.stdout) == (2, "")
        assert " may be " in ran.stderr
    assert run("sweep", "--vocab", "50, 257", "-q").stdout == "85880832\n86039808\n"


# No second reader

DIGITS = re.compile(
    r"\\d|\btype=float\b|\[0-9\]|\bis(?:decimal|digit|numeric)\(|\bint\((?:text|word|words|typed|given|top)\)"
)
READERS = {
    "numbers.py": "the reader of numbers",
    "ranges.py": "the reader of ranges",
    "figures.py": "the reader of printed figures",
    "explanation/printed.py": "what stands around a figure in a text",
    "errors.py": "digits in names, which no slip changes",
    "cli/options.py": "COLUMNS, which the shell sets",
    "reports/text.py": "numbers, which no line breaks within",
    "projects.py": "words of other projects, which stand for no size where they begin with a letter",
    "examples.py": "numbers of layers within names of modules",
    "reports/csv.py": "cells that a spreadsheet takes for formulas",
    "adapters.py": "numbers of layers within names of modules",
    "stored.py": "numbers of layers within names of modules",
    "webpage/translation.py": "names that it gave itself",
    "sweeps/readers.py": "columns of plain digits, millions of them, which Arrow reads at once",
}
"""Each file that may say what a digit is, and why."""


def test_there_is_no_second_reader_of_numbers() -> None:
    """Checkpoints, dialects and what verifies them read names and bytes, and no numbers of people."""
    root = Path(gpt2calc.__file__).parent
    rooms = ("checkpoints", "dialects", "verification")
    files = {path.relative_to(root) for path in root.rglob("*.py")}
    found = {
        str(path)
        for path in files
        if path.parts[0] not in rooms and DIGITS.search((root / path).read_text(encoding="utf-8"))
    }
    assert found == set(READERS)
