"""A config.json that is pasted is read as `gpt2calc count` reads it: the same numbers, notes and sentences."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import gpt2calc
from gpt2calc import sources
from gpt2calc.dims import Dims
from gpt2calc.errors import UnreadableInputError, printable, shown
from gpt2calc.fields import CANONICAL

if TYPE_CHECKING:
    from tests.browser import Watched

DATA = Path(__file__).parent.parent / "data"
FILES = sorted(DATA.glob("config_*.json"))
SIZES = {"n_layer": 2, "n_embd": 8, "n_positions": 16, "vocab_size": 32}
MARKED = {"model_type": "gpt2", **SIZES}

READ = """(texts) => texts.map((text) => {
  try {
    const {counted, notes} = readConfig(text);
    return json(counted instanceof gpt2calc.Dims ? {dims: counted._asdict(), notes: [...notes]} : {other: [...notes]});
  }
  catch (error) { if (!(error instanceof Sentence)) throw error; return json({problem: error.message}); }
})"""

DOCUMENTS: dict[str, Any] = {
    "nothing": {},
    "nothing but a mark": {"model_type": "gpt2"},
    **{
        f"{name} as {spelling}": {**SIZES, spelling: 4} for spelling, name in CANONICAL.items() if name == "n_positions"
    },
    **{spelling: {spelling: 4} for spelling, name in CANONICAL.items() if name in ("n_layer", "n_embd", "vocab_size")},
    "a word for a size, beside a project's key": {**SIZES, "vocabulary_size": 8, "layers": "odd", "vocab": "v.txt"},
    "a mistyped size beside a project's key": {**SIZES, "emb_dim": 8, "layers": " 3x"},
    "two spellings that agree": {**SIZES, "hidden_size": 8},
    "two spellings that disagree": {**SIZES, "hidden_size": 9},
    "two spellings in a document of transformers": {**MARKED, "n_ctx": 8, "num_hidden_layers": 3},
    "a spelling that transformers does not read": {"model_type": "gpt2", "block_size": 5, "bias": False},
    "intermediate_size": {**MARKED, "intermediate_size": 7},
    "intermediate_size without a mark": {**SIZES, "intermediate_size": 7},
    "a typing error": {**SIZES, "n_layrs": 3},
    "another": {**SIZES, "vocabsize": 3},
    "an unknown field": {**SIZES, "experts": 3},
    "an unknown field in a document of transformers": {**MARKED, "experts": 3},
    "text for a number": {**SIZES, "n_layer": "12"},
    "a float for a number": {**SIZES, "n_layer": 12.0},
    "floats that are whole in a document of transformers": {**MARKED, "n_layer": 3.0, "n_ctx": 8.0, "vocab_size": 1e3},
    "a large float": {**SIZES, "n_layer": 1e22},
    "the largest float that is one number": {**SIZES, "n_layer": 2.0**53 - 1, "n_embd": 2.0**53},
    "text beside another fault": {**SIZES, "n_layer": "12", "n_embd": True},
    "true for a number": {**SIZES, "n_layer": True},
    "null for a number": {**SIZES, "n_layer": None},
    "a list for a number": {**SIZES, "n_layer": [1, "2", None, {"a": True}]},
    "0 blocks": {**SIZES, "n_layer": 0},
    "0 width": {**SIZES, "n_embd": 0},
    "a negative size": {**SIZES, "vocab_size": -1},
    "several that are wrong": {**SIZES, "vocab_size": -1, "n_layer": "x", "bias": 1},
    "1 for true": {**SIZES, "tied": 1},
    "an untied one": {**SIZES, "tied": False},
    "qkv_bias": {**SIZES, "qkv_bias": False},
    "n_inner": {**SIZES, "d_ff": 7},
    "no n_inner": {**SIZES, "n_inner": None},
    "n_head that divides": {**SIZES, "n_head": 4},
    "n_head that does not": {**SIZES, "n_head": 3},
    "n_head above the width": {**SIZES, "n_head": 9},
    "n_head of 0": {**SIZES, "n_head": 0},
    "padding": {**SIZES, "pad_vocab": 50},
    "padding by 0": {**SIZES, "pad_vocab": 0},
    "a head": {**SIZES, "head": "token_classification", "num_labels": 5},
    "a head by its class": {**SIZES, "head": "GPT2ForQuestionAnswering"},
    "no head": {**SIZES, "head": None},
    "an unknown head": {**SIZES, "head": "vision"},
    "labels": {**MARKED, "architectures": ["GPT2ForTokenClassification"], "id2label": {"0": "a", "1": "b", "2": "c"}},
    "architectures of another model": {**MARKED, "architectures": ["GPT9"]},
    "architectures of TensorFlow": {**MARKED, "architectures": ["TFGPT2Model"]},
    "architectures that are none": {**MARKED, "architectures": "GPT2Model"},
    "no architectures": {**MARKED, "architectures": []},
    "architectures of numbers": {**MARKED, "architectures": [1]},
    "another model": {"model_type": "bert"},
    "a captioner": {"model_type": "vision-encoder-decoder", "decoder": {"model_type": "gpt2"}},
    "sizes beyond 64 bits": {**SIZES, "vocab_size": 2**70, "n_embd": 10**40},
    "a size of 1,000 digits": {**SIZES, "vocab_size": 10**999},
    "a size of 1,001 digits": {**SIZES, "vocab_size": 10**1000},
    "ln_f": {**SIZES, "ln_f": False},
    "ours": {**SIZES, "gpt2calc": {"aliases": []}},
    "a typing error with what is given": {**MARKED, "n_layrs": 2},
    "a typing error with text": {**MARKED, "n_layrs": "24"},
    "a foreign size": {"model_type": "gpt2", "num_experts": 8},
    "foreign sizes": {**MARKED, "num_key_value_heads": 4, "text_hidden_size": 9, "rope_theta": 1e4, "router_z": 0.1},
    "foreign sizes that are nothing": {**MARKED, "num_experts": 1, "rope_scaling": None, "alibi": False, "lora": {}},
    "foreign structure": {**MARKED, "position_embedding_type": "alibi", "attention_bias": False, "mlp_bias": True},
    "foreign structure that GPT-2 has": {**MARKED, "position_embedding_type": "Absolute", "norm_type": "layernorm"},
    "many foreign sizes": {**MARKED, **{f"experts_{n}": n for n in range(20)}},
    "a foreign size without a mark": {**SIZES, "d_head": 4},
    "a gated activation": {**MARKED, "activation_function": "SwiGLU", "mood": 1, "luck": 2, "a" * 99: 3, "b": 4},
    "a gated activation without a mark": {**SIZES, "activation_function": "gated-gelu"},
    "a learned activation": {**MARKED, "activation_function": "prelu"},
    "heads taken out": {**MARKED, "pruned_heads": {"0": [1]}},
    "no heads taken out": {**MARKED, "pruned_heads": {}},
    "sizes one level down that agree": {**MARKED, "a": {"n_layer": 2}, "task_specific_params": {"n_layer": 9}},
    "no size": {"tied": False},
    "too many keys": {**MARKED, **{f"mood {n}": n for n in range(501)}},
    "a name that is markup": {**SIZES, "<script>alert(1)</script>": 1},
    "a long name": {**SIZES, "x" * 500: "y" * 500},
    "a long value": {**SIZES, "n_layer": "y" * 150},
    "constructor": {**SIZES, "constructor": 1},
    "prototype": {**SIZES, "__proto__": {"x": 1}},
}

TEXTS = {
    "no JSON": "{'n_layer': 12}",
    "half": '{"n_layer": ',
    "on the second line": '{"n_layer": 12,\n  "n_embd" 768}',
    "a comment": '{"n_layer": 12} # twelve',
    "an array": "[1]",
    "a text": '"x"',
    "a number": "12",
    "null": "null",
    "true": "true",
    "a key twice": '{"n_layer": 12, "n_layer": 13}',
    "minus zero": '{"n_layer": -0}',
    "a number of 5,000 digits": '{"n_layer": ' + "9" * 5000 + "}",
    "a sum that is no number": '{"n_layer": 12+1}',
    "an exponent": '{"n_layer": 1e1}',
    "a line break in a text": '{"a": "\n"}',
}


def plainly(said: dict[str, Any]) -> dict[str, Any]:
    """Return what is said of a document; of what is no JSON, that it is none, which each says in its own words."""
    words = (
        "not JSON",
        "not a config",
        "it is nested",
        "it holds a number",
        "a key is given",
        "expected a JSON object",
    )
    problem = said.get("problem", "")
    return {"problem": "no JSON"} if problem.startswith(words) or " is given twice" in problem else said


def python(text: str) -> Any:
    """Return what Python says of a text; of a model of another architecture, its notes."""
    try:
        source = sources.from_text(text, "x")
    except UnreadableInputError as error:
        return {"problem": printable(error.problem)}
    notes = list(source.notes)
    return {"dims": source.dims._asdict(), "notes": notes} if isinstance(source.counted, Dims) else {"other": notes}


def test_every_document_is_read_as_python_reads_it(loaded: Watched) -> None:
    """Those that people have, and those that are wrong in one thing: counts, notes and sentences."""
    texts = {file.name: file.read_text(encoding="utf-8") for file in FILES}
    texts |= {name: json.dumps(document) for name, document in DOCUMENTS.items()}
    texts |= TEXTS
    others = Path(__file__).parents[1] / "data" / "configs_of_others.jsonl"
    cases = map(json.loads, others.read_text(encoding="utf-8").splitlines())
    texts |= {case["id"]: case["text"] for case in cases if case["name"].endswith(".json") and case["text"][0] == "{"}
    found = loaded.page.evaluate(READ, list(texts.values()))
    answers = [plainly(json.loads(answer)) for answer in found]
    for name, answer in zip(texts, answers, strict=True):
        assert answer == plainly(python(texts[name])), name
    assert len(texts) > 80
    assert sum("problem" not in answer for answer in answers) > 40


def test_a_slip_in_a_document_is_refused(loaded: Watched) -> None:
    """As Python refuses it, with what was meant, and so are sizes that lie within a key."""
    slips: list[dict[str, Any]] = [
        {"n_layrs": 24},
        {"hiden_size": 24.0},
        {"add_cross_atention": True},
        {"hyper_params": {"n_layer": 24}},
    ]
    texts = [json.dumps({**MARKED, **slip}) for slip in slips] + [json.dumps({**SIZES, "vocab_sise": 3})]
    found = [json.loads(answer) for answer in loaded.page.evaluate(READ, texts)]
    assert [list(answer) for answer in found] == [["problem"]] * len(texts)
    assert found == list(map(python, texts))


def test_numbers_are_shown_as_they_are(loaded: Watched) -> None:
    """In a sentence, where they are no size."""
    texts = [f'{{"n_layer": {number}}}' for number in ("NaN", "-Infinity", "1e-7", "-2.5")]
    said = [json.loads(answer)["problem"].split(", got ")[1] for answer in loaded.page.evaluate(READ, texts)]
    assert said == ["NaN", "-Infinity", "1e-7", "-2.5"]


def test_random_documents_are_read_as_python_reads_them(loaded: Watched) -> None:
    """Fields in any spelling, right and wrong values, with and without the marks of transformers."""
    draw = random.Random(11)
    values: list[Any] = [1, 2, 12, 768, None, True, False, "lm", "12", 1.5, [], -1, "cls_index"]
    names = [*CANONICAL, "intermediate_size", "dropout", "architectures", "id2label", "n_experts", "kv", "x"]
    texts = []
    for _ in range(200):
        chosen = draw.sample(names, draw.randint(0, 4))
        document = {name: draw.choice(values[:4] if draw.random() < 0.7 else values) for name in chosen}
        texts.append(json.dumps(document | ({"model_type": "gpt2"} if draw.random() < 0.5 else {})))
    found = loaded.page.evaluate(READ, texts)
    for text, answer in zip(texts, found, strict=True):
        ours, theirs = plainly(json.loads(answer)), plainly(python(text))
        assert ours == theirs, text
    assert 30 < sum("problem" in answer for answer in found) < 170


def test_values_are_shown_as_python_shows_them(loaded: Watched) -> None:
    """In quotes, and cut; what would break a line or turn it round has one sign in its place, and no code."""
    texts = ["x", "it is", "é😀", "a" * 61]
    found = loaded.page.evaluate("(texts) => texts.map(shown)", [*texts, "\x00\u202e a\n"])
    assert found == [*(shown(text) for text in texts), "'\ufffd\ufffd a\ufffd'"]


def test_a_preset_is_read_from_its_own_file(loaded: Watched) -> None:
    """Each of configs/*.json, as a document, is the model of its name."""
    models = gpt2calc.models()
    found = loaded.page.evaluate(READ, [json.dumps({"model_type": "gpt2", **model.fields}) for model in models])
    assert [json.loads(text)["dims"] for text in found] == [model.dims._asdict() for model in models]
