"""What a claim can be about: a small language of counts, shares, ratios and differences, exact in every model.

There is nothing in it but the names that `formulas`, `tensor_table` and `conventions` have, and nothing is executed.
"""

from __future__ import annotations

import re
from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc import conventions, formulas, tensor_table
from gpt2calc.dims import Dims
from gpt2calc.errors import ConfigError, UnknownNameError, shown
from gpt2calc.figures import BYTES, COUNT, RATIO, SHARE
from gpt2calc.table import Percent, Ratio

if TYPE_CHECKING:
    from gpt2calc.table import Cell

SHARE_OF, NAMED, CONVENTION = "share of ", "named ", "convention."
MOST_ADDENDS = 8
"""No sum has more counts."""

NAMED_WORDS = re.compile(rf"{NAMED}[\w.]+(?:\|[\w.]+)*")
ROLES = ("weights", "biases")
COMPONENTS = tuple(row.component for row in formulas.table(Dims(*(1 for _ in Dims._fields))))
NAMES = ("total", *ROLES, *formulas.GROUPS, *COMPONENTS)
"""What can be counted by name, beside the conventions."""


class Value(NamedTuple):
    """What a quantity is in one model: a count, or a part of a whole."""

    part: int
    whole: int
    kind: str

    @property
    def exact(self) -> Fraction:
        """The number itself."""
        return Fraction(self.part, self.whole)

    def cell(self, digits: int = 0) -> Cell:
        """Return it as a table shows it, in at least as many decimals as these and two more.

        >>> Value(28348416, 124439808, SHARE).cell().text(), Value(56669184, 28348416, RATIO).cell().text()
        ('22.78 %', '1.9990')
        """
        if self.kind == SHARE:
            return Percent(self.part, self.whole, digits + 2)
        return Ratio(self.part, self.whole, max(4, digits + 2)) if self.kind == RATIO else self.part


class Addend(NamedTuple):
    """One count in a sum: `role` is weights, biases, or empty for both, `name` what is counted."""

    sign: int
    role: str
    name: str

    @property
    def kind(self) -> str:
        """Parameters or bytes."""
        by_convention = self.name.startswith(CONVENTION)
        in_bytes = by_convention and _convention(self.name).unit == conventions.BYTES
        return BYTES if in_bytes else COUNT

    def of(self, dims: Dims) -> int:
        """Count it in one model, with its sign."""
        if self.name.startswith(CONVENTION):
            return self.sign * _convention(self.name).value(dims)
        if self.name.startswith(NAMED):
            return self.sign * _named(dims, self.name.removeprefix(NAMED).split("|"))
        rows = [row for row in formulas.table(dims) if self.name in ("total", row.component, row.group)]
        weights = sum(row.times * row.weights for row in rows) if self.role != "biases" else 0
        biases = sum(row.times * row.biases for row in rows) if self.role != "weights" else 0
        return self.sign * (weights + biases)


class Quantity(NamedTuple):
    """What is measured: a sum of counts, or the quotient of two."""

    text: str
    kind: str
    over: tuple[Addend, ...]
    under: tuple[Addend, ...]

    def of(self, dims: Dims) -> Value:
        """Measure it in one model.

        Raises:
            ConfigError: it is a quotient, and what stands below is 0 in this model.

        >>> from gpt2calc.presets import load
        >>> read("mlp / attention").of(load("gpt2").dims).exact
        Fraction(6149, 3076)
        """
        whole = sum(addend.of(dims) for addend in self.under) if self.under else 1
        if not whole:
            raise ConfigError(f"expected a quotient, and {self.text} divides by 0")
        return Value(sum(addend.of(dims) for addend in self.over), whole, self.kind)


def read(text: str) -> Quantity:
    """Read a quantity.

    Law: QUANTITY is SUM, `share of SUM`, which is divided by the total, or `SUM / SUM`; SUM is parts with + or -
    between them; a part is a name, `weights of NAME`, `biases of NAME`, `convention.NAME`, or `named WORD|WORD`, which
    counts the tensors that have one of the words in the name of their component.

    Raises:
        UnknownNameError: no component, group or convention has this name; the message gives those that are known.
        ConfigError: it is not put together so.

    >>> from gpt2calc.presets import load
    >>> read("convention.untied - wte").of(load("gpt2").dims).part
    124439808
    """
    words = " ".join(text.split())
    over, slash, under = words.removeprefix(SHARE_OF).partition(" / ")
    if words.startswith(SHARE_OF):
        if slash:
            raise ConfigError(f"expected a share or a quotient, got both in {shown(text)}", got=text)
        return Quantity(words, SHARE, _sum(over, COUNT), _sum("total"))
    if slash:
        return Quantity(words, RATIO, _sum(over), _sum(under))
    addends = _sum(words)
    return Quantity(words, addends[0].kind, addends, ())


def _sum(words: str, kind: str | None = None) -> tuple[Addend, ...]:
    first, *rest = re.split(r" ([+-]) ", words)
    signed = [("+", first), *zip(rest[::2], rest[1::2], strict=True)]
    if len(signed) > MOST_ADDENDS:
        raise ConfigError(f"expected a sum of at most {MOST_ADDENDS} parts, got {len(signed):,}", got=words)
    addends = tuple(_addend(words, 1 if sign == "+" else -1) for sign, words in signed)
    if {addend.kind for addend in addends} - {kind or addends[0].kind}:
        raise ConfigError(f"expected parameters alone or bytes alone, got both in {shown(words)}", got=words)
    return addends


def _addend(words: str, sign: int) -> Addend:
    if words.startswith(CONVENTION):
        _convention(words)
        return Addend(sign, "", words)
    if NAMED_WORDS.fullmatch(words):
        return Addend(sign, "", words)
    if words in ROLES:
        return Addend(sign, words, "total")
    role, of, name = words.rpartition(" of ")
    if of and (role not in ROLES or name in ROLES):
        raise ConfigError(f"expected weights of or biases of a group or component, got {shown(words)}", got=words)
    if name not in NAMES:
        hint = f" (convention.{name} is)" if name in conventions.NAMES else ""
        raise UnknownNameError("quantity", name, NAMES, hint)
    return Addend(sign, role, name)


def _convention(name: str) -> conventions.Convention:
    return conventions.find(name.removeprefix(CONVENTION))


def _named(dims: Dims, words: list[str]) -> int:
    """Count what people count who look for a word in the names of parameters, by listing tensors."""
    rows = tensor_table.table(dims)
    return sum(row.times * prod(row.shape) for row in rows if any(word in row.component for word in words))
