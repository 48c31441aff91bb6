"""What a naming dialect is: a table from the names in a file to the rows of the tensor table.

Here stands how names are read, and in the other files of this room what they are: one dialect a file. It must not know
a size, a format or a file.
"""

from __future__ import annotations

import re
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc import tensor_table
from gpt2calc.dialects.layouts import SAME
from gpt2calc.model import WEIGHT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from gpt2calc.dialects.layouts import Layout, Shape
    from gpt2calc.dims import Dims

WRAPPERS = ("module.", "_orig_mod.", "model.")
"""What DistributedDataParallel, torch.compile and Lightning put before every name, in any order and number."""

WRAPPED = re.compile(f"(?:{'|'.join(map(re.escape, WRAPPERS))})*+")
"""All that stands before a name, found in one go however long it is."""

BLOCK = re.compile(r"(?<=[./])(h?)(0|[1-9][0-9]{0,8})(?=[./])")
"""The number of a block in a name."""

ENDS = re.compile(r"[./]")
"""Where a prefix of names can end."""

TASK_HEAD_COMPONENTS = frozenset(("lm_head", "multiple_choice_head.summary", "score", "classifier", "qa_outputs"))
"""The components that stand on the body, so that no prefix of the body stands before their names."""


class Piece(NamedTuple):
    """One row of a dialect: a name, with `{}` for the number of the block, and the tensor of the table it is of.

    Where a dialect splits a tensor, several pieces name the same component and role, and together hold it all.
    """

    template: str
    component: str
    role: str
    layout: Layout = SAME

    @property
    def in_body(self) -> bool:
        """Whether it is a part of the body, which some dialects put a prefix before."""
        return self.component not in TASK_HEAD_COMPONENTS


class Extra(NamedTuple):
    """A name for what a file may hold beside the parameters. `what` groups such tensors in a report.

    `shape` gives what it may look like in letters: `n` is any number, the same in each place and in every block; `V` is
    the vocabulary.
    """

    template: str
    what: str
    shape: tuple[int | str, ...]


class Expected(NamedTuple):
    """A tensor that a checkpoint of given dims holds in a dialect, or one that it holds in every block.

    Args:
        template: its whole name, with `{}` for the number of the block.
        shape: the shape in the file; None where n_head does not divide.
        component: the component of the table.
        role: its weight or bias.
        layout: how the file lays it out.
        table_shape: the shape in the table.
    """

    template: str
    shape: Shape | None
    component: str
    role: str
    layout: Layout
    table_shape: Shape

    @property
    def is_in_blocks(self) -> bool:
        """Whether every block has one."""
        return "{}" in self.template

    def at(self, block: int) -> str:
        """Return its name in a block."""
        return self.template.replace("{}", str(block))


class Dialect:
    """One way of naming the tensors of a GPT-2.

    Args:
        name: what a report calls it.
        whose: whose names they are, as a verdict ends; empty for transformers' own, which need no word.
        summary: who names them so.
        source: where that is read.
        pieces: the parameters' names.
        extras: the names of what else a file may hold.
        prefix: what may stand before the names of the body, all of them or none.
        pads_vocabulary: whether `wte` has more rows than the file itself says tokens, up to a multiple of 128.
        head_is_copied: whether a tied head is stored a second time, as a matter of course.
    """

    def __init__(
        self,
        name: str,
        summary: str,
        source: str,
        pieces: tuple[Piece, ...],
        extras: tuple[Extra, ...] = (),
        *,
        prefix: str = "",
        whose: str = "",
        pads_vocabulary: bool = False,
        head_is_copied: bool = False,
    ) -> None:
        self.name, self.whose, self.summary, self.source = name, whose, summary, source
        self.pieces, self.extras, self.prefix = pieces, extras, prefix
        self.pads_vocabulary, self.head_is_copied = pads_vocabulary, head_is_copied
        self.known: dict[str, Piece | Extra] = {piece.template: piece for piece in pieces}
        self.known.update((extra.template, extra) for extra in extras)

    def __repr__(self) -> str:
        return f"<Dialect {self.name}>"


class Reading(NamedTuple):
    """How the names of one checkpoint are read: the dialect, and the prefixes that its names share."""

    dialect: Dialect
    wrapper: str = ""
    prefix: str = ""

    def find(self, name: str) -> tuple[Piece | Extra, int | None] | None:
        """Return the row that a stored name is of, and the number of its block; None where it is of none."""
        if not name.startswith(self.wrapper):
            return None
        template, block = templated(name[len(self.wrapper) :])
        found = self.row(template)
        if found is None or (block is None) == ("{}" in found.template):
            return None
        return found, block

    def row(self, template: str) -> Piece | Extra | None:
        """Return the row that a name is of, given without the wrapper and with `{}` for the number of its block."""
        in_body = bool(self.prefix) and template.startswith(self.prefix)
        found = self.dialect.known.get(template[len(self.prefix) :] if in_body else template)
        if found is None:
            return None
        if self.prefix and in_body != (isinstance(found, Extra) or found.in_body):
            return None
        return found

    def named(self, template: str, block: int = 0, *, in_body: bool = True) -> str:
        """Return the name that a row has in this checkpoint."""
        return self.wrapper + self.prefix * in_body + template.replace("{}", str(block))

    def expected(self, dims: Dims, n_head: int) -> dict[str, Expected]:
        """Return what a checkpoint of these dims holds, by the dialect's own template; what every block has, once.

        So nothing here takes longer for a model that is said to have a billion blocks.

        Args:
            dims: sizes and flags as Python ints.
            n_head: attention heads, for the dialects that store by head.
        """
        rows = {(row.component, row.role): row for row in tensor_table.table(dims)}
        found = {}
        for piece in self.dialect.pieces:
            row = rows[piece.component, piece.role]
            if row.times:
                template = self.wrapper + self.prefix * piece.in_body + piece.template
                shape = piece.layout.stored(row.shape, n_head, dims.n_layer)
                found[piece.template] = Expected(template, shape, piece.component, piece.role, piece.layout, row.shape)
        return found


def templated(name: str) -> tuple[str, int | None]:
    """Return a name with `{}` in place of the number of its block, and that number.

    >>> templated("transformer.h.11.ln_1.weight"), templated("model/h11/ln_1/g"), templated("wte.weight")
    (('transformer.h.{}.ln_1.weight', 11), ('model/h{}/ln_1/g', 11), ('wte.weight', None))
    """
    found = BLOCK.search(name)
    if found is None:
        return name, None
    return f"{name[: found.start(2)]}{{}}{name[found.end(2) :]}", int(found[2])


def unwrapped(name: str) -> str:
    """Return a name without what DistributedDataParallel, torch.compile and Lightning put before it.

    >>> unwrapped("module._orig_mod.transformer.wte.weight")
    'transformer.wte.weight'
    """
    return name[WRAPPED.match(name).end() :]  # type: ignore[union-attr]  # it matches nothing as well


def readings(names: Iterable[str], dialects: Iterable[Dialect]) -> list[tuple[int, Reading]]:
    """Return how the names read in each dialect, with how many of them it knows, the best first."""
    names = tuple(names)
    wrappers = Counter(name[: len(name) - len(unwrapped(name))] for name in names)
    wrapper = wrappers.most_common(1)[0][0] if wrappers else ""
    bare = Counter(templated(name[len(wrapper) :])[0] for name in names if name.startswith(wrapper))
    found = []
    for dialect in dialects:
        prefixed = [Reading(dialect, wrapper, prefix) for prefix in ((dialect.prefix, "") if dialect.prefix else ("",))]
        counted = [(_known(reading, bare), reading) for reading in prefixed]
        found.append(max(counted, key=lambda each: each[0]))
    return sorted(found, key=lambda each: -each[0])


def embedded(names: Iterable[str], dialects: Iterable[Dialect], fits: int) -> dict[str, list[Reading]]:
    """Return the prefixes, of any kind, under which a GPT-2 stands among other tensors, each with how its names read.

    Law: a prefix is whatever stands before the token embedding's name; at least one in `fits` of the names that begin
    with it must be known.
    """
    names = tuple(names)
    found: dict[str, list[tuple[int, Reading]]] = {}
    for dialect in dialects:
        wrappers = {
            name.removesuffix(piece.template).removesuffix(dialect.prefix)
            for piece in dialect.pieces
            if (piece.component, piece.role) == ("wte", WEIGHT)
            for name in names
            if name.endswith((f".{piece.template}", f"/{piece.template}"))
        } - {""}
        inside: dict[str, Counter[str]] = {wrapper: Counter() for wrapper in wrappers}
        for name in names if wrappers else ():  # by the places where a prefix can end, however many prefixes there are
            for end in (place.end() for place in ENDS.finditer(name)):
                if name[:end] in inside:
                    inside[name[:end]][templated(name[end:])[0]] += 1
        for wrapper, templates in inside.items():
            for prefix in dict.fromkeys((dialect.prefix, "")):
                known = _known(reading := Reading(dialect, wrapper, prefix), templates)
                if fits * known >= templates.total():
                    found.setdefault(wrapper, []).append((known, reading))
    best = {wrapper: max(known for known, _ in each) for wrapper, each in found.items()}
    return {wrapper: [reading for known, reading in each if known == best[wrapper]] for wrapper, each in found.items()}


def _known(reading: Reading, templates: Counter[str]) -> int:
    """Count the names that a reading knows, given how often each template occurs."""
    return sum(times for template, times in templates.items() if reading.row(template))
