"""Adapters: what LoRA and prompt tuning train, as PEFT counts it, by its own recorded answers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from tests.loops import of_each
from tests.makers.peft_answers import CASES

if TYPE_CHECKING:
    from tests.conftest import Run

RECORDED = json.loads((Path(__file__).parent / "data" / "peft_answers.json").read_text(encoding="utf-8"))
ANSWERS: list[dict[str, Any]] = RECORDED["cases"]


def asked(case: dict[str, Any]) -> Any:
    """Return PEFT's words as those of `gpt2calc.adapter`."""
    words = dict(case["words"])
    names = {"target_modules": "targets", "use_dora": "dora", "num_virtual_tokens": "prompt_tokens"}
    names |= {"bias": "lora_bias", "lora_bias": "b_bias"}
    words.pop("use_rslora", None)  # it scales, and trains nothing more
    return {names.get(name, name): value for name, value in words.items()}


def test_the_recorded_answers_are_those_of_the_maker() -> None:
    """Each case of the maker has its answer, in order."""
    assert [(each["what"], each["config"], each["words"]) for each in ANSWERS] == [tuple(case) for case in CASES]


@of_each("case", ANSWERS)
def test_a_count_is_pefts(case: dict[str, Any]) -> None:
    """Trainable, all, and the line that PEFT prints, byte for byte."""
    found = gpt2calc.adapter(case["config"], **asked(case))
    assert (found.trainable, found.all, found.line) == tuple(case["says"][key] for key in ("trainable", "all", "line"))
    assert sum(row.trained for row in found.rows) == found.trainable


@of_each(
    "model, words, said",
    [
        ("gpt2", {"r": 8, "targets": "cattn"}, "no module that ends with 'cattn': did you mean c_attn?"),
        ("gpt2", {"r": 8, "targets": "ln_1"}, "transformer.h.0.ln_1 is no linear layer and no embedding"),
        ("gpt2", {"r": 8, "targets": "c_attn", "modules_to_save": "c_attn"}, "holds a target of LoRA"),
        ("gpt2", {"r": 8, "modules_to_save": "transformer"}, "transformer holds all layers"),
        ("gpt2", {"r": 8, "modules_to_save": "mlp,c_fc"}, "is saved twice"),
        ("gpt2", {"r": 8, "modules_to_save": "ln_g"}, "'ln_g' to be saved: did you mean ln_"),
        ("gpt2", {"r": 8, "targets": "wte", "b_bias": True}, "lora_bias is none of an embedding's"),
        ("gpt2", {"r": 8, "lora_bias": "some"}, "one of none, all, lora_only, got 'some'"),
        ("gpt2", {"r": 0}, "r is a whole number, 1 or more, got 0"),
        ("gpt2", {"r": 8, "targets": 5}, "names of modules are a list, or text with commas between, got 5"),
        ("gpt2", {"r": 8, "dora": "yes"}, "dora is True or False, got 'yes'"),
        ("gpt2", {"r": 8, "b_bias": 1}, "b_bias is True or False, got 1"),
        ("gpt2", {"r": True}, "r is a whole number"),
        ("gpt2", {}, "give one of them"),
        ("gpt2", {"r": 8, "prompt_tokens": 8}, "give one of them"),
        ("gpt2", {"prompt_tokens": 8, "dora": True}, "these are LoRA's"),
        ("gpt2", {"r": 8, "targets": ["c_attn", ""]}, "names of modules are words"),
        ("mixtral-8x7b", {"r": 8}, "PEFT has no targets of its own for a mixtral"),
        ("mixtral-8x7b", {"r": 8, "targets": "all-linear"}, "whether PEFT adapts the router of a mixtral"),
        ("mixtral-8x7b", {"r": 8, "targets": "q_proj,w1"}, "w1 names a part of experts"),
    ],
)
def test_what_peft_does_not_adapt_is_refused_by_name(model: str, words: dict[str, Any], said: str) -> None:
    """It names the module or the word, and what is known."""
    given: Any = {"model_type": "mixtral"} if model.startswith("mixtral") else model
    with pytest.raises(gpt2calc.ConfigError) as refused:
        gpt2calc.adapter(given, **words)
    assert said in str(refused.value)


def test_a_target_says_where_it_sits() -> None:
    """A row has the component, how often it stands there, and its inputs and outputs."""
    found = gpt2calc.adapter("gpt2", r=8, targets="c_attn,c_proj")
    assert [(row.where, row.modules, row.inputs, row.outputs, row.trained) for row in found.rows] == [
        ("attn.c_attn", 12, 768, 2304, 12 * 8 * (768 + 2304)),
        ("attn.c_proj", 12, 768, 768, 12 * 8 * (768 + 768)),
        ("mlp.c_proj", 12, 3072, 768, 12 * 8 * (3072 + 768)),
    ]
    assert found.all == 124_439_808 + found.trainable


def test_the_command_prints_pefts_line(run: Run) -> None:
    """Of the issue: rank 8 on c_attn, above a table, alone with -q, and in JSON."""
    line = "trainable params: 294,912 || all params: 124,734,720 || trainable%: 0.2364"
    ran = run("count", "gpt2", "--lora-r", "8", "--lora-targets", "c_attn", "-q")
    assert ran == (0, line + "\n", "")
    assert run("count", "gpt2", "--lora-r", "8").stdout.startswith(line + "\n")
    said = json.loads(run("count", "gpt2", "--lora-r", "8", "--json").stdout)
    assert (said["schema"], said["trainable"], said["all"], said["line"]) == (
        "gpt2calc/adapter/1",
        294912,
        124734720,
        line,
    )
    assert run("count", "gpt2", "--prompt-tokens", "20", "-q").stdout.startswith("trainable params: 15,360 ||")


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--lora-targets", "c_attn"), "--lora-r says the rank"),
        (("--dora",), "--lora-r says the rank"),
        (("--lora-r", "8", "--per-block"), "--per-block"),
        (("--lora-r", "8", "--prompt-tokens", "3"), "give one of them"),
        (("--lora-r", "x"), "takes a whole number"),
    ],
)
def test_words_that_do_not_go_together_are_refused(words: tuple[str, ...], said: str, run: Run) -> None:
    """With exit code 2, and one sentence."""
    ran = run("count", "gpt2", *words)
    assert (ran.code, ran.stdout) == (2, "")
    assert said in ran.stderr
