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
def test_a_number_that_is_typed_is_counted(control: Any, opened: Watched) -> None:
    """At once, while the slider follows and the address comes after."""
    opened.page.fill(f"#{control.field}", str(TYPED[control.field]))
    fields = {control.field: TYPED[control.field]}
    agrees(opened, "gpt2", **fields)
    assert rested(opened) == f"model=gpt2&{control.field}={TYPED[control.field]}"


@pytest.mark.parametrize("control", SIZES, ids=lambda control: control.field)
def test_a_slider_moves_its_number(control: Any, opened: Watched) -> None:
    """By its keys: one step up, one down, to both ends; and says the number to who does not see it."""
    slider = opened.page.locator(f"#sizes input[type=range][aria-label^='{control.field},']")
    seen = []
    for key in ("ArrowRight", "ArrowLeft", "End", "Home", "PageUp"):
        slider.press(key)
        value = int(opened.page.input_value(f"#{control.field}").replace(",", ""))
        assert slider.get_attribute("aria-valuetext") == f"{value:,}"
        if control.field != "n_head" and key in ("End", "Home"):  # n_head need not divide, and changes no count
            agrees(opened, "gpt2", **{control.field: value})
        seen.append(value)
    assert seen[0] > seen[1]
    assert seen[2:4] == [control.high, control.low]


@of_each("control", [each for each in CONTROLS if each.kind == SWITCH])
def test_a_switch_moves_the_numbers(control: Any, opened: Watched) -> None:
    """There, and back again."""
    heads = {"summary_use_proj": "double_heads", "summary_proj_to_labels": "double_heads"}
    head = heads.get(control.field, "lm")
    opened.page.select_option("#head", head)
    before = opened.page.is_checked(f"#{control.field}")
    opened.page.set_checked(f"#{control.field}", checked=not before)
    agrees(opened, "gpt2", head=head, **{control.field: not before})
    opened.page.set_checked(f"#{control.field}", checked=before)
    agrees(opened, "gpt2", head=head)


def test_qkv_bias_follows_bias_until_it_is_set(opened: Watched) -> None:
    """As in Python, where it is not given."""
    opened.page.uncheck("#bias")
    assert not opened.page.is_checked("#qkv_bias")
    agrees(opened, "gpt2", bias=False)
    opened.page.check("#qkv_bias")
    agrees(opened, "gpt2", bias=False, qkv_bias=True)


def test_every_head_can_be_chosen(opened: Watched) -> None:
    """And shows the fields of its own, which move its numbers."""
    (control,) = (each for each in CONTROLS if each.kind == CHOICE)
    for head in gpt2calc.dims.TASK_HEADS:
        opened.page.select_option(f"#{control.field}", head)
        agrees(opened, "gpt2", head=head)
        labels = head in ("sequence_classification", "token_classification")
        assert opened.page.is_visible("#num_labels") == labels
        assert opened.page.is_visible("#summary_use_proj") == (head == "double_heads")
        if labels:
            opened.page.fill("#num_labels", "9")
            agrees(opened, "gpt2", head=head, num_labels=9)
            opened.page.fill("#num_labels", "2")


def test_a_vocabulary_can_be_padded(opened: Watched) -> None:
    """To a multiple, and no longer where the field is emptied."""
    opened.page.fill("#pad_vocab_size_multiple", "128")
    agrees(opened, "gpt2", pad_vocab_size_multiple=128)
    opened.page.fill("#pad_vocab_size_multiple", "")
    agrees(opened, "gpt2")


def test_an_empty_n_inner_is_four_times_the_width(opened: Watched) -> None:
    """And the field says so."""
    opened.page.fill("#n_inner", "5000")
    agrees(opened, "gpt2", n_inner=5000)
    opened.page.fill("#n_inner", "")
    agrees(opened, "gpt2")
    assert opened.page.get_attribute("#n_inner", "placeholder") == "4·d = 3,072"


@of_each("model", ["gpt2-xl", "gpt3-175B", "raschka-gpt2-small", "tiny-random-gpt2", "vit-gpt2-decoder"])
def test_a_preset_is_one_choice(model: str, opened: Watched) -> None:
    """Its numbers, its name and its summary appear."""
    opened.page.fill("#preset", model)
    agrees(opened, model)
    assert opened.text("#title") == model
    assert rested(opened) == f"model={model}"


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


def test_what_was_changed_can_be_taken_back(opened: Watched) -> None:
    """By one button, which is there only then."""
    assert not opened.page.is_visible("#reset")
    opened.page.fill("#n_layer", "13")
    assert opened.text("#title") == "gpt2 with n_layer=13"
    opened.page.click("#reset")
    agrees(opened, "gpt2")
    assert not opened.page.is_visible("#reset")


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
def test_nonsense_gets_a_sentence(case: tuple[str, str, str], opened: Watched) -> None:
    """Beside the field, and tied to it; the numbers stay as they were."""
    field, typed, said = case
    opened.page.fill(f"#{field}", typed)
    assert said in opened.text(f"#{field}-problem")
    assert opened.page.get_attribute(f"#{field}", "aria-invalid") == "true"
    assert f"{field}-problem" in (opened.page.get_attribute(f"#{field}", "aria-describedby") or "")
    assert total(opened) == 124_439_808
    opened.page.fill(f"#{field}", OWN[field])
    assert opened.page.is_hidden(f"#{field}-problem")


def test_heads_that_no_longer_divide_are_no_fault_of_the_reader(opened: Watched) -> None:
    """Whoever moves the width alone is told that the model's own heads are left out, as Python does it."""
    opened.page.fill("#n_embd", "1000")
    assert opened.text("#n_head-problem") == "it does not divide n_embd 1,000, and is left out"
    assert opened.page.get_attribute("#n_head", "aria-invalid") == "false"
    agrees(opened, "gpt2", n_embd=1000)
    opened.page.fill("#n_embd", "1200")
    assert opened.page.is_hidden("#n_head-problem")


@of_each("typed", ["50304", "50,304", "50_304", "50 304", " 50304 "])
def test_numbers_are_read_as_people_write_them(typed: str, opened: Watched) -> None:
    """With commas, underscores or spaces between thousands."""
    opened.page.fill("#vocab_size", "1")
    agrees(opened, "gpt2", vocab_size=1)
    opened.page.fill("#vocab_size", typed)
    agrees(opened, "gpt2", vocab_size=50304)


def test_numbers_are_exact_beyond_what_a_float_holds(opened: Watched) -> None:
    """2^53 + 1, and 40 digits."""
    for size in (2**53 + 1, 10**39 + 7):
        opened.page.fill("#vocab_size", str(size))
        agrees(opened, "gpt2", vocab_size=size)


# A second config


def test_a_second_config_stands_beside_the_first(opened: Watched) -> None:
    """With differences and ratios, in components and conventions."""
    opened.page.click("text=Compare with a second")
    opened.page.fill("#preset", "gpt2-xl")
    one, two = gpt2calc.count("gpt2"), gpt2calc.count("gpt2-xl")
    assert total(opened) == two.total
    assert opened.text("#glance") == f"{one.total:,} → {two.total:,} parameters (+1,151.7 %, ×12.517)"
    assert opened.page.text_content("title") == "gpt2-xl: 1.56B parameters - gpt2calc"
    widths = "[...document.querySelectorAll('#bars .bar')].map((bar) => bar.getBoundingClientRect().width)"
    ours, theirs = opened.page.evaluate(widths)
    assert ours / theirs == pytest.approx(one.total / two.total, rel=0.01)
    heads = "[...document.querySelectorAll('#components thead th')].map((cell) => cell.textContent)"
    assert opened.page.evaluate(heads) == ["component", "gpt2", "gpt2-xl", "difference", "ratio"]
    rows = {row[0].strip(): row[1:] for row in shown(opened, "components")}
    difference = two["wte"].total - one["wte"].total
    assert rows["wte"] == [f"{one['wte'].total:,}", f"{two['wte'].total:,}", f"+{difference:,}", "2.083"]
    ways = shown(opened, "conventions") + shown(opened, "stored")
    assert {row[0].split("\n")[0]: row[1:3] for row in ways} == {
        name: [f"{value:,}", f"{two.conventions[name]:,}"] for name, value in one.conventions.items()
    }
    assert rested(opened) == "model=gpt2&vs=gpt2-xl"
    opened.page.check("#forms input[value='command line']")
    assert opened.page.input_value("#shared") == "gpt2calc compare gpt2 gpt2-xl"
    opened.page.click("text=Swap")
    assert rested(opened) == "model=gpt2-xl&vs=gpt2"
    opened.page.click("#which button >> nth=0")
    assert opened.text("#title") == "gpt2-xl"
    opened.page.click("text=Remove the second")
    agrees(opened, "gpt2-xl")


def test_a_component_that_one_of_two_has_is_shown(window: Watched) -> None:
    """With 0 for the other, and no ratio."""
    window.open("#model=gpt2&vs=gpt2&vs.add_cross_attention=true")
    rows = {row[0].strip(): row[1:] for row in shown(window, "components")}
    assert rows["ln_cross_attn"] == ["0", "18,432", "+18,432", "-"]


# Config and files


def test_a_config_that_is_pasted_is_shown(opened: Watched) -> None:
    """In any spelling, by the nearest model's name, with what was noted; what is none gets a sentence."""
    opened.page.fill("#paste", json.dumps({"model_type": "gpt2", "n_layer": 24, "n_embd": 1024, "n_ctx": 512}))
    agrees(opened, n_layer=24, n_embd=1024, n_positions=512)
    assert "vocab_size is not given" in opened.text("#paste-said")
    assert opened.text("#title") == "gpt2-medium with n_positions=512"
    opened.page.fill("#paste", '{"n_layrs": 1}')
    assert opened.text("#paste-said").startswith("there is no field n_layrs: did you mean n_layer?")
    opened.page.fill("#paste", "")
    assert opened.text("#paste-said") == ""
