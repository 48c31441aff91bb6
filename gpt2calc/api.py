"""What the command line does, each as one call. A file of verbs: `import gpt2calc` gives them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.counts import ParameterCount
from gpt2calc.sources import resolve

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable, Sequence

    from gpt2calc.claims.report import ClaimReport
    from gpt2calc.comparison import Comparison
    from gpt2calc.config import Config
    from gpt2calc.derivation import Derivation
    from gpt2calc.designs.report import Designs
    from gpt2calc.designs.spans import Fractions, Sizes
    from gpt2calc.explanation.report import Explanation
    from gpt2calc.presets import Preset
    from gpt2calc.sources import Model
    from gpt2calc.sweeps.report import Sweep
    from gpt2calc.tensor_table import Tensor
    from gpt2calc.verification.report import Verification
    from gpt2calc.verification.targets import Target


def count(
    model: Model | None = None, /, *, hub: bool = False, revision: str | None = None, **fields: Any
) -> ParameterCount:
    """Count the parameters of a model, exactly, without building it.

    Law: see `formulas.table`; every count is an exact integer, in parameters.

    Args:
        model: a preset's name or alias, a path to a config.json or to a folder that holds one, a repository of the
            Hugging Face hub, of which config.json is read, a mapping, a `Config`, or None for gpt2's sizes.
        hub: whether the model is a repository, whatever file or preset has its name.
        revision: the repository's branch, tag or commit; with one, the model is a repository.
        fields: fields of a config, in any spelling; they win over the model's own.

    Returns:
        The count: `total`, `components`, `groups`, `weights`, `biases`, `conventions`, `to_dict()`.

    Raises:
        UnknownNameError: no model has this name.
        UnreadableInputError: a file cannot be read as a config.json of a GPT-2.
        ConfigError: a field is unknown or out of range, or contradicts another.
        NetworkError: the hub did not give the config.json.

    Source: transformers 5.23, modeling_gpt2.py, which the tests compare with tensor by tensor.

    >>> count("gpt2-xl").total
    1557611200
    >>> count("gpt2", tied=False).total
    163037184
    """
    if not fields and not hub and revision is None and hasattr(model, "dims"):
        source: Any = model
    else:
        source = resolve(model, fields, hub=hub, revision=revision)
    return ParameterCount(source.dims, source.name, source.notes)


def compare(*models: Model | None, hub: bool = False, revision: str | None = None, **fields: Any) -> Comparison:
    """Count several models side by side.

    Args:
        models: as for `count`, each.
        hub: as for `count`, for all.
        revision: as for `count`, for all.
        fields: fields that win over those of every model.

    Returns:
        The comparison; iterate over it for the counts.

    Raises:
        UnknownNameError, UnreadableInputError, ConfigError, NetworkError: as `count`.

    >>> [count.groups["mlp"].total for count in compare("small", "medium")]
    [56669184, 201449472]
    """
    from gpt2calc.comparison import Comparison

    return Comparison(tuple(count(model, hub=hub, revision=revision, **fields) for model in models))


def formula(name: str | None = None, model: Model | None = None, /, **fields: Any) -> Derivation:
    """Derive a closed form from the shapes of the tensors.

    Args:
        name: a component such as "attn.c_attn", a group such as "mlp", or "total"; None for every component.
        model: put this model's numbers in, named as for `count`; None for letters alone.
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
    return Derivation(name, source.dims, source.name if model is not None or fields else None, source.notes)


def tensors(model: Model | None = None, /, **fields: Any) -> tuple[Tensor, ...]:
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
    from gpt2calc.tensor_table import listing

    return tuple(listing(resolve(model, fields).dims))


def sweep(
    model: Model | None = None,
    /,
    *,
    where: str | None = None,
    columns: Iterable[str] | str | None = None,
    sort: str | None = None,
    top: int | None = None,
    executor: Any = None,
    file: str | os.PathLike[str] | None = None,
    **fields: Any,
) -> Sweep:
    """Count many models at once: every combination of the values that fields take, or the configs of a file.

    Law: every count is an exact int64; that the largest fits is shown in exact integers before anything is computed.

    Args:
        model: what is not swept is this model's, named as for `count`; None for gpt2's.
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
    from gpt2calc.sweeps.preparation import prepare

    ready = prepare(model, fields, where=where, columns=columns, sort=sort, top=top, file=file)
    from gpt2calc.sweeps import sweeper  # numpy is there now

    return sweeper.sweep(ready, executor)


def models() -> tuple[Preset, ...]:
    """Return the models that ship with gpt2calc, each with its fields, aliases and source.

    >>> [model.dims.n_layer for model in models() if model.name == "distilgpt2"]
    [6]
    """
    from gpt2calc import presets

    return presets.models()


def verify(
    target: Target,
    config: Model | None = None,
    /,
    *,
    evidence: str | None = None,
    tying: bool = False,
    values: bool = False,
    hub: bool = False,
    revision: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    **fields: Any,
) -> Verification:
    """Show that a checkpoint holds exactly what its config says, or name the tensors that are why not.

    Law: for every component, the closed form = the sum of `numel()` over its tensors, and every tensor has the name,
    the shape and a dtype that its place in the model gives it.

    Args:
        target: a checkpoint's file or folder, a repository on the hub, a live `torch.nn.Module`, a state_dict; or a
            config, named as for `count`, which is held against the model that transformers builds from it.
        config: what the target is held against, named as for `count`; None for the config.json beside it, what the file
            says of itself, or else what its shapes show.
        evidence: header (no weights are read), meta (the model that transformers builds on torch's meta device),
            weights (the checkpoint loaded), or all; None for the first that can be had.
        tying: whether to compare wte and lm_head, bit by bit and by their correlation.
        values: whether to read the values, for their statistics.
        hub: whether the target is a repository on the hub, whatever else has this name.
        revision: a branch, a tag or a commit of that repository.
        progress: called with the bytes that were read and those that there are, while values are read.
        fields: fields of a config, in any spelling; they win over the config's own.

    Returns:
        The verification: `matches`, `verdict`, `faults`, `observations`, `to_dict()`; it is true where it matches.

    Raises:
        UnreadableInputError: a file cannot be read, or is no GPT-2's.
        UnknownNameError, ConfigError: as `count`; or the evidence cannot be had of such a target.
        NetworkError: the hub did not give what was asked for.

    >>> import torch
    >>> shapes = {tensor.name: torch.empty(tensor.shape, device="meta") for tensor in tensors("gpt2")}
    >>> verify(shapes, "gpt2").matches
    True
    """
    from gpt2calc.verification import verifier

    return verifier.verify(
        target,
        config,
        fields,
        evidence=evidence,
        tying=tying,
        values=values,
        hub=hub,
        revision=revision,
        progress=progress,
    )


def infer(target: Target, /, *, hub: bool = False, revision: str | None = None) -> Config:
    """Infer the config of a checkpoint from the shapes of its tensors, and from what the file says of itself.

    Law: each tensor's shape votes for the sizes in it, and the majority wins.

    Args:
        target: a checkpoint's file or folder, a repository on the hub, a live module or a state_dict.
        hub: whether the target is a repository on the hub, whatever else has this name.
        revision: a branch, a tag or a commit of that repository.

    Returns:
        The config; a config.json beside the file is not looked at. n_head, which no shape shows, is n_embd / 64 unless
        the file says otherwise.

    Raises:
        UnreadableInputError: a file cannot be read, or is no GPT-2's.
        ConfigError: there is nothing to infer from.
        NetworkError: the hub did not give what was asked for.

    >>> import torch
    >>> infer({tensor.name: torch.empty(tensor.shape, device="meta") for tensor in tensors("gpt2-xl")}).n_layer
    48
    """
    from gpt2calc.verification import verifier

    return verifier.infer_config(target, hub=hub, revision=revision)[0]


def design(
    params: int | str | None = None,
    model: Model | None = None,
    *,
    fits: int | str | None = None,
    dtype: str | None = None,
    convention: str | None = None,
    head_size: Sizes | None = None,
    embd_multiple: int | str | None = None,
    aspect: Fractions | None = None,
    inner_ratio: Fractions | None = None,
    inner_multiple: int | str | None = None,
    pad: Sizes | None = None,
    top: int | None = None,
    pareto: bool = False,
    hub: bool = False,
    revision: str | None = None,
    **fields: Any,
) -> Designs:
    """Find the shapes that have a number of parameters, or the largest that fit a number of bytes.

    Law: of all shapes within the bounds, those nearest to the target, and of equally near ones those whose n_embd /
    n_layer is nearer to the family's; see `designs.family`. Distances are exact integers.

    Args:
        params: the number to be near, such as 124_439_808, "350M" or "1e9"; or `fits`.
        model: where all that is not searched comes from, named as for `count`; None for gpt2.
        fits: the bytes that a shape may not exceed, such as "24GB"; needs `dtype`.
        dtype: how the bytes are stored: fp32, fp16, bf16, int8 or int4.
        convention: how `params` counts, a name of `CONVENTIONS`, or "total", the default, for the model as it is.
        head_size: sizes of a head that n_embd may be a multiple of; 64 and 128 unless given.
        embd_multiple: n_embd is a multiple of this.
        aspect: the range of n_embd / n_layer; "20:160" unless given.
        inner_ratio: n_inner / n_embd, as "4", as a list "4,8/3", each rounded up, or as a range "2:6"; the model's own
            unless given.
        inner_multiple: n_inner is a multiple of this.
        pad: multiples that vocab_size is rounded up to, each a vocabulary that is tried.
        top: how many shapes to return; 10 unless given.
        pareto: return every shape to which none is at least as near in both distance and proportions.
        hub: as for `count`.
        revision: as for `count`.
        fields: fields that win over the model's own; n_layer, n_embd, n_head and n_inner may be ranges "6:48" or
            `range(6, 49)` and lists. n_layer is "1:1000" unless given.

    Returns:
        The designs, the one that is ranked first in front: each has `config`, `total` and `difference`.

    Raises:
        ConfigError: a figure or a constraint cannot be read, or constraints contradict each other; it names which.
        UnknownNameError, UnreadableInputError, NetworkError: as `count`, or there is no such convention or dtype.

    >>> [(each.name, each.difference) for each in design("350M", n_layer=24, top=2)]
    [('24x1024', 4823168), ('24x960', -35048000)]
    """
    from gpt2calc.designs import designer, targets

    constraints = {
        "head_size": head_size,
        "embd_multiple": embd_multiple,
        "aspect": aspect,
        "inner_ratio": inner_ratio,
        "inner_multiple": inner_multiple,
        "pad": pad,
    }
    target = targets.read(params, fits, dtype, convention)
    return designer.design(target, model, fields, constraints, top=top, pareto=pareto, hub=hub, revision=revision)


def explain(
    figures: str | int | Sequence[str | int],
    /,
    *models: Model,
    hub: bool = False,
    revision: str | None = None,
    **fields: Any,
) -> Explanation:
    """Find what a printed figure counts: which exact number, of which model, by which convention.

    Law: a figure can stand for every number that is printed so when it is rounded, cut off or rounded up; readings of
    fewer departures from the plain count come first, and for several figures one convention that explains all.

    Args:
        figures: as people write them, such as "117M", "137,022,720", "0.186B" or "548 MB"; one, or several.
        models: what the figures may be the size of, each named as for `count`; every model that ships where none is
            given, and gpt2 where fields are.
        hub: as for `count`, for all.
        revision: as for `count`, for all.
        fields: fields that win over those of every model.

    Returns:
        The explanation; iterate over it for the readings, best first.

    Raises:
        UnknownNameError, UnreadableInputError, ConfigError, NetworkError: as `count`; or there is no figure.

    >>> [(each.value, each.convention) for each in explain("163M", "gpt2")][:1]
    [(163037184, 'untied')]
    >>> [each.model.names[0] for each in explain(["117M", "345M", "762M", "1542M"])][:4]
    ['gpt2', 'gpt2-medium', 'gpt2-large', 'gpt2-xl']
    """
    from gpt2calc.explanation import report

    texts = [figures] if isinstance(figures, (str, int)) else figures
    asked: Sequence[Model | None] = models or ((None,) if fields or hub or revision is not None else ())
    sources = [resolve(model, fields, hub=hub, revision=revision) for model in asked]
    return report.explain(report.read(texts), sources)


def write_page(path: str | os.PathLike[str], /) -> int:
    """Write the what-if page: one file of HTML that counts, compares and verifies in a browser, without a network.

    Args:
        path: the file to write; one that is there is written anew.

    Returns:
        How many bytes it has.

    Raises:
        OSError: it cannot be written.

    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     write_page(os.path.join(folder, "gpt2calc.html")) < 200_000
    True
    """
    from gpt2calc import __version__
    from gpt2calc.webpage import document

    content = document.build(__version__).encode()
    with open(path, "wb") as file:
        return file.write(content)


def check_claims(file: str | os.PathLike[str] | None = None, /) -> ClaimReport:
    """Recompute published claims about the parameters of models, and judge each.

    Args:
        file: claims in TOML, as docs/claims.md describes; None for those of the article that gpt2calc began with.

    Returns:
        Each claim with what was claimed, what is exact, and the verdict, in each of its models.

    Raises:
        UnreadableInputError: the file cannot be read, or is no file of claims.

    >>> check_claims()["totals"].judgements[0].verdict
    'true as rounded'
    """
    from os import fspath

    from gpt2calc.claims import files, report

    return report.judge(files.read(files.ARTICLE if file is None else fspath(file)))
