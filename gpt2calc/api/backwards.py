"""Questions asked backwards: from a number to what it counts, and to the shapes that have it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from gpt2calc.sources import LEFT_OUT, LeftOut, resolve

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Unpack

    from gpt2calc.designs.report import Designs
    from gpt2calc.designs.spans import Fractions, Sizes
    from gpt2calc.explanation.report import Explanation
    from gpt2calc.keywords import Fields, Ranges
    from gpt2calc.sources import Model


def explain(
    figures: str | float | Iterable[str | float],
    /,
    *models: Model,
    batch: int | str | None = None,
    seq: int | str | None = None,
    tokens: float | str | None = None,
    hub: bool = False,
    revision: str | None = None,
    **fields: Unpack[Fields],
) -> Explanation:
    """Find what a printed figure counts: which exact number, of which model, by which convention.

    Law: a figure can stand for every number that is printed so when it is rounded, cut off or rounded up; readings of
    fewer departures from the plain count come first, and for several figures one convention that explains all.

    Args:
        figures: as people write them, such as "117M", "137,022,720", "0.186B" or "548 MB"; one, or several.
        models: what the figures may be the size of, each named as for `count`; every model that ships where none is
            given, and gpt2 where fields are.
        batch: sequences of a step, where the figure is a cost of the models: FLOPs, or bytes of training or a cache.
        seq: tokens of each, the same way.
        tokens: of how many tokens of training, the same way.
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
    from gpt2calc.explanation import costs, report

    found, asked_about = report.read(figures), costs.ask(batch, seq, tokens)
    asked: Sequence[Model | LeftOut] = models or ((LEFT_OUT,) if fields or hub or revision is not None else ())
    sources = [resolve(model, fields, hub=hub, revision=revision) for model in asked]
    return report.explain(found, sources, asked_about)


def design(
    params: float | str | None = None,
    model: Model | LeftOut = LEFT_OUT,
    *,
    fits: float | str | None = None,
    dtype: str | None = None,
    convention: str | None = None,
    head_size: Sizes | None = None,
    embd_multiple: int | str | None = None,
    aspect: Fractions | None = None,
    inner_ratio: Fractions | None = None,
    inner_multiple: int | str | None = None,
    pad: Sizes | None = None,
    family: str | None = None,
    within: Fractions | float | None = None,
    nearest: bool = False,
    top: int | None = None,
    pareto: bool = False,
    hub: bool = False,
    revision: str | None = None,
    **fields: Unpack[Ranges],
) -> Designs:
    """Find the shapes that have a number of parameters, or the largest that fit a number of bytes.

    Law: of all shapes within the bounds, those that are exactly the target come first; then those that are within 2 %
    of it, the ones whose n_embd / n_layer is nearest to the family's in front, see `designs.family`; then all others by
    distance. Distances are exact integers.

    Args:
        params: the number to be near, such as 124_439_808, "350M" or "1e9"; or `fits`.
        model: where all that is not searched comes from, named as for `count`; gpt2 where it is left out.
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
        family: a model type such as "llama" in place of a model: of its models that ship the one nearest in size.
        within: how many percent off the target a shape may be, as 0.5, to be ranked by its proportions; 2 unless given.
        nearest: rank by distance to the target alone; of equally near ones by proportions.
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
        UnknownNameError, UnreadableInputError, NetworkError: as `count`; or no such convention, dtype, family.

    >>> [(each.name, each.difference) for each in design("350M", top=2)]
    [('24x1024', 4823168), ('27x960', -1832960)]
    >>> design("8B", family="llama")[0].config["hidden_size"]
    4096
    """
    from functools import partial

    from gpt2calc.designs import designer, targets

    constraints = {
        "head_size": head_size,
        "embd_multiple": embd_multiple,
        "aspect": aspect,
        "inner_ratio": inner_ratio,
        "inner_multiple": inner_multiple,
        "pad": pad,
    }
    return designer.design(
        partial(targets.read, params, fits, dtype, convention),
        model,
        fields,
        constraints,
        of_family=family,
        within=within,
        nearest=nearest,
        top=top,
        pareto=pareto,
        hub=hub,
        revision=revision,
    )
