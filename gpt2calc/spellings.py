"""Every key that people's configs hold and that is no field: known ones, and what shows another architecture.

This is the one place that knows their names. It must not know the fields: those are `fields`.
"""

from __future__ import annotations

from typing import NamedTuple

NOT_READ: dict[str, str] = {"intermediate_size": "n_inner"}
"""Fields that other models have and that GPT-2 does not read, each with the field of GPT-2 that people mean by it."""

OF_TRANSFORMERS: dict[str, tuple[str, ...]] = {
    # The tests hold the first three against the installed version; what is older was read off the releases.
    "GPT2Config, transformers 5.23": (
        *("activation_function", "attn_pdrop", "bos_token_id", "embd_pdrop", "eos_token_id", "initializer_range"),
        *("layer_norm_epsilon", "pad_token_id", "reorder_and_upcast_attn", "resid_pdrop", "summary_activation"),
        *("scale_attn_by_inverse_layer_idx", "scale_attn_weights", "summary_first_dropout", "use_cache"),
    ),
    "PreTrainedConfig, transformers 5.23": (
        *("_attn_implementation", "_attn_implementation_internal", "_auto_class", "_commit_hash"),
        *("_experts_implementation", "_experts_implementation_internal", "_name_or_path", "_output_attentions"),
        *("_post_init_done", "architectures", "attn_implementation", "auto_map", "base_model_ep_plan"),
        *("base_model_fsdp_plan", "base_model_pp_plan", "base_model_tp_plan", "chunk_size_feed_forward"),
        *("custom_pipelines", "dtype", "experts_implementation", "id2label", "is_encoder_decoder", "label2id"),
        *("model_type", "name_or_path", "output_attentions", "output_hidden_states", "problem_type"),
        *("quantization_config", "return_dict", "torch_dtype", "transformers_version", "use_return_dict"),
    ),
    "GenerationConfig, transformers 5.23": (
        *("_from_model_config", "assistant_confidence_threshold", "assistant_early_exit", "assistant_ensemble_weight"),
        *("assistant_lookbehind", "bad_words_ids", "begin_suppress_tokens", "cache_config", "cache_implementation"),
        *("compile_config", "constraints", "continuous_batching_config", "decoder_start_token_id", "disable_compile"),
        *("diversity_penalty", "do_sample", "dola_layers", "early_stopping", "encoder_no_repeat_ngram_size"),
        *("encoder_repetition_penalty", "epsilon_cutoff", "eta_cutoff", "exponential_decay_length_penalty"),
        *("force_words_ids", "forced_bos_token_id", "forced_eos_token_id", "guidance_scale", "is_assistant"),
        *("length_penalty", "low_memory", "max_cache_len", "max_length", "max_matching_ngram_size", "max_new_tokens"),
        *("max_time", "min_length", "min_new_tokens", "min_p", "no_repeat_ngram_size", "num_assistant_tokens"),
        *("num_assistant_tokens_schedule", "num_beam_groups", "num_beams", "num_return_sequences", "output_logits"),
        *("output_scores", "penalty_alpha", "prefill_chunk_size", "prompt_lookup_num_tokens"),
        *("remove_invalid_values", "renormalize_logits", "repetition_penalty", "return_dict_in_generate"),
        *("sequence_bias", "speculation_type", "stop_strings", "suppress_tokens", "target_lookbehind", "temperature"),
        *("token_healing", "top_h", "top_k", "top_p", "typical_p", "use_mtp", "watermarking_config"),
    ),
    "transformers 1 and 2, and 2019 before it": (
        *("_num_labels", "eos_token_ids", "finetuning_task", "is_decoder", "n_special", "output_past"),
        *("predict_special_tokens", "pruned_heads", "torchscript", "use_bfloat16", "xla_device"),
    ),
    "transformers 3": ("gradient_checkpointing", "prefix", "task_specific_params", "tie_encoder_decoder"),
    "transformers 4": (
        *("_attn_implementation_autoset", "_flash_attn_2_enabled", "_pre_quantization_dtype", "device_map"),
        *("cross_attention_hidden_size", "forced_decoder_ids", "generation_kwargs", "model_parallel"),
        *("return_legacy_cache", "sep_token_id", "tf_legacy_loss", "tokenizer_class"),
    ),
    "tools that add to what transformers wrote": (
        *("optimum_version", "transformers.js_config", "transformers_js_config", "unsloth_fixed", "unsloth_version"),
        *("quantization",),  # mlx-lm
    ),
}
"""Every key that a config.json of transformers' GPT-2 may hold and that no count depends on, by what wrote it."""

OF_OTHERS = (
    # nanoGPT, minGPT and Raschka; torchrl and others that call them as BERT does
    *("attn_dropout", "drop_rate", "dropout", "embd_dropout", "name", "resid_dropout"),
    *("activation", "embed_dropout", "hidden_act", "layer_norm_eps", "res_dropout"),
    # Megatron's kernels; TransformerLens' own count
    *("bias_dropout_fusion", "bias_gelu_fusion", "n_params"),
)
"""Fields that other projects have and that no count depends on."""

NO_COUNT: frozenset[str] = frozenset((*(name for names in OF_TRANSFORMERS.values() for name in names), *OF_OTHERS))
"""Known fields that no count depends on."""

FOREIGN = frozenset(
    (
        *(
            "adapter",
            "adapters",
            "alibi",
            "bias",
            "conv",
            "expert",
            "experts",
            "feedforward",
            "gate",
            "gated",
            "gating",
        ),
        *("glu", "gqa", "indexer", "intermediate", "kv", "lora", "mamba", "mla", "moe", "mqa", "mtp", "multiquery"),
        *("nextn", "rms", "rmsnorm", "rope", "rotary", "router", "ssm", "swiglu"),
        *("attention_head_type", "block_type", "block_types", "d_head", "d_kv", "decoder_layers", "dense_layers"),
        *("dim_head", "emb_size", "embed_proj_dim", "embedding_size", "encoder_layers", "feed_forward", "head_dim"),
        *("head_size", "key_value", "layer_type", "layer_types", "multi_query", "norm_type", "normalization_type"),
        *("num_buckets", "pos_emb", "position_embedding_type", "positional_embedding_type", "qk_layernorm", "qk_norm"),
        *("query_groups", "sparse_step", "state_size", "type_vocab_size"),
    )
)
"""Words, alone or in a row, by which a key shows that it is a size or a structure of another architecture."""

FOREIGN_FLOATS = frozenset(("rms", "rmsnorm", "rope", "rotary"))
"""Those that show it where the value is a fraction too."""

BODY_BIASES = frozenset(
    (
        *("add_bias_linear", "add_qkv_bias", "attention_bias", "attention_out_bias", "enable_bias", "mlp_bias"),
        *("norm_bias", "use_bias", "use_qkv_bias"),
    )
)
"""Switches of other architectures for biases that a GPT-2 has: true says what GPT-2 is."""

ACTIVATIONS = (
    "activation_function",
    "activation",
    "hidden_act",
    "hidden_activation",
    "mamba_hidden_act",
    "mlp_hidden_act",
)
"""Fields that name an activation."""

LEARNED_ACTIVATIONS = ("prelu", "xielu")
"""Activations of transformers that have parameters of their own."""

PLAIN_WORDS = frozenset(
    ("", "absolute", "default", "layer_norm", "layernorm", "learned", "ln", "multihead", "none", "standard")
)
"""What the structure of GPT-2 is called by those who have others too."""

FRAMEWORKS = ("TF", "Flax")
"""What the classes of transformers before 5 begin with in TensorFlow and JAX."""

MARKS_OF_TRANSFORMERS = ("model_type", "architectures", "transformers_version")
"""Fields by which a config.json shows that transformers wrote it, or is meant to read it."""


class Project(NamedTuple):
    """The keys by which a project's configs show whose they are, each with the field of ours that it is.

    `remark` says how the model that the project itself builds differs from a GPT-2.
    """

    name: str
    source: str
    keys: dict[str, str]
    remark: str = ""


PROJECTS = (
    Project(
        "TransformerLens",
        "TransformerLens, HookedTransformerConfig.py",
        {"d_mlp": "n_inner", "d_vocab": "vocab_size"},
        "its own model holds an unembedding that is not tied, with a bias b_U",
    ),
    Project(
        "Raschka",
        "rasbt/LLMs-from-scratch, ch04: GPT_CONFIG_124M",
        {"emb_dim": "n_embd"},
        "its own model holds a head that is not tied",
    ),
    Project(
        "UER",
        "dbiir/UER-py, models/gpt2/config.json",
        {"emb_size": "n_embd", "feedforward_size": "n_inner", "heads_num": "n_head", "layers_num": "n_layer"},
    ),
    Project(
        "keras-hub",
        "keras-team/keras-hub, gpt2_backbone.py: GPT2Backbone",
        {"intermediate_dim": "n_inner", "max_sequence_length": "n_positions", "vocabulary_size": "vocab_size"},
    ),
    Project(
        "Megatron",
        "NVIDIA/Megatron-LM, megatron/training/arguments.py; EleutherAI/gpt-neox, configs",
        {
            "encoder_num_layers": "n_layer",
            "encoder_seq_length": "n_positions",
            "ffn_hidden_size": "n_inner",
            "make_vocab_size_divisible_by": "pad_vocab_size_multiple",
            "share_embeddings_and_output_weights": "tie_word_embeddings",
        },
    ),
)
"""Whose configs are told apart, beside transformers'. What several projects share is a spelling of `fields`."""

INVERSE = ("no_weight_tying", "untie_embeddings_and_output_weights", "untied")
"""Switches of gpt-neox, Megatron and others that say of the embeddings that they are not tied."""

PARALLEL = ("model_parallel_size", "tensor_model_parallel_size")
"""On how many ranks gpt-neox and Megatron split a vocabulary, which each of them pads."""

TRAINED_LENGTHS = ("encoder_seq_length", "seq_len", "seq_length", "sequence_len")
"""Spellings of n_positions that are the length of a batch's sequences where another one is given."""

HEAD_WIDTHS = ("attention_head_size", "d_head", "dim_head", "head_dim", "head_size", "kv_channels", "size_per_head")
"""What others call the width of a head, which in GPT-2 follows from two other sizes."""

SAYINGS: dict[str, tuple[str, ...]] = {
    # TransformerLens
    "act_fn": ("gelu", "gelu_fast", "gelu_new", "gelu_pytorch_tanh", "relu", "silu"),
    "normalization_type": ("lnpre",),  # a LayerNorm that is folded into the matrix behind it
    "original_architecture": ("gpt2", "gpt2lmheadmodel"),
    "positional_embedding_type": (),
    # Megatron, gpt-neox
    "norm": (),
    "normalization": (),
    "pos_emb": (),
    "position_embedding_type": ("learned_absolute",),
    # UER
    "encoder": ("gpt2", "transformer"),
    "layernorm_positioning": ("pre",),
    "mask": ("causal",),
}
"""Keys whose words say how a model is built, with the words, beside `PLAIN_WORDS`, that say that it is as GPT-2 is."""

OTHERWISE = frozenset(("attn_only", "gpt_j_residual", "parallel_attn_mlp", "post_embedding_ln", "sandwich_norm"))
"""Switches that are off in a GPT-2 and change what a block holds, or in which order."""
