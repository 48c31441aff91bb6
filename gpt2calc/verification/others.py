"""From a target to a `Verification` where its config is of another architecture than GPT-2.

One way down: a listing and a model, each tensor assigned to a row once, what is wrong, the verdict.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from gpt2calc.errors import ConfigError, UnreadableInputError, shown
from gpt2calc.listing import Fault
from gpt2calc.verification.assignment import ASIDE, PREDICTION, assign, output_head
from gpt2calc.verification.consistency import DTYPE
from gpt2calc.verification.report import EVIDENCE, HEADER, META, WEIGHTS, Checked, Observation, Verification
from gpt2calc.verification.targets import LIVE, LOCAL

if TYPE_CHECKING:
    from gpt2calc.model import Model
    from gpt2calc.sources import Source
    from gpt2calc.verification.assignment import Assignment
    from gpt2calc.verification.targets import ResolvedTarget

UNTIED = "tying"


def verify(
    target: ResolvedTarget, source: Source, model: Model, *, evidence: str | None, tying: bool, values: bool
) -> Verification:
    """Hold the header of a checkpoint, or a live module, against a model of any architecture.

    Raises:
        ConfigError: evidence is asked for that is not had of this architecture, or values.
        UnreadableInputError: the target is a config alone, quantized, or holds the model more than once.
    """
    model_type = model.architecture.model_type
    listing = target.listing
    if listing is None:
        problem = f"it is a config alone, and of a {model_type} files and live modules are verified so far"
        raise UnreadableInputError(target.name, problem)
    kind = HEADER if target.where != LIVE else META if target.on_meta else WEIGHTS
    if evidence not in (None, kind):
        raise ConfigError(f"the evidence of a {model_type} is its {kind} so far, got {shown(evidence)}")
    if values:
        raise ConfigError(f"values are read of GPT-2-shaped models alone so far, and {target.name} is a {model_type}")
    document = source.given or {}
    text = document.get("text_config", document)
    if quantized := text.get("quantization_config") or document.get("quantization_config"):
        how = quantized.get("quant_method") if isinstance(quantized, dict) else quantized
        problem = f"its config says quantization_config {shown(how)}, and quantized files of a {model_type}"
        raise UnreadableInputError(target.name, f"{problem} are not verified yet")
    is_part, more = text is not document, text.get("num_nextn_predict_layers")
    notes = (*listing.notes, *source.notes)
    if is_part and model.lm_head:
        # Whether the head is tied the composite's own class says, and each by rules of its own.
        is_stored = any(tensor.name.endswith(output_head(model)) for tensor in listing.tensors)
        model = model.replace(tie_word_embeddings=int(not is_stored))
        notes += (f"{'a' if is_stored else 'no'} head is stored, and is taken as {'untied' if is_stored else 'tied'}",)
    found = assign(listing, model, is_part=is_part, more_layers=more if isinstance(more, int) and more > 0 else 0)
    tied, wrong = _tying(found, asked=tying and target.where == LOCAL, bits=target.where == LOCAL)
    faults, left = found.faults()
    components = found.components
    how = {HEADER: EVIDENCE[HEADER], META: "the module itself, which has shapes and no values"}.get(
        kind, "the module itself"
    )
    seen = Observation(kind, how, sum(components.values()), components, (*faults, *wrong), left)
    checked = Checked(
        target.name,
        listing.format,
        "huggingface",
        found.prefix,
        target.origin,
        True,
        model.sizes.get("num_attention_heads"),
        found.holdings,
        found.dtypes,
        sum(file.size for file in listing.files),
        whose=_whose(found, model_type),
        tensors=model.size(live=found.is_live),
    )
    notes += _notes(found)
    if tied is not None and tied.tied is None:
        notes += (f"the head is stored although it is tied, and {tied.reason}: it is taken as tied",)
    return Verification(model, checked, (seen,), tying=tied if tying else None, notes=tuple(dict.fromkeys(notes)))


def _whose(found: Assignment, model_type: str) -> str:
    """Return where the model was found, where that is not at the top of all names, and what was left aside."""
    aside = sum(extra.what == ASIDE for _, extra in found.extras)
    behind = f"behind the prefix {found.prefix}" if found.prefix else ""
    if not aside:
        return behind
    where = behind or "among them"
    return f"{model_type} found {where}, {aside:,} other tensors left aside"


def _notes(found: Assignment) -> tuple[str, ...]:
    """Say what tensors are that are no parameter of the model, and that the config speaks of."""
    beyond = [tensor for tensor, extra in found.extras if extra.what == PREDICTION]
    elements = sum(tensor.numel for tensor in beyond)
    said = f"{len(beyond):,} tensors of {elements:,} elements are of layers that transformers does not build"
    return (f"{said}: they were not held against anything",) if beyond else ()


def _tying(found: Assignment, *, asked: bool, bits: bool) -> tuple[Any, tuple[Fault, ...]]:
    """Settle whether a head that is stored, and that the config ties, is the token embedding."""
    head, wte = found.head_copy, found.stored("wte")
    if head is None or wte is None:
        return None, ()
    if head.dtype != wte.dtype:
        message = f"expected {wte.dtype}, as the token embedding, got {head.dtype}"
        return None, (Fault(DTYPE, head.name, message, wte.dtype, head.dtype),)
    from gpt2calc.verification import tying

    settled = tying.examine(wte, head, bits=bits, asked=asked)
    if settled.tied is False:
        message = f"the config ties it, and its values are not those of {wte.name}: {settled.reason}"
        return settled, (Fault(UNTIED, head.name, message, "the same values", "other values"),)
    return settled, ()
