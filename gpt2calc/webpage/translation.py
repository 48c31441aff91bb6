"""Python's own functions as JavaScript: the page reads, explains and verifies by the code of the command line.

What is reached from some functions is translated, function by function: what they call, the classes that they make, and
the tables that they read, as they are when the page is built. A form of Python that nothing on the way needs is refused
by name, and not guessed. It must not know what is translated: that is `engine`.
"""

from __future__ import annotations

import ast
import functools
import inspect
import re
import sys
from collections import Counter
from fractions import Fraction
from types import BuiltinFunctionType, FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

from gpt2calc.webpage.forms import (
    Law,
    Scope,
    UntranslatableError,
    grouped,
    is_open_ended,
    is_translated,
    literal,
    parameters,
    quoted,
    safe,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

PROTOCOL = frozenset(
    [
        "__init__",
        "__iter__",
        "__getattr__",
        "__call__",
        "__missing__",
        "__len__",
        "__add__",
        "__radd__",
        "__sub__",
        "__rsub__",
        "__mul__",
        "__rmul__",
        "__floordiv__",
        "__pow__",
        "__neg__",
        "__eq__",
        "__getitem__",
        "__contains__",
        "__lt__",
        "__enter__",
        "__exit__",
    ]
)
"""The methods that are called without being named."""

VALUE = re.compile(r"\$value\d*\b")
DEFINED = re.compile(r"const (?P<name>\$value\d*) = (?P<value>.*);")
"""The name of a table, and where it is defined."""

FLAGS = {re.IGNORECASE: "i", re.DOTALL: "s", re.MULTILINE: "m"}


class Script:
    """Definitions in JavaScript, each after those that it needs at once.

    Args:
        replaced: objects of Python, each with what stands for it instead of its translation.
        written: how a value of a type is written, where that is not by its parts.
    """

    def __init__(
        self, replaced: Iterable[tuple[object, str]], written: Mapping[type, Callable[[Any], str]] | None = None
    ) -> None:
        replaced = tuple(replaced)
        self._written = written or {}
        self._names = {id(thing): name for thing, name in replaced}
        self._values: dict[str, str] = {}
        self._kept: list[object] = [replaced]  # so that no other object gets the identity of one that was named
        self._taken: set[str] = set()
        self._numbers: Counter[str] = Counter()
        self.lines: list[str | _Class] = []
        self.asked: set[str] = set()
        self.signatures: list[tuple[str, list[str], bool]] = []

    def text(self, asked: Iterable[str] = (), beside: str = "") -> str:
        """Return all definitions, of a class those methods that somebody asks for by name.

        Args:
            asked: what is asked for besides, of every class or as Class.method of one.
            beside: what is written after it, and asks for values.
        """
        self.asked.update(asked)
        classes = [each for each in self.lines if isinstance(each, _Class)]
        while sum(each.write(self.asked) for each in classes):  # each of them, since one asks for methods of another
            classes = [each for each in self.lines if isinstance(each, _Class)]
        signatures = ", ".join(
            f"[{name}, [{list(names)}, {str(is_open).lower()}]]" for name, names, is_open in self.signatures
        )
        return _inlined([*map(str, self.lines), f"py.signatures = new Map([{signatures}]);"], beside)

    def name(self, thing: Any) -> str:
        """Return what a function, a class or a value is called, which is defined first where that is new."""
        if id(thing) in self._names:
            return self._names[id(thing)]
        if written := literal(thing):
            return written
        if (runtime := _in_runtime(thing)) is not None:
            return runtime
        if isinstance(thing, MethodType):  # of a class, such as Expression.of
            self.asked.add(thing.__name__)
            return f"((...given) => {self.name(thing.__self__)}.{thing.__name__}(...given))"
        self._kept.append(thing)
        if isinstance(thing, functools.partial):
            return f"py.partial({', '.join(map(self.name, (thing.func, *thing.args)))})"
        return self._defined(thing) if callable(thing) and hasattr(thing, "__name__") else self._table(thing)

    def _defined(self, thing: Any) -> str:
        """Define a class, a function, or a function that keeps what it was asked."""
        name = self._names[id(thing)] = self._new(thing.__name__)
        if isinstance(thing, type):
            self.lines.append(self._class(thing, name))
        elif isinstance(thing, FunctionType):
            self.lines.append(self._function(thing, name))
            self.signatures.append((name, parameters(thing), is_open_ended(thing)))
        else:
            self.lines.append(f"const {name} = py.cached({self.name(thing.__wrapped__)});")
        return name

    def _table(self, thing: Any) -> str:
        """Define a table, where it is long."""
        value = self._value(thing)
        if len(value) < 40 and not isinstance(thing, re.Pattern):  # which is made once
            return value
        if value in self._values:  # what is written alike is one value, since tables are not changed
            return self._values[value]
        name = self._values[value] = self._names[id(thing)] = self._new("value")
        self.lines.append(f"const {name} = {value};")
        return name

    def _new(self, wanted: str) -> str:
        plain = "$" + re.sub(r"\W", "", wanted)
        name = plain
        while name in self._taken:
            self._numbers[plain] += 1
            name = f"{plain}{self._numbers[plain]}"
        self._taken.add(name)
        return name

    def _value(self, thing: Any) -> str:
        """Return a table as it is now."""
        if type(thing) in self._written:
            return self._written[type(thing)](thing)
        return _pattern(thing) if isinstance(thing, re.Pattern) else self._listed(thing)

    def _listed(self, thing: Any) -> str:
        if isinstance(thing, tuple) and hasattr(thing, "_fields"):
            made = f"new {self.name(type(thing))}({', '.join(map(self.name, thing))})"
            return f"py.callable({made})" if callable(thing) else made
        if isinstance(thing, (tuple, list)):
            return f"[{', '.join(map(self.name, thing))}]"
        if hasattr(thing, "items") and hasattr(thing, "keys"):
            pairs = (f"[{self.name(key)}, {self.name(value)}]" for key, value in thing.items())
            return f"new py.dict([{', '.join(pairs)}])"
        if isinstance(thing, (set, frozenset)):
            return f"new py.set([{', '.join(map(self.name, sorted(thing, key=repr)))}])"
        if isinstance(thing, Fraction):
            return f"new py.Fraction({thing.numerator}n, {thing.denominator}n)"
        raise UntranslatableError("a table", thing)

    def law(self, text: str) -> str:
        """Return a law of the tables as a function of the values that it names."""
        node = ast.parse(text, mode="eval").body
        return f"(values) => {grouped(Law(self, text, {}, None).expression(node))}"

    def _node(self, function: FunctionType) -> ast.FunctionDef | ast.Lambda:
        """Find where a function stands in its source: of lambdas in one line, by the places of what they do."""
        code = function.__code__
        places = [(line, column) for line, _, column, _ in code.co_positions() if line and column]
        found: list[ast.FunctionDef | ast.Lambda] = []
        for node in _definitions(function.__module__):
            if isinstance(node, ast.Lambda) and code.co_name == "<lambda>":
                body = node.body
                first, last = (body.lineno, body.col_offset), (body.end_lineno or 0, body.end_col_offset or 0)
                if places and all(first <= place <= last for place in places if place != (code.co_firstlineno, 0)):
                    found.append(node)
            elif isinstance(node, ast.FunctionDef) and node.name == code.co_name:
                start = node.decorator_list[0].lineno if node.decorator_list else node.lineno
                if start == code.co_firstlineno:
                    found.append(node)
        if not found:
            raise UntranslatableError(function.__module__, function)
        return found[-1]  # the innermost

    def _function(self, function: FunctionType, name: str) -> str:
        node = self._node(function)
        cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
        own = Scope(self, function.__module__, function.__globals__, None)
        if cells:
            own.add(cells)
        written = own.function(node)
        if not cells:
            return f"const {name} = {written};"
        values = ", ".join(self.name(cell.cell_contents) for cell in cells.values())
        return f"const {name} = (({', '.join(map(own.local, cells))}) => {written})({values});"

    def _class(self, kind: type, name: str) -> _Class:
        classes = (node for node in _definitions(kind.__module__) if isinstance(node, ast.ClassDef))
        found = [node for node in classes if node.name == kind.__name__]
        if len(found) != 1:
            raise UntranslatableError(kind.__module__, kind)
        fields: tuple[str, ...] | None = getattr(kind, "_fields", None)
        bases = [base for base in kind.__bases__ if base not in (object, tuple)]
        base = "py.Tuple" if fields and not bases else self.name(bases[0]) if bases else "py.Thing"
        base = "String" if bases == [str] else base
        module = vars(sys.modules[kind.__module__])
        header = f"class {name} extends {base} {{"
        made = _Class(kind.__name__, header, Scope(self, kind.__module__, module, None))
        if fields:
            usual: dict[str, Any] = getattr(kind, "_field_defaults", {})
            defaults = ", ".join(f"{key}: {self.name(value)}" for key, value in usual.items())
            made.lines.append(f"static fields = {list(fields)};\nstatic defaults = {{{defaults}}};")
        made.scope.own = {name for name, each in vars(kind).items() if isinstance(each, FunctionType)}
        made.methods = [node for node in found[0].body if isinstance(node, ast.FunctionDef)]
        made.constants = [
            node for node in found[0].body if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        ]
        return made


@functools.cache
def _definitions(module: str) -> list[ast.Lambda | ast.FunctionDef | ast.ClassDef]:
    """Return the functions and classes in the source of a module, which is read and walked once."""
    tree = ast.parse(inspect.getsource(sys.modules[module]))
    return [node for node in ast.walk(tree) if isinstance(node, (ast.Lambda, ast.FunctionDef, ast.ClassDef))]


def _inlined(lines: list[str], beside: str) -> str:
    """Return definitions, of which a value that is asked for once stands where it is asked for."""
    asked = Counter(VALUE.findall("\n".join(lines)))
    asked.update(dict.fromkeys(VALUE.findall(beside), 2))  # which stay
    kept: list[str] = []
    once: dict[str, str] = {}
    for line in lines:
        defined = DEFINED.fullmatch(line)
        own = defined["name"] if defined else ""
        early = (name for name in VALUE.findall(line) if name not in once and name != own)
        asked.update(dict.fromkeys(early, 2))  # which stand before they are defined, and stay
        written = VALUE.sub(lambda found: once.pop(found[0], found[0]), line)
        if own and asked[own] == 2:
            once[own] = written.removeprefix(f"const {own} = ").removesuffix(";")
        else:
            kept.append(written)
    return "\n".join(kept)


class _Class:
    """A class, whose methods are written when somebody asks for one of their name."""

    def __init__(self, name: str, header: str, scope: Scope) -> None:
        self.name, self.header = name, header
        self.scope = scope
        self.lines: list[str] = []
        self.methods: list[ast.FunctionDef] = []
        self.constants: list[ast.Assign] = []

    def write(self, asked: set[str]) -> bool:
        """Write the methods that are asked for and were not; whether there was one."""
        own = f"{self.name}.{{}}".format
        wanted = [node for node in self.methods if {node.name, own(node.name)} & (asked | PROTOCOL)]
        self.methods = [node for node in self.methods if node not in wanted]
        constants = [node for node in self.constants if _name_of(node) in asked | PROTOCOL]
        self.constants = [node for node in self.constants if node not in constants]
        self.lines += [self.scope.method(node) for node in wanted]
        for node in constants:
            alias = node.value.id if isinstance(node.value, ast.Name) else ""  # __radd__ = __add__
            value = f"this.{alias}" if alias in PROTOCOL else self.scope.expression(node.value)
            self.lines.append(f"{_name_of(node)} = {value};")
        return bool(wanted or constants)

    def __str__(self) -> str:
        return "\n".join((self.header, *self.lines, "}"))


def _name_of(node: ast.Assign) -> str:
    (target,) = node.targets
    return target.id if isinstance(target, ast.Name) else ""


def _in_runtime(thing: Any) -> str | None:
    """Return what the runtime calls a thing of Python itself or of its library; None where it is of a module here."""
    module = getattr(thing, "__module__", None)
    is_named = isinstance(thing, (BuiltinFunctionType, type, FunctionType, MethodType))
    if is_named and not is_translated(thing):
        return f"py.{'re_' * (module == 're')}{safe(thing.__name__)}"
    if type(thing).__name__ == "method_descriptor":  # str.isalpha
        return f"((...given) => py.method({quoted(thing.__name__)}, ...given))"
    if isinstance(thing, ModuleType):
        return f"py.{thing.__name__.rpartition('.')[2]}"
    return None


def _pattern(pattern: re.Pattern[str]) -> str:
    """Return a pattern, whose forms are the same in both but for named groups and the ends of a text."""
    flags = "".join(letter for flag, letter in FLAGS.items() if pattern.flags & flag)
    source = pattern.pattern.replace("(?P<", "(?<").replace(r"\Z", r"(?![\s\S])")
    return f"py.pattern({quoted(source)}, {quoted(flags)})"
