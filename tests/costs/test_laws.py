"""The laws of FLOPs and bytes: proved with letters for all sizes and structures, and a planted error is found."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np
import pytest

from gpt2calc import presets, tensor_table
from gpt2calc.algebra import Expression, Flag
from gpt2calc.architectures import gpt2
from gpt2calc.costs import activations, caches, flops, kernels, moments, optimizers, ways
from gpt2calc.costs.kernels import Kernels
from gpt2calc.costs.run import LETTERED as PASSES
from gpt2calc.costs.run import Run
from gpt2calc.dims import LETTERED, from_fields

ROWS = flops.table(LETTERED, PASSES)
TOKENS = {
    "crossattention.c_attn": PASSES.batch * PASSES.source,
    "lm_head": PASSES.batch * PASSES.logits,
    "multiple_choice_head.summary": PASSES.batch * 1,
}
"""What passes a product where it is not every token."""


def matrix(component: str) -> Expression:
    """Return the elements of a component's matrices in the whole model, tied or not, by listing tensors."""
    untied = LETTERED._replace(tie_word_embeddings=0)
    rows = [row for row in tensor_table.table(untied) if row.component == component and len(row.shape) == 2]
    return sum((Expression.of(row.times * prod(row.shape)) for row in rows), Expression({}))


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.component)
def test_a_product_is_twice_its_matrix_for_each_token_that_passes_it(row: flops.Product) -> None:
    """With every size, flag and number of tokens a letter; the two products of attention have no matrix."""
    if row.has_weight:
        passing = TOKENS.get(row.component, PASSES.batch * PASSES.tokens)
        assert row.forward == 2 * passing * matrix(row.component)
    else:
        assert matrix(row.component) == Expression({})


def test_every_matrix_but_the_embeddings_has_its_product() -> None:
    """No matrix of any structure is forgotten, and none is counted twice."""
    matrices = {row.component for row in tensor_table.table(LETTERED) if len(row.shape) == 2}
    with_weights = [row.component for row in ROWS if row.has_weight]
    assert matrices - {"wte", "wpe"} == set(with_weights)
    assert len(with_weights) == len(set(with_weights))


@pytest.mark.parametrize("row", [row for row in ROWS if row.has_weight], ids=lambda row: row.component)
@pytest.mark.parametrize("planted", ["inner", "columns", "times", "rows"])
def test_a_planted_error_is_found(row: flops.Product, planted: str) -> None:
    """One factor that is off by one makes the identity fail."""
    passing = TOKENS.get(row.component, PASSES.batch * PASSES.tokens)
    wrong = row._replace(**{planted: getattr(row, planted) + 1})
    assert wrong.forward != 2 * passing * matrix(row.component)


def test_attention_meets_every_key_and_each_value_once() -> None:
    """QK^T and A·V are 2·L·B·S·K·d each, K = S + P, whatever the heads."""
    L, d = LETTERED.n_layer, LETTERED.n_embd
    pairs = PASSES.batch * PASSES.tokens * (PASSES.past + PASSES.tokens)
    found = {row.component: row.forward for row in ROWS}
    assert found["attn.QK^T"] == found["attn.A·V"] == 2 * L * d * pairs


def test_backward_is_twice_forward_but_where_an_input_needs_no_gradient() -> None:
    """The encoder's output is an input: its product goes backward once, for the matrix alone."""
    once = [row.component for row in ROWS if row.backward == row.forward]
    assert once == ["crossattention.c_attn"]
    assert all(row.backward == 2 * row.forward for row in ROWS if row.component not in once)


def test_a_step_is_three_times_forward_and_what_is_done_again() -> None:
    """For every size: with checkpoints the blocks' forward again, less the last product where torch's stops early."""
    dims = LETTERED._replace(add_cross_attention=0)
    rows = flops.table(dims, PASSES)
    forward = flops.total(rows)
    blocks = sum(row.in_block * row.forward for row in rows)
    last = next(row.forward for row in rows if row.component == "mlp.c_proj")
    assert flops.training(rows, dims, PASSES) == 3 * forward
    assert flops.training(rows, dims, PASSES, recomputes=1) == 3 * forward + blocks
    assert flops.training(rows, dims, PASSES, recomputes=1, stops_early=1) == 3 * forward + blocks - last


def test_the_rows_take_arrays_as_they_take_ints() -> None:
    """Many models at once are each of them alone."""
    depths: Any = np.array([1, 12, 48])
    run = Run(2, 7, 3, 7)
    many: Any = flops.total(flops.table(presets.load("gpt2").dims._replace(n_layer=depths), run))
    alone = [flops.total(flops.table(presets.load("gpt2").dims._replace(n_layer=int(L)), run)) for L in depths]
    assert many.tolist() == alone


def test_what_is_kept_is_one_closed_form_in_letters() -> None:
    """A block without dropout in float32 keeps what Korthikanti et al. give, but for four tensors of gelu_new."""
    d, n = LETTERED.n_embd, PASSES.tokens
    h: Any = Expression.letter("h")
    run = Run(1, n, 0, n)
    wide = LETTERED._replace(n_inner=4 * d)
    plain = Kernels(r=2, x=2, w=2, kept=1)
    rows = activations.block(wide, h, run._replace(batch=2), plain)
    assert activations.total(rows) == 2 * n * (32 * d + 8) + 2 * 2 * h * n * n  # two sequences: 32·n·d + 8·n + 2·B·h·S²


@pytest.mark.parametrize("flag", ["attention_dropout", "residual_dropout", "embedding_dropout", "autocast"])
def test_every_switch_of_a_kernel_changes_what_is_kept(flag: str) -> None:
    """No switch is idle."""
    dims, run, plain = presets.load("gpt2").dims, Run(2, 16, 0, 16), Kernels(4, 4, 4, 4)
    assert activations.total(activations.table(dims, 12, run, plain)) != activations.total(
        activations.table(dims, 12, run, plain._replace(**{flag: 1}))
    )


def test_a_checkpointed_block_keeps_its_input_alone() -> None:
    """Two blocks more are two inputs more, whatever is in a block."""
    run, checked = Run(3, 16, 0, 16), Kernels(4, 4, 4, 4, eager=0, checkpoint=1)
    sizes = [
        activations.total(activations.table(presets.load("gpt2").dims._replace(n_layer=L), 12, run, checked))
        for L in (5, 7)
    ]
    assert sizes[1] - sizes[0] == 2 * 4 * 3 * 16 * 768


def test_the_cache_does_not_hold_the_last_token() -> None:
    """A prompt of 5 and 9 new ones leave 13 in it."""
    assert caches.held(5, 9) == 13
    assert caches.held(5, 1) == 5


@pytest.mark.parametrize("optimizer", optimizers.OPTIMIZERS, ids=lambda row: row.name)
def test_an_optimizer_keeps_what_its_tensors_say(optimizer: optimizers.Optimizer) -> None:
    """By going through every tensor of a model, one at a time."""
    dims = from_fields({"n_layer": 2, "n_embd": 6, "n_positions": 5, "vocab_size": 11, "n_inner": 7})
    found = 0
    for tensor in gpt2.model(dims).listing():
        is_matrix = len(tensor.shape) == 2
        found += 2 * tensor.numel * (optimizer.matrix if is_matrix else optimizer.vector)
        found += 2 * optimizer.lines * sum(tensor.shape) * is_matrix + 4 * optimizer.steps
    assert optimizers.state(dims, optimizer, 2) == found


def test_ways_that_mean_the_same_are_the_same() -> None:
    """Where the MLP is 4d wide, Korthikanti's form is exact, and Narayanan's a step with all blocks done again."""
    dims = LETTERED._replace(
        n_inner=4 * LETTERED.n_embd, lm_head=1, add_cross_attention=0, multiple_choice_head=0, score=0, classifier=0,
        qa_outputs=0,
    )  # fmt: skip
    run = PASSES._replace(past=0, logits=PASSES.tokens)
    by_name = {name: way.value for name, way in ways.BY_NAME.items()}
    assert by_name["korthikanti"](dims, 0, run) == by_name["exact"](dims, 0, run)
    assert by_name["narayanan"](dims, 0, run) == by_name["full_recompute"](dims, 0, run)


def test_a_causal_mask_leaves_half_of_the_pairs_and_half_the_diagonal() -> None:
    """For every size: exact less S·(S - 1)/2 pairs, of 4·d FLOPs each, three times."""
    L, d, B, S = LETTERED.n_layer, LETTERED.n_embd, PASSES.batch, PASSES.tokens
    run = PASSES._replace(past=0)
    hidden = ways.exact(LETTERED, 0, run) - ways.causal(LETTERED, 0, run)
    assert hidden == 6 * L * B * d * (S * S - S)


def test_no_flag_of_a_run_is_a_letter_of_a_model() -> None:
    """Letters of sizes and of runs are different ones."""
    sizes = {letter for row in LETTERED for term in Expression.of(row).terms for letter in term}
    passes = {letter for number in PASSES for term in Expression.of(number).terms for letter in term}
    assert not sizes & passes
    assert not any(isinstance(letter, Flag) for letter in passes)


def test_a_peak_is_no_lower_than_what_is_kept() -> None:
    """Each moment has a name of its own, and the highest is above the activations."""
    dims, run = presets.load("gpt2").dims, Run(2, 64, 0, 64)
    for checkpoint in (0, 1):
        running = Kernels(4, 4, 4, 4, checkpoint=checkpoint)
        found = moments.moments(dims, 12, run, running, "adamw")
        assert len({moment.name for moment in found}) == len(found)
        assert max(moment.bytes for moment in found) > activations.total(activations.table(dims, 12, run, running))


def test_every_dtype_has_its_bytes() -> None:
    """Both tables know every dtype."""
    assert set(kernels.DTYPES) == set(kernels.WEIGHT_BYTES) == set(kernels.PRODUCT_BYTES)
