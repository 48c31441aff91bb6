"""What a figure can be of a model's costs: FLOPs by every convention, and bytes for every choice of kernels.

It looks at what is asked about, a batch, a length, so many tokens, and knows no law itself: those are `gpt2calc.costs`.
"""

from __future__ import annotations

from fractions import Fraction
from itertools import product
from typing import TYPE_CHECKING, NamedTuple

from gpt2calc import formulas, numbers
from gpt2calc.costs import activations, caches, flops, general_ways, kernels, moments, optimizers, ways
from gpt2calc.costs.holding import BY_NAME as SERVED
from gpt2calc.costs.kernels import Kernels
from gpt2calc.costs.run import Run
from gpt2calc.costs.serving import Serving
from gpt2calc.dims import Dims
from gpt2calc.errors import ConfigError
from gpt2calc.explanation.chance import MOST_CHANCE, Chances, Met
from gpt2calc.explanation.printed import EXACT, FITS, ROUNDED_UP, WRITTEN
from gpt2calc.figures import BYTES, in_words
from gpt2calc.table import sequences

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from typing import Any

    from gpt2calc.explanation.printed import Printed, Scale
    from gpt2calc.model import Model
    from gpt2calc.sources import Source

LEAST_FLOPS = 10**18
"""From here on a number is no model's parameters, and is looked at as FLOPs though nothing else is asked."""

GPT3_TOKENS = 300 * 10**9
"""What every model of GPT-3 was trained on, Brown et al. 2020: tried where nobody says how many."""

PLAIN = ("exact", "six_n")
"""The conventions that are meant most often."""


class Asked(NamedTuple):
    """What is asked about beside the model; None where nothing is said."""

    batch: int | None = None
    seq: int | None = None
    tokens: int | None = None


class CostReading(NamedTuple):
    """One number that a figure can be.

    Args:
        figure: as it is printed.
        value: the exact number.
        unit: FLOPs or bytes.
        fit: how the one comes from the other.
        model: whose cost it is.
        name: the convention, or the part of memory.
        sentence: what it is, in words.
        source: where it is found.
        penalty: how unusual it is.
        chance: that a figure printed like this is met by a cost as usual, or more so, where its digits mean nothing.
        beaten: whether another number fits the figure with a smaller penalty.
        chosen: whether it is of a number of tokens that nobody has said, one of many, so that it counts only exactly.
    """

    figure: str
    value: int
    unit: str
    fit: str
    model: str
    name: str
    sentence: str
    source: str
    penalty: int
    chance: Fraction = Fraction(0)
    beaten: bool = False
    chosen: bool = False

    @property
    def doubtful(self) -> bool:
        """Whether it may be a coincidence."""
        return self.beaten or self.chance > MOST_CHANCE

    @property
    def in_short(self) -> str:
        """Return it in a sentence, without a full stop."""
        fit = "" if self.fit == "exact" else f", {in_words(self.fit)}"
        said = f"{self.value:,} {self.unit}{fit}: {self.name} of {self.model}, {self.sentence}"
        return f"{self.figure} may be {said}, or a coincidence" if self.doubtful else f"{self.figure} is {said}"


def ask(batch: Any, seq: Any, tokens: Any) -> Asked:
    """Return what is asked about, of numbers as people give them.

    Raises:
        ConfigError: one is no whole number above 0.

    >>> ask(None, "4k", 300e9)
    Asked(batch=None, seq=4000, tokens=300000000000)
    """
    found = {"batch": batch, "seq": seq, "tokens": tokens}
    return Asked(**{name: None if value is None else numbers.read(name, value) for name, value in found.items()})


def is_asked(figure: Printed, asked: Asked) -> bool:
    """Whether a figure is looked at as a cost: it says FLOPs, something of a run is said, or no model is so large."""
    is_said = figure.in_flops or any(value is not None for value in asked)
    return is_said or figure.bounds(figure.scales[0])[1] >= LEAST_FLOPS


def readings(figure: Printed, models: Sequence[Source], asked: Asked) -> tuple[CostReading, ...]:
    """Return the costs of models that a figure can be, the plainest first, each with its chance.

    Law: as of a count, the chance is the part of all figures that are printed like this one, with any digits, that a
    number of the same penalty or less is printed as. Only numbers that were looked at are in it. Of another
    architecture than GPT-2, bytes of many tokens are those of a cache only where they are met exactly, as long as
    nobody says of how many: there are many contexts, and each rounds to something. Of a token, and of states, there is
    one number.

    Args:
        figure: as it is printed.
        models: of which it is looked at; their chances are those of all of them together.
        asked: what is asked about.
    """
    return _judged(figure, (pair for model in models for pair in _numbers(figure, model, asked)))


def _judged(figure: Printed, pairs: Iterable[tuple[CostReading, Scale]]) -> tuple[CostReading, ...]:
    """Return the numbers that a figure can be, the plainest first, each with its chance."""
    found, met = [], []
    for each, scale in pairs:
        for fit, first, last in figure.printed_as(each.value, scale):
            if fit in FITS and fit != ROUNDED_UP and (fit == EXACT or not each.chosen):
                penalty = each.penalty + FITS[fit] + scale.penalty
                met.append(Met(first, last, penalty, each.value, (), penalty, each.model))
                if first <= figure.digits <= last:
                    found.append(each._replace(fit=fit, penalty=penalty))
    chances, least = Chances(figure.alike, met), min((each.penalty for each in found), default=0)
    ranked = sorted(dict.fromkeys(found), key=lambda each: each.penalty)
    return tuple(each._replace(chance=chances.of(each.penalty), beaten=each.penalty > least) for each in ranked)


def nearest(figure: Printed, models: Sequence[Source], asked: Asked, most: int) -> tuple[CostReading, ...]:
    """Return the costs of models that are nearest to a figure, as its unit says; `fit` is the difference."""
    near = [pair for model in models for pair in _numbers(figure, model, asked) if not pair[1].penalty]
    near.sort(key=lambda pair: abs(figure.distance(pair[0].value, pair[1])))
    found = (each._replace(fit=f"{figure.distance(each.value, scale):+,}") for each, scale in near)
    return tuple(dict.fromkeys(found))[:most]


def _numbers(figure: Printed, model: Source, asked: Asked) -> Iterator[tuple[CostReading, Scale]]:
    """Yield every cost that is looked at, with what the figure's unit would be."""
    for scale in figure.scales:
        in_bytes = scale.kind == BYTES
        if scale.kind == WRITTEN or in_bytes != figure.in_bytes:
            continue
        unit = "bytes" if in_bytes else "FLOPs"
        for value, part, sentence, source, penalty, *chosen in _costs(model, asked, in_bytes=in_bytes):
            reading = CostReading(figure.text, value, unit, "", model.name, part, sentence, source, penalty)
            yield reading._replace(chosen=any(chosen)), scale


def _costs(model: Source, asked: Asked, *, in_bytes: bool) -> Iterator[tuple[Any, ...]]:
    """Return the numbers of a model, each with its name, what it is, its source and how unusual it is."""
    if isinstance(model.counted, Dims):
        n_head = (model.given or {}).get("n_head")
        return (_bytes if in_bytes else _flops)(model.counted, n_head, asked)
    return (_kept if in_bytes else _done)(model.counted, model.of_files, asked)


def _kept(model: Model, document: Mapping[str, Any], asked: Asked) -> Iterator[tuple[Any, ...]]:
    """Yield bytes of a KV cache by every convention: of a token, and of contexts in powers of two and the longest.

    Each with its convention, what it is, the source and how unusual it is, and whether its context is one of many.
    """
    batch = 1 if asked.batch is None else asked.batch
    for dtype, rare in (("bf16", 0), ("fp8", 1), ("fp32", 1)):
        try:
            serving = Serving(model, document, {"dtype": "fp32" if dtype == "fp32" else "bf16", "kv_dtype": dtype})
        except ConfigError:  # what the model keeps is not known, and then the figure is of something else
            return
        longest = serving.tokens
        lengths = [asked.seq] if asked.seq is not None else [2**n for n in range(10, 18)]
        if asked.seq is None and longest is not None:
            lengths = sorted({longest, *(n for n in lengths if n < longest)})
        for place, (name, way) in enumerate((name, SERVED[name]) for name in serving.conventions):
            of = f"{dtype}: {way.sentence}" if place else dtype
            each = serving.bytes_at(2, 1, way) - serving.bytes_at(1, 1, way)
            if each:
                yield each, name, f"a token in the KV cache, {of}", way.source, rare + bool(place)
            for n in lengths:
                said = f"the KV cache and states of {sequences(batch, n)}, {of}"
                penalty = rare + bool(place) + (n not in (asked.seq, longest))
                yield serving.bytes_at(n, batch, way), name, said, way.source, penalty, asked.seq is None
        if serving.state_bytes and dtype != "fp8":  # which is the cache's alone
            yield (
                serving.state_bytes,
                "states",
                f"the states of a sequence, {dtype}",
                SERVED["transformers"].source,
                rare,
            )


def _done(model: Model, document: Mapping[str, Any], asked: Asked) -> Iterator[tuple[int, str, str, str, int]]:
    """Yield FLOPs of a forward pass, of a training step by every convention, of a token of it, and of all tokens."""
    words = {"batch": asked.batch, "seq": asked.seq, "train": True}
    serving = Serving(model, document, {name: value for name, value in words.items() if value is not None})
    if serving.run is None or serving.forward is None:
        return
    tokens = serving.run.batch * serving.run.tokens
    what = sequences(serving.run.batch, serving.run.tokens)
    yield serving.forward, "forward", f"a forward pass of {what}", "torch, FlopCounterMode", 0
    for name, step in serving.flops_conventions.items():
        way, penalty = general_ways.BY_NAME[name], int(name not in PLAIN)
        yield step, name, f"a training step of {what}", way.source, penalty
        yield step // tokens, name, f"a token of training, {serving.run.tokens:,} at a time", way.source, penalty + 1
        if asked.tokens is not None:
            yield step * asked.tokens // tokens, name, f"training on {asked.tokens:,} tokens", way.source, penalty


def _flops(dims: Dims, n_head: int | None, asked: Asked) -> Iterator[tuple[int, str, str, str, int]]:
    """Yield FLOPs by every convention: of a forward pass, of a token, of a step, and of a training."""
    seq = dims.n_positions if asked.seq is None else asked.seq
    batch = 1 if asked.batch is None else asked.batch
    run = Run(batch, seq, 0, seq)
    what = sequences(batch, seq)
    yield flops.total(flops.table(dims, run)), "forward", f"a forward pass of {what}", "torch, FlopCounterMode", 0
    for way in ways.WAYS:
        if way.needs_heads and n_head is None:
            continue
        step, penalty = way.value(dims, n_head or 0, run), 0 if way.name in PLAIN else 1
        yield step, way.name, f"a training step of {what}", way.source, penalty
        yield step // (batch * seq), way.name, f"a token of training, {seq:,} at a time", way.source, penalty + 1
        tokens = GPT3_TOKENS if asked.tokens is None else asked.tokens
        said = f"training on {tokens:,} tokens" + (", as GPT-3's" if asked.tokens is None else "")
        yield step * tokens // (batch * seq), way.name, said, way.source, penalty + 2 * (asked.tokens is None)


def _bytes(dims: Dims, n_head: int | None, asked: Asked) -> Iterator[tuple[int, str, str, str, int]]:
    """Yield bytes: weights, optimizers, caches, and activations for every choice of kernels."""
    seq = dims.n_positions if asked.seq is None else asked.seq
    batch = 1 if asked.batch is None else asked.batch
    run = Run(batch, seq, 0, seq)
    measured = "torch's CPU kernels, measured"
    for dtype in (kernels.FP32, kernels.BF16):
        element = kernels.WEIGHT_BYTES[dtype]
        cache = batch * seq * caches.bytes_per_token(dims, element)
        yield cache, "kv", f"the KV cache of {sequences(batch, seq)}, {dtype}", "transformers, DynamicCache", 0
        for row in optimizers.OPTIMIZERS:
            state = optimizers.state(dims, row, element)
            yield state, "optimizer", f"the state of {row.name}, {dtype}", row.source, 1
    if n_head is None or not _is_covered(dims):
        return
    adamw = optimizers.state(dims, optimizers.BY_NAME["adamw"], 4)
    choices = product((kernels.SDPA, kernels.EAGER), (0, 1), kernels.KEPT_BY_ACTIVATION.items(), (0, 1), kernels.DTYPES)
    for attention, dropout, (activation, kept), checkpoint, dtype in choices:
        product_bytes, weight = kernels.PRODUCT_BYTES[dtype], kernels.WEIGHT_BYTES[dtype]
        running = Kernels(weight, product_bytes, weight, kept, int(dtype == kernels.AUTOCAST))
        running = running._replace(eager=int(attention == kernels.EAGER), checkpoint=checkpoint)
        running = running._replace(attention_dropout=dropout, residual_dropout=dropout, embedding_dropout=dropout)
        said = f"{dtype}, {attention}, {activation}, {'dropout' if dropout else 'no dropout'}"
        said += ", checkpoints" * checkpoint
        penalty = 1 + (activation != "gelu_new") + checkpoint + (dtype == kernels.FP16)
        yield activations.total(activations.table(dims, n_head, run, running)), "activations", said, measured, penalty
        if dtype == kernels.FP32 and not checkpoint:
            rows = moments.moments(dims, n_head, run, running, "adamw")
            whole = 4 * formulas.total(dims) + adamw + max(row.bytes for row in rows)
            yield whole, "peak", f"everything in a step of AdamW, {said}", measured, penalty + 1


def _is_covered(dims: Dims) -> bool:
    """Whether what training keeps of a model is known."""
    heads = dims.multiple_choice_head + dims.score + dims.classifier + dims.qa_outputs
    return not heads and not dims.add_cross_attention
