"""What papers and programs print of costs, each by its own formula, as they print it: for figures, and no law of torch.

These read numbers as a paper gives them, such as a count that was rounded, where `ways` reads a model. What is a
quotient in the paper is an exact `Fraction`.
"""

from __future__ import annotations

from fractions import Fraction

PF_DAY = 86400 * 10**15
"""A petaFLOP/s for a day, in FLOPs; Brown et al. 2020, table D.1."""

ZERO_STATE, ZERO_GRADIENTS, ZERO_WEIGHTS = 12, 2, 2
"""Bytes a parameter of mixed precision with Adam: a float32 copy and two moments, then what is in fp16."""


def six_nd(parameters: int, tokens: int) -> int:
    """Return 6·N·D, the FLOPs of a training by the rule of thumb, with N as it is printed.

    Source: Brown et al. 2020, arXiv:2005.14165, table D.1: 3.14e23 for 174,600M and 300B tokens.

    >>> six_nd(174_600 * 10**6, 300 * 10**9), six_nd(174_600 * 10**6, 300 * 10**9) / PF_DAY
    (314280000000000000000000, 3637.5)
    """
    return 6 * parameters * tokens


def palm_mfu(parameters: int, layers: int, attended: int, tokens: int) -> int:
    """Return 6·N + 12·L·H·Q·T, the FLOPs of a token that count for MFU; `attended` is H·Q, heads times their width.

    Source: Chowdhery et al. 2022, arXiv:2204.02311, appendix B.

    >>> round(100 * palm_mfu(540_350 * 10**6, 118, 48 * 256, 2048) * 238300 / (6144 * 275e12), 2)
    46.23
    """
    return 6 * parameters + 12 * layers * attended * tokens


def palm_hfu(parameters: int, layers: int, attended: int, tokens: int) -> Fraction:
    """Return what counts for HFU: 75 % of the 2·N of a forward pass, and all of attention's forward, once more.

    Source: Chowdhery et al. 2022, section 4.1: 57.8 %.

    >>> round(float(100 * palm_hfu(540_350 * 10**6, 118, 48 * 256, 2048) * 238300 / (6144 * 275 * 10**12)), 2)
    57.83
    """
    again = Fraction(3, 4) * 2 * parameters + 4 * layers * attended * tokens
    return palm_mfu(parameters, layers, attended, tokens) + again


def narayanan_days(parameters: int, tokens: int, devices: int, flops_per_second: int) -> Fraction:
    """Return 8·T·P / (n·X) in days: a training whose blocks are all done again.

    Source: Narayanan et al. 2021, arXiv:2104.04473, section 5.1: 34 days.

    >>> round(float(narayanan_days(175 * 10**9, 300 * 10**9, 1024, 140 * 10**12)), 2)
    33.91
    """
    return Fraction(8 * parameters * tokens, devices * flops_per_second * 86400)


def chinchilla_ratio(sizes: dict[str, int], tokens: int) -> Fraction:
    """Return the blocks' products and softmax over 6·N·D, as table A4 has it by the reading that was found here.

    Law: 3·(L·(8·S·d·k·h + 4·S²·k·h + 3·h·S² + 4·S·d·f)) / (6·S·(5·L·d·k·h + 2·L·d·f + V·d)): no embedding, no logits,
    and a relative position matrix in N. A hypothesis: V = 32,000 and S = 2,048 are not in the paper.

    Args:
        sizes: n_layer L, n_embd d, n_inner f, n_head h, head_dim k, vocab_size V.
        tokens: S.

    Source: Hoffmann et al. 2022, arXiv:2203.15556, table A4.

    >>> sizes = dict(n_layer=40, n_embd=3584, n_inner=14336, n_head=28, head_dim=128, vocab_size=32000)
    >>> round(float(chinchilla_ratio(sizes, 2048)), 4)
    0.9944
    """
    L, d, f, h = (sizes[name] for name in ("n_layer", "n_embd", "n_inner", "n_head"))
    kh, V, S = sizes["head_dim"] * h, sizes["vocab_size"], tokens
    step = 3 * L * (8 * S * d * kh + 4 * S**2 * kh + 3 * h * S**2 + 4 * S * d * f)
    return Fraction(step, 6 * S * (5 * L * d * kh + 2 * L * d * f + V * d))


def zero(parameters: int, stage: int, devices: int) -> Fraction:
    """Return the bytes that a device holds of weights, gradients and optimizer state, shared as ZeRO does.

    Law: 2 + 2 + 12 bytes a parameter; stage 1 shares the 12, stage 2 the gradients too, stage 3 all.

    Source: Rajbhandari et al. 2020, arXiv:1910.02054, table 1: 16.6 GB at stage 2 on 64 devices.

    >>> float(zero(7_500_000_000, 2, 64))
    16640625000.0
    """
    parts = (ZERO_STATE, ZERO_GRADIENTS, ZERO_WEIGHTS)
    return sum(
        (Fraction(part * parameters, devices if place < stage else 1) for place, part in enumerate(parts)), Fraction(0)
    )


def scores_share(n_head: int, n_embd: int, tokens: int) -> Fraction:
    """Return the share of activations that selective recomputation saves: (5·a·s/h) / (34 + 5·a·s/h).

    Source: Korthikanti et al. 2022, arXiv:2205.05198, section 5: 65 % of 530B.

    >>> round(float(scores_share(128, 20480, 2048)), 4)
    0.6531
    """
    scores = Fraction(5 * n_head * tokens, n_embd)
    return scores / (34 + scores)


def flexgen_cache(layers: int, width: int, batch: int, tokens: int) -> int:
    """Return 4·b·l·h·(s + n), the bytes of a cache in fp16 that holds every token, the last one too.

    Source: Sheng et al. 2023, arXiv:2303.06865, section 3: 1.2 TB, which are binary.

    >>> flexgen_cache(96, 12288, 512, 512 + 32)
    1314259992576
    """
    return 4 * batch * layers * width * tokens


def llmc_activations(sizes: dict[str, int], batch: int, tokens: int) -> int:
    """Return the bytes of activations that llm.c allocates, in bfloat16, with cuDNN's attention, and GELU recomputed.

    Args:
        sizes: n_layer L, n_embd C, n_head, vocab_size, padded.
        batch: B.
        tokens: T.

    Source: karpathy/llm.c, train_gpt2.cu: fill_in_activation_sizes; 18564 MiB at B 56, T 1024.

    >>> llmc_activations(dict(n_layer=12, n_embd=768, n_head=12, vocab_size=50304), 56, 1024) // 2**20
    18564
    """
    L, C, heads, V = (sizes[name] for name in ("n_layer", "n_embd", "n_head", "vocab_size"))
    n = batch * tokens
    # encoded, lnf and a scratch of C; GELU's buffer and a scratch of 4·C; and in each block ln1, atty, residual2, ln2,
    # residual3, fch of 4·C and qkvr of 3·C
    halves = n * C * (3 + 8 + 12 * L) + n * max(V, 3 * C, heads * tokens)
    singles = 4 * L * n + L * n * heads + 3 * n  # means and rstds, cuDNN's statistics, lnf's two and losses
    return 2 * halves + 4 * singles
