"""Verifying: the listing, the config, and each kind of evidence that is asked for, brought to one `Verification`."""

from __future__ import annotations

import os
import re
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import formulas, sources
from gpt2calc.dialects.base import unwrapped
from gpt2calc.dialects.huggingface import HUGGINGFACE
from gpt2calc.dialects.nanogpt import NANOGPT
from gpt2calc.dims import Dims, to_fields
from gpt2calc.errors import ConfigError, UnreadableInputError, shown
from gpt2calc.fields import SPELLINGS
from gpt2calc.listing import Fault
from gpt2calc.validity import canonical
from gpt2calc.verification import targets
from gpt2calc.verification.consistency import SHAPE
from gpt2calc.verification.inference import guessed_heads, infer
from gpt2calc.verification.matching import match
from gpt2calc.verification.report import EVIDENCE, HEADER, META, WEIGHTS, Checked, Observation, Verification
from gpt2calc.verification.targets import CONFIG, LIVE, LOCAL, REMOTE

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from gpt2calc.config import Config
    from gpt2calc.dialects.base import Reading
    from gpt2calc.listing import StoredTensor, TensorListing
    from gpt2calc.sources import LeftOut, Model, Source
    from gpt2calc.verification.inference import Inferred
    from gpt2calc.verification.matching import Match
    from gpt2calc.verification.oracles import Asked
    from gpt2calc.verification.targets import ResolvedTarget, Target
    from gpt2calc.verification.tying import Tying

ALL = "all"
ALLOWED = {
    CONFIG: (META,),
    LIVE: (WEIGHTS, META),
    LOCAL: (HEADER, META, WEIGHTS),
    REMOTE: (HEADER, META),
}
"""The evidence that can be had of a target, by where it lies; the first is what is taken when none is asked for."""

UNTIED, CONTRADICTED = "tying", "config"
"""The faults of a head that the config ties and that is stored with other values than wte, and of a field of the config
that is not what the file says of itself."""

INFERRED = "inferred from the shapes"
OWN = "what the file says of itself"
TIED = {True: "tied", False: "untied"}


SHOWN_BY_SHAPES = (
    *("n_layer", "n_embd", "n_positions", "vocab_size", "n_inner"),
    *("add_cross_attention", "bias", "qkv_bias", "ln_f"),
)
"""The fields that names and shapes show, without those of heads, which names alone do not tell apart."""

TRANSFORMERS_LOAD = re.compile(r"(?:pytorch_)?model(?:[.-].+)?\.(?:bin|safetensors)", re.DOTALL)
"""The files that transformers loads from a folder: what they say of nanoGPT's config is not who they are for."""

LAID_OUT = {HUGGINGFACE: "[in, out], as transformers keeps them", NANOGPT: "[out, in], as nanoGPT keeps them"}
"""The dialects that share their names, and how each lays matrices out."""


class Seen(NamedTuple):
    """What was seen of a checkpoint.

    Args:
        listing: what it holds.
        reading: how its names are read.
        match: the listing beside the tensor table.
        tying: how its head is tied; None where the model has none, or wte is not there.
        shapes_say: what its shapes say where the config says something else, by field.
        own_total: the parameters of the model that its shapes alone show, where nothing else is wrong.
    """

    listing: TensorListing
    reading: Reading
    match: Match
    tying: Tying | None = None
    shapes_say: Mapping[str, Any] = {}
    own_total: int | None = None


class Subject(NamedTuple):
    """What is verified, and against which config.

    Args:
        found: what the target came to.
        source: the config.
        origin: where the config comes from.
        given: whether it was given or found, and not inferred.
        n_head: attention heads, guessed where they are not known.
        known_heads: whether they are known.
        notes: what a reader should know.
        seen: what was seen of the checkpoint; None for a config alone.
    """

    found: ResolvedTarget
    source: Source
    origin: str
    given: bool
    n_head: int
    known_heads: bool
    notes: tuple[str, ...] = ()
    seen: Seen | None = None


def verify(
    target: Target,
    config: Model | LeftOut,
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
    found = targets.find(target, config, fields, hub=hub, revision=revision)
    if found.source is not None and not isinstance(found.source.counted, Dims):
        from gpt2calc.verification import others

        return others.verify(found, found.source, found.source.counted, evidence=evidence, tying=tying, values=values)
    subject = examine(found, fields, tying=tying)
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
        tying=subject.seen.tying if tying and subject.seen else None,
        values=statistics,
        notes=tuple(dict.fromkeys(notes)),
    )


def examine(found: ResolvedTarget, fields: Mapping[str, Any], *, tying: bool = False) -> Subject:
    """Find how the names of a target are read, the config that it is held against, and how its head is tied.

    Law: a config that is given, or found beside a file, is believed. Without one, what the file says of itself wins
    over what its shapes show. Of names that transformers and nanoGPT share, the matrices lie as whoever the file or the
    config is for builds them.

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
    wrapper = inferred.reading.wrapper
    if source is None and unwrapped(wrapper):  # nobody says that the file is a GPT-2 as a whole
        inside = tuple(tensor for tensor in listing.tensors if tensor.name.startswith(wrapper))
        outside = tuple(tensor for tensor in listing.tensors if not tensor.name.startswith(wrapper))
        listing = listing._replace(tensors=inside, aside=outside)
    reading = _as_built(inferred.reading, listing, source)
    given = source is not None
    if source is None:
        source = targets.merged(listing.fields, inferred.fields, fields, listing.name)
    n_head = _heads(source.given if given else {**listing.fields, **fields})
    known = bool(n_head) or inferred.known_heads
    heads = n_head or (inferred.fields["n_head"] if inferred.known_heads else guessed_heads(source.dims.n_embd))
    origin = found.origin or (OWN if listing.fields else INFERRED)
    matched = match(listing, reading, source.dims, heads)
    if given and listing.fields:
        matched = matched._replace(faults=(*matched.faults, *_contradictions(listing, source, n_head)))
    seen = Seen(listing, reading, matched, shapes_say=_differing(inferred.dims, source.dims))
    if given and matched.faults and seen.shapes_say and reading == inferred.reading:
        seen = seen._replace(own_total=_total_by_shapes(listing, inferred, source.dims))
    notes = listing.notes
    if reading != inferred.reading and any(fault.kind == SHAPE for fault in matched.faults):
        notes += (f"its matrices lie {LAID_OUT[inferred.reading.dialect]}; what it is for keeps them turned",)
    notes += tuple(_of_other_dtypes(listing, matched))
    if not given and not known:
        notes += (f"no shape shows n_head: it is unknown, and {heads} is a guess, n_embd / 64 where that is whole",)
    return _settled(Subject(found, source, origin, given, heads, known, notes), seen, asked=tying)


def infer_config(target: Target, *, hub: bool = False, revision: str | None = None) -> tuple[Config, tuple[str, ...]]:
    """Infer a config; `api.infer` says what each argument is.

    Returns:
        The config, with n_head, and what a reader should know.
    """
    found = targets.find(target, sources.LEFT_OUT, {}, hub=hub, revision=revision)
    if found.listing is None:
        hint = "".join(f" ({note})" for note in found.source.notes[-1:]) if found.source else ""
        raise ConfigError(f"{found.name} is a config alone, and there is nothing to infer it from{hint}")
    subject = examine(found._replace(source=None, origin=""), {})
    from gpt2calc.config import Config  # loads pydantic

    given = {**(subject.source.given or {}), "n_head": subject.n_head}
    return Config(**given), subject.notes


def _settled(subject: Subject, seen: Seen, *, asked: bool) -> Subject:
    """Settle whether a head that is stored is tied: by its storage, or by its bits where they can be read.

    A config that was inferred follows what is found. One that was given does not, and a head that it ties and that has
    other values than wte is a fault.
    """
    dims, (wte, head) = subject.source.dims, (seen.match.wte, seen.match.head)
    if not dims.lm_head or wte is None:
        return subject._replace(seen=seen)
    from gpt2calc.verification import tying  # only a file that has a head, or could have one, needs it

    local = subject.found.where == LOCAL
    found = tying.examine(wte, head, bits=local, asked=local and asked)
    seen = seen._replace(tying=found)
    if head is None:
        return subject._replace(seen=seen)
    tied = found.tied
    if tied is None:
        tied = bool(dims.tie_word_embeddings) if subject.given else seen.reading.dialect.head_is_copied
        note = f"{head.name} is stored beside {wte.name}, and {found.reason}: it is taken as {TIED[tied]}"
        subject = subject._replace(notes=(*subject.notes, note))
    if not subject.given and tied != bool(dims.tie_word_embeddings):
        own = subject.source
        source = sources.resolve(own, {"tie_word_embeddings": tied})._replace(name=own.name, notes=own.notes)
        subject = subject._replace(source=source)
        seen = seen._replace(match=match(seen.listing, seen.reading, source.dims, subject.n_head))
    if subject.given and dims.tie_word_embeddings and not tied:
        message = f"the config ties it, and its values are not those of {wte.name}: {found.reason}"
        fault = Fault(UNTIED, head.name, message, "the same values", "other values")
        seen = seen._replace(match=seen.match._replace(faults=(*seen.match.faults, fault)))
    return subject._replace(seen=seen)


def _total_by_shapes(listing: TensorListing, inferred: Inferred, dims: Dims) -> int | None:
    """Return what the model that the shapes show comes to, tied as the config ties it; None where more is wrong."""
    own = inferred.dims
    if own.lm_head and dims.lm_head:
        own = own._replace(tie_word_embeddings=dims.tie_word_embeddings)
    found = match(listing, inferred.reading, own, inferred.fields["n_head"])
    return None if found.faults else sum(found.components.values())


def _of_other_dtypes(listing: TensorListing, matched: Match) -> Iterator[str]:
    """Yield a note on each dtype beside the usual one, with the components that have it; GGUF mixes them always."""
    if len(matched.dtypes) < 2 or listing.format == "gguf":
        return
    usual = max(matched.dtypes, key=lambda dtype: matched.dtypes[dtype])
    stored = {tensor.name: tensor.dtype for tensor in listing.tensors}
    found: dict[str, dict[str, None]] = {}
    for name, (component, _) in matched.roles.items():
        if stored[name] != usual:
            found.setdefault(stored[name], {})[component] = None
    for dtype, components in found.items():
        yield f"{dtype} in {', '.join(components)}, where most tensors are {usual}"


def _as_built(reading: Reading, listing: TensorListing, source: Source | None) -> Reading:
    """Return how names that transformers and nanoGPT share are read by whoever would have to load the file."""
    # Beside such names, only nanoGPT's checkpoint says something of its config: its model_args.
    maker = NANOGPT.name if listing.fields else source.maker if source else ""
    if (
        source
        and source.maker
        and any(TRANSFORMERS_LOAD.fullmatch(os.path.basename(each.path)) for each in listing.files)
    ):
        maker = source.maker
    dialect = next((each for each in LAID_OUT if each.name == maker), None)
    return reading._replace(dialect=dialect) if dialect and reading.dialect in LAID_OUT else reading


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
    seen, found, dims = subject.seen, subject.found, subject.source.dims
    if kind == HEADER and seen is not None:
        return _seen(kind, EVIDENCE[kind], seen)
    from gpt2calc.verification import oracles  # torch and transformers stand behind it

    if seen is not None and found.where == LIVE and (kind == WEIGHTS or found.on_meta):
        total = oracles.numel(found.model)
        how = "the tensors of the state_dict" if total is None else "the model itself, sum(p.numel()) of its parameters"
        return _seen(kind, how, seen, total)
    if kind == WEIGHTS and seen is not None:
        # transformers makes in memory what a config asks for, also where no file holds it
        is_held = formulas.total(dims) <= 2 * sum(seen.match.components.values())
        folder = found.folder if is_held else None
        asked = oracles.loaded(seen.listing, seen.reading, dims, subject.n_head, folder)
    else:
        asked = oracles.built(dims, subject.source.name, subject.n_head, alone=seen is None)
    return _told(kind, asked, subject)


def _seen(kind: str, how: str, seen: Seen, total: int | None = None) -> Observation:
    """Return what a listing shows; the sum over its components, unless a module says what it has."""
    found = seen.match
    total = sum(found.components.values()) if total is None else total
    return Observation(kind, how, total, found.components, found.faults, found.more)


def _told(kind: str, asked: Asked, subject: Subject) -> Observation:
    """Hold what an oracle gave against the tensor table."""
    reading = infer(asked.listing).reading
    found = match(asked.listing, reading, subject.source.dims, subject.n_head)
    total = sum(found.components.values()) if asked.parameters is None else asked.parameters
    faults = (*found.faults, *asked.faults)
    return Observation(kind, asked.how, total, found.components, faults, found.more)


def _values(subject: Subject, progress: Callable[[int, int], None] | None) -> Any:
    """Stream the values of every parameter, by component and role."""
    if subject.seen is None or subject.found.where != LOCAL:
        raise ConfigError(f"values are read from a file on this machine, and {subject.found.name} is none")
    from gpt2calc.verification import values

    return values.report(subject.seen.listing, subject.seen.match.roles, progress)


def _checked(subject: Subject) -> Checked:
    found, seen = subject.found, subject.seen
    known = subject.n_head if subject.known_heads else None
    if seen is None:
        return Checked(found.name, "config", "", "", subject.origin, subject.given, known)
    wrapper = seen.reading.wrapper
    return Checked(
        found.name,
        seen.listing.format,
        seen.reading.dialect.name,
        seen.reading.wrapper + seen.reading.prefix,
        subject.origin,
        subject.given,
        known,
        seen.match.holdings,
        seen.match.dtypes,
        sum(file.size for file in seen.listing.files),
        seen.shapes_say,
        seen.own_total,
        ", ".join(filter(None, (seen.reading.dialect.whose, wrapper and _where(wrapper, seen.listing.aside)))),
    )


def _where(wrapper: str, aside: tuple[StoredTensor, ...]) -> str:
    """Say behind which prefix the names are, and what else there is, which is no part of the verdict."""
    if not aside:
        return f"behind the prefix {wrapper}"
    return f"a GPT-2 found behind the prefix {wrapper}, {len(aside):,} other tensors left aside"


def _differing(inferred: Dims, dims: Dims) -> dict[str, Any]:
    """Return what the shapes say where a config says something else; the names alone do not tell all heads apart."""
    fields, own = to_fields(inferred), to_fields(dims)
    said = {name: fields[name] for name in SHOWN_BY_SHAPES if fields[name] != own[name]}
    if inferred.n_inner == 4 * inferred.n_embd and dims.n_inner == 4 * dims.n_embd:
        said.pop("n_inner", None)  # it follows n_embd in both
    return said


def _contradictions(listing: TensorListing, source: Source, n_head: int | None) -> Iterator[Fault]:
    """Yield each size that a file says of itself and that the config says otherwise."""
    config: dict[str, Any] = {**to_fields(source.dims), "n_head": n_head}
    for field, said in canonical(listing.fields).items():
        if type(said) is int and config.get(field) not in (None, said):
            message = f"the file says {said:,} of itself, and the config says {config[field]:,}"
            yield Fault(CONTRADICTED, field, message, f"{config[field]:,}", f"{said:,}")


def _heads(given: Mapping[str, Any] | None) -> int | None:
    """Return n_head in whatever spelling it was given."""
    names = ("n_head", *SPELLINGS["n_head"])
    return next((given[name] for name in names if given.get(name)), None) if given else None
