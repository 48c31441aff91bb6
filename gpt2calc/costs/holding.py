"""What a model of any architecture holds in memory when it is served: its weights, and what is kept of tokens before.

What layers keep is `architectures.caches`; here it is counted for a batch of sequences, in each way that people do.
"""

from __future__ import annotations

from copy import copy
from typing import TYPE_CHECKING, Any, NamedTuple, Self

from gpt2calc import numbers, stored
from gpt2calc.architectures import caches, gpt2, text_of
from gpt2calc.architectures.caches import EXPANDED, GROUPED, Kept
from gpt2calc.costs import cache_types, general_ways
from gpt2calc.errors import ConfigError, Named, UnknownNameError
from gpt2calc.model import Model

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gpt2calc.costs.cache_types import CacheType
    from gpt2calc.dims import Dims

WORDS = ("batch", "seq", "past", "prompt", "new", "dtype", "kv_dtype", "logits", "train")
"""What can be asked of servings side by side."""

OF_TOKENS = ("seq", "past", "prompt", "new")
"""What of it says how many tokens there are."""

ELEMENT = {"fp32": 4, "bf16": 2, "fp16": 2}
"""What weights can be in, with the bytes of an element; what a cache is in is one of `cache_types`."""

RECURRENCE = 4
"""Bytes of an element of a recurrence's state, which transformers keeps in float32 whatever the rest is in."""

LENGTHS = ("max_position_embeddings", "n_positions", "max_seq_len")
"""The keys in which configs say how many tokens a sequence can have."""

SPOKEN = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}
"""What a config.json calls a dtype."""


class Way(NamedTuple):
    """One way of counting what a sequence keeps.

    Args:
        name: what it is called.
        sentence: what is counted.
        source: who counts so.
        elements: those that layers keep of a token, None where the way makes no sense of them.
        held: of how many of n tokens.
        inputs_less: how many inputs fewer than its kernel is long a convolution keeps.
    """

    name: str
    sentence: str
    source: str
    elements: Callable[[Kept], int | None]
    held: Callable[[Kept, int], int]
    inputs_less: int = 0


def _elements(row: Kept) -> int:
    return row.per_token


def _all(_: Kept, n: int) -> int:
    return n


WAYS = (
    Way(
        "transformers",
        "what a DynamicCache made from the config holds: of a full window of W tokens the last W - 1",
        "transformers 5.23, cache_utils.py",
        _elements,
        Kept.held,
    ),
    Way(
        "windowed",
        "W tokens of each layer with a window of W, the one that is computed among them",
        "Beltagy et al. 2020, arXiv:2004.05150; vLLM's SlidingWindowManager",
        lambda row: row.per_token if row.window else None,
        lambda row, n: n if row.window is None else min(n, row.window),
    ),
    Way(
        "full_pages",
        "all tokens of every layer, windows or not, as a cache of one size for all layers has it",
        "vLLM without its hybrid allocator",
        lambda row: row.per_token if row.window else None,
        _all,
    ),
    Way(
        "growing",
        "the layers without a window alone: what a longer sequence adds once all windows are full",
        "model cards that leave sliding layers out",
        lambda row: row.per_token if row.window else None,
        lambda row, n: n if row.window is None else 0,
    ),
    Way(
        EXPANDED,
        "keys and values of all heads, expanded from the latent, as attention that knows no latents keeps them",
        "DeepSeek-AI 2024, arXiv:2405.04434, section 2.1",
        lambda row: row.apart.get(EXPANDED),
        _all,
    ),
    Way(
        GROUPED,
        "one key and value a group of heads, where transformers repeats them for all heads before it keeps them",
        "Almazrouei et al. 2023, arXiv:2311.16867",
        lambda row: row.apart.get(GROUPED),
        _all,
    ),
    Way(
        "last_inputs",
        "of a convolution over k inputs the last k - 1, all that the next token needs, where transformers keeps k",
        "vLLM's MambaStateShapeCalculator",
        lambda row: row.per_token if row.slot else None,
        Kept.held,
        inputs_less=1,
    ),
)
"""The ways, the default first. Another is there only where some layer makes it another number."""

BY_NAME = Named("convention of a cache", {way.name: way for way in WAYS})


class Holding:
    """What one model holds in memory when it is served.

    Args:
        model: a GPT-2's dims, or a model of another architecture.
        document: the config it was read from.
        words: what is asked: batch, seq, past, prompt, new, dtype, kv_dtype; None where it is not.
        name: what the user called the model.
        notes: what a reader should know, a sentence each.

    Raises:
        ConfigError: what is asked contradicts itself or the model, or what the model keeps is not known.
    """

    def __init__(
        self,
        model: Dims | Model,
        document: Mapping[str, Any],
        words: Mapping[str, Any],
        name: str = "",
        notes: tuple[str, ...] = (),
    ) -> None:
        self.model, self.document, self.name = model, document, name
        said: list[str] = []
        try:
            self.rows = kept(model, document)
            self.dtype = _dtype(words, document, said)
            self.packing = "" if words.get("dtype") is not None else _packing(document)
        except ConfigError as error:
            raise error.named(name) from None
        if self.packing:
            said.append(
                f"weights are as files hold them, packed as {self.packing}; layers beyond the model are left out"
            )
        self.own_kv_dtype = words.get("kv_dtype")
        if self.own_kv_dtype is not None and not self.takes(cache_types.BY_NAME[str(self.own_kv_dtype)]):
            block = self.kv_type.block
            sizes = (size for row in self.rows for size in (row.per_token, *row.apart.values()))
            odd = next(size for size in sizes if size % block)
            problem = f"{self.own_kv_dtype} packs {block} elements at a time, and a token leaves {odd:,}"
            raise ConfigError(f"{name}: {problem} in a layer", field="kv_dtype", got=self.own_kv_dtype)
        self.batch = whole(words, "batch") or 1
        self.tokens = _tokens(words, document)
        key, longest = longest_of(document)
        if not isinstance(model, Model):
            longest = model.n_positions
            self.tokens = longest if self.tokens is None else self.tokens
            if self.tokens > longest:
                problem = f"{self.tokens:,} tokens are more than n_positions {longest:,} of the model takes"
                raise ConfigError(f"{name}: {problem}", field="seq", got=self.tokens)
        elif self.tokens is not None and longest is not None and self.tokens > longest:
            said.append(f"{self.tokens:,} tokens are more than {key} {longest:,}")
        self.convention = WAYS[0].name
        if any(row.recurrence for row in self.rows):
            said.append("the state of a recurrence is kept in float32, whatever dtype is")
        self.notes = (*notes, *said)

    def _count_by(self, convention: str) -> None:
        """Count what is kept in one way.

        Raises:
            UnknownNameError: there is no such way.
            ConfigError: it is no other way of counting what this model keeps.
        """
        if convention not in BY_NAME:
            known = (*BY_NAME, *general_ways.BY_NAME)
            raise UnknownNameError("convention of a cache or of FLOPs", convention, known)
        if convention not in self.conventions:
            problem = f"{convention} is no other way of counting what {self.name} keeps: known are"
            raise ConfigError(f"{problem} {', '.join(self.conventions)}", field="convention", got=convention)
        self.convention = convention

    @property
    def kv_dtype(self) -> str:
        """What the cache is in: its own dtype, or that of the rest."""
        return self.own_kv_dtype or self.dtype

    @property
    def kv_type(self) -> CacheType:
        """How elements of the cache are stored."""
        return cache_types.BY_NAME[self.kv_dtype]

    def takes(self, other: CacheType) -> bool:
        """Whether what a token leaves in a layer, by every convention, is whole blocks of a type."""
        sizes = ((row.per_token, *row.apart.values()) for row in self.rows)
        return not any(size % other.block for each in sizes for size in each)

    def changed(self, *, dtype: str = "", kv_dtype: str = "") -> Self:
        """Return the same with another dtype, of all or of the cache alone."""
        other = copy(self)
        other.packing = "" if dtype else self.packing
        other.dtype, other.own_kv_dtype = dtype or self.dtype, kv_dtype or self.own_kv_dtype
        return other

    @property
    def parameters(self) -> int:
        """The number of parameters."""
        return int(gpt2.model_of(self.model).total())

    @property
    def weights(self) -> int:
        """Bytes of the parameters, each once, in `dtype`; with their scales, as files hold them, where they are packed.

        Raises:
            ConfigError: they are packed in a way that is not known.
        """
        if not self.packing:
            return self.parameters * ELEMENT[self.dtype]
        try:
            sums = stored.of(gpt2.model_of(self.model), self.document).sums()
        except ConfigError as error:
            problem = f"{error}; give dtype to count weights in it"
            raise ConfigError(problem, field=error.field, got=error.got).named(self.name) from None
        return sum(sums[part].bytes for part in (stored.MODEL, stored.CORRECTIONS, stored.SCALES) if part in sums)

    @property
    def held_in(self) -> str:
        """What the weights are in, as a table says it."""
        return self.packing or self.dtype

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes that a token of one sequence adds while no window is full, the recurrences' state apart."""
        return self.kv_type.bytes_of(sum(row.layers * row.per_token for row in self.rows))

    @property
    def state_bytes(self) -> int:
        """Bytes that one sequence keeps however long it is: the states of convolutions and recurrences."""
        element = ELEMENT[self.dtype]
        return sum(row.layers * (row.convolution * element + row.recurrence * RECURRENCE) for row in self.rows)

    @property
    def conventions(self) -> dict[str, int | None]:
        """Bytes of the batch at its context by each way of counting that is another for the model; None without one."""
        fitting = (way for way in WAYS if way is WAYS[0] or any(way.elements(row) is not None for row in self.rows))
        return {way.name: None if self.tokens is None else self.bytes_at(self.tokens, way=way) for way in fitting}

    @property
    def kv_bytes(self) -> int | None:
        """Bytes that the whole batch keeps, states among them; None where no number of tokens is known."""
        return self.conventions[self.convention]

    def bytes_at(self, tokens: int, batch: int | None = None, way: Way | None = None) -> int:
        """Return what a batch keeps of so many tokens of each sequence, states among them.

        Law: B · (Σ over layers of elements · tokens held · bytes + states).
        """
        counted = way or BY_NAME[self.convention]
        each = sum(row.layers * self._layer_bytes(row, tokens, counted) for row in self.rows)
        return (self.batch if batch is None else batch) * each

    def by_layer(self, tokens: int) -> tuple[tuple[Kept, int], ...]:
        """Return of every layer, in order, what it keeps, and the bytes of the batch at so many tokens."""
        way = BY_NAME[self.convention]
        model = self.model
        rows = caches.in_order(model, self.document) if isinstance(model, Model) else self.rows * model.n_layer
        return tuple((row, self.batch * self._layer_bytes(row, tokens, way)) for row in rows)

    def _layer_bytes(self, row: Kept, tokens: int, way: Way) -> int:
        """Return what one layer keeps of a sequence: of its tokens, of a convolution and of a recurrence."""
        own = way.elements(row)
        elements = way.held(row, tokens) * (row.per_token if own is None else own)
        convolution = row.convolution - row.slot * way.inputs_less
        kept = self.kv_type.bytes_of(elements)
        return kept + convolution * ELEMENT[self.dtype] + row.recurrence * RECURRENCE


def kept(model: Dims | Model, document: Mapping[str, Any]) -> tuple[Kept, ...]:
    """Return what the layers of a model keep, of a GPT-2 too.

    >>> from gpt2calc.presets import load
    >>> kept(load("gpt2-xl").dims, {})[0][:4]
    ('attention', 48, 3200, None)
    """
    if isinstance(model, Model):
        return caches.kept(model, document)
    if not model.ln_f:
        raise ConfigError(f"{caches.NO_CACHE['openai-gpt']}: there is nothing to count")
    return (Kept("attention", model.n_layer, 2 * model.n_embd, None, True, 0, 0, {}, model.n_embd, model.n_embd),)


def _dtype(words: Mapping[str, Any], document: Mapping[str, Any], said: list[str]) -> str:
    """Return what the weights are in: as asked, or else as the config says, or float32."""
    asked = words.get("dtype")
    if asked is not None:
        if asked not in ELEMENT:
            raise UnknownNameError("dtype", str(asked), tuple(ELEMENT))
        return str(asked)
    documents = (document, text_of(document))
    stated = next((str(each[key]) for each in documents for key in ("dtype", "torch_dtype") if each.get(key)), None)
    found = SPOKEN.get((stated or "").removeprefix("torch."))
    if found is None:
        said.append("the config says no dtype that is known: bf16 is taken, in which models are served")
        return "bf16"
    said.append(f"dtype is {found}, as the config says")
    return found


def _packing(document: Mapping[str, Any]) -> str:
    """Return how a config says that weights are packed; "" where it does not."""
    said = stored.quantization(document)
    return "" if said is None else str(said.get("quant_method") or "a way that it does not name")


def _tokens(words: Mapping[str, Any], document: Mapping[str, Any]) -> int | None:
    """Return how many tokens of a sequence are kept; the model's own longest where nobody says, None without one."""
    seq, past, prompt, new = (whole(words, name, 0) for name in ("seq", "past", "prompt", "new"))
    if prompt is not None or new is not None:
        if seq is not None or past is not None:
            raise ConfigError("prompt and new say how many tokens there are, and so do seq and past: give one pair")
        return (prompt or 0) + (new or 1) - 1
    if seq is not None or past is not None:
        return (past or 0) + (seq or 0)
    return longest_of(document)[1]


def longest_of(document: Mapping[str, Any]) -> tuple[str, int | None]:
    """Return how many tokens a sequence of a model can have, by which key of its config; None where it does not say."""
    inner = text_of(document)
    key = next((each for each in LENGTHS if each in inner), LENGTHS[0])
    longest = inner.get(key)
    return key, longest if type(longest) is int and longest > 0 else None


def whole(words: Mapping[str, Any], name: str, least: int = 1) -> int | None:
    """Return a whole number that was asked for; None where it was not.

    Raises:
        ConfigError: it is none, or smaller than the least.
    """
    value, called = words.get(name), name.removeprefix("train_")  # which is what callers say
    return None if value is None else numbers.read(called, value, least)
