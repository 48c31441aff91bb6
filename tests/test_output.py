"""Files that are written whole or not at all, whatever happens while they are."""

from __future__ import annotations

import os
import stat
from typing import TYPE_CHECKING, Any

import pytest

from gpt2calc.errors import UnreadableInputError
from gpt2calc.output import OutputFile

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Ended(BaseException):
    """What a signal raises, wherever the program is."""


def events(path: Path, steps: Sequence[str], at: str, monkeypatch: pytest.MonkeyPatch) -> OutputFile:
    """Write a file, and be ended just before or just after one of the system's calls."""
    moment, name = at.split()
    before = getattr(os, name)

    def ended(*given: Any) -> Any:
        if moment == "after":
            before(*given)
        raise Ended

    monkeypatch.setattr(os, name, ended)
    target = OutputFile(str(path))
    with pytest.raises(Ended):
        written(target, steps)
    monkeypatch.undo()
    return target


def written(target: OutputFile, steps: Sequence[str]) -> None:
    """Write a file."""
    with target as file:
        for step in steps:
            file.write(step.encode())


@pytest.mark.parametrize(
    "at", ["before fstat", "after fstat", "before fsync", "after fsync", "before replace", "after replace"]
)
@pytest.mark.parametrize("existed", [False, True], ids=["new", "replaced"])
def test_at_every_moment_there_is_a_whole_file_or_none_and_it_is_known_which(
    at: str,
    existed: bool,  # noqa: FBT001  # a case
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Ended at any call that makes the file, the one that gives it its name among them."""
    path = tmp_path / "a.csv"
    if existed:
        path.write_text("before", encoding="utf-8")
    target = events(path, ["a whole", " file"], at, monkeypatch)
    said = {"after replace": "is complete"}.get(at, "is as it was before" if existed else "was not written")
    assert target.state() == f"{path} {said}"
    assert (path.read_text() if path.exists() else None) == (
        "a whole file" if at == "after replace" else "before" if existed else None
    )
    assert os.listdir(tmp_path) == ["a.csv"] * path.exists()


def test_what_a_link_leads_to_is_written_and_the_link_stays(tmp_path: Path) -> None:
    """A new file is as readable as any other."""
    path, link, other = tmp_path / "a.csv", tmp_path / "link.csv", tmp_path / "other"
    link.symlink_to(path)
    other.write_bytes(b"")
    target = OutputFile(str(link))
    written(target, ["a file"])
    assert (link.is_symlink(), path.read_bytes(), target.state()) == (True, b"a file", f"{link} is complete")
    assert stat.S_IMODE(path.stat().st_mode) == stat.S_IMODE(other.stat().st_mode)


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="only Linux has a device that is always full")
def test_a_device_is_written_to_and_not_replaced() -> None:
    """Root could replace it, and every program would miss it."""
    null = OutputFile("/dev/null")
    written(null, ["a file"])
    assert stat.S_ISCHR(os.stat("/dev/null").st_mode)
    with pytest.raises(UnreadableInputError) as caught:
        written(OutputFile("/dev/full"), ["a file"])
    said = "/dev/full: cannot be written (No space left on device): /dev/full is no file, and may have got a part"
    assert str(caught.value) == said
    assert not [name for name in os.listdir("/dev") if name.endswith(".part")]


def test_a_pipe_gets_what_is_written(tmp_path: Path) -> None:
    """As a shell's >(...) gives one."""
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    written(OutputFile(str(pipe)), ["a file"])
    assert os.read(reader, 100) == b"a file"
    os.close(reader)


@pytest.mark.parametrize(
    ("name", "reason", "state"),
    [
        (".", "Is a directory", "is as it was before"),
        ("missing/a.csv", "No such file or directory", "was not written"),
        ("file/a.csv", "Not a directory", "was not written"),
    ],
)
def test_where_nothing_can_be_written_it_is_said_before_anything_is(
    name: str, reason: str, state: str, tmp_path: Path
) -> None:
    """The folder, one that is missing, and a file taken for one."""
    (tmp_path / "file").write_bytes(b"")
    path = tmp_path / name
    with pytest.raises(UnreadableInputError) as caught, OutputFile(str(path)):
        pytest.fail("it was opened")
    assert str(caught.value) == f"{path}: cannot be written ({reason}): {path} {state}"
    assert sorted(os.listdir(tmp_path)) == ["file"]
