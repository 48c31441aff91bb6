"""What is asked of a cost, judged: words that are known, numbers that fit the model, and what follows from both.

From here on nothing is text: the laws read a `Run` and `Kernels`. What the laws do not cover is refused here, by name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import numbers
from gpt2calc.costs import cache_types, caches, kernels, optimizers
from gpt2calc.costs.kernels import Kernels
from gpt2calc.costs.run import Run
from gpt2calc.errors import ConfigError, UnknownNameError, pair, shown

if TYPE_CHECKING:
    from collections.abc import Mapping

    from gpt2calc.dims import Dims

ALL, LAST = "all", "last"
LOGITS = (ALL, LAST)
"""Which tokens lm_head reads: all, or the last of each sequence, as generate() has it."""

DTYPES = {
    **{name: name for name in kernels.DTYPES},
    "float32": kernels.FP32,
    "bfloat16": kernels.BF16,
    "float16": kernels.FP16,
}

OPTIMIZERS = {row.name: row for row in optimizers.OPTIMIZERS}
PDROPS = ("attn_pdrop", "resid_pdrop", "embd_pdrop")
DEFAULT_DROPOUT, DEFAULT_ACTIVATION = 0.1, "gelu_new"
"""What transformers' GPT-2 has where its config says nothing."""

SHARDED = ("tensor_parallel", "pipeline_parallel", "zero_stage")
"""Ways to spread a model over devices, of which no law is known here."""


class Settings(NamedTuple):
    """What a cost is of, beside the model: every word in its one spelling, None where something was not asked for."""

    batch: int
    seq: int
    past: int
    logits: str
    source: int
    train: bool
    optimizer: str | None
    dtype: str
    attention: str
    dropout: tuple[float, float, float]
    checkpoint: str
    cache: str | None
    prompt: int | None
    new: int | None
    max_cache_len: int | None
    tokens: int | None
    activation: str
    n_head: int | None
    covers_activations: bool = True
    kv_dtype: str | None = None

    @property
    def run(self) -> Run:
        """The numbers that the laws of FLOPs and activations read."""
        return Run(self.batch, self.seq, self.past, self.seq if self.logits == ALL else 1, self.source)

    @property
    def kernels(self) -> Kernels:
        """What the laws of activations read; only of what `training` lets through."""
        attention, residual, embedding = (int(p > 0) for p in self.dropout)
        product, weight = kernels.PRODUCT_BYTES[self.dtype], kernels.WEIGHT_BYTES[self.dtype]
        return Kernels(
            r=weight,  # the residual stream has the weights' dtype, under autocast too
            x=product,
            w=weight,
            kept=kernels.KEPT_BY_ACTIVATION[self.activation],
            autocast=int(self.dtype == kernels.AUTOCAST),
            eager=int(self.attention == kernels.EAGER),
            attention_dropout=attention,
            residual_dropout=residual,
            embedding_dropout=embedding,
            checkpoint=int(self.checkpoint != kernels.NO_CHECKPOINT),
            reentrant=int(self.checkpoint == kernels.REENTRANT),
        )

    @property
    def recomputes(self) -> int:
        """1 where blocks are checkpointed."""
        return int(self.checkpoint != kernels.NO_CHECKPOINT)

    @property
    def stops_early(self) -> int:
        """1 where a block that is done again ends before its last product: nothing behind it keeps a tensor."""
        return int(self.checkpoint == kernels.TORCH and not self.dropout[1])

    @property
    def cached(self) -> int | None:
        """How many tokens of a sequence the cache holds or has room for; None where nothing was asked of it."""
        if self.cache == caches.STATIC:
            return self.max_cache_len
        if self.prompt is not None:
            return caches.held(self.prompt, self.new or 1)
        return None if self.cache is None else self.past + self.seq

    def cache_bytes(self, elements: int) -> int:
        """Return the bytes of so many elements of the cache, in the dtype of the products or in one of its own."""
        if self.kv_dtype is None:
            return elements * kernels.PRODUCT_BYTES[self.dtype]
        return cache_types.BY_NAME[self.kv_dtype].bytes_of(elements)

    def to_dict(self) -> dict[str, Any]:
        """Return what was asked, and what of training matters where that was, as JSON takes it."""
        found = {name: getattr(self, name) for name in ("batch", "seq", "past", "logits", "dtype")}
        optional = {"source": self.source or None, "optimizer": self.optimizer, "tokens": self.tokens}
        optional |= {name: getattr(self, name) for name in ("cache", "prompt", "new", "max_cache_len", "kv_dtype")}
        found |= {name: value for name, value in optional.items() if value is not None}
        if self.train:
            found |= {"attention": self.attention, "checkpoint": self.checkpoint}
            found |= {"activation_function": self.activation, **dict(zip(PDROPS, self.dropout, strict=True))}
        return found


def read(
    dims: Dims,
    asked: Mapping[str, Any],
    *,
    said: Mapping[str, Any],
    n_head: int | None = None,
    is_transformers: bool = True,
) -> tuple[Settings, tuple[str, ...]]:
    """Judge what is asked of a model.

    Args:
        dims: the model.
        asked: by the names of `cost`; what is absent or None was not asked for.
        said: what its config says of kernels, as `documents.kernels` gives it.
        n_head: attention heads, where they are known.
        is_transformers: whether what the config does not say is transformers' default.

    Returns:
        The settings, and what a reader should know about them, a sentence each.

    Raises:
        UnknownNameError: a word is not known.
        ConfigError: a number does not fit, or what is asked is not covered.
    """
    given = {name: value for name, value in asked.items() if value is not None}
    for name in SHARDED:  # of ZeRO each stage but 0 spreads something
        alone = (0,) if name == "zero_stage" else (0, 1)
        if name in given and (isinstance(given[name], bool) or given[name] not in alone):
            problem = "a model on several devices is not covered: what is given is of one device that holds it all"
            raise ConfigError(f"{pair(name, given[name])}: {problem}", field=name, got=given[name])
    of_training = {"attention", "dropout", "checkpoint"} & given.keys()
    if not isinstance(given.get("train", True), bool):
        problem = f"train must be true or false, got {shown(given['train'])}"
        raise ConfigError(problem, field="train", got=given["train"])
    is_training = given["train"] if "train" in given else bool(of_training)
    dropout, remarks = _dropout(given, said, is_transformers=is_transformers)
    seq = _whole(given, "seq")
    prompt, new, room = (_whole(given, name) for name in ("prompt", "new", "max_cache_len"))
    checkpoint = given.get("checkpoint", kernels.NO_CHECKPOINT)
    settings = Settings(
        batch=_whole(given, "batch") or 1,
        seq=dims.n_positions if seq is None else seq,
        past=_whole(given, "past", 0) or 0,
        logits=_word(given, "logits", LOGITS, ALL),
        source=_whole(given, "source") or 0,
        train=is_training,
        optimizer=_word(given, "optimizer", tuple(OPTIMIZERS), None),
        dtype=DTYPES[_word(given, "dtype", tuple(DTYPES), kernels.FP32)],
        attention=_word(given, "attention", kernels.ATTENTIONS, kernels.EAGER),
        dropout=dropout,
        checkpoint=_word({"checkpoint": checkpoint or "none"}, "checkpoint", kernels.CHECKPOINTS, None),
        cache=_word(given, "cache", caches.CACHES, _meant(prompt, room)),
        prompt=prompt,
        new=new,
        max_cache_len=room,
        tokens=_whole(given, "tokens"),
        activation=str(said.get("activation_function", DEFAULT_ACTIVATION)),
        n_head=n_head,
        kv_dtype=_word(given, "kv_dtype", tuple(cache_types.BY_NAME), None),
    )
    _refuse(dims, settings)
    if is_training:
        if lacking := uncovered(dims, settings, said):
            settings = settings._replace(covers_activations=False)
            remarks.append(lacking)
        if "activation_function" not in said:
            remarks.append(f"activation_function is not given; transformers' default {DEFAULT_ACTIVATION} is taken")
    return settings, tuple(remarks) if is_training else ()


def _meant(prompt: int | None, room: int | None) -> str | None:
    """Return which cache is meant where none is named: one with room is static."""
    return caches.STATIC if room is not None else caches.DYNAMIC if prompt is not None else None


def _refuse(dims: Dims, settings: Settings) -> None:
    """Raise where numbers do not fit each other, or the model: the first rule that is broken is told."""
    T, past, seq, room = dims.n_positions, settings.past, settings.seq, settings.max_cache_len
    made = (settings.prompt or 0) + (settings.new or 1) - 1
    is_static = settings.cache == caches.STATIC
    after = f" after past {past:,}" if past else ""
    block = 1 if settings.kv_dtype is None else cache_types.BY_NAME[settings.kv_dtype].block
    left = 2 * dims.n_embd
    rules = (
        (past + seq > T, "seq", f"seq {seq:,}{after} is more than n_positions {T:,} of the model"),
        (
            settings.new is not None and settings.prompt is None,
            "prompt",
            "new tokens follow a prompt: give prompt as well",
        ),
        (made > T, "new", f"prompt and new are {made + 1:,} tokens, more than n_positions {T:,} of the model takes"),
        (is_static and room is None, "max_cache_len", "a static cache is as long as it is made: give max_cache_len"),
        (room is not None and not is_static, "cache", "max_cache_len is of a static cache: leave it, or cache, out"),
        (
            is_static and made > (room or 0),
            "max_cache_len",
            f"a cache of {room or 0:,} tokens has no room for {made:,}",
        ),
        (
            dims.add_cross_attention and not settings.source,
            "source",
            "a model with cross-attention reads an encoder: give source, the tokens of each of its sequences",
        ),
        (
            settings.source and not dims.add_cross_attention,
            "source",
            "source is for cross-attention, which is not there",
        ),
        (
            dims.add_cross_attention and bool(past or settings.cache or settings.prompt),
            "past",
            "a cache beside cross-attention is not covered: it keeps the encoder's keys and values, too",
        ),
        (
            left % block != 0,
            "kv_dtype",
            f"{settings.kv_dtype} packs {block} elements at a time, and a token leaves {left:,} in a layer",
        ),
        (settings.train and past, "past", f"training has no cache: past is 0 then, got {past:,}"),
        (settings.train and settings.logits == LAST, "logits", "training reads all logits, got logits last"),
        (
            settings.train and settings.n_head is None,
            "n_head",
            "what training keeps of attention depends on n_head, which the model does not give: give n_head",
        ),
    )
    for is_broken, field, problem in rules:
        if is_broken:
            raise ConfigError(problem, field=field)


def uncovered(dims: Dims, settings: Settings, said: Mapping[str, Any]) -> str | None:
    """Return why no law of what this training keeps is known, a sentence; None where one is.

    FLOPs, cache, weights, gradients and optimizer are given all the same.
    """
    heads = ("multiple_choice_head", "score", "classifier", "qa_outputs")
    what = next((head for head in heads if getattr(dims, head)), "cross-attention" if dims.add_cross_attention else "")
    if said.get("reorder_and_upcast_attn") and settings.attention == kernels.EAGER:
        what = "reorder_and_upcast_attn"
    if settings.activation not in kernels.KEPT_BY_ACTIVATION:
        what = f"activation_function {shown(settings.activation)}"
    return f"activations and peak are not covered: what training keeps of {what} was not measured" if what else None


def _whole(given: Mapping[str, Any], name: str, least: int = 1) -> int | None:
    """Return a whole number that was given, or None."""
    return numbers.read(name, given[name], least) if name in given else None


def _word(given: Mapping[str, Any], name: str, known: tuple[str, ...], default: Any) -> Any:
    """Return a word that was given in the spelling that is known, or the default."""
    if name not in given:
        return default
    word = given[name]
    found = word.replace("-", "_") if isinstance(word, str) else word
    if found not in known:
        raise UnknownNameError(name, word, known)
    return found


def _dropout(
    given: Mapping[str, Any], said: Mapping[str, Any], *, is_transformers: bool
) -> tuple[tuple[float, float, float], list[str]]:
    """Return three probabilities, of scores, of what sublayers add, of the embeddings; and what to say of it."""
    remarks: list[str] = []
    default = DEFAULT_DROPOUT if is_transformers else 0.0
    if "dropout" in given:
        said = dict.fromkeys(PDROPS, given["dropout"])
    elif missing := [name for name in PDROPS if name not in said]:
        what = f"transformers' default {default}" if is_transformers else "0, as nothing is said of it,"
        remarks.append(f"{', '.join(missing)} not given; {what} is taken")
    found = []
    for name in PDROPS:
        value = said.get(name, default)
        typed = numbers.typed(value) if isinstance(value, str) else None
        probability = float(typed.value) if typed else value
        if isinstance(probability, bool) or not isinstance(probability, (int, float)) or not 0 <= probability < 1:
            what = "dropout" if "dropout" in given else name
            raise ConfigError(
                f"{what} must be a number from 0 on and below 1, got {shown(value)}", field=what, got=value
            )
        found.append(float(probability))
    return (found[0], found[1], found[2]), remarks
