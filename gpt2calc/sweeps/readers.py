"""Files of configs: from CSV, JSONL, Parquet or Arrow to the fields of many rows, in batches. Needs pyarrow.

It knows formats, spellings and types. It must not know what is counted, nor which values a model can have: a row that
looks odd is read as a config of its own, which says what is wrong with it.
"""

from __future__ import annotations

import os
import re
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv, ipc, parquet

from gpt2calc import inputs, numbers
from gpt2calc.errors import ConfigError, UnreadableInputError, shortened, shown
from gpt2calc.fields import CANONICAL, CLASSES, FIELDS, SIZE, SWITCH, WORD
from gpt2calc.notations import in_json as parse
from gpt2calc.spellings import NO_COUNT
from gpt2calc.sweeps.axes import INT64_MAX, TRUTHS, nearest
from gpt2calc.sweeps.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    Batches = Iterator[tuple[int, Mapping[str, pa.Array | list[Any]]]]
    """How many rows there are, and the columns: arrays of Arrow, or lists of Python's values."""

HELD = {SIZE: (int, "a whole number that fits in int64"), WORD: (str, "a word"), SWITCH: (bool, "true or false")}
"""What a column of each kind of field holds."""

BATCH = 2**16
"""How many rows are read at once."""

LEAST_DIGITS = 18
"""A number of as many digits fits in int64, whichever they are."""


class Known(NamedTuple):
    """What the columns of a file can be: fields by any spelling, what each holds, and what is passed over."""

    spellings: Mapping[str, str]
    kinds: Mapping[str, str]
    passed_over: Collection[str]
    model_type: str
    """What every row is counted as; a row may say so, and no other."""
    classes: Collection[str]
    """Whose models have the head that is counted: a row of which no column says the head may name one, and no other."""


def of_gpt2(head: str) -> Known:
    """Return what the columns of a file of GPT-2s can be, which have this head unless a column says another."""
    classes = [name for name, own in CLASSES.items() if own == head]
    return Known(CANONICAL, {name: row.kind for name, row in FIELDS.items()}, COLUMNS, "gpt2", classes)


def read(path: str, known: Known) -> Iterator[tuple[int, int, dict[str, Any]]]:
    """Read a file of configs, a row a config, in batches.

    Law: the columns are fields of a config in any spelling; fields that change no count, and columns that a sweep
    itself writes, are passed over.

    Yields:
        The first row of a batch, one past its last, and for each field that the file gives its values, None where a row
        leaves it out: an int64 array for whole numbers where every row gives one, and a list otherwise.

    Raises:
        UnreadableInputError: the file cannot be read, or a column or a row is wrong; a row is told by its number, the
            first one being 1.
    """
    ending = os.path.splitext(path)[1].lower()
    reader = READERS.get(ending)
    if reader is None:
        expected = ", ".join(READERS)
        raise UnreadableInputError(path, f"expected a file of configs, which ends in one of {expected}")
    os.close(inputs.open_file(path)[0])  # what reads a file opens it by its name, and would wait for a pipe
    start, fields = 0, None
    try:
        for count, batch in reader(path):
            _refuse_other_models(path, batch, start, known.model_type)
            fields = fields or _fields(path, list(batch), known)
            if "head" not in fields.values():
                _refuse_other_heads(path, batch, start, known)
            if count:
                own = {field: _values(path, field, known.kinds[field], batch[n], start) for n, field in fields.items()}
                yield start, start + count, own
            start += count
    except OSError as error:
        raise UnreadableInputError(path, f"cannot be read: {error.strerror or shortened(str(error))}") from None
    except pa.ArrowException as error:
        raise UnreadableInputError(path, f"cannot be read: {shortened(str(error).partition(chr(10))[0])}") from None


def columns_of(path: str, known: Known) -> tuple[str, ...]:
    """Return the fields that a file gives, by its first rows, in the order in which they are known.

    Raises:
        UnreadableInputError: as `read`.
    """
    given = next((fields for _, _, fields in read(path, known)), {})
    return tuple(name for name in known.kinds if name in given)


def _fields(path: str, names: list[str], known: Known) -> dict[str, str]:
    """Return the columns that are read, each with the field that it means."""
    found: dict[str, str] = {}
    for name in names:
        field = known.spellings.get(name.strip())
        if field in found.values():
            first = next(other for other, taken in found.items() if taken == field)
            raise UnreadableInputError(path, f"columns {shown(first)} and {shown(name)} both mean {field}")
        if field:
            found[name] = field
        elif name not in known.passed_over and name not in NO_COUNT:
            near = nearest(name, tuple(known.spellings))
            raise UnreadableInputError(path, f"column {shown(name)} is no field of a config{near}")
    if not found:
        raise UnreadableInputError(path, f"no column is a field of a config, such as {next(iter(known.kinds))}")
    return found


def _refuse_other_models(path: str, batch: Mapping[str, pa.Array | list[Any]], start: int, expected: str) -> None:
    """Raise where a row says that it is of another architecture: its fields would be counted by the wrong laws."""
    column: Any = batch.get("model_type", [])
    for index, value in enumerate(column if isinstance(column, list) else _plain(WORD, column)):
        if value not in (None, expected):
            problem = f"row {start + index + 1:,}: its model_type is {shown(value)}, and what is swept is a {expected}"
            raise UnreadableInputError(path, problem)


def _refuse_other_heads(path: str, batch: Mapping[str, pa.Array | list[Any]], start: int, known: Known) -> None:
    """Raise where a row says a class, as a config.json does, whose model has another head than what is swept."""
    column: Any = batch.get("architectures", [])
    for index, value in enumerate(column if isinstance(column, list) else _plain(WORD, column)):
        names = re.findall(r"\w+", value) if isinstance(value, str) else value or []
        if not isinstance(names, list) or not all(name in known.classes for name in names):
            expected = f"what is swept is a {' or '.join(known.classes) or known.model_type}; a column head says others"
            problem = f"row {start + index + 1:,}: its architectures are {shown(value)}, and {expected}"
            raise UnreadableInputError(path, problem)


def _values(path: str, field: str, kind: str, column: pa.Array | list[Any], start: int) -> Any:
    values: Any = column if isinstance(column, list) else _plain(kind, column)
    if isinstance(values, np.ndarray):
        return values
    if kind == SIZE:
        values = [each if isinstance(each, str) else numbers.whole(each) for each in values]
    held, said = HELD[kind]
    for index, value in enumerate(values):
        if value is not None and (type(value) is not held or (isinstance(value, int) and value > INT64_MAX)):
            raise UnreadableInputError(path, f"row {start + index + 1:,}: {field} must be {said}, got {shown(value)}")
    return values


def _plain(kind: str, column: pa.Array) -> Any:
    """Return a column as an int64 array where it is one in every row, and as a list of Python's values otherwise."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    if pa.types.is_string(column.type) or pa.types.is_large_string(column.type):
        text = pc.utf8_trim_whitespace(column)
        text = pc.if_else(pc.equal(text, ""), pa.scalar(None, text.type), text)
        if kind != SIZE:
            words = text.to_pylist()
            return words if kind == WORD else [word and TRUTHS.get(word.lower(), word) for word in words]
        if not pc.all(pc.match_substring_regex(text, f"^[0-9]{{1,{LEAST_DIGITS}}}$"), min_count=0).as_py():
            return [word and numbers.whole(word) for word in text.to_pylist()]
        column = text.cast(pa.int64())  # which by itself would read 0x10 too
    if kind == SIZE and pa.types.is_integer(column.type) and not column.null_count:
        try:
            return np.asarray(column.cast(pa.int64()))
        except pa.ArrowInvalid:  # too large, and told by its row
            pass
    return column.to_pylist()


def _csv(path: str) -> Batches:
    with open(path, encoding="utf-8-sig", errors="replace", newline="") as file:
        from csv import reader  # the header alone, so that every column is read as text and a wrong row can be told

        names = next(reader(file), [])
    if not names:
        raise UnreadableInputError(path, "expected a header with the names of fields, and the file is empty")
    if len(set(names)) < len(names):
        twice = next(name for name in names if names.count(name) > 1)
        raise UnreadableInputError(path, f"there are two columns {shown(twice)}")
    types = csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()), strings_can_be_null=True)
    with csv.open_csv(path, convert_options=types) as batches:
        yield from map(_arrays, batches)


def _arrays(batch: pa.RecordBatch) -> tuple[int, dict[str, Any]]:
    return batch.num_rows, dict(zip(batch.schema.names, batch.columns, strict=True))


def _parquet(path: str) -> Batches:
    with parquet.ParquetFile(path) as file:
        yield from map(_arrays, file.iter_batches(batch_size=BATCH))


def _arrow(path: str) -> Batches:
    with pa.memory_map(path) as source:
        try:
            file = ipc.open_file(source)
        except pa.ArrowInvalid:
            source.seek(0)
            yield from map(_arrays, ipc.open_stream(source))
            return
        for index in range(file.num_record_batches):
            yield _arrays(file.get_batch(index))


def _jsonl(path: str) -> Batches:
    """Read a JSON object a line; a batch has the columns that any of the first rows has."""
    names: list[str] = []
    with open(path, encoding="utf-8-sig") as file:
        lines, read = iter(file), 0
        while block := list(islice(lines, BATCH)):
            rows = []
            for number, line in enumerate(block, read + 1):
                try:
                    rows += [parse(line.strip())] if line.strip() else []
                except ConfigError as error:
                    raise UnreadableInputError(path, f"row {number:,}: {error}") from None
            read += len(block)
            names = names or list(dict.fromkeys(name for row in rows for name in row))
            if more := {name for row in rows for name in row} - set(names):
                raise UnreadableInputError(path, f"{shown(min(more))} is in no row of the first {BATCH:,}")
            yield len(rows), {name: [row.get(name) for row in rows] for name in names}


READERS: dict[str, Callable[[str], Batches]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".feather": _arrow,
}
"""The formats, by how a file's name ends."""
