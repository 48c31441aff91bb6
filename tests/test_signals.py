"""A process ends when it is told to, whatever it is doing, and says by its exit code which signal it was."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from gpt2calc import signals
from gpt2calc.output import OutputFile
from tests.conftest import environment
from tests.goods import plain
from tests.makers import safetensors

if TYPE_CHECKING:
    from pathlib import Path

BETWEEN = """
import os, signal, sys

signal.signal(signal.SIGINT, signal.default_int_handler)

class Telling:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.{sent})

sys.meta_path.insert(0, Telling())
from gpt2calc.__main__ import run
raise SystemExit(run())
"""


@pytest.mark.parametrize(("sent", "code"), [("SIGINT", 130), ("SIGTERM", 143)])
@pytest.mark.parametrize("module", ["gpt2calc.cli", "gpt2calc.cli.count", "pydantic", "pydantic_core"])
def test_a_signal_while_a_module_loads_ends_the_process(tmp_path: Path, module: str, sent: str, code: int) -> None:
    """Without a traceback: an exception that is raised in there can come out as any other."""
    text = BETWEEN.format(module=module, sent=sent)
    asked = ["count", "--n-layer", "3"]
    if module.startswith("pydantic"):  # which a config that is inferred needs
        safetensors.write(tmp_path / "model.safetensors", plain("bare").tensors)
        asked = ["infer", str(tmp_path / "model.safetensors")]
    words = [sys.executable, "-c", text, *asked]
    ran = subprocess.run(words, check=False, capture_output=True, env=environment(), timeout=60)
    assert (ran.returncode, ran.stdout, ran.stderr) == (code, b"", b"")


def test_a_signal_that_is_to_be_passed_over_is() -> None:
    """A shell without job control starts what runs in the background that way, and nohup does."""
    text = (
        "import os, signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        "from gpt2calc import signals; signals.obey(); os.kill(os.getpid(), signal.SIGTERM); print('here')"
    )
    ran = subprocess.run([sys.executable, "-c", text], check=False, capture_output=True, env=environment(), timeout=60)
    assert (ran.returncode, ran.stdout) == (0, b"here\n")


def test_a_picture_that_was_not_finished_is_no_file(tmp_path: Path) -> None:
    """Whatever writes a file tidies up, and says what is there."""
    path = tmp_path / "a.svg"
    text = (
        "import os, signal, sys; from gpt2calc import output\n"
        "def told(*_): os.kill(os.getpid(), signal.SIGTERM)\n"
        "output._sync = output.OutputFile._finish = told\n"
        "from gpt2calc.__main__ import run; raise SystemExit(run())"
    )
    words = [sys.executable, "-c", text, "plot", "shares", "gpt2", "-o", str(path)]
    ran = subprocess.run(words, check=False, capture_output=True, env=environment(), timeout=120)
    assert (ran.returncode, ran.stdout) == (143, b"")
    assert ran.stderr.decode() == f"gpt2calc plot: terminated: {path} was not written\n"
    assert os.listdir(tmp_path) == []


def test_importing_gpt2calc_touches_no_signal(tmp_path: Path) -> None:
    """They belong to the program that imports it; a file that it writes does not change that."""
    before = [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)]
    with signals.unfinished(), OutputFile(str(tmp_path / "a.txt")) as file:
        file.write(b"124439808")
    assert [signal.getsignal(each) for each in (signal.SIGINT, signal.SIGTERM)] == before
