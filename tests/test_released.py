"""What `python -m tests.released` says, tried on a hub of this machine that has the four released sizes."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from tests.hub_server import HubServer, Repo, surroundings
from tests.makers import safetensors as maker
from tests.released import TOTALS

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.hub_server import Content

SIZES = {"gpt2": (12, 768, 12), "gpt2-medium": (24, 1024, 16), "gpt2-large": (36, 1280, 20), "gpt2-xl": (48, 1600, 25)}


def repository(folder: Path, size: str, **changed: Any) -> Repo:
    """Return a repository as the hub has it: a config, and weights of the real size whose values are a hole."""
    n_layer, n_embd, n_head = SIZES[size]
    fields = {"model_type": "gpt2", "n_layer": n_layer, "n_embd": n_embd, "n_head": n_head}
    fields |= {"n_positions": 1024, "vocab_size": 50257, **changed}
    path = folder / f"{size}.safetensors"
    maker.write(path, maker.released(n_layer, n_embd))
    files: dict[str, Content] = {"config.json": json.dumps(fields).encode(), "model.safetensors": path}
    return Repo(files, frozenset(("model.safetensors",)))


@pytest.fixture
def server(tmp_path: Path) -> Iterator[HubServer]:
    """Give the hub."""
    with HubServer({f"openai-community/{size}": repository(tmp_path, size) for size in SIZES}) as found:
        yield found


def ran(server: HubServer, home: Path, **more: str) -> subprocess.CompletedProcess[str]:
    """Run the module as a person does, with this hub as the hub."""
    return subprocess.run(
        [sys.executable, "-m", "tests.released"],
        check=False,
        capture_output=True,
        text=True,
        env=surroundings(server, home, **more),
        timeout=300,
    )


def test_the_four_sizes_are_verified_and_counted(server: HubServer, tmp_path: Path) -> None:
    """A line each, and of 11 GB no more is fetched than the headers."""
    done = ran(server, tmp_path / "home")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert len(lines) == len(TOTALS) == 4
    for line, (name, total) in zip(lines, TOTALS.items(), strict=True):
        assert line.startswith(f"{name}: {total:,} parameters; ")
        assert "matches" in line
    assert sum(asked.sent for asked in server.asked()) < 10**6


def test_a_miss_is_told_and_ends_with_1(server: HubServer, tmp_path: Path) -> None:
    """A config that another total comes of, and weights that are not the config's."""
    server.repos["openai-community/gpt2"] = repository(tmp_path, "gpt2", n_positions=2048)
    n_layer, n_embd, _ = SIZES["gpt2-medium"]
    right = repository(tmp_path, "gpt2-medium")
    path = tmp_path / "less.safetensors"
    maker.write(path, maker.released(n_layer, n_embd)[:-1])
    files = {**right.files, "model.safetensors": path}
    server.repos["openai-community/gpt2-medium"] = Repo(files, right.large)
    done = ran(server, tmp_path / "home")
    assert done.returncode == 1
    first, second, *_ = done.stdout.splitlines()
    assert first == "openai-community/gpt2: expected 124,439,808 parameters, counted 125,226,240"
    assert "does not match" in second


def test_without_a_network_it_ends_with_4(server: HubServer, tmp_path: Path) -> None:
    """And each line says so."""
    done = ran(server, tmp_path / "home", HF_HUB_OFFLINE="1")
    assert (done.returncode, done.stdout.count("huggingface_hub is offline")) == (4, 4)
