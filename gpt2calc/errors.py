"""Every error a user can meet, each with the facts it was made of and the exit code of the command line.

A message is one sentence that names the user's own thing, what was expected and what was got.
"""

from __future__ import annotations

from typing import Any

MOST_LISTED = 30
"""How many known names a message lists; where there are more, a command lists them."""


LONGEST = 60
"""How many characters of a user's own value a message shows at most."""

LONGEST_PATH = 200
"""How many of a path, of which the end says most."""


class Gpt2calcError(Exception):
    """The base of every error that gpt2calc raises on purpose; its message is one printable line."""

    exit_code = 3
    """What stood in the way was outside: 1 is for a verdict, and an error is none."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep message and facts on the way from another process."""
        return _restored, (type(self), self.args, self.__dict__)


def _restored(kind: type[Gpt2calcError], args: tuple[Any, ...], facts: dict[str, Any]) -> Gpt2calcError:
    error = kind.__new__(kind, *args)
    error.__dict__.update(facts)
    return error


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
        advice = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
        if not near and len(known) > MOST_LISTED:
            advice = f"gpt2calc {kind}s lists the {len(known)} that are known"
        super().__init__(f"no {kind} is called {shown(name)}{hint}: {advice}")


class UnreadableInputError(Gpt2calcError):
    """A file, folder or standard input that cannot be read as what it was given for."""

    exit_code = 3

    def __init__(self, path: str, problem: str) -> None:
        super().__init__(f"{shortened_path(path)}: {problem}")
        self.path = path
        self.problem = problem


class NetworkError(Gpt2calcError):
    """The hub did not give what was asked for: no connection, no such repository, no permission, too many requests."""

    exit_code = 4

    def __init__(self, address: str, problem: str) -> None:
        super().__init__(f"{shortened_path(address)}: {problem}")
        self.address = address
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

    if len(name) > 2 * LONGEST:
        return None
    folded = {candidate.casefold(): candidate for candidate in reversed(known)}
    found = get_close_matches(name.casefold(), list(folded), n=1, cutoff=0.6)
    return folded[found[0]] if found else None


def printable(text: str) -> str:
    r"""Return a text with what would break a line or colour a terminal written as escapes.

    >>> print(printable("a\nb"))
    a\nb
    """
    if text.isprintable():
        return text
    escaped = ((x if x.isprintable() else x.encode("unicode_escape").decode("ascii")) for x in text)
    return "".join(escaped)


def shortened(text: str) -> str:
    """Return a text printably, and cut off where it is too long for a message."""
    return printable(text if len(text) <= LONGEST else text[: LONGEST - 3] + "...")


def shortened_path(text: str) -> str:
    """Return a path printably, and without its beginning where it is too long for a message.

    >>> shortened_path("a" * 500 + "/model.safetensors")[-30:]
    'aaaaaaaaaaaa/model.safetensors'
    """
    return printable(text if len(text) <= LONGEST_PATH else "..." + text[3 - LONGEST_PATH :])


def shown(value: object) -> str:
    """Return a value as a message shows it: as JSON writes it, in one line, and not too long.

    >>> shown(True), shown(None), shown("x"), shown(10**5000)
    ('true', 'null', "'x'", 'a number of more than 4,300 digits')
    """
    if value is None or isinstance(value, bool):
        return "null" if value is None else str(value).lower()
    try:
        return shortened(repr(value))
    except ValueError:  # Python prints no longer numbers
        return "a number of more than 4,300 digits"


def pair(name: str, value: object) -> str:
    """Return a field with its value as a person gives them.

    >>> pair("n_layer", 12), pair("head", "lm"), pair("bias", False)
    ('n_layer=12', 'head=lm', 'bias=False')
    """
    text = value if isinstance(value, str) else str(value) if isinstance(value, bool) else shown(value)
    return f"{shortened(name)}={shortened(text)}"
