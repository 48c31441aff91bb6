"""Fault injection: every single fault planted in a good checkpoint is found and named; a good one raises no alarm.

Files are written in each format and read through the public call, so that nothing between a byte and the verdict is
left out. How many faults were planted, and how many were found, is printed by `python -m tests.test_faults`.
"""

from __future__ import annotations

import re
import tempfile
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch

import gpt2calc
from tests import faults
from tests.goods import GOODS, plain
from tests.makers import gguf, llmc, safetensors, shards, tensorflow

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from tests.faults import Tensor
    from tests.goods import Good

    Write = Callable[[Path, list[Tensor]], str]

every_good = pytest.mark.parametrize("good", GOODS, ids=lambda good: good.name)

TORCH = {
    "F32": torch.float32,
    "F16": torch.float16,
    "BF16": torch.bfloat16,
    "I32": torch.int32,
    "U8": torch.uint8,
    "BOOL": torch.bool,
}


# Every format


def as_safetensors(path: Path, tensors: list[Tensor]) -> str:
    """Write one file of safetensors."""
    target = path / "model.safetensors"
    safetensors.write(target, tensors)
    return str(target)


def as_shards(path: Path, tensors: list[Tensor]) -> str:
    """Write three files of safetensors and their index."""
    return shards.write(path, shards.split(tensors, 3))


def as_zip(path: Path, tensors: list[Tensor]) -> str:
    """Let torch save a state_dict."""
    target = path / "pytorch_model.bin"
    torch.save({name: torch.zeros(shape, dtype=TORCH[dtype]) for name, dtype, shape in tensors}, target)
    return str(target)


def as_legacy(path: Path, tensors: list[Tensor]) -> str:
    """Let torch save a state_dict as it did before version 1.6."""
    target = path / "pytorch_model.pt"
    state = {name: torch.zeros(shape, dtype=TORCH[dtype]) for name, dtype, shape in tensors}
    torch.save(state, target, _use_new_zipfile_serialization=False)
    return str(target)


def as_gguf(path: Path, tensors: list[Tensor]) -> str:
    """Write a file of GGUF, without a word on its config."""
    target = path / "model.gguf"
    metadata = [("general.architecture", gguf.Value(gguf.TEXT, "gpt2"))]
    target.write_bytes(gguf.written(metadata, [gguf.Tensor(name, shape, dtype) for name, dtype, shape in tensors]))
    return str(target)


def as_tensorflow(path: Path, tensors: list[Tensor]) -> str:
    """Write an index of TensorFlow and its data file."""
    tensorflow.write(
        str(path / "model.ckpt"), [tensorflow.Tensor(name, shape, dtype) for name, dtype, shape in tensors]
    )
    return str(path / "model.ckpt")


FORMATS: dict[str, tuple[Write, Callable[[Good], bool]]] = {
    "safetensors": (as_safetensors, lambda good: True),
    "sharded safetensors": (as_shards, lambda good: True),
    "torch zip": (as_zip, lambda good: True),
    "torch legacy": (as_legacy, lambda good: True),
    "gguf": (as_gguf, lambda good: good.name == "gguf"),
    "tensorflow": (as_tensorflow, lambda good: good.name == "openai"),
}
"""How each format is written, and which good checkpoints it can hold."""

CASES = [(form, good) for form, (_, holds) in FORMATS.items() for good in GOODS if holds(good)]
ONE = {"gguf": "gguf", "tensorflow": "openai"}
SOME = [(form, good) for form, good in CASES if form == "safetensors" or good.name == ONE.get(form, "bare")]
"""Those that the tests plant faults in; the others differ in what is read and not in how, and are tried by `main`."""

ONE_IN = 5

NUMBER = re.compile(r"\d+")

every_format = pytest.mark.parametrize(("form", "good"), CASES, ids=lambda value: getattr(value, "name", value))
some_formats = pytest.mark.parametrize(("form", "good"), SOME, ids=lambda value: getattr(value, "name", value))


def verify(target: str, config: dict[str, Any]) -> gpt2calc.Verification:
    """Verify through the public call."""
    return gpt2calc.verify(target, config)


def missed(path: Path, good: Good, write: Write, every: Iterable[faults.Planted]) -> Iterator[str]:
    """Yield what was planted and not found, or found under another name."""
    for planted in every:
        if not is_seen(planted, good):
            continue
        try:
            found = verify(write(path, planted.tensors), good.config)
        except gpt2calc.UnreadableInputError as error:
            yield f"{planted.id}: refused, {error}"
            continue
        names = {fault.tensor for fault in found.faults}
        if found.matches or not names.intersection(planted.named):
            yield f"{planted.id}: {found.verdict}"


def is_seen(planted: faults.Planted, good: Good) -> bool:
    """Whether a fault makes another file: an axis of a 0-wide tensor cannot be one shorter."""
    return all(size >= 0 for _, _, shape in planted.tensors for size in shape) and planted.tensors != good.tensors


@every_format
def test_a_good_checkpoint_raises_no_alarm(tmp_path: Path, form: str, good: Good) -> None:
    """Nothing is wrong, the sums are equal in every component, and the verdict says so."""
    found = verify(FORMATS[form][0](tmp_path, good.tensors), good.config)
    assert found.faults == ()
    assert found.matches
    folded = (2 * good.config["n_layer"] + 1) * 2 * good.config["n_embd"] if good.name.endswith("folded") else 0
    assert found.total == gpt2calc.count(good.config).total - folded


@some_formats
def test_every_fault_of_a_single_tensor_is_found_and_named(tmp_path: Path, form: str, good: Good) -> None:
    """Dropped, renamed, added, transposed, reshaped, one row more or less, another dtype: each tensor, each fault.

    A tensor of a name that an earlier checkpoint has is left to that one. Of tensors that differ in the number of the
    layer alone each fault is planted in one, by turns in another; and of what is no safetensors a fault in `ONE_IN`:
    they differ in how they are read, and what they hold is held against the same tables. `main` plants every fault in
    each of them.
    """
    earlier = (other for its, other in SOME[: SOME.index((form, good))] if its == form)
    done = {planted.id for other in earlier for planted in faults.single(other.tensors) if is_seen(planted, other)}
    new = [planted for planted in faults.single(good.tensors) if planted.id not in done]
    alike: dict[str, list[faults.Planted]] = {}
    for planted in new:
        alike.setdefault(NUMBER.sub("#", planted.id), []).append(planted)
    new = [each[turn % len(each)] for turn, each in enumerate(alike.values())]
    some = new if form == "safetensors" else new[::ONE_IN]
    assert list(missed(tmp_path, good, FORMATS[form][0], some)) == []


@every_good
def test_a_component_may_have_a_dtype_of_its_own(tmp_path: Path, good: Good) -> None:
    """What a model has once, such as wte, ln_f or a head, may be kept in 32 bits: a note says so, and no fault."""
    for tensors in faults.of_other_dtypes(good.tensors):
        found = verify(as_safetensors(tmp_path, tensors), good.config)
        assert (found.faults, found.matches) == ((), True)
        assert any(note.endswith("where most tensors are " + good.tensors[0][1]) for note in found.notes)


@every_good
def test_every_changed_field_of_the_config_is_found(tmp_path: Path, good: Good) -> None:
    """A config that says something else than the file holds does not match it."""
    target = as_safetensors(tmp_path, good.tensors)
    for what, config in changed(good):
        found = verify(target, config)
        assert (what, found.matches) == (what, False)
        assert found.faults


def changed(good: Good) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the configs with a changed field that another file would be of."""
    expected = gpt2calc.tensors(good.config)
    for what, config in faults.configs(good.config):
        try:
            if config["n_layer"] < 100 and gpt2calc.tensors(config) == expected:
                continue  # it changes nothing that a file of this model holds
        except gpt2calc.ConfigError:
            continue
        yield what, config


# Faults between files


def between_shards(tensors: list[Tensor]) -> Iterator[tuple[str, str, dict[str, list[Tensor]], bytes]]:
    """Yield every fault that a tensor can have between three shards and their index: what, tensor, shards, index."""
    parts = shards.split(tensors, 3)
    names = list(parts)
    index = shards.index(parts)
    for shard, held in parts.items():
        others = [other for other in names if other != shard]
        for tensor in held:
            less = {name: [each for each in part if each != tensor] for name, part in parts.items()}
            yield "not in its shard", tensor[0], less, index
            yield "not in the index", tensor[0], parts, shards.index(less)
            for other in others:
                twice = {**parts, other: [*parts[other], tensor]}
                yield f"twice, in {other}", tensor[0], twice, index
                yield f"moved to {other}", tensor[0], {**less, other: [*less[other], tensor]}, index


@pytest.mark.parametrize("name", ["bare", "nanogpt", "raschka"])
def test_every_fault_between_shards_is_found_and_named(tmp_path: Path, name: str) -> None:
    """In no shard, in two, in another than the index says, or not in the index: each tensor, each shard."""
    good = plain(name)
    for what, tensor, parts, index in between_shards(good.tensors):
        found = verify(shards.write(tmp_path, parts, index), good.config)
        assert (what, tensor, found.matches) == (what, tensor, False)
        assert tensor in {fault.tensor for fault in found.faults}


# llm.c, whose names and shapes follow from its header


LLMC = {"n_layer": 2, "n_embd": 8, "n_positions": 16, "vocab_size": 11, "n_head": 2}


@pytest.mark.parametrize("version", [1, 3, 5])
def test_a_good_file_of_llm_c_raises_no_alarm(tmp_path: Path, version: int) -> None:
    """float32 without padding, float32, and bfloat16: a padded row is no parameter."""
    target = tmp_path / "model.bin"
    target.write_bytes(llmc.content(version=version, **LLMC))
    for found in (gpt2calc.verify(target, LLMC), gpt2calc.verify(target)):
        assert (found.faults, found.matches) == ((), True)
        assert found.total == gpt2calc.count(LLMC).total


@pytest.mark.parametrize("version", [1, 3, 5])
@pytest.mark.parametrize("field", LLMC)
def test_every_changed_number_of_llm_cs_header_is_found(tmp_path: Path, version: int, field: str) -> None:
    """Its size no longer fits, or it contradicts the config; no count depends on n_head, and the file says it."""
    assert list(missed_in_llmc(tmp_path, version, field)) == []


def missed_in_llmc(path: Path, version: int, field: str) -> Iterator[str]:
    """Yield changes of a header that were not found."""
    target = path / "model.bin"
    whole = llmc.content(version=version, **LLMC)
    for change in (-1, 1, 2, 128):
        sizes = {**LLMC, field: LLMC[field] + change}
        target.write_bytes(llmc.header(version=version, padded=0 if version == 1 else 128, **sizes) + whole[1024:])
        try:
            if gpt2calc.verify(target, LLMC).matches:
                yield f"{field} {change:+}"
        except gpt2calc.UnreadableInputError:
            continue


def test_there_are_good_checkpoints_to_plant_faults_in() -> None:
    """The tests above try thousands."""
    assert len(GOODS) > 20
    assert sum(1 for _ in chain.from_iterable(faults.single(good.tensors) for good in GOODS)) > 5000


def main() -> None:
    """Plant every fault in every format, and print how many were found."""
    planted = lost = legal = 0
    with tempfile.TemporaryDirectory() as there:
        folder = Path(there)
        for form, good in CASES:
            many = sum(is_seen(each, good) for each in faults.single(good.tensors))
            failed = list(missed(folder, good, FORMATS[form][0], faults.single(good.tensors)))
            alarms = len(verify(FORMATS[form][0](folder, good.tensors), good.config).faults)
            print(
                f"{form:20} {good.name:30}{many:6,} planted{many - len(failed):6,} found{alarms:3} false alarms",
                flush=True,
            )
            print(*failed[:5], sep="\n", end="\n" * bool(failed))
            legal += sum(1 for _ in faults.of_other_dtypes(good.tensors))
            planted, lost = planted + many, lost + len(failed)
        for good in GOODS:
            target = as_safetensors(folder, good.tensors)
            found = [verify(target, config).matches for _, config in changed(good)]
            planted, lost = planted + len(found), lost + sum(found)
        for name in ("bare", "nanogpt", "raschka"):
            good = plain(name)
            for _, tensor, parts, index in between_shards(good.tensors):
                faulty = verify(shards.write(folder, parts, index), good.config).faults
                planted, lost = planted + 1, lost + (tensor not in {fault.tensor for fault in faulty})
    print(f"in all, configs and shards among it: {planted:,} planted, {planted - lost:,} found")
    print(f"{legal:,} more, a dtype of its own for what a model has once, are faults no longer")


if __name__ == "__main__":
    main()
