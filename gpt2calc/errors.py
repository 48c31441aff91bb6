"""Every error a user can meet, each with the facts it was made of and the exit code of the command line.

A message is one sentence that names the user's own thing, what was expected and what was got.
"""

from __future__ import annotations

MOST_LISTED = 30
"""How many known names a message lists at most."""


class Gpt2calcError(Exception):
    """The base of every error that gpt2calc raises on purpose."""

    exit_code = 1


class ConfigError(Gpt2calcError, ValueError):
    """What was asked for cannot be a GPT-2: a field is unknown, out of range, or contradicts another."""

    exit_code = 2

    def __init__(self, message: str, *, field: str | None = None, got: object = None) -> None:
        super().__init__(message)
        self.field = field
        self.got = got


class UnknownNameError(Gpt2calcError, LookupError):
    """A preset, component or convention that does not exist; `known` lists those that do."""

    exit_code = 2

    def __init__(self, kind: str, name: str, known: tuple[str, ...], hint: str = "") -> None:
        self.kind, self.name, self.known = kind, name, known
        near = closest(name, known)
        more = f" and {len(known) - MOST_LISTED} more" if len(known) > MOST_LISTED else ""
        advice = f"did you mean {near}?" if near else f"known are {', '.join(known[:MOST_LISTED])}{more}"
        super().__init__(f"no {kind} is called {name!r}{hint}: {advice}")


class UnreadableInputError(Gpt2calcError):
    """A file, folder or standard input that cannot be read as what it was given for."""

    exit_code = 3

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{path}: {problem}")
        self.path = path
        self.problem = problem


class Int64OverflowError(Gpt2calcError, OverflowError):
    """A count over numpy arrays that does not fit in int64, found before anything wraps."""

    exit_code = 2


def closest(name: str, known: tuple[str, ...]) -> str | None:
    """Return the known name nearest to a mistyped one, or None when nothing is near.

    >>> closest("n_layrs", ("n_layer", "n_head"))
    'n_layer'
    """
    from difflib import get_close_matches  # 5 ms at start-up, and only errors need it

    folded = {candidate.casefold(): candidate for candidate in reversed(known)}
    found = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None
