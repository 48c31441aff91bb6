"""What the page asks of Python: the functions that it calls, and all that these reach, as one script.

The page counts, reads a config and a figure, verifies a file and costs by the code of the command line. What stands for
a thing that a page has not, such as a folder of tables or a person's files, is here and in `assets/python.js`.
"""

from __future__ import annotations

import re
from json import dumps
from typing import TYPE_CHECKING, Any

from gpt2calc import architectures, config, counts, errors, fields, formulas, model, numbers, sources, stored
from gpt2calc.algebra import FLOORED, Expression, Flag, Quotient
from gpt2calc.architectures import caches, probed
from gpt2calc.architectures.runs import Layers, Said
from gpt2calc.costs import cache_types, general_ways, products, serving
from gpt2calc.counts import ParameterCount
from gpt2calc.dims import LETTERED, Dims
from gpt2calc.explanation import lattice
from gpt2calc.explanation.lattice import Step
from gpt2calc.plots import flows
from gpt2calc.webpage.arithmetic import parameters
from gpt2calc.webpage.translation import Script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.presets import Preset
    from gpt2calc.sources import Source


def flow(source: Source) -> tuple[tuple[flows.Section, ...], str, str]:
    """Return a model as stages from tokens on, which embedding is the output head too, and what comes out."""
    model = ParameterCount(source.counted).model
    read = flows._Reader(model, source.of_files if source.given else None)
    return read.sections(), read.tied(), read.ends()[1]


REPLACED: tuple[tuple[object, str], ...] = (
    (errors.Gpt2calcError, "Sentence"),
    (errors.ConfigError, "Sentence"),
    (errors.UnknownNameError, "Unknown"),
    (errors.UnreadableInputError, "Unreadable"),
    (errors.Named, "py.Named"),
    (errors.shown, "shown"),
    (errors.shortened, "shortened"),
    (errors.printable, "printable"),
    (errors.pair, "pair"),
    (numbers.whole, "inWhole"),
    (numbers.Quoted, "py.Quoted"),
    (Quotient, "py.Never"),  # no formula of a page divides by a letter
    (Flag, "py.Never"),
    (config.Config, "py.never"),  # all that JSON holds is judged without pydantic
    (architectures.of, "architectureOf"),
    (probed.fields, "fieldsOf"),
    (model.evaluated, "((law, values) => LAWS[law](values))"),
    (counts._totals, "totals"),
    (serving._packing, "py.never"),  # a page is always told a dtype
    (stored.of, "py.never"),
    (general_ways.BY_NAME, "new py.dict()"),  # nor asked how else people count FLOPs
)
"""What the page has of its own, or never asks."""

EXPORTS: dict[str, object] = {
    "fromDocument": sources.from_document,
    "changed": sources._changed,
    "ParameterCount": ParameterCount,
    "Dims": Dims,
    "FIELDS": fields.FIELDS,
    "typed": numbers.typed,
    "Serving": serving.Serving,
    "longest": serving._longest,
    "WEIGHTS": serving.WEIGHTS,
    "CACHE_TYPES": cache_types.BY_NAME,
    "flow": flow,
}
"""What the page calls it, and what it is."""

ASKED = (
    *("total", "components", "groups", "weights", "biases", "layers", "per_block", "conventions", "letters", "ParameterCount.to_dict"),
    *("formula", "name", "group", "times", "text", "each", "number", "counted", "model", "simplified", "takes", "said"),
    *("expected", "whole", "document", "notes"),
    *("rows", "weights", "kv_bytes", "kv_bytes_per_token", "state_bytes", "products", "forward", "flops_notes"),
    *("given", "of_files", "tokens"),
)
"""The methods and properties that the page asks for by name."""


def write(runtime: str) -> str:
    """Return the script, a thing that has all exports.

    Args:
        runtime: the script that the translated functions need.
    """
    script = Script(REPLACED, {Step: lambda step: _step(script, step)})
    tables = {name: architectures.of(name) for name in architectures.FILES}
    known = {name: probed.fields(name) for name in architectures.FILES if name != architectures.GPT2}
    common = frozenset.intersection(*known.values())
    own = {name: sorted(found - common) for name, found in known.items()}
    exported = ", ".join(f"{name}: {script.name(thing)}" for name, thing in EXPORTS.items())
    total, dims, all_tables = script.name(formulas.total), script.name(Dims), script.name(tables)
    laws = ",\n".join(f"{dumps(law)}: {script.law(law)}" for law in dict.fromkeys(_laws((tables, KEPT))))
    parts = (
        FLOORED,
        runtime,
        script.text(ASKED),
        f"const LAWS = {{{laws}}};",
        f"const [COMMON, OWN] = [{dumps(sorted(common))}, {dumps(own)}];",
        "const fieldsOf = (name) => new py.set([...COMMON, ...OWN[name]]);",
        f"const architectureOf = (name) => py.at({all_tables}, name);",
        f"const totals = py.totals((...sizes) => {total}(new {dims}(...sizes)));",
    )
    return "const gpt2calc = (() => {\n" + "\n".join(parts) + f"\nreturn {{py, architectureOf, {exported}}};\n}})();"


KEPT = (caches.MIXERS, caches.GROUPED_HEADS, caches.PLAIN_HEADS, caches.WINDOWS, caches.Windows(), products.BESIDE)
"""The tables of what a model keeps, whose laws are those of its sizes."""


def _laws(found: Any) -> Iterator[str]:
    """Yield every law of tables, whatever it stands in."""
    if isinstance(found, model.Size):
        yield from (each[2:] for each in (found.default, found.null) if isinstance(each, str) and each.startswith("= "))
    if isinstance(found, Said):
        yield from (found.law, *re.findall(r"\{(.*?)\}", found.sentence))
    if isinstance(found, Layers):
        yield from (law for rows in found.kinds for _, law in rows)
        yield from (found.period, found.apart, *found.ends)
    if isinstance(found, caches.Mixer):
        yield from (found.elements, found.convolution, found.convolution.rpartition(" * ")[0] or "0", found.recurrence)
        yield from (*found.apart.values(), found.scores, found.context, found.choice)
    if isinstance(found, caches.Windows):
        yield found.law
    if isinstance(found, products.Beside):
        yield found.size
    if isinstance(found, (tuple, list, dict)):
        for each in found.values() if isinstance(found, dict) else found:
            yield from _laws(each)


def _step(script: Script, step: Step) -> str:
    """Return a step of an explanation, what it counts of a GPT-2 as a formula."""
    counted = ("value", "one_byte", "tensors")
    cells = (
        f"{parameters()} => {Expression.of(value(LETTERED)).javascript()}"
        if name in counted and value is not None
        else script.name(value)
        for name, value in step._asdict().items()
    )
    return f"new {script.name(Step)}({', '.join(cells)})"
