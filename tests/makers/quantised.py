"""What tools that quantise a GPT-2 write: `python -m tests.makers.quantised` writes tests/data/quantised.json anew.

It needs bitsandbytes, accelerate, compressed-tensors and mlx, which no test does. A header has the name, dtype and
shape of each tensor, and the values of those few that say how a matrix is packed. GPTQ's and AWQ's tools need a GPU:
their shapes are made by `gptq` below from their sources.
"""

from __future__ import annotations

import json
import tempfile
from importlib import import_module
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "data" / "quantised.json"

CONFIG = {"n_layer": 2, "n_embd": 128, "n_head": 2, "vocab_size": 96, "n_positions": 64}

SMALL_VALUES = ("quant_state.", "weight_shape")
"""Parts of names of tensors whose values are kept."""


def header(path: Path) -> list[list[Any]]:
    """Return each tensor of a safetensors file: name, dtype, shape, and its bytes where they say how it is packed."""
    content = path.read_bytes()
    length = int.from_bytes(content[:8], "little")
    found = []
    for name, entry in json.loads(content[8 : 8 + length]).items():
        if name != "__metadata__":
            begin, end = (8 + length + at for at in entry["data_offsets"])
            kept = [content[begin:end].hex()] if any(part in name for part in SMALL_VALUES) else []
            found.append([name, entry["dtype"], entry["shape"], *kept])
    return found


def bitsandbytes(folder: Path, **words: Any) -> dict[str, Any]:
    """Quantise with transformers and bitsandbytes, and save."""
    transformers: Any = import_module("transformers")
    transformers.GPT2LMHeadModel(transformers.GPT2Config(**CONFIG)).save_pretrained(folder / "base")
    asked = transformers.BitsAndBytesConfig(**words)
    model = transformers.GPT2LMHeadModel.from_pretrained(folder / "base", quantization_config=asked, device_map="cpu")
    model.save_pretrained(folder / "out")
    said = json.loads((folder / "out" / "config.json").read_text(encoding="utf-8"))
    return {"config": {**said}, "tensors": header(folder / "out" / "model.safetensors")}


def plain() -> dict[str, tuple[int, ...]]:
    """Return the names and shapes of the model that is quantised."""
    import gpt2calc

    return {each.name: each.shape for each in gpt2calc.tensors(**CONFIG)}  # type: ignore[arg-type]  # sizes alone


def mlx(folder: Path, **words: Any) -> dict[str, Any]:
    """Quantise each matrix as MLX does, and save under MLX's names, [out, in]."""
    mx, nn = import_module("mlx.core"), import_module("mlx.nn")
    arrays = {}
    for name, shape in plain().items():
        module = name.removesuffix(".weight")
        if len(shape) != 2 or name.endswith("wpe.weight"):
            arrays[name] = mx.zeros(shape)
            continue
        is_table = name.endswith("wte.weight")
        layer = nn.Embedding(*shape) if is_table else nn.Linear(*shape, bias=False)
        for end, array in layer.to_quantized(**words).parameters().items():
            arrays[f"{module}.{end}"] = array
    mx.save_safetensors(str(folder / "model.safetensors"), arrays, metadata={"format": "mlx"})
    return {
        "config": {"model_type": "gpt2", **CONFIG, "quantization": words},
        "tensors": header(folder / "model.safetensors"),
    }


def compressed(folder: Path, scheme: str, scale: str, **words: Any) -> dict[str, Any]:
    """Compress each matrix as compressed-tensors does, [out, in]."""
    torch: Any = import_module("torch")
    quantization = import_module("compressed_tensors.quantization")
    base: Any = import_module("compressed_tensors.compressors.base").BaseCompressor
    compressor = base.get_value_from_registry(scheme)
    arguments = quantization.QuantizationArgs(**words)
    asked = quantization.QuantizationScheme(targets=["Linear"], weights=arguments)
    tensors = {}
    for name, shape in plain().items():
        if len(shape) != 2 or "wte" in name or "wpe" in name:
            tensors[name] = torch.zeros(*shape)
            continue
        out, inputs = shape[::-1]
        columns = -(-inputs // words["group_size"]) if scale == "group" else 1
        own = {"weight": torch.randn(out, inputs), "weight_scale": torch.ones(out, columns)}
        if not words["symmetric"]:
            own["weight_zero_point"] = torch.zeros(out, columns, dtype=torch.int8)
        module = name.removesuffix(".weight")
        tensors |= {f"{module}.{end}": each for end, each in compressor.compress(own, asked).items()}
    save: Any = import_module("safetensors.torch").save_file
    save(tensors, folder / "model.safetensors")
    said: dict[str, Any] = {"quant_method": "compressed-tensors", "format": scheme}
    said |= {"config_groups": {"group_0": {"targets": ["Linear"], "weights": words}}}
    return {
        "config": {"model_type": "gpt2", **CONFIG, "quantization_config": said},
        "tensors": header(folder / "model.safetensors"),
    }


def gptq(bits: int = 4, group_size: int = 32, *, g_idx: bool = True, awq: bool = False) -> dict[str, Any]:
    """Return what GPTQ's or AWQ's layers register, from their sources, for each matrix of the blocks.

    Sources: AutoGPTQ/AutoGPTQ, auto_gptq/nn_modules/qlinear/qlinear_cuda_old.py, `QuantLinear.__init__`;
    casper-hansen/AutoAWQ, awq/modules/linear/gemm.py, `WQLinear_GEMM.__init__`.
    """
    found: list[list[Any]] = []
    for name, shape in plain().items():
        if len(shape) != 2 or "wte" in name or "wpe" in name:
            found.append([name, "F16", list(shape)])
            continue
        inputs, out = shape
        module, groups = name.removesuffix(".weight"), -(-inputs // group_size)
        packed = [inputs, out * bits // 32] if awq else [inputs // 32 * bits, out]
        found += [[f"{module}.qweight", "I32", packed], [f"{module}.qzeros", "I32", [groups, out // 32 * bits]]]
        found += [[f"{module}.scales", "F16", [groups, out]]]
        found += [[f"{module}.g_idx", "I32", [inputs]]] if g_idx and not awq else []
    said = {"quant_method": "awq" if awq else "gptq", "bits": bits, "group_size": group_size}
    return {"config": {"model_type": "gpt2", **CONFIG, "quantization_config": said}, "tensors": found}


def main() -> None:
    """Let each tool write, and keep the headers."""
    int4 = {"num_bits": 4, "type": "int"}
    made: dict[str, Any] = {}
    for tool in ("bitsandbytes", "compressed_tensors", "mlx", "transformers"):
        module: Any = import_module("mlx.core" if tool == "mlx" else tool)
        made[tool] = module.__version__
    files = {}
    jobs: dict[str, Any] = {
        "bitsandbytes int8": lambda f: bitsandbytes(f, load_in_8bit=True),
        "bitsandbytes nf4": lambda f: bitsandbytes(f, load_in_4bit=True, bnb_4bit_quant_type="nf4"),
        "bitsandbytes fp4, nested": lambda f: bitsandbytes(f, load_in_4bit=True, bnb_4bit_use_double_quant=True),
        "MLX 4 bits": lambda f: mlx(f, group_size=64, bits=4),
        "MLX 3 bits": lambda f: mlx(f, group_size=32, bits=3),
        "MLX mxfp4": lambda f: mlx(f, group_size=32, bits=4, mode="mxfp4"),
        "compressed-tensors 4 bits": lambda f: compressed(
            f, "pack-quantized", "channel", strategy="channel", symmetric=True, **int4
        ),
        "compressed-tensors 4 bits, groups with zero points": lambda f: compressed(
            f, "pack-quantized", "group", strategy="group", group_size=32, symmetric=False, **int4
        ),
        "compressed-tensors int8": lambda f: compressed(
            f, "int-quantized", "channel", strategy="channel", symmetric=True, num_bits=8, type="int"
        ),
    }
    for name, job in jobs.items():
        with tempfile.TemporaryDirectory() as folder:
            files[name] = job(Path(folder))
    rows = ",\n".join(f" {json.dumps(name)}: {json.dumps(each)}" for name, each in files.items())
    FILE.write_text(f'{{"made_with": {json.dumps(made)},\n"files": {{\n{rows}\n}}}}\n', encoding="utf-8")


if __name__ == "__main__":
    main()
