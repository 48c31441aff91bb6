"""What is wrong with a checkpoint: tensors that are missing, do not belong there, or are of another shape or dtype.

Pure. Each function yields what is wrong, and `faults` all of it. It must not know a closed form: that is `report`.
"""

from __future__ import annotations

from collections import Counter
from itertools import chain, islice
from typing import TYPE_CHECKING

from gpt2calc.dialects.base import COPY, LAYER, Piece
from gpt2calc.listing import BITS, FLOATS, Fault
from gpt2calc.model import SCALE
from gpt2calc.verification import holdings, memory
from gpt2calc.verification.assignment import EIGHT_BITS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.dialects.base import Extra, Found, Row
    from gpt2calc.dialects.layouts import Shape
    from gpt2calc.listing import StoredTensor
    from gpt2calc.verification.assignment import Assignment

MISSING, UNEXPECTED, SHAPE, DTYPE, SHARED = "missing", "unexpected", "shape", "dtype", "shared"
"""What can be wrong with a tensor; what can be wrong between files stands in `listing.Fault`."""

SAFETENSORS = "safetensors"

EXACT = EIGHT_BITS | {"U8"}
"""The dtypes of quantized matrices, which no other has."""

MOST_FAULTS = 1000
"""How many faults are kept; the rest are counted."""

MOST_LOOKED_AT = 20_000
"""How many tensors that are missing are looked at, of which many may be one expert's."""

MOST_COMPARED_NAMES = 60
"""How many names an unexpected one is compared with, and how many are, for a suggestion."""

MOST_COMPARED_CHARACTERS = 120
"""How many characters an unexpected name that is compared may have, without the wrapper of all names."""

MOST_RUNS = 3
"""How many runs of blocks that are missing a fault gives."""


def faults(found: Assignment) -> tuple[tuple[Fault, ...], int]:
    """Return what is wrong, at most `MOST_FAULTS`, and how many more things are."""
    every = chain(
        _missing(found),
        _strangers(found),
        _shapes(found),
        dtypes(found),
        memories(found),
        masks(found),
        head_copy(found),
        found.listing.faults,
    )
    kept = tuple(islice(every, MOST_FAULTS))
    return kept, sum(1 for _ in every) + max(0, found.lacking - MOST_FAULTS)


def _missing(found: Assignment) -> Iterator[Fault]:
    """Yield what is missing: a layer or an expert of which nothing is there in one sentence, and else each tensor."""
    lacking = found.lacking
    gone = _gone(found) if found.reading.dialect.pieces[0].rows and lacking else {}
    for (stack, layer), tensors in gone.items():
        yield _whole(found, stack, layer, tensors)
    shown, experts = 0, set[str]()
    for name, row in islice(found.missing(), MOST_LOOKED_AT) if lacking else ():
        said = found.reading.find(name) if row.piece.rows else None
        if said and said.block is not None and (row.piece.stack, said.block) in gone:
            continue
        expert, count = _expert(found, row, said) if said else ("", 0)
        if expert and expert not in experts:
            experts.add(expert)
            all_of_it = f"all {count:,} of its tensors"
            yield Fault(MISSING, expert, f"the expert is missing, {all_of_it}", all_of_it, "nothing")
        elif not expert and shown < MOST_FAULTS:
            shown += 1
            yield Fault(MISSING, name, "it is missing", written(row.shape or row.table_shape), "nothing")
    pieces = found.reading.dialect.pieces
    named = {(piece.component, piece.role) for piece in pieces}
    for unnamed in (row for row in found.model.tensors() if row.component not in found.reading.dialect.folded):
        if not pieces[0].rows and (unnamed.component, unnamed.role) not in named:
            message = f"it is missing, and the dialect {found.reading.dialect.name} has no name for it"
            name = unnamed.template.format(layer=f"{found.model.stacks[0].prefix}.N")
            yield Fault(MISSING, name, message, written(unnamed.shape), "nothing")
    for stack in dict.fromkeys(row.piece.stack for row in found.rows if row.is_in_blocks):
        layers = found.layers[stack]
        runs = [f"{first:,} to {last:,}" if first < last else f"{first:,}" for first, last in layers.unlisted()]
        if runs:
            more = f" and {len(runs) - MOST_RUNS:,} runs more" if len(runs) > MOST_RUNS else ""
            name = f"blocks {', '.join(runs[:MOST_RUNS])}{more}"
            expected, got = f"{layers.depth:,} blocks", f"{len(layers.seen):,}"
            yield Fault(MISSING, name, "they are missing as well", expected, got)


def _gone(found: Assignment) -> dict[tuple[str, int], int]:
    """Return the layers that are listed and of which nothing is there, each with how many tensors it has."""
    sizes: dict[tuple[str, int], int] = {}
    for stack in dict.fromkeys(row.piece.stack for row in found.rows if row.is_in_blocks):
        layers = found.layers[stack]
        rows = [row for row in found.rows if row.is_in_blocks and row.piece.stack == stack]
        for layer in layers.listed:
            if layer not in layers.seen:
                tags = layers.tags(layer) or frozenset()
                sizes[stack, layer] = sum(row.times for row in rows if row.tags <= tags)
    return sizes


def _whole(found: Assignment, stack: str, layer: int, tensors: int) -> Fault:
    """Return that nothing is there of a layer."""
    layers = found.layers[stack]
    row = next(each for each in found.rows if each.is_in_blocks and each.piece.stack == stack)
    before, _, _ = row.at(layer).partition(f".{layer}.")
    what, further = "the layer", layers.depth - layers.own
    if layer >= layers.own:
        what = f"a layer that predicts a further token, of the {further:,} that the config says,"
    all_of_it = f"all {tensors:,} of its tensors"
    return Fault(MISSING, f"{before}.{layer}", f"{what} is missing, {all_of_it}", all_of_it, "nothing")


def _expert(found: Assignment, row: Row, said: Found) -> tuple[str, int]:
    """Return the expert of which a tensor is missing, and how many it has, where all of them are; else nothing."""
    if said.copy is None:
        return "", 0
    before, copied, _ = row.piece.template.partition(COPY)
    like = (row.piece.stack, row.times, row.tags)
    alike = [
        each
        for each in found.rows
        if (each.piece.stack, each.times, each.tags) == like and each.piece.template.startswith(before + copied)
    ]
    layer, copy = said.block or 0, said.copy
    if len(alike) < 2 or any(each.at(layer, copy) in found.own for each in alike):
        return "", 0
    return row._replace(piece=row.piece._replace(template=before + copied)).at(layer, copy), len(alike)


def _strangers(found: Assignment) -> Iterator[Fault]:
    """Yield what does not belong there, with the missing tensor that it may have been meant to be."""
    missing = list(islice(found.missing(), MOST_FAULTS)) if found.strangers else []
    alike: dict[Shape | None, list[str]] = {}
    for name, row in missing:
        alike.setdefault(row.shape, []).append(name)
    beyond: dict[str, list[StoredTensor]] = {}
    for tensor in found.strangers:
        if place := found.layer_beyond(tensor.name):
            beyond.setdefault(place, []).append(tensor)
    whole = {place: inside for place, inside in beyond.items() if len(inside) > 1}
    for place, inside in whole.items():
        depth = next(iter(found.layers.values())).depth
        elements = f"{len(inside):,} tensors of {sum(tensor.numel for tensor in inside):,} elements"
        yield Fault(UNEXPECTED, place, f"{blocks_of(depth)}, and {elements} are of another", "nothing", elements)
    told = {tensor.name for inside in whole.values() for tensor in inside}
    for index, tensor in enumerate(tensor for tensor in found.strangers if tensor.name not in told):
        said = found.reading.find(tensor.name)
        message = "it is no tensor of this model"
        if said and said.block is not None and said.block >= found.layers[said.row.stack].depth:
            message = blocks_of(found.layers[said.row.stack].depth)
        elif missing and index < MOST_COMPARED_NAMES:
            names = alike.get(tensor.shape) or [name for name, _ in missing]
            near = _nearest(tensor.name, names[:MOST_COMPARED_NAMES], found.reading.wrapper)
            message += f": is it {near}, which is missing?" if near else ""
        yield Fault(UNEXPECTED, tensor.name, message, "nothing", written(tensor.shape))


def _nearest(name: str, names: list[str], wrapper: str) -> str | None:
    """Return the name that is most like another; the wrapper of all is left out, since it only takes time."""
    bare = name.removeprefix(wrapper)
    if len(bare) > MOST_COMPARED_CHARACTERS:
        return None
    from difflib import get_close_matches  # 5 ms at start-up, and only a fault needs it

    found = get_close_matches(bare, [each.removeprefix(wrapper) for each in names], 1, 0.5)
    return wrapper + found[0] if found else None


def _shapes(found: Assignment) -> Iterator[Fault]:
    for name, row in found.expected.items():
        tensor = found.own[name]
        if row.shape is None:
            message = "no shape fits, since n_head does not divide n_embd"
            yield Fault(SHAPE, name, message, written(row.table_shape), written(tensor.shape))
        elif tensor.shape != row.shape and not found.padded_rows(row, tensor.shape):
            yield wrong_shape(tensor, row.shape)


def dtypes(found: Assignment) -> Iterator[Fault]:
    """Yield each tensor whose dtype no parameter has, or is not that of the same tensor in the other blocks.

    Training in 16 bits keeps LayerNorm, wte or a head in 32, and so a component may have a dtype of its own: in all
    blocks, or, where a model has it once, any. A quantized file mixes the dtypes of its matrices on purpose.
    """
    if _is_uniform(found):
        return
    wrong = {fault.tensor: fault for fault in _quantized(found)}
    yield from wrong.values()
    overall = Counter(tensor.dtype for tensor in found.own.values())
    packs = found.listing.format == "gguf" or found.listing.packed is not None
    quantized = packs and not BITS.keys() >= overall.keys()
    alike: dict[tuple[int, str], dict[str, str]] = {}
    for name, row in found.expected.items():
        tensor = found.own[name]
        if row.dtype in EXACT or name in wrong:
            continue
        if tensor.dtype not in FLOATS and not (quantized and tensor.dtype not in BITS):
            expected = ", ".join(sorted(FLOATS))
            yield Fault(DTYPE, name, f"expected one of {expected}, got {tensor.dtype}", expected, tensor.dtype)
        elif not (quantized and len(row.table_shape) == 2):
            alike.setdefault((len(row.table_shape), row.piece.template), {})[name] = tensor.dtype
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


def _is_uniform(found: Assignment) -> bool:
    """Whether each row has one dtype in all layers, and one that it can have: so it is in nearly every file."""
    own, rows = found.own, {id(row): row for row in found.expected.values()}
    pairs = {(id(row), own[name].dtype) for name, row in found.expected.items()}
    templates = {row.piece.template for row in rows.values()}
    if not len(pairs) == len(rows) == len(templates):
        return False
    if found.is_quantized and not any(row.dtype in EXACT for row in rows.values()):
        return False
    plain = FLOATS - EIGHT_BITS if found.is_quantized else FLOATS
    return all(dtype == rows[of].dtype if rows[of].dtype in EXACT else dtype in plain for of, dtype in pairs)


def _quantized(found: Assignment) -> Iterator[Fault]:
    """Yield each matrix that is not stored as the config says that its files are quantized, and what is plain and is.

    Scales are as precise as in other files: DeepSeek's are of 32 bits, and Qwen's of 16.
    """
    if not found.is_quantized:
        return
    if not any(row.dtype in EXACT for row in found.expected.values()):
        message = "the config says that the files are quantized, and none of their matrices is"
        yield Fault(DTYPE, "all tensors", message, "quantized matrices", "plain ones")
    for name, row in found.expected.items():
        dtype = found.own[name].dtype
        if row.dtype in EXACT and dtype != row.dtype:
            yield Fault(DTYPE, name, f"expected {row.dtype}, as it is quantized, got {dtype}", row.dtype, dtype)
        elif row.dtype not in EXACT and dtype in EIGHT_BITS:
            why = "as a scale has" if row.role == SCALE else "since it has no scale"
            yield Fault(DTYPE, name, f"expected 16 or 32 bits, {why}, got {dtype}", "16 or 32 bits", dtype)


def memories(found: Assignment) -> Iterator[Fault]:
    """Yield each parameter that does not have its bytes for itself: it repeats its elements, or shares another's."""
    whole = []
    # The reader of safetensors has seen that each has its bytes for itself, but where one storage has two names.
    is_apart = found.listing.format == SAFETENSORS and not any(each.storage for each in found.listing.tensors)
    for name, tensor in () if is_apart else found.own.items():
        if tensor.numel > 1 and tensor.stride and 0 in tensor.stride:
            message = "expected an element for each place, got fewer that are repeated"
            yield Fault(SHARED, name, message, f"{tensor.numel:,} elements", "expanded ones")
        elif found.listing.files and tensor.file is None:
            message = "it was saved from the meta device, and its values are nowhere"
            yield Fault(MISSING, name, message, f"{tensor.numel:,} values", "none")
        else:
            whole.append(tensor)
    copy, wte = found.head_copy, found.embedding
    if copy is not None and not is_apart and (wte is None or copy.memory is None or copy.memory != wte.memory):
        whole.append(copy)
    for each in memory.shared(whole):
        yield Fault(SHARED, each.tensor, each.message, "a memory of its own", each.other or "its own elements twice")
    left = holdings.rest(found)
    if left < 0:
        message = f"the tensors take {-left:,} bytes more than there are in the files"
        yield Fault(SHARED, "all tensors", message, "bytes of its own for each", f"{left:,} bytes left")


def masks(found: Assignment) -> Iterator[Fault]:
    """Yield what is wrong beside the parameters: all blocks have a mask or none, in one shape and dtype."""
    groups: dict[str, tuple[Extra, list[StoredTensor]]] = {}
    for tensor, extra in found.extras:
        if extra.template:
            groups.setdefault(extra.template, (extra, []))[1].append(tensor)
    for extra, tensors in groups.values():
        yield from _alike(found, extra, tensors)
        yield from _in_every_block(found, extra, {tensor.name for tensor in tensors})


def _alike(found: Assignment, extra: Extra, tensors: list[StoredTensor]) -> Iterator[Fault]:
    """Yield each mask that is not of the form, or not as in the other blocks; where half differ, all of them."""
    ranked = Counter((tensor.shape, tensor.dtype) for tensor in tensors).most_common(2)
    (shape, dtype), most = ranked[0]
    undecided = len(ranked) == 2 and ranked[1][1] == most
    for tensor in tensors:
        got = f"{written(tensor.shape)} {tensor.dtype}"
        if not _has_form(tensor.shape, extra, found.model.vocab_size):
            yield wrong_shape(tensor, extra.shape)
        elif undecided or (tensor.shape, tensor.dtype) != (shape, dtype):
            expected = "the same in every block" if undecided else f"{written(shape)} {dtype}, as in other blocks"
            kind = DTYPE if tensor.shape == shape else SHAPE
            yield Fault(kind, tensor.name, f"expected {expected}, got {got}", expected, got)


def _in_every_block(found: Assignment, extra: Extra, present: set[str]) -> Iterator[Fault]:
    if LAYER not in extra.template:
        return
    layers = found.layers[extra.stack]
    names = [found.reading.named(extra, block) for block in layers.listed]
    for name in (name for name in names if name not in present):
        yield Fault(MISSING, name, "it is missing, and other blocks have it", "one in every block", "nothing")
    for name in sorted(present.difference(names)):
        yield Fault(UNEXPECTED, name, blocks_of(layers.depth), "nothing", name)


def head_copy(found: Assignment) -> Iterator[Fault]:
    """Yield what is wrong with a tied head that is stored all the same: it has the shape and the dtype of wte."""
    copy, wte, dialect = found.head_copy, found.embedding, found.reading.dialect
    if copy is None:
        return
    row = next(each for each in found.rows if each.component == dialect.embedding)
    rows, width = row.table_shape
    table = (rows + (found.padded_rows(row, wte.shape) if wte else 0), width)
    said = found.reading.find(copy.name)
    expected = (said and isinstance(said.row, Piece) and said.row.layout.stored(table, 0, 0)) or table
    if copy.shape != expected:
        yield wrong_shape(copy, expected, f", as {dialect.embedding}")
    packs = found.listing.format == "gguf" or found.listing.packed is not None
    if wte is not None and copy.dtype != wte.dtype and not packs:
        message = f"expected {wte.dtype}, as {dialect.embedding}, got {copy.dtype}"
        yield Fault(DTYPE, copy.name, message, wte.dtype, copy.dtype)


def wrong_shape(tensor: StoredTensor, expected: tuple[int | str, ...], why: str = "") -> Fault:
    """Return what to say of a tensor with another shape than expected."""
    wanted, got = written(expected), written(tensor.shape)
    turned = ": it is transposed" if tensor.shape == expected[::-1] else ""
    return Fault(SHAPE, tensor.name, f"expected {wanted}{why}, got {got}{turned}", wanted, got)


def blocks_of(blocks: int) -> str:
    """Say how many blocks there are, of a tensor in one that there is not.

    >>> blocks_of(12)
    'the model has 12 blocks, numbered from 0'
    """
    return f"the model has {blocks:,} block{'s' if blocks != 1 else ''}, numbered from 0"


def written(shape: tuple[int | str, ...]) -> str:
    """Write a shape as people do.

    >>> written((768, 2304))
    '[768, 2304]'
    """
    return f"[{', '.join(map(str, shape))}]"


def _has_form(shape: Shape, extra: Extra, tokens: int) -> bool:
    """Whether a shape is of the form that an extra has, such as [1, 1, n, n]."""
    if len(shape) != len(extra.shape):
        return False
    pairs = list(zip(shape, extra.shape, strict=True))
    squares = {size for size, axis in pairs if axis == "n"}
    sizes = {"V": tokens, "n": next(iter(squares), 0)}
    return len(squares) < 2 and all(size == (axis if isinstance(axis, int) else sizes[axis]) for size, axis in pairs)
