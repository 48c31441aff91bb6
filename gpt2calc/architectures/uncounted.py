"""Model types of transformers' causal language models that are not counted, each with the nearest that is.

Nearest is the one that shares the most of its rows; "" where none shares more than an embedding. A composite has the
type of its language model. A test holds the list against transformers' own.
"""

from __future__ import annotations

NEAREST: dict[str, str] = {
    **{f"{name}": f"{name}_text" for name in ("gemma3", "gemma3n", "gemma4", "llama4", "qwen3_5", "qwen3_5_moe")},
    **dict.fromkeys(
        ("gemma4_assistant", "gemma4_unified", "gemma4_unified_assistant", "gemma4_unified_text"), "gemma4_text"
    ),
    "axk2": "axk1",
    "bailing_hybrid": "deepseek_v3",
    "beam": "llama",
    "blt": "llama",
    "cohere_compass_text": "cohere2",
    "dbrx": "mixtral",
    "deepseek_v4": "deepseek_v32",
    "doge": "llama",
    "dots3_note": "dots1",
    "dots3_note_text": "dots1",
    "emu3": "llama",
    "flint": "gpt_oss",
    "fuyu": "persimmon",
    "got_ocr2": "qwen2",
    "gpt-sw3": "gpt2",
    "gpt_neox_japanese": "gpt_neox",
    "hrm_text": "llama",
    "hy_v4": "hy_v3",
    "inkling2_text": "",
    "inkling_text": "",
    "jetmoe": "granitemoe",
    "kimi_linear": "deepseek_v3",
    "kolibri1": "qwen3_moe",
    "laguna": "exaone_moe",
    "lfm2_moe": "lfm2",
    "lfm3": "lfm2",
    "longcat_flash": "deepseek_v3",
    "mimo_v2_flash": "exaone_moe",
    "minimax": "mixtral",
    "minimax_m3_vl_text": "minimax_m2",
    "mllama": "llama",
    "modernbert-decoder": "",
    "moshi": "llama",
    "moss_transcribe_diarize": "qwen3",
    "olmo_hybrid": "olmo3",
    "phi4_multimodal": "phi3",
    "qwen4_exp": "qwen3_5_text",
    "qwen4_exp_text": "qwen3_5_text",
    "zamba": "jamba",
    "zamba2": "bamba",
    "zaya": "",
    **dict.fromkeys(("cpmant", "ctrl", "reformer", "rwkv", "xlm", "xlnet", "xlstm"), ""),
    **dict.fromkeys(("bart", "bigbird_pegasus", "blenderbot", "blenderbot-small", "marian", "mbart", "mvp"), ""),
    **dict.fromkeys(("pegasus", "plbart", "prophetnet", "trocr", "whisper", "musicgen", "musicgen_melody"), ""),
    **dict.fromkeys(("bert", "bert-generation", "big_bird", "camembert", "data2vec-text", "electra", "ernie"), ""),
    **dict.fromkeys(("git", "megatron-bert", "rembert", "roberta", "roberta-prelayernorm", "roc_bert", "roformer"), ""),
    **dict.fromkeys(("xlm-roberta", "xlm-roberta-xl", "xmod"), ""),
}
"""Each model type that is not counted."""
