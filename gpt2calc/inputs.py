"""What a person names, opened: one place, which knows pipes, and gives the system's own reason where it cannot.

It must not know what is read.
"""

from __future__ import annotations

import errno
import os
import stat

from gpt2calc.errors import UnreadableInputError, shown

PATIENCE = 2000
"""Milliseconds that a pipe may be without a writer: a shell starts both ends, and one of them comes first."""

NON_BLOCKING = getattr(os, "O_NONBLOCK", 0)
KINDS = {stat.S_IFDIR: "a folder", stat.S_IFIFO: "a pipe", stat.S_IFSOCK: "a socket"}


def status(path: str) -> os.stat_result | None:
    """Return what the system knows of a path, None where there is nothing.

    Raises:
        UnreadableInputError: the system does not tell, as without permission, or there is a link that leads nowhere.
    """
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError):
        if os.path.islink(path):
            raise UnreadableInputError(path, f"is a link to {shown(os.readlink(path))}, which is not there") from None
        return None
    except (OSError, ValueError) as error:
        cannot_be = isinstance(error, ValueError) or error.errno == errno.ENAMETOOLONG
        if cannot_be and not os.path.dirname(path) and "." not in path:  # a word, which may have been meant for no path
            return None
        raise _refused(path, error) from None


def open_file(path: str) -> tuple[int, os.stat_result]:
    """Open a regular file, and return its descriptor and what the system knows of it.

    Raises:
        UnreadableInputError: it cannot be opened, or is no regular file.
    """
    descriptor, found = _opened(path)
    if not stat.S_ISREG(found.st_mode):
        os.close(descriptor)
        raise UnreadableInputError(path, f"expected a file, got {kind(found)}")
    return descriptor, found


def read(path: str, most: int) -> bytes:
    """Return the first bytes of a file, a pipe or a device; one more than there may be shows that there are more.

    Raises:
        UnreadableInputError: it cannot be opened or read, or is a pipe that nobody writes to.
    """
    descriptor, found = _opened(path)
    try:
        first = _first(path, descriptor) if stat.S_ISFIFO(found.st_mode) else b""
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            return first + file.read(most - len(first))
    except OSError as error:
        raise _refused(path, error) from None
    finally:
        os.close(descriptor)


def read_file(path: str, most: int) -> bytes:
    """Return the first bytes of a regular file, as of one that nobody named: what lies in a folder is not waited for.

    Raises:
        UnreadableInputError: it cannot be opened or read, or is no regular file.
    """
    descriptor, _ = open_file(path)
    with os.fdopen(descriptor, "rb") as file:
        try:
            return file.read(most)
        except OSError as error:
            raise _refused(path, error) from None


def kind(found: os.stat_result) -> str:
    """Return what something is that is no regular file."""
    return KINDS.get(stat.S_IFMT(found.st_mode), "a device")


def _opened(path: str) -> tuple[int, os.stat_result]:
    try:
        # Without O_NONBLOCK, opening a named pipe would wait for a writer.
        descriptor = os.open(path, os.O_RDONLY | NON_BLOCKING | getattr(os, "O_BINARY", 0))
        return descriptor, os.fstat(descriptor)
    except (OSError, ValueError) as error:
        raise _refused(path, error) from None


def _first(path: str, descriptor: int) -> bytes:
    """Wait for a pipe's writer, though not for ever, and return what was read to see that there is one.

    A pipe that has no writer yet is at its end, and one whose writer says nothing yet is not.
    """
    import select

    poll = select.poll()
    poll.register(descriptor, select.POLLIN)
    ready = poll.poll(PATIENCE)
    try:
        first = b"" if ready else os.read(descriptor, 1)
    except BlockingIOError:
        ready = [(descriptor, 0)]
        first = b""
    if not ready and not first:
        raise UnreadableInputError(path, "is a pipe that nobody writes to")
    os.set_blocking(descriptor, True)
    return first


def _refused(path: str, error: OSError | ValueError) -> UnreadableInputError:
    """Say why: a ValueError is of a path that has a NUL byte, or half a surrogate pair."""
    return UnreadableInputError(path, f"cannot be read: {getattr(error, 'strerror', None) or error}")
