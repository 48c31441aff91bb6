"""The one palette: its colours are seen on their grounds, told apart by all eyes, and written down nowhere else."""

from __future__ import annotations

import re
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest

import gpt2calc
from gpt2calc import palette
from gpt2calc.model import GROUPS
from gpt2calc.webpage import document

MAIN = ("embedding", "attention", "mlp", "layer_norm")

EYES = {
    "all cones": np.eye(3),
    "protanopia": np.array(
        [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]]
    ),
    "deuteranopia": np.array(
        [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]]
    ),
    "tritanopia": np.array(
        [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]]
    ),
}
"""What eyes make of linear light, at full severity: Machado, Oliveira and Fernandes 2009."""

XYZ = np.array(
    [[0.4124564, 0.3575761, 0.1804375], [0.2126729, 0.7151522, 0.0721750], [0.0193339, 0.1191920, 0.9503041]]
)

every_theme = pytest.mark.parametrize("theme", palette.THEMES)


def seen(colour: str, eyes: str) -> np.ndarray:
    """Return a colour as CIE L*, a*, b*, seen by eyes of a kind."""
    red_green_blue = np.array([int(colour[n : n + 2], 16) for n in (1, 3, 5)]) / 255
    linear = np.where(red_green_blue <= 0.04045, red_green_blue / 12.92, ((red_green_blue + 0.055) / 1.055) ** 2.4)
    light = XYZ @ np.clip(EYES[eyes] @ linear, 0, 1) / XYZ.sum(axis=1)
    x, y, z = np.where(light > (6 / 29) ** 3, np.cbrt(light), light / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * y - 16, 500 * (x - y), 200 * (y - z)])


def nearest(theme: str, groups: tuple[str, ...], eyes: str) -> float:
    """Return the smallest CIE76 distance between two groups."""
    found = [seen(palette.THEMES[theme].series[group], eyes) for group in groups]
    return min(float(np.linalg.norm(one - other)) for one, other in combinations(found, 2))


def test_the_distance_of_black_and_white_is_a_hundred() -> None:
    """A test of the test: L* goes from 0 to 100, a deuteranope takes red for a green, and greys stay greys."""
    assert np.allclose(seen("#ffffff", "protanopia") - seen("#000000", "protanopia"), (100, 0, 0), atol=0.01)
    apart = {eyes: float(np.linalg.norm(seen("#d03030", eyes) - seen("#6c7a00", eyes))) for eyes in EYES}
    assert apart["deuteranopia"] < 10
    assert apart["all cones"] > 80


@every_theme
@pytest.mark.parametrize("eyes", EYES)
def test_the_groups_of_a_gpt2_are_far_apart_for_all_eyes(theme: str, eyes: str) -> None:
    """CIE76 of 26 and more, and 40 for eyes with all cones."""
    assert nearest(theme, MAIN, eyes) > (40 if eyes == "all cones" else 26)


@every_theme
@pytest.mark.parametrize("eyes", EYES)
def test_any_two_groups_of_any_family_are_apart_for_all_eyes(theme: str, eyes: str) -> None:
    """CIE76 of 14 and more, where 2 can be seen side by side; 24 for eyes with all cones."""
    assert nearest(theme, GROUPS, eyes) > (24 if eyes == "all cones" else 14)


@every_theme
def test_the_groups_of_a_gpt2_are_told_apart_in_grey(theme: str) -> None:
    """Printed without colour: 7 steps of 100 in lightness between any two, and 10 between weights and biases."""
    light = {name: seen(colour, "all cones")[0] for name, colour in palette.THEMES[theme].series.items()}
    assert min(abs(light[one] - light[other]) for one, other in combinations(MAIN, 2)) > 7
    assert abs(light["weights"] - light["biases"]) > 10


@every_theme
def test_every_colour_is_seen_on_every_ground(theme: str) -> None:
    """3 to 1 on the paper of plots, and on the page's paper and cards; text on paper, and on a colour, 4.5 to 1."""
    own = palette.THEMES[theme]
    css = (Path(document.ASSETS) / "page.css").read_text(encoding="utf-8")
    rule = css.partition(":root {")[2] if theme == "light" else css.partition('[data-theme="dark"] {')[2]
    grounds = [own.paper, *re.findall(r"--(?:paper|card): (#\w{6})", rule.partition("}")[0])]
    assert len(grounds) == 3
    assert set(GROUPS) <= set(own.series)
    for colour in own.series.values():
        assert min(palette.contrast(colour, ground) for ground in grounds) >= 3
        assert palette.contrast(palette.readable_on(colour), colour) >= 4.5
    assert min(palette.contrast(colour, own.paper) for colour in (own.ink, own.faint)) >= 4.5


def test_the_paints_of_a_terminal_are_seen_on_black_and_on_white() -> None:
    """By the cube and the greys that xterm has from 16 to 255; each group has one of its own."""
    steps = (0, 95, 135, 175, 215, 255)
    for paint in [*palette.PAINTS.values(), *palette.VERDICTS.values()]:
        cube = [steps[(paint - 16) // place % 6] for place in (36, 6, 1)]
        red, green, blue = cube if paint < 232 else (8 + 10 * (paint - 232),) * 3
        colour = f"#{red:02x}{green:02x}{blue:02x}"
        assert min(palette.contrast(colour, ground) for ground in ("#000000", "#ffffff")) >= 3
        assert palette.painted(paint) == colour
    assert set(palette.PAINTS) == set(GROUPS)
    assert len(set(palette.PAINTS.values())) == len(GROUPS)


def test_no_other_file_states_the_colour_of_a_group(built: str) -> None:
    """The page takes its colours as it is built, and its icon too; plots have none of their own."""
    package = Path(gpt2calc.__file__).parent
    for path in [*package.rglob("*.py"), *package.rglob("assets/*")]:
        if path.name not in ("palette.py", "page.css"):
            assert not re.search(r"#[0-9a-fA-F]{6}\b", path.read_text(encoding="utf-8").replace("&#", "")), path
    assert not any(f"--{name}:" in (package / "webpage/assets/page.css").read_text("utf-8") for name in GROUPS)
    for theme in palette.THEMES.values():
        assert all(f"--{group}:{theme.series[group]};" in built for group in GROUPS)
    assert f"fill='%23{palette.THEMES['light'].series['mlp'].removeprefix('#')}'" in built
