"""Files of configs: from CSV, JSONL, Parquet or Arrow to the fields of each row, in batches. Needs pyarrow.

It knows formats, spellings and types. It must not know what is counted, nor which values a model can have: a row that
looks odd is read as a config of its own, which says what is wrong with it.
"""

from __future__ import annotations

import os
from functools import lru_cache
from itertools import islice
from typing import TYPE_CHECKING, Any, NamedTuple

import pyarrow as pa
from pyarrow import csv, ipc, parquet

from gpt2calc import inputs, numbers
from gpt2calc.errors import ConfigError, UnreadableInputError, shortened, shown
from gpt2calc.fields import CANONICAL, FIELDS, SIZE, SWITCH, WORD
from gpt2calc.notations import in_json as parse
from gpt2calc.spellings import NO_COUNT
from gpt2calc.sweeps.axes import INT64_MAX, TRUTHS, nearest
from gpt2calc.sweeps.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping

    Batches = Iterator[tuple[list[str], list[dict[str, Any]]]]
    """The names of the columns, and the rows as Python's values."""

HELD = {SIZE: (int, "a whole number that fits in int64"), WORD: (str, "a word"), SWITCH: (bool, "true or false")}
"""What a column of each kind of field holds."""

BATCH = 2**16
"""How many rows are read at once."""


class Known(NamedTuple):
    """What the columns of a file can be: fields by any spelling, what each holds, and what is passed over."""

    spellings: Mapping[str, str]
    kinds: Mapping[str, str]
    passed_over: Collection[str]


GPT2 = Known(CANONICAL, {name: row.kind for name, row in FIELDS.items()}, COLUMNS)


def read(path: str, known: Known = GPT2) -> Iterator[tuple[int, int, list[dict[str, Any]]]]:
    """Read a file of configs, a row a config, in batches.

    Law: the columns are fields of a config in any spelling; fields that change no count, and columns that a sweep
    itself writes, are passed over. Where all is text, a number is read as people type it.

    Yields:
        The first row of a batch, one past its last, and for each row the fields that it gives.

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
        for names, batch in reader(path):
            fields = fields or _fields(path, names, known)
            rows = _rows(path, start, batch, fields, known.kinds, is_text=reader is not _jsonl)
            if rows:
                yield start, start + len(rows), rows
            start += len(rows)
    except OSError as error:
        raise UnreadableInputError(path, f"cannot be read: {error.strerror or shortened(str(error))}") from None
    except pa.ArrowException as error:
        raise UnreadableInputError(path, f"cannot be read: {shortened(str(error).partition(chr(10))[0])}") from None


def _rows(  # what is known of a batch
    path: str,
    start: int,
    batch: list[dict[str, Any]],
    fields: dict[str, str],
    kinds: Mapping[str, str],
    *,
    is_text: bool,
) -> list[dict[str, Any]]:
    """Return the fields that each row gives, all of them of what their kinds hold."""
    rows: list[dict[str, Any]] = [{} for _ in batch]
    for name, field in fields.items():
        kind = kinds[field]
        held, said = HELD[kind]
        for number, row in enumerate(batch):
            value = row.get(name)
            if isinstance(value, str):
                value = _read(kind, value) if is_text else value
            elif kind == SIZE and type(value) is not int:
                value = numbers.whole(value)
            if type(value) is held and not (isinstance(value, int) and value > INT64_MAX):
                rows[number][field] = value
            elif value is not None:
                problem = f"row {start + number + 1:,}: {field} must be {said}, got {shown(value)}"
                raise UnreadableInputError(path, problem)
    return rows


@lru_cache(maxsize=BATCH)
def _read(kind: str, text: str) -> Any:
    """Return what text says of a field, None where it says nothing; what is none of its kind as it is."""
    word = text.strip() or None
    if word is None or kind == WORD:
        return word
    return numbers.whole(word) if kind == SIZE else TRUTHS.get(word.lower(), word)


def columns_of(path: str, known: Known = GPT2) -> tuple[str, ...]:
    """Return the fields that the first rows of a file give, in the order in which they are known.

    Raises:
        UnreadableInputError: as `read`.
    """
    rows = next((rows for _, _, rows in read(path, known)), [])
    return tuple(name for name in known.kinds if any(name in row for row in rows))


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


def _arrays(batch: pa.RecordBatch) -> tuple[list[str], list[dict[str, Any]]]:
    return batch.schema.names, batch.to_pylist()


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
            yield names, rows


READERS: dict[str, Callable[[str], Batches]] = {
    ".csv": _csv,
    ".jsonl": _jsonl,
    ".ndjson": _jsonl,
    ".parquet": _parquet,
    ".arrow": _arrow,
    ".feather": _arrow,
}
"""The formats, by how a file's name ends."""
