"""The processes that share a sweep: they hear no signal that is meant for all, and outlive nobody.

A signal to the whole group reaches the process that waits for them, and that ends them. Where it is gone without a
word, they see that, and go as well.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from concurrent.futures import ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

DEAF_TO = (signal.SIGINT, signal.SIGTERM)


class Workers(ProcessPoolExecutor):
    """An executor of processes that are deaf to Ctrl-C and SIGTERM from their first instruction on.

    Where one of them is killed, all are, and no result is waited for: a pool of Python's waits for ever when the one
    that dies was writing a result, or was to read a task, since it holds the other ends of its pipes itself.
    """

    def __init__(self, jobs: int) -> None:
        import multiprocessing

        # Not forkserver: its server would hear what its children do not, and a pool without it is broken.
        super().__init__(jobs, multiprocessing.get_context("spawn"), _begin)
        self._watch: threading.Thread | None = None
        self._manager: Any = None
        self._ends = False
        self._is_broken = False
        self._breaking = threading.Lock()
        # The pool forgets them when it shuts down, which it may while it is broken.
        self._pipes: list[Any] = [self._result_queue._writer]  # type: ignore[attr-defined]  # noqa: SLF001
        if sys.version_info < (3, 11, 5):  # later ones close it themselves, and twice would close another's file
            self._pipes.append(self._call_queue._reader)  # type: ignore[attr-defined]  # noqa: SLF001
        self.fault: BaseException | None = None

    def submit(self, *task: Any, **more: Any) -> Any:
        """Submit a task; it is here that processes are started."""
        with _deaf():
            future = super().submit(*task, **more)
            self._manager = self._executor_manager_thread
            # With the first task, before which the pool has no processes to watch.
            if self._watch is None:
                self._watch = threading.Thread(target=self._look, daemon=True)
                self._watch.start()
        if self._is_broken:  # one that was born while the others were killed holds their pipes open
            self._break(self._all())
        return _Task(future, self)

    @property
    def is_over(self) -> bool:
        """Whether nobody is there any more who says what a task gave."""
        return self.fault is not None or (self._manager is not None and not self._manager.is_alive())

    def hear(self, told: threading.ExceptHookArgs) -> bool:
        """Keep what ended a thread of this pool, instead of a traceback; False of another's.

        That of Python's pool trips over itself where a process is killed while others are born or tasks are given.
        """
        own = (self._manager or self._executor_manager_thread, self._watch)
        if is_own := told.thread is not None and told.thread in own:
            self.fault = told.exc_value
        return is_own

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:  # noqa: FBT001, FBT002  # as it is
        """Let the processes end when they have nothing more to do."""
        # First of all, or the watch would take processes that end as they should for some that were killed.
        self._ends = True
        super().shutdown(wait, cancel_futures=cancel_futures)

    def kill(self) -> None:
        """End every process at once, whatever it does, and wait for none but them."""
        # Asked for before the pool forgets them, which it does when it shuts down.
        processes = self._all()
        self._break(processes)
        self.shutdown(cancel_futures=True)
        for process in processes:
            process.join()

    def _look(self) -> None:
        """Watch the processes, of which none should end before its time."""
        from multiprocessing.connection import wait

        while not self._ends:
            processes = self._all()
            # A second at a time, since the pool may have started more processes than these.
            if wait([process.sentinel for process in processes], 1) and not self._ends:
                self._is_broken = True
                self._break(self._all())
                return

    def _all(self) -> list[Any]:
        return list((self._processes or {}).values())

    def _break(self, processes: list[Any]) -> None:
        with self._breaking:  # two threads can find it broken
            for process in processes:
                process.kill()
            # As long as this process holds their ends itself, its reads and writes wait for processes that are gone.
            for end in self._pipes:
                with suppress(OSError):
                    end.close()


class _Task:
    """A task of these processes. None but the pool takes it back: one that breaks trips over what others took back.

    What it gives is waited for as long as there is a thread of the pool that could say so.
    """

    def __init__(self, future: Any, pool: Workers) -> None:
        self._future, self._pool = future, pool

    def result(self) -> Any:
        """Wait for what the task gives.

        Raises:
            BrokenProcessPool: the pool ended without a word.
        """
        is_over = False
        while not wait([self._future], 0 if is_over else 0.2).done:
            if is_over:
                raise BrokenProcessPool("A child process terminated abruptly") from self._pool.fault
            is_over = self._pool.is_over
        return self._future.result()

    def cancel(self) -> bool:
        """Leave it: whoever ends the pool takes all of them back."""
        return False


@contextmanager
def workers(jobs: int) -> Iterator[Workers | None]:
    """Give an executor of so many processes, None for one; they are gone afterwards, at once where an error came."""
    if jobs <= 1:
        yield None
        return
    pool, before = Workers(jobs), threading.excepthook
    threading.excepthook = lambda told: None if pool.hear(told) else before(told)
    try:
        yield pool
        pool.shutdown(cancel_futures=True)
    except BaseException:
        pool.kill()
        raise
    finally:
        threading.excepthook = before


@contextmanager
def _deaf() -> Iterator[None]:
    """Hold signals back for a moment, where the system can: who is born in it never hears them."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, DEAF_TO)
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def _begin() -> None:
    """Begin the life of a worker: pass Ctrl-C over, and watch whether the parent lives."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_follow, daemon=True).start()


def _follow() -> None:
    """Wait for the parent to end, and end too."""
    from multiprocessing import parent_process

    parent = parent_process()
    if parent is not None:
        parent.join()
        # `sys.exit` would end only this thread.
        os._exit(1)
