"""The drawing of the architecture has the boxes of `gpt2calc plot architecture`, lit with its row and terms."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from gpt2calc import presets
from gpt2calc.counts import ParameterCount
from gpt2calc.dims import from_fields
from gpt2calc.plots.flows import FlowChart, of_source
from gpt2calc.sources import from_document
from gpt2calc.webpage import families
from tests.architectures import drawing
from tests.page.test_counts import READ, handed, states
from tests.page.test_families import TYPES

if TYPE_CHECKING:
    from tests.browser import Watched

SECTIONS = """const told = (source) => {
  const [sections, tied, end] = gpt2calc.flow(source);
  return json([tied, end, sections.map(({title, times, each, stages}) => [title, times, each, stages.map(
    ({how, label, parts}) => [how, label, parts.map(({name, group, formula, parameters}) =>
      [name, group, formula, parameters])])])]);
};
"""
OF_GPT2S = f"""(states) => {{ {READ} {SECTIONS}
  return states.map((state) => told(configOf(PRESETS[0], fieldsOf(state)).source)); }}"""
OF_OTHERS = f"""(texts) => {{ {SECTIONS}
  return texts.map((text) => told(readConfig(text))); }}"""


def python(chart: FlowChart) -> list[Any]:
    """Return what Python draws of a model."""
    names = ("name", "group", "formula", "parameters")
    sections = [
        [
            section.title,
            section.times,
            section.each,
            [
                [stage.how, stage.label, [[getattr(part, name) for name in names] for part in stage.parts]]
                for stage in section.stages
            ],
        ]
        for section in chart.sections
    ]
    return [chart.tied, chart.ends[1], sections]


def test_boxes_of_random_gpt2s_are_those_that_python_draws(loaded: Watched) -> None:
    """Stage by stage, with the formula and the count of each."""
    drawn = [state for state in states(40, seed=12) if state["n_layer"]]
    found = loaded.page.evaluate(OF_GPT2S, [handed(fields) for fields in drawn])
    for fields, text in zip(drawn, found, strict=True):
        assert json.loads(text) == python(FlowChart(ParameterCount(from_fields(fields)))), fields


def test_boxes_of_other_architectures_are_those_that_python_draws(loaded: Watched) -> None:
    """Of one random config of each, and of the models that ship."""
    documents = [drawing.config(model_type, 1, 0) for model_type in TYPES]
    documents += [preset.fields for preset in families.kept(presets.others())]
    found = loaded.page.evaluate(OF_OTHERS, [json.dumps(document) for document in documents])
    for document, text in zip(documents, found, strict=True):
        assert json.loads(text) == python(of_source(from_document(document, "config.json"))), document


def test_a_box_a_row_and_a_term_light_up_together(opened: Watched) -> None:
    """By the pointer and by the focus; and each says its numbers to who does not see it."""
    page = opened.page
    lit = "[...document.querySelectorAll('.lit')].map((each) => [each.tagName, each.dataset.parts])"
    page.focus("#flow [data-parts='wpe']")
    assert page.evaluate(lit) == [["SPAN", "wpe"], ["g", "wpe"], ["SPAN", "wpe"]]
    page.hover("#components >> text=mlp.c_fc")
    names = page.evaluate(lit)
    assert ["g", "mlp.c_fc"] in names
    assert ["SPAN", "attn.c_attn attn.c_proj mlp.c_fc mlp.c_proj"] in names  # of 12·L·d²
    assert page.text_content("#formula .letters") == "12L·d² + 13L·d + V·d + T·d + 2d"
    label = page.get_attribute("#flow [data-parts='wte']", "aria-label")
    assert label == "wte: V·d = 38,597,376 parameters"
