"""How fast a cost is beside llm-flops' estimate, in one run: `python benchmarks/cost.py [--pairs 20] [--json]`.

Whole processes take turns by the rules of speed.py: a ratio is the median over the pairs, its target stands
beside it, and nothing is asserted. Then it prints what each says of the same models, where they can be asked.
"""

from __future__ import annotations

import argparse
import json
import sys
from importlib import import_module
from typing import TYPE_CHECKING, Any

from speed import Row, command, installed, measure, process

import gpt2calc

if TYPE_CHECKING:
    from collections.abc import Iterator

TARGET = 0.6
MODELS = ("gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl")
SEQ = 1024


def rows() -> Iterator[Row]:
    """Yield what is compared."""
    rival, needs = process(*command("llm-flops"), "gpt2-xl", "--no-hf", "-g", "none", "--json"), ("llm-flops",)
    cost = (*command("gpt2calc"), "cost", "gpt2-xl")
    yield Row("cost gpt2-xl / llm-flops gpt2-xl", needs, TARGET, lambda: (process(*cost), rival))
    yield Row("cost gpt2-xl --json / llm-flops gpt2-xl", needs, TARGET, lambda: (process(*cost, "--json"), rival))


def said() -> list[dict[str, Any]]:
    """Return what each says of a forward pass and a training step of one sequence."""
    found = []
    estimate = import_module("llmflops").estimate if installed("llm-flops") else None
    for name in MODELS:
        ours = gpt2calc.cost(name, seq=SEQ, train=True, dropout=0)
        row: dict[str, Any] = {"model": name, "forward": ours.forward, "training": ours.training}
        if estimate is not None:
            theirs = estimate(name, sequence_length=SEQ, gpu=None, allow_hf_fetch=False)
            row["llm-flops, forward"] = theirs["forward_flops"]
            row["llm-flops, training"] = theirs["forward_flops"] + theirs["backward_flops"]
        found.append(row)
    return found


def main() -> int:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pairs", type=int, default=20)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    times, numbers = [measure(row, asked.pairs) for row in rows()], said()
    if asked.json:
        print(json.dumps({"times": times, "numbers": numbers}, indent=2))
        return 0
    for time in times:
        ratio = time.get("not_measured") or f"{time['ratio']:.3f}, target {time['target']}"
        print(f"{time['name']:44}{ratio}")
    for row in numbers:
        for key, value in row.items():
            if key != "model":
                whole = row["forward" if "forward" in key else "training"]
                print(f"{row['model']:14}{key:24}{value:>24,}{value / whole:>9.4f}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
