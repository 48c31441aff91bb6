"""Objects in a pickle that hold no model: nothing builds them, a note names them, and what could do harm is refused."""

from __future__ import annotations

import argparse
import datetime as dt
import enum
import os
import pathlib
import subprocess
from collections import OrderedDict, defaultdict, deque
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
import torch

from gpt2calc.checkpoints.machine import MOST_OPCODES
from tests.loops import of_each
from tests.makers import torch_files as make
from tests.test_torch_files import listed, problem, saved


@dataclass
class GPTConfig:
    """A config as training scripts have it."""

    n_layer: int = 2
    betas: tuple[float, float] = (0.9, 0.95)
    extra: dict[str, Any] = field(default_factory=dict)


class AttributeDict(dict[str, Any]):
    """Lightning's hyper_parameters are of such a class."""


class Kind(enum.Enum):
    """Megatron-LM's arguments have members of such."""

    ENCODER = 1


class Made:
    """What says, when it is pickled, what is to be called."""

    def __init__(self, function: object, *arguments: object) -> None:
        self.reduced = function, arguments

    def __reduce__(self) -> Any:
        return self.reduced


MODEL = {"wte.weight": torch.zeros(3, 2)}

OBJECTS: dict[str, object] = {
    "argparse.Namespace": argparse.Namespace(hidden_size=16, path=pathlib.Path("a/b"), kind=Kind.ENCODER),
    "tests.test_opaque_objects.GPTConfig": GPTConfig(extra={"a": [1, 2]}),
    "tests.test_opaque_objects.AttributeDict": AttributeDict(lr=0.1, n_layer=2),
    "numpy._core.multiarray.scalar": {"loss": np.float64(0.5), "step": np.int64(3)},
    "numpy._core.multiarray._reconstruct": ("MT19937", np.arange(3, dtype=np.uint32)),
    "pathlib": pathlib.PurePosixPath("out/ckpt.pt"),
    "collections.deque": deque([1, 2], maxlen=4),
    "datetime.datetime": dt.datetime(2024, 5, 1, tzinfo=dt.UTC),
    "tests.test_opaque_objects.Kind": Kind.ENCODER,
}
"""Objects that people's checkpoints have beside the model, by what the note names."""


@of_each("form", ["zip", "legacy"])
@of_each("name", OBJECTS)
def test_an_object_beside_the_model_is_not_built_and_is_told(name: str, form: str) -> None:
    """In both of PyTorch's formats; the tensors beside it are listed."""
    listing = listed(saved({"model": MODEL, "what": OBJECTS[name]}, form))
    assert [tensor.name for tensor in listing.tensors] == ["wte.weight"]
    (note,) = listing.notes
    assert "not built, and nothing in " in note
    assert name in note


def test_containers_that_are_known_are_no_objects() -> None:
    """They are read as what they are, and no note is needed."""
    found = {"model": OrderedDict(MODEL), "counts": defaultdict(int, {"a": 1}), "set": {1, 2}, "none": None}
    assert listed(saved(found)).notes == ()


def test_many_objects_are_named_by_three_classes() -> None:
    """The note says how many there are, however many classes they are of."""
    kinds = [type(f"Class{n}", (), {"__module__": __name__}) for n in range(5)]
    globals().update({kind.__name__: kind for kind in kinds})
    (note,) = listed(saved({"model": MODEL, "rest": [kind() for kind in kinds for _ in range(2)]})).notes
    assert note.startswith("10 objects were not built, and nothing in them is listed: tests.test_opaque_objects.Class0")
    assert note.endswith("Class2 and 2 classes more")


def test_a_tensor_in_an_object_is_not_listed() -> None:
    """Nothing is known of what the class does with it."""
    listing = listed(saved({"model": MODEL, "ema": AttributeDict(weight=torch.zeros(5))}))
    assert [tensor.name for tensor in listing.tensors] == ["wte.weight"]


REFUSED: dict[str, Made] = {
    "posix.system": Made(os.system, "exit 1"),
    "__builtin__.eval": Made(eval, "1"),
    "__builtin__.getattr": Made(getattr, "a", "b"),
    "commands.Popen": Made(subprocess.Popen, ["true"]),  # protocol 2 writes Python 2's names
    "itertools.imap": Made(map, print, [1]),
    "torch.serialization.load": Made(torch.load, "other.pt"),
    "numpy.load": Made(np.load, "x"),
}
"""Calls that a checkpoint has no use for, by what the sentence names."""


@pytest.mark.parametrize("name", REFUSED)
def test_a_function_is_refused_and_a_class_of_python_that_is_not_known(name: str) -> None:
    """It was not called in any case, but whoever wrote such a file means harm."""
    said = problem(saved({"model": MODEL, "x": REFUSED[name]}))
    assert said == f"expected only calls that rebuild tensors, got {name}"


def test_objects_cost_no_more_than_the_opcodes_that_ask_for_them() -> None:
    """As many objects as opcodes allow, each with a state and items, are read; one opcode more is refused."""
    one = b"cmy.config\nConfig\n)\x81}b0"
    fit = (MOST_OPCODES - 2) // 6
    assert f"got none; {fit:,} objects were not built" in problem(make.around(b"\x80\x02" + one * fit + b"}."))
    assert "opcodes, got a longer one" in problem(make.around(b"\x80\x02" + one * (fit + 99) + b"}."))
