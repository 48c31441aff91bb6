"""The tensor table: names, shapes and order, without torch; tests/property asks transformers for the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.architectures import gpt2
from gpt2calc.model import BIAS, WEIGHT
from gpt2calc.presets import load
from gpt2calc.sources import resolve
from gpt2calc.tensor_table import Row, Tensor, numel, size, table

if TYPE_CHECKING:
    from tests.conftest import Run

TINY: dict[str, Any] = {"n_layer": 2, "n_embd": 4, "n_positions": 3, "vocab_size": 7}
GPT2 = load("gpt2").dims


def block(number: int) -> list[tuple[str, tuple[int, ...]]]:
    """Return the tensors of one block of the tiny model, as `named_parameters()` gives them."""
    shapes = {
        "ln_1.weight": (4,),
        "ln_1.bias": (4,),
        "attn.c_attn.weight": (4, 12),
        "attn.c_attn.bias": (12,),
        "attn.c_proj.weight": (4, 4),
        "attn.c_proj.bias": (4,),
        "ln_2.weight": (4,),
        "ln_2.bias": (4,),
        "mlp.c_fc.weight": (4, 16),
        "mlp.c_fc.bias": (16,),
        "mlp.c_proj.weight": (16, 4),
        "mlp.c_proj.bias": (4,),
    }
    return [(f"h.{number}.{name}", shape) for name, shape in shapes.items()]


BARE = [
    *(("wte.weight", (7, 4)), ("wpe.weight", (3, 4))),
    *(*block(0), *block(1)),
    *(("ln_f.weight", (4,)), ("ln_f.bias", (4,))),
]


@pytest.mark.parametrize(
    ("head", "prefix", "own"),
    [
        pytest.param({"head": "none"}, "", [], id="bare"),
        pytest.param({"head": "lm"}, "transformer.", [], id="tied"),
        pytest.param({"tied": False}, "transformer.", [("lm_head.weight", (7, 4))], id="untied"),
        pytest.param(
            {"head": "double_heads"},
            "transformer.",
            [("multiple_choice_head.summary.weight", (1, 4)), ("multiple_choice_head.summary.bias", (1,))],
            id="double heads",
        ),
        pytest.param({"head": "sequence_classification"}, "transformer.", [("score.weight", (2, 4))], id="sequence"),
        pytest.param(
            {"head": "token_classification", "num_labels": 3},
            "transformer.",
            [("classifier.weight", (3, 4)), ("classifier.bias", (3,))],
            id="token",
        ),
        pytest.param(
            {"head": "question_answering"},
            "transformer.",
            [("qa_outputs.weight", (2, 4)), ("qa_outputs.bias", (2,))],
            id="question answering",
        ),
    ],
)
def test_tensors_of_a_tiny_model(head: dict[str, Any], prefix: str, own: list[tuple[str, tuple[int, ...]]]) -> None:
    """The body's names have a prefix where there is a head, and the head's tensors come last, without one."""
    found = [(tensor.name, tensor.shape) for tensor in gpt2calc.tensors(**TINY, **head)]
    assert found == [(prefix + name, shape) for name, shape in BARE] + own


def test_the_command_lists_what_the_call_lists(run: Run) -> None:
    """Of a bare body, too, whose names have nothing before them."""
    listed = run("tensors", "gpt2", "--head", "none", "--n-layer", "1", "-q").stdout.split()
    assert listed == [each.name for each in gpt2calc.tensors("gpt2", head="none", n_layer=1)]
    assert listed[0] == "wte.weight"


def test_cross_attention_stands_between_ln_2_and_the_mlp() -> None:
    """The order is that of the modules of GPT2Block, which is not the order of the forward pass."""
    names = [
        tensor.name.removeprefix("transformer.h.0.") for tensor in gpt2calc.tensors(TINY, add_cross_attention=True)
    ]
    start = names.index("ln_2.bias") + 1
    assert names[start : start + 9] == [
        "crossattention.c_attn.weight",
        "crossattention.c_attn.bias",
        "crossattention.q_attn.weight",
        "crossattention.q_attn.bias",
        "crossattention.c_proj.weight",
        "crossattention.c_proj.bias",
        "ln_cross_attn.weight",
        "ln_cross_attn.bias",
        "mlp.c_fc.weight",
    ]


def test_a_model_without_blocks_has_embeddings_and_ln_f() -> None:
    """n_layer=0 lists four tensors."""
    assert [tensor.component for tensor in gpt2calc.tensors(n_layer=0)] == ["wte", "wpe", "ln_f", "ln_f"]


def test_a_tensor_knows_its_component_role_and_numel() -> None:
    """The numel of a tensor is the product of its shape, as torch has it."""
    c_fc = gpt2calc.tensors("gpt2")[10]
    assert c_fc == Tensor("transformer.h.0.mlp.c_fc.weight", (768, 3072), "mlp.c_fc", "weight")
    assert c_fc.numel == 768 * 3072


def test_rows_know_their_template_and_whether_they_stand_in_a_block() -> None:
    """A template holds the place of the block's number, and only those of blocks do."""
    rows = {row.template: row.in_block for row in table(GPT2)}
    assert len(rows) == 32
    assert rows["transformer.wte.weight"] is False
    assert rows["transformer.h.{}.mlp.c_proj.bias"] is True
    assert rows["lm_head.weight"] is False
    assert all(in_block is ("h.{}." in template) for template, in_block in rows.items())
    assert Row("x.", "y", "weight", 1, (1,)).template == "x.y.weight"


def test_numel_takes_what_is_asked_for() -> None:
    """Each filter alone, together, and none."""
    assert numel(GPT2) == 124_439_808
    assert numel(GPT2, component="wpe") == 786_432
    assert numel(GPT2, role="bias") == 102_144
    assert numel(GPT2, rank=2) == 124_318_464
    assert numel(GPT2, rank=1) == 121_344
    assert numel(GPT2, in_block=True) == 12 * 7_087_872
    assert numel(GPT2, rank=1, in_block=True, role="weight", component="ln_1") == 9_216
    assert numel(GPT2, component="wte", in_block=True) == 0


@pytest.mark.parametrize("model", ["gpt2", "gpt2-untied", "nanogpt-no-bias", "raschka-gpt2-small", "vit-gpt2-decoder"])
def test_size_is_how_many_tensors_are_listed(model: str) -> None:
    """Counting tensors without listing them gives the same number."""
    dims = resolve(model, {}).dims
    assert size(dims) == len(list(gpt2.model(dims).listing()))


def test_a_listing_is_made_as_it_is_read() -> None:
    """The first tensors of a model with 10⁹ blocks come at once."""
    endless = gpt2.model(GPT2._replace(n_layer=10**9)).listing()
    assert [next(endless).name for _ in range(3)][-1] == "transformer.h.0.ln_1.weight"


def test_roles_are_those_of_the_names() -> None:
    """A tensor called .bias is a bias, and one called .weight a weight."""
    crossed = gpt2calc.tensors("gpt2", add_cross_attention=True, head="token_classification")
    assert all(tensor.name.endswith(f".{tensor.role}") for tensor in crossed)
    assert {tensor.role for tensor in crossed} == {WEIGHT, BIAS} == {"weight", "bias"}
