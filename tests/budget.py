"""What each kind of test may cost, in seconds of CPU time; `pytest --cpu` prints what each did cost, beside it.

CPU time is that of a test and of the programs it starts. It hardly depends on what else a machine does, as the time on
a clock does, and nothing is asserted about it: a kind that costs more than it may is marked, for whoever added to it.
"""

from __future__ import annotations

import os
from collections import defaultdict
from contextlib import suppress
from fnmatch import fnmatchcase
from glob import glob
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator


class Kind(NamedTuple):
    """A kind of test.

    Args:
        name: what it is called.
        seconds: of CPU time, what all of it may cost.
        files: patterns of where it stands, under tests/; of two kinds that fit, the first is meant.
    """

    name: str
    seconds: int
    files: str


FINDING = Kind("starting, and finding the tests, in each worker", 16, "")

KINDS = (
    Kind("the page, in a browser", 80, "page/*"),
    Kind("architectures", 45, "architectures/*"),
    Kind("costs", 14, "costs/*"),
    Kind("laws, on random models", 12, "property/*"),
    Kind("pictures and charts", 24, "test_plot*"),
    Kind("docs, examples, schemas", 18, "test_docs* test_golden* test_schemas* test_site* test_repo*"),
    Kind("figures, designs, claims", 15, "test_expl* test_fig* test_printed* test_des* test_claim*"),
    Kind("sweeps", 22, "test_sweep*"),
    Kind("the command line, and what it loads", 16, "test_cli* test_compl* test_imp* test_out* test_public*"),
    Kind("the hub and the network", 10, "test_hub* test_transport* test_answers*"),
    Kind("hostile files", 16, "test_hostile* test_fuzz*"),
    Kind("verdicts, planted faults", 20, "test_ver* test_faults* test_val* test_ty* test_live* test_evi* test_dial*"),
    Kind(
        "readers of files",
        25,
        "test_safe* test_torch* test_pick* test_zips* test_gguf* test_llama* test_tensorflow* test_leveldb* test_llmc* "
        "test_shards* test_folders* test_formats* test_layout* test_strict* test_state* test_good* test_nothing*",
    ),
    Kind("the package's own examples", 4, "*/gpt2calc/* gpt2calc/*"),
    Kind("counts, and all the rest", 32, "*"),
)
"""The budget: in all, three minutes on two cores. CONTRIBUTING.md shows it."""


def kind(path: str) -> Kind:
    """Return the kind of the tests in a file."""
    place = path.removeprefix("tests/")
    return next(each for each in KINDS if any(fnmatchcase(place, pattern) for pattern in each.files.split()))


def started(process: int | str) -> Iterator[str]:
    """Find the processes that one started, and those that these did, which run; none where no Linux tells."""
    for place in glob(f"/proc/{process}/task/*/children"):
        with suppress(OSError), open(place, encoding="ascii") as listed:  # it may have ended meanwhile
            for child in listed.read().split():
                yield child
                yield from started(child)


def used(process: str) -> float:
    """Return the CPU time of a process so far, and of the processes that it started and that have ended."""
    try:
        with open(f"/proc/{process}/stat", encoding="utf-8", errors="replace") as stat:
            numbers = stat.read().rpartition(")")[2].split()[11:15]
    except OSError:
        return 0
    return sum(map(int, numbers)) / os.sysconf("SC_CLK_TCK")


def spent() -> float:
    """Return the CPU time of this process so far, and of the programs that it started, ended or not."""
    return sum(os.times()[:4]) + sum(map(used, started("self")))


class Clock:
    """Says with each test what the time since the last one cost, and in the end what each kind did.

    A worker of xdist has a clock of its own, whose reports come to the one that prints.
    """

    def __init__(self) -> None:
        self.last = spent()
        self.costs: dict[str, float] = defaultdict(float)

    def lap(self) -> float:
        """Return what was spent since this was last asked.

        That is never less than nothing: a program for whose end nobody waited takes what it cost along, and a browser
        waits for none of its own.
        """
        before, self.last = self.last, spent()
        return max(0, self.last - before)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self) -> Generator[None, Any, Any]:
        """Write the cost of a test, with its set-up and tear-down, into the report of the last of these."""
        report = yield
        report.cpu = self.lap() if report.when == "teardown" else 0  # where a browser runs, to ask costs milliseconds
        return report

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        """Note what it cost to start, and to find the tests."""
        cost = self.last = spent()
        if hasattr(session.config, "workeroutput"):
            session.config.workeroutput["cpu"] = cost
        self.costs[FINDING.name] += cost

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Add what it cost a worker to start."""
        self.costs[FINDING.name] += getattr(node, "workeroutput", {}).get("cpu", 0)

    def pytest_runtest_logreport(self, report: Any) -> None:
        """Add the cost of a report to its kind."""
        self.costs[kind(report.fspath).name] += report.cpu

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        """Print each kind with what it cost and what it may."""
        terminalreporter.section("CPU seconds")
        for each in (FINDING, *KINDS):
            if cost := self.costs[each.name]:
                over = "  more than it may" * (cost > each.seconds)
                terminalreporter.write_line(f"{each.name:48}{cost:8.1f} of {each.seconds:3}{over}")
        whole, most = sum(self.costs.values()), sum(each.seconds for each in (FINDING, *KINDS))
        terminalreporter.write_line(f"{'in all':48}{whole:8.1f} of {most:3}")
