"""Designs of other families: exact shapes whose config counts as printed, or a refusal by name."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.architectures import FILES, reading
from tests.architectures.drawing import NEEDED
from tests.architectures.modules import facts

if TYPE_CHECKING:
    from tests.conftest import Run

SEVERAL_KINDS = "of several kinds"
NO_HEADS = "has no num_attention_heads"
REFUSED = {
    **dict.fromkeys(("afmoe", "axk1", "deepseek_v3", "deepseek_v32", "kimi_k2"), SEVERAL_KINDS),
    **dict.fromkeys(("ernie4_5_moe", "exaone_moe", "glm4_moe", "glm4_moe_lite", "glm_moe_dsa", "hy_v3"), SEVERAL_KINDS),
    **dict.fromkeys(("gemma3n_text", "gemma4_text", "jamba", "nemotron_h", "recurrent_gemma"), SEVERAL_KINDS),
    **dict.fromkeys(("qwen3_next", "qwen3_5_text", "qwen3_5_moe_text"), SEVERAL_KINDS),
    **dict.fromkeys(("mamba", "mamba2", "falcon_mamba", "mpt"), NO_HEADS),
}
"""The families whose depth and width do not say what a model is, with the reason."""


@pytest.mark.parametrize("model_type", sorted(FILES))
def test_every_family_is_designed_exactly_or_refused_by_name(model_type: str) -> None:
    """Each config that is answered counts as printed, by the rows of its architecture; none is passed over."""
    asked: dict[str, Any] = {"family": model_type, **NEEDED.get(model_type, {})}
    total = gpt2calc.count({"model_type": model_type, **NEEDED.get(model_type, {})}).total
    if model_type in REFUSED:
        with pytest.raises(gpt2calc.ConfigError, match=REFUSED[model_type]):
            gpt2calc.design(total, **asked)
        return
    designs = gpt2calc.design(total, top=4, n_layer="1:200", embd_multiple=64, aspect="16:192", **asked)
    assert [gpt2calc.count(each.config).total for each in designs] == [each.value for each in designs]
    assert {each.config["model_type"] for each in designs} == {model_type}
    assert 50 * abs(designs[0].difference) <= total


@pytest.mark.parametrize(
    ("figure", "family", "name"),
    [("8B", "llama", "Llama-3.1-8B"), ("46.7B", "mixtral", "Mixtral-8x7B"), ("7.3B", "olmo2", "OLMo-2-7B")],
)
def test_a_round_figure_gives_what_its_family_released(figure: str, family: str, name: str) -> None:
    """The first that is within 2 % of it and has the family's proportions."""
    first = gpt2calc.design(figure, family=family)[0]
    assert gpt2calc.count(first).total == gpt2calc.count(name).total


@pytest.mark.parametrize(
    ("model", "asked"),
    [
        ("Llama-3.2-3B", {"params": "300M", "head_size": "64", "n_layer": "4:40", "inner_ratio": "2:4"}),
        ("Qwen3-0.6B", {"params": "1B", "pad": "128, 512"}),
        ("gpt-oss-20b", {"params": "10B"}),
        ("gemma-2-9b", {"fits": "4GB", "dtype": "bf16"}),
    ],
)
def test_what_is_answered_is_what_transformers_builds(model: str, asked: dict[str, Any]) -> None:
    """Of each config, the module on the meta device has as many parameters as are printed."""
    for each in gpt2calc.design(model=model, top=2, **asked):
        config = {name: value for name, value in each.config.items() if name not in ("dtype", "quantization_config")}
        assert facts(config).total == each.total == gpt2calc.count(each).total


def test_every_shape_within_bounds_is_searched() -> None:
    """Against counting each config of a small grid, one by one, as it is read."""
    base = {
        "model_type": "llama",
        "vocab_size": 100,
        "hidden_size": 64,
        "intermediate_size": 96,
        "num_hidden_layers": 2,
    }
    base |= {"num_attention_heads": 8, "num_key_value_heads": 4}
    counted = {}
    for layers in range(1, 7):
        for width in range(8, 97, 8):
            heads = width // 8
            keys = next((k for k in (4, 3, 2) if heads % k == 0), 0)
            inner = -(-width * 3 // 2 // 32) * 32
            sizes = {"num_hidden_layers": layers, "hidden_size": width, "intermediate_size": inner}
            sizes |= {"num_attention_heads": heads, "num_key_value_heads": keys}
            if keys:
                counted[layers, width] = reading.read({**base, **sizes}).model.total()
    designs = gpt2calc.design(50_000, base, n_layer="1:6", n_embd="8:96", aspect="1:96", nearest=True, top=100)
    assert {(each.n_layer, each.n_embd): each.value for each in designs} == counted
    assert [abs(each.difference) for each in designs] == sorted(abs(value - 50_000) for value in counted.values())


def test_heads_of_keys_are_grouped_as_the_family_groups_them() -> None:
    """As many as the model has, or down to half of them; what is given stays, and widths that it fits are left."""
    for each in gpt2calc.design("8B", family="llama"):
        assert each.n_head % each.n_kv == 0
        assert 4 <= each.n_kv <= 8
    three: dict[str, Any] = {"family": "llama", "num_key_value_heads": 3}
    given = gpt2calc.design("8B", **three)
    assert {(each.n_kv, each.n_head % 3) for each in given} == {(3, 0)}
    with pytest.raises(gpt2calc.ConfigError, match="no shape has a number of heads that num_key_value_heads divides"):
        gpt2calc.design("8B", n_embd=4096, **three)
    assert {each.n_kv for each in gpt2calc.design("7B", family="olmo2", top=3)} == {0}


def test_lists_of_an_entry_a_layer_do_not_outlive_their_layers() -> None:
    """Such as layer_types, which changes no shape and fits no other depth."""
    for each in gpt2calc.design("10B", "gpt-oss-20b", top=3):
        assert "layer_types" not in each.config


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"family": "llma"}, "no family is called 'llma': did you mean llama?"),
        ({"family": "llama", "model": "gpt2"}, "family and a model are two places that all other fields come from"),
        ({"family": "bloom", "inner_ratio": "4"}, "has no width of the MLP of its own: leave inner_ratio out"),
        ({"family": "llama", "convention": "kaplan"}, "no convention is called 'kaplan': known are total, tied"),
        ({"family": "llama", "convention": "active"}, "Llama-3.1-8B has no experts: active counts none of it"),
    ],
)
def test_what_no_family_has_is_refused(asked: dict[str, Any], told: str) -> None:
    """By its name, in one sentence."""
    with pytest.raises(gpt2calc.Gpt2calcError) as raised:
        gpt2calc.design("8B", **asked)
    assert told in str(raised.value)


def test_the_answer_is_a_config_on_the_command_line(run: Run) -> None:
    """`--family` and `-q` give one that `count` reads."""
    ran = run("design", "--family", "llama", "--params", "8B", "--top", "1", "-q")
    assert json.loads(ran.stdout)["num_key_value_heads"] == 8
    assert run("count", "-", "-q", stdin=ran.stdout.encode()).stdout == "8030261248\n"
