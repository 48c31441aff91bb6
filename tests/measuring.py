"""Coverage where it is wanted: Python's tracer is asked at every line of whatever runs, and only ours are counted.

Without this it is asked by all of pytest, torch, transformers and matplotlib as well, which takes twice their own
time. So it is let go while tests are found, and held on to where our code runs: in modules of the package while they
are imported, in fixtures, and in tests. Where a library works long and calls nothing of ours, it is let go meanwhile.
"""

from __future__ import annotations

import functools
import sys
from importlib.abc import MetaPathFinder
from importlib.machinery import PathFinder
from typing import TYPE_CHECKING, Any, TypeVar

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    F = TypeVar("F", bound=Callable[..., Any])

PACKAGE = "gpt2calc"

REPEATED = (
    *("architectures/test_probe.py", "architectures/test_judges.py", "architectures/test_fields.py"),
    *("architectures/test_faults.py", "test_faults.py", "test_chance.py"),
    *("page/test_access.py", "page/test_controls.py", "page/test_counts.py", "page/test_families.py"),
    *("page/test_files.py", "page/test_hostile.py", "page/test_state.py"),
)
"""Files of tests that ask often what others ask, too, of which nothing is measured. What is left out can be no more
than missing from the share that is reached: it makes it smaller, and never larger."""

ELSEWHERE = {
    "jsonschema.validators": ("Draft202012Validator.iter_errors",),
    "matplotlib.figure": ("Figure.savefig", "Figure.draw_without_rendering"),
    "matplotlib.backends.backend_agg": ("FigureCanvasAgg.draw",),
    "transformers.modeling_utils": ("PreTrainedModel.save_pretrained", "PreTrainedModel.from_pretrained"),
    "transformers.utils.import_utils": ("_LazyModule.__getattr__",),
    "transformers.models.gpt2.modeling_gpt2": ("GPT2Model.__init__", "GPT2LMHeadModel.__init__"),
    "transformers.models.auto.auto_factory": ("_BaseAutoModelClass.from_config", "_BaseAutoModelClass.from_pretrained"),
}
"""Modules of libraries, and what in them takes long and calls nothing of ours."""


def unmeasured(function: F) -> F:
    """Return a function that lets the tracer go while it runs; it must call nothing that coverage is wanted of.

    The tracer is put back in the frame that it was let go in: it keeps a stack of frames, which must fit.
    """

    @functools.wraps(function)
    def called(*args: Any, **keywords: Any) -> Any:
        tracer = sys.gettrace()
        sys.settrace(None)
        try:
            return function(*args, **keywords)
        finally:
            sys.settrace(tracer)

    return called  # type: ignore[return-value]  # it is called as the other is


class Measuring(MetaPathFinder):
    """The tracer that coverage began with, and when it is held on to."""

    def __init__(self, tracer: Any) -> None:
        self.tracer = tracer

    def find_spec(self, name: str, path: Sequence[str] | None, _: ModuleType | None = None) -> ModuleSpec | None:
        """Find a module of the package, or one in which something takes long, and change how it is executed."""
        ours = name == PACKAGE or name.startswith(f"{PACKAGE}.")
        if not ours and name not in ELSEWHERE:
            return None
        spec = PathFinder.find_spec(name, path)
        if spec is not None and spec.loader is not None:
            execute = spec.loader.exec_module
            run = self.executed(execute) if ours else changed(execute)
            spec.loader.exec_module = run  # type: ignore[method-assign, assignment]  # of this one loader alone
        return spec

    def executed(self, execute: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
        """Return what executes a module and holds on to the tracer meanwhile."""

        def run(module: ModuleType) -> None:
            before = sys.gettrace()
            sys.settrace(self.tracer)
            try:
                execute(module)
            finally:
                sys.settrace(before)

        return run

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection(self) -> Generator[None, Any, Any]:
        """Let go of the tracer: in a worker another than at first, since coverage began there once more."""
        self.tracer = sys.gettrace()
        sys.settrace(None)
        return (yield)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_fixture_setup(self) -> Generator[None, Any, Any]:
        """Measure what a fixture does."""
        sys.settrace(self.tracer)
        try:
            return (yield)
        finally:
            sys.settrace(None)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_call(self, item: pytest.Item) -> Generator[None, Any, Any]:
        """Measure what a test does, unless it only repeats what others do."""
        if item.nodeid.partition("::")[0].endswith(REPEATED):
            return (yield)
        sys.settrace(self.tracer)
        try:
            return (yield)
        finally:
            sys.settrace(None)


def changed(execute: Callable[[ModuleType], None]) -> Callable[[ModuleType], None]:
    """Return what executes a module, and lets the tracer go in that of it which takes long."""

    def run(module: ModuleType) -> None:
        unmeasured(execute)(module)
        for path in ELSEWHERE[module.__name__]:
            owner, name = path.split(".")
            found = vars(getattr(module, owner))[name]
            of_class = isinstance(found, classmethod)
            setattr(
                getattr(module, owner),
                name,
                classmethod(unmeasured(found.__func__)) if of_class else unmeasured(found),
            )

    return run
