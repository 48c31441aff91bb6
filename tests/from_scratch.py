"""A GPT-2 built from scratch, as in nanoGPT and in Raschka's book, with the switches that transformers lacks.

It is the second oracle, beside transformers. Linear layers are torch's own, which keep [out, in]; modules have the
names that transformers gives them, so that components can be compared. It knows nothing of gpt2calc.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional


class Attention(nn.Module):
    """Attention of tokens to earlier tokens, or, when crossed, to the states of an encoder."""

    def __init__(self, n_embd: int, n_head: int, *, bias: bool, qkv_bias: bool, crossed: bool = False) -> None:
        super().__init__()
        self.n_head = n_head
        self.crossed = crossed
        if crossed:
            self.c_attn = nn.Linear(n_embd, 2 * n_embd, bias=qkv_bias)
            self.q_attn = nn.Linear(n_embd, n_embd, bias=qkv_bias)
        else:
            self.c_attn = nn.Linear(n_embd, 3 * n_embd, bias=qkv_bias)
        self.c_proj = nn.Linear(n_embd, n_embd, bias=bias)

    def forward(self, x: Tensor, states: Tensor | None = None) -> Tensor:
        """Return what each token takes from the tokens, or the states, that it attends to."""
        if self.crossed:
            key, value = self.c_attn(states).chunk(2, dim=-1)
            query = self.q_attn(x)
        else:
            query, key, value = self.c_attn(x).chunk(3, dim=-1)
        query, key, value = (part.unflatten(-1, (self.n_head, -1)).transpose(1, 2) for part in (query, key, value))
        mixed = functional.scaled_dot_product_attention(query, key, value, is_causal=not self.crossed)
        taken: Tensor = self.c_proj(mixed.transpose(1, 2).flatten(2))
        return taken


class MLP(nn.Module):
    """Two linear layers with GELU between them."""

    def __init__(self, n_embd: int, n_inner: int, *, bias: bool) -> None:
        super().__init__()
        self.c_fc = nn.Linear(n_embd, n_inner, bias=bias)
        self.c_proj = nn.Linear(n_inner, n_embd, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Return each token's own transformation."""
        transformed: Tensor = self.c_proj(functional.gelu(self.c_fc(x), approximate="tanh"))
        return transformed


class Block(nn.Module):
    """Attention and MLP, each on a normalized copy of the stream and added to it."""

    def __init__(
        self, n_embd: int, n_head: int, n_inner: int, *, bias: bool, qkv_bias: bool, add_cross_attention: bool
    ) -> None:
        super().__init__()
        self.ln_1 = nn.LayerNorm(n_embd, bias=bias)
        self.attn = Attention(n_embd, n_head, bias=bias, qkv_bias=qkv_bias)
        self.add_cross_attention = add_cross_attention
        if add_cross_attention:
            self.crossattention = Attention(n_embd, n_head, bias=bias, qkv_bias=qkv_bias, crossed=True)
            self.ln_cross_attn = nn.LayerNorm(n_embd, bias=bias)
        self.ln_2 = nn.LayerNorm(n_embd, bias=bias)
        self.mlp = MLP(n_embd, n_inner, bias=bias)

    def forward(self, x: Tensor, states: Tensor | None) -> Tensor:
        """Return the stream after this block."""
        x = x + self.attn(self.ln_1(x))
        if self.add_cross_attention:
            x = x + self.crossattention(self.ln_cross_attn(x), states)
        after: Tensor = x + self.mlp(self.ln_2(x))
        return after


class GPT(nn.Module):
    """A GPT-2 with every switch of nanoGPT and of Raschka's book; the source article's Model 5 is the untied one.

    Args:
        n_layer: blocks.
        n_embd: width.
        n_head: attention heads.
        n_positions: the longest sequence, in tokens.
        vocab_size: tokens.
        n_inner: width of the MLP; 4·n_embd unless given.
        bias: whether linear layers and LayerNorm have biases.
        qkv_bias: whether the projections to queries, keys and values have biases; as `bias` unless given.
        tie_word_embeddings: whether lm_head shares the matrix of wte.
        add_cross_attention: whether each block attends to an encoder's states as well.
        pad_vocab_size_multiple: add tokens that nothing uses until their number is a multiple of this.
        ln_f: whether a LayerNorm stands after the last block.
        head: "lm", or "none" for the body alone.
    """

    def __init__(
        self,
        *,
        n_layer: int,
        n_embd: int,
        n_head: int,
        n_positions: int,
        vocab_size: int,
        n_inner: int | None = None,
        bias: bool = True,
        qkv_bias: bool | None = None,
        tie_word_embeddings: bool = True,
        add_cross_attention: bool = False,
        pad_vocab_size_multiple: int | None = None,
        ln_f: bool = True,
        head: str = "lm",
    ) -> None:
        super().__init__()
        while vocab_size % (pad_vocab_size_multiple or 1):
            vocab_size += 1
        self.wte = nn.Embedding(vocab_size, n_embd)
        self.wpe = nn.Embedding(n_positions, n_embd)
        self.h = nn.ModuleList(
            Block(
                n_embd,
                n_head,
                4 * n_embd if n_inner is None else n_inner,
                bias=bias,
                qkv_bias=bias if qkv_bias is None else qkv_bias,
                add_cross_attention=add_cross_attention,
            )
            for _ in range(n_layer)
        )
        self.ln_f = nn.LayerNorm(n_embd, bias=bias) if ln_f else nn.Identity()
        self.has_head = head == "lm"
        if self.has_head:
            self.lm_head = nn.Linear(n_embd, vocab_size, bias=False)
            if tie_word_embeddings:
                self.lm_head.weight = self.wte.weight

    def forward(self, tokens: Tensor, states: Tensor | None = None) -> Tensor:
        """Return logits, or hidden states when there is no head, for tokens [batch, time]."""
        x = self.wte(tokens) + self.wpe(torch.arange(tokens.shape[1], device=tokens.device))
        for block in self.h:
            x = block(x, states)
        outputs: Tensor = self.lm_head(self.ln_f(x)) if self.has_head else self.ln_f(x)
        return outputs
