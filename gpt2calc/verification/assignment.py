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
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.dialects.base import Extra
from gpt2calc.dialects.respellings import beside
from gpt2calc.model import BUFFER

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gpt2calc.dialects.base import Reading, Row
    from gpt2calc.dialects.layouts import Shape
    from gpt2calc.listing import StoredTensor, TensorListing
    from gpt2calc.model import Model

BEYOND = 16
"""How many more blocks that a file has nothing of are listed one by one than it has something of."""

MULTIPLE, MOST_PADDED = 128, 1024
"""A padded vocabulary has a multiple of 128 rows (llm.c, Megatron-LM), and fewer than this many too many."""

INVERSE_FREQUENCIES = re.compile(r".*rotary_emb\.inv_freq", re.DOTALL)
MASK = re.compile(r".*\.attn?(?:ention)?(?:\.attention)?\.(?:bias|masked_bias|causal_mask)", re.DOTALL)
NUMBER = re.compile(r"\.(0|[1-9][0-9]{0,8})\.")
"""The number of a layer, behind what its stack is called."""

FREQUENCIES, MASKS, PREDICTION = "rotary frequencies", "causal masks", "layers that predict further tokens"
"""What a tensor can be that is no parameter of the model, and that no dialect names."""


class Layers:
    """The layers of one stack: how many there are, and the tags of each; no other is looked at."""

    def __init__(self, model: Model, prefix: str) -> None:
        self.runs = next((stack.runs for stack in model.stacks if prefix in ("", stack.prefix)), ())
        self.ends = list(accumulate(run.length for run in self.runs))
        self.depth = self.ends[-1] if self.ends else 0
        self.seen: set[int] = set()

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

    @property
    def embedding(self) -> StoredTensor | None:
        """The stored matrix of the token embedding."""
        wte = self.reading.dialect.embedding
        return next((t for name, t in self.own.items() if self.expected[name].component == wte), None)

    def missing(self) -> Iterator[tuple[str, Row]]:
        """Yield what the model has and the file has not, by name; of the blocks, those that are listed."""
        for row in self.rows:
            for layer in self.layers_of(row):
                for copy in range(row.times):
                    if (name := row.at(layer, copy)) not in self.own:
                        yield name, row

    @property
    def lacking(self) -> int:
        """How many tensors are missing, as many as `missing` yields."""
        return sum(len(self.layers_of(row)) * row.times for row in self.rows) - len(self.own)

    def layers_of(self, row: Row) -> list[int]:
        """Return the blocks that a row is of, of those that are listed; 0 for what stands outside of blocks."""
        if not row.is_in_blocks:
            return [0]
        layers = self.layers[row.piece.stack]
        return [layer for layer in layers.listed if row.tags <= (layers.tags(layer) or frozenset())]

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
        for name, tensor in self.own.items():
            row = self.expected[name]
            parts = joined.get((row.component, row.role), {})
            if not parts or sum(parts.values()) != tensor.numel:
                parts = {row.component: tensor.numel - self.padded_elements(name)}
            for part, elements in parts.items() if row.role != BUFFER else ():
                counts[part] = counts.get(part, 0) + elements
        return counts

    @property
    def roles(self) -> dict[str, tuple[str, str]]:
        """Component and role of every tensor that holds parameters, by name, in the order of the dialect."""
        return {name: (row.component, row.role) for name, row in self.expected.items() if row.role != BUFFER}

    @property
    def dtypes(self) -> dict[str, int]:
        """How many tensors of parameters have each dtype."""
        return dict(Counter(tensor.dtype for tensor in self.own.values()))


def assign(
    listing: TensorListing, reading: Reading, model: Model, n_head: int = 0, *, more_layers: int = 0
) -> Assignment:
    """Assign every tensor of a listing once.

    Args:
        listing: what a checkpoint, or a live module, holds.
        reading: how its names are read.
        model: the model that it is held against.
        n_head: attention heads, for the dialects that store by head.
        more_layers: how many layers beyond the model's the config says that files may hold.
    """
    rows = reading.expected(model, n_head)
    by_name: dict[str, list[tuple[int, Row]]] = {}
    for place, row in enumerate(rows):
        by_name.setdefault(row.piece.template, []).append((place, row))
    layers = {stack: Layers(model, stack) for stack in ("", *(each.prefix for each in model.stacks))}
    is_tied = bool(model.lm_head and model.tie_word_embeddings)
    own: dict[str, StoredTensor] = {}
    order: list[tuple[int, int, int, str]] = []
    extras: list[tuple[StoredTensor, Extra]] = []
    strangers: list[StoredTensor] = []
    head_copy = None
    for tensor in listing.tensors:
        said, block, copy = reading.find(tensor.name) or (None, None, None)
        tags = layers[said.stack].tags(block) if said and block is not None else frozenset[str]()
        if said and block is not None and tags is not None:
            layers[said.stack].seen.add(block)
        fitting = by_name.get(said.template, []) if said and tags is not None else []
        found = next((n for n, each in fitting if each.tags <= (tags or set()) and (copy or 0) < each.times), None)
        if found is not None:
            if tensor.name not in own:
                order.append((found, block or 0, copy or 0, tensor.name))
            own.setdefault(tensor.name, tensor)
        elif isinstance(said, Extra):
            extras.append((tensor, said))
        elif said and is_tied and said.component == reading.dialect.head:
            head_copy = tensor
        elif what := _known(reading, layers, tensor, more_layers):
            extras.append((tensor, Extra("", what)))
        else:
            strangers.append(tensor)
    expected = {name: rows[place] for place, _, _, name in sorted(order)}
    known = (tuple(extras), head_copy, tuple(strangers))
    return Assignment(listing, reading, model, layers, rows, expected, own, *known)


def _known(reading: Reading, layers: Mapping[str, Layers], tensor: StoredTensor, more_layers: int) -> str:
    """Return what a tensor is that no dialect names, where it is known: files of years ago hold such."""
    if what := beside(tensor.name):
        return what
    if reading.dialect.extras or not tensor.name.startswith(reading.wrapper):
        return ""
    if what := is_of_old_files(tensor):
        return what
    for stack, own in layers.items() if more_layers else ():
        before = reading.wrapper + stack.replace(reading.dialect.prefix, reading.prefix, 1)
        number = NUMBER.match(tensor.name, len(before)) if stack and tensor.name.startswith(before) else None
        if number and 0 <= int(number[1]) - own.depth < more_layers:
            return PREDICTION
    return ""


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
