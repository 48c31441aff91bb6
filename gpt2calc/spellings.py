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

NO_COUNT: frozenset[str] = frozenset(
    (
        # GPT2Config and its base class
        *(
            "activation_function",
            "attn_pdrop",
            "bos_token_id",
            "dtype",
            "embd_pdrop",
            "eos_token_id",
            "gradient_checkpointing",
        ),
        *("id2label", "initializer_range", "is_decoder", "is_encoder_decoder", "label2id", "layer_norm_epsilon"),
        *("output_attentions", "output_hidden_states", "pad_token_id", "problem_type", "reorder_and_upcast_attn"),
        *("resid_pdrop", "return_dict", "scale_attn_by_inverse_layer_idx", "scale_attn_weights", "summary_activation"),
        *("summary_first_dropout", "task_specific_params", "tokenizer_class", "torch_dtype", "use_cache"),
        *("architectures", "model_type", "transformers_version"),
        *("finetuning_task", "output_past", "pruned_heads", "torchscript", "use_bfloat16"),  # of 2019
        # nanoGPT, minGPT and Raschka
        *("attn_dropout", "drop_rate", "dropout", "embd_dropout", "name", "resid_dropout"),
    )
)
"""Known fields that no count depends on."""

MARKS_OF_TRANSFORMERS = ("model_type", "architectures", "transformers_version")
"""Fields by which a config.json shows that transformers wrote it, or is meant to read it."""
