"""What a config.json of any architecture but GPT-2 is read as: values, classes, composites, changes and notes."""

from __future__ import annotations

import json
from itertools import product
from typing import TYPE_CHECKING, Any

import pytest
import torch
import transformers
from transformers.models.auto.modeling_auto import (
    MODEL_FOR_CAUSAL_LM_MAPPING_NAMES,
    MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES,
    MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES,
)

import gpt2calc
from gpt2calc import architectures
from gpt2calc.architectures import FILES, reading
from gpt2calc.architectures.runs import LONGEST, repeating
from gpt2calc.architectures.uncounted import NEAREST
from gpt2calc.errors import ConfigError
from gpt2calc.model import LAW, Run
from gpt2calc.numbers import told
from tests.architectures.drawing import least
from tests.architectures.modules import EVERY_IN_ONE, MODEL_TYPES

if TYPE_CHECKING:
    from tests import conftest


def refusal(**document: Any) -> str:
    """Return the sentence that a document is refused with."""
    with pytest.raises(ConfigError) as raised:
        reading.read(document)
    said = str(raised.value)
    assert "\n" not in said
    return said


def total(**document: Any) -> int:
    """Return how many parameters a document has."""
    return int(reading.read(document).model.total())


@EVERY_IN_ONE
def test_a_size_is_a_whole_number_of_one_or_more(model_type: str) -> None:
    """Anything else is refused with what it is."""
    wrong: tuple[Any, ...] = ("4096", 4096.5, True, None, -1, 0, [4096], {}, float("inf"), 1e300)
    for value in wrong:
        said = refusal(**least(model_type), hidden_size=value)
        assert said == f"hidden_size must be a whole number, 1 or more, got {told(value)}"


@EVERY_IN_ONE
def test_a_number_of_too_many_digits_is_refused(model_type: str) -> None:
    """As it is of GPT-2, whose counts could not be printed either."""
    assert refusal(**least(model_type), vocab_size=10**1000) == "vocab_size must have at most 1000 digits"


@pytest.mark.parametrize("model_type", [each for each in MODEL_TYPES if each != "nemotron_h"], scope="session")
def test_layers_are_counted_and_not_walked(model_type: str) -> None:
    """A million million layers are as quick as two; and each holds what each of 1,000 holds, in the same shares."""
    sizes = {layers: total(**least(model_type), num_hidden_layers=layers) for layers in (0, 10**3, 10**12)}
    assert sizes[10**12] > sizes[10**3] * 10**8 > sizes[0]


@pytest.mark.parametrize(
    ("document", "said"),
    [
        ({"model_type": "llama", "num_attention_heads": 30}, "num_attention_heads 30 must divide hidden_size 4096"),
        ({"model_type": "llama", "mlp_bias": 1}, "mlp_bias must be true or false, got 1"),
        ({"model_type": "llama", "mlp_bias": "false"}, "mlp_bias must be true or false, got 'false'"),
        ({"model_type": "mistral", "num_key_value_heads": None}, "num_key_value_heads must be a whole number"),
        ({"model_type": "qwen2_moe", "mlp_only_layers": 3}, "mlp_only_layers must be a list of numbers of layers"),
        ({"model_type": "qwen2_moe", "mlp_only_layers": [0, "1"]}, "a list of numbers of layers, got '1' in it"),
        ({"model_type": "qwen2_moe", "mlp_only_layers": [True]}, "a list of numbers of layers, got true in it"),
        ({"model_type": "qwen2_moe", "decoder_sparse_step": 0}, "decoder_sparse_step must be a whole number, 1 or"),
        (
            {"model_type": "qwen3_moe", "num_experts": 4, "num_local_experts": 8},
            "num_experts=4 and num_local_experts=8 disagree: both mean num_experts",
        ),
        ({"model_type": "deepseek_v3", "q_lora_rank": 0}, "q_lora_rank must be a whole number, 1 or more, got 0"),
        ({"model_type": "deepseek_v3", "first_k_dense_replace": None}, "first_k_dense_replace must be a whole"),
        (
            {"model_type": "deepseek_v3", "moe_layer_freq": 2},
            "moe_layer_freq=2 changes shapes, and deepseek_v3 is counted for 1 alone",
        ),
        (
            {"model_type": "mamba2", "hidden_size": 4095},
            "hidden_size 4095 · expand 2 = 8190 must be num_heads 128 · head_dim 64 = 8192",
        ),
        (
            {"model_type": "granitemoehybrid", "mamba_d_head": 63},
            "mamba_expand 2 · hidden_size 4096 = 8192 must be mamba_n_heads 128 · mamba_d_head 63 = 8064",
        ),
        ({"model_type": "granitemoehybrid", "mamba_n_heads": 100}, "mamba_n_heads 100 · mamba_d_head 81 = 8100"),
        ({"model_type": "granitemoehybrid", "mamba_d_head": "all"}, "1 or more, or auto, got 'all'"),
        ({"model_type": "granitemoehybrid", "layer_types": "mamba"}, "layer_types must be a list of linear_attention"),
        (
            {"model_type": "granitemoehybrid", "layer_types": ["mamba", "sliding_attention"]},
            "layer_types must be a list of linear_attention, full_attention, mamba, attention, got 'sliding_attention'",
        ),
        (
            {"model_type": "granitemoehybrid", "layers_block_type": ["mamba", "attention"], "num_hidden_layers": 3},
            "layer_types is a list of 2 layers, and num_hidden_layers is 3: they must be as many",
        ),
        ({"model_type": "jamba", "attn_layer_offset": 8}, "attn_layer_offset 8 must be less than attn_layer_period 8"),
        ({"model_type": "jamba", "expert_layer_offset": 2}, "expert_layer_offset 2 must be less than"),
        ({"model_type": "jamba", "mamba_dt_rank": None}, "mamba_dt_rank must be a whole number, 1 or more, or auto"),
        (
            {"model_type": "jamba", "attn_layer_period": 99_991, "expert_layer_period": 4, "num_hidden_layers": 10**12},
            "in a pattern of 399,964 layers",
        ),
        (
            {"model_type": "qwen3_moe", "decoder_sparse_step": 10**9, "num_hidden_layers": 10**12},
            "num_hidden_layers is 1,000,000,000,000, in a pattern of 1,000,000,000 layers with 0 exceptions",
        ),
        (
            {"model_type": "qwen3_moe", "mlp_only_layers": [*range(0, 10**6, 9)], "num_hidden_layers": 10**6},
            "with 111,112 exceptions: layers are counted by patterns of at most 100,000 in all",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_in_one_sentence(document: dict[str, Any], said: str) -> None:
    """It names the field, what it is and what it must be."""
    assert said in refusal(**document)


def test_exceptions_cut_a_pattern_into_runs() -> None:
    """Layers after an exception are those that the pattern has there, however far away it is."""
    document = {"model_type": "qwen3_moe", "decoder_sparse_step": 3, "num_hidden_layers": 10**12}
    model = reading.read({**document, "mlp_only_layers": [2, 5, 7, 10**12, -1]}).model
    assert model.count("moe") == 10**12 // 3 - 2
    assert model.count("dense") + model.count("moe") == model.count("decoder") == 10**12
    assert sum(len(run.pattern) for stack in model.stacks for run in stack.runs) < LONGEST


@pytest.mark.parametrize("length", range(8))
def test_kinds_are_what_a_walk_finds(length: int) -> None:
    """A run counts its layers by division as they would be counted one by one."""
    tags = [frozenset({tag}) for tag in ("a", "b", "a")]
    walked = [tags[i % 3] for i in range(length)]
    assert Run(tuple(tags), length).kinds() == {tag: walked.count(tag) for tag in walked}


@EVERY_IN_ONE
def test_a_class_says_what_stands_on_the_body(model_type: str) -> None:
    """The first of `architectures` is counted, with as many labels as id2label has; another class is refused."""
    architecture = architectures.of(model_type)
    for name, head in architecture.classes.items():
        document = least(model_type) | {"architectures": [name], "id2label": {"0": "a", "1": "b", "2": "c"}}
        model = reading.read(document).model
        assert (model.head, model.num_labels) == (head, 3)
    said = refusal(model_type=model_type, architectures=["BertModel"])
    assert said.startswith(f"architectures: BertModel is no class of {model_type} that is counted: known are ")
    assert all(name in said for name in architecture.classes)


def test_a_document_without_a_model_type_is_known_by_its_class() -> None:
    """And a note says so."""
    found = reading.read({"architectures": ["Qwen3MoeForCausalLM"]})
    assert found.model.architecture.model_type == "qwen3_moe"
    assert "model_type is not given, and Qwen3MoeForCausalLM is qwen3_moe's" in found.notes


@pytest.mark.parametrize("head", ["sequence_classification", "question_answering", 1, None])
def test_a_head_that_a_model_type_has_not_is_refused(head: Any) -> None:
    """There is no Mamba-2 that classifies."""
    assert refusal(model_type="mamba2", head=head).startswith("head must be one of lm, none")


def test_a_model_type_that_is_near_is_named() -> None:
    """And where none is near, the page that lists them."""
    assert refusal(model_type="mixtrall").endswith("did you mean mixtral?")
    assert refusal(model_type="rwkv5").endswith(f"docs/architectures.md lists the {len(FILES)} that are")


def test_every_causal_language_model_of_transformers_is_counted_or_refused_by_its_name() -> None:
    """Never another: what is not counted is listed, with the nearest that is."""
    theirs = set(MODEL_FOR_CAUSAL_LM_MAPPING_NAMES)
    assert theirs == (FILES.keys() - {"kimi_k2"}) | NEAREST.keys()  # of which transformers knows nothing
    assert not FILES.keys() & NEAREST.keys()
    for model_type, near in NEAREST.items():
        assert near in {"", *FILES}
        assert architectures.is_of_others({"model_type": model_type})
        said = refusal(model_type=model_type)
        assert said.startswith(f"model_type '{model_type}' is not counted: ")
        assert near in said
    assert refusal(model_type="zamba2").endswith("the nearest that is counted is bamba")
    assert refusal(model_type="gemma4").endswith("its language model is, as gemma4_text, where text_config says so")


def test_a_composite_is_its_language_model_alone() -> None:
    """Its text_config is counted; what is left out is told."""
    text = {"model_type": "mixtral", "num_hidden_layers": 2}
    found = reading.read({"text_config": text, "vision_config": {"depth": 3}, "tie_word_embeddings": False})
    assert found.is_part
    assert found.model.total() == total(**text)
    assert found.notes[0].startswith("the language model in text_config is counted alone, as mixtral's")
    assert any(note.startswith("left out: vision_config") for note in found.notes)
    assert "which of them a composite of no model_type follows is not known: give tie_word_embeddings" in refusal(
        text_config=text, tie_word_embeddings=True
    )
    assert "text_config must say its model_type" in refusal(text_config={"num_hidden_layers": 2})


@pytest.mark.parametrize("model_type", ["mistral3", "aria", "llava", "llama4", "voxtral"])
def test_the_head_of_a_composite_is_tied_as_transformers_builds_it(model_type: str) -> None:
    """Said outside of text_config, within, in both or in neither: by each of the rules that classes have."""
    kind = transformers.AutoConfig.for_model(model_type)
    inner: dict[str, Any] = {"model_type": kind.text_config.model_type, "num_hidden_layers": 1}
    classes = {**MODEL_FOR_MULTIMODAL_LM_MAPPING_NAMES, **MODEL_FOR_IMAGE_TEXT_TO_TEXT_MAPPING_NAMES}
    for outside, within in product((True, False, None), repeat=2):
        text: dict[str, Any] = inner | ({} if within is None else {"tie_word_embeddings": within})
        document: dict[str, Any] = {"model_type": model_type, "text_config": text}
        document |= {} if outside is None else {"tie_word_embeddings": outside}
        config = type(kind).from_dict(json.loads(json.dumps(document)))
        for beside in filter(None, (getattr(config, name, None) for name in ("vision_config", "audio_config"))):
            beside.num_hidden_layers = 1  # which has no part in this, and is much to build
        with torch.device("meta"):
            built = getattr(transformers, classes[model_type])(config)
        is_tied = not any(name.endswith("lm_head.weight") for name, _ in built.named_parameters())
        assert bool(reading.read(document).model.sizes["tie_word_embeddings"]) == is_tied, (outside, within)


def test_code_of_its_own_is_told() -> None:
    """auto_map names code that nobody reads; kimi_k2 is deepseek_v3 under another name."""
    found = reading.read({"model_type": "kimi_k2", "auto_map": {"AutoConfig": "configuration.KimiConfig"}})
    assert any(note.startswith("auto_map names code of its own") for note in found.notes)
    assert "kimi_k2 is counted as deepseek_v3, which it is under another name" in found.notes


@pytest.mark.parametrize("name", ["num_nextn_predict_layers", "num_mtp_layers"])
def test_layers_that_transformers_does_not_build_are_told_and_not_counted(name: str) -> None:
    """By either name; none is told of where there are none."""
    with_one = reading.read({"model_type": "deepseek_v3", name: 1})
    assert with_one.model.total() == total(model_type="deepseek_v3")
    assert any(note.startswith("num_nextn_predict_layers 1: layers that files may hold") for note in with_one.notes)
    assert not any("nextn" in note for note in reading.read({"model_type": "deepseek_v3", name: 0}).notes)


def test_changes_win_over_the_document() -> None:
    """In transformers' spelling, in another of the same field, and in GPT-2's; what depends on them follows."""
    document = {"model_type": "mixtral", "num_local_experts": 8}
    few = total(**document | {"num_local_experts": 2, "num_hidden_layers": 3})
    for experts, layers in (("num_local_experts", "num_hidden_layers"), ("num_experts", "n_layer")):
        assert reading.read(document, {experts: 2, layers: 3}).model.total() == few
    assert reading.read({"model_type": "mixtral"}, {"hidden_size": 2048}).model.head_dim == 64
    with pytest.raises(ConfigError, match="mixtral has no field num_expert: did you mean num_local_experts"):
        reading.read(document, {"num_expert": 2})


def test_a_change_of_layers_must_fit_a_list_of_them() -> None:
    """A list says the kind of each layer, and nobody guesses that of another."""
    document = {"model_type": "granitemoehybrid", "num_hidden_layers": 2, "layer_types": ["mamba", "attention"]}
    with pytest.raises(ConfigError, match="layer_types is a list of 2 layers, and num_hidden_layers is 3"):
        reading.read(document, {"num_hidden_layers": 3})
    assert reading.read(document, {"hidden_size": 64, "mamba_n_heads": 4}).model.mamba_d_head == 32


def test_fields_that_nobody_reads_are_told_with_what_may_be_meant() -> None:
    """A misspelled field is not passed over in silence."""
    notes = reading.read({"model_type": "jamba", "num_expert": 4, "n_shared_experts": 1}).notes
    assert "transformers' jamba does not read num_expert=4; did you mean num_experts?" in notes
    assert any(note.startswith("transformers' jamba does not read n_shared_experts=1") for note in notes)


@EVERY_IN_ONE
def test_what_is_left_out_is_told(model_type: str) -> None:
    """One note says every default that was taken, and of which version of transformers."""
    note, *_ = reading.read(least(model_type)).notes
    assert note.startswith(f"not given, and counted as transformers {reading.VERSION}'s default: vocab_size ")
    architecture = architectures.of(model_type)
    laws = {row.name for row in architecture.sizes if row.kind == LAW}
    assert not any(f" {name} " in note for name in laws)


def test_a_class_of_gpt2_is_read_as_a_gpt2() -> None:
    """Also where no model_type is given."""
    assert not architectures.is_of_others({"architectures": ["GPT2ForSequenceClassification"], "n_embd": 12})


def test_a_field_that_changes_no_count_can_be_changed_all_the_same() -> None:
    """As it can be in a GPT-2; one that nobody knows is refused."""
    found = reading.read({"model_type": "llama"}, {"rms_norm_eps": 1e-6, "use_cache": False, "num_hidden_layers": 3})
    assert (found.model.num_hidden_layers, found.notes[1:]) == (3, ())
    with pytest.raises(ConfigError, match="llama has no field rms_norm_epz"):
        reading.read({"model_type": "llama"}, {"rms_norm_epz": 1e-6})


def test_layers_are_counted_by_kind(run: conftest.Run) -> None:
    """One of each kind, whose components are those of the layers that have them; together they are the layers."""
    count = gpt2calc.count("Jamba-v0.1")
    assert [(kind.tags, kind.number) for kind in count.layers] == [
        (("decoder", "dense", "mamba"), 12),
        (("decoder", "mamba", "moe"), 16),
        (("attention", "decoder", "dense"), 4),
    ]
    outside = sum(
        part.total for part in count.components if part.name in ("embed_tokens", "final_layernorm", "lm_head")
    )
    assert sum(kind.total for kind in count.layers) == count.total - outside
    assert count.per_block is None
    shown = run("count", "Jamba-v0.1", "--per-block")
    assert shown.stdout.count("one block of") == 3
    assert "Jamba-v0.1, one block of 16 with mamba, moe" in shown.stdout
    assert run("count", "Jamba-v0.1", "--per-block", "-q").stdout.split() == [str(kind.each) for kind in count.layers]
    assert "layers of 3 kinds" in run("count", "Jamba-v0.1", "--per-block", "--format", "csv").stderr


@pytest.mark.parametrize("command", ["count", "cost", "compare"])
def test_two_spellings_of_one_size_that_disagree_are_refused(command: str, run: conftest.Run) -> None:
    """As they are of a GPT-2; two that agree are one."""
    shown = run(command, "Qwen3-0.6B", "--hidden-size", "512", "--d-model", "256")
    assert shown.code == 2
    assert shown.stderr == (
        f"gpt2calc {command}: hidden_size=512 and d_model=256 disagree: both mean hidden_size; give one of them\n"
    )
    same = reading.read({"model_type": "llama"}, {"num_hidden_layers": 3, "n_layer": "3"})
    assert same.model.num_hidden_layers == 3


def test_a_pattern_is_as_long_as_is_said_and_no_longer() -> None:
    """One layer more is refused."""
    ((pattern, _),) = repeating(lambda _: frozenset(("moe",)), LONGEST, LONGEST)
    assert len(pattern) == LONGEST
    with pytest.raises(ConfigError, match="in a pattern of 100,001 layers with 0 exceptions"):
        repeating(lambda _: frozenset(("moe",)), LONGEST + 1, LONGEST + 1)


@pytest.mark.parametrize(
    ("model_type", "field"), [("cohere2_moe", "num_shared_experts"), ("ernie4_5_moe", "moe_num_shared_experts")]
)
def test_experts_that_every_token_passes_are_there_from_one_on(model_type: str, field: str) -> None:
    """None, one and two are as far apart."""
    none, one, two = (total(model_type=model_type, **{field: number}) for number in range(3))
    assert 0 < one - none == two - one


def test_two_experts_are_a_choice_and_one_is_a_plain_mlp() -> None:
    """A Jamba of one expert has no router."""
    one, two = (reading.read({"model_type": "jamba", "num_experts": number}).model for number in (1, 2))
    assert ["moe" in " ".join(map(" ".join, model.kinds())) for model in (one, two)] == [False, True]


def test_a_layer_that_shares_keys_and_values_needs_one_that_has_them() -> None:
    """All layers sharing are refused, where all are alike, too."""
    gemma = {"model_type": "gemma4_text", "num_hidden_layers": 3, "layer_types": ["full_attention"] * 3}
    assert "leaves a kind of attention without keys and values" in refusal(**gemma, num_kv_shared_layers=3)
    assert total(**gemma, num_kv_shared_layers=2) > 0
