"""Checkpoints of other architectures are held against their configs: files, live modules, and what is wrong in them."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest
import torch
from safetensors.torch import load_file, save_file

import gpt2calc
from gpt2calc import stored
from gpt2calc.errors import ConfigError, UnreadableInputError
from tests.architectures.drawing import THOROUGH
from tests.measuring import unmeasured
from tests.test_schemas import check

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.conftest import Run

LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "architectures": ["LlamaForCausalLM"],
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
}
SMALL: dict[str, dict[str, Any]] = {
    "llama": LLAMA,
    "qwen3, tied": {
        **LLAMA,
        "model_type": "qwen3",
        "architectures": ["Qwen3ForCausalLM"],
        "head_dim": 8,
        "tie_word_embeddings": True,
    },
    "mixtral": {**LLAMA, "model_type": "mixtral", "architectures": ["MixtralForCausalLM"], "num_local_experts": 4},
    "deepseek_v3": {
        **LLAMA,
        "model_type": "deepseek_v3",
        "architectures": ["DeepseekV3ForCausalLM"],
        "num_key_value_heads": 4,
        "n_routed_experts": 4,
        "n_group": 2,
        "topk_group": 1,
        "moe_intermediate_size": 8,
        "q_lora_rank": 6,
        "kv_lora_rank": 5,
        "qk_rope_head_dim": 4,
        "qk_nope_head_dim": 6,
        "v_head_dim": 4,
        "first_k_dense_replace": 1,
        "num_nextn_predict_layers": 1,
    },
    "jamba": {
        **LLAMA,
        "model_type": "jamba",
        "architectures": ["JambaForCausalLM"],
        "num_hidden_layers": 4,
        "num_experts": 2,
        "attn_layer_period": 2,
        "attn_layer_offset": 1,
    },
}


@unmeasured
def module_of(document: dict[str, Any]) -> Any:
    """Build a module of transformers, with values."""
    import transformers

    config = transformers.CONFIG_MAPPING[document["model_type"]].from_dict(document)
    return transformers.AutoModelForCausalLM.from_config(config)  # type: ignore[no-untyped-call]


@pytest.fixture(scope="module", params=SMALL)
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """Give a module, and the folder in which transformers saved it."""
    module = module_of(SMALL[request.param])
    folder = tmp_path_factory.mktemp("saved")
    module.save_pretrained(folder)
    return module, folder


def test_what_transformers_saves_matches_and_so_does_the_module(saved: tuple[Any, Path], tmp_path: Path) -> None:
    """As a folder, as a live module, on meta, and as a state_dict, whose names are those of the module."""
    module, folder = saved
    total = gpt2calc.count(folder).total
    torch.save(module.state_dict(), tmp_path / "model.pt")
    listed = {name: tensor.to("meta") for name, tensor in module.state_dict().items()}
    for found in (
        gpt2calc.verify(folder),
        gpt2calc.verify(module),
        gpt2calc.verify(tmp_path / "model.pt", folder / "config.json"),
        gpt2calc.verify(listed, folder / "config.json"),
    ):
        assert found.matches, found.verdict
        assert (found.total, found.observations[0].parameters) == (total, total)


FAULTS: dict[str, tuple[Callable[[dict[str, Any], str], Any], str]] = {
    "dropped": (lambda tensors, name: tensors.pop(name), "missing"),
    "transposed": (lambda tensors, name: tensors.update({name: tensors[name].T.contiguous()}), "shape"),
    "longer": (lambda tensors, name: tensors.update({name: torch.cat([tensors[name]] * 2)}), "shape"),
    "another beside it": (lambda tensors, name: tensors.update({f"{name}.more": tensors[name].clone()}), "unexpected"),
    "integers": (lambda tensors, name: tensors.update({name: tensors[name].to(torch.int32)}), "dtype"),
    "of another dtype": (lambda tensors, name: tensors.update({name: tensors[name].to(torch.float16)}), "dtype"),
}


@pytest.mark.parametrize("kind", FAULTS)
def test_a_fault_in_any_tensor_is_found_and_named(kind: str, saved: tuple[Any, Path], tmp_path: Path) -> None:
    """One at a time, in every kind of tensor of the file that the fault changes; thoroughly, in every layer as well."""
    _, folder = saved
    plant, expected = FAULTS[kind]
    good = load_file(folder / "model.safetensors")
    (tmp_path / "config.json").write_bytes((folder / "config.json").read_bytes())
    tried = 0
    for name, tensor in good.items():
        alike = [each for each in good if re.sub(r"\d+", "", each, count=1) == re.sub(r"\d+", "", name, count=1)]
        shows = {
            "transposed": tensor.dim() == 2 and tensor.shape != tensor.shape[::-1],  # a square one does not
            "of another dtype": len(alike) > 1,  # what stands once may have any
        }
        if not shows.get(kind, True) or not (THOROUGH or name == alike[-1]):
            continue
        bad = dict(good)
        plant(bad, name)
        save_file(bad, tmp_path / "model.safetensors")
        faults = [(fault.kind, fault.tensor.removesuffix(".more")) for fault in gpt2calc.verify(tmp_path).faults]
        # Of two that differ, either may be the one that is wrong.
        assert len(faults) == 1
        assert faults[0] in {(expected, each) for each in (alike if kind == "of another dtype" else [name])}
        tried += 1
    assert tried > 2


@pytest.fixture
def llama(tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """Give a folder with a llama's config and file, and its tensors."""
    tensors = {each.name: torch.ones(each.shape) for each in gpt2calc.tensors(LLAMA)}
    (tmp_path / "config.json").write_text(json.dumps(LLAMA), encoding="utf-8")
    save_file(tensors, tmp_path / "model.safetensors")
    return tmp_path, tensors


@pytest.mark.parametrize("prefix", ["module.", "_orig_mod.", "base_model.model."])
def test_what_stands_before_all_names_is_found_and_told(prefix: str, llama: tuple[Path, dict[str, Any]]) -> None:
    """Whatever it is; a tensor outside of it is left aside, unless it bears a name of the model."""
    folder, tensors = llama
    save_file({prefix + name: tensor for name, tensor in tensors.items()}, folder / "model.safetensors")
    found = gpt2calc.verify(folder)
    assert found.matches
    assert found.verdict.endswith(f", behind the prefix {prefix}")
    wrapped = {prefix + name: tensor for name, tensor in tensors.items()}
    save_file({**wrapped, "vision.weight": torch.ones(2)}, folder / "model.safetensors")
    found = gpt2calc.verify(folder)
    assert found.matches
    assert found.verdict.endswith(f"llama found under {prefix}, 1 other tensor left aside")
    save_file({**wrapped, "model.norm.weight": torch.ones(2)}, folder / "model.safetensors")
    assert [fault.tensor for fault in gpt2calc.verify(folder).faults] == ["model.norm.weight"]


@pytest.mark.parametrize(
    ("before", "head"), [("language_model.model.", "language_model."), ("model.language_model.", "")]
)
def test_the_language_model_of_a_composite_is_verified_and_the_rest_left_aside(
    before: str, head: str, llama: tuple[Path, dict[str, Any]]
) -> None:
    """Where its config is a `text_config`; a tensor that is missing from the part is missing."""
    folder, tensors = llama
    document = {"model_type": "llava", "text_config": LLAMA, "vision_config": {"hidden_size": 8}}
    (folder / "config.json").write_text(json.dumps(document), encoding="utf-8")
    named = {
        before + name.removeprefix("model.") if name.startswith("model.") else head + name: tensor
        for name, tensor in tensors.items()
    }
    rest = {"vision_tower.weight": torch.ones(3), "multi_modal_projector.bias": torch.ones(2)}
    save_file({**named, **rest}, folder / "model.safetensors")
    found = gpt2calc.verify(folder)
    assert found.matches, found.verdict
    assert "llama found under " in found.verdict
    assert "2 other tensors left aside" in found.verdict
    del named[head + "lm_head.weight"]
    save_file({**named, **rest}, folder / "model.safetensors")
    found = gpt2calc.verify(folder)
    assert found.matches, found.verdict
    assert "no head is stored, and is taken as tied" in found.notes
    gone = next(name for name in named if name.endswith("layers.1.mlp.up_proj.weight"))
    save_file({**{name: t for name, t in named.items() if name != gone}, **rest}, folder / "model.safetensors")
    assert [(fault.kind, fault.tensor) for fault in gpt2calc.verify(folder).faults] == [("missing", gone)]


@pytest.mark.parametrize("named", [["LlavaForConditionalGeneration"], ["LlavaModel"], None])
def test_a_composite_that_says_twice_that_its_head_is_its_own_has_one(
    named: list[str] | None, llama: tuple[Path, dict[str, Any]]
) -> None:
    """Where a class with a head is named; otherwise what is stored says whether there is one."""
    folder, tensors = llama
    document = {"model_type": "llava", "text_config": {**LLAMA, "tie_word_embeddings": False}} | {
        "tie_word_embeddings": False,
        **({"architectures": named} if named else {}),
    }
    (folder / "config.json").write_text(json.dumps(document), encoding="utf-8")
    inside = {f"language_model.{name}": tensor for name, tensor in tensors.items()}
    save_file(inside, folder / "model.safetensors")
    assert gpt2calc.verify(folder).matches
    del inside["language_model.lm_head.weight"]
    save_file(inside, folder / "model.safetensors")
    faults = [(fault.kind, fault.tensor) for fault in gpt2calc.verify(folder).faults]
    has_head = named is not None and named[0].endswith("Generation")
    assert faults == ([("missing", "language_model.lm_head.weight")] if has_head else [])


def test_a_head_of_a_composite_that_shares_the_memory_of_the_embedding_is_tied(
    llama: tuple[Path, dict[str, Any]],
) -> None:
    """As a state_dict of a live one has it; the config beside it says nothing of it."""
    _, tensors = llama
    inside = {f"model.language_model.{n.removeprefix('model.')}": t for n, t in tensors.items() if "lm_head" not in n}
    inside["lm_head.weight"] = inside["model.language_model.embed_tokens.weight"]
    found = gpt2calc.verify(inside, {"model_type": "llava", "text_config": LLAMA})
    assert found.matches, found.verdict
    assert "a head is stored, and is taken as tied" in found.notes


def test_a_tied_head_that_is_stored_has_the_values_of_the_embedding(llama: tuple[Path, dict[str, Any]]) -> None:
    """As Qwen3-0.6B's file stores it; one with other values is not what the config says."""
    folder, tensors = llama
    (folder / "config.json").write_text(json.dumps({**LLAMA, "tie_word_embeddings": True}), encoding="utf-8")
    found = gpt2calc.verify(folder)
    assert found.matches, found.verdict
    assert found.checked.holdings[1].what == "the tied head, a second time"
    save_file({**tensors, "lm_head.weight": torch.zeros(64, 32)}, folder / "model.safetensors")
    assert [(fault.kind, fault.tensor) for fault in gpt2calc.verify(folder).faults] == [("tying", "lm_head.weight")]


def test_layers_that_predict_further_tokens_are_all_there_or_none_is(tmp_path: Path) -> None:
    """DeepSeek's files have one that transformers does not build; without the config's word it is a stranger."""
    document = SMALL["deepseek_v3"]
    model = gpt2calc.count(document).model
    tensors = {each.name: torch.ones(each.shape) for each in model.listing()}
    path = tmp_path / "model.safetensors"
    save_file(tensors, path)
    found = gpt2calc.verify(path, document)
    assert found.matches, found.verdict
    assert "and nothing found of the layer that predicts a further token, of which the config says 1" in found.verdict
    more = {"model.layers.2.eh_proj.weight": torch.ones(32, 64), "model.layers.2.enorm.weight": torch.ones(32)}
    save_file({**tensors, **more}, path)
    missing = {fault.tensor for fault in gpt2calc.verify(path, document).faults if fault.kind == "missing"}
    assert {"model.layers.2.hnorm.weight", "model.layers.2.mlp.experts.3"} <= missing
    held = stored.of(model, document)
    save_file({each.name: torch.ones(each.shape) for each in held.listing()}, path)
    found = gpt2calc.verify(path, document)
    assert found.matches, found.verdict
    assert found.verdict.endswith(f", and {held.total.elements - model.total():,} elements beside it")
    none = gpt2calc.verify(path, {**document, "num_nextn_predict_layers": 0}).faults
    assert [(fault.kind, fault.tensor) for fault in none] == [("unexpected", "model.layers.2")]
    three = gpt2calc.verify(path, {**document, "num_nextn_predict_layers": 3}).faults
    assert [(fault.kind, fault.tensor) for fault in three] == [
        ("missing", "model.layers.3"),
        ("missing", "model.layers.4"),
    ]


def test_a_verdict_promises_nothing_of_layers_that_were_not_found(tmp_path: Path) -> None:
    """Beside a model of which others are left aside, or whose further layers no row describes."""
    path, document = tmp_path / "model.safetensors", SMALL["deepseek_v3"]
    said = "and nothing found of the layer that predicts a further token, of which the config says 1"
    wrapped = {f"outer.{row.name}": torch.ones(row.shape) for row in gpt2calc.count(document).model.listing()}
    save_file({**wrapped, "mtp.0.eh_proj.weight": torch.ones(3), "vision.layers.2.norm": torch.ones(4)}, path)
    found = gpt2calc.verify(path, document)
    assert found.matches, found.verdict
    assert "2 other tensors left aside" in found.verdict
    assert found.verdict.endswith(said)
    document = {
        "model_type": "nemotron_h",
        "hidden_size": 32,
        "num_hidden_layers": 2,
        "hybrid_override_pattern": "M*",
        "num_attention_heads": 4,
        "head_dim": 8,
        "num_key_value_heads": 2,
        "intermediate_size": 16,
        "vocab_size": 64,
        "mamba_num_heads": 4,
        "mamba_head_dim": 8,
        "n_groups": 1,
        "ssm_state_size": 4,
        "num_nextn_predict_layers": 1,
    }
    tensors = {row.name: torch.ones(row.shape) for row in gpt2calc.count(document).model.listing()}
    save_file(tensors, path)
    assert gpt2calc.verify(path, document).verdict.endswith(f"as the config says, {said}")
    save_file({**tensors, "mtp.layers.0.eh_proj.weight": torch.ones(3)}, path)
    assert gpt2calc.verify(path, document).verdict.endswith("as the config says")


def test_layers_that_no_row_describes_are_told_as_that_and_never_as_a_fault(tmp_path: Path) -> None:
    """Of a family whose files nobody has listed; a name under the model's own layers is a stranger all the same."""
    document = {**SMALL["deepseek_v3"], "model_type": "exaone_moe", "architectures": ["ExaoneMoeForCausalLM"]}
    model = gpt2calc.count({**document, "num_experts": 4}).model
    tensors = {each.name: torch.ones(each.shape) for each in model.listing()}
    path = tmp_path / "model.safetensors"
    save_file({**tensors, "mtp.fc.weight": torch.ones(2, 3), "model.layers.2.any": torch.ones(5)}, path)
    found = gpt2calc.verify(path, {**document, "num_experts": 4})
    assert found.matches, found.verdict
    said = "2 tensors of 11 elements are of layers that transformers does not build, and that no row describes"
    assert said in " ".join(found.notes)
    save_file({**tensors, "model.layers.1.any": torch.ones(5)}, path)
    assert [each.tensor for each in gpt2calc.verify(path, {**document, "num_experts": 4}).faults] == [
        "model.layers.1.any"
    ]


def test_a_copy_of_the_embedding_in_a_further_layer_is_no_second_model(tmp_path: Path) -> None:
    """As DeepSeek's files hold it, beside the layer that predicts further tokens."""
    document = SMALL["deepseek_v3"]
    tensors = {each.name: torch.ones(each.shape) for each in gpt2calc.count(document).model.listing()}
    held = {each.name: torch.ones(each.shape) for each in stored.of(gpt2calc.count(document).model, document).listing()}
    assert {f"model.layers.2.{name}.weight" for name in ("embed_tokens", "shared_head.head")} <= held.keys()
    save_file({**tensors, **held}, tmp_path / "model.safetensors")
    found = gpt2calc.verify(tmp_path / "model.safetensors", document)
    assert found.matches, found.verdict


def test_masks_and_frequencies_of_old_files_are_known_by_their_names_and_shapes(tmp_path: Path) -> None:
    """GPT-NeoX's are in Pythia's files; what only has such a name is a stranger."""
    document = {"model_type": "gpt_neox", "vocab_size": 32, "hidden_size": 16, "intermediate_size": 24}
    document |= {"num_hidden_layers": 1, "num_attention_heads": 2, "max_position_embeddings": 8}
    tensors = {each.name: torch.ones(each.shape) for each in gpt2calc.count(document).model.listing()}
    attention = "gpt_neox.layers.0.attention"
    old = {
        f"{attention}.bias": torch.ones(1, 1, 8, 8, dtype=torch.bool),
        f"{attention}.masked_bias": torch.tensor(-1e9),
        f"{attention}.rotary_emb.inv_freq": torch.ones(4),
    }
    save_file({**tensors, **old}, tmp_path / "model.safetensors")
    found = gpt2calc.verify(tmp_path / "model.safetensors", document)
    assert found.matches, found.verdict
    assert {part.what: part.tensors for part in found.checked.holdings if "mask" in part.what} == {"causal masks": 2}
    save_file({**tensors, f"{attention}.bias": torch.ones(16)}, tmp_path / "model.safetensors")
    assert [fault.tensor for fault in gpt2calc.verify(tmp_path / "model.safetensors", document).faults] == [
        f"{attention}.bias"
    ]


def test_what_a_config_says_beside_its_sizes_stays_where_a_size_is_changed(llama: tuple[Path, dict[str, Any]]) -> None:
    """That it is quantized, and that it is of a part alone."""
    folder, tensors = llama
    text = {**LLAMA, "num_hidden_layers": 9}
    composite = {"model_type": "llava", "text_config": text, "vision_config": {"hidden_size": 8}}
    (folder / "config.json").write_text(json.dumps(composite), encoding="utf-8")
    save_file(
        {f"lm.{name}": t for name, t in tensors.items()} | {"vision.weight": torch.ones(1)},
        folder / "model.safetensors",
    )
    found = gpt2calc.verify(folder, num_hidden_layers=2)
    assert found.matches, found.verdict
    quantized = {**LLAMA, "quantization_config": {"quant_method": "hqq"}}
    (folder / "config.json").write_text(json.dumps(quantized), encoding="utf-8")
    with pytest.raises(UnreadableInputError, match="quantized files"):
        gpt2calc.verify(folder, num_hidden_layers=3)


def test_a_module_on_meta_is_no_evidence_of_weights() -> None:
    """It has shapes, and no values."""
    with torch.device("meta"):
        module = module_of(LLAMA)
    assert [each.evidence for each in gpt2calc.verify(module).observations] == ["meta"]
    assert [each.evidence for each in gpt2calc.verify(module_of(LLAMA)).observations] == ["weights"]


def test_what_cannot_be_verified_is_refused_in_a_sentence(llama: tuple[Path, dict[str, Any]], run: Run) -> None:
    """A config alone, quantized files, evidence and values that only a GPT-2 gives, a model that is there twice."""
    folder, tensors = llama
    alone = run("verify", str(folder / "config.json"))
    assert (alone.code, alone.stdout) == (3, "")
    assert "of a llama files and live modules are verified so far" in alone.stderr
    with pytest.raises(ConfigError, match="the evidence of a llama is its header so far"):
        gpt2calc.verify(folder, evidence="weights")
    with pytest.raises(ConfigError, match="values are read of GPT-2-shaped models alone"):
        gpt2calc.verify(folder, values=True)
    save_file(
        {**tensors, **{f"ema.{name}": tensor.clone() for name, tensor in tensors.items()}}, folder / "model.safetensors"
    )
    with pytest.raises(UnreadableInputError, match="llama is found under 2 prefixes"):
        gpt2calc.verify(folder)
    quantized = {**LLAMA, "quantization_config": {"quant_method": "hqq"}}
    (folder / "config.json").write_text(json.dumps(quantized), encoding="utf-8")
    with pytest.raises(UnreadableInputError, match="quantized files of a llama are not verified yet"):
        gpt2calc.verify(folder)


def test_a_config_of_layers_without_number_is_a_mismatch_that_is_told_at_once(
    llama: tuple[Path, dict[str, Any]],
) -> None:
    """As many layers as the file has, and 16 more, are a fault each, and the rest are one."""
    folder, _ = llama
    found = gpt2calc.verify(folder, num_hidden_layers=10**12)
    assert not found.matches
    assert len(found.faults) == 2 + 16 + 1
    assert "blocks 20 to 999,999,999,999" in {fault.tensor for fault in found.faults}
    crowded = {**LLAMA, "model_type": "mixtral", "architectures": ["MixtralForCausalLM"], "num_local_experts": 10**9}
    assert len((found := gpt2calc.verify(folder / "model.safetensors", crowded)).faults) + found.more > 6 * 10**9


def test_the_command_line_tells_a_match_and_a_mismatch(llama: tuple[Path, dict[str, Any]], run: Run) -> None:
    """With exit codes 0 and 1, the total, and the tensor."""
    folder, tensors = llama
    good = run("verify", str(folder), "-q")
    assert (good.code, good.stdout) == (0, f"{folder} matches: 19,616 parameters in 21 tensors, as the config says\n")
    document = json.loads(run("verify", str(folder), "--json").stdout)
    check(document)
    assert (document["matches"], document["config"]["model_type"]) == (True, "llama")
    del tensors["model.norm.weight"]
    save_file(tensors, folder / "model.safetensors")
    bad = run("verify", str(folder))
    assert bad.code == 1
    assert "does not match: 1 thing is wrong: model.norm.weight (19,584 parameters, expected 19,616)" in " ".join(
        bad.stdout.split()
    )
