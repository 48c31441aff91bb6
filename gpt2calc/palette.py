"""The colours of everything that is drawn: plots, the terminal, the page and its icon take them from here alone.

Law: every colour of a series has a contrast of 3 to 1 at least on the grounds that it is drawn on, in the light and in
the dark (WCAG 2.2, 1.4.11). The four groups of a GPT-2 can be told apart in grey, and any two groups by eyes that lack
one of the three cones (Machado, Oliveira, Fernandes 2009); `tests/test_palette.py` computes how far apart they are.
What is no group, such as weights and biases, is one hue in several lightnesses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.errors import Named

if TYPE_CHECKING:
    from collections.abc import Mapping


class Theme(NamedTuple):
    """The colours of one theme, as `#rrggbb`."""

    paper: str
    ink: str
    faint: str
    rule: str
    series: Mapping[str, str]


THEMES = Named(
    "theme",
    {
        "light": Theme(
            paper="#ffffff",
            ink="#1b1d21",
            faint="#5b616b",
            rule="#d5d8dd",
            series={
                "embedding": "#006c7a",
                "attention": "#162a5e",
                "cross_attention": "#6e3f94",
                "mlp": "#c55440",
                "experts": "#705902",
                "router": "#272326",
                "ssm": "#00480f",
                "layer_norm": "#bf8300",
                "head": "#d258c4",
                "other": "#848485",
                "weights": "#2f3e55",
                "biases": "#8492a7",
                "total": "#2f3e55",
                "gradients": "#4c5e79",
                "optimizer": "#69799a",
                "activations": "#8492a7",
                "peak": "#5b616b",
                "again": "#5b616b",
            },
        ),
        "dark": Theme(
            paper="#14161a",
            ink="#eceef1",
            faint="#a5abb5",
            rule="#3a3f47",
            series={
                "embedding": "#18b5b1",
                "attention": "#586aa9",
                "cross_attention": "#8871dd",
                "mlp": "#ffa47d",
                "experts": "#9a7b0f",
                "router": "#dee9e0",
                "ssm": "#638b3e",
                "layer_norm": "#faf463",
                "head": "#f5baea",
                "other": "#8b8c82",
                "weights": "#c9d3e2",
                "biases": "#6c7d97",
                "total": "#c9d3e2",
                "gradients": "#a9b7cb",
                "optimizer": "#8898b1",
                "activations": "#6c7d97",
                "peak": "#a5abb5",
                "again": "#a5abb5",
            },
        ),
    },
)

PAINTS = {
    "embedding": 30,
    "attention": 62,
    "cross_attention": 97,
    "mlp": 166,
    "experts": 94,
    "router": 242,
    "ssm": 28,
    "layer_norm": 136,
    "head": 170,
    "other": 245,
}
"""The colour of a group among the 256 of a terminal, which can be seen on black and on white."""

VERDICTS = {"good": 29, "bad": 160}
"""The colour of a verdict beside its words, among the same 256."""

CUBE = (0, 95, 135, 175, 215, 255)
"""How much of red, green and blue the colours 16 to 231 of a terminal have; from 232 on they are greys."""


def painted(paint: int) -> str:
    """Return a colour of a terminal, from 16 on, as `#rrggbb`: what a notebook takes, whose ground nobody knows.

    >>> painted(PAINTS["attention"])
    '#5f5fd7'
    """
    if paint < 232:
        parts = tuple(CUBE[(paint - 16) // place % 6] for place in (36, 6, 1))
    else:
        parts = (8 + 10 * (paint - 232),) * 3
    return "#{:02x}{:02x}{:02x}".format(*parts)


def find(name: str) -> Theme:
    """Return a theme by name.

    Raises:
        UnknownNameError: there is none of this name.
    """
    return THEMES[name]


def luminance(colour: str) -> float:
    """Return how much light a colour gives, from 0 for black to 1 for white.

    Source: WCAG 2.2, relative luminance.
    """
    parts = (int(colour[n : n + 2], 16) / 255 for n in (1, 3, 5))
    red, green, blue = (x / 12.92 if x <= 0.04045 else ((x + 0.055) / 1.055) ** 2.4 for x in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Return the contrast of two colours, from 1 for none to 21 for black on white.

    Source: WCAG 2.2, contrast ratio.
    """
    dark, light = sorted(map(luminance, (one, other)))
    return (light + 0.05) / (dark + 0.05)


def readable_on(colour: str) -> str:
    """Return black or white, whichever can be read on a colour."""
    return max("#000000", "#ffffff", key=lambda text: contrast(text, colour))
