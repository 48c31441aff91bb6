"""The models that ship: each file is valid, sourced and read alike by transformers; each published count comes out."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import transformers

import gpt2calc
from gpt2calc import UnknownNameError, presets
from gpt2calc.config import Config
from gpt2calc.dims import from_fields
from gpt2calc.documents import read
from gpt2calc.fields import CLASSES, DEFAULTS, OURS, SPELLINGS
from gpt2calc.notations import in_json as parse
from gpt2calc.preset_index import INDEX
from tests.loops import of_each
from tests.wide import IS_WIDE

if TYPE_CHECKING:
    from tests.conftest import Run

NAMES = presets.names()
FAMILY = Path(__file__).parent / "data" / "gpt2_family.jsonl"
ROWS: list[dict[str, Any]] = [json.loads(line) for line in FAMILY.read_text(encoding="utf-8").splitlines()]
RELEASED = {"small": 124_439_808, "medium": 354_823_168, "large": 774_030_080, "xl": 1_557_611_200}
SOURCE = re.compile(r"https://[a-z0-9.-]+\.[a-z]+/\S+|arXiv:\d{4}\.\d{5}\b.*")


def text_of(name: str) -> str:
    """Return the file of a preset."""
    return (Path(presets.folder()) / f"{name}.json").read_text(encoding="utf-8")


def test_there_are_presets() -> None:
    """The folder is found, and holds what people ask for."""
    assert len(NAMES) >= 40
    assert {"gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "distilgpt2", "nanogpt", "gpt3-175B", "tiny-gpt2"} <= set(
        NAMES
    )
    assert len(gpt2calc.models()) == len(NAMES)


def test_there_are_published_counts() -> None:
    """The file of published models is read, all of it."""
    assert len(ROWS) == 25
    assert len({row["id"] for row in ROWS}) == 25


@of_each("name", NAMES)
def test_a_preset_is_a_valid_config(name: str) -> None:
    """What skips pydantic at run time passes it here, and comes to the same dims."""
    preset = presets.load(name)
    config = Config(**preset.fields)
    assert config.dims == preset.dims == from_fields(preset.fields)
    assert config.n_head, "a preset says how many heads it has, though no count depends on it"
    assert set(preset.fields) <= set(SPELLINGS), "a preset is written in canonical spelling"


@of_each("name", NAMES)
def test_a_preset_is_a_document_that_anyone_can_count(name: str) -> None:
    """Its file, read as any config.json is, gives the same count: nothing about a preset is special."""
    document = parse(text_of(name))
    fields, _ = read(document)
    assert Config(**fields).dims == presets.load(name).dims
    assert document["model_type"] == "gpt2"
    assert len(document["architectures"]) == 1
    assert document["architectures"][0] in CLASSES


@of_each("name", NAMES)
def test_a_preset_loads_in_transformers_with_the_same_sizes(name: str) -> None:
    """GPT2Config reads the file as gpt2calc does."""
    document = parse(text_of(name))
    preset = presets.load(name)
    theirs = transformers.GPT2Config.from_dict({key: value for key, value in document.items() if key != OURS})
    for field in ("n_layer", "n_embd", "n_head", "n_positions", "vocab_size", "n_inner", "tie_word_embeddings"):
        assert getattr(theirs, field) == preset.fields[field], field
    assert int(theirs.add_cross_attention) == preset.dims.add_cross_attention
    assert theirs.num_labels == preset.dims.num_labels
    assert theirs.n_embd % theirs.n_head == 0


def test_what_no_model_is_named_for_is_gpt2() -> None:
    """The defaults of the table of fields are the shipped gpt2, so that its file need not be read."""
    assert from_fields(DEFAULTS) == presets.load("gpt2").dims


def test_no_two_presets_answer_to_one_name() -> None:
    """Names and aliases are unique, whatever the case."""
    spoken = [word.casefold() for preset in gpt2calc.models() for word in (preset.name, *preset.aliases)]
    assert sorted(spoken) == sorted(set(spoken))


@of_each("name", NAMES)
def test_a_preset_answers_to_its_name_and_every_alias_in_any_case(name: str) -> None:
    """All of them lead to the one preset."""
    preset = presets.load(name)
    for word in (preset.name, *preset.aliases):
        for spoken in (word, word.upper(), word.lower()):
            assert presets.load(spoken) == preset


@of_each("name", NAMES)
def test_a_preset_says_where_it_comes_from_and_what_it_is(name: str) -> None:
    """The source is an address or a paper; the summary is one phrase; what was published is a figure or nothing."""
    preset = presets.load(name)
    assert SOURCE.fullmatch(preset.source), preset.source
    assert preset.summary
    assert preset.summary.isprintable()
    assert not preset.summary.endswith(".")
    assert preset.published is None or re.fullmatch(r"\d+(\.\d+)?[MB]", preset.published)
    assert preset.note is None or preset.note.endswith(".")


@pytest.mark.parametrize(("alias", "total"), RELEASED.items())
def test_the_four_released_models_answer_to_their_sizes(alias: str, total: int) -> None:
    """small, medium, large and xl are what the article counts."""
    assert gpt2calc.count(alias).total == gpt2calc.count(presets.load(alias).name).total == total


def test_names_are_in_alphabetical_order_whatever_the_case() -> None:
    """A person finds a name where it is looked for."""
    assert list(NAMES) == sorted(NAMES, key=str.casefold)


def test_models_are_listed_with_gpt2s_own_first_and_each_family_by_size() -> None:
    """What most people look for stands on top, and below it each family goes from the smallest to the largest."""
    listed = [preset.name for preset in gpt2calc.models()]
    assert listed[:4] == ["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl"]
    assert sorted(listed, key=str.casefold) == list(NAMES)
    cerebras = [gpt2calc.count(name).total for name in listed if name.startswith("Cerebras")]
    assert len(cerebras) == 7
    assert cerebras == sorted(cerebras)


def test_an_unknown_name_is_answered_with_the_nearest() -> None:
    """The error lists names and aliases as attributes, and says the nearest."""
    with pytest.raises(UnknownNameError, match="did you mean gpt2-medium") as caught:
        presets.load("gpt2-mediun")
    assert (caught.value.kind, caught.value.name) == ("model", "gpt2-mediun")
    assert {"gpt2", "small", "xl"} <= set(caught.value.known)


@pytest.mark.parametrize("word", ["../configs/gpt2", "gpt2.json", "", ".", "/", "gpt2\0"], ids=repr)
def test_a_preset_is_found_by_name_and_never_by_path(word: str) -> None:
    """What is no name reaches no file."""
    assert presets.find(word) is None


def test_the_folder_inside_the_package_wins_where_it_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Installed, the presets lie in the package; in a clone, beside it."""
    (tmp_path / "package").mkdir()
    monkeypatch.setattr(presets, "_HERE", str(tmp_path / "package"))
    assert presets.folder() == str(tmp_path / "configs")
    (tmp_path / "package" / "configs").mkdir()
    assert presets.folder() == str(tmp_path / "package" / "configs")


def test_the_index_is_of_the_files_that_ship() -> None:
    """Each file with its model type and its aliases, and no other; `make docs` writes it."""
    assert presets.files() == INDEX
    assert len(presets.names()) + len(presets.names(presets.OTHERS)) == len(INDEX)


@pytest.mark.parametrize("name", ["gpt2-xl", "SMALL", "llama-3.1-8b", "mistralai/Mistral-7B-v0.1"])
def test_one_model_is_one_file_opened(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever of its names is asked for, in whatever case; a name that is none opens no file, and lists no folder."""
    opened: list[str] = []

    def watched(path: str, *rest: Any, **named: Any) -> Any:
        opened.append(path)
        return open(path, *rest, **named)

    def listed(path: str) -> None:
        raise AssertionError(f"{path} is listed")

    monkeypatch.setattr(presets, "open", watched, raising=False)
    monkeypatch.setattr("os.listdir", listed)
    assert gpt2calc.count(name).name == presets.load(name).name
    assert len(opened) == 2
    assert len(set(opened)) == 1
    assert presets.find("no-such-model") is None
    assert len(presets.spoken()) > len(INDEX) > len(opened) == 2


def published(row: dict[str, Any]) -> dict[str, int]:
    """Return the counts that a row of the family publishes, by the names they have here."""
    return {
        "tied": row["exact_tied"],
        "untied": row["exact_untied"],
        "without_wpe": row["exact_no_position"],
        "without_embeddings": row["non_embedding"],
        "kaplan": row["non_embedding_weights_only"],
        "stored_with_masks": row["with_mask_buffers"],
        "attention": row["attention"],
        "mlp": row["mlp"],
        "layer_norm": row["layernorm"],
    }


def given(row: dict[str, Any]) -> dict[str, Any]:
    """Return a row's fields as a person would type them: what GPT-2 does not read is left out."""
    return {name: value for name, value in row["config"].items() if name != "intermediate_size"}


@of_each("row", ROWS)
def test_a_published_model_has_every_published_count(row: dict[str, Any]) -> None:
    """From its fields alone, every convention and every group comes out exactly."""
    count = gpt2calc.count(**given(row))
    groups = {name: count.groups[name].total for name in ("attention", "mlp", "layer_norm")}
    ours = {**count.conventions, **groups}
    assert {name: ours[name] for name in published(row)} == published(row)
    assert count.total == row["exact_tied"]


@of_each("row", ROWS)
def test_a_published_model_has_every_published_count_on_the_command_line(row: dict[str, Any], run: Run) -> None:
    """Its config as JSON on standard input gives the same numbers as JSON on standard output."""
    typed = {"model_type": "gpt2", **row["config"]}
    ran = run("count", "-", "--json", stdin=json.dumps(typed).encode())
    assert ran.code == 0
    shown = json.loads(ran.stdout)
    ours = {**shown["conventions"], **{group["name"]: group["total"] for group in shown["groups"]}}
    assert {name: ours[name] for name in published(row)} == published(row)
    assert shown["total"] == row["exact_tied"]


@of_each("row", ROWS)
def test_a_published_model_is_among_the_presets_by_its_sizes(row: dict[str, Any]) -> None:
    """Every published config ships, under whatever name."""
    sizes = gpt2calc.count(**given(row)).dims.sizes
    assert sizes in {preset.dims.sizes for preset in gpt2calc.models()}


# ---------------------------------------------------------------- other architectures

OTHERS = {
    "aya-23-8B": 8_028_033_024,
    "CodeLlama-13B": 13_016_028_160,
    "CodeLlama-34B": 33_744_232_448,
    "CodeLlama-7B": 6_738_546_688,
    "DeepSeek-V3": 671_026_404_352,
    "DeepSeek-V3.2": 671_877_929_216,
    "falcon-40b": 41_303_293_952,
    "gemma-2-27b": 27_227_128_320,
    "gemma-2-2b": 2_614_341_888,
    "gemma-2-9b": 9_241_705_984,
    "gemma-2b": 2_506_172_416,
    "gemma-3-1b": 999_885_952,
    "gemma-4-26B-A4B": 25_233_141_760,
    "gemma-4-31B": 30_697_345_280,
    "GLM-5": 743_911_199_232,
    "gpt-j-6b": 6_050_882_784,
    "gpt-oss-120b": 116_829_156_672,
    "gpt-oss-20b": 20_914_757_184,
    "Jamba-v0.1": 51_570_323_328,
    "Kimi-K2": 1_026_408_209_408,
    "Llama-2-13B": 13_015_864_320,
    "Llama-2-70B": 68_976_648_192,
    "Llama-2-7B": 6_738_415_616,
    "Llama-3.1-405B": 405_853_388_800,
    "Llama-3.1-70B": 70_553_706_496,
    "Llama-3.1-8B": 8_030_261_248,
    "Llama-3.2-1B": 1_235_814_400,
    "Llama-3.2-3B": 3_212_749_824,
    "Llama-4-Maverick": 400_711_848_960,
    "Llama-4-Scout": 107_769_861_120,
    "Mamba-Codestral-7B": 7_285_403_648,
    "MiniMax-M2.5": 228_689_748_992,
    "Mistral-7B": 7_241_732_096,
    "Mistral-7B-v0.3": 7_248_023_552,
    "Mistral-Small-24B": 23_572_403_200,
    "Mixtral-8x22B": 140_620_634_112,
    "Mixtral-8x7B": 46_702_792_704,
    "Nemotron-3-Nano-30B-A3B": 31_577_937_344,
    "Nemotron-3-Super-120B-A12B": 120_668_687_360,
    "OLMo-2-13B": 13_716_198_400,
    "OLMo-2-32B": 32_234_279_936,
    "OLMo-2-7B": 7_298_617_344,
    "Phi-3.5-mini": 3_821_079_552,
    "Phi-4-mini": 3_836_021_760,
    "pythia-12b": 11_846_072_320,
    "pythia-6.9b": 6_857_302_016,
    "Qwen1.5-MoE-A2.7B": 14_315_784_192,
    "Qwen2-0.5B": 494_032_768,
    "Qwen2-1.5B": 1_543_714_304,
    "Qwen2-57B-A14B": 57_408_658_944,
    "Qwen2-7B": 7_615_616_512,
    "Qwen2.5-32B": 32_763_876_352,
    "Qwen2.5-3B": 3_085_938_688,
    "Qwen3-0.6B": 596_049_920,
    "Qwen3-1.7B": 1_720_574_976,
    "Qwen3-235B-A22B": 235_093_634_560,
    "Qwen3-30B-A3B": 30_532_122_624,
    "Qwen3-32B": 32_762_123_264,
    "Qwen3-8B": 8_190_735_360,
    "Qwen3-Coder-480B-A35B": 480_154_875_392,
    "Qwen3.5-122B-A10B": 122_111_526_912,
    "Qwen3.5-27B": 26_895_998_464,
    "Qwen3.5-35B-A3B": 34_660_610_688,
    "Qwen3.5-397B-A17B": 396_346_350_336,
    "RedPajama-INCITE-3B": 2_775_864_320,
    "SmolLM-1.7B": 1_711_376_384,
    "SmolLM2-135M": 134_515_008,
    "SmolLM2-360M": 361_821_120,
    "stablelm-2-zephyr-1_6b": 1_644_515_328,
    "starcoder2-7b": 7_173_923_840,
    "TinyLlama-1.1B": 1_100_048_384,
}
"""What transformers 5.23 builds from each config."""


def test_the_models_of_other_architectures_have_the_counts_that_transformers_builds() -> None:
    """By name and by every alias, in any case; their files hold nothing that a count does not read or know."""
    assert {preset.name: gpt2calc.count(preset.name).total for preset in presets.others()} == OTHERS
    for preset in presets.others():
        assert SOURCE.fullmatch(preset.source)
        assert {gpt2calc.count(alias.swapcase()).total for alias in preset.aliases} == {OTHERS[preset.name]}
        assert not [note for note in preset.notes if "does not read" in note or "not given" in note]


NO_READING = {
    ("Llama-2-70B", "70B"): "it is 69.0B, and 68.7B without the embeddings",
    ("Qwen2.5-32B", "32.5B"): "it is 32.8B, and 32.0B without the embeddings",
}
"""Figures that makers print of their models, and that no way of counting gives, with what ways give."""


def test_a_published_figure_is_explained_by_a_reading() -> None:
    """Of the model itself: what it holds, or what a token passes of it.

    By default that is asked of every third model, and of those that have a figure that no way gives.
    """
    odd = {name for name, _ in NO_READING}
    some = [each for place, each in enumerate(presets.others()) if IS_WIDE or place % 3 == 0 or each.name in odd]
    unexplained = {
        (each.name, figure)
        for each in some
        for figure in (each.published, each.published_active)
        if figure and not list(gpt2calc.explain(figure, each.name))
    }
    assert unexplained == NO_READING.keys()


def test_no_two_models_that_ship_have_a_name_in_common() -> None:
    """In any case, whatever their architectures."""
    spoken = [name.casefold() for name in presets.spoken()]
    assert len(set(spoken)) == len(spoken)


def test_other_architectures_are_listed_and_their_fields_can_be_changed(run: Run) -> None:
    """After the GPT-2s; and a question that is for those alone refuses in a sentence."""
    assert run("models", "-q").stdout.split()[-len(OTHERS) :] == list(OTHERS)
    assert run("count", "-q", "mistral-7b", "--num-hidden-layers", "40").stdout == "8986628096\n"
    refused = run("plot", "growth", "mistral-7b", "--n-layer", "6:9")
    assert (refused.code, refused.stdout) == (2, "")
    assert "is for GPT-2-shaped models alone so far" in refused.stderr
