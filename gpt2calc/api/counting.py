"""Counting: one model or many, by component, in closed form, tensor by tensor, and as a page."""

from __future__ import annotations

import os

from gpt2calc.counts import ParameterCount
from gpt2calc.dims import Dims
from gpt2calc.errors import ConfigError, shortened, shown
from gpt2calc.sources import LEFT_OUT, LeftOut, resolve
from gpt2calc.validity import at_a_glance, canonical

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any, TypeVar, Unpack

    from gpt2calc.adapters import AdapterCount
    from gpt2calc.comparison import Comparison
    from gpt2calc.derivation import Derivation
    from gpt2calc.keywords import Fields, Ranges
    from gpt2calc.partitions import Parts
    from gpt2calc.presets import Preset
    from gpt2calc.sources import Model, Source
    from gpt2calc.sweeps.report import Sweep
    from gpt2calc.tensor_table import Tensor

    Row = TypeVar("Row")


class Rows(tuple["Row", ...]):
    """Rows of one kind, a tuple, which a notebook shows as a table."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from gpt2calc.reports import html  # notebooks only
        from gpt2calc.table import Table

        names = getattr(type(self[0]), "_fields", ()) if self else ()
        headers = tuple(name for name in names if not isinstance(getattr(self[0], name), dict))
        return html.write(
            [Table("", headers, tuple(tuple(_cell(getattr(row, name)) for name in headers) for row in self))]
        )


def _cell(value: object) -> str | int:
    """Return what a field of a row is in a table: a shape as 768 × 2304."""
    if isinstance(value, tuple):
        return (" × " if all(isinstance(each, int) for each in value) else ", ").join(map(str, value))
    return value if isinstance(value, int) else str(value or "")


def count(
    model: Model | LeftOut = LEFT_OUT, /, *, hub: bool = False, revision: str | None = None, **fields: Unpack[Fields]
) -> ParameterCount:
    """Count the parameters of a model, exactly, without building it.

    Law: see `formulas.table`; every count is an exact integer, in parameters.

    Args:
        model: a preset's name or alias, a path to a config.json or to a folder that holds one, a repository of the
            Hugging Face hub, of which config.json is read, a mapping, a `Config`, a config of transformers, a live
            model, or a state_dict of tensors or numpy arrays; gpt2's sizes where it is left out, which None is not.
        hub: whether the model is a repository, whatever file or preset has its name.
        revision: the repository's branch, tag or commit; with one, the model is a repository.
        fields: fields of a config, in any spelling; they win over the model's own.

    Returns:
        The count: `total`, `components`, `groups`, `weights`, `biases`, `conventions`, `to_dict()`.

    Raises:
        UnknownNameError: no model has this name.
        UnreadableInputError: a file cannot be read as a config.json of a model that is counted.
        ConfigError: a field is unknown or out of range, or contradicts another.
        NetworkError: the hub did not give the config.json.

    Source: transformers 5.23, modeling_gpt2.py, which the tests compare with tensor by tensor.

    >>> count("gpt2-xl").total
    1557611200
    >>> count("gpt2", tied=False).total
    163037184
    """
    if not fields and not hub and revision is None and hasattr(type(model), "dims"):
        plain: Any = model
        return ParameterCount(getattr(plain, "counted", None) or plain.dims, plain.name, plain.notes)
    if model is LEFT_OUT and not hub and revision is None and at_a_glance(fields):
        return ParameterCount(None, fields)  # as below, in no time, and with nothing to note
    if not hub and revision is None and _is_live(model):
        return count(_inferred(model), **fields)
    source = resolve(model, fields, hub=hub, revision=revision)
    return ParameterCount(source.counted, source.name, source.notes)


def _is_live(model: object) -> bool:
    """Whether this is a state_dict, or a live model that carries no config."""
    if isinstance(model, (str, os.PathLike, LeftOut)) or hasattr(model, "dims"):
        return False
    from gpt2calc.checkpoints import live  # which a name does without

    return live.is_model(model) and live.config_of(model) is None


def _inferred(model: object) -> Source:
    """Return what the shapes of a live model or a state_dict show."""
    from gpt2calc.verification.verifier import infer_config

    found = infer_config(model)
    name = "state_dict" if hasattr(model, "keys") else type(model).__name__
    source = resolve(found.config, {})
    return source._replace(name=name, notes=(*found.notes, *source.notes))


def adapter(
    model: Model | LeftOut = LEFT_OUT,
    /,
    *,
    r: int | None = None,
    targets: Iterable[str] | str | None = None,
    lora_bias: str = "none",
    modules_to_save: Iterable[str] | str = (),
    dora: bool = False,
    b_bias: bool = False,
    prompt_tokens: int | None = None,
    hub: bool = False,
    revision: str | None = None,
    **fields: Unpack[Fields],
) -> AdapterCount:
    """Count what an adapter trains beside a model, exactly as PEFT counts it.

    Law: r·(inputs + outputs) for each target of LoRA, and the model's width for each virtual token; see `adapters`.

    Args:
        model: the model that is adapted, named as for `count`.
        r: the rank of LoRA.
        targets: the ends of names of modules, in a list or between commas, or "all-linear"; PEFT's own where left out.
        lora_bias: which biases of the model are trained: "none", "all" or "lora_only", those of the targets.
        modules_to_save: the ends of names of modules that are trained as they are, in a copy.
        dora: whether each target has a magnitude, as DoRA has it.
        b_bias: whether B has a bias, which PEFT calls lora_bias.
        prompt_tokens: how many virtual tokens prompt tuning has, in the place of LoRA.
        hub: as for `count`.
        revision: as for `count`.
        fields: fields that win over the model's own.

    Returns:
        The count: `trainable`, `all`, `line`, `rows`, `to_dict()`.

    Raises:
        ConfigError: a target is none that PEFT adapts, or a number is out of range.
        UnknownNameError, UnreadableInputError, NetworkError: as `count`.

    >>> adapter("gpt2-medium", r=4, targets="c_attn,c_proj").trainable
    1081344
    """
    from gpt2calc import adapters

    counted = count(model, hub=hub, revision=revision, **fields)
    if (r is None) == (prompt_tokens is None):
        raise ConfigError("an adapter is LoRA of a rank, r, or prompt tuning of prompt_tokens: give one of them")
    for word, size in (("r", r), ("prompt_tokens", prompt_tokens)):
        if size is not None and (type(size) is not int or size < 1):
            raise ConfigError(f"{word} is a whole number, 1 or more, got {shown(size)}", field=word, got=size)
    for word, flag in (("dora", dora), ("b_bias", b_bias)):
        if not isinstance(flag, bool):
            raise ConfigError(f"{word} is True or False, got {shown(flag)}", field=word, got=flag)
    if prompt_tokens is not None:
        if targets is not None or lora_bias != "none" or modules_to_save or dora or b_bias:
            raise ConfigError("prompt tuning has no targets, biases, saved modules or magnitudes: these are LoRA's")
        return adapters.prompt(counted.model, counted.name, prompt_tokens, counted.notes)
    asked = adapters.Lora(r or 1, None if targets is None else _words(targets), lora_bias, _words(modules_to_save))
    asked = asked._replace(dora=dora, lora_bias=b_bias)
    return adapters.count(counted.model, counted.name, asked, counted.notes)


def parts(
    model: Model | LeftOut = LEFT_OUT,
    /,
    *,
    blocks: int | None = None,
    tp: int | None = None,
    pp: int | None = None,
    hub: bool = False,
    revision: str | None = None,
    **fields: Unpack[Fields],
) -> Parts:
    """Count a part of a model: its first blocks alone, or what each rank of Megatron's parallelism holds.

    Args:
        model: named as for `count`.
        blocks: how many blocks; nothing else is counted.
        tp: how many ranks of tensor parallelism; 1 where only pp is given.
        pp: how many stages of a pipeline; 1 where only tp is given.
        hub: as for `count`.
        revision: as for `count`.
        fields: fields that win over the model's own.

    Returns:
        The parts: `parts`, `sum`, `total`, `more`, `to_dict()`.

    Raises:
        ConfigError: what is split does not divide, or there are not as many blocks.
        UnknownNameError, UnreadableInputError, NetworkError: as `count`.

    >>> parts("gpt2-medium", blocks=2).sum
    25192448
    """
    from gpt2calc import partitions

    for word, size in (("blocks", blocks), ("tp", tp), ("pp", pp)):
        if size is not None and (type(size) is not int or size < 1):
            raise ConfigError(f"{word} is a whole number, 1 or more, got {shown(size)}", field=word, got=size)
    if (blocks is None) == (tp is None and pp is None):
        raise ConfigError("a part is a number of blocks, or a rank of tp times pp: give one of them")
    source = resolve(model, fields, hub=hub, revision=revision)
    if blocks is not None:
        counted = ParameterCount(source.counted, source.name, source.notes)
        return partitions.first_blocks(counted.model, source.name, blocks, source.notes)
    if not isinstance(source.counted, Dims):
        model_type = source.counted.architecture.model_type
        raise ConfigError(f"ranks are counted of GPT-2-shaped models so far, and {source.name} is a {model_type}")
    heads = canonical(source.given or {}).get("n_head")
    return partitions.ranks(source.counted, source.name, heads, tp or 1, pp or 1, source.notes)


def _words(given: Iterable[str] | str) -> tuple[str, ...]:
    """Return words that are given in a list, or between commas.

    Raises:
        ConfigError: there is none, or one is no text.
    """
    try:
        words = tuple(each.strip() for each in given.split(",")) if isinstance(given, str) else tuple(given)
    except TypeError:
        raise ConfigError(f"names of modules are a list, or text with commas between, got {shown(given)}") from None
    if wrong := [each for each in words if not isinstance(each, str) or not each]:
        raise ConfigError(f"names of modules are words such as c_attn, got {shown(wrong[0])}")
    return words


def compare(
    *models: Model,
    cost: Mapping[str, Any] | None = None,
    hub: bool = False,
    revision: str | None = None,
    **fields: Unpack[Fields],
) -> Comparison:
    """Count several models side by side.

    Args:
        models: as for `count`, each; one at least.
        cost: what each costs beside it, by words of `cost` that say what passes, how it trains and what a cache holds,
            such as `{"train": True}`; `{}` asks for it with no word. Without it nothing is said of costs. Of other
            architectures than GPT-2 the words are those of `serving`, it asks for FLOPs, and the KV cache is told
            without it, too.
        hub: as for `count`, for all.
        revision: as for `count`, for all.
        fields: fields that win over those of every model.

    Returns:
        The comparison; iterate over it for the counts.

    Raises:
        UnknownNameError, UnreadableInputError, ConfigError, NetworkError: as `count`; and, with cost, as `cost`.

    >>> [count.groups["mlp"].total for count in compare("small", "medium")]
    [56669184, 201449472]
    >>> [cost.forward for cost in compare("small", "medium", cost={"seq": 128}).costs]
    [32228179968, 92094595072]
    """
    if not models:
        raise ConfigError("a model is needed, such as gpt2: compare('gpt2', 'gpt2-xl')")
    from gpt2calc.comparison import Comparison

    sources = tuple(resolve(model, fields, hub=hub, revision=revision) for model in models)
    counts = tuple(ParameterCount(source.counted, source.name, source.notes) for source in sources)
    if all(isinstance(source.counted, Dims) for source in sources):
        if cost is None:
            return Comparison(counts)
        from gpt2calc.api.costing import costs_of

        return Comparison(counts, costs_of(sources, cost))
    from gpt2calc.api.serving import servings

    return Comparison(counts, servings=servings(sources, cost or {}), passes=cost is not None)


def formula(name: str | None = None, model: Model | LeftOut = LEFT_OUT, /, **fields: Unpack[Fields]) -> Derivation:
    """Derive a closed form from the shapes of the tensors.

    Args:
        name: a component such as "attn.c_attn", a group such as "mlp", or "total"; None for every component.
        model: put this model's numbers in, named as for `count`; letters alone where it is left out.
        fields: fields that win over the model's own.

    Returns:
        The derivation: `forms`, `simplified`, `total`, `to_dict()`.

    Raises:
        UnknownNameError: there is no such component, group or model.
        UnreadableInputError, ConfigError: as `count`.

    >>> print(formula("total").simplified)
    4L·d² + 2L·d·m + 9L·d + L·m + V·d + T·d + 2d
    """
    from gpt2calc.derivation import Derivation

    source = resolve(model, fields)
    return Derivation(name, source.counted, source.name if model is not LEFT_OUT or fields else None, source.notes)


def tensors(model: Model | LeftOut = LEFT_OUT, /, **fields: Unpack[Fields]) -> Rows[Tensor]:
    """List every tensor of a model, named, shaped and ordered as transformers' `named_parameters()` gives them.

    Args:
        model: as for `count`.
        fields: fields that win over the model's own.

    Returns:
        The tensors; a tied lm_head.weight is not among them, since it is transformer.wte.weight.

    Raises:
        UnknownNameError, UnreadableInputError, ConfigError: as `count`.

    >>> len(tensors("gpt2")), sum(tensor.numel for tensor in tensors("gpt2"))
    (148, 124439808)
    """
    from gpt2calc.architectures import gpt2
    from gpt2calc.tensor_table import Tensor

    return Rows(Tensor(*each) for each in gpt2.model_of(resolve(model, fields).counted).listing())


def sweep(
    model: Model | LeftOut = LEFT_OUT,
    /,
    *,
    where: str | None = None,
    columns: Iterable[str] | str | None = None,
    sort: str | None = None,
    top: int | None = None,
    executor: Any = None,
    file: str | os.PathLike[str] | LeftOut = LEFT_OUT,
    **fields: Unpack[Ranges],
) -> Sweep:
    """Count many models at once: every combination of the values that fields take, or the configs of a file.

    Law: every count is an exact int64; that the largest fits is shown in exact integers before anything is computed.

    Args:
        model: what is not swept is this model's, named as for `count`; gpt2's where it is left out.
        where: a condition on columns, such as "total < 400e6 and mlp_share > 0.5": rows for which it holds are kept.
        columns: names of columns, "all" for every column, or None for those that fit a screen.
        sort: a column, or COLUMN:desc; rows that are equal in it stay in order.
        top: how many rows to keep, the first in the order, which is total:desc unless `sort` says otherwise.
        executor: any `concurrent.futures.Executor`, which then does the work; None for this process.
        file: configs, one a row, in CSV, JSONL, Parquet or Arrow, and no grid.
        fields: fields of a config, in any spelling, each with one value, or with several in a list, a range or an
            int64 array; switches run slowest, then the sizes, the last one given fastest.

    Returns:
        The sweep, a mapping from the name of each column to a numpy array.

    Raises:
        ConfigError: a field, a value or the condition is wrong, the result too large, or numpy or pyarrow missing.
        UnknownNameError: no model or column has this name.
        UnreadableInputError: the file cannot be read, or one of its rows is no model.
        Int64OverflowError: a count of the largest model does not fit in int64.

    >>> sweep(n_layer=range(12, 49, 12), n_embd=[768, 1600], where="total > 1e9", columns="n_layer,total")["total"]
    array([1188721600, 1557611200])
    """
    from gpt2calc.sweeps import sweeper

    if not isinstance(file, (str, os.PathLike, LeftOut)):
        raise ConfigError(f"expected the path of a file, got {shortened(repr(file))}", got=file)
    rows = None if file is LEFT_OUT else file
    return sweeper.ready(model, fields, where=where, columns=columns, sort=sort, top=top, file=rows).all(executor)


def models() -> Rows[Preset]:
    """Return the models that ship with gpt2calc, each with its fields, aliases and source.

    >>> [model.dims.n_layer for model in models() if model.name == "distilgpt2"]
    [6]
    """
    from gpt2calc import presets

    return Rows(presets.models())


def write_page(path: str | os.PathLike[str], /) -> int:
    """Write the what-if page: one file of HTML that counts, compares and verifies in a browser, without a network.

    Args:
        path: the file to write, whole or not at all; one that is there is replaced.

    Returns:
        How many bytes it has.

    Raises:
        UnreadableInputError: it cannot be written.

    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_page(os.path.join(folder, "gpt2calc.html")) < 300_000
    True
    """
    from gpt2calc.output import OutputFile
    from gpt2calc.version import __version__
    from gpt2calc.webpage import document

    if not isinstance(path, (str, os.PathLike)):
        raise ConfigError(f"expected the path of a file to write, got {shortened(repr(path))}", got=path)
    content = document.build(__version__).encode()
    with OutputFile(os.fspath(path)) as file:
        return file.write(content)
