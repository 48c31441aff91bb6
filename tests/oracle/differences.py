"""What two answers differ in, value by value, and which differences a committed file explains."""

from __future__ import annotations

import difflib
import json
import re
import tomllib
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

NOTHING = "(nothing)"
"""What is said of a value that one side does not have."""


class Difference(NamedTuple):
    """One value that differs: in the answer to which question, where in it, and what each side says."""

    kind: str
    question: str
    path: str
    old: str
    new: str

    @property
    def where(self) -> str:
        """The path without places in lists, by which differences of one sort are told together."""
        return re.sub(r"\[[\d:]+\]", "[]", self.path)


class Explanation(NamedTuple):
    """Why some differences are meant.

    Args:
        kind: the kind of question.
        path, question, old, new: regular expressions, each of which must match the whole of what a difference has.
        reason: why the new answer is right, in a sentence.
        recorded: how many differences it explained when a whole run was last recorded; `count` in the file.
    """

    kind: str
    path: str
    question: str
    old: str
    new: str
    reason: str
    recorded: int

    def explains(self, difference: Difference) -> bool:
        """Whether this says why that differs."""
        asked = ((self.path, difference.path), (self.question, difference.question))
        said = ((self.old, difference.old), (self.new, difference.new))
        return self.kind == difference.kind and all(
            re.fullmatch(pattern, text, re.DOTALL) for pattern, text in (*asked, *said)
        )


def read(path: Path) -> list[Explanation]:
    """Return the explanations that a file holds.

    Raises:
        ValueError: one has no kind, no reason, no count or no path, or a key that means nothing.
    """
    any_text = {"question": ".*", "old": ".*", "new": ".*"}
    found = []
    keys = {"kind", "path", "reason", "count"}
    for number, table in enumerate(tomllib.loads(path.read_text(encoding="utf-8")).get("explained", []), 1):
        wrong = [*(keys - table.keys()), *(table.keys() - keys - any_text.keys())]
        if wrong:
            raise ValueError(f"{path.name}: explanation {number}: {wrong[0]} is missing, or means nothing")
        if not table["reason"].strip():
            raise ValueError(f"{path.name}: explanation {number} gives no reason")
        found.append(Explanation(recorded=table.pop("count"), **{**any_text, **table}))
    return found


def record(path: Path, counts: list[int]) -> None:
    """Write how many differences each explanation explained into the file that holds them."""
    following = iter(counts)
    text = path.read_text(encoding="utf-8")
    path.write_text(re.sub(r"(?m)^count = \d+$", lambda _: f"count = {next(following)}", text), encoding="utf-8")


def between(old: Any, new: Any, path: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield every value that differs, with its path and what each side says.

    An error differs as a whole, from another one as from an answer. Texts of several lines are compared line by line,
    and lists of unequal length by what was put in and taken out.

    >>> list(between({"total": 1, "notes": []}, {"total": 2, "notes": ["a"]}))
    [('total', '1', '2'), ('notes[0:0]', '(nothing)', '["a"]')]
    """
    if isinstance(old, dict) and isinstance(new, dict) and "raises" not in {*old, *new}:
        for key in dict.fromkeys((*old, *new)):
            below = f"{path}.{key}" if path else key
            if key not in old or key not in new:
                yield below, _said(old[key]) if key in old else NOTHING, _said(new[key]) if key in new else NOTHING
            else:
                yield from between(old[key], new[key], below)
    elif isinstance(old, list) and isinstance(new, list):
        yield from _between_lists(old, new, path)
    elif isinstance(old, str) and isinstance(new, str) and "\n" in old + new:
        yield from _between_lists(old.split("\n"), new.split("\n"), path)
    elif json.dumps(old) != json.dumps(new):  # to Python, 1, 1.0 and True are one
        yield path or "answer", _said(old), _said(new)


def _between_lists(old: list[Any], new: list[Any], path: str) -> Iterator[tuple[str, str, str]]:
    changes = [(0, len(old), 0, len(new))]
    if len(old) != len(new):
        first, second = ([json.dumps(each) for each in side] for side in (old, new))
        found = difflib.SequenceMatcher(None, first, second, autojunk=False).get_opcodes()
        changes = [(i, j, m, n) for change, i, j, m, n in found if change != "equal"]
    for start, end, begin, stop in changes:
        if end - start == stop - begin:
            for at in range(end - start):
                yield from between(old[start + at], new[begin + at], f"{path}[{start + at}]")
        else:
            gone, come = old[start:end], new[begin:stop]
            yield f"{path}[{start}:{end}]", _said(gone) if gone else NOTHING, _said(come) if come else NOTHING


def _said(value: Any) -> str:
    """Return a value as it is shown, and as an explanation matches it: a text as it is, an error as one line."""
    if isinstance(value, str):
        return value
    if isinstance(value, dict) and "raises" in value:
        code = "" if value["exit_code"] is None else f" ({value['exit_code']})"
        return f"{value['raises']}{code}: {value['says']}"
    return json.dumps(value, ensure_ascii=False)
