"""Sweeping: from what is asked to a `Sweep` in memory, or to chunks of columns for what does not fit there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import numpy as np

from gpt2calc.errors import ConfigError
from gpt2calc.sources import LEFT_OUT
from gpt2calc.sweeps.models import empty, joined
from gpt2calc.sweeps.report import Sweep
from gpt2calc.sweeps.runs import GridRun, order
from gpt2calc.sweeps.tasks import Prepared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gpt2calc.sources import LeftOut, Model
    from gpt2calc.sweeps.runs import Progress, Run

STEP = 2**22
"""How many rows are computed between two looks at the progress, where they go straight to their place."""


def ready(
    model: Model | LeftOut = LEFT_OUT,
    fields: Mapping[str, Any] | None = None,
    *,
    where: str | None = None,
    columns: Iterable[str] | str | None = None,
    sort: str | None = None,
    top: int | None = None,
    file: str | os.PathLike[str] | None = None,
) -> Run:
    """Check what is asked, as `gpt2calc.sweep` describes it, and return the run, of which nothing has been computed.

    Raises:
        ConfigError, UnknownNameError, UnreadableInputError, Int64OverflowError: as `gpt2calc.sweep`.
    """
    ordered = order(sort, top)
    if file is None:
        run: Run = GridRun(model, fields or {}, where, ordered)
    else:
        from gpt2calc.sweeps.file_runs import FileRun  # loads pyarrow, which a grid does without

        run = FileRun(os.fspath(file), model, fields or {}, where, ordered)
    run.select(columns)
    return run


def stream(
    model: Model | LeftOut = LEFT_OUT,
    /,
    *,
    where: str | None = None,
    columns: Iterable[str] | str | None = None,
    sort: str | None = None,
    top: int | None = None,
    executor: Any = None,
    file: str | os.PathLike[str] | None = None,
    **fields: Any,
) -> Iterator[dict[str, Any]]:
    """Sweep as `gpt2calc.sweep` does, and yield the columns chunk by chunk, so that memory stays bounded.

    It takes what `gpt2calc.sweep` takes.

    Returns:
        Dictionaries from the name of each column to an array, in the order of the rows.

    Raises:
        ConfigError, UnknownNameError, UnreadableInputError, Int64OverflowError: as `gpt2calc.sweep`, at the call.

    >>> sum(len(chunk["total"]) for chunk in stream(n_layer=range(1, 1001), n_embd=range(64, 64064, 64)))
    1000000
    """
    run = ready(model, fields, where=where, columns=columns, sort=sort, top=top, file=file)
    return run.chunks(executor)


def sweep(run: Run, executor: Any = None, progress: Progress | None = None) -> Sweep:
    """Compute all of a run, and return it in memory.

    Raises:
        ConfigError: it would not fit there.
    """
    if isinstance(run, GridRun) and not run.is_filtered and run.ordered.key is None:
        return result(run, _placed(run, executor, progress))
    parts, count, room = [], 0, memory()
    for part in run.chunks(executor, progress):
        parts.append(part)
        count += len(next(iter(part.values())))
        _refuse_large(count, run.columns, room // 2)
    return result(run, joined(parts, run.columns))


def result(run: Run, columns: dict[str, Any], count: int | None = None) -> Sweep:
    """Return columns with what was asked for beside them."""
    key, descending, top = run.ordered
    asked = {"where": run.where, "sort": key and f"{key}:{'desc' if descending else 'asc'}", "top": top}
    return Sweep(columns, model=run.name, request=asked, notes=run.remarks, count=count)


def _placed(run: GridRun, executor: Any, progress: Progress | None) -> dict[str, Any]:
    """Compute every row of a grid straight into its place."""
    length = run.length or 0
    _refuse_large(length, run.columns, memory())
    columns = {name: np.empty(length, dtype=empty(name).dtype) for name in run.columns}
    if executor is not None:
        position = 0
        for chunk in run.chunks(executor, progress):
            count = len(next(iter(chunk.values())))
            for name, values in chunk.items():
                columns[name][position : position + count] = values
            position += count
        return columns
    for models, first, start, stop in Prepared(run.plan).parts(0, length):
        for position in range(start, stop, STEP):
            end = min(position + STEP, stop)
            for name, values in columns.items():
                models.into(name, position, values[first + position : first + end])
            if progress:
                progress(end - position)
    return columns


def _refuse_large(rows: int, columns: tuple[str, ...], room: int) -> None:
    if (size := 8 * rows * len(columns)) > room:
        raise ConfigError(
            f"{rows:,} rows of {len(columns)} columns take {size / 2**30:,.1f} GiB, and {room / 2**30:,.1f} GiB may be "
            "used here: name fewer columns, give where or top, or take the rows chunk by chunk"
        )


def memory() -> int:
    """Return how many bytes of memory this machine has, 16 GiB where it does not say."""
    try:
        return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    except (AttributeError, OSError, ValueError):
        return 2**34
