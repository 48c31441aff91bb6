"""The order in which the architecture picture draws a block, against blocks that run.

A box is drawn below another unless what it holds can change what comes to the other: so each component of a small
module is changed in turn, and what its layers then get is held against what they got.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import torch

from gpt2calc.architectures import reading
from gpt2calc.plots import flows
from gpt2calc.sources import resolve
from tests.architectures.drawing import configs
from tests.architectures.modules import MODEL_TYPES, built, quick

if TYPE_CHECKING:
    from gpt2calc.plots.stages import Section

SMALL = {"vocab_size": 50, "hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "pad_token_id": 1}
WITH_MLP = {**SMALL, "intermediate_size": 48, "num_key_value_heads": 2, "head_dim": 8}
GPT_J = {"vocab_size": 50, "n_embd": 32, "n_layer": 1, "n_head": 4, "n_positions": 16}
GEMMA_4 = {**WITH_MLP, "global_head_dim": 8, "vocab_size_per_layer_input": 50}
MAMBA = {"mamba_d_state": 8, "mamba_dt_rank": 4, "mamba_n_heads": 4, "mamba_d_head": 16, "use_mamba_kernels": False}
EXPERTS = {"num_experts": 4, "num_local_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 24}

CASES: dict[str, dict[str, Any]] = {
    "norms before both": {"model_type": "qwen3", **WITH_MLP},
    "norms after both": {"model_type": "olmo2", **SMALL, "intermediate_size": 48},
    "norms before and after both": {"model_type": "gemma2", **WITH_MLP},
    "the same under other names": {"model_type": "glm4", **WITH_MLP},
    "one norm for both": {"model_type": "cohere", **SMALL, "intermediate_size": 48},
    "one norm for both, of GPT-J": {"model_type": "gptj", **GPT_J, "rotary_dim": 4},
    "side by side, two norms": {"model_type": "gpt_neox", **SMALL, "intermediate_size": 48},
    "of one type, one after the other": {
        **SMALL,
        "model_type": "gpt_neox",
        "intermediate_size": 48,
        "use_parallel_residual": False,
    },
    "norms of their own": {"model_type": "falcon", **SMALL, "new_decoder_architecture": True, "num_kv_heads": 2},
    "norms after each sum": {"model_type": "openai-gpt", **GPT_J},
    "a norm within each": {"model_type": "bitnet", **WITH_MLP},
    "an activation that learns": {"model_type": "apertus", **WITH_MLP},
    "a recurrence": {"model_type": "recurrent_gemma", **WITH_MLP, "lru_width": 32, "num_hidden_layers": 3},
    "a layer's own input": {"model_type": "gemma4_text", **GEMMA_4, "hidden_size_per_layer_input": 8},
    "an MLP beside the experts": {
        **GEMMA_4,
        **EXPERTS,
        "model_type": "gemma4_text",
        "hidden_size_per_layer_input": 0,
        "enable_moe_block": True,
        "top_k_experts": 2,
    },
    "experts shared": {"model_type": "qwen2_moe", **WITH_MLP, **EXPERTS, "shared_expert_intermediate_size": 16},
    "a state space": {"model_type": "jamba", **WITH_MLP, **EXPERTS, **MAMBA, "attn_layer_offset": 0},
    "both side by side": {"model_type": "falcon_h1", **WITH_MLP, **MAMBA, "mamba_d_ssm": 64, "mamba_n_groups": 1},
}


@pytest.mark.parametrize("config", CASES.values(), ids=CASES)
def test_a_block_is_drawn_in_the_order_in_which_it_runs(config: dict[str, Any]) -> None:
    """Nothing that is drawn above another thing gets anything from it, nor do stages that are drawn side by side."""
    chart = flows.of_source(resolve(config, {}))
    assert not [note for note in chart.notes if "not known here" in note]
    model = reading.read(config).model
    sections = dict(zip(model.kinds(), chart.sections[1:-1], strict=True))
    (stack,) = model.stacks
    tags = list(stack.layers())
    changed = _changed(config)
    for kind, section in sections.items():
        _is_drawn_as_it_runs(section, *changed[tags.index(kind)])


def test_every_norm_of_every_architecture_has_its_place() -> None:
    """No picture of a model type, with what its configs can switch on, says that one's place is not known."""
    for model_type in MODEL_TYPES:
        for drawn in configs(model_type):
            notes = flows.of_source(resolve(drawn, {})).notes
            assert not [note for note in notes if "not known here" in note], drawn


def _is_drawn_as_it_runs(section: Section, changes: dict[str, set[str]], seen: set[str]) -> None:
    drawn = [part.name for stage in section.stages for part in stage.parts]
    merged = {"experts.up_proj"}  # with experts.gate_proj, in a live module
    assert set(drawn) - merged <= changes.keys() <= set(drawn)
    above = [
        (name, other) for n, name in enumerate(drawn) for other in drawn[n + 1 :] if name in changes.get(other, ())
    ]
    assert not above, "each is drawn above what it gets something from"
    for before, stage in zip(section.stages, section.stages[1:], strict=False):
        first = next(part.name for part in stage.parts if part.name in seen)
        assert any(first in changes.get(part.name, ()) for part in before.parts) != section.side


def _changed(config: dict[str, Any]) -> list[tuple[dict[str, set[str]], set[str]]]:
    """Return for each block which components get something else when one changes, and which were seen to get any."""
    torch.manual_seed(0)
    with quick():
        module = built(config, device="cpu").eval()
        module.set_attn_implementation("eager")
        module.config._experts_implementation = "eager"
        for parameter in module.parameters():
            torch.nn.init.normal_(parameter, std=0.3)
        components = _components(config, module)
        found = []
        for held in components:
            ends = (".weight", ".bias")
            names = {n.rpartition(".")[0]: name for name, of in held.items() for n in of if n.endswith(ends)}
            before, changes = _inputs(module, names), {}
            for component, of in held.items():
                saved = [held_values.detach().clone() for held_values in of.values()]
                for values in of.values():
                    values.data.add_(torch.randn_like(values) * 0.3)
                after = _inputs(module, names)
                for values, old in zip(of.values(), saved, strict=True):
                    values.data.copy_(old)
                changes[component] = {names[n] for n in before if not _alike(before[n], after.get(n, []))}
            found.append((changes, {names[n] for n in before}))
    return found


def _components(config: dict[str, Any], module: Any) -> list[dict[str, dict[str, Any]]]:
    """Return for each block its components, each with its parameters by name."""
    rows = [row for row in reading.read(config).model.tensors(live=True) if row.layers]
    found: dict[int, dict[str, dict[str, Any]]] = {}
    for name, parameter in module.named_parameters():
        for row in rows:
            written = re.escape(row.template).replace(r"\{layer\}", r"(?:.*?\.)?(\d+)").replace(r"\{n\}", r"\d+")
            if match := re.fullmatch(written, name):
                found.setdefault(int(match[1]), {}).setdefault(row.component, {})[name] = parameter
                break
    return [found[n] for n in sorted(found)]


def _inputs(module: Any, names: dict[str, str]) -> dict[str, list[Any]]:
    """Return what each named layer gets when a few tokens pass the module."""
    got: dict[str, list[Any]] = {}

    def hook(name: str) -> Any:
        def take(_: Any, given: tuple[Any, ...], words: dict[str, Any]) -> None:
            tensors = [x for x in (*given, *words.values()) if torch.is_tensor(x) and x.is_floating_point()]
            got.setdefault(name, []).extend(x.clone() for x in tensors[:1])

        return take

    hooks = [
        each.register_forward_pre_hook(hook(name), with_kwargs=True)
        for name, each in module.named_modules()
        if name in names
    ]
    with torch.no_grad():
        module(input_ids=torch.tensor([[5, 3, 9, 2, 7]]), use_cache=False)
    for each in hooks:
        each.remove()
    return got


def _alike(one: list[Any], other: list[Any]) -> bool:
    return len(one) == len(other) and all(
        x.shape == y.shape and torch.allclose(x, y, rtol=1e-4, atol=1e-6) for x, y in zip(one, other, strict=True)
    )
