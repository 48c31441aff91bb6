"""The command `python -m tests.vectors`: docs/vectors, counts, caches and stored headers that anyone can hold to.

No number here is ours: totals are what transformers builds, `data/architectures.jsonl`, caches what its modules kept,
`data/served.jsonl`, and headers what it writes of small models, or what was published of the files of large ones.
"""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

import transformers

from tests import served
from tests.architectures.modules import quick, written
from tests.quantized import GLM_AIR, GPT_OSS_20B, GPT_OSS_120B, R1

FOLDER = Path(__file__).parent.parent / "docs" / "vectors"
TOTALS = Path(__file__).parent / "data" / "architectures.jsonl"
UNCOUNTED = ("deepseek_v4", "zamba2")
"""Model types of `TOTALS` that gpt2calc refuses by name."""

FORMAT = "gpt2calc/vectors/1"
BUILT = "the parameters of the module that transformers 5.23 builds, each once"
SHARED = {
    "vocab_size": 40,
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
}
EXPERTS = {**SHARED, "num_key_value_heads": 2, "tie_word_embeddings": False}
SMALL: dict[str, dict[str, Any]] = {
    "a GPT-2": {"model_type": "gpt2", "vocab_size": 40, "n_positions": 12, "n_embd": 16, "n_layer": 2, "n_head": 4},
    "a Llama with grouped heads": {
        **EXPERTS,
        "model_type": "llama",
        "head_dim": 4,
        "attention_bias": False,
        "mlp_bias": False,
    },
    "a tied Qwen3": {
        **EXPERTS,
        "model_type": "qwen3",
        "head_dim": 8,
        "attention_bias": False,
        "tie_word_embeddings": True,
    },
    "a Mixtral, whose experts stand alone": {**EXPERTS, "model_type": "mixtral", "num_local_experts": 3},
    "a Gemma 2 with four norms a layer": {
        **EXPERTS,
        "model_type": "gemma2",
        "head_dim": 8,
        "attention_bias": False,
        "tie_word_embeddings": True,
        "sliding_window": 8,
    },
    "a gpt-oss, whose experts are one tensor": {
        **EXPERTS,
        "model_type": "gpt_oss",
        "head_dim": 8,
        "attention_bias": True,
        "num_local_experts": 3,
    },
    "a DeepSeek-V3 with a latent and a dense layer": {
        **EXPERTS,
        "model_type": "deepseek_v3",
        "num_key_value_heads": 4,
        "q_lora_rank": 6,
        "kv_lora_rank": 8,
        "qk_nope_head_dim": 4,
        "qk_rope_head_dim": 2,
        "v_head_dim": 4,
        "attention_bias": False,
        "moe_intermediate_size": 8,
        "n_shared_experts": 1,
        "n_routed_experts": 4,
        "n_group": 2,
        "topk_group": 1,
        "num_experts_per_tok": 2,
        "first_k_dense_replace": 1,
        "num_nextn_predict_layers": 0,
    },
    "a Mamba 2": {
        "model_type": "mamba2",
        "vocab_size": 40,
        "hidden_size": 16,
        "num_hidden_layers": 2,
        "num_heads": 4,
        "head_dim": 8,
        "expand": 2,
        "n_groups": 1,
        "state_size": 6,
        "conv_kernel": 4,
        "use_conv_bias": True,
        "use_bias": False,
        "tie_word_embeddings": False,
    },
}
"""Small models, of which the whole header is told."""

PUBLISHED = (
    ("deepseek-ai/DeepSeek-R1", "the index and the headers of its 163 files", R1, 91_991, 684_531_386_000),
    ("openai/gpt-oss-20b", "huggingface/huggingface.js, pull request 2323", GPT_OSS_20B, 459, 21_511_953_984),
    ("openai/gpt-oss-120b", "huggingface/huggingface.js, pull request 2323", GPT_OSS_120B, 687, 120_412_337_472),
    ("zai-org/GLM-4.5-Air", "the hub's page of it", GLM_AIR, 18_329, 110_468_824_832),
)
"""Large models: whose, where it was published, the config, and the tensors and elements of their files."""


def vector(name: str, source: str, config: dict[str, Any], *cases: dict[str, Any]) -> dict[str, Any]:
    """Return one vector."""
    return {"name": name, "source": source, "config": config, "cases": list(cases)}


def counts() -> dict[str, Any]:
    """Return the totals of published configs."""
    rows = [json.loads(line) for line in TOTALS.read_text(encoding="utf-8").splitlines()]
    return {
        "format": FORMAT,
        "of": {"total": BUILT},
        "paths": {"total": "total"},
        "vectors": [
            vector(row["name"], row["source"], row["config"], {"ask": {}, "expect": {"total": row["total"]}})
            for row in rows
            if row["model_type"] not in UNCOUNTED
        ],
    }


def kv() -> dict[str, Any]:
    """Return what the caches of published models hold, in bfloat16, states of recurrences in float32."""
    found = []
    for row in served.rows():
        states = 2 * row["convolution"] + 4 * row["recurrence"]
        each = 2 * (row["elements"][1] - row["elements"][0]) // (row["tokens"][1] - row["tokens"][0])
        cases = [
            {
                "ask": {"tokens": tokens, "dtype": "bf16"},
                "expect": {
                    "bytes": 2 * elements + states,
                    "bytes_per_token": each,
                    **({"state_bytes": states} if states else {}),
                },
            }
            for tokens, elements in zip(row["tokens"], row["elements"], strict=True)
        ]
        found.append(vector(row["name"], row["source"], row["config"], *cases))
    return {
        "format": FORMAT,
        "of": {
            "bytes": "what transformers' DynamicCache holds of one sequence of so many tokens, states among them",
            "bytes_per_token": "what one more token adds, as long as no window is full",
            "state_bytes": "what a sequence keeps however long it is: convolutions, and recurrences in float32; "
            "only where there are some",
        },
        "paths": {"bytes": "kv.bytes", "bytes_per_token": "kv.bytes_per_token", "state_bytes": "kv.state_bytes"},
        "vectors": found,
    }


def header(config: dict[str, Any]) -> dict[str, list[int]]:
    """Return the name and shape of every tensor that transformers writes of a small model."""
    transformers.logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    with tempfile.TemporaryDirectory() as folder, quick():
        found = written(config, Path(folder))
    return {name: list(shape) for name, shape in sorted(found.items())}


def stored() -> dict[str, Any]:
    """Return what files hold: of small models every tensor, of large ones how many, and of how many elements."""
    wrote = f"what save_pretrained of transformers {transformers.__version__} writes"
    return {
        "format": FORMAT,
        "of": {
            "tensors": "the name and shape of every tensor of a model's files",
            "count": "how many tensors they hold",
            "elements": "how many elements, two that are packed into a byte being two",
        },
        "paths": {"tensors": "tensors", "count": "count", "elements": "elements"},
        "vectors": [
            *(
                vector(name, where, config, {"ask": {}, "expect": {"count": number, "elements": elements}})
                for name, where, config, number, elements in PUBLISHED
            ),
            *(
                vector(name, wrote, config, {"ask": {}, "expect": {"tensors": header(config)}})
                for name, config in SMALL.items()
            ),
        ],
    }


FILES = {"counts": counts, "kv": kv, "stored": stored}


def text(document: dict[str, Any]) -> str:
    """Return a file of vectors, a line each."""
    head = {key: value for key, value in document.items() if key != "vectors"}
    opening = json.dumps(head, indent=1)[:-2]
    lines = ",\n".join(json.dumps(each, separators=(",", ":")) for each in document["vectors"])
    return f'{opening},\n "vectors": [\n{lines}\n]}}\n'


def main() -> None:
    """Write every file anew."""
    for name, made in FILES.items():
        (FOLDER / f"{name}.json").write_text(text(made()), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
