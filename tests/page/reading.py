"""What the page shows, read off it, and held against what Python counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gpt2calc

if TYPE_CHECKING:
    from tests.browser import Watched


def total(opened: Watched) -> int:
    """Return the total that is shown."""
    return int(opened.text("#number").replace(",", ""))


def rested(opened: Watched) -> str:
    """Let the state come to rest in the address, and return its fragment."""
    opened.page.evaluate("rest()")
    return opened.page.url.partition("#")[2]


def shown(opened: Watched, table: str) -> list[list[str]]:
    """Return the cells of a table's body."""
    script = (
        "(id) => [...document.getElementById(id).tBodies[0].rows].map((row) => [...row.cells].map((x) => x.innerText))"
    )
    opened.drawn()
    found: list[list[str]] = opened.page.evaluate(script, table)
    return found


SHOWN = """() => ["components", "conventions", "stored"].map(
  (id) => [...document.getElementById(id).tBodies[0].rows].map((row) => [...row.cells].map((x) => x.innerText))
).concat([document.getElementById("number").textContent, document.querySelector("#formula p").textContent])"""


def agrees(opened: Watched, *models: Any, **fields: Any) -> None:
    """See that all that is shown is what Python counts: total, components, conventions, and the formula."""
    count = gpt2calc.count(*models, **fields)
    opened.drawn()
    components, conventions, stored, number, formula = opened.page.evaluate(SHOWN)
    assert number.strip().replace(",", "") == f"{count.total}"
    parts = [[cell.replace("\n", "") for cell in row] for row in components]
    assert [(row[0], row[1], row[3], row[4], row[5]) for row in parts] == [
        (part.name, f"{part.total:,}", f"{part.weights:,}", f"{part.biases:,}", part.formula.text())
        for part in count.components
    ]
    assert {row[0].split("\n")[0]: row[1] for row in conventions + stored} == {
        name: f"{value:,}" for name, value in count.conventions.items()
    }
    assert formula.strip().endswith(f" = {count.total:,}")
