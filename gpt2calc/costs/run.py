"""What passes through a model at once: the numbers that a cost reads beside `Dims`, and what is left out of none.

It must not know a law, nor how people ask: those are the tables beside it, and `settings`.
"""

from __future__ import annotations

from typing import NamedTuple

from gpt2calc.algebra import Expression
from gpt2calc.errors import ConfigError


class Run(NamedTuple):
    """What passes through a model at once; ints, int64 arrays, symbols and letters alike.

    Args:
        batch: B, sequences.
        tokens: S, tokens of each sequence that pass now.
        past: P, tokens of each sequence that passed before, whose keys and values are in a cache.
        logits: how many tokens of a sequence lm_head reads, S or 1.
        source: E, tokens of an encoder that cross-attention reads.
    """

    batch: int
    tokens: int
    past: int = 0
    logits: int = 0
    source: int = 0

    @property
    def keys(self) -> int:
        """K, the tokens of a sequence that a token may attend to: those of the cache among them."""
        return self.past + self.tokens

    def of_tokens(self, step: int, tokens: int) -> int:
        """Return the FLOPs of so many tokens, where those that pass now are a step that has so many FLOPs.

        Raises:
            ConfigError: so many tokens are no whole number of steps.
        """
        each = self.batch * self.tokens
        whole, rest = divmod(step * tokens, each)
        if rest:
            problem = f"{tokens:,} tokens are no whole number of steps of {each:,}: give a multiple of that"
            raise ConfigError(problem, field="tokens")
        return whole


LETTERS = {"batch": "B", "tokens": "S", "past": "P", "logits": "Q", "source": "E"}
"""The letter that stands for each number of a run where a formula is written."""

LETTERED = Run(*map(Expression.letter, LETTERS.values()))  # type: ignore[arg-type]  # letters stand in for numbers
"""A run whose numbers are letters."""
