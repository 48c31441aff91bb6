"""Mixtures of experts in some layers, with an expert that every token passes: GLM-4.5, dots1, Llama 4 and ERNIE 4.5.

GLM-4.5 and dots1 have an MLP in the first layers, Llama 4 in all but every n-th, ERNIE 4.5 outside of a range; a
router's correction is a buffer. GLM Team 2025, arXiv:2508.06471; rednote 2025, arXiv:2506.05767; Meta 2025; Baidu 2025.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.architectures.decoder import AS_HEADS, Block, source
from gpt2calc.architectures.glossary import PASSED, classes, law, size
from gpt2calc.architectures.latent import ahead
from gpt2calc.architectures.mixture import (
    EXPERTS,
    ROUTER,
    SHARED,
    TURNED,
    Mixture,
    architecture,
    between,
    by_step,
)
from gpt2calc.architectures.runs import UNBUILT, Notes, after_dense
from gpt2calc.model import ABSENT

if TYPE_CHECKING:
    from gpt2calc.model import Architecture

CORRECTION = "mlp.gate.e_score_correction_bias"


def _first_dense(block: Block) -> Mixture:
    return Mixture(
        block,
        "n_routed_experts",
        "moe_intermediate_size",
        after_dense,
        order=(EXPERTS, ROUTER, SHARED),
        shared="shared_experts",
        shared_count="n_shared_experts",
        correction=CORRECTION,
        live_correction=CORRECTION,
        makers=("TopkRouter", "Experts", "MLP", ""),
    )


ARCHITECTURES: dict[str, Architecture] = {
    # Source: transformers 5.23, configuration_glm4_moe.py; modeling_glm4_moe.py for head_dim.
    "glm4_moe": architecture(
        "glm4_moe",
        _first_dense(Block(source("glm4_moe", "Glm4Moe"), out_bias="")),
        classes("Glm4Moe", classifies=False),
        Notes((UNBUILT,)),
        vocab_size=151552,
        intermediate_size=10944,
        moe_intermediate_size=1408,
        num_hidden_layers=46,
        num_attention_heads=96,
        n_routed_experts=size(128, spellings=("num_local_experts",)),
        num_experts_per_tok=8,
        n_shared_experts=1,
        first_k_dense_replace=1,
        num_nextn_predict_layers=size("= 0", null=ABSENT, spellings=("num_mtp_layers",)),
        attention_bias=False,
        use_qk_norm=size(False, help="norms of each head's queries and keys"),
        qk_norm=law("= use_qk_norm"),
    )._replace(ahead=ahead("zai-org/GLM-4.5, model.safetensors.index.json")),
    # Source: transformers 5.23, configuration_dots1.py, which has no default for how many experts there are.
    "dots1": architecture(
        "dots1",
        _first_dense(Block(source("dots1", "Dots1"))),
        classes("Dots1", classifies=False),
        vocab_size=152064,
        hidden_size=4608,
        intermediate_size=10944,
        moe_intermediate_size=1408,
        num_hidden_layers=62,
        num_key_value_heads=size(32, null=AS_HEADS),
        n_routed_experts=size(None, spellings=("num_local_experts",)),
        num_experts_per_tok=size("= 0", null=ABSENT),
        n_shared_experts=size(None),
        first_k_dense_replace=0,
        attention_bias=False,
        qk_norm=law(1),
    ),
    # Source: transformers 5.23, configuration_llama4.py (Llama4TextConfig).
    "llama4_text": architecture(
        "llama4_text",
        Mixture(
            Block(source("llama4", "Llama4Text")),
            "num_local_experts",
            "intermediate_size",
            by_step,
            dense="intermediate_size_mlp",
            live="feed_forward",
            stored="feed_forward",
            order=(EXPERTS, ROUTER, SHARED),
            router="router",
            stored_router="router",
            kind=TURNED,
            names=("experts.gate_up_proj", "experts.down_proj"),
            shared="shared_expert",
            head=source("llama4", "Llama4"),
            makers=("Router", "Experts", "MLP", ""),
        ),
        {"Llama4ForCausalLM": "lm", "Llama4TextModel": "none"},
        vocab_size=202048,
        hidden_size=5120,
        intermediate_size=size(8192, letter="f", help="width of an expert"),
        intermediate_size_mlp=size(16384, letter="m", help="width of the MLP"),
        num_hidden_layers=48,
        num_attention_heads=40,
        head_dim=128,
        num_local_experts=16,
        num_experts_per_tok=1,
        interleave_moe_layer_step=size(1, help="every n-th layer has experts"),
        moe_layers=size(None, kind="list", help="the layers with experts"),
        attention_bias=False,
    ),
    # Source: transformers 5.23, configuration_ernie4_5_moe.py; modeling_ernie4_5_moe.py for head_dim.
    "ernie4_5_moe": architecture(
        "ernie4_5_moe",
        Mixture(
            Block(source("ernie4_5_moe", "Ernie4_5_Moe")),
            "moe_num_experts",
            "moe_intermediate_size",
            between,
            used="moe_k",
            shared="shared_experts",
            shared_count="moe_num_shared_experts",
            correction="mlp.moe_statics.e_score_correction_bias",
            live_correction="mlp.gate.moe_statics.e_score_correction_bias",
            learned=True,
            correction_rows=(1,),
        ),
        classes("Ernie4_5_Moe", classifies=False),
        vocab_size=103424,
        hidden_size=2560,
        intermediate_size=12288,
        moe_intermediate_size=1536,
        num_hidden_layers=28,
        num_attention_heads=20,
        num_key_value_heads=4,
        moe_k=size(6, null=0, least=0, spellings=("num_experts_per_tok",), help=PASSED),
        moe_num_experts=size(64, letter="E", spellings=("num_experts",), help="experts of a layer"),
        moe_num_shared_experts=size(2, letter="S", least=0, help="experts that every token passes, in one MLP"),
        moe_layer_start_index=size(1, least=0, help="the first layer that can have experts"),
        moe_layer_end_index=-1,
        moe_layer_interval=size(1, help="every n-th layer has experts"),
        tie_word_embeddings=True,
        use_bias=size(False, null=ABSENT, help="biases in attention, in the MLP and of the output head"),
        attention_bias=law("= use_bias"),
        mlp_bias=law("= use_bias"),
        head_bias=law("= use_bias"),
        has_shared=law("= int(moe_num_shared_experts > 0)"),
    ),
}
"""Each model type of this file."""
