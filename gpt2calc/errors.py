"""Every error a user can meet, each with the facts it was made of and the exit code of the command line.

A message is one sentence that names the user's own thing, what was expected and what was got.
"""

from __future__ import annotations

from functools import lru_cache

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any, NoReturn, TypeVar

    Value = TypeVar("Value")

MOST_LISTED = 30
"""How many known names a message lists; where there are more, a command lists them."""


MOST_SHOWN_CHARACTERS = 60
"""How many characters of a user's own value a message shows at most."""

MOST_PATH_CHARACTERS = 200
"""How many of a path, of which the end says most."""

SHORT_NAME_LETTERS, LONG_NAME_LETTERS = 4, 10
"""Names of fewer letters than the one are no beginning of another; of as many as the other, they may have two slips."""


class Gpt2calcError(Exception):
    """The base of every error that gpt2calc raises on purpose; its message is one printable line."""

    exit_code = 3
    """What stood in the way was outside: 1 is for a verdict, and an error is none."""

    def __init__(self, message: str) -> None:
        super().__init__(printable(message))

    def __str__(self) -> str:
        """Return the message, which KeyError would quote."""
        return str(self.args[0]) if self.args else ""

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

    def named(self, name: str) -> ConfigError:
        """Return the same error of a source, which it names in front."""
        return ConfigError(f"{shortened_path(name)}: {self}", field=self.field, got=self.got) if name else self


class UnknownNameError(Gpt2calcError, KeyError):
    """A preset, component or convention that does not exist; `known` lists those that do."""

    exit_code = 2

    def __init__(self, kind: str, name: str, known: tuple[str, ...], hint: str = "") -> None:
        self.kind, self.name, self.known = kind, name, known
        near = closest(name, known) if isinstance(name, str) else None
        advice = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
        if not near and len(known) > MOST_LISTED:
            three = f"{', '.join(known[:3])} are three of the {len(known)} that are known"
            advice = f"gpt2calc models --long lists the {len(known)} names that are known" if kind == "model" else three
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


class Named(dict[str, "Value"]):
    """What has names; one that there is not is an `UnknownNameError`, with the nearest that there is.

    >>> Named("convention", {"kaplan": 84934656})["kaplen"]
    Traceback (most recent call last):
    gpt2calc.errors.UnknownNameError: no convention is called 'kaplen': did you mean kaplan?
    """

    def __init__(self, kind: str, content: Mapping[str, Value]) -> None:
        super().__init__(content)
        self.kind = kind

    def __missing__(self, name: str) -> NoReturn:
        raise UnknownNameError(self.kind, name, tuple(self))

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the kind in another process."""
        return type(self), (self.kind, dict(self))


class Int64OverflowError(Gpt2calcError, OverflowError):
    """A count over numpy arrays that does not fit in int64, found before anything wraps."""

    exit_code = 2


EXTRAS: dict[str, tuple[str, ...]] = {
    "arrays": ("numpy",),
    "completion": ("shtab",),
    "hub": ("huggingface_hub",),
    "plot": ("matplotlib",),
    "sweep": ("numpy", "pyarrow", "tqdm"),
    "symbolic": ("sympy",),
    "values": ("numpy", "tqdm"),
    "weights": ("torch", "transformers"),
    "yaml": ("PyYAML",),
}
"""The packages behind each extra, as pyproject.toml has them: they can be named alone."""


def install(extra: str) -> str:
    """Return the line that installs what an extra needs into the Python that is running, and nothing else.

    It names no gpt2calc, which an editable install would lose to a copy, and which may come from no registry.
    """
    import shlex
    import sys

    return f"{shlex.quote(sys.executable or 'python')} -m pip install {' '.join(EXTRAS[extra])}"


def closest(name: str, known: Sequence[str]) -> str | None:
    """Return the known name that a mistyped one is nearest to, or None where nothing is near.

    Law: near is what one slip makes of a name, and two of a name of ten letters or more: a letter too many, too few,
    another, or two that have changed places; another digit is another name. Case and `_`, `-` and blanks are no
    letters. Where no name is near, the one that begins or ends with what was typed is, or with which that does.

    >>> closest("n_layerz", ("n_layer", "n_head")), closest("hidden_layers", ("num_hidden_layers",))
    ('n_layer', 'num_hidden_layers')
    >>> closest("emb_size", ("vocab_size", "block_size"))
    """
    near = mistyped(name, known)
    typed = _letters(name)
    if near or len(typed) < SHORT_NAME_LETTERS or len(name) > 2 * MOST_SHOWN_CHARACTERS:
        return near
    for candidate in known:
        whole, part = sorted((_letters(candidate), typed), key=len, reverse=True)
        if len(part) >= SHORT_NAME_LETTERS and (whole.startswith(part) or whole.endswith(part)):
            return candidate
    return None


def mistyped(name: str, known: Sequence[str]) -> str | None:
    """Return the known name of which another is a slip away, as `closest` has it; None where there is none."""
    typed = _letters(name)
    if len(name) > 2 * MOST_SHOWN_CHARACTERS or not any(map(str.isalpha, typed)):
        return None
    for slips in range(3):
        for candidate in known:
            for letters in (_letters(candidate), _letters(candidate.rpartition(".")[2])):
                most = 0 if len(letters) < 3 else 1 if len(letters) < LONG_NAME_LETTERS else 2
                if slips <= most and _within(typed, letters, slips):
                    return candidate
    return None


@lru_cache(4096)
def _letters(name: str) -> str:
    return name.casefold().replace("_", "").replace("-", "").replace(" ", "")


def _within(one: str, other: str, slips: int) -> bool:
    """Whether at most so many slips lie between two texts."""
    if abs(len(one) - len(other)) > slips:
        return False
    same = 0
    while same < min(len(one), len(other)) and one[same] == other[same]:
        same += 1
    one, other = one[same:], other[same:]
    if not one or not other or not slips:
        return len(one) + len(other) <= slips
    return (
        (not (one[0].isdecimal() and other[0].isdecimal()) and _within(one[1:], other[1:], slips - 1))
        or _within(one[1:], other, slips - 1)
        or _within(one, other[1:], slips - 1)
        or (one[1::-1] == other[:2] and _within(one[2:], other[2:], slips - 1))
    )


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
    return printable(text if len(text) <= MOST_SHOWN_CHARACTERS else text[: MOST_SHOWN_CHARACTERS - 3] + "...")


def shortened_path(text: str) -> str:
    """Return a path printably, and without its beginning where it is too long for a message.

    >>> shortened_path("a" * 500 + "/model.safetensors")[-30:]
    'aaaaaaaaaaaa/model.safetensors'
    """
    return printable(text if len(text) <= MOST_PATH_CHARACTERS else "..." + text[3 - MOST_PATH_CHARACTERS :])


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
