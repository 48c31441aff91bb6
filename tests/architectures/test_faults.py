"""Fault injection in files of every family: each single fault is found and named, and a good file raises no alarm.

Files are headers before holes, of a small random config of each model type. Every kind of fault is planted in every
type, in a tensor of its own; `python -m tests.architectures.test_faults` plants each in each tensor.
"""

from __future__ import annotations

import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import gpt2calc
from gpt2calc.architectures import FILES, reading
from tests.architectures.drawing import configs
from tests.architectures.modules import EVERY
from tests.makers import safetensors

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.faults import Tensor

SINGLE: dict[str, Callable[[str, tuple[int, ...]], list[Tensor]]] = {
    "missing": lambda name, shape: [],
    "added": lambda name, shape: [(name, "F32", shape), (f"{name}.more", "F32", shape)],
    "longer": lambda name, shape: [(name, "F32", (*shape[:-1], shape[-1] + 1) if shape else shape)],
    "transposed": lambda name, shape: [(name, "F32", shape[::-1])],
    "integers": lambda name, shape: [(name, "I32", shape)],
    "other dtype": lambda name, shape: [(name, "F16", shape)],
    "renamed": lambda name, shape: [(f"{name[:-1]}_", "F32", shape)],
}
"""What stands in the place of a tensor with a fault."""

SEVERAL = {"no layer": 0, "no copy": 1}
"""What is missing as a whole: all that stands under the first number of a name, and under the second."""

KINDS = (*SINGLE, *SEVERAL)


class Planted(NamedTuple):
    """A checkpoint with a fault: what it then holds, and the names of which a report gives each, and no other."""

    tensors: list[Tensor]
    named: frozenset[str]


def good(model_type: str) -> tuple[dict[str, Any], list[Tensor]]:
    """Return a config with layers, and the tensors of its file."""
    for document in configs(model_type):
        model = reading.read(document).model
        if document.get("num_hidden_layers") != 0 and len(list(model.listing())) > 3:
            return document, [(each.name, "F32", each.shape) for each in model.listing()]
    raise AssertionError(model_type)


def plant(kind: str, place: int, tensors: list[Tensor]) -> Planted | None:
    """Plant a fault in one tensor; None where it is none there, such as of a square matrix that is transposed."""
    name, _, shape = tensors[place]
    if kind in SEVERAL:  # everything that stands under the first number of a name, or under the second
        numbers = [match.end() for match in re.finditer(r"\.\d+\.", name)]
        whole = name[: numbers[SEVERAL[kind]]] if len(numbers) > SEVERAL[kind] else "none"
        gone = frozenset(each for each, _, _ in tensors if each.startswith(whole))
        named = frozenset({whole[:-1]}) if len(gone) > 1 else gone  # one sentence for all of it
        return Planted([each for each in tensors if each[0] not in gone], named) if gone else None
    template = re.sub(r"\d+", "0", name)
    alike = sum(re.sub(r"\d+", "0", each) == template for each, _, _ in tensors)
    if kind == "other dtype" and alike < 3:  # of two that differ, either may be the one that is wrong
        return None
    new = SINGLE[kind](name, shape)
    if tensors[place] in new and len(new) == 1:
        return None
    others = {each[0] for each in new if each != tensors[place]} | ({name} if tensors[place] not in new else set())
    return Planted([*tensors[:place], *new, *tensors[place + 1 :]], frozenset(others))


def planted(tensors: list[Tensor], *, every: bool = False) -> Iterator[tuple[str, Planted]]:
    """Yield each kind of fault once, in tensors from all over a file; or each in every tensor."""
    for nth, kind in enumerate(KINDS):
        start = nth * len(tensors) // len(KINDS)
        for place in (*range(start, len(tensors)), *range(start)):
            found = plant(kind, place, tensors)
            if found is not None and found.named:
                yield f"{kind} {tensors[place][0]}", found
                if not every:
                    break


def missed(folder: Path, model_type: str, *, every: bool = False) -> Iterator[str]:
    """Yield what was planted and not found, or not named alone, and what a good file is accused of."""
    document, tensors = good(model_type)
    path = folder / "model.safetensors"
    safetensors.write(path, tensors)
    found = gpt2calc.verify(path, document)
    if not found.matches:
        yield f"a false alarm: {found.verdict}"
    for what, bad in planted(tensors, every=every):
        safetensors.write(path, bad.tensors)
        faults = gpt2calc.verify(path, document).faults
        if {fault.tensor for fault in faults} != bad.named:
            yield f"{what}: {[(fault.kind, fault.tensor) for fault in faults]}"


@EVERY
def test_every_fault_is_found_and_named_and_nothing_else(model_type: str, tmp_path: Path) -> None:
    """And a good file, which is what a config of this type says, is accused of nothing."""
    assert list(missed(tmp_path, model_type)) == []


def test_every_kind_of_fault_is_planted() -> None:
    """In a mixture of experts all of them, so that the test above tries some of each."""
    kinds = {what.rpartition(" ")[0] for what, _ in planted(good("mixtral")[1])}
    assert kinds == set(KINDS)


def main() -> None:
    """Plant every fault in every tensor of every type's file, and print how many were found."""
    number = lost = 0
    with tempfile.TemporaryDirectory() as folder:
        for model_type in FILES:
            if model_type == "gpt2":  # tests.test_faults plants them there
                continue
            many = sum(1 for _ in planted(good(model_type)[1], every=True))
            failed = list(missed(Path(folder), model_type, every=True))
            print(f"{model_type:20}{many:6,} planted{many - len(failed):6,} found", *failed[:3], sep="\n  ", flush=True)
            number, lost = number + many, lost + len(failed)
    print(f"in all: {number:,} planted, {number - lost:,} found")


if __name__ == "__main__":
    main()
