"""Columns to the bytes of a file: CSV, JSONL, Parquet or Arrow, chunk by chunk. Needs pyarrow."""

from __future__ import annotations

import json
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Protocol

import pyarrow as pa
from pyarrow import csv, ipc, parquet

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Columns = dict[str, Any]


class Writer(Protocol):
    """What takes columns chunk by chunk."""

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what belongs at the end."""


def to_batch(columns: Columns) -> pa.RecordBatch:
    """Return columns as Arrow has them, numbers without copying them."""
    arrays = [pa.array(values) for values in columns.values()]
    fields = [pa.field(name, array.type, nullable=False) for name, array in zip(columns, arrays, strict=True)]
    return pa.RecordBatch.from_arrays(arrays, schema=pa.schema(fields))


class _Lines:
    """JSON, an object a line."""

    def __init__(self, file: IO[bytes], _: pa.Schema) -> None:
        self.file = file

    def write_batch(self, batch: pa.RecordBatch) -> None:
        names = batch.schema.names
        rows = zip(*(column.to_pylist() for column in batch.columns), strict=True)
        self.file.write("".join(json.dumps(dict(zip(names, row, strict=True))) + "\n" for row in rows).encode())

    def close(self) -> None:
        pass


def _csv(file: IO[bytes], columns: pa.Schema) -> Writer:
    options = csv.WriteOptions(quoting_style="needed", quoting_header="none")
    writer: Writer = csv.CSVWriter(file, columns, write_options=options)
    return writer


FORMATS: dict[str, Callable[[IO[bytes], pa.Schema], Any]] = {
    "csv": _csv,
    "jsonl": _Lines,
    "parquet": parquet.ParquetWriter,
    "arrow": ipc.new_file,
}
"""The formats, by name."""


def write(file: IO[bytes], form: str, chunks: Iterable[Columns]) -> int:
    """Write columns in a format, chunk by chunk, of which there is one at least; return how many rows there were."""
    count = 0
    writer: Any = None
    try:
        for batch in map(to_batch, chunks):
            writer = writer or FORMATS[form](file, batch.schema)
            if batch.num_rows:
                writer.write_batch(batch)
            count += batch.num_rows
    except BaseException:
        with suppress(Exception):  # what is half written is thrown away, and why it is stands in the first error
            writer.close()
        raise
    writer.close()
    return count
