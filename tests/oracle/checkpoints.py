"""Checkpoints of every dialect and format, good and with one fault, and what is asked of each.

Makers write them byte by byte, or the field's own libraries do; both sides read the same files.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tests import faults
from tests.fuzz.mutations import ANY, mutated
from tests.goods import GOODS, plain
from tests.makers import gguf, llmc, safetensors, shards, tensorflow, torch_files
from tests.test_faults import CASES, FORMATS, LLMC, as_safetensors, between_shards, is_seen

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterator

DATA = Path(__file__).resolve().parents[1] / "data"
PLANTED = 20
"""How many faults are planted in each good checkpoint, of several hundred that there are."""

MUTATED = 60
"""How many files with random damage there are of each format."""

SEEDS: dict[str, Callable[[], list[bytes]]] = {
    "model.safetensors": safetensors.seeds,
    "model.safetensors.index.json": shards.seeds,
    "model.gguf": gguf.seeds,
    "model.bin": llmc.seeds,
    "pytorch_model.bin": torch_files.seeds,
    "pytorch_model.pt": torch_files.legacy_seeds,
    "model.ckpt.index": tensorflow.seeds,
}
"""Small files of each format, with what the format allows, and the name that such a file has."""


class Checkpoint(NamedTuple):
    """A file that is yet to be written, and what it is held against.

    Args:
        name: what is special about it.
        write: writes it into a folder, and returns the target.
        config: what it is verified against as well; None for nothing but itself.
        full: whether its values are read, and its head compared.
    """

    name: str
    write: Callable[[Path], object]
    config: dict[str, Any] | None = None
    full: bool = False


def asked(checkpoint: Checkpoint, folder: Path, home: Path) -> Iterator[tuple[str, list[Any], dict[str, Any]]]:
    """Write a checkpoint, and yield what is asked of it; paths are relative to `home`, as the questions give them."""
    folder.mkdir(parents=True)
    target = os.path.relpath(str(checkpoint.write(folder) or folder), home)
    if checkpoint.config is not None:
        yield "verify", [target, checkpoint.config], {}
    if checkpoint.config is None or checkpoint.full:
        yield "verify", [target], {}
    if checkpoint.full:
        yield "verify", [target, checkpoint.config], {"tying": True, "values": True}
    yield "infer", [target], {}


def checkpoints(chance: random.Random, *, libraries: bool) -> list[Checkpoint]:
    """Return every checkpoint; `libraries` for those that transformers and torch write, which takes a few seconds."""
    found = [*_goods(chance), *_formats(), *_damaged(chance)]
    return [*found, *_by_libraries()] if libraries else found


def _goods(chance: random.Random) -> Iterator[Checkpoint]:
    """Yield each good checkpoint in each format, and in each some faults; then other configs, and faults of shards."""
    for form, good in CASES:
        write = FORMATS[form][0]

        def put(tensors: list[faults.Tensor], write: Callable[[Path, list[faults.Tensor]], str] = write) -> Any:
            return lambda folder: write(folder, tensors)

        yield Checkpoint(f"{form}, {good.name}", put(good.tensors), good.config, full=True)
        planted = [each for each in faults.single(good.tensors) if is_seen(each, good)]
        for each in chance.sample(planted, PLANTED):
            yield Checkpoint(f"{form}, {good.name}, {each.id}", put(each.tensors), good.config)
    for good in GOODS:
        write = as_safetensors
        yield Checkpoint(f"a folder, {good.name}", _in_folder(good.tensors, good.config))
        for tensors in faults.of_other_dtypes(good.tensors):
            yield Checkpoint(f"other dtypes, {good.name}", _in_folder(tensors, good.config))
        for what, config in faults.configs(good.config):
            yield Checkpoint(f"{good.name} against {what}", put(good.tensors, write), config)
            yield Checkpoint(f"a folder, {good.name} with {what}", _in_folder(good.tensors, config))
    for name in ("bare", "nanogpt", "raschka"):
        good = plain(name)
        for what, tensor, parts, index in chance.sample(list(between_shards(good.tensors)), PLANTED):
            write_shards = _shards(parts, index)
            yield Checkpoint(f"shards, {name}, {what}, {tensor}", write_shards, good.config)


def _in_folder(tensors: list[faults.Tensor], config: dict[str, Any]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        as_safetensors(folder, tensors)
        (folder / "config.json").write_text(json.dumps({"model_type": "gpt2", **config}), encoding="utf-8")

    return write


def _shards(parts: dict[str, list[faults.Tensor]], index: bytes) -> Callable[[Path], str]:
    return lambda folder: shards.write(folder, parts, index)


def _bytes(name: str, content: bytes) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        (folder / name).write_bytes(content)
        return folder / name

    return write


def _formats() -> Iterator[Checkpoint]:
    """Yield what only some formats have: headers that say the sizes, quantized tensors, a Saver's index, seeds."""
    for version in (1, 3, 5):
        whole = llmc.content(version=version, **LLMC)
        yield Checkpoint(f"llm.c {version}", _bytes("model.bin", whole), LLMC, full=True)
        for field in LLMC:
            for change in (-1, 1, 2, 128):
                sizes = {**LLMC, field: LLMC[field] + change}
                start = llmc.header(version=version, padded=0 if version == 1 else 128, **sizes)
                write = _bytes("model.bin", start + whole[1024:])
                yield Checkpoint(f"llm.c {version}, {field} {change:+}", write, LLMC)
    for dtype in ("F32", "F16", "BF16", "Q8_0", "Q4_0", "Q5_1"):
        for head in (False, True):
            sizes = {"n_layer": 2, "n_embd": 32, "n_positions": 16, "vocab_size": 11}
            tensors = gguf.gpt2_tensors(n_embd=32, n_positions=16, vocab_size=11, dtype=dtype, head=head)
            content = gguf.written(gguf.gpt2_metadata(**sizes), tensors)
            yield Checkpoint(f"gguf {dtype}{' with a head' * head}", _bytes("m.gguf", content), sizes, full=True)
            other = gguf.written(gguf.gpt2_metadata(**{**sizes, "n_layer": 3}), tensors)
            yield Checkpoint(f"gguf {dtype} of 3 blocks that has 2", _bytes("m.gguf", other))
    for name, make in SEEDS.items():
        for number, content in enumerate(make()):
            yield Checkpoint(f"{name}, seed {number}", _bytes(name, content))
    for path in sorted((DATA / "checkpoints" / "tensorflow").glob("*.index")):
        yield Checkpoint(f"a Saver's {path.name}", _copied(path), full=False)
    yield Checkpoint("an empty folder", lambda folder: folder)
    yield Checkpoint("no file", lambda folder: folder / "model.safetensors")
    for path in sorted(DATA.glob("config_*.json")):
        yield Checkpoint(f"a config alone, {path.name}", _bytes("config.json", path.read_bytes()))


def _copied(index: Path) -> Callable[[Path], Path]:
    def write(folder: Path) -> Path:
        for each in index.parent.glob(index.name.removesuffix("index") + "*"):
            (folder / each.name).write_bytes(each.read_bytes())
        return folder / index.name

    return write


def _damaged(chance: random.Random) -> Iterator[Checkpoint]:
    """Yield files of each format with random damage."""
    for name, make in SEEDS.items():
        seeds = tuple(make())
        for number in range(MUTATED):
            yield Checkpoint(f"{name}, damage {number}", _bytes(name, mutated(seeds, ANY, chance)))


def _by_libraries() -> Iterator[Checkpoint]:
    """Yield what transformers, safetensors and torch write."""
    import torch
    from transformers.utils import logging

    from tests.test_good_files import GOOD, SHARING, SIZES, by_torch  # loads transformers

    torch.manual_seed(0)
    logging.set_verbosity_error()  # type: ignore[no-untyped-call]
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]

    for name, save in GOOD.items():
        yield Checkpoint(name, _saved(save), SIZES, full=True)
    for name, (change, _) in SHARING.items():

        def changed(state: dict[str, Any], change: Callable[[dict[str, Any]], object] = change) -> dict[str, Any]:
            change(state)
            return state

        yield Checkpoint(f"shared memory, {name}", _saved(by_torch(changed)), SIZES)


def _saved(save: Callable[[Path], object]) -> Callable[[Path], None]:
    def write(folder: Path) -> None:
        save(folder)

    return write
