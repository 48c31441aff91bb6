"""What the page asks of Python: the functions that it calls, and all that these reach, as one script.

The page counts, reads a config and a figure, verifies a file and costs by the code of the command line. What stands for
a thing that a page has not, such as a folder of tables or a person's files, is here and in `assets/python.js`.
"""

from __future__ import annotations

import difflib
import re
from json import dumps
from threading import Lock
from typing import TYPE_CHECKING, Any

from gpt2calc import architectures, config, counts, errors, formulas, model, numbers, sources, validity
from gpt2calc.algebra import FLOORED, Expression, Flag
from gpt2calc.architectures import caches, probed
from gpt2calc.architectures.runs import Layers, Said
from gpt2calc.checkpoints import shards, strict_json
from gpt2calc.checkpoints.files import LocalFile
from gpt2calc.costs import cache_types, general_ways, holding, products, serving
from gpt2calc.counts import ParameterCount
from gpt2calc.dialects.base import ENDS, SLOT, Dialect, keyed
from gpt2calc.dims import LETTERED, LETTERS, Dims, from_fields
from gpt2calc.explanation import additions, lattice, printed, readings, report, search
from gpt2calc.explanation.lattice import Step
from gpt2calc.figures import in_words
from gpt2calc.reports import markdown
from gpt2calc.table import Difference, rounded, short
from gpt2calc.verification import packing, tying
from gpt2calc.webpage import asked, checking
from gpt2calc.webpage.forms import parameters as parameters_of
from gpt2calc.webpage.translation import Script

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.presets import Preset

REPLACED: tuple[tuple[object, str], ...] = (
    (errors.Gpt2calcError, "Sentence"),
    (errors.ConfigError, "Sentence"),
    (errors.UnknownNameError, "py.never"),
    (errors.UnreadableInputError, "Unreadable"),
    (errors.Named, "py.Named"),
    (errors.printable, "printable"),
    (numbers.whole, "inWhole"),
    (numbers.Quoted, "py.Quoted"),
    (Flag, "py.Never"),  # no letter of a page is 0 or 1
    (config.Config, "py.never"),  # all that JSON holds is judged without pydantic
    (architectures.of, "architectureOf"),
    (probed.fields, "fieldsOf"),
    (model.evaluated, "((law, values) => LAWS[law](values))"),
    (counts._totals, "totals"),
    (search._evaluate, "((of, dims) => of(dims))"),  # a step counts by a formula that is written out
    (report._everywhere, "everywhere"),
    *((each, "py.never") for each in (additions.of, additions.of_files, additions.of_family)),  # of a model by its name
    (holding._packing, "py.never"),  # a page is always told a dtype
    (general_ways.BY_NAME, "new py.dict()"),  # nor asked how else people count FLOPs
    (sources.resolve, "resolved"),
    (LocalFile, "py.File"),
    (shards._locations, "located"),
    (strict_json._decoded, "strictJson"),
    (shards._read_together, "py.never"),
    (tying._pearson, "py.never"),
    (packing._content, "((tensor) => new py.File(tensor.file).read(tensor.offset, BigInt(tensor.nbytes)))"),
    (difflib.Match, "py.Block"),
    (Lock, "py.Lock"),
    (Difference, "py.Difference"),
)
"""What the page has of its own, or never asks."""

EXPORTS: dict[str, object] = {
    "fromDocument": sources.from_document,
    "fromFields": from_fields,
    "sourceOf": asked.source_of,
    "rows": asked.rows,
    "rowOf": asked.row_of,
    "readField": asked.read_field,
    "given": asked.given,
    "beside": asked.beside,
    "refuseHeads": validity.refuse_heads,
    "typed": numbers.typed,
    "shown": errors.shown,
    "shortened": errors.shortened,
    "rounded": rounded,
    "short": short,
    "markdown": markdown.write,
    "ParameterCount": ParameterCount,
    "Expression": Expression,
    "Dims": Dims,
    "Candidate": readings.Candidate,
    "Search": readings.Search,
    "Ways": search.Ways,
    "explained": report._explained,
    "owned": report._owned,
    "inShort": report.in_short,
    "readPrinted": printed.read,
    "fitInWords": in_words,
    "Serving": serving.Serving,
    "WEIGHTS": tuple(holding.ELEMENT),
    "CACHE_TYPES": cache_types.BY_NAME,
    "usualTokens": asked.usual_tokens,
    "flow": asked.flow,
    "check": checking.check,
}
"""What the page calls it, and what it is."""

ASKED = (
    *("total", "components", "groups", "weights", "biases", "layers", "per_block", "conventions", "letters"),
    "ParameterCount.to_dict",
    *("formula", "name", "group", "times", "text", "each", "number", "counted", "model", "simplified", "takes", "said"),
    *(
        "expected",
        "whole",
        "document",
        "notes",
        "ranked",
        "terms",
        "ways",
        "readings",
        "value",
        "convention",
        "sentence",
    ),
    *("scales", "in_bytes", "between"),
    *("rows", "kv_bytes", "kv_bytes_per_token", "state_bytes", "products", "forward", "flops_notes", "tokens"),
    *("given", "of_files"),
)
"""The methods and properties that the page asks for by name."""


def write(runtime: str, shipped: tuple[Preset, ...]) -> str:
    """Return the script, a thing that has all exports.

    Args:
        runtime: the script that the translated functions need.
        shipped: the GPT-2s that ship, whose sizes figures are explained by.
    """
    script = Script(
        REPLACED, {Step: lambda step: _step(script, step), Dialect: lambda dialect: _dialect(script, dialect)}
    )
    tables = {name: architectures.of(name) for name in architectures.FILES}
    known = {name: probed.fields(name) for name in architectures.FILES if name != architectures.GPT2}
    common = frozenset.intersection(*known.values())
    own = {name: sorted(found - common) for name, found in known.items()}
    exported = ", ".join(f"{name}: {script.name(thing)}" for name, thing in EXPORTS.items())
    changed = script.name(sources._changed)
    total, all_tables = f"{parameters()} => {Expression.of(formulas.total(LETTERED)).javascript()}", script.name(tables)
    explaining = {"models": readings.shipped(shipped), "axes": lattice.axes(shipped), "budget": readings.PRESETS_BUDGET}
    looked = ", ".join(f"{name}: {script.name(thing)}" for name, thing in explaining.items())
    laws = ",\n".join(f"{dumps(law)}: {script.law(law)}" for law in dict.fromkeys(_laws((tables, KEPT))))
    tables_of_page = (
        f"const LAWS = {{{laws}}};",
        f"const [COMMON, OWN] = [{dumps(sorted(common))}, {dumps(own)}];",
        "const fieldsOf = (name) => new py.set([...COMMON, ...OWN[name]]);",
        f"const architectureOf = (name) => py.at({all_tables}, name);",
        f"const totalOf = {total};",
        f"const totals = py.totals((...parts) => totalOf(new {script.name(Dims)}(...parts)));",
        f"const resolved = (source, fields) => (py.t(fields) ? {changed}(source, fields) : source);",
        f"return {{py, architectureOf, totalOf, explaining: {{{looked}}}, {exported}}};",
    )
    beside = "\n".join(tables_of_page)
    parts = (FLOORED, runtime, script.text(ASKED, beside), beside)
    return "const gpt2calc = (() => {\n" + "\n".join(parts) + "\n})();\nconst { py, shown, shortened } = gpt2calc;"


def parameters() -> str:
    """Return how a function of dims takes them apart: sizes under their letters, flags under their names."""
    names = (f"{name}: {LETTERS[name]}" if name in LETTERS else name for name in Dims._fields)
    return f"({{{', '.join(names)}}})"


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


def _dialect(script: Script, dialect: Dialect) -> str:
    """Return a way of naming tensors, made anew, without what only docs say of it."""
    for needed in (keyed, SLOT, ENDS):  # what making one needs comes before it
        script.name(needed)
    given = {name: getattr(dialect, name, "") for name in parameters_of(Dialect)}
    given |= {
        "summary": "",
        "source": "",
        "other_prefix": next((each for each in dialect.bodies if each not in {dialect.prefix, ""}), ""),
    }
    return f"new {script.name(Dialect)}({', '.join(map(script.name, given.values()))})"
