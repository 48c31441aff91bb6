"""Flows: every component of a model is a box once, with its exact count, and lies where the block has it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from matplotlib.text import Text

import gpt2calc
import gpt2calc.plots
from gpt2calc.plots import flows, terminal
from gpt2calc.sources import resolve
from tests import plots

if TYPE_CHECKING:
    from gpt2calc.plots.stages import Section
    from tests.conftest import Run

FAMILIES = (
    *("gpt2", "Llama-3.1-8B", "Mixtral-8x7B", "DeepSeek-V3", "Jamba-v0.1", "Qwen3.5-35B-A3B", "gemma-4-26B-A4B"),
    *("Nemotron-3-Nano-30B-A3B", "Mamba-Codestral-7B", "falcon-40b", "gpt-j-6b", "pythia-12b", "OLMo-2-7B"),
)
every_family = pytest.mark.parametrize("name", FAMILIES)


def flow(model: object) -> flows.FlowChart:
    """Return the flow of a model."""
    return flows.FlowChart(gpt2calc.count(model))  # type: ignore[arg-type]  # whatever a test draws


def stages(section: Section) -> list[tuple[str, list[str]]]:
    """Return what stands under each other in a section, by name."""
    return [(stage.how, [part.name for part in stage.parts]) for stage in section.stages]


@every_family
def test_the_boxes_of_a_model_add_up_to_it(name: str) -> None:
    """Each component stands in a box in every kind of blocks that has it, and all boxes hold all parameters."""
    count, chart = gpt2calc.count(name), flow(name)
    held: dict[str, int] = {}
    for mark in chart.marks:
        held[mark.label] = held.get(mark.label, 0) + mark.part
    assert held == {part.name: part.total for part in count.components}
    assert sum(held.values()) == count.total
    blocks = [section for section in chart.sections if section.title]
    assert [(each.times, each.each) for each in blocks] == [(kind.number, kind.each) for kind in count.layers]


@every_family
def test_a_formula_comes_to_the_count_beside_it(name: str) -> None:
    """With the numbers of the letters that the picture gives put in, by Python's own arithmetic."""
    chart = flow(name)
    for section in chart.sections:
        for part in (part for stage in section.stages for part in stage.parts):
            written = part.formula.replace("·", "*")
            for power, digit in (("²", "2"), ("³", "3")):
                written = written.replace(power, f"**{digit}")
            for letter in sorted(chart.letters, key=len, reverse=True):
                written = _put(written, letter, chart.letters[letter])
            assert eval(written, {"__builtins__": {}}) == part.parameters  # digits and signs


def _put(written: str, letter: str, number: int) -> str:
    """Put a number for a letter, times the coefficient before it where there is one."""
    import re

    return re.sub(rf"(\d*)(?<![A-Za-z_]){letter}(?![A-Za-z_0-9])", lambda m: f"{m[1] or 1}*({number})", written)


@every_family
def test_a_box_is_as_high_as_its_parameters(name: str) -> None:
    """To the scale that the layout says, but for boxes that would be less high than their text; all in order."""
    chart = flow(name)
    layout = flows.laid_out(chart)
    boxes = [rect for rect in layout.rects if rect.kind == "box"]
    assert [box.mark for box in boxes] == list(range(len(chart.marks)))
    least = min(box.height for box in boxes)
    for box, after in zip(boxes, [*boxes[1:], None], strict=True):
        exact = chart.marks[box.mark].part / layout.per_point
        assert box.height == pytest.approx(max(exact, least), abs=1e-6)
        assert after is None or box.y + box.height < after.y
    assert max(rect.y + rect.height for rect in layout.rects) < layout.height


def test_a_gpt2_is_read_normed_and_added_to_twice_in_a_block() -> None:
    """Embeddings begin the stream and add to it, each part of a block adds to it, and what ends it is passed by it."""
    before, block, after = flow("gpt2").sections
    assert stages(before) == [("start", ["wte"]), ("add", ["wpe"])]
    assert stages(block) == [
        ("add", ["ln_1", "attn.c_attn", "attn.c_proj"]),
        ("add", ["ln_2", "mlp.c_fc", "mlp.c_proj"]),
    ]
    assert stages(after) == [("through", ["ln_f"])]
    assert block.title == "block × 12"
    c_attn = block.stages[0].parts[1]
    assert (c_attn.shape, c_attn.formula, c_attn.parameters) == ("768 × 2304 + 2304", "L·(3d² + 3d)", 21261312)


def test_a_tied_head_is_the_embedding_and_an_untied_one_a_box() -> None:
    """A dashed line and a dashed box without a count; without a head, hidden states come out."""
    tied, untied = flow("gpt2"), flow("gpt2-untied")
    assert (tied.tied, tied.ends[1]) == ("wte", "logits")
    assert sum(line.kind == "tie" for line in flows.laid_out(tied).lines) == 1
    assert untied.tied == ""
    assert untied.sections[-1].stages[-1].parts[0].name == "lm_head"
    assert not any(line.kind == "tie" for line in flows.laid_out(untied).lines)
    assert flow({"head": "none"}).ends == ("tokens", "hidden states")


def test_norms_stand_where_the_block_has_them() -> None:
    """After attention where there is one before or after the MLP besides, and else before it; after a sum in GPT-1."""
    llama = flow("Llama-3.1-8B").sections[1].stages
    assert [stage.parts[0].name for stage in llama] == ["input_layernorm", "post_attention_layernorm"]
    gemma = flow("gemma-2-9b").sections[1].stages
    assert [(stage.parts[0].name, stage.parts[-1].name) for stage in gemma] == [
        ("input_layernorm", "post_attention_layernorm"),
        ("pre_feedforward_layernorm", "post_feedforward_layernorm"),
    ]
    olmo = flow("OLMo-2-7B").sections[1].stages
    assert [stage.parts[-1].name for stage in olmo] == ["post_attention_layernorm", "post_feedforward_layernorm"]
    gpt1 = flow({"model_type": "openai-gpt"}).sections[1]
    assert [(how, names[0]) for how, names in stages(gpt1)] == [
        ("add", "attn.c_attn"),
        ("through", "ln_1"),
        ("add", "mlp.c_fc"),
        ("through", "ln_2"),
    ]


def test_a_part_of_a_block_ends_with_what_is_added() -> None:
    """Norms of queries and keys stand before the matrix after attention, and the router before its experts."""
    attention = [part.name for part in flow("Qwen3-0.6B").sections[1].stages[0].parts]
    assert attention[-3:] == ["self_attn.q_norm", "self_attn.k_norm", "self_attn.o_proj"]
    experts = next(section for section in flow("Nemotron-3-Nano-30B-A3B").sections if section.title.startswith("moe"))
    names = [part.name for part in experts.stages[0].parts]
    assert names[:3] == ["norm", "router", "experts.up_proj"]


def test_what_stands_side_by_side_is_drawn_so() -> None:
    """Pythia's two norms take one stream, whose sum is one; GPT-J has one norm for both, and says so."""
    pythia, gptj = flow("pythia-12b"), flow("gpt-j-6b")
    assert pythia.sections[1].side
    assert len(flows.laid_out(pythia).sums) == 1
    (stage,) = gptj.sections[1].stages
    assert stage.label == "attention and the MLP side by side, from one norm"
    assert flow("falcon-40b").sections[1].side


def test_what_blocks_attend_to_is_said_where_the_config_says_it() -> None:
    """Of gpt-oss every other block sees 128 tokens; of a count, whose config is gone, nothing is said."""
    chart = flows.of_source(resolve("gpt-oss-20b", {}))
    assert chart.sections[1].stages[0].label == "12 attend to a window of 128 tokens, 12 to all"
    assert flow("gpt-oss-20b").sections[1].stages[0].label == ""
    assert flows.of_source(resolve("Llama-3.1-8B", {})).sections[1].stages[0].label == ""


def test_several_kinds_of_blocks_are_told_apart() -> None:
    """DeepSeek-V3's dense blocks come first; Jamba's kinds come in turn, of which it is said where they can be."""
    deepseek, jamba = flow("DeepSeek-V3"), flow("Jamba-v0.1")
    assert [x.title for x in deepseek.sections[1:-1]] == ["dense block × 3: 0 to 2", "moe block × 58: 3 to 60"]
    assert not deepseek.in_turn
    assert jamba.in_turn
    assert [section.title for section in jamba.sections[1:-1]] == [
        "dense mamba block × 12 of 32",
        "mamba moe block × 16: 1, 3, 5 … 31",
        "attention dense block × 4: 4, 12, 20, 28",
    ]
    assert deepseek.sections[2].stages[1].label == "a token passes 8 of 256 experts"


def test_a_norm_whose_place_is_not_known_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """As one would be of an architecture that somebody adds, whose norms have names of their own."""
    monkeypatch.setattr("gpt2calc.plots.stages.BEFORE_MLP", ())
    (note,) = [note for note in flow("Llama-3.1-8B").notes if "not known" in note]
    assert note == "where post_attention_layernorm stands in a block is not known here: it is drawn before the MLP"


def test_a_flow_is_given_as_json_with_its_layout(run: Run) -> None:
    """What a page needs to draw the same: sections, letters, and rectangles that say which mark they are."""
    document = json.loads(run("plot", "architecture", "gpt2", "--json").stdout)
    found = document["flow"]
    assert [section["title"] for section in found["sections"]] == ["", "block × 12", ""]
    assert found["letters"] == {"L": 12, "d": 768, "T": 1024, "V": 50257}
    assert sum(rect["kind"] == "box" for rect in found["layout"]["rects"]) == len(document["marks"]) == 9


@pytest.mark.parametrize("width", [6, 7, 8])
@pytest.mark.parametrize("name", ["gpt2", "pythia-12b", "Jamba-v0.1"])
def test_from_six_inches_on_no_text_of_a_picture_is_cut(name: str, width: int) -> None:
    """Where one line has no room for name and shape, or formula and count, they stand under each other."""
    figure = gpt2calc.plots.architecture(name, width=width)
    written = [text.get_text() for text in figure.findobj(Text)]
    assert not [words for words in written if "…" in words.replace(" … ", "")]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("name", ["gpt2", "DeepSeek-V3"])
def test_a_terminal_shows_every_box_whole(name: str, width: int) -> None:
    """No line is longer than the terminal; counts are never torn, and from 80 columns on formulas are there."""
    chart = flow(name)
    shown = terminal.write(chart, width=width)
    assert max(map(len, shown.splitlines())) <= width
    for section in chart.sections:
        for part in (part for stage in section.stages for part in stage.parts):
            assert f"{part.parameters:,}" in shown
            assert width < 80 or name != "gpt2" or part.formula in shown


def test_every_family_can_be_drawn() -> None:
    """The picture of a hybrid in both widths has as many boxes as marks."""
    for width in (8, 3.3):
        chart = flow("Jamba-v0.1")
        assert len(plots.shapes(plots.svg(chart, width=width))) == len(chart.marks)
