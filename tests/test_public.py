"""The public surface, name by name: documented, typed, and the same however it is imported."""

from __future__ import annotations

import copy
import importlib
import inspect
import os
import pickle
import pkgutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

import gpt2calc
from gpt2calc import config, conventions, counts, errors, plots
from gpt2calc.api import counting
from tests.conftest import PACKAGE, environment
from tests.loops import of_each

if TYPE_CHECKING:
    from collections.abc import Callable

CHECKPOINT = Path(__file__).parent / "data" / "checkpoints" / "tensorflow" / "model.ckpt.index"

SURFACE = [
    "CONVENTIONS",
    "AdapterCount",
    "ClaimReport",
    "Comparison",
    "Config",
    "ConfigError",
    "Cost",
    "Derivation",
    "Designs",
    "Explanation",
    "Fields",
    "Fit",
    "Gpt2calcError",
    "Int64OverflowError",
    "Measurement",
    "NetworkError",
    "ParameterCount",
    "Parts",
    "Serving",
    "Sweep",
    "UnknownNameError",
    "UnreadableInputError",
    "Verification",
    "__version__",
    "adapter",
    "card",
    "check_claims",
    "compare",
    "cost",
    "count",
    "design",
    "explain",
    "fits",
    "formula",
    "infer",
    "measure",
    "models",
    "parts",
    "serving",
    "sweep",
    "tensors",
    "verify",
    "write_example",
    "write_page",
]
"""Everything that is public. A name is added here on purpose, and removed with a new major version."""

VERBS = (
    "card",
    "check_claims",
    "compare",
    "cost",
    "count",
    "design",
    "explain",
    "fits",
    "formula",
    "infer",
    "measure",
    "models",
    "parts",
    "serving",
    "sweep",
    "tensors",
    "verify",
    "write_example",
    "write_page",
)
CLASSES = (
    "ClaimReport",
    "Comparison",
    "Config",
    "Cost",
    "Derivation",
    "Designs",
    "Explanation",
    "Fit",
    "Measurement",
    "ParameterCount",
    "Parts",
    "Serving",
    "Sweep",
    "Verification",
)
ERRORS = (
    "ConfigError",
    "Gpt2calcError",
    "Int64OverflowError",
    "NetworkError",
    "UnknownNameError",
    "UnreadableInputError",
)
MODULES = sorted(found.name for found in pkgutil.walk_packages(gpt2calc.__path__, "gpt2calc."))


def test_the_surface_is_pinned() -> None:
    """No name comes or goes unnoticed."""
    assert gpt2calc.__all__ == SURFACE
    assert dir(gpt2calc) == sorted(SURFACE)


@of_each("name", SURFACE)
def test_every_public_name_is_there_and_is_what_it_is_called(name: str) -> None:
    """It can be taken from the package, and by `from gpt2calc import *`."""
    found = getattr(gpt2calc, name)
    starred: dict[str, Any] = {}
    exec("from gpt2calc import *", starred)
    assert starred[name] is found
    assert getattr(found, "__name__", name) == name


def test_what_is_tested_is_the_source_beside_these_tests_or_else_an_installed_wheel() -> None:
    """And no other package of this name that the surroundings may have."""
    beside = Path(__file__).resolve().parent.parent / "gpt2calc"
    assert Path(PACKAGE) == beside if beside.exists() else Path(PACKAGE).parent.name == "site-packages"


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    """As Python has it, with the package's name and the missing one."""
    with pytest.raises(AttributeError, match=r"^module 'gpt2calc' has no attribute 'counts_'$"):
        _ = gpt2calc.counts_
    assert not hasattr(gpt2calc, "nothing")


def test_the_package_says_that_it_is_typed() -> None:
    """py.typed is there, so that type checkers read the annotations."""
    assert os.path.isfile(os.path.join(PACKAGE, "py.typed"))


def test_the_version_is_a_version() -> None:
    """Three numbers."""
    assert [part.isdecimal() for part in gpt2calc.__version__.split(".")] == [True] * 3


def test_every_submodule_can_be_imported_and_hides_no_public_name() -> None:
    """After everything is imported, `gpt2calc.count` is still the function."""
    for module in MODULES:
        importlib.import_module(module)
    assert (gpt2calc.count, gpt2calc.formula, gpt2calc.models) == (counting.count, counting.formula, counting.models)
    assert not any(inspect.ismodule(getattr(gpt2calc, name)) for name in SURFACE)


def test_submodules_imported_first_hide_no_public_name() -> None:
    """In a fresh interpreter, in reverse; in order they are imported above."""
    first = "; ".join(f"import {module}" for module in reversed(MODULES))
    code = f"{first}; import gpt2calc; print(gpt2calc.count('gpt2').total, [m.name for m in gpt2calc.models()][0])"
    ran = subprocess.run([sys.executable, "-c", code], check=False, capture_output=True, text=True, env=environment())
    assert (ran.returncode, ran.stdout.split()[0]) == (0, "124439808"), ran.stderr


@of_each("name", VERBS)
def test_every_verb_is_documented(name: str) -> None:
    """One sentence, each argument, what it returns and raises, and a doctest."""
    verb = getattr(gpt2calc, name)
    text = inspect.getdoc(verb) or ""
    assert text.partition("\n")[0].endswith(".")
    assert ">>> " in text
    for argument in inspect.signature(verb).parameters:
        assert f"    {argument}: " in text, argument
    assert ("Raises:" in text) == (name != "models")
    assert inspect.signature(verb).return_annotation is not inspect.Signature.empty


@of_each("name", CLASSES)
def test_every_class_is_documented(name: str) -> None:
    """With a doctest, and each public method and property of its own with a sentence."""
    kind = getattr(gpt2calc, name)
    assert ">>> " in (inspect.getdoc(kind) or "")
    ours = [each for each in kind.__mro__ if each.__module__.startswith("gpt2calc.")]
    for attribute, value in (pair for each in ours for pair in vars(each).items()):
        if not attribute.startswith(("_", "model_")) and (callable(value) or isinstance(value, property)):
            assert (inspect.getdoc(value) or "").partition("\n")[0].endswith("."), attribute


EXPECTED = "expected a model's name, a path, a mapping or a Config, got None"
NEVER_SET: dict[str, tuple[Callable[[], object], str]] = {
    "count": (lambda: gpt2calc.count(None), EXPECTED),  # type: ignore[arg-type]
    "count with fields": (lambda: gpt2calc.count(None, n_layer=3), EXPECTED),  # type: ignore[arg-type]
    "compare": (lambda: gpt2calc.compare(None, "xl"), EXPECTED),  # type: ignore[arg-type]
    "cost": (lambda: gpt2calc.cost(None), EXPECTED),  # type: ignore[arg-type]
    "measure": (lambda: gpt2calc.measure(None), EXPECTED),  # type: ignore[arg-type]
    "formula": (lambda: gpt2calc.formula("total", None), EXPECTED),  # type: ignore[arg-type]
    "tensors": (lambda: gpt2calc.tensors(None), EXPECTED),  # type: ignore[arg-type]
    "sweep": (lambda: gpt2calc.sweep(None, n_layer=[1, 2]), EXPECTED),  # type: ignore[arg-type]
    "a file to sweep": (lambda: gpt2calc.sweep(file=None), "expected the path of a file, got None"),  # type: ignore[arg-type]
    "design": (lambda: gpt2calc.design("350M", None), EXPECTED),  # type: ignore[arg-type]
    "explain a model": (lambda: gpt2calc.explain("124M", None), EXPECTED),  # type: ignore[arg-type]
    "explain": (lambda: gpt2calc.explain(None), "a figure is needed, such as '117M', got None"),  # type: ignore[arg-type]
    "infer": (lambda: gpt2calc.infer(None), "expected a checkpoint, a model or a config, got None"),
    "verify": (lambda: gpt2calc.verify(None), "expected a checkpoint, a model or a config, got None"),
    "a config to verify": (lambda: gpt2calc.verify(str(CHECKPOINT), None), EXPECTED),  # type: ignore[arg-type]
    "claims": (lambda: gpt2calc.check_claims(None), "expected the path of a file of claims, got None"),  # type: ignore[arg-type]
    "a repository": (
        lambda: gpt2calc.count(None, hub=True),  # type: ignore[arg-type]
        "expected the name of a repository of the hub, got None",
    ),
    "growth": (lambda: plots.growth(None, n_layer=range(6, 9)), EXPECTED),  # type: ignore[arg-type]
    "shares": (lambda: plots.shares(None, "xl"), EXPECTED),  # type: ignore[arg-type]
}
"""Every call that takes a model, a config or a file, with a variable that was never set."""

EMPTY_DOCUMENT = 'expected a config with a field at least, such as {"n_layer": 12}, got an empty one'
EMPTY: dict[str, tuple[Callable[[], object], str]] = {
    "count": (lambda: gpt2calc.count({}), EMPTY_DOCUMENT),
    "count with fields": (lambda: gpt2calc.count({}, n_layer=3), EMPTY_DOCUMENT),
    "tensors": (lambda: gpt2calc.tensors({}), EMPTY_DOCUMENT),
    "compare": (gpt2calc.compare, "a model is needed, such as gpt2: compare('gpt2', 'gpt2-xl')"),
    "explain": (lambda: gpt2calc.explain([]), "a figure is needed, such as '117M', got []"),
    "infer": (lambda: gpt2calc.infer({}), "expected a checkpoint, a model or a config, got {}"),
    "verify": (lambda: gpt2calc.verify({}), "expected a checkpoint, a model or a config, got {}"),
    "a config to verify": (lambda: gpt2calc.verify(str(CHECKPOINT), {}), EMPTY_DOCUMENT),
}
"""Calls with what is there and holds nothing."""


@of_each("call, problem", [*NEVER_SET.values(), *EMPTY.values()], ids=[*NEVER_SET, *EMPTY])
def test_what_was_never_set_or_holds_nothing_is_not_taken_for_gpt2(call: Callable[[], object], problem: str) -> None:
    """A pipeline that asserts `verify(path)` stops where path is None: left out and None are two things."""
    with pytest.raises(gpt2calc.ConfigError) as caught:
        call()
    assert str(caught.value) == problem


def test_what_is_left_out_is_gpt2s() -> None:
    """Without a model, sizes are gpt2's; the signature says so in words."""
    assert gpt2calc.count().total == 124_439_808
    assert gpt2calc.check_claims()["totals"].claim.id == "totals"
    assert str(inspect.signature(gpt2calc.count).parameters["model"]) == "model: 'Model | LeftOut' = <left out>"


def test_errors_can_be_caught_together_and_by_what_they_are() -> None:
    """All are Gpt2calcError, and each is the built-in error that a person would expect."""
    hierarchy = {
        "ConfigError": ValueError,
        "UnknownNameError": LookupError,
        "Int64OverflowError": OverflowError,
        "NetworkError": Exception,
        "UnreadableInputError": Exception,
    }
    for name, builtin in hierarchy.items():
        assert issubclass(getattr(gpt2calc, name), gpt2calc.Gpt2calcError)
        assert issubclass(getattr(gpt2calc, name), builtin)
    assert set(hierarchy) | {"Gpt2calcError"} == set(ERRORS)
    defined = {name for name, thing in vars(errors).items() if inspect.isclass(thing) and issubclass(thing, Exception)}
    assert defined == set(ERRORS)


def test_errors_carry_the_exit_code_of_the_command_line() -> None:
    """A mistake is 2, what cannot be read or done 3, the network 4; 1 is a verdict, and no error is one."""
    codes = {name: getattr(gpt2calc, name).exit_code for name in ERRORS}
    assert codes == {
        "ConfigError": 2,
        "Gpt2calcError": 3,
        "Int64OverflowError": 2,
        "NetworkError": 4,
        "UnknownNameError": 2,
        "UnreadableInputError": 3,
    }


RAISED = [
    errors.Gpt2calcError("something"),
    errors.ConfigError("n_layer must be a whole number", field="n_layer", got="x"),
    errors.UnknownNameError("model", "gpt2-xll", ("gpt2", "gpt2-xl"), " and there is no such file"),
    errors.UnreadableInputError("some.json", "cannot be read"),
    errors.Int64OverflowError("too large"),
    errors.NetworkError("openai-community/gpt2", "the hub answers with status 503"),
]


@of_each("error", RAISED)
@pytest.mark.parametrize(
    "again", [lambda x: pickle.loads(pickle.dumps(x)), copy.copy, copy.deepcopy], ids=["pickle", "copy", "deepcopy"]
)
def test_an_error_survives_the_way_from_another_process(error: Exception, again: Any) -> None:
    """A pool of workers sends errors by pickle: message and facts arrive."""
    back = again(error)
    assert type(back) is type(error)
    assert str(back) == str(error)
    assert vars(back) == vars(error)


@pytest.mark.parametrize(
    "result",
    [
        gpt2calc.count("gpt2", n_layer=3),
        gpt2calc.Config(n_layer=3),
        gpt2calc.tensors("tiny-gpt2"),
        gpt2calc.models()[:3],
    ],
    ids=["count", "config", "tensors", "models"],
)
def test_a_result_survives_the_way_from_another_process(result: Any) -> None:
    """Results can be sent to and from workers, and copied."""
    for back in (pickle.loads(pickle.dumps(result)), copy.deepcopy(result)):
        assert back == result
        assert repr(back) == repr(result)


def test_names_lead_to_the_same_things_as_their_homes() -> None:
    """One function, one class, wherever it is taken from."""
    assert gpt2calc.Config is config.Config
    assert gpt2calc.CONVENTIONS is conventions.CONVENTIONS
    assert gpt2calc.ParameterCount is counts.ParameterCount


@pytest.mark.parametrize("name", ["gpt2", "small"])
def test_a_result_shows_itself(name: str) -> None:
    """Its repr names the model, the total and what it is made of."""
    count = gpt2calc.count(name)
    assert repr(count) == (
        "<ParameterCount gpt2: 124,439,808 = embedding 39,383,808 + attention 28,348,416 + mlp 56,669,184 "
        "+ layer_norm 38,400>"
    )
    assert repr(gpt2calc.compare(name, "xl")) == "<Comparison gpt2 124,439,808, gpt2-xl 1,557,611,200>"
    assert repr(gpt2calc.formula("attn.c_attn", name)) == (
        "<Derivation attn.c_attn = 3L·d² + 3L·d = 21,261,312 in gpt2>"
    )
