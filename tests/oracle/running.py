"""Two workers side by side, and what comes of holding their answers against each other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from tests.oracle import differences
from tests.oracle.differences import Difference, Explanation
from tests.oracle.questions import counted

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from tests.oracle.questions import Question

WORKER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "worker.py")
MOST_SECONDS = 1800
"""Longer than any run takes, so that a side that hangs ends."""

SHOWN = 20
"""How many sorts of faults are printed."""

WIDEST = 100
"""How many characters of a question, or of an answer, are printed."""

SETTINGS = {
    "COLUMNS": "80",
    "HF_HUB_OFFLINE": "1",
    "LC_ALL": "C.UTF-8",
    "NO_COLOR": "1",
    "OMP_NUM_THREADS": "1",  # a core for each side
    "PYTHONHASHSEED": "0",
    "PYTHONUTF8": "1",
}


class Side(NamedTuple):
    """One of the two: what it is called, where its package lies, and what else comes before all other modules."""

    name: str
    root: str
    before: str = ""


class Outcome(NamedTuple):
    """What a run found: the questions of each kind, the differences, and what explains them.

    Args:
        asked: how many questions there were, by kind.
        found: every difference, with the place of its explanation, or None: that is a fault.
        explanations: those that could explain.
    """

    asked: dict[str, int]
    found: list[tuple[Difference, int | None]]
    explanations: list[Explanation]

    @property
    def faults(self) -> list[Difference]:
        """The differences that nothing explains."""
        return [difference for difference, explained_by in self.found if explained_by is None]

    @property
    def explained(self) -> list[int]:
        """How many differences each explanation explains; the first that fits is the one."""
        places = Counter(place for _, place in self.found)
        return [places[place] for place in range(len(self.explanations))]

    def lines(self) -> Iterator[str]:
        """Yield the totals of each kind, each explanation with its number, and the first faults of each sort."""
        differing = Counter(kind for kind, _ in {(each.kind, each.question) for each, _ in self.found})
        every = Counter(each.kind for each, _ in self.found)
        wrong = Counter(each.kind for each in self.faults)
        rows = [(kind, asked, differing[kind], every[kind], wrong[kind]) for kind, asked in self.asked.items()]
        total = ("total", *(sum(column) for column in list(zip(*rows, strict=True))[1:])) if rows else ()
        yield f"{'kind':<12}{'questions':>10}{'that differ':>13}{'differences':>13}{'unexplained':>13}"
        for kind, *numbers in (*rows, total):
            yield f"{kind:<12}{numbers[0]:>10,}{numbers[1]:>13,}{numbers[2]:>13,}{numbers[3]:>13,}"
        for explanation, count in zip(self.explanations, self.explained, strict=True):
            yield f"explained: {count:,} of {explanation.kind} at {explanation.path}: {explanation.reason}"
        sorts: dict[tuple[str, str], list[Difference]] = {}
        for each in self.faults:
            sorts.setdefault((each.kind, each.where), []).append(each)
        turns: Counter[str] = Counter()
        order = {sort: (turns.update([sort[0]]), turns[sort[0]])[1] for sort in sorts}
        for kind, where in sorted(sorts, key=order.__getitem__)[:SHOWN]:  # a sort of each kind, then a second of each
            several = sorts[kind, where]
            first = several[0]
            yield f"\n{kind} {where}: {len(several):,} unexplained, such as\n  {_short(first.question)}"
            yield f"  old: {_short(first.old)}\n  new: {_short(first.new)}"
        if len(sorts) > SHOWN:
            yield f"\nand {len(sorts) - SHOWN:,} sorts more; --list FILE writes every difference"


def _short(text: str) -> str:
    text = text.replace("\n", "\\n")
    return text if len(text) <= WIDEST else f"{text[: WIDEST - 30]} … {text[-27:]}"


def run(old: Side, new: Side, asked: Sequence[Question], home: Path, explanations: list[Explanation]) -> Outcome:
    """Ask both sides at the same time, each in a process of its own, and hold their answers against each other.

    Args:
        old: the side that is right unless something is explained.
        new: the side that is asked whether it says the same.
        asked: the questions.
        home: the folder with the files that they are about; questions and answers are put into the one beside it.
        explanations: what is meant to differ.

    Raises:
        SystemExit: a side came to no end, or has no answer to a question.
    """
    papers = home.with_name(home.name + "-answers")
    papers.mkdir()
    with open(papers / "questions", "w", encoding="utf-8") as file:
        for number, question in enumerate(asked):
            line = {"id": number, "ask": question.ask, "words": question.words, "fields": dict(question.fields)}
            file.write(json.dumps(line) + "\n")
    started = [(side, papers / name, _start(side, home, papers, name)) for side, name in ((old, "old"), (new, "new"))]
    try:
        for side, answers, process in started:
            _, said = process.communicate(timeout=MOST_SECONDS)
            if process.returncode:
                raise SystemExit(f"oracle: {side.name} ended with {process.returncode}\n{said.decode()[-2000:]}")
            with open(answers, "rb") as file:
                if sum(1 for _ in file) != len(asked):
                    raise SystemExit(f"oracle: {side.name} did not answer every question")
    finally:
        for _, _, process in started:
            process.kill()
            process.wait()
    return Outcome(counted(asked), list(_judged(asked, papers, explanations)), explanations)


def _start(side: Side, home: Path, papers: Path, name: str) -> subprocess.Popen[bytes]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith(("PYTHON", "GPT2CALC_"))}
    path = os.pathsep.join(filter(None, (side.before, side.root)))
    return subprocess.Popen(
        [sys.executable, "-P", WORKER, side.root, papers / "questions", papers / name],
        cwd=home,
        env={**kept, **SETTINGS, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )


def _judged(
    asked: Sequence[Question], papers: Path, explanations: list[Explanation]
) -> Iterator[tuple[Difference, int | None]]:
    with open(papers / "old", "rb") as old, open(papers / "new", "rb") as new:
        for question, first, second in zip(asked, old, new, strict=True):
            if first == second:
                continue
            answers = (json.loads(line)["answer"] for line in (first, second))
            for path, was, now in differences.between(*answers):
                difference = Difference(question.kind, str(question), path, was, now)
                fitting = (place for place, each in enumerate(explanations) if each.explains(difference))
                yield difference, next(fitting, None)
