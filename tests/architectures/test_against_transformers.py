"""Names, shapes and totals against the modules that transformers builds, and the files that it writes.

By default four configs of each type are built, and one is written;
`GPT2CALC_EXAMPLES=1000 python -m pytest tests/architectures/test_against_transformers.py` tries 1,000 of each type.
"""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Any

import gpt2calc
from gpt2calc import adapters
from gpt2calc.architectures import of, reading
from gpt2calc.model import BUFFER, FLAG
from tests.architectures.drawing import EXAMPLES, MANY, SHALLOW, THOROUGH, config, configs, least
from tests.architectures.modules import EVERY, EVERY_IN_ONE, MODEL_TYPES, defaults, facts, written

if TYPE_CHECKING:
    from pathlib import Path

GOLDEN = {
    "deepseek_v3": 671_026_404_352,
    "gpt_neox": 20_554_567_680,
    "gpt_oss": 116_829_156_672,
    "gptj": 6_050_882_784,
    "mixtral": 46_702_792_704,
    "openai-gpt": 116_534_784,
    "opt": 125_239_296,
    "phi": 1_418_270_720,
}
"""What transformers' own default configs come to, in cases that are known from elsewhere."""


def few(model_type: str) -> dict[str, Any]:
    """Return a default of so few layers, three or more, that each kind that the default has is among them."""
    kinds = set(reading.read(least(model_type)).model.kinds())
    drawn = (least(model_type) | SHALLOW.get(model_type, {"num_hidden_layers": layers}) for layers in count(3))
    return next(each for each in drawn if model_type in SHALLOW or set(reading.read(each).model.kinds()) == kinds)


@EVERY
def test_a_live_module_has_the_tensors_that_are_listed_in_their_order(model_type: str) -> None:
    """Parameters in order, persistent buffers, and both totals, for random configs of every class."""
    for drawn in configs(model_type):
        module, model = facts(drawn), reading.read(drawn).model
        rows = list(model.listing(live=True))
        assert [(row.name, row.shape) for row in rows if row.role != BUFFER] == module.parameters, drawn
        assert {(row.name, row.shape) for row in rows if row.role == BUFFER} == module.buffers, drawn
        assert len(rows) == model.size(live=True), drawn
        assert model.total() == model.numel() == module.total, drawn
        assert model.numel(role=BUFFER) == sum(row.numel for row in rows if row.role == BUFFER), drawn


@EVERY
def test_every_layer_that_lora_takes_is_known_with_its_inputs_and_outputs(model_type: str) -> None:
    """Each linear layer and embedding of a module, and nothing else; a router's class is not known, and left out."""
    for drawn in configs(model_type):
        model, layers = reading.read(drawn).model, facts(drawn).layers
        routed = {row.name for row in model.components() if row.group == "router"}
        listed = adapters.listed(model, model_type)
        routers = {each.name.rpartition(".")[0] for each in listed if each.component in routed}
        matrices = {each.name.removesuffix(".weight") for each in listed if each.name.endswith(".weight")} - routers
        assert matrices >= layers.keys() - routers, drawn
        ends = {each.removesuffix(".weight").rpartition(".")[2] for m in model.architecture.merges for each in m.stored}
        asked = tuple(sorted(each for each in layers.keys() - routers if each.rpartition(".")[2] not in ends))
        found = adapters.chosen(model, model_type, listed, asked)
        assert {each.module: each[2:] for each in found} == {each: layers[each] for each in asked}, drawn


@EVERY
def test_a_file_holds_the_tensors_that_are_listed(model_type: str, tmp_path: Path) -> None:
    """What save_pretrained writes of small models, in one file or, of every other type, in several."""
    for n in range(3) if THOROUGH else [MODEL_TYPES.index(model_type) % 2]:
        drawn = config(model_type, n, n)
        listed = {row.name: row.shape for row in reading.read(drawn).model.listing()}
        assert listed == written(drawn, tmp_path / str(n), "4KB" if n == 1 else "1GB"), drawn
        assert (tmp_path / str(n) / "model.safetensors.index.json").exists() == (n == 1)
        found = gpt2calc.verify(tmp_path / str(n))
        assert found.matches, found.verdict


@EVERY_IN_ONE
def test_a_default_of_transformers_is_the_default(model_type: str) -> None:
    """A document that says nothing but its model type is counted as transformers builds it, here of few layers."""
    default = reading.read(least(model_type)).model
    tried = least(model_type) if THOROUGH else few(model_type)
    assert reading.read(tried).model.total() == facts(tried).total
    assert default.num_hidden_layers == defaults(model_type).num_hidden_layers
    assert default.total() == GOLDEN.get(model_type, default.total())


@EVERY_IN_ONE
def test_every_class_and_every_flag_is_drawn_both_ways(model_type: str) -> None:
    """In as many configs as a run draws, each class comes, and each flag is 0 and 1."""
    models = [reading.read(drawn).model for drawn in configs(model_type, max(EXAMPLES, MANY))]
    architecture = of(model_type)
    assert {model.head for model in models} == set(architecture.classes.values())
    for flag in (row.name for row in architecture.sizes if row.kind == FLAG):
        assert {model.sizes[flag] for model in models} == {0, 1}, flag
