"""Bytes that can be read from any place of a file: on disk, in memory, and, by the same protocol, on the hub."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

from gpt2calc import inputs
from gpt2calc.errors import UnreadableInputError

if TYPE_CHECKING:
    from types import TracebackType
    from typing import Self


class ByteFile(Protocol):
    """Something with a name and a size that bytes can be read from, at any place."""

    @property
    def name(self) -> str:
        """What errors call it: a path or an address."""

    @property
    def size(self) -> int:
        """How many bytes it has."""

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset` on.

        Raises:
            UnreadableInputError: they are not there, or cannot be read.
        """


class LocalFile:
    """A regular file on disk, open until it is closed.

    Raises:
        UnreadableInputError: it cannot be opened, or is no regular file.
    """

    def __init__(self, path: str) -> None:
        self.name = path
        self._descriptor, found = inputs.open_file(path)
        self.size = found.st_size
        self.identity = found.st_dev, found.st_ino

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset` on."""
        check_range(self, offset, count)
        parts, missing = [], count
        try:
            while missing:
                part = os.pread(self._descriptor, missing, offset + count - missing)
                if not part:
                    raise UnreadableInputError(self.name, "it became shorter while it was read")
                parts.append(part)
                missing -= len(part)
        except OSError as error:
            raise UnreadableInputError(self.name, f"cannot be read: {error.strerror}") from None
        return parts[0] if len(parts) == 1 else b"".join(parts)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)


class MemoryFile:
    """Bytes in memory, under a name."""

    def __init__(self, name: str, content: bytes) -> None:
        self.name = name
        self.content = content
        self.size = len(content)

    def read(self, offset: int, count: int) -> bytes:
        """Return exactly `count` bytes from `offset` on."""
        check_range(self, offset, count)
        return self.content[offset : offset + count]


def check_range(file: ByteFile, offset: int, count: int) -> None:
    """Raise where bytes are asked for that a file does not have.

    Raises:
        UnreadableInputError: the range is not within the file.
    """
    if offset < 0 or count < 0 or offset + count > file.size:
        raise UnreadableInputError(
            file.name, f"expected {count:,} bytes from offset {offset:,} on, got a file of {file.size:,} bytes"
        )
