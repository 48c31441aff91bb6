"""What the command line does, each as one call. A file of verbs: `import gpt2calc` gives them all."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.counts import ParameterCount
from gpt2calc.sources import resolve

if TYPE_CHECKING:
    from gpt2calc.comparison import Comparison
    from gpt2calc.derivation import Derivation
    from gpt2calc.presets import Preset
    from gpt2calc.sources import Model
    from gpt2calc.tensor_table import Tensor


def count(model: Model | None = None, /, **fields: Any) -> ParameterCount:
    """Count the parameters of a model, exactly, without building it.

    Law: see `formulas.table`; every count is an exact integer, in parameters.

    Args:
        model: a preset's name or alias, a path to a config.json or to a folder that holds one, a mapping, a `Config`,
            or None for gpt2's sizes.
        fields: fields of a config, in any spelling; they win over the model's own.

    Returns:
        The count: `total`, `components`, `groups`, `weights`, `biases`, `conventions`, `to_dict()`.

    Raises:
        UnknownNameError: no model has this name.
        UnreadableInputError: a file cannot be read as a config.json of a GPT-2.
        ConfigError: a field is unknown or out of range, or contradicts another.

    Source: transformers 5.23, modeling_gpt2.py, which the tests compare with tensor by tensor.

    >>> count("gpt2-xl").total
    1557611200
    >>> count("gpt2", tied=False).total
    163037184
    """
    source: Any = model if not fields and hasattr(model, "dims") else resolve(model, fields)
    return ParameterCount(source.dims, source.name, source.notes)


def compare(*models: Model | None, **fields: Any) -> Comparison:
    """Count several models side by side.

    Args:
        models: as for `count`, each.
        fields: fields that win over those of every model.

    Returns:
        The comparison; iterate over it for the counts.

    Raises:
        UnknownNameError, UnreadableInputError, ConfigError: as `count`.

    >>> [count.groups["mlp"].total for count in compare("small", "medium")]
    [56669184, 201449472]
    """
    from gpt2calc.comparison import Comparison

    return Comparison(tuple(count(model, **fields) for model in models))


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


def models() -> tuple[Preset, ...]:
    """Return the models that ship with gpt2calc, each with its fields, aliases and source.

    >>> [model.dims.n_layer for model in models() if model.name == "distilgpt2"]
    [6]
    """
    from gpt2calc import presets

    return presets.models()
