"""Which of the things in a checkpoint are the model's tensors: a state_dict, or what training loops wrap around one.

It knows the keys that people store a state_dict under, and not what a tensor is: whoever asks says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.errors import shortened, shown
from gpt2calc.listing import MOST_NAME_CHARACTERS, MOST_TENSORS

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeAlias

    Place: TypeAlias = tuple[tuple[str | None, ...], object]
    """A tensor behind the keys on the way to it; None is a key that is no text."""

WRAPPERS = ("model", "state_dict", "model_state_dict", "model_state", "module", "net", "network", "weights", "params")
"""The keys that a state_dict is stored under, the one that wins first: of nanoGPT, Lightning, DeepSpeed and others."""

MODEL_ARGS = "model_args"
"""The key that nanoGPT stores the arguments of its model under."""

MOST_CONTAINER_DEPTH = 8
"""How many dictionaries and lists may lie in each other above a tensor. Megatron-LM's are five."""

PACKED_PARAMS = "_packed_params._packed_params"
"""Under this name PyTorch's quantised layers keep a pair, weight and bias, which are called by their places.

Source: PyTorch, torch/ao/nn/quantized/modules/linear.py, `LinearPackedParams._save_to_state_dict`.
"""

NO_TEXT = "?"
"""What a key that is no text is shown as. Optimizers have such keys."""


class StateDict(NamedTuple):
    """The tensors of a model, each with its name, what the checkpoint says of the config, and what one should know."""

    tensors: tuple[tuple[str, object], ...]
    fields: Mapping[str, object]
    notes: tuple[str, ...]


def find(top: object, is_tensor: Callable[[object], bool], most: int = MOST_TENSORS) -> StateDict:
    """Return the tensors of the model in what a checkpoint holds.

    Law: where dictionaries lie in each other, a tensor's name is the keys on the way to it, joined by dots. Where there
    are tensors under one of `WRAPPERS`, those are the model's, and all others, such as the optimizer's, are not listed.
    Nor is a tensor in a list, or on whose way there is a key that is no text. A note tells of them.

    Args:
        top: what the checkpoint holds. A dictionary in it may occur many times, or in itself: it is entered once.
        is_tensor: tells what a tensor is.
        most: how many tensors there may be.

    Raises:
        ValueError: there are no tensors by name, or too many, or two have the same name.

    >>> find({"model": {"h": {"0": 1}}, "loss": 2}, lambda value: isinstance(value, int))
    StateDict(tensors=(('h.0', 1),), fields={}, notes=("1 tensor outside of 'model', such as 'loss', is not listed",))
    """
    places, deeper = _places(top, is_tensor, most)
    wrapper, own = _unwrapped([place for place in places if None not in place[0]])
    if not own:
        got = "a tensor" if is_tensor(top) else "none" if isinstance(top, Mapping) else f"an object of {_type(top)}"
        raise ValueError(f"expected tensors by name, got {got}")
    tensors = tuple((_name(keys[len(wrapper) :]), tensor) for keys, tensor in own)
    names = set()
    for name, _ in tensors:
        if name in names:
            raise ValueError(f"expected one tensor of each name, got two called {shown(name)}")
        names.add(name)
    notes = _notes(wrapper, places, own)
    if deeper:
        notes += (f"what lies in more than {MOST_CONTAINER_DEPTH} dictionaries or lists was not looked at",)
    return StateDict(tensors, _fields(top), notes)


def is_zero_shard(top: object, found: StateDict | None, numel: Callable[[object], int]) -> bool:
    """Return whether a checkpoint is a shard of ZeRO: an optimizer's without a model, or a model without elements.

    Source: deepspeed, runtime/zero/stage_1_and_2.py and stage3.py, `state_dict`, and utils/zero_to_fp32.py.
    """
    if not isinstance(top, Mapping):
        return False
    states = top.get("optimizer_state_dict")
    is_states = isinstance(states, Mapping) and "zero_stage" in states and not isinstance(top.get("module"), Mapping)
    is_empty = found is not None and "param_shapes" in top and not any(numel(tensor) for _, tensor in found.tensors)
    return is_states or is_empty


def _places(top: object, is_tensor: Callable[[object], bool], most: int) -> tuple[list[Place], bool]:
    """Return the tensors in dictionaries, and in lists, where they have no name; and whether more may lie deeper."""
    found: list[Place] = []
    deeper: list[object] = []
    entered: dict[int, object] = {}  # with the dictionaries, so that no other takes the place of one in memory

    def enter(value: object, keys: tuple[str | None, ...], length: int) -> None:
        if not isinstance(value, (Mapping, list, tuple)) or not value or id(value) in entered:
            return
        entered[id(value)] = value
        if len(keys) > MOST_CONTAINER_DEPTH:
            deeper.append(value)
            return
        places = count()
        for key, inner in value.items() if isinstance(value, Mapping) else ((None, each) for each in value):
            part = key if isinstance(key, str) else None
            if part is None and keys and (keys[-1] or "").endswith(PACKED_PARAMS):
                part = str(next(places))
            longer = length + len(part or NO_TEXT)
            if not is_tensor(inner):
                enter(inner, (*keys, part), longer + 1)
            elif longer > MOST_NAME_CHARACTERS:
                got = f"one of {longer:,}"
                raise ValueError(f"expected names of at most {MOST_NAME_CHARACTERS:,} characters, got {got}")
            elif len(found) == most:
                raise ValueError(f"expected at most {most:,} tensors, got more")
            else:
                found.append(((*keys, part), inner))

    enter(top, (), 0)
    return found, bool(deeper)


def _unwrapped(places: list[Place]) -> tuple[tuple[str | None, ...], list[Place]]:
    """Return the keys that the model's tensors are wrapped in, and these tensors."""
    wrapper: tuple[str | None, ...] = ()
    while True:
        depth = len(wrapper)
        inner = {keys[depth] for keys, _ in places if len(keys) > depth + 1}
        first = next((key for key in WRAPPERS if key in inner), None)
        if first is None:
            return wrapper, places
        wrapper = (*wrapper, first)
        places = [place for place in places if place[0][:-1][: depth + 1] == wrapper]


def _fields(top: object) -> Mapping[str, object]:
    """Return the sizes and switches that nanoGPT stores beside the model."""
    given = top.get(MODEL_ARGS) if isinstance(top, Mapping) else None
    if not isinstance(given, Mapping):
        return {}
    scalar = (bool, int, float, str, type(None))
    return {name: value for name, value in given.items() if isinstance(name, str) and type(value) in scalar}


def _notes(wrapper: tuple[str | None, ...], places: list[Place], own: list[Place]) -> tuple[str, ...]:
    others = len(places) - len(own)
    if not others:
        return ()
    listed = {keys for keys, _ in own}
    example = next(_name(keys) for keys, _ in places if keys not in listed)
    count = "1 tensor" if others == 1 else f"{others:,} tensors"
    verb = "is" if others == 1 else "are"
    where = f"outside of {shown(_name(wrapper))}" if wrapper else "in lists, or under keys that are no text"
    return (f"{count} {where}, such as {shown(shortened(example))}, {verb} not listed",)


def _name(keys: tuple[str | None, ...]) -> str:
    return ".".join(NO_TEXT if key is None else key for key in keys)


def _type(value: object) -> str:
    of = type(value)
    return shortened(of.__name__ if of.__module__ == "builtins" else f"{of.__module__}.{of.__name__}")
