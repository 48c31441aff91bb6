"""Every way people count the parameters of any language model, by name, and what such a way is.

It must not know an architecture: parts of a model are asked for by what they are, and never by their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc.model import BUFFER, OUTPUT_HEAD, POSITION_EMBEDDING, TOKEN_EMBEDDING

if TYPE_CHECKING:
    from collections.abc import Callable

    from gpt2calc.model import Model

PARAMETERS, ELEMENTS, BYTES = "parameters", "elements", "bytes"


class Convention(NamedTuple):
    """One way of counting: what it counts, in a sentence, where it is used, and how to compute it."""

    name: str
    unit: str
    sentence: str
    source: str
    value: Callable[[Any], int]


STORED = (
    ("fp32", 32, "4 bytes a parameter", "torch.float32"),
    ("fp16", 16, "2 bytes a parameter", "torch.float16"),
    ("bf16", 16, "2 bytes a parameter", "torch.bfloat16"),
    ("int8", 8, "1 byte a parameter, without scales", "torch.int8"),
    ("int4", 4, "half a byte a parameter, without scales", "bitsandbytes, Linear4bit"),
)
"""The dtypes that parameters are stored in: bits, a sentence and a source."""


def _with_head_tied(tie: int) -> Callable[[Model], int]:
    """Return the convention that counts an output head as the token embedding, or beside it."""
    return lambda model: int(model.replace(tie_word_embeddings=tie).total())


def _without(*parts: str) -> Callable[[Model], int]:
    """Return the convention that leaves parts of the model out."""

    def count(model: Model) -> int:
        rows = (row for row in model.components() if row.part not in parts)
        return sum(model.count(row.layers) * row.times * (row.weights + row.biases) for row in rows)

    return count


def _active_without(*parts: str) -> Callable[[Model], int]:
    """Return the convention that counts what one token passes: of the experts as many as are chosen for it."""

    def count(model: Model) -> int:
        rows = (row for row in model.components() if row.part not in parts)
        return sum(
            model.count(row.layers) * (row.times if row.used is None else row.used) * (row.weights + row.biases)
            for row in rows
        )

    return count


def _with_buffers(model: Model) -> int:
    """Count what files hold beside the parameters, too."""
    return int(model.total() + model.numel(role=BUFFER))


def _bytes_of(bits: int) -> Callable[[Model], int]:
    """Return the convention that stores every parameter once in this many bits, in whole bytes at the end."""
    return lambda model: -(-bits * int(model.total()) // 8)


ACTIVE: tuple[Convention, ...] = (
    Convention(
        "active",
        PARAMETERS,
        "what one token passes: the experts that are chosen for it, and all else once",
        "Mixtral 12.9B, Qwen3-30B-A3B 3.3B, Jamba 12B: model cards",
        _active_without(),
    ),
    Convention(
        "active_without_embeddings",
        PARAMETERS,
        "what one token passes, without the embeddings",
        "gpt-oss-20b 3.6B, DeepSeek-V3 37B, Kimi K2 32B: model cards",
        _active_without(TOKEN_EMBEDDING, POSITION_EMBEDDING),
    ),
    Convention(
        "active_without_embeddings_and_head",
        PARAMETERS,
        "what one token passes, without the embeddings and the output head",
        "GLM-4.5 32B, GLM-4.5-Air 12B: model cards",
        _active_without(TOKEN_EMBEDDING, POSITION_EMBEDDING, OUTPUT_HEAD),
    ),
)
"""What is counted of a model with experts; its makers use all three."""

OF_MODELS: tuple[Convention, ...] = (
    Convention(
        "tied",
        PARAMETERS,
        "every parameter once; the output head shares the token embedding",
        "transformers, sum(p.numel() for p in model.parameters()), tie_word_embeddings=True",
        _with_head_tied(1),
    ),
    Convention(
        "untied",
        PARAMETERS,
        "every parameter, with an output head beside the token embedding",
        "transformers, tie_word_embeddings=False",
        _with_head_tied(0),
    ),
    Convention(
        "without_embeddings",
        PARAMETERS,
        "all but the token and position embeddings",
        "transformers, PreTrainedModel.num_parameters(exclude_embeddings=True)",
        _without(TOKEN_EMBEDDING, POSITION_EMBEDDING),
    ),
    Convention(
        "without_embeddings_and_head",
        PARAMETERS,
        "all but the embeddings and the output head",
        "Qwen's and GLM's model cards, non-embedding parameters",
        _without(TOKEN_EMBEDDING, POSITION_EMBEDDING, OUTPUT_HEAD),
    ),
    Convention(
        "with_buffers",
        ELEMENTS,
        "parameters and the buffers that files hold, such as a router's correction",
        "transformers, sum(t.numel() for t in model.state_dict().values()), ties once",
        _with_buffers,
    ),
    *ACTIVE,
    *(
        Convention(f"{dtype}_bytes", BYTES, sentence, source, _bytes_of(bits))
        for dtype, bits, sentence, source in STORED
    ),
)
"""The table of what is counted of any architecture."""


def of(model: Model) -> tuple[Convention, ...]:
    """Return the ways of counting that make sense for a model: those of experts where a token can pass so many."""
    chosen = [row for row in model.components() if row.used is not None and row.times and model.count(row.layers)]
    if chosen and all(row.used <= row.times for row in chosen):
        return OF_MODELS
    return tuple(row for row in OF_MODELS if row not in ACTIVE)
