"""Every architecture as data: its sizes, which layers it has, its components, and what is noted or refused of it.

Nothing is stated here: each value is taken from the architecture's file, whose components are asked with its sizes as
letters. Rows that several have stand once, and are meant by their place.
"""

from __future__ import annotations

import ast
import re
from itertools import product
from json import dumps
from math import prod
from typing import TYPE_CHECKING, Any

from gpt2calc import architectures, general_conventions, spellings
from gpt2calc.algebra import Expression, Flag
from gpt2calc.architectures import caches, composites, probed, reading
from gpt2calc.architectures.runs import Layers, Notes
from gpt2calc.costs import cache_types, holding
from gpt2calc.counts import ParameterCount
from gpt2calc.model import BUFFER, FIXED, FLAG, LAW, LAYER_EMBEDDING, LIST, SIZE, Model, no_notes
from gpt2calc.table import short

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gpt2calc.architectures.runs import Said
    from gpt2calc.conventions import Convention
    from gpt2calc.dims import Dims
    from gpt2calc.model import Architecture, Size
    from gpt2calc.presets import Preset

SIZE_COLUMNS = ("name", "kind", "letter", "help", "null", "spellings", "least", "words")
ROW_COLUMNS = ("name", "group", "layers", "part")
"""What the page needs of a size and of a component, beside a default and polynomials."""

OPERATORS = {
    ast.Add: "+",
    ast.Sub: "-",
    ast.Mult: "*",
    ast.FloorDiv: "//",
    ast.Mod: "%",
    ast.Eq: "==",
    ast.NotEq: "!=",
    ast.Lt: "<",
    ast.GtE: ">=",
    ast.Gt: ">",
    ast.In: "in",
    ast.NotIn: "not in",
    ast.Is: "==",
    ast.IsNot: "!=",
    ast.And: "and",
    ast.Or: "or",
}
"""What laws compute with. `is` is asked of None alone, and is equality there."""


ABOUT = ("architectures", "model_type", "id2label", "label2id")
"""What a config says beside sizes, and is read."""

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


class Asked(Exception):  # noqa: N818  # no error: it is always caught
    """A component asked whether a letter is 0."""


class Letter(Expression):
    """A letter that says when it is asked whether it is 0."""

    __slots__ = ()

    def __bool__(self) -> bool:
        raise Asked(*self.letters)


def collect(files: Iterable[str] = architectures.FILES) -> dict[str, Any]:
    """Return the tables of architectures, as JSON takes them.

    Args:
        files: their model types, all that there are when left out.
    """
    sizes, rows = Places(), Places()
    known = {name: _known(architectures.of(name)) for name in files}
    common = frozenset.intersection(*known.values())
    types = {name: _type(architectures.of(name), known[name] - common, sizes, rows) for name in sorted(known)}
    return {"types": types, "sizes": sizes.rows, "rows": rows.rows, "common": sorted(common)}


def beside() -> dict[str, Any]:
    """Return what is known of all architectures but GPT-2: how they are counted, and how composites tie a head."""
    return {
        "version": reading.VERSION,
        "most_layers": MOST_LAYERS,
        "layer_embedding": LAYER_EMBEDDING,
        "composites": {name: _tied(name) for name in ("", *composites.OUTSIDE, *composites.OUTSIDE_OR_UNTIED)}
        | {name: _tied(name) for name in (*composites.EITHER, *composites.INSIDE, *composites.NEVER)},
        "caches": _caches(),
        "conventions": [[*convention(row), *_way(row.value)] for row in general_conventions.OF_MODELS],
    }


def _caches() -> dict[str, Any]:
    """Return what layers keep of the tokens before, and which of them attend to a window alone."""
    windows = caches.WINDOWS.items()
    return {
        "mixers": {name: list(map(_mixer, rows)) for name, rows in caches.MIXERS.items()},
        "grouped": [_mixer(caches.GROUPED_HEADS)],
        "plain": [_mixer(caches.PLAIN_HEADS)],
        "windows": {name: {**row._asdict(), "law": _parsed(row.law)} for name, row in windows},
        "window": {**caches.Windows()._asdict(), "law": _parsed(caches.Windows().law)},
        "fields": WINDOW_FIELDS,
        "none": caches.NO_CACHE,
        "sliding": sorted(caches.SLIDING),
        "others": sorted(caches.OTHERS),
        "types": [[row.name, row.block, row.size] for row in cache_types.TYPES],
        "elements": holding.ELEMENT,
        "state": holding.RECURRENCE,
    }


WINDOW_FIELDS = sorted(
    {"sliding_window", "layer_types", "attention_types", "use_bidirectional_attention"}.union(
        *({row.field, *row.fields} for row in caches.WINDOWS.values())
    )
)
"""The fields of configs that say which layers attend to a window, and no more."""


def _mixer(row: caches.Mixer) -> list[Any]:
    """Return what layers with certain tags keep: elements of a token, a convolution, a recurrence, and otherwise."""
    laws = row.elements, row.convolution, row.recurrence, *row.apart.values()
    return [row.tags, caches.EXPANDED in row.apart, *map(_parsed, laws)]


def convention(row: Convention) -> list[str]:
    """Return a convention as the page shows it: its name, its unit, what is counted, and by whom."""
    name, unit, sentence, source = row[:4]
    return [name, unit, f"in bytes: {sentence}" if unit == "bytes" else sentence, source]


def _known(architecture: Architecture) -> frozenset[str]:
    """Return what is no news in a config: what is read, each spelling of a size, and what changes no count."""
    spelled = {word for row in architecture.sizes for word in (row.name, *row.spellings)}
    return frozenset({*ABOUT, *spellings.NO_COUNT, *spelled, *probed.fields(architecture.model_type)})


def _tied(model_type: str) -> dict[str, bool | None]:
    """Return whether a composite's head is tied, by what its own config says and what its text_config says."""
    said = product((None, False, True), (False, True))
    return {f"{dumps(one)},{dumps(other)}": composites.is_tied(model_type, one, other) for one, other in said}


def _way(value: object) -> tuple[Any, ...]:
    if not isinstance(value, general_conventions.Way):
        raise TypeError(f"a convention of any model is a Way, got {value!r}")
    return value


def _is_data(architecture: Architecture) -> bool:
    """Whether what layers there are, and what is noted of them, is data, which the page can read."""
    return isinstance(architecture.layers, Layers) and isinstance(architecture.notes, (Notes, type(no_notes)))


def _type(architecture: Architecture, fields: frozenset[str], sizes: Places, rows: Places) -> dict[str, Any]:
    """Return one architecture; its name alone where no data says which layers it has: the page refuses it."""
    if not isinstance(architecture.layers, Layers) or not _is_data(architecture):
        return {"type": architecture.model_type}
    return {
        "type": architecture.model_type,
        "classes": dict(architecture.classes),
        "sizes": [sizes.of(_size(row, architecture)) for row in architecture.sizes],
        "layers": _layers(architecture.layers),
        "rows": list(map(rows.of, _rows(architecture))),
        "buffers": [[row.layers, _terms(row.when * row.times * prod(row.shape))] for row in _buffers(architecture)],
        "notes": list(map(_said, architecture.notes.rows if isinstance(architecture.notes, Notes) else ())),
        "fields": sorted(fields),
    }


def _size(row: Size, architecture: Architecture) -> dict[str, Any]:
    """Return what a size is, with its default; the heads of an architecture are those of its classes."""
    words = tuple(architecture.classes.values()) if row.name == "head" else row.words
    named = row._replace(words=words)
    cells = {name: _law(getattr(named, name)) for name in SIZE_COLUMNS}
    return {**cells, "default": _law(row.default), "expected": reading.expected(named)}


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


def _rows(architecture: Architecture, known: Mapping[str, int] | None = None) -> Iterator[dict[str, Any]]:
    """Yield the components; where one asks whether a size is 0, those of either answer, with that answer."""
    given = known or {}
    try:
        rows = architecture.components(_lettered(architecture, given))
    except Asked as asked:
        (name,) = asked.args
        for ours, theirs in zip(*(_rows(architecture, {**given, name: n}) for n in (0, 1)), strict=True):
            alike = {**ours, "when": {}} == {**theirs, "when": {}}
            yield from [{**ours, "when": {}}] if alike else (ours, theirs)
        return
    for row in rows:
        cells = {name: getattr(row, name) for name in ROW_COLUMNS}
        terms = {name: _terms(getattr(row, name)) for name in ("times", "weights", "biases")}
        used = None if row.used is None else _terms(row.used)
        yield {**cells, **terms, "used": used, "when": dict(given)}


def _buffers(architecture: Architecture) -> Iterator[Any]:
    model = _lettered(architecture, {row.name: 1 for row in architecture.sizes if row.name == "head_bias"})
    return (row for row in architecture.tensors(model) if row.role == BUFFER)


def _terms(value: Any) -> list[Any]:
    """Return a polynomial as its terms, each a coefficient and the names that it is multiplied by."""
    return [[n, list(map(str, letters))] for letters, n in Expression.of(value).ranked()]


def kept(others: Iterable[Preset]) -> list[Preset]:
    """Return the models that the page ships, of the types that it counts; all others are a config.json away."""
    return [each for each in others if each.on_page and _is_data(architectures.of(each.model_type))]


def preset(shipped: Preset) -> dict[str, Any]:
    """Return a model that ships, with the fields that its architecture has.

    Every plain default of a number and a flag is among them: a model that ships gives each of them.
    """
    document, architecture = shipped.fields, architectures.of(shipped.model_type)
    (named,) = document["architectures"]
    given = {**document, "head": architecture.classes[named]} if architecture.classes[named] != "lm" else document
    fields = {}
    for row in architecture.sizes:
        usual = row.default if row.kind in (SIZE, FLAG) else ""
        if row.name in given and given[row.name] != usual:
            fields[row.name] = given[row.name]
        elif isinstance(usual, (int, float)) and row.name != "num_labels":
            fields[row.name] = usual
    about = {"name": shipped.name, "type": shipped.model_type, "aliases": shipped.aliases, "summary": shipped.summary}
    beside = {name: document[name] for name in WINDOW_FIELDS if name in document}
    own: dict[str, Any] = {"beside": beside} if beside else {}
    return {**about, "size": size(shipped.counted), "all": fields, **own}


def plain() -> Iterator[dict[str, Any]]:
    """Yield each architecture with transformers' defaults: what a model type alone says, unless a size has none."""
    for name in sorted(set(architectures.FILES) - {"gpt2"}):
        architecture = architectures.of(name)
        is_needy = any(row.default is None and row.kind not in (LIST, FIXED) for row in architecture.sizes)
        if _is_data(architecture):
            about = {"name": name, "type": name, "summary": f"{name} with transformers' defaults", "all": {}}
            own = "" if is_needy else size(reading.read({"model_type": name}).model)
            yield {**about, "is_plain": True, "is_needy": is_needy, "size": own}


def size(model: Dims | Model) -> str:
    """Return how large a model is, for the list in which it is chosen."""
    return short(ParameterCount(model).total)
