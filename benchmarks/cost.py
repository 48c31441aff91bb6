"""What others say that a GPT-2 costs, and how fast it is said: `python benchmarks/cost.py [--pairs 20] [--json]`.

Whole processes take turns with llm-flops', and two columns of a sweep with numpy filling the same arrays, by the rules
of speed.py: a ratio is the median over the pairs, with its target, and nothing is asserted. Then it asks each
tool that is installed about the same models in the same run, and has torch count and do the same.
"""

from __future__ import annotations

import argparse
import json
import sys
import warnings
from importlib import import_module
from typing import TYPE_CHECKING, Any

import numpy as np
from speed import HEADERS, LINE, Row, command, installed, measure, process, written
from sweep import COMPONENTS, SMALL, computed, filled, models

import gpt2calc

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from speed import Sampler

TARGET = 0.6
MODELS = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")
HELD = ("gpt2",)
"""Models that are really run, for their memory; each of the others is counted on the meta device."""

SEQ = 1024
FORWARD, STEP, PARAMETERS = "FLOPs, forward", "FLOPs, training step", "parameters"
CACHE, KEPT = "bytes, KV cache in bf16", "bytes, activations in bf16"
QUESTIONS = (PARAMETERS, FORWARD, STEP, CACHE, KEPT)
"""All are of one sequence of 1,024 tokens; activations with the full scores, with dropout, without checkpoints."""


def rows() -> Iterator[Row]:
    """Yield what is compared."""
    rival, needs = process(*command("llm-flops"), "gpt2-xl", "--no-hf", "-g", "none", "--json"), ("llm-flops",)
    cost = (*command("gpt2calc"), "cost", "gpt2-xl")
    yield Row("1 cost gpt2-xl / llm-flops gpt2-xl", needs, TARGET, lambda: (process(*cost), rival))
    yield Row("1 cost gpt2-xl --json / llm-flops gpt2-xl", needs, TARGET, lambda: (process(*cost, "--json"), rival))
    yield Row("2 flops and kv_bytes of 10⁷ models / fill", (), COMPONENTS, columns)


def columns() -> tuple[Sampler, Sampler]:
    """Compare FLOPs and caches of a grid, an array each, with filling these arrays."""
    outs = [np.zeros(models(SMALL).length, dtype=np.int64) for _ in range(2)]
    return computed(SMALL, ["flops", "kv_bytes"], outs), filled(outs)


def ours(name: str) -> dict[str, int | None]:
    """Return what gpt2calc says."""
    cost = gpt2calc.cost(name, seq=SEQ, dtype="bf16", train=True, cache="dynamic")
    found = {FORWARD: cost.forward, STEP: cost.training, CACHE: cost.kv_bytes, KEPT: cost.activations}
    return {PARAMETERS: gpt2calc.count(name).total, **found}


def measured(name: str) -> dict[str, int | None]:
    """Return what torch and transformers show: FLOPs on the meta device, and memory of what really runs."""
    bench = import_module("gpt2calc.costs.measuring").Bench
    cost = gpt2calc.cost(name, seq=SEQ, dtype="bf16", train=True, cache="dynamic")
    torch = bench(cost.dims, cost.settings)
    found = {FORWARD: torch.flops()[""], STEP: torch.flops(training=True)[""]}
    return {**found, CACHE: torch.cache_bytes(), KEPT: torch.step()["activations"]} if name in HELD else found


def llm_flops(name: str) -> dict[str, int | None]:
    """Return what llm-flops says."""
    said = import_module("llmflops").estimate(name, sequence_length=SEQ, gpu=None, allow_hf_fetch=False)
    config = import_module("llmflops").get_config(name, allow_hf_fetch=False)
    memory = import_module("llmflops.memory")
    found = {FORWARD: said["forward_flops"], STEP: said["forward_flops"] + said["backward_flops"]}
    kept = memory.training_activation_bytes(config, 1, SEQ, "bf16", gradient_checkpointing=False)
    return {PARAMETERS: said["parameters"], **found, CACHE: int(said["kv_cache"]), KEPT: int(kept)}


def llm_analysis(name: str) -> dict[str, int | None]:
    """Return what llm-analysis says; of activations the blocks and the logits, which it has apart."""
    configs, analysis = import_module("llm_analysis.config"), import_module("llm_analysis.analysis")
    import_module("llm_analysis.logger").logger.setLevel("ERROR")
    of = analysis.LLMAnalysis(
        configs.get_model_config_by_name(name),
        configs.get_gpu_config_by_name("a100-sxm-80gb"),
        configs.get_dtype_config_by_name("w16a16e16"),
        flops_efficiency=1,
        hbm_memory_efficiency=1,
    )
    layers, forward = of.model_config.num_layers, int(of.get_num_flops_fwd_total(1, SEQ))
    how = {"is_inference": False, "flash_attn": False, "softmax_dropout": True}
    kept = layers * of.get_activation_memory_per_layer(1, SEQ, **how)
    kept += of.get_activation_memory_output_embedding(1, SEQ)
    found = {FORWARD: forward, STEP: forward + int(of.get_num_flops_bwd_total(1, SEQ))}
    cache = layers * of.get_memory_kv_cache_per_layer(1, SEQ)
    return {PARAMETERS: int(of.get_num_params_total()), **found, CACHE: int(cache), KEPT: int(kept)}


def cookbook(name: str) -> dict[str, int | None]:
    """Return what the formulas of EleutherAI/cookbook give, without checkpoints.

    Source: calc/calc_transformer_flops.py at 05c40662afa6, with `--infer` for forward; calc/calc_transformer_mem.py at
    069ae2ef9f69, whose cache has `sequence_length + output_tokens`, together 1,024 here.
    """
    dims = gpt2calc.count(name).dims
    L, d, V, S, h = dims.n_layer, dims.n_embd, dims.vocab_size, SEQ, heads(name)
    blocks = 24 * L * S * d * d + 4 * L * S * S * d
    logits = 6 * S * d * V  # of a training step, in both
    found = {FORWARD: blocks + logits, STEP: 3 * blocks + logits}
    parameters = 2 * V * d + d * S + 8 * d * L + 2 * d + 12 * L * d * d
    return {PARAMETERS: parameters, **found, CACHE: 2 * d * L * S, KEPT: S * L * (34 * d + 5 * h * S)}


def heads(name: str) -> int:
    """Return the attention heads of a model."""
    return int(gpt2calc.cost(name).to_dict()["config"]["n_head"])


TOOLS: tuple[tuple[str, tuple[str, ...], Callable[[str], dict[str, int | None]]], ...] = (
    ("gpt2calc", (), ours),
    ("torch, measured", ("torch", "transformers"), measured),
    ("llm-flops", ("llm-flops",), llm_flops),
    ("llm-analysis", ("llm-analysis",), llm_analysis),
    ("cookbook", (), cookbook),
)


def said() -> Iterator[dict[str, Any]]:
    """Yield what each says of each model, by question."""
    for name in MODELS:
        told = {tool: ask(name) for tool, needs, ask in TOOLS if all(map(installed, needs))}
        for question in QUESTIONS:
            yield {"model": name, "question": question, **{tool: each.get(question) for tool, each in told.items()}}


def cell(number: int | None, whole: int) -> str:
    """Write a number with how many times ours it is."""
    return "" if number is None else f"{number:,}" + (f" ({number / whole:.4f})" if number != whole else "")


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    warnings.filterwarnings("ignore")
    if not asked.json:
        print(LINE.format(*HEADERS).rstrip())
    times = []
    for row in rows():
        times.append(measure(row, asked.pairs))
        if not asked.json:
            print(written(times[-1]), flush=True)
    numbers = list(said())
    if asked.json:
        print(json.dumps({"times": times, "numbers": numbers}, indent=2))
        return 0
    tools = [key for key in numbers[0] if key not in {"model", "question"}]
    heads_of = [tool if tool == "gpt2calc" else f"{tool} {installed(tool) or ''}".strip() for tool in tools]
    print("", f"| {' | '.join(('model', 'of', *heads_of))} |", f"| --- | --- |{' ---: |' * len(tools)}", sep="\n")
    for row_of in numbers:
        cells = [cell(row_of[tool], row_of["gpt2calc"]) for tool in tools]
        print(f"| {' | '.join((row_of['model'], row_of['question'], *cells))} |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
