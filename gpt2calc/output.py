"""Files that are written whole or not at all, and what is there when writing them failed.

A file is written under another name beside its own, and takes its name when all of it is on the disk. A device or a
pipe is written to as it is. It must not know what is written.
"""

from __future__ import annotations

import errno
import os
import stat
import time
from contextlib import ExitStack
from typing import IO, TYPE_CHECKING

from gpt2calc.errors import ConfigError, UnreadableInputError, shortened_path
from gpt2calc.signals import Told, unfinished

if TYPE_CHECKING:
    from collections.abc import Callable

PATIENCE = 2.0
"""Seconds that a pipe may be without a reader: a shell starts both ends, and one of them comes first."""


class OutputFile:
    """A file that is written beside its name, and takes it when it is complete; otherwise it is gone.

    Args:
        path: the file; where it is a link, what it leads to is written.

    Raises:
        UnreadableInputError: the file cannot be written; the message says what is there now.

    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     target = OutputFile(os.path.join(folder, "gpt2.txt"))
    ...     with target as file:
    ...         _ = file.write(b"124439808")
    ...     target.is_complete()
    True
    """

    def __init__(self, path: str) -> None:
        self.path, self.shown = path, shortened_path(path)
        self._real = os.path.realpath(path)
        self._folder, name = os.path.split(self._real)
        self.existed = os.path.lexists(self._real)
        self._device = os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)
        self._beside = os.path.join(self._folder, f".{name}.{os.getpid()}.part")
        self._file: IO[bytes] | None = None
        self._identity: tuple[int, int] | None = None
        self._held = ExitStack()

    def __enter__(self) -> IO[bytes]:
        self._held.enter_context(unfinished())
        try:
            self._file = self._opened()
            status = os.fstat(self._file.fileno())
            self._identity = status.st_dev, status.st_ino
        except OSError as error:  # it may be another process that has a file of this name
            self._held.close()
            raise self._failed(error) from None
        except BaseException as error:
            self._give_up(error)
            raise
        return self._file

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            if error is None and self._file:
                self._finish(self._file)
        except BaseException as late:
            self._give_up(late)
            raise
        if error is not None:
            self._give_up(error)
        self._held.close()

    def _give_up(self, error: BaseException) -> None:
        """Throw what was written away, and say what is there where the system or a signal is the reason."""
        self._abandon()
        self._held.close()
        if isinstance(error, Told):
            error.left = self.state()
        if isinstance(error, OSError):
            raise self._failed(error) from None

    def _opened(self) -> IO[bytes]:
        if self._device:
            return os.fdopen(_opened(self.path), "wb")
        if os.path.isdir(self.path):  # a folder says itself what is wrong
            return open(self.path, "wb")
        return open(self._beside, "xb")

    def _finish(self, file: IO[bytes]) -> None:
        file.flush()
        if not self._device:
            os.fsync(file.fileno())
        file.close()
        if not self._device:
            os.replace(self._beside, self._real)
            _sync(self._folder)

    def state(self) -> str:
        """Say what is there under the name: the complete file, what was there before, or nothing."""
        if self._device:
            return f"{self.shown} is no file, and {'may have' if self._file else 'has not'} got a part"
        if self.is_complete():
            return f"{self.shown} is complete"
        return f"{self.shown} is as it was before" if self.existed else f"{self.shown} was not written"

    def is_complete(self) -> bool:
        """Whether what was written has taken its name, whatever was going on when that happened."""
        try:
            status = os.stat(self._real)
        except OSError:
            return False
        return (status.st_dev, status.st_ino) == self._identity

    def _failed(self, error: OSError) -> UnreadableInputError:
        said = error.strerror or str(error)
        return UnreadableInputError(self.path, f"cannot be written ({said}): {self.state()}")

    def _abandon(self) -> None:
        """Throw what was written away; it is gone under its first name when it has taken the other."""
        if self._file:
            _quietly(self._file.close)  # what is still to be written may not fit either
        if not self._device:
            _quietly(lambda: os.remove(self._beside))


def _opened(path: str) -> int:
    """Open a device or a pipe, and do not wait for ever for somebody who reads it."""
    ends = time.monotonic() + PATIENCE
    while True:
        try:
            handle = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))
        except OSError as error:
            if error.errno != errno.ENXIO or not stat.S_ISFIFO(os.stat(path).st_mode):
                raise
            if time.monotonic() > ends:
                raise OSError(errno.ENXIO, "it is a pipe that nobody reads") from None
            time.sleep(0.01)
        else:
            os.set_blocking(handle, True)
            return handle


def refuse_input(output: str | None, *given: object) -> None:
    """Raise where a file that is to be written is one of those that are read, by whatever name.

    Raises:
        ConfigError: it is.
    """
    for each in given:
        if isinstance(output, str) and isinstance(each, str):
            try:
                same = os.path.samefile(output, each) and os.path.isfile(output)
            except (OSError, ValueError):  # what is not there is not written over
                continue
            if same:
                raise ConfigError(f"{shortened_path(output)} is read, and would be written over: name another file")


def _sync(folder: str) -> None:
    """Let the new name reach the disk, where the system can be asked to."""

    def sync() -> None:
        handle = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)

    _quietly(sync)


def _quietly(act: Callable[[], object]) -> None:
    try:
        act()
    except OSError:  # nothing more can be done, and what went wrong is told elsewhere
        return
