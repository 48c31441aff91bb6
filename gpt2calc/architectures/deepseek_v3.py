"""DeepSeek-V2, V3 and R1, V3.2, and Kimi K2: latent attention, first layers with an MLP, then experts and a shared one.

The router's correction is a buffer: files hold it, and it is no parameter; V2 has none. V3.2 has an indexer in every
layer. DeepSeek-AI 2024, arXiv:2405.04434, arXiv:2412.19437; 2025, arXiv:2512.02556.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.architectures.glossary import classes, size
from gpt2calc.architectures.latent import INDEXED, LOW, ROUTED, Latent, after_dense, architecture
from gpt2calc.architectures.runs import crossed
from gpt2calc.model import ABSENT, Run

if TYPE_CHECKING:
    from gpt2calc.model import Architecture, Model


def _indexed(model: Model) -> tuple[Run, ...]:
    """Return the layers, all with an indexer."""
    return crossed(after_dense(model), (Run((frozenset({"indexed"}),), model.num_hidden_layers),))


V2 = Latent("transformers, modeling_deepseek_v2.py: DeepseekV2", corrected=False, divided=True)
V3 = Latent("transformers, modeling_deepseek_v3.py: DeepseekV3")
V32 = Latent(
    "transformers, modeling_deepseek_v32.py: DeepseekV32", runs=_indexed, indexed=True, number="num_local_experts"
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
    "first_k_dense_replace": 3,
}
THIRD: dict[str, Any] = {
    **SIZES,
    "n_routed_experts": size(256, spellings=("num_local_experts",)),
    "q_lora_rank": LOW,
    "num_nextn_predict_layers": size("= 0", null=ABSENT, spellings=("num_mtp_layers",)),
    "moe_layer_freq": 1,
}

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
        first_k_dense_replace=0,
        q_lora_rank=LOW,
        mlp_bias=False,
        moe_layer_freq=1,
    ),
    "deepseek_v3": architecture("deepseek_v3", V3, classes("DeepseekV3"), **THIRD),
    "kimi_k2": architecture("kimi_k2", V3, classes("DeepseekV3"), **THIRD),
    "deepseek_v32": architecture(
        "deepseek_v32",
        V32,
        classes("DeepseekV32", classifies=False),
        **SIZES,
        **INDEXED,
        **ROUTED,
        q_lora_rank=1536,
        mlp_layer_types=None,
    ),
}
"""Each model type of this file."""
