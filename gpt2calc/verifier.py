"""Verifying: the listing, the config, and each kind of evidence that is asked for, brought to one `Verification`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import sources, targets
from gpt2calc.errors import ConfigError, UnreadableInputError, shown
from gpt2calc.inference import guessed_heads, infer
from gpt2calc.listing import Fault
from gpt2calc.matching import match
from gpt2calc.spellings import SPELLINGS
from gpt2calc.targets import CONFIG, LIVE, LOCAL, REMOTE
from gpt2calc.verification import EVIDENCE, HEADER, META, WEIGHTS, Checked, Observation, Verification

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from gpt2calc.config import Config
    from gpt2calc.dialects.base import Reading
    from gpt2calc.listing import TensorListing
    from gpt2calc.matching import Match
    from gpt2calc.oracles import Asked
    from gpt2calc.sources import Model, Source
    from gpt2calc.targets import Found, Target
    from gpt2calc.tying import Tying

ALL = "all"
ALLOWED = {
    CONFIG: (META,),
    LIVE: (WEIGHTS, META),
    LOCAL: (HEADER, META, WEIGHTS),
    REMOTE: (HEADER, META),
}
"""The evidence that can be had of a target, by where it lies; the first is what is taken when none is asked for."""

UNTIED = "tying"
"""The fault of a head that the config ties, and that is stored with other values than wte."""

INFERRED = "inferred from the shapes"
OWN = "what the file says of itself"


class Subject(NamedTuple):
    """What is verified, against which config, and how its names are read.

    Args:
        found: what the target came to.
        source: the config.
        origin: where the config comes from.
        given: whether it was given or found, and not inferred.
        n_head: attention heads, guessed where they are not known.
        known_heads: whether they are known.
        reading: how the names of the listing are read; None for a config alone.
        match: the listing beside the tensor table; None for a config alone.
        tying: how the head is tied; None where no head is stored, or it was not looked at.
        notes: what a reader should know.
    """

    found: Found
    source: Source
    origin: str
    given: bool
    n_head: int
    known_heads: bool
    reading: Reading | None = None
    match: Match | None = None
    tying: Tying | None = None
    notes: tuple[str, ...] = ()


def verify(
    target: Target,
    config: Model | None,
    fields: Mapping[str, Any],
    *,
    evidence: str | None = None,
    tying: bool = False,
    values: bool = False,
    hub: bool = False,
    revision: str | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Verification:
    """Verify a target; `api.verify` says what each argument is."""
    if evidence not in (None, ALL, *EVIDENCE):
        raise ConfigError(f"evidence is one of {', '.join(EVIDENCE)} and {ALL}, got {shown(evidence)}", got=evidence)
    subject = examine(targets.find(target, config, fields, hub=hub, revision=revision), fields, tying=tying)
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
        subject.source.dims,
        _checked(subject),
        tuple(observations),
        tying=subject.tying if tying else None,
        values=statistics,
        notes=tuple(dict.fromkeys(notes)),
    )


def examine(found: Found, fields: Mapping[str, Any], *, tying: bool = False) -> Subject:
    """Find how the names of a target are read, the config that it is held against, and how its head is tied.

    Law: a config that is given, or found beside a file, is believed. Without one, what the file says of itself wins
    over what its shapes show.

    Raises:
        UnreadableInputError: the names fit no dialect.
    """
    listing, source = found.listing, found.source
    if listing is None:
        if source is None:
            raise ConfigError(f"expected a checkpoint or a config, got {found.name}")
        n_head = _heads(source.given)
        return Subject(found, source, found.origin, given=True, n_head=n_head or 1, known_heads=bool(n_head))
    inferred = infer(listing)
    given = source is not None
    if source is None:
        source = targets.merged(listing.fields, inferred.fields, fields, listing.name)
    n_head = _heads(source.given if given else {**listing.fields, **fields})
    known = bool(n_head) or inferred.known_heads
    heads = n_head or (inferred.fields["n_head"] if inferred.known_heads else guessed_heads(source.dims.n_embd))
    origin = found.origin or (OWN if listing.fields else INFERRED)
    matched = match(listing, inferred.reading, source.dims, heads)
    subject = Subject(found, source, origin, given, heads, known, inferred.reading, matched, notes=listing.notes)
    subject = _settled(subject, asked=tying)
    if not given and not known:
        note = f"no shape shows n_head: it is unknown, and {heads} is a guess, n_embd / 64 where that is whole"
        subject = subject._replace(notes=(*subject.notes, note))
    return subject


def infer_config(target: Target, *, hub: bool = False, revision: str | None = None) -> tuple[Config, tuple[str, ...]]:
    """Infer a config; `api.infer` says what each argument is.

    Returns:
        The config, with n_head, and what a reader should know.
    """
    found = targets.find(target, None, {}, hub=hub, revision=revision)
    if found.listing is None:
        raise ConfigError(f"{found.name} is a config alone, and there is nothing to infer it from")
    subject = examine(found._replace(source=None, origin=""), {})
    from gpt2calc.config import Config  # loads pydantic

    given = {**(subject.source.given or {}), "n_head": subject.n_head}
    return Config(**given), subject.notes


def _settled(subject: Subject, *, asked: bool) -> Subject:
    """Settle whether a head that is stored is tied: by its storage, or by its bits where they can be read.

    A config that was inferred follows what is found. One that was given does not, and a head that it ties and that has
    other values than wte is a fault.
    """
    listing, matched, x = subject.found.listing, subject.match, subject.source.dims
    if listing is None or matched is None or subject.reading is None or not x.lm_head or matched.wte is None:
        return subject
    from gpt2calc import tying

    local = subject.found.where == LOCAL
    found = tying.examine(matched.wte, matched.head, bits=local, correlation=local and asked)
    subject = subject._replace(tying=found)
    tied = found.tied
    if matched.head is None:
        return subject
    if tied is None:
        tied = subject.reading.dialect.head_is_copied if not subject.given else bool(x.tie_word_embeddings)
        how = "tied" if tied else "untied"
        note = f"{matched.head.name} is stored beside {matched.wte.name}; {found.reason}, so it is taken as {how}"
        subject = subject._replace(notes=(*subject.notes, note))
    if not subject.given and tied != bool(x.tie_word_embeddings):
        source = sources.resolve(subject.source, {"tie_word_embeddings": tied})._replace(name=subject.source.name)
        matched = match(listing, subject.reading, source.dims, subject.n_head)
        return subject._replace(source=source, match=matched)
    if subject.given and x.tie_word_embeddings and not tied:
        message = f"the config ties it, and its values are not those of {matched.wte.name}{found.where}"
        fault = Fault(UNTIED, matched.head.name, message, "the same values", "other values")
        return subject._replace(match=matched._replace(faults=(*matched.faults, fault)))
    return subject


def _kinds(found: Found, evidence: str | None) -> tuple[str, ...]:
    """Return the kinds of evidence to collect."""
    allowed = ALLOWED[found.where]
    if found.where == LIVE and found.listing is not None and _on_meta(found.model):
        allowed = (META,)
    if evidence is None:
        return allowed[:1]
    if evidence == ALL:
        return allowed
    if evidence not in allowed:
        what = {CONFIG: "a config alone", LIVE: "a live model", REMOTE: "a repository on the hub"}[found.where]
        ways = " and ".join(allowed)
        raise ConfigError(f"{found.name} is {what}, which gives {ways} evidence, got {evidence}", got=evidence)
    return (evidence,)


def _observe(kind: str, subject: Subject) -> Observation:
    """Collect one kind of evidence."""
    x, matched, listing = subject.source.dims, subject.match, subject.found.listing
    if kind == HEADER and matched is not None:
        total = sum(matched.components.values())
        return Observation(kind, EVIDENCE[kind], total, matched.components, matched.faults, matched.more)
    from gpt2calc import oracles  # torch and transformers behind it

    if kind == META and not (subject.found.where == LIVE and _on_meta(subject.found.model)):
        return _told(kind, oracles.built(x, subject.source.name, subject.n_head), subject)
    if listing is None or matched is None or subject.reading is None:
        raise AssertionError(kind)
    if subject.found.where == LIVE:
        total = oracles.numel(subject.found.model)
        how = "the live model; sum(p.numel() for p in model.parameters())"
        if total is None:
            total, how = sum(matched.components.values()), "the tensors of the state_dict"
        return Observation(kind, how, total, matched.components, matched.faults, matched.more)
    asked = oracles.loaded(listing, subject.reading, x, subject.n_head, subject.found.folder)
    return _told(kind, asked, subject)


def _told(kind: str, asked: Asked, subject: Subject) -> Observation:
    """Hold what an oracle gave against the tensor table."""
    reading = infer(asked.listing).reading
    found = match(asked.listing, reading, subject.source.dims, subject.n_head)
    total = sum(found.components.values()) if asked.parameters is None else asked.parameters
    faults = (*found.faults, *asked.faults)
    return Observation(kind, asked.how, total, found.components, faults, found.more)


def _values(subject: Subject, progress: Callable[[int, int], None] | None) -> Any:
    """Stream the values of every parameter, by component and role."""
    listing, matched = subject.found.listing, subject.match
    if listing is None or matched is None or subject.found.where != LOCAL:
        raise ConfigError(f"values are read from a file on this machine, and {subject.found.name} is none")
    from gpt2calc import values

    return values.report(listing, matched.roles, progress)


def _checked(subject: Subject) -> Checked:
    found, reading, matched = subject.found, subject.reading, subject.match
    listing: TensorListing | None = found.listing
    known = subject.n_head if subject.known_heads else None
    if listing is None or reading is None or matched is None:
        return Checked(found.name, "config", "", "", subject.origin, subject.given, known)
    return Checked(
        found.name,
        listing.format,
        reading.dialect.name,
        reading.wrapper + reading.prefix,
        subject.origin,
        subject.given,
        known,
        matched.held,
        matched.dtypes,
        sum(file.size for file in listing.files),
    )


def _heads(given: Mapping[str, Any] | None) -> int | None:
    """Return n_head in whatever spelling it was given."""
    names = ("n_head", *SPELLINGS["n_head"])
    return next((given[name] for name in names if given.get(name)), None) if given else None


def _on_meta(model: object) -> bool:
    """Whether a live model's parameters are on torch's meta device, and so hold no values."""
    parameters = getattr(model, "parameters", None)
    first = next(iter(parameters()), None) if callable(parameters) else None
    return bool(getattr(first, "is_meta", False))
