"""The page as one file: markup, style and scripts put together, under a policy that allows these and nothing else."""

from __future__ import annotations

import os
import re
import zlib
from base64 import b64encode, b85decode, b85encode
from hashlib import sha256
from json import dumps

from gpt2calc import palette, presets
from gpt2calc.model import GROUPS
from gpt2calc.webpage import engine, facts

ASSETS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "assets")

RUNTIME = ("json", "python")
"""The scripts that what is translated needs."""

CORE = ("worker",)
"""The scripts that compute by what is translated, and know no page; a worker runs them, too."""

SEEN = ("state", "aim", "flow", "controls", "page")
"""The scripts of what is seen."""

COMMENT = re.compile(r"^ *(?://.*|/\*\*(?:[^*]|\*(?!/))*\*/)\n|^ +|^\n", re.MULTILINE)
"""A comment of a script, what indents a line, and an empty one; who reads the page finds both in the source."""

SPACED = re.compile(r" (=>|===|!==|&&|\|\|) ")
"""Operators that need no room; no text in the scripts has one of them between blanks."""

PACKED = re.compile(r"(?<=<script type=\"application/octet-stream\" id=\"packed\">).*(?=</script>)")
"""Where the scripts and tables stand that the page unpacks: JSON, deflated, to the base of 85."""

POLICY = (
    "default-src 'none'; script-src 'sha256-{loader}' 'sha256-{script}'; worker-src blob:; style-src 'sha256-{style}'; "
    "img-src data:; base-uri 'none'; form-action 'none'"
)
"""What the page may do: run its loader, what that unpacks, and a worker of it; show its one style and its icon, and
fetch nothing."""


def build(version: str) -> str:
    """Return the whole page as HTML.

    Args:
        version: that of gpt2calc, which the page names.

    >>> build("1.0").startswith("<!doctype html>")
    True
    """
    shipped, others = presets.models(), presets.others()
    style, loader, core, seen = _style(), _written("loader"), _core(shipped, others), "".join(map(_written, SEEN))
    packed = b85encode(zlib.compress(_json({"core": core, "page": seen}).encode(), 9)).decode()
    policy = POLICY.format(loader=_hash(loader), script=_hash(core + seen), style=_hash(style))
    page = _asset("page.html")
    contents = {
        "policy": policy,
        "style": style,
        "icon": _icon(),
        "version": version,
        "packed": packed,
        "loader": loader,
    }
    for name, content in contents.items():
        page = page.replace(f"{{{name}}}", content, 1)
    return page


def readable(page: str) -> str:
    """Return a page with its tables as JSON: releases of zlib pack the same tables into other bytes.

    Args:
        page: as HTML.
    """
    return PACKED.sub(lambda found: zlib.decompress(b85decode(found[0])).decode(), page)


def _core(shipped: tuple[presets.Preset, ...], others: tuple[presets.Preset, ...]) -> str:
    """Return what computes: the tables, what is translated from Python, and what is written by hand."""
    pairs = (f"{_json(name)}: {_json(found)}" for name, found in facts.collect(shipped, others).items())
    data = ",\n".join(pairs)
    helpers, python = map(_written, RUNTIME)
    written, translated = "".join(map(_written, CORE)), engine.write(python, shipped)
    return "\n".join(('"use strict";', f"const FACTS = {{\n{data}\n}};", helpers, translated, written))


def _written(name: str) -> str:
    """Return a script that is written by hand, without what only its source needs."""
    return SPACED.sub(r"\1", COMMENT.sub("", _asset(f"{name}.js")))


def _style() -> str:
    """Return the style, with the colours of every group, and of what is written on them, for both themes."""
    style = _asset("page.css")
    for name, theme in palette.THEMES.items():
        pairs = ((group, theme.series[group]) for group in GROUPS)
        said = (f"--{group}:{colour};--on-{group}:{palette.readable_on(colour)};" for group, colour in pairs)
        style = style.replace(f"{{{name}}}", "".join(said), 1)
    rules = (f".{group}{{background:var(--{group});color:var(--on-{group});fill:var(--{group})}}" for group in GROUPS)
    return style.replace("{groups}", "".join(rules), 1)


def _icon() -> str:
    """Return the icon: a bar of a GPT-2's three large groups."""
    widths = {"embedding": (0, 3), "attention": (3, 2), "mlp": (5, 3)}
    colours = palette.THEMES["light"].series
    paths = "".join(f"<path fill='{colours[name]}' d='M{x} 0h{wide}v8H{x}z'/>" for name, (x, wide) in widths.items())
    svg = f"<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 8 8'>{paths}</svg>"
    return "data:image/svg+xml," + svg.replace("<", "%3C").replace(">", "%3E").replace("#", "%23")


def _json(value: object) -> str:
    return dumps(value, ensure_ascii=False, separators=(",", ":"))


def _hash(content: str) -> str:
    return b64encode(sha256(content.encode()).digest()).decode()


def _asset(name: str) -> str:
    with open(os.path.join(ASSETS, name), encoding="utf-8") as file:
        return file.read()
