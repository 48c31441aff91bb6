"""The border: every spelling of every field comes out as one checked, frozen config, or as one sentence that helps."""

from __future__ import annotations

import json
import math
from itertools import chain
from typing import Any

import numpy as np
import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from gpt2calc import ConfigError
from gpt2calc.config import Config
from gpt2calc.documents import read
from gpt2calc.errors import Gpt2calcError
from gpt2calc.fields import CANONICAL, CLASSES, SPELLINGS
from gpt2calc.numbers import MOST_DIGITS
from gpt2calc.spellings import NO_COUNT
from gpt2calc.validity import canonical
from tests.loops import of_each

TWO_VALUES: dict[str, tuple[Any, Any]] = {
    "n_layer": (24, 7),
    "n_embd": (640, 1280),
    "n_head": (6, 16),
    "n_positions": (2048, 512),
    "vocab_size": (50304, 31),
    "n_inner": (2048, 0),
    "tie_word_embeddings": (False, True),
    "add_cross_attention": (True, False),
    "bias": (False, True),
    "qkv_bias": (False, True),
    "ln_f": (False, True),
    "pad_vocab_size_multiple": (64, 128),
    "head": ("question_answering", "none"),
    "num_labels": (5, 0),
    "summary_type": ("mean", "last"),
    "summary_use_proj": (False, True),
    "summary_proj_to_labels": (False, True),
}
"""Two valid values of each field, the first unlike its default."""

PAIRS = [(field, spelling) for field, others in SPELLINGS.items() for spelling in (field, *others)]
OTHERS = [(field, spelling) for field, spelling in PAIRS if field != spelling]
SIZES = ("n_layer", "n_embd", "n_head", "n_positions", "vocab_size", "n_inner", "pad_vocab_size_multiple", "num_labels")
FROM_ZERO = ("n_layer", "n_inner", "num_labels")
SWITCHES = tuple(field for field, (first, _) in TWO_VALUES.items() if isinstance(first, bool))


def made(**fields: Any) -> Config:
    """Return a config of fields that no type knows."""
    return Config(**fields)


def fails(**fields: Any) -> ConfigError:
    """Return the error that a config of these fields raises."""
    with pytest.raises(ConfigError) as caught:
        Config(**fields)
    return caught.value


def test_the_cases_below_cover_every_field() -> None:
    """No field is without values to try, and no value is of a field that is gone."""
    assert set(TWO_VALUES) == set(SPELLINGS) == set(Config.model_fields)
    assert {type(first) for first, _ in TWO_VALUES.values()} == {int, bool, str}


def test_no_spelling_means_two_fields_or_none() -> None:
    """A spelling belongs to one field, and none of them is also a field that changes no count."""
    spellings = list(chain.from_iterable((field, *others) for field, others in SPELLINGS.items()))
    assert len(spellings) == len(set(spellings)) == len(CANONICAL)
    assert not NO_COUNT & set(spellings)


@of_each("field, spelling", PAIRS)
def test_every_spelling_reaches_its_field(field: str, spelling: str) -> None:
    """A value under any spelling stands in the field it means, and every other field keeps its default."""
    value, _ = TWO_VALUES[field]
    config = Config(**{spelling: value})
    assert getattr(config, field) == value
    assert config.model_fields_set == {field}
    assert Config.model_fields[field].default != value


@of_each("field, spelling", OTHERS)
def test_two_spellings_that_disagree_are_refused_and_both_are_shown(field: str, spelling: str) -> None:
    """The error shows both spellings with both values, in either order, and names the field."""
    one, other = TWO_VALUES[field]
    for first, second in (((field, one), (spelling, other)), ((spelling, other), (field, one))):
        error = fails(**dict((first, second)))
        assert str(error) == (
            f"{first[0]}={first[1]} and {second[0]}={second[1]} disagree: both mean {field}; give one of them"
        )
        assert (error.field, error.got) == (field, second[1])


@of_each("field, spelling", OTHERS)
def test_two_spellings_that_agree_pass(field: str, spelling: str) -> None:
    """The same value twice is no contradiction."""
    value, _ = TWO_VALUES[field]
    assert Config(**{field: value, spelling: value}) == Config(**{field: value})


@of_each(
    "typed, meant",
    [
        ("n_layrs", "n_layer"),
        ("nlayer", "n_layer"),
        ("N_LAYER", "n_layer"),
        ("n_embed_", "n_embd"),
        ("hiden_size", "n_embd"),
        ("vocabsize", "vocab_size"),
        ("blocksize", "n_positions"),
        ("n_heds", "n_head"),
        ("tie_word_embedding", "tie_word_embeddings"),
        ("numlabels", "num_labels"),
        ("qkvbias", "qkv_bias"),
    ],
)
def test_an_unknown_field_is_answered_with_the_nearest_known_one(typed: str, meant: str) -> None:
    """A mistyped field is refused, and the error names it and the field that was meant."""
    error = fails(**{typed: 12})
    assert str(error) == f"there is no field {typed}: did you mean {meant}?"
    assert (error.field, error.got) == (typed, 12)


def test_a_field_like_no_other_is_answered_with_all_known_ones() -> None:
    """Where nothing is near, the error lists every field."""
    assert str(fails(zzzz=1)) == f"there is no field zzzz: known fields are {', '.join(SPELLINGS)}"


@of_each("field", sorted(NO_COUNT - {"architectures", "id2label", "model_type", "pruned_heads"}))
def test_a_field_that_changes_no_count_is_passed_over(field: str) -> None:
    """Dropouts, token ids and their like are known and change nothing, whatever their value."""
    assert made(**{field: object()}) == Config()


@pytest.mark.parametrize(
    ("fields", "meant"),
    [
        ({"architectures": ["GPT2ForSequenceClassification"]}, {"head": "sequence_classification"}),
        ({"architectures": ["GPT2Model"]}, {"head": "none"}),
        (
            {"head": "sequence_classification", "id2label": {"0": "a", "1": "b", "2": "c"}},
            {"head": "sequence_classification", "num_labels": 3},
        ),
        ({"model_type": "bert"}, None),
    ],
    ids=["a classifier", "a bare body", "three labels", "another model"],
)
def test_a_field_of_a_config_json_that_changes_a_count_is_never_passed_over(
    fields: dict[str, Any], meant: dict[str, Any] | None
) -> None:
    """Given as fields, class, labels and model type are read as in a document, or refused, and never ignored."""
    try:
        config = Config(**fields)
    except ConfigError:
        return
    assert meant is not None, "another model is refused"
    assert config.dims == Config(**meant).dims


@pytest.mark.parametrize("field", SIZES)
def test_the_smallest_size_passes_and_the_one_below_it_does_not(field: str) -> None:
    """Layers, the MLP's width and labels start at 0, everything else at 1."""
    least = 0 if field in FROM_ZERO else 1
    assert getattr(made(**{field: least}), field) == least
    for below in (least - 1, -5):
        error = fails(**{field: below})
        assert str(error) == f"{field} must be a whole number, {least} or more, got {below}"
        assert (error.field, error.got) == (field, below)


@of_each("field", SIZES)
@of_each(
    "got, shown",
    [
        pytest.param(True, "true", id="a bool, which Python takes for 1"),
        pytest.param(False, "false", id="a bool, which Python takes for 0"),
        pytest.param(12.5, "12.5", id="a float"),
        pytest.param(math.nan, "nan", id="not a number"),
        pytest.param(math.inf, "inf", id="infinity"),
        pytest.param("twelve", "'twelve'", id="a number in words"),
        pytest.param("", "''", id="an empty string"),
        pytest.param([12], "[12]", id="a list"),
        pytest.param({"n": 12}, "{'n': 12}", id="a mapping"),
        pytest.param(1 + 0j, "(1+0j)", id="a complex number"),
        pytest.param(b"12", "b'12'", id="bytes"),
        pytest.param("x" * 1000, "'" + "x" * 56 + "...", id="a long string, cut off"),
    ],
)
def test_a_size_that_is_no_whole_number_is_refused(field: str, got: object, shown: str) -> None:
    """What is not exactly one whole number is refused, and shown."""
    error = fails(**{field: got})
    least = 0 if field in FROM_ZERO else 1
    assert str(error) == f"{field} must be a whole number, {least} or more, got {shown}"
    assert error.field == field
    assert error.got is got


@pytest.mark.parametrize("field", [field for field in SIZES if Config.model_fields[field].default is not None])
def test_a_size_that_must_be_given_is_not_null(field: str) -> None:
    """None is refused where it means nothing."""
    assert str(fails(**{field: None})).endswith("got null")


@pytest.mark.parametrize("field", ["n_head", "n_inner", "qkv_bias", "pad_vocab_size_multiple"])
def test_a_field_that_may_be_left_out_may_be_null(field: str) -> None:
    """None says the same as nothing where nothing means something."""
    assert made(**{field: None}) == Config()


@of_each("field", SWITCHES)
@of_each("got", [0, 1, "true", "yes", 1.0, [True]])
def test_a_switch_is_true_or_false(field: str, got: object) -> None:
    """A switch takes no number and no word for a bool."""
    error = fails(**{field: got})
    assert str(error) == f"{field} must be true or false, got {got!r}"
    assert (error.field, error.got) == (field, got)


@pytest.mark.parametrize("got", ["lmm", "GPT3Model", 1, True, ["lm"], {}], ids=repr)
def test_a_head_that_does_not_exist_is_answered_with_those_that_do(got: object) -> None:
    """The error lists the heads."""
    error = fails(head=got)
    known = "none, lm, double_heads, sequence_classification, token_classification, question_answering"
    shown = "true" if got is True else repr(got)
    assert str(error) == f"head must be one of {known}, got {shown}"
    assert error.field == "head"


def test_a_summary_type_that_gpt2_does_not_have_is_answered_with_those_it_has() -> None:
    """What transformers never made is refused here as well."""
    assert str(fails(summary_type="attn")) == ("summary_type must be one of cls_index, last, first, mean, got 'attn'")


def test_several_wrong_fields_are_named_together() -> None:
    """The first is explained, the others are named, so that one run shows them all."""
    assert str(fails(n_layer=-1, n_embd="wide", bias=3)) == (
        "n_layer must be a whole number, 0 or more, got -1 (wrong as well: n_embd, bias)"
    )


@pytest.mark.parametrize("field", [size for size in SIZES if size != "n_head"])
def test_a_size_has_at_most_a_thousand_digits(field: str) -> None:
    """A thousand digits pass, a thousand and one do not, and the error says which field and how many are allowed."""
    largest = 10**MOST_DIGITS - 1
    assert getattr(Config(**{field: largest}), field) == largest
    error = fails(**{field: largest + 1})
    assert str(error) == f"{field} must have at most 1000 digits"
    assert error.field == field


@of_each("field", SIZES)
@of_each("got", [10**5000, -(10**5000)])
def test_a_size_that_python_will_not_print_is_refused_in_a_short_sentence(field: str, got: int) -> None:
    """Python prints at most 4,300 digits; a larger size still ends in the error of its field."""
    error = fails(**{field: got})
    assert error.field == field
    assert len(str(error)) < 200


def test_two_sizes_that_python_will_not_print_disagree_in_a_short_sentence() -> None:
    """Two spellings, one of them astronomically large, are a contradiction and no crash."""
    error = fails(n_layer=10**5000, layers=3)
    assert error.field == "n_layer"
    assert len(str(error)) < 400


def test_a_thousand_digits_are_counted_exactly() -> None:
    """The count of an astronomically large model is the closed form, to the last digit."""
    n = 10**MOST_DIGITS - 1
    config = Config(n_layer=n, n_embd=n, n_positions=n, vocab_size=n)
    from gpt2calc import count

    assert count(config).total == n * (12 * n**2 + 13 * n) + n * (n + n + 2)
    assert str(count(config).total).isdecimal()


@pytest.mark.parametrize(
    ("n_head", "n_embd", "near"),
    [(3, 10, "9 or 12"), (12, 1000, "996 or 1008"), (10, 3, "10"), (768, 767, "768"), (2, 3, "2 or 4")],
)
def test_n_head_must_divide_n_embd_and_the_error_says_what_to_change(n_head: int, n_embd: int, near: str) -> None:
    """The error offers the nearest widths, another n_head, and leaving it out; the widths it offers are accepted."""
    error = fails(n_head=n_head, n_embd=n_embd)
    assert str(error) == (
        f"n_head {n_head} must divide n_embd {n_embd}: give n_embd {near}, or another n_head, "
        "or leave n_head out, since no count depends on it"
    )
    assert (error.field, error.got) == ("n_head", n_head)
    for width in map(int, near.split(" or ")):
        assert Config(n_head=n_head, n_embd=width).n_embd == width


@given(heads=st.integers(1, 200), width=st.integers(1, 2000))
def test_n_head_is_accepted_exactly_when_it_divides_n_embd(heads: int, width: int) -> None:
    """The rule of transformers, for every pair."""
    if width % heads:
        assert fails(n_head=heads, n_embd=width).field == "n_head"
    else:
        assert Config(n_head=heads, n_embd=width).n_head == heads


def test_n_head_may_be_left_out_and_changes_no_count() -> None:
    """The dims are the same with and without it."""
    assert Config().n_head is None
    assert Config(n_head=16, n_embd=1024).dims == Config(n_embd=1024).dims


@of_each("field", SPELLINGS)
def test_a_config_is_frozen(field: str) -> None:
    """No field can be set once the config stands, and none can be added."""
    config = Config()
    with pytest.raises(ValidationError, match="frozen"):
        setattr(config, field, TWO_VALUES[field][0])
    with pytest.raises((ValidationError, AttributeError)):
        config.n_layrs = 3  # type: ignore[attr-defined]
    assert config == Config()


def test_equal_configs_have_equal_hashes_whatever_was_asked_of_them() -> None:
    """A config can be a key: equality and hash follow the fields, and a cached dims changes neither."""
    first, second = Config(n_layer=24), Config(layers=24)
    assert first.dims.n_layer == 24
    assert (first, hash(first)) == (second, hash(second))
    assert first != Config(n_layer=23)


@pytest.mark.parametrize(
    "kind",
    [np.int8, np.int16, np.int32, np.int64, np.uint8, np.uint16, np.uint32, np.uint64, np.intp],
    ids=lambda kind: kind.__name__,
)
def test_an_integer_of_numpy_is_taken_as_the_int_it_is(kind: type[np.integer[Any]]) -> None:
    """Scalars of every width pass, come out as Python ints, and cannot wrap."""
    config = Config(n_layer=kind(100), n_embd=kind(100))
    assert type(config.n_layer) is int
    assert config.dims.n_inner == 400
    assert config.dims == Config(n_layer=100, n_embd=100).dims


@pytest.mark.parametrize(
    "fields",
    [
        pytest.param({"n_layer": np.float64(12.5)}, id="a float scalar"),
        pytest.param({"n_layer": np.array([12])}, id="an array of one"),
        pytest.param({"n_layer": np.array([12, 24])}, id="an array of two"),
        pytest.param({"n_layer": np.array([12, 24]), "layers": np.array([12, 24])}, id="an array under two spellings"),
    ],
)
def test_what_numpy_has_besides_integers_is_refused(fields: dict[str, Any]) -> None:
    """A float scalar and an array are no size of one model."""
    assert fails(**fields).field == "n_layer"


def test_replace_changes_fields_in_any_spelling_and_leaves_the_original() -> None:
    """The new config has the new field, keeps the others, and the old one is as it was."""
    old = Config(n_layer=24, vocab=50304)
    new = old.replace(d_model=1024)
    assert (new.n_layer, new.n_embd, new.vocab_size) == (24, 1024, 50304)
    assert (old.n_embd, new.dims.n_inner, old.dims.n_inner) == (768, 4096, 3072)


def test_replace_replaces_what_was_given_under_another_spelling() -> None:
    """A field that was given as one spelling is replaced by another, and is no contradiction."""
    assert Config(n_layer=24).replace(layers=36).n_layer == 36
    assert Config(layers=24).replace(num_hidden_layers=36).n_layer == 36


def test_replace_keeps_an_n_inner_that_was_given_and_follows_n_embd_where_it_was_not() -> None:
    """n_inner is 4·n_embd exactly as long as nobody gave it."""
    assert Config(n_inner=5).replace(n_embd=10).dims.n_inner == 5
    assert Config(n_inner=5).replace(n_embd=10, n_inner=None).dims.n_inner == 40


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"n_layer": -1}, "n_layer"), ({"n_layrs": 1}, "n_layrs"), ({"n_head": 7}, "n_head"), ({"bias": 1}, "bias")],
    ids=str,
)
def test_replace_checks_anew(changes: dict[str, Any], field: str) -> None:
    """What a config refuses, a replacement refuses too."""
    with pytest.raises(ConfigError) as caught:
        Config().replace(**changes)
    assert caught.value.field == field


def test_replace_of_nothing_is_the_same_config() -> None:
    """Without changes, the config comes back equal."""
    config = Config(n_layer=3, bias=False, head="GPT2Model")
    assert config.replace() == config


@pytest.mark.parametrize("name", CLASSES)
def test_a_class_name_of_transformers_is_a_head(name: str) -> None:
    """Every class names the head it has, and to_dict gives the class back."""
    config = Config(head=name)
    assert config.head == CLASSES[name]
    assert config.to_dict()["architectures"] == [name]
    assert config == Config(head=CLASSES[name])


def test_the_known_classes_are_those_that_transformers_has() -> None:
    """No class of transformers' GPT-2 is missing, and none is made up."""
    ends = ("Model", "Classification", "Answering", "LMHeadModel")
    theirs = {name for name in dir(transformers) if name.startswith("GPT2") and name.endswith(ends)}
    assert set(CLASSES) == theirs - {"GPT2PreTrainedModel"}


def test_a_head_of_none_is_the_bare_body() -> None:
    """Python's None says the same as "none"."""
    assert Config(head=None).head == "none"


def test_intermediate_size_alone_is_refused_and_the_error_says_what_to_give() -> None:
    """GPT-2 does not read it, so a count that took it would be wrong, and one that passed it over would mislead."""
    error = fails(intermediate_size=37)
    assert str(error) == "GPT-2 does not read intermediate_size: give n_inner=37"
    assert (error.field, error.got) == ("intermediate_size", 37)


@pytest.mark.parametrize("spelling", ["n_inner", *SPELLINGS["n_inner"]])
def test_intermediate_size_is_passed_over_beside_n_inner(spelling: str) -> None:
    """Where the width that counts is given, in any spelling, the one that does not is harmless."""
    assert made(**{"intermediate_size": 37, spelling: 64}).dims.n_inner == 64
    assert made(**{spelling: 64, "intermediate_size": 37}).dims.n_inner == 64


@pytest.mark.parametrize(
    ("given", "multiple", "padded"),
    [(50257, 64, 50304), (50257, 128, 50304), (50257, 1024, 51200), (50304, 64, 50304), (50257, 1, 50257), (1, 64, 64)],
)
def test_a_vocabulary_is_padded_up_to_a_multiple(given: int, multiple: int, padded: int) -> None:
    """vocab_size stays as it was given; the dims hold the rows that the matrix has."""
    config = Config(vocab_size=given, pad_vocab_size_multiple=multiple)
    assert (config.vocab_size, config.dims.vocab_size) == (given, padded)


@pytest.mark.parametrize(
    ("fields", "biases"),
    [
        ({}, (1, 1)),
        ({"bias": False}, (0, 0)),
        ({"qkv_bias": False}, (1, 0)),
        ({"bias": False, "qkv_bias": True}, (0, 1)),
    ],
    ids=str,
)
def test_qkv_bias_follows_bias_unless_it_is_given(fields: dict[str, Any], biases: tuple[int, int]) -> None:
    """The two switches are independent once both are given."""
    dims = Config(**fields).dims
    assert (dims.bias, dims.qkv_bias) == biases


def configs() -> st.SearchStrategy[dict[str, Any]]:
    """Draw valid fields, each given or not, in canonical spelling."""
    whole, switch = st.integers(1, 10**12), st.booleans()
    return st.fixed_dictionaries(
        {},
        optional={
            "n_layer": st.integers(0, 200),
            "n_embd": whole.map(lambda n: 12 * n),
            "n_head": st.sampled_from([None, 1, 2, 3, 4, 6, 12]),
            "n_positions": whole,
            "vocab_size": whole,
            "n_inner": st.none() | st.integers(0, 10**12),
            "tie_word_embeddings": switch,
            "add_cross_attention": switch,
            "bias": switch,
            "qkv_bias": st.none() | switch,
            "pad_vocab_size_multiple": st.none() | st.integers(1, 10**6),
            "head": st.sampled_from(list(CLASSES.values())),
            "num_labels": st.integers(0, 1000),
            "summary_type": st.sampled_from(["cls_index", "last", "first", "mean"]),
            "summary_use_proj": switch,
            "summary_proj_to_labels": switch,
        },
    )


@given(fields=configs())
def test_to_dict_is_a_config_json_that_reads_back_as_the_same_config(fields: dict[str, Any]) -> None:
    """Writing to JSON and reading as a document is the identity."""
    config = Config(**fields)
    document = json.loads(json.dumps(config.to_dict()))
    back, _ = read(document)
    assert Config(**back) == config
    assert set(document) <= set(SPELLINGS) | {"model_type", "architectures"}
    assert document["model_type"] == "gpt2"


@given(fields=configs())
def test_to_dict_is_read_by_transformers_as_the_same_model(fields: dict[str, Any]) -> None:
    """What to_dict writes, transformers reads with the same sizes, save the switches that it does not have."""
    config = Config(**{**fields, "pad_vocab_size_multiple": None})
    theirs = transformers.GPT2Config.from_dict(config.to_dict())
    for field in ("n_layer", "n_embd", "n_positions", "vocab_size", "n_inner", "tie_word_embeddings", "num_labels"):
        assert getattr(theirs, field) == getattr(config, field), field


@given(fields=configs(), names=st.data())
def test_canonical_gives_the_same_fields_whatever_the_spellings(fields: dict[str, Any], names: st.DataObject) -> None:
    """Any mixture of spellings, in any order, comes out as the canonical fields."""
    spelled = {names.draw(st.sampled_from([field, *SPELLINGS[field]])): value for field, value in fields.items()}
    shuffled = dict(names.draw(st.permutations(list(spelled.items()))))
    assert canonical(shuffled) == fields
    assert Config(**shuffled) == Config(**fields)


def test_a_config_error_is_a_value_error_and_one_of_ours() -> None:
    """People who catch ValueError catch it, and so do those who catch everything of gpt2calc."""
    assert issubclass(ConfigError, ValueError)
    assert issubclass(ConfigError, Gpt2calcError)
    assert (ConfigError("no").field, ConfigError("no").got) == (None, None)


@pytest.mark.parametrize("value", [True, False])
def test_a_truth_value_of_numpy_is_one(value: bool) -> None:  # noqa: FBT001  # a parameter of the test
    """A switch read from an array is the switch that it says."""
    assert made(tied=np.bool_(value)).tie_word_embeddings is value
