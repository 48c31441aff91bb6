"""Columns to files: CSV, JSONL, Parquet or Arrow, chunk by chunk, complete or not at all. Needs pyarrow.

A file is written under another name beside its own, and takes its name when all of it is on the disk.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from typing import IO, TYPE_CHECKING, Any, Protocol

import pyarrow as pa
from pyarrow import csv, ipc, parquet

from gpt2calc.errors import UnreadableInputError, shortened_path
from gpt2calc.sweeps.columns import COLUMNS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    Columns = dict[str, Any]

TYPES = {"size": pa.int64(), "count": pa.int64(), "share": pa.float64(), "switch": pa.bool_(), "word": pa.string()}


class Writer(Protocol):
    """What takes columns chunk by chunk."""

    def write_batch(self, batch: pa.RecordBatch) -> None:
        """Write some rows."""

    def close(self) -> None:
        """Write what belongs at the end."""


def schema(names: Iterable[str]) -> pa.Schema:
    """Return the types of columns as Arrow has them."""
    return pa.schema([pa.field(name, TYPES[COLUMNS[name].kind], nullable=False) for name in names])


def to_batch(columns: Columns) -> pa.RecordBatch:
    """Return columns as Arrow has them, numbers without copying them."""
    arrays = [pa.array(values, TYPES[COLUMNS[name].kind]) for name, values in columns.items()]
    return pa.RecordBatch.from_arrays(arrays, schema=schema(columns))


def to_table(columns: Columns) -> pa.Table:
    """Return columns as a table of Arrow, numbers without copying them."""
    return pa.Table.from_batches([to_batch(columns)])


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


def write(file: IO[bytes], form: str, names: tuple[str, ...], chunks: Iterable[Columns]) -> int:
    """Write columns in a format, and return how many rows there were."""
    count = 0
    writer: Writer = FORMATS[form](file, schema(names))
    try:
        for columns in chunks:
            batch = to_batch(columns)
            if batch.num_rows:
                writer.write_batch(batch)
            count += batch.num_rows
    except BaseException:
        with suppress(Exception):  # what is half written is thrown away, and why it is stands in the first error
            writer.close()
        raise
    writer.close()
    return count


class Target:
    """A file that is written beside its name, and takes it when it is complete; otherwise it is gone.

    Raises:
        UnreadableInputError: the file cannot be written; the message says what is there now.
    """

    def __init__(self, path: str) -> None:
        self.path, self.shown = path, shortened_path(path)
        folder, name = os.path.split(os.path.abspath(path))
        self.folder, self.beside = folder, os.path.join(folder, f".{name}.{os.getpid()}.part")
        self.existed = os.path.exists(path)
        self._file: IO[bytes] | None = None
        self._identity: tuple[int, int] | None = None

    def __enter__(self) -> IO[bytes]:
        try:
            self._file = open(self.beside, "xb")  # closed in __exit__
            status = os.fstat(self._file.fileno())
            self._identity = status.st_dev, status.st_ino
        except OSError as error:
            raise self._failed(error) from None
        except BaseException:
            self._abandon()
            raise
        return self._file

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            if error is None and self._file:
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                os.replace(self.beside, self.path)
                _sync(self.folder)
        except OSError as late:
            self._abandon()
            raise self._failed(late) from None
        except BaseException:
            self._abandon()
            raise
        if error is not None:
            self._abandon()
            if isinstance(error, OSError):
                raise self._failed(error) from None

    def state(self) -> str:
        """Say what is there under the name: the complete file, what was there before, or nothing."""
        if self.is_complete():
            return f"{self.shown} is complete"
        return f"{self.shown} is as it was before" if self.existed else f"{self.shown} was not written"

    def is_complete(self) -> bool:
        """Whether what was written has taken its name, whatever was going on when that happened."""
        try:
            status = os.stat(self.path)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def _failed(self, error: OSError) -> UnreadableInputError:
        said = error.strerror or str(error)
        return UnreadableInputError(self.path, f"cannot be written ({said}): {self.state()}")

    def _abandon(self) -> None:
        """Throw what was written away; it is gone under its first name when it has taken the other."""
        if self._file:
            with suppress(OSError):  # what is still to be written may not fit either
                self._file.close()
        with suppress(OSError):
            os.remove(self.beside)


def _sync(folder: str) -> None:
    """Let the new name reach the disk, where the system can be asked to."""
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)
