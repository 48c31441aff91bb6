"""`Fit`: whether what serving a model holds fits into a memory, and the one change that would make it fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import figures, numbers
from gpt2calc.costs import cache_types, machines
from gpt2calc.costs.holding import ELEMENT
from gpt2calc.errors import ConfigError, shown
from gpt2calc.table import BAD, GOOD, HINT, Said, Table, sequences, table_of_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpt2calc.costs.serving import Serving

SCHEMA = "gpt2calc/fits/1"

FITS, WITHIN, NOT = "fits", "within the reserve", "does not fit"
"""The answers: all fits beside the reserve; all fits, but into the reserve; it does not fit at all."""

LEAST_BYTES = 10_000
"""Fewer bytes than this, as a person types them without a unit, are meant to be of another."""

NOT_COUNTED = "not counted: an engine's own workspace, activations and what fragments; --reserve is for it"

NO_CHANGE = "no change of context, batch or dtype makes it fit alone"


class Change(NamedTuple):
    """One change that makes a model fit: of what, to what, and what is needed then."""

    what: str
    value: int | str
    needed: int


class Fit:
    """What a memory is asked to hold, and whether it does; true where it fits.

    Args:
        serving: what is to be held.
        memory: bytes of all devices.
        reserve: bytes that are to stay free, of all devices.
        of: what the memory is of.
        said: whose table says how large it is.

    >>> import gpt2calc
    >>> fit = gpt2calc.fits("gpt2-xl", memory="7GB", dtype="fp32", seq=1024)
    >>> fit.answer, fit.needed, fit.left
    ('fits', 6859590400, 140409600)
    """

    def __init__(self, serving: Serving, memory: int, reserve: int, of: str, said: str = "") -> None:
        if serving.tokens is None:
            problem = "the config does not say how long a sequence can be: say how many tokens it has, seq or --context"
            raise ConfigError(f"{serving.name}: {problem}", field="seq")
        self.serving, self.memory, self.reserve, self.of = serving, memory, reserve, of
        self.name = serving.name
        alone = [] if self.answer == FITS or self.changes else [NO_CHANGE]
        self.notes = (*serving.notes, *filter(None, [said]), NOT_COUNTED, *alone)

    @property
    def needed(self) -> int:
        """Bytes of weights, cache and states."""
        return self._needed()

    @property
    def left(self) -> int:
        """Bytes of the memory that nothing takes; below 0 where it does not fit."""
        return self.memory - self.needed

    @property
    def answer(self) -> str:
        """One of the three answers."""
        return FITS if self.left >= self.reserve else WITHIN if self.left >= 0 else NOT

    @property
    def verdict(self) -> str:
        """Return the answer in one sentence."""
        held = self.serving
        at = sequences(held.batch, held.tokens or 0)
        if self.answer == NOT:
            return f"{self.name} at {at} does not fit into {self.of}: {-self.left:,} bytes too many"
        beside = f" beside the reserve of {self.reserve:,}" if self.reserve else ""
        if self.answer == FITS:
            free = self.left - self.reserve
            return f"{self.name} at {at} fits into {self.of}{beside}: {free:,} bytes are left"
        return f"{self.name} at {at} fits into {self.of} within the reserve: {self.left:,} of {self.reserve:,} are left"

    @property
    def changes(self) -> tuple[Change, ...]:
        """Each one change, all else as it is, that makes it fit beside the reserve; none where it fits."""
        if self.answer == FITS:
            return ()
        held, room = self.serving, self.memory - self.reserve
        found: list[Change] = []
        if tokens := largest(lambda n: self._needed(tokens=n) <= room, 1, held.tokens or 1):
            found.append(Change("context", tokens, self._needed(tokens=tokens)))
        if batch := largest(lambda n: self._needed(batch=n) <= room, 1, held.batch):
            found.append(Change("batch", batch, self._needed(batch=batch)))
        for each in cache_types.PROPOSED:
            if (
                each.is_smaller(held.kv_type)
                and held.takes(each)
                and (needed := self._needed(kv_dtype=each.name)) <= room
            ):
                found.append(Change("kv-dtype", each.name, needed))
                break
        for name in (each for each in ELEMENT if not held.packing and ELEMENT[each] < ELEMENT[held.dtype]):
            if (needed := self._needed(dtype=name)) <= room:
                found.append(Change("dtype", name, needed))
                break
        return tuple(found)

    def _needed(
        self, *, tokens: int | None = None, batch: int | None = None, dtype: str = "", kv_dtype: str = ""
    ) -> int:
        """Return what is needed with one thing changed."""
        held = self.serving.changed(dtype=dtype, kv_dtype=kv_dtype)
        return held.weights + held.bytes_at(tokens or held.tokens or 0, batch)

    def __bool__(self) -> bool:
        return self.answer == FITS

    def __repr__(self) -> str:
        return f"<Fit {self.verdict}>"

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only

        needed, *changes = self.tables()
        notes = [Said(f"note: {note}", HINT) for note in self.notes]
        return html.write([Said(self.verdict, GOOD if self else BAD), needed._replace(title=""), *changes, *notes])

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it, in the schema that docs/json.md describes."""
        return {
            "schema": SCHEMA,
            "model": self.name,
            "answer": self.answer,
            "fits": bool(self),
            "verdict": self.verdict,
            "settings": {**self.serving.settings, "tokens": self.serving.tokens},
            "memory": {"bytes": self.memory, "of": self.of, "reserve": self.reserve, "left": self.left},
            "needed": {
                "weights": self.serving.weights,
                "kv_and_states": self.serving.kv_bytes,
                "bytes": self.needed,
            },
            "changes": [{"what": each.what, "to": each.value, "needed": each.needed} for each in self.changes],
            "notes": list(self.notes),
        }

    def tables(self) -> list[Table]:
        """Lay out what is needed beside what there is, and the changes that would make it fit."""
        held = self.serving
        parts = [
            (f"weights, {held.parameters:,} × {held.held_in}", held.weights),
            (f"cache and states, {held.batch:,} × {held.tokens:,} × {held.kv_dtype}", held.kv_bytes or 0),
        ]
        compared = [("needed", self.needed), ("memory", self.memory), ("left", self.left)]
        found = [table_of_bytes(self.verdict, (*parts, None, *compared))]
        if self.changes:
            changes = tuple((f"--{each.what}", each.value, each.needed) for each in self.changes)
            found.append(Table("it would fit with one of these alone", ("option", "at most", "bytes needed"), changes))
        return found


def largest(holds: Callable[[int], bool], least: int, most: int) -> int | None:
    """Return the largest whole number for which something holds that holds for all that are smaller; None without one.

    >>> largest(lambda n: n * n <= 1000, 1, 10**9), largest(lambda n: False, 1, 9)
    (31, None)
    """
    if not holds(least):
        return None
    while least < most:
        middle = (least + most + 1) // 2
        least, most = (middle, most) if holds(middle) else (least, middle - 1)
    return least


def judge(
    serving: Serving,
    memory: int | str | None,
    hardware: str | None,
    devices: int | str | None,
    reserve: int | str | None,
) -> Fit:
    """Return the fit of a model into a memory that is given, or that a machine has.

    Raises:
        UnknownNameError: no machine has this name.
        ConfigError: neither or both are given, or something is no number of bytes.
    """
    size, of, said = room(memory, hardware, devices)
    kept = 0 if reserve is None else bytes_of("reserve", reserve)
    return Fit(serving, size, number_of(devices) * kept, of, said)


def room(memory: int | str | None, hardware: str | None, devices: int | str | None) -> tuple[int, str, str]:
    """Return the bytes of a memory or of machines, what they are of, and whose table says it; errors as for `judge`.

    >>> room(None, "h100-sxm", 2)[:2]
    (160000000000, '2 × h100-sxm')
    """
    if (memory is None) == (hardware is None):
        raise ConfigError("what is to hold the model? give memory, such as 24GB, or hardware, one of the two")
    number = number_of(devices)
    if hardware is not None:
        machine = machines.WITH_MEMORY[hardware]
        each, of = machine.memory, machine.name
        said = f"{of} has {each // 10**9} GB: {machines.MEMORY}"
    else:
        each = bytes_of("memory", memory)
        of, said = f"{each:,} bytes", ""
    return number * each, f"{number:,} × {of}" if number > 1 else of, said


def number_of(devices: int | str | None) -> int:
    """Return how many devices there are, one where nobody says.

    >>> number_of(None), number_of("1,000")
    (1, 1000)
    """
    return 1 if devices is None else numbers.read("devices", devices)


def bytes_of(name: str, value: int | str | None) -> int:
    """Return a number of bytes, as a program or a person gives it.

    >>> bytes_of("memory", "24GB"), bytes_of("memory", "1.5 GiB"), bytes_of("memory", 7)
    (24000000000, 1610612736, 7)
    """
    number = numbers.whole(value)
    if isinstance(value, str) and type(number) is int and 0 < number < LEAST_BYTES:
        problem = f"{name} {value} is {number:,} bytes, and hardly meant so: say of what, such as {value.strip()}GB"
        raise ConfigError(problem, field=name, got=value)
    if isinstance(value, str) and figures.starts(value):
        try:
            figure = figures.read(value).low
        except ConfigError:
            figure = None
        is_bytes = figure is not None and figures.BYTES in figures.UNITS[figure.unit][1] and not figure.about
        if figure is not None and is_bytes and figure.value.denominator == 1:
            return int(figure.value)
    if type(number) is not int or number < 0:
        problem = f"{name} must be a number of bytes, such as 24GB or 24GiB, got {shown(value)}"
        raise ConfigError(problem, field=name, got=value)
    return number
