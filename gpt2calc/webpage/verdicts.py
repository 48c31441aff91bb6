"""What the page asks of Python, function by function, and these as JavaScript."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc import errors, general_conventions
from gpt2calc.algebra import Expression
from gpt2calc.dims import LETTERED, Dims
from gpt2calc.explanation import additions, lattice, printed, readings, report, search
from gpt2calc.explanation.lattice import Step
from gpt2calc.explanation.readings import PRESETS_BUDGET, Search
from gpt2calc.webpage.arithmetic import parameters
from gpt2calc.webpage.translation import Script

if TYPE_CHECKING:
    from gpt2calc.explanation.readings import Candidate
    from gpt2calc.explanation.report import Explained
    from gpt2calc.presets import Preset

REPLACED = (
    (errors.ConfigError, "Sentence"),
    (errors.shown, "shown"),
    (errors.shortened, "shortened"),
    (search._evaluate, "((of, dims) => of(dims))"),
    (general_conventions.OF_MODELS, "[]"),
    *((each, "py.never") for each in (additions.of, additions.of_files, additions.of_family, search._counted_otherwise)),
)
"""What the page has of its own, or does not ask: of GPT-2s alone, and by formulas that are written as such."""


def explained(text: str, candidates: list[Candidate], looked: Search) -> Explained:
    """Return the readings of the first figure in a text over models."""
    figure = printed.read(text)[0]
    return report._explained(looked, figure, looked.readings(figure))


def write(shipped: tuple[Preset, ...]) -> str:
    """Return the functions as one script, that ends in what they are called."""
    script = Script(REPLACED, {Step: lambda step: _step(script, step)})
    axes = script.name(lattice.axes(shipped))
    names = {"Dims": Dims, "explained": explained, "Search": Search, "shippedCandidates": readings.shipped, "inShort": report.in_short}
    exported = ", ".join(f"{name}: {script.name(thing)}" for name, thing in names.items())
    return f"const verdicts = (() => {{\n{script.text()}\nreturn {{axes: {axes}, {exported}}};\n}})();"


def _step(script: Script, step: Step) -> str:
    """Return a step, what it counts of a GPT-2 as a formula."""
    counted = ("value", "one_byte", "tensors")
    cells = []
    for name, value in step._asdict().items():
        if name in counted and value is not None:
            cells.append(f"{parameters()} => {Expression.of(value(LETTERED)).javascript()}")
        else:
            cells.append(script.name(value))
    return f"new {script.name(Step)}({', '.join(cells)})"
