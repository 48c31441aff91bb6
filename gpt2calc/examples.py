"""Small checkpoints to try things on: a config.json and a model.safetensors, good, or with one fault planted in it.

What `verify` says of each fault it finds by itself: this room must not know how a fault is found.
"""

from __future__ import annotations

import json
import os
import random
from array import array
from math import gcd, prod
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gpt2calc.architectures import gpt2
from gpt2calc.dims import Dims
from gpt2calc.errors import ConfigError, UnknownNameError, UnreadableInputError, shortened_path
from gpt2calc.fields import CLASSES
from gpt2calc.model import BIAS, BUFFER
from gpt2calc.output import OutputFile
from gpt2calc.sources import LEFT_OUT, LeftOut, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.model import Model as OtherModel
    from gpt2calc.sources import Model, Source

CONFIG, WEIGHTS = "config.json", "model.safetensors"
"""The files that are written."""

MOST_PARAMETERS = 5_000_000
"""Of an example: 20 MB of values, which Python draws in two seconds."""

SPREAD = 0.02
"""The standard deviation of fresh weights: transformers, initializer_range of GPT2Config."""

ELEMENT = 4
"""Bytes of an element of F32, and of I32."""

_DENSE = {
    "vocab_size": 250,
    "hidden_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "intermediate_size": 80,
}
SMALL: dict[str, dict[str, Any]] = {
    "gpt2": {"vocab_size": 250, "n_positions": 64, "n_embd": 48, "n_layer": 2, "n_head": 4},
    "llama": _DENSE,
    "qwen3": {**_DENSE, "head_dim": 16},
    "mixtral": {**_DENSE, "num_local_experts": 3, "num_experts_per_tok": 2},
    "mamba": {"vocab_size": 250, "hidden_size": 48, "num_hidden_layers": 2, "state_size": 8},
}
"""The sizes of an example where nobody gives any. No two of one model are the same, so that no fault hides."""


class Stored(NamedTuple):
    """A tensor as the file has it."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    component: str
    role: str


class Plan(NamedTuple):
    """What is written: the config, the tensors, the tensor that a fault is planted in, and what the file ends before.

    Args:
        document: the config.json.
        tensors: what the file holds, in order.
        chosen: the tensor that faults of a tensor are planted in.
        lost: bytes that are missing at the end of the file.
    """

    document: Mapping[str, Any]
    tensors: tuple[Stored, ...]
    chosen: Stored
    lost: int = 0

    def put(self, *instead: Stored) -> Plan:
        """Return the same with other tensors in the place of the chosen one."""
        place = self.tensors.index(self.chosen)
        return self._replace(tensors=(*self.tensors[:place], *instead, *self.tensors[place + 1 :]))


class Plant(Protocol):
    """What plants a fault."""

    def __call__(self, plan: Plan, /) -> Plan:
        """Return the plan with the fault in it."""


class Fault(NamedTuple):
    """A fault: what is wrong then, in a sentence, and what plants it."""

    sentence: str
    plant: Plant


def _of_layer(name: str) -> str:
    """Return how all names of a tensor's layer begin: `transformer.h.1.` of `transformer.h.1.ln_1.bias`."""
    words = name.split(".")
    place = next(place for place, word in enumerate(words) if word.isdecimal())
    return ".".join(words[: place + 1]) + "."


def _without_layer(plan: Plan) -> Plan:
    start = _of_layer(plan.chosen.name)
    return plan._replace(tensors=tuple(each for each in plan.tensors if not each.name.startswith(start)))


def _larger_vocabulary(plan: Plan) -> Plan:
    return plan._replace(document={**plan.document, "vocab_size": plan.document["vocab_size"] + 1})


FAULTS: dict[str, Fault] = {
    "missing": Fault("one tensor is not in the file", lambda plan: plan.put()),
    "extra": Fault(
        "the file holds one tensor that the model does not have",
        lambda plan: plan.put(plan.chosen, plan.chosen._replace(name=plan.chosen.name + "_2")),
    ),
    "renamed": Fault(
        "one tensor has a name that the model does not know",
        lambda plan: plan.put(plan.chosen._replace(name=plan.chosen.name + "s")),
    ),
    "shape": Fault(
        "one matrix has a row more than it should",
        lambda plan: plan.put(plan.chosen._replace(shape=(plan.chosen.shape[0] + 1, *plan.chosen.shape[1:]))),
    ),
    "transposed": Fault(
        "one matrix is stored turned round", lambda plan: plan.put(plan.chosen._replace(shape=plan.chosen.shape[::-1]))
    ),
    "dtype": Fault(
        "one tensor holds whole numbers, which no parameter is",
        lambda plan: plan.put(plan.chosen._replace(dtype="I32")),
    ),
    "layer": Fault("all tensors of one layer are not in the file", _without_layer),
    "config": Fault("config.json says a vocabulary that is one larger than the file's", _larger_vocabulary),
    "truncated": Fault(
        "the file ends before its last values, as a download does that broke off", lambda p: p._replace(lost=99)
    ),
}
"""The faults that can be planted, each with what is then wrong."""


class Example(NamedTuple):
    """What was written.

    Args:
        folder: the folder.
        files: the paths of its files.
        name: what was written, in a word or two.
        total: the parameters that its config counts.
        fault: the name of the fault; "" for none.
        tensor: the tensor that it is planted in, by its name in the file where it is there; "" where in no single one.
    """

    folder: str
    files: tuple[str, ...]
    name: str
    total: int
    fault: str
    tensor: str


def write(folder: str, model: Model | LeftOut, fields: Mapping[str, Any], fault: str | None = None) -> Example:
    """Write an example into a folder that is not there yet, or empty.

    Raises:
        UnknownNameError: no fault has this name.
        ConfigError: the folder is in use, the model is too large for an example, or has no place for the fault.
        UnreadableInputError: the files cannot be written.
    """
    if fault is not None and fault not in FAULTS:
        raise UnknownNameError("fault", fault, tuple(FAULTS))
    if not os.fspath(folder):
        raise ConfigError(f"expected a folder to write, got {folder!r}")
    source = _source(model, fields)
    counted = gpt2.model_of(source.counted)
    plan = _plan(source, counted, fault)
    planted = FAULTS[fault].plant(plan) if fault else plan
    files = tuple(os.path.join(folder, name) for name in (WEIGHTS, CONFIG))
    try:
        os.makedirs(folder, exist_ok=True)
        is_used = bool(os.listdir(folder))
    except OSError as error:
        raise UnreadableInputError(folder, f"cannot be written ({error.strerror})") from None
    if is_used:
        raise ConfigError(f"{shortened_path(folder)} is there already, and is not written over: name another folder")
    norms = {row.name for row in counted.components() if row.group == "layer_norm"}
    with OutputFile(files[0]) as file:
        file.write(_content(planted, norms))
    with OutputFile(files[1]) as file:
        file.write((json.dumps(planted.document, indent=2) + "\n").encode())
    of_tensor = fault in ("missing", "extra", "renamed", "shape", "transposed", "dtype")
    known = {each.name for each in plan.tensors}
    tensor = next((each.name for each in planted.tensors if each.name not in known), plan.chosen.name)
    name = str(planted.document["model_type"])
    return Example(folder, files, name, int(counted.total()), fault or "", tensor if of_tensor else "")


def _source(model: Model | LeftOut, fields: Mapping[str, Any]) -> Source:
    """Return the model that is asked for: one that is named, or a small one of a model type."""
    if model is not LEFT_OUT:
        return resolve(model, fields)
    kind = fields.get("model_type", "gpt2")
    small = SMALL.get(kind, {}) if isinstance(kind, str) else {}
    rest = {name: value for name, value in fields.items() if name != "model_type"}
    if not small:
        return resolve(LEFT_OUT, fields)
    own = ", ".join(f"{name}={value}" for name, value in rest.items())
    return resolve({"model_type": kind, **small}, rest)._replace(
        name=f"a small {kind}" + (f" with {own}" if own else "")
    )


def _plan(source: Source, counted: OtherModel, fault: str | None) -> Plan:
    """Return what a good example of a model holds.

    Raises:
        ConfigError: the model is too large, no config.json says what it is, or it has no place for a fault.
    """
    total = int(counted.total())
    if total > MOST_PARAMETERS:
        problem = f"{source.name} has {total:,} parameters, and an example at most {MOST_PARAMETERS:,}"
        types = ", ".join(SMALL)
        raise ConfigError(f"{problem}: give smaller sizes, or no model and one of the types {types}")
    given = {**(source.given or counted.document()), "dtype": "float32"}
    if isinstance(source.counted, Dims):
        head = given.pop("head", "lm")
        named = next(name for name, own in CLASSES.items() if own == head)
        heads = given.get("n_head") or gcd(source.counted.n_embd, SMALL["gpt2"]["n_head"])  # of no other size
        given = {"model_type": "gpt2", "architectures": [named], **given, "n_head": heads}
    document = {name: value for name, value in given.items() if name not in ("quantization_config", "torch_dtype")}
    if resolve(document, {}).counted != source.counted:
        raise ConfigError(f"{source.name}: no config.json of one model says what it is")
    tensors = tuple(Stored(each.name, "F32", each.shape, each.component, each.role) for each in counted.listing())
    matrices = [each for each in tensors if len(each.shape) == 2 and each.shape[0] != each.shape[1]]
    in_layers = [each for each in matrices if any(word.isdecimal() for word in each.name.split("."))]
    if fault and not in_layers:
        raise ConfigError(f"{source.name} has no layer that a fault could be planted in")
    return Plan(document, tensors, in_layers[len(in_layers) // 2] if in_layers else tensors[0])


def _content(plan: Plan, norms: set[str]) -> bytes:
    """Return the file: fresh weights, the same each time; norms begin with ones, biases and buffers with zeros.

    Source: transformers 5.23, modeling_gpt2.py, `_init_weights`.
    """
    draw = random.Random(0).gauss  # noqa: S311  # nothing is secret: the same values each time
    header: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    pieces, end = [], 0
    for each in plan.tensors:
        size = prod(each.shape)
        if each.dtype != "F32" or each.role in (BIAS, BUFFER):
            values = bytes(ELEMENT * size)
        elif each.component in norms:
            values = _little(array("f", [1.0]) * size)
        else:
            values = _little(array("f", (draw(0.0, SPREAD) for _ in range(size))))
        begin, end = end, end + len(values)
        header[each.name] = {"dtype": each.dtype, "shape": each.shape, "data_offsets": (begin, end)}
        pieces.append(values)
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    whole = b"".join((len(text).to_bytes(8, "little"), text, *pieces))
    return whole[: len(whole) - plan.lost]


def _little(values: array[float]) -> bytes:
    """Return values in the order of bytes that safetensors has."""
    import sys

    if sys.byteorder == "big":
        values.byteswap()
    return values.tobytes()
