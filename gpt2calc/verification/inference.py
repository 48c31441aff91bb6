"""From a listing to the config it shows: each tensor's shape votes for the sizes in it, and the majority wins.

So one tensor that is wrong does not mislead: it is outvoted, and `verification` names it. What no shape shows, n_head
in most dialects, is guessed and said to be. It must not know a format.
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import tensor_table
from gpt2calc.algebra import Expression
from gpt2calc.architectures import gpt2
from gpt2calc.dialects.base import LAYER, Piece
from gpt2calc.dims import EVERYTHING, LETTERS, Dims, from_fields
from gpt2calc.model import BIAS, WEIGHT
from gpt2calc.verification.assignment import BEYOND

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from gpt2calc.dialects.base import Reading
    from gpt2calc.dialects.layouts import Shape
    from gpt2calc.listing import StoredTensor, TensorListing
    from gpt2calc.verification.naming import Names

MAY_BE_0 = ("n_inner", "num_labels")
"""The sizes that can be 0; what is 0 of another is no vote."""

HEAD_SIZE = 64
"""The width of an attention head in every size that OpenAI released: n_embd / n_head."""

MOST_TRIED_WIDTHS = 1000
"""How many divisors are tried, so that an absurd n_embd takes no time."""

_FIELD = {(letter,): field for field, letter in LETTERS.items()}


def _axis(size: Any) -> tuple[str, int] | None:
    """Return the field that an axis of the tensor table shows, and how many times it: n_embd three times for 3d."""
    (factors, times), *others = Expression.of(size).terms.items()
    return (_FIELD[factors], times) if factors in _FIELD and not others else None


AXES = {(row.component, row.role): tuple(map(_axis, row.shape)) for row in tensor_table.table(EVERYTHING)}
"""The field that each axis of a tensor shows, and how many times it; None where it is a sum, or a number."""


class Inferred(NamedTuple):
    """What a listing shows of its config.

    `fields` are in canonical spelling; `known_heads` is False where n_head is only a guess, since no shape shows it.
    `reading` is how the names were read, and `fits` how many tensors have the shapes of these fields.
    """

    reading: Reading
    fields: dict[str, Any]
    known_heads: bool
    fits: int = 0

    @property
    def dims(self) -> Dims:
        """What the formulas read."""
        return from_fields(self.fields)


class _Found(NamedTuple):
    """A stored tensor, the row of the dialect that it is of, and the number of its block."""

    tensor: StoredTensor
    piece: Piece
    block: int | None


def infer(listing: TensorListing, names: Names) -> Inferred:
    """Infer the config of a GPT-2 from the shapes of its tensors.

    Law: of the readings that know the same names, the one is taken under which the most tensors have the shape that the
    majority implies; transformers' and nanoGPT's names are the same, and only their shapes differ.

    Args:
        listing: what a checkpoint holds.
        names: how its names are read.

    Returns:
        The reading and the fields; what the file itself says of its config is not used.
    """
    first, *others = names.alike
    found = _found(listing.tensors, first)
    best = _read_as(first, found)
    there = {tensor.name for tensor, _, _ in found}
    rest = [tensor for tensor in listing.tensors if tensor.name not in there]
    for reading in others:
        if best.fits < len(found) or _found(rest, reading):  # one that fits all is not surpassed by those of the same
            best = max(best, _read_as(reading, _found(listing.tensors, reading)), key=lambda each: each.fits)
    return best


def _read_as(reading: Reading, found: list[_Found]) -> Inferred:
    inferred = _inferred(found, reading)
    return inferred._replace(fits=_fitting(found, inferred))


def _found(tensors: Iterable[StoredTensor], reading: Reading) -> list[_Found]:
    return [
        _Found(tensor, found.row, found.block)
        for tensor in tensors
        if (found := reading.find(tensor.name)) and isinstance(found.row, Piece)
    ]


def _inferred(found: list[_Found], reading: Reading) -> Inferred:
    votes = _votes(found)
    sizes = {field: votes[field].most_common(1)[0][0] for field in LETTERS if votes.get(field)}
    by_block = any(LAYER in piece.template for piece in reading.dialect.pieces)
    n_layer = _blocks(found) if by_block else sizes.get("n_layer", 0)
    fields: dict[str, Any] = {"n_layer": 12, "n_embd": 768, "n_positions": 1, "vocab_size": 1} | sizes
    fields |= {"n_layer": n_layer, **_structure(found, reading)}
    if fields.get("n_inner") == 4 * fields["n_embd"]:
        del fields["n_inner"]
    heads = votes.get("n_head")
    fields["n_head"] = heads.most_common(1)[0][0] if heads else guessed_heads(fields["n_embd"])
    return Inferred(reading, fields, bool(heads))


def _votes(found: list[_Found]) -> dict[str, Counter[int]]:
    """Let each tensor vote for the sizes that its shape is made of."""
    votes: dict[str, Counter[int]] = {}
    for tensor, piece, _ in found:
        if piece.layout.first_axis and tensor.shape:
            votes.setdefault(piece.layout.first_axis, Counter())[tensor.shape[0]] += 1
        for field, size in _sizes(piece, tensor.shape):
            votes.setdefault(field, Counter())[size] += 1
    return votes


def _sizes(piece: Piece, shape: Shape) -> Iterator[tuple[str, int]]:
    """Yield the sizes that a shape shows, read against the letters of the tensor table: 2304 over 3d is d = 768."""
    seen = piece.layout.table(shape)
    axes = AXES[piece.component, piece.role]
    if seen is None or len(seen) != len(axes):
        return
    for axis, size in zip(axes, seen, strict=True):
        if axis and (size or axis[0] in MAY_BE_0) and size % axis[1] == 0:
            yield axis[0], size // axis[1]


def _blocks(found: list[_Found]) -> int:
    """Return how many blocks there are: up to the last that has half as many tensors as the fullest, or more.

    One that is far above the others is a stranger: more blocks are missing below it than are there, and `BEYOND` more.
    """
    counts = Counter(block for _, _, block in found if block is not None)
    fullest = max(counts.values(), default=0)
    full = sorted(block for block, tensors in counts.items() if 2 * tensors >= fullest)
    return max((block + 1 for rank, block in enumerate(full, 1) if block < 2 * rank + BEYOND), default=0)


def _structure(found: list[_Found], reading: Reading) -> dict[str, Any]:
    """Return the switches that the names show, each by the majority of the tensors that it decides on."""
    counts = Counter((piece.component, piece.role) for _, piece, _ in found)
    biased = {piece.component for piece in reading.dialect.pieces if piece.role == BIAS}

    def has_bias(*, qkv: bool) -> bool:
        components = [name for name in biased if name.endswith((".c_attn", ".q_attn")) == qkv]
        weights = sum(counts[name, WEIGHT] for name in components)
        return 2 * sum(counts[name, BIAS] for name in components) >= weights

    bias, qkv_bias = has_bias(qkv=False), has_bias(qkv=True)
    crossed = sum(tensors for (component, _), tensors in counts.items() if "cross" in component)
    own = sum(tensors for (component, _), tensors in counts.items() if component in ("attn.c_attn", "attn.c_proj"))
    fields: dict[str, Any] = {"head": "lm", "tie_word_embeddings": not counts["lm_head", WEIGHT]}
    fields |= {"bias": False} if not bias else {}
    if not any(piece.component == "ln_f" for piece in reading.dialect.pieces) and not reading.dialect.folded:
        fields["ln_f"] = False
    fields |= {"qkv_bias": qkv_bias} if qkv_bias != bias else {}
    fields |= {"add_cross_attention": True} if 2 * crossed >= own > 0 and crossed else {}
    return fields | _head(found, counts)


def _head(found: list[_Found], counts: Counter[tuple[str, str]]) -> dict[str, Any]:
    """Return what stands on the body, where it is no lm_head alone."""
    heads = {"classifier": "token_classification", "score": "sequence_classification"}
    for component, head in (*heads.items(), ("qa_outputs", "question_answering")):
        if counts[component, WEIGHT]:
            return {"head": head, "tie_word_embeddings": True}
    summary = [
        tensor.shape for tensor, piece, _ in found if piece.component.endswith("summary") and len(tensor.shape) == 2
    ]
    if not summary:
        return {}
    return {"head": "double_heads"} | ({} if summary[0][0] == 1 else {"summary_proj_to_labels": False})


def guessed_heads(n_embd: int) -> int:
    """Return n_embd / 64, as in every size that OpenAI released, or where that is none the nearest divisor of n_embd.

    >>> guessed_heads(768), guessed_heads(48), guessed_heads(1600)
    (12, 1, 25)
    """
    wanted = max(n_embd // HEAD_SIZE, 1)
    nearest = range(wanted, max(wanted - MOST_TRIED_WIDTHS, 0), -1)
    return next((heads for heads in nearest if n_embd % heads == 0), 1)


def _fitting(found: list[_Found], inferred: Inferred) -> int:
    """Count the tensors that have the shape that the inferred config gives them."""
    dims = inferred.dims
    rows = inferred.reading.expected(gpt2.model(dims), inferred.fields["n_head"])
    expected = {row.piece.template: row.shape for row in rows}
    return sum(
        expected.get(piece.template) == tensor.shape and (block is None or block < dims.n_layer)
        for tensor, piece, block in found
    )
