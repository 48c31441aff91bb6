"""A field of transformers' config that changes a name or a shape is read as transformers reads it, or is refused.

`tests.probe` varies the fields. One model type of each file is held here against what it finds with GPT2CALC_WIDE, and
by default every other of these; all were where `tests.recorded` wrote its record, without which `test_recorded` lets no
model type be. Those fields that the committed file says change shapes have a value that does, and the others one, of a
third of these; of those in `WHOLE`, and of all model types where GPT2CALC_EXAMPLES is 20 or more, all have all, and in
pairs, as in `python -m tests.probe`.
"""

from __future__ import annotations

import json
import os
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from unittest import mock

import pytest
import transformers

import gpt2calc
from gpt2calc import architectures
from gpt2calc.architectures import probed, reading
from gpt2calc.errors import ConfigError
from gpt2calc.model import FIXED, LAW
from gpt2calc.spellings import ACTIVATIONS

with open(os.path.join(os.path.dirname(os.path.abspath(probed.__file__)), "llama.json"), encoding="utf-8") as file:
    VERSION = json.load(file)["transformers"]
if transformers.__version__ != VERSION:
    reason = f"fields were probed with transformers {VERSION}, and this is {transformers.__version__}"
    pytest.skip(reason, allow_module_level=True)

from tests import probe  # asks for what only that transformers has
from tests.architectures.drawing import THOROUGH
from tests.architectures.modules import BY_TURNS, EVERY_IN_ONE, MODEL_TYPES, WITH_GPT2_IN_ONE
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from gpt2calc.model import Listed
    from gpt2calc.tensor_table import Tensor
    from tests.probe import Probed, Variation

READ_AS = {"id2label": "num_labels"}
"""Fields that are no size, and say one."""

EXPLAINED = {
    ("gpt2", "activation_function"): "a note says of prelu and xielu that their parameters are not counted",
    **{
        (model_type, "per_layer_config"): "transformers finds no hidden_size to vary, which it knows by another name"
        for model_type in ("codegen", "gpt_bigcode", "gptj", "mpt", "openai-gpt", "xglm")
    },
    **{
        (model_type, "full_attention_interval"): "true is no number, which Python's code takes for 1"
        for model_type in ("qwen3_next", "qwen3_5_text", "qwen3_5_moe_text")
    },
    **{
        (model_type, "layer_types"): "words of no layer are refused, which transformers takes for sliding attention"
        for model_type in ("gemma3n_text", "gemma4_text")
    },
    ("falcon_h1", "mamba_expand"): "0 and null are refused, whether mamba_d_ssm is given or follows from it",
    ("recurrent_gemma", "block_types"): "a word of no layer is refused, which transformers takes for attention",
    ("mellum", "num_nextn_predict_layers"): "true is no number, which Python's code takes for 1",
    ("axk1", "moe_layer_freq"): "true is no number, which Python's code takes for 1",
    ("glm_moe_dsa", "index_topk_freq"): "true is no number, which Python's code takes for 1",
    ("glm_moe_dsa", "index_skip_topk_offset"): "true is no number, which Python's code takes for 1",
    ("glm_moe_dsa", "indexer_types"): "words of no indexer are refused, which transformers takes for one",
    ("nemotron_h", "hybrid_override_pattern"): "letters of no layer are refused, whether they are read or not",
    ("gpt2", "per_layer_config"): "an object that holds sizes is refused, whatever it is called",
    ("gpt2", "summary_type"): "attn is refused for every class, as transformers refuses it for the one that reads it",
}
"""Fields, by model type, of which a value is not counted as transformers builds it, with the reason."""

WHOLE = ("llama", "mamba2", "recurrent_gemma")

VARIED = [*MODEL_TYPES] if THOROUGH else sorted({*(BY_TURNS if IS_WIDE else BY_TURNS[::2]), *WHOLE})
EVERY_VARIED = pytest.mark.parametrize("model_type", VARIED, scope="session")
WITH_GPT2 = pytest.mark.parametrize("model_type", [*VARIED, "gpt2"], scope="session")
"""Marks of a test that is of each model type whose fields are varied here."""

FOLLOWS = {
    ("nemotron_h", "num_hidden_layers"): "it must be as many layers as their list has, and is no size of its own"
}
"""Sizes, by model type, that others leave one value, with the reason; another is refused."""

COUNTED = "counted"


@lru_cache
def kept(model_type: str) -> dict[str, Any]:
    """Return what the file of a model type says."""
    found: dict[str, Any] = json.loads(probe.kept(model_type))
    return found


def probed_fields(model_type: str) -> Probed:
    """Return what the fields of a model type change."""
    return probe.probe(model_type, whole=THOROUGH or model_type in WHOLE)


@pytest.fixture
def found(model_type: str) -> Probed:
    """What its fields change."""
    return probed_fields(model_type)


def spelled(model_type: str) -> dict[str, Any]:
    """Return the size that each field is, by its name and every spelling."""
    sizes = [row for row in architectures.of(model_type).sizes if row.kind != LAW]
    return {name: row for row in sizes for name in (row.name, *row.spellings)}


def listed(document: Mapping[str, Any]) -> Sequence[Listed | Tensor]:
    """Return what a live module holds: GPT-2's documents are read by a room of their own."""
    if document["model_type"] == "gpt2":
        return gpt2calc.tensors(document)
    return list(reading.read(document).model.listing(live=True))


def fault(model_type: str, found: Probed, variation: Variation) -> str:
    """Return how a variation is counted: `COUNTED` as transformers builds it, or what is wrong; "" for refused well.

    What changes nothing must be counted; what changes something may be refused, by the name of a field that differs.
    """
    words = {**found.base, **variation.changes, "architectures": [variation.class_name], "model_type": model_type}
    document = {name: value for name, value in words.items() if value != probe.ABSENT}
    said = f"{variation.class_name} with {variation.changes}"
    try:
        rows = listed(document)
    except ConfigError as error:
        sizes = {name: row.name for name, row in spelled(model_type).items()}
        named = any(error.field in (name, READ_AS.get(name), sizes.get(name)) for name in variation.changes)
        changes = variation.listing != found.listings[variation.class_name]
        return "" if named and changes else f"{said} is refused: {error}"
    listing = {row.name: row.shape for row in rows}
    if listing == variation.listing and len(rows) == len(listing):
        return COUNTED
    differing = sorted(dict(listing.items() ^ (variation.listing or {}).items()))
    return f"{said} is built otherwise: {', '.join(differing[:3])}"


def counted_classes(model_type: str, found: Probed) -> list[Variation]:
    """Return what transformers built of the classes that are counted."""
    known = architectures.of(model_type).classes
    return [each for each in found.variations if each.listing is not None and each.class_name in known]


@lru_cache
def judged(model_type: str) -> list[tuple[Variation, str]]:
    """Return all that a probe built of the classes that are counted, with what is wrong of each."""
    found = probed_fields(model_type)
    return [(each, fault(model_type, found, each)) for each in counted_classes(model_type, found)]


@WITH_GPT2
def test_what_is_kept_is_what_a_probe_finds(model_type: str, found: Probed) -> None:
    """The committed file says what this transformers does."""
    assert probe.kept(model_type) == found.text(), f"`python -m tests.probe {model_type} --write` writes it"


@WITH_GPT2_IN_ONE
def test_what_could_not_be_varied_has_a_reason(model_type: str) -> None:
    """Of a field that nobody could vary the file says why."""
    assert all(len(reason.split()) > 3 for reason in kept(model_type)["not_varied"].values())


@WITH_GPT2_IN_ONE
def test_a_field_stands_in_one_place(model_type: str) -> None:
    """A field changes shapes, or changes none, or nobody knows."""
    fields = [*kept(model_type)["shapes"], *kept(model_type)["no_shapes"], *kept(model_type)["not_varied"]]
    assert len(fields) == len(set(fields))


@EVERY_IN_ONE
def test_a_field_that_changes_shapes_is_a_size(model_type: str) -> None:
    """What changes a name or a shape is read, or refused."""
    fields = spelled(model_type)
    assert [name for name in kept(model_type)["shapes"] if READ_AS.get(name, name) not in (*fields, *ACTIVATIONS)] == []


@EVERY_IN_ONE
def test_a_size_has_names_that_transformers_reads(model_type: str) -> None:
    """A document says nothing by a name that its config class and its code do not know."""
    known = {*kept(model_type)["shapes"], *kept(model_type)["no_shapes"], *kept(model_type)["not_varied"], "head"}
    read = {name for name, row in spelled(model_type).items() if row.kind != FIXED}  # others' fields are refused, too
    assert read - known == set()


@WITH_GPT2
def test_the_base_is_counted_as_transformers_builds_it(model_type: str, found: Probed) -> None:
    """The small model that all others differ from is exact, by name and shape."""
    for class_name in found.listings.keys() & architectures.of(model_type).classes.keys():
        same = probe.Variation({}, class_name, found.listings[class_name])
        assert fault(model_type, found, same) == COUNTED


@WITH_GPT2
def test_whatever_a_field_is_it_is_counted_as_built_or_refused_by_its_name(model_type: str) -> None:
    """No value of any field, alone or in a pair, is counted as what transformers does not build."""
    explained = {name for of, name in EXPLAINED if of == model_type}
    faults = [said for each, said in judged(model_type) if not explained & each.changes.keys()]
    assert [said for said in faults if said not in (COUNTED, "")] == []


@WITH_GPT2
def test_what_is_explained_is_so(model_type: str) -> None:
    """No field stands among the explained that is counted as built, of those that were varied by all their values."""
    if not (THOROUGH or model_type in WHOLE):
        return
    differing = {name for each, said in judged(model_type) if said not in (COUNTED, "") for name in each.changes}
    assert {name for of, name in EXPLAINED if of == model_type} <= differing


@WITH_GPT2
def test_a_size_is_counted_and_not_only_refused(model_type: str, found: Probed) -> None:
    """A field that is read has other values than its default."""
    fixed = {name for name, row in spelled(model_type).items() if row.kind == FIXED}
    read = [each for each, said in judged(model_type) if said == COUNTED]
    given = {name for each in read for name, value in each.changes.items() if value != probe.ABSENT}
    assert [name for name in found.shapes if name not in fixed | given] == []


@EVERY_VARIED
def test_a_size_that_is_not_read_would_be_found(model_type: str, found: Probed) -> None:
    """Whichever field is no longer read, one of the probe's documents shows it."""
    architecture, fields = architectures.of(model_type), spelled(model_type)
    base = reading.read({**found.base, "model_type": model_type}).model.sizes
    missed = []
    for name in (name for name in found.shapes if name in fields and fields[name].kind != FIXED):
        own = fields[name]
        constant = own._replace(kind=LAW, default=base[own.name])
        sizes = tuple(constant if row is own else row for row in architecture.sizes)
        tried = [each for each in counted_classes(model_type, found) if name in each.changes]
        with mock.patch.object(architectures, "of", return_value=architecture._replace(sizes=sizes)):
            verdicts = {fault(model_type, found, each) for each in tried}
        if (
            verdicts <= {COUNTED, ""} and COUNTED in verdicts and (model_type, name) not in FOLLOWS
        ):  # what is only refused is found by the test above
            missed.append(name)
    assert missed == []
