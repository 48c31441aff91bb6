"""A condition on columns, such as `total < 400e6 and mlp_share > 0.5`: read, checked, and applied to arrays.

It is written as Python writes it and means what Python would say of each row's exact numbers, but nothing is ever run
as Python: what is not listed here is refused. Whether an integer could leave int64 on the way is known beforehand, from
the least and the most of each column.
"""

from __future__ import annotations

import ast
import operator
import re
from functools import partial, reduce
from itertools import pairwise
from sys import float_info
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gpt2calc.errors import ConfigError, closest, shortened, shown
from gpt2calc.fields import CANONICAL
from gpt2calc.sweeps import exact
from gpt2calc.sweeps.axes import INT64_MAX
from gpt2calc.sweeps.columns import COLUMNS, COUNT, SHARE, SIZE, SWITCH, Column, identifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    Bounds = tuple[int, int]

MOST_CONDITION_CHARACTERS, MOST_CONDITION_DEPTH = 10_000, 100
"""How many characters a condition has at most, and how many parts within parts."""

MOST_SHOWN_DIGITS = 40
"""How many digits of a number a message shows at most; Python itself writes none of more than 4,300."""

FLOAT64_MAX = int(float_info.max)
"""No number is larger than a float can be, since it may meet one."""

WHOLE, REAL, TRUTH, WORD = "whole number", "number", "condition", "word"
KINDS = {SIZE: WHOLE, COUNT: WHOLE, SHARE: REAL, SWITCH: TRUTH}
CONSTANTS = {bool: TRUTH, int: WHOLE, float: REAL, str: WORD}
TRUTHS = {"true": True, "false": False}

SIGNS: dict[type[ast.AST], str] = {
    ast.Lt: "<",
    ast.LtE: "<=",
    ast.Gt: ">",
    ast.GtE: ">=",
    ast.Eq: "==",
    ast.NotEq: "!=",
}
ARITHMETIC: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: exact.quotient,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
}
DIVISIONS = (ast.Div, ast.FloorDiv, ast.Mod)
LOGIC: dict[type[ast.AST], Any] = {
    ast.And: np.logical_and,
    ast.Or: np.logical_or,
    ast.BitAnd: np.logical_and,
    ast.BitOr: np.logical_or,
}
KNOWN = "and, or, not, & and |, comparisons, + - * / // %, parentheses, numbers and columns"


class Operand(NamedTuple):
    """A condition or a part of one: what it is, where it stands, and how its value comes from those of its operands.

    `column` is the name of a column, `value` a constant; where both are None, `apply` is called with the operands'
    values. `sign` is the arithmetic of an integer, whose bounds are watched.
    """

    kind: str
    position: int
    column: str | None = None
    value: Any = None
    operands: tuple[Operand, ...] = ()
    apply: Callable[..., Any] | None = None
    sign: type[ast.AST] = ast.AST

    def named(self) -> list[str]:
        """Return the columns that are named in it."""
        return [self.column] if self.column else [name for each in self.operands for name in each.named()]

    def of(self, values: Mapping[str, Any]) -> Any:
        """Return what it comes to, for arrays of columns."""
        if self.column:
            return values[self.column]
        return self.apply(*(each.of(values) for each in self.operands)) if self.apply else self.value


class Condition(NamedTuple):
    """A condition that was read: its text, and what the last of its operators makes of its operands."""

    text: str
    root: Operand

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return tuple(dict.fromkeys(self.root.named()))

    def check(self, bounds: Callable[[str], Bounds]) -> None:
        """Raise where an integer could leave int64 on the way, or a divisor be 0, for columns within these bounds.

        Raises:
            ConfigError: it could.
        """
        _bounds(self.root, bounds, self.text)

    def holds(self, values: Mapping[str, Any], shape: tuple[int, ...]) -> Any:
        """Return for each row whether the condition holds; a column is an array, or one value for all rows."""
        with np.errstate(all="ignore"):  # a float that leaves its range is infinite, and compares as that
            return np.broadcast_to(np.asarray(self.root.of(values), dtype=bool), shape)


def read(text: str, table: Mapping[str, Column] = COLUMNS, spellings: Mapping[str, str] = CANONICAL) -> Condition:
    """Read a condition on the columns of a table, whose fields have these spellings.

    Raises:
        ConfigError: it is none; the message says what is wrong and where.

    >>> read("total < 400e6 and mlp_share > 0.5").columns
    ('total', 'mlp_share')
    """
    if not isinstance(text, str):
        raise ConfigError(f"where takes a condition as text, such as 'total < 400e6', got {shown(text)}", got=text)
    if len(text) > MOST_CONDITION_CHARACTERS:
        raise ConfigError(f"a condition has at most {MOST_CONDITION_CHARACTERS:,} characters, got {len(text):,}")
    if not text.strip():
        raise ConfigError("a condition is empty: total < 400e6 is one")
    said = f"'{shortened(text.strip())}'"
    try:  # in parentheses a line break begins no statement
        tree = ast.parse(f"({text}\n)", mode="eval").body
    except SyntaxError as error:
        position = min(max(1, (error.offset or 2) - 1), len(text)) if error.lineno == 1 else len(text)
        why = error.msg.partition(". ")[0] + "; == compares" * bool(re.search(r"[^=<>!]=[^=]", text))
        raise ConfigError(f"{said} is no condition: {why}, at character {position}", got=text) from None
    except (RecursionError, MemoryError, ValueError):  # too many parentheses, or too many digits
        raise ConfigError(f"{said} is no condition: it is nested too deeply, or a number is too long") from None
    if (tree.lineno, tree.col_offset) == (1, 0) and not isinstance(tree, (ast.Tuple, ast.GeneratorExp)):
        # What is within the parentheses that were put around it begins behind the first: as a) or (b does not.
        raise ConfigError(f"{said} is no condition: its parentheses do not match", got=text)
    depth, layer = 0, list[ast.AST]([tree])
    while layer:  # without going down into parts one within the other
        depth, layer = depth + 1, [inner for node in layer for inner in ast.iter_child_nodes(node)]
    if depth > MOST_CONDITION_DEPTH:
        problem = f"it has more than {MOST_CONDITION_DEPTH} parts within parts"
        raise ConfigError(f"{said} is no condition: {problem}", got=text)
    root = _Reader(text, table, spellings).operand(tree)
    if root.kind != TRUTH:
        raise _wrong(text, root.position, f"expected a condition such as total < 400e6, got a {root.kind}")
    return Condition(text, root)


def _wrong(text: str, position: int, problem: str) -> ConfigError:
    said = f"'{shortened(text.strip())}'"
    return ConfigError(f"in the condition {said}, at character {position}: {problem}", got=text)


class _Reader(NamedTuple):
    """What makes operands of the parts of Python that a condition may have."""

    text: str
    table: Mapping[str, Column]
    spellings: Mapping[str, str]

    def operand(self, node: Any) -> Operand:  # noqa: C901, PLR0911  # a case for each part
        """Return a part of a condition, all that is in it being right."""
        # Where it stands, the first character being 1; a parenthesis was put before the text.
        at = int(node.col_offset) if node.lineno == 1 else len(self.text)
        match node:
            case ast.Constant() if type(node.value) in CONSTANTS:
                return self._constant(node.value, at)
            case ast.Name() | ast.Attribute():
                return self._column(ast.unparse(node), at)
            case ast.BoolOp():
                operands = tuple(self._truth(each) for each in node.values)
                logic = LOGIC[type(node.op)]
                return Operand(TRUTH, at, operands=operands, apply=lambda *values: reduce(logic, values))
            case ast.BinOp() if type(node.op) in LOGIC:
                sign = "&" if isinstance(node.op, ast.BitAnd) else "|"
                operands = self._truth(node.left, sign), self._truth(node.right, sign)
                return Operand(TRUTH, at, operands=operands, apply=LOGIC[type(node.op)])
            case ast.BinOp() if type(node.op) in ARITHMETIC:
                left, right = self._number(node.left), self._number(node.right)
                if isinstance(node.op, DIVISIONS) and right.kind == REAL and right.value is None:
                    raise _wrong(self.text, right.position, "the divisor can be 0: divide by a count or a number")
                kind = REAL if REAL in (left.kind, right.kind) or isinstance(node.op, ast.Div) else WHOLE
                return Operand(kind, at, None, None, (left, right), ARITHMETIC[type(node.op)], type(node.op))
            case ast.UnaryOp(op=ast.Not() | ast.Invert()):
                return Operand(TRUTH, at, operands=(self._truth(node.operand),), apply=np.logical_not)
            case ast.UnaryOp(op=ast.UAdd()):
                return self._number(node.operand)
            case ast.UnaryOp():
                inner = self._number(node.operand)
                if inner.value is not None:
                    return inner._replace(position=at, value=-inner.value)
                return Operand(inner.kind, at, None, None, (inner,), operator.neg, ast.USub)
            case ast.Compare():
                return self._comparison(node, at)
        raise _wrong(self.text, at, f"this is none of {KNOWN}")

    def _constant(self, value: Any, at: int) -> Operand:
        if isinstance(value, float) and value.is_integer():  # 400e6 is a whole number, whatever Python says
            value = int(value)
        if isinstance(value, (int, float)) and value > FLOAT64_MAX:
            raise _wrong(self.text, at, "this number is too large")
        return Operand(CONSTANTS[type(value)], at, value=value)

    def _column(self, name: str, at: int) -> Operand:
        if name in TRUTHS:
            return Operand(TRUTH, at, value=TRUTHS[name])
        column = self.table.get(identifier(name)) or self.table.get(self.spellings.get(name, ""))
        if column is None:
            near = closest(identifier(name), tuple(self.table))
            advice = f": did you mean {near}?" if near else ""
            raise _wrong(self.text, at, f"no column is called {shown(name)}{advice}")
        return Operand(KINDS.get(column.kind, WORD), at, column=column.name)

    def _truth(self, node: ast.AST, sign: str = "") -> Operand:
        found = self.operand(node)
        if found.kind != TRUTH:
            advice = f"; comparisons beside {sign} need parentheses" if sign else ""
            raise _wrong(self.text, found.position, f"expected a condition, got a {found.kind}{advice}")
        return found

    def _number(self, node: ast.AST) -> Operand:
        found = self.operand(node)
        if found.kind not in (WHOLE, REAL):
            raise _wrong(self.text, found.position, f"expected a number, got a {found.kind}")
        return found

    def _comparison(self, node: ast.Compare, at: int) -> Operand:
        operands = [self.operand(each) for each in (node.left, *node.comparators)]
        found = []
        for (left, right), sign in zip(pairwise(operands), node.ops, strict=True):
            if type(sign) not in SIGNS:
                raise _wrong(self.text, right.position, f"this is compared by none of {' '.join(SIGNS.values())}")
            written, are_numbers = SIGNS[type(sign)], {left.kind, right.kind} <= {WHOLE, REAL}
            if not are_numbers and (left.kind != right.kind or written not in ("==", "!=")):
                problem = f"a {left.kind} and a {right.kind} cannot be compared by {written}"
                raise _wrong(self.text, right.position, problem)
            apply = partial(exact.compare, written) if are_numbers else exact.COMPARED[written]
            found.append(Operand(TRUTH, left.position, operands=(left, right), apply=apply))
        both = Operand(TRUTH, at, operands=tuple(found), apply=lambda *values: reduce(np.logical_and, values))
        return found[0] if len(found) == 1 else both


def _bounds(operand: Operand, bounds: Callable[[str], Bounds], text: str) -> Bounds | None:
    """Return the least and the most of an integer, None of what is none."""
    inner = [_bounds(each, bounds, text) for each in operand.operands]
    if operand.sign in DIVISIONS:
        divisor = inner[1] or (operand.operands[1].value,) * 2
        if divisor[0] <= 0 <= divisor[1]:
            raise _wrong(text, operand.operands[1].position, "the divisor can be 0 in this sweep")
    if operand.kind != WHOLE:
        return None
    if operand.column:
        return bounds(operand.column)
    if not operand.apply:
        return operand.value, operand.value
    ends = [each or (0, 0) for each in inner]
    (low, high), (least, most) = ends[0], ends[-1]
    if operand.sign is ast.USub:
        found = -high, -low
    elif operand.sign is ast.Mod:
        found = (0, most - 1) if least > 0 else (least + 1, 0)
    else:
        corners = [ARITHMETIC[operand.sign](x, y) for x in (low, high) for y in (least, most)]
        found = min(corners), max(corners)
    for each, (low, high) in ((operand, found), *zip(operand.operands, ends, strict=True)):
        if not -INT64_MAX - 1 <= low <= high <= INT64_MAX:
            reach = high if high > INT64_MAX else low
            is_short = abs(reach) < 10**MOST_SHOWN_DIGITS
            said = f"{reach:,}" if is_short else f"a number of more than {MOST_SHOWN_DIGITS} digits"
            raise _wrong(text, each.position, f"this can come to {said}, which does not fit in int64")
    return found
