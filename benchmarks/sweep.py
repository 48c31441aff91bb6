"""How fast grids are counted beside numpy, which fills the same arrays with one number, and beside a loop.

`python benchmarks/sweep.py [--pairs 12] [--json]` needs 2 GB of memory. README.md says what each row means. It asserts
nothing.
"""

from __future__ import annotations

import argparse
import json
import os
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module
from multiprocessing import get_context
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from speed import HEADERS, LINE, Row, machine, measure, written
from verify import peak

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from speed import Sampler

    from gpt2calc.sweeps.models import PieceModels

FILL, COMPONENTS, PROCESSES, LOOP = 1 / 0.5, 1 / 0.3, 1 / 1.7, 1 / 1000
"""Half the speed of filling one array, 30 % of filling many, 1.7 times as fast with two processes, 1,000 as a loop."""

MOST_MIB = 512

LAYERS, WIDTHS = range(1, 101), range(64, 6401, 64)
LENGTHS, VOCABULARIES = range(128, 12_801, 128), range(500, 50_001, 500)
GRID: dict[str, Any] = {"n_layer": LAYERS, "n_embd": WIDTHS, "n_positions": LENGTHS, "vocab_size": VOCABULARIES}
"""10⁸ models."""

OTHERS: dict[str, dict[str, Any]] = {
    "the other way round": dict(reversed(GRID.items())),
    "width first": {"n_embd": WIDTHS, "n_layer": LAYERS, "n_positions": LENGTHS, "vocab_size": VOCABULARIES},
    "with n_inner": {"n_layer": LAYERS, "n_embd": range(64, 64_001, 64), "n_inner": range(256, 256_001, 256)},
    "few of the last": {**GRID, "n_positions": [1024, 2048], "n_layer": range(1, 5001)},
}
"""The same and other sizes in other orders, of the same number of models."""

SMALL = {**GRID, "n_positions": range(128, 1281, 128)}
"""10⁷ models, whose components together take as much memory as the totals above."""

FILTER = {**GRID, "vocab_size": range(500, 50_001, 150)}
"""3.3·10⁸ models."""

TURNS = 600_000
"""Sums of small arrays that take about as long as the sweeps beside them."""

CONDITION = "399e6 < total < 400e6 and mlp_share > 0.6"
LARGE = ("--n-layer", "1:100", "--n-embd", "64:6400:64", "--n-positions", "128:12800:128", "--vocab", "50:50000:50")
"""10⁹ models."""


def models(fields: dict[str, Any]) -> PieceModels:
    """Return the models of a grid, of which nothing has been computed."""
    grids, room = import_module("gpt2calc.sweeps.grids"), import_module("gpt2calc.sweeps.models")
    (piece,) = grids.pieces(grids.read(import_module("gpt2calc.sources").LEFT_OUT, fields)[0])
    found: PieceModels = room.PieceModels(piece)
    return found


def filled(outs: Sequence[Any]) -> Sampler:
    """Time filling arrays with one number."""

    def sample() -> float:
        start = perf_counter()
        for out in outs:
            out.fill(124_439_808)
        return perf_counter() - start

    return sample


def computed(fields: dict[str, Any], names: Sequence[str], outs: Sequence[Any]) -> Sampler:
    """Time columns of a grid computed into arrays, with all that is prepared for it."""

    def sample() -> float:
        start = perf_counter()
        grid = models(fields)
        for name, out in zip(names, outs, strict=True):
            grid.into(name, 0, out)
        return perf_counter() - start

    return sample


def timed(call: Callable[[], object]) -> Sampler:
    """Time a call."""

    def sample() -> float:
        start = perf_counter()
        call()
        return perf_counter() - start

    return sample


def totals(out: Any) -> Iterator[Row]:
    """Yield the rows about totals alone, which take as long as memory does."""
    yield Row("1 totals of 10⁸ models / fill", (), FILL, lambda: (computed(GRID, ["total"], [out]), filled([out])))
    for name, fields in OTHERS.items():
        part = out[: models(fields).length]
        yield Row(f"- totals, {name} / fill", (), None, partial(beside_fill, fields, part))


def beside_fill(fields: dict[str, Any], out: Any) -> tuple[Sampler, Sampler]:
    """Compare totals with filling the same array."""
    return computed(fields, ["total"], [out]), filled([out])


def components() -> tuple[Sampler, Sampler]:
    """Compare every component that a GPT-2 has, into an array each, with filling these arrays."""
    columns = {column.sentence: name for name, column in import_module("gpt2calc.sweeps.columns").COLUMNS.items()}
    dims, length = import_module("gpt2calc").count("gpt2").dims, models(SMALL).length
    rows = [row for row in import_module("gpt2calc.formulas").table(dims) if row.times]
    outs = [np.zeros(length, dtype=np.int64) for _ in rows]
    return computed(SMALL, [columns[f"parameters of {row.component}"] for row in rows], outs), filled(outs)


def processes(pool: ProcessPoolExecutor) -> Iterator[Row]:
    """Yield the rows in which two processes take turns with one; both give back little."""
    sweep = import_module("gpt2calc").sweep
    for number, name, target, asked in (
        ("3", "where", PROCESSES, {"where": CONDITION, "columns": "n_layer,n_embd,total"}),
        ("-", "top", None, {"top": 10, "columns": "n_layer,n_embd,total"}),
    ):
        two, one = partial(sweep, executor=pool, **asked, **FILTER), partial(sweep, **asked, **FILTER)
        yield Row(f"{number} {name}, two processes / one", (), target, partial(pair, two, one))
    both, alone = partial(sums_by_two, pool, TURNS), partial(sums, TURNS)
    yield Row("- numpy's sums, two processes / one", (), None, partial(pair, both, alone))


def sums(turns: int) -> None:
    """Add two small arrays, again and again: what a core can do that waits for no memory."""
    one, other, out = np.arange(10_000), np.arange(10_000), np.empty(10_000, dtype=np.int64)
    for _ in range(turns):
        np.add(one, other, out=out)


def sums_by_two(pool: ProcessPoolExecutor, turns: int) -> None:
    """Let two processes do half of the sums each."""
    for future in [pool.submit(sums, turns // 2) for _ in range(2)]:
        future.result()


def pair(a: Callable[[], object], b: Callable[[], object]) -> tuple[Sampler, Sampler]:
    """Compare two calls."""
    return timed(a), timed(b)


def beside_loop(out: Any) -> tuple[Sampler, Sampler]:
    """Compare totals with llm-flops' count in a loop, from configs that were made before, both for 10⁶ models."""
    rival = import_module("llmflops.memory").parameter_count
    configs = [import_module("llmflops").get_config("gpt2-xl", allow_hf_fetch=False)] * 10_000
    loop = timed(lambda: [rival(config).total for config in configs])
    ours = computed(GRID, ["total"], [out])
    return lambda: ours() / len(out) * 10**6, lambda: loop() / len(configs) * 10**6


def main() -> int:
    """Measure every row, and print it."""
    parser = argparse.ArgumentParser(description="How fast grids are counted beside numpy and a loop.")
    parser.add_argument("--pairs", type=int, default=12, help="how often a and b take turns (12)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    about, found = {**machine(), "numpy": np.__version__}, []
    if not arguments.json:
        print(", ".join(f"{name} {value}" for name, value in about.items()), LINE.format(*HEADERS).rstrip(), sep="\n\n")
    out = np.zeros(models(GRID).length, dtype=np.int64)
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        large = (*totals(out), Row("2 all components of 10⁷ models / fill", (), COMPONENTS, components))
        loop = Row("4 10⁶ totals / parameter_count in a loop", ("llm-flops",), LOOP, partial(beside_loop, out))
        for row in (*large, *processes(pool), loop):
            few = row.target is None or row.name.startswith("3")
            found.append(measure(row, max(2, arguments.pairs // (4 if few else 1))))
            if not arguments.json:
                print(written(found[-1]), flush=True)
    memory = peak("sweep", *LARGE, "--where", CONDITION) if os.path.exists("/proc/self/status") else None
    if arguments.json:
        print(json.dumps({"machine": about, "rows": found, "peak_mib": memory}, indent=2))
    elif memory is not None:
        met = "met" if memory <= MOST_MIB else "NOT MET"
        print(f"5 peak memory: sweep of 10⁹ models with a condition {memory:.1f} MiB, target {MOST_MIB}: {met}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
