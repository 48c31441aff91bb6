"""Every way people count parameters, by name: a row for each, with a sentence and where it is found.

Each row is a function of a GPT-2's dims, exact on integers of any size; `general_conventions` has those of any model.
There is no "non-embedding" here: nanoGPT, Kaplan et al. and OLMo-core each mean something else by it, so each has a
name that says what is left out.
"""

from __future__ import annotations

from math import gcd

from gpt2calc import formulas, tensor_table
from gpt2calc.errors import Named
from gpt2calc.general_conventions import BYTES, ELEMENTS, PARAMETERS, STORED, Convention
from gpt2calc.model import WEIGHT

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from gpt2calc.dims import Dims

__all__ = ["BYTES", "CONVENTIONS", "ELEMENTS", "NAMES", "PARAMETERS", "Convention", "evaluate", "find"]


def tied(dims: Dims) -> int:
    """Count an lm_head that shares the matrix of wte once."""
    return formulas.total(dims._replace(tie_word_embeddings=1))


def untied(dims: Dims) -> int:
    """Count the matrix of an lm_head beside that of wte."""
    return formulas.total(dims._replace(tie_word_embeddings=0))


def without_wpe(dims: Dims) -> int:
    """Leave the position embedding out."""
    return formulas.total(dims) - tensor_table.numel(dims, component="wpe")


def without_embeddings(dims: Dims) -> int:
    """Leave both embeddings out; an lm_head of its own stays."""
    return without_wpe(dims) - tensor_table.numel(dims, component="wte")


def kaplan(dims: Dims) -> int:
    """Count the matrices of attention and MLP alone, 12·L·d² when n_inner is 4·n_embd."""
    return tensor_table.numel(dims, rank=2, in_block=True)


def weights(dims: Dims) -> int:
    """Count weights, LayerNorm's among them, and no biases."""
    return tensor_table.numel(dims, role=WEIGHT)


def without_biases(dims: Dims) -> int:
    """Count the same model built with bias=False; task heads keep theirs."""
    return formulas.total(dims._replace(bias=0, qkv_bias=0))


def matrices(dims: Dims) -> int:
    """Count the tensors of two dimensions, those that optimizers decay."""
    return tensor_table.numel(dims, rank=2)


def vectors(dims: Dims) -> int:
    """Count the tensors of one dimension, biases and LayerNorm, that optimizers do not decay."""
    return tensor_table.numel(dims, rank=1)


def stored_with_masks(dims: Dims) -> int:
    """Add the causal masks that old files hold: one of T·T elements for each attention of each block."""
    return formulas.total(dims) + dims.n_layer * (1 + dims.add_cross_attention) * dims.n_positions**2


def padded_vocabulary(dims: Dims) -> int:
    """Count the model with its vocabulary rounded up to a multiple of 128, 50,257 to 50,304."""
    return formulas.total(dims._replace(vocab_size=-(-dims.vocab_size // 128) * 128))


def narayanan(dims: Dims) -> int:
    """Evaluate 12·L·d²·(1 + 13/(12·d) + (V + T)/(12·L·d)), multiplied out so that it stays an integer."""
    L, d, T, V, _, _ = dims.sizes
    return 12 * L * d**2 + 13 * L * d + (V + T) * d


def cookbook(dims: Dims) -> int:
    """Evaluate 12·L·d² + 8·L·d + 2·d + V·d + T·d."""
    L, d, T, V, _, _ = dims.sizes
    return 12 * L * d**2 + 8 * L * d + 2 * d + V * d + T * d


def bytes_at(bits: int) -> Callable[[Dims], int]:
    """Return the convention that stores every parameter once in this many bits, in whole bytes at the end."""
    common = gcd(bits, 8)  # so that nothing on the way is larger than the parameters or the bytes
    return lambda dims: -(-(bits // common) * formulas.total(dims) // (8 // common))


CONVENTIONS: tuple[Convention, ...] = (
    Convention(
        "tied",
        PARAMETERS,
        "every parameter once; lm_head shares the matrix of wte",
        "transformers, sum(p.numel() for p in GPT2LMHeadModel.parameters())",
        tied,
    ),
    Convention(
        "untied",
        PARAMETERS,
        "every parameter, with an lm_head matrix beside wte; a tied model's state_dict() sums to this too",
        "transformers, tie_word_embeddings=False; torch, Module.state_dict",
        untied,
    ),
    Convention(
        "without_wpe",
        PARAMETERS,
        "all but the position embedding",
        "karpathy/nanoGPT, model.py: get_num_params",
        without_wpe,
    ),
    Convention(
        "without_embeddings",
        PARAMETERS,
        "all but the token and position embeddings",
        "transformers, PreTrainedModel.num_parameters(exclude_embeddings=True)",
        without_embeddings,
    ),
    Convention(
        "kaplan",
        PARAMETERS,
        "the matrices of attention and MLP alone, 12·L·d² where n_inner is 4·d",
        "Kaplan et al. 2020, arXiv:2001.08361, section 2.1; TransformerLens, cfg.n_params",
        kaplan,
    ),
    Convention(
        "weights",
        PARAMETERS,
        "weights alone, those of LayerNorm among them",
        "torch, the parameters whose name ends in .weight",
        weights,
    ),
    Convention(
        "without_biases",
        PARAMETERS,
        "the same model built with bias=False",
        "karpathy/nanoGPT, transformer_sizing.ipynb",
        without_biases,
    ),
    Convention(
        "matrices",
        PARAMETERS,
        "tensors of two dimensions, those that AdamW decays",
        "karpathy/nanoGPT, model.py: configure_optimizers",
        matrices,
    ),
    Convention(
        "vectors",
        PARAMETERS,
        "tensors of one dimension, biases and LayerNorm, that AdamW does not decay",
        "karpathy/nanoGPT, model.py: configure_optimizers",
        vectors,
    ),
    Convention(
        "padded_vocabulary",
        PARAMETERS,
        "vocabulary rounded up to a multiple of 128, as 50,257 to 50,304",
        "karpathy/llm.c, train_gpt2.py: write_model; Megatron-LM, --make-vocab-size-divisible-by",
        padded_vocabulary,
    ),
    Convention(
        "narayanan",
        PARAMETERS,
        "a published closed form that leaves ln_f out, 2·d too low for a GPT-2",
        "Narayanan et al. 2021, arXiv:2104.04473, equation 2",
        narayanan,
    ),
    Convention(
        "cookbook",
        PARAMETERS,
        "a published script's closed form that leaves most biases out, 5·L·d too low for a GPT-2",
        "EleutherAI/cookbook, calc/calc_transformer_params.py",
        cookbook,
    ),
    Convention(
        "stored_with_masks",
        ELEMENTS,
        "elements of a file with a causal mask of T·T for each attention, as GPT-2 was released",
        "openai-community/gpt2, model.safetensors; safetensors/safetensors, issue 44",
        stored_with_masks,
    ),
    *(
        Convention(f"{dtype}_bytes", BYTES, sentence, source, bytes_at(bits))
        for dtype, bits, sentence, source in STORED
    ),
)
"""The table. A new way of counting is one row here."""


NAMES = tuple(row.name for row in CONVENTIONS)
BY_NAME = Named("convention", dict(zip(NAMES, CONVENTIONS, strict=True)))


def find(name: str) -> Convention:
    """Return a convention by name.

    Raises:
        UnknownNameError: there is none of this name.

    >>> from gpt2calc.presets import load
    >>> find("stored_with_masks").value(load("gpt2").dims)
    137022720
    """
    return BY_NAME[name]


def evaluate(dims: Dims) -> dict[str, int]:
    """Return the value of every convention by name, in the order of the table.

    >>> from gpt2calc.presets import load
    >>> evaluate(load("gpt2").dims)["without_wpe"]
    123653376
    """
    return {row.name: row.value(dims) for row in CONVENTIONS}
