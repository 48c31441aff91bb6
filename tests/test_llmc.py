"""llm.c's checkpoints are read by their 1024 bytes of header, and are as large as it makes them."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from gpt2calc.checkpoints import llmc
from gpt2calc.checkpoints.files import LocalFile, MemoryFile
from gpt2calc.errors import UnreadableInputError
from tests.loops import of_each
from tests.makers import llmc as make

if TYPE_CHECKING:
    from pathlib import Path

    from gpt2calc.listing import TensorListing

EDGES = (-(2**31), -1, 0, 2**31 - 1)
PLACES = {"maxT": 2, "V": 3, "L": 4, "NH": 5, "C": 6, "Vp": 7}
"""Where a size stands among the 256 numbers."""


def listed(content: bytes) -> TensorListing:
    """Read a file in memory."""
    return llmc.read(MemoryFile("gpt2.bin", content))


def problem(content: bytes) -> str:
    """Return what is wrong with a file that must be refused."""
    with pytest.raises(UnreadableInputError) as caught:
        listed(content)
    assert caught.value.path == "gpt2.bin"
    assert len(str(caught.value)) < 300
    return caught.value.problem


def arrays_of(model: GPT2LMHeadModel, padded: int) -> dict[str, torch.Tensor]:
    """Return a model as llm.c's train_gpt2.py writes it: each kind of all blocks together, matrices as [out, in]."""
    state = model.transformer.state_dict()
    wte = torch.nn.functional.pad(state["wte.weight"], (0, 0, 0, padded - model.config.vocab_size))
    kinds = {
        "ln1w": "ln_1.weight",
        "ln1b": "ln_1.bias",
        "qkvw": "attn.c_attn.weight",
        "qkvb": "attn.c_attn.bias",
        "attprojw": "attn.c_proj.weight",
        "attprojb": "attn.c_proj.bias",
        "ln2w": "ln_2.weight",
        "ln2b": "ln_2.bias",
        "fcw": "mlp.c_fc.weight",
        "fcb": "mlp.c_fc.bias",
        "fcprojw": "mlp.c_proj.weight",
        "fcprojb": "mlp.c_proj.bias",
    }
    blocks = {
        name: torch.stack([state[f"h.{block}.{theirs}"].t() for block in range(model.config.n_layer)])
        for name, theirs in kinds.items()
    }
    last = {"lnfw": state["ln_f.weight"], "lnfb": state["ln_f.bias"]}
    return {"wte": wte, "wpe": state["wpe.weight"], **blocks, **last}


def test_every_array_lies_where_llm_c_writes_it() -> None:
    """The bytes of each tensor in the listing are the values of the model that was written."""
    config = GPT2Config(n_layer=3, n_embd=8, n_head=2, n_positions=5, vocab_size=11)
    arrays = arrays_of(GPT2LMHeadModel(config), 128)
    header = make.header(n_layer=3, n_embd=8, n_positions=5, vocab_size=11)
    content = header + b"".join(array.contiguous().numpy().tobytes() for array in arrays.values())
    listing = listed(content)
    assert [x.name for x in listing.tensors] == list(arrays)
    for tensor, array in zip(listing.tensors, arrays.values(), strict=True):
        assert (tensor.shape, tensor.dtype, tensor.file) == (tuple(array.shape), "F32", "gpt2.bin")
        assert tensor.offset is not None
        found = content[tensor.offset : tensor.offset + tensor.nbytes]
        assert found == array.contiguous().numpy().tobytes()


def test_the_config_is_read() -> None:
    """The sizes of the header are the config's, and the padding of the vocabulary is a note."""
    listing = listed(make.content())
    assert (listing.name, listing.format, listing.faults) == ("gpt2.bin", "llm.c", ())
    assert listing.fields == {"n_positions": 16, "vocab_size": 11, "n_layer": 2, "n_head": 2, "n_embd": 8}
    assert listing.notes == ("wte has 128 rows: the vocabulary of 11 is padded with 117",)
    assert [(x.path, x.size) for x in listing.files] == [("gpt2.bin", len(make.content()))]


@pytest.mark.parametrize(("version", "dtype", "rows"), [(1, "F32", 11), (3, "F32", 128), (5, "BF16", 128)])
def test_every_version_has_its_dtype_and_padding(version: int, dtype: str, rows: int) -> None:
    """Version 1 came before the padding, version 5 is in bfloat16."""
    listing = listed(make.content(version=version))
    assert {x.dtype for x in listing.tensors} == {dtype}
    assert listing.tensors[0].shape == (rows, 8)
    assert sum(x.numel for x in listing.tensors) == make.elements(padded=rows)
    assert bool(listing.notes) == (rows > 11)


@pytest.mark.parametrize(
    ("sizes", "total"),
    [
        ((12, 768, 12), 124439808),
        ((24, 1024, 16), 354823168),
        ((36, 1280, 20), 774030080),
        ((48, 1600, 25), 1557611200),
    ],
)
def test_a_full_size_model_holds_what_it_should(tmp_path: Path, sizes: tuple[int, int, int], total: int) -> None:
    """Less the 47 rows of padding, the arrays have the parameters of the released models."""
    n_layer, n_embd, n_head = sizes
    start = make.header(n_layer=n_layer, n_embd=n_embd, n_head=n_head, n_positions=1024, vocab_size=50257, padded=50304)
    many = make.elements(n_layer=n_layer, n_embd=n_embd, n_positions=1024, padded=50304)
    make.write(tmp_path / "gpt2.bin", start, 1024 + 4 * many)
    with LocalFile(str(tmp_path / "gpt2.bin")) as file:
        listing = llmc.read(file)
    assert sum(x.numel for x in listing.tensors) - 47 * n_embd == total


@pytest.mark.parametrize("magic", llmc.OTHERS)
def test_the_other_files_of_llm_c_are_named(magic: int) -> None:
    """Many .bin files of llm.c look alike, and are not models."""
    assert problem(make.header(magic=magic)) == (
        f"expected a model of llm.c, which begins with 20240326, got {llmc.OTHERS[magic]} ({magic})"
    )


FAULTS: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "expected a header of 1,024 bytes, got 0"),
    "no llm.c": (b"PK\3\4".ljust(2000, b"\0"), "expected a model of llm.c, which begins with 20240326, got 67324752"),
    "version 2": (make.header(version=2), "expected version 1, 3 or 5 of llm.c's checkpoint, got 2"),
    "version 4": (make.header(version=4), "expected version 1, 3 or 5 of llm.c's checkpoint, got 4"),
    "version 3 before the padding": (make.header(padded=0), "Vp no less than V"),
    "fewer rows than tokens": (make.header(padded=10), "maxT=16, V=11, L=2, NH=2, C=8, Vp=10"),
    "heads that do not divide": (make.header(n_head=3), "and C a multiple of NH, got maxT=16, V=11, L=2, NH=3, C=8"),
    "no heads": (make.header(n_head=0), "expected sizes from 1 up"),
    "a byte too few": (make.content()[:-1], "expected 12,672 bytes by its header, maxT=16"),
    "a byte too many": (make.content() + b"x", "got 12,673 bytes"),
    "another dtype": (make.content(version=5)[:4] + b"\3" + make.content(version=5)[5:], "got 6,848 bytes"),
}


@of_each("case", FAULTS)
def test_what_is_wrong_is_said(case: str) -> None:
    """Every fault is refused, by its own sentence."""
    content, expected = FAULTS[case]
    assert expected in problem(content)


def test_a_file_that_is_cut_off_anywhere_is_refused() -> None:
    """No prefix is taken for the file, and nothing longer."""
    content = make.seeds()[1]
    for size in range(len(content)):
        problem(content[:size])
    listed(content)
    problem(content + b"\0")


TRUE = {"maxT": 16, "V": 11, "L": 2, "NH": 1, "C": 8, "Vp": 128}
LIES = [
    (name, number)
    for name, true in TRUE.items()
    for number in (true - 1, true + 1, *EDGES)
    if (name, number) not in {("V", 10), ("V", 12), ("NH", 2)}  # no other number of the file depends on these
]


@of_each("name, number", LIES)
def test_sizes_that_lie_are_refused(name: str, number: int) -> None:
    """One less, one more, and numbers at the edges of 32 bits, whose products are far larger than any file."""
    content, place = make.content(n_head=1), 4 * PLACES[name]
    assert struct.unpack_from("<i", content, place) == (TRUE[name],)
    problem(content[:place] + struct.pack("<i", number) + content[place + 4 :])


@pytest.mark.parametrize("number", range(len(make.seeds())))
def test_the_seeds_of_the_fuzzer_are_read(number: int) -> None:
    """They are what the fuzzer starts from."""
    assert len(listed(make.seeds()[number]).tensors) == 16
