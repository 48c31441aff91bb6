"""Sweeps on executors: the answer is the serial one, whoever does the work, whatever happens to a worker meanwhile."""

from __future__ import annotations

import os
import signal
import threading
import time
from concurrent.futures import BrokenExecutor, Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor, process
from functools import cache
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any

import loky
import numpy as np
import pytest

import gpt2calc
from gpt2calc.errors import ConfigError, Gpt2calcError, UnreadableInputError
from gpt2calc.sweeps import running, tasks, workers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

GRID: dict[str, Any] = {
    "n_layer": range(1, 21),
    "n_embd": range(64, 1664, 128),
    "n_positions": range(128, 1153, 256),
    "vocab_size": range(1000, 51_000, 5000),
    "tied": [True, False],
}
"""20,800 rows of two structures."""

ASKED: dict[str, dict[str, Any]] = {
    "everything": {"columns": "n_layer,n_embd,vocab_size,total,mlp_share"},
    "a condition": {"columns": "all", "where": "total < 100e6 and mlp_share > 0.5"},
    "the first few": {"columns": "n_layer,total", "top": 50, "where": "n_layer % 3 == 1"},
    "sorted": {"columns": "n_layer,vocab_size", "sort": "vocab_size:desc", "where": "total < 100e6"},
}


@pytest.fixture(autouse=True)
def _small_tasks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Cut the work into many tasks, so that order and completeness have something to go wrong with."""
    monkeypatch.setattr(tasks, "ROWS", 1040)


@cache
def serial(what: str) -> dict[str, Any]:
    """Return what the sweep gives in this thread."""
    return {name: values.tolist() for name, values in gpt2calc.sweep(**ASKED[what], **GRID).items()}


def threads() -> ThreadPoolExecutor:
    """Return four threads."""
    return ThreadPoolExecutor(4)


def processes() -> ProcessPoolExecutor:
    """Return two processes."""
    return ProcessPoolExecutor(2, get_context("spawn"))


def loky_processes() -> Any:
    """Return two processes of loky, which joblib uses."""
    return loky.ProcessPoolExecutor(2)


class Late(Future[Any]):
    """A future whose task is run when somebody waits for it."""

    def __init__(self, run_all: Callable[[], None]) -> None:
        super().__init__()
        self.run_all = run_all

    def result(self, timeout: float | None = None) -> Any:
        """Return the result, after all that was waiting."""
        self.run_all()
        return super().result(timeout)


class Shuffled(Executor):
    """An executor that finishes its tasks in the wrong order."""

    def __init__(self) -> None:
        self.waiting: list[tuple[Late, Callable[..., Any], tuple[Any, ...]]] = []
        self.most = 0

    def submit(self, run: Callable[..., Any], /, *given: Any, **_: Any) -> Any:
        """Keep a task until somebody waits for any, and then do the last one first."""
        future = Late(self.run_all)
        self.waiting.append((future, run, given))
        self.most = max(self.most, len(self.waiting))
        return future

    def run_all(self) -> None:
        """Do what is waiting, the last one first."""
        while self.waiting:
            future, run, given = self.waiting.pop()
            future.set_result(run(*given))


@pytest.fixture(scope="module", params=[threads, processes, loky_processes, Shuffled], ids=lambda make: make.__name__)
def pool(request: pytest.FixtureRequest) -> Iterator[Any]:
    """Give each kind of executor, started once."""
    with request.param() as started:
        yield started


def test_an_executor_gives_the_serial_answer(pool: Any) -> None:
    """Every row once, in order, whoever computes it and in whatever order that happens."""
    for what, asked in ASKED.items():
        swept = gpt2calc.sweep(executor=pool, **asked, **GRID)
        assert (what, {name: values.tolist() for name, values in swept.items()}) == (what, serial(what))


def test_no_more_tasks_are_waiting_than_memory_is_bounded_for() -> None:
    """However long the grid is."""
    pool = Shuffled()
    gpt2calc.sweep(executor=pool, **ASKED["a condition"], **GRID)
    assert pool.most == running.IN_FLIGHT


def test_a_file_can_be_shared_out_as_well(pool: Any, tmp_path: Path) -> None:
    """Its rows are read here and counted there; an error keeps its kind and its words."""
    file = tmp_path / "configs.csv"
    file.write_text(
        "n_layer,n_embd\n" + "".join(f"{place % 50},{64 + place}\n" for place in range(200)), encoding="utf-8"
    )
    swept = gpt2calc.sweep(file=file, executor=pool, sort="total:desc", columns="all")
    assert swept["total"].tolist() == gpt2calc.sweep(file=file, sort="total:desc")["total"].tolist()
    file.write_text("n_layer,n_embd\n12,768\n-1,768\n", encoding="utf-8")
    with pytest.raises(UnreadableInputError, match="row 2: n_layer must be a whole number, 0 or more, got -1"):
        gpt2calc.sweep(file=file, executor=pool)


# ---------------------------------------------------------------- what goes wrong


def slow(plan: tasks.Plan, start: int, stop: int) -> tasks.Chunk:
    """Run a task, and take a while for it."""
    time.sleep(0.05)
    return tasks.run(plan, start, stop)


def killing(plan: tasks.Plan, start: int, stop: int) -> tasks.Chunk:
    """Run a task, but in the middle of all be killed as the kernel does when memory is short."""
    if start == 12_480:
        os.kill(os.getpid(), signal.SIGKILL)
    return slow(plan, start, stop)


@pytest.mark.parametrize("executor", [processes, loky_processes], ids=lambda make: make.__name__)
def test_a_pool_that_loses_a_worker_gives_no_answer(
    executor: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Pools of processes give up then; that is told with the rows that are missing, and half an answer is none."""
    monkeypatch.setattr(tasks, "run", killing)
    with (
        executor() as pool,
        pytest.raises(Gpt2calcError, match=r"^the executor failed at rows [\d,]+ to [\d,]+, so there is no"),
    ):
        gpt2calc.sweep(executor=pool, **ASKED["everything"], **GRID)


class Failing:
    """An executor that cannot take a task."""

    def submit(self, *_: Any) -> Any:
        """Refuse."""
        raise BrokenExecutor("the pool is gone")


class Lying:
    """An executor that answers with what it computed before."""

    def __init__(self) -> None:
        self.first: Any = None

    def submit(self, run: Callable[..., Any], *given: Any) -> Any:
        """Run the first task, and give its result for the others."""
        self.first = self.first or run(*given)
        future: Future[Any] = Future()
        future.set_result(self.first)
        return future


def test_what_nobody_waits_for_breaks_no_pool() -> None:
    """Where a sweep is ended amid its tasks, no thread of the pool ends in an error, which Python would print."""
    for _ in range(4):  # each time by chance
        pool = workers.Workers(2)
        waiting = [pool.submit(time.sleep, 0.1) for _ in range(8)]
        waiting[0].result()
        for task in waiting:
            task.cancel()
        pool.kill()


@pytest.mark.parametrize("trips", ["terminate_broken", "wait_result_broken_or_wakeup"])
def test_a_pool_that_trips_over_itself_is_broken_and_says_nothing(
    trips: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """Python's own does by chance where a worker is killed while others are born: nobody waits for it for ever."""

    def trip(*_: Any) -> None:
        raise RuntimeError("dictionary changed size during iteration")

    monkeypatch.setattr(process._ExecutorManagerThread, trips, trip)
    with workers.workers(2) as pool:
        assert pool is not None
        task = pool.submit(time.sleep, 60)
        for each in pool._all():
            each.kill()
        with pytest.raises(process.BrokenProcessPool) as caught:
            task.result()
    assert str(caught.value.__cause__) == "dictionary changed size during iteration"
    assert not pool.hear(threading.ExceptHookArgs((ValueError, ValueError("of nobody's"), None, None)))
    assert capfd.readouterr().err == ""


def test_an_executor_that_fails_is_told_in_a_sentence() -> None:
    """With the kind of error and its words."""
    with pytest.raises(
        Gpt2calcError, match=r"^the executor failed at rows 0 to 1,040, .* BrokenExecutor: the pool is gone$"
    ):
        gpt2calc.sweep(executor=Failing(), **ASKED["everything"], **GRID)


def test_a_result_that_was_not_asked_for_is_refused() -> None:
    """No range of rows is taken twice for another."""
    with pytest.raises(Gpt2calcError, match="the executor gave rows 0 to 1,040 where 1,040 to 2,080 were asked for"):
        gpt2calc.sweep(executor=Lying(), **ASKED["the first few"], **GRID)


def test_what_is_wrong_with_the_question_needs_no_executor() -> None:
    """It is said before any task is sent."""
    with pytest.raises(ConfigError, match="no column is called"):
        gpt2calc.sweep(executor=Failing(), where="totl > 1", **GRID)


# ---------------------------------------------------------------- a cluster


@pytest.fixture(scope="module")
def cluster() -> Iterator[Any]:
    """Give a client of a local Dask cluster, whose scheduler and workers talk over TCP."""
    dask = pytest.importorskip("dask")
    distributed = pytest.importorskip("distributed")
    settings = {"distributed.worker.daemon": False, "distributed.comm.timeouts.connect": "30s"}
    with (
        dask.config.set(settings),
        distributed.LocalCluster(
            n_workers=2,
            threads_per_worker=1,
            processes=True,
            protocol="tcp://",
            dashboard_address=None,
            silence_logs=50,
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client


@pytest.mark.filterwarnings("ignore::Warning")  # what a cluster says of itself is not ours to judge
@pytest.mark.parametrize("what", ["a condition", "the first few"])
def test_a_dask_cluster_gives_the_serial_answer(cluster: Any, what: str) -> None:
    """Over TCP, by the executor that a client gives."""
    assert cluster.scheduler.address.startswith("tcp://")
    swept = gpt2calc.sweep(executor=cluster.get_executor(), **ASKED[what], **GRID)
    assert {name: values.tolist() for name, values in swept.items()} == serial(what)


@pytest.mark.filterwarnings("ignore::Warning")  # see above
def test_a_worker_killed_in_mid_sweep_loses_and_doubles_nothing(cluster: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The cluster gives its tasks to another; the answer is the serial one, every row once."""
    expected = serial("everything")
    monkeypatch.setattr(tasks, "run", slow)
    workers = cluster.run(os.getpid)
    done = threading.Event()

    def kill() -> None:
        done.wait(0.3)
        os.kill(next(iter(workers.values())), signal.SIGKILL)

    killer = threading.Thread(target=kill)
    killer.start()
    swept = gpt2calc.sweep(executor=cluster.get_executor(), **ASKED["everything"], **GRID)
    was_running = killer.is_alive()
    done.set()
    killer.join()
    assert not was_running, "the sweep was over before the worker was killed"
    assert not np.any([os.path.exists(f"/proc/{pid}/exe") for pid in list(workers.values())[:1]])
    assert {name: values.tolist() for name, values in swept.items()} == expected
