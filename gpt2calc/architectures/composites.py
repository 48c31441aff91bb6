"""Whether the head of a composite's language model is tied, which its own class says by a rule of its own.

Measured, class by class, on torch's meta device with transformers 5.23: whether `named_parameters()` has a head where
`tie_word_embeddings` is true, false and left out, in the composite's config and in its text_config. It must not know
how a config is read: that is `reading`.
"""

from __future__ import annotations

OUTSIDE = (
    *("cohere2_vision", "deepseek_vl", "deepseek_vl_hybrid", "gemma3", "gemma4", "glmasr", "got_ocr2"),
    *("granite_speech", "granite_speech_plus", "hyperclovax_vision_v2", "internvl", "janus", "kimi_k25", "lfm2_vl"),
    *("lighton_ocr", "minicpm_ocr", "mistral3", "moss_transcribe_diarize", "ovis2", "paligemma", "pp_chart2table"),
    "qwen3_asr",
)
"""What stands outside of text_config says it, and where nothing does the head is tied."""

OUTSIDE_OR_UNTIED = (
    *("aria", "exaone4_5", "fuyu", "idefics2", "idefics3", "llava_next", "minicpmv4_6", "minicpmv4_7", "qianfan_ocr"),
    *("qwen3_5", "qwen3_5_moe", "smolvlm", "video_llava", "vipllava"),
)
"""The same, and where nothing does the head is not tied."""

EITHER = ("llava", "llava_next_video", "llava_onevision", "video_llama_3")
"""It is tied where either says so."""

INSIDE = ("blip-2", "instructblip", "instructblipvideo", "llama4")
"""text_config says it, and what stands outside of it does not."""

NEVER = ("nemo_speechlm", "qwen2_audio", "vibevoice_asr", "voxtral")
"""Its head is never tied, whatever is said."""


def is_tied(model_type: object, outside: bool | None, inside: bool) -> bool | None:  # noqa: FBT001  # as the configs say
    """Return whether the head is tied; None where that is not known, and the two disagree.

    Args:
        model_type: the composite's.
        outside: what its own config says; None for nothing.
        inside: what its text_config says, or has by default.

    >>> is_tied("mistral3", True, False), is_tied("llama4", True, False), is_tied("of my own", True, False)
    (True, False, None)
    """
    if model_type in OUTSIDE or model_type in OUTSIDE_OR_UNTIED:
        return model_type in OUTSIDE if outside is None else outside
    if model_type in EITHER:
        return bool(outside) or inside
    if model_type in NEVER:
        return False
    return inside if model_type in INSIDE or outside in (None, inside) else None
