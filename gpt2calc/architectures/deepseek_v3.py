"""DeepSeek-V2, V3 and R1, V3.2, and Kimi K2: latent attention, first layers with an MLP, then experts and a shared one.

The router's correction is a buffer: files hold it, and it is no parameter; V2 has none. V3.2 has an indexer in every
layer. DeepSeek-AI 2024, arXiv:2405.04434, arXiv:2412.19437; 2025, arXiv:2512.02556.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures.glossary import classes, size
from gpt2calc.architectures.latent import INDEXED, LOW, ROUTED, Latent, ahead, architecture
from gpt2calc.architectures.runs import UNBUILT, UNDIVIDED, Notes, Said, after_dense, by_types
from gpt2calc.model import ABSENT

if TYPE_CHECKING:
    from gpt2calc.model import Architecture


ALIAS = Said("True", "kimi_k2 is counted as deepseek_v3, which it is under another name")
INDEXED_ALL = by_types._replace(kinds=(*by_types.kinds, (("indexed", "True"),)))
V2 = Latent(
    "transformers, modeling_deepseek_v2.py: DeepseekV2", after_dense._replace(musts=(UNDIVIDED,)), corrected=False
)
V3 = Latent("transformers, modeling_deepseek_v3.py: DeepseekV3")
V32 = Latent(
    "transformers, modeling_deepseek_v32.py: DeepseekV32", layers=INDEXED_ALL, indexed=True, number="num_local_experts"
)

# Source: transformers 5.23, configuration_deepseek_v3.py and configuration_deepseek_v32.py. head_dim is no shape. A
# document that does not say how many layers predict tokens after the next has none to tell of.
SIZES: dict[str, Any] = {
    "vocab_size": 129280,
    "hidden_size": 7168,
    "intermediate_size": 18432,
    "moe_intermediate_size": 2048,
    "num_hidden_layers": 61,
    "num_attention_heads": 128,
    "n_shared_experts": 1,
    "num_experts_per_tok": 8,
    "first_k_dense_replace": 3,
}
THIRD: dict[str, Any] = {
    **SIZES,
    "n_routed_experts": size(256, spellings=("num_local_experts",)),
    "q_lora_rank": LOW,
    "num_nextn_predict_layers": size("= 0", null=ABSENT, spellings=("num_mtp_layers",)),
    "moe_layer_freq": 1,
}

AHEAD = ahead("deepseek-ai/DeepSeek-V3, README_WEIGHTS.md")

ARCHITECTURES: dict[str, Architecture] = {
    # Source: transformers 5.23, configuration_deepseek_v2.py.
    "deepseek_v2": architecture(
        "deepseek_v2",
        V2,
        classes("DeepseekV2"),
        vocab_size=102400,
        hidden_size=4096,
        intermediate_size=11008,
        moe_intermediate_size=1407,
        num_hidden_layers=32,
        num_attention_heads=32,
        n_shared_experts=2,
        n_routed_experts=size(64, spellings=("num_experts",)),
        num_experts_per_tok=size("= 0", null=ABSENT),
        first_k_dense_replace=0,
        q_lora_rank=LOW,
        mlp_bias=False,
        moe_layer_freq=1,
    ),
    "deepseek_v3": architecture("deepseek_v3", V3, classes("DeepseekV3"), Notes((UNBUILT,)), **THIRD)._replace(
        ahead=AHEAD
    ),
    "kimi_k2": architecture("kimi_k2", V3, classes("DeepseekV3"), Notes((ALIAS, UNBUILT)), **THIRD)._replace(
        ahead=AHEAD
    ),
    "deepseek_v32": architecture(
        "deepseek_v32",
        V32,
        classes("DeepseekV32", classifies=False),
        **SIZES,
        **INDEXED,
        **ROUTED,
        q_lora_rank=1536,
        mlp_layer_types=size(),
    ),
}
"""Each model type of this file."""
