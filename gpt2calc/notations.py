"""How a config is written: JSON, YAML, TOML or Python, each read to a plain document. Nothing is executed or built.

It must not know what a document means: that is `documents`.
"""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING, Any

from gpt2calc.errors import ConfigError, install, shortened, shown

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

MOST_CODE_BYTES = 2**18
"""No config in YAML or Python is longer than this many bytes, whose readers take memory and time by the line."""

POINTER = "version https://git-lfs.github.com/spec/"
"""How a pointer of Git LFS begins, which stands in the place of a file that was not fetched."""


class Expression:
    """What stands in a Python file in the place of a literal. It is never run, and no field takes it."""

    def __init__(self, text: str, line: int) -> None:
        self.text, self.line = text, line

    def __repr__(self) -> str:
        return f"no literal at line {self.line}: {self.text}"


def read(text: str, name: str) -> dict[str, Any]:
    """Read a config by the ending of its name: .yaml, .yml, .toml, .py, and JSON whatever else it is called.

    Raises:
        ConfigError: the text is not what its name says, gives one key two values, or is a pointer of Git LFS.

    >>> read("n_layer = 12  # blocks", "train.toml")
    {'n_layer': 12}
    """
    if text.startswith(POINTER):
        raise ConfigError("a Git LFS pointer in the place of the config: git lfs pull fetches it")
    ending = name.rpartition(".")[2].lower()
    if ending in READERS and len(text) > MOST_CODE_BYTES:
        raise ConfigError(f"expected a config of at most {MOST_CODE_BYTES:,} characters, got {len(text):,}")
    return READERS.get(ending, in_json)(text)


def in_json(text: str) -> dict[str, Any]:
    """Return the JSON object that a text holds.

    Raises:
        ConfigError: the text is not JSON, is not an object, or gives one key two values.

    >>> in_json('{"n_layer": 12}')
    {'n_layer': 12}
    """
    import json

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key, value in pairs:
            _put(found, key, value)
        return found

    try:
        document = json.loads(text, object_pairs_hook=unique)
    except json.JSONDecodeError as error:
        raise ConfigError(f"not JSON: {error.msg} at line {error.lineno}, column {error.colno}") from None
    except RecursionError:
        raise ConfigError("not a config: its JSON is nested too deeply") from None
    except ConfigError:
        raise
    except ValueError:  # Python converts at most 4,300 digits
        raise ConfigError("not a config: it holds a number of more than 4,300 digits") from None
    if not isinstance(document, dict):
        raise ConfigError(f'expected a JSON object such as {{"n_layer": 12}}, got a JSON {_kind(document)}')
    return document


def in_toml(text: str) -> dict[str, Any]:
    """Return what a text of TOML holds.

    Raises:
        ConfigError: it is not TOML.
    """
    import tomllib

    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"not TOML: {shortened(str(error))}") from None
    except (RecursionError, ValueError):
        raise ConfigError("not a config: its TOML is nested too deeply, or a number in it too long") from None


def in_yaml(text: str) -> dict[str, Any]:
    """Return the mapping that a text of YAML holds; tags, which would build objects, are refused.

    Raises:
        ConfigError: PyYAML is missing, the text is not YAML or no mapping, or it gives one key two values.

    >>> in_yaml("model: {n_layer: 12}  # gpt2")
    {'model': {'n_layer': 12}}
    """
    try:
        import yaml
    except ImportError:
        raise ConfigError(f"reading YAML needs PyYAML: {install('yaml')}") from None

    try:
        document = yaml.load(text, _unique(yaml))  # noqa: S506 - it is derived from the safe one
    except yaml.MarkedYAMLError as error:
        at = f" at line {error.problem_mark.line + 1}" if error.problem_mark else ""
        raise ConfigError(
            f"not YAML that is plain data: {shortened(str(error.problem or error.context))}{at}"
        ) from None
    except yaml.YAMLError as error:
        raise ConfigError(f"not YAML: {shortened(str(error).splitlines()[0])}") from None
    except RecursionError:
        raise ConfigError("not a config: its YAML is nested too deeply") from None
    except ConfigError:
        raise
    except (ValueError, TypeError, OverflowError):  # a date that there is not, a key that is a list
        raise ConfigError("not a config: its YAML holds a value or a key that is none") from None
    if not isinstance(document, dict):
        raise ConfigError(f"expected a mapping in YAML such as n_layer: 12, got {_kind(document)}")
    return document


def in_python(text: str) -> dict[str, Any]:
    r"""Return what a Python file says in literals: a dictionary, or its assignments, and within them those of classes.

    Law: nothing is executed. What is no literal, and what any other statement may change, is an `Expression`, which no
    field takes. Calls with keywords alone, dict(...) and GPTConfig(...), are read as dictionaries, and those of a class
    of the file as its defaults with these.

    Raises:
        ConfigError: it is not Python, says nothing in literals, or calls a class of its own in two ways.

    >>> in_python("n_layer = 12\nn_embd = 64 * n_layer")
    {'n_layer': 12, 'n_embd': no literal at line 2: 64 * n_layer}
    """
    try:
        module = ast.parse(text)
        statements = [each for each in module.body if not _is_text(each)]
        if len(statements) == 1 and isinstance(statements[0], ast.Expr):
            document = _value(statements[0].value)
            if isinstance(document, dict):
                return document
        classes: dict[str, dict[str, Any]] = {}
        found = _assigned(statements, classes)
        _Changes(found, classes).put(module)
    except SyntaxError as error:
        raise ConfigError(f"not Python: {shortened(str(error.msg))} at line {error.lineno}") from None
    except ConfigError:
        raise
    except (RecursionError, MemoryError, ValueError):  # a NUL byte, a number of more than 4,300 digits
        raise ConfigError("not a config: its Python is nested too deeply, or is no text") from None
    if not found:
        raise ConfigError("expected assignments such as n_layer = 12, or a dictionary, got Python without any")
    return found


READERS: dict[str, Callable[[str], dict[str, Any]]] = {
    "py": in_python,
    "toml": in_toml,
    "yaml": in_yaml,
    "yml": in_yaml,
}
"""The readers, each under the ending of the files that it reads."""


def _unique(yaml: Any) -> Any:
    """Return PyYAML's safe loader, made to refuse a key that is given twice, of which it takes the last."""

    class Loader(yaml.SafeLoader):  # type: ignore[misc]  # PyYAML has no types
        """It builds data alone, each key once."""

        def construct_mapping(self, node: Any, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002  # its own
            """Return the mapping of a node."""
            merged = [key for key, _ in node.value if key.tag == "tag:yaml.org,2002:merge"]
            if not merged:  # what is merged may be given again, which is what merging is for
                found: dict[str, object] = {}
                for key, value in node.value:
                    said = value.value if isinstance(value, yaml.ScalarNode) else value
                    if isinstance(key, yaml.ScalarNode) and found.setdefault(key.value, said) != said:
                        raise ConfigError(f"{shortened(key.value)} is given twice", field=key.value)
            return super().construct_mapping(node, deep)  # type: ignore[no-any-return]

    return Loader


def _assigned(statements: list[ast.stmt], classes: dict[str, dict[str, Any]]) -> dict[str, Any]:
    """Return the names that statements assign, in one body; a class is what its bases and its own body assign."""
    found: dict[str, Any] = {}
    for each in statements:
        if isinstance(each, ast.ClassDef):
            inherited = [classes.get(ast.unparse(base).rpartition(".")[2], {}) for base in reversed(each.bases)]
            own = _assigned(each.body, classes)
            if fields := {name: value for of in (*inherited, own) for name, value in of.items()}:
                found[each.name] = classes[each.name] = fields
        elif isinstance(each, ast.Assign) and len(each.targets) == 1 and isinstance(each.targets[0], ast.Name):
            _put(found, each.targets[0].id, _value(each.value))
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            if each.value is not None:
                _put(found, each.target.id, _value(each.value))
        elif not isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Expr)):
            for name, changed in _stored(each):
                held = found.get(name)
                found[name] = dict.fromkeys(held, changed) if isinstance(held, dict) else changed
    return found


class _Changes(ast.NodeVisitor):
    """What a file may change of what it assigned: it becomes an `Expression`; but the calls of its classes are read.

    Law: outside of functions, whatever names what was found counts. Of a function only what reaches beyond its own
    variables does: a class of the file called with keywords, a global, an attribute of `self`.
    """

    def __init__(self, found: dict[str, Any], classes: dict[str, dict[str, Any]]) -> None:
        self.found, self.classes = found, classes
        self.calls: dict[str, list[tuple[ast.Call, dict[str, Any], bool]]] = {}
        self.changed: list[tuple[str | None, str | None, object, ast.AST]] = []
        self.statement: ast.AST | None = None
        self.instances: set[str] = set()
        self.is_sure, self.is_read = True, False
        self.local: frozenset[str] | None = None
        self.own: str | None = None

    def put(self, module: ast.Module) -> None:
        """Put calls over the defaults of their classes, and an `Expression` over all else that is changed."""
        self.visit(module)
        for name, calls in self.calls.items():
            fields = self.classes[name]
            sure = [(node, {**fields, **given}) for node, given, is_sure in calls if is_sure]
            for other, values in sure[1:]:
                if values != sure[0][1]:
                    lines = f"line {sure[0][0].lineno} and at line {other.lineno}"
                    raise ConfigError(f"{name} is called with other values at {lines}: leave one of them", field=name)
            fields |= sure[0][1] if sure else {}
            for call, given, is_sure in calls:
                if not is_sure:
                    fields |= {key: _expression(call) for key, value in given.items() if fields.get(key) != value}
        for holder, key, value, changed in self.changed:
            self._mark(holder, key, value, _expression(changed))

    def _mark(self, holder: str | None, key: str | None, value: object, changed: Expression) -> None:
        """Make a key an `Expression` wherever it is, since a holder may be another by a second name; all if None."""
        own = self.found.get(holder or "")
        own = own if isinstance(own, dict) else self.classes.get(holder or "")
        for name in [key] if key is not None else list(own or {}):
            if own is not None:
                own.setdefault(name, changed)
            for each in _dictionaries(self.found):
                if name in each and (each[name] != value or value is None):
                    each[name] = changed

    def visit(self, node: ast.AST) -> None:
        """Visit a node, and know of which statement it is, and whether that is run for certain."""
        before = self.statement, self.is_sure, self.is_read, self.local, self.own
        if isinstance(node, ast.stmt):
            self.statement = node
        if isinstance(node, (ast.If, ast.For, ast.While, ast.With, ast.Try, ast.Match, ast.IfExp)):
            self.is_sure = False
        if isinstance(node, (ast.Assign, ast.AnnAssign)) and node.value is not None:
            value = _value(node.value)
            self.is_read = not (isinstance(value, Expression) or (isinstance(value, dict) and "**" in value))
            if isinstance(node.value, ast.Call) and _called(node.value) in self.classes:
                self.instances |= {ast.unparse(each) for each in getattr(node, "targets", [])}
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.alias)) and self.local is None:
            name = getattr(node, "asname", None) or node.name
            self.changed += [(None, name, None, self.statement or node)] if name in self.found else []
        if isinstance(node, ast.ClassDef):
            self.own = node.name
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self.is_sure, self.local = False, (self.local or frozenset()) | _locals(node)
        super().visit(node)
        self.statement, self.is_sure, self.is_read, self.local, self.own = before

    def _change(self, holder: ast.expr, key: str | None, value: ast.expr | None = None) -> None:
        """Note that a key of what is held, or any, has another value from here on."""
        root = _root(holder)
        literal = None if value is None else _value(value)
        is_own = isinstance(holder, ast.Name) and root == "self" and self.own in self.classes
        if is_own and self.own and self.local is not None:
            is_literal = isinstance(self.statement, ast.Assign) and type(_value(self.statement.value)) is not Expression
            if key is None or not (key in self.classes[self.own] or is_literal):
                return
            root = self.own
        elif self.local is not None and root not in self.instances and (root in self.local or root not in self.found):
            return
        self.changed.append((root, key, literal, self.statement or holder))

    def visit_Attribute(self, node: ast.Attribute) -> None:  # as ast calls them
        """See an attribute that is assigned or deleted."""
        if not isinstance(node.ctx, ast.Load):
            self._change(node.value, node.attr)
        self.generic_visit(node)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        """See a key that is assigned or deleted."""
        if not isinstance(node.ctx, ast.Load):
            self._change(node.value, _text(node.slice))
        self.generic_visit(node)

    def visit_Global(self, node: ast.Global) -> None:
        """See what a function assigns outside of it."""
        for name in node.names:
            self.changed.append((None, name, None, node))

    def visit_NamedExpr(self, node: ast.NamedExpr) -> None:
        """See a name that is assigned within an expression."""
        if self.local is None:
            self.changed.append((None, node.target.id, None, self.statement or node))
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        """See dictionaries that are joined."""
        if isinstance(node.op, ast.BitOr) and self.local is None:
            for side in (node.left, node.right):
                if isinstance(side, ast.Name):
                    self._change(side, None)
        self.generic_visit(node)

    def visit_Dict(self, node: ast.Dict) -> None:
        """See the keys of a dictionary that is no object of its own, and what it takes from others."""
        if self.local is None and not self.is_read:
            pairs = list(zip(node.keys, node.values, strict=True))
            for key, value in pairs:
                if (name := _text(key)) is not None and not _is_itself(name, value):
                    self._change(node, name, value)
            taken = [value for key, value in pairs if key is None]
            for each in taken if len(taken) > 1 else []:
                self._change(each, None)
        self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> None:
        """See a class of the file called, a dictionary updated, and keywords that say what was said."""
        called = _called(node)
        spread = any(each.arg is None for each in node.keywords)
        if called in self.classes:
            if not (self.local is not None and spread):  # a function's own arguments
                given = {each.arg: _value(each.value) for each in node.keywords if each.arg}
                if node.args or spread:
                    given = dict.fromkeys(self.classes[called], _expression(node))
                self.calls.setdefault(called, []).append((node, given, self.is_sure))
        elif called in SETTERS and len(node.args) > 1 and not (called.startswith("__") and len(node.args) < 3):
            self._change(node.args[0], _text(node.args[1]))
        elif isinstance(node.func, ast.Attribute) and called in MUTATORS:
            self._updated(node.func.value, node)
        elif self.local is None and not self.is_read:
            for each in node.keywords:
                if each.arg and not _is_itself(each.arg, each.value):
                    self._change(node, each.arg, each.value)
            for held in node.args if spread else []:
                self._change(held, None)
        self.generic_visit(node)

    def _updated(self, holder: ast.expr, node: ast.Call) -> None:
        """See a method that changes a dictionary: the keys that it names, or any."""
        said = {each.arg: each.value for each in node.keywords}
        given = node.args[:1]
        names = [_text(key) for each in given if isinstance(each, ast.Dict) for key in each.keys]
        names += [_text(each) for each in given if not isinstance(each, ast.Dict)]
        for name in [*names, *said] or [None]:
            self._change(holder, name, said.get(name))


MUTATORS = frozenset({"update", "pop", "popitem", "clear", "setdefault", "__setitem__", "__delitem__", "__setattr__"})
"""The methods that change what holds them."""

SETTERS = frozenset({"setattr", "delattr", "__setattr__"})
"""What changes an attribute of its first argument."""


def _called(node: ast.Call) -> str:
    """Return the last name of what is called: GPTConfig of model.GPTConfig(...)."""
    return ast.unparse(node.func).rpartition(".")[2]


def _root(node: ast.expr) -> str | None:
    """Return the name that an expression begins with: cfg of cfg.model["n_layer"]."""
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        node = node.value
    return node.id if isinstance(node, ast.Name) else None


def _text(node: ast.expr | None) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _is_itself(name: str, value: ast.expr) -> bool:
    """Whether a keyword hands on what has its name: n_layer=n_layer, n_layer=config.n_layer."""
    return ast.unparse(value).rpartition(".")[2] == name


def _locals(function: ast.FunctionDef | ast.AsyncFunctionDef) -> frozenset[str]:
    """Return the names that are a function's own."""
    inside = list(ast.walk(function))
    named = {each.arg for each in inside if isinstance(each, ast.arg)}
    named |= {each.id for each in inside if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)}
    return frozenset(named - {name for each in inside if isinstance(each, ast.Global) for name in each.names})


def _dictionaries(found: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """Yield a dictionary and all within it."""
    yield found
    for each in found.values():
        if isinstance(each, dict):
            yield from _dictionaries(each)


def _stored(statement: ast.stmt) -> Iterator[tuple[str, Expression]]:
    """Yield the names that a statement assigns in another way than once and for all."""
    for each in ast.walk(statement):
        if isinstance(each, ast.Name) and isinstance(each.ctx, (ast.Store, ast.Del)):
            yield each.id, _expression(statement, each.lineno)


def _expression(node: ast.AST, line: int | None = None) -> Expression:
    """Return what stands for a node, its first line."""
    at = line or getattr(node, "lineno", None) or 0
    return Expression(ast.unparse(node).split("\n", 1)[0], at)


def _value(node: ast.expr) -> Any:
    """Return what a literal is, a dictionary or a call with keywords as a dictionary, and else an `Expression`."""
    if isinstance(node, ast.Dict) and all(isinstance(key, ast.Constant) for key in node.keys):
        found: dict[str, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            _put(found, key.value if isinstance(key, ast.Constant) else None, _value(value))  # type: ignore[arg-type]
        return found
    if isinstance(node, ast.Call) and node.keywords and not node.args:
        found = {each.arg or "**": _value(each.value) for each in node.keywords}
        called = ast.unparse(node.func)
        if called.rpartition(".")[2] == "field":  # of dataclasses, whose default is the value
            return found.get("default", Expression(ast.unparse(node), node.lineno))
        return found
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError):
        return Expression(ast.unparse(node), node.lineno)


def _is_text(statement: ast.stmt) -> bool:
    """Whether a statement is a text that stands alone, as a docstring does."""
    value = statement.value if isinstance(statement, ast.Expr) else None
    return isinstance(value, ast.Constant) and isinstance(value.value, str)


def _put(found: dict[str, Any], key: str, value: Any) -> None:
    """Put a key's value; raise where it has another one already."""
    if key in found and found[key] != value:
        raise ConfigError(
            f"{shortened(str(key))} is given twice, as {shown(found[key])} and as {shown(value)}", field=key, got=value
        )
    found[key] = value


def _kind(value: object) -> str:
    kinds = {list: "array", str: "string", bool: "boolean", type(None): "null"}
    return kinds.get(type(value), "number")
