"""Checking: a checkpoint against its config, and what was published against what is exact."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from gpt2calc.errors import ConfigError, shortened
from gpt2calc.sources import LEFT_OUT, LeftOut

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Unpack

    from gpt2calc.cards import Card
    from gpt2calc.claims.report import ClaimReport
    from gpt2calc.examples import Example
    from gpt2calc.keywords import Fields
    from gpt2calc.sources import Model
    from gpt2calc.verification.report import Verification
    from gpt2calc.verification.targets import Target


def verify(
    target: Target,
    config: Model | LeftOut = LEFT_OUT,
    /,
    *,
    evidence: str | None = None,
    tying: bool = False,
    values: bool = False,
    prefix: str | None = None,
    hub: bool = False,
    revision: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    headers: Callable[[int, int], None] | None = None,
    **fields: Unpack[Fields],
) -> Verification:
    """Show that a checkpoint holds exactly what its config says, or name the tensors that are why not.

    Law: for every component, the closed form = the sum of `numel()` over its tensors, and every tensor has the name,
    the shape and a dtype that its place in the model gives it.

    Args:
        target: a checkpoint's file or folder, a repository on the hub, a live `torch.nn.Module`, a state_dict; or a
            config, named as for `count`, which is held against the model that transformers builds from it.
        config: what the target is held against, named as for `count`; where it is left out, the config.json beside it,
            what the file says of itself, or else what its shapes show.
        evidence: header (no weights are read), meta (the model that transformers builds on torch's meta device),
            weights (the checkpoint loaded), or all; None for the first that can be had.
        tying: whether to compare wte and lm_head, bit by bit and by their correlation.
        values: whether to read the values, for their statistics.
        prefix: what stands before the names of the model, where the target holds more than one, or more than it; "" for
            nothing. All other tensors are left aside. Where it is left out, it is found.
        hub: whether the target is a repository on the hub, whatever else has this name.
        revision: a branch, a tag or a commit of that repository.
        progress: called with the bytes that were read and those that there are, while values are read.
        headers: called with the shards whose headers came from the hub and those that there are.
        fields: fields of a config, in any spelling; they win over the config's own.

    Returns:
        The verification: `matches`, `verdict`, `faults`, `observations`, `to_dict()`; it is true where it matches.

    Raises:
        UnreadableInputError: a file cannot be read, or is no GPT-2's.
        UnknownNameError, ConfigError: as `count`; or the evidence cannot be had of such a target.
        NetworkError: the hub did not give what was asked for.

    >>> import torch
    >>> from gpt2calc import tensors
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
        prefix=prefix,
        hub=hub,
        revision=revision,
        progress=progress,
        headers=headers,
    )


def infer(target: Target, /, *, prefix: str | None = None, hub: bool = False, revision: str | None = None) -> Any:
    """Infer the config of a checkpoint from the shapes of its tensors, and from what the file says of itself.

    Law: each tensor's shape votes for the sizes in it, and the majority wins.

    Args:
        target: a checkpoint's file or folder, a repository on the hub, a live module or a state_dict.
        prefix: what stands before the names of the model; where it is left out, it is found.
        hub: whether the target is a repository on the hub, whatever else has this name.
        revision: a branch, a tag or a commit of that repository.

    Returns:
        The config of a GPT-2, and of any other architecture that is counted its config.json as a dictionary; of a
        config.json beside the file n_head alone is looked at. Where neither that nor the file says it, n_head, which
        no shape shows, is n_embd / 64, and what else no shape shows is what fits.

    Raises:
        UnreadableInputError: a file cannot be read, or its names and shapes are of no model that is counted.
        ConfigError: there is nothing to infer from.
        NetworkError: the hub did not give what was asked for.

    >>> import torch
    >>> from gpt2calc import tensors
    >>> infer({tensor.name: torch.empty(tensor.shape, device="meta") for tensor in tensors("gpt2-xl")}).n_layer
    48
    """
    from gpt2calc.verification import verifier

    return verifier.infer_config(target, prefix=prefix, hub=hub, revision=revision).config


def write_example(
    folder: str | os.PathLike[str],
    model: Model | LeftOut = LEFT_OUT,
    /,
    *,
    fault: str | None = None,
    **fields: Unpack[Fields],
) -> Example:
    """Write a small checkpoint to try things on, `config.json` and `model.safetensors`, good or with one fault.

    Args:
        folder: the folder to write, which is not there yet, or empty.
        model: a small model, named as for `count`; a small one of `model_type`, or a GPT-2, where it is left out.
        fault: what to plant: missing, extra, renamed, shape, transposed, dtype, layer, config or truncated; None for
            nothing.
        fields: fields of a config, in any spelling; they win over the model's own.

    Returns:
        The example: `folder`, `files`, `total`, and with a fault the `tensor` that it is planted in.

    Raises:
        ConfigError: as `count`; the folder is in use; or the model has more than 5,000,000 parameters.
        UnknownNameError, UnreadableInputError: as `count`; or no fault has this name, or a file cannot be written.

    >>> import os, tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     example = write_example(os.path.join(folder, "new"), fault="missing")
    ...     [fault.tensor for fault in verify(example.folder).faults] == [example.tensor]
    True
    """
    from gpt2calc import examples

    if not isinstance(folder, (str, os.PathLike)):
        raise ConfigError(f"expected the path of a folder to write, got {shortened(repr(folder))}", got=folder)
    return examples.write(os.fspath(folder), model, fields, fault)


def card(
    model: Model | LeftOut = LEFT_OUT, /, *, hub: bool = False, revision: str | None = None, **fields: Unpack[Fields]
) -> Card:
    """Return the lines of a model card that say how large a model is, exactly, and how anybody can see that it is so.

    Args:
        model: a config, named as for `count`; or a checkpoint, a folder, a file or with `hub` a repository, which is
            verified then, and of which the card says what its files hold.
        hub: whether it is a repository on the hub, whatever else has this name.
        revision: a branch, a tag or a commit of that repository.
        fields: fields of a config, in any spelling; they win over the model's own.

    Returns:
        The card: `markdown`, `metadata` for its top, `notes`, and the `verification` of a checkpoint.

    Raises:
        UnknownNameError, UnreadableInputError, ConfigError, NetworkError: as `count` and `verify`.

    >>> print(card("gpt2").metadata)
    ---
    library_name: transformers
    pipeline_tag: text-generation
    tags:
    - gpt2
    ---
    """
    from gpt2calc import cards

    return cards.of(model, fields, hub=hub, revision=revision)


def check_claims(file: str | os.PathLike[str] | LeftOut = LEFT_OUT, /) -> ClaimReport:
    """Recompute published claims about the parameters of models, and judge each.

    Args:
        file: claims in TOML, as docs/claims.md describes; where it is left out, those of the article that gpt2calc
            began with.

    Returns:
        Each claim with what was claimed, what is exact, and the verdict, in each of its models.

    Raises:
        UnreadableInputError: the file cannot be read, or is no file of claims.
        ConfigError: the file is None.

    >>> check_claims()["totals"].judgements[0].verdict
    'true as rounded'
    """
    from gpt2calc.claims import files, report

    if not isinstance(file, (str, os.PathLike, LeftOut)):
        raise ConfigError(f"expected the path of a file of claims, got {shortened(repr(file))}", got=file)
    return report.judge(files.read(files.ARTICLE if isinstance(file, LeftOut) else os.fspath(file)))
