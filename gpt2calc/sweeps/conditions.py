"""A condition on columns, such as `total < 400e6 and mlp_share > 0.5`: read, checked, and applied to arrays.

It is written as Python writes it and means what Python would say of each row's exact numbers, but nothing is ever run
as Python: what is not listed here is refused. Whether an integer could leave int64 on the way is known beforehand, from
the least and the most of each column.
"""

from __future__ import annotations

import ast
import operator
import re
from sys import float_info
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from gpt2calc.errors import ConfigError, closest, shortened, shown
from gpt2calc.fields import CANONICAL
from gpt2calc.sweeps import exact
from gpt2calc.sweeps.axes import INT64_MAX
from gpt2calc.sweeps.columns import COLUMNS, COUNT, SHARE, SIZE, SWITCH, identifier

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

SIGNS: dict[type[ast.cmpop], str] = {
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
LOGIC: dict[type[ast.AST], Callable[[Any, Any], Any]] = {
    ast.And: np.logical_and,
    ast.Or: np.logical_or,
    ast.BitAnd: np.logical_and,
    ast.BitOr: np.logical_or,
}
KNOWN = "and, or, not, & and |, comparisons, + - * / // %, parentheses, numbers and columns"


class Operand(NamedTuple):
    """A condition or a part of one: what it is, where it stands, and how its value comes from those of its operands.

    `column` is the name of a column, `value` a constant; where both are None, `apply` is called with the operands'
    values.
    `sign` is the arithmetic of an integer, whose bounds are watched.
    """

    kind: str
    position: int
    column: str | None = None
    value: Any = None
    operands: tuple[Operand, ...] = ()
    apply: Callable[..., Any] | None = None
    sign: type[ast.AST] = ast.AST


class Condition(NamedTuple):
    """A condition that was read: its text, and what the last of its operators makes of its operands."""

    text: str
    root: Operand

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that it names."""
        return tuple(dict.fromkeys(_named(self.root)))

    def check(self, bounds: Callable[[str], Bounds]) -> None:
        """Raise where an integer could leave int64 on the way, or a divisor be 0, for columns within these bounds.

        Raises:
            ConfigError: it could.
        """
        _bounds(self.root, bounds, self.text)

    def holds(self, values: Mapping[str, Any], shape: tuple[int, ...]) -> Any:
        """Return for each row whether the condition holds; a column is an array, or one value for all rows."""
        with np.errstate(all="ignore"):  # a float that leaves its range is infinite, and compares as that
            return np.broadcast_to(np.asarray(_value(self.root, values), dtype=bool), shape)


def read(text: str) -> Condition:
    """Read a condition.

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
    try:  # in parentheses a line break begins no statement
        tree = ast.parse(f"({text}\n)", mode="eval").body
    except SyntaxError as error:
        position = min(max(1, (error.offset or 2) - 1), len(text)) if error.lineno == 1 else len(text)
        said = error.msg.partition(". ")[0] + "; == compares" * bool(re.search(r"[^=<>!]=[^=]", text))
        raise ConfigError(f"{_shown(text)} is no condition: {said}, at character {position}", got=text) from None
    except (RecursionError, MemoryError, ValueError):  # too many parentheses, or too many digits
        raise ConfigError(f"{_shown(text)} is no condition: it is nested too deeply, or a number is too long") from None
    if (tree.lineno, tree.col_offset) == (1, 0) and not isinstance(tree, (ast.Tuple, ast.GeneratorExp)):
        # What is within the parentheses that were put around it begins behind the first: as a) or (b does not.
        raise ConfigError(f"{_shown(text)} is no condition: its parentheses do not match", got=text)
    if _depth(tree) > MOST_CONDITION_DEPTH:
        raise ConfigError(
            f"{_shown(text)} is no condition: it has more than {MOST_CONDITION_DEPTH} parts within parts", got=text
        )
    root = _read(tree, text)
    if root.kind != TRUTH:
        raise _wrong(text, root.position, f"expected a condition such as total < 400e6, got a {root.kind}")
    return Condition(text, root)


def _depth(tree: ast.AST) -> int:
    """Return how deep parts lie within parts, without going down into them one within the other."""
    depth, layer = 0, [tree]
    while layer:
        depth, layer = depth + 1, [inner for node in layer for inner in ast.iter_child_nodes(node)]
    return depth


def _shown(text: str) -> str:
    return f"'{shortened(text.strip())}'"


def _wrong(text: str, position: int, problem: str) -> ConfigError:
    return ConfigError(f"in the condition {_shown(text)}, at character {position}: {problem}", got=text)


def _read(node: ast.AST, text: str) -> Operand:
    reader = READERS.get(type(node))
    if reader is None:
        raise _refused(node, text)
    return reader(node, text)


def _position(node: Any, text: str) -> int:
    """Return where a part stands, the first character being 1; a parenthesis was put before the text."""
    return int(node.col_offset) if node.lineno == 1 else len(text)


def _refused(node: ast.AST, text: str) -> ConfigError:
    return _wrong(text, _position(node, text), f"this is none of {KNOWN}")


def _junction(node: ast.BoolOp, text: str) -> Operand:
    operands = tuple(_truth(_read(value, text), text) for value in node.values)
    return Operand(TRUTH, _position(node, text), operands=operands, apply=_folded(LOGIC[type(node.op)]))


def _binary(node: ast.BinOp, text: str) -> Operand:
    if type(node.op) in ARITHMETIC:
        return _arithmetic(node, text)
    if type(node.op) not in LOGIC:
        raise _refused(node, text)
    operands = tuple(_truth(_read(value, text), text, node.op) for value in (node.left, node.right))
    return Operand(TRUTH, _position(node, text), operands=operands, apply=LOGIC[type(node.op)])


def _unary(node: ast.UnaryOp, text: str) -> Operand:
    inner, position = _read(node.operand, text), _position(node, text)
    if isinstance(node.op, (ast.Not, ast.Invert)):
        return Operand(TRUTH, position, operands=(_truth(inner, text),), apply=np.logical_not)
    operand = _number(inner, text)
    if isinstance(node.op, ast.UAdd):
        return operand
    if operand.value is not None:
        return operand._replace(position=position, value=-operand.value)
    return Operand(operand.kind, position, operands=(operand,), apply=operator.neg, sign=ast.USub)


def _folded(logic: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    def apply(*values: Any) -> Any:
        found, *others = values
        for value in others:
            found = logic(found, value)
        return found

    return apply


def _constant(node: ast.Constant, text: str) -> Operand:
    value, position = node.value, _position(node, text)
    if type(value) not in CONSTANTS:
        raise _refused(node, text)
    if isinstance(value, float) and value.is_integer():  # 400e6 is a whole number, whatever Python says
        value = int(value)
    if isinstance(value, (int, float)) and value > FLOAT64_MAX:
        raise _wrong(text, position, "this number is too large")
    return Operand(CONSTANTS[type(value)], position, value=value)


def _column(node: ast.Name | ast.Attribute, text: str) -> Operand:
    name, position = ast.unparse(node), _position(node, text)
    if name in TRUTHS:
        return Operand(TRUTH, position, value=TRUTHS[name])
    column = COLUMNS.get(identifier(name)) or COLUMNS.get(CANONICAL.get(name, ""))
    if column is None:
        near = closest(identifier(name), tuple(COLUMNS))
        raise _wrong(text, position, f"no column is called {shown(name)}" + (f": did you mean {near}?" if near else ""))
    return Operand(KINDS.get(column.kind, WORD), position, column=column.name)


def _truth(operand: Operand, text: str, sign: ast.AST | None = None) -> Operand:
    if operand.kind != TRUTH:
        advice = f"; comparisons beside {'&' if isinstance(sign, ast.BitAnd) else '|'} need parentheses" if sign else ""
        raise _wrong(text, operand.position, f"expected a condition, got a {operand.kind}{advice}")
    return operand


def _number(operand: Operand, text: str) -> Operand:
    if operand.kind not in (WHOLE, REAL):
        raise _wrong(text, operand.position, f"expected a number, got a {operand.kind}")
    return operand


def _comparison(node: ast.Compare, text: str) -> Operand:
    operands = [_read(each, text) for each in (node.left, *node.comparators)]
    found = []
    for left, right, sign in zip(operands, operands[1:], node.ops, strict=False):
        if type(sign) not in SIGNS:
            raise _wrong(text, right.position, f"this is compared by none of {' '.join(SIGNS.values())}")
        written = SIGNS[type(sign)]
        numbers = {left.kind, right.kind} <= {WHOLE, REAL}
        if not numbers and (left.kind != right.kind or written not in ("==", "!=")):
            raise _wrong(text, right.position, f"a {left.kind} and a {right.kind} cannot be compared by {written}")
        apply = exact.COMPARED[written] if not numbers else _comparing(written)
        found.append(Operand(TRUTH, left.position, operands=(left, right), apply=apply))
    return (
        found[0]
        if len(found) == 1
        else Operand(TRUTH, _position(node, text), operands=tuple(found), apply=_folded(np.logical_and))
    )


def _comparing(sign: str) -> Callable[[Any, Any], Any]:
    return lambda left, right: exact.compare(sign, left, right)


def _arithmetic(node: ast.BinOp, text: str) -> Operand:
    left, right = (_number(_read(each, text), text) for each in (node.left, node.right))
    divides = isinstance(node.op, (ast.Div, ast.FloorDiv, ast.Mod))
    if divides and right.kind == REAL and right.value is None:
        raise _wrong(text, right.position, "the divisor can be 0: divide by a count or a number")
    kind = REAL if REAL in (left.kind, right.kind) or isinstance(node.op, ast.Div) else WHOLE
    return Operand(
        kind, _position(node, text), operands=(left, right), apply=ARITHMETIC[type(node.op)], sign=type(node.op)
    )


READERS: dict[type[ast.AST], Callable[[Any, str], Operand]] = {
    ast.Constant: _constant,
    ast.Name: _column,
    ast.Attribute: _column,
    ast.Compare: _comparison,
    ast.BoolOp: _junction,
    ast.BinOp: _binary,
    ast.UnaryOp: _unary,
}
"""What reads each part of Python that a condition may have."""


def _named(operand: Operand) -> list[str]:
    return [operand.column] if operand.column else [name for each in operand.operands for name in _named(each)]


def _value(operand: Operand, values: Mapping[str, Any]) -> Any:
    if operand.column:
        return values[operand.column]
    return operand.apply(*(_value(each, values) for each in operand.operands)) if operand.apply else operand.value


def _bounds(operand: Operand, bounds: Callable[[str], Bounds], text: str) -> Bounds | None:
    """Return the least and the most of an integer, None of what is none."""
    inner = [_bounds(each, bounds, text) for each in operand.operands]
    if operand.sign in (ast.Div, ast.FloorDiv, ast.Mod):
        divisor = inner[1] or (operand.operands[1].value,) * 2
        if divisor[0] <= 0 <= divisor[1]:
            raise _wrong(text, operand.operands[1].position, "the divisor can be 0 in this sweep")
    if operand.kind != WHOLE:
        return None
    if operand.column:
        return bounds(operand.column)
    ends = [each or (0, 0) for each in inner]
    found = _reach(operand.sign, ends) if operand.apply else (operand.value, operand.value)
    for each, (low, high) in ((operand, found), *zip(operand.operands, ends, strict=True)):
        if operand.apply and not -INT64_MAX - 1 <= low <= high <= INT64_MAX:
            most = high if high > INT64_MAX else low
            said = (
                f"{most:,}"
                if abs(most) < 10**MOST_SHOWN_DIGITS
                else f"a number of more than {MOST_SHOWN_DIGITS} digits"
            )
            raise _wrong(text, each.position, f"this can come to {said}, which does not fit in int64")
    return found


def _reach(sign: type[ast.AST], inner: list[Bounds]) -> Bounds:
    """Return the least and the most that arithmetic on two intervals can give."""
    (low, high), (least, most) = inner[0], inner[-1]
    if sign is ast.USub:
        return -high, -low
    if sign is ast.Mod:
        return (0, most - 1) if least > 0 else (least + 1, 0)
    ends = [ARITHMETIC[sign](x, y) for x in (low, high) for y in (least, most)]
    return min(ends), max(ends)
