"""Designs: what is found is what trying every shape finds, in the same order, and no answer breaks a constraint."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc.designs import bounds, family, measures, search
from tests import every_shape
from tests.loops import of_each
from tests.property.strategies import tried

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.conftest import Run

Question = tuple[dict[str, Any], dict[str, Any]]


# ---------------------------------------------------------------- random questions


def texts(least: int, most: int) -> st.SearchStrategy[str]:
    """Draw a range, a range with a step, or a list, wide ones more often than narrow ones."""
    size, near, far = st.integers(least, most), st.integers(least, least + most // 4), st.integers(most // 2, most)
    wide = st.tuples(near, far)
    return (
        wide.map(lambda ends: f"{ends[0]}:{ends[1]}")
        | st.tuples(wide, st.integers(1, 5)).map(lambda drawn: f"{drawn[0][0]}:{drawn[0][1]}:{drawn[1]}")
        | st.lists(size, min_size=1, max_size=6).map(lambda listed: ",".join(map(str, listed)))
    )


def fractions(least: int, most: int) -> st.SearchStrategy[str]:
    """Draw a range of fractions."""
    number = st.fractions(least, most, max_denominator=6)
    return st.tuples(number, number).map(lambda ends: f"{min(ends)}:{max(ends)}")


RATIOS = st.lists(st.sampled_from(["0", "1", "2", "8/3", "7/2", "4"]), min_size=1, max_size=3).map(",".join)
ALWAYS = {
    "n_layer": texts(1, 8),
    "n_embd": texts(1, 24),
    "vocab_size": st.integers(1, 50),
    "head_size": st.sampled_from(["1", "2", "1,4", "3,4", "5"]),
}
SOMETIMES: dict[str, st.SearchStrategy[Any]] = {
    "aspect": fractions(1, 12),
    "embd_multiple": st.integers(1, 8),
    "n_head": texts(1, 12),
    "inner_ratio": RATIOS | fractions(0, 5),
    "inner_multiple": st.integers(1, 20),
    "n_inner": texts(0, 60),
    "pad": st.sampled_from(["8", "1,8,64", "2:5"]),
}
STRUCTURE: dict[str, st.SearchStrategy[Any]] = {
    "n_positions": st.integers(1, 40),
    "tie_word_embeddings": st.booleans(),
    "bias": st.booleans(),
    "qkv_bias": st.booleans(),
    "add_cross_attention": st.booleans(),
    "head": st.sampled_from(["none", "lm", "double_heads", "token_classification"]),
}
CONVENTIONS = st.just("total") | st.sampled_from(every_shape.NAMES)
DTYPES = st.sampled_from(["fp32", "bf16", "int8", "int4"])


@st.composite
def questions(draw: st.DrawFn) -> Question:
    """Draw constraints, a target, near what some shape has or anywhere, and the structure of the model."""
    more = draw(st.lists(st.sampled_from(sorted(SOMETIMES)), max_size=3, unique=True))
    chosen = {**ALWAYS, **{name: SOMETIMES[name] for name in more}}
    asked = {"aspect": "1:30", **draw(st.fixed_dictionaries(chosen))}
    structure = draw(st.fixed_dictionaries({}, optional=STRUCTURE))
    in_bytes = draw(st.sampled_from([False, False, True]))
    asked |= {"dtype": draw(DTYPES)} if in_bytes else {"convention": draw(CONVENTIONS)}
    target = draw(st.integers(1, 10**6))
    shapes = every_shape.every(asked)
    if shapes and draw(st.sampled_from([True, True, True, False])):
        some: dict[str, Any] = dict(zip(every_shape.SIZES, shapes[target % len(shapes)], strict=False))
        near = every_shape.counted(every_shape.convention(asked), gpt2calc.count(**structure, **some).dims)
        target = max(1, near + draw(st.integers(-50, 50)))
    return {**asked, "fits" if in_bytes else "params": target}, structure


def compare(question: Question, how: Mapping[str, Any]) -> bool:
    """Whether both searches agree on the shapes, their order, counts and heads, and on how many there are."""
    asked, structure = question
    dims = gpt2calc.count(**structure, vocab_size=asked["vocab_size"]).dims
    expected, shapes = every_shape.ranked(asked, dims), len(every_shape.every(asked))
    try:
        designs = gpt2calc.design(**asked, **structure, **how)
    except gpt2calc.ConfigError as error:
        return not expected and ("no shape has" in str(error)) == (shapes == 0)
    if "within" in how:
        expected = every_shape.ranked(asked, dims, Fraction(how["within"]))
    wanted = every_shape.pareto(expected) if how.get("pareto") else expected[: how["top"]]
    return designs.shapes == shapes and every_shape.answered(designs) == wanted


HOWS = (
    st.just({"pareto": True})
    | st.integers(1, 30).map(lambda top: {"top": top, "nearest": True})
    | st.tuples(st.integers(1, 30), st.sampled_from(["0", "1/2", "2", "30"])).map(
        lambda drawn: {"top": drawn[0], "within": drawn[1]}
    )
)


@tried(100)
@given(question=questions(), how=HOWS)
def test_the_answer_is_that_of_trying_every_shape(question: Question, how: dict[str, Any]) -> None:
    """Whatever is asked: which shapes, in which order, with which counts and heads, and of how many."""
    assert compare(question, how)


QUESTION: Question = (
    {
        "n_layer": "1:12",
        "n_embd": "4:64",
        "head_size": "4",
        "aspect": "2:8",
        "inner_ratio": "1:5",
        "inner_multiple": 3,
        "vocab_size": 50,
        "pad": "1,64",
        "params": 100_000,
    },
    {},
)


TIES: Question = ({**QUESTION[0], "convention": "vectors", "params": 3_000, "inner_ratio": "4"}, {"bias": False})


@pytest.mark.parametrize(
    "how",
    [{"top": 30, "nearest": True}, {"top": 1, "nearest": True}, {"top": 30, "within": "2"}, {"pareto": True}],
    ids=str,
)
def test_a_larger_space_is_searched_alike(how: dict[str, Any]) -> None:
    """Thousands of shapes, of which most are left out unseen."""
    assert len(every_shape.every(QUESTION[0])) > 9_000
    assert compare(QUESTION, how)


def test_shapes_of_one_count_are_ranked_alike() -> None:
    """By what is usual of them; this and the space above are where faults are planted below."""
    assert compare(TIES, {"top": 30, "nearest": True})
    assert compare(TIES, {"top": 30, "within": "2"})


def test_of_equal_shapes_on_the_front_the_first_is_taken() -> None:
    """Found by chance: where two boxes hold shapes that are equally near in both, the one that ranks first is told."""
    sizes = {"n_layer": "3", "n_embd": "3:12", "n_head": "2:6", "head_size": "1", "n_inner": "0:30"}
    asked = {**sizes, "aspect": "1:30", "vocab_size": 5, "pad": "1,8,64", "params": 390}
    assert compare((asked, {"n_positions": 1}), {"pareto": True})


FAULTS: dict[str, tuple[Any, str, Any]] = {
    "a depth is forgotten": (bounds.Bounds, "layers", lambda right: lambda self, d: right(self, d)[:-1]),
    "an inner width is forgotten": (bounds.Bounds, "inners", lambda right: lambda self, d: right(self, d)[1:]),
    "the walk goes down alone": (
        search,
        "_walk",
        lambda right: lambda line, target, *rest: (x for x in right(line, target, *rest) if x[1] <= target.value),
    ),
    "a bound is too high": (
        search.Space,
        "_ranked",
        lambda right: lambda self: [(bound + 500, box) for bound, box in right(self)],
    ),
    "ties are broken the other way": (
        family.Family,
        "factor",
        lambda right: lambda self, *shape: 1 / right(self, *shape),
    ),
    "a depth is left out of a band": (
        search.Space,
        "_outwards",
        lambda right: lambda self, n_embd, layers: right(self, n_embd, layers[1:]),
    ),
    "a convention is wrong by one": (
        measures,
        "of",
        lambda right: lambda convention, x: lambda *shape: right(convention, x)(*shape) + 1,
    ),
}
"""What could be wrong in the search, each as a function that makes the wrong thing of the right one."""


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_in_the_search_would_be_seen(fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A test of the tests: the second search disagrees with one that is wrong."""
    place, name, plant = FAULTS[fault]
    monkeypatch.setattr(place, name, plant(getattr(place, name)))
    ways: tuple[dict[str, Any], ...] = ({"top": 30, "nearest": True}, {"top": 30, "within": "2"})
    assert not all(compare(question, how) for question in (QUESTION, TIES) for how in ways)


# ---------------------------------------------------------------- what people know


@pytest.mark.parametrize(
    "name", ["gpt2", "gpt2-medium", "gpt2-large", "gpt2-xl", "distilgpt2", "gpt3-125M", "gpt3-6.7B", "gpt3-175B"]
)
def test_a_released_size_is_found_first(name: str) -> None:
    """Asked for its exact number, the first answer is the model itself, at a difference of 0."""
    count = gpt2calc.count(name)
    first = gpt2calc.design(count.total, name)[0]
    assert (first.dims, first.n_head, first.difference) == (count.dims, count.dims.n_embd // 64, 0)


@pytest.mark.parametrize("name", every_shape.NAMES)
def test_gpt2_is_found_however_it_is_counted(name: str) -> None:
    """Its value in any convention leads back to it, alone or among those that have the same value."""
    dims = gpt2calc.count("gpt2").dims
    designs = gpt2calc.design(every_shape.counted(name, dims), convention=name)
    assert dims in [each.dims for each in designs if each.difference == 0]


@pytest.mark.parametrize("figure", ["124439808", "124,439,808", "124_439_808", 124439808])
def test_a_figure_can_be_written_in_many_ways(figure: int | str) -> None:
    """With commas, underscores, or as a number."""
    assert gpt2calc.design(figure, top=1)[0].dims == gpt2calc.count("gpt2").dims


@pytest.mark.parametrize("figure", ["350M", "0.35B", "350,000,000", "350 million", "3.5e8", "350e6", "~350M"])
def test_a_figure_can_be_printed_in_many_ways(figure: str) -> None:
    """With a unit, decimals, or a power of ten."""
    assert gpt2calc.design(figure).target.value == 350_000_000


@pytest.mark.parametrize(("figure", "name"), [("350M", "gpt2-medium"), ("124M", "gpt2")])
def test_a_round_figure_gives_what_was_released_at_this_size(figure: str, name: str) -> None:
    """Among those that are within 2 % of it, the first has the family's proportions."""
    assert gpt2calc.design(figure)[0].dims == gpt2calc.count(name).dims


def test_a_band_is_as_wide_as_is_asked() -> None:
    """What is within comes first, by proportions; what is not, by distance; and alone none is wider than 0."""
    designs = gpt2calc.design("350M", within="0.5", top=8)
    near = [100 * abs(each.difference) <= 0.5 * 350e6 for each in designs]
    assert near == sorted(near, reverse=True) == [True, True, False, False, False, False, False, False]
    assert [each.name for each in gpt2calc.design("350M", within="2%")] == [e.name for e in gpt2calc.design("350M")]
    nearest = gpt2calc.design("350M", nearest=True)
    assert [each.name for each in gpt2calc.design("350M", within=0)] == [each.name for each in nearest]
    (note,) = gpt2calc.design("350M", n_layer="20,30", n_embd=1024).notes
    assert note == "no shape within the bounds is within 2 % of the target: the nearest come first"


@pytest.mark.parametrize("asked", [{"within": "1,2"}, {"within": "1:2"}, {"within": "100"}, {"within": "x"}])
def test_what_is_no_percentage_is_refused(asked: dict[str, Any]) -> None:
    """One exact number below 100; and an order is one."""
    with pytest.raises(gpt2calc.ConfigError, match="within takes"):
        gpt2calc.design("350M", **asked)
    with pytest.raises(gpt2calc.ConfigError, match="within and nearest are two orders: give one"):
        gpt2calc.design("350M", within=1, nearest=True)


def test_a_percentage_is_what_is_written_a_float_too() -> None:
    """Its message offers 0.5, which is taken, and is half a percent; a hundred and what is no number are not."""
    assert gpt2calc.design("350M", within=0.5).within == Fraction(1, 2)
    assert gpt2calc.design("350M", within=0.1).within == Fraction(1, 10)
    for wrong in (100.0, float("nan"), -0.5, True, [1, 2]):
        with pytest.raises(gpt2calc.ConfigError, match="within takes a percentage below 100"):
            gpt2calc.design("350M", within=wrong)


def test_what_is_no_family_and_no_switch_is_refused_in_a_sentence() -> None:
    """Whatever Python's type it has."""
    with pytest.raises(gpt2calc.ConfigError, match="family must be a model type such as llama, got"):
        gpt2calc.design(8e9, family=["llama"])  # type: ignore[arg-type]
    for switch in ("nearest", "pareto"):
        with pytest.raises(gpt2calc.ConfigError, match=f"{switch} must be true or false, got 'yes'"):
            gpt2calc.design("350M", **{switch: "yes"})  # type: ignore[arg-type]


def test_350m_gives_gpt2_medium_on_the_front() -> None:
    """The nearest shape that has exactly the family's proportions is what was released at this size."""
    front = gpt2calc.design("350M", pareto=True)
    assert front[-1].dims == gpt2calc.count("gpt2-medium").dims
    assert front.family.factor(24, 1024) == 1


def test_what_fits_does_fit_and_leaves_little() -> None:
    """24 GB of bfloat16 are twelve thousand million parameters at most."""
    designs = gpt2calc.design(fits="24GB", dtype="bf16", nearest=True)
    for each in designs:
        assert 0 <= each.difference == 24 * 10**9 - 2 * each.total
    assert [each.difference for each in designs] == sorted(each.difference for each in designs)
    usual = gpt2calc.design(fits="24GB", dtype="bf16")
    assert all(0 <= each.difference * 50 <= usual.target.value for each in usual)
    assert usual.family.factor(usual[0].n_layer, usual[0].n_embd) == 1
    assert gpt2calc.design(fits="24GiB", dtype="bf16")[0].value > 24 * 10**9


def test_a_design_is_a_config(run: Run) -> None:
    """Its config counts to the same model, as JSON on standard input, as a Config, and as a mapping."""
    structure: dict[str, Any] = {"tie_word_embeddings": False, "bias": False, "qkv_bias": True, "head": "lm"}
    for each in gpt2calc.design("350M", inner_ratio="8/3", inner_multiple=256, pad=128, **structure):
        assert gpt2calc.Config(**each.config).dims == each.dims
        assert gpt2calc.count(each.config).total == gpt2calc.count(each).total == each.total
        assert run("count", "-", "-q", stdin=json.dumps(each.config).encode()).stdout == f"{each.total}\n"


def test_the_model_gives_what_is_not_searched() -> None:
    """Vocabulary, context, tying, biases and the proportion of the MLP are those of the model that is named."""
    dims = gpt2calc.count("raschka-gpt2-small").dims
    found = gpt2calc.design("300M", "raschka-gpt2-small")[0].dims
    assert found._replace(n_layer=dims.n_layer, n_embd=dims.n_embd, n_inner=dims.n_inner) == dims
    narrow = gpt2calc.design("100M", "gpt2", n_inner=1536)
    assert {each.dims.n_inner for each in narrow} == {1536}
    kept = gpt2calc.design("100M", {"n_embd": 96, "n_inner": 256, "n_layer": 2})
    assert all(each.dims.n_inner == -(-each.dims.n_embd * 8 // 3) for each in kept)


def test_sizes_can_be_given_as_python_has_them() -> None:
    """A range, a list, a number and a text say the same, and any spelling is read."""
    expected = every_shape.answered(gpt2calc.design("350M", n_layer="12:48:12", n_embd="768,1024,1280"))
    ways: tuple[Any, ...] = (range(12, 49, 12), [48, 36, 24, 12], "12,24,36,48", range(48, 0, -12))
    for n_layer in ways:
        designs = gpt2calc.design("350M", num_layers=n_layer, d_model=(1280, 1024, 768))
        assert every_shape.answered(designs) == expected


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"params": "1k"}, "the target is below the smallest shape within the bounds, which has 3,332,096 parameters"),
        ({"params": "10^15"}, "the target is above the largest shape within the bounds, which has 307,210,285,280,000"),
        ({"fits": "10^20", "dtype": "int8"}, "the target is above the largest shape within the bounds, which has"),
        ({"params": "10^999"}, "the target is above the largest shape within the bounds, which has"),
    ],
)
def test_a_target_beyond_the_bounds_is_said_to_be(asked: dict[str, Any], told: str) -> None:
    """The nearest shapes are given, and a note says that the target is not within reach."""
    designs = gpt2calc.design(**asked)
    (note,) = designs.notes
    assert note.startswith(told)
    extreme = designs.smallest if asked.get("params") == "1k" else designs.largest
    assert designs[0].value == extreme


def test_a_figure_of_any_size_is_exact() -> None:
    """A target of hundreds of digits is searched for in exact integers, where the bounds reach that far."""
    shape: dict[str, Any] = {"n_layer": 10**14 + 7, "n_embd": 10**14 + 9, "head_size": 1, "aspect": "1/2:2"}
    total = gpt2calc.count(n_layer=10**14 + 7, n_embd=10**14 + 9).total
    assert gpt2calc.design(total + 1, **shape)[0].difference == -1


@pytest.mark.parametrize("model", ["gpt2", "vit-gpt2-decoder", "raschka-gpt2-small", "tiny-gpt2", "nanogpt-no-bias"])
@of_each("name", every_shape.NAMES)
def test_a_measure_is_the_convention(name: str, model: str) -> None:
    """What a convention becomes on letters gives its value on numbers, whichever sizes they are."""
    dims = gpt2calc.count(model).dims
    measure = measures.of(measures.find(name), dims)
    for n_layer, n_embd, n_inner in (
        (dims.n_layer, dims.n_embd, dims.n_inner),
        (1, 1, 0),
        (7, 33, 129),
        (10**9, 10**9, 10**9),
    ):
        shape = dims._replace(n_layer=n_layer, n_embd=n_embd, n_inner=n_inner)
        assert measure(n_layer, n_embd, n_inner) == every_shape.counted(name, shape)


@pytest.mark.parametrize("name", every_shape.NAMES)
def test_no_count_falls_when_a_size_grows(name: str) -> None:
    """What the search rests on holds for every convention, in every structure that ships."""
    for dims in {preset.dims.structure: preset.dims for preset in gpt2calc.models()}.values():
        measure = measures.of(measures.find(name), dims)
        for shape in ((1, 1, 0), (12, 768, 3072), (96, 12288, 1)):
            grown = [tuple(size + (place == at) for place, size in enumerate(shape)) for at in range(3)]
            assert min(measure(*larger) for larger in grown) >= measure(*shape)


def test_the_result_shows_itself() -> None:
    """Its repr names the target, how many shapes there were, and the first; a notebook shows the tables."""
    designs = gpt2calc.design(124439808, top=2)
    assert repr(designs) == "<Designs 124,439,808: 2 of 1,095,125 shapes, the first 12x768 with 124,439,808>"
    assert "<table" in designs._repr_html_()
    assert [len(designs), designs[0].name, designs[0].notes] == [2, "12x768", ()]


def test_the_marks_of_the_front_are_the_front() -> None:
    """In the table of the nearest, those marked are the first of the Pareto front."""
    nearest = gpt2calc.design("350M", top=100, nearest=True)
    marked = [row[0:2] for row in nearest.table().rows if row and row[-1] == "yes"]
    assert marked == [(each.dims.n_layer, each.dims.n_embd) for each in gpt2calc.design("350M", pareto=True)]
