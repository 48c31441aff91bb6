"""What files hold, from a config alone: public listings of released models, both derivations, and planted faults."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc import architectures, sources, stored
from gpt2calc.dialects.gguf import OF_TYPES
from gpt2calc.errors import ConfigError, UnreadableInputError
from gpt2calc.model import Model
from tests.architectures.drawing import configs
from tests.architectures.modules import EVERY_IN_ONE
from tests.makers import safetensors, shards
from tests.quantized import (
    FP8,
    GLM_AIR,
    GPT_OSS_20B,
    GPT_OSS_120B,
    MXFP4,
    R1,
    SMALL,
    Planted,
    examined,
    faults,
    held,
    planted,
)
from tests.test_schemas import check
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Run


def of(document: dict[str, Any], **more: Any) -> stored.Stored:
    """Return what the files of a config hold."""
    source = sources.resolve({**document, **more}, {})
    assert isinstance(source.counted, Model)
    return stored.of(source.counted, source.given or {})


PUBLISHED = [
    ("DeepSeek-R1, its index and header", R1, 91_991, 684_531_386_000),
    ("openai/gpt-oss-20b, as the hub shows it: huggingface.js 2323", GPT_OSS_20B, 459, 21_511_953_984),
    ("openai/gpt-oss-120b, as the hub shows it: huggingface.js 2323", GPT_OSS_120B, 687, 120_412_337_472),
    ("zai-org/GLM-4.5-Air, as the hub shows it", GLM_AIR, 18_329, 110_468_824_832),
]


@pytest.mark.parametrize(
    ("document", "tensors", "elements"), [row[1:] for row in PUBLISHED], ids=[r[0] for r in PUBLISHED]
)
def test_what_is_published_of_files_follows_from_their_configs(
    document: dict[str, Any], tensors: int, elements: int
) -> None:
    """As many tensors and elements as in the files, packed ones unpacked."""
    found = of(document)
    assert found.total[:2] == (tensors, elements)
    listed = list(found.listing())
    assert (len({each.name for each in listed}), sum(each.elements for each in listed)) == (tensors, elements)
    assert sum(each.bytes for each in listed) == found.total.bytes


def test_the_parts_of_deepseek_r1_come_to_its_files() -> None:
    """Main model, correction, prediction layer, copies and scales; the bytes are those of 163 files: 641.29 GiB."""
    found = of(R1)
    assert {part: sums.elements for part, sums in found.sums().items()} == {
        stored.MODEL: 671_026_404_352,
        stored.CORRECTIONS: 15_104,
        stored.PREDICTING: 11_610_067_968,
        stored.COPIES: 1_853_358_080,
        stored.SCALES: 41_540_496,
    }
    _, tensors = shards.published("DeepSeek-R1")
    assert {(each.name, each.dtype, each.shape) for each in found.listing()} == set(tensors)


def test_what_a_tied_head_comes_to_that_is_stored_again_is_said() -> None:
    """Qwen3-0.6B's file has 311 tensors of 751,632,384 elements, and its config says that the head is tied."""
    found = of(dict(sources.resolve("Qwen3-0.6B", {}).given or {}))
    assert found.head is not None
    assert found.total.tensors + found.head.tensors == 311
    assert found.total.elements + found.head.elements == 751_632_384
    assert "311 tensors of 751,632,384 elements" in " ".join(found.notes)


@EVERY_IN_ONE
def test_a_plain_file_holds_the_model_and_its_buffers(model_type: str) -> None:
    """As `save_pretrained` writes it: the same names and shapes as the table of tensors, in its order within layers."""
    for document in configs(model_type, 3):
        model = gpt2calc.count(document).model
        found = stored.of(model, {}, ahead=0)
        assert {(each.name, each.shape) for each in found.listing()} == {(e.name, e.shape) for e in model.listing()}
        assert found.sums().get(stored.MODEL, stored.Held(0, 0, 0)).elements == model.total()


AHEAD = [name for name in sorted(architectures.FILES) if name != "gpt2" and architectures.of(name).ahead]


@pytest.mark.parametrize("model_type", AHEAD)
def test_layers_that_predict_further_tokens_are_derived_twice(model_type: str) -> None:
    """The closed forms of a layer of that kind, and of what stands beside it, come to the elements of the listing."""
    for document in configs(model_type, 4):
        model = gpt2calc.count(document).model
        further = model.architecture.ahead
        assert further is not None
        found = stored.of(model, {}, ahead=2)
        own = sum(
            row.times * (row.weights + row.biases)
            for row in model.components()
            if row.layers and frozenset(row.layers.split()) <= further.tags
        )
        beside = further.components(model)
        each = own + sum(row.weights + row.biases for row in beside if row.layers)
        once = sum(row.weights + row.biases for row in beside if not row.layers)
        sums = found.sums()
        listed = sums[stored.PREDICTING].elements + sums.get(stored.COPIES, stored.Held(0, 0, 0)).elements
        assert listed == 2 * each + once


@pytest.mark.parametrize("name", SMALL)
def test_every_fault_of_a_stored_file_is_found_and_named_in_one_sentence(name: str) -> None:
    """A tensor that is missing, more, of another name, shape or dtype; an expert or a layer that is not there.

    By default every third of these is planted, and every whole expert and layer is left out.
    """
    document = SMALL[name]
    good = held(document)
    assert faults(document, good) == ()
    every = list(planted(good, quantized="quantization_config" in document))
    assert len(every) > 100
    asked = [bad for place, bad in enumerate(every) if IS_WIDE or place % 3 == 0 or _kind(bad) == "none"]
    assert {_kind(bad) for bad in asked} == {_kind(bad) for bad in every}
    for bad in asked:
        found = [fault.tensor for fault in faults(document, bad.tensors)]
        assert bad.named in found, bad.what
        assert len(found) == (2 if bad.what.startswith("renamed") else 1), (bad.what, found)


def _kind(bad: Planted) -> str:
    return bad.what.partition(":")[0].partition(" of ")[0]


def test_faults_in_a_header_of_ninety_thousand_tensors_are_found() -> None:
    """DeepSeek-R1's, with the first left out, the last, and an expert between them; by default of a fifth of it."""
    layers = 61 if IS_WIDE else 13
    document = {**R1, "num_hidden_layers": layers}
    first, *good, last = held(document)
    expert = f"model.layers.{layers // 2}.mlp.experts.77"
    found = faults(document, [each for each in good if not each[0].startswith(f"{expert}.")])
    assert {fault.tensor for fault in found} == {first[0], last[0], expert}
    assert "the expert is missing, all 6 of its tensors" in [fault.message for fault in found]


def test_modules_that_are_plain_in_all_layers_are_noted_and_one_that_is_plain_in_one_is_a_fault() -> None:
    """No config says all that are plain; where none is quantized, the config says what is not so."""
    document = SMALL["deepseek_v3, fp8"]
    good = held(document)

    def plain(name: str, layers: tuple[str, ...]) -> list[Any]:
        return [
            (n, "BF16", shape)
            if n.endswith(f"{name}.weight") and any(f".{i}." in n for i in layers)
            else (n, dtype, shape)
            for n, dtype, shape in good
            if not (n.endswith(f"{name}.weight_scale_inv") and any(f".{i}." in n for i in layers))
        ]

    found = examined(document, plain("o_proj", ("0", "1", "2", "3", "4", "5")))
    assert found.faults == ()
    assert "self_attn.o_proj: plain in all layers" in " ".join(found.notes)
    one = {(fault.kind, fault.tensor) for fault in faults(document, plain("o_proj", ("3",)))}
    assert one == {
        ("dtype", "model.layers.3.self_attn.o_proj.weight"),
        ("missing", "model.layers.3.self_attn.o_proj.weight_scale_inv"),
    }
    unquantized = {name: value for name, value in document.items() if name != "quantization_config"}
    said = [fault.message for fault in faults(document, held(unquantized))]
    assert said == ["the config says that the files are quantized, and none of their matrices is"]


def test_modules_that_a_config_leaves_out_are_plain_also_in_some_layers_alone() -> None:
    """By the beginning of a name, its end, or a wildcard, as transformers reads them; all else is refused."""
    small = SMALL["deepseek_v3, fp8"]

    def kept(*patterns: str) -> set[str]:
        settings = {**FP8, "modules_to_not_convert": [*patterns]}
        return {
            each.name for each in of(small, quantization_config=settings).listing() if each.kept == "as the config says"
        }

    assert kept("model.layers.3.self_attn.o_proj") == {"model.layers.3.self_attn.o_proj.weight"}
    assert kept("model.layers.1.mlp") == {f"model.layers.1.mlp.{each}_proj.weight" for each in ("gate", "up", "down")}
    assert kept("kv_b_proj") == {f"model.layers.{i}.self_attn.kv_b_proj.weight" for i in range(6)}
    assert kept("model.layers.*.o_proj") == {f"model.layers.{i}.self_attn.o_proj.weight" for i in range(6)}
    document = {
        **small,
        "quantization_config": {**FP8, "modules_to_not_convert": ["model.layers.3.self_attn", "o_proj"]},
    }
    assert faults(document, held(document)) == ()
    for strange in (["(a+)+$"], ["model.layers.3.mlp.experts.0"], "lm_head", [1]):
        with pytest.raises(ConfigError, match=r"quantization_config|modules_to_not_convert"):
            of(small, quantization_config={**FP8, "modules_to_not_convert": strange})


@pytest.mark.parametrize(
    "settings",
    [
        {"quant_method": "awq", "bits": 4},
        {"quant_method": "compressed-tensors"},
        {"quant_method": ["fp8"]},
        {"quant_method": "fp8", "weight_block_size": None},
        {"quant_method": "fp8", "weight_block_size": [128, 0]},
        {"quant_method": "fp8", "activation_scheme": "static"},
        {"bits": 4},
        "fp8",
    ],
)
def test_what_is_not_described_is_refused_by_its_name(settings: Any) -> None:
    """Never a guess."""
    with pytest.raises(ConfigError, match="quantization_config"):
        of(SMALL["deepseek_v3, fp8"], quantization_config=settings)


def test_experts_of_whole_numbers_of_scales_alone_can_be_packed() -> None:
    """MXFP4 has a scale for each 32 of a column; fp8 of experts in one tensor is not described."""
    with pytest.raises(ConfigError, match="scale for each 32"):
        of(SMALL["gpt_oss, mxfp4"], hidden_size=65)
    with pytest.raises(ConfigError, match="experts that are one tensor"):
        of(SMALL["gpt_oss, mxfp4"], quantization_config={"quant_method": "fp8"})


def test_the_command_lines_list_and_count_what_files_hold(run: Run, tmp_path: Path) -> None:
    """All of it as JSON, the names alone, or what each part comes to."""
    path = tmp_path / "config.json"
    path.write_text(json.dumps({**R1, "num_hidden_layers": 4}), encoding="utf-8")
    printed = json.loads(run("tensors", str(path), "--stored", "--json")[1])
    check(printed)
    assert printed["tensors"][3] == {
        "name": "model.layers.0.self_attn.q_a_layernorm.weight",
        "shape": [1536],
        "dtype": "BF16",
        "part": "the model's parameters",
        "elements": 1536,
        "bytes": 3072,
        "plain": None,
    }
    counted = json.loads(run("count", str(path), "--stored", "--json")[1])
    check(counted)
    assert counted == {name: value for name, value in printed.items() if name != "tensors"}
    path.write_text(json.dumps(R1), encoding="utf-8")
    counted = json.loads(run("count", str(path), "--stored", "--json")[1])
    assert [counted[name] for name in ("count", "elements", "bytes")] == [91_991, 684_531_386_000, 688_574_839_360]
    assert run("count", str(path), "--stored", "-q")[1] == "684531386000\n"
    assert len(run("tensors", str(path), "--stored", "-q")[1].splitlines()) == 91_991
    assert "total" in run("tensors", "gpt2", "--stored")[1]


def test_a_sharded_file_that_is_quantized_matches_and_tells_what_is_beside_the_model(tmp_path: Path) -> None:
    """With scales and experts packed, from an index; a scale that is gone is named."""
    for name in ("deepseek_v3, fp8", "gpt_oss, mxfp4"):
        document, folder = SMALL[name], tmp_path / name.partition(",")[0]
        tensors = held(document)
        shards.write(folder, shards.split(tensors, 3))
        (folder / "config.json").write_text(json.dumps(document), encoding="utf-8")
        found = gpt2calc.verify(folder)
        assert found.matches, found.verdict
        parts = {part: sums.elements for part, sums in of(document).sums().items()}
        assert {h.what: h.elements for h in found.checked.holdings if h.what in stored.PARTS[1:]} == {
            part: elements for part, elements in parts.items() if part != stored.MODEL
        }
        assert found.observations[0].parameters == parts[stored.MODEL] == found.total
        scale = next(each for each, _, _ in tensors if "_scale" in each)
        safetensors.write(folder / "model.safetensors", [each for each in tensors if each[0] != scale])
        bad = gpt2calc.verify(folder / "model.safetensors", document)
        assert [(fault.kind, fault.tensor) for fault in bad.faults] == [("missing", scale)]


def test_a_quantized_module_in_memory_is_refused() -> None:
    """Its tensors are not those of files."""
    import torch

    listed = {name: torch.empty(shape, device="meta") for name, _, shape in held(SMALL["glm4_moe, plain"])}
    with pytest.raises(UnreadableInputError, match="live module"):
        gpt2calc.verify(listed, {**SMALL["glm4_moe, plain"], "quantization_config": FP8})


def test_what_quantizes_is_transformers_choice_of_modules() -> None:
    """Of the small model the matrices in 8 bits are the linear modules that transformers replaces, and the experts."""
    from transformers import FineGrainedFP8Config
    from transformers.integrations.finegrained_fp8 import replace_with_fp8_linear

    from tests.architectures.modules import built

    document = {name: value for name, value in SMALL["deepseek_v3, fp8"].items() if name != "quantization_config"}
    document |= {"n_group": 1, "topk_group": 1, "num_experts_per_tok": 2}
    module = built(document)
    settings = FineGrainedFP8Config(weight_block_size=(128, 128))
    replace_with_fp8_linear(module, ["lm_head"], settings)
    theirs = {name: tuple(each.shape) for name, each in module.named_parameters() if name.endswith("weight_scale_inv")}
    ours = {
        name: shape
        for name, _, shape in held(SMALL["deepseek_v3, fp8"])
        if name.endswith("_scale_inv") and ".experts." not in name and "layers.5." not in name
    }
    assert ours == {name: shape for name, shape in theirs.items() if ".experts." not in name}
    assert MXFP4["quant_method"] in stored.METHODS


def conversions(model_type: str) -> list[tuple[tuple[str, ...], str]]:
    """Return which tensors of files transformers puts together on loading, and in which of a module, a `*` a copy."""
    from transformers.conversion_mapping import get_checkpoint_conversion_mapping

    found: Any = get_checkpoint_conversion_mapping(model_type) or []  # type: ignore[no-untyped-call]
    return [
        (tuple(each.source_patterns), each.target_patterns[0])
        for each in found
        if [type(step).__name__ for step in getattr(each, "operations", ())][:1] == ["MergeModulelist"]
    ]


def test_experts_are_put_together_as_transformers_does_on_loading() -> None:
    """Each of its conversions is a merge of ours: the same tensors of an expert, in the same order, to the same one."""
    asked = [(name, each) for name in sorted(architectures.FILES) if name != "gpt2" for each in conversions(name)]
    assert len({name for name, _ in asked}) > 20
    for name, (sources_of, target) in asked:
        merges = {merge.live: merge.stored for merge in architectures.of(name).merges}
        (live,) = [each for each in merges if each.endswith(target)]
        stacked = [each.replace("{n}", "*") for each in merges[live]]
        assert (name, len(stacked)) == (name, len(sources_of))
        assert all(ours.endswith(theirs) for ours, theirs in zip(stacked, sources_of, strict=True)), name


GGUF_ARCHITECTURES = {"mistral": "LLAMA", "mixtral": "LLAMA", "qwen3_moe": "QWEN3MOE"}


@pytest.mark.parametrize("model_type", OF_TYPES)
def test_a_gguf_whose_names_gguf_py_maps_matches_and_a_tensor_that_is_gone_is_named(
    model_type: str, tmp_path: Path
) -> None:
    """Its map is the oracle of names, and its writer of the file; experts of a layer are one tensor."""
    import gguf
    import numpy as np

    document = next(
        each for each in configs(model_type) if each["num_hidden_layers"] and "CausalLM" in each["architectures"][0]
    )
    model = gpt2calc.count(document).model
    arch = getattr(gguf.MODEL_ARCH, GGUF_ARCHITECTURES.get(model_type, model_type.upper()))
    names = gguf.TensorNameMap(arch, model.num_hidden_layers)
    held: dict[str, tuple[int, ...]] = {"rope_freqs.weight": (4,)} if model_type == "llama" else {}
    for each in model.listing():
        module, _, role = each.name.rpartition(".")
        stacked = re.sub(r"\.experts\.\d+\.", ".experts.", module)
        shape = (
            each.shape
            if stacked == module
            else (model.sizes.get("num_experts") or model.num_local_experts, *each.shape)
        )
        held[f"{names.get_name(stacked)}.{role}"] = shape
    for gone in (None, *list(held)[1 :: max(1, len(held) // 5)]):
        writer = gguf.GGUFWriter(tmp_path / "model.gguf", gguf.MODEL_ARCH_NAMES[arch])
        for name, shape in held.items():
            if name != gone:
                writer.add_tensor(name, np.zeros(shape, np.float32))
        writer.write_header_to_file()
        writer.write_kv_data_to_file()
        writer.write_tensors_to_file()
        writer.close()
        found = gpt2calc.verify(tmp_path / "model.gguf", document)
        assert [fault.tensor for fault in found.faults] == ([gone] if gone else []), found.verdict
        assert found.matches == (gone is None)


@pytest.mark.parametrize("what", ["deepseek_v3, fp8", "glm4_moe, plain"])
def test_a_predicting_layer_more_than_the_config_says_is_a_fault(what: str) -> None:
    """Whether the one that it says is there, too, or not."""
    document = SMALL[what]
    depth = document["num_hidden_layers"]
    before, beyond = f"model.layers.{depth}.", f"model.layers.{depth + 1}"
    tensors = held(document)
    more = [(each[0].replace(before, f"{beyond}."), *each[1:]) for each in tensors if each[0].startswith(before)]
    assert more
    assert [fault.tensor for fault in faults(document, [*tensors, *more])] == [beyond]
    plain = [each for each in tensors if not each[0].startswith(before)]
    assert [fault.tensor for fault in faults(document, [*plain, *more])] == [beyond]


@pytest.mark.parametrize("command", ["count", "tensors"])
def test_an_error_of_what_a_config_says_of_its_files_names_it(command: str, run: Run, tmp_path: Path) -> None:
    """The model's path stands in front of the sentence."""
    path = tmp_path / "config.json"
    path.write_text('{"model_type": "llama", "quantization_config": {"quant_method": "none such"}}', encoding="utf-8")
    shown = run(command, str(path), "--stored")
    assert shown.stderr.startswith(f"gpt2calc {command}: {path}: quantization_config"), shown.stderr
