"""The Python tables as JavaScript functions: dims, components, tensors, conventions and steps, in BigInts.

Each function of the page that counts is printed here from the table that counts in Python. It must not know a formula,
nor how anything looks.
"""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any

from gpt2calc import conventions, formulas, presets, tensor_table
from gpt2calc.dims import HEADS, LETTERS, Dims, from_fields
from gpt2calc.explanation import lattice
from gpt2calc.fields import DEFAULTS, SPELLINGS
from gpt2calc.webpage.tracer import FLOOR, Traced, javascript, traced_dims

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def write() -> str:
    """Return every function that counts, as one script."""
    functions = (FLOOR, _dims(), _components(), _tensors(), _conventions(), _changes(), _parts())
    return "\n\n".join(functions)


def parameters() -> str:
    """Return how a function of dims takes them apart: sizes under their letters, flags under their names."""
    names = (f"{name}: {LETTERS[name]}" if name in LETTERS else name for name in Dims._fields)
    return f"({{{', '.join(names)}}})"


def _function(name: str, about: str, body: str) -> str:
    return f"/* {about} */\nconst {name} = {parameters()} => {body};"


def _record(cells: Mapping[str, object]) -> str:
    """Return an object: texts as they are, expressions as JavaScript."""
    pairs = (f"{key}: {_cell(cell)}" for key, cell in cells.items())
    return f"{{{', '.join(pairs)}}}"


def _cell(cell: object) -> str:
    return dumps(cell) if isinstance(cell, (str, bool)) else javascript(cell)


def _list(rows: Iterable[Mapping[str, object]]) -> str:
    return "[\n" + "".join(f"  {_record(row)},\n" for row in rows) + "]"


def _components() -> str:
    rows = (dict(zip(row._fields[:5], row[:5], strict=True)) for row in formulas.table(traced_dims()))
    return _function("componentsOf", "formulas.table", _list(rows))


def _tensors() -> str:
    rows = (
        {"template": row.template, **row._asdict(), "in_block": row.in_block}
        for row in tensor_table.table(traced_dims())
    )
    return _function("tensorsOf", "tensor_table.table", _list(rows))


def _conventions() -> str:
    rows = {row.name: row.value(traced_dims()) for row in conventions.CONVENTIONS}
    lines = "".join(f"  {name}: {javascript(value)},\n" for name, value in rows.items())
    return _with_total("conventionsOf", "conventions.CONVENTIONS", f"({{\n{lines}}})")


def _with_total(name: str, about: str, result: str) -> str:
    """Print a function in which the sum of all components, which most expressions hold, is computed once."""
    total = javascript(formulas.total(traced_dims()))
    return _function(name, about, f"{{\n  const total = {total};\n  return {result.replace(total, 'total')};\n}}")


def _changes() -> str:
    """Print the models that are counted in the place of another, axis by axis, as functions that give their dims."""
    x = traced_dims()
    lines = []
    for axis in lattice.axes(presets.models()):
        changed = (step.change(x) for step in axis if step.change)
        lines.append(f"  [{', '.join(f'{{{_differing(x, each)}}}' for each in changed)}],\n")
    return _function(
        "variationsOf", "explanation.lattice.axes: the fields of dims that differ", f"[\n{''.join(lines)}]"
    )


def _differing(x: Dims, changed: Dims) -> str:
    pairs = zip(Dims._fields, x, changed, strict=True)
    return ", ".join(f"{name}: {javascript(new)}" for name, old, new in pairs if new is not old)


def _parts() -> str:
    """Print what is counted of a model, each part as a function: the number, and how many elements have one byte."""
    x = traced_dims()
    values = ((step.value and step.value(x), step.one_byte and step.one_byte(x)) for step in lattice.PARTS)
    lines = "".join(f"  [() => {javascript(value or 0)}, () => {javascript(small or 0)}],\n" for value, small in values)
    return _with_total("partsOf", "explanation.lattice.PARTS", f"[\n{lines}]")


def _dims() -> str:
    """Print `dims.from_fields`: asked with sizes that are traced, and with each head and each flag in turn."""
    heads = {head: _of_head(head) for head in HEADS}
    own = dict.fromkeys(name for found in heads.values() for name in found)
    cells = {name: f"head.{name}" for name in own} | {name: _field(name) for name in Dims._fields if name not in own}
    cells["num_labels"] = "head.num_labels ?? num_labels"
    lines = "".join(f"    {name}: {cells[name]},\n" for name in Dims._fields)
    table = "".join(f"  {head}: {_record(found)},\n" for head, found in heads.items())
    given = ", ".join(name for name in SPELLINGS if name != "head")
    return (
        f"/* dims.HEADS, and the number of labels that a head sets */\nconst HEADS = {{\n{table}}};\n\n"
        f"/* dims.from_fields, of fields that are BigInts, booleans, or null where they are not given */\n"
        f"const dimsOf = (fields) => {{\n  const {{{given}}} = fields;\n"
        f"  const head = HEADS[fields.head];\n  return {{\n{lines}  }};\n}};"
    )


def _asked(**fields: Any) -> Dims:
    """Return the dims of fields of which the sizes that a document has to give are traced."""
    return from_fields({**{name: Traced.named(name) for name in DEFAULTS}, **fields})


def _of_head(head: str) -> dict[str, object]:
    """Return the modules of a head, and the number of labels where it sets one."""
    found, plain = _asked(head=head), _asked(head="none")
    modules: dict[str, object] = {name: getattr(found, name) for module in HEADS.values() for name in module}
    labels = {"num_labels": found.num_labels} if found.num_labels != plain.num_labels else {}
    return modules | labels


def _field(name: str) -> str:
    """Return what a field of dims is made of, as JavaScript."""
    if name in DEFAULTS:
        return _optional(name, "pad_vocab_size_multiple")
    if name == "n_inner":
        return f"n_inner ?? {javascript(_asked().n_inner)}"
    flags = {given: getattr(_asked(**{name: given}), name) for given in (True, False)}
    if flags != {True: 1, False: 0}:
        raise TypeError(f"{name} is no flag that a field of its name gives")
    follows_bias = name != "bias" and [getattr(_asked(bias=given), name) for given in (True, False)] == [1, 0]
    return f"BigInt({name} ?? bias)" if follows_bias else f"BigInt({name})"


def _optional(name: str, divisor: str) -> str:
    """Return a size that may be rounded up to a multiple of another, where that is given."""
    plain = getattr(_asked(), name)
    rounded = getattr(_asked(**{divisor: Traced.named(divisor)}), name)
    if javascript(plain) == javascript(rounded):
        return javascript(plain)
    return f"{divisor} ? {javascript(rounded)} : {javascript(plain)}"
