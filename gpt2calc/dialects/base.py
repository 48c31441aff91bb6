"""What a naming dialect is: a table from the names in a file to the rows of the tensor table.

Here stands how names are read, and in `table` and `huggingface` what they are. What stands before all names is found
and not listed: it is whatever stands before names that a dialect knows. It must not know a size, a format or a file.
"""

from __future__ import annotations

import re
from collections import Counter
from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.dialects.layouts import SAME
from gpt2calc.model import WEIGHT

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from gpt2calc.dialects.layouts import Layout, Shape
    from gpt2calc.model import Model, Tensor

BLOCK = re.compile(r"(?<=[./])(h?)(0|[1-9][0-9]{0,8})(?=[./])")
"""The number of a block in a name."""

SLOT = re.compile(r"(?<=[./])(h?)(0|[1-9][0-9]{0,8}|\{\}|\{n\})(?=[./])")
"""A number in a template, or what stands for one."""

LAYER, COPY = "{}", "{n}"
"""What stands in a template for the number of a block, and for that of a copy, such as an expert."""

ENDS = re.compile(r"[./]")
"""Where a prefix of names can end."""

TASK_HEAD_COMPONENTS = frozenset(("lm_head", "multiple_choice_head.summary", "score", "classifier", "qa_outputs"))
"""The components that stand on the body of a GPT-2, so that no prefix of the body stands before their names."""


FEW = 4
"""Of so many prefixes each is tried on all names."""

MOST_KEYED = 2**16
"""Of how many names the keys are kept: each way of naming asks for those of the same file."""


class Piece(NamedTuple):
    """One row of a dialect: a name, with `{}` for the number of the block, and the tensor of the table it is of.

    Where a dialect splits a tensor, several pieces name the same component and role, and together hold it all. Where
    component and role do not tell a row of the table, or the name holds the number of a copy, `rows` says which it is.
    """

    template: str
    component: str
    role: str
    layout: Layout = SAME
    rows: tuple[Tensor, ...] = ()
    stack: str = ""
    outside: bool = False

    @property
    def in_body(self) -> bool:
        """Whether it is a part of the body, which some dialects put a prefix before."""
        return not self.outside and (bool(self.rows) or self.component not in TASK_HEAD_COMPONENTS)


class Extra(NamedTuple):
    """A name for what a file may hold beside the parameters. `what` groups such tensors in a report.

    `shape` gives what it may look like in letters: `n` is any number, the same in each place and in every block; `V` is
    the vocabulary.
    """

    template: str
    what: str
    shape: tuple[int | str, ...] = ()

    @property
    def in_body(self) -> bool:
        """Whether it is a part of the body: all are."""
        return True

    @property
    def stack(self) -> str:
        """The layers that it is one of: the only ones."""
        return ""


class Found(NamedTuple):
    """What a stored name is: a row of the dialect, and the numbers of the block and of the copy that it says."""

    row: Piece | Extra
    block: int | None
    copy: int | None = None


class Row(NamedTuple):
    """A tensor that a checkpoint of a given model holds in a dialect, or one that it holds in every block.

    Args:
        piece: the row of the dialect.
        before: what stands before its name in this checkpoint.
        shape: the shape in the file; None where n_head does not divide.
        component: the component of the table.
        role: its weight or bias.
        table_shape: the shape in the table.
        tags: those that a layer must have.
        times: how many copies there are.
        dtype: what it is stored as, where that is said.
        packed: how many elements of the model one stored element is.
    """

    piece: Piece
    before: str
    shape: Shape | None
    component: str
    role: str
    table_shape: Shape
    tags: frozenset[str] = frozenset()
    times: int = 1
    dtype: str = ""
    packed: int = 1

    @property
    def is_in_blocks(self) -> bool:
        """Whether every block has one, in some dialect or other than this one's that stacks them."""
        return LAYER in self.piece.template

    def at(self, block: int, copy: int = 0) -> str:
        """Return its name in a block."""
        return self.before + self.piece.template.replace(LAYER, str(block)).replace(COPY, str(copy))


class Dialect:
    """One way of naming the tensors of a model.

    Args:
        name: what a report calls it.
        whose: whose names they are, as a verdict ends; empty for transformers' own, which need no word.
        summary: who names them so.
        source: where that is read.
        pieces: the parameters' names.
        extras: the names of what else a file may hold.
        prefix: what may stand before the names of the body, all of them or none.
        other_prefix: what may stand there in its place.
        embedding: the component that embeds tokens.
        head: the component of the output head.
        is_live: whether they are those of a live module, where that keeps in one tensor what files hold in several.
        pads_vocabulary: whether `wte` has more rows than the file itself says tokens, up to a multiple of 128.
        head_is_copied: whether a tied head is stored a second time, as a matter of course.
        folded: the components that are no tensors of their own, since they were multiplied into those that follow.
        model_type: the model type whose files have these names, as transformers calls it.
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
        other_prefix: str = "",
        embedding: str = "wte",
        head: str = "lm_head",
        is_live: bool = False,
        whose: str = "",
        pads_vocabulary: bool = False,
        head_is_copied: bool = False,
        folded: frozenset[str] = frozenset(),
        model_type: str = "gpt2",
    ) -> None:
        self.name, self.whose, self.summary, self.source = name, whose, summary, source
        self.pieces, self.extras, self.prefix = pieces, extras, prefix
        self.bodies = tuple(dict.fromkeys((prefix, other_prefix or prefix, "")))
        self.pads_vocabulary, self.head_is_copied = pads_vocabulary, head_is_copied
        self.embedding, self.head, self.is_live = embedding, head, is_live
        self.folded, self.model_type = folded, model_type
        self.embeddings = tuple(each for each in pieces if (each.component, each.role) == (embedding, WEIGHT))
        self.known: dict[str, list[tuple[tuple[str, ...], Piece | Extra]]] = {}
        rows: tuple[Piece | Extra, ...] = (*pieces, *extras)
        for row in rows:
            key, slots = keyed(row.template, SLOT)
            self.known.setdefault(key, []).append((slots, row))
        self.depths = sorted({len(ENDS.findall(key)) for key in self.known}, reverse=True)

    def speaks(self, name: str) -> bool:
        """Whether a name ends like one of this dialect, whatever stands before that."""
        key = keyed(name)[0]
        ends = [0, *(end.end() for end in ENDS.finditer(key))]
        return any(key[ends[-1 - depth] :] in self.known for depth in self.depths if depth < len(ends))

    def __repr__(self) -> str:
        return f"<Dialect {self.name}>"


class Reading(NamedTuple):
    """How the names of one checkpoint are read.

    Args:
        dialect: whose names they are.
        wrapper: what stands before all of them.
        prefix: what stands before those of the body, after that.
        heads: what stands before those of heads, where that is not the wrapper.
    """

    dialect: Dialect
    wrapper: str = ""
    prefix: str = ""
    heads: str | None = None

    def find(self, name: str) -> Found | None:
        """Return the row that a stored name is of, and the numbers in it; None where it is of none."""
        found = self._row(name[len(self.wrapper) :], self.prefix) if name.startswith(self.wrapper) else None
        if found is None and self.heads is not None and name.startswith(self.heads):
            found = self._row(name[len(self.heads) :], "\0")
        return found

    def _row(self, name: str, prefix: str) -> Found | None:
        key, numbers = keyed(name)
        in_body = bool(prefix) and key.startswith(prefix)
        for slots, row in self.dialect.known.get(key[len(prefix) :] if in_body else key, ()):
            if len(slots) != len(numbers) or (prefix and in_body != row.in_body):
                continue
            pairs = list(zip(slots, numbers, strict=True))
            if all(slot in (LAYER, COPY, number) for slot, number in pairs):
                said = {slot: int(number) for slot, number in pairs if slot in (LAYER, COPY)}
                return Found(row, said.get(LAYER), said.get(COPY))
        return None

    def before(self, row: Piece | Extra) -> str:
        """Return what stands before the name of a row."""
        outside = self.wrapper if self.heads is None else self.heads
        return self.wrapper + self.prefix if row.in_body else outside

    def named(self, row: Piece | Extra, block: int = 0) -> str:
        """Return the name that a row has in this checkpoint."""
        return self.before(row) + row.template.replace(LAYER, str(block))

    def expected(self, model: Model, n_head: int = 0) -> tuple[Row, ...]:
        """Return what a checkpoint of a model holds, in the order of the dialect; what every block has, once.

        So nothing here takes longer for a model that is said to have a billion blocks.

        Args:
            model: its sizes are Python ints.
            n_head: attention heads, for the dialects that store by head.
        """
        table = {(row.component, row.role): row for row in model.architecture.tensors(model)}
        found = []
        for piece in self.dialect.pieces:
            for row in piece.rows or (table[piece.component, piece.role],):
                if row.when and row.times and (layers := model.count(row.layers)):
                    shape = piece.layout.stored(row.shape, n_head, layers)
                    tags = frozenset(row.layers.split()) if LAYER in piece.template else frozenset[str]()
                    what = (row.component, row.role, row.shape, tags, row.times, row.dtype, row.packed)
                    found.append(Row(piece, self.before(piece), shape, *what))
        return tuple(found)


@lru_cache(MOST_KEYED)
def keyed(name: str, slot: re.Pattern[str] = BLOCK) -> tuple[str, tuple[str, ...]]:
    """Return a name with `#` in place of each number in it, and the numbers.

    >>> keyed("model.layers.3.mlp.experts.17.up_proj.weight"), keyed("model/h11/ln_1/g")
    (('model.layers.#.mlp.experts.#.up_proj.weight', ('3', '17')), ('model/h#/ln_1/g', ('11',)))
    """
    parts = slot.split(name)
    return "#".join(map("".join, zip(parts[::3], (*parts[1::3], ""), strict=True))), tuple(parts[2::3])


def templated(name: str) -> tuple[str, int | None]:
    """Return a name with `{}` in place of the number of its block, and that number.

    >>> templated("transformer.h.11.ln_1.weight"), templated("model/h11/ln_1/g"), templated("wte.weight")
    (('transformer.h.{}.ln_1.weight', 11), ('model/h{}/ln_1/g', 11), ('wte.weight', None))
    """
    found = BLOCK.search(name)
    if found is None:
        return name, None
    return f"{name[: found.start(2)]}{{}}{name[found.end(2) :]}", int(found[2])


def readings(names: Iterable[str], dialects: Iterable[Dialect]) -> list[tuple[int, Reading]]:
    """Return how names can be read, in each dialect and behind each prefix, with how many are known so, the best first.

    Law: a name that ends like one that a dialect knows speaks for what stands before that. The work is that of the
    names, however many prefixes there are.
    """
    alike: dict[str, list[str]] = {}
    for name in names:
        alike.setdefault(keyed(name)[0], []).append(name)
    dialects = tuple(dialects)
    speaking = _speaking(alike, dialects)
    before_ends: dict[tuple[str, int], Mapping[str, int]] = {}  # the same in each dialect that knows the end
    found = []
    for dialect in dialects:
        body, heads = Counter[str](), Counter[str]()
        for key, ends in speaking.items():
            for end, depth in ends:
                rows = dialect.known.get(end)
                if rows:
                    if (key, depth) not in before_ends:
                        before_ends[key, depth] = _before(alike[key], key.removesuffix(end), depth)
                    spoken = body if rows[0][1].in_body else heads
                    for before, count in before_ends[key, depth].items():
                        spoken[before] += count
                    break
        for before, known in body.items():
            ways = [(before[: len(before) - len(each)], each) for each in dialect.bodies if before.endswith(each)]
            whole = [(wrapper, each) for wrapper, each in ways if wrapper[-1:] in {"", ".", "/"}]
            readable = [(known + heads[wrapper], Reading(dialect, wrapper, each)) for wrapper, each in whole]
            found.append(max(readable, key=lambda each: each[0]))
        found += [(0, Reading(dialect, "", dialect.prefix))] if not body else []
    return sorted(found, key=lambda each: -each[0])


def _speaking(keys: Iterable[str], dialects: Iterable[Dialect]) -> dict[str, list[tuple[str, int]]]:
    """Return the keys that end as any dialect knows, each with these ends and how deep they are, the longest first.

    So what nobody knows is looked at once, and not by each dialect.
    """
    known = set[str]().union(*(dialect.known for dialect in dialects))
    depths = sorted(set[int]().union(*(dialect.depths for dialect in dialects)), reverse=True)
    longest = max(map(len, known), default=0)
    found = {}
    for key in keys:
        tail = key[-longest - 1 :]  # no longer end is known, and a name may have 150 parts
        starts = [0, *(end.end() for end in ENDS.finditer(tail))]
        ends = [(tail[starts[-1 - depth] :], depth) for depth in depths if depth < len(starts)]
        if speaking := [each for each in ends if each[0] in known]:
            found[key] = speaking
    return found


def _before(names: list[str], key: str, depth: int) -> Mapping[str, int]:
    """Return what stands before the last parts of names whose keys are the same, and how often."""
    if "#" not in key:
        return {key: len(names)}
    return Counter(name[: [end.end() for end in ENDS.finditer(name)][-1 - depth]] for name in names)


def wrapped(names: Iterable[str], wrappers: Collection[str]) -> Counter[str]:
    """Return how many names begin with each of some prefixes, by the places where one can end."""
    found: Counter[str] = Counter()
    if len(wrappers) <= FEW:
        listed = list(names)
        return Counter({each: sum(name.startswith(each) for name in listed) for each in wrappers})
    for name in names:
        found.update(
            name[:end] for end in (0, *(place.end() for place in ENDS.finditer(name))) if name[:end] in wrappers
        )
    return found
