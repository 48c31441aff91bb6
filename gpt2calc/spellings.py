"""Every key that people's configs hold and that is no field: known ones, and what shows another architecture.

This is the one place that knows their names. It must not know the fields: those are `fields`.
"""

from __future__ import annotations

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
