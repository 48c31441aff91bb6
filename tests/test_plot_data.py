"""What is drawn: marks are exact counts that add up, crossings are exact sizes, and areas exact shares."""

from __future__ import annotations

from fractions import Fraction
from itertools import combinations, groupby, pairwise
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

import gpt2calc
from gpt2calc.errors import ConfigError
from gpt2calc.formulas import GROUPS
from gpt2calc.model import GROUPS as EVERY_GROUP
from gpt2calc.plots import areas, bars, chart, curves, histograms, style
from gpt2calc.plots.areas import Box
from gpt2calc.sources import LEFT_OUT
from gpt2calc.table import short
from tests import plots
from tests.plots import CHARTS, FOUR, MODELS

if TYPE_CHECKING:
    from gpt2calc.plots.chart import Crossing

every_model = pytest.mark.parametrize("models", MODELS.values(), ids=MODELS)
every_chart = pytest.mark.parametrize("make", CHARTS.values(), ids=CHARTS)


# ---------------------------------------------------------------- bars


@every_model
@pytest.mark.parametrize("grouped", [False, True], ids=["stacked", "grouped"])
def test_shares_are_the_groups_of_each_model_and_add_up(models: tuple[Any, ...], *, grouped: bool) -> None:
    """Every mark is a group's own count of its model's total, and those of a model are all of it."""
    counts = plots.counted(models)
    drawn = bars.of_shares(counts, grouped=grouped).marks
    per_model = len(drawn) // len(counts)
    for number, count in enumerate(counts):
        marks = drawn[number * per_model : (number + 1) * per_model]
        assert {mark.series: mark.part for mark in marks} == {
            name: group.total for name, group in count.groups.items() if name in {mark.series for mark in marks}
        }
        assert {mark.whole for mark in marks} == {count.total}
        assert sum(mark.part for mark in marks) == count.total


@every_model
def test_totals_weights_biases_and_layernorm_are_the_counts(models: tuple[Any, ...]) -> None:
    """Each bar is what the count says, and weights and biases add up to the total."""
    counts = plots.counted(models)
    assert [mark.part for mark in bars.of_totals(counts).marks] == [count.total for count in counts]
    both = bars.of_weights_biases(counts).marks
    pairs = list(zip(both[: len(counts)], both[len(counts) :], strict=True))
    assert [(w.part, b.part) for w, b in pairs] == [(count.weights, count.biases) for count in counts]
    assert [w.part + b.part for w, b in pairs] == [count.total for count in counts]
    norms = [mark.part for mark in bars.of_layernorm(counts).marks]
    groups = [count.groups["layer_norm"] for count in counts]
    expected = [each.weights for each in groups], [each.biases for each in groups], [each.total for each in groups]
    assert norms == [number for column in expected for number in column]


def test_the_picture_of_the_article_shows_its_numbers() -> None:
    """The four released sizes, to the last parameter."""
    marks = bars.of_shares(plots.counted(FOUR)).marks
    assert [mark.part for mark in marks if mark.label == "gpt2"] == [39383808, 28348416, 56669184, 38400]
    assert [mark.part for mark in marks if mark.series == "mlp"] == [56669184, 201449472, 472089600, 983424000]


def test_a_group_that_no_model_has_is_not_drawn() -> None:
    """A plain GPT-2 has no bar for cross-attention, and beside a model that has it an empty one."""
    assert bars.of_shares(plots.counted(("gpt2",))).series == ("embedding", "attention", "mlp", "layer_norm")
    marks = bars.of_shares(plots.counted(("gpt2", "vit-gpt2-decoder"))).marks
    assert [(mark.label, mark.part > 0) for mark in marks if mark.series == "cross_attention"] == [
        ("gpt2", False),
        ("vit-gpt2-decoder", True),
    ]


def test_models_of_one_name_are_told_apart() -> None:
    """The second is called so."""
    assert [mark.label for mark in bars.of_totals(plots.counted(("gpt2", "gpt2"))).marks] == ["gpt2", "gpt2 (2)"]


@pytest.mark.parametrize("many", [0, 101])
def test_nothing_and_too_much_are_refused(many: int) -> None:
    """One model at least, a hundred at most."""
    with pytest.raises(ConfigError, match=f"^expected 1 to 100 models to draw, got {many}$"):
        bars.of_totals((gpt2calc.count("gpt2"),) * many)


@given(st.lists(st.integers(0, 10**30), min_size=1, max_size=6))
def test_the_longest_bar_is_the_largest(parts: list[int]) -> None:
    """On a common scale no bar is longer than the whole width, and one is as long, where there is anything."""
    panel = bars.Panel("", bars.COUNT, bars.COUNT)
    marks = tuple(chart.Mark("", str(n), "total", part, part) for n, part in enumerate(parts))
    drawn = bars.BarChart("totals", "", [(panel, marks)])
    lengths = [Fraction(*bars.length(panel, mark)) / Fraction(*drawn.longest(panel)) for mark in marks]
    assert max(lengths) == (1 if any(parts) else 0)


@given(st.integers(0, 10**12), st.integers(1, 10**12))
def test_a_printed_share_is_the_exact_one_rounded(part: int, whole: int) -> None:
    """What stands in a picture is within half a last digit, or says on which side of it the share lies."""
    part = min(part, whole)
    said = chart.percent(part, whole).removesuffix(" %")
    exact = Fraction(100 * part, whole)
    if said.startswith("<"):
        assert 0 < exact < Fraction(said[2:])
    elif said.startswith(">"):
        assert Fraction(said[2:]) < exact < 100
    else:
        step = Fraction(1, 10 ** len(said.partition(".")[2]))
        assert abs(Fraction(said) - exact) * 2 <= step
        assert (said in ("0", "100")) == (exact in (0, 100))


@given(st.integers(0, 10**400))
def test_a_short_number_is_the_exact_one_rounded(number: int) -> None:
    """Three digits or so, of whatever length."""
    said = short(number)
    assert len(said) <= 12
    digits, _, power = said.rstrip("KMBT").partition("·10^")
    value = Fraction(digits) * 10 ** int(power or {"K": 3, "M": 6, "B": 9, "T": 12}.get(said[-1], 0))
    assert abs(value - number) * 200 <= number


@pytest.mark.parametrize("checkpoint", ["none", "torch", "reentrant"])
def test_flops_are_those_of_the_cost_and_add_up(checkpoint: str) -> None:
    """By group and by component, each time to all of a training step."""
    cost = gpt2calc.cost("gpt2", seq=32, checkpoint=checkpoint, dropout=0)
    for panel, marks in bars.of_flops(cost).panels:
        assert sum(mark.part for mark in marks) == cost.training
        assert {mark.whole for mark in marks} == {cost.training}
        rows = {mark.label: mark.part for mark in marks}
        if panel.title == "by component":
            assert rows["lm_head"] == 3 * 2 * 32 * 768 * 50257
        assert any("again" in label for label in rows) == (checkpoint != "none")
    forward = bars.of_flops(gpt2calc.cost("gpt2", seq=1, past=5)).panels[1][1]
    assert sum(mark.part for mark in forward) == gpt2calc.cost("gpt2", seq=1, past=5).forward


@pytest.mark.parametrize("optimizer", ["adamw", "sgd", "muon", None])
def test_memory_is_that_of_the_cost(optimizer: str | None) -> None:
    """What is not asked for, or not covered, has no bar; components add up to the activations."""
    cost = gpt2calc.cost("gpt2", seq=32, train=True, optimizer=optimizer)
    (_, parts), (_, kept) = bars.of_memory(cost).panels
    said = {"weights": cost.weights, "gradients": cost.gradients, "optimizer": cost.optimizer}
    said |= {"activations": cost.activations, "peak": cost.peak}
    assert {mark.label: mark.part for mark in parts} == {name: size for name, size in said.items() if size is not None}
    assert sum(mark.part for mark in kept) == cost.activations
    uncovered = gpt2calc.cost("gpt2", seq=32, train=True, head="sequence_classification")
    assert len(bars.of_memory(uncovered).panels) == 1


# ---------------------------------------------------------------- growth


def brute(field: str, sizes: range, **others: Any) -> set[tuple[int, str, str]]:
    """Return where groups change places, by trying every size."""
    found = set()
    fields: dict[str, Any]
    groups = {}
    for size in range(sizes[0], sizes[-1] + 1):
        fields = {**others, field: size}
        groups[size] = gpt2calc.count(**fields).groups
    present = [name for name in GROUPS if groups[sizes[0]][name].total or groups[sizes[-1]][name].total]

    def held(size: int, name: str) -> int:
        return sum(groups[size][each].total for each in name.split(" + "))

    pairs = [*combinations(present, 2), (curves.BLOCKS, "embedding")]
    for one, other in pairs:
        for size in list(groups)[1:]:
            for above, below in ((one, other), (other, one)):
                if held(size, above) > held(size, below) and held(size - 1, above) <= held(size - 1, below):
                    found.add((size, above, below))
    return found


def exact(crossings: tuple[Crossing, ...]) -> set[tuple[int, str, str]]:
    """Return crossings without the field."""
    return {(each.at, each.above, each.below) for each in crossings}


@pytest.mark.parametrize(
    ("field", "sizes", "others"),
    [
        ("n_layer", range(1, 97), {}),
        ("n_layer", range(30), {}),
        ("n_embd", range(1, 1500), {}),
        ("n_embd", range(355, 357), {}),
        ("n_embd", range(1, 300), {"n_layer": 1, "vocab_size": 30, "n_positions": 5, "n_inner": 77}),
        ("n_embd", range(1, 200), {"n_layer": 2, "vocab_size": 5, "head": "double_heads", "n_inner": 300}),
        ("vocab_size", range(1, 3000), {"n_embd": 8, "n_layer": 30}),
        ("vocab_size", range(1, 500), {"n_embd": 8, "n_layer": 3, "pad_vocab_size_multiple": 64}),
        ("n_positions", range(1, 400), {"n_embd": 8, "n_layer": 1, "vocab_size": 3}),
        ("n_inner", range(300), {"n_embd": 16, "n_layer": 3, "add_cross_attention": True}),
        ("num_labels", range(3000), {"n_embd": 8, "n_layer": 2, "head": "sequence_classification"}),
    ],
)
def test_crossings_are_those_that_trying_every_size_finds(field: str, sizes: range, others: dict[str, Any]) -> None:
    """Halving finds each, and no other, at the very size."""
    found = curves.of_growth(LEFT_OUT, {**others, field: sizes}).crossings
    assert exact(found) == brute(field, sizes, **others)
    assert [each.at for each in found] == sorted(each.at for each in found)


def test_a_step_between_drawn_sizes_does_not_move_a_crossing() -> None:
    """Crossings are looked for at all sizes, whichever are drawn."""
    every = curves.of_growth("gpt2", {"n_layer": range(1, 97)})
    some = curves.of_growth("gpt2", {"n_layer": range(1, 97, 19)})
    assert every.crossings == some.crossings
    assert [point.size for point in some.points] == [1, 20, 39, 58, 77, 96]


def test_the_crossings_of_gpt2_in_depth() -> None:
    """Where attention and MLP together, MLP, and attention come to hold more than the embeddings."""
    assert [each.text() for each in curves.of_growth("gpt2", {"layers": range(6, 97)}).crossings] == [
        "mlp overtakes embedding at n_layer 9",
        "attention overtakes embedding at n_layer 17",
    ]
    before, after = (gpt2calc.count("gpt2", n_layer=n).groups for n in (16, 17))
    assert before["attention"].total <= before["embedding"].total
    assert after["attention"].total > after["embedding"].total


def test_growth_is_the_count_at_every_size_that_is_drawn() -> None:
    """Marks are groups of the model of each size, and those of a size are all of it."""
    drawn = curves.of_growth("xl", {"n_embd": range(64, 3201, 64), "vocab": 32000})
    for size, marks in groupby(drawn.marks, lambda mark: mark.label):
        count = gpt2calc.count("xl", n_embd=int(size), vocab=32000)
        held = list(marks)
        assert [mark.part for mark in held] == [group.total for group in count.groups.values() if group.total]
        assert sum(mark.part for mark in held) == held[0].whole == count.total


def test_a_long_range_is_drawn_at_even_distances_and_says_so() -> None:
    """Two hundred sizes of a million million, the first and the last among them."""
    drawn = curves.of_growth("gpt2", {"n_layer": range(1, 10**12 + 1)}, "linear")
    sizes = [point.size for point in drawn.points]
    assert (sizes[0], sizes[-1], len(sizes)) == (1, 10**12, curves.MOST_SIZES)
    assert len({after - before for before, after in pairwise(sizes)}) <= 2
    assert drawn.notes == ("200 of the 1,000,000,000,000 sizes are drawn; crossings are looked for at all of them",)
    assert [each.at for each in drawn.crossings] == [6, 9, 17, 12820]


def test_a_long_range_on_logarithms_is_drawn_at_even_ratios() -> None:
    """From the first to the last, no size twice, and as many as are said; crossings are those of all sizes."""
    drawn = curves.of_growth("gpt2", {"n_layer": range(1, 10**12 + 1)})
    sizes = [point.size for point in drawn.points]
    assert sizes == sorted(set(sizes))
    assert (sizes[0], sizes[-1]) == (1, 10**12)
    assert max(after / before for before, after in pairwise(sizes)) <= 2
    assert drawn.notes[0].startswith(f"{len(sizes)} of the 1,000,000,000,000 sizes are drawn;")
    assert [each.at for each in drawn.crossings] == [6, 9, 17, 12820]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "one size grows at a time, and is given as a range such as n_layer 6:96; got none"),
        (
            {"n_layer": range(1, 3), "n_embd": range(1, 3)},
            "one size grows at a time, and is given as a range such as n_layer 6:96; got 2 of them: n_layer, n_embd",
        ),
        (
            {"n_head": range(1, 3)},
            "what can grow is n_layer, n_embd, n_positions, vocab_size, n_inner, num_labels, got 'n_head'",
        ),
        ({"n_layer": range(6, 7)}, "n_layer must be a range of two sizes or more, from the smaller to the larger"),
        ({"n_layer": range(9, 1, -1)}, "n_layer must be a range of two sizes or more, from the smaller to the larger"),
        (
            {"n_layer": range(1, 10**15)},
            "n_layer must be a range up to 1,000,000,000,000 at most, got one to 999999999999999",
        ),
        ({"n_embd": range(5)}, "n_embd must be a whole number, 1 or more, got 0"),
    ],
    ids=lambda value: None if isinstance(value, str) else ", ".join(value) or "nothing",
)
def test_what_cannot_grow_is_told_in_a_sentence(fields: dict[str, Any], said: str) -> None:
    """What was given, and what goes."""
    with pytest.raises(ConfigError) as caught:
        curves.of_growth("gpt2", fields)
    assert str(caught.value) == said


@given(st.integers(2, 50), st.integers(2, 400))
def test_thinning_keeps_the_ends(most: int, many: int) -> None:
    """So many at most, in order, none twice."""
    points = tuple(curves.Point(size, {}, 1) for size in range(many))
    kept = [point.size for point in curves.thinned(points, most)]
    assert (kept[0], kept[-1], len(kept)) == (0, many - 1, min(most, many))
    assert kept == sorted(set(kept))


# ---------------------------------------------------------------- areas


@every_model
def test_the_areas_of_a_model_are_its_tensors(models: tuple[Any, ...]) -> None:
    """Every tensor once, with its own numel; together they are the model."""
    (count,) = plots.counted(models[:1])
    drawn = areas.Treemap(count)
    assert sum(mark.part for mark in drawn.marks) == count.total == drawn.marks[0].whole
    assert {name: sum(mark.part for mark in drawn.marks if mark.series == name) for name in GROUPS} == {
        name: group.total for name, group in count.groups.items()
    }
    if count.dims.n_layer <= areas.MOST_BLOCKS:
        tensors = {tensor.name.removeprefix("transformer."): tensor.numel for tensor in gpt2calc.tensors(count)}
        assert {
            f"{mark.panel}.{mark.label}".replace("block ", "h.").removeprefix("."): mark.part for mark in drawn.marks
        } == tensors


def test_a_model_of_many_blocks_is_drawn_with_its_blocks_as_one() -> None:
    """A hundred and twenty-eight blocks are drawn one by one, and one more together."""
    assert len({mark.panel for mark in areas.Treemap(gpt2calc.count(n_layer=128)).marks}) == 129
    assert {mark.panel for mark in areas.Treemap(gpt2calc.count(n_layer=129)).marks} == {"", "129 blocks"}


sizes_and_boxes = st.tuples(
    st.lists(st.integers(1, 10**12), min_size=1, max_size=30).map(lambda sizes: sorted(sizes, reverse=True)),
    st.integers(1, 1000),
    st.integers(1, 1000),
)


def apart(boxes: list[Box]) -> bool:
    """Whether no two boxes overlap."""
    return all(
        a.x + a.width <= b.x or b.x + b.width <= a.x or a.y + a.height <= b.y or b.y + b.height <= a.y
        for a, b in combinations(boxes, 2)
    )


def inside(boxes: list[Box], outer: Box) -> bool:
    """Whether all boxes lie in another."""
    return all(
        outer.x <= box.x
        and outer.y <= box.y
        and box.x + box.width <= outer.x + outer.width
        and box.y + box.height <= outer.y + outer.height
        for box in boxes
    )


@given(sizes_and_boxes)
def test_areas_are_exactly_proportional_and_fill_the_box(given_: tuple[list[int], int, int]) -> None:
    """Law: the area of each is its size over the sum of all, times the area of the box; none overlaps another."""
    sizes, width, height = given_
    outer = Box(Fraction(3), Fraction(5), Fraction(width), Fraction(height))
    found = list(areas.squarified(sizes, outer))
    assert [box.width * box.height for box in found] == [Fraction(s * width * height, sum(sizes)) for s in sizes]
    assert apart(found)
    assert inside(found, outer)


@given(st.integers(1, 130), st.integers(1, 1000), st.integers(1, 1000))
def test_blocks_have_exactly_the_same_area_and_fill_the_box(count: int, width: int, height: int) -> None:
    """Law: all boxes have the same area, exactly; no row has more than one box more than another."""
    outer = Box(Fraction(0), Fraction(0), Fraction(width), Fraction(height))
    found = list(areas.gridded(count, outer))
    assert [box.width * box.height for box in found] == [Fraction(width * height, count)] * count
    assert inside(found, outer)
    assert apart(found)
    rows = [sum(box.y == y for box in found) for y in {box.y for box in found}]
    assert max(rows) - min(rows) <= 1


@pytest.mark.parametrize("name", ["gpt2", "gpt3-175B", "tiny-gpt2"])
def test_every_tensor_of_a_model_has_exactly_its_share_of_the_area(name: str) -> None:
    """Through model, blocks and tensors, nothing is rounded."""
    count = gpt2calc.count(name)
    drawn = areas.Treemap(count)
    outer = Box(Fraction(0), Fraction(0), Fraction(550), Fraction(300))
    found = [box for _, _, inner in areas.boxes(drawn.nodes, outer) for _, box in inner]
    assert [box.width * box.height * count.total for box in found] == [mark.part * 550 * 300 for mark in drawn.marks]


def test_a_planted_order_would_be_found() -> None:
    """A test of the test: boxes of the same sizes in another order are not proportional to them."""
    outer = Box(Fraction(0), Fraction(0), Fraction(10), Fraction(5))
    assert [box.width * box.height for box in areas.squarified([6, 3, 1], outer)] != [5, 15, 30]


# ---------------------------------------------------------------- values


def test_histograms_hold_every_value_once() -> None:
    """The bins of each component's weights or biases add up to the values that were read."""
    verification = plots.verified()
    drawn = histograms.of_values(verification)
    parts = {(part.component, part.role): part.summary for part in verification.values.parts}
    for (panel, series), marks in groupby(drawn.marks, lambda mark: (mark.panel, mark.series)):
        held = list(marks)
        summary = parts[panel, {"weights": "weight", "biases": "bias"}[series]]
        assert sum(mark.part for mark in held) == held[0].whole == summary.count
        counted = {mark.label: mark.part for mark in held if mark.part}
        assert counted == {f"2^{e}": many for e, many in summary.exponents.items() if many}


def test_values_that_were_not_read_are_asked_for() -> None:
    """A verification without values, and anything else."""
    for nothing in (gpt2calc.verify(plots.CHECKPOINT), gpt2calc.count("gpt2"), None):
        with pytest.raises(ConfigError, match=r"^expected what gpt2calc.verify\(target, values=True\) returns"):
            histograms.of_values(nothing)


def test_a_checkpoint_without_values_is_told_in_a_sentence() -> None:
    """Nothing was read, so there is nothing to draw."""
    verification = plots.verified()
    verification.values.parts = ()
    with pytest.raises(ConfigError, match=r"there are no values to draw$"):
        histograms.of_values(verification)


# ---------------------------------------------------------------- every chart


@every_chart
def test_a_chart_gives_its_marks_as_json_as_a_table_and_as_lines(make: Any) -> None:
    """All three hold every mark, in order, with its exact count."""
    drawn = make(FOUR)
    parts = [mark.part for mark in drawn.marks]
    assert [mark["part"] for mark in drawn.to_dict()["marks"]] == parts
    assert [row[3] for row in drawn.table().rows if row] == parts
    assert [int(line.rpartition(" ")[2]) for line in drawn.lines()] == parts


def test_every_group_has_a_fill_and_a_paint_of_its_own() -> None:
    """In a terminal with Unicode, with ASCII, and with colour."""
    assert set(style.FILLS) == set(style.PAINTS) == set(EVERY_GROUP)
    for fills in zip(*style.FILLS.values(), strict=True):
        assert len(set(fills)) == len(EVERY_GROUP)
    assert len(set(style.PAINTS.values())) == len(EVERY_GROUP)


@pytest.mark.parametrize("name", ["Llama-3.1-8B", "Jamba-v0.1", "gpt-oss-20b", "Mamba-Codestral-7B", "gemma-2-9b"])
def test_a_model_of_any_family_is_drawn_in_shares(name: str) -> None:
    """Each group that it has is its exact part, all together the whole, beside a GPT-2 that has others."""
    count = gpt2calc.count(name)
    drawn = bars.of_shares((gpt2calc.count("gpt2"), count))
    held = {mark.series: mark.part for mark in drawn.marks if mark.panel == "" and mark.label == name}
    assert {group: part for group, part in held.items() if part} == {
        group.name: group.total for group in count.groups.values() if group.total
    }
    assert sum(held.values()) == count.total
    assert [mark.part for mark in bars.of_totals((count,)).marks] == [count.total]
    parts = {mark.series: mark.part for mark in bars.of_weights_biases((count,)).marks}
    assert parts == {"weights": count.weights, "biases": count.biases}


@pytest.mark.parametrize("name", ["Mixtral-8x7B", "DeepSeek-V3", "Jamba-v0.1", "OLMo-2-32B", "Llama-3.1-405B"])
def test_the_areas_of_a_model_of_any_family_are_its_tensors(name: str) -> None:
    """Together they are the model, each group is what it holds, and a block bears its own number."""
    count = gpt2calc.count(name)
    drawn = areas.Treemap(count)
    assert sum(mark.part for mark in drawn.marks) == count.total
    held = {group: sum(mark.part for mark in drawn.marks if mark.series == group) for group in drawn.series}
    assert held == {group.name: group.total for group in count.groups.values() if group.total}
    layers = sum(kind.number for kind in count.layers)
    blocks = {mark.panel for mark in drawn.marks} - {""}
    assert blocks == ({f"block {n}" for n in range(layers)} if layers <= 128 else {f"{layers} blocks"})
