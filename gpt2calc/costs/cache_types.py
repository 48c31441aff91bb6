"""What the elements of a KV cache can be stored in: the bytes of a block, with its scale where a format fixes that."""

from __future__ import annotations

from typing import NamedTuple

from gpt2calc.checkpoints.ggml import GGML_TYPES
from gpt2calc.errors import Named

TORCH, VLLM = "torch", "vLLM, --kv-cache-dtype"
TENSORRT = "TensorRT-LLM, its KV cache in INT8"
LLAMA_CPP = "llama.cpp, --cache-type-k and --cache-type-v; gguf-py, GGML_QUANT_SIZES"
TRANSFORMERS = "transformers, QuantizedCache"

ALONE = "; an engine's scales are its own, and are not counted"


class CacheType(NamedTuple):
    """One way to store elements.

    Args:
        name: what it is called.
        block: elements that are packed together, side by side in what one token leaves in one layer.
        size: bytes of a block.
        sentence: what it is.
        source: who stores caches so.
    """

    name: str
    block: int
    size: int
    sentence: str
    source: str

    def bytes_of(self, elements: int) -> int:
        """Return the bytes of so many elements, whole blocks of them.

        >>> BY_NAME["q8_0"].bytes_of(1024), BY_NAME["bf16"].bytes_of(1024)
        (1088, 2048)
        """
        return elements // self.block * self.size

    def is_smaller(self, other: CacheType) -> bool:
        """Whether an element takes less than one of another type."""
        return self.size * other.block < other.size * self.block


def _ggml(name: str) -> CacheType:
    block, size = next(row[1:] for row in GGML_TYPES.values() if row[0] == name.upper())
    return CacheType(name, block, size, f"{size} bytes for {block} elements, their scale among them", LLAMA_CPP)


TYPES = (
    CacheType("fp32", 1, 4, "float32", TORCH),
    CacheType("bf16", 1, 2, "bfloat16", TORCH),
    CacheType("fp16", 1, 2, "float16", TORCH),
    CacheType("fp8", 1, 1, f"a float of 8 bits{ALONE}", VLLM),
    CacheType("fp8_e4m3", 1, 1, f"a float of 8 bits, 4 of them its exponent{ALONE}", VLLM),
    CacheType("fp8_e5m2", 1, 1, f"a float of 8 bits, 5 of them its exponent{ALONE}", VLLM),
    CacheType("int8", 1, 1, f"a whole number of 8 bits{ALONE}", TENSORRT),
    *map(_ggml, ("q8_0", "q5_1", "q5_0", "q4_1", "q4_0", "iq4_nl")),
    CacheType("int4", 2, 1, f"a whole number of 4 bits{ALONE}", TRANSFORMERS),
    CacheType("int2", 4, 1, f"a whole number of 2 bits{ALONE}", TRANSFORMERS),
)
"""Every type, the largest first but for those that llama.cpp packs."""

PROPOSED = tuple(each for each in TYPES if each.source != TRANSFORMERS)
"""Those that are proposed where a model does not fit: with few bits the scales that are not counted weigh most."""

BY_NAME = Named("dtype of a cache", {each.name: each for each in TYPES})
