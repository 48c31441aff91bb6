"""What a printed figure counts: published figures are explained, and accidents are not."""

from __future__ import annotations

import json
from collections import Counter
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc import conventions, presets
from gpt2calc.config import Config
from gpt2calc.errors import ConfigError, UnknownNameError
from gpt2calc.explanation import lattice, printed, readings, report
from gpt2calc.explanation.readings import EXPLAINED, MODEL_BUDGET, PERHAPS, VERDICTS, Search
from tests.loops import of_each
from tests.property.strategies import SWITCHES, canonical_fields, tried

if TYPE_CHECKING:
    from gpt2calc.dims import Dims
    from gpt2calc.explanation.readings import Reading
    from tests.conftest import Run

DATA = Path(__file__).parent / "data" / "published_numbers.jsonl"
PUBLISHED: list[dict[str, Any]] = [json.loads(line) for line in DATA.read_text(encoding="utf-8").splitlines()]
PRESETS = presets.models()
AXES = lattice.axes(PRESETS)
SHIPPED = readings.shipped(PRESETS)
WRONG = [row for row in PUBLISHED if row["status"] == "wrong"]
RIGHT = [row for row in PUBLISHED if row not in WRONG]
PRECISE = [row for row in RIGHT if len(row["figure"].replace(".", "").rstrip(" MGBi")) >= 3]


def named(row: dict[str, Any]) -> str:
    """Return the id of a published figure."""
    return f"{row['figure']} of {row['fields']['n_layer']}x{row['fields']['n_embd']}"


def test_there_are_published_figures_of_every_kind() -> None:
    """The file is read, all of it, each row with its source."""
    assert len(PUBLISHED) >= 40
    assert {row["status"] for row in PUBLISHED} == {"exact", "rounds", "truncates", "with a header", "wrong"}
    assert all(row["source"] for row in PUBLISHED)
    assert len(PRECISE) > len(RIGHT) - 8


@pytest.mark.parametrize("row", PUBLISHED, ids=named)
def test_a_published_figure_is_explained_where_the_model_is_given(row: dict[str, Any]) -> None:
    """The number and the convention that gave it come first."""
    best = gpt2calc.explain(row["figure"], row["fields"])[0]
    assert (best.value, best.convention) == (row["value"], row["convention"])


@pytest.mark.parametrize("row", PRECISE, ids=named)
def test_a_published_figure_is_explained_where_no_model_is_given(row: dict[str, Any]) -> None:
    """The number is among the first three, for figures of three digits or more."""
    assert row["value"] in [each.value for each in gpt2calc.explain(row["figure"])][:3]


@pytest.mark.parametrize("row", WRONG, ids=named)
def test_a_figure_that_is_wrong_is_not_explained(row: dict[str, Any]) -> None:
    """The formula behind it is found, and is said not to be exact."""
    for answer in (gpt2calc.explain(row["figure"], row["fields"]), gpt2calc.explain(row["figure"])):
        assert answer[0].verdict == lattice.WRONG
        assert "a formula gives that is not exact" in report.in_short(answer.figures[0])
        assert EXPLAINED not in {each.verdict for each in answer}


# ---------------------------------------------------------------- chance


EXPLAINED_OF_GPT2 = {
    "84M": "kaplan",
    "85M": "kaplan",
    "118M": "tied / 2^20",
    "119M": "tied / 2^20",
    "123M": "without_wpe",
    "124M": "tied",
    "125M": "tied",
    "137M": "stored_with_masks",
    "163M": "untied",
}
"""All that is explained of the figures from half to twice gpt2's size: what people do print, and nothing else."""


def test_of_all_figures_few_are_explained() -> None:
    """Of the 187 figures of three digits around gpt2's size, 9 are explained; any other is called what it is."""
    best: dict[str, Reading] = {}
    for millions in range(63, 250):
        answer = gpt2calc.explain(f"{millions}M", "gpt2")
        if len(answer):
            best[f"{millions}M"] = answer[0]
    explained = {text: each.convention for text, each in best.items() if each.verdict == EXPLAINED}
    assert explained == EXPLAINED_OF_GPT2
    verdicts = Counter(each.verdict for each in best.values())
    assert verdicts[PERHAPS] > 100
    assert set(verdicts) <= set(VERDICTS)


def test_a_long_figure_is_no_coincidence_however_it_is_composed() -> None:
    """Nine digits are met by accident once in a hundred thousand times: two steps from gpt2, and explained."""
    value = gpt2calc.count("gpt2", vocab=51200, tied=False, bias=False).total
    best = gpt2calc.explain(value, "gpt2")[0]
    assert (best.value, best.verdict) == (value, EXPLAINED)
    assert best.convention == "untied + padded_to_1024 + weights"


def test_rivals_are_the_other_numbers_that_fit_as_well() -> None:
    """Counted over all readings, and not over those that are shown."""
    answer = gpt2calc.explain("85M", "gpt2")
    assert [(each.value, each.rivals) for each in answer][:2] == [(84_934_656, 1), (85_056_000, 1)]
    assert all(each.rivals >= place for place, each in enumerate(answer))
    assert answer.figures[0].fitting >= len(answer.figures[0].readings)


# ---------------------------------------------------------------- round trip


def shown(value: int, unit: str, digits: int, *, cut: bool) -> str:
    """Print a number with so many digits, rounded or cut off."""
    scale = {"": 1, "K": 1000, "M": 10**6, "B": 10**9, "kB": 1000, "MB": 10**6, "GB": 10**9}[unit]
    whole = len(str(value // scale)) if value >= scale else 0
    decimals = max(digits - whole, 0)
    steps, rest = divmod(value * 10**decimals, scale)
    steps += not cut and 2 * rest >= scale
    text = f"{steps:0{decimals + 1}}"
    return (f"{text[:-decimals]}.{text[-decimals:]}" if decimals else text) + unit


LARGE = st.fixed_dictionaries(
    {
        "n_layer": st.integers(1, 100),
        "n_embd": st.integers(8, 300).map(lambda n: 64 * n),
        "n_positions": st.sampled_from([512, 1024, 2048, 4096]) | st.integers(64, 9000),
        "vocab_size": st.sampled_from([32000, 50257, 50304]) | st.integers(256, 200_000),
    },
    optional={"n_inner": st.integers(64, 50_000), "tie_word_embeddings": st.booleans(), **SWITCHES},
)
"""Models of the sizes that people train."""


@tried(20)
@given(
    LARGE | canonical_fields(SWITCHES),
    st.sampled_from(conventions.CONVENTIONS),
    st.integers(3, 6),
    st.sampled_from(["rounded", "cut off"]),
)
@example({"n_layer": 36, "n_embd": 1280, "n_positions": 1024, "vocab_size": 50257}, conventions.find("kaplan"), 3, "")
def test_a_printed_count_is_explained_by_what_was_counted(
    fields: dict[str, Any], convention: conventions.Convention, digits: int, how: str
) -> None:
    """Law: what was counted is found, as it was printed; what comes first is no further from the plain count.

    Two conventions can print the same digits, 124M being gpt2 with and without its position embedding. Then no answer
    can know which was meant, and the plainer one comes first. Its number prints the very same figure.
    """
    dims = Config(**fields).dims
    value = convention.value(dims)
    assume(value)
    stored = convention.unit == conventions.BYTES
    units = ("kB", "MB", "GB") if stored else ("K", "M", "B")
    unit = units[min(max(len(str(value)) - 1, 3) // 3 - 1, 2)]
    text = shown(value, unit, digits, cut=how == "cut off")
    assume(any(digit in "123456789" for digit in text))
    found = every_reading(text, dims)
    meant = next((each for each in found if each.value == value), None)
    assert meant, text
    assert meant.fit in {"exact", "rounded", how}
    assert found[0].penalty <= meant.penalty
    assert all(prints(each, text) for each in (found[0], meant))


def every_reading(text: str, dims: Dims) -> list[Reading]:
    """Return every reading of a figure of a model, not only those that are kept."""
    (figure,) = printed.read(text)
    search = Search(readings.given([("it", dims)], SHIPPED), AXES, MODEL_BUDGET)
    return search.readings(figure)


def prints(reading: Reading, text: str) -> bool:
    """Whether the exact number of a reading, in its unit, becomes the figure when it is cut off or rounded up."""
    number, decimals = Fraction(reading.value, reading.scale.unit), len(text.rstrip("kKMGB").partition(".")[2])
    figure = Fraction(text.rstrip("kKMGB"))
    longest = printed.HEADER[1] * reading.way.tensors
    header = Fraction(longest, reading.scale.unit) if reading.fit == printed.WITH_HEADER else 0
    return figure - header - Fraction(1, 10**decimals) < number < figure + Fraction(1, 10**decimals)


@pytest.mark.parametrize("name", ["tied", "untied", "without_wpe", "kaplan", "stored_with_masks", "without_embeddings"])
@pytest.mark.parametrize("model", ["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "gpt3-175B", "distilgpt2"])
def test_a_usual_count_of_a_known_model_comes_first_with_six_digits(model: str, name: str) -> None:
    """Where six digits are printed, nothing plainer is in the way."""
    count = gpt2calc.count(model)
    value = count.conventions[name]
    best = gpt2calc.explain(shown(value, "M", 6, cut=False), model)[0]
    assert best.value == value


# ---------------------------------------------------------------- several figures


def test_the_papers_figures_have_one_hypothesis() -> None:
    """GPT-1's vocabulary gives all four, of the four sizes, and is called a guess."""
    answer = gpt2calc.explain(["117M", "345M", "762M", "1542M"])
    assert answer.common
    assert [(each.model.names[0], each.value) for each in answer][:4] == [
        ("gpt2", 116_929_536),
        ("gpt2-medium", 344_809_472),
        ("gpt2-large", 761_512_960),
        ("gpt2-xl", 1_541_964_800),
    ]
    assert {each.convention for each in answer.readings[:4]} == {"gpt1_vocabulary"}
    assert {each.verdict for each in answer.readings[:4]} == {lattice.HYPOTHESIS}


def test_figures_of_one_family_are_read_alike() -> None:
    """124M, 355M, 774M and 1.5B are the plain totals of the four sizes, the last cut off."""
    answer = gpt2calc.explain("124M/355M/774M/1.5B")
    assert answer.common
    assert [(each.model.names[0], each.fit) for each in answer][:4] == [
        ("gpt2", "rounded"),
        ("gpt2-medium", "rounded"),
        ("gpt2-large", "rounded"),
        ("gpt2-xl", "cut off"),
    ]


def test_figures_without_one_convention_are_each_explained() -> None:
    """548 MB, 498 MB and 703 MB are three ways of storing one model."""
    answer = gpt2calc.explain(["548 MB", "498 MB", "703 MB"], "gpt2")
    assert not answer.common
    assert [each.value for each in answer][:3] == [548_090_880, 497_759_232, 702_480_384]


def test_one_convention_is_preferred_to_the_best_of_each() -> None:
    """85M alone is Kaplan's; beside 85,056,000 it is what is left without the embeddings."""
    assert gpt2calc.explain("85M", "gpt2")[0].convention == "kaplan"
    answer = gpt2calc.explain(["85M", "85,056,000"], "gpt2")
    assert {each.convention for each in answer.readings[:2]} == {"without_embeddings"}


# ---------------------------------------------------------------- models


def test_the_sizes_of_gpt1_are_known_to_be_gpt1s() -> None:
    """GPT-1 has no ln_f; given by its sizes alone, its published 117M is its own count."""
    best = gpt2calc.explain("117M", n_positions=512, vocab_size=40478)[0]
    assert (best.model.names, best.value) == (("gpt1",), 116_534_784)


def test_a_figure_published_for_a_model_comes_before_a_rounder_one() -> None:
    """137M is nobody's plain count, 124M is gpt2's."""
    best = gpt2calc.explain("124M")[0]
    assert (best.model.names[0], best.sources[0].startswith("https://")) == ("gpt2", True)


def test_models_of_one_size_are_named_together() -> None:
    """DialoGPT-small has gpt2's sizes, and is no rival to it."""
    assert {"gpt2", "DialoGPT-small"} <= set(gpt2calc.explain("124,439,808")[0].model.names)


def test_several_models_can_be_given() -> None:
    """A figure is looked for in each."""
    answer = gpt2calc.explain(["355M", "163M"], "small", "medium")
    assert [each.model.names[0] for each in answer][:2] == ["gpt2-medium", "gpt2"]


def test_fields_change_every_model() -> None:
    """The same model without biases."""
    best = gpt2calc.explain("124,337,664", "gpt2", bias=False)[0]
    assert (best.convention, best.way.steps) == ("tied", ())


# ---------------------------------------------------------------- the lattice


@pytest.mark.parametrize("name", conventions.NAMES)
def test_every_convention_is_found_by_its_exact_value(name: str) -> None:
    """The rows of `conventions` are the vocabulary: what each gives for gpt2-untied is found."""
    dims = gpt2calc.count("gpt2-untied").dims
    value = conventions.find(name).value(dims)
    found = every_reading(f"{value} bytes" if name.endswith("_bytes") else str(value), dims)
    assert found[0].value == value


@of_each("step", [*lattice.PARTS, *(dtype for dtype, _ in lattice.DTYPES)])
def test_a_step_that_is_a_convention_is_its_row(step: lattice.Step) -> None:
    """Nothing is said or computed twice: sentence, source and value are those of the table."""
    if step.name in conventions.NAMES:
        row = conventions.find(step.name)
        assert (step.sentence, step.source, step.value) == (row.sentence, row.source, row.value)
    assert step.source
    assert step.sentence


def test_names_of_steps_are_unique() -> None:
    """One name, one meaning; a group is told from a component."""
    steps = [*lattice.PARTS, *(step for axis in AXES for step in axis)]
    names = [step.name for step in steps]
    assert sorted(names) == sorted(set(names))


def test_megatrons_report_is_what_its_script_sums() -> None:
    """2·L·h²·(2 + m/h + 2/h) + 2h + V·h, multiplied out."""
    L, h, V, m = 12, 768, 50257, 3072
    found = gpt2calc.explain(str(4 * L * h**2 + 2 * L * h * m + 4 * L * h + 2 * h + V * h), "gpt2")
    assert (found[0].convention, found[0].verdict) == ("megatron", lattice.WRONG)


# ---------------------------------------------------------------- answers


def test_where_nothing_fits_the_nearest_are_told(run: Run) -> None:
    """With their distance, and exit code 1."""
    ran = run("explain", "100,000,001", "gpt2")
    assert (ran.code, ran.stderr) == (1, "")
    assert ran.stdout.startswith("100,000,001 fits none of the ")
    answer = gpt2calc.explain("100,000,001", "gpt2")
    assert not answer.fits
    assert len(answer) == 0
    (explained,) = answer.figures
    distances = [each.value - 100_000_001 for each in explained.nearest]
    assert distances == sorted(distances, key=abs)
    assert [each["difference"] for each in answer.to_dict()["figures"][0]["nearest"]] == distances


@pytest.mark.parametrize("figure", ["1e99", "500M", "12"])
def test_the_nearest_are_told_however_far_they_are(figure: str) -> None:
    """Also where a model is a million times smaller or larger."""
    (explained,) = gpt2calc.explain(figure, "tiny-gpt2").figures
    assert explained.readings or len(explained.nearest) == report.NEAREST_READINGS


@pytest.mark.parametrize(
    ("words", "answer"),
    [
        (("137M", "gpt2"), "137M is 137,022,720, rounded: stored_with_masks of gpt2"),
        (("124,439,808", "gpt2"), "124,439,808 is 124,439,808: tied of gpt2"),
        (("1.5B", "xl"), "1.5B is what gpt2-xl is called: 1,557,611,200, truncated (tied)"),
        (("117M", "gpt2"), "117M would be 116,929,536, rounded: gpt1_vocabulary of gpt2, a hypothesis"),
        (("738M", "large"), "738M is 774,030,080, rounded: tied / 2^20 of gpt2-large"),
        (("548", "MB", "gpt2"), "548 MB is 548,090,880, rounded: stored_with_masks + fp32_bytes of gpt2"),
        (("474.70M", "gpt2"), "474.70M is 497,759,232, rounded: fp32_bytes / 2^20 of gpt2"),
        (
            ("124393728", "gpt2"),
            "124393728 is what a formula gives that is not exact: cookbook of gpt2, which has 124,439,808",
        ),
        (("150M", "gpt2"), "150M may be 157,535,232, rounded: embedding + fp32_bytes / 2^20 of gpt2, or a coincidence"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_the_answer_is_one_sentence(words: tuple[str, ...], answer: str, run: Run) -> None:
    """It stands on top, and is what JSON says."""
    assert run("explain", *words).stdout.splitlines()[0] == answer
    assert json.loads(run("explain", *words, "--json").stdout)["figures"][0]["answer"] == answer


def test_readings_in_json_are_best_first_with_value_and_convention(run: Run) -> None:
    """One list for all figures: the best of each, then the second of each."""
    document = json.loads(run("explain", "85M", "163M", "gpt2", "--json", "--top", "2").stdout)
    assert [(each["figure"], each["value"], each["convention"]) for each in document["readings"]] == [
        ("85M", 84_934_656, "kaplan"),
        ("163M", 163_037_184, "untied"),
        ("85M", 85_056_000, "without_embeddings"),
        ("163M", 162_642_432, "vocab_size=100000"),
    ]


@pytest.mark.parametrize(
    ("words", "lines"),
    [
        (("137M", "gpt2"), ["137022720"]),
        (("117M", "345M"), ["116929536", "344809472"]),
        (("100,000,001", "gpt2"), []),
    ],
)
def test_quiet_leaves_the_exact_numbers(words: tuple[str, ...], lines: list[str], run: Run) -> None:
    """A line a figure, none for one that fits nothing."""
    assert run("explain", *words, "-q").stdout.splitlines() == lines


@of_each(
    "words, sentence",
    [
        (("gpt2",), "a figure is needed, such as 117M: gpt2calc explain 117M gpt2"),
        (("a b", "gpt2"), "a figure is needed, such as 117M: gpt2calc explain 117M 'a b' gpt2"),
        (("117M", "gpt2-xll"), "no model is called 'gpt2-xll' and there is no such file: did you mean gpt2-xl?"),
        (("117M", "--n-layer", "-3"), "n_layer must be a whole number, 0 or more, got -3"),
        (("22 %", "gpt2"), "expected a number of parameters or bytes, got '22 %'"),
        (("-117M", "gpt2"), "there is no option -117M"),
        (("117M", "-", "-"), "standard input, -, can be given once"),
        (("117M", "--top", "0"), "--top: takes a whole number, 1 or more, got '0'"),
        (("117M", "--top", "1.5"), "--top: takes a whole number, 1 or more, got '1.5'"),
        (tuple(f"{n}M" for n in range(100, 121)), "expected at most 20 figures at once, got 21"),
    ],
)
def test_nonsense_ends_in_one_sentence(words: tuple[str, ...], sentence: str, run: Run) -> None:
    """Exit code 2, and nothing on standard output."""
    ran = run("explain", *words)
    assert (ran.code, ran.stdout, ran.stderr.count("\n")) == (2, "", 1)
    assert sentence in ran.stderr


def test_python_refuses_what_the_command_line_does() -> None:
    """With the same errors."""
    with pytest.raises(ConfigError, match="expected a figure"):
        gpt2calc.explain("gpt2")
    with pytest.raises(UnknownNameError):
        gpt2calc.explain("117M", "gpt5")
    assert gpt2calc.explain(124_439_808, "gpt2")[0].convention == "tied"


def test_an_explanation_shows_itself() -> None:
    """Its repr is the answers, its HTML the tables."""
    answer = gpt2calc.explain(["137M", "85M"], "gpt2")
    assert repr(answer).startswith("<Explanation 137M is 137,022,720, rounded: stored_with_masks of gpt2; 85M")
    assert "<table" in answer._repr_html_()
    assert [each.value for each in answer] == [answer[place].value for place in range(len(answer))]


@pytest.mark.parametrize(
    ("words", "number", "convention", "model"),
    [
        (("671B",), 671_026_404_352, "untied", "DeepSeek-V3"),
        (("46.7B",), 46_702_792_704, "untied", "Mixtral-8x7B"),
        (("12.9B",), 12_879_925_248, "active", "Mixtral-8x7B"),
        (("3.6B", "gpt-oss-20b"), 3_608_307_264, "active_without_embeddings", "gpt-oss-20b"),
        (("7.11B", "Mistral-7B"), 7_110_660_096, "without_embeddings", "Mistral-7B"),
        (("16.06 GB", "Llama-3.1-8B"), 16_060_522_496, "fp16_bytes", "Llama-3.1-8B"),
        (("596M", "Qwen3-0.6B"), 596_049_920, "tied", "Qwen3-0.6B"),
        (("752M", "Qwen3-0.6B"), 751_632_384, "untied", "Qwen3-0.6B"),
    ],
)
def test_figures_of_other_architectures_are_explained(
    words: tuple[str, ...], number: int, convention: str, model: str
) -> None:
    """A model's published figures come first, that of what a token passes among them."""
    best = gpt2calc.explain(*words)[0]
    assert (best.value, best.convention, best.model.names[0], best.verdict) == (number, convention, model, "explained")


def test_a_base_model_of_another_architecture_is_a_reading() -> None:
    """Where the embedding and the head are not alike, as a head with a bias, its number has no other name."""
    body = gpt2calc.count("gpt-j-6b").total - gpt2calc.count("gpt-j-6b")["lm_head"].total
    assert gpt2calc.explain(f"{body:,}", "gpt-j-6b")[0].convention == "base_model"


def test_two_digits_of_another_architecture_are_no_more_trusted_than_gpt2s() -> None:
    """8B is what too many numbers are printed as."""
    assert gpt2calc.explain("3.3B")[0].verdict == "perhaps"


@pytest.mark.parametrize(
    ("figure", "model", "value"),
    [
        ("685B", "DeepSeek-R1", 684_531_386_000),
        ("684.5B", "DeepSeek-V3", 684_531_386_000),
        ("21.5B", "gpt-oss-20b", 21_511_953_984),
        ("120.4B", "gpt-oss-120b", 120_412_337_472),
    ],
)
def test_what_the_hub_shows_of_a_quantized_model_is_what_its_files_hold(figure: str, model: str, value: int) -> None:
    """Scales, copies and layers that predict further tokens among it, as `count --stored` has them."""
    reading = gpt2calc.explain(figure, model).readings[0]
    assert (reading.value, reading.convention) == (value, "stored")


@pytest.mark.parametrize(
    ("value", "model", "rank", "targets"),
    [
        (3_407_872, "Llama-3.1-8B", 8, "q_proj,v_proj"),  # as PEFT prints it, in public logs of this model
        (41_943_040, "Llama-3.1-8B", 16, "all-linear"),  # with 8,072,204,288 of all, in public logs of this model
        (8_033_669_120, "Llama-3.1-8B", 8, "q_proj,v_proj"),
        (8_388_608, "pythia-6.9b", 16, "query_key_value"),
    ],
)
def test_lora_of_another_architecture_is_what_peft_counts(value: int, model: str, rank: int, targets: str) -> None:
    """Alone, or with the model; and of a figure that is rounded it is told that it may be a coincidence."""
    reading, *rivals = gpt2calc.explain(f"{value:,}", model).readings
    assert (reading.value, rivals, reading.doubtful) == (value, [], False)
    assert reading.convention.endswith(f"LoRA r={rank} on {targets}")
    peft = gpt2calc.adapter(model, r=rank, targets=targets)
    assert value in (peft.trainable, peft.all)
    rounded = gpt2calc.explain("40M", "Qwen3-0.6B").readings[0]
    assert (rounded.value, rounded.doubtful) == (40_370_176, True)
