"""Models of another architecture than GPT-2 as columns, each row read and counted as a config.json of its own.

What a family's fields come to, and which of them go together, only its laws say. So there is no formula for a whole
grid: a row takes some half a millisecond, and counts are Python's own integers until they are columns.
"""

from __future__ import annotations

from functools import cached_property, lru_cache, partial
from itertools import product
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gpt2calc import architectures, general_conventions, model, ranges
from gpt2calc.architectures import reading
from gpt2calc.costs.serving import Serving
from gpt2calc.errors import ConfigError, Int64OverflowError, UnreadableInputError, pair, shown
from gpt2calc.fields import CANONICAL
from gpt2calc.model import GROUPS, LAW
from gpt2calc.sources import resolve
from gpt2calc.sweeps import running
from gpt2calc.sweeps.axes import INT64_MAX, from_python, read_truths, read_words, remarks
from gpt2calc.sweeps.columns import COUNT, SHARE, SIZE, SWITCH, WORD, Column, identifier, share_of
from gpt2calc.sweeps.models import Rows, empty

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gpt2calc.model import Model, Size
    from gpt2calc.sources import Source
    from gpt2calc.sweeps.readers import Known

ROWS = 2**10
"""How many rows a task has."""

MOST_ROWS = 10**6
"""How many rows a grid has: about a thousand a second are counted."""

KINDS = {model.SIZE: SIZE, model.FLAG: SWITCH, model.WORD: WORD}
"""What fields that can run hold, as columns say it."""

HELD: dict[str, type] = {model.SIZE: int, model.FLAG: bool, model.WORD: str}
"""What each of several values is; they are of one type."""


SERVED = ("flops", "kv_bytes_per_token", "kv_bytes")
"""Columns of FLOPs and of the KV cache, which are there where they are named, and not in all."""


class Counted:
    """One model, whose components are computed once."""

    def __init__(self, model: Model, document: Mapping[str, Any]) -> None:
        self.model, self.document = model, document

    @cached_property
    def parts(self) -> list[tuple[str, int, int]]:
        """The group, the weights and the biases of every component."""
        rows = ((row, self.model.count(row.layers) * row.times) for row in self.model.components())
        return [(row.group, times * row.weights, times * row.biases) for row, times in rows]

    @cached_property
    def serving(self) -> Serving:
        """What the model does and keeps, of as many tokens as it takes, in bfloat16."""
        return Serving(self.model, reading.rewritten(self.document, self.model), {"dtype": "bf16"})

    def held(self, group: str = "", places: tuple[int, ...] = (1, 2)) -> int:
        """Return what a group holds, or the whole model: weights, biases, or both."""
        own: list[Any] = [part for part in self.parts if group in ("", part[0])]
        return sum(part[place] for part in own for place in places)


@lru_cache(maxsize=8)
def spellings(model_type: str) -> dict[str, str]:
    """Return the name of each field that a document can have, by any spelling, GPT-2's for the same among them."""
    sizes = architectures.of(model_type).sizes
    own = {name: row.name for row in sizes if row.kind != LAW for name in (row.name, *row.spellings)}
    alike = {CANONICAL[name]: field for name, field in reversed(own.items()) if name in CANONICAL}
    return {name: alike[field] for name, field in CANONICAL.items() if field in alike} | own


@lru_cache(maxsize=8)
def columns(counted: Model) -> dict[str, Column]:
    """Return every column that models like this one can have, by name.

    >>> qwen = columns(resolve("Qwen3-0.6B", {}).counted)
    >>> qwen["self_attn_q_proj"].sentence, qwen["mlp_share"].part
    ('parameters of self_attn.q_proj', 'mlp')
    """
    named, rows = spellings(counted.architecture.model_type), counted.components()

    def apart(name: str) -> str:
        return f"{identifier(name)}_parameters" if name in named else identifier(name)

    def component(place: int, counted: Counted) -> int:
        return sum(counted.parts[place][1:])

    def convention(value: Callable[[Model], int], counted: Counted) -> int:
        return value(counted.model)

    def kept(counted: Counted) -> int:
        return counted.serving.kv_bytes_per_token

    def kept_of_all(counted: Counted) -> int:
        if (found := counted.serving.kv_bytes) is None:
            problem = (
                "the config does not say how long a sequence can be: kv_bytes has no tokens, kv_bytes_per_token has"
            )
            raise ConfigError(problem, field="max_position_embeddings")
        return found

    def forward(counted: Counted) -> int:
        if (found := counted.serving.forward) is None:
            raise ConfigError(counted.serving.flops_notes[0], field="flops")
        return found

    fields = [row for row in counted.architecture.sizes if row.kind in KINDS]
    groups = [name for name in GROUPS if any(row.group == name for row in rows)]
    found = [
        *(Column(row.name, KINDS[row.kind], f"the field {row.name}") for row in fields),
        *(
            Column(apart(row.name), COUNT, f"parameters of {row.name}", partial(component, place))
            for place, row in enumerate(rows)
        ),
        *(
            Column(apart(name), COUNT, f"parameters of the group {name}", partial(Counted.held, group=name))
            for name in groups
        ),
        Column("weights", COUNT, "every parameter that is no bias", partial(Counted.held, places=(1,))),
        Column("biases", COUNT, "biases, those of norms among them", partial(Counted.held, places=(2,))),
        Column("total", COUNT, "every parameter", Counted.held),
        *(
            Column(apart(row.name), COUNT, row.sentence, partial(convention, row.value))
            for row in general_conventions.of(counted)
        ),
        Column(
            "flops",
            COUNT,
            "FLOPs of a forward pass of one sequence of max_position_embeddings tokens; by name alone",
            forward,
        ),
        Column("kv_bytes_per_token", COUNT, "bytes of a token in the KV cache, bf16; by name alone", kept),
        Column(
            "kv_bytes",
            COUNT,
            "bytes of max_position_embeddings tokens of one sequence, bf16; by name alone",
            kept_of_all,
        ),
        *(Column(share_of(apart(name)), SHARE, f"the share of the group {name}", part=apart(name)) for name in groups),
    ]
    return {column.name: column for column in found}


class Family(NamedTuple):
    """What is swept: a document with changes, and values that run, or the rows of a file."""

    name: str
    document: Mapping[str, Any]
    changes: dict[str, Any]
    axes: tuple[tuple[str, Any], ...]
    path: str = ""
    swept: tuple[str, ...] = ()
    first: int | None = None
    """Which row goes with what does not run, where that alone is no model."""

    @property
    def base(self) -> Model:
        """A model that there is: what does not run, with what runs in one row where it must."""
        return self.read({} if self.first is None else self.row(self.first)).model

    @property
    def table(self) -> dict[str, Column]:
        """The columns that there can be."""
        return columns(self.base)

    @property
    def spellings(self) -> dict[str, str]:
        """The name of each field, by any of its spellings."""
        return spellings(self.base.architecture.model_type)

    @property
    def length(self) -> int | None:
        """How many rows there are, where that is known beforehand."""
        return None if self.path else prod(ranges.length(values) for _, values in self.axes)

    def row(self, index: int) -> dict[str, Any]:
        """Return what runs in a row of the grid, the last field fastest."""
        found = {}
        for name, values in reversed(self.axes):
            index, place = divmod(index, ranges.length(values))
            found[name] = values[place]
        return found

    def largest(self) -> Iterator[int]:
        """Yield the rows of a grid that have the largest of every size, one for each choice of what is no size."""
        kinds = {row.name: row.kind for row in self.base.architecture.sizes}
        places: list[Any] = []
        for name, values in self.axes:
            every = range(ranges.length(values))
            if kinds[name] == model.SIZE:
                ends = (0, every[-1]) if isinstance(values, range) else every
                every = range(place := max(ends, key=values.__getitem__), place + 1)
            places.append(every)
        for chosen in product(*places):
            index = 0
            for (_, values), place in zip(self.axes, chosen, strict=True):
                index = index * ranges.length(values) + place
            yield index

    def read(self, fields: Mapping[str, Any]) -> Counted:
        """Return the model of a row."""
        return Counted(reading.read(self.document, {**self.changes, **fields}).model, self.document)

    def samples(self) -> list[Counted]:
        """Return models of which one has what any has: at the ends of sizes, with every value of what has few."""
        names = {row.name: row.kind for row in self.base.architecture.sizes}
        switches = {name: values for name, values in self.axes if names[name] != model.SIZE}
        switches |= {name: (True, False) for name in self.swept if self.path and names[name] == model.FLAG}
        found = []
        for each in product(*switches.values()):
            for end in (0, -1):
                ends = {name: values[end] for name, values in self.axes}
                try:
                    found.append(self.read({**ends, **dict(zip(switches, each, strict=True))}))
                except ConfigError:  # not all values go together
                    continue
        return found or [Counted(self.base, self.document)]

    def everything(self) -> tuple[str, ...]:
        """Return the columns that say anything: sizes that are numbers, what runs, and what a model can hold."""
        samples, table, found = self.samples(), self.table, []
        always = {"total", "biases", *(row.name for row in general_conventions.of(self.base))}
        for name, column in table.items():
            if name in SERVED:
                continue
            measure = table[column.part].measure if column.part else column.measure
            if measure is None:
                is_shown = name in self.swept or (column.kind == SIZE and bool(self.base.sizes[name]))
            else:
                is_shown = name in always or any(measure(each) for each in samples)
            found += [name] if is_shown else []
        return tuple(found)

    def ranges(self, step: int) -> Iterator[tuple[Any, ...]]:
        """Yield ranges of rows, of a file with the fields of each."""
        if self.path:
            from gpt2calc.sweeps import readers  # loads pyarrow

            return readers.read(self.path, known(self.base))
        return running.ranges(0, self.length or 0, min(step, ROWS))

    def models(self, start: int, stop: int, *given: Any, needed: tuple[str, ...]) -> FamilyModels:
        """Return the models of a range of rows."""
        found: list[Counted | None] = []
        why = ""
        for index in range(start, stop):
            try:
                own = {n: v[index - start] for n, v in given[0].items()} if given else self.row(index)
                found.append(
                    self.read({n: getattr(v, "item", lambda v=v: v)() for n, v in own.items() if v is not None})
                )
            except ConfigError as error:
                if self.path:
                    raise UnreadableInputError(self.path, f"row {index + 1:,}: {error}") from None
                found.append(None)
                why = why or f"which are no models: {error}"
        return FamilyModels(self.table if needed else {}, start, found, why)


class FamilyModels(Rows):
    """The models of some rows; a row that is none has 0 in every column, and is left out."""

    def __init__(self, table: Mapping[str, Column], start: int, counted: list[Counted | None], why: str) -> None:
        super().__init__(table, len(counted))
        self.start, self.counted, self.why = start, counted, why

    def valid(self, start: int, stop: int) -> Any:
        """Return which rows of a range are models."""
        return np.array([each is not None for each in self.counted[start:stop]], dtype=bool) if self.why else True

    def made(self, column: Column) -> Any:
        """Compute a column that is no share."""
        read = column.measure or (lambda each: each.model.sizes[column.name] or 0)
        values = [
            1 if each is None and column.name == "total" else 0 if each is None else read(each) for each in self.counted
        ]
        if column.kind == WORD:
            return np.array([str(value) for value in values])
        try:
            return np.array(values, dtype=empty(column).dtype)
        except OverflowError:
            index = next(place for place, value in enumerate(values) if value > INT64_MAX)
            row, value = f"{self.start + index + 1:,}", f"{values[index]:,}"
            raise Int64OverflowError(f"row {row}: {column.name} is {value} and does not fit in int64") from None


def known(base: Model) -> Known:
    """Return what the columns of a file can be."""
    from gpt2calc.sweeps import readers  # loads pyarrow, which a grid does without

    kinds = {row.name: KINDS[row.kind] for row in base.architecture.sizes if row.kind in KINDS}
    named = {name: field for name, field in spellings(base.architecture.model_type).items() if field in kinds}
    classes = [name for name, head in base.architecture.classes.items() if head == base.sizes.get("head", "lm")]
    return readers.Known(named, kinds, columns(base), base.architecture.model_type, classes)


def read(source: Source, fields: Mapping[str, Any], path: str = "") -> tuple[Family, tuple[str, ...]]:
    """Read a grid of models of a family, or a file of them: a base model, and for each field one value or several.

    Returns:
        What is swept, and notes, a sentence each.

    Raises:
        ConfigError: a field is unknown, a value is none of its field, or there are too many rows.

    >>> qwen, notes = read(resolve("Qwen3-0.6B", {}), {"layers": "12,24", "hidden_size": "512:1024:512"})
    >>> qwen.swept, [qwen.read(qwen.row(index)).held() for index in range(qwen.length)]
    (('num_hidden_layers', 'hidden_size'), [172178944, 344354816, 266566144, 533126144])
    """
    counted: Any = source.counted
    rows = {row.name: row for row in counted.architecture.sizes}
    named = spellings(counted.architecture.model_type)
    fixed: dict[str, Any] = {}
    several: dict[str, Any] = {}
    spelled: dict[str, tuple[str, Any]] = {}
    for name, value in fields.items():
        row = rows.get(named.get(name, ""))
        values = _values(row, name, value) if row and row.kind in KINDS else None
        before, other = spelled.setdefault(row.name if row else name, (name, values))
        if row and other != values:
            what = f"{pair(before, fields[before])} and {pair(name, value)}"
            raise ConfigError(f"{what} disagree: both mean {row.name}; give one of them", field=name, got=value)
        if row is None or not isinstance(values, (tuple, range)):
            fixed[name] = value if values is None else values
        elif path:
            raise ConfigError(f"{name} has one value beside a file: several values are a grid, without a file")
        else:
            several[row.name] = values
    order = sorted(several, key=lambda name: rows[name].kind == model.SIZE)
    axes = tuple((name, several[name]) for name in order)
    family = Family(path or source.name, source.given or {}, fixed, axes, path, tuple(order))
    if (family.length or 0) > MOST_ROWS:
        raise ConfigError(f"there are {family.length:,} rows, at most {MOST_ROWS:,} of this architecture are counted")
    try:
        found = resolve(source, fixed)
    except ConfigError:
        some = range(min(family.length or 0, ROWS))
        first = next((index for index in some if not family.models(index, index + 1, needed=()).why), None)
        if first is None:
            raise
        family = family._replace(first=first)
        found = resolve(source, {**fixed, **family.row(first)})
    if path:
        from gpt2calc.sweeps import readers  # see above

        family = family._replace(swept=readers.columns_of(path, known(family.base)))
    said = remarks({name: value for name, value in fields.items() if name not in fixed})
    return family._replace(name=path or found.name), (*found.notes, *said)


def _values(row: Size, name: str, value: Any) -> Any:
    """Return the values that a field of a family is given, or the one; several are each what its row expects."""
    if isinstance(value, str) and row.kind != model.SIZE:
        value = read_truths(name, value) if row.kind == model.FLAG else read_words(value)
        value = value[0] if len(value) == 1 else value
    found = from_python(name, value, is_size=row.kind == model.SIZE)
    if isinstance(found, (tuple, range)):
        least: Any = min(found[0], found[-1]) if isinstance(found, range) else min(found)
        is_held = type(least) is HELD[row.kind]
        if not is_held or (row.kind == model.SIZE and least < row.least):
            raise ConfigError(f"{name} must be {reading.expected(row)}, got {shown(least)}", field=name, got=value)
    return found
