"""The page counts every architecture that Python counts: random configs of each, to the last digit and letter.

GPT2CALC_EXAMPLES is how many of each model type; 3 when left out.
"""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc import architectures, presets, sources
from gpt2calc.architectures import reading
from gpt2calc.counts import ParameterCount
from gpt2calc.errors import ConfigError, UnreadableInputError
from gpt2calc.webpage import families
from tests.architectures import drawing
from tests.page.reading import shown, total
from tests.wide import FEW_TYPES, IS_WIDE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tests.browser import Watched

EXAMPLES = int(os.environ.get("GPT2CALC_EXAMPLES", "3"))
BATCH = 50
TYPES = sorted(drawing.DRAWN)

COUNT = """(texts) => texts.map((text) => {
  try {
    const {counted, notes} = readConfig(text);
    return json(new gpt2calc.ParameterCount(counted, "x", notes).to_dict());
  }
  catch (error) { if (!(error instanceof Sentence)) throw error; return json({problem: error.message}); }
})"""


def python(document: dict[str, Any]) -> dict[str, Any]:
    """Return what Python says of a document: all that it counts, or why it does not."""
    try:
        found = reading.read(document)
    except ConfigError as error:
        return {"problem": str(error)}
    return ParameterCount(found.model, "x", found.notes).to_dict()


def agree(opened: Watched, documents: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """See that the page says of each document what Python says; return that."""
    given = list(documents)
    answers = opened.page.evaluate(COUNT, [json.dumps(document) for document in given])
    wanted = [json.loads(json.dumps(python(document))) for document in given]
    for document, answer, expected in zip(given, answers, wanted, strict=True):
        assert json.loads(answer) == expected, document
    return wanted


def test_every_model_type_is_counted(loaded: Watched) -> None:
    """None is left out of those that Python counts."""
    assert set(drawing.DRAWN) | {"gpt2"} == set(architectures.FILES)
    names = sorted(architectures.FILES)
    script = "(names) => names.map((name) => gpt2calc.architectureOf(name).model_type)"
    assert loaded.page.evaluate(script, names) == names


@pytest.mark.parametrize("first", range(0, EXAMPLES, BATCH))
def test_random_configs_of_every_model_type_are_counted_as_python_counts_them(first: int, loaded: Watched) -> None:
    """Totals, components, formulas, conventions, letters, the config that it writes, and the notes."""
    for model_type in TYPES if IS_WIDE else sorted({*TYPES} & {*FEW_TYPES}):
        classes = list(architectures.of(model_type).classes)
        drawn = []
        for n in range(first, min(first + BATCH, EXAMPLES)):
            round_, place = divmod(n, len(classes))
            drawn.append(drawing.config(model_type, n, round_) | {"architectures": [classes[place]]})
        found = agree(loaded, drawn)
        assert sum("problem" in each for each in found) <= len(found) / 2, model_type


def test_models_that_ship_are_counted(loaded: Watched) -> None:
    """By their names and aliases, under which the page finds them."""
    others = families.kept(presets.others())
    agree(loaded, [preset.fields for preset in others])
    names = [word for preset in others for word in (preset.name, *preset.aliases)]
    totals = loaded.page.evaluate(
        "(names) => names.map((name) => String(ofPreset(findPreset(name)).count.total))", names
    )
    assert totals == [str(gpt2calc.count(name).total) for name in names]


LLAMA = {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 2}
DOCUMENTS: dict[str, dict[str, Any]] = {
    "an unknown type": {"model_type": "bert"},
    "a type that is none": {"model_type": ["llama"]},
    "a class alone": {"architectures": ["Qwen3ForCausalLM"], "hidden_size": 64},
    "a strange class": {**LLAMA, "architectures": ["LlamaForVision"]},
    "classes that are none": {**LLAMA, "architectures": "LlamaModel"},
    "labels": {
        **LLAMA,
        "architectures": ["LlamaForSequenceClassification"],
        "id2label": {"0": "a", "1": "b", "2": "c"},
    },
    "a field that is not read": {**LLAMA, "num_experts": 8, "auto_map": {"AutoModel": "x"}, "_x": 1, "use_cache": True},
    "heads that do not divide": {**LLAMA, "hidden_size": 66},
    "text for a number": {**LLAMA, "hidden_size": "64"},
    "a whole float": {**LLAMA, "hidden_size": 64.0},
    "half a head": {**LLAMA, "head_dim": 1.5},
    "null for a width": {**LLAMA, "hidden_size": None},
    "null for a head": {**LLAMA, "head_dim": None},
    "1 for true": {**LLAMA, "attention_bias": 1},
    "no layers": {**LLAMA, "num_hidden_layers": 0},
    "below the least": {**LLAMA, "num_hidden_layers": -1},
    "a size of 1,001 digits": {**LLAMA, "vocab_size": 10**1000},
    "sizes beyond 64 bits": {**LLAMA, "vocab_size": 10**40, "num_hidden_layers": 10**30},
    "a learned activation": {**LLAMA, "hidden_act": "prelu"},
    "layers of their own": {**LLAMA, "per_layer_config": {"0": {}}},
    "a fixed field": {"model_type": "apertus", "hidden_act": "silu"},
    "a fixed number": {"model_type": "lfm2", "block_ffn_dim_multiplier": 2},
    "a fixed number as it is": {"model_type": "lfm2", "block_ffn_dim_multiplier": 1},
    "two spellings": {"model_type": "gptj", "n_embd": 64, "hidden_size": 128},
    "no default": {"model_type": "dots1"},
    "a composite": {
        "model_type": "llava",
        "text_config": {"model_type": "mistral", "num_hidden_layers": 3},
        "vision_config": {"hidden_size": 8},
        "tie_word_embeddings": True,
    },
    "a composite of a GPT-2": {"model_type": "llava", "text_config": {"model_type": "gpt2"}},
    "a composite that does not say": {"model_type": "llava", "text_config": {"hidden_size": 3}},
    "its decoder": {"model_type": "whisper2", "decoder": {"model_type": "llama"}},
    "an offset above its period": {"model_type": "jamba", "attn_layer_offset": 9},
    "a list that is too short": {"model_type": "lfm2", "layer_types": ["conv"], "num_hidden_layers": 2},
    "a list with a strange word": {"model_type": "lfm2", "layer_types": ["conv", "x"], "num_hidden_layers": 2},
    "a pattern in letters": {"model_type": "nemotron_h", "hybrid_override_pattern": "M*-E" * 5},
    "an empty list": {"model_type": "nemotron_h", "layers_block_type": [], "num_hidden_layers": 0},
    "a trillion layers": {"model_type": "llama", "num_hidden_layers": 10**12 + 1},
    "a billion layers": {"model_type": "jamba", "num_hidden_layers": 10**9},
    "an expanded width": {"model_type": "mamba2", "hidden_size": 100},
    "no layers of two kinds": {"model_type": "deepseek_v3", "num_hidden_layers": 0},
    "no layers of a list": {"model_type": "mellum", "num_hidden_layers": 0, "mlp_layer_types": []},
}


def test_documents_are_refused_in_pythons_words(loaded: Watched) -> None:
    """Or counted, with its notes: those that are wrong in one thing, and those at the edge."""
    found = dict(zip(DOCUMENTS, agree(loaded, DOCUMENTS.values()), strict=True))
    assert 15 < sum("problem" in each for each in found.values()) < len(found) - 8


def test_a_config_that_is_pasted_is_counted(restored: Watched) -> None:
    """By the name of the model that ships with these sizes, or of its architecture; and the address brings it back."""
    document = {**presets.load("Llama-3.1-8B").fields, "rope_theta": 500000.0}
    restored.page.fill("#paste", json.dumps(document))
    assert restored.text("#title") == "Llama-3.1-8B"
    restored.page.fill("#paste", json.dumps({"model_type": "qwen3", "num_hidden_layers": 3, "mood": 1}))
    assert restored.text("#title") == "qwen3 with num_hidden_layers=3"
    assert "does not read mood=1" in restored.text("#paste-said")
    assert total(restored) == gpt2calc.count({"model_type": "qwen3", "num_hidden_layers": 3}).total
    restored.page.fill("#paste", json.dumps({"model_type": "dots1", "num_hidden_layers": 3}))
    assert restored.text("#paste-said") == "n_routed_experts is not given, and dots1 has no default"
    assert restored.text("#title") == "qwen3 with num_hidden_layers=3"


def test_python_reads_what_was_pasted_alike() -> None:
    """A test of the test: the documents above are read from text as they are from a mapping."""
    with pytest.raises(UnreadableInputError, match="no default"):
        sources.from_text(json.dumps({"model_type": "dots1"}), "x")


STATES = (
    "#model=Llama-3.1-8B&hidden_size=2048&num_attention_heads=16&attention_bias=true",
    "#model=bamba&attn_layer_indices=1,2,40&num_key_value_heads=none",
    "#model=nemotron_h&layers_block_type=mamba,moe,mlp&moe_latent_size=64",
    "#model=DeepSeek-V3&q_lora_rank=none",
)


@pytest.mark.parametrize("state", STATES)
def test_what_is_copied_says_the_same_elsewhere(
    state: str, loaded: Watched, capsys: pytest.CaptureFixture[str]
) -> None:
    """As JSON, as Python, as a line for the shell, as a config.json, and as an address."""
    from gpt2calc.cli import main

    loaded.go(state)
    assert loaded.page.is_hidden("#notice"), loaded.text("#notice")
    wanted = total(loaded)
    copied = {}
    for form in ("JSON", "Python", "command line", "config.json", "link", "Markdown"):
        loaded.page.check(f"#forms input[value='{form}']")
        copied[form] = loaded.page.input_value("#shared")
    exec(copied["Python"], {})
    assert capsys.readouterr().out == f"{wanted}\n"
    line = copied["command line"].split()[1:]
    assert main([*line, "--json"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert {**json.loads(copied["JSON"]), "model": "", "notes": []} == {**document, "model": "", "notes": []}
    assert main([*line, "--format", "markdown"]) == 0
    assert copied["Markdown"].split("\n", 1)[1] == capsys.readouterr().out.rstrip().split("\n", 1)[1]
    assert gpt2calc.count(json.loads(copied["config.json"])).total == wanted
    loaded.go("#" + copied["link"].partition("#")[2])
    assert total(loaded) == wanted


def test_the_sliders_are_those_of_its_field_table(loaded: Watched) -> None:
    """Named as its config names them; what does not go together is said beside the one that was moved."""
    loaded.go("#model=Llama-3.1-8B")
    assert loaded.page.is_visible("#num_key_value_heads")
    assert not loaded.page.query_selector("#n_embd")
    slider = loaded.page.locator("#sizes input[type=range][aria-label^='intermediate_size,']")
    before = total(loaded)
    slider.press("ArrowRight")
    size = int(loaded.page.input_value("#intermediate_size").replace(",", ""))
    assert size > 14336
    own: dict[str, Any] = {"intermediate_size": size}
    assert total(loaded) == gpt2calc.count("Llama-3.1-8B", **own).total > before
    loaded.page.fill("#hidden_size", "4097")
    assert loaded.text("#hidden_size-problem").startswith("num_attention_heads 32 must divide hidden_size 4097")
    loaded.page.fill("#hidden_size", "2048")
    loaded.page.check("#mlp_bias")
    loaded.page.select_option("#head", "sequence_classification")
    loaded.page.fill("#num_labels", "9")
    own |= {"hidden_size": 2048, "mlp_bias": True, "head": "sequence_classification", "num_labels": 9}
    assert total(loaded) == gpt2calc.count("Llama-3.1-8B", **own).total
    loaded.page.fill("#preset", "gpt2")
    assert loaded.page.is_visible("#n_embd")
    assert total(loaded) == 124_439_808


def test_a_list_of_layers_is_a_field(loaded: Watched) -> None:
    """With its words or numbers between commas; a number of layers that does not go with it is refused."""
    loaded.go("#model=lfm2&num_hidden_layers=3&layer_types=conv,conv,full_attention")
    given = {"model_type": "lfm2", "num_hidden_layers": 3}
    assert total(loaded) == gpt2calc.count({**given, "layer_types": ["conv", "conv", "full_attention"]}).total
    loaded.page.fill("#layer_types", "conv, full_attention, full_attention")
    wanted = gpt2calc.count({**given, "layer_types": ["conv", "full_attention", "full_attention"]}).total
    assert total(loaded) == wanted
    loaded.page.fill("#num_hidden_layers", "4")
    assert "they must be as many" in loaded.text("#num_hidden_layers-problem")
    assert total(loaded) == wanted


def test_two_architectures_stand_side_by_side(loaded: Watched) -> None:
    """With the components of both, and the conventions that both have."""
    loaded.go("#model=gpt2-xl&vs=Llama-3.2-3B")
    rows = {row[0]: row[1:] for row in shown(loaded, "components")}
    one, two = gpt2calc.count("gpt2-xl"), gpt2calc.count("Llama-3.2-3B")
    assert rows["wte"][:2] == [f"{one['wte'].total:,}", "0"]
    assert rows["embed_tokens"][:2] == ["0", f"{two['embed_tokens'].total:,}"]
    ways = [row[0].split("\n")[0] for row in shown(loaded, "conventions") + shown(loaded, "stored")]
    assert sorted(ways) == sorted(name for name in one.conventions if name in two.conventions)
