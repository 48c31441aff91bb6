"""How the process of the command ends when a signal asks it to: at once, or after what was begun is tidied up.

Nothing here touches a program that imports gpt2calc: the signals are its own, and Ctrl-C comes as `KeyboardInterrupt`.
"""

from __future__ import annotations

import os
import signal

WORDS = {130: "interrupted", 143: "terminated"}
"""What is said of each exit code, which is 128 and the number of the signal."""

_unfinished = 0


class Told(BaseException):
    """A signal asked the process to end while something was unfinished.

    `code` is the exit code that says which, and `left` says what became of a file that was being written.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code
        self.left = ""


def obey() -> None:
    """Let SIGINT and SIGTERM end this process, unless whoever started it wants them passed over.

    An exception would not do: raised while a module loads, or in a callback, it comes out as another, or is dropped.
    """
    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _end)


def _end(number: int, _: object) -> None:
    if not _unfinished:
        os._exit(128 + number)
    raise Told(128 + number)


class unfinished:  # noqa: N801  # it is called as a function is
    """Keep the process from ending at once: within, a signal raises `Told`, so that files and workers are tidied up.

    It is written out, since every command would wait for contextlib.
    """

    def __enter__(self) -> None:
        global _unfinished  # noqa: PLW0603  # a process has one set of signals
        _unfinished += 1

    def __exit__(self, *_: object) -> None:
        global _unfinished  # noqa: PLW0603  # as above
        _unfinished -= 1
