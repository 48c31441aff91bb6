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

    Law: nothing is executed. What is no literal, and what an `if`, a loop or a `with` may change, is an `Expression`,
    which no field takes. Calls with keywords alone, dict(...) and GPTConfig(...), are read as dictionaries.

    Raises:
        ConfigError: it is not Python, or says nothing in literals.

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
        found = _assigned(statements)
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


def _assigned(statements: list[ast.stmt]) -> dict[str, Any]:
    """Return the names that statements assign, in one body; a class is what its own body assigns."""
    found: dict[str, Any] = {}
    for each in statements:
        if isinstance(each, ast.ClassDef):
            if fields := _assigned(each.body):
                found[each.name] = fields
        elif isinstance(each, ast.Assign) and len(each.targets) == 1 and isinstance(each.targets[0], ast.Name):
            _put(found, each.targets[0].id, _value(each.value))
        elif isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name):
            if each.value is not None:
                _put(found, each.target.id, _value(each.value))
        elif not isinstance(each, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Expr)):
            found |= dict(_stored(each))
    return found


def _stored(statement: ast.stmt) -> Iterator[tuple[str, Expression]]:
    """Yield the names that a statement assigns in another way than once and for all."""
    for each in ast.walk(statement):
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
            yield each.id, Expression(ast.unparse(statement).split("\n", 1)[0], each.lineno)


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
