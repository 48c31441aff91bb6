"""What a person does on the page: each control moves the right numbers, and nonsense gets a sentence."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.webpage.controls import CHOICE, CONTROLS, SIZE, SWITCH
from tests.loops import of_each
from tests.page.reading import agrees, rested, shown, total

if TYPE_CHECKING:
    from tests.browser import Watched

SIZES = [control for control in CONTROLS if control.kind == SIZE]


def test_it_opens_with_gpt2(opened: Watched) -> None:
    """All numbers are there at once."""
    agrees(opened, "gpt2")
    assert opened.text("#title") == "gpt2"
    in_short = "parameters, about 124M; 497.76 MB in fp32, 248.88 MB in bf16; 7,087,872 in each block"
    assert opened.text("#glance") == in_short


TYPED = {"n_layer": 3, "n_embd": 100, "n_positions": 7, "vocab_size": 50304, "n_inner": 0, "n_head": 4}


@pytest.mark.parametrize("control", SIZES, ids=lambda control: control.field)
def test_a_number_that_is_typed_is_counted(control: Any, restored: Watched) -> None:
    """At once, while the slider follows and the address comes after."""
    restored.page.fill(f"#{control.field}", str(TYPED[control.field]))
    fields = {control.field: TYPED[control.field]}
    agrees(restored, "gpt2", **fields)
    assert rested(restored) == f"model=gpt2&{control.field}={TYPED[control.field]}"


@pytest.mark.parametrize("control", SIZES, ids=lambda control: control.field)
def test_a_slider_moves_its_number(control: Any, restored: Watched) -> None:
    """By its keys: one step up, one down, to both ends; and says the number to who does not see it."""
    slider = restored.page.locator(f"#sizes input[type=range][aria-label^='{control.field},']")
    seen = []
    for key in ("ArrowRight", "ArrowLeft", "End", "Home", "PageUp"):
        slider.press(key)
        value = int(restored.page.input_value(f"#{control.field}").replace(",", ""))
        assert slider.get_attribute("aria-valuetext") == f"{value:,}"
        if control.field != "n_head" and key in ("End", "Home"):  # n_head need not divide, and changes no count
            agrees(restored, "gpt2", **{control.field: value})
        seen.append(value)
    assert seen[0] > seen[1]
    assert seen[2:4] == [control.high, control.low]


@of_each("control", [each for each in CONTROLS if each.kind == SWITCH])
def test_a_switch_moves_the_numbers(control: Any, restored: Watched) -> None:
    """There, and back again."""
    heads = {"summary_use_proj": "double_heads", "summary_proj_to_labels": "double_heads"}
    head = heads.get(control.field, "lm")
    restored.page.select_option("#head", head)
    before = restored.page.is_checked(f"#{control.field}")
    restored.page.set_checked(f"#{control.field}", checked=not before)
    agrees(restored, "gpt2", head=head, **{control.field: not before})
    restored.page.set_checked(f"#{control.field}", checked=before)
    agrees(restored, "gpt2", head=head)


def test_qkv_bias_follows_bias_until_it_is_set(restored: Watched) -> None:
    """As in Python, where it is not given."""
    restored.page.uncheck("#bias")
    assert not restored.page.is_checked("#qkv_bias")
    agrees(restored, "gpt2", bias=False)
    restored.page.check("#qkv_bias")
    agrees(restored, "gpt2", bias=False, qkv_bias=True)


def test_every_head_can_be_chosen(restored: Watched) -> None:
    """And shows the fields of its own, which move its numbers."""
    (control,) = (each for each in CONTROLS if each.kind == CHOICE)
    for head in gpt2calc.dims.TASK_HEADS:
        restored.page.select_option(f"#{control.field}", head)
        agrees(restored, "gpt2", head=head)
        labels = head in ("sequence_classification", "token_classification")
        assert restored.page.is_visible("#num_labels") == labels
        assert restored.page.is_visible("#summary_use_proj") == (head == "double_heads")
        if labels:
            restored.page.fill("#num_labels", "9")
            agrees(restored, "gpt2", head=head, num_labels=9)
            restored.page.fill("#num_labels", "2")


def test_a_vocabulary_can_be_padded(restored: Watched) -> None:
    """To a multiple, and no longer where the field is emptied."""
    restored.page.fill("#pad_vocab_size_multiple", "128")
    agrees(restored, "gpt2", pad_vocab_size_multiple=128)
    restored.page.fill("#pad_vocab_size_multiple", "")
    agrees(restored, "gpt2")


def test_an_empty_n_inner_is_four_times_the_width(restored: Watched) -> None:
    """And the field says so."""
    restored.page.fill("#n_inner", "5000")
    agrees(restored, "gpt2", n_inner=5000)
    restored.page.fill("#n_inner", "")
    agrees(restored, "gpt2")
    assert restored.page.get_attribute("#n_inner", "placeholder") == "4·d = 3,072"


@of_each("model", ["gpt2-xl", "gpt3-175B", "raschka-gpt2-small", "tiny-random-gpt2", "vit-gpt2-decoder"])
def test_a_preset_is_one_choice(model: str, restored: Watched) -> None:
    """Its numbers, its name and its summary appear."""
    restored.page.fill("#preset", model)
    agrees(restored, model)
    assert restored.text("#title") == model
    assert rested(restored) == f"model={model}"


def test_a_preset_is_found_by_what_is_known_of_it(opened: Watched) -> None:
    """By an alias or a part of its name; the list says how large each is, and a name of none is said to be that."""
    sizes = "Object.fromEntries([...byId('presets').options].map(({value, label}) => [value, label]))"
    found = opened.page.evaluate(sizes)
    assert (found["gpt2-xl"], found["model_type:llama"]) == ("1.56B", "6.74B")
    opened.page.fill("#preset", "1.5B")
    assert opened.text("#title") == "gpt2-xl"
    opened.page.fill("#preset", "llama-9")
    opened.page.press("#preset", "Enter")
    assert opened.text("#preset-said") == "no model is called 'llama-9'"
    opened.page.fill("#preset", "llama-3.1-8")
    opened.page.press("#preset", "Enter")
    assert opened.text("#title") == "Llama-3.1-8B"
    assert opened.page.is_hidden("#preset-said")


def test_what_was_changed_can_be_taken_back(restored: Watched) -> None:
    """By one button, which is there only then."""
    assert not restored.page.is_visible("#reset")
    restored.page.fill("#n_layer", "13")
    assert restored.text("#title") == "gpt2 with n_layer=13"
    restored.page.click("#reset")
    agrees(restored, "gpt2")
    assert not restored.page.is_visible("#reset")


OWN = {"n_layer": "12", "n_embd": "768", "vocab_size": "50257", "n_head": "12"}


@of_each(
    "case",
    [
        ("n_layer", "twelve", "n_layer must be a whole number, 0 or more, got 'twelve'"),
        ("n_layer", "-1", "n_layer must be a whole number, 0 or more, got -1"),
        ("n_layer", "1.5", "n_layer must be a whole number, 0 or more, got '1.5'"),
        ("n_layer", "", "n_layer must be a whole number, 0 or more, got ''"),
        ("n_embd", "0", "n_embd must be a whole number, 1 or more, got 0"),
        ("vocab_size", "50,25", "vocab_size must be a whole number, 1 or more, got '50,25'"),
        ("vocab_size", "<img src=x onerror=alert(1)>", "got '<img src=x onerror=alert(1)>'"),
        ("vocab_size", "9" * 1001, "vocab_size must have at most 1000 digits"),
        ("n_head", "7", "n_head 7 must divide n_embd 768: give n_embd 763 or 770, or another n_head"),
    ],
)
def test_nonsense_gets_a_sentence(case: tuple[str, str, str], restored: Watched) -> None:
    """Beside the field, and tied to it; the numbers stay as they were."""
    field, typed, said = case
    restored.page.fill(f"#{field}", typed)
    assert said in restored.text(f"#{field}-problem")
    assert restored.page.get_attribute(f"#{field}", "aria-invalid") == "true"
    assert f"{field}-problem" in (restored.page.get_attribute(f"#{field}", "aria-describedby") or "")
    assert total(restored) == 124_439_808
    restored.page.fill(f"#{field}", OWN[field])
    assert restored.page.is_hidden(f"#{field}-problem")


def test_heads_that_no_longer_divide_are_no_fault_of_the_reader(restored: Watched) -> None:
    """Whoever moves the width alone is told that the model's own heads are left out, as Python does it."""
    restored.page.fill("#n_embd", "1000")
    assert restored.text("#n_head-problem") == "it does not divide n_embd 1,000, and is left out"
    assert restored.page.get_attribute("#n_head", "aria-invalid") == "false"
    agrees(restored, "gpt2", n_embd=1000)
    restored.page.fill("#n_embd", "1200")
    assert restored.page.is_hidden("#n_head-problem")


@of_each("typed", ["50304", "50,304", "50_304", "50 304", " 50304 "])
def test_numbers_are_read_as_people_write_them(typed: str, restored: Watched) -> None:
    """With commas, underscores or spaces between thousands."""
    restored.page.fill("#vocab_size", "1")
    agrees(restored, "gpt2", vocab_size=1)
    restored.page.fill("#vocab_size", typed)
    agrees(restored, "gpt2", vocab_size=50304)


def test_numbers_are_exact_beyond_what_a_float_holds(restored: Watched) -> None:
    """2^53 + 1, and 40 digits."""
    for size in (2**53 + 1, 10**39 + 7):
        restored.page.fill("#vocab_size", str(size))
        agrees(restored, "gpt2", vocab_size=size)


# A second config


def test_a_second_config_stands_beside_the_first(restored: Watched) -> None:
    """With differences and ratios, in components and conventions."""
    restored.page.click("text=Compare with a second")
    restored.page.fill("#preset", "gpt2-xl")
    one, two = gpt2calc.count("gpt2"), gpt2calc.count("gpt2-xl")
    assert total(restored) == two.total
    assert restored.text("#glance") == f"{one.total:,} → {two.total:,} parameters (+1,151.7 %, ×12.517)"
    assert restored.page.text_content("title") == "gpt2-xl: 1.56B parameters - gpt2calc"
    widths = "[...document.querySelectorAll('#bars .bar')].map((bar) => bar.getBoundingClientRect().width)"
    ours, theirs = restored.page.evaluate(widths)
    assert ours / theirs == pytest.approx(one.total / two.total, rel=0.01)
    heads = "[...document.querySelectorAll('#components thead th')].map((cell) => cell.textContent)"
    restored.drawn()
    assert restored.page.evaluate(heads) == ["component", "gpt2", "gpt2-xl", "difference", "ratio"]
    rows = {row[0].strip(): row[1:] for row in shown(restored, "components")}
    difference = two["wte"].total - one["wte"].total
    assert rows["wte"] == [f"{one['wte'].total:,}", f"{two['wte'].total:,}", f"+{difference:,}", "2.083"]
    ways = shown(restored, "conventions") + shown(restored, "stored")
    assert {row[0].split("\n")[0]: row[1:3] for row in ways} == {
        name: [f"{value:,}", f"{two.conventions[name]:,}"] for name, value in one.conventions.items()
    }
    assert rested(restored) == "model=gpt2&vs=gpt2-xl"
    restored.page.check("#forms input[value='command line']")
    assert restored.page.input_value("#shared") == "gpt2calc compare gpt2 gpt2-xl"
    restored.page.click("text=Swap")
    assert rested(restored) == "model=gpt2-xl&vs=gpt2"
    restored.page.click("#which button >> nth=0")
    assert restored.text("#title") == "gpt2-xl"
    restored.page.click("text=Remove the second")
    agrees(restored, "gpt2-xl")


def test_a_component_that_one_of_two_has_is_shown(loaded: Watched) -> None:
    """With 0 for the other, and no ratio."""
    loaded.go("#model=gpt2&vs=gpt2&vs.add_cross_attention=true")
    rows = {row[0].strip(): row[1:] for row in shown(loaded, "components")}
    assert rows["ln_cross_attn"] == ["0", "18,432", "+18,432", "-"]


# Config and files


def test_a_config_that_is_pasted_is_shown(restored: Watched) -> None:
    """In any spelling, by the nearest model's name, with what was noted; what is none gets a sentence."""
    restored.page.fill("#paste", json.dumps({"model_type": "gpt2", "n_layer": 24, "n_embd": 1024, "n_ctx": 512}))
    agrees(restored, n_layer=24, n_embd=1024, n_positions=512)
    assert "vocab_size is not given" in restored.text("#paste-said")
    assert restored.text("#title") == "gpt2-medium with n_positions=512"
    restored.page.fill("#paste", '{"n_layrs": 1}')
    assert restored.text("#paste-said").startswith("there is no field n_layrs: did you mean n_layer?")
    restored.page.fill("#paste", "")
    assert restored.text("#paste-said") == ""
