"""A sheet of paper for matplotlib: text and axes placed in points, and text that is measured before it is placed."""

from __future__ import annotations

from contextlib import contextmanager
from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NamedTuple

import matplotlib as mpl
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont
from matplotlib.ft2font import FT2Font
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.textpath import text_to_path

from gpt2calc.errors import ConfigError, printable
from gpt2calc.plots.chart import percent, without_middle

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from matplotlib.axes import Axes

    from gpt2calc.plots.chart import Mark
    from gpt2calc.plots.style import Theme

FONT = "DejaVu Sans"
"""The font that ships with matplotlib, so that pictures are the same on all machines."""

SLACK = 1.05
"""Where there are few dots to an inch, hinting makes type this much wider at most."""

POINTS = 72
WIDTHS, HEIGHTS = (3.0, 40.0), (1.0, 40.0)
"""The least and the most inches of a picture."""

OURS = {
    "font.family": [FONT],
    "path.simplify": False,  # what is drawn is what was counted, point by point
    "pdf.fonttype": 42,
    "svg.fonttype": "none",
    "svg.hashsalt": "gpt2calc",
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the style of this project, whatever style the surroundings have, and leave theirs as it was."""
    backends = ("backend", "backend_fallback")
    plain: dict[Any, Any] = {name: value for name, value in mpl.rcParamsDefault.items() if name not in backends}
    with mpl.rc_context(plain | OURS):
        yield


class Sizes(NamedTuple):
    """How large type and margins are, in points; a narrow picture has smaller ones."""

    body: float
    margin: float

    @property
    def title(self) -> float:
        """The size of the title."""
        return self.body + 2

    @property
    def line(self) -> float:
        """From one line of text to the next."""
        return 1.5 * self.body

    @property
    def gap(self) -> float:
        """Between things that belong together."""
        return 0.6 * self.body

    @property
    def top(self) -> float:
        """Where what comes under the title begins."""
        return self.margin + 1.9 * self.title


def sizes(width: float) -> Sizes:
    """Return the sizes for a picture of so many inches."""
    return Sizes(9, 13) if width >= 5.5 else Sizes(7, 8)


def measured(words: str, size: float, *, bold: bool = False) -> float:
    """Return how wide words are at most, in points."""
    return SLACK * size * _ems(words, bold=bold)


@lru_cache(maxsize=4096)
def _ems(words: str, *, bold: bool) -> float:
    """Return how wide words are, in sizes of type."""
    font = FontProperties(family=FONT, size=1, weight="bold" if bold else "normal")
    width: float = text_to_path.get_text_width_height_descent(drawable(words), font, ismath=False)[0]
    return width


def drawable(words: str) -> str:
    """Return words in one line of characters that the font has; others are drawn as one that says so."""
    return "".join(each if ord(each) in _known() else "\N{REPLACEMENT CHARACTER}" for each in printable(words))


@cache
def _known() -> frozenset[int]:
    """Return the characters that the font has, plain and bold."""
    plain, bold = (findfont(FontProperties(family=FONT, weight=weight)) for weight in ("normal", "bold"))
    return frozenset(FT2Font(plain).get_charmap()) & frozenset(FT2Font(bold).get_charmap())


def fitted(words: str, width: float, size: float, *, bold: bool = False) -> str:
    """Return words in so many points, the middle left out where they are longer, and no number torn."""
    words = drawable(words)
    kept, short = len(words), words
    while kept and measured(short, size, bold=bold) > width:
        kept -= 1
        short = without_middle(words, kept)
    return short if kept else ""


def first_that_fits(wordings: Sequence[str], width: float, size: float) -> str:
    """Return the first wording that is not wider than so many points, nothing where none is."""
    return next((words for words in wordings if measured(words, size) <= width), "")


def inches(points: float, given: float | None) -> float:
    """Return the height of a picture that needs so many points: what is given, or what it needs.

    Raises:
        ConfigError: what is given is too little, or what it needs is too much.
    """
    needed = points / POINTS
    if needed > HEIGHTS[1]:
        most = HEIGHTS[1]
        raise ConfigError(f"this picture needs a height of {needed:.0f} inches, and {most:g} is the most: draw less")
    if given is None:
        return needed
    if given < needed - 1e-9:
        least = f"{needed + 0.005:.2f}"
        raise ConfigError(f"this picture needs a height of {least} inches or more, got {given:g}", got=given)
    return given


class Canvas:
    """A figure on which things are placed in points, from its upper left corner.

    Args:
        theme: its colours.
        width: in inches.
        height: in inches.
    """

    def __init__(self, theme: Theme, width: float, height: float) -> None:
        self.theme, self.sizes = theme, sizes(width)
        self.figure = Figure(figsize=(width, height), facecolor=theme.paper)
        self.width, self.height = width * POINTS, height * POINTS

    def title(self, words: str) -> None:
        """Write the title, which also is what the figure is called in a file."""
        self.figure.set_label(printable(words))
        size, room = self.sizes.title, self.width - 2 * self.sizes.margin
        words = fitted(words, room, size, bold=True)
        self.text(self.sizes.margin, self.sizes.margin + size, words, size=size, bold=True)

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: float | None = None,
        colour: str | None = None,
        align: str = "left",
        bold: bool = False,
        gid: str | None = None,
    ) -> None:
        """Write words with their baseline at y."""
        placed = self.figure.text(
            x / self.width,
            1 - y / self.height,
            drawable(words),
            fontsize=self.sizes.body if size is None else size,
            fontweight="bold" if bold else "normal",
            color=self.theme.ink if colour is None else colour,
            ha=align,
            va="baseline",
            parse_math=False,
        )
        placed.set_gid(gid)

    def middle(self, x: float, y: float, words: str, **how: Any) -> None:
        """Write words with the middle of their digits at y."""
        size = how.get("size") or self.sizes.body
        self.text(x, y + 0.365 * size, words, **how)

    def axes(self, x: float, y: float, width: float, height: float) -> Axes:
        """Return axes without anything in them, at a place and of a size in points."""
        place = (x / self.width, 1 - (y + height) / self.height, width / self.width, height / self.height)
        axes = self.figure.add_axes(place)
        axes.set_axis_off()
        return axes

    def box(self, x: float, y: float, width: float, height: float, colour: str) -> None:
        """Fill a rectangle."""
        corner = (x / self.width, 1 - (y + height) / self.height)
        self.figure.add_artist(Rectangle(corner, width / self.width, height / self.height, color=colour, linewidth=0))

    def line(self, start: tuple[float, float], end: tuple[float, float], colour: str, width: float = 0.6) -> None:
        """Draw a straight line."""
        across = [start[0] / self.width, end[0] / self.width]
        down = [1 - start[1] / self.height, 1 - end[1] / self.height]
        self.figure.add_artist(Line2D(across, down, color=colour, linewidth=width))

    def swatch(self, x: float, y: float, series: str) -> float:
        """Write the name of a series after its colour, with its baseline at y; return where it ends."""
        side = 0.8 * self.sizes.body
        self.box(x, y - side, side, side, self.theme.series[series])
        self.text(x + side + 0.35 * self.sizes.body, y, series, gid=f"key:{series}")
        return x + swatch_width(series, self.sizes.body)


def fill(
    axes: Axes,
    corner: tuple[float, float],
    size: tuple[float, float],
    *,
    colour: str,
    edge: tuple[str, float] = ("none", 0),
    gid: str | None = None,
) -> None:
    """Draw a rectangle on axes, in their own measures, with an edge of a colour and a width."""
    shape = Rectangle(corner, *size, facecolor=colour, edgecolor=edge[0], linewidth=edge[1])
    shape.set_gid(gid)
    axes.add_artist(shape)


def swatch_width(series: str, size: float) -> float:
    """Return how wide a series' name is with its colour before it."""
    return measured(series, size) + 1.15 * size


def lined_up(widths: Sequence[float], gap: float, room: float) -> list[list[int]]:
    """Return lines of things, by number, that are not wider than the room together."""
    lines: list[list[int]] = [[]]
    used = -gap
    for number, width in enumerate(widths):
        if lines[-1] and used + gap + width > room:
            lines.append([])
            used = -gap
        lines[-1].append(number)
        used += gap + width
    return lines


class Key(NamedTuple):
    """Which colour is which group, each with its share, in lines."""

    shares: dict[str, str]
    lines: list[list[int]]
    sizes: Sizes

    @property
    def height(self) -> float:
        """How high all lines are."""
        return len(self.lines) * self.sizes.line

    def draw(self, canvas: Canvas) -> None:
        """Write the key under the title."""
        groups = list(self.shares)
        for number, line in enumerate(self.lines):
            x, y = self.sizes.margin, self.sizes.top + 0.8 * self.sizes.body + number * self.sizes.line
            for name in (groups[place] for place in line):
                end = canvas.swatch(x, y, name) + 0.4 * self.sizes.body
                canvas.text(end, y, self.shares[name], colour=canvas.theme.faint)
                x = end + measured(self.shares[name], self.sizes.body) + 2 * self.sizes.gap


def keyed(held: dict[str, int], whole: int, size: Sizes, room: float) -> Key:
    """Return the key of groups that hold so much of a whole, in lines of so many points."""
    shares = {name: percent(part, whole) for name, part in held.items()}
    widths = [
        swatch_width(name, size.body) + 0.4 * size.body + measured(share, size.body) for name, share in shares.items()
    ]
    return Key(shares, lined_up(widths, 2 * size.gap, room), size)


def spread(wanted: Sequence[float], distance: float, low: float, high: float) -> list[float]:
    """Return places as near to the wanted ones as they can be, in order, so far apart, and within bounds.

    The wanted places are in rising order. Where there is too little room, what is lowest goes below the bounds.
    """
    groups: list[tuple[float, int]] = []  # the first place of things that touch, and how many
    for place in wanted:
        groups.append((place, 1))
        while len(groups) > 1 and groups[-2][0] + distance * groups[-2][1] > groups[-1][0]:
            (first, many), (second, more) = groups[-2:]
            middle = (first * many + (second - distance * many) * more) / (many + more)
            groups[-2:] = [(middle, many + more)]
    places = [first + distance * n for first, many in groups for n in range(many)]
    for n in range(len(places)):
        places[n] = max(places[n], low + distance * n)
    for n in reversed(range(len(places))):
        places[n] = min(places[n], high - distance * (len(places) - 1 - n))
    return places


def name_of(place: int, mark: Mark) -> str:
    """Return the id of a mark in the drawing: its number, what it is, and its exact count.

    >>> from gpt2calc.plots.chart import Mark
    >>> name_of(2, Mark("", "gpt2", "mlp", 56669184, 124439808))
    'mark:2:gpt2:mlp:56669184/124439808'
    """
    words = (str(place), *filter(None, (mark.panel, mark.label, mark.series)), f"{mark.part}/{mark.whole}")
    return "_".join(printable(":".join(("mark", *words))).split())
