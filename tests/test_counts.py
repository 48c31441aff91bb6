"""`ParameterCount`: its parts, their sums, and how it shows itself."""

from __future__ import annotations

import re
from fractions import Fraction

import pytest

import gpt2calc
from gpt2calc import counts
from gpt2calc.counts import ParameterCount
from gpt2calc.dims import LETTERS, Dims, from_fields, symbols, to_fields
from gpt2calc.errors import UnknownNameError
from gpt2calc.formulas import GROUPS
from gpt2calc.palette import PAINTS, painted
from gpt2calc.table import Percent, text
from tests.loops import of_each

GPT2 = gpt2calc.count("gpt2")
CROSSED = gpt2calc.count("gpt2", add_cross_attention=True)
UNTIED = gpt2calc.count("gpt2", tied=False)

COMPONENTS = {
    # name: (group, times, weights, biases), gpt2, as transformers builds it
    "wte": ("embedding", 1, 38_597_376, 0),
    "wpe": ("embedding", 1, 786_432, 0),
    "ln_1": ("layer_norm", 12, 9_216, 9_216),
    "attn.c_attn": ("attention", 12, 21_233_664, 27_648),
    "attn.c_proj": ("attention", 12, 7_077_888, 9_216),
    "ln_2": ("layer_norm", 12, 9_216, 9_216),
    "mlp.c_fc": ("mlp", 12, 28_311_552, 36_864),
    "mlp.c_proj": ("mlp", 12, 28_311_552, 9_216),
    "ln_f": ("layer_norm", 1, 768, 768),
}


def test_gpt2_has_these_components_in_the_order_of_the_forward_pass() -> None:
    """Each component with its group, how often it occurs, its weights and its biases, none more and none less."""
    found = {part.name: (part.group, part.times, part.weights, part.biases) for part in GPT2.components}
    assert found == COMPONENTS
    assert list(found) == list(COMPONENTS)


@pytest.mark.parametrize("name", COMPONENTS)
def test_a_component_is_found_by_name(name: str) -> None:
    """`count[name]` gives the component, and its parts add up."""
    group, times, weights, biases = COMPONENTS[name]
    part = GPT2[name]
    assert (part.name, part.group, part.total) == (name, group, weights + biases)
    assert part.each * times == part.total
    assert isinstance(part.each, int)
    assert "modeling_gpt2.py" in part.source


def test_a_component_that_the_model_lacks_holds_nothing() -> None:
    """A tied model has an lm_head component of 0 parameters, with the formula 0."""
    part = GPT2["lm_head"]
    assert (part.name, part.group, part.times, part.weights, part.biases, part.total) == ("lm_head", "head", 0, 0, 0, 0)
    assert part.each == 0
    assert part.formula.text() == "0"
    assert part.source == UNTIED["lm_head"].source


def test_an_unknown_component_is_refused_with_the_nearest_name() -> None:
    """The error names the component that was asked for, and one that exists."""
    with pytest.raises(
        UnknownNameError, match=r"no component is called 'c_atn': did you mean attn\.c_attn\?"
    ) as caught:
        GPT2["c_atn"]
    assert "wte" in caught.value.known
    assert "lm_head" in caught.value.known


def test_groups_hold_what_their_components_hold() -> None:
    """The groups of gpt2 with cross-attention and a head of its own, and every group's name."""
    count = gpt2calc.count("gpt2", add_cross_attention=True, tied=False)
    assert tuple(count.groups) == GROUPS
    assert {name: (group.weights, group.biases) for name, group in count.groups.items()} == {
        "embedding": (39_383_808, 0),
        "attention": (28_311_552, 36_864),
        "cross_attention": (28_320_768, 46_080),
        "mlp": (56_623_104, 46_080),
        "layer_norm": (19_200, 19_200),
        "head": (38_597_376, 0),
    }
    assert all(group.name == name for name, group in count.groups.items())


def test_weights_and_biases_make_the_total() -> None:
    """The article's split: biases are 0.082 % of gpt2."""
    assert (GPT2.weights, GPT2.biases, GPT2.total, int(GPT2)) == (124_337_664, 102_144, 124_439_808, 124_439_808)


def test_layer_norm_has_as_many_weights_as_biases() -> None:
    """In each of the four sizes, and in every group of that name."""
    counts = gpt2calc.compare("small", "medium", "large", "xl")
    found = [(count.groups["layer_norm"].weights, count.groups["layer_norm"].biases) for count in counts]
    assert found == [(19_200, 19_200), (50_176, 50_176), (93_440, 93_440), (155_200, 155_200)]


@pytest.mark.parametrize(("name", "share"), [("mlp", (56_669_184, 124_439_808)), ("wte", (38_597_376, 124_439_808))])
def test_a_share_is_an_exact_fraction(name: str, share: tuple[int, int]) -> None:
    """Of a group or of a component, as a `Fraction` of the total."""
    assert GPT2.share(name) == Fraction(*share)


def test_a_block_holds_what_one_more_layer_adds() -> None:
    """7,087,872 parameters in gpt2, whatever the number of blocks, none included."""
    assert GPT2.per_block == 7_087_872
    assert gpt2calc.count("gpt2", n_layer=13).total - GPT2.total == GPT2.per_block
    assert gpt2calc.count("gpt2", n_layer=0).per_block == GPT2.per_block


def test_equal_models_have_equal_counts_whatever_their_name() -> None:
    """Equality and hash go by the dims; a count is not equal to a number."""
    other = gpt2calc.count(n_layer=12)
    assert other == GPT2
    assert hash(other) == hash(GPT2)
    assert other != UNTIED
    assert GPT2.total != GPT2


def test_repr_shows_the_total_and_the_groups_that_are_there() -> None:
    """One line, with commas, without groups of 0."""
    assert repr(GPT2) == (
        "<ParameterCount gpt2: 124,439,808 = embedding 39,383,808 + attention 28,348,416 + mlp 56,669,184"
        " + layer_norm 38,400>"
    )


def test_a_notebook_gets_a_table() -> None:
    """A row for each component, the terminal's first line, and a rule above the groups, in their colours."""
    html, _, folded = GPT2._repr_html_().partition("<details>")
    assert html.count("<tr>") == 1 + len(COMPONENTS) + 4 + 1
    assert html.startswith(f"<p><b>{GPT2.headline}</b></p>")
    assert '<tbody style="border-top: 1px solid"><tr><td style="text-align: left">embedding</td>' in html
    assert html.partition("<tfoot")[2].count("<b>") == 6
    assert html.count(painted(PAINTS["attention"])) == html.count(painted(PAINTS["mlp"])) == 3
    assert "width: 22.78px" in html
    assert "<summary>counted every way</summary>" in folded
    assert "kaplan" in folded.lower()
    assert "497.76 MB" in folded


def test_no_words_in_a_notebook_have_a_colour_that_could_vanish() -> None:
    """They have the notebook's own; so have the rules."""
    assert not re.search(
        r"[^-]color:", gpt2calc.count("gpt2")._repr_html_() + gpt2calc.count("DeepSeek-V3")._repr_html_()
    )


def test_to_dict_holds_the_same_numbers() -> None:
    """Every number of the dictionary is the attribute's."""
    result = CROSSED.to_dict()
    assert result["schema"] == "gpt2calc/count/2"
    assert (result["model"], result["notes"]) == ("gpt2 with add_cross_attention=True", [])
    assert (result["model_type"], result["letters"]) == ("gpt2", {"L": 12, "d": 768, "T": 1024, "V": 50257})
    keys = ("total", "weights", "biases", "per_block", "conventions", "letters")
    assert {key: result[key] for key in keys} == {key: getattr(CROSSED, key) for key in keys}
    assert result["config"] == to_fields(CROSSED.dims)
    assert result["sizes"] == CROSSED.dims._asdict()
    assert [tuple(group.values()) for group in result["groups"]] == [
        (name, g.weights, g.biases, g.total, g.total / CROSSED.total) for name, g in CROSSED.groups.items()
    ]
    assert [tuple(part.values()) for part in result["components"]] == [
        (p.name, p.group, p.times, p.formula.text(), p.weights, p.biases, p.total, p.total / CROSSED.total)
        for p in CROSSED.components
    ]
    assert list(result["components"][0]) == [
        "name", "group", "times", "formula", "weights", "biases", "total", "share",
    ]  # fmt: skip


def test_notes_travel_with_the_count() -> None:
    """What a reader should know is in `notes` and in the dictionary."""
    count = ParameterCount(GPT2.dims, "mine", ("look here",))
    assert count.notes == ("look here",)
    assert count.to_dict()["notes"] == ["look here"]
    assert ParameterCount(GPT2.dims).name == ""
    assert ParameterCount(GPT2.dims).notes == ()


def test_the_table_has_components_groups_and_total() -> None:
    """Rows in order, with rules between the three parts, and shares of the total."""
    table = GPT2.table()
    assert table.title == "gpt2"
    assert table.headers == ("component", "formula", "weights", "biases", "parameters", "share")
    names = [row and row[0] for row in table.rows]
    assert names == [*COMPONENTS, None, "embedding", "attention", "mlp", "layer_norm", None, "total"]
    assert table.rows[3] == (
        "attn.c_attn", GPT2["attn.c_attn"].formula, 21_233_664, 27_648, 21_261_312,
        Percent(21_261_312, 124_439_808, series="attention"),
    )  # fmt: skip
    share = Percent(28_348_416, 124_439_808, series="attention")
    assert table.rows[11] == ("attention", "", 28_311_552, 36_864, 28_348_416, share)
    assert table.rows[-1] == (
        "total",
        "",
        124_337_664,
        102_144,
        124_439_808,
        Percent(1, 1)._replace(part=124_439_808, whole=124_439_808),
    )


def test_the_table_of_one_block_has_what_repeats() -> None:
    """Components of a block, once each, with shares of the block."""
    table = GPT2.table(per_block=True)
    assert table.title == "gpt2, one block of 12"
    names = [row and row[0] for row in table.rows]
    assert names == [
        *("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj", None),
        *("attention", "mlp", "layer_norm", None, "total"),
    ]
    c_attn, total = table.rows[1], table.rows[-1]
    assert c_attn
    assert total
    assert c_attn[2:] == (1_769_472, 2_304, 1_771_776, Percent(1_771_776, 7_087_872, series="attention"))
    assert text(c_attn[1]) == "3d² + 3d"
    assert total[4] == GPT2.per_block


def test_a_spreadsheet_is_told_what_each_row_is() -> None:
    """The flat table has the same rows, and a first column that keeps a sum from counting a parameter three times."""
    flat = GPT2.flat_table()
    assert flat.title == "gpt2"
    assert flat.headers == ("kind", "name", "formula", "weights", "biases", "parameters", "share")
    assert tuple(row[1:] for row in flat.rows if row) == tuple(row for row in GPT2.table().rows if row)
    for kind in ("component", "group", "total"):
        assert sum(row[5] for row in flat.rows if row and row[0] == kind and isinstance(row[5], int)) == GPT2.total
    assert [row and row[:2] for row in GPT2.flat_table(per_block=True).rows][-1] == ("total", "total")


def test_formulas_are_written_with_4d_where_n_inner_is_that_and_with_m_elsewhere() -> None:
    """The formula of mlp.c_fc follows the model."""
    assert GPT2["mlp.c_fc"].formula.text() == "L·(4d² + 4d)"
    assert gpt2calc.count("gpt2", n_inner=3073)["mlp.c_fc"].formula.text() == "L·(d·m + m)"
    assert symbols(GPT2.dims).structure == GPT2.dims.structure


def test_a_0_wide_mlp_keeps_its_components() -> None:
    """n_inner=0 leaves c_proj's biases, as transformers builds it."""
    count = gpt2calc.count("gpt2", n_inner=0)
    assert (count["mlp.c_fc"].total, count["mlp.c_proj"].total) == (0, 9_216)


def test_a_model_without_blocks_keeps_its_components() -> None:
    """n_layer=0 leaves embeddings and ln_f, and shows the block's components as 0."""
    count = gpt2calc.count("gpt2", n_layer=0)
    assert count.total == 38_597_376 + 786_432 + 1_536
    assert count["attn.c_attn"].times == 0
    assert count["attn.c_attn"].formula.text() == "L·(3d² + 3d)"


def test_bytes_are_shown_in_both_units() -> None:
    """MB of 10⁶ and MiB of 2²⁰ bytes, for each dtype."""
    table = GPT2.bytes_table()
    assert table.title == "stored, each parameter once"
    assert table.headers == ("dtype", "bytes", "MB", "MiB")
    rows = {row[0]: [text(cell) for cell in row[1:]] for row in table.rows if row}
    assert rows == {
        "fp32": ["497,759,232", "497.76 MB", "474.70 MiB"],
        "fp16": ["248,879,616", "248.88 MB", "237.35 MiB"],
        "bf16": ["248,879,616", "248.88 MB", "237.35 MiB"],
        "int8": ["124,439,808", "124.44 MB", "118.68 MiB"],
        "int4": ["62,219,904", "62.22 MB", "59.34 MiB"],
    }


def test_the_conventions_table_has_a_row_for_each_convention() -> None:
    """The whole table, and the two short ones without bytes."""
    whole = GPT2.conventions_table()
    assert [(row[0], row[1]) for row in whole.rows if row] == list(GPT2.conventions.items())
    assert whole.title == "gpt2, counted every way"
    assert whole.headers == ("convention", "count", "unit", "what is counted", "source")
    without_bytes = [row for row in whole.rows if row and row[2] != "bytes"]
    short, sourced = GPT2.conventions_in_short(), GPT2.conventions_in_short(sources=True)
    assert short.rows == tuple((row[0], row[1], row[3]) for row in without_bytes)
    assert (short.title, sourced.title) == ("counted every way", "gpt2, counted every way")
    assert short.headers == ("convention", "count", "what is counted")
    assert sourced.rows == tuple((row[0], row[1], row[3], row[4]) for row in without_bytes)
    assert sourced.headers == ("convention", "count", "what is counted", "source")
    assert len(without_bytes) == len(GPT2.conventions) - 5


@of_each(
    "fields, expected",
    [
        pytest.param(
            {},
            {"n_inner": 8, "lm_head": 1, "tie_word_embeddings": 1, "bias": 1, "qkv_bias": 1, "ln_f": 1},
            id="defaults",
        ),
        pytest.param({"n_inner": 0}, {"n_inner": 0}, id="a 0-wide MLP is not the default"),
        pytest.param({"bias": False}, {"bias": 0, "qkv_bias": 0}, id="qkv_bias follows bias"),
        pytest.param({"bias": False, "qkv_bias": True}, {"bias": 0, "qkv_bias": 1}, id="unless given"),
        pytest.param({"qkv_bias": False}, {"bias": 1, "qkv_bias": 0}, id="Raschka's switch"),
        pytest.param({"pad_vocab_size_multiple": 8}, {"vocab_size": 16}, id="padded up"),
        pytest.param({"pad_vocab_size_multiple": 11}, {"vocab_size": 11}, id="already a multiple"),
        pytest.param({"pad_vocab_size_multiple": None}, {"vocab_size": 11}, id="no padding"),
        pytest.param(
            {"head": "double_heads", "num_labels": 5},
            {"num_labels": 1, "lm_head": 1, "multiple_choice_head": 1},
            id="double heads have one label",
        ),
        pytest.param(
            {"head": "double_heads", "summary_use_proj": False},
            {"summary_use_proj": 0, "multiple_choice_head": 1, "lm_head": 1},
            id="no projection",
        ),
        pytest.param(
            {"head": "double_heads", "summary_proj_to_labels": False},
            {"summary_proj_to_labels": 0},
            id="projection to n_embd",
        ),
        pytest.param(
            {"head": "sequence_classification"},
            {"num_labels": 2, "score": 1, "lm_head": 0, "classifier": 0, "qa_outputs": 0},
            id="two labels by default",
        ),
        pytest.param(
            {"head": "token_classification", "num_labels": 3},
            {"num_labels": 3, "classifier": 1, "score": 0},
            id="token classification",
        ),
        pytest.param(
            {"head": "question_answering"},
            {"qa_outputs": 1, "classifier": 0, "score": 0, "lm_head": 0},
            id="question answering",
        ),
        pytest.param({"head": "none"}, {"lm_head": 0, "multiple_choice_head": 0, "score": 0}, id="no head"),
        pytest.param({"add_cross_attention": True}, {"add_cross_attention": 1}, id="cross-attention"),
        pytest.param({"tie_word_embeddings": False}, {"tie_word_embeddings": 0}, id="untied"),
    ],
)
def test_fields_become_dims(fields: dict[str, object], expected: dict[str, int]) -> None:
    """What each field does to sizes and flags, and that flags are the integers 0 and 1."""
    dims = from_fields({"n_layer": 1, "n_embd": 2, "n_positions": 3, "vocab_size": 11, **fields})
    assert {name: getattr(dims, name) for name in expected} == expected
    assert all(type(value) is int for value in dims)
    assert from_fields(to_fields(dims)) == dims


def test_dims_are_sizes_then_structure() -> None:
    """The two halves make the whole, and the sizes are in the order of the letters."""
    assert (*GPT2.dims.sizes, *GPT2.dims.structure) == tuple(GPT2.dims)
    assert Dims._fields[: len(LETTERS)] == tuple(LETTERS)
    assert GPT2.dims.sizes == (12, 768, 1024, 50257, 3072, 2)


def test_a_total_is_the_same_asked_once_and_again() -> None:
    """Once it is the sum of the table, and from the second time on a function that was compiled."""
    structure = (*GPT2.dims.structure[:-1], 1)
    counts._totals.pop(structure, None)
    counts._totals.asked.discard(structure)
    asked = ParameterCount(GPT2.dims._replace(qa_outputs=1))
    first = asked.total
    assert structure not in counts._totals
    assert first == asked.total == asked.total == sum(part.total for part in asked.components)
    assert structure in counts._totals
