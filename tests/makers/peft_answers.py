"""What PEFT itself says of adapters: `python -m tests.makers.peft_answers` writes tests/data/peft_answers.json anew.

It needs peft and accelerate, which no test does. Each model is built on torch's meta device.
"""

from __future__ import annotations

import json
import tempfile
import warnings
from importlib import import_module
from pathlib import Path
from typing import Any

FILE = Path(__file__).resolve().parent.parent / "data" / "peft_answers.json"

SMALL: dict[str, Any] = {
    "model_type": "gpt2",
    "n_layer": 3,
    "n_embd": 32,
    "n_head": 4,
    "vocab_size": 61,
    "n_positions": 24,
}
LLAMA: dict[str, Any] = {
    "model_type": "llama",
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "tie_word_embeddings": False,
}
QWEN3 = {**LLAMA, "model_type": "qwen3", "head_dim": 8, "tie_word_embeddings": True}
MIXTRAL = {**LLAMA, "model_type": "mixtral", "num_local_experts": 4, "head_dim": 8}
FALCON: dict[str, Any] = {
    "model_type": "falcon",
    "vocab_size": 64,
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
OPT: dict[str, Any] = {
    "model_type": "opt",
    "vocab_size": 64,
    "hidden_size": 32,
    "ffn_dim": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 16,
    "word_embed_proj_dim": 16,
}
GPT1: dict[str, Any] = {
    "model_type": "openai-gpt",
    "n_layer": 2,
    "n_embd": 32,
    "n_head": 4,
    "vocab_size": 61,
    "n_positions": 24,
}

CASES: tuple[tuple[str, dict[str, Any], dict[str, Any]], ...] = (
    ("gpt2's default, rank 8", {"model_type": "gpt2"}, {"r": 8, "target_modules": ["c_attn"]}),
    ("gpt2-xl, every linear layer", {"model_type": "gpt2", "n_layer": 48, "n_embd": 1600, "n_head": 25},
     {"r": 16, "target_modules": "all-linear"}),
    ("no targets", SMALL, {"r": 4}),
    ("two targets of one name", SMALL, {"r": 4, "target_modules": ["c_proj"]}),
    ("a name with a dot", SMALL, {"r": 4, "target_modules": ["mlp.c_proj"]}),
    ("one block alone", SMALL, {"r": 4, "target_modules": ["h.1.attn.c_attn"]}),
    ("biases of all", SMALL, {"r": 4, "target_modules": ["c_attn"], "bias": "all"}),
    ("biases of the targets", SMALL, {"r": 4, "target_modules": ["c_attn", "c_fc"], "bias": "lora_only"}),
    ("magnitudes", SMALL, {"r": 4, "target_modules": "all-linear", "use_dora": True}),
    ("magnitudes of an embedding", SMALL, {"r": 4, "target_modules": ["wte", "wpe"], "use_dora": True}),
    ("biases of B", SMALL, {"r": 4, "target_modules": ["c_attn"], "lora_bias": True}),
    ("scaled by the root of the rank", SMALL, {"r": 4, "target_modules": ["c_attn"], "use_rslora": True}),
    ("a tied head", SMALL, {"r": 4, "target_modules": ["lm_head"]}),
    ("both sides of a tied head, saved", SMALL,
     {"r": 4, "target_modules": ["c_attn"], "modules_to_save": ["wte", "lm_head"]}),
    ("a norm saved, and biases of all", SMALL,
     {"r": 4, "target_modules": ["c_attn"], "modules_to_save": ["ln_f"], "bias": "all"}),
    ("an MLP saved as a whole", SMALL, {"r": 4, "target_modules": ["c_attn"], "modules_to_save": ["mlp"]}),
    ("a rank above the width", SMALL, {"r": 100, "target_modules": ["c_attn"]}),
    ("Conv1D of GPT-1, magnitudes", GPT1, {"r": 4, "target_modules": ["c_fc"], "use_dora": True}),
    ("keys and values are narrower", LLAMA, {"r": 8, "target_modules": ["q_proj", "v_proj"]}),
    ("an untied head is no linear layer of all", LLAMA, {"r": 8, "target_modules": "all-linear", "use_dora": True}),
    ("heads wider than the model", QWEN3, {"r": 8, "target_modules": ["q_proj", "k_proj", "o_proj", "lm_head"]}),
    ("attention beside experts", MIXTRAL, {"r": 8, "target_modules": ["q_proj", "v_proj"]}),
    ("a class of its own", FALCON, {"r": 8, "bias": "all"}),
    ("projections beside an embedding", OPT, {"r": 4, "target_modules": "all-linear"}),
    ("the embedding of OPT", OPT, {"r": 4, "target_modules": ["embed_tokens", "embed_positions", "project_in"]}),
    ("prompt tuning", {"model_type": "gpt2"}, {"num_virtual_tokens": 20}),
    ("prompt tuning, an embedding narrower than the model", OPT, {"num_virtual_tokens": 5}),
)  # fmt: skip
"""What is special about each, the config of the model, and the words of PEFT's config."""


def answer(config: dict[str, Any], words: dict[str, Any]) -> dict[str, Any]:
    """Return what PEFT prints of a model, and the shapes of what it trains."""
    import torch
    import transformers

    peft: Any = import_module("peft")  # no test needs it
    made = transformers.AutoConfig.for_model(**config)
    with torch.device("meta"):
        auto: Any = transformers.AutoModelForCausalLM
        model = auto.from_config(made)
    if "num_virtual_tokens" in words:
        asked: Any = peft.PromptTuningConfig(task_type="CAUSAL_LM", **words)
    else:
        asked = peft.LoraConfig(**words)
    found = peft.get_peft_model(model, asked)
    trainable, whole = found.get_nb_trainable_parameters()
    line = f"trainable params: {trainable:,d} || all params: {whole:,d} || trainable%: {100 * trainable / whole:.4f}"
    return {"trainable": trainable, "all": whole, "line": line}


FILES_OF: tuple[tuple[str, dict[str, Any]], ...] = (
    ("one target", {"r": 4, "target_modules": ["c_attn"]}),
    ("magnitudes, an embedding, and a norm saved",
     {"r": 4, "target_modules": ["c_attn", "wte"], "use_dora": True, "modules_to_save": ["ln_f"]}),
    ("biases of all", {"r": 4, "target_modules": ["c_attn"], "bias": "all"}),
    ("biases of the targets and of B", {"r": 4, "target_modules": ["c_attn"], "bias": "lora_only", "lora_bias": True}),
    ("ranks by pattern, one block",
     {"r": 4, "target_modules": ["c_attn", "c_proj"], "rank_pattern": {"c_proj": 2}, "layers_to_transform": [1]}),
    ("a tied head", {"r": 4, "target_modules": ["lm_head", "c_attn"]}),
    ("prompt tuning", {"num_virtual_tokens": 20}),
)  # fmt: skip
"""Adapters of SMALL that PEFT saves, by PEFT's words."""


def saved(words: dict[str, Any], folder: str) -> dict[str, Any]:
    """Return what PEFT writes: its config, and the names and shapes of the file; and of its state_dict in memory."""
    import torch
    import transformers

    peft: Any = import_module("peft")
    safe_open = import_module("safetensors").safe_open
    model = transformers.GPT2LMHeadModel(
        transformers.GPT2Config(**{k: v for k, v in SMALL.items() if k != "model_type"})
    )
    is_prompt = "num_virtual_tokens" in words
    asked = peft.PromptTuningConfig(task_type="CAUSAL_LM", **words) if is_prompt else peft.LoraConfig(**words)
    found = peft.get_peft_model(model, asked)
    found.save_pretrained(folder)
    with safe_open(f"{folder}/adapter_model.safetensors", "pt") as file:
        tensors = [[name, list(file.get_slice(name).get_shape())] for name in file.keys()]  # noqa: SIM118
    config = json.loads((Path(folder) / "adapter_config.json").read_text(encoding="utf-8"))
    trainable, whole = found.get_nb_trainable_parameters()
    state = [
        [name, list(tensor.shape)] for name, tensor in found.state_dict().items() if isinstance(tensor, torch.Tensor)
    ]
    kept = {name: value for name, value in config.items() if value}
    return {"trainable": trainable, "all": whole, "config": kept, "file": tensors, "state": state}


def main() -> None:
    """Ask PEFT, and write its answers down."""
    import torch
    import transformers

    peft = import_module("peft")
    warnings.simplefilter("ignore")
    made = {"peft": peft.__version__, "transformers": transformers.__version__, "torch": torch.__version__}
    cases = [
        {"what": what, "config": config, "words": words, "says": answer(config, words)} for what, config, words in CASES
    ]
    files = []
    for what, words in FILES_OF:
        with tempfile.TemporaryDirectory() as folder:
            files.append({"what": what, **saved(words, folder)})
    rows = {"made_with": made, "cases": cases, "files": files}
    parts = []
    for name, part in rows.items():
        lines = ",\n".join(json.dumps(row) for row in part) if isinstance(part, list) else ""
        parts.append(f'"{name}": [\n{lines}\n]' if lines else f'"{name}": {json.dumps(part)}')
    FILE.write_text("{" + ",\n".join(parts) + "}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
