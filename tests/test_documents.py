"""A config.json is read as whoever wrote it meant it; transformers itself is asked what a document of its own says."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import transformers
from hypothesis import given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc import ConfigError, UnreadableInputError, sources
from gpt2calc.config import Config
from gpt2calc.documents import read
from gpt2calc.fields import DEFAULTS, FIELDS, SPELLINGS
from gpt2calc.notations import in_json as parse
from gpt2calc.spellings import MARKS_OF_TRANSFORMERS
from tests.loops import of_each

DATA = Path(__file__).parent / "data"
FILES = sorted(path.name for path in DATA.glob("config_*.json"))
COMPARED = (
    "n_layer",
    "n_embd",
    "n_head",
    "n_positions",
    "vocab_size",
    "n_inner",
    "num_labels",
    "tie_word_embeddings",
    "add_cross_attention",
    "summary_type",
    "summary_use_proj",
    "summary_proj_to_labels",
)
"""What both read; every field that a count depends on is among them, and n_head."""

GPT2 = {"model_type": "gpt2", **DEFAULTS}


def document(name: str) -> dict[str, Any]:
    """Return a document of tests/data."""
    return parse((DATA / name).read_text(encoding="utf-8"))


def ours(config: dict[str, Any]) -> dict[str, Any]:
    """Return what gpt2calc reads in a document, what is not given being transformers' default."""
    fields, _ = read(config)
    defaults = {"n_head": 12} | {name: Config.model_fields[name].default for name in COMPARED if name != "n_head"}
    return {name: fields.get(name, defaults[name]) for name in COMPARED}


def theirs(config: dict[str, Any]) -> dict[str, Any]:
    """Return what transformers reads in a document."""
    built = transformers.GPT2Config.from_dict(dict(config))
    return {name: getattr(built, name) for name in COMPARED}


def notes(**changed: Any) -> tuple[str, ...]:
    """Return the notes on gpt2's own document, with these fields changed."""
    return read({**GPT2, **changed})[1]


def test_there_are_documents_to_read() -> None:
    """The folder holds what these tests are about."""
    assert len(FILES) >= 10


READABLE = {
    "config_2019.json": 124_439_808,
    "config_cerebras.json": 111_050_496,
    "config_classifier.json": 124_439_808 + 3 * 768,
    "config_hparams.json": 1_557_611_200,
    "config_hub_medium.json": 354_823_168,
    "config_transformers4.json": 124_439_808,
    "config_transformers5.json": 124_439_808,
    "config_transformers5_token_classifier.json": (
        512 * (50257 + 1024)
        + 6 * (4 * 512**2 + 2 * 512 * 1024 + 9 * 512 + 1024)
        + 2 * 512  # a GPT-2 with n_inner 1,024
        + 6 * (4 * 512**2 + 6 * 512)  # cross-attention
        + 9 * 513  # nine labels
    ),
    "config_two_widths.json": 12 * (12 * 1024**2 + 13 * 1024) + 1024 * (50257 + 2048 + 2),
}
REFUSED = {"config_bert.json"}
PARTS = {"config_captioner.json"}


def test_every_document_is_either_counted_or_refused_below() -> None:
    """No file of the folder is left out."""
    assert set(FILES) == set(READABLE) | REFUSED | PARTS


@pytest.mark.parametrize(("name", "total"), READABLE.items())
def test_a_whole_document_is_counted(name: str, total: int) -> None:
    """A config.json as it lies on the hub gives its model's exact total, unrelated fields and all."""
    assert gpt2calc.count(DATA / name).total == total
    assert gpt2calc.count(document(name)).total == total


@pytest.mark.parametrize("name", [name for name in READABLE if name != "config_hparams.json"])
def test_a_whole_document_is_read_as_transformers_reads_it(name: str) -> None:
    """Every field that both have is the same."""
    assert ours(document(name)) == theirs(document(name))


@pytest.mark.parametrize("name", [name for name in READABLE if name != "config_two_widths.json"])
def test_a_plain_document_needs_no_note(name: str) -> None:
    """Where nothing is ambiguous, nothing is said."""
    assert gpt2calc.count(DATA / name).notes == ()


def test_a_document_of_2019_counts_what_was_published_of_it() -> None:
    """GPT2-Chinese, written before model_type was, prints 81,894,144 for these sizes in its own README."""
    config = {**document("config_2019.json"), "n_layer": 10, "vocab_size": 13317}
    assert gpt2calc.count(config).total == 81_894_144


def test_where_two_widths_disagree_the_one_that_transformers_reads_is_counted_and_said() -> None:
    """hidden_size is set after n_embd and so wins; every field that is passed over has its note."""
    count = gpt2calc.count(DATA / "config_two_widths.json")
    assert (count.dims.n_embd, count.dims.n_layer, count.dims.n_positions) == (1024, 12, 2048)
    assert count.notes == (
        "num_hidden_layers=12 is read, as transformers does, and n_layer=6 is not",
        "hidden_size=1024 is read, as transformers does, and n_embd=768 is not",
        "max_position_embeddings=2048 is read, as transformers does, and n_positions=1024 is not",
        "max_position_embeddings=2048 is read, as transformers does, and n_ctx=512 is not",
    )


def test_a_bert_is_refused_by_name() -> None:
    """The error names the model type that it is and those that are known, and the file."""
    with pytest.raises(UnreadableInputError) as caught:
        gpt2calc.count(DATA / "config_bert.json")
    assert caught.value.problem.startswith("model_type 'bert' is not counted: ")
    assert caught.value.path == os.fspath(DATA / "config_bert.json")


def test_a_captioner_is_counted_by_its_decoder_and_the_rest_told() -> None:
    """A vision-encoder-decoder is two models, of which one is a GPT-2 with cross-attention."""
    count = gpt2calc.count(document("config_captioner.json"))
    assert count.total == 152_806_656
    assert count.notes[0].startswith("the decoder of this vision-encoder-decoder is counted alone; left out: the enc")


@pytest.mark.parametrize("model_type", ["openai-gpt", "gpt_neo", "gptj", "gpt_bigcode", "GPT2", "", 2, []], ids=repr)
def test_another_model_type_is_refused(model_type: object) -> None:
    """Whatever looks like a GPT-2 but is not one is refused, sizes and all."""
    with pytest.raises(ConfigError) as caught:
        read({**GPT2, "model_type": model_type})
    assert str(caught.value) == f"model_type is {model_type!r}, expected 'gpt2'"


def native() -> st.SearchStrategy[dict[str, Any]]:
    """Draw documents of transformers: native fields, mapped ones, labels, unrelated fields, in any order."""
    size, switch = st.integers(1, 10**6), st.booleans()
    some: dict[str, st.SearchStrategy[Any]] = {
        name: st.integers(0 if field == "n_layer" else 1, 5000)
        for field in ("n_layer", "n_embd", "n_head", "n_positions")
        for name in FIELDS[field].read_by_transformers
    }
    some |= {
        "vocab_size": size,
        "n_inner": st.none() | st.integers(0, 10**6),
        "tie_word_embeddings": switch,
        "add_cross_attention": switch,
        "summary_use_proj": switch,
        "summary_proj_to_labels": switch,
        "summary_type": st.sampled_from(["cls_index", "last", "first", "mean"]),
        "num_labels": st.integers(2, 9),
        "id2label": st.none() | st.integers(2, 9).map(lambda n: {str(label): f"LABEL_{label}" for label in range(n)}),
        "transformers_version": st.just("4.40.0"),
        "architectures": st.sampled_from([["GPT2LMHeadModel"], ["GPT2Model"], ["GPT2ForSequenceClassification"], None]),
        "task_specific_params": st.just({"text-generation": {"do_sample": True}}),
        "use_cache": switch,
        "resid_pdrop": st.floats(0, 1),
        "intermediate_size": size,
        "attn_pdrop": st.floats(0, 1),
    }
    drawn = st.fixed_dictionaries({"model_type": st.just("gpt2")}, optional=some)
    return drawn.flatmap(lambda config: st.permutations(list(config.items()))).map(dict)


@given(config=native())
def test_a_document_is_read_as_transformers_reads_it_in_any_order(config: dict[str, Any]) -> None:
    """For every mixture of native and mapped names, in every order of keys, both read the same."""
    assert ours(config) == theirs(config)


@given(config=native(), more=st.data())
def test_a_spelling_that_transformers_does_not_know_never_wins_over_one_it_does(
    config: dict[str, Any], more: st.DataObject
) -> None:
    """Beside a name that transformers reads, every other spelling is passed over, wherever it stands."""
    given_fields = [field for field in SPELLINGS if {field, *FIELDS[field].read_by_transformers} & set(config)]
    others = {
        name: more.draw(st.integers(1, 99))
        for field in given_fields
        for name in SPELLINGS[field]
        if name not in FIELDS[field].read_by_transformers and more.draw(st.booleans())
    }
    mixed = dict(more.draw(st.permutations(list({**config, **others}.items()))))
    assert ours(mixed) == theirs(config)


@pytest.mark.parametrize("name", ["n_ctx", "block_size", "context_length", "seq_len"])
def test_where_only_another_spelling_is_given_it_is_counted_and_said(name: str) -> None:
    """A person who wrote it means it, and is told that transformers would count its default of 1,024."""
    config = {name: value for name, value in GPT2.items() if name != "n_positions"} | {name: 2048}
    fields, said = read(config)
    assert fields["n_positions"] == 2048
    assert said == (f"transformers itself would not read {name}=2048; it is counted as given",)
    assert theirs(config)["n_positions"] == 1024


def test_labels_of_transformers_win_over_a_number_under_another_name() -> None:
    """id2label is what transformers reads, and n_labels is not."""
    labelled = {**GPT2, "id2label": {"0": "a", "1": "b", "2": "c"}, "n_labels": 5}
    assert ours(labelled)["num_labels"] == theirs(labelled)["num_labels"] == 3


@pytest.mark.parametrize(
    ("labels", "number"),
    [({"0": "a", "1": "b", "2": "c"}, 3), ({"0": "LABEL_0"}, 1), (None, 2)],
    ids=["three labels", "one label", "null"],
)
def test_the_number_of_labels_comes_from_id2label(labels: dict[str, str] | None, number: int) -> None:
    """A fine-tuned classifier's labels are counted, and without labels there are two."""
    classifier = {**GPT2, "architectures": ["GPT2ForSequenceClassification"], "id2label": labels}
    count = gpt2calc.count(classifier)
    assert count["score"].total == number * 768
    assert theirs(classifier)["num_labels"] == number


@pytest.mark.parametrize("mark", MARKS_OF_TRANSFORMERS)
def test_any_one_mark_makes_it_a_document_of_transformers(mark: str) -> None:
    """With a mark, two sizes that disagree are read as transformers does; without one, they are refused."""
    typed = {"n_positions": 1024, "n_ctx": 512, "something_of_theirs": 3}
    value = {"model_type": "gpt2", "architectures": ["GPT2LMHeadModel"], "transformers_version": "4.40.0"}.get(mark)
    assert gpt2calc.count({**typed, mark: value}).dims.n_positions == 1024
    with pytest.raises(ConfigError):
        gpt2calc.count(typed)


def test_a_preset_file_is_a_document_and_what_is_ours_in_it_is_passed_over() -> None:
    """The key gpt2calc holds aliases and sources, and is no field, with marks and without."""
    assert gpt2calc.count({**GPT2, "gpt2calc": {"aliases": ["small"]}}).total == 124_439_808
    assert gpt2calc.count({**DEFAULTS, "gpt2calc": {"aliases": ["small"]}}).total == 124_439_808


@of_each(
    "changed, said",
    [
        pytest.param({}, (), id="nothing to say"),
        pytest.param({"n_ctx": 1024}, (), id="a second spelling that agrees"),
        pytest.param(
            {"n_ctx": 512},
            ("n_positions=1024 is read, as transformers does, and n_ctx=512 is not",),
            id="n_ctx differs",
        ),
        pytest.param(
            {"bias": False},
            ("transformers itself would not read bias=False; it is counted as given",),
            id="nanoGPT's switch",
        ),
        pytest.param(
            {"qkv_bias": False},
            ("transformers itself would not read qkv_bias=False; it is counted as given",),
            id="Raschka's switch",
        ),
        pytest.param(
            {"d_ff": 64},
            ("transformers itself would not read d_ff=64; it is counted as given",),
            id="another's n_inner",
        ),
        pytest.param(
            {"intermediate_size": 37},
            ("intermediate_size=37 is not read by GPT-2; n_inner is what counts",),
            id="intermediate_size",
        ),
        pytest.param({"intermediate_size": 64, "n_inner": 64}, (), id="intermediate_size that agrees with n_inner"),
        pytest.param({"architectures": ["TFGPT2LMHeadModel"]}, (), id="a class of transformers 4 in TensorFlow"),
        pytest.param({"architectures": None}, (), id="no class"),
        pytest.param({"architectures": []}, (), id="an empty list of classes"),
        pytest.param({"architectures": ["Mine", "GPT2Model"]}, (), id="one class known"),
    ],
)
def test_notes_say_what_a_reader_should_know(changed: dict[str, Any], said: tuple[str, ...]) -> None:
    """Each note is one sentence about one field, and there is none where nothing is to be said."""
    assert notes(**changed) == said


def test_sizes_that_are_not_given_are_said() -> None:
    """A document that leaves a size out is counted with transformers' default, which is named."""
    _, said = read({"model_type": "gpt2"})
    assert said == (
        "n_layer is not given; transformers' default 12 is counted",
        "n_embd is not given; transformers' default 768 is counted",
        "n_positions is not given; transformers' default 1024 is counted",
        "vocab_size is not given; transformers' default 50257 is counted",
    )
    for name, value in DEFAULTS.items():
        assert theirs({"model_type": "gpt2"})[name] == value


@pytest.mark.parametrize("got", ["GPT2LMHeadModel", [1], {"a": 1}, 3], ids=repr)
def test_architectures_that_are_no_list_of_names_are_refused(got: object) -> None:
    """The error shows what stands there."""
    with pytest.raises(ConfigError) as caught:
        read({**GPT2, "architectures": got})
    assert str(caught.value) == f"architectures must be a list of class names, got {got!r}"
    assert caught.value.field == "architectures"


def test_the_head_of_a_document_is_its_first_class() -> None:
    """GPT2Model has no head, and a document without classes is counted as a language model."""
    assert read({**GPT2, "architectures": ["GPT2Model"]})[0]["head"] == "none"
    assert "head" not in read(GPT2)[0]
    assert gpt2calc.count(GPT2, tied=False).total == 163_037_184
    assert gpt2calc.count({**GPT2, "architectures": ["GPT2Model"]}, tied=False).total == 124_439_808


@of_each(
    "text, problem",
    [
        pytest.param("", "not JSON: Expecting value at line 1, column 1", id="an empty file"),
        pytest.param(" \n\t", "not JSON: Expecting value at line 2, column 2", id="white space"),
        pytest.param("n_layer: 12", "not JSON: Expecting value at line 1, column 1", id="YAML"),
        pytest.param('{"n_layer": 12', "not JSON: Expecting ',' delimiter at line 1, column 15", id="cut off"),
        pytest.param("{'n_layer': 12}", None, id="Python's quotes"),
        pytest.param('{"n_layer": 12,}', None, id="a comma too many"),
        pytest.param('{"n_layer": 12} // deep', None, id="a comment"),
        pytest.param('{"n_layer": 12}{"n_layer": 12}', None, id="two objects"),
        pytest.param("PK\x03\x04", "not JSON: Expecting value at line 1, column 1", id="a zip file"),
        pytest.param("[]", 'expected a JSON object such as {"n_layer": 12}, got a JSON array', id="an array"),
        pytest.param("12", 'expected a JSON object such as {"n_layer": 12}, got a JSON number', id="a number"),
        pytest.param("1.5", 'expected a JSON object such as {"n_layer": 12}, got a JSON number', id="a fraction"),
        pytest.param('"gpt2"', 'expected a JSON object such as {"n_layer": 12}, got a JSON string', id="a string"),
        pytest.param("null", 'expected a JSON object such as {"n_layer": 12}, got a JSON null', id="null"),
        pytest.param("true", 'expected a JSON object such as {"n_layer": 12}, got a JSON boolean', id="true"),
        pytest.param("NaN", 'expected a JSON object such as {"n_layer": 12}, got a JSON number', id="not a number"),
        pytest.param(
            '{"n_layer": 1, "n_layer": 2}', "n_layer is given twice, as 1 and as 2", id="a key with two values"
        ),
        pytest.param("[" * 100_000, "not a config: its JSON is nested too deeply", id="100,000 open brackets"),
        pytest.param('{"a":' * 100_000, "not a config: its JSON is nested too deeply", id="100,000 open braces"),
        pytest.param(
            '{"n_layer": 1, "a": ' + "[" * 100_000 + "]" * 100_000 + "}",
            "not a config: its JSON is nested too deeply",
            id="100,000 arrays in a field that nobody reads",
        ),
        pytest.param(
            '{"n_layer": ' + "9" * 5000 + "}",
            "not a config: it holds a number of more than 4,300 digits",
            id="5,000 digits",
        ),
        pytest.param('{"n_layer": ' + "9" * 1001 + "}", "n_layer must have at most 1000 digits", id="1,001 digits"),
        pytest.param('{"n_layer": NaN}', "n_layer must be a whole number, 0 or more, got nan", id="a size that is NaN"),
        pytest.param('{"n_layer": 1e-3}', "n_layer must be a whole number, 0 or more, got 0.001", id="a size as 1e-3"),
        pytest.param('{"n_layer": 1e999}', "n_layer must be a whole number, 0 or more, got inf", id="a size as 1e999"),
        pytest.param(
            '{"n_layer": null}', "n_layer must be a whole number, 0 or more, got null", id="a size that is null"
        ),
    ],
)
def test_a_text_that_is_no_config_is_refused_with_what_is_wrong(text: str, problem: str | None) -> None:
    """The error names the file and says in one line what is wrong with it and where."""
    with pytest.raises(UnreadableInputError) as caught:
        sources.from_text(text, "some.json")
    assert caught.value.path == "some.json"
    assert caught.value.problem.startswith("not JSON: ") if problem is None else caught.value.problem == problem
    assert str(caught.value) == f"some.json: {caught.value.problem}"


def test_a_key_with_one_value_twice_passes() -> None:
    """What is said twice and the same is no contradiction."""
    assert parse('{"n_layer": 1, "n_layer": 1}') == {"n_layer": 1}


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(b'\xef\xbb\xbf{"n_layer": 24, "n_embd": 1024}', id="a byte order mark, as Windows editors write"),
        pytest.param(b'{"n_layer": 24, "n_embd": 1024}\r\n', id="line ends of Windows"),
        pytest.param(b'\n\n  {"n_layer": 24, "n_embd": 1024}\n', id="white space around it"),
        pytest.param('{"n_layer": 24, "n_embd": 1024, "name": "größe"}'.encode(), id="letters beyond ASCII"),
    ],
)
def test_the_bytes_of_a_config_are_read(content: bytes) -> None:
    """UTF-8 is read with and without a mark."""
    assert sources.from_bytes(content, "some.json").dims.n_layer == 24


@pytest.mark.parametrize(
    ("content", "offset"),
    [
        pytest.param('{"n_layer": 24}'.encode("utf-16"), 0, id="UTF-16 with its mark"),
        pytest.param('{"name": "größe"}'.encode("latin-1"), 12, id="Latin-1"),
        pytest.param(b'{"n_layer": 24}\xff', 15, id="a stray byte at the end"),
        pytest.param(b"\x80\x02}q\x00.", 0, id="a pickle"),
    ],
)
def test_bytes_that_are_no_utf_8_are_refused_with_where(content: bytes, offset: int) -> None:
    """The error says what was expected and at which byte it ends."""
    with pytest.raises(UnreadableInputError) as caught:
        sources.from_bytes(content, "some.json")
    assert caught.value.problem == f"expected a config.json in UTF-8, got other bytes at offset {offset}"


def test_utf_16_without_its_mark_is_refused() -> None:
    """Every other byte is a zero, which is valid UTF-8 and no JSON."""
    with pytest.raises(UnreadableInputError, match="not JSON"):
        sources.from_bytes('{"n_layer": 24}'.encode("utf-16-le"), "some.json")


@pytest.mark.parametrize(
    "hostile",
    [
        pytest.param({"n_lay\ner\x1b[31m": 1}, id="an unknown field with a line end and a colour in its name"),
        pytest.param({**GPT2, "n_ctx": "5\n\x1b[31m"}, id="a spelling that is not read with a line end in its value"),
        pytest.param({**GPT2, "architectures": ["Bert\n\x1b[31m"]}, id="a class with a line end in its name"),
        pytest.param({**GPT2, "num_experts\n\x1b[31m": 8}, id="a field of another architecture with a line end"),
        pytest.param({**GPT2, "mood\n\x1b[31m": 8}, id="a field of nobody with a line end"),
        pytest.param({**GPT2, "in\n\x1b[31m": {"n_layer": 2}}, id="an object with sizes with a line end in its name"),
        pytest.param({"n_ctx": "5\n\x1b[31m", "n_positions": 5}, id="two spellings that disagree, one with a line end"),
        pytest.param({**GPT2, "model_type": "gpt\n\x1b[31m"}, id="a model type with a line end"),
        pytest.param({**GPT2, "intermediate_size": "5\n\x1b[31m"}, id="a field that is not read with a line end"),
    ],
)
def test_what_a_document_says_never_breaks_a_line_or_colours_a_terminal(hostile: dict[str, Any]) -> None:
    """Notes and errors show a document's own words printably, each in one line."""
    try:
        said = gpt2calc.count(hostile).notes
    except ConfigError as error:
        said = (str(error),)
    assert said
    assert [line for line in said if not line.isprintable()] == []


def test_a_long_value_in_a_document_makes_no_long_note() -> None:
    """A megabyte where a number should stand is cut off in the note on it."""
    (said,) = notes(n_ctx="x" * 10**6)
    assert len(said) < 400


@pytest.mark.parametrize("key", [1, None, ("n_layer",)], ids=repr)
def test_a_mapping_whose_keys_are_no_words_is_refused(key: object) -> None:
    """Python takes any key; a config takes names."""
    with pytest.raises(ConfigError):
        gpt2calc.count({key: 12})  # type: ignore[dict-item]


def test_reading_leaves_the_document_as_it_was() -> None:
    """Nothing is put into what a person passes."""
    before = document("config_two_widths.json")
    given_one = json.loads(json.dumps(before))
    gpt2calc.count(given_one, n_layer=3)
    assert given_one == before


def test_the_defaults_of_a_document_are_those_of_a_config() -> None:
    """One number stands in two files, and is the same."""
    assert {name: Config.model_fields[name].default for name in DEFAULTS} == DEFAULTS
