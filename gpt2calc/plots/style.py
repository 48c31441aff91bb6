"""What fills a group's bar in a terminal, and the colours of `gpt2calc.palette` for what draws."""

from __future__ import annotations

from gpt2calc.palette import PAINTS, THEMES, Theme, contrast, find, luminance, readable_on

__all__ = ["FILLS", "PAINTS", "THEMES", "Theme", "contrast", "find", "luminance", "readable_on"]

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
