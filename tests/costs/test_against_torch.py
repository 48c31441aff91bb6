"""Random small settings, each held against torch: FLOPs, caches, what autograd keeps, optimizers, peaks.

20 settings of each kind by default; GPT2CALC_COSTS=400 draws more.
"""

from __future__ import annotations

import os
import random
from typing import Any

import pytest

import gpt2calc
from gpt2calc.costs import kernels, optimizers
from gpt2calc.costs.measuring import Bench

SETTINGS = int(os.environ.get("GPT2CALC_COSTS", "20"))
SEEDS = pytest.mark.parametrize("seed", range(SETTINGS))
HEADS = ("lm", "none", "double_heads", "sequence_classification", "token_classification", "question_answering")

pytestmark = pytest.mark.filterwarnings("ignore")  # torch's own, of fake tensors and of checkpoints


def model(draw: random.Random, **more: Any) -> dict[str, Any]:
    """Draw the fields of a small model, odd sizes among them."""
    heads = draw.choice([1, 2, 4])
    width = heads * draw.choice([1, 4, 8])
    return {
        "n_layer": draw.randint(0, 3),
        "n_embd": width,
        "n_head": heads,
        "n_positions": 64,
        "vocab_size": draw.choice([11, 97]),
        "n_inner": draw.choice([1, 37, 4 * width]),
        "tie_word_embeddings": draw.random() < 0.5,
        **more,
    }


@SEEDS
def test_flops_are_what_torch_counts(seed: int) -> None:
    """Every component's in a forward pass, and a training step's total; with heads, with cross-attention or a cache."""
    draw = random.Random(seed)
    fields = model(draw, head=draw.choice(HEADS), num_labels=draw.choice([2, 5]))
    fields |= {name: draw.random() < 0.5 for name in ("summary_use_proj", "summary_proj_to_labels")}
    fields["n_layer"] = max(1, fields["n_layer"])
    words: dict[str, Any] = {"batch": draw.choice([1, 2, 3]), "seq": draw.choice([1, 2, 7, 16])}
    if draw.random() < 0.3:
        fields["add_cross_attention"], words["source"] = True, draw.choice([1, 9])
    trains = seed % 2 == 1
    if trains:
        words |= {"train": True, "attention": draw.choice(kernels.ATTENTIONS), "dropout": draw.choice([0, 0.1])}
        words["checkpoint"] = draw.choice(kernels.CHECKPOINTS)
    else:
        words["past"] = 0 if "source" in words else draw.choice([0, 0, 5])
        words["logits"] = draw.choice(["all", "last"]) if fields["head"] == "lm" else "all"
    cost = gpt2calc.cost(**fields, **words)
    counted = Bench(cost.dims, cost.settings).flops(training=trains)
    assert counted[""] == (cost.training if trains else cost.forward)
    if not trains:
        ours = {row.component: row.forward for row in cost.products}
        for module in ("attn", "crossattention"):  # torch tells no two products of one module apart
            if f"{module}.QK^T" in ours:
                ours[module] = ours.pop(f"{module}.QK^T") + ours.pop(f"{module}.A·V")
        assert {name: counted.get(name) for name in ours} == ours


@SEEDS
def test_a_step_keeps_what_torch_keeps(seed: int) -> None:
    """Activations, gradients and the optimizer's state of a real step, to the byte."""
    draw = random.Random(1000 + seed)
    fields = model(draw, head=draw.choice(["lm", "lm", "none"]))
    fields["activation_function"] = draw.choice(list(kernels.KEPT_BY_ACTIVATION))
    words: dict[str, Any] = {"batch": draw.choice([1, 2, 5]), "seq": draw.choice([1, 7, 33])}
    words["dtype"] = draw.choice(["fp32", *kernels.DTYPES])
    names = [row.name for row in optimizers.OPTIMIZERS if (row.name, words["dtype"]) != ("adamw_fused", "fp16")]
    words |= {"attention": draw.choice(kernels.ATTENTIONS), "optimizer": draw.choice(names)}
    words["checkpoint"] = draw.choice(["none", *kernels.CHECKPOINTS])
    for name in ("attn_pdrop", "resid_pdrop", "embd_pdrop"):
        fields[name] = draw.choice([0, 0.1])
    cost = gpt2calc.cost(**fields, train=True, **words)
    found = Bench(cost.dims, cost.settings).step()
    assert found["activations"] == cost.activations
    assert found["optimizer"] == cost.optimizer
    if fields["n_layer"]:
        assert found["gradients"] == cost.gradients


@SEEDS
def test_a_cache_holds_what_transformers_holds(seed: int) -> None:
    """Dynamic and static, after a real generate(), in each dtype."""
    draw = random.Random(2000 + seed)
    fields = model(draw)
    fields["n_layer"] = max(1, fields["n_layer"])
    words: dict[str, Any] = {"prompt": draw.choice([1, 5, 17]), "new": draw.choice([1, 2, 9])}
    words |= {"batch": draw.choice([1, 3]), "dtype": draw.choice(kernels.DTYPES)}
    if draw.random() < 0.4:
        words |= {"cache": "static", "max_cache_len": words["prompt"] + words["new"] + 3}
    cost = gpt2calc.cost(**fields, **words)
    assert Bench(cost.dims, cost.settings).cache_bytes() == cost.kv_bytes


@pytest.mark.parametrize("switch", ["bias", "ln_f"])
def test_a_model_without_a_switch_of_transformers_is_not_measured(switch: str) -> None:
    """What transformers cannot build is refused by name."""
    cost = gpt2calc.cost(n_layer=1, n_embd=8, n_positions=8, **{switch: False})  # type: ignore[arg-type]
    with pytest.raises(gpt2calc.ConfigError, match="nothing to measure"):
        Bench(cost.dims, cost.settings)


@pytest.mark.parametrize("seed", range(max(4, SETTINGS // 5)))
def test_a_peak_is_that_of_a_walk_over_torchs_operations(seed: int) -> None:
    """In float32, from 500 kB on: within 2 % below and 5 % above."""
    draw = random.Random(3000 + seed)
    heads = draw.choice([2, 4, 8])
    width = 16 * heads
    fields = {"n_layer": draw.randint(1, 3), "n_embd": width, "n_head": heads, "n_positions": 64}
    fields |= {"vocab_size": draw.choice([300, 2000]), "tie_word_embeddings": draw.random() < 0.7}
    words: dict[str, Any] = {"batch": draw.choice([2, 8]), "seq": 64, "optimizer": draw.choice(["adamw", "sgd"])}
    words |= {"attention": draw.choice(kernels.ATTENTIONS), "dropout": draw.choice([0, 0.1])}
    words["checkpoint"] = draw.choice(kernels.CHECKPOINTS)
    cost = gpt2calc.cost(**fields, train=True, **words)  # type: ignore[arg-type]
    walked = Bench(cost.dims, cost.settings).peak()
    assert cost.peak is not None
    print(f"{cost.peak:,} / {walked:,} = {cost.peak / walked:.4f}, {words}")
    assert walked > 500_000
    assert 0.98 <= cost.peak / walked <= 1.05


@pytest.mark.parametrize("switches", [{"bias": False}, {"ln_f": False}, {"bias": False, "ln_f": False}], ids=str)
@pytest.mark.parametrize("dtype", ["fp32", "autocast"])
def test_a_model_without_biases_or_ln_f_keeps_what_its_modules_keep(switches: dict[str, bool], dtype: str) -> None:
    """Transformers builds neither, so its modules are replaced: linear layers and LayerNorms without, or nothing."""
    import torch

    fields = {"n_layer": 2, "n_embd": 16, "n_head": 2, "n_positions": 16, "vocab_size": 31}
    words: dict[str, Any] = {"batch": 3, "seq": 7, "dtype": dtype, "train": True, "dropout": 0.1}
    plain, asked = gpt2calc.cost(**fields, **words), gpt2calc.cost(**fields, **switches, **words)  # type: ignore[arg-type]
    bench = Bench(plain.dims, plain.settings)
    built = bench._model

    def changed(*given: Any, **more: Any) -> Any:
        model = built(*given, **more)
        for name, module in list(model.named_modules()):
            parent, last = model.get_submodule(name.rpartition(".")[0]), name.rpartition(".")[2]
            if not switches.get("bias", True) and type(module).__name__ == "Conv1D":
                setattr(parent, last, torch.nn.Linear(module.weight.shape[0], module.weight.shape[1], bias=False))
            elif not switches.get("bias", True) and isinstance(module, torch.nn.LayerNorm):
                setattr(parent, last, torch.nn.LayerNorm(module.normalized_shape, bias=False))
        if not switches.get("ln_f", True):
            model.transformer.ln_f = torch.nn.Identity()
        return model

    bench._model = changed  # type: ignore[method-assign]
    found = bench.step()
    assert found["activations"] == asked.activations
    assert found["gradients"] == asked.gradients
