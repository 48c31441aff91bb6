"""How fast `gpt2calc design` searches beside numpy, which evaluates the total on the same grid, in one run.

`python benchmarks/design.py [--pairs 20] [--json]`. numpy tries every shape within the default bounds; both find the
same ten shapes, which is checked first. README.md says what each row means. It asserts nothing else: the exit code is 0
unless gpt2calc is not there, or the two disagree.
"""

from __future__ import annotations

import argparse
import json
import sys
from functools import partial
from importlib import import_module
from typing import TYPE_CHECKING, Any

from speed import HEADERS, LINE, Row, calls, command, duration, installed, machine, measure, process, written

if TYPE_CHECKING:
    from collections.abc import Iterator

    from speed import Sampler

FIGURE, TARGET, TOP = "350M", 350_000_000, 10
SECONDS = 0.5
"""The most that the whole process may take."""

WITH_NUMPY = f"""
import numpy as np
from gpt2calc import formulas
from gpt2calc.presets import load

def search():
    layers = np.arange(1, 1001, dtype=np.int64)[:, None]
    widths = np.arange(64, 160_001, 64, dtype=np.int64)[None, :]
    x = load("gpt2").dims._replace(n_layer=layers, n_embd=widths, n_inner=4 * widths)
    distance = np.abs(formulas.total(x) - {TARGET})
    distance[(widths < 20 * layers) | (widths > 160 * layers)] = 2**62
    found = np.argpartition(distance, {TOP}, axis=None)[:{TOP}]
    rows, columns = np.unravel_index(found[np.argsort(distance.ravel()[found])], distance.shape)
    return [(int(layers[row, 0]), int(widths[0, column])) for row, column in zip(rows, columns)]
"""
"""The formula of gpt2calc on an open mesh of numpy arrays, and the nearest of all shapes in the default bounds."""

WIDE: dict[str, dict[str, Any]] = {
    "460,207,877,013 shapes": {"inner_ratio": "1:8"},
    "the Pareto front": {"pareto": True},
}
"""Searches without a target: n_inner from 1 to 8 times n_embd, far more shapes than numpy tries, and the front."""


def with_numpy() -> Any:
    """Return the search that numpy does."""
    names: dict[str, Any] = {}
    exec(WITH_NUMPY, names)
    return names["search"]


def rows() -> Iterator[Row]:
    """Yield what is compared."""
    design = import_module("gpt2calc").design

    def in_process(**asked: Any) -> tuple[Sampler, Sampler]:
        theirs = calls("search()", search=with_numpy())
        return calls("design(figure, **asked)", design=design, figure=FIGURE, asked=asked), theirs

    ours = process(*command("gpt2calc"), "design", "--params", FIGURE)
    theirs = process(sys.executable, "-c", f"{WITH_NUMPY}\nprint(search())")
    yield Row("1 design 350M / numpy on the same grid", ("numpy",), 1, in_process)
    yield Row("2 gpt2calc design --params 350M / numpy", ("numpy",), 1, lambda: (ours, theirs))
    for name, asked in WIDE.items():
        yield Row(f"- design 350M, {name} / numpy", ("numpy",), None, partial(in_process, **asked))


def agree() -> bool:
    """Whether both searches find the same shapes, where they are ranked by distance."""
    found = import_module("gpt2calc").design(FIGURE, top=TOP, nearest=True)
    return installed("numpy") is None or with_numpy()() == [(each.n_layer, each.n_embd) for each in found]


def main() -> int:
    """Measure every row, and print it; then how long the whole process takes."""
    parser = argparse.ArgumentParser(description="How fast gpt2calc design is beside numpy, in one run.")
    parser.add_argument("--pairs", type=int, default=20, help="how often a and b take turns (20)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    try:
        import_module("gpt2calc.api.backwards")
    except ImportError as error:
        print(f"gpt2calc cannot be imported: {error}", file=sys.stderr)
        return 1
    if not agree():
        print("gpt2calc and numpy find different shapes", file=sys.stderr)
        return 1
    about, found = machine() | {"numpy": installed("numpy") or "not installed"}, []
    if not arguments.json:
        print(", ".join(f"{name} {value}" for name, value in about.items()), LINE.format(*HEADERS).rstrip(), sep="\n\n")
    for row in rows():
        found.append(measure(row, max(2, arguments.pairs // (4 if row.target is None else 1))))
        if not arguments.json:
            print(written(found[-1]), flush=True)
    if arguments.json:
        print(json.dumps({"machine": about, "rows": found}, indent=2))
    elif "a" in found[1]:
        whole = found[1]["a"]["median"]
        verdict = "met" if whole <= SECONDS else "NOT MET"
        print(f"3 the whole process takes {duration(whole)}, target {duration(SECONDS)}: {verdict}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
