"""Every spelling people use for a field of a GPT-2 config, and what transformers reads where two of them meet.

This is the one place that knows other names. It must not know what a value may be: that is `config`.
"""

from __future__ import annotations

SPELLINGS: dict[str, tuple[str, ...]] = {
    # transformers' attribute_map; OpenAI's hparams.json; Cerebras, Megatron-LM, Raschka, nanochat, keras-hub, llm.c
    "n_layer": ("num_hidden_layers", "n_layers", "num_layers", "layers", "depth"),
    "n_embd": ("hidden_size", "d_model", "n_embed", "emb_dim", "embed_dim", "embedding_dim", "hidden_dim", "channels"),
    "n_head": ("num_attention_heads", "n_heads", "num_heads", "heads"),
    "n_positions": (
        "max_position_embeddings",
        "n_ctx",
        "block_size",
        "context_length",
        "context_size",
        "max_seq_len",
        "max_seq_length",
        "max_sequence_length",
        "sequence_len",
        "seq_length",
        "seq_len",
    ),
    "vocab_size": ("vocab", "n_vocab", "vocabulary_size", "d_vocab"),
    "n_inner": ("d_ff", "d_mlp", "ffn_hidden_size", "ffn_dim", "intermediate_dim", "filter_size"),
    "tie_word_embeddings": ("tied", "tie_embeddings", "tie_weights", "share_embedding_weights"),
    "add_cross_attention": ("cross_attention",),
    "bias": (),
    "qkv_bias": (),
    "ln_f": ("final_layer_norm",),
    "pad_vocab_size_multiple": ("pad_vocab", "pad_to_multiple_of", "padding_multiple", "make_vocab_size_divisible_by"),
    "head": ("model_head",),
    "num_labels": ("n_labels",),
    "summary_type": (),
    "summary_use_proj": (),
    "summary_proj_to_labels": (),
}
"""Each field in its canonical spelling, with the other spellings it answers to."""

CANONICAL: dict[str, str] = {spelling: field for field, others in SPELLINGS.items() for spelling in (field, *others)}
"""Each spelling with the field it means."""

SWITCHES = frozenset(
    (
        *("tie_word_embeddings", "add_cross_attention", "bias", "qkv_bias", "ln_f", "summary_use_proj"),
        "summary_proj_to_labels",
    )
)
WORDS = frozenset(("head", "summary_type"))
"""The fields that are no numbers."""

READ_BY_TRANSFORMERS: dict[str, tuple[str, ...]] = {
    # GPT2Config.attribute_map: a mapped name is set after the native one and so wins over it (transformers 5.23).
    "n_layer": ("num_hidden_layers", "n_layer"),
    "n_embd": ("hidden_size", "n_embd"),
    "n_head": ("num_attention_heads", "n_head"),
    "n_positions": ("max_position_embeddings", "n_positions"),
}
"""The spellings that transformers reads where a field has several, the one that wins first."""

CLASSES: dict[str, str] = {
    "GPT2Model": "none",
    "GPT2LMHeadModel": "lm",
    "GPT2DoubleHeadsModel": "double_heads",
    "GPT2ForSequenceClassification": "sequence_classification",
    "GPT2ForTokenClassification": "token_classification",
    "GPT2ForQuestionAnswering": "question_answering",
}
"""The model classes of transformers' GPT-2, each with its head."""

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

ACTIVATIONS = ("activation_function", "activation", "hidden_act")
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
