"""Which kernels a training step runs, as numbers: bytes of an element, and structure as flags that are 0 or 1.

The laws of `activations` and `moments` only multiply and add what stands here; what people ask for is turned into it in
one place, `settings`. Everything is measured on torch's CPU kernels.
"""

from __future__ import annotations

from typing import NamedTuple

FP32, BF16, FP16, AUTOCAST = "fp32", "bf16", "fp16", "autocast"
DTYPES = (FP32, BF16, FP16, AUTOCAST)
"""What a model computes in: `.to(dtype)`, or float32 weights under autocast to bfloat16."""

EAGER, SDPA = "eager", "sdpa"
ATTENTIONS = (EAGER, SDPA)
"""transformers' `attn_implementation`."""

NO_CHECKPOINT, TORCH, REENTRANT = "none", "torch", "reentrant"
CHECKPOINTS = (NO_CHECKPOINT, TORCH, REENTRANT)
"""torch.utils.checkpoint around every block, as `gradient_checkpointing_enable` puts it, with use_reentrant or not."""

WEIGHT_BYTES = {FP32: 4, BF16: 2, FP16: 2, AUTOCAST: 4}
"""Bytes of a parameter, and so of its gradient and of its optimizer's state."""

PRODUCT_BYTES = {FP32: 4, BF16: 2, FP16: 2, AUTOCAST: 2}
"""Bytes of what a matrix product reads: keys and values, and so the cache, among it."""

KEPT_BY_ACTIVATION = {"gelu_new": 4, "gelu": 1, "gelu_pytorch_tanh": 1, "relu": 0}
"""How many tensors of n·m elements autograd keeps for an activation, beside its output, which mlp.c_proj reads.

gelu_new is written in eight operations; the others are one kernel, and relu keeps its output alone. No other activation
was measured.
"""


class Kernels(NamedTuple):
    """What runs.

    Args:
        r: bytes of an element of the residual stream, and of what a LayerNorm keeps.
        x: bytes of an element that a matrix product reads.
        w: bytes of an element of a parameter.
        kept: tensors of n·m elements that the activation keeps.
        autocast: whether the weights are cast for each product, and the copies kept.
        eager: whether attention is written out; else it is torch's scaled_dot_product_attention.
        attention_dropout: whether scores are dropped.
        residual_dropout: whether what a sublayer adds is dropped.
        embedding_dropout: whether the sum of the embeddings is dropped.
        checkpoint: whether every block is checkpointed.
        reentrant: whether by the reentrant checkpoint.
    """

    r: int
    x: int
    w: int
    kept: int
    autocast: int = 0
    eager: int = 1
    attention_dropout: int = 0
    residual_dropout: int = 0
    embedding_dropout: int = 0
    checkpoint: int = 0
    reentrant: int = 0
