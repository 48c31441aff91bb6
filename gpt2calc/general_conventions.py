"""Every way people count the parameters of any language model, by name, and what such a way is.

It must not know an architecture: parts of a model are asked for by what they are, and never by their names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from gpt2calc.model import BUFFER, OUTPUT_HEAD, POSITION_EMBEDDING, TOKEN_EMBEDDING

if TYPE_CHECKING:
    from gpt2calc.model import Model

PARAMETERS, ELEMENTS, BYTES = "parameters", "elements", "bytes"


class Value(Protocol):
    """What a convention computes."""

    def __call__(self, model: Any, /) -> int:
        """Return the number, of a model or of a GPT-2's dims."""


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
    """

    tie: int | None = None
    without: tuple[str, ...] = ()
    buffers: int = 0
    bits: int = 0

    def __call__(self, model: Model) -> int:
        """Return the number, of bytes in whole ones."""
        counted = model if self.tie is None else model.replace(tie_word_embeddings=self.tie)
        rows = (row for row in counted.components() if row.part not in self.without)
        total = int(sum(counted.count(row.layers) * row.times * (row.weights + row.biases) for row in rows))
        total += int(counted.numel(role=BUFFER)) if self.buffers else 0
        return -(-self.bits * total // 8) if self.bits else total


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
    *(
        Convention(f"{dtype}_bytes", BYTES, sentence, source, Way(bits=bits))
        for dtype, bits, sentence, source in STORED
    ),
)
"""The table of what is counted of any architecture."""
