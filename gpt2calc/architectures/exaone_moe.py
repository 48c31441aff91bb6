"""Mixtures of experts after layers with an MLP, or in those of a list: K-EXAONE, Hunyuan 3, Mellum, Solar and more.

Command A has experts after one norm, Arcee's Trinity a gate after attention, Aria and Solar experts in every layer; all
but Mellum have experts that every token passes. LG AI Research 2026; Tencent 2026; JetBrains 2026; Upstage 2026; Li et
al. 2024, arXiv:2410.05993; Cohere 2026; Arcee AI 2026.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures.decoder import AS_HEADS, BY_HEADS, Block, source
from gpt2calc.architectures.glossary import PASSED, classes, law, size
from gpt2calc.architectures.mixture import (
    CORRECTION,
    EXPERTS,
    ROUTER,
    SHARED,
    TURNED,
    Mixture,
    architecture,
    everywhere,
)
from gpt2calc.architectures.runs import UNBUILT, Notes, after_dense, by_types
from gpt2calc.model import ABSENT

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

GROUPED = size(AS_HEADS, null=ABSENT)
AT_GATE = "mlp.gate.e_score_correction_bias"
EXPERT = size(11008, letter="f", help="width of an expert")

ARCHITECTURES: dict[str, Architecture] = {
    # Source: transformers 5.23, configuration_exaone_moe.py; modeling_exaone_moe.py for head_dim.
    "exaone_moe": architecture(
        "exaone_moe",
        Mixture(
            Block(source("exaone_moe", "ExaoneMoe"), out_bias=""),
            "num_experts",
            "moe_intermediate_size",
            by_types,
            order=(EXPERTS, ROUTER, SHARED),
            shared="shared_experts",
            shared_count="num_shared_experts",
            correction="mlp.e_score_correction_bias",
            live_correction=AT_GATE,
            makers=("TopkRouter", "Experts", "MLP", ""),
        ),
        classes("ExaoneMoe", classifies=False),
        vocab_size=102400,
        intermediate_size=16384,
        num_key_value_heads=32,
        moe_intermediate_size=1024,
        num_experts=64,
        num_experts_per_tok=8,
        num_shared_experts=1,
        first_k_dense_replace=1,
        mlp_layer_types=size(),
        qk_norm=law(1),
    ),
    # Source: transformers 5.23, configuration_hy_v3.py. Without shared experts transformers gives them the MLP's width.
    "hy_v3": architecture(
        "hy_v3",
        Mixture(
            Block(source("hy_v3", "HYV3")),
            "num_experts",
            "moe_intermediate_size",
            by_types,
            stored_router="router.gate",
            shared="shared_experts",
            stored_shared="shared_mlp",
            shared_count="num_shared_experts",
            correction="mlp.expert_bias",
            live_correction="mlp.e_score_correction_bias",
        ),
        classes("HYV3", classifies=False),
        vocab_size=120832,
        intermediate_size=13312,
        num_hidden_layers=80,
        num_attention_heads=64,
        head_dim=128,
        moe_intermediate_size=1536,
        num_experts=size(192, spellings=("num_local_experts",)),
        num_experts_per_tok=8,
        num_shared_experts=size(1, least=1),
        first_k_dense_replace=law(1),
        mlp_layer_types=size(),
        attention_bias=False,
        mlp_bias=False,
        qk_norm=law(1),
    ),
    # Source: transformers 5.23, configuration_mellum.py.
    "mellum": architecture(
        "mellum",
        Mixture(
            Block(source("mellum", "Mellum")),
            "num_experts",
            "moe_intermediate_size",
            by_types,
            order=(EXPERTS, ROUTER),
        ),
        classes("Mellum", classifies=False),
        Notes((UNBUILT,)),
        vocab_size=98304,
        hidden_size=2304,
        intermediate_size=7168,
        num_hidden_layers=28,
        num_key_value_heads=4,
        head_dim=128,
        moe_intermediate_size=896,
        num_experts=size(64, spellings=("num_local_experts",)),
        num_experts_per_tok=8,
        first_k_dense_replace=law(0),
        mlp_layer_types=size(),
        num_nextn_predict_layers=size("= 0", null=ABSENT, spellings=("num_mtp_layers",)),
        attention_bias=False,
        qk_norm=law(1),
    ),
    # Source: transformers 5.23, configuration_solar_open.py.
    "solar_open": architecture(
        "solar_open",
        Mixture(
            Block(source("solar_open", "SolarOpen"), out_bias=""),
            "n_routed_experts",
            "moe_intermediate_size",
            everywhere,
            dense="",
            order=(EXPERTS, ROUTER, SHARED),
            shared="shared_experts",
            shared_count="n_shared_experts",
            correction=AT_GATE,
            live_correction=AT_GATE,
            makers=("TopkRouter", "Experts", "MLP", ""),
        ),
        classes("SolarOpen", classifies=False),
        vocab_size=196608,
        intermediate_size=None,
        num_hidden_layers=48,
        num_attention_heads=64,
        head_dim=128,
        moe_intermediate_size=1280,
        n_routed_experts=size(128, spellings=("num_local_experts",)),
        num_experts_per_tok=8,
        n_shared_experts=1,
        attention_bias=False,
    ),
    # Source: transformers 5.23, configuration_aria.py.
    "aria_text": architecture(
        "aria_text",
        Mixture(
            Block(source("aria", "AriaText"), divided=True),
            "moe_num_experts",
            "intermediate_size",
            everywhere,
            dense="",
            router="router",
            stored_router="router",
            kind=TURNED,
            names=("experts.fc1.weight", "experts.fc2.weight"),
            shared="shared_experts",
            shared_count="moe_num_shared_experts",
            used="moe_topk",
            makers=("TopKRouter", source("aria", "AriaExperts"), source("aria", "AriaSharedExpertsMLP"), ""),
        ),
        classes("AriaText", classifies=False),
        intermediate_size=EXPERT._replace(default=4096),
        num_key_value_heads=GROUPED,
        head_dim=size(BY_HEADS, null=ABSENT),
        moe_num_experts=size(8, letter="E", help="experts of a layer"),
        moe_topk=size(2, null=0, least=0, help=PASSED),
        moe_num_shared_experts=size(2, letter="S", least=0, help="experts that every token passes, in one MLP"),
        attention_bias=False,
        mlp_bias=False,
    ),
    # Source: transformers 5.23, configuration_cohere2_moe.py.
    "cohere2_moe": architecture(
        "cohere2_moe",
        Mixture(
            Block(source("cohere2_moe", "Cohere2Moe"), norms=("input_layernorm",)),
            "num_experts",
            "intermediate_size",
            by_types,
            dense="prefix_dense_intermediate_size",
            shared="shared_experts",
            shared_count="num_shared_experts",
        ),
        classes("Cohere2Moe", classifies=False),
        vocab_size=256000,
        hidden_size=8192,
        intermediate_size=EXPERT._replace(default=22528),
        prefix_dense_intermediate_size=size("= intermediate_size", null=ABSENT, letter="m", help="width of the MLP"),
        num_hidden_layers=40,
        num_attention_heads=64,
        num_key_value_heads=GROUPED,
        head_dim=128,
        num_experts=8,
        num_experts_per_tok=2,
        num_shared_experts=0,
        first_k_dense_replace=0,
        mlp_layer_types=size(),
        tie_word_embeddings=True,
        attention_bias=False,
        has_shared=law("= int(num_shared_experts > 0)"),
    ),
    # Source: transformers 5.23, configuration_afmoe.py.
    "afmoe": architecture(
        "afmoe",
        Mixture(
            Block(
                source("afmoe", "Afmoe"),
                norms=("input_layernorm", "post_attention_layernorm", "pre_mlp_layernorm", "post_mlp_layernorm"),
                gate="gate_proj",
            ),
            "num_experts",
            "moe_intermediate_size",
            after_dense,
            order=(CORRECTION, ROUTER, SHARED, EXPERTS),
            router="router.gate",
            stored_router="router.gate",
            shared="shared_experts",
            shared_count="num_shared_experts",
            correction="mlp.expert_bias",
            live_correction="mlp.expert_bias",
            learned=True,
            norms_first=True,
            makers=("TokenChoiceRouter", "Experts", "MLP", "SparseMoeBlock"),
        ),
        classes("Afmoe", classifies=False),
        vocab_size=200192,
        hidden_size=2048,
        intermediate_size=6144,
        num_attention_heads=16,
        num_key_value_heads=GROUPED,
        head_dim=128,
        moe_intermediate_size=1408,
        num_experts=64,
        num_experts_per_tok=6,
        num_shared_experts=2,
        num_dense_layers=size(1, least=0, help="first layers without experts"),
        first_k_dense_replace=law("= num_dense_layers"),
        attention_bias=False,
        qk_norm=law(1),
    ),
}
"""Each model type of this file."""
