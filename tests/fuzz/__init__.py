"""Fuzzing: `python -m tests.fuzz READER [--inputs N] [--seed S] [--oracle]` feeds a reader files that are nearly good.

Good files from `tests.makers` are changed at random (`mutations`) and read in memory (`running`). An input is a
finding, which ends the run and is written to a file as hex, where the reader

- raises anything but an `UnreadableInputError`, or returns anything but a `TensorListing`;
- lists a tensor that lies outside its file;
- takes more than a second, or more memory than `running.MOST_MEMORY`;
- with `--oracle`: accepts what the oracle refuses, refuses what it accepts, or lists other names, shapes or dtypes.

How to add a reader: write a function here that returns its row, a `Reader`, and name it in `READERS`. It imports the
reader and its makers inside, so that no row depends on another. `tests/test_fuzz.py` then runs it.

    def _gguf() -> Reader:
        from gpt2calc.checkpoints import gguf
        from tests.makers import gguf as make

        return Reader(seeds=make.seeds, read=gguf.read)

Seeds are a few small good files, best under 2 kB each: a fault is planted into every hundredth byte of a file sooner
than into every millionth. A reader that needs more than one file gets the others in its row's own `read`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Sequence
    from typing import TypeAlias

    from gpt2calc.checkpoints.files import MemoryFile
    from gpt2calc.listing import TensorListing

    Mutation: TypeAlias = Callable[[bytes, random.Random], bytes]
    Facts: TypeAlias = frozenset[tuple[str, tuple[int, ...], str]]
    """The name, shape and dtype of each tensor."""


class Reader(NamedTuple):
    """A reader under test.

    Args:
        seeds: makes the good files that everything starts from; the reader must accept each.
        read: the reader: one file in memory to a listing.
        mutations: changes that know the format, beside those of `mutations.ANY`; each gets a file and a random
            generator and returns another file.
        oracle: an independent reader: bytes to the facts it finds, or None where it refuses them.
        stricter: the problems (regular expressions, searched for in `UnreadableInputError.problem`) for which the
            reader refuses on purpose what the oracle accepts.
    """

    seeds: Callable[[], Sequence[bytes]]
    read: Callable[[MemoryFile], TensorListing]
    mutations: tuple[Mutation, ...] = ()
    oracle: Callable[[bytes], Facts | None] | None = None
    stricter: tuple[str, ...] = ()


def _safetensors() -> Reader:
    from gpt2calc.checkpoints import safetensors
    from tests.fuzz import documents
    from tests.makers import safetensors as make

    def change_the_header(content: bytes, chance: random.Random) -> bytes:
        end = 8 + int.from_bytes(content[:8], "little")
        return make.framed(documents.changed(content[8:end], chance), content[end:])

    def oracle(content: bytes) -> Facts | None:
        from safetensors import SafetensorError, deserialize

        try:
            found = deserialize(content)  # type: ignore[no-untyped-call]  # it is written in Rust
        except SafetensorError:
            return None
        return frozenset((name, tuple(tensor["shape"]), tensor["dtype"]) for name, tensor in found)

    stricter = (
        "is given twice$",
        "^expected a header that begins with '{'",
        r"^expected dtype, shape and data_offsets for tensor .*, got (an array|\[)",
        "^expected a dtype .*, got an object$",
    )
    return Reader(make.seeds, safetensors.read, (change_the_header,) * 8, oracle, stricter)


READERS: dict[str, Callable[[], Reader]] = {"safetensors": _safetensors}
