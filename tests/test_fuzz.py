"""Every reader answers files that are nearly good with a listing or one error; and the fuzzer sees where one does not.

The runs here are short. What a million inputs for each reader came to is recorded where the work on them is.
"""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest

from gpt2calc.errors import UnreadableInputError
from gpt2calc.listing import StoredFile, StoredTensor, TensorListing
from tests.fuzz import READERS, documents, running
from tests.fuzz.__main__ import main
from tests.fuzz.rows import Reader
from tests.fuzz.running import Finding, run
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from pathlib import Path

    from gpt2calc.checkpoints.files import MemoryFile

COUNT = 1500 if IS_WIDE else 500


@pytest.mark.parametrize("name", READERS)
def test_a_reader_answers_whatever_it_gets(name: str) -> None:
    """A few inputs for each; among them are some that are accepted and some that are refused."""
    tally = run(READERS[name](), COUNT, seed=3)
    assert tally.inputs == COUNT
    assert 0 < tally.accepted < COUNT
    assert tally.accepted + tally.refused == COUNT


# What the fuzzer must see, each planted in a reader that does one thing wrong


def listed(*tensors: StoredTensor) -> TensorListing:
    """Return a listing of a file of 4 bytes."""
    return TensorListing("fuzzed", "planted", tensors, (StoredFile("fuzzed", 4),))


def crash(_: MemoryFile) -> TensorListing:
    """Raise what no reader may."""
    raise KeyError("shape")


def hang(_: MemoryFile) -> TensorListing:
    """Never end."""
    while True:
        time.monotonic()


def swell(_: MemoryFile) -> TensorListing:
    """Take more memory than a small file needs."""
    large = bytearray(65 * 2**20)
    return listed()._replace(notes=(f"{len(large)} bytes",))


def answer_nothing(_: MemoryFile) -> TensorListing:
    """Return no listing."""
    return None  # type: ignore[return-value]  # this is what is planted


def reach_out(_: MemoryFile) -> TensorListing:
    """List a tensor that ends one byte after its file."""
    return listed(StoredTensor("wte", (5,), "U8", 5, "fuzzed", 0))


def reach_back(_: MemoryFile) -> TensorListing:
    """List a tensor that begins before its file."""
    return listed(StoredTensor("wte", (4,), "U8", 4, "fuzzed", -1))


def refuse(file: MemoryFile) -> TensorListing:
    """Take nothing, not even what is good."""
    raise UnreadableInputError(file.name, "expected better")


def accept(_: MemoryFile) -> TensorListing:
    """Take everything."""
    return listed(StoredTensor("wte", (4,), "U8", 4, "fuzzed", 0))


PLANTED = {
    "raises KeyError": Reader(lambda: [b"good"], crash),
    "takes more than 0.05 s": Reader(lambda: [b"good"], hang),
    "allocates 65 MiB": Reader(lambda: [b"good"], swell),
    "returns None": Reader(lambda: [b"good"], answer_nothing),
    "outside of the 4 bytes": Reader(lambda: [b"good"], reach_out),
    "lists a tensor outside": Reader(lambda: [b"good"], reach_back),
    "a seed is refused": Reader(lambda: [b"good"], refuse),
    "is accepted, and the oracle refuses it": Reader(lambda: [b"good"], accept, oracle=lambda content: None),
    "is listed as": Reader(lambda: [b"good"], accept, oracle=lambda content: frozenset({("wte", (4,), "I8")})),
    "and the oracle accepts it": Reader(
        lambda: [b"good"],
        lambda file: listed() if file.content == b"good" else refuse(file),
        oracle=lambda content: frozenset(),
    ),
}


@pytest.mark.parametrize("problem", PLANTED)
def test_a_reader_that_does_wrong_is_a_finding(problem: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever a reader may not do ends the run, with the input."""
    if problem.startswith("takes"):
        monkeypatch.setattr(running, "MOST_SECONDS", 0.005)  # of processor time, ten times as much where it is traced
    with pytest.raises(Finding, match=problem) as caught:
        run(PLANTED[problem], 600, seed=0)
    assert isinstance(caught.value.content, bytes)


def test_what_is_refused_on_purpose_is_counted_and_no_finding() -> None:
    """A row says for which problems its reader is stricter than the oracle."""
    reader = PLANTED["and the oracle accepts it"]._replace(stricter=("^expected better$",))
    tally = run(reader, 100, seed=0)
    assert 0 < tally.stricter == tally.refused


def test_the_same_seed_makes_the_same_files() -> None:
    """So a finding can be made again."""
    seen: list[list[bytes]] = []
    for seed in (1, 1, 2):
        files: list[bytes] = []
        seen.append(files)

        def read(file: MemoryFile, files: list[bytes] = files) -> TensorListing:
            files.append(file.content)
            return listed()

        run(Reader(lambda: [b"good", b"better"], read), 200, seed)
    assert seen[0] == seen[1]
    assert seen[0] != seen[2]


@pytest.mark.parametrize("depth", [1, 100, 300, 400, 480, 600, 900, 2000])
def test_a_document_of_any_depth_can_be_changed(depth: int) -> None:
    """Or is left as it was, where Python reads it and is not deep enough to write it."""
    chance = random.Random(0)
    for text in (b"[" * depth + b"]" * depth, b'{"a":' * depth + b"1" + b"}" * depth):
        assert isinstance(documents.changed(text, chance), bytes)


def test_the_command_prints_what_a_run_came_to(capsys: pytest.CaptureFixture[str]) -> None:
    """How many inputs, how many accepted and refused, the slowest, and the memory."""
    assert main(["safetensors", "--count", "200", "--seed", "5"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("safetensors: 200 inputs, ")
    for what in ("accepted", "refused", "accepted by the oracle, on purpose", "the slowest", "KiB", "MiB"):
        assert what in out


def test_the_command_keeps_an_input_that_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is written as hex into the folder one stands in, and the command fails."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(READERS, "llmc", lambda: PLANTED["raises KeyError"])
    assert main(["llmc", "--count", "1"]) == 1
    assert "raises KeyError: 'shape'; it is in fuzz-llmc-0.hex" in capsys.readouterr().out
    assert bytes.fromhex((tmp_path / "fuzz-llmc-0.hex").read_text()) == b"good"
