"""What transformers' loading report is silent about: faults in small files of several families, ours beside theirs.

`python -m tests.blindness` plants each, loads the folder with transformers, verifies it, and writes the table that
docs/stored.md shows. Their report is a call of `from_pretrained` with `output_loading_info`; an error counts as named.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple
from unittest import mock

import torch
from safetensors.torch import save_file

import gpt2calc
from gpt2calc import sources, stored
from gpt2calc.model import Model
from tests.architectures.modules import quick
from tests.quantized import SMALL

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Tensors = dict[str, torch.Tensor]

RECORDED = Path(__file__).parent / "data" / "blindness.jsonl"

DTYPES = {"BF16": torch.bfloat16, "F32": torch.float32, "F8_E4M3": torch.float8_e4m3fn, "U8": torch.uint8}

GPT2 = {"model_type": "gpt2", "vocab_size": 40, "n_embd": 16, "n_layer": 2, "n_head": 2, "n_positions": 12}
TINY = {"vocab_size": 64, "hidden_size": 32, "intermediate_size": 48, "num_attention_heads": 4}
NEOX = {**TINY, "model_type": "gpt_neox", "num_hidden_layers": 2, "max_position_embeddings": 16}
LLAMA = {**TINY, "model_type": "llama", "num_hidden_layers": 2, "num_key_value_heads": 2}
DEEPSEEK = {
    **SMALL["deepseek_v3, fp8"],
    "num_hidden_layers": 61,
    "hidden_size": 32,
    "intermediate_size": 24,
    "moe_intermediate_size": 16,
    "first_k_dense_replace": 59,
    "num_experts_per_tok": 2,
    "n_group": 1,
    "topk_group": 1,
    "architectures": ["DeepseekV3ForCausalLM"],
    "dtype": "bfloat16",
}
GLM = {**SMALL["glm4_moe, plain"], "num_hidden_layers": 46, "first_k_dense_replace": 44, "dtype": "bfloat16"}
NEXT = {
    **TINY,
    "model_type": "qwen3_next",
    "num_hidden_layers": 4,
    "num_key_value_heads": 2,
    "head_dim": 8,
    "linear_num_key_heads": 2,
    "linear_num_value_heads": 4,
    "linear_key_head_dim": 8,
    "linear_value_head_dim": 8,
    "num_experts": 4,
    "num_experts_per_tok": 2,
    "moe_intermediate_size": 16,
    "shared_expert_intermediate_size": 16,
    "dtype": "bfloat16",
}
CONFIGS = {
    "gpt2": GPT2,
    "gpt_neox": NEOX,
    "llama": LLAMA,
    "deepseek_v3": DEEPSEEK,
    "glm4_moe": GLM,
    "qwen3_next": NEXT,
}


class Fault(NamedTuple):
    """A fault: in the file of which family, what it is, and how it is planted; and a word that names it."""

    family: str
    what: str
    plant: Callable[[Tensors], Any]
    named: str
    config: Mapping[str, Any] = MappingProxyType({})


def put(name: str, *shape: int, dtype: torch.dtype = torch.bfloat16) -> Callable[[Tensors], Any]:
    """Store one more, or another."""
    return lambda tensors: tensors.update({name: torch.zeros(shape, dtype=dtype)})


def drop(*names: str) -> Callable[[Tensors], Any]:
    """Leave out all that begin with a name."""
    return lambda tensors: [tensors.pop(each) for each in list(tensors) if each.startswith(names)]


def turn(name: str) -> Callable[[Tensors], Any]:
    """Store a matrix transposed."""
    return lambda tensors: tensors.update({name: tensors[name].float().T.contiguous().to(tensors[name].dtype)})


AT = "model.layers"
SCALE = f"{AT}.60.mlp.experts.3.up_proj.weight_scale_inv"
FAULTS = [
    Fault("gpt2", "a mask of a layer that there is not", put("transformer.h.7.attn.bias", 1, 1, 12, 12), "h.7"),
    Fault("gpt2", "a mask of 1,048,576 elements", put("transformer.h.0.attn.bias", 1, 1, 1024, 1024), "attn.bias"),
    Fault("gpt2", "a mask that is no square", put("transformer.h.0.attn.bias", 1, 1, 12, 9), "h.0.attn.bias"),
    Fault("gpt2", "a mask in one layer of two", put("transformer.h.1.attn.bias", 1, 1, 12, 12), "attn.bias"),
    Fault(
        "gpt2", "a value of masked attention for each head", put("transformer.h.1.attn.masked_bias", 2), "masked_bias"
    ),
    Fault(
        "gpt_neox",
        "a mask of a layer that there is not",
        put("gpt_neox.layers.5.attention.bias", 1, 1, 16, 16),
        "layers.5",
    ),
    Fault(
        "gpt_neox",
        "4,194,304 elements as a mask",
        put("gpt_neox.layers.0.attention.bias", 2048, 2048),
        "layers.0.attention.bias",
    ),
    Fault(
        "gpt_neox",
        "frequencies in one layer of two",
        put("gpt_neox.layers.1.attention.rotary_emb.inv_freq", 2),
        "inv_freq",
    ),
    Fault(
        "llama", "frequencies of a layer that there is not", put(f"{AT}.9.self_attn.rotary_emb.inv_freq", 4), "layers.9"
    ),
    Fault(
        "llama", "1,048,576 rotary frequencies", put(f"{AT}.0.self_attn.rotary_emb.inv_freq", 1024, 1024), "inv_freq"
    ),
    Fault("llama", "a matrix that is missing", drop(f"{AT}.1.mlp.up_proj"), "up_proj"),
    Fault("llama", "a matrix that is transposed", turn(f"{AT}.1.mlp.up_proj.weight"), "up_proj"),
    Fault("deepseek_v3", "a scale that is missing", drop(SCALE), SCALE),
    Fault("deepseek_v3", "a scale with a row more", put(SCALE, 2, 1, dtype=torch.float32), SCALE),
    Fault("deepseek_v3", "a scale of whole numbers", put(SCALE, 1, 1, dtype=torch.int32), SCALE),
    Fault(
        "deepseek_v3",
        "a scale beside a router",
        put(f"{AT}.60.mlp.gate.weight_scale_inv", 1, 1, dtype=torch.float32),
        "gate",
    ),
    Fault(
        "deepseek_v3", "a matrix of 16 bits beside its scale", put(f"{AT}.60.self_attn.o_proj.weight", 32, 64), "o_proj"
    ),
    Fault("deepseek_v3", "an expert that is missing", drop(f"{AT}.60.mlp.experts.3."), "experts.3"),
    Fault(
        "deepseek_v3",
        "1,048,576 elements in the layer that predicts",
        put(f"{AT}.61.more.weight", 1024, 1024),
        "61.more",
    ),
    Fault("deepseek_v3", "a norm missing in the layer that predicts", drop(f"{AT}.61.enorm"), "61.enorm"),
    Fault(
        "deepseek_v3",
        "an expert missing in the layer that predicts",
        drop(f"{AT}.61.mlp.experts.0."),
        "61.mlp.experts.0",
    ),
    Fault("deepseek_v3", "a transposed eh_proj", turn(f"{AT}.61.eh_proj.weight"), "eh_proj"),
    Fault(
        "deepseek_v3",
        "a copy of the head of half the tokens",
        put(f"{AT}.61.shared_head.head.weight", 48, 32),
        "shared_head",
    ),
    Fault(
        "deepseek_v3", "no layer that predicts, and the config says 1", drop(f"{AT}.61."), "nothing found of the layer"
    ),
    Fault(
        "deepseek_v3", "one such layer, and the config says 3", drop("-"), f"{AT}.62", {"num_nextn_predict_layers": 3}
    ),
    Fault(
        "deepseek_v3", "such a layer, and the config says none", drop("-"), f"{AT}.61", {"num_nextn_predict_layers": 0}
    ),
    Fault(
        "glm4_moe", "1,048,576 elements in the layer that predicts", put(f"{AT}.46.more.weight", 1024, 1024), "46.more"
    ),
    Fault(
        "glm4_moe", "an expert missing in the layer that predicts", drop(f"{AT}.46.mlp.experts.2."), "46.mlp.experts.2"
    ),
    Fault("glm4_moe", "a router's correction missing there", drop(f"{AT}.46.mlp.gate.e_score"), "46.mlp.gate.e_score"),
    Fault("qwen3_next", "1,048,576 elements under mtp", put("mtp.more.weight", 1024, 1024), "mtp.more"),
    Fault("qwen3_next", "a transposed mtp.fc", turn("mtp.fc.weight"), "mtp.fc"),
    Fault(
        "qwen3_next", "an expert missing under mtp", drop("mtp.layers.0.mlp.experts.1."), "mtp.layers.0.mlp.experts.1"
    ),
]


def good(family: str) -> tuple[dict[str, Any], Tensors]:
    """Return a config and what its files hold, layers that predict further tokens among it."""
    document = CONFIGS[family]
    source = sources.resolve(document, {})
    if not isinstance(source.counted, Model):
        return document, {each.name: torch.zeros(each.shape) for each in gpt2calc.tensors(document)}
    further = source.counted.architecture.ahead
    held = stored.of(source.counted, document, ahead=1 if further else 0)
    return document, {each.name: torch.zeros(each.shape, dtype=DTYPES[each.dtype]) for each in held.listing()}


def theirs(folder: Path) -> str:
    """Return what transformers' loading report names of a folder, or its error."""
    import transformers

    # accelerate is asked for to place modules on devices, of which there is one; it reads no file.
    accelerate = "transformers.quantizers.quantizer_finegrained_fp8.is_accelerate_available"
    with quick(), mock.patch(accelerate, return_value=True):
        try:
            auto: Any = transformers.AutoModelForCausalLM
            _, report = auto.from_pretrained(folder, output_loading_info=True)
        except Exception as error:  # noqa: BLE001 - whatever it says is what is recorded
            return f"{type(error).__name__}: {str(error).splitlines()[0][:80]}"
    found = [f"{kind.removesuffix('_keys')} {len(names)}" for kind, names in report.items() if names]
    return ", ".join(found)


def planted(fault: Fault, folder: Path) -> tuple[str, str]:
    """Plant a fault; return what we say of it, "" where it is not named, and what transformers does."""
    document, tensors = good(fault.family)
    fault.plant(tensors)
    folder.mkdir(exist_ok=True)
    (folder / "config.json").write_text(json.dumps({**document, **fault.config}), encoding="utf-8")
    save_file(tensors, folder / "model.safetensors", {"format": "pt"})
    found = gpt2calc.verify(folder)
    said = [f"{each.tensor}: {each.message}" for each in found.faults] or [found.verdict]
    ours = next((each for each in said if fault.named in each), "")
    return ours, theirs(folder)


def main() -> None:
    """Plant all of them, and record what both say."""
    rows = []
    with tempfile.TemporaryDirectory() as folder:
        for family in CONFIGS:
            said = planted(Fault(family, "nothing", drop("-"), "matches"), Path(folder, family))
            print(f"{family:12} a good file: {said}", flush=True)
        for fault in FAULTS:
            ours, report = planted(fault, Path(folder, fault.family))
            rows.append(
                {"family": fault.family, "what": fault.what, "ours": ours.replace(folder, ""), "theirs": report}
            )
            print(rows[-1], flush=True)
    RECORDED.write_text("".join(f"{json.dumps(row)}\n" for row in rows), encoding="utf-8")


if __name__ == "__main__":
    main()
