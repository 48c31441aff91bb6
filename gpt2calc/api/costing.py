"""Costs: what a model's FLOPs, cache and training come to, and whether torch finds the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.dims import dims_of
from gpt2calc.errors import ConfigError, UnknownNameError, shown
from gpt2calc.sources import LEFT_OUT, LeftOut, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from gpt2calc.costs.measurement import Measurement
    from gpt2calc.costs.report import Cost, Machinery
    from gpt2calc.keywords import Fields
    from gpt2calc.sources import Model, Source


def cost(
    model: Model | LeftOut = LEFT_OUT,
    /,
    *,
    batch: int | None = None,
    seq: int | None = None,
    past: int | None = None,
    logits: str | None = None,
    source: int | None = None,
    train: bool | None = None,
    optimizer: str | None = None,
    dtype: str | None = None,
    attention: str | None = None,
    dropout: float | None = None,
    checkpoint: str | None = None,
    cache: str | None = None,
    prompt: int | None = None,
    new: int | None = None,
    max_cache_len: int | None = None,
    kv_dtype: str | None = None,
    tokens: int | None = None,
    convention: str | None = None,
    throughput: float | None = None,
    devices: int | None = None,
    peak: float | None = None,
    machine: str | None = None,
    tensor_parallel: int | None = None,
    pipeline_parallel: int | None = None,
    zero_stage: int | None = None,
    hub: bool = False,
    revision: str | None = None,
    **fields: Unpack[Fields],
) -> Cost:
    """Compute what a GPT-2-shaped model costs, to the last FLOP and byte, without building it.

    Law: see `costs.flops.table`, `costs.caches`, `costs.optimizers`, `costs.activations.table`, `costs.moments`; every
    figure is an exact integer, for the whole batch. What is not asked for is None, and absent from `to_dict()`.

    Args:
        model: as for `count`.
        batch: B, sequences; 1.
        seq: S, tokens of each that pass at once; n_positions.
        past: tokens of each that are in the cache already; 0.
        logits: all, or last for the last token's of each sequence, as generate() has it; all.
        source: tokens of each sequence of an encoder, where the model has cross-attention.
        train: whether training is asked for: its FLOPs, gradients, activations and peak; so it is where attention,
            dropout or checkpoint are given.
        optimizer: adamw, adamw_fused, adamw_amsgrad, sgd, sgd_momentum, adagrad, rmsprop, adafactor or muon.
        dtype: fp32, bf16 or fp16, as `model.to` makes it, or autocast, float32 weights computing in bfloat16; fp32.
        attention: eager or sdpa; eager.
        dropout: the probability of all three dropouts; as the config has them.
        checkpoint: none, torch or reentrant, around every block; none.
        cache: dynamic or static.
        prompt: tokens of each sequence's prompt.
        new: tokens that are generated after it; 1.
        max_cache_len: tokens that a static cache has room for.
        kv_dtype: of the cache, such as fp8 or q8_0, see `costs.cache_types`; as the model computes.
        tokens: on how many tokens a model is trained in all.
        convention: one way of counting a step's FLOPs alone; all.
        throughput: tokens a second, of all devices together, for MFU and HFU.
        devices: on how many devices; 1.
        peak: FLOP/s of one, which a utilization is a share of.
        machine: one whose peak is known from public tables, such as h100-sxm, in place of `peak`; without a throughput,
            for the floor under the time that its roofs leave.
        tensor_parallel: refused, as what follows is: no law of a model on several devices is known.
        pipeline_parallel: refused.
        zero_stage: refused.
        hub: as for `count`.
        revision: as for `count`.
        fields: fields of a config, in any spelling; they win over the model's own.

    Returns:
        The cost: `forward`, `training`, `kv_bytes`, `weights`, `gradients`, `optimizer`, `activations`, `peak`,
        `conventions`, `to_dict()`.

    Raises:
        UnknownNameError: no model, optimizer, dtype or other word has this name.
        UnreadableInputError, NetworkError: as `count`.
        ConfigError: as `count`; the model is of another architecture; or what is asked contradicts it, or is not
            covered.

    Source: torch 2.13 and transformers 5.23 on CPU, which `gpt2calc measure` and the tests compare with.

    >>> cost("gpt2", train=True, checkpoint="torch", dropout=0).training
    1029563744256
    >>> cost("gpt2-xl", cache="dynamic", prompt=5, new=9, dtype="bf16").kv_bytes
    3993600
    """
    from gpt2calc.costs import machines, ways
    from gpt2calc.costs.report import Cost

    words: dict[str, Any] = {
        "batch": batch,
        "seq": seq,
        "past": past,
        "logits": logits,
        "source": source,
        "train": train,
    }
    words |= {"optimizer": optimizer, "dtype": dtype, "attention": attention, "dropout": dropout}
    words |= {"checkpoint": checkpoint, "cache": cache, "prompt": prompt, "new": new, "max_cache_len": max_cache_len}
    words |= {
        "kv_dtype": kv_dtype,
        "tokens": tokens,
        "tensor_parallel": tensor_parallel,
        "pipeline_parallel": pipeline_parallel,
    }
    words |= {"zero_stage": zero_stage}
    for kind, word, known in (("convention", convention, ways.BY_NAME), ("machine", machine, machines.BY_NAME)):
        if word is not None and not isinstance(word, str):
            raise UnknownNameError(kind, word, tuple(known))
    dims, settings, name, notes = judged(model, words, fields, hub=hub, revision=revision)
    machinery = _machinery(throughput, devices, peak, machine)
    roofs = machines.roofs(machine) if throughput is None and machine is not None else None
    return Cost(dims, settings, name, notes, convention=convention, machinery=machinery, roofs=roofs)


def measure(
    model: Model | LeftOut = LEFT_OUT,
    /,
    *,
    batch: int | None = None,
    seq: int | None = None,
    past: int | None = None,
    logits: str | None = None,
    source: int | None = None,
    train: bool | None = None,
    optimizer: str | None = None,
    dtype: str | None = None,
    attention: str | None = None,
    dropout: float | None = None,
    checkpoint: str | None = None,
    cache: str | None = None,
    prompt: int | None = None,
    new: int | None = None,
    max_cache_len: int | None = None,
    hub: bool = False,
    revision: str | None = None,
    **fields: Unpack[Fields],
) -> Measurement:
    """Hold what `cost` says against torch and transformers: a model that is built, counted, trained and generated with.

    Law: FLOPs are FlopCounterMode's on meta, a cache that of a real generate(), activations the saved tensors of a real
    step, gradients and optimizer's state those that it leaves, and the peak that of a walk over fake tensors. All but
    the peak are the same to the last FLOP and byte; the peak is at most 2 % below.

    Args:
        model: as for `count`.
        batch: as for `cost`.
        seq: as for `cost`.
        past: as for `cost`.
        logits: as for `cost`.
        source: as for `cost`.
        train: as for `cost`.
        optimizer: as for `cost`.
        dtype: as for `cost`.
        attention: as for `cost`.
        dropout: as for `cost`.
        checkpoint: as for `cost`.
        cache: as for `cost`.
        prompt: as for `cost`.
        new: as for `cost`.
        max_cache_len: as for `cost`.
        hub: as for `count`.
        revision: as for `count`.
        fields: as for `count`.

    Returns:
        The measurement: `matches`, `verdict`, `lines`, `to_dict()`; it is true where it matches.

    Raises:
        UnknownNameError, UnreadableInputError, ConfigError, NetworkError: as `cost`; or torch or transformers is
            missing, or has no such model.

    >>> import warnings
    >>> with warnings.catch_warnings(action="ignore"):
    ...     bool(measure(n_layer=1, n_embd=8, n_head=2, vocab=11, seq=4, optimizer="adamw"))
    True
    """
    from gpt2calc.costs import measurement
    from gpt2calc.costs.report import Cost

    words: dict[str, Any] = {"batch": batch, "seq": seq, "past": past, "logits": logits, "source": source}
    words |= {"train": train, "optimizer": optimizer, "dtype": dtype, "attention": attention, "dropout": dropout}
    words |= {"checkpoint": checkpoint, "cache": cache, "prompt": prompt, "new": new, "max_cache_len": max_cache_len}
    return measurement.measure(Cost(*judged(model, words, fields, hub=hub, revision=revision)))


def judged(
    model: Model | LeftOut, words: Mapping[str, Any], fields: Mapping[str, Any], *, hub: bool, revision: str | None
) -> tuple[Any, Any, str, tuple[str, ...]]:
    """Return dims, settings, the model's name and what to say, of what a person asks."""
    source = resolve(model, fields, hub=hub, revision=revision)
    return judged_of(source, words, is_transformers=model is LEFT_OUT or source.maker == "huggingface")


def costs_of(sources: tuple[Source, ...], words: Mapping[str, Any]) -> tuple[Cost, ...]:
    """Return what models that were read cost, by the same words, for a comparison.

    Raises:
        UnknownNameError: a word is none that a comparison takes.
        ConfigError: as `cost`; the model that it is about is named.
    """
    from gpt2calc.costs.report import Cost

    known: tuple[str, ...] = ("batch", "seq", "past", "logits", "source", "train", "optimizer", "dtype", "attention")
    known += ("dropout", "checkpoint", "cache", "prompt", "new", "max_cache_len", "kv_dtype")
    known += ("tensor_parallel", "pipeline_parallel", "zero_stage")
    for word in words:
        if word not in known:
            raise UnknownNameError("word of a cost", word, known)
    found = []
    for source in sources:
        try:
            found.append(Cost(*judged_of(source, words, is_transformers=source.maker == "huggingface")))
        except ConfigError as error:
            if str(error).startswith(source.name):
                raise
            raise ConfigError(f"{source.name}: {error}", field=error.field, got=error.got) from None
    return tuple(found)


def judged_of(
    source: Source, words: Mapping[str, Any], *, is_transformers: bool
) -> tuple[Any, Any, str, tuple[str, ...]]:
    """Return dims, settings, the model's name and what to say, of what is asked of a source that was read.

    Raises:
        ConfigError: the model is of another architecture, or what is asked contradicts it.
    """
    from gpt2calc.costs import settings

    read, notes = settings.read(
        dims_of(source.counted, source.name),
        words,
        said=source.said or {},
        n_head=(source.given or {}).get("n_head"),
        is_transformers=is_transformers,
    )
    return dims_of(source.counted, source.name), read, source.name, (*source.notes, *notes)


def _machinery(
    throughput: float | None, devices: int | None, peak: float | None, machine: str | None
) -> Machinery | None:
    """Return what a utilization is of; None where no throughput is given."""
    if throughput is None:
        for name, value in {"devices": devices, "peak": peak}.items():
            if value is not None:
                problem = f"{name} is what a throughput is held against: give throughput, in tokens a second, as well"
                raise ConfigError(problem, field=name, got=value)
        return None
    if (peak is None) == (machine is None):
        problem = "a utilization is a share of a peak: give peak, in FLOP/s of one device, or a machine"
        raise ConfigError(problem, field="peak")
    for name, value in {"throughput": throughput, "devices": devices, "peak": peak}.items():
        if value is None:
            continue
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 < value < float("inf"):
            raise ConfigError(f"{name} must be a number above 0, got {shown(value)}", field=name, got=value)
        if name != "throughput" and value != int(value):
            raise ConfigError(f"{name} must be a whole number, 1 or more, got {shown(value)}", field=name, got=value)
    from fractions import Fraction  # loads decimal, which a cost without a throughput does without

    from gpt2calc.costs import machines
    from gpt2calc.costs.report import Machinery

    known = None if machine is None else machines.BY_NAME[machine]
    given = "; ".join(filter(None, ("as given", machines.told_apart(int(peak or 0)))))
    return Machinery(
        Fraction(throughput),
        int(devices or 1),
        known.flops if known else int(peak or 0),
        known.source if known else given,
    )
