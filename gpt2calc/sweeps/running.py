"""Tasks run one by one, or on any `concurrent.futures.Executor`: results in order, each there exactly once.

It must not know what a task is, beyond that it has a range of rows and that its result says which.
"""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from gpt2calc.errors import Gpt2calcError, shortened

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

IN_FLIGHT = 16
"""How many tasks are with an executor at once, so that results that wait for their turn take a bounded room."""


class Ranged(Protocol):
    """A result that says which rows it is about."""

    @property
    def start(self) -> int:
        """The first row."""

    @property
    def stop(self) -> int:
        """One past the last row."""


R = TypeVar("R", bound=Ranged)


def in_order(
    run: Callable[..., R], plan: object, ranges: Iterable[tuple[Any, ...]], executor: Any = None
) -> Iterator[R]:
    """Yield the result of each range, in the order of the ranges.

    Args:
        run: what is called with the plan and a range; it gives the same result wherever and however often it is run.
        plan: what is sent along.
        ranges: the first row of each range, one past its last, and what else is sent; they follow on each other.
        executor: any `concurrent.futures.Executor`; None for this thread.

    Raises:
        Gpt2calcError: the executor failed, or gave a result that was not asked for; errors of `run` come as they are.
    """
    if executor is None:
        for start, stop, *more in ranges:
            yield _checked(run(plan, start, stop, *more), start, stop)
        return
    waiting: deque[tuple[int, int, Any]] = deque()
    try:
        for start, stop, *more in ranges:
            waiting.append((start, stop, _submitted(executor, run, plan, start, stop, *more)))
            if len(waiting) == IN_FLIGHT:
                yield _result(*waiting.popleft())
        while waiting:
            yield _result(*waiting.popleft())
    except Gpt2calcError as error:
        from concurrent.futures import BrokenExecutor  # only executors need it

        if isinstance(error.__cause__, BrokenExecutor):
            waiting.clear()  # a pool of Python's that breaks trips over a task that is taken back meanwhile
        raise
    finally:
        for _, _, future in waiting:
            future.cancel()


def ranges(start: int, stop: int, step: int) -> Iterator[tuple[int, int]]:
    """Yield ranges of so many rows, the last one shorter, that cover all rows once.

    >>> list(ranges(0, 10, 4))
    [(0, 4), (4, 8), (8, 10)]
    """
    for begin in range(start, stop, step):
        yield begin, min(begin + step, stop)


def _submitted(executor: Any, run: Callable[..., R], plan: object, start: int, stop: int, *more: Any) -> Any:
    try:
        return executor.submit(run, plan, start, stop, *more)
    except Exception as error:  # whatever an executor of somebody's own raises
        raise _failed(error, start, stop) from error


def _result(start: int, stop: int, future: Any) -> Any:
    from concurrent.futures import CancelledError  # only executors need it

    try:
        found = future.result()
    except Gpt2calcError:
        raise
    except (Exception, CancelledError) as error:
        raise _failed(error, start, stop) from error
    return _checked(found, start, stop)


def _failed(error: BaseException, start: int, stop: int) -> Gpt2calcError:
    said = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return Gpt2calcError(f"the executor failed at rows {start:,} to {stop:,}, so there is no result: {shortened(said)}")


def _checked(found: R, start: int, stop: int) -> R:
    if (found.start, found.stop) != (start, stop):
        raise Gpt2calcError(
            f"the executor gave rows {found.start:,} to {found.stop:,} where {start:,} to {stop:,} were asked for"
        )
    return found
