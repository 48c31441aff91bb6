"""Pictures: what an SVG shows is what was counted, no text is cut off or lies on another, and bytes never change."""

from __future__ import annotations

import math
import re
import subprocess
import sys
from fractions import Fraction
from functools import cache
from itertools import groupby, pairwise
from typing import TYPE_CHECKING, Any

import matplotlib as mpl
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure

import gpt2calc
import gpt2calc.plots
from gpt2calc.errors import ConfigError, UnknownNameError
from gpt2calc.plots import bars, canvas, curves, drawing, histograms, planes, saving, serving, style
from gpt2calc.plots.chart import Mark
from tests import plots
from tests.conftest import environment
from tests.plots import CHARTS, FOUR, MODELS, ROUNDED, drawn, pictures, svg

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from matplotlib.text import Text

    from gpt2calc.plots.curves import Point
    from tests.conftest import Run

every_chart = pytest.mark.parametrize("make", CHARTS.values(), ids=CHARTS)
every_model = pytest.mark.parametrize("name", MODELS)


def of(*kinds: str) -> pytest.MarkDecorator:
    """Return the parameters of a test of the pictures of some kinds."""
    return pytest.mark.parametrize(("kind", "name"), pictures(*kinds))


def close(found: Fraction, exact: Fraction, *, scale: Fraction = Fraction(1)) -> bool:
    """Whether a drawn length is the exact one, but for the rounding of the two coordinates that it lies between.

    A float is off by less than a thousandth of that, since no coordinate is above 10,000 points.
    """
    return abs(found - exact) <= 2 * ROUNDED * max(scale, Fraction(1))


# ---------------------------------------------------------------- data drawn equals data counted


@of(*CHARTS)
def test_every_mark_is_in_the_picture_once_with_its_exact_count(kind: str, name: str) -> None:
    """Ids hold counts, in order, and no id occurs twice."""
    chart, content = drawn(kind, name)
    names = plots.ids(content)
    assert len(names) == len(set(names))
    if not isinstance(chart, (curves.GrowthChart, serving.ContextChart)):  # whose curves are no marks
        found = [(shape.part, shape.whole) for shape in plots.shapes(content)]
        drawn_as = chart.marks[: len(chart.dots)] if isinstance(chart, planes.PlaneChart) else chart.marks
        assert found == [(mark.part, mark.whole) for mark in drawn_as]


@every_model
def test_stacked_bars_are_as_long_as_their_shares(name: str) -> None:
    """Each segment begins where the one before it ends, and is its share of its row, read back from the SVG."""
    _, content = drawn("shares", name)
    rows = groupby(plots.shapes(content), lambda shape: shape.box[1])
    lengths = []
    for _, found in rows:
        row = list(found)
        left, right = row[0].box[0], row[-1].box[2]
        lengths.append(right - left)
        for before, after in pairwise(row):
            assert before.box[2] == after.box[0]
        for shape in row:
            assert close(shape.size[0], Fraction(shape.part, shape.whole) * (right - left))
        assert sum(shape.part for shape in row) == row[0].whole
    assert len(set(lengths)) == 1
    assert len(lengths) == len(MODELS[name])


@of("grouped", "totals", "weights-biases", "layernorm", "flops", "memory")
def test_bars_are_as_long_as_their_numbers(kind: str, name: str) -> None:
    """On one scale the lengths of bars are to each other as the exact numbers are, read back from the SVG."""
    chart, content = drawn(kind, name)
    assert isinstance(chart, bars.BarChart)
    found = iter(plots.shapes(content))
    by_scale: dict[str, list[tuple[Fraction, Fraction]]] = {}
    for panel, marks in chart.panels:
        for mark in marks:
            if panel.measure == bars.POWERS:
                return  # dots, which the next test reads
            exact = Fraction(*bars.length(panel, mark))
            by_scale.setdefault(panel.scale, []).append((next(found).size[0], exact))
    for pairs in by_scale.values():
        longest, most = max(pairs, key=lambda pair: pair[1])
        assert all(close(long, longest * exact / (most or 1)) for long, exact in pairs)


def test_totals_of_models_far_apart_are_dots_between_powers_of_ten() -> None:
    """The middle of each dot is where the logarithm of its total lies; of a family, which is near, bars begin at 0."""
    drawn = bars.of_totals(plots.counted(("tiny-gpt2", "gpt2", "gpt2-xl", "gpt3-175B")))
    totals = [mark.part for mark in drawn.marks]
    content = svg(drawn)
    middles = [float(shape.box[0] + shape.box[2]) / 2 for shape in plots.shapes(content)]
    for middle, total in zip(middles, totals, strict=True):
        along = (math.log10(total) - math.log10(totals[0])) / (math.log10(totals[-1]) - math.log10(totals[0]))
        assert middle == pytest.approx(middles[0] + along * (middles[-1] - middles[0]), abs=0.01)
    assert drawn.panels[0][0].measure == bars.POWERS
    assert bars.of_totals(plots.counted(FOUR)).panels[0][0].measure == bars.COUNT
    assert faults(gpt2calc.plots.draw(drawn)) == faults(gpt2calc.plots.draw(drawn, "light", 3.3)) == []


def test_what_changed_models_have_in_common_is_said_in_the_title() -> None:
    """And each is called by its own name, whole, with what it alone has."""
    changed = [gpt2calc.count(name, tie_word_embeddings=False, n_positions=n) for name, n in (("gpt2", 64), ("xl", 32))]
    drawn = bars.of_shares(tuple(changed))
    assert drawn.title == "Share of the parameters, tie_word_embeddings=False"
    assert list(dict.fromkeys(x.label for x in drawn.marks)) == [
        "gpt2 with n_positions=64",
        "gpt2-xl with n_positions=32",
    ]
    (only,) = {mark.label for mark in bars.of_totals((changed[0],)).marks}
    assert only == "gpt2 with tie_word_embeddings=False, n_positions=64"


@of("treemap")
def test_areas_are_as_large_as_their_shares(kind: str, name: str) -> None:
    """Each rectangle is its share of the whole area, read back from the SVG."""
    _, content = drawn(kind, name)
    found = plots.shapes(content)
    left, top = (min(shape.box[n] for shape in found) for n in (0, 1))
    right, bottom = (max(shape.box[n] for shape in found) for n in (2, 3))
    whole = (right - left) * (bottom - top)
    for shape in found:
        wide, high = shape.size
        assert close(wide * high, Fraction(shape.part, shape.whole) * whole, scale=wide + high)


@of("growth in n_layer", "growth in n_embd")
def test_curves_go_through_the_counts(kind: str, name: str) -> None:
    """Every point of every curve stands at its size and at its exact height, read back from the SVG."""
    chart, content = drawn(kind, name)
    assert isinstance(chart, curves.GrowthChart)
    most = max(point.total for point in chart.points)
    heights: dict[str, Callable[[Point, str], Fraction]] = {
        "parameters": lambda point, group: Fraction(point.groups[group], most),
        "share_of_the_total": lambda point, group: Fraction(point.groups[group], point.total),
    }
    for panel, height in heights.items():
        found = {shape.gid.rpartition(":")[2]: shape for shape in plots.shapes(content, f"curve:{panel}:")}
        assert set(found) - {"total", "attention_+_mlp"} == set(chart.present)
        corners = {group: found[group].corners for group in chart.present}
        flat = [y for each in corners.values() for _, y in each]
        exact = [height(point, group) for group in chart.present for point in chart.points]
        # Two of the heights give the scale, the lowest and the highest; all others must lie on it.
        low, high = exact.index(min(exact)), exact.index(max(exact))
        slope = (flat[high] - flat[low]) / (exact[high] - exact[low])
        for y, meant in zip(flat, exact, strict=True):
            assert close(y, flat[low] + slope * (meant - exact[low]))
        first, last = chart.points[0].size, chart.points[-1].size
        for each in corners.values():
            begin, end = each[0][0], each[-1][0]
            for (x, _), point in zip(each, chart.points, strict=True):
                assert close(x, begin + (end - begin) * Fraction(point.size - first, last - first))


def test_histograms_are_as_high_as_their_counts() -> None:
    """Within a component's weights, or biases, heights are to each other as the counts are."""
    chart = CHARTS["values"](())
    found = zip(chart.marks, plots.shapes(svg(chart)), strict=True)
    for _, pairs in groupby(found, lambda pair: (pair[0].panel, pair[0].series)):
        held = list(pairs)
        most, highest = max((mark.part, shape.size[1]) for mark, shape in held)
        assert highest > 5
        assert all(close(shape.size[1], highest * Fraction(mark.part, most)) for mark, shape in held)


def test_a_wrong_length_would_be_found() -> None:
    """A test of the test: a bar that is a thousandth of a point too long is not close."""
    shape = plots.shapes(svg(CHARTS["shares"](FOUR)))[0]
    assert close(shape.size[0], shape.size[0])
    assert not close(shape.size[0] + Fraction(1, 1000), shape.size[0])


# ---------------------------------------------------------------- nothing overlaps, nothing is cut off


def agg(figure: Figure) -> Any:
    """Return what draws a figure in dots."""
    return FigureCanvasAgg(figure)


def texts(figure: Figure) -> list[tuple[Text, tuple[float, float, float, float]]]:
    """Return every text of a figure with the box that it fills, in dots."""
    renderer = agg(figure).get_renderer()
    shown = [text for text in figure.texts if text.get_text() and text.get_visible()]
    boxes = [text.get_window_extent(renderer) for text in shown]
    return [(text, (box.x0, box.y0, box.x1, box.y1)) for text, box in zip(shown, boxes, strict=True)]


def faults(figure: Figure) -> list[str]:
    """Return every text that is cut off, and every two that overlap."""
    width, height = (float(size) * figure.dpi for size in figure.get_size_inches())
    found = texts(figure)
    said = [
        f"{text.get_text()!r} is cut off"
        for text, (left, low, right, high) in found
        if left < 0 or low < 0 or right > width or high > height
    ]
    ranked = sorted(found, key=lambda pair: pair[1][0])
    for place, (one, (_, low, right, high)) in enumerate(ranked):
        for other, (left, its_low, _, its_high) in ranked[place + 1 :]:
            if left >= right:
                break
            if its_low < high and low < its_high:
                said.append(f"{one.get_text()!r} lies on {other.get_text()!r}")
    return said


@cache
def figure_of(kind: str, name: str, width: float) -> Figure:
    """Return a picture, drawn once, whatever is looked at in it."""
    return gpt2calc.plots.draw(CHARTS[kind](MODELS[name]), "light", width)


@pytest.mark.parametrize(
    ("kind", "name", "width"),
    [
        *((kind, name, (8, 3.5)[n % 2]) for n, (kind, name) in enumerate(pictures(*CHARTS))),
        *((kind, name, (3.5, 8)[n % 2]) for n, (kind, name) in enumerate(pictures(*CHARTS)) if name == "175B"),
    ],
)
def test_no_text_is_cut_off_or_lies_on_another(kind: str, name: str, width: float) -> None:
    """In every picture: all kinds, from a tiny model to 175B and 300 digits, in two sizes by turns."""
    figure = figure_of(kind, name, width)
    assert faults(figure) == []
    assert len(texts(figure)) >= 3


@every_chart
def test_a_theme_moves_no_text(make: Any) -> None:
    """In the dark every text stands where it stands in the light, so that nothing is cut off or lies on another."""
    light, dark = (texts(gpt2calc.plots.draw(make(FOUR), theme, 3.5)) for theme in style.THEMES)
    assert [(text.get_text(), box) for text, box in dark] == [(text.get_text(), box) for text, box in light]


@pytest.mark.parametrize("width", [3, 40])
@every_chart
def test_the_bounds_of_the_width_hold(make: Any, width: float) -> None:
    """As narrow, and as wide, as a picture can be."""
    assert faults(gpt2calc.plots.draw(make(FOUR), "light", width)) == []


@pytest.mark.parametrize("width", [8, 3.5])
@every_chart
def test_the_least_height_is_enough_and_less_is_refused(make: Any, width: float) -> None:
    """The sentence names the height that a picture needs, and at that height nothing overlaps."""
    chart = make(FOUR)
    with pytest.raises(ConfigError, match=r"^this picture needs a height of ") as caught:
        gpt2calc.plots.draw(chart, "light", width, 1)
    said = re.search(r"height of ([\d.]+) inches", str(caught.value))
    assert said
    least = float(said[1])
    assert faults(gpt2calc.plots.draw(chart, "light", width, least)) == []
    with pytest.raises(ConfigError):
        gpt2calc.plots.draw(chart, "light", width, least - 0.02)


@pytest.mark.parametrize("width", [8, 3.5])
@of("shares", "treemap", "architecture")
def test_every_label_that_is_meant_to_lies_inside_its_shape(kind: str, name: str, width: float) -> None:
    """What is written in a bar or a rectangle is in it, whole."""
    figure = figure_of(kind, name, width)
    (axes,) = figure.axes
    marks = {str(shape.get_gid()): shape.get_window_extent() for shape in axes.patches if shape.get_gid()}
    numbered = {gid.split(":")[1]: box for gid, box in marks.items()}
    for text, (left, low, right, high) in texts(figure):
        gid = str(text.get_gid() or "")
        if not gid.startswith("in:"):
            continue
        box = marks.get(gid.removeprefix("in:")) or numbered[gid.split(":")[1]]
        assert box.x0 <= left
        assert right <= box.x1
        assert box.y0 <= low + 2.5  # the room that a font leaves under its letters
        assert high - 2.5 <= box.y1


def test_a_planted_overlap_would_be_found() -> None:
    """A test of the test: one text more, on another or half outside."""
    figure = gpt2calc.plots.shares(*FOUR)
    assert faults(figure) == []
    figure.text(0.03, 0.88, "planted")
    assert any("lies on" in fault for fault in faults(figure))
    figure = gpt2calc.plots.shares(*FOUR)
    figure.text(0.99, 0.02, "planted")
    assert faults(figure) == ["'planted' is cut off"]


# ---------------------------------------------------------------- the same bytes


@every_chart
def test_a_picture_is_the_same_from_run_to_run(make: Any) -> None:
    """Byte for byte, twice in one process, whatever was drawn between; in each format, the next test."""
    first = saving.rendered(gpt2calc.plots.draw(make(FOUR)), "svg", 60)
    gpt2calc.plots.totals("tiny-gpt2", theme="dark", width=4)
    assert saving.rendered(gpt2calc.plots.draw(make(FOUR)), "svg", 60) == first


def test_a_fresh_process_writes_the_same_bytes(tmp_path: Path) -> None:
    """Another process, another hash seed, another time zone, another style of matplotlib, the same file."""
    each = f"""if True:
        from gpt2calc.cli import main
        for form in {[*saving.FORMATS]}:
            assert main(["plot", "shares", *{FOUR}, "-o", "theirs." + form]) == 0
    """
    (tmp_path / "matplotlibrc").write_text("font.size: 30\nsvg.fonttype: path\naxes.facecolor: red\n", encoding="utf-8")
    changed = environment(PYTHONHASHSEED="7", TZ="Asia/Tokyo")
    subprocess.run([sys.executable, "-c", each], check=True, cwd=tmp_path, env=changed, capture_output=True)
    for form in saving.FORMATS:
        ours = tmp_path / f"ours.{form}"
        gpt2calc.plots.save(gpt2calc.plots.shares(*FOUR), ours)
        assert (tmp_path / f"theirs.{form}").read_bytes() == ours.read_bytes(), form


@pytest.mark.parametrize("form", saving.FORMATS)
def test_no_file_says_when_or_by_which_version_it_was_made(form: str) -> None:
    """Nothing that changes from day to day, or with an update of matplotlib."""
    content = saving.rendered(gpt2calc.plots.totals("gpt2"), form)
    assert mpl.__version__.encode() not in content
    assert not re.search(rb"CreationDate|ModDate|<dc:date>|tIME|20[0-9]{2}-[0-9]{2}-[0-9]{2}", content)


def test_the_text_of_an_svg_is_text() -> None:
    """It can be searched, read aloud and copied."""
    content = svg(CHARTS["shares"](FOUR)).decode()
    assert content.count("<text") == content.count("'DejaVu Sans', Verdana, sans-serif") > 20
    for words in ("gpt2-medium", "embedding", "45.5 %", "1,557,611,200"):
        assert f">{words}</text>" in content


@of("treemap")
def test_an_svg_has_the_title_of_its_chart(kind: str, name: str) -> None:
    """For those who hear a picture, as its title and whatever a model is called."""
    chart, content = drawn(kind, name)
    titles = [element.text for element in plots.elements(content) if element.tag == "{http://www.w3.org/2000/svg}title"]
    assert titles == [chart.title]


def test_drawing_changes_nothing_around_it() -> None:
    """The surroundings keep their style; test_plot.py shows that pyplot is not loaded, so no figure is left open."""
    before = dict(mpl.rcParams)
    figure = gpt2calc.plots.treemap("gpt2")
    saving.rendered(figure, "svg")
    assert dict(mpl.rcParams) == before
    assert isinstance(figure, Figure)


def test_a_style_of_the_surroundings_changes_no_picture() -> None:
    """Whoever likes large type, or TeX, gets the picture that all get."""
    plain = svg(CHARTS["shares"](FOUR))
    with mpl.rc_context({"font.size": 40, "text.usetex": False, "axes.grid": True, "font.family": ["serif"]}):
        assert svg(CHARTS["shares"](FOUR)) == plain


def test_importing_the_room_loads_no_matplotlib() -> None:
    """`import gpt2calc.plots` is as light as `import gpt2calc`."""
    code = "import sys, gpt2calc.plots; assert not {'matplotlib', 'numpy', 'fractions'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True, env=environment())


# ---------------------------------------------------------------- Python


PUBLIC = {
    "shares": lambda: gpt2calc.plots.shares(*FOUR),
    "shares, grouped": lambda: gpt2calc.plots.shares(gpt2calc.count("gpt2"), {"n_layer": 3}, grouped=True),
    "totals": lambda: gpt2calc.plots.totals("small", "xl", theme="dark"),
    "weights and biases": lambda: gpt2calc.plots.weights_biases("small", width=5, height=3),
    "LayerNorm": lambda: gpt2calc.plots.layernorm("small", "nanogpt-no-bias"),
    "growth": lambda: gpt2calc.plots.growth("gpt2", n_layer=range(6, 97)),
    "treemap": lambda: gpt2calc.plots.treemap(gpt2calc.count("gpt2")),
    "architecture": lambda: gpt2calc.plots.architecture("gpt2"),
    "block": lambda: gpt2calc.plots.block("gpt2"),
    "iso": lambda: gpt2calc.plots.iso("gpt2"),
    "values": lambda: gpt2calc.plots.values(plots.verified()),
    "flops": lambda: gpt2calc.plots.flops(gpt2calc.cost("gpt2"), theme="dark"),
    "memory": lambda: gpt2calc.plots.memory(gpt2calc.cost("gpt2", train=True)),
}


@pytest.mark.parametrize("make", PUBLIC.values(), ids=PUBLIC)
def test_each_function_returns_a_figure(make: Any) -> None:
    """Of matplotlib, of the size that was asked for."""
    figure = make()
    assert isinstance(figure, Figure)
    assert figure.get_size_inches()[0] in (5, 8)


def test_the_public_names_are_pinned() -> None:
    """Every picture, and how to save one."""
    assert gpt2calc.plots.__all__ == [
        *("architecture", "block", "context", "flops", "growth", "iso", "kv", "layernorm", "memory", "save", "shares"),
        *("totals",),
        *("treemap", "values", "weights_biases"),
    ]


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"width": 2}, "width must be 3 to 40 inches, got 2"),
        ({"width": 41}, "width must be 3 to 40 inches, got 41"),
        ({"width": float("nan")}, "width must be 3 to 40 inches, got nan"),
        ({"height": float("inf")}, "height must be 1 to 40 inches, got inf"),
        ({"height": 0}, "height must be 1 to 40 inches, got 0"),
        ({"theme": "drak"}, "no theme is called 'drak': did you mean dark?"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_a_sentence(how: dict[str, Any], said: str) -> None:
    """Bounds, and themes by name."""
    with pytest.raises((ConfigError, UnknownNameError)) as caught:
        gpt2calc.plots.shares("gpt2", **how)
    assert str(caught.value) == said


def test_a_picture_of_everything_that_ships_fits_in_its_bounds() -> None:
    """More models need more height, up to a bound that is told."""
    names = [model.name for model in gpt2calc.models()]
    assert faults(gpt2calc.plots.totals(*names)) == []
    with pytest.raises(
        ConfigError, match=r"^this picture needs a height of \d+ inches, and 40 is the most: draw less$"
    ):
        gpt2calc.plots.shares(*names, grouped=True, width=3)


def test_a_character_that_the_font_lacks_is_drawn_as_one_that_says_so() -> None:
    """No warning, and no box of nothing."""
    assert canvas.drawable("名前 gpt2 é\n") == "\N{REPLACEMENT CHARACTER}" * 2 + " gpt2 é\\n"
    assert "\N{REPLACEMENT CHARACTER}" in svg(CHARTS["totals"](MODELS["long names"])).decode()


@pytest.mark.parametrize("words", ["gpt2", "x" * 300, "", "$x$", "a b"])
@pytest.mark.parametrize("room", [0, 5, 40, 1000])
def test_fitted_words_are_not_wider_than_their_room(words: str, room: float) -> None:
    """The middle is left out, and the ends stay."""
    short = canvas.fitted(words, room, 9)
    assert canvas.measured(short, 9) <= room or short == ""
    assert short in (words, "") or "…" in short


@pytest.mark.parametrize(
    "words", ["314,639,360 × 36 = 11,327,016,960", "kept of 131,072 tokens, bf16", "1,000,000,000"]
)
def test_what_does_not_fit_is_left_out_and_no_number_torn(words: str) -> None:
    """Whatever the room, each number that is drawn is a number that was to be drawn."""
    whole = set(re.findall(r"[\d,]*\d", words))
    for room in range(4, 200, 3):
        assert set(re.findall(r"[\d,]*\d", canvas.fitted(words, room, 9))) <= whole


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ([0, 50, 100], [0, 50, 100]),
        ([50, 50, 50], [40, 50, 60]),
        ([0, 1, 2], [0, 10, 20]),
        ([98, 99, 100], [80, 90, 100]),
        ([5, 9, 60, 61], [2, 12, 55.5, 65.5]),
        ([], []),
    ],
)
def test_labels_are_spread_as_little_as_can_be(wanted: list[float], found: list[float]) -> None:
    """Ten apart, between 0 and 100."""
    assert canvas.spread(wanted, 10, 0, 100) == found


def test_charts_of_no_known_kind_are_refused() -> None:
    """A new kind of chart needs a file that draws it."""
    with pytest.raises(TypeError):
        drawing.draw(gpt2calc.count("gpt2"), style.THEMES["light"], 8, None)  # type: ignore[arg-type]  # on purpose


def test_values_in_two_dtypes_are_drawn_side_by_side() -> None:
    """A component whose weights come in two dtypes has two series, and both are drawn upwards."""
    from gpt2calc.verification.streaming import Summary
    from gpt2calc.verification.values import ComponentStatistics

    parts = []
    for dtype, count in (("F16", 3), ("F32", 5)):
        summary = Summary()
        summary.zeros, summary.nans = 2, 1
        summary.finite, summary.count = count + 2, count + 3
        summary.tally({-40: 1, -1: count - 1})
        parts.append(ComponentStatistics("wte", "weight", dtype, summary))
    chart = histograms.HistogramChart("two", tuple(parts), ())
    assert chart.series == ("weights in F16", "weights in F32")
    assert (chart.bins[:3], chart.bins[-1]) == (("0", "< 2^-24", "2^-24"), "NaN or Inf")
    assert [mark.part for mark in chart.marks if mark.part] == [2, 1, 2, 1, 2, 1, 4, 1]
    assert {mark.whole for mark in chart.marks} == {6, 8}
    found = plots.shapes(svg(chart))
    assert len({shape.box[0] for shape in found}) == len(found)
    assert faults(gpt2calc.plots.draw(chart)) == []


def fresh() -> histograms.HistogramChart:
    """Return the values of a model as it is initialised: biases are 0, and weights lie around 2^-5, far down to 0."""
    from gpt2calc.verification.streaming import Summary
    from gpt2calc.verification.values import ComponentStatistics

    parts = []
    for component, role, tally, zeros in (
        ("wte", "weight", {exponent: max(1, int(10**6 * 2.0 ** (exponent + 5))) for exponent in range(-34, -4)}, 3),
        ("attn.c_attn", "weight", dict.fromkeys(range(-30, -4), 10), 0),
        ("attn.c_attn", "bias", {}, 768),
        ("ln_f", "weight", {0: 768}, 0),
    ):
        summary = Summary()
        summary.tally(tally)
        summary.zeros = zeros
        summary.finite = summary.count = sum(tally.values()) + zeros
        parts.append(ComponentStatistics(component, role, "F32", summary))
    return histograms.HistogramChart("fresh", tuple(parts), ())


@pytest.mark.parametrize("width", [3, 6, 8, 12, 16])
def test_the_axis_of_values_never_ends_empty(width: float) -> None:
    """Where both 0 and what is less than all bins are there, powers of two are still written under every panel."""
    chart = fresh()
    assert chart.bins[:2] == ("0", "< 2^-23")
    figure = gpt2calc.plots.draw(chart, "light", width)
    words = [text.get_text() for text in figure.texts]
    assert words.count("2⁰") == 3
    assert sum(word.startswith("2⁻") for word in words) >= 3
    assert "size of the values, powers of two" in words
    assert any("100 %" in word for word in words)
    assert faults(figure) == []


def test_an_axis_of_one_power_has_its_label() -> None:
    """A LayerNorm as it is initialised holds nothing but ones and zeros."""
    chart = histograms.HistogramChart("ones", (), ())
    chart.bins = ("0", "2^0")
    chart.marks = tuple(Mark("ln_f", label, "weights", 1, 2) for label in chart.bins)
    words = [text.get_text() for text in gpt2calc.plots.draw(chart, "light", 3).texts]
    assert words.count("2⁰") == 1


@pytest.mark.parametrize("name", ["gpt2", "gpt2-xl", "Mixtral-8x7B", "DeepSeek-V3"])
def test_no_two_matrices_of_a_treemap_have_one_label(name: str) -> None:
    """Both c_proj of a GPT-2 are told apart, and every block has its number alone but for the first of its kind."""
    figure = gpt2calc.plots.treemap(name)
    labels: dict[str, list[str]] = {}
    for text in figure.texts:
        if str(text.get_gid() or "").startswith("in:"):
            labels.setdefault(str(text.get_gid()).split(":")[1], []).append(text.get_text())
    found = [" ".join(words) for words in labels.values()]
    assert len(found) == len(set(found))
    assert faults(figure) == []
    assert any("mlp" in words or "experts" in words for words in found)


def test_growth_over_more_than_sixteen_times_is_drawn_on_logarithms() -> None:
    """Sizes at even ratios, and powers of ten: what grows as d² is a straight line of slope 2 on them."""
    wide, narrow = (curves.of_growth("gpt2", {"n_embd": range(64, last)}) for last in (8193, 1025))
    assert (wide.scale, narrow.scale) == ("log", "linear")
    assert curves.of_growth("gpt2", {"n_embd": range(64, 8193)}, "linear").scale == "linear"
    found = {shape.gid.rpartition(":")[2]: shape.corners for shape in plots.shapes(svg(wide), "curve:parameters:")}
    for group, slope in (("embedding", 1), ("layer_norm", 1), ("mlp", 2), ("attention", 2)):
        (x, y), *_, (end_x, end_y) = found[group]
        flat, rise = float(end_x - x), float(y - end_y)
        (left, low), *_, (right, high) = found["embedding"]
        assert rise / flat == pytest.approx(slope * float(low - high) / float(right - left), rel=0.01)
    words = [text.get_text() for text in gpt2calc.plots.draw(wide).texts]
    assert {"64", "512", "4,096", "10B", "n_embd, log"} <= set(words)
    assert faults(gpt2calc.plots.draw(wide)) == []


def test_a_scale_that_cannot_be_is_told(run: Run) -> None:
    """Zero has no logarithm, and nothing but growth has a scale."""
    with pytest.raises(ConfigError, match=r"^a scale of logarithms begins at 1, and n_layer begins at 0$"):
        curves.of_growth("gpt2", {"n_layer": range(20)}, "log")
    assert run("plot", "shares", "gpt2", "--scale", "log").stderr == (
        "gpt2calc plot: --scale goes with growth, not with shares\n"
    )
