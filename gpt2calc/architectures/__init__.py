"""Architectures: one file a family, with a row for each model type that differs from the others by flags.

A file is loaded when one of its model types is asked for, and no other is.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from gpt2calc.model import Architecture, Size

GPT2 = "gpt2"
"""The model type that `documents` reads, and no other file of these."""

FILES: dict[str, str] = {
    "afmoe": "exaone_moe",
    "apertus": "llama",
    "arcee": "llama",
    "aria_text": "exaone_moe",
    "axk1": "glm_moe_dsa",
    "bamba": "bamba",
    "biogpt": "opt",
    "bitnet": "internlm3",
    "bloom": "bloom",
    "codegen": "gptj",
    "cohere": "cohere",
    "cohere2": "cohere",
    "cohere2_moe": "exaone_moe",
    "cwm": "internlm3",
    "deepseek_v2": "deepseek_v3",
    "deepseek_v3": "deepseek_v3",
    "deepseek_v32": "deepseek_v3",
    "diffllama": "diffllama",
    "dots1": "glm4_moe",
    "ernie4_5": "llama",
    "ernie4_5_moe": "glm4_moe",
    "exaone4": "llama",
    "exaone_moe": "exaone_moe",
    "falcon": "falcon",
    "falcon_h1": "falcon_h1",
    "falcon_mamba": "mamba",
    "flex_olmo": "olmoe",
    "gemma": "gemma",
    "gemma2": "gemma",
    "gemma3_text": "gemma",
    "gemma3n_text": "gemma4",
    "gemma4_text": "gemma4",
    "glm": "glm",
    "glm4": "glm",
    "glm4_moe": "glm4_moe",
    "glm4_moe_lite": "glm_moe_dsa",
    "glm_moe_dsa": "glm_moe_dsa",
    "gpt2": "gpt2",
    "gpt_bigcode": "gpt_bigcode",
    "gpt_neo": "gpt_neo",
    "gpt_neox": "gpt_neox",
    "gpt_oss": "olmoe",
    "gptj": "gptj",
    "granite": "llama",
    "granite_swa": "internlm3",
    "granitemoe": "olmoe",
    "granitemoe_swa": "olmoe",
    "granitemoehybrid": "granitemoehybrid",
    "granitemoeshared": "olmoe",
    "helium": "llama",
    "hunyuan_v1_dense": "llama",
    "hunyuan_v1_moe": "olmoe",
    "hy_v3": "exaone_moe",
    "hyperclovax": "internlm3",
    "internlm3": "internlm3",
    "iquestcoder": "internlm3",
    "jais2": "starcoder2",
    "jamba": "jamba",
    "kimi_k2": "deepseek_v3",
    "lfm2": "lfm2",
    "llama": "llama",
    "llama4_text": "glm4_moe",
    "mamba": "mamba",
    "mamba2": "mamba2",
    "mellum": "exaone_moe",
    "minicpm3": "glm_moe_dsa",
    "minimax_m2": "olmoe",
    "ministral": "internlm3",
    "ministral3": "llama",
    "mistral": "llama",
    "mixtral": "mixtral",
    "mpt": "bloom",
    "nanochat": "olmo",
    "nemotron": "starcoder2",
    "nemotron_h": "nemotron_h",
    "olmo": "olmo",
    "olmo2": "olmo",
    "olmo3": "olmo",
    "olmoe": "olmoe",
    "openai-gpt": "gpt_bigcode",
    "opt": "opt",
    "persimmon": "persimmon",
    "phi": "phi",
    "phi3": "phi",
    "phimoe": "olmoe",
    "qwen2": "llama",
    "qwen2_moe": "qwen_moe",
    "qwen3": "llama",
    "qwen3_5_moe_text": "qwen3_next",
    "qwen3_5_text": "qwen3_next",
    "qwen3_moe": "qwen_moe",
    "qwen3_next": "qwen3_next",
    "recurrent_gemma": "recurrent_gemma",
    "seed_oss": "llama",
    "smollm3": "llama",
    "solar_open": "exaone_moe",
    "stablelm": "stablelm",
    "starcoder2": "starcoder2",
    "vaultgemma": "gemma",
    "xglm": "opt",
    "youtu": "glm_moe_dsa",
}
"""Each model type that is counted, with the file that knows it. A new one is a file and a row here."""


ENCODER_DECODERS = ("encoder-decoder", "speech-encoder-decoder", "vision-encoder-decoder")
"""Model types that are two models, each with a config of its own."""


def of(model_type: str) -> Architecture:
    """Return the architecture of a model type that is one of `FILES`.

    >>> of("mistral").classes["MistralForCausalLM"]
    'lm'
    """
    found: Architecture = import_module(f"gpt2calc.architectures.{FILES[model_type]}").ARCHITECTURES[model_type]
    return found


def sizes() -> dict[str, Size]:
    """Return every size that a config of some architecture but GPT-2 can give, under each of its spellings.

    >>> sizes()["head_dim"].letter
    'e'
    """
    from gpt2calc.model import LAW

    rows = (row for model_type in FILES if model_type != "gpt2" for row in of(model_type).sizes if row.kind != LAW)
    return {spelling: row for row in rows for spelling in (row.name, *row.spellings)}


def of_class(name: str) -> str:
    """Return the model type that a class of transformers is of, "" where none is known, or where it is GPT-2.

    >>> of_class("Qwen3MoeForCausalLM"), of_class("GPT2LMHeadModel")
    ('qwen3_moe', '')
    """
    plain = name.removesuffix("ForCausalLM").removesuffix("ForSequenceClassification").removesuffix("Model").lower()
    known = (each for each in FILES if each != GPT2)
    return next((each for each in known if each.replace("_", "") == plain), "")


def as_built(document: Mapping[str, Any]) -> tuple[Mapping[str, Any], tuple[str, ...]]:
    """Return the document of the language model that is counted of one, and a note where that is not all it says.

    Law: of an encoder and a decoder, the decoder, which transformers builds with a language modeling head whatever its
    class; of a GPT-2 of which all heads share keys and values, santacoder's, transformers' gpt_bigcode.

    Source: transformers 5.23, modeling_vision_encoder_decoder.py; bigcode/santacoder, modeling_gpt2_mq.py.

    >>> as_built({"model_type": "encoder-decoder", "encoder": {}, "decoder": {"model_type": "opt"}})[0]
    {'model_type': 'opt', 'architectures': []}
    """
    model_type, decoder = document.get("model_type"), document.get("decoder")
    if model_type in ENCODER_DECODERS and isinstance(decoder, Mapping) and decoder.get("model_type") in FILES:
        encoder = document.get("encoder")
        kind = encoder.get("model_type") if isinstance(encoder, Mapping) else None
        left_out = f"the encoder{f', {kind},' if isinstance(kind, str) else ''} and what joins it to the decoder"
        return {**decoder, "architectures": []}, (
            f"the decoder of this {model_type} is counted alone; left out: {left_out}",
        )
    if model_type == GPT2 and document.get("attention_head_type") == "multiquery":
        changed = {**document, "model_type": "gpt_bigcode", "multi_query": True, "architectures": []}
        for key in ("auto_map", "attention_head_type"):
            changed.pop(key, None)
        return changed, ("attention_head_type=multiquery is santacoder's: counted as transformers' gpt_bigcode",)
    return document, ()


def text_of(document: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a document says of the language model of a composite, or the document where it is of no composite."""
    text = document.get("text_config")
    return text if isinstance(text, Mapping) else document


def is_of_others(document: Mapping[str, Any]) -> bool:
    """Whether a document says that it is of another architecture than GPT-2.

    >>> is_of_others({"model_type": "llama"}), is_of_others({"n_layer": 12, "text_config": {"n_layer": 3}})
    (True, False)
    """
    model_type, text = document.get("model_type"), document.get("text_config")
    if model_type is not None or (isinstance(text, Mapping) and "model_type" in text):
        return model_type != GPT2
    names = document.get("architectures")
    return isinstance(names, list) and any(isinstance(name, str) and of_class(name) for name in names)
