"""A listing held against a model, under names of any dialect: each stored tensor is one row's, or is told what it is.

Pure: no file is opened and no framework is asked. The work is that of the file's own tensors, whatever sizes a config
says. It must not know what is right and wrong: that is `findings`.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from functools import cached_property
from itertools import accumulate, islice, pairwise
from math import prod
from operator import itemgetter
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.dialects.base import COPY, LAYER, Extra, Piece
from gpt2calc.dialects.respellings import beside
from gpt2calc.model import AHEAD, BUFFER, SCALE
from gpt2calc.stored import COPIES, CORRECTIONS, PREDICTING, SCALES

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from typing import TypeAlias

    from gpt2calc.dialects.base import Reading, Row
    from gpt2calc.dialects.layouts import Shape
    from gpt2calc.listing import StoredTensor, TensorListing
    from gpt2calc.model import Model

    _Place: TypeAlias = tuple[int, int, int]

BEYOND = 16
"""How many more blocks that a file has nothing of are listed one by one than it has something of."""

MULTIPLE, MOST_PADDED = 128, 1024
"""A padded vocabulary has a multiple of 128 rows (llm.c, Megatron-LM), and fewer than this many too many."""

INVERSE_FREQUENCIES = re.compile(r".*rotary_emb\.inv_freq", re.DOTALL)
MASK = re.compile(r".*\.attn?(?:ention)?(?:\.attention)?\.(?:bias|masked_bias|causal_mask)", re.DOTALL)
NUMBER = re.compile(r"\.(0|[1-9][0-9]{0,8})\.")
"""The number of a layer, behind what its stack is called."""

FREQUENCIES, MASKS, PREDICTION = (
    "rotary frequencies",
    "causal masks",
    "layers that predict further tokens, held against nothing",
)
"""What a tensor can be that is no parameter of the model, and that no dialect names."""

MTP = "mtp."
"""What stands before the names of layers that predict further tokens, where these are not numbered on."""

EIGHT_BITS = frozenset(("F8_E4M3", "F8_E5M2"))

ROOM = 1000
"""How many more tensors than twice those of a file a model may have so that all its names are written out."""


class Layers:
    """The layers of one stack: how many there are, and the tags of each; no other is looked at."""

    def __init__(self, model: Model, prefix: str) -> None:
        self.runs = next((stack.runs for stack in model.stacks if prefix in ("", stack.prefix)), ())
        self.ends = list(accumulate(run.length for run in self.runs))
        self.depth = self.ends[-1] if self.ends else 0
        self.own = sum(run.length for run in self.runs if not any(AHEAD in tags for tags in run.pattern))
        self.seen: set[int] = set()
        self._tagged: dict[frozenset[str], tuple[int, ...]] = {}

    def tags(self, layer: int) -> frozenset[str] | None:
        """Return the tags of a layer; None where there is none."""
        if layer >= self.depth:
            return None
        place = bisect_right(self.ends, layer)
        pattern = self.runs[place].pattern
        return pattern[(layer - (self.ends[place - 1] if place else 0)) % len(pattern)]

    @cached_property
    def listed(self) -> tuple[int, ...]:
        """The layers that a file has something of, and the first that it has nothing of: as many, and a few more."""
        unseen = (layer for layer in range(self.depth) if layer not in self.seen)
        return tuple(sorted(self.seen.union(islice(unseen, len(self.seen) + BEYOND))))

    def tagged(self, tags: frozenset[str]) -> tuple[int, ...]:
        """Return those listed that have some tags."""
        if tags not in self._tagged:  # the rows of a model have few kinds of tags, and a file may have 49,000 layers
            self._tagged[tags] = tuple(each for each in self.listed if tags <= (self.tags(each) or frozenset()))
        return self._tagged[tags]

    def unlisted(self) -> Iterator[tuple[int, int]]:
        """Yield the first and the last of the layers that are not listed, run after run; the file has none of them."""
        for before, after in pairwise((-1, *self.listed, self.depth)):
            if after - before > 1:
                yield before + 1, after - 1


class Assignment(NamedTuple):
    """The tensors of a listing by what they are.

    Args:
        listing: what was assigned.
        reading: how its names are read.
        model: the model whose rows they are assigned to.
        layers: its stacks of layers, by prefix, "" for the only one.
        rows: what the model has, what every block has once.
        expected: of these rows the one that each of `own` is of, by name, in the order of the rows.
        own: the stored tensors that the model has, by name, each once, in the order of the file.
        extras: what is known beside the parameters, such as masks.
        head_copy: the matrix of a head that is tied, and stored all the same.
        strangers: what does not belong there.
        parts: what each of `own` is that is no parameter of the model, by name.
        held: how many of a row's tensors there are in a layer, by the place of the row and the number of the layer.
        plain: rows that the config's way of quantizing takes, and that are plain in all layers.
    """

    listing: TensorListing
    reading: Reading
    model: Model
    layers: Mapping[str, Layers]
    rows: tuple[Row, ...]
    expected: Mapping[str, Row]
    own: Mapping[str, StoredTensor]
    extras: tuple[tuple[StoredTensor, Extra], ...]
    head_copy: StoredTensor | None
    strangers: tuple[StoredTensor, ...]
    parts: Mapping[str, str]
    held: Mapping[tuple[int, int], int]
    plain: tuple[Row, ...] = ()

    @property
    def embedding(self) -> StoredTensor | None:
        """The stored matrix of the token embedding."""
        wte = self.reading.dialect.embedding
        return next((t for name, t in self.own.items() if self.expected[name].component == wte), None)

    def missing(self) -> Iterator[tuple[str, Row]]:
        """Yield what the model has and the file has not, by name; of the blocks, those that are listed."""
        for place, row in enumerate(self.rows):
            for layer in self.layers_of(row):
                if self.held.get((place, layer), 0) < row.times:
                    names = (row.at(layer, copy) for copy in range(row.times))
                    yield from ((name, row) for name in names if name not in self.own)

    @property
    def lacking(self) -> int:
        """How many tensors are missing, as many as `missing` yields."""
        return sum(len(self.layers_of(row)) * row.times for row in self.rows) - len(self.own)

    def layers_of(self, row: Row) -> tuple[int, ...]:
        """Return the numbers of the layers that have a row, of those that are listed; 0 for what is in none."""
        if not row.is_in_blocks:
            return (0,)
        return self.layers[row.piece.stack].tagged(row.tags)

    def layer_beyond(self, name: str) -> str:
        """Return the layer that a stranger's name is of, where the model has no such layer; else nothing."""
        for stack, own in self.layers.items() if self.reading.dialect.pieces[0].rows else ():
            place = _numbered(self.reading, stack, name)
            if place and place[1] >= own.depth:
                return place[0]
        return ""

    @property
    def is_quantized(self) -> bool:
        """Whether the config says that matrices have scales beside them."""
        return any(row.role == SCALE for row in self.rows) or bool(self.plain)

    def padded_rows(self, row: Row, shape: Shape) -> int:
        """Return how many rows of a matrix of the vocabulary only pad it; 0 where it is not padded."""
        dialect = self.reading.dialect
        if not dialect.pads_vocabulary or row.component not in (dialect.embedding, dialect.head) or len(shape) != 2:
            return 0
        rows, width = row.table_shape
        pads = shape[1] == width and not shape[0] % MULTIPLE and rows < shape[0] < rows + MOST_PADDED
        return shape[0] - rows if pads else 0

    def padded_elements(self, name: str) -> int:
        """Return how many elements of a stored tensor only pad the vocabulary."""
        row = self.expected[name]
        return self.padded_rows(row, self.own[name].shape) * row.table_shape[-1] if row.table_shape else 0

    @property
    def components(self) -> dict[str, int]:
        """The elements of each component's stored parameters, rows that pad the vocabulary left out."""
        counts: dict[str, int] = {}
        joined = _joined(self.model) if self.reading.dialect.is_live else {}
        if not joined and not self.reading.dialect.pads_vocabulary:
            for name, row in self.expected.items():
                if name not in self.parts:
                    counts[row.component] = counts.get(row.component, 0) + self.own[name].numel * row.packed
            return counts
        for name, tensor in self.own.items():
            if name in self.parts:
                continue
            row = self.expected[name]
            parts = joined.get((row.component, row.role), {}) if joined else {}
            if not parts or sum(parts.values()) != tensor.numel:
                parts = {row.component: tensor.numel * row.packed - self.padded_elements(name)}
            for part, elements in parts.items():
                counts[part] = counts.get(part, 0) + elements
        return counts

    @property
    def roles(self) -> dict[str, tuple[str, str]]:
        """Component and role of every tensor that holds parameters, by name, in the order of the dialect."""
        return {name: (row.component, row.role) for name, row in self.expected.items() if name not in self.parts}

    @property
    def dtypes(self) -> dict[str, int]:
        """How many tensors of parameters have each dtype."""
        scales = (name for name, part in self.parts.items() if part == SCALES)
        left_out = Counter(self.own[name].dtype for name in scales)
        return dict(Counter(tensor.dtype for tensor in self.own.values()) - left_out)


class Exact(NamedTuple):
    """All names that a model has under one reading, each with its row, layer and copy; none where they are too many.

    Most names of most files are as they should be, and need not be taken apart.
    """

    reading: Reading
    rows: tuple[Row, ...]
    layers: Mapping[str, Layers]
    places: Mapping[str, _Place]


def assign(
    listing: TensorListing,
    reading: Reading,
    model: Model,
    n_head: int = 0,
    *,
    more_layers: int = 0,
    exact: Exact | None = None,
) -> Assignment:
    """Assign every tensor of a listing once.

    Args:
        listing: what a checkpoint, or a live module, holds.
        reading: how its names are read.
        model: the model that it is held against.
        n_head: attention heads, for the dialects that store by head.
        more_layers: how many layers beyond the model's the config says that files may hold.
        exact: its names, where they are known, since they showed how names are read.
    """
    if exact is None or exact.reading != reading:
        exact = exactly(reading, model, n_head, len(listing.tensors))
    rows, layers, places = exact.rows, exact.layers, exact.places
    own: dict[str, StoredTensor] = {}
    for tensor in listing.tensors:
        if tensor.name in places:
            own.setdefault(tensor.name, tensor)
    ordered: Mapping[str, _Place] = {name: place for name, place in places.items() if name in own}
    rest = [tensor for tensor in listing.tensors if tensor.name not in places]
    by_name: dict[str, list[tuple[int, Row]]] = {}
    for place, row in enumerate(rows):
        by_name.setdefault(row.piece.template, []).append((place, row))
    found = {tensor.name: known for tensor in rest if (known := _place(reading, layers, by_name, tensor.name))}
    if found:
        for tensor in (each for each in rest if each.name in found):
            own.setdefault(tensor.name, tensor)
        ordered = dict(sorted({**ordered, **found}.items(), key=itemgetter(1)))
    held = Counter(map(itemgetter(0, 1), ordered.values()))
    for number, layer in held:
        if rows[number].is_in_blocks:
            layers[rows[number].piece.stack].seen.add(layer)
    others = _others(reading, model, layers, [tensor for tensor in rest if tensor.name not in found], more_layers)
    rows, plain = _plain(rows, held, ordered, own)
    expected = {name: rows[place] for name, (place, _, _) in ordered.items()}
    parts = dict(_parts(model, layers, rows, ordered))
    return Assignment(listing, reading, model, layers, rows, expected, own, *others, parts, held, plain)


def _others(
    reading: Reading, model: Model, layers: Mapping[str, Layers], tensors: list[StoredTensor], more_layers: int
) -> tuple[tuple[tuple[StoredTensor, Extra], ...], StoredTensor | None, tuple[StoredTensor, ...]]:
    """Return what is known beside the parameters, the matrix of a head that is tied, and what does not belong there."""
    is_tied = bool(model.lm_head and model.tie_word_embeddings)
    extras: list[tuple[StoredTensor, Extra]] = []
    strangers: list[StoredTensor] = []
    head_copy, most = None, _most_frequencies(model)
    for tensor in tensors:
        said = reading.find(tensor.name)
        if said and isinstance(said.row, Extra):
            extras.append((tensor, said.row))
        elif said and is_tied and isinstance(said.row, Piece) and said.row.component == reading.dialect.head:
            head_copy = tensor
        elif extra := _known(reading, layers, tensor, more_layers, most):
            extras.append((tensor, extra))
        else:
            strangers.append(tensor)
    return tuple(extras), head_copy, tuple(strangers)


def exactly(reading: Reading, model: Model, n_head: int, tensors: int) -> Exact:
    """Return all names of a model, in the order of its rows; none where it has many more than a file of `tensors`."""
    rows = reading.expected(model, n_head)
    layers = {stack: Layers(model, stack) for stack in ("", *(each.prefix for each in model.stacks))}
    most = sum((layers[row.piece.stack].depth if row.is_in_blocks else 1) * row.times for row in rows)
    if reading.heads is not None or most > ROOM + 4 * tensors:
        return Exact(reading, rows, layers, {})
    stacks = {row.piece.stack: layers[row.piece.stack] for row in rows if row.is_in_blocks}  # else depth is no bound
    tags = {stack: [own.tags(layer) or frozenset[str]() for layer in range(own.depth)] for stack, own in stacks.items()}
    found: dict[str, _Place] = {}
    for place, row in enumerate(rows):
        within = tags[row.piece.stack] if row.is_in_blocks else [row.tags]
        for layer, here in enumerate(within):
            if row.tags <= here:
                name = row.before + row.piece.template.replace(LAYER, str(layer))
                before, copied, after = name.partition(COPY)
                if copied:
                    found.update((f"{before}{n}{after}", (place, layer, n)) for n in range(row.times))
                else:
                    found[before] = (place, layer, 0)
    return Exact(reading, rows, layers, found)


def _place(
    reading: Reading, layers: Mapping[str, Layers], by_name: Mapping[str, list[tuple[int, Row]]], name: str
) -> _Place | None:
    """Return the row, the layer and the copy that a name is of; None where the model has no such tensor."""
    said, block, copy = reading.find(name) or (None, None, None)
    tags = layers[said.stack].tags(block) if said and block is not None else frozenset[str]()
    if said is None or tags is None:
        return None
    if block is not None:
        layers[said.stack].seen.add(block)
    fitting = by_name.get(said.template, [])
    found = next((n for n, each in fitting if each.tags <= tags and (copy or 0) < each.times), None)
    return None if found is None else (found, block or 0, copy or 0)


def _plain(
    rows: tuple[Row, ...],
    held: Mapping[tuple[int, int], int],
    found: Mapping[str, _Place],
    own: Mapping[str, StoredTensor],
) -> tuple[tuple[Row, ...], tuple[Row, ...]]:
    """Return rows as a file has them: where a matrix is plain in every layer, and no scale is there, it is meant so.

    No config says all modules that stay plain. One alone is no proof of that.
    """
    eight = {place for place, row in enumerate(rows) if row.dtype in EIGHT_BITS}
    if not eight:
        return rows, ()
    dtypes: dict[int, set[str]] = {}
    counted = Counter[int]()
    for (place, _), number in held.items():
        counted[place] += number
    for name, (place, _, _) in found.items():
        if place in eight:
            dtypes.setdefault(place, set()).add(own[name].dtype)
    kept = {
        place for place in eight if not counted[place + 1] and counted[place] > 1 and not dtypes[place] & EIGHT_BITS
    }
    # A row keeps its place; the scales of what is plain are none.
    changed = tuple(
        row._replace(dtype="") if place in kept else row._replace(times=0) if place - 1 in kept else row
        for place, row in enumerate(rows)
    )
    return changed, tuple(rows[place] for place in sorted(kept))


def _parts(
    model: Model,
    layers: Mapping[str, Layers],
    rows: tuple[Row, ...],
    found: Mapping[str, _Place],
) -> Iterator[tuple[str, str]]:
    """Yield what each tensor is a part of that is no parameter of the model itself."""
    further = model.architecture.ahead
    beyond = further.components(model) if further and any(each.depth > each.own for each in layers.values()) else ()
    copies, outside = {row.name for row in beyond if row.part}, {row.name for row in beyond if not row.layers}
    for name, (place, layer, _) in found.items():
        row = rows[place]
        if row.role == SCALE:
            yield name, SCALES
        elif row.role == BUFFER:
            yield name, CORRECTIONS
        elif beyond and (row.component in outside or (row.is_in_blocks and layer >= layers[row.piece.stack].own)):
            yield name, COPIES if row.component in copies else PREDICTING


def _known(
    reading: Reading, layers: Mapping[str, Layers], tensor: StoredTensor, more_layers: int, most_frequencies: int
) -> Extra | None:
    """Return what a tensor is that no dialect names, where it is known: files of years ago hold such in all layers."""
    if what := beside(tensor.name):
        return Extra("", what)
    if reading.dialect.extras or not tensor.name.startswith(reading.wrapper):
        return None
    if what := is_of_old_files(tensor):
        return _of_old_files(reading, layers, tensor, what, most_frequencies)
    of_none = Extra("", PREDICTION)
    is_described = any(stack.startswith(MTP) for stack in layers)
    if more_layers and not is_described and tensor.name.startswith(f"{reading.wrapper}{MTP}"):
        number = NUMBER.search(tensor.name, len(reading.wrapper))
        return of_none if number is None or int(number[1]) < more_layers else None
    for stack, own in layers.items() if more_layers else ():
        place = _numbered(reading, stack, tensor.name)
        if place and own.depth <= place[1] < own.own + more_layers:  # those that rows describe are among them
            return of_none
    return None


def _of_old_files(
    reading: Reading, layers: Mapping[str, Layers], tensor: StoredTensor, what: str, most_frequencies: int
) -> Extra | None:
    """Return a mask or frequencies as what every layer has; None of a layer that there is not, or of more than are."""
    own = next((place for stack in layers if (place := _numbered(reading, stack, tensor.name))), None)
    before = reading.wrapper + reading.prefix
    if own is None or not own[0].startswith(before):
        return Extra("", what) if own is None and tensor.numel <= most_frequencies else None
    if own[1] >= layers[""].depth or (what == FREQUENCIES and tensor.numel > most_frequencies):
        return None
    stem = own[0].removeprefix(before).rpartition(".")[0]
    shape: tuple[int | str, ...] = (1, 1, "n", "n") if len(tensor.shape) == 4 else tuple(tensor.shape)
    template = f"{stem}.{LAYER}{tensor.name.removeprefix(own[0])}"
    return Extra(template, what, ("n",) if what == FREQUENCIES else shape)


def _most_frequencies(model: Model) -> int:
    """Return how many rotary frequencies a head can have: one for each two channels of the widest."""
    widths = [size for name, size in model.sizes.items() if "head_dim" in name and isinstance(size, int)]
    width, heads = model.sizes.get("hidden_size"), model.sizes.get("num_attention_heads")
    widths += [width // heads] if isinstance(width, int) and isinstance(heads, int) and heads else []
    return max(widths, default=0) // 2


def _numbered(reading: Reading, stack: str, name: str) -> tuple[str, int] | None:
    """Return the layer of a stack that a name begins with, and its number; None where it is in none."""
    before = reading.wrapper + stack.replace(reading.dialect.prefix, reading.prefix, 1)
    number = NUMBER.match(name, len(before)) if stack and name.startswith(before) else None
    return (name[: number.end() - 1], int(number[1])) if number else None


def is_of_old_files(tensor: StoredTensor) -> str:
    """Return what a tensor is that files of years ago hold beside parameters, "" where it is no such one."""
    if INVERSE_FREQUENCIES.fullmatch(tensor.name):
        return FREQUENCIES
    # A causal mask of [1, 1, T, T], and the number that stands for minus infinity.
    is_square = len(tensor.shape) == 4 and tensor.shape[:2] == (1, 1) and tensor.shape[2] == tensor.shape[3]
    return MASKS if MASK.fullmatch(tensor.name) and (is_square or tensor.shape in {(), (1,)}) else ""


def _joined(model: Model) -> dict[tuple[str, str], dict[str, int]]:
    """Return what each tensor is made of that a live module keeps in one, by its component and role there."""
    rows = model.tensors()
    found = {}
    for merge in model.architecture.merges:
        for tags in dict.fromkeys(row.layers for row in rows if row.template in merge.stored):
            parts = [row for row in rows if row.template in merge.stored and row.layers == tags]
            found[parts[0].component, parts[0].role] = {row.component: row.times * prod(row.shape) for row in parts}
    return found
