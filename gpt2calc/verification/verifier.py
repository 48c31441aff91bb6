"""Verifying: what is asked of a target, each kind of evidence collected, and all brought to one `Verification`."""

from __future__ import annotations

import gc
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import formulas, sources, stored
from gpt2calc.architectures import gpt2, text_of
from gpt2calc.dialects import DIALECTS
from gpt2calc.dialects.base import keyed
from gpt2calc.dims import Dims
from gpt2calc.errors import ConfigError, UnreadableInputError, shown
from gpt2calc.model import FURTHER
from gpt2calc.model import Model as AnyModel
from gpt2calc.verification import adaptation, findings, holdings, naming, packing, targets
from gpt2calc.verification.assignment import PREDICTION, assign
from gpt2calc.verification.examination import examine
from gpt2calc.verification.inference import infer
from gpt2calc.verification.report import EVIDENCE, HEADER, META, WEIGHTS, Checked, Observation, Verification
from gpt2calc.verification.targets import CONFIG, LIVE, LOCAL, REMOTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gpt2calc.config import Config
    from gpt2calc.sources import LeftOut, Model, Source
    from gpt2calc.verification.assignment import Assignment
    from gpt2calc.verification.examination import Subject
    from gpt2calc.verification.oracles import Asked
    from gpt2calc.verification.targets import ResolvedTarget, Target

ALL = "all"

ALLOWED = {
    CONFIG: (META,),
    LIVE: (WEIGHTS, META),
    LOCAL: (HEADER, META, WEIGHTS),
    REMOTE: (HEADER, META),
}
"""The evidence that can be had of a target, by where it lies; the first is what is taken when none is asked for."""


def verify(
    target: Target,
    config: Model | LeftOut,
    fields: Mapping[str, Any],
    *,
    evidence: str | None = None,
    tying: bool = False,
    values: bool = False,
    prefix: str | None = None,
    hub: bool = False,
    revision: str | None = None,
    progress: Callable[[int, int], None] | None = None,
    headers: Callable[[int, int], None] | None = None,
) -> Verification:
    """Verify a target; `api.verify` says what each argument is."""
    if evidence not in (None, ALL, *EVIDENCE):
        raise ConfigError(f"evidence is one of {', '.join(EVIDENCE)} and {ALL}, got {shown(evidence)}", got=evidence)
    _check_prefix(prefix)
    with _uncollected():
        found = targets.find(target, config, fields, hub=hub, revision=revision, progress=headers)
        if adaptation.is_alone(found.listing, is_described=found.adapter is not None):
            words = {"values": values, "tying": tying, f"prefix {prefix}": prefix is not None}
            asked = next((word for word, is_asked in words.items() if is_asked), "")
            from gpt2calc.verification import adapter_files  # which no model needs

            return adapter_files.verify(found, evidence, asked=asked)
        if found.source is not None and not isinstance(found.source.counted, Dims):
            _refuse(found, found.source, found.source.counted, evidence=evidence, values=values)
        subject = examine(found, fields, prefix=prefix, asked=tying)
    notes = [*subject.notes, *subject.source.notes]
    observations: list[Observation] = []
    for kind in _kinds(subject.found, evidence):
        try:
            observations.append(_observe(kind, subject))
        except ConfigError as error:
            if evidence != ALL:
                raise
            notes.append(f"there is no {kind} evidence: {error}")
        except UnreadableInputError as error:
            if not any(each.faults for each in observations):
                raise
            notes.append(f"there is no {kind} evidence: {error}")  # what is wrong was found without it
    statistics = _values(subject, progress) if values else None
    return Verification(
        subject.counted,
        _checked(subject),
        tuple(observations),
        tying=subject.tying if tying else None,
        values=statistics,
        notes=tuple(dict.fromkeys(notes)),
    )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Let the collector rest: a header is tens of thousands of tuples, through which it would go again and again.

    And forget its names at the end, which a stranger chose, and which may be long.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        keyed.cache_clear()
        if was_on:
            gc.enable()


def _refuse(found: ResolvedTarget, source: Source, model: AnyModel, *, evidence: str | None, values: bool) -> None:
    """Raise where something is asked of another architecture than GPT-2 that is not had of it."""
    model_type = model.architecture.model_type
    if found.listing is None:
        problem = f"it is a config alone, and of a {model_type} files and live modules are verified so far"
        raise UnreadableInputError(found.name, problem)
    kind = _kinds(found, None)[0]
    if evidence not in (None, kind):
        raise ConfigError(f"the evidence of a {model_type} is its {kind} so far, got {shown(evidence)}")
    if values:
        raise ConfigError(f"values are read of GPT-2-shaped models alone so far, and {found.name} is a {model_type}")
    document = source.given or {}
    if quantized := text_of(document).get("quantization_config") or document.get("quantization_config"):
        how = quantized.get("quant_method") if isinstance(quantized, dict) else quantized
        if isinstance(how, str) and (how in packing.METHODS or how in stored.METHODS):
            return
        problem = f"its config says quantization_config {shown(how)}, and quantized files of a {model_type}"
        known = " and ".join(stored.METHODS)
        raise UnreadableInputError(found.name, f"{problem} are not verified yet: {known} are")


def _check_prefix(prefix: object) -> None:
    """Raise where a prefix is no text."""
    if prefix is not None and not isinstance(prefix, str):
        raise ConfigError(f"prefix takes what stands before the names, got {shown(prefix)}", got=prefix)


class InferredConfig(NamedTuple):
    """What a checkpoint shows: a config, what a reader should know, and the fields in it that are guesses."""

    config: Config | dict[str, Any]
    notes: tuple[str, ...]
    guesses: tuple[str, ...] = ()

    @property
    def document(self) -> dict[str, Any]:
        """The config as a config.json."""
        return self.config if isinstance(self.config, dict) else self.config.to_dict()

    @property
    def shown(self) -> dict[str, Any]:
        """The same without what is a guess."""
        return {name: value for name, value in self.document.items() if name not in self.guesses}


def infer_config(
    target: Target, *, prefix: str | None = None, hub: bool = False, revision: str | None = None
) -> InferredConfig:
    """Infer a config; `api.infer` says what each argument is.

    Law: n_head, which no shape shows, is what the file says of itself, or what a config beside it says that has the
    same width, and else a guess.
    """
    _check_prefix(prefix)
    found = targets.find(target, sources.LEFT_OUT, {}, hub=hub, revision=revision)
    if found.listing is None:
        hint = "".join(f" ({note})" for note in found.source.notes[-1:]) if found.source else ""
        raise ConfigError(f"{found.name} is a config alone, and there is nothing to infer it from{hint}")
    if adaptation.is_alone(found.listing, is_described=found.adapter is not None):
        raise UnreadableInputError(found.name, "it is an adapter, which shows no config of the model that it is for")
    whole = packing.unpacked(found.listing, found.source.quantization if found.source else None)
    with _uncollected():
        subject = examine(found._replace(listing=whole, source=None, origin=""), {}, prefix=prefix)
    from gpt2calc.config import Config  # loads pydantic

    if isinstance(subject.counted, AnyModel):
        return InferredConfig(subject.counted.document(), subject.notes, tuple(subject.unknown))
    n_head, notes, guesses = subject.n_head, subject.notes, () if subject.known_heads else ("n_head",)
    beside = found.source.given or {} if found.source and isinstance(found.source.counted, Dims) else {}
    if guesses and beside.get("n_head") and found.source and found.source.dims.n_embd == subject.source.dims.n_embd:
        n_head, guesses = beside["n_head"], ()
        notes = (*(note for note in notes if "n_head" not in note), f"n_head {n_head} is what {found.origin} says")
    return InferredConfig(Config(**{**(subject.source.given or {}), "n_head": n_head}), notes, guesses)


def _kinds(found: ResolvedTarget, evidence: str | None) -> tuple[str, ...]:
    """Return the kinds of evidence to collect."""
    allowed = ALLOWED[found.where]
    if found.on_meta:
        allowed = (META,)
    if evidence is None:
        return allowed[:1]
    if evidence == ALL:
        return allowed
    if evidence not in allowed:
        what = {CONFIG: "a config alone", LIVE: "a live model", REMOTE: "a repository on the hub"}[found.where]
        ways = " and ".join(allowed)
        raise ConfigError(f"{found.name} is {what}, which gives {ways} evidence, got {evidence}", got=evidence)
    return tuple(dict.fromkeys((allowed[0], evidence)))  # what was read of a checkpoint is judged in any case


def _observe(kind: str, subject: Subject) -> Observation:
    """Collect one kind of evidence."""
    seen, found = subject.seen, subject.found
    if kind == WEIGHTS and found.where != LIVE and seen is not None and seen.listing.packed is not None:
        scheme = seen.listing.packed.scheme
        raise ConfigError(f"packed matrices are not loaded, and {found.name} has some, of {scheme}: its header is read")
    if kind == HEADER and seen is not None:
        return _seen(kind, EVIDENCE[kind], subject, seen)
    from gpt2calc.verification import oracles  # torch and transformers stand behind it

    if seen is not None and found.where == LIVE and (kind == WEIGHTS or found.on_meta):
        total = oracles.numel(found.model)
        how = "the tensors of the state_dict" if total is None else "the model itself, sum(p.numel()) of its parameters"
        return _seen(kind, how, subject, seen, None if seen.listing.aside or seen.listing.packed else total)
    dims = subject.source.dims
    if kind == WEIGHTS and seen is not None:
        # transformers makes in memory what a config asks for, also where no file holds it
        is_held = formulas.total(dims) <= 2 * sum(seen.components.values())
        folder = found.folder if is_held else None
        asked = oracles.loaded(seen.listing, seen.reading, dims, subject.n_head, folder)
    else:
        asked = oracles.built(dims, subject.source.name, subject.n_head, alone=seen is None)
    return _told(kind, asked, subject, dims)


def _seen(kind: str, how: str, subject: Subject, seen: Assignment, total: int | None = None) -> Observation:
    """Return what a listing shows; the sum over its components, unless a module says what it has."""
    components = seen.components
    total = sum(components.values()) if total is None else total
    return Observation(kind, how, total, components, subject.faults, subject.more)


def _told(kind: str, asked: Asked, subject: Subject, dims: Dims) -> Observation:
    """Hold what an oracle gave against the tensor table."""
    listing = naming.respelled(asked.listing)
    names = naming.find(listing, DIALECTS, "a GPT-2")
    if names is None:
        raise naming.unknown(listing, DIALECTS, "a GPT-2")
    listing = naming.within(listing, names.alike[0])
    reading = infer(listing, names).reading
    found = assign(listing, reading, gpt2.model(dims), subject.n_head)
    faults, more = findings.faults(found)
    components = found.components
    total = sum(components.values()) if asked.parameters is None else asked.parameters
    return Observation(kind, asked.how, total, components, (*faults, *asked.faults), more)


def _values(subject: Subject, progress: Callable[[int, int], None] | None) -> Any:
    """Stream the values of every parameter, by component and role."""
    if subject.seen is None or subject.found.where != LOCAL:
        raise ConfigError(f"values are read from a file on this machine, and {subject.found.name} is none")
    from gpt2calc.verification import values

    return values.report(subject.seen.listing, subject.seen.roles, progress)


def _checked(subject: Subject) -> Checked:
    found, seen = subject.found, subject.seen
    known = subject.n_head if subject.known_heads else None
    if seen is None:
        return Checked(found.name, "config", "", "", subject.origin, subject.given, known)
    reading, is_gpt2 = seen.reading, isinstance(subject.counted, Dims)
    return Checked(
        found.name,
        seen.listing.format,
        reading.dialect.name,
        reading.wrapper + reading.prefix * is_gpt2,
        subject.origin,
        subject.given,
        known,
        tuple(holdings.of(seen)),
        seen.dtypes,
        sum(file.size for file in seen.listing.files),
        subject.shapes_say,
        subject.own_total,
        ", ".join(
            filter(None, (reading.dialect.whose, _packed(seen), seen.listing.adapted, _where(subject.called, seen)))
        ),
        _size(seen) if isinstance(subject.counted, Dims) else subject.counted.size(live=reading.dialect.is_live),
        subject.unknown,
        reading.dialect.folded,
        holdings.part(seen, known=subject.given)
        if all(fault.kind == findings.MISSING for fault in subject.faults)
        else "",
        _absent(subject),
    )


def _absent(subject: Subject) -> int:
    """Return of how many layers that predict further tokens the config speaks, where nothing of them was found."""
    seen = subject.seen
    if isinstance(subject.counted, Dims) or seen is None or seen.reading.dialect.is_live or subject.held is None:
        return 0
    further = subject.counted.architecture.ahead
    is_found = subject.held.ahead if further else any(extra.what == PREDICTION for _, extra in seen.extras)
    number = further.number if further else FURTHER
    return 0 if is_found else int(subject.counted.sizes.get(number, 0))


def _size(seen: Assignment) -> int:
    """Return how many tensors a GPT-2 is under the names that it has there, where some are split, stacked or folded."""
    return sum(seen.layers[""].depth if row.is_in_blocks else 1 for row in seen.rows)


def _packed(seen: Assignment) -> str:
    """Say how many matrices are packed, and how."""
    packed = seen.listing.packed
    if packed is None:
        return ""
    scales = f"{packed.scales:,} tensors of scales and the like beside"
    return f"{packed.matrices:,} of them packed as {packed.scheme}, {scales}"


def _where(called: str, seen: Assignment) -> str:
    """Say behind which prefix the names are, and what else there is, which is no part of the verdict."""
    wrapper, aside = seen.reading.wrapper, len(seen.listing.aside)
    if not aside:
        return f"behind the prefix {wrapper}" if wrapper else ""
    where = f"under {wrapper}" if wrapper else "among them"
    return f"{called} found {where}, {aside:,} other tensor{'s' if aside != 1 else ''} left aside"
