"""From a listing to what is wrong with it: how its names are read, which config it is held against, and the findings.

One way down, with a GPT-2 and with any other family: names, config, the head's tying, one assignment, findings. It asks
no framework: that is `oracles`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from gpt2calc import architectures, sources, stored
from gpt2calc.architectures import gpt2
from gpt2calc.dialects import DIALECTS, gguf
from gpt2calc.dialects.base import Reading
from gpt2calc.dialects.huggingface import HUGGINGFACE, names_of
from gpt2calc.dialects.respellings import VALUE_HEAD, beside
from gpt2calc.dialects.table import NANOGPT
from gpt2calc.dims import Dims, to_fields
from gpt2calc.errors import ConfigError, UnreadableInputError
from gpt2calc.fields import SPELLINGS
from gpt2calc.listing import Fault
from gpt2calc.model import Model as AnyModel
from gpt2calc.validity import canonical
from gpt2calc.verification import adaptation, findings, naming, packing, targets
from gpt2calc.verification.assignment import PREDICTION, assign, exactly
from gpt2calc.verification.findings import SHAPE
from gpt2calc.verification.inference import guessed_heads, infer
from gpt2calc.verification.targets import LIVE, LOCAL

if TYPE_CHECKING:
    from collections.abc import Iterator

    from gpt2calc.dialects.base import Dialect
    from gpt2calc.listing import StoredTensor, TensorListing
    from gpt2calc.sources import Source
    from gpt2calc.stored import Stored
    from gpt2calc.verification.assignment import Assignment, Exact
    from gpt2calc.verification.families import Recognised
    from gpt2calc.verification.inference import Inferred
    from gpt2calc.verification.targets import ResolvedTarget
    from gpt2calc.verification.tying import Tying

UNTIED, CONTRADICTED = "tying", "config"
"""The faults of a head that the config ties and that is stored with other values than wte, and of a field of the config
that is not what the file says of itself."""

MOST_WRONG = 2
"""How many things may be wrong with a file that shows its family: one fault, a tensor too few and one too many. More
are a sign of a config that was missed."""

FEW_AHEAD = 8
"""In how many layers that predict further tokens a file is looked at for whether it has any."""

MANY, NEARLY = 1000, 100
"""A file of so many tensors is looked at first for whether all but one in so many are called as they should be."""

FEW_FIT = 10
"""Where one in so many tensors does not fit a GPT-2 of its own shapes, other families are tried."""

INFERRED = "inferred from the shapes"

OWN = "what the file says of itself"

TIED = {True: "tied", False: "untied"}

SHOWN_BY_SHAPES = (
    *("n_layer", "n_embd", "n_positions", "vocab_size", "n_inner"),
    *("add_cross_attention", "bias", "qkv_bias", "ln_f"),
)
"""The fields that names and shapes show, without those of heads, which names alone do not tell apart."""

SHARD = re.compile(r".*-\d{5}-of-(\d{5})\.\w+", re.DOTALL)
"""The name of a file that holds a part of a checkpoint."""

TIE = "tie_word_embeddings"

HEAD = re.compile(r"(?:.*\.)?lm_head\.weight")
"""What transformers calls a language modeling head, wherever it stands."""

TRANSFORMERS_LOAD = re.compile(r"(?:pytorch_)?model(?:[.-].+)?\.(?:bin|safetensors)", re.DOTALL)
"""The files that transformers loads from a folder: what they say of nanoGPT's config is not who they are for."""

LAID_OUT = {HUGGINGFACE: "[in, out], as transformers keeps them", NANOGPT: "[out, in], as nanoGPT keeps them"}
"""The dialects that share their names, and how each lays matrices out."""


class Subject(NamedTuple):
    """What is verified, and against which config.

    Args:
        found: what the target came to.
        source: the config.
        counted: the dims or the model that it gives.
        origin: where the config comes from.
        given: whether it was given or found, and not inferred.
        n_head: attention heads, guessed where they are not known.
        known_heads: whether they are known.
        notes: what a reader should know.
        seen: what each tensor is; None for a config alone.
        faults: what is wrong with them.
        more: how many faults were left out.
        tying: how the head is tied; None where the model has none, or its token embedding is not there.
        shapes_say: what the shapes say where the config says something else, by field.
        own_total: the parameters of the model that the shapes alone show, where nothing else is wrong.
        unknown: the sizes that no shape shows, and that were guessed.
        held: what files hold of a model of another architecture than GPT-2.
        exact: the names that it has, where nearly all of a large file's are among them.
    """

    found: ResolvedTarget
    source: Source
    counted: Dims | AnyModel
    origin: str
    given: bool
    n_head: int
    known_heads: bool
    notes: tuple[str, ...] = ()
    seen: Assignment | None = None
    faults: tuple[Fault, ...] = ()
    more: int = 0
    tying: Tying | None = None
    shapes_say: Mapping[str, Any] = {}
    own_total: int | None = None
    unknown: tuple[str, ...] = ()
    held: Stored | None = None
    exact: Exact | None = None

    @property
    def called(self) -> str:
        """What the kind of model is called."""
        return "GPT-2" if isinstance(self.counted, Dims) else self.counted.architecture.model_type


def examine(
    found: ResolvedTarget, fields: Mapping[str, Any], *, prefix: str | None = None, asked: bool = False
) -> Subject:
    """Find how the names of a target are read and the config that it is held against, and hold it against that, once.

    Law: a config that is given, or found beside a file, is believed. Without one, what the file says of itself wins
    over what its shapes show. Of names that transformers and nanoGPT share, the matrices lie as whoever the file or the
    config is for builds them.

    Raises:
        UnreadableInputError: the names fit no dialect, or several models are there.
    """
    if found.listing is None:
        if found.source is None:
            raise ConfigError(f"expected a checkpoint or a config, got {found.name}")
        source, n_head = found.source, _heads(found.source.given)
        return Subject(found, source, source.dims, found.origin, True, n_head or 1, bool(n_head))
    respelled = naming.respelled(found.listing)
    if found.source is None:
        _refuse_one_shard(respelled)
    said = found.source.quantization if found.source else None
    is_gpt2 = found.source is None or isinstance(found.source.counted, Dims)
    is_described = not is_gpt2 and _method(said) in stored.METHODS  # its scales are rows, and nothing is unpacked
    whole = _apart(respelled, said, conv1d=is_gpt2, is_packed=not is_described)
    found = found._replace(listing=whole)
    given, shown = found.source, None if found.source else _family(whole, prefix)
    if shown is not None:
        own = sources.from_document(shown.document, whole.name)
        given = sources.resolve(own, fields)._replace(name=own.name) if fields else own
    read = given.counted if given else None
    if given is not None and isinstance(read, AnyModel):
        subject, reading, listing = _of_model(found._replace(source=given), whole, read, prefix, shown)
        inferred = None
    else:
        subject, reading, listing, inferred = _of_gpt2(found, whole, fields, prefix)
    subject, wrong = _settled(subject, reading, listing, asked=asked)
    counted, source = subject.counted, subject.source
    if isinstance(counted, AnyModel) and counted is not read:
        held = _held(counted, source, listing)
        subject = subject._replace(held=held, exact=None)
        old = reading.dialect
        names = _names(counted, held, listing.format)
        alike = next(each for each in names if (each.name, each.is_live) == (old.name, old.is_live))
        reading = reading._replace(dialect=alike)  # with or without a row for a head of its own, as it now is
    as_stored = subject.held.model if subject.held and not reading.dialect.is_live else gpt2.model_of(counted)
    more_layers = 0 if isinstance(counted, Dims) else stored.said_ahead(source.given or {})
    seen = assign(listing, reading, as_stored, subject.n_head, more_layers=more_layers, exact=subject.exact)
    faults, more = findings.faults(seen)
    if subject.given and listing.fields and isinstance(counted, Dims):
        faults += tuple(_contradictions(listing, source, subject.n_head if subject.known_heads else None))
    notes = (
        *listing.notes,
        *_laid_out(inferred, reading, faults),
        *_of_other_dtypes(seen),
        *_beyond(seen),
        *_beside(seen),
    )
    subject = subject._replace(seen=seen, faults=(*faults, *wrong), more=more, notes=(*notes, *subject.notes))
    if inferred is None or not isinstance(counted, Dims):
        return subject
    subject = subject._replace(shapes_say=_differing(inferred.dims, counted))
    if subject.given and faults and subject.shapes_say and reading == inferred.reading:
        subject = subject._replace(own_total=_total_by_shapes(listing, inferred, counted))
    return subject


def _method(said: object) -> str:
    """Return the quant_method that a config says; "" where it says none."""
    method = said.get("quant_method") if isinstance(said, Mapping) else None
    return method if isinstance(method, str) else ""


def _apart(
    listing: TensorListing, said: Mapping[str, Any] | None, *, conv1d: bool, is_packed: bool = True
) -> TensorListing:
    """Return the model's own tensors: an adapter's told apart, and held against the matrices, which are unpacked."""
    adapted = adaptation.parted(listing)
    whole = packing.unpacked(adapted.listing, said, conv1d=conv1d) if is_packed else adapted.listing
    if not adapted.beside:
        return whole
    shapes = {each.name.removesuffix(".weight"): each.shape for each in whole.tensors if len(each.shape) == 2}
    faults = (*whole.faults, *adapted.faults(shapes.get))
    names = {each.name: each for each in whole.tensors}
    faults += tuple(
        Fault(adaptation.PAIR, tensor.name, f"it is a copy of no {name} of this shape", "", str(list(tensor.shape)))
        for name, tensor in adapted.saved
        if name not in names or names[name].shape != tensor.shape
    )
    elements = sum(tensor.numel for tensor, _ in adapted.beside)
    ranks = f"LoRA of rank {', '.join(map(str, adapted.ranks))}" if adapted.pairs else "an adapter"
    words = f"{ranks} beside {len(adapted.pairs):,} of them, {elements:,} numbers more"
    return whole._replace(faults=faults, beside=(*whole.beside, *adapted.beside), adapted=words)


def _of_gpt2(
    found: ResolvedTarget, listing: TensorListing, fields: Mapping[str, Any], prefix: str | None
) -> tuple[Subject, Reading, TensorListing, Inferred]:
    """Find how a GPT-2's names are read, and its config: that which is given, or what its shapes show."""
    names = naming.find(listing, DIALECTS, "a GPT-2", prefix=prefix)
    if names is None:
        raise naming.unknown(listing, DIALECTS, "a GPT-2")
    source, given = found.source, found.source is not None
    is_whole = found.source is not None and not found.source.is_part
    if not is_whole or prefix is not None:  # nobody says that the file is a GPT-2 as a whole
        listing = naming.parted(listing, names.alike[0], names.others)
    else:
        listing = naming.within(listing, names.alike[0])
    inferred = infer(listing, names)
    reading = _as_built(inferred.reading, listing, source)
    if source is None:
        source = targets.merged(listing.fields, inferred.fields, fields, listing.name)
    folded = reading.dialect.folded
    if folded and source.dims.tie_word_embeddings:  # ln_f is folded into the head, so that it is no longer wte
        source = sources.resolve(source, {"tie_word_embeddings": False})._replace(name=source.name, notes=source.notes)
    n_head = _heads(source.given if given else {**listing.fields, **fields})
    known = bool(n_head) or inferred.known_heads
    heads = n_head or (inferred.fields["n_head"] if inferred.known_heads else guessed_heads(source.dims.n_embd))
    origin = found.origin or (OWN if listing.fields else INFERRED)
    notes: tuple[str, ...] = ()
    if not given and not known:
        notes = (f"no shape shows n_head: it is unknown, and {heads} is a guess, n_embd / 64 where that is whole",)
    return Subject(found, source, source.dims, origin, given, heads, known, notes), reading, listing, inferred


def _refuse_one_shard(listing: TensorListing) -> None:
    """Raise where a file by its name holds a part of a checkpoint, and no config says what the whole is."""
    name = os.path.basename(listing.files[0].path) if len(listing.files) == 1 else ""
    part = SHARD.fullmatch(name)
    if part and int(part[1]) > 1:
        problem = f"it is one of {int(part[1]):,} shards, whose shapes show no whole model"
        raise UnreadableInputError(listing.name, f"{problem}: name the folder, or the index, of all of them")


def _family(listing: TensorListing, prefix: str | None) -> Recognised | None:
    """Find of which family a checkpoint without a config is; None for a GPT-2, whose names others give, too.

    Raises:
        UnreadableInputError: its shapes are no model's that is counted, but for a thing or two that are wrong.
    """
    problem = None
    try:
        names = naming.find(listing, DIALECTS, "a GPT-2", prefix=prefix)
    except UnreadableInputError as error:
        if prefix is None:
            raise
        names, problem = None, error
    if names is not None and _is_mostly_gpt2(listing, names, prefix):
        return None
    from gpt2calc.verification import families  # every architecture is loaded, which a GPT-2 does without

    try:
        found = families.recognise(listing, prefix)
    except UnreadableInputError as error:  # no family stands there; nor does a GPT-2, which may stand elsewhere
        raise (problem if problem is not None and _is_gpt2(listing) else error) from None
    if found is not None and found.wrong <= MOST_WRONG and (names is None or not found.wrong):
        return found
    if names is not None:
        return None
    if problem is not None and found is None:
        raise problem
    if found is None:
        raise naming.unknown(listing, DIALECTS, "a GPT-2")
    near = ", ".join((found.document["model_type"], *found.alike))
    said = f"{found.fits:,} tensors fit the nearest, {near}, and {found.wrong:,} things would be wrong"
    raise UnreadableInputError(
        listing.name, f"its shapes show no model that is counted: {said}; --config says what it is"
    )


def _is_mostly_gpt2(listing: TensorListing, names: naming.Names, prefix: str | None) -> bool:
    """Whether what stands behind one prefix is a GPT-2, but for few of its tensors.

    Raises:
        UnreadableInputError: a model of another family stands beside it, and nobody says which is meant.
    """
    if names.alike[0].dialect.model_type != architectures.GPT2:
        return False
    part = naming.parted(listing, names.alike[0], names.others)
    embeds = any(_stored(each, part, each.dialect.embedding) for each in names.alike)
    if not embeds or FEW_FIT * infer(part, names).fits < (FEW_FIT - 1) * len(part.tensors):
        return False
    if part.aside and prefix is None:
        from gpt2calc.verification import families  # every architecture is loaded, which a lone GPT-2 does without

        families.refuse_another(part, "GPT-2", names.alike[0])
    return True


def _is_gpt2(listing: TensorListing) -> bool:
    """Whether a GPT-2, or more than one, stands anywhere in a checkpoint."""
    try:
        return naming.find(listing, DIALECTS, "a GPT-2") is not None
    except UnreadableInputError:
        return True


def _of_model(
    found: ResolvedTarget, listing: TensorListing, model: AnyModel, prefix: str | None, shown: Recognised | None
) -> tuple[Subject, Reading, TensorListing]:
    """Find how the names of a model of another architecture are read; of a composite, what is its language model's."""
    source = found.source or sources.GPT2
    model_type, held = model.architecture.model_type, _held(model, source, listing)
    if found.where == LIVE and _method(source.quantization) in stored.METHODS:
        problem = "its config says quantization_config, and of a live module its tensors are not verified so"
        raise UnreadableInputError(listing.name, problem)
    dialects = _names(model, held, listing.format)
    exact = _exact(dialects[0], held.model, listing) if prefix is None and len(listing.tensors) >= MANY else None
    if exact is not None:
        names: naming.Names | None = naming.Names((exact.reading,))
    else:
        names = naming.find(listing, dialects, model_type, tensors=held.model.size(), prefix=prefix)
    if names is None:
        raise naming.unknown(listing, dialects, model_type)
    reading, is_part = names.alike[0], "text_config" in (source.given or {})
    if is_part:
        reading = naming.with_heads(reading, listing)
    if is_part or prefix is not None or shown is not None:
        listing = naming.parted(listing, reading, names.others, is_part=is_part)
    else:
        listing = naming.within(listing, reading)
    notes: tuple[str, ...] = ()
    if is_part and model.lm_head and not _is_settled(source.given or {}):
        # Whether the head is tied the composite's own class says, and each by rules of its own.
        embedding, head = (_stored(reading, listing, of) for of in (reading.dialect.embedding, reading.dialect.head))
        is_shared = head is not None and embedding is not None and head.memory == embedding.memory is not None
        model = model.replace(tie_word_embeddings=int(head is None or is_shared))
        how = "no head is stored" if head is None else "a head is stored"
        notes = (f"{how}, and is taken as {TIED[bool(head is None or is_shared)]}",)
    if shown is not None and (beside := [each.name for each in listing.aside if HEAD.fullmatch(each.name)]):
        notes += (f"{beside[0]} stands outside, and may be the model's own head: a config.json would say",)
    if shown is not None and shown.alike:
        notes += (f"{', '.join(shown.alike)} fit as well, and no tensor tells them from {model_type}",)
    if shown is not None and shown.unknown:
        guesses = ", ".join(f"{name} {value:,}" for name, value in shown.unknown.items())
        notes += (f"no shape shows {', '.join(shown.unknown)}: they are unknown, and {guesses} are guesses that fit",)
    unknown = tuple(shown.unknown) if shown else ()
    heads = 0 if "num_attention_heads" in unknown else model.sizes.get("num_attention_heads") or 0
    origin, given = (found.origin, True) if shown is None else (INFERRED, False)
    subject = Subject(found, source, model, origin, given, heads, bool(heads), notes, unknown=unknown)
    subject = subject._replace(held=held, exact=exact)
    return subject, reading, listing


def _is_settled(document: Mapping[str, Any]) -> bool:
    """Whether a composite with a language modeling head says, and its text_config too, that this is tied or is not."""
    own = document.get("text_config", {}).get(TIE)
    named = document.get("architectures")
    first = named[0] if isinstance(named, list) and named else None
    has_head = isinstance(first, str) and first.endswith(("ForConditionalGeneration", "ForCausalLM"))
    return has_head and own is not None and document.get(TIE) == own


def _held(model: AnyModel, source: Source, listing: TensorListing) -> Stored:
    """Return what files hold of a model; of layers that predict further tokens all that the config says, or none.

    No config says for sure that they are there: transformers writes a config that says them, and files without.
    """
    document, further = dict(source.given or {}), model.architecture.ahead
    if _method(source.quantization) not in stored.METHODS:  # it was unpacked
        text = document.get("text_config")
        document = {name: value for name, value in document.items() if name != "quantization_config"}
        if isinstance(text, Mapping):
            document["text_config"] = {name: value for name, value in text.items() if name != "quantization_config"}
    if further is None:
        return stored.of(model, document, ahead=0)
    said = model.sizes[further.number] if further.number else 1
    first = 0 if further.prefix else sum(run.length for run in model.stacks[0].runs)
    stem = (further.prefix or model.stacks[0].prefix).rpartition(".")[2]
    places = [f"{stem}.{first + n}." for n in range(min(said, FEW_AHEAD))]
    if further.prefix:
        places = [f"{further.prefix.partition('.')[0]}."]
    else:  # by what the model's own layers do not have: another stack beside it may have as many layers
        own = {row.template.removeprefix("{layer}.").partition(".")[0] for row in further.tensors(model)}
        places = [f"{place}{name}." for place in places for name in own]
    is_there = any(place in tensor.name for tensor in listing.tensors for place in places)
    return stored.of(model, document, ahead=said if is_there else 0)


def _exact(dialect: Dialect, model: AnyModel, listing: TensorListing) -> Exact | None:
    """Return the names of a model as files have them without a prefix, where nearly all of a listing are among them."""
    exact = exactly(Reading(dialect, "", dialect.prefix), model, 0, len(listing.tensors))
    strange = [tensor.name for tensor in listing.tensors if tensor.name not in exact.places]
    embeddings = tuple(piece.template for piece in dialect.embeddings)
    is_other = len(strange) * NEARLY > len(listing.tensors) or any(name.endswith(embeddings) for name in strange)
    return None if is_other else exact


def _names(model: AnyModel, held: Stored, form: str) -> tuple[Dialect, ...]:
    """Return the names that files have for a model, those of a live module, and of a GGUF where it is one."""
    of_gguf = gguf.names_of(model) if form == "gguf" else None
    return (names_of(held.model)[0], *names_of(model)[1:], *filter(None, (of_gguf,)))


def _stored(reading: Reading, listing: TensorListing, component: str) -> StoredTensor | None:
    """Return the first stored tensor of a component, by its name alone."""
    names = {reading.named(piece) for piece in reading.dialect.pieces if piece.component == component}
    return next((tensor for tensor in listing.tensors if tensor.name in names), None)


def _settled(
    subject: Subject, reading: Reading, listing: TensorListing, *, asked: bool
) -> tuple[Subject, tuple[Fault, ...]]:
    """Settle whether a head that is stored is tied: by its storage, or by its bits where they can be read.

    A config that was inferred follows what is found. One that was given does not, and a head that it ties and that has
    other values than the token embedding is a fault.
    """
    model, dialect = gpt2.model_of(subject.counted), reading.dialect
    wte, head = (_stored(reading, listing, each) for each in (dialect.embedding, dialect.head))
    is_tied = bool(model.lm_head and model.tie_word_embeddings)
    if not model.lm_head or wte is None or dialect.folded or (subject.given and not is_tied and not asked):
        return subject, ()
    from gpt2calc.verification import tying  # only a file that has a head, or could have one, needs it

    local = subject.found.where == LOCAL
    found = tying.examine(wte, head, bits=local, asked=local and asked)
    subject = subject._replace(tying=found)
    if head is None:
        return subject, ()
    tied = found.tied
    if tied is None:
        tied = is_tied if subject.given else dialect.head_is_copied
        note = f"{head.name} is stored beside {wte.name}, and {found.reason}: it is taken as {TIED[tied]}"
        subject = subject._replace(notes=(*subject.notes, note))
    if not subject.given and tied != is_tied:
        own = subject.source
        source = sources.resolve(own, {"tie_word_embeddings": tied})._replace(name=own.name, notes=own.notes)
        subject = subject._replace(source=source, counted=source.counted)
    if subject.given and is_tied and not tied:
        message = f"the config ties it, and its values are not those of {wte.name}: {found.reason}"
        return subject, (Fault(UNTIED, head.name, message, "the same values", "other values"),)
    return subject, ()


def _total_by_shapes(listing: TensorListing, inferred: Inferred, dims: Dims) -> int | None:
    """Return what the model that the shapes show comes to, tied as the config ties it; None where more is wrong."""
    own = inferred.dims
    if own.lm_head and dims.lm_head:
        own = own._replace(tie_word_embeddings=dims.tie_word_embeddings)
    found = assign(listing, inferred.reading, gpt2.model(own), inferred.fields["n_head"])
    return None if findings.faults(found)[0] else sum(found.components.values())


def _laid_out(inferred: Inferred | None, reading: Reading, faults: tuple[Fault, ...]) -> Iterator[str]:
    """Yield a note where matrices lie as others keep them than whoever the file is for."""
    if inferred and reading != inferred.reading and any(fault.kind == SHAPE for fault in faults):
        yield f"its matrices lie {LAID_OUT[inferred.reading.dialect]}; what it is for keeps them turned"


def _beyond(seen: Assignment) -> Iterator[str]:
    """Yield what tensors are that are no parameter of the model, and that the config speaks of."""
    beyond = [tensor for tensor, extra in seen.extras if extra.what == PREDICTION]
    if beyond:
        elements = sum(tensor.numel for tensor in beyond)
        said = f"{len(beyond):,} tensors of {elements:,} elements are of layers that transformers does not build"
        yield f"{said}, and that no row describes: they were not held against anything"
    if seen.plain:
        names = ", ".join(dict.fromkeys(row.component for row in seen.plain))
        yield f"{names}: plain in all layers; which modules of quantized files are no config says"


def _beside(seen: Assignment) -> Iterator[str]:
    """Yield a note on rows that only pad the vocabulary, and on a value head: no count of the model has them."""
    names = seen.own if seen.reading.dialect.pads_vocabulary else ()
    padded = next((name for name in names if seen.padded_elements(name)), None)
    if padded is not None:
        rows = seen.padded_rows(seen.expected[padded], seen.own[padded].shape)
        elements = sum(tensor.numel for tensor in seen.own.values())
        yield f"{rows:,} rows of {padded} only pad the vocabulary: with padding it is {elements:,} elements"
    if folded := [row for row in seen.model.components() if row.name in seen.reading.dialect.folded]:
        norms = sum(seen.model.count(row.layers) * row.times * (row.weights + row.biases) for row in folded)
        yield f"LayerNorm is folded into the matrices that follow it, and its {norms:,} parameters are in no count"
    heads = [
        tensor.numel for tensor in (*seen.listing.tensors, *seen.listing.aside) if beside(tensor.name) == VALUE_HEAD
    ]
    if heads:
        yield f"a value head of {sum(heads):,} stands beside the model, and is in none of its counts"


def _of_other_dtypes(seen: Assignment) -> Iterator[str]:
    """Yield a note on each dtype beside the usual one, with the components that have it; GGUF mixes them always."""
    dtypes = seen.dtypes
    if len(dtypes) < 2 or seen.listing.format == "gguf" or seen.listing.packed or seen.is_quantized:
        return
    usual = max(dtypes, key=lambda dtype: dtypes[dtype])
    found: dict[str, dict[str, None]] = {}
    for name, (component, _) in seen.roles.items():
        if seen.own[name].dtype != usual:
            found.setdefault(seen.own[name].dtype, {})[component] = None
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
    if listing.packed and listing.packed.stays:
        maker = NANOGPT.name  # MLX packs layers that keep [out, in], whoever's the config is
    dialect = next((each for each in LAID_OUT if each.name == maker), None)
    return reading._replace(dialect=dialect) if dialect and reading.dialect in LAID_OUT else reading


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
