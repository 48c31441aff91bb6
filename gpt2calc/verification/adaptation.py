"""Adapters in files: LoRA as PEFT and loralib name it, beside a model or alone, and prompt tuning, which is alone.

From a listing to the pairs of A and B in it, each held against the matrix that it adapts, and to the listing of the
model without them. It must not know which model that is: whoever asks gives the shapes of its matrices.

Sources: huggingface/peft 0.21.2, src/peft/utils/save_and_load.py and tuners/lora/layer.py; microsoft/LoRA,
loralib/layers.py, whose MergedLinear adapts some of the thirds of a matrix, and stacks their A.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.listing import Fault

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from typing import TypeAlias

    from gpt2calc.listing import StoredTensor, TensorListing

    Shape: TypeAlias = "tuple[int, ...]"

PAIR = "adapter"
"""The kind of the faults of an adapter."""

PART = re.compile(
    r"(?P<module>.+)\.(?P<part>lora_A|lora_B|lora_embedding_A|lora_embedding_B|lora_magnitude_vector)"
    r"(?:\.(?P<adapter>(?!weight$|bias$)[^.]+))?(?:\.(?P<leaf>weight|bias))?",
    re.DOTALL,
)
"""A tensor of LoRA: the module that it adapts, which part it is, and PEFT's name of the adapter, in memory alone."""

SAVED = re.compile(r"(?P<module>.+)\.modules_to_save\.(?P<adapter>[^.]+)\.(?P<leaf>.+)", re.DOTALL)
"""A tensor of a module that is trained in a copy, as a state_dict of PEFT names it."""

KEPT = re.compile(r"\.(?:base_layer|original_module)(?=\.)")
"""What PEFT puts between the name of a module that it wraps and those of its own tensors."""

PROMPT = re.compile(r"(?:.*\.)?prompt_embeddings", re.DOTALL)
"""The virtual tokens of prompt tuning."""

NAMED = re.compile(r"(?:.*/)?adapter_model\.(?:safetensors|bin)", re.DOTALL)
"""What PEFT calls the file."""

THIRDS = 3
"""Into how many parts loralib's MergedLinear cuts the outputs of queries, keys and values."""


def is_alone(listing: TensorListing | None, *, is_described: bool) -> bool:
    """Whether a listing is of an adapter and no model: none of its tensors is a matrix of the model's own.

    Args:
        listing: what a checkpoint holds; None where there is only a config.
        is_described: whether there is a config of an adapter.
    """
    if listing is None:
        return False
    named = len(listing.files) == 1 and NAMED.fullmatch(listing.files[0].path) is not None
    has_part = any("lora_" in each.name or each.name.endswith("prompt_embeddings") for each in listing.tensors)
    if not has_part:
        return named and is_described
    own = parted(listing).listing.tensors
    return named or not any(len(each.shape) >= 2 for each in own)


class Pair(NamedTuple):
    """What adapts one matrix.

    Args:
        module: the module, as the file names it.
        adapter: PEFT's name of the adapter; "" where the file gives none.
        parts: the tensors, by what they are: A, B, and a magnitude or a bias of B.
    """

    module: str
    adapter: str
    parts: Mapping[str, StoredTensor]

    @property
    def rank(self) -> int | None:
        """The rank, as B has it; None where B is missing, or has no two axes."""
        b = self.parts.get("B")
        return b.shape[1] if b is not None and len(b.shape) == 2 else None

    @property
    def elements(self) -> int:
        """How many numbers all its tensors have."""
        return sum(tensor.numel for tensor in self.parts.values())

    def faults(self, shape: Shape | None) -> Iterator[Fault]:
        """Yield what is wrong with it, beside a matrix, of which either axis may be the inputs; None for none.

        Law: A [r, in], B [out, r], a magnitude or a bias [out]; of MergedLinear, of k of three thirds, A [k·r, in] and
        B [k·out/3, r].
        """
        missing = [part for part in "AB" if part not in self.parts]
        there = next(iter(self.parts.values()))
        for part in missing:
            name = f"{self.module}.lora_{part}"
            yield Fault(PAIR, name, f"it is missing, and {there.name} is there", "one", "nothing")
        if missing:
            return
        a, b = self.parts["A"], self.parts["B"]
        if shape is None:
            yield Fault(PAIR, a.name, f"the model has no matrix {self.module}", "a matrix", "nothing")
            return
        if len(a.shape) != 2 or len(b.shape) != 2 or not _fits(a.shape, b.shape, shape):
            got = f"{list(a.shape)} and {list(b.shape)}"
            rank = self.rank if self.rank is not None else "r"
            expected = f"A [{rank}, n] and B [m, {rank}] of a matrix {list(shape)}"
            yield Fault(PAIR, a.name, f"expected {expected}, got {got}", expected, got)
            return
        for part in ("magnitude", "bias"):
            tensor = self.parts.get(part)
            if tensor is not None and tensor.numel != b.shape[0]:
                expected, got = f"[{b.shape[0]}]", str(list(tensor.shape))
                yield Fault(PAIR, tensor.name, f"expected {expected}, got {got}", expected, got)


def _fits(a: Shape, b: Shape, shape: Shape) -> bool:
    if a[0] == b[1] and (a[1], b[0]) in {shape, shape[::-1]}:
        return True
    thirds, rest = divmod(a[0], b[1]) if b[1] else (0, 1)
    return not rest and 0 < thirds <= THIRDS and any(
        (a[1], THIRDS * b[0]) == (inputs, thirds * outputs) for inputs, outputs in (shape, shape[::-1])
    )  # fmt: skip


class Adapted(NamedTuple):
    """What of a listing is of adapters, and what is of the model.

    Args:
        listing: the model's tensors, under the names that they have without an adapter.
        pairs: what adapts a matrix.
        saved: copies of modules that are trained as they are, each with the name of the tensor that it is a copy of.
        prompts: the virtual tokens.
    """

    listing: TensorListing
    pairs: tuple[Pair, ...]
    saved: tuple[tuple[str, StoredTensor], ...]
    prompts: tuple[StoredTensor, ...]

    @property
    def beside(self) -> tuple[tuple[StoredTensor, str], ...]:
        """Every tensor of an adapter, with what it is."""
        found = [(tensor, "LoRA") for pair in self.pairs for tensor in pair.parts.values()]
        found += [(tensor, "modules saved in a copy") for _, tensor in self.saved]
        return (*found, *((tensor, "virtual tokens") for tensor in self.prompts))

    @property
    def ranks(self) -> tuple[int, ...]:
        """The ranks of all pairs, each once, the lowest first."""
        return tuple(sorted({pair.rank for pair in self.pairs if pair.rank is not None}))

    def faults(self, shape_of: Callable[[str], Shape | None]) -> tuple[Fault, ...]:
        """Return what is wrong with any pair, beside the matrices that `shape_of` knows by their module."""
        return tuple(fault for pair in self.pairs for fault in pair.faults(shape_of(pair.module)))


def parted(listing: TensorListing) -> Adapted:
    """Take adapters apart from the model that they adapt.

    >>> from gpt2calc.listing import StoredTensor, TensorListing
    >>> names = ("h.0.attn.c_attn.base_layer.weight", "h.0.attn.c_attn.lora_A.weight", "h.0.attn.c_attn.lora_B.weight")
    >>> shapes = ((4, 12), (2, 4), (12, 2))
    >>> tensors = tuple(StoredTensor(*each, "F32", 0) for each in zip(names, shapes))
    >>> found = parted(TensorListing("x", "safetensors", tensors))
    >>> found.listing.tensors[0].name, found.pairs[0].module, found.ranks
    ('h.0.attn.c_attn.weight', 'h.0.attn.c_attn', (2,))
    """
    pairs: dict[tuple[str, str], dict[str, StoredTensor]] = {}
    saved, prompts, own = [], [], []
    for tensor in listing.tensors:
        if "lora_" in tensor.name and (said := PART.fullmatch(tensor.name)):
            part = said["part"].removeprefix("lora_").removeprefix("embedding_")
            part = "bias" if said["leaf"] == "bias" else "magnitude" if part == "magnitude_vector" else part
            pairs.setdefault((said["module"], said["adapter"] or ""), {})[part] = tensor
        elif ".modules_to_save." in tensor.name and (said := SAVED.fullmatch(tensor.name)):
            saved.append((f"{said['module']}.{said['leaf']}", tensor))
        elif "prompt_embeddings" in tensor.name and PROMPT.fullmatch(tensor.name):
            prompts.append(tensor)
        else:
            own.append(tensor)
    if not pairs and not saved and not prompts:
        return Adapted(listing, (), (), ())
    whole = tuple(tensor._replace(name=KEPT.sub("", tensor.name)) for tensor in own)
    found = tuple(Pair(*key, parts) for key, parts in pairs.items())
    return Adapted(listing._replace(tensors=whole), found, tuple(saved), tuple(prompts))
