"""One fuzzing run: inputs made, fed to a reader, and judged. The first finding ends it."""

from __future__ import annotations

import random
import re
import resource
import signal
import sys
import time
import tracemalloc
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.checkpoints.files import MemoryFile
from gpt2calc.errors import UnreadableInputError
from gpt2calc.listing import TensorListing
from tests.fuzz.mutations import ANY, mutated

if TYPE_CHECKING:
    from tests.fuzz import Reader

MOST_SECONDS = 1.0
"""Processor time that one input may take."""

MOST_MEMORY = 64 * 2**20
"""Bytes that the reading of one input may allocate. Seeds are small, so this is far less than a large file may take."""

SAMPLE = 500
"""Every so many inputs, allocations are traced: that is exact, and slow."""


class Tally(NamedTuple):
    """What a run came to: how many inputs were read and refused, in how many seconds."""

    inputs: int
    accepted: int
    refused: int
    seconds: float


class Finding(Exception):  # noqa: N818 - a finding is what fuzzing is for, and no error of the fuzzer
    """An input that a reader fails on."""

    def __init__(self, content: bytes, problem: str) -> None:
        super().__init__(problem)
        self.content = content
        self.problem = problem


class _TooSlowError(BaseException):
    """Raised by the timer. No reader catches it by catching every Exception."""


def run(reader: Reader, inputs: int, seed: int, *, oracle: bool = False) -> Tally:
    """Feed a reader with its seeds, and then with mutated ones.

    Args:
        reader: the row of the reader.
        inputs: how many mutated files to make.
        seed: the seed of the random generator: the same seed, the same files.
        oracle: whether the row's oracle judges each input too.

    Raises:
        Finding: the reader fails on an input.
    """
    chance = random.Random(seed)
    seeds = tuple(reader.seeds())
    for content in seeds:
        if isinstance(_judged(reader, content, oracle=oracle, trace=True), UnreadableInputError):
            raise Finding(content, "a seed is refused")
    mutations = (*ANY, *reader.mutations)
    accepted, start = 0, time.perf_counter()
    for number in range(inputs):
        content = mutated(seeds, mutations, chance)
        found = _judged(reader, content, oracle=oracle, trace=number % SAMPLE == 0)
        accepted += isinstance(found, TensorListing)
    return Tally(inputs, accepted, inputs - accepted, time.perf_counter() - start)


def _judged(reader: Reader, content: bytes, *, oracle: bool, trace: bool) -> TensorListing | UnreadableInputError:
    found = _traced(reader, content) if trace else _timed(reader, content)
    if isinstance(found, TensorListing):
        _check_places(found, content)
    if oracle and reader.oracle is not None:
        _compare(reader, content, found)
    return found


def _timed(reader: Reader, content: bytes) -> TensorListing | UnreadableInputError:
    """Read one input, with a timer that ends even an endless loop."""
    before = _highest()
    signal.signal(signal.SIGPROF, _end)
    signal.setitimer(signal.ITIMER_PROF, MOST_SECONDS)
    try:
        found = _read(reader, content)
    except _TooSlowError:
        raise Finding(content, f"takes more than {MOST_SECONDS} s") from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
    if _highest() - before > MOST_MEMORY:
        raise Finding(content, f"takes {(_highest() - before) / 2**20:,.0f} MiB of memory")
    return found


def _traced(reader: Reader, content: bytes) -> TensorListing | UnreadableInputError:
    """Read one input, and add up what it allocates."""
    tracemalloc.start()
    try:
        found = _read(reader, content)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if peak > MOST_MEMORY:
        raise Finding(content, f"allocates {peak / 2**20:,.0f} MiB")
    return found


def _read(reader: Reader, content: bytes) -> TensorListing | UnreadableInputError:
    try:
        found = reader.read(MemoryFile("fuzzed", content))
    except UnreadableInputError as error:
        return error
    except Exception as error:  # whatever else a reader raises is what is looked for
        raise Finding(content, f"raises {type(error).__name__}: {error}") from error
    if not isinstance(found, TensorListing):
        raise Finding(content, f"returns {found!r}")
    return found


def _check_places(found: TensorListing, content: bytes) -> None:
    sizes = {file.path: file.size for file in found.files}
    for tensor in found.tensors:
        size = sizes.get(tensor.file, len(content)) if tensor.file is not None else len(content)
        if tensor.nbytes < 0 or (tensor.offset is not None and not 0 <= tensor.offset <= size - tensor.nbytes):
            raise Finding(content, f"lists a tensor outside of the {size} bytes of its file: {tensor}")


def _compare(reader: Reader, content: bytes, found: TensorListing | UnreadableInputError) -> None:
    """Hold a reader's answer against the oracle's."""
    assert reader.oracle is not None
    expected = reader.oracle(content)
    if isinstance(found, UnreadableInputError):
        if expected is not None and not any(re.search(reason, found.problem) for reason in reader.stricter):
            raise Finding(content, f"is refused ({found.problem}), and the oracle accepts it")
        return
    if expected is None:
        raise Finding(content, "is accepted, and the oracle refuses it")
    got = frozenset((tensor.name, tensor.shape, tensor.dtype) for tensor in found.tensors)
    if got != expected:
        raise Finding(content, f"is listed as {sorted(got)}, and by the oracle as {sorted(expected)}")


def _highest() -> int:
    """Return the most memory that this process has had, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _end(*_: object) -> None:
    raise _TooSlowError
