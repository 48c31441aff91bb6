"""Every way people count the parameters of any language model, by name, and what such a way is.

It must not know an architecture: parts of a model are asked for by what they are, and never by their names.
"""

from __future__ import annotations

from gpt2calc.model import BUFFER, LAYER_EMBEDDING, OUTPUT_HEAD, POSITION_EMBEDDING, TOKEN_EMBEDDING
from gpt2calc.records import NamedTuple

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from gpt2calc.model import Model, Number

    class Value(Protocol):
        """What a convention computes."""

        def __call__(self, model: Any, /) -> int:
            """Return the number, of a model or of a GPT-2's dims."""


PARAMETERS, ELEMENTS, BYTES = "parameters", "elements", "bytes"


class Convention(NamedTuple):
    """One way of counting: what it counts, in a sentence, where it is used, and how to compute it."""

    name: str
    unit: str
    sentence: str
    source: str
    value: Value


STORED = (
    ("fp32", 32, "4 bytes a parameter", "torch.float32"),
    ("fp16", 16, "2 bytes a parameter", "torch.float16"),
    ("bf16", 16, "2 bytes a parameter", "torch.bfloat16"),
    ("int8", 8, "1 byte a parameter, without scales", "torch.int8"),
    ("int4", 4, "half a byte a parameter, without scales", "bitsandbytes, Linear4bit"),
)
"""The dtypes that parameters are stored in: bits, a sentence and a source."""


class Way(NamedTuple):
    """What is counted of a model, as data.

    Args:
        tie: whether its output head is the token embedding; None for as it is.
        without: the parts that are left out.
        buffers: whether what files hold beside the parameters is counted, too.
        bits: how many each parameter is stored in, 0 where no bytes are counted.
        active: whether of what a token does not pass whole, only what it passes is counted.
    """

    tie: int | None = None
    without: tuple[str, ...] = ()
    buffers: int = 0
    bits: int = 0
    active: int = 0

    def __call__(self, model: Model) -> int:
        """Return the number, of bytes in whole ones."""
        return int(self.of(model))

    def of(self, model: Model) -> Number:
        """Return the same, an expression where sizes of the model are letters."""
        counted = model if self.tie is None else model.replace(tie_word_embeddings=self.tie)
        total = sum(
            counted.count(row.layers)
            * (row.used if self.active and row.used is not None else row.times)
            * (row.weights + row.biases)
            for row in counted.components()
            if row.part not in self.without
        )
        total += counted.numel(role=BUFFER) if self.buffers else 0
        return -(-self.bits * total // 8) if self.bits else total


ACTIVE: tuple[Convention, ...] = (
    Convention(
        "active",
        PARAMETERS,
        "what one token passes: the experts that are chosen for it, and all else once",
        "Mixtral 12.9B, Qwen3-30B-A3B 3.3B, Jamba 12B: model cards",
        Way(active=1),
    ),
    Convention(
        "active_without_embeddings",
        PARAMETERS,
        "what one token passes, without the embeddings",
        "gpt-oss-20b 3.6B, DeepSeek-V3 37B, Kimi K2 32B: model cards",
        Way(without=(TOKEN_EMBEDDING, POSITION_EMBEDDING), active=1),
    ),
    Convention(
        "active_without_embeddings_and_head",
        PARAMETERS,
        "what one token passes, without the embeddings and the output head",
        "GLM-4.5 32B, GLM-4.5-Air 12B: model cards",
        Way(without=(TOKEN_EMBEDDING, POSITION_EMBEDDING, OUTPUT_HEAD), active=1),
    ),
)
"""What is counted of a model with experts; its makers use all three."""

EFFECTIVE = Convention(
    "effective",
    PARAMETERS,
    "all but the second token embedding, which gives each layer an input of its own, and can lie in slow memory",
    "Gemma 4 E2B 2.3B: model card",
    Way(without=(LAYER_EMBEDDING,)),
)
"""What is counted of a model whose layers have an embedding of their own."""

OF_MODELS: tuple[Convention, ...] = (
    Convention(
        "tied",
        PARAMETERS,
        "every parameter once; the output head shares the token embedding",
        "transformers, sum(p.numel() for p in model.parameters()), tie_word_embeddings=True",
        Way(tie=1),
    ),
    Convention(
        "untied",
        PARAMETERS,
        "every parameter, with an output head beside the token embedding",
        "transformers, tie_word_embeddings=False",
        Way(tie=0),
    ),
    Convention(
        "without_embeddings",
        PARAMETERS,
        "all but the token and position embeddings",
        "transformers, PreTrainedModel.num_parameters(exclude_embeddings=True)",
        Way(without=(TOKEN_EMBEDDING, POSITION_EMBEDDING)),
    ),
    Convention(
        "without_embeddings_and_head",
        PARAMETERS,
        "all but the embeddings and the output head",
        "Qwen's and GLM's model cards, non-embedding parameters",
        Way(without=(TOKEN_EMBEDDING, POSITION_EMBEDDING, OUTPUT_HEAD)),
    ),
    Convention(
        "with_buffers",
        ELEMENTS,
        "parameters and the buffers that files hold, such as a router's correction",
        "transformers, sum(t.numel() for t in model.state_dict().values()), ties once",
        Way(buffers=1),
    ),
    *ACTIVE,
    EFFECTIVE,
    *(
        Convention(f"{dtype}_bytes", BYTES, sentence, source, Way(bits=bits))
        for dtype, bits, sentence, source in STORED
    ),
)
"""The table of what is counted of any architecture."""


def of(model: Model) -> tuple[Convention, ...]:
    """Return the ways of counting that make sense for a model.

    Those of experts are there where a token can pass so many, and `effective` where layers have an embedding.
    """
    rows = [row for row in model.components() if row.times and model.count(row.layers)]
    chosen = [(row.used, row.times) for row in rows if row.used is not None]
    without = [] if chosen and all(0 < used <= times for used, times in chosen) else list(ACTIVE)
    without += [EFFECTIVE] if all(row.part != LAYER_EMBEDDING for row in rows) else []
    return tuple(row for row in OF_MODELS if row not in without)
