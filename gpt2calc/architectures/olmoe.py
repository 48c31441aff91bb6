"""Mixtures of experts in every layer: OLMoE, FlexOlmo, Phi-3.5-MoE, Granite 3, gpt-oss, MiniMax-M2 and Hunyuan.

gpt-oss has biases everywhere, and a weight of each head for no token; MiniMax-M2 and Phi keep experts as Mixtral does,
Hunyuan has one that every token passes, and later Granites an MLP. Muennighoff et al. 2024, arXiv:2409.02060; Shi et
al. 2025, arXiv:2507.07024; Abdin et al. 2024, arXiv:2404.14219; OpenAI 2025, arXiv:2508.10925; Tencent 2024,
arXiv:2411.02265.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures.decoder import AS_HEADS, AS_MODEL, BY_HEADS, WHOLE, Block, source
from gpt2calc.architectures.glossary import classes, law, size
from gpt2calc.architectures.mixture import (
    EXPERTS,
    ROUTER,
    SHARED,
    STACKED,
    TURNED,
    Mixture,
    architecture,
    everywhere,
)
from gpt2calc.model import ABSENT

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

AS_MIXTRAL = ("w1", "w3", "w2")
GROUPED = size(AS_HEADS, null=ABSENT)
GRANITE = Mixture(
    Block(source("granitemoe", "GraniteMoe")),
    "num_local_experts",
    "intermediate_size",
    everywhere,
    dense="",
    live="block_sparse_moe",
    stored="block_sparse_moe",
    router="router",
    stored_router="router.layer",
    kind=STACKED,
    names=("input_linear.weight", "output_linear.weight"),
    beside="shared_intermediate_size",
    norms_first=True,
)
GRANITE_SIZES: dict[str, Any] = {
    "intermediate_size": size(11008, letter="f", help="width of an expert"),
    "num_key_value_heads": GROUPED,
    "num_local_experts": 8,
    "num_experts_per_tok": 2,
    "attention_bias": False,
    "shared_intermediate_size": size(0, least=0),
}

ARCHITECTURES: dict[str, Architecture] = {
    # Source: transformers 5.23, configuration_olmoe.py; modeling_olmoe.py for head_dim and the norms.
    "olmoe": architecture(
        "olmoe",
        Mixture(
            Block(source("olmoe", "Olmoe"), qk_width=AS_MODEL, qk_dim="norm_dim"),
            "num_experts",
            "intermediate_size",
            everywhere,
            dense="",
        ),
        classes("Olmoe", classifies=False),
        vocab_size=50304,
        hidden_size=2048,
        intermediate_size=size(2048, letter="f", help="width of an expert"),
        num_hidden_layers=16,
        num_attention_heads=16,
        num_key_value_heads=GROUPED,
        num_experts=size(64, spellings=("num_local_experts",)),
        num_experts_per_tok=8,
        attention_bias=False,
        qk_norm=law(1),
        norm_dim=law(BY_HEADS, letter="y", help="channels of a norm of keys, by head"),
    ),
    # Source: transformers 5.23, configuration_phimoe.py; modeling_phimoe.py for head_dim.
    "phimoe": architecture(
        "phimoe",
        Mixture(
            Block(source("phimoe", "Phimoe"), norm_bias=1),
            "num_local_experts",
            "intermediate_size",
            everywhere,
            dense="",
            stored="block_sparse_moe",
            router="router",
            names=AS_MIXTRAL,
        ),
        classes("Phimoe"),
        vocab_size=32064,
        intermediate_size=size(6400, letter="f", help="width of an expert"),
        num_local_experts=16,
        num_experts_per_tok=law("= 2 if num_local_experts > 1 else 1"),
        attention_bias=False,
        lm_head_bias=size(False, help="a bias of the output head"),
        head_bias=law("= lm_head_bias"),
    ),
    # Source: transformers 5.23, configuration_granitemoe.py; modeling_granitemoe.py for head_dim.
    "granitemoe": architecture(
        "granitemoe",
        GRANITE._replace(beside=""),
        classes("GraniteMoe", classifies=False),
        **{name: value for name, value in GRANITE_SIZES.items() if name != "shared_intermediate_size"},
    ),
    # Source: transformers 5.23, configuration_granitemoeshared.py; modeling_granitemoeshared.py for head_dim.
    "granitemoeshared": architecture(
        "granitemoeshared",
        GRANITE._replace(block=Block(source("granitemoeshared", "GraniteMoeShared"))),
        classes("GraniteMoeShared", classifies=False),
        **GRANITE_SIZES,
    ),
    # Source: transformers 5.23, configuration_granitemoe_swa.py; modeling_granitemoe_swa.py for head_dim.
    "granitemoe_swa": architecture(
        "granitemoe_swa",
        GRANITE._replace(
            block=Block(source("granitemoe_swa", "GraniteMoeSWA")),
            stored_router="router",
            names=("experts.gate_up_proj", "experts.down_proj"),
            sinks=True,
        ),
        classes("GraniteMoeSWA", classifies=False),
        **GRANITE_SIZES,
    ),
    # Source: transformers 5.23, configuration_flex_olmo.py; modeling_flex_olmo.py for head_dim.
    "flex_olmo": architecture(
        "flex_olmo",
        Mixture(
            Block(
                source("flex_olmo", "FlexOlmo"),
                norms=("post_attention_layernorm", "post_feedforward_layernorm"),
                qk_width=WHOLE,
            ),
            "num_experts",
            "intermediate_size",
            everywhere,
            dense="",
        ),
        classes("FlexOlmo", classifies=False),
        vocab_size=100352,
        intermediate_size=size(11008, letter="f", help="width of an expert"),
        num_key_value_heads=GROUPED,
        num_experts=size(7, spellings=("num_local_experts",)),
        num_experts_per_tok=5,
        attention_bias=False,
        qk_norm=law(1),
    ),
    # Source: transformers 5.23, configuration_gpt_oss.py.
    "gpt_oss": architecture(
        "gpt_oss",
        Mixture(
            Block(source("gpt_oss", "GptOss")),
            "num_local_experts",
            "intermediate_size",
            everywhere,
            dense="",
            router="router",
            stored_router="router",
            router_bias=1,
            kind=TURNED,
            names=("experts.gate_up_proj", "experts.down_proj"),
            expert_bias=1,
            sinks=True,
        ),
        classes("GptOss"),
        vocab_size=201088,
        hidden_size=2880,
        intermediate_size=size(2880, letter="f", help="width of an expert"),
        num_hidden_layers=36,
        num_attention_heads=64,
        head_dim=64,
        num_local_experts=size(128, spellings=("num_experts",)),
        num_experts_per_tok=4,
        attention_bias=True,
    ),
    # Source: transformers 5.23, configuration_minimax_m2.py.
    "minimax_m2": architecture(
        "minimax_m2",
        Mixture(
            Block(source("minimax_m2", "MiniMaxM2"), qk_width=WHOLE),
            "num_local_experts",
            "intermediate_size",
            everywhere,
            dense="",
            stored="block_sparse_moe",
            names=AS_MIXTRAL,
            correction="block_sparse_moe.e_score_correction_bias",
            live_correction="mlp.e_score_correction_bias",
        ),
        classes("MiniMaxM2", classifies=False),
        vocab_size=200064,
        hidden_size=3072,
        intermediate_size=size(1536, letter="f", help="width of an expert"),
        num_hidden_layers=62,
        num_attention_heads=48,
        head_dim=128,
        num_local_experts=size(256, spellings=("num_experts",)),
        num_experts_per_tok=8,
        qk_norm=law(1),
    ),
    # Source: transformers 5.23, configuration_hunyuan_v1_moe.py, which has no default for the width of a head.
    "hunyuan_v1_moe": architecture(
        "hunyuan_v1_moe",
        Mixture(
            Block(source("hunyuan_v1_moe", "HunYuanMoEV1"), qk_norms=("query_layernorm", "key_layernorm")),
            "num_experts",
            "intermediate_size",
            everywhere,
            used="",
            dense="",
            router="gate.wg",
            stored_router="gate.wg",
            shared="shared_mlp",
            order=(ROUTER, EXPERTS, SHARED),
            makers=("Gate", "Experts", "MLP", ""),
        ),
        classes("HunYuanMoEV1"),
        vocab_size=290943,
        intermediate_size=size(11008, letter="f", help="width of an expert"),
        num_key_value_heads=GROUPED,
        head_dim=size(None),
        num_experts=size(1, spellings=("num_local_experts",)),
        attention_bias=False,
        qk_norm=law(1),
    ),
}
"""Each model type of this file."""
