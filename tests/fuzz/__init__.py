"""Fuzzing: `python -m tests.fuzz READER [--count N] [--seed S]` feeds a reader files that are nearly good.

Good files from `tests.makers` are changed at random (`mutations`) and read in memory (`running`). An input is a
finding, which ends the run and is written to a file as hex, where the reader

- raises anything but an `UnreadableInputError`, or returns anything but a `TensorListing`;
- lists a tensor that lies outside its file;
- takes more than a second, or more memory than `running.MOST_MEMORY`;
- where its row has an oracle: accepts what that refuses, refuses what it accepts, or lists other names, shapes, dtypes.

How to add a reader: a line in `READERS`. `plain` makes the row of a file in `checkpoints/` with a function `read`, and
a file of the same name in `tests/makers/` with a function `seeds`. A reader that wants more has a row in `rows`.
`tests/test_fuzz.py` then runs it.

Seeds are a few small good files, best under 2 kB each: a fault is planted into every hundredth byte of a file sooner
than into every millionth. A reader that needs more than one file gets the others in its row's own `read`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from tests.fuzz import distributed, rows, tensorflow, torch
from tests.fuzz.rows import Reader

if TYPE_CHECKING:
    from collections.abc import Callable


def plain(name: str) -> Reader:
    """Return the row of a reader that needs nothing but its seeds; it imports them, so that no row needs another's."""
    reader = import_module(f"gpt2calc.checkpoints.{name}")
    return Reader(import_module(f"tests.makers.{name}").seeds, reader.read)


READERS: dict[str, Callable[[], Reader]] = {
    "safetensors": rows.safetensors,
    "shards": rows.shards,
    "strict_json": rows.strict_json,
    "gguf": lambda: plain("gguf"),
    "llmc": lambda: plain("llmc"),
    "tensorflow": tensorflow.tensorflow,
    "torch_zip": torch.zipped,
    "torch_legacy": torch.legacy,
    "torch_pickle": torch.pickled,
    "distributed": distributed.distributed,
}
"""Every reader, by the name that the command takes."""
