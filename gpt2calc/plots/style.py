"""The colours of the pictures, in the light and in the dark, and of the terminal: each series has its own in both.

Any two groups of a GPT-2 differ in lightness too, so that they can be told apart in grey and by eyes that see few
colours; those that other families add differ half as much, since there are ten.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from gpt2calc.errors import UnknownNameError

if TYPE_CHECKING:
    from collections.abc import Mapping


class Theme(NamedTuple):
    """The colours of one theme, as `#rrggbb`."""

    paper: str
    ink: str
    faint: str
    rule: str
    series: Mapping[str, str]


THEMES = {
    "light": Theme(
        paper="#ffffff",
        ink="#1b1d21",
        faint="#5b616b",
        rule="#d5d8dd",
        series={
            "attention": "#003b6b",
            "cross_attention": "#773d89",
            "embedding": "#007e8d",
            "mlp": "#e17634",
            "head": "#ee9fc2",
            "layer_norm": "#f0d762",
            "experts": "#784b15",
            "ssm": "#145125",
            "router": "#1e1e1e",
            "other": "#828282",
            "weights": "#007e8d",
            "biases": "#e17634",
            "total": "#003b6b",
            "gradients": "#e17634",
            "optimizer": "#773d89",
            "activations": "#003b6b",
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
            "attention": "#005ca1",
            "cross_attention": "#9a5dab",
            "embedding": "#0aa0a9",
            "mlp": "#fc9355",
            "head": "#fbbad6",
            "layer_norm": "#ffed75",
            "experts": "#a3661d",
            "ssm": "#1e7635",
            "router": "#393939",
            "other": "#9f9f9f",
            "weights": "#0aa0a9",
            "biases": "#fc9355",
            "total": "#0aa0a9",
            "gradients": "#fc9355",
            "optimizer": "#9a5dab",
            "activations": "#005ca1",
            "peak": "#a5abb5",
            "again": "#a5abb5",
        },
    ),
}

FILLS = {
    "attention": ("█", "#"),
    "cross_attention": ("▚", "x"),
    "embedding": ("▓", "="),
    "mlp": ("▒", "+"),
    "head": ("╱", "/"),
    "layer_norm": ("░", "."),
    "experts": ("▞", "%"),
    "ssm": ("╲", "o"),
    "router": ("│", "|"),
    "other": ("·", ":"),
}
"""What fills a group's bar in a terminal, with Unicode and in ASCII."""

PAINTS = {"attention": 26, "cross_attention": 133, "embedding": 37, "mlp": 208, "head": 218, "layer_norm": 227}
PAINTS |= {"experts": 94, "ssm": 28, "router": 240, "other": 250}
"""The colour of a group among the 256 of a terminal."""


def find(name: str) -> Theme:
    """Return a theme by name.

    Raises:
        UnknownNameError: there is none of this name.
    """
    if name not in THEMES:
        raise UnknownNameError("theme", name, tuple(THEMES))
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
