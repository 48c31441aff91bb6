"""How each form of Python is written in JavaScript: statements, expressions, and what names mean in a function.

Whole numbers are BigInts, tuples and lists arrays; what an operator or a method does stands in
`assets/python.js`. It must not know where a function comes from: that is `translation`.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import inspect
import sys
from collections import Counter
from enum import Enum
from json import dumps
from string import ascii_letters
from types import FunctionType, MethodType, ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping
    from typing import Protocol

    class Names(Protocol):
        """What knows how things of a module are called, as `translation.Script` does."""

        asked: set[str]

        def name(self, thing: Any) -> str:
            """Return what a function, a class or a value is called."""


RESERVED = frozenset(
    [
        "arguments",
        "await",
        "break",
        "case",
        "catch",
        "const",
        "debugger",
        "default",
        "delete",
        "do",
        "enum",
        "eval",
        "export",
        "extends",
        "function",
        "implements",
        "in",
        "instanceof",
        "interface",
        "let",
        "new",
        "null",
        "of",
        "package",
        "private",
        "protected",
        "public",
        "py",
        "static",
        "super",
        "switch",
        "this",
        "throw",
        "try",
        "typeof",
        "undefined",
        "var",
        "void",
    ]
)
"""Names that Python allows and JavaScript does not, or that mean something here."""

SHORT = frozenset(("as", "do", "if", "in", "is", "of"))
KEPT = frozenset(("self", "cls"))
"""Names of one or two letters that are words here; and what is called as in Python."""

METHODS = {name for kind in (str, list, bytes) for name in dir(kind) if not name.startswith("_")}
"""The methods that texts and lists have in Python; what else has one of the name is asked for its own."""

BOUND = (
    METHODS
    | {name for kind in (dict, set) for name in dir(kind) if not name.startswith("_")} - {"name"}
    | {"__contains__"}
)
"""The methods of Python's own types, which can be passed on with what they are of."""

TRANSLATED = ("difflib",)
"""The modules of Python's library whose functions are translated; those of others are the runtime's."""

LIBRARY = sys.stdlib_module_names
"""Whose functions the runtime has."""

OPERATORS = {
    ast.Add: "add",
    ast.Sub: "sub",
    ast.Mult: "mul",
    ast.FloorDiv: "floordiv",
    ast.Mod: "mod",
    ast.Pow: "pow",
    ast.Div: "truediv",
    ast.BitOr: "or_",
    ast.BitAnd: "and_",
    ast.BitXor: "xor",
    ast.LShift: "lshift",
    ast.RShift: "rshift",
    ast.Eq: "eq",
    ast.Lt: "lt",
    ast.LtE: "le",
    ast.In: "contains",
}
MADE = frozenset(
    f"py.{name}"
    for name in [
        "dict",
        "set",
        "frozenset",
        "Counter",
        "File",
        "Fraction",
        "defaultdict",
        "AttributeError",
        "KeyError",
        "TypeError",
        "ValueError",
    ]
)
"""What the runtime has as classes, which are called with new."""

PLAIN = frozenset(("py.Block", "py.Difference", "py.Quoted"))
"""What is a class in Python, and a function in the runtime."""
TAKING_ALL = (tuple, list, set, frozenset, dict, sorted, sum, min, max, Counter)
"""What takes all that a generator gives, which is then a list: that is faster."""

SWAPPED = {ast.Gt: "lt", ast.GtE: "le"}
NEGATED = {ast.NotEq: "eq", ast.NotIn: "contains"}

PARAMETERS = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


class UntranslatableError(TypeError):
    """A form of Python, or a value, for which there is no JavaScript here."""

    def __init__(self, where: str, node: object) -> None:
        told = ast.unparse(node) if isinstance(node, ast.AST) else repr(node)
        super().__init__(f"{where}: no JavaScript for {told[:120]}")


class Scope:
    """What names mean in a function: its own, those of functions around it, and those of its module."""

    def __init__(self, script: Names, where: str, names: Mapping[str, Any], outer: Scope | None) -> None:
        self.script = script
        self.where = where
        self.names = names
        self.outer = outer
        self.locals: dict[str, str] = {}
        self.count: int = outer.count if outer else 0
        self.signatures: dict[str, ast.arguments] = {}
        self.imported: dict[str, Any] = {}
        self.own: set[str] = set()

    def add(self, names: Iterable[str]) -> None:
        """Take names as the scope's own; each is called by letters that no scope around it calls another."""
        for name in names:
            self.locals[name] = name if name in KEPT else _letters(self.count)
            self.count += 1

    def local(self, name: str) -> str:
        """Return what a name of its own, or of a scope around it, is called."""
        return self.locals[name] if name in self.locals or self.outer is None else self.outer.local(name)

    def has(self, name: str) -> bool:
        """Whether a name is of a function, and not of the module."""
        return name in self.locals or (self.outer is not None and self.outer.has(name))

    def methods(self) -> set[str]:
        """Return the methods of the class that it stands in."""
        return self.own or (self.outer.methods() if self.outer else set())

    def signature(self, name: str) -> ast.arguments | None:
        """Return what a function within this one takes; None where it is not known."""
        return self.signatures.get(name) or (self.outer.signature(name) if self.outer else None)

    def known(self, node: ast.expr) -> Any:
        """Return what an expression is at the time of building, such as a function of a module; else None."""
        if isinstance(node, ast.Subscript):  # set[int] is a set
            whole = self.known(node.value)
            return whole if isinstance(whole, type) else None
        if isinstance(node, ast.Attribute):
            whole = self.known(node.value)
            return getattr(whole, node.attr, None) if isinstance(whole, (ModuleType, type)) else None
        if not isinstance(node, ast.Name) or self.has(node.id):
            return None
        scope: Scope | None = self
        while scope:
            if node.id in scope.imported:
                return scope.imported[node.id]
            scope = scope.outer
        return self.names.get(node.id, getattr(builtins, node.id, None))

    # Functions

    def function(self, node: ast.FunctionDef | ast.Lambda, *, is_method: bool = False) -> str:
        """Return a function, a generator where it yields."""
        inner = Scope(self.script, self.where, self.names, self)
        given = node.args
        every = [*given.posonlyargs, *given.args, *given.kwonlyargs]
        defaults: list[ast.expr | None] = [None] * (len(given.posonlyargs) + len(given.args) - len(given.defaults))
        defaults += [*given.defaults, *given.kw_defaults]
        listed = []
        for argument, default in zip(every, defaults, strict=True):
            inner.add([argument.arg])
            listed.append(inner.local(argument.arg) + (f" = {self.expression(default)}" if default else ""))
        if given.vararg:
            inner.add([given.vararg.arg])
            listed.append(f"...{inner.local(given.vararg.arg)}")
        if given.kwarg:
            inner.add([given.kwarg.arg])
            listed.append(f"{inner.local(given.kwarg.arg)} = new py.dict()")
        first = "const self = this; " if is_method else ""
        if is_method:
            listed = listed[1:]
        if isinstance(node, ast.Lambda):
            return f"(({', '.join(listed)}) => {grouped(inner.expression(node.body))})"
        within = list(_within(node))
        others = {name for each in within if isinstance(each, (ast.Nonlocal, ast.Global)) for name in each.names}
        own = sorted(_assigned(node.body) - set(inner.locals) - others)
        inner.add(own)
        declared = f"let {', '.join(map(inner.local, own))};\n" if own else ""
        body = first + declared + inner.block(node.body)
        yields = any(isinstance(each, (ast.Yield, ast.YieldFrom)) for each in within)
        if is_method:
            return f"{'*' if yields else ''}{node.name}({', '.join(listed)}) {{\n{body}\n}}"
        if yields:
            return f"function* ({', '.join(listed)}) {{\n{body}\n}}"
        return f"({', '.join(listed)}) => {{\n{body}\n}}"

    def method(self, node: ast.FunctionDef) -> str:
        """Return a method, a property as a getter."""
        marks = {each.id if isinstance(each, ast.Name) else ast.unparse(each) for each in node.decorator_list}
        if "staticmethod" in marks:
            plain = self.function(node)
            return f"{node.name} = {plain};\nstatic {node.name} = {plain};"
        if "classmethod" in marks:
            return "static " + self.function(node, is_method=True).replace("const self = this", "const cls = this", 1)
        written = self.function(node, is_method=True)
        if "cached_property" in marks:
            return f"_{written}\nget {node.name}() {{ return py.once(this, {quoted(node.name)}); }}"
        if "property" in marks:
            return f"get {written}"
        if node.name == "__iter__":
            return written + f"\n[Symbol.iterator]() {{ return py.iter(this.{node.name}()); }}"
        return written

    # Statements

    def block(self, body: Iterable[ast.stmt]) -> str:
        """Return statements, one after the other."""
        return "\n".join(filter(None, map(self.statement, body)))

    def statement(self, node: ast.stmt) -> str:
        """Return a statement."""
        write: Callable[[ast.stmt], str] | None = getattr(self, f"write_{type(node).__name__.lower()}", None)
        if write is None:
            raise UntranslatableError(self.where, node)
        return write(node)

    def write_expr(self, node: ast.Expr) -> str:
        return "" if isinstance(node.value, ast.Constant) else f"{self.expression(node.value)};"

    def write_pass(self, _: ast.Pass) -> str:
        return ""

    def write_break(self, _: ast.Break) -> str:
        return "break;"

    def write_continue(self, _: ast.Continue) -> str:
        return "continue;"

    def write_nonlocal(self, _: ast.Nonlocal) -> str:
        return ""

    def write_return(self, node: ast.Return) -> str:
        return f"return {self.expression(node.value) if node.value else 'null'};"

    def write_importfrom(self, node: ast.ImportFrom) -> str:
        module = importlib.import_module(node.module or "")
        for each in node.names:
            thing = getattr(module, each.name, None) or importlib.import_module(f"{node.module}.{each.name}")
            self.imported[each.asname or each.name] = thing
        return ""

    def write_raise(self, node: ast.Raise) -> str:
        return f"throw {self.expression(node.exc)};" if node.exc else "throw error;"

    def write_if(self, node: ast.If) -> str:
        rest = f" else {{\n{self.block(node.orelse)}\n}}" if node.orelse else ""
        return f"if ({self.truth(node.test)}) {{\n{self.block(node.body)}\n}}{rest}"

    def write_while(self, node: ast.While) -> str:
        return f"while ({self.truth(node.test)}) {{\n{self.block(node.body)}\n}}"

    def write_for(self, node: ast.For) -> str:
        if node.orelse:
            raise UntranslatableError(self.where, node)
        return f"for ({self.target(node.target)} of {self.expression(node.iter)}) {{\n{self.block(node.body)}\n}}"

    def write_with(self, node: ast.With) -> str:
        body = self.block(node.body)
        for each in reversed(node.items):
            name = f"{self.target(each.optional_vars)} = " if each.optional_vars else ""
            opened = f"const $held = {self.expression(each.context_expr)};\n{name}$held.__enter__?.() ?? $held;"
            body = f"{{\n{opened}\ntry {{\n{body}\n}} finally {{ $held.__exit__?.(null, null, null); }}\n}}"
        return body

    def write_try(self, node: ast.Try) -> str:
        if node.orelse or node.finalbody:
            raise UntranslatableError(self.where, node)
        arms = ""
        for handler in node.handlers:
            name = f"{self.local(handler.name)} = error;\n" if handler.name else ""
            kinds = self.expression(handler.type) if handler.type else "null"
            arms += f"if (py.caught(error, {kinds})) {{\n{name}{self.block(handler.body)}\n}} else "
        return f"try {{\n{self.block(node.body)}\n}} catch (error) {{\n{arms}throw error;\n}}"

    def write_functiondef(self, node: ast.FunctionDef) -> str:
        self.signatures[node.name] = node.args
        return f"{self.local(node.name)} = {self.function(node)};"

    def write_assign(self, node: ast.Assign) -> str:
        value = self.expression(node.value)
        if len(node.targets) == 1:
            return self.assigned(node.targets[0], value)
        return "\n".join(
            self.assigned(target, value if n == 0 else self.expression(_loaded(node.targets[0])))
            for n, target in enumerate(node.targets)
        )

    def write_annassign(self, node: ast.AnnAssign) -> str:
        return self.assigned(node.target, self.expression(node.value)) if node.value else ""

    def write_augassign(self, node: ast.AugAssign) -> str:
        name = OPERATORS[type(node.op)]
        inplace = "i" if name in ("add", "or_") else ""
        value = f"py.{inplace}{name}({self.expression(_loaded(node.target))}, {self.expression(node.value)})"
        return self.assigned(node.target, value)

    def write_delete(self, node: ast.Delete) -> str:
        return "".join(
            f"py.delete({self.expression(each.value)}, {self.expression(each.slice)});"
            for each in node.targets
            if isinstance(each, ast.Subscript)
        )

    def write_assert(self, _: ast.Assert) -> str:
        return ""

    def assigned(self, target: ast.expr, value: str) -> str:
        """Return that a target has a value."""
        if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Slice):
            if target.slice.step and target.slice.lower and not target.slice.upper:
                places = ", ".join(map(self.expression, (target.value, target.slice.lower, target.slice.step)))
                return f"py.spread({places}, {value});"
            ends = (self.expression(each) if each else "null" for each in (target.slice.lower, target.slice.upper))
            return f"py.splice({self.expression(target.value)}, {', '.join(ends)}, {value});"
        if isinstance(target, ast.Subscript):
            return f"py.put({self.expression(target.value)}, {self.expression(target.slice)}, {value});"
        if isinstance(target, (ast.Tuple, ast.List)):
            if any(isinstance(each, (ast.Subscript, ast.Attribute)) for each in target.elts):
                parts = [f"$part[{n}]" for n in range(len(target.elts))]
                each = "".join(self.assigned(one, part) for one, part in zip(target.elts, parts, strict=True))
                return f"{{ const $part = [...{value}]; {each} }}"
            return f"{self.target(target)} = {self.unpacked(target, value)};"
        return f"{self.target(target)} = {value};"

    def unpacked(self, target: ast.Tuple | ast.List, value: str) -> str:
        """Return a value that has to have as many parts as a target."""
        stars = [n for n, each in enumerate(target.elts) if isinstance(each, ast.Starred)]
        if stars and stars[0] != len(target.elts) - 1:
            return f"py.starred({value}, {stars[0]}, {len(target.elts)})"
        return value

    def target(self, node: ast.expr) -> str:
        """Return what is assigned to."""
        if isinstance(node, ast.Name):
            return self.local(node.id)
        if isinstance(node, ast.Attribute):
            return f"{self.expression(node.value)}.{node.attr}"
        if isinstance(node, ast.Starred):
            return f"...{self.target(node.value)}"
        if isinstance(node, (ast.Tuple, ast.List)):
            inner = list(node.elts)
            stars = [each for each in inner if isinstance(each, ast.Starred)]
            if stars and stars[0] is not inner[-1]:
                plain = (each.value if isinstance(each, ast.Starred) else each for each in inner)
                return f"[{', '.join(map(self.target, plain))}]"
            return f"[{', '.join('' if _is_unused(each) else self.target(each) for each in inner)}]"
        raise UntranslatableError(self.where, node)

    # Expressions

    def truth(self, node: ast.expr) -> str:
        """Return an expression where only its truth matters."""
        if isinstance(node, ast.BoolOp):
            sign = " && " if isinstance(node.op, ast.And) else " || "
            return f"({sign.join(map(self.truth, node.values))})"
        if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
            return f"!{grouped(self.truth(node.operand))}"
        if isinstance(node, ast.Compare) or (isinstance(node, ast.Constant) and isinstance(node.value, bool)):
            return self.expression(node)
        return f"py.t({self.expression(node)})"

    def expression(self, node: ast.expr) -> str:
        """Return an expression."""
        write: Callable[[ast.expr], str] | None = getattr(self, f"write_{type(node).__name__.lower()}", None)
        if write is None:
            raise UntranslatableError(self.where, node)
        return write(node)

    def write_constant(self, node: ast.Constant) -> str:
        if isinstance(node.value, bytes):
            return f"py.bytes({list(node.value)})"
        return literal(node.value)

    def write_name(self, node: ast.Name) -> str:
        if self.has(node.id):
            return self.local(node.id)
        known = self.known(node)
        if known is None and node.id not in self.names:
            raise UntranslatableError(self.where, node)
        return self.script.name(known)

    def write_attribute(self, node: ast.Attribute) -> str:
        known = self.known(node)
        if known is not None:
            return self.script.name(known)
        self.script.asked.add(node.attr)
        if node.attr == "__name__":
            return f'({self.expression(node.value)}.name ?? "")'
        is_own = isinstance(node.value, ast.Name) and node.value.id == "self" and node.attr in self.methods()
        if node.attr in BOUND or is_own:
            return f"py.attribute({self.expression(node.value)}, {quoted(node.attr)})"
        return f"{self.expression(node.value)}.{node.attr}"

    def write_starred(self, node: ast.Starred) -> str:
        return f"...{self.expression(node.value)}"

    def write_tuple(self, node: ast.Tuple | ast.List) -> str:
        return f"[{', '.join(map(self.expression, node.elts))}]"

    write_list = write_tuple

    def write_set(self, node: ast.Set) -> str:
        return f"new py.set([{', '.join(map(self.expression, node.elts))}])"

    def write_dict(self, node: ast.Dict) -> str:
        pairs = [
            f"[{self.expression(key)}, {self.expression(value)}]" if key else f"...py.items({self.expression(value)})"
            for key, value in zip(node.keys, node.values, strict=True)
        ]
        return f"new py.dict([{', '.join(pairs)}])"

    def write_binop(self, node: ast.BinOp) -> str:
        if isinstance(node.op, ast.BitOr) and isinstance(self.known(node.left), type):  # int | None, of isinstance
            return f"[{self.expression(node.left)}, {self.expression(node.right)}]"
        return f"py.{OPERATORS[type(node.op)]}({self.expression(node.left)}, {self.expression(node.right)})"

    def write_unaryop(self, node: ast.UnaryOp) -> str:
        if isinstance(node.op, ast.Not):
            return self.truth(node)
        if isinstance(node.op, ast.USub):
            return f"py.neg({self.expression(node.operand)})"
        raise UntranslatableError(self.where, node)

    def write_boolop(self, node: ast.BoolOp) -> str:
        name = "and" if isinstance(node.op, ast.And) else "or"
        *first, last = map(self.expression, node.values)
        written = last
        for each in reversed(first):
            written = f"py.{name}({each}, () => {grouped(written)})"
        return written

    def write_compare(self, node: ast.Compare) -> str:
        if len(node.ops) == 1:
            return self.compared(node.left, node.ops[0], node.comparators[0])
        first, *rest = node.ops
        middle, *others = node.comparators
        if isinstance(middle, (ast.Name, ast.Constant)):
            after = self.write_compare(ast.Compare(middle, rest, others))
            return f"({self.compared(node.left, first, middle)} && {after})"
        inner, names = Scope(self.script, self.where, self.names, self), ("$left", "$middle")
        inner.add(names)  # so that each is asked once
        left, asked = (ast.Name(name, ast.Load()) for name in names)
        both = inner.write_compare(ast.Compare(left, node.ops, [asked, *others]))
        given = ", ".join(map(self.expression, (node.left, middle)))
        return f"(({', '.join(map(inner.local, names))}) => {both})({given})"

    def compared(self, one: ast.expr, operator: ast.cmpop, other: ast.expr) -> str:
        left, right = self.expression(one), self.expression(other)
        if isinstance(operator, ast.Is):
            return f"({left} === {right})"
        if isinstance(operator, ast.IsNot):
            return f"({left} !== {right})"
        if type(operator) in SWAPPED:
            return f"py.{SWAPPED[type(operator)]}({right}, {left})"
        if type(operator) in NEGATED:
            return f"!py.{NEGATED[type(operator)]}({left}, {right})"
        return f"py.{OPERATORS[type(operator)]}({left}, {right})"

    def write_ifexp(self, node: ast.IfExp) -> str:
        return f"({self.truth(node.test)} ? {self.expression(node.body)} : {self.expression(node.orelse)})"

    def write_namedexpr(self, node: ast.NamedExpr) -> str:
        return f"({self.target(node.target)} = {self.expression(node.value)})"

    def write_lambda(self, node: ast.Lambda) -> str:
        return self.function(node)

    def write_yield(self, node: ast.Yield) -> str:
        return f"yield {self.expression(node.value) if node.value else 'null'}"

    def write_yieldfrom(self, node: ast.YieldFrom) -> str:
        return f"yield* {self.expression(node.value)}"

    def write_subscript(self, node: ast.Subscript) -> str:
        if isinstance(known := self.known(node.value), type):
            return self.script.name(known)
        whole = self.expression(node.value)
        if isinstance(node.slice, ast.Slice):
            parts = (
                self.expression(each) if each else "null"
                for each in (node.slice.lower, node.slice.upper, node.slice.step)
            )
            return f"py.slice({whole}, {', '.join(parts)})"
        return f"py.at({whole}, {self.expression(node.slice)})"

    def write_joinedstr(self, node: ast.JoinedStr) -> str:
        parts = []
        for each in node.values:
            if isinstance(each, ast.Constant):
                parts.append(quoted(str(each.value)))
            elif isinstance(each, ast.FormattedValue):
                value = self.expression(each.value)
                value = f"py.repr({value})" if each.conversion == ord("r") else value
                spec = self.write_joinedstr(each.format_spec) if isinstance(each.format_spec, ast.JoinedStr) else ""
                parts.append(f"py.format({value}, {spec})" if spec else f"py.str({value})")
        if not parts:
            return '""'
        return parts[0] if len(parts) == 1 and parts[0].startswith('"') else f"({' + '.join(parts)})"

    def _looped(
        self, generators: list[ast.comprehension], inside: Callable[[Scope], str], *, eager: bool = True
    ) -> str:
        """Return loops around what is yielded, in a scope of their own; with `eager`, a list of it."""
        inner = Scope(self.script, self.where, self.names, self)
        opened = ""
        first = self.expression(generators[0].iter)  # which is asked at once, and knows no name of the loop
        for each in generators:
            source = "$all" if each is generators[0] else inner.expression(each.iter)
            inner.add(name.id for name in ast.walk(each.target) if isinstance(name, ast.Name))
            opened += f"for (let {inner.target(each.target)} of {source}) "
            tests = " && ".join(map(inner.truth, each.ifs))
            opened += f"if ({tests}) " if tests else ""
        if eager:
            return f"(($all) => {{ const $found = []; {opened}$found.push({inside(inner)}); return $found; }})({first})"
        return f"(function* ($all) {{ {opened}yield {inside(inner)}; }})({first})"

    def write_generatorexp(self, node: ast.GeneratorExp) -> str:
        return self._looped(node.generators, lambda scope: scope.expression(node.elt), eager=False)

    def _given(self, node: ast.expr) -> str:
        """Return what is given to something that takes all of it at once."""
        if not isinstance(node, ast.GeneratorExp):
            return self.expression(node)
        return self._looped(node.generators, lambda scope: scope.expression(node.elt))

    def write_listcomp(self, node: ast.ListComp) -> str:
        return self._looped(node.generators, lambda scope: scope.expression(node.elt))

    def write_setcomp(self, node: ast.SetComp) -> str:
        return f"new py.set({self._looped(node.generators, lambda scope: scope.expression(node.elt))})"

    def write_dictcomp(self, node: ast.DictComp) -> str:
        def pair(scope: Scope) -> str:
            return f"[{scope.expression(node.key)}, {scope.expression(node.value)}]"

        return f"new py.dict({self._looped(node.generators, pair)})"

    def write_call(self, node: ast.Call) -> str:
        known, called = self.known(node.func), node.func
        is_method = isinstance(called, ast.Attribute)
        takes_all = known in TAKING_ALL or (isinstance(called, ast.Attribute) and called.attr in ("join", "update"))
        given = list(map(self._given if takes_all else self.expression, node.args))
        if isinstance(called, ast.Attribute) and _is_super(called.value):
            return f"super.{called.attr}({', '.join(given)})"
        if is_method and known is None:
            return self.method_called(node, given)
        if isinstance(called, ast.Name) and self.has(called.id):
            return self.local_called(called.id, node, given)
        if known is None:
            written = self.expression(called)
            return self.bound(written, node, given) if node.keywords else f"{written}({', '.join(given)})"
        return self.known_called(known, node, given)

    def method_called(self, node: ast.Call, given: list[str]) -> str:
        """Return a call of a method of what is only known when it is called."""
        assert isinstance(node.func, ast.Attribute)  # noqa: S101  # as `write_call` has seen
        name, whole = node.func.attr, self.expression(node.func.value)
        self.script.asked.add(name)
        if name == "replace" and node.keywords:
            return f"{whole}.replace(new py.dict({self.pairs(node)}))"
        if name == "_replace":
            pairs = (
                f"{each.arg}: {self.expression(each.value)}"
                if each.arg
                else f"...py.object({self.expression(each.value)})"
                for each in node.keywords
            )
            return f"{whole}.{name}({{{', '.join(pairs)}}})"
        if node.keywords and name not in METHODS:
            given = self.placed(_method_parameters(name, node), node, given)
        elif node.keywords:
            given.append(self.options(node))
        if name in METHODS:
            return f"py.call({', '.join((whole, quoted(name), *given))})"
        return f"{whole}.{name}({', '.join(given)})"

    def local_called(self, name: str, node: ast.Call, given: list[str]) -> str:
        """Return a call of what has a name of its own here."""
        if node.keywords:
            own = self.signature(name)
            if own is None:
                return self.bound(self.local(name), node, given)
            given = self.placed([each.arg for each in (*own.posonlyargs, *own.args, *own.kwonlyargs)], node, given)
        return f"{'new ' * (name == 'cls')}{self.local(name)}({', '.join(given)})"

    def known_called(self, known: Any, node: ast.Call, given: list[str]) -> str:
        """Return a call of a function or a class that is known when the page is built."""
        called = self.script.name(known)
        if isinstance(known, MethodType) and called.startswith("(("):
            called = f"{self.script.name(known.__self__)}.{known.__name__}"
        if called == "py.never":
            return "py.never()"
        is_ours = is_translated(known)
        made = "new " if isinstance(known, type) and (is_ours or called in MADE) and called not in PLAIN else ""
        if node.keywords and is_ours:
            names, is_open = parameters(known), is_open_ended(known)
            is_spread = any(each.arg is None for each in node.keywords)
            if is_open or is_spread or any(isinstance(each, ast.Starred) for each in node.args):
                make = f"(given) => {made}{called}(...given)"
                return f"py.named({make}, {names}, {str(is_open).lower()}, [{', '.join(given)}], {self.pairs(node)})"
            given = self.placed(names, node, given)
        elif node.keywords:
            given.append(self.options(node))
        return f"{made}{called}({', '.join(given)})"

    def pairs(self, node: ast.Call) -> str:
        """Return what is given by name, as pairs."""
        pairs = (
            f"[{quoted(each.arg)}, {self.expression(each.value)}]"
            if each.arg
            else f"...py.items({self.expression(each.value)})"
            for each in node.keywords
        )
        return f"[{', '.join(pairs)}]"

    def bound(self, called: str, node: ast.Call, given: list[str]) -> str:
        """Return a call of a function that is only known when it is called."""
        return f"py.bound({called}, [{', '.join(given)}], {self.pairs(node)})"

    def options(self, node: ast.Call) -> str:
        """Return what a function of Python itself is told by name."""
        pairs = (f"{each.arg}: {self.expression(each.value)}" for each in node.keywords if each.arg != "strict")
        return f"{{{', '.join(pairs)}}}"

    def placed(self, names: list[str], node: ast.Call, given: list[str]) -> list[str]:
        """Return what is given by name in its place."""
        if any(isinstance(each, ast.Starred) for each in node.args):
            raise UntranslatableError(self.where, node)
        found = dict(zip(names, given, strict=False))
        for each in node.keywords:
            if each.arg is None or each.arg not in names:
                raise UntranslatableError(self.where, node)
            found[each.arg] = self.expression(each.value)
        last = max(names.index(name) for name in found)
        return [found.get(name, "undefined") for name in names[: last + 1]]


class Law(Scope):
    """A law of the tables, whose names are those of values."""

    def write_name(self, node: ast.Name) -> str:
        if self.has(node.id):
            return self.local(node.id)
        is_called = node.id in ("int", "len", "lcm")
        return f"py.{node.id}" if is_called else f"py.at(values, {quoted(node.id)})"

    def known(self, _: ast.expr) -> Any:
        """Return nothing: all that a law names is a value."""
        return None

    def write_call(self, node: ast.Call) -> str:
        return f"{self.expression(node.func)}({', '.join(map(self.expression, node.args))})"


def literal(thing: object) -> str:
    """Return a number, a text or a truth as JavaScript; "" of anything else."""
    if thing is None or isinstance(thing, bool):
        return {None: "null", True: "true", False: "false"}[thing]
    if isinstance(thing, int):
        return f"{int(thing)}n" if thing >= 0 else f"({int(thing)}n)"
    if isinstance(thing, float):
        return f"new Real({quoted(repr(thing))})"
    if isinstance(thing, str) and not isinstance(thing, Enum):
        return quoted(thing)
    return ""


def quoted(text: str) -> str:
    """Return a text as JavaScript, in which none can end the element that the script stands in."""
    return (
        dumps(text, ensure_ascii=False).replace("</", "<\\/").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
    )


def is_translated(thing: Any) -> bool:
    """Whether a function or a class is no one of Python's library, or one of it that is translated."""
    module = getattr(thing, "__module__", None) or "builtins"
    return module.partition(".")[0] not in LIBRARY or module in TRANSLATED


def _letters(n: int) -> str:
    """Return the n-th name of letters alone that is no word of JavaScript.

    >>> [_letters(n) for n in (0, 51, 52)]
    ['a', 'Z', 'ab']
    """
    found = ascii_letters[n % 52] + (ascii_letters[n // 52 % 52] if n >= 52 else "")
    return f"{found}_" if found in RESERVED or found in SHORT else found


def safe(name: str) -> str:
    """Return a name that is no word of JavaScript."""
    return f"{name}_" if name in RESERVED else name


def _assigned(body: Iterable[ast.AST]) -> set[str]:
    """Return the names that statements assign, but not those within functions of their own, nor what loops inside."""
    found: set[str] = set()

    def visit(node: ast.AST) -> None:
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
            found.add(node.name)
            return
        if isinstance(node, ast.Lambda):
            return
        if isinstance(node, ast.comprehension):  # its targets are its own
            visit(node.iter)
            for test in node.ifs:
                visit(test)
            return
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        if isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
        for child in ast.iter_child_nodes(node):
            visit(child)

    for each in body:
        visit(each)
    return found


def _is_super(node: ast.expr) -> bool:
    """Whether what is asked for a method is super()."""
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "super"


def _is_unused(node: ast.expr) -> bool:
    """Whether a part of a target is only there to be passed over."""
    return isinstance(node, ast.Name) and node.id == "_"


def grouped(text: str) -> str:
    """Return an expression that may follow an arrow, where a brace would be a block."""
    return f"({text})" if text.startswith("{") else text


def _loaded(node: ast.expr) -> ast.expr:
    """Return a target as what is read."""
    return ast.parse(ast.unparse(node), mode="eval").body


def _within(node: ast.FunctionDef) -> Iterator[ast.AST]:
    """Yield what a function is made of, but for what is within functions and loops of their own."""
    todo: list[ast.AST] = list(node.body)
    while todo:
        each = todo.pop()
        yield each
        if not isinstance(
            each, (ast.FunctionDef, ast.Lambda, ast.GeneratorExp, ast.ListComp, ast.SetComp, ast.DictComp)
        ):
            todo += ast.iter_child_nodes(each)


def parameters(thing: Any) -> list[str]:
    """Return what a function or a class takes, in order, what is given by name alone last."""
    if isinstance(thing, type) and hasattr(thing, "_fields"):
        return list(thing._fields)
    function = vars(thing).get("__init__", thing) if isinstance(thing, type) else inspect.unwrap(thing)
    names = list(inspect.signature(function).parameters.values())
    listed = [each.name for each in names if each.kind in PARAMETERS or each.kind == each.KEYWORD_ONLY]
    return listed[1:] if isinstance(thing, type) else listed


def is_open_ended(thing: Any) -> bool:
    """Whether a function takes whatever is given by name."""
    if isinstance(thing, type):
        return False
    return any(each.kind == each.VAR_KEYWORD for each in inspect.signature(inspect.unwrap(thing)).parameters.values())


def _method_parameters(name: str, node: ast.Call) -> list[str]:
    """Return what the methods of this name take that are called with such names; they have to agree."""
    wanted = {each.arg for each in node.keywords}
    found = set()
    for key, module in list(sys.modules.items()):
        if not key.startswith("gpt2calc"):
            continue
        for kind in vars(module).values():
            method = vars(kind).get(name) if isinstance(kind, type) else None
            if isinstance(method, FunctionType):
                names = tuple(inspect.signature(method).parameters)[1:]
                if wanted <= set(names):
                    found.add(names)
    if len(found) != 1:
        raise UntranslatableError("a method", node)
    return list(found.pop())
