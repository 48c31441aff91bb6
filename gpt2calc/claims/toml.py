"""TOML that says where it is wrong: a document within bounds, and its tables, each of which knows its place.

It must not know what a claim is: that is `files`.
"""

from __future__ import annotations

import tomllib
from typing import TYPE_CHECKING, Any, TypeVar

from gpt2calc.errors import ConfigError, Gpt2calcError, closest, printable, shortened, shown

if TYPE_CHECKING:
    from collections.abc import Callable

Read = TypeVar("Read")

MOST_CLAIMS_BYTES = 256 * 2**10
"""No file is longer than this many bytes; the one that ships has 4 kB."""

MOST_DOTS = 100
"""A line has no more dots than this: the time that tomllib takes for a dotted key grows with their square."""

MOST_TABLES, MOST_NAMES, MOST_LETTERS = 100, 50, 1000
"""No array of tables is longer, no array of names, and no text; so the work that a file can ask for is bounded."""


def parse(content: bytes) -> dict[str, Any]:
    r"""Return what TOML says.

    Raises:
        ConfigError: it is too long or too deep, not UTF-8, or not TOML.

    >>> parse(b"[claim]\nid = 'total'")
    {'claim': {'id': 'total'}}
    """
    if len(content) > MOST_CLAIMS_BYTES:
        raise ConfigError(f"expected a file of at most {MOST_CLAIMS_BYTES:,} bytes, got more")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        raise ConfigError(f"expected TOML in UTF-8, got other bytes in line {line:,}") from None
    if any(line.count(".") > MOST_DOTS for line in text.split("\n")):
        raise ConfigError(f"expected lines of at most {MOST_DOTS} dots, got one that has more")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {error}") from None
    except RecursionError:
        raise ConfigError("expected tables and arrays that nest a few levels deep, got too many levels") from None
    except ValueError:  # Python reads no longer numbers
        raise ConfigError("expected whole numbers of at most 4,300 digits, got a longer one") from None


class Table:
    """A table of a file, which says where it stands when something in it is wrong."""

    def __init__(self, where: str, content: dict[str, Any]) -> None:
        self.where = where
        self.content = content

    def wrong(self, problem: str) -> ConfigError:
        """Return the error that says what is wrong, and where."""
        return ConfigError(f"{self.where}: {problem}" if self.where else problem)

    def attempt(self, what: Callable[[], Read]) -> Read:
        """Do what is asked, and say where it went wrong."""
        try:
            return what()
        except Gpt2calcError as error:
            raise self.wrong(str(error)) from None

    def allow(self, *known: str) -> None:
        """Refuse a key that is none of these."""
        for key in self.content:
            if key not in known:
                near = closest(key, known)
                advice = f"did you mean {near}?" if near else f"known are {', '.join(known)}"
                raise self.wrong(f"there is no key {shortened(key)}: {advice}")

    def text(self, key: str, *, needed: bool = True) -> str:
        """Return a text in one line, empty where it is not given and not needed."""
        found = self.content.get(key)
        if found is None and not needed:
            return ""
        if found is None:
            raise self.wrong(f"expected a text under {key}, and there is none")
        if not isinstance(found, str) or not found.strip() or len(found) > MOST_LETTERS:
            expected = f"a text in quotes of 1 to {MOST_LETTERS:,} characters"
            raise self.wrong(f"{shortened(key)}: expected {expected}, got {shown(found)}")
        return printable(" ".join(found.split()))

    def read(self, key: str, reader: Callable[[str], Read]) -> Read:
        """Return what a text says, by what reads it."""
        text = self.text(key)
        return Table(f"{self.where}: {shortened(key)}", {}).attempt(lambda: reader(text))

    def choice(self, key: str, known: tuple[str, ...]) -> str:
        """Return one of several words."""
        found = self.text(key)
        if found not in known:
            raise self.wrong(f"{key}: expected {' or '.join(known)}, got {shown(found)}")
        return found

    def names(self, key: str) -> tuple[str, ...]:
        """Return an array of different names, empty where it is not given."""
        found = self.content.get(key)
        if found is None:
            return ()
        if not isinstance(found, list) or not found or not all(isinstance(name, str) for name in found):
            raise self.wrong(f'{key}: expected an array of names such as ["small", "xl"], got {shown(found)}')
        if len(set(found)) < len(found) or len(found) > MOST_NAMES:
            raise self.wrong(f"{key}: expected at most {MOST_NAMES} names, each once, got {len(found):,}")
        return tuple(found)

    def tables(self, key: str) -> list[Table]:
        """Return an array of tables, each with its place, none where it is not given."""
        found = self.content.get(key, [])
        if not isinstance(found, list) or not all(isinstance(table, dict) for table in found):
            raise self.wrong(f"{key}: expected tables under [[{key}]], got {shown(found)}")
        if len(found) > MOST_TABLES:
            raise self.wrong(f"expected at most {MOST_TABLES:,} tables under [[{key}]], got {len(found):,}")
        return [Table(f"{key} {place}", table) for place, table in enumerate(found, 1)]

    def tables_by_name(self, key: str) -> dict[str, Table]:
        """Return tables by name, none where it is not given."""
        found = self.content.get(key, {})
        if not isinstance(found, dict) or not all(isinstance(table, dict) for table in found.values()):
            raise self.wrong(f"{key}: expected a table for each name under [{key}.NAME], got {shown(found)}")
        return {name: Table(f"{key}.{shortened(name)}", table) for name, table in found.items()}
