"""What a person sees, byte for byte, and that it adds up: columns to the printed total, printed shares to 100 %.

After a change that is meant, `GPT2CALC_UPDATE_GOLDEN=1 python -m pytest tests/test_golden.py` writes the files anew;
the difference then stands in the commit for a reader to judge.
"""

from __future__ import annotations

import csv
import io
import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

import pytest

import gpt2calc
from tests import test_adapter_files, test_packing
from tests.loops import of_each

if TYPE_CHECKING:
    from tests.conftest import Run

FOLDER = Path(__file__).parent / "golden"
UPDATE = os.environ.get("GPT2CALC_UPDATE_GOLDEN") == "1"
FOUR = ("compare", "small", "medium", "large", "xl")
SWEEP = ("sweep", "--n-layer", "12,24,48", "--n-embd", "768,1600", "--tied", "true,false")
WIDTHS = (60, 80, 120)
SCREENS: dict[str, tuple[str, ...]] = {
    "screen-count": ("count", "gpt2"),
    "screen-count-experts": ("count", "DeepSeek-V3"),
    "screen-compare": ("compare", "gpt2", "gpt2-xl"),
    "screen-cost": ("cost", "gpt2", "--train", "--optimizer", "adamw"),
    "screen-fits": ("fits", "Llama-3.1-8B", "--memory", "24GB", "--context", "32768"),
    "screen-formula": ("formula", "attn.c_attn", "--model", "gpt2"),
    "screen-tensors": ("tensors", "tiny-gpt2"),
    "screen-verify": ("verify", "model.ckpt"),
    "screen-mismatch": ("verify", "model.ckpt", "--n-layer", "1", "--n-positions", "17"),
    "screen-explain": ("explain", "1.5B"),
    "screen-design": ("design", "--params", "350M"),
    "screen-sweep": ("sweep", "--n-layer", "12,24", "--n-embd", "768,1600"),
    "screen-claims": ("claims",),
    "screen-models": ("models", "qwen"),
    "screen-model": ("models", "gpt2"),
}
"""The main commands as a person sees them, at each width."""

GOLDEN = {
    "count.txt": ("count", "gpt2"),
    "count-all.txt": ("count", "gpt2", "--all"),
    "count-all-qwen.txt": ("count", "Qwen3-0.6B", "--all"),
    "count.json": ("count", "gpt2", "--json"),
    "count.csv": ("count", "gpt2", "--format", "csv"),
    "count.md": ("count", "gpt2", "--format", "markdown"),
    "count.tex": ("count", "gpt2", "--format", "latex"),
    "conventions.txt": ("count", "gpt2", "--conventions"),
    "conventions.csv": ("count", "gpt2", "--conventions", "--format", "csv"),
    "per-block.txt": ("count", "gpt2", "--per-block"),
    "compare.txt": FOUR,
    "compare.csv": (*FOUR, "--format", "csv"),
    "compare.md": (*FOUR, "--format", "markdown"),
    "compare.tex": (*FOUR, "--format", "latex"),
    "compare-two.txt": ("compare", "gpt2", "gpt2-xl"),
    "compare-cost.txt": ("compare", "gpt2", "gpt2-xl", "--cost", "--train", "--optimizer", "adamw"),
    "cost.txt": ("cost", "gpt2"),
    "cost.json": ("cost", "gpt2", "--json"),
    "cost-train.txt": ("cost", "gpt2", "--train", "--optimizer", "adamw"),
    "cost-train.csv": ("cost", "gpt2", "--train", "--format", "csv"),
    "formula.txt": ("formula",),
    "formula-c_attn.txt": ("formula", "attn.c_attn", "--model", "gpt2"),
    "formula-total.tex": ("formula", "total", "--format", "latex"),
    "tensors.txt": ("tensors", "tiny-gpt2"),
    "claims.txt": ("claims",),
    "claims.json": ("claims", "--json"),
    "claims.csv": ("claims", "--format", "csv"),
    "claims.md": ("claims", "--format", "markdown"),
    "claims.tex": ("claims", "--format", "latex"),
    "verify.txt": ("verify", "model.ckpt", "--tying", "--values"),
    "verify.json": ("verify", "model.ckpt", "--json"),
    "verify.csv": ("verify", "model.ckpt", "--format", "csv"),
    "verify.md": ("verify", "model.ckpt", "--format", "markdown"),
    "verify.tex": ("verify", "model.ckpt", "--format", "latex"),
    "verify-mismatch.txt": ("verify", "model.ckpt", "--n-layer", "1", "--n-positions", "17"),
    "verify-mismatch.json": ("verify", "model.ckpt", "--n-layer", "3", "--json"),
    "infer.json": ("infer", "model.ckpt"),
    "explain.txt": ("explain", "137M", "gpt2"),
    "explain.json": ("explain", "137M", "gpt2", "--json"),
    "explain.csv": ("explain", "137M", "gpt2", "--format", "csv"),
    "explain.md": ("explain", "137M", "gpt2", "--format", "markdown"),
    "explain.tex": ("explain", "137M", "gpt2", "--format", "latex"),
    "explain-paper.txt": ("explain", "117M", "345M", "762M", "1542M", "--top", "1"),
    "explain-bytes.txt": ("explain", "548 MB", "498 MB", "702517648 bytes", "gpt2"),
    "sweep.txt": ("sweep", "--n-layer", "12:48:12", "--n-embd", "768:1600:32", "--where", "1e9 < total < 1.6e9"),
    "sweep-top.txt": (*SWEEP, "--top", "5"),
    "sweep.json": (*SWEEP, "--json"),
    "sweep.csv": (*SWEEP, "--format", "csv"),
    "sweep.md": (*SWEEP, "--format", "markdown"),
    "sweep.tex": (*SWEEP, "--format", "latex"),
    "design.txt": ("design", "--params", "350M"),
    "design.json": ("design", "--params", "350M", "--json"),
    "design-verbose.txt": ("design", "--params", "350M", "--verbose"),
    "design-family.txt": ("design", "--family", "llama", "--params", "8B"),
    "design-nearest.txt": ("design", "--params", "350M", "--nearest"),
    "design.csv": ("design", "--params", "350M", "--format", "csv"),
    "design.md": ("design", "--params", "350M", "--format", "markdown"),
    "design.tex": ("design", "--params", "350M", "--format", "latex"),
    "design-fits.txt": ("design", "--fits", "24GB", "--dtype", "bf16", "--pad", "1, 128", "--head-size", "128"),
    "design-pareto.txt": ("design", "--params", "350M", "--inner-ratio", "2:6", "--inner-multiple", "64", "--pareto"),
    "plot-shares.txt": ("plot", "shares", *FOUR[1:]),
    "plot-shares.json": ("plot", "shares", *FOUR[1:], "--json"),
    "plot-shares.csv": ("plot", "shares", *FOUR[1:], "--format", "csv"),
    "plot-grouped.txt": ("plot", "shares", *FOUR[1:], "--grouped"),
    "plot-totals.txt": ("plot", "totals", *FOUR[1:]),
    "plot-weights-biases.txt": ("plot", "weights-biases", *FOUR[1:]),
    "plot-layernorm.txt": ("plot", "layernorm", *FOUR[1:]),
    "plot-growth.txt": ("plot", "growth", "gpt2", "--n-layer", "6:96"),
    "plot-treemap.txt": ("plot", "treemap", "gpt2"),
    "plot-flops.txt": ("plot", "flops", "gpt2", "--train", "--checkpoint", "torch", "--dropout", "0"),
    "plot-memory.txt": ("plot", "memory", "gpt2", "--batch", "8", "--optimizer", "adamw"),
    "plot-values.txt": ("plot", "values", "model.ckpt"),
    "models.txt": ("models",),
    "models-long.txt": ("models", "--long"),
    "lora-80.txt": ("count", "gpt2", "--lora-r", "8", "--lora-targets", "c_attn,c_proj", "--modules-to-save", "ln_f"),
    "prompt-80.txt": ("count", "gpt2", "--prompt-tokens", "20"),
    "ranks-80.txt": ("count", "gpt2-medium", "--tp", "2", "--pp", "4"),
    "ranks.csv": ("count", "gpt2-medium", "--tp", "2", "--pp", "2", "--format", "csv"),
    "blocks-80.txt": ("count", "gpt2", "--blocks", "4"),
    "adapter-80.txt": ("verify", "adapter"),
    "packed-80.txt": ("verify", "packed"),
    **{f"{name}-{width}.txt": words for name, words in SCREENS.items() for width in WIDTHS},
}
"""Each file with the words that print it, at 100 columns and without colour, beside a checkpoint of TensorFlow.

Those that are called so are printed at so many columns.
"""

MADE = {
    "adapter": lambda folder: test_adapter_files.written(folder, test_adapter_files.PAIRS),
    "packed": lambda folder: test_packing.written(folder, test_packing.FILES["bitsandbytes nf4"]),
}
"""What is written where it is verified."""

CHECKPOINT = Path(__file__).parent / "data" / "checkpoints" / "tensorflow"

MODELS = (
    ("gpt2",),
    ("gpt2-xl",),
    ("gpt2-untied",),
    ("nanogpt-no-bias",),
    ("raschka-gpt2-small",),
    ("vit-gpt2-decoder",),
    ("gpt3-175B",),
    ("tiny-gpt2",),
    ("gpt2", "--head", "double_heads"),
    ("gpt2", "--head", "sequence_classification", "--num-labels", "3"),
    ("gpt2", "--head", "question_answering", "--add-cross-attention", "--no-bias"),
    ("gpt2", "--n-layer", "0"),
    ("gpt2", "--n-inner", "0"),
    ("gpt2", "--n-layer", "1" + "0" * 300),
)
"""Models whose tables must add up: every group, every switch, nothing at all, and 300 digits."""


@pytest.mark.parametrize(("name", "words"), GOLDEN.items(), ids=GOLDEN)
def test_the_output_is_the_committed_one(
    name: str, words: tuple[str, ...], run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Byte for byte; see above for how to commit another."""
    monkeypatch.chdir(tmp_path if words[-1] in MADE else CHECKPOINT)
    if words[-1] in MADE:
        MADE[words[-1]](tmp_path / words[-1])
    told = re.search(r"-(60|80|120)\.", name)
    ran = run(*words, columns=int(told[1]) if told else 100)
    assert ran.code == ("mismatch" in name)
    path = FOLDER / name
    if UPDATE:
        path.write_bytes(ran.stdout.encode())
    assert ran.stdout == path.read_bytes().decode()


def test_the_folder_holds_what_is_compared_and_nothing_else() -> None:
    """No file is left behind by a case that is gone."""
    assert {path.name for path in FOLDER.iterdir()} == set(GOLDEN)


def test_a_changed_output_would_be_found(run: Run) -> None:
    """A test of the test: another model's table is not the committed one."""
    committed = (FOLDER / "count.txt").read_bytes().decode()
    assert run("count", "gpt2-medium").stdout != committed
    assert "124,439,808" in committed


class Row(NamedTuple):
    """One printed row of a count."""

    name: str
    weights: int
    biases: int
    parameters: int
    share: int
    """In hundredths of a percent, or in millionths of one in CSV: whole units of the last printed digit."""


HUMAN_ROW = re.compile(r"(\S+) +(?:\S.*? +)?([\d,]+) +([\d,]+) +([\d,]+) +([\d.]+) %(?: +\S+)?")


def row_of(name: str, *printed: str) -> Row:
    """Return a row from its printed cells, without the commas and points in them."""
    weights, biases, parameters, share = (int(re.sub("[,.]", "", cell)) for cell in printed)
    return Row(name, weights, biases, parameters, share)


def human_sections(shown: str) -> list[list[Row]]:
    """Return the printed rows of a count's first table: its components, its groups, and its total."""
    sections: list[list[Row]] = [[]]
    for line in shown.split("\n\n")[1].splitlines()[1:]:
        found = HUMAN_ROW.fullmatch(line)
        if found:
            sections[-1].append(row_of(*found.groups()))
        else:
            assert set(line) == {"─"}, line
            sections.append([])
    return sections


def csv_sections(shown: str) -> list[list[Row]]:
    """Return the rows of a count in CSV in the same three parts, by what each row says it is."""
    kinds: dict[str, list[Row]] = {"component": [], "group": [], "total": []}
    for row in csv.DictReader(io.StringIO(shown)):
        kinds[row["kind"]].append(row_of(*(row[each] for each in ("name", "weights", "biases", "parameters", "share"))))
    return list(kinds.values())


@pytest.mark.parametrize("per_block", [(), ("--per-block",)], ids=["whole", "a block"])
@pytest.mark.parametrize("form", ["human", "csv"])
@pytest.mark.parametrize("words", MODELS, ids=lambda words: " ".join(words)[:60])
def test_printed_columns_add_up_to_the_printed_total(
    words: tuple[str, ...], form: str, per_block: tuple[str, ...], run: Run
) -> None:
    """Of components and of groups, every column adds up; so does each row; the total is what is counted."""
    shown = run("count", *words, *(per_block or ("--all",)), "--format", form).stdout
    components, groups, (total,) = human_sections(shown) if form == "human" else csv_sections(shown)
    assert components
    assert groups
    for section in (components, groups):
        assert sum(row.weights for row in section) == total.weights
        assert sum(row.biases for row in section) == total.biases
        assert sum(row.parameters for row in section) == total.parameters
    for row in (*components, *groups, total):
        assert row.weights + row.biases == row.parameters
    assert f"{total.parameters}\n" == run("count", *words, *per_block, "-q").stdout


@of_each("form, digits", [("human", 2), ("csv", 6)])
@of_each("words", MODELS)
def test_printed_shares_are_rounded_right_and_add_up_to_100_percent(
    words: tuple[str, ...], form: str, digits: int, run: Run
) -> None:
    """With integers alone: a printed share is within half a last digit of its exact one, and n of them within n halves.

    Let u be the share in whole units of its last printed digit, of which 100 % has U = 100·10^digits. Rounding to the
    nearest unit means 2·|u·total - U·part| ≤ total for each row. Summed over the n rows of a section, whose parts add
    up to the total, it means 2·|Σu - U| ≤ n, and nothing better can be said.
    """
    shown = run("count", *words, "--all", "--format", form).stdout
    components, groups, (total,) = human_sections(shown) if form == "human" else csv_sections(shown)
    whole = 100 * 10**digits
    for section in (components, groups):
        for row in section:
            assert 2 * abs(row.share * total.parameters - whole * row.parameters) <= total.parameters
        assert 2 * abs(sum(row.share for row in section) - whole) <= len(section)
    assert total.share == whole


def test_a_column_that_does_not_add_up_would_be_found(run: Run) -> None:
    """A test of the test: one digit changed in the printed table breaks the sum."""
    shown = run("count", "gpt2", "--all").stdout
    components, _, (total,) = human_sections(shown.replace("21,261,312", "21,261,313", 1))
    assert sum(row.parameters for row in components) == total.parameters + 1


@pytest.mark.parametrize(
    "words", [FOUR, ("compare", "gpt2", "gpt2-untied", "vit-gpt2-decoder", "nanogpt-no-bias")], ids=len
)
def test_a_comparison_adds_up(words: tuple[str, ...], run: Run) -> None:
    """For each model, groups, and weights and biases, add up to the total; shares do within their rounding."""
    rows = list(csv.reader(io.StringIO(run(*words, "--format", "csv").stdout)))
    sections: dict[str, dict[str, list[str]]] = {}
    for section, measure, *values in rows[1:]:
        sections.setdefault(section, {})[measure] = values
    parameters, shares = sections["parameters"], sections["share of the total"]
    groups = [name for name in gpt2calc.count("gpt2").groups if name in parameters]
    assert "attention" in groups
    for place, model in enumerate(words[1:]):
        number = {name: int(values[place]) for name, values in parameters.items()}
        share = {name: int(values[place].replace(".", "")) for name, values in shares.items()}
        assert number["total"] == gpt2calc.count(model).total
        for parts in (groups, ["weights", "biases"]):
            assert sum(number[name] for name in parts) == number["total"]
            assert 2 * abs(sum(share[name] for name in parts) - 10**8) <= len(parts)
            for name in parts:
                assert 2 * abs(share[name] * number["total"] - 10**8 * number[name]) <= number["total"]


def test_a_listing_of_tensors_adds_up(run: Run) -> None:
    """The printed elements add up to the printed total, and each is the product of its printed shape."""
    lines = run("tensors", "tiny-gpt2").stdout.splitlines()[3:]
    rows = [re.fullmatch(r"(\S+) +\[([\d, ]+)\] +\S+ +\S+ +([\d,]+)", line) for line in lines]
    numbers = []
    for row in rows:
        if row:
            product = 1
            for size in row[2].split(", "):
                product *= int(size)
            numbers.append(int(row[3].replace(",", "")))
            assert product == numbers[-1]
    assert len(numbers) == len(gpt2calc.tensors("tiny-gpt2")) == len(lines) - 2
    assert lines[-1].split()[0] == "total"
    assert lines[-1].split()[-1] == f"{sum(numbers):,}"


def test_the_list_of_models_says_their_totals(run: Run) -> None:
    """Each row's number is what counting the model gives."""
    rows = list(csv.DictReader(io.StringIO(run("models", "--format", "csv").stdout)))
    assert {row["model"]: int(row["parameters"]) for row in rows} == {
        preset.name: gpt2calc.count(preset.name).total for preset in gpt2calc.models()
    }


STRUCTURED = {
    **{" ".join(words): ("count", *words) for words in MODELS},
    "conventions": ("count", "gpt2", "--conventions"),
    "a block": ("count", "gpt2", "--per-block"),
    "compare four": FOUR,
    "compare two": ("compare", "gpt2", "gpt2-xl"),
    "formula": ("formula",),
    "formula total": ("formula", "total"),
    "formula of a component": ("formula", "attn.c_attn", "--model", "gpt2"),
    "formula of a group": ("formula", "mlp", "--n-inner", "5"),
    "tensors": ("tensors", "tiny-gpt2"),
    "claims": ("claims",),
    "design": ("design", "--params", "350M"),
    "design that fits": ("design", "--fits", "24GB", "--dtype", "bf16", "--pad", "1, 128"),
    "models": ("models",),
}


@pytest.mark.parametrize("words", STRUCTURED.values(), ids=[name[:60] for name in STRUCTURED])
def test_latex_is_well_formed(words: tuple[str, ...], run: Run) -> None:
    """Every environment ends, every brace and dollar closes, and each row has a cell for each declared column."""
    shown = run(*words, "--format", "latex").stdout
    body = re.sub(r"^%.*$", "", shown, flags=re.MULTILINE)
    bare = re.sub(r"\\[&%$#_{}\\,]", "", body)
    assert bare.count("{") == bare.count("}")
    assert "&" not in re.sub(r" & ", "", bare)
    assert not re.search(r"[^\x00-\x7f]", body), "pdflatex reads ASCII whatever the encoding"
    blocks = re.findall(r"\\begin\{tabular\}\{([lr]+)\}\n(.*?)\\end\{tabular\}", body, re.DOTALL)
    assert len(blocks) == body.count(r"\begin{") == body.count(r"\end{") >= 1
    for columns, inside in blocks:
        rows = [line for line in inside.splitlines() if not re.fullmatch(r"\\(top|mid|bottom)rule", line)]
        assert all(line.endswith(r" \\") for line in rows)
        for line in rows:
            cells = re.sub(r"\\[&$]", "", line).split(" & ")
            assert len(cells) == len(columns), line
            assert all(cell.count("$") % 2 == 0 for cell in cells), line


@pytest.mark.parametrize("words", STRUCTURED.values(), ids=[name[:60] for name in STRUCTURED])
def test_markdown_is_well_formed(words: tuple[str, ...], run: Run) -> None:
    """Each table has a line of dashes under its header, and each row as many cells as the header."""
    shown = run(*words, "--format", "markdown").stdout
    tables = [part for part in shown.rstrip("\n").split("\n\n") if part.startswith("|")]
    assert tables
    for table in tables:
        header, dashes, *rows = table.splitlines()
        assert re.fullmatch(r"\|( ---:? \|)+", dashes)
        assert {len(re.findall(r"(?<!\\)\|", line)) for line in (header, dashes, *rows)} == {dashes.count("|")}
    others = [part for part in shown.rstrip("\n").split("\n\n") if not part.startswith("|")]
    assert all(re.fullmatch(r"\*\*.+\*\*", part) for part in others)
