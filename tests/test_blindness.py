"""Faults that transformers' loading report is silent about are named; the table of docs/stored.md is what both say."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.blindness import FAULTS, RECORDED, Fault, drop, planted

if TYPE_CHECKING:
    from pathlib import Path

ROWS = [json.loads(line) for line in RECORDED.read_text(encoding="utf-8").splitlines()]
AGAIN = ["a mask of a layer that there is not", "1,048,576 rotary frequencies", "a scale of whole numbers"]
AGAIN += ["1,048,576 elements in the layer that predicts", "1,048,576 elements under mtp", "a matrix that is missing"]


def test_the_record_is_of_these_faults_and_we_name_each() -> None:
    """At least 25, in several families; what transformers names of them is what it is."""
    assert [(row["family"], row["what"]) for row in ROWS] == [(fault.family, fault.what) for fault in FAULTS]
    assert len(ROWS) >= 25
    assert all(row["ours"] for row in ROWS)
    assert len({row["family"] for row in ROWS if not row["theirs"]}) == len({row["family"] for row in ROWS})


@pytest.mark.parametrize(
    "row", [row for row in ROWS if row["what"] in AGAIN], ids=lambda row: f"{row['family']} {row['what']}"
)
def test_a_fault_is_told_as_it_was_recorded(row: dict[str, str], tmp_path: Path) -> None:
    """By us and by transformers, in one run."""
    fault = next(each for each in FAULTS if (each.family, each.what) == (row["family"], row["what"]))
    ours, theirs = planted(fault, tmp_path)
    assert (ours, theirs) == (row["ours"], row["theirs"])


@pytest.mark.parametrize("family", sorted({fault.family for fault in FAULTS}))
def test_the_good_file_matches_and_transformers_loads_it_in_silence(family: str, tmp_path: Path) -> None:
    """So that each fault is all that is wrong."""
    ours, theirs = planted(Fault(family, "nothing", drop("-"), "matches"), tmp_path)
    assert " matches: " in ours
    assert theirs == ""
