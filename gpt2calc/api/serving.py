"""Serving: what a model of any architecture holds in memory, and whether it fits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.errors import ConfigError
from gpt2calc.model import Model as OtherModel
from gpt2calc.sources import LEFT_OUT, Source, resolve

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from gpt2calc.costs.fitting import Fit
    from gpt2calc.costs.serving import Serving
    from gpt2calc.keywords import Fields
    from gpt2calc.sources import LeftOut, Model


def serving(
    model: Model | LeftOut = LEFT_OUT,
    /,
    *,
    batch: int | None = None,
    seq: int | None = None,
    past: int | None = None,
    prompt: int | None = None,
    new: int | None = None,
    dtype: str | None = None,
    kv_dtype: str | None = None,
    logits: str | None = None,
    train: bool | None = None,
    tokens: int | None = None,
    convention: str | None = None,
    machine: str | None = None,
    hub: bool = False,
    revision: str | None = None,
    **fields: Unpack[Fields],
) -> Serving:
    """Compute what serving a model holds and does: weights, KV cache, states and FLOPs, exactly, without building it.

    Law: a sequence keeps Σ over layers of elements · tokens held · bytes, and states; see `architectures.caches`. FLOPs
    are those of matrix products, 2·a·k·c for [a, k]·[k, c]; see `costs.products.table`.

    Args:
        model: as for `count`, of any architecture.
        batch: B, sequences; 1.
        seq: tokens of each that pass at once; as long as the model can, if nothing says how many tokens there are.
        past: tokens of each that are in the cache already; 0.
        prompt: tokens of each sequence's prompt, in place of seq and past.
        new: tokens that are generated after it, of which the last is never kept; 1.
        dtype: fp32, bf16 or fp16, of weights and activations; as the config says.
        kv_dtype: of the cache, such as bf16, fp8 or q8_0, see `costs.cache_types`; `dtype`.
        logits: all, or last for the last token's of each sequence, as generate() has it; all.
        train: whether the FLOPs of training are asked for.
        tokens: on how many tokens the model is trained in all.
        convention: in which way `kv_bytes` counts; as transformers keeps it. Or one way in which FLOPs of training are.
        machine: one that is known, such as h100-sxm, for the floor under the time that its roofs leave.
        hub: as for `count`.
        revision: as for `count`.
        fields: fields of a config; they win over the model's own.

    Returns:
        `kv_bytes_per_token`, `state_bytes`, `kv_bytes`, `conventions`, `weights`, `rows`, `to_dict()`; and `forward`,
        `training`, `products`, `flops_conventions`, `floors`, None or empty where layers scan: `flops_notes` says why.

    Raises:
        UnknownNameError, UnreadableInputError, NetworkError: as `count`; or no dtype or convention has this name.
        ConfigError: as `count`; what is asked contradicts itself; or what the model keeps is not known.

    Source: transformers 5.23, whose caches on torch's meta device the tests compare with.

    >>> serving("Qwen3-0.6B", dtype="bf16").kv_bytes_per_token
    114688
    >>> serving("gpt2-xl", dtype="bf16", seq=1024).kv_bytes
    314572800
    >>> serving("Qwen3-0.6B", seq=1, past=4095, logits="last").forward
    2131492864
    """
    from gpt2calc.costs import machines
    from gpt2calc.costs.serving import Serving

    words: dict[str, Any] = {"batch": batch, "seq": seq, "past": past, "prompt": prompt, "new": new}
    words |= {"dtype": dtype, "kv_dtype": kv_dtype, "logits": logits, "train": train, "train_tokens": tokens}
    source = resolve(model, fields, hub=hub, revision=revision)
    if hasattr(model, "counted") and not isinstance(model, Source) and isinstance(source.counted, OtherModel):
        problem = "a count does not say what attends to a window: give the model or its config"
        raise ConfigError(f"{source.name}: {problem}", field="model")
    document = source.of_files
    roofs = None if machine is None else machines.roofs(machine)
    return Serving(source.counted, document, words, source.name, source.notes, convention=convention, roofs=roofs)


def servings(sources: tuple[Source, ...], words: Mapping[str, Any]) -> tuple[Serving | None, ...]:
    """Return what models that were read keep when they are served, None of one whose cache is not known.

    Where no word says how many tokens there are, they are as many for all: those of the model that takes the fewest.

    Raises:
        ConfigError: a word is of GPT-2 alone, or contradicts another or a model.
    """
    from gpt2calc.costs.holding import OF_TOKENS, WORDS
    from gpt2calc.costs.serving import Serving

    for word, value in words.items():
        if word not in WORDS and value is not None:
            problem = f"{word} is covered where all models are GPT-2s; of others {', '.join(WORDS)}"
            raise ConfigError(problem, field=word, got=value)
    found: list[Serving | None] = []
    for source in sources:
        try:
            found.append(Serving(source.counted, source.of_files, words, source.name))
        except ConfigError:
            if words:
                raise
            found.append(None)
    longest = [None if each is None else each.tokens for each in found]
    fewest = None if None in longest else min(filter(None, longest), default=None)
    if fewest is None or any(words.get(word) is not None for word in OF_TOKENS):
        return tuple(found)
    same = {**words, "seq": fewest}
    return tuple(Serving(source.counted, source.of_files, same, source.name) for source in sources)


def fits(
    model: Model | LeftOut = LEFT_OUT,
    /,
    *,
    memory: int | str | None = None,
    hardware: str | None = None,
    devices: int | None = None,
    reserve: int | str | None = None,
    **words: Any,
) -> Fit:
    """Say whether a model, its cache and its states fit into a memory, and what one change would make them fit.

    Law: weights + cache and states of the batch + reserve ≤ memory. What an engine takes for itself, its workspace and
    what fragments, is not counted: `reserve` is for it.

    Args:
        model: as for `count`, of any architecture.
        memory: bytes, or as people write them, such as "24GB" (of 10⁹ bytes) or "24GiB" (of 2³⁰).
        hardware: a machine with a known memory, such as h100-sxm, in place of it.
        devices: how many of them, over which all is spread evenly; 1.
        reserve: bytes for what is not counted, of every device; none.
        words: as for `serving`.

    Returns:
        `verdict`, `answer` (fits, within the reserve, does not fit), `needed`, `left`, `changes`; true where it fits.

    Raises:
        UnknownNameError, UnreadableInputError, NetworkError: as `serving`; or no machine has this name.
        ConfigError: as `serving`; or memory, hardware, devices or reserve make no sense.

    >>> fits("Qwen3-0.6B", memory="2GB", dtype="bf16", seq=4096).answer
    'fits'
    """
    from gpt2calc.costs import fitting

    return fitting.judge(serving(model, **words), memory, hardware, devices, reserve)
