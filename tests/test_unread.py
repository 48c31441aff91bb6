"""A key that may change a shape is not passed over: it is refused, or has a note before all others."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest
import transformers
from transformers.activations import ACT2CLS, ACT2FN

import gpt2calc
from gpt2calc import ConfigError, UnreadableInputError, sources, unread
from gpt2calc.documents import read
from gpt2calc.fields import CANONICAL, DEFAULTS, SPELLINGS
from gpt2calc.spellings import LEARNED_ACTIVATIONS, NO_COUNT, OF_TRANSFORMERS
from tests.loops import of_each

GPT2 = {"model_type": "gpt2", **DEFAULTS}
"""A document that says everything that a count needs."""

SANTACODER = {
    "activation_function": "gelu_fast",
    "architectures": ["GPT2LMHeadCustomModel"],
    "attention_head_type": "multiquery",
    "auto_map": {"AutoModelForCausalLM": "modeling_gpt2_mq.GPT2LMHeadCustomModel"},
    "model_type": "gpt2",
    "n_embd": 2048,
    "n_head": 16,
    "n_inner": 8192,
    "n_layer": 24,
    "n_positions": 2048,
    "vocab_size": 49280,
}
"""As https://huggingface.co/bigcode/santacoder has it: one head of keys and values, 1,124,886,528 parameters."""

NESTED: dict[str, Any] = {
    "model_type": "gpt2",
    "architecture": "decoder_only",
    "hyper_params": {"n_layer": 24, "n_head": 16, "n_embd": 1024, "n_positions": 1024, "vocab_size": 50257},
    "weight_map": {"wte.weight": "wte.weight"},
}
"""As https://github.com/MrDotZLC/trt_practice has it, with the sizes of gpt2-medium."""

VERSIONS: dict[str, dict[str, Any]] = {
    "2.2": {
        **DEFAULTS,
        "_num_labels": 1,
        "do_sample": False,
        "eos_token_ids": 0,
        "finetuning_task": None,
        "is_decoder": False,
        "bos_token_id": 0,
        "pad_token_id": 0,
        "length_penalty": 1.0,
        "max_length": 20,
        "n_ctx": 1024,
        "top_k": 50,
        "id2label": {"0": "LABEL_0"},
        "label2id": {"LABEL_0": 0},
        "num_beams": 1,
        "num_return_sequences": 1,
        "output_past": True,
        "pruned_heads": {},
        "temperature": 1.0,
        "top_p": 1.0,
        "torchscript": False,
        "repetition_penalty": 1.0,
        "use_bfloat16": False,
        "xla_device": None,
        "output_hidden_states": False,
    },
    "3.5": {
        **GPT2,
        "_num_labels": 1,
        "architectures": ["GPT2LMHeadModel"],
        "gradient_checkpointing": False,
        "n_special": 0,
        "predict_special_tokens": True,
        "task_specific_params": {"text-generation": {"max_length": 50}},
        "add_cross_attention": False,
        "tie_encoder_decoder": False,
        "prefix": None,
        "bad_words_ids": None,
    },
    "4.40": {
        **GPT2,
        "_name_or_path": "gpt2",
        "_commit_hash": "607a30d",
        "_attn_implementation_autoset": True,
        "use_cache": True,
        "sep_token_id": None,
        "tokenizer_class": "GPT2Tokenizer",
        "torch_dtype": "float32",
        "typical_p": 1.0,
        "cross_attention_hidden_size": None,
        "tf_legacy_loss": False,
        "transformers_version": "4.40.0",
        "quantization_config": {"bits": 4, "group_size": 128},
        "auto_map": {},
        "transformers.js_config": {},
    },
    "5.23": transformers.GPT2Config().to_dict(),
    "5.23, all of it": {**transformers.GPT2Config().__dict__, "n_inner": None, "model_type": "gpt2"},
}
"""Whole documents of transformers, a release of each kind; those before 3 bear no mark of it."""


def said(**changed: Any) -> tuple[str, ...]:
    """Return the notes on gpt2's own document, with these keys added."""
    return read({**GPT2, **changed})[1]


def refused(document: dict[str, Any]) -> str:
    """Return the sentence with which a document is refused."""
    with pytest.raises(ConfigError) as caught:
        gpt2calc.count(document)
    return str(caught.value)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_whole_document_of_transformers_has_no_note(version: str) -> None:
    """What its releases wrote is known, key by key, and says nothing of shapes."""
    count = gpt2calc.count(VERSIONS[version])
    assert (count.total, count.notes) == (124_439_808, ())


def test_every_key_of_the_installed_transformers_is_known() -> None:
    """Of the config, of its base class, and of what steers generation, which was kept in the config before."""
    base, config, generation = transformers.PretrainedConfig, transformers.GPT2Config, transformers.GenerationConfig
    theirs = {field.name for kind in (base, config) for field in fields(kind)}
    theirs |= base.from_dict({}).to_dict().keys() | vars(config()).keys() | config().to_dict().keys()
    theirs |= vars(generation.from_dict({})).keys()
    assert theirs - NO_COUNT - CANONICAL.keys() == set()


def test_no_key_of_transformers_is_taken_for_a_size_of_somebody_else() -> None:
    """Each of the table is passed over with any value, pruned heads aside."""
    every = {name for names in OF_TRANSFORMERS.values() for name in names}
    assert len(every) == sum(map(len, OF_TRANSFORMERS.values())) > 100
    skipped = {"architectures", "id2label", "model_type", "pruned_heads"}
    assert said(**dict.fromkeys(sorted(every - skipped), 7)) == ()


@of_each(
    "typed, value, meant",
    [
        ("n_layrs", 24, "n_layer"),
        ("num_hidden_layer", 24, "n_layer"),
        ("N-Layer", 24, "n_layer"),
        ("hiden_size", 1024, "n_embd"),
        ("hidden_size_dim", 1024, "n_embd"),
        ("n_inner_dim", 1024, "n_inner"),
        ("d_inner", 1024, "n_inner"),
        ("vocabsize", 50304, "vocab_size"),
        ("max_position_embedding", 2048, "n_positions"),
        ("n_heds", 16, "n_head"),
        ("n_layrs", 24.0, "n_layer"),
        ("tie_word_embedding", False, "tie_word_embeddings"),
        ("add_cross_atention", True, "add_cross_attention"),
    ],
)
@of_each("base", [{"model_type": "gpt2"}, GPT2])
def test_a_mistyped_field_is_refused_in_a_document_of_transformers_too(
    base: dict[str, Any], typed: str, value: object, meant: str
) -> None:
    """As it is among fields that somebody typed, and the error says what to give."""
    assert refused({**base, typed: value}) == f"there is no field {typed}: did you mean {meant}?"


@pytest.mark.parametrize(
    "innocent",
    [
        {"n_layrs": 12},
        {"n_layrs": None},
        {"n_layrs": "24"},
        {"tie_word_embedding": 1},
        {"n_words": 3, "seed": 42, "version": 2, "batch_size": 8, "max_epochs": 3, "window": 7, "num_classes": 2},
        {"attention_dropout": 0.1, "block_id": "x", "epoch": 3, "layer_drop": 0.0, "num_gpus": 8},
    ],
    ids=lambda found: next(iter(found.items())),
)
def test_what_is_no_size_or_what_is_given_as_well_is_passed_over(innocent: dict[str, Any]) -> None:
    """A key that agrees with the field that it is near, one that is no number, and numbers that are no sizes."""
    (note,) = said(**innocent)
    first, *others = innocent
    more = others[2:]
    named = ", ".join([first, *others[:2]]) + (f" and {len(more)} more" if more else "")
    assert note == f"not read, as transformers' GPT-2 reads none of them: {named}"


@of_each(
    "name, value",
    [
        ("num_experts", 8),
        ("num_local_experts", 8),
        ("n_routed_experts", 64),
        ("num_key_value_heads", 4),
        ("n_kv_heads", 4),
        ("head_dim", 128),
        ("v_head_dim", 128),
        ("multi_query", True),
        ("attention_head_type", "multiquery"),
        ("position_embedding_type", "alibi"),
        ("alibi", True),
        ("rotary_dim", 64),
        ("rotary_pct", 0.25),
        ("rope_theta", 10000.0),
        ("rope_scaling", {"type": "linear"}),
        ("kv_lora_rank", 512),
        ("moe_intermediate_size", 1408),
        ("attention_bias", False),
        ("lm_head_bias", True),
        ("rms_norm_eps", 1e-6),
        ("norm_type", "rmsnorm"),
        ("padded_vocab_size", 50304),
        ("text_hidden_size", 1024),
        ("num_nextn_predict_layers", 1),
    ],
)
def test_a_size_of_another_architecture_has_a_note_of_its_own_before_all_others(name: str, value: object) -> None:
    """Transformers' GPT-2 does not read it, so the count is right, and perhaps not that of what is meant."""
    first, second, last = read({**GPT2, "n_ctx": 512, "mood": "good", name: value})[1]
    assert first.startswith(f"{name}=")
    assert first.endswith(" is not read by GPT-2: the count is of a GPT-2 without it")
    assert (second[:11], last[:8]) == ("n_positions", "not read")


@pytest.mark.parametrize(
    "nothing",
    [
        *({"num_experts": value} for value in (0, 1, None)),
        *({"position_embedding_type": value} for value in ("absolute", "learned", None)),
        {"alibi": False, "multi_query": False, "rope_scaling": None, "kv_lora_rank": 0, "layer_types": []},
        {"attention_bias": True, "mlp_bias": True, "lm_head_bias": False, "norm_type": "layernorm"},
    ],
    ids=lambda found: next(iter(found.items())),
)
def test_a_value_that_says_that_there_is_no_such_thing_needs_no_note(nothing: dict[str, Any]) -> None:
    """And neither does one that says what GPT-2 is."""
    assert said(**nothing) == ()


def test_intermediate_size_is_noted_before_all_others() -> None:
    """With what counts in its place."""
    found = said(n_ctx=512, intermediate_size=37)
    assert found[0] == "intermediate_size=37 is not read by GPT-2; n_inner is what counts"


def test_there_are_few_notes_however_many_keys() -> None:
    """The first have one each, the others one together."""
    found = said(**{f"experts_{n}": n for n in range(2, 102)})
    assert len(found) == unread.MOST_NOTES + 1
    assert found[-1] == f"{100 - unread.MOST_NOTES} more fields of other architectures are not read by GPT-2"


def test_an_object_of_keys_without_end_is_no_config() -> None:
    """Work in proportion to them is not done."""
    many = {f"mood {n}": n for n in range(unread.MOST_KEYS + 1)}
    assert refused({**GPT2, **many}) == "expected a config, got an object with more than 500 keys that no GPT-2 has"
    many.popitem()
    assert said(**many)[0].endswith(" and 497 more")


@pytest.mark.parametrize("value", ["swiglu", "geglu", "SwiGLU", "gated-gelu", "prelu", "xielu"])
def test_an_activation_with_parameters_of_its_own_is_noted_and_refused_where_it_was_typed(value: str) -> None:
    """It would give an MLP a third matrix, or numbers that it learns."""
    named = f"activation_function={value}"
    problem = f"{named} gives an MLP other parameters than those of c_fc and c_proj, which GPT-2's has"
    assert said(activation_function=value) == (f"{problem}; the count is of those",)
    assert refused({**DEFAULTS, "activation_function": value}) == problem


def test_the_activations_that_learn_are_those_of_transformers() -> None:
    """Each is built, and its parameters counted."""
    learned = {name for name in ACT2CLS if any(True for _ in ACT2FN[name].parameters())}
    assert learned == set(LEARNED_ACTIVATIONS)
    plain = sorted(set(ACT2CLS) - learned)
    assert [name for name in plain if said(activation_function=name)] == []


def test_a_class_that_is_not_known_is_refused_by_its_name() -> None:
    """Code of somebody's own may build anything."""
    problem = refused({**GPT2, "architectures": ["GPT2LMHeadCustomModel"]})
    assert problem.startswith("architectures: GPT2LMHeadCustomModel is no class of transformers' GPT-2")
    assert "GPT2Model, GPT2LMHeadModel, GPT2DoubleHeadsModel" in problem
    assert refused({"n_layer": 2, "architectures": ["GPT2LMAndValueHeadModel"]}).startswith("architectures: GPT2LMAnd")


def test_santacoder_is_counted_as_the_model_that_it_is() -> None:
    """It says that it is a gpt2, and has 16.8 % fewer parameters than one of its sizes."""
    count = gpt2calc.count(SANTACODER)
    assert count.total == 1_124_886_528
    assert count.notes[0] == "attention_head_type=multiquery is santacoder's: counted as transformers' gpt_bigcode"


@pytest.mark.parametrize("name", ["TFGPT2LMHeadModel", "FlaxGPT2LMHeadModel", "GPT2LMHeadModel"])
def test_a_class_of_another_framework_is_the_class_that_it_mirrors(name: str) -> None:
    """Transformers had three of each before 5."""
    assert read({**GPT2, "architectures": [name]}) == ({**DEFAULTS, "head": "lm"}, ())


def test_sizes_within_an_object_are_refused_and_the_object_alone_is_counted() -> None:
    """The error says what to give."""
    assert refused(NESTED) == (
        "hyper_params holds sizes, n_layer=24 among them: give the object hyper_params alone, "
        "or its sizes outside of it"
    )
    assert gpt2calc.count(NESTED["hyper_params"]).total == 354_823_168
    assert refused({"dropout": 0.1, "model": {"gpt": [{"vocab": 9}]}}).startswith("model.gpt holds sizes, vocab=9")


@pytest.mark.parametrize(
    "harmless",
    [
        {"task_specific_params": {"text-generation": {"max_length": 50, "n_layer": 3}}},
        {"id2label": {"0": "n_layer", "1": "depth"}},
        {"quantization_config": {"bits": 4, "block_size": 128}},
        {"mood": {"n_layer": 12, "vocab_size": "many", "deep": [{"er": {}}]}},
        {"mood": {"batch": 3, "optimizer": {"lr": 0.1}}},
    ],
    ids=lambda found: next(iter(found)),
)
def test_an_object_without_other_sizes_is_not_refused(harmless: dict[str, Any]) -> None:
    """What is known to be harmless, what agrees, and what holds no size."""
    assert gpt2calc.count({**GPT2, **harmless}).total == 124_439_808


def test_an_object_that_is_in_itself_is_entered_once() -> None:
    """Python can build one, and it ends."""
    endless: dict[str, Any] = {"mood": 1}
    endless["self"] = [endless]
    assert len(said(endless=endless)) == 1


def test_heads_that_are_taken_out_are_refused() -> None:
    """Blocks then differ, with a mark and without."""
    problem = ": heads are taken out of blocks, and only blocks that are alike are counted"
    for document in ({**GPT2, "pruned_heads": {"0": [1]}}, {**DEFAULTS, "pruned_heads": {"0": [1]}}):
        assert refused(document) == "pruned_heads={'0': [1]}" + problem
    assert said(pruned_heads={}) == ()


@pytest.mark.parametrize(
    "name",
    [
        "embed_dropouts",
        "emb_sizes",
        "enocding_dict",
        "d_head",
        "eps",
        "num_epochs",
        "num_params",
        "feedforward_size",
        "lr",
    ],
)
def test_a_key_like_no_field_is_not_answered_with_one(name: str) -> None:
    """What people have in files of their own; a wrong hint is worse than none."""
    known = ", ".join(SPELLINGS)
    assert refused({"n_layer": 2, name: 3}) == f"there is no field {name}: known fields are {known}"


@pytest.mark.parametrize("name", ["layer_norm_eps", "activation", "hidden_act", "embed_dropout"])
def test_what_other_projects_call_what_changes_no_count_changes_none(name: str) -> None:
    """As torchrl and others have it."""
    assert gpt2calc.count({**DEFAULTS, name: "relu"}).total == 124_439_808


def test_a_document_that_gives_nothing_is_refused_or_said_to_give_nothing() -> None:
    """An empty one is no model; one without a size is gpt2's, and says so."""
    assert refused({}) == 'expected a config with a field at least, such as {"n_layer": 12}, got an empty one'
    with pytest.raises(UnreadableInputError):
        sources.from_text("{}", "some.json")
    assert gpt2calc.count({"tied": False}).notes == (
        "no size is given; gpt2's are counted: n_layer 12, n_embd 768, n_positions 1024, vocab_size 50257",
    )
    assert gpt2calc.count({"d_model": 64}).notes == ()


def test_a_live_config_of_transformers_has_no_note() -> None:
    """Whatever its class keeps for itself."""
    config = transformers.GPT2Config.from_dict({"n_layer": 2, "num_labels": 3})
    count = gpt2calc.count(config)
    assert (count.name, count.dims.n_layer, count.dims.num_labels, count.notes) == ("GPT2Config", 2, 3, ())
    other = gpt2calc.count(transformers.LlamaConfig())
    assert (other.name, other.total, other.notes) == ("LlamaConfig", 6_738_415_616, ())
