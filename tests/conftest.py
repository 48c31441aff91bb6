"""What the whole suite shares: the command line run in this process, and run as a program of its own."""

from __future__ import annotations

import gc
import io
import os
import subprocess
import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

import pytest
from _pytest.doctest import DoctestModule
from hypothesis import settings

import gpt2calc
from gpt2calc.cli import main
from tests import wide
from tests.budget import Clock
from tests.measuring import Measuring

if TYPE_CHECKING:
    from collections.abc import Generator

# What is imported and found stays until the end, so nobody looks through it for what could go: not now, nor later.
gc.disable()

# What a first call loads takes longer than any deadline. The gate draws the same examples each time, people new ones.
# The laws of tests/property/ are tried twice as often as what stands here.
settings.register_profile(
    "suite",
    deadline=None,
    derandomize=bool(os.environ.get("CI")),
    max_examples=max(1, int(os.environ.get("GPT2CALC_EXAMPLES", "100")) // 2),
)
settings.load_profile("suite")

PACKAGE = os.path.dirname(os.path.abspath(gpt2calc.__file__))
# One core for each worker, and one for each program that it starts: threads of theirs would wait for each other.
os.environ.setdefault("OMP_NUM_THREADS", "1")

QUIET = {"COLUMNS": "100", "NO_COLOR": "1"}
CHANGING = (
    "CLICOLOR",
    "CLICOLOR_FORCE",
    "FORCE_COLOR",
    "LC_ALL",
    "PYTHONIOENCODING",
    "PYTHONUNBUFFERED",
    "PYTHONUTF8",
    "PYTHON_COLORS",
)
"""Variables of the surroundings that change what a program prints, or when."""


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add --cpu."""
    parser.addoption("--cpu", action="store_true", help="print what each kind of test cost, and what it may")


def pytest_configure(config: pytest.Config) -> None:
    """Start the clock where it is asked for; in every worker, which is told the options."""
    if config.pluginmanager.hasplugin("_cov"):
        measuring = Measuring(sys.gettrace())
        sys.meta_path.insert(0, measuring)
        config.pluginmanager.register(measuring, "measuring")
    if config.getoption("--cpu"):
        config.pluginmanager.register(Clock(), "cpu")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is asked only where all is; nothing where somebody chooses the cases."""
    if wide.IS_WIDE or config.option.keyword or any("[" in word for word in config.args):
        return
    if gone := wide.left_out(items):
        config.hook.pytest_deselected(items=gone)
        names = {item.nodeid for item in gone}
        items[:] = [item for item in items if item.nodeid not in names]
    if hasattr(config, "workeroutput"):
        config.workeroutput["left out"] = len(gone)


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop() -> None:
    """Collect garbage from here on, among what the tests leave; seldom, since what they import stays, and is much."""
    gc.freeze()
    gc.set_threshold(20_000, 10, 10)
    gc.enable()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """Count in the last line what every worker left out, which xdist does not."""
    gone = getattr(node, "workeroutput", {}).get("left out", 0)
    if gone:
        node.config.pluginmanager.get_plugin("terminalreporter").stats["deselected"] = [SimpleNamespace()] * gone


@pytest.hookimpl(wrapper=True)
def pytest_collect_file() -> Generator[None, list[pytest.Collector], list[pytest.Collector]]:
    """Look for no doctests here, where there are none: the package has them, and each docstring costs time."""
    return [found for found in (yield) if not isinstance(found, DoctestModule)]


class Ran(NamedTuple):
    """What one run of the command line came to."""

    code: int
    stdout: str
    stderr: str


class Run(Protocol):
    """Run the command line in this process."""

    def __call__(self, *words: str, stdin: bytes = b"", columns: int = 100) -> Ran:
        """Give it words, the bytes of standard input, and how wide the screen is."""


class Program(Protocol):
    """Run the command line as a program of its own."""

    def __call__(self, *words: str, **settings: Any) -> subprocess.CompletedProcess[bytes]:
        """Give it words, and settings of `subprocess.run`."""


def environment(**changed: str) -> dict[str, str]:
    """Return the surroundings of a program: as here, the package found, nothing that changes what is printed."""
    found = {name: value for name, value in os.environ.items() if name not in (*CHANGING, *QUIET)}
    return {**found, "PYTHONPATH": _path(), **changed}


def _path() -> str:
    return os.pathsep.join(filter(None, (os.path.dirname(PACKAGE), os.environ.get("PYTHONPATH", ""))))


def _run(*words: str, stdin: bytes = b"", columns: int = 100) -> Ran:
    out = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", errors="backslashreplace", newline="\n")  # as Python's own
    given = io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")
    known = set(os.environ)
    with pytest.MonkeyPatch.context() as changed:
        for name in CHANGING:
            changed.delenv(name, raising=False)
        for name, value in {**QUIET, "COLUMNS": str(columns), "PYTHONPATH": _path()}.items():
            changed.setenv(name, value)
        for name, stream in (("stdin", given), ("stdout", out), ("stderr", err)):
            changed.setattr(sys, name, stream)
        try:
            code = main(words)
        except SystemExit as end:  # argparse ends this way, for --help as well
            code = end.code if isinstance(end.code, int) else 1 if end.code else 0
    for name in set(os.environ) - known:  # what it set for a library
        del os.environ[name]
    out.flush()
    err.flush()
    return Ran(code, out.buffer.getvalue().decode(), err.buffer.getvalue().decode())


@pytest.fixture(scope="session")
def run() -> Run:
    """Run `gpt2calc` in this process, 100 columns wide and without colour; give code, output and errors."""
    return _run


@pytest.fixture(scope="session")
def built() -> str:
    """Build the page, once for all tests of a worker that look at it."""
    from gpt2calc.webpage import document  # it loads all that the page is made of, and few tests ask for it

    return document.build(gpt2calc.__version__)


@pytest.fixture
def _a_page_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command write a page without building one, where nobody looks at what it writes."""
    monkeypatch.setattr("gpt2calc.webpage.document.build", "<!doctype html>{}".format)


@pytest.fixture(scope="session")
def program() -> Program:
    """Run `gpt2calc` as a program, without a terminal unless the settings give one."""

    def spawn(*words: str, **settings: Any) -> subprocess.CompletedProcess[bytes]:
        shown: dict[str, Any] = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
        if "input" in settings:
            del shown["stdin"]
        shown |= {"env": environment(), "timeout": 60, **settings}
        return subprocess.run([sys.executable, "-m", "gpt2calc", *words], check=False, **shown)

    return spawn
