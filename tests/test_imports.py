"""Start-up: what is heavy is a guest, a command loads no more than it needs, and each check is able to fail."""

from __future__ import annotations

import json
import pkgutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import gpt2calc
from gpt2calc.architectures import FILES
from tests.conftest import environment
from tests.makers import safetensors
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from pathlib import Path

HEAVY = frozenset(
    {
        "huggingface_hub",
        "matplotlib",
        "numpy",
        "pandas",
        "rich",
        "safetensors",
        "shtab",
        "sympy",
        "torch",
        "tqdm",
        "transformers",
    }
)
MODULES = sorted(found.name for found in pkgutil.walk_packages(gpt2calc.__path__, "gpt2calc."))
GUESTS = {
    "gpt2calc.arrays": {"numpy"},
    "gpt2calc.symbolic": {"sympy"},
    **{
        f"gpt2calc.plots.{name}": {"matplotlib", "numpy"}
        for name in (
            *("area_drawing", "bar_drawing", "block_drawing", "canvas", "context_drawing", "curve_drawing", "drawing"),
            *("flow_drawing", "histogram_drawing", "plane_drawing"),
        )
    },
    **{
        f"gpt2calc.sweeps.{name}": {"numpy"}
        for name in ("conditions", "evaluation", "exact", "families", "models", "ranking")
    },
    **{f"gpt2calc.sweeps.{name}": {"numpy"} for name in ("readers", "rows", "runs", "tasks", "writers")},
}
"""The rooms that a heavy library may enter, each with the library."""

SLOW = frozenset(
    {"ast", "contextlib", "dataclasses", "fractions", "inspect", "shutil", "tempfile", "textwrap", "typing"}
)
"""What is Python's own and takes long to load; `typing` is for type checkers where `records` stands in."""

OF_A_COUNT = frozenset(
    {
        *(
            "__main__",
            "algebra",
            "api",
            "api.counting",
            "architectures",
            "architectures.gpt2",
            "architectures.runs",
            "cli",
            "cli.count",
        ),
        *("cli.options", "conventions", "counts", "dims", "errors", "fields", "formulas"),
        *("general_conventions", "model", "numbers", "records", "reports", "reports.text", "signals", "sources"),
        *("table", "tensor_table", "validity"),
    }
)
"""The modules that counting a GPT-2 may load, whose fields are typed."""

OF_A_PRESET = OF_A_COUNT | {"inputs", "preset_index", "presets"}
"""Those that counting one that ships may load."""

FIRST = """
import argparse, contextlib, decimal, enum, functools, json, os, re, sys, tempfile, typing, zipfile  # not looked at
for module in sys.argv[1:]:
    child = os.fork()  # so that an interpreter is started once, and what one import loads is unknown to the next
    if not child:
        __import__(module)
        print(module, *sys.modules, flush=True)
        os._exit(0)
    if os.waitpid(child, 0)[1]:
        sys.exit(f"{module} cannot be imported first")
"""


def loaded(code: str) -> set[str]:
    """Run code in a fresh interpreter and return the names of all modules that it ends with."""
    tail = "import sys as _sys; print('\\n' + '\\n'.join(_sys.modules))"
    ran = subprocess.run(
        [sys.executable, "-c", f"{code}\n{tail}"],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=60,
    )
    assert ran.returncode == 0, ran.stderr
    return set(ran.stdout.splitlines())


def imported_first(modules: list[str]) -> dict[str, set[str]]:
    """Import each module into a copy of one fresh interpreter; return the names of all modules that each ends with."""
    ran = subprocess.run(
        [sys.executable, "-c", FIRST, *modules],
        check=False,
        capture_output=True,
        text=True,
        env=environment(),
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr
    return {module: set(names) for module, *names in map(str.split, ran.stdout.splitlines())}


def running(*words: str, before: str = "") -> set[str]:
    """Run the command line in a fresh interpreter and return the names of all modules that it ends with."""
    return loaded(f"{before}\nfrom gpt2calc.cli import main\nassert main({list(words)!r}) == 0")


def roots(modules: set[str]) -> set[str]:
    """Return the packages that modules belong to."""
    return {name.partition(".")[0] for name in modules}


def test_importing_the_package_loads_nothing_but_itself() -> None:
    """`import gpt2calc` costs one file: what it gives is loaded at its first use."""
    assert loaded("import gpt2calc") - loaded("from __future__ import annotations") == {"gpt2calc"}


@pytest.mark.parametrize(
    "words",
    [
        ("count", "gpt2-xl"),
        ("count", "gpt2-xl", "--json"),
        ("count", "small", "--format", "csv"),
        ("compare", "small", "medium", "large", "xl"),
        ("formula", "attn.c_attn", "--model", "gpt2"),
        ("tensors", "tiny-gpt2"),
        ("claims",),
        ("plot", "shares", "small", "xl"),
        ("plot", "treemap", "gpt2", "--json"),
        ("design", "--params", "350M"),
        ("explain", "124M"),
        ("explain", "137M", "gpt2"),
        ("models",),
    ],
    ids=" ".join,
)
def test_a_preset_is_counted_without_pydantic_and_everything_heavy(words: tuple[str, ...]) -> None:
    """What ships is trusted, so nothing is loaded to check it."""
    found = roots(running(*words))
    assert "gpt2calc" in found
    assert found & (HEAVY | {"pydantic", "pydantic_core", "inspect"}) == set()


@pytest.mark.parametrize(
    "words",
    [
        ("count", "--n-layer", "24", "--n-embd", "1024"),
        ("compare", "small", "xl", "--vocab", "50304", "--heads", "1"),
        ("tensors", "--n-layer", "1", "--head", "GPT2Model"),
    ],
    ids=" ".join,
)
def test_what_is_typed_is_checked_without_pydantic_and_everything_heavy(words: tuple[str, ...]) -> None:
    """Plain values are judged by the table of fields."""
    assert roots(running(*words)) & (HEAVY | {"pydantic", "pydantic_core", "inspect"}) == set()


@pytest.mark.parametrize(
    ("words", "may"),
    [(("count", "gpt2-xl"), OF_A_PRESET), (("count", "--n-layer", "24", "--n-embd", "1024"), OF_A_COUNT)],
    ids=["a preset", "fields"],
)
def test_a_count_loads_these_modules_and_no_others(words: tuple[str, ...], may: frozenset[str]) -> None:
    """Start-up is most of what a count takes: a module that it loads besides has to be wanted here."""
    before = loaded("from __future__ import annotations")
    found = running(*words, before="from gpt2calc.__main__ import run") - before
    assert {name.removeprefix("gpt2calc.") for name in found if name.startswith("gpt2calc.")} == may
    assert found & SLOW == set()
    assert ("json" in found) == (may is OF_A_PRESET)


def test_what_is_wrong_is_told_without_pydantic() -> None:
    """An error waits for nothing either."""
    before = "from gpt2calc.cli import main\nassert main(['count', '--n-head', '5', '--bias', '--n-embd', '0']) == 2"
    assert "pydantic" not in roots(loaded(before))


def test_what_is_not_plain_is_checked_by_pydantic() -> None:
    """A word of a class of its own is Config's to judge; a number of any type is read before."""
    code = "import gpt2calc\nclass Deep(str): pass\nassert gpt2calc.count(head=Deep('lm')).total == 124439808"
    assert "pydantic" in roots(loaded(code))


def test_counting_loads_neither_claims_nor_what_reads_them() -> None:
    """A room that one command needs costs the others nothing."""
    rooms = ("gpt2calc.claims", "gpt2calc.verification", "gpt2calc.checkpoints", "tomllib", "fractions")
    found = running("count", "gpt2")
    assert {name for name in found if name.startswith(rooms)} | found & {"ast", "gpt2calc.notations"} == set()
    assert {name for name in running("claims") if name.startswith(rooms[1:3])} == set()


@pytest.mark.parametrize(
    "words", [("verify",), ("verify", "--config", "gpt2"), ("verify", "--json"), ("verify", "--tying")], ids=" ".join
)
def test_a_file_is_verified_without_pydantic_and_everything_heavy(tmp_path: Path, words: tuple[str, ...]) -> None:
    """Header readers are ours, and a config.json that is plain needs no more than a look."""
    config = {"model_type": "gpt2", "n_layer": 12, "n_embd": 768, "n_head": 12, "n_positions": 1024, "n_ctx": 1024}
    (tmp_path / "config.json").write_text(json.dumps({**config, "vocab_size": 50257}), encoding="utf-8")
    safetensors.write(tmp_path / "model.safetensors", safetensors.released(12, 768))
    found = roots(running(words[0], str(tmp_path), *words[1:]))
    assert "gpt2calc" in found
    assert found & (HEAVY | {"pydantic", "pydantic_core", "inspect", "asyncio", "ssl"}) == set()


def test_a_file_loads_the_reader_of_its_format_alone(tmp_path: Path) -> None:
    """Nobody waits for the other formats."""
    safetensors.write(tmp_path / "model.safetensors", safetensors.released(1, 64))
    found = running("verify", str(tmp_path))
    readers = {"gguf", "hub", "live", "llmc", "safetensors", "shards", "tensorflow", "torch_files", "transport"}
    assert {name for name in readers if f"gpt2calc.checkpoints.{name}" in found} == {"safetensors"}


def test_counting_in_python_loads_nothing_heavy() -> None:
    """The library is as light as the command."""
    found = roots(loaded("import gpt2calc; gpt2calc.count('gpt2').to_dict(); gpt2calc.count('gpt2')._repr_html_()"))
    assert found & (HEAVY | {"pydantic", "argparse"}) == set()


@pytest.mark.parametrize("library", ["numpy", "sympy", "shtab"])
def test_the_check_finds_a_heavy_library_where_there_is_one(library: str) -> None:
    """A test of the test: a run that loads the library first does not pass for light."""
    assert roots(running("count", "gpt2-xl", before=f"import {library}")) & HEAVY >= {library}


def test_the_check_fails_where_the_command_fails() -> None:
    """A run that ends in an error would load little, and is not taken for a success."""
    with pytest.raises(AssertionError):
        running("count", "no-such-model")


def test_there_are_modules_to_import() -> None:
    """The walk finds the rooms."""
    assert {"gpt2calc.api.counting", "gpt2calc.cli.count", "gpt2calc.config", "gpt2calc.reports.text"} <= set(MODULES)


def test_every_module_can_be_imported_first() -> None:
    """No module needs another to have been imported before it, and only a guest's room loads the guest.

    By default every fourth is, fewer of those that load a guest, and the one that loads pydantic.
    """
    alone = [module for module in MODULES if module not in GUESTS]
    asked = MODULES if IS_WIDE else sorted({*alone[::4], *sorted(GUESTS)[::8], "gpt2calc.config"})
    found = {module: roots(names) for module, names in imported_first(asked).items()}
    assert list(found) == asked
    guests = {module: names & (HEAVY - {"rich", "pandas"}) for module, names in found.items()}
    assert {module: names for module, names in guests.items() if names} == {
        module: names for module, names in GUESTS.items() if module in asked
    }
    assert [module for module, names in found.items() if "pydantic" in names] == ["gpt2calc.config"]


def test_the_check_names_a_module_that_cannot_be_imported_first() -> None:
    """What is wrong with one is not lost among the others."""
    with pytest.raises(AssertionError, match=r"gpt2calc\.nothing cannot be imported first"):
        imported_first(["gpt2calc.dims", "gpt2calc.nothing"])


def test_one_architecture_is_loaded_and_no_other() -> None:
    """Neither GPT-2 where a llama is counted, nor any other where a GPT-2 is."""
    files = {f"gpt2calc.architectures.{name}" for name in FILES.values()}
    assert running("count", "Llama-3.1-8B") & files == {"gpt2calc.architectures.llama"}
    assert running("count", "gpt2") & files == {"gpt2calc.architectures.gpt2"}
