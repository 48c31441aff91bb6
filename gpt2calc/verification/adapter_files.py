"""An adapter alone in a file: which it is, what it trains beside its base model, and whether each part of it fits that.

Law: it is held against what PEFT's own config asks for, `adapter_config.json`, counted as `adapters` counts it. Where
that config is missing, or chooses modules by patterns, each pair is held against the matrix that it names.
"""

from __future__ import annotations

import os
import re
import warnings
from itertools import pairwise
from math import comb
from typing import TYPE_CHECKING, Any

from gpt2calc import adapters, presets, sources
from gpt2calc.architectures import gpt2
from gpt2calc.errors import ConfigError, UnreadableInputError, shortened, shown
from gpt2calc.listing import FLOATS, Fault
from gpt2calc.verification import adaptation, holdings
from gpt2calc.verification.adaptation import PAIR
from gpt2calc.verification.holdings import Holding
from gpt2calc.verification.report import EVIDENCE, HEADER, Checked, Observation, Verification
from gpt2calc.verification.targets import ADAPTER_CONFIG as CONFIG

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from gpt2calc.adapters import AdapterCount
    from gpt2calc.dims import Dims
    from gpt2calc.listing import StoredTensor, TensorListing
    from gpt2calc.model import Model
    from gpt2calc.sources import Source
    from gpt2calc.table import Cell, Table
    from gpt2calc.verification.adaptation import Adapted
    from gpt2calc.verification.targets import ResolvedTarget

LORA, PROMPT_TUNING = "LORA", "PROMPT_TUNING"

PREFIX = re.compile(r"base_model\.(?:model\.)?")
"""What PEFT puts before all names of a file."""

PATTERNS = ("rank_pattern", "layers_to_transform", "layers_pattern", "exclude_modules", "target_parameters")
"""What PEFT's config says where modules are not all alike: each pair is then held against its own matrix alone."""

MOST_STEPS = 10**9
"""How many steps matching a pattern may take at worst; one that could take more is not matched, and a note says so."""

MOST_CHOICES = 30
"""How many quantifiers, and how many choices, a pattern may have that is matched at all."""

NUMBERED = re.compile(r".*\.[^.]*\.([0-9]{1,9})\.", re.DOTALL)
"""Where PEFT reads the number of a layer in the name of a module, unless `layers_pattern` says where."""

ONE_CHARACTER = re.compile(r"\\.|\[\^?\]?(?:\\.|[^\]\\])*\]", re.DOTALL)
"""What stands for one character in a pattern: an escape, or a class."""

WORDS = re.compile(r"\((?:\?:)?(\w+(?:\|\w+)*)\)")
"""A group in a pattern of words alone, of which one is there."""

QUANTIFIER = re.compile(r"(?<!\()(?:[*+?]|\{[\d,]*\})[?+]?")
"""What says in a pattern how often something is there; a "?" behind it is part of it, and one behind "(" is none."""


class AdapterVerification(Verification):
    """The result of verifying an adapter alone: its numbers are those that it trains, by the component adapted.

    Args:
        counted: the base model.
        checked: what was verified, and against what.
        observation: what the header shows.
        found: what the adapter's config asks for, or what its pairs come to.
        says: which adapter it is, in words.
        tensors: how many tensors it has.
        notes: what a reader should know.
    """

    __slots__ = ("found", "says", "tensors")

    def __init__(  # noqa: PLR0917  # what it is made of
        self,
        counted: Dims | Model,
        checked: Checked,
        observation: Observation,
        found: AdapterCount,
        says: str,
        tensors: int,
        notes: tuple[str, ...],
    ) -> None:
        super().__init__(counted, checked, (observation,), notes=notes)
        self.found, self.says, self.tensors = found, says, tensors

    @property
    def size(self) -> int:
        """How many tensors the adapter has."""
        return self.tensors

    @property
    def expected(self) -> dict[str, int]:
        """What the law of each row comes to, in parameters."""
        return _by_where(self.found)

    @property
    def total(self) -> int:
        """The parameters that are trained."""
        return self.found.trainable

    @property
    def verdict(self) -> str:
        """The verdict in one line: which adapter it is, for which model, and what is wrong."""
        named = f"{self.says} for {self.found.name}"
        if self.matches:
            return f"{self.checked.target} matches: {named}, {self.found.line}"
        wrong = len(self.faults)
        names = list(dict.fromkeys(fault.tensor for fault in self.faults))
        more = f" and {len(names) - 3:,} more" if len(names) > 3 else ""
        what = f"{wrong:,} thing{'s are' if wrong != 1 else ' is'} wrong: {', '.join(map(shortened, names[:3]))}{more}"
        return f"{self.checked.target} does not match: {named}, {what if wrong else 'the counts differ'}"

    def to_dict(self) -> dict[str, Any]:
        """Return everything as JSON takes it, with the adapter under a key of its own."""
        told = {name: value for name, value in self.found.to_dict().items() if name not in {"schema", "notes"}}
        return {**super().to_dict(), "adapter": told}

    def _summary(self) -> Table:
        table = super()._summary()
        rows: list[tuple[Cell, ...]] = [("adapter", f"{self.says}: {self.found.line}")]
        rows += [("base model", f"{self.found.name}, {self.found.base:,} parameters")]
        kept = (row for row in table.rows if row is not None and row[0] in {"format", "dtype", "evidence"})
        return table._replace(rows=(*rows, *kept))


def _by_where(found: AdapterCount) -> dict[str, int]:
    """Return what is trained, by where it sits."""
    sums: dict[str, int] = {}
    for row in found.rows:
        sums[row.where] = sums.get(row.where, 0) + row.trained
    return sums


def verify(found: ResolvedTarget, evidence: str | None, *, asked: str) -> AdapterVerification:
    """Verify an adapter that is alone in a file.

    Args:
        found: the target; its source is the base model, where that is named or lies beside.
        evidence: the kind that is asked for.
        asked: what else is asked for that an adapter does not have, such as values; "" for nothing.

    Raises:
        ConfigError: something is asked for that is not had of an adapter.
        UnreadableInputError: its base model is not known, or it is of a type that is not read.
    """
    listing, says = found.listing, found.adapter or {}
    if listing is None:
        raise ConfigError(f"{found.name} is no adapter")
    if evidence not in (None, HEADER) or asked:
        raise ConfigError(f"{found.name} is an adapter, of which the header is read, and no {asked or evidence}")
    adapted = adaptation.parted(listing)
    kind = says.get("peft_type", PROMPT_TUNING if adapted.prompts else LORA)
    elements = sum(each.numel for each in listing.tensors)
    if kind not in (LORA, PROMPT_TUNING):
        problem = f"it is an adapter of {len(listing.tensors):,} tensors and {elements:,} numbers"
        raise UnreadableInputError(found.name, f"{problem}, of peft_type {shown(kind)}, which is not verified")
    _refuse_nonsense(found.name, says, kind)
    what = _called(kind, adapted, says)
    source = _base(found, what, elements)
    model = gpt2.model_of(source.counted)
    if kind == PROMPT_TUNING:
        return _prompt(found, listing, adapted, model, source, what)
    return _lora(found, listing, adapted, model, source, what)


def _is_count(value: object) -> bool:
    return type(value) is int and value > 0


def _is_pattern(value: object) -> bool:
    """Whether a value is text that Python takes as a pattern."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            re.compile(value if isinstance(value, str) else "(")
    except (re.error, OverflowError, RecursionError, MemoryError):
        return False
    return True


def _is_list(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(each, str) for each in value)


def _is_choice(value: object) -> bool:
    return value is None or _is_list(value) or _is_pattern(value)


def _is_layers(value: object) -> bool:
    each = value if isinstance(value, list) else [value]
    return value is None or all(type(n) is int and n >= 0 for n in each)


def _is_by_pattern(value: object) -> bool:
    is_whole = isinstance(value, dict) and all(_is_pattern(key) and _is_count(n) for key, n in value.items())
    return value is None or is_whole


COUNT, CHOICE, WORD_LIST = "a whole number of at least 1", "a list of names or a regular expression", "a list of names"

READ: dict[str, tuple[tuple[str, str, Callable[[Any], bool]], ...]] = {
    LORA: (
        ("r", COUNT, _is_count),
        ("target_modules", CHOICE, _is_choice),
        ("exclude_modules", CHOICE, _is_choice),
        ("modules_to_save", WORD_LIST, lambda value: value is None or _is_list(value)),
        ("target_parameters", WORD_LIST, lambda value: value is None or _is_list(value)),
        ("bias", f"one of {', '.join(adapters.BIASES)}", lambda value: value is None or value in adapters.BIASES),
        ("use_dora", "true or false", lambda value: value is None or isinstance(value, bool)),
        ("lora_bias", "true or false", lambda value: value is None or isinstance(value, bool)),
        ("rank_pattern", "a rank for each of some patterns", _is_by_pattern),
        ("layers_to_transform", "a number of a layer, or a list of them", _is_layers),
        ("layers_pattern", CHOICE, _is_choice),
    ),
    PROMPT_TUNING: (("num_virtual_tokens", COUNT, _is_count),),
}
"""What is read of PEFT's config, by its peft_type: each key with what is expected there, where it is there."""


def _refuse_nonsense(name: str, says: Mapping[str, Any], kind: str) -> None:
    """Raise where a key of PEFT's config says what it cannot.

    Raises:
        UnreadableInputError: one does.
    """
    for key, expected, is_right in READ[kind]:
        if key in says and not is_right(says[key]):
            raise UnreadableInputError(name, f"{key} of {CONFIG}: expected {expected}, got {shown(says[key])}")


def _matcher(pattern: str, names: Iterable[str]) -> Callable[[str], bool] | None:
    """Return what tells whether a pattern is all of a name; None where this could take too long for these names.

    Law: without a quantifier of a group there are at most C(n + q, q) ways to share n characters among q quantifiers,
    and two for each choice between what are not mere words.

    >>> _matcher(r".*[.](?:q_proj|v_proj)", ["h.0.q_proj"])("h.0.q_proj")
    True
    >>> _matcher(r"(a+)+b", ["a" * 40])
    """
    plain = WORDS.sub(
        lambda found: "\0" if _is_prefix_free(found[1].split("|")) else found[0], ONE_CHARACTER.sub("\0", pattern)
    )
    if re.search(r"\)[*+{]", plain):
        return None
    quantifiers, choices = len(QUANTIFIER.findall(plain)), plain.count("|")
    if max(quantifiers, choices) > MOST_CHOICES:
        return None
    steps = sum(comb(len(name) + quantifiers, quantifiers) for name in names)
    if steps << choices > MOST_STEPS:
        return None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        whole = re.compile(pattern)
    return lambda name: whole.fullmatch(name) is not None


def _is_prefix_free(words: list[str]) -> bool:
    """Whether none of some words is how another begins, or another."""
    return not any(after.startswith(before) for before, after in pairwise(sorted(words)))


def _called(kind: str, adapted: Adapted, says: Mapping[str, Any]) -> str:
    """Say which adapter it is: its kind, its rank, and what it adapts."""
    if kind == PROMPT_TUNING:
        tokens = sum(each.shape[0] for each in adapted.prompts if each.shape)
        return f"prompt tuning of {tokens:,} virtual tokens"
    ranks = ", ".join(map(str, adapted.ranks)) or str(says.get("r", "?"))
    ends = dict.fromkeys(pair.module.rpartition(".")[2] for pair in adapted.pairs)
    dora = "DoRA" if any("magnitude" in pair.parts for pair in adapted.pairs) else "LoRA"
    return f"a {dora} adapter of rank {ranks} on {', '.join(map(shortened, ends))}"


def _base(found: ResolvedTarget, what: str, elements: int) -> Source:
    """Return the base model: the one that is named, whose config lies beside, or that ships under the name it gives.

    Raises:
        UnreadableInputError: it is none of these.
    """
    if found.source is not None:
        return found.source
    named = (found.adapter or {}).get("base_model_name_or_path")
    if isinstance(named, str) and named and (presets.find(named) or os.path.isfile(os.path.join(named, "config.json"))):
        return sources.resolve(named, {})
    said = f"its base model is {shown(named)}, which is not known here" if named else "it does not say of which model"
    raise UnreadableInputError(found.name, f"{what}, {elements:,} numbers; {said}: --config says which it is")


def _lora(  # noqa: PLR0917  # what it is made of
    found: ResolvedTarget, listing: TensorListing, adapted: Adapted, model: Model, source: Source, what: str
) -> AdapterVerification:
    says = found.adapter or {}
    tensors = adapters.listed(model, source.name)
    matrices = {each.name.removesuffix(".weight"): each for each in tensors if len(each.shape) == 2}
    names = {each.name: each for each in tensors}

    def within(name: str) -> str:
        """Return what the model calls a name of the file."""
        bare = PREFIX.sub("", name, count=1) if PREFIX.match(name) else name
        body = f"{model.architecture.body}."
        known = (bare, body + bare, bare.removeprefix(body))
        return next((each for each in known if each in matrices or each in names), bare)

    faults = list(adapted.faults(lambda module: matrices[within(module)].shape if within(module) in matrices else None))
    targets = tuple(_target(pair, matrices, within) for pair in adapted.pairs if within(pair.module) in matrices)
    try:
        expected = _asked(says, model, source)
    except ConfigError as error:  # it asks for what this base model does not have
        expected = None
        faults.insert(0, Fault(PAIR, CONFIG, str(error)))
    own = {within(pair.module) for pair in adapted.pairs}
    if expected is not None:
        asked, counted = expected
        modules = {each.module for each in adapters.chosen(model, source.name, tensors, asked.targets)}
        prefix = next((m[0] for pair in adapted.pairs if (m := PREFIX.match(pair.module))), "base_model.model.")
        faults += [
            Fault(PAIR, f"{prefix}{module}.lora_A.weight", f"{CONFIG} adapts it, and it is missing", "one", "nothing")
            for module in sorted(modules - own)
        ]
        faults += [
            Fault(PAIR, pair.module, f"{CONFIG} does not adapt it", "nothing", f"rank {pair.rank}")
            for pair in adapted.pairs
            if within(pair.module) in matrices and within(pair.module) not in modules
        ]
        faults += _other_parts(adapted, asked)
    rank, is_alike = says.get("r"), not says.get("rank_pattern") and not says.get("target_parameters")
    if rank is not None and is_alike:
        faults += [
            Fault(PAIR, pair.module, f"{CONFIG} says rank {rank}, got {pair.rank}", str(rank), str(pair.rank))
            for pair in adapted.pairs
            if pair.rank not in (None, rank)
        ]
    unchosen, notes = _unchosen(says, adapted, within)
    faults += unchosen
    trained, beside, wrong = _others(adapted, says, names, within)
    faults += wrong
    faults += _unsaved(adapted, says, names, within)
    if not any(fault.tensor == CONFIG for fault in faults):
        unknown = (x for x in _words(says.get("modules_to_save")) if not any(_holds(x, name) for name in names))
        faults += [Fault(PAIR, CONFIG, f"{source.name} has no module that ends with {shown(x)}") for x in unknown]
    stored: dict[str, int] = {}
    for where, elements in (*((where, n) for where, _, n in targets), *trained):
        stored[where] = stored.get(where, 0) + elements
    if expected is None:
        counted = _as_stored(source, model, adapted, stored, trained)
    held = [each for pair in adapted.pairs for each in pair.parts.values()]
    source = source._replace(notes=(*source.notes, *notes))
    return _result(found, listing, source, what, counted, stored, tuple(faults), (held, beside))


def _other_parts(adapted: Adapted, asked: adapters.Lora) -> Iterator[Fault]:
    """Yield each magnitude of DoRA and bias of B that a pair lacks or has otherwise than the config says."""
    parts = (("magnitude", ".lora_magnitude_vector", "use_dora", asked.dora),)
    for part, end, key, wanted in (*parts, ("bias", ".lora_B.bias", "lora_bias", asked.lora_bias)):
        for pair in adapted.pairs:
            if wanted and part not in pair.parts:
                yield Fault(PAIR, pair.module + end, f"{CONFIG} says {key}, and it is missing", "one", "nothing")
            elif part in pair.parts and not wanted:
                yield Fault(PAIR, pair.parts[part].name, f"{CONFIG} says no {key}, and it is there", "nothing", "one")


def _unchosen(
    says: Mapping[str, Any], adapted: Adapted, within: Callable[[str], str]
) -> tuple[list[Fault], tuple[str, ...]]:
    """Return adapted modules that the config's pattern or layers leave out, or a note that none was held against it."""
    pattern, layers = says.get("target_modules"), says.get("layers_to_transform")
    if isinstance(pattern, list) and layers is not None and layers != [] and not says.get("layers_pattern"):
        numbers = layers if isinstance(layers, list) else [layers]
        found = {pair.module: NUMBERED.match(within(pair.module)) for pair in adapted.pairs}
        message = f"{CONFIG} does not adapt it: layers_to_transform {shown(layers)} has no such layer"
        out = [module for module, place in found.items() if place is None or int(place[1]) not in numbers]
        return [Fault(PAIR, module, message, "nothing", "a pair") for module in out if module not in pattern], ()
    if not isinstance(pattern, str) or pattern == adapters.ALL_LINEAR or says.get("target_parameters"):
        return [], ()
    ways = {pair.module: (PREFIX.sub("", pair.module, count=1), within(pair.module)) for pair in adapted.pairs}
    fits = _matcher(pattern, [name for both in ways.values() for name in both])
    if fits is None:
        return [], (f"target_modules {shown(pattern)} could take too long to match, and no module was held against it",)
    message = f"{CONFIG} does not adapt it: target_modules {shown(pattern)} is not its name"
    return [
        Fault(PAIR, module, message, "nothing", "a pair") for module, both in ways.items() if not any(map(fits, both))
    ], ()


def _unsaved(
    adapted: Adapted, says: Mapping[str, Any], names: Mapping[str, Any], within: Callable[[str], str]
) -> Iterator[Fault]:
    """Yield what the config says is trained as it is, modules and biases, and is not in the file."""
    there = {within(tensor.name) for tensor in adapted.listing.tensors}
    modules, bias = {within(pair.module) for pair in adapted.pairs}, says.get("bias")
    prefix = next((found[0] for pair in adapted.pairs if (found := PREFIX.match(pair.module))), "base_model.model.")
    saved = _words(says.get("modules_to_save"))
    for name in names:
        word = next((each for each in saved if _holds(each, name)), None)
        module, _, leaf = name.rpartition(".")
        is_bias = (bias == "all" and "bias" in name) or (bias == "lora_only" and leaf == "bias" and module in modules)
        if name not in there and (word is not None or is_bias):
            said = f"modules_to_save {shown(word)}" if word is not None else f"bias {bias}"
            yield Fault(PAIR, prefix + name, f"{CONFIG} says {said}, and it is missing", "one", "nothing")


def _asked(says: Mapping[str, Any], model: Model, source: Source) -> tuple[adapters.Lora, AdapterCount] | None:
    """Return what PEFT's config asks for, and what that comes to; None where it says too little, or uses patterns.

    A target that is text is a pattern, and an adapter of a model whose modules it does not name has pairs to go by.
    """
    rank, targets = says.get("r"), says.get("target_modules")
    if targets == adapters.ALL_LINEAR:
        targets = [targets]
    if rank is None or not isinstance(targets, list) or not targets or any(says.get(each) for each in PATTERNS):
        return None
    saved = _words(says.get("modules_to_save"))
    asked = adapters.Lora(rank, tuple(targets), str(says.get("bias") or "none"), saved)
    asked = asked._replace(dora=bool(says.get("use_dora")), lora_bias=bool(says.get("lora_bias")))
    return asked, adapters.count(model, source.name, asked)


def _target(pair: Any, matrices: Mapping[str, Any], within: Any) -> tuple[str, int, int]:
    """Return the component that a pair adapts, its rank, and how many numbers it has."""
    return matrices[within(pair.module)].component, pair.rank or 0, pair.elements


def _others(
    adapted: Adapted, says: Mapping[str, Any], names: Mapping[str, Any], within: Any
) -> tuple[list[tuple[str, int]], list[StoredTensor], list[Fault]]:
    """Return what else is trained, by what it is; what the base has too, and is not trained; and what is wrong."""
    trained, beside, wrong = [], [], []
    saved = _words(says.get("modules_to_save"))
    adapted_modules = {within(pair.module) for pair in adapted.pairs}
    bias = says.get("bias") or "none"
    for tensor in adapted.listing.tensors:
        name = within(tensor.name)
        module = name.rpartition(".")[0]
        word = next((each for each in saved if _holds(each, name)), None)
        if name not in names:
            wrong.append(Fault(PAIR, tensor.name, "it is no tensor of the base model, and none of an adapter"))
        elif tensor.shape != names[name].shape:
            expected, got = str(list(names[name].shape)), str(list(tensor.shape))
            wrong.append(Fault(PAIR, tensor.name, f"expected {expected}, got {got}", expected, got))
        elif word is not None:
            trained.append((word, tensor.numel))
        elif "bias" in name and (bias == "all" or (bias == "lora_only" and module in adapted_modules)):
            trained.append(("biases of the model", tensor.numel))
        elif module in adapted_modules:
            beside.append(tensor)  # PEFT saves an adapted embedding or head with its adapter
        else:
            wrong.append(Fault(PAIR, tensor.name, f"{CONFIG} does not say that it is trained"))
    return trained, beside, wrong


def _words(said: object) -> tuple[str, ...]:
    """Return the words of a list; none of anything else."""
    return tuple(each for each in said if isinstance(each, str)) if isinstance(said, list) else ()


def _holds(word: str, name: str) -> bool:
    """Whether a name is in a module whose name ends with a word, as PEFT takes modules_to_save."""
    return any(name[:place].endswith(word) for place, sign in enumerate(name) if sign == ".")


def _as_stored(
    source: Source, model: Model, adapted: Adapted, stored: Mapping[str, int], trained: list[tuple[str, int]]
) -> AdapterCount:
    """Return what the pairs of a file come to, where no config says what they should."""
    biases = sum(elements for where, elements in trained if where == "biases of the model")
    rows = tuple(adapters.Row("as stored", where, 0, 0, 0, elements) for where, elements in stored.items())
    rank = max(adapted.ranks, default=1)
    has = {part for pair in adapted.pairs for part in pair.parts}
    words = {"r": rank, "targets": sorted(stored), "bias": "none", "modules_to_save": [], "kind": "LoRA"}
    words |= {"dora": "magnitude" in has, "lora_bias": "bias" in has}
    total = sum(stored.values())
    return adapters.AdapterCount(source.name, int(model.total()), rows, total - biases, words)


def _prompt(  # noqa: PLR0917  # what it is made of
    found: ResolvedTarget, listing: TensorListing, adapted: Adapted, model: Model, source: Source, what: str
) -> AdapterVerification:
    said = (found.adapter or {}).get("num_virtual_tokens")
    first = adapted.prompts[0].shape if adapted.prompts else ()
    tokens = said or (first[0] if first else 1)
    counted = adapters.prompt(model, source.name, max(tokens, 1))
    expected = [tokens, counted.rows[0].outputs]
    faults = [
        Fault(PAIR, each.name, f"expected {expected}, got {list(each.shape)}", str(expected), str(list(each.shape)))
        for each in adapted.prompts
        if list(each.shape) != expected
    ]
    faults += [Fault(PAIR, each.name, "it is none of prompt tuning's") for each in adapted.listing.tensors]
    if not adapted.prompts:
        faults.append(Fault(PAIR, "prompt_embeddings", "it is missing", str(expected), "nothing"))
    stored = {"virtual tokens": sum(each.numel for each in adapted.prompts)}
    return _result(found, listing, source, what, counted, stored, tuple(faults), (list(adapted.prompts), []))


def _result(  # noqa: PLR0917  # what it is made of
    found: ResolvedTarget,
    listing: TensorListing,
    source: Source,
    what: str,
    counted: AdapterCount,
    stored: Mapping[str, int],
    faults: tuple[Fault, ...],
    held: tuple[list[StoredTensor], list[StoredTensor]],
) -> AdapterVerification:
    """Bring what was found together."""
    dtypes: dict[str, int] = {}
    for tensor in listing.tensors:
        dtypes[tensor.dtype] = dtypes.get(tensor.dtype, 0) + 1
    odd = tuple(
        Fault("dtype", each.name, f"expected one of {', '.join(sorted(FLOATS))}, got {each.dtype}")
        for each in listing.tensors
        if each.dtype not in FLOATS
    )
    faults = (*listing.faults, *faults, *odd)
    observation = Observation(HEADER, EVIDENCE[HEADER], sum(stored.values()), stored, faults)
    size = sum(file.size for file in listing.files)
    checked = Checked(
        found.name,
        listing.format,
        "peft",
        "",
        found.origin or source.name,
        given=True,
        n_head=None,
        holdings=tuple(_holdings(listing, held, size)),
        dtypes=dtypes,
        size=size,
    )
    notes = (*listing.notes, *source.notes)
    return AdapterVerification(
        source.counted, checked, observation, counted, what, len(listing.tensors), tuple(dict.fromkeys(notes))
    )


def _holdings(
    listing: TensorListing, held: tuple[list[StoredTensor], list[StoredTensor]], size: int
) -> Iterator[Holding]:
    """Yield what the bytes of the file are."""
    names = {each.name for group in held for each in group}
    rest = [each for each in listing.tensors if each.name not in names]
    for what, group in (("the adapter", held[0]), ("the base model's own, saved beside", held[1]), ("others", rest)):
        if group:
            yield Holding(what, len(group), sum(x.numel for x in group), sum(x.nbytes for x in group))
    if size:
        yield Holding(holdings.REST, 0, 0, max(size - sum(each.nbytes for each in listing.tensors), 0))
