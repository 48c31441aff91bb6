"""What is translated gives what Python gives: forms of Python, each in a function, run here and in the page."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from collections import Counter
from fractions import Fraction
from itertools import accumulate, groupby, islice, pairwise
from math import isqrt
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.webpage.translation import Script

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.browser import Watched


class Point(NamedTuple):
    """A place, of which one part has a usual value."""

    x: int
    y: int = 7

    @property
    def sum(self) -> int:
        """Both together."""
        return self.x + self.y


class Sized(NamedTuple):
    """What has a part that is called as JavaScript calls how many there are."""

    size: int
    length: int = 0


def whole_numbers() -> list[object]:
    """Division rounds down, and numbers are of any size."""
    return [-7 // 2, -7 % 3, 2**100, divmod(-9, 4), abs(-(3**50)), isqrt(10**30 + 1), -(-10 // 4), True + 2, 3 * True]


def texts() -> list[object]:
    """Cut, joined, formatted, searched."""
    name = "h.10.attn.weight"
    found = re.fullmatch(r"h\.(?P<n>\d+)\.(.+)", name)
    return [
        name[2:4],
        name[::-1],
        name.partition("."),
        name.rpartition("."),
        "-".join(str(n) for n in range(3)),
        f"{1234567:,} {'x'!r} {None} {True}",
        "{:,} of {}".format(1000, "y"),
        found and [found["n"], found[2], found.start(2)],
        name.removeprefix("h.").split(".", maxsplit=-1)[:2],
        name.split(".", 1),
        name.split(".", maxsplit=2),
        "a.b.c.d".replace(".", "", 2),
        "a.b".replace(".", "$&"),
        f"{name:}",
        "a" * 3,
        "é😀x"[1:],
        len("é😀x"),
        "1１".isdecimal(),
    ]


def lists() -> list[object]:
    """Unpacked, compared part by part, sorted by keys, and in turn."""
    first, *middle, last = [1, 2, 3, 4]
    numbers = [3, 1, 2]
    numbers.sort(key=lambda n: -n)
    return [
        [first, middle, last],
        (1, 2) < (1, 3),
        [1, [2, (3,)]] == [1, [2, (3,)]],
        numbers,
        sorted({"b": 1, "a": 2}.items()),
        max([], default=5),
        min(numbers, key=lambda n: abs(n - 2)),
        [(a, b) for a in range(3) if a != 1 for b in "xy"],
        list(zip("abc", [1, 2], strict=False)),
        list(pairwise(accumulate([1, 2, 3]))),
        [(key, list(group)) for key, group in groupby([1, 1, 2, 1])],
        list(islice((n for n in range(10**30)), 3)),
        bisect_left([1, 3, 5], 4),
        numbers[-1],
        [*range(5, 0, -2)],
    ]


def tables() -> list[object]:
    """Dicts and sets find what is equal, and keep the order in which things came."""
    found: dict[object, int] = {(1, ("a",)): 1}
    found[1, ("a",)] += 4
    found.setdefault("b", 2)
    counted = Counter("abcab")
    counted.update("c")
    return [
        list(found.items()),
        counted.most_common(1)[0],
        {"x": 1} | {"y": 2, "x": 3},
        sorted({1, 2} & {2, 3} | {9}),
        {1} <= {1, 2},
        frozenset((2, 1)) == frozenset((1, 2)),
        {Point(1): "p"}[Point(1, 7)],
        found.get("none"),
        "b" in found,
    ]


def tuples() -> list[object]:
    """With names, usual values, properties and changed parts."""
    point = Point(1)
    x, y = point._replace(y=2)
    empty = Sized(0)
    sizes = [len(empty), "some" if empty else "none", bool(not empty)]
    return [point.sum, x, y, point == Point(1, 7), [*point], point < Point(2), Point(y=3, x=4).sum, sizes]


def steps() -> list[object]:
    """Generators, closures that share a name, and what is raised."""

    def upwards(least: int, *, by: int = 2) -> Iterator[int]:
        yield least
        yield from (least + by * n for n in (1, 2))

    total = 0

    def add(n: int) -> int:
        nonlocal total
        total += n
        return total

    between = [0 < add(1) < 5 != add(0), 5 < add(1) < add(1), 1 == add(0) == add(0) != add(1)]
    nothing: dict[str, int] = {}
    try:
        nothing["key"]
    except KeyError:
        add(10)
    calls: list[Callable[[], int]] = [lambda n=n: n for n in range(2)]  # type: ignore[misc]  # a usual value
    return [
        between,
        list(upwards(3)),
        list(upwards(1, by=5)),
        add(1),
        add(2),
        [call() for call in calls],
        total or "or",
        total and "and",
    ]


def fractions() -> list[object]:
    """Exact, and in order."""
    half = Fraction(2, 4)
    third = Fraction(1, 3)
    return [half.numerator, (half + third).denominator, half > third, half * 2 == 1, max(third, half) == half]


def test_each_form_of_python_gives_the_same(loaded: Watched) -> None:
    """As JSON, in which a tuple is a list."""
    asked: tuple[Callable[[], Any], ...] = (whole_numbers, texts, lists, tables, tuples, steps, fractions)
    script = Script(())
    names = [script.name(each) for each in asked]
    asks = f"return json([{', '.join(f'{name}()' for name in names)}]);"
    own = "const own = py.signatures;"  # which is the page's, and others look at the page after this
    source = f"(() => {{ {own} try {{ {script.text()}\n{asks} }} finally {{ py.signatures = own; }} }})()"
    found = json.loads(loaded.page.evaluate(source))
    for each, answer in zip(asked, found, strict=True):
        assert answer == json.loads(json.dumps(each())), each.__name__
