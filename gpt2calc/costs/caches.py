"""The KV cache: what a token leaves behind in every block, and how many tokens are in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gpt2calc.dims import Dims

DYNAMIC, STATIC = "dynamic", "static"
CACHES = (DYNAMIC, STATIC)
"""transformers' caches that were measured; a sliding or quantized one was not."""


def bytes_per_token(dims: Dims, element: int) -> int:
    """Return the bytes that one token of one sequence leaves in the cache.

    Law: 2·L·d·b, keys and values of every block; the number of heads changes nothing.

    Args:
        dims: sizes as ints, int64 arrays or letters.
        element: b, bytes of an element.

    >>> from gpt2calc.presets import load
    >>> bytes_per_token(load("gpt2").dims, 2)
    36864
    """
    return 2 * dims.n_layer * dims.n_embd * element


def held(prompt: int, new: int) -> int:
    """Return how many tokens of a sequence a dynamic cache holds after `new` were generated.

    Law: prompt + new - 1: the last generated token is never in it, since nothing has attended to it.

    >>> held(prompt=5, new=9)
    13
    """
    return prompt + new - 1
