"""How fast values are read and summarised beside numpy, which reads and sums them, and how much memory that takes.

`python benchmarks/values.py [--pairs 10] [--model gpt2-medium] [--json]` writes a checkpoint of the model with normal
values, 1.5 GB for gpt2-medium, to a temporary folder. README.md says what each row means. It asserts nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from functools import partial
from importlib import import_module
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import TYPE_CHECKING, Any

import numpy as np
from speed import HEADERS, LINE, Row, machine, measure, written
from verify import peak

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from speed import Sampler

HERE = os.path.dirname(os.path.abspath(__file__))
TARGET = 1 / 0.7
"""Statistics at 70 % of the speed of a sum."""

MOST_MIB = 256
AT_ONCE = 1 << 20


def write(folder: str, model: str) -> str:
    """Write a checkpoint of a model that ships, in float32 with normal values."""
    sys.path.insert(0, os.path.dirname(HERE))  # a script's own folder is on the path, and not the one above
    maker, dims = import_module("tests.makers.safetensors"), import_module("gpt2calc").count(model).dims
    path = os.path.join(folder, "model.safetensors")
    tensors = maker.released(dims.n_layer, dims.n_embd)
    size = maker.write(path, tensors)
    numbers = np.random.default_rng(0).normal(0, 0.02, AT_ONCE).astype(np.float32).tobytes()
    with open(path, "r+b") as file:
        file.seek(len(maker.framed(maker.header(tensors))))
        while (left := size - file.tell()) > 0:
            file.write(numbers[:left])
        file.flush()
        os.fsync(file.fileno())
    return path


def summed(listing: Any) -> float:
    """Read each tensor with numpy, and sum it in float64."""
    total = 0.0
    with open(listing.tensors[0].file, "rb") as file:
        for tensor in listing.tensors:
            file.seek(tensor.offset)
            total += float(np.fromfile(file, np.float32, tensor.numel).sum(dtype=np.float64))
    return total


def summed_in_one_buffer(listing: Any) -> float:
    """Read the file into one small buffer again and again, and sum that in float64: the fastest that there is."""
    buffer, total = np.empty(AT_ONCE // 4, np.float32), 0.0
    view = memoryview(buffer.data).cast("B")
    with open(listing.tensors[0].file, "rb", buffering=0) as file:
        file.seek(min(tensor.offset for tensor in listing.tensors))
        while count := file.readinto(view):
            total += float(buffer[: count // 4].sum(dtype=np.float64))
    return total


def timed(call: Callable[[Any], object], listing: Any, *, cold: bool) -> Sampler:
    """Time a call; `cold` lets the system forget the file before."""

    def sample() -> float:
        if cold:
            with open(listing.tensors[0].file, "rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        start = perf_counter()
        call(listing)
        return perf_counter() - start

    return sample


def rows(listing: Any) -> Iterator[Row]:
    """Yield what is compared."""
    values = import_module("gpt2calc.verification.values")
    ours = partial(values.report, roles={tensor.name: ("all", "weight") for tensor in listing.tensors})

    def row(name: str, target: float | None, theirs: Callable[[Any], object], *, cold: bool) -> Row:
        pair = timed(ours, listing, cold=cold), timed(theirs, listing, cold=cold)
        return Row(name, ("numpy",), target, lambda: pair)

    yield row("1 values / read tensors and sum, cached", TARGET, summed, cold=False)
    yield row("- values / sum in one buffer, cached", None, summed_in_one_buffer, cold=False)
    if hasattr(os, "posix_fadvise"):
        yield row("2 values / read tensors and sum, from disk", TARGET, summed, cold=True)
        yield row("- values / sum in one buffer, from disk", None, summed_in_one_buffer, cold=True)


def main() -> int:
    """Measure every row, and print it."""
    parser = argparse.ArgumentParser(description="How fast values are summarised beside a sum.")
    parser.add_argument("--pairs", type=int, default=10, help="how often a and b take turns (10)")
    parser.add_argument("--model", default="gpt2-medium", help="the model whose checkpoint is written (gpt2-medium)")
    parser.add_argument("--json", action="store_true", help="print JSON")
    arguments = parser.parse_args()
    found = []
    with TemporaryDirectory() as folder:
        path = write(folder, arguments.model)
        about = {**machine(), "numpy": np.__version__, "bytes": f"{os.path.getsize(path):,}"}
        if not arguments.json:
            print(", ".join(f"{name} {value}" for name, value in about.items()))
            print("", LINE.format(*HEADERS).rstrip(), sep="\n")
        for row in rows(import_module("gpt2calc.checkpoints.folders").open_listing(path)):
            found.append(measure(row, arguments.pairs))
            if not arguments.json:
                print(written(found[-1]), flush=True)
        memory = peak("verify", path, "--values") if os.path.exists("/proc/self/status") else None
    if arguments.json:
        print(json.dumps({"machine": about, "rows": found, "peak_mib": memory}, indent=2))
    elif memory is not None:
        print(f"3 peak memory: verify --values {memory:.1f} MiB, target {MOST_MIB}: {_met(memory)}")
    return 0


def _met(mib: float) -> str:
    return "met" if mib <= MOST_MIB else "NOT MET"


if __name__ == "__main__":
    raise SystemExit(main())
