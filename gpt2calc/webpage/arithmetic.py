"""What the page asks of a GPT-2 as JavaScript functions: dims, tensors, conventions and steps, in BigInts.

Each is printed here from the table that says it in Python; components are data, in `families`. It must not know a
formula, nor how anything looks.
"""

from __future__ import annotations

from json import dumps
from typing import TYPE_CHECKING, Any

from gpt2calc import conventions, formulas, tensor_table
from gpt2calc.algebra import FLOORED, Expression
from gpt2calc.dims import LETTERED, LETTERS, MODULES, TASK_HEADS, Dims, from_fields, to_fields
from gpt2calc.explanation import lattice
from gpt2calc.fields import DEFAULTS, SPELLINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from gpt2calc.presets import Preset


def write(shipped: tuple[Preset, ...]) -> str:
    """Return every function that is printed, as one script.

    Args:
        shipped: the GPT-2s that ship, whose sizes figures are explained by.
    """
    functions = (FLOORED, _dims(), _fields(), _tensors(), _conventions(), _changes(shipped), _parts())
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


def _cell(cell: Any) -> str:
    if isinstance(cell, tuple):
        return f"[{', '.join(map(_cell, cell))}]"
    return dumps(cell) if isinstance(cell, (str, bool)) else Expression.of(cell).javascript()


def _list(rows: Iterable[Mapping[str, object]]) -> str:
    return "[\n" + "".join(f"  {_record(row)},\n" for row in rows) + "]"


def _tensors() -> str:
    kept = ("component", "role", "times", "shape")  # the template has the prefix
    rows = (
        {"template": row.template, **{name: getattr(row, name) for name in kept}, "in_block": row.in_block}
        for row in tensor_table.table(LETTERED)
    )
    return _function("tensorsOf", "tensor_table.table", _list(rows))


def _conventions() -> str:
    lines = "".join(f"  {row.name}: {_beside_total(row.value)},\n" for row in conventions.CONVENTIONS)
    return _with_total("conventionsOf", "conventions.CONVENTIONS", f"({{\n{lines}}})")


def _with_total(name: str, about: str, result: str) -> str:
    total = _cell(formulas.total(LETTERED))
    return _function(name, about, f"{{\n  const total = {total};\n  return {result};\n}}")


def _beside_total(count: Callable[[Dims], int] | None) -> str:
    """Print what is counted, 0 where there is no count, as so many times the total and a rest where that is shorter."""
    value, total = count(LETTERED) if count else 0, formulas.total(LETTERED)
    differences = (Expression.letter("total") * times + (value - total * times) for times in (0, 1, 2, 4))
    return min(map(_cell, differences), key=len)


def _changes(shipped: tuple[Preset, ...]) -> str:
    """Print the models that are counted in the place of another, axis by axis, as functions that give their dims."""
    lines = []
    for axis in lattice.axes(shipped):
        changed = (step.change(LETTERED) for step in axis if step.change)
        lines.append(f"  [{', '.join(map(_differing, changed))}],\n")
    return _function(
        "variationsOf", "explanation.lattice.axes: the fields of dims that differ", f"[\n{''.join(lines)}]"
    )


def _differing(changed: Dims) -> str:
    pairs = zip(Dims._fields, LETTERED, changed, strict=True)
    return _record({name: new for name, old, new in pairs if new != old})


def _parts() -> str:
    """Print what is counted of a model, all of it first, each part as functions.

    They give the number, how many elements have one byte, and the tensors of a file of it.
    """
    steps = (lattice.PLAIN, *lattice.PARTS)
    rows = ([_beside_total(of) for of in (step.value, step.one_byte, step.tensors)] for step in steps)
    lines = "".join(f"  [{', '.join(f'() => {value}' for value in row)}],\n" for row in rows)
    return _with_total("partsOf", "explanation.lattice.PLAIN and PARTS", f"[\n{lines}]")


def _dims() -> str:
    """Print `dims.from_fields`: asked with letters for sizes, and with each head and each flag in turn."""
    heads = {head: _of_head(head) for head in TASK_HEADS}
    own = dict.fromkeys(name for found in heads.values() for name in found)
    cells = {name: f"head.{name}" for name in own} | {name: _field(name) for name in Dims._fields if name not in own}
    cells["num_labels"] = "head.num_labels ?? num_labels"
    lines = "".join(f"    {name}: {cells[name]},\n" for name in Dims._fields)
    table = "".join(f"  {head}: {_record(found)},\n" for head, found in heads.items())
    given = ", ".join(name for name in SPELLINGS if name != "head")
    return (
        f"/* dims.TASK_HEADS, and the number of labels that a head sets */\nconst TASK_HEADS = {{\n{table}}};\n\n"
        f"/* dims.from_fields, of fields that are BigInts, booleans, or null where they are not given */\n"
        f"const dimsOf = (fields) => {{\n  const {{{given}}} = fields;\n"
        f"  const head = TASK_HEADS[fields.head];\n  return {{\n{lines}  }};\n}};"
    )


def _fields() -> str:
    """Print `dims.to_fields`: its sizes and switches are those of dims, and its head is the one of these modules."""
    modules = f"{dumps(MODULES)}.every((module) => TASK_HEADS[head][module] === x[module])"
    head = f"Object.keys(TASK_HEADS).find((head) => {modules})"
    names = to_fields(_asked())
    cells = {name: f"x.{name}" if name in LETTERS else f"x.{name} === 1n" for name in names} | {"head": head}
    body = ", ".join(f"{name}: {cell}" for name, cell in cells.items())
    return f"/* dims.to_fields */\nconst fieldsOfDims = (x) => ({{{body}}});"


def _asked(**fields: Any) -> Dims:
    """Return the dims of fields, with letters for the sizes that a document has to give."""
    return from_fields({**{name: Expression.letter(name) for name in DEFAULTS}, **fields})


def _of_head(head: str) -> dict[str, object]:
    """Return the modules of a head, and the number of labels where it sets one."""
    found, plain = _asked(head=head), _asked(head="none")
    modules: dict[str, object] = {name: getattr(found, name) for module in TASK_HEADS.values() for name in module}
    labels = {"num_labels": found.num_labels} if found.num_labels != plain.num_labels else {}
    return modules | labels


def _field(name: str) -> str:
    """Return what a field of dims is made of, as JavaScript."""
    if name in DEFAULTS:
        return _optional(name, "pad_vocab_size_multiple")
    if name == "n_inner":
        return f"n_inner ?? {_cell(_asked().n_inner)}"
    flags = {given: getattr(_asked(**{name: given}), name) for given in (True, False)}
    if flags != {True: 1, False: 0}:
        raise TypeError(f"{name} is no flag that a field of its name gives")
    follows_bias = name != "bias" and [getattr(_asked(bias=given), name) for given in (True, False)] == [1, 0]
    return f"BigInt({name} ?? bias)" if follows_bias else f"BigInt({name})"


def _optional(name: str, divisor: str) -> str:
    """Return a size that may be rounded up to a multiple of another, where that is given."""
    plain = getattr(_asked(), name)
    rounded = getattr(_asked(**{divisor: Expression.letter(divisor)}), name)
    return _cell(plain) if plain == rounded else f"{divisor} ? {_cell(rounded)} : {_cell(plain)}"
