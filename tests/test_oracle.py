"""The oracle reports what differs between two sides and nothing else, and what it does not explain is a fault."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.oracle import differences
from tests.oracle.__main__ import EXPLAINED, miscounted, tree
from tests.oracle.differences import NOTHING, Difference, Explanation, between
from tests.oracle.frozen import FROZEN
from tests.oracle.questions import Question, questions
from tests.oracle.running import Outcome, Side, run
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from pathlib import Path

PLANTED = """
import gpt2calc
gpt2calc.ParameterCount.__repr__ = lambda count: "planted"
gpt2calc.explain = None
"""
"""What one side does before anything is asked: it shows counts otherwise, and cannot be asked what a figure counts."""


@pytest.fixture(scope="module")
def outcome(tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Hold the tree against itself with a difference planted, on a small sample of all questions."""
    folder = tmp_path_factory.mktemp("oracle")
    (folder / "home").mkdir()
    (folder / "sitecustomize.py").write_text(PLANTED)
    planted = tree()._replace(name="planted", before=str(folder))
    found = questions(folder / "home", many=30, part=0.01)
    # One of these would load transformers on each side, one search all models, and one build the page on each.
    dear = () if IS_WIDE else ("page",)
    wanted = [each for each in found if each.kind not in dear and not each.about.startswith("a config alone")]
    asked = [each for each in wanted if not is_of_any_model(each)]
    return run(tree(), planted, asked, folder / "home", [])


def is_of_any_model(question: Question) -> bool:
    """Whether it asks what a figure is of, and names no model."""
    return question.kind == "explain" and len(question.words) == 1 and not question.fields


def test_a_planted_difference_is_reported_and_nothing_else_is(outcome: Outcome) -> None:
    """Two processes give the same answers to the same questions; a call that one side does not have differs."""
    assert {(each.kind, each.where) for each in outcome.faults} == {
        *((kind, "shown") for kind in ("config", "file", "preset", "changed")),
        ("explain", "answer"),
        ("public", "explain"),
    }
    assert {each.new for each in outcome.faults if each.path == "shown"} == {"planted"}
    assert "planted" in "\n".join(outcome.lines())


def test_the_sample_asks_every_kind_of_question(outcome: Outcome) -> None:
    """Of most configs something is counted, and some are refused alike by both."""
    assert outcome.asked.keys() == {
        *("public", "presets", "conventions", "claims", "preset", "config", "file", "changed", "formula"),
        *("explain", "design", "sweep", "checkpoint", "command"),
        *(("page",) if IS_WIDE else ()),
    }
    assert 15 < sum(each.kind == "config" for each in outcome.faults) < 30


def test_what_is_explained_is_no_fault(outcome: Outcome) -> None:
    """An explanation takes away what it matches and nothing else; a number that is not the recorded one is told."""
    shown = Explanation("config", "shown", ".*", "<Parameter.*", "planted", "Counts are shown otherwise.", 1)
    found = [(each, 0 if shown.explains(each) else None) for each in outcome.faults]
    judged = outcome._replace(found=found, explanations=[shown])
    assert {each.kind for each in judged.faults} == {"file", "preset", "changed", "explain", "public"}
    assert len(judged.faults) + judged.explained[0] == len(outcome.faults)
    assert "run with --record" in miscounted(judged)[0]
    assert miscounted(judged._replace(explanations=[shown._replace(recorded=judged.explained[0])])) == []
    assert "take the explanation out" in miscounted(judged._replace(found=[]))[0]


def test_questions_are_the_same_each_time(tmp_path: Path) -> None:
    """So that a run can be repeated, and its numbers recorded."""
    first, second = ([*map(str, questions(_folder(tmp_path / name), many=50, part=0.002))] for name in "ab")
    assert first == second


def _folder(path: Path) -> Path:
    path.mkdir()
    return path


def test_a_side_whose_package_comes_from_elsewhere_is_no_side(tmp_path: Path) -> None:
    """Else a package that is not there would be compared with itself."""
    (tmp_path / "home").mkdir()
    (tmp_path / "empty").mkdir()
    with pytest.raises(SystemExit, match=r"gpt2calc came from .*, expected it from .*empty|No module named 'gpt2calc'"):
        run(tree(), Side("nothing", str(tmp_path / "empty")), [Question("public", "public")], tmp_path / "home", [])


def refused(says: str) -> dict[str, object]:
    """Return the answer that an error is."""
    return {"raises": "E", "says": says, "exit_code": 2}


@pytest.mark.parametrize(
    ("old", "new", "found"),
    [
        ({"a": 1}, {"a": 1}, []),
        ({"a": 1}, {"a": True}, [("a", "1", "true")]),
        ({"a": {"b": 1}}, {"a": {"b": 2, "c": 3}}, [("a.b", "1", "2"), ("a.c", NOTHING, "3")]),
        ({"a": [1, 2]}, {"a": [1, 3]}, [("a[1]", "2", "3")]),
        ({"a": [1, 2, 3]}, {"a": [1, 3]}, [("a[1:2]", "[2]", NOTHING)]),
        ("one\ntwo\n", "one\n2\n", [("[1]", "two", "2")]),
        ({"total": 1}, refused("no"), [("answer", '{"total": 1}', "E (2): no")]),
        (refused("no"), refused("never"), [("answer", "E (2): no", "E (2): never")]),
    ],
)
def test_differences_are_told_value_by_value(old: object, new: object, found: list[tuple[str, str, str]]) -> None:
    """With the path to the value; an answer beside an error differs as a whole."""
    assert list(between(old, new)) == found


def test_what_is_committed_can_be_read() -> None:
    """Every explanation has a reason and patterns, and the file is as the oracle would record it."""
    for each in differences.read(EXPLAINED):
        assert each.recorded
        assert each.reason
        for pattern in (each.path, each.question, each.old, each.new):
            re.compile(pattern)


def test_an_explanation_that_says_nothing_is_refused(tmp_path: Path) -> None:
    """It must have a reason, and no key that is not read."""
    path = tmp_path / "explained.toml"
    table = '[[explained]]\nkind = "page"\npath = ".*"\nreason = "{}"\ncount = 0\n'
    path.write_text(table.format("why") * 2)
    assert differences.read(path)[0].explains(Difference("page", "page()", "[3]", "a", "b"))
    differences.record(path, [4, 5])
    assert [each.recorded for each in differences.read(path)] == [4, 5]
    for text, problem in ((table.format(" "), "no reason"), (table.format("why") + "odl = 1", "odl")):
        path.write_text(text)
        with pytest.raises(ValueError, match=problem):
            differences.read(path)


def test_the_frozen_commit_is_named_by_its_whole_hash() -> None:
    """So that nothing else can be meant; that it is one of this repository, whoever runs the oracle sees."""
    assert re.fullmatch("[0-9a-f]{40}", FROZEN)
