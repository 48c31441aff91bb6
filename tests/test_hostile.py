"""Files made to do harm end in one line and exit code 3, in a process that has 200 MB and little time."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import pytest

from gpt2calc.checkpoints import strict_json
from tests.conftest import environment
from tests.makers import safetensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    Case: TypeAlias = tuple[str, Callable[[], bytes], str]
    """The name of a hostile file, what makes its bytes, and what is said of it."""

LIMITS = """
import os, resource, sys

def limit(seconds=8):
    resource.setrlimit(resource.RLIMIT_DATA, (200_000_000, 200_000_000))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
"""
"""The bound is a second; eight leave room for slow machines, and what grows with a length that lies takes hours."""

VERIFYING = """
import pkgutil
import gpt2calc.checkpoints, gpt2calc.cli.verify, gpt2calc.reports.text, gpt2calc.verification
from gpt2calc.cli import main

for room in (gpt2calc.checkpoints, gpt2calc.verification):
    for found in pkgutil.iter_modules(room.__path__, room.__name__ + "."):
        __import__(found.name)  # once, and not in each of the processes
for path in sys.argv[1:]:
    child = os.fork()  # a process for each file, and for all of them one interpreter that starts
    if not child:
        limit()
        for number, end in ((1, "out"), (2, "err")):
            os.dup2(os.open(f"{path}.{end}", os.O_CREAT | os.O_WRONLY), number)
        code = 1
        try:
            code = main(["verify", path])
        except BaseException:
            import traceback
            traceback.print_exc()
        finally:
            sys.stdout.flush()
            os._exit(code)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
"""


class Ended(NamedTuple):
    """How a process ended, and what it wrote."""

    code: int
    stdout: str
    stderr: str


def alone(code: str, *words: str) -> subprocess.CompletedProcess[str]:
    """Run code that has limits to set, in a process of its own."""
    run = [sys.executable, "-c", LIMITS + code, *words]
    return subprocess.run(run, check=False, capture_output=True, text=True, env=environment(), timeout=600)


def limited(paths: Iterable[Path]) -> list[Ended]:
    """Verify each of some paths in a process of its own, which has 200 MB and little time."""
    paths = [*paths]
    codes = alone(VERIFYING, *map(str, paths)).stdout.split()
    written = [[Path(f"{path}.{end}").read_text(encoding="utf-8") for end in ("out", "err")] for path in paths]
    return [Ended(int(code), *texts) for code, texts in zip(codes, written, strict=True)]


def wrong(folder: Path, cases: Mapping[str, Case], *beside: str) -> dict[str, Ended]:
    """Return those of some hostile files that do not end in one line and exit code 3, with how they ended instead.

    Args:
        folder: where they are written, in a folder of each.
        cases: for each its name, what makes its bytes, and what the line says.
        beside: names of empty files that stand beside each.
    """
    paths = {}
    for number, (case, (name, make, _)) in enumerate(cases.items()):
        inner = folder / str(number)
        inner.mkdir()
        for other in beside:
            (inner / other).touch()
        paths[case] = inner / name
        paths[case].write_bytes(make())
    ended = dict(zip(paths, limited(paths.values()), strict=True))
    return {
        case: each
        for case, each in ended.items()
        if (each.code, each.stdout, each.stderr.count("\n")) != (3, "", 1) or cases[case][2] not in each.stderr
    }


def repeated(before: str, part: str, after: str, size: int = strict_json.SMALL_JSON_BYTES) -> bytes:
    """Return a safetensors file with a header that repeats a part, up to a size."""
    count = (size - len(before) - len(after)) // len(part)
    return safetensors.framed((before + count * part + after).encode())


def many(count: int, size: int) -> bytes:
    """Return a safetensors file that names empty tensors, as many as there are to be or as fit in a header."""
    entries: list[str] = []
    while len(entries) < count and size > 0:
        entries.append(f'"{len(entries):x}":{{"dtype":"U8","shape":[0],"data_offsets":[0,0]}}')
        size -= len(entries[-1]) + 1
    return safetensors.framed(f"{{{','.join(entries[: -1 if size < 0 else None])}}}".encode())


def index(entries: Iterable[str]) -> bytes:
    """Return an index of shards that are not there."""
    return f'{{"weight_map":{{{",".join(entries)}}}}}'.encode()


HOSTILE: dict[str, Case] = {
    "over a million tensors": (
        "x.safetensors",
        lambda: repeated("", "{", "", 1_100_000),
        "a header of at most 1,000,000 tensors",
    ),
    "as many tensors as fit": (
        "x.safetensors",
        lambda: many(10**6, strict_json.SMALL_JSON_BYTES - 2),
        "its names fit no GPT-2",
    ),
    "a length of 2^63": ("x.safetensors", lambda: (2**63).to_bytes(8, "little") + b"{}", "got 2 bytes"),
    "arrays in an array": ("x.safetensors", lambda: repeated('{"a":[', "[],", "[]]}"), "got an array of others"),
    "arrays in arrays": ("x.safetensors", lambda: repeated('{"a":', "[", ""), "nested too deeply"),
    "objects in objects": ("x.safetensors", lambda: repeated("{", '"a":{', ""), "nested too deeply"),
    "a shape of half a million sizes": (
        "x.safetensors",
        lambda: repeated('{"a":{"dtype":"U8","data_offsets":[0,0],"shape":[', "1,", "0]}}"),
        "expected at most 64 sizes in the shape of tensor 'a', got 52",
    ),
    "sizes whose product has a million digits": (
        "x.safetensors",
        lambda: repeated('{"a":{"dtype":"U8","data_offsets":[0,0],"shape":[', "9999999999999999999,", "0]}}"),
        "expected at most 64 sizes",
    ),
    "numbers of 4,300 digits": ("x.safetensors", lambda: repeated('{"a":[', "9" * 4300 + ",", "0]}"), "for tensor 'a'"),
    "arrays in each tensor of a long header": (
        "x.safetensors",
        lambda: repeated("{", '"a":{"b":[' + "[]," * 99 + "[]]},", '"b":0}', 10**7),
        "a header of at most 16 values for each tensor, got",
    ),
    "thirty megabytes of arrays": (
        "x.safetensors",
        lambda: repeated('{"a":[', "[],", "[]]}", 30 * 10**6),
        "bytes for as many tensors as it names, got 29,999,99",
    ),
    "a name of a megabyte": (
        "x.safetensors",
        lambda: repeated('{"', "a", '":{"dtype":"U8","data_offsets":[0,0],"shape":[0]}}'),
        "expected names of at most 300 characters, got one of 1,048,5",
    ),
    "wrappers of a megabyte": (
        "x.safetensors",
        lambda: repeated('{"', "model.", 'wte.weight":{"dtype":"U8","data_offsets":[0,0],"shape":[0]}}'),
        "expected names of at most 300 characters, got one of 1,048,5",
    ),
    "an index with a name of a megabyte": (
        "x.index.json",
        lambda: index(['"' + "a" * 1_000_000 + '":"a"']),
        "expected names of at most 300 characters, got one of 1,000,000",
    ),
    "an index with as many tensors as fit": (
        "x.index.json",
        lambda: index(f'"{n:x}":"a"' for n in range(1_000_017)),
        "expected an index of at most 1,000,000 tensors, got 1,000,018",
    ),
    "an index with as many shards as fit": (
        "x.index.json",
        lambda: index(f'"{n:x}":"{n:x}"' for n in range(10_000)),
        "expected at most 2,000 shards, got 10,000",
    ),
    "an index of ten megabytes": ("x.index.json", lambda: b"{".ljust(10**7), "an index of at most 1,048,576 bytes"),
    "an index of brackets": ("x.index.json", lambda: b'{"a":' + b"[" * 10**7, "an index of at most 1,050,112 bytes"),
    "an index of itself": ("x.index.json", lambda: b'{"weight_map":{"x":"x.index.json"}}', "shards that hold tensors"),
    "an index of what lies above it": ("x.index.json", lambda: b'{"weight_map":{"x":"../x"}}', "index's own folder"),
    "an index of a device": ("x.index.json", lambda: b'{"weight_map":{"x":"/dev/zero"}}', "index's own folder"),
}


def test_a_hostile_file_ends_in_one_line(tmp_path: Path) -> None:
    """Exit code 3, within 200 MB and a few seconds of processor time; every file in a process of its own."""
    assert wrong(tmp_path, HOSTILE) == {}


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere, the limit is not one on memory that is mapped")
def test_the_limits_hold() -> None:
    """A process that takes more memory, or more time, does not end well: so the test above can fail."""
    assert "MemoryError" in alone("limit()\nbytearray(250_000_000)").stderr
    assert alone("limit(1)\nwhile True: pass").returncode < 0
