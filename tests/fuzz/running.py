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
    from tests.fuzz.rows import Reader

MOST_SECONDS = 1.0
"""Processor time that one input may take."""

MOST_MEMORY = 64 * 2**20
"""Bytes that the reading of one input may allocate. Seeds are small, so this is far less than a large file may take."""

SAMPLE = 500
"""Every so many inputs, allocations are traced: that is exact, and slow."""


class Tally(NamedTuple):
    """What a run came to.

    Args:
        inputs: how many inputs were read, the seeds apart.
        accepted: how many of them were listed.
        stricter: how many were refused on purpose, and the oracle accepts them; of all others it said the same.
        seconds: how long the run took.
        slowest: the processor time that one input took at most, in seconds.
        peak: the bytes that the reading of one of every `SAMPLE` inputs allocated at most.
        highest: the bytes that the process had at most, Python and the oracle among them.
    """

    inputs: int
    accepted: int
    stricter: int
    seconds: float
    slowest: float
    peak: int
    highest: int

    @property
    def refused(self) -> int:
        """How many inputs ended in an error."""
        return self.inputs - self.accepted


class Finding(Exception):  # noqa: N818 - a finding is what fuzzing is for, and no error of the fuzzer
    """An input that a reader fails on."""

    def __init__(self, content: bytes, problem: str) -> None:
        super().__init__(problem)
        self.content = content
        self.problem = problem


class _TooSlowError(BaseException):
    """Raised by the timer. No reader catches it by catching every Exception."""


def run(reader: Reader, count: int, seed: int) -> Tally:
    """Feed a reader with its seeds, and then with mutated ones.

    Args:
        reader: the row of the reader.
        count: how many mutated files to make.
        seed: the seed of the random generator: the same seed, the same files.

    Raises:
        Finding: the reader fails on an input.
    """
    chance = random.Random(seed)
    seeds = tuple(reader.seeds())
    for content in seeds:
        if isinstance(_judged(reader, content, _traced(reader, content)[0])[0], UnreadableInputError):
            raise Finding(content, "a seed is refused")
    mutations = (*ANY, *reader.mutations)
    accepted = stricter = peak = 0
    slowest, start = 0.0, time.perf_counter()
    for number in range(count):
        content = mutated(seeds, mutations, chance)
        if number % SAMPLE:
            read, seconds = _timed(reader, content)
            slowest = max(slowest, seconds)
        else:
            read, allocated = _traced(reader, content)
            peak = max(peak, allocated)
        found, on_purpose = _judged(reader, content, read)
        accepted += isinstance(found, TensorListing)
        stricter += on_purpose
    return Tally(count, accepted, stricter, time.perf_counter() - start, slowest, peak, _highest())


def _judged(
    reader: Reader, content: bytes, found: TensorListing | UnreadableInputError
) -> tuple[TensorListing | UnreadableInputError, bool]:
    """Return what a reader found, and whether it refused on purpose what the oracle accepts."""
    if isinstance(found, TensorListing):
        _check_places(found, content)
    return found, reader.oracle is not None and _compare(reader, content, found)


def _timed(reader: Reader, content: bytes) -> tuple[TensorListing | UnreadableInputError, float]:
    """Read one input, and return the seconds that it took."""
    before, start = _highest(), time.process_time()
    found = _ended(reader, content, MOST_SECONDS)
    seconds = time.process_time() - start
    if _highest() - before > MOST_MEMORY:
        raise Finding(content, f"takes {(_highest() - before) / 2**20:,.0f} MiB of memory")
    return found, seconds


def _traced(reader: Reader, content: bytes) -> tuple[TensorListing | UnreadableInputError, int]:
    """Read one input, which takes several times as long, and return the bytes that it allocates."""
    tracemalloc.start()
    try:
        found = _ended(reader, content, 10 * MOST_SECONDS)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    if peak > MOST_MEMORY:
        raise Finding(content, f"allocates {peak / 2**20:,.0f} MiB")
    return found, peak


def _ended(reader: Reader, content: bytes, seconds: float) -> TensorListing | UnreadableInputError:
    """Read one input, with a timer that ends even an endless loop."""
    signal.signal(signal.SIGPROF, _end)
    signal.setitimer(signal.ITIMER_PROF, seconds)
    try:
        return _read(reader, content)
    except _TooSlowError:
        raise Finding(content, f"takes more than {seconds} s") from None
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)


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
    """Raise where a tensor lies outside of its file; of a file that is not listed, the size is not known."""
    sizes: dict[str | None, int] = {None: len(content), **{file.path: file.size for file in found.files}}
    for tensor in found.tensors:
        offset, size = tensor.offset or 0, sizes.get(tensor.file)
        if tensor.nbytes < 0 or offset < 0 or (size is not None and offset + tensor.nbytes > size):
            raise Finding(content, f"lists a tensor outside of the {size} bytes of its file: {tensor}")


def _compare(reader: Reader, content: bytes, found: TensorListing | UnreadableInputError) -> bool:
    """Hold a reader's answer against the oracle's, and return whether the reader is stricter on purpose."""
    assert reader.oracle is not None
    expected = reader.oracle(content)
    if isinstance(found, UnreadableInputError):
        if expected is None:
            return False
        if not any(re.search(reason, found.problem) for reason in reader.stricter):
            raise Finding(content, f"is refused ({found.problem}), and the oracle accepts it")
        return True
    if expected is None:
        raise Finding(content, "is accepted, and the oracle refuses it")
    got = frozenset((tensor.name, tensor.shape, tensor.dtype) for tensor in found.tensors)
    if got != expected:
        raise Finding(content, f"is listed as {sorted(got)}, and by the oracle as {sorted(expected)}")
    return False


def _highest() -> int:
    """Return the most memory that this process has had, in bytes."""
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def _end(*_: object) -> None:
    raise _TooSlowError
