"""The budget of the tests: where it stands, what belongs to which kind, and a clock that adds up."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from fnmatch import fnmatchcase
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gpt2calc.architectures import FILES
from tests import budget, wide
from tests.loops import of_each

TESTS = Path(__file__).resolve().parent
MOST_SECONDS = 375
"""CPU seconds of all kinds together: three minutes on two cores, and what it takes to start."""


def test_contributing_shows_the_budget() -> None:
    """Each kind has its row, and there is no other."""
    page = (TESTS.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = [f"| {each.name} | {each.seconds} |" for each in (budget.FINDING, *budget.KINDS)]
    table = page[page.index("| kind of test | CPU seconds |") :].partition("\n\n")[0]
    assert table.splitlines()[2:] == rows


def test_nobody_raises_the_whole_budget_by_raising_a_part() -> None:
    """Who needs more for one kind finds it in another."""
    assert sum(each.seconds for each in (budget.FINDING, *budget.KINDS)) <= MOST_SECONDS


@of_each("kind", budget.KINDS)
def test_every_kind_has_files(kind: budget.Kind) -> None:
    """No pattern is misspelled, and none comes after one that takes all of its files."""
    files = {f"tests/{path.relative_to(TESTS).as_posix()}" for path in TESTS.rglob("test_*.py")}
    assert any(budget.kind(name) is kind for name in (*files, "gpt2calc/dims.py"))


class Lines:
    """Where a clock prints to."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def section(self, title: str) -> None:
        """Take a heading."""
        self.lines.append(title)

    write_line = section


def test_a_clock_adds_up_by_kind_and_marks_what_costs_more_than_it_may() -> None:
    """What a worker needed to start, and each report of a test, are in one of the rows, and in the sum."""
    clock, shown = budget.Clock(), Lines()
    for path, cost in (("tests/page/test_x.py", 80.0), ("tests/page/test_y.py", 6.0), ("tests/test_sweep_x.py", 1.5)):
        clock.pytest_runtest_logreport(SimpleNamespace(fspath=path, cpu=cost))
    clock.pytest_testnodedown(SimpleNamespace(workeroutput={"cpu": 2.0}))
    clock.pytest_terminal_summary(shown)  # type: ignore[arg-type]  # it writes lines, and nothing else is asked of it
    assert [line.split("  ")[0] for line in shown.lines] == [
        *("CPU seconds", budget.FINDING.name, "the page, in a browser", "sweeps", "in all")
    ]
    assert [line.endswith("more than it may") for line in shown.lines] == [False, False, True, False, False]
    assert " 89.5 of " in shown.lines[-1]


def test_a_lap_is_what_was_spent_since_the_last() -> None:
    """Work of this process counts, and none of it twice."""
    clock = budget.Clock()
    begin = clock.last
    while budget.spent() - begin < 0.05:
        sum(range(10_000))
    laps = [clock.lap(), clock.lap()]
    assert laps[0] >= 0.05
    assert sum(laps) == pytest.approx(clock.last - begin)


def test_the_cost_of_a_program_that_was_started_is_counted(program: Any) -> None:
    """When it has ended."""
    clock = budget.Clock()
    assert program("--version").returncode == 0
    assert clock.lap() > 0


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="only Linux tells what a program costs that runs")
def test_the_cost_of_a_program_that_runs_is_counted_and_stays_counted() -> None:
    """As that of a browser, which is killed and waits for none of its own processes; nothing is taken off for it."""
    clock = budget.Clock()
    inner = "while True: pass"
    outer = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {inner!r}])"
    with subprocess.Popen([sys.executable, "-c", outer], start_new_session=True) as running:
        while budget.spent() - clock.last < 0.3:
            time.sleep(0.02)
        assert clock.lap() >= 0.3
        os.killpg(running.pid, signal.SIGKILL)
    assert clock.lap() >= 0


# What is asked of few


def test_every_file_of_architectures_is_asked_of_one_model_type() -> None:
    """So that every kind of layer comes; the one that gave a file its name, where there is one."""
    assert sorted({FILES[name] for name in (*wide.FEW_TYPES, "gpt2")}) == sorted({*FILES.values()})
    assert len(wide.FEW_TYPES) == len({*FILES.values()}) - 1
    assert {"llama", "mamba", "deepseek_v3"} < {*wide.FEW_TYPES}


def test_a_test_of_every_model_type_is_asked_of_few_and_one_of_some_of_all_of_them() -> None:
    """As of those that the table says nothing of."""
    every = [{"model_type": name} for name in FILES]
    few = [case["model_type"] for case, said in zip(every, wide.asked(every, None), strict=True) if said]
    assert sorted(few) == sorted({*wide.FEW_TYPES, "gpt2"})
    assert all(wide.asked(every[: wide.MOST_FEW], None))


def test_by_turns_the_first_and_the_last_case_are_asked() -> None:
    """And one of so many between them."""
    found = wide.asked([{}] * 9, wide.Narrowed("", 3))
    assert [nth for nth, said in enumerate(found) if said] == [0, 3, 6, 8]


def test_by_turns_every_value_that_comes_again_is_asked() -> None:
    """Three formats of four commands, where every third case has the same format."""
    cases = [{"command": command, "form": form} for command in "abcd" for form in ("json", "csv", "text")]
    found = [case for case, said in zip(cases, wide.asked(cases, wide.Narrowed("", 3)), strict=True) if said]
    assert {case["form"] for case in found} == {"json", "csv", "text"}
    assert {case["command"] for case in found} == {*"abcd"}
    assert len(found) < len(cases) / 1.5


def test_by_values_the_cases_are_asked_that_have_one_of_them() -> None:
    """A test of which none has one is asked of all: its parameter is something else."""
    cases, rule = [{"name": "a"}, {"name": "b"}, {}], wide.Narrowed("", ("name", ("b",)))
    assert wide.asked(cases, rule) == [False, True, False]
    assert wide.asked(cases[:1], rule) == [True]


@of_each("rule", wide.NARROWED)
def test_what_is_asked_of_few_is_a_test(rule: wide.Narrowed) -> None:
    """No name is misspelled, and no test in the table is gone."""
    file, _, name = rule.tests.partition("::")
    found = re.findall(r"def (test_\w+)\(", (TESTS / file).read_text(encoding="utf-8"))
    assert any(fnmatchcase(each, name) for each in found)
