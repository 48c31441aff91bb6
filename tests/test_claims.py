"""Claims: every one of the article's, with the exact numbers and verdicts written out, and what the command does."""

from __future__ import annotations

import csv
import io
import json
import sys
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import gpt2calc
from gpt2calc.claims import files
from gpt2calc.cli import main
from gpt2calc.figures import VERDICTS
from gpt2calc.reports import text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from gpt2calc.claims.judgement import JudgedClaim
    from tests.conftest import Run

TOTALS = (124439808, 354823168, 774030080, 1557611200)
WIDTHS = (768, 1024, 1280, 1600)
ATTENTION = (28348416, 100761600, 236113920, 491827200)
MLP = (56669184, 201449472, 472089600, 983424000)
LAYER_NORM = (38400, 100352, 186880, 310400)
EMBEDDING = (39383808, 52511744, 65639680, 82049600)
BIASES = (102144, 271360, 508160, 846400)
"""The four sizes, counted by transformers on torch's meta device."""

TRUE, ROUNDED, CUT_OFF, FALSE = VERDICTS


def over(parts: Sequence[int], wholes: Sequence[int]) -> list[Fraction]:
    """Return quotients."""
    return [Fraction(part, whole) for part, whole in zip(parts, wholes, strict=True)]


ARTICLE: dict[str, tuple[Sequence[Fraction | int], Sequence[str]]] = {
    "totals": (TOTALS, [ROUNDED, ROUNDED, ROUNDED, CUT_OFF]),
    "untied": ([163037184], [ROUNDED]),
    "unembedding": ([38597376], [CUT_OFF]),
    "tied-from-untied": ([124439808], [TRUE]),
    "one-matrix": ([0] * 4, [TRUE] * 4),
    "weights-share": (over([t - b for t, b in zip(TOTALS, BIASES, strict=True)], TOTALS), [ROUNDED] * 4),
    "biases-share": (over(BIASES, TOTALS), [TRUE] * 4),
    "attention-by-name": (ATTENTION, [TRUE] * 4),
    "mlp-by-name": (MLP, [TRUE] * 4),
    "layernorm-by-name": (LAYER_NORM, [TRUE] * 4),
    "attention-share": (over(ATTENTION, TOTALS), [CUT_OFF] * 4),
    "mlp-share": (over(MLP, TOTALS), [CUT_OFF] * 4),
    "mlp-to-attention": ([Fraction(8 * d + 5, 4 * d + 4) for d in WIDTHS], [ROUNDED] * 4),
    "layernorm-count": (LAYER_NORM, [TRUE, ROUNDED, FALSE, FALSE]),
    "layernorm-share": (over(LAYER_NORM, TOTALS), [FALSE] * 4),
    "layernorm-balance": ((19200, 50176, 93440, 155200), [TRUE] * 4),
    "embedding-once": (EMBEDDING, [TRUE] * 4),
    "embedding-fixed": (EMBEDDING, [FALSE] * 4),
    "attention-linear": (ATTENTION, [TRUE] * 4),
    "mlp-linear": (MLP, [TRUE] * 4),
    "attention-grows": (over(ATTENTION, TOTALS), [TRUE] * 4),
    "mlp-grows": (over(MLP, TOTALS), [TRUE] * 4),
}
"""Each claim with its exact numbers, from the smallest size to the largest, and the verdicts."""

SHOWN = {
    "weights-share": ("99.918 %", "99.924 %", "99.934 %", "99.946 %"),
    "biases-share": ("0.082 %", "0.076 %", "0.066 %", "0.054 %"),
    "attention-share": ("22.78 %", "28.40 %", "30.50 %", "31.58 %"),
    "mlp-share": ("45.54 %", "56.77 %", "60.99 %", "63.14 %"),
    "mlp-to-attention": ("1.9990", "1.9993", "1.9994", "1.9995"),
    "layernorm-share": ("0.0309 %", "0.0283 %", "0.0241 %", "0.0199 %"),
}
"""What a table shows of those that are not whole."""

ONE = """
[[claim]]
id = "size"
says = "gpt2 has 117 million parameters"
quantity = "total"
models = ["gpt2"]
claimed = "117M"
source = "its paper"
note = "a count that was withdrawn"
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    """Give the path of a file with one claim, which is false."""
    path = tmp_path / "claims.toml"
    path.write_text(ONE, encoding="utf-8")
    return str(path)


def article(name: str) -> JudgedClaim:
    """Return one claim of the article."""
    return gpt2calc.check_claims()[name]


# What the article claims


def test_every_claim_of_the_article_is_written_out_here() -> None:
    """No claim is added or dropped without its numbers."""
    assert [each.claim.id for each in gpt2calc.check_claims()] == list(ARTICLE)


@pytest.mark.parametrize("name", ARTICLE)
def test_a_claim_of_the_article_is_recomputed_exactly_and_judged(name: str) -> None:
    """The numbers are equal as fractions, without a tolerance; the verdicts are the known ones."""
    exact, verdicts = ARTICLE[name]
    judged = article(name).judgements
    assert [each.value.exact for each in judged] == [Fraction(number) for number in exact]
    assert [each.verdict for each in judged] == list(verdicts)
    assert [each.model for each in judged] == ["small", "medium", "large", "xl"][: len(exact)]


@pytest.mark.parametrize("name", SHOWN)
def test_shares_and_ratios_are_shown_in_two_digits_more_than_were_claimed(name: str) -> None:
    """As many as it takes to see whether a figure was rounded or cut off, and at least four for a ratio."""
    assert tuple(each.exact.text() for each in article(name).judgements) == SHOWN[name]  # type: ignore[union-attr]  # these are not whole


def test_the_numbers_above_are_those_that_counting_gives() -> None:
    """A test of the test: they are the totals of the formulas as well."""
    counts = [gpt2calc.count(size) for size in ("small", "medium", "large", "xl")]
    assert tuple(each.total for each in counts) == TOTALS
    assert tuple(each.biases for each in counts) == BIASES
    for name, numbers in {"attention": ATTENTION, "mlp": MLP, "layer_norm": LAYER_NORM, "embedding": EMBEDDING}.items():
        assert tuple(each.groups[name].total for each in counts) == numbers


def test_the_notes_of_the_article_are_right() -> None:
    """The numbers in them follow from the exact ones."""
    assert round(Fraction(38597376, 10**6)) == 39
    assert "rounded it is 39M" in article("unembedding").claim.note
    assert 163 - 38 == 125
    assert "(8d + 5)/(4d + 4)" in article("mlp-to-attention").claim.note
    shares = [f"{100 * share:.1f}" for share in map(float, over(EMBEDDING, TOTALS))]
    assert f"from {shares[0]} % to {shares[-1]} %" in article("embedding-fixed").claim.note
    hundredths = [round(10000 * share) for share in over(LAYER_NORM, TOTALS)]
    assert (min(hundredths), max(hundredths)) == (2, 3)


def test_the_claims_are_data_and_are_found_beside_the_code() -> None:
    """The file ships with the package, and is read as any other is."""
    assert Path(files.ARTICLE).parent == Path(files.__file__).parent
    again = gpt2calc.check_claims(files.ARTICLE)
    assert again.to_dict() == gpt2calc.check_claims(Path(files.ARTICLE)).to_dict() == gpt2calc.check_claims().to_dict()


# The report


def test_a_report_is_a_collection_of_claims() -> None:
    """It has a length, is walked, and gives a claim by its id, or names the nearest."""
    report = gpt2calc.check_claims()
    assert len(report) == len(list(report)) == len(ARTICLE)
    assert report["untied"].claim.quantity.text == "convention.untied"
    with pytest.raises(gpt2calc.UnknownNameError, match="no claim is called 'total': did you mean totals"):
        report["total"]


def test_a_report_counts_its_verdicts() -> None:
    """Each is there, in the same order, and they add up to the judgements."""
    report = gpt2calc.check_claims()
    found = [verdict for _, verdicts in ARTICLE.values() for verdict in verdicts]
    assert report.verdicts == {verdict: found.count(verdict) for verdict in VERDICTS}
    assert list(report.verdicts) == list(VERDICTS)
    assert repr(report) == (
        "<ClaimReport the article on counting GPT-2's parameters: 22 claims, "
        "46 true, 13 true as rounded, 10 true as cut off, 10 false>"
    )


def test_a_report_holds_where_no_claim_is_false(own: str) -> None:
    """The article's does not, because of three claims, and neither does one claim that is false."""
    report = gpt2calc.check_claims()
    assert [each.claim.id for each in report if not each.holds] == [
        "layernorm-count",
        "layernorm-share",
        "embedding-fixed",
    ]
    assert not report.holds
    assert not gpt2calc.check_claims(own).holds
    Path(own).write_text(ONE.replace("117M", "124M"), encoding="utf-8")
    assert gpt2calc.check_claims(own).holds


def test_a_notebook_shows_the_tables() -> None:
    """As HTML, with the verdicts."""
    assert ">true as truncated</td>" in gpt2calc.check_claims()._repr_html_()


def test_the_words_the_note_and_the_source_are_shown(own: str, run: Run) -> None:
    """Under each other, beside the claim that they belong to."""
    lines = run("claims", "--file", own).stdout.splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("size   total "))
    assert [line.split("  ")[-1].strip() for line in lines[place : place + 3]] == [
        "gpt2 has 117 million parameters",
        "note: a count that was withdrawn",
        "source: its paper",
    ]


def test_the_json_holds_exact_integers(run: Run) -> None:
    """A share is its part and its whole, and what the table shows."""
    claims = {each["id"]: each for each in json.loads(run("claims", "--json").stdout)["claims"]}
    assert claims["attention-share"]["judgements"][0] == {
        "model": "small",
        "claimed": "~22 %",
        "exact": "22.78 %",
        "part": 28348416,
        "whole": 124439808,
        "verdict": "true as cut off",
    }
    assert claims["mlp-by-name"]["judgements"][3]["claimed"] == "equals 983,424,000"
    assert claims["mlp-by-name"]["equals"] == "mlp"
    assert claims["embedding-fixed"]["over_models"] == claims["embedding-fixed"]["judgements"][0]["claimed"] == "same"
    assert claims["embedding-once"]["over_blocks"] == "once"


def test_the_csv_has_a_row_for_each_judgement_and_starts_no_formula(run: Run) -> None:
    """Every cell is filled, and none begins with what a spreadsheet would compute."""
    rows = list(csv.DictReader(io.StringIO(run("claims", "--format", "csv").stdout)))
    assert len(rows) == sum(len(verdicts) for _, verdicts in ARTICLE.values())
    cells = [cell for row in rows for cell in row.values()]
    assert all(cells)
    assert not [cell for cell in cells if cell[0] in "=+-@"]


# The command


def test_quiet_prints_a_line_for_each_verdict(run: Run) -> None:
    """The claim, the model and the verdict, so that grep finds what is false."""
    ran = run("claims", "-q")
    expected = [
        f"{name} {model} {verdict}"
        for name, (_, verdicts) in ARTICLE.items()
        for model, verdict in zip(["small", "medium", "large", "xl"], verdicts, strict=False)
    ]
    assert (ran.code, ran.stdout.splitlines(), ran.stderr) == (0, expected, "")


def test_a_false_claim_is_no_error_unless_it_is_asked_to_be(own: str, run: Run) -> None:
    """The exit code is 0, and with --strict 1; where nothing is false it is 0 both ways."""
    assert run("claims").code == run("claims", "--file", own).code == 0
    assert run("claims", "--strict").code == run("claims", "--file", own, "--strict", "-q").code == 1
    assert run("claims", "--strict").stdout == run("claims").stdout
    Path(own).write_text(ONE.replace("117M", "~124M"), encoding="utf-8")
    ran = run("claims", "--file", own, "--strict", "-q")
    assert (ran.code, ran.stdout) == (0, "size gpt2 true as rounded\n")


def test_claims_come_from_standard_input_as_well(run: Run) -> None:
    """With `--file -`, and errors then name standard input."""
    ran = run("claims", "--file", "-", "-q", stdin=ONE.encode())
    assert (ran.code, ran.stdout) == (0, "size gpt2 false\n")
    ran = run("claims", "--file", "-", stdin=b"claim = 1")
    assert (ran.code, ran.stdout) == (3, "")
    assert ran.stderr == "gpt2calc claims: standard input: claim: expected tables under [[claim]], got 1\n"


def test_standard_input_that_is_closed_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """As for every command that reads it."""
    monkeypatch.setattr(sys, "stdin", None)
    assert main(["claims", "--file", "-"]) == 3
    assert capsys.readouterr().err == "gpt2calc claims: standard input: it is closed\n"


def test_a_file_that_is_not_there_is_said_and_ends_with_3(tmp_path: Path, run: Run) -> None:
    """So does a folder."""
    ran = run("claims", "--file", "missing.toml")
    assert (ran.code, ran.stdout) == (3, "")
    assert ran.stderr == "gpt2calc claims: missing.toml: cannot be read: No such file or directory\n"
    ran = run("claims", "--file", str(tmp_path))
    assert ran.code == 3
    assert ran.stderr.endswith(": cannot be read: Is a directory\n")


@pytest.mark.parametrize("words", [("--flie", "x"), ("small",), ("--file",), ("--format", "pdf")], ids=" ".join)
def test_a_wrong_word_ends_with_2(words: tuple[str, ...], run: Run) -> None:
    """With one line that says so."""
    ran = run("claims", *words)
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)


@pytest.mark.parametrize("width", [80, 100, 120])
def test_no_line_is_wider_than_the_terminal(width: int) -> None:
    """The tables fit a usual terminal, and use it."""
    longest = max(map(len, text.write(gpt2calc.check_claims().tables(), width=width).splitlines()))
    assert width - 10 < longest <= width
