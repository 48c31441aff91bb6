"""Every architecture as data: its sizes, which layers it has, its components, and what is noted or refused of it.

Nothing is stated here: each value is taken from the architecture's file, whose components are asked with its sizes as
letters. Rows and names that several have stand once, and are meant by their place.
"""

from __future__ import annotations

import ast
import re
from math import prod
from string import ascii_lowercase
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import architectures, general_conventions
from gpt2calc.algebra import Expression, Flag
from gpt2calc.architectures import composites, probed, reading
from gpt2calc.architectures.glossary import classes
from gpt2calc.architectures.runs import Layers, Notes
from gpt2calc.model import BUFFER, FIXED, FLAG, GROUPS, LAW, LAYER_EMBEDDING, LIST, REFUSED, SIZE, Model, no_notes

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gpt2calc.architectures.runs import Said
    from gpt2calc.model import Architecture, Size
    from gpt2calc.presets import Preset

SIZE_COLUMNS = {
    "name": "",
    "kind": "",
    "letter": "",
    "help": "",
    "null": REFUSED,
    "spellings": (),
    "least": 1,
    "words": (),
}
ROW_COLUMNS: dict[str, Any] = {
    "name": "",
    "group": -1,
    "weights": "",
    "layers": "decoder",
    "biases": "",
    "times": "1",
    "part": "",
    "used": None,
    "when": {},
}
"""What the page needs of a size and of a component, with what each cell is where it does not stand at the end."""

OPERATORS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.Gt: ">",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "==",
    ast.IsNot: "!=",
    ast.And: "and",
    ast.Or: "or",
}
"""What laws compute with. `is` is asked of None alone, and is equality there."""


MOST_LAYERS = 10_000
"""How many layers of several kinds the page counts, one by one; the command line takes any number."""


class Places:
    """Values, each of which stands once, and is meant by its place."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self._known: dict[str, int] = {}

    def of(self, value: Any) -> int:
        """Return the place of a value."""
        place = self._known.setdefault(repr(value), len(self.rows))
        if place == len(self.rows):
            self.rows.append(value)
        return place

    def letters(self, value: Any) -> str:
        """Return the place of a value in letters, as a number to the base of 26."""
        place = self.of(str(value))
        return (ascii_lowercase[place // 26 - 1] if place >= 26 else "") + ascii_lowercase[place % 26]


class Asked(Exception):  # noqa: N818  # no error: it is always caught
    """A component asked whether a letter is 0."""


class Letter(Expression):
    """A letter that says when it is asked whether it is 0."""

    __slots__ = ()

    def __bool__(self) -> bool:
        raise Asked(*self.letters)


class Tables(NamedTuple):
    """What several architectures have: sizes and what they are but for their defaults, components, layers, names."""

    kinds: Places
    sizes: Places
    rows: Places
    layers: Places
    names: Places


def collect(files: Iterable[str] = architectures.FILES) -> dict[str, Any]:
    """Return the tables of architectures, as JSON takes them.

    Args:
        files: their model types, all that there are when left out.
    """
    tables = Tables(*(Places() for _ in Tables._fields))
    known = {name: probed.fields(name) for name in files}
    common = frozenset.intersection(*known.values())
    types = {name: _type(architectures.of(name), known[name] - common, tables) for name in sorted(known)}
    return {
        "columns": {"sizes": SIZE_COLUMNS, "rows": ROW_COLUMNS},
        "heads": classes(""),
        "common": sorted(common),
        **{name: places.rows for name, places in tables._asdict().items()},
        "types": types,
        "version": reading.VERSION,
        "most_layers": MOST_LAYERS,
        "layer_embedding": LAYER_EMBEDDING,
        "composites": {
            name.lower(): getattr(composites, name)
            for name in ("OUTSIDE", "OUTSIDE_OR_UNTIED", "EITHER", "INSIDE", "NEVER")
        },
        "conventions": [[*row[:4], *_way(row.value)] for row in general_conventions.OF_MODELS],
    }


def _way(value: object) -> tuple[Any, ...]:
    if not isinstance(value, general_conventions.Way):
        raise TypeError(f"a convention of any model is a Way, got {value!r}")
    return value


def _is_data(architecture: Architecture) -> bool:
    """Whether what layers there are, and what is noted of them, is data, which the page can read."""
    return isinstance(architecture.layers, Layers) and isinstance(architecture.notes, (Notes, type(no_notes)))


def _type(architecture: Architecture, fields: frozenset[str], tables: Tables) -> dict[str, Any]:
    """Return one architecture; nothing where no data says which layers it has: the page refuses it by name."""
    if not isinstance(architecture.layers, Layers) or not _is_data(architecture):
        return {}
    notes = architecture.notes.rows if isinstance(architecture.notes, Notes) else ()
    found: dict[str, Any] = {
        "classes": _classes(architecture.classes),
        "sizes": _spans([tables.sizes.of(_size(row, architecture, tables.kinds)) for row in architecture.sizes]),
        "layers": tables.layers.of(_layers(architecture.layers)),
        "rows": _spans([tables.rows.of(row) for row in _rows(architecture, tables.names)]),
        "buffers": [
            [row.layers, _terms(row.when * row.times * prod(row.shape), tables.names)] for row in _buffers(architecture)
        ],
        "notes": list(map(_said, notes)),
        "fields": _spans(sorted(map(tables.names.of, sorted(fields)))),
        "is_needy": any(row.default is None and row.kind not in (LIST, FIXED) for row in architecture.sizes),
    }
    return {name: value for name, value in found.items() if value or name == "layers"}


def _spans(places: list[int]) -> str:
    """Return places as text, those that follow each other as the first and the last: 3-7,9."""
    spans: list[list[int]] = []
    for place in places:
        if spans and place == spans[-1][1] + 1:
            spans[-1][1] = place
        else:
            spans.append([place, place])
    return ",".join(str(first) if first == last else f"{first}-{last}" for first, last in spans)


def _classes(named: Mapping[str, str]) -> Any:
    """Return what the names of all classes begin with, and how many of the usual ones there are; or else all."""
    start = next(iter(named)).removesuffix("ForCausalLM")
    usual = {f"{start}{end}": head for end, head in list(classes("").items())[: len(named)]}
    return [start, len(named)] if dict(named) == usual else dict(named)


def _size(row: Size, architecture: Architecture, kinds: Places) -> list[Any]:
    """Return the place of what a size is, and its default; the heads of an architecture are those of its classes."""
    words = tuple(architecture.classes.values()) if row.name == "head" else row.words
    named = row._replace(words=words)
    found = [_law(getattr(named, name)) for name in SIZE_COLUMNS]
    return [kinds.of(_trimmed(found, SIZE_COLUMNS)), *([] if row.default is None else [_law(row.default)])]


def _trimmed(cells: list[Any], columns: Mapping[str, Any]) -> list[Any]:
    """Return cells without those at the end that are as usual."""
    usual = list(columns.values())
    while cells and cells[-1] == usual[len(cells) - 1] and type(cells[-1]) is type(usual[len(cells) - 1]):
        cells.pop()
    return cells


def _law(cell: Any) -> Any:
    """Return a cell as JSON, a law among them as [law], and a float so that it stays one."""
    if isinstance(cell, float):
        return {"real": repr(cell)}
    return [_parsed(cell[2:])] if isinstance(cell, str) and cell.startswith("= ") else cell


def _layers(layers: Layers) -> dict[str, Any]:
    found = {
        **layers._asdict(),
        "kinds": [[[tag, _parsed(law)] for tag, law in row] for row in layers.kinds],
        "period": _parsed(layers.period),
        "ends": list(map(_parsed, layers.ends)),
        "musts": list(map(_said, layers.musts)),
    }
    plain = {**Layers("")._asdict(), "period": 1}
    return {
        name: value
        for name, value in found.items()
        if name not in ("prefix", "apart") and value and value != plain[name]
    }


def _said(said: Said) -> list[Any]:
    """Return a sentence as its law and its pieces: text and laws by turns."""
    pieces = re.split(r"\{(.*?)\}", said.sentence)
    return [_parsed(said.law), *(_parsed(piece) if place % 2 else piece for place, piece in enumerate(pieces))]


def _parsed(law: str) -> Any:
    return _prefixed(ast.parse(law, mode="eval").body)


def _prefixed(node: ast.expr) -> Any:
    """Return a law with its operators before what they are of: a name is text, and a text is quoted."""
    if isinstance(node, ast.Constant):
        return ["'", node.value] if isinstance(node.value, str) else node.value
    if isinstance(node, ast.Name):
        return node.id
    operator, parts = _apart(node)
    return [operator, *map(_prefixed, parts)]


def _apart(node: ast.expr) -> tuple[str, list[ast.expr]]:
    """Return an operator, and what it is of."""
    found: tuple[str, list[ast.expr]]
    match node:
        case ast.UnaryOp(op=ast.USub(), operand=of):
            found = "-", [ast.Constant(0), of]
        case ast.UnaryOp(op=ast.Not(), operand=of):
            found = "not", [of]
        case ast.BinOp(left=left, op=op, right=right) | ast.Compare(left=left, ops=[op], comparators=[right]):
            found = OPERATORS[type(op)], [left, right]
        case ast.BoolOp(op=op, values=parts):
            found = OPERATORS[type(op)], parts
        case ast.IfExp(test=test, body=body, orelse=other):
            found = "if", [test, body, other]
        case ast.Call(func=ast.Name(id=name), args=parts):
            found = name, parts
        case ast.Tuple(elts=parts):
            found = "list", parts
        case ast.Subscript(value=of, slice=place):
            found = "at", [of, place]
        case _:
            raise TypeError(f"no law has {ast.unparse(node)}")
    return found


def _lettered(architecture: Architecture, known: Mapping[str, int]) -> Model:
    """Return the model whose sizes are letters, but for what the architecture fixes."""
    letters: dict[str, Any] = {}
    for row in architecture.sizes:
        is_fixed = row.kind == LAW and isinstance(row.default, int) and row.name != "tie_word_embeddings"
        if row.name in known or is_fixed:
            letters[row.name] = known.get(row.name, row.default)
        elif row.kind in (SIZE, FLAG, LAW):
            letters[row.name] = Letter({(Flag(row.name) if row.kind == FLAG else row.name,): 1})
    return Model(architecture, letters, Expression.letter)


def _rows(architecture: Architecture, names: Places, known: Mapping[str, int] | None = None) -> Iterator[list[Any]]:
    """Yield the components; where one asks whether a size is 0, those of either answer, with that answer."""
    given = known or {}
    try:
        rows = architecture.components(_lettered(architecture, given))
    except Asked as asked:
        (name,) = asked.args
        for ours, theirs in zip(*(_rows(architecture, names, {**given, name: n}) for n in (0, 1)), strict=True):
            alike = ours[: len(ROW_COLUMNS) - 1] == theirs[: len(ROW_COLUMNS) - 1]
            yield from [_trimmed([*ours[:-1], {}], ROW_COLUMNS)] if alike else (ours, theirs)
        return
    for row in rows:
        cells = {name: _terms(getattr(row, name), names) for name in ("times", "weights", "biases")}
        used = None if row.used is None else _terms(row.used, names)
        found = {**row._asdict(), **cells, "used": used, "group": GROUPS.index(row.group), "when": dict(given)}
        yield _trimmed([found[name] for name in ROW_COLUMNS], ROW_COLUMNS)


def _buffers(architecture: Architecture) -> Iterator[Any]:
    model = _lettered(architecture, {row.name: 1 for row in architecture.sizes if row.name == "head_bias"})
    return (row for row in architecture.tensors(model) if row.role == BUFFER)


def _terms(value: Any, names: Places) -> str:
    """Return a polynomial as its terms, each a coefficient and the places of names, as letters, between stars."""
    terms = Expression.of(value).ranked()
    factors = ([*([str(n)] if n != 1 or not letters else []), *map(names.letters, letters)] for letters, n in terms)
    return " ".join(map("*".join, factors))


def kept(others: Iterable[Preset]) -> list[Preset]:
    """Return the models that the page ships, of the types that it counts; all others are a config.json away."""
    return [each for each in others if each.on_page and _is_data(architectures.of(each.model_type))]


def preset(shipped: Preset) -> list[Any]:
    """Return a model that ships, with the fields that its architecture has, each by its place among the sizes.

    What is there by default is left out: the page puts every plain default of a number and a flag back, so that a
    preset must give each of them.
    """
    document, architecture = shipped.fields, architectures.of(shipped.model_type)
    (named,) = document["architectures"]
    usual = {row.name: row.default for row in architecture.sizes if row.kind in (SIZE, FLAG)}
    given = {**document, "head": architecture.classes[named]} if architecture.classes[named] != "lm" else document
    fields = {
        place: given[row.name]
        for place, row in enumerate(architecture.sizes)
        if row.name in given and given[row.name] != usual.get(row.name, "")
    }
    return [shipped.name, shipped.model_type, shipped.aliases, shipped.summary, fields]
