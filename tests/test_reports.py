"""Reports: whatever stands in a cell, each format says it, and nothing in it is taken for markup."""

from __future__ import annotations

import csv as csv_reader
import io
import json as json_reader
import re
from html.parser import HTMLParser
from itertools import pairwise
from textwrap import wrap
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc.algebra import Expression
from gpt2calc.palette import VERDICTS, painted
from gpt2calc.reports import csv, html, json, latex, markdown, text
from gpt2calc.table import Percent, Ratio, Table

d = Expression.letter("d")
TABLE = Table(
    "a title",
    ("component", "formula", "parameters", "share"),
    (
        ("wte", 12 * d**2, 1_234_567, Percent(1, 3)),
        ("ln_1", d, 5, Percent(2, 3)),
        None,
        ("total", "", 1_234_572, Percent(1, 1)),
    ),
)
NASTY = st.text(st.sampled_from("ab |\\`*_<>[]{}&%$#~^\"',;\n=+-@"), max_size=12)
WITHOUT_SHARES = Table(
    "a title",
    ("component", "formula", "parameters", "ratio"),
    tuple(row and (*row[:3], Ratio(row[3].part, row[3].whole)) for row in TABLE.rows),  # type: ignore[union-attr]
)
NUMBER = st.integers(0, 99)
WORDS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs", "Zl", "Zp"]), max_size=12)


def tables(cell: st.SearchStrategy[Any]) -> st.SearchStrategy[Table]:
    """Draw tables of up to four columns and five rows, rules among them."""

    def of_width(width: int) -> st.SearchStrategy[Table]:
        row = st.tuples(*[cell] * width)
        headers = st.tuples(*[st.sampled_from(["one", "two", "three"])] * width)
        rows = st.lists(row | st.none(), max_size=5).map(tuple)
        return st.builds(Table, NASTY, headers, rows)

    return st.integers(1, 4).flatmap(of_width)


def rows_of(table: Table) -> list[tuple[Any, ...]]:
    """Return the rows that are no rules."""
    return [row for row in table.rows if row is not None]


def one_line(cell: str) -> str:
    """Return a cell as every format shows it: a line end in a name is its escape."""
    return cell.replace("\n", r"\n")


class TestText:
    """For a terminal: columns that line up, words wrapped, nothing lost."""

    def test_a_table_lines_up(self) -> None:
        """Numbers stand to the right, words to the left, a rule is as wide as all, and no line ends in a space."""
        assert text.write([WITHOUT_SHARES]) == (
            "a title\n"
            "\n"
            "component  formula  parameters   ratio\n"
            "wte        12d²      1,234,567  0.3333\n"
            "ln_1       d                 5  0.6667\n"
            "──────────────────────────────────────\n"
            "total                1,234,572  1.0000\n"
        )

    def test_shares_are_drawn_beside_the_table(self) -> None:
        """Each row begins as it would without its bar, and a larger share has a longer bar."""
        lines = text.write([TABLE]).splitlines()
        assert lines[3].startswith("wte        12d²      1,234,567   33.33 %")
        bars = [line.partition("%")[2] for line in lines if "%" in line]
        assert [len(bar.strip()) for bar in bars] == sorted({len(bar.strip()) for bar in bars})
        assert text.write([TABLE], ascii_only=True).isascii()

    def test_colour_makes_the_title_and_the_total_bold_and_changes_no_word(self) -> None:
        """Without its escapes, the coloured table is the plain one."""
        coloured = text.write([WITHOUT_SHARES], colour=True)
        assert re.sub(r"\033\[\d*m", "", coloured) == text.write([WITHOUT_SHARES])
        assert "\033[1ma title\033[0m" in coloured
        assert re.search(r"^\033\[1mtotal .*1\.0000\033\[0m$", coloured, re.MULTILINE)

    def test_without_unicode_dots_squares_and_rules_are_ascii(self) -> None:
        """12d² is 12d^2, a rule is of hyphens, and the columns line up as before."""
        shown = text.write([WITHOUT_SHARES], ascii_only=True)
        assert shown == (
            "a title\n"
            "\n"
            "component  formula  parameters   ratio\n"
            "wte        12d^2     1,234,567  0.3333\n"
            "ln_1       d                 5  0.6667\n"
            "--------------------------------------\n"
            "total                1,234,572  1.0000\n"
        )

    @given(power=st.integers(2, 9))
    def test_every_exponent_has_its_ascii(self, power: int) -> None:
        """Squares, cubes, and the others."""
        shown = text.write([Table("", ("formula",), ((12 * d**power,),))], ascii_only=True)
        assert shown.splitlines()[-1] == f"12d^{power}"

    def test_tables_stand_under_each_other_with_a_line_between(self) -> None:
        """One empty line, and a line end at the end."""
        assert text.write([TABLE, TABLE]) == text.write([TABLE]) + "\n" + text.write([TABLE])

    @given(
        st.lists(st.text("ab-", max_size=12), min_size=1, max_size=8).map(" ".join).map(str.strip),
        st.integers(12, 20),
    )
    def test_words_are_wrapped_where_textwrap_breaks_them(self, cell: str, width: int) -> None:
        """Without the time that loading textwrap takes; what is longer than a line has joints, which that knows not."""
        expected = wrap(cell, width, break_on_hyphens=False)
        lines = text.wrapped(cell, width)
        assert [line.rstrip() for line in lines if line] == [line.rstrip() for line in expected]

    def test_a_table_without_a_title_begins_with_its_headers(self) -> None:
        """No empty line is left where the title would be."""
        assert text.write([TABLE._replace(title="")]).startswith("component")

    def test_a_table_without_rows_is_its_headers(self) -> None:
        """Nothing to show is no error."""
        assert text.write([Table("", ("one", "two"), ())]) == "one  two\n"

    @given(
        words=st.lists(st.text("abcdefgh", min_size=1, max_size=9), min_size=1, max_size=60), width=st.integers(40, 120)
    )
    def test_a_long_sentence_is_wrapped_between_words_and_loses_none(self, words: list[str], width: int) -> None:
        """Every line fits, no word is cut, and the words are those of the cell, in order."""
        shown = text.write([Table("", ("name", "count", "sentence"), (("a", 1, " ".join(words)),))], width=width)
        lines = shown.splitlines()
        assert max(map(len, lines)) <= width
        assert " ".join(line[13:].strip() for line in lines[1:]).split() == words

    @given(table=tables(st.integers(-(10**60), 10**60)), width=st.integers(40, 80))
    def test_a_number_is_never_cut_or_wrapped(self, table: Table, width: int) -> None:
        """A table that is too wide is split between columns; shown are its numbers, each whole, and no others."""
        lines = text.write([table._replace(title="")], width=width).splitlines()
        shown = [
            word for line in lines if set(line) != {"─"} for word in line.split() if word not in ("one", "two", "three")
        ]
        cells = [f"{cell:,}" for row in rows_of(table) for cell in row]
        assert set(shown) == set(cells)
        assert len(shown) >= len(cells)


class TestMarkdown:
    """For a README: a table of GitHub's Markdown, as many cells in each row as it has columns."""

    def test_a_table_is_what_github_reads(self) -> None:
        """Numbers are aligned to the right by a colon, and the total is bold."""
        assert markdown.write([TABLE]) == (
            "**a title**\n"
            "\n"
            "| component | formula | parameters | share |\n"
            "| --- | --- | ---: | ---: |\n"
            "| wte | 12d² | 1,234,567 | 33.33 % |\n"
            "| ln_1 | d | 5 | 66.67 % |\n"
            "| **total** |  | **1,234,572** | **100.00 %** |\n"
        )

    @pytest.mark.parametrize(
        ("cell", "shown"),
        [
            ("a|b", r"a\|b"),
            ("a`b`", r"a\`b\`"),
            ("a\\b", r"a\\b"),
            ("*bold*", r"\*bold\*"),
            ("_edge_", r"\_edge\_"),
            ("ln_1", "ln_1"),
            ("n_layer and _x", r"n_layer and \_x"),
            ("<script>", r"\<script\>"),
            ("[a](b)", r"\[a\](b)"),
            ("two\nlines", r"two\\nlines"),
        ],
    )
    def test_what_would_be_markup_is_escaped(self, cell: str, shown: str) -> None:
        """A reader sees the characters, and no table breaks; an underscore within a word is left alone."""
        assert markdown.write([Table("", ("one",), ((cell,),))]).splitlines()[-1] == f"| {shown} |"
        assert markdown.write([Table(cell, ("one",), ())]).splitlines()[0] == f"**{shown}**"

    @given(table=tables(NASTY))
    def test_a_row_is_one_line_with_as_many_cells_as_columns_and_says_what_was_given(self, table: Table) -> None:
        """Split at its bars and with its escapes undone, each row is the cells it was made of."""
        lines = markdown.write([table._replace(title="")]).split("\n")[:-1]
        assert len(lines) == 2 + len(rows_of(table))
        for line, row in zip(lines[2:], rows_of(table), strict=True):
            assert len(unescaped_bars(line)) == len(row) + 1
            assert spoken(line) == [one_line(cell).strip() for cell in row]


def unescaped_bars(line: str) -> list[int]:
    """Return where a line of Markdown holds a bar that ends a cell."""
    found, place = [], 0
    while place < len(line):
        if line[place] == "\\":
            place += 1
        elif line[place] == "|":
            found.append(place)
        place += 1
    return found


def spoken(line: str) -> list[str]:
    """Return the cells of a line of Markdown with their escapes undone."""
    bars = unescaped_bars(line)
    cells = [line[start + 1 : end].strip() for start, end in pairwise(bars)]
    plain = [re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", cell) for cell in cells]
    return [cell[2:-2] if cells[0] == "**total**" else cell for cell in plain]


SAID_IN_LATEX = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    **{"\\" + character: character for character in "&%$#_{}"},
}


class TestLatex:
    """For a paper: a tabular that compiles, whatever stands in it."""

    def test_a_table_is_a_tabular_of_booktabs(self) -> None:
        """Numbers to the right, commas that take no space, formulas as mathematics."""
        assert latex.write([TABLE]) == (
            "% a title\n"
            "\\begin{tabular}{llrr}\n"
            "\\toprule\n"
            "component & formula & parameters & share \\\\\n"
            "\\midrule\n"
            "wte & $12 d^{2}$ & 1{,}234{,}567 & 33.33\\,\\% \\\\\n"
            "ln\\_1 & $d$ & 5 & 66.67\\,\\% \\\\\n"
            "\\midrule\n"
            "total &  & 1{,}234{,}572 & 100.00\\,\\% \\\\\n"
            "\\bottomrule\n"
            "\\end{tabular}\n"
        )

    @pytest.mark.parametrize(
        ("cell", "shown"),
        [
            ("a & b", r"a \& b"),
            ("22 %", r"22 \%"),
            ("$x$", r"\$x\$"),
            ("#1", r"\#1"),
            ("n_layer", r"n\_layer"),
            ("{x}", r"\{x\}"),
            ("~/models", r"\textasciitilde{}/models"),
            ("d^2", r"d\textasciicircum{}2"),
            (r"\input{x}", r"\textbackslash{}input\{x\}"),
            ("12·L·d²", r"12$\cdot$L$\cdot$d$^2$"),
            ("two\nlines", r"two\textbackslash{}nlines"),
        ],
    )
    def test_what_would_be_a_command_is_escaped(self, cell: str, shown: str) -> None:
        """TeX prints the characters, and runs none of them."""
        assert latex.write([Table("", ("one",), ((cell,),))]).splitlines()[4] == rf"{shown} \\"

    @given(table=tables(NASTY))
    def test_a_row_is_one_line_with_as_many_cells_as_columns_and_says_what_was_given(self, table: Table) -> None:
        """Split at its ampersands and with its escapes undone, each row is the cells it was made of."""
        lines = latex.write([table]).split("\n")
        body = [line for line in lines if line.endswith(r" \\") and not line.startswith("%")][1:]
        assert len(body) == len(rows_of(table))
        for line, row in zip(body, rows_of(table), strict=True):
            cells = re.split(r"(?<!\\)&", line.removesuffix(r"\\"))
            undone = [re.sub("|".join(map(re.escape, SAID_IN_LATEX)), lambda f: SAID_IN_LATEX[f[0]], c) for c in cells]
            assert [cell.strip() for cell in undone] == [one_line(cell).strip() for cell in row]

    @given(table=tables(NASTY))
    def test_braces_are_balanced_and_a_title_is_one_comment(self, table: Table) -> None:
        """Nothing of the title leaves its comment, and every brace that opens is closed."""
        written = latex.write([table])
        lines = written.split("\n")
        if table.title:
            assert lines[0].startswith("% ")
            del lines[0]
        assert lines[0].startswith(r"\begin{tabular}{")
        depth = 0
        for brace in re.findall(r"(?<!\\)[{}]", "\n".join(lines).replace(r"\\", "")):
            depth += 1 if brace == "{" else -1
            assert depth >= 0
        assert depth == 0


class TestCsv:
    """For a program: what csv writes, csv reads."""

    def test_a_table_is_plain_numbers_and_words(self) -> None:
        """No commas in numbers, no percent signs, no rules, formulas in ASCII."""
        assert csv.write([TABLE]) == (
            "component,formula,parameters,share\n"
            "wte,12*d*d,1234567,33.333333\n"
            "ln_1,d,5,66.666667\n"
            "total,,1234572,100.000000\n"
        )

    def test_tables_are_parted_by_an_empty_line(self) -> None:
        """Each has its own header."""
        assert csv.write([TABLE, TABLE]) == csv.write([TABLE]) + "\n" + csv.write([TABLE])

    @given(table=tables(NASTY))
    def test_csv_reads_what_csv_writes(self, table: Table) -> None:
        """Quotes and commas in a cell come back as they were, a line end as its escape, and no formula as one."""
        read = list(csv_reader.reader(io.StringIO(csv.write([table]), newline="")))
        cells = [[one_line(cell) for cell in row] for row in rows_of(table)]
        assert [[cell.removeprefix("'") for cell in row] or [""] for row in read] == [
            list(table.headers),
            *([cell.removeprefix("'") for cell in row] for row in cells),
        ]
        assert not any(cell[:1] in ("=", "+", "@") for row in read for cell in row)


class TestJson:
    """For a program: integers of any size, letters of every alphabet."""

    def test_integers_are_written_in_full(self) -> None:
        """A thousand digits come back exactly."""
        assert json_reader.loads(json.write({"total": 10**1000 + 1})) == {"total": 10**1000 + 1}

    @given(word=WORDS)
    def test_words_come_back(self, word: str) -> None:
        """Whatever a model is called."""
        written = json.write({"model": word})
        assert json_reader.loads(written) == {"model": word}
        assert written.endswith("}\n")


class _Cells(HTMLParser):
    """Collects the tags of a document, and the words in each cell."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.cells: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag, and begin a cell."""
        self.tags.append(tag)
        assert all(name == "style" for name, _ in attrs)
        if tag in ("th", "td", "caption"):
            self.cells.append("")

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        self.cells[-1] += data


class TestHtml:
    """For a notebook: a table, and nothing that a cell says is a tag."""

    def test_what_would_be_a_tag_is_escaped(self) -> None:
        """A model that is called <script> is shown so."""
        written = html.write([Table("<script>alert(1)</script>", ("<b>",), (("<img src=x onerror=y>",), ('a & "b"',)))])
        assert "<script" not in written
        assert "<img" not in written
        assert "&lt;script&gt;" in written

    @given(table=tables(NASTY))
    def test_a_browser_reads_the_cells_that_were_given(self, table: Table) -> None:
        """No tag comes from a cell, and each cell says what it was given."""
        reader = _Cells()
        reader.feed(html.write([table._replace(title="")]))
        reader.close()
        assert set(reader.tags) <= {"table", "caption", "thead", "tbody", "tfoot", "tr", "th", "td", "b", "span"}
        assert reader.cells == [*table.headers, *(one_line(cell) for row in rows_of(table) for cell in row)]

    def test_numbers_stand_to_the_right(self) -> None:
        """Words to the left, and a header as its column."""
        written = html.write([TABLE])
        assert re.findall('<th style="text-align: (left|right)[";]', written) == ["left", "left", "right", "right"]
        assert '<td style="text-align: right">1,234,567</td>' in written
        assert '<td style="text-align: left">wte</td>' in written
        assert "<caption>a title</caption>" in written

    @pytest.mark.parametrize(
        "shown", [gpt2calc.count("gpt2"), gpt2calc.compare("small", "xl")], ids=["count", "compare"]
    )
    def test_a_notebook_shows_a_table(self, shown: Any) -> None:
        """Results show themselves, the total among them."""
        assert "<table>" in shown._repr_html_()
        assert "124,439,808" in shown._repr_html_()

    @pytest.mark.parametrize(("memory", "mark", "tone"), [("7GB", "✓", "good"), ("3GB", "✗", "bad")])
    def test_a_verdict_has_its_colour_and_says_in_words_what_it_is(self, memory: str, mark: str, tone: str) -> None:
        """A border at the left, a mark, and the terminal's first line."""
        fit = gpt2calc.fits("gpt2-xl", memory=memory)
        border = f"border-left: 4px solid {painted(VERDICTS[tone])}"
        assert fit._repr_html_().startswith(f'<p style="{border}; padding-left: 8px"><b>{mark} {fit.verdict}</b></p>')


@pytest.mark.parametrize("report", [text, markdown, latex, csv, html], ids=lambda report: report.__name__)
def test_a_report_ends_in_one_line_end_and_takes_every_kind_of_cell(report: Any) -> None:
    """Words, numbers, percentages, ratios and formulas."""
    written = report.write([Table("t", ("a", "b", "c", "d", "e"), (("w", 1, Percent(1, 3), Ratio(1, 3), d),))])
    assert written.rstrip("\n") + "\n" == written or report is html
    for figure in ("33.33", "0.3333", "d"):
        assert figure in written


@pytest.mark.parametrize("report", [text, markdown, latex, csv, html], ids=lambda report: report.__name__)
@given(table=tables(WORDS | st.integers(-(10**30), 10**30) | st.builds(Percent, NUMBER, NUMBER, st.just(2))))
def test_no_table_is_an_error(report: Any, table: Table) -> None:
    """Whatever stands in it, and whatever the mixture in a column."""
    written = report.write([table])
    for header in table.headers:
        assert header in written
