"""Sweeping: from what is asked to a run that is ready, or to chunks of columns for what does not fit in memory."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from gpt2calc.errors import ConfigError, install
from gpt2calc.model import Model as OtherModel
from gpt2calc.sources import LEFT_OUT, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from gpt2calc.sources import LeftOut, Model
    from gpt2calc.sweeps.runs import Run


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
        ConfigError: numpy or pyarrow is missing; and all that `gpt2calc.sweep` raises.

    >>> ready(fields={"n_layer": [12, 24]}).length
    2
    """
    try:
        from gpt2calc.sweeps.runs import Run  # loads numpy

        given = dict(fields or {})
        run = Run(*_source(model, given, None if file is None else os.fspath(file)), where)
    except ImportError as error:
        raise missing(error) from None
    run.order(sort, top)
    run.select(columns)
    return run


def _source(model: Any, fields: dict[str, Any], path: str | None) -> tuple[Any, tuple[str, ...]]:
    """Return what is swept, and the notes on how it was read."""
    from gpt2calc.sweeps import grids
    from gpt2calc.sweeps.axes import from_python
    from gpt2calc.sweeps.columns import COLUMNS

    kind = {"model_type": fields.pop("model_type")} if fields.get("model_type") not in (None, "gpt2") else {}
    source = resolve(model, kind)
    if isinstance(source.counted, OtherModel):
        from gpt2calc.sweeps import families  # what a GPT-2 does without

        return families.read(source, fields, path or "")
    if path is None:
        return grids.read(source, fields)
    from gpt2calc.sweeps import readers, rows  # load pyarrow, which a grid does without

    for name, values in fields.items():
        if isinstance(from_python(name, values), (tuple, range)):
            raise ConfigError(f"{name} has one value beside a file: several values are a grid, without a file")
    _, base, notes = grids.base_fields(source, fields)
    given = tuple(name for name in readers.columns_of(path, readers.of_gpt2(base.get("head", "lm"))) if name in COLUMNS)
    return rows.ConfigFile(path, base, given), notes


def missing(error: ImportError) -> ConfigError:
    """Return the sentence that says which package is missing, and how to get it; any other error is raised again."""
    package = (error.name or "").partition(".")[0]
    if package not in ("numpy", "pyarrow"):
        raise error
    return ConfigError(f"this sweep needs {package}: {install('sweep')}")


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
    return ready(model, fields, where=where, columns=columns, sort=sort, top=top, file=file).chunks(executor)
