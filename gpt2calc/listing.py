"""`TensorListing`: what a checkpoint holds, read from its header: every tensor with name, shape, dtype and place.

Every reader in `checkpoints` returns one, and nothing behind it knows which format it was. It must not know what a
name means: that is `dialects`.
"""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

BITS: dict[str, int] = {
    dtype: bits
    for bits, dtypes in (
        (64, ("F64", "I64", "U64")),
        (32, ("F32", "I32", "U32")),
        (16, ("F16", "BF16", "I16", "U16")),
        (8, ("F8_E4M3", "F8_E5M2", "I8", "U8", "BOOL")),
    )
    for dtype in dtypes
}
"""The dtypes whose elements have a size of their own, in bits, called as safetensors calls them."""

FLOATS = frozenset(("F64", "F32", "F16", "BF16", "F8_E4M3", "F8_E5M2"))
"""The dtypes that the parameters of a GPT-2 come in, quantized files apart."""

MOST_TENSORS = 1_000_000
"""How many tensors a checkpoint may have in any format. The largest that are published have some 200,000: mixtures of
hundreds of experts in a layer, quantized, with a scale and a shape for each matrix."""

BYTES_A_TENSOR = 1536
"""How many bytes of headers a checkpoint may have for each of its tensors: five times the longest name."""

MOST_NAME_CHARACTERS = 300
"""How many characters a tensor's name may have in any format, or bytes where the format counts them; GPT-2's have 60.
So no rule on names that is slow in their length is slow."""


ZERO_SHARD = "a shard of DeepSpeed's ZeRO: zero_to_fp32.py, which lies beside it or a folder above, merges all of them"
"""What a file is that holds one rank's part of an optimizer's states, or of all parameters, and no whole tensor."""


class StoredTensor(NamedTuple):
    """One tensor as a file or a live model holds it.

    `nbytes` is what its values take where they lie, `file` and `offset` say where that is (None where it is in no
    file). Two tensors with the same `storage` share memory; None is a storage of its own. `stride` is None where the
    elements lie in row-major order without gaps, as they do in every format but PyTorch's. `address` is where a live
    one begins in the memory of this machine: numpy and buffers give torch two storages over one memory.
    """

    name: str
    shape: tuple[int, ...]
    dtype: str
    nbytes: int
    file: str | None = None
    offset: int | None = None
    storage: str | None = None
    stride: tuple[int, ...] | None = None
    address: int | None = None

    @property
    def numel(self) -> int:
        """The number of elements, as `torch.Tensor.numel()` gives it."""
        return prod(self.shape)

    @property
    def memory(self) -> tuple[object, ...] | None:
        """What two tensors have in common that are one and the same memory; None where it has a memory of its own."""
        return None if self.storage is None else (self.storage, self.offset, self.shape, self.stride)


class StoredFile(NamedTuple):
    """One file of a checkpoint, with its size in bytes."""

    path: str
    size: int


class Fault(NamedTuple):
    """What is wrong between the files of a checkpoint, found while they were listed.

    `kind` is `duplicate` (a tensor stored in two files), `not_in_shard` (the index says that it is in a file, which
    does not hold it), `not_in_index` (a file holds it, and the index does not name it) or `total_size` (the index gives
    another sum of bytes than the tensors take).
    """

    kind: str
    tensor: str
    message: str
    expected: str = ""
    got: str = ""


class Packed(NamedTuple):
    """What of a listing was packed: in which ways, how many matrices, and what lies beside them.

    Args:
        scheme: the tools and ways of packing.
        matrices: how many matrices were unpacked.
        scales: how many tensors lie beside them.
        stays: whether matrices that transformers keeps as [in, out] were packed as [out, in], and are that.
    """

    scheme: str
    matrices: int
    scales: int
    stays: bool


class TensorListing(NamedTuple):
    """What a checkpoint holds.

    Args:
        name: what the user called it.
        format: the format's name, such as `safetensors`.
        tensors: every tensor, in the order of the file.
        files: the files that were read, each with its size in bytes; none for a live model.
        fields: what the file itself says of the model's config, in any spelling of `spellings`; {} where nothing.
        faults: what is wrong between the files.
        notes: what a reader should know, a sentence each.
        aside: tensors that are of something else than the model, and are held against nothing.
        beside: tensors that are no parameters of the model and belong to some, each with what it is, as scales do.
        packed: what was packed, where matrices were and are unpacked in `tensors`.
        adapted: which adapter lies beside the model, in words; "" where none does.
    """

    name: str
    format: str
    tensors: tuple[StoredTensor, ...]
    files: tuple[StoredFile, ...] = ()
    fields: Mapping[str, Any] = {}
    faults: tuple[Fault, ...] = ()
    notes: tuple[str, ...] = ()
    aside: tuple[StoredTensor, ...] = ()
    beside: tuple[tuple[StoredTensor, str], ...] = ()
    packed: Packed | None = None
    adapted: str = ""
