"""Quantised files: how each tool packs a matrix, one row of a table a tool, and a listing with its matrices unpacked.

A packing says what the packed tensor is called, what lies beside it, and which matrix that is. What is unpacked has the
shape of the matrix, and its tool's name in the place of a dtype; what lies beside, such as scales, is no parameter, and
told apart. A pack that is not whole is a fault, by name. It must not know a model: that judges names and shapes.

Sources: bitsandbytes 0.50 (functional.py, `QuantState.as_dict`; nn/modules.py, `Linear8bitLt`); AutoGPTQ/AutoGPTQ,
auto_gptq/nn_modules/qlinear/qlinear_cuda_old.py; casper-hansen/AutoAWQ, awq/modules/linear/gemm.py; ml-explore/mlx 0.32
(python/mlx/nn/layers/quantized.py); compressed-tensors 0.20 (compressors/pack_quantized/base.py and
naive_quantized/base.py); PyTorch 2.13, torch/ao/nn/quantized/dynamic/modules/linear.py. The tests have what each wrote.
"""

from __future__ import annotations

import json
import os
import re
from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.errors import UnreadableInputError, shown
from gpt2calc.listing import Fault, Packed

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import TypeAlias, TypeGuard

    from gpt2calc.listing import StoredTensor, TensorListing

    Shape: TypeAlias = "tuple[int, ...]"

PACK = "packing"
"""The kind of the faults of a pack that is not whole."""

MOST_STATE_BYTES = 4096
"""How many bytes of a shape that lies among the values are read; bitsandbytes' have 170."""

GPTQ_BITS, MLX_GROUPS = (2, 3, 4, 8), (16, 32, 64, 128)

BITS_KEYS, GROUP_KEYS = ("bits", "w_bit", "num_bits"), ("group_size", "q_group_size")
"""What tools call the number of bits and how many inputs share a scale."""

CONV1D = re.compile(r"(?:.*\.)?(?:c_attn|c_proj|c_fc|q_attn)", re.DOTALL)
"""The layers that transformers' GPT-2 keeps as [in, out]; the tools that quantise it make [out, in] of them."""

FLOAT = frozenset(("F32", "F16", "BF16"))


class BrokenError(ValueError):
    """A pack that is not whole: which of its tensors is wrong, and how."""

    def __init__(self, tensor: str, message: str, expected: str = "", got: str = "") -> None:
        super().__init__(message)
        self.fault = Fault(PACK, tensor, message, expected, got)


class Pack(NamedTuple):
    """The tensors of one packed matrix.

    Args:
        module: what stands before their names.
        packed: the packed tensor.
        beside: what lies beside it, by the end of its name.
        says: what the config says of the quantisation.
        is_ordered: whether any matrix of the file has GPTQ's g_idx: its tools write one for each, or none.
    """

    module: str
    packed: StoredTensor
    beside: Mapping[str, StoredTensor]
    says: Mapping[str, Any]
    is_ordered: bool = False

    def get(self, end: str) -> StoredTensor:
        """Return what lies beside under a name.

        Raises:
            BrokenError: it is missing.
        """
        if end not in self.beside:
            raise BrokenError(self.module + end, f"it is missing beside {self.packed.name}", "one", "nothing")
        return self.beside[end]

    def expect(self, end: str, *shapes: Shape) -> StoredTensor:
        """Return what lies beside under a name, of one of some shapes.

        Raises:
            BrokenError: it is missing, or has another shape.
        """
        found = self.get(end)
        if found.shape not in shapes:
            wanted = " or ".join(str(list(shape)) for shape in dict.fromkeys(shapes))
            message = f"expected {wanted} beside {self.packed.name} {list(self.packed.shape)}, got {list(found.shape)}"
            raise BrokenError(found.name, message, wanted, str(list(found.shape)))
        return found


class Unpacked(NamedTuple):
    """What a pack is: the shape of the matrix, [out, in], and what its numbers are called."""

    shape: Shape
    dtype: str


class Packing(NamedTuple):
    """How one tool packs a matrix.

    Args:
        scheme: what the tool and its way are called.
        methods: what a config calls it, as `quant_method`.
        packed: how the name of the packed tensor ends.
        dtypes: the dtypes that it has.
        marks: of these endings one is there, or it is none of this tool's.
        beside: how the names of what lies beside end, each with what it is, marks among them.
        unpack: from a pack to the matrix; raises `BrokenError`.
        turns: whether it makes [out, in] of a matrix that transformers keeps as [in, out].
        name: how the matrix would be called, where its tool had not packed it.
    """

    scheme: str
    methods: tuple[str, ...]
    packed: str
    dtypes: frozenset[str]
    marks: tuple[str, ...]
    beside: Mapping[str, str]
    unpack: Callable[[Pack], Unpacked]
    turns: bool = True
    name: str = ".weight"


def _int8(pack: Pack) -> Unpacked:
    """Law: weight [out, in], and a scale for each output."""
    pack.expect(".SCB", pack.packed.shape[:1])
    if ".weight_format" in pack.beside:
        pack.expect(".weight_format", (), (1,))
    return Unpacked(pack.packed.shape, "int8")


def _four_bits(pack: Pack) -> Unpacked:
    """Law: two numbers a byte, a scale for each block of `blocksize`; nested, a byte a scale, and scales of those."""
    kind = next((kind for kind in ("nf4", "fp4") if f".weight.quant_state.bitsandbytes__{kind}" in pack.beside), "nf4")
    said = _state(pack.get(f".weight.quant_state.bitsandbytes__{kind}"))
    shape, block = said.get("shape"), said.get("blocksize")
    if not isinstance(shape, list) or not all(type(n) is int and n >= 0 for n in shape) or not _is_size(block):
        raise BrokenError(pack.packed.name, f"its quant_state says no shape and blocksize: {shown(said)}")
    count = prod(shape)
    if pack.packed.nbytes != -(-count // 2):
        expected, got = f"{-(-count // 2):,} bytes", f"{pack.packed.nbytes:,}"
        raise BrokenError(pack.packed.name, f"expected {expected} for {shape} at 4 bits, got {got}", expected, got)
    blocks = -(-count // block)
    nested = said.get("nested_blocksize")
    scales = pack.expect(".weight.absmax", (blocks,))
    pack.expect(".weight.quant_map", (16,))
    if _is_size(nested):
        pack.expect(".weight.nested_absmax", (-(-blocks // nested),))
        pack.expect(".weight.nested_quant_map", (256,))
    elif scales.dtype not in FLOAT:
        raise BrokenError(scales.name, f"expected F32, since quant_state has no nested scales, got {scales.dtype}")
    return Unpacked(tuple(shape), kind)


def _gptq(pack: Pack) -> Unpacked:
    """Law: qweight [in·bits/32, out], qzeros [groups, out·bits/32], scales [groups, out], g_idx [in]."""
    rows, out = pack.packed.shape
    groups = pack.get(".scales").shape[0] if pack.get(".scales").shape else 0
    if pack.is_ordered:
        pack.get(".g_idx")
    if ".g_idx" in pack.beside:
        inputs = pack.beside[".g_idx"].numel
        bits = rows * 32 // inputs if inputs else 0
    else:
        bits = pack.says.get("bits") or ((pack.get(".qzeros").shape or (0,))[-1] * 32 // out if out else 0)
        inputs = rows * 32 // bits if _is_size(bits) else 0
    said = pack.says.get("bits")
    if bits not in GPTQ_BITS or rows * 32 != inputs * bits or (said and said != bits):
        expected = f"{said or bits} bits"
        raise BrokenError(
            pack.packed.name, f"{expected} do not go with {list(pack.packed.shape)} and {inputs:,} inputs"
        )
    groups = _groups(pack, inputs, groups)
    pack.expect(".scales", (groups, out))
    pack.expect(".qzeros", (groups, out * bits // 32), (groups, -(-out * bits // 32)))
    return Unpacked((out, inputs), f"{bits} bits")


def _awq(pack: Pack) -> Unpacked:
    """Law: qweight [in, out·bits/32], qzeros [groups, out·bits/32], scales [groups, out]."""
    inputs, columns = pack.packed.shape
    scales = pack.get(".scales")
    out = scales.shape[-1] if scales.shape else 0
    bits = columns * 32 // out if out else 0
    said = pack.says.get("bits", pack.says.get("w_bit"))
    if bits not in GPTQ_BITS or columns * 32 != out * bits or (said and said != bits):
        raise BrokenError(
            scales.name, f"{list(scales.shape)} do not go with {pack.packed.name} {list(pack.packed.shape)}"
        )
    groups = _groups(pack, inputs, scales.shape[0])
    pack.expect(".scales", (groups, out))
    pack.expect(".qzeros", (groups, columns))
    return Unpacked((out, inputs), f"{bits} bits")


def _groups(pack: Pack, inputs: int, found: int) -> int:
    """Return how many groups of inputs have a scale of their own, as the config says, or as there are."""
    size = pack.says.get("group_size", pack.says.get("q_group_size"))
    if size == -1:
        return 1
    return -(-inputs // size) if _is_size(size) else found


def _mlx(pack: Pack) -> Unpacked:
    """Law: weight [out, in·bits/32] of 32 bits, scales and, in affine mode, biases [out, in/group_size]."""
    own = pack.says.get(pack.module)
    says = {**pack.says, **(own if isinstance(own, dict) else {})}
    bits, group = says.get("bits"), says.get("group_size")
    if not _is_size(bits) or not _is_size(group):
        problem = "its bits and group_size stand in the config.json of MLX, as quantization, and none says them"
        raise UnreadableInputError(pack.packed.file or pack.packed.name, f"{pack.packed.name} is packed: {problem}")
    *outer, columns = pack.packed.shape or (0,)
    if columns * 32 % bits:
        raise BrokenError(pack.packed.name, f"{bits} bits do not go with {list(pack.packed.shape)} numbers of 32")
    inputs = columns * 32 // bits
    scales = (*outer, -(-inputs // group))
    pack.expect(".scales", scales)
    if says.get("mode", "affine") == "affine":
        pack.expect(".biases", scales)
    return Unpacked((*outer, inputs), f"{bits} bits")


def _pack_quantized(pack: Pack) -> Unpacked:
    """Law: weight_packed [out, ⌈in·bits/32⌉]; weight_shape has [out, in] as values; a scale a row, or a group."""
    *outer, columns = pack.packed.shape
    shape = _numbers(pack.expect(".weight_shape", (len(pack.packed.shape),)))
    if shape[:-1] != tuple(outer) or shape[-1] < 0:
        raise BrokenError(f"{pack.module}.weight_shape", f"it says {list(shape)}, of {list(pack.packed.shape)} packed")
    weights = _weights_of(pack.says)
    said = weights.get("num_bits")
    fitting = [bits for bits in range(1, 9) if columns in {-(-shape[-1] * bits // 32), -(-shape[-1] // (32 // bits))}]
    if (said and said not in fitting) or not fitting:
        expected = f"{said} bits" if said else "1 to 8 bits"
        raise BrokenError(pack.packed.name, f"{expected} do not go with {list(pack.packed.shape)} for {list(shape)}")
    size = weights.get("group_size")
    scales = pack.get(".weight_scale")
    found = scales.shape[-1] if scales.shape and not weights else 1  # as there are, where nobody says
    groups = -(-shape[-1] // size) if _is_size(size) else found
    pack.expect(".weight_scale", (*outer, groups), (*outer, 1), (1,))
    bits = f"{said or fitting[0]} bits" if said or len(fitting) == 1 else "packed"
    return Unpacked(shape, bits)


def _naive(pack: Pack) -> Unpacked:
    """Law: a scale a row, a group of inputs, a block, or one for all."""
    rows, columns = pack.packed.shape
    weights = _weights_of(pack.says)
    size, block = weights.get("group_size"), weights.get("block_structure")
    allowed: list[Shape] = [(rows, 1), (rows,), (1,), (), (1, 1)]
    allowed += [(rows, -(-columns // size))] if _is_size(size) else []
    if isinstance(block, list) and len(block) == 2 and all(map(_is_size, block)):
        allowed.append((-(-rows // block[0]), -(-columns // block[1])))
    pack.expect(".weight_scale", *allowed)
    return Unpacked(pack.packed.shape, {"I8": "int8"}.get(pack.packed.dtype, pack.packed.dtype))


def _dynamic(pack: Pack) -> Unpacked:
    """Law: weight [out, in] as a quantised tensor; scale and zero point of what comes in are one number each."""
    pack.expect(".scale", ())
    pack.expect(".zero_point", ())
    return Unpacked(pack.packed.shape, "int8")


SCALES, ZEROS, CODES, STATES = "scales", "zero points", "what codes stand for", "what says how it is packed"
STATE = ".weight.quant_state.bitsandbytes__"
PACKED_PARAMS = "._packed_params._packed_params"

PACKINGS = (
    Packing(
        "bitsandbytes",
        ("bitsandbytes",),
        ".weight",
        frozenset(("I8",)),
        (".SCB", ".weight_format"),
        {".SCB": SCALES, ".weight_format": STATES},
        _int8,
    ),
    Packing(
        "bitsandbytes",
        ("bitsandbytes",),
        ".weight",
        frozenset(("U8", "BF16", "F16", "F32")),
        (".weight.absmax", ".weight.quant_map", f"{STATE}nf4", f"{STATE}fp4"),
        {
            ".weight.absmax": SCALES,
            ".weight.nested_absmax": SCALES,
            ".weight.quant_map": CODES,
            ".weight.nested_quant_map": CODES,
            f"{STATE}nf4": STATES,
            f"{STATE}fp4": STATES,
        },
        _four_bits,
    ),
    Packing(
        "GPTQ",
        ("gptq",),
        ".qweight",
        frozenset(("I32",)),
        (".g_idx", ".scales", ".qzeros"),
        {".scales": SCALES, ".qzeros": ZEROS, ".g_idx": STATES},
        _gptq,
    ),
    Packing(
        "AWQ",
        ("awq",),
        ".qweight",
        frozenset(("I32",)),
        (".scales", ".qzeros"),
        {".scales": SCALES, ".qzeros": ZEROS},
        _awq,
    ),
    Packing(
        "MLX",
        ("mlx",),
        ".weight",
        frozenset(("U32",)),
        (".scales", ".biases"),
        {".scales": SCALES, ".biases": ZEROS},
        _mlx,
        turns=False,
    ),
    Packing(
        "compressed-tensors",
        ("compressed-tensors",),
        ".weight_packed",
        frozenset(("I32",)),
        (".weight_scale", ".weight_shape"),
        {
            ".weight_scale": SCALES,
            ".weight_zero_point": ZEROS,
            ".weight_shape": STATES,
            ".weight_g_idx": STATES,
            ".input_scale": SCALES,
            ".output_scale": SCALES,
        },
        _pack_quantized,
    ),
    Packing(
        "compressed-tensors",
        ("compressed-tensors",),
        ".weight",
        frozenset(("I8", "F8_E4M3")),
        (".weight_scale",),
        {
            ".weight_scale": SCALES,
            ".weight_zero_point": ZEROS,
            ".input_scale": SCALES,
            ".input_zero_point": ZEROS,
            ".output_scale": SCALES,
        },
        _naive,
    ),
    Packing(
        "torch dynamic",
        (),
        f"{PACKED_PARAMS}.0",
        frozenset(("QINT8",)),
        (".scale", ".zero_point"),
        {".scale": SCALES, ".zero_point": ZEROS},
        _dynamic,
        turns=False,
    ),
)
"""Every way of packing that is read; of two with the same packed name, the first whose marks and dtype are there."""

MARKS = (".SCB", ".absmax", ".qweight", ".scales", ".weight_packed", ".weight_scale")
"""What stands in names of a file that a library packed, by which the page leaves it to the command line."""

METHODS = frozenset(method for packing in PACKINGS for method in packing.methods)


def unpacked(listing: TensorListing, says: Mapping[str, Any] | None = None, *, conv1d: bool = True) -> TensorListing:
    """Return a listing with its packed matrices unpacked; the same where nothing is packed.

    Args:
        listing: what a checkpoint holds.
        says: what its config says of its quantisation, `quantization_config` or MLX's `quantization`.
        conv1d: whether the model is a GPT-2 of transformers', whose matrices its tools turn.

    Raises:
        UnreadableInputError: it is packed in a way that is not read, by the word that the config has for it, or a
            shape stands where it cannot be read.
    """
    says = says or {}
    _refuse_nonsense(listing.name, says)
    names = {tensor.name: tensor for tensor in listing.tensors}
    packs = {name: found for name, tensor in names.items() if (found := _packing(tensor, names, says))}
    if not packs:
        method = says.get("quant_method")
        if isinstance(method, str) and method.lower() not in METHODS:
            problem = f"its config says quantization_config {shown(method)}, a way of packing that is not read"
            raise UnreadableInputError(listing.name, problem)
        return listing
    beside: dict[str, tuple[StoredTensor, str]] = {}
    matrices: dict[str, StoredTensor] = {}
    faults, stays = list(listing.faults), False
    is_ordered = any(f"{name.removesuffix('.qweight')}.g_idx" in names for name in packs)
    for name, packing in packs.items():
        module = name.removesuffix(packing.packed)
        own = {end: names[module + end] for end in packing.beside if module + end in names}
        beside |= {each.name: (each, packing.beside[end]) for end, each in own.items()}
        try:
            matrix = packing.unpack(Pack(module, names[name], own, says, is_ordered))
        except BrokenError as error:
            faults.append(error.fault)
            beside[name] = names[name], "packs that are not whole"
            continue
        of_gpt2 = conv1d and CONV1D.fullmatch(module) is not None
        stays |= of_gpt2 and not packing.turns
        shape = matrix.shape[::-1] if of_gpt2 and packing.turns else matrix.shape
        called = f"{packing.scheme} {matrix.dtype}"
        matrices[name] = names[name]._replace(name=module + packing.name, shape=shape, dtype=called, stride=None)
        bias = names.get(f"{module}{PACKED_PARAMS}.1")
        if bias is not None and packing.packed.startswith(PACKED_PARAMS):
            matrices[bias.name] = bias._replace(name=f"{module}.bias")
    schemes = tuple(dict.fromkeys(matrices[name].dtype for name in packs if name in matrices))
    tensors = (matrices.get(each.name, each) for each in listing.tensors if each.name not in beside)
    scheme = ", ".join(schemes or dict.fromkeys(packing.scheme for packing in packs.values()))
    packed = Packed(scheme, sum(name in matrices for name in packs), len(beside), stays)
    whole = listing._replace(tensors=tuple(tensors), faults=tuple(faults), packed=packed)
    return whole._replace(beside=(*listing.beside, *beside.values()))


def _refuse_nonsense(name: str, says: Mapping[str, Any]) -> None:
    """Raise where a config says a way of quantising that is no object, or bits or sizes of groups that cannot be.

    Raises:
        UnreadableInputError: it does.
    """
    if "quantization_config" in says:  # as `documents.quantization` tells what is no object
        said = shown(says["quantization_config"])
        raise UnreadableInputError(name, f"quantization_config must be an object, got {said}")
    method = says.get("quant_method", "")
    if not isinstance(method, str) or (method and method.lower() not in METHODS):
        return  # other ways have other words
    for part in (says, _weights_of(says)):
        for key in BITS_KEYS + GROUP_KEYS:
            value, is_group = part.get(key), key in GROUP_KEYS
            if value is not None and not _is_size(value) and not (is_group and value == -1):
                expected = "a whole number of at least 1" + (", or -1 for one group" if is_group else "")
                raise UnreadableInputError(name, f"{key} of its quantization: expected {expected}, got {shown(value)}")


def _packing(tensor: StoredTensor, names: Mapping[str, StoredTensor], says: Mapping[str, Any]) -> Packing | None:
    """Return how a tensor is packed; None where it is none, or of a way that is not read."""
    fitting = []
    for packing in PACKINGS:
        if tensor.name.endswith(packing.packed) and tensor.dtype in packing.dtypes and _has_rank(packing, tensor):
            module = tensor.name.removesuffix(packing.packed)
            if packing.packed != ".weight" or any(module + mark in names for mark in packing.marks):
                fitting.append(packing)
    if len(fitting) < 2:
        return fitting[0] if fitting else None
    method = says.get("quant_method")
    if said := next((packing for packing in fitting if method in packing.methods), None):
        return said
    # GPTQ packs inputs, and AWQ outputs: there a scale stands for each column of what is packed.
    module = tensor.name.removesuffix(fitting[0].packed)
    scales = names.get(f"{module}.scales")
    is_gptq = f"{module}.g_idx" in names or scales is None or scales.shape[-1:] == tensor.shape[-1:]
    return fitting[0] if is_gptq or fitting[0].packed != ".qweight" else fitting[1]


def _has_rank(packing: Packing, tensor: StoredTensor) -> bool:
    """Whether a tensor has two axes, or more where a tool packs the matrices of experts in one."""
    return len(tensor.shape) == 2 or (len(tensor.shape) > 2 and packing.unpack in {_mlx, _pack_quantized})


def _state(tensor: StoredTensor) -> Mapping[str, Any]:
    """Read the JSON that says how bitsandbytes packed a matrix."""
    try:
        found = json.loads(_content(tensor))
    except (ValueError, RecursionError):
        raise BrokenError(tensor.name, "expected the JSON of a quant_state, got other bytes", "JSON", "bytes") from None
    if not isinstance(found, dict):
        raise BrokenError(tensor.name, f"expected the JSON of a quant_state, got {shown(found)}", "JSON", "a value")
    return found


def _numbers(tensor: StoredTensor) -> Shape:
    """Read a shape that lies among the values."""
    size = tensor.nbytes // max(tensor.numel, 1)
    if tensor.dtype not in {"I64", "I32"}:
        raise BrokenError(tensor.name, f"expected I64 or I32, got {tensor.dtype}", "I64", tensor.dtype)
    content = _content(tensor)
    return tuple(
        int.from_bytes(content[at : at + size], "little", signed=True) for at in range(0, tensor.numel * size, size)
    )


def _content(tensor: StoredTensor) -> bytes:
    """Read a few bytes of a file on this machine.

    Raises:
        UnreadableInputError: it lies elsewhere.
    """
    if tensor.file is None or tensor.offset is None or not os.path.isfile(tensor.file):
        problem = f"the shape of a packed matrix is a value, {tensor.name}, and values are read of files alone"
        raise UnreadableInputError(tensor.file or tensor.name, problem)
    if tensor.nbytes > MOST_STATE_BYTES:
        raise BrokenError(tensor.name, f"expected at most {MOST_STATE_BYTES:,} bytes, got {tensor.nbytes:,}")
    with open(tensor.file, "rb") as file:
        file.seek(tensor.offset)
        return file.read(tensor.nbytes)


def _weights_of(says: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what compressed-tensors' config says of the weights of its first group."""
    groups = says.get("config_groups")
    first = next(iter(groups.values()), None) if isinstance(groups, dict) else None
    weights = first.get("weights") if isinstance(first, dict) else None
    return weights if isinstance(weights, dict) else {}


def _is_size(value: object) -> TypeGuard[int]:
    return type(value) is int and value > 0
