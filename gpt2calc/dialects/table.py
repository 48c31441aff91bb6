"""The names of GPT-2's tensors in every project: a row a project, a column a kind of tensor, and how it lies there.

A new naming is one entry of `NAMES`. In a name `{}` is the number of the block, `*` is what ends a weight or a bias,
and several names, with spaces between them, are the parts that a tensor was split into. Behind a bar stands what the
project called it at another time, all such names together. It must not know how names are read: that is `base`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import tensor_table
from gpt2calc.dialects.base import Dialect, Extra, Piece
from gpt2calc.dialects.huggingface import HUGGINGFACE, MASK, MASK_VALUE, PIECES
from gpt2calc.dialects.layouts import CONVOLUTION, HEADS_IN, HEADS_OUT, LINEAR, SAME, STACKED, THIRD
from gpt2calc.model import BIAS, WEIGHT

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gpt2calc.dialects.layouts import Layout

MATRICES = ("attn.c_attn", "attn.c_proj", "mlp.c_fc", "mlp.c_proj")
NORMS = ("ln_1", "ln_2", "ln_f")
IN_BLOCKS = ("ln_1", "attn.c_attn", "attn.c_proj", "ln_2", "mlp.c_fc", "mlp.c_proj")
BIASED = (*IN_BLOCKS, "ln_f")
"""The kinds of tensors: those that are matrices, that are LayerNorms, that every block has, and that have biases."""

BESIDE_BIASES = (THIRD, HEADS_IN, STACKED)
"""The layouts that biases have where weights have them; others leave a bias as it is."""

NANOGPT = Dialect(
    "nanogpt",
    "nanoGPT, minGPT and llm.c's Python, whose matrices are [out, in]",
    "karpathy/nanoGPT, model.py; karpathy/minGPT, mingpt/model.py; karpathy/llm.c, train_gpt2.py",
    tuple(
        piece._replace(layout=LINEAR if piece.component in MATRICES else SAME)
        for piece in PIECES
        if piece.component in (*BIASED, "wte", "wpe", "lm_head")
    ),
    (Extra("h.{}.attn.bias", MASK, (1, 1, "n", "n")),),
    prefix=tensor_table.BODY,
    whose="under nanoGPT's names, whose matrices are [out, in]",
)
"""nanoGPT's names are transformers', so that its table is theirs."""

ENDS = (WEIGHT, BIAS)
HEAD_BIAS = "bias of the head, which GPT-2 does not have"


class Naming(NamedTuple):
    """One project's names.

    Args:
        name: what a report calls it.
        whose: whose names they are, as a verdict ends.
        summary: who names them so.
        source: where that is read: repository and path.
        names: the name of each kind of tensor; of those in blocks, behind `block`.
        block: what stands before the names in a block.
        ends: what ends a weight and a bias.
        norms: what ends those of a LayerNorm.
        matrices: how the matrices lie.
        layouts: how a kind lies that does not lie as those.
        extras: the names of what else a file may hold.
        options: what else `Dialect` takes.
    """

    name: str
    whose: str
    summary: str
    source: str
    names: Mapping[str, str]
    block: str = ""
    ends: tuple[str, str] = ENDS
    norms: tuple[str, str] = ENDS
    matrices: Layout = LINEAR
    layouts: Mapping[str, Layout] = {}
    extras: tuple[Extra, ...] = ()
    options: Mapping[str, Any] = {}

    def dialects(self) -> Iterator[Dialect]:
        """Yield the dialect of these names; where there are bars, one of all that stand first, and so on."""
        prefix = self.options.get("prefix", "")
        fields = [said.split("|") for said in (prefix, self.block, *self.names.values())]
        for n in range(max(map(len, fields))):
            prefix, block, *names = (said[min(n, len(said) - 1)] for said in fields)
            pieces = tuple(self._pieces(dict(zip(self.names, names, strict=True)), block))
            own = (self.name, self.summary, self.source, pieces, self.extras)
            yield Dialect(*own, whose=self.whose, **{**self.options, "prefix": prefix})

    def _pieces(self, names: Mapping[str, str], block: str) -> Iterator[Piece]:
        for kind, said in names.items():
            parts = [f"{block if kind in IN_BLOCKS else ''}{part}" for part in said.split()]
            split = THIRD if len(parts) > 1 else self.matrices
            layout = self.layouts.get(kind, split if kind in MATRICES else SAME)
            ends = self.norms if kind in NORMS else self.ends
            for role, end in zip(ENDS, ends if kind in BIASED else ends[:1], strict=False):
                lies = layout if role == WEIGHT or layout in BESIDE_BIASES else SAME
                yield from (Piece(part.replace("*", end), kind, role, lies) for part in parts)


NAMES = (
    Naming(
        "openai",
        "under OpenAI's TensorFlow names",
        "OpenAI's original checkpoints, whose matrices are [1, in, out]",
        "openai/gpt-2, src/model.py",
        {
            "wte": "model/wte",
            "wpe": "model/wpe",
            "ln_1": "ln_1/*",
            "attn.c_attn": "attn/c_attn/*",
            "attn.c_proj": "attn/c_proj/*",
            "ln_2": "ln_2/*",
            "mlp.c_fc": "mlp/c_fc/*",
            "mlp.c_proj": "mlp/c_proj/*",
            "ln_f": "model/ln_f/*",
        },
        block="model/h{}/",
        ends=("w", "b"),
        norms=("g", "b"),
        matrices=CONVOLUTION,
    ),
    Naming(
        "transformerlens",
        "under TransformerLens' names",
        "HookedTransformer of TransformerLens, without folding",
        "TransformerLensOrg/TransformerLens, pretrained/weight_conversions/gpt2.py",
        {
            "wte": "embed.W_E",
            "wpe": "pos_embed.W_pos",
            "ln_1": "ln1.*",
            "attn.c_attn": "attn.*_Q attn.*_K attn.*_V",
            "attn.c_proj": "attn.*_O",
            "ln_2": "ln2.*",
            "mlp.c_fc": "mlp.*_in",
            "mlp.c_proj": "mlp.*_out",
            "ln_f": "ln_final.*",
            "lm_head": "unembed.W_U",
        },
        block="blocks.{}.",
        ends=("W", "b"),
        norms=("w", "b"),
        matrices=SAME,
        layouts={"attn.c_attn": HEADS_IN, "attn.c_proj": HEADS_OUT, "lm_head": LINEAR},
        extras=(
            Extra("blocks.{}.attn.mask", MASK, ("n", "n")),
            Extra("blocks.{}.attn.IGNORE", MASK_VALUE, ()),
            Extra("unembed.b_U", HEAD_BIAS, ("V",)),
        ),
        options={"head_is_copied": True},
    ),
    Naming(
        "transformerlens-folded",
        "under TransformerLens' names, with LayerNorm folded into what follows it",
        "HookedTransformer of TransformerLens as it loads by default: LayerNorm folded, and a head with a bias",
        "TransformerLensOrg/TransformerLens, transformer_lens/components/layer_norm_pre.py",
        {
            "wte": "embed.W_E",
            "wpe": "pos_embed.W_pos",
            "attn.c_attn": "attn.*_Q attn.*_K attn.*_V",
            "attn.c_proj": "attn.*_O",
            "mlp.c_fc": "mlp.*_in",
            "mlp.c_proj": "mlp.*_out",
            "lm_head": "unembed.W_U",
        },
        block="blocks.{}.",
        ends=("W", "b"),
        matrices=SAME,
        layouts={"attn.c_attn": HEADS_IN, "attn.c_proj": HEADS_OUT, "lm_head": LINEAR},
        extras=(
            Extra("blocks.{}.attn.mask", MASK, ("n", "n")),
            Extra("blocks.{}.attn.IGNORE", MASK_VALUE, ()),
            Extra("unembed.b_U", HEAD_BIAS, ("V",)),
        ),
        options={"folded": frozenset(NORMS)},
    ),
    Naming(
        "raschka",
        "under the names of Raschka's book",
        "the GPTModel of Raschka's book on building one from scratch",
        "rasbt/LLMs-from-scratch, ch04/01_main-chapter-code/gpt.py",
        {
            "wte": "tok_emb.weight",
            "wpe": "pos_emb.weight",
            "ln_1": "norm1.*",
            "attn.c_attn": "att.W_query.* att.W_key.* att.W_value.*",
            "attn.c_proj": "att.out_proj.*",
            "ln_2": "norm2.*",
            "mlp.c_fc": "ff.layers.0.*",
            "mlp.c_proj": "ff.layers.2.*",
            "ln_f": "final_norm.*",
            "lm_head": "out_head.weight",
        },
        block="trf_blocks.{}.",
        norms=("scale", "shift"),
        extras=(Extra("trf_blocks.{}.att.mask", MASK, ("n", "n")),),
    ),
    Naming(
        "raschka-fused",
        "under the names of Raschka's faster GPTModel",
        "the GPTModel of Raschka's bonus material on speed, with queries, keys and values in one matrix",
        "rasbt/LLMs-from-scratch, ch05/10_llm-training-speed/01_opt_single_gpu.py",
        {
            "wte": "tok_emb.weight",
            "wpe": "pos_emb.weight",
            "ln_1": "norm1.*",
            "attn.c_attn": "att.qkv.*",
            "attn.c_proj": "att.proj.*",
            "ln_2": "norm2.*",
            "mlp.c_fc": "ff.layers.0.*",
            "mlp.c_proj": "ff.layers.2.*",
            "ln_f": "final_norm.*",
            "lm_head": "out_head.weight",
        },
        block="trf_blocks.{}.",
    ),
    Naming(
        "gguf",
        "under GGUF's names",
        "llama.cpp's GGUF files; those made before March 2025 hold a tied head a second time",
        "ggml-org/llama.cpp, conversion/gpt2.py: GPT2Model; gguf-py, tensor_mapping.py",
        {
            "wte": "token_embd.weight",
            "wpe": "position_embd.weight",
            "ln_1": "attn_norm.*",
            "attn.c_attn": "attn_qkv.*",
            "attn.c_proj": "attn_output.*",
            "ln_2": "ffn_norm.*",
            "mlp.c_fc": "ffn_up.*",
            "mlp.c_proj": "ffn_down.*",
            "ln_f": "output_norm.*",
            "lm_head": "output.weight",
        },
        block="blk.{}.",
        options={"head_is_copied": True},
    ),
    Naming(
        "llm.c",
        "under llm.c's names",
        "llm.c's binary files, whose vocabulary is padded",
        "karpathy/llm.c, train_gpt2.c: ParameterTensors",
        {
            "wte": "wte",
            "wpe": "wpe",
            "ln_1": "ln1*",
            "attn.c_attn": "qkv*",
            "attn.c_proj": "attproj*",
            "ln_2": "ln2*",
            "mlp.c_fc": "fc*",
            "mlp.c_proj": "fcproj*",
            "ln_f": "lnf*",
        },
        ends=("w", "b"),
        norms=("w", "b"),
        matrices=STACKED,
        layouts={"ln_1": STACKED, "ln_2": STACKED},
        options={"pads_vocabulary": True},
    ),
    Naming(
        "megatron",
        "under Megatron Core's names",
        "Megatron Core's GPTModel on one device, with local layers; c_attn is by head",
        "NVIDIA/Megatron-LM, megatron/core/models/gpt/gpt_model.py",
        {
            "wte": "embedding.word_embeddings.weight",
            "wpe": "embedding.position_embeddings.weight",
            "ln_1": "input_layernorm.*",
            "attn.c_attn": "self_attention.linear_qkv.*",
            "attn.c_proj": "self_attention.linear_proj.*",
            "ln_2": "pre_mlp_layernorm.*",
            "mlp.c_fc": "mlp.linear_fc1.*",
            "mlp.c_proj": "mlp.linear_fc2.*",
            "ln_f": "decoder.final_layernorm.*",
            "lm_head": "output_layer.weight",
        },
        block="decoder.layers.{}.",
        options={"pads_vocabulary": True},
    ),
    Naming(
        "megatron-te",
        "under Megatron Core's names, with Transformer Engine's layers",
        "Megatron Core's GPTModel with Transformer Engine, which keeps LayerNorm in the layer that follows it",
        "NVIDIA/Megatron-LM, megatron/core/models/gpt/gpt_layer_specs.py",
        {
            "wte": "embedding.word_embeddings.weight",
            "wpe": "embedding.position_embeddings.weight",
            "ln_1": "self_attention.linear_qkv.layer_norm_*",
            "attn.c_attn": "self_attention.linear_qkv.*",
            "attn.c_proj": "self_attention.linear_proj.*",
            "ln_2": "mlp.linear_fc1.layer_norm_*",
            "mlp.c_fc": "mlp.linear_fc1.*",
            "mlp.c_proj": "mlp.linear_fc2.*",
            "ln_f": "decoder.final_layernorm.*",
            "lm_head": "output_layer.weight",
        },
        block="decoder.layers.{}.",
        options={"pads_vocabulary": True},
    ),
    Naming(
        "megatron-dist",
        "under Megatron Core's names, all blocks stacked",
        "Megatron Core's distributed checkpoints with Transformer Engine, in which a tensor is that of all blocks",
        "NVIDIA/Megatron-LM, megatron/core/transformer/transformer_block.py: sharded_state_dict",
        {
            "wte": "embedding.word_embeddings.weight",
            "wpe": "embedding.position_embeddings.weight",
            "ln_1": "self_attention.linear_qkv.layer_norm_*",
            "attn.c_attn": "self_attention.linear_qkv.*",
            "attn.c_proj": "self_attention.linear_proj.*",
            "ln_2": "mlp.linear_fc1.layer_norm_*",
            "mlp.c_fc": "mlp.linear_fc1.*",
            "mlp.c_proj": "mlp.linear_fc2.*",
            "ln_f": "decoder.final_layernorm.*",
            "lm_head": "output_layer.weight",
        },
        block="decoder.layers.",
        matrices=STACKED,
        layouts={"ln_1": STACKED, "ln_2": STACKED},
        options={"pads_vocabulary": True},
    ),
    Naming(
        "megatron-legacy",
        "under the names of Megatron-LM before Core",
        "Megatron-LM before Core, as NVIDIA's released 345M: c_attn is by head from version 2 of its checkpoints on",
        "huggingface/transformers, models/megatron_gpt2/convert_megatron_gpt2_checkpoint.py",
        {
            "wte": "embedding.word_embeddings.weight",
            "wpe": "embedding.position_embeddings.weight",
            "ln_1": "input_layernorm.*|input_layernorm.*|input_norm.*",
            "attn.c_attn": "attention.query_key_value.*|self_attention.query_key_value.*",
            "attn.c_proj": "attention.dense.*|self_attention.dense.*",
            "ln_2": "post_attention_layernorm.*|post_attention_layernorm.*|post_attention_norm.*",
            "mlp.c_fc": "mlp.dense_h_to_4h.*",
            "mlp.c_proj": "mlp.dense_4h_to_h.*",
            "ln_f": "transformer.final_layernorm.*|encoder.final_layernorm.*|encoder.final_norm.*",
            "lm_head": "output_layer.weight",
        },
        block="transformer.layers.{}.|encoder.layers.{}.",
        options={"pads_vocabulary": True},
    ),
    Naming(
        "megatron-legacy-te",
        "under the names of Megatron-LM before Core, with Transformer Engine's layers",
        "Megatron-LM before Core with Transformer Engine's TransformerLayer",
        "huggingface/transformers, models/megatron_gpt2/convert_megatron_gpt2_checkpoint.py",
        {
            "wte": "embedding.word_embeddings.weight",
            "wpe": "embedding.position_embeddings.weight",
            "ln_1": "self_attention.layernorm_qkv.layer_norm_*",
            "attn.c_attn": "self_attention.layernorm_qkv.*",
            "attn.c_proj": "self_attention.proj.*",
            "ln_2": "layernorm_mlp.layer_norm_*",
            "mlp.c_fc": "layernorm_mlp.fc1_*",
            "mlp.c_proj": "layernorm_mlp.fc2_*",
            "ln_f": "encoder.final_layernorm.*|encoder.final_norm.*",
            "lm_head": "output_layer.weight",
        },
        block="encoder.layers.{}.",
        options={"pads_vocabulary": True},
    ),
    Naming(
        "gpt-1",
        "under GPT-1's names",
        "transformers' OpenAIGPT, which has no ln_f",
        "huggingface/transformers, models/openai/modeling_openai.py",
        {
            "wte": "tokens_embed.weight",
            "wpe": "positions_embed.weight",
            "ln_1": "ln_1.*",
            "attn.c_attn": "attn.c_attn.*",
            "attn.c_proj": "attn.c_proj.*",
            "ln_2": "ln_2.*",
            "mlp.c_fc": "mlp.c_fc.*",
            "mlp.c_proj": "mlp.c_proj.*",
            "lm_head": "lm_head.weight",
        },
        block="h.{}.",
        matrices=SAME,
        extras=(Extra("h.{}.attn.bias", MASK, (1, 1, "n", "n")),),
        options={"prefix": tensor_table.BODY, "model_type": "openai-gpt"},
    ),
    Naming(
        "litgpt",
        "under LitGPT's names",
        "LitGPT's GPT in the shapes of a GPT-2; c_attn was called attn until 2024",
        "Lightning-AI/litgpt, litgpt/scripts/convert_hf_checkpoint.py",
        {
            "wte": "wte.weight",
            "wpe": "wpe.weight",
            "ln_1": "norm_1.*",
            "attn.c_attn": "attn.attn.*|attn.qkv.*",
            "attn.c_proj": "attn.proj.*",
            "ln_2": "norm_2.*",
            "mlp.c_fc": "mlp.fc.*",
            "mlp.c_proj": "mlp.proj.*",
            "ln_f": "ln_f.*",
            "lm_head": "lm_head.weight",
        },
        block="h.{}.",
        options={"prefix": tensor_table.BODY},
    ),
    Naming(
        "uer",
        "under UER-py's names",
        "UER-py, whose queries, keys and values lie apart, and which has a head of its own",
        "dbiir/UER-py, scripts/convert_gpt2_from_uer_to_huggingface.py",
        {
            "wte": "embedding.word.embedding.weight|embedding.word_embedding.weight",
            "wpe": "embedding.pos.embedding.weight|embedding.position_embedding.weight",
            "ln_1": "layer_norm_1.*",
            "attn.c_attn": "self_attn.linear_layers.0.* self_attn.linear_layers.1.* self_attn.linear_layers.2.*",
            "attn.c_proj": "self_attn.final_linear.*",
            "ln_2": "layer_norm_2.*",
            "mlp.c_fc": "feed_forward.linear_1.*",
            "mlp.c_proj": "feed_forward.linear_2.*",
            "ln_f": "encoder.layer_norm.*",
            "lm_head": "target.lm.output_layer.weight|target.output_layer.weight",
        },
        block="encoder.transformer.{}.",
        norms=("gamma", "beta"),
        extras=(
            Extra("target.lm.output_layer.bias", HEAD_BIAS, ("V",)),
            Extra("target.output_layer.bias", HEAD_BIAS, ("V",)),
        ),
        options={"head_is_copied": True},
    ),
    Naming(
        "flax",
        "under Flax' names",
        "transformers' Flax GPT-2, flattened with dots, or with slashes",
        "huggingface/transformers v4, models/gpt2/modeling_flax_gpt2.py and modeling_flax_utils.py",
        {
            "wte": "wte.embedding|wte/embedding",
            "wpe": "wpe.embedding|wpe/embedding",
            "ln_1": "ln_1.*|ln_1/*",
            "attn.c_attn": "attn.c_attn.*|attn/c_attn/*",
            "attn.c_proj": "attn.c_proj.*|attn/c_proj/*",
            "ln_2": "ln_2.*|ln_2/*",
            "mlp.c_fc": "mlp.c_fc.*|mlp/c_fc/*",
            "mlp.c_proj": "mlp.c_proj.*|mlp/c_proj/*",
            "ln_f": "ln_f.*|ln_f/*",
            "lm_head": "lm_head.kernel|lm_head/kernel",
        },
        block="h.{}.|h/{}/",
        ends=("kernel", "bias"),
        norms=("scale", "bias"),
        layouts={"lm_head": LINEAR},
        options={"prefix": f"{tensor_table.BODY}|transformer/"},
    ),
    Naming(
        "transformer-lm",
        "under the names of transformer-lm",
        "lopuhin's GPT-2 in PyTorch, whose head is wte itself",
        "lopuhin/transformer-lm, lm/model.py",
        {
            "wte": "wte.weight",
            "wpe": "wpe.weight",
            "ln_1": "ln_1.*",
            "attn.c_attn": "attn.c_attn.*",
            "attn.c_proj": "attn.c_proj.*",
            "ln_2": "ln_2.*",
            "mlp.c_fc": "mlp.c_fc.*",
            "mlp.c_proj": "mlp.c_proj.*",
            "ln_f": "ln_f.*",
        },
        block="blocks.{}.",
        norms=("g", "b"),
    ),
)
"""Every naming but transformers' own, which is the tensor table's, and nanoGPT's, which is that turned round."""

DIALECTS = (HUGGINGFACE, NANOGPT, *(dialect for naming in NAMES for dialect in naming.dialects()))
"""Every dialect; of two that read a file equally well, the first is taken."""
