"""What torch and transformers say: a model built from a config without weights, and a checkpoint really loaded.

The only file that imports them, inside its functions. Nothing here counts by a formula or by the tensor table: it gives
what `named_parameters()` gives, and `matching` holds that against the table.
"""

from __future__ import annotations

import os
import re
from pickle import UnpicklingError  # what torch.load raises; nothing is unpickled here
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.checkpoints import live
from gpt2calc.dialects.respellings import respelled
from gpt2calc.dims import to_fields
from gpt2calc.errors import ConfigError, UnreadableInputError, install, printable, shortened
from gpt2calc.fields import CLASSES
from gpt2calc.listing import Fault

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from gpt2calc.dialects.base import Reading
    from gpt2calc.dims import Dims
    from gpt2calc.listing import StoredTensor, TensorListing

FROM_PRETRAINED = ("safetensors", "torch zip", "torch legacy")
"""The formats that `from_pretrained` finds in a folder by itself."""

EXTRA = f"torch and transformers: {install('weights')}"
"""What this file needs, and how to get it."""

MOST_BUILT_BLOCKS = 1000
"""How many blocks transformers is let build: a second on the meta device, whatever number a config gives."""


class Asked(NamedTuple):
    """What an oracle gave.

    Args:
        how: how it was asked.
        parameters: the sum of `numel()` over `parameters()`; None where tensors were loaded and no module.
        listing: every parameter.
        faults: what it complained about.
    """

    how: str
    parameters: int | None
    listing: TensorListing
    faults: tuple[Fault, ...] = ()


def built(dims: Dims, name: str, n_head: int | None = None, *, alone: bool = False) -> Asked:
    """Let transformers build the model of a config on torch's meta device, which stores no values.

    Args:
        dims: sizes and flags as Python ints.
        name: what the user called it.
        n_head: attention heads; 1 where they are not known, since no count depends on them.
        alone: whether the config is all that there is, so that nothing else can be judged.

    Raises:
        ConfigError: transformers is not installed, or has no model of this structure.

    Source: transformers, modeling_gpt2.py; torch, the device `meta`.
    """
    try:
        torch, _ = _guests()
    except ConfigError:
        if not alone:
            raise
        raise ConfigError(
            f"{name} is a config alone, with no weights to read; holding it against the model that transformers "
            f"builds needs {EXTRA}"
        ) from None
    try:
        with torch.device("meta"):
            model = _class(dims)(_config(dims, n_head))
    except (RuntimeError, TypeError, OverflowError) as error:  # sizes that torch has no numbers for
        problem = printable(str(error).strip().partition(chr(10))[0])
        raise ConfigError(f"transformers cannot build it: {shortened(problem)}") from None
    return _asked(model, f"{type(model).__name__} built by transformers on torch's meta device", name)


def loaded(listing: TensorListing, reading: Reading, dims: Dims, n_head: int | None, folder: str | None) -> Asked:
    """Load the weights of a checkpoint, and give the parameters that then are in memory.

    A folder in transformers' own format is loaded by `from_pretrained`, as its users do. Other files are read by torch
    or safetensors.

    Args:
        listing: what the header says.
        reading: how its names are read.
        dims: the config's, that it is compared with.
        n_head: attention heads, where they are known.
        folder: the folder that it lies in, where the target is a folder.

    Raises:
        ConfigError: torch or transformers is not installed, or does not load such values.
        UnreadableInputError: the weights cannot be loaded.
    """
    torch, transformers = _guests()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    names_of_transformers = reading.dialect.name == "huggingface" and not reading.wrapper
    try:
        if folder is not None and names_of_transformers and _has(dims) and listing.format in FROM_PRETRAINED:
            return _from_pretrained(folder, _variant(listing), _config(dims, n_head), _class(dims), listing.name)
        read = live.read(dict(_tensors(torch, listing)))
    except ConfigError:
        raise
    except (OSError, RuntimeError, ValueError, KeyError, EOFError, UnpicklingError, AttributeError, TypeError) as error:
        problem = f"it cannot be loaded: {printable(str(error).strip().partition(chr(10))[0])}"
        raise UnreadableInputError(listing.name, problem) from None
    how = f"{len(read.tensors):,} tensors, loaded by torch with their values"
    return Asked(how, None, read._replace(name=listing.name))


def numel(model: object) -> int | None:
    """Return the sum of `numel()` over the parameters of a live module; None for a state_dict, which has none."""
    parameters = getattr(model, "parameters", None)
    return sum(parameter.numel() for parameter in parameters()) if callable(parameters) else None


def _variant(listing: TensorListing) -> str | None:
    """Return the variant that a file's name says, as in model.fp16.safetensors or model.safetensors.index.fp16.json."""
    name = os.path.basename(listing.files[0].path)
    found = re.fullmatch(
        r"(?:model|pytorch_model)(?:\.(?:safetensors|bin)\.index)?\.([^.]+)\.(?:safetensors|bin|json)", name
    )
    return found[1] if found and found[1] != "index" else None


def _from_pretrained(folder: str, variant: str | None, config: Any, kind: Any, name: str) -> Asked:
    model, told = kind.from_pretrained(
        folder,
        variant=variant,
        config=config,
        output_loading_info=True,
        ignore_mismatched_sizes=True,
        local_files_only=True,
        dtype="auto",
    )
    faults = [
        Fault(what, str(key[0] if isinstance(key, tuple) else key), f"transformers reports it as {what} while loading")
        for what in ("missing", "unexpected", "mismatched")
        for key in sorted(told.get(f"{what}_keys", ()))
    ]
    how = f"{kind.__name__}.from_pretrained, with its weights in memory"
    return _asked(model, how, name)._replace(faults=tuple(faults))


def _tensors(torch: Any, listing: TensorListing) -> Iterator[tuple[str, Any]]:
    """Yield every tensor with its values: read by the format's own library where it has one, else from its bytes."""
    files = dict.fromkeys(tensor.file for tensor in listing.tensors if tensor.file)
    if listing.format == "safetensors":
        from safetensors.torch import load_file

        for file in files:
            loaded = load_file(file)
            yield from loaded.items()
            yield from _other_names(loaded, [tensor for tensor in listing.tensors if tensor.file == file])
    elif listing.format.startswith("torch"):
        for file in files:
            yield from _state(torch.load(file, map_location="cpu", weights_only=True), listing)
    else:
        for tensor in listing.tensors:
            yield tensor.name, _from_bytes(torch, tensor)


def _other_names(loaded: Mapping[str, Any], tensors: list[StoredTensor]) -> Iterator[tuple[str, Any]]:
    """Yield the names under which the file's metadata says that a tensor is to be found as well."""
    at = {tensor.memory: tensor.name for tensor in tensors if tensor.name in loaded and tensor.storage}
    for tensor in tensors:
        if tensor.name not in loaded and tensor.memory in at:
            yield tensor.name, loaded[at[tensor.memory]]


def _state(loaded: Any, listing: TensorListing) -> Iterator[tuple[str, Any]]:
    """Yield the tensors of a state_dict, which may lie one level down, as in nanoGPT's ckpt.pt."""
    names = {tensor.name for tensor in listing.tensors}
    for held in (loaded, *(value for value in loaded.values() if isinstance(value, dict))):
        new = respelled([name for name in held if isinstance(name, str)])
        found = {new.get(name, name): value for name, value in held.items() if hasattr(value, "numel")}
        found = {name: value for name, value in found.items() if name in names}
        if found:
            yield from found.items()
            return


def _from_bytes(torch: Any, tensor: StoredTensor) -> Any:
    """Return a tensor made of the bytes that the header points to."""
    kinds = {"F64": torch.float64, "F32": torch.float32, "F16": torch.float16, "BF16": torch.bfloat16}
    if tensor.dtype not in kinds or tensor.file is None or tensor.offset is None:
        raise ConfigError(f"{tensor.name} is {tensor.dtype}, whose values torch does not load")
    if not tensor.numel:
        return torch.empty(tensor.shape, dtype=kinds[tensor.dtype])
    with open(tensor.file, "rb") as file:
        file.seek(tensor.offset)
        content = bytearray(file.read(tensor.nbytes))
    return torch.frombuffer(content, dtype=kinds[tensor.dtype]).reshape(tensor.shape)


def _asked(model: Any, how: str, name: str) -> Asked:
    listing = live.read(model)
    parameters = {key for key, _ in model.named_parameters(remove_duplicate=False)}
    kept = tuple(tensor for tensor in listing.tensors if tensor.name in parameters)
    total = sum(parameter.numel() for parameter in model.parameters())
    return Asked(how, total, listing._replace(name=name, tensors=kept))


def _has(dims: Dims) -> bool:
    """Whether transformers has a model of this structure: biases and ln_f cannot be switched off there."""
    return bool(dims.bias and dims.qkv_bias and dims.ln_f)


def _class(dims: Dims) -> Any:
    _, transformers = _guests()
    head = to_fields(dims)["head"]
    return getattr(transformers, next(name for name, each in CLASSES.items() if each == head))


def _config(dims: Dims, n_head: int | None) -> Any:
    _, transformers = _guests()
    if dims.n_layer > MOST_BUILT_BLOCKS:
        raise ConfigError(
            f"expected at most {MOST_BUILT_BLOCKS:,} blocks for transformers to build, got {dims.n_layer:,}"
        )
    if not _has(dims):
        raise ConfigError(
            "transformers builds no GPT-2 without biases or ln_f: there is no meta evidence of this config"
        )
    fields = {key: value for key, value in to_fields(dims).items() if key not in ("head", "bias", "qkv_bias", "ln_f")}
    return transformers.GPT2Config(**fields, n_head=n_head or 1, bos_token_id=None, eos_token_id=None)


def _guests() -> tuple[Any, Any]:
    """Import torch and transformers."""
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    try:
        import torch
        import transformers
    except ImportError:
        raise ConfigError(f"meta and weights evidence need {EXTRA}") from None
    return torch, transformers
