"""Ranges and lists of whole numbers, as people type them: `12`, `768,1024`, `12:96:12`, `1:4,8,16`.

The one reader of a range: `sweep`, `design` and `plot` read by it, in the command line and in Python. It must not know
what the numbers are for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc import numbers
from gpt2calc.errors import ConfigError, pair, shortened, shown

if TYPE_CHECKING:
    from collections.abc import Sequence

MOST_LISTED = 10**7
"""How many numbers can be listed one by one; a single start:stop:step is kept as it is, however long."""


def read(name: str, text: str, most: int = MOST_LISTED) -> range | tuple[int, ...]:
    """Read whole numbers: one, a range, or a list of both.

    Law: start:stop:step is start, start + step, … as long as it does not pass stop, so stop is among them where a step
    hits it. The step is 1 unless given, and can be negative. Each number is as `numbers.typed` reads it. A comma stands
    between two of them, and `parts` refuses one that may stand within a number.

    Args:
        name: what the user calls it, for messages.
        text: what was typed.
        most: how many numbers may be listed.

    Returns:
        A range where the text is one, or one number; otherwise a tuple, in order.

    Raises:
        ConfigError: the text is none of these, may be two of them, or lists too many numbers.

    >>> read("n_layer", "12:48:12"), read("n_embd", "768,1024,1280:1600:320"), read("n_embd", "1k:2k:500")
    (range(12, 49, 12), (768, 1024, 1280, 1600), range(1000, 2001, 500))
    """
    found = [_part(name, part, text) for part in parts(name, text)]
    if len(found) == 1:
        return found[0]
    if sum(map(length, found)) > most:
        raise ConfigError(f"{name} lists more than {most:,} values; one start:stop:step can be longer", got=text)
    return tuple(value for part in found for value in part)


def read_one(name: str, text: str) -> range:
    """Read one number or one range where a list makes no sense, so that a comma stands within a number.

    Raises:
        ConfigError: the text is neither.

    >>> read_one("n_layer", "1,000:1,200:100")
    range(1000, 1201, 100)
    """
    return _part(name, [piece.strip() for piece in text.split(":")], text)


def parts(name: str, text: str) -> list[list[str]]:
    """Return what stands between the commas of a list, each part as what stands between its colons.

    Law: a comma with a blank behind it stands between two parts. One without stands between two parts too, unless all
    that stands around it can be read as digit groups: then nobody knows what is meant, and it is refused.

    Raises:
        ConfigError: the text may be a number or a list.

    >>> parts("n_embd", "768,1024"), parts("vocab", "50, 257"), parts("n_layer", "12,24:48:12")
    ([['768'], ['1024']], [['50'], ['257']], [['12'], ['24', '48', '12']])
    >>> parts("vocab", "50,257")
    Traceback (most recent call last):
    gpt2calc.errors.ConfigError: vocab '50,257' may be 50257 or a list of 50 and 257: give 50257, or '50, 257' with a \
blank
    """
    words = " ".join(text.split())
    if any(map(_is_either, words.split(", "))):
        runs = [run.replace(",", "").replace(" ", "") if _is_either(run) else run for run in words.split(", ")]
        listed = [_bare(part) for part in words.replace(", ", ",").replace(" ", ",").split(",")]
        one, other = ", ".join(runs), ", ".join(listed)
        several = f"a list of {', '.join(listed[:-1])} and {listed[-1]}"
        advice = f"give {one}, or {shown(other)} with a blank"
        raise ConfigError(f"{name} {shown(text)} may be {one} or {several}: {advice}", field=name, got=text)
    return [[piece.strip() for piece in part.split(":")] for part in words.split(",")]


def _is_either(run: str) -> bool:
    """Whether all that stands between colons is a number, with digits on both sides of a comma or a blank in one."""
    pieces = run.split(":")
    behind = (each for piece in pieces for each in piece.strip().replace(",", " ").split(" ")[1:])
    return len(pieces) <= 3 and all(map(numbers.typed, pieces)) and any(each[:1].isdecimal() for each in behind)


def _bare(part: str) -> str:
    """Return a part of a list without zeros in front, as nobody writes them there."""
    return ":".join(piece.strip().lstrip("0") or "0" for piece in part.split(":"))


def is_plain(text: str) -> bool:
    """Whether every number in a text that can be read was typed as what it is.

    >>> is_plain("768,1024:2048:64"), is_plain("1k:2k")
    (True, False)
    """
    pieces = (piece for part in text.split(",") for piece in part.split(":"))
    return all(found is None or found.is_plain for found in map(numbers.typed, pieces))


def length(values: range | Sequence[object]) -> int:
    """Return how many values there are, also of a range for which `len` is too small.

    >>> length(range(0, 10**20, 10))
    10000000000000000000
    """
    if isinstance(values, range):
        return max(0, (values.stop - values.start + values.step - (1 if values.step > 0 else -1)) // values.step)
    return len(values)


def written(values: Sequence[int]) -> str:
    """Return numbers as people type them, so that `read` reads them again.

    >>> written(range(12, 49, 12)), written((768, 1024)), written((50, 257))
    ('12:48:12', '768,1024', '50, 257')
    """
    if isinstance(values, range) and length(values) > 1:
        step = "" if values.step == 1 else f":{values.step}"
        return f"{values[0]}:{values[-1]}{step}"
    listed = ",".join(map(str, values))
    return listed.replace(",", ", ") if _is_either(listed) else listed


def remark(name: str, text: str, values: Sequence[int]) -> str | None:
    """Return a note that says how a text was read, None where every number was typed as what it is."""
    return None if is_plain(text) else f"{pair(name, text)} is read as {written(values)}"


def _part(name: str, pieces: Sequence[str], text: str) -> range:
    """Return one part of a list as a range."""
    found = [numbers.typed(piece) for piece in pieces]
    sizes = [number.whole for number in found if number and number.whole is not None]
    if len(sizes) < len(pieces) or len(pieces) > 3:
        odd = next(
            (piece for piece, number in zip(pieces, found, strict=True) if number and number.whole is None), text
        )
        expected = f"{name} takes whole numbers, as 12, 768,1024 or 12:96:12"
        raise ConfigError(f"{expected}, got {numbers.told(odd)}", field=name, got=text)
    zeros = [piece for piece in pieces if len(piece) > 1 and piece.isdecimal() and piece.startswith("0")]
    if zeros and "," in text:  # 1,024,2048
        problem = f"has a part that begins with 0: is {zeros[0]} the end of a number, or {_bare(zeros[0])}?"
        raise ConfigError(f"{name} {shown(text)} {problem}", field=name, got=text)
    start, stop, step = (*sizes, *(sizes[0], 1)[len(sizes) - 1 :]) if len(sizes) < 3 else sizes
    part = ":".join(pieces)
    if step == 0:
        raise ConfigError(f"{name} has a step of 0 in {shown(part)}", field=name, got=text)
    if (stop - start) * step < 0:
        advice = f": a step of {shown(-step)} goes there" if len(pieces) == 3 else f": {shortened(part)}:-1 counts down"
        problem = f"{name} does not get from {shown(start)} to {shown(stop)} in {shown(part)}{advice}"
        raise ConfigError(problem, field=name, got=text)
    return range(start, stop + (1 if step > 0 else -1), step)
