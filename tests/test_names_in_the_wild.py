"""Names and companions that people's files have, each with the tracker where it was met: what they are is told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import save_file

import gpt2calc
from gpt2calc.dialects.respellings import respelled
from tests.goods import X, plain
from tests.makers.dialects import gpt1
from tests.makers.safetensors import write

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.faults import Tensor

D, V = X.n_embd, X.vocab_size
CONFIG = {**X.config(), "tie_word_embeddings": True, "model_type": "gpt2", "architectures": ["GPT2LMHeadModel"]}
OWN = plain("huggingface").tensors
HEAD: Tensor = ("lm_head.weight", "F32", (V, D))
VALUE: list[Tensor] = [("v_head.summary.weight", "F32", (1, D)), ("v_head.summary.bias", "F32", (1,))]


def named(change: Callable[[str], str], tensors: list[Tensor]) -> list[Tensor]:
    """Return tensors under changed names."""
    return [(change(name), dtype, shape) for name, dtype, shape in tensors]


def wrapped(name: str) -> str:
    """Put FSDP's words before a name, and within it before those of a block."""
    start, dot, rest = name.partition(".ln_")
    inner = f"{start}._fsdp_wrapped_module{dot}{rest}" if dot and ".h." in start else name
    return f"_fsdp_wrapped_module.{inner}"


def checkpointed(name: str) -> str:
    """Put activation checkpointing's word behind the number of a block, and torch.compile's behind its attention."""
    return ".".join(
        {"0": "0._checkpoint_wrapped_module", "1": "1._checkpoint_wrapped_module", "attn": "attn._orig_mod"}.get(
            part, part
        )
        for part in name.split(".")
    )


MATCHES: dict[str, tuple[list[Tensor], str]] = {
    # huggingface/transformers, PR 1778: DialoGPT
    "the head of pytorch_pretrained_bert": (
        [*OWN, ("lm_head.decoder.weight", "F32", (V, D))],
        "lm_head.decoder.weight is read as lm_head.weight: tools and old releases spell it so",
    ),
    # Lightning-AI/litgpt 1613, huggingface/peft PR 2681
    "FSDP's words before all names and within them": (named(wrapped, [*OWN, HEAD]), "and 7 more so"),
    "words of checkpointing and of torch.compile": (named(checkpointed, OWN), "is read as transformer.h.0.ln_1.weight"),
    # huggingface/trl, PR 86 and issue 43
    "a value head": (
        [*OWN, HEAD, *VALUE],
        f"a value head of {D + 1} stands beside the model, and is in none of its cou",
    ),
    # huggingface/trl 3071
    "a value head beside a prefix": (
        [*named(lambda name: f"pretrained_model.{name}", OWN), *VALUE],
        f"a value head of {D + 1} stands beside the model",
    ),
    # CarperAI/trlx, trlx/models/modeling_ppo.py
    "trlx' value head": (
        [*named(lambda name: f"base_model.{name}", OWN), ("v_head.0.weight", "F32", (2 * D, D))],
        f"a value head of {2 * D * D} stands beside the model",
    ),
}


@pytest.mark.parametrize("case", MATCHES)
def test_it_matches_with_its_config_and_without_and_a_note_tells(case: str, tmp_path: Path) -> None:
    """What is known of a name is said, and nothing of it is a fault."""
    tensors, note = MATCHES[case]
    write(tmp_path / "model.safetensors", tensors)
    for config in ((CONFIG,), ()):
        found = gpt2calc.verify(tmp_path, *config)
        assert found.matches, found.verdict
        is_tied = bool(config) or not any("lm_head" in name for name, *_ in tensors)  # zeros do not settle it
        assert found.total == gpt2calc.count(CONFIG, tie_word_embeddings=is_tied).total
        assert any(note in each for each in found.notes), found.notes


def test_a_fault_is_found_under_a_name_that_was_changed(tmp_path: Path) -> None:
    """A block that lacks a tensor lacks it whatever wraps it."""
    gone = [tensor for tensor in named(wrapped, OWN) if not tensor[0].endswith("h.1._fsdp_wrapped_module.ln_2.bias")]
    write(tmp_path / "model.safetensors", gone)
    found = gpt2calc.verify(tmp_path, CONFIG)
    assert [(each.kind, each.tensor) for each in found.faults] == [
        ("missing", "_fsdp_wrapped_module.transformer.h.1.ln_2.bias")
    ]


def test_a_name_is_not_changed_to_one_that_is_there() -> None:
    """Two tensors are two, and what is wrong with that is said under the names that they have."""
    assert respelled(["lm_head.weight", "lm_head.decoder.weight"]) == {}
    assert respelled(["h.0._orig_mod.a", "h.0._checkpoint_wrapped_module.a"]) == {"h.0._orig_mod.a": "h.0.a"}
    assert respelled(["module._orig_mod.wte", "module._orig_mod.wpe", "module._orig_xx.ln_f"]) == {}


def test_weights_that_are_loaded_have_the_names_that_were_read(tmp_path: Path) -> None:
    """The evidence of the weights sees the file's own names, and agrees."""
    own = gpt2calc.tensors(CONFIG)
    tensors = {wrapped(tensor.name): torch.ones(tensor.shape) for tensor in own}
    save_file(tensors, tmp_path / "model.safetensors")
    torch.save(tensors, tmp_path / "model.pt")
    for name in ("model.safetensors", "model.pt"):
        found = gpt2calc.verify(tmp_path / name, CONFIG, evidence="weights")
        assert found.matches, (name, found.verdict)


def test_rows_that_pad_megatrons_vocabulary_are_no_parameters_and_are_told(tmp_path: Path) -> None:
    """NVIDIA/Megatron-LM 250: 354,871,296 of the released 345M are 354,823,168 and 47 rows of 1,024."""
    tensors = [
        (n, t, (128, D) if n.endswith("word_embeddings.weight") else s) for n, t, s in plain("megatron-legacy").tensors
    ]
    write(tmp_path / "model.safetensors", tensors)
    found = gpt2calc.verify(tmp_path, CONFIG)
    assert found.matches, found.verdict
    padded = found.total + (128 - V) * D
    assert (
        "97 rows of language_model.embedding.word_embeddings.weight only pad the vocabulary: with padding it is "
        in (found.notes[0])
    )
    assert f"{padded:,} elements" in found.notes[0]
    assert gpt2calc.verify(tmp_path).total == padded


def test_states_of_transformer_engine_are_told_apart(tmp_path: Path) -> None:
    """verl-project/verl 1189: each of its layers may have one, whatever it holds."""
    states: list[Tensor] = [(f"decoder.layers.{n}.mlp.linear_fc1._extra_state", "U8", (16,)) for n in range(2)]
    write(tmp_path / "model.safetensors", [*plain("megatron-te").tensors, *states])
    found = gpt2calc.verify(tmp_path, CONFIG)
    assert found.matches, found.verdict
    assert {part.what: part.tensors for part in found.checked.holdings}["states of Transformer Engine"] == 2


def test_a_folded_model_lacks_layer_norm_and_has_a_head_of_its_own(tmp_path: Path) -> None:
    """TransformerLensOrg/TransformerLens 1691: 163,049,041 is untied gpt2, less 38,400 of LayerNorm, and b_U."""
    tensors: list[Tensor] = [*plain("transformerlens-folded").tensors, ("unembed.b_U", "F32", (V,))]
    write(tmp_path / "model.safetensors", tensors)
    norms = (2 * X.n_layer + 1) * 2 * D
    for config in ((CONFIG,), ()):  # the config of transformers ties the head, which ln_f is folded into
        found = gpt2calc.verify(tmp_path, *config)
        assert found.matches, found.verdict
        assert found.total == gpt2calc.count(CONFIG, tie_word_embeddings=False).total - norms
        assert f"LayerNorm is folded into the matrices that follow it, and its {norms} parameters are in no count" in (
            found.notes
        )
        assert {part.what: part.elements for part in found.checked.holdings}[
            "bias of the head, which GPT-2 does not have"
        ] == V
    lacking = [tensor for tensor in tensors if tensor[0] != "blocks.1.mlp.b_out"]
    write(tmp_path / "model.safetensors", lacking)
    assert [each.tensor for each in gpt2calc.verify(tmp_path, CONFIG).faults] == ["blocks.1.mlp.b_out"]


def test_gpt1_is_found_by_its_names_and_is_the_preset_that_ships(tmp_path: Path) -> None:
    """SivilTaram/Persona-Dialogue-Generation 34: under a prefix, with no config and with that of a GPT-2."""
    shapes = gpt1(X._replace(n_inner=4 * D))
    write(
        tmp_path / "model.safetensors", [(f"transformer_module.{name}", "F32", shape) for name, shape in shapes.items()]
    )
    found = gpt2calc.verify(tmp_path)
    assert found.matches, found.verdict
    inferred = gpt2calc.infer(tmp_path)
    assert isinstance(inferred, dict)
    assert inferred["model_type"] == "openai-gpt"
    own: dict[str, Any] = {**X.config(), "n_inner": 4 * D, "ln_f": False}
    assert gpt2calc.verify(tmp_path, own).total == found.total == gpt2calc.count(own).total
