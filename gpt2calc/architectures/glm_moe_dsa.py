"""Latent attention beyond DeepSeek's: GLM-5 and GLM-4.7-Flash, A.X K1, MiniCPM3 and Youtu-LLM.

GLM-5 shares indexers between layers, A.X K1 norms after its experts; MiniCPM3 and Youtu-LLM have an MLP in every layer,
the others in the first. Z.ai 2026, arXiv:2602.15763; SK Telecom 2026; OpenBMB 2024, arXiv:2404.06395; Tencent 2025,
arXiv:2512.24618.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures.glossary import classes, law, size
from gpt2calc.architectures.latent import (
    INDEXED,
    LOW,
    ROUTED,
    Latent,
    all_dense,
    architecture,
)
from gpt2calc.architectures.runs import UNDIVIDED, Said, by_types
from gpt2calc.model import ABSENT, FIXED

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

_DENSE, _OFFSET = "first_k_dense_replace", "index_skip_topk_offset"
_BY_STEP = f"i < {_OFFSET} or (i - {_OFFSET} + 1) % (index_topk_freq or 1) == 0"
indexed = by_types._replace(
    kinds=(
        (("dense", f"i < {_DENSE} if word is None else word == 'dense'"), ("moe", "True")),
        (
            ("indexed", f"indexer_types[i % len(indexer_types)] == 'full' if indexer_types else {_BY_STEP}"),
            ("", "True"),
        ),
    ),
    period="num_hidden_layers if indexer_types else index_topk_freq or 1",
    ends=tuple(f"{one} if {_DENSE} < {_OFFSET} else {other}" for one, other in ((_DENSE, _OFFSET), (_OFFSET, _DENSE))),
    musts=(
        Said(
            "indexer_types is None or len(indexer_types) == num_hidden_layers",
            "indexer_types is a list of {len(indexer_types)} layers, and num_hidden_layers is {num_hidden_layers}: "
            "they must be as many",
            "indexer_types",
        ),
    ),
)
"""As a list says, or else the first layers with an MLP; those of another list have an indexer, or the first ones
and every n-th after them."""

by_step = by_types._replace(
    kinds=(
        (
            ("dense", "part == 0 or i % moe_layer_freq != 0 if word is None else word == 'dense'"),
            ("moe", "True"),
        ),
    ),
    period="moe_layer_freq",
)
"""As a list says, or else experts in every n-th layer after the first ones."""

ARCHITECTURES: dict[str, Architecture] = {
    # Source: transformers 5.23, configuration_glm_moe_dsa.py.
    "glm_moe_dsa": architecture(
        "glm_moe_dsa",
        Latent(
            "transformers, modeling_glm_moe_dsa.py: GlmMoeDsa",
            layers=indexed,
            indexed=True,
            number="num_local_experts",
        ),
        classes("GlmMoeDsa", classifies=False),
        vocab_size=154880,
        hidden_size=6144,
        intermediate_size=12288,
        moe_intermediate_size=2048,
        num_hidden_layers=78,
        num_attention_heads=64,
        n_shared_experts=1,
        **ROUTED,
        num_experts_per_tok=8,
        first_k_dense_replace=3,
        mlp_layer_types=size(),
        q_lora_rank=2048,
        qk_nope_head_dim=192,
        v_head_dim=256,
        **{**INDEXED, "index_n_heads": INDEXED["index_n_heads"]._replace(default=32)},
        indexer_types=size(None, kind="list", words=("full", "shared"), help="whether each layer has an indexer"),
        index_topk_pattern=size(None, kind=FIXED, help="which layers have an indexer, by letters"),
        index_topk_freq=size(1, least=0, help="every n-th layer has an indexer"),
        index_skip_topk_offset=size(2, least=0, help="first layers that all have an indexer"),
    ),
    # Source: transformers 5.23, configuration_glm4_moe_lite.py.
    "glm4_moe_lite": architecture(
        "glm4_moe_lite",
        Latent("transformers, modeling_glm4_moe_lite.py: Glm4MoeLite", by_types),
        classes("Glm4MoeLite", classifies=False),
        vocab_size=154880,
        hidden_size=2048,
        intermediate_size=10240,
        moe_intermediate_size=1536,
        num_hidden_layers=47,
        num_attention_heads=20,
        n_shared_experts=1,
        n_routed_experts=size(64, spellings=("num_local_experts",)),
        num_experts_per_tok=4,
        first_k_dense_replace=law(1),
        mlp_layer_types=size(),
        q_lora_rank=LOW._replace(default=768),
        qk_nope_head_dim=192,
        qk_rope_head_dim=size(64, spellings=("head_dim",)),
        v_head_dim=256,
    ),
    # Source: transformers 5.23, configuration_axk1.py.
    "axk1": architecture(
        "axk1",
        Latent("transformers, modeling_axk1.py: AXK1", layers=by_step, after="post_mlp_layernorm"),
        classes("AXK1"),
        vocab_size=163840,
        hidden_size=7168,
        intermediate_size=18432,
        moe_intermediate_size=2048,
        num_hidden_layers=61,
        num_attention_heads=64,
        n_shared_experts=1,
        n_routed_experts=size(192, spellings=("num_local_experts",)),
        num_experts_per_tok=8,
        first_k_dense_replace=1,
        moe_layer_freq=size(1, kind="size"),
        mlp_layer_types=size(),
        q_lora_rank=1536,
    ),
    # Source: transformers 5.23, configuration_minicpm3.py.
    "minicpm3": architecture(
        "minicpm3",
        Latent(
            "transformers, modeling_minicpm3.py: MiniCPM3",
            layers=all_dense._replace(musts=(UNDIVIDED,)),
            sparse=False,
            embedding="ScaledWordEmbedding",
        ),
        classes("MiniCPM3"),
        vocab_size=73448,
        hidden_size=2560,
        intermediate_size=6400,
        num_hidden_layers=62,
        num_attention_heads=40,
        q_lora_rank=LOW._replace(default=768),
        kv_lora_rank=256,
        qk_nope_head_dim=64,
        qk_rope_head_dim=32,
        v_head_dim=size("= hidden_size // num_attention_heads", null=ABSENT),
        mlp_bias=False,
        tie_word_embeddings=True,
    ),
    # Source: transformers 5.23, configuration_youtu.py.
    "youtu": architecture(
        "youtu",
        Latent("transformers, modeling_youtu.py: Youtu", layers=all_dense, sparse=False),
        classes("Youtu", classifies=False),
        vocab_size=128256,
        hidden_size=2048,
        intermediate_size=6144,
        num_hidden_layers=32,
        num_attention_heads=16,
        q_lora_rank=LOW,
        tie_word_embeddings=True,
    ),
}
"""Each model type of this file."""
