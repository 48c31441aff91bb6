"""Live models: from a `torch.nn.Module` or a state_dict in memory to a listing.

Neither torch nor numpy is imported here: whoever has a model or arrays has imported it.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from gpt2calc.checkpoints import state_dicts
from gpt2calc.checkpoints.layout import DTYPES, row_major, stored
from gpt2calc.errors import UnreadableInputError, shortened, shown
from gpt2calc.fields import CLASSES
from gpt2calc.listing import StoredTensor, TensorListing

WRAPPED = ("module", "_orig_mod")
"""Where DistributedDataParallel and torch.compile keep the model that they wrap."""

MODULE, STATE_DICT = "live module", "state_dict"


def is_model(value: object) -> bool:
    """Return whether a value is a module of torch, or a mapping with tensors in it.

    >>> is_model({"n_layer": 12}), is_model("gpt2")
    (False, False)
    """
    if isinstance(value, Mapping):
        return _has_tensors(value)
    torch = sys.modules.get("torch")
    return torch is not None and isinstance(value, torch.nn.Module)


def read(model: object) -> TensorListing:
    """Return what a module would store, or what a state_dict holds.

    Law: two names of one parameter have the same `storage`, on any device. A buffer that is not persistent is not
    listed.

    Args:
        model: a `torch.nn.Module`, a state_dict, or a mapping with one in it, as nanoGPT saves.

    Raises:
        UnreadableInputError: there are no tensors by name, or one has no plain memory.

    Source: PyTorch, torch/nn/modules/module.py, `Module.state_dict`.
    """
    is_module = not isinstance(model, Mapping)
    name = type(model).__name__ if is_module else STATE_DICT
    try:
        found = state_dicts.find(model.state_dict() if is_module else model, _is_tensor)  # type: ignore[attr-defined]  # a module has one
    except ValueError as error:
        raise UnreadableInputError(name, str(error)) from None
    tensors = tuple(_stored(name, key, tensor) for key, tensor in found.tensors)
    return TensorListing(name, MODULE if is_module else STATE_DICT, tensors, (), found.fields, (), found.notes)


def config_of(model: object) -> Mapping[str, Any] | None:
    """Return the config that a module carries, of transformers or nanoGPT; None where it carries none.

    transformers keeps in `architectures` what a model was loaded as. What it is now is its class, or
    the class of transformers that this is derived from.
    """
    while model is not None and not isinstance(model, Mapping):
        config: Any = getattr(model, "config", None)
        if hasattr(config, "to_dict"):
            fields = dict(config.to_dict())
            is_gpt2 = fields.get("model_type") in (None, "gpt2")
            kind = next((each.__name__ for each in type(model).__mro__ if _is_known(each, is_gpt2)), None)
            return {**fields, "architectures": [kind]} if kind else fields
        if hasattr(config, "n_embd"):
            return {name: value for name, value in vars(config).items() if name != "dropout"}
        model = next((getattr(model, name) for name in WRAPPED if hasattr(model, name)), None)
    return None


def on_meta(model: object) -> bool:
    """Whether a live model's parameters are on torch's meta device, and so hold no values."""
    parameters = getattr(model, "parameters", None)
    first = next(iter(parameters()), None) if callable(parameters) else None
    return bool(getattr(first, "is_meta", False))


def _is_known(kind: type, is_gpt2: bool) -> bool:  # noqa: FBT001  # which of two names are looked for
    """Whether a class is one of transformers' models; of GPT-2's, whoever defines a class of that name."""
    return kind.__name__ in CLASSES if is_gpt2 else kind.__module__.startswith("transformers.models.")


def _has_tensors(top: Mapping[Any, Any]) -> bool:
    """Return whether a tensor is in a mapping, or in one within it; one that is in itself is entered once."""
    waiting, entered = [top], {id(top)}
    while waiting:
        for value in waiting.pop().values():
            if _is_tensor(value):
                return True
            if isinstance(value, Mapping) and id(value) not in entered:
                entered.add(id(value))
                waiting.append(value)
    return False


def _is_tensor(value: object) -> bool:
    torch, numpy = sys.modules.get("torch"), sys.modules.get("numpy")
    return bool(torch and isinstance(value, torch.Tensor)) or bool(numpy and isinstance(value, numpy.ndarray))


def _stored(name: str, key: str, tensor: Any) -> StoredTensor:
    """Return one tensor as it lies in memory."""
    if not hasattr(tensor, "untyped_storage"):
        return _of_numpy(name, key, tensor)
    try:
        storage = tensor.untyped_storage()
        shape, stride, begin = tuple(map(int, tensor.shape)), tuple(map(int, tensor.stride())), tensor.storage_offset()
    except (RuntimeError, NotImplementedError, AttributeError, ValueError):
        layout = "nested" if tensor.is_nested else str(tensor.layout).removeprefix("torch.")
        what = shown(shortened(type(tensor).__name__)) if layout == "strided" else f"a {layout} one"
        raise UnreadableInputError(name, f"expected {shown(key)} to be a dense tensor, got {what}") from None
    address = storage.data_ptr() if tensor.device.type == "cpu" else 0
    dtype, size = DTYPES.get(str(tensor.dtype).removeprefix("torch."), (str(tensor.dtype), tensor.element_size()))
    return StoredTensor(
        key,
        shape,
        dtype,
        stored(shape, stride) * size,
        offset=begin * size,
        storage=str(storage._cdata),  # noqa: SLF001 - a storage on the meta device has no address, and this is its identity
        stride=None if row_major(shape, stride) else stride,
        address=address + begin * size if address else None,
    )


def _of_numpy(name: str, key: str, array: Any) -> StoredTensor:
    """Return one array of numpy, as safetensors.numpy and jax's users have them."""
    if array.dtype.hasobject or array.dtype.names:
        raise UnreadableInputError(name, f"expected {shown(key)} to be an array of numbers, got one of {array.dtype}")
    shape, size = tuple(map(int, array.shape)), int(array.dtype.itemsize)
    dtype, _ = DTYPES.get(str(array.dtype), (str(array.dtype), size))
    stride = tuple(step // size for step in array.strides)
    own = array if array.base is None else array.base
    address = int(array.__array_interface__["data"][0])
    return StoredTensor(
        key,
        shape,
        dtype,
        stored(shape, stride) * size if array.size and min(stride, default=0) >= 0 else int(array.nbytes),
        storage=str(id(own)),
        stride=None if row_major(shape, stride) else stride,
        address=address or None,
    )
