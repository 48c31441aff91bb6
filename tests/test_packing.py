"""Quantised files: each tool's own packs are read as what they are, and one that is not whole is a fault by name."""

from __future__ import annotations

import json
import warnings
from math import prod
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc.verification import packing
from tests.makers import quantised
from tests.makers.safetensors import BITS

if TYPE_CHECKING:
    from tests.conftest import Run

RECORDED: dict[str, Any] = json.loads((Path(__file__).parent / "data" / "quantised.json").read_text(encoding="utf-8"))
FILES: dict[str, dict[str, Any]] = {
    **RECORDED["files"],
    "GPTQ 4 bits": quantised.gptq(),
    "GPTQ 3 bits": quantised.gptq(3),
    "GPTQ 8 bits, without g_idx": quantised.gptq(8, g_idx=False),
    "AWQ 4 bits": quantised.gptq(awq=True),
}
TOTAL = gpt2calc.count(**quantised.CONFIG).total  # type: ignore[arg-type]  # sizes alone
EVERY = pytest.mark.parametrize("name", FILES)


def written(folder: Path, made: dict[str, Any], *, config: bool = True) -> str:
    """Write a file from a recorded header: the values that say how matrices are packed, and zeros for all others."""
    header, values, end = {}, [], 0
    for name, dtype, shape, *kept in made["tensors"]:
        begin, end = end, end + prod(shape) * {**BITS, "U32": 32, "I8": 8}[dtype] // 8
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, end]}
        values.append(bytes.fromhex(kept[0]) if kept else bytes(end - begin))
    text = json.dumps(header).encode()
    folder.mkdir(exist_ok=True)
    (folder / "model.safetensors").write_bytes(len(text).to_bytes(8, "little") + text + b"".join(values))
    if config:
        (folder / "config.json").write_text(json.dumps(made["config"]), encoding="utf-8")
    return str(folder)


def changed(made: dict[str, Any], end: str, shape: list[int] | None = None, dtype: str = "") -> dict[str, Any]:
    """Return the same file where the first tensor that ends so has another shape or dtype, or is missing."""
    tensors = [list(each) for each in made["tensors"]]
    at = next(at for at, each in enumerate(tensors) if each[0].endswith(end))
    if shape is None and not dtype:
        del tensors[at]
    else:
        tensors[at][1:3] = [dtype or tensors[at][1], tensors[at][2] if shape is None else shape]
        if shape is not None:
            del tensors[at][3:]
    return {**made, "tensors": tensors}


@EVERY
def test_a_quantised_file_matches_with_its_packs_unpacked(name: str, tmp_path: Path) -> None:
    """What a matrix stands for is counted, scales are told apart, and the verdict says how they are packed."""
    found = gpt2calc.verify(written(tmp_path, FILES[name]))
    assert found.matches, found.verdict
    assert found.observations[0].parameters == found.total == TOTAL
    packs = sum(
        each[0].endswith((".qweight", ".scales", ".SCB", ".absmax", ".weight_scale")) for each in FILES[name]["tensors"]
    )
    assert packs
    assert f" of them packed as {name.partition(',')[0]}" in found.verdict or "MLX mxfp4" in name
    held = {part.what: part for part in found.checked.holdings}
    assert held["parameters"].elements == TOTAL
    assert held["scales"].tensors
    assert sum(part.tensors for part in found.checked.holdings) == len(FILES[name]["tensors"])
    assert sum(part.bytes for part in found.checked.holdings) == found.checked.size


@EVERY
def test_a_config_is_inferred_from_what_is_unpacked(name: str, tmp_path: Path) -> None:
    """Of the file alone, with what its config says of how it is packed."""
    found = gpt2calc.infer(written(tmp_path, FILES[name]))
    assert {field: getattr(found, field) for field in quantised.CONFIG} == quantised.CONFIG


@pytest.mark.parametrize(
    ("name", "end", "shape", "dtype", "said"),
    [
        ("bitsandbytes int8", "c_attn.SCB", [383], "", "expected [384] beside transformer.h.0.attn.c_attn.weight"),
        ("bitsandbytes nf4", "c_attn.weight.absmax", None, "", "it is missing beside transformer.h.0.attn.c_attn"),
        ("bitsandbytes nf4", "c_attn.weight.absmax", [767], "", "expected [768] beside"),
        ("bitsandbytes nf4", "c_attn.weight.absmax", None, "U8", "expected F32, since quant_state has no nested"),
        ("bitsandbytes nf4", "c_attn.weight.quant_map", None, "", "it is missing beside"),
        ("bitsandbytes nf4", "c_fc.weight", [32767, 1], "", "expected 32,768 bytes for [512, 128] at 4 bits"),
        ("bitsandbytes nf4", "c_fc.weight.quant_state.bitsandbytes__nf4", None, "", "it is missing beside"),
        ("bitsandbytes nf4", "c_fc.weight.quant_state.bitsandbytes__nf4", [9], "", "expected the JSON of a quant_"),
        ("bitsandbytes fp4, nested", "c_fc.weight.nested_absmax", [3], "", "expected [4] beside"),
        ("bitsandbytes fp4, nested", "c_fc.weight.nested_quant_map", None, "", "it is missing beside"),
        ("GPTQ 4 bits", "c_attn.scales", [3, 384], "", "expected [4, 384] beside"),
        ("GPTQ 4 bits", "c_attn.qzeros", None, "", "it is missing beside transformer.h.0.attn.c_attn.qweight"),
        ("GPTQ 4 bits", "c_attn.scales", None, "", "it is missing beside transformer.h.0.attn.c_attn.qweight"),
        ("GPTQ 4 bits", "c_attn.g_idx", [64], "", "4 bits do not go with [16, 384] and 64 inputs"),
        ("GPTQ 4 bits", "c_attn.g_idx", None, "", "c_attn.g_idx it is missing beside"),
        ("AWQ 4 bits", "c_attn.scales", [4, 383], "", "[4, 383] do not go with"),
        ("AWQ 4 bits", "c_attn.qzeros", [4, 47], "", "expected [4, 48] beside"),
        ("MLX 4 bits", "c_attn.scales", [384, 3], "", "expected [384, 2] beside"),
        ("MLX 4 bits", "wte.biases", None, "", "it is missing beside transformer.wte.weight"),
        ("compressed-tensors 4 bits", "c_attn.weight_scale", [384, 2], "", "expected [384, 1] or [1] beside"),
        ("compressed-tensors 4 bits", "c_attn.weight_shape", None, "", "it is missing beside"),
        ("compressed-tensors 4 bits", "c_attn.weight_packed", [384, 15], "", "4 bits do not go with [384, 15]"),
        ("compressed-tensors int8", "c_attn.weight_scale", [383, 1], "", "expected [384, 1] or"),
    ],
)  # fmt: skip
def test_a_pack_that_is_not_whole_is_a_fault_by_name(  # noqa: PLR0917  # a row of a table
    name: str, end: str, shape: list[int] | None, dtype: str, said: str, tmp_path: Path
) -> None:
    """It names the tensor that is wrong, and the matrix is missing; nothing else is."""
    found = gpt2calc.verify(written(tmp_path, changed(FILES[name], end, shape, dtype)))
    assert not found.matches
    broken = [fault for fault in found.faults if fault.kind == packing.PACK]
    assert len(broken) == 1, found.faults
    assert said in f"{broken[0].tensor} {broken[0].message}"
    assert {fault.kind for fault in found.faults} == {packing.PACK, "missing"}
    assert len(found.faults) == 2


def test_a_matrix_of_another_size_is_a_fault_as_ever(tmp_path: Path) -> None:
    """What is unpacked is held against the config."""
    found = gpt2calc.verify(written(tmp_path, FILES["GPTQ 4 bits"]), n_embd=64)
    assert not found.matches
    assert any("expected [64, 192], got [128, 384]" in fault.message for fault in found.faults)


@pytest.mark.parametrize("method", ["hqq", "torchao", "aqlm", "fp8"])
def test_a_way_of_packing_that_is_not_read_is_refused_by_its_word(method: str, tmp_path: Path, run: Run) -> None:
    """With exit code 3, and not as a list of wrong tensors."""
    made = {**FILES["bitsandbytes int8"], "tensors": [["transformer.wte.weight", "F16", [96, 128]]]}
    made["config"] = {**made["config"], "quantization_config": {"quant_method": method}}
    ran = run("verify", written(tmp_path, made))
    assert ran.code == 3
    assert f"quantization_config '{method}', a way of packing that is not read" in ran.stderr


def test_a_shape_that_is_a_value_is_read_from_a_file_alone(tmp_path: Path) -> None:
    """MLX's bits stand in its config, and bitsandbytes' shape among the values: what is not there is said."""
    folder = written(tmp_path, FILES["MLX 4 bits"], config=False)
    with pytest.raises(gpt2calc.UnreadableInputError) as refused:
        gpt2calc.verify(folder)
    assert "its bits and group_size stand in the config.json of MLX" in str(refused.value)
    torch = pytest.importorskip("torch")
    types = {"F32": torch.float32, "U8": torch.uint8}
    tensors = {
        name: torch.zeros(*shape, dtype=types[dtype]) for name, dtype, shape, *_ in FILES["bitsandbytes nf4"]["tensors"]
    }
    with pytest.raises(gpt2calc.UnreadableInputError) as refused:
        gpt2calc.verify(tensors)
    assert "values are read of files alone" in str(refused.value)


def test_packed_matrices_are_not_loaded(tmp_path: Path, run: Run) -> None:
    """Weights as evidence are refused by name, and all evidence says why that is missing."""
    folder = written(tmp_path, FILES["bitsandbytes int8"])
    ran = run("verify", folder, "--evidence", "weights")
    assert (ran.code, ran.stdout) == (2, "")
    assert "packed matrices are not loaded" in ran.stderr
    ran = run("verify", folder, "--evidence", "all", "-q")
    assert ran.code == 0


def test_a_model_that_torch_quantised_in_memory(tmp_path: Path) -> None:
    """quantize_dynamic packs torch's own Linear: of transformers' GPT-2 the head alone, live and saved."""
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    sizes = {**quantised.CONFIG, "n_embd": 16}
    model = transformers.GPT2LMHeadModel(transformers.GPT2Config(**sizes, bos_token_id=0, eos_token_id=0))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch means to drop it, and files of it will stay
        packed = torch.ao.quantization.quantize_dynamic(model, {torch.nn.Linear}, dtype=torch.qint8)
    torch.save(packed.state_dict(), tmp_path / "model.pt")
    for target in (packed, str(tmp_path / "model.pt")):
        found = gpt2calc.verify(target, sizes)
        assert found.matches, found.verdict
        assert found.verdict.endswith("1 of them packed as torch dynamic int8, 2 tensors of scales and the like beside")
        held = {part.what: part.tensors for part in found.checked.holdings}
        assert (held["the tied head, a second time"], held["scales"], held["zero points"]) == (1, 1, 1)


def test_other_families_are_unpacked_as_well(tmp_path: Path) -> None:
    """A llama's matrices are [out, in] already, and are not turned."""
    config = {"model_type": "llama", "architectures": ["LlamaForCausalLM"], "vocab_size": 64, "hidden_size": 64}
    config |= {"intermediate_size": 96, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2}
    tensors: list[list[Any]] = []
    for each in gpt2calc.tensors(config):
        if len(each.shape) != 2 or "layers" not in each.name:
            tensors.append([each.name, "F16", list(each.shape)])
            continue
        out, inputs = each.shape
        module = each.name.removesuffix(".weight")
        tensors += [
            [f"{module}.qweight", "I32", [inputs // 8, out]],
            [f"{module}.qzeros", "I32", [inputs // 32, out // 8]],
        ]
        tensors += [[f"{module}.scales", "F16", [inputs // 32, out]], [f"{module}.g_idx", "I32", [inputs]]]
    said = {"quant_method": "gptq", "bits": 4, "group_size": 32}
    found = gpt2calc.verify(written(tmp_path, {"config": {**config, "quantization_config": said}, "tensors": tensors}))
    assert found.matches, found.verdict
    assert "7 of them packed as GPTQ 4 bits" in found.verdict


@pytest.mark.parametrize(
    ("name", "end", "shape", "dtype"),
    [
        ("GPTQ 4 bits", "c_attn.qweight", [2, 2, 2], ""),
        ("GPTQ 8 bits, without g_idx", "c_attn.qzeros", [], ""),
        ("GPTQ 4 bits", "c_attn.scales", [], ""),
        ("AWQ 4 bits", "c_attn.scales", [384], ""),
        ("AWQ 4 bits", "c_attn.qweight", [0, 0], ""),
        ("bitsandbytes int8", "c_attn.weight", [2, 2, 2], ""),
        ("MLX 4 bits", "c_attn.weight", [0, 0], ""),
        ("compressed-tensors 4 bits", "c_attn.weight_shape", [3], ""),
        ("compressed-tensors 4 bits", "c_attn.weight_shape", None, "F32"),
        ("bitsandbytes nf4", "c_fc.weight.quant_state.bitsandbytes__nf4", [5000], ""),
    ],
)
def test_odd_shapes_end_in_a_verdict(  # noqa: PLR0917  # a row of a table
    name: str, end: str, shape: list[int] | None, dtype: str, tmp_path: Path, run: Run
) -> None:
    """They are faults, and never a traceback."""
    made = changed(FILES[name], end, shape, dtype)
    if dtype:
        made["tensors"] = [each[:3] for each in made["tensors"]]
    assert run("verify", written(tmp_path, made), "-q").code == 1


def test_a_state_that_is_nested_beyond_reason_is_a_fault(tmp_path: Path, run: Run) -> None:
    """A quant_state of brackets alone is no JSON of bitsandbytes."""
    made = changed(FILES["bitsandbytes nf4"], "c_fc.weight.quant_state.bitsandbytes__nf4", [4096])
    for each in made["tensors"]:
        if each[2] == [4096]:
            each.append((b"[" * 4096).hex())
    ran = run("verify", written(tmp_path, made), "-q")
    assert (ran.code, ran.stderr) == (1, "")


@pytest.mark.parametrize(("key", "value"), [("group_size", 0), ("bits", 0), ("bits", "4"), ("group_size", -2)])
def test_a_quantisation_of_no_bits_or_groups_is_refused(key: str, value: object, tmp_path: Path, run: Run) -> None:
    """By its key, with what was got."""
    made = FILES["GPTQ 4 bits"]
    says = {**made["config"]["quantization_config"], key: value}
    ran = run("verify", written(tmp_path, {**made, "config": {**made["config"], "quantization_config": says}}))
    assert (ran.code, ran.stdout) == (3, "")
    assert f"{key} of its quantization: expected a whole number of at least 1" in ran.stderr


def test_a_quantization_config_is_an_object(tmp_path: Path, run: Run) -> None:
    """A list is none, an empty one too."""
    made = FILES["GPTQ 4 bits"]
    ran = run("verify", written(tmp_path, {**made, "config": {**made["config"], "quantization_config": []}}))
    assert (ran.code, ran.stdout) == (3, "")
    assert "quantization_config must be an object, got []" in ran.stderr
