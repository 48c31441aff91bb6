"""Live models are listed as they would be stored: what state_dict() shows, with the memory that names share."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from types import MappingProxyType, SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
import torch
from torch import nn
from transformers import GPT2Config, GPT2LMHeadModel

from gpt2calc.checkpoints import live
from gpt2calc.checkpoints.layout import DTYPES
from gpt2calc.errors import UnreadableInputError
from tests.conftest import environment
from tests.loops import of_each

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

SMALL: dict[str, Any] = {"n_layer": 1, "n_embd": 8, "n_head": 2, "n_positions": 4, "vocab_size": 9}
TOKENS: dict[str, Any] = {"bos_token_id": None, "eos_token_id": None}
ARGUMENTS: dict[str, Any] = {"n_layer": 1, "n_embd": 8, "n_head": 2, "block_size": 4, "vocab_size": 9, "bias": True}


def gpt2(**fields: Any) -> GPT2LMHeadModel:
    """Return a small model of transformers."""
    return GPT2LMHeadModel(GPT2Config(**SMALL, **TOKENS, **fields))


@dataclass
class GPTConfig:
    """The config of nanoGPT's model.py."""

    block_size: int = 4
    vocab_size: int = 9
    n_layer: int = 1
    n_head: int = 2
    n_embd: int = 8
    dropout: float = 0.0
    bias: bool = True


class GPT(nn.Module):
    """A part of a model as nanoGPT makes it: a tied head, a mask that is a buffer, and a config."""

    def __init__(self, config: object) -> None:
        super().__init__()
        self.config = config
        self.wte = nn.Embedding(9, 8)
        self.lm_head = nn.Linear(8, 9, bias=False)
        self.wte.weight = self.lm_head.weight
        self.register_buffer("bias", torch.ones(1, 1, 4, 4, dtype=torch.bool))
        self.register_buffer("cached", torch.ones(4), persistent=False)


# What is a model

IN_ITSELF: dict[str, Any] = {"n_layer": 12}
IN_ITSELF["self"] = {"again": IN_ITSELF}

MODELS: dict[str, object] = {
    "a module": nn.Linear(2, 2),
    "a module without parameters": nn.ReLU(),
    "a state_dict": nn.Linear(2, 2).state_dict(),
    "a dict of parameters": dict(nn.Linear(2, 2).named_parameters()),
    "a mapping that is no dict": MappingProxyType({"wte": torch.zeros(1)}),
    "nanoGPT's checkpoint": {"iter_num": 1, "model_args": ARGUMENTS, "model": {"wte": torch.zeros(1)}},
    "a checkpoint in itself": {"wte": torch.zeros(1), "self": IN_ITSELF},
}
OTHERS: dict[str, object] = {
    "a name": "gpt2",
    "nothing": None,
    "a config": {"n_layer": 12, "n_embd": 768},
    "a config with mappings": {"n_layer": 12, "id2label": {"0": "a"}},
    "a config in itself": IN_ITSELF,
    "an empty dict": {},
    "a list of tensors": [torch.zeros(1)],
    "a tensor": torch.zeros(1),
    "a class of modules": nn.Linear,
    "a config of transformers": GPT2Config(**SMALL, **TOKENS),
}


@of_each("case", [*MODELS, *OTHERS])
def test_a_model_is_told_from_what_is_none(case: str) -> None:
    """By what it is, or by the tensors in it."""
    assert live.is_model({**MODELS, **OTHERS}[case]) is (case in MODELS)


def test_torch_is_not_imported_to_tell() -> None:
    """Whoever has a model has imported it. And a config in memory is none, whether torch is there or not."""
    code = "import sys; from gpt2calc.checkpoints import live; assert not live.is_model({'n_layer': {'a': 1}}); "
    code += "assert 'torch' not in sys.modules; from types import SimpleNamespace as made; Module = type('M', (), {}); "
    code += "sys.modules['torch'] = made(nn=made(Module=Module)); assert live.is_model(Module())"
    assert subprocess.run([sys.executable, "-c", code], check=False, env=environment()).returncode == 0


# What is listed


@pytest.mark.parametrize("fields", [{}, {"tie_word_embeddings": False}, {"add_cross_attention": True}, {"n_inner": 5}])
@pytest.mark.parametrize("device", ["cpu", "meta"])
def test_a_module_is_listed_as_its_state_dict_shows_it(fields: dict[str, Any], device: str) -> None:
    """Names, shapes and dtypes, in its order; and the parameters among them sum to what the article counts."""
    with torch.device(device):
        model = gpt2(**fields)
    found = live.read(model)
    state = model.state_dict()
    assert (found.name, found.format, found.files) == ("GPT2LMHeadModel", "live module", ())
    assert [(t.name, t.shape) for t in found.tensors] == [(name, tuple(value.shape)) for name, value in state.items()]
    assert {tensor.dtype for tensor in found.tensors} == {"F32"}
    apart = {tensor.memory: tensor.numel for tensor in found.tensors}
    assert sum(apart.values()) == sum(parameter.numel() for parameter in model.parameters())
    assert all(tensor.nbytes == 4 * tensor.numel for tensor in found.tensors)


@pytest.mark.parametrize("device", ["cpu", "meta"])
@pytest.mark.parametrize("tied", [True, False])
def test_a_tied_head_shows_on_every_device(device: str, *, tied: bool) -> None:
    """Though the meta device has no addresses."""
    with torch.device(device):
        model = gpt2(tie_word_embeddings=tied)
    for each in (model, model.state_dict(), dict(model.named_parameters(remove_duplicate=False))):
        tensors = {tensor.name: tensor for tensor in live.read(each).tensors}
        wte, head = tensors["transformer.wte.weight"], tensors["lm_head.weight"]
        assert (wte.memory == head.memory) is (wte.storage == head.storage) is tied
        assert len({tensor.storage for tensor in tensors.values()}) == len(tensors) - tied


def test_buffers_are_listed_where_they_would_be_stored() -> None:
    """The mask is, and what is not persistent is not."""
    found = {tensor.name: tensor for tensor in live.read(GPT(GPTConfig())).tensors}
    assert list(found) == ["bias", "wte.weight", "lm_head.weight"]
    assert (found["bias"].dtype, found["bias"].nbytes) == ("BOOL", 16)


@of_each("name", [name for name in DTYPES if name[0] != "q"])
def test_every_dtype_has_the_name_that_files_give_it(name: str) -> None:
    """With the bytes that its elements take."""
    dtype = getattr(torch, name)
    tensor = torch.zeros(3, 2 * dtype.itemsize, dtype=torch.uint8).view(dtype)
    found = live.read({"x": tensor}).tensors[0]
    assert (found.dtype, found.nbytes) == (DTYPES[name][0], 6 * dtype.itemsize)


def test_a_dtype_that_no_file_has_keeps_its_name() -> None:
    """So that the report can say that it is another."""
    found = live.read({"x": torch.zeros(2, dtype=torch.uint8).view(torch.bits8)}).tensors[0]
    assert (found.dtype, found.nbytes) == ("torch.bits8", 2)


def test_views_keep_their_storage_offset_and_stride() -> None:
    """As in a file; an expanded tensor takes the bytes of what is there."""
    base = torch.zeros(4, 6)
    views = {"base": base, "row": base[2], "transposed": base.t(), "expanded": torch.zeros(3).expand(5, 3)}
    found = {tensor.name: tensor for tensor in live.read(views).tensors}
    assert [(t.offset, t.stride, t.nbytes) for t in found.values()] == [
        (0, None, 96),
        (48, None, 24),
        (0, (1, 6), 96),
        (0, (0, 1), 12),
    ]
    assert found["base"].storage == found["row"].storage == found["transposed"].storage != found["expanded"].storage
    assert len({tensor.memory for tensor in found.values()}) == 4


WRAPPED: dict[str, tuple[Callable[[nn.Module], Any], str]] = {
    "torch.compile": (torch.compile, "_orig_mod."),
    "DataParallel": (nn.DataParallel, "module."),
    "both": (lambda model: torch.compile(nn.DataParallel(model)), "_orig_mod.module."),
    "a module of one's own": (lambda model: nn.ModuleDict({"inner": model}), "inner."),
}


@pytest.mark.filterwarnings("ignore:`torch.jit.script_method` is deprecated:DeprecationWarning")  # in torch.compile
@pytest.mark.parametrize("case", WRAPPED)
def test_a_wrapped_module_keeps_the_prefix(case: str) -> None:
    """It is in its names, and its config is found behind what DistributedDataParallel and torch.compile put around."""
    wrap, prefix = WRAPPED[case]
    model = gpt2()
    wrapped = wrap(model)
    assert [tensor.name for tensor in live.read(wrapped).tensors] == [prefix + name for name in model.state_dict()]
    config = live.config_of(wrapped)
    assert (config is None) is (case == "a module of one's own")
    assert config is None or config["n_embd"] == 8


def test_nanogpt_s_checkpoint_in_memory() -> None:
    """The optimizer's tensors are said to be there, and the model's arguments are its config."""
    model = GPT(GPTConfig())
    optimizer = torch.optim.AdamW(model.parameters())
    model.lm_head(torch.zeros(1, 8)).sum().backward()
    optimizer.step()
    checkpoint = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "model_args": ARGUMENTS}
    found = live.read(checkpoint)
    assert (found.name, found.format) == ("state_dict", "state_dict")
    assert [tensor.name for tensor in found.tensors] == ["bias", "wte.weight", "lm_head.weight"]
    assert found.fields == ARGUMENTS
    assert found.notes == ("3 tensors outside of 'model', such as 'optimizer.state.?.step', are not listed",)


# What is refused


class Attributed(nn.Module):
    """A module of a name that is longer than any message."""


Attributed.__name__ = "A" * 500


def sparse(to: str) -> Callable[[], object]:
    """Return what makes a state_dict with a tensor in a sparse layout."""
    return lambda: {"wte": getattr(torch.eye(2), to)()}


WRONG: dict[str, tuple[Callable[[], object], str]] = {
    "no tensors": (nn.ReLU, "expected tensors by name, got none"),
    "a long name": (Attributed, "expected tensors by name, got none"),
    "numbers as keys": (lambda: {0: torch.zeros(1)}, "expected tensors by name, got none"),
    "a sparse tensor": (sparse("to_sparse"), "expected 'wte' to be a dense tensor, got a sparse_coo one"),
    "a compressed one": (sparse("to_sparse_csr"), "expected 'wte' to be a dense tensor, got a sparse_csr one"),
    "one of MKL-DNN": (sparse("to_mkldnn"), "expected 'wte' to be a dense tensor, got a _mkldnn one"),
    "a nested tensor": (
        lambda: {"wte": torch.nested.nested_tensor([torch.zeros(2), torch.zeros(3)])},
        "expected 'wte' to be a dense tensor, got a nested one",
    ),
    "a lazy module": (
        lambda: nn.LazyLinear(2),
        "expected 'weight' to be a dense tensor, got 'UninitializedParameter'",
    ),
    "a long key": (lambda: {"k" * 301: torch.zeros(1)}, "expected names of at most 300 characters, got one of 301"),
    "two of one name": (
        lambda: {"a": {"b": torch.zeros(1)}, "a.b": torch.zeros(1)},
        "expected one tensor of each name, got two called 'a.b'",
    ),
}


@pytest.mark.filterwarnings("ignore:Sparse CSR tensor support:UserWarning")  # it only has to be told
@pytest.mark.filterwarnings("ignore:The PyTorch API of nested tensors:UserWarning")  # as above
@pytest.mark.parametrize("case", WRONG)
def test_what_has_no_plain_memory_is_said(case: str) -> None:
    """Each by its own sentence."""
    make, expected = WRONG[case]
    with pytest.raises(UnreadableInputError) as caught:
        live.read(make())
    assert caught.value.problem == expected
    assert len(str(caught.value)) < 300


@pytest.mark.filterwarnings("ignore:torch.quantize_per_tensor:UserWarning")  # PyTorch is going to drop them
def test_a_quantized_tensor_has_a_dtype_of_its_own() -> None:
    """It is listed as in a file, and is no float."""
    quantized = torch.quantize_per_tensor(torch.zeros(2, 3), 0.1, 0, torch.qint8)
    found = live.read({"wte": quantized}).tensors[0]
    assert (found.dtype, found.shape, found.nbytes) == ("QINT8", (2, 3), 6)


# The config that a module carries


@dataclass
class Other:
    """A config of something else."""

    width: int = 3


@dataclass
class Inner:
    """A module of one's own that has a module in it."""

    module: object
    config: object = field(default=None)


CONFIGS: dict[str, tuple[Callable[[], object], Mapping[str, Any] | None]] = {
    "nanoGPT": (lambda: GPT(GPTConfig()), ARGUMENTS),
    "a namespace": (lambda: GPT(SimpleNamespace(n_embd=8, n_layer=1)), {"n_embd": 8, "n_layer": 1}),
    "another config": (lambda: GPT(Other()), None),
    "no config": (lambda: nn.Linear(2, 2), None),
    "a state_dict": (lambda: {"config": GPTConfig(), "wte": torch.zeros(1)}, None),
    "a module within": (lambda: Inner(GPT(GPTConfig())), ARGUMENTS),
}


@pytest.mark.parametrize("case", CONFIGS)
def test_the_config_that_a_module_carries(case: str) -> None:
    """Of nanoGPT without the dropout, which counts nothing; None where there is none that is a GPT-2's."""
    make, expected = CONFIGS[case]
    assert live.config_of(make()) == expected


def test_the_config_of_transformers_says_which_class_the_module_is() -> None:
    """And not what it was loaded as."""
    model = gpt2()
    model.config.architectures = ["GPT2DoubleHeadsModel"]
    config = live.config_of(model)
    assert config is not None
    assert config["architectures"] == ["GPT2LMHeadModel"]
    assert {name: config[name] for name in SMALL} == SMALL
