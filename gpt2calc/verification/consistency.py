"""What the tensors of one checkpoint have in common: dtypes, memories of their own, and masks in every block or none.

Pure. Each function yields what is wrong.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from gpt2calc.dialects.base import Piece, templated
from gpt2calc.listing import BITS, FLOATS, Fault
from gpt2calc.verification import holdings, memory

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.dialects.base import Extra
    from gpt2calc.dialects.layouts import Shape
    from gpt2calc.dims import Dims
    from gpt2calc.listing import StoredTensor
    from gpt2calc.verification.sorting import Assigned, Sorted

MISSING, UNEXPECTED, SHAPE, DTYPE, SHARED = "missing", "unexpected", "shape", "dtype", "shared"
"""What can be wrong with a tensor; what can be wrong between files stands in `listing.Fault`."""


def dtypes(found: Assigned) -> Iterator[Fault]:
    """Yield each tensor whose dtype no parameter has, or is not that of the same tensor in the other blocks.

    Training in 16 bits keeps LayerNorm, wte or a head in 32, and so a component may have a dtype of its own: in all
    blocks, or, where a model has it once, any. A quantized file mixes the dtypes of its matrices on purpose.
    """
    overall = Counter(tensor.dtype for tensor in found.own.values())
    quantized = found.listing.format == "gguf" and not BITS.keys() >= overall.keys()
    alike: dict[tuple[int, str], dict[str, str]] = {}
    for name, row in found.expected.items():
        tensor = found.own[name]
        if tensor.dtype not in FLOATS and not (quantized and tensor.dtype not in BITS):
            expected = ", ".join(sorted(FLOATS))
            yield Fault(DTYPE, name, f"expected one of {expected}, got {tensor.dtype}", expected, tensor.dtype)
        elif not (quantized and len(row.table_shape) == 2):
            alike.setdefault((len(row.table_shape), templated(name)[0]), {})[name] = tensor.dtype
    others = {
        rank: Counter(dtype for (of, _), group in alike.items() if of == rank for dtype in group.values())
        for rank in {of for of, _ in alike}
    }
    for (rank, _), group in alike.items():
        counted = Counter(group.values())
        # of two that are equally frequent, the one that most matrices have, or most vectors
        usual = max(counted, key=lambda dtype: (counted[dtype], others[rank][dtype]))
        for name, dtype in group.items():
            if dtype != usual:
                yield Fault(DTYPE, name, f"expected {usual}, as in the other blocks, got {dtype}", usual, dtype)


def memories(found: Assigned) -> Iterator[Fault]:
    """Yield each parameter that does not have its bytes for itself: it repeats its elements, or shares another's."""
    whole = []
    for name, tensor in found.own.items():
        if tensor.numel > 1 and tensor.stride and 0 in tensor.stride:
            message = "expected an element for each place, got fewer that are repeated"
            yield Fault(SHARED, name, message, f"{tensor.numel:,} elements", "expanded ones")
        elif found.listing.files and tensor.file is None:
            message = "it was saved from the meta device, and its values are nowhere"
            yield Fault(MISSING, name, message, f"{tensor.numel:,} values", "none")
        else:
            whole.append(tensor)
    copy, wte = found.head_copy, found.stored("wte")
    if copy is not None and (wte is None or copy.memory is None or copy.memory != wte.memory):
        whole.append(copy)
    for each in memory.shared(whole):
        yield Fault(SHARED, each.tensor, each.message, "a memory of its own", each.other or "its own elements twice")
    left = holdings.rest(found)
    if left < 0:
        message = f"the tensors take {-left:,} bytes more than there are in the files"
        yield Fault(SHARED, "all tensors", message, "bytes of its own for each", f"{left:,} bytes left")


def masks(found: Sorted) -> Iterator[Fault]:
    """Yield what is wrong beside the parameters: all blocks have a mask or none, in one shape and dtype."""
    groups: dict[str, tuple[Extra, list[StoredTensor]]] = {}
    for tensor, extra in found.extras:
        groups.setdefault(extra.template, (extra, []))[1].append(tensor)
    for template, (extra, tensors) in groups.items():
        yield from _alike(found, extra, tensors)
        yield from _in_every_block(found, template, {tensor.name for tensor in tensors})


def _alike(found: Sorted, extra: Extra, tensors: list[StoredTensor]) -> Iterator[Fault]:
    """Yield each mask that is not of the form, or not as in the other blocks; where half differ, all of them."""
    ranked = Counter((tensor.shape, tensor.dtype) for tensor in tensors).most_common(2)
    (shape, dtype), most = ranked[0]
    undecided = len(ranked) == 2 and ranked[1][1] == most
    for tensor in tensors:
        got = f"{written(tensor.shape)} {tensor.dtype}"
        if not _has_form(tensor.shape, extra, found.dims):
            yield wrong_shape(tensor, extra.shape)
        elif undecided or (tensor.shape, tensor.dtype) != (shape, dtype):
            expected = "the same in every block" if undecided else f"{written(shape)} {dtype}, as in other blocks"
            kind = DTYPE if tensor.shape == shape else SHAPE
            yield Fault(kind, tensor.name, f"expected {expected}, got {got}", expected, got)


def _in_every_block(found: Sorted, template: str, present: set[str]) -> Iterator[Fault]:
    if "{}" not in template:
        return
    names = [found.reading.named(template, block) for block in found.listed]
    for name in (name for name in names if name not in present):
        yield Fault(MISSING, name, "it is missing, and other blocks have it", "one in every block", "nothing")
    for name in sorted(present.difference(names)):
        yield Fault(UNEXPECTED, name, blocks_of(found.dims), "nothing", name)


def head_copy(found: Sorted) -> Iterator[Fault]:
    """Yield what is wrong with the shape of a tied head that is stored all the same: it has to be that of wte."""
    copy, wte = found.head_copy, found.stored("wte")
    if copy is None:
        return
    row = found.reading.find(copy.name)
    layout = row[0].layout if row and isinstance(row[0], Piece) else None
    rows = found.dims.vocab_size + (found.padded_rows("wte", wte.shape) if wte else 0)
    table = (rows, found.dims.n_embd)
    expected = (layout and layout.stored(table, 0, 0)) or table
    if copy.shape != expected:
        yield wrong_shape(copy, expected, ", as wte")
    if wte is not None and copy.dtype != wte.dtype and found.listing.format != "gguf":
        yield Fault(DTYPE, copy.name, f"expected {wte.dtype}, as wte, got {copy.dtype}", wte.dtype, copy.dtype)


def wrong_shape(tensor: StoredTensor, expected: tuple[int | str, ...], why: str = "") -> Fault:
    """Return what to say of a tensor with another shape than expected."""
    wanted, got = written(expected), written(tensor.shape)
    turned = ": it is transposed" if tensor.shape == expected[::-1] else ""
    return Fault(SHAPE, tensor.name, f"expected {wanted}{why}, got {got}{turned}", wanted, got)


def blocks_of(dims: Dims) -> str:
    """Say how many blocks there are, of a tensor in one that there is not.

    >>> from gpt2calc.presets import load
    >>> blocks_of(load("gpt2").dims)
    'the model has 12 blocks, numbered from 0'
    """
    return f"the model has {dims.n_layer:,} block{'s' if dims.n_layer != 1 else ''}, numbered from 0"


def written(shape: tuple[int | str, ...]) -> str:
    """Write a shape as people do.

    >>> written((768, 2304))
    '[768, 2304]'
    """
    return f"[{', '.join(map(str, shape))}]"


def _has_form(shape: Shape, extra: Extra, dims: Dims) -> bool:
    """Whether a shape is of the form that an extra has, such as [1, 1, n, n]."""
    if len(shape) != len(extra.shape):
        return False
    pairs = list(zip(shape, extra.shape, strict=True))
    squares = {size for size, axis in pairs if axis == "n"}
    sizes = {"V": dims.vocab_size, "n": next(iter(squares), 0)}
    return len(squares) < 2 and all(size == (axis if isinstance(axis, int) else sizes[axis]) for size, axis in pairs)
