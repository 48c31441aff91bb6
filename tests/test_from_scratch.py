"""gpt2calc against a GPT-2 built from scratch: every combination of the switches, and the sizes that people publish."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers

import gpt2calc
from tests.from_scratch import GPT
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from collections.abc import Mapping

SIZES: dict[str, Any] = {"n_embd": 6, "n_head": 2, "n_positions": 7, "vocab_size": 11}
"""No two sizes are alike, so that one which stands in for another is seen."""

SWITCHES: dict[str, tuple[Any, ...]] = {
    "n_layer": (0, 1, 3),
    "n_inner": (None, 0, 5),
    "bias": (True, False),
    "qkv_bias": (None, True, False),
    "tie_word_embeddings": (True, False),
    "add_cross_attention": (False, True),
    "pad_vocab_size_multiple": (None, 8),
    "ln_f": (True, False),
    "head": ("lm", "none"),
}
COMBINATIONS = [dict(zip(SWITCHES, values, strict=True)) for values in product(*SWITCHES.values())]
RUN = {"n_layer": 1, "n_inner": 5, "pad_vocab_size_multiple": 8}
"""What those combinations have in common that are run, and not only built; the rest would show nothing new."""

GPT2: dict[str, Any] = {"n_layer": 12, "n_embd": 768, "n_head": 12, "n_positions": 1024, "vocab_size": 50257}

PUBLISHED: dict[str, tuple[dict[str, Any], int]] = {
    "the source article's Model 5": ({"tie_word_embeddings": False}, 163_037_184),
    "nanoGPT": ({}, 124_439_808),
    "nanoGPT, bias=False": ({"bias": False}, 124_337_664),
    "nanoGPT, padded to 50304": ({"pad_vocab_size_multiple": 64}, 124_475_904),
    "Raschka": ({"qkv_bias": False, "tie_word_embeddings": False}, 163_009_536),
    "Raschka, tied": ({"qkv_bias": False}, 124_412_160),
}


def written(switches: Mapping[str, Any]) -> str:
    """Return a combination as a test that fails calls it."""
    return " ".join(f"{name}={value}" for name, value in switches.items())


def components(model: GPT) -> dict[str, int]:
    """Return what each component holds: the parameters of all modules of one name, whatever their block."""
    found: dict[str, int] = {}
    for name, parameter in model.named_parameters():
        parts = name.split(".")[:-1]
        component = ".".join(parts[2:] if parts[0] == "h" else parts)
        found[component] = found.get(component, 0) + parameter.numel()
    return found


def test_a_model_built_from_scratch_has_the_counted_parameters(monkeypatch: pytest.MonkeyPatch) -> None:
    """Total and every component agree, for every combination of the switches; by default for every seventh.

    No switch has seven values, so that every value comes with every other.
    """
    for module in (torch.nn.Linear, torch.nn.LayerNorm, torch.nn.Embedding):  # what is in a tensor is not looked at
        monkeypatch.setattr(module, "reset_parameters", lambda _: None)
    assert len(COMBINATIONS) == 1728
    for switches in COMBINATIONS[:: 1 if IS_WIDE else 7]:
        with torch.device("meta"):
            model = GPT(**SIZES, **switches)
        count, name = gpt2calc.count(**SIZES, **switches), written(switches)
        assert (name, count.total) == (name, sum(parameter.numel() for parameter in model.parameters()))
        assert (name, {part.name: part.total for part in count.components if part.times}) == (name, components(model))


@pytest.mark.parametrize(("switches", "exact"), PUBLISHED.values(), ids=PUBLISHED)
def test_a_published_model_of_gpt2_size_has(switches: dict[str, Any], exact: int) -> None:
    """The model as built, the count, and the number written here are one number."""
    with torch.device("meta"):
        model = GPT(**GPT2, **switches)
    assert sum(parameter.numel() for parameter in model.parameters()) == exact
    assert gpt2calc.count(**GPT2, **switches).total == exact


def test_model_5_without_its_unembedding_is_gpt2() -> None:
    """The source article's subtraction, 163M - 38M = 124M, holds exactly: 163,037,184 - 38,597,376 = 124,439,808."""
    with torch.device("meta"):
        model_5 = GPT(**GPT2, tie_word_embeddings=False)
    assert model_5.lm_head.weight.numel() == 38_597_376
    assert sum(parameter.numel() for parameter in model_5.parameters()) - 38_597_376 == 124_439_808
    count = gpt2calc.count(**GPT2, tied=False)
    assert (count["lm_head"].total, count.total - count["lm_head"].total) == (38_597_376, 124_439_808)


class TestTheModelIsAModel:
    """The oracle is a GPT-2 that runs, and no list of shapes."""

    def test_every_parameter_takes_part_in_the_forward_pass(self) -> None:
        """Outputs have the shape of the head, and a gradient reaches every parameter."""
        run = [each for each in COMBINATIONS if RUN.items() <= each.items()]
        assert len(run) == 96
        for switches in run:
            torch.manual_seed(0)
            model = GPT(**SIZES, **switches)
            outputs = model(torch.tensor([[1, 10, 3]]), torch.randn(1, 4, SIZES["n_embd"]))
            expected = (1, 3, 16 if switches["head"] == "lm" else SIZES["n_embd"])
            assert (written(switches), outputs.shape) == (written(switches), expected)
            outputs.sum().backward()
            left = [name for name, parameter in model.named_parameters() if parameter.grad is None]
            assert (written(switches), left) == (written(switches), [])

    @pytest.mark.parametrize("add_cross_attention", [False, True])
    @pytest.mark.parametrize("tie_word_embeddings", [True, False])
    def test_it_computes_what_transformers_computes(
        self, *, add_cross_attention: bool, tie_word_embeddings: bool
    ) -> None:
        """With transformers' weights in it, Conv1D's turned to [out, in], it gives transformers' logits."""
        switches = {"add_cross_attention": add_cross_attention, "tie_word_embeddings": tie_word_embeddings}
        fields: dict[str, Any] = {**SIZES, **switches, "n_layer": 2}
        torch.manual_seed(0)
        config = transformers.GPT2Config(**fields, bos_token_id=None, eos_token_id=None)
        theirs: Any = transformers.GPT2LMHeadModel(config)
        theirs.eval()  # without dropout
        for parameter in theirs.parameters():  # Biases start as zeros, where a mistake would not be seen.
            torch.nn.init.normal_(parameter, std=0.5)
        ours = GPT(**fields)
        ours.load_state_dict(
            {
                name.removeprefix("transformer."): values.T if ".h." in name and values.dim() == 2 else values
                for name, values in theirs.state_dict().items()
            }
        )
        tokens, states = torch.tensor([[1, 10, 3, 4, 0]]), torch.randn(1, 4, SIZES["n_embd"])
        with torch.no_grad():
            expected = theirs(tokens, encoder_hidden_states=states if add_cross_attention else None).logits
            torch.testing.assert_close(ours(tokens, states), expected, rtol=1e-4, atol=1e-4)
